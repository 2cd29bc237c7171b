//! The served face: request bytes to a gateway command to answer bytes.
//!
//! Everything is checked in the order of section 13.2 of the S88pay reference: the address, the
//! merchant of the path, the form of the key, what it opens to and whether that identifies the
//! merchant, then parameters, time, the transaction code, currency, channel, bank, amount, what the
//! currency wants besides, and at last the balance. Whatever fails between decryption and
//! identification is one answer, for which the same work was done; see [`identify`].
//!
//! This module decides no business and moves no money.

mod budget;
mod deposit;
mod identify;
mod lists;
mod payout;
mod report;
mod resend;
mod submit;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{
    EndpointKey, Flow, Merchant, Mode, Order, OrderId, ProtocolName, Reference, ReferenceKey,
    Refusal,
};
use gateway::exchanges::{Meaning, Note, Signature};
use gateway::{Gateway, Rejection};
use http::Method;
use http::header::ACCEPT;

use self::budget::Budget;
use self::identify::{Caller, Required};
use super::codes::Code;
use super::wire::answer::{self, Denial, Family, Shape};
use super::wire::parameters::Parameters;
use super::wire::transaction_no::TransactionNumbers;
use super::{NAME, codes, mask, preferences};
use crate::admission::{AddressRule, RateRule, SignatureGuard};
use crate::exchange::{Answer, Arrival, Noting, Serve};
use crate::hosted::Tokens;

/// What the operator sets for this face.
#[derive(Clone)]
pub struct Settings {
    /// Keys the transaction numbers. Drawn once per installation and kept for ever, because merchants
    /// keep the numbers.
    pub number_key: [u8; 32],
    /// Names hosted pages.
    pub tokens: Tokens,
    /// What links in answers begin with, without a slash at the end.
    pub public_url: String,
    /// From where merchants may call. It does not hold for the hosted page, which payers open.
    pub addresses: AddressRule,
    /// How often merchants may call.
    pub rates: RateRule,
    /// Who may have keys tried.
    pub signatures: Arc<dyn SignatureGuard>,
    /// How many wrong keys an hour are tried for one merchant before all are refused untried; none is
    /// without a limit.
    pub wrong_keys_per_hour: Option<u32>,
    /// How long a deposit waits for its payer.
    pub lifetime: Duration,
}

/// The API over a gateway.
pub struct Served {
    gateway: Arc<Gateway>,
    protocol: ProtocolName,
    numbers: TransactionNumbers,
    budget: Budget,
    settings: Settings,
}

/// First segments of paths that belong to somebody else, so that no merchant may be called so.
const TAKEN: [&str; 9] =
    ["admin", "api", "console", "health", "metrics", "pay", "payment", "sandbox", "static"];

/// Whether a merchant may be called so: 3 to 32 letters and digits that begin nobody else's path. Others
/// are not found, so no credential should be made for them.
pub fn is_merchant_code(text: &str) -> bool {
    (3..=32).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && !TAKEN.contains(&text.to_ascii_lowercase().as_str())
}

/// What is done at a path (section 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Hosted,
    HostToHost,
    Krw,
    KrwInformation,
    Depositor,
    Utr,
    RefNo,
    Payout,
    Status,
    Balance,
    Resend,
    Channels,
}

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route<'a> {
    /// Something that the merchant of this code does.
    Of(&'a str, Call),
    Banks,
    JapaneseBanks,
    JapaneseBranches(&'a str),
    /// The picture of a deposit, by the name of its page.
    Picture(&'a str),
}

/// No path of the API has more.
const SEGMENTS_MAX: usize = 5;

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments = [""; SEGMENTS_MAX];
        let mut count = 0;
        for segment in path.strip_prefix('/')?.split('/') {
            *segments.get_mut(count)? = segment;
            count += 1;
        }
        let (code, call) = match segments.get(..count)? {
            ["api", "sub-bank", "available"] => return Some(Self::Banks),
            ["api", "v2", "jpy", "bank-data"] => return Some(Self::JapaneseBanks),
            ["api", "v2", "jpy", "branch-data", bank] => return Some(Self::JapaneseBranches(bank)),
            [code, "v3", "qr", token] if is_merchant_code(code) => {
                return Some(Self::Picture(token));
            }
            [code, "v2", "dopayment"] => (*code, Call::Hosted),
            ["api", code, "v3", call] => (*code, host_to_host(call)?),
            ["api", "v1", "payout", code] => (*code, Call::Payout),
            ["api", "v1", code, "transactions", "status"] => (*code, Call::Status),
            ["api", "v1", "balance", code] => (*code, Call::Balance),
            ["api", "v1", "transaction", "resend-callback", code] => (*code, Call::Resend),
            ["api", "v2", "channel", code] => (*code, Call::Channels),
            _ => return None,
        };
        is_merchant_code(code).then_some(Self::Of(code, call))
    }

    const fn method(self) -> Method {
        match self {
            Self::Of(_, Call::Hosted | Call::Balance)
            | Self::Banks
            | Self::JapaneseBanks
            | Self::JapaneseBranches(_)
            | Self::Picture(_) => Method::GET,
            Self::Of(..) => Method::POST,
        }
    }
}

fn host_to_host(call: &str) -> Option<Call> {
    Some(match call {
        "dopayment" => Call::HostToHost,
        "krw-payment" => Call::Krw,
        "krw-submit-information" => Call::KrwInformation,
        "submit-depositor" => Call::Depositor,
        "submit-utr" => Call::Utr,
        "submit-refno" => Call::RefNo,
        _ => return None,
    })
}

impl Call {
    /// The API's own word for it.
    const fn name(self) -> &'static str {
        match self {
            Self::Hosted => "v2/dopayment",
            Self::HostToHost => "v3/dopayment",
            Self::Krw => "krw-payment",
            Self::KrwInformation => "krw-submit-information",
            Self::Depositor => "submit-depositor",
            Self::Utr => "submit-utr",
            Self::RefNo => "submit-refno",
            Self::Payout => "payout",
            Self::Status => "transactions/status",
            Self::Balance => "balance",
            Self::Resend => "resend-callback",
            Self::Channels => "channel",
        }
    }

    /// Who a request has to say it is from, besides being encrypted with that merchant's credentials
    /// (section 4.8).
    const fn required(self) -> Required {
        match self {
            Self::Hosted | Self::HostToHost | Self::Krw => Required::CodeAndKey,
            Self::Payout | Self::Balance | Self::Channels => Required::Code,
            Self::Status => Required::Key,
            Self::Resend => Required::Either,
            Self::KrwInformation | Self::Depositor | Self::Utr | Self::RefNo => Required::Neither,
        }
    }

    fn family(self, arrival: &Arrival) -> Family {
        match self {
            Self::Hosted if wants_json(arrival) => Family::HostToHost,
            Self::Hosted => Family::Page,
            Self::Payout => Family::Payout,
            Self::Status | Self::Balance | Self::Resend | Self::Channels => Family::Report,
            _ => Family::HostToHost,
        }
    }
}

fn wants_json(arrival: &Arrival) -> bool {
    let accepted = arrival.head.headers.get_all(ACCEPT).iter();
    accepted.filter_map(|it| it.to_str().ok()).any(|it| it.contains("application/json"))
}

impl Served {
    /// Serves this gateway's merchants.
    pub fn new(gateway: Arc<Gateway>, settings: Settings) -> Self {
        Self {
            gateway,
            protocol: ProtocolName::new(NAME),
            numbers: TransactionNumbers::new(settings.number_key),
            budget: Budget::new(settings.wrong_keys_per_hour),
            settings,
        }
    }

    /// Whether this API answers under a path. It has to be asked before IAK's, which answers whatever
    /// else is below `/api`.
    pub fn owns(path: &str) -> bool {
        Route::of(path).is_some()
    }

    async fn answer(&self, arrival: &Arrival, note: &mut Note) -> Answer {
        let Some(route) = Route::of(arrival.head.uri.path()) else {
            return answer::nothing_here();
        };
        // A link preview asks for the head of a page, and must not make a deposit.
        if arrival.head.method != route.method() {
            return answer::other_method(&route.method());
        }
        note.signature = Signature::Unsigned;
        match route {
            Route::Banks => lists::banks(),
            Route::JapaneseBanks => lists::japanese_banks(),
            Route::JapaneseBranches(bank) => lists::japanese_branches(bank),
            Route::Picture(token) => self.picture(token).await,
            Route::Of(code, call) => {
                note.command = call.name();
                let shape = self.shape(code, call, arrival);
                let answered = match self.caller(code, call, arrival, note) {
                    Ok(caller) => self.call(&caller, call, shape).await,
                    Err(denial) => Err(denial),
                };
                let denied = answered.as_ref().err();
                note.meaning = Some(denied.map_or(Meaning::Granted, |it| it.meaning(shape.flow())));
                note.code = denied.and_then(|it| it.code(shape)).map(Code::digits);
                answered.unwrap_or_else(|denial| shape.denial(denial))
            }
        }
    }

    async fn call(&self, caller: &Caller, call: Call, shape: Shape) -> Result<Answer, Denial> {
        match call {
            Call::Hosted | Call::HostToHost | Call::Krw => self.deposit(caller, call).await,
            Call::KrwInformation => self.submit_information(caller).await,
            Call::Depositor => self.submit_depositor(caller).await,
            Call::Utr | Call::RefNo => self.submit_reference(caller, call).await,
            Call::Payout => self.pay_out(caller, shape).await,
            Call::Status => self.status(caller).await,
            Call::Balance => self.balance(caller).await,
            Call::Resend => self.resend(caller).await,
            Call::Channels => self.channels(caller),
        }
    }

    /// How the merchant of this code wants to be answered. That holds for all of its answers, so that
    /// it says nothing about the key.
    fn shape(&self, code: &str, call: Call, arrival: &Arrival) -> Shape {
        let catalogue = self.gateway.catalogue();
        let merchant = catalogue.credentials(NAME, code).first().map(|it| it.merchant);
        let wants = |name| {
            merchant.is_some_and(|merchant| {
                let key = EndpointKey { merchant, protocol: self.protocol.clone() };
                preferences::is_on(catalogue.preference(&key, name))
            })
        };
        Shape {
            family: call.family(arrival),
            always_200: wants(preferences::ALWAYS_200),
            payout_errors_succeed: wants(preferences::PAYOUT_ERRORS_SUCCEED),
        }
    }

    /// The merchant's name for a transaction, with all that makes it unique.
    fn key(&self, merchant: &Merchant, code: &str) -> ReferenceKey {
        ReferenceKey {
            merchant: merchant.id,
            protocol: self.protocol.clone(),
            mode: Mode::Live,
            reference: Reference::new(code),
        }
    }

    /// The merchant's transaction of this name; none if there is none.
    async fn named(
        &self,
        merchant: &Merchant,
        code: &str,
        flow: Flow,
    ) -> Result<Option<Arc<Order>>, Denial> {
        match self.gateway.order_by_reference(&self.key(merchant, code)).await {
            Ok(order) => Ok(Some(order)),
            Err(Rejection::Refused(Refusal::OrderNotFound)) => Ok(None),
            Err(rejection) => Err(denied(rejection, flow)),
        }
    }

    /// The merchant's transaction of this number; none if there is none.
    async fn numbered(
        &self,
        merchant: &Merchant,
        number: &str,
    ) -> Result<Option<Arc<Order>>, Denial> {
        let Some(id) = self.numbers.order(number) else { return Ok(None) };
        match self.gateway.order(merchant, id).await {
            Ok(order) => Ok(Some(order).filter(|order| self.numbers.is_of(number, order))),
            Err(Rejection::Refused(Refusal::OrderNotFound)) => Ok(None),
            Err(rejection) => Err(denied(rejection, Flow::Out)),
        }
    }

    /// Our number of an order.
    fn number(&self, order: &Order) -> Result<String, Denial> {
        self.numbers.of(order).ok_or(Denial::Code(codes::SERVER_ERROR))
    }

    /// The address of a deposit's page.
    fn page(&self, order: OrderId) -> String {
        let base = self.settings.public_url.trim_end_matches('/');
        format!("{base}/pay/{}", self.settings.tokens.of(order))
    }

    /// What a request wants to be called back at besides the merchant's own address; none if that is the
    /// same.
    fn own_address(&self, caller: &Caller) -> Result<Option<String>, Denial> {
        let Some(url) = web_address(&caller.parameters, &["callback_url"])? else {
            return Ok(None);
        };
        let key = EndpointKey { merchant: caller.merchant.id, protocol: self.protocol.clone() };
        let catalogue = self.gateway.catalogue();
        let known = catalogue.endpoint(&key).is_some_and(|endpoint| endpoint.url == url);
        Ok((!known).then_some(url))
    }

    /// Whether a request was made within the last hour, or by a clock that is at most five minutes
    /// ahead of ours (section 4.1).
    fn check_time(&self, text: &str) -> Result<(), Denial> {
        const BACK: i64 = 3600;
        const AHEAD: i64 = 300;
        let now = self.gateway.now().milliseconds().div_euclid(1000);
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let at = text.parse::<i64>().ok().filter(|_| digits).ok_or(codes::TIMESTAMP)?;
        let is_near = at.saturating_sub(now) <= AHEAD && now.saturating_sub(at) <= BACK;
        if is_near { Ok(()) } else { Err(codes::TIMESTAMP.into()) }
    }
}

/// A refusal in the words of this API.
fn denied(rejection: Rejection, flow: Flow) -> Denial {
    match rejection {
        Rejection::Refused(refusal) => codes::of_refusal(refusal, flow).into(),
        Rejection::Fault(fault) => Denial::Fault(fault),
    }
}

/// The longest text that is kept of a parameter, in characters.
const TEXT_MAX: usize = 512;
/// The longest address.
const ADDRESS_MAX: usize = 2048;

/// A parameter that has to be there and fit to be kept.
fn required<'a>(parameters: &'a Parameters, name: &str) -> Result<&'a str, Denial> {
    let text = parameters.given(name).ok_or(codes::INCOMPLETE)?;
    fit(text).ok_or(Denial::Code(codes::INCOMPLETE))
}

/// What was sent under the first of these names that says something, if it is fit to be kept.
fn optional<'a>(parameters: &'a Parameters, names: &[&str]) -> Result<Option<&'a str>, Denial> {
    let given = parameters.optional(names);
    given.map(|text| fit(text).ok_or(Denial::Code(codes::INCOMPLETE))).transpose()
}

fn fit(text: &str) -> Option<&str> {
    let sane = text.chars().count() <= TEXT_MAX && !text.chars().any(char::is_control);
    sane.then_some(text)
}

/// A merchant's name for a transaction: 1 to 64 letters, digits, and `.`, `_`, `:` or `-` (section 4.2).
fn transaction_code(parameters: &Parameters) -> Result<&str, Denial> {
    let code = required(parameters, "transaction_code")?;
    if is_transaction_code(code) { Ok(code) } else { Err(codes::INCOMPLETE.into()) }
}

fn is_transaction_code(code: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    (1..=64).contains(&code.len()) && code.bytes().all(fits)
}

/// An address on the web, under the first of these names that has one.
fn web_address(parameters: &Parameters, names: &[&str]) -> Result<Option<String>, Denial> {
    let Some(url) = parameters.optional(names) else { return Ok(None) };
    let parsed: Option<http::Uri> = url.parse().ok().filter(|_| url.len() <= ADDRESS_MAX);
    let on_the_web = parsed.is_some_and(|it| {
        matches!(it.scheme_str(), Some("http" | "https"))
            && it.host().is_some_and(|it| !it.is_empty())
    });
    if on_the_web { Ok(Some(url.to_owned())) } else { Err(codes::INCOMPLETE.into()) }
}

/// Whether a text is so many digits.
fn is_digits(text: &str, count: usize) -> bool {
    text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[async_trait]
impl Serve for Served {
    async fn serve(&self, arrival: Arrival) -> Answer {
        let mut noting = Noting::of(&arrival, Note::new(NAME, mask::mask));
        self.answer(&arrival, &mut noting.note).await
    }
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
