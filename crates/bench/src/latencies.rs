//! Latencies of one cell, and what is quoted of them.

use std::time::Duration;

/// Every latency of a cell, in the order of size once sorted.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Latencies {
    /// Takes note of one.
    pub(crate) fn add(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    /// Takes in those of another caller.
    pub(crate) fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> usize {
        self.0.len()
    }

    /// The latency that this many of a thousand do not exceed.
    pub(crate) fn per_mille(&mut self, share: usize) -> Duration {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        self.0.get(last * share / 1000).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_taken_of_the_sorted_latencies() {
        let mut latencies = Latencies::default();
        for milliseconds in (1..=1000).rev() {
            latencies.add(Duration::from_millis(milliseconds));
        }
        assert_eq!(latencies.per_mille(500), Duration::from_millis(500));
        assert_eq!(latencies.per_mille(999), Duration::from_millis(999));
        assert_eq!(latencies.per_mille(1000), Duration::from_millis(1000));
        assert_eq!(Latencies::default().per_mille(500), Duration::ZERO);
    }
}
