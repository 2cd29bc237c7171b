//! What a request is called, what is shown of its path, and how it is counted.

use std::net::{IpAddr, Ipv4Addr};

use bytes::Bytes;
use http::Request;

use super::*;

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

#[tokio::test(start_paused = true)]
async fn a_request_is_counted_however_it_ends() {
    let metrics = Arc::new(Metrics::new());
    for answers in [true, false] {
        let service = Arc::new(Told { answers });
        let observed = Observed {
            service,
            metrics: Arc::clone(&metrics),
            entropy: Arc::new(Counting),
            traces: None,
        };
        let (head, ()) = Request::get("/api/v1/bill/check").body(()).unwrap().into_parts();
        let arrival =
            Arrival { head, body: Ok(Bytes::new()), peer: IpAddr::V4(Ipv4Addr::LOCALHOST) };
        let patience = std::time::Duration::from_secs(1);
        let answer = tokio::time::timeout(patience, observed.serve(arrival)).await;
        assert_eq!(answer.is_ok(), answers);
        if let Ok(answer) = answer {
            assert_eq!(answer.headers()[REQUEST_ID], MADE);
        }
    }
    assert_eq!(metrics.requests_by_end("iak"), (1, 1, 0));
}
