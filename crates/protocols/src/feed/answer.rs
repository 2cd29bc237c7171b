//! What a feed is answered: what became of each row, or why nothing was taken in.
//!
//! Nothing is told of merchants: an order is named by our number alone.

use bytes::Bytes;
use domain::{Evidence, EvidenceState};
use gateway::TakenIn;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::exchange::Answer;

/// Which members of a row that was brought before are not what they were then.
pub(super) fn differences(brought: &Evidence, recorded: &Evidence) -> Vec<&'static str> {
    let table = [
        ("at", brought.came_in_at == recorded.came_in_at),
        ("amount", brought.amount == recorded.amount),
        ("sender", brought.sender == recorded.sender),
        ("reference", brought.reference == recorded.reference),
        ("channel", brought.channel == recorded.channel),
    ];
    table.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Row {
    /// Counts the rows from 1, in the order of the body.
    row: usize,
    id: String,
    result: &'static str,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    differs: Vec<&'static str>,
}

impl Row {
    /// What became of the row of this number.
    pub(super) fn new(row: usize, taken_in: &TakenIn, differs: Vec<&'static str>) -> Self {
        let TakenIn { evidence, repeated } = taken_in;
        let (order, reason) = match evidence.state {
            EvidenceState::Used(order) => (Some(order.to_string()), None),
            EvidenceState::Suspended { reason, .. } => (None, Some(reason.name())),
            EvidenceState::Open | EvidenceState::Released(_) => (None, None),
        };
        Self {
            row,
            id: evidence.key.id.clone(),
            result: if *repeated { "repeated" } else { "recorded" },
            state: evidence.state.name(),
            order,
            reason,
            differs,
        }
    }
}

/// What became of all rows.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    pub(super) source: &'a str,
    pub(super) recorded: usize,
    pub(super) repeated: usize,
    pub(super) rows: Vec<Row>,
}

impl<'a> Report<'a> {
    /// Counts the rows.
    pub(super) fn new(source: &'a str, rows: Vec<Row>) -> Self {
        let repeated = rows.iter().filter(|row| row.result == "repeated").count();
        let recorded = rows.len().saturating_sub(repeated);
        Self { source, recorded, repeated, rows }
    }

    /// The answer that says so.
    pub(super) fn answer(&self) -> Answer {
        with_type(StatusCode::OK, "application/json", self)
    }
}

/// Why nothing was taken in, or not everything.
#[derive(Debug)]
pub(super) enum Denial {
    /// Another method than POST.
    Method,
    /// Nobody proves to be a source of this name.
    Unauthorised,
    TooLarge,
    TooSlow,
    Broken,
    /// The body is neither JSON nor CSV in UTF-8, or is coded.
    ContentType,
    /// The body is not understood at this line and column.
    Malformed {
        line: usize,
        column: usize,
        reason: String,
    },
    /// The operator has no such channel.
    NoChannel,
    /// The store did not carry it out.
    Fault,
}

#[derive(Serialize)]
struct Problem<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    code: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

impl Denial {
    fn parts(&self) -> (StatusCode, &'static str, &str) {
        match self {
            Self::Method => {
                (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "evidence is posted")
            }
            Self::Unauthorised => (
                StatusCode::UNAUTHORIZED,
                "UNAUTHORIZED",
                "there is no such source, or the headers webhook-id, webhook-timestamp and \
                 webhook-signature do not prove that it sent exactly this body within the last five \
                 minutes, or it may not call from this address",
            ),
            Self::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "BODY_TOO_LARGE", "send fewer rows at a time")
            }
            Self::TooSlow => {
                (StatusCode::REQUEST_TIMEOUT, "BODY_TOO_SLOW", "the body took too long to arrive")
            }
            Self::Broken => (StatusCode::BAD_REQUEST, "BODY_BROKEN", "the body broke off"),
            Self::ContentType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "CONTENT_TYPE_UNKNOWN",
                "the body is application/json or text/csv, in UTF-8 and without content coding",
            ),
            Self::Malformed { reason, .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "BODY_MALFORMED", reason)
            }
            Self::NoChannel => (
                StatusCode::SERVICE_UNAVAILABLE,
                "CHANNEL_UNKNOWN",
                "the channel of this source does not exist here or takes other money; the operator \
                 has to correct that, and then the same body may be sent again",
            ),
            Self::Fault => (
                StatusCode::SERVICE_UNAVAILABLE,
                "NOT_TAKEN_IN",
                "some rows may have been taken in; send the same body again",
            ),
        }
    }
}

impl From<Denial> for Answer {
    fn from(denial: Denial) -> Self {
        let (status, code, detail) = denial.parts();
        let place = match denial {
            Denial::Malformed { line, column, .. } => Some((line, column)),
            _ => None,
        };
        let problem = Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail,
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
        };
        let mut answer = with_type(status, "application/problem+json", &problem);
        if matches!(denial, Denial::Method) {
            let methods = HeaderValue::from_static("POST");
            answer.headers_mut().insert(header::ALLOW, methods);
        }
        answer
    }
}

fn with_type(status: StatusCode, kind: &'static str, body: &impl Serialize) -> Answer {
    // Serialising our own structs of texts and numbers cannot fail; an empty body would say so.
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut answer = Answer::new(Bytes::from(bytes));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
