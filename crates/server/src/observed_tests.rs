//! What a request is called, what is shown of its path, and how it is counted.

use std::net::Ipv4Addr;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use domain::{ProcessId, UpstreamName};
use gateway::exchanges::{Counts, Found, Note, Nowhere, Subject};
use gateway::in_memory::InMemory;
use gateway::ports::StoreFault;
use gateway::{Gateway, Parts};
use http::Request;
use protocols::admission::{AnySignature, any_address, any_rate};
use protocols::iak;

use super::*;
use crate::system::SystemClock;

struct Counting;

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for (byte, count) in bytes.iter_mut().zip(0x0a..) {
            *byte = count;
        }
    }
}

const MADE: &str = "0a0b0c0d0e0f10111213141516171819";

#[test]
fn an_id_is_kept_if_it_is_harmless() {
    let long = "x".repeat(65);
    let most = "x".repeat(64);
    let table = [
        (Some("order-7.a_B"), "order-7.a_B"),
        (Some(most.as_str()), most.as_str()),
        (Some(long.as_str()), MADE),
        (Some(""), MADE),
        (Some("081234567345"), MADE),
        (Some("with blank"), MADE),
        (Some("a\"b"), MADE),
        (Some("é"), MADE),
        (None, MADE),
    ];
    for (given, expected) in table {
        let mut headers = HeaderMap::new();
        if let Some(given) = given {
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(given.as_bytes()).unwrap());
        }
        assert_eq!(request_id(&headers, &Counting), expected, "{given:?}");
    }
}

#[test]
fn a_path_shows_words_and_hides_numbers_and_keys() {
    let table = [
        ("/", "/"),
        ("/api/v1/bill/check/pdam", "/api/v1/bill/check/pdam"),
        ("/admin/v1/order-resolutions", "/admin/v1/order-resolutions"),
        ("/api/v1/tiketv2", "/api/v1/tiketv2"),
        ("/api/v1/download/1000000001/1", "/api/v1/download/****/1"),
        ("/order-resolutions/9", "/orde****ons/9"),
        ("/x/081234567345", "/x/0812****345"),
        ("/x/9f1c2ab34de5f678", "/x/9f1c****678"),
        ("/x/Qm3xT7kLp0aZ9Vd", "/x/Qm3x****9Vd"),
        ("/x/%00%0a", "/x/****"),
        ("/a-word-that-is-far-too-long-for-one", "/a-wo****one"),
    ];
    for (path, shown) in table {
        assert_eq!(ShownPath::new(path, part(path)).to_string(), shown);
    }
}

/// Answers 404, or never.
struct Told {
    answers: bool,
}

#[async_trait]
impl Serve for Told {
    async fn serve(&self, _arrival: Arrival) -> Answer {
        if !self.answers {
            std::future::pending::<()>().await;
        }
        let mut answer = Answer::new(Bytes::new());
        *answer.status_mut() = StatusCode::NOT_FOUND;
        answer
    }
}

/// Answers for every part.
struct ForAll(Arc<dyn Serve>);

impl ServePart for ForAll {
    fn serve_part(&self, _part: Part, arrival: Arrival) -> Answering<'_> {
        self.0.serve(arrival)
    }
}

fn observed(
    service: Arc<dyn Serve>,
    metrics: &Arc<Metrics>,
    exchanges: Arc<dyn ExchangeLog>,
) -> Observed {
    Observed {
        service: Arc::new(ForAll(service)),
        metrics: Arc::clone(metrics),
        entropy: Arc::new(Counting),
        traces: None,
        clock: Arc::new(SystemClock::default()),
        exchanges,
    }
}

fn arrival(body: Bytes) -> Arrival {
    let (head, ()) = Request::get("/api/v1/bill/check").body(()).unwrap().into_parts();
    Arrival { head, body: Ok(body), peer: IpAddr::V4(Ipv4Addr::LOCALHOST), note: None }
}

/// IAK over a gateway that knows nobody.
async fn iak() -> Arc<dyn Serve> {
    let memory = Arc::<InMemory>::default();
    let gateway = Gateway::open(Parts {
        store: Arc::clone(&memory) as _,
        reports: Arc::clone(&memory) as _,
        collections: memory,
        clock: Arc::new(SystemClock::default()),
        observer: Arc::new(gateway::observer::Nobody),
        upstreams: Vec::new(),
        settings: gateway::Settings {
            answer_within: Duration::from_secs(1),
            call_within: Duration::from_secs(1),
            cut_offs: true,
            upstream: UpstreamName::new("nobody"),
            test_upstream: UpstreamName::new("nobody"),
        },
        process: ProcessId(1),
    });
    let (addresses, rates) = (any_address(), any_rate());
    let signatures = Arc::new(AnySignature);
    let settings = iak::Settings { tr_id_key: [0; 32], addresses, rates, signatures };
    Arc::new(iak::Served::new(gateway.await.unwrap(), settings))
}

/// Remembers what it was given.
#[derive(Default)]
struct Remembered(Mutex<Vec<Exchange>>);

#[async_trait]
impl ExchangeLog for Remembered {
    fn is_on(&self) -> bool {
        true
    }

    fn admits(&self) -> bool {
        true
    }

    fn record(&self, exchange: Exchange) {
        self.0.lock().unwrap().push(exchange);
    }

    async fn about(&self, _subject: Subject) -> Result<Found, StoreFault> {
        Ok(Found::default())
    }

    fn counts(&self) -> Counts {
        Counts::default()
    }

    async fn close(&self) {}
}

#[tokio::test]
async fn what_was_noted_is_kept_without_copying_a_body() {
    let (metrics, log) = (Arc::new(Metrics::new()), Arc::<Remembered>::default());
    let body = Bytes::from(vec![b'x'; 100]);
    let noted = observed(iak().await, &metrics, Arc::<Remembered>::clone(&log));
    let answer = noted.serve(arrival(body.clone())).await;
    let unnoted = observed(Arc::new(Told { answers: true }), &metrics, Arc::clone(&log) as _);
    unnoted.serve(arrival(body.clone())).await;
    let kept = log.0.lock().unwrap();
    let [exchange] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!(exchange.request.as_ptr(), body.as_ptr());
    assert_eq!(exchange.answer.as_ptr(), answer.body().as_ptr());
    assert_eq!((&*exchange.request_id, exchange.http_status), (MADE, Some(405)));
    assert_eq!((exchange.note.protocol, exchange.note.code), ("iak", Some("117")));
    assert_eq!(exchange.peer, IpAddr::V4(Ipv4Addr::LOCALHOST));
}

/// Leaves a note and never answers.
struct Unfinished;

#[async_trait]
impl Serve for Unfinished {
    async fn serve(&self, arrival: Arrival) -> Answer {
        let slot = arrival.note.unwrap();
        slot.leave(Note::new("iak", |_, _| String::new()));
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_never_answered_is_kept_too() {
    let (metrics, log) = (Arc::new(Metrics::new()), Arc::<Remembered>::default());
    let unfinished = observed(Arc::new(Unfinished), &metrics, Arc::<Remembered>::clone(&log));
    let request = unfinished.serve(arrival(Bytes::from_static(b"request")));
    assert!(tokio::time::timeout(Duration::from_secs(1), request).await.is_err());
    let kept = log.0.lock().unwrap();
    let [exchange] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!((exchange.http_status, &exchange.request[..]), (None, &b"request"[..]));
    assert!(exchange.answer.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_request_is_counted_however_it_ends() {
    let metrics = Arc::new(Metrics::new());
    for answers in [true, false] {
        let service = Arc::new(Told { answers });
        let observed = observed(service, &metrics, Arc::new(Nowhere));
        let arrival = arrival(Bytes::new());
        let patience = std::time::Duration::from_secs(1);
        let answer = tokio::time::timeout(patience, observed.serve(arrival)).await;
        assert_eq!(answer.is_ok(), answers);
        if let Ok(answer) = answer {
            assert_eq!(answer.headers()[REQUEST_ID], MADE);
        }
    }
    assert_eq!(metrics.requests_by_end("iak"), (1, 1, 0));
}
