//! One line per event, as JSON for machines or plain for people.
//!
//! A line carries the fields of its event and of the request in whose course it happened. Every
//! value goes through [`super::text`]. A line is written in one piece and never waited for longer
//! than the operating system takes it.

use std::cell::RefCell;
use std::fmt::{self, Write as _};

use domain::Timestamp;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::text::Escaped;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One object per line.
    Json,
    /// For a person at a terminal.
    Plain,
}

/// Writes the lines.
pub(super) struct Lines<Output> {
    /// Which lines are written. It is asked here and not in a layer of its own, because each layer
    /// costs a request something at every step of its span.
    pub(super) filter: Targets,
    pub(super) form: Form,
    pub(super) clock: fn() -> Timestamp,
    pub(super) output: Output,
}

/// The fields of a request, as they stand in each of its lines.
struct Written(String);

/// Room for the fields of a request whose id is ours, in bytes.
const FIELDS_BYTES: usize = 96;

/// Writes fields behind one another.
struct Fields<'a> {
    form: Form,
    line: &'a mut String,
}

impl Fields<'_> {
    /// A name is a word of the program, in which nothing has to be escaped.
    fn name(&mut self, name: &'static str) {
        match self.form {
            Form::Json => {
                self.line.push_str(",\"");
                self.line.push_str(name);
                self.line.push_str("\":");
            }
            Form::Plain => {
                self.line.push(' ');
                self.line.push_str(name);
                self.line.push('=');
            }
        }
    }

    fn quoted(&mut self, field: &Field, write: impl FnOnce(&mut Escaped<'_>) -> fmt::Result) {
        // For the line of a person the message comes first and has no name; see `Message`.
        if field.name() == "message" && self.form == Form::Plain {
            return;
        }
        self.name(field.name());
        self.line.push('"');
        // An error means that the value is full, which its end says.
        let _ = write(&mut Escaped::new(self.line));
        self.line.push('"');
    }

    fn bare(&mut self, field: &Field, value: impl fmt::Display) {
        self.name(field.name());
        let _ = write!(self.line, "{value}");
    }
}

impl Visit for Fields<'_> {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.quoted(field, |line| line.write_str(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.quoted(field, |line| write!(line, "{value:?}"));
    }
}

/// Writes the message alone.
struct Message<'a>(&'a mut String);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(Escaped::new(self.0), "{value:?}");
        }
    }
}

const fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

/// RFC 3339 in UTC with milliseconds; the number itself where there is no such date.
fn time(line: &mut String, now: Timestamp) {
    let milliseconds = now.milliseconds();
    let _ = match jiff::Timestamp::from_millisecond(milliseconds) {
        Ok(time) => write!(line, "{time:.3}"),
        Err(_) => write!(line, "{milliseconds}"),
    };
}

impl<Output> Lines<Output> {
    fn head(&self, line: &mut String, event: &Event<'_>) {
        let metadata = event.metadata();
        let (level, target) = (word(*metadata.level()), metadata.target());
        match self.form {
            Form::Json => {
                line.push_str("{\"time\":\"");
                time(line, (self.clock)());
                for piece in ["\",\"level\":\"", level, "\",\"target\":\"", target, "\""] {
                    line.push_str(piece);
                }
            }
            Form::Plain => {
                time(line, (self.clock)());
                let _ = write!(line, " {level:>5} {target}: ");
                event.record(&mut Message(line));
            }
        }
    }
}

thread_local! {
    /// Lines are put together here, so that logging allocates nothing as a rule.
    static LINE: RefCell<String> = const { RefCell::new(String::new()) };
}

impl<Inner, Output> Layer<Inner> for Lines<Output>
where
    Inner: Subscriber + for<'span> LookupSpan<'span>,
    Output: Fn(&[u8]) + 'static,
{
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        Layer::<Inner>::register_callsite(&self.filter, metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, Inner>) -> bool {
        self.filter.enabled(metadata, context)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Layer::<Inner>::max_level_hint(&self.filter)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, Inner>) {
        let Some(span) = context.span(id) else { return };
        let mut line = String::with_capacity(FIELDS_BYTES);
        attributes.record(&mut Fields { form: self.form, line: &mut line });
        span.extensions_mut().insert(Written(line));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, Inner>) {
        let Some(span) = context.span(id) else { return };
        if let Some(Written(line)) = span.extensions_mut().get_mut() {
            values.record(&mut Fields { form: self.form, line });
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, Inner>) {
        LINE.with(|kept| {
            // A value whose formatting logs, which none of ours does, gets a line of its own.
            let mut fresh = String::new();
            let mut kept = kept.try_borrow_mut();
            let line = kept.as_deref_mut().unwrap_or(&mut fresh);
            line.clear();
            self.head(line, event);
            event.record(&mut Fields { form: self.form, line });
            for span in context.event_scope(event).into_iter().flatten() {
                if let Some(Written(fields)) = span.extensions().get() {
                    line.push_str(fields);
                }
            }
            line.push_str(if self.form == Form::Json { "}\n" } else { "\n" });
            (self.output)(line.as_bytes());
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// What is logged inside, line by line.
    fn logged(form: Form, inside: impl FnOnce()) -> Vec<String> {
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let output = Arc::clone(&written);
        let lines = Lines {
            filter: Targets::new().with_default(LevelFilter::INFO),
            form,
            clock: || Timestamp::from_milliseconds(1_700_000_000_007),
            output: move |line: &[u8]| output.lock().unwrap().extend_from_slice(line),
        };
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::with_default(subscriber, inside);
        let written = written.lock().unwrap();
        String::from_utf8_lossy(&written).lines().map(str::to_owned).collect()
    }

    fn example() {
        let span =
            tracing::error_span!("request", request_id = "r-1", merchant = tracing::field::Empty);
        let _entered = span.enter();
        span.record("merchant", 7_u32);
        tracing::info!(target: "t", status = 200_u64, odd = "a\n\"b\"", "it is {}", "done");
    }

    #[test]
    fn a_machine_reads_one_object_per_line() {
        let lines = logged(Form::Json, example);
        let expected = "{\"time\":\"2023-11-14T22:13:20.007Z\",\"level\":\"INFO\",\"target\":\"t\",\
                        \"message\":\"it is done\",\"status\":200,\"odd\":\"a\\n\\\"b\\\"\",\
                        \"request_id\":\"r-1\",\"merchant\":7}";
        assert_eq!(lines, [expected]);
        serde_json::from_str::<serde_json::Value>(&lines[0]).unwrap();
    }

    #[test]
    fn what_is_filtered_out_costs_no_line() {
        let lines = logged(Form::Json, || {
            tracing::debug!("not written");
            tracing::info!("written");
        });
        assert!(lines.len() == 1 && lines[0].contains("\"message\":\"written\""), "{lines:?}");
    }

    #[test]
    fn a_person_reads_the_message_first() {
        let expected = "2023-11-14T22:13:20.007Z  INFO t: it is done status=200 \
                        odd=\"a\\n\\\"b\\\"\" request_id=\"r-1\" merchant=7";
        assert_eq!(logged(Form::Plain, example), [expected]);
    }

    #[test]
    fn a_foreign_value_never_begins_a_line_and_never_fills_one() {
        for form in [Form::Json, Form::Plain] {
            let lines = logged(form, || {
                let value = format!("\n{{\"level\":\"INFO\"}}\n\u{1b}[2J{}", "x".repeat(10_000));
                tracing::warn!(%value, "{value}");
            });
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert!(lines[0].len() < 1000 && !lines[0].contains('\u{1b}'), "{lines:?}");
        }
    }
}
