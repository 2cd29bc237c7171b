//! What the operating system says of a process: processor, memory, bytes on their way to the disk.
//!
//! Linux only, as is everything that the figures are compared with.

use std::fs;
use std::time::Duration;

use anyhow::Context;

/// Clock ticks per second in `/proc`, the same on every Linux that Rust supports.
const TICKS_PER_SECOND: u64 = 100;
/// How `/proc` calls the bytes that were given to any write.
const WRITTEN: &str = "wchar:";
/// What the thread calls itself that appends to the journal.
const WRITER: &str = "lunas-writer";
/// What the threads call themselves that write to clients.
const RUNTIME: &str = "lunas-runtime";

/// What a process has used so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Usage {
    /// Processor time of all its threads.
    pub(crate) processor: Duration,
    /// Resident memory in kibibytes.
    pub(crate) memory_kibibytes: u64,
    /// Bytes that it wrote into files. What the kernel counts as written to the disk is no use here: it
    /// takes a piece of its cache that is many pages large for written wherever a byte of it changed.
    pub(crate) written: u64,
}

impl Usage {
    /// That of the process with this number.
    pub(crate) fn of(process: u32) -> anyhow::Result<Self> {
        let text = |file: &str| {
            fs::read_to_string(format!("/proc/{process}/{file}")).context("the process is gone")
        };
        let stat = text("stat")?;
        // The name in parentheses may hold blanks; user and system time are the 12th and 13th
        // fields behind it.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|it| it.parse::<u64>().ok()).sum();
        Ok(Self {
            processor: Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND),
            memory_kibibytes: named(&text("status")?, "VmRSS:").context("no resident size")?,
            written: bytes_into_files(process, &text("io")?)?,
        })
    }

    /// That of this process.
    pub(crate) fn own() -> anyhow::Result<Self> {
        Self::of(std::process::id())
    }
}

/// All that a process wrote, less what its threads wrote that serve clients: those of the runtime, and
/// the first one where it has none.
fn bytes_into_files(process: u32, counts: &str) -> anyhow::Result<u64> {
    let all = named(counts, WRITTEN).context("no count of bytes")?;
    let threads = format!("/proc/{process}/task");
    let first = fs::read_to_string(format!("{threads}/{process}/io")).context("it is gone")?;
    let to_clients = named(&first, WRITTEN).context("no count of bytes")?;
    Ok(all.saturating_sub(to_clients).saturating_sub(written_by(&threads, RUNTIME)?))
}

/// Bytes that this process appended to the journal so far, as its writer handed them over. None as
/// long as the writer has not so much as told its name.
pub(crate) fn journalled() -> anyhow::Result<u64> {
    written_by("/proc/self/task", WRITER)
}

/// What the running threads of this name wrote.
fn written_by(threads: &str, name: &str) -> anyhow::Result<u64> {
    let mut written = 0;
    for thread in fs::read_dir(threads).context("no /proc")? {
        let folder = thread.context("no /proc")?.path();
        if fs::read_to_string(folder.join("comm")).is_ok_and(|own| own.trim() == name) {
            let counts = fs::read_to_string(folder.join("io")).context("a thread is gone")?;
            written += named(&counts, WRITTEN).context("no count of bytes")?;
        }
    }
    Ok(written)
}

/// The first number behind a name at the beginning of a line.
fn named(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_known() {
        let usage = Usage::own().unwrap();
        assert!(usage.memory_kibibytes > 100, "{usage:?}");
        assert!(Usage::of(0).is_err());
    }

    #[test]
    fn numbers_stand_behind_their_names() {
        let text = "VmPeak:\t  9 kB\nVmRSS:\t    2048 kB\nwrite_bytes: 4096\n";
        assert_eq!(named(text, "VmRSS:"), Some(2048));
        assert_eq!(named(text, "write_bytes:"), Some(4096));
        assert_eq!(named(text, "wchar:"), None);
    }
}
