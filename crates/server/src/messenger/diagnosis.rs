//! One try with everything that can be told of it, for whoever looks for what is wrong with a
//! receiver.
//!
//! It goes the same way as every other try, step by step, and shows no more of the answer.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use gateway::ports::Parcel;
use tokio_rustls::rustls::ProtocolVersion;

use super::certificates::CertificateFacts;
use super::policy::Region;
use super::{HttpMessenger, Seen, answer};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    /// What the name resolved to, each with why it is refused.
    pub(crate) addresses: Vec<(IpAddr, Option<Region>)>,
    /// Whom it was connected to, after how long.
    pub(crate) connected: Option<(SocketAddr, Duration)>,
    /// The version of TLS, and how long the handshake took.
    pub(crate) encrypted: Option<(&'static str, Duration)>,
    /// The receiver's certificate and its chain, also where they were refused.
    pub(crate) chain: Vec<CertificateFacts>,
    /// The status, and how long it took from the request to it.
    pub(crate) answered: Option<(u16, Duration)>,
    /// The first bytes of the answer, as text.
    pub(crate) excerpt: String,
    /// What went wrong, if no answer came.
    pub(crate) problem: Option<String>,
}

impl HttpMessenger {
    /// Makes one try, and tells everything of it.
    pub(crate) async fn diagnose(&self, parcel: &Parcel) -> Diagnosis {
        let (encryption, watching) = self.parts.encryption.watched();
        let mut seen = Seen::default();
        let tried = self.try_once(parcel, encryption, &mut seen).await;
        Diagnosis {
            connected: seen.connected,
            encrypted: seen.encrypted.map(|(version, took)| (version_name(version), took)),
            chain: watching.chain(),
            answered: seen.answered.map(|(status, took, _)| (status, took)),
            excerpt: answer::excerpt(&seen.body),
            problem: tried.err().map(|problem| problem.to_string()),
            addresses: seen.addresses,
        }
    }
}

const fn version_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_3 => "TLS 1.3",
        ProtocolVersion::TLSv1_2 => "TLS 1.2",
        _ => "TLS",
    }
}
