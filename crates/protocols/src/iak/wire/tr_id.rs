//! Transaction numbers: what merchants see as `tr_id` (IAK reference, section 2.5).
//!
//! A number is a keyed permutation of our own order number, so that it tells nobody how many orders
//! there are and nobody can guess a neighbour's. Order numbers below [`NARROW_SIZE`] become numbers
//! from 1 000 000 000 to 1 599 999 999, which clients with 32-bit columns can keep; those lie below
//! the UNIX times that some clients send as references. Later orders become *wide* numbers from
//! 9 000 000 000 000 000 to 2^53 - 1, which JavaScript can still count and which no usual reference
//! made of a date looks like. No text in either span may be a reference, so that a signature over
//! one is never a signature over the other.

use domain::OrderId;

use crate::iak::NAME;
use crate::order_numbers::OrderNumbers;
use crate::permutation::{Permutation, Span};

const NARROW_START: u64 = 1_000_000_000;
/// How many orders get a narrow number.
const NARROW_SIZE: u64 = 600_000_000;
const WIDE_START: u64 = 9_000_000_000_000_000;
const WIDE_SIZE: u64 = (1 << 53) - WIDE_START;

const NARROW: Span = Span { start: NARROW_START, size: NARROW_SIZE, half_bits: 15, label: 0 };
const WIDE: Span = Span { start: WIDE_START, size: WIDE_SIZE, half_bits: 22, label: 1 };

/// Whether a transaction may have the number that this text writes, leading zeros disregarded.
pub(crate) fn may_be_given(text: &str) -> bool {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    text.parse().is_ok_and(|number| NARROW.contains(number) || WIDE.contains(number))
}

/// Turns order numbers into transaction numbers and back.
#[derive(Clone)]
pub(crate) struct TransactionNumbers(Permutation);

impl TransactionNumbers {
    /// Numbers under this key, which must never change: merchants keep them.
    pub(crate) const fn new(key: [u8; 32]) -> Self {
        Self(Permutation::new(key))
    }

    /// The transaction number of an order; none beyond seven trillion orders.
    pub(crate) fn number(&self, order: OrderId) -> Option<i64> {
        let number = match order.0.checked_sub(NARROW_SIZE) {
            None => self.0.number(&NARROW, order.0),
            Some(index) => self.0.number(&WIDE, index),
        };
        number.and_then(|number| i64::try_from(number).ok())
    }

    /// The order that has this transaction number, whether or not it exists. Only the one spelling
    /// in which we give numbers out is understood.
    pub(crate) fn order(&self, text: &str) -> Option<OrderId> {
        self.read(text).map(|(_, order)| order)
    }

    /// The same with the number itself, which would cost as much to find again from the order.
    pub(crate) fn read(&self, text: &str) -> Option<(i64, OrderId)> {
        let number: u64 = text.parse().ok()?;
        if number.to_string() != text {
            return None;
        }
        let wide = || self.0.index(&WIDE, number).map(|index| NARROW_SIZE + index);
        let order = self.0.index(&NARROW, number).or_else(wide)?;
        Some((i64::try_from(number).ok()?, OrderId(order)))
    }
}

impl OrderNumbers for TransactionNumbers {
    fn protocol(&self) -> &'static str {
        NAME
    }

    fn field(&self) -> &'static str {
        "tr_id"
    }

    fn order(&self, text: &str) -> Option<OrderId> {
        Self::order(self, text)
    }

    fn number(&self, order: OrderId) -> Option<String> {
        Self::number(self, order).map(|number| number.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn numbers() -> TransactionNumbers {
        TransactionNumbers::new([7; 32])
    }

    #[test]
    fn the_network_covers_each_span() {
        for span in [NARROW, WIDE] {
            assert!(span.size <= 1 << (2 * span.half_bits));
        }
    }

    #[test]
    fn first_orders_get_distinct_narrow_numbers_that_depend_on_the_key() {
        let given: HashSet<_> = (0..5000).map(|id| numbers().number(OrderId(id))).collect();
        assert_eq!(given.len(), 5000);
        let other = TransactionNumbers::new([8; 32]);
        assert_ne!(other.number(OrderId(1)), numbers().number(OrderId(1)));
    }

    #[test]
    fn the_spans_meet_without_a_gap() {
        let number = |id| numbers().number(OrderId(id));
        assert!(number(NARROW_SIZE - 1).is_some_and(|number| number < 1_600_000_000));
        assert!(number(NARROW_SIZE).is_some_and(|number| number >= 9_000_000_000_000_000));
        assert!(number(NARROW_SIZE + WIDE_SIZE - 1).is_some());
        assert_eq!(number(NARROW_SIZE + WIDE_SIZE), None);
        assert_eq!(number(u64::MAX), None);
    }

    #[test]
    fn other_spellings_are_nobodys_number() {
        let given = numbers().number(OrderId(1)).expect("within the span").to_string();
        assert_eq!(numbers().order(&given), Some(OrderId(1)));
        let spellings = [
            format!("0{given}"),
            format!("+{given}"),
            format!("-{given}"),
            format!(" {given}"),
            format!("{given}.0"),
            String::new(),
            "50120001".to_owned(),
            "1600000000".to_owned(),
            "9007199254740992".to_owned(),
            "99999999999999999999999".to_owned(),
        ];
        for text in spellings {
            assert_eq!(numbers().order(&text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_number_leads_back_to_its_order(
            id in prop_oneof![0..NARROW_SIZE, NARROW_SIZE..NARROW_SIZE + WIDE_SIZE],
            key: [u8; 32],
        ) {
            let numbers = TransactionNumbers::new(key);
            let text = numbers.number(OrderId(id)).expect("within the spans").to_string();
            prop_assert!(may_be_given(&text));
            prop_assert_eq!(numbers.order(&text), Some(OrderId(id)));
            let number = numbers.number(OrderId(id)).expect("within the spans");
            prop_assert_eq!(numbers.read(&text), Some((number, OrderId(id))));
        }

        #[test]
        fn every_number_of_a_span_is_some_orders(
            number in prop_oneof![
                NARROW_START..NARROW_START + NARROW_SIZE,
                WIDE_START..WIDE_START + WIDE_SIZE,
            ],
        ) {
            let order = numbers().order(&number.to_string()).expect("in a span");
            prop_assert_eq!(numbers().number(order), i64::try_from(number).ok());
        }
    }
}
