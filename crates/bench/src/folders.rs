//! Where measured data lies.
//!
//! All of it stays until the end, because to delete large files makes later flushes wait for some
//! tenths of a second, and the next figure would be one of the last one's files.

use std::path::PathBuf;

use anyhow::Context;
use tempfile::TempDir;

/// Deletes what lies in it when dropped.
pub(crate) struct Folders(TempDir);

impl Folders {
    /// Without any folder yet.
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self(TempDir::new().context("no folder for the data")?))
    }

    /// A new, empty folder.
    pub(crate) fn another(&self) -> anyhow::Result<PathBuf> {
        let folder = TempDir::new_in(self.0.path()).context("no folder for the data")?;
        Ok(folder.keep())
    }
}
