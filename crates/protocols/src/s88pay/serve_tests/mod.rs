//! The served face over a whole gateway whose ports are in memory, with a fixed clock.

mod bad_input;
mod callbacks;
mod checklist;
mod deposits;
mod errors;
mod golden;
mod oracle;
mod payouts;
mod ports;
mod properties;
mod refusals;
mod reports;
mod submissions;
mod world;
