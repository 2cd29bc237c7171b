//! What operators did, and what they were answered, as rows.
//!
//! Audit records are only ever added; the tables refuse anything else.

use std::collections::BTreeMap;

use domain::Hash;
use domain::administration::{
    Action, Actor, AuditNumber, AuditRecord, Facts, KeptAnswer, RequestKey, Role,
};
use domain::audit::Finding;
use gateway::ports::{Page, Sealer};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::faults::Fault;
use super::fields::{Fields, Problem, damaged, stored_number, to_stored};
use super::{effects, statements};

macro_rules! audit_columns {
    () => {
        "number, at_ms, actor, role, action, subject, facts_before, facts_after, request, hash"
    };
}

statements! {
    LAST_AUDIT_RECORD = "select number, hash from audit_records order by number desc limit 1";

    INSERT_AUDIT_RECORD = concat!(
        "insert into audit_records (", audit_columns!(), ") \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    );

    ALL_AUDIT_RECORDS = concat!(
        "select ", audit_columns!(), " from audit_records order by number"
    );

    AUDIT_RECORDS_BELOW = concat!(
        "select ", audit_columns!(), " from audit_records where number < ?1 \
         order by number desc limit ?2"
    );

    KEPT_ANSWER = "select actor, request, fingerprint, audit, effect from kept_answers \
         where actor = ?1 and request = ?2";

    INSERT_KEPT_ANSWER = "insert into kept_answers (actor, request, fingerprint, audit, effect) \
         values (?1, ?2, ?3, ?4, ?5)";

    ALL_KEPT_ANSWERS = "select actor, request, audit from kept_answers order by actor, request";
}

/// The number and digest of the latest audit record.
pub(super) fn last_record(connection: &Connection) -> Result<Option<(AuditNumber, Hash)>, Fault> {
    let mut statement = connection.prepare_cached(LAST_AUDIT_RECORD)?;
    let found = statement.query_row([], |row| {
        let mut fields = Fields::new(row);
        let mut read =
            || -> Result<_, Problem> { Ok((AuditNumber(fields.number()?), Hash(fields.next()?))) };
        Ok(read().map_err(|problem| damaged("audit records", problem)))
    });
    found.optional()?.transpose()
}

pub(super) fn insert_record(connection: &Connection, record: &AuditRecord) -> Result<(), Fault> {
    let facts = |facts: &Facts| {
        serde_json::to_string(facts)
            .map_err(|error| damaged(format!("audit record {}", record.number), error.to_string()))
    };
    connection.prepare_cached(INSERT_AUDIT_RECORD)?.execute(params![
        to_stored(record.number.0, "audit record")?,
        record.at.milliseconds(),
        record.actor.name,
        record.actor.role.name(),
        record.action.name(),
        record.subject,
        facts(&record.before)?,
        facts(&record.after)?,
        record.request,
        record.hash.0,
    ])?;
    Ok(())
}

/// Newest first, below this number.
pub(super) fn records_below(
    connection: &Connection,
    before: Option<AuditNumber>,
    limit: u32,
) -> Result<Page<AuditRecord, AuditNumber>, Fault> {
    let before = before.and_then(|number| stored_number(number.0)).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(AUDIT_RECORDS_BELOW)?;
    let mut rows = statement.query(params![before, limit.saturating_add(1)])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record(row)?);
    }
    Ok(Page::of(records, limit, |record| record.number))
}

/// Shows every record in the order of their numbers, one at a time.
pub(super) fn each_record(
    connection: &Connection,
    mut visit: impl FnMut(AuditRecord) -> Result<(), Finding>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(ALL_AUDIT_RECORDS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        visit(record(row)?)?;
    }
    Ok(())
}

fn record(row: &Row<'_>) -> Result<AuditRecord, Finding> {
    let mut fields = Fields::new(row);
    let finding = |record: String, problem| Finding { record, problem };
    let number: u64 =
        fields.number().map_err(|problem| finding("audit record".to_owned(), problem))?;
    let facts = |json: &str| -> Result<Facts, Problem> {
        serde_json::from_str::<BTreeMap<_, _>>(json).map_err(|error| error.to_string())
    };
    let mut read = || -> Result<AuditRecord, Problem> {
        let at = fields.timestamp()?;
        let name = fields.next()?;
        let role = fields.text()?;
        let role = Role::from_name(role).ok_or_else(|| format!("{role:?} is not a role"))?;
        let action = fields.text()?;
        let action =
            Action::from_name(action).ok_or_else(|| format!("{action:?} is not an action"))?;
        Ok(AuditRecord {
            number: AuditNumber(number),
            at,
            actor: Actor { name, role },
            action,
            subject: fields.next()?,
            before: facts(fields.text()?)?,
            after: facts(fields.text()?)?,
            request: fields.next()?,
            hash: Hash(fields.next()?),
        })
    };
    read().map_err(|problem| finding(format!("audit record {number}"), problem))
}

/// The place for which a kept answer is sealed.
pub(super) fn seal_context(key: &RequestKey) -> String {
    format!("answer/{}/{}", key.actor, key.text)
}

fn name(key: &RequestKey) -> String {
    format!("request {} of {}", key.text, key.actor)
}

pub(super) fn kept_answer(
    connection: &Connection,
    key: &RequestKey,
    sealer: &dyn Sealer,
) -> Result<Option<KeptAnswer>, Fault> {
    let mut statement = connection.prepare_cached(KEPT_ANSWER)?;
    let found = statement.query_row(params![key.actor, key.text], |row| {
        let mut fields = Fields::new(row);
        let mut read = || -> Result<KeptAnswer, Problem> {
            let key = RequestKey { actor: fields.next()?, text: fields.next()? };
            let fingerprint = fields.next()?;
            let audit = AuditNumber(fields.number()?);
            let effect = sealer.open(fields.text()?, &seal_context(&key));
            let effect = effects::read(&effect.map_err(|fault| fault.to_string())?)?;
            Ok(KeptAnswer { key, fingerprint, audit, effect })
        };
        Ok(read().map_err(|problem| damaged(name(key), problem)))
    });
    found.optional()?.transpose()
}

pub(super) fn insert_kept_answer(
    connection: &Connection,
    kept: &KeptAnswer,
    sealer: &dyn Sealer,
) -> Result<(), Fault> {
    let effect =
        effects::write(&kept.effect).map_err(|problem| damaged(name(&kept.key), problem))?;
    connection.prepare_cached(INSERT_KEPT_ANSWER)?.execute(params![
        kept.key.actor,
        kept.key.text,
        kept.fingerprint,
        to_stored(kept.audit.0, "audit record")?,
        sealer.seal(&effect, &seal_context(&kept.key)),
    ])?;
    Ok(())
}

/// Shows the name of every answered request with the audit record of it. The answers stay sealed.
pub(super) fn each_kept_answer(
    connection: &Connection,
    mut visit: impl FnMut(&RequestKey, AuditNumber) -> Result<(), Finding>,
) -> Result<(), Fault> {
    let mut statement = connection.prepare(ALL_KEPT_ANSWERS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut fields = Fields::new(row);
        let mut read = || -> Result<_, Problem> {
            let key = RequestKey { actor: fields.next()?, text: fields.next()? };
            Ok((key, AuditNumber(fields.number()?)))
        };
        let (key, audit) = read().map_err(|problem| damaged("kept answers", problem))?;
        visit(&key, audit)?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "administration_tests.rs"]
mod tests;
