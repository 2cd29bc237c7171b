//! Whatever is under measurement, as children of this process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, bail};

use crate::process::Usage;

/// Names the part that a child plays.
pub(crate) const ROLE: &str = "BENCH_ROLE";
const DATA: &str = "BENCH_DATA";

/// A running server, ended when dropped.
pub(crate) struct Child {
    process: std::process::Child,
    address: SocketAddr,
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
        Usage::of(self.process.id())
    }
}

/// Lets a child measure in another role, and gives what it prints.
pub(crate) fn printed(role: &str) -> anyhow::Result<String> {
    let program = std::env::current_exe().context("the program does not know where it is")?;
    let output = Command::new(program)
        .env(ROLE, role)
        .stderr(Stdio::inherit())
        .output()
        .context("the child did not start")?;
    if !output.status.success() {
        bail!("the child that measures {role} failed");
    }
    String::from_utf8(output.stdout).context("the child printed no text")
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
