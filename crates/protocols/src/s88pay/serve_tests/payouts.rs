//! Payouts: held, paid or given back, and never made twice.

use std::sync::atomic::Ordering;

use domain::OrderState;
use serde_json::{Value, json};

use super::world::{
    BALANCE, OPENING, OPERATORS, PAYOUT, THB, World, cipher, get, payout, post, read,
};

async fn balance(world: &World, code: &str) -> Value {
    let key = cipher(code).encrypt(&format!("merchant_code={code}"));
    read(&world.send(get(&format!("{}?key={key}", BALANCE.replace("{}", code)))).await).1
}

#[tokio::test]
async fn amount_and_fee_are_frozen_and_then_taken() {
    let world = World::new().await;
    world.supplier.held_back.store(true, Ordering::SeqCst);
    let (status, body) = world.ask(THB, PAYOUT, &payout(THB, &[])).await;
    assert_eq!(
        (status, body),
        (200, json!({ "success": true, "message": "request withdraw successful" }))
    );
    let told = balance(&world, THB).await;
    assert_eq!(
        (&told["balance"], &told["frozen_balance"], &told["available_balance"]),
        (&json!("1000000.000"), &json!("1212.000"), &json!("998788.000"))
    );
    world.supplier.let_go.notify_one();
    world.gateway.finish_calls().await;
    let told = balance(&world, THB).await;
    assert_eq!(
        (&told["balance"], &told["frozen_balance"], &told["available_balance"]),
        (&json!("998788.000"), &json!("0.000"), &json!("998788.000"))
    );
    let order = world.order(THB, "WDR-2001").await;
    assert_eq!((order.holds.len(), order.state), (2, OrderState::Succeeded));
    world.memory.audit().expect("in order");
}

#[tokio::test]
async fn the_last_two_digits_decide() {
    let world = World::new().await;
    let table = [
        ("A", "10.01", "failed", 0),
        ("B", "10.02", "pending", 1013),
        ("C", "10.00", "completed", 1010),
    ];
    let mut expected = OPENING;
    for (transaction, amount, status, taken) in table {
        world.paid_out(THB, transaction, amount).await;
        expected -= taken;
        let told = world.status(THB, transaction).await;
        assert_eq!(
            (&told["status"], &told["type"]),
            (&json!(status), &json!("payout")),
            "{amount}"
        );
        assert_eq!(world.available(THB).await, expected);
    }
    world.memory.audit().expect("in order");
}

/// Whatever is repeated under a code, be it word by word.
#[tokio::test]
async fn a_code_is_paid_out_once() {
    let world = World::new().await;
    world.paid_out(THB, "A", "10").await;
    let changes = world.memory.changes();
    for amount in ["10", "11"] {
        let text = payout(THB, &[("transaction_code", "A"), ("transaction_amount", amount)]);
        let (status, body) = world.ask(THB, PAYOUT, &text).await;
        assert_eq!(status, 400);
        assert_eq!(
            body,
            json!({ "success": false, "code": 111, "message": "[WD] Invalid Transaction Code ( not unique )!, error code 111" })
        );
    }
    let deposit = super::world::deposit(THB, &[("transaction_code", "A")]);
    assert_eq!(world.ask(THB, super::world::DEPOSIT, &deposit).await.1["code"], 113);
    assert_eq!(world.memory.changes(), changes);
    let text = payout(THB, &[("transaction_code", "B")]);
    let (first, second) =
        tokio::join!(world.ask(THB, PAYOUT, &text), world.ask(THB, PAYOUT, &text));
    let mut answered = [first.0, second.0];
    answered.sort_unstable();
    assert_eq!(answered, [200, 400]);
    world.gateway.finish_calls().await;
    assert_eq!(world.supplier.payouts.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn every_currency_is_paid_out() {
    let world = World::new().await;
    for (_, code, _) in OPERATORS {
        world.paid_out(code, "A", "1200").await;
        assert_eq!(world.status(code, "A").await["status"], "completed", "{code}");
        assert!(world.available(code).await < OPENING);
    }
    world.memory.audit().expect("in order");
}

/// What a currency wants besides, and the code for not having it (sections 7 and 13.1).
#[tokio::test]
async fn each_currency_wants_its_own_fields() {
    let world = World::new().await;
    let changes = world.memory.changes();
    let table = [
        (THB, "bank_code", "-", 109),
        (THB, "bank_code", "104", 121),
        (THB, "bank_account_number", "-", 109),
        ("OPRINR", "ifsc_code", "-", 109),
        ("OPRINR", "ifsc_code", "SBIN1234", 120),
        ("OPRINR", "bank_account_number", "-", 109),
        ("OPRCNY", "bank_code", "-", 109),
        ("OPRCNY", "bank_code", "icbc", 121),
        ("OPRVND", "bank_code", "momo", 121),
        ("OPRVND", "transaction_amount", "1000.5", 122),
        ("OPRIDR", "transaction_amount", "1000.01", 122),
        ("OPRKRW", "transaction_amount", "0.1", 122),
        ("OPRJPY", "transaction_amount", "1.5", 122),
        ("OPRMMK", "transaction_amount", "1.5", 122),
        (THB, "transaction_amount", "1.005", 109),
        (THB, "transaction_amount", "0", 109),
        (THB, "transaction_amount", "-5", 109),
        (THB, "transaction_amount", "1e3", 109),
        (THB, "transaction_amount", "1000000.01", 109),
        (THB, "transaction_amount", "999999", 119),
        ("OPRIDR", "bank_code", "-", 109),
        ("OPRMYR", "bank_code", "XYZ", 121),
        ("OPRPHP", "bank_code", "SME", 116),
        ("OPRBDT", "phone_number", "-", 109),
        ("OPRBDT", "phone_number", "+8801812345678", 109),
        ("OPRJPY", "branch_code", "-", 109),
        ("OPRJPY", "branch_code", "1", 109),
        ("OPRJPY", "bank_code", "998", 121),
        ("OPRBRL", "bank_name", "-", 109),
        ("OPRBRL", "bank_account_number", "123", 109),
        ("OPRTRY", "bank_account_number", "-", 109),
        (THB, "callback_url", "shop", 109),
        (THB, "account_name", "a\u{9}b", 109),
    ];
    for (code, name, value, expected) in table {
        let (_, body) = world.ask(code, PAYOUT, &payout(code, &[(name, value)])).await;
        assert_eq!(body["code"], expected, "{code} {name}={value} {body}");
    }
    assert_eq!(world.memory.changes(), changes);
    assert_eq!(world.supplier.payouts.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn banks_are_told_in_each_countrys_way() {
    let world = World::new().await;
    let recipient = async |code: &str, transaction: &str, name: &str| {
        let order = world.order(code, transaction).await;
        match order.recipient.as_ref().and_then(|it| it.get(name)) {
            Some(domain::Detail::Text(text)) => text.clone(),
            _ => String::new(),
        }
    };
    let fields = |code, transaction, more: &[(&str, &str)]| {
        payout(code, &[&[("transaction_code", transaction)], more].concat())
    };
    // One code for many banks, told by the name.
    for (name, expected) in [("HABIB bank limited", 200), ("Nowhere Bank", 400), ("-", 400)] {
        let text = fields("OPRBDT", "A", &[("bank_code", "b2b"), ("bank_name", name)]);
        assert_eq!(world.ask("OPRBDT", PAYOUT, &text).await.0, expected, "{name}");
    }
    // A name that is missing is filled in.
    let text = fields("OPRIDR", "A", &[]);
    assert_eq!(world.ask("OPRIDR", PAYOUT, &text).await.0, 200);
    assert_eq!(recipient("OPRIDR", "A", "bank_name").await, "Bank Central Asia");
    // India does without a bank, and older clients misspell the account.
    let text =
        fields("OPRINR", "A", &[("bank_account_number", "-"), ("back_account_number", "998877")]);
    assert_eq!(world.ask("OPRINR", PAYOUT, &text).await.0, 200);
    assert_eq!(world.order("OPRINR", "A").await.destination, "998877");
    assert_eq!(recipient("OPRINR", "A", "ifsc_code").await, "SBIN0001234");
    // Japan's banks are more than those that we know by name.
    let text = fields("OPRJPY", "A", &[("bank_code", "0150"), ("bank_name", "スルガ銀行")]);
    assert_eq!(world.ask("OPRJPY", PAYOUT, &text).await.0, 200);
    assert_eq!(recipient("OPRJPY", "A", "bank_name").await, "スルガ銀行");
    // Where no account is asked for, a wallet or a telephone does.
    let text = fields("OPRTRY", "A", &[("bank_account_number", "-"), ("address", "0xabc")]);
    assert_eq!(world.ask("OPRTRY", PAYOUT, &text).await.0, 200);
    assert_eq!(world.order("OPRTRY", "A").await.destination, "0xabc");
}

/// Vector D, as it stands, and the same with a number for the amount.
#[tokio::test]
async fn the_payout_of_the_reference_is_taken() {
    let world = World::new().await;
    let key = "XRhbyuIDMOW0SrnMieU2rXEVsgmd1RbcDEKUECq6ZywhAnt9rvd5suDK0pjBxeB0OawaenZEY61u9jGCkGRWQnuPT457reF%2FPoj%2F38NsIKz3C5FDGKW3GPpQn7A84PpCVD35kK%2Fq0A9MHfjymCsODESVgaO5oyihByHE00wB2zqDoVXsD6GI3JgCUBGHdZ0eFYB3PWGAr784LH63qNNVFyi2Yk%2FjK8KRFEIQ%2B%2Ft5JzkAbvyQK%2FKWwDwEi%2BTR8yrN9rbh0wcEUzS2yP8nwGc9kSrFd6sjMxKbfaQIbKAqJ02cWQQ8FSesGGN%2FNoeC3TnpVJkWiHeHHIbjQGnjL%2FBXt6fN3hqmrh%2B3LQTXmnjGWXv835tGOwaRWycYRvwhs76qHutOf65qsIoU%2FaAVp17d9A%3D%3D";
    let body = json!({ "key": key }).to_string();
    let (status, body) = read(&world.send(post("/api/v1/payout/OPR001", body)).await);
    assert_eq!((status, &body["message"]), (200, &json!("request withdraw successful")));
    let text = r#"{"merchant_code":"OPR001","transaction_code":"WDR-2002","transaction_timestamp":"1700000000","payout_code":"W001","transaction_amount":1200.50,"user_id":77,"currency_code":"THB","bank_account_number":"1234567890","bank_code":7,"account_name":"Somchai \u0e01"}"#;
    assert_eq!(world.ask(THB, PAYOUT, text).await.0, 200);
    let order = world.order(THB, "WDR-2002").await;
    assert_eq!(order.quote.map(|quote| quote.nominal.minor()), Some(120_050));
}

#[tokio::test]
async fn errors_may_be_told_as_the_vendors_sample_has_them() {
    let world = World::new().await;
    world.wish(THB, &[("payout_errors_succeed", "true")]).await;
    let text = payout(THB, &[("user_id", "-")]);
    let (status, body) = world.ask(THB, PAYOUT, &text).await;
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({ "success": true, "message": "[WD] Incomplete parameter!, error code 109" })
    );
}
