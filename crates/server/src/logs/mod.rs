//! What the program logs, in which form and from whom.
//!
//! Lines go to standard error: JSON for machines, plain for a person at a terminal. `LUNAS_LOG`
//! chooses by level and target, such as `info`, `debug` or `info,lunas::access=off`. A level without
//! a target is meant for Lunas' own crates; other people's crates may log whatever passes through
//! them, headers and secrets among it, and stay at `warn` unless they are named.

mod lines;
mod text;

use std::any::Any;
use std::io::{IsTerminal, Write};
use std::panic::PanicHookInfo;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::configuration::choice::LogFormat;
use crate::system::wall_clock;
use crate::traces::NoteMerchant;
use lines::{Form, Lines};

/// The setting.
const VARIABLE: &str = "LUNAS_LOG";
const DEFAULT: &str = "info";
/// Lunas' own targets: its crates, and the names under which it logs requests.
const OWN: [&str; 6] = ["lunas", "server", "gateway", "storage", "protocols", "domain"];

/// Logs from now on as the environment says, and makes panics part of the log. A second call changes
/// nothing.
pub(crate) fn begin() {
    let chosen = std::env::var(VARIABLE).unwrap_or_else(|_| DEFAULT.to_owned());
    if !begin_as(&chosen, LogFormat::Auto, false) {
        tracing::warn!("{VARIABLE} is not a list of levels and targets; {DEFAULT} is used");
    }
}

/// The same with this filter and form, and for traces if there are to be any. False if the filter
/// was not understood and the default took its place.
pub(crate) fn begin_as(chosen: &str, format: LogFormat, is_traced: bool) -> bool {
    let understood = Filter::read(&directives(chosen));
    let is_understood = understood.is_some();
    let filter = understood.or_else(|| Filter::read(&directives(DEFAULT)));
    let form = match format {
        LogFormat::Auto if std::io::stderr().is_terminal() => Form::Plain,
        LogFormat::Pretty => Form::Plain,
        LogFormat::Auto | LogFormat::Json => Form::Json,
    };
    let lines = |filter| Lines { filter, form, clock: wall_clock, output: to_standard_error };
    let all = tracing_subscriber::registry();
    let is_first = match filter {
        Some(Filter::Levels(levels)) => install(all.with(lines(levels)), is_traced),
        Some(Filter::Spans(filter)) => {
            let everything = Targets::new().with_default(LevelFilter::TRACE);
            install(all.with(filter).with(lines(everything)), is_traced)
        }
        None => false,
    };
    if is_first {
        std::panic::set_hook(Box::new(log_panic));
    }
    is_understood
}

/// Makes this what takes all that is logged. False if there is something that does.
fn install<Log>(log: Log, is_traced: bool) -> bool
where
    Log: Subscriber + for<'span> LookupSpan<'span> + Send + Sync + 'static,
{
    if is_traced { log.with(NoteMerchant).try_init() } else { log.try_init() }.is_ok()
}

/// What is logged.
enum Filter {
    /// By level and target, as the manual has it: settled once for each place that logs.
    Levels(Targets),
    /// By the request in whose course it happens, too, for which each step of a request is followed.
    Spans(EnvFilter),
}

impl Filter {
    /// None if the directives are not understood.
    fn read(directives: &str) -> Option<Self> {
        let filter = EnvFilter::try_new(directives).ok()?;
        let names_spans = directives.is_empty() || directives.contains('[');
        let levels = directives.parse().ok().filter(|_| !names_spans);
        Some(levels.map_or(Self::Spans(filter), Self::Levels))
    }
}

/// Where nobody reads the log there is nothing left to tell it to.
fn to_standard_error(line: &[u8]) {
    let _ = std::io::stderr().lock().write_all(line);
}

/// Says where a panic happened.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let words = fixed_text(panic.payload());
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or_default();
    tracing::error!(%location, words, thread, "panic");
}

/// The message of a panic if it stands in the program as it is. One that was put together may carry
/// what the program was working on.
fn fixed_text(message: &(dyn Any + Send)) -> &'static str {
    message.downcast_ref::<&'static str>().copied().unwrap_or_default()
}

/// The filter that is meant by a setting: a level without a target becomes one for each of our own.
fn directives(chosen: &str) -> String {
    let mut all = Vec::new();
    for directive in chosen.split(',').map(str::trim).filter(|it| !it.is_empty()) {
        let is_level = |it: &str| {
            ["off", "error", "warn", "info", "debug", "trace"]
                .iter()
                .any(|level| it.eq_ignore_ascii_case(level))
        };
        if is_level(directive) {
            let quiet = ["off", "error"].iter().any(|it| directive.eq_ignore_ascii_case(it));
            all.push(if quiet { directive } else { "warn" }.to_owned());
            all.extend(OWN.iter().map(|target| format!("{target}={directive}")));
        } else {
            all.push(directive.to_owned());
        }
    }
    all.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_tells_only_what_stands_in_the_program() {
        let secret = std::hint::black_box("9f1c2ab34de5f678");
        let message = |panics: fn(&str)| {
            let panicked = std::panic::catch_unwind(|| panics(secret));
            fixed_text(&*panicked.expect_err("it panics"))
        };
        assert_eq!(message(|_| panic!("as it is")), "as it is");
        assert_eq!(message(|secret| panic!("key {secret}")), "");
        assert_eq!(message(|secret| assert!(secret.parse::<u8>().expect("a number") > 0)), "");
    }

    #[test]
    fn levels_and_targets_need_nobody_who_follows_requests() {
        let read = |chosen: &str| match Filter::read(&directives(chosen)) {
            Some(Filter::Levels(levels)) => Some(Ok(levels.to_string())),
            Some(Filter::Spans(filter)) => Some(Err(filter.to_string())),
            None => None,
        };
        for (chosen, same) in [
            ("lunas::access=off,lunas=info", "lunas::access=off,lunas=info"),
            ("ureq=TRACE", "ureq=trace"),
            ("hyper", "hyper=trace"),
        ] {
            assert_eq!(read(chosen), Some(Ok(same.to_owned())), "{chosen}");
        }
        for chosen in ["", "storage[request{merchant=7}]=debug", "[request]=trace"] {
            assert!(matches!(read(chosen), Some(Err(_))), "{chosen}");
        }
        for chosen in ["lunas=loud", "a=b=info", "lunas[=info"] {
            assert_eq!(read(chosen), None, "{chosen}");
        }
    }

    #[test]
    fn a_level_is_for_our_own_crates_only() {
        let own = |level: &str| OWN.map(|target| format!("{target}={level}")).join(",");
        let table = [
            ("trace", format!("warn,{}", own("trace"))),
            ("error", format!("error,{}", own("error"))),
            (" info , hyper=trace", format!("warn,{},hyper=trace", own("info"))),
            ("storage=debug", "storage=debug".to_owned()),
            ("", String::new()),
        ];
        for (chosen, expected) in table {
            assert_eq!(directives(chosen), expected, "{chosen}");
            EnvFilter::try_new(directives(chosen)).unwrap();
        }
        assert!(EnvFilter::try_new(directives("lunas=loud")).is_err());
    }
}
