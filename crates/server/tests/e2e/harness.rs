//! Starts the real program, talks to it, kills it, and reads both books.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use domain::OrderId;
use protocols::sandbox::book::{Book, Entry, FILE_NAME};
use tempfile::TempDir;

/// How long anything may take before a test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The program under test.
pub(crate) fn lunas() -> Command {
    Command::new(env!("CARGO_BIN_EXE_lunas"))
}

/// Whether a program that a test needs is not on this machine. The test then says that it was
/// skipped; where every test has to run, it fails instead.
pub(crate) fn is_missing(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: `{program}` is not installed, so this test did not run");
        assert!(std::env::var_os("LUNAS_SKIPPED_TESTS_FAIL").is_none(), "{program} is missing");
    }
    !found
}

/// A data folder and the server that runs on it, if one does.
pub(crate) struct Sandbox {
    pub(crate) data: TempDir,
    options: Vec<String>,
    log: &'static str,
    running: Option<Running>,
}

struct Running {
    child: Child,
    url: String,
    welcome: String,
    /// Lines after the welcome. In a lock, because several clients may share a sandbox.
    output: Mutex<mpsc::Receiver<String>>,
    errors: thread::JoinHandle<String>,
}

/// What a server wrote until it ended.
pub(crate) struct Written {
    /// To standard output, after the welcome.
    pub(crate) output: String,
    /// To standard error.
    pub(crate) errors: String,
}

/// An answer, as text.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Sandbox {
    /// A server on a new data folder.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::logging("warn", options)
    }

    /// The same, logging at this level.
    pub(crate) fn logging(log: &'static str, options: &[&str]) -> Self {
        Self::opened(TempDir::new().unwrap(), log, options)
    }

    /// A server on this data folder.
    pub(crate) fn start_on(data: TempDir, options: &[&str]) -> Self {
        Self::opened(data, "warn", options)
    }

    fn opened(data: TempDir, log: &'static str, options: &[&str]) -> Self {
        let options = options.iter().map(|&option| option.to_owned()).collect();
        let mut sandbox = Self { data, log, options, running: None };
        sandbox.restart();
        sandbox
    }

    /// Starts the server on the data that is there.
    pub(crate) fn restart(&mut self) {
        self.try_restart().unwrap_or_else(|error| panic!("the server did not start: {error}"));
    }

    /// Starts the server; gives what it wrote to standard error if it ends instead.
    pub(crate) fn try_restart(&mut self) -> Result<(), String> {
        assert!(self.running.is_none(), "one server at a time");
        let mut child = lunas()
            .args(["sandbox", "--listen", "127.0.0.1:0", "--data"])
            .arg(self.data.path())
            .args(&self.options)
            .env("LUNAS_LOG", self.log)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let errors = collect(child.stderr.take().unwrap());
        let lines = lines_of(child.stdout.take().unwrap());
        let mut welcome = String::new();
        while let Ok(line) = lines.recv_timeout(PATIENCE) {
            welcome.push_str(&line);
            welcome.push('\n');
            if line.contains(" verify --data ") {
                let url = welcome
                    .split_whitespace()
                    .find(|word| word.starts_with("http://"))
                    .unwrap()
                    .to_owned();
                self.running =
                    Some(Running { child, url, welcome, output: Mutex::new(lines), errors });
                return Ok(());
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        Err(errors.join().unwrap())
    }

    pub(crate) fn url(&self) -> &str {
        &self.running.as_ref().unwrap().url
    }

    /// The socket address that the server listens on.
    pub(crate) fn address(&self) -> &str {
        self.url().strip_prefix("http://").unwrap()
    }

    /// What the server printed when it was ready.
    pub(crate) fn welcome(&self) -> &str {
        &self.running.as_ref().unwrap().welcome
    }

    /// Ends the server as a power cut would, as far as the program is concerned.
    pub(crate) fn kill(&mut self) {
        let mut running = self.running.take().unwrap();
        running.child.kill().unwrap();
        running.child.wait().unwrap();
    }

    /// Asks the server to stop and waits until it has; gives its exit code.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let mut running = self.running.take().unwrap();
        let process = running.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &process]).status().unwrap().success());
        running.child.wait().unwrap().code()
    }

    /// Kills the server and gives what it wrote.
    pub(crate) fn kill_and_read(&mut self) -> Written {
        let mut running = self.running.take().unwrap();
        running.child.kill().unwrap();
        running.child.wait().unwrap();
        // Both pipes end with the process.
        let output = running.output.into_inner().unwrap().iter().collect::<Vec<_>>().join("\n");
        Written { output, errors: running.errors.join().unwrap() }
    }

    /// Posts a body.
    pub(crate) fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Answer {
        post(self.url(), path, content_type, body)
    }

    /// Posts JSON to one of the sandbox's own controls, which must accept it.
    pub(crate) fn control(&self, path: &str, body: &serde_json::Value) {
        let answer = self.post(path, "application/json", body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        let mut answer = agent().get(format!("{}{path}", self.url())).call().unwrap();
        read(&mut answer)
    }

    /// The sandbox's time in whole seconds, by which requests have to be signed.
    pub(crate) fn seconds(&self) -> i64 {
        let clock = self.get("/sandbox/clock").json();
        let now: jiff::Timestamp = clock["now"].as_str().unwrap().parse().unwrap();
        now.as_second()
    }

    /// The type and the bytes of an answer that is no text.
    pub(crate) fn get_bytes(&self, path: &str) -> (String, Vec<u8>) {
        let mut answer = agent().get(format!("{}{path}", self.url())).call().unwrap();
        let content_type = content_type_of(&answer);
        (content_type, answer.body_mut().read_to_vec().unwrap())
    }

    /// `lunas verify` on the data; fails the test unless the books are clean.
    pub(crate) fn verify(&self) {
        let output = self.verify_output();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn verify_output(&self) -> Output {
        lunas().args(["verify", "--data"]).arg(self.data.path()).output().unwrap()
    }

    /// `lunas order resolve` against this server, said again as long as it is told to be because a
    /// call is under way, which on a slow machine may outlast the answer to the merchant.
    pub(crate) fn resolve(&self, reference: &str, verdict: &str) -> Output {
        loop {
            let output = lunas()
                .args(["order", "resolve", reference, verdict, "--server", self.url()])
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            if !told.contains("being called about") {
                return output;
            }
        }
    }

    /// What the built-in supplier has sold, by its own book.
    pub(crate) fn book(&self) -> BTreeMap<OrderId, Entry> {
        book(self.data.path())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if self.running.is_some() {
            self.kill();
        }
    }
}

/// Reads the supplier's book; an order that stands in it twice fails the test.
pub(crate) fn book(data: &Path) -> BTreeMap<OrderId, Entry> {
    let mut sold = BTreeMap::new();
    for entry in Book::read(&data.join(FILE_NAME)).unwrap() {
        let order = entry.order;
        assert!(sold.insert(order, entry).is_none(), "order {order} was bought twice");
    }
    sold
}

/// Posts a body to a server that may be dying: `None` when no answer came.
pub(crate) fn try_post(url: &str, path: &str, content_type: &str, body: &[u8]) -> Option<Answer> {
    let request = agent().post(format!("{url}{path}")).content_type(content_type);
    try_read(&mut request.send(body).ok()?)
}

fn post(url: &str, path: &str, content_type: &str, body: &[u8]) -> Answer {
    try_post(url, path, content_type, body).unwrap_or_else(|| panic!("no answer from {url}{path}"))
}

/// Sends any request.
pub(crate) fn request(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    try_request(url, method, path, headers, body)
        .unwrap_or_else(|| panic!("no answer from {url}{path}"))
}

/// Sends any request to a server that may be dying: `None` when no answer came.
pub(crate) fn try_request(
    url: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Answer> {
    let mut request = ureq::http::Request::builder().method(method).uri(format!("{url}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = if body.is_empty() {
        agent().run(request.body(()).unwrap())
    } else {
        agent().run(request.body(body.to_owned()).unwrap())
    };
    try_read(&mut answer.ok()?)
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .allow_non_standard_methods(true)
        .build()
        .into()
}

fn read(answer: &mut ureq::http::Response<ureq::Body>) -> Answer {
    try_read(answer).unwrap()
}

fn try_read(answer: &mut ureq::http::Response<ureq::Body>) -> Option<Answer> {
    let (status, content_type) = (answer.status().as_u16(), content_type_of(answer));
    Some(Answer { status, content_type, body: answer.body_mut().read_to_string().ok()? })
}

fn content_type_of(answer: &ureq::http::Response<ureq::Body>) -> String {
    let value = answer.headers().get("content-type");
    value.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

/// Waits until the condition holds, looking again and again; fails the test if it never does.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < PATIENCE, "gave up waiting until {what}");
        thread::yield_now();
        thread::park_timeout(Duration::from_millis(10));
    }
}

/// The lines of an output, as they come.
pub(crate) fn lines_of(output: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

fn collect(mut output: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut text = String::new();
        let _ = output.read_to_string(&mut text);
        text
    })
}
