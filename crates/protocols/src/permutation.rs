//! Numbers that merchants see in place of our own: a keyed permutation, so that they tell nobody how
//! many orders there are and nobody can guess a neighbour's, and each leads back to its order.
//!
//! The permutation is a Feistel network over SHA-256, repeated until the result falls into the span
//! (cycle walking). It hides an order; it is not what keeps strangers out.

use sha2::{Digest, Sha256};

const ROUNDS: u8 = 8;

/// Numbers in a row, permuted among themselves.
pub(crate) struct Span {
    /// The first of them.
    pub(crate) start: u64,
    /// How many there are.
    pub(crate) size: u64,
    /// The network permutes numbers of twice so many bits; that has to be at least the span's size,
    /// and should be little more.
    pub(crate) half_bits: u32,
    /// Keeps the permutations of two spans under one key apart.
    pub(crate) label: u8,
}

impl Span {
    /// Whether a number is one of them.
    pub(crate) const fn contains(&self, number: u64) -> bool {
        number >= self.start && number - self.start < self.size
    }
}

/// A permutation for each span.
#[derive(Clone)]
pub(crate) struct Permutation {
    key: [u8; 32],
}

impl Permutation {
    /// Permutes under this key, which must never change: merchants keep the numbers.
    pub(crate) const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The number in the span that stands for an index; none for an index beyond its size.
    pub(crate) fn number(&self, span: &Span, index: u64) -> Option<u64> {
        (index < span.size).then(|| span.start + self.walk(span, index, Self::forward))
    }

    /// The index for which a number stands; none for a number outside the span.
    pub(crate) fn index(&self, span: &Span, number: u64) -> Option<u64> {
        span.contains(number).then(|| self.walk(span, number - span.start, Self::backward))
    }

    /// Permutes until the result lies in the span. It ends because a permutation's cycle leads back
    /// to where it began, which lies in the span.
    fn walk(&self, span: &Span, index: u64, step: fn(&Self, &Span, u64) -> u64) -> u64 {
        let mut permuted = step(self, span, index);
        while permuted >= span.size {
            permuted = step(self, span, permuted);
        }
        permuted
    }

    fn forward(&self, span: &Span, value: u64) -> u64 {
        let (mut left, mut right) = halves(span, value);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ self.mix(span, round, right));
        }
        (left << span.half_bits) | right
    }

    fn backward(&self, span: &Span, value: u64) -> u64 {
        let (mut left, mut right) = halves(span, value);
        for round in (0..ROUNDS).rev() {
            (left, right) = (right ^ self.mix(span, round, left), left);
        }
        (left << span.half_bits) | right
    }

    fn mix(&self, span: &Span, round: u8, half: u64) -> u64 {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(self.key)
            .chain_update([span.label, round])
            .chain_update(half.to_be_bytes())
            .finalize()
            .into();
        let [a, b, c, d, ..] = digest;
        u64::from(u32::from_be_bytes([a, b, c, d])) & mask(span)
    }
}

const fn mask(span: &Span) -> u64 {
    (1 << span.half_bits) - 1
}

const fn halves(span: &Span, value: u64) -> (u64, u64) {
    (value >> span.half_bits, value & mask(span))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// Small enough to see that nothing is missing and nothing is there twice.
    #[test]
    fn a_span_is_permuted_among_itself() {
        let span = Span { start: 100, size: 1000, half_bits: 5, label: 0 };
        let permutation = Permutation::new([7; 32]);
        let numbers: HashSet<u64> =
            (0..1000).filter_map(|index| permutation.number(&span, index)).collect();
        assert_eq!(numbers.len(), 1000);
        assert!(numbers.iter().all(|number| span.contains(*number)));
        for index in 0..1000 {
            let number = permutation.number(&span, index).expect("within the span");
            assert_eq!(permutation.index(&span, number), Some(index));
        }
        assert_eq!(permutation.number(&span, 1000), None);
        assert_eq!((permutation.index(&span, 99), permutation.index(&span, 1100)), (None, None));
    }

    #[test]
    fn key_and_label_make_another_permutation() {
        let span = |label| Span { start: 0, size: 1 << 20, half_bits: 10, label };
        let row = |key, label| -> Vec<_> {
            (0..50).map(|index| Permutation::new([key; 32]).number(&span(label), index)).collect()
        };
        assert_ne!(row(7, 0), row(8, 0));
        assert_ne!(row(7, 0), row(7, 1));
    }
}
