//! The messages of the API as values (isikuota reference, sections 2 to 9).
//!
//! Requests are read into a tree that keeps everything that a signature depends on ([`json`]) and
//! from there into fields ([`fields`]). Answers ([`answer`]) and callbacks are built as the same tree
//! and written as PHP writes JSON ([`php`]). What an order looks like stands in [`transaction`], the
//! particulars of its bill in [`desc`], and times in [`time`].
//!
//! Nothing here decides: it knows forms, not merchants, rules or money's whereabouts.

pub(crate) mod answer;
pub(crate) mod desc;
pub(crate) mod fields;
pub(crate) mod json;
pub(crate) mod php;
pub(crate) mod time;
pub(crate) mod transaction;

use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// Whether a body came as it is. Compressed bodies are not read: nothing in the API asks for them.
pub(crate) fn is_plain(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().all(|value| {
        let value = value.as_bytes().trim_ascii();
        value.is_empty() || value.eq_ignore_ascii_case(b"identity")
    })
}
