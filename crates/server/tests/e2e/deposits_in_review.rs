//! S88pay deposits at which a person has to look, status 4: nobody is told by itself, who asks is told,
//! and a person or money ends them.

use serde_json::{Value, json};

use crate::harness::{Sandbox, wait_until};
use crate::money_clients::{Feed, Mutation, S88pay, now, written};
use crate::receiver::{Arrived, Receiver, SOUND};

/// Waits until this many callbacks have come, and gives them all.
fn arrived(receiver: &Receiver, count: usize) -> Vec<Arrived> {
    wait_until("the callbacks have come", || receiver.arrived().len() >= count);
    receiver.arrived()
}

fn in_review(sandbox: &Sandbox, operator: &S88pay, transaction: &str, amount: &str) {
    let opened = operator.deposit(sandbox.url(), transaction, amount).unwrap();
    assert_eq!(opened["status"], "success", "{opened}");
    assert_eq!(operator.status(sandbox.url(), transaction).unwrap(), "manual process");
}

/// Transaction, status and what was paid, as the operator reads them.
fn read(operator: &S88pay, arrived: &Arrived) -> (Value, Value, Value) {
    let told = operator.decrypted(&arrived.body);
    let part = |name: &str| told[name].clone();
    (part("transaction_code"), part("transaction_status"), part("transaction_actual_amount"))
}

#[test]
fn a_deposit_in_review_is_told_to_who_asks_and_ends_like_any_other() {
    let receiver = Receiver::start(SOUND);
    let sandbox = Sandbox::start(&["--callback-url", &receiver.url]);
    let (url, operator) = (sandbox.url(), S88pay::demo("IDR"));
    in_review(&sandbox, &operator, "REVIEW-1", "250004");
    in_review(&sandbox, &operator, "REVIEW-2", "260004");

    let sent = json!({ "success": true, "message": "Resend callback successful" });
    assert_eq!(operator.resend(url, "REVIEW-1").unwrap(), sent);
    let first = arrived(&receiver, 1);
    assert_eq!(read(&operator, &first[0]), (json!("REVIEW-1"), json!(4), json!("0.00")));
    assert_eq!(operator.resend(url, "REVIEW-1").unwrap(), sent);
    let again = arrived(&receiver, 2);
    assert_eq!(again[0].body, again[1].body, "the same bytes");
    assert_eq!(again[0].headers["webhook-id"], again[1].headers["webhook-id"]);

    // A person gives one up; for the other one money comes in after all.
    let resolved = sandbox.resolve("REVIEW-1", "failed");
    assert!(resolved.status.success(), "{}", String::from_utf8_lossy(&resolved.stderr));
    let ended = arrived(&receiver, 3);
    assert_eq!(read(&operator, &ended[2]), (json!("REVIEW-1"), json!(3), json!("0.00")));
    assert_eq!(operator.status(url, "REVIEW-1").unwrap(), "failed");
    let money = Mutation {
        id: "1".to_owned(),
        at: written(now()),
        amount: "260004".to_owned(),
        sender: String::new(),
        reference: String::new(),
    };
    let told = Feed::demo("demo_bank").tell(url, &[money]).unwrap();
    assert_eq!(Feed::states(&told), [("used".to_owned(), String::new())]);
    let paid = arrived(&receiver, 4);
    assert_eq!(read(&operator, &paid[3]), (json!("REVIEW-2"), json!(2), json!("260004.00")));
    assert_eq!(operator.status(url, "REVIEW-2").unwrap(), "completed");

    // What is told again is how it ended.
    assert_eq!(operator.resend(url, "REVIEW-1").unwrap(), sent);
    let last = arrived(&receiver, 5);
    assert_eq!(last[4].body, ended[2].body);
    sandbox.verify();
}
