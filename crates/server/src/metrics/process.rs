//! What the operating system says of this process, read when it is asked for.
//!
//! Linux only; elsewhere, and wherever something cannot be read, that figure is simply missing.

use std::fs;
use std::path::Path;

/// Clock ticks per second in `/proc`, the same on every Linux that Rust supports.
const TICKS_PER_SECOND: u64 = 100;

/// What is known of the process.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Process {
    /// Memory that is really there, in bytes.
    pub(super) resident_bytes: Option<u64>,
    /// Processor time of all threads, in hundredths of a second.
    pub(super) processor_centiseconds: Option<u64>,
    /// When it started, in hundredths of a second since 1970.
    pub(super) started_centiseconds: Option<u64>,
    /// How many threads it has.
    pub(super) threads: Option<u64>,
    /// How many files and sockets are open.
    pub(super) open_files: Option<u64>,
    /// How many may be.
    pub(super) open_files_max: Option<u64>,
}

impl Process {
    /// How it stands now.
    pub(super) fn now() -> Self {
        let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let open_files = fs::read_dir("/proc/self/fd").ok();
        let open_files = open_files.and_then(|entries| u64::try_from(entries.count()).ok());
        let mut process = Self::read(
            &text("/proc/self/stat"),
            &text("/proc/self/status"),
            &text("/proc/self/limits"),
            &text("/proc/stat"),
        );
        // Looking opens one more.
        process.open_files = open_files.map(|count| count.saturating_sub(1));
        process
    }

    fn read(stat: &str, status: &str, limits: &str, system: &str) -> Self {
        // The name of the program comes first and may contain anything, in parentheses.
        let fields = stat.rsplit_once(") ").map(|(_, rest)| rest).unwrap_or_default();
        let field = |number: usize| -> Option<u64> {
            // The state, which follows the name, is field 3 of proc(5).
            fields.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
        };
        let processor = field(14).and_then(|user| Some(user.saturating_add(field(15)?)));
        let booted =
            named(system, "btime ").map(|seconds| seconds.saturating_mul(TICKS_PER_SECOND));
        Self {
            resident_bytes: named(status, "VmRSS:").map(|kibibytes| kibibytes.saturating_mul(1024)),
            processor_centiseconds: processor,
            started_centiseconds: booted.and_then(|boot| Some(boot.saturating_add(field(22)?))),
            threads: field(20),
            open_files: None,
            open_files_max: named(limits, "Max open files"),
        }
    }
}

/// The first number behind a name at the beginning of a line.
fn named(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Room on the disk that holds a folder, in bytes: free for this program, and in all.
pub(super) fn room(folder: &Path) -> Option<(u64, u64)> {
    let room = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(room.f_frsize);
    Some((bytes(room.f_bavail), bytes(room.f_blocks)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_their_places() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 9 0 1000 1 2 3\n";
        let status = "Name:\ta\nVmRSS:\t    2048 kB\nThreads:\t9\n";
        let limits = "Limit  Soft Limit Hard Limit Units\nMax open files  1024 4096 files\n";
        let system = "cpu 1 2 3\nbtime 1700000000\n";
        let process = Process::read(stat, status, limits, system);
        let expected = Process {
            resident_bytes: Some(2_097_152),
            processor_centiseconds: Some(300),
            started_centiseconds: Some(170_000_001_000),
            threads: Some(9),
            open_files: None,
            open_files_max: Some(1024),
        };
        assert_eq!(process, expected);
    }

    #[test]
    fn what_cannot_be_read_is_missing() {
        assert_eq!(Process::read("", "", "", ""), Process::default());
        assert_eq!(Process::read("7 (a) S 1", "VmRSS: much", "Max", "btime"), Process::default());
        assert_eq!(room(Path::new("/no/such/folder")), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_known() {
        let process = Process::now();
        assert!(process.resident_bytes.is_some_and(|bytes| bytes > 100_000), "{process:?}");
        assert!(process.open_files.is_some_and(|count| count >= 3), "{process:?}");
        assert!(process.started_centiseconds.is_some(), "{process:?}");
        let (free, all) = room(Path::new("/")).unwrap();
        assert!(free <= all && all > 0);
    }
}
