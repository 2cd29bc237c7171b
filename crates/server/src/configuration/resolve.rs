//! Lays the layers over each other and understands every value.
//!
//! Every value that somebody wrote is checked, also one that a later layer overrides, because a file
//! that is right only while a variable is set is a trap. Files with secrets are read only when their
//! secret is the one that holds.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::fault::Fault;
use super::given::{Gathered, Given, Origin};
use super::key::{FILE_SUFFIX, Key};
use super::kind::Kind;
use super::name::Name;
use super::settings::{Fallback, TABLES, Table};
use super::value::{Raw, Value};

/// Reads a file that holds a secret.
pub(crate) type ReadSecret<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// What is shown in place of a value that may be a secret.
const HIDDEN: &str = "(hidden)";

/// The value that holds for one setting.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub(super) value: Value,
    pub(super) origin: Origin,
    /// The file from which a secret was read; the origin says where its path was written.
    pub(super) secret_file: Option<PathBuf>,
}

/// The values that hold, by key as it is written in the file. Keys with a fault are absent.
#[derive(Debug, Default)]
pub(super) struct Resolution {
    pub(super) values: BTreeMap<String, Resolved>,
    pub(super) names: BTreeMap<&'static str, Vec<Name>>,
}

impl Resolution {
    /// The names of a named table.
    pub(super) fn names(&self, table: &str) -> &[Name] {
        self.names.get(table).map(Vec::as_slice).unwrap_or_default()
    }
}

/// Makes the values that hold of what the layers gave, and adds the faults.
pub(super) fn resolve(
    gathered: Gathered,
    read: ReadSecret<'_>,
    faults: &mut Vec<Fault>,
) -> Resolution {
    let Gathered { values: given, names, faults: earlier } = gathered;
    faults.extend(earlier);
    let mut resolution = Resolution::default();
    let mut written = BTreeMap::<String, Vec<Given>>::new();
    for value in given {
        written.entry(value.key.to_string()).or_default().push(value);
    }
    // A key that was written and has a fault is not missing besides.
    let mut faulty = BTreeSet::new();
    for (key, values) in written {
        match resolve_one(&values, read) {
            Ok(resolved) => drop(resolution.values.insert(key, resolved)),
            Err(found) => {
                faults.extend(found);
                faulty.insert(key);
            }
        }
    }
    for table in TABLES {
        if table.example_name.is_none() {
            fall_back(table, None, &faulty, &mut resolution, faults);
        }
        for (name, origin) in names.get(table.name).into_iter().flatten() {
            fall_back(table, Some((name, origin)), &faulty, &mut resolution, faults);
        }
    }
    resolution.names =
        names.into_iter().map(|(table, names)| (table, names.into_keys().collect())).collect();
    resolution
}

/// The value that holds among those written for one key, the last of which overrides the others.
fn resolve_one(values: &[Given], read: ReadSecret<'_>) -> Result<Resolved, Vec<Fault>> {
    let mut faults = Vec::new();
    for pair in values.windows(2) {
        if let [first, second] = pair
            && first.origin.is_level_with(&second.origin)
        {
            faults.push(given_twice(first, second));
        }
    }
    let mut last = None;
    for given in values {
        let kind = given.key.setting.kind;
        let understood =
            if given.is_secret_file { Kind::Path.read(&given.raw) } else { kind.read(&given.raw) };
        match understood {
            Ok(value) => last = Some((given, value)),
            Err(problem) => faults.push(wrong_value(given, problem)),
        }
    }
    let Some((given, value)) = last.filter(|_| faults.is_empty()) else { return Err(faults) };
    let origin = given.origin.clone();
    match value {
        Value::Path(path) if given.is_secret_file => {
            let value = secret_of(given, &path, read).map_err(|fault| vec![fault])?;
            Ok(Resolved { value, origin, secret_file: Some(path) })
        }
        value => Ok(Resolved { value, origin, secret_file: None }),
    }
}

fn secret_of(given: &Given, path: &Path, read: ReadSecret<'_>) -> Result<Value, Fault> {
    let text = read(path).map_err(|error| {
        wrong_value(given, format!("cannot be read ({error}); write the path of a readable file"))
    })?;
    // Editors and `echo` end a file with a line break that is not part of the secret.
    let text = text.trim_end_matches(['\r', '\n']).to_owned();
    given.key.setting.kind.read(&Raw::Text(text)).map_err(|problem| {
        wrong_value(given, format!("the secret in that file is not usable: {problem}"))
    })
}

/// Takes the defaults of what nobody wrote, and misses what has none.
fn fall_back(
    table: &'static Table,
    name: Option<(&Name, &Origin)>,
    faulty: &BTreeSet<String>,
    resolution: &mut Resolution,
    faults: &mut Vec<Fault>,
) {
    for setting in table.settings {
        let key = Key { table, setting, name: name.map(|(name, _)| name.clone()) };
        let written = key.to_string();
        if resolution.values.contains_key(&written) || faulty.contains(&written) {
            continue;
        }
        match (&setting.fallback, name) {
            (Fallback::Default(text), _) => {
                let value = setting
                    .kind
                    .read(&Raw::Untyped((*text).to_owned()))
                    .expect("a test reads every default in the list");
                let resolved = Resolved { value, origin: Origin::Default, secret_file: None };
                resolution.values.insert(written, resolved);
            }
            (Fallback::Required(example), Some((_, origin))) => {
                faults.push(missing(&key, example, origin));
            }
            (Fallback::Required(_), None) => {}
        }
    }
}

fn missing(key: &Key, example: &str, origin: &Origin) -> Fault {
    let setting = key.setting;
    let line = match setting.kind.read(&Raw::Untyped(example.to_owned())) {
        Ok(value) if !setting.kind.is_secret() => format!("{} = {value}", setting.key),
        _ => format!("{}{FILE_SUFFIX} = \"{example}\"", setting.key),
    };
    Fault::at(key.to_string(), origin, format!("missing; write for example {line}"))
}

fn given_twice(first: &Given, second: &Given) -> Fault {
    let problem =
        format!("also given as {} ({}); keep one of the two", first.written_key(), first.origin);
    Fault::at(second.written_key(), &second.origin, problem)
}

fn wrong_value(given: &Given, problem: String) -> Fault {
    let value = Some(shown(given));
    let place = Some(given.origin.to_string());
    Fault { subject: given.written_key(), value, place, problem }
}

/// A value as it may be shown. What does not look like a path where one was asked for may be the
/// secret itself, put under the wrong key; and an address may carry a password.
fn shown(given: &Given) -> String {
    let looks_like_a_path =
        |text: &str| ["/", "./", "../"].iter().any(|start| text.starts_with(start));
    let text = match &given.raw {
        Raw::Untyped(text) | Raw::Text(text) => Some(text.as_str()),
        _ => None,
    };
    if given.key.setting.kind.is_secret() {
        let path = text.filter(|text| given.is_secret_file && looks_like_a_path(text));
        return path.map_or(HIDDEN.to_owned(), |_| given.raw.to_string());
    }
    match text.map(|text| (text, text.rfind('@'), text.find("://"))) {
        Some((text, Some(at), scheme)) => {
            let start = scheme.map_or(0, |scheme| scheme + "://".len()).min(at);
            let (scheme, rest) = text.split_at(start);
            let host = rest.get(at - start..).unwrap_or_default();
            Raw::Text(format!("{scheme}***{host}")).to_string()
        }
        _ => given.raw.to_string(),
    }
}
