//! The envelope of every answer (isikuota reference, section 3).

use bytes::Bytes;
use domain::Refusal;
use gateway::exchanges::Meaning;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Response, StatusCode};

use super::fields::{Faults, Flaw};
use super::json::{Json, Malformed, named};
use super::php::{self, Style};
use crate::exchange::Answer;
use crate::isikuota::codes::{self, Code};

/// An answer before it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    code: Code,
    /// In place of the code's own text.
    message: Option<&'static str>,
    data: Json,
    errors: Json,
}

impl Message {
    /// An answer with data.
    pub(crate) const fn with(code: Code, data: Json) -> Self {
        Self { code, message: None, data, errors: Json::Null }
    }

    /// The same in other words.
    pub(crate) fn saying(self, message: &'static str) -> Self {
        Self { message: Some(message), ..self }
    }

    /// A code and nothing else.
    pub(crate) const fn code(code: Code) -> Self {
        Self::with(code, Json::Null)
    }

    /// Fields are missing or cannot be used.
    pub(crate) fn faulty(faults: &Faults) -> Self {
        Self { errors: faults.errors(), ..Self::code(codes::VALIDATION_ERROR) }
    }

    /// A field that may be used, only not now.
    pub(crate) fn flawed(field: &'static str, flaw: Flaw) -> Self {
        Self::faulty(&Faults::of(field, flaw))
    }

    /// The body says nothing.
    pub(crate) fn malformed(Malformed(why): Malformed) -> Self {
        Self::code(codes::BAD_REQUEST).saying(why)
    }

    /// The code that it carries.
    pub(crate) const fn said(&self) -> Code {
        self.code
    }

    /// What it stands for, in words of no protocol, if nothing was denied.
    pub(crate) fn meaning(&self) -> Meaning {
        if self.code.success {
            Meaning::Granted
        } else {
            Meaning::Refused(Refusal::TransactionFailed)
        }
    }

    /// Writes it.
    pub(crate) fn write(self) -> Answer {
        let Code { status, success, code, message } = self.code;
        let envelope = Json::Object(named([
            ("success", Json::Bool(success)),
            ("code", Json::text(code)),
            ("message", Json::text(self.message.unwrap_or(message))),
            ("data", self.data),
            ("errors", self.errors),
            ("meta", Json::Null),
        ]));
        let mut answer = Response::new(Bytes::from(php::write(&envelope, Style::Answer)));
        *answer.status_mut() = status;
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static(Method::POST.as_str()));
        }
        answer
    }
}
