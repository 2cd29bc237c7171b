//! The ordered tree of which answers are made, whichever format they are written in.

use std::borrow::Cow;

use domain::Amount;

/// A value of an answer. Its texts are borrowed from what the answer is about, which outlives it: an
/// answer is written at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A number.
    Number(i64),
    /// An array; in XML an element for each item.
    List(Vec<Self>),
    /// An object, its names in this order.
    Record(Entries<'a>),
}

/// The named values of an object.
pub(crate) type Entries<'a> = Vec<(&'static str, Node<'a>)>;

impl<'a> Node<'a> {
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// A text of its own, for an answer that outlives what it is about.
    pub(crate) fn own_text(text: &str) -> Self {
        Self::Text(Cow::Owned(text.to_owned()))
    }

    pub(crate) const fn amount(amount: Amount) -> Self {
        Self::Number(amount.minor())
    }
}
