//! What merchants are called back with when a collection is paid, and what a ping says (ilenpay
//! reference, section 7).
//!
//! The body is written as PHP writes JSON, and signed over its bytes. The name of a delivery follows
//! from the callback, so that every try carries the same.

use std::sync::Arc;

use domain::callback::{Event, Rendered};
use domain::command::fingerprint;
use domain::{Callback, Credential, EndpointKey, MerchantId, Preferences, ProtocolName, Timestamp};
use gateway::Catalogue;
use gateway::ports::{CallbackWriter, News};
use serde::Serialize;
use tracing::warn;

use super::wire::answer::Wrapped;
use super::wire::php;
use super::wire::transaction::Transaction;
use super::{NAME, preferences, sign};
use crate::hosted::Tokens;

/// The event of a payment; the vendor knows no other of a transaction.
const PAID: &str = "create";
const PING: &str = "ping";
/// Length of the name of a delivery.
const DELIVERY_LENGTH: usize = 30;
/// What stands in place of a secret that the merchant wants to be hidden.
const MASKED: &str = "********";

/// Writes the callbacks of this protocol.
pub struct Writer {
    tokens: Tokens,
}

impl Writer {
    /// Names transactions with these tokens, which are those of [`super::Settings`].
    pub const fn new(tokens: Tokens) -> Self {
        Self { tokens }
    }
}

impl CallbackWriter for Writer {
    fn protocol(&self) -> &str {
        NAME
    }

    /// The API has no words for a transaction that ended unpaid, and a receiver may take whatever names
    /// one for a payment. It gets a ping, which changes nothing.
    fn render(&self, news: News<'_>) -> Rendered {
        let News { callback, order, catalogue, now } = news;
        let credential = newest(catalogue, callback.merchant, now);
        let delivery = delivery_name(["callback", &callback.id.to_string()]);
        let hash = self.tokens.of(order.id);
        let paid = Transaction::of(order, &hash).filter(|_| callback.event == Event::Succeeded);
        let (event, body) = match paid {
            Some(paid) => (PAID, php::write(&Wrapped { data: paid.called_back(callback.balance) })),
            None => (PING, ping_body(catalogue, callback, credential)),
        };
        let secret = credential.and_then(|it| sign::secret(it, sign::WEBHOOK_SECRET));
        if secret.is_none() {
            warn!(callback = %callback.id, "callback has no secret to be signed with");
        }
        rendered(event, &delivery, secret, body)
    }
}

/// The newest of the merchant's credentials that can sign. One that will expire is being replaced.
fn newest(catalogue: &Catalogue, merchant: MerchantId, now: Timestamp) -> Option<&Credential> {
    let usable = |credential: &&Credential| {
        credential.protocol.as_str() == NAME
            && credential.is_live(now)
            && sign::secret(credential, sign::WEBHOOK_SECRET).is_some()
    };
    let credentials = catalogue.credentials_of(merchant).into_iter().map(Arc::as_ref);
    credentials.filter(usable).max_by_key(|it| (it.expires_at.is_none(), it.serial, &it.identifier))
}

/// A merchant that cannot verify anything gets no signature: an empty key would sign for everybody.
fn rendered(event: &str, delivery: &str, secret: Option<&str>, body: Vec<u8>) -> Rendered {
    let signature = secret.map(|secret| sign::sign_callback(secret, &body));
    let headers = [
        ("X-Ilen-Delivery", Some(delivery.to_owned())),
        ("X-Ilen-Signature", signature),
        ("X-Ilen-Event", Some(event.to_owned())),
        ("User-Agent", Some("Ilenpay-Hookshot".to_owned())),
        ("Content-Type", Some("application/json".to_owned())),
    ];
    let headers = headers.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Rendered { headers: headers.collect(), body }
}

/// Thirty letters and digits that follow from what they name.
fn delivery_name<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let digest = fingerprint(parts);
    let character = |byte: &u8| char::from(ALPHABET[usize::from(byte % 62)]);
    digest.iter().take(DELIVERY_LENGTH).map(character).collect()
}

/// What a ping says (section 7.4).
#[derive(Serialize)]
struct Ping<'a> {
    webhook_id: &'a str,
    webhook_url: &'a str,
    webhook_key: &'a str,
    back_url: &'a str,
}

impl<'a> Ping<'a> {
    fn of(preferences: Option<&'a Preferences>, credential: &'a Credential, url: &'a str) -> Self {
        let preference =
            |name| preferences.and_then(|it| it.values.get(name)).map_or("", String::as_str);
        let secret = |name| sign::secret(credential, name).unwrap_or_default();
        let masked = preference(preferences::MASK_WEBHOOK_KEY) == preferences::YES;
        Self {
            webhook_id: secret(sign::WEBHOOK_ID),
            webhook_url: url,
            webhook_key: if masked { MASKED } else { secret(sign::WEBHOOK_SECRET) },
            back_url: preference(preferences::BACK_URL),
        }
    }
}

fn endpoint_key(merchant: MerchantId) -> EndpointKey {
    EndpointKey { merchant, protocol: ProtocolName::new(NAME) }
}

fn ping_body(
    catalogue: &Catalogue,
    callback: &Callback,
    credential: Option<&Credential>,
) -> Vec<u8> {
    let key = endpoint_key(callback.merchant);
    let url = catalogue.endpoint(&key).map_or("", |endpoint| &endpoint.url);
    let preferences = catalogue.preferences(&key).map(Arc::as_ref);
    let data = credential.map(|credential| Ping::of(preferences, credential, url));
    php::write(&Wrapped { data })
}

/// A ping to this address, signed like a callback.
pub(crate) fn ping(
    catalogue: &Catalogue,
    credential: &Credential,
    url: &str,
    now: Timestamp,
) -> Rendered {
    let preferences = catalogue.preferences(&endpoint_key(credential.merchant));
    let data = Ping::of(preferences.map(Arc::as_ref), credential, url);
    let (merchant, at) = (credential.merchant.to_string(), now.milliseconds().to_string());
    let delivery = delivery_name(["ping", &merchant, &at]);
    let secret = sign::secret(credential, sign::WEBHOOK_SECRET);
    rendered(PING, &delivery, secret, php::write(&Wrapped { data }))
}
