//! Sockets that say nothing, or half of something, do not keep others from being served.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::harness::{PATIENCE, Sandbox, lunas, wait_until};
use crate::iak_client::{Data, PATH, inquired, inquiry_body, pay, payment_body};

/// What the sockets say: nothing, half of a head, and half of a body.
const OPENINGS: [&[u8]; 3] = [
    b"",
    b"POST /api/v1/bill/check HTTP/1.1\r\nhost: x\r\ncontent-",
    b"POST /api/v1/bill/check HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
];

/// How many there are, unless `LUNAS_SOCKETS` says otherwise.
const SOCKETS: usize = 300;

/// How long a head or a body may take, by the server's defaults.
const DEADLINE: Duration = Duration::from_secs(10);
/// How much longer it may be on a busy machine until the last of them is seen to be closed.
const LENIENCE: Duration = Duration::from_secs(4);

fn socket_count() -> usize {
    std::env::var("LUNAS_SOCKETS").map_or(SOCKETS, |text| text.parse().unwrap())
}

/// Lets this process and the server that it starts open so many sockets.
fn allow_files(count: usize) {
    let wanted = u64::try_from(count + 200).unwrap();
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_some_and(|current| current < wanted) {
        let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        assert!(
            raised.is_ok(),
            "{wanted} files have to be open at once and this user may open {maximum:?}; \
             raise it (`ulimit -Hn`) or set LUNAS_SOCKETS to fewer"
        );
    }
}

/// Opens sockets, one opening after the other.
fn open(sandbox: &Sandbox, count: usize) -> Vec<TcpStream> {
    let sockets = (0..count).map(|number| {
        let mut socket = TcpStream::connect(sandbox.address()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        // The server may have made room already by closing it.
        let _ = socket.write_all(OPENINGS[number % OPENINGS.len()]);
        socket
    });
    sockets.collect()
}

/// Waits until the server has closed all of them, and tells how many it answered before.
fn see_closed(sockets: Vec<TcpStream>) -> usize {
    let mut answered = 0;
    for mut socket in sockets {
        let mut rest = Vec::new();
        // Whether it ends or breaks, it is over; what takes longer than patience is neither.
        if let Err(error) = socket.read_to_end(&mut rest) {
            assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "a socket was left open");
        }
        answered += usize::from(rest.starts_with(b"HTTP/1.1 400 "));
    }
    answered
}

#[test]
fn half_a_request_is_given_up_on_while_others_are_served() {
    let sandbox = Sandbox::start(&["--connections", "256"]);
    let begun = Instant::now();
    // More than there are places, so that some are closed for others.
    let sockets = open(&sandbox, 300);
    for number in 0..5 {
        let tr_id = inquired(&sandbox, "530000000000", &format!("BESIDE-{number}"));
        assert_eq!(pay(&sandbox, tr_id).code(), "00");
    }
    see_closed(sockets);
    assert!(begun.elapsed() < DEADLINE + LENIENCE, "{:?}", begun.elapsed());
}

/// How many clients pay bills beside the sockets.
const CLIENTS: usize = 4;

/// Clients that pay one bill after the other, each on a connection of its own.
struct Load {
    url: String,
    stop: AtomicBool,
    next: AtomicU64,
    /// When each answer came, and after how long.
    answers: Mutex<Vec<(Instant, Duration)>>,
}

impl Load {
    fn run_client(&self) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build().into();
        let send = |body: serde_json::Value| {
            let begun = Instant::now();
            let request = agent.post(format!("{}{PATH}", self.url));
            let mut answer =
                request.content_type("application/json").send(body.to_string()).unwrap();
            let answer = answer.body_mut().read_to_string().unwrap();
            self.answers.lock().unwrap().push((Instant::now(), begun.elapsed()));
            let envelope: serde_json::Value = serde_json::from_str(&answer).unwrap();
            let data = Data { http: 200, value: envelope["data"].clone() };
            assert_eq!(data.code(), "00", "{data:?}");
            data
        };
        while !self.stop.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let mut body = inquiry_body("SHOPEEPAY", "082100000000", &format!("LOAD-{number}"));
            body["desc"] = json!({ "amount": 10 });
            let tr_id = send(body).number("tr_id");
            send(payment_body(tr_id));
        }
    }

    /// How many answers came since then, and the time that 99 of 100 of them did not exceed.
    fn since(&self, begun: Instant) -> (usize, Duration) {
        let answers = self.answers.lock().unwrap();
        let since = answers.iter().filter(|(at, _)| *at >= begun);
        let mut latencies: Vec<_> = since.map(|(_, latency)| *latency).collect();
        latencies.sort_unstable();
        let last = latencies.len().saturating_sub(1);
        (latencies.len(), latencies.get(last * 99 / 100).copied().unwrap_or_default())
    }

    /// The same from now on, for so long.
    fn within(&self, window: Duration) -> (usize, Duration) {
        let begun = Instant::now();
        while let Some(left) = window.checked_sub(begun.elapsed()) {
            thread::park_timeout(left);
        }
        self.since(begun)
    }
}

/// Stops the clients also when a test fails, which would otherwise wait for them.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A figure of `/metrics`.
fn figure(sandbox: &Sandbox, name: &str) -> usize {
    let page = sandbox.get("/metrics").body;
    let line = page.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap().parse().unwrap()
}

/// Runs a closure beside clients that pay bills all the time.
fn under_load(sandbox: &Sandbox, act: impl FnOnce(&Load)) {
    // Enough for as many bills as a fast machine pays meanwhile.
    let credit =
        ["merchant", "credit", "1", "900000000000", "--reference", "LOAD", "--reason", "x"];
    let credited = lunas().args(credit).args(["--server", sandbox.url()]).output().unwrap();
    assert!(credited.status.success(), "{credited:?}");
    let load = Load {
        url: sandbox.url().to_owned(),
        stop: AtomicBool::new(false),
        next: AtomicU64::new(1),
        answers: Mutex::default(),
    };
    thread::scope(|scope| {
        let _stop = StopAtEnd(&load.stop);
        for _ in 0..CLIENTS {
            scope.spawn(|| load.run_client());
        }
        wait_until("bills are paid", || !load.answers.lock().unwrap().is_empty());
        act(&load);
    });
    sandbox.verify();
}

#[test]
fn every_silent_socket_is_closed_by_its_deadline_beside_healthy_load() {
    let count = socket_count();
    allow_files(count);
    let sandbox = Sandbox::start(&[]);
    under_load(&sandbox, |load| {
        let begun = Instant::now();
        let sockets = open(&sandbox, count);
        let opened = Instant::now();
        wait_until("the server holds them", || figure(&sandbox, "lunas_connections_open") > count);
        let answered = see_closed(sockets);
        let (first, last) = (begun.elapsed(), opened.elapsed());
        assert!(first >= DEADLINE, "closed before the deadline: {first:?}");
        assert!(last < DEADLINE + LENIENCE, "the last was closed {last:?} after it was opened");
        // Who has sent a head is told what is wrong; the others have asked nothing.
        let half_bodies = (0..count).filter(|number| number % OPENINGS.len() == 2).count();
        assert_eq!(answered, half_bodies);
        let overdue = figure(&sandbox, "lunas_connections_overdue_total");
        assert_eq!(overdue, count - half_bodies);
        assert_eq!(figure(&sandbox, "lunas_connections_evicted_total"), 0);
        let (answers, latency) = load.since(begun);
        assert!(answers > 0, "nobody was served beside them");
        println!(
            "{count} sockets, the last closed {last:?} after it was opened; beside them \
             {answers} answers, 99 of 100 within {latency:?}"
        );
    });
}

/// How long answers are timed for one number; shorter than the deadline, so that all sockets are
/// open meanwhile.
const WINDOW: Duration = Duration::from_secs(5);
/// How many windows with and without are compared.
const PAIRS: usize = 5;
/// What 99 of 100 answers may take beside the sockets, of what they take alone, in percent.
const LATENCY_MAX: u128 = 200;
/// A machine that others use too may spoil a measurement; so many are made before it counts.
const MEASUREMENTS: usize = 3;

#[test]
fn silent_sockets_at_most_double_the_latency_of_others() {
    // Beside other tests the comparison would tell more of them than of us.
    if std::env::var_os("LUNAS_MEASURE").is_none() {
        eprintln!("SKIPPED: comparing latencies needs a quiet machine; set LUNAS_MEASURE=1");
        return;
    }
    let count = socket_count();
    allow_files(count);
    let sandbox = Sandbox::start(&[]);
    under_load(&sandbox, |load| {
        let is_light = (0..MEASUREMENTS).any(|_| measure(&sandbox, load, count) <= LATENCY_MAX);
        assert!(is_light, "the latency of others is more than doubled");
    });
}

/// Compares the latencies with and without sockets beside the load, in turn, and gives the median
/// beside them in percent of that alone.
fn measure(sandbox: &Sandbox, load: &Load, count: usize) -> u128 {
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for pair in 1..=PAIRS {
        let (answers_alone, latency_alone) = load.within(WINDOW);
        let sockets = open(sandbox, count);
        let (answers_beside, latency_beside) = load.within(WINDOW);
        assert!(figure(sandbox, "lunas_connections_open") > count, "closed while it was timed");
        see_closed(sockets);
        println!(
            "{pair}: 99 of 100 answers within {latency_alone:?} alone ({answers_alone} answers), \
             within {latency_beside:?} beside {count} sockets ({answers_beside} answers)"
        );
        alone.push(latency_alone);
        beside.push(latency_beside);
    }
    let (alone, beside) = (median(&mut alone), median(&mut beside));
    let percent = beside.as_micros() * 100 / alone.as_micros().max(1);
    println!(
        "median of {PAIRS}: 99 of 100 answers within {alone:?} alone and {beside:?} beside \
         {count} sockets, {percent} %"
    );
    percent
}

fn median(latencies: &mut [Duration]) -> Duration {
    latencies.sort_unstable();
    latencies[latencies.len() / 2]
}
