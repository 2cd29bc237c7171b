//! The program `lunas`: the command line, the HTTP edge, the workers, and the wiring between the
//! parts. It contains no rule of money and no wire format.
//!
//! It is a library so that measurements can run the same edge and the same server; the binary only
//! calls [`main`].

mod administration;
mod command_line;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the commands serve and check, which read it, are wired apart")
)]
mod configuration;
mod control;
mod dispatch;
pub mod edge;
mod order_command;
mod problem;
mod program;
mod run_sandbox;
mod sign;
mod signals;
mod system;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use command_line::{Command, CommandLine, SignCommand, VerifyOptions};
use tracing_subscriber::EnvFilter;

/// Runs the command that was typed and gives the exit code: 0 when it did what was asked.
pub fn main() -> ExitCode {
    main_with(std::env::args_os())
}

/// The same for arguments from elsewhere, the program's name first.
pub fn main_with(arguments: impl IntoIterator<Item: Into<OsString> + Clone>) -> ExitCode {
    let command_line = CommandLine::parse_from(arguments);
    log_to_standard_error();
    match run(command_line) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lunas: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command_line: CommandLine) -> anyhow::Result<ExitCode> {
    match command_line.command {
        None => sandbox(command_line.sandbox),
        Some(Command::Sandbox(options)) => sandbox(options),
        Some(Command::Verify(options)) => verify(&options),
        Some(Command::Sign(SignCommand::Iak(options))) => {
            println!("{}", sign::iak(&options)?);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Order(command)) => {
            println!("{}", order_command::run(&command)?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// One runtime thread: the writer and the readers have threads of their own, and on two cores a
/// second one only gets in their way.
fn sandbox(options: command_line::SandboxOptions) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime could not start")?;
    runtime.block_on(run_sandbox::run(options))?;
    Ok(ExitCode::SUCCESS)
}

/// Exit code 1 stands for a finding as well as for books that cannot be read; the text tells.
fn verify(options: &VerifyOptions) -> anyhow::Result<ExitCode> {
    let summary = storage::sqlite::verify(&options.data)?;
    println!(
        "pembukuan cocok · books are clean: {} accounts, {} transfers, {} fundings, {} orders, {} open holds",
        summary.accounts, summary.transfers, summary.fundings, summary.orders, summary.open_holds
    );
    Ok(ExitCode::SUCCESS)
}

/// Plain lines for people, JSON for machines. `LUNAS_LOG` chooses what is logged.
fn log_to_standard_error() {
    let filter = EnvFilter::try_from_env("LUNAS_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.init();
    } else {
        builder.json().init();
    }
}
