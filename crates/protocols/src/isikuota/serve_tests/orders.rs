//! `prepaid` and `game`: what each outcome answers, and that money moves once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::{Amount, Command, Delivery, Outcome, ProductStatus, Refusal, Repetition};
use gateway::ports::{Notice, StoreFault};
use serde_json::{Value, json};

use super::world::{
    Conditions, NOW, OTHER_API_ID, SECONDS, World, asked, inquiry, merchant, post, prepaid,
    products, read, signed_as, signed_at, testing,
};

const PRICE: i64 = 21_425;

#[tokio::test]
async fn a_top_up_answers_what_it_came_to() {
    let world = World::new().await;
    let before = world.balance().await;
    let table = [
        ("081298765432", true, "ORDER_SUCCESS", "Success", json!("0041002233445566"), PRICE),
        ("081298760037", false, "ORDER_FAILED", "Failed", Value::Null, 0),
        ("081298760039", true, "ORDER_PENDING", "Pending", Value::Null, PRICE),
        ("081298760030", true, "ORDER_SUCCESS", "Success", Value::Null, PRICE),
    ];
    let mut spent = 0;
    for (number, success, code, status, sn, price) in table {
        let (http, envelope) = world.order(asked("prepaid", "TSEL21", number, number)).await;
        spent += price;
        assert_eq!((http, &envelope["success"]), (200, &json!(success)), "{envelope}");
        assert_eq!(envelope["code"], code);
        assert_eq!(
            envelope["data"],
            json!({
                "ref_id": number, "status": status, "customer_no": number, "code": "TSEL21",
                "name": "Telkomsel 21.000", "price": PRICE, "sn": sn,
                "created_at": "2026-05-29 03:26:40",
            })
        );
        assert_eq!(world.balance().await, before - spent);
    }
    let (_, envelope) = world.order(asked("game", "ML86", "12345678/2001", "Pesanan é/№1")).await;
    assert_eq!(envelope["data"]["ref_id"], "Pesanan é/№1");
    assert_eq!(envelope["data"]["customer_no"], "12345678/2001");
    world.memory.audit().expect("clean books");
}

#[tokio::test]
async fn a_repeat_shows_the_order_as_it_stands_and_buys_nothing() {
    let world = World::new().await;
    for (number, code) in [
        ("081298765432", "ORDER_SUCCESS"),
        ("081298760037", "ORDER_FAILED"),
        ("081298760039", "ORDER_PENDING"),
    ] {
        let first = world.order(asked("prepaid", "TSEL21", number, number)).await;
        assert_eq!(first.1["code"], code);
        let changes = world.memory.changes();
        let repeat = world.order(asked("prepaid", "TSEL21", number, number)).await;
        assert_eq!(repeat, first);
        assert_eq!(world.memory.changes(), changes);
    }
    assert_eq!(world.purchases(), 3);
}

#[tokio::test]
async fn a_pending_order_is_told_anew_once_it_is_resolved() {
    let delivered = Outcome::Delivered(Delivery {
        cost: Amount::rupiah(20_000),
        serial_number: "SN".to_owned(),
        details: None,
    });
    let refused = Outcome::Refused(Refusal::DestinationBlocked);
    for (outcome, code) in [(delivered, "ORDER_SUCCESS"), (refused, "ORDER_FAILED")] {
        let world = World::new().await;
        let order = asked("prepaid", "TSEL21", "081298760039", "R-1");
        assert_eq!(world.code(order.clone()).await, "ORDER_PENDING");
        let found = world.gateway.reports().orders_named("R-1", 1).await.expect("found");
        let notice = Notice {
            order: found[0].id,
            attempt: 1,
            upstream: world.supplier.name.clone(),
            supplied: outcome.into(),
        };
        world.gateway.notice(notice).await.expect("recorded");
        assert_eq!(world.code(order).await, code);
        assert_eq!(world.purchases(), 1);
    }
}

#[tokio::test]
async fn what_was_bought_stays_bought_when_the_product_goes() {
    let world = World::new().await;
    let first = world.order(prepaid("R-1")).await;
    let mut product = products().swap_remove(0);
    product.status = ProductStatus::Inactive;
    world.put(vec![Command::PutProduct(product.clone())]).await;
    assert_eq!(world.order(prepaid("R-1")).await, first);
    product.top_up = None;
    product.aliases.clear();
    world.put(vec![Command::PutProduct(product)]).await;
    assert_eq!(world.order(prepaid("R-1")).await, first);
    assert_eq!(world.code(prepaid("R-2")).await, "PRODUCT_NOT_FOUND");
}

#[tokio::test]
async fn a_reference_means_one_order() {
    let world = World::new().await;
    assert_eq!(world.code(prepaid("R-1")).await, "ORDER_SUCCESS");
    assert_eq!(world.code(inquiry("R-2")).await, "BILL_INQUIRY_SUCCESS");
    let changes = world.memory.changes();
    let others = [
        asked("prepaid", "TSEL21", "081298765433", "R-1"),
        asked("prepaid", "OFF10", "081298765432", "R-1"),
        asked("game", "TSEL21", "081298765432", "R-1"),
        asked("game", "ML86", "081298765432", "R-1"),
        asked("inquiry", "MPBPJS", "081298765432", "R-1"),
        asked("pay-pasca", "TSEL21", "081298765432", "R-1"),
        prepaid("R-2"),
        asked("game", "MPBPJS", "8888801234567890", "R-2"),
    ];
    for order in others {
        let (status, envelope) = world.order(order.clone()).await;
        assert_eq!((status, &envelope["code"]), (409, &json!("DUPLICATE_REF_ID")), "{order}");
    }
    assert_eq!(world.memory.changes(), changes);
    // Test mode and other merchants have references of their own.
    assert_eq!(world.code(testing(prepaid("R-1"))).await, "ORDER_SUCCESS");
    world.fund("opening", 2, 100_000).await;
    let body = signed_as(OTHER_API_ID, "sk_other", &SECONDS.to_string(), prepaid("R-1"));
    assert_eq!(world.post("/v1/order", &body).await.1["code"], "ORDER_SUCCESS");
    assert_eq!(world.purchases(), 2);
}

#[tokio::test]
async fn a_request_without_a_reference_is_named_by_its_signature() {
    let world = World::new().await;
    let bare = || json!({ "cmd": "prepaid", "code": "TSEL21", "customer_no": "081298765432" });
    let body = world.signed(bare());
    let first = world.post("/v1/order", &body).await;
    let name = first.1["data"]["ref_id"].as_str().expect("a name").to_owned();
    assert!(name.starts_with("TRX") && name.len() == 16, "{name}");
    assert!(name[3..].bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    // The same request again, also in other letters and later in the window.
    let mut upper = body.clone();
    upper["signature"] = json!(body["signature"].as_str().expect("digits").to_uppercase());
    let mut text = body.clone();
    text["timestamp"] = json!(SECONDS.to_string());
    for later in [0, 300_000] {
        world.set_clock(NOW + later);
        for body in [&body, &upper, &text] {
            assert_eq!(world.post("/v1/order", body).await, first);
        }
    }
    assert_eq!(world.purchases(), 1);
    // Another second is another purchase, and so is an empty reference, which is signed.
    let other = world.post("/v1/order", &signed_at(SECONDS + 1, bare())).await;
    assert_ne!(other.1["data"]["ref_id"], name);
    let empty = world.post("/v1/order", &signed_at(SECONDS, prepaid(""))).await;
    assert_eq!(empty.1["code"], "ORDER_SUCCESS");
    assert_eq!(world.purchases(), 3);
}

#[tokio::test]
async fn of_twins_one_buys_and_the_other_sees_it_pending() {
    let world = World::under(Conditions { purchases_answered: 0, ..Conditions::default() }).await;
    let before = world.balance().await;
    let others = async {
        while world.purchases() == 0 {
            tokio::task::yield_now().await;
        }
        for _ in 0..5 {
            assert_eq!(world.code(prepaid("R-1")).await, "ORDER_PENDING");
        }
        world.supplier.permits.add_permits(1);
    };
    let (first, ()) = tokio::join!(world.code(prepaid("R-1")), others);
    assert_eq!(first, "ORDER_SUCCESS");
    assert_eq!((world.purchases(), world.balance().await), (1, before - PRICE));
}

#[tokio::test]
async fn a_merchant_who_cannot_wait_is_told_pending() {
    let world = World::under(Conditions {
        purchases_answered: 0,
        answer_within: Duration::from_millis(50),
        ..Conditions::default()
    })
    .await;
    assert_eq!(world.code(prepaid("R-1")).await, "ORDER_PENDING");
    world.supplier.permits.add_permits(1);
    world.gateway.finish_calls().await;
    assert_eq!(world.code(prepaid("R-1")).await, "ORDER_SUCCESS");
}

#[tokio::test]
async fn test_mode_shows_the_documented_figures_and_moves_no_money() {
    let world = World::under(Conditions { balance: 0, ..Conditions::default() }).await;
    for order in [prepaid("R-1"), asked("game", "ML86", "12345678", "R-2")] {
        let (_, envelope) = world.order(testing(order)).await;
        assert_eq!(envelope["code"], "ORDER_SUCCESS");
        assert_eq!(envelope["data"]["status"], "Success");
        assert_eq!(envelope["data"]["sn"], "1234-5678-9012-3456");
    }
    // What the built-in supplier leaves open or refuses has no serial number.
    let (_, envelope) = world.order(testing(asked("prepaid", "TSEL21", "0037", "R-3"))).await;
    assert_eq!(
        (&envelope["code"], &envelope["data"]["sn"]),
        (&json!("ORDER_FAILED"), &Value::Null)
    );
    assert_eq!(
        world.code(testing(asked("prepaid", "NONE", "1", "R-4"))).await,
        "PRODUCT_NOT_FOUND"
    );
    assert_eq!(
        world.code(testing(asked("prepaid", "OFF10", "1", "R-4"))).await,
        "PRODUCT_UNAVAILABLE"
    );
    assert_eq!((world.balance().await, world.purchases()), (0, 0));
    assert_eq!(world.sandbox.purchases.load(Ordering::SeqCst), 3);
    // `testing` that is false is live.
    let mut live = prepaid("R-1");
    live["testing"] = json!(false);
    assert_eq!(world.code(live).await, "INSUFFICIENT_BALANCE");
    world.memory.audit().expect("clean books");
}

#[tokio::test]
async fn without_cover_nothing_is_stored_and_the_reference_stays_free() {
    let balance = u32::try_from(PRICE - 1).expect("positive");
    let world = World::under(Conditions { balance, ..Conditions::default() }).await;
    let changes = world.memory.changes();
    let (status, envelope) = world.order(prepaid("R-1")).await;
    assert_eq!((status, &envelope["code"]), (402, &json!("INSUFFICIENT_BALANCE")));
    assert_eq!(world.memory.changes(), changes);
    world.fund("one more", 1, 1).await;
    assert_eq!(world.code(prepaid("R-1")).await, "ORDER_SUCCESS");
    assert_eq!(world.balance().await, 0);
}

#[tokio::test]
async fn the_merchants_own_limit_names_the_number() {
    let world = World::new().await;
    let mut limited = merchant(1);
    limited.repetition = Repetition::OncePerNumber;
    world.put(vec![Command::PutMerchant(limited)]).await;
    assert_eq!(world.code(prepaid("R-1")).await, "ORDER_SUCCESS");
    let (status, envelope) = world.order(prepaid("R-2")).await;
    assert_eq!((status, &envelope["code"]), (422, &json!("VALIDATION_ERROR")));
    assert!(envelope["errors"]["customer_no"].is_array(), "{envelope}");
    // A repeat of what was bought is no repetition.
    assert_eq!(world.code(prepaid("R-1")).await, "ORDER_SUCCESS");
}

#[tokio::test]
async fn a_fault_of_ours_never_looks_like_a_failure() {
    let faults = [
        StoreFault::Busy,
        StoreFault::TooLate,
        StoreFault::CommitFailed("disk full".to_owned()),
        StoreFault::Corrupt("damaged".to_owned()),
        StoreFault::Stopped,
    ];
    for fault in faults {
        let world = World::new().await;
        let bodies = [prepaid("R-1"), inquiry("R-2"), asked("pay-pasca", "MPBPJS", "1", "R-3")];
        world.memory.fail_with(fault);
        for body in bodies {
            let body = world.signed(body).to_string();
            let (status, envelope) = read(&world.send(post("/v1/order", body)).await);
            assert_eq!((status, &envelope["code"]), (500, &json!("INTERNAL_ERROR")));
            assert_eq!(envelope["data"], Value::Null);
        }
        for path in ["/v1/balance", "/v1/status"] {
            let body = world.signed(json!({ "ref_id": "R-1" })).to_string();
            assert_eq!(read(&world.send(post(path, body)).await).0, 500, "{path}");
        }
    }
}
