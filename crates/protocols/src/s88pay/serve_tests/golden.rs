//! Replays the recorded conversations in `golden/`, each against a world of its own.
//!
//! A file is a conversation in order: `> METHOD PATH` opens a request, below it stands the text that is
//! encrypted into its key, in the query for a GET and in a JSON body otherwise; `< STATUS CONTENT-TYPE`
//! opens its answer, of which a redirection has the location and everything else the body, without the
//! style of a page. `#` is a remark. Answers must come out byte for byte.

use http::Method;

use super::world::{World, cipher, get, post};
use crate::conversations;
use crate::s88pay::NAME;

/// Every conversation, so that a lost file is noticed.
const CONVERSATIONS: [&str; 5] = ["deposits", "errors", "payouts", "reports", "submissions"];

/// The operator whose code stands in a path.
fn operator(path: &str) -> Option<&str> {
    path.split('/').find(|segment| segment.starts_with("OPR"))
}

async fn answer(world: &World, method: &Method, path: &str, text: &str) -> String {
    let key = operator(path).filter(|_| !text.is_empty()).map(|code| cipher(code).encrypt(text));
    let request = match (key, method) {
        (None, &Method::GET) => get(path),
        (None, _) => post(path, ""),
        (Some(key), &Method::GET) => get(&format!("{path}?key={key}")),
        (Some(key), _) => post(path, serde_json::json!({ "key": key }).to_string()),
    };
    let answer = world.send(request).await;
    world.gateway.finish_calls().await;
    let header =
        |name: &str| answer.headers().get(name).map_or("-", |it| it.to_str().expect("text"));
    let status = answer.status().as_u16();
    let body = match header("Location") {
        "-" => std::str::from_utf8(answer.body()).expect("answers are UTF-8").trim_end(),
        location => location,
    };
    let body = match body.split_once("<style>") {
        Some((before, rest)) => {
            let (_, after) = rest.split_once("</style>\n").expect("a style ends");
            format!("{before}{after}")
        }
        None => body.to_owned(),
    };
    format!("< {status} {}\n{body}\n", header("Content-Type"))
}

/// What a conversation's requests bring, written as the file has it.
async fn replayed(recorded: &str) -> String {
    let world = World::new().await;
    let mut written = String::new();
    let mut lines = recorded.lines().peekable();
    while let Some(line) = lines.next() {
        written.push_str(line);
        written.push('\n');
        let Some(head) = line.strip_prefix("> ") else { continue };
        let (method, path) = head.split_once(' ').expect("a method and a path");
        let text = lines.next_if(|line| !line.starts_with("< ")).unwrap_or_default();
        if !text.is_empty() {
            written.push_str(text);
            written.push('\n');
        }
        let method: Method = method.parse().expect("a method");
        written.push_str(&answer(&world, &method, path, text).await);
        while lines.next_if(|line| !line.is_empty()).is_some() {}
    }
    world.memory.audit().expect("in order");
    written
}

#[tokio::test]
async fn every_recorded_conversation_comes_out_the_same() {
    for conversation in CONVERSATIONS {
        let recorded = conversations::text(NAME, conversation);
        assert!(recorded.contains("\n< "), "{conversation} has no answers");
        let replayed = replayed(&recorded).await;
        assert_eq!(replayed, recorded, "{conversation}");
    }
}

#[test]
fn no_conversation_is_left_out() {
    let vectors = ["vectors"];
    conversations::assert_complete(NAME, &[&CONVERSATIONS[..], &vectors].concat());
}
