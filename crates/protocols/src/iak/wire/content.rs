//! What a request says, whichever format it is written in.
//!
//! Invariants: names are unique within their object, there are at most [`NAMES_MAX`] of them, and
//! nothing nests deeper than [`DEPTH_MAX`]. A number keeps the decimal digits in which it was
//! written, because signatures are computed over them. Texts are borrowed from the body wherever they
//! stand in it as they are meant.

use std::borrow::Cow;

/// How deep objects, lists and elements may nest.
pub(crate) const DEPTH_MAX: usize = 16;
/// How many names one object may have.
pub(crate) const NAMES_MAX: usize = 64;

/// Named values in the order in which they came.
pub(crate) type Object<'body> = Vec<(Cow<'body, str>, Content<'body>)>;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content<'body> {
    /// A JSON string, or the text of an XML element.
    Text(Cow<'body, str>),
    /// A JSON number without fraction or exponent, in decimal digits.
    Integer(Cow<'body, str>),
    /// A JSON object, or an XML element that has elements.
    Object(Object<'body>),
    /// A fraction, a truth value, a null or a list: nothing that a field of this API may be.
    Unusable,
}

/// Why a body says nothing: one sentence for the developer at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Whether the first character that is not blank opens an XML element.
pub(crate) fn looks_like_xml(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    body.trim_ascii_start().starts_with(b"<")
}

/// Adds a named value unless the object is full or has the name already.
pub(super) fn add<'body>(
    object: &mut Object<'body>,
    name: Cow<'body, str>,
    value: Content<'body>,
) -> Result<(), Malformed> {
    if object.len() >= NAMES_MAX {
        return Err(Malformed("The body has too many fields."));
    }
    if object.iter().any(|(taken, _)| *taken == name) {
        return Err(Malformed("The body has a field twice."));
    }
    object.push((name, value));
    Ok(())
}

#[cfg(test)]
#[path = "content_tests.rs"]
mod tests;
