//! Measures Lunas beside its own ceiling, in one run on one machine.
//!
//! Absolute figures mean nothing: what counts are the ratios within a run. The ceiling is the same
//! HTTP edge with a service that only echoes an answer of the same size; the yardstick is a store
//! that commits every command by itself. Load generator, server and disk share the machine, as the
//! figures of the documentation do.
//!
//! `cargo bench -p bench` runs everything and writes `target/bench.md`. `BENCH_SECONDS` sets how
//! long each cell is measured, 3 by default.
//!
//! The servers run as children of this same program, told apart by `BENCH_ROLE`, so that their
//! processor time and memory can be read from outside.

mod child;
mod echo;
mod in_process;
mod latencies;
mod load;
mod report;

use std::time::Duration;

use anyhow::Context;
use child::{Child, ROLE};
use load::{Command, Load};
use report::{Cell, Report};

/// Numbers of callers at which everything is measured.
const CALLERS: [usize; 4] = [1, 16, 64, 256];

/// Runs the measurements, or plays the part that a parent process asks for.
pub fn run() -> anyhow::Result<()> {
    match std::env::var(ROLE).as_deref() {
        Ok("echo") => echo::serve(),
        Ok("lunas") => child::serve_lunas(),
        Ok(other) => anyhow::bail!("no such role: {other}"),
        Err(_) => measure(),
    }
}

fn measure() -> anyhow::Result<()> {
    let seconds = match std::env::var("BENCH_SECONDS") {
        Ok(text) => text.parse().context("BENCH_SECONDS is a number of seconds")?,
        Err(_) => 3,
    };
    let duration = Duration::from_secs(seconds);
    let mut report = Report::new(duration);
    for callers in CALLERS {
        report.add(&http(callers, duration)?);
    }
    for callers in CALLERS {
        report.add(&in_process::measure(callers, duration)?);
    }
    println!("{report}");
    report.write()
}

/// The ceiling, inquiries and payments at one number of connections, each server on new data.
fn http(callers: usize, duration: Duration) -> anyhow::Result<Vec<Cell>> {
    let mut cells = Vec::new();
    let echo = Child::start("echo", None)?;
    cells
        .push(Load::new(echo.address(), callers, duration).run("echo", Command::Inquire, &echo)?.0);
    drop(echo);

    let data = tempfile::TempDir::new().context("no folder for the data")?;
    in_process::prepare(data.path())?;
    let lunas = Child::start("lunas", Some(data.path()))?;
    let load = Load::new(lunas.address(), callers, duration);
    let (inquiries, numbers) = load.run("inquiry", Command::Inquire, &lunas)?;
    let (payments, _) = load.run("payment", Command::Pay(numbers), &lunas)?;
    cells.extend([inquiries, payments]);
    Ok(cells)
}
