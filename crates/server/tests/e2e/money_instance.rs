//! A production instance that takes money in and pays it out: its channels, its feeds, and merchants of
//! both APIs in two currencies.

use base64::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Answer, request};
use crate::instance::{ADMINISTRATOR, Instance, Running, SETTINGS};
use crate::money_clients::{Feed, Ilenpay, S88pay};

/// What the operators have at the beginning, in minor units.
pub(crate) const OPENING_RUPIAH: i64 = 50_000_000;
pub(crate) const OPENING_BAHT: i64 = 50_000_000;

/// Feeds of a SIM card and of two bank accounts. Clients may call as often as they like.
const MONEY: &str = r#"
[limits]
requests_per_second = 0
failed_signatures_per_minute = 0

[callbacks]
allow_networks = ["127.0.0.0/8"]

[evidence.sim]
secret_file = "./sim.secret"
channel = "credit"
currency = "IDR"
senders = "telephone"

[evidence.bank_rupiah]
secret_file = "./bank_rupiah.secret"
channel = "transfer-in"
currency = "IDR"

[evidence.bank_baht]
secret_file = "./bank_baht.secret"
channel = "transfer-in"
currency = "THB"
"#;

/// Who takes part.
#[derive(Clone)]
pub(crate) struct Parts {
    /// Merchant 1, in rupiah, by telephone credit.
    pub(crate) toko: Ilenpay,
    /// The same merchant, by transfer.
    pub(crate) other_rupiah: S88pay,
    /// Merchant 2.
    pub(crate) rupiah: S88pay,
    /// Merchant 3.
    pub(crate) baht: S88pay,
    pub(crate) sim: Feed,
    pub(crate) bank_rupiah: Feed,
    pub(crate) bank_baht: Feed,
}

/// A folder with the configuration, and these settings besides.
pub(crate) fn new(settings: &[&str]) -> Instance {
    let instance = Instance::new(&[&[SETTINGS, MONEY], settings].concat());
    for source in ["sim", "bank_rupiah", "bank_baht"] {
        instance.write(&format!("{source}.secret"), &secret(source));
    }
    instance
}

/// Signs what a feed tells.
fn secret(source: &str) -> String {
    format!("whsec_{}", BASE64_STANDARD.encode(format!("{source:-<32}")))
}

/// Starts the server on an empty folder and has everybody take part.
pub(crate) fn begin(instance: &Instance) -> (Running, Parts) {
    let running = instance.start();
    channels(&running);
    for (name, currency) in [("Toko", "IDR"), ("Operator", "IDR"), ("Operator", "THB")] {
        running.operate(&["merchant", "add", name, "--currency", currency]);
    }
    let (key, user) = ("ilen-key-0123456789abcdef", "ilen-user-0123456789");
    let secrets = json!({ "api_key": key, "api_user": user, "webhook_id": "0123456789abcdef",
        "webhook_secret": "0123456789abcdef" });
    credential(
        &running,
        1,
        &json!({ "protocol": "ilenpay", "identifier": "toko", "secrets": secrets }),
    );
    let parts = Parts {
        toko: Ilenpay { key: key.to_owned(), user: user.to_owned() },
        other_rupiah: operator(&running, 1, "TOKO01", "IDR"),
        rupiah: operator(&running, 2, "OPRUP1", "IDR"),
        baht: operator(&running, 3, "OPBHT1", "THB"),
        sim: feed("sim", false),
        bank_rupiah: feed("bank_rupiah", true),
        bank_baht: feed("bank_baht", false),
    };
    for (merchant, amount) in [("2", "50000000"), ("3", "500000.00")] {
        let funding = ["--reference", "OPENING", "--reason", "Opening"];
        running.operate(&[&["merchant", "credit", merchant, amount], &funding[..]].concat());
    }
    (running, parts)
}

fn feed(source: &str, as_csv: bool) -> Feed {
    Feed { source: source.to_owned(), secret: secret(source), as_csv }
}

fn operator(running: &Running, merchant: u32, code: &str, currency: &'static str) -> S88pay {
    let (api_key, secret_key) =
        (format!("api-key-of-{code}-0123"), format!("secret-key-of-{code}-0123"));
    let secrets = json!({ "api_key": api_key, "secret_key": secret_key });
    let body = json!({ "protocol": "s88pay", "identifier": code, "secrets": secrets });
    credential(running, merchant, &body);
    S88pay::new(code, &api_key, &secret_key, currency)
}

fn credential(running: &Running, merchant: u32, body: &Value) {
    administer(running, "POST", &format!("merchants/{merchant}/credentials"), body);
}

fn channels(running: &Running) {
    let channel = |name: &str, (protocol, code): (&str, &str), channel: Value| {
        let body = json!({
            "name": name, "group": "channel", "status": "active", "terms": [],
            "aliases": [{ "protocol": protocol, "code": code }], "channel": channel,
        });
        let path = format!("products/{name}");
        administer(running, "PUT", &path, &body);
        let shown = administer(running, "GET", &path, &Value::Null);
        let mut again = shown.clone();
        again.as_object_mut().unwrap().remove("product");
        assert_eq!(shown["channel"]["flow"], channel["flow"], "{shown}");
        administer(running, "PUT", &path, &again);
        assert_eq!(administer(running, "GET", &path, &Value::Null), shown, "as it was shown");
    };
    let credit = json!({ "flow": "in", "currencies": ["IDR"], "fee_percent": "0", "rate": "0.82",
        "account": "081200000001", "amount_max": "1000000" });
    channel("credit", ("ilenpay", "telkomsel"), credit);
    let transfer = |flow: &str, account: Option<&str>| json!({ "flow": flow, "currencies": [], "fee_percent": "1", "account": account });
    channel(
        "transfer-in",
        ("s88pay", "P001"),
        transfer("in", Some("INR=toko@contoh;0011223344 Contoh")),
    );
    channel("transfer-out", ("s88pay", "W001"), transfer("out", None));
}

/// What the admin API answers, which has to be a success.
pub(crate) fn administer(running: &Running, method: &str, path: &str, body: &Value) -> Value {
    let answer = try_administer(running, method, path, body);
    assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
    answer.json()
}

/// What the admin API answers.
pub(crate) fn try_administer(running: &Running, method: &str, path: &str, body: &Value) -> Answer {
    let authorization = format!("Bearer {ADMINISTRATOR}");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    // The same request is made once in a test.
    let key = hex::encode(Sha256::digest(format!("{method} {path} {body}")));
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", key.as_str()),
    ];
    request(&running.admin, method, &format!("/admin/v1/{path}"), &headers, &body)
}

/// What the three merchants have, in minor units.
pub(crate) fn balances(running: &Running) -> [i64; 3] {
    [1, 2, 3].map(|merchant| {
        let path = format!("merchants/{merchant}");
        let shown = administer(running, "GET", &path, &Value::Null);
        shown["balance"].as_str().unwrap().replace('.', "").parse().unwrap()
    })
}

/// The number of the order that was made last.
pub(crate) fn latest_order(running: &Running) -> String {
    let listed = administer(running, "GET", "orders?limit=1", &Value::Null);
    listed["items"][0]["order"].to_string().trim_matches('"').to_owned()
}
