//! A closed loop of HTTP clients: each sends its next request when it has the answer to the last.
//!
//! The clients write requests that an IAK client would, and check every answer: a cell with one
//! unexpected answer is an error and no figure.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use protocols::iak::sign::sign;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::child::Child;
use crate::latencies::Latencies;
use crate::orders;
use crate::report::Cell;

const USERNAME: &str = "081200001111";
const API_KEY: &str = "9f1c2ab34de5f678";
/// Longer than any answer.
const ANSWER_BYTES_MAX: usize = 8192;

/// What is sent.
#[derive(Debug)]
pub(crate) enum Command {
    /// Inquiries under new references.
    Inquire,
    /// Payments of these inquiries, each once; every fifth stays open.
    Pay(Numbers),
}

/// Inquiries that can be paid, by their `tr_id`.
pub(crate) type Numbers = VecDeque<u64>;

/// So many clients against one server for so long.
pub(crate) struct Load {
    address: SocketAddr,
    callers: usize,
    duration: Duration,
}

/// What all clients of a cell share.
struct Shared {
    command: Work,
    until: Instant,
}

enum Work {
    Inquire,
    Pay(Mutex<Numbers>),
}

impl Load {
    /// So many clients against the server at this address.
    pub(crate) const fn new(address: SocketAddr, callers: usize, duration: Duration) -> Self {
        Self { address, callers, duration }
    }

    /// Measures one cell, and gives the inquiries that it made.
    pub(crate) fn run(
        &self,
        name: &'static str,
        command: Command,
        server: &Child,
    ) -> anyhow::Result<(Cell, Numbers)> {
        let before = server.usage()?;
        let begun = Instant::now();
        let (latencies, numbers) = self.threads(command, begun)?;
        let elapsed = begun.elapsed();
        let after = server.usage()?;
        let processor = after.processor.saturating_sub(before.processor);
        let mut cell =
            Cell::new(name, self.callers, elapsed, &latencies).with_processor(processor, elapsed);
        cell.memory_mebibytes = Some(after.memory_kibibytes / 1024);
        cell.written_each =
            Some(after.written.saturating_sub(before.written) / latencies.count().max(1));
        Ok((cell, numbers))
    }

    /// Spreads the clients over two threads, because one would be slower than the server and the
    /// ceiling would be its own.
    fn threads(&self, command: Command, begun: Instant) -> anyhow::Result<(Latencies, Numbers)> {
        let command = match command {
            Command::Inquire => Work::Inquire,
            Command::Pay(mut numbers) => {
                let mut place = 0_usize;
                numbers.retain(|_| {
                    place += 1;
                    !place.is_multiple_of(5)
                });
                Work::Pay(Mutex::new(numbers))
            }
        };
        let shared = Arc::new(Shared { command, until: begun + self.duration });
        let mut latencies = Latencies::default();
        let mut numbers = Numbers::new();
        std::thread::scope(|scope| {
            let half = self.callers / 2;
            let running = [self.callers - half, half].map(|clients| {
                let shared = Arc::clone(&shared);
                scope.spawn(move || run_clients(self.address, clients, &shared))
            });
            for thread in running {
                let Ok(measured) = thread.join() else { bail!("a load thread broke off") };
                let (more, made) = measured?;
                latencies.merge(&more);
                numbers.extend(made);
            }
            Ok(())
        })?;
        Ok((latencies, numbers))
    }
}

fn run_clients(
    address: SocketAddr,
    clients: usize,
    shared: &Arc<Shared>,
) -> anyhow::Result<(Latencies, Vec<u64>)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime could not start")?;
    runtime.block_on(async {
        let mut running = JoinSet::new();
        for _ in 0..clients {
            running.spawn(client(address, Arc::clone(shared)));
        }
        let mut latencies = Latencies::default();
        let mut numbers = Vec::new();
        while let Some(client) = running.join_next().await {
            let (more, made) = client.context("a client broke off")??;
            latencies.merge(&more);
            numbers.extend(made);
        }
        Ok((latencies, numbers))
    })
}

async fn client(address: SocketAddr, shared: Arc<Shared>) -> anyhow::Result<(Latencies, Vec<u64>)> {
    let mut stream = TcpStream::connect(address).await.context("cannot connect")?;
    stream.set_nodelay(true).context("cannot switch off delays")?;
    let mut latencies = Latencies::default();
    let mut numbers = Vec::new();
    let mut buffer = vec![0; ANSWER_BYTES_MAX];
    while Instant::now() < shared.until {
        // Where all inquiries are paid before the time is up, the cell ends there.
        let Some(body) = shared.command.next_body() else { break };
        let request = request(&body);
        let begun = Instant::now();
        stream.write_all(request.as_bytes()).await.context("cannot send")?;
        let answer = read_answer(&mut stream, &mut buffer).await?;
        latencies.add(begun.elapsed());
        if !answer.contains(r#""response_code":"00""#) {
            bail!("unexpected answer: {answer}");
        }
        if matches!(shared.command, Work::Inquire) {
            numbers.push(number_in(answer).context("no tr_id in the answer")?);
        }
    }
    Ok((latencies, numbers))
}

impl Work {
    fn next_body(&self) -> Option<String> {
        match self {
            Self::Inquire => Some(inquiry()),
            Self::Pay(numbers) => {
                let mut numbers = numbers.lock().unwrap_or_else(PoisonError::into_inner);
                numbers.pop_front().map(payment)
            }
        }
    }
}

fn inquiry() -> String {
    let reference = orders::next_reference();
    let sign = sign(USERNAME, API_KEY, &reference);
    format!(
        r#"{{"commands":"inq-pasca","username":"{USERNAME}","code":"SHOPEEPAY","hp":"082100000000","ref_id":"{reference}","desc":{{"amount":1000}},"sign":"{sign}"}}"#
    )
}

fn payment(number: u64) -> String {
    let sign = sign(USERNAME, API_KEY, &number.to_string());
    format!(
        r#"{{"commands":"pay-pasca","username":"{USERNAME}","tr_id":"{number}","sign":"{sign}"}}"#
    )
}

fn request(body: &str) -> String {
    format!(
        "POST /api/v1/bill/check HTTP/1.1\r\nhost: lunas\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Reads one answer whole and gives its body.
async fn read_answer<'a>(stream: &mut TcpStream, buffer: &'a mut [u8]) -> anyhow::Result<&'a str> {
    let mut filled = 0;
    loop {
        let free = buffer.get_mut(filled..).unwrap_or_default();
        let count = stream.read(free).await.context("cannot receive")?;
        if count == 0 {
            bail!("the server closed the connection");
        }
        filled += count;
        let head_end = buffer.get(..filled).and_then(end_of_head);
        if let Some((body, length)) = head_end
            && filled >= body + length
        {
            let bytes = buffer.get(body..body + length).unwrap_or_default();
            return std::str::from_utf8(bytes).context("the answer is not text");
        }
    }
}

/// Where the body begins and how long it is, once the head is there.
fn end_of_head(received: &[u8]) -> Option<(usize, usize)> {
    let end = received.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(received.get(..end)?).ok()?;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    Some((end + 4, length.parse().ok()?))
}

fn number_in(answer: &str) -> Option<u64> {
    let (_, behind) = answer.split_once("\"tr_id\":")?;
    let end = behind.find(|letter: char| !letter.is_ascii_digit())?;
    behind.get(..end)?.parse().ok()
}
