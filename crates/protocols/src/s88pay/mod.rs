//! S88pay: deposits and payouts in many currencies, one per merchant, every request one encrypted text.
//!
//! | path | answer |
//! | --- | --- |
//! | `GET /CODE/v2/dopayment?key=…` | a deposit on a page of ours: the browser is sent there |
//! | `POST /api/CODE/v3/dopayment` | a deposit on a page of the merchant's: what to show there |
//! | `POST /api/CODE/v3/krw-payment`, `…/krw-submit-information` | the same in won, in two steps |
//! | `POST /api/CODE/v3/submit-utr`, `…/submit-refno`, `…/submit-depositor` | notes what the payer tells of the payment |
//! | `POST /api/v1/payout/CODE` | money out |
//! | `POST /api/v1/CODE/transactions/status` | where a deposit or payout stands |
//! | `GET /api/v1/balance/CODE` | the balance |
//! | `POST /api/v1/transaction/resend-callback/CODE` | sends a callback again |
//! | `POST /api/v2/channel/CODE` | the ways for money in and out |
//! | `GET /api/sub-bank/available`, `/api/v2/jpy/bank-data`, `/api/v2/jpy/branch-data/BANK` | banks |
//! | `GET /CODE/v3/qr/PAGE` | the picture of a payment code, ours |
//!
//! `CODE` is the merchant's. A transaction goes by the merchant's own `transaction_code`, unique for
//! deposits and payouts together, and by our `transaction_no`. Merchants are called back when one ends
//! ([`callback`]).
//!
//! The texts are encrypted and not authenticated ([`sign`]); whoever sees one can send it again. What
//! contains that stands elsewhere: a transaction code is used once, deposits and payouts carry a time,
//! and everything else only reads or may be repeated.

pub mod callback;
mod codes;
pub mod compose;
pub mod dissect;
mod lists;
mod mask;
mod pages;
pub mod particulars;
pub mod preferences;
mod serve;
pub mod sign;
mod wire;

#[cfg(test)]
mod serve_tests;

use domain::{Amount, Kind, Order};

use crate::order_numbers::OrderNumbers;

pub use serve::{Served, Settings, is_merchant_code};

/// The protocol's name, in credentials, aliases and references.
pub const NAME: &str = "s88pay";

/// The numbers that merchants know as `transaction_no`, under the key of the installation.
pub fn order_numbers(number_key: [u8; 32]) -> impl OrderNumbers {
    wire::transaction_no::TransactionNumbers::new(number_key)
}

/// What an order is about, and what we take for it; none for an order of no kind that this API has.
fn figures(order: &Order) -> Option<(Amount, Amount)> {
    match order.kind {
        Kind::Collection => order.collecting.as_ref().map(|it| (it.gross, it.fee)),
        Kind::Payout | Kind::Purchase => order.quote.map(|quote| (quote.nominal, quote.admin)),
    }
}
