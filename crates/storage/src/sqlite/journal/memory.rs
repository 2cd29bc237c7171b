//! A file system in memory that can lose power, lie and fail.
//!
//! It keeps apart what the operating system holds and what the disk holds, by sectors, so that a
//! test can build whatever a loss of power may leave: of every sector that was not flushed, the new
//! content, the old one, or nonsense.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::files::{Directory, SegmentFile};
use super::preparing::{Outcome, Preparer, Task, prepare};
use super::{Journal, JournalFault, Options, Position};
use crate::scratch::Counting;

/// What a disk writes whole or not at all, in bytes.
pub(super) const SECTOR: usize = 512;

/// The calls that can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Open,
    Create,
    Write,
    Sync,
    Rename,
    Remove,
    SyncNames,
}

/// Which call fails, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    pub(super) call: Call,
    /// Counted from 1.
    pub(super) nth: usize,
    /// Whether all later ones fail, too.
    pub(super) for_ever: bool,
    pub(super) error: ErrorKind,
}

#[derive(Debug, Clone, Default)]
struct Node {
    /// What the operating system holds.
    cached: Vec<u8>,
    /// What the disk holds.
    durable: Vec<u8>,
    /// The sectors that were written and not flushed.
    dirty: BTreeSet<usize>,
}

/// What a test has to say about a moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Moment {
    /// The last entry that was acknowledged.
    pub(super) acknowledged: u64,
    /// The last entry that is in the tables.
    pub(super) applied: u64,
}

/// All files as they are at a moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Crash {
    pub(super) moment: Moment,
    nodes: Vec<Node>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
}

#[derive(Default)]
struct State {
    now: Crash,
    /// What was there whenever something was to be flushed.
    crashes: Option<Vec<Crash>>,
    /// Whether flushes do nothing.
    lying: bool,
    failure: Option<Failure>,
    calls: usize,
}

/// The file system. Clones are the same one.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<Mutex<State>>);

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers from now on what is there whenever something is to be flushed.
    pub(super) fn record(&self) {
        self.state().crashes = Some(Vec::new());
    }

    /// What has been remembered.
    pub(super) fn recorded(&self) -> Vec<Crash> {
        self.state().crashes.take().unwrap_or_default()
    }

    pub(super) fn set_moment(&self, moment: Moment) {
        self.state().now.moment = moment;
    }

    /// Flushes do nothing from now on.
    pub(super) fn lie(&self) {
        self.state().lying = true;
    }

    /// Calls fail like this from now on.
    pub(super) fn fail(&self, failure: Failure) {
        let mut state = self.state();
        state.failure = Some(failure);
        state.calls = 0;
    }

    /// No call fails any more.
    pub(super) fn heal(&self) {
        self.state().failure = None;
    }

    /// How many calls there were of the kind that failed.
    pub(super) fn calls(&self) -> usize {
        self.state().calls
    }

    /// All files as they are.
    pub(super) fn crash(&self) -> Crash {
        self.state().now.clone()
    }
}

impl State {
    fn call(&mut self, call: Call) -> io::Result<()> {
        let Some(failure) = self.failure else { return Ok(()) };
        if failure.call != call {
            return Ok(());
        }
        self.calls += 1;
        let fails = self.calls == failure.nth || failure.for_ever && self.calls > failure.nth;
        if fails { Err(failure.error.into()) } else { Ok(()) }
    }

    fn remember(&mut self) {
        if let Some(crashes) = &mut self.crashes {
            crashes.push(self.now.clone());
        }
    }
}

fn missing() -> io::Error {
    ErrorKind::NotFound.into()
}

impl Directory for Memory {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.state().now.names.keys().cloned().collect())
    }

    fn open(&self, name: &str, _writing: bool) -> io::Result<Box<dyn SegmentFile>> {
        let mut state = self.state();
        state.call(Call::Open)?;
        let node = *state.now.names.get(name).ok_or_else(missing)?;
        Ok(Box::new(Handle { memory: self.clone(), node }))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        let mut state = self.state();
        state.call(Call::Create)?;
        let node = state.now.nodes.len();
        state.now.nodes.push(Node::default());
        state.now.names.insert(name.to_owned(), node);
        Ok(Box::new(Handle { memory: self.clone(), node }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Rename)?;
        let node = state.now.names.remove(from).ok_or_else(missing)?;
        state.now.names.insert(to.to_owned(), node);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Remove)?;
        state.now.names.remove(name).map(drop).ok_or_else(missing)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        state.remember();
        state.call(Call::SyncNames)?;
        if !state.lying {
            state.now.durable_names = state.now.names.clone();
        }
        Ok(())
    }
}

struct Handle {
    memory: Memory,
    node: usize,
}

impl SegmentFile for Handle {
    fn length(&self) -> io::Result<u64> {
        Ok(super::layout::offset(self.memory.state().now.nodes[self.node].cached.len()))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.memory.state();
        let offset = usize::try_from(offset).expect("small");
        let rest = state.now.nodes[self.node].cached.get(offset..).unwrap_or(&[]);
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        Ok(length)
    }

    /// A write that fails has written the first half of its sectors, or all of them if they are
    /// many.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.memory.state();
        let called = state.call(Call::Write);
        let sectors = bytes.len() / SECTOR;
        let kept = match (&called, sectors > 8) {
            (Ok(()), _) | (Err(_), true) => bytes,
            (Err(_), false) => &bytes[..sectors / 2 * SECTOR],
        };
        let offset = usize::try_from(offset).expect("small");
        let node = &mut state.now.nodes[self.node];
        let end = offset + kept.len();
        node.cached.resize(node.cached.len().max(end), 0);
        node.cached[offset..end].copy_from_slice(kept);
        node.dirty.extend(offset / SECTOR..end.div_ceil(SECTOR));
        called
    }

    /// A flush that fails has dropped what it should have written: the operating system takes it
    /// for written and goes on showing it.
    fn sync(&self) -> io::Result<()> {
        let mut state = self.memory.state();
        state.remember();
        let called = state.call(Call::Sync);
        let lying = state.lying;
        let node = &mut state.now.nodes[self.node];
        if called.is_err() {
            node.dirty.clear();
        } else if !lying {
            node.durable.resize(node.cached.len(), 0);
            for sector in std::mem::take(&mut node.dirty) {
                let place = sector * SECTOR..((sector + 1) * SECTOR).min(node.cached.len());
                node.durable[place.clone()].copy_from_slice(&node.cached[place]);
            }
        }
        called
    }
}

/// What a loss of power makes of a sector that was not flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    New,
    Old,
    Zeros,
    Garbage,
    /// What is given.
    Stale([u8; SECTOR]),
}

/// A file at the moment of a crash.
#[derive(Debug, Clone, Copy)]
pub(super) struct CrashedFile<'a> {
    pub(super) number: usize,
    pub(super) name: &'a str,
    /// What the operating system held.
    pub(super) cached: &'a [u8],
    dirty: &'a BTreeSet<usize>,
}

impl CrashedFile<'_> {
    /// The sectors that were not flushed.
    pub(super) fn dirty(&self) -> impl Iterator<Item = usize> {
        self.dirty.iter().copied()
    }
}

impl Crash {
    /// The files that the operating system knew.
    pub(super) fn files(&self) -> impl Iterator<Item = CrashedFile<'_>> {
        self.names.iter().map(|(name, &number)| {
            let node = &self.nodes[number];
            CrashedFile { number, name, cached: &node.cached, dirty: &node.dirty }
        })
    }

    /// What a loss of power leaves. Each sector that was not flushed fares as `fate` says of the
    /// file's number and the sector; `beyond` names other ones of one file that suffer, too.
    pub(super) fn image(
        &self,
        new_names: bool,
        mut fate: impl FnMut(usize, usize) -> Fate,
        beyond: Option<(usize, usize, Fate)>,
    ) -> Memory {
        let names = if new_names { &self.names } else { &self.durable_names };
        let mut image = Crash { moment: self.moment, ..Self::default() };
        for (name, &number) in names {
            let node = &self.nodes[number];
            let mut bytes = node.durable.clone();
            for &sector in &node.dirty {
                strike(&mut bytes, sector, fate(number, sector), &node.cached);
            }
            if let Some((_, sector, fate)) = beyond.filter(|(file, ..)| *file == number) {
                strike(&mut bytes, sector, fate, &node.cached);
            }
            image.names.insert(name.clone(), image.nodes.len());
            image.nodes.push(Node { cached: bytes.clone(), durable: bytes, ..Node::default() });
        }
        image.durable_names = image.names.clone();
        Memory(Arc::new(Mutex::new(State { now: image, ..State::default() })))
    }

    /// What is there when the process is killed and the operating system goes on.
    pub(super) fn survived_by_system(&self) -> Memory {
        Memory(Arc::new(Mutex::new(State { now: self.clone(), ..State::default() })))
    }

    /// What is there when the power is lost and nothing reached the disk that was not flushed.
    pub(super) fn nothing_more(&self) -> Memory {
        self.image(false, |_, _| Fate::Old, None)
    }
}

fn strike(bytes: &mut Vec<u8>, sector: usize, fate: Fate, cached: &[u8]) {
    let start = sector * SECTOR;
    let end = (start + SECTOR).min(cached.len());
    if fate == Fate::Old || end <= start {
        return;
    }
    bytes.resize(bytes.len().max(end), 0);
    let place = &mut bytes[start..end];
    match fate {
        Fate::Old => {}
        Fate::New => place.copy_from_slice(&cached[start..end]),
        Fate::Zeros => place.fill(0),
        Fate::Garbage => {
            let mut state = u64::try_from(sector).expect("small") | 1;
            for byte in place {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                *byte = state.to_le_bytes()[7];
            }
        }
        Fate::Stale(stale) => place.copy_from_slice(&stale[..place.len()]),
    }
}

/// An opened journal, and what it handed over, by position.
pub(super) type Opened = Result<(Journal, Vec<(u64, Vec<u8>)>), JournalFault>;

/// Opens the journal in it.
pub(super) fn open(memory: &Memory, options: Options, applied: u64) -> Opened {
    let mut replayed = Vec::new();
    let directory = Arc::new(memory.clone());
    let preparer = Box::new(Inline { memory: memory.clone(), outcome: None });
    let applied = Position(applied);
    let replay = |position: Position, payload: &[u8]| {
        replayed.push((position.0, payload.to_vec()));
        Ok(())
    };
    let journal = Journal::open_on(directory, preparer, options, applied, &Counting, replay)?;
    Ok((journal, replayed))
}

/// Makes segments ready on the caller's thread, so that a test can foresee every call.
struct Inline {
    memory: Memory,
    outcome: Option<Outcome>,
}

impl Preparer for Inline {
    fn begin(&mut self, task: Task) {
        self.outcome = Some(prepare(&self.memory, task));
    }

    fn settled(&mut self) -> Option<Outcome> {
        self.outcome.take()
    }

    fn wait(&mut self) -> Outcome {
        self.outcome.take().expect("something is under way")
    }

    fn stop(&mut self) {}
}
