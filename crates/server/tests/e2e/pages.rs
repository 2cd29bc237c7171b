//! The pages for operators, by the commands that stand on them: from an empty folder to a paid bill,
//! backed up, restored and upgraded. Only addresses, and folders outside the test's own, are replaced.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use crate::harness::{PATIENCE, is_missing, lines_of};
use crate::instance::{Instance, Running};

const SERVE: &str = "lunas serve --config lunas.toml\n";

fn read(page: &str) -> String {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations");
    fs::read_to_string(pages.join(page)).unwrap()
}

/// The commands in a text, block by block. A block in a list is indented as its item is.
fn blocks(text: &str) -> Vec<String> {
    let blocks = text.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let indentation = |block: &str| block.len() - block.trim_start_matches(' ').len();
    let unindented = |block: &str| -> String {
        let lines = block.lines().map(|line| line.get(indentation(block)..).unwrap_or_default());
        lines.filter(|line| !line.is_empty()).map(|line| format!("{line}\n")).collect()
    };
    blocks.map(unindented).collect()
}

/// The commands of a section of a page, block by block.
pub(crate) fn commands(page: &str, section: &str) -> Vec<String> {
    let text = read(page);
    let found = text.split_once(&format!("\n## {section}\n"));
    let (_, rest) = found.unwrap_or_else(|| panic!("{page} has no section {section}"));
    blocks(rest.split("\n## ").next().unwrap())
}

/// A terminal in which one types block after block.
pub(crate) struct Terminal {
    shell: Child,
    output: mpsc::Receiver<String>,
}

impl Terminal {
    pub(crate) fn open(folder: &Path) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_lunas")).parent().unwrap();
        let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
        let mut shell = Command::new("sh")
            .args(["-c", "exec 2>&1; exec sh -e"])
            .env("PATH", path)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = lines_of(shell.stdout.take().unwrap());
        Self { shell, output }
    }

    /// Types a block and gives what it wrote; every command of it must succeed.
    pub(crate) fn types(&mut self, block: &str) -> String {
        const END: &str = "---- the block has ended ----";
        let input = self.shell.stdin.as_mut().unwrap();
        writeln!(input, "{block}\nprintf '\\n%s\\n' '{END}'").unwrap();
        let mut written = String::new();
        while let Ok(line) = self.output.recv_timeout(PATIENCE) {
            if line == END {
                return written;
            }
            written.push_str(&line);
            written.push('\n');
        }
        panic!("{block}\nhas failed: {written}");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

/// Somebody who follows the pages in a folder that was empty.
pub(crate) struct Operator {
    instance: Instance,
    running: Option<Running>,
    terminal: Terminal,
}

impl Operator {
    pub(crate) fn new() -> Self {
        let instance = Instance::empty();
        let terminal = Terminal::open(instance.folder.path());
        Self { instance, running: None, terminal }
    }

    /// Types a block; the addresses on the page become those of the server that runs.
    pub(crate) fn types(&mut self, block: &str) -> String {
        let proof = self.instance.path("proof");
        let mut block = block.replace("/tmp/lunas-proof", proof.to_str().unwrap());
        if let Some(running) = &self.running {
            block = block
                .replace("http://127.0.0.1:8080", &running.url)
                .replace("http://127.0.0.1:8081", &running.admin);
        }
        self.terminal.types(&block)
    }

    /// Types the only block of a section.
    pub(crate) fn follows(&mut self, page: &str, section: &str) -> String {
        let blocks = commands(page, section);
        let [block] = blocks.as_slice() else { panic!("{page}, {section}: {blocks:?}") };
        self.types(block)
    }

    pub(crate) fn serves(&mut self) {
        self.running = Some(self.instance.start_as(|command| {
            command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        }));
    }

    pub(crate) fn stops(&mut self) {
        let (code, log) = self.running.take().unwrap().stop();
        assert_eq!(code, Some(0), "{log}");
    }
}

pub(crate) fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
}

#[test]
fn the_pages_lead_from_an_empty_folder_to_a_restored_backup() {
    if ["openssl", "curl", "tar"].into_iter().any(is_missing) {
        return;
    }
    let mut operator = Operator::new();

    let blocks = commands("install.md", "By hand");
    let [prepare, serve, look] = blocks.as_slice() else { panic!("{blocks:?}") };
    assert_eq!(serve, SERVE);
    assert_says(&operator.types(prepare), &["the configuration is good\n"]);
    operator.serves();
    assert_says(&operator.types(look), &["ok\n", "books are clean", " 0 orders"]);
    let alive = operator.follows("observe.md", "Is it alive?");
    assert_says(&alive, &["ok"]);

    let page = "first-merchant.md";
    let blocks = commands(page, "Buka toko · open for business");
    let [connect, open, key] = blocks.as_slice() else { panic!("{blocks:?}") };
    operator.types(connect);
    assert_says(&operator.types(open), &["added: pln-postpaid", "1 Toko Baru", "1000000"]);
    operator.types(key);
    let blocks = commands(page, "Bayar tagihan · pay a bill");
    let [pay, receipt] = blocks.as_slice() else { panic!("{blocks:?}") };
    assert_says(&operator.types(pay), &["INQUIRY SUCCESS", "PAYMENT SUCCESS"]);
    operator.types(receipt);
    assert!(fs::read(operator.instance.path("struk.pdf")).unwrap().starts_with(b"%PDF-"));
    let happened = operator.follows(page, "Apa yang terjadi · what happened");
    let balance = "balance: 848100";
    assert_says(&happened, &[balance, "succeeded", "attempt 1", "books are clean", "1 orders"]);
    assert_says(&happened, &["INV-0001", "WIB"]);

    let blocks = commands("backup.md", "Back up");
    let [back_up, look] = blocks.as_slice() else { panic!("{blocks:?}") };
    assert_says(&operator.types(back_up), &["backup is complete", "up to order 1"]);
    assert_says(&operator.types(&format!("({look})")), &["lunas.db: OK", "\"latest_order\": 1"]);
    assert_says(&operator.follows("backup.md", "Prove it"), &["books are clean", "1 orders"]);

    operator.stops();
    let restored = operator.follows("backup.md", "Restore after a loss");
    assert_says(&restored, &["restored and books are clean", "1 orders"]);
    operator.serves();
    operator.types(connect);
    let happened = operator.follows(page, "Apa yang terjadi · what happened");
    assert_says(&happened, &[balance, "succeeded", "attempt 1", "books are clean", "1 orders"]);
    operator.stops();
}

#[test]
fn the_page_on_upgrades_leads_forth_and_back() {
    if is_missing("openssl") {
        return;
    }
    let mut operator = Operator::new();
    operator.types(&commands("install.md", "By hand")[0]);
    operator.serves();
    // The new program is this one once more; it is put where it would be unpacked.
    fs::create_dir(operator.instance.path("new")).unwrap();
    let program = env!("CARGO_BIN_EXE_lunas");
    std::os::unix::fs::symlink(program, operator.instance.path("new/lunas")).unwrap();
    let blocks = blocks(&read("upgrade.md"));
    let [verify, check, back_up, replace, verify_again, back] = blocks.as_slice() else {
        panic!("{blocks:?}")
    };
    assert_says(&operator.types(verify), &["books are clean"]);
    assert_says(&operator.types(check), &["the configuration is good"]);
    assert_says(&operator.types(back_up), &["backup is complete"]);
    operator.stops();
    // Only the test's own folder may be written to.
    assert!(replace.ends_with(SERVE) && replace.starts_with("install -m 755 ./new/lunas "));
    operator.serves();
    assert_says(&operator.types(verify_again), &["books are clean"]);
    operator.stops();
    assert_says(&operator.types(back), &["restored and books are clean"]);
    operator.serves();
    operator.stops();
}

#[test]
fn the_page_on_tls_shows_how_to_try_it() {
    if ["openssl", "curl"].into_iter().any(is_missing) {
        return;
    }
    let mut operator = Operator::new();
    operator.types(&commands("install.md", "By hand")[0]);
    let blocks = commands("tls-and-proxy.md", "Lunas serves HTTPS");
    let [serve, ask] = blocks.as_slice() else { panic!("{blocks:?}") };
    let (issue, settings) = serve.strip_suffix(SERVE).unwrap().rsplit_once('\n').unwrap();
    operator.types(issue);
    let settings = settings.split_whitespace().map(|it| it.split_once('=').unwrap());
    let running = operator.instance.start_as(|command| {
        command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]).envs(settings);
    });
    let port = running.address().rsplit_once(':').unwrap().1;
    let answer = operator.types(&ask.replace(":8080", &format!(":{port}")));
    assert_says(&answer, &["ok"]);
    assert_eq!(running.stop().0, Some(0));
}
