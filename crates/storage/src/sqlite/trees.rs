//! The JSON in which trees and lists are stored.
//!
//! The domain is not serializable by design; these types are the stored form and belong to it.
//! What is written is borrowed from the record, whole trees too, so that a save copies nothing. A
//! stored form is changed only by a migration that rewrites what is stored.

mod products;

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::{
    Amount, Attempt, AttemptState, Bill, CallbackId, Currency, Detail, Doubt, Hold, Period,
    ProcessId, Secret, Timestamp, TransferId, UpstreamName, YearMonth,
};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::fields::{Problem, amount, refusal};
pub(super) use products::{
    read_aliases, read_channel, read_terms, read_top_up, write_aliases, write_channel, write_terms,
    write_top_up,
};

/// How deep details may be nested. Deeper ones could be written and not read back, because the
/// JSON reader guards its stack; so they are refused when they are to be stored.
pub(super) const DETAIL_DEPTH_MAX: usize = 32;

/// Writes a tree behind what is in the buffer.
pub(super) fn write_onto(buffer: &mut Vec<u8>, tree: &impl Serialize) -> Result<(), Problem> {
    serde_json::to_writer(buffer, tree).map_err(|error| error.to_string())
}

fn write(tree: &impl Serialize) -> Result<String, Problem> {
    serde_json::to_string(tree).map_err(|error| error.to_string())
}

/// What the reader says of broken JSON may quote it, and it holds secrets and customers' names; so
/// only the place is passed on.
fn read<'json, Tree: Deserialize<'json>>(json: &'json str) -> Result<Tree, Problem> {
    let place = |error: serde_json::Error| (error.line(), error.column());
    serde_json::from_str(json)
        .map_err(place)
        .map_err(|(line, column)| format!("JSON cannot be read from line {line}, column {column}"))
}

/// Minor units and the currency's code.
#[derive(Serialize, Deserialize)]
struct StoredAmount(
    i64,
    #[serde(serialize_with = "write_currency", deserialize_with = "read_currency")] Currency,
);

fn write_currency<S: Serializer>(currency: &Currency, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(currency.code())
}

/// No code is written with an escape, so it is looked at where it stands.
fn read_currency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
    let code = <&str>::deserialize(deserializer)?;
    Currency::from_code(code).ok_or_else(|| D::Error::custom("not a currency"))
}

impl From<Amount> for StoredAmount {
    fn from(amount: Amount) -> Self {
        Self(amount.minor(), amount.currency())
    }
}

impl StoredAmount {
    fn amount(&self) -> Result<Amount, Problem> {
        amount(self.0, self.1)
    }
}

/// A list that is written as it is gone through.
struct Each<Items>(Items);

impl<Items> Serialize for Each<Items>
where
    Items: Iterator<Item: Serialize> + Clone,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.clone())
    }
}

/// How details are read, which makes no other tree on the way.
#[derive(Deserialize)]
#[serde(remote = "Detail", rename_all = "snake_case")]
enum StoredDetail {
    Text(String),
    Number(i64),
    Money(#[serde(deserialize_with = "read_amount")] Amount),
    List(#[serde(deserialize_with = "read_items")] Vec<Detail>),
    Record(#[serde(deserialize_with = "read_entries")] Vec<(String, Detail)>),
}

/// Details that are read.
#[derive(Deserialize)]
struct ReadDetail(#[serde(deserialize_with = "StoredDetail::deserialize")] Detail);

fn read_amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Amount, D::Error> {
    StoredAmount::deserialize(deserializer)?.amount().map_err(D::Error::custom)
}

fn read_items<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Detail>, D::Error> {
    let items = Vec::deserialize(deserializer)?;
    Ok(items.into_iter().map(|ReadDetail(detail)| detail).collect())
}

fn read_entries<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(String, Detail)>, D::Error> {
    let entries = Vec::deserialize(deserializer)?;
    Ok(entries.into_iter().map(|(name, ReadDetail(detail))| (name, detail)).collect())
}

/// How details are written, which is what [`StoredDetail`] reads.
struct DetailToStore<'a>(&'a Detail);

impl Serialize for DetailToStore<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const NAME: &str = "StoredDetail";
        match self.0 {
            Detail::Text(text) => serializer.serialize_newtype_variant(NAME, 0, "text", text),
            Detail::Number(number) => {
                serializer.serialize_newtype_variant(NAME, 1, "number", number)
            }
            Detail::Money(amount) => {
                let amount = StoredAmount::from(*amount);
                serializer.serialize_newtype_variant(NAME, 2, "money", &amount)
            }
            Detail::List(items) => {
                let items = Each(items.iter().map(DetailToStore));
                serializer.serialize_newtype_variant(NAME, 3, "list", &items)
            }
            Detail::Record(entries) => {
                let entries = entries.iter().map(|(name, detail)| (name, DetailToStore(detail)));
                serializer.serialize_newtype_variant(NAME, 4, "record", &Each(entries))
            }
        }
    }
}

/// Refuses details that are nested too deep to be read back.
pub(super) fn check_details(details: &Detail) -> Result<(), Problem> {
    check_depth(details, 1)
}

fn check_depth(detail: &Detail, depth: usize) -> Result<(), Problem> {
    if depth > DETAIL_DEPTH_MAX {
        return Err(format!("details are nested deeper than {DETAIL_DEPTH_MAX}"));
    }
    match detail {
        Detail::Text(_) | Detail::Number(_) | Detail::Money(_) => Ok(()),
        Detail::List(items) => items.iter().try_for_each(|item| check_depth(item, depth + 1)),
        Detail::Record(entries) => {
            entries.iter().try_for_each(|(_, detail)| check_depth(detail, depth + 1))
        }
    }
}

/// Details as they are stored, unless they could not be read back.
pub(super) fn details(details: &Detail) -> Result<impl Serialize, Problem> {
    check_details(details)?;
    Ok(DetailToStore(details))
}

pub(super) fn read_details(json: &str) -> Result<Detail, Problem> {
    read(json).map(|ReadDetail(details)| details)
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredPeriod<'a> {
    None,
    /// Years and months.
    Months(Vec<(u16, u8)>),
    MonthCount(u8),
    Instalment(u16),
    Text(Cow<'a, str>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredBill<'a, Details> {
    customer_name: Cow<'a, str>,
    period: StoredPeriod<'a>,
    nominal: StoredAmount,
    count: u32,
    details: Details,
}

/// A bill as it is stored, unless it could not be read back.
pub(super) fn bill(bill: &Bill) -> Result<impl Serialize, Problem> {
    check_details(&bill.details)?;
    let period = match &bill.period {
        Period::None => StoredPeriod::None,
        Period::Months(months) => {
            StoredPeriod::Months(months.iter().map(|month| (month.year, month.month)).collect())
        }
        Period::MonthCount(count) => StoredPeriod::MonthCount(*count),
        Period::Instalment(number) => StoredPeriod::Instalment(*number),
        Period::Text(text) => StoredPeriod::Text(Cow::Borrowed(text)),
    };
    Ok(StoredBill {
        customer_name: Cow::Borrowed(&bill.customer_name),
        period,
        nominal: bill.nominal.into(),
        count: bill.count,
        details: DetailToStore(&bill.details),
    })
}

pub(super) fn read_bill(json: &str) -> Result<Bill, Problem> {
    let stored: StoredBill<'_, ReadDetail> = read(json)?;
    let period = match stored.period {
        StoredPeriod::None => Period::None,
        StoredPeriod::Months(months) => {
            let months = months.into_iter().map(|(year, month)| YearMonth { year, month });
            Period::Months(months.collect())
        }
        StoredPeriod::MonthCount(count) => Period::MonthCount(count),
        StoredPeriod::Instalment(number) => Period::Instalment(number),
        StoredPeriod::Text(text) => Period::Text(text.into_owned()),
    };
    Ok(Bill {
        customer_name: stored.customer_name.into_owned(),
        period,
        nominal: stored.nominal.amount()?,
        count: stored.count,
        details: stored.details.0,
    })
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredHold {
    transfer: u64,
    amount: StoredAmount,
    resolved_by: Option<u64>,
}

pub(super) fn holds(holds: &[Hold]) -> impl Serialize {
    Each(holds.iter().map(|hold| StoredHold {
        transfer: hold.transfer.0,
        amount: hold.amount.into(),
        resolved_by: hold.resolved_by.map(|transfer| transfer.0),
    }))
}

pub(super) fn read_holds(json: &str) -> Result<Vec<Hold>, Problem> {
    let hold = |stored: StoredHold| {
        Ok(Hold {
            transfer: TransferId(stored.transfer),
            amount: stored.amount.amount()?,
            resolved_by: stored.resolved_by.map(TransferId),
        })
    };
    read::<Vec<_>>(json)?.into_iter().map(hold).collect()
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredAttemptState<'a> {
    Intent,
    #[serde(borrow)]
    Unknown(Cow<'a, str>),
    Delivered,
    #[serde(borrow)]
    Refused(Cow<'a, str>),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAttempt<'a> {
    number: u16,
    #[serde(borrow)]
    upstream: Cow<'a, str>,
    #[serde(borrow)]
    state: StoredAttemptState<'a>,
    owner: u64,
    started_at_ms: i64,
    questions: u32,
}

pub(super) fn attempts(attempts: &[Attempt]) -> impl Serialize {
    Each(attempts.iter().map(|attempt| StoredAttempt {
        number: attempt.number,
        upstream: Cow::Borrowed(attempt.upstream.as_str()),
        state: match attempt.state {
            AttemptState::Intent => StoredAttemptState::Intent,
            AttemptState::Unknown(doubt) => StoredAttemptState::Unknown(doubt.name().into()),
            AttemptState::Delivered => StoredAttemptState::Delivered,
            AttemptState::Refused(refusal) => StoredAttemptState::Refused(refusal.name().into()),
        },
        owner: attempt.owner.0,
        started_at_ms: attempt.started_at.milliseconds(),
        questions: attempt.questions,
    }))
}

pub(super) fn read_attempts(json: &str) -> Result<Vec<Attempt>, Problem> {
    let attempt = |stored: StoredAttempt<'_>| {
        Ok(Attempt {
            number: stored.number,
            upstream: UpstreamName::new(stored.upstream.as_ref()),
            state: match stored.state {
                StoredAttemptState::Intent => AttemptState::Intent,
                StoredAttemptState::Unknown(name) => AttemptState::Unknown(
                    Doubt::from_name(&name).ok_or_else(|| format!("{name:?} is not a doubt"))?,
                ),
                StoredAttemptState::Delivered => AttemptState::Delivered,
                StoredAttemptState::Refused(name) => AttemptState::Refused(refusal(&name)?),
            },
            owner: ProcessId(stored.owner),
            started_at: Timestamp::from_milliseconds(stored.started_at_ms),
            questions: stored.questions,
        })
    };
    read::<Vec<_>>(json)?.into_iter().map(attempt).collect()
}

/// The callbacks that an order owes, by their numbers.
pub(super) fn callbacks(callbacks: &[CallbackId]) -> impl Serialize {
    Each(callbacks.iter().map(|callback| callback.0))
}

pub(super) fn read_callbacks(json: &str) -> Result<Vec<CallbackId>, Problem> {
    Ok(read::<Vec<_>>(json)?.into_iter().map(CallbackId).collect())
}

/// The headers of a callback, in their order.
pub(super) const fn headers(headers: &[(String, String)]) -> impl Serialize {
    headers
}

pub(super) fn read_headers(json: &str) -> Result<Vec<(String, String)>, Problem> {
    read(json)
}

/// What a merchant wants of a protocol, by name.
pub(super) fn write_preferences(values: &BTreeMap<String, String>) -> Result<String, Problem> {
    write(values)
}

pub(super) fn read_preferences(json: &str) -> Result<BTreeMap<String, String>, Problem> {
    read(json)
}

pub(super) fn write_texts(texts: &[String]) -> Result<String, Problem> {
    write(&texts)
}

pub(super) fn read_texts(json: &str) -> Result<Vec<String>, Problem> {
    read(json)
}

pub(super) fn write_secrets(secrets: &BTreeMap<String, Secret>) -> Result<String, Problem> {
    let revealed = secrets.iter().map(|(name, secret)| (name.as_str(), secret.reveal()));
    write(&revealed.collect::<BTreeMap<_, _>>())
}

pub(super) fn read_secrets(json: &str) -> Result<BTreeMap<String, Secret>, Problem> {
    let revealed: BTreeMap<String, String> = read(json)?;
    Ok(revealed.into_iter().map(|(name, text)| (name, Secret::new(text))).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::conformance::{bill, details};

    fn write_bill(bill: &Bill) -> Result<String, Problem> {
        write(&super::bill(bill)?)
    }

    fn write_details(details: &Detail) -> Result<String, Problem> {
        write(&super::details(details)?)
    }

    proptest! {
        #[test]
        fn bills_are_read_back(bill in bill()) {
            let json = write_bill(&bill).expect("written");
            prop_assert_eq!(read_bill(&json), Ok(bill));
        }

        #[test]
        fn details_are_read_back(details in details()) {
            let json = write_details(&details).expect("written");
            prop_assert_eq!(read_details(&json), Ok(details));
        }
    }

    /// Details nested so deep, in the shape that needs most of the reader's stack.
    fn nested(depth: usize) -> Detail {
        let innermost = Detail::Text("within".to_owned());
        (1..depth).fold(innermost, |inner, _| Detail::Record(vec![("name".to_owned(), inner)]))
    }

    #[test]
    fn whatever_can_be_written_can_be_read() {
        let deepest = nested(DETAIL_DEPTH_MAX);
        let json = write_details(&deepest).expect("written");
        assert_eq!(read_details(&json), Ok(deepest.clone()));
        let bill = Bill {
            customer_name: String::new(),
            period: Period::None,
            nominal: Amount::rupiah(1),
            count: 1,
            details: deepest,
        };
        let json = write_bill(&bill).expect("written");
        assert_eq!(read_bill(&json), Ok(bill));
        assert!(write_details(&nested(DETAIL_DEPTH_MAX + 1)).is_err());
    }

    #[test]
    fn what_was_not_written_so_is_not_read() {
        let bill = r#"{"customer_name":"","period":"none","nominal":[1,"IDR"],"count":1,"details":{"record":[]}}"#;
        assert!(read_bill(bill).is_ok());
        let changed = [
            ("[1,", "[-1,"),
            ("[1,", "[1.5,"),
            ("IDR", "XXX"),
            ("none", "never"),
            (r#""count":1"#, r#""count":-1"#),
            (r#""count":1"#, r#""count":4294967296"#),
            (r#""count":1,"#, ""),
            (r#""count":1"#, r#""count":1,"more":1"#),
            ("record", "map"),
            ("}}", "}"),
        ];
        for (part, instead) in changed {
            let changed = bill.replacen(part, instead, 1);
            assert!(read_bill(&changed).is_err(), "{changed}");
        }
    }

    #[test]
    fn broken_json_is_not_quoted() {
        let problems = [
            read_secrets(r#"{"api_key":canary}"#).expect_err("broken"),
            read_secrets(r#"{"api_key":["canary"]}"#).expect_err("broken"),
            read_bill(r#""canary""#).expect_err("broken"),
            read_details(r#"{"canary":[]}"#).expect_err("broken"),
            read_holds(r#"[{"transfer":"canary"}]"#).expect_err("broken"),
        ];
        for problem in problems {
            assert!(!problem.contains("canary"), "{problem}");
        }
    }
}
