//! Callbacks: when one becomes owed, who may try it, and what a try comes to.

use std::sync::Arc;

use crate::administration::{Action, Effect, Facts, Objection};
use crate::callback::{Callback, CallbackState, Delivery, Endpoint, EndpointKey, Event};
use crate::command::{Lease, RecordDelivery, Redeliver, Reply, Wanted};
use crate::identifier::CallbackId;
use crate::ledger::Ledger;
use crate::merchant::Secret;
use crate::order::{Order, OrderState};
use crate::time::Timestamp;
use crate::working_set::{Change, NotLoaded, WorkingSet};

use super::administration::{Done, Outcome, facts};
use super::{DecideFault, Decision, Ended, balance, saved};

/// The callbacks that an order's end makes owed, entered on the order: one to the merchant's address
/// and one to the order's own, where those are wanted.
pub(super) fn owe(
    working_set: &WorkingSet,
    order: &mut Order,
    ended: &Ended,
) -> Result<Vec<Callback>, DecideFault> {
    let mut last = working_set.last_numbers().callback;
    let wanted = [(false, order.calls_back), (true, order.callback_url.is_some())];
    let mut owed = Vec::new();
    for (to_own_address, _) in wanted.into_iter().filter(|(_, wanted)| *wanted) {
        last = last.checked_add(1).ok_or(DecideFault::Exhausted)?;
        let id = CallbackId(last);
        order.callbacks.push(id);
        owed.push(Callback {
            id,
            order: order.id,
            merchant: order.key.merchant,
            protocol: order.key.protocol.clone(),
            event: ended.event,
            to_own_address,
            at: ended.at,
            balance: ended.balance,
            rendered: None,
            state: CallbackState::Waiting { due: ended.at },
            tries: 0,
            tries_in_round: 0,
        });
    }
    Ok(owed)
}

pub(super) fn decide_lease(
    working_set: &WorkingSet,
    lease: &Lease,
) -> Result<Decision, DecideFault> {
    let mut leased = Vec::new();
    for wanted in &lease.wanted {
        let known = working_set.callback(wanted.callback)?;
        if let Some(callback) = known.filter(|callback| may_lease(callback, lease)) {
            leased.extend(lease_one(callback, wanted, lease));
        }
    }
    let changes = leased.iter().cloned().map(Change::Callback).collect();
    Ok(Decision { answer: Ok(Reply::Leased(leased)), changes })
}

fn may_lease(callback: &Callback, lease: &Lease) -> bool {
    match callback.state {
        CallbackState::Waiting { due } => due <= lease.at,
        CallbackState::Leased { owner, until } => {
            until <= lease.at || (lease.take_over && owner != lease.owner)
        }
        CallbackState::Delivered | CallbackState::GivenUp => false,
    }
}

/// Nothing is leased without knowing what would be sent.
fn lease_one(callback: &Callback, wanted: &Wanted, lease: &Lease) -> Option<Callback> {
    let rendered = callback.rendered.as_ref().or(wanted.rendered.as_ref())?;
    Some(Callback {
        rendered: Some(Arc::clone(rendered)),
        state: CallbackState::Leased { owner: lease.owner, until: lease.until },
        ..callback.clone()
    })
}

/// Every try is remembered, also one whose lease ran out meanwhile: the receiver may have it. Only
/// the holder of the lease, or a success, moves the callback on.
pub(super) fn decide_delivery(
    working_set: &WorkingSet,
    record: &RecordDelivery,
) -> Result<Decision, DecideFault> {
    let missing = || NotLoaded(format!("callback {}", record.callback).into());
    let before = working_set.callback(record.callback)?.ok_or_else(missing)?;
    let mut callback = before.clone();
    callback.tries = before.tries.checked_add(1).ok_or(DecideFault::Exhausted)?;
    callback.tries_in_round = before.tries_in_round.saturating_add(1);
    let holds =
        matches!(before.state, CallbackState::Leased { owner, .. } if owner == record.owner);
    if record.received.is_delivered() {
        callback.state = CallbackState::Delivered;
    } else if holds {
        let retry = record.retry.filter(|_| !record.received.is_gone());
        callback.state = retry.map_or(CallbackState::GivenUp, |due| CallbackState::Waiting { due });
    }
    let delivery = Delivery {
        callback: record.callback,
        number: callback.tries,
        at: record.at,
        took: record.took,
        received: record.received.clone(),
    };
    let mut changes = vec![Change::Callback(callback.clone()), Change::Delivery(delivery)];
    let stopped = working_set
        .endpoint(&record.endpoint)?
        .filter(|endpoint| record.received.is_gone() && endpoint.stopped_at.is_none());
    let stopped = stopped.map(|endpoint| {
        Change::Endpoint(Endpoint { stopped_at: Some(record.at), ..endpoint.clone() })
    });
    let reply = Reply::DeliveryRecorded { callback, stopped: stopped.is_some() };
    changes.extend(stopped);
    Ok(Decision { answer: Ok(reply), changes })
}

fn endpoint_facts(endpoint: &Endpoint) -> Facts {
    let status = if endpoint.stopped_at.is_some() { "stopped" } else { "active" };
    facts([("url", endpoint.url.clone()), ("status", status.to_owned())])
}

fn endpoint_done(action: Action, before: Facts, endpoint: Endpoint) -> Done {
    Done {
        action,
        subject: format!(
            "endpoint of merchant {} {}",
            endpoint.key.merchant, endpoint.key.protocol
        ),
        before,
        after: endpoint_facts(&endpoint),
        changes: vec![Change::Endpoint(endpoint.clone())],
        effect: Effect::Endpoint(endpoint),
    }
}

pub(super) fn set_endpoint(
    working_set: &WorkingSet,
    key: &EndpointKey,
    url: &str,
    secret: &Secret,
) -> Outcome {
    if working_set.merchant(key.merchant)?.is_none() {
        return Ok(Err(Objection::MerchantUnknown));
    }
    let before = working_set.endpoint(key)?.map(endpoint_facts).unwrap_or_default();
    let endpoint = Endpoint {
        key: key.clone(),
        url: url.to_owned(),
        secret: secret.clone(),
        stopped_at: None,
    };
    Ok(Ok(endpoint_done(Action::EndpointSet, before, endpoint)))
}

pub(super) fn stop_endpoint(working_set: &WorkingSet, key: &EndpointKey, at: Timestamp) -> Outcome {
    let Some(before) = working_set.endpoint(key)? else {
        return Ok(Err(Objection::EndpointUnknown));
    };
    let stopped_at = before.stopped_at.or(Some(at));
    let endpoint = Endpoint { stopped_at, ..before.clone() };
    Ok(Ok(endpoint_done(Action::EndpointStopped, endpoint_facts(before), endpoint)))
}

/// The callback in a new round of tries, with the same bytes; none while somebody is trying it.
fn begun_anew(before: &Callback, at: Timestamp) -> Option<Callback> {
    if matches!(before.state, CallbackState::Leased { until, .. } if until > at) {
        return None;
    }
    let state = CallbackState::Waiting { due: at };
    Some(Callback { state, tries_in_round: 0, ..before.clone() })
}

/// The latest news for each of the order's addresses becomes due. What is being tried at this moment
/// counts as sent, and what is due already stays as it is.
pub(super) fn decide_redelivery(
    working_set: &WorkingSet,
    redeliver: &Redeliver,
) -> Result<Decision, DecideFault> {
    let order = working_set.order(redeliver.order)?;
    let order = order.filter(|order| order.key.merchant == redeliver.merchant);
    if let Some(order) = order.filter(|order| is_in_review(order) && order.callbacks.is_empty()) {
        return tell_of_review(working_set, redeliver, order);
    }
    let (mut at_merchants, mut at_own): (Option<&Callback>, Option<&Callback>) = (None, None);
    for id in &redeliver.callbacks {
        let owned =
            |it: &&Callback| it.order == redeliver.order && it.merchant == redeliver.merchant;
        let Some(callback) = working_set.callback(*id)?.filter(owned) else { continue };
        let latest = if callback.to_own_address { &mut at_own } else { &mut at_merchants };
        if latest.is_none_or(|known| known.id < callback.id) {
            *latest = Some(callback);
        }
    }
    let is_due =
        |it: &Callback| matches!(it.state, CallbackState::Waiting { due } if due <= redeliver.at);
    let known = [at_merchants, at_own].into_iter().flatten();
    let callbacks = known.clone().count();
    let anew = known.filter(|it| !is_due(it)).filter_map(|it| begun_anew(it, redeliver.at));
    let changes = anew.map(Change::Callback).collect();
    Ok(Decision { answer: Ok(Reply::Redelivered { callbacks }), changes })
}

fn is_in_review(order: &Order) -> bool {
    order.state == OrderState::Awaiting && order.collecting.as_ref().is_some_and(|it| it.in_review)
}

/// Nothing was told of it before, because this is no end.
fn tell_of_review(
    working_set: &WorkingSet,
    redeliver: &Redeliver,
    order: &Order,
) -> Result<Decision, DecideFault> {
    let ledger = Ledger::new(working_set, None, redeliver.at);
    let balance = balance(&ledger, redeliver.merchant, redeliver.currency)?;
    let told = Ended { event: Event::InReview, at: redeliver.at, balance };
    let (order, changes) = saved(working_set, ledger, order.clone(), &told)?;
    let callbacks = order.callbacks.len();
    Ok(Decision { answer: Ok(Reply::Redelivered { callbacks }), changes })
}

/// A callback that was given up or delivered begins a new round of tries, as an operator wants it.
pub(super) fn resend(working_set: &WorkingSet, id: CallbackId, at: Timestamp) -> Outcome {
    let Some(before) = working_set.callback(id)? else {
        return Ok(Err(Objection::CallbackUnknown));
    };
    let Some(callback) = begun_anew(before, at) else {
        return Ok(Err(Objection::CallbackInFlight));
    };
    let state = |callback: &Callback| facts([("state", callback.state.name().to_owned())]);
    Ok(Ok(Done {
        action: Action::CallbackResent,
        subject: format!("callback {id} of order {}", before.order),
        before: state(before),
        after: state(&callback),
        effect: Effect::Resent(id),
        changes: vec![Change::Callback(callback)],
    }))
}

#[cfg(test)]
#[path = "callbacks_tests.rs"]
mod tests;
