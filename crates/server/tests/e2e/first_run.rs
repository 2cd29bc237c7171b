//! What a new user meets, and what stands in the way of a second server.

use std::process::{Command, Stdio};

use crate::harness::{Sandbox, is_missing, lunas, wait_until};
use crate::iak_client::{inquired, pay};

/// Runs one line of the welcome text in a shell.
fn shell(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).stderr(Stdio::inherit()).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_printed_lines_work() {
    if is_missing("curl") {
        return;
    }
    let sandbox = Sandbox::start(&[]);
    let lines: Vec<_> = sandbox.welcome().lines().filter(|line| line.starts_with("  ")).collect();
    let [inquire, pay, buy, explain, verify] = lines.as_slice() else { panic!("{lines:?}") };
    let inquiry: serde_json::Value = serde_json::from_str(&shell(inquire)).unwrap();
    assert_eq!(inquiry["data"]["response_code"], "00", "{inquiry}");
    let tr_id = inquiry["data"]["tr_id"].to_string();
    let payment: serde_json::Value =
        serde_json::from_str(&shell(&pay.replace("TR_ID", &tr_id))).unwrap();
    assert_eq!(payment["data"]["message"], "PAYMENT SUCCESS", "{payment}");
    let bought: serde_json::Value = serde_json::from_str(&shell(buy)).unwrap();
    assert_eq!(bought["code"], "ORDER_SUCCESS", "{bought}");
    let story = shell(&explain.replace("TR_ID", &tr_id));
    assert!(story.starts_with("Pesanan 1: BERHASIL\n"), "{story}");
    assert!(shell(verify).contains("books are clean"));
}

#[test]
fn a_second_server_on_the_same_data_is_refused() {
    let sandbox = Sandbox::start(&[]);
    let output = lunas()
        .args(["sandbox", "--listen", "127.0.0.1:0", "--data"])
        .arg(sandbox.data.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("in use"), "{text}");
    let tr_id = inquired(&sandbox, "530000000000", "STILL-1");
    assert_eq!(pay(&sandbox, tr_id).code(), "00");
}

#[test]
fn health_is_told_and_a_stop_is_orderly() {
    let mut sandbox = Sandbox::start(&[]);
    assert_eq!(sandbox.get("/livez").status, 200);
    wait_until("the server is ready", || sandbox.get("/readyz").status == 200);
    assert_eq!(sandbox.get("/nowhere").status, 404);
    assert_eq!(sandbox.stop(), Some(0));
}

#[test]
fn verify_needs_books() {
    let empty = tempfile::TempDir::new().unwrap();
    let output = lunas().args(["verify", "--data"]).arg(empty.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0, "verify changes nothing");
}

#[test]
fn the_admin_api_needs_its_token() {
    let sandbox = Sandbox::start(&[]);
    let answer = sandbox.post("/admin/v1/order-resolutions", "application/json", b"{}");
    assert_eq!(answer.status, 401);
    let refused = lunas()
        .args(["order", "resolve", "X", "success", "--token", "wrong", "--server", sandbox.url()])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let unknown = sandbox.resolve("NOBODYS-ORDER", "success");
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("no such order"));
}
