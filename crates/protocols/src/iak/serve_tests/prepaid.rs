//! The prepaid API: the life of a top-up in both versions, who may ask, and every code that a top-up
//! can reach.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::{Command, MerchantStatus, Repetition};
use gateway::ports::StoreFault;
use serde_json::{Value, json};

use super::top_ups::{LEGACY, STATUS, TOP_UP, XL, legacy, request, status, top_up};
use super::world::{Conditions, DAY, NOW, World, check_status, inquiry, merchant, payment, post};

const PRICE: i64 = 25_100;

#[tokio::test]
async fn a_top_up_is_pending_at_first_and_bought_once_however_often_it_is_sent() {
    let world = World::new().await;
    let before = world.balance().await;
    let (_, first) = world.ask(TOP_UP, &top_up("INV1", "xld25000", XL)).await;
    let tr_id = first["tr_id"].clone();
    let expected = json!({
        "ref_id": "INV1", "status": 0, "product_code": "xld25000", "customer_id": XL,
        "price": PRICE, "message": "PROCESS", "balance": before - PRICE, "tr_id": tr_id, "rc": "39",
    });
    assert_eq!(first, expected);
    world.gateway.finish_calls().await;
    let changes = world.memory.changes();
    let done = json!({
        "ref_id": "INV1", "status": 1, "product_code": "xld25000", "customer_id": XL,
        "price": PRICE, "message": "SUCCESS", "sn": "8800112233", "balance": before - PRICE,
        "tr_id": tr_id, "rc": "00",
    });
    // A repeat asks for the state: what else it says counts for nothing.
    for repeat in [
        top_up("INV1", "xld25000", XL),
        top_up("INV1", "htelkomsel10000", "081200000000"),
        top_up("INV1", "nothing", "x"),
        status("INV1"),
        request("INV1", json!({ "ref_id": "INV1", "customer_id": [] })),
    ] {
        assert_eq!(world.ask(TOP_UP, &repeat).await, (200, done.clone()));
    }
    assert_eq!(world.ask(STATUS, &status("INV1")).await, (200, done));
    assert_eq!(world.memory.changes(), changes);
    assert_eq!(world.supplier.payments.load(Ordering::SeqCst), 1);
    assert_eq!(world.balance().await, before - PRICE);
}

#[tokio::test]
async fn of_top_ups_at_once_under_one_reference_one_is_bought() {
    let world = World::new().await;
    let before = world.balance().await;
    let bodies = [
        top_up("INV1", "xld25000", XL),
        top_up("INV1", "xld25000", XL),
        top_up("INV1", "xldata5", "081700000000"),
    ];
    let [first, second, third] = &bodies;
    let answers = tokio::join!(
        world.ask(TOP_UP, first),
        world.ask(TOP_UP, second),
        world.ask(TOP_UP, third),
    );
    for (status, data) in [answers.0, answers.1, answers.2] {
        assert_eq!((status, &data["ref_id"]), (200, &json!("INV1")));
        assert_eq!(data["product_code"], "xld25000", "{data}");
    }
    world.gateway.finish_calls().await;
    assert_eq!(world.balance().await, before - PRICE);
    assert_eq!(world.supplier.payments.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_top_up_that_fails_gives_everything_back_and_says_why() {
    let world = World::new().await;
    let before = world.balance().await;
    let table = [
        ("1007", "07", "FAILED"),
        ("1010", "10", "REACH TOP UP LIMIT USING SAME DESTINATION NUMBER IN 1 DAY"),
        ("1012", "12", "BALANCE MAXIMUM LIMIT EXCEEDED"),
        ("1013", "13", "CUSTOMER NUMBER BLOCKED"),
        ("1014", "14", "INCORRECT DESTINATION NUMBER"),
        ("1110", "110", "SYSTEM UNDER MAINTENANCE"),
        ("1206", "206", "THIS DESTINATION NUMBER HAS BEEN BLOCKED"),
        ("1141", "142", "INVALID USER ID"),
    ];
    for (ending, rc, message) in table {
        let ref_id = format!("INV{ending}");
        world.topped_up(&ref_id, "xld25000", &format!("08171234{ending}")).await;
        let (_, data) = world.ask(STATUS, &status(&ref_id)).await;
        assert_eq!((&data["status"], &data["rc"]), (&json!(2), &json!(rc)), "{ending}");
        assert_eq!(data["message"], message);
        assert!(data.get("sn").is_none());
    }
    assert_eq!(world.balance().await, before);
}

#[tokio::test]
async fn what_is_open_never_looks_failed() {
    let world = World::new().await;
    let before = world.balance().await;
    for (count, (ending, rc)) in (1..).zip([("1039", "39"), ("1005", "39"), ("1201", "201")]) {
        let ref_id = format!("INV{ending}");
        world.topped_up(&ref_id, "xld25000", &format!("08171234{ending}")).await;
        let (_, data) = world.ask(STATUS, &status(&ref_id)).await;
        assert_eq!((&data["status"], &data["rc"]), (&json!(0), &json!(rc)), "{data}");
        assert_eq!(world.balance().await, before - count * PRICE);
    }
}

#[tokio::test]
async fn both_versions_speak_of_the_same_orders_under_their_own_names() {
    let world = World::new().await;
    let fields = json!({ "ref_id": "INV1", "hp": XL, "pulsa_code": "xld25000" });
    let (_, first) = world.ask(LEGACY, &legacy("topup", "INV1", fields)).await;
    assert_eq!((&first["code"], &first["hp"]), (&json!("xld25000"), &json!(XL)));
    assert_eq!(first["rc"], "39");
    world.gateway.finish_calls().await;
    let (_, newer) = world.ask(STATUS, &status("INV1")).await;
    assert_eq!((&newer["product_code"], &newer["customer_id"]), (&json!("xld25000"), &json!(XL)));
    let asked = legacy("inquiry", "INV1", json!({ "ref_id": "INV1" }));
    let (_, older) = world.ask(LEGACY, &asked).await;
    assert_eq!((&older["code"], &older["hp"]), (&json!("xld25000"), &json!(XL)));
    for (path, data) in [(STATUS, newer), (LEGACY, older)] {
        assert_eq!((&data["status"], &data["sn"]), (&json!(1), &json!("8800112233")), "{path}");
    }
}

#[tokio::test]
async fn either_versions_names_are_understood_and_the_own_ones_win() {
    let world = World::new().await;
    let table = [
        (TOP_UP, "", json!({ "hp": XL, "pulsa_code": "xld25000" })),
        (TOP_UP, "", json!({ "hp": XL, "code": "xld25000" })),
        (
            TOP_UP,
            "",
            json!({ "customer_id": XL, "hp": "x", "product_code": "xld25000", "code": 5 }),
        ),
        (LEGACY, "topup", json!({ "customer_id": XL, "product_code": "xld25000" })),
        (LEGACY, "topup", json!({ "hp": XL, "customer_id": "x", "pulsa_code": "xld25000" })),
        (TOP_UP, "", json!({ "customer_id": "", "hp": XL, "product_code": "xld25000" })),
    ];
    for (number, (path, command, mut fields)) in (1..).zip(table) {
        let ref_id = format!("INV{number}");
        fields["ref_id"] = json!(ref_id);
        assert_eq!(
            world.rc(path, &legacy(command, &ref_id, fields.clone())).await,
            "39",
            "{fields}"
        );
    }
}

#[tokio::test]
async fn a_reference_is_either_a_bills_or_a_top_ups() {
    let world = World::new().await;
    world.quoted("INV1", "530000000000").await;
    let tr_id = world.topped_up("INV2", "xld25000", XL).await;
    let changes = world.memory.changes();
    assert_eq!(world.rc(TOP_UP, &top_up("INV1", "xld25000", XL)).await, "208");
    assert_eq!(world.rc(STATUS, &status("INV1")).await, "06");
    assert_eq!(world.code(&inquiry("PLNPOSTPAID", "530000000000", "INV2")).await, "11");
    assert_eq!(world.code(&check_status("INV2")).await, "06");
    assert_eq!(world.code(&payment(&tr_id)).await, "06");
    assert_eq!(world.code(&inquiry("xld25000", XL, "INV3")).await, "20");
    assert_eq!(world.code(&inquiry("xld25000", "8 8", "INV3")).await, "20");
    assert_eq!(world.rc(TOP_UP, &top_up("INV3", "PLNPOSTPAID", "530000000000")).await, "20");
    assert_eq!(world.memory.changes(), changes);
}

/// Code, number, and what comes of it at once.
#[tokio::test]
async fn refusals_come_at_once_and_change_nothing() {
    let world = World::new().await;
    let game = "x".repeat(65);
    let table = [
        ("nothing", XL, "20", 0),
        ("XLD25000", XL, "20", 0),
        ("hwholesale", XL, "20", 0),
        ("hfree", XL, "208", 0),
        ("xld10000", XL, "106", 10_850),
        ("xld10000", "x", "106", 10_850),
        ("xld25000", "081200000000", "16", PRICE),
        ("xld25000", "080000000000", "16", PRICE),
        ("xldata5", "081200000000", "16", 41_500),
        ("htelkomsel10000", "085155000000", "16", 10_500),
        ("hbyu10000", "085100000000", "16", 10_450),
        ("xld25000", "0817123", "14", PRICE),
        ("xld25000", "6281712340000", "14", PRICE),
        ("xld25000", "0817 1234000", "14", PRICE),
        ("xld25000", "08171234000000", "203", PRICE),
        ("hpln20000", "1234567890", "14", 20_250),
        ("hpln20000", "123456789012", "203", 20_250),
        ("hmobilelegend86", "a\u{0}b", "14", 19_300),
        ("hmobilelegend86", &game, "203", 19_300),
        ("hgopay20000", "0812 3", "14", 20_900),
        ("alfamart100", "é", "14", 99_000),
        ("pulsa25000", "080000000000", "16", 0),
        ("pulsa25000", "1", "14", 0),
        ("pulsa25000", "08171234000000", "203", 0),
        ("pulsa30000", XL, "20", 0),
        ("pulsa5000", "089900000000", "106", 5_700),
        ("pulsa25001", XL, "20", 0),
    ];
    let changes = world.memory.changes();
    let balance = world.balance().await;
    for (code, number, rc, price) in table {
        let (status, data) = world.ask(TOP_UP, &top_up("INV1", code, number)).await;
        let expected = json!({
            "ref_id": "INV1", "status": 2, "product_code": code, "customer_id": number,
            "price": price, "message": data["message"], "balance": balance, "tr_id": 0, "rc": rc,
        });
        assert_eq!((status, &data), (200, &expected), "{code} {number}");
    }
    assert_eq!(world.memory.changes(), changes);
    // The reference stayed free.
    assert_eq!(world.rc(STATUS, &status("INV1")).await, "06");
    assert_eq!(world.rc(TOP_UP, &top_up("INV1", "xld25000", XL)).await, "39");
}

#[tokio::test]
async fn numbers_that_fit_are_taken() {
    let world = World::new().await;
    let table = [
        ("htelkomsel10000", "081100000000"),
        ("hbyu10000", "085155000000"),
        ("xldata5", "087800000000"),
        ("hpln20000", "12345678901"),
        ("hmobilelegend86", "156378300|8483"),
        ("hmobilelegend86", "Ksatria 龍|7"),
        ("hgopay20000", "081200000000"),
        ("hgopay20000", "6032980000000001"),
        ("digi5", "62|62812345678_IAK"),
        ("alfamart100", "081234567890"),
    ];
    for (ref_id, (code, number)) in table.into_iter().enumerate() {
        world.topped_up(&format!("INV{ref_id}"), code, number).await;
    }
}

#[tokio::test]
async fn an_auto_detect_code_buys_of_the_numbers_operator_what_is_on_sale() {
    let world = World::new().await;
    let table = [
        ("pulsa25000", XL, "xld25000"),
        ("pulsa10000", XL, "xld10000b"),
        ("pulsa10000", "083100000000", "haxis10000"),
        ("pulsa10000", "081200000000", "htelkomsel10000"),
        ("pulsa10000", "085155000000", "hbyu10000"),
    ];
    for (count, (code, number, bought)) in table.into_iter().enumerate() {
        let (_, data) = world.ask(TOP_UP, &top_up(&format!("INV{count}"), code, number)).await;
        assert_eq!((&data["rc"], &data["product_code"]), (&json!("39"), &json!(bought)));
    }
}

#[tokio::test]
async fn what_the_balance_does_not_cover_is_refused_and_may_be_tried_again() {
    let world = World::under(Conditions { balance: 25_000, ..Conditions::default() }).await;
    let body = top_up("INV1", "xld25000", XL);
    assert_eq!(world.rc(TOP_UP, &body).await, "17");
    world.fund("more", 1, 100).await;
    assert_eq!(world.rc(TOP_UP, &body).await, "39");
}

#[tokio::test]
async fn the_merchants_own_limits_hold_until_midnight() {
    let table = [
        (Repetition::OncePerProduct, "xldata5", "39", "202"),
        (Repetition::OncePerNumber, "xldata5", "207", "207"),
        (Repetition::Free, "xldata5", "39", "39"),
    ];
    for (repetition, other, with_other, with_same) in table {
        let world = World::new().await;
        let limited = domain::Merchant { repetition, ..merchant(1) };
        world.gateway.administer(vec![Command::PutMerchant(limited)]).await.expect("put");
        world.topped_up("INV1", "xld25000", XL).await;
        assert_eq!(world.rc(TOP_UP, &top_up("INV2", other, XL)).await, with_other);
        assert_eq!(world.rc(TOP_UP, &top_up("INV3", "xld25000", XL)).await, with_same);
        world.set_clock(NOW + DAY);
        assert_eq!(world.rc(TOP_UP, &top_up("INV4", "xld25000", XL)).await, "39");
    }
}

#[tokio::test]
async fn electricity_is_closed_at_night() {
    let world = World::new().await;
    // 23:30 in Jakarta.
    world.set_clock(NOW + 27_900_000);
    assert_eq!(world.rc(TOP_UP, &top_up("INV1", "hpln20000", "12345678901")).await, "106");
    assert_eq!(world.rc(TOP_UP, &top_up("INV2", "xld25000", XL)).await, "39");
}

/// Every service of both versions, signed.
fn services() -> Vec<(&'static str, Value)> {
    let game = json!({ "game_code": "142", "customer_id": "x|1" });
    let newer = [
        ("/api/check-balance", request("bl", json!({}))),
        ("/api/pricelist", request("pl", json!({}))),
        ("/api/check-operator", request("op", json!({ "customer_id": XL }))),
        ("/api/inquiry-pln", request("12345678901", json!({ "customer_id": "12345678901" }))),
        ("/api/inquiry-ovo", request("082179374708", json!({ "customer_id": "082179374708" }))),
        ("/api/inquiry-game", request("142", game.clone())),
        ("/api/inquiry-game-server", request("142", game.clone())),
        ("/api/game/format", request("142", game.clone())),
        (TOP_UP, top_up("INV1", "xld25000", XL)),
        (STATUS, status("INV1")),
    ];
    let older = [
        ("balance", "bl", json!({})),
        ("pricelist", "pl", json!({})),
        ("inquiry_pln", "12345678901", json!({ "hp": "12345678901" })),
        ("check-game-id", "142", json!({ "game_code": "142", "hp": "x|1" })),
        ("game-server-list", "142", game.clone()),
        ("game-format-id", "142", game),
        ("topup", "INV2", json!({ "ref_id": "INV2", "hp": XL, "pulsa_code": "xld25000" })),
        ("inquiry", "INV2", json!({ "ref_id": "INV2" })),
    ];
    let older = older.map(|(command, what, fields)| (LEGACY, legacy(command, what, fields)));
    newer.into_iter().chain(older).collect()
}

/// A refusal of the caller says nothing about the order that it asks about.
async fn refused(world: &World, path: &str, body: &Value, expected: (u16, &str)) {
    let (status, data) = world.ask(path, body).await;
    assert_eq!((status, data["rc"].as_str().unwrap_or_default()), expected, "{path} {data}");
    assert!(data.get("status").is_none(), "{data}");
}

#[tokio::test]
async fn every_service_asks_first_who_calls_and_from_where() {
    let signed = World::new().await;
    let elsewhere = Conditions { addresses: Arc::new(|_, _| false), ..Conditions::default() };
    let elsewhere = World::under(elsewhere).await;
    let often =
        World::under(Conditions { rates: Arc::new(|_| false), ..Conditions::default() }).await;
    let suspended = World::new().await;
    let off = domain::Merchant { status: MerchantStatus::Suspended, ..merchant(1) };
    suspended.gateway.administer(vec![Command::PutMerchant(off)]).await.expect("put");
    let worlds = [&signed, &elsewhere, &often, &suspended];
    let changes = worlds.map(|world| world.memory.changes());
    for (path, body) in services() {
        for (field, value) in [("sign", json!("0".repeat(32))), ("username", json!("0899"))] {
            let mut forged = body.clone();
            forged[field] = value;
            refused(&signed, path, &forged, (200, "204")).await;
        }
        refused(&elsewhere, path, &body, (200, "102")).await;
        refused(&suspended, path, &body, (200, "118")).await;
        refused(&often, path, &body, (429, "201")).await;
    }
    assert_eq!(worlds.map(|world| world.memory.changes()), changes);
}

#[tokio::test]
async fn a_fault_of_ours_is_pending_and_says_nothing_of_its_cause() {
    let world = World::new().await;
    world.memory.fail_with(StoreFault::Corrupt("canary at /var/lib".to_owned()));
    let expected = r#"{"data":{"rc":"201","message":"UNDEFINED RESPONSE CODE"}}"#;
    for body in [top_up("INV1", "xld25000", XL), top_up("INV1", "xld25000", "1")] {
        let answer = world.send(post(TOP_UP, Some("application/json"), body.to_string())).await;
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (503, expected.as_bytes()));
    }
    for (path, body) in [(STATUS, status("INV1")), ("/api/check-balance", request("bl", json!({})))]
    {
        let answer = world.send(post(path, Some("application/json"), body.to_string())).await;
        assert_eq!((answer.status().as_u16(), &answer.body()[..]), (503, expected.as_bytes()));
    }
}
