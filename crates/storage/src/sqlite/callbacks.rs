//! Callbacks and the tries to hand them over, as rows.
//!
//! Open callbacks stand in an index of their own, address by address, so that looking for what is
//! due takes time by what is open and not by what is stored. Deliveries are only ever added.

use std::sync::Arc;
use std::time::Duration;

use domain::audit::Finding;
use domain::callback::{Delivery, Event, Received, Rendered};
use domain::{
    Callback, CallbackId, CallbackState, EndpointKey, OrderId, ProcessId, ProtocolName, Timestamp,
};
use gateway::ports::{Backlog, CallbackFilter, Page};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::faults::Fault;
use super::fields::{Fields, Problem, amount, damaged, stored_number, to_stored};
use super::{rows, statements, trees};

macro_rules! callback_columns {
    () => {
        "id, order_id, merchant, protocol, event, to_own_address, at_ms, balance_minor, currency, \
         headers, body, state, due_at_ms, lease_owner, tries, tries_in_round"
    };
}

macro_rules! delivery_columns {
    () => {
        "callback, number, at_ms, took_ms, received, status, excerpt, problem"
    };
}

statements! {
    CALLBACK = concat!("select ", callback_columns!(), " from callbacks where id = ?1");

    LAST_CALLBACK = "select coalesce(max(id), 0) from callbacks";

    ALL_CALLBACKS = concat!("select ", callback_columns!(), " from callbacks order by id");

    // A callback stays the news of the same order for the same merchant.
    PUT_CALLBACK = concat!(
        "insert into callbacks (", callback_columns!(), ") \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) \
         on conflict (id) do update set event = excluded.event, \
         to_own_address = excluded.to_own_address, at_ms = excluded.at_ms, \
         balance_minor = excluded.balance_minor, currency = excluded.currency, \
         headers = excluded.headers, body = excluded.body, state = excluded.state, \
         due_at_ms = excluded.due_at_ms, lease_owner = excluded.lease_owner, \
         tries = excluded.tries, tries_in_round = excluded.tries_in_round \
         where order_id = excluded.order_id and merchant = excluded.merchant \
         and protocol = excluded.protocol"
    );

    // The first entry of the next address of the same merchant, and of any later one; with it what
    // is due there for longest. From address to address this way, entries in between are never
    // looked at. Comparing both columns at once would look at all of the address before.
    NEXT_PROTOCOL = "select merchant, protocol, due_at_ms \
         from callbacks indexed by callbacks_due \
         where due_at_ms is not null and merchant = ?1 and protocol > ?2 \
         order by protocol, due_at_ms limit 1";

    NEXT_MERCHANT = "select merchant, protocol, due_at_ms \
         from callbacks indexed by callbacks_due \
         where due_at_ms is not null and merchant > ?1 \
         order by merchant, protocol, due_at_ms limit 1";

    DUE = concat!(
        "select ", callback_columns!(), " from callbacks indexed by callbacks_due \
         where due_at_ms is not null and merchant = ?1 and protocol = ?2 and due_at_ms <= ?3 \
         order by due_at_ms, at_ms, id limit ?4"
    );

    LEASED = concat!(
        "select ", callback_columns!(), " from callbacks indexed by callbacks_leased \
         where state = 'leased' and id > ?1 order by id limit ?2"
    );

    BACKLOG = "select count(*), min(at_ms) from callbacks indexed by callbacks_due \
         where due_at_ms is not null";

    // Looks at a span of numbers at a time; see `browse`.
    BROWSE_CALLBACKS = concat!(
        "select ", callback_columns!(), " from callbacks where id < ?1 and id >= ?2 \
         and (?3 is null or merchant = ?3) and (?4 is null or order_id = ?4) \
         and (?5 is null or state = ?5) order by id desc limit ?6"
    );

    INSERT_DELIVERY = concat!(
        "insert into deliveries (", delivery_columns!(), ") \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    );

    DELIVERIES = concat!(
        "select ", delivery_columns!(), " from deliveries where callback = ?1 order by number"
    );

    ALL_DELIVERIES = concat!(
        "select ", delivery_columns!(), " from deliveries order by callback, number"
    );
}

/// The number of the latest callback.
pub(super) fn last_number(connection: &Connection) -> Result<u64, Fault> {
    let number: i64 = connection.prepare_cached(LAST_CALLBACK)?.query_row([], |row| row.get(0))?;
    u64::try_from(number).map_err(|_| damaged("callbacks", "have negative numbers"))
}

pub(super) fn by_id(connection: &Connection, id: CallbackId) -> Result<Option<Callback>, Fault> {
    let Some(id) = stored_number(id.0) else { return Ok(None) };
    let mut statement = connection.prepare_cached(CALLBACK)?;
    Ok(statement.query_row([id], |row| Ok(callback(row))).optional()?.transpose()?)
}

/// What comes before the address of any merchant: no number is negative.
const BEFORE_ALL: i64 = -1;

/// Of each address in the order of their keys, from the first above `after`, what is due for
/// longest, as [`gateway::ports::CallbackReports::callbacks_due`] wants it.
pub(super) fn due(
    connection: &Connection,
    now: Timestamp,
    after: Option<&EndpointKey>,
    endpoints: u32,
    per_endpoint: u32,
) -> Result<Vec<Callback>, Fault> {
    let snapshot = connection.unchecked_transaction()?;
    let mut place = match after {
        Some(key) => (i64::from(key.merchant.0), key.protocol.to_string()),
        None => (BEFORE_ALL, String::new()),
    };
    let mut found = Vec::new();
    let mut addresses = 0;
    while addresses < endpoints {
        let Some(next) = next_address(&snapshot, &place)? else { break };
        place = next.address;
        if next.due_at <= now.milliseconds() {
            let parameters = params![place.0, place.1, now.milliseconds(), per_endpoint];
            found.extend(list(&snapshot, DUE, parameters)?);
            addresses += 1;
        }
    }
    Ok(found)
}

/// An address with something open.
struct Next {
    /// The merchant's number and the protocol.
    address: (i64, String),
    /// When the first of it is due.
    due_at: i64,
}

fn next_address(
    connection: &Connection,
    (merchant, protocol): &(i64, String),
) -> Result<Option<Next>, Fault> {
    let read =
        |row: &Row<'_>| Ok(Next { address: (row.get(0)?, row.get(1)?), due_at: row.get(2)? });
    let mut statement = connection.prepare_cached(NEXT_PROTOCOL)?;
    let found = statement.query_row(params![merchant, protocol], read).optional()?;
    if found.is_some() {
        return Ok(found);
    }
    let mut statement = connection.prepare_cached(NEXT_MERCHANT)?;
    Ok(statement.query_row([merchant], read).optional()?)
}

pub(super) fn leased(
    connection: &Connection,
    after: CallbackId,
    limit: u32,
) -> Result<Vec<Callback>, Fault> {
    let Some(after) = stored_number(after.0) else { return Ok(Vec::new()) };
    list(connection, LEASED, params![after, limit])
}

pub(super) fn backlog(connection: &Connection) -> Result<Backlog, Fault> {
    let mut statement = connection.prepare_cached(BACKLOG)?;
    let (open, since): (i64, Option<i64>) =
        statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Backlog {
        open: u64::try_from(open).unwrap_or_default(),
        since: since.map(Timestamp::from_milliseconds),
    })
}

/// How many callbacks one question looks at, at most. A question that few of them answer would else
/// hold up the others for as long as there are callbacks.
const BROWSED_AT_ONCE: i64 = 100_000;

/// Wanted callbacks below this number, newest first.
pub(super) fn browse(
    connection: &Connection,
    filter: &CallbackFilter,
    before: Option<CallbackId>,
    limit: u32,
) -> Result<Page<Callback, CallbackId>, Fault> {
    let order = match filter.order.map(|order| stored_number(order.0)) {
        // No order has such a number, so none of its callbacks is there.
        Some(None) => return Ok(Page { items: Vec::new(), next: None }),
        Some(order) => order,
        None => None,
    };
    let last = to_stored(last_number(connection)?, "callback")?.saturating_add(1);
    let before = before.and_then(|id| stored_number(id.0)).unwrap_or(last).min(last);
    let lowest = before.saturating_sub(BROWSED_AT_ONCE).max(1);
    let merchant = filter.merchant.map(|merchant| merchant.0);
    let parameters =
        params![before, lowest, merchant, order, filter.state, limit.saturating_add(1)];
    let found = list(connection, BROWSE_CALLBACKS, parameters)?;
    let mut page = Page::of(found, limit, |callback| callback.id);
    if page.next.is_none() && lowest > 1 {
        page.next = u64::try_from(lowest).ok().map(CallbackId);
    }
    Ok(page)
}

fn list(
    connection: &Connection,
    statement: &'static str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Callback>, Fault> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(parameters)?;
    let mut callbacks = Vec::new();
    while let Some(row) = rows.next()? {
        callbacks.push(callback(row)?);
    }
    Ok(callbacks)
}

/// Shows every callback in the order of their numbers, one at a time.
pub(super) fn each(
    connection: &Connection,
    mut visit: impl FnMut(Callback) -> Result<(), Finding>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(ALL_CALLBACKS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(callback(row)?)?;
    }
    Ok(())
}

/// Writes new callbacks, and what became of those that are stored.
pub(super) fn put<'a>(
    connection: &Connection,
    callbacks: impl IntoIterator<Item = &'a Callback>,
) -> Result<(), Fault> {
    rows::each(connection, PUT_CALLBACK, callbacks, |mut row, callback| {
        let rendered = callback.rendered.as_deref();
        let owner = match callback.state {
            CallbackState::Leased { owner, .. } => Some(owner.0.cast_signed()),
            CallbackState::Waiting { .. } | CallbackState::Delivered | CallbackState::GivenUp => {
                None
            }
        };
        row.put(to_stored(callback.id.0, "callback")?)?;
        row.put(to_stored(callback.order.0, "order")?)?;
        row.put(callback.merchant.0)?;
        row.put(callback.protocol.as_str())?;
        row.put(callback.event.name())?;
        row.put(callback.to_own_address)?;
        row.put(callback.at.milliseconds())?;
        row.put(callback.balance.minor())?;
        row.put(callback.balance.currency().code())?;
        match rendered {
            Some(rendered) => row.put_json(&trees::headers(&rendered.headers))?,
            None => row.leave_out(),
        }
        row.put_if_any(rendered.map(|rendered| rendered.body.as_slice()))?;
        row.put(callback.state.name())?;
        row.put_if_any(callback.state.due().map(Timestamp::milliseconds))?;
        row.put_if_any(owner)?;
        row.put(callback.tries)?;
        row.put(callback.tries_in_round)?;
        match row.write()? {
            1 => Ok(()),
            _ => Err(damaged(format!("callback {}", callback.id), "is stored for another order")),
        }
    })
}

fn callback(row: &Row<'_>) -> Result<Callback, Finding> {
    let mut fields = Fields::new(row);
    let finding = |record: String, problem| Finding { record, problem };
    let id: u64 = fields.number().map_err(|problem| finding("callback".to_owned(), problem))?;
    let mut read = || -> Result<Callback, Problem> {
        let order = OrderId(fields.number()?);
        let merchant = fields.merchant()?;
        let protocol = ProtocolName::new(fields.text()?);
        let event = fields.text()?;
        let event = Event::from_name(event).ok_or_else(|| format!("{event:?} is not an event"))?;
        let to_own_address = fields.next()?;
        let at = fields.timestamp()?;
        let balance = fields.next()?;
        Ok(Callback {
            id: CallbackId(id),
            order,
            merchant,
            protocol,
            event,
            to_own_address,
            at,
            balance: amount(balance, fields.currency()?)?,
            rendered: rendered(&mut fields)?,
            state: state(&mut fields)?,
            tries: fields.number()?,
            tries_in_round: fields.number()?,
        })
    };
    read().map_err(|problem| finding(format!("callback {id}"), problem))
}

fn rendered(fields: &mut Fields<'_>) -> Result<Option<Arc<Rendered>>, Problem> {
    match (fields.next::<Option<String>>()?, fields.next::<Option<Vec<u8>>>()?) {
        (Some(headers), Some(body)) => {
            Ok(Some(Arc::new(Rendered { headers: trees::read_headers(&headers)?, body })))
        }
        (None, None) => Ok(None),
        _ => Err("what is sent is incomplete".to_owned()),
    }
}

fn state(fields: &mut Fields<'_>) -> Result<CallbackState, Problem> {
    let word = fields.text()?;
    let due = fields.next::<Option<i64>>()?.map(Timestamp::from_milliseconds);
    let owner = fields.next::<Option<i64>>()?.map(|owner| ProcessId(owner.cast_unsigned()));
    match (word, due, owner) {
        ("waiting", Some(due), None) => Ok(CallbackState::Waiting { due }),
        ("leased", Some(until), Some(owner)) => Ok(CallbackState::Leased { owner, until }),
        ("delivered", None, None) => Ok(CallbackState::Delivered),
        ("given-up", None, None) => Ok(CallbackState::GivenUp),
        _ => Err(format!("{word:?} is not a state, or has wrong times")),
    }
}

/// The tries of a callback, oldest first.
pub(super) fn deliveries(
    connection: &Connection,
    callback: CallbackId,
) -> Result<Vec<Delivery>, Fault> {
    let Some(callback) = stored_number(callback.0) else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(DELIVERIES)?;
    let mut rows = statement.query([callback])?;
    let mut deliveries = Vec::new();
    while let Some(row) = rows.next()? {
        deliveries.push(delivery(row)?);
    }
    Ok(deliveries)
}

/// Shows every try, those of one callback together.
pub(super) fn each_delivery(
    connection: &Connection,
    mut visit: impl FnMut(Delivery) -> Result<(), Finding>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(ALL_DELIVERIES)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(delivery(row)?)?;
    }
    Ok(())
}

pub(super) fn insert_deliveries<'a>(
    connection: &Connection,
    deliveries: impl IntoIterator<Item = &'a Delivery>,
) -> Result<(), Fault> {
    rows::each(connection, INSERT_DELIVERY, deliveries, |mut row, delivery| {
        let (received, status, excerpt, problem) = match &delivery.received {
            Received::Answered { status, excerpt } => {
                ("answered", Some(*status), Some(excerpt.as_str()), None)
            }
            Received::Unreachable { problem } => {
                ("unreachable", None, None, Some(problem.as_str()))
            }
            Received::NoAddress => ("no-address", None, None, None),
        };
        row.put(to_stored(delivery.callback.0, "callback")?)?;
        row.put(delivery.number)?;
        row.put(delivery.at.milliseconds())?;
        row.put(milliseconds(delivery.took))?;
        row.put(received)?;
        row.put_if_any(status)?;
        row.put_if_any(excerpt)?;
        row.put_if_any(problem)?;
        row.write().map(drop)
    })
}

/// How long something took, as it is kept: no try takes so long that it does not fit.
pub(super) fn milliseconds(took: Duration) -> i64 {
    i64::try_from(took.as_millis()).unwrap_or(i64::MAX)
}

fn delivery(row: &Row<'_>) -> Result<Delivery, Finding> {
    let mut fields = Fields::new(row);
    let mut name = || -> Result<(u64, u32), Problem> { Ok((fields.number()?, fields.number()?)) };
    let (callback, number) = name()
        .map_err(|problem| Finding { record: "delivery of a callback".to_owned(), problem })?;
    let mut read = || -> Result<Delivery, Problem> {
        let at = fields.timestamp()?;
        let took = Duration::from_millis(fields.number()?);
        let word = fields.text()?;
        let status = fields.optional_number()?;
        let (excerpt, problem) = (fields.next()?, fields.next()?);
        let received = match (word, status, excerpt, problem) {
            ("answered", Some(status), Some(excerpt), None) => {
                Received::Answered { status, excerpt }
            }
            ("unreachable", None, None, Some(problem)) => Received::Unreachable { problem },
            ("no-address", None, None, None) => Received::NoAddress,
            _ => return Err(format!("{word:?} is nothing to receive, or incomplete")),
        };
        Ok(Delivery { callback: CallbackId(callback), number, at, took, received })
    };
    read().map_err(|problem| Finding {
        record: format!("delivery {number} of callback {callback}"),
        problem,
    })
}

#[cfg(test)]
#[path = "callbacks_tests.rs"]
mod tests;
