//! The text inside a `key`: parameters by name, as `k=v&…` or as a JSON object (S88pay reference,
//! sections 3.2 and 3.3).
//!
//! Both forms are accepted everywhere and told apart by the first byte. Numbers keep the digits that
//! the sender wrote, so that an amount never passes through a float.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::super::sign::percent_decoded;

/// Every name that any message has. A text without one of them is no message (section 3.6, step 7).
const KNOWN: [&str; 38] = [
    "account_name",
    "account_number",
    "account_type",
    "address",
    "back_account_number",
    "bank_account_number",
    "bank_code",
    "bank_name",
    "branch_code",
    "branch_name",
    "callback_url",
    "card_number",
    "currency_code",
    "deposit_name",
    "depositor_account_number",
    "depositor_bank",
    "depositor_bank_code",
    "depositor_name",
    "email",
    "identity_id",
    "ifsc_code",
    "ip_address",
    "merchant_api_key",
    "merchant_code",
    "payment_code",
    "payout_code",
    "phone",
    "phone_number",
    "random_bank_code",
    "redirect_url",
    "ref_no",
    "return_url",
    "transaction_amount",
    "transaction_code",
    "transaction_no",
    "transaction_timestamp",
    "user_id",
    "utr",
];
/// What only a callback has.
pub(crate) const STATUS: &str = "transaction_status";

/// What was sent for a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Value {
    /// As it stands in the text.
    raw: String,
    /// As it is meant.
    meant: String,
}

/// The parameters of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Parameters {
    values: BTreeMap<String, Value>,
}

impl Parameters {
    /// Reads a text of either form. None if it is neither; a text of the first form always is one,
    /// though it may have no parameter that anybody knows.
    pub(crate) fn read(text: &str) -> Option<Self> {
        // Nobody's text has these, and a text that was decrypted to noise nearly always does.
        if text.chars().any(|it| it.is_control() && !matches!(it, '\t' | '\r' | '\n')) {
            return None;
        }
        let text = text.trim();
        if text.starts_with('{') { Self::json(text) } else { Some(Self::pairs(text)) }
    }

    /// Reads `k=v&…`. The last of several values of one name counts.
    fn pairs(text: &str) -> Self {
        let mut values = BTreeMap::new();
        for piece in text.split('&').filter(|piece| !piece.is_empty()) {
            let (name, raw) = piece.split_once('=').unwrap_or((piece, ""));
            let decoded = percent_decoded(raw.as_bytes());
            let meant = decoded.and_then(|decoded| String::from_utf8(decoded).ok());
            let meant = meant.unwrap_or_else(|| raw.to_owned());
            values.insert(name.to_owned(), Value { raw: raw.to_owned(), meant });
        }
        Self { values }
    }

    /// Reads a JSON object. Names that occur twice are no message: two readers could each see another.
    pub(crate) fn json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Whether any message has a parameter of this name.
    pub(crate) fn is_known(name: &str) -> bool {
        KNOWN.contains(&name) || name == STATUS
    }

    /// Whether anything in it belongs to a message.
    pub(crate) fn is_message(&self) -> bool {
        self.values.keys().any(|name| Self::is_known(name))
    }

    /// What was sent under a name, exactly as it stands; none if nothing was.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.raw.as_str()).filter(|raw| !raw.is_empty())
    }

    /// What was sent under a name; none if nothing or an empty text was.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.meant.as_str()).filter(|meant| !meant.is_empty())
    }

    /// What was sent under the first of these names that says something. The words that programs write
    /// for nothing count as nothing (section 3.2, rule 4).
    pub(crate) fn optional(&self, names: &[&str]) -> Option<&str> {
        let nothing = |text: &&str| matches!(*text, "null" | "undefined");
        names.iter().find_map(|name| self.given(name).filter(|text| !nothing(text)))
    }

    /// All names and values, in the order of the names.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.meant.as_str()))
    }
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Parameters;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameters, A::Error> {
        let mut values = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let raw: &RawValue = map.next_value()?;
            let text = scalar(raw.get()).ok_or_else(|| A::Error::custom("not a text"))?;
            let value = Value { raw: text.clone(), meant: text };
            if values.insert(name, value).is_some() {
                return Err(A::Error::custom("a name occurs twice"));
            }
        }
        Ok(Parameters { values })
    }
}

/// A text, or a number in the sender's own digits. What is nothing or no scalar says nothing.
fn scalar(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str(raw).ok(),
        b'-' | b'0'..=b'9' => Some(raw.to_owned()),
        _ => Some(String::new()),
    }
}

#[cfg(test)]
#[path = "parameters_tests.rs"]
mod tests;
