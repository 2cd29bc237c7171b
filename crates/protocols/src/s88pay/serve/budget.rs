//! How many keys that are not a merchant's may be tried, so that nobody learns from trying.
//!
//! Whatever is wrong with a `key` is answered the same, and still nobody should be able to ask as often
//! as they like. A stranger must not shut a merchant out either, so whoever has shown a right key from
//! an address within the hour is counted by that address, apart from the strangers; and the hosted
//! page, which anybody's browser opens, is counted apart from the rest.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::{MerchantId, Timestamp};

/// How long failures count, and how long an address is remembered.
const WINDOW: Duration = Duration::from_secs(3600);
/// How many addresses are remembered at most. Any more are counted as strangers.
const ADDRESSES_MAX: usize = 10_000;

/// Whose failures are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Counted {
    pub(super) merchant: MerchantId,
    /// Whether it is about the hosted page.
    pub(super) hosted: bool,
    pub(super) peer: IpAddr,
}

#[derive(Debug, Default)]
struct Windows {
    /// By merchant and face: since when, and how many.
    strangers: HashMap<(MerchantId, bool), (Timestamp, u32)>,
    /// By address: since when, and how many.
    known: HashMap<Counted, (Timestamp, u32)>,
}

/// Counts failures.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// How many failures an hour may have; none is without a limit.
    limit: Option<u32>,
    windows: Mutex<Windows>,
}

impl Budget {
    pub(super) fn new(limit: Option<u32>) -> Self {
        Self { limit, windows: Mutex::default() }
    }

    /// Whether one more key may be tried.
    pub(super) fn admits(&self, counted: Counted, now: Timestamp) -> bool {
        let Some(limit) = self.limit else { return true };
        let windows = self.windows();
        let known = windows.known.get(&counted).filter(|(since, _)| !is_over(*since, now));
        let stranger = || windows.strangers.get(&(counted.merchant, counted.hosted));
        let failures = match known {
            Some((_, failures)) => *failures,
            None => stranger().filter(|(since, _)| !is_over(*since, now)).map_or(0, |it| it.1),
        };
        failures < limit
    }

    /// Notes what came of a try.
    pub(super) fn note(&self, counted: Counted, right: bool, now: Timestamp) {
        if self.limit.is_none() {
            return;
        }
        let mut windows = self.windows();
        if let Some(known) = windows.known.get_mut(&counted) {
            if is_over(known.0, now) {
                *known = (now, 0);
            }
            known.1 = known.1.saturating_add(u32::from(!right));
            return;
        }
        if right {
            if windows.known.len() >= ADDRESSES_MAX {
                windows.known.retain(|_, (since, _)| !is_over(*since, now));
            }
            if windows.known.len() < ADDRESSES_MAX {
                windows.known.insert(counted, (now, 0));
            }
            return;
        }
        let key = (counted.merchant, counted.hosted);
        let strangers = windows.strangers.entry(key).or_insert((now, 0));
        if is_over(strangers.0, now) {
            *strangers = (now, 0);
        }
        strangers.1 = strangers.1.saturating_add(1);
    }

    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_over(since: Timestamp, now: Timestamp) -> bool {
    now.since(since) >= WINDOW
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn counted(merchant: u32, hosted: bool, address: u8) -> Counted {
        let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, address));
        Counted { merchant: MerchantId(merchant), hosted, peer }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_milliseconds(seconds * 1000)
    }

    fn spent(by: Counted, failures: u32) -> Budget {
        let budget = Budget::new(Some(100));
        (0..failures).for_each(|_| budget.note(by, false, at(0)));
        budget
    }

    #[test]
    fn strangers_share_a_limit_per_merchant_and_face_and_hour() {
        let budget = spent(counted(1, false, 1), 99);
        assert!(budget.admits(counted(1, false, 1), at(1)));
        budget.note(counted(1, false, 2), false, at(1));
        let table = [
            (counted(1, false, 1), 1, false),
            (counted(1, false, 3), 3599, false),
            (counted(1, false, 1), 3600, true),
            (counted(1, true, 1), 1, true),
            (counted(2, false, 1), 1, true),
        ];
        for (by, now, admitted) in table {
            assert_eq!(budget.admits(by, at(now)), admitted, "{by:?} {now}");
        }
        budget.note(counted(1, false, 1), false, at(3600));
        assert!(budget.admits(counted(1, false, 1), at(3601)), "a new hour has begun");
    }

    #[test]
    fn strangers_do_not_shut_out_whoever_had_a_right_key() {
        let budget = spent(counted(1, false, 1), 0);
        budget.note(counted(1, false, 9), true, at(0));
        (0..100).for_each(|_| budget.note(counted(1, false, 1), false, at(1)));
        assert!(!budget.admits(counted(1, false, 1), at(2)));
        assert!(budget.admits(counted(1, false, 9), at(2)));
        (0..100).for_each(|_| budget.note(counted(1, false, 9), false, at(2)));
        assert!(!budget.admits(counted(1, false, 9), at(3)), "it has a limit too");
        budget.note(counted(1, false, 9), false, at(4000));
        assert!(budget.admits(counted(1, false, 9), at(4001)));
    }

    #[test]
    fn no_more_addresses_are_remembered_than_there_is_room_for() {
        let budget = Budget::new(Some(1));
        for number in 0..20_000_u32 {
            let peer = IpAddr::V4(Ipv4Addr::from_bits(number));
            budget.note(Counted { peer, ..counted(1, false, 0) }, true, at(0));
        }
        assert_eq!(budget.windows().known.len(), ADDRESSES_MAX);
        budget.note(counted(1, false, 1), true, at(3600));
        assert_eq!(budget.windows().known.len(), 1);
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let budget = Budget::new(None);
        budget.note(counted(1, false, 1), false, at(0));
        assert!(budget.admits(counted(1, false, 1), at(0)));
        assert!(budget.windows().strangers.is_empty());
    }
}
