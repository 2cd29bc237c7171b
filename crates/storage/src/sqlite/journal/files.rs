//! What the journal needs of a file system, and the real one.
//!
//! The journal is written against these few calls, so that the tests can lose, tear and refuse each
//! of them. Nothing here decides anything.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// A directory of segments.
pub(super) trait Directory: Send + Sync {
    /// The names of what is in it.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Opens a file, to read and, if `writing`, to write it.
    fn open(&self, name: &str, writing: bool) -> io::Result<Box<dyn SegmentFile>>;

    /// Makes an empty file, or empties the one that is there.
    fn create(&self, name: &str) -> io::Result<Box<dyn SegmentFile>>;

    /// Gives a file another name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Takes a file away.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Makes names durable.
    fn sync(&self) -> io::Result<()>;
}

/// An open segment.
pub(super) trait SegmentFile: Send + Sync {
    /// Its length in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Fills the buffer from this offset; tells how many bytes there were before the file ended.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of these bytes at this offset.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes durable what was written, and the length where it grew.
    fn sync(&self) -> io::Result<()>;
}

/// A directory of the operating system.
pub(super) struct Disk(PathBuf);

impl Disk {
    /// The directory, made if need be, readable by its owner alone because it holds customers' data.
    pub(super) fn make(path: &Path) -> io::Result<Self> {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        // It is only there after a crash once its parent is flushed, and whoever made it may have
        // crashed before.
        if let Some(parent) = std::path::absolute(path)?.parent() {
            File::open(parent)?.sync_all()?;
        }
        Ok(Self(path.to_owned()))
    }

    /// The directory, which may not exist.
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }
}

impl Directory for Disk {
    fn names(&self) -> io::Result<Vec<String>> {
        let entries = std::fs::read_dir(&self.0)?;
        let name = |entry: io::Result<std::fs::DirEntry>| {
            // A name that is no text is none of ours.
            entry.map(|entry| entry.file_name().into_string().ok())
        };
        entries.map(name).filter_map(Result::transpose).collect()
    }

    fn open(&self, name: &str, writing: bool) -> io::Result<Box<dyn SegmentFile>> {
        let file = OpenOptions::new().read(true).write(writing).open(self.0.join(name))?;
        Ok(Box::new(file))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn SegmentFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true).mode(0o600);
        Ok(Box::new(options.open(self.0.join(name))?))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.0.join(from), self.0.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.0.join(name))
    }

    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

impl SegmentFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match FileExt::read_at(
                self,
                &mut buffer[filled..],
                offset + super::layout::offset(filled),
            ) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_data()
    }
}
