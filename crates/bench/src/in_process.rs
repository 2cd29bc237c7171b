//! The store without HTTP: commands per second by callers in this process.
//!
//! The ceiling appends as many bytes per command and flushes as often, and does nothing else. The
//! yardstick commits every command by itself, as a program without a pipeline would.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use gateway::ports::{Entropy, Store};
use protocols::sandbox::demo;
use storage::sqlite::{Options, open};
use storage::{Opened, pipeline};
use tokio::task::JoinSet;

use crate::folders::Folders;
use crate::latencies::Latencies;
use crate::orders::{self, Course};
use crate::process::{Usage, journalled};
use crate::report::Cell;
use crate::{bare, report};

/// Measurements need keys that are all alike and no secrets.
struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// What each caller does over and over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// Asks what is owed.
    Inquiries,
    /// Takes orders as far as they go.
    Orders,
}

/// What callers did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// Of each command.
    pub(crate) latencies: Latencies,
    /// How many orders the commands were for.
    pub(crate) orders: u64,
    /// How long all of it took.
    pub(crate) elapsed: Duration,
}

/// Opens data for measuring.
pub(crate) fn open_data(data: &Path, options: Options) -> anyhow::Result<Opened> {
    Ok(open(data, options, &NoEntropy)?)
}

/// Stores the demo merchants, and enough money to spend, into new data.
pub(crate) fn prepare(data: &Path) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let opened = open_data(data, Options::default())?;
        for command in demo::commands(orders::NOW).into_iter().chain([orders::fund()?]) {
            opened.store.execute(command, None).await??;
        }
        opened.shutdown.shutdown().await;
        Ok(())
    })
}

/// The options of the yardstick.
pub(crate) fn one_by_one() -> Options {
    let alone = pipeline::Options { batch: 1, ..pipeline::Options::default() };
    Options { pipeline: alone, ..Options::default() }
}

/// The ceiling, the yardstick and the pipeline at one number of callers, each on new data.
pub(crate) fn measure(
    callers: usize,
    duration: Duration,
    folders: &Folders,
) -> anyhow::Result<Vec<Cell>> {
    let cell = |name, options| cell(name, callers, duration, options, &folders.another()?);
    let naive = cell("store, one commit per command", one_by_one())?;
    let shared = cell("store, shared commits", Options::default())?;
    let bytes_each = usize::try_from(shared.journalled_each.unwrap_or(0))?;
    let (latencies, elapsed) = bare::measure(callers, duration, bytes_each, &folders.another()?)?;
    let ceiling = Cell::new("bare loop of as many bytes", callers, elapsed, &latencies);
    Ok(vec![ceiling, naive, shared])
}

fn cell(
    name: &'static str,
    callers: usize,
    duration: Duration,
    options: Options,
    data: &Path,
) -> anyhow::Result<Cell> {
    runtime()?.block_on(async {
        let opened = open_data(data, options)?;
        let (before, journalled_before) = (Usage::own()?, journalled()?);
        let until = Instant::now() + duration;
        let done = run(&opened.store, callers, Work::Inquiries, move |_| Instant::now() < until);
        let done = done.await?;
        let journalled = journalled()? - journalled_before;
        // What is acknowledged counts as written once stage two is done with it.
        opened.shutdown.shutdown().await;
        let written = Usage::own()?.written - before.written;
        let mut cell = Cell::new(name, callers, done.elapsed, &done.latencies);
        cell.written_each = Some(written / done.latencies.count().max(1));
        cell.journalled_each = Some(journalled / done.latencies.count().max(1));
        Ok(cell)
    })
}

/// Lets so many callers work as long as they may; asked before each order with how many there were
/// of this caller's.
pub(crate) async fn run(
    store: &Arc<dyn Store>,
    callers: usize,
    work: Work,
    goes_on: impl Fn(u64) -> bool + Clone + Send + Sync + 'static,
) -> anyhow::Result<Done> {
    let begun = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..callers {
        running.spawn(caller(Arc::clone(store), work, goes_on.clone()));
    }
    let mut done = Done::default();
    while let Some(caller) = running.join_next().await {
        let more = caller.context("a caller broke off")??;
        done.latencies.merge(&more.latencies);
        done.orders += more.orders;
    }
    done.elapsed = begun.elapsed();
    Ok(done)
}

async fn caller(
    store: Arc<dyn Store>,
    work: Work,
    goes_on: impl Fn(u64) -> bool,
) -> anyhow::Result<Done> {
    let mut done = Done::default();
    while goes_on(done.orders) {
        let (course, reference) = Course::next();
        let course = if work == Work::Inquiries { Course::Quoted } else { course };
        let mut begun = Instant::now();
        let latencies = &mut done.latencies;
        let note = || {
            latencies.add(begun.elapsed());
            begun = Instant::now();
        };
        orders::take(store.as_ref(), course, reference, note).await?;
        done.orders += 1;
    }
    Ok(done)
}

/// A runtime of one thread: for callers that do nothing else a second one is no faster.
pub(crate) fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime could not start")
}

/// So many of the commands per second.
pub(crate) fn rate(done: &Done) -> u64 {
    report::per_second(done.latencies.count(), done.elapsed)
}
