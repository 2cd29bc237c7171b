//! Recorded conversations, which the tests of every protocol replay.
//!
//! A file in a protocol's folder `golden/` is a conversation in order: a line that begins with `> ` opens a
//! request, one with `< ` its answer, the lines below are what belongs to it, `#` is a remark. What stands in
//! the heads is each protocol's own. A line that begins with `@ ` moves the clock on by so many seconds.

use std::path::PathBuf;

/// What happens next in a conversation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Time passes, in seconds.
    Wait(i64),
    /// A request and the answer that it must bring.
    Exchange(Exchange),
}

/// A request and the answer that it must bring.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) head: String,
    pub(crate) request: String,
    pub(crate) answer_head: String,
    pub(crate) answer: String,
}

fn folder(protocol: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src").join(protocol).join("golden")
}

/// The text of a conversation.
pub(crate) fn text(protocol: &str, conversation: &str) -> String {
    let path = folder(protocol).join(format!("{conversation}.txt"));
    std::fs::read_to_string(&path).expect("a recorded conversation")
}

/// The turns of a conversation, one exchange at least.
pub(crate) fn turns(protocol: &str, conversation: &str) -> Vec<Turn> {
    let turns = parsed(&text(protocol, conversation));
    assert!(turns.iter().any(|it| matches!(it, Turn::Exchange(_))), "{conversation} is empty");
    turns
}

fn parsed(text: &str) -> Vec<Turn> {
    let mut turns = Vec::new();
    let mut in_answer = false;
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        if let Some(seconds) = line.strip_prefix("@ ") {
            turns.push(Turn::Wait(seconds.parse().expect("seconds")));
            continue;
        }
        if let Some(head) = line.strip_prefix("> ") {
            turns.push(Turn::Exchange(Exchange { head: head.to_owned(), ..Exchange::default() }));
            in_answer = false;
            continue;
        }
        let Some(Turn::Exchange(exchange)) = turns.last_mut() else {
            panic!("{line:?} belongs to no request");
        };
        if let Some(head) = line.strip_prefix("< ") {
            head.clone_into(&mut exchange.answer_head);
            in_answer = true;
            continue;
        }
        let body = if in_answer { &mut exchange.answer } else { &mut exchange.request };
        if !body.is_empty() {
            body.push('\n');
        }
        body.push_str(line);
    }
    turns
}

/// Fails unless these files, and no others, are in a protocol's folder: a lost file is noticed, and one
/// that nobody replays.
pub(crate) fn assert_complete(protocol: &str, names: &[&str]) {
    let mut files: Vec<_> = std::fs::read_dir(folder(protocol))
        .expect("the folder of conversations")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"))
        .collect();
    files.sort();
    assert_eq!(files, names.iter().map(|name| format!("{name}.txt")).collect::<Vec<_>>());
}

#[test]
fn a_conversation_is_read_in_order() {
    let text = "# A remark.\n\n> /a json\n{\n}\n< 200\nyes\n@ 60\n> /b\n< 404 text\n";
    let exchange = |head: &str, request: &str, answer_head: &str, answer: &str| {
        let [head, request, answer_head, answer] =
            [head, request, answer_head, answer].map(str::to_owned);
        Turn::Exchange(Exchange { head, request, answer_head, answer })
    };
    let expected = [
        exchange("/a json", "{\n}", "200", "yes"),
        Turn::Wait(60),
        exchange("/b", "", "404 text", ""),
    ];
    assert_eq!(parsed(text), expected);
}
