//! isikuota: credit, data, game vouchers and bills in JSON, signed with HMAC-SHA256 over the body as
//! PHP would write it.
//!
//! What is served, all by `POST` and all below `/v1`:
//!
//! | path | answer |
//! | --- | --- |
//! | `/v1/balance` | what the merchant may still spend |
//! | `/v1/order` | the four commands: `prepaid` and `game` buy, `inquiry` asks for a bill, `pay-pasca` pays it |
//! | `/v1/products` | what the merchant may buy; an extension of ours, as nobody could read the vendor's page |
//! | `/v1/status` | a transaction as it stands; an extension of ours as well |
//! | anything else | not found |
//!
//! Requests carry who signs, when, and the signature inside the body. A merchant names an order by
//! `ref_id`, or leaves it out and gets a name that follows from the signature, so that the same
//! request sent again is the same order. What an order came to is told in the answer or, later, by
//! callback.

pub mod callback;
pub mod codes;
pub mod dissect;
mod mask;
mod serve;
pub mod sign;
mod wire;

#[cfg(test)]
mod serve_tests;

pub use serve::{Served, Settings};

/// The protocol's name, in credentials, aliases and references.
pub const NAME: &str = "isikuota";
/// The group of the products that are bought with `game`; every other top-up is bought with
/// `prepaid`.
pub const GAME: &str = "game";
