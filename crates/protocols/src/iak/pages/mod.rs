//! Receipts of paid bills: as a PDF for the payer and as JSON for the merchant's own printer (IAK
//! reference, sections 5.5 and 5.6); and those of top-ups as a PDF (section 7.11).
//!
//! [`Receipt`] says what there is to say, [`pdf`] and [`raw_json`] write it, and [`answer`] makes the
//! whole HTTP answer of it. Everything here is a pure function of its arguments. Whose order it is,
//! who may ask for it and what its `tr_id` is, is decided before.

mod composition;
mod document;
#[cfg(test)]
mod fixtures;
mod particulars;
mod receipt;
mod top_up;
mod typeface;
mod wording;

use bytes::Bytes;
use domain::{Order, Product};
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Response};
use quick_xml::escape::partial_escape;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use receipt::Sheet;
pub(super) use receipt::{Letterhead, Receipt};

use super::codes::Code;
use super::wire::Format;
use crate::exchange::Answer;

/// What a receipt is wanted as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `GET …/download/:tr_id`, or `raw` 0.
    Pdf,
    /// `GET …/download/:tr_id/1`, or `raw` 1.
    Raw,
}

/// The format of a refused download: XML unless `Accept` or `Content-Type` names JSON, however it is
/// spelt (sections 2.1 and 5.5).
pub(super) fn refusal_format(headers: &HeaderMap) -> Format {
    let names_json = |value: &HeaderValue| {
        value.as_bytes().windows(4).any(|part| part.eq_ignore_ascii_case(b"json"))
    };
    let asked =
        [ACCEPT, CONTENT_TYPE].iter().any(|name| headers.get_all(name).iter().any(names_json));
    if asked { Format::Json } else { Format::Xml }
}

/// The answer with a receipt. `tr_id` names the file.
pub(super) fn answer(receipt: &Receipt, form: Form, tr_id: &str) -> Answer {
    match form {
        Form::Raw => unkept("application/json", raw_json(receipt)),
        Form::Pdf => paper(&receipt.sheet, tr_id),
    }
}

/// The answer with the receipt of a top-up as a PDF; none before it has succeeded. `tr_id` names the
/// file.
pub(super) fn top_up(
    order: &Order,
    product: Option<&Product>,
    issuer: &str,
    tr_id: &str,
) -> Option<Answer> {
    Some(paper(&top_up::sheet(order, product, issuer)?, tr_id))
}

fn paper(sheet: &Sheet, tr_id: &str) -> Answer {
    let mut answer = unkept("application/pdf", pdf(sheet));
    if let Some(disposition) = disposition(tr_id) {
        answer.headers_mut().insert(CONTENT_DISPOSITION, disposition);
    }
    answer
}

/// The answer to a download of what is no receipt. It has HTTP 200, because clients take any other
/// status for a timeout, and its XML is the element `mp` with nothing before it (section 5.5).
pub(super) fn refused(code: Code, format: Format) -> Answer {
    let body = match format {
        Format::Json => json_error(code),
        Format::Xml => xml_error(code).into_bytes(),
    };
    unkept(format.content_type(), body)
}

/// Nobody may keep the answer for somebody else: a receipt tells who paid what, and a bill that is
/// refused today may be paid tomorrow.
fn unkept(content_type: &'static str, body: Vec<u8>) -> Answer {
    let mut answer = Response::new(Bytes::from(body));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    answer
}

/// Shown by a browser, and saved under the number of the transaction. Whatever else than letters and
/// digits the number has is left out.
fn disposition(tr_id: &str) -> Option<HeaderValue> {
    let number: String = tr_id.chars().filter(char::is_ascii_alphanumeric).collect();
    HeaderValue::from_str(&format!("inline; filename=\"struk-{number}.pdf\"")).ok()
}

/// The receipt as a PDF of one long page, 80 mm wide. The same receipt gives the same bytes.
fn pdf(sheet: &Sheet) -> Vec<u8> {
    document::write(&sheet.title, &composition::compose(sheet))
}

/// The receipt as `{"data":{…}}`, a flat map of texts without `meta` (sections 2.2, 5.5, 5.6).
fn raw_json(receipt: &Receipt) -> Vec<u8> {
    json(&Named(&[("data", Named(receipt.labels()))]))
}

/// An error as the Node SDK reads it.
fn xml_error(code: Code) -> String {
    let Code { code, message, .. } = code;
    let (code, message) = (partial_escape(code), partial_escape(message));
    format!("<mp><response_code>{code}</response_code><message>{message}</message></mp>")
}

/// An error in the JSON envelope (section 2.2).
fn json_error(code: Code) -> Vec<u8> {
    #[derive(Serialize)]
    struct Envelope {
        data: Data,
        meta: [(); 0],
    }
    #[derive(Serialize)]
    struct Data {
        response_code: &'static str,
        message: &'static str,
    }
    let Code { code, message, .. } = code;
    json(&Envelope { data: Data { response_code: code, message }, meta: [] })
}

/// Named values as a JSON object, in their order.
struct Named<'a, V>(&'a [(&'static str, V)]);

impl<V: Serialize> Serialize for Named<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Maps with text keys and texts always have a JSON form.
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;
