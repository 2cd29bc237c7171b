//! The names that operators give to upstreams, routes and tokens.
//!
//! The alphabet is chosen so that every name has exactly one form as part of an environment
//! variable: `__` separates the parts there, and letters are upper case.

use std::fmt;

/// What a name may look like, for messages.
pub(crate) const NAME_RULE: &str = "a name starts with a letter, has at most 32 lower-case letters, \
     digits and single underscores, and does not end with an underscore";

/// The longest name, in bytes.
const LENGTH_MAX: usize = 32;

/// A name of a named table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name(Box<str>);

impl Name {
    /// Reads a name; `None` if it breaks [`NAME_RULE`].
    pub(crate) fn new(text: &str) -> Option<Self> {
        let is_allowed = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_';
        let is_name = text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.len() <= LENGTH_MAX
            && text.chars().all(is_allowed)
            && !text.contains("__")
            && !text.ends_with('_');
        is_name.then(|| Self(text.into()))
    }

    /// The text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_one_form_in_the_environment() {
        let longest = "a".repeat(LENGTH_MAX);
        for text in ["a", "bank_1", "sandbox", "s88pay", longest.as_str()] {
            assert_eq!(Name::new(text).map(|name| name.to_string()).as_deref(), Some(text));
        }
        let longer = "a".repeat(LENGTH_MAX + 1);
        for text in ["", "_a", "a_", "a__b", "A", "1a", "a-b", "a b", "a.b", "é", longer.as_str()]
        {
            assert_eq!(Name::new(text), None, "{text}");
        }
    }
}
