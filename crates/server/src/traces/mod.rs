//! Traces over OTLP, for whoever wants them: one span for each request, and below it one for each
//! call of an upstream that was made in its course, also by the work that outlives it.
//!
//! Spans are made where requests are counted anyway and handed to [`collector`], which never makes
//! anybody wait. A span holds what the request's line in the log holds and nothing else. The parent
//! that a client names by W3C Trace Context is kept, and so is its wish not to be traced. Whoever
//! watches the program is not traced.
//!
//! Not done here: sampling of our own, which the collector can do, and metrics and logs over OTLP.

pub(crate) mod collector;
mod message;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::UpstreamName;
use gateway::observer::{Observer, Operation};
use gateway::ports::{Clock, Entropy};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tracing::field::{Field, Visit};
use tracing::span::{Id, Record};
use tracing::{Span, Subscriber};
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::{Layer, layer};

use collector::Collector;
use message::{Finished, Kind, Value};

/// W3C Trace Context.
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// A trace's id, never all zeros.
pub(crate) type TraceId = [u8; 16];
/// A span's id, never all zeros.
pub(crate) type SpanId = [u8; 8];

/// What a client says of the trace that its request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceParent {
    /// The trace.
    pub(crate) trace: TraceId,
    /// The client's own span.
    pub(crate) parent: SpanId,
    /// Whether the trace is recorded.
    pub(crate) is_sampled: bool,
}

impl TraceParent {
    /// Reads the header `traceparent`: `VERSION-TRACE-PARENT-FLAGS`, and more in later versions. None
    /// where it is missing or not of its form.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        headers.get(TRACE_PARENT).and_then(Self::read)
    }

    fn read(value: &HeaderValue) -> Option<Self> {
        let mut parts = value.to_str().ok()?.split('-');
        let version = lower_case::<1>(parts.next()?)?;
        let trace = lower_case::<16>(parts.next()?)?;
        let parent = lower_case::<8>(parts.next()?)?;
        let [flags] = lower_case::<1>(parts.next()?)?;
        let is_too_long = version == [0] && parts.next().is_some();
        let is_invalid = version == [0xff] || is_too_long || trace == [0; 16] || parent == [0; 8];
        (!is_invalid).then_some(Self { trace, parent, is_sampled: flags & 1 == 1 })
    }
}

/// Bytes in hexadecimal, of which the standard allows one spelling.
fn lower_case<const COUNT: usize>(text: &str) -> Option<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    let is_lower_case = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    (is_lower_case && hex::decode_to_slice(text, &mut bytes).is_ok()).then_some(bytes)
}

/// Where in a trace something happens: the place of the request's span, which its parts look up.
#[derive(Debug, Clone, Copy)]
struct Place {
    trace: TraceId,
    span: SpanId,
    parent: Option<SpanId>,
    begun: Instant,
    /// The same instant by the clock, in nanoseconds since 1970.
    begun_at: u64,
    /// The merchant's number, once it is known.
    merchant: Option<u64>,
}

impl Place {
    /// An instant in nanoseconds since 1970. All that belongs to a request is reckoned from its
    /// begin, so that a clock which is set meanwhile puts nothing out of order.
    fn at(&self, instant: Instant) -> u64 {
        let since = instant.saturating_duration_since(self.begun);
        self.begun_at.saturating_add(nanoseconds(since))
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The traces of a running server.
pub(crate) struct Traces {
    collector: Collector,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// A request that is being traced.
pub(crate) struct TracedRequest {
    place: Place,
    span: Span,
    method: &'static str,
    protocol: &'static str,
    path: String,
    request_id: String,
}

/// What is known of a request from its begin.
pub(crate) struct RequestFacts<'a> {
    /// A word from a list.
    pub(crate) method: &'static str,
    /// Which part answers.
    pub(crate) protocol: &'static str,
    /// As it may be logged.
    pub(crate) path: String,
    /// As it is logged.
    pub(crate) request_id: &'a str,
}

impl Traces {
    /// Traces that go to this collector.
    pub(crate) fn new(
        collector: Collector,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        Self { collector, clock, entropy }
    }

    /// How many spans were sent and how many were not.
    pub(crate) fn figures(&self) -> (u64, u64) {
        self.collector.figures()
    }

    /// Sends what waits, for as long as that is bearable at a stop.
    pub(crate) fn finish(&self) {
        self.collector.finish();
    }

    fn now(&self) -> u64 {
        let milliseconds = u64::try_from(self.clock.now().milliseconds()).unwrap_or_default();
        milliseconds.saturating_mul(1_000_000)
    }

    fn new_id<const COUNT: usize>(&self) -> [u8; COUNT] {
        let mut id = [0; COUNT];
        self.entropy.fill(&mut id);
        // The one value that means *none*.
        if id == [0; COUNT] { [1; COUNT] } else { id }
    }

    /// A request begins, in whose course `span` is current. None if its client wants no traces.
    pub(crate) fn request_begins(
        &self,
        span: &Span,
        given: Option<TraceParent>,
        facts: RequestFacts<'_>,
    ) -> Option<TracedRequest> {
        if given.is_some_and(|given| !given.is_sampled) {
            return None;
        }
        let place = Place {
            trace: given.map_or_else(|| self.new_id(), |given| given.trace),
            span: self.new_id(),
            parent: given.map(|given| given.parent),
            begun: Instant::now(),
            begun_at: self.now(),
            merchant: None,
        };
        if given.is_none() {
            span.record("trace_id", hex::encode(place.trace));
        }
        put(span, place);
        let RequestFacts { method, protocol, path, request_id } = facts;
        let request_id = request_id.to_owned();
        Some(TracedRequest { place, span: span.clone(), method, protocol, path, request_id })
    }

    /// A request was answered, or given up when there is no status.
    pub(crate) fn request_ends(&self, request: TracedRequest, status: Option<StatusCode>) {
        let TracedRequest { place, span, method, protocol, path, request_id } = request;
        let merchant = look(&span).and_then(|place| place.merchant);
        let mut attributes = vec![
            ("http.request.method", Value::Text(method.to_owned())),
            ("url.path", Value::Text(path)),
            ("lunas.protocol", Value::Text(protocol.to_owned())),
            ("lunas.request_id", Value::Text(request_id)),
        ];
        let status_code = status.map(|status| u64::from(status.as_u16()));
        attributes.extend(status_code.map(|it| ("http.response.status_code", Value::Number(it))));
        attributes.extend(merchant.map(|it| ("lunas.merchant", Value::Number(it))));
        self.collector.take(Finished {
            trace: place.trace,
            span: place.span,
            parent: place.parent,
            name: format!("{method} {protocol}"),
            kind: Kind::Server,
            begun_at: place.begun_at,
            ended_at: place.at(Instant::now()),
            is_fault: status.is_none_or(|status| status.is_server_error()),
            attributes,
        });
    }
}

/// Calls of upstreams are told by the gateway when they are over, in the course of a request or of
/// the work that asks about open orders; the latter get traces of their own.
impl Observer for Traces {
    fn called(&self, upstream: &UpstreamName, operation: Operation, took: Duration) {
        let now = Instant::now();
        let place = look(&Span::current());
        let operation = match operation {
            Operation::Inquire => "inquire",
            Operation::Pay => "pay",
            Operation::Ask => "ask",
            Operation::Settle => "settle",
        };
        let ended_at = place.map_or_else(|| self.now(), |place| place.at(now));
        self.collector.take(Finished {
            trace: place.map_or_else(|| self.new_id(), |place| place.trace),
            span: self.new_id(),
            parent: place.map(|place| place.span),
            name: format!("{operation} {upstream}"),
            kind: Kind::Client,
            begun_at: ended_at.saturating_sub(nanoseconds(took)),
            ended_at,
            is_fault: false,
            attributes: vec![
                ("lunas.upstream", Value::Text(upstream.to_string())),
                ("lunas.operation", Value::Text(operation.to_owned())),
            ],
        });
    }
}

/// Does something with the span of the log that stands for a request, where there is one: the filter
/// of the log may have turned it off, and then its parts are not found.
fn within<T>(
    span: &Span,
    act: impl FnOnce(tracing_subscriber::registry::SpanRef<'_, Registry>) -> T,
) -> Option<T> {
    span.with_subscriber(|(id, dispatch)| {
        dispatch.downcast_ref::<Registry>().and_then(|registry| registry.span(id)).map(act)
    })
    .flatten()
}

fn put(span: &Span, place: Place) {
    within(span, |span| span.extensions_mut().replace(place));
}

fn look(span: &Span) -> Option<Place> {
    within(span, |span| span.extensions().get::<Place>().copied()).flatten()
}

/// Takes note of the merchant that a protocol's face records for the log.
pub(crate) struct NoteMerchant;

impl<S> Layer<S> for NoteMerchant
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_record(&self, id: &Id, values: &Record<'_>, context: layer::Context<'_, S>) {
        struct Merchant(Option<u64>);

        impl Visit for Merchant {
            fn record_u64(&mut self, field: &Field, value: u64) {
                if field.name() == "merchant" {
                    self.0 = Some(value);
                }
            }

            fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
        }

        let Some(span) = context.span(id) else { return };
        if let Some(place) = span.extensions_mut().get_mut::<Place>() {
            let mut merchant = Merchant(place.merchant);
            values.record(&mut merchant);
            place.merchant = merchant.0;
        }
    }
}
