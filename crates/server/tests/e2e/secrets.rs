//! No secret and no whole customer number or name leaves the program by its log, its metrics or
//! what it prints after its welcome, not even at the most talkative level, and none reaches the file
//! of the exchange log.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::harness::{Sandbox, lunas, wait_until};
use crate::iak_client::{
    API_KEY, PATH, USERNAME, inquire, inquired, inquiry_body, pay, send, sign, status,
};

const ADMIN_TOKEN: &str = "sandbox-admin";
const WRONG_TOKEN: &str = "canary-token-5417";
const WRONG_KEY: &str = "c0ffeecanary9999";
/// A bill, one whose payment stays open, one that is refused, and one that does not exist.
const NUMBERS: [&str; 4] = ["530000000000", "530000001039", "530000001037", "530000000014"];

/// A request as raw bytes, so that headers, paths and methods can be what no client sends. Gives
/// what came back until the server closed the connection.
fn raw(sandbox: &Sandbox, request: &str) -> String {
    let mut stream = TcpStream::connect(sandbox.address()).unwrap();
    stream.set_read_timeout(Some(crate::harness::PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The file of the exchange log and what SQLite has not yet moved into it, as text.
fn exchanges_file(sandbox: &Sandbox) -> String {
    let parts = ["exchanges.db", "exchanges.db-wal"].map(|name| {
        let bytes = std::fs::read(sandbox.data.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    });
    parts.concat()
}

/// Everything that a merchant sends, well and badly; gives the names of the customers.
fn deal(sandbox: &Sandbox) -> Vec<String> {
    let mut names = Vec::new();
    for (index, number) in NUMBERS.into_iter().enumerate() {
        let reference = format!("SECRET-{index}");
        let inquiry = inquire(sandbox, "PLNPOSTPAID", number, &reference);
        names.extend(inquiry.value["tr_name"].as_str().map(str::to_owned));
        if inquiry.code() == "00" {
            let tr_id = inquiry.number("tr_id");
            pay(sandbox, tr_id);
            pay(sandbox, tr_id);
        }
        status(sandbox, &reference);
        inquire(sandbox, "PLNPOSTPAID", number, &reference);
    }
    let price_list = json!({ "commands": "pricelist-pasca", "username": USERNAME,
        "sign": sign("pl"), "status": "all" });
    assert_eq!(send(sandbox, &price_list).http, 200);
    names
}

/// Requests that are refused at every stage, each with a canary in it.
fn deal_badly(sandbox: &Sandbox) {
    let number = NUMBERS[0];
    let good = inquiry_body("PLNPOSTPAID", number, "BAD");
    let spoilt = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        send(sandbox, &body);
    };
    spoilt("sign", json!(WRONG_KEY));
    spoilt("sign", json!(API_KEY));
    spoilt("username", json!(number));
    spoilt("commands", json!(API_KEY));
    spoilt("code", json!(number));
    spoilt("ref_id", json!(number));
    spoilt("ref_id", json!(API_KEY));
    spoilt("code", json!(API_KEY));
    spoilt("hp", json!(API_KEY));
    spoilt("hp", json!({ "hp": number }));
    spoilt("hp", json!([number, { number: number }]));
    spoilt(number, json!(number));
    spoilt(API_KEY, json!({ API_KEY: [API_KEY] }));
    spoilt("desc", json!({ "amount": number, "message": API_KEY, "tr_id": number }));
    let xml = format!(
        "<?xml version=\"1.0\"?><mp><commands>inq-pasca</commands><username>{USERNAME}</username>\
         <code>PLNPOSTPAID</code><hp>{number}</hp><ref_id>XML-1</ref_id><sign>{}</sign></mp>",
        sign("XML-1")
    );
    assert_eq!(sandbox.post(PATH, "application/xml", xml.as_bytes()).status, 200);
    for body in [
        format!("{{\"hp\":\"{number}\",\"sign\":\"{API_KEY}\""),
        format!("<mp><hp>{number}</hp><sign>{API_KEY}"),
        format!("{{\"{number}\":1,\"{number}\":2}}"),
        format!("{API_KEY}\u{0}{number}"),
        format!("{number}{}", " ".repeat(70_000)),
    ] {
        sandbox.post(PATH, "application/json", body.as_bytes());
        sandbox.post(PATH, "application/xml", body.as_bytes());
    }
}

/// The program's own routes, and requests that no client sends.
fn knock_everywhere(sandbox: &Sandbox) {
    let (number, bearer) = (NUMBERS[1], format!("authorization: Bearer {ADMIN_TOKEN}\r\n"));
    let wrong = format!("authorization: Bearer {WRONG_TOKEN}\r\nx-request-id: {number}\r\n");
    let resolution = format!("{{\"reference\":\"{number}\",\"verdict\":\"success\"}}");
    let unread = format!("{{\"{API_KEY}\":\"{number}\"}}");
    let (admin, control) = ("/admin/v1/order-resolutions", "/sandbox/faults");
    for (method, path, headers, body) in [
        ("POST", admin, &bearer, &resolution),
        ("POST", admin, &bearer, &unread),
        ("GET", admin, &bearer, &unread),
        ("POST", admin, &wrong, &resolution),
        ("POST", "/admin/v1/nothing", &bearer, &unread),
        ("POST", control, &wrong, &unread),
        ("POST", "/sandbox/clock", &wrong, &unread),
        ("GET", "/livez", &bearer, &unread),
        ("GET", "/readyz", &bearer, &unread),
        ("POST", "/metrics", &bearer, &unread),
        (API_KEY, "/api/v1/bill/check", &wrong, &unread),
    ] {
        assert!(raw(sandbox, &request(method, path, headers, body)).starts_with("HTTP/1.1 "));
    }
    for path in [
        format!("/api/v1/bill/check?key={API_KEY}&hp={number}"),
        format!("/api/v1/bill/check/{number}"),
        format!("/api/v1/download/{API_KEY}"),
        format!("/{ADMIN_TOKEN}9f/{WRONG_TOKEN}/{WRONG_KEY}"),
    ] {
        raw(sandbox, &request("GET", &path, "", ""));
    }
    // Heads that the HTTP layer refuses, and a body that breaks off.
    raw(sandbox, &format!("GET /{number} HTTP/9.9\r\nx: {API_KEY}\r\n\r\n"));
    raw(sandbox, &format!("{API_KEY} {number}\r\n\r\n"));
    raw(sandbox, &format!("POST {PATH} HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\n{number}"));
}

#[test]
fn nothing_that_is_written_holds_a_secret_or_a_customer() {
    let mut sandbox = Sandbox::logging("trace", &[]);
    let mut canaries = deal(&sandbox);
    deal_badly(&sandbox);
    knock_everywhere(&sandbox);
    sandbox.control("/sandbox/clock", &json!({ "advance_seconds": 3600 }));
    let metrics = || sandbox.get("/metrics").body;
    wait_until("an open order was asked about", || {
        let asked = "operation=\"ask\",le=\"+Inf\"} ";
        metrics().lines().any(|line| line.contains(asked) && !line.ends_with(" 0"))
    });
    assert!(sandbox.resolve("SECRET-1", "success").status.success());
    let metrics = metrics();
    // Whoever reads the exchange log sees all that came before, so by now it is in the file.
    let story = lunas().args(["explain", "SECRET-0", "--server", sandbox.url()]).output().unwrap();
    assert!(story.status.success(), "{story:?}");
    let written = sandbox.kill_and_read();
    let exchanges = exchanges_file(&sandbox);

    assert!(canaries.len() >= 3, "customers had names: {canaries:?}");
    canaries.sort_unstable();
    canaries.dedup();
    canaries.extend(NUMBERS.map(str::to_owned));
    canaries.extend([API_KEY, ADMIN_TOKEN, WRONG_TOKEN, WRONG_KEY].map(str::to_owned));
    canaries.extend(["cs", "pl", "SECRET-0", "BAD"].map(sign));
    for (what, text) in [
        ("metrics", &metrics),
        ("output", &written.output),
        ("errors", &written.errors),
        ("file of exchanges", &exchanges),
    ] {
        for canary in &canaries {
            let line = text.lines().find(|line| line.contains(canary.as_str()));
            assert!(line.is_none(), "{canary} stands in the {what}: {line:?}");
        }
    }
    // The canaries were near: what is left of a number is there, and so is a line per request.
    assert!(written.errors.contains("5300****000"), "{}", written.errors);
    assert!(written.errors.matches("lunas::access").count() > 50);
    assert!(exchanges.contains("5300****000") && exchanges.contains("9f1c****678"));
    for told in ["inq-pasca", "pay-pasca", "checkstatus", "INVALID SIGNATURE", "cannot be read"] {
        assert!(exchanges.contains(told), "{told} is not in the file of exchanges");
    }
    for line in written.errors.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}

#[test]
fn a_request_is_followed_through_the_log_by_its_id() {
    let mut sandbox = Sandbox::logging("debug", &[]);
    let tr_id = inquired(&sandbox, NUMBERS[0], "FOLLOW-1");
    let body = crate::iak_client::payment_body(tr_id).to_string();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let headers = format!(
        "content-type: application/json\r\nx-request-id: kasir-7\r\n\
         traceparent: 00-{trace}-00f067aa0ba902b7-01\r\n"
    );
    let answer = raw(&sandbox, &request("POST", PATH, &headers, &body));
    assert!(answer.contains("\r\nx-request-id: kasir-7\r\n"), "{answer}");
    let own = raw(&sandbox, &request("GET", "/livez", "x-request-id: a b\r\n", ""));
    let id = own.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap();
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{own}");
    let errors = sandbox.kill_and_read().errors;
    let lines = errors.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_request: Vec<_> = lines.filter(|line| line["request_id"] == "kasir-7").collect();
    let messages: Vec<_> =
        of_request.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(messages, ["payment accepted", "outcome recorded", "request"]);
    for line in &of_request {
        assert_eq!((&line["trace_id"], &line["merchant"]), (&json!(trace), &json!(1)), "{line}");
    }
    let last = &of_request[2];
    let expected = (&json!(PATH), &json!(200), &json!("iak"), &json!("POST"));
    assert_eq!((&last["path"], &last["status"], &last["protocol"], &last["method"]), expected);
}
