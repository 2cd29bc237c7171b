//! All of the data as it stands at one moment, seen without a lock and without a key: a snapshot of
//! the tables and what the journal holds after it.
//!
//! A server may be running. While it settles entries and uses their place again, those after the
//! snapshot may be gone before they are read; then a newer snapshot is taken. Entries that are
//! being made at this moment may be seen before they are acknowledged.

use std::path::Path;

use rusqlite::{Connection, Transaction};

use super::faults::Fault;
use super::fields::damaged;
use super::journal::{self, JournalFault, Position, Sealed};
use super::passing::Passing;
use super::references::References;
use super::schema::{self, Found};
use super::{JOURNAL_FOLDER, OpenFault, tables};
use crate::pipeline::Changes;

/// How often a newer snapshot is taken before giving up. Each time the server must have settled
/// some mebibytes while a few entries were read.
const ATTEMPTS: usize = 100;

/// The data at one moment.
pub(super) struct View<'a> {
    /// The tables.
    pub(super) tables: Transaction<'a>,
    /// The schema of the tables.
    pub(super) schema: u32,
    /// What changed after them.
    pub(super) pending: Pending,
}

/// What the journal holds after the tables.
pub(super) struct Pending {
    entries: Vec<(Position, Vec<u8>)>,
}

/// Why there is nothing to see.
#[derive(Debug)]
pub(super) enum ViewFault {
    /// It could not be opened.
    NotOpened(OpenFault),
    /// It could not be read.
    Fault(Fault),
}

impl From<OpenFault> for ViewFault {
    fn from(fault: OpenFault) -> Self {
        Self::NotOpened(fault)
    }
}

impl From<Fault> for ViewFault {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<rusqlite::Error> for ViewFault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Fault(Fault::Sqlite(error))
    }
}

impl<'a> View<'a> {
    /// Looks at the data in this directory, whose tables are connected to.
    pub(super) fn open(
        directory: &Path,
        connection: &'a Connection,
        known: u32,
    ) -> Result<Self, ViewFault> {
        let mut seen = None;
        for _ in 0..ATTEMPTS {
            let tables = connection.unchecked_transaction()?;
            let Found::Schema(schema) = schema::inspect(&tables, known)? else {
                return Err(OpenFault::Missing { directory: directory.to_owned() }.into());
            };
            super::refuse_without_journal(directory, &tables)?;
            let applied = tables::applied(&tables)?;
            match journal::read(&directory.join(JOURNAL_FOLDER), applied) {
                Ok(entries) => {
                    return Ok(Self { tables, schema, pending: Pending { entries } });
                }
                // Whoever gave an entry up has settled it, and a newer snapshot shows that.
                Err(JournalFault::Recycled(_)) if seen.replace(applied) != Some(applied) => {}
                Err(JournalFault::Recycled(_)) => {
                    return Err(damaged("lunas.db", "is older than the journal beside it").into());
                }
                Err(fault) => return Err(of_journal(fault).into()),
            }
        }
        Err(Fault::Behind.into())
    }

    /// Gives up the snapshot.
    pub(super) fn end(self) -> Pending {
        self.pending
    }
}

impl Pending {
    /// Whether the tables are all.
    pub(super) const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Each changed record once, in its latest state, as far as it can be read without a key.
    pub(super) fn sealed(&self) -> Result<Sealed, Fault> {
        let mut pending = Sealed::default();
        for (position, entry) in &self.entries {
            let Sealed { changes, kept_answers } =
                journal::decode_sealed(entry).map_err(|problem| of_entry(*position, problem))?;
            pending.changes.append(changes);
            pending.kept_answers.extend(kept_answers);
        }
        Ok(pending)
    }

    /// Settles it in a copy of the tables that nobody else uses, and says that the copy is
    /// complete.
    pub(super) fn settle(&self, copy: &Connection) -> Result<(), Fault> {
        let commit = copy.unchecked_transaction()?;
        let mut changes = Changes::default();
        for (position, entry) in &self.entries {
            let later = journal::decode(entry, &Passing);
            changes.append(later.map_err(|problem| of_entry(*position, problem))?);
        }
        if let Some((last, _)) = self.entries.last() {
            let references = References::open(&commit)?;
            tables::write(&commit, &references, &Passing, &changes)?;
            tables::set_applied(&commit, *last)?;
        }
        tables::set_complete(&commit, true)?;
        Ok(commit.commit()?)
    }
}

fn of_entry(position: Position, problem: String) -> Fault {
    damaged(format!("journal entry {position}"), problem)
}

fn of_journal(fault: JournalFault) -> Fault {
    match fault {
        JournalFault::Damaged { file, offset, position, problem } => damaged(
            format!("{JOURNAL_FOLDER}/{file}"),
            format!("at byte {offset}, where entry {position} is due: {problem}"),
        ),
        other => damaged(JOURNAL_FOLDER, other.to_string()),
    }
}
