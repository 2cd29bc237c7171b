//! The thread that masks and writes.
//!
//! It waits for a first exchange, collects what comes in the moment after it, and writes all of that
//! in one commit. A read is answered at once, after what came before it was written. Whatever goes
//! wrong costs exchanges and nothing else.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use gateway::exchanges::Exchange;
use tracing::warn;

use super::room::Room;
use super::table::Table;
use super::{Counters, Options, Read, Task, oldest_kept, weight};

/// How long a batch is collected.
const COLLECTED_FOR: Duration = Duration::from_millis(200);
/// How many exchanges a batch may have.
const BATCH_MAX: usize = 256;
/// How often the old ones are taken away.
const TIDIED_EVERY: Duration = Duration::from_secs(60);
/// How often a log that cannot be written says so.
const WARNED_EVERY: Duration = Duration::from_secs(60);

/// What ended a batch.
enum End {
    /// It is full, or its time is over.
    Full,
    /// Somebody wants to read.
    Read(Read),
    /// Nobody records any more.
    Closed,
}

/// Owns the file.
pub(super) struct Writer {
    pub(super) table: Table,
    pub(super) options: Options,
    pub(super) counters: Arc<Counters>,
    /// Where the bodies of a batch were counted.
    pub(super) room: Arc<Room>,
}

impl Writer {
    /// Works until nobody records any more and all of it is written.
    pub(super) fn run(mut self, tasks: &Receiver<Task>) {
        (self.options.give_way)();
        let mut tidied: Option<Instant> = None;
        let mut warned: Option<Instant> = None;
        let is_due = |last: Option<Instant>, every| last.is_none_or(|it| it.elapsed() >= every);
        loop {
            let (batch, end) = collect(tasks);
            let mut result = self.write(&batch);
            self.room.give_back(batch.iter().map(weight).sum());
            drop(batch);
            if result.is_ok() && is_due(tidied, TIDIED_EVERY) {
                let oldest = oldest_kept(self.options.clock.now(), self.options.keep_days);
                result = self.table.forget_before(oldest);
                tidied = Some(Instant::now());
            }
            let result = result.and_then(|()| self.table.make_room());
            if let Err(fault) = result
                && is_due(warned, WARNED_EVERY)
            {
                warn!(%fault, "the exchange log could not be written; orders go on without it");
                warned = Some(Instant::now());
            }
            match end {
                End::Full => {}
                End::Read(read) => read(&self.table),
                End::Closed => return,
            }
        }
    }

    /// Writes a batch and what was missed until now, or counts the batch as missed too.
    fn write(&mut self, batch: &[Exchange]) -> rusqlite::Result<()> {
        let missed = self.counters.unwritten.swap(0, Ordering::Relaxed);
        if batch.is_empty() && missed == 0 {
            return Ok(());
        }
        let exchanges = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let written = self.table.write(batch, self.options.clock.now(), missed);
        if written.is_ok() {
            self.counters.recorded.fetch_add(exchanges, Ordering::Relaxed);
        } else {
            self.counters.miss(exchanges);
            self.counters.unwritten.fetch_add(missed, Ordering::Relaxed);
        }
        written
    }
}

/// Waits for a batch.
fn collect(tasks: &Receiver<Task>) -> (Vec<Exchange>, End) {
    let mut batch = Vec::new();
    match tasks.recv() {
        Ok(Task::Record(exchange)) => batch.push(*exchange),
        Ok(Task::Read(read)) => return (batch, End::Read(read)),
        Err(_) => return (batch, End::Closed),
    }
    let until = Instant::now() + COLLECTED_FOR;
    while batch.len() < BATCH_MAX {
        match tasks.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Task::Record(exchange)) => batch.push(*exchange),
            Ok(Task::Read(read)) => return (batch, End::Read(read)),
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => return (batch, End::Closed),
        }
    }
    (batch, End::Full)
}
