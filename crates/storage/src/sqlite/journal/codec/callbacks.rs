//! Callbacks and deliveries as bytes.

use std::sync::Arc;
use std::time::Duration;

use domain::callback::{Delivery, Received, Rendered};
use domain::{Callback, CallbackId, CallbackState, OrderId, ProcessId, ProtocolName};

use super::bytes::{Reader, Writer};
use super::words::{
    read_amount, read_event, read_flag, read_merchant_id, read_timestamp, write_amount,
    write_event, write_timestamp,
};
use crate::sqlite::callbacks::milliseconds;
use crate::sqlite::fields::Problem;

pub(super) fn write(writer: &mut Writer<'_>, callback: &Callback) -> Result<(), Problem> {
    let Callback {
        id,
        order,
        merchant,
        protocol,
        event,
        to_own_address,
        at,
        balance,
        rendered,
        state,
        tries,
        tries_in_round,
    } = callback;
    writer.number(id.0);
    writer.number(order.0);
    writer.number(merchant.0);
    writer.text(protocol.as_str());
    write_event(writer, *event);
    writer.byte(u8::from(*to_own_address));
    write_timestamp(writer, *at);
    write_amount(writer, *balance);
    writer.optional(rendered.as_deref(), write_rendered);
    write_state(writer, *state);
    writer.number(*tries);
    writer.number(*tries_in_round);
    Ok(())
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Callback, Problem> {
    Ok(Callback {
        id: CallbackId(reader.number()?),
        order: OrderId(reader.number()?),
        merchant: read_merchant_id(reader)?,
        protocol: ProtocolName::new(reader.text()?),
        event: read_event(reader)?,
        to_own_address: read_flag(reader)?,
        at: read_timestamp(reader)?,
        balance: read_amount(reader)?,
        rendered: reader.optional(read_rendered)?.map(Arc::new),
        state: read_state(reader)?,
        tries: reader.number()?,
        tries_in_round: reader.number()?,
    })
}

fn write_rendered(writer: &mut Writer<'_>, rendered: &Rendered) {
    let Rendered { headers, body } = rendered;
    writer.list(headers.iter(), |writer, (name, value)| {
        writer.text(name);
        writer.text(value);
    });
    writer.count(body.len());
    writer.bytes(body);
}

fn read_rendered(reader: &mut Reader<'_>) -> Result<Rendered, Problem> {
    let header =
        |reader: &mut Reader<'_>| Ok((reader.text()?.to_owned(), reader.text()?.to_owned()));
    Ok(Rendered { headers: reader.list(header)?, body: reader.counted_bytes()?.to_owned() })
}

fn write_state(writer: &mut Writer<'_>, state: CallbackState) {
    match state {
        CallbackState::Waiting { due } => {
            writer.byte(1);
            write_timestamp(writer, due);
        }
        CallbackState::Leased { owner, until } => {
            writer.byte(2);
            writer.number(owner.0);
            write_timestamp(writer, until);
        }
        CallbackState::Delivered => writer.byte(3),
        CallbackState::GivenUp => writer.byte(4),
    }
}

fn read_state(reader: &mut Reader<'_>) -> Result<CallbackState, Problem> {
    Ok(match reader.byte()? {
        1 => CallbackState::Waiting { due: read_timestamp(reader)? },
        2 => CallbackState::Leased {
            owner: ProcessId(reader.number()?),
            until: read_timestamp(reader)?,
        },
        3 => CallbackState::Delivered,
        4 => CallbackState::GivenUp,
        other => return Err(format!("{other} is not a state of a callback")),
    })
}

pub(super) fn write_delivery(writer: &mut Writer<'_>, delivery: &Delivery) -> Result<(), Problem> {
    let Delivery { callback, number, at, took, received } = delivery;
    writer.number(callback.0);
    writer.number(*number);
    write_timestamp(writer, *at);
    // As in the row, so that it is the same on either way into it.
    writer.signed(milliseconds(*took));
    match received {
        Received::Answered { status, excerpt } => {
            writer.byte(1);
            writer.number(*status);
            writer.text(excerpt);
        }
        Received::Unreachable { problem } => {
            writer.byte(2);
            writer.text(problem);
        }
        Received::NoAddress => writer.byte(3),
    }
    Ok(())
}

pub(super) fn read_delivery(reader: &mut Reader<'_>) -> Result<Delivery, Problem> {
    Ok(Delivery {
        callback: CallbackId(reader.number()?),
        number: reader.number()?,
        at: read_timestamp(reader)?,
        took: u64::try_from(reader.signed()?)
            .map(Duration::from_millis)
            .map_err(|_| "a try took less than no time".to_owned())?,
        received: match reader.byte()? {
            1 => {
                Received::Answered { status: reader.number()?, excerpt: reader.text()?.to_owned() }
            }
            2 => Received::Unreachable { problem: reader.text()?.to_owned() },
            3 => Received::NoAddress,
            other => return Err(format!("{other} is nothing to receive")),
        },
    })
}
