//! Who counts what happens: a port through which the use cases tell what they know already.
//!
//! Nothing is computed for the observer's sake but how long a call took, and it has no say in
//! anything. Its methods are called on the paths of requests, so an implementation must neither
//! wait nor allocate as a rule. Each event is told once, when what it tells is durable.

use std::time::Duration;

use domain::callback::Received;
use domain::{ProtocolName, UpstreamName};

/// What an event is counted under.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The protocol in which the merchant speaks.
    pub protocol: &'a ProtocolName,
    /// The group of the product; empty once the product is gone.
    pub group: &'a str,
}

/// How an inquiry ended that was put to a supplier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InquiryEnd {
    /// A quote is stored.
    Quoted,
    /// The supplier's refusal is stored.
    Declined,
    /// The supplier did not answer.
    Silent,
}

/// What became of a transaction in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionEnd {
    /// It was delivered and paid for.
    Succeeded,
    /// It failed, and the money was released.
    Failed,
}

/// What an attempt brought, by its call or by a later question, notice or decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The supplier delivered.
    Delivered,
    /// The supplier refused.
    Refused,
    /// It is still not known.
    Unknown,
}

/// What one try to hand over a callback came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandoverEnd {
    /// The receiver has it.
    Delivered,
    /// The receiver answered something else.
    Refused,
    /// The receiver could not be reached, or broke off.
    Unreachable,
    /// There was no address to send it to.
    NoAddress,
}

impl From<&Received> for HandoverEnd {
    fn from(received: &Received) -> Self {
        match received {
            Received::Answered { .. } if received.is_delivered() => Self::Delivered,
            Received::Answered { .. } => Self::Refused,
            Received::Unreachable { .. } => Self::Unreachable,
            Received::NoAddress => Self::NoAddress,
        }
    }
}

/// What an upstream is called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// What is owed, whose a number is, and whatever else moves no money.
    Inquire,
    /// To pay.
    Pay,
    /// What became of a payment.
    Ask,
    /// To be told a person's decision.
    Settle,
}

/// Counts what happens. What an observer has no use for is passed over by the defaults.
pub trait Observer: Send + Sync {
    /// An inquiry was put to a supplier and ended.
    fn inquired(&self, subject: Subject<'_>, end: InquiryEnd) {
        let _ = (subject, end);
    }

    /// A quote was confirmed and its money set aside.
    fn accepted(&self, subject: Subject<'_>) {
        let _ = subject;
    }

    /// A transaction reached its final outcome.
    fn finished(&self, subject: Subject<'_>, end: TransactionEnd) {
        let _ = (subject, end);
    }

    /// An attempt brought something. One that stays unknown is told again with each question.
    fn resolved(&self, upstream: &UpstreamName, end: AttemptEnd) {
        let _ = (upstream, end);
    }

    /// An upstream contradicted a final outcome, or claimed another amount or currency than was
    /// ordered. A person must decide.
    fn contradicted(&self, upstream: &UpstreamName) {
        let _ = upstream;
    }

    /// An upstream was called and answered, or was given up, after this time.
    fn called(&self, upstream: &UpstreamName, operation: Operation, took: Duration) {
        let _ = (upstream, operation, took);
    }

    /// A callback of this protocol was tried, for this long.
    fn handed_over(&self, protocol: &ProtocolName, end: HandoverEnd, took: Duration) {
        let _ = (protocol, end, took);
    }

    /// A callback of this protocol is not tried any more, unless somebody asks for it.
    fn given_up(&self, protocol: &ProtocolName) {
        let _ = protocol;
    }
}

/// Counts nothing.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Observer for Nobody {}
