//! Which layer wins, and what is said of where a value comes from.

use std::net::SocketAddr;

use proptest::prelude::*;

use super::super::Sources;
use super::super::choice::{Choice, IakNumbers, LogFormat};
use super::super::fault::Fault;
use super::super::typed::Upstream;
use super::{Given, faults_of};

/// Pieces of which most files and many near misses can be made.
const TOKENS: &[&str] = &[
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "\"",
    "'",
    "=",
    ".",
    ",",
    "\n",
    "\n",
    "#",
    " ",
    "é",
    "1",
    "-",
    "1.5",
    "true",
    "\"\"",
    "\"25s\"",
    "\"*\"",
    "[server]\n",
    "[upstream.a]\n",
    "[route.b]\n",
    "server",
    "upstream",
    "admin_token",
    "listen = ",
    "kind = ",
    "seed = ",
    "token = ",
    "token_file = ",
    "connections = ",
    "upstreams = ",
    "\u{0}",
    "\\u0000",
];

const FILE: &str = "[server]\nlisten = \"127.0.0.2:1\"\n";
const ENVIRONMENT: &[(&str, &str)] = &[("LUNAS_SERVER__LISTEN", "127.0.0.3:1")];
const FLAGS: &[(&str, &str)] = &[("--listen", "127.0.0.4:1")];

#[test]
fn later_layers_override_earlier_ones() {
    let table = [
        (Given::default(), "127.0.0.1:8080", "default"),
        (Given { file: FILE, ..Given::default() }, "127.0.0.2:1", "lunas.toml:2"),
        (
            Given { file: FILE, environment: ENVIRONMENT, ..Given::default() },
            "127.0.0.3:1",
            "environment LUNAS_SERVER__LISTEN",
        ),
        (
            Given { file: FILE, environment: ENVIRONMENT, flags: FLAGS, ..Given::default() },
            "127.0.0.4:1",
            "flag --listen",
        ),
        (Given { file: FILE, flags: FLAGS, ..Given::default() }, "127.0.0.4:1", "flag --listen"),
    ];
    for (given, address, origin) in table {
        let expected = (format!("\"{address}\""), origin.to_owned());
        assert_eq!(given.effective("server.listen"), expected);
        let loaded = given.load().unwrap();
        assert_eq!(loaded.configuration.server.listen, address.parse::<SocketAddr>().unwrap());
    }
}

#[test]
fn every_flag_sets_its_key() {
    let flags = &[("--listen", "127.0.0.1:1"), ("--admin-listen", "127.0.0.1:2"), ("--data", "d")];
    let given = Given { flags, ..Given::default() };
    assert_eq!(given.effective("server.listen").1, "flag --listen");
    assert_eq!(given.effective("server.admin_listen").1, "flag --admin-listen");
    assert_eq!(given.effective("data.directory"), ("\"d\"".to_owned(), "flag --data".to_owned()));
    let wrong = Given { flags: &[("--data", ""), ("--colour", "red")], ..Given::default() };
    assert_eq!(
        wrong.faults(),
        [
            "--colour: sets nothing; leave it out",
            "data.directory = \"\" (flag --data): a path is expected, not nothing; \
             write the path of a file or folder",
        ]
    );
}

/// Named tables may be spread over layers, key by key.
#[test]
fn named_tables_grow_over_layers() {
    let given = Given {
        file: "[upstream.bank]\nkind = \"sandbox\"\nseed = 2\n[route.all]\nproduct = \"*\"\n\
               upstreams = [\"bank\"]",
        environment: &[
            ("LUNAS_UPSTREAM__BANK__SEED", "3"),
            ("LUNAS_UPSTREAM__BANK__IAK_NUMBERS", "old"),
            ("LUNAS_UPSTREAM__SPARE_2__KIND", "sandbox"),
            ("LUNAS_ROUTE__ALL__UPSTREAMS", "spare_2,bank"),
        ],
        ..Given::default()
    };
    let configuration = given.load().unwrap().configuration;
    let upstreams: Vec<_> = configuration.upstreams.into_iter().collect();
    let [(bank, bank_settings), (spare, spare_settings)] = upstreams.as_slice() else {
        panic!("{upstreams:?}")
    };
    assert_eq!((bank.as_str(), spare.as_str()), ("bank", "spare_2"));
    assert_eq!(*bank_settings, Upstream::Sandbox { seed: 3, iak_numbers: IakNumbers::Old });
    assert_eq!(*spare_settings, Upstream::Sandbox { seed: 1, iak_numbers: IakNumbers::New });
    let order: Vec<_> = configuration.routes.otherwise.iter().map(|name| name.as_str()).collect();
    assert_eq!(order, ["spare_2", "bank"]);
}

/// A file that is right only while a variable is set is a trap.
#[test]
fn an_overridden_value_is_checked_too() {
    let file = "[server]\nlisten = \"80\"\n";
    let faults = Given { file, environment: ENVIRONMENT, ..Given::default() }.faults();
    assert_eq!(
        faults,
        ["server.listen = \"80\" (lunas.toml:2): not an address and port; \
          write for example \"0.0.0.0:8080\""]
    );
}

#[test]
fn everything_wrong_is_told_at_once() {
    let given = Given {
        file: "colour = 1\n[server]\nlisten = \"80\"\nlisen = 1\n[upstream.x]\nseed = -1\n",
        environment: &[("LUNAS_LOG__FORMAT", "xml"), ("LUNAS_LOG__FORMATS", "xml")],
        flags: &[("--data", "~")],
        ..Given::default()
    };
    let subjects: Vec<_> = given
        .faults()
        .iter()
        .map(|fault| fault.split([' ', ':']).next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        subjects,
        [
            "colour",
            "server.lisen",
            "LUNAS_LOG__FORMATS",
            "data.directory",
            "log.format",
            "server.listen",
            "upstream.x.seed",
            "upstream.x.kind",
        ]
    );
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    let table = [
        ("[server]\n\n# note\nlisten = 1", 4),
        ("[server]\r\nlisten = 1\r\n", 2),
        ("server.listen = 1", 1),
        ("# é 漢\nserver = { listen = 1 }", 2),
        ("[log]\nfilter = \"\"\"\ninfo\\\n\"\"\"\n[server]\nlisten = 1", 6),
    ];
    for (file, line) in table {
        let faults = faults_of(file);
        let expected = format!("server.listen = 1 (lunas.toml:{line}): a string is expected");
        assert!(faults.len() == 1 && faults[0].starts_with(&expected), "{faults:?}");
    }
}

#[test]
fn values_reach_the_program() {
    let file = "
[server]
admin_listen = \"127.0.0.1:9\"
public_url = \"https://pay.example.id/\"
trusted_proxies = [\"10.0.0.0/8\"]
metrics = false
connections = 9
[tls]
certificate = \"c.pem\"
key = \"k.pem\"
[data]
directory = \"d\"
[secrets]
key_file = \"/etc/lunas/key\"
[gateway]
answer_within = \"20s\"
call_within = \"1m\"
cut_offs = false
[limits]
requests_per_second = 0
burst = 3
failed_signatures_per_minute = 4
body_size = \"128KiB\"
[log]
filter = \"debug\"
format = \"json\"
[telemetry]
otlp_endpoint = \"http://127.0.0.1:4318/\"
[backup]
directory = \"b\"
keep = 2
[upstream.a]
kind = \"sandbox\"
[route.pln]
product = \"pln\"
upstreams = [\"a\"]
";
    let it = Given { file, ..Given::default() }.load().unwrap().configuration;
    assert_eq!(it.server.public_url.unwrap().join("/x"), "https://pay.example.id/x");
    assert_eq!(it.server.trusted_proxies, ["10.0.0.0/8".parse().unwrap()]);
    assert_eq!((it.server.metrics, it.server.connections), (false, 9));
    let tls = it.tls.unwrap();
    assert_eq!((tls.certificate, tls.key), ("c.pem".into(), "k.pem".into()));
    assert_eq!((it.server.admin_listen.port(), it.data_directory.to_str()), (9, Some("d")));
    assert_eq!(it.key_file.to_str(), Some("/etc/lunas/key"));
    assert_eq!(it.orders.answer_within.as_secs(), 20);
    assert_eq!((it.orders.call_within.as_secs(), it.orders.cut_offs), (60, false));
    assert_eq!(it.limits.requests_per_second, None);
    assert_eq!(it.limits.burst.get(), 3);
    assert_eq!(it.limits.failed_signatures_per_minute.map(u32::from), Some(4));
    assert_eq!(it.limits.body_bytes, 131_072);
    assert_eq!((it.log.filter.as_str(), it.log.format), ("debug", LogFormat::Json));
    assert_eq!(it.otlp_endpoint.unwrap().as_str(), "http://127.0.0.1:4318");
    assert_eq!((it.backup.directory.to_str(), it.backup.keep.get()), (Some("b"), 2));
    let route: Vec<_> = it.routes.by_product.into_iter().collect();
    assert_eq!((route[0].0.as_str(), route[0].1[0].as_str()), ("pln", "a"));
    assert!(it.routes.otherwise.is_empty());
}

#[test]
fn words_stand_for_themselves() {
    assert_eq!(LogFormat::WORDS, ["auto", "pretty", "json"]);
    assert_eq!(LogFormat::from_word("pretty"), Some(LogFormat::Pretty));
    assert_eq!(LogFormat::from_word("Pretty"), None);
}

#[test]
fn the_process_gives_its_environment_and_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lunas.toml");
    std::fs::write(&path, "[backup]\nkeep = 3\n").unwrap();
    let sources = Sources::of_process(Some(&path), Vec::new()).unwrap();
    let file = sources.file.unwrap();
    assert_eq!((file.path, file.text), (path.display().to_string(), "[backup]\nkeep = 3\n".into()));
    assert_eq!(sources.environment.len(), std::env::vars_os().count());

    let absent = directory.path().join("absent.toml");
    let faults = Sources::of_process(Some(&absent), Vec::new()).err().unwrap().to_string();
    assert!(faults.starts_with(&format!("{}: cannot be read (", absent.display())), "{faults}");

    std::fs::write(&path, vec![b'#'; 1 + (1 << 20)]).unwrap();
    let faults = Sources::of_process(Some(&path), Vec::new()).err().unwrap().to_string();
    assert!(faults.contains("longer than 1 MiB"), "{faults}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever the file and a variable contain, the answer is a configuration or sentences that
    /// name their place.
    #[test]
    fn any_text_is_answered(
        tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..24),
        variable in "LUNAS_[A-Z_]{0,24}",
        value in "\\PC{0,12}",
    ) {
        let file = tokens.concat();
        let environment = [(variable.as_str(), value.as_str())];
        let given = Given { file: &file, environment: &environment, ..Given::default() };
        match given.load() {
            Ok(loaded) => prop_assert!(!loaded.effective.0.is_empty()),
            Err(faults) => {
                prop_assert!(!faults.0.is_empty());
                let is_placed = |fault: &Fault| fault.place.is_some() || fault.subject == variable;
                prop_assert!(faults.0.iter().all(is_placed), "{faults}");
            }
        }
    }
}
