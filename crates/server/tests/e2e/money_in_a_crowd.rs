//! Many do the same at the same moment with money from payers: it is credited once, everybody is
//! answered as documented, and the merchant is told once.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;

use serde_json::{Value, json};

use crate::harness::{Answer, Sandbox, request, wait_until};
use crate::money_clients::{Feed, Ilenpay, Mutation, S88pay, now, written};
use crate::receiver::{Receiver, SOUND};

const CROWD: usize = 200;
/// The merchants of the sandbox that take part, by their numbers.
const TOKO: u32 = 1;
const RUPIAH: u32 = 3;
const RUPEES: u32 = 4;
/// Nobody ever pays from this number by themselves.
const SENDER: &str = "081200000404";

/// Lets a crowd ask at the same moment, and counts what it is answered.
fn crowd<Told: Ord + Send>(ask: impl Fn(usize) -> Told + Sync) -> BTreeMap<Told, usize> {
    let start = Barrier::new(CROWD);
    let (start, ask) = (&start, &ask);
    let answers: Vec<Told> = thread::scope(|scope| {
        let one = |number| {
            move || {
                start.wait();
                ask(number)
            }
        };
        let asking: Vec<_> = (0..CROWD).map(|number| scope.spawn(one(number))).collect();
        asking.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let mut counted = BTreeMap::new();
    for answer in answers {
        *counted.entry(answer).or_insert(0) += 1;
    }
    counted
}

fn balance(sandbox: &Sandbox, merchant: u32) -> String {
    let headers = [("authorization", "Bearer sandbox-viewer")];
    let path = format!("/admin/v1/merchants/{merchant}");
    let merchant = request(sandbox.url(), "GET", &path, &headers, "").json();
    merchant["balance"].as_str().unwrap().to_owned()
}

/// Waits until nothing more is owed, and gives the references of what was told.
fn told(sandbox: &Sandbox, receiver: &Receiver) -> usize {
    wait_until("nothing is owed", || {
        sandbox.get("/metrics").body.contains("\nlunas_callback_queue_depth 0\n")
    });
    receiver.arrived().len()
}

/// Both documented answers of success: the first confirmation's, and that of all others.
fn kind_of(data: &Value) -> &'static str {
    match (&data["respon"], &data["status"], &data["balance"]) {
        (_, status, _) if status == "PAID" => "paid",
        (respon, Value::Null, _) if respon == "sukses" => "paid before",
        _ => "another",
    }
}

#[test]
fn a_crowd_of_confirmations_credits_once() {
    let receiver = Receiver::start(SOUND);
    let sandbox = Sandbox::start(&["--callback-url", &receiver.url]);
    let (url, toko) = (sandbox.url(), Ilenpay::demo());
    assert_eq!(balance(&sandbox, TOKO), "100000000");
    toko.open(url, "CROWD-1", 10_000).unwrap();
    let counted = crowd(|_| {
        let data = toko.confirm(url, "CROWD-1", "081298765432").unwrap();
        (kind_of(&data), data.to_string())
    });
    let undocumented: Vec<_> = counted.keys().filter(|(kind, _)| *kind == "another").collect();
    assert!(undocumented.is_empty(), "{undocumented:?}");
    assert!(counted.keys().any(|(kind, _)| *kind == "paid"), "{counted:?}");
    assert_eq!(balance(&sandbox, TOKO), "100010000");
    assert_eq!(told(&sandbox, &receiver), 1);
    sandbox.verify();
}

/// The payer's money was on suspense until somebody told from which number it came.
#[test]
fn a_crowd_that_tells_whose_money_is_there_is_told_that_it_is_paid() {
    let receiver = Receiver::start(SOUND);
    let sandbox = Sandbox::start(&["--callback-url", &receiver.url]);
    let (url, toko) = (sandbox.url(), Ilenpay::demo());
    for reference in ["CROWD-1", "CROWD-2"] {
        toko.open(url, reference, 10_000).unwrap();
    }
    let sim = Feed::demo("demo_sim");
    let money = mutation("1", "13000", SENDER);
    let answer = sim.tell(url, &[money]).unwrap();
    assert_eq!(Feed::states(&answer), [("suspended".to_owned(), "several-orders".to_owned())]);
    let counted = crowd(|_| kind_of(&toko.confirm(url, "CROWD-2", SENDER).unwrap()));
    assert_eq!(counted.get("another"), None, "{counted:?}");
    assert_eq!(toko.status(url, "CROWD-1").unwrap(), "UNPAID");
    assert_eq!(toko.status(url, "CROWD-2").unwrap(), "PAID");
    assert_eq!(balance(&sandbox, TOKO), "100010000");
    assert_eq!(told(&sandbox, &receiver), 1);
    sandbox.verify();
}

#[test]
fn a_crowd_that_submits_one_reference_credits_once() {
    let receiver = Receiver::start(SOUND);
    let sandbox = Sandbox::start(&["--callback-url", &receiver.url]);
    let (url, operator) = (sandbox.url(), S88pay::demo("INR"));
    assert_eq!(balance(&sandbox, RUPEES), "1000000.00");
    let opened = operator.deposit(url, "CROWD-1", "500.00").unwrap();
    assert_eq!(opened["status"], "success", "{opened}");
    let counted =
        crowd(|_| operator.submit_utr(url, "CROWD-1", "123456789012").unwrap().to_string());
    let documented = json!({ "message": "Success Submit Utr!", "status": "success" });
    assert_eq!(counted, BTreeMap::from([(documented.to_string(), CROWD)]));
    assert_eq!(operator.status(url, "CROWD-1").unwrap(), "completed");
    assert_eq!(balance(&sandbox, RUPEES), "1000495.00");
    assert_eq!(told(&sandbox, &receiver), 1);
    let told = operator.decrypted(&receiver.arrived()[0].body);
    assert_eq!(
        (&told["transaction_code"], &told["transaction_status"]),
        (&json!("CROWD-1"), &json!(2))
    );
    sandbox.verify();
}

fn mutation(id: &str, amount: &str, sender: &str) -> Mutation {
    Mutation {
        id: id.to_owned(),
        at: written(now()),
        amount: amount.to_owned(),
        sender: sender.to_owned(),
        reference: String::new(),
    }
}

/// What a feed is answered of the one row that it sent.
fn row(answer: &Answer) -> (String, Value) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let row = answer.json()["rows"][0].clone();
    (row["result"].as_str().unwrap().to_owned(), row["state"].clone())
}

#[test]
fn a_crowd_of_feeds_with_one_piece_of_evidence_credits_once() {
    let receiver = Receiver::start(SOUND);
    let mut sandbox = Sandbox::start(&["--callback-url", &receiver.url]);
    let operator = S88pay::demo("IDR");
    let bank = Feed::demo("demo_bank");
    let url = sandbox.url();
    // Two that wait for the same; the sandbox's payer leaves amounts that end in 02 alone.
    for transaction in ["CROWD-1", "CROWD-2"] {
        let opened = operator.deposit(url, transaction, "250002").unwrap();
        assert_eq!(opened["status"], "success", "{opened}");
    }
    operator.submit_utr(url, "CROWD-2", "REF-2").unwrap();
    let money = Mutation { reference: "REF-2".to_owned(), ..mutation("1", "250002", "") };
    let foreign = mutation("2", "777", "");
    let counted = crowd(|number| {
        let brought = if number % 2 == 0 { &money } else { &foreign };
        let (result, state) = row(&bank.tell(url, std::slice::from_ref(brought)).unwrap());
        (result, state.as_str().unwrap().to_owned())
    });
    let of = |result: &str, state: &str| {
        counted.get(&(result.to_owned(), state.to_owned())).copied().unwrap_or_default()
    };
    for state in ["used", "suspended"] {
        assert_eq!((of("recorded", state), of("repeated", state)), (1, CROWD / 2 - 1), "{state}");
    }
    assert_eq!(operator.status(url, "CROWD-1").unwrap(), "pending");
    assert_eq!(operator.status(url, "CROWD-2").unwrap(), "completed");
    // Less a fee of one in a hundred, rounded up.
    assert_eq!(balance(&sandbox, RUPIAH), (100_000_000 + 250_002 - 2501).to_string());
    assert_eq!(told(&sandbox, &receiver), 1);
    sandbox.verify();
    let log = sandbox.kill_and_read().errors;
    assert_eq!(log.matches("is on suspense").count(), 1, "one alarm for one piece: {log}");
}

/// Money is there as soon as it is told that an order is: whoever is answered may be paid at once.
#[test]
fn an_order_that_was_answered_is_found_by_evidence_right_after() {
    let sandbox = Sandbox::start(&[]);
    let (url, operator, bank) = (sandbox.url(), S88pay::demo("IDR"), Feed::demo("demo_bank"));
    thread::scope(|scope| {
        for client in 0..4 {
            let (operator, bank) = (&operator, &bank);
            scope.spawn(move || {
                for number in 0..25 {
                    let (transaction, amount) = (
                        format!("SOON-{client}-{number}"),
                        1_000_002 + 100 * (client * 25 + number),
                    );
                    let opened = operator.deposit(url, &transaction, &amount.to_string()).unwrap();
                    assert_eq!(opened["status"], "success", "{opened}");
                    let money = mutation(&transaction, &amount.to_string(), "");
                    let answer = bank.tell(url, &[money]).unwrap();
                    let (state, reason) = Feed::states(&answer).remove(0);
                    assert_eq!((state.as_str(), reason.as_str()), ("used", ""), "{transaction}");
                }
            });
        }
    });
    sandbox.verify();
}
