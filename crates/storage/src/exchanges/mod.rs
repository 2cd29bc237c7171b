//! The exchange log as an SQLite file of its own, `exchanges.db`, beside the books.
//!
//! Whoever records hands an exchange to a bounded queue and goes on; one thread of low priority
//! masks what it takes from there and writes it in batches that are not flushed. So a crash may lose
//! the last moments, a burst may leave exchanges out, and a damaged file turns the log off, but none
//! of that is ever felt by an order. The file is bounded by age and by size. Nothing in it is part
//! of what `verify` proves or a backup holds: the file may be deleted while no server runs.
//!
//! Invariants: nothing unmasked is written, references included, which are found by a keyed digest;
//! reads see every exchange that was taken in before.

mod rate;
mod room;
mod table;
mod writer;

#[cfg(test)]
mod exchanges_tests;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use domain::Timestamp;
use gateway::exchanges::{Counts, Exchange, ExchangeLog, Found, Subject};
use gateway::ports::{Clock, StoreFault};
use rusqlite::Connection;
use thiserror::Error;
use tokio::sync::oneshot;
use tracing::error;

use rate::Rate;
use room::Room;
use table::{DATABASE_FILE, Table};
use writer::Writer;

/// How many exchanges and reads may wait for the thread. One more is left out or turned away.
const WAITING_MAX: usize = 1024;
/// How many bytes their bodies may have together.
const WAITING_BYTES_MAX: usize = 8 << 20;
const MILLISECONDS_PER_DAY: i64 = 86_400_000;

/// What is set by the operator, and what the program lends.
#[derive(Clone)]
pub struct Options {
    /// How many exchanges are kept of one second.
    pub per_second: u32,
    /// For how many days an exchange is kept.
    pub keep_days: u32,
    /// How large the file may become, in bytes. A log beside it takes a few MiB more.
    pub size_max: u64,
    /// Tells how old an exchange is.
    pub clock: Arc<dyn Clock>,
    /// Called on the writing thread before anything else, to let every other thread go first.
    pub give_way: fn(),
}

/// Why the log was not opened.
#[derive(Debug, Error)]
pub enum OpenFault {
    /// The file cannot be used. It may be deleted.
    #[error("{DATABASE_FILE} cannot be used: {0}")]
    Unusable(#[from] rusqlite::Error),
    /// The thread was not started.
    #[error("the thread of the exchange log was not started: {0}")]
    NoThread(#[from] std::io::Error),
}

/// What is counted, by whoever records and by the thread.
#[derive(Debug, Default)]
struct Counters {
    recorded: AtomicU64,
    missed: AtomicU64,
    /// Those missed of which the file does not know yet.
    unwritten: AtomicU64,
}

impl Counters {
    fn miss(&self, exchanges: u64) {
        self.missed.fetch_add(exchanges, Ordering::Relaxed);
        self.unwritten.fetch_add(exchanges, Ordering::Relaxed);
    }
}

type Read = Box<dyn FnOnce(&Table) + Send>;

/// What the thread is given to do.
enum Task {
    Record(Box<Exchange>),
    Read(Read),
}

/// The log.
struct Log {
    room: Arc<Room>,
    /// None once the log was closed.
    queue: Mutex<Option<SyncSender<Task>>>,
    /// Ready when the thread has ended.
    ended: tokio::sync::Mutex<Option<oneshot::Receiver<()>>>,
    rate: Rate,
    begun: Instant,
    counters: Arc<Counters>,
}

/// Opens the log in this data directory, and makes its file if there is none. `key` keeps references
/// from being guessed by whoever holds the file alone; another key finds nothing of before.
///
/// The directory must be owned by this process.
pub fn open(
    directory: &Path,
    options: Options,
    key: [u8; 32],
) -> Result<Arc<dyn ExchangeLog>, OpenFault> {
    let (queue, tasks) = sync_channel(WAITING_MAX);
    let (running, ended) = oneshot::channel();
    let counters = Arc::<Counters>::default();
    let table = Table::open(&directory.join(DATABASE_FILE), key, options.size_max)?;
    let room = Arc::new(Room::new(WAITING_BYTES_MAX));
    let log = Log {
        room: Arc::clone(&room),
        queue: Mutex::new(Some(queue)),
        ended: tokio::sync::Mutex::new(Some(ended)),
        rate: Rate::new(options.per_second),
        begun: Instant::now(),
        counters: Arc::clone(&counters),
    };
    let writer = Writer { table, options, counters, room };
    std::thread::Builder::new().name("lunas-exchanges".to_owned()).spawn(move || {
        // Dropped last, so that the file is closed when the end is noticed.
        let _running = running;
        writer.run(&tasks);
    })?;
    Ok(Arc::new(log))
}

impl Log {
    fn submit(&self, task: Task) -> Result<(), StoreFault> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queue.as_ref().ok_or(StoreFault::Stopped)?;
        queue.try_send(task).map_err(|refused| match refused {
            TrySendError::Full(_) => StoreFault::Busy,
            TrySendError::Disconnected(_) => StoreFault::Stopped,
        })
    }
}

#[async_trait]
impl ExchangeLog for Log {
    fn is_on(&self) -> bool {
        true
    }

    fn admits(&self) -> bool {
        let admitted = self.rate.admits(self.begun.elapsed().as_secs());
        if !admitted {
            self.counters.miss(1);
        }
        admitted
    }

    fn record(&self, exchange: Exchange) {
        let bytes = weight(&exchange);
        if !self.room.take(bytes) {
            self.counters.miss(1);
        } else if self.submit(Task::Record(Box::new(exchange))).is_err() {
            self.room.give_back(bytes);
            self.counters.miss(1);
        }
    }

    async fn about(&self, subject: Subject) -> Result<Found, StoreFault> {
        let (reply, found) = oneshot::channel();
        self.submit(Task::Read(Box::new(move |table| {
            // A caller that has gone away does not want to know.
            let _ = reply.send(table.about(&subject));
        })))?;
        let found = found.await.map_err(|_| StoreFault::Stopped)?;
        found.map_err(|fault| {
            error!(%fault, "the exchange log could not be read");
            StoreFault::Corrupt(fault.to_string())
        })
    }

    fn counts(&self) -> Counts {
        Counts {
            recorded: self.counters.recorded.load(Ordering::Relaxed),
            missed: self.counters.missed.load(Ordering::Relaxed),
        }
    }

    async fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ended) = self.ended.lock().await.take() {
            // The thread says nothing; it drops its end.
            let _ = ended.await;
        }
    }
}

/// How much memory an exchange holds on to, in bytes, as far as callers have a say in it.
fn weight(exchange: &Exchange) -> usize {
    exchange.request.len().saturating_add(exchange.answer.len())
}

/// The instant before which nothing is kept.
fn oldest_kept(now: Timestamp, keep_days: u32) -> Timestamp {
    let kept = i64::from(keep_days).saturating_mul(MILLISECONDS_PER_DAY);
    Timestamp::from_milliseconds(now.milliseconds().saturating_sub(kept))
}

/// Opens a connection that writes, and reads nothing that is mapped into memory.
fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.execute_batch(table::PRAGMAS)?;
    Ok(connection)
}
