//! Instants, and the business day of Indonesia's western zone.
//!
//! Days, cut-offs and expiry are all reckoned in Asia/Jakarta. That zone has been seven hours ahead
//! of UTC without summer time since 1964, so a fixed offset is exact here; texts such as `YmdHis`
//! are written by the protocols that use them.

use std::time::Duration;

const MILLISECONDS_PER_DAY: i64 = 86_400_000;
const JAKARTA_OFFSET_MILLISECONDS: i64 = 7 * 3_600_000;

/// An instant, in whole milliseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// A calendar day in Asia/Jakarta, counted from 1 January 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BusinessDay(i64);

impl Timestamp {
    /// The instant so many milliseconds after the Unix epoch.
    pub const fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn milliseconds(self) -> i64 {
        self.0
    }

    /// The instant so much later; stops at the end of time instead of wrapping.
    pub fn after(self, duration: Duration) -> Self {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(milliseconds))
    }

    /// How long ago `earlier` was; nothing when it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        let milliseconds = self.0.saturating_sub(earlier.0);
        Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
    }

    /// The day in Asia/Jakarta.
    pub const fn business_day(self) -> BusinessDay {
        BusinessDay(
            self.0.saturating_add(JAKARTA_OFFSET_MILLISECONDS).div_euclid(MILLISECONDS_PER_DAY),
        )
    }

    /// Minutes since midnight in Asia/Jakarta, from 0 to 1439.
    pub fn minute_of_day(self) -> u16 {
        let local = self.0.saturating_add(JAKARTA_OFFSET_MILLISECONDS);
        let minutes = local.rem_euclid(MILLISECONDS_PER_DAY).div_euclid(60_000);
        u16::try_from(minutes).unwrap_or(0)
    }
}

impl BusinessDay {
    /// The day of this number.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// Counts the days since the Unix epoch.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The instant at which this day is over.
    pub const fn end(self) -> Timestamp {
        Timestamp(
            self.0
                .saturating_add(1)
                .saturating_mul(MILLISECONDS_PER_DAY)
                .saturating_sub(JAKARTA_OFFSET_MILLISECONDS),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_turns_at_midnight_in_jakarta() {
        // 2024-01-31T17:00:00Z is midnight, 1 February, in Jakarta.
        let midnight = Timestamp::from_milliseconds(1_706_720_400_000);
        let before = Timestamp::from_milliseconds(midnight.milliseconds() - 1);
        assert_eq!(midnight.minute_of_day(), 0);
        assert_eq!(before.minute_of_day(), 1439);
        assert_ne!(before.business_day(), midnight.business_day());
        assert_eq!(before.business_day().end(), midnight);
    }

    #[test]
    fn extremes_do_not_wrap() {
        let last = Timestamp::from_milliseconds(i64::MAX);
        assert_eq!(last.after(Duration::from_secs(1)), last);
        assert_eq!(Timestamp::from_milliseconds(0).since(last), Duration::ZERO);
        assert!(Timestamp::from_milliseconds(i64::MIN).minute_of_day() < 1440);
    }
}
