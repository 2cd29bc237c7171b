//! Production: from an empty folder to a server that refuses what only a sandbox may offer.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use serde_json::json;

use crate::harness::{Sandbox, lunas, try_post, wait_until};
use crate::iak_client::{PATH, USERNAME, sign};
use crate::instance::{ADMINISTRATOR, Instance, SETTINGS, TLS, VIEWER};

const RESOLUTIONS: &str = "/admin/v1/order-resolutions";

fn status_of(url: &str, path: &str) -> u16 {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    agent.get(format!("{url}{path}")).call().unwrap().status().as_u16()
}

#[test]
fn an_instance_starts_from_an_empty_folder_stops_and_starts_again() {
    let instance = Instance::new(&[SETTINGS]);
    for _start in 0..2 {
        let running = instance.start();
        for url in [&running.url, &running.admin] {
            assert_eq!(status_of(url, "/livez"), 200);
            assert_eq!(status_of(url, "/readyz"), 200);
        }
        let (code, log) = running.stop();
        assert_eq!(code, Some(0), "{log}");
        assert!(log.contains("stopped"), "{log}");
        assert!(log.contains("nothing that is sold is delivered"), "{log}");
        assert!(log.lines().all(|line| line.starts_with('{')), "not JSON: {log}");
    }
    let verified = lunas().args(["verify", "--data"]).arg(instance.path("lunas-data")).output();
    let verified = String::from_utf8(verified.unwrap().stdout).unwrap();
    assert!(verified.contains("0 accounts"), "production seeds nothing: {verified}");
}

#[test]
fn merchants_and_operators_are_served_apart() {
    let instance = Instance::new(&[SETTINGS]);
    let running = instance.start();

    for path in
        [RESOLUTIONS, "/admin/v1/merchants", "/metrics", "/sandbox/clock", "/sandbox/faults"]
    {
        let answer = running.post(path, "{}");
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
    }
    for path in [PATH, "/sandbox/clock"] {
        assert_eq!(running.administer(Some(ADMINISTRATOR), path).status, 404, "{path}");
    }
    assert_eq!(status_of(&running.admin, "/metrics"), 200);
    let table = [
        (None, 401),
        (Some("sandbox-admin"), 401),
        (Some(""), 401),
        (Some(&ADMINISTRATOR[1..]), 401),
        (Some(VIEWER), 403),
        // Let in, and then told that there is no such order.
        (Some(ADMINISTRATOR), 404),
    ];
    for (token, status) in table {
        let answer = running.administer(token, RESOLUTIONS);
        assert_eq!(answer.status, status, "{token:?}: {answer:?}");
    }
    let command = lunas()
        .args(["order", "resolve", "NOBODYS", "success", "--server", &running.admin])
        .args(["--token", ADMINISTRATOR])
        .output()
        .unwrap();
    assert!(String::from_utf8(command.stderr).unwrap().contains("There is no such order"));

    let inquiry = json!({ "commands": "inq-pasca", "username": USERNAME, "code": "PLNPOSTPAID",
        "hp": "530000000000", "ref_id": "PUBLIC-1", "sign": sign("PUBLIC-1") });
    let answer = running.post(PATH, &inquiry.to_string());
    assert_eq!(answer.json()["data"]["response_code"], "100", "{answer:?}");
    let (_, log) = running.stop();
    assert!(!log.contains(ADMINISTRATOR) && !log.contains(VIEWER), "a token was logged");
}

/// Whether a file of the data holds this text.
fn data_holds(instance: &Instance, text: &str) -> bool {
    folder_holds(&instance.path("lunas-data"), text)
}

fn folder_holds(folder: &std::path::Path, text: &str) -> bool {
    let mut paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.any(|path| {
        if path.is_dir() {
            return folder_holds(&path, text);
        }
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(text.len()).any(|piece| piece == text.as_bytes())
    })
}

#[test]
fn a_merchant_is_known_by_its_key_and_address_and_the_key_is_sealed() {
    let instance = Instance::new(&["trusted_proxies = [\"127.0.0.1\"]\n", SETTINGS]);
    let running = instance.start();
    let key = &running.add_merchant("081299990000");
    running.operate(&["merchant", "allow-ip", "1", "198.51.100.0/24"]);

    let signed = lunas()
        .args(["sign", "iak", "--username", "081299990000", "--api-key", key])
        .args(["checkstatus", "NOBODYS-1"])
        .output()
        .unwrap();
    let signed = String::from_utf8(signed.stdout).unwrap();
    let code = |url: &str, forwarded_for: &str| {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let request = agent.post(format!("{url}{PATH}")).content_type("application/json");
        let mut answer = request.header("x-forwarded-for", forwarded_for).send(&signed).unwrap();
        let answer: serde_json::Value =
            serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        answer["data"]["response_code"].as_str().unwrap().to_owned()
    };
    let table = [
        ("198.51.100.7", "06"),
        ("192.0.2.1, 198.51.100.7", "06"),
        ("203.0.113.7", "102"),
        ("198.51.100.7, 203.0.113.7", "102"),
        ("nonsense", "102"),
    ];
    for (forwarded_for, expected) in table {
        assert_eq!(code(&running.url, forwarded_for), expected, "{forwarded_for}");
    }
    assert!(!data_holds(&instance, key));
    let (_, log) = running.stop();
    assert!(!log.contains(key));
    assert!(!data_holds(&instance, key));
    assert_eq!(code(&instance.start().url, "198.51.100.7"), "06", "the key opens it again");

    instance.write("lunas.key", &"f0".repeat(32));
    let (status, _, errors) = instance.output("serve", &[]);
    assert_eq!(status, Some(1));
    assert!(errors.contains("sealed under another key than this one"), "{errors}");
}

#[test]
fn metrics_can_be_turned_off() {
    let instance = Instance::new(&["metrics = false\n", SETTINGS]);
    let running = instance.start();
    assert_eq!(status_of(&running.admin, "/metrics"), 404);
}

#[test]
fn data_of_a_sandbox_is_refused() {
    let mut sandbox = Sandbox::start(&[]);
    assert_eq!(sandbox.stop(), Some(0));
    let instance = Instance::new(&[SETTINGS]);
    let data = sandbox.data.path().to_str().unwrap();
    for _start in 0..2 {
        let (code, output, errors) = instance.output("serve", &["--data", data]);
        assert_eq!((code, output.as_str()), (Some(1), ""), "{errors}");
        let told = errors.lines().last().unwrap();
        assert!(
            told.contains("sealed under another key than this one, as those of a sandbox"),
            "{told}"
        );
    }
    sandbox.restart();
}

#[test]
fn merchants_are_served_under_tls_and_the_certificate_is_renewed() {
    let instance = Instance::new(&[SETTINGS, TLS]);
    let first = instance.issue_certificate();
    let running = instance.start();
    assert!(running.url.starts_with("https://") && running.admin.starts_with("http://"));
    let ready = Some("HTTP/1.1 200 OK".to_owned());
    assert_eq!(running.get_encrypted("/readyz", &first), ready);
    assert!(try_post(&format!("http://{}", running.address()), PATH, "", b"").is_none());

    let second = instance.issue_certificate();
    assert_eq!(running.get_encrypted("/readyz", &second), None, "nobody has asked for it yet");
    running.reload("the certificate was read again");
    assert_eq!(running.get_encrypted("/readyz", &second), ready);
    assert_eq!(running.get_encrypted("/readyz", &first), None);

    instance.write("chain.pem", "cut off");
    running.reload("the old one stays");
    assert_eq!(running.get_encrypted("/readyz", &second), ready);
    let (code, log) = running.stop();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(log.lines().filter(|line| line.contains("chain.pem")).count(), 1, "{log}");
}

#[test]
fn a_hangup_ends_nothing_where_there_is_no_certificate() {
    let instance = Instance::new(&[SETTINGS]);
    let running = instance.start();
    running.reload("there is no certificate to read again");
    assert_eq!(status_of(&running.url, "/readyz"), 200);
}

#[test]
fn a_wrong_key_stops_the_start() {
    let instance = Instance::new(&[SETTINGS, TLS]);
    instance.issue_certificate();
    let key = std::fs::read_to_string(instance.path("key.pem")).unwrap();
    instance.issue_certificate();
    instance.write("key.pem", &key);
    for command in ["serve", "check"] {
        let (code, _, errors) = instance.output(command, &[]);
        assert_eq!(code, Some(1));
        assert!(errors.contains("tls.key = \"./key.pem\" (lunas.toml:"), "{errors}");
        assert!(errors.contains("is not the key of the certificate in ./chain.pem; "), "{errors}");
    }
    assert!(!instance.path("lunas-data").exists(), "it failed only after the data was made");
}

#[test]
fn check_shows_what_holds_and_changes_nothing() {
    let instance = Instance::new(&[SETTINGS]);
    let (code, output, errors) = instance.output("check", &["--listen", "127.0.0.1:9999"]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let shown = |beginning: &str, end: &str| {
        let found = output.lines().find(|line| line.starts_with(beginning));
        found.is_some_and(|line| line.ends_with(end))
    };
    assert!(shown("server.listen = \"127.0.0.1:9999\"", "# flag --listen"), "{output}");
    assert!(shown("server.admin_listen = \"127.0.0.1:0\"", "# lunas.toml:3"), "{output}");
    assert!(shown("gateway.cut_offs = true", "# default"), "{output}");
    let token = "admin_token.owner.token = \"********\"";
    assert!(shown(token, "file ./owner.token"), "{output}");
    assert!(!output.contains(ADMINISTRATOR) && !output.contains("0f0f"), "{output}");
    assert!(!instance.path("lunas-data").exists());
    let running = instance.start();
    assert_eq!(instance.output("check", &[]).0, Some(0), "it works beside a server");
    drop(running);
}

#[test]
fn wrong_settings_are_told_all_at_once_with_place_and_remedy() {
    let instance = Instance::new(&[
        "conections = 5\n",
        SETTINGS,
        "[gateway]\nanswer_within = 25\n[limits]\nburst = 0\n",
    ]);
    for name in ["serve", "check"] {
        let output = instance
            .command(name)
            .env("LUNAS_LOG__FORMAT", "xml")
            .args(["--admin-listen", "everywhere"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        let errors = String::from_utf8(output.stderr).unwrap();
        let expected = [
            "server.conections (lunas.toml:4): unknown; did you mean server.connections?",
            "gateway.answer_within = 25 (lunas.toml:",
            "limits.burst = 0 (lunas.toml:",
            "log.format = \"xml\" (environment LUNAS_LOG__FORMAT): ",
            "server.admin_listen = \"everywhere\" (flag --admin-listen): ",
        ];
        for text in expected {
            assert!(errors.contains(text), "{text}: {errors}");
        }
        assert_eq!(errors.matches("; write ").count(), 4, "{errors}");
    }
}

#[test]
fn what_production_demands_is_told_all_at_once() {
    let instance = Instance::new(&[]);
    std::fs::remove_file(instance.path("lunas.key")).unwrap();
    for name in ["serve", "check"] {
        let (code, _, errors) = instance.output(name, &[]);
        assert_eq!(code, Some(1));
        assert_eq!(errors.lines().count(), 3, "{errors}");
        for text in ["admin_token: ", "secrets.key_file = \"lunas.key\" (default): ", "route: "] {
            assert!(errors.contains(text), "{text}: {errors}");
        }
    }
}

/// What systemd's `LoadCredential=` makes shows a group bit where it grants access by a list.
#[test]
fn a_key_handed_over_by_the_service_manager_is_taken() {
    let instance = Instance::new(&[SETTINGS]);
    let key = instance.path("lunas.key");
    let check = |mode: u32, folder: &Path| {
        std::fs::set_permissions(&key, PermissionsExt::from_mode(mode)).unwrap();
        let mut check = instance.command("check");
        check.env("LUNAS_SECRETS__KEY_FILE", &key).env("CREDENTIALS_DIRECTORY", folder);
        check.output().unwrap().status.code()
    };
    let (here, elsewhere) = (instance.folder.path(), Path::new("/run/credentials"));
    for (mode, folder, code) in [
        (0o400, here, 0),
        (0o440, here, 0),
        (0o440, elsewhere, 1),
        (0o444, here, 1),
        (0o460, here, 1),
    ] {
        assert_eq!(check(mode, folder), Some(code), "{mode:o} {}", folder.display());
    }
}

#[test]
fn an_address_that_is_taken_is_named() {
    let instance = Instance::new(&[SETTINGS]);
    let running = instance.start();
    let other = Instance::new(&[SETTINGS]);
    let (code, _, errors) = other.output("serve", &["--listen", running.address()]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("(flag --listen): cannot be listened on"), "{errors}");
}

#[test]
fn the_default_configuration_is_printed_and_loads() {
    let output = lunas().arg("config").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("[server]") && text.contains("#listen = "), "{text}");
    let instance = Instance::new(&[]);
    instance.write("lunas.toml", &format!("{text}{SETTINGS}"));
    let (code, _, errors) = instance.output("check", &[]);
    assert_eq!(code, Some(0), "{errors}");
}

#[test]
fn the_service_manager_is_told() {
    let instance = Instance::new(&[SETTINGS]);
    let path = instance.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(crate::harness::PATIENCE)).unwrap();
    let running = instance.start_as(|command| {
        command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    });
    let mut told = Vec::new();
    let mut tell = |wanted: &str| {
        while told.last().is_none_or(|last: &String| last != wanted) {
            let mut message = [0; 256];
            let length = socket.recv(&mut message).unwrap();
            told.push(String::from_utf8_lossy(&message[..length]).trim().to_owned());
        }
        told.clone()
    };
    assert_eq!(tell("READY=1"), ["READY=1"], "nothing is told before it is ready");
    tell("WATCHDOG=1");
    tell("WATCHDOG=1");
    running.signal("-TERM");
    tell("STOPPING=1");
    wait_until("the server has ended", || running.log().contains("stopped"));
}
