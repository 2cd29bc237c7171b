//! Money that feeds tell of, by the commands of the page for operators: it pays the order that waits
//! for it, and what fits none is decided on by a person.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{Sandbox, is_missing, lunas, request};
use crate::pages::commands;

pub(crate) const SECRET: &str = "whsec_c2FuZGJveC1ldmlkZW5jZS1zZWNyZXQtMDAwMQ==";
/// Nobody ever pays from this number by themselves.
const SENDER: &str = "081200000404";

fn shell(script: &str, folder: &TempDir) -> String {
    let output = Command::new("sh").args(["-ec", script]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Sends mutations as the page says, from the demo's SIM.
pub(crate) fn tell(sandbox: &Sandbox, secret: &str, mutations: &Value) -> Value {
    tell_from(sandbox, "demo_sim", secret, mutations)
}

/// The same from this feed.
pub(crate) fn tell_from(sandbox: &Sandbox, feed: &str, secret: &str, mutations: &Value) -> Value {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("bank_bca.secret"), format!("{secret}\n")).unwrap();
    fs::write(folder.path().join("mutations.json"), mutations.to_string()).unwrap();
    let script = commands("evidence.md", "Kirim · send").concat();
    let address = "http://127.0.0.1:8080/lunas/evidence/bank_bca";
    assert!(script.contains(address), "{script}");
    let own = format!("{}/lunas/evidence/{feed}", sandbox.url());
    let answer = shell(&script.replace(address, &own), &folder);
    serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

/// Opens an ilenpay transaction for Rp10.000, which takes credit of Rp13.000.
fn open(sandbox: &Sandbox, reference: &str) {
    let text = format!("telkomsel+10000+{reference}+demoUser01");
    let sign = shell(&format!("printf %s '{text}' | openssl md5 -r | cut -c1-32"), &folder());
    let body = format!(
        "type=direct&operator=telkomsel&nominal=10000&reff_id={reference}&sign={}\
         &return_url=https%3A%2F%2Fshop.example%2F",
        sign.trim()
    );
    let answer = ilenpay(sandbox, "POST", "/v1/transaksi/baru", &body);
    assert_eq!(answer["data"]["total_tf"], "13000", "{answer}");
}

fn folder() -> TempDir {
    TempDir::new().unwrap()
}

fn ilenpay(sandbox: &Sandbox, method: &str, path: &str, body: &str) -> Value {
    let headers = [
        ("authorization", "ilen-sandbox-key-0001"),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    request(sandbox.url(), method, path, &headers, body).json()
}

fn status(sandbox: &Sandbox, reference: &str) -> Value {
    let path = format!("/v1/transaksi/status?reff_id={reference}");
    ilenpay(sandbox, "GET", &path, "")["data"]["status"].clone()
}

pub(crate) fn balance(sandbox: &Sandbox) -> i64 {
    let headers = [("authorization", "Bearer sandbox-viewer")];
    let merchant = request(sandbox.url(), "GET", "/admin/v1/merchants/1", &headers, "").json();
    merchant["balance"].as_str().unwrap().parse().unwrap()
}

fn typed(sandbox: &Sandbox, arguments: &[&str]) -> (bool, Value) {
    let output = lunas()
        .arg("evidence")
        .args(arguments)
        .args(["--json", "--server", sandbox.url()])
        .output()
        .unwrap();
    let text = if output.status.success() { &output.stdout } else { &output.stderr };
    let text = String::from_utf8_lossy(text).into_owned();
    (output.status.success(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

#[test]
fn money_pays_what_waits_for_it_and_a_person_decides_on_the_rest() {
    if is_missing("openssl") || is_missing("curl") {
        return;
    }
    let sandbox = Sandbox::start(&[]);
    let before = balance(&sandbox);
    open(&sandbox, "EVIDENCE-1");
    let body = format!("reff_id=EVIDENCE-1&sender={SENDER}");
    ilenpay(&sandbox, "POST", "/v1/konfirmasi/pembayaran", &body);
    assert_eq!(status(&sandbox, "EVIDENCE-1"), "UNPAID");

    // A minute from now, so that the money is not older than the order.
    let at = shell("date -u -d '+1 minute' +%Y-%m-%dT%H:%M:%SZ", &folder());
    let row = |id: &str, amount: u32| json!({ "id": id, "at": at.trim(), "amount": amount, "sender": SENDER });
    let early = json!({ "id": "early", "at": "2020-01-01 00:00:00", "amount": "13000.00", "sender": "0899" });
    let mutations = json!([row("short", 12_000), row("right", 13_000), early]);
    let forged = tell(&sandbox, "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &mutations);
    assert_eq!(forged["code"], "UNAUTHORIZED", "{forged}");
    let told = tell(&sandbox, SECRET, &mutations);
    let states: Vec<_> = told["rows"].as_array().unwrap().iter().map(|row| &row["state"]).collect();
    assert_eq!(states, ["suspended", "used", "suspended"], "{told}");
    assert_eq!(
        (status(&sandbox, "EVIDENCE-1"), balance(&sandbox)),
        (json!("PAID"), before + 10_000)
    );
    assert_eq!(tell(&sandbox, SECRET, &mutations)["repeated"], 3);
    assert_eq!(balance(&sandbox), before + 10_000);

    open(&sandbox, "EVIDENCE-2");
    let order = latest_order(&sandbox);
    let (done, misfit) = typed(&sandbox, &["assign", "demo_sim", "short", &order]);
    assert!(!done && misfit.to_string().contains("EVIDENCE_MISFIT"), "{misfit}");
    let (done, paid) = typed(&sandbox, &["assign", "demo_sim", "early", &order]);
    assert!(done && paid["state"] == "succeeded", "{paid}");
    assert_eq!(
        (status(&sandbox, "EVIDENCE-2"), balance(&sandbox)),
        (json!("PAID"), before + 20_000)
    );

    let release = ["release", "demo_sim", "short", "--merchant", "1", "--reason", "Tiket 881"];
    let (done, released) = typed(&sandbox, &release);
    assert!(done && released["state"] == "released" && released["merchant"] == 1, "{released}");
    let (done, again) = typed(&sandbox, &release);
    assert!(!done && again.to_string().contains("EVIDENCE_NOT_SUSPENDED"), "{again}");
    assert_eq!(balance(&sandbox), before + 32_000);

    let (_, list) = typed(&sandbox, &["list", "--state", "used"]);
    let ids: Vec<_> = list.as_array().unwrap().iter().map(|it| &it["id"]).collect();
    assert_eq!(ids, ["early", "right"]);
    let (_, shown) = typed(&sandbox, &["show", "demo_sim", "short"]);
    assert_eq!(shown, released);
    let (done, unknown) = typed(&sandbox, &["show", "demo_sim", "nothing"]);
    assert!(!done && unknown.to_string().contains("EVIDENCE_UNKNOWN"), "{unknown}");
    sandbox.verify();
}

/// The number of the order that was made last.
fn latest_order(sandbox: &Sandbox) -> String {
    let headers = [("authorization", "Bearer sandbox-viewer")];
    let answer = request(sandbox.url(), "GET", "/admin/v1/orders?limit=1", &headers, "");
    answer.json()["items"][0]["order"].to_string()
}
