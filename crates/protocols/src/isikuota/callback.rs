//! What merchants are called back with (isikuota reference, section 9).
//!
//! The body is written as PHP writes JSON by default, so that a merchant who decodes and encodes it
//! again before hashing verifies it too; names and times differ from those of answers. The signature
//! covers the bytes. Nothing marks a test order.

use domain::callback::{Event, Rendered};
use domain::{Callback, Credential, OrderState, Secret};
use gateway::ports::{CallbackWriter, News};
use tracing::warn;

use super::codes::{Standing, reason};
use super::wire::json::Json;
use super::wire::php::{self, Style};
use super::wire::time::with_zone;
use super::wire::transaction::Transaction;
use super::{NAME, sign};

/// Writes the callbacks of this protocol.
#[derive(Debug, Clone, Copy, Default)]
pub struct Writer;

impl CallbackWriter for Writer {
    fn protocol(&self) -> &str {
        NAME
    }

    /// A merchant without a live key gets no `X-Signature`: there is nothing that it could verify
    /// one with, and an empty key would sign for everybody.
    fn render(&self, news: News<'_>) -> Rendered {
        let body = php::write(&document(news), Style::Callback).into_bytes();
        let mut headers = vec![
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("X-Type-Transaction".to_owned(), "ppob".to_owned()),
        ];
        match secret_key(news) {
            Some(key) => {
                headers.push(("X-Signature".to_owned(), sign::sign_callback(&key, &body)));
            }
            None => warn!(callback = %news.callback.id, "callback has no key to be signed with"),
        }
        Rendered { headers, body }
    }
}

/// The key of the newest of the merchant's credentials that is worth something. Serials count within
/// one identifier; of several identifiers the last in order decides.
fn secret_key(news: News<'_>) -> Option<Secret> {
    let usable = |credential: &&Credential| {
        credential.protocol.as_str() == NAME
            && credential.is_live(news.now)
            && sign::has_keys(credential)
    };
    let credentials = news.catalogue.credentials_of(news.callback.merchant);
    let newest =
        credentials.into_iter().map(AsRef::as_ref).filter(usable).max_by_key(|it| it.serial)?;
    newest.secrets.get(sign::SECRET_KEY).cloned()
}

const fn event(event: Event) -> &'static str {
    match event {
        Event::Succeeded => "order.success",
        Event::Failed => "order.failed",
        Event::SerialNumber => "order.sn_received",
        // Only collections are looked at by a person, and this API has none.
        Event::InReview => "order.pending",
    }
}

/// What is told of an order that ended, in people's words.
fn message(callback: &Callback, state: OrderState) -> &'static str {
    match (callback.event, Standing::of(state)) {
        (Event::Succeeded, _) => "Transaksi berhasil",
        (Event::SerialNumber, _) => "Nomor seri diterima",
        (Event::Failed, Some(Standing::Failed(refusal))) => reason(refusal),
        (Event::Failed, _) => "Transaksi gagal",
        (Event::InReview, _) => "Transaksi sedang diperiksa",
    }
}

/// The body (section 9.2). What a product is called is what the catalogue says now; a product that
/// is gone is called by its code.
fn document(news: News<'_>) -> Json {
    let News { callback, order, catalogue, now } = news;
    let product = catalogue.product(&order.product);
    let name = product.map_or(order.code.as_str(), |product| &product.name);
    let group = product.map_or("", |product| &product.group);
    let transaction = Transaction { order, name, group };
    let status = match callback.event {
        Event::Succeeded | Event::SerialNumber => Standing::Success.capitalised(),
        Event::Failed => Standing::Failed(domain::Refusal::TransactionFailed).capitalised(),
        Event::InReview => Standing::Pending.capitalised(),
    };
    let data = Json::object([
        ("order_id", Json::Integer(i64::try_from(order.id.0).unwrap_or(i64::MAX))),
        ("ref_id", Json::text(order.key.reference.as_str())),
        ("status", Json::text(status)),
        ("product_code", Json::text(&order.code)),
        ("product_name", Json::text(name)),
        ("customer_number", Json::text(&order.destination)),
        ("price", Json::Integer(transaction.price())),
        ("sn", Json::text(transaction.serial_number().unwrap_or_default())),
        ("message", Json::text(message(callback, order.state))),
        ("created_at", Json::Text(with_zone(transaction.created_at()))),
        ("updated_at", Json::Text(with_zone(callback.at))),
    ]);
    Json::object([
        ("event", Json::text(event(callback.event))),
        ("timestamp", Json::Text(with_zone(now))),
        ("data", data),
    ])
}

/// The body of section 9.4.
#[cfg(test)]
pub(super) const EXAMPLE: &str = r#"{"event":"order.success","timestamp":"2026-06-01T10:15:30+07:00","data":{"order_id":90017,"ref_id":"TRX-20260601-0001","status":"Success","product_code":"TSEL21","product_name":"Telkomsel 21.000 \/ Reguler","customer_number":"081298765432","price":21425,"sn":"0041002233445566","message":"Transaksi berhasil","created_at":"2026-06-01T10:15:12+07:00","updated_at":"2026-06-01T10:15:30+07:00"}}"#;

#[cfg(test)]
#[path = "callback_tests.rs"]
mod tests;
