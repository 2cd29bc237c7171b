//! What a connection is doing and since when, as one word that any thread can read.
//!
//! Invariant: only the connection's own task writes the word, and it writes phase and time
//! together, so that the accept loop never sees the one without the other. The module knows the
//! order in which connections are given up when room is short; it does not end any.

use std::time::Duration;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Accepted, and not a byte has come.
    Silent,
    /// Some bytes of a head have come.
    Head,
    /// The head is complete, and the body is awaited.
    Body,
    /// The service has the request.
    Working,
    /// The service has answered, and the HTTP layer has not taken the whole answer yet.
    Answering,
    /// The whole answer is with the HTTP layer, and not all of it is written yet.
    Flushing,
    /// The answer is written, and no byte of a next request has come.
    Idle,
    /// This side is closed, and the other side is given time to read the answer.
    Lingering,
}

/// A phase and the time it began, in microseconds since the server started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stage {
    /// What the connection is doing.
    pub(super) phase: Phase,
    /// Since when, in microseconds since the server started.
    pub(super) since: u64,
}

/// The bits of the word that hold the phase.
const PHASE_BITS: u32 = 3;

impl Stage {
    /// The stage as one word.
    pub(super) fn to_word(self) -> u64 {
        (self.since << PHASE_BITS) | self.phase as u64
    }

    /// The stage that [`Stage::to_word`] turned into `word`.
    pub(super) fn from_word(word: u64) -> Stage {
        let phase = match word & ((1 << PHASE_BITS) - 1) {
            0 => Phase::Silent,
            1 => Phase::Head,
            2 => Phase::Body,
            3 => Phase::Working,
            4 => Phase::Answering,
            5 => Phase::Flushing,
            6 => Phase::Idle,
            _ => Phase::Lingering,
        };
        Stage { phase, since: word >> PHASE_BITS }
    }

    /// How readily the connection is given up when room is short: the smallest goes first, and
    /// `None` stays. Within one rank the one that has been in its phase longest goes first.
    ///
    /// Connections that only wait to be closed come first. Then come those that never said
    /// anything and those stuck inside a request that no service has seen, because nothing is
    /// lost with them and a healthy client is hardly ever among them. Idle connections follow:
    /// their clients merely connect again. Last come clients that do not take their answer. A
    /// request that a service is working on is never given up.
    pub(super) fn rank(self, now: u64, stalled: Duration) -> Option<(u8, u64)> {
        let age = Duration::from_micros(now.saturating_sub(self.since));
        let rank = match self.phase {
            Phase::Lingering => 0,
            Phase::Silent => 1,
            Phase::Head | Phase::Body if age >= stalled => 2,
            Phase::Idle => 3,
            Phase::Answering | Phase::Flushing if age >= stalled => 4,
            Phase::Head | Phase::Body | Phase::Working | Phase::Answering | Phase::Flushing => {
                return None;
            }
        };
        Some((rank, self.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Phase; 8] = [
        Phase::Silent,
        Phase::Head,
        Phase::Body,
        Phase::Working,
        Phase::Answering,
        Phase::Flushing,
        Phase::Idle,
        Phase::Lingering,
    ];
    const STALLED: Duration = Duration::from_secs(1);

    #[test]
    fn a_word_gives_back_its_stage() {
        for phase in ALL {
            for since in [0, 1, 7, 8, 1_000_000, u64::MAX >> PHASE_BITS] {
                let stage = Stage { phase, since };
                assert_eq!(Stage::from_word(stage.to_word()), stage);
            }
        }
    }

    #[test]
    fn the_order_of_giving_up_spares_work() {
        let now = 10_000_000;
        let long_ago = |phase| Stage { phase, since: 0 }.rank(now, STALLED);
        assert!(long_ago(Phase::Lingering) < long_ago(Phase::Silent));
        assert!(long_ago(Phase::Silent) < long_ago(Phase::Head));
        assert_eq!(long_ago(Phase::Head), long_ago(Phase::Body));
        assert!(long_ago(Phase::Body) < long_ago(Phase::Idle));
        assert!(long_ago(Phase::Idle) < long_ago(Phase::Answering));
        assert_eq!(long_ago(Phase::Answering), long_ago(Phase::Flushing));
        assert_eq!(long_ago(Phase::Working), None);
    }

    #[test]
    fn what_moves_is_not_given_up() {
        for phase in [Phase::Head, Phase::Body, Phase::Answering, Phase::Flushing] {
            assert_eq!(Stage { phase, since: 500_000 }.rank(1_499_999, STALLED), None);
            assert!(Stage { phase, since: 500_000 }.rank(1_500_000, STALLED).is_some());
        }
    }

    #[test]
    fn the_oldest_of_a_rank_goes_first() {
        let older = Stage { phase: Phase::Silent, since: 3 };
        let newer = Stage { phase: Phase::Silent, since: 4 };
        assert!(older.rank(5, STALLED) < newer.rank(5, STALLED));
    }
}
