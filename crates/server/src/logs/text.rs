//! Foreign text in a log line: it cannot break the line, steer a terminal, or fill the disk.

use std::fmt::{self, Write};

/// How much of one value is written, in bytes. What was cut off ends in `…`.
pub(super) const VALUE_BYTES_MAX: usize = 256;

/// Whether a character has to be escaped: quotes, backslashes, control characters, the separators
/// that some readers take for ends of lines, and the marks that turn the direction of writing.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '"' | '\\'
                | '\u{2028}'
                | '\u{2029}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}

/// Writes into a line what may stand between quotation marks in JSON, and cuts it.
pub(super) struct Escaped<'a> {
    line: &'a mut String,
    left: usize,
}

impl<'a> Escaped<'a> {
    /// Writes into this line.
    pub(super) fn new(line: &'a mut String) -> Self {
        Self { line, left: VALUE_BYTES_MAX }
    }
}

/// Whether a text may stand in a line as it is, which nearly all that is logged may.
fn is_harmless(text: &str) -> bool {
    // Every byte is looked at, and none ends the search: that is one comparison for many at a time.
    text.bytes().fold(true, |harmless, byte| {
        harmless & matches!(byte, b' '..=b'~') & (byte != b'"') & (byte != b'\\')
    })
}

impl Write for Escaped<'_> {
    /// Fails once the value is full, so that whoever formats it stops.
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() <= self.left && is_harmless(text) {
            self.left -= text.len();
            self.line.push_str(text);
            return Ok(());
        }
        for character in text.chars() {
            let Some(left) = self.left.checked_sub(character.len_utf8()) else {
                self.left = 0;
                self.line.push('…');
                return Err(fmt::Error);
            };
            self.left = left;
            match character {
                '"' | '\\' => self.line.extend(['\\', character]),
                '\n' => self.line.push_str("\\n"),
                _ if is_unsafe(character) => {
                    // All that is unsafe lies within the first 65536 characters.
                    write!(self.line, "\\u{:04x}", u32::from(character))?;
                }
                _ => self.line.push(character),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut line = String::new();
        let _ = Escaped::new(&mut line).write_str(text);
        line
    }

    #[test]
    fn nothing_foreign_steers_a_line() {
        let table = [
            ("plain 0812 é", "plain 0812 é"),
            ("a\r\nb\tc", "a\\u000d\\nb\\u0009c"),
            ("\u{1b}[31mred", "\\u001b[31mred"),
            ("\u{9b}31m\u{7f}", "\\u009b31m\\u007f"),
            ("say \"no\\yes\"", "say \\\"no\\\\yes\\\""),
            ("a\u{202e}b\u{2028}c", "a\\u202eb\\u2028c"),
        ];
        for (text, expected) in table {
            assert_eq!(escaped(text), expected);
            let json: String = serde_json::from_str(&format!("\"{expected}\"")).unwrap();
            assert_eq!(json, text, "it is still the same text to who reads JSON");
        }
    }

    #[test]
    fn what_is_harmless_needs_no_escaping_and_nothing_else_is() {
        for character in (0..=0x2fff).filter_map(char::from_u32) {
            let text = format!("a{character}b");
            let expected = character.is_ascii() && !is_unsafe(character);
            assert_eq!(is_harmless(&text), expected, "{text:?}");
            assert_eq!(escaped(&text) == text, !is_unsafe(character), "{text:?}");
        }
    }

    #[test]
    fn long_values_are_cut_at_a_whole_character() {
        assert_eq!(escaped(&"x".repeat(256)), "x".repeat(256));
        assert_eq!(escaped(&"x".repeat(257)), format!("{}…", "x".repeat(256)));
        assert_eq!(escaped(&"é".repeat(200)), format!("{}…", "é".repeat(128)));
        let mut line = String::new();
        let mut value = Escaped::new(&mut line);
        let pieces = (0..300).try_for_each(|number| write!(value, "{number} "));
        assert!(pieces.is_err(), "the formatter is told to stop");
        assert!(line.len() <= 256 + '…'.len_utf8());
    }
}
