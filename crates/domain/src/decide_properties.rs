//! What holds after any sequence of commands.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::fixtures::histories::{Step, command_of, steps};
use crate::identifier::TransferId;

/// Sums, limits and holds, reckoned from the accounts and transfers alone.
fn check_money(books: &Books) -> Result<(), TestCaseError> {
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for (key, account) in &books.accounts {
        *sums.entry(key.currency).or_default() += books.posted(key);
        let counters = account.counters;
        let spendable = counters.credits_posted - counters.debits_posted - counters.debits_pending;
        if matches!(key.role, AccountRole::Merchant(_)) {
            prop_assert!(spendable >= 0, "{:?} is below zero", key);
        }
        if key.role == AccountRole::Clearing {
            prop_assert_eq!(counters.credits_posted, counters.debits_posted, "clearing has a rest");
        }
    }
    prop_assert!(sums.values().all(|sum| *sum == 0), "{:?}", sums);
    let mut resolved: BTreeSet<TransferId> = BTreeSet::new();
    for transfer in &books.transfers {
        if let TransferKind::Post(hold) | TransferKind::Void(hold) = transfer.kind {
            prop_assert!(resolved.insert(hold), "hold {} is resolved twice", hold);
        }
    }
    Ok(())
}

/// An order only takes steps that its kind allows, and keeps what it was asked and told.
fn check_orders(before: &Books, after: &Books) -> Result<(), TestCaseError> {
    for (id, order) in &after.orders {
        let Some(earlier) = before.orders.get(id) else {
            prop_assert!(order.state.may_begin(order.kind));
            continue;
        };
        prop_assert!(
            earlier.state == order.state || earlier.state.may_become(order.state, order.kind),
            "{:?} became {:?}",
            earlier.state,
            order.state
        );
        prop_assert_eq!((&earlier.key, earlier.quote), (&order.key, order.quote));
        if earlier.state.is_final() {
            prop_assert_eq!(earlier, order);
        }
        if order.key.mode == Mode::Test {
            prop_assert!(order.holds.is_empty());
        }
    }
    prop_assert!(before.orders.keys().all(|id| after.orders.contains_key(id)));
    prop_assert_eq!(&after.transfers[..before.transfers.len()], &before.transfers[..]);
    Ok(())
}

/// What a repeat may change: nothing, except that not knowing once more moves the next question.
fn check_repeat(books: &Books, command: &Command) -> Result<(), TestCaseError> {
    let decision = books.decide(command);
    prop_assert!(decision.answer.is_ok(), "{:?}: {:?}", command, decision.answer);
    if let Command::Resolve(Resolve { outcome: Outcome::Unknown(_), .. }) = command {
        for change in &decision.changes {
            let Change::Order(order) = change else {
                return Err(TestCaseError::fail(format!("{command:?} changes {change:?}")));
            };
            let mut expected = Order::clone(&books.orders[&order.id]);
            expected.question_due = order.question_due;
            expected.attempts.clone_from(&order.attempts);
            prop_assert_eq!(&**order, &expected);
        }
    } else {
        prop_assert!(decision.changes.is_empty(), "{:?}: {:?}", command, decision.changes);
    }
    Ok(())
}

/// Runs the steps one by one and checks everything after each. Counts the answers by name.
fn check_history(
    steps: &[Step],
    seen: &RefCell<BTreeMap<String, u32>>,
) -> Result<(), TestCaseError> {
    let mut books = Books::default();
    let mut earlier: Vec<Command> = Vec::new();
    let mut effective: Vec<Command> = Vec::new();
    for step in steps {
        let Some(command) = command_of(step, &books, &earlier) else { continue };
        let before = books.clone();
        let decision = books.decide(&command);
        decision.changes.iter().for_each(|change| books.save(change));
        let name = told(&decision.answer);
        let name = name.split_whitespace().next().unwrap_or_default();
        *seen.borrow_mut().entry(name.to_owned()).or_default() += 1;

        if decision.answer.is_err() {
            prop_assert!(decision.changes.is_empty(), "{:?} was refused", command);
        }
        check_money(&books)?;
        check_orders(&before, &books)?;
        if let Err(finding) = books.audit() {
            return Err(TestCaseError::fail(format!("{command:?}: {finding}")));
        }
        if !decision.changes.is_empty() {
            check_repeat(&books, &command)?;
            effective.push(command.clone());
        }
        earlier.push(command);
    }
    effective.iter().try_for_each(|command| check_repeat(&books, command))
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..Default::default() })
}

#[test]
fn any_history_keeps_the_rules() {
    let seen = RefCell::default();
    runner(400)
        .run(&steps(), |steps| check_history(&steps, &seen))
        .unwrap_or_else(|failure| panic!("{failure}"));
    // A workload that never gets anywhere would prove nothing.
    for name in [
        "funded",
        "inquired",
        "repeated",
        "accepted",
        "accepted-before",
        "resolved",
        "contradicted",
    ] {
        let count = seen.borrow().get(name).copied().unwrap_or(0);
        assert!(count >= 20, "only {count} answers were {name}: {seen:?}");
    }
}

/// Commands of one batch see each other exactly as if each had been committed before the next.
#[test]
fn a_batch_decides_as_one_by_one() {
    runner(128)
        .run(&(steps(), 1..6_usize), |(steps, size)| {
            let mut single = Books::default();
            let mut commands = Vec::new();
            let mut answers = Vec::new();
            for step in &steps {
                if let Some(command) = command_of(step, &single, &commands) {
                    answers.push(single.run(&command));
                    commands.push(command);
                }
            }
            let mut batched = Books::default();
            for (batch, expected) in commands.chunks(size).zip(answers.chunks(size)) {
                let mut working_set = batched.load(batch);
                for (command, expected) in batch.iter().zip(expected) {
                    let decision = decide(&working_set, command).expect("loaded");
                    prop_assert_eq!(&decision.answer, expected);
                    for change in &decision.changes {
                        working_set.apply(change);
                        batched.save(change);
                    }
                }
            }
            prop_assert_eq!(&batched.transfers, &single.transfers);
            prop_assert_eq!(&batched.accounts, &single.accounts);
            prop_assert_eq!(&batched.orders, &single.orders);
            prop_assert_eq!(&batched.fundings, &single.fundings);
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}
