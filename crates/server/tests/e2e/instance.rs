//! A production instance: a folder with a written configuration, its key and tokens, and the server.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::harness::{Answer, PATIENCE, lines_of, lunas, try_post, wait_until};

/// The tokens that the configuration names.
pub(crate) const ADMINISTRATOR: &str = "administrator-0123456789abcdef0123456789";
pub(crate) const VIEWER: &str = "viewer-0123456789abcdef0123456789abcdef";

/// The name in the certificates.
const HOST: &str = "pay.example.id";

/// A stand-in supplier for every product, and two holders of tokens.
pub(crate) const SETTINGS: &str = r#"
[upstream.stand_in]
kind = "sandbox"

[route.everything]
product = "*"
upstreams = ["stand_in"]

[admin_token.owner]
role = "administrator"
token_file = "./owner.token"

[admin_token.auditor]
role = "viewer"
token_file = "./auditor.token"
"#;

/// The lines of the TLS table.
pub(crate) const TLS: &str = "[tls]\ncertificate = \"./chain.pem\"\nkey = \"./key.pem\"\n";

/// A folder in which a server can be started.
pub(crate) struct Instance {
    pub(crate) folder: TempDir,
}

/// A server that runs in the folder of an instance.
pub(crate) struct Running {
    child: Child,
    /// Where merchants are served.
    pub(crate) url: String,
    /// Where operators are served.
    pub(crate) admin: String,
    log: Arc<Mutex<String>>,
}

impl Instance {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    /// A folder with its key, tokens and configuration.
    pub(crate) fn new(settings: &[&str]) -> Self {
        let instance = Self::empty();
        instance.write("lunas.key", &"0f".repeat(32));
        instance.write("owner.token", &format!("{ADMINISTRATOR}\n"));
        instance.write("auditor.token", VIEWER);
        let listen = "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n";
        instance.write("lunas.toml", &format!("{listen}{}", settings.concat()));
        instance
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file that only its owner may read.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), PermissionsExt::from_mode(0o600)).unwrap();
    }

    /// Writes a new certificate with its key, and gives what a client has to believe.
    pub(crate) fn issue_certificate(&self) -> CertificateDer<'static> {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([HOST.to_owned()]).unwrap();
        self.write("chain.pem", &cert.pem());
        self.write("key.pem", &signing_key.serialize_pem());
        cert.der().clone()
    }

    /// A command of the program, to be run in the folder.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = lunas();
        command.args([name, "--config", "lunas.toml"]).current_dir(self.folder.path());
        command
    }

    /// The exit code of a command, and what it wrote to both outputs.
    pub(crate) fn output(&self, name: &str, rest: &[&str]) -> (Option<i32>, String, String) {
        let output = self.command(name).args(rest).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// Starts the server and waits until it says where it listens.
    pub(crate) fn start(&self) -> Running {
        self.start_as(|_| {})
    }

    /// The same, with something changed about the process.
    pub(crate) fn start_as(&self, change: impl FnOnce(&mut Command)) -> Running {
        let mut command = self.command("serve");
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        change(&mut command);
        let mut child = command.spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let lines = lines_of(child.stderr.take().unwrap());
        let written = Arc::clone(&log);
        thread::spawn(move || {
            for line in lines {
                let mut log = written.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let lines = lines_of(child.stdout.take().unwrap());
        let mut running = Running { child, url: String::new(), admin: String::new(), log };
        running.url = running.address_in(&lines);
        running.admin = running.address_in(&lines);
        running
    }
}

impl Running {
    fn address_in(&self, lines: &mpsc::Receiver<String>) -> String {
        let line = lines.recv_timeout(PATIENCE);
        let line = line.unwrap_or_else(|_| panic!("the server did not start: {}", self.log()));
        line.split_whitespace().find(|word| word.starts_with("http")).unwrap().to_owned()
    }

    /// What was logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The socket address on which merchants are served.
    pub(crate) fn address(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    }

    /// Sends the signal to read again and waits until the log says this of it.
    pub(crate) fn reload(&self, said: &str) {
        self.signal("-HUP");
        wait_until(said, || self.log().contains(said));
    }

    /// Asks the server to stop and waits until it has; gives its exit code and its whole log.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        self.signal("-TERM");
        let code = self.child.wait().unwrap().code();
        wait_until("the log has ended", || Arc::strong_count(&self.log) == 1);
        (code, self.log())
    }

    /// What a command prints that an administrator gives to this server.
    pub(crate) fn operate(&self, arguments: &[&str]) -> String {
        let mut command = lunas();
        command.args(arguments).args(["--server", &self.admin, "--token", ADMINISTRATOR]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Adds a merchant without limits of its own and gives the key for its user name.
    pub(crate) fn add_merchant(&self, username: &str) -> String {
        let added = self.operate(&["merchant", "add", "Toko Sungguhan", "--json"]);
        let added: serde_json::Value = serde_json::from_str(&added).unwrap();
        let number = added["merchant"].to_string();
        let issued = self.operate(&["merchant", "rotate-key", &number, "--identifier", username]);
        issued.lines().find_map(|line| line.strip_prefix("api_key: ")).unwrap().to_owned()
    }

    /// Posts to the admin API, with a token or without.
    pub(crate) fn administer(&self, token: Option<&str>, path: &str) -> Answer {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request =
            agent.post(format!("{}{path}", self.admin)).header("idempotency-key", "production-1");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = r#"{"reference":"NOBODYS","verdict":"success"}"#;
        let mut answer = request.content_type("application/json").send(body).unwrap();
        Answer {
            status: answer.status().as_u16(),
            content_type: String::new(),
            body: answer.body_mut().read_to_string().unwrap(),
        }
    }

    /// Posts to where merchants are served in clear.
    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        try_post(&self.url, path, "application/json", body.as_bytes()).unwrap()
    }

    /// The status line for a path, asked under TLS by a client that believes this certificate;
    /// `None` if the two do not come together.
    pub(crate) fn get_encrypted(
        &self,
        path: &str,
        root: &CertificateDer<'static>,
    ) -> Option<String> {
        let mut roots = RootCertStore::empty();
        roots.add(root.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(HOST).unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let socket = TcpStream::connect(self.address()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        let request = format!("GET {path} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.lines().next().map(str::to_owned)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
