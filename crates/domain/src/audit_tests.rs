//! A history that is in order has no finding; whoever edits it is found out.
//!
//! Two kinds of damage are tried. A *mutation* changes one record, as an intruder or a failing disk
//! would, and shows in the links and digests. A *forgery* breaks a rule and then recomputes every
//! link, digest and counter, as faulty code of ours would; only the rules themselves find it.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;
use crate::command::{Accept, Command, Resolve};
use crate::fixtures::histories::{command_of, steps};
use crate::fixtures::{
    Books, MERCHANT, NOW, STRANGER, accept, account_key, at, decline, delivered, fund, make_quote,
    request, resolve, rupiah, upstream,
};
use crate::identifier::UpstreamName;
use crate::order::{Doubt, Outcome, Quote};
use crate::posting;
use crate::refusal::Refusal;

#[path = "audit_mutations.rs"]
mod mutations;

use mutations::{Story, mutations};

const ALL_ACCOUNTS: [&str; 8] =
    ["M", "clearing", "float", "margin", "fees", "inbound", "suspense", "receivable"];

fn pay(books: &mut Books, reference: &str, charge: i64, mode: Mode, outcome: Outcome) -> OrderId {
    books.run(&make_quote(request(reference, "x", mode), rupiah(charge))).expect("quoted");
    let order = *books.orders.keys().last().expect("quoted");
    books.run(&Command::Accept(accept(order.0))).expect("accepted");
    books.run(&Command::Resolve(resolve(order.0, outcome))).expect("resolved");
    order
}

/// Every event of the books that one merchant, and now and then another, can see.
fn everything() -> Story {
    let mut books = Books::funded(100_000);
    let stranger = fund("other", Direction::Credit, rupiah(500));
    let Command::Fund(mut stranger) = stranger else { panic!("a funding") };
    stranger.key.merchant = STRANGER;
    books.run(&Command::Fund(stranger)).expect("funded");
    let baht = crate::fixtures::amount(700, Currency::Thb);
    books.run(&fund("baht", Direction::Credit, baht)).expect("funded");

    let sold = pay(&mut books, "sold", 400, Mode::Live, delivered(rupiah(380)));
    pay(&mut books, "at-a-loss", 400, Mode::Live, delivered(rupiah(410)));
    let refused = Outcome::Refused(Refusal::BillPaid);
    let failed = pay(&mut books, "refused", 300, Mode::Live, refused.clone());
    pay(&mut books, "open", 200, Mode::Live, Outcome::Unknown(Doubt::Silent));
    pay(&mut books, "test-sold", 400, Mode::Test, delivered(rupiah(380)));
    pay(&mut books, "test-refused", 400, Mode::Test, refused);
    pay(&mut books, "test-open", 400, Mode::Test, Outcome::Unknown(Doubt::Silent));
    books.run(&make_quote(request("quoted", "x", Mode::Live), rupiah(9))).expect("quoted");
    books.run(&decline(request("no", "x", Mode::Live), Refusal::BillPaid)).expect("declined");
    books.run(&fund("correction", Direction::Debit, rupiah(50))).expect("corrected");

    books
        .post(Some(sold), &ALL_ACCOUNTS, |ledger| {
            posting::delivery_reversed(ledger, MERCHANT, &upstream(), rupiah(400), rupiah(380))
        })
        .expect("reversed");
    books
        .post(Some(failed), &ALL_ACCOUNTS, |ledger| {
            posting::refusal_reversed(ledger, MERCHANT, &upstream(), rupiah(300), rupiah(290))
        })
        .expect("reversed");
    books
        .post(None, &ALL_ACCOUNTS, |ledger| posting::suspended(ledger, "sms", rupiah(5)).map(drop))
        .expect_err("that channel's account was not loaded");
    books
        .post(None, &ALL_ACCOUNTS, |ledger| {
            posting::suspended(ledger, "bank-transfer", rupiah(5)).map(drop)
        })
        .expect("suspended");
    add_payout(&mut books);
    add_collection(&mut books);
    books.into()
}

/// An order under the next number, made of one that is there.
fn next_order(books: &Books, kind: Kind, like: u64) -> Order {
    let id = OrderId(books.orders.keys().last().expect("orders").0 + 1);
    let mut order = Order::clone(&books.orders[&OrderId(like)]);
    order.id = id;
    order.kind = kind;
    order.holds.clear();
    order
}

fn add_payout(books: &mut Books) {
    let mut order = next_order(books, Kind::Payout, 1);
    let (sum, fee, cost) = (rupiah(900), rupiah(30), rupiah(910));
    books
        .post(Some(order.id), &ALL_ACCOUNTS, |ledger| {
            order.holds.push(posting::accepted(ledger, MERCHANT, sum)?);
            order.holds.push(posting::accepted(ledger, MERCHANT, fee)?);
            posting::delivered(ledger, MERCHANT, &mut order.holds, &upstream(), cost)
        })
        .expect("paid out");
    order.recipient = Some(crate::bill::Detail::none());
    order.quote = order.quote.map(|quote| Quote { charge: rupiah(930), ..quote });
    order.delivery.as_mut().expect("made of one that succeeded").cost = cost;
    books.orders.insert(order.id, order.into());
}

fn add_collection(books: &mut Books) {
    let mut order = next_order(books, Kind::Collection, 1);
    books
        .post(Some(order.id), &ALL_ACCOUNTS, |ledger| {
            posting::collected(ledger, MERCHANT, "bank-transfer", rupiah(800), rupiah(8))
        })
        .expect("collected");
    order.attempts.clear();
    order.delivery = None;
    order.quote = None;
    let evidence = Evidence {
        key: EvidenceKey { source: "bank".to_owned(), id: "1".to_owned() },
        channel: "bank-transfer".to_owned(),
        amount: rupiah(800),
        sender: String::new(),
        reference: String::new(),
        came_in_at: order.created_at,
        seen_at: order.created_at,
        state: EvidenceState::Used(order.id),
    };
    order.collecting = Some(crate::order::Collecting {
        channel: evidence.channel.clone(),
        due: evidence.amount,
        gross: evidence.amount,
        fee: rupiah(8),
        return_url: None,
        in_review: false,
        particulars: crate::bill::Detail::none(),
        evidence: Some(evidence.key.clone()),
    });
    books.evidence.insert(evidence.key.clone(), evidence);
    let mut waiting =
        Order { id: OrderId(order.id.0 + 1), state: OrderState::Awaiting, ..order.clone() };
    if let Some(collecting) = &mut waiting.collecting {
        collecting.evidence = None;
    }
    books.orders.insert(order.id, order.into());
    books.orders.insert(waiting.id, waiting.into());
}

#[test]
fn a_history_in_order_has_no_finding() {
    let story = everything();
    let expected = Summary {
        accounts: 11,
        transfers: 30,
        fundings: 4,
        orders: 12,
        open_holds: 1,
        callbacks: 0,
        evidence: 1,
        audit_records: 0,
    };
    assert_eq!(story.audit(), Ok(expected));
    assert_eq!(Story::from(Books::default()).audit(), Ok(Summary::default()));
}

#[test]
fn every_mutation_is_found_where_it_was_made() {
    let story = everything();
    let mutations = mutations(&story);
    assert!(mutations.len() > 1500, "only {} mutations", mutations.len());
    for mutation in mutations {
        let mut damaged = story.clone();
        mutation.apply(&mut damaged);
        match damaged.audit() {
            Ok(_) => panic!("not found: {mutation:?}"),
            Err(finding) => {
                assert!(mutation.records.contains(&finding.record), "{finding}\n{mutation:?}");
            }
        }
    }
}

#[test]
fn any_mutation_of_any_history_is_found() {
    let config = ProptestConfig { cases: 100, failure_persistence: None, ..Default::default() };
    let strategy = (steps(), prop::collection::vec(any::<prop::sample::Index>(), 24));
    TestRunner::new(config)
        .run(&strategy, |(steps, picks)| {
            let mut books = Books::funded(10_000);
            for step in &steps {
                if let Some(command) = command_of(step, &books, &[]) {
                    let _ = books.run(&command);
                }
            }
            let story = Story::from(books);
            prop_assert!(story.audit().is_ok());
            let mutations = mutations(&story);
            for pick in picks {
                let mutation = pick.get(&mutations);
                let mut damaged = story.clone();
                mutation.apply(&mut damaged);
                match damaged.audit() {
                    Ok(_) => return Err(TestCaseError::fail(format!("missed {mutation:?}"))),
                    Err(finding) => prop_assert!(
                        mutation.records.contains(&finding.record),
                        "{}\n{:?}",
                        finding,
                        mutation
                    ),
                }
            }
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

/// Recomputes links, digests and counters, so that only a broken rule is left to be found.
fn restamp(story: &mut Story) {
    let mut accounts: BTreeMap<AccountId, Account> = story
        .accounts
        .iter()
        .map(|account| (account.id, Account::open(account.id, account.key.clone())))
        .collect();
    for transfer in &mut story.transfers {
        let [debit, credit] = [transfer.debit, transfer.credit].map(|id| accounts[&id].clone());
        transfer.previous_debit = debit.latest.map(|(id, _)| id);
        transfer.previous_credit = credit.latest.map(|(id, _)| id);
        transfer.hash = transfer.expected_hash(Some(debit.chain_head()), Some(credit.chain_head()));
        let latest = Some((transfer.id, transfer.hash));
        let minor = transfer.amount.minor();
        let (pending, posted) = match transfer.kind {
            TransferKind::Direct => (0, minor),
            TransferKind::Hold => (minor, 0),
            TransferKind::Post(_) => (-minor, minor),
            TransferKind::Void(_) => (-minor, 0),
        };
        let account = accounts.get_mut(&transfer.debit).expect("it exists");
        account.counters.debits_pending += pending;
        account.counters.debits_posted += posted;
        account.latest = latest;
        let account = accounts.get_mut(&transfer.credit).expect("it exists");
        account.counters.credits_pending += pending;
        account.counters.credits_posted += posted;
        account.latest = latest;
    }
    story.accounts = accounts.into_values().collect();
}

fn transfer_of(story: &Story, kind: TransferKind, order: Option<u64>) -> usize {
    let same = |it: &Transfer| {
        std::mem::discriminant(&it.kind) == std::mem::discriminant(&kind)
            && it.order == order.map(OrderId)
    };
    story.transfers.iter().position(same).expect("there is one")
}

fn account_of(story: &Story, name: &str) -> AccountId {
    let key = account_key(name);
    story.accounts.iter().find(|account| account.key == key).expect("it exists").id
}

/// The transfer of the first funding, as one more at the end and with this change.
fn append(story: &mut Story, change: impl FnOnce(&mut Transfer)) {
    let mut transfer = story.transfers[0].clone();
    transfer.id = TransferId(story.transfers.last().expect("transfers").id.0 + 1);
    change(&mut transfer);
    story.transfers.push(transfer);
}

/// What a forgery does, where it is found, and what is said of it.
type Forgery = (fn(&mut Story), &'static str, &'static str);

const HOLD: TransferKind = TransferKind::Hold;
const POST: TransferKind = TransferKind::Post(TransferId(0));
const VOID: TransferKind = TransferKind::Void(TransferId(0));
const LAST: &str = "transfer 31";

#[test]
fn faulty_transfers_are_found() {
    let table: [Forgery; 16] = [
        (|it| append(it, |it| it.amount = rupiah(0)), LAST, "moves nothing"),
        (|it| append(it, |it| it.credit = it.debit), LAST, "from an account to itself"),
        (
            |it| append(it, |it| it.amount = crate::fixtures::amount(5, Currency::Thb)),
            LAST,
            "another currency",
        ),
        (
            |it| {
                let baht = account_of(it, "M:THB");
                append(it, |it| it.credit = baht);
            },
            LAST,
            "another currency",
        ),
        (
            |it| {
                let baht = account_of(it, "M:THB");
                let amount = crate::fixtures::amount(5, Currency::Thb);
                append(it, |it| (it.credit, it.amount) = (baht, amount));
            },
            LAST,
            "another currency",
        ),
        (|it| append(it, |it| it.id = TransferId(it.id.0 - 1)), "transfer 30", "out of order"),
        (
            |it| append(it, |it| (it.debit, it.credit) = (it.credit, it.debit)),
            LAST,
            "more than the account had available",
        ),
        (
            |it| {
                append(it, |it| {
                    (it.debit, it.credit) = (it.credit, it.debit);
                    it.kind = TransferKind::Hold;
                });
            },
            LAST,
            "more than the account had available",
        ),
        (|it| append(it, |_| {}), LAST, "for no order or funding"),
        (|it| append(it, |it| it.order = Some(OrderId(77))), LAST, "names order 77"),
        (|it| append(it, |it| it.order = Some(OrderId(0))), LAST, "names order 0"),
        (
            |it| append(it, |it| it.kind = TransferKind::Post(TransferId(1))),
            LAST,
            "a hold that does not exist",
        ),
        (
            |it| append(it, |it| (it.kind, it.order) = (TransferKind::Hold, Some(OrderId(1)))),
            LAST,
            "a hold that no order owns",
        ),
        (
            |it| append(it, |it| it.order = Some(OrderId(8))),
            "order 8",
            "mode or state does not allow",
        ),
        (
            |it| append(it, |it| it.order = Some(OrderId(5))),
            "order 5",
            "mode or state does not allow",
        ),
        (
            |it| {
                let stranger = account_of(it, "N");
                append(it, |it| (it.credit, it.order) = (stranger, Some(OrderId(1))));
            },
            LAST,
            "another merchant's money",
        ),
    ];
    check_forgeries(&table);
}

#[test]
fn faulty_resolutions_are_found() {
    let table: [Forgery; 7] = [
        (
            |it| {
                let post = it.transfers[transfer_of(it, POST, Some(1))].clone();
                append(it, |it| *it = Transfer { id: it.id, ..post });
            },
            LAST,
            "resolved already",
        ),
        (
            |it| {
                let void = it.transfers[transfer_of(it, VOID, Some(3))].clone();
                append(it, |it| *it = Transfer { id: it.id, ..void });
            },
            LAST,
            "resolved already",
        ),
        (
            |it| {
                let post = transfer_of(it, POST, Some(1));
                it.transfers[post].amount = rupiah(399);
            },
            "transfer 5",
            "does not match the hold",
        ),
        (
            |it| {
                let post = transfer_of(it, POST, Some(1));
                it.transfers[post].order = Some(OrderId(2));
            },
            "transfer 5",
            "does not match the hold",
        ),
        (
            |it| {
                let (post, margin) = (transfer_of(it, POST, Some(1)), account_of(it, "margin"));
                it.transfers[post].credit = margin;
            },
            "transfer 5",
            "does not match the hold",
        ),
        (
            |it| {
                let (void, margin) = (transfer_of(it, VOID, Some(3)), account_of(it, "margin"));
                it.transfers[void].debit = margin;
            },
            "transfer 13",
            "does not match the hold",
        ),
        (
            |it| {
                let index = transfer_of(it, VOID, Some(3));
                let TransferKind::Void(hold) = it.transfers[index].kind else { panic!("a void") };
                it.transfers[index].kind = TransferKind::Post(hold);
            },
            "order 3",
            "does not fit the order's state",
        ),
    ];
    check_forgeries(&table);
}

#[test]
fn orders_that_do_not_fit_their_transfers_are_found() {
    let table: [Forgery; 13] = [
        (
            |it| {
                let (hold, margin) = (transfer_of(it, HOLD, Some(4)), account_of(it, "margin"));
                it.transfers[hold].credit = margin;
            },
            "order 4",
            "not from its merchant to clearing",
        ),
        (
            |it| {
                let (hold, bank) = (transfer_of(it, HOLD, Some(4)), account_of(it, "bank"));
                it.transfers[hold].debit = bank;
            },
            "order 4",
            "not from its merchant to clearing",
        ),
        (
            |it| {
                let hold = transfer_of(it, HOLD, Some(4));
                it.transfers[hold].amount = rupiah(201);
            },
            "order 4",
            "for something else",
        ),
        (
            |it| {
                it.orders[3].holds[0].amount = rupiah(201);
                let hold = transfer_of(it, HOLD, Some(4));
                it.transfers[hold].amount = rupiah(201);
            },
            "order 4",
            "do not come to its charge",
        ),
        (|it| it.orders[0].holds[0] = it.orders[1].holds[0], "order 1", "for something else"),
        (|it| it.orders[10].key.mode = Mode::Test, "order 11", "mode or state does not allow"),
        (
            |it| it.orders[11].state = OrderState::Processing,
            "order 12",
            "a state that its kind does not know",
        ),
        (|it| it.orders[7].kind = Kind::Payout, "order 8", "a state that its kind does not know"),
        (|it| it.orders[3].key.merchant = STRANGER, "order 4", "not from its merchant to clearing"),
        (|it| it.orders[10].key.merchant = STRANGER, "order 11", "another merchant's money"),
        (
            |it| it.transfers.retain(|it| it.order != Some(OrderId(11))),
            "order 11",
            "brought no money",
        ),
        (
            |it| {
                let profit = it.transfers.iter().rposition(|it| it.order == Some(OrderId(1)));
                it.transfers.remove(profit.expect("there is one"));
            },
            "order 1",
            "left money on the clearing account",
        ),
        (
            |it| {
                let [float, margin] = ["float", "margin"].map(|name| account_of(it, name));
                append(it, |it| {
                    (it.debit, it.credit, it.order) = (margin, float, Some(OrderId(4)));
                    it.amount = rupiah(1);
                });
            },
            "order 4",
            "before its outcome",
        ),
    ];
    check_forgeries(&table);
}

#[test]
fn money_left_on_clearing_is_found_without_an_order() {
    let table: [Forgery; 1] = [(
        |it| {
            let clearing = account_of(it, "clearing");
            append(it, |it| it.credit = clearing);
        },
        "account 6",
        "has a posted rest",
    )];
    check_forgeries(&table);
}

#[test]
fn a_funding_comes_from_the_bank_and_no_other_account() {
    let table: [Forgery; 2] = [
        (
            |it| {
                let margin = account_of(it, "margin");
                it.transfers[0].debit = margin;
            },
            "funding start of merchant 1",
            "differs from its transfer",
        ),
        (
            |it| {
                let stranger = account_of(it, "N");
                it.transfers[0].debit = stranger;
            },
            "transfer 1",
            "more than the account had available",
        ),
    ];
    check_forgeries(&table);
}

#[test]
fn two_accounts_of_one_name_are_found() {
    let table: [Forgery; 1] = [(
        |it| {
            let margin = it.accounts.iter().position(|it| it.key == account_key("margin"));
            let fees = it.accounts.iter().position(|it| it.key == account_key("fees"));
            let (margin, fees) = (margin.expect("it exists"), fees.expect("it exists"));
            it.accounts[fees].key = it.accounts[margin].key.clone();
        },
        "account 11",
        "is account 8 again",
    )];
    check_forgeries(&table);
}

fn check_forgeries(table: &[Forgery]) {
    let honest = everything();
    let mut restamped = honest.clone();
    restamp(&mut restamped);
    assert_eq!(restamped.transfers, honest.transfers, "restamping changes nothing by itself");
    for (index, (forge, record, problem)) in table.iter().enumerate() {
        let mut story = honest.clone();
        forge(&mut story);
        restamp(&mut story);
        let finding = story.audit().expect_err("a forgery is found");
        assert_eq!(finding.record, *record, "row {index}: {finding}");
        assert!(finding.problem.contains(problem), "row {index}: {finding}");
    }
}

/// No second attempt starts before the first is affirmatively refused.
#[test]
fn a_second_attempt_needs_a_refused_first() {
    let mut books = Books::funded(1000);
    pay(&mut books, "A", 400, Mode::Live, Outcome::Unknown(Doubt::Silent));
    let mut story = Story::from(books);
    let mut second = story.orders[0].attempts[0].clone();
    second.number = 2;
    story.orders[0].attempts.push(second);
    let finding = story.audit().expect_err("the first may yet be delivered");
    assert_eq!(finding.record, "order 1");
    assert!(finding.problem.contains("before the attempt before was refused"), "{finding}");
    story.orders[0].attempts[0].state =
        crate::order::AttemptState::Refused(Refusal::ProductUnavailable);
    assert_eq!(story.audit().map(|summary| summary.open_holds), Ok(1));
}

#[test]
fn two_orders_do_not_own_one_hold() {
    let mut story = everything();
    let hold = story.orders[0].holds[0];
    story.orders[9].holds[0] = hold;
    let finding = story.audit().expect_err("found");
    assert_eq!(finding.record, "order 10");
    let hold = story.orders[9].holds[1];
    story.orders[9].holds = vec![hold, hold];
    story.orders[9].quote =
        story.orders[9].quote.map(|quote| Quote { charge: rupiah(60), ..quote });
    let finding = story.audit().expect_err("found");
    assert!(finding.problem.contains("owned twice"), "{finding}");
}

/// An upstream that is called for the first time, in the middle of everything else.
#[test]
fn several_upstreams_are_audited_alike() {
    let mut books = Books::funded(1000);
    books.run(&make_quote(request("A", "x", Mode::Live), rupiah(400))).expect("quoted");
    let other = UpstreamName::new("other");
    let accept = Accept { upstream: other.clone(), ..accept(1) };
    books.run(&Command::Accept(accept)).expect("accepted");
    let outcome = delivered(rupiah(0));
    let resolve = Resolve { upstream: other, at: at(NOW + 1), ..resolve(1, outcome) };
    books.run(&Command::Resolve(resolve)).expect("resolved");
    let summary = books.audit().expect("in order");
    assert_eq!((summary.orders, summary.open_holds), (1, 0));
}
