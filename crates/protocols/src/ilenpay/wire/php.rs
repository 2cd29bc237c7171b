//! JSON as PHP writes it by default, because receivers verify the raw bytes (ilenpay reference, section
//! 7.5): compact, `/` as `\/`, and everything beyond ASCII as `\uXXXX`.

use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// Writes a value whose maps have texts for names.
pub(crate) fn write(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, Php);
    // Such a value has a JSON form, and memory takes every byte.
    let _ = value.serialize(&mut serializer);
    bytes
}

struct Php;

impl Formatter for Php {
    /// Called with what needs no escape in JSON.
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        for character in fragment.chars() {
            if character == '/' {
                writer.write_all(b"\\/")?;
            } else if character.is_ascii() {
                write!(writer, "{character}")?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What PHP 8.2 writes for these.
    #[test]
    fn texts_are_escaped_as_php_does() {
        let table = [
            ("https://shop.example/hook", r#""https:\/\/shop.example\/hook""#),
            ("é", r#""\u00e9""#),
            ("😀", r#""\ud83d\ude00""#),
            ("a\"\\\n\t\u{8}\u{c}\r\u{1}", r#""a\"\\\n\t\b\f\r\u0001""#),
            ("<&'>", r#""<&'>""#),
        ];
        for (text, written) in table {
            assert_eq!(String::from_utf8(write(&text)).expect("ASCII"), written);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_means_the_same(text: String) {
            let written = write(&text);
            prop_assert!(written.is_ascii());
            prop_assert_eq!(serde_json::from_slice::<String>(&written).expect("JSON"), text);
        }
    }
}
