//! The certificate under which a listener is served, read from files and exchangeable while serving.
//!
//! Invariant: a certificate exists only with the key that belongs to it. It says nothing about who
//! issued it or until when it is valid; whoever connects looks at that. TLS is 1.2 or 1.3 with the
//! cipher suites of `ring`, without client certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use thiserror::Error;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, InconsistentKeys, ServerConfig};

/// The only version of HTTP that is spoken here (RFC 7301, section 6).
const ALPN_HTTP_1_1: &[u8] = b"http/1.1";

/// A certificate with its chain and key, and the files that they come from.
pub struct Certificate {
    chain_file: PathBuf,
    key_file: PathBuf,
    current: ArcSwap<ServerConfig>,
}

/// Why there is no certificate. Each text names the file and says what to do.
#[derive(Debug, Error)]
pub enum CertificateFault {
    /// The file with the certificates is of no use.
    #[error(
        "{}: {problem}; write the path of a PEM file with the certificate and its chain",
        .file.display()
    )]
    Chain {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The file with the key is of no use.
    #[error("{}: {problem}; write the path of a PEM file with the private key", .file.display())]
    Key {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Both are what they should be, but not of each other.
    #[error(
        "{}: is not the key of the certificate in {}; write the two files that were issued together",
        .key.display(),
        .chain.display()
    )]
    Pair {
        /// The file with the certificates.
        chain: PathBuf,
        /// The file with the key.
        key: PathBuf,
    },
}

impl Certificate {
    /// Reads a certificate with its chain, and its key, both PEM.
    pub fn load(chain_file: &Path, key_file: &Path) -> Result<Self, CertificateFault> {
        Ok(Self {
            chain_file: chain_file.to_owned(),
            key_file: key_file.to_owned(),
            current: ArcSwap::from(read(chain_file, key_file)?),
        })
    }

    /// Reads the files again. New connections get what stands in them now; sessions of the former
    /// certificate cannot be resumed. On a fault the certificate stays as it is.
    pub fn reload(&self) -> Result<(), CertificateFault> {
        self.current.store(read(&self.chain_file, &self.key_file)?);
        Ok(())
    }

    /// What a connection that begins now is served under.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        self.current.load_full()
    }
}

/// Everything about TLS that a connection needs.
fn read(chain_file: &Path, key_file: &Path) -> Result<Arc<ServerConfig>, CertificateFault> {
    let provider = ring::default_provider();
    let wrong_chain =
        |problem: String| CertificateFault::Chain { file: chain_file.to_owned(), problem };
    let wrong_key = |problem: String| CertificateFault::Key { file: key_file.to_owned(), problem };
    let chain = read_chain(chain_file).map_err(wrong_chain)?;
    let key = read_key(key_file, &provider).map_err(wrong_key)?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        // Of an unknown kind of key nothing can be said before a client connects.
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            let (chain, key) = (chain_file.to_owned(), key_file.to_owned());
            return Err(CertificateFault::Pair { chain, key });
        }
        Err(error) => return Err(wrong_chain(error.to_string())),
    }
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| wrong_chain(error.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = vec![ALPN_HTTP_1_1.to_vec()];
    Ok(Arc::new(config))
}

fn read_chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = std::fs::read(file).map_err(|error| format!("cannot be read ({error})"))?;
    let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
    match chain {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err("holds no certificate".to_owned()),
        Err(_) => Err("is not valid PEM".to_owned()),
    }
}

/// The problem never quotes the file, which holds a secret.
fn read_key(
    file: &Path,
    provider: &CryptoProvider,
) -> Result<Arc<dyn rustls::sign::SigningKey>, String> {
    let text = std::fs::read(file).map_err(|error| format!("cannot be read ({error})"))?;
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => "holds no private key, or one with a password".to_owned(),
        _ => "is not valid PEM".to_owned(),
    })?;
    provider
        .key_provider
        .load_private_key(key)
        .map_err(|_| "holds a private key of an unknown kind".to_owned())
}
