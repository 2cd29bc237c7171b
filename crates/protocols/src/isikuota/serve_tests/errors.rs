//! Every code of the table of errors is reached, in the order of the checks, and changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::{Command, Currency, Merchant, MerchantId, MerchantStatus, Secret, Timestamp};
use http::Method;
use http::header::{CONTENT_ENCODING, HeaderValue};
use serde_json::{Value, json};

use super::world::{
    API_ID, Conditions, NOW, OTHER_API_ID, SECONDS, SECRET_KEY, World, asked, credential, inquiry,
    merchant, payment, post, prepaid, read, signed_as, signed_at,
};
use crate::exchange::BodyFault;
use crate::iak;
use crate::isikuota::Served;
use crate::isikuota::sign::{Keys, sign};

/// Sends a body, checks status and code, and that nothing changed; gives the whole envelope.
async fn refused(world: &World, path: &str, body: &str, expected: (u16, &str)) -> Value {
    let changes = world.memory.changes();
    let (status, envelope) = read(&world.send(post(path, body.to_owned())).await);
    let code = envelope["code"].as_str().expect("a code");
    assert_eq!((status, code), expected, "{body:.200}");
    assert_eq!((&envelope["success"], &envelope["data"]), (&json!(false), &Value::Null));
    assert_eq!(world.memory.changes(), changes, "{body:.200}");
    envelope
}

#[tokio::test]
async fn what_is_no_object_is_a_bad_request() {
    let world = World::new().await;
    let good = world.signed(prepaid("R-1")).to_string();
    let table = [
        String::new(),
        "hello".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "cmd=prepaid&code=TSEL21".to_owned(),
        good[..good.len() - 1].to_owned(),
        format!("{good}{good}"),
        format!("[{good}]"),
        good.replacen("\"R-1\"", "\"\\ud800\"", 1),
        good.replacen("\"R-1\"", "\"a\nb\"", 1),
        good.replacen("\"R-1\"", "1e999", 1),
        "[".repeat(60_000),
        "{\"x\":".repeat(10_000),
    ];
    for body in table {
        refused(&world, "/v1/order", &body, (400, "BAD_REQUEST")).await;
    }
    let (status, _) = read(&world.send(post("/v1/order", &b"{\"cmd\":\"\xFF\"}"[..])).await);
    assert_eq!(status, 400);
    for fault in [BodyFault::TooLarge, BodyFault::TooSlow, BodyFault::Broken] {
        let request = post("/v1/order", good.clone()).map(|_| Err(fault));
        assert_eq!(read(&world.send(request).await).1["code"], "BAD_REQUEST");
    }
    let mut compressed = post("/v1/order", good);
    compressed.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    assert_eq!(read(&world.send(compressed).await).1["code"], "BAD_REQUEST");
}

/// A signature covers the last of two members of one name; what has a meaning may not come twice.
#[tokio::test]
async fn a_member_with_a_meaning_comes_once() {
    let world = World::new().await;
    let body = world.signed(prepaid("R-1")).to_string();
    for (name, other) in
        [("code", "\"ML86\""), ("customer_no", "\"0811\""), ("api_id", "\"x\""), ("cmd", "1")]
    {
        let twice = body.replacen('{', &format!("{{\"{name}\":{other},"), 1);
        refused(&world, "/v1/order", &twice, (400, "BAD_REQUEST")).await;
    }
    // Of what has none, the last counts, as PHP has it.
    let mut signed = prepaid("R-1");
    signed["note"] = json!("last");
    let body = world.signed(signed).to_string().replacen('{', "{\"note\":\"first\",", 1);
    let (_, envelope) = read(&world.send(post("/v1/order", body)).await);
    assert_eq!(envelope["code"], "ORDER_SUCCESS");
}

#[tokio::test]
async fn the_members_of_the_signature_are_named_where_they_cannot_be_used() {
    let world = World::new().await;
    let good = world.signed(prepaid("R-1"));
    let wrong = [json!(null), json!(true), json!([]), json!({}), json!(""), json!(1.5)];
    for field in ["api_id", "timestamp", "signature"] {
        let mut absent = good.clone();
        absent.as_object_mut().expect("an object").remove(field);
        let replaced = wrong.iter().map(|value| {
            let mut body = good.clone();
            body[field] = value.clone();
            body
        });
        for body in replaced.chain([absent]) {
            let body = body.to_string();
            let envelope = refused(&world, "/v1/order", &body, (422, "VALIDATION_ERROR")).await;
            assert!(envelope["errors"][field][0].is_string(), "{envelope}");
        }
    }
    let envelope = refused(&world, "/v1/balance", "{}", (422, "VALIDATION_ERROR")).await;
    assert_eq!(envelope["errors"].as_object().expect("fields").len(), 3);
}

#[tokio::test]
async fn who_may_not_deal_is_told_so_before_anything_else() {
    let world = World::new().await;
    let stale = SECONDS - 10_000;
    let unknown = signed_as("IK-9999", SECRET_KEY, &stale.to_string(), json!({}));
    refused(&world, "/v1/balance", &unknown.to_string(), (401, "UNAUTHORIZED")).await;
    let suspended = Merchant { status: MerchantStatus::Suspended, ..merchant(1) };
    let dollars = Merchant { currency: Currency::Usd, ..merchant(1) };
    for merchant in [suspended, dollars] {
        world.put(vec![Command::PutMerchant(merchant)]).await;
        for body in [signed_at(SECONDS, prepaid("R-1")), signed_at(stale, prepaid("R-1"))] {
            refused(&world, "/v1/order", &body.to_string(), (401, "UNAUTHORIZED")).await;
        }
    }
    world.put(vec![Command::PutMerchant(merchant(1))]).await;
    let mut expired = credential(1, API_ID, 1, SECRET_KEY);
    expired.expires_at = Some(Timestamp::from_milliseconds(NOW));
    let mut keyless = credential(1, API_ID, 1, "");
    keyless.secrets.remove("api_key");
    for credential in [expired, keyless] {
        world.put(vec![Command::PutCredential(credential)]).await;
        let body = signed_at(SECONDS, prepaid("R-1")).to_string();
        refused(&world, "/v1/order", &body, (401, "UNAUTHORIZED")).await;
    }
}

#[tokio::test]
async fn a_request_is_good_for_the_window_and_no_longer() {
    let world = World::new().await;
    for (seconds, expected) in [
        (SECONDS - 301, Some("TIMESTAMP_EXPIRED")),
        (SECONDS - 300, None),
        (SECONDS + 300, None),
        (SECONDS + 301, Some("TIMESTAMP_EXPIRED")),
        (0, Some("TIMESTAMP_EXPIRED")),
        (i64::MAX, Some("TIMESTAMP_EXPIRED")),
    ] {
        let body = signed_at(seconds, json!({})).to_string();
        match expected {
            Some(code) => {
                refused(&world, "/v1/balance", &body, (401, code)).await;
            }
            None => assert_eq!(read(&world.send(post("/v1/balance", body)).await).0, 200),
        }
    }
    let open = Conditions { timestamp_window: Duration::ZERO, ..Conditions::default() };
    let world = World::under(open).await;
    for seconds in [0, SECONDS, i64::MAX] {
        let body = signed_at(seconds, json!({})).to_string();
        assert_eq!(read(&world.send(post("/v1/balance", body)).await).0, 200);
    }
}

/// Digits are signed as they came.
#[tokio::test]
async fn a_time_may_be_a_text_of_digits() {
    let world = World::new().await;
    let (api_key, secret_key) = (Secret::new("ak_live_7f3c9d2e"), Secret::new(SECRET_KEY));
    let keys = Keys { api_id: API_ID, api_key: &api_key, secret_key: &secret_key };
    for (sent, signed, status) in [
        ("1780000000", "1780000000", 200),
        ("01780000000", "01780000000", 200),
        ("01780000000", "1780000000", 401),
    ] {
        let signature = sign(&keys, signed, "{}").expect("an object");
        let body = json!({ "api_id": API_ID, "timestamp": sent, "signature": signature });
        assert_eq!(world.post("/v1/balance", &body).await.0, status, "{sent} {signed}");
    }
}

#[tokio::test]
async fn whatever_is_altered_makes_the_signature_wrong() {
    let world = World::new().await;
    let good = world.signed(prepaid("R-1"));
    for (field, value) in [
        ("signature", json!("0".repeat(64))),
        ("signature", json!("x")),
        ("signature", json!(&good["signature"].as_str().expect("digits")[..63])),
        ("timestamp", json!(SECONDS + 1)),
        ("api_id", json!(OTHER_API_ID)),
        ("cmd", json!("game")),
        ("code", json!("ML86")),
        ("customer_no", json!("081298765433")),
        ("ref_id", json!("R-2")),
        ("testing", json!(true)),
        ("testing", json!(false)),
        ("testing", json!(null)),
        ("unknown", json!(1)),
    ] {
        let mut body = good.clone();
        body[field] = value;
        refused(&world, "/v1/order", &body.to_string(), (401, "INVALID_SIGNATURE")).await;
    }
    // A signature of one command is none of another: there is nothing in it but the body.
    let balance = world.signed(json!({}));
    let mut body = good.clone();
    body["signature"] = balance["signature"].clone();
    refused(&world, "/v1/order", &body.to_string(), (401, "INVALID_SIGNATURE")).await;
}

#[tokio::test]
async fn address_and_rate_are_checked_once_it_is_known_who_calls() {
    let addresses = Arc::new(|merchant: MerchantId, _| merchant != MerchantId(1));
    let world = World::under(Conditions { addresses, ..Conditions::default() }).await;
    let good = world.signed(prepaid("R-1"));
    let mut forged = good.clone();
    forged["signature"] = json!("0".repeat(64));
    refused(&world, "/v1/order", &good.to_string(), (403, "IP_NOT_ALLOWED")).await;
    refused(&world, "/v1/order", &forged.to_string(), (401, "INVALID_SIGNATURE")).await;

    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let rates = Arc::new(move |_| count.fetch_add(1, Ordering::SeqCst) < 1);
    let world = World::under(Conditions { rates, ..Conditions::default() }).await;
    refused(&world, "/v1/order", &forged.to_string(), (401, "INVALID_SIGNATURE")).await;
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert_eq!(world.code(prepaid("R-1")).await, "ORDER_SUCCESS");
    let body = world.signed(prepaid("R-2")).to_string();
    refused(&world, "/v1/order", &body, (429, "TOO_MANY_REQUESTS")).await;
}

#[tokio::test]
async fn fields_that_cannot_be_used_are_named() {
    let world = World::new().await;
    let with = |field: &str, value: Value| {
        let mut business = prepaid("R-1");
        business[field] = value;
        business
    };
    let long = "x".repeat(65);
    let table = [
        (with("cmd", json!(null)), "cmd"),
        (with("cmd", json!("")), "cmd"),
        (with("cmd", json!(1)), "cmd"),
        (with("cmd", json!("topup")), "cmd"),
        (with("cmd", json!("PREPAID")), "cmd"),
        (with("code", json!("")), "code"),
        (with("code", json!(21)), "code"),
        (with("customer_no", json!("")), "customer_no"),
        (with("customer_no", json!("   ")), "customer_no"),
        (with("customer_no", json!(81_298_765_432_i64)), "customer_no"),
        (with("customer_no", json!("0812\n")), "customer_no"),
        (with("customer_no", json!(long)), "customer_no"),
        (with("customer_no", json!(["0812"])), "customer_no"),
        (with("ref_id", json!(1)), "ref_id"),
        (with("ref_id", json!("a\u{0}b")), "ref_id"),
        (with("ref_id", json!(long)), "ref_id"),
        (with("testing", json!("true")), "testing"),
        (with("testing", json!(1)), "testing"),
    ];
    for (business, field) in table {
        let body = world.signed(business).to_string();
        let envelope = refused(&world, "/v1/order", &body, (422, "VALIDATION_ERROR")).await;
        let named: Vec<_> = envelope["errors"].as_object().expect("fields").keys().collect();
        assert_eq!(named, [field], "{body}");
    }
    let body = world.signed(json!({ "testing": 0 })).to_string();
    let envelope = refused(&world, "/v1/order", &body, (422, "VALIDATION_ERROR")).await;
    let named: Vec<_> = envelope["errors"].as_object().expect("fields").keys().collect();
    assert_eq!(named, ["cmd", "code", "customer_no", "testing"]);
    assert_eq!(envelope["errors"]["customer_no"], json!(["customer_no wajib diisi"]));
}

#[tokio::test]
async fn products_that_cannot_be_bought_are_refused() {
    let world = World::new().await;
    let table = [
        (asked("prepaid", "NONE", "1", "R-1"), 404, "PRODUCT_NOT_FOUND"),
        (asked("prepaid", "tsel21", "1", "R-1"), 404, "PRODUCT_NOT_FOUND"),
        (asked("prepaid", "ML86", "1", "R-1"), 404, "PRODUCT_NOT_FOUND"),
        (asked("prepaid", "MPBPJS", "1", "R-1"), 404, "PRODUCT_NOT_FOUND"),
        (asked("prepaid", "WHOLE5", "1", "R-1"), 404, "PRODUCT_NOT_FOUND"),
        (asked("game", "TSEL21", "1", "R-1"), 404, "PRODUCT_NOT_FOUND"),
        (asked("game", "MPBPJS", "1", "R-1"), 404, "PRODUCT_NOT_FOUND"),
        (asked("inquiry", "TSEL21", "1", "R-1"), 404, "PRODUCT_NOT_FOUND"),
        (asked("inquiry", "ML86", "1", "R-1"), 404, "PRODUCT_NOT_FOUND"),
        (asked("prepaid", "OFF10", "1", "R-1"), 503, "PRODUCT_UNAVAILABLE"),
        (asked("prepaid", "NIGHT5", "1", "R-1"), 503, "PRODUCT_UNAVAILABLE"),
        (payment("R-1"), 404, "INQUIRY_NOT_FOUND"),
        (asked("pay-pasca", "NONE", "1", "R-1"), 404, "INQUIRY_NOT_FOUND"),
    ];
    for (business, status, code) in table {
        let body = world.signed(business).to_string();
        refused(&world, "/v1/order", &body, (status, code)).await;
    }
    // Nothing was used up by it.
    assert_eq!(world.code(inquiry("R-1")).await, "BILL_INQUIRY_SUCCESS");
    assert_eq!(world.purchases(), 0);
}

#[tokio::test]
async fn other_methods_and_paths_reach_nothing() {
    let world = World::new().await;
    let table = [
        (Method::GET, "/v1/balance", 405, "METHOD_NOT_ALLOWED"),
        (Method::PUT, "/v1/order", 405, "METHOD_NOT_ALLOWED"),
        (Method::DELETE, "/v1/products", 405, "METHOD_NOT_ALLOWED"),
        (Method::GET, "/v1/status?ref_id=1", 405, "METHOD_NOT_ALLOWED"),
        (Method::POST, "/v1", 404, "NOT_FOUND"),
        (Method::GET, "/v1/", 404, "NOT_FOUND"),
        (Method::POST, "/v1/order/", 404, "NOT_FOUND"),
        (Method::POST, "/v1/orders", 404, "NOT_FOUND"),
        (Method::POST, "/v1/ORDER", 404, "NOT_FOUND"),
        (Method::GET, "/v1/x/y", 404, "NOT_FOUND"),
    ];
    let body = world.signed(prepaid("R-1")).to_string();
    for (method, path, status, code) in table {
        let mut request = post("/v1/order", body.clone());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a path");
        let answer = world.send(request).await;
        let (got, envelope) = read(&answer);
        assert_eq!((got, &envelope["code"]), (status, &json!(code)), "{path}");
        assert_eq!(answer.headers().contains_key("Allow"), status == 405, "{path}");
    }
    let body = world.signed(prepaid("R-1")).to_string();
    let (_, envelope) = read(&world.send(post("/v1/order?x=1", body)).await);
    assert_eq!(envelope["code"], "ORDER_SUCCESS");
}

#[test]
fn paths_of_other_apis_are_not_owned() {
    let own =
        ["/v1", "/v1/", "/v1/order", "/v1/balance", "/v1/x/y", "/v1/transaksix", "/v1/legacy"];
    let others = [
        "/",
        "/v2/order",
        "/v10",
        "/api/v1/order",
        "/v1/transaksi",
        "/v1/transaksi/x",
        "/v1/konfirmasi/1",
        "/v1/info",
        "/v1/webhook/x",
        "/v1/legacy/index",
        "/v1/legacy/index.php",
        "/v1/legacy/index/x",
    ];
    for path in own {
        assert!(Served::owns(path), "{path}");
    }
    for path in others {
        assert!(!Served::owns(path), "{path}");
    }
    for path in own.iter().chain(&others) {
        assert!(!(Served::owns(path) && iak::Served::owns(path)), "{path} has two owners");
    }
}
