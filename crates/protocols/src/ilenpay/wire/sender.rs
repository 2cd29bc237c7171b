//! Who sent telephone credit: one spelling of a number for what payers tell and for what readers of SIM
//! cards see, so that the two can be compared (ilenpay reference, section 4.2).

use thiserror::Error;

/// How many digits a number has at most, as it is given.
const DIGITS_MAX: usize = 20;

/// A text that is no telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a telephone number has 1 to 20 digits, with at most a plus sign before them")]
pub struct SenderFault;

/// A number in the form `6281298765432`: digits, with the country's code for the leading zero and
/// without the plus sign. A number that has neither stays as it is.
pub fn normalised_sender(text: &str) -> Result<String, SenderFault> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let well_formed = (1..=DIGITS_MAX).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.strip_prefix('0') {
        _ if !well_formed => Err(SenderFault),
        Some(rest) => Ok(format!("62{rest}")),
        None => Ok(digits.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_number_has_one_spelling() {
        let table = [
            ("081298765432", Ok("6281298765432")),
            ("6281298765432", Ok("6281298765432")),
            ("+6281298765432", Ok("6281298765432")),
            ("81298765432", Ok("81298765432")),
            ("858", Ok("858")),
            ("0", Ok("62")),
            ("+081", Ok("6281")),
            ("01234567890123456789", Ok("621234567890123456789")),
            ("012345678901234567890", Err(SenderFault)),
            ("", Err(SenderFault)),
            ("+", Err(SenderFault)),
            ("++62812", Err(SenderFault)),
            ("0812-9876", Err(SenderFault)),
            (" 0812", Err(SenderFault)),
            ("08١٢", Err(SenderFault)),
        ];
        for (text, expected) in table {
            assert_eq!(normalised_sender(text).as_deref(), expected.as_ref().copied(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_normalised_has_digits_only(text in "\\+?[0-9a ]{0,22}") {
            if let Ok(number) = normalised_sender(&text) {
                prop_assert!(number.bytes().all(|byte| byte.is_ascii_digit()));
                prop_assert!((1..=21).contains(&number.len()));
            }
        }
    }
}
