//! Input that cannot be right is answered as the IAK reference says, and changes nothing.

use serde_json::json;

use crate::harness::Sandbox;
use crate::iak_client::{
    OPENING_BALANCE, PATH, USERNAME, balance, inquire, inquired, pay, send, sign,
};

#[test]
fn malformed_bodies_are_refused_in_the_format_of_the_request() {
    let sandbox = Sandbox::start(&[]);
    let huge = vec![b' '; 70_000];
    let deep = "[".repeat(1000);
    let laughs = "<?xml version=\"1.0\"?><!DOCTYPE mp [<!ENTITY a \"ha\">]><mp><commands>&a;</commands></mp>";
    let duplicate = r#"{"commands":"inq-pasca","commands":"pay-pasca"}"#;
    let table: [(&str, &[u8], &str); 9] = [
        ("application/json", b"", "107"),
        ("application/json", b"{", "107"),
        ("application/json", b"not json", "107"),
        ("application/json", &huge, "107"),
        ("application/json", deep.as_bytes(), "107"),
        ("application/json", duplicate.as_bytes(), "107"),
        ("application/json", b"{\"commands\":\"\xff\"}", "107"),
        ("application/xml", b"<mp><commands>", "107"),
        ("application/xml", laughs.as_bytes(), "107"),
    ];
    for (content_type, body, code) in table {
        let answer = sandbox.post(PATH, content_type, body);
        let what = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        assert!(answer.content_type.starts_with(content_type), "{what}: {answer:?}");
        assert!(answer.body.contains(code), "{what}: {answer:?}");
    }
    assert_eq!(balance(&sandbox, "AFTER-1"), OPENING_BALANCE);
}

#[test]
fn wrong_requests_get_the_documented_code() {
    let sandbox = Sandbox::start(&[]);
    let request = |field: &str, value: serde_json::Value| {
        let mut body = json!({ "commands": "inq-pasca", "username": USERNAME, "code": "BPJS",
            "hp": "8801234560000", "month": "1", "ref_id": "BAD-1", "sign": sign("BAD-1") });
        body[field] = value;
        if field == "ref_id" {
            body["sign"] = json!(sign(body["ref_id"].as_str().unwrap_or_default()));
        }
        send(&sandbox, &body)
    };
    let table = [
        ("commands", json!("nonsense"), 200, "101"),
        ("sign", json!("00000000000000000000000000000000"), 200, "100"),
        ("username", json!("nobody"), 200, "100"),
        ("code", json!("NOTHING"), 200, "20"),
        ("ref_id", json!("with blank"), 200, "03"),
        ("ref_id", json!("cs"), 200, "03"),
        ("ref_id", json!("1000000001"), 200, "03"),
        ("month", json!("13"), 400, "107"),
        ("month", json!(1.5), 400, "107"),
        ("hp", json!({}), 400, "107"),
    ];
    for (field, value, http, code) in table {
        let answer = request(field, value.clone());
        assert_eq!((answer.http, answer.code()), (http, code), "{field} {value}: {answer:?}");
    }
    assert_eq!(request("month", json!(1)).code(), "00", "the reference was left free");
}

#[test]
fn somebody_elses_or_no_inquiry_is_not_found() {
    let sandbox = Sandbox::start(&[]);
    let tr_id = inquired(&sandbox, "530000000000", "MINE-1");
    assert_eq!(pay(&sandbox, tr_id + 1).code(), "06");
    assert_eq!(pay(&sandbox, 1).code(), "06");
    assert_eq!(inquire(&sandbox, "PLNPOSTPAID", "530000000014", "BURNT-1").code(), "14");
    assert_eq!(inquire(&sandbox, "PLNPOSTPAID", "530000000000", "BURNT-1").code(), "11");
}

#[test]
fn unknown_paths_and_methods_are_told_so() {
    let sandbox = Sandbox::start(&[]);
    let answer = sandbox.post("/api/v1/nowhere", "application/json", b"{}");
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("\"117\""), "{answer:?}");
    let answer = sandbox.get(PATH);
    assert_eq!(answer.status, 405);
    assert!(answer.body.contains("\"117\""), "{answer:?}");
    let answer = sandbox.post("/api/v1/tiketv2", "application/json", b"{}");
    assert!(answer.body.contains("\"101\""), "{answer:?}");
}
