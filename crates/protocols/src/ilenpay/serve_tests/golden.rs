//! Replays the recorded conversations in `golden/`, each against a world of its own.
//!
//! A file is a conversation in order: `> METHOD PATH CONTENT-TYPE` opens a request of the demo merchant,
//! `< STATUS` its answer, the lines below are the body as it stands, `#` is a remark. Answers must come
//! out byte for byte.

use std::path::PathBuf;

use http::Method;

use super::world::{API_KEY, World, request};

/// Every conversation, so that a lost file is noticed.
const CONVERSATIONS: [&str; 4] = ["direct", "errors", "information", "redirect"];

/// One request and the answer that it must bring.
#[derive(Default)]
struct Exchange {
    method: Method,
    path: String,
    content_type: String,
    request: String,
    status: u16,
    answer: String,
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/ilenpay/golden"))
}

fn exchanges(conversation: &str) -> Vec<Exchange> {
    let path = folder().join(format!("{conversation}.txt"));
    let text = std::fs::read_to_string(&path).expect("a recorded conversation");
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut in_answer = false;
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        if let Some(head) = line.strip_prefix("> ") {
            let mut words = head.splitn(3, ' ').map(str::to_owned);
            let mut word = || words.next().expect("a method, a path and a type");
            let method = word().parse().expect("a method");
            let (path, content_type) = (word(), word());
            exchanges.push(Exchange { method, path, content_type, ..Exchange::default() });
            in_answer = false;
            continue;
        }
        let exchange = exchanges.last_mut().expect("a request comes first");
        if let Some(status) = line.strip_prefix("< ") {
            exchange.status = status.parse().expect("a status");
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

async fn replay(conversation: &str) {
    let world = World::new().await;
    let exchanges = exchanges(conversation);
    assert!(!exchanges.is_empty(), "{conversation} is empty");
    for exchange in exchanges {
        let method = exchange.method.clone();
        let mut request = request(method, &exchange.path, API_KEY, exchange.request.clone());
        let content_type = exchange.content_type.parse().expect("a type");
        request.headers_mut().insert("Content-Type", content_type);
        let answer = world.send(request).await;
        let body = std::str::from_utf8(answer.body()).expect("answers are UTF-8");
        assert_eq!(body, exchange.answer, "{conversation}: {}", exchange.request);
        assert_eq!(answer.status().as_u16(), exchange.status, "{conversation}");
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
