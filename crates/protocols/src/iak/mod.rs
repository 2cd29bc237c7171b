//! IAK, formerly mobilepulsa: bills and top-ups, in JSON and XML, signed with MD5.
//!
//! What is served, all below `/api`:
//!
//! | path | answer |
//! | --- | --- |
//! | `POST /api/v1/bill/check`, with or without a slash at the end | the four postpaid commands: price list, inquiry, payment, check of a status |
//! | `POST /api/v1/bill/check/TYPE` | the same; the type narrows a price list and means nothing to the others |
//! | `GET /api/v1/download/TR_ID`, with `/1` behind it for JSON | the receipt of a paid bill, to addresses that its merchant allows |
//! | `POST /api/v1/bill/download/custom` | the same under the merchant's own header, signed |
//! | `POST /api/v1/tiketv2` | train tickets, which nobody sells any more: unknown command |
//! | anything else | page not found, as the postpaid API below `/api/v1/` and as the prepaid API elsewhere |
//!
//! A bill is inquired under the merchant's own `ref_id`, gets a `tr_id`, and is paid by that number
//! on the same day. A payment is answered with its outcome or as pending; there is no callback, the
//! merchant asks `checkstatus`.
//!
//! The API's signatures cover one field each and never expire, so what they leave open is closed by
//! form and state: see [`sign`] and the rules for references and transaction numbers.

pub mod codes;
mod pages;
mod serve;
pub mod sign;
mod wire;

#[cfg(test)]
mod serve_tests;

pub use serve::{Served, Settings};

/// The protocol's name, in credentials, aliases and references.
pub const NAME: &str = "iak";
