//! ilenpay: payers pay merchants by transferring telephone credit, in forms and JSON, signed with MD5.
//!
//! What is served, all below `/v1`:
//!
//! | path | answer |
//! | --- | --- |
//! | `POST /v1/transaksi/baru` | a new collection, paid on a hosted page (`redirect`) or on the merchant's own (`direct`) |
//! | `POST /v1/konfirmasi/pembayaran` | whether a `direct` one is paid, and by whom |
//! | `GET /v1/info/harga` | how much credit pays an amount |
//! | `GET /v1/info/server` | the operators and their rates; the vendor's own form of it is not known |
//! | `GET` or `POST /v1/webhook/ping/ID` | sends the webhook of that name a test message |
//! | `GET /v1/transaksi/status` | a collection as it stands; an extension of ours |
//! | anything else below the four prefixes | not found |
//!
//! A collection waits until evidence of the credit has come in. What the merchant or the payer says of
//! the sender only tells whose credit it is ([`normalised_sender`]). When it is paid the merchant is
//! credited `nominal` and called back ([`callback`]). Nothing ends a collection that nobody pays, unless
//! the operator sets a lifetime.
//!
//! Invariants: a reference stands for one collection for ever; rate and credit of a collection never
//! change; a merchant's word alone credits nothing. The hosted page is not here but in
//! [`crate::hosted`].

pub mod callback;
pub mod codes;
pub mod dissect;
mod mask;
mod serve;
pub mod sign;
mod wire;

#[cfg(test)]
pub(crate) mod serve_tests;

pub use serve::{Served, Settings};
pub use sign::key_name;
pub use wire::credit;
pub use wire::sender::{SenderFault, normalised_sender};

/// The protocol's name, in credentials, aliases and references.
pub const NAME: &str = "ilenpay";
/// The variant in which the payer is sent to a hosted page, as orders keep it.
pub const REDIRECT: &str = "redirect";
/// The variant in which the merchant shows the payer what to do.
pub const DIRECT: &str = "direct";

/// What merchants may want of this protocol; see [`domain::Preferences`].
pub mod preferences {
    /// Where payers go back to by default, as a ping tells it (ilenpay reference, section 7.4).
    pub const BACK_URL: &str = "back_url";
    /// `yes` hides the secret in pings.
    pub const MASK_WEBHOOK_KEY: &str = "mask_webhook_key";
    /// `yes` refuses confirmations that do not say who sent the credit.
    pub const SENDER_REQUIRED: &str = "sender_required";
    /// What switches one on.
    pub const YES: &str = "yes";
}
