//! The numbers by which a protocol's merchants know orders, for whoever has one of them in hand.

use domain::OrderId;

/// Translates between a protocol's numbers and ours.
pub trait OrderNumbers: Send + Sync {
    /// The protocol.
    fn protocol(&self) -> &'static str;

    /// The field in which the protocol writes the number.
    fn field(&self) -> &'static str;

    /// The order that has this number, whether or not there is such an order.
    fn order(&self, text: &str) -> Option<OrderId>;

    /// The number of an order.
    fn number(&self, order: OrderId) -> Option<String>;
}
