//! Nothing changes on refusal: every row of section 13.1 of the S88pay reference that a request of this
//! kind can meet, in one table, with the whole state of the store before and after it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::MerchantId;
use domain::audit::Summary;
use gateway::ports::StoreFault;
use serde_json::{Value, json};

use super::world::{
    BALANCE, Conditions, DEPOSIT, OPERATORS, PAYOUT, RESEND, STATUS, THB, UTR, World, cipher,
    deposit, get, payout, post, read,
};

/// All that a request could change.
#[derive(Debug, PartialEq)]
struct State {
    changes: u64,
    books: Summary,
    balances: Vec<i64>,
    payouts: u64,
}

impl State {
    async fn of(world: &World) -> Self {
        let mut balances = Vec::new();
        for (_, code, _) in OPERATORS {
            balances.push(world.available(code).await);
        }
        Self {
            changes: world.memory.changes(),
            books: world.memory.audit().expect("sound books"),
            balances,
            payouts: world.supplier.payouts.load(Ordering::SeqCst),
        }
    }
}

/// Whose request, to which path, with what else than usual, and the code; none for one that is told in
/// words alone.
type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], Option<u16>);

const TOO_OLD: &str = "1699996399";

const DEPOSITS: [Row<'_>; 15] = [
    (THB, DEPOSIT, &[("user_id", "-")], Some(109)),
    (THB, DEPOSIT, &[("transaction_amount", "0")], Some(109)),
    ("OPRKRW", DEPOSIT, &[("deposit_name", "-")], Some(109)),
    ("OPRTRY", DEPOSIT, &[("identity_id", "-")], Some(109)),
    ("OPRBDT", DEPOSIT, &[("phone", "+8801812345678")], Some(109)),
    (THB, DEPOSIT, &[("payment_code", "P999")], Some(110)),
    (THB, DEPOSIT, &[("bank_code", "999")], Some(110)),
    (THB, DEPOSIT, &[("transaction_code", "WAITS")], Some(111)),
    (THB, DEPOSIT, &[("transaction_timestamp", TOO_OLD)], Some(112)),
    (THB, DEPOSIT, &[("transaction_code", "PAID")], Some(113)),
    (THB, DEPOSIT, &[("currency_code", "IDR")], Some(114)),
    (THB, DEPOSIT, &[("payment_code", "P004")], Some(114)),
    (THB, DEPOSIT, &[("merchant_api_key", "other")], Some(115)),
    (THB, DEPOSIT, &[("payment_code", "P002")], Some(116)),
    (THB, DEPOSIT, &[("bank_code", "105")], Some(116)),
];

const PAYOUTS: [Row<'_>; 13] = [
    (THB, PAYOUT, &[("account_name", "-")], Some(109)),
    (THB, PAYOUT, &[("payout_code", "P001")], Some(110)),
    (THB, PAYOUT, &[("transaction_code", "PAID-OUT")], Some(111)),
    (THB, PAYOUT, &[("transaction_timestamp", TOO_OLD)], Some(112)),
    (THB, PAYOUT, &[("payout_code", "W003")], Some(113)),
    (THB, PAYOUT, &[("currency_code", "IDR")], Some(114)),
    (THB, PAYOUT, &[("merchant_code", "OPRIDR")], Some(115)),
    (THB, PAYOUT, &[("payout_code", "W002")], Some(116)),
    ("OPRPHP", PAYOUT, &[("bank_code", "SME")], Some(116)),
    (THB, PAYOUT, &[("transaction_amount", "999999")], Some(119)),
    ("OPRINR", PAYOUT, &[("ifsc_code", "SBIN1234")], Some(120)),
    (THB, PAYOUT, &[("bank_code", "99")], Some(121)),
    ("OPRVND", PAYOUT, &[("transaction_amount", "1.5")], Some(122)),
];

/// What is asked about a transaction that is there, and refused.
const QUESTIONS: [Row<'_>; 8] = [
    ("OPRINR", UTR, &[("transaction_code", "UTR"), ("utr", "41234567890")], Some(109)),
    ("OPRINR", UTR, &[("transaction_code", "NONE"), ("utr", "412345678901")], None),
    (THB, UTR, &[("transaction_code", "PAID"), ("utr", "412345678901")], Some(113)),
    (THB, STATUS, &[("merchant_api_key", "unit-test-api-key")], Some(109)),
    (THB, STATUS, &[("merchant_api_key", "other"), ("transaction_code", "PAID")], Some(115)),
    (THB, STATUS, &[("merchant_api_key", "unit-test-api-key"), ("transaction_code", "X")], None),
    (
        THB,
        RESEND,
        &[("merchant_api_key", "unit-test-api-key"), ("transaction_code", "WAITS")],
        None,
    ),
    (THB, RESEND, &[("merchant_api_key", "other"), ("transaction_code", "PAID")], Some(115)),
];

/// A world with a deposit that waits, one that is over, one that waits for a reference, and a payout.
async fn world(conditions: Conditions) -> World {
    let world = World::under(conditions).await;
    world.deposited(THB, "WAITS", "10.02").await;
    world.deposited(THB, "PAID", "10.00").await;
    world.deposited("OPRINR", "UTR", "10.02").await;
    world.paid_out(THB, "PAID-OUT", "10").await;
    world
}

fn text(code: &str, path: &str, given: &[(&str, &str)]) -> String {
    match path {
        DEPOSIT => deposit(code, given),
        PAYOUT => payout(code, given),
        _ => crate::s88pay::compose::pairs(given.iter().copied()),
    }
}

/// What is refused, whatever it is called: no answer to a refusal says that it succeeded.
fn assert_refused(body: &Value, code: Option<u16>, row: &str) {
    assert_eq!(body.get("code").and_then(Value::as_u64), code.map(u64::from), "{row} {body}");
    let refused = body["status"] == "failed" || body["success"] == false;
    assert!(refused, "{row} {body}");
}

#[tokio::test]
async fn nothing_changes_on_any_refusal() {
    let world = world(Conditions::default()).await;
    let before = State::of(&world).await;
    let mut reached: [BTreeSet<u16>; 2] = Default::default();
    let mut reach = |path: &str, code: Option<u16>| {
        let kind = usize::from(path == PAYOUT);
        reached[kind].extend(code.filter(|_| path == DEPOSIT || path == PAYOUT));
    };
    for (merchant, path, given, code) in DEPOSITS.into_iter().chain(PAYOUTS).chain(QUESTIONS) {
        let row = format!("{merchant} {path} {given:?}");
        let (_, body) = world.ask(merchant, path, &text(merchant, path, given)).await;
        assert_refused(&body, code, &row);
        assert_eq!(State::of(&world).await, before, "{row}");
        // What a currency wants besides is wanted on the merchant's own page only.
        if path == DEPOSIT && merchant == THB {
            let page = world.open_page(merchant, &text(merchant, path, given)).await;
            assert!(page.status().is_client_error() || page.status().is_server_error(), "{row}");
            assert_eq!(State::of(&world).await, before, "{row} on our page");
        }
        reach(path, code);
    }
    for (path, body, code) in [
        (DEPOSIT, "{}", 118),
        (DEPOSIT, r#"{"key":"AAAA"}"#, 118),
        (PAYOUT, "key=***", 118),
        (DEPOSIT, r#"{"key":"pqWlpaWlpaWlpaWlpaWlpQ=="}"#, 115),
        (PAYOUT, r#"{"key":"pqWlpaWlpaWlpaWlpaWlpQ=="}"#, 115),
    ] {
        let (_, told) = read(&world.send(post(&path.replace("{}", THB), body)).await);
        assert_refused(&told, Some(code), body);
        assert_eq!(State::of(&world).await, before, "{body}");
        reach(path, Some(code));
    }
    for key in [cipher(THB).encrypt("merchant_code=OPRIDR"), "AAAA".to_owned()] {
        let answer = world.send(get(&format!("{}?key={key}", BALANCE.replace("{}", THB)))).await;
        assert!(answer.status().is_client_error());
        assert_eq!(State::of(&world).await, before, "balance");
    }
    // Code 124 and our own faults, 117, 123 and 131, take worlds of their own.
    assert_eq!(reached[0], BTreeSet::from([109, 110, 111, 112, 113, 114, 115, 116, 118]));
    assert_eq!(
        reached[1],
        BTreeSet::from([109, 110, 111, 112, 113, 114, 115, 116, 118, 119, 120, 121, 122])
    );
}

#[tokio::test]
async fn nothing_changes_for_callers_from_elsewhere() {
    let nobody: crate::admission::AddressRule = Arc::new(|merchant, _| merchant != MerchantId(1));
    let world = World::under(Conditions { addresses: nobody, ..Conditions::default() }).await;
    let before = State::of(&world).await;
    for (path, text) in [
        (DEPOSIT, deposit(THB, &[])),
        (PAYOUT, payout(THB, &[])),
        (UTR, "transaction_code=A&utr=412345678901".to_owned()),
        (STATUS, "merchant_api_key=unit-test-api-key&transaction_code=A".to_owned()),
    ] {
        let (status, body) = world.ask(THB, path, &text).await;
        assert_eq!((status, &body["code"]), (403, &json!(124)), "{path}");
        assert_eq!(State::of(&world).await, before, "{path}");
    }
}

#[tokio::test]
async fn nothing_changes_where_we_fail() {
    let faults = [
        (StoreFault::Busy, 131),
        (StoreFault::CommitFailed("disk".to_owned()), 123),
        (StoreFault::Corrupt("page".to_owned()), 117),
    ];
    for (fault, code) in faults {
        let world = world(Conditions::default()).await;
        let before = (world.memory.changes(), world.supplier.payouts.load(Ordering::SeqCst));
        world.memory.fail_with(fault);
        let (_, body) = world.ask(THB, PAYOUT, &payout(THB, &[])).await;
        assert_refused(&body, Some(code), "payout");
        let (_, body) = world.ask(THB, DEPOSIT, &deposit(THB, &[])).await;
        assert_refused(&body, Some(117), "deposit");
        let after = (world.memory.changes(), world.supplier.payouts.load(Ordering::SeqCst));
        assert_eq!(after, before, "{code}");
    }
}
