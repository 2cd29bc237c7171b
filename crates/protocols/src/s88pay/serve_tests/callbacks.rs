//! What is called back, byte for byte, in every form that a merchant may want.

use std::sync::Arc;

use domain::callback::Rendered;
use domain::{Callback, Command, Order, Timestamp};
use gateway::ports::{CallbackReports, CallbackWriter, Moment, News};
use serde_json::{Value, json};

use super::world::{
    DEPOSIT, NOW, NUMBER_KEY, RESEND, THB, World, cipher, credential, deposit, post,
};
use crate::s88pay::callback::Writer;
use crate::s88pay::sign::Cipher;

async fn callback(world: &World, order: &Order, position: usize) -> Callback {
    let id = order.callbacks[position];
    world.memory.callback(id).await.expect("memory does not fail").expect("a callback")
}

/// What is sent for the first callback of an order.
async fn rendered(world: &World, code: &str, transaction: &str) -> Rendered {
    let order = world.order(code, transaction).await;
    let callback = callback(world, &order, 0).await;
    let catalogue = world.gateway.catalogue();
    let now = world.gateway.now();
    Writer::new(NUMBER_KEY).render(News {
        callback: &callback,
        order: &order,
        catalogue: &catalogue,
        now,
    })
}

async fn body(world: &World, code: &str, transaction: &str) -> Value {
    let rendered = rendered(world, code, transaction).await;
    assert_eq!(rendered.headers, [("content-type".to_owned(), "application/json".to_owned())]);
    serde_json::from_slice(&rendered.body).expect("JSON")
}

/// The text inside a callback.
async fn told(world: &World, code: &str, transaction: &str) -> String {
    let body = body(world, code, transaction).await;
    cipher(code).decrypt(body["key"].as_str().expect("text")).expect("ours")
}

#[tokio::test]
async fn a_deposit_is_told_with_numbers_as_texts() {
    let world = World::new().await;
    let number = world.deposited(THB, "ORD-1001", "250").await["transaction_no"].clone();
    let number = number.as_str().expect("text");
    let expected = format!(
        r#"{{"transaction_code":"ORD-1001","transaction_status":2,"transaction_amount":"250.00","transaction_fee":"2.50","currency_code":"THB","transaction_no":"{number}","transaction_actual_amount":"250.00"}}"#
    );
    assert_eq!(told(&world, THB, "ORD-1001").await, expected);
    let body = body(&world, THB, "ORD-1001").await;
    assert_eq!(
        (&body["transaction_code"], &body["transaction_no"]),
        (&json!("ORD-1001"), &json!(number))
    );
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(3));
    assert_eq!(rendered(&world, THB, "ORD-1001").await, rendered(&world, THB, "ORD-1001").await);
}

#[tokio::test]
async fn a_payout_is_told_with_the_banks_reference() {
    let world = World::new().await;
    for (transaction, amount, status, reference) in
        [("A", "1200", 2, "REF-77"), ("B", "10.01", 3, "")]
    {
        world.paid_out(THB, transaction, amount).await;
        let told: Value =
            serde_json::from_str(&told(&world, THB, transaction).await).expect("JSON");
        let names: Vec<&String> = told.as_object().expect("an object").keys().collect();
        assert_eq!(
            names,
            [
                "currency_code",
                "transaction_amount",
                "transaction_code",
                "transaction_fee",
                "transaction_no",
                "transaction_ref",
                "transaction_status"
            ]
        );
        assert_eq!(
            (&told["transaction_status"], &told["transaction_ref"]),
            (&json!(status), &json!(reference))
        );
    }
}

/// What merchants may want otherwise (sections 10 and 14).
#[tokio::test]
async fn forms_and_statuses_are_as_the_merchant_wants_them() {
    let world = World::new().await;
    for (transaction, amount) in [("D1", "250"), ("D3", "10.01")] {
        world.deposited(THB, transaction, amount).await;
    }
    for (transaction, amount) in [("P2", "1200"), ("P3", "10.01")] {
        world.paid_out(THB, transaction, amount).await;
    }
    let statuses = async || {
        let mut all = Vec::new();
        for transaction in ["D1", "D3", "P2", "P3"] {
            let told = told(&world, THB, transaction).await;
            let json: Option<Value> = serde_json::from_str(&told).ok();
            all.push(match json {
                Some(json) => json["transaction_status"].to_string(),
                None => told.split('&').nth(1).expect("a status").to_owned(),
            });
        }
        all
    };
    assert_eq!(statuses().await, ["2", "3", "2", "3"]);
    world.wish(THB, &[("callback_status", "names")]).await;
    assert_eq!(statuses().await, ["\"success\"", "\"failed\"", "\"completed\"", "\"failed\""]);
    world.wish(THB, &[("callback_form", "kv"), ("callback_status", "numbers")]).await;
    assert_eq!(statuses().await, ["transaction_status=2", "transaction_status=3", "2", "3"]);
    let number = world.status(THB, "D3").await["transaction_no"].clone();
    let number = number.as_str().expect("text");
    let expected = format!(
        "transaction_code=D3&transaction_status=3&transaction_amount=10.01&transaction_fee=0.11&currency_code=THB&transaction_no={number}&transaction_actual_amount=0.00"
    );
    assert_eq!(told(&world, THB, "D3").await, expected);
    world.wish(THB, &[("callback_form", "kv"), ("callback_status", "names")]).await;
    assert_eq!(statuses().await[0], "transaction_status=success");
}

/// Vectors E and F, but for our own transaction number, which has the same length.
#[tokio::test]
async fn the_recorded_callbacks_have_our_form() {
    let world = World::new().await;
    let number = world.deposited(THB, "ORD-1001", "250.00").await["transaction_no"].clone();
    let number = number.as_str().expect("text");
    let json = cipher(THB).decrypt("qhJoScdFzfl4VJBij%2BMc%2Fj6jSzC2jfkokPQpCVYFVXdzBk3nZGCMbBtkMk9Qhn%2F%2FRj64uCxrkyP%2B1DwoRnuDCU2QSTswqUzv4aaa0EBrhXfkuv76zoR18U9CMYuxxM4h5YvCARujZpxnah5HozGMFGVefJRBURx3AwjzSIDTmMpotduduUQaLsyaZboGHKWfbUOmo%2FwFEDezuFztvG2807dBQ3WSUpZRlkOZGujirfUmfxwrkwGInoT6vbOuXY9APeN10DEQsvHul03m1n7qFw%3D%3D").expect("vector F");
    assert_eq!(told(&world, THB, "ORD-1001").await, json.replace("DP1700000000123", number));
    world.wish(THB, &[("callback_form", "kv")]).await;
    let pairs = cipher(THB).decrypt("VqBRnPVmjFJyCnId9zASXibEioSR5M%2BqaQVk52ET94OIOS9%2ByEQRGLQOvLTbgaV5cAn7PV%2FldeFJ7m5mUGuz51DI4wkDBK7%2FLyvXCmG20Kk%2FJW7ADrICCkQ2oofrjuy1OFKxwv%2FG9CDyU%2F2cbSOcavI0bbdIBcjH5S0UKO%2Bs1KRKFj7uddgVnbejtRH05OQor4zIj%2BN4D39TyIKxcavTp19jts89by8sXHDYlEKKtd4%3D").expect("vector E");
    assert_eq!(told(&world, THB, "ORD-1001").await, pairs.replace("DP1700000000123", number));
}

#[tokio::test]
async fn only_an_end_is_told_and_it_is_told_at_both_addresses() {
    let world = World::new().await;
    world.call_back_at(THB, "https://shop.example/cb").await;
    for (transaction, amount, url, count) in [
        ("A", "10.02", "https://shop.example/own", 0),
        ("B", "10.04", "https://shop.example/own", 0),
        ("C", "10.00", "https://shop.example/own", 2),
        ("D", "10.00", "https://shop.example/cb", 1),
    ] {
        let text = deposit(
            THB,
            &[
                ("transaction_code", transaction),
                ("transaction_amount", amount),
                ("callback_url", url),
            ],
        );
        assert_eq!(world.ask(THB, DEPOSIT, &text).await.0, 200);
        assert_eq!(world.order(THB, transaction).await.callbacks.len(), count, "{transaction}");
    }
    let order: Arc<Order> = world.order(THB, "C").await;
    let own = [
        callback(&world, &order, 0).await.to_own_address,
        callback(&world, &order, 1).await.to_own_address,
    ];
    assert_eq!(own, [false, true]);
    world.press(THB, "B", Moment::PressedFail).await;
    assert!(told(&world, THB, "B").await.contains("\"transaction_status\":3"));
}

/// Sections 11 and 14: that a person has to look at a deposit is told only to who asks, at every address,
/// and again with the same callbacks; and then how it ended.
#[tokio::test]
async fn a_deposit_in_review_is_told_to_who_asks() {
    let events = async |world: &World| {
        let order = world.order(THB, "ORD-1001").await;
        let mut events = Vec::new();
        for position in 0..order.callbacks.len() {
            events.push(callback(world, &order, position).await.event.name());
        }
        events
    };
    let world = World::new().await;
    world.call_back_at(THB, "https://shop.example/cb").await;
    let own = [("transaction_amount", "10.04"), ("callback_url", "https://shop.example/own")];
    assert_eq!(world.ask(THB, DEPOSIT, &deposit(THB, &own)).await.0, 200);
    assert_eq!(world.status(THB, "ORD-1001").await["status"], "manual process");
    assert_eq!(events(&world).await.len(), 0);
    let sent = json!({ "success": true, "message": "Resend callback successful" });
    let text = "merchant_code=OPR001&transaction_code=ORD-1001";
    for _ in 0..2 {
        assert_eq!(world.ask(THB, RESEND, text).await, (200, sent.clone()));
        assert_eq!(events(&world).await.len(), 2);
        world.memory.audit().expect("in order");
    }
    let news = told(&world, THB, "ORD-1001").await;
    for part in [
        "\"transaction_status\":4",
        "\"transaction_amount\":\"10.04\"",
        "\"transaction_actual_amount\":\"0.00\"",
    ] {
        assert!(news.contains(part), "{news}");
    }
    world.press(THB, "ORD-1001", Moment::PressedPay).await;
    assert_eq!(world.status(THB, "ORD-1001").await["status"], "completed");
    assert_eq!(events(&world).await.len(), 4);
    assert_eq!(world.ask(THB, RESEND, text).await, (200, sent));
    assert_eq!(events(&world).await, ["in-review", "in-review", "succeeded", "succeeded"]);
    world.memory.audit().expect("in order");
}

#[tokio::test]
async fn the_newest_credential_that_is_worth_something_encrypts() {
    let world = World::new().await;
    world.deposited(THB, "A", "250").await;
    let expired = domain::Credential {
        expires_at: Some(Timestamp::from_milliseconds(NOW)),
        ..credential(THB, 3, "expired", "s")
    };
    let commands = vec![
        Command::PutCredential(credential(THB, 2, "newer", "newer-secret")),
        Command::PutCredential(expired),
        Command::PutCredential(credential(THB, 4, "", "s")),
    ];
    world.gateway.administer(commands).await.expect("memory does not fail");
    let key = body(&world, THB, "A").await["key"].as_str().expect("text").to_owned();
    let text = Cipher::new("newer", "newer-secret").decrypt(&key).expect("the newer one");
    assert!(text.contains("\"transaction_code\":\"A\""));
    // Both are good for requests meanwhile.
    for (api_key, secret) in
        [("newer", "newer-secret"), ("unit-test-api-key", "unit-test-secret-key")]
    {
        let text = format!("merchant_api_key={api_key}&transaction_code=A");
        let body = json!({ "key": Cipher::new(api_key, secret).encrypt(&text) }).to_string();
        let answer = world.send(post(&super::world::STATUS.replace("{}", THB), body)).await;
        assert_eq!(answer.status(), 200, "{api_key}");
    }
    let crossed = "merchant_api_key=newer&transaction_code=A";
    assert_eq!(world.ask(THB, super::world::STATUS, crossed).await.0, 401, "each with its own key");
}

#[tokio::test]
async fn news_is_told_even_where_nothing_can_encrypt_it() {
    let world = World::new().await;
    world.deposited(THB, "A", "250").await;
    let order = world.order(THB, "A").await;
    let callback = callback(&world, &order, 0).await;
    let (catalogue, now) = (gateway::Catalogue::default(), world.gateway.now());
    let news = News { callback: &callback, order: &order, catalogue: &catalogue, now };
    let body: Value =
        serde_json::from_slice(&Writer::new(NUMBER_KEY).render(news).body).expect("JSON");
    assert_eq!((&body["key"], &body["transaction_code"]), (&json!(""), &json!("A")));
}

/// What we send, sent back to us at the address that the vendor's sample has.
#[tokio::test]
async fn a_callback_of_ours_is_acknowledged_where_the_sample_has_it_sent() {
    let world = World::new().await;
    world.deposited(THB, "A", "250").await;
    let body = rendered(&world, THB, "A").await.body;
    let answer = world.send(post(&RESEND.replace("{}", THB), body)).await;
    assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (200, &b"success"[..]));
}
