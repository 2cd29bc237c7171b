//! Collections and payouts over an in-memory store, with a payer who does as told.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::administration::{self, Actor, NamedRequest, Role};
use domain::command::{Credit, EndCollection};
use domain::evidence::{Doubtful, Evidence, EvidenceKey, EvidenceState};
use domain::{
    Amount, CallbackId, Currency, Detail, Merchant, Order, OrderState, ProtocolName, Reference,
    Refusal,
};
use tokio::time::timeout;

use crate::collect::{Told, told};
use crate::fixtures::{Act, DUE, Fixture, OPENING, collection, opened};
use crate::ports::{CollectionReports, Moment, PayerDoes, Verdict};
use crate::{By, ByHandFault, Collected, CollectionRequest, Done, PayOutRequest, Rejection};

fn seen(fixture: &Fixture, id: &str, amount: u32, sender: &str) -> Evidence {
    Evidence {
        key: EvidenceKey { source: "bank".to_owned(), id: id.to_owned() },
        channel: "in".to_owned(),
        amount: Amount::rupiah(amount),
        sender: sender.to_owned(),
        reference: String::new(),
        came_in_at: fixture.gateway.now(),
        seen_at: fixture.gateway.now(),
        state: EvidenceState::Open,
    }
}

async fn take_in(fixture: &Fixture, evidence: Evidence) -> EvidenceState {
    fixture.gateway.take_in(evidence).await.unwrap().evidence.state
}

async fn tell(fixture: &Fixture, order: &Order, sender: &str) -> Collected {
    let particulars = vec![(told::SENDER.to_owned(), Detail::Text(sender.to_owned()))];
    let told = Told { particulars, reference: None };
    fixture.gateway.tell_collection(&fixture.merchant, order.id, told).await.unwrap()
}

fn reason(state: EvidenceState) -> Option<Doubtful> {
    match state {
        EvidenceState::Suspended { reason, .. } => Some(reason),
        _ => None,
    }
}

#[tokio::test]
async fn money_that_fits_one_waiting_order_pays_it_once() {
    let fixture = Fixture::new().await;
    let order = opened(&fixture, "A").await;
    let evidence = seen(&fixture, "1", DUE, "0812");
    assert_eq!(take_in(&fixture, evidence.clone()).await, EvidenceState::Used(order.id));
    let again = fixture.gateway.take_in(evidence).await.unwrap();
    assert_eq!((again.evidence.state, again.repeated), (EvidenceState::Used(order.id), true));
    assert_eq!(fixture.state(&order).await, OrderState::Succeeded);
    assert_eq!(fixture.balance().await, i64::from(OPENING + DUE - DUE / 100));
    assert_eq!(fixture.store.audit().unwrap().callbacks, 1);
}

/// Late, short, surplus, doubled and foreign money, and money that two might be waiting for.
#[tokio::test]
async fn money_that_is_nobodys_for_certain_goes_to_suspense() {
    let fixture = Fixture::new().await;
    let early = seen(&fixture, "early", DUE, "");
    fixture.advance(Duration::from_secs(1));
    opened(&fixture, "A").await;
    let balance = fixture.balance().await;
    let state = take_in(&fixture, early).await;
    assert_eq!(reason(state), Some(Doubtful::NoOrder), "it came in before anybody asked");
    for (id, amount) in [("short", DUE - 1), ("surplus", DUE + 1)] {
        let state = take_in(&fixture, seen(&fixture, id, amount, "")).await;
        assert_eq!(reason(state), Some(Doubtful::NoOrder), "{id}");
    }
    opened(&fixture, "B").await;
    let state = take_in(&fixture, seen(&fixture, "either", DUE, "0812")).await;
    assert_eq!(reason(state), Some(Doubtful::SeveralOrders));
    assert_eq!(fixture.balance().await, balance);
    fixture.store.audit().unwrap();
}

#[tokio::test]
async fn what_the_payer_tells_decides_between_two() {
    let fixture = Fixture::new().await;
    let (first, second) = (opened(&fixture, "A").await, opened(&fixture, "B").await);
    tell(&fixture, &first, "0811").await;
    tell(&fixture, &second, "0812").await;
    let state = take_in(&fixture, seen(&fixture, "1", DUE, "0812")).await;
    assert_eq!(state, EvidenceState::Used(second.id));
    let state = take_in(&fixture, seen(&fixture, "2", DUE, "0899")).await;
    assert_eq!(reason(state), Some(Doubtful::NoOrder), "the first names somebody else");
    assert_eq!(fixture.state(&first).await, OrderState::Awaiting);
}

/// More wait than are looked at: one of those that are not might be the one that is meant.
#[tokio::test]
async fn among_too_many_nothing_is_certain() {
    let fixture = Fixture::new().await;
    let named = opened(&fixture, "0").await;
    tell(&fixture, &named, "0812").await;
    for number in 1..1000 {
        let other = opened(&fixture, &number.to_string()).await;
        tell(&fixture, &other, "0899").await;
    }
    let state = take_in(&fixture, seen(&fixture, "1", DUE, "0812")).await;
    assert_eq!(reason(state), Some(Doubtful::SeveralOrders));
    fixture.gateway.end_collection(&named, Some(Refusal::PaymentAbandoned)).await.unwrap();
    let state = take_in(&fixture, seen(&fixture, "2", DUE, "0812")).await;
    assert_eq!(reason(state), Some(Doubtful::NoOrder));
}

/// The money is there before the payer says who sent it.
#[tokio::test]
async fn telling_finds_what_was_suspended() {
    let fixture = Fixture::new().await;
    let (first, _second) = (opened(&fixture, "A").await, opened(&fixture, "B").await);
    take_in(&fixture, seen(&fixture, "1", DUE, "0812")).await;
    let nobody = tell(&fixture, &first, "0899").await;
    assert_eq!(nobody.order.state, OrderState::Awaiting);
    let paid = tell(&fixture, &first, "0812").await;
    assert_eq!(paid.order.state, OrderState::Succeeded);
    assert_eq!(paid.balance.minor(), i64::from(OPENING + DUE - DUE / 100));
    fixture.store.audit().unwrap();
}

#[tokio::test]
async fn time_ends_a_collection() {
    let fixture = Fixture::new().await;
    let order = opened(&fixture, "A").await;
    let early = fixture.gateway.end_collection(&order, None).await.unwrap();
    assert_eq!(early.state, OrderState::Awaiting);
    fixture.advance(Duration::from_secs(60));
    for expired in fixture.store.collections_expired(fixture.gateway.now(), 9).await.unwrap() {
        fixture.gateway.end_collection(&expired, None).await.unwrap();
    }
    assert_eq!(fixture.state(&order).await, OrderState::Expired);
    let state = take_in(&fixture, seen(&fixture, "late", DUE, "")).await;
    assert_eq!(reason(state), Some(Doubtful::NoOrder));
    assert_eq!(fixture.store.audit().unwrap().callbacks, 1);
}

#[tokio::test]
async fn the_built_in_payer_pays_gives_up_or_needs_a_person() {
    let table = [
        (PayerDoes::Pays, "succeeded", false),
        (PayerDoes::GivesUp, "failed", false),
        (PayerDoes::NeedsReview, "awaiting", true),
        (PayerDoes::Nothing, "awaiting", false),
    ];
    for (does, state, in_review) in table {
        let fixture = Fixture::new().await;
        fixture.upstream.payer.lock().unwrap().push_back(does);
        let order = opened(&fixture, "A").await;
        let collecting = order.collecting.as_ref().unwrap();
        assert_eq!((order.state.name(), collecting.in_review), (state, in_review), "{does:?}");
        fixture.store.audit().unwrap();
    }
}

#[tokio::test]
async fn pressing_twice_pays_once() {
    let fixture = Fixture::new().await;
    let order = opened(&fixture, "A").await;
    fixture.upstream.payer.lock().unwrap().extend([PayerDoes::Pays; 2]);
    let press = || fixture.gateway.let_payer(Arc::clone(&order), Moment::PressedPay);
    let (first, second) = tokio::join!(press(), press());
    assert_eq!(first.unwrap().state, OrderState::Succeeded);
    assert_eq!(second.unwrap().state, OrderState::Succeeded);
    assert_eq!(fixture.balance().await, i64::from(OPENING + DUE - DUE / 100));
    assert_eq!(fixture.store.audit().unwrap().evidence, 1);
}

#[tokio::test]
async fn what_cannot_be_collected_stores_nothing() {
    let fixture = Fixture::new().await;
    let before = fixture.store.changes();
    let asked = || collection(&fixture, "A");
    let foreign =
        Arc::new(Merchant { currency: Currency::Thb, ..Merchant::clone(&fixture.merchant) });
    let table = [
        (CollectionRequest { code: "NONE".to_owned(), ..asked() }, Refusal::ChannelUnknown),
        (CollectionRequest { code: "OUT".to_owned(), ..asked() }, Refusal::ChannelUnknown),
        (CollectionRequest { code: "PULSA".to_owned(), ..asked() }, Refusal::ChannelUnknown),
        (CollectionRequest { merchant: foreign, ..asked() }, Refusal::CurrencyNotSupported),
        (CollectionRequest { gross: Amount::rupiah(500_001), ..asked() }, Refusal::AmountInvalid),
        (CollectionRequest { due: Amount::rupiah(0), ..asked() }, Refusal::AmountInvalid),
    ];
    for (request, refusal) in table {
        let rejection = fixture.gateway.open_collection(request).await.unwrap_err();
        assert_eq!(rejection, Rejection::Refused(refusal));
    }
    assert_eq!(fixture.store.changes(), before);
    opened(&fixture, "A").await;
    let again = fixture.gateway.open_collection(asked()).await.unwrap();
    assert!(again.repeated);
    let other = CollectionRequest { fingerprint: [2; 32], ..asked() };
    let rejection = fixture.gateway.open_collection(other).await.unwrap_err();
    assert_eq!(rejection, Rejection::Refused(Refusal::ReferenceUsed));
}

/// Whether the courier was called since this was asked last.
async fn rung(fixture: &Fixture) -> bool {
    timeout(Duration::ZERO, fixture.gateway.news.notified()).await.is_ok()
}

/// News of what a person decided leaves at once, as any other.
#[tokio::test]
async fn a_decision_by_hand_calls_the_courier() {
    let fixture = Fixture::new().await;
    let (first, second) = (opened(&fixture, "A").await, opened(&fixture, "B").await);
    let doubtful = seen(&fixture, "1", DUE, "0812");
    take_in(&fixture, doubtful.clone()).await;
    assert!(!rung(&fixture).await, "nothing is owed yet");
    let assign = administration::Act::Assign(Credit {
        order: first.id,
        merchant: fixture.merchant.id,
        currency: Currency::Idr,
        channel: (doubtful.channel.clone(), Currency::Idr),
        evidence: doubtful.key.clone(),
        at: fixture.gateway.now(),
    });
    let end = administration::Act::EndCollection(EndCollection {
        order: second.id,
        merchant: fixture.merchant.id,
        currency: Currency::Idr,
        refusal: Some(Refusal::PaymentAbandoned),
        at: fixture.gateway.now(),
    });
    let resend = administration::Act::ResendCallback { callback: CallbackId(1) };
    for (act, owed) in [(assign, 1), (end, 2), (resend, 2)] {
        let actor = Actor { name: "ana".to_owned(), role: Role::Administrator };
        fixture.gateway.act(By { actor, request: None }, act).await.unwrap();
        assert!(rung(&fixture).await, "{owed}");
        assert_eq!(fixture.store.audit().unwrap().callbacks, owed);
    }
}

/// A person may give a collection up, and cannot pay it by a word.
#[tokio::test]
async fn a_person_ends_a_collection_and_pays_none() {
    let fixture = Fixture::new().await;
    let order = opened(&fixture, "A").await;
    let by = |text: &str| By {
        actor: Actor { name: "ana".to_owned(), role: Role::Operator },
        request: Some(NamedRequest { text: text.to_owned(), fingerprint: [1; 32] }),
    };
    let decide = |verdict, name| fixture.gateway.decide_by_hand(order.id, verdict, by(name));
    let word = decide(Verdict::Success, "k1").await;
    assert_eq!(word, Err(ByHandFault::NeedsEvidence));
    let done = decide(Verdict::Failed, "k2").await.unwrap();
    assert_eq!(fixture.state(&order).await, OrderState::Failed(Refusal::PaymentFailed));
    assert!(rung(&fixture).await);
    assert_eq!(decide(Verdict::Failed, "k2").await, Ok(Done { repeated: true, ..done }));
    assert_eq!(decide(Verdict::Failed, "k3").await, Err(ByHandFault::NotPending));
    assert_eq!(fixture.store.audit().unwrap().callbacks, 1);
}

fn payout(fixture: &Fixture, reference: &str, amount: u32) -> PayOutRequest {
    PayOutRequest {
        merchant: Arc::clone(&fixture.merchant),
        protocol: ProtocolName::new("test"),
        reference: Reference::new(reference),
        code: "OUT".to_owned(),
        destination: "1234567890".to_owned(),
        recipient: Detail::none(),
        amount: Amount::rupiah(amount),
        dialect: String::new(),
        calls_back: true,
        callback_url: None,
        fingerprint: [1; 32],
    }
}

#[tokio::test]
async fn a_payout_is_sent_once_whatever_is_repeated() {
    let fixture = Fixture::new().await;
    fixture.will(Act::Wait);
    let pay = || fixture.gateway.pay_out(payout(&fixture, "W", 100_000));
    let first = pay().await.unwrap();
    assert_eq!((first.order.state, first.order.holds.len()), (OrderState::Processing, 2));
    assert_eq!(first.balance.minor(), i64::from(OPENING) - 101_000);
    assert!(pay().await.unwrap().repeated);
    fixture.upstream.go_on.notify_one();
    fixture.gateway.finish_calls().await;
    assert_eq!(fixture.upstream.paid.load(Ordering::Relaxed), 1);
    assert_eq!(fixture.state(&first.order).await, OrderState::Succeeded);
    assert_eq!(fixture.store.audit().unwrap().callbacks, 1);
}

#[tokio::test]
async fn what_cannot_be_paid_out_stores_nothing() {
    let fixture = Fixture::new().await;
    let before = fixture.store.changes();
    let table = [
        (
            PayOutRequest { code: "IN".to_owned(), ..payout(&fixture, "W", 1) },
            Refusal::ChannelUnknown,
        ),
        (payout(&fixture, "W", 0), Refusal::AmountInvalid),
        (payout(&fixture, "W", 500_001), Refusal::AmountInvalid),
    ];
    for (request, refusal) in table {
        let rejection = fixture.gateway.pay_out(request).await.unwrap_err();
        assert_eq!(rejection, Rejection::Refused(refusal));
    }
    assert_eq!(fixture.store.changes(), before);
}
