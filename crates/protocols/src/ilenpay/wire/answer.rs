//! Answers: JSON with everything inside one `data` (ilenpay reference, sections 2 and 8).

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

use crate::exchange::Answer;
use crate::ilenpay::codes::Failure;

/// What an answer says that brings what was asked for.
pub(crate) const SUCCESS: &str = "sukses";
const FAILURE: &str = "gagal";

/// What every answer and every callback is wrapped in.
#[derive(Serialize)]
pub(crate) struct Wrapped<T> {
    /// All of it.
    pub(crate) data: T,
}

/// A success or a failure with a text for people.
#[derive(Serialize)]
struct Said<'a> {
    respon: &'static str,
    pesan: &'a str,
}

/// An operator's terms for an amount (section 4.3).
#[derive(Serialize)]
pub(crate) struct Price<'a> {
    /// Always [`SUCCESS`].
    pub(crate) respon: &'static str,
    /// Here it is not called `payment`.
    pub(crate) operator: &'a str,
    /// The operator's rate, without the surcharge.
    pub(crate) rate: String,
    /// The amount.
    pub(crate) nominal: String,
    /// What it is in credit.
    pub(crate) total_tf: String,
}

/// An operator as it stands (section 4.4).
#[derive(Serialize)]
pub(crate) struct Operator<'a> {
    /// Its code.
    pub(crate) operator: &'a str,
    /// Its rate.
    pub(crate) rate: String,
    /// `online` or `offline`.
    pub(crate) status: &'static str,
}

/// An answer with what was asked for.
pub(crate) fn success(data: impl Serialize) -> Answer {
    written(StatusCode::OK, data)
}

/// An answer that says that it is done.
pub(crate) fn done(pesan: &str) -> Answer {
    success(Said { respon: SUCCESS, pesan })
}

/// An answer that says why not.
pub(crate) fn failure(failure: &Failure) -> Answer {
    written(failure.status, Said { respon: FAILURE, pesan: &failure.pesan })
}

fn written(status: StatusCode, data: impl Serialize) -> Answer {
    // Texts and numbers under fixed names always have a JSON form.
    let body = serde_json::to_vec(&Wrapped { data }).unwrap_or_default();
    let mut answer = Answer::new(Bytes::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
