//! Rows as they were written, whichever form the body has, and the places of their parts, so that a
//! fault can be pointed at.

use std::borrow::Cow;

/// How many rows a body may have.
pub(super) const ROWS_MAX: usize = 1000;

/// How a value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// As a text.
    Text,
    /// As a number of JSON, whose own spelling is kept.
    Number,
    /// As the `null` of JSON.
    Nothing,
}

/// A named value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    /// Where the name stands, in bytes from the beginning of the body.
    pub(super) name_at: usize,
    pub(super) value: String,
    /// Where the value stands.
    pub(super) value_at: usize,
    pub(super) written: Written,
}

/// Named values that belong together, in the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Where it begins.
    pub(super) at: usize,
    pub(super) fields: Vec<Field>,
}

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    /// Where, in bytes from its beginning.
    pub(super) at: usize,
    /// One sentence for whoever wrote the feed.
    pub(super) reason: Cow<'static, str>,
}

impl Malformed {
    /// A fault at a place.
    pub(super) fn new(at: usize, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { at, reason: reason.into() }
    }

    /// Line and column of the place in this text, both counted from 1, the column in characters.
    pub(super) fn place(&self, text: &str) -> (usize, usize) {
        let before = text.as_bytes().get(..self.at.min(text.len())).unwrap_or_default();
        let before = String::from_utf8_lossy(before);
        let line = before.matches('\n').count();
        let last = before.rsplit('\n').next().unwrap_or_default();
        (line.saturating_add(1), last.chars().count().saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        let text = "a\r\nbé,c\n";
        for (at, place) in [
            (0, (1, 1)),
            (1, (1, 2)),
            (3, (2, 1)),
            (6, (2, 3)),
            (7, (2, 4)),
            (9, (3, 1)),
            (99, (3, 1)),
        ] {
            assert_eq!(Malformed::new(at, "").place(text), place, "{at}");
        }
    }
}
