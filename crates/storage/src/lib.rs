//! Where Lunas keeps its records: one commit pipeline, and engines that load and save for it.
//!
//! [`pipeline`] turns commands into durable replies and knows no engine; [`sqlite`] is the engine
//! that is built in. Nothing here knows a rule of the business: [`domain::decide`] decides, and
//! what an engine adds are facts that must hold whatever the code above does, such as that a
//! reference is claimed once and a hold resolved once. [`exchanges`] keeps what was said beside the
//! books, and is part of none of this.
//!
//! # Adding an engine
//!
//! 1. Make a folder beside `sqlite/` and implement [`pipeline::Engine`]: `last_numbers`, `load` and
//!    `save`. `load` answers for every key that it is given, found or not. `save` makes all changes
//!    durable in one commit or none of them, and tells apart what may pass
//!    ([`pipeline::EngineFault::Unavailable`]), what is wrong with a record
//!    ([`pipeline::EngineFault::Damaged`]), and doubt about what was written
//!    ([`pipeline::EngineFault::Fatal`]).
//! 2. Start a [`pipeline::Pipeline`] on it, and answer point reads and reports of
//!    [`gateway::ports`] on connections that share nothing with it.
//! 3. Write an `open` that returns [`Opened`], and a `verify` that shows accounts, transfers and
//!    orders to [`domain::audit::Auditor`].
//! 4. Let the engine pass `conformance`: implement its `Subject` for a type in the engine's tests
//!    and name that type in one line, `conformance!(TheType);`.

#[cfg(test)]
pub mod conformance;
pub mod exchanges;
#[cfg(test)]
mod memory;
pub mod opened;
pub mod pipeline;
#[cfg(test)]
mod scratch;
pub mod sqlite;

pub use opened::{Opened, Shutdown};
