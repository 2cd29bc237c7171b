//! Stage two under the control of tests.

use std::sync::{Arc, Condvar, Mutex};

use super::Build;
use super::journal::Position;
use super::settling::Destination;
use super::tables::Tables;
use crate::pipeline::{Changes, EngineFault};

/// What stage two finds when it comes to the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Door {
    Open,
    /// It waits.
    Shut,
    /// It is told this.
    Failing(EngineFault),
}

/// A door in front of the tables.
#[derive(Debug)]
pub(super) struct Gate {
    door: Mutex<Door>,
    moved: Condvar,
}

impl Gate {
    pub(super) fn new(door: Door) -> Arc<Self> {
        Arc::new(Self { door: Mutex::new(door), moved: Condvar::new() })
    }

    pub(super) fn set(&self, door: Door) {
        *self.door.lock().expect("whole") = door;
        self.moved.notify_all();
    }

    fn pass(&self) -> Result<(), EngineFault> {
        let door = self.door.lock().expect("whole");
        let door = self.moved.wait_while(door, |door| *door == Door::Shut).expect("whole");
        match &*door {
            Door::Failing(fault) => Err(fault.clone()),
            Door::Open | Door::Shut => Ok(()),
        }
    }

    /// A build with this door in it.
    pub(super) fn build(self: &Arc<Self>) -> Build<'static> {
        let gate = Arc::clone(self);
        Build {
            destination: Box::new(|tables| Box::new(Gated { tables, gate })),
            ..Build::default()
        }
    }
}

/// Tables behind a door.
struct Gated {
    tables: Tables,
    gate: Arc<Gate>,
}

impl Destination for Gated {
    fn save(&mut self, changes: &Changes, last: Position) -> Result<(), EngineFault> {
        self.gate.pass()?;
        self.tables.save(changes, last)
    }

    fn maintain(&mut self, idle: bool) -> Result<(), EngineFault> {
        self.tables.maintain(idle)
    }

    fn close(&mut self, complete: bool) -> Result<(), EngineFault> {
        self.tables.close(complete)
    }
}

/// A moment in the life of stage two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// A generation is about to be written.
    BeforeCommit,
    /// It is written, and nobody was told yet.
    AfterCommit,
    /// It is given up in journal and overlay; the log may have been moved.
    AfterCheckpoint,
}

/// Tables that tell of every moment before it passes.
pub(super) struct Watched<Hook> {
    pub(super) tables: Tables,
    pub(super) hook: Hook,
}

impl<Hook: FnMut(Moment) + Send> Destination for Watched<Hook> {
    fn save(&mut self, changes: &Changes, last: Position) -> Result<(), EngineFault> {
        (self.hook)(Moment::BeforeCommit);
        let saved = self.tables.save(changes, last);
        (self.hook)(Moment::AfterCommit);
        saved
    }

    fn maintain(&mut self, _idle: bool) -> Result<(), EngineFault> {
        // As often as it can be, so that tests see it.
        let maintained = self.tables.maintain(true);
        (self.hook)(Moment::AfterCheckpoint);
        maintained
    }

    fn close(&mut self, complete: bool) -> Result<(), EngineFault> {
        self.tables.close(complete)
    }
}
