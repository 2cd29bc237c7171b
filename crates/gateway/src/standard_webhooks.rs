//! The headers of Standard Webhooks, version 1.0.0: every delivery carries them beside the protocol's
//! own, so that receivers can tell repeats and verify the sender with ready libraries, and whoever
//! brings evidence of money proves by them who they are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Callback, Secret, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The header with the name of a message, the same at every try.
pub const ID: &str = "webhook-id";
/// The header with the time of a try, in whole seconds since the Unix epoch.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with the signatures of a try, one per secret, with blanks between them.
pub const SIGNATURE: &str = "webhook-signature";
/// How far the time of a try may lie from ours, either way, in seconds.
pub const TOLERANCE_SECONDS: u64 = 300;

/// What precedes the key in a secret.
const SECRET_PREFIX: &str = "whsec_";

/// The name of a callback, the same at every try. It is made of when the callback became owed as
/// well as of its number, because numbers are given out again after a backup was restored, and a
/// receiver that remembers names would swallow the news.
pub fn message_id(callback: &Callback) -> String {
    let mut hasher = Sha256::new();
    hasher.update(callback.id.0.to_be_bytes());
    hasher.update(callback.order.0.to_be_bytes());
    hasher.update(callback.at.milliseconds().to_be_bytes());
    hasher.update(callback.event.name());
    let digest: [u8; 32] = hasher.finalize().into();
    let digits: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("msg_{digits}")
}

/// The three headers for a try at this instant.
pub fn headers(id: &str, at: Timestamp, secret: &Secret, body: &[u8]) -> Vec<(String, String)> {
    let seconds = at.milliseconds().div_euclid(1000).to_string();
    let signature = signature(id, &seconds, secret, body);
    [(ID, id.to_owned()), (TIMESTAMP, seconds), (SIGNATURE, signature)]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
}

/// Why a message is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unverified {
    /// The time is no number of seconds.
    #[error("the header webhook-timestamp is no number of seconds")]
    TimestampMalformed,
    /// The time lies too far from ours; see [`TOLERANCE_SECONDS`].
    #[error("the header webhook-timestamp is more than five minutes away from our time")]
    TimestampFar,
    /// No signature is one of this message under this secret.
    #[error("the header webhook-signature has no right signature")]
    Wrong,
}

/// Whether a message was signed under this secret, now and for exactly this body. The arguments
/// before the secret are the values of the three headers. Signatures are compared in constant time.
pub fn verify(
    (id, seconds, signatures): (&str, &str, &str),
    secret: &Secret,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Unverified> {
    let digits = seconds.bytes().all(|byte| byte.is_ascii_digit());
    let signed_at: i64 =
        seconds.parse().ok().filter(|_| digits).ok_or(Unverified::TimestampMalformed)?;
    let ours = now.milliseconds().div_euclid(1000);
    if signed_at.abs_diff(ours) > TOLERANCE_SECONDS {
        return Err(Unverified::TimestampFar);
    }
    let mac = mac(id, seconds, secret, body);
    let is_right = |signature: &str| {
        let encoded = signature.strip_prefix("v1,");
        let bytes = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
        bytes.is_some_and(|bytes| mac.clone().verify_slice(&bytes).is_ok())
    };
    if signatures.split(' ').any(is_right) { Ok(()) } else { Err(Unverified::Wrong) }
}

fn signature(id: &str, seconds: &str, secret: &Secret, body: &[u8]) -> String {
    format!("v1,{}", STANDARD.encode(mac(id, seconds, secret, body).finalize().into_bytes()))
}

/// A secret that is no Base64 behind its prefix is used as it is.
fn mac(id: &str, seconds: &str, secret: &Secret, body: &[u8]) -> Hmac<Sha256> {
    let text = secret.reveal();
    let encoded = text.strip_prefix(SECRET_PREFIX).unwrap_or(text);
    let key = STANDARD.decode(encoded).unwrap_or_else(|_| text.as_bytes().to_vec());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of every length");
    for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
        mac.update(part);
    }
    mac
}

/// A new secret of 256 random bits.
pub fn random_secret(entropy: &dyn crate::ports::Entropy) -> Secret {
    let mut key = [0; 32];
    entropy.fill(&mut key);
    Secret::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(key)))
}

/// Whether a text is a secret of Standard Webhooks: the prefix, and 24 to 64 bytes in Base64.
pub fn is_secret(text: &str) -> bool {
    let key = text.strip_prefix(SECRET_PREFIX).and_then(|encoded| STANDARD.decode(encoded).ok());
    key.is_some_and(|key| (24..=64).contains(&key.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with the reference library of Standard Webhooks.
    #[test]
    fn signs_as_the_reference_library_does() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let signed = signature("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", &secret, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn only_what_was_signed_lately_is_believed() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let other = Secret::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        let body = br#"{"test": 2432232314}"#;
        let (id, seconds) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330");
        let right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let two = format!("v1,AAAA {right} v2,abc");
        let now = |seconds: i64| Timestamp::from_milliseconds(seconds * 1000 + 999);
        let at = |moment| verify((id, seconds, right), &secret, body, now(moment));
        for (moment, expected) in [
            (1_614_265_330, Ok(())),
            (1_614_265_630, Ok(())),
            (1_614_265_030, Ok(())),
            (1_614_265_631, Err(Unverified::TimestampFar)),
            (1_614_265_029, Err(Unverified::TimestampFar)),
        ] {
            assert_eq!(at(moment), expected, "{moment}");
        }
        let signed =
            |headers, secret, body: &[u8]| verify(headers, secret, body, now(1_614_265_330));
        assert_eq!(signed((id, seconds, &two), &secret, body), Ok(()));
        let wrong = Err(Unverified::Wrong);
        assert_eq!(signed((id, seconds, right), &other, body), wrong);
        assert_eq!(signed((id, seconds, right), &secret, b"{}"), wrong);
        assert_eq!(signed(("msg_2", seconds, right), &secret, body), wrong);
        assert_eq!(signed((id, "1614265331", right), &secret, body), wrong);
        for signatures in ["", "v1,", "v1,%%", &right[3..], &right[..20], "v2,g0hM"] {
            assert_eq!(signed((id, seconds, signatures), &secret, body), wrong, "{signatures}");
        }
        for text in ["", "+1614265330", "-1", "1e9", "1614265330.0", " 1", "99999999999999999999"] {
            let malformed = Err(Unverified::TimestampMalformed);
            assert_eq!(signed((id, text, right), &secret, body), malformed, "{text}");
        }
    }

    #[test]
    fn secrets_have_a_prefix_and_a_length() {
        assert!(is_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        for text in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_%%"] {
            assert!(!is_secret(text), "{text}");
        }
    }
}
