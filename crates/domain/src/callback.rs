//! Callbacks: what we owe a merchant the news of, and what became of handing it over.
//!
//! A callback is made in the commit that makes its news true, so that none is ever forgotten. What
//! is sent is rendered once and kept byte for byte: every try carries the same. A try is a delivery;
//! each is remembered, and nothing but a delivery, a lease or an operator moves a callback on.
//!
//! How the news is written, to where it goes over which network, and when the next try is due are
//! not decided here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::identifier::{CallbackId, MerchantId, OrderId, ProcessId, ProtocolName};
use crate::merchant::Secret;
use crate::money::Amount;
use crate::time::Timestamp;

/// What became true of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// It succeeded.
    Succeeded,
    /// It failed.
    Failed,
    /// Its serial number came after it had succeeded without one.
    SerialNumber,
    /// A person has to look at it. Told only to who asks.
    InReview,
}

impl Event {
    /// Every event, in the order in which they are declared.
    pub const ALL: [Self; 4] = [Self::Succeeded, Self::Failed, Self::SerialNumber, Self::InReview];

    /// A stable name for storage and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::SerialNumber => "serial-number",
            Self::InReview => "in-review",
        }
    }

    /// The event with this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }
}

/// What is sent, the same at every try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// Headers of the protocol's own, the content type among them.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Where a callback stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackState {
    /// Nobody is at it; the next try is due at this instant.
    Waiting {
        /// When.
        due: Timestamp,
    },
    /// A process is trying. Once the lease has run out, somebody else may.
    Leased {
        /// Which process.
        owner: ProcessId,
        /// Until when.
        until: Timestamp,
    },
    /// The merchant has it.
    Delivered,
    /// Nobody tries any more, unless an operator asks for it. The last delivery says why.
    GivenUp,
}

impl CallbackState {
    /// The stable names of all states, in the order in which they are declared.
    pub const NAMES: [&'static str; 4] = ["waiting", "leased", "delivered", "given-up"];

    /// A stable name, without owner or times.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting { .. } => "waiting",
            Self::Leased { .. } => "leased",
            Self::Delivered => "delivered",
            Self::GivenUp => "given-up",
        }
    }

    /// When somebody should look at it again; none if nobody has to.
    pub const fn due(self) -> Option<Timestamp> {
        match self {
            Self::Waiting { due } => Some(due),
            Self::Leased { until, .. } => Some(until),
            Self::Delivered | Self::GivenUp => None,
        }
    }
}

/// News of an order that is owed to its merchant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// The number.
    pub id: CallbackId,
    /// Of which order.
    pub order: OrderId,
    /// Whose order it is.
    pub merchant: MerchantId,
    /// In which protocol it is told.
    pub protocol: ProtocolName,
    /// What became true.
    pub event: Event,
    /// Whether it goes to the order's own address instead of the merchant's.
    pub to_own_address: bool,
    /// When it became true.
    pub at: Timestamp,
    /// What was available to the merchant right after it.
    pub balance: Amount,
    /// What is sent; none before the first try.
    pub rendered: Option<Arc<Rendered>>,
    /// Where it stands.
    pub state: CallbackState,
    /// How often it was tried in all.
    pub tries: u32,
    /// How often it was tried since it became owed or an operator last asked for it; the time of the
    /// next try depends on it.
    pub tries_in_round: u32,
}

/// Whose address for the callbacks of which protocol.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EndpointKey {
    /// The merchant.
    pub merchant: MerchantId,
    /// The protocol.
    pub protocol: ProtocolName,
}

/// Where a merchant wants to be called back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Whose, and for which protocol.
    pub key: EndpointKey,
    /// The address, as an absolute `http` or `https` URL that the edge has parsed.
    pub url: String,
    /// Signs the headers of Standard Webhooks: `whsec_` and Base64 of the key.
    pub secret: Secret,
    /// When the receiver said that it is gone for good; nothing is sent since then.
    pub stopped_at: Option<Timestamp>,
}

/// What came of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// The receiver answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The first bytes of the answer, as text.
        excerpt: String,
    },
    /// It could not be reached, or broke off.
    Unreachable {
        /// Why, in a word or a few.
        problem: String,
    },
    /// There is no address to send it to, or it is stopped.
    NoAddress,
}

impl Received {
    /// Whether the receiver has it: any status of 200 to 299.
    pub const fn is_delivered(&self) -> bool {
        matches!(self, Self::Answered { status: 200..=299, .. })
    }

    /// Whether the receiver is gone for good: status 410.
    pub const fn is_gone(&self) -> bool {
        matches!(self, Self::Answered { status: 410, .. })
    }
}

impl fmt::Display for Received {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { status, .. } => write!(formatter, "status {status}"),
            Self::Unreachable { problem } => formatter.write_str(problem),
            Self::NoAddress => formatter.write_str("no address"),
        }
    }
}

/// One try to hand a callback over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Which callback.
    pub callback: CallbackId,
    /// Counts its tries from 1.
    pub number: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub received: Received,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_leads_back() {
        for event in Event::ALL {
            assert_eq!(Event::from_name(event.name()), Some(event));
        }
        assert_eq!(Event::from_name("Succeeded"), None);
    }

    #[test]
    fn every_state_has_a_name() {
        let due = Timestamp::from_milliseconds(1);
        let states = [
            CallbackState::Waiting { due },
            CallbackState::Leased { owner: ProcessId(1), until: due },
            CallbackState::Delivered,
            CallbackState::GivenUp,
        ];
        assert_eq!(states.map(CallbackState::name), CallbackState::NAMES);
        assert_eq!(states.map(CallbackState::due), [Some(due), Some(due), None, None]);
    }

    #[test]
    fn only_a_success_of_the_receiver_is_a_delivery() {
        let table = [
            (199, false, false),
            (200, true, false),
            (204, true, false),
            (299, true, false),
            (301, false, false),
            (410, false, true),
            (429, false, false),
            (503, false, false),
        ];
        for (status, delivered, gone) in table {
            let received = Received::Answered { status, excerpt: String::new() };
            assert_eq!(
                (received.is_delivered(), received.is_gone()),
                (delivered, gone),
                "{status}"
            );
        }
        assert!(!Received::NoAddress.is_delivered() && !Received::NoAddress.is_gone());
    }
}
