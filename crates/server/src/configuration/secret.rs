//! A text that must not be seen.
//!
//! It has no `Display` and no comparison that stops early, and its `Debug` shows nothing, not even
//! a length. It is not wiped from memory: whoever can read ours can read the key file as well.

use std::fmt;

/// What is shown in place of every secret.
pub(crate) const MASK: &str = "********";

/// A password, token or key as text.
#[derive(Clone)]
pub(crate) struct Secret(Box<str>);

impl Secret {
    /// Keeps this text from sight.
    pub(crate) fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that compares or sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}
