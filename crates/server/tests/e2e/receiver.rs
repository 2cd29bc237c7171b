//! A merchant's server that takes callbacks, as simple as they come, and has a page for payers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A callback that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrived {
    /// Names in small letters.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// What a receiver answers, and how long it takes for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    pub(crate) status: u16,
    pub(crate) delay: Duration,
}

/// Answers at once that all is well.
pub(crate) const SOUND: Manner = Manner { status: 200, delay: Duration::ZERO };

/// A receiver that runs until the test ends.
pub(crate) struct Receiver {
    pub(crate) url: String,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    manner: Arc<Mutex<Manner>>,
}

impl Receiver {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            arrived: Arc::default(),
            manner: Arc::new(Mutex::new(manner)),
        };
        let (arrived, manner) = (Arc::clone(&receiver.arrived), Arc::clone(&receiver.manner));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (arrived, manner) = (Arc::clone(&arrived), *manner.lock().unwrap());
                // A sender that dies breaks off; the test looks at what arrived whole.
                thread::spawn(move || receive(stream, manner, &arrived));
            }
        });
        receiver
    }

    /// From now on it answers so.
    pub(crate) fn will(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// All that arrived, in that order.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }
}

fn receive(stream: TcpStream, manner: Manner, arrived: &Mutex<Vec<Arrived>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    if line.starts_with("GET ") {
        return answer(&stream, SOUND);
    }
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    arrived.lock().unwrap().push(Arrived { headers, body: String::from_utf8(body).ok()? });
    thread::sleep(manner.delay);
    answer(&stream, manner)
}

fn answer(mut stream: &TcpStream, manner: Manner) -> Option<()> {
    let answer = format!("HTTP/1.1 {} X\r\ncontent-length: 2\r\n\r\nOK", manner.status);
    stream.write_all(answer.as_bytes()).ok()
}
