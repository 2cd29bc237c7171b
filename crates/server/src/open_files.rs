//! How many files and sockets this process may have open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More than any setting asks for. Some systems name a limit in the thousands of millions, for which
/// programs that this one might start would pay.
const ENOUGH: u64 = 1 << 20;

/// Raises the limit as far as this process may by itself. Gives how many files may be open from
/// then on.
pub(crate) fn raise_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let possible = maximum.unwrap_or(ENOUGH).min(ENOUGH);
    match current {
        Some(current) if current < possible => {
            match setrlimit(Resource::Nofile, Rlimit { current: Some(possible), maximum }) {
                Ok(()) => possible,
                Err(error) => {
                    tracing::warn!(%error, "the limit of open files could not be raised");
                    current
                }
            }
        }
        current => current.unwrap_or(ENOUGH),
    }
}

/// How many of these tries may be under way at once so that half of the files are left for
/// everything else.
pub(crate) fn affordable(wanted: usize, limit: u64) -> usize {
    let half = usize::try_from(limit / 2).unwrap_or(usize::MAX).max(1);
    if wanted > half {
        tracing::warn!(wanted, limit, allowed = half, "callbacks.at_once exceeds what may be open");
    }
    wanted.min(half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_as_high_as_it_can_be() {
        let limit = raise_limit();
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        assert_eq!(current.unwrap_or(ENOUGH).min(ENOUGH), limit.min(ENOUGH));
        assert!(limit >= maximum.unwrap_or(ENOUGH).min(ENOUGH), "{limit} of {maximum:?}");
        assert_eq!(raise_limit(), limit, "raising it again changes nothing");
    }

    #[test]
    fn half_of_the_files_are_left_for_others() {
        for (wanted, limit, allowed) in [(4096, 1 << 20, 4096), (4096, 1024, 512), (5, 0, 1)] {
            assert_eq!(affordable(wanted, limit), allowed, "{wanted} of {limit}");
        }
    }
}
