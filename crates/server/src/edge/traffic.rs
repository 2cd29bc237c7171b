//! How many connections come, stay and go, counted for whoever runs the server.
//!
//! Counting decides nothing: the crowd and the connections know by themselves what to do.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the edge counts of its connections. Several listeners may share one.
#[derive(Debug, Default)]
pub struct Traffic {
    accepted: AtomicU64,
    departed: AtomicU64,
    evicted: AtomicU64,
    overdue: AtomicU64,
    refused: AtomicU64,
}

impl Traffic {
    /// Connections that are being served.
    pub fn open(&self) -> u64 {
        // Read first, so that a connection which departs meanwhile does not count below zero.
        let departed = self.departed.load(Ordering::Acquire);
        self.accepted().saturating_sub(departed)
    }

    /// Connections that were taken in.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Acquire)
    }

    /// Connections that were closed to make room for others.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// Connections that a deadline closed.
    pub fn overdue(&self) -> u64 {
        self.overdue.load(Ordering::Relaxed)
    }

    /// Connections that found no room.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    pub(super) fn one_came(&self) {
        self.accepted.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn one_left(&self) {
        self.departed.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn one_made_room(&self) {
        self.evicted.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn one_was_overdue(&self) {
        self.overdue.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn one_was_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }
}
