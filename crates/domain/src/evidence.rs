//! Evidence: proof that money came in, from somebody who has seen it.
//!
//! A piece of evidence goes by its source's own name for it and is recorded once, however often it
//! is brought. It pays one order or none: what fits no order for certain stands on suspense until a
//! person decides. A merchant's word is no evidence.
//!
//! Where evidence comes from, and which order it might be for, are not decided here.

use crate::identifier::{MerchantId, OrderId, TransferId};
use crate::money::Amount;
use crate::time::Timestamp;

/// A name that no other piece of evidence has: the source, and the source's own name for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EvidenceKey {
    /// Who saw it, such as `sim-1` or `bank-bca`.
    pub source: String,
    /// What the source calls it, or all that tells it from others where the source has no names.
    pub id: String,
}

/// Why evidence pays no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doubtful {
    /// No order waits for this.
    NoOrder,
    /// Several orders wait for this, and nothing tells which it is for.
    SeveralOrders,
    /// The order had ended before.
    TooLate,
    /// Less came in than the order waits for.
    TooLittle,
    /// More came in than the order waits for.
    TooMuch,
    /// The order is paid.
    PaidBefore,
}

impl Doubtful {
    /// Every reason, in the order in which they are declared.
    pub const ALL: [Self; 6] = [
        Self::NoOrder,
        Self::SeveralOrders,
        Self::TooLate,
        Self::TooLittle,
        Self::TooMuch,
        Self::PaidBefore,
    ];

    /// A stable name for storage and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoOrder => "no-order",
            Self::SeveralOrders => "several-orders",
            Self::TooLate => "too-late",
            Self::TooLittle => "too-little",
            Self::TooMuch => "too-much",
            Self::PaidBefore => "paid-before",
        }
    }

    /// The reason with this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// What became of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceState {
    /// Nobody has decided yet.
    Open,
    /// It paid this order. Final.
    Used(OrderId),
    /// It stands on suspense.
    Suspended {
        /// Why.
        reason: Doubtful,
        /// The transfer that put it there.
        transfer: TransferId,
    },
    /// A person gave it to this merchant, or back to whoever sent it. Final.
    Released(Option<MerchantId>),
}

impl EvidenceState {
    /// The stable names of all states, in the order in which they are declared.
    pub const NAMES: [&'static str; 4] = ["open", "used", "suspended", "released"];

    /// A stable name, without particulars.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Used(_) => "used",
            Self::Suspended { .. } => "suspended",
            Self::Released(_) => "released",
        }
    }

    /// Whether it can still pay an order.
    pub const fn is_free(self) -> bool {
        matches!(self, Self::Open | Self::Suspended { .. })
    }
}

/// Money that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Its name.
    pub key: EvidenceKey,
    /// Through which channel it came: the name of the account on which it stands.
    pub channel: String,
    /// How much came in, in the channel's own money.
    pub amount: Amount,
    /// Who sent it, as the source says; empty if it doesn't.
    pub sender: String,
    /// What the sender wrote or the bank calls it; empty if there is nothing.
    pub reference: String,
    /// When it came in, as the source says.
    pub came_in_at: Timestamp,
    /// When we learned of it.
    pub seen_at: Timestamp,
    /// What became of it.
    pub state: EvidenceState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back() {
        for reason in Doubtful::ALL {
            assert_eq!(Doubtful::from_name(reason.name()), Some(reason));
        }
        assert_eq!(Doubtful::from_name("late"), None);
        let transfer = TransferId(1);
        let states = [
            EvidenceState::Open,
            EvidenceState::Used(OrderId(1)),
            EvidenceState::Suspended { reason: Doubtful::NoOrder, transfer },
            EvidenceState::Released(None),
        ];
        assert_eq!(states.map(EvidenceState::name), EvidenceState::NAMES);
        assert_eq!(states.map(EvidenceState::is_free), [true, false, true, false]);
    }
}
