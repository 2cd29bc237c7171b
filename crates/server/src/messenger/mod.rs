//! Callbacks over the network: one HTTP/1.1 request to an address that a merchant chose.
//!
//! Invariants: what is connected to is the very address that [`policy`] judged, and it is judged at
//! each try, so that no name can lead elsewhere meanwhile; no redirect is followed, no proxy is
//! asked; a try ends at its deadline whatever the receiver does; of an answer no more is read than
//! its head and a few KiB, and no more is kept than its status and an [`answer::excerpt`]. Each try
//! has a connection of its own, because a merchant is rarely told two things in one second and a
//! kept connection would outlive the judgement of its address.
//!
//! When to try again, and what a status means, is not decided here.

pub(crate) mod answer;
pub(crate) mod certificates;
pub(crate) mod diagnosis;
pub(crate) mod encryption;
pub(crate) mod policy;
pub(crate) mod problem;
pub(crate) mod resolver;
pub(crate) mod target;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use bytes::Bytes;
use domain::callback::Received;
use gateway::ports::{Clock, Handed, Messenger, Parcel};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ProtocolVersion};
use tokio_util::task::AbortOnDropHandle;

use encryption::Encryption;
use policy::{Policy, Region};
use problem::Problem;
use resolver::Resolve;
use target::{Host, Target};

/// The longest head of an answer, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How many headers an answer may have.
const HEADERS_MAX: usize = 256;
/// How much of the body of an answer is read, in bytes.
const BODY_BYTES_MAX: usize = 4 * 1024;
/// How many addresses of a name are tried.
const ADDRESSES_MAX: usize = 4;
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("Lunas/", env!("CARGO_PKG_VERSION")));

/// What the operator may set.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// How long the connection may take to be made.
    pub(crate) connect_within: Duration,
    /// How long a whole try may take.
    pub(crate) try_within: Duration,
    /// To which addresses something may be sent.
    pub(crate) policy: Policy,
}

/// What a messenger is made of.
pub(crate) struct Parts {
    /// What the operator set.
    pub(crate) settings: Settings,
    /// Whom it believes under TLS.
    pub(crate) encryption: Encryption,
    /// Who looks names up.
    pub(crate) resolver: Arc<dyn Resolve>,
    /// Tells how long a receiver asks to wait that names a date.
    pub(crate) clock: Arc<dyn Clock>,
}

/// Sends parcels by HTTP.
pub(crate) struct HttpMessenger {
    parts: Parts,
}

/// What was seen in the course of a try, as far as it came.
#[derive(Debug, Default)]
struct Seen {
    /// What the name resolved to, each with why it is refused.
    addresses: Vec<(IpAddr, Option<Region>)>,
    /// Whom it was connected to, after how long.
    connected: Option<(SocketAddr, Duration)>,
    /// The version of TLS, and how long the handshake took.
    encrypted: Option<(ProtocolVersion, Duration)>,
    /// The status, how long it took from the request to it, and how long the receiver asks to wait.
    answered: Option<(u16, Duration, Option<Duration>)>,
    /// The first bytes of the body.
    body: Vec<u8>,
}

impl HttpMessenger {
    /// Puts the parts together.
    pub(crate) const fn new(parts: Parts) -> Self {
        Self { parts }
    }

    /// To which addresses something may be sent.
    pub(crate) const fn policy(&self) -> &Policy {
        &self.parts.settings.policy
    }

    /// One try, until its deadline. Once a status has come the try has succeeded in telling
    /// something, whatever becomes of the body.
    async fn try_once(
        &self,
        parcel: &Parcel,
        encryption: Arc<ClientConfig>,
        seen: &mut Seen,
    ) -> Result<(), Problem> {
        let within = self.parts.settings.try_within;
        let tried = timeout(within, self.exchange(parcel, encryption, seen)).await;
        match tried {
            _ if seen.answered.is_some() => Ok(()),
            Ok(result) => result,
            Err(_) => Err(Problem::TooLate(within)),
        }
    }

    async fn exchange(
        &self,
        parcel: &Parcel,
        encryption: Arc<ClientConfig>,
        seen: &mut Seen,
    ) -> Result<(), Problem> {
        let target = Target::parse(&parcel.url)?;
        let request = request(&target, parcel)?;
        let addresses = self.addresses(&target, seen).await?;
        let begun = Instant::now();
        let (stream, address) = self.connect(&addresses).await?;
        seen.connected = Some((address, begun.elapsed()));
        if target.encrypted {
            let begun = Instant::now();
            let handshake = TlsConnector::from(encryption).connect(server_name(&target)?, stream);
            let stream = handshake.await.map_err(|error| Problem::of_handshake(&error))?;
            let version = stream.get_ref().1.protocol_version();
            seen.encrypted = version.map(|version| (version, begun.elapsed()));
            self.ask(stream, request, seen).await
        } else {
            self.ask(stream, request, seen).await
        }
    }

    /// The addresses of a target, all of which may be connected to. One that may not spoils the
    /// others, because a name that leads both inside and outside is a trap.
    async fn addresses(
        &self,
        target: &Target,
        seen: &mut Seen,
    ) -> Result<Vec<SocketAddr>, Problem> {
        let found = match &target.host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => {
                let resolving = self.parts.resolver.resolve(name).await;
                resolving.map_err(|error| Problem::of_name(&error))?
            }
        };
        // An IPv4 address inside an IPv6 one is connected to as what it is.
        let found = found.into_iter().map(|address| address.to_canonical());
        seen.addresses = found.map(|address| (address, self.policy().refusal(address))).collect();
        let refused = seen.addresses.iter().find_map(|(address, it)| Some((*address, (*it)?)));
        if let Some((address, region)) = refused {
            return Err(Problem::Refused { address, region });
        }
        if seen.addresses.is_empty() {
            return Err(Problem::Name("it has no addresses".to_owned()));
        }
        let with_port = |(address, _): &(IpAddr, _)| SocketAddr::new(*address, target.port);
        Ok(seen.addresses.iter().map(with_port).take(ADDRESSES_MAX).collect())
    }

    /// Connects to the first address that can be connected to; each gets an equal share of the time
    /// that is left.
    async fn connect(&self, addresses: &[SocketAddr]) -> Result<(TcpStream, SocketAddr), Problem> {
        let deadline = Instant::now() + self.parts.settings.connect_within;
        let mut problem = Problem::Name("it has no addresses".to_owned());
        for (index, address) in addresses.iter().enumerate() {
            let left = deadline.saturating_duration_since(Instant::now());
            let others = u32::try_from(addresses.len().saturating_sub(index)).unwrap_or(1);
            match timeout(left / others.max(1), TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // A request is one write; only its speed would suffer.
                    let _ = stream.set_nodelay(true);
                    return Ok((stream, *address));
                }
                Ok(Err(error)) => problem = Problem::of_connection(&error),
                Err(_) => problem = Problem::Unconnected("timed out".to_owned()),
            }
        }
        Err(problem)
    }

    /// Sends the request and reads what is read of the answer.
    async fn ask<S>(
        &self,
        stream: S,
        request: Request<Full<Bytes>>,
        seen: &mut Seen,
    ) -> Result<(), Problem>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let begun = Instant::now();
        let connecting = http1::Builder::new()
            .max_buf_size(HEAD_BYTES_MAX)
            .max_headers(HEADERS_MAX)
            // Receivers are written by hand in many languages; what they mean is clear.
            .ignore_invalid_headers_in_responses(true)
            .handshake(TokioIo::new(stream));
        let of_exchange = |error| Problem::of_exchange(&error);
        let (mut sender, connection) = connecting.await.map_err(of_exchange)?;
        let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
        let answer = sender.send_request(request).await.map_err(of_exchange)?;
        let (head, body) = answer.into_parts();
        let retry_after = answer::retry_after(&head.headers, self.wall_clock());
        seen.answered = Some((head.status.as_u16(), begun.elapsed(), retry_after));
        read(body, &mut seen.body).await;
        Ok(())
    }

    fn wall_clock(&self) -> SystemTime {
        let since = u64::try_from(self.parts.clock.now().milliseconds()).unwrap_or_default();
        UNIX_EPOCH + Duration::from_millis(since)
    }
}

/// Reads the beginning of a body. How it ends does not matter.
async fn read(mut body: Incoming, into: &mut Vec<u8>) {
    while let Some(Ok(frame)) = body.frame().await {
        let Ok(bytes) = frame.into_data() else { continue };
        let room = BODY_BYTES_MAX.saturating_sub(into.len());
        into.extend_from_slice(bytes.get(..room).unwrap_or(&bytes));
        if bytes.len() >= room {
            return;
        }
    }
}

fn server_name(target: &Target) -> Result<ServerName<'static>, Problem> {
    match &target.host {
        Host::Address(address) => Ok(ServerName::from(*address)),
        Host::Name(name) => ServerName::try_from(name.clone())
            .map_err(|_| Problem::Tls("there are no certificates for such a name".to_owned())),
    }
}

/// The request for a parcel. The protocol's headers come first and ours win where they meet.
fn request(target: &Target, parcel: &Parcel) -> Result<Request<Full<Bytes>>, Problem> {
    let body = Full::new(Bytes::from(parcel.rendered.body.clone()));
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(&target.path)
        .body(body)
        .map_err(|_| Problem::Request("its path cannot be sent".to_owned()))?;
    let headers = request.headers_mut();
    for (name, value) in parcel.rendered.headers.iter().chain(&parcel.headers) {
        put(headers, name, value)?;
    }
    put(headers, header::HOST.as_str(), &target.authority())?;
    headers.insert(header::USER_AGENT, USER_AGENT);
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    Ok(request)
}

fn put(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Problem> {
    let unsendable = |_| Problem::Request(format!("its header {name} cannot be sent"));
    let name: HeaderName = name.parse().map_err(|_| unsendable(()))?;
    let value = HeaderValue::from_str(value).map_err(|_| unsendable(()))?;
    headers.insert(name, value);
    Ok(())
}

impl Seen {
    /// As the courier wants it.
    fn handed(&self, tried: Result<(), Problem>) -> Handed {
        match (self.answered, tried) {
            (Some((status, _, retry_after)), _) => {
                let excerpt = answer::excerpt(&self.body);
                Handed { received: Received::Answered { status, excerpt }, retry_after }
            }
            (None, tried) => {
                let problem = tried.err().map_or_else(String::new, |it| it.to_string());
                Handed { received: Received::Unreachable { problem }, retry_after: None }
            }
        }
    }
}

#[async_trait]
impl Messenger for HttpMessenger {
    async fn send(&self, parcel: Parcel) -> Handed {
        let mut seen = Seen::default();
        let tried = self.try_once(&parcel, self.parts.encryption.shared(), &mut seen).await;
        seen.handed(tried)
    }
}

#[cfg(test)]
mod isolation_tests;
#[cfg(test)]
#[path = "messenger_tests.rs"]
mod tests;
