//! `lunas sign isikuota`: the requests of that API, signed for now.

use anyhow::Context;
use clap::{Args, Subcommand};
use domain::{Secret, Timestamp};
use gateway::ports::Clock;
use protocols::isikuota::sign::{Keys, sign};
use serde_json::{Map, Value, json};

use super::new_reference;
use crate::system::SystemClock;

/// Who signs an isikuota request, and which.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// API id
    #[arg(long, global = true, default_value = "IK-1001")]
    api_id: String,
    /// API key
    #[arg(long, global = true, default_value = "ak_live_7f3c9d2e")]
    api_key: String,
    /// Secret key
    #[arg(long, global = true, default_value = "sk_live_Zx81mQpT")]
    secret_key: String,
    /// Detik Unix · seconds since 1970, for servers whose clock was moved; now unless given
    #[arg(long, global = true)]
    timestamp: Option<u64>,
    /// The request
    #[command(subcommand)]
    request: Request,
}

/// The isikuota requests that can be signed.
#[derive(Debug, Subcommand)]
enum Request {
    /// Saldo · the balance, for /v1/balance
    Balance,
    /// Beli pulsa, data, token · buy credit, for /v1/order
    Prepaid(Purchase),
    /// Beli voucher game · buy for a game, for /v1/order
    Game(Purchase),
    /// Cek tagihan · ask what is owed, for /v1/order
    Inquiry(Purchase),
    /// Bayar · pay what was inquired, for /v1/order
    PayPasca {
        /// Product code of the inquiry
        code: String,
        /// Customer number of the inquiry
        customer_no: String,
        /// The reference of the inquiry
        ref_id: String,
        /// Mode uji · moves no money
        #[arg(long)]
        testing: bool,
    },
    /// Daftar produk · the products, for /v1/products
    Products {
        /// `prepaid`, `game` or `pascabayar`
        #[arg(long = "type", value_name = "TYPE")]
        kind: Option<String>,
        /// Only this product code
        #[arg(long)]
        code: Option<String>,
    },
    /// Cek status · ask what became of an order, for /v1/status
    Status {
        /// Its reference
        ref_id: String,
        /// Mode uji · of a test order
        #[arg(long)]
        testing: bool,
    },
}

/// What is bought or asked for, and for whom.
#[derive(Debug, Args)]
struct Purchase {
    /// Product code, such as TSEL21
    code: String,
    /// Customer number
    customer_no: String,
    /// Your own name for the order; a new one is made when none is given
    #[arg(long)]
    ref_id: Option<String>,
    /// Mode uji · moves no money
    #[arg(long)]
    testing: bool,
}

/// The text that `lunas sign isikuota` prints.
pub(crate) fn signed(options: &Options) -> anyhow::Result<String> {
    signed_at(SystemClock::default().now(), options)
}

fn signed_at(now: Timestamp, options: &Options) -> anyhow::Result<String> {
    let seconds = now.milliseconds().div_euclid(1000);
    let timestamp = options.timestamp.map_or(json!(seconds), |seconds| json!(seconds));
    let mut body = members(&options.request, now);
    let business = Value::Object(body.clone()).to_string();
    let keys = Keys {
        api_id: &options.api_id,
        api_key: &Secret::new(&options.api_key),
        secret_key: &Secret::new(&options.secret_key),
    };
    let signature = sign(&keys, &timestamp.to_string(), &business);
    let signature = signature.context("the request could not be signed")?;
    body.insert("api_id".to_owned(), json!(options.api_id));
    body.insert("timestamp".to_owned(), timestamp);
    body.insert("signature".to_owned(), json!(signature));
    serde_json::to_string(&Value::Object(body)).context("the request could not be written")
}

/// What is asked for, without who asks.
fn members(request: &Request, now: Timestamp) -> Map<String, Value> {
    let mut members = Map::new();
    let mut add = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            members.insert(name.to_owned(), json!(value));
        }
    };
    let testing = match request {
        Request::Balance => false,
        Request::Prepaid(purchase) | Request::Game(purchase) | Request::Inquiry(purchase) => {
            add("cmd", command(request));
            add("code", Some(&purchase.code));
            add("customer_no", Some(&purchase.customer_no));
            let reference = purchase.ref_id.clone().unwrap_or_else(|| new_reference(now));
            add("ref_id", Some(&reference));
            purchase.testing
        }
        Request::PayPasca { code, customer_no, ref_id, testing } => {
            add("cmd", command(request));
            add("code", Some(code));
            add("customer_no", Some(customer_no));
            add("ref_id", Some(ref_id));
            *testing
        }
        Request::Products { kind, code } => {
            add("type", kind.as_deref());
            add("code", code.as_deref());
            false
        }
        Request::Status { ref_id, testing } => {
            add("ref_id", Some(ref_id));
            *testing
        }
    };
    if testing {
        members.insert("testing".to_owned(), json!(true));
    }
    members
}

/// The command of an order.
const fn command(request: &Request) -> Option<&'static str> {
    match request {
        Request::Prepaid(_) => Some("prepaid"),
        Request::Game(_) => Some("game"),
        Request::Inquiry(_) => Some("inquiry"),
        Request::PayPasca { .. } => Some("pay-pasca"),
        Request::Balance | Request::Products { .. } | Request::Status { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use protocols::isikuota::dissect::{Signer, dissect};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn of(arguments: &[&str]) -> String {
        let line = Line::parse_from([&["sign"], arguments].concat());
        signed_at(Timestamp::from_milliseconds(1_780_000_000_999), &line.options).unwrap()
    }

    /// Vectors of the isikuota reference, section 2.6.
    #[test]
    fn known_requests_get_the_known_signatures() {
        let table: [(&[&str], &str); 2] = [
            (&["balance"], "a0b42d7174dc547e19fa127556ffbf98c6bb9f104edcef16206f07485381e7ad"),
            (
                &["prepaid", "TSEL21", "081298765432", "--ref-id", "TRX-20260601-0001"],
                "5013aa86a1f742c0463170ee895d6724a16681e6f631bc311810a92f0083d534",
            ),
        ];
        for (arguments, signature) in table {
            let body: Value = serde_json::from_str(&of(arguments)).unwrap();
            assert_eq!(
                (&body["signature"], &body["timestamp"]),
                (&json!(signature), &json!(1_780_000_000))
            );
        }
    }

    #[test]
    fn every_request_is_signed_as_it_is_checked() {
        let table: [&[&str]; 8] = [
            &["balance"],
            &["prepaid", "TSEL21", "0812/№ é"],
            &["game", "ML86", "1/2", "--testing"],
            &["inquiry", "MPBPJS", "8801234567890"],
            &["pay-pasca", "MPBPJS", "8801234567890", "R-1", "--testing"],
            &["products", "--type", "game"],
            &["status", "R-1", "--timestamp", "1"],
            &["status", "R-1", "--secret-key", "other", "--api-key", "another", "--api-id", "me"],
        ];
        for arguments in table {
            let other = arguments.contains(&"me");
            let [api_id, api_key, secret_key] = if other {
                ["me", "another", "other"]
            } else {
                ["IK-1001", "ak_live_7f3c9d2e", "sk_live_Zx81mQpT"]
            };
            let signer = Signer { api_id, api_key, secret_key, other_keys: &[] };
            let body = of(arguments);
            assert!(dissect(body.as_bytes(), signer).unwrap().is_valid, "{body}");
        }
    }
}
