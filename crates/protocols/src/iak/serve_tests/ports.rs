//! A supplier that obeys the last four digits of a number.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use domain::{Delivery, Doubt, Order, Outcome, Refusal, UpstreamName};
use gateway::look_up::{Found, GameServer, LookUpQuestion, MeterHolder, Sought};
use gateway::ports::{BillAnswer, BillQuestion, Purchase, StatusBy, Supplied, Upstream};
use tokio::sync::Semaphore;

use super::{bills, top_ups};
use crate::iak::codes::{Meaning, meaning, prepaid};

/// Answers by the last four digits of the customer's number: the first tells the phase, 0 inquiry
/// and 1 payment, the others the code.
pub(super) struct Supplier {
    pub(super) name: UpstreamName,
    /// Payments wait for a permit each.
    pub(super) permits: Semaphore,
    pub(super) payments: AtomicU64,
    pub(super) mails: AtomicU64,
}

fn ordered_code(destination: &str, phase: &str) -> Option<Meaning> {
    let ending = destination.get(destination.len().checked_sub(4)?..)?;
    let code = ending.strip_prefix(phase).filter(|code| *code != "999")?;
    meaning(code.parse().ok()?)
}

/// Ends a top-up as the last four digits say, with the codes of the prepaid API.
fn topped_up(order: &Order) -> Outcome {
    let ending = order.destination.get(order.destination.len().saturating_sub(4)..);
    match ending.and_then(|ending| ending.strip_prefix('1')) {
        Some("039") => Outcome::Unknown(Doubt::InProcess),
        Some("201") => Outcome::Unknown(Doubt::UndefinedResponse),
        Some("005") => Outcome::Unknown(Doubt::UndefinedError),
        ordered => match ordered.and_then(refusal) {
            Some(refusal) => Outcome::Refused(refusal),
            None => Outcome::Delivered(top_ups::delivery(order)),
        },
    }
}

/// A refusal that the prepaid API says with this code.
fn refusal(code: &str) -> Option<Refusal> {
    let number: u16 = code.parse().ok()?;
    let says = |refusal: &Refusal| prepaid::of_refusal(*refusal).code.parse() == Ok(number);
    Refusal::ALL.iter().copied().find(says)
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

    /// Refuses a player whose identity begins with a code and a stroke with that code, and answers
    /// about the servers of game 172 with something else.
    async fn look_up(&self, question: LookUpQuestion) -> Result<Found, Refusal> {
        match question.sought {
            Sought::Meter { number } if number == "12345678901" => Ok(Found::Meter(MeterHolder {
                meter_number: "540011223344".to_owned(),
                subscriber_number: number,
                name: "Pelanggan Contoh".to_owned(),
                segment_and_power: "R1 /000001300".to_owned(),
            })),
            Sought::Wallet { number, .. } if number == "082179374708" => {
                Ok(Found::Name("PEL****** CON***".to_owned()))
            }
            Sought::Meter { .. } | Sought::Wallet { .. } => Err(Refusal::DestinationInvalid),
            Sought::Player { identity, .. } => {
                let ordered = identity.split_once('|').and_then(|(code, _)| refusal(code));
                ordered.map_or_else(|| Ok(Found::Name("pemain01".to_owned())), Err)
            }
            Sought::Servers { game } => match game.as_str() {
                "103" => Ok(Found::Servers(Vec::new())),
                "142" => Ok(Found::Servers(vec![
                    GameServer { name: "Server A".to_owned(), value: "90001".to_owned() },
                    GameServer { name: "Server B".to_owned(), value: "90002".to_owned() },
                ])),
                "172" => Ok(Found::Name("elsewhere".to_owned())),
                _ => Err(Refusal::ProductUnknown),
            },
        }
    }

    async fn mail_activation(&self, _: Arc<Order>, _: String) -> Result<(), Refusal> {
        self.mails.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn pay(&self, purchase: Purchase) -> Supplied {
        self.payments.fetch_add(1, Ordering::SeqCst);
        match self.permits.acquire().await {
            Ok(permit) => permit.forget(),
            Err(_) => return Outcome::Unknown(Doubt::Silent).into(),
        }
        let order = &purchase.order;
        if order.is_top_up() {
            return topped_up(order).into();
        }
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
