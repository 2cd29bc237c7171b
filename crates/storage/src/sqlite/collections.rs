//! What comes with collections and limits, as rows: evidence of money that came in, what payers
//! named, and the orders that count towards merchants' own limits.

use domain::audit::Finding;
use domain::command::{DayClaimKey, PayerReferenceKey};
use domain::evidence::Doubtful;
use domain::{
    Amount, BusinessDay, Evidence, EvidenceKey, EvidenceState, MerchantId, OrderId, ProductId,
    TransferId,
};
use gateway::ports::Page;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::faults::Fault;
use super::fields::{Fields, Problem, amount, damaged, to_stored};
use super::{rows, statements};

macro_rules! evidence_columns {
    () => {
        "source, id, channel, amount_minor, currency, sender, reference, came_in_at_ms, \
         seen_at_ms, state, order_id, reason, transfer, released_to"
    };
}

statements! {
    EVIDENCE = concat!(
        "select ", evidence_columns!(), " from evidence where source = ?1 and id = ?2"
    );

    ALL_EVIDENCE = concat!("select ", evidence_columns!(), " from evidence order by source, id");

    // What came in stays what it is; only what became of it changes.
    PUT_EVIDENCE = concat!(
        "insert into evidence (", evidence_columns!(), ") \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
         on conflict (source, id) do update set sender = excluded.sender, \
         reference = excluded.reference, came_in_at_ms = excluded.came_in_at_ms, \
         seen_at_ms = excluded.seen_at_ms, state = excluded.state, order_id = excluded.order_id, \
         reason = excluded.reason, transfer = excluded.transfer, \
         released_to = excluded.released_to \
         where channel = excluded.channel and amount_minor = excluded.amount_minor \
         and currency = excluded.currency"
    );

    FREE_EVIDENCE = concat!(
        "select ", evidence_columns!(), " from evidence indexed by evidence_free \
         where state in ('open', 'suspended') and channel = ?1 and currency = ?2 \
         and amount_minor = ?3 order by source, id limit ?4"
    );

    EVIDENCE_FROM = concat!(
        "select ", evidence_columns!(), " from evidence where (source, id) >= (?1, ?2) \
         order by source, id limit ?3"
    );

    USED_EVIDENCE_FROM = concat!(
        "select ", evidence_columns!(), " from evidence \
         where state = 'used' and (source, id) >= (?1, ?2) order by source, id limit ?3"
    );

    UNUSED_EVIDENCE_FROM = concat!(
        "select ", evidence_columns!(), " from evidence indexed by evidence_unused \
         where state <> 'used' and state = ?4 and (source, id) >= (?1, ?2) \
         order by source, id limit ?3"
    );

    PAYER_REFERENCE = "select order_id from payer_references \
         where channel = ?1 and reference = ?2";

    INSERT_PAYER_REFERENCE = "insert into payer_references (channel, reference, order_id) \
         values (?1, ?2, ?3)";

    ALL_PAYER_REFERENCES = "select channel, reference, order_id from payer_references \
         order by channel, reference";

    DAY_CLAIM = "select order_id from day_claims where merchant = ?1 and day = ?2 \
         and destination = ?3 and all_products = ?4 and product = ?5";

    PUT_DAY_CLAIM = "insert into day_claims \
         (merchant, day, destination, all_products, product, order_id) \
         values (?1, ?2, ?3, ?4, ?5, ?6) \
         on conflict (merchant, day, destination, all_products, product) \
         do update set order_id = excluded.order_id";

    ALL_DAY_CLAIMS = "select merchant, day, destination, all_products, product, order_id \
         from day_claims order by merchant, day, destination, all_products, product";
}

pub(super) fn evidence_by_key(
    connection: &Connection,
    key: &EvidenceKey,
) -> Result<Option<Evidence>, Fault> {
    let mut statement = connection.prepare_cached(EVIDENCE)?;
    let found = statement.query_row(params![key.source, key.id], |row| Ok(evidence(row)));
    Ok(found.optional()?.transpose()?)
}

/// Evidence of this amount through this channel that pays nothing yet.
pub(super) fn free_evidence(
    connection: &Connection,
    channel: &str,
    amount: Amount,
    limit: u32,
) -> Result<Vec<Evidence>, Fault> {
    let parameters = params![channel, amount.currency().code(), amount.minor(), limit];
    list(connection, FREE_EVIDENCE, parameters)
}

/// Evidence in this state, or all, in the order of its names.
pub(super) fn evidence_after(
    connection: &Connection,
    state: Option<&str>,
    after: Option<&EvidenceKey>,
    limit: u32,
) -> Result<Page<Evidence, EvidenceKey>, Fault> {
    let (source, id) = after.map_or(("", ""), |key| (key.source.as_str(), key.id.as_str()));
    // One more tells that the list goes on, and another one may be that after which it begins.
    let enough = limit.saturating_add(2);
    let mut found = match state {
        None => list(connection, EVIDENCE_FROM, params![source, id, enough])?,
        Some("used") => list(connection, USED_EVIDENCE_FROM, params![source, id, enough])?,
        Some(state) => list(connection, UNUSED_EVIDENCE_FROM, params![source, id, enough, state])?,
    };
    found.retain(|evidence| after != Some(&evidence.key));
    Ok(Page::of(found, limit, |evidence| evidence.key.clone()))
}

fn list(
    connection: &Connection,
    statement: &'static str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Evidence>, Fault> {
    let mut statement = connection.prepare_cached(statement)?;
    let mut rows = statement.query(parameters)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(evidence(row)?);
    }
    Ok(found)
}

/// Shows all evidence, one piece at a time.
pub(super) fn each_evidence(
    connection: &Connection,
    mut visit: impl FnMut(Evidence) -> Result<(), Finding>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(ALL_EVIDENCE)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(evidence(row)?)?;
    }
    Ok(())
}

/// Writes new evidence, and what became of what is stored.
pub(super) fn put_evidence<'a>(
    connection: &Connection,
    evidence: impl IntoIterator<Item = &'a Evidence>,
) -> Result<(), Fault> {
    rows::each(connection, PUT_EVIDENCE, evidence, |mut row, evidence| {
        let (mut order, mut reason, mut transfer, mut released_to) = (None, None, None, None);
        match evidence.state {
            EvidenceState::Open => {}
            EvidenceState::Used(id) => order = Some(to_stored(id.0, "order")?),
            EvidenceState::Suspended { reason: why, transfer: id } => {
                reason = Some(why.name());
                transfer = Some(to_stored(id.0, "transfer")?);
            }
            EvidenceState::Released(merchant) => released_to = merchant.map(|merchant| merchant.0),
        }
        let EvidenceKey { source, id } = &evidence.key;
        row.put(source)?;
        row.put(id)?;
        row.put(&evidence.channel)?;
        row.put(evidence.amount.minor())?;
        row.put(evidence.amount.currency().code())?;
        row.put(&evidence.sender)?;
        row.put(&evidence.reference)?;
        row.put(evidence.came_in_at.milliseconds())?;
        row.put(evidence.seen_at.milliseconds())?;
        row.put(evidence.state.name())?;
        row.put_if_any(order)?;
        row.put_if_any(reason)?;
        row.put_if_any(transfer)?;
        row.put_if_any(released_to)?;
        match row.write()? {
            1 => Ok(()),
            _ => Err(damaged(record_of(source, id), "is stored for other money")),
        }
    })
}

/// As the audit names it.
fn record_of(source: &str, id: &str) -> String {
    format!("evidence {id} of {source}")
}

fn evidence(row: &Row<'_>) -> Result<Evidence, Finding> {
    let mut fields = Fields::new(row);
    let finding = |record: String, problem| Finding { record, problem };
    let mut name = || -> Result<_, Problem> { Ok((fields.text()?, fields.text()?)) };
    let (source, id) = name().map_err(|problem| finding("evidence".to_owned(), problem))?;
    let mut read = || -> Result<Evidence, Problem> {
        let channel = fields.next()?;
        let minor = fields.next()?;
        Ok(Evidence {
            key: EvidenceKey { source: source.to_owned(), id: id.to_owned() },
            channel,
            amount: amount(minor, fields.currency()?)?,
            sender: fields.next()?,
            reference: fields.next()?,
            came_in_at: fields.timestamp()?,
            seen_at: fields.timestamp()?,
            state: state(&mut fields)?,
        })
    };
    read().map_err(|problem| finding(record_of(source, id), problem))
}

fn state(fields: &mut Fields<'_>) -> Result<EvidenceState, Problem> {
    let word = fields.text()?;
    let order = fields.optional_number()?.map(OrderId);
    let reason = fields.next::<Option<String>>()?;
    let transfer = fields.optional_number()?.map(TransferId);
    let released_to = fields.optional_number()?.map(MerchantId);
    match (word, order, reason, transfer, released_to) {
        ("open", None, None, None, None) => Ok(EvidenceState::Open),
        ("used", Some(order), None, None, None) => Ok(EvidenceState::Used(order)),
        ("suspended", None, Some(reason), Some(transfer), None) => {
            let known = Doubtful::from_name(&reason);
            let reason = known.ok_or_else(|| format!("{reason:?} is not a reason"))?;
            Ok(EvidenceState::Suspended { reason, transfer })
        }
        ("released", None, None, None, merchant) => Ok(EvidenceState::Released(merchant)),
        _ => Err(format!("{word:?} is not a state, or has wrong particulars")),
    }
}

/// The order for which a payer named this.
pub(super) fn payer_reference(
    connection: &Connection,
    key: &PayerReferenceKey,
) -> Result<Option<OrderId>, Fault> {
    let mut statement = connection.prepare_cached(PAYER_REFERENCE)?;
    let found = statement.query_row(params![key.channel, key.text], |row| row.get(0)).optional()?;
    found.map(|order| order_of(order, "payer references")).transpose()
}

fn order_of(stored: i64, records: &str) -> Result<OrderId, Fault> {
    let number = u64::try_from(stored);
    number.map(OrderId).map_err(|_| damaged(records, "name an order with a negative number"))
}

pub(super) fn insert_payer_references<'a>(
    connection: &Connection,
    references: impl IntoIterator<Item = (&'a PayerReferenceKey, &'a OrderId)>,
) -> Result<(), Fault> {
    rows::each(connection, INSERT_PAYER_REFERENCE, references, |mut row, (key, order)| {
        row.put(&key.channel)?;
        row.put(&key.text)?;
        row.put(to_stored(order.0, "order")?)?;
        row.write().map(drop)
    })
}

/// The key of a count as it is stored: whether it counts all products, and else which.
fn product_of(key: &DayClaimKey) -> (bool, &str) {
    key.product.as_ref().map_or((true, ""), |product| (false, ProductId::as_str(product)))
}

/// The number of the order that counts towards this limit.
pub(super) fn day_claim(
    connection: &Connection,
    key: &DayClaimKey,
) -> Result<Option<OrderId>, Fault> {
    let (all_products, product) = product_of(key);
    let (merchant, day) = (key.merchant.0, key.day.number());
    let mut statement = connection.prepare_cached(DAY_CLAIM)?;
    let parameters = params![merchant, day, key.destination, all_products, product];
    let found = statement.query_row(parameters, |row| row.get(0)).optional()?;
    found.map(|order| order_of(order, "day claims")).transpose()
}

/// Writes which orders count from now on.
pub(super) fn put_day_claims<'a>(
    connection: &Connection,
    claims: impl IntoIterator<Item = (&'a DayClaimKey, &'a OrderId)>,
) -> Result<(), Fault> {
    rows::each(connection, PUT_DAY_CLAIM, claims, |mut row, (key, order)| {
        let (all_products, product) = product_of(key);
        row.put(key.merchant.0)?;
        row.put(key.day.number())?;
        row.put(&key.destination)?;
        row.put(all_products)?;
        row.put(product)?;
        row.put(to_stored(order.0, "order")?)?;
        row.write().map(drop)
    })
}

/// Shows what payers named, each with the order for which they did.
pub(super) fn each_payer_reference(
    connection: &Connection,
    mut visit: impl FnMut(&PayerReferenceKey, OrderId) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(ALL_PAYER_REFERENCES)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut fields = Fields::new(row);
        let mut read = || -> Result<_, Problem> {
            let key = PayerReferenceKey { channel: fields.next()?, text: fields.next()? };
            Ok((key, OrderId(fields.number()?)))
        };
        let (key, order) = read().map_err(|problem| damaged("payer references", problem))?;
        visit(&key, order)?;
    }
    Ok(())
}

/// Shows every count towards a limit with the latest order that counts.
pub(super) fn each_day_claim(
    connection: &Connection,
    mut visit: impl FnMut(&DayClaimKey, OrderId) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(ALL_DAY_CLAIMS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut fields = Fields::new(row);
        let mut read = || -> Result<_, Problem> {
            let merchant = fields.merchant()?;
            let day = BusinessDay::from_number(fields.next()?);
            let destination = fields.next()?;
            let product = match (fields.next()?, fields.text()?) {
                (false, product) => Some(ProductId::new(product)),
                (true, "") => None,
                (true, _) => return Err("all products are one product".to_owned()),
            };
            let key = DayClaimKey { merchant, day, destination, product };
            Ok((key, OrderId(fields.number()?)))
        };
        let (key, order) = read().map_err(|problem| damaged("day claims", problem))?;
        visit(&key, order)?;
    }
    Ok(())
}
