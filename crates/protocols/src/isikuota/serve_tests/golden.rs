//! Replays the recorded conversations in `golden/`, each against a world of its own.
//!
//! A request's head is its path, an answer's its status. Answers must come out byte for byte.

use std::sync::atomic::Ordering;

use super::world::{World, post};
use crate::conversations::{self, Turn};
use crate::isikuota::NAME;

/// Every conversation, so that a lost file is noticed.
const CONVERSATIONS: [&str; 7] =
    ["balance", "bill", "errors", "game", "prepaid", "products_and_status", "test_mode"];

async fn replay(conversation: &str) {
    let world = World::new().await;
    for turn in conversations::turns(NAME, conversation) {
        let exchange = match turn {
            Turn::Exchange(exchange) => exchange,
            Turn::Wait(seconds) => {
                world.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
                continue;
            }
        };
        let answer = world.send(post(&exchange.head, exchange.request.clone())).await;
        let body = std::str::from_utf8(answer.body()).expect("answers are UTF-8");
        assert_eq!(body, exchange.answer, "{conversation}: {}", exchange.request);
        let status = answer.status();
        assert_eq!(status.as_str(), exchange.answer_head, "{conversation}: {}", exchange.request);
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
    conversations::assert_complete(NAME, &CONVERSATIONS);
}
