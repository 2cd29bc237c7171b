//! The writing end of the tables: whole generations of changes in one commit each, and the
//! write-ahead log.
//!
//! Every commit carries the position up to which the tables now follow the journal, and is flushed
//! (`synchronous = full`) before it counts. Checkpoints are made here and nowhere else, between
//! commits: SQLite's own would run inside a commit and keep their errors to themselves. They are
//! small and frequent, because a large one delays the flushes of the journal on the same disk.
//! Having one writer and checkpointer also rules out what corrupted write-ahead logs before
//! SQLite 3.51.3.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::working_set::LastNumbers;
use domain::{Kind, Order, OrderId, OrderState, TransferId};
use gateway::ports::Sealer;
use rusqlite::{Connection, TransactionBehavior};

use super::faults::{Fault, Trouble, trouble};
use super::journal::Position;
use super::references::{Claims, References};
use super::settling::Destination;
use super::{
    LOCK_PATIENCE, OpenFault, administration, books, callbacks, catalogue, collections, fields,
    orders, statements,
};
use crate::pipeline::{Changes, EngineFault};

statements! {
    // Looks at the log and does nothing.
    CHECKPOINT_NONE = "pragma wal_checkpoint(noop)";
    CHECKPOINT_PASSIVE = "pragma wal_checkpoint(passive)";
    CHECKPOINT_TRUNCATE = "pragma wal_checkpoint(truncate)";

    APPLIED = "select applied from meta where id = 1";
    PUT_APPLIED = "update meta set applied = ?1 where id = 1";
    COMPLETE = "select complete from meta where id = 1";
    PUT_COMPLETE = "update meta set complete = ?1 where id = 1 and complete <> ?1";
}

/// What holds for the writer besides. The log is flushed at every commit; the writer decides when
/// it is checkpointed; a log that once grew is cut back to 64 MiB.
pub(super) const PRAGMAS: &str = "pragma journal_mode = wal; pragma synchronous = full; \
     pragma wal_autocheckpoint = 0; pragma journal_size_limit = 67108864; \
     pragma cache_size = -16384;";

/// How many pages (of 4096 bytes) the log may hold beyond the tables before they are moved there
/// although changes are waiting.
const LOG_PAGES_MAX: i64 = 1000;

/// The highest numbers in the tables.
pub(super) fn last_numbers(connection: &Connection) -> Result<LastNumbers, Fault> {
    let (account, transfer) = books::last_numbers(connection)?;
    let order = orders::last_number(connection)?;
    let merchant = catalogue::last_merchant(connection)?;
    let callback = callbacks::last_number(connection)?;
    let audit = administration::last_record(connection)?;
    Ok(LastNumbers { account, transfer, order, merchant, callback, audit })
}

/// Up to where the tables follow the journal.
pub(super) fn applied(connection: &Connection) -> Result<Position, Fault> {
    let stored: i64 = connection.prepare_cached(APPLIED)?.query_row([], |row| row.get(0))?;
    let number = u64::try_from(stored);
    number.map(Position).map_err(|_| fields::damaged("meta", "applied position is negative"))
}

/// Says so.
pub(super) fn set_applied(connection: &Connection, applied: Position) -> Result<(), Fault> {
    let stored = fields::to_stored(applied.0, "journal entry")?;
    connection.prepare_cached(PUT_APPLIED)?.execute([stored])?;
    Ok(())
}

/// Whether the tables are all of the data: whoever wrote them ended in order, and left nothing in
/// the journal.
pub(super) fn are_complete(connection: &Connection) -> Result<bool, Fault> {
    Ok(connection.prepare_cached(COMPLETE)?.query_row([], |row| row.get(0))?)
}

/// Says so durably, or that they no longer are.
pub(super) fn set_complete(connection: &Connection, complete: bool) -> Result<(), Fault> {
    connection.prepare_cached(PUT_COMPLETE)?.execute([complete])?;
    Ok(())
}

/// Writes the rows in the order in which they refer to each other. Of what changes all the time each
/// kind is written by one statement; the others are rare.
pub(super) fn write(
    connection: &Connection,
    references: &References,
    sealer: &dyn Sealer,
    changes: &Changes,
) -> Result<Claims, Fault> {
    let Changes {
        accounts,
        transfers,
        new_orders,
        orders,
        fundings,
        merchants,
        credentials,
        products,
        audit_records,
        kept_answers,
        callbacks,
        deliveries,
        endpoints,
        day_claims,
        evidence,
        payer_references,
        preferences,
    } = changes;
    let paid_by = paid_by(changes);
    let paid_by = |order: &Order| paid_by.get(&order.id).copied();
    merchants.iter().try_for_each(|it| catalogue::put_merchant(connection, it))?;
    credentials.iter().try_for_each(|it| catalogue::put_credential(connection, it, sealer))?;
    products.iter().try_for_each(|it| catalogue::put_product(connection, it))?;
    endpoints.values().try_for_each(|it| catalogue::put_endpoint(connection, it, sealer))?;
    preferences.iter().try_for_each(|it| catalogue::put_preferences(connection, it))?;
    books::put_accounts(connection, accounts.values())?;
    books::insert_transfers(connection, transfers)?;
    fundings.iter().try_for_each(|it| books::insert_funding(connection, it))?;
    orders::insert(connection, new_orders.values().map(AsRef::as_ref), paid_by)?;
    orders::update(connection, orders.values().map(AsRef::as_ref), paid_by)?;
    callbacks::put(connection, callbacks.values())?;
    callbacks::insert_deliveries(connection, deliveries)?;
    collections::put_evidence(connection, evidence.values())?;
    collections::insert_payer_references(connection, payer_references)?;
    collections::put_day_claims(connection, day_claims)?;
    audit_records.iter().try_for_each(|it| administration::insert_record(connection, it))?;
    kept_answers
        .iter()
        .try_for_each(|it| administration::insert_kept_answer(connection, it, sealer))?;
    references.write(connection, new_orders.values().map(AsRef::as_ref))
}

/// The first transfer of each collection that is paid by these changes. A decision makes all that it
/// moves and what follows from it together, so both are in the same changes.
fn paid_by(changes: &Changes) -> HashMap<OrderId, TransferId> {
    let Changes { new_orders, orders, transfers, .. } = changes;
    let collected = |order: &&Arc<Order>| {
        order.kind == Kind::Collection && order.state == OrderState::Succeeded
    };
    let paid = new_orders.values().chain(orders.values()).filter(collected);
    let mut first: HashMap<OrderId, Option<TransferId>> =
        paid.map(|order| (order.id, None)).collect();
    if !first.is_empty() {
        for transfer in transfers {
            if let Some(first) = transfer.order.and_then(|order| first.get_mut(&order)) {
                first.get_or_insert(transfer.id);
            }
        }
    }
    first.into_iter().filter_map(|(order, transfer)| Some((order, transfer?))).collect()
}

/// The tables, opened to be written.
pub(super) struct Tables {
    connection: Connection,
    references: Arc<References>,
    /// Keeps secrets unreadable in the tables.
    sealer: Arc<dyn Sealer>,
}

impl Tables {
    pub(super) const fn new(
        connection: Connection,
        references: Arc<References>,
        sealer: Arc<dyn Sealer>,
    ) -> Self {
        Self { connection, references, sealer }
    }

    fn commit(&mut self, changes: &Changes, last: Position) -> Result<Claims, Fault> {
        let commit = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let claims = write(&commit, &self.references, self.sealer.as_ref(), changes)?;
        set_applied(&commit, last)?;
        commit.commit()?;
        Ok(claims)
    }

    #[cfg(test)]
    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }
}

impl Destination for Tables {
    fn save(&mut self, changes: &Changes, last: Position) -> Result<(), EngineFault> {
        let saved = self.commit(changes, last);
        if saved.is_err() && !self.connection.is_autocommit() {
            let why = "a commit failed and could not be taken back";
            return Err(EngineFault::Fatal(why.to_owned()));
        }
        self.references.note(saved?);
        Ok(())
    }

    fn maintain(&mut self, idle: bool) -> Result<(), EngineFault> {
        let log = checkpoint(&self.connection, CHECKPOINT_NONE)?;
        let waiting = log.pages.saturating_sub(log.moved);
        if waiting > LOG_PAGES_MAX || (idle && waiting > 0) {
            checkpoint(&self.connection, CHECKPOINT_PASSIVE)?;
        }
        Ok(())
    }

    fn close(&mut self, complete: bool) -> Result<(), EngineFault> {
        if complete {
            set_complete(&self.connection, true)?;
        }
        Ok(truncate(&self.connection)?)
    }
}

/// What is in the write-ahead log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) pages: i64,
    /// How many of them the tables have already.
    pub(super) moved: i64,
}

/// Moves what an earlier run left in the log into the tables, flushed. A process that crashed may
/// have left commits that only the operating system's memory holds; nobody may be told of them
/// before they are on the disk.
pub(super) fn recover(connection: &Connection) -> Result<(), OpenFault> {
    let log = checkpoint(connection, CHECKPOINT_PASSIVE).map_err(OpenFault::from_fault)?;
    if log.pages != log.moved {
        return Err(OpenFault::Failed(
            "another program still reads it as it was before the crash".to_owned(),
        ));
    }
    truncate(connection).map_err(OpenFault::from_fault)
}

/// Empties the log, if nobody is reading from it at this moment.
fn truncate(connection: &Connection) -> Result<(), Fault> {
    connection.busy_timeout(Duration::ZERO)?;
    let emptied = checkpoint(connection, CHECKPOINT_TRUNCATE);
    connection.busy_timeout(LOCK_PATIENCE)?;
    match emptied {
        Err(Fault::Sqlite(error)) if trouble(&error) == Trouble::Busy => Ok(()),
        other => other.map(drop),
    }
}

/// Looks at the log.
#[cfg(test)]
pub(super) fn log_of(connection: &Connection) -> Log {
    checkpoint(connection, CHECKPOINT_NONE).expect("readable")
}

fn checkpoint(connection: &Connection, statement: &'static str) -> Result<Log, Fault> {
    let mut statement = connection.prepare_cached(statement)?;
    let log = statement.query_row([], |row| Ok(Log { pages: row.get(1)?, moved: row.get(2)? }))?;
    Ok(log)
}

#[cfg(test)]
#[path = "tables_tests.rs"]
mod tests;
