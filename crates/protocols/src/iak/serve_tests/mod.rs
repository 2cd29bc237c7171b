//! The served face over a whole gateway whose ports are in memory, with a fixed clock.

mod bad_input;
mod bills;
mod containment;
mod golden;
mod notes;
mod ports;
mod properties;
mod receipts;
mod states;
mod world;
