//! The configuration: defaults, a TOML file, the environment and flags, laid over each other.
//!
//! [`settings`] is the one list from which everything else is made. [`load`] is a function of its
//! [`Sources`] alone; only [`Sources::of_process`] touches the process and the disk. Invariants: a
//! configuration exists only if nothing at all is wrong with its sources; every fault is reported,
//! not only the first; secrets are shown nowhere.
//!
//! It opens none of the files that it names except those with secrets: whether a certificate or a
//! folder is usable is known to whoever uses it.

pub(crate) mod base_url;
pub(crate) mod choice;
mod consistency;
mod default_file;
pub(crate) mod effective;
mod environment;
pub(crate) mod fault;
pub(crate) mod file;
mod given;
mod key;
mod kind;
pub(crate) mod name;
mod resolve;
pub(crate) mod sealing;
pub(crate) mod secret;
mod settings;
pub(crate) mod typed;
mod value;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::Path;

use effective::Effective;
use fault::{Fault, Faults};
use file::File;
use given::{Gathered, Given, Origin};
use key::Key;
pub(crate) use kind::parse_duration;
use resolve::ReadSecret;
use settings::TABLES;
use typed::Configuration;
use value::Raw;

/// The longest file that is read, in bytes; far beyond any sensible one.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where settings come from, besides the defaults.
pub(crate) struct Sources<'a> {
    /// The file, if there is one.
    pub(crate) file: Option<File>,
    /// All variables of the environment.
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// The flags that were given, with their values as typed.
    pub(crate) flags: Vec<(&'static str, String)>,
    /// Reads files with secrets.
    pub(crate) read_secret: ReadSecret<'a>,
}

impl Sources<'static> {
    /// The sources of this process. Fails if the file cannot be read.
    pub(crate) fn of_process(
        file: Option<&Path>,
        flags: Vec<(&'static str, String)>,
    ) -> Result<Self, Faults> {
        let read = |path: &Path| match read_text(path) {
            Ok(text) => Ok(File { path: path.display().to_string(), text }),
            Err(error) => {
                let problem =
                    format!("cannot be read ({error}); write the path of a readable file");
                Err(Faults(vec![Fault::of(path.display().to_string(), problem)]))
            }
        };
        let file = file.map(read).transpose()?;
        let environment = std::env::vars_os().collect();
        Ok(Self { file, environment, flags, read_secret: &read_text })
    }
}

/// What was loaded.
#[derive(Debug, Clone)]
pub(crate) struct Loaded {
    /// For the program.
    pub(crate) configuration: Configuration,
    /// For people.
    pub(crate) effective: Effective,
}

/// Lays the sources over the defaults. Fails with everything that is wrong with them.
pub(crate) fn load(sources: &Sources<'_>) -> Result<Loaded, Faults> {
    let mut gathered = Gathered::default();
    if let Some(file) = &sources.file {
        file::gather(file, &mut gathered);
    }
    environment::gather(&sources.environment, &mut gathered);
    gather_flags(&sources.flags, &mut gathered);
    let mut faults = Vec::new();
    let resolution = resolve::resolve(gathered, sources.read_secret, &mut faults);
    consistency::check(&resolution, &mut faults);
    if !faults.is_empty() {
        return Err(Faults(faults));
    }
    let configuration = Configuration::from_resolution(&resolution);
    Ok(Loaded { configuration, effective: Effective::of(&resolution) })
}

/// What holds where nobody sets anything.
pub(crate) fn defaults() -> Configuration {
    let sources =
        Sources { file: None, environment: Vec::new(), flags: Vec::new(), read_secret: &read_text };
    load(&sources).expect("the list's own values are good; a test loads them").configuration
}

/// The commented default file, which is the manual; `docs/lunas.toml` is a copy of it.
pub(crate) fn default_file() -> String {
    default_file::text()
}

fn gather_flags(flags: &[(&'static str, String)], gathered: &mut Gathered) {
    for (flag, value) in flags {
        let found = TABLES.iter().find_map(|table| {
            let setting = table.settings.iter().find(|setting| setting.flag == Some(*flag))?;
            Some(Key { table, setting, name: None })
        });
        let Some(key) = found else {
            gathered.faults.push(Fault::of(*flag, "sets nothing; leave it out"));
            continue;
        };
        let (raw, origin) = (Raw::Untyped(value.clone()), Origin::Flag(flag));
        gathered.values.push(Given { key, raw, is_secret_file: false, origin });
    }
}

/// Reads a text file, but never more than a sensible one can have, whatever the path names.
fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() > usize::try_from(FILE_BYTES_MAX).unwrap_or(usize::MAX) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is longer than 1 MiB"));
    }
    Ok(text)
}
