//! Tries over real connections, to receivers that misbehave.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::Timestamp;
use domain::callback::Rendered;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;

const CONNECT_WITHIN: Duration = Duration::from_millis(500);
const TRY_WITHIN: Duration = Duration::from_secs(1);
/// What a busy machine may add to a deadline.
const SLACK: Duration = Duration::from_secs(2);

/// Sun, 06 Nov 1994 08:49:37 GMT.
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(784_111_777_000)
    }
}

/// Knows these names, and counts how often it is asked.
#[derive(Default)]
struct Names {
    known: BTreeMap<&'static str, Vec<&'static str>>,
    asked: AtomicUsize,
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let known = self.known.get(name);
        let known = known.ok_or_else(|| io::Error::other("no such host"))?;
        Ok(known.iter().map(|text| text.parse().unwrap()).collect())
    }
}

/// What a receiver does once it has a request.
#[derive(Clone, Copy)]
enum Does {
    /// Sends this and closes.
    Say(&'static str),
    /// Sends this and then nothing, without closing.
    SayAndHang(&'static str),
    /// Sends this, and then a letter a second for ever.
    SayAndDrip(&'static str),
    /// Sends this, and then as much as the sender takes.
    SayAndFlood(&'static str),
    /// Closes after a part of the request.
    Crash,
}

/// A receiver on this machine.
struct Receiver {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Receiver {
    async fn start(does: Does) -> Self {
        Self::at("127.0.0.1:0", does, None).await
    }

    async fn at(address: &str, does: Does, encryption: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            requests: Arc::default(),
            connections: Arc::default(),
        };
        let (requests, connections) =
            (Arc::clone(&receiver.requests), Arc::clone(&receiver.connections));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::Relaxed);
                let (requests, encryption) = (Arc::clone(&requests), encryption.clone());
                tokio::spawn(async move {
                    // What becomes of the receiver's side is seen at the sender's.
                    let _ = match encryption {
                        None => receive(stream, does, &requests).await,
                        Some(config) => match TlsAcceptor::from(config).accept(stream).await {
                            Ok(stream) => receive(stream, does, &requests).await,
                            Err(error) => Err(error),
                        },
                    };
                });
            }
        });
        receiver
    }

    fn url(&self) -> String {
        format!("http://{}/hook?a=b", self.address)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn receive<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    does: Does,
    requests: &Mutex<Vec<String>>,
) -> io::Result<()> {
    if matches!(does, Does::Crash) {
        stream.read_u8().await?;
        return Ok(());
    }
    let mut request = Vec::new();
    while !request.ends_with(b"\"end\"}") {
        request.push(stream.read_u8().await?);
    }
    requests.lock().unwrap().push(String::from_utf8(request).unwrap());
    let (Does::Say(text)
    | Does::SayAndHang(text)
    | Does::SayAndDrip(text)
    | Does::SayAndFlood(text)) = does
    else {
        return Ok(());
    };
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await?;
    match does {
        Does::SayAndHang(_) => std::future::pending().await,
        Does::SayAndDrip(_) => loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            stream.write_all(b"x").await?;
        },
        Does::SayAndFlood(_) => loop {
            stream.write_all(&[b'x'; 4096]).await?;
        },
        Does::Say(_) | Does::Crash => stream.shutdown().await,
    }
}

fn messenger_with(allowed: &[&str], names: Arc<Names>, roots: Option<&Path>) -> HttpMessenger {
    let allowed = allowed.iter().map(|it| it.parse().unwrap()).collect();
    HttpMessenger::new(Parts {
        settings: Settings {
            connect_within: CONNECT_WITHIN,
            try_within: TRY_WITHIN,
            policy: Policy::new(allowed),
        },
        encryption: Encryption::new(roots).unwrap(),
        resolver: names,
        clock: Arc::new(Standing),
    })
}

fn messenger() -> HttpMessenger {
    messenger_with(&["127.0.0.0/8", "::1/128"], Arc::default(), None)
}

fn parcel(url: &str) -> Parcel {
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let own = [("content-type", "application/json"), ("X-Signature", "abc"), ("host", "elsewhere")];
    let standard =
        [("webhook-id", "msg_1"), ("webhook-timestamp", "1"), ("webhook-signature", "v1,x")];
    Parcel {
        url: url.to_owned(),
        headers: standard.map(pair).to_vec(),
        rendered: Arc::new(Rendered {
            headers: own.map(pair).to_vec(),
            body: br#"{"it":"end"}"#.to_vec(),
        }),
    }
}

/// What comes of a try, which must not outlast its deadline.
async fn sent(messenger: &HttpMessenger, url: &str) -> Handed {
    let begun = Instant::now();
    let handed = messenger.send(parcel(url)).await;
    assert!(begun.elapsed() < TRY_WITHIN + SLACK, "{:?}", begun.elapsed());
    handed
}

fn answered(status: u16, excerpt: &str) -> Handed {
    let received = Received::Answered { status, excerpt: excerpt.to_owned() };
    Handed { received, retry_after: None }
}

fn problem(handed: &Handed) -> &str {
    match &handed.received {
        Received::Unreachable { problem } => problem,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_request_carries_the_headers_and_the_very_bytes() {
    let receiver = Receiver::start(Does::Say("HTTP/1.1 204 No Content\r\n\r\n")).await;
    assert_eq!(sent(&messenger(), &receiver.url()).await, answered(204, ""));
    let requests = receiver.requests.lock().unwrap().clone();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, r#"{"it":"end"}"#);
    assert!(head.starts_with("POST /hook?a=b HTTP/1.1\r\n"), "{head}");
    let expected = [
        format!("host: {}", receiver.address),
        format!("user-agent: Lunas/{}", env!("CARGO_PKG_VERSION")),
        "content-type: application/json".to_owned(),
        "content-length: 12".to_owned(),
        "x-signature: abc".to_owned(),
        "webhook-id: msg_1".to_owned(),
        "webhook-signature: v1,x".to_owned(),
    ];
    for line in expected {
        assert_eq!(head.lines().filter(|it| **it == line).count(), 1, "{line} in {head}");
    }
    assert_eq!(head.matches("host:").count(), 1, "{head}");
}

#[tokio::test]
async fn a_status_is_told_whatever_becomes_of_the_body() {
    let table = [
        (Does::Say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK"), 200, "OK"),
        (Does::Say("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nOK"), 200, "OK"),
        (Does::Say("HTTP/1.0 200 OK\r\n\r\nby the end"), 200, "by the end"),
        (Does::Say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\n\r\n"), 202, ""),
        (Does::SayAndHang("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nOK"), 200, "OK"),
        (Does::SayAndDrip("HTTP/1.1 200 OK\r\n\r\nslow"), 200, "slow"),
        (Does::Say("HTTP/1.1 500 Oops\r\ncontent-length: 3\r\n\r\nbad"), 500, "bad"),
        (Does::Say("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n"), 410, ""),
    ];
    for (does, status, excerpt) in table {
        let receiver = Receiver::start(does).await;
        assert_eq!(sent(&messenger(), &receiver.url()).await, answered(status, excerpt));
    }
}

#[tokio::test]
async fn an_endless_body_is_left_alone_after_its_beginning() {
    let receiver = Receiver::start(Does::SayAndFlood("HTTP/1.1 200 OK\r\n\r\n")).await;
    let begun = Instant::now();
    let handed = messenger().send(parcel(&receiver.url())).await;
    assert!(begun.elapsed() < TRY_WITHIN, "it waits for nothing: {:?}", begun.elapsed());
    assert_eq!(handed, answered(200, &"x".repeat(256)));
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_given_up() {
    let long = concat!("HTTP/1.1 200 OK\r\nx: ", "0123456789abcdef");
    let table = [
        (Does::SayAndHang(""), "timeout: no answer within 1 s"),
        (Does::SayAndHang("HTTP/1.1 200"), "timeout: no answer within 1 s"),
        (Does::SayAndDrip("HTTP/1.1 200 OK\r\nx: "), "timeout: no answer within 1 s"),
        (Does::SayAndFlood(long), "answer: its head is too long"),
        (Does::Say(""), "answer: the connection ended before it"),
        (Does::Crash, "answer: "),
        (Does::Say("220 mail.example ESMTP\r\n"), "answer: it is not HTTP/1.1"),
        (Does::Say("HTTP/2 200\r\n\r\n"), "answer: it is not HTTP/1.1"),
    ];
    for (does, expected) in table {
        let receiver = Receiver::start(does).await;
        let handed = sent(&messenger(), &receiver.url()).await;
        assert!(problem(&handed).starts_with(expected), "{handed:?}, not {expected}");
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_delivered() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let handed = sent(&messenger(), &format!("http://{free}/")).await;
    assert_eq!(problem(&handed), "connect: connection refused");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_leads_nowhere() {
    let inside = "HTTP/1.1 301 Moved\r\nlocation: http://169.254.169.254/latest/meta-data/\r\n\r\n";
    let receiver = Receiver::start(Does::Say(inside)).await;
    assert_eq!(sent(&messenger(), &receiver.url()).await, answered(301, ""));

    // One that could be followed shows that none is.
    let canary = Receiver::start(Does::Say("HTTP/1.1 200 OK\r\n\r\n")).await;
    for status in [301, 302, 303, 307, 308] {
        let answer = format!("HTTP/1.1 {status} X\r\nlocation: {}\r\n\r\n", canary.url());
        let receiver = Receiver::start(Does::Say(answer.leak())).await;
        assert_eq!(sent(&messenger(), &receiver.url()).await, answered(status, ""));
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_receiver_may_ask_to_wait() {
    let table = [
        ("retry-after: 120\r\n", Some(120)),
        ("retry-after: Sun, 06 Nov 1994 08:50:37 GMT\r\n", Some(60)),
        ("retry-after: later\r\n", None),
        ("", None),
    ];
    for (line, seconds) in table {
        let answer = format!("HTTP/1.1 429 Too Many\r\n{line}content-length: 0\r\n\r\n");
        let receiver = Receiver::start(Does::Say(answer.leak())).await;
        let handed = sent(&messenger(), &receiver.url()).await;
        assert_eq!(handed.retry_after, seconds.map(Duration::from_secs), "{line}");
        assert!(matches!(handed.received, Received::Answered { status: 429, .. }));
    }
}

#[tokio::test]
async fn nothing_is_sent_to_the_inside_unless_it_is_allowed() {
    let receiver = Receiver::start(Does::Say("HTTP/1.1 200 OK\r\n\r\n")).await;
    let port = receiver.address.port();
    let names = Names {
        known: BTreeMap::from([
            ("inside.example", vec!["127.0.0.1"]),
            ("mapped.example", vec!["::ffff:127.0.0.1"]),
            ("trap.example", vec!["192.0.9.1", "127.0.0.1"]),
            ("2130706433", vec!["127.0.0.1"]),
            ("nowhere.example", vec![]),
        ]),
        asked: AtomicUsize::new(0),
    };
    let outside = messenger_with(&[], Arc::new(names), None);
    let table = [
        ("127.0.0.1", "refused: 127.0.0.1 is loopback"),
        ("[::ffff:127.0.0.1]", "refused: 127.0.0.1 is loopback"),
        ("[::1]", "refused: ::1 is loopback"),
        ("[64:ff9b::7f00:1]", "refused: 64:ff9b::7f00:1 is loopback"),
        ("0.0.0.0", "refused: 0.0.0.0 is unspecified"),
        ("169.254.169.254", "refused: 169.254.169.254 is link-local"),
        ("inside.example", "refused: 127.0.0.1 is loopback"),
        ("mapped.example", "refused: 127.0.0.1 is loopback"),
        ("trap.example", "refused: 127.0.0.1 is loopback"),
        ("2130706433", "refused: 127.0.0.1 is loopback"),
        ("nowhere.example", "name: it has no addresses"),
        ("unknown.example", "name: no such host"),
    ];
    for (host, expected) in table {
        let handed = sent(&outside, &format!("http://{host}:{port}/")).await;
        assert_eq!(problem(&handed), expected, "{host}");
    }
    assert_eq!(receiver.connections(), 0);

    for host in ["127.0.0.1", "[::ffff:127.0.0.1]"] {
        let handed = sent(&messenger(), &format!("http://{host}:{port}/")).await;
        assert_eq!(handed, answered(200, ""), "{host}");
    }
    assert_eq!(receiver.connections(), 2);
}

#[tokio::test]
async fn a_name_is_looked_up_anew_at_each_try_and_once_in_it() {
    let receiver = Receiver::start(Does::Say("HTTP/1.1 200 OK\r\n\r\n")).await;
    let known = BTreeMap::from([("shop.example", vec!["127.0.0.1"])]);
    let names = Arc::new(Names { known, asked: AtomicUsize::new(0) });
    let messenger = messenger_with(&["127.0.0.0/8"], Arc::clone(&names), None);
    let url = format!("http://shop.example:{}/", receiver.address.port());
    for tries in 1..=3 {
        assert_eq!(sent(&messenger, &url).await, answered(200, ""));
        assert_eq!(names.asked.load(Ordering::Relaxed), tries);
    }
    let host = format!("host: shop.example:{}", receiver.address.port());
    assert!(receiver.requests.lock().unwrap()[0].contains(&host));
}

#[tokio::test]
async fn a_host_is_reached_at_any_of_its_addresses() {
    let receiver = Receiver::at("[::1]:0", Does::Say("HTTP/1.1 200 OK\r\n\r\n"), None).await;
    let port = receiver.address.port();
    assert_eq!(sent(&messenger(), &format!("http://[::1]:{port}/")).await, answered(200, ""));
    let known = BTreeMap::from([("both.example", vec!["127.0.0.9", "::1"])]);
    let names = Arc::new(Names { known, asked: AtomicUsize::new(0) });
    let messenger = messenger_with(&["127.0.0.0/8", "::1/128"], names, None);
    let handed = sent(&messenger, &format!("http://both.example:{port}/")).await;
    assert_eq!(handed, answered(200, ""));
}

#[tokio::test]
async fn what_cannot_be_sent_is_not() {
    let receiver = Receiver::start(Does::Say("HTTP/1.1 200 OK\r\n\r\n")).await;
    let mut bad = parcel(&receiver.url());
    bad.headers.push(("x".to_owned(), "a\r\nb: c".to_owned()));
    let handed = messenger().send(bad).await;
    assert_eq!(problem(&handed), "request: its header x cannot be sent");
    for (url, expected) in [
        ("ftp://127.0.0.1/", "address: not an http or https address"),
        ("http://127.0.0.1:25/", "address: a port is 80, 443 or from 1024 to 65535"),
    ] {
        assert_eq!(problem(&sent(&messenger(), url).await), expected);
    }
    assert_eq!(receiver.connections(), 0);
}

/// A certificate of its own making for this name, valid until this year, and the file that makes it
/// known.
fn certificate(name: &str, until: i32) -> (Arc<ServerConfig>, tempfile::NamedTempFile) {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), certificate.pem()).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (Arc::new(config), file)
}

fn shop() -> Arc<Names> {
    let known = BTreeMap::from([("shop.example", vec!["127.0.0.1"])]);
    Arc::new(Names { known, asked: AtomicUsize::new(0) })
}

#[tokio::test]
async fn a_receiver_is_proved_under_tls() {
    const OK: Does = Does::Say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK");
    let table = [
        ("shop.example", 2099, true, None),
        (
            "shop.example",
            2099,
            false,
            Some("tls: the certificate's issuer is unknown, or its chain is incomplete"),
        ),
        ("other.example", 2099, true, Some("tls: the certificate is for another name")),
        ("shop.example", 2021, true, Some("tls: the certificate has expired")),
    ];
    for (name, until, known, expected) in table {
        let (config, file) = certificate(name, until);
        let receiver = Receiver::at("127.0.0.1:0", OK, Some(config)).await;
        let roots = known.then_some(file.path());
        let messenger = messenger_with(&["127.0.0.0/8"], shop(), roots);
        let url = format!("https://shop.example:{}/", receiver.address.port());
        let handed = sent(&messenger, &url).await;
        match expected {
            None => assert_eq!(handed, answered(200, "OK")),
            Some(expected) => {
                assert_eq!(problem(&handed), expected);
                assert_eq!(receiver.requests.lock().unwrap().len(), 0, "nothing was told");
            }
        }
        let diagnosis = messenger.diagnose(&parcel(&url)).await;
        let problem = diagnosis.problem.as_ref().map(ToString::to_string);
        assert_eq!(problem.as_deref(), expected);
        assert_eq!(diagnosis.chain.len(), 1, "also where it was refused: {diagnosis:?}");
        assert!(diagnosis.chain[0].subject.contains(name), "{diagnosis:?}");
        assert_eq!(diagnosis.encrypted.is_some(), expected.is_none());
    }
}

#[tokio::test]
async fn a_receiver_without_tls_is_not_spoken_to() {
    let receiver = Receiver::start(Does::Say("HTTP/1.1 200 OK\r\n\r\n")).await;
    let url = format!("https://{}/", receiver.address);
    // It waits for the end of a request, which a handshake does not have.
    assert_eq!(problem(&sent(&messenger(), &url).await), "timeout: no answer within 1 s");
    let receiver = Receiver::start(Does::Crash).await;
    let url = format!("https://{}/", receiver.address);
    assert!(problem(&sent(&messenger(), &url).await).starts_with("tls: "));
}

#[tokio::test]
async fn a_diagnosis_tells_how_far_a_try_came() {
    let receiver =
        Receiver::start(Does::Say("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK")).await;
    let diagnosis = messenger().diagnose(&parcel(&receiver.url())).await;
    assert_eq!(diagnosis.addresses, [(receiver.address.ip(), None)]);
    assert_eq!(diagnosis.connected.unwrap().0, receiver.address);
    assert_eq!(diagnosis.answered.unwrap().0, 200);
    assert_eq!(diagnosis.verdict().0, "delivered");
    assert_eq!((diagnosis.excerpt.as_str(), diagnosis.problem), ("OK", None));

    let refused = messenger_with(&[], shop(), None).diagnose(&parcel("http://shop.example/")).await;
    assert_eq!(refused.addresses, [("127.0.0.1".parse().unwrap(), Some(Region::Loopback))]);
    assert_eq!((refused.connected, refused.answered), (None, None));
    assert_eq!(refused.verdict().0, "unreachable");
    assert!(matches!(refused.problem, Some(Problem::Refused { .. })));
}

#[test]
fn a_file_of_roots_is_read_or_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let fault = |content: &str| {
        std::fs::write(file.path(), content).unwrap();
        Encryption::new(Some(file.path())).err().map(|fault| fault.to_string()).unwrap()
    };
    assert!(fault("nothing").contains("holds no certificate"));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(fault(broken).contains(&file.path().display().to_string()));
    let missing = Path::new("/no/such/file.pem");
    let problem = Encryption::new(Some(missing)).err().unwrap().to_string();
    assert!(problem.contains("cannot be read"), "{problem}");
}
