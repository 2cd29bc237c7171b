//! The engine of the pipeline on SQLite: it loads and saves rows, and owns the only connection
//! that writes.
//!
//! Checkpoints are made here and nowhere else, between batches when all replies are out: SQLite's
//! own would run inside a commit and keep their errors to themselves. Having one writer and
//! checkpointer also rules out what corrupted write-ahead logs before SQLite 3.51.3.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use domain::command::Keys;
use domain::working_set::{LastNumbers, WorkingSet};
use gateway::ports::Sealer;
use rusqlite::{Connection, TransactionBehavior};

use super::faults::{Fault, Trouble, trouble};
use super::references::{Claims, References};
use super::{LOCK_PATIENCE, OpenFault, administration, books, catalogue, orders, statements};
use crate::pipeline::{Changes, Engine, EngineFault};

statements! {
    // Looks at the log and does nothing.
    CHECKPOINT_NONE = "pragma wal_checkpoint(noop)";
    CHECKPOINT_PASSIVE = "pragma wal_checkpoint(passive)";
    CHECKPOINT_TRUNCATE = "pragma wal_checkpoint(truncate)";
}

/// How many pages (of 4096 bytes) the log may hold beyond the tables before they are moved there
/// although commands are waiting.
const LOG_PAGES_MAX: i64 = 4000;

/// The writing connection. The fields are dropped in this order: the data is closed before it is
/// given up.
pub(super) struct SqliteEngine {
    pub(super) connection: Connection,
    /// Who holds which reference.
    pub(super) references: Arc<References>,
    /// Keeps secrets unreadable in the tables.
    pub(super) sealer: Arc<dyn Sealer>,
    /// Held for as long as this process owns the data.
    pub(super) _lock: File,
}

/// What is in the write-ahead log.
struct Log {
    pages: i64,
    /// How many of them the tables have already.
    moved: i64,
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

fn checkpoint(connection: &Connection, statement: &'static str) -> Result<Log, Fault> {
    let mut statement = connection.prepare_cached(statement)?;
    let log = statement.query_row([], |row| Ok(Log { pages: row.get(1)?, moved: row.get(2)? }))?;
    Ok(log)
}

fn load(
    connection: &Connection,
    references: &References,
    sealer: &dyn Sealer,
    keys: &Keys,
    working_set: &mut WorkingSet,
) -> Result<(), Fault> {
    for key in &keys.accounts {
        working_set.put_account(key.clone(), books::account(connection, key)?);
    }
    for id in &keys.orders {
        working_set.put_order(*id, orders::by_id(connection, *id)?);
    }
    for key in &keys.references {
        working_set.put_reference(key.clone(), references.find(connection, key)?);
    }
    for key in &keys.fundings {
        working_set.put_funding(key.clone(), books::funding(connection, key)?);
    }
    for id in &keys.merchants {
        working_set.put_merchant(*id, catalogue::merchant_by_id(connection, *id)?);
    }
    for key in &keys.credentials {
        let known = catalogue::credentials_by_identifier(connection, key, sealer)?;
        working_set.put_credentials(key.clone(), known);
    }
    for id in &keys.products {
        working_set.put_product(id.clone(), catalogue::product_by_id(connection, id)?);
    }
    for alias in &keys.aliases {
        working_set.put_alias(alias.clone(), catalogue::holder(connection, alias)?);
    }
    for key in &keys.requests {
        working_set
            .put_kept_answer(key.clone(), administration::kept_answer(connection, key, sealer)?);
    }
    Ok(())
}

/// Writes the rows in the order in which they refer to each other.
fn write(
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
    } = changes;
    merchants.iter().try_for_each(|it| catalogue::put_merchant(connection, it))?;
    credentials.iter().try_for_each(|it| catalogue::put_credential(connection, it, sealer))?;
    products.iter().try_for_each(|it| catalogue::put_product(connection, it))?;
    accounts.values().try_for_each(|it| books::put_account(connection, it))?;
    transfers.iter().try_for_each(|it| books::insert_transfer(connection, it))?;
    fundings.iter().try_for_each(|it| books::insert_funding(connection, it))?;
    new_orders.values().try_for_each(|it| orders::insert(connection, it))?;
    orders.values().try_for_each(|it| orders::update(connection, it))?;
    audit_records.iter().try_for_each(|it| administration::insert_record(connection, it))?;
    kept_answers
        .iter()
        .try_for_each(|it| administration::insert_kept_answer(connection, it, sealer))?;
    references.write(connection, new_orders.values().map(AsRef::as_ref))
}

impl SqliteEngine {
    fn commit(&mut self, changes: &Changes) -> Result<(), Fault> {
        let commit = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let claims = write(&commit, &self.references, self.sealer.as_ref(), changes)?;
        commit.commit()?;
        self.references.note(claims);
        Ok(())
    }
}

impl Engine for SqliteEngine {
    fn last_numbers(&mut self) -> Result<LastNumbers, EngineFault> {
        let (account, transfer) = books::last_numbers(&self.connection)?;
        let order = orders::last_number(&self.connection)?;
        let merchant = catalogue::last_merchant(&self.connection)?;
        let audit = administration::last_record(&self.connection)?;
        Ok(LastNumbers { account, transfer, order, merchant, audit })
    }

    fn load(&mut self, keys: &Keys, working_set: &mut WorkingSet) -> Result<(), EngineFault> {
        Ok(load(&self.connection, &self.references, self.sealer.as_ref(), keys, working_set)?)
    }

    fn save(&mut self, changes: Changes) -> Result<(), EngineFault> {
        let saved = self.commit(&changes);
        if saved.is_err() && !self.connection.is_autocommit() {
            let why = "a commit failed and could not be taken back";
            return Err(EngineFault::Fatal(why.to_owned()));
        }
        Ok(saved?)
    }

    fn maintain(&mut self, idle: bool) -> Result<(), EngineFault> {
        let log = checkpoint(&self.connection, CHECKPOINT_NONE)?;
        let waiting = log.pages.saturating_sub(log.moved);
        if waiting > LOG_PAGES_MAX || (idle && waiting > 0) {
            checkpoint(&self.connection, CHECKPOINT_PASSIVE)?;
        }
        Ok(())
    }

    fn close(&mut self) -> Result<(), EngineFault> {
        Ok(truncate(&self.connection)?)
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
