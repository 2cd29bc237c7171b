//! An acceptor that does as it is told, over streams that are not sockets: its failures, the
//! order of events, and deadlines to the millisecond in simulated time.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;

use super::super::accept::Accept;
use super::super::server::Server;
use super::super::{ACCEPT_PAUSE, serve_from};
use super::*;

/// Accepts what it is sent.
struct Told(mpsc::UnboundedReceiver<io::Result<DuplexStream>>);

impl Accept for Told {
    type Stream = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, IpAddr)> {
        match self.0.recv().await {
            Some(outcome) => outcome.map(|stream| (stream, IpAddr::V4(Ipv4Addr::LOCALHOST))),
            None => std::future::pending().await,
        }
    }
}

/// A running edge over simulated connections.
struct Stage {
    acceptor: mpsc::UnboundedSender<io::Result<DuplexStream>>,
    script: Arc<Script>,
}

impl Stage {
    fn open(limits: Limits) -> Stage {
        let (acceptor, told) = mpsc::unbounded_channel();
        let script = script();
        let service = Arc::clone(&script);
        let server = Server::new(limits, service, Arc::default());
        tokio::spawn(serve_from(Told(told), server, CancellationToken::new()));
        Stage { acceptor, script }
    }

    fn connect(&self) -> DuplexStream {
        let (client, server) = duplex(4096);
        self.acceptor.send(Ok(server)).unwrap();
        client
    }

    fn fail(&self, error: io::Error) {
        self.acceptor.send(Err(error)).unwrap();
    }
}

fn no_descriptors() -> io::Error {
    io::Error::from_raw_os_error(24)
}

/// The first line of the next answer, and the end of its head.
async fn status(client: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    String::from_utf8(head[9..12].to_vec()).unwrap()
}

async fn ask(client: &mut DuplexStream) -> String {
    client.write_all(GET).await.unwrap();
    status(client).await
}

/// How long it takes from now until the server closes the connection.
async fn closes_after(client: &mut DuplexStream) -> Duration {
    let begun = Instant::now();
    client.read_to_end(&mut Vec::new()).await.unwrap();
    begun.elapsed()
}

#[track_caller]
fn assert_exactly(took: Duration, expected: Duration) {
    assert!(took >= expected && took < expected + millis(3), "{took:?} is not {expected:?}");
}

const HOLD: &[u8] = b"GET /hold HTTP/1.1\r\nhost: a\r\n\r\n";
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn having_no_descriptors_left_does_not_spin() {
    let stage = Stage::open(patient());
    let begun = Instant::now();
    for _ in 0..5 {
        stage.fail(no_descriptors());
    }
    assert_eq!(ask(&mut stage.connect()).await, "200");
    assert_exactly(begun.elapsed(), ACCEPT_PAUSE * 5);
}

#[tokio::test(start_paused = true)]
async fn having_no_descriptors_left_gives_one_back() {
    let stage = Stage::open(patient());
    let mut silent = stage.connect();
    stage.fail(no_descriptors());
    assert_exactly(closes_after(&mut silent).await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_while_accepted_costs_no_time() {
    let stage = Stage::open(patient());
    let begun = Instant::now();
    stage.fail(io::ErrorKind::ConnectionAborted.into());
    stage.fail(io::ErrorKind::ConnectionReset.into());
    assert_eq!(ask(&mut stage.connect()).await, "200");
    assert_exactly(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_has_arrived_is_not_lost_to_a_newcomer() {
    for used in [false, true] {
        let stage = Stage::open(Limits { connections: 1, ..patient() });
        let mut early = stage.connect();
        if used {
            assert_eq!(ask(&mut early).await, "200");
        } else {
            tokio::time::sleep(millis(1)).await;
        }
        let begun = Instant::now();
        // The accept loop is woken before the connection's own task, and therefore finds the
        // early connection without a request and orders it out.
        let mut newcomer = stage.connect();
        early.write_all(GET).await.unwrap();
        assert_eq!(status(&mut early).await, "200");
        // The accept loop is told that the order was declined, and does not wait to look again.
        assert_eq!(ask(&mut newcomer).await, "200");
        assert_exactly(begun.elapsed(), Duration::ZERO);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_ordered_out_stays_once_its_request_is_being_worked_on() {
    let stage = Stage::open(Limits { connections: 1, ..patient() });
    let mut early = stage.connect();
    tokio::time::sleep(millis(1)).await;
    let mut newcomer = stage.connect();
    early.write_all(HOLD).await.unwrap();
    assert_eq!(ask(&mut newcomer).await, "503");
    stage.script.release.add_permits(1);
    assert_eq!(status(&mut early).await, "200");
}

#[tokio::test(start_paused = true)]
async fn newcomers_do_not_each_wait_the_whole_time() {
    let stage = Stage::open(Limits { connections: 1, ..patient() });
    let mut first = stage.connect();
    first.write_all(HOLD).await.unwrap();
    stage.script.held.acquire().await.unwrap().forget();
    let begun = Instant::now();
    let mut second = stage.connect();
    second.write_all(HOLD).await.unwrap();
    tokio::time::sleep(SECOND * 3 / 2).await;
    stage.script.release.add_permits(1);
    assert_eq!(status(&mut first).await, "200");
    stage.script.held.acquire().await.unwrap().forget();
    // The house has been full since the second came, so that is when the third's time began.
    assert_eq!(ask(&mut stage.connect()).await, "503");
    let took = begun.elapsed();
    assert!(took >= SECOND * 2 && took < SECOND * 2 + millis(100), "{took:?}");
    drop(second);
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_closed_after_ten_seconds() {
    let stage = Stage::open(patient());
    assert_exactly(closes_after(&mut stage.connect()).await, SECOND * 10);
}

#[tokio::test(start_paused = true)]
async fn a_first_head_is_complete_ten_seconds_after_accepting() {
    let stage = Stage::open(patient());
    let mut late = stage.connect();
    tokio::time::sleep(SECOND * 9).await;
    late.write_all(b"GET").await.unwrap();
    assert_exactly(closes_after(&mut late).await, SECOND);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_seventy_five_seconds() {
    let stage = Stage::open(patient());
    let mut idle = stage.connect();
    for _ in 0..3 {
        assert_eq!(ask(&mut idle).await, "200");
        tokio::time::sleep(SECOND * 74).await;
    }
    assert_eq!(ask(&mut idle).await, "200");
    assert_exactly(closes_after(&mut idle).await, SECOND * 75);
}

#[tokio::test(start_paused = true)]
async fn a_later_head_has_ten_seconds_from_its_first_byte() {
    let stage = Stage::open(patient());
    let mut client = stage.connect();
    assert_eq!(ask(&mut client).await, "200");
    tokio::time::sleep(SECOND * 74).await;
    client.write_all(b"GET").await.unwrap();
    assert_exactly(closes_after(&mut client).await, SECOND * 10);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_began_during_the_request_before_it_has_ten_seconds_from_the_answer() {
    let stage = Stage::open(patient());
    let mut client = stage.connect();
    client.write_all(HOLD).await.unwrap();
    stage.script.held.acquire().await.unwrap().forget();
    client.write_all(b"GET").await.unwrap();
    tokio::time::sleep(SECOND * 20).await;
    stage.script.release.add_permits(1);
    assert_eq!(status(&mut client).await, "200");
    assert_exactly(closes_after(&mut client).await, SECOND * 10);
}

#[tokio::test(start_paused = true)]
async fn a_body_has_ten_seconds_from_its_head_however_it_drips() {
    let stage = Stage::open(patient());
    let mut client = stage.connect();
    tokio::time::sleep(SECOND * 9).await;
    client.write_all(b"POST / HTTP/1.1\r\ncontent-length: 99\r\n\r\n").await.unwrap();
    let begun = Instant::now();
    for _ in 0..9 {
        tokio::time::sleep(SECOND).await;
        client.write_all(b"x").await.unwrap();
    }
    assert_eq!(status(&mut client).await, "408");
    assert_exactly(begun.elapsed(), SECOND * 10);
    // The client keeps its side open, and is given two seconds to read why.
    assert_exactly(closes_after(&mut client).await, Duration::ZERO);
    tokio::time::sleep(SECOND * 2 + millis(3)).await;
    assert!(client.write_all(b"x").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_taken_within_thirty_seconds_however_it_drips() {
    let stage = Stage::open(patient());
    let mut client = stage.connect();
    client.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let begun = Instant::now();
    let mut piece = [0; 1000];
    while client.read(&mut piece).await.unwrap() > 0 {
        tokio::time::sleep(SECOND).await;
    }
    // What was already on its way when the deadline came is still read, second by second.
    assert!(begun.elapsed() >= SECOND * 30 && begun.elapsed() < SECOND * 40);
}
