//! What holds after any sequence of commands.
//!
//! Random commands over few merchants, references and orders, so that they meet each other. Most
//! are sensible, some are repeats, late, or about somebody else's order.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::fixtures::{amount, bill};
use crate::identifier::TransferId;

/// Two merchants of one currency and one of another.
const MERCHANTS: [(MerchantId, Currency); 3] =
    [(MERCHANT, Currency::Idr), (STRANGER, Currency::Idr), (MerchantId(3), Currency::Thb)];

/// Which order a command is about: one in the fitting state where there is one, or any number.
#[derive(Debug, Clone, Copy)]
struct Which {
    fitting: bool,
    index: prop::sample::Index,
}

impl Which {
    fn order(self, books: &Books, state: OrderState) -> u64 {
        let fits = |order: &&Arc<Order>| order.state == state;
        let fitting: Vec<_> = books.orders.values().filter(fits).collect();
        if self.fitting && !fitting.is_empty() {
            self.index.get(&fitting).id.0
        } else {
            u64::try_from(self.index.index(books.orders.len() + 1)).expect("few orders") + 1
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Fund { merchant: usize, reference: u8, credit: bool, minor: i64 },
    Quote { merchant: usize, reference: u8, content: bool, live: bool, charge: i64 },
    Decline { merchant: usize, reference: u8, content: bool, live: bool },
    Accept { which: Which, stranger: bool, late: bool },
    Resolve { which: Which, stranger: bool, attempt: u16, other: bool, outcome: u8, cost: i64 },
    Repeat { which: prop::sample::Index },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let merchant = 0..MERCHANTS.len();
    let rarely = prop::bool::weighted(0.08);
    let usually = prop::bool::weighted(0.85);
    let which = (usually, any::<prop::sample::Index>())
        .prop_map(|(fitting, index)| Which { fitting, index });
    let attempt = prop_oneof![9 => Just(1_u16), 1 => 0..3_u16];
    let step = prop_oneof![
        3 => (merchant.clone(), 0..6_u8, usually, 0..5000_i64).prop_map(
            |(merchant, reference, credit, minor)| {
                Step::Fund { merchant, reference, credit, minor }
            }
        ),
        5 => (merchant.clone(), 0..5_u8, usually, usually, 1..1500_i64).prop_map(
            |(merchant, reference, content, live, charge)| {
                Step::Quote { merchant, reference, content, live, charge }
            }
        ),
        1 => (merchant, 0..5_u8, usually, usually).prop_map(
            |(merchant, reference, content, live)| {
                Step::Decline { merchant, reference, content, live }
            }
        ),
        6 => (which.clone(), rarely, rarely)
            .prop_map(|(which, stranger, late)| Step::Accept { which, stranger, late }),
        8 => (which, rarely, attempt, rarely, 0..6_u8, 0..1600_i64).prop_map(
            |(which, stranger, attempt, other, outcome, cost)| {
                Step::Resolve { which, stranger, attempt, other, outcome, cost }
            }
        ),
        3 => any::<prop::sample::Index>().prop_map(|which| Step::Repeat { which }),
    ];
    prop::collection::vec(step, 1..48)
}

/// Who owns the order, or the first merchant where there is none; somebody else if so wished.
fn owner(books: &Books, order: u64, stranger: bool) -> (MerchantId, Currency) {
    let owner = books.orders.get(&OrderId(order)).map_or(MERCHANT, |order| order.key.merchant);
    let index = MERCHANTS.iter().position(|(merchant, _)| *merchant == owner).expect("known");
    MERCHANTS[(index + usize::from(stranger)) % MERCHANTS.len()]
}

fn request_of(merchant: usize, reference: u8, content: bool, live: bool) -> Request {
    let mode = if live { Mode::Live } else { Mode::Test };
    let mut request = request(&format!("R{reference}"), if content { "x" } else { "y" }, mode);
    request.key.merchant = MERCHANTS[merchant].0;
    request
}

fn command_of(step: &Step, books: &Books, earlier: &[Command]) -> Option<Command> {
    Some(match step {
        Step::Fund { merchant, reference, credit, minor } => {
            let direction = if *credit { Direction::Credit } else { Direction::Debit };
            let (merchant, currency) = MERCHANTS[*merchant];
            let Command::Fund(mut fund) =
                fund(&format!("F{reference}"), direction, amount(*minor, currency))
            else {
                return None;
            };
            fund.key.merchant = merchant;
            Command::Fund(fund)
        }
        Step::Quote { merchant, reference, content, live, charge } => {
            let quote = quote(amount(*charge, MERCHANTS[*merchant].1));
            Command::MakeQuote(MakeQuote {
                request: request_of(*merchant, *reference, *content, *live),
                bill: bill(quote.nominal),
                quote,
                expires_at: at(EXPIRY),
            })
        }
        Step::Decline { merchant, reference, content, live } => {
            decline(request_of(*merchant, *reference, *content, *live), Refusal::BillPaid)
        }
        Step::Accept { which, stranger, late } => {
            let order = which.order(books, OrderState::Quoted);
            let (merchant, currency) = owner(books, order, *stranger);
            let time = if *late { EXPIRY } else { NOW };
            Command::Accept(Accept { merchant, currency, at: at(time), ..accept(order) })
        }
        Step::Resolve { which, stranger, attempt, other, outcome, cost } => {
            let order = which.order(books, OrderState::Processing);
            let (merchant, currency) = owner(books, order, *stranger);
            let outcome = match outcome {
                0..=2 => delivered(amount(*cost, currency)),
                3 | 4 => Outcome::Refused(Refusal::PaymentFailed),
                _ => Outcome::Unknown(Doubt::Silent),
            };
            let upstream = if *other { UpstreamName::new("other") } else { upstream() };
            let attempt = *attempt;
            let resolve = resolve(order, outcome);
            Command::Resolve(Resolve { merchant, currency, attempt, upstream, ..resolve })
        }
        Step::Repeat { which } => {
            if earlier.is_empty() {
                return None;
            }
            which.get(earlier).clone()
        }
    })
}

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
