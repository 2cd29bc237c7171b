//! `balance`, and what the reference leaves open: `products` and `status`.

use domain::{Command, ProtocolName, Terms};
use serde_json::{Value, json};

use super::world::{World, asked, inquiry, payment, prepaid, products, testing};

#[tokio::test]
async fn a_balance_is_told_whatever_else_is_sent() {
    let world = World::new().await;
    for business in [json!({}), json!({ "testing": "?" }), json!({ "x": { "0": [] } })] {
        let (status, envelope) = world.post("/v1/balance", &world.signed(business)).await;
        assert_eq!((status, &envelope["code"]), (200, &json!("SUCCESS")));
        assert_eq!(
            envelope["data"],
            json!({
                "name": "Toko Contoh", "balance": 1_250_000, "currency": "IDR",
                "checked_at": "2026-05-29 03:26:40",
            })
        );
    }
}

async fn codes(world: &World, business: Value) -> Vec<String> {
    let (status, envelope) = world.post("/v1/products", &world.signed(business)).await;
    assert_eq!((status, &envelope["code"]), (200, &json!("SUCCESS")), "{envelope}");
    let list = envelope["data"].as_array().expect("a list");
    list.iter().map(|entry| entry["code"].as_str().expect("a code").to_owned()).collect()
}

#[tokio::test]
async fn products_are_listed_for_whom_they_have_a_price() {
    let world = World::new().await;
    let table = [
        (json!({}), vec!["ML86", "MPBPJS", "MPPLN", "NIGHT5", "OFF10", "TSEL21"]),
        (json!({ "type": "prepaid" }), vec!["NIGHT5", "OFF10", "TSEL21"]),
        (json!({ "type": "game" }), vec!["ML86"]),
        (json!({ "type": "pascabayar" }), vec!["MPBPJS", "MPPLN"]),
        (
            json!({ "type": "", "code": null }),
            vec!["ML86", "MPBPJS", "MPPLN", "NIGHT5", "OFF10", "TSEL21"],
        ),
        (json!({ "code": "TSEL21" }), vec!["TSEL21"]),
        (json!({ "type": "game", "code": "TSEL21" }), vec![]),
        (json!({ "code": "NONE" }), vec![]),
    ];
    for (business, expected) in table {
        assert_eq!(codes(&world, business.clone()).await, expected, "{business}");
    }
    for (field, value) in [("type", json!("postpaid")), ("type", json!(1)), ("code", json!([]))] {
        let body = world.signed(json!({ field: value }));
        let (status, envelope) = world.post("/v1/products", &body).await;
        assert_eq!((status, &envelope["code"]), (422, &json!("VALIDATION_ERROR")));
        assert!(envelope["errors"][field].is_array());
    }
}

#[tokio::test]
async fn a_product_shows_the_price_made_for_this_protocol() {
    let world = World::new().await;
    let mut product = products().swap_remove(2);
    let own = Terms { protocol: Some(ProtocolName::new("isikuota")), ..product.terms[0].clone() };
    product.terms.push(Terms { admin_fee: domain::Amount::rupiah(2500), ..own });
    world.put(vec![Command::PutProduct(product)]).await;
    let entry = async |code: &str| {
        let body = world.signed(json!({ "code": code }));
        world.post("/v1/products", &body).await.1["data"][0].clone()
    };
    assert_eq!(
        entry("MPBPJS").await,
        json!({
            "code": "MPBPJS", "name": "BPJS Kesehatan", "category": "bpjs",
            "brand": "BPJS Kesehatan", "type": "pascabayar", "price": 0, "admin": 2500,
            "status": "active",
        })
    );
    assert_eq!(
        entry("OFF10").await,
        json!({
            "code": "OFF10", "name": "Sedang Mati 10.000", "category": "pulsa", "brand": "mati",
            "type": "prepaid", "price": 10_500, "admin": 0, "status": "inactive",
        })
    );
}

#[tokio::test]
async fn a_status_is_the_transaction_as_it_stands() {
    let world = World::new().await;
    let status = async |business: Value| world.post("/v1/status", &world.signed(business)).await;
    for number in ["081298765432", "081298760037", "081298760039"] {
        let (_, ordered) = world.order(asked("prepaid", "TSEL21", number, number)).await;
        let (http, envelope) = status(json!({ "ref_id": number })).await;
        assert_eq!((http, &envelope["code"]), (200, &json!("SUCCESS")));
        assert_eq!((&envelope["success"], &envelope["data"]), (&json!(true), &ordered["data"]));
    }
    world.order(inquiry("R-1")).await;
    let unpaid = status(json!({ "ref_id": "R-1" })).await;
    assert_eq!((unpaid.0, &unpaid.1["code"]), (404, &json!("TRANSACTION_NOT_FOUND")));
    let (_, paid) = world.order(payment("R-1")).await;
    assert_eq!(status(json!({ "ref_id": "R-1" })).await.1["data"], paid["data"]);
    // Test mode is asked for in test mode.
    let (_, ordered) = world.order(testing(prepaid("R-2"))).await;
    assert_eq!(status(json!({ "ref_id": "R-2" })).await.0, 404);
    let (_, envelope) = status(testing(json!({ "ref_id": "R-2" }))).await;
    assert_eq!(envelope["data"], ordered["data"]);
    for business in [json!({}), json!({ "ref_id": "" }), json!({ "ref_id": 1 })] {
        let (http, envelope) = status(business).await;
        assert_eq!((http, &envelope["code"]), (422, &json!("VALIDATION_ERROR")));
    }
}
