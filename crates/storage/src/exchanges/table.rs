//! The tables of the log, and all of their SQL.
//!
//! The log is worth less than the trouble of migrating it: a file of another version is emptied and
//! begun anew.

use std::path::Path;
use std::time::Duration;

use domain::{MerchantId, OrderId, Reference, Timestamp};
use gateway::exchanges::{Exchange, Found, Meaning, Recorded, Side, Signature, Subject};
use rusqlite::types::Type;
use rusqlite::{Connection, Error, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

/// The file within the data directory.
pub(super) const DATABASE_FILE: &str = "exchanges.db";

/// Commits are not flushed one by one: what a power cut takes is worth little. A log that grew is
/// cut back to 4 MiB.
pub(super) const PRAGMAS: &str = "pragma trusted_schema = off; pragma mmap_size = 0; \
     pragma temp_store = memory; pragma cache_size = -1024; pragma journal_mode = wal; \
     pragma synchronous = normal; pragma journal_size_limit = 4194304;";

/// The version of the tables. Increased whenever they change.
const VERSION: u32 = 1;

const TABLES: &str = "
    create table exchanges (
        number integer primary key autoincrement,
        at integer not null,
        took_us integer not null,
        peer text not null,
        request_id text not null,
        protocol text not null,
        command text not null,
        merchant integer,
        reference blob,
        order_number integer,
        signature text not null,
        code text,
        meaning text,
        reason text,
        http_status integer,
        request text not null,
        answer text not null
    ) strict;
    create index exchanges_by_reference on exchanges (reference) where reference is not null;
    create index exchanges_by_order on exchanges (order_number) where order_number is not null;
    create table gaps (
        number integer primary key autoincrement,
        at integer not null,
        missed integer not null
    ) strict;
";

const INSERT: &str = "insert into exchanges (at, took_us, peer, request_id, protocol, command, \
     merchant, reference, order_number, signature, code, meaning, reason, http_status, request, \
     answer) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
const INSERT_GAP: &str = "insert into gaps (at, missed) values (?1, ?2)";

/// Of an order: what names its number, and what names its reference in its protocol as its merchant
/// or as somebody whom nobody knows. Only numbers, because there may be very many.
const OF_ORDER: &str = "select number from exchanges where order_number = ?1 \
     union select number from exchanges where reference = ?2 and protocol = ?3 \
     and (order_number is null or order_number = ?1) and (merchant is null or merchant = ?4) \
     order by number";
const OF_REFERENCE: &str = "select number from exchanges where reference = ?1 order by number";
const ONE: &str = "select * from exchanges where number = ?1";

const MISSED: &str = "select coalesce(sum(missed), 0) from gaps where at between ?1 and ?2";
const OLDEST: &str = "select at from exchanges order by number limit 1";

/// Only from the beginning, so that a clock that was set back takes nothing away.
const DELETE_OLD: &str = "delete from exchanges where at < ?1 and number in \
     (select number from exchanges order by number limit 256)";
const DELETE_OLD_GAPS: &str = "delete from gaps where at < ?1";
const DELETE_FIRST: &str = "delete from exchanges where number in \
     (select number from exchanges order by number limit 256)";

/// How many gaps are remembered one by one; there is at most one per batch.
const GAPS_MAX: i64 = 100_000;
const DELETE_FIRST_GAPS: &str =
    "delete from gaps where number <= (select max(number) from gaps) - ?1";

/// How much of a masked body is kept, in bytes.
const BODY_MAX: usize = 4096;
/// How many exchanges of one subject are shown: half of them the earliest, half the latest.
const SHOWN_MAX: usize = 100;
/// How much of the cap is kept free, as a part of it: the largest batch must find room there.
const HEADROOM_DIVISOR: u64 = 4;

/// The open file.
pub(super) struct Table {
    connection: Connection,
    key: [u8; 32],
    size_max: u64,
}

impl Table {
    pub(super) fn open(file: &Path, key: [u8; 32], size_max: u64) -> rusqlite::Result<Self> {
        let mut connection = super::connect(file)?;
        let version: u32 = connection.query_row("pragma user_version", [], |row| row.get(0))?;
        if version != VERSION {
            begin_anew(&mut connection)?;
        }
        let page_size: u64 = connection.query_row("pragma page_size", [], unsigned)?;
        // Whatever else goes wrong, the file does not outgrow its cap.
        let pages = size_max.checked_div(page_size).unwrap_or_default().max(1);
        connection.query_row(&format!("pragma max_page_count = {pages}"), [], |_| Ok(()))?;
        Ok(Self { connection, key, size_max })
    }

    /// Writes a batch, masked, and how many were missed, in one commit.
    pub(super) fn write(
        &mut self,
        exchanges: &[Exchange],
        now: Timestamp,
        missed: u64,
    ) -> rusqlite::Result<()> {
        let key = self.key;
        let commit = self.connection.transaction()?;
        {
            let mut insert = commit.prepare_cached(INSERT)?;
            for exchange in exchanges {
                insert_one(&mut insert, exchange, &key)?;
            }
        }
        if missed > 0 {
            let missed = i64::try_from(missed).unwrap_or(i64::MAX);
            commit.prepare_cached(INSERT_GAP)?.execute(params![now.milliseconds(), missed])?;
        }
        commit.commit()
    }

    /// Takes away what is older than this.
    pub(super) fn forget_before(&self, oldest: Timestamp) -> rusqlite::Result<()> {
        let oldest = oldest.milliseconds();
        while self.connection.prepare_cached(DELETE_OLD)?.execute([oldest])? > 0 {}
        self.connection.prepare_cached(DELETE_OLD_GAPS)?.execute([oldest])?;
        self.connection.prepare_cached(DELETE_FIRST_GAPS)?.execute([GAPS_MAX])?;
        Ok(())
    }

    /// Takes the oldest away until there is room for more.
    pub(super) fn make_room(&self) -> rusqlite::Result<()> {
        let most = self.size_max - self.size_max / HEADROOM_DIVISOR;
        while self.used()? > most {
            if self.connection.prepare_cached(DELETE_FIRST)?.execute([])? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// How many bytes of the file are in use.
    pub(super) fn used(&self) -> rusqlite::Result<u64> {
        let number = |pragma: &str| self.connection.query_row(pragma, [], unsigned);
        let pages = number("pragma page_count")?.saturating_sub(number("pragma freelist_count")?);
        Ok(pages.saturating_mul(number("pragma page_size")?))
    }

    /// What was said about a subject.
    pub(super) fn about(&self, subject: &Subject) -> rusqlite::Result<Found> {
        let (mut numbers, span) = match subject {
            Subject::Order { id, key, from, until } => {
                let digest = digest(&self.key, key.reference.as_str());
                let of_order =
                    params![number(id.0), digest.as_slice(), key.protocol.as_str(), key.merchant.0];
                (self.numbers(OF_ORDER, of_order)?, (*from, *until))
            }
            Subject::Reference(reference) => {
                let digest = digest(&self.key, reference);
                let ever = (i64::MIN, i64::MAX);
                let span =
                    (Timestamp::from_milliseconds(ever.0), Timestamp::from_milliseconds(ever.1));
                (self.numbers(OF_REFERENCE, params![digest.as_slice()])?, span)
            }
        };
        let omitted = numbers.len().saturating_sub(SHOWN_MAX);
        if omitted > 0 {
            numbers.drain(SHOWN_MAX / 2..SHOWN_MAX / 2 + omitted);
        }
        let mut one = self.connection.prepare_cached(ONE)?;
        let exchanges = numbers.iter().map(|number| one.query_row([number], recorded));
        let exchanges = exchanges.collect::<Result<_, _>>()?;
        let missed = self
            .connection
            .prepare_cached(MISSED)?
            .query_row([span.0.milliseconds(), span.1.milliseconds()], unsigned)?;
        let oldest: Option<i64> =
            self.connection.prepare_cached(OLDEST)?.query_row([], |row| row.get(0)).optional()?;
        Ok(Found {
            exchanges,
            omitted: u64::try_from(omitted).unwrap_or(u64::MAX),
            missed,
            kept_since: oldest.map(Timestamp::from_milliseconds),
        })
    }

    fn numbers(
        &self,
        statement: &str,
        parameters: &[&dyn rusqlite::ToSql],
    ) -> rusqlite::Result<Vec<i64>> {
        let mut statement = self.connection.prepare_cached(statement)?;
        statement.query_map(parameters, |row| row.get(0))?.collect()
    }
}

/// Empties a file of another version.
fn begin_anew(connection: &mut Connection) -> rusqlite::Result<()> {
    let commit = connection.transaction()?;
    commit.execute_batch("drop table if exists exchanges; drop table if exists gaps;")?;
    commit.execute_batch(TABLES)?;
    commit.execute_batch(&format!("pragma user_version = {VERSION}"))?;
    commit.commit()
}

fn insert_one(
    insert: &mut rusqlite::CachedStatement<'_>,
    exchange: &Exchange,
    key: &[u8; 32],
) -> rusqlite::Result<()> {
    let note = &exchange.note;
    let reference = note.reference.as_ref().map(Reference::as_str);
    let masked = |side, body: &[u8]| cut((note.mask)(side, body));
    insert.execute(params![
        exchange.at.milliseconds(),
        i64::try_from(exchange.took.as_micros()).unwrap_or(i64::MAX),
        exchange.peer.to_string(),
        exchange.request_id,
        note.protocol,
        note.command,
        note.merchant.map(|merchant| merchant.0),
        reference.map(|reference| digest(key, reference)),
        note.order.map(|order| number(order.0)),
        note.signature.name(),
        note.code,
        note.meaning.map(Meaning::name),
        note.meaning.and_then(Meaning::reason),
        exchange.http_status,
        masked(Side::Request, &exchange.request),
        masked(Side::Answer, &exchange.answer),
    ])?;
    Ok(())
}

/// Cuts a text that is too long, between two characters, and shows that it did.
fn cut(mut text: String) -> String {
    if text.len() > BODY_MAX {
        let mut end = BODY_MAX;
        while !text.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A reference as it is found: nobody learns it from the file, not even by trying all numbers.
fn digest(key: &[u8; 32], reference: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"exchange reference")
        .chain_update(key)
        .chain_update(reference)
        .finalize()
        .into()
}

/// Numbers beyond what SQLite can count are nobody's.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(-1)
}

fn unsigned(row: &Row<'_>) -> rusqlite::Result<u64> {
    row.get::<_, i64>(0).map(|number| u64::try_from(number).unwrap_or_default())
}

fn recorded(row: &Row<'_>) -> rusqlite::Result<Recorded> {
    let count = |name: &str| -> rusqlite::Result<u64> {
        Ok(u64::try_from(row.get::<_, i64>(name)?).unwrap_or_default())
    };
    let unknown = |name: &'static str| {
        Error::FromSqlConversionFailure(0, Type::Text, format!("{name} is none of ours").into())
    };
    let signature: String = row.get("signature")?;
    let (meaning, reason): (Option<String>, Option<String>) =
        (row.get("meaning")?, row.get("reason")?);
    let meaning = match meaning {
        None => None,
        Some(name) => {
            Some(Meaning::from_names(&name, reason.as_deref()).ok_or_else(|| unknown("meaning"))?)
        }
    };
    Ok(Recorded {
        number: count("number")?,
        at: Timestamp::from_milliseconds(row.get("at")?),
        took: Duration::from_micros(count("took_us")?),
        peer: row.get("peer")?,
        request_id: row.get("request_id")?,
        protocol: row.get("protocol")?,
        command: row.get("command")?,
        merchant: row.get::<_, Option<u32>>("merchant")?.map(MerchantId),
        order: row
            .get::<_, Option<i64>>("order_number")?
            .and_then(|number| u64::try_from(number).ok().map(OrderId)),
        signature: Signature::from_name(&signature).ok_or_else(|| unknown("signature"))?,
        code: row.get("code")?,
        meaning,
        http_status: row.get("http_status")?,
        request: row.get("request")?,
        answer: row.get("answer")?,
    })
}
