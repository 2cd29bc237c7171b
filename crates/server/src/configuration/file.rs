//! The file layer: TOML in, values with their lines out.
//!
//! Messages never quote the text of the file, because any line may hold a secret.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Fault;
use super::given::{Gathered, Given, Origin};
use super::key::{self, Key};
use super::name::{NAME_RULE, Name};
use super::settings::Table;
use super::value::Raw;

/// A configuration file that was read.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Its path, as it shall be named to people.
    pub(crate) path: String,
    /// Its text.
    pub(crate) text: String,
}

/// Takes in what the file says.
pub(super) fn gather(file: &File, gathered: &mut Gathered) {
    let (root, errors) = DeTable::parse_recoverable(&file.text);
    let mut reader = Reader { file, gathered: Gathered::default(), lines: Vec::new() };
    for error in errors {
        let origin = reader.origin(&error.span().unwrap_or(0..0));
        // The parser's message names what it expected, never what it found.
        reader.fault(&file.path, origin, format!("not valid TOML: {}", error.message()));
    }
    // After a syntax error the parser guesses; what it guesses would only raise false alarms.
    if reader.lines.is_empty() {
        reader.read_root(root.get_ref());
    }
    reader.hand_over(gathered);
}

struct Reader<'a> {
    file: &'a File,
    gathered: Gathered,
    /// The line of each fault.
    lines: Vec<usize>,
}

impl Reader<'_> {
    fn read_root(&mut self, root: &DeTable<'_>) {
        for (key, value) in root {
            let origin = self.origin(&key.span());
            let written = key.get_ref().as_ref();
            let Some(table) = key::table(written) else {
                self.fault(&shown(&[written]), origin, unknown(&[written], None));
                continue;
            };
            match (value.get_ref(), table.example_name) {
                (DeValue::Table(inner), None) => self.read_settings(inner, table, None),
                (DeValue::Table(inner), Some(_)) => self.read_names(inner, table),
                (_, example) => self.fault(written, origin, not_a_table(table, example)),
            }
        }
    }

    fn read_names(&mut self, names: &DeTable<'_>, table: &'static Table) {
        for (key, value) in names {
            let origin = self.origin(&key.span());
            let written = key.get_ref().as_ref();
            let path = [table.name, written];
            let DeValue::Table(inner) = value.get_ref() else {
                self.fault(&shown(&path), origin, not_a_table(table, table.example_name));
                continue;
            };
            let Some(name) = Name::new(written) else {
                self.fault(&shown(&path), origin, format!("not a name; {NAME_RULE}"));
                continue;
            };
            self.gathered.note_name(table, name.clone(), origin);
            self.read_settings(inner, table, Some(&name));
        }
    }

    fn read_settings(
        &mut self,
        settings: &DeTable<'_>,
        table: &'static Table,
        name: Option<&Name>,
    ) {
        for (key, value) in settings {
            let origin = self.origin(&key.span());
            let written = key.get_ref().as_ref();
            let Some((setting, is_secret_file)) = key::setting(table, written) else {
                let mut path = vec![table.name];
                path.extend(name.map(Name::as_str));
                path.push(written);
                self.fault(&shown(&path), origin, unknown(&path, Some(table)));
                continue;
            };
            let key = Key { table, setting, name: name.cloned() };
            let raw = raw(value);
            self.gathered.values.push(Given { key, raw, is_secret_file, origin });
        }
    }

    fn origin(&self, span: &Range<usize>) -> Origin {
        let before = self.file.text.as_bytes().get(..span.start).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Origin::File(self.file.path.clone(), line)
    }

    fn fault(&mut self, subject: &str, origin: Origin, problem: String) {
        if let Origin::File(_, line) = &origin {
            self.lines.push(*line);
            self.gathered.faults.push(Fault::at(subject, origin, problem));
        }
    }

    /// Hands over what was found, faults in the order of the file.
    fn hand_over(self, gathered: &mut Gathered) {
        let mut faults: Vec<_> = self.lines.into_iter().zip(self.gathered.faults).collect();
        faults.sort_by_key(|(line, _)| *line);
        gathered.faults.extend(faults.into_iter().map(|(_, fault)| fault));
        gathered.values.extend(self.gathered.values);
        for (table, names) in self.gathered.names {
            gathered.names.entry(table).or_default().extend(names);
        }
    }
}

fn not_a_table(table: &Table, example: Option<&str>) -> String {
    match example {
        None => format!("a table; write [{}] on a line of its own and its keys below", table.name),
        Some(name) => format!(
            "named tables; write [{}.NAME], for example [{}.{name}], and the keys below",
            table.name, table.name
        ),
    }
}

/// What to say of a key that does not exist.
pub(super) fn unknown(path: &[&str], table: Option<&Table>) -> String {
    match (key::nearest(path), table) {
        (Some(near), _) => format!("unknown; did you mean {near}?"),
        (None, Some(table)) => {
            format!("unknown; [{}] has the keys {}", table.name, key::keys_of(table).join(", "))
        }
        (None, None) => {
            let tables: Vec<_> = super::settings::TABLES.iter().map(|table| table.name).collect();
            format!("unknown; the tables are {}", tables.join(", "))
        }
    }
}

/// A path of keys as it is shown: bare keys bare, all else quoted.
fn shown(path: &[&str]) -> String {
    let is_bare = |key: &str| {
        !key.is_empty() && key.chars().all(|it| it.is_ascii_alphanumeric() || "-_".contains(it))
    };
    let parts: Vec<_> = path
        .iter()
        .map(|key| {
            if is_bare(key) { (*key).to_owned() } else { Raw::Text((*key).to_owned()).to_string() }
        })
        .collect();
    parts.join(".")
}

fn raw(value: &Spanned<DeValue<'_>>) -> Raw {
    match value.get_ref() {
        DeValue::String(text) => Raw::Text(text.clone().into_owned()),
        DeValue::Boolean(boolean) => Raw::Boolean(*boolean),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or_else(
                |_| Raw::Unfit("an integer beyond 64 bits", integer.to_string()),
                Raw::Integer,
            ),
        DeValue::Float(float) => Raw::Unfit("a fraction", float.to_string()),
        DeValue::Datetime(datetime) => Raw::Unfit("a date or time", datetime.to_string()),
        DeValue::Table(_) => Raw::Unfit("a table", "{…}".to_owned()),
        DeValue::Array(array) => array
            .iter()
            .map(|element| element.get_ref().as_str().map(str::to_owned))
            .collect::<Option<_>>()
            .map_or_else(|| Raw::Unfit("an array of something else", "[…]".to_owned()), Raw::List),
    }
}
