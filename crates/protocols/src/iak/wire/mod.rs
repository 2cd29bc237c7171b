//! The messages of both APIs in both formats, as values (IAK reference, sections 2 and 5 to 9).
//!
//! Requests are read from JSON or XML into one small tree ([`content`]) and from there into fields
//! ([`fields`]); answers ([`answer`]) are built as one ordered tree ([`node`]) and written in the format of the
//! request. What the numbers on the wire are made of stands in [`tr_id`] and [`reference`], spans
//! and times in [`period`], each bill's own object in [`desc`], and what the prepaid API answers and
//! calls back in [`prepaid`].
//!
//! Nothing here decides: it knows forms, not merchants, orders' states or money's whereabouts.

pub(crate) mod answer;
pub(crate) mod content;
pub(crate) mod desc;
pub(crate) mod fields;
mod json;
pub(crate) mod node;
pub(crate) mod number;
pub(crate) mod period;
pub(crate) mod prepaid;
pub(crate) mod reference;
pub(crate) mod tr_id;
pub(crate) mod transaction;
mod xml;

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use content::{Malformed, Object};

/// How a request is written, and therefore its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON.
    Json,
    /// XML under the root element `mp`.
    Xml,
}

impl Format {
    /// The format of a request. Clients write the content type in many ways (section 2.1), so it is
    /// searched for `json` and `xml`. A request that names neither is in XML if its first
    /// character that is not blank is `<`, otherwise in JSON.
    pub(crate) fn of(headers: &HeaderMap, body: &[u8]) -> Self {
        let named = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let named = named.unwrap_or_default();
        if named == Self::Json.content_type() {
            // As most clients write it, so that nothing has to be searched.
            return Self::Json;
        }
        let named = named.to_ascii_lowercase();
        if named.contains("json") {
            Self::Json
        } else if named.contains("xml") || content::looks_like_xml(body) {
            Self::Xml
        } else {
            Self::Json
        }
    }

    /// The content type of an answer.
    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "application/xml",
        }
    }
}

/// Reads a body whose root must be an object.
pub(crate) fn read(format: Format, body: &[u8]) -> Result<Object<'_>, Malformed> {
    let text = std::str::from_utf8(body).map_err(|_| Malformed("The body is not UTF-8."))?;
    match format {
        Format::Json => json::read(text),
        Format::Xml => xml::read(text),
    }
}
