//! The headers of Standard Webhooks, version 1.0.0, which every delivery carries beside the
//! protocol's own, so that receivers can tell repeats and verify the sender with ready libraries.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Callback, Secret, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

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
pub(crate) fn headers(
    id: &str,
    at: Timestamp,
    secret: &Secret,
    body: &[u8],
) -> Vec<(String, String)> {
    let seconds = at.milliseconds().div_euclid(1000).to_string();
    let signature = signature(id, &seconds, secret, body);
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds),
        ("webhook-signature", signature),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// A secret that is no Base64 behind its prefix is used as it is.
fn signature(id: &str, seconds: &str, secret: &Secret, body: &[u8]) -> String {
    let text = secret.reveal();
    let encoded = text.strip_prefix(SECRET_PREFIX).unwrap_or(text);
    let key = STANDARD.decode(encoded).unwrap_or_else(|_| text.as_bytes().to_vec());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of every length");
    for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
        mac.update(part);
    }
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
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
    fn secrets_have_a_prefix_and_a_length() {
        assert!(is_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        for text in ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_%%"] {
            assert!(!is_secret(text), "{text}");
        }
    }
}
