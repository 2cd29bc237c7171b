//! The fields of a request, whatever format it came in (ilenpay reference, section 2).
//!
//! A name that comes twice makes a request unreadable: the signature would hold for one value and the
//! order might be made of the other. Values are taken as they were sent, without trimming, because they
//! are signed so.

use std::collections::BTreeMap;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, Uri};

use super::{json, multipart};
use crate::form;

/// How many names a request may have.
const NAMES_MAX: usize = 64;

/// A request that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// Named texts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(BTreeMap<String, Option<String>>);

impl Fields {
    /// Enters a value; none is one that is no text.
    pub(super) fn add(&mut self, name: String, value: Option<String>) -> Result<(), Unreadable> {
        if self.0.len() == NAMES_MAX || self.0.insert(name, value).is_some() {
            return Err(Unreadable);
        }
        Ok(())
    }

    /// The text of this name; none if it is missing, empty or no text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_deref().filter(|text| !text.is_empty())
    }
}

/// The fields of a query.
pub(crate) fn of_query(uri: &Uri) -> Result<Fields, Unreadable> {
    of_form(uri.query().unwrap_or_default().as_bytes())
}

fn of_form(text: &[u8]) -> Result<Fields, Unreadable> {
    let mut fields = Fields::default();
    for (name, value) in form::pairs(text).ok_or(Unreadable)? {
        fields.add(name, Some(value))?;
    }
    Ok(fields)
}

/// The fields of a body: a form unless the headers name another format. A body that begins as a JSON
/// object is read as one, because a form never does.
pub(crate) fn of_body(headers: &HeaderMap, body: &[u8]) -> Result<Fields, Unreadable> {
    if !is_plain(headers) {
        return Err(Unreadable);
    }
    let content_type = headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or_default());
    let mut parts = content_type.unwrap_or_default().split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    if essence == "multipart/form-data" {
        let boundary = parts.find_map(|part| multipart::parameter(part, "boundary"));
        return multipart::read(boundary.ok_or(Unreadable)?, body);
    }
    if essence.contains("json") || body.trim_ascii_start().starts_with(b"{") {
        return json::read(body);
    }
    of_form(body)
}

/// Whether a body came as it is. Compressed bodies are not read: nothing in the API asks for them.
fn is_plain(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().all(|value| {
        let value = value.as_bytes().trim_ascii();
        value.is_empty() || value.eq_ignore_ascii_case(b"identity")
    })
}

#[cfg(test)]
#[path = "fields_tests.rs"]
mod tests;
