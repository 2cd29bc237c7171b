//! A clock that stands still, and a supplier that goes by the last two digits of an amount, like the
//! sandbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use domain::{Currency, Delivery, Doubt, Order, Outcome, Refusal, Timestamp, UpstreamName};
use gateway::ports::{Clock, Moment, PayerDoes, Purchase, StatusBy, Supplied, Upstream};
use tokio::sync::Notify;

/// A clock that stands still until it is set.
pub(super) struct StandingClock(pub(super) AtomicI64);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.0.load(Ordering::SeqCst))
    }
}

/// Pays out, and plays the payers.
pub(super) struct Supplier {
    pub(super) name: UpstreamName,
    pub(super) payouts: AtomicU64,
    /// Whether payouts wait until they are let go.
    pub(super) held_back: std::sync::atomic::AtomicBool,
    pub(super) let_go: Notify,
}

fn ending(minor: i64) -> i64 {
    minor.rem_euclid(100)
}

#[async_trait]
impl Upstream for Supplier {
    fn name(&self) -> &UpstreamName {
        &self.name
    }

    fn status_by(&self) -> StatusBy {
        StatusBy::NoticeOnly
    }

    async fn pay_out(&self, purchase: Purchase) -> Supplied {
        self.payouts.fetch_add(1, Ordering::SeqCst);
        if self.held_back.load(Ordering::SeqCst) {
            self.let_go.notified().await;
        }
        let amount = purchase.order.quote.expect("a payout has a price").nominal;
        match ending(amount.minor()) {
            1 => Outcome::Refused(Refusal::TransactionFailed),
            2 => Outcome::Unknown(Doubt::InProcess),
            _ => Outcome::Delivered(Delivery {
                cost: amount,
                serial_number: "REF-77".to_owned(),
                details: None,
            }),
        }
        .into()
    }

    async fn play_payer(&self, order: &Order, moment: Moment) -> PayerDoes {
        let amount = order.collecting.as_ref().expect("a collection").gross;
        let waits = order.dialect == "v2"
            || matches!(
                amount.currency(),
                Currency::Inr | Currency::Bdt | Currency::Krw | Currency::Mmk
            );
        match (moment, ending(amount.minor())) {
            (Moment::PressedPay, _) => PayerDoes::Pays,
            (Moment::PressedFail, _) => PayerDoes::GivesUp,
            (Moment::Opened, _) if waits => PayerDoes::Nothing,
            (_, 1) => PayerDoes::GivesUp,
            (_, 2) => PayerDoes::Nothing,
            (_, 4) => PayerDoes::NeedsReview,
            _ => PayerDoes::Pays,
        }
    }
}

/// A supplier.
pub(super) fn supplier() -> Arc<Supplier> {
    Arc::new(Supplier {
        name: UpstreamName::new("supplier"),
        payouts: AtomicU64::new(0),
        held_back: false.into(),
        let_go: Notify::new(),
    })
}
