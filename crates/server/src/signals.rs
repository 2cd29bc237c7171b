//! The signals that an operator or a service manager sends.
//!
//! They are caught from the moment of listening, before anybody is told that the program is ready,
//! so that none is lost between.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGTERM and SIGINT.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Catches them from now on.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: catch(SignalKind::terminate())?,
            interrupt: catch(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next of either.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Catches a signal from now on.
fn catch(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("signals cannot be received")
}
