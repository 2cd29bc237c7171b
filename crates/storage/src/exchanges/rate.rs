//! How many exchanges are kept of one second: whatever comes first, and nothing is waited for.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many bits of the state count; the others hold the second.
const COUNT_BITS: u32 = 32;

/// Lets so many through per second.
#[derive(Debug)]
pub(super) struct Rate {
    per_second: u64,
    /// The second in which something was let through last, and how many were in it.
    state: AtomicU64,
}

impl Rate {
    pub(super) fn new(per_second: u32) -> Self {
        Self { per_second: u64::from(per_second), state: AtomicU64::new(0) }
    }

    /// Whether one more may pass in this second, counted from any beginning. A second that lies
    /// before the last one counts as the last.
    pub(super) fn admits(&self, second: u64) -> bool {
        let admit = |state: u64| {
            let (last, count) = (state >> COUNT_BITS, state & u64::from(u32::MAX));
            let second = second.min(u64::from(u32::MAX));
            let (second, count) = if second > last { (second, 0) } else { (last, count) };
            (count < self.per_second).then_some((second << COUNT_BITS) | (count + 1))
        };
        self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, admit).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_admits_as_many() {
        let rate = Rate::new(3);
        for second in [0, 1, 7] {
            let admitted = (0..10).filter(|_| rate.admits(second)).count();
            assert_eq!(admitted, 3, "{second}");
        }
        assert!(!rate.admits(2), "time that goes back admits nothing anew");
        assert!(!Rate::new(0).admits(0));
    }
}
