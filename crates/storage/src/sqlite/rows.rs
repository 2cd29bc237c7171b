//! Writing many rows of a kind.
//!
//! A statement is found by its text and put back once for all of them; to do that for each would
//! take a tenth of writing it. Values are put in one after the other, in the order of the
//! statement's parameters. A row begins with nothing in it, so what is not there need not be put in;
//! of a new purchase that is two values in five.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error, Statement, ToSql};
use serde::Serialize;

use super::faults::Fault;
use super::fields::damaged;
use super::trees;

/// Writes each of these as a row by the same statement.
pub(super) fn each<Record>(
    connection: &Connection,
    statement: &'static str,
    records: impl IntoIterator<Item = Record>,
    mut write: impl FnMut(NewRow<'_, '_>, Record) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut records = records.into_iter();
    let Some(first) = records.next() else { return Ok(()) };
    let mut statement = connection.prepare_cached(statement)?;
    let mut json = Vec::new();
    std::iter::once(first).chain(records).try_for_each(|record| {
        statement.clear_bindings();
        write(NewRow { statement: &mut statement, filled: 0, json: &mut json }, record)
    })
}

/// A row that is being filled.
pub(super) struct NewRow<'rows, 'connection> {
    statement: &'rows mut Statement<'connection>,
    /// How many of its values were put in or left out.
    filled: usize,
    /// Room for the JSON that is put in.
    json: &'rows mut Vec<u8>,
}

impl NewRow<'_, '_> {
    pub(super) fn put(&mut self, value: impl ToSql) -> Result<(), Fault> {
        self.filled += 1;
        Ok(self.statement.raw_bind_parameter(self.filled, value)?)
    }

    /// Puts in nothing.
    pub(super) const fn leave_out(&mut self) {
        self.filled += 1;
    }

    pub(super) fn put_if_any(&mut self, value: Option<impl ToSql>) -> Result<(), Fault> {
        let Some(value) = value else {
            self.leave_out();
            return Ok(());
        };
        self.put(value)
    }

    /// A tree or a list, as JSON.
    pub(super) fn put_json(&mut self, tree: &impl Serialize) -> Result<(), Fault> {
        self.filled += 1;
        self.json.clear();
        trees::write_onto(self.json, tree).map_err(|problem| damaged("JSON", problem))?;
        Ok(self.statement.raw_bind_parameter(self.filled, Text(self.json))?)
    }

    /// Writes it, and tells how many rows of the table that changed.
    pub(super) fn write(self) -> Result<usize, Fault> {
        let parameters = self.statement.parameter_count();
        if self.filled != parameters {
            return Err(Error::InvalidParameterCount(self.filled, parameters).into());
        }
        Ok(self.statement.raw_execute()?)
    }
}

/// UTF-8 that is at hand as bytes.
struct Text<'a>(&'a [u8]);

impl ToSql for Text<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(self.0)))
    }
}
