//! The edge under TLS, with certificates made for the test and a client that believes only them.

use std::path::Path;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use super::super::{Certificate, CertificateFault, serve_encrypted};
use super::*;

const HOST: &str = "pay.example.id";

/// A certificate and its key in two files.
struct Files {
    folder: TempDir,
}

impl Files {
    fn new() -> Files {
        Files { folder: TempDir::new().unwrap() }
    }

    fn chain(&self) -> std::path::PathBuf {
        self.folder.path().join("chain.pem")
    }

    fn key(&self) -> std::path::PathBuf {
        self.folder.path().join("key.pem")
    }

    /// Writes a new certificate with its key, and gives what a client has to believe.
    fn issue(&self) -> CertificateDer<'static> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([HOST.to_owned()]).unwrap();
        write(&self.chain(), &cert.pem());
        write(&self.key(), &signing_key.serialize_pem());
        cert.der().clone()
    }

    fn load(&self) -> Result<Certificate, CertificateFault> {
        Certificate::load(&self.chain(), &self.key())
    }

    /// The fault of loading, in words.
    fn fault(&self) -> String {
        self.load().err().unwrap().to_string()
    }
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

/// A running edge under TLS.
struct EncryptedStand {
    address: SocketAddr,
    certificate: Arc<Certificate>,
    script: Arc<Script>,
}

impl EncryptedStand {
    async fn open(files: &Files, limits: Limits) -> EncryptedStand {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (script, certificate) = (script(), Arc::new(files.load().unwrap()));
        let (service, shown) = (Arc::clone(&script), Arc::clone(&certificate));
        let never = CancellationToken::new();
        tokio::spawn(serve_encrypted(listener, shown, limits, service as _, Arc::default(), never));
        EncryptedStand { address, certificate, script }
    }

    /// A client's end of a connection; `None` if the handshake fails.
    async fn connect(
        &self,
        root: &CertificateDer<'static>,
        version: &'static SupportedProtocolVersion,
    ) -> Option<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(root.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::try_from(HOST).unwrap();
        let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream);
        timeout(PATIENCE, handshake).await.unwrap().ok()
    }
}

/// Sends a request and reads until its answer is there.
async fn ask(stream: &mut TlsStream<TcpStream>, request: &[u8], last: &str) -> String {
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(last.as_bytes()) {
        let came = timeout(PATIENCE, stream.read_buf(&mut answer)).await.unwrap().unwrap();
        assert!(came > 0, "closed inside an answer");
    }
    String::from_utf8(answer).unwrap()
}

const POST: &[u8] = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nbody";

#[tokio::test]
async fn requests_are_answered_under_both_versions() {
    let files = Files::new();
    let root = files.issue();
    let stand = EncryptedStand::open(&files, patient()).await;
    for version in [&TLS12, &TLS13] {
        let mut stream = stand.connect(&root, version).await.unwrap();
        for _ in 0..2 {
            let answer = ask(&mut stream, POST, "body").await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        let answer = ask(&mut stream, b"GET /peer HTTP/1.1\r\nhost: a\r\n\r\n", "127.0.0.1").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn a_large_answer_arrives_whole() {
    let files = Files::new();
    let root = files.issue();
    let stand = EncryptedStand::open(&files, patient()).await;
    let mut stream = stand.connect(&root, &TLS13).await.unwrap();
    let request = b"GET /large HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().unwrap();
    assert!(answer.len() > 16 * 1024 * 1024, "{}", answer.len());
}

#[tokio::test]
async fn an_unfinished_handshake_is_closed_by_the_deadline_of_the_head() {
    let files = Files::new();
    files.issue();
    let stand = EncryptedStand::open(&files, Limits { head: millis(150), ..patient() }).await;
    // Nothing at all, and the beginning of a record.
    for opening in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut client = Client::over(TcpStream::connect(stand.address).await.unwrap());
        client.send(opening).await;
        let took = client.closed().await;
        assert!(took >= millis(140) && took < millis(1650), "{opening:?}: {took:?}");
    }
    assert_eq!(stand.script.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_is_not_tls_ends_its_own_connection_alone() {
    let files = Files::new();
    let root = files.issue();
    let stand = EncryptedStand::open(&files, patient()).await;
    let mut beside = stand.connect(&root, &TLS13).await.unwrap();
    for opening in [GET, b"\x16\x03\x01\x00\x00", &[0xff; 100]] {
        let mut client = TcpStream::connect(stand.address).await.unwrap();
        client.write_all(opening).await.unwrap();
        let mut came = Vec::new();
        let end = timeout(PATIENCE, client.read_to_end(&mut came)).await.unwrap();
        assert!(end.is_err() || !came.starts_with(b"HTTP"), "{opening:?} was answered in clear");
    }
    assert!(ask(&mut beside, POST, "body").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn new_connections_get_the_new_certificate() {
    let files = Files::new();
    let first = files.issue();
    let stand = EncryptedStand::open(&files, patient()).await;
    let mut old = stand.connect(&first, &TLS13).await.unwrap();
    let second = files.issue();
    stand.certificate.reload().unwrap();
    assert!(stand.connect(&second, &TLS13).await.is_some());
    assert!(stand.connect(&first, &TLS13).await.is_none(), "the old certificate is still shown");
    assert!(ask(&mut old, POST, "body").await.starts_with("HTTP/1.1 200"));

    write(&files.chain(), "broken");
    let fault = stand.certificate.reload().err().unwrap().to_string();
    assert!(fault.contains("chain.pem: holds no certificate"), "{fault}");
    assert!(stand.connect(&second, &TLS13).await.is_some(), "a broken file took it away");
}

#[test]
fn files_that_are_no_pair_are_told_apart() {
    let files = Files::new();
    assert!(files.fault().contains("chain.pem: cannot be read"), "{}", files.fault());
    files.issue();
    let key = std::fs::read_to_string(files.key()).unwrap();
    let chain = std::fs::read_to_string(files.chain()).unwrap();
    files.issue();
    write(&files.key(), &key);
    assert!(files.fault().contains("key.pem: is not the key of the certificate in"));
    write(&files.chain(), &chain);
    assert!(files.load().is_ok(), "a certificate goes with its own key");
    write(&files.key(), &chain);
    assert!(files.fault().contains("key.pem: holds no private key"), "{}", files.fault());
    write(&files.key(), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    assert!(files.fault().contains("key.pem: holds a private key of an unknown kind"));
    write(&files.key(), &key);
    write(&files.chain(), &key);
    assert!(files.fault().contains("chain.pem: holds no certificate"), "{}", files.fault());
    write(&files.chain(), "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n");
    assert!(files.fault().contains("chain.pem: is not valid PEM"), "{}", files.fault());
}
