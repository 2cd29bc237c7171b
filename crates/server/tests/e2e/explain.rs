//! One order explained, and one signature taken apart, through the real program.

use std::io::Write;
use std::net::TcpStream;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::harness::{Sandbox, lunas, request, wait_until};
use crate::iak_client::{
    API_KEY, PATH, USERNAME, inquired, inquiry_body, pay, payment_body, send, sign, status,
};
use crate::instance::{ADMINISTRATOR, Instance, SETTINGS};

const BILL: &str = "530000000000";
const PENDING: &str = "530000001039";
const DECLINED: &str = "530000000014";

fn explain(sandbox: &Sandbox, name: &str, rest: &[&str]) -> Output {
    lunas().args(["explain", name, "--server", sandbox.url()]).args(rest).output().unwrap()
}

/// The text of a story that must be there.
fn told(sandbox: &Sandbox, name: &str, rest: &[&str]) -> String {
    let output = explain(sandbox, name, rest);
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {problem}");
    String::from_utf8(output.stdout).unwrap()
}

fn story(sandbox: &Sandbox, name: &str) -> Value {
    serde_json::from_str(&told(sandbox, name, &["--json"])).unwrap()
}

/// An inquiry whose signature is of something else.
fn wrongly_signed(reference: &str) -> Value {
    let mut body = inquiry_body("PLNPOSTPAID", BILL, reference);
    body["sign"] = json!(sign("cs"));
    body
}

fn assert_told(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let (_, after) =
            rest.split_once(part).unwrap_or_else(|| panic!("{part:?} does not follow in\n{text}"));
        rest = after;
    }
}

#[test]
fn a_paid_bill_is_explained_by_every_name_it_has() {
    let mut sandbox = Sandbox::start(&[]);
    assert_eq!(send(&sandbox, &wrongly_signed("INV-1")).code(), "100");
    let tr_id = inquired(&sandbox, BILL, "INV-1");
    assert_eq!(pay(&sandbox, tr_id).code(), "00");
    assert_eq!(status(&sandbox, "INV-1").code(), "00");

    let text = told(&sandbox, "INV-1", &["--language", "id"]);
    let tr_id = tr_id.to_string();
    assert_told(
        &text,
        &[
            "Pesanan 1: BERHASIL\n",
            "Referensi INV-1, merchant 1 (Toko Contoh), lewat iak, tr_id ",
            &tr_id,
            "Tanda tangan SALAH. Kami jawab 100",
            "Tidak ada yang berubah.",
            "cek tagihan (inq-pasca) [2]. Tanda tangan cocok. Kami jawab 00",
            "bayar (pay-pasca) [3]",
            "ditahan dari saldo merchant",
            "Pemasok sandbox dipanggil, percobaan 1.",
            "Pemasok menyatakan berhasil, bukti ",
            "menjadi margin kami",
            "tanya status (checkstatus) [4]",
            "Uang\n",
            "Masih terbuka\n  Tidak ada.\n",
            "Permintaan dan jawaban, tersamar\n",
            "\"hp\":\"5300****000\"",
        ],
    );
    for secret in [API_KEY, USERNAME, &sign("INV-1"), &sign("cs")] {
        assert!(!text.contains(secret), "{secret} is told:\n{text}");
    }
    assert_told(&told(&sandbox, "1", &["--language", "en"]), &["Order 1: SUCCEEDED\n"]);
    assert_told(&told(&sandbox, &tr_id, &["--language", "en"]), &["Order 1: SUCCEEDED\n"]);

    let stories = story(&sandbox, &tr_id);
    let found = &stories["orders"][0];
    assert_eq!(found["found_by"], json!(["tr_id"]));
    let last = found["movements"].as_array().unwrap().last().unwrap();
    let number = |field: &str| last[field].as_str().unwrap().parse::<i64>().unwrap();
    assert_eq!(number("held"), 0);
    assert_eq!(number("charged"), number("cost") + number("margin"));
    assert_eq!(last["charged"], found["quote"]["charge"]);
    let verdicts: Vec<_> = found["exchanges"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["command"].as_str().unwrap(), it["signature"].as_str().unwrap()))
        .collect();
    let expected = [
        ("inq-pasca", "invalid"),
        ("inq-pasca", "valid"),
        ("pay-pasca", "valid"),
        ("checkstatus", "valid"),
    ];
    assert_eq!(verdicts, expected);
    assert_eq!(stories["others"], json!([]));

    // What was said outlives the program, and a viewer sees no customer's number.
    assert_eq!(sandbox.stop(), Some(0));
    sandbox.restart();
    let seen = told(&sandbox, "INV-1", &["--token", "sandbox-viewer", "--language", "id"]);
    assert_told(&seen, &["untuk nomor 5300*****000.", "Tanda tangan SALAH", "(checkstatus) [4]"]);
    assert!(!seen.contains(BILL), "{seen}");
    sandbox.verify();
}

#[test]
fn what_is_open_or_refused_is_explained_with_what_to_do() {
    let sandbox = Sandbox::start(&[]);
    let tr_id = inquired(&sandbox, PENDING, "OPEN-1");
    assert_eq!(pay(&sandbox, tr_id).code(), "39");
    let pending = told(&sandbox, "OPEN-1", &["--language", "en"]);
    assert_told(
        &pending,
        &[
            "PENDING",
            "still being processed",
            "is still held on the merchant's balance.",
            "lunas order resolve OPEN-1 success (or failed) --order 1",
        ],
    );
    assert!(sandbox.resolve("OPEN-1", "success").status.success());
    let decided = told(&sandbox, "OPEN-1", &["--language", "en"]);
    assert_told(
        &decided,
        &["sandbox administrator (administrator) decided this order: SUCCEEDED."],
    );

    let mut body = inquiry_body("PLNPOSTPAID", DECLINED, "WRONG-1");
    assert_eq!(send(&sandbox, &body).code(), "14");
    let declined = told(&sandbox, "WRONG-1", &["--language", "id"]);
    assert_told(
        &declined,
        &[
            "DITOLAK saat cek tagihan",
            "Kami jawab 14",
            "nomor pelanggannya salah",
            "referensi baru",
        ],
    );

    // Two requests that led to no order, one of them in somebody else's name.
    assert_eq!(send(&sandbox, &wrongly_signed("NONE-1")).code(), "100");
    body["username"] = json!("nobody");
    body["ref_id"] = json!("NONE-1");
    assert_eq!(send(&sandbox, &body).code(), "100");
    let none = told(&sandbox, "NONE-1", &["--language", "id"]);
    assert_told(&none, &["Tidak ada pesanan dengan nama NONE-1", "[2]", "lunas verify-sign iak"]);

    let never = explain(&sandbox, "NEVER-1", &["--language", "id"]);
    assert_eq!(never.status.code(), Some(1));
    let never = String::from_utf8(never.stdout).unwrap();
    assert_told(&never, &["Tidak ada pesanan atau permintaan dengan nama NEVER-1."]);
}

#[test]
fn a_payment_under_a_wrong_signature_belongs_to_its_order() {
    let sandbox = Sandbox::start(&[]);
    let tr_id = inquired(&sandbox, BILL, "INV-2");
    let mut body = payment_body(tr_id);
    body["sign"] = json!(sign("INV-2"));
    assert_eq!(send(&sandbox, &body).code(), "100");
    let download = sandbox.get_bytes(&format!("/api/v1/download/{tr_id}/1"));
    assert!(String::from_utf8(download.1).unwrap().contains("BILL UNPAID"));
    let text = told(&sandbox, "INV-2", &["--language", "en"]);
    assert_told(
        &text,
        &["NOT PAID", "asked to pay (pay-pasca) [2]. The signature is WRONG.", "(download) [3]"],
    );
}

/// The complaint of every day: the payment was sent, and the client did not wait for the answer.
#[test]
fn a_merchant_who_hung_up_finds_his_payment_told() {
    let sandbox = Sandbox::start(&["--answer-within", "500ms"]);
    let tr_id = inquired(&sandbox, BILL, "GONE-1");
    sandbox.control("/sandbox/faults", &json!({ "fault": "slow", "milliseconds": 60_000 }));
    let body = payment_body(tr_id).to_string();
    let head = format!("POST {PATH} HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len());
    let mut socket = TcpStream::connect(sandbox.address()).unwrap();
    socket.write_all(format!("{head}{body}").as_bytes()).unwrap();
    drop(socket);
    let text = || told(&sandbox, "GONE-1", &["--language", "en"]);
    wait_until("the payment is told", || text().contains("asked to pay (pay-pasca)"));
    assert_told(
        &text(),
        &["PENDING", "(pay-pasca)", "The signature is right. We answered 39", "is still held"],
    );
}

/// What is kept beside the books is neither backed up nor audited.
#[test]
fn a_backup_holds_no_exchanges() {
    let sandbox = Sandbox::start(&[]);
    inquired(&sandbox, BILL, "INV-6");
    told(&sandbox, "INV-6", &[]);
    assert!(sandbox.data.path().join("exchanges.db").exists());
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("backup.tar");
    let backup = lunas()
        .args(["backup", "--data"])
        .arg(sandbox.data.path())
        .arg("--to")
        .arg(&file)
        .output()
        .unwrap();
    assert!(backup.status.success(), "{backup:?}");
    let archive = String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
    assert!(archive.contains("lunas.db") && !archive.contains("exchanges"));
}

#[test]
fn the_language_is_that_of_the_environment() {
    let sandbox = Sandbox::start(&[]);
    inquired(&sandbox, BILL, "INV-3");
    for (language, headline) in
        [("en_US.UTF-8", "Order 1"), ("id_ID.UTF-8", "Pesanan 1"), ("C", "Pesanan 1")]
    {
        let output = lunas()
            .args(["explain", "INV-3", "--server", sandbox.url()])
            .env("LC_ALL", language)
            .output()
            .unwrap();
        assert!(String::from_utf8(output.stdout).unwrap().starts_with(headline), "{language}");
    }
}

#[test]
fn a_name_that_cannot_be_one_is_refused() {
    let sandbox = Sandbox::start(&[]);
    for path in ["", "?name=", "?name=a%20b", "?name=%00", "?other=1"] {
        let path = format!("/admin/v1/order-stories{path}");
        let headers = [("authorization", "Bearer sandbox-viewer")];
        let answer = request(sandbox.url(), "GET", &path, &headers, "");
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (400, &json!("QUERY_INVALID")),
            "{path}"
        );
    }
}

#[test]
fn exchanges_can_be_turned_off() {
    let instance = Instance::new(&[SETTINGS, "[exchanges]\nper_second = 0\n"]);
    let running = instance.start();
    running.post(PATH, &wrongly_signed("OFF-1").to_string());
    let output = lunas()
        .args(["explain", "OFF-1", "--language", "id", "--server", &running.admin])
        .args(["--token", ADMINISTRATOR])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_told(&text, &["Percakapan tidak dicatat"]);
    assert!(!instance.path("lunas-data/exchanges.db").exists());
}

/// A damaged log takes nothing away but itself.
#[test]
fn a_gateway_goes_on_without_its_log() {
    let mut sandbox = Sandbox::start(&[]);
    inquired(&sandbox, BILL, "INV-4");
    sandbox.kill();
    for name in ["exchanges.db-wal", "exchanges.db-shm"] {
        let _ = std::fs::remove_file(sandbox.data.path().join(name));
    }
    std::fs::write(sandbox.data.path().join("exchanges.db"), "no database ".repeat(500)).unwrap();
    sandbox.restart();
    let tr_id = inquired(&sandbox, BILL, "INV-5");
    assert_eq!(pay(&sandbox, tr_id).code(), "00");
    let text = told(&sandbox, "INV-5", &["--language", "en"]);
    assert_told(&text, &["SUCCEEDED", "Exchanges are not kept"]);
    sandbox.verify();
}

fn verify_sign(arguments: &[&str], body: &str) -> Output {
    let mut child = lunas()
        .args(["verify-sign", "iak", "--language", "en"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_signature_is_taken_apart() {
    let who = ["--username", USERNAME, "--api-key", API_KEY];
    let good = inquiry_body("PLNPOSTPAID", BILL, "INV-1").to_string();
    let right = verify_sign(&who, &good);
    assert_eq!(right.status.code(), Some(0), "{right:?}");

    let wrong = verify_sign(&who, &wrongly_signed("INV-1").to_string());
    assert_eq!(wrong.status.code(), Some(1));
    let text = String::from_utf8(wrong.stdout).unwrap();
    assert_told(&text, &["WRONG", "signed with the fixed word \"cs\" where ref_id belongs"]);
    assert!(!text.contains(API_KEY), "{text}");

    let neither = verify_sign(&who, "hp=530000000000");
    assert_eq!(neither.status.code(), Some(2));
    assert!(String::from_utf8(neither.stderr).unwrap().starts_with("lunas: "));

    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("body.json");
    std::fs::write(&file, format!("{good}\n")).unwrap();
    let from_file = verify_sign(&[&who[..], &[file.to_str().unwrap()]].concat(), "");
    assert_eq!(from_file.status.code(), Some(0), "{from_file:?}");
    let missing = verify_sign(&[&who[..], &["/nowhere/body.json"]].concat(), "");
    assert_eq!(missing.status.code(), Some(2));
}
