//! Signatures: HMAC-SHA256 over who, when, and the hash of the body as PHP would write it (isikuota
//! reference, section 2).
//!
//! ```text
//! hash      = SHA-256 of the body without the three members of the signature, names sorted
//! signature = HMAC-SHA256 under the secret key of  api_id|api_key|timestamp|hash
//! ```
//!
//! Invariants: digests are compared in constant time, and a credential without both of its keys
//! signs for nobody. How long a signature is good for is not decided here.

use std::sync::Arc;

use domain::{Credential, Secret};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

pub use super::wire::json::Malformed;
use super::wire::json::{self, Object, settled};
use super::wire::php;

/// The name under which a credential keeps what is mixed into the text to sign.
pub const API_KEY: &str = "api_key";
/// The name under which a credential keeps the key that signs.
pub const SECRET_KEY: &str = "secret_key";

/// The members that a signature does not cover, because it is made of them.
pub(super) const OF_THE_SIGNATURE: [&str; 3] = ["api_id", "timestamp", "signature"];

/// What a merchant signs with.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a> {
    /// Sent along.
    pub api_id: &'a str,
    /// Mixed into the text to sign.
    pub api_key: &'a Secret,
    /// Signs.
    pub secret_key: &'a Secret,
}

/// A signature's bytes; on the wire they are lowercase hexadecimal.
pub(crate) type Signature = [u8; 32];

/// The signature of a request whose body is this JSON object, at this time in decimal digits.
/// Members of the signature may be in the body already; they count for nothing.
pub fn sign(keys: &Keys<'_>, timestamp: &str, body: &str) -> Result<String, Malformed> {
    Ok(sign_canonical(keys, timestamp, &canonical(body)?))
}

/// The same of a body whose canonical text is known.
pub(super) fn sign_canonical(keys: &Keys<'_>, timestamp: &str, canonical: &str) -> String {
    hex::encode(digest(keys, timestamp, canonical))
}

/// The text whose hash is signed: the JSON object as PHP writes it, names sorted, without the
/// members of the signature; nothing at all if there are no others (section 2.1).
pub fn canonical(body: &str) -> Result<String, Malformed> {
    Ok(canonical_of(json::read(body)?))
}

/// The same of a body that was read. Of a name that comes twice the last value counts.
pub(crate) fn canonical_of(body: Object) -> String {
    let mut business = settled(body);
    business.retain(|(name, _)| !OF_THE_SIGNATURE.contains(&name.as_str()));
    php::canonical(business)
}

/// The digits of a hash as they are signed.
pub fn body_hash(canonical: &str) -> String {
    hex::encode(Sha256::digest(canonical))
}

/// The signature over raw bytes that callbacks carry (section 9.2), as lowercase hexadecimal.
pub fn sign_callback(secret_key: &Secret, body: &[u8]) -> String {
    hex::encode(hmac(secret_key, body))
}

/// Whether a credential can sign at all.
pub(crate) fn has_keys(credential: &Credential) -> bool {
    keys(credential).is_some()
}

/// The credential whose signature the text `given` is, and the signature. Uppercase digits are
/// accepted.
pub(crate) fn signer<'a>(
    credentials: &'a [Arc<Credential>],
    timestamp: &str,
    canonical: &str,
    given: &str,
) -> Option<(&'a Credential, Signature)> {
    let mut claimed = [0; 32];
    let readable = hex::decode_to_slice(given, &mut claimed).is_ok();
    let mut signer = None;
    for credential in credentials {
        let Some(keys) = keys(credential) else { continue };
        let expected = digest(&keys, timestamp, canonical);
        if bool::from(expected.ct_eq(&claimed)) && readable {
            signer = Some(credential.as_ref());
        }
    }
    signer.map(|credential| (credential, claimed))
}

fn keys(credential: &Credential) -> Option<Keys<'_>> {
    let key = |name| credential.secrets.get(name).filter(|key| !key.reveal().is_empty());
    Some(Keys {
        api_id: &credential.identifier,
        api_key: key(API_KEY)?,
        secret_key: key(SECRET_KEY)?,
    })
}

fn digest(keys: &Keys<'_>, timestamp: &str, canonical: &str) -> Signature {
    let Keys { api_id, api_key, secret_key } = keys;
    let text = format!("{api_id}|{}|{timestamp}|{}", api_key.reveal(), body_hash(canonical));
    hmac(secret_key, text.as_bytes())
}

fn hmac(key: &Secret, message: &[u8]) -> Signature {
    let key = key.reveal().as_bytes();
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.chain_update(message).finalize().into_bytes().into()
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
