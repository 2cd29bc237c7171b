//! Finds settings by the names that people write, and says what they may have meant.
//!
//! A setting has one name in the file, `table.key` or `table.NAME.key`, and one in the environment,
//! `LUNAS_TABLE__KEY` or `LUNAS_TABLE__NAME__KEY`. A secret has a second of each, ending in `_file`
//! or `_FILE`, whose value is the path of a file with the secret in it.

use std::fmt;

use super::name::Name;
use super::settings::{Setting, TABLES, Table};

/// How the environment names of all settings begin.
pub(super) const PREFIX: &str = "LUNAS_";
/// What separates the parts of an environment name.
pub(super) const SEPARATOR: &str = "__";
/// What the second name of a secret ends in.
pub(super) const FILE_SUFFIX: &str = "_file";

/// A setting of one particular table.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) table: &'static Table,
    pub(super) setting: &'static Setting,
    /// The name of the table, where tables have names.
    pub(super) name: Option<Name>,
}

/// As it is written in the file.
impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.setting.key;
        match &self.name {
            None => write!(formatter, "{}.{key}", self.table.name),
            Some(name) => write!(formatter, "{}.{name}.{key}", self.table.name),
        }
    }
}

/// The table of this name.
pub(super) fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

/// A key inside a table, and whether it was its second name, for a file with the secret.
pub(super) fn setting(table: &Table, key: &str) -> Option<(&'static Setting, bool)> {
    // The tables are constants; only the reference that was handed in may live shorter.
    let settings: &'static [Setting] = table.settings;
    let by_name = |name: &str| settings.iter().find(|setting| setting.key == name);
    if let Some(setting) = by_name(key) {
        return Some((setting, false));
    }
    let secret = by_name(key.strip_suffix(FILE_SUFFIX)?)?;
    secret.kind.is_secret().then_some((secret, true))
}

/// The environment variable of a key that is written as in the file.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', SEPARATOR))
}

/// The key that somebody most likely meant, or `None` when nothing is near. `path` is what was
/// written, cut at its dots.
pub(super) fn nearest(path: &[&str]) -> Option<String> {
    let written = path.join(".");
    let close_enough = (written.chars().count() / 4).max(2);
    let name = match path {
        [_, name, _] => Some(*name),
        _ => None,
    };
    let (distance, candidate) = candidates(path.len(), name)
        .map(|candidate| (strsim::damerau_levenshtein(&written, &candidate), candidate))
        .min_by_key(|(distance, _)| *distance)?;
    if distance <= close_enough { Some(candidate) } else { elsewhere(path.last()?) }
}

/// Everything that can be written with so many parts.
fn candidates(parts: usize, name: Option<&str>) -> impl Iterator<Item = String> {
    let tables = TABLES.iter().filter(move |_| parts == 1).map(|table| table.name.to_owned());
    let keys = TABLES.iter().filter(move |_| parts > 1).flat_map(move |table| {
        let prefix = match (table.example_name, name) {
            (None, _) => table.name.to_owned(),
            (Some(_), Some(name)) => format!("{}.{name}", table.name),
            (Some(example), None) => format!("{}.{example}", table.name),
        };
        keys_of(table).into_iter().map(move |key| format!("{prefix}.{key}"))
    });
    tables.chain(keys)
}

/// The keys that may stand in a table.
pub(super) fn keys_of(table: &Table) -> Vec<String> {
    let mut keys = Vec::new();
    for setting in table.settings {
        keys.push(setting.key.to_owned());
        if setting.kind.is_secret() {
            keys.push(format!("{}{FILE_SUFFIX}", setting.key));
        }
    }
    keys
}

/// The only setting of this very name, written in the wrong table.
fn elsewhere(key: &str) -> Option<String> {
    let mut found = TABLES
        .iter()
        .filter(|table| table.example_name.is_none() && setting(table, key).is_some())
        .map(|table| format!("{}.{key}", table.name));
    let only = found.next()?;
    found.next().is_none().then_some(only)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_understood() {
        let table = [
            ("server.lisen", Some("server.listen")),
            ("server.admin-listen", Some("server.admin_listen")),
            ("sever", Some("server")),
            ("Server", Some("server")),
            ("sever.listen", Some("server.listen")),
            ("upstream.bank.sede", Some("upstream.bank.seed")),
            ("upstreams.bank.seed", Some("upstream.bank.seed")),
            ("admin_token.budi.tokenfile", Some("admin_token.budi.token_file")),
            // In the wrong table, or in none.
            ("gateway.connections", Some("server.connections")),
            ("otlp_endpoint", Some("telemetry.otlp_endpoint")),
            // In two tables at once, or nowhere.
            ("directory", None),
            ("server.colour", None),
            ("payments", None),
        ];
        for (written, expected) in table {
            let path: Vec<_> = written.split('.').collect();
            assert_eq!(nearest(&path).as_deref(), expected, "{written}");
        }
    }

    #[test]
    fn variables_have_two_underscores_between_parts() {
        assert_eq!(variable("server.admin_listen"), "LUNAS_SERVER__ADMIN_LISTEN");
        assert_eq!(variable("admin_token.budi.token_file"), "LUNAS_ADMIN_TOKEN__BUDI__TOKEN_FILE");
    }
}
