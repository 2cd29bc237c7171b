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
use super::problem::Problem;
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
    pub(crate) problem: Option<Problem>,
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
            problem: tried.err(),
            addresses: seen.addresses,
        }
    }
}

impl Diagnosis {
    /// Whether the receiver has it, and what to look at if not, in Indonesian and English.
    pub(crate) const fn verdict(&self) -> (&'static str, &'static str, &'static str) {
        match (self.answered, &self.problem) {
            (Some((status, _)), _) => of_status(status),
            (None, Some(problem)) => of_problem(problem),
            (None, None) => ("unreachable", "Tidak ada jawaban.", "There was no answer."),
        }
    }
}

const fn of_status(status: u16) -> (&'static str, &'static str, &'static str) {
    match status {
        200..=299 => ("delivered", "Penerima sudah mendapatkannya.", "The receiver has it."),
        300..=399 => (
            "refused",
            "Pengalihan tidak diikuti; pakai alamat tujuan akhirnya.",
            "Redirects are not followed; set the address that this one leads to.",
        ),
        401 | 403 => (
            "refused",
            "Penerima menolak; periksa tanda tangan, daftar IP, atau pelindung di depannya.",
            "The receiver refuses; look at its signature check, IP list, or the shield before it.",
        ),
        404 | 405 => (
            "refused",
            "Alamat ini tidak menerima POST; periksa path-nya.",
            "Nothing takes a POST at this address; look at its path.",
        ),
        410 => (
            "refused",
            "Penerima menyatakan alamat ini sudah tidak ada; callback sungguhan akan menghentikannya.",
            "The receiver says that this address is gone; a real callback would stop it.",
        ),
        419 | 422 => (
            "refused",
            "Penerima menolak isinya; periksa perlindungan CSRF dan validasinya.",
            "The receiver refuses the content; look at its CSRF protection and validation.",
        ),
        429 => (
            "refused",
            "Penerima membatasi jumlah permintaan.",
            "The receiver limits how often it is called.",
        ),
        500..=599 => (
            "refused",
            "Program penerima gagal; lihat log-nya.",
            "The receiver's program failed; look at its log.",
        ),
        _ => (
            "refused",
            "Penerima tidak menjawab 2xx.",
            "The receiver did not answer with a status of 200 to 299.",
        ),
    }
}

const fn of_problem(problem: &Problem) -> (&'static str, &'static str, &'static str) {
    let (indonesian, english) = match problem {
        Problem::Address(_) | Problem::Request(_) => {
            ("Alamat ini tidak dapat dipakai.", "The address cannot be used.")
        }
        Problem::Name(_) => (
            "Nama host tidak ditemukan; periksa DNS-nya.",
            "The name is not found; look at its DNS.",
        ),
        Problem::Refused { .. } => (
            "Alamat ini bukan alamat publik; izinkan dengan callbacks.allow_networks bila memang milik sendiri.",
            "The address is not public; allow it by callbacks.allow_networks if it is your own.",
        ),
        Problem::Unconnected(_) => (
            "Tidak dapat tersambung; periksa apakah penerima berjalan, porta, dan firewall.",
            "No connection; look whether the receiver runs, at the port, and at firewalls.",
        ),
        Problem::Tls(_) => (
            "TLS gagal; periksa sertifikat, rantainya, namanya, dan masa berlakunya.",
            "TLS failed; look at the certificate, its chain, its names, and how long it is valid.",
        ),
        Problem::Answer(_) => (
            "Sambungan putus sebelum ada jawaban; lihat log penerima.",
            "The connection ended before an answer; look at the receiver's log.",
        ),
        Problem::TooLate(_) => (
            "Tidak ada jawaban pada waktunya; jawab dulu, kerjakan kemudian.",
            "No answer in time; answer first and work afterwards.",
        ),
    };
    ("unreachable", indonesian, english)
}

const fn version_name(version: ProtocolVersion) -> &'static str {
    match version {
        ProtocolVersion::TLSv1_3 => "TLS 1.3",
        ProtocolVersion::TLSv1_2 => "TLS 1.2",
        _ => "TLS",
    }
}
