//! Pages that payers are shown: what to pay, where to, and how far it is.
//!
//! | path | answer |
//! | --- | --- |
//! | `GET /payment/HASH` | the page of an ilenpay collection of type `redirect` |
//! | `GET /pay/TOKEN` | the page of an S88pay deposit of version 2 |
//! | either with `/state` behind it | one word: `awaiting`, `review`, `paid` or `unpaid` |
//! | `POST` to either | what a button says: that the payer has paid, or in the sandbox that they pay or fail |
//! | `GET /pay/assets/page.js` | the script that keeps a page up to date |
//!
//! A finished page leads on to the address that the protocol's rules give, and shows the result where
//! there is none. Pages work without scripts, hold nothing from elsewhere, and are in Indonesian or
//! English.
//!
//! Invariants: whatever comes from outside passes [`escaped`]; a name that is not one tells nothing; GET
//! and HEAD change nothing; no button credits anything outside the sandbox, because only evidence does.
//! What a protocol wants to be shown besides the amount stands under the names in [`shown`].

mod address;
mod html;
mod language;
mod money;
mod page;
mod serve;
#[cfg(test)]
mod serve_tests;
mod token;

pub(crate) use address::is_address;
pub(crate) use html::escaped;
pub(crate) use money::readable;
pub(crate) use page::{POLICY, refused};
pub use serve::{Served, Settings};
pub use token::Tokens;

/// Names of particulars of a collection that its page shows, each a text. Orders are stored with them, so
/// they never change.
pub mod shown {
    /// The bank or wallet to pay through.
    pub const BANK: &str = "bank_name";
    /// The number of the account to pay to. What telephone credit is sent to is the channel's own.
    pub const ACCOUNT: &str = "receiving_account";
    /// Who holds it.
    pub const HOLDER: &str = "receiving_name";
    /// What the payer has to write into the transfer.
    pub const NOTE: &str = "match_code";
}

/// The preferences that say where a payer goes in the end, for a collection without an address of its
/// own (S88pay reference, section 10.6).
pub mod preferences {
    /// After a payment.
    pub const SUCCESS_URL: &str = "success_url";
    /// After anything else.
    pub const FAILED_URL: &str = "failed_url";
}

/// What the pages are called where requests are counted.
pub const NAME: &str = "hosted";
