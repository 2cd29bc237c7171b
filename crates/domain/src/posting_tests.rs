//! The events of the books as tables: what happened, and the balances of all accounts after it.
//!
//! | row | meaning |
//! | --- | --- |
//! | `fund N`, `correct N` | the operator credits or debits the merchant |
//! | `accept NAME N` | a purchase or one part of a payout is accepted |
//! | `deliver NAME… cost N` | the upstream delivers for these holds |
//! | `refuse NAME…` | the upstream refuses |
//! | `collect N fee N` | a payer has paid through a channel |
//! | `suspend N` | money came in that belongs to nobody for certain |
//! | `reverse-delivery N cost N`, `reverse-refusal N cost N` | the upstream changes its mind |
//! | `= ACCOUNT N …` | every account's posted balance; those that are not named have none |
//! | `held N` | what is set aside on the merchant's account |
//!
//! An event row that ends in `! ERROR` fails so and makes no transfers. An amount may carry a
//! currency, `700:THB`. After each row all balances sum to zero and clearing has no posted rest.

use std::collections::BTreeMap;

use super::*;
use crate::account::Account;
use crate::fixtures::{Books, MERCHANT, account_key, amount, upstream};

const ACCOUNTS: [&str; 8] =
    ["M", "clearing", "float", "margin", "fees", "bank", "inbound", "suspense"];

fn money(text: &str) -> Amount {
    let (minor, code) = text.split_once(':').unwrap_or((text, "IDR"));
    let currency = Currency::from_code(code).expect("a currency");
    amount(minor.parse().expect("a number"), currency)
}

fn take_holds(holds: &mut BTreeMap<String, Hold>, names: &[&str]) -> Vec<Hold> {
    names.iter().map(|name| holds.remove(*name).expect("the hold was made")).collect()
}

/// Makes the transfers of one event. Holds are kept only if it succeeds.
fn post(
    ledger: &mut Ledger<'_>,
    holds: &mut BTreeMap<String, Hold>,
    row: &[&str],
) -> Result<(), LedgerError> {
    match *row {
        ["fund", it] => funded(ledger, MERCHANT, Direction::Credit, money(it)).map(drop),
        ["correct", it] => funded(ledger, MERCHANT, Direction::Debit, money(it)).map(drop),
        ["accept", name, it] => {
            holds.insert(name.to_owned(), accepted(ledger, MERCHANT, money(it))?);
            Ok(())
        }
        ["deliver", ref names @ .., "cost", cost] => {
            let mut taken = take_holds(holds, names);
            delivered(ledger, MERCHANT, &mut taken, &upstream(), money(cost))?;
            assert!(taken.iter().all(|hold| hold.resolved_by.is_some()), "{row:?}");
            Ok(())
        }
        ["refuse", ref names @ ..] => {
            let mut taken = take_holds(holds, names);
            refused(ledger, MERCHANT, &mut taken)?;
            assert!(taken.iter().all(|hold| hold.resolved_by.is_some()), "{row:?}");
            Ok(())
        }
        ["collect", gross, "fee", fee] => {
            collected(ledger, MERCHANT, "bank-transfer", money(gross), money(fee))
        }
        ["suspend", it] => suspended(ledger, "bank-transfer", money(it)).map(drop),
        ["reverse-delivery", charge, "cost", cost] => {
            delivery_reversed(ledger, MERCHANT, &upstream(), money(charge), money(cost))
        }
        ["reverse-refusal", charge, "cost", cost] => {
            refusal_reversed(ledger, MERCHANT, &upstream(), money(charge), money(cost))
        }
        _ => panic!("no such row: {row:?}"),
    }
}

fn check_balances(books: &Books, expected: &[&str], row: &str) {
    let expected: BTreeMap<_, _> = expected
        .chunks(2)
        .map(|pair| (account_key(pair[0]), pair[1].parse::<i64>().expect("a balance")))
        .collect();
    let actual: BTreeMap<_, _> = books
        .accounts
        .keys()
        .map(|key| (key.clone(), books.posted(key)))
        .filter(|(key, balance)| *balance != 0 || expected.contains_key(key))
        .collect();
    assert_eq!(actual, expected, "{row}");
}

fn check_always(books: &Books, row: &str) {
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for (key, account) in &books.accounts {
        *sums.entry(key.currency).or_default() += books.posted(key);
        let Account { counters, .. } = account;
        if key.role == AccountRole::Clearing {
            assert_eq!(
                counters.credits_posted, counters.debits_posted,
                "{row}: clearing has a rest"
            );
        }
        if key.role.is_limited() {
            assert!(counters.available().expect("within 64 bits") >= 0, "{row}: below zero");
        }
    }
    assert!(sums.values().all(|sum| *sum == 0), "{row}: {sums:?}");
}

#[track_caller]
fn check(table: &str) {
    let names: Vec<String> = ACCOUNTS
        .iter()
        .chain(&["receivable"])
        .flat_map(|name| [(*name).to_owned(), format!("{name}:THB")])
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut books = Books::default();
    let mut holds = BTreeMap::new();
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (event, error) = line.split_once('!').unwrap_or((line, "none"));
        let row: Vec<&str> = event.split_whitespace().collect();
        match row[..] {
            ["=", ref balances @ ..] => check_balances(&books, balances, line),
            ["held", expected] => {
                let account = &books.accounts[&account_key("M")];
                assert_eq!(account.counters.debits_pending.to_string(), expected, "{line}");
            }
            _ => {
                let mut kept = holds.clone();
                let before = books.transfers.len();
                let result = books.post(None, &names, |ledger| post(ledger, &mut kept, &row));
                let name = match &result {
                    Ok(()) => "none",
                    Err(LedgerError::InsufficientFunds) => "insufficient_funds",
                    Err(LedgerError::NothingToMove) => "nothing_to_move",
                    Err(LedgerError::CurrencyMismatch) => "currency_mismatch",
                    Err(LedgerError::Overflow) => "overflow",
                    Err(_) => "other",
                };
                assert_eq!(name, error.trim(), "{line}: {result:?}");
                assert_eq!(result.is_err(), books.transfers.len() == before, "{line}");
                if result.is_ok() {
                    holds = kept;
                }
            }
        }
        check_always(&books, line);
    }
}

#[test]
fn the_operator_funds_and_corrects() {
    check(
        "
        fund 1000
        = M 1000 bank -1000
        correct 300
        = M 700 bank -700
        correct 701 ! insufficient_funds
        = M 700 bank -700
        correct 700
        = M 0 bank 0
        fund 0 ! nothing_to_move
        fund 9223372036854775807 ! overflow
        fund 9223372036854774807
        fund 1 ! overflow
        ",
    );
}

#[test]
fn what_is_held_cannot_be_taken_back() {
    check(
        "
        fund 1000
        accept h 600
        correct 401 ! insufficient_funds
        correct 400
        = M 600 bank -600
        held 600
        refuse h
        held 0
        correct 600
        = M 0 bank 0
        ",
    );
}

#[test]
fn a_purchase_is_accepted() {
    check(
        "
        fund 1000
        accept h1 1001 ! insufficient_funds
        accept h1 0 ! nothing_to_move
        accept h1 400
        = M 1000 bank -1000
        held 400
        accept h2 601 ! insufficient_funds
        accept h2 600
        held 1000
        ",
    );
}

#[test]
fn a_purchase_is_delivered_at_any_cost() {
    // charge 400, cost -> balances
    let table = [
        (380, "M 600 bank -1000 float 380 margin 20"),
        (400, "M 600 bank -1000 float 400"),
        (430, "M 600 bank -1000 float 430 margin -30"),
        (0, "M 600 bank -1000 margin 400"),
    ];
    for (cost, balances) in table {
        check(&format!(
            "
            fund 1000
            accept h 400
            deliver h cost {cost}
            = {balances}
            held 0
            "
        ));
    }
}

#[test]
fn a_purchase_is_refused() {
    check(
        "
        fund 1000
        accept h 400
        refuse h
        = M 1000 bank -1000
        held 0
        ",
    );
}

#[test]
fn a_payout_has_two_holds() {
    check(
        "
        fund 1000
        accept amount 800
        accept fee 201 ! insufficient_funds
        accept fee 50
        = M 1000 bank -1000
        held 850
        deliver amount fee cost 810
        = M 150 bank -1000 float 810 margin 40
        held 0
        ",
    );
    check(
        "
        fund 1000
        accept amount 800
        accept fee 50
        refuse amount fee
        = M 1000 bank -1000
        held 0
        ",
    );
}

#[test]
fn a_collection_is_paid() {
    check(
        "
        collect 500 fee 0
        = M 500 inbound -500
        collect 1000 fee 10
        = M 1490 inbound -1500 fees 10
        collect 0 fee 0 ! nothing_to_move
        collect 5 fee 1496 ! insufficient_funds
        = M 1490 inbound -1500 fees 10
        ",
    );
}

#[test]
fn unclear_money_is_suspended() {
    check(
        "
        suspend 70
        = inbound -70 suspense 70
        suspend 0 ! nothing_to_move
        ",
    );
}

/// Delivering and taking that back leaves no trace but the transfers, whatever the cost was.
#[test]
fn a_reversed_delivery_leaves_nothing() {
    for cost in [380, 400, 430, 0] {
        check(&format!(
            "
            fund 1000
            accept h 400
            deliver h cost {cost}
            reverse-delivery 400 cost {cost}
            = M 1000 bank -1000
            "
        ));
    }
    check(
        "
        fund 400
        accept h 400
        deliver h cost 390
        = M 0 bank -400 float 390 margin 10
        reverse-delivery 400 cost 390
        = M 400 bank -400
        ",
    );
}

#[test]
fn a_reversed_refusal_is_borne_as_far_as_the_balance_goes() {
    // balance, held by another order -> balances
    let table = [
        (1000, 0, "M 600 bank -1000 float 380 margin 20"),
        (400, 0, "M 0 bank -400 float 380 margin 20"),
        (399, 0, "M 0 receivable -1 bank -399 float 380 margin 20"),
        (150, 0, "M 0 receivable -250 bank -150 float 380 margin 20"),
        (0, 0, "receivable -400 float 380 margin 20"),
        (1000, 700, "M 700 receivable -100 bank -1000 float 380 margin 20"),
        (1000, 1000, "M 1000 receivable -400 bank -1000 float 380 margin 20"),
    ];
    for (balance, held, balances) in table {
        let fund = if balance > 0 { format!("fund {balance}") } else { String::new() };
        let hold = if held > 0 { format!("accept other {held}") } else { String::new() };
        check(&format!(
            "
            {fund}
            {hold}
            reverse-refusal 400 cost 380
            = {balances}
            "
        ));
    }
    check(
        "
        fund 100
        reverse-refusal 400 cost 430
        = M 0 receivable -300 bank -100 float 430 margin -30
        ",
    );
}

#[test]
fn currencies_never_mix() {
    check(
        "
        fund 1000
        fund 500:THB
        = M 1000 bank -1000 M:THB 500 bank:THB -500
        accept h 400
        deliver h cost 380:THB ! currency_mismatch
        deliver h cost 0:THB ! currency_mismatch
        held 400
        accept baht 100:THB
        deliver h baht cost 380 ! currency_mismatch
        deliver baht cost 90:THB
        = M 1000 bank -1000 M:THB 400 bank:THB -500 float:THB 90 margin:THB 10
        refuse h
        collect 500 fee 5:THB ! currency_mismatch
        reverse-delivery 400 cost 0:THB ! currency_mismatch
        reverse-delivery 400 cost 5:THB ! currency_mismatch
        reverse-refusal 400 cost 0:THB ! currency_mismatch
        reverse-refusal 400 cost 5:THB ! currency_mismatch
        ",
    );
}

/// The engine loads what [`order_accounts`] names; one account more would be a fault in production.
#[test]
fn accepting_and_resolving_touch_no_other_accounts() {
    let keys = order_accounts(MERCHANT, &upstream(), Currency::Idr);
    assert_eq!(keys, ["M", "clearing", "float", "margin"].map(account_key));
}
