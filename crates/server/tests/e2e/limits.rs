//! What production holds callers to who have no limits of their own.

use serde_json::{Value, json};

use crate::harness::Answer;
use crate::iak_client::{PATH, sign_as};
use crate::instance::{Instance, Running, SETTINGS};

const USERNAME: &str = "081299990000";

fn ask(running: &Running, key: &str) -> Answer {
    let body = json!({ "commands": "checkstatus", "username": USERNAME, "ref_id": "NOBODYS-1",
        "sign": sign_as((USERNAME, key), "cs") });
    running.post(PATH, &body.to_string())
}

fn said(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.json()["data"]["response_code"].clone())
}

#[test]
fn the_general_limit_holds_where_a_merchant_has_none() {
    let limits = "[limits]\nrequests_per_second = 1\nburst = 3\n";
    let instance = Instance::new(&[limits, SETTINGS]);
    let running = instance.start();
    let key = running.add_merchant(USERNAME);
    let refused = (0..1000).map(|_| said(&ask(&running, &key))).find(|it| it.0 != 200);
    assert_eq!(refused, Some((429, json!("05"))));
    running.operate(&["merchant", "limit", "1", "1000000", "1000000"]);
    for _ in 0..20 {
        assert_eq!(said(&ask(&running, &key)), (200, json!("06")));
    }
    running.operate(&["merchant", "limit", "1", "0"]);
    let refused = (0..1000).map(|_| said(&ask(&running, &key))).find(|it| it.0 != 200);
    assert_eq!(refused, Some((429, json!("05"))), "back to the general one");
}

#[test]
fn keys_cannot_be_guessed_without_end() {
    let limits = "[limits]\nfailed_signatures_per_minute = 5\n";
    let instance = Instance::new(&[limits, SETTINGS]);
    let running = instance.start();
    let key = running.add_merchant(USERNAME);
    for _ in 0..5 {
        assert_eq!(said(&ask(&running, "guessed")), (200, json!("100")));
    }
    assert_eq!(said(&ask(&running, "guessed")), (429, json!("05")));
    let other = json!({ "commands": "checkstatus", "username": "somebody", "ref_id": "NOBODYS-1",
        "sign": sign_as((USERNAME, &key), "cs") });
    assert_eq!(said(&running.post(PATH, &other.to_string())), (200, json!("100")));
    let (_, log) = running.stop();
    assert!(log.contains("too many wrong signatures") && !log.contains(USERNAME), "{log}");
}
