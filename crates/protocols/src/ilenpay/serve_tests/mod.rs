//! The served face over a whole gateway whose ports are in memory, with a fixed clock and the demo of the
//! sandbox.

mod bad_input;
mod callbacks;
mod collections;
mod errors;
mod golden;
mod information;
mod notes;
mod pings;
mod ports;
mod properties;
mod refusals;
pub(crate) mod world;
