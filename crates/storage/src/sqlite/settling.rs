//! Stage two: a thread of low priority that moves what the journal holds into the tables.
//!
//! It takes one generation after the other from the overlay, writes it in one commit, lets the
//! journal use its place again, and gives the generation up. Nobody waits for it while it keeps
//! up; the overlay slows the writer where it does not.
//!
//! When the tables cannot be written now, for instance because the disk is full, it tries again for
//! as long as it takes; what was acknowledged is safe in the journal. When what was acknowledged
//! contradicts the tables, or nobody knows what reached the disk, the process ends.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tracing::{error, info, warn};

use super::journal::{Position, Released};
use super::overlay::{Ending, Generation, Overlay, Work};
use crate::pipeline::{Changes, EngineFault, Halt};

/// The least that a thread can ask of a processor.
const LOWEST: i32 = 19;
/// How long the tables are left alone after they could not be written.
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(250);

/// Where the thread settles what it is given: the tables, or something of a test in front of them.
pub(super) trait Destination: Send {
    /// Writes all of these changes, which the journal holds up to `last`, in one durable commit, or
    /// none of them.
    fn save(&mut self, changes: &Changes, last: Position) -> Result<(), EngineFault>;

    /// Housekeeping after a commit; `idle` tells that nothing waits.
    fn maintain(&mut self, idle: bool) -> Result<(), EngineFault>;

    /// Leaves everything tidy at the end. `complete` tells that nothing is left in the journal.
    fn close(&mut self, complete: bool) -> Result<(), EngineFault>;
}

/// The thread, seen from the writer.
pub(super) struct Settling {
    overlay: Arc<Overlay>,
    thread: Option<JoinHandle<Result<(), EngineFault>>>,
}

impl Settling {
    /// Starts the thread. It ends the process by `halt`.
    pub(super) fn start(
        tables: Box<dyn Destination>,
        overlay: Arc<Overlay>,
        released: Arc<Released>,
        idle_after: Duration,
        halt: Halt,
    ) -> std::io::Result<Self> {
        let shared = Arc::clone(&overlay);
        let thread =
            std::thread::Builder::new().name("lunas-tables".to_owned()).spawn(move || {
                if let Err(error) = rustix::process::nice(LOWEST) {
                    warn!(%error, "the tables are written at full priority");
                }
                let mut settler =
                    Settler { tables, overlay: shared, released, halt, failing: false };
                match settler.run(idle_after) {
                    Some(complete) => settler.tables.close(complete),
                    None => Ok(()),
                }
            })?;
        Ok(Self { overlay, thread: Some(thread) })
    }

    /// Settles everything, leaves the tables tidy and waits for that.
    pub(super) fn drain(&mut self) -> Result<(), EngineFault> {
        self.end(Ending::Drained)
    }

    fn end(&mut self, ending: Ending) -> Result<(), EngineFault> {
        self.overlay.end(ending);
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let panicked = || EngineFault::Fatal("the thread of the tables panicked".to_owned());
        thread.join().unwrap_or_else(|_| Err(panicked()))
    }
}

impl Drop for Settling {
    /// What is not settled stays in the journal.
    fn drop(&mut self) {
        if let Err(fault) = self.end(Ending::Abandoned) {
            warn!(%fault, "the tables are left untidy");
        }
    }
}

/// What became of a generation.
enum Settled {
    Yes,
    /// The server ends, and the tables could not be written. The journal keeps it.
    GivenUp,
    /// The process has to end.
    Halted,
}

/// The thread's own.
struct Settler {
    tables: Box<dyn Destination>,
    overlay: Arc<Overlay>,
    released: Arc<Released>,
    halt: Halt,
    /// Whether the latest attempt failed. A full disk is told of once.
    failing: bool,
}

/// Nobody would notice that the thread is gone, and the journal would grow until it is full.
impl Drop for Settler {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.stop("the thread of the tables panicked");
        }
    }
}

impl Settler {
    /// Goes on until it is told to end, and tells whether everything is settled; or until nothing
    /// may be written any more.
    fn run(&mut self, idle_after: Duration) -> Option<bool> {
        let mut rested = false;
        loop {
            let rest_after = (!rested).then_some(idle_after);
            match self.overlay.next(rest_after) {
                Work::Settle(generation) => {
                    rested = false;
                    match self.settle(&generation) {
                        Settled::Yes => self.maintain(false)?,
                        Settled::GivenUp => return Some(false),
                        Settled::Halted => return None,
                    }
                }
                Work::Rest => {
                    rested = true;
                    self.maintain(true)?;
                }
                Work::End => return Some(self.overlay.is_settled()),
            }
        }
    }

    /// Writes a generation, however often it has to be tried.
    fn settle(&mut self, generation: &Generation) -> Settled {
        loop {
            let begun = Instant::now();
            match self.tables.save(generation.changes(), generation.last()) {
                Ok(()) => {
                    if std::mem::take(&mut self.failing) {
                        info!("the tables can be written again");
                    }
                    self.released.up_to(generation.last());
                    self.overlay.retire(begun.elapsed());
                    return Settled::Yes;
                }
                Err(EngineFault::Unavailable(why)) => {
                    if !std::mem::replace(&mut self.failing, true) {
                        error!(%why, "the tables cannot be written; the journal keeps what is new");
                    }
                    if !self.overlay.try_again(why, TRY_AGAIN_AFTER) {
                        return Settled::GivenUp;
                    }
                }
                Err(EngineFault::Damaged(what)) => {
                    self.stop(&format!("the tables contradict what was acknowledged: {what}"));
                    return Settled::Halted;
                }
                Err(EngineFault::Fatal(why)) => {
                    self.stop(&format!("it is not known what reached the tables: {why}"));
                    return Settled::Halted;
                }
            }
        }
    }

    /// Housekeeping that failed may be tried again later, unless a flush failed in it.
    fn maintain(&mut self, idle: bool) -> Option<()> {
        match self.tables.maintain(idle) {
            Ok(()) => {}
            Err(EngineFault::Fatal(why)) => {
                self.stop(&format!("it is not known what reached the tables: {why}"));
                return None;
            }
            Err(fault) => warn!(%fault, "the tables cannot be tidied up for now"),
        }
        Some(())
    }

    fn stop(&self, why: &str) {
        self.overlay.halted(why.to_owned());
        (self.halt)(why);
    }
}

#[cfg(test)]
#[path = "settling_tests.rs"]
mod tests;
