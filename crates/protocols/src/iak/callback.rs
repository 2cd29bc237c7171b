//! What merchants are told when a top-up ends (IAK reference, section 9). Bills never call back.
//!
//! A callback is written in the version and format in which the top-up was asked for. All its values
//! are texts. It is signed like a request for the status, with the receiver's own key.

use std::sync::Arc;

use domain::callback::{Event, Rendered};
use domain::{Credential, OrderState, Refusal};
use gateway::ports::{CallbackWriter, News};
use http::header::CONTENT_TYPE;

use super::codes::Code;
use super::codes::prepaid as codes;
use super::wire::answer::Message;
use super::wire::prepaid::{BoughtTopUp, Dialect, StatusForm};
use super::wire::tr_id::TransactionNumbers;
use super::{NAME, sign};

/// Writes the callbacks of top-ups.
pub struct Writer {
    numbers: TransactionNumbers,
}

impl Writer {
    /// Writes transaction numbers under this key, which is that of [`super::Settings`].
    pub const fn new(tr_id_key: [u8; 32]) -> Self {
        Self { numbers: TransactionNumbers::new(tr_id_key) }
    }

    /// The message, or its bare outcome for an order that cannot have been a top-up of this API.
    fn message(&self, news: News<'_>, dialect: Dialect) -> Message<'static> {
        let (status, code) = outcome(news);
        let (Some(tr_id), Some(quote)) = (self.numbers.number(news.order.id), &news.order.quote)
        else {
            return super::wire::prepaid::refusal(http::StatusCode::OK, code, StatusForm::Text);
        };
        let bought = BoughtTopUp { tr_id, order: news.order, quote };
        bought.called_back(dialect.version, (status, code), news.callback.balance, signature(news))
    }
}

/// What became of the order: `status` and `rc` (section 11).
fn outcome(news: News<'_>) -> (i64, Code) {
    match (news.callback.event, news.order.state) {
        (Event::Succeeded | Event::SerialNumber, _) => (1, codes::SUCCESS),
        (Event::Failed, OrderState::Failed(_)) => codes::standing(news.order)
            .unwrap_or((2, codes::of_refusal(Refusal::TransactionFailed))),
        (Event::Failed, _) => (2, codes::of_refusal(Refusal::TransactionFailed)),
        // Only collections are looked at by a person, and this API has none.
        (Event::InReview, _) => (0, codes::PROCESS),
    }
}

/// Signed with the merchant's newest credential that is worth something. There is nothing to sign with
/// if there is none; the news is told all the same.
fn signature(news: News<'_>) -> String {
    let usable = |credential: &&&Arc<Credential>| {
        credential.protocol.as_str() == NAME
            && credential.is_live(news.now)
            && sign::usable_key(credential).is_some()
    };
    let credentials = news.catalogue.credentials_of(news.callback.merchant);
    let newest = credentials.iter().filter(usable).max_by_key(|it| (it.serial, &it.identifier));
    let signed = newest.and_then(|credential| {
        let key = sign::usable_key(credential)?;
        Some(sign::sign(&credential.identifier, key, news.order.key.reference.as_str()))
    });
    signed.unwrap_or_default()
}

impl CallbackWriter for Writer {
    fn protocol(&self) -> &str {
        NAME
    }

    fn render(&self, news: News<'_>) -> Rendered {
        let dialect = Dialect::named(&news.order.dialect);
        let answer = self.message(news, dialect).write(dialect.format);
        let content_type = dialect.format.content_type().to_owned();
        Rendered {
            headers: vec![(CONTENT_TYPE.as_str().to_owned(), content_type)],
            body: answer.into_body().into(),
        }
    }
}
