//! The form of a backup: one plain, uncompressed tar archive (POSIX.1-1988 "ustar") that every `tar`
//! can open, and in which no bit can change unnoticed.
//!
//! It holds the parts in the order in which they were written and last `SHA256SUMS`, the checksums
//! of all others as `sha256sum -c` takes them. Headers depend on name and size alone, so the reader
//! makes each anew and compares all of it; padding and end must be as written. Writing them here
//! and not by a library keeps them the same for ever, which the comparison rests on.
//!
//! It proves that nothing was damaged, not that nobody forged it: whoever can write the archive can
//! write its checksums.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};
use thiserror::Error;

/// The last part, with the checksums of those before it.
const SUMS: &str = "SHA256SUMS";
/// Everything in a tar archive is a multiple of this many bytes.
const BLOCK: usize = 512;
/// Two empty blocks end an archive.
const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];
/// The longest name of a part that fits its field with the zero byte behind it.
const NAME_MAX: usize = 99;
/// The largest size that eleven octal digits hold. Larger ones are written in base 256, which is
/// GNU's extension and the one that every reader knows.
const OCTAL_SIZE_MAX: u64 = 0o777_7777_7777;
/// How many bytes are copied at once.
const PIECE: usize = 64 * 1024;
/// The longest list of checksums that is read.
const SUMS_MAX: u64 = 64 * 1024;

/// Why an archive could not be read.
#[derive(Debug, Error)]
pub(super) enum ArchiveFault {
    /// It is not what was written.
    #[error("{part}: {problem}")]
    Damaged {
        /// Where.
        part: String,
        /// What is wrong there.
        problem: String,
    },
    /// A part does not go with its checksum.
    #[error("{part}: content and checksum do not agree")]
    Mismatch {
        /// Which part.
        part: String,
    },
    /// The archive cannot be read.
    #[error("{0}")]
    Unreadable(io::Error),
    /// A part could not be written to where it is unpacked.
    #[error("{0}")]
    Unwritable(io::Error),
}

fn damaged(part: &str, problem: &str) -> ArchiveFault {
    ArchiveFault::Damaged { part: part.to_owned(), problem: problem.to_owned() }
}

/// The header of a file of this name (at most 99 bytes) and size.
fn header(name: &str, size: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| {
        for (place, byte) in block.iter_mut().skip(at).zip(bytes) {
            *place = *byte;
        }
    };
    put(0, &name.as_bytes()[..name.len().min(NAME_MAX)]);
    // Mode: only the owner may read what is unpacked, because it holds secrets.
    put(100, b"0000600\0");
    // Owner, group and time are not told; the manifest says when the backup was taken.
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    if size <= OCTAL_SIZE_MAX {
        put(124, format!("{size:011o}\0").as_bytes());
    } else {
        put(124, &[0x80, 0, 0, 0]);
        put(128, &size.to_be_bytes());
    }
    put(136, b"00000000000\0");
    // The checksum counts its own field as spaces.
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(329, b"0000000\0");
    put(337, b"0000000\0");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    for (place, byte) in block.iter_mut().skip(148).zip(sum.as_bytes()) {
        *place = *byte;
    }
    block
}

/// Name and size that a header tells, if it is exactly the header of a file of that name and size.
fn read_header(block: &[u8; BLOCK]) -> Option<Part> {
    let end = block.iter().position(|byte| *byte == 0).filter(|end| *end <= NAME_MAX)?;
    let name = std::str::from_utf8(&block[..end]).ok()?.to_owned();
    let size = if block[124] == 0x80 {
        u64::from_be_bytes(block[128..136].try_into().ok()?)
    } else {
        u64::from_str_radix(std::str::from_utf8(&block[124..135]).ok()?, 8).ok()?
    };
    (header(&name, size) == *block).then_some(Part { name, size })
}

/// How many bytes fill the last block of a part.
fn padding(size: u64) -> usize {
    let block = BLOCK as u64;
    let rest = usize::try_from(size % block).unwrap_or(0);
    if rest == 0 { 0 } else { BLOCK - rest }
}

fn sum_line(digest: Sha256, name: &str) -> String {
    format!("{}  {name}\n", hex(&digest.finalize()))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Writes an archive.
pub(super) struct Writer<To> {
    to: To,
    sums: String,
}

impl<To: Write> Writer<To> {
    pub(super) const fn new(to: To) -> Self {
        Self { to, sums: String::new() }
    }

    /// Writes a part of exactly this size.
    pub(super) fn part(&mut self, name: &str, size: u64, from: &mut impl Read) -> io::Result<()> {
        let digest = self.write(name, size, from)?;
        self.sums.push_str(&sum_line(digest, name));
        Ok(())
    }

    /// Writes the checksums and the end.
    pub(super) fn finish(mut self) -> io::Result<To> {
        let sums = std::mem::take(&mut self.sums);
        let size = u64::try_from(sums.len()).unwrap_or(u64::MAX);
        self.write(SUMS, size, &mut sums.as_bytes())?;
        self.to.write_all(&END)?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn write(&mut self, name: &str, size: u64, from: &mut impl Read) -> io::Result<Sha256> {
        self.to.write_all(&header(name, size))?;
        let mut digest = Sha256::new();
        let mut piece = vec![0; PIECE];
        let mut left = size;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let piece = &mut piece[..wanted];
            from.read_exact(piece)?;
            digest.update(&*piece);
            self.to.write_all(piece)?;
            left = left.saturating_sub(u64::try_from(wanted).unwrap_or(left));
        }
        self.to.write_all(&[0; BLOCK][..padding(size)])?;
        Ok(digest)
    }
}

/// A part of which the header was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    /// In bytes.
    pub(super) size: u64,
}

/// Reads an archive. Nothing that it gives may be trusted before `next` has found the end, because
/// the checksums come last.
pub(super) struct Reader<From> {
    from: From,
    sums: String,
    /// The part that was read last, by which damage behind it is named.
    last: String,
}

impl<From: Read> Reader<From> {
    pub(super) const fn new(from: From) -> Self {
        Self { from, sums: String::new(), last: String::new() }
    }

    /// The next part, whose content must be taken by [`Self::copy`] before the one after it. None
    /// at the end, when the checksums of all parts agreed.
    pub(super) fn next(&mut self) -> Result<Option<Part>, ArchiveFault> {
        let place = match self.last.as_str() {
            "" => "its first header".to_owned(),
            last => format!("the header after {last}"),
        };
        let mut block = [0; BLOCK];
        self.fill(&mut block, &place)?;
        let part = read_header(&block).ok_or_else(|| damaged(&place, "is not one of a backup"))?;
        self.last.clone_from(&part.name);
        if part.name != SUMS {
            return Ok(Some(part));
        }
        self.compare(&part)?;
        let mut end = END;
        self.fill(&mut end, "its end")?;
        let more = self.from.read(&mut [0]).map_err(ArchiveFault::Unreadable)?;
        if end != END || more != 0 {
            return Err(damaged("its end", "something is there that was not written"));
        }
        Ok(None)
    }

    /// Copies the content of the part that `next` gave.
    pub(super) fn copy(&mut self, part: &Part, to: &mut impl Write) -> Result<(), ArchiveFault> {
        let digest = self.read(part, to)?;
        self.sums.push_str(&sum_line(digest, &part.name));
        Ok(())
    }

    fn compare(&mut self, part: &Part) -> Result<(), ArchiveFault> {
        if part.size > SUMS_MAX {
            return Err(damaged(SUMS, "is too long to be one"));
        }
        let mut stated = Vec::new();
        self.read(part, &mut stated)?;
        let (mut stated, mut found) = (stated.split(|byte| *byte == b'\n'), self.sums.lines());
        for line in found.by_ref() {
            if stated.next() != Some(line.as_bytes()) {
                let part = line.split_once("  ").map_or(SUMS, |(_, name)| name);
                return Err(ArchiveFault::Mismatch { part: part.to_owned() });
            }
        }
        // What follows the last line feed is nothing.
        if stated.next() != Some(b"") || stated.next().is_some() {
            return Err(damaged(SUMS, "names more than there is"));
        }
        Ok(())
    }

    fn read(&mut self, part: &Part, to: &mut impl Write) -> Result<Sha256, ArchiveFault> {
        let mut digest = Sha256::new();
        let mut piece = vec![0; PIECE];
        let mut left = part.size;
        while left > 0 {
            let wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let piece = &mut piece[..wanted];
            self.fill(piece, &part.name)?;
            digest.update(&*piece);
            to.write_all(piece).map_err(ArchiveFault::Unwritable)?;
            left = left.saturating_sub(u64::try_from(wanted).unwrap_or(left));
        }
        let mut rest = [0; BLOCK];
        let rest = &mut rest[..padding(part.size)];
        self.fill(rest, &part.name)?;
        if rest.iter().any(|byte| *byte != 0) {
            return Err(damaged(&part.name, "the padding after it is damaged"));
        }
        Ok(digest)
    }

    fn fill(&mut self, bytes: &mut [u8], place: &str) -> Result<(), ArchiveFault> {
        self.from.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged(place, "the backup is cut off there"),
            _ => ArchiveFault::Unreadable(error),
        })
    }
}

#[cfg(test)]
#[path = "archive_tests.rs"]
mod tests;
