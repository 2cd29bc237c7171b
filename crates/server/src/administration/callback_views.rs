//! What the admin API answers about callbacks.

use std::collections::BTreeMap;

use domain::callback::{Delivery, Endpoint, Received};
use domain::{Callback, CallbackState, Role};
use gateway::ports::Parcel;

use super::shape::shape;
use super::views::{instant, optional_instant, page};
use crate::messenger::answer;
use crate::messenger::certificates::CertificateFacts;
use crate::messenger::diagnosis::Diagnosis;

shape! {
    /// Where a merchant is called back in a protocol, without the secret.
    EndpointView {
        /// Whose.
        merchant: u32 = 1,
        /// In which protocol.
        protocol: String = "iak",
        /// The address.
        url: String = "https://shop.example/callback",
        /// `active`, or `stopped` when nothing is sent there.
        status: String = "active",
        /// Since when nothing is sent there.
        stopped_at: Option<String> = null,
    }
}

impl From<&Endpoint> for EndpointView {
    fn from(endpoint: &Endpoint) -> Self {
        let status = if endpoint.stopped_at.is_some() { "stopped" } else { "active" };
        Self {
            merchant: endpoint.key.merchant.0,
            protocol: endpoint.key.protocol.to_string(),
            url: endpoint.url.clone(),
            status: status.to_owned(),
            stopped_at: optional_instant(endpoint.stopped_at),
        }
    }
}

shape! {
    /// Where a merchant is called back. There is one per protocol, so the list has one part.
    EndpointList {
        /// In the order of the protocols' names.
        items: Vec<EndpointView> = [],
    }
}
shape! {
    /// An address that was just set. A new secret is shown here and nowhere else.
    IssuedEndpoint {
        /// The address.
        endpoint: EndpointView = { "merchant": 1, "protocol": "iak",
            "url": "https://shop.example/callback", "status": "active", "stopped_at": null },
        /// The secret that signs what is sent; null where the former one goes on.
        secret: Option<String> = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }
}

shape! {
    /// News of an order that is owed to its merchant.
    CallbackView {
        /// The number.
        callback: u64 = 5,
        /// Of which order.
        order: u64 = 17,
        /// Whose.
        merchant: u32 = 1,
        /// In which protocol.
        protocol: String = "iak",
        /// What became true: `succeeded`, `failed`, `serial-number` or `in-review`.
        event: String = "succeeded",
        /// When it became true.
        at: String = "2026-01-02T03:04:05Z",
        /// `waiting`, `leased` while it is being tried, `delivered` or `given-up`.
        state: String = "delivered",
        /// When it is tried next, or by when the try under way has ended.
        due: Option<String> = null,
        /// How often it was tried.
        tries: u32 = 1,
        /// Its name in the header `webhook-id`, the same at every try.
        message: String = "msg_0123456789abcdef01234567",
    }
}

page! { /// A part of the list of callbacks.
CallbackPage of CallbackView }

shape! {
    /// One try to hand a callback over.
    DeliveryView {
        /// Counts the tries from 1.
        number: u32 = 1,
        /// When it began.
        at: String = "2026-01-02T03:04:05Z",
        /// How long it took, in milliseconds.
        took_ms: u64 = 120,
        /// The status that the receiver answered.
        status: Option<u16> = 200,
        /// The first bytes of the answer, long numbers masked.
        excerpt: Option<String> = "OK",
        /// Why no answer came.
        problem: Option<String> = null,
    }
}
shape! {
    /// What is sent, the same at every try. Viewers see neither the values nor the body.
    CallbackContent {
        /// Headers of the protocol's own.
        headers: BTreeMap<String, String> = { "content-type": "application/json" },
        /// The body.
        body: Option<String> = "{}",
        /// Its length, in bytes.
        length: u64 = 2,
    }
}
shape! {
    /// A callback with all that was done to hand it over.
    CallbackDetail {
        /// The callback.
        callback: CallbackView = { "callback": 5, "order": 17, "merchant": 1, "protocol": "iak",
            "event": "succeeded", "at": "2026-01-02T03:04:05Z", "state": "delivered", "due": null,
            "tries": 1, "message": "msg_0123456789abcdef01234567" },
        /// What is sent; null before the first try.
        content: Option<CallbackContent> = null,
        /// The tries, oldest first.
        deliveries: Vec<DeliveryView> = [],
    }
}
shape! {
    /// A callback that waits to be tried again.
    ResentCallback {
        /// The number.
        callback: u64 = 5,
    }
}

shape! {
    /// An address to which a name resolved.
    AddressVerdict {
        /// The address.
        address: String = "203.0.113.7",
        /// Why nothing is sent there; null where something is.
        refused: Option<String> = "documentation",
    }
}
shape! {
    /// A certificate of a receiver.
    CertificateView {
        /// Whom it is for.
        subject: String = "CN=shop.example",
        /// Who issued it.
        issuer: String = "CN=Example CA",
        /// From when on it is valid.
        not_before: String = "2026-01-01T00:00:00Z",
        /// Until when.
        not_after: String = "2026-04-01T00:00:00Z",
    }
}
shape! {
    /// A try with everything that can be told of it.
    CallbackDiagnosis {
        /// Where it went.
        url: String = "https://shop.example/callback",
        /// `delivered`, `refused` when something else was answered, or `unreachable`.
        verdict: String = "delivered",
        /// What to look at, in English.
        advice: String = "The receiver has it.",
        /// What to look at, in Indonesian.
        advice_id: String = "Penerima sudah mendapatkannya.",
        /// What the name resolved to.
        addresses: Vec<AddressVerdict> = [],
        /// Whom it was connected to.
        connected_to: Option<String> = "203.0.113.7:443",
        /// How long that took, in milliseconds.
        connect_ms: Option<u64> = 20,
        /// The version of TLS.
        tls: Option<String> = "TLS 1.3",
        /// How long its handshake took, in milliseconds.
        tls_ms: Option<u64> = 40,
        /// The receiver's certificate and its chain, also where they were refused.
        certificates: Vec<CertificateView> = [],
        /// The status.
        status: Option<u16> = 200,
        /// How long it took from the request to the first byte of the answer, in milliseconds.
        first_byte_ms: Option<u64> = 80,
        /// The first bytes of the answer, long numbers masked.
        excerpt: Option<String> = "OK",
        /// What went wrong where no answer came.
        problem: Option<String> = null,
        /// The headers that were sent.
        sent_headers: BTreeMap<String, String> = { "webhook-id": "msg_test_0000000000000001" },
        /// The body that was sent.
        sent_body: String = "{\"type\":\"lunas.test\",\"data\":{}}",
    }
}

fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A callback as it stands.
pub(super) fn callback(callback: &Callback) -> CallbackView {
    let due = match callback.state {
        CallbackState::Waiting { due } => Some(due),
        CallbackState::Leased { until, .. } => Some(until),
        CallbackState::Delivered | CallbackState::GivenUp => None,
    };
    CallbackView {
        callback: callback.id.0,
        order: callback.order.0,
        merchant: callback.merchant.0,
        protocol: callback.protocol.to_string(),
        event: callback.event.name().to_owned(),
        at: instant(callback.at),
        state: callback.state.name().to_owned(),
        due: optional_instant(due),
        tries: callback.tries,
        message: gateway::courier::message_id(callback),
    }
}

/// What is sent, as the holder of this role may see it: it holds customers' numbers, and signatures
/// that a stranger could use.
pub(super) fn content(callback: &Callback, role: Role) -> Option<CallbackContent> {
    let rendered = callback.rendered.as_ref()?;
    let whole = role > Role::Viewer;
    let value = |text: &String| if whole { text.clone() } else { "****".to_owned() };
    let headers = rendered.headers.iter().map(|(name, text)| (name.clone(), value(text)));
    let body = whole.then(|| String::from_utf8_lossy(&rendered.body).into_owned());
    let length = u64::try_from(rendered.body.len()).unwrap_or(u64::MAX);
    Some(CallbackContent { headers: headers.collect(), body, length })
}

/// One try.
pub(super) fn delivery(delivery: &Delivery) -> DeliveryView {
    let (status, excerpt, problem) = match &delivery.received {
        Received::Answered { status, excerpt } => (Some(*status), Some(excerpt.clone()), None),
        Received::Unreachable { problem } => (None, None, Some(problem.clone())),
        Received::NoAddress => (None, None, Some("no address".to_owned())),
    };
    DeliveryView {
        number: delivery.number,
        at: instant(delivery.at),
        took_ms: milliseconds(delivery.took),
        status,
        excerpt,
        problem,
    }
}

/// A diagnosis, with what was sent for it.
pub(super) fn diagnosis(
    endpoint: &Endpoint,
    parcel: &Parcel,
    diagnosis: &Diagnosis,
) -> CallbackDiagnosis {
    let (verdict, indonesian, english) = diagnosis.verdict();
    let sent = parcel.rendered.headers.iter().chain(&parcel.headers);
    let answered = diagnosis.answered.is_some();
    CallbackDiagnosis {
        url: endpoint.url.clone(),
        verdict: verdict.to_owned(),
        advice: english.to_owned(),
        advice_id: indonesian.to_owned(),
        addresses: diagnosis
            .addresses
            .iter()
            .map(|(address, region)| AddressVerdict {
                address: address.to_string(),
                refused: region.map(|region| region.to_string()),
            })
            .collect(),
        connected_to: diagnosis.connected.map(|(address, _)| address.to_string()),
        connect_ms: diagnosis.connected.map(|(_, took)| milliseconds(took)),
        tls: diagnosis.encrypted.map(|(version, _)| version.to_owned()),
        tls_ms: diagnosis.encrypted.map(|(_, took)| milliseconds(took)),
        certificates: diagnosis.chain.iter().map(certificate).collect(),
        status: diagnosis.answered.map(|(status, _)| status),
        first_byte_ms: diagnosis.answered.map(|(_, took)| milliseconds(took)),
        excerpt: answered.then(|| diagnosis.excerpt.clone()),
        problem: diagnosis.problem.as_ref().map(ToString::to_string),
        sent_headers: sent.cloned().collect(),
        sent_body: answer::excerpt(&parcel.rendered.body),
    }
}

fn certificate(facts: &CertificateFacts) -> CertificateView {
    CertificateView {
        subject: facts.subject.clone(),
        issuer: facts.issuer.clone(),
        not_before: facts.not_before.clone(),
        not_after: facts.not_after.clone(),
    }
}
