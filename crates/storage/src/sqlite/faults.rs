//! What SQLite's errors mean to us: the one place where its codes are read.

use domain::audit::Finding;
use gateway::ports::StoreFault;
use rusqlite::{Error, ErrorCode, ffi};

use crate::pipeline::EngineFault;

/// Why something could not be read or written.
#[derive(Debug)]
pub(super) enum Fault {
    /// A record is there and cannot be what we wrote.
    Damaged(Finding),
    /// SQLite says no.
    Sqlite(Error),
    /// The tables do not follow the journal closely enough to answer.
    Behind,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Finding> for Fault {
    fn from(finding: Finding) -> Self {
        Self::Damaged(finding)
    }
}

/// What kind of trouble an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// There is no room. Nothing was written, and later there may be room.
    Full,
    /// Somebody else holds a lock.
    Busy,
    /// The file is not a database.
    NotADatabase,
    /// The data contradicts itself or what is to be written.
    Damaged,
    /// It is not known what is on the disk.
    Flush,
    /// Anything else: nothing was written.
    Other,
}

/// Input and output errors that leave what is on the disk in no doubt: reads, locks, and the shared
/// memory file, which is never flushed.
const HARMLESS: [i32; 12] = [
    ffi::SQLITE_IOERR_READ,
    ffi::SQLITE_IOERR_SHORT_READ,
    ffi::SQLITE_IOERR_NOMEM,
    ffi::SQLITE_IOERR_ACCESS,
    ffi::SQLITE_IOERR_FSTAT,
    ffi::SQLITE_IOERR_LOCK,
    ffi::SQLITE_IOERR_RDLOCK,
    ffi::SQLITE_IOERR_UNLOCK,
    ffi::SQLITE_IOERR_SHMOPEN,
    ffi::SQLITE_IOERR_SHMLOCK,
    ffi::SQLITE_IOERR_SHMMAP,
    ffi::SQLITE_IOERR_CHECKRESERVEDLOCK,
];

/// Reads an error's code.
pub(super) fn trouble(error: &Error) -> Trouble {
    let Error::SqliteFailure(failure, _) = error else { return Trouble::Damaged };
    match failure.code {
        ErrorCode::DiskFull => Trouble::Full,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Trouble::Busy,
        ErrorCode::NotADatabase => Trouble::NotADatabase,
        ErrorCode::DatabaseCorrupt
        | ErrorCode::ConstraintViolation
        | ErrorCode::TypeMismatch
        | ErrorCode::TooBig => Trouble::Damaged,
        ErrorCode::SystemIoFailure => match failure.extended_code {
            // The shared memory file could not grow.
            ffi::SQLITE_IOERR_SHMSIZE => Trouble::Full,
            ffi::SQLITE_IOERR_CORRUPTFS | ffi::SQLITE_IOERR_DATA => Trouble::Damaged,
            code if HARMLESS.contains(&code) => Trouble::Other,
            _ => Trouble::Flush,
        },
        _ => Trouble::Other,
    }
}

impl From<Fault> for EngineFault {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged(finding) => Self::Damaged(finding.to_string()),
            Fault::Behind => Self::Unavailable("the tables lag behind the journal".to_owned()),
            Fault::Sqlite(error) => match trouble(&error) {
                Trouble::Flush => Self::Fatal(error.to_string()),
                Trouble::Damaged | Trouble::NotADatabase => Self::Damaged(error.to_string()),
                Trouble::Full => Self::Unavailable("the disk is full".to_owned()),
                Trouble::Busy | Trouble::Other => Self::Unavailable(error.to_string()),
            },
        }
    }
}

/// Of a read, which changes nothing and can always be tried again.
impl From<Fault> for StoreFault {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged(finding) => Self::Corrupt(finding.to_string()),
            Fault::Behind => Self::Busy,
            Fault::Sqlite(error) => match trouble(&error) {
                Trouble::Damaged | Trouble::NotADatabase => Self::Corrupt(error.to_string()),
                Trouble::Busy => Self::Busy,
                Trouble::Full | Trouble::Flush | Trouble::Other => {
                    Self::CommitFailed(error.to_string())
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_doubt_about_the_disk_is_fatal() {
        let table = [
            (ffi::SQLITE_FULL, Trouble::Full),
            (ffi::SQLITE_IOERR_SHMSIZE, Trouble::Full),
            (ffi::SQLITE_BUSY, Trouble::Busy),
            (ffi::SQLITE_BUSY_SNAPSHOT, Trouble::Busy),
            (ffi::SQLITE_NOTADB, Trouble::NotADatabase),
            (ffi::SQLITE_CORRUPT, Trouble::Damaged),
            (ffi::SQLITE_CORRUPT_INDEX, Trouble::Damaged),
            (ffi::SQLITE_CONSTRAINT_UNIQUE, Trouble::Damaged),
            (ffi::SQLITE_IOERR_READ, Trouble::Other),
            (ffi::SQLITE_READONLY, Trouble::Other),
            (ffi::SQLITE_IOERR_FSYNC, Trouble::Flush),
            (ffi::SQLITE_IOERR_DIR_FSYNC, Trouble::Flush),
            (ffi::SQLITE_IOERR_WRITE, Trouble::Flush),
            (ffi::SQLITE_IOERR_TRUNCATE, Trouble::Flush),
            (ffi::SQLITE_IOERR_CLOSE, Trouble::Flush),
            (ffi::SQLITE_IOERR, Trouble::Flush),
        ];
        for (code, expected) in table {
            let error = Error::SqliteFailure(ffi::Error::new(code), None);
            assert_eq!(trouble(&error), expected, "{code}");
            let fatal = matches!(EngineFault::from(Fault::from(error)), EngineFault::Fatal(_));
            assert_eq!(fatal, expected == Trouble::Flush, "{code}");
        }
        assert_eq!(trouble(&Error::InvalidQuery), Trouble::Damaged);
    }
}
