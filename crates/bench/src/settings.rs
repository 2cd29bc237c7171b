//! What can be set from outside, each by a variable of the environment.

use std::time::Duration;

use anyhow::Context;

/// How much is measured.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Numbers of callers at which everything is measured: `BENCH_CALLERS`, separated by commas.
    pub(crate) callers: Vec<usize>,
    /// Which tables are made: `BENCH_PARTS`, separated by commas.
    parts: Option<String>,
    /// How long each cell is measured: `BENCH_SECONDS`.
    pub(crate) duration: Duration,
    /// How long orders are taken without a pause: `BENCH_SUSTAINED_SECONDS`.
    pub(crate) sustained: Duration,
    /// How many orders are stored at most: `BENCH_ORDERS`.
    pub(crate) orders_max: u64,
}

impl Settings {
    /// Those of the environment; short enough for every day where nothing is set.
    pub(crate) fn of_environment() -> anyhow::Result<Self> {
        let callers = std::env::var("BENCH_CALLERS").unwrap_or_else(|_| "1,16,64,256".to_owned());
        Ok(Self {
            callers: callers
                .split(',')
                .map(|text| text.trim().parse())
                .collect::<Result<_, _>>()
                .context("BENCH_CALLERS is a list of numbers")?,
            parts: std::env::var("BENCH_PARTS").ok(),
            duration: Duration::from_secs(number("BENCH_SECONDS", 3)?),
            sustained: Duration::from_secs(number("BENCH_SUSTAINED_SECONDS", 10)?),
            orders_max: number("BENCH_ORDERS", 1_000_000)?,
        })
    }
}

impl Settings {
    /// Whether a table is wanted: `http`, `store`, `idle`, `sustained` or `growth`.
    pub(crate) fn wants(&self, part: &str) -> bool {
        self.parts.as_ref().is_none_or(|parts| parts.split(',').any(|it| it.trim() == part))
    }
}

fn number(variable: &str, default: u64) -> anyhow::Result<u64> {
    match std::env::var(variable) {
        Ok(text) => text.parse().with_context(|| format!("{variable} is a whole number")),
        Err(_) => Ok(default),
    }
}
