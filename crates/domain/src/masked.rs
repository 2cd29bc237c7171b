//! How customers' numbers and names may be shown to those who need not know them.
//!
//! Enough is left to recognise what one knows already, and never enough to learn it. This module
//! decides no more than the form; where something has to be masked is decided where it is shown.

use std::fmt;

/// How many characters are left at the beginning.
const HEAD: usize = 4;
/// How many characters are left at the end.
const TAIL: usize = 3;
/// A text shorter than this is hidden whole, because what is left would give it away.
const LENGTH_MIN: usize = 11;

/// A text as it may be shown: `0812****345`, or only `****` where it is short.
#[derive(Clone, Copy)]
pub struct Masked<'a>(pub &'a str);

impl fmt::Display for Masked<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.0.chars().count();
        if length < LENGTH_MIN {
            return formatter.write_str("****");
        }
        let shown = |characters: &mut dyn Iterator<Item = char>| {
            // What is left must not steer a terminal or break a line.
            characters.map(|it| if it.is_control() { '?' } else { it }).collect::<String>()
        };
        let head = shown(&mut self.0.chars().take(HEAD));
        let tail = shown(&mut self.0.chars().skip(length.saturating_sub(TAIL)));
        write!(formatter, "{head}****{tail}")
    }
}

/// Debugging shows no more than displaying does.
impl fmt::Debug for Masked<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_is_hidden() {
        let table = [
            ("", "****"),
            ("123", "****"),
            ("0812345678", "****"),
            ("08123456789", "0812****789"),
            ("081234567345", "0812****345"),
            ("530000000000", "5300****000"),
            ("ab\ncdefghijk", "ab?c****ijk"),
            ("Šárka Nováková", "Šárk****ová"),
        ];
        for (text, shown) in table {
            assert_eq!(Masked(text).to_string(), shown, "{text}");
            assert_eq!(format!("{:?}", Masked(text)), shown, "{text}");
        }
    }
}
