//! The prepaid API's services around top-ups: balances, look-ups, price lists, receipts and mails.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

use super::top_ups::{LEGACY, STATUS, XL, legacy, request, status};
use super::world::{Conditions, DAY, NOW, World, price_list};
use crate::exchange::BodyFault;

#[tokio::test]
async fn balances_are_told_in_the_currency_that_is_asked_for() {
    let world = World::new().await;
    let table = [
        (json!({}), json!({ "balance": 100_000_000, "message": "SUCCESS", "rc": "00" })),
        (
            json!({ "currency": "IDR" }),
            json!({ "balance": 100_000_000, "currency": "IDR", "message": "SUCCESS", "rc": "00" }),
        ),
        (
            json!({ "currency": "USD" }),
            json!({ "balance": 0, "currency": "USD", "message": "SUCCESS", "rc": "00" }),
        ),
    ];
    for (fields, expected) in table {
        let asked = world.ask("/api/check-balance", &request("bl", fields)).await;
        assert_eq!(asked, (200, expected));
    }
    let (_, older) = world.ask(LEGACY, &legacy("balance", "bl", json!({}))).await;
    assert_eq!(older, json!({ "balance": 100_000_000 }));
}

#[tokio::test]
async fn look_ups_know_what_is_known_and_refuse_the_rest() {
    let world = World::new().await;
    let changes = world.memory.changes();
    let of_customer = |number: &str| request(number, json!({ "customer_id": number }));
    let of_game = |code: &str, identity: &str| {
        request(code, json!({ "game_code": code, "customer_id": identity }))
    };
    let table = [
        ("/api/check-operator", request("op", json!({ "customer_id": XL })), "00"),
        ("/api/check-operator", request("op", json!({ "customer_id": "080000000000" })), "16"),
        ("/api/check-operator", request("op", json!({ "customer_id": "1" })), "14"),
        ("/api/inquiry-pln", of_customer("12345678901"), "00"),
        ("/api/inquiry-pln", of_customer("12345678902"), "14"),
        ("/api/inquiry-pln", of_customer("123456789012"), "14"),
        ("/api/inquiry-pln", of_customer("INV1"), "14"),
        ("/api/inquiry-ovo", of_customer("082179374708"), "00"),
        ("/api/inquiry-ovo", of_customer("082179374709"), "14"),
        ("/api/inquiry-ovo", of_customer("12345678901"), "14"),
        ("/api/inquiry-game", of_game("103", "156378300|8483"), "00"),
        ("/api/inquiry-game", of_game("103", "014|1"), "14"),
        ("/api/inquiry-game", of_game("103", "141|1"), "141"),
        ("/api/inquiry-game", of_game("135", "141|1"), "142"),
        ("/api/inquiry-game", of_game("135", "143|1"), "143"),
        ("/api/inquiry-game", of_game("103", "020|1"), "20"),
        ("/api/inquiry-game", of_game("103", "043|1"), "43"),
        ("/api/inquiry-game", of_game("103", "a\u{1}"), "14"),
        ("/api/inquiry-game", of_game("10300", "1|1"), "20"),
        ("/api/inquiry-game", of_game("INV1", "1|1"), "20"),
        ("/api/inquiry-game-server", of_game("103", ""), "00"),
        ("/api/inquiry-game-server", of_game("142", ""), "00"),
        ("/api/inquiry-game-server", of_game("100", ""), "20"),
        ("/api/inquiry-game-server", of_game("172", ""), "201"),
        ("/api/game/format", of_game("103", ""), "00"),
        ("/api/game/format", of_game("104", ""), "143"),
        ("/api/game/format", of_game("1234", ""), "20"),
    ];
    for (path, body, rc) in table {
        let (status, data) = world.ask(path, &body).await;
        assert_eq!((status, &data["rc"]), (200, &json!(rc)), "{path} {body}");
        let good = rc == "00";
        match path {
            "/api/check-operator" => assert!(data.get("status").is_none()),
            "/api/inquiry-pln" | "/api/inquiry-ovo" => {
                assert_eq!(data["status"], if good { "1" } else { "2" });
                assert_eq!(data["customer_id"], body["customer_id"]);
                assert_eq!(data.get("name").is_some(), good);
            }
            _ => assert_eq!(data["status"], if good { 1 } else { 2 }),
        }
    }
    assert_eq!(world.memory.changes(), changes);
}

/// The codes of a price list.
async fn listed(world: &World, path: &str, fields: Value) -> Vec<String> {
    let (status, data) = world.ask(path, &request("pl", fields)).await;
    assert_eq!((status, &data["rc"]), (200, &json!("00")), "{path}");
    let items = data["pricelist"].as_array().expect("a list").iter();
    items.map(|item| item["product_code"].as_str().expect("a code").to_owned()).collect()
}

#[tokio::test]
async fn a_price_list_shows_top_ups_only_and_is_narrowed_by_path_and_status() {
    let world = World::new().await;
    let all = listed(&world, "/api/pricelist", json!({})).await;
    assert_eq!(all.len(), 17, "{all:?}");
    assert!(!all.contains(&"hwholesale".to_owned()), "has no price for this merchant");
    let (_, bills) = world.post(&price_list()).await;
    let bills = bills["pasca"].as_array().expect("a list").iter();
    let bills: Vec<_> = bills.filter_map(|item| item["code"].as_str()).collect();
    assert!(bills.contains(&"PLNPOSTPAID"));
    assert!(bills.iter().all(|code| !all.iter().any(|top_up| top_up == code)), "{bills:?}");
    let table: [(&str, Value, &[&str]); 15] = [
        ("/api/pricelist/pulsa/xl", json!({}), &["xld10000", "xld10000b", "xld25000"]),
        ("/api/pricelist/pulsa/xl", json!({ "status": "active" }), &["xld10000b", "xld25000"]),
        ("/api/pricelist/pulsa/xl", json!({ "status": "non active" }), &["xld10000"]),
        ("/api/pricelist/PULSA/XL/", json!({ "status": "non-active" }), &["xld10000"]),
        ("/api/pricelist/pulsa/by.u", json!({}), &["hbyu10000"]),
        ("/api/pricelist/data", json!({}), &["xldata5"]),
        ("/api/pricelist/pln/", json!({}), &["hpln20000"]),
        ("/api/pricelist/game/mobile_legend", json!({}), &["hmobilelegend86"]),
        ("/api/pricelist/game/light_of_thel:_glory_of_cepheus", json!({}), &["light1"]),
        ("/api/pricelist/game/light_of_thel%3A_glory_of_cepheus", json!({}), &["light1"]),
        ("/api/pricelist/international", json!({}), &["digi5"]),
        ("/api/pricelist/malaysia/digi", json!({}), &["digi5"]),
        ("/api/pricelist/pulsa/digi", json!({}), &[]),
        ("/api/pricelist/bills", json!({}), &[]),
        ("/api/pricelist/pln", json!({ "currency": "USD" }), &[]),
    ];
    for (path, fields, expected) in table {
        assert_eq!(listed(&world, path, fields).await, expected, "{path}");
    }
    let (_, older) =
        world.ask("/v1/legacy/index/pulsa/xl", &legacy("pricelist", "pl", json!({}))).await;
    let older = older.as_array().expect("a bare list");
    assert_eq!(older.len(), 3);
    assert_eq!(
        (&older[0]["pulsa_code"], &older[0]["masaaktif"]),
        (&json!("xld10000"), &json!("30"))
    );
}

fn get(path: &str, content_type: Option<&str>) -> Request<Result<Bytes, BodyFault>> {
    let mut request = Request::builder().method(Method::GET).uri(path);
    if let Some(content_type) = content_type {
        request = request.header("Content-Type", content_type);
    }
    request.body(Ok(Bytes::new())).expect("a request")
}

#[tokio::test]
async fn a_receipt_is_a_document_or_raw_and_only_after_success() {
    let world = World::new().await;
    let done = world.topped_up("INV1", "hpln20000", "12345678901").await;
    let open = world.topped_up("INV2", "xld25000", "081712341039").await;
    let failed = world.topped_up("INV3", "xld25000", "081712341014").await;
    let bill = world.quoted("INV4", "530000000000").await;
    for content_type in [None, Some("application/pdf"), Some("image/png"), Some("application/json")]
    {
        let answer = world.send(get(&format!("/api/download/{done}"), content_type)).await;
        assert_eq!((answer.status().as_u16(), &answer.body()[..5]), (200, &b"%PDF-"[..]));
        assert_eq!(answer.headers()["Content-Type"], "application/pdf");
        assert_eq!(answer.headers()["Cache-Control"], "private, no-store");
    }
    let raw = |tr_id: &str| get(&format!("/api/download/{tr_id}/1"), None);
    let answer = world.send(raw(&done)).await;
    let data: Value = serde_json::from_slice(answer.body()).expect("JSON");
    let expected = json!({ "data": {
        "tr_id": done.parse::<i64>().expect("a number"), "date": "2024-01-31 15:45:00",
        "name": "Token PLN 20.000", "customer_id": "12345678901", "product_code": "hpln20000",
        "admin_fee": 0, "price": 20_250,
        "sn": "1111-2222-3333-4444-5555/PELANGGAN SATU/R1 /000001300/33.1", "ref_id": "INV1",
        "rc": "00", "message": "SUCCESS", "status": 1,
    } });
    assert_eq!(data, expected);
    let table = [
        (open.as_str(), r#"{"data":{"rc":"39","message":"PROCESS","status":0}}"#),
        (&failed, r#"{"data":{"rc":"14","message":"INCORRECT DESTINATION NUMBER","status":2}}"#),
        (&bill, r#"{"data":{"rc":"06","message":"TRANSACTION NOT FOUND","status":2}}"#),
        ("1234567890", r#"{"data":{"rc":"06","message":"TRANSACTION NOT FOUND","status":2}}"#),
        ("x", r#"{"data":{"rc":"06","message":"TRANSACTION NOT FOUND","status":2}}"#),
    ];
    for (tr_id, expected) in table {
        for path in [format!("/api/download/{tr_id}"), format!("/api/download/{tr_id}/1/")] {
            let answer = world.send(get(&path, None)).await;
            assert_eq!((answer.status().as_u16(), &answer.body()[..]), (200, expected.as_bytes()));
        }
    }
    let answer = world.send(get(&format!("/api/download/{failed}/1"), Some("text/xml"))).await;
    let body = std::str::from_utf8(answer.body()).expect("text");
    assert!(body.ends_with(
        "<mp><rc>14</rc><message>INCORRECT DESTINATION NUMBER</message><status>2</status></mp>"
    ));
    // The other API knows no receipt of a top-up.
    let answer =
        world.send(get(&format!("/api/v1/download/{done}"), Some("application/json"))).await;
    assert!(answer.body().starts_with(br#"{"data":{"response_code":"06""#));
}

#[tokio::test]
async fn a_receipt_is_for_addresses_that_its_merchant_allows() {
    let local = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let elsewhere = Arc::new(AtomicBool::new(false));
    let barred = Arc::clone(&elsewhere);
    let addresses = Arc::new(move |_, peer| peer == local && !barred.load(Ordering::SeqCst));
    let world = World::under(Conditions { addresses, ..Conditions::default() }).await;
    let tr_id = world.topped_up("INV1", "xld25000", XL).await;
    let path = format!("/api/download/{tr_id}/1");
    assert!(world.send(get(&path, None)).await.body().ends_with(br#""status":1}}"#));
    elsewhere.store(true, Ordering::SeqCst);
    let body = world.send(get(&path, None)).await.into_body();
    assert!(body.starts_with(br#"{"data":{"rc":"06""#), "{body:?}");
}

#[tokio::test]
async fn an_esim_is_mailed_three_times_a_day_to_whoever_bought_one() {
    let world = World::new().await;
    let esim = world.topped_up("INV1", "esim1", "081234567890").await;
    let credit = world.topped_up("INV2", "xld25000", XL).await;
    let open = world.topped_up("INV3", "esim1", "081234561039").await;
    let path = "/api/esim/notification/activation";
    let mail = |tr_id: &str| request(tr_id, json!({ "tr_id": tr_id, "email": "a@b.example" }));
    for other in [credit.as_str(), &open, "1234567890", "INV1"] {
        assert_eq!(world.rc(path, &mail(other)).await, "06", "{other}");
    }
    let expected = json!({
        "tr_id": esim.parse::<i64>().expect("a number"), "email": "a@b.example", "rc": "00",
        "message": "SUCCESS",
    });
    for _ in 0..3 {
        assert_eq!(world.ask(path, &mail(&esim)).await, (200, expected.clone()));
    }
    assert_eq!(world.rc(path, &mail(&esim)).await, "301");
    assert_eq!(world.supplier.mails.load(Ordering::SeqCst), 3);
    world.set_clock(NOW + DAY);
    assert_eq!(world.rc(path, &mail(&esim)).await, "00");
    let (_, data) = world.ask(STATUS, &status("INV1")).await;
    assert_eq!(data["activation_code"], "LPA:1$smdp.example$K2-1JVUQ0");
}

#[tokio::test]
async fn an_unknown_command_of_the_older_version_is_named_so() {
    let world = World::new().await;
    for command in ["top-up", "check-status", "inquiry-ovo", "TOPUP", "inq-pasca"] {
        let body = legacy(command, "INV1", json!({ "ref_id": "INV1" }));
        assert_eq!(world.rc(LEGACY, &body).await, "205", "{command}");
    }
}
