//! Why a try did not reach its receiver, in a few words that can be kept and shown.
//!
//! The words never quote what the receiver sent, and name no file or setting of ours.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use thiserror::Error;
use tokio_rustls::rustls::{CertificateError, Error as TlsError};

use super::policy::Region;
use super::target::TargetFault;

/// How much of a problem of the TLS library is kept, in characters.
const TLS_TEXT_MAX: usize = 160;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Problem {
    /// The address cannot be used.
    #[error("address: {0}")]
    Address(#[from] TargetFault),
    /// The name has no addresses, or nobody told them.
    #[error("name: {0}")]
    Name(String),
    /// The host is in a network where nothing is sent.
    #[error("refused: {address} is {region}")]
    Refused {
        /// The first such address.
        address: IpAddr,
        /// Its network.
        region: Region,
    },
    /// Nobody listens, or the network does not lead there.
    #[error("connect: {0}")]
    Unconnected(String),
    /// The two did not come together under TLS.
    #[error("tls: {0}")]
    Tls(String),
    /// What is to be sent cannot be.
    #[error("request: {0}")]
    Request(String),
    /// The connection ended before an answer.
    #[error("answer: {0}")]
    Answer(String),
    /// The deadline of the whole try passed.
    #[error("timeout: no answer within {}", seconds(*.0))]
    TooLate(Duration),
}

/// A span of time as people read it.
pub(super) fn seconds(duration: Duration) -> String {
    match (duration.as_secs(), duration.subsec_millis()) {
        (whole, 0) => format!("{whole} s"),
        (whole, rest) => format!("{whole}.{rest:03} s"),
    }
}

impl Problem {
    /// The name could not be looked up.
    pub(super) fn of_name(error: &io::Error) -> Self {
        // The system's resolver tells everything in the text of an error without a kind.
        Self::Name(plain(&error.to_string()))
    }

    /// The connection was not made.
    pub(super) fn of_connection(error: &io::Error) -> Self {
        Self::Unconnected(error.kind().to_string())
    }

    /// The handshake failed.
    pub(super) fn of_handshake(error: &io::Error) -> Self {
        let inner = error.get_ref().and_then(|it| it.downcast_ref::<TlsError>());
        Self::Tls(match inner {
            Some(error) => tls_problem(error),
            None => error.kind().to_string(),
        })
    }

    /// The exchange broke off.
    pub(super) fn of_exchange(error: &hyper::Error) -> Self {
        Self::Answer(if error.is_parse_too_large() {
            "its head is too long".to_owned()
        } else if error.is_parse() {
            "it is not HTTP/1.1".to_owned()
        } else if error.is_incomplete_message() {
            "the connection ended before it".to_owned()
        } else {
            "the connection broke before it".to_owned()
        })
    }
}

fn tls_problem(error: &TlsError) -> String {
    let text = match error {
        TlsError::InvalidCertificate(problem) => return certificate_problem(problem).to_owned(),
        TlsError::AlertReceived(alert) => format!("the receiver broke off with {alert:?}"),
        other => other.to_string(),
    };
    plain(&text)
}

const fn certificate_problem(problem: &CertificateError) -> &'static str {
    match problem {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet"
        }
        CertificateError::UnknownIssuer => {
            "the certificate's issuer is unknown, or its chain is incomplete"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is for another name"
        }
        CertificateError::Revoked => "the certificate was revoked",
        CertificateError::BadSignature => "the certificate's signature is wrong",
        CertificateError::BadEncoding => "the certificate cannot be read",
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the certificate is not for servers"
        }
        _ => "the certificate cannot be trusted",
    }
}

/// Short, and without what could steer a terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(TLS_TEXT_MAX).collect()
}
