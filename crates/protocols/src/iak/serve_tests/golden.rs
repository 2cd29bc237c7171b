//! Replays the recorded conversations in `golden/`, each against a world of its own.
//!
//! A file is a conversation in order: `> PATH CONTENT-TYPE` opens a request, `< STATUS CONTENT-TYPE`
//! its answer, the lines below are the body as it stands, `#` is a remark. `> GET PATH ACCEPT` opens
//! a request without a body. Answers must come out byte for byte; of a PDF only the file's name is
//! recorded, because what stands in it is compared beside the code that draws it.

use std::path::PathBuf;

use http::Method;
use http::header::{ACCEPT, CONTENT_DISPOSITION};

use super::world::{World, get, post};
use crate::exchange::Answer;

/// Every conversation, so that a lost file is noticed.
const CONVERSATIONS: [&str; 37] = [
    "bpjs",
    "bpjs_denda",
    "bpjs_employment_company",
    "bpjs_employment_self_paid",
    "check_status",
    "check_status_xml",
    "church",
    "errors",
    "errors_xml",
    "finance",
    "free_amount",
    "gas",
    "insurance",
    "internet",
    "mobile",
    "no_particulars",
    "pln_non_taglist",
    "pln_postpaid",
    "pln_postpaid_several",
    "prepaid_errors",
    "prepaid_errors_xml",
    "prepaid_inquiries",
    "prepaid_inquiries_xml",
    "prepaid_legacy",
    "prepaid_legacy_xml",
    "prepaid_price_list",
    "prepaid_top_up",
    "prepaid_top_up_xml",
    "price_list",
    "property_tax",
    "receipt",
    "receipt_xml",
    "television",
    "telkom",
    "telkomvision",
    "vehicle_tax",
    "water",
];

/// One request and the answer that it must bring.
#[derive(Default)]
struct Exchange {
    method: Method,
    path: String,
    /// What a request with a body names as its type, and one without as what it accepts.
    content_type: String,
    request: String,
    status: u16,
    answer_type: String,
    answer: String,
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/iak/golden"))
}

fn exchanges(conversation: &str) -> Vec<Exchange> {
    let path = folder().join(format!("{conversation}.txt"));
    let text = std::fs::read_to_string(&path).expect("a recorded conversation");
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut in_answer = false;
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        if let Some(head) = line.strip_prefix("> ") {
            let (method, head) = match head.strip_prefix("GET ") {
                Some(head) => (Method::GET, head),
                None => (Method::POST, head),
            };
            let (path, content_type) = head.split_once(' ').expect("a path and a type");
            exchanges.push(Exchange {
                method,
                path: path.to_owned(),
                content_type: content_type.to_owned(),
                ..Exchange::default()
            });
            in_answer = false;
            continue;
        }
        let exchange = exchanges.last_mut().expect("a request comes first");
        if let Some(head) = line.strip_prefix("< ") {
            let (status, content_type) = head.split_once(' ').expect("a status and a type");
            exchange.status = status.parse().expect("a status");
            exchange.answer_type = content_type.to_owned();
            in_answer = true;
            continue;
        }
        let body = if in_answer { &mut exchange.answer } else { &mut exchange.request };
        if !body.is_empty() {
            body.push('\n');
        }
        body.push_str(line);
    }
    exchanges
}

/// The body of an answer as it is recorded.
fn recorded(answer: &Answer) -> &str {
    let body = answer.body();
    if body.starts_with(b"%PDF-") {
        assert!(body.ends_with(b"%%EOF") || body.ends_with(b"%%EOF\n"), "a PDF that breaks off");
        return answer.headers()[CONTENT_DISPOSITION].to_str().expect("a name");
    }
    std::str::from_utf8(body).expect("answers are UTF-8")
}

async fn replay(conversation: &str) {
    let world = World::new().await;
    let exchanges = exchanges(conversation);
    assert!(!exchanges.is_empty(), "{conversation} is empty");
    for exchange in exchanges {
        let request = match exchange.method {
            Method::GET => get(&exchange.path, &[(ACCEPT, &exchange.content_type)]),
            _ => post(&exchange.path, Some(&exchange.content_type), exchange.request.clone()),
        };
        let answer = world.send(request).await;
        let asked = format!("{conversation}: {} {}", exchange.path, exchange.request);
        assert_eq!(recorded(&answer), exchange.answer, "{asked}");
        assert_eq!(answer.status().as_u16(), exchange.status, "{conversation}");
        assert_eq!(answer.headers()["Content-Type"], exchange.answer_type, "{conversation}");
        world.gateway.finish_calls().await;
    }
}

#[tokio::test]
async fn every_recorded_conversation_comes_out_the_same() {
    for conversation in CONVERSATIONS {
        replay(conversation).await;
    }
}

#[test]
fn no_conversation_is_left_out() {
    let mut files: Vec<_> = std::fs::read_dir(folder())
        .expect("the folder of conversations")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
        .collect();
    files.sort();
    assert_eq!(files, CONVERSATIONS.map(|name| format!("{name}.txt")));
}
