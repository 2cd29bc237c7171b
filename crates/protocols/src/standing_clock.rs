//! A clock for the tests of every protocol.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::Timestamp;
use gateway::ports::Clock;

/// Stands still until it is set, in milliseconds.
pub(crate) struct StandingClock(pub(crate) AtomicI64);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.0.load(Ordering::SeqCst))
    }
}
