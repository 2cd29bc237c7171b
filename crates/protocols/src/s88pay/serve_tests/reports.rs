//! Status, balance, lists, and callbacks sent again.

use std::sync::Arc;

use bytes::Bytes;
use domain::callback::CallbackState;
use domain::{Callback, Command, Refusal};
use gateway::exchanges::{Meaning, Side, Signature};
use gateway::ports::CallbackReports;
use http::{Method, Request};
use serde_json::{Value, json};

use super::world::{
    BALANCE, Conditions, RESEND, STATUS, THB, World, cipher, get, merchant, post, read,
};
use crate::admission::SignatureGuard;
use crate::exchange::NoteSlot;

#[tokio::test]
async fn a_status_tells_everything_of_a_deposit_and_of_a_payout() {
    let world = World::new().await;
    let number = world.deposited(THB, "ORD-1001", "250.50").await["transaction_no"].clone();
    let expected = json!({
        "transaction_code": "ORD-1001", "transaction_no": number, "type": "deposit",
        "status": "completed", "amount": 250.5, "transaction_fee": 2.51, "currency_code": "THB",
        "currency_name": "Thai Baht", "datetime": "2023-11-14T22:13:20Z",
        "method_name": "PromptPay", "note": null, "transaction_ref": null, "transaction_ref2": null,
    });
    assert_eq!(world.status(THB, "ORD-1001").await, expected);
    world.paid_out(THB, "WDR-2001", "1200").await;
    let told = world.status(THB, "WDR-2001").await;
    assert_eq!(
        (&told["type"], &told["amount"], &told["transaction_fee"]),
        (&json!("payout"), &json!(1200), &json!(12))
    );
    assert_eq!(
        (&told["transaction_ref"], &told["method_name"]),
        (&json!("REF-77"), &json!("Transfer"))
    );
    assert!(
        told["transaction_no"].as_str().is_some_and(|it| it.starts_with("WD") && it.len() == 15)
    );
}

#[tokio::test]
async fn a_status_may_be_asked_in_every_form_and_tells_nothing_of_others() {
    let world = World::new().await;
    world.deposited(THB, "ORD-1001", "250.00").await;
    // Vector C.
    let key = "Twm7AT726JAdDei4K3SudoM8mFkOXYI8Kq0iAskar3bberqvbbaDTGyZmi6AwNkhNSedtu8%2BRlc9MTHKDargVg%3D%3D";
    let path = STATUS.replace("{}", THB);
    let json_text = cipher(THB)
        .encrypt(r#"{"merchant_api_key":"unit-test-api-key","transaction_code":"ORD-1001"}"#);
    let multipart =
        format!("--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n{key}\r\n--b--\r\n");
    let bodies = [
        format!("key={key}"),
        json!({ "key": key }).to_string(),
        json!({ "key": json_text }).to_string(),
        multipart,
    ];
    for body in bodies {
        for content_type in
            ["application/x-www-form-urlencoded", "application/json", "text/plain", ""]
        {
            let request = Request::builder()
                .method(Method::POST)
                .uri(&path)
                .header("Content-Type", content_type);
            let answer =
                world.send(request.body(Ok(Bytes::from(body.clone()))).expect("a request")).await;
            assert_eq!(read(&answer).1["data"][0]["transaction_code"], "ORD-1001", "{body}");
        }
    }
    let none = json!({ "success": false, "message": "Transaction not found", "data": [] });
    let unknown = "merchant_api_key=unit-test-api-key&transaction_code=N";
    assert_eq!(world.ask(THB, STATUS, unknown).await, (200, none.clone()));
    let foreign = "merchant_api_key=unit-test-api-key-idr&transaction_code=ORD-1001";
    assert_eq!(world.ask("OPRIDR", STATUS, foreign).await, (200, none));
    let incomplete = world.ask(THB, STATUS, "merchant_api_key=unit-test-api-key").await.1;
    assert_eq!(
        incomplete,
        json!({ "success": false, "code": 109, "message": "Incomplete parameter!, error code 109" })
    );
}

#[tokio::test]
async fn a_balance_is_told_to_a_key_in_the_query_or_in_a_body() {
    let world = World::new().await;
    let path = BALANCE.replace("{}", THB);
    // Vector B.
    let key = "b5ojWL4ABTRpEdi7606%2ForVxWBj7r9ORcYV9xRQqtOw%3D";
    let expected = json!({
        "currency_name": "Thai Baht", "currency_code": "THB", "balance": "1000000.000",
        "frozen_balance": "0.000", "available_balance": "1000000.000",
    });
    assert_eq!(read(&world.send(get(&format!("{path}?key={key}"))).await), (200, expected.clone()));
    for body in [json!({ "key": key }).to_string(), format!("key={key}")] {
        let request = Request::builder().uri(&path).body(Ok(Bytes::from(body)));
        assert_eq!(read(&world.send(request.expect("a request")).await), (200, expected.clone()));
    }
    let twice = key.replace('%', "%25");
    assert_eq!(world.send(get(&format!("{path}?key={twice}"))).await.status(), 200);
    let won = cipher("OPRKRW").encrypt(r#"{"merchant_code":"OPRKRW"}"#);
    let (_, body) = read(&world.send(get(&format!("/api/v1/balance/OPRKRW?key={won}"))).await);
    assert_eq!(
        (&body["currency_name"], &body["balance"]),
        (&json!("Korean Won"), &json!("100000000.000"))
    );
}

#[tokio::test]
async fn lists_are_told_to_everybody() {
    let world = World::new().await;
    let (_, banks) = read(&world.send(get("/api/sub-bank/available")).await);
    let of = |currency: &str| -> Vec<Value> {
        let all = banks.as_array().expect("a list");
        let own = all.iter().find(|it| it["currency"] == currency).expect("a currency");
        own["subbanks"].as_array().expect("a list").clone()
    };
    assert_eq!(
        of("THB")[3],
        json!({ "type": 1, "code": "104", "name": "PPTP, PromptPay", "is_maintenance": false })
    );
    assert!(of("THB").contains(
        &json!({ "type": 1, "code": "105", "name": "TMB, TMB Bank", "is_maintenance": true })
    ));
    assert!(of("THB").contains(&json!({ "type": 2, "code": "7", "name": "SCB, Siam Commercial Bank", "is_maintenance": false })));
    assert_eq!((of("CNY").len(), of("IDR").len()), (40, 170));
    let (_, banks) = read(&world.send(get("/api/v2/jpy/bank-data")).await);
    assert_eq!(banks[0], json!({ "code": "0001", "name": "みずほ銀行" }));
    let (_, branches) = read(&world.send(get("/api/v2/jpy/branch-data/0001")).await);
    assert_eq!(branches[0]["code"], "001");
    assert_eq!(read(&world.send(get("/api/v2/jpy/branch-data/none")).await), (200, json!([])));
}

#[tokio::test]
async fn channels_are_told_to_their_merchants() {
    let world = World::new().await;
    let path = "/api/v2/channel/{}";
    let (status, body) = world.ask("OPRIDR", path, "merchant_code=OPRIDR&currency_code=IDR").await;
    let row = |kind: &str, code: &str, name: &str, closed: bool| json!({ "type": kind, "code": code, "name": name, "is_maintenance": closed });
    let expected = json!([
        row("deposit", "P001", "PromptPay", false),
        row("deposit", "P002", "Closed", true),
        row("deposit", "P003", "Rupiah", false),
        row("deposit", "P005", "No UPI", false),
        row("payout", "W001", "Transfer", false),
        row("payout", "W002", "Closed", true),
        row("payout", "W003", "Rupiah", false),
    ]);
    assert_eq!((status, &body["data"]), (200, &expected));
    let (_, body) = world.ask(THB, path, "merchant_code=OPR001").await;
    assert_eq!(body["data"].as_array().map(Vec::len), Some(5));
    assert_eq!(world.ask(THB, path, "merchant_code=OPR001&currency_code=IDR").await.1["code"], 114);
}

async fn callbacks(world: &World, transaction: &str) -> Vec<Callback> {
    let mut found = Vec::new();
    for id in &world.order(THB, transaction).await.callbacks {
        found.extend(world.memory.callback(*id).await.expect("memory does not fail"));
    }
    found
}

/// Section 11, the merchant's reading.
#[tokio::test]
async fn a_callback_is_sent_again_to_all_its_addresses() {
    let world = World::new().await;
    let text = super::world::deposit(THB, &[("callback_url", "https://shop.example/own")]);
    let (_, body) = world.ask(THB, super::world::DEPOSIT, &text).await;
    let number = body["transaction_no"].as_str().expect("text").to_owned();
    let sent = json!({ "success": true, "message": "Resend callback successful" });
    let not_found = json!({ "success": false, "message": "Transaction not found" });
    assert_eq!(callbacks(&world, "ORD-1001").await.len(), 2);
    world.clock.0.fetch_add(60_000, std::sync::atomic::Ordering::SeqCst);
    let told = |text: &str, beside: &Value| {
        let mut body = json!({ "key": cipher(THB).encrypt(text) });
        for (name, value) in beside.as_object().expect("an object") {
            body[name] = value.clone();
        }
        post(&RESEND.replace("{}", THB), body.to_string())
    };
    let who = "merchant_api_key=unit-test-api-key";
    let by_code = json!({ "transaction_code": "ORD-1001" });
    let by_number = json!({ "transaction_no": number });
    let nothing = json!({});
    let table = [
        (format!("{who}&transaction_code=ORD-1001"), &nothing, &sent),
        (format!("merchant_code=OPR001&transaction_no={number}"), &nothing, &sent),
        (
            format!(
                "{{\"merchant_code\":\"OPR001\",\"transaction_code\":\"ORD-1001\",\"transaction_no\":\"{number}\"}}"
            ),
            &by_code,
            &sent,
        ),
        (who.to_owned(), &by_code, &sent),
        (who.to_owned(), &by_number, &sent),
        (format!("{who}&transaction_code=ORD-1002"), &nothing, &not_found),
        (format!("{who}&transaction_code=ORD-1002"), &by_code, &not_found),
        (
            format!("{who}&transaction_code=ORD-1001&transaction_no=DP1700000000123"),
            &nothing,
            &not_found,
        ),
        (format!("{who}&transaction_no=WD{}", &number[2..]), &nothing, &not_found),
        (format!("{who}&transaction_no=nonsense"), &nothing, &not_found),
    ];
    for (text, beside, expected) in table {
        assert_eq!(
            read(&world.send(told(&text, beside)).await),
            (200, expected.clone()),
            "{text} {beside}"
        );
    }
    assert_eq!(read(&world.send(told(who, &nothing)).await).1["code"], 109);
    let unsigned = read(&world.send(told("transaction_code=ORD-1001", &nothing)).await);
    assert_eq!((unsigned.0, &unsigned.1["code"]), (401, &json!(115)));
    for callback in callbacks(&world, "ORD-1001").await {
        assert!(matches!(callback.state, CallbackState::Waiting { .. }));
    }
    world.memory.audit().expect("in order");
}

#[tokio::test]
async fn nothing_is_sent_again_that_was_never_sent() {
    let world = World::new().await;
    let pending = json!({ "success": false, "message": "Transaction is still pending" });
    world.deposited(THB, "A", "10.02").await;
    let text = "merchant_code=OPR001&transaction_code=A";
    assert_eq!(world.ask(THB, RESEND, text).await, (200, pending));
    let text = "merchant_code=OPRIDR&transaction_code=A";
    let (_, foreign) = world.ask("OPRIDR", RESEND, text).await;
    assert_eq!(foreign["message"], "Transaction not found");
}

/// Section 11, the vendor's reading: a callback that arrives where the sample has it sent is answered as
/// an operator answers, and changes nothing.
#[tokio::test]
async fn a_callback_that_is_played_back_is_acknowledged_if_it_is_true() {
    let world = World::new().await;
    let number = world.deposited(THB, "ORD-1001", "250.00").await["transaction_no"].clone();
    let number = number.as_str().expect("text");
    let changes = world.memory.changes();
    for (status, right) in
        [("2", true), ("success", true), ("completed", true), ("3", false), ("1", false)]
    {
        let text = format!(
            "transaction_code=ORD-1001&transaction_status={status}&transaction_no={number}"
        );
        let body = json!({ "key": cipher(THB).encrypt(&text) }).to_string();
        let answer = world.send(post(&RESEND.replace("{}", THB), body)).await;
        assert_eq!(
            (answer.status().as_u16(), answer.body() == "success"),
            (200, right),
            "{status}"
        );
    }
    assert_eq!(world.memory.changes(), changes);
}

#[tokio::test]
async fn a_suspended_merchant_is_nobody() {
    let world = World::new().await;
    let suspended = domain::Merchant { status: domain::MerchantStatus::Suspended, ..merchant(THB) };
    world
        .gateway
        .administer(vec![Command::PutMerchant(suspended)])
        .await
        .expect("memory does not fail");
    let (status, body) =
        world.ask(THB, STATUS, "merchant_api_key=unit-test-api-key&transaction_code=A").await;
    assert_eq!((status, &body["code"]), (401, &json!(115)));
}

/// What is left for the log of exchanges: who, what, and how it ended, and never the key.
#[tokio::test]
async fn every_exchange_leaves_a_note() {
    let world = World::new().await;
    let noted = async |path: &str, text: &str| {
        let body = json!({ "key": cipher(THB).encrypt(text) }).to_string();
        let mut request = post(&path.replace("{}", THB), body.clone());
        let slot = NoteSlot::default();
        request.extensions_mut().insert(slot.clone());
        world.send(request).await;
        let note = slot.take().expect("a note");
        assert!(!(note.mask)(Side::Request, body.as_bytes()).contains(&cipher(THB).encrypt(text)));
        let reference = note.reference.map(|it| it.as_str().to_owned());
        let merchant = note.merchant.map(|it| it.0);
        (note.command, merchant, reference, note.signature, note.code, note.meaning)
    };
    let valid = Signature::Valid;
    let deposit = super::world::deposit(THB, &[]);
    let name = || Some("ORD-1001".to_owned());
    let granted = ("v3/dopayment", Some(1), name(), valid, None, Some(Meaning::Granted));
    assert_eq!(noted(super::world::DEPOSIT, &deposit).await, granted);
    let over = Some(Meaning::Refused(Refusal::InvoicePaid));
    let refused = ("v3/dopayment", Some(1), name(), valid, Some("113"), over);
    assert_eq!(noted(super::world::DEPOSIT, &deposit).await, refused);
    let nobody = Some(Meaning::Refused(Refusal::SignatureInvalid));
    let invalid = ("transactions/status", Some(1), None, Signature::Invalid, Some("115"), nobody);
    assert_eq!(noted(STATUS, "transaction_code=ORD-1001").await, invalid);
}

/// Whoever the program keeps away has nothing tried, and is told nothing else than anybody.
#[tokio::test]
async fn the_programs_own_guard_is_asked_and_told() {
    struct Guard(std::sync::Mutex<Vec<String>>);
    impl SignatureGuard for Guard {
        fn admits(&self, _: std::net::IpAddr, _: &str) -> bool {
            self.0.lock().expect("not poisoned").len() < 2
        }

        fn was_wrong(&self, _: std::net::IpAddr, name: &str) {
            self.0.lock().expect("not poisoned").push(name.to_owned());
        }
    }
    let guard = Arc::new(Guard(std::sync::Mutex::default()));
    let conditions = Conditions { signatures: guard.clone(), ..Conditions::default() };
    let world = World::under(conditions).await;
    let right = "merchant_api_key=unit-test-api-key&transaction_code=A";
    assert_eq!(world.ask(THB, STATUS, right).await.0, 200);
    let wrong = world.ask(THB, STATUS, "transaction_code=A").await;
    assert_eq!(world.ask(THB, STATUS, "transaction_code=A").await, wrong);
    assert_eq!(world.ask(THB, STATUS, right).await, wrong);
    assert_eq!(*guard.0.lock().expect("not poisoned"), [THB, THB]);
}
