//! IAK, formerly mobilepulsa: bills and top-ups, in JSON and XML, signed with MD5.
//!
//! The postpaid API, all below `/api/v1`:
//!
//! | path | answer |
//! | --- | --- |
//! | `POST /api/v1/bill/check`, with or without a slash at the end | the four postpaid commands: price list, inquiry, payment, check of a status |
//! | `POST /api/v1/bill/check/TYPE` | the same; the type narrows a price list and means nothing to the others |
//! | `GET /api/v1/download/TR_ID`, with `/1` behind it for JSON | the receipt of a paid bill, to addresses that its merchant allows |
//! | `POST /api/v1/bill/download/custom` | the same under the merchant's own header, signed |
//! | `POST /api/v1/tiketv2` | train tickets, which nobody sells any more: unknown command |
//!
//! The prepaid API, in its newer version everywhere else below `/api`:
//!
//! | path | answer |
//! | --- | --- |
//! | `POST /api/check-balance` | the balance |
//! | `POST /api/pricelist`, with `/TYPE` or `/TYPE/BRAND` behind it | the top-ups on sale |
//! | `POST /api/check-operator` | whose a telephone number is |
//! | `POST /api/inquiry-pln`, `/api/inquiry-ovo`, `/api/inquiry-game` | whose a meter, a wallet or a player's number is |
//! | `POST /api/inquiry-game-server`, `/api/game/format` | what a game wants to know of its players |
//! | `POST /api/top-up`, `/api/check-status` | a purchase, and where it stands |
//! | `POST /api/esim/notification/activation` | mails once more how to activate an eSIM |
//! | `GET /api/download/TR_ID`, with `/1` behind it for the raw text | the receipt of a top-up |
//! | `POST /v1/legacy/index`, with `/TYPE` or `/TYPE/BRAND` behind it | the older version: eight commands in the body |
//!
//! Anything else below these is answered with page not found, as the postpaid API below `/api/v1/` and
//! as the prepaid API elsewhere.
//!
//! A bill is inquired under the merchant's own `ref_id`, gets a `tr_id`, and is paid by that number
//! on the same day. A payment is answered with its outcome or as pending; there is no callback, the
//! merchant asks `checkstatus`. A top-up is always answered as pending; its merchant is called back when
//! it ends ([`callback`]), or asks by repeating its request. References of both share one namespace.
//!
//! The API's signatures cover one field each and never expire, so what they leave open is closed by
//! form and state: see [`sign`] and the rules for references, transaction numbers and numbers that can be
//! looked up.

pub mod callback;
pub mod codes;
mod commands;
pub mod dissect;
mod lists;
mod mask;
mod pages;
mod serve;
pub mod sign;
mod wire;

#[cfg(test)]
mod serve_tests;

use crate::order_numbers::OrderNumbers;

pub use serve::{Served, Settings};

/// The protocol's name, in credentials, aliases and references.
pub const NAME: &str = "iak";

/// The numbers that merchants know as `tr_id`, under the key of the installation.
pub fn order_numbers(tr_id_key: [u8; 32]) -> impl OrderNumbers {
    wire::tr_id::TransactionNumbers::new(tr_id_key)
}
