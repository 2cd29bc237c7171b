//! Amounts in every wrong spelling, in both forms of a message: none is read, and nothing changes.

use serde_json::{Value, json};

use super::world::{DEPOSIT, PAYOUT, THB, World, deposit, payout};
use crate::feed::amount::tests::WRONG;
use crate::s88pay::compose;
use crate::s88pay::wire::parameters::Parameters;

const IDR: &str = "OPRIDR";
/// Spellings of rupiah that the API documents (section 4.4), and others refuse.
const DOCUMENTED: [&str; 2] = ["1.0", "10000.0"];

/// The parameters of a message with this amount, in the middle, where no blank around it is lost.
fn parameters(text: &str, amount: &str) -> Vec<(String, String)> {
    let read = Parameters::read(text).expect("a message");
    let owned = |(name, value): (&str, &str)| {
        let value = if name == "transaction_amount" { amount } else { value };
        (name.to_owned(), value.to_owned())
    };
    read.entries().map(owned).collect()
}

/// A part of a unit is told as such of a payout: the only thing that is wrong with an amount is what
/// stands behind its point.
fn is_fraction(amount: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    let is_whole = |whole: &str| digits(whole) && (whole == "0" || !whole.starts_with('0'));
    let parts = amount.split_once('.');
    let is_part = |fraction: &str| digits(fraction) && !matches!(fraction, "0" | "00");
    parts.is_some_and(|(whole, fraction)| is_whole(whole) && is_part(fraction))
        && !amount.trim_matches(['0', '.']).is_empty()
}

#[tokio::test]
async fn amounts_in_every_wrong_spelling_are_refused_in_both_forms() {
    let world = World::new().await;
    let changes = world.memory.changes();
    for amount in WRONG.iter().filter(|amount| !DOCUMENTED.contains(amount)) {
        for (path, text, fraction) in
            [(DEPOSIT, deposit(IDR, &[]), 109), (PAYOUT, payout(IDR, &[]), 122)]
        {
            let parameters = parameters(&text, amount);
            let named = || parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let expected = if is_fraction(amount) { fraction } else { 109 };
            let (_, body) = world.ask(IDR, path, &compose::json(named())).await;
            assert_eq!(body["code"], expected, "{path} {amount:?} in JSON");
            // In pairs `%31` is a 1, and a NUL is what noise has and no text.
            let expected = if amount.contains('\0') { 115 } else { expected };
            if *amount != "%31" {
                let (_, body) = world.ask(IDR, path, &compose::pairs(named())).await;
                assert_eq!(body["code"], expected, "{path} {amount:?} in pairs");
            }
        }
    }
    assert_eq!(world.memory.changes(), changes);
}

/// Numbers of JSON, which other readers take for amounts.
#[tokio::test]
async fn numbers_have_plain_digits_too() {
    let world = World::new().await;
    let changes = world.memory.changes();
    for number in [
        "1e3", "1E3", "1.0e4", "-1", "-0", "0", "0.00", "1.005", "1e400", "true", "null", "[1]",
        "{}",
    ] {
        let parameters = parameters(&payout(THB, &[]), "AMOUNT");
        let named = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let text = compose::json(named).replace("\"AMOUNT\"", number);
        let (_, body) = world.ask(THB, PAYOUT, &text).await;
        assert_eq!(body["code"], 109, "{number}");
    }
    assert_eq!(world.memory.changes(), changes);
}

/// What the API documents is read, as a text and as a number.
#[tokio::test]
async fn the_documented_spellings_are_read() {
    let world = World::new().await;
    let table =
        [("500.00", "500.00"), ("100.50", "100.50"), ("1000", "1000.00"), ("504.9", "504.90")];
    for (row, (amount, meant)) in table.into_iter().enumerate() {
        let code = format!("A-{row}");
        let given = [("transaction_code", code.as_str()), ("transaction_amount", amount)];
        let (_, body) = world.ask(THB, DEPOSIT, &deposit(THB, &given)).await;
        assert_eq!(body["amount"], meant, "{amount}");
        let code = format!("B-{row}");
        let text = json!({ "merchant_code": THB, "merchant_api_key": "unit-test-api-key",
            "transaction_code": code, "transaction_timestamp": super::world::SECONDS,
            "transaction_amount": serde_json::from_str::<Value>(amount).expect("a number"),
            "payment_code": "P001", "user_id": 77, "currency_code": "THB", "bank_code": 104 });
        let (_, body) = world.ask(THB, DEPOSIT, &text.to_string()).await;
        assert_eq!(body["amount"], meant, "{amount}");
    }
}
