//! Orders as rows.
//!
//! One row holds an order whole. Its amounts share the currency of the row; an order that deals in
//! several currencies is not one that we make, and is refused when it is to be stored.

mod writing;

use std::sync::Arc;

use domain::audit::Finding;
use domain::{
    Amount, Collecting, Currency, Delivery, Detail, EvidenceKey, Kind, Order, OrderId, OrderState,
    ProductId, ProtocolName, Quote, Reference, ReferenceKey, Timestamp, TransferId, UpstreamName,
};
use gateway::ports::{OrderFilter, Page, Pending};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::faults::Fault;
use super::fields::{Fields, MODES, Problem, amount, damaged, refusal, stored_number, to_stored};
use super::references::References;
use super::{statements, trees};
pub(super) use writing::{check, insert, update};

/// What an order is found by, which nothing changes.
macro_rules! name_columns {
    () => {
        "id, merchant, protocol, mode, reference"
    };
}

/// What was asked, which nothing changes either.
macro_rules! question_columns {
    () => {
        "kind, fingerprint, product, code, destination, upstream, created_at_ms, dialect, \
         calls_back, callback_url, channel, due_minor, due_currency, gross_minor, fee_minor, \
         return_url, recipient"
    };
}

/// What became of it.
macro_rules! progress_columns {
    () => {
        "state, refusal, currency, nominal_minor, admin_fee_minor, admin_minor, price_minor, \
         charge_minor, bill, updated_at_ms, expires_at_ms, holds, attempts, question_due_at_ms, \
         cost_minor, serial_number, delivery_details, callbacks, in_review, particulars, \
         evidence_source, evidence_id"
    };
}

macro_rules! columns {
    () => {
        concat!(name_columns!(), ", ", question_columns!(), ", ", progress_columns!())
    };
}

statements! {
    BY_ID = concat!("select ", columns!(), " from orders where id = ?1");

    LAST_NUMBER = "select coalesce(max(id), 0) from orders";

    INSERT = concat!(
        "insert into orders (", columns!(), ", paid_by_transfer) values (?1, ?2, ?3, ?4, ?5, ?6, \
         ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, \
         ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, \
         ?43, ?44, ?45)"
    );

    // The reference belongs to the condition: an order never changes the one that it claimed.
    UPDATE = concat!(
        "update orders set (", progress_columns!(), ") = (?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, \
         ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27), \
         paid_by_transfer = coalesce(?28, paid_by_transfer) \
         where id = ?1 and merchant = ?2 and protocol = ?3 and mode = ?4 and reference = ?5"
    );

    ALL = concat!("select ", columns!(), " from orders order by id");

    // Looks at a span of numbers at a time; see `browse`.
    BROWSE = concat!(
        "select ", columns!(), " from orders where id < ?1 and id >= ?2 \
         and (?3 is null or merchant = ?3) and (?4 is null or state = ?4) \
         and (?5 is null or created_at_ms >= ?5) and (?6 is null or created_at_ms < ?6) \
         and (?7 is null or destination = ?7) order by id desc limit ?8"
    );

    QUESTIONS_DUE = concat!(
        "select ", columns!(), " from orders indexed by orders_questions_due \
         where state = 'processing' and question_due_at_ms <= ?1 \
         order by question_due_at_ms, id limit ?2"
    );

    PROCESSING = concat!(
        "select ", columns!(), " from orders indexed by orders_processing \
         where state = 'processing' and id > ?1 order by id limit ?2"
    );

    AWAITING = concat!(
        "select ", columns!(), " from orders indexed by orders_awaiting \
         where state = 'awaiting' and channel = ?1 and due_currency = ?2 and due_minor = ?3 \
         order by id limit ?4"
    );

    EXPIRED = concat!(
        "select ", columns!(), " from orders indexed by orders_expiring \
         where state = 'awaiting' and expires_at_ms <= ?1 order by expires_at_ms, id limit ?2"
    );

    PAID_BY = "select paid_by_transfer from orders where id = ?1";

    // The number of an order says when it was inquired and not when it was confirmed, so each open
    // one has to be looked at.
    PENDING = "select count(*), min(attempts ->> '$[0].started_at_ms') \
         from orders indexed by orders_processing where state = 'processing'";
}

const KINDS: [(Kind, &str); 3] =
    [(Kind::Purchase, "purchase"), (Kind::Collection, "collection"), (Kind::Payout, "payout")];

/// More orders than there are merchants, protocols and modes to share a reference.
const NAMED_AT_ONCE: u32 = 10_000;

/// How many orders there have been.
pub(super) fn last_number(connection: &Connection) -> Result<u64, Fault> {
    let number: i64 = connection.prepare_cached(LAST_NUMBER)?.query_row([], |row| row.get(0))?;
    u64::try_from(number).map_err(|_| damaged("orders", "have negative numbers"))
}

pub(super) fn by_id(connection: &Connection, id: OrderId) -> Result<Option<Arc<Order>>, Fault> {
    let Some(id) = stored_number(id.0) else { return Ok(None) };
    let mut statement = connection.prepare_cached(BY_ID)?;
    one(statement.query_row([id], |row| Ok(order(row))))
}

fn one(found: rusqlite::Result<Result<Order, Finding>>) -> Result<Option<Arc<Order>>, Fault> {
    Ok(found.optional()?.transpose()?.map(Arc::new))
}

pub(super) fn questions_due(
    connection: &Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Arc<Order>>, Fault> {
    list(connection, QUESTIONS_DUE, params![now.milliseconds(), limit])
}

pub(super) fn processing(
    connection: &Connection,
    after: OrderId,
    limit: u32,
) -> Result<Vec<Arc<Order>>, Fault> {
    let Some(after) = stored_number(after.0) else { return Ok(Vec::new()) };
    list(connection, PROCESSING, params![after, limit])
}

/// Collections that wait for this amount through this channel, oldest first.
pub(super) fn awaiting(
    connection: &Connection,
    channel: &str,
    due: Amount,
    limit: u32,
) -> Result<Vec<Arc<Order>>, Fault> {
    list(connection, AWAITING, params![channel, due.currency().code(), due.minor(), limit])
}

/// Collections that wait although their time has run out, the longest first.
pub(super) fn expired(
    connection: &Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Arc<Order>>, Fault> {
    list(connection, EXPIRED, params![now.milliseconds(), limit])
}

/// The first of the transfers by which a collection was paid; none of anything else.
pub(super) fn paid_by(connection: &Connection, id: OrderId) -> Result<Option<TransferId>, Fault> {
    let Some(stored) = stored_number(id.0) else { return Ok(None) };
    let mut statement = connection.prepare_cached(PAID_BY)?;
    let found: Option<Option<i64>> = statement.query_row([stored], |row| row.get(0)).optional()?;
    let number = found.flatten().map(u64::try_from).transpose();
    let problem = |_| damaged(format!("order {id}"), "was paid by a negative number");
    Ok(number.map_err(problem)?.map(TransferId))
}

pub(super) fn pending(connection: &Connection) -> Result<Pending, Fault> {
    let mut statement = connection.prepare_cached(PENDING)?;
    let (orders, since): (i64, Option<i64>) =
        statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(Pending {
        orders: u64::try_from(orders).unwrap_or_default(),
        since: since.map(Timestamp::from_milliseconds),
    })
}

/// How many orders one question looks at, at most. A question that few orders answer would else
/// hold up the others for as long as there are orders.
const BROWSED_AT_ONCE: i64 = 100_000;

/// Wanted orders below this number, newest first.
pub(super) fn browse(
    connection: &Connection,
    references: &References,
    filter: &OrderFilter,
    before: Option<OrderId>,
    limit: u32,
) -> Result<Page<Arc<Order>, OrderId>, Fault> {
    if let Some(reference) = &filter.reference {
        // A reference is rare: one per merchant, protocol and mode at most.
        let mut orders = references.named(connection, reference, NAMED_AT_ONCE)?;
        orders.retain(|it| before.is_none_or(|before| it.id < before) && filter.admits(it));
        return Ok(Page::of(orders, limit, |order| order.id));
    }
    let last = to_stored(last_number(connection)?, "order")?.saturating_add(1);
    let before = before.and_then(|id| stored_number(id.0)).unwrap_or(last).min(last);
    let lowest = before.saturating_sub(BROWSED_AT_ONCE).max(1);
    let parameters = params![
        before,
        lowest,
        filter.merchant.map(|merchant| merchant.0),
        filter.state,
        filter.from.map(Timestamp::milliseconds),
        filter.until.map(Timestamp::milliseconds),
        filter.destination,
        limit.saturating_add(1),
    ];
    let orders = list(connection, BROWSE, parameters)?;
    let mut page = Page::of(orders, limit, |order| order.id);
    if page.next.is_none() && lowest > 1 {
        page.next = u64::try_from(lowest).ok().map(OrderId);
    }
    Ok(page)
}

fn list(
    connection: &Connection,
    statement: &'static str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Arc<Order>>, Fault> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(parameters)?;
    let mut orders = Vec::new();
    while let Some(row) = rows.next()? {
        orders.push(Arc::new(order(row)?));
    }
    Ok(orders)
}

/// Shows every order in the order of their numbers, one at a time.
pub(super) fn each(
    connection: &Connection,
    mut visit: impl FnMut(Order) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(ALL)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(order(row)?)?;
    }
    Ok(())
}

pub(super) fn state(word: &str, refused: Option<&str>) -> Result<OrderState, Problem> {
    match (word, refused) {
        ("declined", Some(name)) => refusal(name).map(OrderState::Declined),
        ("failed", Some(name)) => refusal(name).map(OrderState::Failed),
        ("quoted", None) => Ok(OrderState::Quoted),
        ("awaiting", None) => Ok(OrderState::Awaiting),
        ("processing", None) => Ok(OrderState::Processing),
        ("succeeded", None) => Ok(OrderState::Succeeded),
        ("expired", None) => Ok(OrderState::Expired),
        _ => Err(format!("{word:?} is not a state, or has a wrong refusal")),
    }
}

fn order(row: &Row<'_>) -> Result<Order, Finding> {
    let mut fields = Fields::new(row);
    let id: u64 = fields.number().map_err(|problem| Finding {
        record: "order".to_owned(),
        problem: format!("without a number: {problem}"),
    })?;
    rest(OrderId(id), fields).map_err(|problem| Finding { record: format!("order {id}"), problem })
}

fn rest(id: OrderId, mut fields: Fields<'_>) -> Result<Order, Problem> {
    let key = ReferenceKey {
        merchant: fields.merchant()?,
        protocol: ProtocolName::new(fields.text()?),
        mode: fields.word(&MODES)?,
        reference: Reference::new(fields.text()?),
    };
    let kind = fields.word(&KINDS)?;
    let fingerprint = fields.next()?;
    let product = ProductId::new(fields.text()?);
    let code = fields.text()?.to_owned();
    let destination = fields.text()?.to_owned();
    let upstream = UpstreamName::new(fields.text()?);
    let created_at = fields.timestamp()?;
    let dialect = fields.text()?.to_owned();
    let calls_back = fields.next()?;
    let callback_url = fields.optional_text()?.map(str::to_owned);
    let asked = asked(&mut fields)?;
    let recipient = details(&mut fields)?;
    let state = state(fields.text()?, fields.optional_text()?)?;
    let currency = fields.optional_text()?.map(super::fields::currency).transpose()?;
    Ok(Order {
        id,
        key,
        kind,
        state,
        fingerprint,
        product,
        code,
        destination,
        upstream,
        quote: quote(&mut fields, currency)?,
        bill: fields.optional_text()?.map(trees::read_bill).transpose()?.map(Arc::new),
        created_at,
        updated_at: fields.timestamp()?,
        expires_at: fields.timestamp()?,
        holds: trees::read_holds(fields.text()?)?,
        attempts: trees::read_attempts(fields.text()?)?,
        question_due: fields.next::<Option<i64>>()?.map(Timestamp::from_milliseconds),
        delivery: delivery(&mut fields, currency)?,
        dialect,
        calls_back,
        callback_url,
        callbacks: trees::read_callbacks(fields.text()?)?,
        collecting: collecting(asked, &mut fields, currency)?,
        recipient,
    })
}

fn quote(fields: &mut Fields<'_>, currency: Option<Currency>) -> Result<Option<Quote>, Problem> {
    let mut next = || fields.next::<Option<i64>>();
    let minors = [next()?, next()?, next()?, next()?, next()?];
    match (currency, minors) {
        (_, [None, None, None, None, None]) => Ok(None),
        (
            Some(currency),
            [Some(nominal), Some(admin_fee), Some(admin), Some(price), Some(charge)],
        ) => Ok(Some(Quote {
            nominal: amount(nominal, currency)?,
            admin_fee: amount(admin_fee, currency)?,
            admin: amount(admin, currency)?,
            price: amount(price, currency)?,
            charge: amount(charge, currency)?,
        })),
        _ => Err("quote is incomplete".to_owned()),
    }
}

fn delivery(
    fields: &mut Fields<'_>,
    currency: Option<Currency>,
) -> Result<Option<Delivery>, Problem> {
    let cost = fields.next::<Option<i64>>()?;
    let serial_number = fields.optional_text()?;
    let details = fields.optional_text()?;
    match (currency, cost, serial_number) {
        (Some(currency), Some(cost), Some(serial_number)) => Ok(Some(Delivery {
            cost: amount(cost, currency)?,
            serial_number: serial_number.to_owned(),
            details: details.map(trees::read_details).transpose()?,
        })),
        (_, None, None) if details.is_none() => Ok(None),
        _ => Err("delivery is incomplete".to_owned()),
    }
}

fn details(fields: &mut Fields<'_>) -> Result<Option<Detail>, Problem> {
    fields.optional_text()?.map(trees::read_details).transpose()
}

/// What was asked of a collection.
struct Asked<'row> {
    channel: &'row str,
    due: Amount,
    gross_minor: i64,
    fee_minor: i64,
    return_url: Option<&'row str>,
}

const CHANNEL_MISSING: &str = "collects something through no channel";

/// Without a channel nothing else of it may be there.
fn asked<'row>(fields: &mut Fields<'row>) -> Result<Option<Asked<'row>>, Problem> {
    let Some(channel) = fields.optional_text()? else {
        let nothing = fields.skip_nulls(5)?;
        return if nothing { Ok(None) } else { Err(CHANNEL_MISSING.to_owned()) };
    };
    let (due, currency) = (fields.next()?, fields.currency()?);
    Ok(Some(Asked {
        channel,
        due: amount(due, currency)?,
        gross_minor: fields.next()?,
        fee_minor: fields.next()?,
        return_url: fields.optional_text()?,
    }))
}

fn collecting(
    asked: Option<Asked<'_>>,
    fields: &mut Fields<'_>,
    currency: Option<Currency>,
) -> Result<Option<Collecting>, Problem> {
    let Some(asked) = asked else {
        let nothing = fields.skip_nulls(4)?;
        return if nothing { Ok(None) } else { Err(CHANNEL_MISSING.to_owned()) };
    };
    let currency = currency.ok_or("collects something without a currency")?;
    Ok(Some(Collecting {
        channel: asked.channel.to_owned(),
        due: asked.due,
        gross: amount(asked.gross_minor, currency)?,
        fee: amount(asked.fee_minor, currency)?,
        return_url: asked.return_url.map(str::to_owned),
        in_review: fields.next()?,
        particulars: trees::read_details(fields.text()?)?,
        evidence: match (fields.optional_text()?, fields.optional_text()?) {
            (Some(source), Some(id)) => {
                Some(EvidenceKey { source: source.to_owned(), id: id.to_owned() })
            }
            (None, None) => None,
            _ => return Err("evidence is incomplete".to_owned()),
        },
    }))
}

#[cfg(test)]
#[path = "orders_tests.rs"]
mod tests;
