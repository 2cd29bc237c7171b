//! Whether an order can be what it says it is, before any transfer is looked at.
//!
//! These are the rules by which [`crate::decide`] makes orders, stated once more from the outside:
//! which states a kind knows, and what each state brings with it.

use crate::identifier::Mode;
use crate::money::Amount;
use crate::order::{Attempt, AttemptState, Kind, Order, OrderState};

/// What has to have become of each of an order's holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holding {
    /// The order has no holds.
    Nothing,
    /// They are neither posted nor voided.
    Open,
    /// They are posted.
    Posted,
    /// They are voided.
    Voided,
}

/// What the books must show for this order.
pub(super) const fn holding(order: &Order) -> Holding {
    match (order.key.mode, order.kind, order.state) {
        (Mode::Test, _, _) | (_, Kind::Collection, _) => Holding::Nothing,
        (Mode::Live, Kind::Purchase | Kind::Payout, state) => match state {
            OrderState::Processing => Holding::Open,
            OrderState::Succeeded => Holding::Posted,
            OrderState::Failed(_) => Holding::Voided,
            OrderState::Declined(_)
            | OrderState::Quoted
            | OrderState::Awaiting
            | OrderState::Expired => Holding::Nothing,
        },
    }
}

/// Names the first thing about the order that cannot be.
pub(super) fn check(order: &Order) -> Result<(), &'static str> {
    if !knows(order.kind, order.state) {
        return Err("is in a state that its kind does not know");
    }
    if order.question_due.is_some() && order.state != OrderState::Processing {
        return Err("has a question due and no outcome open");
    }
    let ended =
        matches!(order.state, OrderState::Succeeded | OrderState::Failed(_) | OrderState::Expired);
    let owed = if ended { order.callbacks_per_end() } else { 0 };
    // A serial number that came late makes as many again, and so does a review of a collection of which
    // the merchant wanted to be told.
    let may_be_more = order.state == OrderState::Succeeded || order.kind == Kind::Collection;
    let more = owed.saturating_add(order.callbacks_per_end());
    if order.callbacks.len() != owed && !(may_be_more && order.callbacks.len() == more) {
        return Err("does not owe its callbacks exactly once it has ended");
    }
    if order.collecting.is_some() != (order.kind == Kind::Collection) {
        return Err("does not say what is collected exactly if it is a collection");
    }
    if order.recipient.is_some() != (order.kind == Kind::Payout) {
        return Err("does not say who is paid exactly if it is a payout");
    }
    let paid = order.collecting.as_ref().is_some_and(|it| it.evidence.is_some());
    if paid != (order.kind == Kind::Collection && order.state == OrderState::Succeeded) {
        return Err("does not name evidence exactly if it was collected");
    }
    if order.kind == Kind::Collection {
        return check_holds(order);
    }
    if order.delivery.is_some() != (order.state == OrderState::Succeeded) {
        return Err("does not have a delivery exactly if it succeeded");
    }
    let declined = matches!(order.state, OrderState::Declined(_));
    if order.kind == Kind::Purchase && order.quote.is_some() == declined {
        return Err("does not have a quote exactly if it was not declined");
    }
    check_attempts(&order.attempts, order.state)?;
    check_holds(order)
}

const fn knows(kind: Kind, state: OrderState) -> bool {
    match kind {
        Kind::Purchase => !matches!(state, OrderState::Awaiting | OrderState::Expired),
        Kind::Payout => {
            matches!(state, OrderState::Processing | OrderState::Succeeded | OrderState::Failed(_))
        }
        Kind::Collection => matches!(
            state,
            OrderState::Awaiting
                | OrderState::Succeeded
                | OrderState::Failed(_)
                | OrderState::Expired
        ),
    }
}

/// No attempt starts before the one before it was refused, and the last one fits the state.
fn check_attempts(attempts: &[Attempt], state: OrderState) -> Result<(), &'static str> {
    if (1_u16..).zip(attempts).any(|(number, attempt)| attempt.number != number) {
        return Err("has attempts that are not numbered from 1");
    }
    let last = attempts.split_last().map(|(last, earlier)| (last.state, earlier));
    let refused = |attempt: &Attempt| matches!(attempt.state, AttemptState::Refused(_));
    if last.is_some_and(|(_, earlier)| !earlier.iter().all(refused)) {
        return Err("was attempted again before the attempt before was refused");
    }
    let fits = matches!(
        (state, last.map(|(last, _)| last)),
        (OrderState::Processing, Some(AttemptState::Intent | AttemptState::Unknown(_)))
            | (OrderState::Succeeded, Some(AttemptState::Delivered))
            | (OrderState::Failed(_), Some(AttemptState::Refused(_)))
            | (OrderState::Declined(_) | OrderState::Quoted, None)
    );
    if fits { Ok(()) } else { Err("has a last attempt that does not fit its state") }
}

/// Holds there are exactly where money is owed, and they come to what was agreed.
fn check_holds(order: &Order) -> Result<(), &'static str> {
    if (holding(order) == Holding::Nothing) != order.holds.is_empty() {
        return Err("does not have holds exactly if its state sets money aside");
    }
    let Some(first) = order.holds.first() else { return Ok(()) };
    let zero = Amount::zero(first.amount.currency());
    let total = order.holds.iter().try_fold(zero, |sum, hold| sum.plus(hold.amount));
    match (total, order.quote) {
        (Err(_), _) => Err("has holds that do not add up"),
        (Ok(total), Some(quote)) if total != quote.charge => {
            Err("has holds that do not come to its charge")
        }
        (Ok(_), _) => Ok(()),
    }
}
