//! How rate and memory stand as orders pile up.
//!
//! It runs in a process of its own, so that the memory is the store's, and prints a finished table.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use storage::Opened;
use storage::sqlite::Options;

use crate::folders::Folders;
use crate::in_process::{self, Done, Work, rate};
use crate::latencies::Latencies;
use crate::process::Usage;
use crate::report::{milliseconds, per_second, ratio};

/// Numbers of stored orders at which is measured, up to the largest that is wanted.
const SIZES: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
/// The size to which the rates of larger ones are compared.
const COMPARED: u64 = 100_000;
/// How many callers fill the store, so that its own pace is the limit.
const FILLERS: usize = 1024;
/// How many callers measure.
const CALLERS: usize = 64;
/// How often the rate is measured at each size; the median counts.
const TIMES: usize = 3;

/// Fills new data up to this many orders and prints what is measured on the way.
pub(crate) fn run(duration: Duration, orders_max: u64) -> anyhow::Result<()> {
    let folders = Folders::new()?;
    let data = folders.another()?;
    in_process::prepare(&data)?;
    in_process::runtime()?.block_on(async {
        let opened = in_process::open_data(&data, Options::default())?;
        println!(
            "With orders piling up, a fifth of them open for good; {CALLERS} callers, the median \
             of {TIMES}:\n\n\
             | stored | filled at orders/s | commands/s | of those at {COMPARED} | p99 ms \
             | longest ms | MiB | bytes per order on disk |\n|---|---|---|---|---|---|---|---|"
        );
        let (mut stored, mut compared) = (0, None);
        for size in SIZES.into_iter().filter(|size| *size <= orders_max) {
            eprintln!("filling up to {size} orders");
            let (filled, filled_at) = fill(&opened, size.saturating_sub(stored)).await?;
            stored += filled;
            let on_disk = size_of(&data)? / stored.max(1);
            let runs = measured(&opened, duration).await?;
            stored += runs.iter().map(|run| run.orders).sum::<u64>();
            let [_, median, _] = &runs;
            let figure = rate(median);
            if size == COMPARED {
                compared = Some(figure);
            }
            let of_compared = compared.map_or_else(|| "–".to_owned(), |base| ratio(figure, base));
            // What is noise in one run is not in three.
            let least = |of: fn(&Latencies) -> Duration| {
                let least = runs.iter().map(|run| of(&run.latencies)).min();
                milliseconds(least.unwrap_or_default())
            };
            let p99 = milliseconds(median.latencies.per_mille(990));
            let longest = least(Latencies::longest);
            let memory = Usage::own()?.memory_kibibytes / 1024;
            println!(
                "| {size} | {filled_at} | {figure} | {of_compared} | {p99} | {longest} | {memory} \
                 | {on_disk} |"
            );
        }
        opened.shutdown.shutdown().await;
        Ok(())
    })
}

/// Stores so many more orders, and tells at which rate.
async fn fill(opened: &Opened, orders: u64) -> anyhow::Result<(u64, u64)> {
    let begun = Arc::new(AtomicU64::new(0));
    let goes_on = move |_| begun.fetch_add(1, Ordering::Relaxed) < orders;
    let began = Instant::now();
    let done = in_process::run(&opened.store, FILLERS, Work::Orders, goes_on).await?;
    settle(opened).await?;
    Ok((done.orders, per_second(done.orders, began.elapsed())))
}

/// What callers do, measured as often as it takes, in the order of the rates.
async fn measured(opened: &Opened, duration: Duration) -> anyhow::Result<[Done; TIMES]> {
    let mut runs: [Done; TIMES] = Default::default();
    for run in &mut runs {
        let until = Instant::now() + duration;
        let goes_on = move |_| Instant::now() < until;
        *run = in_process::run(&opened.store, CALLERS, Work::Orders, goes_on).await?;
        settle(opened).await?;
    }
    runs.sort_by_key(rate);
    Ok(runs)
}

/// Waits until the tables have everything, so that each measurement begins alike.
async fn settle(opened: &Opened) -> anyhow::Result<()> {
    opened.reports.catalogue().await.map(drop).context("the tables do not follow")
}

/// How many bytes a folder takes on the disk.
fn size_of(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).context("the data is gone")? {
        let entry = entry.context("the data is gone")?;
        let metadata = entry.metadata().context("the data is gone")?;
        bytes += if metadata.is_dir() { size_of(&entry.path())? } else { metadata.len() };
    }
    Ok(bytes)
}
