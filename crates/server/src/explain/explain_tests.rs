//! Stories as they are printed, in both languages, against files in `golden/`.
//!
//! Rewrite them with `LUNAS_REWRITE_DOCS=1 cargo test -p server explain` and read what changed.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::language::Language;
use super::narration::narrated;
use crate::administration::Stories;

/// Set to anything, it makes the test write the files instead of comparing them.
const REWRITE: &str = "LUNAS_REWRITE_DOCS";

fn at(second: u32) -> String {
    format!("2026-11-21T08:59:{second:02}.100Z")
}

fn exchange(number: u64, second: u32, command: &str, code: &str, outcome: [&str; 3]) -> Value {
    let [signature, meaning, reason] = outcome;
    json!({
        "exchange": number, "at": at(second), "duration_us": 12_345, "peer": "203.0.113.7",
        "request_id": "kasir-7", "protocol": "iak", "command": command, "merchant": 1,
        "signature": signature, "code": code, "meaning": meaning,
        "reason": Some(reason).filter(|it| !it.is_empty()), "http_status": 200,
        "request": format!("{{\"commands\":\"{command}\",\"hp\":\"5300****000\",\"sign\":\"****\"}}"),
        "answer": format!("{{\"data\":{{\"response_code\":\"{code}\"}},\"meta\":[]}}"),
    })
}

/// The same without an answer, because the caller did not wait for it.
fn hung_up(mut exchange: Value) -> Value {
    for field in ["code", "meaning", "reason", "http_status"] {
        exchange[field] = Value::Null;
    }
    exchange["answer"] = json!("");
    exchange["duration_us"] = json!(5_000_000);
    exchange
}

fn transfer(number: u64, second: u32, kind: &str, amount: &str) -> Value {
    json!({ "transfer": number, "order": 17, "kind": kind, "hold": null, "debit": 2, "credit": 3,
            "side": null, "amount": amount, "currency": "IDR", "at": at(second) })
}

/// A transfer with what all came to after it: held, charged, cost, margin.
fn movement(transfer: Value, from: &str, to: &str, totals: [&str; 4]) -> Value {
    let [held, charged, cost, margin] = totals;
    json!({ "transfer": transfer, "from": from, "to": to, "held": held, "charged": charged,
            "cost": cost, "margin": margin, "owed": "0" })
}

/// An order that was inquired and nothing more.
fn quoted() -> Value {
    json!({
        "found_by": ["reference"],
        "order": {
            "order": 17, "merchant": 1, "protocol": "iak", "mode": "live", "reference": "INV-0001",
            "state": "quoted", "refusal": null, "product": "pln-postpaid", "code": "PLNPOSTPAID",
            "destination": "530000000000", "currency": "IDR", "price": "152500",
            "charge": "151900", "cost": null, "serial_number": null, "created_at": at(10),
            "updated_at": at(10),
        },
        "merchant_name": "Toko Contoh", "product_name": "PLN POSTPAID",
        "number": { "field": "tr_id", "number": "1234567890" },
        "quote": { "nominal": "150000", "admin": "2500", "price": "152500", "charge": "151900",
                   "expires_at": "2026-11-21T17:00:00Z" },
        "states": [{ "state": "quoted", "at": at(10) }],
        "holds": [], "movements": [], "attempts": [], "question_due": null,
        "exchanges": [exchange(2, 10, "inq-pasca", "00", ["valid", "granted", ""])],
        "exchanges_omitted": 0, "exchanges_missed": 0, "decisions": [],
        "decisions_complete": true, "callbacks": [],
    })
}

fn hold() -> Value {
    let totals = ["151900", "0", "0", "0"];
    movement(transfer(4, 20, "hold", "151900"), "merchant", "clearing", totals)
}

fn attempt(state: &str, reason: Option<&str>, questions: u32) -> Value {
    json!({ "attempt": 1, "upstream": "sandbox", "state": state, "reason": reason,
            "started_at": at(20), "questions": questions })
}

fn push(story: &mut Value, list: &str, item: Value) {
    story[list].as_array_mut().unwrap().push(item);
}

/// The order after it ended in this state.
fn ended(state: &str, exchange_outcome: (&str, [&str; 3])) -> Value {
    let mut story = quoted();
    story["order"]["state"] = json!(state);
    story["order"]["updated_at"] = json!(at(21));
    push(&mut story, "states", json!({ "state": "processing", "at": at(20) }));
    push(&mut story, "states", json!({ "state": state, "at": at(21) }));
    push(&mut story, "movements", hold());
    let (code, outcome) = exchange_outcome;
    push(&mut story, "exchanges", exchange(3, 20, "pay-pasca", code, outcome));
    story
}

fn succeeded() -> Value {
    let mut story = ended("succeeded", ("00", ["valid", "granted", ""]));
    story["order"]["serial_number"] = json!("SN-1");
    story["holds"] = json!([{ "transfer": 4, "amount": "151900", "state": "posted",
                              "resolved_by": 5 }]);
    for (number, kind, amount, to, totals) in [
        (5, "post", "151900", "clearing", ["0", "151900", "0", "0"]),
        (6, "direct", "151750", "upstream", ["0", "151900", "151750", "0"]),
        (7, "direct", "150", "margin", ["0", "151900", "151750", "150"]),
    ] {
        let from = if kind == "post" { "merchant" } else { "clearing" };
        push(
            &mut story,
            "movements",
            movement(transfer(number, 21, kind, amount), from, to, totals),
        );
    }
    push(&mut story, "attempts", attempt("delivered", None, 0));
    story
}

fn failed() -> Value {
    let mut story = ended("failed", ("37", ["valid", "refused", "PaymentFailed"]));
    story["order"]["refusal"] = json!("PaymentFailed");
    story["holds"] = json!([{ "transfer": 4, "amount": "151900", "state": "voided",
                              "resolved_by": 5 }]);
    let void = transfer(5, 21, "void", "151900");
    push(&mut story, "movements", movement(void, "merchant", "clearing", ["0"; 4]));
    push(&mut story, "attempts", attempt("refused", Some("PaymentFailed"), 0));
    story
}

fn pending() -> Value {
    let mut story = quoted();
    story["order"]["state"] = json!("processing");
    story["order"]["updated_at"] = json!(at(20));
    story["holds"] = json!([{ "transfer": 4, "amount": "151900", "state": "open",
                              "resolved_by": null }]);
    story["question_due"] = json!("2026-11-21T09:05:00Z");
    story["exchanges_missed"] = json!(3);
    push(&mut story, "states", json!({ "state": "processing", "at": at(20) }));
    push(&mut story, "movements", hold());
    push(&mut story, "attempts", attempt("unknown", Some("InProcess"), 2));
    push(
        &mut story,
        "exchanges",
        hung_up(exchange(3, 20, "pay-pasca", "39", ["valid", "open", "InProcess"])),
    );
    push(
        &mut story,
        "exchanges",
        exchange(4, 40, "checkstatus", "39", ["valid", "open", "InProcess"]),
    );
    story
}

/// A person decided what the supplier left open.
fn decided() -> Value {
    let mut story = succeeded();
    push(
        &mut story,
        "decisions",
        json!({ "number": 9, "at": at(21), "actor": "ana", "role": "operator",
                "action": "order.resolved", "subject": "order 17",
                "before": { "state": "processing" }, "after": { "state": "succeeded" },
                "request": "decide-0001", "hash": "00" }),
    );
    story
}

fn declined() -> Value {
    let mut story = quoted();
    story["order"]["state"] = json!("declined");
    story["order"]["refusal"] = json!("DestinationInvalid");
    for field in ["currency", "price", "charge"] {
        story["order"][field] = Value::Null;
    }
    story["quote"] = Value::Null;
    story["states"] = json!([{ "state": "declined", "at": at(10) }]);
    story["exchanges"] =
        json!([exchange(2, 10, "inq-pasca", "14", ["valid", "refused", "DestinationInvalid"])]);
    story
}

fn wrongly_signed() -> Value {
    exchange(1, 5, "inq-pasca", "100", ["invalid", "refused", "SignatureInvalid"])
}

/// What the admin API answers about these orders and other requests.
fn stories(orders: Vec<Value>, others: Vec<Value>) -> Value {
    json!({ "name": "INV-0001", "orders": orders, "others": others,
            "log": { "on": true, "kept_since": "2026-11-01T00:00:00Z", "missed": 0 } })
}

/// Every story that is told, by the name of its file.
fn cases() -> Vec<(&'static str, Value)> {
    let mut signed_wrongly_first = succeeded();
    signed_wrongly_first["exchanges"].as_array_mut().unwrap().insert(0, wrongly_signed());
    let mut never_seen = stories(Vec::new(), Vec::new());
    never_seen["log"]["missed"] = json!(12);
    let mut without_log = stories(vec![succeeded()], Vec::new());
    without_log["log"] = json!({ "on": false, "kept_since": null, "missed": 0 });
    without_log["orders"][0]["exchanges"] = json!([]);
    let mut second = declined();
    second["order"]["order"] = json!(12);
    second["order"]["merchant"] = json!(2);
    vec![
        ("succeeded", stories(vec![succeeded()], Vec::new())),
        ("failed", stories(vec![failed()], Vec::new())),
        ("pending", stories(vec![pending()], Vec::new())),
        ("decided", stories(vec![decided()], Vec::new())),
        ("quoted", stories(vec![quoted()], Vec::new())),
        ("declined", stories(vec![declined()], Vec::new())),
        ("signed_wrongly_first", stories(vec![signed_wrongly_first], Vec::new())),
        ("signed_wrongly_only", stories(Vec::new(), vec![wrongly_signed()])),
        ("never_seen", never_seen),
        ("without_log", without_log),
        ("two_orders", stories(vec![quoted(), second], vec![wrongly_signed()])),
    ]
}

#[test]
fn stories_come_out_as_they_are_on_file() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src/explain/golden"));
    let mut outdated = Vec::new();
    for (name, answer) in cases() {
        let stories: Stories = serde_json::from_value(answer).unwrap();
        for (language, ending) in [(Language::Id, "id"), (Language::En, "en")] {
            let path = folder.join(format!("{name}.{ending}.txt"));
            let text = narrated(&stories, language);
            if std::env::var_os(REWRITE).is_some() {
                std::fs::write(&path, &text).unwrap();
            }
            if std::fs::read_to_string(&path).unwrap_or_default() != text {
                outdated.push(format!("{}:\n{text}", path.display()));
            }
        }
    }
    assert!(outdated.is_empty(), "run with {REWRITE}=1 and read:\n{}", outdated.join("\n"));
}

#[test]
fn no_story_steers_a_terminal() {
    let mut story = succeeded();
    story["order"]["serial_number"] = json!("\u{1b}[2Jx\ny");
    let stories: Stories =
        serde_json::from_value(stories(vec![story], vec![wrongly_signed()])).unwrap();
    let text = narrated(&stories, Language::Id);
    assert!(text.contains("?[2Jx?y"), "{text}");
    assert!(text.chars().all(|it| it == '\n' || !it.is_control()));
}

#[test]
fn a_wrong_signature_is_taken_apart_by_the_command_of_its_protocol() {
    for (protocol, command) in [
        ("iak", "lunas verify-sign iak --username USERNAME --api-key KEY FILE\n"),
        (
            "isikuota",
            "lunas verify-sign isikuota --api-id API_ID --api-key KEY --secret-key SECRET FILE\n",
        ),
        ("ilenpay", "lunas verify-sign ilenpay --api-key KEY --api-user USER FILE\n"),
        (
            "s88pay",
            "lunas verify-sign s88pay --merchant-code CODE --api-key KEY --secret-key SECRET FILE\n",
        ),
    ] {
        let mut wrong = wrongly_signed();
        wrong["protocol"] = json!(protocol);
        let stories: Stories = serde_json::from_value(stories(Vec::new(), vec![wrong])).unwrap();
        let text = narrated(&stories, Language::En);
        assert!(text.contains(command), "{text}");
    }
}
