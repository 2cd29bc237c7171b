//! A clock that stands still, and a supplier that obeys the last four digits of a number.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use domain::{Delivery, Doubt, Outcome, Refusal, Timestamp, UpstreamName};
use gateway::ports::{BillAnswer, BillQuestion, Clock, Purchase, StatusBy, Supplied, Upstream};
use tokio::sync::Semaphore;

use super::bills;
use crate::iak::codes::{Meaning, meaning};

/// A clock that stands still until it is set.
pub(super) struct StandingClock(pub(super) AtomicI64);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.0.load(Ordering::SeqCst))
    }
}

/// Answers by the last four digits of the customer's number: the first tells the phase, 0 inquiry
/// and 1 payment, the others the code.
pub(super) struct Supplier {
    pub(super) name: UpstreamName,
    /// Payments wait for a permit each.
    pub(super) permits: Semaphore,
    pub(super) payments: AtomicU64,
}

fn ordered_code(destination: &str, phase: &str) -> Option<Meaning> {
    let ending = destination.get(destination.len().checked_sub(4)?..)?;
    let code = ending.strip_prefix(phase).filter(|code| *code != "999")?;
    meaning(code.parse().ok()?)
}

#[async_trait]
impl Upstream for Supplier {
    fn name(&self) -> &UpstreamName {
        &self.name
    }

    fn status_by(&self) -> StatusBy {
        StatusBy::NoticeOnly
    }

    async fn inquire(&self, question: BillQuestion) -> BillAnswer {
        match ordered_code(&question.destination, "0") {
            Some(Meaning::Refused(refusal)) => BillAnswer::Refused(refusal),
            Some(Meaning::Open(_)) => BillAnswer::Silent,
            Some(Meaning::Granted) | None => match bills::bill(&question) {
                Some(bill) => BillAnswer::Bill(bill),
                None => BillAnswer::Refused(Refusal::DestinationUnsupported),
            },
        }
    }

    async fn pay(&self, purchase: Purchase) -> Supplied {
        self.payments.fetch_add(1, Ordering::SeqCst);
        match self.permits.acquire().await {
            Ok(permit) => permit.forget(),
            Err(_) => return Outcome::Unknown(Doubt::Silent).into(),
        }
        let order = &purchase.order;
        match ordered_code(&order.destination, "1") {
            Some(Meaning::Refused(refusal)) => Outcome::Refused(refusal).into(),
            Some(Meaning::Open(doubt)) => Outcome::Unknown(doubt).into(),
            Some(Meaning::Granted) | None => Outcome::Delivered(Delivery {
                cost: order.quote.expect("an accepted order has a quote").nominal,
                serial_number: bills::biller_reference(&order.code).to_owned(),
                details: bills::details_after_payment(&order.code),
            })
            .into(),
        }
    }
}
