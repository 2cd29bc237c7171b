//! What merchants are told when a deposit or a payout ends (S88pay reference, section 10): the result,
//! encrypted like a request, with the transaction's two names in clear beside it.
//!
//! That a person has to look at a deposit is no end, and is told only to an operator who asks for a
//! callback.

use std::sync::Arc;

use domain::callback::Rendered;
use domain::{Credential, EndpointKey, Kind, ProtocolName};
use gateway::ports::{CallbackWriter, News};
use http::header::CONTENT_TYPE;

use super::wire::answer::{CallbackBody, DepositNews, PayoutNews, Status, nothing};
use super::wire::money::with_two_decimals;
use super::wire::standing::Standing;
use super::wire::transaction_no::TransactionNumbers;
use super::{NAME, figures, preferences, sign};

/// Writes callbacks.
pub struct Writer {
    numbers: TransactionNumbers,
}

impl Writer {
    /// Writes transaction numbers under this key, which is that of [`super::Settings`].
    pub const fn new(number_key: [u8; 32]) -> Self {
        Self { numbers: TransactionNumbers::new(number_key) }
    }
}

/// What is told, before it is encrypted. Empty for an order that cannot have been one of this API's.
fn content(news: News<'_>, number: &str) -> String {
    let Some((amount, fee)) = figures(news.order) else { return String::new() };
    let standing = Standing::told_by(news.callback.event);
    let transaction_status = match wish(news, preferences::CALLBACK_STATUS) {
        Some("names") => Status::Name(standing.name_in_callbacks(news.order.kind)),
        _ => Status::Number(standing.number()),
    };
    let transaction_code = news.order.key.reference.as_str();
    let (transaction_amount, transaction_fee) = (with_two_decimals(amount), with_two_decimals(fee));
    let currency_code = amount.currency().code();
    let json = match news.order.kind {
        Kind::Collection => {
            let paid = match standing {
                Standing::Completed => news.order.collecting.as_ref().map_or(amount, |it| it.due),
                _ => nothing(amount),
            };
            let in_pairs = wish(news, preferences::CALLBACK_FORM) == Some("kv");
            let news = DepositNews {
                transaction_code,
                transaction_status,
                transaction_amount,
                transaction_fee,
                currency_code,
                transaction_no: number,
                transaction_actual_amount: with_two_decimals(paid),
            };
            if in_pairs {
                return pairs(&news);
            }
            serde_json::to_string(&news)
        }
        Kind::Payout | Kind::Purchase => {
            let delivery = news.order.delivery.as_ref();
            serde_json::to_string(&PayoutNews {
                transaction_no: number,
                transaction_code,
                transaction_status,
                transaction_amount,
                transaction_fee,
                currency_code,
                transaction_ref: delivery.map_or("", |it| it.serial_number.as_str()),
            })
        }
    };
    // Texts and numbers always have a JSON form.
    json.unwrap_or_default()
}

/// The older form, which only deposits have.
fn pairs(news: &DepositNews<'_>) -> String {
    format!(
        "transaction_code={}&transaction_status={}&transaction_amount={}&transaction_fee={}\
         &currency_code={}&transaction_no={}&transaction_actual_amount={}",
        news.transaction_code,
        news.transaction_status,
        news.transaction_amount,
        news.transaction_fee,
        news.currency_code,
        news.transaction_no,
        news.transaction_actual_amount,
    )
}

/// What the merchant wants otherwise.
fn wish<'a>(news: News<'a>, name: &str) -> Option<&'a str> {
    let protocol = ProtocolName::new(NAME);
    let key = EndpointKey { merchant: news.callback.merchant, protocol };
    news.catalogue.preference(&key, name)
}

/// Encrypted with the merchant's newest credential that is worth something. There is nothing to encrypt
/// with if there is none; then nothing is told but the names.
fn encrypted(news: News<'_>, content: &str) -> String {
    let all = news.catalogue.credentials_of(news.callback.merchant).into_iter();
    let live = |it: &&Arc<Credential>| it.protocol.as_str() == NAME && it.is_live(news.now);
    let live: Vec<Arc<Credential>> = all.filter(live).cloned().collect();
    sign::newest(&live).map(|cipher| cipher.encrypt(content)).unwrap_or_default()
}

impl CallbackWriter for Writer {
    fn protocol(&self) -> &str {
        NAME
    }

    fn render(&self, news: News<'_>) -> Rendered {
        let number = self.numbers.of(news.order).unwrap_or_default();
        let key = encrypted(news, &content(news, &number));
        let transaction_code = news.order.key.reference.as_str();
        let body = CallbackBody { key: &key, transaction_code, transaction_no: &number };
        let content_type = (CONTENT_TYPE.as_str().to_owned(), "application/json".to_owned());
        Rendered {
            headers: vec![content_type],
            body: serde_json::to_vec(&body).unwrap_or_default(),
        }
    }
}
