//! Whether the store keeps its pace: orders for minutes, with stage two behind.
//!
//! It runs in a process of its own, so that memory and bytes are the store's, and prints a finished
//! table. The backlog is told in time: how long the tables take to have what was acknowledged when
//! they are asked.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use gateway::ports::Reports;
use storage::sqlite::Options;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::bare;
use crate::folders::Folders;
use crate::in_process::{self, Done, Work, rate};
use crate::latencies::Latencies;
use crate::process::{Usage, journalled};
use crate::report::{milliseconds, per_second, ratio};

const CALLERS: usize = 64;
/// How often the pace is looked at.
const LOOKED_EVERY: Duration = Duration::from_secs(1);

/// What was seen on the way.
struct Seen {
    /// Orders begun in each second.
    paces: Vec<u64>,
    backlogs: Latencies,
}

/// What one run of orders came to.
struct Outcome {
    done: Done,
    seen: Seen,
    /// How long the orderly end took, in which the tables get the rest.
    drained: Duration,
    journalled: u64,
    written: u64,
    memory_kibibytes: u64,
}

/// Takes orders for so long, and prints what that comes to beside ceiling and yardstick, which are
/// measured for `duration`.
pub(crate) fn run(duration: Duration, sustained: Duration) -> anyhow::Result<()> {
    let folders = Folders::new()?;
    let naive = orders(duration, in_process::one_by_one(), &folders.another()?)?;
    let outcome = orders(sustained, Options::default(), &folders.another()?)?;
    let commands = outcome.done.latencies.count().max(1);
    let bytes_each = usize::try_from(outcome.journalled / commands)?;
    // The better of two, because a ceiling that others pressed down is none.
    let mut ceiling = 0;
    for _time in 0..2 {
        let (latencies, elapsed) =
            bare::measure(CALLERS, duration, bytes_each, &folders.another()?)?;
        ceiling = ceiling.max(per_second(latencies.count(), elapsed));
    }
    let figure = rate(&outcome.done);
    let slowest = outcome.seen.paces.iter().min().copied().unwrap_or(0);
    let orders = outcome.done.orders.max(1);
    let share = |share| milliseconds(outcome.done.latencies.per_mille(share));
    let backlog = &outcome.seen.backlogs;
    println!(
        "Orders without a pause for {} s, {CALLERS} callers, a fifth of the orders left open:\n\n\
         | what | figure |\n|---|---|",
        sustained.as_secs()
    );
    let rows = [
        ("commands per second", figure.to_string()),
        ("of the bare loop of as many bytes", ratio(figure, ceiling)),
        ("of one commit per command", ratio(figure, rate(&naive.done))),
        ("orders per second", per_second(orders, outcome.done.elapsed).to_string()),
        ("orders in the slowest second", slowest.to_string()),
        ("p50 / p99 / p99.9 ms", format!("{} / {} / {}", share(500), share(990), share(999))),
        ("longest ms", milliseconds(outcome.done.latencies.longest())),
        ("backlog of stage two, median ms", milliseconds(backlog.per_mille(500))),
        ("backlog of stage two, longest ms", milliseconds(backlog.longest())),
        ("orderly end after it, ms", milliseconds(outcome.drained)),
        ("journal bytes per command", (outcome.journalled / commands).to_string()),
        ("disk bytes per order, tables included", (outcome.written / orders).to_string()),
        ("MiB", (outcome.memory_kibibytes / 1024).to_string()),
    ];
    for (what, figure) in rows {
        println!("| {what} | {figure} |");
    }
    Ok(())
}

/// Takes orders into new data.
fn orders(duration: Duration, options: Options, data: &Path) -> anyhow::Result<Outcome> {
    in_process::prepare(data)?;
    in_process::runtime()?.block_on(async {
        let opened = in_process::open_data(data, options)?;
        let (before, journalled_before) = (Usage::own()?, journalled()?);
        let begun = Arc::new(AtomicU64::new(0));
        let ended = CancellationToken::new();
        let looking =
            tokio::spawn(look(Arc::clone(&opened.reports), Arc::clone(&begun), ended.clone()));
        let until = Instant::now() + duration;
        let goes_on = move |_| {
            begun.fetch_add(1, Ordering::Relaxed);
            Instant::now() < until
        };
        let done = in_process::run(&opened.store, CALLERS, Work::Orders, goes_on).await?;
        ended.cancel();
        let seen = looking.await.context("nobody looked")??;
        let journalled = journalled()? - journalled_before;
        let memory_kibibytes = Usage::own()?.memory_kibibytes;
        let ending = Instant::now();
        opened.shutdown.shutdown().await;
        let drained = ending.elapsed();
        let written = Usage::own()?.written - before.written;
        Ok(Outcome { done, seen, drained, journalled, written, memory_kibibytes })
    })
}

async fn look(
    reports: Arc<dyn Reports>,
    begun: Arc<AtomicU64>,
    ended: CancellationToken,
) -> anyhow::Result<Seen> {
    let mut seen = Seen { paces: Vec::new(), backlogs: Latencies::default() };
    let mut ticks = tokio::time::interval(LOOKED_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let (mut before, mut at) = (begun.load(Ordering::Relaxed), Instant::now());
    loop {
        tokio::select! {
            () = ended.cancelled() => return Ok(seen),
            _ = ticks.tick() => {}
        }
        let (count, now) = (begun.load(Ordering::Relaxed), Instant::now());
        seen.paces.push(per_second(count - before, now - at));
        (before, at) = (count, now);
        reports.catalogue().await.context("the tables do not follow")?;
        seen.backlogs.add(now.elapsed());
    }
}
