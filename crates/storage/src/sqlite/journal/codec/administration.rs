//! Audit records and kept answers as bytes.

use domain::administration::{Actor, AuditNumber, AuditRecord, Facts, KeptAnswer, RequestKey};
use gateway::ports::Sealer;

use super::bytes::{Reader, Writer};
use super::words::{
    read_action, read_hash, read_role, read_timestamp, write_action, write_hash, write_role,
    write_timestamp,
};
use crate::sqlite::administration::seal_context;
use crate::sqlite::effects;
use crate::sqlite::fields::Problem;

pub(super) fn write_record(writer: &mut Writer<'_>, record: &AuditRecord) -> Result<(), Problem> {
    let AuditRecord {
        number,
        at,
        actor: Actor { name, role },
        action,
        subject,
        before,
        after,
        request,
        hash,
    } = record;
    writer.number(number.0);
    write_timestamp(writer, *at);
    writer.text(name);
    write_role(writer, *role);
    write_action(writer, *action);
    writer.text(subject);
    for facts in [before, after] {
        writer.list(facts.iter(), |writer, (name, value)| {
            writer.text(name);
            writer.text(value);
        });
    }
    writer.optional(request.as_deref(), Writer::text);
    write_hash(writer, *hash);
    Ok(())
}

pub(super) fn read_record(reader: &mut Reader<'_>) -> Result<AuditRecord, Problem> {
    let number = AuditNumber(reader.number()?);
    let at = read_timestamp(reader)?;
    let actor = Actor { name: reader.text()?.to_owned(), role: read_role(reader)? };
    Ok(AuditRecord {
        number,
        at,
        actor,
        action: read_action(reader)?,
        subject: reader.text()?.to_owned(),
        before: read_facts(reader)?,
        after: read_facts(reader)?,
        request: reader.optional(Reader::text)?.map(str::to_owned),
        hash: read_hash(reader)?,
    })
}

fn read_facts(reader: &mut Reader<'_>) -> Result<Facts, Problem> {
    let fact = |reader: &mut Reader<'_>| Ok((reader.text()?.to_owned(), reader.text()?.to_owned()));
    Ok(reader.list(fact)?.into_iter().collect())
}

pub(super) fn write_kept_answer(
    writer: &mut Writer<'_>,
    kept: &KeptAnswer,
    sealer: &dyn Sealer,
) -> Result<(), Problem> {
    let KeptAnswer { key: key @ RequestKey { actor, text }, fingerprint, audit, effect } = kept;
    writer.text(actor);
    writer.text(text);
    writer.bytes(fingerprint);
    writer.number(audit.0);
    writer.text(&sealer.seal(&effects::write(effect)?, &seal_context(key)));
    Ok(())
}

/// A kept answer whose effect is sealed.
pub(super) struct SealedAnswer<'a> {
    pub(super) key: RequestKey,
    fingerprint: [u8; 32],
    pub(super) audit: AuditNumber,
    effect: &'a str,
}

impl SealedAnswer<'_> {
    pub(super) fn open(self, sealer: &dyn Sealer) -> Result<KeptAnswer, Problem> {
        let Self { key, fingerprint, audit, effect } = self;
        let effect = sealer.open(effect, &seal_context(&key)).map_err(|fault| fault.to_string())?;
        Ok(KeptAnswer { key, fingerprint, audit, effect: effects::read(&effect)? })
    }
}

pub(super) fn read_kept_answer<'a>(reader: &mut Reader<'a>) -> Result<SealedAnswer<'a>, Problem> {
    Ok(SealedAnswer {
        key: RequestKey { actor: reader.text()?.to_owned(), text: reader.text()?.to_owned() },
        fingerprint: reader.bytes()?,
        audit: AuditNumber(reader.number()?),
        effect: reader.text()?,
    })
}
