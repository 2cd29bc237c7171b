//! Evidence of money from feeds: readers of SIM cards and of bank statements, run by the operator,
//! tell what they saw come in by `POST /lunas/evidence/SOURCE`.
//!
//! Each source has a secret of its own and speaks of one channel in one currency; its requests are
//! signed as Standard Webhooks has it. A body is JSON or CSV and is read as a whole before anything
//! is taken in: one row that is not understood refuses all of them. Invariants: what a row is called
//! depends only on what it says, so that sending it again changes nothing; and nothing here is
//! reachable with what a merchant has.
//!
//! Which order money is for is not decided here, and neither is what becomes of doubtful money.

pub(crate) mod amount;
mod answer;
mod csv;
mod json;
mod mutation;
mod row;
mod serve;
#[cfg(test)]
mod serve_tests;
mod source;
mod time;

/// The name by which logs and metrics know the feeds.
pub const NAME: &str = "evidence";

pub use serve::{PREFIX, Served};
pub use source::{PeerRule, Source};
