//! The program `lunas`: the command line, the HTTP edge, the workers, and the wiring between the
//! parts. It contains no rule of money and no wire format.
//!
//! It is a library so that measurements can run the same edge and the same server; the binary only
//! calls [`main`].

mod addresses;
mod administration;
mod background;
mod backups;
mod callback_command;
mod caller;
mod catcher;
mod command_line;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "it holds settings and the sealing of parts that are wired apart")
)]
mod configuration;
mod control;
mod dispatch;
pub mod edge;
mod evidence_command;
mod explain;
mod logs;
mod merchant_command;
mod messenger;
mod metrics;
mod observed;
mod open_files;
mod operator_client;
mod order_command;
mod preparation;
mod problem;
mod product_command;
mod program;
mod rates;
mod run_sandbox;
mod run_serve;
mod s88pay_command;
mod scheduled_backups;
mod service_manager;
mod sign;
mod signals;
mod system;
mod traces;
mod verify_sign;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use command_line::{Command, CommandLine, ServeOptions, VerifyOptions};
use configuration::{Loaded, Sources};
use preparation::Preparation;

/// What a request needs is asked for on one thread and given back on another, which the usual
/// allocators do slowly, that of musl most of all.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs the command that was typed and gives the exit code: 0 when it did what was asked.
pub fn main() -> ExitCode {
    main_with(std::env::args_os())
}

/// The same for arguments from elsewhere, the program's name first.
pub fn main_with(arguments: impl IntoIterator<Item: Into<OsString> + Clone>) -> ExitCode {
    let command_line = CommandLine::parse_from(arguments);
    match run(command_line) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("lunas: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command_line: CommandLine) -> anyhow::Result<ExitCode> {
    // The configuration says how production logs.
    if !matches!(command_line.command, Some(Command::Serve(_))) {
        logs::begin();
    }
    match command_line.command {
        None => sandbox(command_line.sandbox),
        Some(Command::Sandbox(options)) => sandbox(options),
        Some(Command::Serve(options)) => serve(&options),
        Some(Command::Check(options)) => check(&options),
        Some(Command::Config) => {
            print!("{}", configuration::default_file());
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Verify(options)) => verify(&options),
        Some(Command::Backup(options)) => {
            println!("{}", backups::back_up(&options)?);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Restore(options)) => {
            println!("{}", backups::restore(&options)?);
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Sign(command)) => print(&sign::signed(&command)?),
        Some(Command::VerifySign(command)) => Ok(verify_sign::run(&command)),
        Some(Command::S88pay(command)) => s88pay_command::run(&command),
        Some(Command::Explain(options)) => explain::run(&options),
        Some(Command::Openapi) => {
            println!("{}", administration::document());
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::Merchant(options)) => print(&merchant_command::run(&options)?),
        Some(Command::Product(options)) => print(&product_command::run(&options)?),
        Some(Command::Order(options)) => print(&order_command::run(&options)?),
        Some(Command::Evidence(options)) => print(&evidence_command::run(&options)?),
        Some(Command::Callback(options)) => print(&callback_command::run(&options)?),
    }
}

fn sandbox(options: command_line::SandboxOptions) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(run_sandbox::run(options))?;
    Ok(ExitCode::SUCCESS)
}

fn serve(options: &ServeOptions) -> anyhow::Result<ExitCode> {
    let loaded = load(options)?;
    let log = &loaded.configuration.log;
    logs::begin_as(&log.filter, log.format, loaded.configuration.otlp_endpoint.is_some());
    let preparation = Preparation::of(&loaded)?;
    runtime()?.block_on(run_serve::run(loaded, preparation))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints what holds also when something is wrong with it, because both together tell the remedy.
fn check(options: &ServeOptions) -> anyhow::Result<ExitCode> {
    let loaded = load(options)?;
    print!("{}", loaded.effective);
    Preparation::of(&loaded)?;
    for (key, reason) in preparation::without_effect(&loaded) {
        println!("# {key}: tanpa pengaruh · has no effect: {reason}");
    }
    println!("# pengaturan baik · the configuration is good");
    Ok(ExitCode::SUCCESS)
}

fn load(options: &ServeOptions) -> anyhow::Result<Loaded> {
    let sources = Sources::of_process(options.config.as_deref(), options.flags())?;
    Ok(configuration::load(&sources)?)
}

fn print(text: &str) -> anyhow::Result<ExitCode> {
    println!("{text}");
    Ok(ExitCode::SUCCESS)
}

/// A runtime thread for each processor: what a request costs outside the store is the greater part,
/// and with fewer of them it waits for its turn while a processor has nothing to do.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("lunas-runtime")
        .enable_all()
        .build()
        .context("the runtime could not start")
}

/// Exit code 1 stands for a finding as well as for books that cannot be read; the text tells.
fn verify(options: &VerifyOptions) -> anyhow::Result<ExitCode> {
    background::give_way();
    let summary = storage::sqlite::verify_gently(&options.data)?;
    println!(
        "pembukuan cocok · books are clean: {} accounts, {} transfers, {} fundings, {} orders, {} open holds",
        summary.accounts, summary.transfers, summary.fundings, summary.orders, summary.open_holds
    );
    Ok(ExitCode::SUCCESS)
}
