//! What `lunas check` prints: every setting with the value that holds and where it comes from.
//!
//! The lines are TOML, so that what was looked up can be copied into the file. Secrets are masked.

use std::fmt;

use super::fault::Fault;
use super::given::DEFAULT;
use super::key::Key;
use super::resolve::Resolution;
use super::settings::TABLES;

/// One setting as it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EffectiveSetting {
    /// Its key as in the file.
    pub(crate) key: String,
    /// Its value as in the file; of a secret only the mask.
    pub(crate) value: String,
    /// Where the value comes from, and for a secret from which file.
    pub(crate) origin: String,
}

/// Every setting as it holds, in the order of the default file; named tables by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Effective(pub(crate) Vec<EffectiveSetting>);

impl Effective {
    /// Lists everything in a resolution.
    pub(super) fn of(resolution: &Resolution) -> Self {
        let mut listed = Vec::new();
        for table in TABLES {
            let names: Vec<_> = match table.example_name {
                None => vec![None],
                Some(_) => resolution.names(table.name).iter().cloned().map(Some).collect(),
            };
            for name in names {
                for setting in table.settings {
                    let key = Key { table, setting, name: name.clone() }.to_string();
                    let Some(resolved) = resolution.values.get(&key) else { continue };
                    let origin = match &resolved.secret_file {
                        None => resolved.origin.to_string(),
                        Some(file) => format!("{}, file {}", resolved.origin, file.display()),
                    };
                    let value = resolved.value.to_string();
                    listed.push(EffectiveSetting { key, value, origin });
                }
            }
        }
        Self(listed)
    }

    /// A fault that shows only when the value of a setting is used: with the value that holds and
    /// the place where it was written.
    pub(crate) fn fault(&self, key: &str, problem: String) -> Fault {
        let found = self.0.iter().find(|it| it.key == key);
        Fault {
            subject: key.to_owned(),
            value: found.map(|it| it.value.clone()),
            place: found.map(|it| it.origin.clone()),
            problem,
        }
    }

    /// The keys among these that somebody has set.
    pub(crate) fn set_among(&self, keys: &'static [&str]) -> impl Iterator<Item = &str> {
        let is_set =
            move |it: &&EffectiveSetting| it.origin != DEFAULT && keys.contains(&it.key.as_str());
        self.0.iter().filter(is_set).map(|it| it.key.as_str())
    }
}

impl fmt::Display for Effective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<_> =
            self.0.iter().map(|it| (format!("{} = {}", it.key, it.value), &it.origin)).collect();
        let width = lines.iter().map(|(line, _)| line.chars().count()).max().unwrap_or_default();
        for (line, origin) in lines {
            writeln!(formatter, "{line:width$}  # {origin}")?;
        }
        Ok(())
    }
}
