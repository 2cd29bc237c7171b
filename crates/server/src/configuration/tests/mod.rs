//! The loader as a whole: text, variables and flags in, configuration or faults out.

mod default_file;
mod kinds;
mod layers;
mod list;
mod relations;
mod secrets;
mod unknown;

use std::io;
use std::path::Path;

use super::fault::Faults;
use super::file::File;
use super::{Loaded, Sources, load};

/// What a test feeds to the loader.
#[derive(Default)]
struct Given<'a> {
    file: &'a str,
    environment: &'a [(&'a str, &'a str)],
    flags: &'a [(&'static str, &'a str)],
    /// Files with secrets, by path.
    secrets: &'a [(&'a str, &'a str)],
}

impl Given<'_> {
    fn load(&self) -> Result<Loaded, Faults> {
        let read_secret = |path: &Path| {
            let found = self.secrets.iter().find(|(name, _)| Path::new(name) == path);
            found.map(|(_, text)| (*text).to_owned()).ok_or(io::ErrorKind::NotFound.into())
        };
        let text = self.file.to_owned();
        let environment = self.environment.iter().map(|(name, value)| (name.into(), value.into()));
        let flags = self.flags.iter().map(|(flag, value)| (*flag, (*value).to_owned()));
        load(&Sources {
            file: Some(File { path: "lunas.toml".to_owned(), text }),
            environment: environment.collect(),
            flags: flags.collect(),
            read_secret: &read_secret,
        })
    }

    /// The sentences of everything that is wrong.
    fn faults(&self) -> Vec<String> {
        match self.load() {
            Ok(_) => Vec::new(),
            Err(faults) => faults.to_string().lines().map(str::to_owned).collect(),
        }
    }

    /// Value and origin of a key, as `lunas check` shows them.
    fn effective(&self, key: &str) -> (String, String) {
        let loaded = self.load().unwrap_or_else(|faults| panic!("{faults}"));
        let found = loaded.effective.0.into_iter().find(|setting| setting.key == key);
        found.map(|setting| (setting.value, setting.origin)).unwrap()
    }
}

/// The faults of a file alone.
fn faults_of(file: &str) -> Vec<String> {
    Given { file, ..Given::default() }.faults()
}
