//! Keys and signatures (ilenpay reference, sections 2, 3 and 7.2).
//!
//! A request is let in by a bare key in a header; only a new collection is signed besides, with MD5
//! over four values of which the last is a name that is never sent. Callbacks are signed with
//! HMAC-SHA1. Both digests are imposed by the protocol and used nowhere else. Invariants: keys and
//! signatures are compared in constant time, and a credential without a key lets nobody in.

use std::sync::Arc;

use domain::command::fingerprint;
use domain::{Credential, Secret};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use md5::{Digest, Md5};
use sha1::Sha1;
use subtle::ConstantTimeEq;

/// The name under which a credential keeps the key that requests carry.
pub const API_KEY: &str = "api_key";
/// The name under which it keeps what is signed with.
pub const API_USER: &str = "api_user";
/// The name under which it keeps the name of the webhook.
pub const WEBHOOK_ID: &str = "webhook_id";
/// The name under which it keeps what callbacks are signed with.
pub const WEBHOOK_SECRET: &str = "webhook_secret";

/// A scheme that the API does not have and some clients send.
const BEARER: &[u8] = b"bearer ";
/// How many keys are compared at least, so that nobody's key costs the same work as somebody's.
const KEYS_TRIED: usize = 2;

/// The identifier of the credential with this key: the beginning of the key's digest, in 16
/// hexadecimal digits, which tells nothing of the key.
pub fn key_name(key: &str) -> String {
    let digest = fingerprint([key]);
    hex::encode(digest.get(..8).unwrap_or_default())
}

/// The key that a request presents: the whole value of the one `Authorization` header, without a
/// leading `Bearer`.
pub fn presented(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let value = value.as_bytes().trim_ascii();
    let key = match value.split_at_checked(BEARER.len()) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case(BEARER) => key.trim_ascii(),
        _ => value,
    };
    std::str::from_utf8(key).ok().filter(|key| !key.is_empty())
}

/// Whose key this is, among the credentials that go by its name.
pub fn holder<'a>(credentials: &'a [Arc<Credential>], key: &str) -> Option<&'a Arc<Credential>> {
    let given = fingerprint([key]);
    let mut holder = None;
    for position in 0..credentials.len().max(KEYS_TRIED) {
        let credential = credentials.get(position);
        let own = credential.and_then(|credential| secret(credential, API_KEY));
        let equal = bool::from(fingerprint([own.unwrap_or_default()]).ct_eq(&given));
        if equal && own.is_some() {
            holder = credential;
        }
    }
    holder
}

/// A secret of a credential; none if it is empty.
pub fn secret<'a>(credential: &'a Credential, name: &str) -> Option<&'a str> {
    credential.secrets.get(name).map(Secret::reveal).filter(|secret| !secret.is_empty())
}

/// The signature of a new collection, over the values as they were sent (section 3).
pub fn sign(operator: &str, nominal: &str, reference: &str, api_user: &str) -> String {
    hex::encode(digest(operator, nominal, reference, api_user))
}

/// Whether `given` is that signature, in digits of either case.
pub fn is_signed(
    (operator, nominal, reference): (&str, &str, &str),
    api_user: &str,
    given: &str,
) -> bool {
    let mut claimed = [0; 16];
    let readable = hex::decode_to_slice(given, &mut claimed).is_ok();
    let equal = bool::from(digest(operator, nominal, reference, api_user).ct_eq(&claimed));
    equal && readable
}

fn digest(operator: &str, nominal: &str, reference: &str, api_user: &str) -> [u8; 16] {
    let mut md5 = Md5::new();
    for part in [operator, "+", nominal, "+", reference, "+", api_user] {
        md5.update(part);
    }
    md5.finalize().into()
}

/// The signature of a callback, as its header has it (section 7.2).
pub fn sign_callback(webhook_secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(webhook_secret.as_bytes())
        .expect("HMAC takes keys of every length");
    mac.update(body);
    format!("key={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
