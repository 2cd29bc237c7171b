//! Buying at a fixed price: one commit claims the reference, sets the money aside and records the
//! intent to call, so that nothing is left half done when a merchant's request breaks off.

use std::sync::Arc;

use crate::command::{Buy, DayClaim, Reply};
use crate::ledger::Ledger;
use crate::merchant::Repetition;
use crate::money::Amount;
use crate::order::{Kind, Order, OrderState};
use crate::refusal::Refusal;
use crate::working_set::{Change, WorkingSet};

use super::{
    DecideFault, Decision, Intent, balance, begin_attempt, ledger_changes, new_purchase, set_aside,
};

pub(super) fn decide(working_set: &WorkingSet, buy: &Buy) -> Result<Decision, DecideFault> {
    let request = &buy.request;
    let (merchant, currency) = (request.key.merchant, buy.quote.charge.currency());
    let mut ledger = Ledger::new(working_set, None, request.at);
    if let Some(before) = working_set.order_by_reference(&request.key)? {
        if before.fingerprint != request.fingerprint {
            return Ok(Decision::refused(Refusal::ReferenceUsed));
        }
        let balance = balance(&ledger, merchant, currency)?;
        let order = Arc::clone(before);
        return Ok(Decision::unchanged(Reply::AcceptedBefore { order, balance }));
    }
    if let Some(refusal) = repeated(working_set, buy)? {
        return Ok(Decision::refused(refusal));
    }
    if buy.quote.charge.is_zero() {
        return Ok(Decision::refused(Refusal::AmountInvalid));
    }
    let mut order = new_purchase(working_set, request)?;
    order.quote = Some(buy.quote);
    order.recipient.clone_from(&buy.recipient);
    if buy.recipient.is_some() {
        order.kind = Kind::Payout;
    }
    ledger = Ledger::new(working_set, Some(order.id), request.at);
    for part in parts(buy)? {
        if let Some(refusal) = set_aside(&mut ledger, &mut order, part)? {
            return Ok(Decision::refused(refusal));
        }
    }
    let intent = Intent {
        upstream: request.upstream.clone(),
        owner: buy.owner,
        at: request.at,
        question_due: buy.question_due,
    };
    begin_attempt(&mut order, intent)?;
    let balance = balance(&ledger, merchant, currency)?;
    let order = Arc::new(order);
    let mut changes = ledger_changes(ledger);
    changes.push(Change::NewOrder(Arc::clone(&order)));
    changes.extend(claims(buy, &order));
    Ok(Decision { answer: Ok(Reply::Accepted { order, balance }), changes })
}

/// What is set aside each by itself: of a payout the amount and the fee, unless there is none.
fn parts(buy: &Buy) -> Result<Vec<Amount>, DecideFault> {
    if buy.recipient.is_none() {
        return Ok(vec![buy.quote.charge]);
    }
    let fee = buy.quote.admin;
    let amount = buy.quote.charge.minus(fee).map_err(|_| DecideFault::Exhausted)?;
    Ok([amount, fee].into_iter().filter(|part| !part.is_zero()).collect())
}

/// What the merchant's own limit has against it.
fn repeated(working_set: &WorkingSet, buy: &Buy) -> Result<Option<Refusal>, DecideFault> {
    for key in buy.day_claims() {
        let limited = match buy.repetition {
            Repetition::Free => false,
            Repetition::OncePerProduct => key.product.is_some(),
            Repetition::OncePerNumber => key.product.is_none(),
        };
        let counts = |order: &Order| !matches!(order.state, OrderState::Failed(_));
        if limited && working_set.day_claim(&key)?.is_some_and(|order| counts(order)) {
            return Ok(Some(match key.product {
                Some(_) => Refusal::ProductRepeated,
                None => Refusal::DestinationRepeated,
            }));
        }
    }
    Ok(None)
}

fn claims(buy: &Buy, order: &Order) -> impl Iterator<Item = Change> {
    let order = order.id;
    buy.day_claims().into_iter().map(move |key| Change::DayClaim(DayClaim { key, order }))
}

#[cfg(test)]
#[path = "top_up_tests.rs"]
mod tests;
