//! The rules of double entry as tables, one row per case.
//!
//! | row | meaning |
//! | --- | --- |
//! | `start ACCOUNT dp d cp c` | the account is stored with these counters |
//! | `last ACCOUNTS TRANSFERS` | the highest numbers given out |
//! | `unloaded ACCOUNT` | nobody looked for the account |
//! | `direct FROM TO AMOUNT RESULT` | moves at once |
//! | `hold NAME FROM TO AMOUNT RESULT` | sets aside under a name |
//! | `forge NAME FROM TO AMOUNT` | an order claims a hold that was never made |
//! | `post NAME RESULT`, `void NAME RESULT` | resolves a hold |
//! | `counters ACCOUNT dp d cp c` | the counters now: debits pending, posted, credits pending, posted |
//! | `available ACCOUNT N` | what may be spent now |
//! | `closed ACCOUNT` | nothing has opened it |
//! | `changes TRANSFERS ACCOUNTS` | how many of each the ledger would save |
//!
//! Accounts that no `start` or `unloaded` row names were looked for and do not exist. An amount may
//! carry a currency, `700:THB`; `MAX` is the largest.

use std::collections::BTreeMap;

use super::*;
use crate::account::AccountRole;
use crate::fixtures::{NOW, account_key, amount, at};
use crate::money::Currency;
use crate::working_set::LastNumbers;

fn number(text: &str) -> i64 {
    match text.strip_prefix("MAX") {
        Some("") => i64::MAX,
        Some(rest) => i64::MAX + rest.parse::<i64>().expect("a number follows MAX"),
        None => text.parse().expect("a number"),
    }
}

fn money(text: &str) -> Amount {
    let (minor, code) = text.split_once(':').unwrap_or((text, "IDR"));
    amount(number(minor), Currency::from_code(code).expect("a currency"))
}

fn counters(texts: &[&str]) -> Counters {
    let [debits_pending, debits_posted, credits_pending, credits_posted] =
        <[&str; 4]>::try_from(texts).expect("four counters").map(number);
    Counters { debits_pending, debits_posted, credits_pending, credits_posted }
}

fn name_of<Value>(result: &Result<Value, LedgerError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(LedgerError::NothingToMove) => "nothing_to_move",
        Err(LedgerError::SameAccount) => "same_account",
        Err(LedgerError::CurrencyMismatch) => "currency_mismatch",
        Err(LedgerError::HoldResolved(_)) => "hold_resolved",
        Err(LedgerError::NotLoaded(_)) => "not_loaded",
        Err(LedgerError::InsufficientFunds) => "insufficient_funds",
        Err(LedgerError::HoldMissing(_)) => "hold_missing",
        Err(LedgerError::Overflow) => "overflow",
    }
}

fn rows(table: &str) -> Vec<Vec<&str>> {
    let words = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.filter(|row| !row.is_empty()).collect()
}

/// What is stored before the first transfer.
fn stored(rows: &[Vec<&str>]) -> WorkingSet {
    let mut last = LastNumbers::default();
    if let Some(row) = rows.iter().find(|row| row[0] == "last") {
        last.account = u64::try_from(number(row[1])).expect("not negative");
        last.transfer = row[2].parse().expect("a number");
    }
    let mut accounts: BTreeMap<&str, Option<Account>> = BTreeMap::new();
    for row in rows {
        let names = match row[0] {
            "direct" => &row[1..3],
            "hold" | "forge" => &row[2..4],
            "counters" | "available" | "closed" => &row[1..2],
            _ => &[],
        };
        for name in names {
            accounts.entry(name).or_insert(None);
        }
    }
    for row in rows.iter().filter(|row| row[0] == "start") {
        last.account += 1;
        let mut account = Account::open(AccountId(last.account), account_key(row[1]));
        account.counters = counters(&row[2..]);
        accounts.insert(row[1], Some(account));
    }
    for row in rows.iter().filter(|row| row[0] == "unloaded") {
        accounts.remove(row[1]);
    }
    let mut working_set = WorkingSet::new(last);
    for (name, account) in accounts {
        working_set.put_account(account_key(name), account);
    }
    working_set
}

/// A hold and the accounts between which an order knows it to be.
type Held = (Hold, AccountKey, AccountKey);

fn run_row<'row>(
    ledger: &mut Ledger<'_>,
    holds: &mut BTreeMap<&'row str, Held>,
    row: &[&'row str],
) {
    let context = row.join(" ");
    let stands = |ledger: &Ledger<'_>, key: &AccountKey| {
        let stored = || ledger.working_set.account(key).ok().flatten().cloned();
        ledger.touched.get(key).cloned().or_else(stored)
    };
    match *row {
        ["start" | "last" | "unloaded", ..] => {}
        ["direct", from, to, moved, expected] => {
            let result = ledger.direct(&account_key(from), &account_key(to), money(moved));
            assert_eq!(name_of(&result), expected, "{context}");
        }
        ["hold", name, from, to, moved, expected] => {
            let (from, to) = (account_key(from), account_key(to));
            let result = ledger.hold(&from, &to, money(moved));
            assert_eq!(name_of(&result), expected, "{context}");
            if let Ok(hold) = result {
                assert_eq!((hold.amount, hold.resolved_by), (money(moved), None), "{context}");
                holds.insert(name, (hold, from, to));
            }
        }
        ["forge", name, from, to, moved] => {
            let hold = Hold { transfer: TransferId(999), amount: money(moved), resolved_by: None };
            holds.insert(name, (hold, account_key(from), account_key(to)));
        }
        [verb @ ("post" | "void"), name, expected] => {
            let (hold, from, to) = holds.get_mut(name).expect("the hold was made");
            let before = *hold;
            let result = if verb == "post" {
                ledger.post(hold, from, to)
            } else {
                ledger.void(hold, from, to)
            };
            assert_eq!(name_of(&result), expected, "{context}");
            let resolved_by = match &result {
                Ok(()) => ledger.transfers.last().map(|transfer| transfer.id),
                Err(_) => before.resolved_by,
            };
            assert_eq!(*hold, Hold { resolved_by, ..before }, "{context}");
        }
        ["counters", name, ..] => {
            let account = stands(ledger, &account_key(name)).expect("the account exists");
            assert_eq!(account.counters, counters(&row[2..]), "{context}");
        }
        ["available", name, expected] => {
            let expected = if expected == "overflow" {
                Err(LedgerError::Overflow)
            } else if expected == "not_loaded" {
                Err(LedgerError::NotLoaded(account_key(name)))
            } else {
                Ok(number(expected))
            };
            assert_eq!(ledger.available(&account_key(name)), expected, "{context}");
        }
        ["closed", name] => assert_eq!(stands(ledger, &account_key(name)), None, "{context}"),
        ["changes", transfers, accounts] => {
            let made = (ledger.transfers.len().to_string(), ledger.touched.len().to_string());
            assert_eq!(made, (transfers.to_owned(), accounts.to_owned()), "{context}");
        }
        _ => panic!("no such row: {context}"),
    }
}

#[track_caller]
fn check(table: &str) {
    let rows = rows(table);
    let working_set = stored(&rows);
    let mut ledger = Ledger::new(&working_set, None, at(NOW));
    let mut holds = BTreeMap::new();
    for row in &rows {
        run_row(&mut ledger, &mut holds, row);
    }
}

#[test]
fn a_direct_transfer_moves_at_once() {
    check(
        "
        direct   bank M 1000 ok
        counters bank 0 1000 0 0
        counters M    0 0 0 1000
        direct   M bank 400 ok
        counters bank 0 1000 0 400
        counters M    0 400 0 1000
        available M 600
        available bank -600
        changes 2 2
        ",
    );
}

#[test]
fn a_hold_sets_aside_and_is_posted_or_voided() {
    check(
        "
        direct   bank M 1000 ok
        hold     h1 M clearing 400 ok
        counters M        400 0 0 1000
        counters clearing 0 0 400 0
        available M 600
        available clearing 0
        hold     h2 M clearing 600 ok
        available M 0
        post     h1 ok
        counters M        600 400 0 1000
        counters clearing 0 0 600 400
        void     h2 ok
        counters M        0 400 0 1000
        counters clearing 0 0 0 400
        available M 600
        changes 5 3
        ",
    );
}

/// In blnk #182 a hold that had been rejected could still be committed.
#[test]
fn a_hold_is_resolved_once() {
    check(
        "
        direct bank M 1000 ok
        hold   posted M clearing 400 ok
        hold   voided M clearing 500 ok
        post   posted ok
        post   posted hold_resolved
        void   posted hold_resolved
        void   voided ok
        void   voided hold_resolved
        post   voided hold_resolved
        counters M        0 400 0 1000
        counters clearing 0 0 0 400
        changes 5 3
        ",
    );
}

/// blnk #181 accepted the sixth.
#[test]
fn holds_never_exceed_what_is_available() {
    check(
        "
        direct bank M 5000 ok
        hold   h1 M clearing 1000 ok
        hold   h2 M clearing 1000 ok
        hold   h3 M clearing 1000 ok
        hold   h4 M clearing 1000 ok
        hold   h5 M clearing 1000 ok
        hold   h6 M clearing 1000 insufficient_funds
        hold   h6 M clearing 1 insufficient_funds
        direct M bank 1 insufficient_funds
        post   h1 ok
        hold   h6 M clearing 1 insufficient_funds
        void   h2 ok
        hold   h6 M clearing 1001 insufficient_funds
        hold   h6 M clearing 1000 ok
        hold   h7 M clearing 1 insufficient_funds
        ",
    );
}

#[test]
fn what_an_account_is_to_receive_cannot_be_spent() {
    check(
        "
        direct bank M 100 ok
        hold   h1 M N 100 ok
        available N 0
        direct N bank 1 insufficient_funds
        post   h1 ok
        direct N bank 100 ok
        available N 0
        available M 0
        ",
    );
}

#[test]
fn only_merchant_accounts_are_limited() {
    for name in ["clearing", "float", "margin", "fees", "bank", "inbound", "suspense", "receivable"]
    {
        check(&format!(
            "
            direct {name} M 10 ok
            hold h1 {name} N 5 ok
            available {name} -15
            post h1 ok
            counters {name} 0 15 0 0
            "
        ));
    }
    for name in ["M", "N"] {
        check(&format!(
            "
            direct {name} bank 1 insufficient_funds
            hold h1 {name} bank 1 insufficient_funds
            direct bank {name} 1 ok
            direct {name} bank 2 insufficient_funds
            direct {name} bank 1 ok
            "
        ));
    }
}

#[test]
fn nonsense_is_refused() {
    check(
        "
        direct bank M 0 nothing_to_move
        hold   h1 bank M 0 nothing_to_move
        direct bank bank 5 same_account
        hold   h1 M M 5 same_account
        direct bank:THB M 5 currency_mismatch
        direct bank M:THB 5:THB currency_mismatch
        direct bank M 5:THB currency_mismatch
        hold   h1 bank:THB M:THB 5 currency_mismatch
        direct bank:THB M:THB 5:THB ok
        changes 1 2
        ",
    );
}

/// A hold that only an order knows of, because the books were damaged.
#[test]
fn a_hold_that_is_not_on_the_accounts_is_missing() {
    check(
        "
        start M        300 0 0 1000
        start clearing 0 0 200 0
        forge more-than-both M clearing 301
        post  more-than-both hold_missing
        void  more-than-both hold_missing
        forge more-than-credit M clearing 201
        post  more-than-credit hold_missing
        void  more-than-credit hold_missing
        forge elsewhere N clearing 1
        void  elsewhere hold_missing
        closed N
        changes 0 0
        counters M 300 0 0 1000
        forge within M clearing 200
        void  within ok
        ",
    );
}

/// From the first to the last: resolved, nothing, same, currency, not loaded, and then whatever the
/// counters say. Each row breaks its own rule and every later one that it can.
#[test]
fn errors_have_a_fixed_precedence() {
    check(
        "
        unloaded N
        unloaded N:THB
        start  M 0 0 0 100
        hold   h1 M clearing 10 ok
        void   h1 ok
        post   h1 hold_resolved
        direct N N:THB 0 nothing_to_move
        direct N N 0 nothing_to_move
        direct N N 5:THB same_account
        direct N N:THB 5 currency_mismatch
        direct M N 500 not_loaded
        direct N M 500 not_loaded
        ",
    );
    check(
        "
        start  M    0 0 0 100
        start  bank 0 0 0 MAX
        direct M bank 101 insufficient_funds
        direct M bank 100 overflow
        ",
    );
    check(
        "
        last   0 18446744073709551615
        direct M bank 1 insufficient_funds
        forge  h1 M bank 1
        post   h1 hold_missing
        direct bank M 1 overflow
        ",
    );
}

#[test]
fn an_account_that_was_not_looked_for_is_a_fault() {
    check(
        "
        unloaded bank
        direct bank M 5 not_loaded
        direct M bank 5 not_loaded
        hold   h1 bank M 5 not_loaded
        forge  h1 M bank 5
        post   h1 not_loaded
        void   h1 not_loaded
        available bank not_loaded
        closed M
        changes 0 0
        ",
    );
}

#[test]
fn counters_stop_at_sixty_four_bits() {
    check(
        "
        direct bank M MAX ok
        counters M 0 0 0 MAX
        available M MAX
        available bank -9223372036854775807
        direct bank N 1 overflow
        direct bank M 1 overflow
        closed N
        hold   h1 M clearing MAX ok
        hold   h2 suspense clearing 1 overflow
        closed suspense
        post   h1 ok
        counters M        0 MAX 0 MAX
        counters clearing 0 0 0 MAX
        changes 3 3
        ",
    );
    check(
        "
        start bank 2 MAX 0 0
        available bank overflow
        start M MAX 3 0 1
        available M overflow
        direct M clearing 1 overflow
        ",
    );
}

/// The hold is there; it is the posted counter that has no room.
#[test]
fn a_post_without_room_is_no_missing_hold() {
    check(
        "
        start M        5 0 0 5
        start clearing 0 0 5 MAX-4
        forge h1 M clearing 5
        post  h1 overflow
        counters clearing 0 0 5 MAX-4
        void  h1 ok
        ",
    );
    check(
        "
        start suspense 5 MAX-4 0 0
        start clearing 0 0 5 0
        forge h1 suspense clearing 5
        post  h1 overflow
        void  h1 ok
        ",
    );
}

#[test]
fn accounts_open_on_first_use() {
    let working_set = stored(&rows("start bank 0 0 0 0\ncounters M\ncounters N\nclosed fees"));
    let mut ledger = Ledger::new(&working_set, None, at(NOW));
    let [bank, first, second] = ["bank", "M", "N"].map(account_key);
    let five = amount(5, Currency::Idr);
    assert_eq!(ledger.direct(&second, &bank, five), Err(LedgerError::InsufficientFunds));
    let unloaded = account_key("margin");
    assert_eq!(
        ledger.direct(&second, &unloaded, five),
        Err(LedgerError::NotLoaded(unloaded.clone()))
    );
    assert_eq!(ledger.touched.len(), 0, "a refused transfer leaves no account behind");
    ledger.direct(&bank, &first, five).expect("made");
    ledger.direct(&bank, &second, five).expect("made");
    let (_, accounts) = ledger.into_changes();
    let mut numbers: Vec<_> =
        accounts.into_iter().map(|account| (account.id.0, account.key.role)).collect();
    numbers.sort_by_key(|(id, _)| *id);
    let merchant = |key: AccountKey| key.role;
    assert_eq!(
        numbers,
        [(1, AccountRole::Bank), (2, merchant(first)), (3, merchant(second))],
        "refused transfers use up no numbers"
    );
}

#[test]
fn the_last_account_number_is_not_given_out_twice() {
    let mut working_set =
        WorkingSet::new(LastNumbers { account: u64::MAX - 1, ..LastNumbers::default() });
    let [bank, merchant] = ["bank", "M"].map(account_key);
    working_set.put_account(bank.clone(), None);
    working_set.put_account(merchant.clone(), None);
    let mut ledger = Ledger::new(&working_set, None, at(NOW));
    let result = ledger.direct(&bank, &merchant, amount(5, Currency::Idr));
    assert_eq!(result, Err(LedgerError::Overflow));
    assert_eq!(ledger.into_changes(), (Vec::new(), Vec::new()));
}

#[test]
fn transfers_link_to_those_before_them() {
    let working_set = stored(&rows("last 0 40\nclosed bank\nclosed M\nclosed clearing"));
    let mut ledger = Ledger::new(&working_set, Some(OrderId(7)), at(NOW));
    let [bank, merchant, clearing] = ["bank", "M", "clearing"].map(account_key);
    ledger.direct(&bank, &merchant, amount(9, Currency::Idr)).expect("made");
    let mut hold = ledger.hold(&merchant, &clearing, amount(4, Currency::Idr)).expect("made");
    ledger.direct(&bank, &clearing, amount(1, Currency::Idr)).expect("made");
    ledger.post(&mut hold, &merchant, &clearing).expect("made");
    let (transfers, accounts) = ledger.into_changes();
    let links: Vec<_> = transfers
        .iter()
        .map(|it| (it.id.0, it.previous_debit.map(|id| id.0), it.previous_credit.map(|id| id.0)))
        .collect();
    assert_eq!(
        links,
        [
            (41, None, None),
            (42, Some(41), None),
            (43, Some(41), Some(42)),
            (44, Some(42), Some(43)),
        ]
    );
    assert_eq!(hold.transfer, TransferId(42));
    assert_eq!(transfers[3].kind, TransferKind::Post(TransferId(42)));
    assert!(transfers.iter().all(|it| it.order == Some(OrderId(7)) && it.at == at(NOW)));
    for account in accounts {
        let latest = if account.key == bank { &transfers[2] } else { &transfers[3] };
        assert_eq!(account.latest, Some((latest.id, latest.hash)), "{:?}", account.key);
    }
}
