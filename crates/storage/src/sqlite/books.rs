//! Accounts, transfers and fundings as rows.

use std::collections::BTreeMap;

use domain::account::{AccountRole, Counters};
use domain::audit::Finding;
use domain::command::{Funding, FundingKey};
use domain::posting::Direction;
use domain::{
    Account, AccountId, AccountKey, Hash, Kind, MerchantId, Order, OrderId, Transfer, TransferId,
    TransferKind, UpstreamName,
};
use gateway::ports::Page;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::faults::Fault;
use super::fields::{Fields, Problem, amount, damaged, stored_number, to_stored, word};
use super::{orders, rows, statements};

macro_rules! account_columns {
    () => {
        "id, role, owner, currency, debits_pending_minor, debits_posted_minor, \
         credits_pending_minor, credits_posted_minor, latest_transfer, latest_hash"
    };
}

macro_rules! transfer_columns {
    () => {
        "id, order_id, kind, hold, debit, credit, amount_minor, currency, at_ms, previous_debit, \
         previous_credit, hash"
    };
}

macro_rules! funding_columns {
    () => {
        "merchant, reference, direction, amount_minor, currency, reason, transfer, at_ms"
    };
}

statements! {
    ACCOUNT = concat!(
        "select ", account_columns!(), " from accounts \
         where role = ?1 and owner = ?2 and currency = ?3"
    );

    ALL_ACCOUNTS = concat!("select ", account_columns!(), " from accounts order by id");

    LAST_ACCOUNT = "select coalesce(max(id), 0) from accounts";

    // An account keeps its number and its name.
    PUT_ACCOUNT = concat!(
        "insert into accounts (", account_columns!(), ") \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
         on conflict (id) do update set \
         debits_pending_minor = excluded.debits_pending_minor, \
         debits_posted_minor = excluded.debits_posted_minor, \
         credits_pending_minor = excluded.credits_pending_minor, \
         credits_posted_minor = excluded.credits_posted_minor, \
         latest_transfer = excluded.latest_transfer, latest_hash = excluded.latest_hash \
         where role = excluded.role and owner = excluded.owner and currency = excluded.currency"
    );

    ALL_TRANSFERS = concat!("select ", transfer_columns!(), " from transfers order by id");

    TRANSFER = concat!("select ", transfer_columns!(), " from transfers where id = ?1");

    TRANSFERS_FROM = concat!(
        "select ", transfer_columns!(), " from transfers where id >= ?1 order by id limit ?2"
    );

    LAST_TRANSFER = "select coalesce(max(id), 0) from transfers";

    INSERT_TRANSFER = concat!(
        "insert into transfers (", transfer_columns!(), ") \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
    );

    FUNDING = concat!(
        "select ", funding_columns!(), " from fundings where merchant = ?1 and reference = ?2"
    );

    ALL_FUNDINGS = concat!(
        "select ", funding_columns!(), " from fundings order by merchant, reference"
    );

    INSERT_FUNDING = concat!(
        "insert into fundings (", funding_columns!(), ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    );
}

const DIRECTIONS: [(Direction, &str); 2] =
    [(Direction::Credit, "credit"), (Direction::Debit, "debit")];

/// The highest numbers of accounts and transfers.
pub(super) fn last_numbers(connection: &Connection) -> Result<(u64, u64), Fault> {
    let last = |statement: &'static str, record: &str| -> Result<u64, Fault> {
        let number: i64 = connection.prepare_cached(statement)?.query_row([], |row| row.get(0))?;
        u64::try_from(number).map_err(|_| damaged(record, "have negative numbers"))
    };
    Ok((last(LAST_ACCOUNT, "accounts")?, last(LAST_TRANSFER, "transfers")?))
}

fn role_words(role: &AccountRole) -> (&'static str, String) {
    match role {
        AccountRole::Merchant(merchant) => ("merchant", merchant.to_string()),
        AccountRole::Clearing => ("clearing", String::new()),
        AccountRole::Float(upstream) => ("float", upstream.to_string()),
        AccountRole::Margin => ("margin", String::new()),
        AccountRole::Fees => ("fees", String::new()),
        AccountRole::Bank => ("bank", String::new()),
        AccountRole::Inbound(channel) => ("inbound", channel.clone()),
        AccountRole::Suspense => ("suspense", String::new()),
        AccountRole::Receivable(merchant) => ("receivable", merchant.to_string()),
    }
}

fn role(word: &str, owner: &str) -> Result<AccountRole, Problem> {
    let merchant = || {
        let number: Option<u32> = owner.parse().ok();
        let number = number.filter(|number| number.to_string() == owner);
        number.map(MerchantId).ok_or_else(|| format!("owner {owner:?} is not a merchant"))
    };
    match (word, owner) {
        ("merchant", _) => merchant().map(AccountRole::Merchant),
        ("receivable", _) => merchant().map(AccountRole::Receivable),
        ("float", _) => Ok(AccountRole::Float(UpstreamName::new(owner))),
        ("inbound", _) => Ok(AccountRole::Inbound(owner.to_owned())),
        ("clearing", "") => Ok(AccountRole::Clearing),
        ("margin", "") => Ok(AccountRole::Margin),
        ("fees", "") => Ok(AccountRole::Fees),
        ("bank", "") => Ok(AccountRole::Bank),
        ("suspense", "") => Ok(AccountRole::Suspense),
        _ => Err(format!("{word:?} with owner {owner:?} is not a role")),
    }
}

pub(super) fn account(connection: &Connection, key: &AccountKey) -> Result<Option<Account>, Fault> {
    let (role, owner) = role_words(&key.role);
    let mut statement = connection.prepare_cached(ACCOUNT)?;
    let found =
        statement.query_row(params![role, owner, key.currency.code()], |row| Ok(read_account(row)));
    Ok(found.optional()?.transpose()?)
}

/// Every account, in the order of their numbers. There are few: one per role and currency.
pub(super) fn all_accounts(connection: &Connection) -> Result<Vec<Account>, Fault> {
    let mut accounts = Vec::new();
    each(connection, ALL_ACCOUNTS, |row| {
        accounts.push(read_account(row)?);
        Ok(())
    })?;
    Ok(accounts)
}

/// Shows every transfer in the order of their numbers, one at a time.
pub(super) fn each_transfer(
    connection: &Connection,
    mut visit: impl FnMut(Transfer) -> Result<(), Finding>,
) -> Result<(), Fault> {
    each(connection, ALL_TRANSFERS, |row| visit(read_transfer(row)?))
}

/// Shows every funding, one at a time.
pub(super) fn each_funding(
    connection: &Connection,
    mut visit: impl FnMut(Funding) -> Result<(), Finding>,
) -> Result<(), Fault> {
    each(connection, ALL_FUNDINGS, |row| visit(read_funding(row)?))
}

fn each(
    connection: &Connection,
    statement: &'static str,
    mut visit: impl FnMut(&Row<'_>) -> Result<(), Finding>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(statement)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(row)?;
    }
    Ok(())
}

/// Writes new accounts, and what became of those that are stored.
pub(super) fn put_accounts<'a>(
    connection: &Connection,
    accounts: impl IntoIterator<Item = &'a Account>,
) -> Result<(), Fault> {
    rows::each(connection, PUT_ACCOUNT, accounts, |mut row, account| {
        let Account { id, key, counters, latest } = account;
        let (role, owner) = role_words(&key.role);
        row.put(to_stored(id.0, "account")?)?;
        row.put(role)?;
        row.put(owner)?;
        row.put(key.currency.code())?;
        row.put(counters.debits_pending)?;
        row.put(counters.debits_posted)?;
        row.put(counters.credits_pending)?;
        row.put(counters.credits_posted)?;
        row.put_if_any(latest.map(|(transfer, _)| to_stored(transfer.0, "transfer")).transpose()?)?;
        row.put_if_any(latest.map(|(_, hash)| hash.0))?;
        match row.write()? {
            1 => Ok(()),
            _ => Err(damaged(format!("account {id}"), "is stored under another name")),
        }
    })
}

fn read_account(row: &Row<'_>) -> Result<Account, Finding> {
    named("account", row, |id, fields| {
        let key = AccountKey {
            role: role(fields.text()?, fields.text()?)?,
            currency: fields.currency()?,
        };
        let mut counter = || match fields.next::<i64>()? {
            negative @ ..0 => Err(format!("counter {negative} is negative")),
            counter => Ok(counter),
        };
        let counters = Counters {
            debits_pending: counter()?,
            debits_posted: counter()?,
            credits_pending: counter()?,
            credits_posted: counter()?,
        };
        let latest = match (fields.optional_number()?, fields.next::<Option<[u8; 32]>>()?) {
            (Some(transfer), Some(hash)) => Some((TransferId(transfer), Hash(hash))),
            (None, None) => None,
            _ => return Err("latest transfer is incomplete".to_owned()),
        };
        Ok(Account { id: AccountId(id), key, counters, latest })
    })
}

pub(super) fn insert_transfers<'a>(
    connection: &Connection,
    transfers: impl IntoIterator<Item = &'a Transfer>,
) -> Result<(), Fault> {
    let stored = |id: TransferId| to_stored(id.0, "transfer");
    rows::each(connection, INSERT_TRANSFER, transfers, |mut row, transfer| {
        let (kind, hold) = match transfer.kind {
            TransferKind::Direct => ("direct", None),
            TransferKind::Hold => ("hold", None),
            TransferKind::Post(hold) => ("post", Some(hold)),
            TransferKind::Void(hold) => ("void", Some(hold)),
        };
        row.put(stored(transfer.id)?)?;
        row.put_if_any(transfer.order.map(|order| to_stored(order.0, "order")).transpose()?)?;
        row.put(kind)?;
        row.put_if_any(hold.map(stored).transpose()?)?;
        row.put(to_stored(transfer.debit.0, "account")?)?;
        row.put(to_stored(transfer.credit.0, "account")?)?;
        row.put(transfer.amount.minor())?;
        row.put(transfer.amount.currency().code())?;
        row.put(transfer.at.milliseconds())?;
        row.put_if_any(transfer.previous_debit.map(stored).transpose()?)?;
        row.put_if_any(transfer.previous_credit.map(stored).transpose()?)?;
        row.put(transfer.hash.0)?;
        row.write().map(drop)
    })
}

fn read_transfer(row: &Row<'_>) -> Result<Transfer, Finding> {
    named("transfer", row, |id, fields| {
        let order = fields.optional_number()?.map(OrderId);
        let kind = match (fields.text()?, fields.optional_number()?.map(TransferId)) {
            ("direct", None) => TransferKind::Direct,
            ("hold", None) => TransferKind::Hold,
            ("post", Some(hold)) => TransferKind::Post(hold),
            ("void", Some(hold)) => TransferKind::Void(hold),
            (kind, _) => return Err(format!("{kind:?} is not a kind, or has a wrong hold")),
        };
        let debit = AccountId(fields.number()?);
        let credit = AccountId(fields.number()?);
        let minor = fields.next()?;
        Ok(Transfer {
            id: TransferId(id),
            order,
            kind,
            debit,
            credit,
            amount: amount(minor, fields.currency()?)?,
            at: fields.timestamp()?,
            previous_debit: fields.optional_number()?.map(TransferId),
            previous_credit: fields.optional_number()?.map(TransferId),
            hash: Hash(fields.next()?),
        })
    })
}

/// How many transfers the outcome of one order makes, at most.
const TRANSFERS_OF_OUTCOME_MAX: u32 = 32;

fn one_transfer(connection: &Connection, id: TransferId) -> Result<Option<Transfer>, Fault> {
    let Some(id) = stored_number(id.0) else { return Ok(None) };
    let mut statement = connection.prepare_cached(TRANSFER)?;
    Ok(statement.query_row([id], |row| Ok(read_transfer(row))).optional()?.transpose()?)
}

/// What was moved for an order. Its holds name their transfers; what an outcome moved besides
/// follows without a gap upon what resolved the holds, because one decision made it all. So does
/// what paid a collection upon the first transfer of it.
pub(super) fn transfers_of_order(
    connection: &Connection,
    order: &Order,
) -> Result<Vec<Transfer>, Fault> {
    let mut found = BTreeMap::new();
    for hold in &order.holds {
        if let Some(transfer) = one_transfer(connection, hold.transfer)? {
            found.insert(transfer.id, transfer);
        }
    }
    let outcome = match order.kind {
        Kind::Collection => orders::paid_by(connection, order.id)?,
        Kind::Purchase | Kind::Payout => {
            order.holds.iter().filter_map(|hold| hold.resolved_by).min()
        }
    };
    if let Some(first) = outcome.and_then(|id| stored_number(id.0)) {
        let mut statement = connection.prepare_cached(TRANSFERS_FROM)?;
        let mut rows = statement.query(params![first, TRANSFERS_OF_OUTCOME_MAX])?;
        while let Some(row) = rows.next()? {
            let transfer = read_transfer(row)?;
            if transfer.order != Some(order.id) {
                break;
            }
            found.insert(transfer.id, transfer);
        }
    }
    Ok(found.into_values().collect())
}

/// What was moved on an account, newest first, along the links from each transfer to the one
/// before it.
pub(super) fn transfers_of_account(
    connection: &Connection,
    key: &AccountKey,
    from: Option<TransferId>,
    limit: u32,
) -> Result<Option<Page<Transfer, TransferId>>, Fault> {
    let Some(account) = account(connection, key)? else {
        return Ok(from.is_none().then_some(Page { items: Vec::new(), next: None }));
    };
    let mut next = from.or_else(|| account.latest.map(|(latest, _)| latest));
    let mut items = Vec::new();
    for _ in 0..limit {
        let Some(id) = next else { break };
        let transfer = one_transfer(connection, id)?;
        let before = transfer.as_ref().and_then(|it| match (it.debit, it.credit) {
            (debit, _) if debit == account.id => Some(it.previous_debit),
            (_, credit) if credit == account.id => Some(it.previous_credit),
            _ => None,
        });
        let (Some(transfer), Some(before)) = (transfer, before) else {
            if items.is_empty() && from.is_some() {
                return Ok(None);
            }
            return Err(damaged(format!("transfer {id}"), "is linked to and not of its account"));
        };
        items.push(transfer);
        next = before;
    }
    Ok(Some(Page { items, next }))
}

pub(super) fn funding(connection: &Connection, key: &FundingKey) -> Result<Option<Funding>, Fault> {
    let mut statement = connection.prepare_cached(FUNDING)?;
    let found =
        statement.query_row(params![key.merchant.0, key.reference], |row| Ok(read_funding(row)));
    Ok(found.optional()?.transpose()?)
}

pub(super) fn insert_funding(connection: &Connection, funding: &Funding) -> Result<(), Fault> {
    connection.prepare_cached(INSERT_FUNDING)?.execute(params![
        funding.key.merchant.0,
        funding.key.reference,
        word(&DIRECTIONS, &funding.direction),
        funding.amount.minor(),
        funding.amount.currency().code(),
        funding.reason,
        to_stored(funding.transfer.0, "transfer")?,
        funding.at.milliseconds(),
    ])?;
    Ok(())
}

fn read_funding(row: &Row<'_>) -> Result<Funding, Finding> {
    named("funding of merchant", row, |merchant: u32, fields| {
        let reference = fields.next()?;
        let direction = fields.word(&DIRECTIONS)?;
        let minor = fields.next()?;
        Ok(Funding {
            key: FundingKey { merchant: MerchantId(merchant), reference },
            direction,
            amount: amount(minor, fields.currency()?)?,
            reason: fields.next()?,
            transfer: TransferId(fields.number()?),
            at: fields.timestamp()?,
        })
    })
}

/// Reads a row whose first column names the record.
fn named<'row, Id, Record>(
    noun: &str,
    row: &'row Row<'row>,
    read: impl FnOnce(Id, &mut Fields<'row>) -> Result<Record, Problem>,
) -> Result<Record, Finding>
where
    Id: TryFrom<i64> + Copy + std::fmt::Display,
{
    let mut fields = Fields::new(row);
    let id: Id = fields.number().map_err(|problem| Finding {
        record: noun.to_owned(),
        problem: format!("has no number: {problem}"),
    })?;
    read(id, &mut fields).map_err(|problem| Finding { record: format!("{noun} {id}"), problem })
}
