//! The one thread that writes the book.
//!
//! It takes whatever waits, writes all new lines at once, makes them durable with one call, and
//! only then answers everybody. In a crowd it gathers a moment before. When a write fails, for instance because the disk is full, what got
//! into the file is cut off again and the book stays usable. When that or making it durable fails,
//! nobody knows any more what the disk holds; the book then refuses everything until it is opened
//! anew, which reads the truth from the disk.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc::Receiver;
use std::thread::sleep;
use std::time::Duration;

use tokio::sync::oneshot;

use super::{BookFault, Entry, Held, Key, SettleError, held, line, may_follow};

/// How many requests are carried out together at most.
const TOGETHER: usize = 1024;
/// How long others are waited for where the requests before came together. The book often lies on
/// the same disk as the gateway's own, and a flush for every few would take that from it.
const GATHERED_FOR: Duration = Duration::from_millis(1);

/// Something that the thread is asked to do.
#[derive(Debug)]
pub(super) enum Request {
    /// Write a purchase, unless it is in the book.
    Record { entry: Entry, reply: oneshot::Sender<Result<Held, BookFault>> },
    /// Tell what the book has.
    Find { key: Key, reply: oneshot::Sender<Result<Option<Held>, BookFault>> },
    /// Settle a pending purchase.
    Settle { entry: Entry, reply: oneshot::Sender<Result<(), SettleError>> },
}

/// An answer that waits for the disk.
enum Answer {
    Recorded(oneshot::Sender<Result<Held, BookFault>>, Result<Held, BookFault>),
    Found(oneshot::Sender<Result<Option<Held>, BookFault>>, Option<Held>),
    Settled(oneshot::Sender<Result<(), SettleError>>, Result<(), SettleError>),
}

impl Answer {
    /// Sends it. Who asked may have gone, which is no reason to stop.
    fn send(self, written: &Result<(), BookFault>) {
        let fault = written.clone().err();
        match self {
            Self::Recorded(reply, held) => drop(reply.send(fault.map_or(held, Err))),
            Self::Found(reply, held) => drop(reply.send(fault.map_or(Ok(held), Err))),
            Self::Settled(reply, settled) => {
                drop(reply.send(fault.map_or(settled, |fault| Err(fault.into()))));
            }
        }
    }
}

/// The file, as the writer needs it.
pub(super) trait Medium: Send {
    /// Appends all of these bytes; after an error any part of them may be in the file.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was appended durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to this length, durably.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Medium for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)?;
        self.sync_all()
    }
}

/// The state of the thread.
pub(super) struct Writer<M> {
    medium: M,
    /// How much of the file is whole and durable.
    length: u64,
    index: HashMap<Key, Held>,
    /// Why the book cannot be trusted any more.
    broken: Option<BookFault>,
}

/// What one group of requests changes, before it is written.
#[derive(Default)]
struct Group {
    lines: Vec<u8>,
    changes: HashMap<Key, Held>,
    answers: Vec<Answer>,
}

impl<M: Medium> Writer<M> {
    pub(super) const fn new(medium: M, length: u64, index: HashMap<Key, Held>) -> Self {
        Self { medium, length, index, broken: None }
    }

    /// Serves until nobody can ask any more.
    pub(super) fn run(mut self, arrivals: &Receiver<Request>) {
        let mut together = 1;
        while let Ok(first) = arrivals.recv() {
            if together > 1 {
                sleep(GATHERED_FOR);
            }
            let mut group = Group::default();
            let waiting = std::iter::once(first).chain(arrivals.try_iter()).take(TOGETHER);
            for request in waiting {
                let answer = self.prepare(request, &mut group);
                group.answers.push(answer);
            }
            together = group.answers.len();
            let written = self.commit(&group);
            if let Err(fault) = &written {
                tracing::error!(%fault, "sandbox's book failed");
            } else {
                self.index.extend(group.changes);
            }
            for answer in group.answers {
                answer.send(&written);
            }
        }
    }

    fn known(&self, key: Key, group: &Group) -> Option<Held> {
        group.changes.get(&key).or_else(|| self.index.get(&key)).copied()
    }

    fn prepare(&self, request: Request, group: &mut Group) -> Answer {
        match request {
            Request::Record { entry, reply } => {
                let key = (entry.order, entry.attempt);
                let held = match self.known(key, group) {
                    Some(held) => Ok(held),
                    None => add(&entry, group),
                };
                Answer::Recorded(reply, held)
            }
            Request::Find { key, reply } => Answer::Found(reply, self.known(key, group)),
            Request::Settle { entry, reply } => {
                let before = self.known((entry.order, entry.attempt), group);
                Answer::Settled(reply, settle(before, entry, group))
            }
        }
    }

    fn commit(&mut self, group: &Group) -> Result<(), BookFault> {
        if let Some(fault) = &self.broken {
            return Err(fault.clone());
        }
        if group.lines.is_empty() {
            return Ok(());
        }
        let broken = |error: io::Error| BookFault::Broken(error.to_string());
        let written = match self.medium.append(&group.lines) {
            Ok(()) => self.medium.sync().map_err(broken),
            Err(error) => match self.medium.cut(self.length) {
                Ok(()) => return Err(BookFault::NotWritten(error.to_string())),
                Err(error) => Err(broken(error)),
            },
        };
        match &written {
            Ok(()) => self.length += u64::try_from(group.lines.len()).unwrap_or(u64::MAX),
            Err(fault) => self.broken = Some(fault.clone()),
        }
        written
    }
}

fn add(entry: &Entry, group: &mut Group) -> Result<Held, BookFault> {
    let held = held(entry).map_err(BookFault::NotWritten)?;
    line::write(entry, &mut group.lines)
        .map_err(|error| BookFault::NotWritten(error.to_string()))?;
    group.changes.insert((entry.order, entry.attempt), held);
    Ok(held)
}

fn settle(before: Option<Held>, mut entry: Entry, group: &mut Group) -> Result<(), SettleError> {
    let before = before.ok_or(SettleError::Unknown)?;
    let agrees = matches!(
        (before.state, entry.state),
        (super::State::Success, super::State::Success)
            | (super::State::Failed(_), super::State::Failed(_))
    );
    if agrees {
        return Ok(());
    }
    may_follow(before.state, entry.state).map_err(|_| SettleError::Settled)?;
    entry.nominal = before.nominal;
    entry.cost = before.cost;
    add(&entry, group)?;
    Ok(())
}
