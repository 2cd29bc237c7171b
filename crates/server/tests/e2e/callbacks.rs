//! Merchants are told what became of their orders: what arrives, what is tried again, and what an
//! operator sees and does.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Answer, Sandbox, lunas, request, wait_until};
use crate::iak_client::top_up_body;
use crate::receiver::{Arrived, Manner, Receiver, SOUND};

/// The secret that the documentation publishes.
const SECRET: &str = "whsec_c2FuZGJveC13ZWJob29rLXNlY3JldA==";

fn sandbox(options: &[&str]) -> Sandbox {
    Sandbox::start(&[&["--iak-top-ups-after", "50ms"], options].concat())
}

fn top_up(sandbox: &Sandbox, ref_id: &str) {
    let body = top_up_body("xld25000", "081712340000", ref_id).to_string();
    let answer = sandbox.post("/api/top-up", "application/json", body.as_bytes());
    assert_eq!(answer.json()["data"]["rc"], "39", "{answer:?}");
}

fn caught(sandbox: &Sandbox, query: &str) -> Vec<Value> {
    let answer = sandbox.get(&format!("/sandbox/callbacks{query}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["items"].as_array().unwrap().clone()
}

fn printed(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let output = lunas().args(arguments).args(["--server", sandbox.url()]).output().unwrap();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {problem}");
    String::from_utf8(output.stdout).unwrap()
}

fn parsed(sandbox: &Sandbox, arguments: &[&str]) -> Value {
    let text = printed(sandbox, &[arguments, &["--json"]].concat());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A callback as it stands; null as long as there is none of that number.
fn callback(sandbox: &Sandbox, number: u64) -> Value {
    let headers = [("authorization", "Bearer sandbox-viewer")];
    let path = format!("/admin/v1/callbacks/{number}");
    request(sandbox.url(), "GET", &path, &headers, "").json()["callback"].clone()
}

/// Moves the sandbox's clock, so that what is due later is due now.
fn let_pass(sandbox: &Sandbox, seconds: u32) {
    sandbox.control("/sandbox/clock", &json!({ "advance_seconds": seconds }));
}

#[test]
fn the_sandbox_catches_what_nobody_else_receives() {
    let sandbox = Sandbox::start(&[]);
    for (reference, verdict) in [("CALL-1", "success"), ("CALL-2", "failed"), ("CALL-3", "success")]
    {
        top_up(&sandbox, reference);
        assert!(sandbox.resolve(reference, verdict).status.success());
    }
    wait_until("three callbacks are caught", || caught(&sandbox, "").len() == 3);
    let [first] = &caught(&sandbox, "?reference=CALL-1")[..] else { panic!("not one") };
    assert_eq!(first["json"]["data"]["ref_id"], "CALL-1", "{first}");
    assert_eq!(first["json"]["data"]["rc"], "00", "{first}");
    for header in ["webhook-id", "webhook-timestamp", "webhook-signature", "content-type"] {
        assert!(first["headers"][header].is_string(), "{header}: {first}");
    }
    assert_eq!(first["headers"]["user-agent"], format!("Lunas/{}", env!("CARGO_PKG_VERSION")));
    assert_eq!(caught(&sandbox, "?order=2")[0]["json"]["data"]["status"], "2");
    for nothing in ["?order=99", "?order=x", "?reference=NOBODYS", "?order=1&reference=CALL-2"] {
        assert_eq!(caught(&sandbox, nothing), Vec::<Value>::new(), "{nothing}");
    }
    assert_eq!(sandbox.get("/sandbox/callbacks?page=2").status, 400);
    wait_until("all are delivered", || {
        sandbox.get("/metrics").body.contains("\nlunas_callback_queue_depth 0\n")
    });
    let line = "lunas_callback_attempts_total{protocol=\"iak\",result=\"delivered\"} 3";
    assert!(sandbox.get("/metrics").body.contains(line));
    sandbox.verify();
}

/// Verifies deliveries with the reference library. False if it is not on this machine; where every
/// test has to run, that fails.
fn reference_library_accepts(arrived: &[Arrived]) -> bool {
    const PROGRAM: &str = "\
import json, sys
from standardwebhooks import Webhook
given = json.load(sys.stdin)
hook = Webhook(given['secret'])
for it in given['deliveries']:
    hook.verify(it['body'], it['headers'])
    try:
        hook.verify(it['body'] + ' ', it['headers'])
    except Exception:
        continue
    sys.exit('a changed body was accepted')
";
    let known = Command::new("python3").args(["-c", "import standardwebhooks"]).output();
    if !known.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: `standardwebhooks` is not installed, so this test did not run");
        assert!(std::env::var_os("LUNAS_SKIPPED_TESTS_FAIL").is_none(), "it is missing");
        return false;
    }
    let deliveries: Vec<_> =
        arrived.iter().map(|it| json!({ "headers": it.headers, "body": it.body })).collect();
    let mut python = Command::new("python3")
        .args(["-c", PROGRAM])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let given = json!({ "secret": SECRET, "deliveries": deliveries }).to_string();
    python.stdin.take().unwrap().write_all(given.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}

#[test]
fn deliveries_verify_with_the_reference_library() {
    let receiver = Receiver::start(SOUND);
    let sandbox = sandbox(&["--callback-url", &receiver.url]);
    for number in 0..5 {
        top_up(&sandbox, &format!("VERIFY-{number}"));
    }
    wait_until("all arrive", || receiver.arrived().len() == 5);
    reference_library_accepts(&receiver.arrived());
    assert_eq!(caught(&sandbox, ""), Vec::<Value>::new(), "they go where they were sent");
}

#[test]
fn what_was_not_taken_is_sent_again_unchanged() {
    let receiver = Receiver::start(Manner { status: 500, delay: Duration::ZERO });
    let sandbox = sandbox(&["--callback-url", &receiver.url]);
    top_up(&sandbox, "AGAIN-1");
    for tries in 1..=3 {
        wait_until("it was tried", || callback(&sandbox, 1)["tries"] == tries);
        assert_eq!(callback(&sandbox, 1)["state"], "waiting");
        if tries == 3 {
            receiver.will(SOUND);
        }
        let_pass(&sandbox, 3600);
    }
    wait_until("it is delivered", || callback(&sandbox, 1)["state"] == "delivered");
    assert!(printed(&sandbox, &["callback", "resend", "1"]).contains("resent: 1"));
    wait_until("it is delivered once more", || callback(&sandbox, 1)["tries"] == 5);

    let arrived = receiver.arrived();
    assert_eq!(arrived.len(), 5);
    for it in &arrived {
        assert_eq!(it.body, arrived[0].body);
        assert_eq!(it.headers["webhook-id"], arrived[0].headers["webhook-id"]);
    }
    // Later ones bear the time of a clock that was moved, which the library refuses.
    reference_library_accepts(&arrived[..1]);
    let shown = parsed(&sandbox, &["callback", "show", "1"]);
    let statuses: Vec<_> = shown["deliveries"].as_array().unwrap().iter().collect();
    let statuses: Vec<_> = statuses.iter().map(|it| it["status"].clone()).collect();
    assert_eq!(json!(statuses), json!([500, 500, 500, 200, 200]));
    assert_eq!(shown["content"]["body"], arrived[0].body);
    assert_eq!(shown["callback"]["message"], arrived[0].headers["webhook-id"]);
    sandbox.verify();
}

#[test]
fn a_receiver_that_is_gone_is_left_alone_until_it_is_set_again() {
    let receiver = Receiver::start(Manner { status: 410, delay: Duration::ZERO });
    let sandbox = sandbox(&[]);
    let set = printed(&sandbox, &["merchant", "callback-url", "1", &receiver.url]);
    let secret = set.split_whitespace().find(|word| word.starts_with("whsec_")).unwrap();
    assert!(!printed(&sandbox, &["merchant", "show", "1"]).contains(secret), "shown once");
    top_up(&sandbox, "GONE-1");
    wait_until("it is given up", || callback(&sandbox, 1)["state"] == "given-up");
    assert!(printed(&sandbox, &["merchant", "show", "1"]).contains("stopped"));
    top_up(&sandbox, "GONE-2");
    wait_until("the next is not even tried", || callback(&sandbox, 2)["state"] == "given-up");
    assert_eq!(receiver.arrived().len(), 1);

    receiver.will(SOUND);
    let kept =
        printed(&sandbox, &["merchant", "callback-url", "1", &receiver.url, "--keep-secret"]);
    assert!(!kept.contains("whsec_"), "{kept}");
    assert!(printed(&sandbox, &["callback", "resend", "--given-up"]).contains("resent: 2"));
    wait_until("both are delivered", || {
        let all = parsed(&sandbox, &["callback", "list", "--state", "delivered"]);
        all.as_array().unwrap().len() == 2
    });
    assert_eq!(receiver.arrived().len(), 3);
    let stopped = printed(&sandbox, &["merchant", "callback-url", "1", "--stop"]);
    assert!(stopped.contains("stopped"), "{stopped}");
    sandbox.verify();
}

#[test]
fn an_address_is_tried_out_step_by_step() {
    let receiver = Receiver::start(Manner { status: 404, delay: Duration::ZERO });
    let sandbox = sandbox(&["--callback-url", &receiver.url]);
    let told = printed(&sandbox, &["callback", "test", "1"]);
    for part in
        ["DNS: 127.0.0.1", "TCP: ", "webhook-signature: v1,", "HTTP: 404", "OK", "refused: "]
    {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    assert_eq!(receiver.arrived()[0].body, r#"{"type":"lunas.test","data":{}}"#);
    reference_library_accepts(&receiver.arrived());

    let inside = ["http://10.0.0.1/", "http://169.254.169.254/latest", "http://[::ffff:10.0.0.1]/"];
    for url in inside {
        let set = ["merchant", "callback-url", "1", url, "--server", sandbox.url()];
        let output = lunas().args(set).output().unwrap();
        let problem = String::from_utf8(output.stderr).unwrap();
        assert!(problem.contains("CALLBACK_URL_INVALID"), "{url}: {problem}");
    }
    let unknown = lunas().args(["callback", "test", "99", "--server", sandbox.url()]).output();
    assert!(String::from_utf8(unknown.unwrap().stderr).unwrap().contains("ENDPOINT_UNKNOWN"));
}

/// A sandbox stops in order while a receiver hangs, and the next start delivers.
#[test]
fn a_stop_leaves_what_is_owed_to_the_next_start() {
    let receiver = Receiver::start(Manner { status: 503, delay: Duration::ZERO });
    let mut sandbox = sandbox(&["--callback-url", &receiver.url]);
    top_up(&sandbox, "STOP-1");
    wait_until("it was tried", || receiver.arrived().len() == 1);
    assert_eq!(sandbox.stop(), Some(0));
    receiver.will(SOUND);
    sandbox.restart();
    wait_until("it is delivered", || {
        let_pass(&sandbox, 10);
        callback(&sandbox, 1)["state"] == "delivered"
    });
    let arrived = receiver.arrived();
    assert_eq!(arrived[0].body, arrived.last().unwrap().body);
}

/// Sends a request to the admin API in this role; the name is that of a POST.
fn administer(
    sandbox: &Sandbox,
    role: &str,
    (method, path): (&str, &str),
    name: &str,
    body: &str,
) -> Answer {
    let bearer = format!("Bearer sandbox-{role}");
    let mut headers = vec![("authorization", bearer.as_str())];
    if !body.is_empty() {
        headers.push(("content-type", "application/json"));
    }
    if !name.is_empty() {
        headers.push(("idempotency-key", name));
    }
    request(sandbox.url(), method, path, &headers, body)
}

#[test]
fn what_cannot_be_right_changes_no_address() {
    let sandbox = sandbox(&[]);
    let endpoint = "/admin/v1/merchants/1/endpoints/iak";
    let good = r#"{"url":"https://shop.example/"}"#;
    let both = r#"{"url":"https://shop.example/","keep_secret":true,
        "secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}"#;
    let table = [
        ("PUT", endpoint, r#"{"url":"ftp://shop.example/"}"#, 400, "REQUEST_MALFORMED"),
        ("PUT", endpoint, r#"{"url":"https://a:b@shop.example/"}"#, 422, "CALLBACK_URL_INVALID"),
        ("PUT", endpoint, r#"{"url":"https://shop.example:25/"}"#, 422, "CALLBACK_URL_INVALID"),
        ("PUT", endpoint, r#"{"url":"https://shop.example/#a"}"#, 422, "CALLBACK_URL_INVALID"),
        ("PUT", endpoint, r#"{"url":"http://192.168.1.1/"}"#, 422, "CALLBACK_URL_INVALID"),
        ("PUT", endpoint, r#"{"url":"http://[::]/"}"#, 422, "CALLBACK_URL_INVALID"),
        (
            "PUT",
            endpoint,
            r#"{"url":"https://shop.example/","secret":"short"}"#,
            400,
            "REQUEST_MALFORMED",
        ),
        (
            "PUT",
            endpoint,
            r#"{"url":"https://shop.example/","keep_secret":true}"#,
            404,
            "ENDPOINT_UNKNOWN",
        ),
        ("PUT", endpoint, both, 400, "REQUEST_MALFORMED"),
        ("PUT", "/admin/v1/merchants/99/endpoints/iak", good, 404, "MERCHANT_UNKNOWN"),
        ("PUT", "/admin/v1/merchants/1/endpoints/nobody", good, 404, "ENDPOINT_UNKNOWN"),
        ("GET", endpoint, "", 404, "ENDPOINT_UNKNOWN"),
        ("POST", "/admin/v1/merchants/1/endpoints/iak/stop", "", 404, "ENDPOINT_UNKNOWN"),
        ("GET", "/admin/v1/callbacks/1", "", 404, "CALLBACK_UNKNOWN"),
        ("GET", "/admin/v1/callbacks/x", "", 404, "CALLBACK_UNKNOWN"),
        ("GET", "/admin/v1/callbacks?order=0", "", 400, "QUERY_INVALID"),
        ("GET", "/admin/v1/callbacks?order=9223372036854775808", "", 400, "QUERY_INVALID"),
        ("GET", "/admin/v1/callbacks?merchant=4294967296", "", 400, "QUERY_INVALID"),
        ("GET", "/admin/v1/callbacks?state=lost", "", 400, "QUERY_INVALID"),
        ("POST", "/admin/v1/callbacks/1/resend", "", 404, "CALLBACK_UNKNOWN"),
        (
            "POST",
            "/admin/v1/callback-tests",
            r#"{"merchant":99,"protocol":"iak"}"#,
            404,
            "ENDPOINT_UNKNOWN",
        ),
        (
            "PUT",
            "/admin/v1/merchants/1/repetition",
            r#"{"repetition":"twice"}"#,
            400,
            "REQUEST_MALFORMED",
        ),
    ];
    for (method, path, body, status, code) in table {
        let name = if method == "POST" { "callback-key-1" } else { "" };
        let answer = administer(&sandbox, "admin", (method, path), name, body);
        let found = (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned());
        assert_eq!(found, (status, code.to_owned()), "{method} {path} {body}");
    }
    let audit = administer(&sandbox, "viewer", ("GET", "/admin/v1/audit-records"), "", "").json();
    assert_eq!(audit["items"], json!([]), "nothing was done");
}

#[test]
fn what_operators_do_is_recorded_without_secrets_and_done_once() {
    let receiver = Receiver::start(SOUND);
    let sandbox = sandbox(&[]);
    let body = json!({ "url": receiver.url }).to_string();
    let set = ("PUT", "/admin/v1/merchants/1/endpoints/iak");
    let [first, again] =
        [0, 1].map(|_| administer(&sandbox, "admin", set, "endpoint-1", &body).json());
    assert_eq!(first, again, "a repeat is answered alike");
    let secret = first["secret"].as_str().unwrap();
    top_up(&sandbox, "AUDIT-1");
    wait_until("it is delivered", || callback(&sandbox, 1)["state"] == "delivered");
    let resend = ("POST", "/admin/v1/callbacks/1/resend");
    for _ in 0..2 {
        assert_eq!(administer(&sandbox, "operator", resend, "resend-01", "").status, 200);
    }
    wait_until("it is delivered again", || callback(&sandbox, 1)["tries"] == 2);

    let test = ("POST", "/admin/v1/callback-tests");
    let body = r#"{"merchant":1,"protocol":"iak"}"#;
    let [first, again] =
        [0, 1].map(|_| administer(&sandbox, "operator", test, "test-0001", body).body);
    assert_eq!((&first, receiver.arrived().len()), (&again, 3), "tested once");
    let other = r#"{"merchant":2,"protocol":"iak"}"#;
    let reused = administer(&sandbox, "operator", test, "test-0001", other);
    assert_eq!(reused.json()["code"], "IDEMPOTENCY_KEY_REUSED");

    let rule = ("PUT", "/admin/v1/merchants/1/repetition");
    let body = r#"{"repetition":"once-per-number"}"#;
    assert_eq!(administer(&sandbox, "operator", rule, "", body).status, 403);
    let merchant = administer(&sandbox, "admin", rule, "", body).json();
    assert_eq!(merchant["repetition"], "once-per-number");

    let audit = administer(&sandbox, "viewer", ("GET", "/admin/v1/audit-records"), "", "").json();
    let actions: Vec<_> = audit["items"].as_array().unwrap().iter().collect();
    let actions: Vec<_> = actions.iter().map(|it| it["action"].clone()).collect();
    let expected = json!(["merchant.repetition_set", "callback.resent", "endpoint.set"]);
    assert_eq!(json!(actions), expected);
    assert!(!audit.to_string().contains(secret));

    let shown = ("GET", "/admin/v1/callbacks/1");
    let content = |role| administer(&sandbox, role, shown, "", "").json()["content"].clone();
    assert!(content("operator")["body"].as_str().unwrap().contains("081712340000"));
    assert!(!content("viewer").to_string().contains("081712340000"));
    sandbox.verify();
}
