//! What is wrong with us is a fault, and never taken for something that the merchant did.

use super::*;
use crate::account::{Account, Counters};
use crate::identifier::AccountId;
use crate::working_set::LastNumbers;

/// One command of each kind that needs records, and books in which it changes something.
fn cases() -> Vec<(Books, Command)> {
    let mut quoted = Books::funded(1000);
    quoted.run(&make_quote(request("A", "x", Mode::Live), rupiah(400))).expect("quoted");
    vec![
        (Books::default(), fund("f", Direction::Credit, rupiah(5))),
        (Books::funded(10), fund("f", Direction::Debit, rupiah(5))),
        (Books::funded(10), fund("start", Direction::Credit, rupiah(10))),
        (Books::default(), make_quote(request("A", "x", Mode::Live), rupiah(400))),
        (quoted.clone(), make_quote(request("A", "x", Mode::Live), rupiah(400))),
        (Books::default(), decline(request("A", "x", Mode::Live), Refusal::BillPaid)),
        (quoted, Command::Accept(accept(1))),
        (processing(), Command::Accept(accept(1))),
        (processing(), Command::Resolve(resolve(1, delivered(rupiah(390))))),
        (processing(), Command::Resolve(resolve(1, Outcome::Refused(Refusal::BillPaid)))),
        (processing(), Command::Resolve(resolve(1, Outcome::Unknown(Doubt::Silent)))),
    ]
}

#[test]
fn what_nobody_loaded_is_a_fault() {
    for (_, command) in cases() {
        let result = decide(&WorkingSet::new(LastNumbers::default()), &command);
        assert!(
            matches!(result, Err(DecideFault::NotLoaded(_) | DecideFault::Books(_))),
            "{command:?}: {result:?}"
        );
    }
}

/// Of what a command names, each part that is left out is a fault or makes no difference. It is
/// never taken for a record that does not exist.
#[test]
fn nothing_that_was_left_out_is_taken_for_absent() {
    for (books, command) in cases() {
        let whole = books.decide(&command);
        let mut keys = crate::command::Keys::default();
        command.add_keys(&mut keys);
        let mut faults = 0;
        for left_out in &keys.accounts {
            let mut working_set = books.load(&[]);
            for key in keys.accounts.iter().filter(|key| *key != left_out) {
                working_set.put_account(key.clone(), books.accounts.get(key).cloned());
            }
            for id in &keys.orders {
                working_set.put_order(*id, books.orders.get(id).cloned());
            }
            for key in &keys.fundings {
                working_set.put_funding(key.clone(), books.fundings.get(key).cloned());
            }
            match decide(&working_set, &command) {
                Err(DecideFault::Books(LedgerError::NotLoaded(key))) => {
                    assert_eq!(key, *left_out, "{command:?}");
                    faults += 1;
                }
                other => assert_eq!(other, Ok(whole.clone()), "{command:?}"),
            }
        }
        assert!(faults > 0 || keys.accounts.is_empty(), "{command:?} needs no account");

        // The accounts alone: the order, reference or funding is missing.
        let mut accounts_only = books.load(&[]);
        for key in &keys.accounts {
            accounts_only.put_account(key.clone(), books.accounts.get(key).cloned());
        }
        let result = decide(&accounts_only, &command);
        assert!(matches!(result, Err(DecideFault::NotLoaded(_))), "{command:?}: {result:?}");
    }
}

#[test]
fn damaged_records_are_faults() {
    let accept = Command::Accept(accept(1));
    let deliver = Command::Resolve(resolve(1, delivered(rupiah(390))));
    let refuse = Command::Resolve(resolve(1, Outcome::Refused(Refusal::BillPaid)));
    let result = |books: &Books, command: &Command| {
        decide(&books.load(std::slice::from_ref(command)), command).map(|decision| decision.answer)
    };

    let mut quoted = Books::funded(1000);
    quoted.run(&make_quote(request("A", "x", Mode::Live), rupiah(400))).expect("quoted");
    let mut order = Order::clone(&quoted.orders[&OrderId(1)]);
    order.quote = None;
    quoted.orders.insert(OrderId(1), Arc::new(order));
    let fault = NotLoaded("quote of order 1".into());
    assert_eq!(result(&quoted, &accept), Err(DecideFault::NotLoaded(fault)));

    let mut unheld = processing();
    let mut order = Order::clone(&unheld.orders[&OrderId(1)]);
    order.holds.clear();
    unheld.orders.insert(OrderId(1), Arc::new(order));
    let fault = DecideFault::NotLoaded(NotLoaded("hold of order 1".into()));
    for command in [&deliver, &refuse] {
        assert_eq!(result(&unheld, command), Err(fault.clone()));
    }

    let mut emptied = processing();
    for account in emptied.accounts.values_mut() {
        account.counters.debits_pending = 0;
    }
    let hold = emptied.orders[&OrderId(1)].holds[0].transfer;
    for command in [&deliver, &refuse] {
        let fault = DecideFault::Books(LedgerError::HoldMissing(hold));
        assert_eq!(result(&emptied, command), Err(fault));
    }

    let mut resolved = processing();
    let mut order = Order::clone(&resolved.orders[&OrderId(1)]);
    order.holds[0].resolved_by = Some(hold);
    resolved.orders.insert(OrderId(1), Arc::new(order));
    for command in [&deliver, &refuse] {
        let fault = DecideFault::Books(LedgerError::HoldResolved(hold));
        assert_eq!(result(&resolved, command), Err(fault));
    }
}

/// A cost in another currency than the charge cannot be posted; the order stays as it is.
#[test]
fn a_cost_in_another_currency_is_a_fault() {
    let books = processing();
    let cost = crate::fixtures::amount(390, Currency::Thb);
    let command = Command::Resolve(resolve(1, delivered(cost)));
    let result = decide(&books.load(std::slice::from_ref(&command)), &command);
    assert_eq!(result, Err(DecideFault::Books(LedgerError::CurrencyMismatch)));
}

#[test]
fn exhausted_numbers_are_faults() {
    let last = LastNumbers { order: u64::MAX, ..LastNumbers::default() };
    let asked = request("A", "x", Mode::Live);
    let mut working_set = WorkingSet::new(last);
    working_set.put_reference(asked.key.clone(), None);
    let command = make_quote(asked, rupiah(400));
    assert_eq!(decide(&working_set, &command), Err(DecideFault::Exhausted));

    let mut books = Books::default();
    let key = AccountKey::merchant(MERCHANT, Currency::Idr);
    let mut account = Account::open(AccountId(1), key.clone());
    account.counters = Counters { debits_posted: 1, ..Counters::default() };
    books.accounts.insert(key, account);
    books.run(&make_quote(request("A", "x", Mode::Test), rupiah(400))).expect("quoted");
    let command = Command::Accept(accept(1));
    let result = decide(&books.load(std::slice::from_ref(&command)), &command);
    assert_eq!(result, Err(DecideFault::Exhausted), "a balance below zero is no amount");
}
