//! Making segments ready before they are needed.
//!
//! A segment is used again by giving it a new header; where none is free, a new one is written full
//! of zeros under a name that recovery ignores, and gets its real name once it is whole. Small
//! installations begin with a small segment; where entries are released too slowly, each further one
//! is twice as large, up to a limit. All of it is flushed in small pieces, so that no append's flush waits behind a large one.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;

use super::JournalFault;
use super::files::Directory;
use super::frames::Segment;
use super::layout::{self, BLOCK_OFFSET, Header};

/// How many bytes are written between two flushes.
const PIECE: usize = 256 * 1024;
/// How the name of a segment ends.
const SUFFIX: &str = ".segment";
/// How the name of a segment ends that is not whole yet.
const UNFINISHED: &str = ".unfinished";

/// The limits of a journal.
#[derive(Debug, Clone, Copy)]
pub(in crate::sqlite) struct Options {
    /// The length of the first segment in bytes, a whole number of blocks of 4096 and at least 4 of
    /// them.
    pub(in crate::sqlite) segment_min: u64,
    /// The length of the largest segment in bytes, likewise. Only an entry that does not fit gets
    /// one that is larger.
    pub(in crate::sqlite) segment_max: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { segment_min: 4 * 1024 * 1024, segment_max: 64 * 1024 * 1024 }
    }
}

/// The number in a segment's name; none for the name of anything else.
pub(super) fn number_of(name: &str) -> Option<u64> {
    name.strip_suffix(SUFFIX)?.parse().ok()
}

/// The name of the segment of this number.
pub(super) fn name_of(number: u64) -> String {
    format!("{number}{SUFFIX}")
}

/// Whether a file is a segment that never became whole.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.ends_with(UNFINISHED)
}

/// What is to be made ready.
pub(super) enum Source {
    /// A segment whose entries are released.
    Reused(Segment),
    /// A new one of this name.
    New(String),
}

/// A segment to be.
pub(super) struct Task {
    pub(super) source: Source,
    pub(super) header: Header,
}

/// What became of it.
pub(super) enum Outcome {
    /// A segment that is empty, and durable as such.
    Ready(Segment),
    /// None.
    Failed {
        fault: JournalFault,
        /// The one that was to be used again.
        reused: Option<Segment>,
    },
}

/// Makes a segment ready.
pub(super) fn prepare(directory: &dyn Directory, task: Task) -> Outcome {
    let Task { source, header } = task;
    match source {
        Source::Reused(mut segment) => match renew(&segment, header) {
            Ok(()) => {
                segment.header = header;
                Outcome::Ready(segment)
            }
            Err(fault) => Outcome::Failed { fault, reused: Some(segment) },
        },
        Source::New(name) => match create(directory, name, header) {
            Ok(segment) => Outcome::Ready(segment),
            Err(fault) => Outcome::Failed { fault, reused: None },
        },
    }
}

/// One copy of the header after the other, so that one of them is whole at any time.
fn renew(segment: &Segment, header: Header) -> Result<(), JournalFault> {
    let block = header.to_block();
    for offset in [BLOCK_OFFSET, 0] {
        segment.file.write_at(&block, offset).map_err(|error| of_write(&error))?;
        segment.file.sync().map_err(|error| of_sync(&error))?;
    }
    Ok(())
}

fn create(
    directory: &dyn Directory,
    name: String,
    header: Header,
) -> Result<Segment, JournalFault> {
    let unfinished = format!("{name}{UNFINISHED}");
    let written = write_zeros(directory, &unfinished, header);
    if !matches!(written, Ok(()) | Err(JournalFault::Fatal(_))) {
        // It takes room that may be needed. Where it can't be removed now, the next opening does.
        let _ = directory.remove(&unfinished);
    }
    written?;
    directory.rename(&unfinished, &name).map_err(|error| of_name(&error))?;
    directory.sync().map_err(|error| of_sync(&error))?;
    let file = directory.open(&name, true).map_err(|error| of_name(&error))?;
    Ok(Segment { name, file, header })
}

fn write_zeros(directory: &dyn Directory, name: &str, header: Header) -> Result<(), JournalFault> {
    let file = directory.create(name).map_err(|error| of_name(&error))?;
    let mut piece = [header.to_block(), header.to_block()].concat();
    let mut written = 0;
    while written < header.size {
        let rest = usize::try_from(header.size - written).unwrap_or(usize::MAX);
        piece.resize(PIECE.min(rest), 0);
        file.write_at(&piece, written).map_err(|error| of_write(&error))?;
        file.sync().map_err(|error| of_sync(&error))?;
        written += layout::offset(piece.len());
        piece.fill(0);
    }
    Ok(())
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

/// What a failed write means: unless there is no room, nobody knows what is on the disk.
pub(super) fn of_write(error: &io::Error) -> JournalFault {
    if is_full(error) { JournalFault::Full } else { JournalFault::Fatal(error.to_string()) }
}

/// What a failed flush means, whatever the error says: the operating system may have dropped what
/// it could not write, and asked again it would say that all is well.
pub(super) fn of_sync(error: &io::Error) -> JournalFault {
    JournalFault::Fatal(error.to_string())
}

/// What it means that a file could not be named, opened or looked for.
pub(super) fn of_name(error: &io::Error) -> JournalFault {
    if is_full(error) { JournalFault::Full } else { JournalFault::Unavailable(error.to_string()) }
}

/// Where segments are made ready, at most one at a time.
pub(super) trait Preparer: Send {
    /// Begins to make a segment ready.
    fn begin(&mut self, task: Task);

    /// What became of the one that is under way, if it is settled already.
    fn settled(&mut self) -> Option<Outcome>;

    /// What becomes of the one that is under way.
    fn wait(&mut self) -> Outcome;

    /// Begins nothing more, and settles what is under way.
    fn stop(&mut self);
}

/// A thread of its own that makes segments ready.
pub(super) struct Worker {
    tasks: Option<Sender<Task>>,
    outcomes: Receiver<Outcome>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread.
    pub(super) fn start(directory: Arc<dyn Directory>) -> io::Result<Self> {
        let (tasks, received) = channel();
        let (settled, outcomes) = channel();
        let thread =
            std::thread::Builder::new().name("lunas-journal".to_owned()).spawn(move || {
                for task in received {
                    if settled.send(prepare(directory.as_ref(), task)).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Self { tasks: Some(tasks), outcomes, thread: Some(thread) })
    }
}

impl Preparer for Worker {
    fn begin(&mut self, task: Task) {
        if let Some(tasks) = &self.tasks {
            // A thread that is gone shows when its outcome is asked for.
            let _ = tasks.send(task);
        }
    }

    fn settled(&mut self) -> Option<Outcome> {
        match self.outcomes.try_recv() {
            Ok(outcome) => Some(outcome),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(gone()),
        }
    }

    fn wait(&mut self) -> Outcome {
        self.outcomes.recv().unwrap_or_else(|_| gone())
    }

    fn stop(&mut self) {
        drop(self.tasks.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked, asking for its outcome tells so.
            let _ = thread.join();
        }
    }
}

/// Whoever opens the journal next must not find this thread still writing.
impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
    }
}

fn gone() -> Outcome {
    let fault = JournalFault::Fatal("the thread that prepares segments is gone".to_owned());
    Outcome::Failed { fault, reused: None }
}
