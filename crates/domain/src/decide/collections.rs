//! Collections: waiting for payers, and what evidence of their money comes to.
//!
//! A collection is credited by one piece of evidence that fits it exactly, in the commit that uses
//! the evidence up. Everything else that comes in stands on suspense, never with a merchant.

use std::sync::Arc;

use crate::administration::{Action, Effect, Objection, Standing};
use crate::bill::Detail;
use crate::callback::Event;
use crate::command::{
    Credit, EndCollection, Funding, FundingKey, OpenCollection, RecordEvidence, Release, Reply,
    Suspend, Tell,
};
use crate::evidence::{Doubtful, Evidence, EvidenceState};
use crate::ledger::Ledger;
use crate::money::Amount;
use crate::order::{Collecting, Kind, Order, OrderState};
use crate::posting::{self, Direction};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::working_set::{Change, NotLoaded, WorkingSet};

use super::administration::{Done, Outcome, facts};
use super::{
    DecideFault, Decision, Ended, balance, incomplete, ledger_changes, new_purchase, saved,
};

/// Until when somebody waits who waits for ever.
const FOREVER: Timestamp = Timestamp::from_milliseconds(i64::MAX);

pub(super) fn decide_open(
    working_set: &WorkingSet,
    open: &OpenCollection,
) -> Result<Decision, DecideFault> {
    if let Some(before) = working_set.order_by_reference(&open.request.key)? {
        return Ok(if before.fingerprint == open.request.fingerprint {
            Decision::unchanged(Reply::Awaited { order: Arc::clone(before), repeated: true })
        } else {
            Decision::refused(Refusal::ReferenceUsed)
        });
    }
    let collecting = &open.collecting;
    if collecting.due.is_zero() || collecting.gross.minus(collecting.fee).is_err() {
        return Ok(Decision::refused(Refusal::AmountInvalid));
    }
    let order = Arc::new(Order {
        kind: Kind::Collection,
        state: OrderState::Awaiting,
        expires_at: open.expires_at.unwrap_or(FOREVER),
        collecting: Some(collecting.clone()),
        ..new_purchase(working_set, &open.request)?
    });
    Ok(Decision {
        answer: Ok(Reply::Awaited { order: Arc::clone(&order), repeated: false }),
        changes: vec![Change::NewOrder(order)],
    })
}

/// Notes what a payer told. A reference that was named for another order is refused; the same again
/// is a repeat.
pub(super) fn decide_tell(working_set: &WorkingSet, tell: &Tell) -> Result<Decision, DecideFault> {
    let Some(order) = collection(working_set, tell.order, tell.merchant)? else {
        return Ok(Decision::refused(Refusal::OrderNotFound));
    };
    if order.state != OrderState::Awaiting {
        return Ok(Decision::refused(Refusal::InvoicePaid));
    }
    let mut claimed = None;
    if let Some(key) = &tell.reference {
        match working_set.payer_reference(key)? {
            Some(other) if other != order.id => {
                return Ok(Decision::refused(Refusal::PayerReferenceUsed));
            }
            Some(_) => {}
            None => claimed = Some(Change::PayerReference(key.clone(), order.id)),
        }
    }
    let mut next = Order::clone(order);
    let collecting = next.collecting.as_mut().ok_or_else(|| incomplete("collection", order))?;
    let mut entries = match std::mem::replace(&mut collecting.particulars, Detail::none()) {
        Detail::Record(entries) => entries,
        _ => Vec::new(),
    };
    for (name, detail) in &tell.particulars {
        entries.retain(|(known, _)| known != name);
        entries.push((name.clone(), detail.clone()));
    }
    collecting.particulars = Detail::Record(entries);
    collecting.in_review = tell.in_review.unwrap_or(collecting.in_review);
    if next == **order && claimed.is_none() {
        let order = Arc::clone(order);
        return Ok(Decision::unchanged(Reply::Awaited { order, repeated: true }));
    }
    next.updated_at = tell.at;
    let order = Arc::new(next);
    let mut changes = vec![Change::Order(Arc::clone(&order))];
    changes.extend(claimed);
    Ok(Decision { answer: Ok(Reply::Awaited { order, repeated: false }), changes })
}

pub(super) fn decide_evidence(
    working_set: &WorkingSet,
    record: &RecordEvidence,
) -> Result<Decision, DecideFault> {
    if let Some(before) = working_set.evidence(&record.evidence.key)? {
        let evidence = before.clone();
        return Ok(Decision::unchanged(Reply::EvidenceRecorded { evidence, repeated: true }));
    }
    if record.evidence.amount.is_zero() {
        return Ok(Decision::refused(Refusal::AmountInvalid));
    }
    let evidence = Evidence { state: EvidenceState::Open, ..record.evidence.clone() };
    Ok(Decision {
        answer: Ok(Reply::EvidenceRecorded { evidence: evidence.clone(), repeated: false }),
        changes: vec![Change::Evidence(evidence)],
    })
}

pub(super) fn decide_credit(
    working_set: &WorkingSet,
    credit: &Credit,
) -> Result<Decision, DecideFault> {
    let Some(order) = collection(working_set, credit.order, credit.merchant)? else {
        return Ok(Decision::refused(Refusal::OrderNotFound));
    };
    let collecting = order.collecting.as_ref().ok_or_else(|| incomplete("collection", order))?;
    let evidence = working_set
        .evidence(&credit.evidence)?
        .ok_or_else(|| NotLoaded(format!("{:?}", credit.evidence).into()))?;
    let mut ledger = Ledger::new(working_set, Some(order.id), credit.at);
    if evidence.state == EvidenceState::Used(order.id) {
        let balance = balance(&ledger, credit.merchant, credit.currency)?;
        let order = Arc::clone(order);
        return Ok(Decision::unchanged(Reply::Credited { order, balance, repeated: true }));
    }
    if let Some(reason) = misfit(order, collecting, evidence) {
        let order = Arc::clone(order);
        return Ok(Decision::unchanged(Reply::NotCredited { reason, order }));
    }
    if matches!(evidence.state, EvidenceState::Suspended { .. }) {
        posting::suspension_undone(&mut ledger, &evidence.channel, evidence.amount)?;
    }
    let (merchant, channel) = (credit.merchant, &collecting.channel);
    posting::collected(&mut ledger, merchant, channel, collecting.gross, collecting.fee)?;
    let balance = balance(&ledger, merchant, credit.currency)?;
    let mut next = Order::clone(order);
    next.state = OrderState::Succeeded;
    next.updated_at = credit.at;
    next.collecting = Some(Collecting {
        evidence: Some(evidence.key.clone()),
        in_review: false,
        ..collecting.clone()
    });
    let used = Evidence { state: EvidenceState::Used(order.id), ..evidence.clone() };
    let ended = Ended { event: Event::Succeeded, at: credit.at, balance };
    let (order, mut changes) = saved(working_set, ledger, next, &ended)?;
    changes.push(Change::Evidence(used));
    Ok(Decision { answer: Ok(Reply::Credited { order, balance, repeated: false }), changes })
}

/// Why this evidence does not pay this order, if it doesn't.
fn misfit(order: &Order, collecting: &Collecting, evidence: &Evidence) -> Option<Doubtful> {
    if order.state == OrderState::Succeeded {
        return Some(Doubtful::PaidBefore);
    }
    if order.state != OrderState::Awaiting {
        return Some(Doubtful::TooLate);
    }
    if !evidence.state.is_free() || evidence.channel != collecting.channel {
        return Some(Doubtful::NoOrder);
    }
    match evidence.amount.minus(collecting.due) {
        Ok(surplus) if surplus.is_zero() => None,
        Ok(_) => Some(Doubtful::TooMuch),
        Err(crate::money::AmountError::Negative) => Some(Doubtful::TooLittle),
        Err(_) => Some(Doubtful::NoOrder),
    }
}

/// Evidence that was decided on meanwhile stays as it is.
pub(super) fn decide_suspend(
    working_set: &WorkingSet,
    suspend: &Suspend,
) -> Result<Decision, DecideFault> {
    let missing = || NotLoaded(format!("{:?}", suspend.evidence).into());
    let evidence = working_set.evidence(&suspend.evidence)?.ok_or_else(missing)?;
    if evidence.state != EvidenceState::Open {
        let evidence = evidence.clone();
        return Ok(Decision::unchanged(Reply::Suspended { evidence, repeated: true }));
    }
    let mut ledger = Ledger::new(working_set, None, suspend.at);
    let transfer = posting::suspended(&mut ledger, &evidence.channel, evidence.amount)?;
    let state = EvidenceState::Suspended { reason: suspend.reason, transfer };
    let evidence = Evidence { state, ..evidence.clone() };
    let mut changes = ledger_changes(ledger);
    changes.push(Change::Evidence(evidence.clone()));
    Ok(Decision { answer: Ok(Reply::Suspended { evidence, repeated: false }), changes })
}

pub(super) fn decide_end(
    working_set: &WorkingSet,
    end: &EndCollection,
) -> Result<Decision, DecideFault> {
    let Some(order) = collection(working_set, end.order, end.merchant)? else {
        return Ok(Decision::refused(Refusal::OrderNotFound));
    };
    let due = end.refusal.is_some() || end.at >= order.expires_at;
    if order.state != OrderState::Awaiting || !due {
        return Ok(Decision::unchanged(Reply::Ended(Arc::clone(order))));
    }
    let ledger = Ledger::new(working_set, Some(order.id), end.at);
    let balance = balance(&ledger, end.merchant, end.currency)?;
    let mut next = Order::clone(order);
    next.state = end.refusal.map_or(OrderState::Expired, OrderState::Failed);
    next.updated_at = end.at;
    let ended = Ended { event: Event::Failed, at: end.at, balance };
    let (order, changes) = saved(working_set, ledger, next, &ended)?;
    Ok(Decision { answer: Ok(Reply::Ended(order)), changes })
}

/// The merchant's collection of this number; none for anything else.
fn collection(
    working_set: &WorkingSet,
    order: crate::identifier::OrderId,
    merchant: crate::identifier::MerchantId,
) -> Result<Option<&Arc<Order>>, DecideFault> {
    let owned =
        |order: &&Arc<Order>| order.key.merchant == merchant && order.kind == Kind::Collection;
    Ok(working_set.order(order)?.filter(owned))
}

/// A person pays a collection by evidence that nobody could attribute for certain.
pub(super) fn assign(working_set: &WorkingSet, credit: &Credit) -> Outcome {
    if working_set.evidence(&credit.evidence)?.is_none() {
        return Ok(Err(Objection::EvidenceUnknown));
    }
    let Decision { answer, changes } = decide_credit(working_set, credit)?;
    match answer {
        Ok(Reply::Credited { order, .. }) => {
            let evidence = format!("{} {}", credit.evidence.source, credit.evidence.id);
            Ok(Ok(decided(Action::EvidenceAssigned, &order, &evidence, changes)))
        }
        Ok(Reply::NotCredited { reason, .. }) => Ok(Err(Objection::EvidenceMisfit(reason))),
        Ok(_) | Err(_) => Ok(Err(Objection::OrderUnknown)),
    }
}

/// A person ends a collection. What ended meanwhile stays as it is.
pub(super) fn end_by_hand(working_set: &WorkingSet, end: &EndCollection) -> Outcome {
    let waited = working_set.order(end.order)?.is_some_and(|it| it.state == OrderState::Awaiting);
    let Decision { answer, changes } = decide_end(working_set, end)?;
    match answer {
        Ok(Reply::Ended(order)) if waited => {
            Ok(Ok(decided(Action::OrderResolved, &order, "", changes)))
        }
        Ok(_) => Ok(Err(Objection::OrderNotPending)),
        Err(_) => Ok(Err(Objection::OrderUnknown)),
    }
}

fn decided(action: Action, order: &Order, evidence: &str, changes: Vec<Change>) -> Done {
    let standing = Standing { order: order.id, key: order.key.clone(), state: order.state };
    Done {
        action,
        subject: format!("order {}", order.id),
        before: facts([("state", OrderState::Awaiting.name().to_owned())]),
        after: facts([("state", order.state.name().to_owned()), ("evidence", evidence.to_owned())]),
        effect: Effect::Resolved(standing),
        changes,
    }
}

/// What a merchant gets is a funding like any other, so that its history explains it.
pub(super) fn release(working_set: &WorkingSet, release: &Release) -> Outcome {
    let Some(evidence) = working_set.evidence(&release.evidence)? else {
        return Ok(Err(Objection::EvidenceUnknown));
    };
    if let Some(id) = release.merchant {
        match working_set.merchant(id)? {
            None => return Ok(Err(Objection::MerchantUnknown)),
            Some(merchant) if merchant.currency != evidence.amount.currency() => {
                return Ok(Err(Objection::CurrencyMismatch));
            }
            Some(_) => {}
        }
    }
    if !matches!(evidence.state, EvidenceState::Suspended { .. }) {
        return Ok(Err(Objection::EvidenceNotSuspended));
    }
    let mut ledger = Ledger::new(working_set, None, release.at);
    let transfer = posting::released(&mut ledger, release.merchant, evidence.amount)?;
    let mut changes = ledger_changes(ledger);
    if let Some(merchant) = release.merchant {
        changes.push(Change::Funding(Funding {
            key: FundingKey { merchant, reference: release.funding_reference() },
            direction: Direction::Credit,
            amount: evidence.amount,
            reason: release.reason.clone(),
            transfer,
            at: release.at,
        }));
    }
    let released =
        Evidence { state: EvidenceState::Released(release.merchant), ..evidence.clone() };
    changes.push(Change::Evidence(released.clone()));
    let receiver = release.merchant.map_or("sender".to_owned(), |id| format!("merchant {id}"));
    let amount: Amount = evidence.amount;
    Ok(Ok(Done {
        action: Action::EvidenceReleased,
        subject: format!("evidence {} {}", evidence.key.source, evidence.key.id),
        before: facts([("state", evidence.state.name().to_owned())]),
        after: facts([
            ("state", released.state.name().to_owned()),
            ("receiver", receiver),
            ("amount", amount.to_string()),
            ("reason", release.reason.clone()),
        ]),
        effect: Effect::Released(released),
        changes,
    }))
}

#[cfg(test)]
#[path = "collections_tests.rs"]
mod tests;
