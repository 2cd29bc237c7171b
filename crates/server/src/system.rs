//! The only place that reads the wall clock and draws from the operating system's randomness.

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

/// A number for this run of the program that no other run has.
pub(crate) fn new_process() -> ProcessId {
    let mut bytes = [0; 8];
    SystemEntropy.fill(&mut bytes);
    ProcessId(u64::from_be_bytes(bytes))
}
