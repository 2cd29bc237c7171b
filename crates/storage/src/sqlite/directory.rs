//! The data directory: who owns it, and how its database is connected to.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::faults::{Trouble, trouble};
use super::{DATABASE_FILE, LOCK_FILE, LOCK_PATIENCE, OpenFault};

/// What holds for every connection. Foreign schemas are not trusted, and the file is never mapped
/// into memory, where an input or output error would kill the process.
const PRAGMAS: &str = "pragma trusted_schema = off; pragma cell_size_check = on; \
     pragma mmap_size = 0; pragma temp_store = memory; pragma foreign_keys = on;";

const READER_PRAGMAS: &str = "pragma query_only = on; pragma cache_size = -4096;";

/// How many prepared statements a connection keeps: all that it ever runs.
const STATEMENTS_KEPT: usize = 64;

/// Makes the directory if need be, readable by its owner alone because it holds secrets, and locks
/// it for this process.
pub(super) fn own(directory: &Path) -> Result<File, OpenFault> {
    let unusable = |error: std::io::Error| OpenFault::from_system(directory, &error);
    if !directory.exists() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(unusable)?;
        // A new directory is only there after a crash once its parent is flushed.
        let path = std::path::absolute(directory).map_err(unusable)?;
        if let Some(parent) = path.parent() {
            flush_directory(parent).map_err(unusable)?;
        }
    }
    lock(directory)
}

/// Locks a directory for this process.
pub(super) fn lock(directory: &Path) -> Result<File, OpenFault> {
    let unusable = |error: std::io::Error| OpenFault::from_system(directory, &error);
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(directory.join(LOCK_FILE))
        .map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenFault::InUse { directory: directory.to_owned() }),
        Err(TryLockError::Error(error)) => Err(unusable(error)),
    }
}

pub(super) fn flush_directory(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

pub(super) fn connect_to_write(directory: &Path) -> Result<Connection, OpenFault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    connect(directory, flags, PRAGMAS)
}

pub(super) fn connect_to_read(directory: &Path) -> Result<Connection, OpenFault> {
    let file = directory.join(DATABASE_FILE);
    match file.try_exists() {
        Ok(true) => {}
        Ok(false) => return Err(OpenFault::Missing { directory: directory.to_owned() }),
        Err(error) => return Err(OpenFault::from_system(directory, &error)),
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = connect(directory, flags, PRAGMAS)?;
    connection.execute_batch(READER_PRAGMAS).map_err(OpenFault::from_sqlite)?;
    Ok(connection)
}

fn connect(directory: &Path, flags: OpenFlags, pragmas: &str) -> Result<Connection, OpenFault> {
    let unusable = |error: rusqlite::Error| match trouble(&error) {
        Trouble::Other => {
            OpenFault::Unusable { directory: directory.to_owned(), problem: error.to_string() }
        }
        _ => OpenFault::from_sqlite(error),
    };
    let connection =
        Connection::open_with_flags(directory.join(DATABASE_FILE), flags).map_err(unusable)?;
    connection.busy_timeout(LOCK_PATIENCE).map_err(unusable)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.execute_batch(pragmas).map_err(unusable)?;
    Ok(connection)
}
