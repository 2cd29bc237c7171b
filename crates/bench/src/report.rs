//! The tables: every figure beside what it is to be compared with in the same run.

use std::fmt::{self, Write as _};
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
    latencies: [Duration; 4],
    /// Processor time of the server as a percentage of one core.
    pub(crate) processor: Option<u64>,
    /// Resident memory of the server.
    pub(crate) memory_mebibytes: Option<u64>,
    /// Bytes that were written into files for each answer.
    pub(crate) written_each: Option<u64>,
    /// Bytes that were appended to the journal for each answer.
    pub(crate) journalled_each: Option<u64>,
}

impl Cell {
    /// Sums up a cell.
    pub(crate) fn new(
        name: &'static str,
        callers: usize,
        elapsed: Duration,
        latencies: &Latencies,
    ) -> Self {
        let [p50, p99, p999] = [500, 990, 999].map(|share| latencies.per_mille(share));
        Self {
            name,
            callers,
            per_second: per_second(latencies.count(), elapsed),
            latencies: [p50, p99, p999, latencies.longest()],
            processor: None,
            memory_mebibytes: None,
            written_each: None,
            journalled_each: None,
        }
    }

    /// The same with the processor time that the server took for it.
    pub(crate) fn with_processor(mut self, time: Duration, elapsed: Duration) -> Self {
        self.processor = Some(whole(time.as_millis()) * 100 / whole(elapsed.as_millis()).max(1));
        self
    }
}

fn whole(number: impl TryInto<u64>) -> u64 {
    number.try_into().unwrap_or(u64::MAX)
}

/// How many of them there were in each second.
pub(crate) fn per_second(count: u64, elapsed: Duration) -> u64 {
    count.saturating_mul(1000) / whole(elapsed.as_millis()).max(1)
}

/// A ratio with two decimals.
pub(crate) fn ratio(part: u64, of: u64) -> String {
    let hundredths = part * 100 / of.max(1);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Milliseconds with two decimals.
pub(crate) fn milliseconds(latency: Duration) -> String {
    let micros = latency.as_micros();
    format!("{}.{:02}", micros / 1000, micros % 1000 / 10)
}

/// All tables of a run.
pub(crate) struct Report {
    text: String,
    table_is_open: bool,
}

impl Report {
    /// An empty report on cells that are each measured for so long.
    pub(crate) fn new(duration: Duration) -> Self {
        let text = format!(
            "Each cell measured for {} s; load generator, server and disk share the machine.\n\
             *Ceiling*: the first row of each group, which is the bare HTTP stack, or a loop that\n\
             appends as many bytes and flushes as often. *Yardstick*: one commit per command.\n\
             *Bytes*: what was written into files for each answer, and into the journal alone.\n",
            duration.as_secs()
        );
        Self { text, table_is_open: false }
    }

    /// Adds cells: the ceiling first, and the yardstick if there is one at this place.
    pub(crate) fn add(&mut self, cells: &[Cell], yardstick: Option<usize>) {
        if !std::mem::replace(&mut self.table_is_open, true) {
            self.line(
                "\n| what | callers | per second | of ceiling | of yardstick | p50 ms | p99 ms \
                 | p99.9 ms | longest ms | CPU % | MiB | bytes | journal |\n\
                 |---|---|---|---|---|---|---|---|---|---|---|---|---|",
            );
        }
        let rate = |place: usize| cells.get(place).map_or(1, |cell| cell.per_second);
        for cell in cells {
            let of_yardstick = yardstick.map(|place| ratio(cell.per_second, rate(place)));
            let [p50, p99, p999, longest] = cell.latencies.map(milliseconds);
            let figures = [
                cell.name.to_owned(),
                cell.callers.to_string(),
                cell.per_second.to_string(),
                ratio(cell.per_second, rate(0)),
                of_yardstick.unwrap_or_else(nothing),
                p50,
                p99,
                p999,
                longest,
                optional(cell.processor),
                optional(cell.memory_mebibytes),
                optional(cell.written_each),
                optional(cell.journalled_each),
            ];
            self.line(&format!("| {} |", figures.join(" | ")));
        }
    }

    /// Adds a text of its own.
    pub(crate) fn section(&mut self, text: &str) {
        self.table_is_open = false;
        self.line("");
        self.line(text.trim_end());
    }

    fn line(&mut self, text: &str) {
        // Writing into a string cannot fail.
        let _ = writeln!(self.text, "{text}");
    }

    /// Writes everything to `target/bench.md`.
    pub(crate) fn write(&self) -> anyhow::Result<()> {
        let folder = std::env::var("CARGO_TARGET_DIR")
            .unwrap_or_else(|_| concat!(env!("CARGO_MANIFEST_DIR"), "/../../target").to_owned());
        let path = Path::new(&folder).join("bench.md");
        std::fs::write(&path, &self.text)
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

fn nothing() -> String {
    "–".to_owned()
}

fn optional(figure: Option<u64>) -> String {
    figure.map_or_else(nothing, |figure| figure.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_refer_to_the_first_cell_and_to_the_yardstick() {
        let cell = |name, count| {
            let mut latencies = Latencies::default();
            (0..count).for_each(|_| latencies.add(Duration::from_millis(2)));
            Cell::new(name, 4, Duration::from_secs(1), &latencies)
        };
        let mut report = Report::new(Duration::from_secs(1));
        report.add(&[cell("ceiling", 100), cell("naive", 10), cell("shared", 60)], Some(1));
        let text = report.to_string();
        let row = "| shared | 4 | 60 | 0.60 | 6.00 | 2.00 | 2.00 | 2.00 | 2.00 | – | – | – | – |";
        assert!(text.contains(row), "{text}");
    }
}
