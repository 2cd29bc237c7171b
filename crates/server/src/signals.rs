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

/// SIGHUP, which asks to read again what may have changed on the disk.
pub(crate) struct ReloadSignals(Signal);

impl ReloadSignals {
    /// Catches it from now on.
    pub(crate) fn listen() -> anyhow::Result<Self> {
        catch(SignalKind::hangup()).map(Self)
    }

    /// Waits for the next.
    pub(crate) async fn next(&mut self) {
        self.0.recv().await;
    }
}

/// Catches a signal from now on.
fn catch(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("signals cannot be received")
}
