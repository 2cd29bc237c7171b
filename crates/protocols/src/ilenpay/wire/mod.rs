//! The messages of the API as values (ilenpay reference, sections 2, 4, 5 and 7).
//!
//! Requests of every format are read into named texts ([`fields`]); answers are written as JSON
//! ([`answer`]), and callbacks as PHP writes JSON ([`php`]). What a collection looks like stands in
//! [`transaction`], what an amount is in telephone credit in [`credit`], and who sent it in [`sender`].
//!
//! Nothing here decides: it knows forms, not merchants, rules or money's whereabouts.

pub(crate) mod answer;
pub mod credit;
pub(crate) mod fields;
mod json;
mod multipart;
pub(crate) mod php;
pub(crate) mod sender;
pub(crate) mod transaction;
