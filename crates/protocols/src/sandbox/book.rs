//! The sandbox's own book of what it was asked to buy, apart from the gateway's ledger, so that the
//! two can be compared.
//!
//! It is a file of lines, one JSON object each, that is only ever appended to: a purchase is a
//! line, and a pending purchase that is settled gets a second one. Invariants: nothing is answered
//! before its line is on disk; one order and attempt is bought once; a purchase is settled once;
//! what is asked is answered in the order of arrival, so that *never heard of it* also says that
//! nothing is on its way.
//!
//! One process at a time holds the book, by a lock on the file. Reading it needs no lock.

mod line;
mod writer;

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::fs::{File, OpenOptions};
use std::future::Future;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use domain::{Amount, Doubt, OrderId, ProductId, Refusal, Timestamp};
use thiserror::Error;
use tokio::sync::oneshot;

/// The name of the file in the data directory.
pub const FILE_NAME: &str = "sandbox-book.jsonl";

/// Where a purchase stands in the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its outcome is open, and told in this way.
    Pending(Doubt),
    /// Bought. Final.
    Success,
    /// Not bought. Final.
    Failed(Refusal),
}

/// A purchase as the book has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The order.
    pub order: OrderId,
    /// Which of its attempts.
    pub attempt: u16,
    /// The product.
    pub product: ProductId,
    /// The code under which it was asked for.
    pub code: String,
    /// The customer's number.
    pub destination: String,
    /// What was paid to the biller.
    pub nominal: Amount,
    /// What the sandbox takes for it.
    pub cost: Amount,
    /// Where it stands.
    pub state: State,
    /// The proof of a success: 32 hexadecimal digits in capitals. Empty otherwise.
    pub serial_number: String,
    /// When it got into this state.
    pub at: Timestamp,
}

/// Why a book cannot be opened or read.
#[derive(Debug, Error)]
pub enum BookError {
    /// The operating system says so.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another process holds it.
    #[error("{}: the book is in use by another process", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line is not what this program writes.
    #[error("{}: line {line} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        reason: String,
    },
}

/// Why the book did not answer. What was to be written may be in it, or not.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BookFault {
    /// A line could not be written. It is not in the book.
    #[error("line could not be written: {0}")]
    NotWritten(String),
    /// What the disk holds is not known any more; the book has to be opened anew.
    #[error("state of the book is not known: {0}")]
    Broken(String),
    /// The book has been closed.
    #[error("book is closed")]
    Closed,
}

/// Why a purchase was not settled.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum SettleError {
    /// The book has no such purchase.
    #[error("purchase is not in the book")]
    Unknown,
    /// It is settled, and otherwise.
    #[error("purchase is settled otherwise")]
    Settled,
    /// The book did not answer.
    #[error(transparent)]
    Fault(#[from] BookFault),
}

type Key = (OrderId, u16);

/// What is kept of a purchase in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) nominal: Amount,
    pub(super) cost: Amount,
    pub(super) state: State,
    /// What the proof of a success is made of; zeros otherwise.
    pub(super) serial_number: [u8; 16],
}

/// A book open for writing. Dropping it waits until everything handed over is on disk.
#[derive(Debug)]
pub struct Book {
    /// Taken when the book is dropped, which ends the thread.
    requests: Option<std::sync::mpsc::Sender<writer::Request>>,
    writer: Option<JoinHandle<()>>,
}

impl Book {
    /// Opens the book in this directory, or begins one. A last line that a crash tore is cut off;
    /// nobody was ever answered about it.
    pub fn open(directory: &Path) -> Result<Self, BookError> {
        let path = directory.join(FILE_NAME);
        let unreadable = |source| BookError::Unreadable { path: path.clone(), source };
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(&path).map_err(unreadable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Err(BookError::InUse { path }),
            Err(std::fs::TryLockError::Error(source)) => return Err(unreadable(source)),
        }
        // The name of a new file is as much in need of the disk as its content.
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(unreadable)?;
        let mut index = HashMap::new();
        let length = scan(&path, &file, |entry, _| {
            let key = (entry.order, entry.attempt);
            let held = held(&entry)?;
            match index.entry(key) {
                Slot::Vacant(slot) => drop(slot.insert(held)),
                Slot::Occupied(mut slot) => {
                    may_follow(slot.get().state, held.state)?;
                    slot.insert(held);
                }
            }
            Ok(())
        })?;
        if file.metadata().map_err(unreadable)?.len() > length {
            tracing::warn!(length, "last line of the sandbox's book was torn and is cut off");
            file.set_len(length).and_then(|()| file.sync_all()).map_err(unreadable)?;
        }
        Self::start(writer::Writer::new(file, length, index)).map_err(unreadable)
    }

    fn start<M: writer::Medium + 'static>(writer: writer::Writer<M>) -> io::Result<Self> {
        let (requests, arrivals) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name("sandbox-book".to_owned());
        let writer = thread.spawn(move || writer.run(&arrivals))?;
        Ok(Self { requests: Some(requests), writer: Some(writer) })
    }

    /// Every purchase in this file with its latest state, in the order of arrival. A torn last line
    /// is left out; the file is not changed.
    pub fn read(path: &Path) -> Result<Vec<Entry>, BookError> {
        let unreadable = |source| BookError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let mut entries: Vec<Entry> = Vec::new();
        let mut places = HashMap::new();
        scan(path, &file, |entry, _| {
            match places.entry((entry.order, entry.attempt)) {
                Slot::Vacant(slot) => {
                    slot.insert(entries.len());
                    entries.push(entry);
                }
                Slot::Occupied(slot) => {
                    let before = &mut entries[*slot.get()];
                    may_follow(before.state, entry.state)?;
                    *before = entry;
                }
            }
            Ok(())
        })?;
        Ok(entries)
    }

    /// Copies the lines of those purchases of this file that are wanted, up to the last whole line.
    /// The file may be growing meanwhile and is not changed.
    pub fn copy(
        path: &Path,
        to: &mut dyn Write,
        mut is_wanted: impl FnMut(OrderId, u16) -> Result<bool, String>,
    ) -> Result<(), BookError> {
        let unreadable = |source| BookError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        scan(path, &file, |entry, line| {
            if is_wanted(entry.order, entry.attempt)? {
                let written = to.write_all(line).and_then(|()| to.write_all(b"\n"));
                written.map_err(|error| format!("could not be copied: {error}"))?;
            }
            Ok(())
        })
        .map(drop)
    }

    /// Writes a purchase, unless its order and attempt are in the book already, and tells what the
    /// book has. It is on its way when this returns, also if nobody waits for the future.
    pub(super) fn record(&self, entry: Entry) -> impl Future<Output = Result<Held, BookFault>> {
        let (reply, answer) = oneshot::channel();
        self.hand_over(writer::Request::Record { entry, reply });
        async { answer.await.unwrap_or(Err(BookFault::Closed)) }
    }

    /// Tells what the book has of a purchase.
    pub(super) async fn find(
        &self,
        order: OrderId,
        attempt: u16,
    ) -> Result<Option<Held>, BookFault> {
        let (reply, answer) = oneshot::channel();
        self.hand_over(writer::Request::Find { key: (order, attempt), reply });
        answer.await.unwrap_or(Err(BookFault::Closed))
    }

    /// Settles a pending purchase as `entry` says. Amounts stay as they were recorded. Settling it
    /// the same way again changes nothing.
    pub(super) async fn settle(&self, entry: Entry) -> Result<(), SettleError> {
        let (reply, answer) = oneshot::channel();
        self.hand_over(writer::Request::Settle { entry, reply });
        answer.await.unwrap_or(Err(BookFault::Closed.into()))
    }

    /// A request that the thread cannot take is dropped with its reply, which its sender notices.
    fn hand_over(&self, request: writer::Request) {
        if let Some(requests) = &self.requests {
            let _ = requests.send(request);
        }
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// A settled purchase stays as it is, and a pending one only gets settled.
fn may_follow(before: State, next: State) -> Result<(), String> {
    match (before, next) {
        (State::Pending(_), State::Success | State::Failed(_)) => Ok(()),
        (State::Pending(_), State::Pending(_)) => Err("purchase is recorded twice".to_owned()),
        (State::Success | State::Failed(_), _) => Err("purchase was settled before".to_owned()),
    }
}

fn held(entry: &Entry) -> Result<Held, String> {
    let mut serial_number = [0; 16];
    if entry.state == State::Success {
        hex::decode_to_slice(&entry.serial_number, &mut serial_number)
            .map_err(|_| "serial number has not 32 hexadecimal digits".to_owned())?;
    }
    let Entry { nominal, cost, state, .. } = *entry;
    Ok(Held { nominal, cost, state, serial_number })
}

/// Reads line by line, without the line feeds, and tells the length of all that is whole.
fn scan(
    path: &Path,
    file: &File,
    mut take: impl FnMut(Entry, &[u8]) -> Result<(), String>,
) -> Result<u64, BookError> {
    let mut reader = BufReader::new(file);
    let mut bytes = Vec::new();
    let (mut line, mut length) = (0, 0);
    loop {
        bytes.clear();
        let read = reader
            .read_until(b'\n', &mut bytes)
            .map_err(|source| BookError::Unreadable { path: path.to_owned(), source })?;
        if bytes.pop() != Some(b'\n') {
            return Ok(length);
        }
        line += 1;
        length += u64::try_from(read).unwrap_or(u64::MAX);
        line::read(&bytes)
            .and_then(|entry| take(entry, &bytes))
            .map_err(|reason| BookError::Damaged { path: path.to_owned(), line, reason })?;
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
