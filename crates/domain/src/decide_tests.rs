//! What each command does, as scripts: one row per command, and what is to come of it.
//!
//! | row | meaning |
//! | --- | --- |
//! | `fund REF credit\|debit N` | the operator credits or debits the first merchant |
//! | `quote REF CONTENT N [test]` | the supplier answered an inquiry with a bill |
//! | `decline REF CONTENT REFUSAL [test]` | it answered with a refusal |
//! | `accept ORDER [by stranger] [at ±MS]` | a merchant confirms, so long before or after expiry |
//! | `resolve ORDER OUTCOME [by stranger] [attempt N] [upstream U]` | an attempt brought this |
//!
//! After `->` stands the answer: a refusal, or a reply with the balance that it tells; then the
//! order's state where there is one, and how many records change. After every row the auditor looks
//! at everything that is stored.

use super::*;
use crate::account::AccountRole;
use crate::command::{Answer, FundingKey};
use crate::fixtures::{
    Books, EXPIRY, MERCHANT, NOW, STRANGER, accept, at, decline, delivered, fund, make_quote,
    quote, request, resolve, rupiah, upstream,
};
use crate::identifier::{ProcessId, UpstreamName};
use crate::posting::Direction;
use crate::transfer::TransferKind;

#[path = "decide_fault_tests.rs"]
mod faults;
#[path = "decide_properties.rs"]
mod properties;

fn minor(text: &str) -> i64 {
    text.parse().expect("a number")
}

fn mode(rest: &[&str]) -> Mode {
    if rest.contains(&"test") { Mode::Test } else { Mode::Live }
}

/// The word after this one in a row.
fn word_after<'row>(row: &[&'row str], name: &str) -> Option<&'row str> {
    row.iter().position(|word| *word == name).map(|index| row[index + 1])
}

fn outcome(row: &[&str]) -> Outcome {
    match *row {
        ["delivered", cost, ..] => delivered(rupiah(minor(cost))),
        ["refused", name, ..] => Outcome::Refused(Refusal::from_name(name).expect("a refusal")),
        ["unknown", name, ..] => Outcome::Unknown(Doubt::from_name(name).expect("a doubt")),
        _ => panic!("no such outcome: {row:?}"),
    }
}

fn command(row: &[&str]) -> Command {
    let merchant = match word_after(row, "by") {
        Some("stranger") => STRANGER,
        _ => MERCHANT,
    };
    match *row {
        ["fund", reference, direction, sum] => {
            let direction =
                if direction == "credit" { Direction::Credit } else { Direction::Debit };
            fund(reference, direction, rupiah(minor(sum)))
        }
        ["quote", reference, content, charge, ref rest @ ..] => {
            make_quote(request(reference, content, mode(rest)), rupiah(minor(charge)))
        }
        ["decline", reference, content, name, ref rest @ ..] => {
            let refusal = Refusal::from_name(name).expect("a refusal");
            decline(request(reference, content, mode(rest)), refusal)
        }
        ["accept", order, ..] => {
            let late = word_after(row, "at").map_or(NOW, |offset| EXPIRY + minor(offset));
            let order = order.parse().expect("a number");
            Command::Accept(Accept { merchant, at: at(late), ..accept(order) })
        }
        ["resolve", order, ref rest @ ..] => {
            let resolve = resolve(order.parse().expect("a number"), outcome(rest));
            let attempt = word_after(row, "attempt").map_or(1, |it| it.parse().expect("a number"));
            let upstream = word_after(row, "upstream").map_or(upstream(), UpstreamName::new);
            Command::Resolve(Resolve { merchant, attempt, upstream, ..resolve })
        }
        _ => panic!("no such row: {row:?}"),
    }
}

fn told(answer: &Answer) -> String {
    let state = |order: &Order| match order.state {
        OrderState::Declined(refusal) => format!("Declined({})", refusal.name()),
        OrderState::Failed(refusal) => format!("Failed({})", refusal.name()),
        state => format!("{state:?}"),
    };
    match answer {
        Err(refusal) => refusal.name().to_owned(),
        Ok(Reply::Stored) => "stored".to_owned(),
        Ok(Reply::Funded { balance }) => format!("funded {balance}"),
        Ok(Reply::Inquired { order, repeated: false }) => format!("inquired {}", state(order)),
        Ok(Reply::Inquired { order, repeated: true }) => format!("repeated {}", state(order)),
        Ok(Reply::Accepted { order, balance }) => format!("accepted {balance} {}", state(order)),
        Ok(Reply::AcceptedBefore { order, balance }) => {
            format!("accepted-before {balance} {}", state(order))
        }
        Ok(Reply::Resolved { order, balance, repeated: false }) => {
            format!("resolved {balance} {}", state(order))
        }
        Ok(Reply::Resolved { order, balance, repeated: true }) => {
            format!("resolved-before {balance} {}", state(order))
        }
        Ok(Reply::Contradicted { order, balance }) => {
            format!("contradicted {balance} {}", state(order))
        }
        Ok(Reply::Awaited { order, repeated: false }) => format!("awaited {}", state(order)),
        Ok(Reply::Awaited { order, repeated: true }) => format!("awaited-before {}", state(order)),
        Ok(Reply::EvidenceRecorded { evidence, .. }) => format!("seen {}", evidence.state.name()),
        Ok(Reply::Credited { balance, repeated: false, .. }) => format!("credited {balance}"),
        Ok(Reply::Credited { balance, repeated: true, .. }) => format!("credited-before {balance}"),
        Ok(Reply::NotCredited { reason, .. }) => format!("not-credited {}", reason.name()),
        Ok(Reply::Suspended { evidence, repeated: false }) => {
            format!("suspended {}", evidence.state.name())
        }
        Ok(Reply::Suspended { evidence, repeated: true }) => {
            format!("suspended-before {}", evidence.state.name())
        }
        Ok(Reply::Ended(order)) => format!("ended {}", state(order)),
        Ok(Reply::Leased(callbacks)) => format!("leased {}", callbacks.len()),
        Ok(Reply::DeliveryRecorded { callback, .. }) => format!("tried {}", callback.state.name()),
        Ok(Reply::Administered { audit, .. }) => format!("administered {audit}"),
        Ok(Reply::Redelivered { callbacks }) => format!("{callbacks} redelivered"),
        Ok(Reply::Objected(objection)) => objection.to_string(),
    }
}

#[track_caller]
fn check_on(books: &mut Books, script: &str) {
    for line in script.lines().filter(|line| !line.trim().is_empty()) {
        let (row, expected) = line.split_once("->").expect("a row and what comes of it");
        let row: Vec<&str> = row.split_whitespace().collect();
        let decision = books.decide(&command(&row));
        let actual = format!("{} {}", told(&decision.answer), decision.changes.len());
        let expected = expected.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(actual, expected, "{line}");
        decision.changes.iter().for_each(|change| books.save(change));
        books.audit().unwrap_or_else(|finding| panic!("{line}: {finding}"));
    }
}

#[track_caller]
fn check(script: &str) -> Books {
    let mut books = Books::default();
    check_on(&mut books, script);
    books
}

#[test]
fn funding_references_are_used_once() {
    let books = check(
        "
        fund f1 credit 1000 -> funded 1000 4
        fund f1 credit 1000 -> funded 1000 0
        fund f1 credit 1001 -> ReferenceUsed 0
        fund f1 debit  1000 -> ReferenceUsed 0
        fund f2 debit   400 -> funded 600 4
        fund f1 credit 1000 -> funded 600 0
        fund f3 debit   601 -> BalanceInsufficient 0
        fund f3 debit   600 -> funded 0 4
        fund f4 credit    0 -> AmountInvalid 0
        fund f4 debit     0 -> AmountInvalid 0
        fund f4 debit     1 -> BalanceInsufficient 0
        fund f4 credit 9223372036854775807 -> AmountInvalid 0
        fund f4 credit    1 -> funded 1 4
        ",
    );
    let key = FundingKey { merchant: MERCHANT, reference: "f2".to_owned() };
    let funding = &books.fundings[&key];
    let transfer = &books.transfers[1];
    assert_eq!((funding.transfer, funding.at), (transfer.id, transfer.at));
    assert_eq!((funding.direction, funding.amount), (Direction::Debit, rupiah(400)));
    assert_eq!((transfer.amount, transfer.order), (rupiah(400), None));
    assert_eq!(funding.reason, "bank transfer");
}

#[test]
fn another_currency_is_another_funding() {
    let mut books = Books::funded(1000);
    let baht = crate::fixtures::amount(1000, Currency::Thb);
    let again = fund("start", Direction::Credit, baht);
    assert_eq!(books.decide(&again), Decision::refused(Refusal::ReferenceUsed));
    let reply = books.run(&fund("baht", Direction::Credit, baht));
    assert_eq!(reply, Ok(Reply::Funded { balance: baht }));
}

#[test]
fn a_reference_is_claimed_once() {
    check(
        "
        quote   A x 400 -> inquired Quoted 1
        quote   A x 400 -> repeated Quoted 0
        quote   A x 500 -> repeated Quoted 0
        decline A x BillPaid -> repeated Quoted 0
        quote   A y 400 -> ReferenceUsed 0
        decline A y BillPaid -> ReferenceUsed 0
        quote   A y 400 test -> inquired Quoted 1
        decline B x BillPaid -> inquired Declined(BillPaid) 1
        decline B x BillNotAvailable -> repeated Declined(BillPaid) 0
        quote   B x 400 -> repeated Declined(BillPaid) 0
        quote   B z 400 -> ReferenceUsed 0
        decline B z BillPaid test -> inquired Declined(BillPaid) 1
        ",
    );
}

#[test]
fn a_purchase_is_paid_and_delivered() {
    check(
        "
        fund f credit 1000 -> funded 1000 4
        quote A x 400 -> inquired Quoted 1
        accept 1 -> accepted 600 Processing 4
        accept 1 -> accepted-before 600 Processing 0
        resolve 1 delivered 390 -> resolved 600 Succeeded 8
        resolve 1 delivered 390 -> resolved-before 600 Succeeded 0
        resolve 1 unknown Silent -> resolved-before 600 Succeeded 0
        accept 1 -> accepted-before 600 Succeeded 0
        resolve 1 refused PaymentFailed -> contradicted 600 Succeeded 0
        quote A x 400 -> repeated Succeeded 0
        ",
    );
}

#[test]
fn a_purchase_is_paid_and_refused() {
    check(
        "
        fund f credit 1000 -> funded 1000 4
        quote A x 400 -> inquired Quoted 1
        accept 1 -> accepted 600 Processing 4
        resolve 1 refused BillPaid -> resolved 1000 Failed(BillPaid) 4
        resolve 1 refused BillPaid -> resolved-before 1000 Failed(BillPaid) 0
        resolve 1 refused PaymentFailed -> resolved-before 1000 Failed(BillPaid) 0
        resolve 1 unknown InProcess -> resolved-before 1000 Failed(BillPaid) 0
        resolve 1 delivered 390 -> contradicted 1000 Failed(BillPaid) 0
        accept 1 -> accepted-before 1000 Failed(BillPaid) 0
        ",
    );
}

#[test]
fn an_unknown_outcome_moves_no_money() {
    check(
        "
        fund f credit 1000 -> funded 1000 4
        quote A x 400 -> inquired Quoted 1
        accept 1 -> accepted 600 Processing 4
        resolve 1 unknown Silent -> resolved 600 Processing 1
        resolve 1 unknown InProcess -> resolved 600 Processing 1
        accept 1 -> accepted-before 600 Processing 0
        fund g debit 601 -> BalanceInsufficient 0
        resolve 1 delivered 400 -> resolved 600 Succeeded 6
        resolve 1 unknown Silent -> resolved-before 600 Succeeded 0
        ",
    );
    check(
        "
        fund f credit 1000 -> funded 1000 4
        quote A x 400 -> inquired Quoted 1
        accept 1 -> accepted 600 Processing 4
        resolve 1 unknown Abandoned -> resolved 600 Processing 1
        resolve 1 refused PaymentNotReceived -> resolved 1000 Failed(PaymentNotReceived) 4
        ",
    );
}

#[test]
fn only_an_own_open_quote_is_accepted() {
    check(
        "
        fund f credit 1000 -> funded 1000 4
        accept 1 -> OrderNotFound 0
        quote A x 400 -> inquired Quoted 1
        accept 1 by stranger -> OrderNotFound 0
        accept 2 -> OrderNotFound 0
        decline B x BillPaid -> inquired Declined(BillPaid) 1
        accept 2 -> OrderNotFound 0
        accept 1 at 1 -> QuoteExpired 0
        accept 1 at 0 -> QuoteExpired 0
        accept 1 at -1 -> accepted 600 Processing 4
        accept 1 at 0 -> accepted-before 600 Processing 0
        accept 1 by stranger -> OrderNotFound 0
        ",
    );
}

/// Collections and payouts have no quote to confirm, whatever their state.
#[test]
fn only_purchases_are_accepted() {
    for kind in [Kind::Collection, Kind::Payout] {
        let mut books = processing();
        let mut order = Order::clone(&books.orders[&OrderId(1)]);
        order.kind = kind;
        books.orders.insert(OrderId(1), Arc::new(order));
        let decision = books.decide(&Command::Accept(accept(1)));
        assert_eq!(decision, Decision::refused(Refusal::OrderNotFound), "{kind:?}");
    }
}

#[test]
fn a_purchase_needs_the_whole_charge() {
    check(
        "
        quote A x 1000 -> inquired Quoted 1
        accept 1 -> BalanceInsufficient 0
        fund f credit 999 -> funded 999 4
        accept 1 -> BalanceInsufficient 0
        fund g credit 1 -> funded 1000 4
        quote B x 1 -> inquired Quoted 1
        accept 1 -> accepted 0 Processing 4
        accept 2 -> BalanceInsufficient 0
        resolve 1 refused BillPaid -> resolved 1000 Failed(BillPaid) 4
        accept 2 -> accepted 999 Processing 4
        ",
    );
}

/// blnk #181 accepted the sixth.
#[test]
fn the_sixth_of_five_is_refused() {
    let mut books = Books::funded(5000);
    for order in 1..=6 {
        let answer = if order == 6 {
            "BalanceInsufficient 0".to_owned()
        } else {
            format!("accepted {} Processing 4", 5000 - order * 1000)
        };
        check_on(
            &mut books,
            &format!("quote R{order} x 1000 -> inquired Quoted 1\naccept {order} -> {answer}"),
        );
    }
    check_on(
        &mut books,
        "
        resolve 1 delivered 1000 -> resolved 0 Succeeded 6
        accept 6 -> BalanceInsufficient 0
        resolve 2 refused BillPaid -> resolved 1000 Failed(BillPaid) 4
        accept 6 -> accepted 0 Processing 4
        ",
    );
}

#[test]
fn outcomes_of_something_else_change_nothing() {
    check(
        "
        fund f credit 1000 -> funded 1000 4
        resolve 1 delivered 390 -> OrderNotFound 0
        quote A x 400 -> inquired Quoted 1
        resolve 1 delivered 390 -> contradicted 1000 Quoted 0
        accept 1 -> accepted 600 Processing 4
        resolve 1 delivered 390 by stranger -> OrderNotFound 0
        resolve 1 delivered 390 attempt 2 -> contradicted 600 Processing 0
        resolve 1 delivered 390 attempt 0 -> contradicted 600 Processing 0
        resolve 1 refused BillPaid attempt 2 -> contradicted 600 Processing 0
        resolve 1 unknown Silent attempt 2 -> contradicted 600 Processing 0
        resolve 1 delivered 390 upstream other -> contradicted 600 Processing 0
        resolve 1 refused BillPaid upstream other -> contradicted 600 Processing 0
        resolve 1 delivered 390 -> resolved 600 Succeeded 8
        resolve 1 delivered 390 attempt 2 -> contradicted 600 Succeeded 0
        resolve 1 delivered 390 upstream other -> contradicted 600 Succeeded 0
        decline B x BillPaid -> inquired Declined(BillPaid) 1
        resolve 2 delivered 390 -> contradicted 600 Declined(BillPaid) 0
        ",
    );
}

/// Test orders need no balance and make no transfers.
#[test]
fn test_mode_moves_no_money() {
    let books = check(
        "
        quote A x 400 test -> inquired Quoted 1
        accept 1 -> accepted 0 Processing 1
        accept 1 -> accepted-before 0 Processing 0
        resolve 1 unknown Silent -> resolved 0 Processing 1
        resolve 1 delivered 390 -> resolved 0 Succeeded 1
        resolve 1 refused BillPaid -> contradicted 0 Succeeded 0
        quote B x 400 test -> inquired Quoted 1
        accept 2 at 0 -> QuoteExpired 0
        accept 2 -> accepted 0 Processing 1
        resolve 2 refused BillPaid -> resolved 0 Failed(BillPaid) 1
        resolve 2 delivered 390 -> contradicted 0 Failed(BillPaid) 0
        ",
    );
    assert_eq!((books.transfers.len(), books.accounts.len()), (0, 0));
    assert!(books.orders.values().all(|order| order.holds.is_empty()));
}

#[test]
fn an_order_remembers_what_was_asked_and_quoted() {
    let mut books = Books::default();
    let asked = request("A", "x", Mode::Live);
    books.run(&make_quote(asked.clone(), rupiah(400))).expect("quoted");
    books.run(&decline(request("B", "y", Mode::Test), Refusal::BillPaid)).expect("declined");
    let quoted = &books.orders[&OrderId(1)];
    let expected = Order {
        id: OrderId(1),
        key: asked.key.clone(),
        kind: Kind::Purchase,
        state: OrderState::Quoted,
        fingerprint: asked.fingerprint,
        product: asked.product,
        code: asked.code,
        destination: asked.destination,
        dialect: String::new(),
        upstream: asked.upstream,
        bill: Some(Arc::new(crate::fixtures::bill(rupiah(396)))),
        quote: Some(quote(rupiah(400))),
        created_at: at(NOW),
        updated_at: at(NOW),
        expires_at: at(EXPIRY),
        holds: Vec::new(),
        attempts: Vec::new(),
        question_due: None,
        delivery: None,
        calls_back: false,
        callback_url: None,
        callbacks: Vec::new(),
        collecting: None,
        recipient: None,
    };
    assert_eq!(**quoted, expected);
    let declined = &books.orders[&OrderId(2)];
    assert_eq!(declined.key.mode, Mode::Test);
    assert_eq!((declined.bill.as_ref(), declined.quote), (None, None));
    assert_eq!(declined.destination, "y");
}

#[test]
fn an_accepted_order_intends_one_call() {
    let mut books = Books::funded(1000);
    books.run(&make_quote(request("A", "x", Mode::Live), rupiah(400))).expect("quoted");
    let quoted = Order::clone(&books.orders[&OrderId(1)]);
    let other = UpstreamName::new("other");
    let accept = Accept {
        upstream: other.clone(),
        owner: ProcessId(9),
        at: at(NOW + 5),
        question_due: at(NOW + 30_005),
        ..accept(1)
    };
    books.run(&Command::Accept(accept)).expect("accepted");
    let accepted = Order::clone(&books.orders[&OrderId(1)]);
    let hold = books.transfers.last().expect("made");
    assert_eq!((hold.kind, hold.amount, hold.at), (TransferKind::Hold, rupiah(400), at(NOW + 5)));
    assert_eq!(hold.order, Some(OrderId(1)));
    let expected = Order {
        state: OrderState::Processing,
        updated_at: at(NOW + 5),
        holds: vec![crate::order::Hold {
            transfer: hold.id,
            amount: rupiah(400),
            resolved_by: None,
        }],
        attempts: vec![Attempt {
            number: 1,
            upstream: other,
            state: AttemptState::Intent,
            owner: ProcessId(9),
            started_at: at(NOW + 5),
            questions: 0,
        }],
        question_due: Some(at(NOW + 30_005)),
        ..quoted
    };
    assert_eq!(accepted, expected);
}

fn processing() -> Books {
    let mut books = Books::funded(1000);
    books.run(&make_quote(request("A", "x", Mode::Live), rupiah(400))).expect("quoted");
    books.run(&Command::Accept(accept(1))).expect("accepted");
    books
}

#[test]
fn an_outcome_is_written_on_order_and_attempt() {
    let refusal = Refusal::BillPaid;
    let table = [
        (delivered(rupiah(390)), OrderState::Succeeded, AttemptState::Delivered),
        (Outcome::Refused(refusal), OrderState::Failed(refusal), AttemptState::Refused(refusal)),
    ];
    for (outcome, state, attempt_state) in table {
        let mut books = processing();
        let before = Order::clone(&books.orders[&OrderId(1)]);
        let resolve = Resolve { at: at(NOW + 9), ..resolve(1, outcome.clone()) };
        books.run(&Command::Resolve(resolve)).expect("resolved");
        let mut expected = before;
        expected.state = state;
        expected.updated_at = at(NOW + 9);
        expected.question_due = None;
        expected.attempts[0].state = attempt_state;
        expected.holds[0].resolved_by = Some(crate::identifier::TransferId(3));
        if let Outcome::Delivered(delivery) = outcome {
            expected.delivery = Some(delivery);
        }
        assert_eq!(*books.orders[&OrderId(1)], expected);
        assert!(books.transfers[2..].iter().all(|transfer| transfer.at == at(NOW + 9)));
    }
}

#[test]
fn a_cost_above_the_charge_is_our_loss() {
    let mut books = processing();
    let reply = books.run(&Command::Resolve(resolve(1, delivered(rupiah(450)))));
    assert!(matches!(reply, Ok(Reply::Resolved { balance, .. }) if balance == rupiah(600)));
    assert_eq!((books.available("margin"), books.available("float")), (-50, 450));
}

#[test]
fn questions_come_ever_more_slowly() {
    let mut books = processing();
    let before = Order::clone(&books.orders[&OrderId(1)]);
    let delays = [5, 15, 60, 300, 900, 3600, 3600];
    for (asked, delay) in (1..).zip(delays) {
        let now = NOW + i64::from(asked) * 10;
        let doubt = if asked % 2 == 0 { Doubt::Silent } else { Doubt::InProcess };
        let resolve = Resolve { at: at(now), ..resolve(1, Outcome::Unknown(doubt)) };
        books.run(&Command::Resolve(resolve)).expect("resolved");
        let mut expected = before.clone();
        expected.question_due = Some(at(now + delay * 1000));
        expected.attempts[0].state = AttemptState::Unknown(doubt);
        expected.attempts[0].questions = asked;
        assert_eq!(*books.orders[&OrderId(1)], expected, "question {asked}");
    }
}

#[test]
fn nobody_asks_after_eight_days() {
    const EIGHT_DAYS: i64 = 8 * 24 * 3_600_000;
    const HOUR: i64 = 3_600_000;
    let table = [
        (0, 5_000, Some(10_000)),
        (1, 0, Some(5_000)),
        (6, 0, Some(HOUR)),
        (200, EIGHT_DAYS - 1, Some(EIGHT_DAYS - 1 + HOUR)),
        (200, EIGHT_DAYS, None),
        (1, EIGHT_DAYS, None),
        (u32::MAX, 0, Some(HOUR)),
        // A clock that was set back makes no attempt old.
        (6, -EIGHT_DAYS, Some(HOUR - EIGHT_DAYS)),
    ];
    for (questions, age, due) in table {
        let next = next_question(at(NOW), questions, at(NOW + age));
        assert_eq!(next, due.map(|due| at(NOW + due)), "{questions} questions at age {age}");
    }
    let mut books = processing();
    let old = Resolve { at: at(NOW + EIGHT_DAYS), ..resolve(1, Outcome::Unknown(Doubt::Silent)) };
    books.run(&Command::Resolve(old)).expect("resolved");
    let order = &books.orders[&OrderId(1)];
    assert_eq!((order.state, order.question_due), (OrderState::Processing, None));
    let late = Resolve { at: at(NOW + 2 * EIGHT_DAYS), ..resolve(1, delivered(rupiah(400))) };
    books.run(&Command::Resolve(late)).expect("resolved");
    assert_eq!(books.orders[&OrderId(1)].state, OrderState::Succeeded);
}

#[test]
fn the_catalogue_is_stored_as_given() {
    let merchant = crate::merchant::Merchant {
        id: MERCHANT,
        name: "Toko Contoh".to_owned(),
        currency: Currency::Idr,
        level: crate::merchant::Level("retail".to_owned()),
        status: crate::merchant::MerchantStatus::Active,
        addresses: Vec::new(),
        rate_limit: None,
        repetition: crate::merchant::Repetition::Free,
    };
    let command = Command::PutMerchant(merchant.clone());
    let decision = Books::default().decide(&command);
    assert_eq!(decision.answer, Ok(Reply::Stored));
    assert_eq!(decision.changes, [Change::Merchant(merchant)]);
}

/// Records are saved in an order in which each finds what it refers to.
#[test]
fn changes_come_in_order() {
    let books = processing();
    let decision = books.decide(&Command::Resolve(resolve(1, delivered(rupiah(390)))));
    let kinds: String = decision
        .changes
        .iter()
        .map(|change| match change {
            Change::Transfer(_) => 't',
            Change::Account(_) => 'a',
            Change::Order(_) => 'o',
            _ => '?',
        })
        .collect();
    assert_eq!(kinds, "tttaaaao");
    let roles: Vec<_> = decision
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::Account(account) => Some(account.key.role.clone()),
            _ => None,
        })
        .collect();
    assert!(roles.contains(&AccountRole::Float(upstream())));
}
