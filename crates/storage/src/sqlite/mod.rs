//! The embedded engine: one directory, one journal, one SQLite database, one process.
//!
//! It has two stages. The writer thread makes every batch durable as one entry of the `journal` and
//! answers; a second thread settles the entries in the tables, many in one commit (`settling`).
//! What is durable and not yet settled is found in the `overlay`. The journal and the tables
//! together are the data, and neither is without the other.
//!
//! Reads have threads and connections of their own (`readers`). Point reads look at the overlay and
//! then at the tables. List reads see the tables, after a moment for what was acknowledged before
//! them to arrive there.
//!
//! A lock file keeps a second server away from the same directory; SQLite's own locks would let it
//! in. Nothing in this process may open the database file except through SQLite, because closing it
//! anywhere releases the locks that SQLite holds on it.
//!
//! No rule of the business stands here or in the tables.

mod administration;
mod archive;
mod backup;
mod books;
mod catalogue;
mod effects;
mod engine;
mod faults;
mod fields;
mod filter;
mod journal;
mod orders;
mod overlay;
mod pace;
mod passing;
mod pending;
mod readers;
mod references;
mod restore;
mod schema;
mod settling;
#[cfg(test)]
mod staging;
mod tables;
mod trees;
mod verify;

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::administration::{AuditNumber, AuditRecord, KeptAnswer, RequestKey};
use domain::command::Answer;
use domain::{
    Account, AccountKey, Command, Order, OrderId, ReferenceKey, Timestamp, Transfer, TransferId,
};
use gateway::Catalogue;
use gateway::ports::{
    Clock, Entropy, OrderFilter, Page, Pending, Reports, Sealer, Store, StoreFault, Unsealed,
};
use rusqlite::{Connection, OpenFlags};
use thiserror::Error;

use crate::opened::{Opened, Shutdown};
use crate::pipeline::{self, Pipeline};
use engine::TwoStages;
use faults::{Fault, Trouble, trouble};
use journal::{Journal, JournalFault};
use overlay::{Limits, Overlay};
use readers::Readers;
use references::References;
use settling::{Destination, Settling};
use tables::Tables;

pub use backup::{BackupFault, Companion, Manifest, Snapshot, backup};
pub use restore::{RestoreFault, Restored, restore};
pub use verify::{VerifyFault, verify, verify_gently};

/// Names SQL statements, and collects them so that the tests can prepare every one.
macro_rules! statements {
    ($($(#[$documentation:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$documentation])* const $name: &str = $sql;)+

        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}
use statements;

/// The database within the data directory.
const DATABASE_FILE: &str = "lunas.db";
/// The folder of the journal within the data directory.
const JOURNAL_FOLDER: &str = "journal";
/// Whoever holds a lock on this owns the directory.
const LOCK_FILE: &str = "lunas.lock";

/// The oldest SQLite whose write-ahead log is sound.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// How long to wait for a lock that only somebody outside this program can hold.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// How long a list read waits for the tables to have what was acknowledged before it.
const LAG_MAX: Duration = Duration::from_secs(1);
/// How long a read waits that must not miss anything.
const CATCH_UP_PATIENCE: Duration = Duration::from_secs(30);

/// What holds for every connection. Foreign schemas are not trusted, and the file is never mapped
/// into memory, where an input or output error would kill the process.
const PRAGMAS: &str = "pragma trusted_schema = off; pragma cell_size_check = on; \
     pragma mmap_size = 0; pragma temp_store = memory; pragma foreign_keys = on;";

const READER_PRAGMAS: &str = "pragma query_only = on; pragma cache_size = -4096;";

/// How many prepared statements a connection keeps: all that it ever runs.
const STATEMENTS_KEPT: usize = 64;

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
    /// An entry of the journal is missing or cannot be what was written.
    #[error("{0}")]
    DamagedJournal(String),
    /// Anything else.
    #[error("data could not be opened: {0}")]
    Failed(String),
}

impl OpenFault {
    fn from_sqlite(error: rusqlite::Error) -> Self {
        match trouble(&error) {
            Trouble::Full => Self::DiskFull,
            Trouble::Damaged | Trouble::NotADatabase => {
                Self::Damaged { problem: error.to_string() }
            }
            Trouble::Busy | Trouble::Flush | Trouble::Other => Self::Failed(error.to_string()),
        }
    }

    fn from_fault(fault: Fault) -> Self {
        match fault {
            Fault::Damaged(finding) => Self::Damaged { problem: finding.to_string() },
            Fault::Sqlite(error) => Self::from_sqlite(error),
            Fault::Behind => Self::Failed("the tables lag behind the journal".to_owned()),
        }
    }

    fn from_journal(fault: JournalFault) -> Self {
        match fault {
            JournalFault::Full => Self::DiskFull,
            JournalFault::Damaged { .. } | JournalFault::Newer { .. } => {
                Self::DamagedJournal(fault.to_string())
            }
            other => Self::Failed(other.to_string()),
        }
    }

    fn from_system(directory: &Path, error: &std::io::Error) -> Self {
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
struct Build<'a> {
    migrations: &'a [&'a str],
    limits: Limits,
    journal: journal::Options,
    /// Where stage two settles what it is given.
    destination: Box<dyn FnOnce(Tables) -> Box<dyn Destination>>,
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
fn open_as(
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
        operators: Readers::start("lunas-operators", operators).map_err(no_thread)?,
        overlay,
        references,
        sealer: options.sealer,
        pipeline: Pipeline::start(engine, options.pipeline).map_err(no_thread)?,
    });
    Ok(Opened {
        store: Arc::<Sqlite>::clone(&sqlite),
        reports: Arc::<Sqlite>::clone(&sqlite),
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
fn refuse_without_journal(directory: &Path, connection: &Connection) -> Result<(), OpenFault> {
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
    // The journal's folder has to be there after a crash before the tables are said to need it.
    flush_directory(directory).map_err(|error| OpenFault::from_system(directory, &error))?;
    tables::set_complete(connection, false).map_err(OpenFault::from_fault)?;
    Ok((journal, Arc::new(overlay)))
}

/// Makes the directory if need be, readable by its owner alone because it holds secrets, and locks
/// it for this process.
fn own(directory: &Path) -> Result<File, OpenFault> {
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
fn lock(directory: &Path) -> Result<File, OpenFault> {
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

fn flush_directory(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

fn connect_to_write(directory: &Path) -> Result<Connection, OpenFault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    connect(directory, flags, PRAGMAS)
}

fn connect_to_read(directory: &Path) -> Result<Connection, OpenFault> {
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

/// The opened engine behind the gateway's ports.
struct Sqlite {
    pipeline: Pipeline,
    points: Readers,
    lists: Readers,
    /// What operators browse, which may take its time, apart from what workers need.
    operators: Readers,
    overlay: Arc<Overlay>,
    references: Arc<References>,
    sealer: Arc<dyn Sealer>,
}

impl Sqlite {
    /// Reads a list from the tables, once they have what was acknowledged before. A list may lag,
    /// so where that takes too long they are read as they are.
    async fn list<Found: Send + 'static>(
        &self,
        readers: &Readers,
        read: impl FnOnce(&Connection) -> Result<Found, Fault> + Send + 'static,
    ) -> Result<Found, StoreFault> {
        let (overlay, acknowledged) = (Arc::clone(&self.overlay), self.overlay.published());
        let read = move |connection: &_| {
            overlay.settled_up_to(acknowledged, LAG_MAX);
            read(connection)
        };
        readers.read(read).await
    }

    /// Reads a list that must have everything that was acknowledged before.
    async fn whole_list<Found: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<Found, Fault> + Send + 'static,
    ) -> Result<Found, StoreFault> {
        let (overlay, acknowledged) = (Arc::clone(&self.overlay), self.overlay.published());
        let read = move |connection: &_| {
            if !overlay.settled_up_to(acknowledged, CATCH_UP_PATIENCE) {
                return Err(Fault::Behind);
            }
            read(connection)
        };
        self.lists.read(read).await
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn execute(
        &self,
        command: Command,
        deadline: Option<Instant>,
    ) -> Result<Answer, StoreFault> {
        self.pipeline.execute(command, deadline).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<Arc<Order>>, StoreFault> {
        if let Some(order) = self.overlay.order(id) {
            return Ok(Some(order));
        }
        self.points.read(move |connection| orders::by_id(connection, id)).await
    }

    async fn order_by_reference(
        &self,
        key: &ReferenceKey,
    ) -> Result<Option<Arc<Order>>, StoreFault> {
        if let Some(order) = self.overlay.order_by_reference(key) {
            return Ok(Some(order));
        }
        let (key, references) = (key.clone(), Arc::clone(&self.references));
        self.points.read(move |connection| references.find(connection, &key)).await
    }

    async fn account(&self, key: &AccountKey) -> Result<Option<Account>, StoreFault> {
        if let Some(account) = self.overlay.account(key) {
            return Ok(Some(account));
        }
        let key = key.clone();
        self.points.read(move |connection| books::account(connection, &key)).await
    }

    async fn kept_answer(&self, key: &RequestKey) -> Result<Option<KeptAnswer>, StoreFault> {
        if let Some(kept) = self.overlay.kept_answer(key) {
            return Ok(Some(kept));
        }
        let (key, sealer) = (key.clone(), Arc::clone(&self.sealer));
        let read =
            move |connection: &_| administration::kept_answer(connection, &key, sealer.as_ref());
        self.points.read(read).await
    }
}

#[async_trait]
impl Reports for Sqlite {
    async fn catalogue(&self) -> Result<Catalogue, StoreFault> {
        let sealer = Arc::clone(&self.sealer);
        self.whole_list(move |connection| catalogue::read(connection, sealer.as_ref())).await
    }

    async fn questions_due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        self.list(&self.lists, move |connection| orders::questions_due(connection, now, limit))
            .await
    }

    async fn processing(&self, after: OrderId, limit: u32) -> Result<Vec<Arc<Order>>, StoreFault> {
        self.whole_list(move |connection| orders::processing(connection, after, limit)).await
    }

    async fn pending(&self) -> Result<Pending, StoreFault> {
        self.list(&self.lists, orders::pending).await
    }

    async fn orders_named(
        &self,
        reference: &str,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        let (reference, references) = (reference.to_owned(), Arc::clone(&self.references));
        self.list(&self.lists, move |connection| references.named(connection, &reference, limit))
            .await
    }

    async fn orders(
        &self,
        filter: &OrderFilter,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Page<Arc<Order>, OrderId>, StoreFault> {
        let filter = filter.clone();
        let references = Arc::clone(&self.references);
        let browse =
            move |connection: &_| orders::browse(connection, &references, &filter, before, limit);
        self.list(&self.operators, browse).await
    }

    async fn transfers_of_order(&self, order: &Order) -> Result<Vec<Transfer>, StoreFault> {
        let order = order.clone();
        self.list(&self.operators, move |connection| books::transfers_of_order(connection, &order))
            .await
    }

    async fn transfers_of_account(
        &self,
        key: &AccountKey,
        from: Option<TransferId>,
        limit: u32,
    ) -> Result<Option<Page<Transfer, TransferId>>, StoreFault> {
        let key = key.clone();
        let follow =
            move |connection: &_| books::transfers_of_account(connection, &key, from, limit);
        self.list(&self.operators, follow).await
    }

    async fn audit_records(
        &self,
        before: Option<AuditNumber>,
        limit: u32,
    ) -> Result<Page<AuditRecord, AuditNumber>, StoreFault> {
        let read = move |connection: &_| administration::records_below(connection, before, limit);
        self.list(&self.operators, read).await
    }
}

#[async_trait]
impl Shutdown for Sqlite {
    /// The readers go first, so that the writer finds nobody in its way when it empties the log.
    async fn shutdown(&self) {
        let closing = self.pipeline.stop_accepting();
        self.points.stop().await;
        self.lists.stop().await;
        self.operators.stop().await;
        closing.finished().await;
    }
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod open_tests;

#[cfg(test)]
#[path = "power_tests.rs"]
mod power_tests;
