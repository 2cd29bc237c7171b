//! The environment layer: variables `LUNAS_TABLE__KEY` and `LUNAS_TABLE__NAME__KEY`.
//!
//! A variable that begins with `LUNAS_` and has no `__` is not ours: Kubernetes makes such ones for
//! a service of that name, and other commands have theirs. The exception is one that becomes a
//! setting when its underscores are doubled; that is a slip, and overlooking it would be worse.

use std::ffi::{OsStr, OsString};

use super::fault::Fault;
use super::file::unknown;
use super::given::{Gathered, Given, Origin};
use super::key::{self, Key, PREFIX, SEPARATOR};
use super::name::{NAME_RULE, Name};
use super::settings::{TABLES, Table};
use super::value::Raw;

/// Takes in what the environment says.
pub(super) fn gather(environment: &[(OsString, OsString)], gathered: &mut Gathered) {
    let mut variables: Vec<_> = environment.iter().collect();
    // The order of the environment is an accident; faults are told in the order of the names.
    variables.sort();
    for (variable, value) in variables {
        let variable = variable.to_string_lossy();
        let Some(written) = variable.strip_prefix(PREFIX) else { continue };
        if !written.contains(SEPARATOR) {
            if let Some(meant) = with_underscores_doubled(&variable) {
                let problem = format!("has single underscores; write {meant}");
                gathered.faults.push(Fault::of(variable, problem));
            }
            continue;
        }
        if let Err(fault) = read(&variable, written, value, gathered) {
            gathered.faults.push(fault);
        }
    }
}

fn read(
    variable: &str,
    written: &str,
    value: &OsStr,
    gathered: &mut Gathered,
) -> Result<(), Fault> {
    let lower = written.to_ascii_lowercase();
    let path: Vec<_> = lower.split(SEPARATOR).collect();
    let is_upper = !written.contains(|it: char| it.is_ascii_lowercase());
    let table = path.first().and_then(|table| key::table(table)).filter(|_| is_upper);
    let unknown = |table| Fault::of(variable, unknown_variable(&path, table));
    let Some(table) = table else { return Err(unknown(None)) };
    let (name, key) = match (path.as_slice(), table.example_name) {
        ([_, key], None) => (None, key),
        ([_, name, key], Some(_)) => {
            let problem = || Fault::of(variable, format!("not a name in it; {NAME_RULE}"));
            (Some(Name::new(name).ok_or_else(problem)?), key)
        }
        _ => return Err(unknown(Some(table))),
    };
    let Some((setting, is_secret_file)) = key::setting(table, key) else {
        return Err(unknown(Some(table)));
    };
    let text =
        value.to_str().ok_or_else(|| Fault::of(variable, "not valid UTF-8; write it anew"))?;
    let origin = Origin::Environment(variable.to_owned());
    if let Some(name) = &name {
        gathered.note_name(table, name.clone(), origin.clone());
    }
    let key = Key { table, setting, name };
    gathered.values.push(Given { key, raw: Raw::Untyped(text.to_owned()), is_secret_file, origin });
    Ok(())
}

/// What to say of a variable that stands for no setting.
fn unknown_variable(path: &[&str], table: Option<&Table>) -> String {
    match key::nearest(path) {
        Some(near) if near.contains('.') => {
            format!("unknown; did you mean {}?", key::variable(&near))
        }
        _ => unknown(path, table),
    }
}

/// The variable that this one would be with two underscores between its parts.
fn with_underscores_doubled(variable: &str) -> Option<String> {
    for table in TABLES {
        for key in key::keys_of(table) {
            let start = format!("{PREFIX}{}_", table.name.to_ascii_uppercase());
            let end = key.to_ascii_uppercase();
            let Some(rest) = variable.strip_prefix(&start) else { continue };
            if table.example_name.is_none() {
                if rest == end {
                    return Some(key::variable(&format!("{}.{key}", table.name)));
                }
                continue;
            }
            let name = rest.strip_suffix(&end).and_then(|rest| rest.strip_suffix('_'));
            if let Some(name) = name.and_then(|name| Name::new(&name.to_ascii_lowercase())) {
                return Some(key::variable(&format!("{}.{name}.{key}", table.name)));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(variable: &str) -> Vec<String> {
        let mut gathered = Gathered::default();
        gather(&[(variable.into(), "x".into())], &mut gathered);
        gathered.faults.iter().map(Fault::to_string).collect()
    }

    #[test]
    fn variables_of_others_are_left_alone() {
        let table = [
            "PATH",
            "LUNASERVER__LISTEN",
            "LUNAS_LOG",
            "LUNAS_TOKEN",
            "LUNAS_SERVER",
            "LUNAS_SERVICE_HOST",
            "LUNAS_SERVICE_PORT_HTTP",
            "LUNAS_PORT_8080_TCP_ADDR",
        ];
        for variable in table {
            assert_eq!(faults(variable), Vec::<String>::new(), "{variable}");
        }
    }

    #[test]
    fn a_misspelt_variable_is_named_with_what_it_may_mean() {
        let table = [
            ("LUNAS_SERVER__LISTENS", "unknown; did you mean LUNAS_SERVER__LISTEN?"),
            ("LUNAS_SEVER__LISTEN", "unknown; did you mean LUNAS_SERVER__LISTEN?"),
            ("LUNAS_server__listen", "unknown; did you mean LUNAS_SERVER__LISTEN?"),
            ("LUNAS_UPSTREAM__BANK__SEDE", "unknown; did you mean LUNAS_UPSTREAM__BANK__SEED?"),
            ("LUNAS_GATEWAY__CONNECTIONS", "unknown; did you mean LUNAS_SERVER__CONNECTIONS?"),
            ("LUNAS_SERVER_LISTEN", "has single underscores; write LUNAS_SERVER__LISTEN"),
            (
                "LUNAS_ADMIN_TOKEN_BUDI_TOKEN_FILE",
                "has single underscores; write LUNAS_ADMIN_TOKEN__BUDI__TOKEN_FILE",
            ),
            ("LUNAS_TLS__COLOUR", "unknown; [tls] has the keys certificate, key"),
        ];
        for (variable, problem) in table {
            assert_eq!(faults(variable), [format!("{variable}: {problem}")]);
        }
        assert!(faults("LUNAS_NO__WHERE")[0].contains("the tables are server, tls"));
        assert!(faults("LUNAS_UPSTREAM__1__KIND")[0].contains("not a name in it"));
    }

    #[test]
    fn values_have_to_be_text() {
        use std::os::unix::ffi::OsStringExt;

        let mut gathered = Gathered::default();
        let value = OsString::from_vec(vec![b'a', 0xff]);
        gather(&[("LUNAS_LOG__FILTER".into(), value)], &mut gathered);
        let faults: Vec<_> = gathered.faults.iter().map(Fault::to_string).collect();
        assert_eq!(faults, ["LUNAS_LOG__FILTER: not valid UTF-8; write it anew"]);
        assert!(gathered.values.is_empty());
    }
}
