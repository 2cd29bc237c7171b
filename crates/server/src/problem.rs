//! Answers of our own API: JSON, and problem documents by RFC 9457 for what went wrong.

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use protocols::exchange::Answer;
use serde::Serialize;

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
}

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    with_type(status, "application/json", body)
}

/// A problem: a stable `code` for programs and a sentence for people.
pub(crate) fn problem(status: StatusCode, code: &str, detail: &str) -> Answer {
    let title = status.canonical_reason().unwrap_or("Error");
    let body = Problem { kind: "about:blank", title, status: status.as_u16(), code, detail };
    with_type(status, "application/problem+json", &body)
}

/// A plain text answer.
pub(crate) fn text(status: StatusCode, body: &'static str) -> Answer {
    let mut answer = Answer::new(Bytes::from_static(body.as_bytes()));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}

/// An answer of this type of content.
pub(crate) fn with_type(status: StatusCode, kind: &'static str, body: &impl Serialize) -> Answer {
    // Serialising our own structs of texts and numbers cannot fail; an empty body would say so.
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut answer = Answer::new(Bytes::from(bytes));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
