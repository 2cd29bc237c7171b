//! What the layers give: values with the place where each was written.

use std::collections::BTreeMap;
use std::fmt;

use super::fault::Fault;
use super::key::{self, Key};
use super::name::Name;
use super::settings::Table;
use super::value::Raw;

/// How the built-in origin is called.
pub(super) const DEFAULT: &str = "default";

/// Where a value comes from. Later ones override earlier ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Origin {
    /// Built in.
    Default,
    /// The file, as it was named, and the line in it, counted from 1.
    File(String, usize),
    /// This environment variable.
    Environment(String),
    /// This flag.
    Flag(&'static str),
}

impl Origin {
    /// Whether both are in the same layer.
    pub(super) fn is_level_with(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str(DEFAULT),
            Self::File(file, line) => write!(formatter, "{file}:{line}"),
            Self::Environment(variable) => write!(formatter, "environment {variable}"),
            Self::Flag(flag) => write!(formatter, "flag {flag}"),
        }
    }
}

/// One value that somebody wrote for a setting that exists.
pub(super) struct Given {
    pub(super) key: Key,
    pub(super) raw: Raw,
    /// Whether the value is the path of a file with the secret.
    pub(super) is_secret_file: bool,
    pub(super) origin: Origin,
}

impl Given {
    /// The key as it was written.
    pub(super) fn written_key(&self) -> String {
        let suffix = if self.is_secret_file { key::FILE_SUFFIX } else { "" };
        format!("{}{suffix}", self.key)
    }
}

/// Everything that the layers gave, in the order of precedence.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) values: Vec<Given>,
    /// The names of each named table with the place where each was first written, also of tables
    /// without a valid key.
    pub(super) names: BTreeMap<&'static str, BTreeMap<Name, Origin>>,
    pub(super) faults: Vec<Fault>,
}

impl Gathered {
    /// Notes that a named table exists.
    pub(super) fn note_name(&mut self, table: &'static Table, name: Name, origin: Origin) {
        self.names.entry(table.name).or_default().entry(name).or_insert(origin);
    }
}
