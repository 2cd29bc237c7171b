//! What is known of a request besides its answer: its id, its line in the log, its place in the
//! metrics and in the log of exchanges.
//!
//! It stands between the edge and whatever answers. Each request gets an id, its own if that is
//! harmless, which is echoed and which every line carries that is logged in its course, also by
//! the calls that outlive it. The line of a request holds only what is listed here: never a body,
//! a query, a header or a name, and of the path nothing that could be a number or a key.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::{Masked, Timestamp};
use gateway::exchanges::Exchange;
use gateway::ports::{Clock, Entropy, ExchangeLog};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use protocols::exchange::{Answer, Arrival, NoteSlot, Serve};
use tracing::field::Empty;
use tracing::{Instrument, Span, debug, error_span, info};

use crate::dispatch::{Answering, Part, ServePart, part};
use crate::metrics::Metrics;
use crate::traces::{RequestFacts, TraceParent, TracedRequest, Traces};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_BYTES_MAX: usize = 64;

/// Observes the requests that something answers.
pub(crate) struct Observed {
    /// Who answers.
    pub(crate) service: Arc<dyn ServePart>,
    /// Who counts.
    pub(crate) metrics: Arc<Metrics>,
    /// Where new ids come from.
    pub(crate) entropy: Arc<dyn Entropy>,
    /// Who traces, if anybody does.
    pub(crate) traces: Option<Arc<Traces>>,
    /// Tells when a request came.
    pub(crate) clock: Arc<dyn Clock>,
    /// Keeps what a protocol noted of a request, with both bodies.
    pub(crate) exchanges: Arc<dyn ExchangeLog>,
}

impl Serve for Observed {
    /// The request goes on at once into the future of whoever answers, and only that one is kept here:
    /// a request is large, and each future that it passes through would copy it.
    fn serve<'observed, 'answer>(&'observed self, mut arrival: Arrival) -> Answering<'answer>
    where
        'observed: 'answer,
        Self: 'answer,
    {
        let id = request_id(&arrival.head.headers, &*self.entropy);
        let given = TraceParent::of(&arrival.head.headers);
        let span = span(&id, given);
        let mut active = Active::begin(self, id, &mut arrival);
        active.traced = active.begin_trace(&span, given);
        let answering = self.service.serve_part(active.part, arrival);
        let answered = async move {
            let mut answer = answering.await;
            active.end(&mut answer);
            answer
        };
        Box::pin(answered.instrument(span))
    }
}

/// A request that is being answered. One that is dropped before was given up.
struct Active<'a> {
    metrics: &'a Metrics,
    traces: Option<&'a Traces>,
    traced: Option<TracedRequest>,
    exchanged: Option<Exchanged<'a>>,
    method: &'static str,
    uri: Uri,
    part: Part,
    id: HeaderValue,
    begun: Instant,
    is_answered: bool,
}

impl<'a> Active<'a> {
    fn begin(observed: &'a Observed, id: HeaderValue, arrival: &mut Arrival) -> Self {
        let begun = Instant::now();
        let (method, uri) = (shown_method(&arrival.head.method), arrival.head.uri.clone());
        let part = part(uri.path());
        let log = observed.exchanges.as_ref();
        // Nobody else leaves a note.
        let is_noted = matches!(part, Part::Protocol(_)) && log.admits();
        let exchanged =
            is_noted.then(|| Exchanged::begin(log, observed.clock.now(), begun, &id, arrival));
        observed.metrics.request_begins();
        Self {
            metrics: &observed.metrics,
            traces: observed.traces.as_deref().filter(|_| part != Part::Health),
            traced: None,
            exchanged,
            method,
            uri,
            part,
            id,
            begun,
            is_answered: false,
        }
    }

    /// Begins a trace, where anybody traces. `span` is current in the course of the request.
    fn begin_trace(&self, span: &Span, given: Option<TraceParent>) -> Option<TracedRequest> {
        let facts = || RequestFacts {
            method: self.method,
            protocol: self.part.name(),
            path: self.path().to_string(),
            request_id: self.id.to_str().unwrap_or_default(),
        };
        self.traces.and_then(|traces| traces.request_begins(span, given, facts()))
    }

    /// The request is answered: what is known of it now goes wherever it belongs, and the answer gets
    /// its id.
    fn end(&mut self, answer: &mut Answer) {
        let (took, status) = (self.begun.elapsed(), answer.status());
        self.is_answered = true;
        self.metrics.request_ends(self.part.name(), status, took);
        self.end_trace(Some(status));
        if let Some(exchanged) = &mut self.exchanged {
            exchanged.answer = Some(Answered { took, status, body: answer.body().clone() });
        }
        answer.headers_mut().insert(REQUEST_ID, self.id.clone());
        self.log(status, took);
    }

    fn end_trace(&mut self, status: Option<StatusCode>) {
        if let (Some(traces), Some(request)) = (self.traces, self.traced.take()) {
            traces.request_ends(request, status);
        }
    }

    /// Writes the line of the request, within its span.
    fn log(&self, status: StatusCode, took: Duration) {
        let (method, path, protocol) = (self.method, self.path(), self.part.name());
        let status = status.as_u16();
        let duration_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        // Whoever watches the program asks again and again, and nobody reads about it.
        if self.part == Part::Health {
            debug!(target: "lunas::access", method, %path, status, duration_us, protocol, "request");
        } else {
            info!(target: "lunas::access", method, %path, status, duration_us, protocol, "request");
        }
    }

    fn path(&self) -> ShownPath<'_> {
        ShownPath::new(self.uri.path(), self.part)
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        if !self.is_answered {
            self.metrics.request_is_abandoned();
            self.end_trace(None);
        }
    }
}

/// An exchange until its end, whichever that is. The body of the request is shared and not copied.
struct Exchanged<'a> {
    log: &'a dyn ExchangeLog,
    slot: NoteSlot,
    at: Timestamp,
    begun: Instant,
    peer: IpAddr,
    request_id: HeaderValue,
    request: Bytes,
    /// None until there is one, which may be never.
    answer: Option<Answered>,
}

/// An answer that was given.
struct Answered {
    took: Duration,
    status: StatusCode,
    body: Bytes,
}

impl<'a> Exchanged<'a> {
    /// Asks for a note of this request.
    fn begin(
        log: &'a dyn ExchangeLog,
        at: Timestamp,
        begun: Instant,
        id: &HeaderValue,
        arrival: &mut Arrival,
    ) -> Self {
        let slot = NoteSlot::default();
        arrival.note = Some(slot.clone());
        let request = arrival.body.clone().unwrap_or_default();
        let (peer, request_id) = (arrival.peer, id.clone());
        Self { log, slot, at, begun, peer, request_id, request, answer: None }
    }
}

/// Whoever answered has left his note by now: his future ends before this does.
impl Drop for Exchanged<'_> {
    fn drop(&mut self) {
        let Some(note) = self.slot.take() else { return };
        let answer = self.answer.take();
        self.log.record(Exchange {
            at: self.at,
            took: answer.as_ref().map_or_else(|| self.begun.elapsed(), |answer| answer.took),
            peer: self.peer,
            request_id: self.request_id.to_str().unwrap_or_default().into(),
            note,
            http_status: answer.as_ref().map(|answer| answer.status.as_u16()),
            request: std::mem::take(&mut self.request),
            answer: answer.map(|answer| answer.body).unwrap_or_default(),
        });
    }
}

/// What every line carries that is logged in the course of a request. The protocol's face records
/// the merchant's number once it knows it.
fn span(id: &HeaderValue, given: Option<TraceParent>) -> Span {
    let request_id = id.to_str().unwrap_or_default();
    let span = error_span!(
        target: "lunas::request", "request", request_id, trace_id = Empty, merchant = Empty
    );
    if let Some(given) = given {
        span.record("trace_id", hex::encode(given.trace));
    }
    span
}

/// The request's own id if it is short, harmless and no bare number, or a new one. A bare number is
/// likely to be a customer's.
fn request_id(headers: &HeaderMap, entropy: &dyn Entropy) -> HeaderValue {
    let is_sane = |id: &&HeaderValue| {
        let bytes = id.as_bytes();
        let harmless = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        bytes.len() <= REQUEST_ID_BYTES_MAX
            && bytes.iter().all(harmless)
            && bytes.iter().any(u8::is_ascii_alphabetic)
    };
    headers.get(REQUEST_ID).filter(is_sane).cloned().unwrap_or_else(|| new_id(entropy))
}

/// 128 bits in hexadecimal.
fn new_id(entropy: &dyn Entropy) -> HeaderValue {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    let mut text = [0; 32];
    // The room is twice as long as what is drawn, which is all that could fail.
    let _fits = hex::encode_to_slice(random, &mut text);
    HeaderValue::from_bytes(&text).unwrap_or(HeaderValue::from_static("unknown"))
}

/// A method as it may be logged: any word can be sent as one.
const fn shown_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// A path as it may be logged. A segment that is not a plain word is masked: it could be a
/// customer's number, a token or a key.
struct ShownPath<'a> {
    path: &'a str,
    /// How long a word may be. Where nobody serves a path nothing says what is in it.
    word_max: usize,
}

impl<'a> ShownPath<'a> {
    const fn new(path: &'a str, part: Part) -> Self {
        let word_max = if matches!(part, Part::Unknown) { 10 } else { 24 };
        Self { path, word_max }
    }

    fn may_show(&self, segment: &str) -> bool {
        segment.len() <= self.word_max && is_plain(segment)
    }
}

impl fmt::Display for ShownPath<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let segments = || self.path.split('/');
        if segments().all(|segment| self.may_show(segment)) {
            return formatter.write_str(self.path);
        }
        for (index, segment) in segments().enumerate() {
            if index > 0 {
                formatter.write_str("/")?;
            }
            if self.may_show(segment) {
                formatter.write_str(segment)?;
            } else {
                fmt::Display::fmt(&Masked(segment), formatter)?;
            }
        }
        Ok(())
    }
}

/// Whether a segment is a word as it occurs in the paths of an API: letters of one case and at most
/// two digits, such as `v1` and `order-resolutions`.
fn is_plain(segment: &str) -> bool {
    let (mut digits, mut lower_case, mut upper_case) = (0_usize, false, false);
    for byte in segment.bytes() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'a'..=b'z' => lower_case = true,
            b'A'..=b'Z' => upper_case = true,
            b'.' | b'_' | b'-' => {}
            _ => return false,
        }
    }
    digits <= 2 && !(lower_case && upper_case)
}

#[cfg(test)]
#[path = "observed_tests.rs"]
mod tests;
