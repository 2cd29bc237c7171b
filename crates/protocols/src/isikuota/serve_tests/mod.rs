//! The served face over a whole gateway whose ports are in memory, with a clock that is set.

mod bills;
mod callbacks;
mod errors;
mod extensions;
mod golden;
mod orders;
mod ports;
mod properties;
pub(super) mod world;
