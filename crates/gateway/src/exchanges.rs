//! The log of what merchants and we said to each other, from which an order is explained.
//!
//! It stands beside the books and promises nothing: no rule depends on it, nobody waits for it, and
//! what is too much for it is left out and counted. A protocol leaves a [`Note`] of each request;
//! whoever sees both bodies hands them over as an [`Exchange`], uncopied. They are masked by the
//! protocol's own function on the log's side, before anything is kept.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::{Doubt, MerchantId, OrderId, Reference, ReferenceKey, Refusal, Timestamp};

use crate::ports::StoreFault;

/// What became of a request's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// Requests of this kind carry none.
    Unsigned,
    /// The request was turned down before anybody looked at it.
    Unchecked,
    /// It was right.
    Valid,
    /// It was wrong, or nobody has that name.
    Invalid,
}

impl Signature {
    /// Every verdict, in the order in which they are declared.
    pub const ALL: [Self; 4] = [Self::Unsigned, Self::Unchecked, Self::Valid, Self::Invalid];

    /// A stable name for storage and the admin API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Unchecked => "unchecked",
            Self::Valid => "valid",
            Self::Invalid => "invalid",
        }
    }

    /// The verdict with this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.name() == name)
    }
}

/// What an answer means, whatever its protocol calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// What was asked for was done or told.
    Granted,
    /// The outcome is open, or the fault is ours and so is the doubt.
    Open(Doubt),
    /// It was turned down.
    Refused(Refusal),
}

impl Meaning {
    /// A stable name for storage and the admin API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Open(_) => "open",
            Self::Refused(_) => "refused",
        }
    }

    /// The stable name of the doubt or the refusal.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Granted => None,
            Self::Open(doubt) => Some(doubt.name()),
            Self::Refused(refusal) => Some(refusal.name()),
        }
    }

    /// The meaning with these stable names.
    pub fn from_names(name: &str, reason: Option<&str>) -> Option<Self> {
        match (name, reason) {
            ("granted", None) => Some(Self::Granted),
            ("open", Some(reason)) => Doubt::from_name(reason).map(Self::Open),
            ("refused", Some(reason)) => Refusal::from_name(reason).map(Self::Refused),
            _ => None,
        }
    }
}

/// Which of the two bodies of an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// What the caller sent. Anything may stand anywhere in it.
    Request,
    /// What we answered.
    Answer,
}

/// Writes a body so that it may be kept: without secrets, whole customer numbers and names.
pub type Mask = fn(Side, &[u8]) -> String;

/// What a protocol knows of an exchange. It is made without copying a body or writing a text.
#[derive(Debug, Clone)]
pub struct Note {
    /// The protocol.
    pub protocol: &'static str,
    /// The protocol's own word for what was asked; empty while that is not known.
    pub command: &'static str,
    /// Whose request it was; with an invalid signature, whose it claimed to be.
    pub merchant: Option<MerchantId>,
    /// The merchant's reference in it, if it could be one.
    pub reference: Option<Reference>,
    /// The order that it is about.
    pub order: Option<OrderId>,
    /// What became of its signature.
    pub signature: Signature,
    /// The protocol's own code of the answer.
    pub code: Option<&'static str>,
    /// What the answer means.
    pub meaning: Option<Meaning>,
    /// Masks both bodies.
    pub mask: Mask,
}

impl Note {
    /// Nothing is known yet but the protocol.
    pub const fn new(protocol: &'static str, mask: Mask) -> Self {
        Self {
            protocol,
            command: "",
            merchant: None,
            reference: None,
            order: None,
            signature: Signature::Unchecked,
            code: None,
            meaning: None,
            mask,
        }
    }
}

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// When the whole request was there.
    pub at: Timestamp,
    /// How long the answer took, or until the connection ended.
    pub took: Duration,
    /// From where the request came, as far as trusted proxies tell.
    pub peer: IpAddr,
    /// Its id, which every line of the log carries too.
    pub request_id: Box<str>,
    /// What the protocol knows of it.
    pub note: Note,
    /// The HTTP status of the answer; none if the connection ended before it.
    pub http_status: Option<u16>,
    /// The body of the request, empty if it did not arrive.
    pub request: Bytes,
    /// The body of the answer.
    pub answer: Bytes,
}

/// An exchange as it is kept. The reference is not among it: exchanges are found by it, and whoever
/// looks has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Grows with time; the same number is never given twice.
    pub number: u64,
    /// When the whole request was there.
    pub at: Timestamp,
    /// How long the answer took.
    pub took: Duration,
    /// From where the request came.
    pub peer: String,
    /// Its id.
    pub request_id: String,
    /// The protocol.
    pub protocol: String,
    /// The protocol's own word for what was asked; empty if that was not understood.
    pub command: String,
    /// Whose it was or claimed to be.
    pub merchant: Option<MerchantId>,
    /// The order that it is about, where the protocol knew it.
    pub order: Option<OrderId>,
    /// What became of its signature.
    pub signature: Signature,
    /// The protocol's own code of the answer.
    pub code: Option<String>,
    /// What the answer means.
    pub meaning: Option<Meaning>,
    /// The HTTP status of the answer; none if the connection ended before it.
    pub http_status: Option<u16>,
    /// The masked body of the request.
    pub request: String,
    /// The masked body of the answer.
    pub answer: String,
}

/// Which exchanges are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Those about one order: that name its number, or its reference as its merchant or as nobody
    /// known.
    Order {
        /// The order.
        id: OrderId,
        /// Its reference.
        key: ReferenceKey,
        /// When its story begins, for what was left out meanwhile.
        from: Timestamp,
        /// When its story ends.
        until: Timestamp,
    },
    /// Those that name this reference, whoever sent them and whatever became of them.
    Reference(String),
}

/// What the log has about a subject.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// In the order of time; where there are too many, the earliest and the latest.
    pub exchanges: Vec<Recorded>,
    /// How many between those are not shown.
    pub omitted: u64,
    /// How many exchanges of anybody were left out of the log during the subject's time, or ever
    /// where it has none.
    pub missed: u64,
    /// When the oldest exchange that is still kept was recorded.
    pub kept_since: Option<Timestamp>,
}

/// How many exchanges there were since the program began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Kept.
    pub recorded: u64,
    /// Left out, because there were too many at once or the log could not be written.
    pub missed: u64,
}

/// Where exchanges are kept.
#[async_trait]
pub trait ExchangeLog: Send + Sync {
    /// Whether anything is kept at all.
    fn is_on(&self) -> bool;

    /// Whether an exchange that begins now is to be kept. Says no, and counts it as missed, once there
    /// were too many this second, so that under load most requests cost nothing here.
    fn admits(&self) -> bool;

    /// Takes in an exchange that was admitted, or leaves it out if there is no room. Never waits.
    fn record(&self, exchange: Exchange);

    /// What was said about a subject. Sees everything that was taken in before.
    async fn about(&self, subject: Subject) -> Result<Found, StoreFault>;

    /// How many there were.
    fn counts(&self) -> Counts;

    /// Writes what was taken in and keeps nothing more. Calling it again does nothing.
    async fn close(&self);
}

/// Keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

#[async_trait]
impl ExchangeLog for Nowhere {
    fn is_on(&self) -> bool {
        false
    }

    fn admits(&self) -> bool {
        false
    }

    fn record(&self, _exchange: Exchange) {}

    async fn about(&self, _subject: Subject) -> Result<Found, StoreFault> {
        Ok(Found::default())
    }

    fn counts(&self) -> Counts {
        Counts::default()
    }

    async fn close(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back() {
        for verdict in Signature::ALL {
            assert_eq!(Signature::from_name(verdict.name()), Some(verdict));
        }
        let doubts = Doubt::ALL.into_iter().map(Meaning::Open);
        let refusals = Refusal::ALL.iter().copied().map(Meaning::Refused);
        for meaning in doubts.chain(refusals).chain([Meaning::Granted]) {
            assert_eq!(Meaning::from_names(meaning.name(), meaning.reason()), Some(meaning));
        }
        for (name, reason) in [("granted", Some("Silent")), ("open", None), ("refused", Some("?"))]
        {
            assert_eq!(Meaning::from_names(name, reason), None);
        }
    }
}
