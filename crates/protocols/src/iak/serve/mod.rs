//! The served face of both APIs: request bytes to a gateway command to answer bytes.
//!
//! Everything is checked in the order of section 15.2 of the IAK reference: the form of the body,
//! the command, the signature, whether the merchant may deal and from this address, the fields, the
//! form of the reference, then product, repeats and the supplier's business. The fields that a
//! signature is computed from have to be there before it can be checked. Top-ups alone look for repeats
//! before products, because a repeat asks for nothing but the state. What the prepaid API has of its own
//! stands in [`prepaid`].
//!
//! Answers carry HTTP 200 whenever the API has a code for the business at hand; 400 is for bodies
//! and fields that cannot be used, 404 and 405 for requests that reach no command, and 503 for
//! faults of ours and 429 for a merchant who calls too often, whose code tells the client to ask for
//! the status. This module decides no business and moves no money.

mod bill;
mod prepaid;
mod price_list;
mod receipt;

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use domain::{Merchant, MerchantStatus, OrderId, ProtocolName, Refusal};
use gateway::exchanges::{Meaning, Note, Signature};
use gateway::ports::StoreFault;
use gateway::{Gateway, Rejection};
use http::{Method, StatusCode};
use tracing::{Span, error};

use super::commands::{Command, Signed};
use super::pages::Form;
use super::wire::answer::Message;
use super::wire::content::{Malformed, Object};
use super::wire::fields::{FieldFault, Fields};
use super::wire::reference::reference;
use super::wire::tr_id::TransactionNumbers;
use super::wire::{self, Format};
use super::{NAME, codes, mask, sign};
use crate::admission::{AddressRule, RateRule, SignatureGuard};
use crate::exchange::{Answer, Arrival, BodyFault, Noting, Serve, is_plain};

const BILL: &str = "/api/v1/bill/check";
const DOWNLOAD: &str = "/api/v1/download/";
const OWN_RECEIPT: &str = "/api/v1/bill/download/custom";
const TRAIN: &str = "/api/v1/tiketv2";
/// Below this prefix the postpaid API answers, elsewhere the prepaid one.
const POSTPAID: &str = "/api/v1/";

/// What the operator sets for this face.
#[derive(Clone)]
pub struct Settings {
    /// Keys the transaction numbers. Drawn once per installation and kept for ever, because
    /// merchants keep the numbers.
    pub tr_id_key: [u8; 32],
    /// From where merchants may call.
    pub addresses: AddressRule,
    /// How often merchants may call.
    pub rates: RateRule,
    /// Who may try signatures.
    pub signatures: Arc<dyn SignatureGuard>,
}

/// Both APIs over a gateway.
pub struct Served {
    gateway: Arc<Gateway>,
    protocol: ProtocolName,
    numbers: TransactionNumbers,
    addresses: AddressRule,
    rates: RateRule,
    signatures: Arc<dyn SignatureGuard>,
    mails: prepaid::MailCount,
}

/// Why there is no answer with what was asked for.
#[derive(Debug)]
enum Denial {
    Malformed(Malformed),
    Field(FieldFault),
    Refused(Refusal),
    TooOften,
    Fault(StoreFault),
}

impl From<Malformed> for Denial {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<FieldFault> for Denial {
    fn from(fault: FieldFault) -> Self {
        Self::Field(fault)
    }
}

impl From<Refusal> for Denial {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
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

impl From<Denial> for Message<'static> {
    fn from(denial: Denial) -> Self {
        match denial {
            Denial::Malformed(malformed) => Self::malformed(malformed),
            Denial::Field(fault) => Self::field_fault(fault),
            Denial::Refused(refusal) => Self::code(StatusCode::OK, codes::of_refusal(refusal)),
            // No code of the reference says so. Those that ask to try later count as failures, which
            // would be false for an order that is under way; this one only tells to ask again.
            Denial::TooOften => Self::code(StatusCode::TOO_MANY_REQUESTS, codes::FAULT),
            Denial::Fault(fault) => {
                error!(%fault, "request could not be carried out");
                Self::code(StatusCode::SERVICE_UNAVAILABLE, codes::FAULT)
            }
        }
    }
}

/// Where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route<'a> {
    /// The postpaid commands, with the product type of the path.
    Bill(Option<&'a str>),
    /// The receipt of the transaction with this number.
    Download(&'a str, Form),
    /// The receipt with an own header.
    OwnReceipt,
    Train,
    UnknownPostpaid,
    /// The prepaid API; none is nowhere in it.
    Prepaid(Option<prepaid::Route<'a>>),
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Self {
        match path.strip_prefix(BILL) {
            Some("" | "/") => return Self::Bill(None),
            Some(rest) => {
                let group = rest.strip_prefix('/').map(|it| it.strip_suffix('/').unwrap_or(it));
                if let Some(group) = group.filter(|it| !it.is_empty() && !it.contains('/')) {
                    return Self::Bill(Some(group));
                }
            }
            None => {}
        }
        if let Some((tr_id, form)) = path.strip_prefix(DOWNLOAD).and_then(numbered) {
            return Self::Download(tr_id, form);
        }
        match path {
            TRAIN => Self::Train,
            _ if path.strip_suffix('/').unwrap_or(path) == OWN_RECEIPT => Self::OwnReceipt,
            _ if path.starts_with(POSTPAID) => Self::UnknownPostpaid,
            _ => Self::Prepaid(prepaid::Route::of(path)),
        }
    }
}

/// What follows the prefix of downloads: a number, perhaps with `/1` behind it.
fn numbered(rest: &str) -> Option<(&str, Form)> {
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (tr_id, form) = match rest.split_once('/') {
        None => (rest, Form::Pdf),
        Some((tr_id, "1")) => (tr_id, Form::Raw),
        Some(_) => return None,
    };
    (!tr_id.is_empty()).then_some((tr_id, form))
}

impl Served {
    /// Serves this gateway's merchants.
    pub fn new(gateway: Arc<Gateway>, settings: Settings) -> Self {
        Self {
            gateway,
            protocol: ProtocolName::new(NAME),
            numbers: TransactionNumbers::new(settings.tr_id_key),
            addresses: settings.addresses,
            rates: settings.rates,
            signatures: settings.signatures,
            mails: prepaid::MailCount::default(),
        }
    }

    /// Whether this API answers under a path, be it only with *page not found*.
    pub fn owns(path: &str) -> bool {
        path == "/api" || path.starts_with("/api/") || path.starts_with(prepaid::LEGACY_PREFIX)
    }

    async fn answer(&self, arrival: &Arrival, format: Format, note: &mut Note) -> Answer {
        let route = Route::of(arrival.head.uri.path());
        let not_found = codes::of_refusal(Refusal::PathUnknown);
        let message = match route {
            Route::Download(tr_id, form) => {
                return self.download(arrival, tr_id, form, note).await;
            }
            Route::Prepaid(route) => return self.prepaid(arrival, route, format, note).await,
            Route::UnknownPostpaid => Message::code(StatusCode::NOT_FOUND, not_found),
            Route::Bill(_) | Route::OwnReceipt | Route::Train
                if arrival.head.method != Method::POST =>
            {
                Message::code(StatusCode::METHOD_NOT_ALLOWED, not_found)
            }
            Route::OwnReceipt => return self.own_receipt(arrival, format, note).await,
            Route::Train => match request(arrival, format) {
                Ok(_) => Denial::Refused(Refusal::CommandUnknown).into(),
                Err(malformed) => Denial::Malformed(malformed).into(),
            },
            Route::Bill(group) => match request(arrival, format) {
                Ok(object) => {
                    let command = self.command(Fields(&object), group, arrival.peer, format, note);
                    match command.await {
                        Ok(answer) => return answer,
                        Err(denial) => denial.into(),
                    }
                }
                Err(malformed) => Denial::Malformed(malformed).into(),
            },
        };
        said(message, format, note)
    }

    async fn command(
        &self,
        fields: Fields<'_>,
        group: Option<&str>,
        peer: IpAddr,
        format: Format,
        note: &mut Note,
    ) -> Result<Answer, Denial> {
        let command = Command::named(fields.text("commands")?)
            .filter(|command| *command != Command::Receipt)
            .ok_or(Refusal::CommandUnknown)?;
        note.command = command.name();
        let merchant = self.merchant(fields, peer, note, |fields| signed(command, fields))?;
        Span::current().record("merchant", merchant.id.0);
        match command {
            Command::PriceList => self.price_list(&merchant, fields, group, format, note),
            Command::Inquire => self.inquire(merchant, fields, format, note).await,
            Command::Pay => self.pay(&merchant, fields, format, note).await,
            Command::CheckStatus => self.check_status(&merchant, fields, format, note).await,
            Command::Receipt => Err(Refusal::CommandUnknown.into()),
        }
    }

    /// The merchant who signed the request, if it may deal, and from there. Notes on the way whose it
    /// is and what it names, also where it is turned down, because that is what will be asked about.
    /// `signed` tells what the signature is computed from.
    fn merchant<'a>(
        &self,
        fields: Fields<'a>,
        peer: IpAddr,
        note: &mut Note,
        signed: impl FnOnce(Fields<'a>) -> Result<&'a str, FieldFault>,
    ) -> Result<Arc<Merchant>, Denial> {
        let named = fields.optional_numeral("ref_id").ok().flatten();
        note.reference = named.and_then(|text| reference(text).ok());
        let merchant = self.signer(fields, peer, note, signed);
        if merchant.is_err() {
            note.order = self.order_named(fields);
        }
        merchant
    }

    fn signer<'a>(
        &self,
        fields: Fields<'a>,
        peer: IpAddr,
        note: &mut Note,
        signed: impl FnOnce(Fields<'a>) -> Result<&'a str, FieldFault>,
    ) -> Result<Arc<Merchant>, Denial> {
        let username = fields.text("username")?;
        let given = fields.text("sign")?;
        let what = signed(fields)?;
        if !self.signatures.admits(peer, username) {
            // Not 100, which is final: this one may be right, and of an order that is under way.
            return Err(Denial::TooOften);
        }
        let catalogue = self.gateway.catalogue();
        let credentials = catalogue.live_credentials(NAME, username, self.gateway.now());
        let signer = sign::signer(&credentials, username, what, given);
        (note.signature, note.merchant) = match signer {
            Some(merchant) => (Signature::Valid, Some(merchant)),
            None => (Signature::Invalid, credentials.first().map(|credential| credential.merchant)),
        };
        let Some(merchant) = signer.and_then(|id| catalogue.merchant(id)) else {
            self.signatures.was_wrong(peer, username);
            return Err(Refusal::SignatureInvalid.into());
        };
        if merchant.status == MerchantStatus::Suspended {
            return Err(Refusal::AccountSuspended.into());
        }
        if !(self.addresses)(merchant.id, peer) {
            return Err(Refusal::AddressNotAllowed.into());
        }
        if !(self.rates)(merchant.id) {
            return Err(Denial::TooOften);
        }
        Ok(Arc::clone(merchant))
    }

    /// The order whose number stands in a request, whether or not there is such an order.
    fn order_named(&self, fields: Fields<'_>) -> Option<OrderId> {
        self.numbers.order(fields.optional_numeral("tr_id").ok()??)
    }
}

/// What the signature of a postpaid command is computed from.
fn signed(command: Command, fields: Fields<'_>) -> Result<&str, FieldFault> {
    match command.signed() {
        Signed::Field(field) => fields.numeral(field),
        Signed::Word(word) => Ok(word),
    }
}

/// Writes an answer, and notes its code.
fn said(message: Message<'_>, format: Format, note: &mut Note) -> Answer {
    note.code = message.said().map(|code| code.code);
    note.meaning = Some(message.said().map_or(Meaning::Granted, |code| code.meaning));
    message.write(format)
}

/// What a request says, if its body arrived and can be read.
fn request(arrival: &Arrival, format: Format) -> Result<Object<'_>, Malformed> {
    let body = arrival.body.as_ref().map_err(|fault| {
        Malformed(match fault {
            BodyFault::TooLarge => "The body is too large.",
            BodyFault::TooSlow => "The body arrived too slowly.",
            BodyFault::Broken => "The body broke off.",
        })
    })?;
    if !is_plain(&arrival.head.headers) {
        return Err(Malformed("The body has a content encoding, which is not accepted."));
    }
    wire::read(format, body)
}

#[async_trait]
impl Serve for Served {
    async fn serve(&self, arrival: Arrival) -> Answer {
        let body = arrival.body.as_deref().unwrap_or_default();
        let format = Format::of(&arrival.head.headers, body);
        let mut noting = Noting::of(&arrival, Note::new(NAME, mask::mask));
        self.answer(&arrival, format, &mut noting.note).await
    }
}
