//! Reading rows field by field, and the words in which closed lists are stored.
//!
//! A row that cannot be what we wrote is reported by the name of its record, never a panic and
//! never a default.

use domain::audit::Finding;
use domain::{Amount, Currency, MerchantId, Mode, Refusal, Timestamp};
use rusqlite::Row;
use rusqlite::types::{FromSql, ValueRef};

use super::faults::Fault;

/// What is wrong with a record.
pub(super) type Problem = String;

/// The columns of a row, read from the first to the last.
pub(super) struct Fields<'row> {
    row: &'row Row<'row>,
    next: usize,
}

impl<'row> Fields<'row> {
    pub(super) const fn new(row: &'row Row<'row>) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn next<T: FromSql>(&mut self) -> Result<T, Problem> {
        let value = self.row.get(self.next).map_err(|error| error.to_string())?;
        self.next += 1;
        Ok(value)
    }

    /// A number that is not negative and fits its type.
    pub(super) fn number<T: TryFrom<i64>>(&mut self) -> Result<T, Problem> {
        let stored: i64 = self.next()?;
        T::try_from(stored).map_err(|_| format!("number {stored} is out of range"))
    }

    pub(super) fn optional_number<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, Problem> {
        let Some(stored) = self.next::<Option<i64>>()? else { return Ok(None) };
        T::try_from(stored).map(Some).map_err(|_| format!("number {stored} is out of range"))
    }

    pub(super) fn text(&mut self) -> Result<&'row str, Problem> {
        let value = self.row.get_ref(self.next).map_err(|error| error.to_string())?;
        self.next += 1;
        value.as_str().map_err(|error| error.to_string())
    }

    pub(super) fn optional_text(&mut self) -> Result<Option<&'row str>, Problem> {
        let value = self.row.get_ref(self.next).map_err(|error| error.to_string())?;
        self.next += 1;
        value.as_str_or_null().map_err(|error| error.to_string())
    }

    /// Passes over so many columns, and tells whether nothing is in any of them.
    pub(super) fn skip_nulls(&mut self, columns: usize) -> Result<bool, Problem> {
        let mut nothing = true;
        for column in self.next..self.next + columns {
            let value = self.row.get_ref(column).map_err(|error| error.to_string())?;
            nothing &= value == ValueRef::Null;
        }
        self.next += columns;
        Ok(nothing)
    }

    pub(super) fn timestamp(&mut self) -> Result<Timestamp, Problem> {
        Ok(Timestamp::from_milliseconds(self.next()?))
    }

    pub(super) fn currency(&mut self) -> Result<Currency, Problem> {
        currency(self.text()?)
    }

    pub(super) fn merchant(&mut self) -> Result<MerchantId, Problem> {
        Ok(MerchantId(self.number()?))
    }

    /// A word of a closed list.
    pub(super) fn word<T: Copy, const N: usize>(
        &mut self,
        words: &[(T, &str); N],
    ) -> Result<T, Problem> {
        let stored = self.text()?;
        let known = words.iter().find(|(_, word)| *word == stored);
        known.map(|(value, _)| *value).ok_or_else(|| format!("{stored:?} is not a known word"))
    }
}

/// The word in which a value of a closed list is stored. Each list names all its values, which the
/// round-trip tests hold it to.
pub(super) fn word<T: PartialEq, const N: usize>(
    words: &[(T, &'static str); N],
    value: &T,
) -> &'static str {
    words.iter().find(|(known, _)| known == value).map_or("", |(_, word)| word)
}

/// How [`Mode`] is stored.
pub(super) const MODES: [(Mode, &str); 2] = [(Mode::Live, "live"), (Mode::Test, "test")];

pub(super) fn currency(code: &str) -> Result<Currency, Problem> {
    Currency::from_code(code).ok_or_else(|| format!("{code:?} is not a currency"))
}

pub(super) fn amount(minor: i64, currency: Currency) -> Result<Amount, Problem> {
    Amount::new(minor, currency).map_err(|error| format!("{minor} {}: {error}", currency.code()))
}

pub(super) fn refusal(name: &str) -> Result<Refusal, Problem> {
    Refusal::from_name(name).ok_or_else(|| format!("{name:?} is not a refusal"))
}

/// A number as SQLite keeps it. Numbers are given out from 1 upwards, so one that does not fit
/// names nothing that is stored.
pub(super) fn stored_number(number: u64) -> Option<i64> {
    i64::try_from(number).ok()
}

/// The same of a number that is about to be stored.
pub(super) fn to_stored(number: u64, record: &str) -> Result<i64, Fault> {
    stored_number(number).ok_or_else(|| damaged(format!("{record} {number}"), "is out of range"))
}

/// A fault of the named record.
pub(super) fn damaged(record: impl Into<String>, problem: impl Into<String>) -> Fault {
    Fault::Damaged(Finding { record: record.into(), problem: problem.into() })
}
