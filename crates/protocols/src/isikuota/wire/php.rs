//! JSON as PHP 8.2 writes it, and the order into which its `ksort` puts names (isikuota reference,
//! sections 2.2 and 9.4).
//!
//! Signatures are computed over these bytes, so every oddity of PHP's counts: a name that is a
//! decimal integer is one, an object whose names are the integers from 0 in order is a list, and
//! names that both look like numbers are compared as such.

use std::cmp::Ordering;
use std::fmt::Write as _;

use super::json::{Json, Object};

/// Which of PHP's ways to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// With slashes and other alphabets as they are, after PHP has read the value as arrays: what
    /// requests are signed over.
    Canonical,
    /// With slashes and other alphabets as they are.
    Answer,
    /// As PHP writes unless told otherwise: slashes and everything beyond ASCII escaped.
    Callback,
}

/// Writes a value without blanks.
pub(crate) fn write(value: &Json, style: Style) -> String {
    let mut text = String::new();
    write_value(&mut text, value, style);
    text
}

/// Sorts the names as `ksort` does and writes them; an object without names is written as nothing.
///
/// PHP's rule is no order where numbers mix with texts that begin with a digit (`9`, `10`, `5a`):
/// each precedes another in a circle. What comes of it there depends on how PHP sorts and is not
/// imitated; a signature over such names is wrong, which refuses the request.
pub(crate) fn canonical(mut object: Object) -> String {
    if object.is_empty() {
        return String::new();
    }
    sort(&mut object);
    write(&Json::Object(object), Style::Canonical)
}

/// Sorts by insertion. The sorts of the standard library may panic where the rule is no order; the
/// objects that come here have few names.
fn sort(object: &mut Object) {
    for end in 1..object.len() {
        let mut place = end;
        while place > 0 && compare(&object[place - 1].0, &object[place].0).is_gt() {
            object.swap(place - 1, place);
            place -= 1;
        }
    }
}

/// A name that looks like a number to PHP.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Number {
    Integer(i64),
    Float(f64),
    /// Only digits, and too many of them for 64 bits.
    Overflown(f64),
}

impl Number {
    /// What a text says that is a number but for blanks around it.
    fn of(name: &str) -> Option<Self> {
        let blank = |character| matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{B}' | '\u{C}');
        let text = name.trim_matches(blank);
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (unsigned, None),
        };
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let has_mantissa = !(whole.is_empty() && fraction.is_empty());
        let has_exponent = exponent.is_none_or(|exponent| {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !digits.is_empty() && are_digits(digits)
        });
        if !(has_mantissa && has_exponent && are_digits(whole) && are_digits(fraction)) {
            return None;
        }
        let integral = mantissa.len() == unsigned.len() && !mantissa.contains('.');
        match (integral, text.parse(), text.parse()) {
            (true, Ok(integer), _) => Some(Self::Integer(integer)),
            (true, Err(_), Ok(float)) => Some(Self::Overflown(float)),
            (false, _, Ok(float)) => Some(Self::Float(float)),
            (_, _, Err(_)) => None,
        }
    }

    /// The nearest float, which for an integer is found by reading its digits.
    fn float(self) -> Option<f64> {
        match self {
            Self::Integer(integer) => integer.to_string().parse().ok(),
            Self::Float(float) | Self::Overflown(float) => Some(float),
        }
    }
}

/// How PHP compares two names.
fn compare(left: &str, right: &str) -> Ordering {
    let as_texts = || left.as_bytes().cmp(right.as_bytes());
    let (Some(one), Some(other)) = (Number::of(left), Number::of(right)) else {
        return as_texts();
    };
    if let (Number::Integer(one), Number::Integer(other)) = (one, other) {
        return one.cmp(&other);
    }
    let (Some(float), Some(other_float)) = (one.float(), other.float()) else {
        return as_texts();
    };
    match float.partial_cmp(&other_float) {
        // What only looks equal for lack of digits is compared as text.
        Some(Ordering::Equal) if float.is_infinite() => as_texts(),
        Some(Ordering::Equal) => match (one, other) {
            (Number::Overflown(_), Number::Overflown(_)) => as_texts(),
            _ => Ordering::Equal,
        },
        Some(ordering) => ordering,
        None => as_texts(),
    }
}

fn write_value(text: &mut String, value: &Json, style: Style) {
    match value {
        Json::Null => text.push_str("null"),
        Json::Bool(true) => text.push_str("true"),
        Json::Bool(false) => text.push_str("false"),
        Json::Integer(integer) => text.push_str(&integer.to_string()),
        Json::Float(float) => text.push_str(&written_float(*float)),
        Json::Text(string) => write_string(text, string, style),
        Json::List(items) => write_list(text, items.iter(), style),
        Json::Object(entries) if style == Style::Canonical && is_list(entries) => {
            write_list(text, entries.iter().map(|(_, value)| value), style);
        }
        Json::Object(entries) => {
            text.push('{');
            for (position, (name, value)) in entries.iter().enumerate() {
                if position > 0 {
                    text.push(',');
                }
                write_string(text, name, style);
                text.push(':');
                write_value(text, value, style);
            }
            text.push('}');
        }
    }
}

fn write_list<'a>(text: &mut String, items: impl Iterator<Item = &'a Json>, style: Style) {
    text.push('[');
    for (position, item) in items.enumerate() {
        if position > 0 {
            text.push(',');
        }
        write_value(text, item, style);
    }
    text.push(']');
}

/// Whether PHP, which has one type for both, takes an object for a list. So it does with an empty
/// one.
fn is_list(entries: &Object) -> bool {
    entries.iter().enumerate().all(|(position, (name, _))| *name == position.to_string())
}

fn write_string(text: &mut String, string: &str, style: Style) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\u{C}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '/' if style == Style::Callback => text.push_str("\\/"),
            '\0'..='\u{1F}' | '\u{2028}' | '\u{2029}' => write_units(text, character),
            _ if style == Style::Callback && !character.is_ascii() => write_units(text, character),
            _ => text.push(character),
        }
    }
    text.push('"');
}

fn write_units(text: &mut String, character: char) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // Writing to a string does not fail.
        let _ = write!(text, "\\u{unit:04x}");
    }
}

/// The shortest digits that read back as the same float, with an exponent from 17 on and below -4.
fn written_float(float: f64) -> String {
    let sign = if float.is_sign_negative() { "-" } else { "" };
    let (digits, exponent) = shortest(float);
    if !(-4..17).contains(&exponent) {
        let (first, others) = digits.split_at_checked(1).unwrap_or((&digits, ""));
        let others = if others.is_empty() { "0" } else { others };
        return format!("{sign}{first}.{others}e{exponent:+}");
    }
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let Ok(point) = usize::try_from(exponent + 1) else {
        return format!("{sign}0.{}{digits}", zeros(-1 - exponent));
    };
    match digits.split_at_checked(point) {
        Some(("", fraction)) => format!("{sign}0.{fraction}"),
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, fraction)) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{digits}{}", "0".repeat(point.saturating_sub(digits.len()))),
    }
}

/// The shortest digits, and the power of ten of the first. Where the float lies in the middle
/// between two that are as short, the last digit is even for PHP and the greater one for Rust.
fn shortest(float: f64) -> (String, i32) {
    /// Exact as far as it matters: no float comes this close to the middle without being there.
    const PRECISION: usize = 40;
    let (mut digits, exponent) = scientific(&format!("{float:e}"));
    let (exact, _) = scientific(&format!("{float:.PRECISION$e}"));
    let is_tie = exact.len() == digits.len() + 1 && exact.ends_with('5');
    if is_tie && let Some(odd) = digits.chars().last().filter(|it| "13579".contains(*it)) {
        digits.pop();
        digits.extend(odd.to_digit(10).and_then(|odd| char::from_digit(odd - 1, 10)));
    }
    (digits, exponent)
}

/// The digits of a number written as `-1.25e-7`, without zeros at the end, and its exponent.
fn scientific(text: &str) -> (String, i32) {
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let significant = digits.trim_end_matches('0');
    let digits = if significant.is_empty() { "0" } else { significant };
    (digits.to_owned(), exponent.parse().unwrap_or(0))
}

#[cfg(test)]
#[path = "php_tests.rs"]
mod tests;
