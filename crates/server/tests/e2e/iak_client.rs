//! An IAK client as merchants write it, independent of the server's own code.

use md5::{Digest, Md5};
use serde_json::{Value, json};

use crate::harness::{Answer, Sandbox, try_post};

pub(crate) const PATH: &str = "/api/v1/bill/check";
pub(crate) const USERNAME: &str = "081200001111";
pub(crate) const API_KEY: &str = "9f1c2ab34de5f678";
/// What the demo merchant begins with.
pub(crate) const OPENING_BALANCE: i64 = 100_000_000;

pub(crate) fn sign(what: &str) -> String {
    sign_as((USERNAME, API_KEY), what)
}

/// The same by another merchant, by user name and key.
pub(crate) fn sign_as((username, api_key): (&str, &str), what: &str) -> String {
    let digest = Md5::digest(format!("{username}{api_key}{what}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn inquiry_body(code: &str, hp: &str, ref_id: &str) -> Value {
    json!({ "commands": "inq-pasca", "username": USERNAME, "code": code, "hp": hp,
            "ref_id": ref_id, "sign": sign(ref_id) })
}

pub(crate) fn payment_body(tr_id: i64) -> Value {
    json!({ "commands": "pay-pasca", "username": USERNAME, "tr_id": tr_id.to_string(),
            "sign": sign(&tr_id.to_string()) })
}

pub(crate) fn status_body(ref_id: &str) -> Value {
    json!({ "commands": "checkstatus", "username": USERNAME, "ref_id": ref_id, "sign": sign("cs") })
}

/// What one command brought: the `data` object and the code in it.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    pub(crate) http: u16,
    pub(crate) value: Value,
}

impl Data {
    pub(crate) fn of(answer: &Answer) -> Self {
        let envelope = answer.json();
        assert_eq!(envelope["meta"], json!([]), "{envelope}");
        Self { http: answer.status, value: envelope["data"].clone() }
    }

    pub(crate) fn code(&self) -> &str {
        self.value["response_code"].as_str().unwrap_or_else(|| panic!("no code: {}", self.value))
    }

    pub(crate) fn number(&self, field: &str) -> i64 {
        self.value[field].as_i64().unwrap_or_else(|| panic!("no {field}: {}", self.value))
    }
}

/// Sends a command and reads its answer.
pub(crate) fn send(sandbox: &Sandbox, body: &Value) -> Data {
    Data::of(&sandbox.post(PATH, "application/json", body.to_string().as_bytes()))
}

/// Sends a command to a server that may be dying.
pub(crate) fn try_send(url: &str, body: &Value) -> Option<Data> {
    try_post(url, PATH, "application/json", body.to_string().as_bytes()).map(|it| Data::of(&it))
}

pub(crate) fn inquire(sandbox: &Sandbox, code: &str, hp: &str, ref_id: &str) -> Data {
    send(sandbox, &inquiry_body(code, hp, ref_id))
}

/// The same by another merchant, by user name and key.
pub(crate) fn inquire_as(
    sandbox: &Sandbox,
    credential: (&str, &str),
    hp: &str,
    ref_id: &str,
) -> Data {
    let mut body = inquiry_body("PLNPOSTPAID", hp, ref_id);
    body["username"] = json!(credential.0);
    body["sign"] = json!(sign_as(credential, ref_id));
    send(sandbox, &body)
}

pub(crate) fn pay(sandbox: &Sandbox, tr_id: i64) -> Data {
    send(sandbox, &payment_body(tr_id))
}

pub(crate) fn status(sandbox: &Sandbox, ref_id: &str) -> Data {
    send(sandbox, &status_body(ref_id))
}

/// The body of a top-up of the prepaid API.
pub(crate) fn top_up_body(code: &str, customer_id: &str, ref_id: &str) -> Value {
    json!({ "username": USERNAME, "ref_id": ref_id, "customer_id": customer_id,
            "product_code": code, "sign": sign(ref_id) })
}

/// The balance, as a `checkstatus` of a fresh inquiry tells it.
pub(crate) fn balance(sandbox: &Sandbox, ref_id: &str) -> i64 {
    let inquiry = inquire(sandbox, "PLNPOSTPAID", "530000000000", ref_id);
    assert_eq!(inquiry.code(), "00", "{inquiry:?}");
    status(sandbox, ref_id).number("balance")
}

/// Inquires a bill that must be there and gives its `tr_id`.
pub(crate) fn inquired(sandbox: &Sandbox, hp: &str, ref_id: &str) -> i64 {
    let inquiry = inquire(sandbox, "PLNPOSTPAID", hp, ref_id);
    assert_eq!(inquiry.code(), "00", "{inquiry:?}");
    inquiry.number("tr_id")
}
