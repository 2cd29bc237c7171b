//! What production demands, and that everything that is missing is told at once.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::configuration::file::File;
use crate::configuration::{Sources, load};

const TOKEN: &str = "[admin_token.owner]\nrole = \"administrator\"\n\
     token = \"0123456789abcdef0123456789abcdef\"\n";
const UPSTREAM: &str = "[upstream.stand_in]\nkind = \"sandbox\"\nseed = 7\niak_numbers = \"old\"\n";
const ROUTE: &str = "[route.everything]\nproduct = \"*\"\nupstreams = [\"stand_in\"]\n";

/// A folder with a key file.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(TempDir::new().unwrap());
        std::fs::write(place.path("lunas.key"), "ab".repeat(32)).unwrap();
        place.set_mode("lunas.key", 0o600);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn set_mode(&self, name: &str, mode: u32) {
        std::fs::set_permissions(self.path(name), PermissionsExt::from_mode(mode)).unwrap();
    }

    /// The settings of a file that begins with the folders and the key of this place.
    fn load(&self, rest: &[&str]) -> Loaded {
        let root = self.0.path().display();
        let text = format!(
            "[data]\ndirectory = \"{root}/a/b/data\"\n[secrets]\nkey_file = \"{root}/lunas.key\"\n{}",
            rest.concat()
        );
        let file = Some(File { path: "lunas.toml".to_owned(), text });
        let read_secret = &|path: &Path| std::fs::read_to_string(path);
        load(&Sources { file, environment: vec![], flags: vec![], read_secret })
            .unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn faults(&self, rest: &[&str]) -> Vec<String> {
        match Preparation::of(&self.load(rest)) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.0.iter().map(Fault::to_string).collect(),
        }
    }
}

#[test]
fn a_complete_configuration_is_prepared_and_changes_nothing() {
    let place = Place::new();
    let preparation = Preparation::of(&place.load(&[TOKEN, UPSTREAM, ROUTE])).unwrap();
    assert!(preparation.certificate.is_none());
    assert_eq!(preparation.upstream, UpstreamName::new("stand_in"));
    let iak_numbers = sandbox::NumberScheme::Old;
    assert_eq!(
        preparation.stand_in,
        sandbox::Settings { seed: 7, iak_numbers, iak_top_ups_after: None, plays_payers: false }
    );
    assert!(!place.path("a").exists());
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    let place = Place::new();
    std::fs::remove_file(place.path("lunas.key")).unwrap();
    std::fs::write(place.path("a"), "a file").unwrap();
    let tls = format!(
        "[tls]\ncertificate = \"{0}/chain.pem\"\nkey = \"{0}/key.pem\"\n",
        place.0.path().display()
    );
    let faults = place.faults(&[&tls]);
    let beginnings =
        ["admin_token: ", "secrets.key_file = ", "data.directory = ", "tls.cert", "route: "];
    assert_eq!(faults.len(), beginnings.len(), "{faults:#?}");
    for (fault, beginning) in faults.iter().zip(beginnings) {
        assert!(fault.starts_with(beginning), "{fault}");
        assert!(fault.contains("; "), "no remedy: {fault}");
    }
    assert!(faults[1].contains("(lunas.toml:4)") && faults[1].contains("openssl rand -hex 32"));
    assert!(faults[2].contains("(lunas.toml:2)") && faults[2].contains("/a is not a folder"));
}

#[test]
fn routes_that_would_be_overlooked_are_refused() {
    let place = Place::new();
    let one = "[route.pln]\nproduct = \"PLNPOSTPAID\"\nupstreams = [\"stand_in\"]\n";
    let second = "[upstream.other]\nkind = \"sandbox\"\n";
    let two = "[route.everything]\nproduct = \"*\"\nupstreams = [\"stand_in\", \"other\"]\n";
    let table: [(&[&str], &str); 4] = [
        (&[TOKEN, UPSTREAM], "there is none for every product"),
        (&[TOKEN, UPSTREAM, one], "there is none for every product"),
        (&[TOKEN, UPSTREAM, ROUTE, one], "some products have a route of their own"),
        (&[TOKEN, UPSTREAM, second, two], "names several upstreams"),
    ];
    for (rest, problem) in table {
        let faults = place.faults(rest);
        assert_eq!(faults.len(), 1, "{faults:#?}");
        assert!(faults[0].starts_with("route: ") && faults[0].contains(problem), "{faults:#?}");
    }
}

#[test]
fn a_key_that_others_may_read_is_refused() {
    let place = Place::new();
    place.set_mode("lunas.key", 0o644);
    let faults = place.faults(&[TOKEN, UPSTREAM, ROUTE]);
    assert!(faults.len() == 1 && faults[0].contains("run `chmod 600 "), "{faults:#?}");
}

#[test]
fn settings_without_effect_are_named_when_they_were_written() {
    let place = Place::new();
    let named = |text: &str| -> Vec<String> {
        let loaded = place.load(&[text]);
        without_effect(&loaded).into_iter().map(|(key, _)| key.to_owned()).collect()
    };
    let table: [(&str, &[&str]); 7] = [
        ("", &[]),
        ("[limits]\nburst = 5\n", &[]),
        ("[limits]\nrequests_per_second = 0\n", &[]),
        ("[limits]\nburst = 5\nrequests_per_second = 0\n", &["limits.burst"]),
        ("[backup]\ndirectory = \"x\"\nkeep = 3\n", &["backup.directory", "backup.keep"]),
        ("[backup]\ndirectory = \"x\"\nkeep = 3\nevery = \"24h\"\n", &[]),
        ("[server]\npublic_url = \"https://pay.example.id\"\n", &[]),
    ];
    for (text, expected) in table {
        assert_eq!(named(text), expected, "{text}");
    }
}

#[test]
fn the_folder_of_backups_is_looked_at_when_there_are_to_be_any() {
    let place = Place::new();
    std::fs::write(place.path("file"), "").unwrap();
    let backup = format!("[backup]\ndirectory = \"{}\"\n", place.path("file/x").display());
    assert_eq!(place.faults(&[TOKEN, UPSTREAM, ROUTE, &backup]), [""; 0]);
    let faults = place.faults(&[TOKEN, UPSTREAM, ROUTE, &backup, "every = \"24h\"\n"]);
    assert!(faults.len() == 1 && faults[0].starts_with("backup.directory = "), "{faults:#?}");
    assert!(faults[0].contains("is not a folder; write another path"), "{faults:#?}");
}
