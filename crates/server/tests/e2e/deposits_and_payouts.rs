//! Money in and money out by S88pay, as a shop sees it that encrypts with another implementation: a
//! deposit that is paid on its page, payouts that are frozen and then paid or given back, and what is
//! told of both.

use std::thread;

use serde_json::{Value, json};

use crate::browser::{Browser, CHROMIUM};
use crate::harness::{Sandbox, is_missing, wait_until};
use crate::receiver::{Arrived, Receiver, SOUND};
use crate::s88pay_client::{Balance, Shop};

const ACCEPTED: &str = "request withdraw successful";
/// What a payout in baht has to name besides.
fn to_a_bank() -> Value {
    json!({ "bank_code": "7", "bank_name": "Siam Commercial Bank" })
}

/// A balance in thousandths, as the API writes three decimals.
fn thousandths(text: &str) -> i64 {
    let (whole, decimals) = text.split_once('.').unwrap();
    assert_eq!(decimals.len(), 3, "{text}");
    format!("{whole}{decimals}").parse().unwrap()
}

/// What is available and what is frozen, in thousandths; the two are all there is.
fn parts(balance: &Balance) -> (i64, i64) {
    let (available, frozen) = (thousandths(&balance.available), thousandths(&balance.frozen));
    assert_eq!(thousandths(&balance.total), available + frozen);
    (available, frozen)
}

/// A sandbox that calls a receiver back.
fn world() -> (Receiver, Sandbox) {
    let receiver = Receiver::start(SOUND);
    let sandbox = Sandbox::start(&["--callback-url", &receiver.url]);
    (receiver, sandbox)
}

/// Waits until so many callbacks have come, and gives them.
fn arrived(receiver: &Receiver, count: usize) -> Vec<Arrived> {
    wait_until("the callbacks have come", || receiver.arrived().len() >= count);
    let arrived = receiver.arrived();
    assert_eq!(arrived.len(), count, "{arrived:?}");
    arrived
}

/// A person decides what becomes of a payout.
fn decide(sandbox: &Sandbox, code: &str, verdict: &str) {
    let output = sandbox.resolve(code, verdict);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Whether a text is a transaction number of this kind.
fn is_number(number: &Value, prefix: &str) -> bool {
    let digits = number.as_str().unwrap().strip_prefix(prefix);
    digits.is_some_and(|it| it.len() == 13 && it.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What remains of something told when its transaction number is taken out, which has this prefix.
fn without_number(mut told: Value, prefix: &str) -> Value {
    let number = told.as_object_mut().unwrap().remove("transaction_no").unwrap();
    assert!(is_number(&number, prefix), "{number}");
    told
}

#[test]
fn a_deposit_is_paid_on_its_page_and_the_shop_is_told_in_its_own_key() {
    if is_missing(CHROMIUM) || is_missing("openssl") {
        return;
    }
    let (receiver, sandbox) = world();
    let own = Receiver::start(SOUND);
    let shop = Shop::of("THB");
    let before = parts(&shop.balance(&sandbox));
    let mut browser = Browser::start("en-GB,en");
    let more = format!("&bank_code=104&callback_url={}", own.url);
    let path = shop.deposit(&sandbox, "ORD-1001", "250.00", &more);
    browser.open(&format!("{}{path}", sandbox.url()));
    assert!(browser.address().starts_with(&format!("{}/pay/", sandbox.url())));
    let page = browser.text();
    for part in ["Operator Contoh THB", "฿250.00", "PromptPay", "0011223344", "ORD-1001"] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert_eq!(parts(&shop.balance(&sandbox)), before);
    assert_eq!(shop.status(&sandbox, "ORD-1001"), "pending");

    browser.press("button[value=pay]");
    browser.wait_for("document.body.innerText.includes('Payment received')");
    browser.look("s88pay-paid-en");
    assert_eq!(browser.complaints(), [""; 0]);
    let (called, called_too) = (arrived(&receiver, 1), arrived(&own, 1));
    assert_eq!(called[0].body, called_too[0].body);
    let told = without_number(shop.told(&called[0]), "DP");
    let expected = json!({
        "transaction_code": "ORD-1001",
        "transaction_status": 2,
        "transaction_amount": "250.00",
        "transaction_fee": "2.50",
        "currency_code": "THB",
        "transaction_actual_amount": "250.00",
    });
    assert_eq!(told, expected);
    assert_eq!(parts(&shop.balance(&sandbox)), (before.0 + 247_500, before.1));
    assert_eq!(shop.status(&sandbox, "ORD-1001"), "completed");
    sandbox.verify();
}

/// Opens a deposit and presses a button of its page, without a browser.
fn press(sandbox: &Sandbox, deposit: &str, button: &str) {
    // The redirection is followed, and the page knows its own address.
    let page = sandbox.get(deposit);
    assert_eq!(page.status, 200, "{page:?}");
    let (_, own) =
        page.body.split_once("<form class=\"sandbox\" method=\"post\" action=\"").unwrap();
    let own = own.split('"').next().unwrap();
    let pressed = sandbox.post(own, "application/x-www-form-urlencoded", button.as_bytes());
    assert_eq!(pressed.status, 200, "{pressed:?}");
}

#[test]
fn a_deposit_that_fails_credits_nothing_and_the_shop_is_told() {
    if is_missing("openssl") {
        return;
    }
    let (receiver, sandbox) = world();
    let shop = Shop::of("THB");
    let before = parts(&shop.balance(&sandbox));
    let path = shop.deposit(&sandbox, "ORD-2001", "250.00", "&bank_code=104");
    press(&sandbox, &path, "action=fail");
    let told = shop.told(&arrived(&receiver, 1)[0]);
    let expected = (&json!(3), &json!("250.00"), &json!("0.00"));
    let amounts = (&told["transaction_amount"], &told["transaction_actual_amount"]);
    assert_eq!((&told["transaction_status"], amounts.0, amounts.1), expected);
    assert_eq!(shop.status(&sandbox, "ORD-2001"), "failed");
    assert_eq!(parts(&shop.balance(&sandbox)), before);
    sandbox.verify();
}

#[test]
fn a_payout_is_frozen_then_paid_and_told_of_in_the_same_bytes_again() {
    if is_missing("openssl") {
        return;
    }
    let (receiver, sandbox) = world();
    let shop = Shop::of("THB");
    let (available, frozen) = parts(&shop.balance(&sandbox));
    // The sandbox leaves this amount to us.
    let asked = shop.payout(&sandbox, "WDR-2001", "1200.02", to_a_bank());
    assert_eq!(shop.pay_out(&sandbox, &asked).json()["message"], ACCEPTED);
    let cost = 1_200_020 + 12_010;
    assert_eq!(parts(&shop.balance(&sandbox)), (available - cost, frozen + cost));
    assert_eq!(shop.status(&sandbox, "WDR-2001"), "pending");
    let early = shop.resend(&sandbox, "WDR-2001");
    assert_eq!(early, json!({ "success": false, "message": "Transaction is still pending" }));

    decide(&sandbox, "WDR-2001", "success");
    assert_eq!(parts(&shop.balance(&sandbox)), (available - cost, frozen));
    let first = arrived(&receiver, 1).remove(0);
    let mut told = without_number(shop.told(&first), "WD");
    let proof = told.as_object_mut().unwrap().remove("transaction_ref").unwrap();
    assert_eq!(proof.as_str().map(str::len), Some(12), "{proof}");
    let expected = json!({
        "transaction_code": "WDR-2001",
        "transaction_status": 2,
        "transaction_amount": "1200.02",
        "transaction_fee": "12.01",
        "currency_code": "THB",
    });
    assert_eq!(told, expected);

    // The merchant asks for it.
    let again = shop.resend(&sandbox, "WDR-2001");
    assert_eq!(again, json!({ "success": true, "message": "Resend callback successful" }));
    let again = arrived(&receiver, 2).remove(1);
    assert_eq!(again.body, first.body);
    assert_eq!(again.headers["webhook-id"], first.headers["webhook-id"]);

    // What was called back is played to the path at which the vendor's page shows it.
    let path = format!("/api/v1/transaction/resend-callback/{}", shop.code);
    let play = |body: &str| sandbox.post(&path, "application/json", body.as_bytes());
    let played = play(&first.body);
    assert_eq!((played.status, played.body.as_str()), (200, "success"));
    let foreign = play(&first.body.replace("WDR-2001", "WDR-2002"));
    assert_eq!(foreign.json()["message"], "Transaction not found");
    assert_eq!(parts(&shop.balance(&sandbox)), (available - cost, frozen));
    assert_eq!(receiver.arrived().len(), 2, "playing a callback back sends none");
    sandbox.verify();
}

#[test]
fn a_payout_that_fails_is_given_back_with_its_fee() {
    if is_missing("openssl") {
        return;
    }
    let (receiver, sandbox) = world();
    let shop = Shop::of("THB");
    let before = parts(&shop.balance(&sandbox));
    let asked = shop.payout(&sandbox, "WDR-3001", "1200.02", to_a_bank());
    assert_eq!(shop.pay_out(&sandbox, &asked).json()["message"], ACCEPTED);
    assert_ne!(parts(&shop.balance(&sandbox)), before);
    decide(&sandbox, "WDR-3001", "failed");
    // This amount fails by itself.
    let asked = shop.payout(&sandbox, "WDR-3002", "1200.01", to_a_bank());
    assert_eq!(shop.pay_out(&sandbox, &asked).json()["message"], ACCEPTED);
    for called in arrived(&receiver, 2) {
        let told = shop.told(&called);
        assert_eq!(
            (&told["transaction_status"], &told["transaction_ref"]),
            (&json!(3), &json!(""))
        );
        assert_eq!(shop.status(&sandbox, told["transaction_code"].as_str().unwrap()), "failed");
    }
    assert_eq!(parts(&shop.balance(&sandbox)), before);
    sandbox.verify();
}

#[test]
fn a_payout_that_is_asked_for_twenty_times_at_once_is_sent_once() {
    const TIMES: usize = 20;
    if is_missing("openssl") {
        return;
    }
    let (receiver, sandbox) = world();
    let shop = Shop::of("THB");
    let (available, frozen) = parts(&shop.balance(&sandbox));
    let asked = shop.payout(&sandbox, "WDR-4001", "500.00", to_a_bank());
    let answers: Vec<Value> = thread::scope(|scope| {
        let asking: Vec<_> =
            (0..TIMES).map(|_| scope.spawn(|| shop.pay_out(&sandbox, &asked).json())).collect();
        asking.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let accepted = answers.iter().filter(|it| it["message"] == ACCEPTED).count();
    let repeated = answers.iter().filter(|it| it["code"] == 111).count();
    assert_eq!((accepted, repeated), (1, TIMES - 1), "{answers:?}");
    arrived(&receiver, 1);
    assert_eq!(sandbox.book().len(), 1);
    assert_eq!(parts(&shop.balance(&sandbox)), (available - 505_000, frozen));
    sandbox.verify();
}

/// Each currency with an amount that succeeds, one in a hundred of it in thousandths and not rounded down, and what a deposit
/// and a payout have to name besides.
fn currencies() -> Vec<(&'static str, &'static str, i64, &'static str, Value)> {
    let bank = |code: &str| json!({ "bank_code": code });
    vec![
        ("THB", "250.00", 2_500, "&bank_code=104", bank("7")),
        ("IDR", "50000", 500_000, "&bank_code=BCA", bank("BCA")),
        ("INR", "250.50", 2_510, "", json!({ "ifsc_code": "SBIN0001234" })),
        ("BDT", "500.00", 5_000, "", json!({ "bank_code": "2001", "phone_number": "01812345678" })),
        ("VND", "200000", 2_000_000, "&bank_code=momo", bank("970407")),
        ("KRW", "10000", 100_000, "", bank("kbank_kr")),
        ("JPY", "1000", 10_000, "", json!({ "bank_code": "0001", "branch_code": "001" })),
        ("MMK", "5000", 50_000, "", json!({})),
        ("MYR", "250.00", 2_500, "&bank_code=MBB", bank("MBB")),
        ("PHP", "250.00", 2_500, "&bank_code=gcash", bank("gcash")),
        ("CNY", "250.00", 2_500, "", bank("ABC")),
        (
            "BRL",
            "250.00",
            2_500,
            "",
            json!({ "bank_code": "CPF", "bank_name": "12345678901",
                "bank_account_number": "12345678901" }),
        ),
        ("TRY", "250.00", 2_500, "", json!({})),
    ]
}

#[test]
fn every_currency_goes_in_and_out_and_its_books_stay_clean() {
    if is_missing("openssl") {
        return;
    }
    let (receiver, sandbox) = world();
    let currencies = currencies();
    for (currency, amount, fee, deposit, payout) in &currencies {
        let shop = Shop::of(currency);
        let before = parts(&shop.balance(&sandbox));
        let path = shop.deposit(&sandbox, "IN-1", amount, deposit);
        press(&sandbox, &path, "action=pay");
        let asked = shop.payout(&sandbox, "OUT-1", amount, payout.clone());
        let answer = shop.pay_out(&sandbox, &asked).json();
        assert_eq!(answer["message"], ACCEPTED, "{currency}: {answer}");
        wait_until("it is paid out", || shop.status(&sandbox, "OUT-1") == "completed");
        assert_eq!(shop.status(&sandbox, "IN-1"), "completed", "{currency}");
        let after = parts(&shop.balance(&sandbox));
        assert_eq!(after, (before.0 - 2 * fee, before.1), "{currency}");
        sandbox.verify();
    }
    arrived(&receiver, 2 * currencies.len());
}
