//! Where a transaction stands, in the API's four statuses (S88pay reference, section 14).

use domain::callback::Event;
use domain::{Kind, Order, OrderState};

/// A status of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Pending,
    Completed,
    Failed,
    /// A person has to look at a deposit.
    Manual,
}

impl Standing {
    /// Where an order stands.
    pub(crate) fn of(order: &Order) -> Self {
        match order.state {
            OrderState::Awaiting => {
                let in_review = order.collecting.as_ref().is_some_and(|it| it.in_review);
                if in_review { Self::Manual } else { Self::Pending }
            }
            OrderState::Quoted | OrderState::Processing => Self::Pending,
            OrderState::Succeeded => Self::Completed,
            OrderState::Failed(_) | OrderState::Expired | OrderState::Declined(_) => Self::Failed,
        }
    }

    /// What an event tells.
    pub(crate) const fn told_by(event: Event) -> Self {
        match event {
            Event::Succeeded | Event::SerialNumber => Self::Completed,
            Event::Failed => Self::Failed,
            Event::InReview => Self::Manual,
        }
    }

    /// The number, which callbacks have.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Pending => 1,
            Self::Completed => 2,
            Self::Failed => 3,
            Self::Manual => 4,
        }
    }

    /// The name, which the status has.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Manual => "manual process",
        }
    }

    /// The name that callbacks once had, and that merchants may still want.
    pub(crate) const fn name_in_callbacks(self, kind: Kind) -> &'static str {
        match (self, kind) {
            (Self::Completed, Kind::Collection) => "success",
            _ => self.name(),
        }
    }

    /// Whether nothing can follow.
    pub(crate) const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}
