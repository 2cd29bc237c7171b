//! The audit of stored data, also beside a running server.
//!
//! It opens the data to read only, takes no lock of ours, and looks at one moment ([`View`]): a
//! snapshot of the tables with what the journal holds after it. What is committed while it runs
//! changes nothing of what it sees. Rows are shown to the domain's auditor
//! one at a time. A row that cannot be read is a finding like any other.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use domain::audit::{Auditor, Finding, Summary};
use domain::callback::Delivery;
use domain::command::{DayClaimKey, PayerReferenceKey};
use domain::{Account, AccountId, Callback, CallbackId, Evidence, EvidenceKey, Order, OrderId};
use rusqlite::Connection;
use thiserror::Error;

use super::faults::{Fault, Trouble, trouble};
use super::fields::damaged;
use super::journal::Sealed;
use super::pace::Pace;
use super::pending::{View, ViewFault};
use super::schema;
use super::{
    DATABASE_FILE, OpenFault, administration, books, callbacks, catalogue, collections,
    connect_to_read, orders, references, statements,
};
use crate::pipeline::Changes;

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
            Fault::Behind => {
                Self::BrokenOff("the server settles faster than it can be read".to_owned())
            }
        }
    }
}

impl From<ViewFault> for VerifyFault {
    fn from(fault: ViewFault) -> Self {
        match fault {
            ViewFault::NotOpened(fault) => Self::NotOpened(fault),
            ViewFault::Fault(fault) => fault.into(),
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
    let view = View::open(directory, &connection, known)?;
    if view.schema != known {
        return Err(OpenFault::OlderSchema { found: view.schema, known }.into());
    }
    let summary = audit(&view)?;
    check_file(&view.tables)?;
    Ok(summary)
}

fn audit(view: &View<'_>) -> Result<Summary, VerifyFault> {
    let tables = &view.tables;
    let Sealed { changes: pending, kept_answers } = &view.pending.sealed()?;
    let mut accounts: BTreeMap<AccountId, Account> = BTreeMap::new();
    for account in books::all_accounts(tables)? {
        accounts.insert(account.id, account);
    }
    accounts.extend(pending.accounts.iter().map(|(id, account)| (*id, account.clone())));
    let mut auditor = Auditor::new(accounts.into_values())?;
    books::each_transfer(tables, |transfer| auditor.transfer(&transfer))?;
    pending.transfers.iter().try_for_each(|it| auditor.transfer(it))?;
    books::each_funding(tables, |funding| auditor.funding(&funding))?;
    pending.fundings.iter().try_for_each(|it| auditor.funding(it))?;
    audit_orders(tables, pending, &mut auditor)?;
    audit_callbacks(tables, pending, &mut auditor)?;
    audit_evidence(tables, pending, &mut auditor)?;
    audit_claims(tables, pending)?;
    administration::each_record(tables, |record| auditor.audit_record(&record))?;
    pending.audit_records.iter().try_for_each(|it| auditor.audit_record(it))?;
    administration::each_kept_answer(tables, |key, audit| auditor.kept_answer(key, audit))?;
    kept_answers.iter().try_for_each(|(key, audit)| auditor.kept_answer(key, *audit))?;
    let summary = auditor.finish()?;
    catalogue::check(tables)?;
    Ok(summary)
}

/// Shows the orders as they stand. Their references are compared as they are stored.
fn audit_orders(
    tables: &Connection,
    pending: &Changes,
    auditor: &mut Auditor,
) -> Result<(), Fault> {
    let mut references = references::Audit::new(tables)?;
    let mut changed = 0;
    orders::each(tables, |order| {
        references.order(&order)?;
        match pending.orders.get(&order.id) {
            Some(later) if later.key == order.key => {
                changed += 1;
                Ok(auditor.order(later)?)
            }
            Some(_) => {
                Err(damaged(format!("order {}", order.id), "changes its reference in the journal"))
            }
            None => Ok(auditor.order(&order)?),
        }
    })?;
    if changed < pending.orders.len() {
        return Err(damaged("journal", "changes an order that is not in the tables"));
    }
    pending.new_orders.values().try_for_each(|order| auditor.order(order))?;
    references.finish(pending.new_orders.values().map(AsRef::as_ref))
}

/// Shows the callbacks as they stand, and counts the tries of each: all are kept, and no other.
fn audit_callbacks(
    tables: &Connection,
    pending: &Changes,
    auditor: &mut Auditor,
) -> Result<(), Fault> {
    let mut tries: BTreeMap<CallbackId, u32> = BTreeMap::new();
    let mut count = |delivery: &Delivery| {
        let tries = tries.entry(delivery.callback).or_default();
        *tries = tries.saturating_add(1);
        if *tries == delivery.number {
            return Ok(());
        }
        let Delivery { callback, number, .. } = delivery;
        Err(Finding {
            record: format!("delivery {number} of callback {callback}"),
            problem: format!("comes in the place of number {tries}"),
        })
    };
    callbacks::each_delivery(tables, |delivery| count(&delivery))?;
    pending.deliveries.iter().try_for_each(&mut count)?;
    let mut show = |callback: &Callback| {
        let kept = tries.remove(&callback.id).unwrap_or_default();
        if kept != callback.tries {
            let problem = format!("was tried {} times and {kept} tries are kept", callback.tries);
            return Err(Finding { record: format!("callback {}", callback.id), problem });
        }
        auditor.callback(callback)
    };
    let mut last = None;
    callbacks::each(tables, |callback| {
        last = Some(callback.id);
        show(pending.callbacks.get(&callback.id).unwrap_or(&callback))
    })?;
    let new = pending.callbacks.values().filter(|callback| Some(callback.id) > last);
    new.clone().try_for_each(show)?;
    match tries.first_key_value() {
        Some((callback, _)) => {
            Err(damaged(format!("callback {callback}"), "was tried and does not exist"))
        }
        None => Ok(()),
    }
}

/// Shows the evidence as it stands, after the orders that it paid.
fn audit_evidence(
    tables: &Connection,
    pending: &Changes,
    auditor: &mut Auditor,
) -> Result<(), Fault> {
    let mut new: BTreeMap<&EvidenceKey, &Evidence> = pending.evidence.iter().collect();
    collections::each_evidence(tables, |stored| {
        auditor.evidence(new.remove(&stored.key).unwrap_or(&stored))
    })?;
    new.into_values().try_for_each(|evidence| auditor.evidence(evidence))?;
    Ok(())
}

/// Compares what counts towards limits, and what payers named, with the orders for which it stands.
/// No auditor looks at these.
fn audit_claims(tables: &Connection, pending: &Changes) -> Result<(), Fault> {
    let find = |id: OrderId| match pending.new_orders.get(&id) {
        Some(order) => Ok(Some(Arc::clone(order))),
        None => orders::by_id(tables, id),
    };
    let check_limit = |key: &DayClaimKey, id: OrderId| {
        let counts = |order: &Order| {
            order.key.merchant == key.merchant
                && order.created_at.business_day() == key.day
                && order.destination == key.destination
                && key.product.as_ref().is_none_or(|product| *product == order.product)
        };
        match find(id)? {
            Some(order) if counts(&order) => Ok(()),
            _ => {
                Err(damaged(format!("order {id}"), "does not count towards the limit that it does"))
            }
        }
    };
    let check_reference = |key: &PayerReferenceKey, id: OrderId| match find(id)? {
        Some(order) if order.collecting.as_ref().is_some_and(|it| it.channel == key.channel) => {
            Ok(())
        }
        _ => Err(damaged(format!("order {id}"), "waits for nothing that its payer named")),
    };
    collections::each_day_claim(tables, check_limit)?;
    pending.day_claims.iter().try_for_each(|(key, order)| check_limit(key, *order))?;
    collections::each_payer_reference(tables, check_reference)?;
    pending.payer_references.iter().try_for_each(|(key, order)| check_reference(key, *order))
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
