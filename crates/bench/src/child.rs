//! Servers under measurement, as children of this process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};

/// Names the part that a child plays.
pub(crate) const ROLE: &str = "BENCH_ROLE";
const DATA: &str = "BENCH_DATA";
/// Clock ticks per second in `/proc`, the same on every Linux that Rust supports.
const TICKS_PER_SECOND: u64 = 100;

/// A running server, ended when dropped.
pub(crate) struct Child {
    process: std::process::Child,
    address: SocketAddr,
}

/// What a server has used so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Processor time of all its threads.
    pub(crate) processor: Duration,
    /// Resident memory in mebibytes.
    pub(crate) memory_mebibytes: u64,
}

/// Prints the address in the form in which the parent looks for it.
pub(crate) fn announce(address: SocketAddr) {
    println!("http://{address}");
}

/// Runs the real server on the data that the parent prepared.
pub(crate) fn serve_lunas() -> anyhow::Result<()> {
    let data = std::env::var(DATA).context("no data folder was given")?;
    let arguments = ["lunas", "sandbox", "--listen", "127.0.0.1:0", "--data", &data];
    let code = server::main_with(arguments);
    if code == ExitCode::SUCCESS { Ok(()) } else { bail!("the server failed") }
}

impl Child {
    /// Starts this program in another role and waits until it serves.
    pub(crate) fn start(role: &str, data: Option<&Path>) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("the program does not know where it is")?;
        let mut command = Command::new(program);
        command.env(ROLE, role).env("LUNAS_LOG", "error").stdout(Stdio::piped());
        if let Some(data) = data {
            command.env(DATA, data);
        }
        let mut process = command.spawn().context("the server did not start")?;
        let output = process.stdout.take().context("the server has no output")?;
        let mut lines = BufReader::new(output).lines();
        let address = loop {
            let line = lines.next().context("the server ended before it served")??;
            let mut words = line.split_whitespace();
            let address = words.find_map(|word| word.strip_prefix("http://")?.parse().ok());
            if let Some(address) = address {
                break address;
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { process, address })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it has used so far.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        let folder = format!("/proc/{}", self.process.id());
        let stat = std::fs::read_to_string(format!("{folder}/stat")).context("no /proc")?;
        // The name in parentheses may hold blanks; user and system time are the 12th and 13th
        // fields behind it.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
        let status = std::fs::read_to_string(format!("{folder}/status")).context("no /proc")?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes: u64 = resident
            .and_then(|text| text.split_whitespace().next()?.parse().ok())
            .context("no resident size")?;
        Ok(Usage {
            processor: Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND),
            memory_mebibytes: kibibytes / 1024,
        })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
