//! Orders as rows.
//!
//! One row holds an order whole. Its amounts share the currency of the row; an order that deals in
//! several currencies is not one that we make, and is refused when it is to be stored.

use std::sync::Arc;

use domain::audit::Finding;
use domain::{
    Amount, Collecting, Currency, Delivery, Detail, EvidenceKey, Kind, Order, OrderId, OrderState,
    ProductId, ProtocolName, Quote, Reference, ReferenceKey, Timestamp, TransferId, UpstreamName,
};
use gateway::ports::{OrderFilter, Page, Pending};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::faults::Fault;
use super::fields::{
    Fields, MODES, Problem, amount, damaged, refusal, stored_number, to_stored, word,
};
use super::references::References;
use super::{statements, trees};

macro_rules! columns {
    () => {
        "id, merchant, protocol, mode, reference, kind, state, refusal, fingerprint, product, code, \
         destination, upstream, currency, nominal_minor, admin_fee_minor, admin_minor, price_minor, \
         charge_minor, bill, created_at_ms, updated_at_ms, expires_at_ms, holds, attempts, \
         question_due_at_ms, cost_minor, serial_number, delivery_details, dialect, calls_back, \
         callback_url, callbacks, channel, due_minor, due_currency, gross_minor, fee_minor, \
         return_url, in_review, particulars, evidence_source, evidence_id, recipient"
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
    UPDATE = "update orders set kind = ?6, state = ?7, refusal = ?8, fingerprint = ?9, \
         product = ?10, code = ?11, destination = ?12, upstream = ?13, currency = ?14, \
         nominal_minor = ?15, admin_fee_minor = ?16, admin_minor = ?17, price_minor = ?18, \
         charge_minor = ?19, bill = ?20, created_at_ms = ?21, updated_at_ms = ?22, \
         expires_at_ms = ?23, holds = ?24, attempts = ?25, question_due_at_ms = ?26, \
         cost_minor = ?27, serial_number = ?28, delivery_details = ?29, dialect = ?30, \
         calls_back = ?31, callback_url = ?32, callbacks = ?33, channel = ?34, due_minor = ?35, \
         due_currency = ?36, gross_minor = ?37, fee_minor = ?38, return_url = ?39, \
         in_review = ?40, particulars = ?41, evidence_source = ?42, evidence_id = ?43, \
         recipient = ?44, paid_by_transfer = coalesce(?45, paid_by_transfer) \
         where id = ?1 and merchant = ?2 and protocol = ?3 and mode = ?4 and reference = ?5";

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

/// Refuses an order that could not be stored, or not be read back.
pub(super) fn check(order: &Order) -> Result<(), Fault> {
    let delivery = order.delivery.as_ref().and_then(|delivery| delivery.details.as_ref());
    let told = order.collecting.as_ref().map(|collecting| &collecting.particulars);
    let bill = order.bill.as_ref().map(|bill| &bill.details);
    let trees = [bill, delivery, told, order.recipient.as_ref()];
    currency_of(order)
        .and_then(|_| trees.into_iter().flatten().try_for_each(trees::check_details))
        .map_err(|problem| damaged(format!("order {}", order.id), problem))
}

/// `paid_by` is the first of the transfers by which it was paid, if it is a collection that was.
pub(super) fn insert(
    connection: &Connection,
    order: &Order,
    paid_by: Option<TransferId>,
) -> Result<(), Fault> {
    write(connection, INSERT, order, paid_by).map(drop)
}

/// Leaves by what it was paid as it is where there is nothing new of that.
pub(super) fn update(
    connection: &Connection,
    order: &Order,
    paid_by: Option<TransferId>,
) -> Result<(), Fault> {
    if write(connection, UPDATE, order, paid_by)? == 1 {
        Ok(())
    } else {
        Err(damaged(format!("order {}", order.id), "is not stored under its reference"))
    }
}

fn write(
    connection: &Connection,
    statement: &'static str,
    order: &Order,
    paid_by: Option<TransferId>,
) -> Result<usize, Fault> {
    let problem = |problem: Problem| damaged(format!("order {}", order.id), problem);
    let quote = order.quote.as_ref();
    let delivery = order.delivery.as_ref();
    let currency = currency_of(order).map_err(problem)?;
    let bill = order.bill.as_deref().map(trees::write_bill).transpose().map_err(problem)?;
    let details = delivery.and_then(|delivery| delivery.details.as_ref());
    let details = details.map(trees::write_details).transpose().map_err(problem)?;
    let collecting = order.collecting.as_ref();
    let particulars = collecting.map(|it| trees::write_details(&it.particulars));
    let evidence = collecting.and_then(|it| it.evidence.as_ref());
    let recipient = order.recipient.as_ref().map(trees::write_details);
    let (state, refusal) = state_words(order.state);
    let written = connection.prepare_cached(statement)?.execute(params![
        to_stored(order.id.0, "order")?,
        order.key.merchant.0,
        order.key.protocol.as_str(),
        word(&MODES, &order.key.mode),
        order.key.reference.as_str(),
        word(&KINDS, &order.kind),
        state,
        refusal,
        order.fingerprint,
        order.product.as_str(),
        order.code,
        order.destination,
        order.upstream.as_str(),
        currency.map(Currency::code),
        quote.map(|quote| quote.nominal.minor()),
        quote.map(|quote| quote.admin_fee.minor()),
        quote.map(|quote| quote.admin.minor()),
        quote.map(|quote| quote.price.minor()),
        quote.map(|quote| quote.charge.minor()),
        bill,
        order.created_at.milliseconds(),
        order.updated_at.milliseconds(),
        order.expires_at.milliseconds(),
        trees::write_holds(&order.holds).map_err(problem)?,
        trees::write_attempts(&order.attempts).map_err(problem)?,
        order.question_due.map(Timestamp::milliseconds),
        delivery.map(|delivery| delivery.cost.minor()),
        delivery.map(|delivery| delivery.serial_number.as_str()),
        details,
        order.dialect,
        order.calls_back,
        order.callback_url,
        trees::write_callbacks(&order.callbacks).map_err(problem)?,
        collecting.map(|it| it.channel.as_str()),
        collecting.map(|it| it.due.minor()),
        collecting.map(|it| it.due.currency().code()),
        collecting.map(|it| it.gross.minor()),
        collecting.map(|it| it.fee.minor()),
        collecting.and_then(|it| it.return_url.as_deref()),
        collecting.map(|it| it.in_review),
        particulars.transpose().map_err(problem)?,
        evidence.map(|it| it.source.as_str()),
        evidence.map(|it| it.id.as_str()),
        recipient.transpose().map_err(problem)?,
        paid_by.map(|transfer| to_stored(transfer.0, "transfer")).transpose()?,
    ])?;
    Ok(written)
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
    let state = state(fields.text()?, fields.next::<Option<String>>()?.as_deref())?;
    let fingerprint = fields.next()?;
    let product = ProductId::new(fields.text()?);
    let code = fields.next()?;
    let destination = fields.next()?;
    let upstream = UpstreamName::new(fields.text()?);
    let currency = fields.next::<Option<String>>()?;
    let currency = currency.as_deref().map(super::fields::currency).transpose()?;
    let quote = quote(&mut fields, currency)?;
    let bill = fields.next::<Option<String>>()?;
    let bill = bill.as_deref().map(trees::read_bill).transpose()?;
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
        bill: bill.map(Arc::new),
        quote,
        created_at: fields.timestamp()?,
        updated_at: fields.timestamp()?,
        expires_at: fields.timestamp()?,
        holds: trees::read_holds(fields.text()?)?,
        attempts: trees::read_attempts(fields.text()?)?,
        question_due: fields.next::<Option<i64>>()?.map(Timestamp::from_milliseconds),
        delivery: delivery(&mut fields, currency)?,
        dialect: fields.next()?,
        calls_back: fields.next()?,
        callback_url: fields.next()?,
        callbacks: trees::read_callbacks(fields.text()?)?,
        collecting: collecting(&mut fields, currency)?,
        recipient: details(&mut fields)?,
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
    let serial_number = fields.next::<Option<String>>()?;
    let details = fields.next::<Option<String>>()?;
    match (currency, cost, serial_number) {
        (Some(currency), Some(cost), Some(serial_number)) => Ok(Some(Delivery {
            cost: amount(cost, currency)?,
            serial_number,
            details: details.as_deref().map(trees::read_details).transpose()?,
        })),
        (_, None, None) if details.is_none() => Ok(None),
        _ => Err("delivery is incomplete".to_owned()),
    }
}

fn details(fields: &mut Fields<'_>) -> Result<Option<Detail>, Problem> {
    let stored = fields.next::<Option<String>>()?;
    stored.as_deref().map(trees::read_details).transpose()
}

/// Without a channel nothing else of it may be there.
fn collecting(
    fields: &mut Fields<'_>,
    currency: Option<Currency>,
) -> Result<Option<Collecting>, Problem> {
    let Some(channel) = fields.next::<Option<String>>()? else {
        let rest = [(); 9].map(|()| fields.next::<rusqlite::types::Value>());
        let nothing = Ok(rusqlite::types::Value::Null);
        return if rest.into_iter().all(|it| it == nothing) {
            Ok(None)
        } else {
            Err("collects something through no channel".to_owned())
        };
    };
    let (due, due_currency) = (fields.next()?, fields.currency()?);
    let currency = currency.ok_or("collects something without a currency")?;
    let (gross, fee) = (fields.next()?, fields.next()?);
    Ok(Some(Collecting {
        channel,
        due: amount(due, due_currency)?,
        gross: amount(gross, currency)?,
        fee: amount(fee, currency)?,
        return_url: fields.next()?,
        in_review: fields.next()?,
        particulars: trees::read_details(fields.text()?)?,
        evidence: match (fields.next::<Option<String>>()?, fields.next::<Option<String>>()?) {
            (Some(source), Some(id)) => Some(EvidenceKey { source, id }),
            (None, None) => None,
            _ => return Err("evidence is incomplete".to_owned()),
        },
    }))
}
