//! A filter that tells most absent keys from present ones without looking at a disk.
//!
//! A split block Bloom filter, as Apache Parquet specifies it: a key's hash picks one block of
//! 256 bits, one cache line at most, and sets one bit in each of the block's eight words. A key
//! that was put in is always found; one that was not is taken for present about once in a thousand
//! times at 16 bits per key. Keys cannot be taken out. The hash must already be well mixed, and
//! keyed where somebody else chooses the keys.

/// How many bits there are per key.
const BITS_PER_KEY: usize = 16;
/// How many words make a block.
const WORDS_PER_BLOCK: usize = 8;
/// How many keys share a block.
const KEYS_PER_BLOCK: usize = WORDS_PER_BLOCK * 32 / BITS_PER_KEY;

/// The multipliers by which each word of a block picks its own bit.
const SALT: [u32; WORDS_PER_BLOCK] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

/// The filter of a set of hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    blocks: Vec<[u32; WORDS_PER_BLOCK]>,
}

impl Filter {
    /// An empty filter with room for so many keys.
    pub(super) fn with_room_for(keys: usize) -> Self {
        Self { blocks: vec![[0; WORDS_PER_BLOCK]; keys.div_ceil(KEYS_PER_BLOCK).max(1)] }
    }

    /// Puts a key in.
    pub(super) fn insert(&mut self, hash: u64) {
        let index = self.index(hash);
        if let Some(block) = self.blocks.get_mut(index) {
            for (word, bit) in block.iter_mut().zip(bits(hash)) {
                *word |= bit;
            }
        }
    }

    /// Whether the key may be there. If this says no, it is not.
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        let block = self.blocks.get(self.index(hash));
        block.is_some_and(|block| block.iter().zip(bits(hash)).all(|(word, bit)| word & bit != 0))
    }

    /// The upper half of the hash picks the block.
    fn index(&self, hash: u64) -> usize {
        let blocks = u64::try_from(self.blocks.len()).unwrap_or(u64::MAX);
        usize::try_from(((hash >> 32) * (blocks & u64::from(u32::MAX))) >> 32).unwrap_or(usize::MAX)
    }

    /// The filter as it is stored: its words, the lowest byte first.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.blocks.iter().flatten().flat_map(|word| word.to_le_bytes()).collect()
    }

    /// The filter that was stored, if it has room for this many keys.
    pub(super) fn from_bytes(bytes: &[u8], keys: usize) -> Option<Self> {
        let mut filter = Self::with_room_for(keys);
        let words = filter.blocks.len() * WORDS_PER_BLOCK;
        let (stored, rest) = bytes.as_chunks::<4>();
        if stored.len() != words || !rest.is_empty() {
            return None;
        }
        for (word, stored) in filter.blocks.iter_mut().flatten().zip(stored) {
            *word = u32::from_le_bytes(*stored);
        }
        Some(filter)
    }
}

/// The bit of each word that the lower half of the hash picks.
fn bits(hash: u64) -> impl Iterator<Item = u32> {
    let low = u32::try_from(hash & u64::from(u32::MAX)).unwrap_or(0);
    SALT.into_iter().map(move |salt| 1 << (low.wrapping_mul(salt) >> 27))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    use super::*;

    fn hash(number: u32) -> u64 {
        let digest = Sha256::digest(number.to_be_bytes());
        u64::from_be_bytes(*digest.first_chunk().expect("a digest is longer"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_was_put_in_is_found_also_after_storing(
            hashes in vec(any::<u64>(), 0..200),
            room in 0_usize..300,
        ) {
            let mut filter = Filter::with_room_for(room);
            hashes.iter().for_each(|hash| filter.insert(*hash));
            let stored = Filter::from_bytes(&filter.to_bytes(), room);
            prop_assert_eq!(stored.as_ref(), Some(&filter));
            prop_assert!(hashes.iter().all(|hash| filter.may_hold(*hash)));
        }
    }

    #[test]
    fn few_absent_keys_are_taken_for_present() {
        let keys = 1 << 14;
        let mut filter = Filter::with_room_for(keys);
        (0..1 << 14).for_each(|number| filter.insert(hash(number)));
        let mistaken = (1 << 14..1 << 16).filter(|number| filter.may_hold(hash(*number))).count();
        // 49,152 absent keys; a thousandth of them are 49.
        assert!((1..200).contains(&mistaken), "{mistaken}");
    }

    #[test]
    fn a_filter_of_another_size_is_not_read() {
        let bytes = Filter::with_room_for(100).to_bytes();
        assert!(Filter::from_bytes(&bytes, 100).is_some());
        for (bytes, room) in [(&bytes[..], 1000), (&bytes[1..], 100), (&bytes[4..], 100), (&[], 1)]
        {
            assert_eq!(Filter::from_bytes(bytes, room), None);
        }
    }
}
