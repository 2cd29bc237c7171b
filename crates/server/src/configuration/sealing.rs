//! Seals secrets that are stored, so that who reads the data without the key file learns nothing.
//!
//! A sealed text is `v1:` and base64 (URL alphabet, no padding) of a 24-byte random nonce and the
//! output of XChaCha20-Poly1305 (RFC 8439, with the nonce of draft-irtf-cfrg-xchacha). Nonces of
//! this length may be drawn at random without ever counting. The place where a secret is stored is
//! authenticated with it, so that a sealed text that is copied to another row does not open.
//!
//! It does not hide how long a secret is, and it does not store anything.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use gateway::ports::{Entropy, SealFault, Sealer};
use thiserror::Error;

use super::secret::{MASK, Secret};

/// The version of the sealed form.
const VERSION: &str = "v1:";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// The longest key file, in bytes; the longest form of a key takes 64 and a line break.
const KEY_FILE_BYTES_MAX: u64 = 256;
/// The bits of a file's mode that let others than its owner do anything.
const OTHERS: u32 = 0o077;
/// The bit that a service manager sets on the copy of a secret that it hands to one service: where it
/// grants the service access by a list, the list's mask shows in the place of the group.
const HANDED_OVER: u32 = 0o040;
/// Where a service manager says in which folder those copies are (`systemd.exec(5)`).
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// The key under which secrets are sealed.
#[derive(Clone)]
pub(crate) struct Key([u8; KEY_BYTES]);

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(MASK)
    }
}

/// Why there is no key. The text names the file and says what to do.
#[derive(Debug, Error)]
pub(crate) enum KeyFault {
    /// The file cannot be read.
    #[error(
        "{0}: cannot be read ({1}); mend the path, or make a key if there is none yet, with \
         `(umask 077; openssl rand -hex 32 > {0})`"
    )]
    Unreadable(String, io::Error),
    /// The file cannot be made, perhaps because there is one.
    #[error("{0}: cannot be made ({1}); a key file that exists is never replaced")]
    Unwritable(String, io::Error),
    /// It is a folder, a device, a pipe.
    #[error("{0}: not a regular file; write the path of the key file")]
    NotAFile(String),
    /// Others than the owner may read or write it.
    #[error("{0}: has mode {1:03o}, so that others may open it; run `chmod 600 {0}`")]
    Exposed(String, u32),
    /// It does not hold 32 bytes in hex or base64.
    #[error("{0}: not 32 bytes in hex or base64; make a key with `openssl rand -hex 32`")]
    Malformed(String),
}

/// Why a sealed text does not open. It tells nothing of the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum OpenFault {
    /// It is not a sealed text of a known version.
    #[error("not a sealed secret of a known version")]
    Malformed,
    /// It was sealed under another key or for another place, or it was changed.
    #[error("sealed under another key or for another place, or changed since")]
    Refused,
}

/// A key and where its nonces come from: what the store seals with.
pub(crate) struct KeySealer {
    /// The key.
    pub(crate) key: Key,
    /// Draws the nonces.
    pub(crate) entropy: Arc<dyn Entropy>,
}

impl Sealer for KeySealer {
    fn seal(&self, plain: &str, context: &str) -> String {
        self.key.seal(&Secret::new(plain), context, &*self.entropy)
    }

    fn open(&self, sealed: &str, context: &str) -> Result<String, SealFault> {
        let opened = self.key.open(sealed, context).map_err(|_| SealFault)?;
        Ok(opened.expose().to_owned())
    }
}

/// What is authenticated with a secret: the version and the name of its place, which no two places
/// share.
fn associated_data(context: &str) -> Vec<u8> {
    [VERSION, context].concat().into_bytes()
}

impl Key {
    /// Draws a new key.
    pub(crate) fn generate(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; KEY_BYTES];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// Reads the key file: 32 bytes in hex or base64, and nobody but its owner may open it.
    pub(crate) fn from_file(path: &Path) -> Result<Self, KeyFault> {
        let handed_over = std::env::var_os(CREDENTIALS_DIRECTORY)
            .is_some_and(|folder| path.parent() == Some(Path::new(&folder)));
        let shown = || path.display().to_string();
        let unreadable = |error| KeyFault::Unreadable(shown(), error);
        // Asking about the path first keeps us from waiting at a pipe; what counts is asked of the
        // file that was opened, which nobody can exchange any more.
        if !path.metadata().map_err(unreadable)?.is_file() {
            return Err(KeyFault::NotAFile(shown()));
        }
        let file = File::open(path).map_err(unreadable)?;
        let mode = file.metadata().map_err(unreadable)?.mode();
        let forbidden = if handed_over { OTHERS & !HANDED_OVER } else { OTHERS };
        if mode & forbidden != 0 {
            return Err(KeyFault::Exposed(shown(), mode & 0o777));
        }
        let mut bytes = Vec::new();
        file.take(KEY_FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(unreadable)?;
        Self::from_text(&bytes).ok_or_else(|| KeyFault::Malformed(shown()))
    }

    fn from_text(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        let bytes = hex::decode(text).ok().or_else(|| STANDARD.decode(text).ok())?;
        bytes.try_into().ok().map(Self)
    }

    /// Writes the key to a new file that only its owner may open. A file that exists is never
    /// touched, because with a lost key all sealed secrets are lost.
    pub(crate) fn write_new_file(&self, path: &Path) -> Result<(), KeyFault> {
        let write = || -> io::Result<()> {
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(format!("{}\n", hex::encode(self.0)).as_bytes())?;
            file.sync_all()
        };
        write().map_err(|error| KeyFault::Unwritable(path.display().to_string(), error))
    }

    /// Seals a secret for a place. The same secret looks different each time.
    pub(crate) fn seal(&self, secret: &Secret, context: &str, entropy: &dyn Entropy) -> String {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let aad = associated_data(context);
        let payload = Payload { msg: secret.expose().as_bytes(), aad: &aad };
        let sealed = self
            .cipher()
            .encrypt(&XNonce::from(nonce), payload)
            .expect("it fails only beyond 256 GiB, and no secret is that long");
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed);
        format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Opens what was sealed for this place.
    pub(crate) fn open(&self, sealed: &str, context: &str) -> Result<Secret, OpenFault> {
        let text = sealed.strip_prefix(VERSION).ok_or(OpenFault::Malformed)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| OpenFault::Malformed)?;
        let (nonce, sealed) =
            bytes.split_first_chunk::<NONCE_BYTES>().ok_or(OpenFault::Malformed)?;
        let aad = associated_data(context);
        let payload = Payload { msg: sealed, aad: &aad };
        let opened = self
            .cipher()
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| OpenFault::Refused)?;
        String::from_utf8(opened).map(Secret::new).map_err(|_| OpenFault::Malformed)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&self.0.into())
    }
}

#[cfg(test)]
#[path = "sealing_tests.rs"]
mod tests;
