//! The forms of customers' numbers that are signed in place of a reference (IAK reference, sections 3,
//! 7.4 to 7.8 and 7.9).
//!
//! Look-ups sign the number that they are about, where other commands sign a reference. So that a
//! signature over the one is never one over the other, the forms below are the only ones in which
//! look-ups are accepted, and the ones in which references are not.

/// How many digits a telephone number has at most, the leading zero included.
const TELEPHONE_LENGTH_MAX: usize = 13;
const TELEPHONE_LENGTH_MIN: usize = 10;
const METER_LENGTH: usize = 11;
const GAME_CODE_LENGTH_MAX: usize = 4;

/// A number that is not what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// It has too many digits.
    TooLong,
    /// Anything else.
    Wrong,
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number of an Indonesian mobile telephone: `08` and 8 to 11 digits.
pub(crate) fn telephone(text: &str) -> Result<(), Misfit> {
    match text.len() {
        _ if !is_digits(text) || !text.starts_with("08") => Err(Misfit::Wrong),
        TELEPHONE_LENGTH_MIN..=TELEPHONE_LENGTH_MAX => Ok(()),
        length if length > TELEPHONE_LENGTH_MAX => Err(Misfit::TooLong),
        _ => Err(Misfit::Wrong),
    }
}

/// A number of a prepaid electricity meter: 11 digits.
pub(crate) fn meter(text: &str) -> Result<(), Misfit> {
    match text.len() {
        _ if !is_digits(text) => Err(Misfit::Wrong),
        METER_LENGTH => Ok(()),
        length if length > METER_LENGTH => Err(Misfit::TooLong),
        _ => Err(Misfit::Wrong),
    }
}

/// Whether a text has the form of a game code: one to four digits.
pub(crate) fn is_game_code(text: &str) -> bool {
    is_digits(text) && text.len() <= GAME_CODE_LENGTH_MAX
}

/// Whether a look-up may be about this text, and would sign it.
pub(crate) fn may_be_looked_up(text: &str) -> bool {
    telephone(text).is_ok() || meter(text).is_ok() || is_game_code(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_telephones_and_meters() {
        use Misfit::{TooLong, Wrong};
        let table = [
            ("0812345678", Ok(()), Err(Wrong)),
            ("08123456789", Ok(()), Ok(())),
            ("0812345678901", Ok(()), Err(TooLong)),
            ("08123456789012", Err(TooLong), Err(TooLong)),
            ("081234567", Err(Wrong), Err(Wrong)),
            ("12345678901", Err(Wrong), Ok(())),
            ("1234567890", Err(Wrong), Err(Wrong)),
            ("123456789012", Err(Wrong), Err(TooLong)),
            ("6281234567890", Err(Wrong), Err(TooLong)),
            ("+6281234567890", Err(Wrong), Err(Wrong)),
            ("0812345678a", Err(Wrong), Err(Wrong)),
            ("08١٢٣", Err(Wrong), Err(Wrong)),
            ("", Err(Wrong), Err(Wrong)),
        ];
        for (text, as_telephone, as_meter) in table {
            assert_eq!((telephone(text), meter(text)), (as_telephone, as_meter), "{text}");
        }
    }

    #[test]
    fn forms_of_game_codes() {
        for (text, is_code) in [
            ("1", true),
            ("103", true),
            ("1234", true),
            ("12345", false),
            ("", false),
            ("a", false),
        ] {
            assert_eq!(is_game_code(text), is_code, "{text}");
        }
    }
}
