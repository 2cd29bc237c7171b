//! What a `ref_id` may look like (IAK reference, section 5.2).
//!
//! The form is narrow on purpose. MD5 signatures can be extended by whoever has seen one, but only
//! with bytes outside this alphabet; the fixed words of other commands, the numbers that we give to
//! transactions and those that look-ups are about are signed in the same place as a reference, so none
//! of them may be one.

use domain::{Reference, Refusal};

use super::{number, tr_id};
use crate::iak::sign;

const LENGTH_MAX: usize = 64;

/// The reference that this text is, if it may be one: 1 to 64 of `A-Z a-z 0-9 . _ -`, no word with a
/// meaning of its own in signatures however capitalised, no number that a transaction may have, and
/// none that may be looked up.
pub(crate) fn reference(text: &str) -> Result<Reference, Refusal> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let formed = !text.is_empty() && text.len() <= LENGTH_MAX && text.bytes().all(allowed);
    let reserved = sign::RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text));
    if !formed || reserved || tr_id::may_be_given(text) || number::may_be_looked_up(text) {
        return Err(Refusal::ReferenceMalformed);
    }
    Ok(Reference::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_that_are_and_are_not_references() {
        let longest = "x".repeat(64);
        let too_long = "x".repeat(65);
        let good =
            ["INV2024000001", "ref-14_May_2022_10.15.00", "1706690700", "-1", "plx", &longest];
        for text in good {
            assert_eq!(reference(text), Ok(Reference::new(text)));
        }
        let bad = [
            "",
            &too_long,
            "INV 1",
            "INV:1",
            "INV/1",
            "INV\n",
            "INV\u{80}",
            "ＩＮＶ",
            "pl",
            "cs",
            "bc",
            "bl",
            "op",
            "st",
            "CS",
            "Pl",
            "1000000000",
            "1599999999",
            "0001234567890",
            "9000000000000000",
            "9007199254740991",
            "1",
            "103",
            "1234",
            "12345678901",
            "08123456789",
            "0812345678",
            "0812345678901",
        ];
        for text in bad {
            assert_eq!(reference(text), Err(Refusal::ReferenceMalformed), "{text:?}");
        }
        for text in [
            "12345",
            "999999999",
            "08123456789012",
            "1600000000",
            "8999999999999999",
            "9007199254740992",
        ] {
            assert!(reference(text).is_ok(), "{text}");
        }
    }
}
