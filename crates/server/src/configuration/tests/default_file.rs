//! The default file: valid with everything uncommented, equal to the defaults, and in the
//! repository.

use std::path::Path;

use super::super::default_file;
use super::super::settings::{Fallback, TABLES};
use super::super::value::Raw;
use super::Given;

/// Set to anything, it makes the test write the file instead of comparing it.
const REWRITE: &str = "LUNAS_REWRITE_DOCS";

/// Removes the `#` of every line that is a setting or a table rather than an explanation.
fn uncommented() -> String {
    let is_setting = |rest: &str| rest.starts_with(|it: char| it == '[' || it.is_ascii_lowercase());
    default_file()
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| is_setting(rest)).unwrap_or(line))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn as_it_is_the_default_file_sets_nothing() {
    let file = default_file();
    let loaded = Given { file: &file, ..Given::default() }.load().unwrap();
    assert_eq!(loaded.effective, Given::default().load().unwrap().effective);
}

#[test]
fn uncommented_the_default_file_sets_exactly_the_defaults() {
    let file = uncommented();
    let token = "0123456789abcdef0123456789abcdef";
    let evidence = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let secrets =
        [("/run/secrets/lunas_admin_token", token), ("/run/secrets/lunas_evidence", evidence)];
    let loaded = Given { file: &file, secrets: &secrets, ..Given::default() }.load();
    let loaded = loaded.unwrap_or_else(|faults| panic!("{faults}"));
    let mut expected = Vec::new();
    for table in TABLES {
        let prefix = match table.example_name {
            None => table.name.to_owned(),
            Some(name) => format!("{}.{name}", table.name),
        };
        for setting in table.settings {
            let (Fallback::Default(text) | Fallback::Required(text)) = setting.fallback;
            let text = match secrets.iter().find(|(path, _)| *path == text) {
                Some((_, secret)) => secret,
                None => text,
            };
            let value = setting.kind.read(&Raw::Untyped(text.to_owned())).unwrap();
            expected.push((format!("{prefix}.{}", setting.key), value.to_string()));
        }
    }
    let effective = loaded.effective.0;
    assert!(effective.iter().all(|it| it.origin.starts_with("lunas.toml:")));
    let found: Vec<_> = effective.into_iter().map(|it| (it.key, it.value)).collect();
    assert_eq!(found, expected);

    // Outside of named tables that is what holds without any file.
    let defaults = Given::default().load().unwrap().effective;
    let defaults: Vec<_> = defaults.0.into_iter().map(|it| (it.key, it.value)).collect();
    let plain: Vec<_> = found.into_iter().filter(|(key, _)| key.split('.').count() == 2).collect();
    assert_eq!(plain, defaults);
}

#[test]
fn the_default_file_is_readable() {
    for line in default_file().lines() {
        assert!(line.chars().count() <= 100, "too long for a terminal: {line}");
        assert_eq!(line, line.trim_end());
    }
}

/// Rewrite it with `LUNAS_REWRITE_DOCS=1 cargo test -p server default_file`.
#[test]
fn the_repository_holds_the_default_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/lunas.toml");
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, default_file()).unwrap();
    }
    let stored = std::fs::read_to_string(&path).unwrap_or_default();
    let hint = format!("docs/lunas.toml is out of date; run the test once with {REWRITE}=1");
    assert!(stored == default_file(), "{hint}");
}
