//! Replays the recorded conversations in `golden/`, each against a world of its own.
//!
//! A request's head is `PATH CONTENT-TYPE`, or `GET PATH ACCEPT` without a body; an answer's is
//! `STATUS CONTENT-TYPE`. Answers must come out byte for byte; of a PDF only the file's name is recorded,
//! because what stands in it is compared beside the code that draws it.

use http::header::{ACCEPT, CONTENT_DISPOSITION};

use super::world::{World, get, post};
use crate::conversations::{self, Turn};
use crate::exchange::Answer;
use crate::iak::NAME;

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
    for turn in conversations::turns(NAME, conversation) {
        let Turn::Exchange(exchange) = turn else { panic!("{conversation}: time stands still") };
        let request = match exchange.head.strip_prefix("GET ") {
            Some(head) => {
                let (path, accepted) = head.split_once(' ').expect("a path and a type");
                get(path, &[(ACCEPT, accepted)])
            }
            None => {
                let (path, content_type) =
                    exchange.head.split_once(' ').expect("a path and a type");
                post(path, Some(content_type), exchange.request.clone())
            }
        };
        let answer = world.send(request).await;
        let asked = format!("{conversation}: {} {}", exchange.head, exchange.request);
        assert_eq!(recorded(&answer), exchange.answer, "{asked}");
        let content_type = answer.headers()["Content-Type"].to_str().expect("a type");
        let head = format!("{} {content_type}", answer.status().as_u16());
        assert_eq!(head, exchange.answer_head, "{asked}");
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
    conversations::assert_complete(NAME, &CONVERSATIONS);
}
