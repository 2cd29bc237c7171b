//! What is counted with: counters, gauges, histograms, and families of them.
//!
//! Everything on the path of a request is one or two relaxed atomic additions; nothing is locked,
//! formatted or allocated there, but for the first time that a family meets a pair of labels. There
//! are no floating-point numbers: times are kept in nanoseconds and written as seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;

/// How many pairs of labels a family keeps apart. Whatever comes later is counted as `other`, so
/// that nothing from outside can make the families grow without end.
const MEMBERS_MAX: usize = 1024;
const OTHER: &str = "other";

/// Bounds for times from a fraction of a millisecond to minutes, in nanoseconds.
pub(super) const TIMES: &[u64] = &[
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    10_000_000_000,
    30_000_000_000,
    120_000_000_000,
];

/// Bounds for the number of commands in a commit.
pub(super) const SIZES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/// Only ever grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub(crate) fn increment(&self) {
        self.add(1);
    }

    /// So many more.
    pub(crate) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// How many there were.
    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Goes up and down.
#[derive(Debug, Default)]
pub(crate) struct Gauge(AtomicI64);

impl Gauge {
    /// One more.
    pub(crate) fn increment(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// So many less.
    pub(crate) fn subtract(&self, amount: i64) {
        self.0.fetch_sub(amount, Ordering::Relaxed);
    }

    /// How many there are.
    pub(crate) fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the numbers of a histogram mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// Just numbers.
    Ones,
    /// Kept in nanoseconds, written in seconds.
    Seconds,
}

/// How often a number fell below each of several bounds.
#[derive(Debug)]
pub(crate) struct Histogram {
    pub(super) unit: Unit,
    pub(super) bounds: &'static [u64],
    /// One for each bound, and one for what lies above the last.
    buckets: Box<[Counter]>,
    sum: AtomicU64,
}

impl Histogram {
    /// Of times.
    pub(super) fn of_times() -> Self {
        Self::new(Unit::Seconds, TIMES)
    }

    /// Of numbers of commands.
    pub(super) fn of_sizes() -> Self {
        Self::new(Unit::Ones, SIZES)
    }

    fn new(unit: Unit, bounds: &'static [u64]) -> Self {
        let buckets = (0..=bounds.len()).map(|_| Counter::default()).collect();
        Self { unit, bounds, buckets, sum: AtomicU64::new(0) }
    }

    /// Counts a time.
    pub(crate) fn observe_time(&self, took: Duration) {
        self.observe(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Counts a number, in the histogram's unit.
    pub(crate) fn observe(&self, number: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < number);
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.increment();
        }
        self.sum.fetch_add(number, Ordering::Relaxed);
    }

    /// How many numbers fell into each bucket, the last being above all bounds.
    pub(super) fn counts(&self) -> impl Iterator<Item = u64> {
        self.buckets.iter().map(Counter::value)
    }

    /// All numbers together.
    pub(super) fn sum(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }
}

/// One instrument, or an array of them, for each pair of labels.
pub(crate) struct Family<Instrument> {
    members: ArcSwap<Vec<Member<Instrument>>>,
    new: fn() -> Instrument,
}

/// An instrument and its labels.
pub(super) struct Member<Instrument> {
    pub(super) labels: [Box<str>; 2],
    pub(super) instrument: Arc<Instrument>,
}

impl<Instrument> Clone for Member<Instrument> {
    fn clone(&self) -> Self {
        Self { labels: self.labels.clone(), instrument: Arc::clone(&self.instrument) }
    }
}

impl<Instrument> Family<Instrument> {
    /// No members yet; new ones are made by this.
    pub(super) fn new(new: fn() -> Instrument) -> Self {
        Self { members: ArcSwap::default(), new }
    }

    /// Uses the member of these labels, and makes it if there is none.
    pub(crate) fn with<Used>(
        &self,
        first: &str,
        second: &str,
        used: impl FnOnce(&Instrument) -> Used,
    ) -> Used {
        let members = self.members.load();
        let is_full = members.len() > MEMBERS_MAX;
        let found = place(&members, first, second);
        let found = if is_full { found.or_else(|_| place(&members, OTHER, OTHER)) } else { found };
        match found.ok().and_then(|index| members.get(index)) {
            Some(member) => used(&member.instrument),
            None => used(&self.add(first, second)),
        }
    }

    fn add(&self, first: &str, second: &str) -> Arc<Instrument> {
        let mut made = Arc::new((self.new)());
        self.members.rcu(|members| {
            let room = members.len() < MEMBERS_MAX;
            let (first, second) = if room { (first, second) } else { (OTHER, OTHER) };
            let mut members = Vec::clone(members);
            match place(&members, first, second) {
                Ok(index) => made = Arc::clone(&members[index].instrument),
                Err(index) => {
                    let labels = [first.into(), second.into()];
                    members.insert(index, Member { labels, instrument: Arc::clone(&made) });
                }
            }
            members
        });
        made
    }

    /// All members, in the order of their labels.
    pub(super) fn members(&self) -> Arc<Vec<Member<Instrument>>> {
        self.members.load_full()
    }
}

fn place<Instrument>(
    members: &[Member<Instrument>],
    first: &str,
    second: &str,
) -> Result<usize, usize> {
    members.binary_search_by(|member| {
        let [left, right] = &member.labels;
        (&**left, &**right).cmp(&(first, second))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_falls_into_the_first_bucket_that_bounds_it() {
        let histogram = Histogram::of_sizes();
        for number in [0, 1, 2, 3, 1024, 1025] {
            histogram.observe(number);
        }
        let counts: Vec<_> = histogram.counts().collect();
        assert_eq!(counts, [2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(histogram.sum(), 2055);
    }

    #[test]
    fn a_family_keeps_its_members_apart_and_in_order() {
        let family = Family::new(Counter::default);
        for (first, second) in [("b", "x"), ("a", "y"), ("a", "x"), ("b", "x")] {
            family.with(first, second, Counter::increment);
        }
        let members = family.members();
        let listed: Vec<_> = members
            .iter()
            .map(|it| (&*it.labels[0], &*it.labels[1], it.instrument.value()))
            .collect();
        assert_eq!(listed, [("a", "x", 1), ("a", "y", 1), ("b", "x", 2)]);
    }

    #[test]
    fn a_family_does_not_grow_without_end() {
        let family = Family::new(Counter::default);
        for number in 0..2000 {
            family.with(&number.to_string(), "", Counter::increment);
        }
        let members = family.members();
        assert_eq!(members.len(), MEMBERS_MAX + 1);
        let other = members.iter().find(|it| &*it.labels[0] == OTHER).unwrap();
        assert_eq!(usize::try_from(other.instrument.value()), Ok(2000 - MEMBERS_MAX));
    }

    #[test]
    fn members_made_at_the_same_moment_are_one() {
        let family = Family::new(Counter::default);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..100).for_each(|_| family.with("a", "", Counter::increment)));
            }
        });
        assert_eq!(family.members()[0].instrument.value(), 400);
    }
}
