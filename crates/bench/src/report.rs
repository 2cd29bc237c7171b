//! The table: every cell with its ratio to the ceiling of the same run.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use crate::latencies::Latencies;

/// What was measured of one thing at one number of callers.
#[derive(Debug)]
pub(crate) struct Cell {
    name: &'static str,
    callers: usize,
    per_second: u64,
    latencies: [Duration; 3],
    /// Processor time of the server as a percentage of one core.
    processor: Option<u64>,
    memory_mebibytes: Option<u64>,
}

impl Cell {
    /// Sums up a cell.
    pub(crate) fn new(
        name: &'static str,
        callers: usize,
        elapsed: Duration,
        mut latencies: Latencies,
        processor: Option<Duration>,
        memory_mebibytes: Option<u64>,
    ) -> Self {
        let milliseconds = whole(elapsed.as_millis()).max(1);
        Self {
            name,
            callers,
            per_second: whole(latencies.count()) * 1000 / milliseconds,
            latencies: [500, 990, 999].map(|share| latencies.per_mille(share)),
            processor: processor.map(|time| whole(time.as_millis()) * 100 / milliseconds),
            memory_mebibytes,
        }
    }
}

fn whole(number: impl TryInto<u64>) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}

/// All cells of a run.
pub(crate) struct Report {
    duration: Duration,
    /// Each row with the row that its ratio refers to.
    rows: Vec<(Cell, u64)>,
}

impl Report {
    /// An empty table of cells that are each measured for so long.
    pub(crate) const fn new(duration: Duration) -> Self {
        Self { duration, rows: Vec::new() }
    }

    /// Adds cells whose ratios refer to the first of them.
    pub(crate) fn add(&mut self, cells: &[Cell]) {
        let ceiling = cells.first().map_or(1, |cell| cell.per_second.max(1));
        self.rows.extend(cells.iter().map(|cell| (cell.copy(), ceiling)));
    }

    /// Writes the table to `target/bench.md`.
    pub(crate) fn write(&self) -> anyhow::Result<()> {
        let folder = std::env::var("CARGO_TARGET_DIR")
            .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../target").to_owned());
        let path = Path::new(&folder).join("bench.md");
        std::fs::write(&path, self.to_string())
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

impl Cell {
    fn copy(&self) -> Self {
        Self { latencies: self.latencies, ..*self }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "Each cell measured for {} s; load generator, server and disk share the machine.\n\
             The ratio refers to the first row of its group: the bare HTTP ceiling, or one commit\n\
             per command.\n",
            self.duration.as_secs()
        )?;
        writeln!(
            formatter,
            "| what | callers | per second | ratio | p50 ms | p99 ms | p99.9 ms | CPU % | MiB |"
        )?;
        writeln!(formatter, "|---|---|---|---|---|---|---|---|---|")?;
        for (cell, ceiling) in &self.rows {
            let ratio = cell.per_second * 100 / ceiling;
            let [p50, p99, p999] = cell.latencies.map(milliseconds);
            writeln!(
                formatter,
                "| {} | {} | {} | {}.{:02} | {p50} | {p99} | {p999} | {} | {} |",
                cell.name,
                cell.callers,
                cell.per_second,
                ratio / 100,
                ratio % 100,
                optional(cell.processor),
                optional(cell.memory_mebibytes),
            )?;
        }
        Ok(())
    }
}

fn milliseconds(latency: Duration) -> String {
    let micros = latency.as_micros();
    format!("{}.{:02}", micros / 1000, micros % 1000 / 10)
}

fn optional(figure: Option<u64>) -> String {
    figure.map_or_else(|| "–".to_owned(), |figure| figure.to_string())
}
