//! Orders: what a merchant asks, and the states that it passes through.
//!
//! Three kinds share one set of states. A state never goes back, a final state never changes, and
//! an outcome that is unknown is not a failure: it leaves the order where it is.

use std::sync::Arc;

use crate::bill::{Bill, Detail};
use crate::evidence::EvidenceKey;
use crate::identifier::{
    CallbackId, OrderId, ProcessId, ProductId, ReferenceKey, TransferId, UpstreamName,
};
use crate::money::Amount;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Which way the money goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A bill or a top-up: out of the balance, to a supplier.
    Purchase,
    /// A payer pays the merchant through us.
    Collection,
    /// Out of the balance, to a bank account or a wallet.
    Payout,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderState {
    /// A purchase whose inquiry the supplier refused. Final.
    Declined(Refusal),
    /// A purchase that was inquired and priced, and is not confirmed.
    Quoted,
    /// A collection that waits for the payer.
    Awaiting,
    /// A purchase or payout with money held, whose outcome is not known yet.
    Processing,
    /// Done. Final.
    Succeeded,
    /// Affirmatively refused. Final.
    Failed(Refusal),
    /// A collection that nobody paid in time. Final, though late evidence may still arrive.
    Expired,
}

impl OrderState {
    /// The stable names of all states, in the order in which they are declared.
    pub const NAMES: [&'static str; 7] =
        ["declined", "quoted", "awaiting", "processing", "succeeded", "failed", "expired"];

    /// A stable name, which leaves out why something was refused.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Declined(_) => "declined",
            Self::Quoted => "quoted",
            Self::Awaiting => "awaiting",
            Self::Processing => "processing",
            Self::Succeeded => "succeeded",
            Self::Failed(_) => "failed",
            Self::Expired => "expired",
        }
    }

    /// Whether nothing can follow.
    pub const fn is_final(self) -> bool {
        match self {
            Self::Declined(_) | Self::Succeeded | Self::Failed(_) | Self::Expired => true,
            Self::Quoted | Self::Awaiting | Self::Processing => false,
        }
    }

    /// Whether an order of this kind may begin here.
    pub const fn may_begin(self, kind: Kind) -> bool {
        match kind {
            Kind::Purchase => {
                matches!(self, Self::Declined(_) | Self::Quoted | Self::Processing)
            }
            Kind::Collection => matches!(self, Self::Awaiting),
            Kind::Payout => matches!(self, Self::Processing),
        }
    }

    /// Whether an order of this kind may go from here to `next`.
    pub const fn may_become(self, next: Self, kind: Kind) -> bool {
        match (kind, self) {
            (Kind::Purchase, Self::Quoted) => matches!(next, Self::Processing),
            (Kind::Purchase | Kind::Payout, Self::Processing) => {
                matches!(next, Self::Succeeded | Self::Failed(_))
            }
            (Kind::Collection, Self::Awaiting) => {
                matches!(next, Self::Succeeded | Self::Failed(_) | Self::Expired)
            }
            _ => false,
        }
    }
}

/// What a purchase costs, and whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quote {
    /// What the biller wants.
    pub nominal: Amount,
    /// The fee per single bill.
    pub admin_fee: Amount,
    /// The fee for all of them.
    pub admin: Amount,
    /// What the end customer pays: nominal and fees.
    pub price: Amount,
    /// What leaves the merchant's balance: the price less the commission.
    pub charge: Amount,
}

/// Money set aside for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// The transfer that set it aside.
    pub transfer: TransferId,
    /// How much.
    pub amount: Amount,
    /// The transfer that posted or voided it, once there is one. Set exactly once.
    pub resolved_by: Option<TransferId>,
}

/// Why an outcome is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doubt {
    /// The supplier says that it is working on it.
    InProcess,
    /// The supplier reports an error that says nothing about the outcome.
    UndefinedError,
    /// The supplier's answer means nothing to us.
    UndefinedResponse,
    /// The supplier gave no answer, or broke off.
    Silent,
    /// The supplier's answer contradicts what was asked: another amount, another order.
    Contradictory,
    /// The process that made the attempt is gone.
    Abandoned,
}

impl Doubt {
    /// Every doubt, in the order in which they are declared.
    pub const ALL: [Self; 6] = [
        Self::InProcess,
        Self::UndefinedError,
        Self::UndefinedResponse,
        Self::Silent,
        Self::Contradictory,
        Self::Abandoned,
    ];

    /// A stable name for storage and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InProcess => "InProcess",
            Self::UndefinedError => "UndefinedError",
            Self::UndefinedResponse => "UndefinedResponse",
            Self::Silent => "Silent",
            Self::Contradictory => "Contradictory",
            Self::Abandoned => "Abandoned",
        }
    }

    /// The doubt with this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|doubt| doubt.name() == name)
    }
}

/// What a supplier handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What the supplier took from us for it.
    pub cost: Amount,
    /// The proof: serial number, token, the biller's reference. May be empty.
    pub serial_number: String,
    /// Particulars that only the payment brought; they replace those of the inquiry.
    pub details: Option<Detail>,
}

/// What an attempt brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The supplier affirms that it is done.
    Delivered(Delivery),
    /// The supplier affirms that it is not done and will not be.
    Refused(Refusal),
    /// Anything else. Never a failure.
    Unknown(Doubt),
}

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptState {
    /// Durable before the call; the owning process may be calling at this moment.
    Intent,
    /// The call brought no outcome. Only asking resolves it.
    Unknown(Doubt),
    /// The supplier delivered.
    Delivered,
    /// The supplier refused.
    Refused(Refusal),
}

/// One call to one upstream for one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Counts the order's attempts from 1.
    pub number: u16,
    /// Whom we called.
    pub upstream: UpstreamName,
    /// Where it stands.
    pub state: AttemptState,
    /// The process that makes the call.
    pub owner: ProcessId,
    /// When it was made durable.
    pub started_at: Timestamp,
    /// How often it brought no outcome: the call itself counts, and so does every later question or
    /// notice that leaves the outcome open.
    pub questions: u32,
}

/// What is particular to a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collecting {
    /// Through which channel the payer pays: the name of the account on which the money comes in.
    pub channel: String,
    /// What the payer has to hand over, in the channel's own money.
    pub due: Amount,
    /// What the merchant is credited.
    pub gross: Amount,
    /// What we take of that.
    pub fee: Amount,
    /// Where the payer's browser goes in the end.
    pub return_url: Option<String>,
    /// Whether a person has to look at it before it can end.
    pub in_review: bool,
    /// What was asked besides, and what the payer told later. The protocol knows the names.
    pub particulars: Detail,
    /// What paid it.
    pub evidence: Option<EvidenceKey>,
}

/// What a merchant asked for, and all that became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// The number.
    pub id: OrderId,
    /// The merchant's own name for it, with all that makes that name unique.
    pub key: ReferenceKey,
    /// Which way the money goes.
    pub kind: Kind,
    /// Where it stands.
    pub state: OrderState,
    /// Digest of what was asked, to tell a repeat from another order under the same reference.
    pub fingerprint: [u8; 32],
    /// The product.
    pub product: ProductId,
    /// The code under which the merchant asked for the product.
    pub code: String,
    /// The customer's number, as the merchant wrote it.
    pub destination: String,
    /// In which variant of its protocol the merchant asked, in that protocol's own words; empty for
    /// the usual one. Only the protocol reads it, to call back in the same variant.
    pub dialect: String,
    /// Who answered the inquiry, and is therefore called for the payment.
    pub upstream: UpstreamName,
    /// What the supplier says of the bill; none for a declined inquiry and for what is bought
    /// without one. All states of the order share it, until a quote that is made anew brings another.
    pub bill: Option<Arc<Bill>>,
    /// What it costs; none for a declined inquiry.
    pub quote: Option<Quote>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub updated_at: Timestamp,
    /// The first instant at which the quote can no longer be confirmed.
    pub expires_at: Timestamp,
    /// What is set aside for it.
    pub holds: Vec<Hold>,
    /// The calls made for it, oldest first. At most the last one is unresolved.
    pub attempts: Vec<Attempt>,
    /// When the upstream is asked next, while the outcome is unknown and a process should ask.
    pub question_due: Option<Timestamp>,
    /// What the supplier handed over, once it succeeded.
    pub delivery: Option<Delivery>,
    /// Whether the merchant is called back when it ends.
    pub calls_back: bool,
    /// An address of its own to which the merchant wants the news as well.
    pub callback_url: Option<String>,
    /// The callbacks owed for it so far, oldest first.
    pub callbacks: Vec<CallbackId>,
    /// What is particular to a collection; none for anything else.
    pub collecting: Option<Collecting>,
    /// To whom a payout goes, in names that the protocol knows; none for anything else.
    pub recipient: Option<Detail>,
}

impl Order {
    /// How many callbacks its end makes owed.
    pub fn callbacks_per_end(&self) -> usize {
        usize::from(self.calls_back).saturating_add(usize::from(self.callback_url.is_some()))
    }

    /// Whether it was bought at a fixed price, without a bill.
    pub const fn is_top_up(&self) -> bool {
        matches!(self.kind, Kind::Purchase) && self.bill.is_none() && self.quote.is_some()
    }

    /// The attempt that decides: the latest.
    pub fn attempt(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// The particulars to show: those of the payment where it brought some, else the inquiry's.
    pub fn details(&self) -> Option<&Detail> {
        self.delivery
            .as_ref()
            .and_then(|delivery| delivery.details.as_ref())
            .or_else(|| self.bill.as_ref().map(|bill| &bill.details))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [OrderState; 7] = [
        OrderState::Declined(Refusal::DestinationInvalid),
        OrderState::Quoted,
        OrderState::Awaiting,
        OrderState::Processing,
        OrderState::Succeeded,
        OrderState::Failed(Refusal::PaymentFailed),
        OrderState::Expired,
    ];

    /// One row per kind and state: the states that may follow.
    #[test]
    fn every_step_is_listed() {
        use OrderState::{Awaiting, Expired, Failed, Processing, Quoted, Succeeded};
        let failed = Failed(Refusal::PaymentFailed);
        let table: [(Kind, OrderState, &[OrderState]); 4] = [
            (Kind::Purchase, Quoted, &[Processing]),
            (Kind::Purchase, Processing, &[Succeeded, failed]),
            (Kind::Payout, Processing, &[Succeeded, failed]),
            (Kind::Collection, Awaiting, &[Succeeded, failed, Expired]),
        ];
        for kind in [Kind::Purchase, Kind::Collection, Kind::Payout] {
            for from in STATES {
                let allowed = table
                    .iter()
                    .find(|(k, state, _)| *k == kind && *state == from)
                    .map_or(&[][..], |(_, _, next)| *next);
                for to in STATES {
                    assert_eq!(
                        from.may_become(to, kind),
                        allowed.contains(&to),
                        "{kind:?}: {from:?} to {to:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn nothing_follows_a_final_state() {
        for from in STATES.into_iter().filter(|state| state.is_final()) {
            for kind in [Kind::Purchase, Kind::Collection, Kind::Payout] {
                assert!(STATES.into_iter().all(|to| !from.may_become(to, kind)), "{from:?}");
            }
        }
    }

    #[test]
    fn every_state_has_a_name() {
        let names: Vec<_> = STATES.into_iter().map(OrderState::name).collect();
        assert_eq!(names, OrderState::NAMES);
    }

    #[test]
    fn every_doubt_leads_back() {
        for doubt in Doubt::ALL {
            assert_eq!(Doubt::from_name(doubt.name()), Some(doubt));
        }
    }
}
