//! The audit of stored data, also beside a running server.
//!
//! It opens the data to read only, takes no lock of ours, and looks at one snapshot: what is
//! committed while it runs changes nothing of what it sees. Rows are shown to the domain's auditor
//! one at a time. A row that cannot be read is a finding like any other.

use std::path::Path;

use domain::audit::{Auditor, Finding, Summary};
use rusqlite::Connection;
use thiserror::Error;

use super::faults::{Fault, Trouble, trouble};
use super::pace::Pace;
use super::schema::{self, Found};
use super::{
    DATABASE_FILE, OpenFault, administration, books, catalogue, connect_to_read, orders,
    references, statements,
};

statements! {
    QUICK_CHECK = "pragma quick_check(1)";
}

/// After how many of SQLite's virtual instructions the pace is looked at.
const STEPS_BETWEEN_RESTS: i32 = 500;

/// Why an audit did not end well.
#[derive(Debug, Error)]
pub enum VerifyFault {
    /// The data cannot be: this is the first record that is wrong.
    #[error(transparent)]
    Finding(#[from] Finding),
    /// The data could not be opened, and nothing is known of it.
    #[error(transparent)]
    NotOpened(#[from] OpenFault),
    /// Reading broke off for a reason that says nothing about the data.
    #[error("the audit broke off: {0}")]
    BrokenOff(String),
}

impl From<Fault> for VerifyFault {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged(finding) => Self::Finding(finding),
            Fault::Sqlite(error) => match trouble(&error) {
                Trouble::Damaged | Trouble::NotADatabase => Self::Finding(of_file(&error)),
                Trouble::Full | Trouble::Busy | Trouble::Flush | Trouble::Other => {
                    Self::BrokenOff(error.to_string())
                }
            },
        }
    }
}

fn of_file(problem: impl std::fmt::Display) -> Finding {
    Finding { record: DATABASE_FILE.to_owned(), problem: problem.to_string() }
}

/// Audits the data in this directory: every counter equals the replayed transfers, sums are zero,
/// hash chains hold, every hold is resolved or belongs to an open order, and every record can be
/// read. Sealed secrets stay sealed: it needs no key, and proves nothing of them. Changes nothing and takes no lock, so it may run beside a server.
pub fn verify(directory: &Path) -> Result<Summary, VerifyFault> {
    verify_as(directory, schema::known(), Pace::full())
}

/// The same, so slowly that a server on the same machine does not feel it.
pub fn verify_gently(directory: &Path) -> Result<Summary, VerifyFault> {
    verify_as(directory, schema::known(), Pace::gentle())
}

/// The same for a program that knows another schema.
pub(super) fn verify_as(
    directory: &Path,
    known: u32,
    mut pace: Pace,
) -> Result<Summary, VerifyFault> {
    let mut connection = connect_to_read(directory)?;
    // SQLite calls this between its steps, also within its own check of the file.
    let rest = move || {
        pace.rest();
        false
    };
    connection.progress_handler(STEPS_BETWEEN_RESTS, Some(rest)).map_err(Fault::from)?;
    let snapshot = connection.unchecked_transaction().map_err(Fault::from)?;
    match schema::inspect(&snapshot, known)? {
        Found::Schema(version) if version == known => {}
        Found::Schema(found) => return Err(OpenFault::OlderSchema { found, known }.into()),
        Found::Empty => {
            return Err(OpenFault::Missing { directory: directory.to_owned() }.into());
        }
    }
    let summary = audit(&snapshot)?;
    check_file(&snapshot)?;
    Ok(summary)
}

fn audit(snapshot: &Connection) -> Result<Summary, VerifyFault> {
    let mut auditor = Auditor::new(books::all_accounts(snapshot)?)?;
    books::each_transfer(snapshot, |transfer| auditor.transfer(&transfer))?;
    books::each_funding(snapshot, |funding| auditor.funding(&funding))?;
    let mut references = references::Audit::new(snapshot)?;
    orders::each(snapshot, |order| {
        auditor.order(&order)?;
        references.order(&order)
    })?;
    references.finish([])?;
    administration::each_record(snapshot, |record| auditor.audit_record(&record))?;
    administration::each_kept_answer(snapshot, |key, audit| auditor.kept_answer(key, audit))?;
    let summary = auditor.finish()?;
    catalogue::check(snapshot)?;
    Ok(summary)
}

/// SQLite's own opinion of the file, last, because it names no record of ours.
fn check_file(snapshot: &Connection) -> Result<(), VerifyFault> {
    let opinion = snapshot.query_row(QUICK_CHECK, [], |row| row.get::<_, String>(0));
    match opinion.map_err(Fault::from)?.as_str() {
        "ok" => Ok(()),
        problem => Err(of_file(problem).into()),
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
