//! What has to hold for every entry in the list of settings.

use std::collections::BTreeSet;

use super::super::effective::Effective;
use super::super::key::{FILE_SUFFIX, keys_of, setting, variable};
use super::super::kind::Kind;
use super::super::name::Name;
use super::super::settings::{Fallback, Setting, TABLES, Table};
use super::super::value::Raw;
use super::Given;

fn all() -> impl Iterator<Item = (&'static Table, &'static Setting)> {
    TABLES.iter().flat_map(|table| table.settings.iter().map(move |setting| (table, setting)))
}

#[test]
fn every_default_and_example_is_a_value_of_its_kind() {
    for (table, setting) in all() {
        let named = table.example_name.is_some();
        let (Fallback::Default(text) | Fallback::Required(text)) = setting.fallback;
        let is_required = matches!(setting.fallback, Fallback::Required(_));
        assert!(named || !is_required, "{}.{}: nothing would hold", table.name, setting.key);
        assert!(!setting.kind.is_secret() || is_required, "a secret has no default");
        let kind = if setting.kind.is_secret() { Kind::Path } else { setting.kind };
        let read = kind.read(&Raw::Untyped(text.to_owned()));
        assert!(read.is_ok(), "{}.{}: {read:?}", table.name, setting.key);
    }
}

#[test]
fn names_are_unambiguous_in_file_and_environment() {
    let mut variables = BTreeSet::new();
    for table in TABLES {
        assert!(Name::new(table.name).is_some(), "{}", table.name);
        assert!(table.example_name.is_none_or(|name| Name::new(name).is_some()));
        for key in keys_of(table) {
            assert!(Name::new(&key).is_some(), "{key}");
            let (found, is_file) = setting(table, &key).unwrap();
            let suffix = if is_file { FILE_SUFFIX } else { "" };
            assert_eq!(format!("{}{suffix}", found.key), key);
            assert!(variables.insert(variable(&format!("{}.{key}", table.name))), "{key}");
        }
    }
}

#[test]
fn flags_are_unique() {
    let flags: Vec<_> = all().filter_map(|(_, setting)| setting.flag).collect();
    assert_eq!(flags.iter().collect::<BTreeSet<_>>().len(), flags.len());
    assert!(flags.iter().all(|flag| flag.starts_with("--")));
}

#[test]
fn every_setting_is_explained_in_both_languages() {
    for (table, setting) in all() {
        for text in [setting.indonesian, setting.english, table.indonesian, table.english] {
            let is_sentence = text.ends_with('.') && text.starts_with(|it: char| it.is_uppercase());
            assert!(is_sentence, "{}.{}: {text}", table.name, setting.key);
        }
        assert_ne!(setting.indonesian, setting.english);
    }
}

/// Only kinds that are written as texts can be left empty.
#[test]
fn what_is_optional_is_a_text() {
    for (_, setting) in all() {
        if let Kind::Optional(inner) = setting.kind {
            assert!(
                matches!(inner, Kind::BaseUrl | Kind::Path | Kind::Duration(..)),
                "{}",
                setting.key
            );
        }
    }
}

#[test]
fn check_lists_every_setting_with_its_origin() {
    let loaded = Given::default().load().unwrap();
    let expected: Vec<_> = all()
        .filter(|(table, _)| table.example_name.is_none())
        .map(|(table, setting)| format!("{}.{}", table.name, setting.key))
        .collect();
    let listed: Vec<_> = loaded.effective.0.iter().map(|it| it.key.clone()).collect();
    assert_eq!(listed, expected);
    let printed = loaded.effective.to_string();
    assert_eq!(printed.lines().count(), expected.len());
    assert!(printed.lines().all(|line| line.ends_with("  # default")), "{printed}");
}

/// What `check` prints without its comments is a file that means the same.
#[test]
fn what_check_prints_can_be_used_as_a_file() {
    let file = "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n\
                [data]\ndirectory = \"a \\\"b\\\" \\\\ é\"\n[limits]\nbody_size = \"1MiB\"\n\
                [upstream.x]\nkind = \"sandbox\"\n[route.y]\nproduct = \"*\"\nupstreams = [\"x\"]";
    let first = Given { file, ..Given::default() }.load().unwrap();
    let printed = first.effective.to_string();
    let second = Given { file: &printed, ..Given::default() }.load().unwrap();
    let values = |effective: &Effective| -> Vec<_> {
        effective.0.iter().map(|it| (it.key.clone(), it.value.clone())).collect()
    };
    assert_eq!(values(&first.effective), values(&second.effective));
    assert!(second.effective.0.iter().all(|it| it.origin.starts_with("lunas.toml:")));
}

#[test]
fn callbacks_are_tried_as_usual_unless_somebody_wants_it_otherwise() {
    let usual = gateway::courier::Settings::usual_retries();
    assert_eq!(crate::configuration::defaults().callbacks.retries, usual);
}
