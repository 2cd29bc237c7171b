//! Spans as OTLP/HTTP writes them in JSON (`ExportTraceServiceRequest`): ids in hexadecimal, 64-bit
//! numbers as texts, enumerations as numbers, everything else as protobuf's mapping to JSON has it.

use serde_json::{Value as Json, json};

use super::{SpanId, TraceId};

/// Who calls whom in a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// We are called.
    Server,
    /// We call.
    Client,
}

impl Kind {
    const fn number(self) -> u8 {
        match self {
            Self::Server => 2,
            Self::Client => 3,
        }
    }
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Number(u64),
}

impl Value {
    fn to_json(&self) -> Json {
        match self {
            Self::Text(text) => json!({ "stringValue": text }),
            Self::Number(number) => json!({ "intValue": number.to_string() }),
        }
    }
}

/// A span that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finished {
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    /// None for the first of its trace.
    pub(super) parent: Option<SpanId>,
    /// One of few.
    pub(super) name: String,
    pub(super) kind: Kind,
    /// In nanoseconds since 1970.
    pub(super) begun_at: u64,
    /// In nanoseconds since 1970.
    pub(super) ended_at: u64,
    /// Whether it went wrong through our fault.
    pub(super) is_fault: bool,
    pub(super) attributes: Vec<(&'static str, Value)>,
}

impl Finished {
    fn to_json(&self) -> Json {
        let mut span = json!({
            "traceId": hex::encode(self.trace),
            "spanId": hex::encode(self.span),
            "name": self.name,
            "kind": self.kind.number(),
            "startTimeUnixNano": self.begun_at.to_string(),
            "endTimeUnixNano": self.ended_at.to_string(),
            "attributes": attributes(self.attributes.iter().map(|(key, value)| (*key, value))),
            "status": if self.is_fault { json!({ "code": 2 }) } else { json!({}) },
        });
        if let Some(parent) = self.parent {
            span["parentSpanId"] = json!(hex::encode(parent));
        }
        span
    }
}

fn attributes<'a>(attributes: impl Iterator<Item = (&'static str, &'a Value)>) -> Json {
    attributes.map(|(key, value)| json!({ "key": key, "value": value.to_json() })).collect()
}

/// The body that carries these spans. `instance` tells this run of the program from others.
pub(super) fn body(spans: &[Finished], instance: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let text = |text: &str| Value::Text(text.to_owned());
    let resource = [
        ("service.name", text("lunas")),
        ("service.version", text(version)),
        ("service.instance.id", text(instance)),
    ];
    let spans: Vec<_> = spans.iter().map(Finished::to_json).collect();
    json!({ "resourceSpans": [{
        "resource": { "attributes": attributes(resource.iter().map(|(key, it)| (*key, it))) },
        "scopeSpans": [{ "scope": { "name": "lunas", "version": version }, "spans": spans }],
    }] })
    .to_string()
}
