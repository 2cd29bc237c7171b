//! Who gets a receipt, of what, and under which header (IAK reference, sections 5.5 and 5.6).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{Command, Merchant, MerchantId, MerchantStatus};
use gateway::ports::StoreFault;
use http::Method;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use serde_json::{Value, json};

use super::world::{
    Conditions, DAY, NOW, OTHER_KEY, OTHER_USERNAME, USERNAME, World, get, merchant, own_receipt,
    payment, post, signature,
};
use crate::exchange::{Answer, BodyFault};
use crate::iak::sign::sign;

const HP: &str = "530000000000";
const OWN: &str = "/api/v1/bill/download/custom";

const NOT_FOUND: &str =
    "<mp><response_code>06</response_code><message>INQUIRY ID NOT FOUND</message></mp>";
const UNPAID: &str = "<mp><response_code>02</response_code><message>BILL UNPAID</message></mp>";

async fn paid(world: &World, ref_id: &str) -> String {
    let tr_id = world.quoted(ref_id, HP).await;
    assert_eq!(world.code(&payment(&tr_id)).await, "00");
    tr_id
}

/// Downloads as clients do, with no header that says anything.
async fn download(world: &World, path: &str) -> Answer {
    world.send(get(&format!("/api/v1/download/{path}"), &[])).await
}

async fn issue(world: &World, body: &Value) -> Answer {
    world.send(post(OWN, Some("application/json"), body.to_string())).await
}

/// What an answer is: its status, its type, and its text if it is one.
fn shown(answer: &Answer) -> (u16, &str, &str) {
    let content_type = answer.headers()[CONTENT_TYPE].to_str().expect("a type");
    let text = std::str::from_utf8(answer.body()).unwrap_or_default();
    (answer.status().as_u16(), content_type, text)
}

/// The same to the last header, so that nobody can tell the one from the other.
fn assert_same(one: &Answer, other: &Answer) {
    assert_eq!(one.status(), other.status());
    assert_eq!(one.headers(), other.headers());
    assert_eq!(one.body(), other.body());
}

fn is_pdf(answer: &Answer) -> bool {
    answer.status() == 200
        && answer.headers()[CONTENT_TYPE] == "application/pdf"
        && answer.body().starts_with(b"%PDF-")
}

/// The sentence about the only field of a request that could not be used.
fn flaw(answer: &Answer, field: &str) -> String {
    let body: Value = serde_json::from_slice(answer.body()).expect("JSON");
    assert_eq!((answer.status().as_u16(), &body["data"]["response_code"]), (400, &json!("107")));
    let details = body["data"]["error_details"].as_object().expect("details");
    assert_eq!(details.keys().collect::<Vec<_>>(), [field]);
    details[field][0].as_str().expect("a sentence").to_owned()
}

#[tokio::test]
async fn a_paid_bill_is_downloaded_as_often_as_one_likes_and_by_nobody_kept() {
    let world = World::new().await;
    let tr_id = paid(&world, "INV1").await;
    let changes = world.memory.changes();
    let first = download(&world, &tr_id).await;
    assert!(is_pdf(&first));
    assert_eq!(first.headers()[CACHE_CONTROL], "private, no-store");
    // A receipt is of the day of payment, on whatever day it is asked for.
    world.set_clock(NOW + 400 * DAY);
    assert_same(&first, &download(&world, &tr_id).await);
    assert_same(&first, &download(&world, &format!("{tr_id}/")).await);
    let raw = download(&world, &format!("{tr_id}/1")).await;
    assert_eq!(raw.headers()[CACHE_CONTROL], "private, no-store");
    assert_same(&raw, &download(&world, &format!("{tr_id}/1/?x=1")).await);
    assert_eq!(world.memory.changes(), changes);
}

#[tokio::test]
async fn from_an_address_that_is_not_allowed_a_receipt_looks_like_nothing() {
    let allowed = Arc::new(AtomicBool::new(true));
    let asked = Arc::clone(&allowed);
    let addresses = Arc::new(move |merchant: MerchantId, _| {
        merchant != MerchantId(1) || asked.load(Ordering::SeqCst)
    });
    let world = World::under(Conditions { addresses, ..Conditions::default() }).await;
    let tr_id = paid(&world, "INV1").await;
    assert!(is_pdf(&download(&world, &tr_id).await));
    allowed.store(false, Ordering::SeqCst);
    for path in [tr_id.clone(), format!("{tr_id}/1")] {
        let refused = download(&world, &path).await;
        assert_eq!(shown(&refused), (200, "application/xml", NOT_FOUND));
        assert_same(&refused, &download(&world, "1234567890").await);
    }
    // Who signs is known, and told what is the matter.
    let refused = issue(&world, &own_receipt(&tr_id)).await;
    let expected = r#"{"data":{"response_code":"102","message":"INVALID IP ADDRESS"},"meta":[]}"#;
    assert_eq!(shown(&refused), (200, "application/json", expected));
    allowed.store(true, Ordering::SeqCst);
    assert!(is_pdf(&download(&world, &tr_id).await));
}

#[tokio::test]
async fn a_suspended_merchant_has_no_receipts_until_it_is_resumed() {
    let world = World::new().await;
    let tr_id = paid(&world, "INV1").await;
    for status in [MerchantStatus::Suspended, MerchantStatus::Active] {
        let is_active = status == MerchantStatus::Active;
        let commands = vec![Command::PutMerchant(Merchant { status, ..merchant(1) })];
        world.gateway.administer(commands).await.expect("stored");
        let answer = download(&world, &tr_id).await;
        assert_eq!(is_pdf(&answer), is_active);
        if !is_active {
            assert_same(&answer, &download(&world, "1234567890").await);
        }
        let expected = if is_active { "STRUK PEMBAYARAN PLN Pascabayar" } else { "118" };
        let own = issue(&world, &own_receipt(&tr_id)).await;
        assert!(shown(&own).2.contains(expected), "{own:?}");
    }
}

#[tokio::test]
async fn a_receipt_of_somebody_else_looks_like_one_of_nobody() {
    let world = World::new().await;
    let tr_id = paid(&world, "INV1").await;
    let quoted = world.quoted("INV2", HP).await;
    let as_other = |tr_id: &str| {
        let mut body = own_receipt(tr_id);
        body["username"] = json!(OTHER_USERNAME);
        body["sign"] = json!(sign(OTHER_USERNAME, OTHER_KEY, "bc"));
        body
    };
    let nobodys = issue(&world, &as_other("1234567890")).await;
    assert!(shown(&nobodys).2.contains(r#""response_code":"06""#));
    // Neither does a number that was only quoted tell that it exists.
    for tr_id in [&tr_id, &quoted, "50120001", "01234567890", "-1", "9007199254740992"] {
        assert_same(&nobodys, &issue(&world, &as_other(tr_id)).await);
    }
    assert!(shown(&issue(&world, &own_receipt(&tr_id)).await).2.contains("PELANGGAN SATU"));
}

#[tokio::test]
async fn only_what_is_paid_has_a_receipt() {
    let world = World::new().await;
    // Quoted and never paid, pending, and failed.
    for (ending, code) in [("0000", None), ("1039", Some("39")), ("1037", Some("37"))] {
        let tr_id = world.quoted(&format!("INV{ending}"), &format!("53000000{ending}")).await;
        if let Some(code) = code {
            assert_eq!(world.code(&payment(&tr_id)).await, code);
        }
        for path in [tr_id.clone(), format!("{tr_id}/1")] {
            let answer = download(&world, &path).await;
            assert_eq!(shown(&answer), (200, "application/xml", UNPAID), "{ending}");
        }
        let own = issue(&world, &own_receipt(&tr_id)).await;
        let expected = r#"{"data":{"response_code":"02","message":"BILL UNPAID"},"meta":[]}"#;
        assert_eq!(shown(&own), (200, "application/json", expected), "{ending}");
    }
    // A quote that can no longer be paid is as unpaid as before.
    let tr_id = world.quoted("OLD", HP).await;
    world.set_clock(NOW + DAY);
    assert_eq!(world.code(&payment(&tr_id)).await, "04");
    assert_eq!(shown(&download(&world, &tr_id).await).2, UNPAID);
}

#[tokio::test]
async fn a_pending_payment_has_its_receipt_from_when_it_is_settled() {
    let conditions = Conditions { payments_answered: 0, ..Conditions::default() };
    let answer_within = Duration::from_millis(100);
    let world = World::under(Conditions { answer_within, ..conditions }).await;
    let tr_id = world.quoted("INV1", HP).await;
    assert_eq!(world.code(&payment(&tr_id)).await, "39");
    assert_eq!(shown(&download(&world, &tr_id).await).2, UNPAID);
    world.supplier.permits.add_permits(1);
    world.gateway.finish_calls().await;
    assert!(is_pdf(&download(&world, &tr_id).await));
}

#[tokio::test]
async fn a_refused_download_is_xml_unless_json_is_named() {
    let world = World::new().await;
    let json = r#"{"data":{"response_code":"06","message":"INQUIRY ID NOT FOUND"},"meta":[]}"#;
    let (xml, named_json) = (("application/xml", NOT_FOUND), ("application/json", json));
    let table = [
        (vec![], xml),
        (vec![(ACCEPT, "*/*")], xml),
        (vec![(ACCEPT, "application/pdf")], xml),
        (vec![(ACCEPT, "text/html, application/xml;q=0.9")], xml),
        (vec![(ACCEPT, "application/json")], named_json),
        (vec![(ACCEPT, "application/pdf"), (ACCEPT, "Application/JSON")], named_json),
        (vec![(CONTENT_TYPE, "application/json; utf-8")], named_json),
    ];
    for (headers, (content_type, body)) in table {
        for path in ["/api/v1/download/1234567890", "/api/v1/download/x/1"] {
            let answer = world.send(get(path, &headers)).await;
            assert_eq!(shown(&answer), (200, content_type, body), "{headers:?}");
        }
    }
    let mut request = get("/api/v1/download/1234567890", &[]);
    *request.method_mut() = Method::PUT;
    let answer = world.send(request).await;
    assert_eq!((answer.status().as_u16(), answer.headers()[ALLOW].as_bytes()), (405, &b"GET"[..]));
}

#[tokio::test]
async fn a_header_has_its_limits_in_characters() {
    let world = World::new().await;
    let tr_id = paid(&world, "INV1").await;
    // Two bytes each, so that bytes and characters cannot be confused.
    for (field, length_max) in [("company_name", 100), ("company_address", 300)] {
        let path = format!("custom.header.{field}");
        let with = |value: Value| {
            let mut body = own_receipt(&tr_id);
            body["custom"]["header"][field] = value;
            body["raw"] = json!(0);
            body
        };
        let table = [
            (json!("é".repeat(length_max)), None),
            (json!("é".repeat(length_max + 1)), Some("is invalid")),
            (json!(" \u{a0}\n"), Some("is invalid")),
            (json!(""), Some("is required")),
            (json!(5), Some("has the wrong type")),
            (Value::Null, Some("has the wrong type")),
        ];
        for (value, expected) in table {
            let answer = issue(&world, &with(value.clone())).await;
            match expected {
                None => assert!(is_pdf(&answer), "{field}"),
                Some(end) => {
                    assert_eq!(flaw(&answer, &path), format!("The {path} field {end}."), "{value}")
                }
            }
        }
        let mut without = own_receipt(&tr_id);
        without["custom"]["header"].as_object_mut().expect("an object").remove(field);
        assert!(flaw(&issue(&world, &without).await, &path).ends_with("is required."));
    }
}

#[tokio::test]
async fn raw_chooses_between_paper_and_json() {
    let world = World::new().await;
    let tr_id = paid(&world, "INV1").await;
    let with = |raw: Value| {
        let mut body = own_receipt(&tr_id);
        body["raw"] = raw;
        body
    };
    let mut without = own_receipt(&tr_id);
    without.as_object_mut().expect("an object").remove("raw");
    for body in [without, with(json!(0)), with(json!("0")), with(json!(""))] {
        assert!(is_pdf(&issue(&world, &body).await), "{body}");
    }
    for body in [with(json!(1)), with(json!("1"))] {
        let answer = issue(&world, &body).await;
        assert_eq!(shown(&answer).1, "application/json", "{body}");
        assert!(shown(&answer).2.starts_with(r#"{"data":{"HEADER":"#), "{body}");
    }
    for (raw, expected) in [
        (json!(2), "is invalid"),
        (json!(-1), "is invalid"),
        (json!("01"), "is invalid"),
        (json!("yes"), "has the wrong type"),
        (json!(true), "has the wrong type"),
        (json!(1.0), "has the wrong type"),
        (json!([1]), "has the wrong type"),
        (Value::Null, "has the wrong type"),
    ] {
        let sentence = flaw(&issue(&world, &with(raw.clone())).await, "raw");
        assert_eq!(sentence, format!("The raw field {expected}."), "{raw}");
    }
}

#[tokio::test]
async fn only_the_signature_of_receipts_signs_a_receipt() {
    let world = World::new().await;
    let tr_id = paid(&world, "INV1").await;
    let expected = r#"{"data":{"response_code":"100","message":"INVALID SIGNATURE"},"meta":[]}"#;
    for what in ["cs", "pl", "bl", "", "INV1", tr_id.as_str()] {
        let mut body = own_receipt(&tr_id);
        body["sign"] = json!(signature(what));
        // A number that nobody has is not looked at before.
        for number in [tr_id.as_str(), "1234567890"] {
            body["tr_id"] = json!(number);
            assert_eq!(shown(&issue(&world, &body).await), (200, "application/json", expected));
        }
    }
    let mut body = own_receipt(&tr_id);
    body["sign"] = json!(signature("bc").to_uppercase());
    assert!(shown(&issue(&world, &body).await).2.contains("STRUK PEMBAYARAN"));
    body["tr_id"] = json!(tr_id.parse::<u64>().expect("a number"));
    assert!(shown(&issue(&world, &body).await).2.contains("STRUK PEMBAYARAN"));
}

/// An element where the text of an address should be is no text; the break has to be escaped.
#[tokio::test]
async fn a_break_in_xml_has_to_be_escaped() {
    let world = World::new().await;
    let tr_id = paid(&world, "INV1").await;
    let body = |address: &str| {
        format!(
            "<mp><commands>receipt-custom</commands><username>{USERNAME}</username>\
             <tr_id>{tr_id}</tr_id><custom><header><company_name>TOKO</company_name>\
             <company_address>{address}</company_address></header></custom><raw>0</raw>\
             <sign>{}</sign></mp>",
            signature("bc")
        )
    };
    for address in ["Jl. Mawar 1&lt;br&gt;Bandung", "<![CDATA[Jl. Mawar 1<br>Bandung]]>"] {
        let answer = world.send(post(OWN, Some("text/xml"), body(address))).await;
        assert!(is_pdf(&answer), "{answer:?}");
    }
    for address in ["Jl. Mawar 1<br/>Bandung", "Jl. Mawar 1<br>Bandung"] {
        let answer = world.send(post(OWN, Some("text/xml"), body(address))).await;
        assert_eq!(shown(&answer).0, 400, "{address}");
        assert!(shown(&answer).2.contains("<response_code>107</response_code>"), "{address}");
    }
}

#[tokio::test]
async fn a_fault_of_ours_is_no_receipt_and_no_refusal() {
    let world = World::new().await;
    let tr_id = paid(&world, "INV1").await;
    world.memory.fail_with(StoreFault::Corrupt("canary at /var/lib".to_owned()));
    let body = own_receipt(&tr_id);
    for answer in [download(&world, &tr_id).await, issue(&world, &body).await] {
        let (status, _, text) = shown(&answer);
        assert_eq!(status, 503);
        assert!(text.contains("UNDEFINED ERROR") && !text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn a_body_that_did_not_arrive_asks_for_nothing() {
    let world = World::new().await;
    for fault in [BodyFault::TooLarge, BodyFault::TooSlow, BodyFault::Broken] {
        let mut request = post(OWN, Some("application/json"), "");
        *request.body_mut() = Err(fault);
        assert!(!flaw(&world.send(request).await, "body").is_empty());
    }
}
