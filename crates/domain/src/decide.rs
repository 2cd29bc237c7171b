//! What a command does to the records: the one place where that is decided.
//!
//! [`decide`] reads the working set and changes nothing. It answers repeats first, then checks
//! state, limits and balance, and yields the changed records. A refusal carries no changes; a fault
//! means that a record was not loaded or that the books are damaged, and it carries none either.

mod administration;
mod callbacks;
mod collections;
mod top_up;

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::account::AccountKey;
use crate::callback::Event;
use crate::command::{Accept, Command, Decline, Fund, Funding, MakeQuote, Reply, Request, Resolve};
use crate::identifier::{MerchantId, Mode, OrderId, ProcessId, UpstreamName};
use crate::ledger::{Ledger, LedgerError};
use crate::money::{Amount, Currency};
use crate::order::{Attempt, AttemptState, Delivery, Doubt, Kind, Order, OrderState, Outcome};
use crate::posting;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::working_set::{Change, NotLoaded, WorkingSet};

/// Something is wrong with us, not with the command.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DecideFault {
    /// A needed record was not loaded.
    #[error(transparent)]
    NotLoaded(#[from] NotLoaded),
    /// The books do not admit what the order's state promises.
    #[error("books contradict the order: {0}")]
    Books(#[from] LedgerError),
    /// A number is exhausted or a balance is beyond what an amount can hold.
    #[error("a number is exhausted")]
    Exhausted,
}

/// The answer to a command, and the records that it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What the caller is told.
    pub answer: Result<Reply, Refusal>,
    /// What is to be saved, in this order. Empty for refusals and repeats.
    pub changes: Vec<Change>,
}

impl Decision {
    const fn unchanged(reply: Reply) -> Self {
        Self { answer: Ok(reply), changes: Vec::new() }
    }

    const fn refused(refusal: Refusal) -> Self {
        Self { answer: Err(refusal), changes: Vec::new() }
    }
}

/// Decides on one command.
pub fn decide(working_set: &WorkingSet, command: &Command) -> Result<Decision, DecideFault> {
    let stored = |change| Decision { answer: Ok(Reply::Stored), changes: vec![change] };
    match command {
        Command::PutMerchant(merchant) => Ok(stored(Change::Merchant(merchant.clone()))),
        Command::PutCredential(credential) => Ok(stored(Change::Credential(credential.clone()))),
        Command::PutProduct(product) => Ok(stored(Change::Product(product.clone()))),
        Command::Fund(fund) => decide_fund(working_set, fund),
        Command::MakeQuote(make) => decide_quote(working_set, make),
        Command::Decline(decline) => decide_decline(working_set, decline),
        Command::Accept(accept) => decide_accept(working_set, accept),
        Command::Buy(buy) => top_up::decide(working_set, buy),
        Command::Resolve(resolve) => decide_resolve(working_set, resolve),
        Command::OpenCollection(open) => collections::decide_open(working_set, open),
        Command::Tell(tell) => collections::decide_tell(working_set, tell),
        Command::RecordEvidence(record) => collections::decide_evidence(working_set, record),
        Command::Credit(credit) => collections::decide_credit(working_set, credit),
        Command::Suspend(suspend) => collections::decide_suspend(working_set, suspend),
        Command::EndCollection(end) => collections::decide_end(working_set, end),
        Command::PutPreferences(preferences) => {
            Ok(stored(Change::Preferences(preferences.clone())))
        }
        Command::Lease(lease) => callbacks::decide_lease(working_set, lease),
        Command::Redeliver(redeliver) => callbacks::decide_redelivery(working_set, redeliver),
        Command::RecordDelivery(record) => callbacks::decide_delivery(working_set, record),
        Command::PutEndpoint(endpoint) => Ok(stored(Change::Endpoint(endpoint.clone()))),
        Command::Administer(administer) => administration::decide(working_set, administer),
    }
}

fn decide_fund(working_set: &WorkingSet, fund: &Fund) -> Result<Decision, DecideFault> {
    let merchant = fund.key.merchant;
    let currency = fund.amount.currency();
    if let Some(before) = working_set.funding(&fund.key)? {
        let same = before.direction == fund.direction && before.amount == fund.amount;
        return if same {
            let balance = balance(&Ledger::new(working_set, None, fund.at), merchant, currency)?;
            Ok(Decision::unchanged(Reply::Funded { balance }))
        } else {
            Ok(Decision::refused(Refusal::ReferenceUsed))
        };
    }
    let mut ledger = Ledger::new(working_set, None, fund.at);
    let transfer = match posting::funded(&mut ledger, merchant, fund.direction, fund.amount) {
        Ok(transfer) => transfer,
        Err(LedgerError::InsufficientFunds) => {
            return Ok(Decision::refused(Refusal::BalanceInsufficient));
        }
        // An operator may type any number; one that no counter can take is no damage to the books.
        Err(LedgerError::NothingToMove | LedgerError::Overflow) => {
            return Ok(Decision::refused(Refusal::AmountInvalid));
        }
        Err(error) => return Err(error.into()),
    };
    let balance = balance(&ledger, merchant, currency)?;
    let mut changes = ledger_changes(ledger);
    changes.push(Change::Funding(Funding {
        key: fund.key.clone(),
        direction: fund.direction,
        amount: fund.amount,
        reason: fund.reason.clone(),
        transfer,
        at: fund.at,
    }));
    Ok(Decision { answer: Ok(Reply::Funded { balance }), changes })
}

fn decide_quote(working_set: &WorkingSet, make: &MakeQuote) -> Result<Decision, DecideFault> {
    if make.renews
        && let Some(before) = working_set.order_by_reference(&make.request.key)?
    {
        return Ok(renew(before, make));
    }
    claim(working_set, &make.request, |order| {
        order.state = OrderState::Quoted;
        order.bill = Some(Arc::clone(&make.bill));
        order.quote = Some(make.quote);
        order.expires_at = make.expires_at;
    })
}

/// Makes a quote anew under its reference, as long as the question is the same and nobody has
/// confirmed it.
fn renew(before: &Arc<Order>, make: &MakeQuote) -> Decision {
    if before.fingerprint != make.request.fingerprint || before.state != OrderState::Quoted {
        return Decision::refused(Refusal::ReferenceUsed);
    }
    let mut next = Order::clone(before);
    next.bill = Some(Arc::clone(&make.bill));
    next.quote = Some(make.quote);
    next.updated_at = make.request.at;
    next.expires_at = make.expires_at;
    let order = Arc::new(next);
    Decision {
        answer: Ok(Reply::Inquired { order: Arc::clone(&order), repeated: false }),
        changes: vec![Change::Order(order)],
    }
}

fn decide_decline(working_set: &WorkingSet, decline: &Decline) -> Result<Decision, DecideFault> {
    claim(working_set, &decline.request, |order| {
        order.state = OrderState::Declined(decline.refusal);
    })
}

/// Makes a purchase under a new reference. A twin that asked the same under the same reference gets
/// the order that is there; anything else under a used reference is refused.
fn claim(
    working_set: &WorkingSet,
    request: &Request,
    fill: impl FnOnce(&mut Order),
) -> Result<Decision, DecideFault> {
    if let Some(before) = working_set.order_by_reference(&request.key)? {
        return Ok(if before.fingerprint == request.fingerprint {
            Decision::unchanged(Reply::Inquired { order: Arc::clone(before), repeated: true })
        } else {
            Decision::refused(Refusal::ReferenceUsed)
        });
    }
    let mut order = new_purchase(working_set, request)?;
    fill(&mut order);
    let order = Arc::new(order);
    Ok(Decision {
        answer: Ok(Reply::Inquired { order: Arc::clone(&order), repeated: false }),
        changes: vec![Change::NewOrder(order)],
    })
}

/// The next order, with what was asked and nothing that became of it.
fn new_purchase(working_set: &WorkingSet, request: &Request) -> Result<Order, DecideFault> {
    let number = working_set.last_numbers().order.checked_add(1).ok_or(DecideFault::Exhausted)?;
    Ok(Order {
        id: OrderId(number),
        key: request.key.clone(),
        kind: Kind::Purchase,
        state: OrderState::Declined(Refusal::InquiryFailed),
        fingerprint: request.fingerprint,
        product: request.product.clone(),
        code: request.code.clone(),
        destination: request.destination.clone(),
        dialect: request.dialect.clone(),
        upstream: request.upstream.clone(),
        bill: None,
        quote: None,
        created_at: request.at,
        updated_at: request.at,
        expires_at: request.at,
        holds: Vec::new(),
        attempts: Vec::new(),
        question_due: None,
        delivery: None,
        calls_back: request.calls_back,
        callback_url: request.callback_url.clone(),
        callbacks: Vec::new(),
        collecting: None,
        recipient: None,
    })
}

fn decide_accept(working_set: &WorkingSet, accept: &Accept) -> Result<Decision, DecideFault> {
    let order = match working_set.order(accept.order)? {
        Some(order) if order.key.merchant == accept.merchant && order.kind == Kind::Purchase => {
            order
        }
        _ => return Ok(Decision::refused(Refusal::OrderNotFound)),
    };
    let mut ledger = Ledger::new(working_set, Some(order.id), accept.at);
    match order.state {
        OrderState::Quoted => {}
        OrderState::Processing | OrderState::Succeeded | OrderState::Failed(_) => {
            let balance = balance(&ledger, accept.merchant, accept.currency)?;
            let order = Arc::clone(order);
            return Ok(Decision::unchanged(Reply::AcceptedBefore { order, balance }));
        }
        OrderState::Declined(_) | OrderState::Awaiting | OrderState::Expired => {
            return Ok(Decision::refused(Refusal::OrderNotFound));
        }
    }
    if accept.at >= order.expires_at {
        return Ok(Decision::refused(Refusal::QuoteExpired));
    }
    let quote = order.quote.ok_or_else(|| incomplete("quote", order))?;
    let mut next = Order::clone(order);
    if let Some(refusal) = set_aside(&mut ledger, &mut next, quote.charge)? {
        return Ok(Decision::refused(refusal));
    }
    let intent = Intent {
        upstream: accept.upstream.clone(),
        owner: accept.owner,
        at: accept.at,
        question_due: accept.question_due,
    };
    begin_attempt(&mut next, intent)?;
    let balance = balance(&ledger, accept.merchant, accept.currency)?;
    Ok(changed(ledger, next, |order| Reply::Accepted { order, balance }))
}

/// Holds the charge of an order that moves money, or says why not.
fn set_aside(
    ledger: &mut Ledger<'_>,
    order: &mut Order,
    charge: Amount,
) -> Result<Option<Refusal>, DecideFault> {
    if order.key.mode == Mode::Test {
        return Ok(None);
    }
    match posting::accepted(ledger, order.key.merchant, charge) {
        Ok(hold) => {
            order.holds.push(hold);
            Ok(None)
        }
        Err(LedgerError::InsufficientFunds) => Ok(Some(Refusal::BalanceInsufficient)),
        Err(error) => Err(error.into()),
    }
}

/// Who is going to call whom.
struct Intent {
    upstream: UpstreamName,
    owner: ProcessId,
    at: Timestamp,
    question_due: Timestamp,
}

/// Records the intent of a call, which may leave once this is durable.
fn begin_attempt(order: &mut Order, intent: Intent) -> Result<(), DecideFault> {
    let number = u16::try_from(order.attempts.len()).map_err(|_| DecideFault::Exhausted)?;
    order.attempts.push(Attempt {
        number: number.checked_add(1).ok_or(DecideFault::Exhausted)?,
        upstream: intent.upstream,
        state: AttemptState::Intent,
        owner: intent.owner,
        started_at: intent.at,
        questions: 0,
    });
    order.state = OrderState::Processing;
    order.updated_at = intent.at;
    order.question_due = Some(intent.question_due);
    Ok(())
}

fn decide_resolve(working_set: &WorkingSet, resolve: &Resolve) -> Result<Decision, DecideFault> {
    let order = match working_set.order(resolve.order)? {
        Some(order) if order.key.merchant == resolve.merchant => order,
        _ => return Ok(Decision::refused(Refusal::OrderNotFound)),
    };
    let ledger = Ledger::new(working_set, Some(order.id), resolve.at);
    let attempt = match order.attempt() {
        Some(attempt)
            if attempt.number == resolve.attempt && attempt.upstream == resolve.upstream =>
        {
            attempt
        }
        _ => {
            let balance = balance(&ledger, resolve.merchant, resolve.currency)?;
            let order = Arc::clone(order);
            return Ok(Decision::unchanged(Reply::Contradicted { order, balance }));
        }
    };
    if order.state != OrderState::Processing {
        return repeated_outcome(working_set, ledger, order, resolve);
    }
    // Without its hold a delivery would be paid from our margin, and nobody would notice.
    if order.key.mode == Mode::Live && order.holds.is_empty() {
        return Err(incomplete("hold", order));
    }
    match &resolve.outcome {
        Outcome::Delivered(delivery) => deliver(working_set, ledger, order, resolve, delivery),
        Outcome::Refused(refusal) => refuse(working_set, ledger, order, resolve, *refusal),
        Outcome::Unknown(doubt) => {
            let mut next = Order::clone(order);
            let questions = attempt.questions.saturating_add(1);
            next.question_due = next_question(attempt.started_at, questions, resolve.at);
            if let Some(attempt) = next.attempts.last_mut() {
                attempt.state = AttemptState::Unknown(*doubt);
                attempt.questions = questions;
            }
            let balance = balance(&ledger, resolve.merchant, resolve.currency)?;
            Ok(changed(ledger, next, |order| Reply::Resolved { order, balance, repeated: false }))
        }
    }
}

/// The fault of an order that its engine loaded without a part that its state requires.
fn incomplete(part: &str, order: &Order) -> DecideFault {
    NotLoaded(format!("{part} of order {}", order.id).into()).into()
}

/// What to say to an outcome that comes when the order is final: the same again is a repeat, except
/// that it may bring the serial number that was missing; not knowing is nothing new, and anything
/// else is for a person.
fn repeated_outcome(
    working_set: &WorkingSet,
    ledger: Ledger<'_>,
    order: &Arc<Order>,
    resolve: &Resolve,
) -> Result<Decision, DecideFault> {
    if let Some(next) = with_late_serial_number(order, resolve) {
        let balance = balance(&ledger, resolve.merchant, resolve.currency)?;
        let ended = Ended { event: Event::SerialNumber, at: resolve.at, balance };
        return ending(working_set, ledger, next, ended);
    }
    let agrees = match (&resolve.outcome, order.state) {
        (Outcome::Unknown(_), _)
        | (Outcome::Delivered(_), OrderState::Succeeded)
        | (Outcome::Refused(_), OrderState::Failed(_)) => true,
        (Outcome::Delivered(_) | Outcome::Refused(_), _) => false,
    };
    let order = Arc::clone(order);
    let balance = balance(&ledger, resolve.merchant, resolve.currency)?;
    Ok(Decision::unchanged(if agrees {
        Reply::Resolved { order, balance, repeated: true }
    } else {
        Reply::Contradicted { order, balance }
    }))
}

/// A succeeded order with the serial number that this outcome brings; none if it brings none or
/// the order has one.
fn with_late_serial_number(order: &Order, resolve: &Resolve) -> Option<Order> {
    let Outcome::Delivered(late) = &resolve.outcome else { return None };
    let delivery = order.delivery.as_ref()?;
    if !delivery.serial_number.is_empty() || late.serial_number.is_empty() {
        return None;
    }
    let mut next = order.clone();
    next.delivery =
        Some(Delivery { serial_number: late.serial_number.clone(), ..delivery.clone() });
    next.updated_at = resolve.at;
    Some(next)
}

fn deliver(
    working_set: &WorkingSet,
    mut ledger: Ledger<'_>,
    order: &Order,
    resolve: &Resolve,
    delivery: &Delivery,
) -> Result<Decision, DecideFault> {
    let mut next = order.clone();
    if order.key.mode == Mode::Live {
        posting::delivered(
            &mut ledger,
            resolve.merchant,
            &mut next.holds,
            &resolve.upstream,
            delivery.cost,
        )?;
    }
    next.delivery = Some(delivery.clone());
    finish(&mut next, OrderState::Succeeded, AttemptState::Delivered, resolve.at);
    let balance = balance(&ledger, resolve.merchant, resolve.currency)?;
    let ended = Ended { event: Event::Succeeded, at: resolve.at, balance };
    ending(working_set, ledger, next, ended)
}

fn refuse(
    working_set: &WorkingSet,
    mut ledger: Ledger<'_>,
    order: &Order,
    resolve: &Resolve,
    refusal: Refusal,
) -> Result<Decision, DecideFault> {
    let mut next = order.clone();
    posting::refused(&mut ledger, resolve.merchant, &mut next.holds)?;
    let attempt = AttemptState::Refused(refusal);
    finish(&mut next, OrderState::Failed(refusal), attempt, resolve.at);
    let balance = balance(&ledger, resolve.merchant, resolve.currency)?;
    let ended = Ended { event: Event::Failed, at: resolve.at, balance };
    ending(working_set, ledger, next, ended)
}

/// What became true of an order, and what its merchant has after it.
struct Ended {
    event: Event,
    at: Timestamp,
    balance: Amount,
}

/// Saves what became of an order, and the news of it where they are owed.
fn ending(
    working_set: &WorkingSet,
    ledger: Ledger<'_>,
    order: Order,
    ended: Ended,
) -> Result<Decision, DecideFault> {
    let balance = ended.balance;
    let (order, changes) = saved(working_set, ledger, order, &ended)?;
    Ok(Decision { answer: Ok(Reply::Resolved { order, balance, repeated: false }), changes })
}

/// The changes that an order's end makes: what was moved, the order, and the news that are owed.
fn saved(
    working_set: &WorkingSet,
    ledger: Ledger<'_>,
    mut order: Order,
    ended: &Ended,
) -> Result<(Arc<Order>, Vec<Change>), DecideFault> {
    let owed = callbacks::owe(working_set, &mut order, ended)?;
    let order = Arc::new(order);
    let mut changes = ledger_changes(ledger);
    changes.push(Change::Order(Arc::clone(&order)));
    changes.extend(owed.into_iter().map(Change::Callback));
    Ok((order, changes))
}

fn finish(order: &mut Order, state: OrderState, attempt_state: AttemptState, at: Timestamp) {
    order.state = state;
    order.updated_at = at;
    order.question_due = None;
    if let Some(attempt) = order.attempts.last_mut() {
        attempt.state = attempt_state;
    }
}

fn changed(ledger: Ledger<'_>, order: Order, reply: impl FnOnce(Arc<Order>) -> Reply) -> Decision {
    let order = Arc::new(order);
    let mut changes = ledger_changes(ledger);
    changes.push(Change::Order(Arc::clone(&order)));
    Decision { answer: Ok(reply(order)), changes }
}

fn ledger_changes(ledger: Ledger<'_>) -> Vec<Change> {
    let (transfers, accounts) = ledger.into_changes();
    let transfers = transfers.into_iter().map(Change::Transfer);
    transfers.chain(accounts.into_iter().map(Change::Account)).collect()
}

fn balance(
    ledger: &Ledger<'_>,
    merchant: MerchantId,
    currency: Currency,
) -> Result<Amount, DecideFault> {
    let available = ledger.available(&AccountKey::merchant(merchant, currency))?;
    Amount::new(available, currency).map_err(|_| DecideFault::Exhausted)
}

/// When an upstream that left the outcome open is asked again: quickly at first, then hourly until
/// the attempt is eight days old. After that nobody asks any more; the order stays as it is, and a
/// person decides.
pub fn next_question(started_at: Timestamp, questions: u32, now: Timestamp) -> Option<Timestamp> {
    const HOUR: Duration = Duration::from_secs(3600);
    const ASKED_FOR: Duration = Duration::from_secs(8 * 24 * 3600);
    let delay = match questions {
        0 | 1 => Duration::from_secs(5),
        2 => Duration::from_secs(15),
        3 => Duration::from_secs(60),
        4 => Duration::from_secs(5 * 60),
        5 => Duration::from_secs(15 * 60),
        _ => HOUR,
    };
    (now.since(started_at) < ASKED_FOR).then(|| now.after(delay))
}

/// The doubt in which a crashed process leaves the attempts that it owned.
pub const ABANDONED: Outcome = Outcome::Unknown(Doubt::Abandoned);

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
