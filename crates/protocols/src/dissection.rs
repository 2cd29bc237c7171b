//! What comes of taking a signed request apart, whichever protocol it is of: what the signature is
//! computed from, what it should be, what it is, and which usual mistakes explain the difference.
//!
//! A protocol makes one with a function of its own beside its `sign`; whoever shows it needs no
//! other code for another protocol. Keys stand in it masked.

use domain::Masked;

/// A text in both languages of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bilingual {
    /// In Indonesian.
    pub indonesian: String,
    /// In English.
    pub english: String,
}

impl Bilingual {
    /// Says the same in both.
    pub fn new(indonesian: impl Into<String>, english: impl Into<String>) -> Self {
        Self { indonesian: indonesian.into(), english: english.into() }
    }
}

/// One part of the text that is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The protocol's name for it.
    pub name: String,
    /// Its text, masked if it is a key.
    pub text: String,
    /// How many characters it really has, which shows blanks that nobody sees.
    pub length: usize,
}

impl Part {
    /// A part that may be seen.
    pub fn shown(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned(), length: text.chars().count() }
    }

    /// A part that may not.
    pub fn masked(name: &str, secret: &str) -> Self {
        Self { text: Masked(secret).to_string(), ..Self::shown(name, secret) }
    }
}

/// A request taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dissection {
    /// The protocol's word for what is asked.
    pub command: String,
    /// How the parts become a signature.
    pub method: Bilingual,
    /// What is signed, in order.
    pub parts: Vec<Part>,
    /// What stands between the parts.
    pub separator: &'static str,
    /// The signature that the request should have.
    pub expected: String,
    /// The one that it has.
    pub given: String,
    /// Whether it is accepted.
    pub is_valid: bool,
    /// What explains a signature that is not, all of it together; empty where nothing usual does.
    pub mistakes: Vec<Bilingual>,
    /// What is worth knowing besides.
    pub remarks: Vec<Bilingual>,
}

/// Why a request could not be taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undissected(pub Bilingual);

impl Undissected {
    /// Says why in both languages.
    pub fn new(indonesian: impl Into<String>, english: impl Into<String>) -> Self {
        Self(Bilingual::new(indonesian, english))
    }
}

/// One thing that may have been done where a signature was made, and what is wrong with it.
pub(crate) struct Choice<T> {
    /// What was done.
    pub(crate) value: T,
    /// Why that is wrong; none if it is right.
    pub(crate) mistake: Option<Bilingual>,
}

/// What should have been done.
pub(crate) fn right<T>(value: T) -> Choice<T> {
    Choice { value, mistake: None }
}

/// What may have been done instead.
pub(crate) fn wrong<T>(
    value: T,
    indonesian: impl Into<String>,
    english: impl Into<String>,
) -> Choice<T> {
    Choice { value, mistake: Some(Bilingual::new(indonesian, english)) }
}
