//! Who calls: the path names a merchant, and the key proves it (S88pay reference, sections 3.6, 3.7 and
//! 4.8).
//!
//! The scheme authenticates nothing, so a server that told bad padding from anything else would decrypt
//! for strangers. Here nothing is told apart, and nothing is skipped either: whether or not the padding
//! is right, the text is read and compared to the end, with at least two credentials, and one answer is
//! given. Beyond a number of failures no key is tried at all.

use std::net::IpAddr;
use std::sync::Arc;

use domain::{Credential, Merchant, MerchantStatus};
use subtle::{Choice, ConstantTimeEq};
use tracing::Span;

use super::budget::Counted;
use super::{Call, Served};
use crate::exchange::Arrival;
use crate::s88pay::sign::{self, Cipher};
use crate::s88pay::wire::answer::Denial;
use crate::s88pay::wire::envelope::Envelope;
use crate::s88pay::wire::parameters::{Parameters, STATUS};
use crate::s88pay::{NAME, codes};

/// How many credentials are tried at least.
const TRIED: usize = 2;

/// Who a message has to say it is from. Whatever it says besides has to be true as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Required {
    CodeAndKey,
    Code,
    Key,
    Either,
    Neither,
}

/// A merchant who has proved to be one, and what it says.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) merchant: Arc<Merchant>,
    pub(super) parameters: Parameters,
    pub(super) envelope: Envelope,
}

impl Served {
    /// The caller of a request to the path of this merchant code.
    pub(super) fn caller(
        &self,
        code: &str,
        call: Call,
        arrival: &Arrival,
    ) -> Result<Caller, Denial> {
        let catalogue = self.gateway.catalogue();
        let credentials = catalogue.live_credentials(NAME, code, self.gateway.now());
        let merchant = credentials.first().and_then(|it| catalogue.merchant(it.merchant));
        let merchant = merchant.ok_or(codes::KEY_OR_MERCHANT)?;
        let hosted = call == Call::Hosted;
        if !hosted && !(self.settings.addresses)(merchant.id, arrival.peer) {
            return Err(codes::ADDRESS_BLOCKED.into());
        }
        let envelope = Envelope::of(arrival).ok_or(codes::KEY_FORMAT)?;
        let encrypted = sign::read(&envelope.key).ok_or(codes::KEY_FORMAT)?;
        let required = call.required();
        let opened = self.tried(merchant, hosted, arrival.peer, || {
            open(&credentials, code, required, &encrypted)
        });
        let parameters = opened.ok_or(codes::KEY_OR_MERCHANT)?;
        Span::current().record("merchant", merchant.id.0);
        if merchant.status == MerchantStatus::Suspended {
            return Err(codes::KEY_OR_MERCHANT.into());
        }
        if !(self.settings.rates)(merchant.id) {
            return Err(Denial::TooOften);
        }
        Ok(Caller { merchant: Arc::clone(merchant), parameters, envelope })
    }

    /// What a try brings, if another one is allowed.
    fn tried(
        &self,
        merchant: &Merchant,
        hosted: bool,
        peer: IpAddr,
        open: impl FnOnce() -> Option<Parameters>,
    ) -> Option<Parameters> {
        let (counted, now) = (Counted { merchant: merchant.id, hosted, peer }, self.gateway.now());
        if !self.budget.admits(counted, now) {
            return None;
        }
        let opened = open();
        self.budget.note(counted, opened.is_some(), now);
        opened
    }
}

/// The message, if one of the credentials opens it and it says who it is from.
fn open(
    credentials: &[Arc<Credential>],
    code: &str,
    required: Required,
    encrypted: &[u8],
) -> Option<Parameters> {
    let mut message = None;
    for position in 0..credentials.len().max(TRIED) {
        let credential = credentials.get(position);
        let cipher = credential.and_then(|it| Cipher::of(it));
        let usable = Choice::from(u8::from(cipher.is_some()));
        let opened = cipher.unwrap_or_else(sign::nobody).open(encrypted);
        let text = String::from_utf8_lossy(&opened.text);
        let clean = Choice::from(u8::from(std::str::from_utf8(&opened.text).is_ok()));
        let read = Parameters::read(&text);
        let parsed = Choice::from(u8::from(read.as_ref().is_some_and(Parameters::is_message)));
        let parameters = read.unwrap_or_default();
        let known = identifies(&parameters, code, credential, required);
        if bool::from(opened.padded & usable & clean & parsed & known) {
            message = Some(parameters);
        }
    }
    message
}

/// Whether a message says who it is from, and says nothing else about that.
fn identifies(
    parameters: &Parameters,
    code: &str,
    credential: Option<&Arc<Credential>>,
    required: Required,
) -> Choice {
    let (given_code, given_key) =
        (parameters.raw("merchant_code"), parameters.raw("merchant_api_key"));
    let right_code =
        parameters.given("merchant_code").unwrap_or_default().as_bytes().ct_eq(code.as_bytes());
    let right_key = credential.map_or(Choice::from(0), |credential| {
        sign::is_api_key(credential, given_key.unwrap_or_default())
    });
    let has = |given: Option<&str>| Choice::from(u8::from(given.is_some()));
    let (has_code, has_key) = (has(given_code), has(given_key));
    let enough = match required {
        Required::CodeAndKey => has_code & has_key,
        Required::Code => has_code,
        Required::Key => has_key,
        // A callback that is played back says nothing of a merchant.
        Required::Either => has_code | has_key | has(parameters.given(STATUS)),
        Required::Neither => Choice::from(1),
    };
    enough & (right_code | !has_code) & (right_key | !has_key)
}
