//! An acceptor that fails, over streams that are not sockets, so that the time can be simulated.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;

use tokio::io::{DuplexStream, duplex};

use super::super::accept::Accept;
use super::super::{ACCEPT_PAUSE, serve_from};
use super::*;

/// Gives out what it was given, and then waits for ever. Notes when it was asked.
struct Prepared {
    outcomes: VecDeque<io::Result<DuplexStream>>,
    asked: Arc<Mutex<Vec<Instant>>>,
}

impl Accept for Prepared {
    type Stream = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, IpAddr)> {
        let Some(outcome) = self.outcomes.pop_front() else {
            return std::future::pending().await;
        };
        self.asked.lock().unwrap().push(Instant::now());
        outcome.map(|stream| (stream, IpAddr::V4(Ipv4Addr::LOCALHOST)))
    }
}

/// Serves what is prepared; gives the times at which the acceptor was asked.
fn open(
    limits: Limits,
    outcomes: impl Into<VecDeque<io::Result<DuplexStream>>>,
) -> Arc<Mutex<Vec<Instant>>> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let acceptor = Prepared { outcomes: outcomes.into(), asked: Arc::clone(&asked) };
    tokio::spawn(serve_from(acceptor, limits, script(), CancellationToken::new()));
    asked
}

fn no_descriptors() -> io::Error {
    io::Error::from_raw_os_error(24)
}

async fn ask(client: &mut DuplexStream) -> Vec<u8> {
    client.write_all(GET).await.unwrap();
    let mut answer = vec![0; 12];
    client.read_exact(&mut answer).await.unwrap();
    answer
}

#[tokio::test(start_paused = true)]
async fn having_no_descriptors_left_does_not_spin() {
    let (mut client, server) = duplex(4096);
    let begun = Instant::now();
    let mut outcomes: VecDeque<_> = (0..5).map(|_| Err(no_descriptors())).collect();
    outcomes.push_back(Ok(server));
    let asked = open(patient(), outcomes);
    assert_eq!(ask(&mut client).await, b"HTTP/1.1 200");
    assert!(begun.elapsed() >= ACCEPT_PAUSE * 5);
    assert_eq!(asked.lock().unwrap().len(), 6);
}

#[tokio::test(start_paused = true)]
async fn having_no_descriptors_left_gives_one_back() {
    let (mut silent, server) = duplex(4096);
    let begun = Instant::now();
    open(patient(), [Ok(server), Err(no_descriptors())]);
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
    assert!(begun.elapsed() < ACCEPT_PAUSE);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_while_accepted_costs_no_time() {
    let (mut client, server) = duplex(4096);
    let begun = Instant::now();
    let broken = || Err(io::ErrorKind::ConnectionAborted.into());
    open(patient(), [broken(), broken(), Ok(server)]);
    assert_eq!(ask(&mut client).await, b"HTTP/1.1 200");
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn the_default_deadlines_hold_to_the_second() {
    let seconds = |count| Duration::from_secs(count)..Duration::from_secs(count) + millis(5);

    let (mut silent, server) = duplex(4096);
    let begun = Instant::now();
    open(patient(), [Ok(server)]);
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
    assert!(seconds(10).contains(&begun.elapsed()), "{:?}", begun.elapsed());

    let (mut idle, server) = duplex(4096);
    open(patient(), [Ok(server)]);
    assert_eq!(ask(&mut idle).await, b"HTTP/1.1 200");
    let begun = Instant::now();
    idle.read_to_end(&mut Vec::new()).await.unwrap();
    assert!(seconds(75).contains(&begun.elapsed()), "{:?}", begun.elapsed());

    let (mut half_head, server) = duplex(4096);
    open(patient(), [Ok(server)]);
    assert_eq!(ask(&mut half_head).await, b"HTTP/1.1 200");
    tokio::time::advance(Duration::from_secs(74)).await;
    half_head.write_all(b"GET").await.unwrap();
    let begun = Instant::now();
    half_head.read_to_end(&mut Vec::new()).await.unwrap();
    assert!(seconds(10).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}
