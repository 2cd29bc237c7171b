//! The backup of the data of a running server, into one file that is complete or absent.
//!
//! The file is an [`archive`]: the database, the files that go with it, a manifest, and the
//! checksums of all. One file rather than a folder, because it is renamed into place in one step
//! and cannot be copied by halves.
//!
//! The database is copied page by page with SQLite's backup interface, on a connection of its own
//! that reads one snapshot from the first page to the last. Holding the snapshot matters: without
//! it SQLite begins again whenever somebody commits, and under load never ends. What the journal
//! holds after the snapshot is settled in the copy, so that a backup needs no journal. `vacuum into` would
//! read the same snapshot, but builds every tree anew, which takes several times the processor time
//! and on a small server takes it from the orders. No commit waits for a snapshot. What it costs is
//! that the write-ahead log cannot begin anew before it ends, so the log grows by what is committed
//! meanwhile and is cut back afterwards; this is why only copying happens while it is held.
//!
//! The disk is shared with the commits too. The copy beside the archive is never flushed, and the
//! archive is flushed every few mebibytes, so that a commit's flush never queues behind a large one.
//! While it is made a backup takes twice its size where it is going to be, and nothing where the
//! data is. Beside a server all of this rests most of the time ([`Pace`]): a snapshot that is held for
//! ten times as long costs room in the log, and a quick one costs the orders their processor.
//!
//! Not done here: incremental backups, encryption, deleting old ones, and an audit, which belongs to
//! the restore.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use domain::{OrderId, Timestamp};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::faults::{Fault, Trouble, trouble};
use super::pace::Pace;
use super::pending::{View, ViewFault};
use super::schema;
use super::{
    BeforeMigration, DATABASE_FILE, OpenFault, archive, books, connect_to_read, lock, orders,
    statements,
};

statements! {
    // Reads the stored form of attempts in any schema so far, because data is backed up before it
    // is migrated.
    HAS_ATTEMPT = "select exists (select 1 from orders, json_each(orders.attempts) as attempt \
         where orders.id = ?1 and attempt.value ->> 'number' = ?2)";
}

/// The part of a backup that tells what it is.
pub(super) const MANIFEST: &str = "manifest.json";
/// What the manifest's own form is called.
pub(super) const FORMAT: u32 = 1;
/// Where backups before migrations go, within the data directory.
const BACKUPS: &str = "backups";

/// How many pages are copied between two rests: 128 KiB.
const PAGES_PER_STEP: i32 = 32;
/// How many bytes are written between two flushes.
const FLUSH_EVERY: u64 = 4 * 1024 * 1024;

/// The copy is thrown away when anything fails, so nothing protects it while it is made.
const COPY_PRAGMAS: &str = "pragma journal_mode = off; pragma synchronous = off;";

/// A file that lies beside the database and has to agree with it.
pub trait Companion: Send + Sync {
    /// Its name in the data directory.
    fn name(&self) -> &str;

    /// Writes what of this file belongs to a snapshot of the database that was taken before. The
    /// file may be growing meanwhile. The error says what is wrong with it.
    fn copy(&self, from: &Path, to: &mut dyn Write, snapshot: &Snapshot<'_>) -> Result<(), String>;

    /// Looks through a copy; the error names the first bad record.
    fn check(&self, copy: &Path) -> Result<(), String>;
}

/// The database as it is in a backup that is being made.
pub struct Snapshot<'a>(&'a Connection);

impl Snapshot<'_> {
    /// Whether the order is in the backup with this attempt.
    pub fn has_attempt(&self, order: OrderId, attempt: u16) -> Result<bool, String> {
        let Ok(order) = i64::try_from(order.0) else { return Ok(false) };
        let mut statement = self.0.prepare_cached(HAS_ATTEMPT).map_err(|it| it.to_string())?;
        statement.query_row((order, attempt), |row| row.get(0)).map_err(|it| it.to_string())
    }
}

/// What a backup says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The schema of the database.
    pub schema: u32,
    /// When it was taken.
    pub taken_at: Timestamp,
    /// The highest number of an account, 0 where there is none.
    pub latest_account: u64,
    /// The highest number of a transfer, 0 where there is none.
    pub latest_transfer: u64,
    /// The highest number of an order, 0 where there is none.
    pub latest_order: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredManifest {
    format: u32,
    schema: u32,
    taken_at_ms: i64,
    latest_account: u64,
    latest_transfer: u64,
    latest_order: u64,
}

impl Manifest {
    /// What this database would be backed up as.
    pub(super) fn of(
        connection: &Connection,
        schema: u32,
        taken_at: Timestamp,
    ) -> Result<Self, Fault> {
        let (latest_account, latest_transfer) = books::last_numbers(connection)?;
        let latest_order = orders::last_number(connection)?;
        Ok(Self { schema, taken_at, latest_account, latest_transfer, latest_order })
    }

    fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut json = serde_json::to_vec_pretty(&StoredManifest {
            format: FORMAT,
            schema: self.schema,
            taken_at_ms: self.taken_at.milliseconds(),
            latest_account: self.latest_account,
            latest_transfer: self.latest_transfer,
            latest_order: self.latest_order,
        })?;
        json.push(b'\n');
        Ok(json)
    }

    /// Reads one; the error says what is wrong with it.
    pub(super) fn from_json(json: &[u8]) -> Result<Self, String> {
        let stored: StoredManifest =
            serde_json::from_slice(json).map_err(|error| error.to_string())?;
        if stored.format != FORMAT {
            return Err(format!("has format {} and this program knows {FORMAT}", stored.format));
        }
        Ok(Self {
            schema: stored.schema,
            taken_at: Timestamp::from_milliseconds(stored.taken_at_ms),
            latest_account: stored.latest_account,
            latest_transfer: stored.latest_transfer,
            latest_order: stored.latest_order,
        })
    }
}

/// Why there is no backup. Nothing is at its destination that was not there before.
#[derive(Debug, Error)]
pub enum BackupFault {
    /// The data could not be opened.
    #[error(transparent)]
    NotOpened(#[from] OpenFault),
    /// A backup is never written over anything.
    #[error("{} exists already; name a new file", .destination.display())]
    Exists {
        /// Where the backup was to be.
        destination: PathBuf,
    },
    /// Somebody else is writing a backup of the same name.
    #[error("another backup to {} is under way", .destination.display())]
    UnderWay {
        /// Where the backup was to be.
        destination: PathBuf,
    },
    /// It could not be written.
    #[error("backup {} could not be written: {problem}", .destination.display())]
    NotWritten {
        /// Where the backup was to be.
        destination: PathBuf,
        /// What the operating system says.
        problem: String,
    },
    /// The data could not be read to its end.
    #[error("the data could not be read: {0}")]
    NotRead(String),
    /// A file that goes with the database could not be copied.
    #[error("{name} could not be backed up: {problem}")]
    Companion {
        /// The file.
        name: String,
        /// What is wrong.
        problem: String,
    },
}

impl From<Fault> for BackupFault {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged(finding) => Self::NotRead(finding.to_string()),
            Fault::Sqlite(error) => Self::NotRead(error.to_string()),
            Fault::Behind => {
                Self::NotRead("the server settles faster than it can be read".to_owned())
            }
        }
    }
}

impl From<ViewFault> for BackupFault {
    fn from(fault: ViewFault) -> Self {
        match fault {
            ViewFault::NotOpened(fault) => Self::NotOpened(fault),
            ViewFault::Fault(fault) => fault.into(),
        }
    }
}

impl From<rusqlite::Error> for BackupFault {
    fn from(error: rusqlite::Error) -> Self {
        Self::NotRead(error.to_string())
    }
}

/// Backs up the data in this directory, also beside a running server, into a new file. Companions
/// that do not exist are left out. When it returns the backup survives the loss of power.
///
/// The books are taken first and the companions after them, so that a companion may know more than
/// the books and never less; what more it knows is left out by [`Companion::copy`].
pub fn backup(
    directory: &Path,
    destination: &Path,
    taken_at: Timestamp,
    companions: &[Box<dyn Companion>],
) -> Result<Manifest, BackupFault> {
    let pace = Pace::gentle();
    backup_as(directory, destination, taken_at, companions, schema::known(), pace)
}

/// The same for a program that knows another schema.
pub(super) fn backup_as(
    directory: &Path,
    destination: &Path,
    taken_at: Timestamp,
    companions: &[Box<dyn Companion>],
    known: u32,
    mut pace: Pace,
) -> Result<Manifest, BackupFault> {
    let workshop = Workshop::open(destination)?;
    let connection = connect_to_read(directory)?;
    let view = View::open(directory, &connection, known)?;
    let schema = view.schema;
    if schema != known && !view.pending.is_empty() {
        return Err(OpenFault::Unsettled { found: schema }.into());
    }
    let copy = copy_database(&view.tables, &workshop, &mut pace)?;
    let pending = view.end();
    // From here on the server's log may begin anew.
    drop(connection);
    pending.settle(&copy)?;
    let manifest = Manifest::of(&copy, schema, taken_at)?;
    let companions = copy_companions(&copy, directory, companions, &workshop)?;
    drop(copy);
    workshop.archive(&manifest, &companions, pace).map_err(|error| workshop.not_written(&error))?;
    workshop.deliver()?;
    Ok(manifest)
}

/// Backs up data that is going to be migrated, into a folder beside it.
pub(super) fn before_migration(
    directory: &Path,
    before: &BeforeMigration,
    found: u32,
    known: u32,
) -> Result<(), OpenFault> {
    let taken_at = before.clock.now();
    let folder = directory.join(BACKUPS);
    let made = fs::create_dir_all(&folder).and_then(|()| File::open(directory)?.sync_all());
    made.map_err(|error| OpenFault::from_system(directory, &error))?;
    let name = format!("schema-{found}-before-{known}-at-{}.tar", taken_at.milliseconds());
    let destination = folder.join(name);
    // Nobody is served meanwhile.
    backup_as(directory, &destination, taken_at, &before.companions, known, Pace::full())
        .map_err(|fault| OpenFault::NotBackedUp(Box::new(fault)))?;
    tracing::info!(backup = %destination.display(), "backed up before the migration");
    Ok(())
}

/// The folder beside the destination in which a backup is made. What a crash left in it is thrown
/// away by the next backup of the same name; a lock tells it from one that is being made.
#[derive(Debug)]
struct Workshop {
    destination: PathBuf,
    folder: PathBuf,
    lock: File,
}

impl Workshop {
    fn open(destination: &Path) -> Result<Self, BackupFault> {
        let not_written = |problem: String| BackupFault::NotWritten {
            destination: destination.to_owned(),
            problem,
        };
        let absolute =
            std::path::absolute(destination).map_err(|error| not_written(error.to_string()))?;
        let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return Err(not_written("it is not the name of a file".to_owned()));
        };
        refuse_existing(destination)?;
        if !parent.is_dir() {
            return Err(not_written(format!("{} is not a folder", parent.display())));
        }
        let folder = parent.join(format!(".{}.partial", name.display()));
        // Nothing here has to survive a crash, so nothing is flushed.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| not_written(error.to_string()))?;
        let lock = lock(&folder).map_err(|fault| match fault {
            OpenFault::InUse { .. } => {
                BackupFault::UnderWay { destination: destination.to_owned() }
            }
            OpenFault::Unusable { problem, .. } => not_written(problem),
            other => not_written(other.to_string()),
        })?;
        let workshop = Self { destination: destination.to_owned(), folder, lock };
        workshop.clear().map_err(|error| workshop.not_written(&error))?;
        Ok(workshop)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn not_written(&self, error: &io::Error) -> BackupFault {
        let problem = match error.kind() {
            io::ErrorKind::StorageFull => "the disk is full".to_owned(),
            _ => error.to_string(),
        };
        BackupFault::NotWritten { destination: self.destination.clone(), problem }
    }

    /// Removes all but the lock.
    fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.file_name() != Some(super::LOCK_FILE.as_ref()) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    fn create(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600).open(self.path(name))
    }

    fn archive(&self, manifest: &Manifest, companions: &[&str], pace: Pace) -> io::Result<()> {
        let to = BufWriter::with_capacity(64 * 1024, Steady::new(self.create(ARCHIVE)?, pace));
        let mut writer = archive::Writer::new(to);
        for name in std::iter::once(DATABASE_FILE).chain(companions.iter().copied()) {
            let mut from = File::open(self.path(name))?;
            let size = from.seek(SeekFrom::End(0))?;
            from.rewind()?;
            writer.part(name, size, &mut BufReader::new(from))?;
        }
        let manifest = manifest.to_json()?;
        let size = u64::try_from(manifest.len()).unwrap_or(u64::MAX);
        writer.part(MANIFEST, size, &mut manifest.as_slice())?;
        let to = writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        to.file.sync_all()
    }

    fn deliver(self) -> Result<(), BackupFault> {
        refuse_existing(&self.destination)?;
        let deliver = || {
            fs::rename(self.path(ARCHIVE), &self.destination)?;
            let parent = self.folder.parent().unwrap_or(&self.folder);
            File::open(parent)?.sync_all()
        };
        deliver().map_err(|error| self.not_written(&error))
    }
}

impl Drop for Workshop {
    /// Whatever could not be removed is removed by the next backup of the same name.
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
        // Said aloud, because a process that is being started may still hold a copy of the file.
        let _ = self.lock.unlock();
    }
}

/// The archive while it is not finished.
const ARCHIVE: &str = "archive.tar";

fn refuse_existing(destination: &Path) -> Result<(), BackupFault> {
    match destination.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        _ => Err(BackupFault::Exists { destination: destination.to_owned() }),
    }
}

/// Copies the pages of a snapshot.
fn copy_database(
    snapshot: &Connection,
    workshop: &Workshop,
    pace: &mut Pace,
) -> Result<Connection, BackupFault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = || -> rusqlite::Result<Connection> {
        let mut to = Connection::open_with_flags(workshop.path(DATABASE_FILE), flags)?;
        to.execute_batch(COPY_PRAGMAS)?;
        let pages = Backup::new(snapshot, &mut to)?;
        while pages.step(PAGES_PER_STEP)? != StepResult::Done {
            pace.rest();
        }
        drop(pages);
        // The copy took the original's ways over with its first page.
        to.execute_batch(COPY_PRAGMAS)?;
        Ok(to)
    };
    copy().map_err(|error| match trouble(&error) {
        Trouble::Full => workshop.not_written(&io::ErrorKind::StorageFull.into()),
        _ => error.into(),
    })
}

/// Copies those companions that are there and gives their names.
fn copy_companions<'a>(
    snapshot: &Connection,
    directory: &Path,
    companions: &'a [Box<dyn Companion>],
    workshop: &Workshop,
) -> Result<Vec<&'a str>, BackupFault> {
    let mut copied = Vec::new();
    for companion in companions {
        let name = companion.name();
        let from = directory.join(name);
        if !from.exists() {
            continue;
        }
        let to = workshop.create(name).map_err(|error| workshop.not_written(&error))?;
        let mut to = BufWriter::new(to);
        let fault = |problem| BackupFault::Companion { name: name.to_owned(), problem };
        companion.copy(&from, &mut to, &Snapshot(snapshot)).map_err(fault)?;
        to.flush().map_err(|error| workshop.not_written(&error))?;
        copied.push(name);
    }
    Ok(copied)
}

/// A file that is flushed to the disk while it is written, with rests.
struct Steady {
    file: File,
    unflushed: u64,
    pace: Pace,
}

impl Steady {
    const fn new(file: File, pace: Pace) -> Self {
        Self { file, unflushed: 0, pace }
    }
}

impl Write for Steady {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.unflushed += u64::try_from(written).unwrap_or(u64::MAX);
        if self.unflushed >= FLUSH_EVERY {
            self.file.sync_data()?;
            self.unflushed = 0;
        }
        self.pace.rest();
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
#[path = "backup_tests.rs"]
pub(super) mod tests;
