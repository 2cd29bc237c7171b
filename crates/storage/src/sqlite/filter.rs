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

/// A key as filters of any size look for it, made once for all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// The upper half of the hash, which picks the block.
    high: u64,
    /// The bits of a block that the lower half picks, one in each word.
    bits: [u32; WORDS_PER_BLOCK],
}

impl Key {
    pub(super) fn new(hash: u64) -> Self {
        let low = u32::try_from(hash & u64::from(u32::MAX)).unwrap_or(0);
        Self { high: hash >> 32, bits: SALT.map(|salt| 1 << (low.wrapping_mul(salt) >> 27)) }
    }
}

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
    pub(super) fn insert(&mut self, key: Key) {
        let index = self.index(key);
        if let Some(block) = self.blocks.get_mut(index) {
            for (word, bit) in block.iter_mut().zip(key.bits) {
                *word |= bit;
            }
        }
    }

    /// Whether the key may be there. If this says no, it is not.
    pub(super) fn may_hold(&self, key: Key) -> bool {
        let Some(block) = self.blocks.get(self.index(key)) else { return false };
        // All words are looked at, because a branch per word that nobody can foresee costs more, and
        // keeps the processor from looking into the next filter meanwhile.
        let missing = block.iter().zip(key.bits).map(|(word, bit)| !word & bit);
        missing.fold(0, |missing, bit| missing | bit) == 0
    }

    fn index(&self, key: Key) -> usize {
        let blocks = u64::try_from(self.blocks.len()).unwrap_or(u64::MAX);
        usize::try_from((key.high * (blocks & u64::from(u32::MAX))) >> 32).unwrap_or(usize::MAX)
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
            hashes.iter().for_each(|hash| filter.insert(Key::new(*hash)));
            let stored = Filter::from_bytes(&filter.to_bytes(), room);
            prop_assert_eq!(stored.as_ref(), Some(&filter));
            prop_assert!(hashes.iter().all(|hash| filter.may_hold(Key::new(*hash))));
        }
    }

    #[test]
    fn few_absent_keys_are_taken_for_present() {
        let keys = 1 << 14;
        let mut filter = Filter::with_room_for(keys);
        (0..1 << 14).for_each(|number| filter.insert(Key::new(hash(number))));
        let mistaken =
            (1 << 14..1 << 16).filter(|number| filter.may_hold(Key::new(hash(*number)))).count();
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
