//! How often callers may call: merchants by their limits, and strangers by wrong signatures.
//!
//! Buckets in memory: each holds so many calls and refills steadily. That of a merchant is asked
//! after a request is known to be its merchant's, so that nobody can use up somebody else's. That of
//! wrong signatures belongs to an address and a user name together: who guesses keeps nobody out but
//! those who come from the same address in the same name. A restart fills all buckets; several
//! processes each keep their own.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use domain::{MerchantId, RateLimit, Timestamp};
use gateway::Gateway;
use gateway::ports::Clock;
use protocols::admission::{RateRule, SignatureGuard};
use tracing::warn;

/// One call, in the units in which buckets count: at so many calls per minute, as many come back in
/// a millisecond.
const CALL: u64 = 60_000;

/// How many addresses and names with wrong signatures are remembered. Who has more addresses than
/// this is not held up by counting them.
const STRANGERS_MAX: usize = 10_000;

/// What a bucket holds when it is full, and what comes back.
#[derive(Debug, Clone, Copy)]
struct Refill {
    burst: u32,
    per_minute: u64,
}

impl Refill {
    fn most(self) -> u64 {
        u64::from(self.burst) * CALL
    }
}

impl From<RateLimit> for Refill {
    fn from(limit: RateLimit) -> Self {
        Self { burst: limit.burst, per_minute: u64::from(limit.requests_per_second) * 60 }
    }
}

/// What is left of somebody's calls.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: u64,
    at: Timestamp,
}

impl Bucket {
    fn full(refill: Refill, at: Timestamp) -> Self {
        Self { left: refill.most(), at }
    }

    /// Lets come back what is due. A clock that was set back refills nothing.
    fn refill(&mut self, refill: Refill, now: Timestamp) {
        let elapsed = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        let back = elapsed.saturating_mul(refill.per_minute);
        self.left = self.left.saturating_add(back).min(refill.most());
        self.at = now;
    }

    fn has_call(&self) -> bool {
        self.left >= CALL
    }

    /// Takes one call out, if there is one.
    fn take(&mut self, refill: Refill, now: Timestamp) -> bool {
        self.refill(refill, now);
        let had_call = self.has_call();
        if had_call {
            self.left -= CALL;
        }
        had_call
    }
}

/// The rule that merchants' own limits make, as they stand at each moment; where a merchant has none,
/// the general one, if there is one.
pub(crate) fn by_merchant(gateway: Arc<Gateway>, general: Option<RateLimit>) -> RateRule {
    let buckets: Mutex<HashMap<MerchantId, Bucket>> = Mutex::default();
    Arc::new(move |merchant| {
        let limit = gateway.catalogue().merchant(merchant).and_then(|it| it.rate_limit);
        let Some(refill) = limit.or(general).map(Refill::from) else { return true };
        let now = gateway.now();
        let mut buckets = buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.entry(merchant).or_insert_with(|| Bucket::full(refill, now)).take(refill, now)
    })
}

/// Counts wrong signatures by address and user name, and stops those who had too many.
pub(crate) struct WrongSignatures {
    refill: Refill,
    clock: Arc<dyn Clock>,
    /// Names are kept as their hashes, because they may be long and are a stranger's own.
    hasher: RandomState,
    buckets: Mutex<HashMap<(IpAddr, u64), Bucket>>,
}

impl WrongSignatures {
    /// A guard that lets so many wrong ones pass per minute.
    pub(crate) fn new(per_minute: NonZeroU32, clock: Arc<dyn Clock>) -> Self {
        Self {
            refill: Refill { burst: per_minute.get(), per_minute: u64::from(per_minute.get()) },
            clock,
            hasher: RandomState::new(),
            buckets: Mutex::default(),
        }
    }

    fn key(&self, peer: IpAddr, username: &str) -> (IpAddr, u64) {
        (household(peer), self.hasher.hash_one(username))
    }
}

impl SignatureGuard for WrongSignatures {
    fn admits(&self, peer: IpAddr, username: &str) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bucket) = buckets.get_mut(&self.key(peer, username)) else { return true };
        bucket.refill(self.refill, self.clock.now());
        bucket.has_call()
    }

    fn was_wrong(&self, peer: IpAddr, username: &str) {
        let now = self.clock.now();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= STRANGERS_MAX {
            make_room(&mut buckets, self.refill, now);
        }
        let bucket = buckets
            .entry(self.key(peer, username))
            .or_insert_with(|| Bucket::full(self.refill, now));
        bucket.take(self.refill, now);
        if !bucket.has_call() {
            warn!(%peer, "too many wrong signatures in one user name; no more are looked at for now");
        }
    }
}

/// Forgets who has been quiet for long enough, and everybody if nobody was.
fn make_room(buckets: &mut HashMap<(IpAddr, u64), Bucket>, refill: Refill, now: Timestamp) {
    buckets.retain(|_, bucket| {
        bucket.refill(refill, now);
        bucket.left < refill.most()
    });
    if buckets.len() >= STRANGERS_MAX {
        buckets.clear();
    }
}

/// The address, or of a version 6 address the network of which one household gets all addresses.
fn household(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
#[path = "rates_tests.rs"]
mod tests;
