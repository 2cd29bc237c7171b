//! The neutral particulars of a bill, read leniently: a supplier may give a number as a text or the
//! other way round, and what is absent or of another kind becomes the empty value.

use std::borrow::Cow;

use domain::Detail;
use domain::bill::names;

use super::{Node, Transaction};

/// One record of particulars, or none.
#[derive(Debug, Clone, Copy)]
pub(super) struct Particulars<'a>(Option<&'a Detail>);

impl<'a> Particulars<'a> {
    pub(super) fn of(transaction: &Transaction<'a>) -> Self {
        Self(transaction.order.details())
    }

    fn get(self, name: &str) -> Option<&'a Detail> {
        self.0.and_then(|details| details.get(name))
    }

    /// The record of this name.
    pub(super) fn record(self, name: &str) -> Self {
        Self(self.get(name))
    }

    /// The single bills.
    pub(super) fn bills(self) -> impl ExactSizeIterator<Item = Self> + Clone {
        let bills = self.get(names::BILLS).map_or(&[][..], Detail::items);
        bills.iter().map(|bill| Self(Some(bill)))
    }

    /// As text, if it is given.
    pub(super) fn string(self, name: &str) -> Option<Cow<'a, str>> {
        match self.get(name)? {
            Detail::Text(text) => Some(text.into()),
            Detail::Number(number) => Some(number.to_string().into()),
            Detail::Money(amount) => Some(amount.to_string().into()),
            Detail::List(_) | Detail::Record(_) => None,
        }
    }

    /// As a number, if it is given and one.
    pub(super) fn integer(self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Detail::Number(number) => Some(*number),
            Detail::Money(amount) => Some(amount.minor()),
            Detail::Text(text) => text.parse().ok(),
            Detail::List(_) | Detail::Record(_) => None,
        }
    }

    /// A string, empty where nothing is given.
    pub(super) fn text(self, name: &str) -> Node<'a> {
        self.text_or(name, "")
    }

    /// A string, or this one where nothing is given.
    pub(super) fn text_or(self, name: &str, empty: &'a str) -> Node<'a> {
        Node::Text(self.string(name).unwrap_or(Cow::Borrowed(empty)))
    }

    /// Money as a string, `0` where nothing is given.
    pub(super) fn money_text(self, name: &str) -> Node<'a> {
        self.text_or(name, "0")
    }

    /// A string of digits, padded with zeros to `width` where the supplier gives a number.
    pub(super) fn padded(self, name: &str, width: usize) -> Node<'a> {
        match self.get(name) {
            Some(Detail::Number(number)) => Node::text(format!("{number:0width$}")),
            _ => self.text(name),
        }
    }

    /// A number, 0 where nothing is given.
    pub(super) fn number(self, name: &str) -> Node<'a> {
        Node::Number(self.integer(name).unwrap_or(0))
    }

    /// The texts of a list.
    pub(super) fn texts(self, name: &str) -> Node<'a> {
        let items = self.get(name).map_or(&[][..], Detail::items);
        let text = |item: &'a Detail| match item {
            Detail::Text(text) => Some(Node::text(text)),
            Detail::Number(_) | Detail::Money(_) | Detail::List(_) | Detail::Record(_) => None,
        };
        Node::List(items.iter().filter_map(text).collect())
    }

    /// What a single bill owes to its biller.
    pub(super) fn owed(self) -> i64 {
        [names::AMOUNT, names::PENALTY, names::MISCELLANEOUS]
            .into_iter()
            .filter_map(|name| self.integer(name))
            .fold(0, i64::saturating_add)
    }
}
