//! The ordered tree of which answers are made, whichever format they are written in.

use domain::Amount;

/// A value of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// A string.
    Text(String),
    /// A number.
    Number(i64),
    /// An array; in XML an element for each item.
    List(Vec<Node>),
    /// An object, its names in this order.
    Record(Vec<(&'static str, Node)>),
}

impl Node {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) const fn amount(amount: Amount) -> Self {
        Self::Number(amount.minor())
    }
}
