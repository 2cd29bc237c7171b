//! Evidence that was recorded by a process that ended before it decided.

use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::command::RecordEvidence;
use domain::evidence::Doubtful;
use domain::{Amount, Command, OrderState, Reply};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::fixtures::{DUE, Fixture, OPENING, opened};
use crate::ports::{CollectionReports, PayerDoes, Store};

/// Records evidence as [`Gateway::take_in`] does, and does no more, as if the process had ended then.
async fn recorded(fixture: &Fixture, source: &str, id: &str, amount: u32) -> EvidenceKey {
    let now = fixture.gateway.now();
    let key = EvidenceKey { source: source.to_owned(), id: id.to_owned() };
    let evidence = Evidence {
        key: key.clone(),
        channel: "in".to_owned(),
        amount: Amount::rupiah(amount),
        sender: String::new(),
        reference: String::new(),
        came_in_at: now,
        seen_at: now,
        state: EvidenceState::Open,
    };
    let command = Command::RecordEvidence(RecordEvidence { evidence });
    let answer = fixture.store.execute(command, None).await.unwrap().unwrap();
    assert!(matches!(answer, Reply::EvidenceRecorded { repeated: false, .. }), "{answer:?}");
    key
}

async fn state(fixture: &Fixture, key: &EvidenceKey) -> EvidenceState {
    fixture.store.evidence(key).await.unwrap().unwrap().state
}

fn is_suspended(state: EvidenceState, why: Doubtful) -> bool {
    matches!(state, EvidenceState::Suspended { reason, .. } if reason == why)
}

/// Nobody brings it again: without looking it would be open for ever.
#[tokio::test]
async fn what_a_dead_process_left_open_is_decided_on_at_the_start() {
    let fixture = Fixture::new().await;
    let order = opened(&fixture, "A").await;
    let right = recorded(&fixture, "bank", "right", DUE).await;
    let foreign = recorded(&fixture, "bank", "foreign", DUE + 1).await;
    assert_eq!(state(&fixture, &right).await, EvidenceState::Open);
    let restarted = fixture.restarted().await;
    assert_eq!(restarted.recover_evidence().await, Ok(2));
    assert_eq!(state(&fixture, &right).await, EvidenceState::Used(order.id));
    assert!(is_suspended(state(&fixture, &foreign).await, Doubtful::NoOrder));
    assert_eq!(fixture.balance().await, i64::from(OPENING + DUE - DUE / 100));
    assert_eq!(restarted.recover_evidence().await, Ok(0), "once");
    assert_eq!(fixture.store.audit().unwrap().callbacks, 1);
}

/// More than is read at a time.
#[tokio::test]
async fn nothing_is_passed_over() {
    let fixture = Fixture::new().await;
    for number in 0..AT_ONCE * 2 + 1 {
        recorded(&fixture, "bank", &number.to_string(), DUE).await;
    }
    assert_eq!(fixture.gateway.recover_evidence().await, Ok(u64::from(AT_ONCE * 2 + 1)));
    assert_eq!(fixture.gateway.recover_evidence().await, Ok(0));
    fixture.store.audit().unwrap();
}

/// Also where its name stands behind more than is read at a time.
#[tokio::test]
async fn the_oldest_money_is_decided_on_first() {
    let fixture = Fixture::new().await;
    let order = opened(&fixture, "A").await;
    let older = recorded(&fixture, "bank", "z", DUE).await;
    fixture.advance(Duration::from_secs(1));
    let younger = recorded(&fixture, "bank", "a", DUE).await;
    for number in 0..AT_ONCE {
        recorded(&fixture, "bank", &format!("b{number}"), DUE + 1).await;
    }
    assert_eq!(fixture.gateway.recover_evidence().await, Ok(u64::from(AT_ONCE) + 2));
    assert_eq!(state(&fixture, &older).await, EvidenceState::Used(order.id));
    assert!(is_suspended(state(&fixture, &younger).await, Doubtful::NoOrder));
}

/// The money was there in time, although the order's time ran out while the server was down.
#[tokio::test(start_paused = true)]
async fn time_that_ran_out_meanwhile_takes_nothing_from_who_paid() {
    let fixture = Fixture::new().await;
    let order = opened(&fixture, "A").await;
    let evidence = recorded(&fixture, "bank", "1", DUE).await;
    fixture.advance(Duration::from_secs(3600));
    let stop = CancellationToken::new();
    let restarted = fixture.restarted().await;
    let running = tokio::spawn(restarted.run_collections(stop.clone()));
    tokio::time::sleep(Duration::from_secs(3)).await;
    stop.cancel();
    running.await.unwrap();
    assert_eq!(state(&fixture, &evidence).await, EvidenceState::Used(order.id));
    assert_eq!(fixture.state(&order).await, OrderState::Succeeded);
}

/// What whoever brought it is about to decide on is left alone for a while.
#[tokio::test]
async fn a_running_process_looks_after_what_stays_open() {
    let fixture = Fixture::new().await;
    let order = opened(&fixture, "A").await;
    let evidence = recorded(&fixture, "bank", "1", DUE).await;
    assert_eq!(fixture.gateway.decide_on_left(None).await, Ok(None));
    assert_eq!(state(&fixture, &evidence).await, EvidenceState::Open);
    fixture.advance(LEFT_AFTER);
    assert_eq!(fixture.gateway.decide_on_left(None).await, Ok(None));
    assert_eq!(state(&fixture, &evidence).await, EvidenceState::Used(order.id));
}

#[tokio::test]
async fn a_round_is_bounded_and_the_next_goes_on_where_it_ended() {
    let fixture = Fixture::new().await;
    for number in 0..AT_ONCE + 1 {
        recorded(&fixture, "bank", &format!("{number:03}"), DUE).await;
    }
    fixture.advance(LEFT_AFTER);
    let before = fixture.store.changes();
    let next = fixture.gateway.decide_on_left(None).await.unwrap();
    assert!(next.is_some(), "one is left");
    assert!(fixture.store.changes() > before);
    let last = EvidenceKey { source: "bank".to_owned(), id: format!("{AT_ONCE:03}") };
    assert_eq!(state(&fixture, &last).await, EvidenceState::Open);
    assert_eq!(fixture.gateway.decide_on_left(next).await, Ok(None));
    assert!(is_suspended(state(&fixture, &last).await, Doubtful::NoOrder));
}

/// A payer of an upstream pays one order and no other, whatever else waits for the same amount.
#[tokio::test]
async fn what_an_upstream_saw_is_for_the_order_that_it_named() {
    let fixture = Fixture::new().await;
    let (first, second) = (opened(&fixture, "A").await, opened(&fixture, "B").await);
    let supplier = fixture.upstream.name.to_string();
    let named = recorded(&fixture, &supplier, &format!("order-{}", second.id), DUE).await;
    let nobodys = recorded(&fixture, &supplier, "order-99", DUE).await;
    assert_eq!(fixture.gateway.recover_evidence().await, Ok(2));
    assert_eq!(state(&fixture, &named).await, EvidenceState::Used(second.id));
    assert!(is_suspended(state(&fixture, &nobodys).await, Doubtful::NoOrder));
    assert_eq!(fixture.state(&first).await, OrderState::Awaiting);
    // The payer comes again, after the restart as before.
    fixture.upstream.payer.lock().unwrap().push_back(PayerDoes::Pays);
    let moment = crate::ports::Moment::PressedPay;
    let paid = fixture.gateway.let_payer(Arc::clone(&second), moment).await.unwrap();
    assert_eq!(paid.state, OrderState::Succeeded);
    assert_eq!(fixture.balance().await, i64::from(OPENING + DUE - DUE / 100));
    assert_eq!(fixture.upstream.paid.load(Ordering::Relaxed), 0);
    fixture.store.audit().unwrap();
}
