//! Replays the recorded conversations in `golden/`, each against a world of its own.
//!
//! A file is a conversation in order: `> PATH` opens a request, `< STATUS` its answer, the line below
//! is the body as it stands, `@ SECONDS` moves the clock on, `#` is a remark. Answers must come out
//! byte for byte.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::world::{World, post};

/// Every conversation, so that a lost file is noticed.
const CONVERSATIONS: [&str; 7] =
    ["balance", "bill", "errors", "game", "prepaid", "products_and_status", "test_mode"];

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/isikuota/golden"))
}

async fn replay(conversation: &str) {
    let path = folder().join(format!("{conversation}.txt"));
    let text = std::fs::read_to_string(&path).expect("a recorded conversation");
    let world = World::new().await;
    let mut lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut count = 0;
    while let Some(line) = lines.next() {
        if let Some(seconds) = line.strip_prefix("@ ") {
            let seconds: i64 = seconds.parse().expect("seconds");
            world.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
            continue;
        }
        let path = line.strip_prefix("> ").expect("a path");
        let request = lines.next().expect("a body").to_owned();
        let status = lines.next().and_then(|it| it.strip_prefix("< ")).expect("a status");
        let expected = lines.next().expect("an answer");
        let answer = world.send(post(path, request.clone())).await;
        let body = std::str::from_utf8(answer.body()).expect("answers are UTF-8");
        assert_eq!(body, expected, "{conversation}: {request}");
        assert_eq!(answer.status().as_str(), status, "{conversation}: {request}");
        count += 1;
    }
    assert!(count > 0, "{conversation} is empty");
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
