//! Who is let in besides whoever has the right signature: rules about merchants that hold for every
//! protocol, asked by the protocol because only it knows when the caller is known.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{MerchantId, Timestamp};

/// Whether a merchant may call from an address.
pub type AddressRule = Arc<dyn Fn(MerchantId, IpAddr) -> bool + Send + Sync>;

/// The rule of a sandbox: every address is allowed.
pub fn any_address() -> AddressRule {
    Arc::new(|_, _| true)
}

/// Whether a merchant may make one more request now; asking counts as making it. It is asked once the
/// request is known to be the merchant's.
pub type RateRule = Arc<dyn Fn(MerchantId) -> bool + Send + Sync>;

/// The rule without limits.
pub fn any_rate() -> RateRule {
    Arc::new(|_| true)
}

/// Keeps strangers from trying signatures without end.
pub trait SignatureGuard: Send + Sync {
    /// Whether a signature that comes from this address in this name is looked at.
    fn admits(&self, peer: IpAddr, name: &str) -> bool;

    /// One was looked at and is nobody's.
    fn was_wrong(&self, peer: IpAddr, name: &str);
}

/// The guard that admits everybody.
#[derive(Debug, Clone, Copy)]
pub struct AnySignature;

impl SignatureGuard for AnySignature {
    fn admits(&self, _: IpAddr, _: &str) -> bool {
        true
    }

    fn was_wrong(&self, _: IpAddr, _: &str) {}
}

/// How often something may be done with each of many things in every span of time. It guards against
/// nuisance, not against theft: every process counts its own and forgets it at the end of the span, which
/// also keeps the count small.
#[derive(Debug)]
pub(crate) struct Allowance<Key> {
    often: u32,
    span: Duration,
    counted: Mutex<(Timestamp, HashMap<Key, u32>)>,
}

impl<Key: Eq + Hash> Allowance<Key> {
    /// So many times in each span.
    pub(crate) fn new(often: u32, span: Duration) -> Self {
        let never = (Timestamp::from_milliseconds(i64::MIN), HashMap::new());
        Self { often, span, counted: Mutex::new(never) }
    }

    /// Whether it may be done once more; asking counts as doing it.
    pub(crate) fn admits(&self, key: Key, now: Timestamp) -> bool {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back begins a new span as well.
        if now >= counted.0.after(self.span) || now < counted.0 {
            *counted = (now, HashMap::new());
        }
        let count = counted.1.entry(key).or_default();
        let admitted = *count < self.often;
        *count = count.saturating_add(1);
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thing_has_its_own_count_in_every_span() {
        let allowance = Allowance::new(2, Duration::from_secs(60));
        let admits =
            |key, second: i64| allowance.admits(key, Timestamp::from_milliseconds(second * 1000));
        let table = [
            ("a", 100, true),
            ("a", 159, true),
            ("a", 159, false),
            ("b", 159, true),
            ("a", 160, true),
            ("a", 219, true),
            ("a", 219, false),
            ("a", 50, true),
        ];
        for (key, second, admitted) in table {
            assert_eq!(admits(key, second), admitted, "{key} at {second}");
        }
    }
}
