//! Evidence, what payers named, and what counts towards limits, as bytes.

use domain::command::{DayClaimKey, PayerReferenceKey};
use domain::{BusinessDay, Evidence, EvidenceKey, EvidenceState, OrderId, ProductId, TransferId};

use super::bytes::{Reader, Writer};
use super::words::{
    read_amount, read_doubtful, read_merchant_id, read_timestamp, write_amount, write_doubtful,
    write_timestamp,
};
use crate::sqlite::fields::Problem;

pub(super) fn write_evidence_key(writer: &mut Writer<'_>, key: &EvidenceKey) {
    let EvidenceKey { source, id } = key;
    writer.text(source);
    writer.text(id);
}

pub(super) fn read_evidence_key(reader: &mut Reader<'_>) -> Result<EvidenceKey, Problem> {
    Ok(EvidenceKey { source: reader.text()?.to_owned(), id: reader.text()?.to_owned() })
}

pub(super) fn write_evidence(writer: &mut Writer<'_>, evidence: &Evidence) -> Result<(), Problem> {
    let Evidence { key, channel, amount, sender, reference, came_in_at, seen_at, state } = evidence;
    write_evidence_key(writer, key);
    writer.text(channel);
    write_amount(writer, *amount);
    writer.text(sender);
    writer.text(reference);
    write_timestamp(writer, *came_in_at);
    write_timestamp(writer, *seen_at);
    match state {
        EvidenceState::Open => writer.byte(1),
        EvidenceState::Used(order) => {
            writer.byte(2);
            writer.number(order.0);
        }
        EvidenceState::Suspended { reason, transfer } => {
            writer.byte(3);
            write_doubtful(writer, *reason);
            writer.number(transfer.0);
        }
        EvidenceState::Released(merchant) => {
            writer.byte(4);
            writer.optional(*merchant, |writer, merchant| writer.number(merchant.0));
        }
    }
    Ok(())
}

pub(super) fn read_evidence(reader: &mut Reader<'_>) -> Result<Evidence, Problem> {
    Ok(Evidence {
        key: read_evidence_key(reader)?,
        channel: reader.text()?.to_owned(),
        amount: read_amount(reader)?,
        sender: reader.text()?.to_owned(),
        reference: reader.text()?.to_owned(),
        came_in_at: read_timestamp(reader)?,
        seen_at: read_timestamp(reader)?,
        state: match reader.byte()? {
            1 => EvidenceState::Open,
            2 => EvidenceState::Used(OrderId(reader.number()?)),
            3 => EvidenceState::Suspended {
                reason: read_doubtful(reader)?,
                transfer: TransferId(reader.number()?),
            },
            4 => EvidenceState::Released(reader.optional(read_merchant_id)?),
            other => return Err(format!("{other} is not a state of evidence")),
        },
    })
}

pub(super) fn write_payer_reference(
    writer: &mut Writer<'_>,
    (key, order): (&PayerReferenceKey, &OrderId),
) -> Result<(), Problem> {
    let PayerReferenceKey { channel, text } = key;
    writer.text(channel);
    writer.text(text);
    writer.number(order.0);
    Ok(())
}

pub(super) fn read_payer_reference(
    reader: &mut Reader<'_>,
) -> Result<(PayerReferenceKey, OrderId), Problem> {
    let (channel, text) = (reader.text()?.to_owned(), reader.text()?.to_owned());
    Ok((PayerReferenceKey { channel, text }, OrderId(reader.number()?)))
}

pub(super) fn write_day_claim(
    writer: &mut Writer<'_>,
    (key, order): (&DayClaimKey, &OrderId),
) -> Result<(), Problem> {
    let DayClaimKey { merchant, day, destination, product } = key;
    writer.number(merchant.0);
    writer.signed(day.number());
    writer.text(destination);
    writer.optional(product.as_ref().map(ProductId::as_str), Writer::text);
    writer.number(order.0);
    Ok(())
}

pub(super) fn read_day_claim(reader: &mut Reader<'_>) -> Result<(DayClaimKey, OrderId), Problem> {
    let key = DayClaimKey {
        merchant: read_merchant_id(reader)?,
        day: BusinessDay::from_number(reader.signed()?),
        destination: reader.text()?.to_owned(),
        product: reader.optional(Reader::text)?.map(ProductId::new),
    };
    Ok((key, OrderId(reader.number()?)))
}
