//! The tables and how they came to be: numbered migrations, forward only, built into the program.
//!
//! A database carries the number of its last migration. All missing ones are applied in one commit
//! when the data is opened, so a crash in the middle leaves the old schema. A program never opens
//! data that a newer one has migrated.

use gateway::ports::Entropy;
use rusqlite::{Connection, TransactionBehavior};

use super::OpenFault;
use super::statements;

/// Every migration, the first being number 1. A released one never changes; the tests hold it to
/// its checksum.
pub(super) const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001_books_and_orders.sql")];

/// "LUNA": marks a file as ours.
const APPLICATION: i64 = 1_280_659_009;

statements! {
    APPLICATION_ID = "pragma application_id";
    USER_VERSION = "pragma user_version";
    TABLES = "select count(*) from sqlite_schema";
    INSERT_META = "insert into meta (id, instance_key) values (1, ?1)";
    INSTANCE_KEY = "select instance_key from meta where id = 1";
}

/// The schema that this program knows.
pub(super) fn known() -> u32 {
    made_by(&MIGRATIONS)
}

/// The schema that these migrations make.
pub(super) fn made_by(migrations: &[&str]) -> u32 {
    u32::try_from(migrations.len()).unwrap_or(u32::MAX)
}

/// What a database says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing is in it yet.
    Empty,
    /// Ours, with this schema.
    Schema(u32),
}

/// Tells our data from anything else, and refuses what is newer than the schema that is known.
pub(super) fn inspect(connection: &Connection, known: u32) -> Result<Found, OpenFault> {
    let number = |statement: &str| -> Result<i64, OpenFault> {
        connection.query_row(statement, [], |row| row.get(0)).map_err(OpenFault::from_sqlite)
    };
    let (application, version) = (number(APPLICATION_ID)?, number(USER_VERSION)?);
    if application == 0 && version == 0 && number(TABLES)? == 0 {
        return Ok(Found::Empty);
    }
    let version = u32::try_from(version).unwrap_or(0);
    if application != APPLICATION || version == 0 {
        return Err(OpenFault::Damaged { problem: "it is some other database".to_owned() });
    }
    if version > known {
        return Err(OpenFault::NewerSchema { found: version, known });
    }
    Ok(Found::Schema(version))
}

/// Applies what is missing of these migrations. New data gets an instance key with it, in the same
/// commit.
pub(super) fn migrate(
    connection: &mut Connection,
    found: Found,
    migrations: &[&str],
    entropy: &dyn Entropy,
) -> Result<(), OpenFault> {
    let applied = match found {
        Found::Empty => 0,
        Found::Schema(version) => usize::try_from(version).unwrap_or(usize::MAX),
    };
    let missing = migrations.get(applied..).unwrap_or_default();
    if missing.is_empty() {
        return Ok(());
    }
    let mut write = || -> rusqlite::Result<()> {
        let commit = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for migration in missing {
            commit.execute_batch(migration)?;
        }
        if found == Found::Empty {
            let mut instance_key = [0; 32];
            entropy.fill(&mut instance_key);
            commit.execute(INSERT_META, [instance_key])?;
        }
        commit.commit()
    };
    write().map_err(OpenFault::from_sqlite)
}

/// The key that was made with the data.
pub(super) fn instance_key(connection: &Connection) -> Result<[u8; 32], OpenFault> {
    connection.query_row(INSTANCE_KEY, [], |row| row.get(0)).map_err(OpenFault::from_sqlite)
}

#[cfg(test)]
#[path = "schema_tests.rs"]
mod tests;
