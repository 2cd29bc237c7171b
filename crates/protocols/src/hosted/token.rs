//! The names of hosted pages: 40 hexadecimal digits that stand for one order and that nobody can
//! guess, so that knowing an order's number, or another page's name, opens nothing.
//!
//! A name is a keyed digest of the order's number, cut to 96 bits, and the number under a pad made of
//! that digest. Nothing is stored for it, and it never changes as long as the key lives.

use domain::OrderId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Bytes of the digest that stand in the name.
const PROOF: usize = 12;
/// Bytes of the number.
const NUMBER: usize = 8;

/// Makes and reads the names of pages.
#[derive(Clone)]
pub struct Tokens {
    key: [u8; 32],
}

impl Tokens {
    /// Names pages under this key.
    pub const fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The name of an order's page.
    pub fn of(&self, order: OrderId) -> String {
        let number = order.0.to_be_bytes();
        let proof = self.proof(number);
        format!("{}{}", hex::encode(proof), hex::encode(self.padded(proof, number)))
    }

    /// The order whose page goes by this name; none if it is no name of ours. Letters may be of either
    /// case.
    pub fn order(&self, token: &str) -> Option<OrderId> {
        let mut bytes = [0; PROOF + NUMBER];
        hex::decode_to_slice(token, &mut bytes).ok()?;
        let (proof, padded) = bytes.split_at(PROOF);
        let proof: [u8; PROOF] = proof.try_into().ok()?;
        let number = self.padded(proof, padded.try_into().ok()?);
        let genuine = self.proof(number).ct_eq(&proof);
        bool::from(genuine).then(|| OrderId(u64::from_be_bytes(number)))
    }

    fn proof(&self, number: [u8; NUMBER]) -> [u8; PROOF] {
        self.digest(b"page", &number)
    }

    fn padded(&self, proof: [u8; PROOF], number: [u8; NUMBER]) -> [u8; NUMBER] {
        let pad: [u8; NUMBER] = self.digest(b"pad", &proof);
        std::array::from_fn(|index| pad[index] ^ number[index])
    }

    /// The beginning of a keyed digest. The purpose keeps one kind apart from the other.
    fn digest<const LENGTH: usize>(&self, purpose: &[u8], content: &[u8]) -> [u8; LENGTH] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of every length");
        mac.update(purpose);
        mac.update(content);
        let digest = mac.finalize().into_bytes();
        std::array::from_fn(|index| digest[index])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn another_key_names_other_pages() {
        let (ours, theirs) = (Tokens::new([1; 32]), Tokens::new([2; 32]));
        let token = ours.of(OrderId(7));
        assert_eq!(token.len(), 40);
        assert_eq!(ours.order(&token.to_uppercase()), Some(OrderId(7)));
        assert_eq!(theirs.order(&token), None);
        for text in ["", "7", &token[1..], &format!("{token}0"), &"z".repeat(40)] {
            assert_eq!(ours.order(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_order_is_found_and_no_other_name_is_one(order: u64, place in 0..40_usize, digit in 1..16_u32) {
            let tokens = Tokens::new([9; 32]);
            let token = tokens.of(OrderId(order));
            prop_assert_eq!(tokens.order(&token), Some(OrderId(order)));
            let mut digits: Vec<u32> =
                token.chars().map(|it| it.to_digit(16).expect("hexadecimal")).collect();
            digits[place] ^= digit;
            let edited: String =
                digits.into_iter().filter_map(|it| char::from_digit(it, 16)).collect();
            prop_assert_eq!(tokens.order(&edited), None);
        }
    }
}
