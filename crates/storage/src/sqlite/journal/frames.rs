//! Finding frames in a segment that may be torn, stale, or changing at this moment.
//!
//! Everything read here is checked; nothing is believed because of where it stands. Whether the
//! frames that are found follow each other is for whoever asks to say.

use std::io;

use super::Position;
use super::files::{Directory, SegmentFile};
use super::layout::{
    self, BLOCK, BLOCK_OFFSET, DATA_OFFSET, HEAD_LENGTH, Head, Header, HeaderBlock, VERSION,
};
use super::{JournalFault, preparing};

/// How many blocks are read at once when a frame is looked for: 256 KiB.
const BLOCKS_LOOKED_AT: usize = 64;

/// A segment that can be read and written.
pub(super) struct Segment {
    pub(super) name: String,
    pub(super) file: Box<dyn SegmentFile>,
    pub(super) header: Header,
}

impl Segment {
    /// What to say of an entry that is due in it and cannot be read.
    pub(super) fn damaged(
        &self,
        offset: u64,
        position: Position,
        problem: impl Into<String>,
    ) -> JournalFault {
        let file = self.name.clone();
        JournalFault::Damaged { file, offset, position, problem: problem.into() }
    }
}

/// How many of these segments hold nothing after this entry, because a later one begins with it or
/// with an earlier one.
pub(super) fn settled(segments: &[Segment], upto: Position) -> Result<usize, JournalFault> {
    for (index, segment) in segments.iter().enumerate().rev() {
        if Frames::new(segment).first()?.is_some_and(|first| first <= upto) {
            return Ok(index);
        }
    }
    Ok(0)
}

/// Opens every segment there is, in the order of their incarnations.
pub(super) fn segments(
    directory: &dyn Directory,
    writing: bool,
) -> Result<Vec<Segment>, JournalFault> {
    let mut found = Vec::new();
    for name in directory.names().map_err(of_read)? {
        if preparing::number_of(&name).is_none() {
            continue;
        }
        let file = match directory.open(&name, writing) {
            Ok(file) => file,
            // A server that was just opened takes away what it has no use for.
            Err(error) if !writing && error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(of_read(error)),
        };
        let header = header_of(&name, file.as_ref())?;
        found.push(Segment { name, file, header });
    }
    found.sort_by_key(|segment| segment.header.incarnation);
    Ok(found)
}

/// What a segment says of itself. Every segment that has its name had both copies of its header on
/// the disk before, and at most one is written at a time.
pub(super) fn header_of(name: &str, file: &dyn SegmentFile) -> Result<Header, JournalFault> {
    let damaged = |problem: &str| JournalFault::Unreadable {
        file: name.to_owned(),
        problem: problem.to_owned(),
    };
    let mut blocks = [0; 2 * BLOCK];
    let filled = file.read_at(&mut blocks, 0).map_err(of_read)?;
    let copies = blocks[..filled].chunks(BLOCK).map(Header::parse);
    let mut latest: Option<Header> = None;
    for copy in copies {
        match copy {
            HeaderBlock::Whole(header) => {
                if latest.is_none_or(|it| it.incarnation < header.incarnation) {
                    latest = Some(header);
                }
            }
            HeaderBlock::Unknown(found) => {
                let file = name.to_owned();
                return Err(JournalFault::Newer { file, found, known: VERSION });
            }
            HeaderBlock::Broken => {}
        }
    }
    let header = latest.ok_or_else(|| damaged("its header cannot be read"))?;
    if file.length().map_err(of_read)? < header.size {
        return Err(damaged("the file is cut short"));
    }
    Ok(header)
}

/// What cannot be read now may be readable later, and nothing was changed.
fn of_read(error: io::Error) -> JournalFault {
    JournalFault::Unavailable(error.to_string())
}

/// Reads a segment frame by frame.
pub(super) struct Frames<'a> {
    file: &'a dyn SegmentFile,
    header: Header,
    buffer: Vec<u8>,
}

/// A whole frame.
pub(super) struct Frame<'a> {
    pub(super) position: Position,
    pub(super) payload: &'a [u8],
    /// The offset behind it.
    pub(super) end: u64,
}

impl<'a> Frames<'a> {
    pub(super) fn new(segment: &'a Segment) -> Self {
        Self { file: segment.file.as_ref(), header: segment.header, buffer: Vec::new() }
    }

    /// The frame that begins at this offset, if a whole one does.
    pub(super) fn at(&mut self, offset: u64) -> Result<Option<Frame<'_>>, JournalFault> {
        self.buffer.resize(BLOCK, 0);
        let filled = self.file.read_at(&mut self.buffer, offset).map_err(of_read)?;
        let Some(head) = Head::parse(&self.buffer[..filled], &self.header) else { return Ok(None) };
        let end = offset.saturating_add(layout::room_for(head.length));
        // Checked before anything is allocated for it.
        if end > self.header.size {
            return Ok(None);
        }
        let length = HEAD_LENGTH + head.length;
        self.buffer.resize(length, 0);
        if let Some(rest) = self.buffer.get_mut(BLOCK..) {
            let filled = self.file.read_at(rest, offset + BLOCK_OFFSET).map_err(of_read)?;
            if filled < rest.len() {
                return Ok(None);
            }
        }
        if !head.is_whole(&self.buffer, &self.header) {
            return Ok(None);
        }
        let payload = &self.buffer[HEAD_LENGTH..];
        Ok(Some(Frame { position: head.position, payload, end }))
    }

    /// Where the first whole frame begins at this offset or after it, if there is one.
    pub(super) fn find(&mut self, from: u64) -> Result<Option<u64>, JournalFault> {
        let rest = usize::try_from(self.header.size.saturating_sub(from)).unwrap_or(usize::MAX);
        let mut window = vec![0; rest.min(BLOCKS_LOOKED_AT * BLOCK)];
        let mut start = from;
        while start < self.header.size {
            let filled = self.file.read_at(&mut window, start).map_err(of_read)?;
            for (block, offset) in window[..filled].chunks(BLOCK).zip((start..).step_by(BLOCK)) {
                if Head::parse(block, &self.header).is_some() && self.at(offset)?.is_some() {
                    return Ok(Some(offset));
                }
            }
            if filled < window.len() {
                break;
            }
            start += layout::offset(window.len());
        }
        Ok(None)
    }

    /// The number of the first entry, if the segment begins with a whole one.
    fn first(&mut self) -> Result<Option<Position>, JournalFault> {
        Ok(self.at(DATA_OFFSET)?.map(|frame| frame.position))
    }
}
