//! Measures Lunas beside its own ceiling, in one run on one machine.
//!
//! Absolute figures mean nothing: what counts are the ratios within a run. The ceiling is the same
//! HTTP edge with a service that only echoes an answer of the same size; the yardstick is a store
//! that commits every command by itself. Load generator, server and disk share the machine, as the
//! figures of the documentation do.
//!
//! `cargo bench -p bench` runs everything and writes `target/bench.md`. What can be set stands in
//! [`settings`].
//!
//! Whatever is measured runs in children of this same program, told apart by `BENCH_ROLE`, so that
//! processor time, memory and written bytes are its own.

mod bare;
mod child;
mod echo;
mod folders;
mod growth;
mod idle;
mod in_process;
mod latencies;
mod load;
mod orders;
mod process;
mod report;
mod settings;
mod sustained;

use std::time::Duration;

use child::{Child, ROLE};
use folders::Folders;
use load::{Command, Load};
use report::{Cell, Report};
use settings::Settings;

/// Runs the measurements, or plays the part that a parent process asks for.
pub fn run() -> anyhow::Result<()> {
    let settings = Settings::of_environment()?;
    match std::env::var(ROLE).as_deref() {
        Ok("echo") => echo::serve(),
        Ok("lunas") => child::serve_lunas(),
        Ok("growth") => growth::run(settings.duration, settings.orders_max),
        Ok("sustained") => sustained::run(settings.duration, settings.sustained),
        Ok(other) => anyhow::bail!("no such role: {other}"),
        Err(_) => measure(&settings),
    }
}

fn measure(settings: &Settings) -> anyhow::Result<()> {
    let folders = Folders::new()?;
    let mut report = Report::new(settings.duration);
    for callers in settings.callers.iter().filter(|_| settings.wants("http")) {
        report.add(&http(*callers, settings.duration, &folders)?, None);
    }
    for callers in settings.callers.iter().filter(|_| settings.wants("store")) {
        report.add(&in_process::measure(*callers, settings.duration, &folders)?, Some(1));
    }
    if settings.wants("idle") {
        report.section(&idle::measure(&folders)?);
    }
    for part in ["sustained", "growth"].into_iter().filter(|part| settings.wants(part)) {
        report.section(&child::printed(part)?);
    }
    println!("{report}");
    report.write()
}

/// The ceiling, inquiries and payments at one number of connections, each server on new data.
fn http(callers: usize, duration: Duration, folders: &Folders) -> anyhow::Result<Vec<Cell>> {
    let mut cells = Vec::new();
    let echo = Child::start("echo", None)?;
    cells
        .push(Load::new(echo.address(), callers, duration).run("echo", Command::Inquire, &echo)?.0);
    drop(echo);

    let data = folders.another()?;
    in_process::prepare(&data)?;
    let lunas = Child::start("lunas", Some(&data))?;
    let load = Load::new(lunas.address(), callers, duration);
    let (inquiries, numbers) = load.run("inquiry", Command::Inquire, &lunas)?;
    let (payments, _) = load.run("payment", Command::Pay(numbers), &lunas)?;
    cells.extend([inquiries, payments]);
    Ok(cells)
}
