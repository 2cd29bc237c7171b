//! What an answer about an order is made from.

use domain::{Bill, Order, Quote};

/// An order with the bill and the price that an answer about it needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transaction<'a> {
    /// The number under which the merchant knows it.
    pub(crate) tr_id: i64,
    /// The order.
    pub(crate) order: &'a Order,
    /// What is owed.
    pub(crate) bill: &'a Bill,
    /// What it costs.
    pub(crate) quote: &'a Quote,
    /// The group of the product, which tells how its particulars look where the code does not.
    pub(crate) group: &'a str,
}
