//! An order as answers show it (isikuota reference, sections 5.2, 6.2 and 6.4).
//!
//! A test order is shown like any other: the figures that the reference documents for test mode
//! (section 10) are those that the built-in supplier gives.

use domain::{Order, OrderState, Timestamp};

use super::desc::desc;
use super::json::{Json, Object, named};
use super::time::plain;
use crate::isikuota::codes::Standing;

/// An order with what the catalogue says of its product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transaction<'a> {
    /// The order.
    pub(crate) order: &'a Order,
    /// The name of the product.
    pub(crate) name: &'a str,
    /// The group of the product.
    pub(crate) group: &'a str,
}

impl Transaction<'_> {
    /// What the customer got as proof; none before success, or while it is missing.
    pub(crate) fn serial_number(&self) -> Option<&str> {
        let delivery = self.order.delivery.as_ref();
        let delivery = delivery.filter(|_| self.order.state == OrderState::Succeeded)?;
        Some(delivery.serial_number.as_str()).filter(|number| !number.is_empty())
    }

    /// What it costs, in rupiah: the price of a top-up, the total of a bill (section 9.2).
    pub(crate) fn price(&self) -> i64 {
        self.order.quote.as_ref().map_or(0, |quote| quote.price.minor())
    }

    /// When it was bought or paid: its first attempt began in the commit that took the money.
    pub(crate) fn created_at(&self) -> Timestamp {
        let first = self.order.attempts.first();
        first.map_or(self.order.created_at, |attempt| attempt.started_at)
    }

    fn proof(&self) -> Json {
        self.serial_number().map_or(Json::Null, Json::text)
    }

    /// The data of a top-up (section 5.2).
    pub(crate) fn top_up(&self, standing: Standing) -> Json {
        Json::object([
            ("ref_id", Json::text(self.order.key.reference.as_str())),
            ("status", Json::text(standing.capitalised())),
            ("customer_no", Json::text(&self.order.destination)),
            ("code", Json::text(&self.order.code)),
            ("name", Json::text(self.name)),
            ("price", Json::Integer(self.price())),
            ("sn", self.proof()),
            ("created_at", Json::Text(plain(self.created_at()))),
        ])
    }

    /// The data of an inquiry (section 6.2). A repeated one is told with the time of the latest.
    pub(crate) fn inquired(&self) -> Json {
        let mut members = self.bill(Standing::Success);
        members.push(("desc".to_owned(), self.desc()));
        members.push(("created_at".to_owned(), Json::Text(plain(self.order.updated_at))));
        Json::Object(members)
    }

    /// The data of a payment (section 6.4).
    pub(crate) fn paid(&self, standing: Standing) -> Json {
        let mut members = self.bill(standing);
        members.push(("sn".to_owned(), self.proof()));
        members.push(("desc".to_owned(), self.desc()));
        members.push(("created_at".to_owned(), Json::Text(plain(self.created_at()))));
        Json::Object(members)
    }

    /// What inquiry and payment share.
    fn bill(&self, standing: Standing) -> Object {
        let customer = self.order.bill.as_ref().map_or("", |bill| &bill.customer_name);
        let quote = self.order.quote.as_ref();
        let (nominal, admin) =
            quote.map_or((0, 0), |quote| (quote.nominal.minor(), quote.admin.minor()));
        named([
            ("ref_id", Json::text(self.order.key.reference.as_str())),
            ("status", Json::text(standing.lowercase())),
            ("customer_no", Json::text(&self.order.destination)),
            ("customer_name", Json::text(customer)),
            ("code", Json::text(&self.order.code)),
            ("tagihan", Json::Integer(nominal)),
            ("admin", Json::Integer(admin)),
            ("total", Json::Integer(self.price())),
        ])
    }

    fn desc(&self) -> Json {
        match (&self.order.bill, &self.order.quote) {
            (Some(bill), Some(quote)) => desc(self.group, bill, quote, self.order.details()),
            _ => Json::Object(Object::new()),
        }
    }
}
