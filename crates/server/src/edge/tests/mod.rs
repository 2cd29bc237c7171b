//! The edge over real sockets: a server with short limits, a service that does what the path
//! says, and a client that speaks HTTP byte by byte.

mod bodies;
mod capacity;
mod deadlines;
mod encrypted;
mod exchanges;
mod shutdown;
mod simulated;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Response, StatusCode};
use protocols::exchange::{Answer, Arrival, BodyFault, Serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Limits, Traffic, serve, serve_counted};

/// How long a test waits for something that must happen before it fails.
const PATIENCE: Duration = Duration::from_secs(10);

/// A service that does what the path says, and counts its calls.
struct Script {
    calls: AtomicUsize,
    /// Gains a permit whenever a request to `/hold` begins.
    held: Semaphore,
    /// Every request to `/hold` waits for a permit of this.
    release: Semaphore,
}

#[async_trait]
impl Serve for Script {
    async fn serve(&self, arrival: Arrival) -> Answer {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let body = match arrival.body {
            Ok(body) => body,
            Err(fault) => return fault_answer(fault),
        };
        match arrival.head.uri.path() {
            "/panic" => panic!("as the path says"),
            "/hold" => {
                self.held.add_permits(1);
                self.release.acquire().await.unwrap().forget();
                Response::new(Bytes::from_static(b"released"))
            }
            "/peer" => Response::new(Bytes::from(arrival.peer.to_string())),
            "/empty" => Response::new(Bytes::new()),
            "/large" => Response::new(Bytes::from(vec![b'x'; 16 * 1024 * 1024])),
            "/coding" => {
                let coding = arrival.head.headers.get("content-encoding");
                Response::new(Bytes::copy_from_slice(coding.unwrap().as_bytes()))
            }
            _ => Response::new(body),
        }
    }
}

fn fault_answer(fault: BodyFault) -> Answer {
    let status = match fault {
        BodyFault::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        BodyFault::TooSlow => StatusCode::REQUEST_TIMEOUT,
        BodyFault::Broken => StatusCode::BAD_REQUEST,
    };
    let mut answer = Response::new(Bytes::from(format!("{fault:?}")));
    *answer.status_mut() = status;
    answer
}

/// A running edge.
struct Stand {
    address: SocketAddr,
    script: Arc<Script>,
    traffic: Arc<Traffic>,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

impl Stand {
    async fn open(limits: Limits) -> Stand {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let script = script();
        let shutdown = CancellationToken::new();
        let traffic = Arc::<Traffic>::default();
        let (service, counted) = (Arc::clone(&script), Arc::clone(&traffic));
        let serving =
            tokio::spawn(serve_counted(listener, limits, service, counted, shutdown.clone()));
        Stand { address, script, traffic, shutdown, serving }
    }

    async fn connect(&self) -> Client {
        Client::over(TcpStream::connect(self.address).await.unwrap())
    }

    /// A connection that has had one request answered and is idle.
    async fn idle_client(&self) -> Client {
        let mut client = self.connect().await;
        assert_eq!(client.ask(GET).await.status, 200);
        client
    }

    /// A connection whose request the service is working on.
    async fn held_client(&self) -> Client {
        let mut client = self.connect().await;
        client.send(b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n").await;
        timeout(PATIENCE, self.script.held.acquire()).await.unwrap().unwrap().forget();
        client
    }

    fn calls(&self) -> usize {
        self.script.calls.load(Ordering::SeqCst)
    }
}

fn script() -> Arc<Script> {
    Arc::new(Script {
        calls: AtomicUsize::new(0),
        held: Semaphore::new(0),
        release: Semaphore::new(0),
    })
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/// A client's end of a connection.
struct Client {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// An answer as it came over the wire, its head in lower case.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Client {
    fn over(stream: TcpStream) -> Client {
        Client { stream, unread: Vec::new() }
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    async fn ask(&mut self, request: &[u8]) -> Reply {
        self.send(request).await;
        self.reply().await
    }

    /// The next answer, with the body that its content-length announces.
    async fn reply(&mut self) -> Reply {
        let head = self.head().await;
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        while self.unread.len() < length {
            assert!(self.more().await > 0, "closed inside a body");
        }
        let body = self.unread.drain(..length).collect();
        Reply { status: head[9..12].parse().unwrap(), head, body }
    }

    /// The next head up to its empty line, without anything that follows it.
    async fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                let head: Vec<u8> = self.unread.drain(..end + 4).collect();
                return String::from_utf8(head).unwrap().to_lowercase();
            }
            assert!(self.more().await > 0, "closed inside a head");
        }
    }

    async fn more(&mut self) -> usize {
        timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await.unwrap().unwrap()
    }

    /// Waits until the server closes the connection, and says how long it took. Nothing may
    /// arrive before that.
    async fn closed(&mut self) -> Duration {
        let begun = Instant::now();
        let came = match timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await {
            Ok(Ok(came)) => came,
            Ok(Err(_reset)) => 0,
            Err(_elapsed) => panic!("the server kept the connection"),
        };
        assert_eq!(came, 0, "unexpected: {:?}", String::from_utf8_lossy(&self.unread));
        begun.elapsed()
    }

    /// Sends on after the server has closed its side. Had it closed the socket altogether, each
    /// piece would be answered with a reset, and the next one would fail.
    async fn keeps_sending(&mut self) {
        for _ in 0..10 {
            self.send(&[b'x'; 1000]).await;
            tokio::task::yield_now().await;
        }
    }

    /// Whether the connection is still open; looks for as long as a close that was already
    /// decided would take to show.
    async fn is_open(&mut self) -> bool {
        timeout(Duration::from_millis(20), self.stream.read_buf(&mut self.unread)).await.is_err()
    }
}

/// Limits that no test runs into by accident.
fn patient() -> Limits {
    Limits::default()
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}
