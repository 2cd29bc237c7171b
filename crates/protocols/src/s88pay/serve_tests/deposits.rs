//! Deposits: the hosted page, the merchant's own page in every currency, and what is repeated.

use domain::{Currency, OrderState};
use gateway::ports::Moment;
use http::{Method, Request};
use serde_json::{Value, json};

use super::world::{DEPOSIT, OPENING, OPERATORS, PAGE_KEY, THB, World, cipher, deposit, get, read};
use crate::hosted::Tokens;

fn location(answer: &crate::exchange::Answer) -> &str {
    answer.headers()["Location"].to_str().expect("text")
}

#[tokio::test]
async fn a_hosted_deposit_leads_to_its_page_and_is_credited_less_the_fee() {
    let world = World::new().await;
    let text = deposit(
        THB,
        &[("transaction_amount", "250.00"), ("return_url", "https://shop.example/done")],
    );
    let answer = world.open_page(THB, &text).await;
    let order = world.order(THB, "ORD-1001").await;
    assert_eq!(answer.status(), 302);
    let page = format!("https://gw.example/pay/{}", Tokens::new(PAGE_KEY).of(order.id));
    assert_eq!(location(&answer), page);
    assert_eq!(answer.headers()["Cache-Control"], "no-store");
    assert_eq!(answer.headers()["Referrer-Policy"], "no-referrer");
    assert_eq!((order.state, order.dialect.as_str()), (OrderState::Awaiting, "v2"));
    let collecting = order.collecting.as_ref().expect("a collection");
    assert_eq!(collecting.return_url.as_deref(), Some("https://shop.example/done"));
    assert_eq!((collecting.due.minor(), collecting.fee.minor()), (25_000, 250));
    assert_eq!(order.expires_at.since(order.created_at).as_secs(), 900);
    assert_eq!(world.available(THB).await, OPENING);
    world.press(THB, "ORD-1001", Moment::PressedPay).await;
    assert_eq!(world.available(THB).await, OPENING + 25_000 - 250);
    world.memory.audit().expect("in order");
}

#[tokio::test]
async fn the_vector_of_the_reference_is_a_deposit() {
    let world = World::new().await;
    let key = "b5ojWL4ABTRpEdi7606%2FopR69TMSw24KDZoxTcfDw9zC0f5nY%2B3P9FDslm3oB2HagtPWiznQbsvEa67ISKXn2%2BMe9s7SfRg8WWIsg%2BCjXIzH1ITBoCstS5cXmxWUj4p3JIu57e8CGq8RBu9lndbVitp%2BaxnciESzuqTxbwzA4Qw%2FtmTNh30oynbdiXLCS00oXM0kWJdt81o1S3NUd3rRYp%2BqdYf%2Bkeu0eiC%2FRN2LZzelp5YydTKIJHw7%2BNboH7fL6xEKWlWqU6sDKXLF4Zyh%2FA%3D%3D";
    let answer = world.send(get(&format!("/OPR001/v2/dopayment?key={key}"))).await;
    assert_eq!(answer.status(), 302);
    assert_eq!(world.order(THB, "ORD-1001").await.destination, "u-77");
}

#[tokio::test]
async fn only_a_get_makes_a_hosted_deposit() {
    let world = World::new().await;
    let changes = world.memory.changes();
    let uri = format!("/{THB}/v2/dopayment?key={}", cipher(THB).encrypt(&deposit(THB, &[])));
    for method in [Method::HEAD, Method::POST, Method::OPTIONS] {
        let request = Request::builder().method(method.clone()).uri(&uri);
        let answer = world.send(request.body(Ok(bytes::Bytes::new())).expect("a request")).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["Allow"]),
            (405, &"GET".parse().expect("a value"))
        );
    }
    assert_eq!(world.memory.changes(), changes);
}

#[tokio::test]
async fn a_reload_is_a_repetition_unless_the_operator_is_lenient() {
    let world = World::new().await;
    let text = deposit(THB, &[]);
    let first = world.open_page(THB, &text).await;
    let again = world.open_page(THB, &text).await;
    assert_eq!(again.status(), 400);
    assert!(String::from_utf8_lossy(again.body()).contains("error code 111"));
    world.wish(THB, &[("lenient_reload", "true")]).await;
    let again = world.open_page(THB, &text).await;
    assert_eq!((again.status(), location(&again)), (first.status(), location(&first)));
    let other = deposit(THB, &[("transaction_amount", "251")]);
    assert_eq!(world.open_page(THB, &other).await.status(), 400, "another deposit");
    assert_eq!(world.ask(THB, DEPOSIT, &text).await.1["code"], 111, "no page of ours");
    world.press(THB, "ORD-1001", Moment::PressedPay).await;
    let over = world.open_page(THB, &text).await;
    assert!(String::from_utf8_lossy(over.body()).contains("error code 113"));
    assert_eq!(world.available(THB).await, OPENING + 25_000 - 250);
}

/// Section 6.1: what is told in each currency, in the order of the names.
#[tokio::test]
async fn each_currency_is_told_what_it_needs() {
    let world = World::new().await;
    let common = ["status", "message", "transaction_no", "transaction_code", "amount"];
    let last = ["expired_at", "expired_timezone"];
    let wallet = ["wallet_number", "wallet_name", "wallet_code"];
    let typed = ["wallet_number", "wallet_number_type", "wallet_name", "wallet_code"];
    for (_, code, currency) in OPERATORS.into_iter().filter(|it| it.2 != Currency::Krw) {
        let body = world.deposited(code, "A-1", "300").await;
        let own: Vec<&str> = match currency {
            Currency::Inr => vec!["upi_id", "qr"],
            Currency::Bdt | Currency::Jpy => typed.to_vec(),
            Currency::Vnd => [&wallet[..], &["match_code"]].concat(),
            Currency::Brl => [&wallet[..], &["qr"]].concat(),
            _ => wallet.to_vec(),
        };
        let mut expected = [&common[..], &own, &last].concat();
        expected.sort_unstable();
        let names: Vec<&String> = body.as_object().expect("an object").keys().collect();
        assert_eq!(names, expected, "{code}");
        assert_eq!(body["amount"], "300.00", "{code}");
        assert_eq!(body["message"], "Submit Transaction Success!");
        let number = body["transaction_no"].as_str().expect("text");
        assert!(number.starts_with("DP") && number.len() == 15, "{number}");
    }
    let body = async |code: &'static str| world.deposited(code, "A-2", "300").await;
    let inr = body("OPRINR").await;
    assert_eq!(
        (&inr["upi_id"], &inr["expired_at"]),
        (&json!("shop@examplebank"), &json!("2023-11-15 03:58:20"))
    );
    assert_eq!(inr["expired_timezone"], "GMT+05:30");
    let bdt = body("OPRBDT").await;
    assert_eq!(
        (&bdt["wallet_number_type"], &bdt["wallet_name"], &bdt["wallet_code"]),
        (&json!("Agent"), &json!("BKASH"), &json!("1001"))
    );
    let jpy = body("OPRJPY").await;
    assert_eq!((&jpy["wallet_number_type"], &jpy["wallet_code"]), (&Value::Null, &json!("")));
    let vnd = body("OPRVND").await;
    assert_eq!(
        (&vnd["wallet_name"], &vnd["wallet_code"]),
        (&json!("Nguyen Van A"), &json!("momo"))
    );
    let code = vnd["match_code"].as_str().expect("text");
    assert!(code.len() == 6 && code.bytes().all(|it| it.is_ascii_digit()), "{code}");
    world.memory.audit().expect("in order");
}

/// What a currency wants besides, and the code for not having it.
#[tokio::test]
async fn each_currency_wants_its_own_fields() {
    let world = World::new().await;
    let table = [
        ("OPRBDT", "bank_code", "-", 109),
        ("OPRBDT", "bank_code", "2001", 110),
        ("OPRBDT", "phone", "-", 109),
        ("OPRBDT", "phone", "1812345678", 109),
        ("OPRVND", "bank_code", "-", 109),
        ("OPRVND", "bank_code", "bidv", 116),
        ("OPR001", "bank_code", "null", 109),
        ("OPR001", "bank_code", "105", 116),
        ("OPR001", "bank_code", "7", 110),
        ("OPRMMK", "bank_code", "-", 109),
        ("OPRMMK", "bank_code", "kbzpay", 110),
        ("OPRIDR", "bank_code", "-", 109),
        ("OPRMYR", "bank_code", "-", 109),
        ("OPRPHP", "bank_code", "-", 109),
        ("OPRKRW", "deposit_name", "-", 109),
        ("OPRTRY", "identity_id", "-", 109),
        ("OPRVND", "random_bank_code", "Any", 110),
        ("OPRVND", "transaction_amount", "1000.5", 109),
    ];
    let changes = world.memory.changes();
    for (code, name, value, expected) in table {
        let (_, body) = world.ask(code, DEPOSIT, &deposit(code, &[(name, value)])).await;
        assert_eq!(body["code"], expected, "{code} {name} {body}");
    }
    assert_eq!(world.memory.changes(), changes);
    let chosen = deposit("OPRVND", &[("bank_code", "-"), ("random_bank_code", "BankQR")]);
    assert_eq!(
        world.ask("OPRVND", DEPOSIT, &chosen).await.1["code"],
        109,
        "for hosted pages alone"
    );
    assert_eq!(world.open_page("OPRVND", &chosen).await.status(), 302);
    let other_name = deposit("OPRKRW", &[("deposit_name", "-"), ("depositor_name", "Kim")]);
    assert_eq!(world.ask("OPRKRW", DEPOSIT, &other_name).await.0, 200);
}

#[tokio::test]
async fn the_picture_of_a_code_is_there_while_it_can_be_paid() {
    let world = World::new().await;
    let body = world.deposited("OPRINR", "A-1", "510.02").await;
    let qr = body["qr"].as_str().expect("text").to_owned();
    let path = qr.strip_prefix("https://gw.example").expect("our address").to_owned();
    assert!(path.starts_with("/OPRINR/v3/qr/"), "{path}");
    let picture = world.send(get(&path)).await;
    assert_eq!(
        (picture.status().as_u16(), &picture.headers()["Content-Type"]),
        (200, &"image/svg+xml".parse().expect("a value"))
    );
    assert_eq!(world.send(get("/OPRINR/v3/qr/0000")).await.status(), 404);
    world.press("OPRINR", "A-1", Moment::PressedFail).await;
    assert_eq!(world.send(get(&path)).await.status(), 404);
}

/// The supplier's triggers; a failed deposit and one that waits credit nothing.
#[tokio::test]
async fn the_last_two_digits_decide() {
    let world = World::new().await;
    let table = [
        ("A", "10.01", "failed", 0),
        ("B", "10.02", "pending", 0),
        ("C", "10.04", "manual process", 0),
        ("D", "10.00", "completed", 1000 - 10),
    ];
    let mut expected = OPENING;
    for (transaction, amount, status, credited) in table {
        world.deposited(THB, transaction, amount).await;
        expected += credited;
        assert_eq!(world.status(THB, transaction).await["status"], status, "{amount}");
        assert_eq!(world.available(THB).await, expected);
    }
    world.memory.audit().expect("in order");
}

#[tokio::test]
async fn twins_make_one_deposit() {
    let world = World::new().await;
    let text = deposit(THB, &[("transaction_amount", "10.02")]);
    let (first, second) =
        tokio::join!(world.ask(THB, DEPOSIT, &text), world.ask(THB, DEPOSIT, &text));
    let mut codes = [first.0, second.0];
    codes.sort_unstable();
    assert_eq!(codes, [200, 400]);
}

#[tokio::test]
async fn an_address_of_its_own_is_kept_only_if_it_is_another() {
    let world = World::new().await;
    world.call_back_at(THB, "https://shop.example/cb").await;
    for (transaction, url, kept) in [
        ("A", "https://shop.example/cb", None),
        ("B", "https://shop.example/b?x=1", Some("https://shop.example/b?x=1")),
    ] {
        let text = deposit(THB, &[("transaction_code", transaction), ("callback_url", url)]);
        assert_eq!(world.ask(THB, DEPOSIT, &text).await.0, 200);
        assert_eq!(world.order(THB, transaction).await.callback_url.as_deref(), kept);
    }
    for name in ["callback_url", "return_url", "redirect_url"] {
        for url in ["javascript:alert(1)", "/done", "ftp://x/", "http://", "shop.example"] {
            let text = deposit(THB, &[("transaction_code", "C"), (name, url)]);
            let (_, body) = read(
                &world
                    .send(super::world::post(
                        &DEPOSIT.replace("{}", THB),
                        json!({ "key": cipher(THB).encrypt(&text) }).to_string(),
                    ))
                    .await,
            );
            assert_eq!(body["code"], 109, "{name}={url}");
        }
    }
}
