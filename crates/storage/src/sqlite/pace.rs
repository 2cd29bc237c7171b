//! How much of a processor and of a disk long work may take beside a running server.
//!
//! A low priority is not enough. It does not reach the disk, it counts for nothing between
//! processes that the kernel schedules in different groups, and two processors of a small server
//! are often two halves of one. So work that nobody waits for rests most of the time.

use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long work goes on before it rests.
const WORK_MIN: Duration = Duration::from_millis(2);
/// How many times as long as it worked it rests: it takes a tenth of one processor.
const RESTS: u32 = 9;
/// The longest rest, however long the work before it took, for instance because the disk was slow.
const REST_MAX: Duration = Duration::from_millis(250);

/// The pace of one piece of long work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// When the work since the last rest began; none if it never rests.
    begun: Option<Instant>,
}

impl Pace {
    /// As fast as it goes.
    pub(super) const fn full() -> Self {
        Self { begun: None }
    }

    /// Slow enough to go unnoticed.
    pub(super) fn gentle() -> Self {
        Self { begun: Some(Instant::now()) }
    }

    /// Rests if it is time to. To be called every few hundred microseconds.
    pub(super) fn rest(&mut self) {
        let Some(begun) = &mut self.begun else { return };
        let worked = begun.elapsed();
        if worked >= WORK_MIN {
            sleep((worked * RESTS).min(REST_MAX));
            *begun = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gentle_work_takes_a_tenth_of_the_time_at_most() {
        let mut pace = Pace::gentle();
        let begun = Instant::now();
        let mut worked = Duration::ZERO;
        while worked < 3 * WORK_MIN {
            let step = Instant::now();
            while step.elapsed() < WORK_MIN / 4 {
                std::hint::spin_loop();
            }
            worked += step.elapsed();
            pace.rest();
        }
        // The last stretch may not have been long enough for a rest.
        assert!(begun.elapsed() >= (worked - WORK_MIN) * RESTS, "{:?}", begun.elapsed());
    }

    #[test]
    fn full_pace_never_rests() {
        let mut pace = Pace::full();
        pace.rest();
        assert!(pace.begun.is_none());
    }
}
