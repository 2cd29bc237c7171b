//! What a request is called, what is shown of its path, and how it is counted.

use std::net::Ipv4Addr;
use std::sync::Mutex;

use gateway::exchanges::{Counts, Found, Nowhere, Subject};
use gateway::ports::StoreFault;
use http::{Request, StatusCode};

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
        assert_eq!(trace_id(&value), valid.then_some(trace), "{text}");
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

fn observed(
    service: Arc<dyn Serve>,
    metrics: &Arc<Metrics>,
    exchanges: Arc<dyn ExchangeLog>,
) -> Observed {
    Observed {
        service,
        metrics: Arc::clone(metrics),
        entropy: Arc::new(Counting),
        clock: Arc::new(SystemClock::default()),
        exchanges,
    }
}

fn arrival(body: Bytes) -> Arrival {
    let (head, ()) = Request::get("/api/v1/bill/check").body(()).unwrap().into_parts();
    Arrival { head, body: Ok(body), peer: IpAddr::V4(Ipv4Addr::LOCALHOST) }
}

/// Notes what it answers.
struct Noted;

const ANSWER: &[u8] = b"answer";

#[async_trait]
impl Serve for Noted {
    async fn serve(&self, _arrival: Arrival) -> Answer {
        let mut answer = Answer::new(Bytes::from_static(ANSWER));
        answer.extensions_mut().insert(Note::new("iak", |_, _| String::new()));
        answer
    }
}

/// Remembers what it was given.
#[derive(Default)]
struct Remembered(Mutex<Vec<Exchange>>);

#[async_trait]
impl ExchangeLog for Remembered {
    fn is_on(&self) -> bool {
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
    let noted = observed(Arc::new(Noted), &metrics, Arc::<Remembered>::clone(&log));
    let answer = noted.serve(arrival(body.clone())).await;
    assert!(answer.extensions().get::<Note>().is_none(), "a note does not leave the program");
    let unnoted = observed(Arc::new(Told { answers: true }), &metrics, Arc::clone(&log) as _);
    unnoted.serve(arrival(body.clone())).await;
    let kept = log.0.lock().unwrap();
    let [exchange] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!(
        (exchange.request.as_ptr(), exchange.answer.as_ptr()),
        (body.as_ptr(), ANSWER.as_ptr())
    );
    assert_eq!((&*exchange.request_id, exchange.http_status), (MADE, 200));
    assert_eq!(exchange.peer, IpAddr::V4(Ipv4Addr::LOCALHOST));
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
