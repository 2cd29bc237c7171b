//! A real Chromium of a small phone's size, driven over the DevTools protocol.
//!
//! It is spoken to through a pipe, so that no port is open and it ends when the test does, however that
//! ends. Each has a profile of its own in a temporary folder, and reaches nothing but this machine.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::PATIENCE;

/// The program, as Debian calls it.
pub(crate) const CHROMIUM: &str = "chromium";
/// The phone: as small as those that are still in use.
const WIDTH: u32 = 360;
const HEIGHT: u32 = 640;
/// How long an expression may take. A page that is left at that moment may leave the question unanswered.
const ATTENTION: Duration = Duration::from_secs(5);
/// Between two looks at a page.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the browser may be silent before it has ended.
const FAREWELL: Duration = Duration::from_secs(5);
/// Chromium speaks through descriptors 3 and 4, which a shell makes of its standard ones.
const THROUGH_A_PIPE: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";
const OPTIONS: [&str; 12] = [
    "--headless",
    // As root, which tests may run as, Chromium has no sandbox of its own.
    "--no-sandbox",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/// A browser that shows one page.
pub(crate) struct Browser {
    child: Child,
    /// Gone when the browser is told to end.
    input: Option<ChildStdin>,
    messages: mpsc::Receiver<Value>,
    calls: u64,
    session: String,
    /// What the browser said by itself.
    events: Vec<Value>,
    /// Removed when the browser is gone.
    _profile: TempDir,
}

impl Browser {
    /// A browser whose owner reads these languages, the best first: `id-ID,id`.
    pub(crate) fn start(languages: &str) -> Self {
        let profile = TempDir::new().unwrap();
        let mut child = Command::new("sh")
            .args(["-c", THROUGH_A_PIPE, CHROMIUM])
            .args(OPTIONS)
            .arg(format!("--accept-lang={languages}"))
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let messages = messages_of(child.stdout.take().unwrap());
        let mut browser = Self {
            input: child.stdin.take(),
            child,
            messages,
            calls: 0,
            session: String::new(),
            events: Vec::new(),
            _profile: profile,
        };
        browser.attach();
        browser
    }

    fn attach(&mut self) {
        let page = self.call("Target.createTarget", json!({ "url": "about:blank" }));
        let target = json!({ "targetId": page["targetId"], "flatten": true });
        let session = self.call("Target.attachToTarget", target)["sessionId"].clone();
        self.session = session.as_str().unwrap().to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
        let phone =
            json!({ "width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 2, "mobile": true });
        self.call("Emulation.setDeviceMetricsOverride", phone);
    }

    /// What a command of the protocol answers in this time, or why it was refused.
    fn try_call(
        &mut self,
        method: &str,
        parameters: Value,
        patience: Duration,
    ) -> Result<Value, String> {
        self.calls += 1;
        let number = self.calls;
        let mut message = json!({ "id": number, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        write!(self.input.as_mut().unwrap(), "{message}\0").unwrap();
        loop {
            let mut answer = self.messages.recv_timeout(patience).map_err(|it| it.to_string())?;
            if answer["id"] != number {
                self.events.push(answer);
            } else if answer["error"].is_null() {
                return Ok(answer["result"].take());
            } else {
                return Err(answer["error"].to_string());
            }
        }
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        let answered = self.try_call(method, parameters, PATIENCE);
        answered.unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// Goes to an address and waits until its page is there.
    pub(crate) fn open(&mut self, url: &str) {
        let gone = self.call("Page.navigate", json!({ "url": url }));
        assert!(gone["errorText"].is_null(), "{url}: {gone}");
        self.wait_for("document.readyState === 'complete'");
    }

    /// The value of an expression; none while the page is being changed for another.
    pub(crate) fn value(&mut self, expression: &str) -> Option<Value> {
        let asked = json!({ "expression": expression, "returnByValue": true });
        let mut answer = self.try_call("Runtime.evaluate", asked, ATTENTION).ok()?;
        let failed = answer.get("exceptionDetails").is_some();
        (!failed).then(|| answer["result"]["value"].take())
    }

    /// Waits until an expression holds, on whatever page.
    pub(crate) fn wait_for(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.value(expression) != Some(json!(true)) {
            if begun.elapsed() > PATIENCE {
                let page = self.value("location.href + '\\n' + document.body.innerText");
                panic!("gave up waiting until {expression} on {page:?}");
            }
            thread::park_timeout(PAUSE);
        }
    }

    /// What the payer reads.
    pub(crate) fn text(&mut self) -> String {
        let text = self.value("document.body.innerText").unwrap();
        text.as_str().unwrap().to_owned()
    }

    /// The address that the browser shows.
    pub(crate) fn address(&mut self) -> String {
        self.value("location.href").unwrap().as_str().unwrap().to_owned()
    }

    /// Presses the middle of an element, as a finger would.
    pub(crate) fn press(&mut self, selector: &str) {
        let middle = format!(
            "(() => {{ const it = document.querySelector({selector:?}); \
             it.scrollIntoView({{block: 'center', behavior: 'instant'}}); \
             const box = it.getBoundingClientRect(); \
             return {{x: box.x + box.width / 2, y: box.y + box.height / 2}}; }})()"
        );
        let middle = self.value(&middle).unwrap_or_else(|| panic!("there is no {selector}"));
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({ "type": kind, "x": middle["x"], "y": middle["y"],
                "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Types a text into a field.
    pub(crate) fn types(&mut self, selector: &str, text: &str) {
        self.press(selector);
        self.call("Input.insertText", json!({ "text": text }));
    }

    /// No script of a page runs from now on.
    pub(crate) fn without_scripts(&mut self) {
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": true }));
    }

    /// What the browser had to complain about: scripts that failed, and what a policy forbade. That there
    /// is nothing at an address is no complaint.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        // Whatever was said until now has come when this is answered.
        self.call("Runtime.evaluate", json!({ "expression": "0" }));
        let complains = |event: &&Value| {
            let entry = &event["params"]["entry"];
            let forbidden = entry["level"] == "error" && entry["source"] != "network";
            forbidden || event["method"] == "Runtime.exceptionThrown"
        };
        self.events.iter().filter(complains).map(|event| event["params"].to_string()).collect()
    }

    /// The addresses that were asked for on the way.
    pub(crate) fn requested(&self) -> Vec<String> {
        let requests = self.events.iter().filter(|it| it["method"] == "Network.requestWillBeSent");
        let url = |it: &Value| it["params"]["request"]["url"].as_str().unwrap().to_owned();
        requests.map(url).collect()
    }

    /// Fails unless the page is fit for a phone: nothing stands out to the side, no text is too small
    /// to be read and nothing too small to be hit. Where `LUNAS_SCREENSHOTS` names a folder, a picture
    /// of the whole page is left there under this name, for people to look at.
    pub(crate) fn look(&mut self, name: &str) {
        if let Some(folder) = std::env::var_os("LUNAS_SCREENSHOTS") {
            let whole = json!({ "captureBeyondViewport": true });
            let picture = self.call("Page.captureScreenshot", whole);
            let picture = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
            fs::write(Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
        }
        assert_eq!(self.unfit(), json!([]), "{name}");
    }

    /// Elements that a payer with a small phone has trouble with, and why.
    pub(crate) fn unfit(&mut self) -> Value {
        self.value(UNFIT).unwrap()
    }
}

const UNFIT: &str = "(() => { \
    const named = (why, it) => why + ': ' + it.outerHTML.slice(0, 80); \
    const all = [...document.body.querySelectorAll('*')].filter(it => it.getClientRects().length); \
    const seen = it => it.getBoundingClientRect(); \
    const wide = all.filter(it => seen(it).right > document.documentElement.clientWidth + 1 || seen(it).left < -1); \
    const small = all.filter(it => parseFloat(getComputedStyle(it).fontSize) < 14); \
    const pressed = all.filter(it => it.matches('a, button, input')); \
    const narrow = pressed.filter(it => seen(it).height < 36); \
    return [...wide.map(it => named('wide', it)), ...small.map(it => named('small', it)), \
        ...narrow.map(it => named('narrow', it))]; })()";

impl Drop for Browser {
    fn drop(&mut self) {
        // The end of the pipe ends the browser in order; whatever is left of it then is killed.
        drop(self.input.take());
        while self.messages.recv_timeout(FAREWELL).is_ok() {}
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

/// The messages in an output, each ended by a zero, as they come.
fn messages_of(output: ChildStdout) -> mpsc::Receiver<Value> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for message in BufReader::new(output).split(0).map_while(Result::ok) {
            let _ = sender.send(serde_json::from_slice(&message).unwrap());
        }
    });
    receiver
}
