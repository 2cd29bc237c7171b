//! What is made of requests, and that a collector can read it and can be away.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use domain::Timestamp;
use serde_json::{Value as Json, json};
use tracing::field::Empty;
use tracing_subscriber::layer::SubscriberExt;

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(1_700_000_000_007)
    }
}

/// Every draw is another.
#[derive(Default)]
struct Counting(std::sync::atomic::AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    }
}

/// A collector that answers every request with this status, and passes on what it was sent.
fn collector(status: u16) -> (String, Receiver<(String, Json)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let (sender, received) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            while let Some((head, body)) = read(&mut reader) {
                let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 2\r\n\r\n{{}}");
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
                if sender.send((head, body)).is_err() {
                    return;
                }
            }
        }
    });
    (address, received)
}

/// One request: its head, and its body as JSON.
fn read(reader: &mut impl BufRead) -> Option<(String, Json)> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap() == 0 {
            return None;
        }
    }
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    Some((head, serde_json::from_slice(&body).unwrap()))
}

fn traces(address: String) -> Traces {
    let collector = Collector::at(address, "0123".to_owned()).unwrap();
    Traces::new(collector, Arc::new(Standing), Arc::<Counting>::default())
}

fn facts() -> RequestFacts<'static> {
    let path = "/api/v1/download/****".to_owned();
    RequestFacts { method: "GET", protocol: "iak", path, request_id: "kasir-7" }
}

fn request_span() -> Span {
    tracing::error_span!(target: "lunas::request", "request", trace_id = Empty, merchant = Empty)
}

/// Runs a closure where spans are kept as the program keeps them.
fn subscribed(act: impl FnOnce()) {
    let subscriber = tracing_subscriber::registry().with(Some(NoteMerchant));
    tracing::subscriber::with_default(subscriber, act);
}

/// The spans of a body, which must be of the form that the standard demands.
fn spans(body: &Json) -> Vec<Json> {
    let [resource] = &body["resourceSpans"].as_array().unwrap()[..] else { panic!("{body}") };
    let about = &resource["resource"]["attributes"];
    assert_eq!(about[0], json!({ "key": "service.name", "value": { "stringValue": "lunas" } }));
    assert!(about.as_array().unwrap().iter().any(|it| it["key"] == "service.instance.id"));
    let [scope] = &resource["scopeSpans"].as_array().unwrap()[..] else { panic!("{body}") };
    assert_eq!(scope["scope"]["name"], "lunas");
    let spans = scope["spans"].as_array().unwrap();
    for span in spans {
        let hexadecimal = |name: &str, length: usize| {
            let id = span[name].as_str().unwrap();
            let is_lower = |it: u8| it.is_ascii_digit() || (b'a'..=b'f').contains(&it);
            assert!(id.len() == length && id.bytes().all(is_lower), "{name}: {span}");
        };
        hexadecimal("traceId", 32);
        hexadecimal("spanId", 16);
        if span.get("parentSpanId").is_some() {
            hexadecimal("parentSpanId", 16);
        }
        let time = |name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
        assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"), "{span}");
        assert!(span["kind"].is_u64() && span["name"].is_string() && span["status"].is_object());
        for attribute in span["attributes"].as_array().unwrap() {
            let value = attribute["value"].as_object().unwrap();
            let [(kind, value)] = &value.iter().collect::<Vec<_>>()[..] else { panic!("{span}") };
            assert!(["stringValue", "intValue"].contains(&kind.as_str()) && value.is_string());
            assert!(attribute["key"].is_string(), "{span}");
        }
    }
    spans.clone()
}

/// An attribute of a span, as text.
fn attribute<'a>(span: &'a Json, key: &str) -> Option<&'a str> {
    let all = span["attributes"].as_array().unwrap();
    let value = &all.iter().find(|it| it["key"] == key)?["value"];
    value["stringValue"].as_str().or(value["intValue"].as_str())
}

#[test]
fn a_trace_is_recognised_by_the_letter_of_its_standard() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let (parent, zero) = ("00f067aa0ba902b7", "0".repeat(32));
    let table = [
        (format!("00-{trace}-{parent}-01"), true),
        (format!("01-{trace}-{parent}-01-later"), true),
        (format!("00-{trace}-{parent}-01-later"), false),
        (format!("ff-{trace}-{parent}-01"), false),
        (format!("00-{zero}-{parent}-01"), false),
        (format!("00-{trace}-{}-01", "0".repeat(16)), false),
        (format!("00-{}-{parent}-01", trace.to_uppercase()), false),
        (format!("00-{trace}-{parent}"), false),
        (String::new(), false),
    ];
    for (text, valid) in table {
        let value = HeaderValue::from_str(&text).unwrap();
        let read = TraceParent::read(&value);
        assert_eq!(read.map(|it| hex::encode(it.trace)), valid.then(|| trace.to_owned()), "{text}");
        assert!(read.is_none_or(|it| it.is_sampled && hex::encode(it.parent) == parent));
    }
}

#[test]
fn a_request_and_its_calls_are_one_trace() {
    let (address, received) = collector(200);
    let traces = traces(address);
    subscribed(|| {
        let span = request_span();
        let request = traces.request_begins(&span, None, facts()).unwrap();
        span.in_scope(|| {
            Span::current().record("merchant", 7_u32);
            let upstream = UpstreamName::new("stand_in");
            traces.called(&upstream, Operation::Pay, Duration::from_micros(1500));
        });
        traces.request_ends(request, Some(StatusCode::SERVICE_UNAVAILABLE));
    });
    traces.finish();
    let (head, body) = received.recv_timeout(PATIENCE).unwrap();
    assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
    assert!(head.to_lowercase().contains("content-type: application/json"), "{head}");
    let spans = spans(&body);
    let [call, request] = spans.as_slice() else { panic!("{body}") };
    assert_eq!(call["traceId"], request["traceId"]);
    assert_eq!(call["parentSpanId"], request["spanId"]);
    assert!(request.get("parentSpanId").is_none(), "{request}");
    assert_eq!((&request["kind"], &call["kind"]), (&json!(2), &json!(3)));
    assert_eq!(request["startTimeUnixNano"], "1700000000007000000");
    assert_eq!(request["name"], "GET iak");
    assert_eq!(request["status"], json!({ "code": 2 }));
    assert_eq!(call["status"], json!({}));
    let table = [
        (request, "http.request.method", "GET"),
        (request, "url.path", "/api/v1/download/****"),
        (request, "http.response.status_code", "503"),
        (request, "lunas.protocol", "iak"),
        (request, "lunas.request_id", "kasir-7"),
        (request, "lunas.merchant", "7"),
        (call, "lunas.upstream", "stand_in"),
        (call, "lunas.operation", "pay"),
    ];
    for (span, key, value) in table {
        assert_eq!(attribute(span, key), Some(value), "{key}");
    }
    assert_eq!(traces.figures(), (2, 0));
}

#[test]
fn the_trace_of_a_client_is_continued_if_it_is_recorded() {
    let (address, received) = collector(200);
    let traces = traces(address);
    let given = TraceParent { trace: [0xab; 16], parent: [0xcd; 8], is_sampled: true };
    subscribed(|| {
        let unsampled = TraceParent { is_sampled: false, ..given };
        assert!(traces.request_begins(&request_span(), Some(unsampled), facts()).is_none());
        let request = traces.request_begins(&request_span(), Some(given), facts()).unwrap();
        traces.request_ends(request, None);
    });
    // Outside of any request, and where no spans are kept at all.
    traces.called(&UpstreamName::new("stand_in"), Operation::Ask, Duration::ZERO);
    traces.finish();
    let spans = spans(&received.recv_timeout(PATIENCE).unwrap().1);
    let [request, question] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!(request["traceId"], "ab".repeat(16));
    assert_eq!(request["parentSpanId"], "cd".repeat(8));
    assert_eq!(request["status"], json!({ "code": 2 }), "it was given up");
    assert_eq!(attribute(request, "http.response.status_code"), None);
    assert_ne!(question["traceId"], request["traceId"]);
    assert!(question.get("parentSpanId").is_none());
}

#[test]
fn spans_that_a_collector_does_not_take_are_dropped_and_counted() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (refusing, _received) = collector(503);
    for address in [format!("http://{closed}/v1/traces"), refusing] {
        let traces = traces(address);
        let upstream = UpstreamName::new("stand_in");
        traces.called(&upstream, Operation::Ask, Duration::ZERO);
        traces.finish();
        assert_eq!(traces.figures(), (0, 1));
    }
}

#[test]
fn nobody_waits_for_a_collector_that_says_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let traces = traces(format!("http://{}/v1/traces", silent.local_addr().unwrap()));
    let upstream = UpstreamName::new("stand_in");
    let begun = Instant::now();
    for _ in 0..10_000 {
        traces.called(&upstream, Operation::Ask, Duration::ZERO);
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let (sent, dropped) = traces.figures();
    assert!(sent == 0 && dropped > 5000, "{dropped}");
    traces.finish();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}
