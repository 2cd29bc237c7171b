//! The `key` scheme: one text, encrypted under a merchant's two credentials (S88pay reference,
//! section 3).
//!
//! AES-256 in CBC mode under the SHA-256 of `api_key`, from a first vector that is the beginning of the
//! *hexadecimal text* of the SHA-256 of `secret_key`. Key and vector never change and nothing
//! authenticates the text, so whoever sees a `key` can send it again and edit it. What contains that
//! stands elsewhere; invariants here: whether a text was padded rightly is computed without a branch
//! and told only together with whether it can be a message at all, credentials are used byte for byte
//! as they were issued, and one that lacks a part opens nothing.
//!
//! Who has to identify themselves how, and what a message means, is not decided here.

use std::sync::Arc;

use aes::Aes256;
use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use cbc::cipher::block_padding::{NoPadding, Pkcs7};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use domain::{Credential, Secret};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq, ConstantTimeLess};

/// The name under which a credential keeps what the AES key is made of.
pub const API_KEY: &str = "api_key";
/// The name under which a credential keeps what the first vector is made of.
pub const SECRET_KEY: &str = "secret_key";

const BLOCK: usize = 16;
/// How often a text is percent-decoded at most (section 3.6, step 2).
const PERCENT_ROUNDS: usize = 3;

/// The two keys that a credential comes to.
#[derive(Clone)]
pub struct Cipher {
    key: [u8; 32],
    vector: [u8; BLOCK],
}

/// What was opened, and whether it is worth reading.
pub(crate) struct Opened {
    /// The text. Something is there whether or not the padding was right, so that reading it takes
    /// the same work either way.
    pub(crate) text: Vec<u8>,
    /// Whether the padding was right.
    pub(crate) padded: Choice,
}

impl Cipher {
    /// The cipher of these credentials, which are hashed exactly as they were issued, a `%3D` in them
    /// included (section 2.3).
    pub fn new(api_key: &str, secret_key: &str) -> Self {
        let key = Sha256::digest(api_key).into();
        let digest = hex::encode(Sha256::digest(secret_key));
        let mut vector = [0; BLOCK];
        vector.iter_mut().zip(digest.bytes()).for_each(|(place, byte)| *place = byte);
        Self { key, vector }
    }

    /// The cipher of these very bytes.
    pub(crate) const fn of_bytes(key: [u8; 32], vector: [u8; BLOCK]) -> Self {
        Self { key, vector }
    }

    /// The cipher of a credential that has both parts.
    pub(crate) fn of(credential: &Credential) -> Option<Self> {
        let part = |name| {
            credential.secrets.get(name).map(Secret::reveal).filter(|part: &&str| !part.is_empty())
        };
        Some(Self::new(part(API_KEY)?, part(SECRET_KEY)?))
    }

    /// The `key` of a text, as it stands on every wire: Base64, percent-encoded once.
    pub fn encrypt(&self, text: &str) -> String {
        percent_encoded(&BASE64_STANDARD.encode(self.encrypted(text.as_bytes())))
    }

    fn encrypted(&self, text: &[u8]) -> Vec<u8> {
        let encryptor = cbc::Encryptor::<Aes256>::new(&self.key.into(), &self.vector.into());
        encryptor.encrypt_padded_vec::<Pkcs7>(text)
    }

    /// The text of a `key`, in whatever way its transport has mangled it; none if it is no `key` of
    /// these credentials. A wrong `secret_key` spoils only the first 16 bytes and is not noticed here.
    pub fn decrypt(&self, key: &str) -> Option<String> {
        let Opened { text, padded } = self.open(&read(key)?);
        String::from_utf8(text).ok().filter(|_| bool::from(padded))
    }

    /// Decrypts whole blocks, padding and all.
    pub(crate) fn decrypted(&self, encrypted: &[u8]) -> Vec<u8> {
        let decryptor = cbc::Decryptor::<Aes256>::new(&self.key.into(), &self.vector.into());
        decryptor.decrypt_padded_vec::<NoPadding>(encrypted).unwrap_or_default()
    }

    /// Decrypts whole blocks. Whether the padding is right changes nothing in the work that this takes.
    pub(crate) fn open(&self, encrypted: &[u8]) -> Opened {
        let mut text = self.decrypted(encrypted);
        let last = text.last().copied().unwrap_or_default();
        let most = u8::try_from(BLOCK).unwrap_or(u8::MAX);
        let mut padded = !last.ct_eq(&0) & !most.ct_lt(&last);
        for (place, byte) in (0..most).zip(text.iter().rev()) {
            padded &= !place.ct_lt(&last) | byte.ct_eq(&last);
        }
        // What has no padding is read as if it had one of a byte.
        let length = subtle::ConditionallySelectable::conditional_select(&1, &last, padded);
        text.truncate(text.len().saturating_sub(usize::from(length)));
        Opened { text, padded }
    }
}

/// The blocks that a `key` writes, by the rules for what transports make of it (section 3.6, steps 1 to
/// 5); none if it is no Base64 of whole blocks, which can be seen without any secret.
pub(crate) fn read(key: &str) -> Option<Vec<u8>> {
    let mut text = key.trim_matches(|it: char| it.is_ascii_whitespace()).as_bytes().to_vec();
    for _ in 0..PERCENT_ROUNDS {
        match percent_decoded(&text) {
            Some(decoded) => text = decoded,
            None => break,
        }
    }
    let plain: Vec<u8> = text
        .into_iter()
        .filter(|byte| !matches!(byte, b'\r' | b'\n' | b'\t'))
        .map(|byte| match byte {
            b' ' | b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect();
    let end = plain.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let tolerant = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true);
    let decoded = GeneralPurpose::new(&alphabet::STANDARD, tolerant).decode(&plain[..end]).ok()?;
    (!decoded.is_empty() && decoded.len().is_multiple_of(BLOCK)).then_some(decoded)
}

/// The text with every valid `%XX` decoded; none if there is none. A `+` stays what it is.
pub(crate) fn percent_decoded(text: &[u8]) -> Option<Vec<u8>> {
    let nibble = |byte: Option<&u8>| {
        let digit = char::from(*byte?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    let mut decoded = Vec::with_capacity(text.len());
    let mut found = false;
    let mut place = 0;
    while let Some(byte) = text.get(place) {
        let pair = (nibble(text.get(place + 1)), nibble(text.get(place + 2)));
        if let (b'%', (Some(high), Some(low))) = (byte, pair) {
            decoded.push(high << 4 | low);
            found = true;
            place += 3;
        } else {
            decoded.push(*byte);
            place += 1;
        }
    }
    found.then_some(decoded)
}

/// Base64 in the only form that every published receiver reads, wherever it stands (section 3.5).
fn percent_encoded(base64: &str) -> String {
    base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// Whether what a message gives as `merchant_api_key` is this credential's: as it stands, decoded once,
/// or with both decoded (section 3.2, rule 6).
pub(crate) fn is_api_key(credential: &Credential, given: &str) -> Choice {
    is_key(credential.secrets.get(API_KEY).map_or("", Secret::reveal), given)
}

/// The same for an `api_key` itself.
pub(crate) fn is_key(ours: &str, given: &str) -> Choice {
    let (ours, given) = (ours.as_bytes(), given.as_bytes());
    let decoded = |text: &[u8]| percent_decoded(text).unwrap_or_else(|| text.to_vec());
    let (our_decoded, given_decoded) = (decoded(ours), decoded(given));
    let equal = ours.ct_eq(given) | ours.ct_eq(&given_decoded) | our_decoded.ct_eq(&given_decoded);
    equal & !Choice::from(u8::from(ours.is_empty()))
}

/// What stands in for the credentials of a merchant that has fewer than two, so that a rotation under
/// way does not show in the time that a refusal takes.
pub(crate) fn nobody() -> Cipher {
    Cipher::new("", "")
}

/// The newest of a merchant's credentials that is worth something, with which callbacks are encrypted.
pub(crate) fn newest(credentials: &[Arc<Credential>]) -> Option<Cipher> {
    let usable = credentials.iter().filter_map(|it| Some((it.serial, Cipher::of(it)?)));
    usable.max_by_key(|(serial, _)| *serial).map(|(_, cipher)| cipher)
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
