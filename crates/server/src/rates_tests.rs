//! Buckets empty and refill, and wrong signatures keep out only who made them.

use std::sync::atomic::{AtomicI64, Ordering};

use proptest::prelude::*;

use super::*;

const LIMIT: RateLimit = RateLimit { requests_per_second: 2, burst: 3 };

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_milliseconds(milliseconds)
}

#[test]
fn a_bucket_empties_and_refills() {
    let mut bucket = Bucket::full(LIMIT.into(), at(0));
    let table = [
        (0, true),
        (0, true),
        (0, true),
        (0, false),
        (499, false),
        (500, true),
        (500, false),
        // Set back: nothing comes of it, and the time from there on counts.
        (0, false),
        (500, true),
        (60_000, true),
        (60_000, true),
        (60_000, true),
        (60_000, false),
    ];
    for (row, (now, expected)) in table.into_iter().enumerate() {
        assert_eq!(bucket.take(LIMIT.into(), at(now)), expected, "row {row}");
    }
}

#[test]
fn a_smaller_limit_holds_at_once() {
    let mut bucket = Bucket::full(LIMIT.into(), at(0));
    let smaller = RateLimit { requests_per_second: 1, burst: 1 };
    assert!(bucket.take(smaller.into(), at(0)));
    assert!(!bucket.take(smaller.into(), at(0)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However requests are spread: no more get through than the burst and what came back.
    #[test]
    fn no_more_get_through_than_the_limit_says(
        rate in 1_u32..50,
        burst in 1_u32..50,
        steps in prop::collection::vec(0_i64..2000, 1..200),
    ) {
        let refill = Refill::from(RateLimit { requests_per_second: rate, burst });
        let mut bucket = Bucket::full(refill, at(0));
        let (mut now, mut through) = (0, 0);
        for step in steps {
            now += step;
            through += i64::from(bucket.take(refill, at(now)));
        }
        prop_assert!(through * 1000 <= i64::from(burst) * 1000 + now * i64::from(rate));
        prop_assert!(through >= 1);
    }
}

struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::SeqCst))
    }
}

fn guard(per_minute: u32) -> (WrongSignatures, Arc<Hands>) {
    let clock = Arc::new(Hands(AtomicI64::new(0)));
    let per_minute = NonZeroU32::new(per_minute).unwrap();
    (WrongSignatures::new(per_minute, Arc::clone(&clock) as Arc<dyn Clock>), clock)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn who_was_wrong_too_often_is_stopped_until_time_has_passed() {
    let (guard, clock) = guard(3);
    let near = address("203.0.113.7");
    for _ in 0..3 {
        assert!(guard.admits(near, "0812"));
        guard.was_wrong(near, "0812");
    }
    assert!(!guard.admits(near, "0812"));
    // Neither another name from there nor the same name from elsewhere pays for it.
    assert!(guard.admits(near, "0813"));
    assert!(guard.admits(address("203.0.113.8"), "0812"));
    clock.0.store(19_999, Ordering::SeqCst);
    assert!(!guard.admits(near, "0812"));
    clock.0.store(20_000, Ordering::SeqCst);
    assert!(guard.admits(near, "0812"), "a third of a minute brings back one of three");
}

#[test]
fn a_household_of_version_6_addresses_is_one_caller() {
    let (guard, _) = guard(1);
    guard.was_wrong(address("2001:db8:0:1::1"), "0812");
    assert!(!guard.admits(address("2001:db8:0:1:ffff::2"), "0812"));
    assert!(guard.admits(address("2001:db8:0:2::1"), "0812"));
    guard.was_wrong(address("::ffff:192.0.2.1"), "0812");
    assert!(!guard.admits(address("192.0.2.1"), "0812"));
    assert!(guard.admits(address("192.0.2.2"), "0812"));
}

#[test]
fn no_crowd_of_strangers_fills_the_memory() {
    let (guard, clock) = guard(2);
    let count = || guard.buckets.lock().unwrap().len();
    for number in 0..STRANGERS_MAX {
        guard.was_wrong(address("203.0.113.7"), &number.to_string());
    }
    assert_eq!(count(), STRANGERS_MAX);
    clock.0.store(29_000, Ordering::SeqCst);
    guard.was_wrong(address("203.0.113.7"), "0");
    assert_eq!(count(), 1, "nobody had been quiet, and all are forgotten");
    for number in 0..STRANGERS_MAX {
        guard.was_wrong(address("203.0.113.7"), &number.to_string());
    }
    clock.0.store(59_000, Ordering::SeqCst);
    guard.was_wrong(address("203.0.113.7"), "0");
    guard.was_wrong(address("203.0.113.7"), "one more");
    assert!(count() <= 3, "who was quiet for half a minute has all back: {}", count());
}
