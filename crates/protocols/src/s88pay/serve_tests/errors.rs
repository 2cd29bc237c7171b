//! Every row of the table of errors, in the order in which they are checked, byte for byte.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use domain::MerchantId;
use gateway::ports::StoreFault;
use http::header::ACCEPT;
use serde_json::{Value, json};

use super::world::{
    BALANCE, Conditions, DEPOSIT, PAYOUT, SECONDS, STATUS, THB, UTR, World, cipher, deposit, get,
    payout, post, read,
};
use crate::exchange::{Arrival, BodyFault, Serve};

/// What is written instead of the usual.
type Given<'a> = &'a [(&'a str, &'a str)];

fn v3(code: u16, text: &str) -> Value {
    json!({ "status": "failed", "code": code, "message": format!("[DP] {text}, error code {code}") })
}

fn v1(code: u16, text: &str) -> Value {
    json!({ "success": false, "code": code, "message": format!("[WD] {text}") })
}

/// Deposits: what is wrong with the request, the HTTP status, and the body (section 13).
#[tokio::test]
async fn every_row_of_deposits() {
    let world = World::new().await;
    world.deposited(THB, "USED", "10.02").await;
    world.deposited(THB, "OVER", "10.00").await;
    let old = (SECONDS - 3601).to_string();
    let rows: [(Given<'_>, u16, u16, &str); 12] = [
        (&[("user_id", "-")], 400, 109, "Incomplete parameter"),
        (&[("payment_code", "P999")], 400, 110, "Invalid Bank ID"),
        (&[("payment_code", "W001")], 400, 110, "Invalid Bank ID"),
        (&[("bank_code", "999")], 400, 110, "Invalid Bank ID"),
        (&[("transaction_code", "USED")], 400, 111, "Invalid Transaction Code ( not unique )"),
        (&[("transaction_timestamp", &old)], 400, 112, "Invalid Timestamp"),
        (
            &[("transaction_code", "OVER")],
            400,
            113,
            "Invalid Transaction. The transaction is already processed",
        ),
        (&[("currency_code", "IDR")], 400, 114, "Active bank account is not found"),
        (&[("payment_code", "P003")], 400, 114, "Active bank account is not found"),
        (&[("payment_code", "P004")], 400, 114, "Active bank account is not found"),
        (&[("merchant_api_key", "other")], 401, 115, "Invalid Key / Merchant code"),
        (&[("payment_code", "P002")], 503, 116, "Bank is under maintenance"),
    ];
    let changes = world.memory.changes();
    for (given, status, code, text) in rows {
        let answer = world.ask(THB, DEPOSIT, &deposit(THB, given)).await;
        assert_eq!(answer, (status, v3(code, text)), "{given:?}");
        let page = world.open_page(THB, &deposit(THB, given)).await;
        assert_eq!(page.status().as_u16(), status, "{given:?}");
        assert_eq!(page.headers()["Content-Type"], "text/html; charset=utf-8");
        let policy = page.headers()["Content-Security-Policy"].to_str().expect("text");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
        let html = String::from_utf8_lossy(page.body()).into_owned();
        let told = format!(">{text}<br><span class=\"quiet\">error code {code}</span>");
        assert!(html.contains(&told), "{html}");
        let key = cipher(THB).encrypt(&deposit(THB, given));
        let mut wants_json = get(&format!("/{THB}/v2/dopayment?key={key}"));
        wants_json.headers_mut().insert(ACCEPT, "application/json".parse().expect("a value"));
        assert_eq!(read(&world.send(wants_json).await), (status, v3(code, text)), "{given:?}");
    }
    assert_eq!(
        world.ask("OPRINR", DEPOSIT, &deposit("OPRINR", &[("payment_code", "P005")])).await.1["code"],
        114
    );
    assert_eq!(world.memory.changes(), changes);
}

#[tokio::test]
async fn every_row_of_payouts() {
    let world = World::new().await;
    world.paid_out(THB, "USED", "10").await;
    let rows: [(&str, Given<'_>, u16, u16, &str); 12] = [
        (THB, &[("account_name", "-")], 400, 109, "Incomplete parameter!, error code 109"),
        (THB, &[("payout_code", "P001")], 400, 110, "Payout Method Not Available, error code 110,"),
        (
            THB,
            &[("transaction_code", "USED")],
            400,
            111,
            "Invalid Transaction Code ( not unique )!, error code 111",
        ),
        (
            THB,
            &[("transaction_timestamp", "1699990000")],
            400,
            112,
            "Invalid Timestamp!, error code 112",
        ),
        (
            THB,
            &[("payout_code", "W003")],
            400,
            113,
            "Currency rate is not supported for your merchant currency at this moment!, error code 113",
        ),
        (
            THB,
            &[("currency_code", "IDR")],
            400,
            114,
            "Currency of payment method is not supported for your merchant!, error code 114",
        ),
        (
            THB,
            &[("merchant_code", "OPRIDR")],
            401,
            115,
            "Invalid Key / Merchant code!, error code 115",
        ),
        (
            THB,
            &[("payout_code", "W002")],
            503,
            116,
            "Payout method is under maintenance!, error code 116",
        ),
        (
            THB,
            &[("transaction_amount", "999999")],
            400,
            119,
            "Insufficient Balance!, error code 119",
        ),
        (
            "OPRINR",
            &[("ifsc_code", "X")],
            400,
            120,
            "Invalid IFSC Code! Please try again, error code 120",
        ),
        (THB, &[("bank_code", "99")], 400, 121, "Withdraw Bank not found!, error code 121"),
        (
            "OPRVND",
            &[("transaction_amount", "1.5")],
            400,
            122,
            "Amount cannot has decimal number, please try again! error code 122",
        ),
    ];
    let changes = world.memory.changes();
    for (code, given, status, number, text) in rows {
        let answer = world.ask(code, PAYOUT, &payout(code, given)).await;
        assert_eq!(answer, (status, v1(number, text)), "{given:?}");
    }
    assert_eq!(world.memory.changes(), changes);
}

/// Codes 117, 123 and 131: ours, by what became of the request.
#[tokio::test]
async fn faults_of_ours_are_told_apart() {
    let world = World::new().await;
    let failed = "Request Withdrawal Failed! Please Try Again, error code 123";
    let unreachable =
        "There are problem to connect payout account, please try again!, error code 131";
    let server = "Server error for this payout method!, error code 117";
    let rows = [
        (StoreFault::Busy, 503, 131, unreachable),
        (StoreFault::TooLate, 503, 131, unreachable),
        (StoreFault::CommitFailed("disk".to_owned()), 500, 123, failed),
        (StoreFault::Stopped, 500, 123, failed),
        (StoreFault::Corrupt("page".to_owned()), 500, 117, server),
    ];
    for (fault, status, code, text) in rows {
        world.memory.fail_with(fault);
        assert_eq!(world.ask(THB, PAYOUT, &payout(THB, &[])).await, (status, v1(code, text)));
        let told = v3(117, "Server Error for this payout method !");
        assert_eq!(world.ask(THB, DEPOSIT, &deposit(THB, &[])).await, (500, told));
        let (status, body) =
            world.ask(THB, STATUS, "merchant_api_key=unit-test-api-key&transaction_code=A").await;
        assert_eq!(
            (status, body),
            (500, json!({ "success": false, "code": 117, "message": server }))
        );
    }
}

/// Code 118 and the words for it, which differ, on every family of paths.
#[tokio::test]
async fn a_key_that_is_none_is_118() {
    let world = World::new().await;
    let deposits = v3(118, "Format Key Paramater Invalid");
    let payouts = v1(118, "Format Key parameter invalid!, error code 118");
    let reports = json!({ "success": false, "code": 118, "message": "Format Key parameter invalid!, error code 118" });
    let vector_b_cut = r#"{"key":"b5ojWL4ABTRpEdi7606/orVxWBj7r9ORcYV9xRQqtO"}"#;
    for body in [
        "",
        "{}",
        "[]",
        r#"{"key":""}"#,
        r#"{"key":"***"}"#,
        r#"{"key":"AAAA"}"#,
        "key=AAAA",
        vector_b_cut,
        r#"{"key":1"#,
    ] {
        for (path, expected) in
            [(DEPOSIT, &deposits), (UTR, &deposits), (PAYOUT, &payouts), (STATUS, &reports)]
        {
            let answer = world.send(post(&path.replace("{}", THB), body)).await;
            assert_eq!(read(&answer), (400, expected.clone()), "{path} {body}");
        }
    }
    for fault in [BodyFault::TooLarge, BodyFault::TooSlow, BodyFault::Broken] {
        let request =
            http::Request::post(PAYOUT.replace("{}", THB)).body(Err(fault)).expect("a request");
        assert_eq!(read(&world.send(request).await), (400, payouts.clone()));
    }
    let mut compressed = post(
        &PAYOUT.replace("{}", THB),
        json!({ "key": cipher(THB).encrypt(&payout(THB, &[])) }).to_string(),
    );
    compressed.headers_mut().insert("Content-Encoding", "gzip".parse().expect("a value"));
    assert_eq!(read(&world.send(compressed).await), (400, payouts));
    assert_eq!(world.send(get(&BALANCE.replace("{}", THB))).await.status(), 400);
    assert_eq!(world.send(get(&format!("/{THB}/v2/dopayment"))).await.status(), 400);
}

/// Code 124 comes first, on all paths but the one that payers open.
#[tokio::test]
async fn blocked_addresses_are_told_so_before_anything_else() {
    let nobody: crate::admission::AddressRule = Arc::new(|merchant, _| merchant != MerchantId(1));
    let world = World::under(Conditions { addresses: nobody, ..Conditions::default() }).await;
    for body in ["", "key=AAAA"] {
        let answer = world.send(post(&DEPOSIT.replace("{}", THB), body)).await;
        assert_eq!(read(&answer), (403, v3(124, "Your IP address has been blocked")));
        let answer = world.send(post(&PAYOUT.replace("{}", THB), body)).await;
        assert_eq!(
            read(&answer),
            (403, v1(124, "Your IP address has been blocked, error code 124"))
        );
    }
    assert_eq!(world.ask("OPRIDR", PAYOUT, &payout("OPRIDR", &[])).await.0, 200);
    assert_eq!(world.open_page(THB, &deposit(THB, &[])).await.status(), 302);
}

#[tokio::test]
async fn nobody_is_115_whatever_the_key() {
    let world = World::new().await;
    for body in ["", r#"{"key":"AAAA"}"#] {
        let answer = world.send(post("/api/NOBODY/v3/dopayment", body)).await;
        assert_eq!(read(&answer), (401, v3(115, "Invalid Key / Merchant code")));
    }
    let text = deposit(THB, &[]);
    let body = json!({ "key": cipher(THB).encrypt(&text) }).to_string();
    let answer = world.send(post(&DEPOSIT.replace("{}", "OPRIDR"), body)).await;
    assert_eq!(answer.status(), 401, "another merchant's path");
}

/// Several things are wrong at once: the first in the order of section 13.2 is told.
#[tokio::test]
async fn the_first_that_is_wrong_is_told() {
    let world = World::new().await;
    world.deposited(THB, "USED", "10.02").await;
    let wrongs: [(&str, &str, u16); 9] = [
        ("merchant_code", "OPRIDR", 115),
        ("user_id", "-", 109),
        ("transaction_timestamp", "1", 112),
        ("transaction_code", "USED", 111),
        ("currency_code", "USD", 114),
        ("payment_code", "P999", 110),
        ("bank_code", "105", 116),
        ("transaction_amount", "0", 109),
        ("callback_url", "x", 109),
    ];
    for from in 0..wrongs.len() {
        let given: Vec<(&str, &str)> =
            wrongs[from..].iter().map(|(name, value, _)| (*name, *value)).collect();
        let (_, body) = world.ask(THB, DEPOSIT, &deposit(THB, &given)).await;
        assert_eq!(body["code"], wrongs[from].2, "{given:?}");
    }
    let wrongs: [(&str, &str, u16); 9] = [
        ("merchant_code", "OPRTHB", 115),
        ("account_name", "-", 109),
        ("transaction_timestamp", "1", 112),
        ("transaction_code", "USED", 111),
        ("currency_code", "USD", 114),
        ("payout_code", "W999", 110),
        ("bank_code", "9999", 121),
        ("transaction_amount", "0", 109),
        ("callback_url", "x", 109),
    ];
    for from in 0..wrongs.len() {
        let given: Vec<(&str, &str)> =
            wrongs[from..].iter().map(|(name, value, _)| (*name, *value)).collect();
        let (_, body) = world.ask(THB, PAYOUT, &payout(THB, &given)).await;
        assert_eq!(body["code"], wrongs[from].2, "{given:?}");
    }
}

#[tokio::test]
async fn clients_that_read_nothing_but_200_get_it() {
    let world = World::new().await;
    world.wish(THB, &[("always_200", "true")]).await;
    let (status, body) = world.ask(THB, DEPOSIT, &deposit(THB, &[("user_id", "-")])).await;
    assert_eq!((status, &body["code"]), (200, &json!(109)));
    let (status, body) = world.ask(THB, PAYOUT, &payout(THB, &[("user_id", "-")])).await;
    assert_eq!((status, &body["success"]), (200, &json!(false)));
    for text in ["merchant_api_key=wrong&transaction_code=A", "merchant_api_key=unit-test-api-key"]
    {
        assert_eq!(world.ask(THB, STATUS, text).await.0, 200);
    }
    assert_eq!(world.ask(THB, UTR, "transaction_code=A&utr=1").await.0, 200);
    assert_eq!(world.open_page(THB, "x=1").await.status(), 200);
    assert_eq!(world.ask("OPRIDR", UTR, "transaction_code=A&utr=1").await.0, 404, "nobody else");
}

#[tokio::test]
async fn who_calls_too_often_is_told_so_after_being_known() {
    let world =
        World::under(Conditions { rates: Arc::new(|_| false), ..Conditions::default() }).await;
    let (status, body) = world.ask(THB, PAYOUT, &payout(THB, &[])).await;
    assert_eq!((status, &body["code"]), (429, &json!(117)));
    assert_eq!(world.ask(THB, PAYOUT, "merchant_code=x").await.0, 401);
}

#[tokio::test]
async fn other_methods_and_paths_are_told_so() {
    let world = World::new().await;
    for path in [DEPOSIT, PAYOUT, STATUS, UTR] {
        let answer = world.send(get(&path.replace("{}", THB))).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["Allow"]),
            (405, &"POST".parse().expect("a value"))
        );
    }
    assert_eq!(world.send(post(&BALANCE.replace("{}", THB), "")).await.status(), 405);
    assert_eq!(world.send(get("/elsewhere")).await.status(), 404);
}

/// Whoever calls from elsewhere has no part in what another address has used up.
#[tokio::test]
async fn strangers_do_not_lock_a_merchant_out() {
    let world = World::new().await;
    assert_eq!(world.ask(THB, PAYOUT, &payout(THB, &[])).await.0, 200);
    for _ in 0..150 {
        let (head, body) =
            post(&PAYOUT.replace("{}", THB), r#"{"key":"pqWlpaWlpaWlpaWlpaWlpQ=="}"#).into_parts();
        let peer = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));
        assert_eq!(
            world.served.serve(Arrival { head, body, peer, note: None }).await.status(),
            401
        );
    }
    let text = payout(THB, &[("transaction_code", "B")]);
    assert_eq!(world.ask(THB, PAYOUT, &text).await.0, 200);
}
