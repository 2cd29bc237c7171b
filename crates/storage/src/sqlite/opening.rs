//! Opening: what was left is made whole and durable before anybody is served.
//!
//! In this order: the directory is locked; the log of the tables is moved into them; what the
//! journal holds after the tables is read into the overlay; then threads and connections start.
//! What does not belong together is refused and left as it is.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway::ports::{Clock, Entropy, Sealer, Unsealed};
use rusqlite::Connection;
use thiserror::Error;

use super::backup::{self, BackupFault, Companion};
use super::directory::{connect_to_read, connect_to_write, flush_directory, own};
use super::engine::TwoStages;
use super::faults::{Fault, Trouble, trouble};
use super::journal::{self, Journal, JournalFault};
use super::overlay::{Limits, Overlay};
use super::readers::Readers;
use super::references::References;
use super::settling::{Destination, Settling};
use super::tables::{self, Tables};
use super::{JOURNAL_FOLDER, Sqlite, restore, schema};
use crate::opened::Opened;
use crate::pipeline::{self, Pipeline};

/// The oldest SQLite whose write-ahead log is sound.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// What can be set.
#[derive(Clone)]
pub struct Options {
    /// The limits of the commit pipeline.
    pub pipeline: pipeline::Options,
    /// How many threads answer point reads, at least one.
    pub point_readers: usize,
    /// With what data of an older schema is backed up before it is migrated. Without it such data
    /// is not opened.
    pub before_migration: Option<BeforeMigration>,
    /// Keeps secrets unreadable in the tables. The same key for as long as the data lives.
    pub sealer: Arc<dyn Sealer>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pipeline: pipeline::Options::default(),
            point_readers: 2,
            before_migration: None,
            sealer: Arc::new(Unsealed),
        }
    }
}

/// What the backup before a migration needs.
#[derive(Clone)]
pub struct BeforeMigration {
    /// Tells when the backup is taken.
    pub clock: Arc<dyn Clock>,
    /// The files that go with the database.
    pub companions: Arc<[Box<dyn Companion>]>,
}

/// Why the data was not opened.
#[derive(Debug, Error)]
pub enum OpenFault {
    /// Another process owns it.
    #[error("data directory {} is in use by another Lunas server", .directory.display())]
    InUse {
        /// The data directory.
        directory: PathBuf,
    },
    /// A newer program has migrated it.
    #[error("data has schema {found} and this program knows only {known}; use a newer Lunas")]
    NewerSchema {
        /// The schema of the data.
        found: u32,
        /// The newest schema that this program knows.
        known: u32,
    },
    /// It has to be migrated first, which an audit doesn't do.
    #[error("data has schema {found} and this program needs {known}; start the server once")]
    OlderSchema {
        /// The schema of the data.
        found: u32,
        /// The schema that this program knows.
        known: u32,
    },
    /// It has to be migrated and did not end in order.
    #[error(
        "data of schema {found} did not end in order; start and stop the Lunas that wrote it once, \
         before a newer one migrates it"
    )]
    Unsettled {
        /// The schema of the data.
        found: u32,
    },
    /// This program was built with an SQLite whose log can be corrupted.
    #[error("SQLite {0} is too old, 3.51.3 or later is needed")]
    SqliteTooOld(&'static str),
    /// There is no such directory, or none can be made or used there.
    #[error("data directory {} cannot be used: {problem}", .directory.display())]
    Unusable {
        /// The data directory.
        directory: PathBuf,
        /// What the operating system says.
        problem: String,
    },
    /// There is nothing to audit.
    #[error("data directory {} holds no data", .directory.display())]
    Missing {
        /// The data directory.
        directory: PathBuf,
    },
    /// The file is there and is not our database, or not any more.
    #[error("lunas.db is damaged or not a Lunas database: {problem}")]
    Damaged {
        /// What is wrong.
        problem: String,
    },
    /// A restore into this directory did not finish.
    #[error(
        "data directory {} was not restored to the end; run `lunas restore` again",
        .directory.display()
    )]
    HalfRestored {
        /// The data directory.
        directory: PathBuf,
    },
    /// It has to be migrated, and the backup that comes first was not made.
    #[error("data is not migrated, because it could not be backed up: {0}")]
    NotBackedUp(Box<BackupFault>),
    /// There is no room.
    #[error("the disk is full")]
    DiskFull,
    /// The tables were in use when they were copied, and what was in the journal is missing.
    #[error(
        "data directory {} has a copy of lunas.db that was in use, without the journal beside it; \
         what is newest is missing, so use the original folder or a backup of `lunas backup`",
        .directory.display()
    )]
    WithoutJournal {
        /// The data directory.
        directory: PathBuf,
    },
    /// The journal cannot be what was written, or does not belong to the tables.
    #[error("{0}")]
    DamagedJournal(String),
    /// Anything else.
    #[error("data could not be opened: {0}")]
    Failed(String),
}

impl OpenFault {
    pub(super) fn from_sqlite(error: rusqlite::Error) -> Self {
        match trouble(&error) {
            Trouble::Full => Self::DiskFull,
            Trouble::Damaged | Trouble::NotADatabase => {
                Self::Damaged { problem: error.to_string() }
            }
            Trouble::Busy | Trouble::Flush | Trouble::Other => Self::Failed(error.to_string()),
        }
    }

    pub(super) fn from_fault(fault: Fault) -> Self {
        match fault {
            Fault::Damaged(finding) => Self::Damaged { problem: finding.to_string() },
            Fault::Sqlite(error) => Self::from_sqlite(error),
            Fault::Behind => Self::Failed("the tables lag behind the journal".to_owned()),
        }
    }

    fn from_journal(fault: JournalFault) -> Self {
        match fault {
            JournalFault::Full => Self::DiskFull,
            JournalFault::Damaged { .. }
            | JournalFault::Unreadable { .. }
            | JournalFault::TablesBehind { .. }
            | JournalFault::Newer { .. } => Self::DamagedJournal(fault.to_string()),
            other => Self::Failed(other.to_string()),
        }
    }

    pub(super) fn from_system(directory: &Path, error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull => Self::DiskFull,
            _ => Self::Unusable { directory: directory.to_owned(), problem: error.to_string() },
        }
    }
}

/// Opens the data in this directory, and creates both if there is nothing yet. Commits that a
/// crashed process left in the log of the tables are moved into them and flushed, and what it left
/// in the journal is read, before anybody is served.
///
/// Blocks while it does so. The data stays locked until it is shut down, or until the last handle
/// is dropped and the writer has finished what was queued.
pub fn open(
    directory: &Path,
    options: Options,
    entropy: &dyn Entropy,
) -> Result<Opened, OpenFault> {
    open_as(directory, options, entropy, Build::default())
}

/// What is built into the program, and what tests build in instead.
pub(super) struct Build<'a> {
    pub(super) migrations: &'a [&'a str],
    pub(super) limits: Limits,
    pub(super) journal: journal::Options,
    /// Where stage two settles what it is given.
    pub(super) destination: Box<dyn FnOnce(Tables) -> Box<dyn Destination>>,
}

impl Default for Build<'_> {
    fn default() -> Self {
        Self {
            migrations: &schema::MIGRATIONS,
            limits: Limits::default(),
            journal: journal::Options::default(),
            destination: Box::new(|tables| Box::new(tables)),
        }
    }
}

/// The same for a program that is built in another way.
pub(super) fn open_as(
    directory: &Path,
    options: Options,
    entropy: &dyn Entropy,
    build: Build<'_>,
) -> Result<Opened, OpenFault> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(OpenFault::SqliteTooOld(rusqlite::version()));
    }
    let lock = own(directory)?;
    restore::refuse_unfinished(directory)?;
    let (connection, found) = open_tables(directory, &options, entropy, build.migrations)?;
    let instance_key = schema::instance_key(&connection)?;
    let references = Arc::new(References::open(&connection).map_err(OpenFault::from_fault)?);
    let (journal, overlay) =
        open_journal(directory, &connection, entropy, options.sealer.as_ref(), &build)?;
    let no_thread = |error: std::io::Error| OpenFault::from_system(directory, &error);
    let tables = Tables::new(connection, Arc::clone(&references), Arc::clone(&options.sealer));
    let settling = Settling::start(
        (build.destination)(tables),
        Arc::clone(&overlay),
        journal.release_handle(),
        options.pipeline.idle_after,
        Arc::clone(&options.pipeline.halt),
    )
    .map_err(no_thread)?;
    let points = (0..options.point_readers.max(1)).map(|_| connect_to_read(directory));
    let points = points.collect::<Result<_, _>>()?;
    let lists = vec![connect_to_read(directory)?];
    let news = vec![connect_to_read(directory)?];
    let operators = vec![connect_to_read(directory)?];
    let engine = TwoStages {
        tables: Some(connect_to_read(directory)?),
        settling,
        journal,
        overlay: Arc::clone(&overlay),
        references: Arc::clone(&references),
        sealer: Arc::clone(&options.sealer),
        entry: Vec::new(),
        _lock: lock,
    };
    let sqlite = Arc::new(Sqlite {
        points: Readers::start("lunas-points", points).map_err(no_thread)?,
        lists: Readers::start("lunas-lists", lists).map_err(no_thread)?,
        news: Readers::start("lunas-news", news).map_err(no_thread)?,
        operators: Readers::start("lunas-operators", operators).map_err(no_thread)?,
        overlay,
        references,
        sealer: options.sealer,
        pipeline: Pipeline::start(engine, options.pipeline).map_err(no_thread)?,
    });
    Ok(Opened {
        store: Arc::<Sqlite>::clone(&sqlite),
        reports: Arc::<Sqlite>::clone(&sqlite),
        callbacks: Arc::<Sqlite>::clone(&sqlite),
        collections: Arc::<Sqlite>::clone(&sqlite),
        instance_key,
        created: found == schema::Found::Empty,
        shutdown: sqlite,
    })
}

/// Opens the tables to write, migrated and with what a crash left in their log.
fn open_tables(
    directory: &Path,
    options: &Options,
    entropy: &dyn Entropy,
    migrations: &[&str],
) -> Result<(Connection, schema::Found), OpenFault> {
    let mut connection = connect_to_write(directory)?;
    let known = schema::made_by(migrations);
    let found = schema::inspect(&connection, known)?;
    connection.execute_batch(tables::PRAGMAS).map_err(OpenFault::from_sqlite)?;
    if found != schema::Found::Empty {
        refuse_without_journal(directory, &connection)?;
    }
    if let schema::Found::Schema(found) = found
        && found < known
    {
        let Some(before) = &options.before_migration else {
            return Err(OpenFault::OlderSchema { found, known });
        };
        refuse_unsettled(directory, &connection, found)?;
        backup::before_migration(directory, before, found, known)?;
    }
    schema::migrate(&mut connection, found, migrations, entropy)?;
    tables::recover(&connection)?;
    // SQLite asks for this too when it makes the log, and doesn't look at the answer. Without it a
    // crash could take the whole log away.
    flush_directory(directory).map_err(|error| OpenFault::from_system(directory, &error))?;
    Ok((connection, found))
}

/// Refuses tables that were copied while they were in use.
pub(super) fn refuse_without_journal(
    directory: &Path,
    connection: &Connection,
) -> Result<(), OpenFault> {
    let complete = tables::are_complete(connection).map_err(OpenFault::from_fault)?;
    if !complete && !directory.join(JOURNAL_FOLDER).is_dir() {
        return Err(OpenFault::WithoutJournal { directory: directory.to_owned() });
    }
    Ok(())
}

/// Refuses to migrate data that did not end in order: what its journal holds is of the older
/// schema too, and only the program that wrote it settles it in tables of that schema.
fn refuse_unsettled(
    directory: &Path,
    connection: &Connection,
    found: u32,
) -> Result<(), OpenFault> {
    let applied = tables::applied(connection).map_err(OpenFault::from_fault)?;
    let pending = journal::read(&directory.join(JOURNAL_FOLDER), applied);
    if pending.map_err(OpenFault::from_journal)?.is_empty() {
        Ok(())
    } else {
        Err(OpenFault::Unsettled { found })
    }
}

/// Opens the journal, and reads what the tables do not have yet.
fn open_journal(
    directory: &Path,
    connection: &Connection,
    entropy: &dyn Entropy,
    sealer: &dyn Sealer,
    build: &Build<'_>,
) -> Result<(Journal, Arc<Overlay>), OpenFault> {
    let applied = tables::applied(connection).map_err(OpenFault::from_fault)?;
    let last = tables::last_numbers(connection).map_err(OpenFault::from_fault)?;
    let overlay = Overlay::new(last, applied, build.limits);
    let folder = directory.join(JOURNAL_FOLDER);
    let journal = Journal::open(&folder, build.journal, applied, entropy, |position, entry| {
        overlay.publish(position, journal::decode(entry, sealer)?);
        Ok(())
    })
    .map_err(OpenFault::from_journal)?;
    debug_assert_eq!(overlay.published(), journal.last(), "an entry was left out");
    // The journal's folder has to be there after a crash before the tables are said to need it.
    flush_directory(directory).map_err(|error| OpenFault::from_system(directory, &error))?;
    tables::set_complete(connection, false).map_err(OpenFault::from_fault)?;
    Ok((journal, Arc::new(overlay)))
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
