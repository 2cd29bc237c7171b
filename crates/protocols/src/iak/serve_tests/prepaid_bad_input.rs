//! Input to the prepaid API that must not do anything: status, code, format and named field of each
//! answer, and that no record changed.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, HeaderValue};
use serde_json::{Value, json};

use super::top_ups::{LEGACY, STATUS, TOP_UP, XL, legacy, request, status, top_up};
use super::world::{USERNAME, World, post, signature};
use crate::exchange::{Answer, BodyFault};
use crate::iak::wire::Format;

const JSON: Option<&str> = Some("application/json");
const XML: Option<&str> = Some("application/xml");
const MAIL: &str = "/api/esim/notification/activation";

/// What an answer must say: status, code, and the field that it names.
type Said<'a> = (u16, &'a str, Option<&'a str>);

/// Reads an answer in this format. It has an envelope of this API.
fn said(answer: &Answer, format: Format) -> (u16, String, Option<String>) {
    assert_eq!(answer.headers()["Content-Type"], format.content_type());
    let body = std::str::from_utf8(answer.body()).expect("answers are UTF-8");
    let (code, field) = match format {
        Format::Json => {
            let body: Value = serde_json::from_str(body).expect("JSON");
            assert!(body.get("meta").is_none(), "{body}");
            let details = body["data"]["error_details"].as_object();
            let field = details.and_then(|details| details.keys().next().cloned());
            (body["data"]["rc"].as_str().unwrap_or_default().to_owned(), field)
        }
        Format::Xml => {
            let after = |open| body.split_once(open).map(|(_, rest)| rest);
            let code = after("<rc>").and_then(|rest| rest.split('<').next());
            let field = after("<error_details><").and_then(|rest| rest.split('>').next());
            (code.unwrap_or_default().to_owned(), field.map(str::to_owned))
        }
    };
    (answer.status().as_u16(), code, field)
}

/// Sends a body and compares what is said; nothing may have changed.
async fn check(
    world: &World,
    path: &str,
    content_type: Option<&str>,
    body: Bytes,
    expected: Said<'_>,
) {
    let changes = world.memory.changes();
    let format = if content_type == XML { Format::Xml } else { Format::Json };
    let answer = world.send(post(path, content_type, body.clone())).await;
    let (status, code, field) = said(&answer, format);
    let shown = String::from_utf8_lossy(&body);
    assert_eq!((status, code.as_str(), field.as_deref()), expected, "{path} {shown:.300}");
    world.gateway.finish_calls().await;
    assert_eq!(world.memory.changes(), changes, "{path} {shown:.300}");
    assert_eq!(world.supplier.payments.load(Ordering::SeqCst), 0);
}

const UNREADABLE: Said<'static> = (400, "107", Some("body"));

#[tokio::test]
async fn what_is_not_a_request_is_refused_as_such() {
    let world = World::new().await;
    let request = top_up("INV1", "xld25000", XL).to_string();
    let cut = request[..request.len() - 1].to_owned();
    let twice = request.replacen("\"ref_id\"", "\"ref_id\":\"1\",\"ref_id\"", 1);
    let elements = format!(
        "<commands>topup</commands><username>{USERNAME}</username><pulsa_code>xld25000</pulsa_code>\
         <hp>{XL}</hp><ref_id>INV1</ref_id><sign>{}</sign>",
        signature("INV1")
    );
    let entity = format!("<!DOCTYPE mp [<!ENTITY h \"{XL}\">]><mp>{elements}</mp>");
    let table: Vec<(Option<&str>, Vec<u8>)> = vec![
        (JSON, Vec::new()),
        (JSON, b"hello".to_vec()),
        (JSON, cut.into_bytes()),
        (JSON, format!("{request}{request}").into_bytes()),
        (JSON, format!("[{request}]").into_bytes()),
        (JSON, twice.into_bytes()),
        (JSON, format!("<mp>{elements}</mp>").into_bytes()),
        (JSON, [request.as_bytes(), b"\xFF"].concat()),
        (JSON, "[".repeat(60_000).into_bytes()),
        (Some("application/x-www-form-urlencoded"), b"commands=topup&hp=1".to_vec()),
        (None, Vec::new()),
        (XML, Vec::new()),
        (XML, request.into_bytes()),
        (XML, format!("<mp>{elements}").into_bytes()),
        (XML, format!("<mp>{elements}<hp>1</hp></mp>").into_bytes()),
        (XML, format!("<x>{elements}</x>").into_bytes()),
        (XML, entity.into_bytes()),
        (XML, [b"<mp>", elements.as_bytes(), b"<x>\x80</x></mp>"].concat()),
        (XML, "<a>".repeat(20_000).into_bytes()),
    ];
    for (content_type, body) in table {
        for path in [TOP_UP, STATUS, LEGACY, MAIL, "/api/check-balance", "/api/inquiry-pln"] {
            check(&world, path, content_type, body.clone().into(), UNREADABLE).await;
        }
    }
    let mut compressed = post(TOP_UP, JSON, top_up("INV1", "xld25000", XL).to_string());
    compressed.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let answer = world.send(compressed).await;
    assert_eq!(said(&answer, Format::Json), (400, "107".to_owned(), Some("body".to_owned())));
    for fault in [BodyFault::TooLarge, BodyFault::TooSlow, BodyFault::Broken] {
        let mut request = post(TOP_UP, JSON, "");
        *request.body_mut() = Err(fault);
        let answer = world.send(request).await;
        assert_eq!(said(&answer, Format::Json), (400, "107".to_owned(), Some("body".to_owned())));
    }
}

/// A request with one field replaced, or taken away where `value` is nothing.
fn with(mut request: Value, field: &str, value: Option<Value>) -> Value {
    let object = request.as_object_mut().expect("requests are objects");
    match value {
        Some(value) => object.insert(field.to_owned(), value),
        None => object.remove(field),
    };
    request
}

#[tokio::test]
async fn fields_that_are_missing_or_of_another_type_are_named() {
    let world = World::new().await;
    let newer = || top_up("INV1", "xld25000", XL);
    let older = || {
        let fields = json!({ "ref_id": "INV1", "hp": XL, "pulsa_code": "xld25000" });
        legacy("topup", "INV1", fields)
    };
    let meter = || request("12345678901", json!({ "customer_id": "12345678901" }));
    let game = || request("103", json!({ "game_code": "103", "customer_id": "1|2" }));
    let mail = || request("1234567890", json!({ "tr_id": "1234567890", "email": "a@b.example" }));
    let wrong = [json!(1.5), json!(null), json!(true), json!([1]), json!({ "a": 1 }), json!("")];
    let mut table = Vec::new();
    for value in wrong.into_iter().map(Some).chain([None]) {
        for field in ["username", "sign", "ref_id", "customer_id", "product_code"] {
            table.push((TOP_UP, with(newer(), field, value.clone()), field));
        }
        for field in ["commands", "username", "sign", "ref_id", "hp", "pulsa_code"] {
            table.push((LEGACY, with(older(), field, value.clone()), field));
        }
        table.push((STATUS, with(status("INV1"), "ref_id", value.clone()), "ref_id"));
        for path in ["/api/inquiry-pln", "/api/inquiry-ovo"] {
            table.push((path, with(meter(), "customer_id", value.clone()), "customer_id"));
        }
        for path in ["/api/inquiry-game", "/api/inquiry-game-server", "/api/game/format"] {
            table.push((path, with(game(), "game_code", value.clone()), "game_code"));
        }
        table.push((
            "/api/inquiry-game",
            with(game(), "customer_id", value.clone()),
            "customer_id",
        ));
        table.push((MAIL, with(mail(), "tr_id", value.clone()), "tr_id"));
        table.push((MAIL, with(mail(), "email", value), "email"));
    }
    for email in ["a", "@b", "a@", "a@b@c", "a b@c", "a@b\r\nBcc: x@y", "a@b,c", "<a@b>"] {
        table.push((MAIL, with(mail(), "email", Some(json!(email))), "email"));
    }
    table.push((
        MAIL,
        with(mail(), "email", Some(json!(format!("{}@b", "a".repeat(253))))),
        "email",
    ));
    let signed = |what: &str, fields: Value| request(what, fields);
    table.push(("/api/pricelist", signed("pl", json!({ "status": "maybe" })), "status"));
    table.push(("/api/pricelist", signed("pl", json!({ "status": 1 })), "status"));
    table.push(("/api/pricelist", signed("pl", json!({ "currency": "EUR" })), "currency"));
    table.push(("/api/check-balance", signed("bl", json!({ "currency": 1 })), "currency"));
    table.push(("/api/check-operator", signed("op", json!({})), "customer_id"));
    table.push((TOP_UP, with(newer(), "product_code", Some(json!(5))), "product_code"));
    // A field that cannot be used is told before a reference that cannot be one.
    table.push((TOP_UP, signed("pl", json!({ "ref_id": "pl" })), "customer_id"));
    for (path, request, field) in table {
        check(&world, path, JSON, request.to_string().into(), (400, "107", Some(field))).await;
    }
}

#[tokio::test]
async fn a_reference_of_a_forbidden_form_buys_nothing_and_names_nothing() {
    let world = World::new().await;
    let table = [
        "INV 1",
        "INV/1",
        "INV:1",
        "é",
        "pl",
        "PL",
        "bl",
        "op",
        "cs",
        "1000000000",
        "9007199254740991",
        "12345678901",
        "082179374708",
        "0821793747",
        "103",
        "1",
    ];
    let longest = "x".repeat(65);
    for ref_id in table.into_iter().chain([longest.as_str()]) {
        let bought = top_up(ref_id, "xld25000", XL).to_string();
        check(&world, TOP_UP, JSON, bought.into(), (200, "208", None)).await;
        check(&world, STATUS, JSON, status(ref_id).to_string().into(), (200, "06", None)).await;
    }
}

#[tokio::test]
async fn numbers_may_be_written_as_numbers() {
    let world = World::new().await;
    let body = request(
        "1706690700",
        json!({
            "ref_id": 1_706_690_700, "customer_id": 12_345_678_901_i64, "product_code": "hpln20000",
        }),
    );
    assert_eq!(world.rc(TOP_UP, &body).await, "39");
    let body = request("12345678901", json!({ "customer_id": 12_345_678_901_i64 }));
    assert_eq!(world.rc("/api/inquiry-pln", &body).await, "00");
    assert_eq!(
        world.rc("/api/game/format", &request("103", json!({ "game_code": 103 }))).await,
        "00"
    );
}
