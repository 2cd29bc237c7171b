//! Deciding on evidence that was recorded and left open, because the process ended or the store failed
//! before anybody could.
//!
//! Whoever brings evidence decides on it at once, so what stays open is little and was interrupted. It
//! is taken up at the start, before any collection is ended whose time ran out meanwhile, and looked
//! for all the time after that. Invariant: however many decide on one piece at the same moment, the
//! commands see to it that one of them does.
//!
//! What evidence is for is decided in [`crate::collect`].

use std::sync::Arc;
use std::time::Duration;

use domain::{Evidence, EvidenceKey, EvidenceState};
use tracing::{info, warn};

use crate::Gateway;
use crate::ports::StoreFault;

/// How long evidence may be open without being looked after: whoever recorded it is about to decide.
const LEFT_AFTER: Duration = Duration::from_secs(5);
/// How many pieces are read at a time, and decided on in one round beside everything else.
const AT_ONCE: u32 = 64;

impl Gateway {
    /// Decides on everything that an earlier run of the program left open, and tells how much that
    /// was. A piece that cannot be decided on is looked for again by [`Self::run_collections`].
    ///
    /// All of it is read first: only so is the oldest money the first, whatever it is named.
    pub async fn recover_evidence(self: &Arc<Self>) -> Result<u64, StoreFault> {
        let mut after = None;
        let mut left = Vec::new();
        loop {
            let page = self.collections.open_evidence(after.as_ref(), AT_ONCE).await?;
            left.extend(page.items);
            after = page.next;
            if after.is_none() {
                return Ok(self.decide_on(left).await);
            }
        }
    }

    /// Decides on some of what has been open for long, from the name `after` on. Gives where to go on;
    /// none is at the beginning.
    pub(crate) async fn decide_on_left(
        self: &Arc<Self>,
        after: Option<EvidenceKey>,
    ) -> Result<Option<EvidenceKey>, StoreFault> {
        let now = self.now();
        let page = self.collections.open_evidence(after.as_ref(), AT_ONCE).await?;
        let is_left = |it: &Evidence| it.seen_at.after(LEFT_AFTER) <= now;
        let left = page.items.into_iter().filter(is_left).collect();
        let decided = self.decide_on(left).await;
        if decided > 0 {
            info!(decided, "evidence that was left open is decided on");
        }
        Ok(page.next)
    }

    /// Decides on these, the oldest money first, and counts what it decided. One that fails keeps none
    /// of the others.
    async fn decide_on(self: &Arc<Self>, mut left: Vec<Evidence>) -> u64 {
        left.sort_by_key(|evidence| evidence.came_in_at);
        let mut decided: u64 = 0;
        for evidence in left {
            match self.decide_on_one(&evidence.key).await {
                Ok(true) => decided = decided.saturating_add(1),
                Ok(false) => {}
                Err(fault) => {
                    let EvidenceKey { source, id } = &evidence.key;
                    warn!(source, evidence = id, %fault, "evidence stays open");
                }
            }
        }
        decided
    }

    /// Whether it was still open. The list may be older than the last decision.
    async fn decide_on_one(self: &Arc<Self>, key: &EvidenceKey) -> Result<bool, StoreFault> {
        let found = self.collections.evidence(key).await?;
        let Some(open) = found.filter(|it| it.state == EvidenceState::Open) else {
            return Ok(false);
        };
        self.attribute(open).await.map(|_| true)
    }
}

#[cfg(test)]
#[path = "undecided_tests.rs"]
mod tests;
