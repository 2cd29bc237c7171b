//! Mutations: what rows say, and the names under which the money in them goes.
//!
//! A source that has names of its own for what it saw gives them. For one that has none, a name is made
//! of all that it says: the day, the amount, who sent it, the reference, the running balance, and which
//! one it is among rows that are the same in all of these. Feeds tell the same rows again and again, so
//! a name must come out the same whatever else stands in the body:
//!
//! - With a running balance, rows that are the same are the same money: new money has another balance.
//! - Without one, rows of one day that are the same are counted within the body, in the order of their
//!   times. That is right as long as each body has all rows of a day from its beginning.
//!
//! The time of day is not part of a name, because some banks tell only the day, or another time later.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use domain::{Amount, EvidenceKey, Timestamp};
use sha2::{Digest, Sha256};

use super::row::{Field, Malformed, Row, Written};
use super::source::{Source, one_spelling};
use super::{amount, time};

/// What names begin with that are made here. No source may give one that begins so.
const MADE: &str = "row:";
/// How many bytes of a digest stand in a name.
const DIGEST_BYTES: usize = 20;
/// How many characters a name of the source's own may have.
const OWN_NAME_MAX: usize = 128;
/// How many characters a sender or a reference may have.
const CHARACTERS_MAX: usize = 256;
/// How far ahead of ours the clock of a source may be.
const AHEAD_MAX: Duration = Duration::from_secs(300);

/// Money that came in, as a source saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mutation {
    /// The source's own name for it, if it has one.
    pub(super) id: Option<String>,
    pub(super) at: Timestamp,
    pub(super) amount: Amount,
    /// Empty if it is not known.
    pub(super) sender: String,
    /// Empty if there is none.
    pub(super) reference: String,
    /// What the account holds with it, in minor units, if the source says so.
    pub(super) balance: Option<String>,
}

/// Understands every row, or names the first fault.
pub(super) fn mutations(
    rows: Vec<Row>,
    source: &Source,
    now: Timestamp,
) -> Result<Vec<Mutation>, Malformed> {
    rows.into_iter().map(|row| mutation(row, source, now)).collect()
}

/// The values of a row under the names that there are.
#[derive(Default)]
struct Named {
    id: Option<Field>,
    at: Option<Field>,
    amount: Option<Field>,
    sender: Option<Field>,
    reference: Option<Field>,
    balance: Option<Field>,
}

impl Named {
    fn of(fields: Vec<Field>) -> Result<Self, Malformed> {
        let mut named = Self::default();
        let mut seen = HashSet::new();
        for field in fields {
            if !seen.insert(field.name.clone()) {
                return Err(Malformed::new(field.name_at, "this name comes twice"));
            }
            let slot = match field.name.as_str() {
                "id" => &mut named.id,
                "at" => &mut named.at,
                "amount" => &mut named.amount,
                "sender" => &mut named.sender,
                "reference" => &mut named.reference,
                "balance" => &mut named.balance,
                _ => {
                    let reason = "this name is unknown; there are id, at, amount, sender, \
                                  reference and balance";
                    return Err(Malformed::new(field.name_at, reason));
                }
            };
            if field.written == Written::Number
                && !matches!(field.name.as_str(), "id" | "amount" | "balance")
            {
                return Err(Malformed::new(field.value_at, "a text is expected"));
            }
            *slot = Some(field).filter(|field| !field.value.is_empty());
        }
        Ok(named)
    }
}

fn mutation(row: Row, source: &Source, now: Timestamp) -> Result<Mutation, Malformed> {
    let row_at = row.at;
    let named = Named::of(row.fields)?;
    let at = named.at.ok_or(Malformed::new(row_at, "the row has no at"))?;
    let amount = named.amount.ok_or(Malformed::new(row_at, "the row has no amount"))?;
    let came_in_at = read(&at, time::instant)?;
    if came_in_at > now.after(AHEAD_MAX) {
        return Err(Malformed::new(at.value_at, "this time has not come yet; is its zone right?"));
    }
    let sender = match named.sender {
        None => String::new(),
        Some(field) if source.senders_are_numbers => read(&field, |text| {
            one_spelling(text)
                .ok_or("a telephone number has 1 to 20 digits and at most a plus sign")
        })?,
        Some(field) => plain_text(&field)?.trim().to_owned(),
    };
    let reference = named.reference.map(|field| Ok(plain_text(&field)?.trim().to_owned()));
    let balance = named.balance.map(|it| read(&it, |text| amount::balance(text, source.currency)));
    Ok(Mutation {
        id: named.id.as_ref().map(own_name).transpose()?,
        at: came_in_at,
        amount: read(&amount, |text| amount::amount(text, source.currency))?,
        sender,
        reference: reference.transpose()?.unwrap_or_default(),
        balance: balance.transpose()?,
    })
}

fn read<'a, T>(
    field: &'a Field,
    reader: impl Fn(&'a str) -> Result<T, &'static str>,
) -> Result<T, Malformed> {
    reader(&field.value).map_err(|reason| Malformed::new(field.value_at, reason))
}

fn plain_text(field: &Field) -> Result<&str, Malformed> {
    read(field, |text| {
        if text.chars().any(char::is_control) {
            return Err("the text has control characters");
        }
        if text.chars().count() > CHARACTERS_MAX {
            return Err("the text has more than 256 characters");
        }
        Ok(text)
    })
}

/// A name that can be typed: people call evidence by it.
fn own_name(field: &Field) -> Result<String, Malformed> {
    read(field, |text| {
        let is_typed = text.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_typed || text.len() > OWN_NAME_MAX {
            return Err("an id is 1 to 128 visible ASCII characters without blanks");
        }
        if text.starts_with(MADE) {
            return Err("an id does not begin with row:");
        }
        Ok(text.to_owned())
    })
}

/// The names of mutations that stand in one body, in the order of the mutations.
pub(super) fn names(mutations: &[Mutation], source: &str) -> Vec<EvidenceKey> {
    let mut occurrences: HashMap<[u8; 32], u32> = HashMap::new();
    let mut by_time: Vec<_> = mutations.iter().enumerate().collect();
    by_time.sort_by_key(|(_, mutation)| mutation.at);
    let mut names: Vec<_> = by_time
        .into_iter()
        .map(|(place, mutation)| {
            let id = match &mutation.id {
                Some(id) => id.clone(),
                None => {
                    let content = content(mutation);
                    let occurrence = occurrences.entry(content).or_default();
                    if mutation.balance.is_none() || *occurrence == 0 {
                        *occurrence = occurrence.saturating_add(1);
                    }
                    made_name(content, *occurrence)
                }
            };
            (place, EvidenceKey { source: source.to_owned(), id })
        })
        .collect();
    names.sort_by_key(|(place, _)| *place);
    names.into_iter().map(|(_, name)| name).collect()
}

/// A digest of all that makes two rows the same. Each part goes with its length, so that no two
/// different rows run into one text.
fn content(mutation: &Mutation) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(mutation.at.business_day().number().to_be_bytes());
    hasher.update(mutation.amount.minor().to_be_bytes());
    hasher.update(mutation.amount.currency().code());
    let balance = mutation.balance.as_deref().unwrap_or_default();
    for text in [mutation.sender.as_str(), &mutation.reference, balance] {
        hasher.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(text);
    }
    hasher.finalize().into()
}

fn made_name(content: [u8; 32], occurrence: u32) -> String {
    let digest = Sha256::new().chain_update(content).chain_update(occurrence.to_be_bytes());
    let digest: [u8; 32] = digest.finalize().into();
    let digits: String =
        digest.iter().take(DIGEST_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("{MADE}{digits}")
}

#[cfg(test)]
#[path = "mutation_tests.rs"]
mod tests;
