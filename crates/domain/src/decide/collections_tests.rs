//! Money in and money out, from the request to the books.

use super::*;
use crate::administration::{Act, Actor, Administer, NewMerchant, Role};
use crate::command::{Buy, Command, PayerReferenceKey, Redeliver, Request};
use crate::evidence::EvidenceKey;
use crate::fixtures::{
    Books, MERCHANT, NOW, STRANGER, account_key, at, buy, delivered, request, resolve, rupiah,
};
use crate::identifier::{CallbackId, MerchantId, Mode, OrderId};
use crate::merchant::Level;
use crate::money::Currency;
use crate::order::{Outcome, Quote};

const CHANNEL: &str = "telkomsel";

/// A payer transfers credit of 13 000, for which the merchant gets 10 000 less 100.
fn collecting() -> Collecting {
    Collecting {
        channel: CHANNEL.to_owned(),
        due: rupiah(13_000),
        gross: rupiah(10_000),
        fee: rupiah(100),
        return_url: None,
        in_review: false,
        particulars: Detail::none(),
        evidence: None,
    }
}

fn open(reference: &str) -> OpenCollection {
    let request = Request { calls_back: true, ..request(reference, "x", Mode::Live) };
    OpenCollection { request, collecting: collecting(), expires_at: Some(at(NOW + 1000)) }
}

fn waiting() -> Books {
    let mut books = Books::default();
    books.run(&Command::OpenCollection(open("A"))).expect("opened");
    books
}

fn seen(id: &str, amount: i64) -> Evidence {
    Evidence {
        key: key(id),
        channel: CHANNEL.to_owned(),
        amount: rupiah(amount),
        sender: "6281298765432".to_owned(),
        reference: String::new(),
        came_in_at: at(NOW),
        seen_at: at(NOW),
        state: EvidenceState::Open,
    }
}

fn key(id: &str) -> EvidenceKey {
    EvidenceKey { source: "sim-1".to_owned(), id: id.to_owned() }
}

fn see(books: &mut Books, evidence: Evidence) {
    books.run(&Command::RecordEvidence(RecordEvidence { evidence })).expect("recorded");
}

fn credit(order: u64, evidence: &str) -> Command {
    Command::Credit(Credit {
        order: OrderId(order),
        merchant: MERCHANT,
        currency: Currency::Idr,
        channel: (CHANNEL.to_owned(), Currency::Idr),
        evidence: key(evidence),
        at: at(NOW + 5),
    })
}

fn suspend(evidence: &str, reason: Doubtful) -> Command {
    let channel = (CHANNEL.to_owned(), Currency::Idr);
    Command::Suspend(Suspend { evidence: key(evidence), channel, reason, at: at(NOW) })
}

fn posted(books: &Books, name: &str) -> i64 {
    books.posted(&account_key(name))
}

fn inbound(books: &Books) -> i64 {
    let role = crate::account::AccountRole::Inbound(CHANNEL.to_owned());
    books.posted(&crate::account::AccountKey::new(role, Currency::Idr))
}

#[test]
fn evidence_that_fits_credits_once() {
    let mut books = waiting();
    see(&mut books, seen("1", 13_000));
    see(&mut books, seen("1", 99));
    assert_eq!(books.evidence[&key("1")].amount, rupiah(13_000), "the first word stands");
    let Ok(Reply::Credited { order, balance, repeated: false }) = books.run(&credit(1, "1")) else {
        panic!("it fits")
    };
    assert_eq!((order.state, balance), (OrderState::Succeeded, rupiah(9900)));
    assert_eq!(
        (inbound(&books), posted(&books, "M"), posted(&books, "fees")),
        (-10_000, 9900, 100)
    );
    assert_eq!(books.evidence[&key("1")].state, EvidenceState::Used(OrderId(1)));
    assert_eq!(books.callbacks.len(), 1);
    books.audit().expect("in order");
    let again = books.decide(&credit(1, "1"));
    assert!(matches!(again.answer, Ok(Reply::Credited { repeated: true, .. })));
    assert_eq!(again.changes, []);
}

/// One row per piece of evidence that does not pay the order, and why.
#[test]
fn what_does_not_fit_credits_nobody() {
    let elsewhere = Evidence { channel: "xl".to_owned(), ..seen("1", 13_000) };
    let foreign = crate::fixtures::amount(13_000, Currency::Vnd);
    let table = [
        (seen("1", 12_999), Doubtful::TooLittle),
        (seen("1", 13_001), Doubtful::TooMuch),
        (elsewhere, Doubtful::NoOrder),
        (Evidence { amount: foreign, ..seen("1", 1) }, Doubtful::NoOrder),
    ];
    for (evidence, expected) in table {
        let mut books = waiting();
        see(&mut books, evidence);
        let decision = books.decide(&credit(1, "1"));
        let Ok(Reply::NotCredited { reason, .. }) = decision.answer else { panic!("{expected:?}") };
        assert_eq!((reason, decision.changes.len()), (expected, 0));
    }
    let mut books = waiting();
    see(&mut books, seen("1", 13_000));
    see(&mut books, seen("2", 13_000));
    books.run(&credit(1, "1")).expect("credited");
    let doubled = books.run(&credit(1, "2"));
    assert!(matches!(doubled, Ok(Reply::NotCredited { reason: Doubtful::PaidBefore, .. })));
    books.run(&Command::OpenCollection(open("B"))).expect("opened");
    let used = books.run(&credit(2, "1"));
    assert!(matches!(used, Ok(Reply::NotCredited { reason: Doubtful::NoOrder, .. })));
    books.audit().expect("in order");
}

#[test]
fn what_stood_on_suspense_may_still_pay_its_order() {
    let mut books = waiting();
    see(&mut books, seen("1", 13_000));
    books.run(&suspend("1", Doubtful::SeveralOrders)).expect("suspended");
    assert_eq!((inbound(&books), posted(&books, "suspense")), (-13_000, 13_000));
    let again = books.decide(&suspend("1", Doubtful::NoOrder));
    assert_eq!(again.changes, []);
    assert!(matches!(again.answer, Ok(Reply::Suspended { repeated: true, .. })), "no second alarm");
    books.audit().expect("in order");
    books.run(&credit(1, "1")).expect("credited");
    assert_eq!((inbound(&books), posted(&books, "suspense")), (-10_000, 0));
    books.audit().expect("in order");
    let late = books.decide(&suspend("1", Doubtful::NoOrder));
    assert_eq!(late.changes, [], "what is used is not suspended");
}

fn end(refusal: Option<Refusal>, now: i64) -> Command {
    Command::EndCollection(EndCollection {
        order: OrderId(1),
        merchant: MERCHANT,
        currency: Currency::Idr,
        refusal,
        at: at(now),
    })
}

#[test]
fn a_collection_ends_by_time_or_by_its_payer_and_then_for_good() {
    let table = [
        (None, NOW + 999, "awaiting"),
        (None, NOW + 1000, "expired"),
        (Some(Refusal::PaymentAbandoned), NOW, "failed"),
    ];
    for (refusal, now, state) in table {
        let mut books = waiting();
        books.run(&end(refusal, now)).expect("told");
        assert_eq!(books.orders[&OrderId(1)].state.name(), state);
        assert_eq!(books.callbacks.len(), usize::from(state != "awaiting"));
        books.audit().expect("in order");
        if state != "awaiting" {
            see(&mut books, seen("1", 13_000));
            let late = books.run(&credit(1, "1"));
            assert!(matches!(late, Ok(Reply::NotCredited { reason: Doubtful::TooLate, .. })));
            assert_eq!(books.decide(&end(None, NOW + 9000)).changes, []);
        }
    }
}

#[test]
fn twins_wait_for_the_same_payer_and_others_are_refused() {
    let mut books = waiting();
    let twin = books.decide(&Command::OpenCollection(open("A")));
    assert!(matches!(twin.answer, Ok(Reply::Awaited { repeated: true, .. })));
    assert_eq!(twin.changes, []);
    let mut other = open("A");
    other.request.fingerprint = [9; 32];
    let refused = books.run(&Command::OpenCollection(other));
    assert_eq!(refused, Err(Refusal::ReferenceUsed));
    for (due, gross, fee) in [(0, 10, 1), (10, 10, 11)] {
        let mut bad = open("B");
        let (due, gross, fee) = (rupiah(due), rupiah(gross), rupiah(fee));
        bad.collecting = Collecting { due, gross, fee, ..bad.collecting };
        let refused = books.run(&Command::OpenCollection(bad));
        assert_eq!(refused, Err(Refusal::AmountInvalid));
    }
}

fn tell(order: u64, merchant: MerchantId, text: &str) -> Command {
    let reference = PayerReferenceKey { channel: CHANNEL.to_owned(), text: text.to_owned() };
    Command::Tell(Tell {
        order: OrderId(order),
        merchant,
        particulars: vec![("utr".to_owned(), Detail::Text(text.to_owned()))],
        reference: Some(reference),
        in_review: None,
        at: at(NOW),
    })
}

#[test]
fn what_a_payer_names_is_good_for_one_order() {
    let mut books = waiting();
    books.run(&Command::OpenCollection(open("B"))).expect("opened");
    assert_eq!(books.run(&tell(1, STRANGER, "412")), Err(Refusal::OrderNotFound));
    books.run(&tell(1, MERCHANT, "412")).expect("told");
    assert_eq!(books.decide(&tell(1, MERCHANT, "412")).changes, []);
    assert_eq!(books.run(&tell(2, MERCHANT, "412")), Err(Refusal::PayerReferenceUsed));
    // A name counts although nothing else is new.
    let Command::Tell(only_named) = tell(1, MERCHANT, "413") else { panic!("not told") };
    books.run(&Command::Tell(Tell { particulars: Vec::new(), ..only_named })).expect("told");
    assert_eq!(books.run(&tell(2, MERCHANT, "413")), Err(Refusal::PayerReferenceUsed));
    let told = books.orders[&OrderId(1)].collecting.as_ref().map(|it| it.particulars.clone());
    assert_eq!(told.expect("a collection").get("utr"), Some(&Detail::Text("412".to_owned())));
    see(&mut books, seen("1", 13_000));
    books.run(&credit(1, "1")).expect("credited");
    assert_eq!(books.run(&tell(1, MERCHANT, "413")), Err(Refusal::InvoicePaid));
    books.audit().expect("in order");
}

fn act(act: Act) -> Command {
    let actor = Actor { name: "ana".to_owned(), role: Role::Administrator };
    Command::Administer(Administer { actor, request: None, at: at(NOW + 9), act })
}

#[test]
fn a_person_decides_whose_the_money_on_suspense_is() {
    let release = |merchant| {
        act(Act::Release(Release {
            evidence: key("1"),
            channel: (CHANNEL.to_owned(), Currency::Idr),
            merchant,
            reason: "named the wrong shop".to_owned(),
            at: at(NOW + 9),
        }))
    };
    let objected = |books: &mut Books, command: &Command, objection: Objection| {
        assert_eq!(books.run(command), Ok(Reply::Objected(objection)));
    };
    for merchant in [Some(MERCHANT), None] {
        let mut books = Books::default();
        objected(&mut books, &release(merchant), Objection::EvidenceUnknown);
        see(&mut books, seen("1", 13_000));
        objected(&mut books, &release(Some(STRANGER)), Objection::MerchantUnknown);
        let new = NewMerchant {
            name: "Toko".to_owned(),
            currency: Currency::Idr,
            level: Level("retail".to_owned()),
        };
        books.run(&act(Act::AddMerchant(new))).expect("added");
        objected(&mut books, &release(merchant), Objection::EvidenceNotSuspended);
        books.run(&suspend("1", Doubtful::NoOrder)).expect("suspended");
        let done = books.run(&release(merchant));
        assert!(matches!(done, Ok(Reply::Administered { .. })), "{done:?}");
        let expected = if merchant.is_some() { (13_000, 0) } else { (0, 13_000) };
        assert_eq!((posted(&books, "M"), posted(&books, "bank")), expected);
        assert_eq!(posted(&books, "suspense"), 0);
        books.audit().expect("in order");
        objected(&mut books, &release(merchant), Objection::EvidenceNotSuspended);
    }
}

#[test]
fn a_person_pays_or_ends_a_collection_on_record() {
    let mut books = waiting();
    let Command::Credit(credit) = credit(1, "1") else { panic!("a credit") };
    let assign = act(Act::Assign(credit));
    assert_eq!(books.run(&assign), Ok(Reply::Objected(Objection::EvidenceUnknown)));
    see(&mut books, seen("1", 12_000));
    let misfit = Objection::EvidenceMisfit(Doubtful::TooLittle);
    assert_eq!(books.run(&assign), Ok(Reply::Objected(misfit)));
    let Command::EndCollection(ending) = end(Some(Refusal::PaymentAbandoned), NOW) else {
        panic!("an end")
    };
    let ending = act(Act::EndCollection(ending));
    assert!(matches!(books.run(&ending), Ok(Reply::Administered { .. })));
    assert_eq!(books.run(&ending), Ok(Reply::Objected(Objection::OrderNotPending)));
    assert_eq!(books.audit_records.len(), 1);
    books.audit().expect("in order");

    let mut books = waiting();
    see(&mut books, seen("1", 13_000));
    assert!(matches!(books.run(&assign), Ok(Reply::Administered { .. })));
    assert_eq!(posted(&books, "M"), 9900);
    books.audit().expect("in order");
}

fn payout(amount: i64, fee: i64) -> Buy {
    let asked = buy(request("W", "1234567890", Mode::Live), rupiah(amount + fee));
    let quote = Quote {
        nominal: rupiah(amount),
        admin_fee: rupiah(fee),
        admin: rupiah(fee),
        ..asked.quote
    };
    Buy { quote, recipient: Some(Detail::none()), ..asked }
}

#[test]
fn a_payout_holds_amount_and_fee_and_posts_or_voids_both() {
    let table = [
        (delivered(rupiah(905)), (70, -905, 25)),
        (Outcome::Refused(Refusal::TransactionFailed), (1000, 0, 0)),
    ];
    for (outcome, (left, _float, margin)) in table {
        let mut books = Books::funded(1000);
        books.run(&Command::Buy(payout(900, 30))).expect("accepted");
        let order = &books.orders[&OrderId(1)];
        assert_eq!((order.kind, order.holds.len()), (Kind::Payout, 2));
        assert_eq!(books.available("M"), 70);
        books.audit().expect("in order");
        books.run(&Command::Resolve(resolve(1, outcome))).expect("resolved");
        assert_eq!((books.available("M"), posted(&books, "margin")), (left, margin));
        books.audit().expect("in order");
    }
    let books = Books::funded(929);
    let refused = books.decide(&Command::Buy(payout(900, 30)));
    assert_eq!(refused.answer, Err(Refusal::BalanceInsufficient));
    assert_eq!(refused.changes, []);
    let free = Books::funded(900).decide(&Command::Buy(payout(900, 0)));
    assert!(free.answer.is_ok(), "a payout without a fee has one hold");
}

#[test]
fn an_order_with_an_address_of_its_own_tells_both() {
    let mut books = Books::default();
    let mut asked = open("A");
    asked.request.callback_url = Some("https://shop.example/own".to_owned());
    books.run(&Command::OpenCollection(asked)).expect("opened");
    books.run(&end(Some(Refusal::PaymentAbandoned), NOW)).expect("ended");
    let own: Vec<_> = books.callbacks.values().map(|callback| callback.to_own_address).collect();
    assert_eq!(own, [false, true]);
    books.audit().expect("in order");
}

/// Nobody asked for it by itself: it is told once to who asks, whatever becomes of the order then.
#[test]
fn that_a_person_has_to_look_is_told_to_who_asks() {
    let mut books = waiting();
    let asked = |callbacks: &[u64]| {
        Command::Redeliver(Redeliver {
            merchant: MERCHANT,
            order: OrderId(1),
            callbacks: callbacks.iter().copied().map(CallbackId).collect(),
            currency: Currency::Idr,
            at: at(NOW),
        })
    };
    let told = |callbacks| Ok(Reply::Redelivered { callbacks });
    assert_eq!(books.run(&asked(&[])), told(0), "it only waits");
    let review = Tell {
        order: OrderId(1),
        merchant: MERCHANT,
        particulars: Vec::new(),
        reference: None,
        in_review: Some(true),
        at: at(NOW),
    };
    books.run(&Command::Tell(review)).expect("noted");
    assert_eq!(books.callbacks.len(), 0);
    assert_eq!(books.run(&asked(&[])), told(1));
    assert_eq!(books.callbacks[&CallbackId(1)].event, Event::InReview);
    books.audit().expect("in order");
    assert_eq!(books.run(&asked(&[1])), told(1), "the same once more");
    assert_eq!(books.callbacks.len(), 1);
    see(&mut books, seen("1", 13_000));
    books.run(&credit(1, "1")).expect("credited");
    assert_eq!(books.callbacks[&CallbackId(2)].event, Event::Succeeded);
    books.audit().expect("in order");
}
