//! The embedded engine: one directory, one SQLite database, one process.
//!
//! A writer thread owns the only connection that writes; reads have threads and connections of
//! their own (`readers`). Every acknowledged commit is flushed to the disk (`synchronous = full`)
//! before its reply. A lock file keeps a second server away from the same directory; SQLite's own
//! locks would let it in. Nothing in this process may open the database file except through SQLite,
//! because closing it anywhere releases the locks that SQLite holds on it.
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
#[expect(unused_imports, reason = "the engine does not write to it yet")]
#[cfg_attr(not(test), expect(dead_code, reason = "the engine does not write to it yet"))]
mod journal;
mod orders;
mod pace;
mod readers;
mod references;
mod restore;
mod schema;
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
use engine::SqliteEngine;
use faults::{Fault, Trouble, trouble};
use readers::Readers;
use references::References;

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
/// Whoever holds a lock on this owns the directory.
const LOCK_FILE: &str = "lunas.lock";

/// The oldest SQLite whose write-ahead log is sound.
const SQLITE_VERSION_MIN: i32 = 3_051_003;

/// How long to wait for a lock that only somebody outside this program can hold.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// What holds for every connection. Foreign schemas are not trusted, and the file is never mapped
/// into memory, where an input or output error would kill the process.
const PRAGMAS: &str = "pragma trusted_schema = off; pragma cell_size_check = on; \
     pragma mmap_size = 0; pragma temp_store = memory; pragma foreign_keys = on;";

/// What holds for the writer besides. The log is flushed at every commit; the writer decides when
/// it is checkpointed; a log that once grew is cut back to 64 MiB.
const WRITER_PRAGMAS: &str = "pragma journal_mode = wal; pragma synchronous = full; \
     pragma wal_autocheckpoint = 0; pragma journal_size_limit = 67108864; \
     pragma cache_size = -16384;";

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
/// crashed process left in the log are moved into the tables and flushed before anybody is served.
///
/// Blocks while it does so. The data stays locked until it is shut down, or until the last handle
/// is dropped and the writer has finished what was queued.
pub fn open(
    directory: &Path,
    options: Options,
    entropy: &dyn Entropy,
) -> Result<Opened, OpenFault> {
    open_as(directory, options, entropy, &schema::MIGRATIONS)
}

/// The same for a program with other migrations.
fn open_as(
    directory: &Path,
    options: Options,
    entropy: &dyn Entropy,
    migrations: &[&str],
) -> Result<Opened, OpenFault> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(OpenFault::SqliteTooOld(rusqlite::version()));
    }
    let lock = own(directory)?;
    restore::refuse_unfinished(directory)?;
    let mut connection = connect_to_write(directory)?;
    let known = schema::made_by(migrations);
    let found = schema::inspect(&connection, known)?;
    connection.execute_batch(WRITER_PRAGMAS).map_err(OpenFault::from_sqlite)?;
    if let schema::Found::Schema(found) = found
        && found < known
    {
        let Some(before) = &options.before_migration else {
            return Err(OpenFault::OlderSchema { found, known });
        };
        backup::before_migration(directory, before, found, known)?;
    }
    schema::migrate(&mut connection, found, migrations, entropy)?;
    engine::recover(&connection)?;
    // SQLite asks for this too when it makes the log, and doesn't look at the answer. Without it a
    // crash could take the whole log away.
    flush_directory(directory).map_err(|error| OpenFault::from_system(directory, &error))?;
    let instance_key = schema::instance_key(&connection)?;
    let readers = (0..options.point_readers.max(1)).map(|_| connect_to_read(directory));
    let points = readers.collect::<Result<_, _>>()?;
    let lists = vec![connect_to_read(directory)?];
    let operators = vec![connect_to_read(directory)?];
    let no_thread = |error: std::io::Error| OpenFault::from_system(directory, &error);
    let references = Arc::new(References::open(&connection).map_err(OpenFault::from_fault)?);
    let engine = SqliteEngine {
        connection,
        references: Arc::clone(&references),
        sealer: Arc::clone(&options.sealer),
        _lock: lock,
    };
    let sqlite = Arc::new(Sqlite {
        points: Readers::start("lunas-points", points).map_err(no_thread)?,
        lists: Readers::start("lunas-lists", lists).map_err(no_thread)?,
        operators: Readers::start("lunas-operators", operators).map_err(no_thread)?,
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
    references: Arc<References>,
    sealer: Arc<dyn Sealer>,
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
        self.points.read(move |connection| orders::by_id(connection, id)).await
    }

    async fn order_by_reference(
        &self,
        key: &ReferenceKey,
    ) -> Result<Option<Arc<Order>>, StoreFault> {
        let (key, references) = (key.clone(), Arc::clone(&self.references));
        self.points.read(move |connection| references.find(connection, &key)).await
    }

    async fn account(&self, key: &AccountKey) -> Result<Option<Account>, StoreFault> {
        let key = key.clone();
        self.points.read(move |connection| books::account(connection, &key)).await
    }

    async fn kept_answer(&self, key: &RequestKey) -> Result<Option<KeptAnswer>, StoreFault> {
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
        self.lists.read(move |connection| catalogue::read(connection, sealer.as_ref())).await
    }

    async fn questions_due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        self.lists.read(move |connection| orders::questions_due(connection, now, limit)).await
    }

    async fn processing(&self, after: OrderId, limit: u32) -> Result<Vec<Arc<Order>>, StoreFault> {
        self.lists.read(move |connection| orders::processing(connection, after, limit)).await
    }

    async fn pending(&self) -> Result<Pending, StoreFault> {
        self.lists.read(orders::pending).await
    }

    async fn orders_named(
        &self,
        reference: &str,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        let (reference, references) = (reference.to_owned(), Arc::clone(&self.references));
        self.lists.read(move |connection| references.named(connection, &reference, limit)).await
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
        self.operators.read(browse).await
    }

    async fn transfers_of_order(&self, order: &Order) -> Result<Vec<Transfer>, StoreFault> {
        let order = order.clone();
        self.operators.read(move |connection| books::transfers_of_order(connection, &order)).await
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
        self.operators.read(follow).await
    }

    async fn audit_records(
        &self,
        before: Option<AuditNumber>,
        limit: u32,
    ) -> Result<Page<AuditRecord, AuditNumber>, StoreFault> {
        let read = move |connection: &_| administration::records_below(connection, before, limit);
        self.operators.read(read).await
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
