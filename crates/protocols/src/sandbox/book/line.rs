//! A line of the book: the JSON object for a purchase in one state.

use std::borrow::Cow;

use domain::{Amount, Currency, Doubt, OrderId, ProductId, Refusal};
use serde::{Deserialize, Serialize};

use super::{Entry, State, held};
use crate::sandbox::calendar;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    order: u64,
    attempt: u16,
    product: Cow<'a, str>,
    code: Cow<'a, str>,
    destination: Cow<'a, str>,
    currency: Cow<'a, str>,
    nominal: i64,
    cost: i64,
    state: Word,
    /// Why it is pending or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<Cow<'a, str>>,
    serial_number: Cow<'a, str>,
    at: String,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Pending,
    Success,
    Failed,
}

/// Appends the line of an entry, with its line feed.
pub(super) fn write(entry: &Entry, to: &mut Vec<u8>) -> serde_json::Result<()> {
    let (state, reason) = match entry.state {
        State::Pending(doubt) => (Word::Pending, Some(doubt.name())),
        State::Success => (Word::Success, None),
        State::Failed(refusal) => (Word::Failed, Some(refusal.name())),
    };
    let line = Line {
        order: entry.order.0,
        attempt: entry.attempt,
        product: entry.product.as_str().into(),
        code: entry.code.as_str().into(),
        destination: entry.destination.as_str().into(),
        currency: entry.nominal.currency().code().into(),
        nominal: entry.nominal.minor(),
        cost: entry.cost.minor(),
        state,
        reason: reason.map(Cow::Borrowed),
        serial_number: entry.serial_number.as_str().into(),
        at: calendar::written(entry.at),
    };
    to.extend(serde_json::to_vec(&line)?);
    to.push(b'\n');
    Ok(())
}

/// Reads a line without its line feed; the error says in words what is wrong.
pub(super) fn read(bytes: &[u8]) -> Result<Entry, String> {
    let line: Line<'_> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let reason = line.reason.as_deref();
    let state = match line.state {
        Word::Pending => reason.and_then(Doubt::from_name).map(State::Pending),
        Word::Success => reason.is_none().then_some(State::Success),
        Word::Failed => reason.and_then(Refusal::from_name).map(State::Failed),
    };
    let currency = Currency::from_code(&line.currency).ok_or("currency is unknown")?;
    let amount = |minor| Amount::new(minor, currency).map_err(|error| error.to_string());
    let entry = Entry {
        order: OrderId(line.order),
        attempt: line.attempt,
        product: ProductId::new(line.product.into_owned()),
        code: line.code.into_owned(),
        destination: line.destination.into_owned(),
        nominal: amount(line.nominal)?,
        cost: amount(line.cost)?,
        state: state.ok_or("reason does not go with the state")?,
        serial_number: line.serial_number.into_owned(),
        at: calendar::read(&line.at).ok_or("time is not one")?,
    };
    held(&entry)?;
    Ok(entry)
}
