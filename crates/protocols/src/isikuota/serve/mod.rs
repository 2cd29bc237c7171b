//! The served face: request bytes to a gateway command to answer bytes.
//!
//! Everything is checked in the order of section 2.5 of the isikuota reference: the form of the
//! body, the members of the signature, who it is, the time, the signature, from where and how often
//! it comes, and then the business of the request. What it changes, it changes in one gateway
//! command; this module decides no business and moves no money.
//!
//! A fault of ours is answered with 500, after which the client does not know the outcome and has to
//! ask; it never looks like a failure.

mod extensions;
mod order;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{
    Currency, Doubt, Merchant, MerchantStatus, Mode, Order, ProtocolName, Reference, ReferenceKey,
    Refusal,
};
use gateway::exchanges::{Meaning, Note, Signature as Verdict};
use gateway::ports::StoreFault;
use gateway::{Gateway, Rejection};
use http::Method;
use tracing::{Span, error};

use super::codes::{self, Code};
use super::sign::{self, Signature};
use super::wire::answer::Message;
use super::wire::fields::{Faults, Fields, Flaw, once_each};
use super::wire::is_plain;
use super::wire::json::{self, Json, Malformed, Object};
use super::wire::time::plain;
use super::wire::transaction::Transaction;
use super::{NAME, mask};
use crate::admission::{AddressRule, RateRule, SignatureGuard};
use crate::exchange::{Answer, Arrival, BodyFault, Noting, Serve};

/// What the operator sets for this face.
#[derive(Clone)]
pub struct Settings {
    /// How far the time of a request may lie from ours, either way. Zero allows any time.
    pub timestamp_window: Duration,
    /// From where merchants may call.
    pub addresses: AddressRule,
    /// How often merchants may call.
    pub rates: RateRule,
    /// Who may try signatures.
    pub signatures: Arc<dyn SignatureGuard>,
}

impl Settings {
    /// The window that is recommended (section 2.4).
    pub const USUAL_TIMESTAMP_WINDOW: Duration = Duration::from_secs(300);
}

/// The API over a gateway.
pub struct Served {
    gateway: Arc<Gateway>,
    protocol: ProtocolName,
    settings: Settings,
}

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Balance,
    Order,
    Products,
    Status,
}

impl Route {
    /// What it is called in the log of exchanges.
    const fn name(self) -> &'static str {
        match self {
            Self::Balance => "balance",
            Self::Order => "order",
            Self::Products => "products",
            Self::Status => "status",
        }
    }

    fn of(path: &str) -> Option<Self> {
        match path {
            "/v1/balance" => Some(Self::Balance),
            "/v1/order" => Some(Self::Order),
            "/v1/products" => Some(Self::Products),
            "/v1/status" => Some(Self::Status),
            _ => None,
        }
    }
}

/// Paths below `/v1` that other APIs have.
const OF_OTHERS: [&str; 4] = ["transaksi", "konfirmasi", "info", "webhook"];
/// Where IAK's old prepaid API lies.
const OF_IAK: &str = "/v1/legacy/";

/// Why there is no answer with what was asked for.
#[derive(Debug)]
enum Denial {
    Malformed(Malformed),
    Fields(Faults),
    Code(Code),
    Refused(Refusal),
    Fault(StoreFault),
}

impl From<Malformed> for Denial {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<Faults> for Denial {
    fn from(faults: Faults) -> Self {
        Self::Fields(faults)
    }
}

impl From<Code> for Denial {
    fn from(code: Code) -> Self {
        Self::Code(code)
    }
}

impl From<Refusal> for Denial {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreFault> for Denial {
    fn from(fault: StoreFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Rejection> for Denial {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Refused(refusal) => Self::Refused(refusal),
            Rejection::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl From<Denial> for Message {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Malformed(malformed) => Self::malformed(malformed),
            Denial::Fields(faults) => Self::faulty(&faults),
            Denial::Code(code) => Self::code(code),
            Denial::Refused(
                refusal @ (Refusal::ProductRepeated | Refusal::DestinationRepeated),
            ) => Self::flawed("customer_no", Flaw::Repeated).saying(codes::reason(refusal)),
            Denial::Refused(refusal) => Self::code(codes::of_refusal(refusal)),
            Denial::Fault(fault) => {
                error!(%fault, "request could not be carried out");
                Self::code(codes::INTERNAL_ERROR)
            }
        }
    }
}

impl Denial {
    /// What it stands for, in words of no protocol.
    fn meaning(&self) -> Meaning {
        match self {
            Self::Malformed(_) | Self::Fields(_) | Self::Code(_) => {
                Meaning::Refused(Refusal::RequestMalformed)
            }
            Self::Refused(refusal) => Meaning::Refused(*refusal),
            Self::Fault(_) => Meaning::Open(Doubt::UndefinedError),
        }
    }
}

/// Who sent a request, and the signature that proves it.
struct Caller {
    merchant: Arc<Merchant>,
    signature: Signature,
}

impl Served {
    /// Serves this gateway's merchants.
    pub fn new(gateway: Arc<Gateway>, settings: Settings) -> Self {
        Self { gateway, protocol: ProtocolName::new(NAME), settings }
    }

    /// Whether this API answers under a path, be it only with *not found*: everything below `/v1`
    /// that is not another API's.
    pub fn owns(path: &str) -> bool {
        let Some(rest) = path.strip_prefix("/v1") else { return false };
        let first = rest.strip_prefix('/').map(|rest| rest.split('/').next().unwrap_or(rest));
        match first {
            Some(first) => !OF_OTHERS.contains(&first) && !path.starts_with(OF_IAK),
            None => rest.is_empty(),
        }
    }

    async fn answer(&self, arrival: &Arrival, note: &mut Note) -> Result<Message, Denial> {
        let route = Route::of(arrival.head.uri.path()).ok_or(Refusal::PathUnknown)?;
        if arrival.head.method != Method::POST {
            return Err(codes::METHOD_NOT_ALLOWED.into());
        }
        note.command = route.name();
        let object = request(arrival)?;
        self.answer_request(route, &object, arrival.peer, note).await
    }

    async fn answer_request(
        &self,
        route: Route,
        object: &Object,
        peer: IpAddr,
        note: &mut Note,
    ) -> Result<Message, Denial> {
        note.reference = Fields::of(object).optional_text("ref_id").map(Reference::new);
        let caller = self.caller(object, peer, note)?;
        Span::current().record("merchant", caller.merchant.id.0);
        let fields = Fields::of(object);
        match route {
            Route::Balance => self.balance(&caller.merchant).await,
            Route::Order => self.order(caller, fields).await,
            Route::Products => self.products(&caller.merchant, fields),
            Route::Status => self.status(&caller.merchant, fields).await,
        }
    }

    /// The merchant who signed the request, if it may deal, now, and from there (section 2.5).
    fn caller(&self, object: &Object, peer: IpAddr, note: &mut Note) -> Result<Caller, Denial> {
        let mut fields = Fields::of(object);
        let api_id = fields.any_text("api_id");
        let time = fields.time("timestamp");
        let given = fields.any_text("signature");
        let all = api_id.zip(time).zip(given);
        let ((api_id, (digits, seconds)), given) = fields.checked(all)?;
        let catalogue = self.gateway.catalogue();
        let now = self.gateway.now();
        let mut credentials = catalogue.live_credentials(NAME, api_id, now);
        // The balance of this API is in rupiah; a merchant with another has no business here.
        credentials.retain(|credential| {
            let merchant = catalogue.merchant(credential.merchant);
            sign::has_keys(credential)
                && merchant.is_some_and(|merchant| {
                    merchant.status == MerchantStatus::Active && merchant.currency == Currency::Idr
                })
        });
        if credentials.is_empty() {
            note.signature = Verdict::Invalid;
            return Err(codes::UNAUTHORIZED.into());
        }
        if !self.is_timely(seconds) {
            return Err(Refusal::TimestampInvalid.into());
        }
        if !self.settings.signatures.admits(peer, api_id) {
            return Err(codes::TOO_MANY_REQUESTS.into());
        }
        let canonical = sign::canonical_of(object.clone());
        note.merchant = credentials.first().map(|credential| credential.merchant);
        note.signature = Verdict::Invalid;
        let signer = sign::signer(&credentials, &digits, &canonical, given);
        let Some((credential, signature)) = signer else {
            self.settings.signatures.was_wrong(peer, api_id);
            return Err(Refusal::SignatureInvalid.into());
        };
        note.merchant = Some(credential.merchant);
        note.signature = Verdict::Valid;
        let merchant = catalogue.merchant(credential.merchant).ok_or(codes::UNAUTHORIZED)?;
        if !(self.settings.addresses)(merchant.id, peer) {
            return Err(Refusal::AddressNotAllowed.into());
        }
        if !(self.settings.rates)(merchant.id) {
            return Err(codes::TOO_MANY_REQUESTS.into());
        }
        Ok(Caller { merchant: Arc::clone(merchant), signature })
    }

    fn is_timely(&self, seconds: i64) -> bool {
        let window = self.settings.timestamp_window;
        let now = self.gateway.now().milliseconds().div_euclid(1000);
        window.is_zero() || now.abs_diff(seconds) <= window.as_secs()
    }

    async fn balance(&self, merchant: &Merchant) -> Result<Message, Denial> {
        let balance = self.gateway.balance(merchant).await?;
        let data = Json::object([
            ("name", Json::text(&merchant.name)),
            ("balance", Json::Integer(balance.minor())),
            ("currency", Json::text(balance.currency().code())),
            ("checked_at", Json::Text(plain(self.gateway.now()))),
        ]);
        Ok(Message::with(codes::BALANCE, data))
    }

    fn key(&self, merchant: &Merchant, mode: Mode, reference: Reference) -> ReferenceKey {
        ReferenceKey { merchant: merchant.id, protocol: self.protocol.clone(), mode, reference }
    }

    /// The order under this reference, if there is one.
    async fn find(&self, key: &ReferenceKey) -> Result<Option<Arc<Order>>, StoreFault> {
        match self.gateway.order_by_reference(key).await {
            Ok(order) => Ok(Some(order)),
            Err(Rejection::Refused(_)) => Ok(None),
            Err(Rejection::Fault(fault)) => Err(fault),
        }
    }

    /// What an order looks like. A product that is gone is called by its code.
    fn shown<Shown>(&self, order: &Order, show: impl FnOnce(Transaction<'_>) -> Shown) -> Shown {
        let catalogue = self.gateway.catalogue();
        let product = catalogue.product(&order.product);
        let name = product.map_or(order.code.as_str(), |product| &product.name);
        let group = product.map_or("", |product| &product.group);
        show(Transaction { order, name, group })
    }
}

/// What a request says, if its body arrived and can be read.
fn request(arrival: &Arrival) -> Result<Object, Malformed> {
    let body = arrival.body.as_ref().map_err(|fault| {
        Malformed(match fault {
            BodyFault::TooLarge => "Isi permintaan terlalu besar",
            BodyFault::TooSlow => "Isi permintaan terlalu lambat datang",
            BodyFault::Broken => "Isi permintaan terputus",
        })
    })?;
    if !is_plain(&arrival.head.headers) {
        return Err(Malformed("Isi permintaan memakai content encoding, yang tidak diterima"));
    }
    let text = std::str::from_utf8(body).map_err(|_| Malformed("Isi permintaan bukan UTF-8"))?;
    let object = json::read(text)?;
    once_each(&object)?;
    Ok(object)
}

#[async_trait]
impl Serve for Served {
    async fn serve(&self, arrival: Arrival) -> Answer {
        let mut noting = Noting::of(&arrival, Note::new(NAME, mask::mask));
        let answer = self.answer(&arrival, &mut noting.note).await;
        let note = &mut noting.note;
        note.meaning = Some(answer.as_ref().map_or_else(Denial::meaning, Message::meaning));
        let message = answer.unwrap_or_else(Message::from);
        note.code = Some(message.said().code);
        message.write()
    }
}
