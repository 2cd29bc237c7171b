//! Orders as bytes, with all that belongs to them.

use std::sync::Arc;

use domain::{
    Attempt, AttemptState, Bill, CallbackId, Collecting, Delivery, Detail, Hold, Order, OrderId,
    OrderState, Period, ProcessId, ProductId, ProtocolName, Quote, Reference, ReferenceKey,
    TransferId, UpstreamName, YearMonth,
};

use super::bytes::{Reader, Writer};
use super::collections::{read_evidence_key, write_evidence_key};
use super::words::{
    read_amount, read_doubt, read_flag, read_kind, read_merchant_id, read_mode, read_refusal,
    read_timestamp, write_amount, write_doubt, write_kind, write_mode, write_refusal,
    write_timestamp,
};
use crate::sqlite::fields::Problem;
use crate::sqlite::trees::DETAIL_DEPTH_MAX;

pub(super) fn write(writer: &mut Writer<'_>, order: impl AsRef<Order>) -> Result<(), Problem> {
    let Order {
        id,
        key,
        kind,
        state,
        fingerprint,
        product,
        code,
        destination,
        upstream,
        bill,
        quote,
        created_at,
        updated_at,
        expires_at,
        holds,
        attempts,
        question_due,
        delivery,
        dialect,
        calls_back,
        callback_url,
        callbacks,
        collecting,
        recipient,
    } = order.as_ref();
    writer.number(id.0);
    write_key(writer, key);
    write_kind(writer, *kind);
    write_state(writer, *state);
    writer.bytes(fingerprint);
    writer.text(product.as_str());
    writer.text(code);
    writer.text(destination);
    writer.text(upstream.as_str());
    writer.byte(u8::from(bill.is_some()));
    bill.iter().try_for_each(|bill| write_bill(writer, bill))?;
    writer.optional(*quote, write_quote);
    for timestamp in [created_at, updated_at, expires_at] {
        write_timestamp(writer, *timestamp);
    }
    writer.list(holds.iter(), write_hold);
    writer.list(attempts.iter(), write_attempt);
    writer.optional(*question_due, write_timestamp);
    writer.byte(u8::from(delivery.is_some()));
    delivery.iter().try_for_each(|delivery| write_delivery(writer, delivery))?;
    writer.text(dialect);
    writer.byte(u8::from(*calls_back));
    writer.optional(callback_url.as_deref(), Writer::text);
    writer.list(callbacks.iter(), |writer, callback| writer.number(callback.0));
    writer.byte(u8::from(collecting.is_some()));
    collecting.iter().try_for_each(|collecting| write_collecting(writer, collecting))?;
    writer.byte(u8::from(recipient.is_some()));
    recipient.iter().try_for_each(|recipient| write_detail(writer, recipient, 1))
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Order, Problem> {
    Ok(Order {
        id: OrderId(reader.number()?),
        key: read_key(reader)?,
        kind: read_kind(reader)?,
        state: read_state(reader)?,
        fingerprint: reader.bytes()?,
        product: ProductId::new(reader.text()?),
        code: reader.text()?.to_owned(),
        destination: reader.text()?.to_owned(),
        upstream: UpstreamName::new(reader.text()?),
        bill: reader.optional(read_bill)?.map(Arc::new),
        quote: reader.optional(read_quote)?,
        created_at: read_timestamp(reader)?,
        updated_at: read_timestamp(reader)?,
        expires_at: read_timestamp(reader)?,
        holds: reader.list(read_hold)?,
        attempts: reader.list(read_attempt)?,
        question_due: reader.optional(read_timestamp)?,
        delivery: reader.optional(read_delivery)?,
        dialect: reader.text()?.to_owned(),
        calls_back: read_flag(reader)?,
        callback_url: reader.optional(Reader::text)?.map(str::to_owned),
        callbacks: reader.list(|reader| Ok(CallbackId(reader.number()?)))?,
        collecting: reader.optional(read_collecting)?,
        recipient: reader.optional(|reader| read_detail(reader, 1))?,
    })
}

fn write_key(writer: &mut Writer<'_>, key: &ReferenceKey) {
    let ReferenceKey { merchant, protocol, mode, reference } = key;
    writer.number(merchant.0);
    writer.text(protocol.as_str());
    write_mode(writer, *mode);
    writer.text(reference.as_str());
}

fn read_key(reader: &mut Reader<'_>) -> Result<ReferenceKey, Problem> {
    Ok(ReferenceKey {
        merchant: read_merchant_id(reader)?,
        protocol: ProtocolName::new(reader.text()?),
        mode: read_mode(reader)?,
        reference: Reference::new(reader.text()?),
    })
}

fn write_state(writer: &mut Writer<'_>, state: OrderState) {
    match state {
        OrderState::Declined(refusal) => {
            writer.byte(1);
            write_refusal(writer, refusal);
        }
        OrderState::Quoted => writer.byte(2),
        OrderState::Awaiting => writer.byte(3),
        OrderState::Processing => writer.byte(4),
        OrderState::Succeeded => writer.byte(5),
        OrderState::Failed(refusal) => {
            writer.byte(6);
            write_refusal(writer, refusal);
        }
        OrderState::Expired => writer.byte(7),
    }
}

fn read_state(reader: &mut Reader<'_>) -> Result<OrderState, Problem> {
    Ok(match reader.byte()? {
        1 => OrderState::Declined(read_refusal(reader)?),
        2 => OrderState::Quoted,
        3 => OrderState::Awaiting,
        4 => OrderState::Processing,
        5 => OrderState::Succeeded,
        6 => OrderState::Failed(read_refusal(reader)?),
        7 => OrderState::Expired,
        other => return Err(format!("{other} is not a state of an order")),
    })
}

fn write_bill(writer: &mut Writer<'_>, bill: &Bill) -> Result<(), Problem> {
    let Bill { customer_name, period, nominal, count, details } = bill;
    writer.text(customer_name);
    write_period(writer, period);
    write_amount(writer, *nominal);
    writer.number(*count);
    write_detail(writer, details, 1)
}

fn read_bill(reader: &mut Reader<'_>) -> Result<Bill, Problem> {
    Ok(Bill {
        customer_name: reader.text()?.to_owned(),
        period: read_period(reader)?,
        nominal: read_amount(reader)?,
        count: reader.number()?,
        details: read_detail(reader, 1)?,
    })
}

fn write_period(writer: &mut Writer<'_>, period: &Period) {
    match period {
        Period::None => writer.byte(1),
        Period::Months(months) => {
            writer.byte(2);
            writer.list(months.iter(), |writer, YearMonth { year, month }| {
                writer.number(*year);
                writer.byte(*month);
            });
        }
        Period::MonthCount(count) => {
            writer.byte(3);
            writer.byte(*count);
        }
        Period::Instalment(number) => {
            writer.byte(4);
            writer.number(*number);
        }
        Period::Text(text) => {
            writer.byte(5);
            writer.text(text);
        }
    }
}

fn read_period(reader: &mut Reader<'_>) -> Result<Period, Problem> {
    let month =
        |reader: &mut Reader<'_>| Ok(YearMonth { year: reader.number()?, month: reader.byte()? });
    Ok(match reader.byte()? {
        1 => Period::None,
        2 => Period::Months(reader.list(month)?),
        3 => Period::MonthCount(reader.byte()?),
        4 => Period::Instalment(reader.number()?),
        5 => Period::Text(reader.text()?.to_owned()),
        other => return Err(format!("{other} is not a period")),
    })
}

/// Refuses what could not be stored in a row either, and with that keeps the reader's stack small.
fn check_depth(depth: usize) -> Result<(), Problem> {
    if depth > DETAIL_DEPTH_MAX {
        return Err(format!("details are nested deeper than {DETAIL_DEPTH_MAX}"));
    }
    Ok(())
}

fn write_detail(writer: &mut Writer<'_>, detail: &Detail, depth: usize) -> Result<(), Problem> {
    check_depth(depth)?;
    match detail {
        Detail::Text(text) => {
            writer.byte(1);
            writer.text(text);
        }
        Detail::Number(number) => {
            writer.byte(2);
            writer.signed(*number);
        }
        Detail::Money(amount) => {
            writer.byte(3);
            write_amount(writer, *amount);
        }
        Detail::List(items) => {
            writer.byte(4);
            writer.count(items.len());
            for item in items {
                write_detail(writer, item, depth + 1)?;
            }
        }
        Detail::Record(entries) => {
            writer.byte(5);
            writer.count(entries.len());
            for (name, item) in entries {
                writer.text(name);
                write_detail(writer, item, depth + 1)?;
            }
        }
    }
    Ok(())
}

fn read_detail(reader: &mut Reader<'_>, depth: usize) -> Result<Detail, Problem> {
    check_depth(depth)?;
    Ok(match reader.byte()? {
        1 => Detail::Text(reader.text()?.to_owned()),
        2 => Detail::Number(reader.signed()?),
        3 => Detail::Money(read_amount(reader)?),
        4 => Detail::List(reader.list(|reader| read_detail(reader, depth + 1))?),
        5 => Detail::Record(
            reader
                .list(|reader| Ok((reader.text()?.to_owned(), read_detail(reader, depth + 1)?)))?,
        ),
        other => return Err(format!("{other} is not a detail")),
    })
}

fn write_quote(writer: &mut Writer<'_>, quote: Quote) {
    let Quote { nominal, admin_fee, admin, price, charge } = quote;
    for amount in [nominal, admin_fee, admin, price, charge] {
        write_amount(writer, amount);
    }
}

fn read_quote(reader: &mut Reader<'_>) -> Result<Quote, Problem> {
    Ok(Quote {
        nominal: read_amount(reader)?,
        admin_fee: read_amount(reader)?,
        admin: read_amount(reader)?,
        price: read_amount(reader)?,
        charge: read_amount(reader)?,
    })
}

fn write_hold(writer: &mut Writer<'_>, hold: &Hold) {
    let Hold { transfer, amount, resolved_by } = hold;
    writer.number(transfer.0);
    write_amount(writer, *amount);
    writer.optional(*resolved_by, |writer, transfer| writer.number(transfer.0));
}

fn read_hold(reader: &mut Reader<'_>) -> Result<Hold, Problem> {
    Ok(Hold {
        transfer: TransferId(reader.number()?),
        amount: read_amount(reader)?,
        resolved_by: reader.optional(Reader::number)?.map(TransferId),
    })
}

fn write_attempt(writer: &mut Writer<'_>, attempt: &Attempt) {
    let Attempt { number, upstream, state, owner, started_at, questions } = attempt;
    writer.number(*number);
    writer.text(upstream.as_str());
    match state {
        AttemptState::Intent => writer.byte(1),
        AttemptState::Unknown(doubt) => {
            writer.byte(2);
            write_doubt(writer, *doubt);
        }
        AttemptState::Delivered => writer.byte(3),
        AttemptState::Refused(refusal) => {
            writer.byte(4);
            write_refusal(writer, *refusal);
        }
    }
    writer.number(owner.0);
    write_timestamp(writer, *started_at);
    writer.number(*questions);
}

fn read_attempt(reader: &mut Reader<'_>) -> Result<Attempt, Problem> {
    Ok(Attempt {
        number: reader.number()?,
        upstream: UpstreamName::new(reader.text()?),
        state: match reader.byte()? {
            1 => AttemptState::Intent,
            2 => AttemptState::Unknown(read_doubt(reader)?),
            3 => AttemptState::Delivered,
            4 => AttemptState::Refused(read_refusal(reader)?),
            other => return Err(format!("{other} is not a state of an attempt")),
        },
        owner: ProcessId(reader.number()?),
        started_at: read_timestamp(reader)?,
        questions: reader.number()?,
    })
}

fn write_collecting(writer: &mut Writer<'_>, collecting: &Collecting) -> Result<(), Problem> {
    let Collecting { channel, due, gross, fee, return_url, in_review, particulars, evidence } =
        collecting;
    writer.text(channel);
    for amount in [due, gross, fee] {
        write_amount(writer, *amount);
    }
    writer.optional(return_url.as_deref(), Writer::text);
    writer.byte(u8::from(*in_review));
    write_detail(writer, particulars, 1)?;
    writer.optional(evidence.as_ref(), write_evidence_key);
    Ok(())
}

fn read_collecting(reader: &mut Reader<'_>) -> Result<Collecting, Problem> {
    Ok(Collecting {
        channel: reader.text()?.to_owned(),
        due: read_amount(reader)?,
        gross: read_amount(reader)?,
        fee: read_amount(reader)?,
        return_url: reader.optional(Reader::text)?.map(str::to_owned),
        in_review: read_flag(reader)?,
        particulars: read_detail(reader, 1)?,
        evidence: reader.optional(read_evidence_key)?,
    })
}

fn write_delivery(writer: &mut Writer<'_>, delivery: &Delivery) -> Result<(), Problem> {
    let Delivery { cost, serial_number, details } = delivery;
    write_amount(writer, *cost);
    writer.text(serial_number);
    writer.byte(u8::from(details.is_some()));
    details.iter().try_for_each(|details| write_detail(writer, details, 1))
}

fn read_delivery(reader: &mut Reader<'_>) -> Result<Delivery, Problem> {
    Ok(Delivery {
        cost: read_amount(reader)?,
        serial_number: reader.text()?.to_owned(),
        details: reader.optional(|reader| read_detail(reader, 1))?,
    })
}
