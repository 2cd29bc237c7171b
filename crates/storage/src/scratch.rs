//! Places for tests to keep data in, each gone when its test is over.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use gateway::ports::Entropy;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A directory of its own, not yet made. It lies beside the test program and not under the
/// system's temporary directory, which may be in memory, where flushing costs nothing.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        let program = std::env::current_exe().expect("the test program has a path");
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("scratch-{}-{count}", std::process::id());
        Self(program.with_file_name(name))
    }

    /// The same in memory where there is such a place, for tests that flush thousands of times and
    /// do not care whether that costs anything.
    pub(crate) fn in_memory() -> Self {
        let beside = Self::new();
        let memory = Path::new("/dev/shm");
        match beside.0.file_name() {
            Some(name) if memory.is_dir() => Self(memory.join(name)),
            _ => beside,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// What a crash at this moment would leave behind, in another directory. A process of its own
    /// copies, because opening and closing the database file in this one would release the locks
    /// that SQLite holds. The tables are kept from changing meanwhile.
    pub(crate) fn crashed(&self) -> Self {
        let still = rusqlite::Connection::open(self.0.join("lunas.db")).expect("connected");
        still.busy_timeout(std::time::Duration::from_secs(5)).expect("set");
        still.execute_batch("begin immediate").expect("nobody else writes");
        self.copy(&["lunas.db", "lunas.db-wal", "journal"])
    }

    /// The database of an engine that has ended, in another directory.
    pub(crate) fn copied(&self) -> Self {
        self.copy(&["lunas.db"])
    }

    fn copy(&self, files: &[&str]) -> Self {
        Self::copy_of(&self.0, files)
    }

    /// Some files of a directory, in another one.
    pub(crate) fn copy_of(directory: &Path, files: &[&str]) -> Self {
        let copy = Self::new();
        std::fs::create_dir(copy.path()).expect("directory is made");
        let copied = std::process::Command::new("cp")
            .arg("-r")
            .args(files.iter().map(|file| directory.join(file)))
            .arg(copy.path())
            .status()
            .expect("cp runs");
        assert!(copied.success());
        copy
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Counts instead of drawing.
pub(crate) struct Counting;

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for (byte, count) in bytes.iter_mut().zip(1..) {
            *byte = count;
        }
    }
}
