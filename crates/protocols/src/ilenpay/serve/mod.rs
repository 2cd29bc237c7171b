//! The served face: request bytes to a gateway command to answer bytes.
//!
//! Everything is checked in the order of section 8 of the ilenpay reference: path and method, the key,
//! whether its merchant may deal and from this address, whether the request can be read, its fields, the
//! signature, and then repeats and the gateway's rules. Answers to what is the merchant's business carry
//! HTTP 200. This module decides no business and moves no money.

mod collection;
mod information;
mod ping;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{
    Amount, Channel, Credential, Currency, Doubt, Flow, Merchant, MerchantStatus, ProtocolName,
    Refusal,
};
use gateway::exchanges::{Meaning, Note, Signature};
use gateway::ports::{Messenger, StoreFault};
use gateway::{Gateway, Rejection};
use http::header::ALLOW;
use http::{HeaderValue, Method};
use tracing::{Span, error};

use super::codes::{self, Failure};
use super::wire::answer;
use super::wire::fields::{self, Fields, Unreadable};
use super::{NAME, mask, sign};
use crate::admission::{AddressRule, Allowance, RateRule, SignatureGuard};
use crate::exchange::{Answer, Arrival, Noting, Serve};
use crate::hosted::Tokens;

/// How often one webhook is pinged at most in each [`PINGS_PER`].
const PINGS: u32 = 6;
const PINGS_PER: Duration = Duration::from_secs(60);

/// What the operator sets for this face.
#[derive(Clone)]
pub struct Settings {
    /// From where merchants may call.
    pub addresses: AddressRule,
    /// How often merchants may call.
    pub rates: RateRule,
    /// Who may try signatures.
    pub signatures: Arc<dyn SignatureGuard>,
    /// Names the pages. Kept for ever, because merchants keep the names as `hash`.
    pub tokens: Tokens,
    /// Where payers reach the pages, without a slash at the end.
    pub public_url: String,
    /// How long payers have; none is for ever (section 6).
    pub lifetime: Option<Duration>,
    /// Sends pings.
    pub messenger: Arc<dyn Messenger>,
    /// Where merchants without an address are called back; see
    /// [`gateway::courier::Settings::fallback`].
    pub fallback_url: Option<String>,
}

/// The API over a gateway.
pub struct Served {
    gateway: Arc<Gateway>,
    protocol: ProtocolName,
    settings: Settings,
    pings: Allowance<domain::MerchantId>,
}

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route<'a> {
    Open,
    Confirm,
    Status,
    Price,
    Operators,
    /// The webhook of this name.
    Ping(&'a str),
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Option<Self> {
        match path.strip_suffix('/').unwrap_or(path) {
            "/v1/transaksi/baru" => Some(Self::Open),
            "/v1/konfirmasi/pembayaran" => Some(Self::Confirm),
            "/v1/transaksi/status" => Some(Self::Status),
            "/v1/info/harga" => Some(Self::Price),
            "/v1/info/server" => Some(Self::Operators),
            path => path.strip_prefix("/v1/webhook/ping/").map(Self::Ping),
        }
    }

    /// What it is called in the log of exchanges.
    const fn name(self) -> &'static str {
        match self {
            Self::Open => "transaksi/baru",
            Self::Confirm => "konfirmasi/pembayaran",
            Self::Status => "transaksi/status",
            Self::Price => "info/harga",
            Self::Operators => "info/server",
            Self::Ping(_) => "webhook/ping",
        }
    }

    /// The methods that it has.
    const fn methods(self) -> (&'static [Method], &'static str) {
        match self {
            Self::Open | Self::Confirm => (&[Method::POST], "POST"),
            Self::Status | Self::Price | Self::Operators => (&[Method::GET], "GET"),
            Self::Ping(_) => (&[Method::GET, Method::POST], "GET, POST"),
        }
    }
}

/// Why there is no answer with what was asked for.
#[derive(Debug)]
enum Denial {
    Known(Failure),
    Fault(StoreFault),
}

impl From<Failure> for Denial {
    fn from(failure: Failure) -> Self {
        Self::Known(failure)
    }
}

impl From<Refusal> for Denial {
    fn from(refusal: Refusal) -> Self {
        Self::Known(codes::of_refusal(refusal))
    }
}

impl From<Unreadable> for Denial {
    fn from(_: Unreadable) -> Self {
        Self::Known(codes::UNREADABLE)
    }
}

impl From<Rejection> for Denial {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Refused(refusal) => refusal.into(),
            Rejection::Fault(fault) => Self::Fault(fault),
        }
    }
}

/// Who calls, with which credential, and from where.
struct Caller {
    merchant: Arc<Merchant>,
    credential: Arc<Credential>,
    peer: IpAddr,
}

impl Served {
    /// Serves this gateway's merchants.
    pub fn new(gateway: Arc<Gateway>, settings: Settings) -> Self {
        Self {
            gateway,
            protocol: ProtocolName::new(NAME),
            settings,
            pings: Allowance::new(PINGS, PINGS_PER),
        }
    }

    /// Whether this API answers under a path, be it only with *not found*.
    pub fn owns(path: &str) -> bool {
        ["/v1/transaksi/", "/v1/konfirmasi/", "/v1/info/", "/v1/webhook/"]
            .iter()
            .any(|prefix| path.starts_with(prefix))
    }

    async fn answer(&self, arrival: &Arrival, note: &mut Note) -> Result<Answer, Denial> {
        let route = Route::of(arrival.head.uri.path()).ok_or(Refusal::PathUnknown)?;
        let (methods, allowed) = route.methods();
        if !methods.contains(&arrival.head.method) {
            note.meaning = Some(Meaning::Refused(codes::METHOD_NOT_ALLOWED.refusal));
            let mut answer = answer::failure(&codes::METHOD_NOT_ALLOWED);
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
            return Ok(answer);
        }
        note.command = route.name();
        note.signature = Signature::Unsigned;
        if let Route::Ping(id) = route {
            return self.ping(id, note).await;
        }
        let caller = self.caller(arrival, note)?;
        let fields = match route {
            Route::Open | Route::Confirm => body(arrival)?,
            Route::Status | Route::Price | Route::Operators | Route::Ping(_) => {
                fields::of_query(&arrival.head.uri)?
            }
        };
        note.reference = fields.text("reff_id").and_then(mask::noted);
        match route {
            Route::Open => self.open(caller, &fields, note).await,
            Route::Confirm => self.confirm(&caller.merchant, &fields, note).await,
            Route::Status => self.status(&caller.merchant, &fields, note).await,
            Route::Price => self.price(&caller.merchant, &fields),
            Route::Operators => self.operators(&caller.merchant, &fields),
            Route::Ping(_) => Err(Refusal::PathUnknown.into()),
        }
    }

    /// The merchant whose key the request carries, if it may deal, and from there.
    fn caller(&self, arrival: &Arrival, note: &mut Note) -> Result<Caller, Denial> {
        let key = sign::presented(&arrival.head.headers).ok_or(codes::API_KEY_INVALID)?;
        let catalogue = self.gateway.catalogue();
        let credentials =
            catalogue.live_credentials(NAME, &sign::key_name(key), self.gateway.now());
        let credential = sign::holder(&credentials, key).ok_or(codes::API_KEY_INVALID)?;
        let merchant = catalogue.merchant(credential.merchant).ok_or(codes::API_KEY_INVALID)?;
        Span::current().record("merchant", merchant.id.0);
        note.merchant = Some(merchant.id);
        if merchant.status == MerchantStatus::Suspended {
            return Err(Refusal::AccountSuspended.into());
        }
        if !(self.settings.addresses)(merchant.id, arrival.peer) {
            return Err(Refusal::AddressNotAllowed.into());
        }
        if !(self.settings.rates)(merchant.id) {
            return Err(codes::TOO_OFTEN.into());
        }
        let (merchant, credential) = (Arc::clone(merchant), Arc::clone(credential));
        Ok(Caller { merchant, credential, peer: arrival.peer })
    }

    /// An operator's channel and rate, if credit can be sent to it now.
    fn operator(&self, merchant: &Merchant, code: &str) -> Result<(Channel, u8), Refusal> {
        let (_, channel) =
            self.gateway.channel(&self.protocol, code, Flow::In, merchant.currency)?;
        // The API knows rupiah only.
        if merchant.currency != Currency::Idr {
            return Err(Refusal::CurrencyNotSupported);
        }
        let rate = channel.rate_hundredths.ok_or(Refusal::ChannelUnknown)?;
        Ok((channel, rate))
    }
}

/// What a body says, if it arrived and can be read.
fn body(arrival: &Arrival) -> Result<Fields, Unreadable> {
    let body = arrival.body.as_ref().map_err(|_| Unreadable)?;
    fields::of_body(&arrival.head.headers, body)
}

/// An amount of rupiah within a channel's limit: digits without a leading zero, because it is signed and
/// repeated as it was sent.
fn nominal(text: &str, channel: &Channel) -> Result<Amount, Refusal> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let amount = Some(text).filter(|_| digits);
    let amount = amount.and_then(|text| Amount::from_decimal(text, Currency::Idr).ok());
    let within = |amount: &Amount| {
        let minor = u64::try_from(amount.minor()).unwrap_or(u64::MAX);
        !amount.is_zero() && channel.amount_max.is_none_or(|max| minor <= max)
    };
    amount.filter(within).ok_or(Refusal::AmountInvalid)
}

#[async_trait]
impl Serve for Served {
    async fn serve(&self, arrival: Arrival) -> Answer {
        let mut noting = Noting::of(&arrival, Note::new(NAME, mask::mask));
        let note = &mut noting.note;
        match self.answer(&arrival, note).await {
            Ok(answer) => {
                note.meaning.get_or_insert(Meaning::Granted);
                answer
            }
            Err(Denial::Known(failure)) => {
                note.meaning = Some(Meaning::Refused(failure.refusal));
                answer::failure(&failure)
            }
            Err(Denial::Fault(fault)) => {
                error!(%fault, "request could not be carried out");
                note.meaning = Some(Meaning::Open(Doubt::UndefinedError));
                answer::failure(&codes::FAULT)
            }
        }
    }
}
