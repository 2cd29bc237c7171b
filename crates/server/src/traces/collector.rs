//! The way to the OTLP collector: a bounded queue and a thread that posts what is in it.
//!
//! Nobody ever waits for the collector. What does not fit into the queue, and what the collector does
//! not take at once, is dropped and counted; the log says when it begins and when it is over. No
//! encryption is spoken, so the collector belongs on this machine or behind a tunnel.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::message::{Finished, body};

/// How many spans may wait.
const WAITING_MAX: usize = 4096;
/// How many spans are sent together at most.
const BATCH_MAX: usize = 512;
/// How long the first of a batch waits for others.
const BATCH_WITHIN: Duration = Duration::from_secs(2);
/// How long the collector may take for one batch.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long a stop waits for the last spans.
const FINISH_WITHIN: Duration = Duration::from_secs(2);

/// What is put into the queue.
enum Item {
    Span(Finished),
    /// Everything before has to be sent now, and then this is told.
    Finish(SyncSender<()>),
}

#[derive(Default)]
struct Figures {
    sent: AtomicU64,
    dropped: AtomicU64,
}

/// A collector that takes our spans.
pub(crate) struct Collector {
    queue: SyncSender<Item>,
    figures: Arc<Figures>,
}

impl Collector {
    /// A collector at this address, to which the path of traces is added already. `instance` tells
    /// this run of the program from others. Fails if the system gives no thread.
    pub(crate) fn at(address: String, instance: String) -> std::io::Result<Self> {
        let (queue, items) = mpsc::sync_channel(WAITING_MAX);
        let figures = Arc::<Figures>::default();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(ANSWER_WITHIN))
            .build()
            .into();
        let post = Post { agent, address, instance, figures: Arc::clone(&figures), is_taken: true };
        thread::Builder::new().name("traces".to_owned()).spawn(move || run(&items, post))?;
        Ok(Self { queue, figures })
    }

    /// Takes a span along, or drops it where too many wait.
    pub(super) fn take(&self, span: Finished) {
        if self.queue.try_send(Item::Span(span)).is_err() {
            self.figures.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many spans were sent and how many were dropped.
    pub(super) fn figures(&self) -> (u64, u64) {
        let Figures { sent, dropped } = &*self.figures;
        (sent.load(Ordering::Relaxed), dropped.load(Ordering::Relaxed))
    }

    /// Sends what waits, unless that takes too long.
    pub(super) fn finish(&self) {
        let (done, is_done) = mpsc::sync_channel(1);
        // A queue that is full belongs to a collector that is away.
        if self.queue.try_send(Item::Finish(done)).is_ok() {
            let _ = is_done.recv_timeout(FINISH_WITHIN);
        }
    }
}

/// Collects batches and sends them until the queue is given up.
fn run(items: &Receiver<Item>, mut post: Post) {
    while let Ok(first) = items.recv() {
        let until = Instant::now() + BATCH_WITHIN;
        let mut batch = Vec::new();
        let mut next = Ok(first);
        let finished = loop {
            match next {
                Ok(Item::Span(span)) => batch.push(span),
                Ok(Item::Finish(done)) => break Some(done),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break None,
            }
            if batch.len() >= BATCH_MAX {
                break None;
            }
            next = items.recv_timeout(until.saturating_duration_since(Instant::now()));
        };
        if !batch.is_empty() {
            post.send(&batch);
        }
        if let Some(done) = finished {
            // Whoever asked may have given up.
            let _ = done.try_send(());
        }
    }
}

/// Posts batches and remembers whether the last one was taken.
struct Post {
    agent: ureq::Agent,
    address: String,
    instance: String,
    figures: Arc<Figures>,
    is_taken: bool,
}

impl Post {
    fn send(&mut self, batch: &[Finished]) {
        let request = self.agent.post(&self.address).content_type("application/json");
        let problem = match request.send(body(batch, &self.instance)) {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answers {}", answer.status())),
            Err(error) => Some(error.to_string()),
        };
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let figure = if problem.is_none() { &self.figures.sent } else { &self.figures.dropped };
        figure.fetch_add(count, Ordering::Relaxed);
        match (self.is_taken, &problem) {
            (true, Some(problem)) => {
                warn!(problem, "the collector takes no traces; they are dropped")
            }
            (false, None) => info!("the collector takes traces again"),
            _ => {}
        }
        self.is_taken = problem.is_none();
    }
}
