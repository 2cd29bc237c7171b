//! Money in where real merchants are served: a word credits nothing, evidence credits whoever it is for,
//! and whatever is doubtful stands on suspense, with an alarm, until a person decides.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{lunas, wait_until};
use crate::instance::Instance;
use crate::money_clients::{Feed, Mutation, now, written};
use crate::money_instance::{self, OPENING_BAHT, OPENING_RUPIAH};
use crate::receiver::{Receiver, SOUND};

fn money(id: &str, amount: &str, sender: &str, reference: &str) -> Mutation {
    Mutation {
        id: id.to_owned(),
        at: written(now()),
        amount: amount.to_owned(),
        sender: sender.to_owned(),
        reference: reference.to_owned(),
    }
}

fn verify(instance: &Instance) {
    let output = lunas().args(["verify", "--data"]).arg(instance.path("lunas-data")).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The one row's state and reason.
fn told(feed: &Feed, url: &str, mutation: Mutation) -> (String, String) {
    Feed::states(&feed.tell(url, &[mutation]).unwrap()).remove(0)
}

fn suspended(reason: &str) -> (String, String) {
    ("suspended".to_owned(), reason.to_owned())
}

fn used() -> (String, String) {
    ("used".to_owned(), String::new())
}

#[test]
fn a_merchants_word_credits_nothing() {
    let instance = money_instance::new(&[]);
    let (running, parts) = money_instance::begin(&instance);
    let url = &running.url;
    parts.toko.open(url, "WORD-1", 10_000).unwrap();
    let refused = parts.toko.confirm(url, "WORD-1", "081298765432").unwrap();
    assert_eq!(refused["respon"], "gagal", "{refused}");
    assert_eq!(parts.toko.status(url, "WORD-1").unwrap(), "UNPAID");
    let opened = parts.baht.deposit(url, "WORD-2", "250.00").unwrap();
    assert_eq!(opened["status"], "success", "{opened}");
    parts.baht.submit_utr(url, "WORD-2", "REF-1").unwrap();
    assert_eq!(parts.baht.status(url, "WORD-2").unwrap(), "pending");
    assert_eq!(money_instance::balances(&running), [0, OPENING_RUPIAH, OPENING_BAHT]);

    assert_eq!(told(&parts.sim, url, money("1", "13000", "081298765432", "")), used());
    assert_eq!(parts.toko.status(url, "WORD-1").unwrap(), "PAID");
    assert_eq!(told(&parts.bank_baht, url, money("1", "250.00", "", "REF-1")), used());
    assert_eq!(parts.baht.status(url, "WORD-2").unwrap(), "completed");
    // Less a fee of one in a hundred.
    assert_eq!(
        money_instance::balances(&running),
        [10_000, OPENING_RUPIAH, OPENING_BAHT + 25_000 - 250]
    );
    verify(&instance);
}

/// Late, short, surplus, doubled and foreign money, and money that two merchants might wait for.
#[test]
fn doubtful_money_stands_on_suspense_with_an_alarm_each() {
    let instance = money_instance::new(&[]);
    let (running, parts) = money_instance::begin(&instance);
    let (url, bank) = (&running.url, &parts.bank_rupiah);
    let early = money("early", "250000", "", "");
    let early = Mutation { at: "2026-01-01 00:00:00".to_owned(), ..early };
    parts.rupiah.deposit(url, "A", "250000").unwrap();
    let doubtful = [
        (early, suspended("no-order")),
        (money("short", "249999", "", ""), suspended("no-order")),
        (money("surplus", "250001", "", ""), suspended("no-order")),
        (money("right", "250000", "", ""), used()),
        (money("doubled", "250000", "", ""), suspended("no-order")),
        (money("foreign", "777", "", ""), suspended("no-order")),
    ];
    for (mutation, expected) in doubtful {
        let id = mutation.id.clone();
        assert_eq!(told(bank, url, mutation), expected, "{id}");
    }
    // What a person has ended waits for nobody any more; a person's word does not pay it either.
    parts.rupiah.deposit(url, "B", "300000").unwrap();
    let body = json!({ "reference": "B", "verdict": "success" });
    let word = money_instance::try_administer(&running, "POST", "order-resolutions", &body);
    assert_eq!((word.status, &word.json()["code"]), (409, &json!("ORDER_NEEDS_EVIDENCE")));
    running.operate(&["order", "resolve", "B", "failed"]);
    assert_eq!(parts.rupiah.status(url, "B").unwrap(), "failed");
    assert_eq!(told(bank, url, money("late", "300000", "", "")), suspended("no-order"));

    // Two merchants wait for the same. Neither gets what might be the other's.
    parts.rupiah.deposit(url, "C", "400000").unwrap();
    parts.other_rupiah.deposit(url, "D", "400000").unwrap();
    let either = told(bank, url, money("either", "400000", "", ""));
    assert_eq!(either, suspended("several-orders"));
    // Whoever names it for certain is paid by it, and the other one goes on waiting.
    parts.other_rupiah.submit_utr(url, "D", "REF-9").unwrap();
    parts.rupiah.submit_utr(url, "C", "REF-8").unwrap();
    assert_eq!(told(bank, url, money("named", "400000", "", "REF-9")), used());
    assert_eq!(parts.other_rupiah.status(url, "D").unwrap(), "completed");
    assert_eq!(parts.rupiah.status(url, "C").unwrap(), "pending");
    let fee = |amount: i64| amount - amount / 100;
    assert_eq!(
        money_instance::balances(&running),
        [fee(400_000), OPENING_RUPIAH + fee(250_000), OPENING_BAHT],
        "the other operator is the shop"
    );
    let names = ["early", "short", "surplus", "doubled", "foreign", "late", "either"];
    let log = running.log();
    for name in names {
        let alarms = log.lines().filter(|line| {
            line.contains("is on suspense") && line.contains(&format!("\"{name}\""))
        });
        assert_eq!(alarms.count(), 1, "{name}: {log}");
    }
    assert_eq!(log.matches("is on suspense").count(), names.len(), "{log}");
    verify(&instance);
}

/// One piece of money, claimed for two orders: the second claim is refused where the reference is the
/// bank's, and credits nothing where only the sender is told.
#[test]
fn money_that_two_orders_claim_pays_one() {
    let instance = money_instance::new(&[]);
    let (running, parts) = money_instance::begin(&instance);
    let url = &running.url;
    for transaction in ["A", "B"] {
        parts.baht.deposit(url, transaction, "100.00").unwrap();
    }
    assert_eq!(parts.baht.submit_utr(url, "A", "REF-1").unwrap()["status"], "success");
    let second = parts.baht.submit_utr(url, "B", "REF-1").unwrap();
    assert_ne!(second["status"], "success", "{second}");
    assert_eq!(told(&parts.bank_baht, url, money("1", "100.00", "", "REF-1")), used());
    assert_eq!(parts.baht.status(url, "A").unwrap(), "completed");
    assert_eq!(parts.baht.status(url, "B").unwrap(), "pending");

    let sender = "081211112222";
    for reference in ["CLAIM-1", "CLAIM-2"] {
        parts.toko.open(url, reference, 10_000).unwrap();
        parts.toko.confirm(url, reference, sender).unwrap();
    }
    let both = told(&parts.sim, url, money("1", "13000", sender, ""));
    assert_eq!(both, suspended("several-orders"));
    // It came before anybody could tell the two apart; the next one to ask gets it, and only that one.
    let first = parts.toko.confirm(url, "CLAIM-2", sender).unwrap();
    assert_eq!(first["status"], "PAID", "{first}");
    let second = parts.toko.confirm(url, "CLAIM-1", sender).unwrap();
    assert_eq!(second["respon"], "gagal", "{second}");
    assert_eq!(
        money_instance::balances(&running),
        [10_000, OPENING_RUPIAH, OPENING_BAHT + 10_000 - 100]
    );
    verify(&instance);
}

/// The callback leaves when a person has decided, and not when the courier looks again by itself.
#[test]
fn assigned_money_is_told_of_at_once() {
    let receiver = Receiver::start(SOUND);
    let instance = money_instance::new(&[]);
    let (running, parts) = money_instance::begin(&instance);
    let url = &running.url;
    running.operate(&["merchant", "callback-url", "3", &receiver.url, "--protocol", "s88pay"]);
    for transaction in ["A", "B"] {
        parts.baht.deposit(url, transaction, "100.00").unwrap();
    }
    let state = told(&parts.bank_baht, url, money("1", "100.00", "", ""));
    assert_eq!(state, suspended("several-orders"));
    let order = money_instance::latest_order(&running);
    running.operate(&["evidence", "assign", "bank_baht", "1", &order]);
    let begun = Instant::now();
    wait_until("the callback has come", || !receiver.arrived().is_empty());
    assert!(begun.elapsed() < Duration::from_secs(5));
    let told = parts.baht.decrypted(&receiver.arrived()[0].body);
    let expected = json!({
        "transaction_code": "B", "transaction_status": 2, "transaction_amount": "100.00",
        "transaction_fee": "1.00", "currency_code": "THB",
        "transaction_actual_amount": "100.00", "transaction_no": told["transaction_no"],
    });
    assert_eq!(told, expected);
    let again = running.operate(&["evidence", "list", "--state", "used", "--json"]);
    let again: BTreeMap<String, Value> = serde_json::from_str::<Vec<Value>>(&again)
        .unwrap()
        .into_iter()
        .map(|it| (it["id"].as_str().unwrap().to_owned(), it["order"].clone()))
        .collect();
    assert_eq!(again["1"].to_string().trim_matches('"'), order);
    verify(&instance);
}
