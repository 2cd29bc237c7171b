//! An isikuota client as shops write it, independent of the server's own code.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::Sandbox;

const API_ID: &str = "IK-1001";
const API_KEY: &str = "ak_live_7f3c9d2e";
const SECRET_KEY: &str = "sk_live_Zx81mQpT";

/// What one request brought.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) http: u16,
    pub(crate) envelope: Value,
}

impl Told {
    pub(crate) fn code(&self) -> &str {
        let code = self.envelope["code"].as_str();
        code.unwrap_or_else(|| panic!("no code: {}", self.envelope))
    }

    pub(crate) fn data(&self, field: &str) -> &Value {
        &self.envelope["data"][field]
    }
}

/// A signature over bytes, as callbacks carry it too.
pub(crate) fn hmac(message: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET_KEY.as_bytes()).unwrap();
    hex::encode(mac.chain_update(message).finalize().into_bytes())
}

/// A request for `cmd`.
pub(crate) fn asked(command: &str, code: &str, customer_no: &str, ref_id: &str) -> Value {
    json!({ "cmd": command, "code": code, "customer_no": customer_no, "ref_id": ref_id })
}

/// The same in test mode.
pub(crate) fn testing(mut request: Value) -> Value {
    request["testing"] = json!(true);
    request
}

/// A request with the members of its signature. Its texts are such that PHP and this JSON write them
/// alike.
fn signed(mut request: Value, seconds: i64) -> Value {
    let members: BTreeMap<String, Value> = serde_json::from_value(request.clone()).unwrap();
    let canonical =
        if members.is_empty() { String::new() } else { serde_json::to_string(&members).unwrap() };
    let hash = hex::encode(Sha256::digest(canonical));
    let signature = hmac(format!("{API_ID}|{API_KEY}|{seconds}|{hash}").as_bytes());
    request["api_id"] = json!(API_ID);
    request["timestamp"] = json!(seconds);
    request["signature"] = json!(signature);
    request
}

/// Signs a request by the sandbox's clock and sends it.
pub(crate) fn send(sandbox: &Sandbox, path: &str, request: Value) -> Told {
    let body = signed(request, sandbox.seconds()).to_string();
    let answer = sandbox.post(path, "application/json", body.as_bytes());
    Told { http: answer.status, envelope: answer.json() }
}

/// Sends one of the commands.
pub(crate) fn order(sandbox: &Sandbox, request: Value) -> Told {
    send(sandbox, "/v1/order", request)
}

/// What the merchant may still spend.
pub(crate) fn balance(sandbox: &Sandbox) -> i64 {
    let told = send(sandbox, "/v1/balance", json!({}));
    told.data("balance").as_i64().unwrap_or_else(|| panic!("no balance: {told:?}"))
}

/// What an order came to by now.
pub(crate) fn status(sandbox: &Sandbox, ref_id: &str) -> Told {
    send(sandbox, "/v1/status", json!({ "ref_id": ref_id }))
}
