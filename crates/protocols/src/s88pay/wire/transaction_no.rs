//! Our numbers of transactions: `DP` or `WD` and 13 digits (S88pay reference, section 4.3).
//!
//! The vendor makes the digits of the time; here they are a keyed permutation of the order's number, so
//! that any number of orders in one millisecond have each their own and every number leads back.

use domain::{Kind, Order, OrderId};

use crate::permutation::{Permutation, Span};

/// All numbers of 13 digits that don't begin with a zero.
const SPAN: Span =
    Span { start: 1_000_000_000_000, size: 9_000_000_000_000, half_bits: 22, label: 0 };

/// Turns order numbers into transaction numbers and back.
#[derive(Clone)]
pub(crate) struct TransactionNumbers(Permutation);

impl TransactionNumbers {
    /// Numbers under this key, which must never change: merchants keep them.
    pub(crate) const fn new(key: [u8; 32]) -> Self {
        Self(Permutation::new(key))
    }

    /// The number of an order; none beyond nine trillion orders.
    pub(crate) fn of(&self, order: &Order) -> Option<String> {
        let digits = self.0.number(&SPAN, order.id.0)?;
        Some(format!("{}{digits}", prefix(order.kind)))
    }

    /// The order that would have this number if it exists and is of that kind.
    pub(crate) fn order(&self, text: &str) -> Option<OrderId> {
        let digits = text.strip_prefix("DP").or_else(|| text.strip_prefix("WD"))?;
        if digits.len() != 13 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.0.index(&SPAN, digits.parse().ok()?).map(OrderId)
    }

    /// Whether this is the number of this order.
    pub(crate) fn is_of(&self, text: &str, order: &Order) -> bool {
        self.of(order).is_some_and(|number| number == text)
    }
}

const fn prefix(kind: Kind) -> &'static str {
    match kind {
        Kind::Collection => "DP",
        Kind::Payout | Kind::Purchase => "WD",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_network_covers_the_span() {
        const { assert!(SPAN.size <= 1 << (2 * SPAN.half_bits)) };
    }

    #[test]
    fn other_spellings_are_nobodys_number() {
        let numbers = TransactionNumbers::new([7; 32]);
        let spellings = [
            "",
            "DP",
            "1700000000123",
            "dp1700000000123",
            "DP170000000012",
            "DP17000000001234",
            "DP0700000000123",
            "DP-170000000012",
            "DP+170000000012",
            "DP١٧٠٠٠٠٠٠٠٠١٢٣",
            " DP1700000000123",
        ];
        for text in spellings {
            assert_eq!(numbers.order(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_number_leads_back(id in 0..SPAN.size, key: [u8; 32]) {
            let numbers = TransactionNumbers::new(key);
            let digits = numbers.0.number(&SPAN, id).expect("within the span").to_string();
            prop_assert_eq!(digits.len(), 13);
            for prefix in ["DP", "WD"] {
                prop_assert_eq!(numbers.order(&format!("{prefix}{digits}")), Some(OrderId(id)));
            }
        }
    }
}
