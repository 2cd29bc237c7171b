//! Input that must not do anything: status, code, format and named field of each answer, and that
//! no record changed.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, HeaderValue};
use serde_json::{Value, json};

use super::world::{USERNAME, World, check_status, inquiry, payment, post, price_list, signature};
use crate::exchange::Answer;
use crate::iak::wire::Format;

const JSON: Option<&str> = Some("application/json");
const XML: Option<&str> = Some("application/xml");
const HP: &str = "530000000000";

/// What an answer must say: status, code, and the field that it names.
type Said<'a> = (u16, &'a str, Option<&'a str>);

/// Reads an answer in this format.
fn said(answer: &Answer, format: Format) -> (u16, String, Option<String>) {
    assert_eq!(answer.headers()["Content-Type"], format.content_type());
    let body = std::str::from_utf8(answer.body()).expect("answers are UTF-8");
    let (code, field) = match format {
        Format::Json => {
            let body: Value = serde_json::from_str(body).expect("JSON");
            let details = body["data"]["error_details"].as_object();
            let field = details.and_then(|details| details.keys().next().cloned());
            (body["data"]["response_code"].as_str().unwrap_or_default().to_owned(), field)
        }
        Format::Xml => {
            let after = |open| body.split_once(open).map(|(_, rest)| rest);
            let code = after("<response_code>").and_then(|rest| rest.split('<').next());
            let field = after("<error_details><").and_then(|rest| rest.split('>').next());
            (code.unwrap_or_default().to_owned(), field.map(str::to_owned))
        }
    };
    (answer.status().as_u16(), code, field)
}

/// Sends a body and compares what is said; nothing may have changed.
async fn check(world: &World, content_type: Option<&str>, body: Bytes, expected: Said<'_>) {
    let changes = world.memory.changes();
    let format = match content_type {
        XML => Format::Xml,
        _ => Format::Json,
    };
    let answer = world.send(post("/api/v1/bill/check", content_type, body.clone())).await;
    let (status, code, field) = said(&answer, format);
    let shown = String::from_utf8_lossy(&body);
    assert_eq!((status, code.as_str(), field.as_deref()), expected, "{shown:.300}");
    assert_eq!(world.memory.changes(), changes, "{shown:.300}");
    assert_eq!(world.supplier.payments.load(Ordering::SeqCst), 0);
}

const UNREADABLE: Said<'static> = (400, "107", Some("body"));

#[tokio::test]
async fn what_is_not_a_request_is_refused_as_such() {
    let world = World::new().await;
    let request = inquiry("PLNPOSTPAID", HP, "INV1").to_string();
    let cut = request[..request.len() - 1].to_owned();
    let twice = request.replacen("\"hp\"", "\"hp\":\"1\",\"hp\"", 1);
    let elements = format!(
        "<commands>inq-pasca</commands><username>{USERNAME}</username><code>PLNPOSTPAID</code>\
         <hp>{HP}</hp><ref_id>INV1</ref_id><sign>{}</sign>",
        signature("INV1")
    );
    let entity = format!("<!DOCTYPE mp [<!ENTITY h \"{HP}\">]><mp>{elements}</mp>");
    let laughs = format!(
        "<!DOCTYPE mp [<!ENTITY a \"aaaaaaaaaa\">{}]><mp>{elements}<x>&j;</x></mp>",
        ('b'..='j')
            .map(|name| format!("<!ENTITY {name} \"{}\">", "&a;".repeat(10)))
            .collect::<String>()
    );
    let table: Vec<(Option<&str>, Vec<u8>)> = vec![
        (JSON, Vec::new()),
        (JSON, b"hello".to_vec()),
        (JSON, cut.into_bytes()),
        (JSON, format!("{request}{request}").into_bytes()),
        (JSON, format!("[{request}]").into_bytes()),
        (JSON, twice.into_bytes()),
        (JSON, format!("<mp>{elements}</mp>").into_bytes()),
        (JSON, [request.as_bytes(), b"\xFF"].concat()),
        (JSON, request.replace("INV1", "INV1\\u0000").replace("{\"", "{{\"").into_bytes()),
        (JSON, "[".repeat(60_000).into_bytes()),
        (JSON, format!("{{\"x\":{}", "{\"x\":".repeat(10_000)).into_bytes()),
        (Some("application/x-www-form-urlencoded"), b"commands=inq-pasca&hp=1".to_vec()),
        (Some("multipart/form-data; boundary=x"), b"--x\r\n".to_vec()),
        (None, Vec::new()),
        (XML, Vec::new()),
        (XML, request.clone().into_bytes()),
        (XML, format!("<mp>{elements}").into_bytes()),
        (XML, format!("<mp>{elements}<hp>1</hp></mp>").into_bytes()),
        (XML, format!("<x>{elements}</x>").into_bytes()),
        (XML, format!("<mp>{elements}</mp>x").into_bytes()),
        (XML, entity.into_bytes()),
        (XML, laughs.into_bytes()),
        (XML, format!("<mp>{elements}<x>&h;</x></mp>").into_bytes()),
        (
            XML,
            format!("<?xml version=\"1.0\" encoding=\"latin1\"?><mp>{elements}</mp>").into_bytes(),
        ),
        (XML, [b"<mp>", elements.as_bytes(), b"<x>\x80</x></mp>"].concat()),
        (XML, "<a>".repeat(20_000).into_bytes()),
    ];
    for (content_type, body) in table {
        check(&world, content_type, body.into(), UNREADABLE).await;
    }
}

#[tokio::test]
async fn a_compressed_body_is_not_read() {
    let world = World::new().await;
    let mut request =
        post("/api/v1/bill/check", JSON, inquiry("PLNPOSTPAID", HP, "INV1").to_string());
    request.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let changes = world.memory.changes();
    let answer = world.send(request).await;
    assert_eq!(said(&answer, Format::Json), (400, "107".to_owned(), Some("body".to_owned())));
    assert_eq!(world.memory.changes(), changes);
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
    let inquire = || inquiry("PLNPOSTPAID", HP, "INV1");
    let health = || with(inquiry("BPJS", HP, "INV1"), "month", Some(json!(1)));
    let vehicle = || inquiry("ESAMSAT.JABAR", HP, "INV1");
    let free = || inquiry("SHOPEEPAY", HP, "INV1");
    let property = || inquiry("PBBKOT.CIMAHI", HP, "INV1");
    let wrong = [json!(1.5), json!(null), json!(true), json!([1]), json!({ "a": 1 }), json!("")];
    let mut table = Vec::new();
    for value in wrong.into_iter().map(Some).chain([None]) {
        for field in ["commands", "username", "sign", "code", "hp", "ref_id"] {
            table.push((with(inquire(), field, value.clone()), field));
        }
        table.push((with(payment("1234567890"), "tr_id", value.clone()), "tr_id"));
        table.push((with(check_status("INV1"), "ref_id", value.clone()), "ref_id"));
        table.push((with(health(), "month", value.clone()), "month"));
        table.push((with(vehicle(), "nomor_identitas", value.clone()), "nomor_identitas"));
        let amount = value.map_or(json!({}), |value| json!({ "amount": value }));
        table.push((with(free(), "desc", Some(amount)), "desc.amount"));
    }
    for field in ["commands", "username", "sign", "code"] {
        table.push((with(inquire(), field, Some(json!(5))), field));
    }
    for month in
        [json!(0), json!(13), json!(-1), json!("1.0"), json!("1e0"), json!("x"), json!(999)]
    {
        table.push((with(health(), "month", Some(month)), "month"));
    }
    for year in [json!("20240"), json!("-1"), json!("MMXX"), json!(2024.5), json!(null)] {
        table.push((with(property(), "year", Some(year)), "year"));
    }
    for number in [json!("3273 0000"), json!("1".repeat(65)), json!("é")] {
        table.push((with(vehicle(), "nomor_identitas", Some(number)), "nomor_identitas"));
    }
    for amount in [json!("1.5"), json!("1e3"), json!("abc"), json!("10,000"), json!("0x10")] {
        table.push((with(free(), "desc", Some(json!({ "amount": amount }))), "desc.amount"));
    }
    for desc in [json!([]), json!(""), json!(100_000), json!(null)] {
        table.push((with(free(), "desc", Some(desc)), "desc.amount"));
    }
    table.push((with(price_list(), "status", Some(json!("maybe"))), "status"));
    table.push((with(price_list(), "status", Some(json!(1))), "status"));
    table.push((with(price_list(), "province", Some(json!([]))), "province"));
    for (request, field) in table {
        check(&world, JSON, request.to_string().into(), (400, "107", Some(field))).await;
    }
}

#[tokio::test]
async fn requests_that_mean_nothing_allowed_are_refused_with_their_code() {
    let world = World::new().await;
    let inquire = |ref_id: &str| inquiry("PLNPOSTPAID", HP, ref_id);
    let amount = |amount: Value| {
        with(inquiry("SHOPEEPAY", HP, "INV1"), "desc", Some(json!({ "amount": amount })))
    };
    let longest = "9".repeat(30);
    let table = [
        (with(inquire("INV1"), "commands", Some(json!("INQ-PASCA"))), "101"),
        (with(inquire("INV1"), "commands", Some(json!("receipt-custom"))), "101"),
        (with(inquire("INV1"), "sign", Some(json!("x"))), "100"),
        (with(inquire("INV1"), "sign", Some(json!(signature("INV2")))), "100"),
        (with(inquire("INV1"), "username", Some(json!("081299999999"))), "100"),
        (with(check_status("INV1"), "sign", Some(json!(signature("INV1")))), "100"),
        (with(price_list(), "sign", Some(json!(signature("cs")))), "100"),
        (inquire("INV 1"), "03"),
        (inquire(&"x".repeat(65)), "03"),
        (inquire("pl"), "03"),
        (inquire("1000000000"), "03"),
        (check_status("INV\u{0}1"), "03"),
        (check_status("INV1"), "06"),
        (payment("1000000000"), "06"),
        (payment("01000000000"), "06"),
        (payment("-1"), "06"),
        (payment("INV1"), "06"),
        (payment("10000000000000000000000"), "06"),
        (inquiry("NOPRODUCT", HP, "INV1"), "20"),
        (inquiry("plnpostpaid", HP, "INV1"), "20"),
        (inquiry("PDAMKAB.BOGOR", HP, "INV1"), "106"),
        (inquiry("NOPRODUCT", "5300 0000", "INV1"), "20"),
        (inquiry("PDAMKAB.BOGOR", "5300 0000", "INV1"), "106"),
        (inquiry("PLNPOSTPAID", &"1".repeat(65), "INV1"), "14"),
        (inquiry("PLNPOSTPAID", "5300 0000", "INV1"), "14"),
        (inquiry("PLNPOSTPAID", "\u{0}", "INV1"), "14"),
        (inquiry("PLNPOSTPAID", "５３０", "INV1"), "14"),
        (amount(json!(0)), "93"),
        (amount(json!(-5)), "93"),
        (amount(json!("-5")), "93"),
        (amount(json!(longest)), "93"),
        (amount(json!("50000001")), "31"),
    ];
    for (request, code) in table {
        check(&world, JSON, request.to_string().into(), (200, code, None)).await;
    }
}

#[tokio::test]
async fn a_taken_reference_stays_as_it_is() {
    let world = World::new().await;
    world.quoted("INV1", HP).await;
    let other = inquiry("TVBIG", "1072160000", "INV1");
    check(&world, JSON, other.to_string().into(), (200, "11", None)).await;
    let same = inquiry("PLNPOSTPAID", HP, "INV1");
    check(&world, JSON, same.to_string().into(), (200, "11", None)).await;
    let (_, status) = world.post(&check_status("INV1")).await;
    assert_eq!((&status["code"], &status["hp"]), (&json!("PLNPOSTPAID"), &json!(HP)));
}
