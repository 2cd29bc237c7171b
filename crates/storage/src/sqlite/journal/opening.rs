//! Opening: what a crash left is handed over, and made as certain as if it had not happened.
//!
//! Every whole frame is looked at in the order of incarnations and offsets. Those after `applied`
//! must follow each other without a gap; whatever stands behind the last one is a torn tail and is
//! cut. A process that crashed may have left an entry that only the operating system's memory
//! holds, and a flush that failed once is no help with it; so the last entry is appended once more,
//! to a segment of its own incarnation, before anybody is told of it. It may stand there twice
//! from then on, and a reader takes it once.
//!
//! The journal never goes on in a segment of an earlier run. That keeps one rule for all: what is
//! written to was made ready by this process.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use gateway::ports::Entropy;

use super::files::{Directory, Disk};
use super::frames::{self, Frame, Frames, Segment};
use super::layout::{BLOCK, BLOCK_OFFSET, DATA_OFFSET, room_for};
use super::preparing::{
    self, Options, Outcome, Preparer, Source, Task, Worker, of_name, of_sync, of_write,
};
use super::writing::{Beginning, Journal, Left, Numbering};
use super::{JournalFault, Position};

/// How many segments without entries are kept when a journal is opened, besides the one that it
/// begins in. What a busy time needed more of is given back to the disk.
const SPARE: usize = 1;

impl Journal {
    /// Opens the journal in this directory, which is made if there is none, and hands over every
    /// durable entry after `applied`, which is the last that the tables hold.
    ///
    /// What `replay` refuses counts as damage. Faults: [`JournalFault::Damaged`] for a missing or
    /// unreadable entry before a later one, or between `applied` and the first entry that is left;
    /// [`JournalFault::TablesBehind`], [`JournalFault::Unreadable`] and [`JournalFault::Newer`];
    /// [`JournalFault::Full`], [`JournalFault::Unavailable`] and
    /// [`JournalFault::Fatal`] as the disk has it, when nothing of what is there was lost.
    pub(in crate::sqlite) fn open(
        directory: &Path,
        options: Options,
        applied: Position,
        entropy: &dyn Entropy,
        replay: impl FnMut(Position, &[u8]) -> Result<(), String>,
    ) -> Result<Self, JournalFault> {
        let disk: Arc<dyn Directory> = Arc::new(Disk::make(directory).map_err(|it| of_name(&it))?);
        let worker = Worker::start(Arc::clone(&disk)).map_err(|error| of_name(&error))?;
        Self::open_on(disk, Box::new(worker), options, applied, entropy, replay)
    }

    pub(super) fn open_on(
        directory: Arc<dyn Directory>,
        preparer: Box<dyn Preparer>,
        options: Options,
        applied: Position,
        entropy: &dyn Entropy,
        replay: impl FnMut(Position, &[u8]) -> Result<(), String>,
    ) -> Result<Self, JournalFault> {
        sweep(directory.as_ref())?;
        let segments = frames::segments(directory.as_ref(), true)?;
        let found = recover(&segments, applied, replay)?;
        let mut numbering = Numbering::after(&segments, entropy);
        cut(&segments, &found)?;

        let left = segments.into_iter().zip(found.lasts);
        let mut left = left.map(|(segment, last)| Left { segment, last }).collect();
        let tail = found.tail.map(|tail| tail.payload).filter(|_| found.last > applied);
        let room = room_for(tail.as_ref().map_or(0, Vec::len));
        let current = first(directory.as_ref(), options, room, applied, &mut left, &mut numbering)?;
        let last = found.last.max(applied);
        let mut journal = Self::begin(Beginning {
            directory,
            options,
            preparer,
            left,
            current,
            numbering,
            last,
            applied,
        });
        if let Some(payload) = tail {
            journal.append_as(last, &payload)?;
            // What earlier openings appended for the same reason has served its purpose.
            for left in &mut journal.left {
                if found.redundant.contains(&left.segment.name) {
                    left.last = Position(0);
                }
            }
        }
        journal.give_up_surplus()?;
        Ok(journal)
    }

    /// Takes away released segments that are more than a quiet journal needs.
    fn give_up_surplus(&mut self) -> Result<(), JournalFault> {
        let applied = self.released.position();
        let mut spare = 0;
        let mut kept = VecDeque::new();
        for left in std::mem::take(&mut self.left) {
            let free = left.last <= applied;
            let wanted = spare < SPARE && left.segment.header.size <= self.options.segment_max;
            if !free || wanted {
                spare += usize::from(free);
                kept.push_back(left);
            } else {
                self.directory.remove(&left.segment.name).map_err(|error| of_name(&error))?;
            }
        }
        self.left = kept;
        Ok(())
    }
}

/// Takes away what never became a segment, and makes sure that the names of the others are durable.
fn sweep(directory: &dyn Directory) -> Result<(), JournalFault> {
    for name in directory.names().map_err(|error| of_name(&error))? {
        if preparing::is_unfinished(&name) {
            directory.remove(&name).map_err(|error| of_name(&error))?;
        }
    }
    directory.sync().map_err(|error| of_sync(&error))
}

/// What was found in the segments.
struct Found {
    /// Per segment the last entry in it; zero if there is none.
    lasts: Vec<Position>,
    /// The last entry of all; zero if there is none.
    last: Position,
    /// Where that is.
    tail: Option<Tail>,
    /// Segments in which nothing is but an entry that stands in an earlier one, too.
    redundant: BTreeSet<String>,
}

/// The last entry.
struct Tail {
    /// Which segment it is in.
    segment: usize,
    /// The offset behind it.
    end: u64,
    payload: Vec<u8>,
}

/// Looks at every entry that may lie after `applied`, and hands those over that do.
fn recover(
    segments: &[Segment],
    applied: Position,
    mut replay: impl FnMut(Position, &[u8]) -> Result<(), String>,
) -> Result<Found, JournalFault> {
    for pair in segments.windows(2) {
        if pair[0].header.incarnation == pair[1].header.incarnation {
            let problem = format!("it is a copy of {}", pair[0].name);
            return Err(JournalFault::Unreadable { file: pair[1].name.clone(), problem });
        }
    }
    let settled = frames::settled(segments, applied)?;
    let mut lasts = vec![Position(0); segments.len()];
    lasts[..settled].fill(applied);
    let found = Found { lasts, last: Position(0), tail: None, redundant: BTreeSet::new() };
    let mut recovery = Recovery { segments, applied, found, broke_off: None };
    for index in settled..segments.len() {
        recovery.walk(index, &mut replay)?;
    }
    let Recovery { found, .. } = recovery;
    check_floor(segments, found.last.max(applied))?;
    Ok(found)
}

/// A walk through the segments.
struct Recovery<'a> {
    segments: &'a [Segment],
    applied: Position,
    found: Found,
    /// Where the run of entries broke off, which is where a missing one should be: which segment,
    /// and the offset in it.
    broke_off: Option<(usize, u64)>,
}

impl Recovery<'_> {
    /// Looks at every frame of a segment.
    fn walk(
        &mut self,
        index: usize,
        mut replay: impl FnMut(Position, &[u8]) -> Result<(), String>,
    ) -> Result<(), JournalFault> {
        let segment = &self.segments[index];
        let mut frames = Frames::new(segment);
        let mut offset = DATA_OFFSET;
        while offset < segment.header.size {
            if let Some(frame) = frames.at(offset)? {
                if self.is_new(index, offset, &frame)? && frame.position > self.applied {
                    replay(frame.position, frame.payload)
                        .map_err(|problem| segment.damaged(offset, frame.position, problem))?;
                }
                offset = frame.end;
                self.remember(index, &frame);
            } else {
                self.broke_off = self.broke_off.or(Some((index, offset)));
                match frames.find(offset + BLOCK_OFFSET)? {
                    Some(next) => offset = next,
                    None => break,
                }
            }
        }
        Ok(())
    }

    /// Whether an entry is another one than the one before it. It must be the next one that is due,
    /// or the last one, appended once more by an earlier opening.
    fn is_new(
        &mut self,
        index: usize,
        offset: u64,
        frame: &Frame<'_>,
    ) -> Result<bool, JournalFault> {
        let Self { segments, applied, found, broke_off } = self;
        let segment = &segments[index];
        let held = found.last.max(*applied);
        if frame.position > held.next() {
            check_floor(segments, held)?;
            let (index, offset) = broke_off.unwrap_or((index, offset));
            let problem = format!("the next one that is there is {}", frame.position);
            return Err(segments[index].damaged(offset, held.next(), problem));
        }
        if frame.position > found.last {
            found.redundant.remove(&segment.name);
            return Ok(true);
        }
        let same = found.tail.as_ref().is_some_and(|tail| tail.payload == frame.payload);
        if offset == DATA_OFFSET && frame.position == found.last && same {
            found.redundant.insert(segment.name.clone());
            return Ok(false);
        }
        let problem = format!("it stands after entry {}", found.last);
        Err(segment.damaged(offset, frame.position, problem))
    }

    fn remember(&mut self, index: usize, frame: &Frame<'_>) {
        let found = &mut self.found;
        found.last = frame.position;
        found.lasts[index] = frame.position;
        let mut payload = found.tail.take().map_or_else(Vec::new, |tail| tail.payload);
        payload.clear();
        payload.extend(frame.payload);
        found.tail = Some(Tail { segment: index, end: frame.end, payload });
        self.broke_off = None;
    }
}

/// What was released is in the tables, or they are older than the journal.
fn check_floor(segments: &[Segment], held: Position) -> Result<(), JournalFault> {
    let released = segments.iter().map(|segment| segment.header.floor).max();
    match released {
        Some(released) if released > held => Err(JournalFault::TablesBehind { held, released }),
        _ => Ok(()),
    }
}

/// Cuts a torn tail, so that nothing of it can ever be taken for an entry.
fn cut(segments: &[Segment], found: &Found) -> Result<(), JournalFault> {
    let Some(tail) = &found.tail else { return Ok(()) };
    let segment = &segments[tail.segment];
    if tail.end < segment.header.size {
        segment.file.write_at(&[0; BLOCK], tail.end).map_err(|error| of_write(&error))?;
        segment.file.sync().map_err(|error| of_sync(&error))?;
    }
    Ok(())
}

/// The segment to begin in: a free one with room for so many bytes of frames, or a new one.
fn first(
    directory: &dyn Directory,
    options: Options,
    room: u64,
    applied: Position,
    left: &mut VecDeque<Left>,
    numbering: &mut Numbering,
) -> Result<Segment, JournalFault> {
    let fits = |left: &Left| {
        left.last <= applied
            && left.segment.header.size - DATA_OFFSET >= room
            && left.segment.header.size <= options.segment_max
    };
    let free = left.iter().position(fits).and_then(|index| left.remove(index));
    let (source, size) = match free {
        Some(left) => {
            let size = left.segment.header.size;
            (Source::Reused(left.segment), size)
        }
        None => (Source::New(numbering.name()), options.segment_min.max(DATA_OFFSET + room)),
    };
    let header = numbering.header(size, applied);
    match preparing::prepare(directory, Task { source, header }) {
        Outcome::Ready(segment) => Ok(segment),
        Outcome::Failed { fault, .. } => Err(fault),
    }
}
