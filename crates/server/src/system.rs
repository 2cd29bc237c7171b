//! The only place that reads the wall clock and draws from the operating system's randomness.

use std::cell::RefCell;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::{ProcessId, Timestamp};
use gateway::ports::{Clock, Entropy};

/// The wall clock, moved by an offset that only the sandbox's tests set.
#[derive(Debug, Default)]
pub(crate) struct SystemClock {
    offset_milliseconds: AtomicI64,
}

impl SystemClock {
    /// Makes the clock show this instant now and run on from there.
    pub(crate) fn set(&self, instant: Timestamp) {
        let offset = instant.milliseconds().saturating_sub(wall_clock().milliseconds());
        self.offset_milliseconds.store(offset, Ordering::Relaxed);
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let offset = self.offset_milliseconds.load(Ordering::Relaxed);
        Timestamp::from_milliseconds(wall_clock().milliseconds().saturating_add(offset))
    }
}

/// The wall clock itself, which no test moves; the log goes by it.
#[expect(clippy::disallowed_methods, reason = "this is the system clock behind the port")]
pub(crate) fn wall_clock() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_milliseconds(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

/// The operating system's randomness.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemEntropy;

impl Entropy for SystemEntropy {
    /// Ends the process if the operating system has no randomness: keys must never be guessable.
    #[expect(clippy::disallowed_methods, reason = "this is the system entropy behind the port")]
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            tracing::error!(%error, "the operating system gives no randomness");
            std::process::abort();
        }
    }
}

/// How much randomness for names a thread draws at a time, in bytes.
const NAMES_BYTES: usize = 1024;

/// Randomness for names that nobody else has, such as those of requests and traces. It is drawn ahead
/// for many of them, because a call of the operating system costs more than all else about a name.
///
/// Never for keys, tokens, nonces or anything else that must stay secret: what has been drawn lies in
/// memory before it is used and afterwards. Those come from [`SystemEntropy`], one by one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EntropyForNames;

/// Randomness that was drawn and not used yet: what lies behind `used`.
struct DrawnAhead {
    bytes: [u8; NAMES_BYTES],
    used: usize,
}

thread_local! {
    static NAMES: RefCell<DrawnAhead> =
        const { RefCell::new(DrawnAhead { bytes: [0; NAMES_BYTES], used: NAMES_BYTES }) };
}

impl DrawnAhead {
    /// Bytes that nobody has been given; None if so many are never drawn at a time.
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        if self.bytes.len() - self.used < count {
            SystemEntropy.fill(&mut self.bytes);
            self.used = 0;
        }
        let taken = self.bytes.get(self.used..)?.get(..count)?;
        self.used += count;
        Some(taken)
    }
}

impl Entropy for EntropyForNames {
    fn fill(&self, bytes: &mut [u8]) {
        NAMES.with_borrow_mut(|names| match names.take(bytes.len()) {
            Some(taken) => bytes.copy_from_slice(taken),
            None => SystemEntropy.fill(bytes),
        });
    }
}

/// A number for this run of the program that no other run has.
pub(crate) fn new_process() -> ProcessId {
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes);
    ProcessId(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_name_is_given_twice_on_whatever_thread() {
        let names = || {
            let name = |_| {
                let mut bytes = [0; 16];
                EntropyForNames.fill(&mut bytes);
                bytes
            };
            (0..1000).map(name).collect::<Vec<[u8; 16]>>()
        };
        let (mut all, others) = std::thread::scope(|scope| {
            let other = scope.spawn(names);
            (names(), other.join().unwrap())
        });
        all.extend(others);
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 2000);
    }

    #[test]
    fn names_of_any_length_are_filled() {
        for length in [0, 1, 7, NAMES_BYTES - 1, NAMES_BYTES, NAMES_BYTES + 1] {
            let mut bytes = vec![0; length];
            EntropyForNames.fill(&mut bytes);
            let zeros = bytes.iter().filter(|byte| **byte == 0).count();
            assert!(zeros <= length / 8 + 2, "{length} bytes with {zeros} zeros");
        }
    }
}
