//! A merchant tops up with an unmodified client of IAK's prepaid API, in both of its versions.

use serde_json::{Value, json};

use crate::harness::{Sandbox, wait_until};
use crate::iak_client::{OPENING_BALANCE, USERNAME, sign, top_up_body};

const NUMBER: &str = "081712340000";
const PRICE: i64 = 25_100;

fn post(sandbox: &Sandbox, path: &str, body: &Value) -> Value {
    let answer = sandbox.post(path, "application/json", body.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["data"].clone()
}

fn top_up(sandbox: &Sandbox, ref_id: &str) -> Value {
    post(sandbox, "/api/top-up", &top_up_body("xld25000", NUMBER, ref_id))
}

fn check_status(sandbox: &Sandbox, ref_id: &str) -> Value {
    let body = json!({ "username": USERNAME, "ref_id": ref_id, "sign": sign(ref_id) });
    post(sandbox, "/api/check-status", &body)
}

fn post_xml(sandbox: &Sandbox, path: &str, members: &[(&str, &str)]) -> String {
    let members: String =
        members.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect();
    let body = format!("<?xml version=\"1.0\" ?><mp>{members}</mp>");
    let answer = sandbox.post(path, "application/xml", body.as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.content_type.starts_with("application/xml"), "{}", answer.content_type);
    answer.body
}

/// The one callback of the order under this reference, once it was caught.
fn called_back(sandbox: &Sandbox, ref_id: &str) -> Value {
    let path = format!("/sandbox/callbacks?reference={ref_id}");
    let caught = || sandbox.get(&path).json()["items"].as_array().unwrap().clone();
    wait_until("the callback is caught", || !caught().is_empty());
    let [callback] = &caught()[..] else { panic!("more than one of {ref_id}") };
    callback.clone()
}

#[test]
fn a_top_up_is_pending_until_somebody_decides_it() {
    let sandbox = Sandbox::start(&[]);
    let mut left = OPENING_BALANCE;
    for (ref_id, verdict, status, rc, message) in
        [("TOP-1", "success", 1, "00", "SUCCESS"), ("TOP-2", "failed", 2, "07", "FAILED")]
    {
        let first = top_up(&sandbox, ref_id);
        assert_eq!((&first["status"], &first["rc"]), (&json!(0), &json!("39")), "{first}");
        assert_eq!((&first["price"], &first["balance"]), (&json!(PRICE), &json!(left - PRICE)));
        assert_eq!(top_up(&sandbox, ref_id)["tr_id"], first["tr_id"], "a repeat buys nothing");
        assert_eq!(check_status(&sandbox, ref_id)["status"], 0);
        sandbox.verify();

        let output = sandbox.resolve(ref_id, verdict);
        assert!(output.status.success(), "{output:?}");
        left -= if status == 1 { PRICE } else { 0 };
        let state = check_status(&sandbox, ref_id);
        assert_eq!((&state["status"], &state["rc"]), (&json!(status), &json!(rc)), "{state}");
        assert_eq!((&state["message"], &state["balance"]), (&json!(message), &json!(left)));
        assert_eq!(state["tr_id"], first["tr_id"]);

        let data = called_back(&sandbox, ref_id)["json"]["data"].clone();
        let text = |value: &Value| value.as_i64().unwrap().to_string();
        assert_eq!((&data["status"], &data["rc"]), (&json!(status.to_string()), &json!(rc)));
        assert_eq!(
            (&data["tr_id"], &data["price"]),
            (&json!(text(&first["tr_id"])), &json!("25100"))
        );
        assert_eq!(data["sign"], sign(ref_id), "signed like a request for the status");
        assert!(data.as_object().unwrap().values().all(Value::is_string), "{data}");
    }
    sandbox.verify();
}

#[test]
fn the_sandbox_decides_by_itself_after_a_delay_that_it_was_given() {
    let sandbox = Sandbox::start(&["--iak-top-ups-after", "50ms"]);
    assert_eq!(top_up(&sandbox, "SOON-1")["status"], 0);
    let callback = called_back(&sandbox, "SOON-1");
    assert_eq!(callback["json"]["data"]["rc"], "00", "{callback}");
    assert_eq!(check_status(&sandbox, "SOON-1")["status"], 1);
    assert_eq!(sandbox.book().len(), 1);
    sandbox.verify();
}

#[test]
fn the_older_version_speaks_of_the_same_orders() {
    let sandbox = Sandbox::start(&[]);
    let legacy = |command: &str, fields: Value| {
        let mut body = json!({ "commands": command, "username": USERNAME, "ref_id": "OLD-1",
            "sign": sign("OLD-1") });
        for (name, value) in fields.as_object().unwrap() {
            body[name] = value.clone();
        }
        post(&sandbox, "/v1/legacy/index", &body)
    };
    let first = legacy("topup", json!({ "hp": NUMBER, "pulsa_code": "xld25000" }));
    assert_eq!((&first["code"], &first["hp"]), (&json!("xld25000"), &json!(NUMBER)), "{first}");
    assert_eq!(first["rc"], "39");
    let newer = check_status(&sandbox, "OLD-1");
    assert_eq!(
        (&newer["product_code"], &newer["customer_id"]),
        (&json!("xld25000"), &json!(NUMBER))
    );
    assert!(sandbox.resolve("OLD-1", "success").status.success());
    let older = legacy("inquiry", json!({}));
    assert_eq!((&older["status"], &older["rc"]), (&json!(1), &json!("00")), "{older}");
    let data = called_back(&sandbox, "OLD-1")["json"]["data"].clone();
    assert_eq!((&data["code"], &data["hp"]), (&json!("xld25000"), &json!(NUMBER)), "{data}");
    sandbox.verify();
}

#[test]
fn xml_is_answered_and_called_back_in_xml() {
    let sandbox = Sandbox::start(&[]);
    let first = post_xml(
        &sandbox,
        "/api/top-up",
        &[
            ("username", USERNAME),
            ("ref_id", "XML-1"),
            ("customer_id", NUMBER),
            ("product_code", "xld25000"),
            ("sign", &sign("XML-1")),
        ],
    );
    for part in ["<mp>", "<rc>39</rc>", "<product_code>xld25000</product_code>"] {
        assert!(first.contains(part), "{part} in {first}");
    }
    assert!(sandbox.resolve("XML-1", "success").status.success());
    let state = post_xml(
        &sandbox,
        "/api/check-status",
        &[("username", USERNAME), ("ref_id", "XML-1"), ("sign", &sign("XML-1"))],
    );
    assert!(state.contains("<rc>00</rc>"), "{state}");
    let callback = called_back(&sandbox, "XML-1");
    let body = callback["body"].as_str().unwrap();
    assert!(body.contains("<ref_id>XML-1</ref_id>") && body.contains("<rc>00</rc>"), "{body}");
    let content_type = callback["headers"]["content-type"].as_str().unwrap();
    assert!(content_type.starts_with("application/xml"), "{content_type}");
    sandbox.verify();
}
