//! The way back from a backup to data that a server can open.
//!
//! A backup is unpacked into a folder within the destination, compared with its checksums, and
//! audited there; only then its files are renamed into place, the database last. So the destination
//! has a database exactly when the restore was completed, and nothing is ever half applied. The
//! folder lies within the destination because that may be a mounted volume, or a folder beside
//! which nobody but root may write. What an interrupted restore left is recognised by that folder:
//! a server refuses to start on it, and the next restore throws it away.
//!
//! Data of an older schema is accepted. It is audited on a migrated copy and put into place as it
//! was, so that the first start migrates it as it does any other data, with a backup.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use domain::audit::{Finding, Summary};
use gateway::ports::Entropy;
use rusqlite::Connection;
use thiserror::Error;

use super::archive::{ArchiveFault, Part, Reader};
use super::backup::{Companion, MANIFEST, Manifest};
use super::faults::Fault;
use super::pace::Pace;
use super::schema::{self, Found};
use super::verify::{VerifyFault, verify_as};
use super::{
    DATABASE_FILE, LOCK_FILE, OpenFault, connect_to_read, connect_to_write, own, statements,
};

statements! {
    INTEGRITY_CHECK = "pragma integrity_check(1)";
}

/// The folder within the destination in which a backup is unpacked.
const RESTORING: &str = "restoring";
/// The folder within that one in which a copy is migrated for the audit.
const MIGRATED: &str = "migrated";
/// The longest manifest that is read, in bytes.
const MANIFEST_MAX: u64 = 64 * 1024;

/// A completed restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// What the backup says of itself.
    pub manifest: Manifest,
    /// What the audit of the restored data looked at.
    pub summary: Summary,
}

/// Why nothing was restored. The destination has at most a lock file that it had not before.
#[derive(Debug, Error)]
pub enum RestoreFault {
    /// Somebody is using the destination, or it cannot be used at all.
    #[error(transparent)]
    Destination(#[from] OpenFault),
    /// Data is never written over.
    #[error(
        "data directory {} is not empty; restore into a new or an empty one",
        .directory.display()
    )]
    NotEmpty {
        /// The destination.
        directory: PathBuf,
    },
    /// The backup cannot be read.
    #[error("backup {} cannot be read: {problem}", .backup.display())]
    Unreadable {
        /// The backup.
        backup: PathBuf,
        /// What the operating system says.
        problem: String,
    },
    /// The backup is not what was written, or what was written was damaged before. This is the
    /// first record that is wrong.
    #[error("backup is damaged: {0}")]
    Damaged(Finding),
    /// A newer program made it.
    #[error("backup has schema {found} and this program knows only {known}; use a newer Lunas")]
    NewerSchema {
        /// The schema of the backup.
        found: u32,
        /// The newest schema that this program knows.
        known: u32,
    },
    /// The restored data could not be written or looked through.
    #[error("backup could not be restored: {0}")]
    Failed(String),
}

fn damaged(record: &str, problem: impl Into<String>) -> RestoreFault {
    RestoreFault::Damaged(Finding { record: record.to_owned(), problem: problem.into() })
}

fn failed(error: impl std::fmt::Display) -> RestoreFault {
    RestoreFault::Failed(error.to_string())
}

impl From<VerifyFault> for RestoreFault {
    fn from(fault: VerifyFault) -> Self {
        match fault {
            VerifyFault::Finding(finding) => Self::Damaged(finding),
            VerifyFault::NotOpened(OpenFault::NewerSchema { found, known }) => {
                Self::NewerSchema { found, known }
            }
            VerifyFault::NotOpened(OpenFault::Damaged { problem }) => {
                damaged(DATABASE_FILE, problem)
            }
            VerifyFault::NotOpened(OpenFault::Missing { .. }) => {
                damaged(DATABASE_FILE, "has nothing in it")
            }
            VerifyFault::NotOpened(other) => failed(other),
            VerifyFault::BrokenOff(problem) => Self::Failed(problem),
        }
    }
}

impl From<Fault> for RestoreFault {
    fn from(fault: Fault) -> Self {
        VerifyFault::from(fault).into()
    }
}

/// Restores a backup into a directory that is new or empty, once the backup has been proved: every
/// checksum, SQLite's own check of the file, the full audit of the books, and the check of every
/// companion. Blocks while it does so. When it returns the data survives the loss of power.
pub fn restore(
    backup: &Path,
    directory: &Path,
    companions: &[Box<dyn Companion>],
) -> Result<Restored, RestoreFault> {
    restore_as(backup, directory, companions, &schema::MIGRATIONS)
}

/// The same for a program with other migrations.
pub(super) fn restore_as(
    backup: &Path,
    directory: &Path,
    companions: &[Box<dyn Companion>],
    migrations: &[&str],
) -> Result<Restored, RestoreFault> {
    let unreadable = |error: io::Error| RestoreFault::Unreadable {
        backup: backup.to_owned(),
        problem: error.to_string(),
    };
    // Before anything is made.
    let from = File::open(backup).map_err(unreadable)?;
    let mut site = Site::open(directory, companions)?;
    let unpacked = unpack(&from, &site, companions).map_err(|fault| match fault {
        Refused::Archive(ArchiveFault::Unreadable(error)) => unreadable(error),
        Refused::Archive(fault) => site.name_record(fault),
        Refused::Other(fault) => fault,
    })?;
    let summary = prove(&site, &unpacked.manifest, migrations)?;
    for companion in unpacked.companions(companions) {
        let copy = site.unpacked(companion.name());
        companion.check(&copy).map_err(|problem| damaged(companion.name(), problem))?;
    }
    let names: Vec<&str> = unpacked.companions(companions).map(|it| it.name()).collect();
    site.accept(&names).map_err(failed)?;
    Ok(Restored { manifest: unpacked.manifest, summary })
}

/// Refuses a directory that a restore left unfinished.
pub(super) fn refuse_unfinished(directory: &Path) -> Result<(), OpenFault> {
    let unfinished = is_unfinished(directory);
    let unfinished = unfinished.map_err(|error| OpenFault::from_system(directory, &error))?;
    if unfinished {
        return Err(OpenFault::HalfRestored { directory: directory.to_owned() });
    }
    Ok(())
}

/// The database is the last to be put into place.
fn is_unfinished(directory: &Path) -> io::Result<bool> {
    let unpacked = directory.join(RESTORING).join(DATABASE_FILE);
    Ok(unpacked.try_exists()? && !directory.join(DATABASE_FILE).try_exists()?)
}

/// The destination, locked. Unless the restore is accepted, dropping it leaves the directory as
/// empty as it was.
struct Site<'a> {
    directory: &'a Path,
    companions: &'a [Box<dyn Companion>],
    accepted: bool,
    lock: File,
}

impl<'a> Site<'a> {
    fn open(
        directory: &'a Path,
        companions: &'a [Box<dyn Companion>],
    ) -> Result<Self, RestoreFault> {
        let refuse_data = || match is_free(directory, companions) {
            Ok(true) => Ok(()),
            Ok(false) => Err(RestoreFault::NotEmpty { directory: directory.to_owned() }),
            Err(error) => Err(OpenFault::from_system(directory, &error).into()),
        };
        let is_data = directory.is_dir() && !directory.join(LOCK_FILE).exists();
        if is_data {
            // Nothing is locked yet, so not even a lock file is left in a directory of others.
            refuse_data()?;
        }
        let lock = own(directory)?;
        refuse_data()?;
        let site = Self { directory, companions, accepted: false, lock };
        site.clear().map_err(failed)?;
        fs::create_dir(directory.join(RESTORING)).map_err(failed)?;
        Ok(site)
    }

    /// Removes what an unfinished restore left. Its folder goes last, because the rest is
    /// recognised by it.
    fn clear(&self) -> io::Result<()> {
        for companion in self.companions {
            remove_if_there(&self.directory.join(companion.name()))?;
        }
        self.clear_folder()
    }

    fn clear_folder(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.directory.join(RESTORING)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    fn unpacked(&self, name: &str) -> PathBuf {
        self.directory.join(RESTORING).join(name)
    }

    /// Says of a database that does not go with its checksum also which record is wrong, if one is.
    fn name_record(&self, fault: ArchiveFault) -> RestoreFault {
        match fault {
            ArchiveFault::Mismatch { part } => {
                let mut problem = "content and checksum do not agree".to_owned();
                let audited =
                    verify_as(&self.directory.join(RESTORING), schema::known(), Pace::full());
                if part == DATABASE_FILE
                    && let Err(VerifyFault::Finding(finding)) = audited
                {
                    problem.push_str(&format!("; the first bad record is {finding}"));
                }
                damaged(&part, problem)
            }
            ArchiveFault::Damaged { part, problem } => damaged(&part, problem),
            ArchiveFault::Unreadable(error) | ArchiveFault::Unwritable(error) => failed(error),
        }
    }

    /// Puts everything into place. All of it is on the disk already.
    fn accept(&mut self, companions: &[&str]) -> io::Result<()> {
        File::open(self.directory.join(RESTORING))?.sync_all()?;
        for name in companions {
            fs::rename(self.unpacked(name), self.directory.join(name))?;
        }
        // The companions are durably there before the database is.
        File::open(self.directory)?.sync_all()?;
        fs::rename(self.unpacked(DATABASE_FILE), self.directory.join(DATABASE_FILE))?;
        self.accepted = true;
        File::open(self.directory)?.sync_all()
    }
}

impl Drop for Site<'_> {
    /// Whatever could not be removed is removed by the next restore.
    fn drop(&mut self) {
        let _ = if self.accepted { self.clear_folder() } else { self.clear() };
        // Said aloud, because a process that is being started may still hold a copy of the file.
        let _ = self.lock.unlock();
    }
}

/// Whether nothing is in the directory but what an interrupted restore may have left.
fn is_free(directory: &Path, companions: &[Box<dyn Companion>]) -> io::Result<bool> {
    let unfinished = is_unfinished(directory)?;
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        let is_left = name == LOCK_FILE
            || (name == RESTORING && !directory.join(DATABASE_FILE).try_exists()?)
            || (unfinished && companions.iter().any(|it| name == it.name()));
        if !is_left {
            return Ok(false);
        }
    }
    Ok(true)
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// What came out of an archive that is whole.
struct Unpacked {
    manifest: Manifest,
    names: Vec<String>,
}

impl Unpacked {
    /// Those companions that were in it.
    fn companions<'a>(
        &'a self,
        companions: &'a [Box<dyn Companion>],
    ) -> impl Iterator<Item = &'a dyn Companion> {
        let companions = companions.iter().map(AsRef::as_ref);
        companions.filter(|companion| self.names.iter().any(|name| name == companion.name()))
    }
}

enum Refused {
    Archive(ArchiveFault),
    Other(RestoreFault),
}

impl From<ArchiveFault> for Refused {
    fn from(fault: ArchiveFault) -> Self {
        Self::Archive(fault)
    }
}

impl From<RestoreFault> for Refused {
    fn from(fault: RestoreFault) -> Self {
        Self::Other(fault)
    }
}

/// Unpacks what a backup may hold and nothing else: the name of a part is never used as a path
/// before it is found among the known ones.
fn unpack(
    from: &File,
    site: &Site<'_>,
    companions: &[Box<dyn Companion>],
) -> Result<Unpacked, Refused> {
    let mut reader = Reader::new(BufReader::with_capacity(64 * 1024, from));
    let mut names = Vec::new();
    let mut manifest = None;
    while let Some(part) = reader.next()? {
        let is_known = part.name == DATABASE_FILE
            || part.name == MANIFEST
            || companions.iter().any(|companion| companion.name() == part.name);
        let is_first = names.is_empty();
        if !is_known
            || manifest.is_some()
            || names.contains(&part.name)
            || is_first != (part.name == DATABASE_FILE)
        {
            return Err(damaged(&part.name, "does not belong there in a backup").into());
        }
        if part.name == MANIFEST {
            manifest = Some(read_manifest(&mut reader, &part)?);
        } else {
            unpack_file(&mut reader, &part, &site.unpacked(&part.name))?;
        }
        names.push(part.name);
    }
    let manifest = manifest.ok_or_else(|| damaged(MANIFEST, "is missing"))?;
    let manifest = Manifest::from_json(&manifest).map_err(|problem| damaged(MANIFEST, problem))?;
    Ok(Unpacked { manifest, names })
}

fn read_manifest(reader: &mut Reader<impl Read>, part: &Part) -> Result<Vec<u8>, Refused> {
    if part.size > MANIFEST_MAX {
        return Err(damaged(MANIFEST, "is too long to be one").into());
    }
    let mut json = Vec::new();
    reader.copy(part, &mut json)?;
    Ok(json)
}

fn unpack_file(reader: &mut Reader<impl Read>, part: &Part, to: &Path) -> Result<(), Refused> {
    let unwritable = |error: io::Error| Refused::Archive(ArchiveFault::Unwritable(error));
    let mut options = OpenOptions::new();
    let options = options.write(true).create_new(true).mode(0o600);
    let mut to = options.open(to).map_err(unwritable)?;
    reader.copy(part, &mut to)?;
    to.flush().and_then(|()| to.sync_all()).map_err(unwritable)
}

/// Proves the unpacked database.
fn prove(
    site: &Site<'_>,
    manifest: &Manifest,
    migrations: &[&str],
) -> Result<Summary, RestoreFault> {
    let known = schema::made_by(migrations);
    if manifest.schema > known {
        return Err(RestoreFault::NewerSchema { found: manifest.schema, known });
    }
    let folder = site.directory.join(RESTORING);
    let found = {
        let connection = connect_to_read(&folder).map_err(VerifyFault::from)?;
        schema::inspect(&connection, known).map_err(VerifyFault::from)?
    };
    if found != Found::Schema(manifest.schema) {
        return Err(damaged(MANIFEST, "tells another schema than lunas.db has"));
    }
    let is_older = manifest.schema < known;
    let summary = if is_older {
        audit_migrated(site, migrations)?
    } else {
        verify_as(&folder, known, Pace::full())?
    };
    let connection = connect_to_read(&folder).map_err(VerifyFault::from)?;
    check_integrity(&connection)?;
    if Manifest::of(&connection, manifest.schema, manifest.taken_at)? != *manifest {
        return Err(damaged(MANIFEST, "tells other latest numbers than lunas.db has"));
    }
    Ok(summary)
}

/// Audits a migrated copy.
fn audit_migrated(site: &Site<'_>, migrations: &[&str]) -> Result<Summary, RestoreFault> {
    /// Only new data draws a key.
    struct None;
    impl Entropy for None {
        fn fill(&self, _bytes: &mut [u8]) {}
    }
    let folder = site.unpacked(MIGRATED);
    fs::create_dir(&folder).map_err(failed)?;
    fs::copy(site.unpacked(DATABASE_FILE), folder.join(DATABASE_FILE)).map_err(failed)?;
    let known = schema::made_by(migrations);
    let mut connection = connect_to_write(&folder).map_err(VerifyFault::from)?;
    let found = schema::inspect(&connection, known).map_err(VerifyFault::from)?;
    schema::migrate(&mut connection, found, migrations, &None).map_err(VerifyFault::from)?;
    drop(connection);
    Ok(verify_as(&folder, known, Pace::full())?)
}

/// SQLite's own opinion of the whole file, indexes included.
fn check_integrity(connection: &Connection) -> Result<(), RestoreFault> {
    let opinion = connection.query_row(INTEGRITY_CHECK, [], |row| row.get::<_, String>(0));
    match opinion.map_err(Fault::from)?.as_str() {
        "ok" => Ok(()),
        problem => Err(damaged(DATABASE_FILE, problem)),
    }
}

#[cfg(test)]
#[path = "restore_tests.rs"]
mod tests;
