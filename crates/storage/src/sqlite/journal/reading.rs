//! Reading beside a server that appends and uses segments again at the same time.
//!
//! No lock is taken. What is read is trusted for its checksums alone, and a run is only complete if
//! no segment was used anew while it was read; otherwise it is read on. An entry that is missing
//! was given up if a segment says so, and else it was not appended yet or is damaged, which a
//! second look tells apart.

use std::io::ErrorKind;
use std::path::Path;

use super::files::{Directory, Disk};
use super::frames::{self, Frames, Segment};
use super::layout::{BLOCK_OFFSET, DATA_OFFSET};
use super::preparing::of_name;
use super::{JournalFault, Position};

/// An entry and its position.
pub(in crate::sqlite) type Entry = (Position, Vec<u8>);

/// Every entry after `after`, in order and without a gap: all that were acknowledged before this is
/// called, and perhaps later ones, of which the last may not be acknowledged yet. Nothing where
/// there is no journal.
///
/// Faults: [`JournalFault::Recycled`] if some of them are only in the tables any more, so that a
/// newer state of these has to be looked at first; [`JournalFault::Damaged`] if one is missing for
/// another reason; [`JournalFault::Unreadable`], [`JournalFault::Newer`] and
/// [`JournalFault::Unavailable`].
pub(in crate::sqlite) fn read(
    directory: &Path,
    after: Position,
) -> Result<Vec<Entry>, JournalFault> {
    match directory.try_exists() {
        Ok(true) => read_on(&Disk::at(directory), after),
        Ok(false) => Ok(Vec::new()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(of_name(&error)),
    }
}

/// The same of any directory.
pub(super) fn read_on(
    directory: &dyn Directory,
    after: Position,
) -> Result<Vec<Entry>, JournalFault> {
    let mut run = Run { due: after.next(), entries: Vec::new() };
    let mut missed: Option<Position> = None;
    loop {
        let segments = frames::segments(directory, false)?;
        let gap = run.read_on_in(&segments)?;
        let now = frames::segments(directory, false)?;
        if !incarnations(&segments).eq(incarnations(&now)) {
            continue;
        }
        let Some(gap) = gap else {
            return match given_up(&segments, run.due) {
                true => Err(JournalFault::Recycled(run.due)),
                false => Ok(run.entries),
            };
        };
        // It may have been appended between the look at its place and that at the entry behind it.
        if missed.replace(run.due) == Some(run.due) {
            return Err(match given_up(&segments, run.due) {
                true => JournalFault::Recycled(run.due),
                false => gap,
            });
        }
    }
}

fn incarnations(segments: &[Segment]) -> impl Iterator<Item = u64> {
    segments.iter().map(|segment| segment.header.incarnation)
}

/// Whether this entry was released before some segment was used anew, and may therefore be gone.
fn given_up(segments: &[Segment], position: Position) -> bool {
    segments.iter().any(|segment| segment.header.floor >= position)
}

/// What has been read so far.
struct Run {
    /// The next entry.
    due: Position,
    entries: Vec<Entry>,
}

impl Run {
    /// Reads on as far as entries follow each other. Tells if there is a later one.
    fn read_on_in(&mut self, segments: &[Segment]) -> Result<Option<JournalFault>, JournalFault> {
        let mut broke_off: Option<(&Segment, u64)> = None;
        let before = Position(self.due.0.saturating_sub(1));
        for segment in segments.iter().skip(frames::settled(segments, before)?) {
            let mut frames = Frames::new(segment);
            let mut offset = DATA_OFFSET;
            while offset < segment.header.size {
                let Some(frame) = frames.at(offset)? else {
                    broke_off = broke_off.or(Some((segment, offset)));
                    match frames.find(offset + BLOCK_OFFSET)? {
                        Some(next) => offset = next,
                        None => break,
                    }
                    continue;
                };
                if frame.position > self.due {
                    let (segment, offset) = broke_off.unwrap_or((segment, offset));
                    let problem = format!("the next one that is there is {}", frame.position);
                    return Ok(Some(segment.damaged(offset, self.due, problem)));
                }
                if frame.position == self.due {
                    self.entries.push((frame.position, frame.payload.to_vec()));
                    self.due = self.due.next();
                }
                offset = frame.end;
                broke_off = None;
            }
        }
        Ok(None)
    }
}
