//! The writing of orders.
//!
//! A row is written whole once. Later only what a command may change of it is written again; the
//! reference is compared with the one that is stored.

use domain::{Amount, Currency, Detail, Order, OrderState, ReferenceKey, Timestamp, TransferId};
use rusqlite::Connection;

use super::super::faults::Fault;
use super::super::fields::{MODES, Problem, damaged, to_stored, word};
use super::super::rows::{self, NewRow};
use super::super::trees;
use super::{INSERT, KINDS, UPDATE};

/// Refuses an order that could not be stored, or not be read back.
pub(in crate::sqlite) fn check(order: &Order) -> Result<(), Fault> {
    let delivery = order.delivery.as_ref().and_then(|delivery| delivery.details.as_ref());
    let told = order.collecting.as_ref().map(|collecting| &collecting.particulars);
    let bill = order.bill.as_ref().map(|bill| &bill.details);
    let trees = [bill, delivery, told, order.recipient.as_ref()];
    currency_of(order)
        .and_then(|_| trees.into_iter().flatten().try_for_each(trees::check_details))
        .map_err(|problem| damaged(record_of(order), problem))
}

/// Writes orders that are not stored yet. `paid_by` is the first of the transfers by which one was
/// paid, if it is a collection that was.
pub(in crate::sqlite) fn insert<'a>(
    connection: &Connection,
    orders: impl IntoIterator<Item = &'a Order>,
    paid_by: impl Fn(&Order) -> Option<TransferId>,
) -> Result<(), Fault> {
    rows::each(connection, INSERT, orders, |mut row, order| {
        put_name(&mut row, order)?;
        put_question(&mut row, order)?;
        put_progress(&mut row, order)?;
        put_paid_by(&mut row, paid_by(order))?;
        row.write().map(drop)
    })
}

/// Writes what became of orders that are stored. Leaves by what one was paid as it is where there is
/// nothing new of that.
pub(in crate::sqlite) fn update<'a>(
    connection: &Connection,
    orders: impl IntoIterator<Item = &'a Order>,
    paid_by: impl Fn(&Order) -> Option<TransferId>,
) -> Result<(), Fault> {
    rows::each(connection, UPDATE, orders, |mut row, order| {
        put_name(&mut row, order)?;
        put_progress(&mut row, order)?;
        put_paid_by(&mut row, paid_by(order))?;
        match row.write()? {
            1 => Ok(()),
            _ => Err(damaged(record_of(order), "is not stored under its reference")),
        }
    })
}

/// As the audit names it.
fn record_of(order: &Order) -> String {
    format!("order {}", order.id)
}

fn put_name(row: &mut NewRow<'_, '_>, order: &Order) -> Result<(), Fault> {
    let ReferenceKey { merchant, protocol, mode, reference } = &order.key;
    row.put(to_stored(order.id.0, "order")?)?;
    row.put(merchant.0)?;
    row.put(protocol.as_str())?;
    row.put(word(&MODES, mode))?;
    row.put(reference.as_str())
}

/// What [`put_progress`] leaves out. Whoever adds a field to an order decides here and there whether
/// it may change.
fn put_question(row: &mut NewRow<'_, '_>, order: &Order) -> Result<(), Fault> {
    let collecting = order.collecting.as_ref();
    row.put(word(&KINDS, &order.kind))?;
    row.put(&order.fingerprint[..])?;
    row.put(order.product.as_str())?;
    row.put(order.code.as_str())?;
    row.put(order.destination.as_str())?;
    row.put(order.upstream.as_str())?;
    row.put(order.created_at.milliseconds())?;
    row.put(order.dialect.as_str())?;
    row.put(order.calls_back)?;
    row.put_if_any(order.callback_url.as_deref())?;
    row.put_if_any(collecting.map(|it| it.channel.as_str()))?;
    row.put_if_any(collecting.map(|it| it.due.minor()))?;
    row.put_if_any(collecting.map(|it| it.due.currency().code()))?;
    row.put_if_any(collecting.map(|it| it.gross.minor()))?;
    row.put_if_any(collecting.map(|it| it.fee.minor()))?;
    row.put_if_any(collecting.and_then(|it| it.return_url.as_deref()))?;
    put_details(row, order, order.recipient.as_ref())
}

/// All that a command may change of an order that is stored, which the tests hold this to.
fn put_progress(row: &mut NewRow<'_, '_>, order: &Order) -> Result<(), Fault> {
    let problem = |problem: Problem| damaged(record_of(order), problem);
    let Order {
        state,
        bill,
        quote,
        updated_at,
        expires_at,
        holds,
        attempts,
        question_due,
        delivery,
        callbacks,
        collecting,
        // What is asked once.
        id: _,
        key: _,
        kind: _,
        fingerprint: _,
        product: _,
        code: _,
        destination: _,
        dialect: _,
        upstream: _,
        created_at: _,
        calls_back: _,
        callback_url: _,
        recipient: _,
    } = order;
    let (state, refusal) = state_words(*state);
    row.put(state)?;
    row.put_if_any(refusal)?;
    row.put_if_any(currency_of(order).map_err(problem)?.map(Currency::code))?;
    row.put_if_any(quote.map(|it| it.nominal.minor()))?;
    row.put_if_any(quote.map(|it| it.admin_fee.minor()))?;
    row.put_if_any(quote.map(|it| it.admin.minor()))?;
    row.put_if_any(quote.map(|it| it.price.minor()))?;
    row.put_if_any(quote.map(|it| it.charge.minor()))?;
    match bill {
        Some(bill) => row.put_json(&trees::bill(bill).map_err(problem)?)?,
        None => row.leave_out(),
    }
    row.put(updated_at.milliseconds())?;
    row.put(expires_at.milliseconds())?;
    row.put_json(&trees::holds(holds))?;
    row.put_json(&trees::attempts(attempts))?;
    row.put_if_any(question_due.map(Timestamp::milliseconds))?;
    row.put_if_any(delivery.as_ref().map(|it| it.cost.minor()))?;
    row.put_if_any(delivery.as_ref().map(|it| it.serial_number.as_str()))?;
    put_details(row, order, delivery.as_ref().and_then(|it| it.details.as_ref()))?;
    row.put_json(&trees::callbacks(callbacks))?;
    let collecting = collecting.as_ref();
    row.put_if_any(collecting.map(|it| it.in_review))?;
    put_details(row, order, collecting.map(|it| &it.particulars))?;
    let evidence = collecting.and_then(|it| it.evidence.as_ref());
    row.put_if_any(evidence.map(|it| it.source.as_str()))?;
    row.put_if_any(evidence.map(|it| it.id.as_str()))
}

fn put_details(
    row: &mut NewRow<'_, '_>,
    order: &Order,
    details: Option<&Detail>,
) -> Result<(), Fault> {
    let Some(details) = details else {
        row.leave_out();
        return Ok(());
    };
    let tree = trees::details(details).map_err(|problem| damaged(record_of(order), problem))?;
    row.put_json(&tree)
}

fn put_paid_by(row: &mut NewRow<'_, '_>, paid_by: Option<TransferId>) -> Result<(), Fault> {
    row.put_if_any(paid_by.map(|transfer| to_stored(transfer.0, "transfer")).transpose()?)
}

/// The one currency of the amounts that have columns of their own; none where there are none.
fn currency_of(order: &Order) -> Result<Option<Currency>, Problem> {
    let quoted = order
        .quote
        .map(|quote| [quote.nominal, quote.admin_fee, quote.admin, quote.price, quote.charge]);
    let cost = order.delivery.as_ref().map(|delivery| delivery.cost);
    let collected = order.collecting.as_ref().map(|collecting| [collecting.gross, collecting.fee]);
    let amounts = quoted.into_iter().flatten().chain(cost).chain(collected.into_iter().flatten());
    let mut currencies = amounts.map(Amount::currency);
    let Some(first) = currencies.next() else { return Ok(None) };
    if currencies.all(|currency| currency == first) {
        Ok(Some(first))
    } else {
        Err("deals in several currencies".to_owned())
    }
}

const fn state_words(state: OrderState) -> (&'static str, Option<&'static str>) {
    match state {
        OrderState::Declined(refusal) => ("declined", Some(refusal.name())),
        OrderState::Quoted => ("quoted", None),
        OrderState::Awaiting => ("awaiting", None),
        OrderState::Processing => ("processing", None),
        OrderState::Succeeded => ("succeeded", None),
        OrderState::Failed(refusal) => ("failed", Some(refusal.name())),
        OrderState::Expired => ("expired", None),
    }
}
