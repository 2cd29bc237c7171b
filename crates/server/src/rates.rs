//! How often merchants may call: one bucket per merchant, in memory.
//!
//! A bucket holds as many requests as its merchant's burst and refills steadily. It is asked after a
//! request is known to be its merchant's, so that nobody can use up somebody else's. A restart fills
//! all buckets; several processes each keep their own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{MerchantId, RateLimit, Timestamp};
use gateway::Gateway;
use protocols::admission::RateRule;

/// One request, in the units in which buckets count: at so many requests per second, as many come
/// back in a millisecond.
const REQUEST: u64 = 1000;

/// What is left of a merchant's requests.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: u64,
    at: Timestamp,
}

impl Bucket {
    fn full(limit: RateLimit, at: Timestamp) -> Self {
        Self { left: u64::from(limit.burst) * REQUEST, at }
    }

    /// Takes one request out, if there is one. A clock that was set back refills nothing.
    fn take(&mut self, limit: RateLimit, now: Timestamp) -> bool {
        let elapsed = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let refilled = elapsed.saturating_mul(u64::from(limit.requests_per_second));
        let most = Self::full(limit, now).left;
        self.left = self.left.saturating_add(refilled).min(most);
        self.at = now;
        let rest = self.left.checked_sub(REQUEST);
        self.left = rest.unwrap_or(self.left);
        rest.is_some()
    }
}

/// The rule that merchants' own limits make, as they stand at each moment.
pub(crate) fn by_merchant(gateway: Arc<Gateway>) -> RateRule {
    let buckets: Mutex<HashMap<MerchantId, Bucket>> = Mutex::default();
    Arc::new(move |merchant| {
        let limit = gateway.catalogue().merchant(merchant).and_then(|it| it.rate_limit);
        let Some(limit) = limit else { return true };
        let now = gateway.now();
        let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.entry(merchant).or_insert_with(|| Bucket::full(limit, now)).take(limit, now)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: RateLimit = RateLimit { requests_per_second: 2, burst: 3 };

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(milliseconds)
    }

    #[test]
    fn a_bucket_empties_and_refills() {
        let mut bucket = Bucket::full(LIMIT, at(0));
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
            assert_eq!(bucket.take(LIMIT, at(now)), expected, "row {row}");
        }
    }

    #[test]
    fn a_smaller_limit_holds_at_once() {
        let mut bucket = Bucket::full(LIMIT, at(0));
        let smaller = RateLimit { requests_per_second: 1, burst: 1 };
        assert!(bucket.take(smaller, at(0)));
        assert!(!bucket.take(smaller, at(0)));
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
            let limit = RateLimit { requests_per_second: rate, burst };
            let mut bucket = Bucket::full(limit, at(0));
            let (mut now, mut through) = (0, 0);
            for step in steps {
                now += step;
                through += i64::from(bucket.take(limit, at(now)));
            }
            prop_assert!(through * 1000 <= i64::from(burst) * 1000 + now * i64::from(rate));
            prop_assert!(through >= 1);
        }
    }
}
