//! What the admin API answers about evidence of money.

use domain::{Evidence, EvidenceState, Role};

use super::shape::shape;
use super::views::{instant, masked, page};

shape! {
    /// Money that came in, and what became of it.
    EvidenceView {
        /// Who saw it.
        source: String = "bank_bca",
        /// The source's name for it.
        id: String = "20260102-000017",
        /// Through which channel it came.
        channel: String = "transfer-in",
        /// How much.
        amount: String = "150000",
        /// Of which currency.
        currency: String = "IDR",
        /// From whom, as the source says; viewers see only the ends. Empty if it is not known.
        sender: String = "081234560345",
        /// What the sender wrote or the bank calls it. Empty if there is nothing.
        reference: String = "DP0000000000017",
        /// When it came in, as the source says.
        came_in_at: String = "2026-01-02T03:04:05Z",
        /// When we learned of it.
        seen_at: String = "2026-01-02T03:04:07Z",
        /// `open`, `used`, `suspended` or `released`.
        state: String = "suspended",
        /// Why it stands on suspense, if it does.
        reason: Option<String> = "no-order",
        /// Which order it paid, if it did.
        order: Option<u64> = null,
        /// To which merchant a person gave it, if one did.
        merchant: Option<u32> = null,
    }
}

page! { /// A part of the list of evidence.
EvidencePage of EvidenceView }

/// Evidence as the holder of this role may see it.
pub(super) fn evidence(evidence: &Evidence, role: Role) -> EvidenceView {
    let (reason, order, merchant) = match evidence.state {
        EvidenceState::Open => (None, None, None),
        EvidenceState::Used(order) => (None, Some(order.0), None),
        EvidenceState::Suspended { reason, .. } => (Some(reason.name().to_owned()), None, None),
        EvidenceState::Released(merchant) => (None, None, merchant.map(|merchant| merchant.0)),
    };
    let shown = |text: &str| if role > Role::Viewer { text.to_owned() } else { masked(text) };
    EvidenceView {
        source: evidence.key.source.clone(),
        id: evidence.key.id.clone(),
        channel: evidence.channel.clone(),
        amount: evidence.amount.to_string(),
        currency: evidence.amount.currency().code().to_owned(),
        sender: shown(&evidence.sender),
        reference: shown(&evidence.reference),
        came_in_at: instant(evidence.came_in_at),
        seen_at: instant(evidence.seen_at),
        state: evidence.state.name().to_owned(),
        reason,
        order,
        merchant,
    }
}
