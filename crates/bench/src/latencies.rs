//! Latencies of one cell, and what is quoted of them.
//!
//! They are counted in classes of about a thousandth of their size, because a long measurement has
//! more of them than memory should hold while memory is being measured. The longest is kept as it
//! is.

use std::time::Duration;

/// How many classes there are per doubling, as a power of two. Shorter latencies, in microseconds,
/// have a class each.
const CLASS_BITS: u32 = 10;

/// The latencies of a cell.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    /// How many there are of each class, as far as there are any.
    counts: Vec<u32>,
    total: u64,
    longest: Duration,
}

impl Latencies {
    /// Takes note of one.
    pub(crate) fn add(&mut self, latency: Duration) {
        let class = class_of(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        if class >= self.counts.len() {
            self.counts.resize(class + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(class) {
            *count += 1;
        }
        self.total += 1;
        self.longest = self.longest.max(latency);
    }

    /// Takes in those of another caller.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.counts.len() > self.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.longest = self.longest.max(other.longest);
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> u64 {
        self.total
    }

    /// The longest of all.
    pub(crate) const fn longest(&self) -> Duration {
        self.longest
    }

    /// The latency that this many of a thousand do not exceed.
    pub(crate) fn per_mille(&self, share: u64) -> Duration {
        let place = self.total.saturating_sub(1) * share / 1000;
        let mut before = 0;
        for (class, count) in self.counts.iter().enumerate() {
            before += u64::from(*count);
            if before > place {
                return Duration::from_micros(least_of(class));
            }
        }
        Duration::ZERO
    }
}

/// The class of a latency in microseconds.
fn class_of(micros: u64) -> usize {
    let shift = (u64::BITS - micros.leading_zeros()).saturating_sub(CLASS_BITS + 1);
    let class = (u64::from(shift) << CLASS_BITS) + (micros >> shift);
    usize::try_from(class).unwrap_or(usize::MAX)
}

/// The shortest latency of a class, in microseconds.
fn least_of(class: usize) -> u64 {
    let class = u64::try_from(class).unwrap_or(u64::MAX);
    let shift = (class >> CLASS_BITS).saturating_sub(1);
    (class - (shift << CLASS_BITS)) << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_taken_in_the_order_of_size() {
        let mut latencies = Latencies::default();
        let mut others = Latencies::default();
        for micros in (1..=1000).rev() {
            let half = if micros % 2 == 0 { &mut latencies } else { &mut others };
            half.add(Duration::from_micros(micros));
        }
        latencies.merge(&others);
        assert_eq!(latencies.count(), 1000);
        assert_eq!(latencies.per_mille(500), Duration::from_micros(500));
        assert_eq!(latencies.per_mille(999), Duration::from_micros(999));
        assert_eq!(latencies.longest(), Duration::from_micros(1000));
        assert_eq!(Latencies::default().per_mille(500), Duration::ZERO);
    }

    #[test]
    fn classes_follow_each_other_and_are_narrow() {
        for class in 0..40_000 {
            let least = least_of(class);
            assert_eq!(class_of(least), class, "{least}");
            let next = least_of(class + 1);
            assert_eq!(class_of(next - 1), class, "{next}");
            assert!((next - least) * 1000 <= least || next - least == 1, "{least}");
        }
    }
}
