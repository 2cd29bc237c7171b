//! The life of a payment: what each state answers, and that money moves once.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::product::QuoteExpiry;
use domain::{Command, MerchantId, MerchantStatus, Mode, ProductStatus, ProtocolName, Reference};
use gateway::ports::{Parameters, StoreFault};
use gateway::{Inquiry, Repeats};
use http::Method;
use serde_json::json;

use super::bills;
use super::world::{
    Conditions, DAY, NOW, OTHER_KEY, OTHER_USERNAME, USERNAME, World, check_status, inquiry, json,
    merchant, payment, post, price_list, signature, tr_id_of,
};
use crate::admission::SignatureGuard;
use crate::exchange::BodyFault;
use crate::iak::sign::sign;

const HP: &str = "530000000000";
const PRICE: i64 = 151_900;

#[tokio::test]
async fn a_payment_takes_its_price_once_however_often_it_is_sent() {
    let world = World::new().await;
    let before = world.balance().await;
    let tr_id = world.quoted("INV1", HP).await;
    assert_eq!(world.balance().await, before);
    assert_eq!(world.code(&payment(&tr_id)).await, "00");
    assert_eq!(world.balance().await, before - PRICE);
    for _ in 0..3 {
        assert_eq!(world.code(&payment(&tr_id)).await, "01");
    }
    assert_eq!(world.balance().await, before - PRICE);
    assert_eq!(world.supplier.payments.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_failed_payment_gives_everything_back() {
    let world = World::new().await;
    let before = world.balance().await;
    for (ending, code) in [("1037", "37"), ("1105", "105"), ("1014", "14"), ("1042", "42")] {
        let tr_id = world.quoted(&format!("INV{ending}"), &format!("53000000{ending}")).await;
        assert_eq!(world.code(&payment(&tr_id)).await, code);
        assert_eq!(world.balance().await, before);
        assert_eq!(world.code(&payment(&tr_id)).await, "38");
        let (_, status) = world.post(&check_status(&format!("INV{ending}"))).await;
        assert_eq!((&status["status"], &status["response_code"]), (&json!(2), &json!(code)));
    }
}

#[tokio::test]
async fn an_open_outcome_keeps_the_money_aside_and_stays_pending() {
    let world = World::new().await;
    let before = world.balance().await;
    for (count, (ending, code)) in (1..).zip([("1039", "39"), ("1005", "05"), ("1201", "201")]) {
        let tr_id = world.quoted(&format!("INV{ending}"), &format!("53000000{ending}")).await;
        assert_eq!(world.code(&payment(&tr_id)).await, code);
        assert_eq!(world.balance().await, before - count * PRICE);
        assert_eq!(world.code(&payment(&tr_id)).await, "39");
        let (_, status) = world.post(&check_status(&format!("INV{ending}"))).await;
        assert_eq!((&status["status"], &status["response_code"]), (&json!(3), &json!("39")));
        assert_eq!(world.balance().await, before - count * PRICE);
    }
}

#[tokio::test]
async fn of_payments_at_once_one_pays_and_the_others_are_told_that_it_is_pending() {
    let world = World::under(Conditions { payments_answered: 0, ..Conditions::default() }).await;
    let before = world.balance().await;
    let tr_id = world.quoted("INV1", HP).await;
    let body = payment(&tr_id);
    let others = async {
        while world.supplier.payments.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..5 {
            assert_eq!(world.code(&body).await, "39");
        }
        world.supplier.permits.add_permits(1);
    };
    let (first, ()) = tokio::join!(world.code(&body), others);
    assert_eq!(first, "00");
    assert_eq!(world.balance().await, before - PRICE);
    assert_eq!(world.supplier.payments.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_merchant_who_cannot_wait_is_told_pending_and_finds_the_outcome_later() {
    let world = World::under(Conditions {
        payments_answered: 0,
        answer_within: Duration::from_millis(100),
        ..Conditions::default()
    })
    .await;
    let tr_id = world.quoted("INV1", HP).await;
    assert_eq!(world.code(&payment(&tr_id)).await, "39");
    world.supplier.permits.add_permits(1);
    world.gateway.finish_calls().await;
    assert_eq!(world.code(&check_status("INV1")).await, "00");
}

#[tokio::test]
async fn a_quote_is_paid_on_its_own_day_or_not_at_all() {
    // The last moment of the day, and the first of the next. Electricity is closed by then.
    let midnight = NOW - NOW.rem_euclid(DAY) + 17 * 3_600_000;
    for (clock, code) in [(midnight - 1, "00"), (midnight, "04")] {
        let world = World::new().await;
        let (_, data) = world.post(&inquiry("TVBIG", "1072160000", "INV1")).await;
        world.set_clock(clock);
        assert_eq!(world.code(&payment(&data["tr_id"].to_string())).await, code);
    }
}

#[tokio::test]
async fn a_quote_without_cover_stays_payable() {
    let balance = u32::try_from(PRICE - 1).expect("positive");
    let world = World::under(Conditions { balance, ..Conditions::default() }).await;
    let tr_id = world.quoted("INV1", HP).await;
    assert_eq!(world.code(&payment(&tr_id)).await, "17");
    assert_eq!(world.code(&check_status("INV1")).await, "42");
    world.fund("one more", 1, 1).await;
    assert_eq!(world.code(&payment(&tr_id)).await, "00");
    assert_eq!(world.balance().await, 0);
}

#[tokio::test]
async fn a_product_that_is_off_is_neither_quoted_nor_paid() {
    let world = World::new().await;
    let tr_id = world.quoted("INV1", HP).await;
    let mut product = bills::products().swap_remove(0);
    product.status = ProductStatus::Inactive;
    world.gateway.administer(vec![Command::PutProduct(product.clone())]).await.expect("stored");
    assert_eq!(world.code(&payment(&tr_id)).await, "106");
    assert_eq!(world.code(&inquiry("PLNPOSTPAID", HP, "INV2")).await, "106");
    product.status = ProductStatus::Active;
    world.gateway.administer(vec![Command::PutProduct(product)]).await.expect("stored");
    world.set_clock(NOW + 8 * 3_600_000);
    assert_eq!(world.code(&payment(&tr_id)).await, "109");
    assert_eq!(world.code(&inquiry("PLNPOSTPAID", HP, "INV2")).await, "109");
}

#[tokio::test]
async fn a_suspended_merchant_is_told_so_only_after_signing() {
    let world = World::new().await;
    let mut suspended = merchant(1);
    suspended.status = MerchantStatus::Suspended;
    world.gateway.administer(vec![Command::PutMerchant(suspended)]).await.expect("stored");
    assert_eq!(world.code(&price_list()).await, "118");
    assert_eq!(world.code(&inquiry("PLNPOSTPAID", HP, "INV1")).await, "118");
    assert_eq!(world.code(&check_status("INV1")).await, "118");
    let mut forged = price_list();
    forged["sign"] = json!(signature("cs"));
    assert_eq!(world.code(&forged).await, "100");
}

#[tokio::test]
async fn an_address_that_is_not_allowed_is_told_so_only_after_signing() {
    let addresses = Arc::new(|merchant: MerchantId, _| merchant != MerchantId(1));
    let world = World::under(Conditions { addresses, ..Conditions::default() }).await;
    assert_eq!(world.code(&check_status("INV1")).await, "102");
    let mut forged = check_status("INV1");
    forged["sign"] = json!(signature("pl"));
    assert_eq!(world.code(&forged).await, "100");
    let other = json!({
        "commands": "checkstatus", "username": OTHER_USERNAME, "ref_id": "INV1",
        "sign": sign(OTHER_USERNAME, OTHER_KEY, "cs"),
    });
    assert_eq!(world.code(&other).await, "06");
}

#[tokio::test]
async fn what_belongs_to_somebody_else_looks_like_what_does_not_exist() {
    let world = World::new().await;
    let tr_id = world.quoted("INV1", HP).await;
    let as_other = |mut body: serde_json::Value, what: &str| {
        body["username"] = json!(OTHER_USERNAME);
        body["sign"] = json!(sign(OTHER_USERNAME, OTHER_KEY, what));
        json(body.to_string())
    };
    let changes = world.memory.changes();
    let foreign = world.send(as_other(payment(&tr_id), &tr_id)).await;
    let unknown = world.send(as_other(payment("1234567890"), "1234567890")).await;
    let no_number = world.send(as_other(payment("50120001"), "50120001")).await;
    let foreign_status = world.send(as_other(check_status("INV1"), "cs")).await;
    let unknown_status = world.send(as_other(check_status("INV2"), "cs")).await;
    for answer in [&unknown, &no_number, &foreign_status, &unknown_status] {
        assert_eq!(answer.status(), foreign.status());
        assert_eq!(answer.headers(), foreign.headers());
        assert_eq!(answer.body(), foreign.body());
    }
    assert_eq!(world.memory.changes(), changes);
    assert_eq!(world.code(&check_status("INV1")).await, "42");
}

#[tokio::test]
async fn orders_of_another_protocol_are_not_paid_here() {
    let world = World::new().await;
    let order = world
        .gateway
        .inquire(Inquiry {
            dialect: String::new(),
            calls_back: false,
            merchant: Arc::new(merchant(1)),
            protocol: ProtocolName::new("isikuota"),
            mode: Mode::Live,
            reference: Reference::new("INV1"),
            code: "MPLNPOSTPAID".to_owned(),
            destination: HP.to_owned(),
            parameters: Parameters::default(),
            expiry: QuoteExpiry::SameDay,
            repeats: Repeats::Answered,
        })
        .await
        .expect("quoted");
    let number = tr_id_of(order.id);
    assert_eq!(world.code(&payment(&number)).await, "06");
    assert_eq!(world.code(&check_status("INV1")).await, "06");
    assert_eq!(world.supplier.payments.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_reference_is_used_up_by_an_answer_of_the_supplier_and_by_nothing_else() {
    let world = World::new().await;
    let twice = async |code: &str, hp: &str, ref_id: &str| {
        (
            world.code(&inquiry(code, hp, ref_id)).await,
            world.code(&inquiry("PLNPOSTPAID", HP, ref_id)).await,
        )
    };
    let table = [
        ("PLNPOSTPAID", HP, "00", "11"),
        ("PLNPOSTPAID", "530000000014", "14", "11"),
        ("PLNPOSTPAID", "530000000103", "103", "11"),
        ("PLNPOSTPAID", "530000000105", "105", "11"),
        // The supplier did not answer, or not with anything that is an answer.
        ("PLNPOSTPAID", "530000000039", "103", "00"),
        ("NOPRODUCT", HP, "20", "00"),
        (bills::SWITCHED_OFF, "10200000", "106", "00"),
        ("PLNPOSTPAID", "53 0000", "14", "00"),
    ];
    for (row, (code, hp, first, second)) in table.into_iter().enumerate() {
        let answered = twice(code, hp, &format!("INV{row}")).await;
        assert_eq!(answered, (first.to_owned(), second.to_owned()), "{code} {hp}");
    }
    // A number or amount that is refused here does not hide that the reference is taken.
    assert_eq!(world.code(&inquiry("PLNPOSTPAID", "53 0000", "INV0")).await, "11");
    let mut amount = inquiry("SHOPEEPAY", "082100000000", "INV0");
    amount["desc"] = json!({ "amount": 0 });
    assert_eq!(world.code(&amount).await, "11");
}

#[tokio::test]
async fn numbers_may_come_as_numbers_or_as_texts() {
    let world = World::new().await;
    let mut body = inquiry("BPJS", "", "1706690700");
    body["ref_id"] = json!(1_706_690_700);
    body["hp"] = json!(8_801_234_560_000_i64);
    body["month"] = json!(2);
    body["anything"] = json!([{ "else": null }, 1.5]);
    let (_, data) = world.post(&body).await;
    assert_eq!(data["ref_id"], "1706690700");
    assert_eq!(data["hp"], "8801234560000");
    let mut body = payment(&data["tr_id"].to_string());
    body["tr_id"] = data["tr_id"].clone();
    assert_eq!(world.code(&body).await, "00");
    let mut body = check_status("");
    body["ref_id"] = json!(1_706_690_700);
    assert_eq!(world.code(&body).await, "00");
}

#[tokio::test]
async fn every_path_of_the_commands_takes_every_command() {
    let world = World::new().await;
    for (path, content_type) in [
        ("/api/v1/bill/check", Some("application/json")),
        ("/api/v1/bill/check/", Some("application/json; charset=utf-8")),
        ("/api/v1/bill/check/pdam", Some("application/json; utf-8")),
        ("/api/v1/bill/check/pdam/", Some("text/plain")),
        ("/api/v1/bill/check?x=1", None),
    ] {
        let body = check_status("INV1").to_string();
        let answer = world.send(post(path, content_type, body)).await;
        assert_eq!(answer.status(), 200, "{path}");
        let body = std::str::from_utf8(answer.body()).expect("JSON");
        assert!(body.contains(r#""response_code":"06""#), "{path}: {body}");
    }
}

#[tokio::test]
async fn other_methods_and_paths_reach_no_command() {
    let world = World::new().await;
    let postpaid = r#"{"data":{"response_code":"117","message":"PAGE NOT FOUND"},"meta":[]}"#;
    let prepaid = r#"{"data":{"rc":"117","message":"PAGE NOT FOUND"}}"#;
    let table = [
        (Method::GET, "/api/v1/bill/check", 405, postpaid),
        (Method::PUT, "/api/v1/bill/check/pdam", 405, postpaid),
        (Method::GET, "/api/v1/tiketv2", 405, postpaid),
        (Method::POST, "/api/v1/bill/check/pdam/x", 404, postpaid),
        (Method::POST, "/api/v1/bill/check//", 404, postpaid),
        (Method::POST, "/api/v1/bill/checks", 404, postpaid),
        (Method::POST, "/api/v1/bill", 404, postpaid),
        (Method::POST, "/api/v1/download/1234567890", 405, postpaid),
        (Method::DELETE, "/api/v1/download/1234567890/1", 405, postpaid),
        (Method::GET, "/api/v1/bill/download/custom", 405, postpaid),
        (Method::GET, "/api/v1/download", 404, postpaid),
        (Method::GET, "/api/v1/download/", 404, postpaid),
        (Method::GET, "/api/v1/download/1234567890/2", 404, postpaid),
        (Method::GET, "/api/v1/download/1234567890/1/1", 404, postpaid),
        (Method::POST, "/api/v1/bill/download", 404, postpaid),
        (Method::POST, "/api/v1/bill/download/custom/1", 404, postpaid),
        (Method::POST, "/api/v1/client-js/bill/check", 404, postpaid),
        (Method::GET, "/api/top-up", 405, prepaid),
        (Method::GET, "/api/pricelist/pulsa/xl", 405, prepaid),
        (Method::POST, "/api/download/1/1", 405, prepaid),
        (Method::GET, "/v1/legacy/index", 405, prepaid),
        (Method::POST, "/api", 404, prepaid),
        (Method::POST, "/api/", 404, prepaid),
        (Method::POST, "/api/topup", 404, prepaid),
        (Method::POST, "/api/top-up/1", 404, prepaid),
        (Method::POST, "/api/pricelists", 404, prepaid),
        (Method::POST, "/api/pricelist/pulsa/xl/1", 404, prepaid),
        (Method::GET, "/api/download", 404, prepaid),
        (Method::GET, "/api/download/", 404, prepaid),
        (Method::GET, "/api/download/1/2", 404, prepaid),
        (Method::POST, "/api/client-js/top-up", 404, prepaid),
        (Method::POST, "/v1/legacy/indexes", 404, prepaid),
        (Method::POST, "/v1/legacy/other", 404, prepaid),
    ];
    for (method, path, status, body) in table {
        let mut request = json(check_status("INV1").to_string());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a path");
        let answer = world.send(request).await;
        let said = (answer.status().as_u16(), &answer.body()[..]);
        assert_eq!(said, (status, body.as_bytes()), "{path}");
        assert_eq!(answer.headers().contains_key("Allow"), status == 405, "{path}");
    }
}

#[test]
fn only_paths_of_the_vendor_are_owned() {
    for path in ["/api", "/api/", "/api/v1/bill/check", "/api/top-up", "/v1/legacy/index"] {
        assert!(crate::iak::Served::owns(path), "{path}");
    }
    for path in ["/", "/apis", "/v1/api/", "/v1/legacy", "/v1/order", "/API/v1"] {
        assert!(!crate::iak::Served::owns(path), "{path}");
    }
}

#[tokio::test]
async fn a_fault_of_ours_is_pending_and_says_nothing_of_its_cause() {
    let world = World::new().await;
    let tr_id = world.quoted("INV1", HP).await;
    world.memory.fail_with(StoreFault::Corrupt("canary at /var/lib".to_owned()));
    let expected = r#"{"data":{"response_code":"05","message":"UNDEFINED ERROR"},"meta":[]}"#;
    let bad_number = inquiry("PLNPOSTPAID", "5 3", "INV2");
    for body in
        [inquiry("PLNPOSTPAID", HP, "INV2"), bad_number, payment(&tr_id), check_status("INV1")]
    {
        let answer = world.send(json(body.to_string())).await;
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (503, expected.as_bytes()));
    }
    let xml = format!(
        "<mp><commands>checkstatus</commands><username>{USERNAME}</username>\
         <ref_id>INV1</ref_id><sign>{}</sign></mp>",
        signature("cs")
    );
    let answer = world.send(post("/api/v1/bill/check", Some("text/xml"), xml)).await;
    let expected = "<?xml version=\"1.0\"?>\n\
        <mp><response_code>05</response_code><message>UNDEFINED ERROR</message></mp>";
    assert_eq!((answer.status().as_u16(), &answer.body()[..]), (503, expected.as_bytes()));
}

#[tokio::test]
async fn a_body_that_did_not_arrive_is_told_in_the_format_that_its_head_names() {
    let world = World::new().await;
    for fault in [BodyFault::TooLarge, BodyFault::TooSlow, BodyFault::Broken] {
        for (content_type, start) in
            [("application/json", r#"{"data":{"response_code":"107""#), ("text/xml", "<?xml")]
        {
            let mut request = post("/api/v1/bill/check", Some(content_type), "");
            *request.body_mut() = Err(fault);
            let answer = world.send(request).await;
            assert_eq!(answer.status(), 400);
            let body = std::str::from_utf8(answer.body()).expect("text");
            assert!(body.starts_with(start) && body.contains("107"), "{body}");
        }
    }
}

/// Of two credentials during a rotation each signs until its own end.
#[tokio::test]
async fn a_key_signs_for_nobody_from_its_expiry_on() {
    let world = World::new().await;
    let known = world.gateway.catalogue().credentials(crate::iak::NAME, USERNAME).to_vec();
    let known = known.first().expect("the first merchant has a credential");
    let expires_at = Some(domain::Timestamp::from_milliseconds(NOW + 1000));
    let ending = domain::Credential { expires_at, ..domain::Credential::clone(known) };
    let next_key = "another-key-0000";
    let next = domain::Credential {
        serial: 2,
        secrets: [("api_key".to_owned(), domain::Secret::new(next_key))].into(),
        ..domain::Credential::clone(known)
    };
    let commands = [ending, next].map(Command::PutCredential).to_vec();
    world.gateway.administer(commands).await.expect("stored");
    let mut with_next = inquiry("PLNPOSTPAID", HP, "NEXT");
    with_next["sign"] = json!(sign(USERNAME, next_key, "NEXT"));
    assert_eq!(world.code(&with_next).await, "00");
    world.set_clock(NOW + 999);
    assert_eq!(world.code(&inquiry("PLNPOSTPAID", HP, "BEFORE")).await, "00");
    world.set_clock(NOW + 1000);
    assert_eq!(world.code(&inquiry("PLNPOSTPAID", HP, "AFTER")).await, "100");
    with_next["ref_id"] = json!("NEXT2");
    with_next["sign"] = json!(sign(USERNAME, next_key, "NEXT2"));
    assert_eq!(world.code(&with_next).await, "00");
}

/// Who calls too often is told to ask again, and nothing that says an order has failed. Requests
/// that are nobody's count for nobody.
#[tokio::test]
async fn a_merchant_who_calls_too_often_is_told_to_ask_again() {
    let left = Arc::new(std::sync::atomic::AtomicI64::new(1));
    let counted = Arc::clone(&left);
    let rates = Arc::new(move |merchant: MerchantId| {
        assert_eq!(merchant, MerchantId(1));
        counted.fetch_sub(1, Ordering::SeqCst) > 0
    });
    let world = World::under(Conditions { rates, ..Conditions::default() }).await;
    let mut forged = inquiry("PLNPOSTPAID", HP, "FORGED");
    forged["sign"] = json!("00000000000000000000000000000000");
    for _ in 0..3 {
        assert_eq!(world.code(&forged).await, "100");
    }
    assert_eq!(left.load(Ordering::SeqCst), 1);
    let tr_id = world.quoted("INV1", HP).await;
    for request in [payment(&tr_id), check_status("INV1"), inquiry("PLNPOSTPAID", HP, "INV2")] {
        let (status, data) = world.post(&request).await;
        assert_eq!((status, &data["response_code"]), (429, &json!("05")), "{data}");
    }
    assert_eq!(world.supplier.payments.load(Ordering::SeqCst), 0);
}

/// Lets nobody through who was wrong once.
#[derive(Default)]
struct Strict(Mutex<BTreeSet<String>>);

impl SignatureGuard for Strict {
    fn admits(&self, _: IpAddr, username: &str) -> bool {
        !self.0.lock().expect("no test panics here").contains(username)
    }

    fn was_wrong(&self, _: IpAddr, username: &str) {
        self.0.lock().expect("no test panics here").insert(username.to_owned());
    }
}

/// Who is not admitted hears nothing about the signature, nor that anything has failed.
#[tokio::test]
async fn signatures_that_the_guard_stops_are_not_looked_at() {
    let signatures = Arc::new(Strict::default());
    let world = World::under(Conditions { signatures, ..Conditions::default() }).await;
    let tr_id = world.quoted("INV1", HP).await;
    let mut forged = payment(&tr_id);
    forged["sign"] = json!(signature("cs"));
    assert_eq!(world.code(&forged).await, "100");
    for body in [forged, payment(&tr_id), check_status("INV1")] {
        let (status, data) = world.post(&body).await;
        assert_eq!((status, &data["response_code"]), (429, &json!("05")), "{data}");
    }
    assert_eq!(world.supplier.payments.load(Ordering::SeqCst), 0);
    // Unknown user names are guarded alike.
    let unknown = json!({ "commands": "checkstatus", "username": "nobody", "ref_id": "INV1",
        "sign": signature("cs") });
    assert_eq!(world.post(&unknown).await.0, 200);
    assert_eq!(world.post(&unknown).await.0, 429);
    let other = json!({ "commands": "checkstatus", "username": OTHER_USERNAME, "ref_id": "INV1",
        "sign": sign(OTHER_USERNAME, OTHER_KEY, "cs") });
    assert_eq!(world.code(&other).await, "06");
}
