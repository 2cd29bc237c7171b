//! What is answered, in the three shapes that the API's pages have (S88pay reference, sections 5 to 9
//! and 13.3).
//!
//! A refusal is written as the family of the path writes it, and as the merchant's client expects it.

use bytes::Bytes;
use domain::{Amount, Flow};
use gateway::ports::StoreFault;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, LOCATION, REFERRER_POLICY};
use http::{Method, StatusCode};
use serde::Serialize;
use tracing::error;

use super::super::codes::{self, Code};
use super::super::pages;
use super::money::Number;
use crate::exchange::Answer;

/// Why there is no answer with what was asked for.
#[derive(Debug)]
pub(crate) enum Denial {
    /// One of the API's codes.
    Code(Code),
    /// There is no such transaction, for which the API has no code.
    NoTransaction,
    /// The merchant calls too often.
    TooOften,
    /// Ours.
    Fault(StoreFault),
}

impl From<Code> for Denial {
    fn from(code: Code) -> Self {
        Self::Code(code)
    }
}

/// The shape of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// The hosted page: a page in the browser.
    Page,
    /// Host to host, and the hosted page for a client that wants JSON.
    HostToHost,
    /// Payouts.
    Payout,
    /// Status, balance, lists and callbacks sent again.
    Report,
}

/// How answers are written for one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// The family of the path.
    pub(crate) family: Family,
    /// Whether the merchant's client reads bodies of success alone.
    pub(crate) always_200: bool,
    /// Whether refused payouts are told as the vendor's sample has it: as a success.
    pub(crate) payout_errors_succeed: bool,
}

#[derive(Serialize)]
struct HostToHostRefusal<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    message: &'a str,
}

#[derive(Serialize)]
struct Refusal<'a> {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    message: &'a str,
}

/// What is told where there is nothing to tell besides.
#[derive(Serialize)]
struct Note<'a> {
    success: bool,
    message: &'a str,
}

const NO_TRANSACTION: &str = "Transaction not found";

impl Shape {
    /// The answer to a request that was not carried out.
    pub(crate) fn denial(self, denial: Denial) -> Answer {
        match denial {
            Denial::Code(code) => self.refusal(code, code.status),
            Denial::TooOften => self.refusal(codes::SERVER_ERROR, StatusCode::TOO_MANY_REQUESTS),
            Denial::NoTransaction => self.no_transaction(),
            Denial::Fault(fault) => {
                error!(%fault, "request could not be carried out");
                let code = self.code_of_fault(&fault);
                self.refusal(code, code.status)
            }
        }
    }

    /// Which way the money goes that this shape is about.
    pub(crate) const fn flow(self) -> Flow {
        match self.family {
            Family::Page | Family::HostToHost => Flow::In,
            Family::Payout | Family::Report => Flow::Out,
        }
    }

    const fn code_of_fault(self, fault: &StoreFault) -> Code {
        match (self.family, fault) {
            (Family::Payout, StoreFault::Busy | StoreFault::TooLate) => codes::UNREACHABLE,
            (Family::Payout, StoreFault::CommitFailed(_) | StoreFault::Stopped) => {
                codes::NOT_STORED
            }
            _ => codes::SERVER_ERROR,
        }
    }

    fn refusal(self, code: Code, status: StatusCode) -> Answer {
        let number = Some(code.number);
        let with_number = || format!("[DP] {}, error code {}", code.deposit, code.number);
        match self.family {
            Family::Page => pages::error(self.status(status), code),
            Family::HostToHost => {
                let message = &with_number();
                let body = HostToHostRefusal { status: "failed", code: number, message };
                json(self.status(status), &body)
            }
            Family::Payout => {
                let message = &format!("[WD] {}", code.payout);
                if self.payout_errors_succeed {
                    return json(StatusCode::OK, &Note { success: true, message });
                }
                json(self.status(status), &Refusal { success: false, code: number, message })
            }
            Family::Report => {
                let body = Refusal { success: false, code: number, message: code.payout };
                json(self.status(status), &body)
            }
        }
    }

    fn no_transaction(self) -> Answer {
        let status = self.status(StatusCode::NOT_FOUND);
        match self.family {
            Family::Page => pages::error(status, codes::SERVER_ERROR),
            Family::HostToHost => {
                let message = NO_TRANSACTION;
                json(status, &HostToHostRefusal { status: "failed", code: None, message })
            }
            Family::Payout | Family::Report => note(false, NO_TRANSACTION),
        }
    }

    const fn status(self, status: StatusCode) -> StatusCode {
        if self.always_200 { StatusCode::OK } else { status }
    }
}

/// A body in JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    // Structures of texts and numbers always have a JSON form.
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut answer = Answer::new(Bytes::from(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// Whether it went well, and a sentence.
pub(crate) fn note(success: bool, message: &str) -> Answer {
    json(StatusCode::OK, &Note { success, message })
}

/// What an operator answers to a callback (section 10.5).
pub(crate) fn acknowledgement() -> Answer {
    let mut answer = Answer::new(Bytes::from_static(b"success"));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    answer
}

/// Sends the browser on. Where it came from has the key in it, and is told to nobody.
pub(crate) fn redirect(url: &str) -> Answer {
    let mut answer = Answer::new(Bytes::new());
    *answer.status_mut() = StatusCode::FOUND;
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(location) = HeaderValue::from_str(url) {
        headers.insert(LOCATION, location);
    }
    answer
}

/// Nothing is done with this method here.
pub(crate) fn other_method(allowed: &Method) -> Answer {
    let message = "Method not allowed";
    let mut answer = json(StatusCode::METHOD_NOT_ALLOWED, &Note { success: false, message });
    if let Ok(allowed) = HeaderValue::from_str(allowed.as_str()) {
        answer.headers_mut().insert(ALLOW, allowed);
    }
    answer
}

/// There is nothing here.
pub(crate) fn nothing_here() -> Answer {
    json(StatusCode::NOT_FOUND, &Note { success: false, message: "Not found" })
}

/// A deposit that is waited for, where the merchant draws its own page (section 6.1).
#[derive(Debug, Default, Serialize)]
pub(crate) struct Created<'a> {
    pub(crate) status: &'static str,
    pub(crate) message: &'static str,
    pub(crate) transaction_no: String,
    pub(crate) transaction_code: &'a str,
    pub(crate) amount: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upi_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wallet_number: Option<&'a str>,
    /// Nothing, or something that may be null.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wallet_number_type: Option<Option<&'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wallet_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wallet_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) match_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) qr: Option<String>,
    pub(crate) expired_at: String,
    pub(crate) expired_timezone: String,
}

/// A bank, as the Korean form lists it.
#[derive(Debug, Serialize)]
pub(crate) struct ListedBank {
    pub(crate) bank_code: &'static str,
    pub(crate) bank_name: &'static str,
}

/// The first of two steps of a Korean deposit (section 6.4).
#[derive(Debug, Serialize)]
pub(crate) struct FirstStep<'a> {
    pub(crate) status: &'static str,
    pub(crate) step: u8,
    pub(crate) message: &'static str,
    pub(crate) transaction_code: &'a str,
    pub(crate) amount: Number,
    pub(crate) bank_lists: Vec<ListedBank>,
}

/// The second (section 6.5).
#[derive(Debug, Serialize)]
pub(crate) struct SecondStep<'a> {
    pub(crate) status: &'static str,
    pub(crate) step: u8,
    pub(crate) message: &'static str,
    pub(crate) transaction_no: String,
    pub(crate) transaction_code: &'a str,
    pub(crate) amount: String,
    pub(crate) bank_name: &'a str,
    pub(crate) account_name: &'a str,
    pub(crate) account_number: &'a str,
}

/// What was submitted about a deposit is noted (sections 6.2, 6.3 and 6.6).
#[derive(Debug, Serialize)]
pub(crate) struct Submitted {
    pub(crate) status: &'static str,
    pub(crate) message: &'static str,
}

/// Several of something.
#[derive(Debug, Serialize)]
pub(crate) struct Listed<Item> {
    pub(crate) success: bool,
    pub(crate) message: &'static str,
    pub(crate) data: Vec<Item>,
}

/// A transaction (section 8).
#[derive(Debug, Serialize)]
pub(crate) struct Transaction<'a> {
    pub(crate) transaction_code: &'a str,
    pub(crate) transaction_no: String,
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) status: &'static str,
    pub(crate) amount: Number,
    pub(crate) transaction_fee: Number,
    pub(crate) currency_code: &'static str,
    pub(crate) currency_name: &'static str,
    pub(crate) datetime: String,
    pub(crate) method_name: String,
    pub(crate) note: Option<&'a str>,
    pub(crate) transaction_ref: Option<&'a str>,
    pub(crate) transaction_ref2: Option<&'a str>,
}

/// A merchant's balance (section 9).
#[derive(Debug, Serialize)]
pub(crate) struct Balance {
    pub(crate) currency_name: &'static str,
    pub(crate) currency_code: &'static str,
    pub(crate) balance: String,
    pub(crate) frozen_balance: String,
    pub(crate) available_balance: String,
}

/// A channel (section 12.3).
#[derive(Debug, Serialize)]
pub(crate) struct ListedChannel<'a> {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) code: &'a str,
    pub(crate) name: &'a str,
    pub(crate) is_maintenance: bool,
}

/// The banks of a currency (section 12.2).
#[derive(Debug, Serialize)]
pub(crate) struct SubBanks {
    pub(crate) currency: &'static str,
    pub(crate) subbanks: Vec<SubBank>,
}

/// A bank in that list: type 1 is for deposits and 2 for payouts.
#[derive(Debug, Serialize)]
pub(crate) struct SubBank {
    #[serde(rename = "type")]
    pub(crate) kind: u8,
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) is_maintenance: bool,
}

/// A Japanese bank or branch (section 12.2).
#[derive(Debug, Serialize)]
pub(crate) struct Named {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
}

/// What a callback tells of a deposit (section 10.2).
#[derive(Debug, Serialize)]
pub(crate) struct DepositNews<'a> {
    pub(crate) transaction_code: &'a str,
    pub(crate) transaction_status: Status,
    pub(crate) transaction_amount: String,
    pub(crate) transaction_fee: String,
    pub(crate) currency_code: &'static str,
    pub(crate) transaction_no: &'a str,
    pub(crate) transaction_actual_amount: String,
}

/// What a callback tells of a payout (section 10.3).
#[derive(Debug, Serialize)]
pub(crate) struct PayoutNews<'a> {
    pub(crate) transaction_no: &'a str,
    pub(crate) transaction_code: &'a str,
    pub(crate) transaction_status: Status,
    pub(crate) transaction_amount: String,
    pub(crate) transaction_fee: String,
    pub(crate) currency_code: &'static str,
    pub(crate) transaction_ref: &'a str,
}

/// A status in a callback.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub(crate) enum Status {
    Number(u8),
    Name(&'static str),
}

impl std::fmt::Display for Status {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Name(name) => formatter.write_str(name),
        }
    }
}

/// What is sent to a merchant (section 10.1).
#[derive(Debug, Serialize)]
pub(crate) struct CallbackBody<'a> {
    pub(crate) key: &'a str,
    pub(crate) transaction_code: &'a str,
    pub(crate) transaction_no: &'a str,
}

/// An amount that nobody has moved.
pub(crate) fn nothing(like: Amount) -> Amount {
    Amount::zero(like.currency())
}
