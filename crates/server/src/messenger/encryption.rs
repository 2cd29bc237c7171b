//! TLS towards receivers: whom we believe, and what they showed us.
//!
//! Receivers are proved against the roots of Mozilla, which are part of the program so that it needs
//! nothing of the system, and those of a file of the operator's. TLS is 1.2 or 1.3, and no setting
//! turns the proof off.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use thiserror::Error;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{
    self, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};

use super::certificates::CertificateFacts;

/// The only version of HTTP that is spoken here (RFC 7301, section 6).
const ALPN_HTTP_1_1: &[u8] = b"http/1.1";
/// How many certificates of a chain are looked at.
const CHAIN_MAX: usize = 8;

/// The file with more roots is of no use.
#[derive(Debug, Error)]
#[error("{}: {problem}; write the path of a PEM file with certificates of issuers", .file.display())]
pub(crate) struct RootsFault {
    file: PathBuf,
    problem: String,
}

/// Whom we believe.
pub(crate) struct Encryption {
    verifier: Arc<WebPkiServerVerifier>,
    shared: Arc<ClientConfig>,
}

impl Encryption {
    /// Believes the public issuers, and those in this file.
    pub(crate) fn new(more_roots: Option<&Path>) -> Result<Self, RootsFault> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(file) = more_roots {
            for certificate in read_roots(file)? {
                roots.add(certificate).map_err(|error| fault(file, error.to_string()))?;
            }
        }
        let provider = Arc::new(ring::default_provider());
        let building =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let verifier = building.build().expect("roots are there, and no revocation list is bad");
        let shared = config(provider, Arc::clone(&verifier) as _);
        Ok(Self { verifier, shared })
    }

    /// How a connection is made.
    pub(crate) fn shared(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.shared)
    }

    /// How a connection is made whose chain is to be looked at, also where it is refused.
    pub(crate) fn watched(&self) -> (Arc<ClientConfig>, Arc<Watching>) {
        let verifier = Arc::clone(&self.verifier);
        let watching = Arc::new(Watching { verifier, chain: Mutex::default() });
        let provider = Arc::new(ring::default_provider());
        (config(provider, Arc::clone(&watching) as _), watching)
    }
}

fn config(
    provider: Arc<CryptoProvider>,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Arc<ClientConfig> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("the provider has cipher suites of both versions")
        // It is called dangerous because it takes any verifier; this one is the library's own.
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![ALPN_HTTP_1_1.to_vec()];
    Arc::new(config)
}

fn fault(file: &Path, problem: String) -> RootsFault {
    RootsFault { file: file.to_owned(), problem }
}

fn read_roots(file: &Path) -> Result<Vec<CertificateDer<'static>>, RootsFault> {
    let text =
        std::fs::read(file).map_err(|error| fault(file, format!("cannot be read ({error})")))?;
    let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match roots {
        Ok(roots) if !roots.is_empty() => Ok(roots),
        Ok(_) => Err(fault(file, "holds no certificate".to_owned())),
        Err(_) => Err(fault(file, "is not valid PEM".to_owned())),
    }
}

/// Proves as the library does, and remembers what the receiver showed.
#[derive(Debug)]
pub(crate) struct Watching {
    verifier: Arc<WebPkiServerVerifier>,
    chain: Mutex<Vec<CertificateFacts>>,
}

impl Watching {
    /// The receiver's certificate and its chain, as far as they could be read.
    pub(crate) fn chain(&self) -> Vec<CertificateFacts> {
        self.chain.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let shown = std::iter::once(end_entity).chain(intermediates).take(CHAIN_MAX);
        let facts = shown.filter_map(|it| CertificateFacts::read(it)).collect();
        *self.chain.lock().unwrap_or_else(PoisonError::into_inner) = facts;
        let verifier = &self.verifier;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
