//! The group-commit pipeline: commands in, durable replies out.
//!
//! Callers put commands into a bounded queue. One thread takes whatever waits there as a batch,
//! has the engine load the records that the batch touches, lets [`domain::decide::decide`] decide
//! one command after the other on them, has the engine save everything that changed in one durable
//! commit, and only then answers. Throughput therefore comes from waiting callers sharing a commit,
//! and a hot account is written once per batch. Nobody is waited for; but where fewer are there than
//! lately, others may run first, because those who were answered together come back together.
//!
//! Invariants: no reply leaves before the commit that it rests on is durable; a command is decided
//! on what is stored and on the commands before it in its batch, nothing else; after a failed commit
//! nothing that was in memory is trusted any more; after a failed flush to the disk nothing is done
//! at all, because the operating system may have dropped what it could not write.
//!
//! The pipeline knows no rule of the business and no engine. It does not time commands out once
//! they are decided, and it never repeats a commit.

mod cache;
mod changes;

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use domain::Command;
use domain::command::{Answer, Keys};
use domain::decide::{Decision, decide};
use domain::working_set::{LastNumbers, WorkingSet};
use gateway::ports::StoreFault;
use thiserror::Error;
use tokio::sync::{oneshot, watch};
use tracing::{error, info, warn};

use cache::Cache;
pub use changes::Changes;

/// What an engine has to be able to do. It knows no rule: it finds records and keeps them.
///
/// One thread owns the engine, so nothing here is called twice at once.
pub trait Engine: Send + 'static {
    /// The highest numbers among the stored records.
    fn last_numbers(&mut self) -> Result<LastNumbers, EngineFault>;

    /// Puts every record that is asked for into the working set, or that there is none.
    fn load(&mut self, keys: &Keys, working_set: &mut WorkingSet) -> Result<(), EngineFault>;

    /// Makes all of these changes durable in one commit, or none of them. When this returns
    /// without a fault they survive the loss of power.
    fn save(&mut self, changes: Changes) -> Result<(), EngineFault>;

    /// Housekeeping between batches, after all replies are out. `idle` tells that nothing waits.
    fn maintain(&mut self, idle: bool) -> Result<(), EngineFault> {
        let _ = idle;
        Ok(())
    }

    /// Leaves the data tidy at an orderly end. The engine is dropped after this.
    fn close(&mut self) -> Result<(), EngineFault> {
        Ok(())
    }
}

/// Why an engine did not do its part. In every case nothing was saved that anybody may count on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EngineFault {
    /// Not possible now, for instance because the disk is full. The data is as it was, and later
    /// commits may succeed.
    #[error("{0}")]
    Unavailable(String),
    /// A stored record cannot be what was written, or a changed one does not fit what is stored.
    #[error("{0}")]
    Damaged(String),
    /// Whether what was written is on the disk cannot be known any more. The process must end: the
    /// operating system may have dropped it, and asking again would be told that all is well.
    #[error("{0}")]
    Fatal(String),
}

/// What is called when the process must end. It is told why and is not expected to return; where
/// it does, as in tests, the pipeline stops without answering anybody.
pub type Halt = Arc<dyn Fn(&str) + Send + Sync>;

/// Who counts what the pipeline does. Its methods are called by callers and by the writer between
/// its commits, so an implementation must never wait.
pub trait Observer: Send + Sync {
    /// A command joined those that wait.
    fn queued(&self) {}

    /// So many of those that waited became a batch, or could not join after all.
    fn taken(&self, commands: usize) {
        let _ = commands;
    }

    /// A command was turned away because too many wait.
    fn turned_away(&self) {}

    /// A batch, or a part of one, was made durable so long after it was begun with.
    fn committed(&self, commands: usize, took: Duration) {
        let _ = (commands, took);
    }

    /// The changes of so many commands could not be made durable.
    fn failed(&self, commands: usize) {
        let _ = commands;
    }
}

/// Counts nothing.
struct Nobody;

impl Observer for Nobody {}

/// The limits of a pipeline.
#[derive(Clone)]
pub struct Options {
    /// How many commands may wait, at least one. One more is turned away as busy.
    pub queue: usize,
    /// How many commands share a commit at most.
    pub batch: usize,
    /// About how many records may stay in memory from one batch to the next. Beyond that those are
    /// forgotten that nobody needed for longest. More of them are no faster: what no longer fits into
    /// the processor's caches takes as long to find in memory as it saves.
    pub kept_records: usize,
    /// How long nothing must happen before the engine may tidy up.
    pub idle_after: Duration,
    /// How the process ends after a failed flush, and whenever going on could do harm.
    pub halt: Halt,
    /// Who counts what happens.
    pub observer: Arc<dyn Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            queue: 4096,
            batch: 1024,
            kept_records: 8192,
            idle_after: Duration::from_millis(200),
            halt: Arc::new(abort),
            observer: Arc::new(Nobody),
        }
    }
}

fn abort(why: &str) {
    error!("stopping at once: {why}");
    std::process::abort();
}

/// A command on its way, and where its answer goes.
struct Job {
    /// Boxed, because it is handed on several times, and the queue has room for thousands.
    command: Box<Command>,
    deadline: Option<Instant>,
    reply: oneshot::Sender<Result<Answer, StoreFault>>,
}

impl Job {
    /// Returns the command, to be given up when nobody waits. A caller that has gone away is no reason
    /// to do anything differently.
    fn answer(self, answer: Result<Answer, StoreFault>) -> Box<Command> {
        let _ = self.reply.send(answer);
        self.command
    }
}

/// The callers' end of the pipeline. Once the last one is dropped the writer finishes what is
/// queued and ends.
pub struct Pipeline {
    queue: RwLock<Option<SyncSender<Job>>>,
    observer: Arc<dyn Observer>,
    ended: watch::Receiver<()>,
}

/// A pipeline that accepts nothing more and still finishes what was queued.
#[must_use = "the queue is only finished once this is waited for or dropped"]
pub struct Closing {
    queue: Option<SyncSender<Job>>,
    ended: watch::Receiver<()>,
}

impl Pipeline {
    /// Gives the engine to a thread of its own and begins to accept commands. Fails if the
    /// operating system has no thread to give.
    pub fn start(engine: impl Engine, options: Options) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(options.queue.max(1));
        let (running, ended) = watch::channel(());
        let observer = Arc::clone(&options.observer);
        let writer = Writer {
            engine,
            jobs,
            options,
            crowd: 0,
            cache: None,
            added: 0,
            failing: false,
            untidy: false,
        };
        std::thread::Builder::new().name("lunas-writer".to_owned()).spawn(move || {
            // Dropped last, so that whoever waits for the end finds the engine's locks released.
            let _running = running;
            writer.run();
        })?;
        Ok(Self { queue: RwLock::new(Some(queue)), observer, ended })
    }

    /// Carries out a command; see [`gateway::ports::Store::execute`].
    pub async fn execute(
        &self,
        command: Command,
        deadline: Option<Instant>,
    ) -> Result<Answer, StoreFault> {
        let (reply, answer) = oneshot::channel();
        self.submit(Job { command: Box::new(command), deadline, reply })?;
        answer.await.unwrap_or(Err(StoreFault::Stopped))
    }

    fn submit(&self, job: Job) -> Result<(), StoreFault> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        let queue = queue.as_ref().ok_or(StoreFault::Stopped)?;
        // Told before it is true, because the writer may take the command before this goes on.
        self.observer.queued();
        queue.try_send(job).map_err(|refused| {
            self.observer.taken(1);
            match refused {
                TrySendError::Full(_) => {
                    self.observer.turned_away();
                    StoreFault::Busy
                }
                TrySendError::Disconnected(_) => StoreFault::Stopped,
            }
        })
    }

    /// Accepts nothing more from now on.
    pub fn stop_accepting(&self) -> Closing {
        let queue = self.queue.write().unwrap_or_else(PoisonError::into_inner).take();
        Closing { queue, ended: self.ended.clone() }
    }

    /// Finishes what is queued, closes the engine and waits for that. Later commands find the
    /// pipeline stopped.
    pub async fn shutdown(&self) {
        self.stop_accepting().finished().await;
    }
}

impl Closing {
    /// Waits until everything that was queued is answered and the engine is closed and dropped.
    pub async fn finished(mut self) {
        drop(self.queue.take());
        while self.ended.changed().await.is_ok() {}
    }
}

/// The process must end; nobody is answered any more.
struct Halted;

/// What the writer does next.
enum Next {
    Command(Job),
    Idle,
    End,
}

/// What became of a part of a batch.
enum Attempted {
    Answered,
    /// Some record of it is damaged. Each half is tried by itself, until the command that needs
    /// the damaged record stands alone and the others are done.
    Halved(Vec<Job>, Vec<Job>),
}

/// The thread's end of the pipeline.
struct Writer<E> {
    engine: E,
    jobs: Receiver<Job>,
    options: Options,
    /// How many commands came together lately; it falls by a little with each smaller batch.
    crowd: usize,
    /// Records as they are stored, kept from batch to batch. None after a failed commit.
    cache: Option<Cache>,
    /// How many records came into being since the cache last aged.
    added: usize,
    /// Whether the latest commit failed. A full disk is told of once, not once per batch.
    failing: bool,
    /// Whether the latest housekeeping failed. That, too, is told once.
    untidy: bool,
}

impl<E: Engine> Writer<E> {
    fn run(mut self) {
        let mut rested = true;
        loop {
            let worked = match self.next(rested) {
                Next::Command(first) => {
                    rested = false;
                    let batch = self.batch(first);
                    self.carry_out(batch).and_then(|()| self.maintain(false))
                }
                Next::Idle => {
                    rested = true;
                    self.maintain(true)
                }
                Next::End => break,
            };
            if worked.is_err() {
                return;
            }
        }
        let closed = self.engine.close();
        let _ = self.check_maintenance(closed);
    }

    /// Waits for a command; where there was one since the last rest, only so long.
    fn next(&self, rested: bool) -> Next {
        if rested {
            return self.jobs.recv().map_or(Next::End, Next::Command);
        }
        match self.jobs.recv_timeout(self.options.idle_after) {
            Ok(job) => Next::Command(job),
            Err(RecvTimeoutError::Timeout) => Next::Idle,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        }
    }

    /// Whatever waits, up to the limit.
    fn batch(&mut self, first: Job) -> Vec<Job> {
        let mut batch = vec![first];
        self.take_waiting(&mut batch);
        if batch.len() < self.crowd {
            std::thread::yield_now();
            self.take_waiting(&mut batch);
        }
        self.crowd = self.crowd.saturating_sub(1 + self.crowd / 8).max(batch.len());
        self.options.observer.taken(batch.len());
        batch
    }

    fn take_waiting(&self, batch: &mut Vec<Job>) {
        let room = self.options.batch.saturating_sub(batch.len());
        batch.extend(self.jobs.try_iter().take(room));
    }

    fn maintain(&mut self, idle: bool) -> Result<(), Halted> {
        if let Some(cache) = &mut self.cache {
            cache.age(std::mem::take(&mut self.added));
        }
        let maintained = self.engine.maintain(idle);
        self.check_maintenance(maintained)
    }

    /// Housekeeping that failed may be tried again later, unless a flush failed in it.
    fn check_maintenance(&mut self, result: Result<(), EngineFault>) -> Result<(), Halted> {
        if let Err(EngineFault::Fatal(why)) = &result {
            return Err(self.halt(why));
        }
        let failed_before = std::mem::replace(&mut self.untidy, result.is_err());
        if let Err(fault) = result
            && !failed_before
        {
            warn!(%fault, "storage cannot be tidied up for now");
        }
        Ok(())
    }

    fn halt(&self, why: &str) -> Halted {
        (self.options.halt)(why);
        Halted
    }

    fn carry_out(&mut self, batch: Vec<Job>) -> Result<(), Halted> {
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            match self.attempt(part)? {
                Attempted::Answered => {}
                Attempted::Halved(first, second) => {
                    parts.push(second);
                    parts.push(first);
                }
            }
        }
        Ok(())
    }

    fn attempt(&mut self, batch: Vec<Job>) -> Result<Attempted, Halted> {
        let begun = Instant::now();
        let jobs = drop_expired(batch);
        if jobs.is_empty() {
            return Ok(Attempted::Answered);
        }
        let mut cache = match self.load(&jobs) {
            Ok(cache) => cache,
            Err(fault) => return self.failed(jobs, fault),
        };
        let mut changes = Changes::default();
        let last_callback = cache.working_set().last_numbers().callback;
        let mut answers = Vec::with_capacity(jobs.len());
        for job in &jobs {
            answers.push(decide_one(cache.working_set(), &mut changes, &job.command));
        }
        if !changes.is_empty() {
            let callbacks = cache.working_set().last_numbers().callback - last_callback;
            // An order and its reference each.
            let added = 2 * changes.new_orders.len()
                + usize::try_from(callbacks).unwrap_or(usize::MAX)
                + changes.day_claims.len()
                + changes.payer_references.len();
            if let Err(fault) = self.engine.save(changes) {
                return self.failed(jobs, fault);
            }
            if std::mem::take(&mut self.failing) {
                info!("commits succeed again");
            }
            self.options.observer.committed(jobs.len(), begun.elapsed());
            self.added = self.added.saturating_add(added);
        }
        self.cache = Some(cache);
        // To give up what other threads have allocated takes its time, so all are answered before.
        let answered = jobs.into_iter().zip(answers).map(|(job, answer)| job.answer(answer));
        drop(answered.collect::<Vec<_>>());
        Ok(Attempted::Answered)
    }

    /// The records kept from earlier batches, and those that these commands need besides.
    fn load(&mut self, jobs: &[Job]) -> Result<Cache, EngineFault> {
        let mut cache = match self.cache.take() {
            Some(cache) => cache,
            None => Cache::new(self.engine.last_numbers()?, self.options.kept_records),
        };
        let mut keys = Keys::default();
        for job in jobs {
            job.command.add_keys(&mut keys);
        }
        cache.prepare(&mut keys);
        self.engine.load(&keys, cache.working_set())?;
        Ok(cache)
    }

    /// Nobody is acknowledged, and the next attempt starts from what is stored.
    fn failed(&mut self, mut jobs: Vec<Job>, fault: EngineFault) -> Result<Attempted, Halted> {
        self.cache = None;
        self.added = 0;
        match fault {
            EngineFault::Fatal(why) => return Err(self.halt(&why)),
            EngineFault::Damaged(_) if jobs.len() > 1 => {
                let second = jobs.split_off(jobs.len() / 2);
                return Ok(Attempted::Halved(jobs, second));
            }
            EngineFault::Damaged(what) => {
                error!(%what, "a command met damaged data");
                self.options.observer.failed(jobs.len());
                for job in jobs {
                    job.answer(Err(StoreFault::Corrupt(what.clone())));
                }
            }
            EngineFault::Unavailable(why) => {
                if !std::mem::replace(&mut self.failing, true) {
                    error!(%why, "commits fail and are taken back");
                }
                self.options.observer.failed(jobs.len());
                for job in jobs {
                    job.answer(Err(StoreFault::CommitFailed(why.clone())));
                }
            }
        }
        Ok(Attempted::Answered)
    }
}

/// Turns away the commands whose deadline has passed, before anything is decided on them.
fn drop_expired(batch: Vec<Job>) -> Vec<Job> {
    let now = Instant::now();
    let expired = |job: &Job| job.deadline.is_some_and(|deadline| deadline <= now);
    let (late, jobs): (Vec<_>, _) = batch.into_iter().partition(expired);
    for job in late {
        job.answer(Err(StoreFault::TooLate));
    }
    jobs
}

/// Decides on one command. A fault in it is its own caller's alone, and nothing of it is kept.
fn decide_one(
    working_set: &mut WorkingSet,
    changes: &mut Changes,
    command: &Command,
) -> Result<Answer, StoreFault> {
    match decide(working_set, command) {
        Ok(Decision { answer, changes: decided }) => {
            for change in decided {
                working_set.apply(&change);
                changes.add(change);
            }
            Ok(answer)
        }
        Err(fault) => {
            error!(%fault, "a command could not be decided");
            Err(StoreFault::Corrupt(fault.to_string()))
        }
    }
}

#[cfg(test)]
#[path = "pipeline_tests.rs"]
mod tests;
