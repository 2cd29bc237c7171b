//! Appending: one frame, one write, one flush.
//!
//! The journal writes into one segment at a time and has the next one made ready before that is
//! full. A segment it has left waits until its entries are released and is then used again. After a
//! fault that leaves what is on the disk in doubt nothing is written any more, not even by a caller
//! that goes on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gateway::ports::Entropy;
use sha2::{Digest, Sha256};

use super::files::Directory;
use super::frames::Segment;
use super::layout::{self, BLOCK, DATA_OFFSET, Header, PAYLOAD_MAX};
use super::preparing::{self, Options, Outcome, Preparer, Source, Task, of_sync, of_write};
use super::{JournalFault, Position};

/// How many bytes are kept at hand for the next frame. A large one must not take its room for ever.
const FRAME_KEPT: usize = 1024 * 1024;

/// Up to where the tables hold the entries durably. Whoever settles entries there tells it; the
/// journal uses their segments again.
#[derive(Debug)]
pub(in crate::sqlite) struct Released(AtomicU64);

impl Released {
    pub(super) const fn new(position: Position) -> Self {
        Self(AtomicU64::new(position.0))
    }

    /// Every entry up to this one is durable in the tables, together with this position. Never goes
    /// back.
    pub(in crate::sqlite) fn up_to(&self, position: Position) {
        self.0.fetch_max(position.0, Ordering::Release);
    }

    pub(super) fn position(&self) -> Position {
        Position(self.0.load(Ordering::Acquire))
    }
}

/// A segment that the journal has left.
pub(super) struct Left {
    pub(super) segment: Segment,
    /// The last entry in it; zero if it was never written to.
    pub(super) last: Position,
}

/// The segment to go on in.
enum Following {
    /// Nobody has been asked for one.
    None,
    /// It is being made ready.
    Underway,
    /// Here it is.
    Ready(Segment),
}

/// The journal, opened to be appended to. One thread owns it.
pub(in crate::sqlite) struct Journal {
    pub(super) directory: Arc<dyn Directory>,
    pub(super) options: Options,
    preparer: Box<dyn Preparer>,
    pub(super) released: Arc<Released>,
    /// Segments that were left, the one left first at the front.
    pub(super) left: VecDeque<Left>,
    current: Segment,
    /// Where the next frame goes in it.
    end: u64,
    /// The latest entry.
    last: Position,
    following: Following,
    numbering: Numbering,
    frame: Vec<u8>,
    /// Why nothing may be written any more.
    broken: Option<JournalFault>,
}

/// Gives out what no two segments share.
pub(super) struct Numbering {
    /// Drawn anew each time the journal is opened; salts come from it.
    seed: [u8; 32],
    /// The highest incarnation so far.
    incarnation: u64,
    /// The highest number of a segment's name so far.
    name: u64,
}

impl Numbering {
    /// Goes on behind these segments, which are in the order of their incarnations.
    pub(super) fn after(segments: &[Segment], entropy: &dyn Entropy) -> Self {
        let names = segments.iter().filter_map(|segment| preparing::number_of(&segment.name));
        let mut numbering = Self {
            seed: [0; 32],
            incarnation: segments.last().map_or(0, |last| last.header.incarnation),
            name: names.max().unwrap_or(0),
        };
        entropy.fill(&mut numbering.seed);
        numbering
    }

    /// The header of the next incarnation.
    pub(super) fn header(&mut self, size: u64, floor: Position) -> Header {
        self.incarnation += 1;
        let mut hasher = Sha256::new();
        hasher.update(self.seed);
        hasher.update(self.incarnation.to_le_bytes());
        let digest: [u8; 32] = hasher.finalize().into();
        let [a, b, c, d, e, f, g, h, ..] = digest;
        let salt = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        Header { incarnation: self.incarnation, salt, size, floor }
    }

    /// The name of the next new segment.
    pub(super) fn name(&mut self) -> String {
        self.name += 1;
        preparing::name_of(self.name)
    }
}

/// What an opened journal begins with.
pub(super) struct Beginning {
    pub(super) directory: Arc<dyn Directory>,
    pub(super) options: Options,
    pub(super) preparer: Box<dyn Preparer>,
    pub(super) left: VecDeque<Left>,
    pub(super) current: Segment,
    pub(super) numbering: Numbering,
    /// The latest entry that exists anywhere, in the journal or in the tables.
    pub(super) last: Position,
    /// The latest entry in the tables.
    pub(super) applied: Position,
}

impl Journal {
    pub(super) fn begin(beginning: Beginning) -> Self {
        let Beginning { directory, options, preparer, left, current, numbering, last, applied } =
            beginning;
        Self {
            directory,
            options,
            preparer,
            released: Arc::new(Released::new(applied)),
            left,
            current,
            end: DATA_OFFSET,
            last,
            following: Following::None,
            numbering,
            frame: Vec::new(),
            broken: None,
        }
    }

    /// The latest entry: of those appended, handed over, or in the tables before.
    pub(in crate::sqlite) const fn last(&self) -> Position {
        self.last
    }

    /// How others tell what is in the tables.
    pub(in crate::sqlite) fn release_handle(&self) -> Arc<Released> {
        Arc::clone(&self.released)
    }

    /// Appends an entry. When this returns its position the entry survives the loss of power.
    ///
    /// After [`JournalFault::Full`], [`JournalFault::Unavailable`] and [`JournalFault::TooLarge`]
    /// nothing was appended and the position is not used up. After anything else the process must
    /// end: the entry may be found or not when the journal is opened again.
    pub(in crate::sqlite) fn append(&mut self, payload: &[u8]) -> Result<Position, JournalFault> {
        let position = self.last.next();
        self.append_as(position, payload)?;
        self.last = position;
        Ok(position)
    }

    /// Appends an entry under a position of the caller's choice.
    pub(super) fn append_as(
        &mut self,
        position: Position,
        payload: &[u8],
    ) -> Result<(), JournalFault> {
        if let Some(broken) = &self.broken {
            return Err(broken.clone());
        }
        if payload.len() > PAYLOAD_MAX {
            return Err(JournalFault::TooLarge(payload.len()));
        }
        let appended = self.write(position, payload);
        if let Err(fault @ JournalFault::Fatal(_)) = &appended {
            self.broken = Some(fault.clone());
        }
        appended
    }

    fn write(&mut self, position: Position, payload: &[u8]) -> Result<(), JournalFault> {
        self.collect()?;
        let room = layout::room_for(payload.len());
        if self.current.header.size - self.end < room {
            self.go_on(room)?;
        }
        layout::write_frame(&self.current.header, position, payload, &mut self.frame);
        if let Err(error) = self.current.file.write_at(&self.frame, self.end) {
            return Err(self.withdraw(of_write(&error)));
        }
        self.current.file.sync().map_err(|error| of_sync(&error))?;
        self.end += room;
        if self.frame.capacity() > FRAME_KEPT {
            self.frame = Vec::new();
        }
        self.look_ahead();
        Ok(())
    }

    /// Makes sure that what was written of a frame is never found, even if that was all of it.
    fn withdraw(&mut self, fault: JournalFault) -> JournalFault {
        if matches!(fault, JournalFault::Fatal(_)) {
            return fault;
        }
        let erased = self.current.file.write_at(&[0; BLOCK], self.end);
        match erased.and_then(|()| self.current.file.sync()) {
            Ok(()) => fault,
            Err(error) => JournalFault::Fatal(error.to_string()),
        }
    }

    /// Has the next segment made ready once this one is half full.
    fn look_ahead(&mut self) {
        if matches!(self.following, Following::None) && self.end >= self.current.header.size / 2 {
            self.ask(0);
        }
    }

    /// Which of the segments that were left is free and has room for so many bytes of frames.
    fn free(&self, room: u64) -> Option<usize> {
        let released = self.released.position();
        self.left.iter().position(|left| {
            left.last <= released && left.segment.header.size - DATA_OFFSET >= room
        })
    }

    /// Has a segment made ready that has room for so many bytes of frames.
    fn ask(&mut self, room: u64) {
        let free = self.free(room).and_then(|index| self.left.remove(index));
        let (source, size) = match free {
            Some(left) => {
                let size = left.segment.header.size;
                (Source::Reused(left.segment), size)
            }
            None => (Source::New(self.numbering.name()), self.size_for(room)),
        };
        // What was released when the segment was chosen is released now, so this covers it.
        let header = self.numbering.header(size, self.released.position());
        self.preparer.begin(Task { source, header });
        self.following = Following::Underway;
    }

    /// The length of the next new segment: more than any so far if entries are released too slowly
    /// for those that there are.
    fn size_for(&self, room: u64) -> u64 {
        let Options { segment_min, segment_max } = self.options;
        let sizes = self.left.iter().map(|left| left.segment.header.size * 2);
        let size = sizes.chain([self.current.header.size]).max().unwrap_or(segment_min);
        size.clamp(segment_min, segment_max.max(segment_min)).max(DATA_OFFSET + room)
    }

    /// Takes over a segment that has become ready. Of one that has not, only doubt about the disk
    /// matters now; anything else shows again when the segment is needed.
    fn collect(&mut self) -> Result<(), JournalFault> {
        if !matches!(self.following, Following::Underway) {
            return Ok(());
        }
        match self.preparer.settled() {
            None => Ok(()),
            Some(outcome) => match self.take(outcome) {
                Err(fault @ JournalFault::Fatal(_)) => Err(fault),
                Ok(()) | Err(_) => Ok(()),
            },
        }
    }

    fn take(&mut self, outcome: Outcome) -> Result<(), JournalFault> {
        self.following = Following::None;
        match outcome {
            Outcome::Ready(segment) => {
                self.following = Following::Ready(segment);
                Ok(())
            }
            Outcome::Failed { fault, reused } => {
                if let Some(segment) = reused {
                    self.left.push_front(Left { segment, last: Position(0) });
                }
                Err(fault)
            }
        }
    }

    /// Goes on in another segment that has room for so many bytes of frames.
    fn go_on(&mut self, room: u64) -> Result<(), JournalFault> {
        if matches!(self.following, Following::Underway) {
            let outcome = self.preparer.wait();
            if let Err(fault @ JournalFault::Fatal(_)) = self.take(outcome) {
                return Err(fault);
            }
        }
        if let Following::Ready(segment) = &self.following
            && segment.header.size - DATA_OFFSET < room
        {
            self.give_back();
        }
        if matches!(self.following, Following::None) {
            self.ask(room);
            let outcome = self.preparer.wait();
            self.take(outcome)?;
        }
        if let Following::Ready(segment) = std::mem::replace(&mut self.following, Following::None) {
            let left = std::mem::replace(&mut self.current, segment);
            let last = if self.end > DATA_OFFSET { self.last } else { Position(0) };
            self.left.push_back(Left { segment: left, last });
            self.end = DATA_OFFSET;
        }
        Ok(())
    }

    /// Puts a segment that is ready and too small back among the free ones.
    fn give_back(&mut self) {
        if let Following::Ready(segment) = std::mem::replace(&mut self.following, Following::None) {
            self.left.push_front(Left { segment, last: Position(0) });
        }
    }

    /// Ends the thread that prepares segments. Nothing can be appended after it.
    pub(in crate::sqlite) fn close(&mut self) {
        self.preparer.stop();
        let closed = || JournalFault::Unavailable("it is closed".to_owned());
        self.broken.get_or_insert_with(closed);
    }
}
