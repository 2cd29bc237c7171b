//! The served face over a store in memory.

mod money;
mod properties;
mod refusals;
mod world;
