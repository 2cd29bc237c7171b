//! How segments and entries lie on the disk, as pure functions of bytes.
//!
//! A segment is a whole number of blocks. The first two hold the same header, so that rewriting
//! one at a time always leaves a whole one; frames follow. A frame is the head of an entry and its
//! payload, and begins at a block: appending never rewrites a block that holds an acknowledged
//! entry, and never has to read one first.
//!
//! ```text
//! header  checksum 8 | magic 8 | version 4 | zero 4 | incarnation 8 | salt 8 | size 8 | floor 8
//! frame   checksum 8 | magic 4 | length 4 | position 8 | incarnation 8 | payload | zeros
//! ```
//!
//! Numbers are little-endian. A checksum is the 64-bit XXH3 of all that follows it, the zeros at
//! the end left out. Each time a segment is used anew it gets the next incarnation and another
//! salt, with which its frames' checksums are seeded. So a frame of an earlier incarnation is never
//! taken for a new one, and no text that a caller may put into a payload can be made to look like a
//! frame, because nobody outside knows the salt.

use twox_hash::XxHash3_64;

use super::Position;

/// What is written and read at once at least, in bytes. File systems write no less.
pub(super) const BLOCK: usize = 4096;
/// The same as an offset.
pub(super) const BLOCK_OFFSET: u64 = 4096;
/// Where frames begin, behind both copies of the header.
pub(super) const DATA_OFFSET: u64 = 2 * BLOCK_OFFSET;
/// The length of a frame without its payload.
pub(super) const HEAD_LENGTH: usize = 32;
/// The longest payload in bytes. It is far beyond what a batch changes, and guards a reader.
pub(super) const PAYLOAD_MAX: usize = 1 << 30;
/// The form that this program writes.
pub(super) const VERSION: u32 = 1;

const HEADER_MAGIC: [u8; 8] = *b"LunasJnl";
const FRAME_MAGIC: [u8; 4] = *b"LunE";
/// Headers are not guessed at, so a fixed seed does.
const HEADER_SEED: u64 = 0;
/// How many bytes of a block a header fills.
const HEADER_LENGTH: usize = 56;

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Which use of any segment this is, counted from 1 over the whole journal. Later entries lie in
    /// segments of higher incarnations.
    pub(super) incarnation: u64,
    /// Seeds the checksums of the frames.
    pub(super) salt: u64,
    /// The length of the file in bytes.
    pub(super) size: u64,
    /// Entries up to this one were in the tables when the segment was made ready.
    pub(super) floor: Position,
}

/// What a block is in which a header is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderBlock {
    /// A whole header.
    Whole(Header),
    /// A whole header of another form, this one.
    Unknown(u32),
    /// Anything else.
    Broken,
}

impl Header {
    /// The block that holds it.
    pub(super) fn to_block(self) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let fields = [self.incarnation, self.salt, self.size, self.floor.0];
        let bytes = HEADER_MAGIC
            .into_iter()
            .chain(VERSION.to_le_bytes())
            .chain([0; 4])
            .chain(fields.into_iter().flat_map(u64::to_le_bytes));
        for (place, byte) in block.iter_mut().skip(8).zip(bytes) {
            *place = byte;
        }
        let checksum = checksum(HEADER_SEED, &block[8..HEADER_LENGTH]);
        block[..8].copy_from_slice(&checksum.to_le_bytes());
        block
    }

    /// Reads a block.
    pub(super) fn parse(block: &[u8]) -> HeaderBlock {
        let Some(bytes) = block.get(..HEADER_LENGTH) else { return HeaderBlock::Broken };
        if bytes[8..16] != HEADER_MAGIC || number(bytes, 0) != checksum(HEADER_SEED, &bytes[8..]) {
            return HeaderBlock::Broken;
        }
        let version = short_number(bytes, 16);
        if version != VERSION {
            return HeaderBlock::Unknown(version);
        }
        HeaderBlock::Whole(Self {
            incarnation: number(bytes, 24),
            salt: number(bytes, 32),
            size: number(bytes, 40),
            floor: Position(number(bytes, 48)),
        })
    }
}

/// The head of a frame. Only the checksum tells whether the payload belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    checksum: u64,
    /// The length of the payload in bytes.
    pub(super) length: usize,
    /// The number of the entry.
    pub(super) position: Position,
}

impl Head {
    /// Reads the head at the beginning of these bytes, if a frame of this incarnation may begin
    /// here.
    pub(super) fn parse(bytes: &[u8], header: &Header) -> Option<Self> {
        let bytes = bytes.get(..HEAD_LENGTH)?;
        let head = Self {
            checksum: number(bytes, 0),
            length: usize::try_from(short_number(bytes, 12)).ok()?,
            position: Position(number(bytes, 16)),
        };
        let same = bytes[8..12] == FRAME_MAGIC && number(bytes, 24) == header.incarnation;
        (same && head.length <= PAYLOAD_MAX).then_some(head)
    }

    /// Whether these bytes, head and payload, are the whole frame.
    pub(super) fn is_whole(&self, frame: &[u8], header: &Header) -> bool {
        frame.len() == HEAD_LENGTH + self.length
            && checksum(header.salt, &frame[8..]) == self.checksum
    }
}

/// Writes an entry's frame, filled up to whole blocks. The payload is [`PAYLOAD_MAX`] long at most.
pub(super) fn write_frame(
    header: &Header,
    position: Position,
    payload: &[u8],
    frame: &mut Vec<u8>,
) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    frame.clear();
    frame.extend([0; 8]);
    frame.extend(FRAME_MAGIC);
    frame.extend(length.to_le_bytes());
    frame.extend(position.0.to_le_bytes());
    frame.extend(header.incarnation.to_le_bytes());
    frame.extend(payload);
    let checksum = checksum(header.salt, &frame[8..]);
    frame[..8].copy_from_slice(&checksum.to_le_bytes());
    frame.resize(frame.len().next_multiple_of(BLOCK), 0);
}

/// How many bytes of a segment an entry takes.
pub(super) const fn room_for(payload_length: usize) -> u64 {
    offset((HEAD_LENGTH + payload_length).next_multiple_of(BLOCK))
}

/// A length as an offset.
#[expect(clippy::as_conversions, reason = "no machine that this runs on has wider addresses")]
pub(super) const fn offset(length: usize) -> u64 {
    length as u64
}

fn checksum(seed: u64, bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(seed, bytes)
}

fn number(bytes: &[u8], at: usize) -> u64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(number)
}

fn short_number(bytes: &[u8], at: usize) -> u32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header { incarnation: 7, salt: 99, size: 65536, floor: Position(3) };

    /// Computed apart from this program; a change here would make every journal unreadable.
    #[test]
    fn checksums_never_change() {
        assert_eq!(checksum(0, b""), 0x2d06_8005_38d3_94c2);
        assert_eq!(checksum(0, b"abc"), 0x78af_5f94_892f_3950);
    }

    #[test]
    fn a_header_is_read_back_and_no_flip_goes_unnoticed() {
        let block = HEADER.to_block();
        assert_eq!(Header::parse(&block), HeaderBlock::Whole(HEADER));
        for place in 0..HEADER_LENGTH {
            let mut flipped = block;
            flipped[place] ^= 1;
            assert_eq!(Header::parse(&flipped), HeaderBlock::Broken, "{place}");
        }
        assert_eq!(Header::parse(&block[..HEADER_LENGTH - 1]), HeaderBlock::Broken);
    }

    #[test]
    fn a_header_of_another_form_is_told_apart() {
        let mut block = HEADER.to_block();
        block[16] = 2;
        let checksum = checksum(HEADER_SEED, &block[8..HEADER_LENGTH]);
        block[..8].copy_from_slice(&checksum.to_le_bytes());
        assert_eq!(Header::parse(&block), HeaderBlock::Unknown(2));
    }

    fn payload_of(frame: &[u8], header: &Header) -> Option<(Position, Vec<u8>)> {
        let head = Head::parse(frame, header)?;
        let whole = frame.get(..HEAD_LENGTH + head.length)?;
        head.is_whole(whole, header).then(|| (head.position, whole[HEAD_LENGTH..].to_vec()))
    }

    #[test]
    fn a_frame_is_read_back_and_no_flip_goes_unnoticed() {
        for length in [0, 1, 31, 600, BLOCK - HEAD_LENGTH, BLOCK, 3 * BLOCK] {
            let payload: Vec<u8> = (0..=250).cycle().take(length).collect();
            let mut frame = Vec::new();
            write_frame(&HEADER, Position(12), &payload, &mut frame);
            assert_eq!(offset(frame.len()), room_for(length));
            assert_eq!(payload_of(&frame, &HEADER), Some((Position(12), payload)));
            for place in (0..HEAD_LENGTH + length).step_by(1 + length / 64) {
                let mut flipped = frame.clone();
                flipped[place] ^= 0x10;
                assert_eq!(payload_of(&flipped, &HEADER), None, "{length}: {place}");
            }
        }
    }

    #[test]
    fn a_frame_of_another_incarnation_or_salt_is_none() {
        let mut frame = Vec::new();
        write_frame(&HEADER, Position(12), b"entry", &mut frame);
        for other in [Header { incarnation: 8, ..HEADER }, Header { salt: 98, ..HEADER }] {
            assert_eq!(payload_of(&frame, &other), None, "{other:?}");
        }
    }
}
