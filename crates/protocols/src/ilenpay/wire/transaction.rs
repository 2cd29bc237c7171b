//! A collection as the API's answers and callbacks show it (ilenpay reference, sections 4 and 7.3).
//!
//! Money and rates are texts; only the balance is a number in answers. Names and their order are the
//! reference's.

use domain::{Amount, Collecting, Detail, Order, OrderState, Timestamp};
use gateway::collect::told;
use serde::Serialize;

use super::answer::SUCCESS;

/// Under which name a collection keeps the operator's rate, as it was when the collection was made.
pub(crate) const RATE: &str = "rate";

/// A collection of this protocol.
#[derive(Clone, Copy)]
pub(crate) struct Transaction<'a> {
    order: &'a Order,
    collecting: &'a Collecting,
    /// What the API calls it by.
    hash: &'a str,
}

impl<'a> Transaction<'a> {
    /// None if the order is no collection.
    pub(crate) fn of(order: &'a Order, hash: &'a str) -> Option<Self> {
        Some(Self { order, collecting: order.collecting.as_ref()?, hash })
    }

    fn particular(self, name: &str) -> &'a str {
        match self.collecting.particulars.get(name) {
            Some(Detail::Text(text)) => text,
            _ => "",
        }
    }

    fn return_url(self) -> &'a str {
        self.collecting.return_url.as_deref().unwrap_or_default()
    }

    /// There are two words: whatever ended without being paid was not paid (section 6).
    const fn status(self) -> &'static str {
        match self.order.state {
            OrderState::Succeeded => "PAID",
            OrderState::Declined(_)
            | OrderState::Quoted
            | OrderState::Awaiting
            | OrderState::Processing
            | OrderState::Failed(_)
            | OrderState::Expired => "UNPAID",
        }
    }

    /// The answer to a new collection (section 4.1), with what is particular to its type.
    pub(crate) fn made(self, guidance: Guidance) -> impl Serialize + use<'a> {
        let (tutor, url_pay) = match guidance {
            Guidance::Direct { tutor } => (Some(tutor), None),
            Guidance::Redirect { url_pay } => (None, Some(url_pay)),
        };
        Made {
            respon: SUCCESS,
            payment: &self.order.code,
            rate: self.particular(RATE),
            nominal: self.collecting.gross.to_string(),
            reff_id: self.order.key.reference.as_str(),
            total_tf: self.collecting.due.to_string(),
            waktu: seconds(self.order.created_at),
            kind: &self.order.dialect,
            hash: self.hash,
            url_pay,
            tutor,
            status: self.status(),
        }
    }

    /// The answer to a confirmation, and to the question how a collection stands (section 4.2).
    pub(crate) fn stands(self, balance: Amount) -> impl Serialize + use<'a> {
        Stands {
            respon: SUCCESS,
            hash: self.hash,
            reff_id: self.order.key.reference.as_str(),
            payment: &self.order.code,
            rate: self.particular(RATE),
            nominal: self.collecting.gross.to_string(),
            total_tf: self.collecting.due.to_string(),
            return_url: self.return_url(),
            sender: self.particular(told::SENDER),
            status: self.status(),
            saldo_ahir: balance.minor(),
        }
    }

    /// The answer to a confirmation of what was paid before.
    pub(crate) fn paid_before(self) -> impl Serialize + use<'a> {
        PaidBefore {
            respon: SUCCESS,
            pesan: format!("Pembayaran sudah di selesaikan reff {}", self.order.key.reference),
            return_url: self.return_url(),
        }
    }

    /// What the merchant is called back with (section 7.3).
    pub(crate) fn called_back(self, balance: Amount) -> impl Serialize + use<'a> {
        CalledBack {
            hash: self.hash,
            reff_id: self.order.key.reference.as_str(),
            payment: &self.order.code,
            rate: self.particular(RATE),
            nominal: self.collecting.gross.to_string(),
            total_tf: self.collecting.due.to_string(),
            sender: self.particular(told::SENDER),
            status: self.status(),
            saldo_ahir: balance.to_string(),
        }
    }
}

/// What the payer has to be told, by whoever shows it.
pub(crate) enum Guidance {
    /// The merchant shows this.
    Direct {
        /// What to do, as HTML.
        tutor: String,
    },
    /// The page at this address shows it.
    Redirect {
        /// The address.
        url_pay: String,
    },
}

fn seconds(at: Timestamp) -> i64 {
    at.milliseconds().div_euclid(1000)
}

#[derive(Serialize)]
struct Made<'a> {
    respon: &'static str,
    payment: &'a str,
    rate: &'a str,
    nominal: String,
    reff_id: &'a str,
    total_tf: String,
    waktu: i64,
    #[serde(rename = "type")]
    kind: &'a str,
    hash: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    url_pay: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tutor: Option<String>,
    status: &'static str,
}

#[derive(Serialize)]
struct Stands<'a> {
    respon: &'static str,
    hash: &'a str,
    reff_id: &'a str,
    payment: &'a str,
    rate: &'a str,
    nominal: String,
    total_tf: String,
    return_url: &'a str,
    sender: &'a str,
    status: &'static str,
    saldo_ahir: i64,
}

#[derive(Serialize)]
struct PaidBefore<'a> {
    respon: &'static str,
    pesan: String,
    return_url: &'a str,
}

#[derive(Serialize)]
struct CalledBack<'a> {
    hash: &'a str,
    reff_id: &'a str,
    payment: &'a str,
    rate: &'a str,
    nominal: String,
    total_tf: String,
    sender: &'a str,
    status: &'static str,
    saldo_ahir: String,
}
