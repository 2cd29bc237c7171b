//! Replays the recorded conversations in `golden/`, each against a world of its own.
//!
//! A request's head is `METHOD PATH CONTENT-TYPE`, for requests of the demo merchant; an answer's is its
//! status. Answers must come out byte for byte.

use super::world::{API_KEY, World, request};
use crate::conversations::{self, Turn};
use crate::ilenpay::NAME;

/// Every conversation, so that a lost file is noticed.
const CONVERSATIONS: [&str; 4] = ["direct", "errors", "information", "redirect"];

async fn replay(conversation: &str) {
    let world = World::new().await;
    for turn in conversations::turns(NAME, conversation) {
        let Turn::Exchange(exchange) = turn else { panic!("{conversation}: time stands still") };
        let mut words = exchange.head.splitn(3, ' ');
        let mut word = || words.next().expect("a method, a path and a type");
        let method = word().parse().expect("a method");
        let mut request = request(method, word(), API_KEY, exchange.request.clone());
        request.headers_mut().insert("Content-Type", word().parse().expect("a type"));
        let answer = world.send(request).await;
        let body = std::str::from_utf8(answer.body()).expect("answers are UTF-8");
        assert_eq!(body, exchange.answer, "{conversation}: {}", exchange.request);
        assert_eq!(answer.status().as_str(), exchange.answer_head, "{conversation}");
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
