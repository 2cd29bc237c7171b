//! Secrets: where they may come from, and that they are seen nowhere.

use super::super::load;
use super::{Given, faults_of};
use domain::Role;

const CANARY: &str = "canary-0123456789abcdef0123456789";
const OTHER: &str = "second-0123456789abcdef0123456789";
const FROM_FILE: &str = "[admin_token.budi]\nrole = \"operator\"\ntoken_file = \"/run/token\"\n";

fn inline(token: &str) -> String {
    format!("[admin_token.budi]\nrole = \"operator\"\ntoken = \"{token}\"\n")
}

#[test]
fn secrets_come_from_values_and_files_in_every_layer() {
    let inline = inline(OTHER);
    let secrets = [("/run/token", CANARY)];
    let secrets_with_line_break = [("/run/token", &*format!("{CANARY}\r\n"))];
    let table = [
        (
            Given { file: FROM_FILE, secrets: &secrets, ..Given::default() },
            "lunas.toml:3, file /run/token",
        ),
        (
            Given { file: FROM_FILE, secrets: &secrets_with_line_break, ..Given::default() },
            "lunas.toml:3, file /run/token",
        ),
        (
            Given {
                file: &inline,
                environment: &[("LUNAS_ADMIN_TOKEN__BUDI__TOKEN", CANARY)],
                ..Given::default()
            },
            "environment LUNAS_ADMIN_TOKEN__BUDI__TOKEN",
        ),
        (
            Given {
                file: &inline,
                environment: &[("LUNAS_ADMIN_TOKEN__BUDI__TOKEN_FILE", "/run/token")],
                secrets: &secrets,
                ..Given::default()
            },
            "environment LUNAS_ADMIN_TOKEN__BUDI__TOKEN_FILE, file /run/token",
        ),
        // The file that is overridden is not read; here it does not even exist.
        (
            Given {
                file: FROM_FILE,
                environment: &[("LUNAS_ADMIN_TOKEN__BUDI__TOKEN", CANARY)],
                ..Given::default()
            },
            "environment LUNAS_ADMIN_TOKEN__BUDI__TOKEN",
        ),
    ];
    for (given, origin) in table {
        let masked = ("\"********\"".to_owned(), origin.to_owned());
        assert_eq!(given.effective("admin_token.budi.token"), masked);
        let configuration = given.load().unwrap().configuration;
        let [token] = configuration.admin_tokens.values().collect::<Vec<_>>()[..] else {
            panic!("one token was given")
        };
        assert_eq!((token.token.expose(), token.role), (CANARY, Role::Operator));
    }
}

#[test]
fn loaded_secrets_are_never_shown() {
    let given = Given { file: FROM_FILE, secrets: &[("/run/token", CANARY)], ..Given::default() };
    let loaded = given.load().unwrap();
    let shown = format!("{}{:?}{:#?}", loaded.effective, loaded, loaded.configuration);
    assert!(shown.contains("********"));
    assert!(!shown.contains(CANARY), "{shown}");
}

/// Every way in which something near a secret can be wrong.
#[test]
fn faults_never_show_a_secret() {
    let short = "canary-short";
    let files = [
        inline(short),
        inline("/canary-short"),
        inline("canary with spaces 0123456789abcdef0123456789"),
        inline("canary-\\u001b-0123456789abcdef0123456789"),
        inline(CANARY).replace("token =", "tokn ="),
        inline(CANARY).replace("token =", "colour ="),
        inline(CANARY).replace("token =", "token_file ="),
        inline(CANARY).replace("operator", "king"),
        format!("{}token_file = \"/run/token\"\n", inline(CANARY)),
        format!("{}[admin_token.rina]\nrole = \"viewer\"\ntoken = \"{CANARY}\"\n", inline(CANARY)),
        format!("[admin_token.budi]\nrole = \"viewer\"\ntoken = [\"{CANARY}\"]\n"),
        format!("[admin_token.budi]\nrole = \"viewer\"\ntoken = {{ value = \"{CANARY}\" }}\n"),
        format!("admin_token = \"{CANARY}\"\n"),
        format!("[admin_token]\nbudi = \"{CANARY}\"\n"),
        format!("[[admin_token]]\ntoken = \"{CANARY}\"\n"),
        // Not TOML any more, at or after the secret.
        format!("[admin_token.budi]\ntoken = {CANARY}\n"),
        format!("[admin_token.budi]\ntoken = \"{CANARY}\n"),
        format!("[admin_token.budi]\ntoken = '{CANARY}' x\n"),
        format!("[admin_token.budi]\ntoken = \"{CANARY}\"\ntoken = \"{CANARY}\"\n"),
        format!("[admin_token.budi]\ntoken = \"{CANARY}\\q\"\n"),
        // Passwords in addresses.
        "[server]\npublic_url = \"https://budi:canary@pay.example.id\"\n".to_owned(),
        "[telemetry]\notlp_endpoint = \"budi:canary@collector\"\n".to_owned(),
    ];
    for file in &files {
        let faults = faults_of(file);
        assert!(!faults.is_empty(), "{file}");
        assert!(!faults.concat().contains("canary"), "{file}: {faults:?}");
    }
    let variables = [
        ("LUNAS_ADMIN_TOKEN__BUDI__TOKEN", short),
        ("LUNAS_ADMIN_TOKEN__BUDI__TOKEN_FILE", CANARY),
        ("LUNAS_ADMIN_TOKEN__BUDI__TOKN", CANARY),
        ("LUNAS_ADMIN_TOKEN__TOKEN", CANARY),
        ("LUNAS_ADMIN_TOKEN_BUDI_TOKEN", CANARY),
        ("LUNAS_ADMIN_TOKENS__BUDI__TOKEN", CANARY),
    ];
    for variable in variables {
        let faults = Given { environment: &[variable], ..Given::default() }.faults();
        assert!(!faults.is_empty(), "{variable:?}");
        assert!(!faults.concat().contains("canary"), "{variable:?}: {faults:?}");
    }
    for text in ["canary-short\n", "", "canary 0123456789abcdef0123456789 x"] {
        let secrets = [("/run/token", text)];
        let faults = Given { file: FROM_FILE, secrets: &secrets, ..Given::default() }.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(!faults[0].contains("canary"), "{faults:?}");
        assert!(faults[0].contains("token_file = \"/run/token\" (lunas.toml:3): the secret in"));
    }
}

#[test]
fn a_missing_file_is_named_only_if_it_is_surely_a_path() {
    assert_eq!(
        faults_of(FROM_FILE),
        ["admin_token.budi.token_file = \"/run/token\" (lunas.toml:3): cannot be read \
          (entity not found); write the path of a readable file"]
    );
    let hidden = faults_of(&FROM_FILE.replace("/run/token", "token.txt"));
    assert!(hidden[0].starts_with("admin_token.budi.token_file = (hidden) (lunas.toml:3): cannot"));
}

#[test]
fn a_secret_is_given_once_in_a_layer() {
    let both = format!("{}token_file = \"/run/token\"\n", inline(CANARY));
    let faults = faults_of(&both);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("also given as admin_token.budi.token"), "{faults:?}");
}

#[test]
fn the_sandbox_token_is_refused() {
    let faults = faults_of(&inline("sandbox-admin"));
    assert_eq!(
        faults,
        ["admin_token.budi.token = (hidden) (lunas.toml:3): it is too short to be safe from \
          guessing; write at least 32 visible characters, such as `openssl rand -hex 32` makes"]
    );
}

/// The real reader, as the program uses it.
#[test]
fn secret_files_are_read_from_disk() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    std::fs::write(&path, format!("{CANARY}\n")).unwrap();
    let mut sources = super::Sources::of_process(None, Vec::new()).unwrap();
    sources.environment = vec![
        ("LUNAS_ADMIN_TOKEN__BUDI__ROLE".into(), "viewer".into()),
        ("LUNAS_ADMIN_TOKEN__BUDI__TOKEN_FILE".into(), path.into()),
    ];
    let configuration = load(&sources).unwrap().configuration;
    let (name, token) = configuration.admin_tokens.iter().next().unwrap();
    assert_eq!((name.as_str(), token.token.expose()), ("budi", CANARY));
}
