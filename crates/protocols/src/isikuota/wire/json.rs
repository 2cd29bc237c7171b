//! JSON as a tree that keeps the order of names and the difference between integers and floats,
//! because signatures are computed over both.
//!
//! What this accepts, PHP accepts too, and understands in the same way: integers beyond 64 bits are
//! floats, and a name that comes twice inside an object has its last value in its first place.
//! Invariants: nothing nests deeper than [`DEPTH_MAX`], floats are finite, and texts are made of
//! whole characters.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// How deep objects and lists may nest. PHP's own limit is 512; nothing documented nests at all.
pub(crate) const DEPTH_MAX: usize = 128;
/// How many names the outermost object may have.
pub(crate) const NAMES_MAX: usize = 64;

/// Named values in the order in which they came.
pub(crate) type Object = Vec<(String, Json)>;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number without fraction or exponent that 64 bits hold.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object. Names are unique, except in the outermost object of what was read.
    Object(Object),
}

impl Json {
    /// A text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// An object with these names in this order.
    pub(crate) fn object<const N: usize>(entries: [(&str, Self); N]) -> Self {
        Self::Object(named(entries))
    }
}

/// Entries with these names in this order.
pub(crate) fn named<const N: usize>(entries: [(&str, Json); N]) -> Object {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Why a body says nothing: one sentence for the developer at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub(crate) &'static str);

const NOT_JSON: Malformed = Malformed("Isi permintaan bukan JSON yang benar");

/// Reads a text that is one JSON object and nothing else. A name may come twice in it, which is for
/// the caller to judge; objects inside are settled already.
pub(crate) fn read(text: &str) -> Result<Object, Malformed> {
    let mut parser = Parser { text, at: 0 };
    parser.skip_blanks();
    if parser.next_byte() != Some(b'{') {
        return Err(Malformed("Isi permintaan bukan objek JSON"));
    }
    let object = parser.object(1)?;
    parser.skip_blanks();
    if parser.at < text.len() {
        return Err(NOT_JSON);
    }
    if object.len() > NAMES_MAX {
        return Err(Malformed("Isi permintaan memiliki terlalu banyak kolom"));
    }
    Ok(object)
}

/// Leaves each name once: in the place where it came first, with the value that came last.
pub(crate) fn settled(object: Object) -> Object {
    let mut places = HashMap::new();
    let mut unique = Object::with_capacity(object.len());
    for (name, value) in object {
        match places.entry(name.clone()) {
            Entry::Vacant(place) => {
                place.insert(unique.len());
                unique.push((name, value));
            }
            Entry::Occupied(place) => {
                if let Some((_, taken)) = unique.get_mut(*place.get()) {
                    *taken = value;
                }
            }
        }
    }
    unique
}

/// Reads from left to right; `at` always lies between two characters.
struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes one byte, which the caller knows to be a character of its own or gives up over.
    fn next_byte(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
    }

    fn skip_blanks(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn rest_starts_with(&mut self, word: &str) -> bool {
        let found =
            self.text.as_bytes().get(self.at..).is_some_and(|it| it.starts_with(word.as_bytes()));
        if found {
            self.at += word.len();
        }
        found
    }

    /// One value; `depth` is how many objects and lists it lies in.
    fn value(&mut self, depth: usize) -> Result<Json, Malformed> {
        self.skip_blanks();
        match self.peek() {
            Some(b'{' | b'[') if depth >= DEPTH_MAX => {
                Err(Malformed("Isi permintaan bersarang terlalu dalam"))
            }
            Some(b'{') => {
                self.at += 1;
                Ok(Json::Object(settled(self.object(depth + 1)?)))
            }
            Some(b'[') => {
                self.at += 1;
                self.list(depth + 1)
            }
            Some(b'"') => {
                self.at += 1;
                Ok(Json::Text(self.string()?))
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ if self.rest_starts_with("true") => Ok(Json::Bool(true)),
            _ if self.rest_starts_with("false") => Ok(Json::Bool(false)),
            _ if self.rest_starts_with("null") => Ok(Json::Null),
            _ => Err(NOT_JSON),
        }
    }

    /// What follows the opening brace.
    fn object(&mut self, depth: usize) -> Result<Object, Malformed> {
        let mut entries = Object::new();
        self.skip_blanks();
        if self.rest_starts_with("}") {
            return Ok(entries);
        }
        loop {
            self.skip_blanks();
            if self.next_byte() != Some(b'"') {
                return Err(NOT_JSON);
            }
            let name = self.string()?;
            self.skip_blanks();
            if self.next_byte() != Some(b':') {
                return Err(NOT_JSON);
            }
            entries.push((name, self.value(depth)?));
            if self.ends_with(b'}')? {
                return Ok(entries);
            }
        }
    }

    /// What follows the opening bracket.
    fn list(&mut self, depth: usize) -> Result<Json, Malformed> {
        let mut items = Vec::new();
        self.skip_blanks();
        if self.rest_starts_with("]") {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            if self.ends_with(b']')? {
                return Ok(Json::List(items));
            }
        }
    }

    /// Whether what stands behind a value closes its object or list instead of going on.
    fn ends_with(&mut self, closing: u8) -> Result<bool, Malformed> {
        self.skip_blanks();
        match self.next_byte() {
            Some(b',') => Ok(false),
            Some(byte) if byte == closing => Ok(true),
            _ => Err(NOT_JSON),
        }
    }

    /// What follows the opening quotation mark.
    fn string(&mut self) -> Result<String, Malformed> {
        let mut string = String::new();
        loop {
            let begun = self.at;
            self.skip_while(|byte| byte >= b' ' && !matches!(byte, b'"' | b'\\'));
            string.push_str(self.text.get(begun..self.at).ok_or(NOT_JSON)?);
            match self.next_byte() {
                Some(b'"') => return Ok(string),
                Some(b'\\') => string.push(self.escaped()?),
                _ => return Err(NOT_JSON),
            }
        }
    }

    /// What follows a backslash.
    fn escaped(&mut self) -> Result<char, Malformed> {
        match self.next_byte() {
            Some(byte @ (b'"' | b'\\' | b'/')) => Ok(char::from(byte)),
            Some(b'b') => Ok('\u{8}'),
            Some(b'f') => Ok('\u{C}'),
            Some(b'n') => Ok('\n'),
            Some(b'r') => Ok('\r'),
            Some(b't') => Ok('\t'),
            Some(b'u') => {
                let unit = self.unit()?;
                // A unit of the upper half is the first of a pair; any other is a character of its
                // own, or the second of a pair without a first.
                let second = match unit {
                    0xD800..=0xDBFF if self.rest_starts_with("\\u") => Some(self.unit()?),
                    _ => None,
                };
                let mut characters = char::decode_utf16([Some(unit), second].into_iter().flatten());
                match (characters.next(), characters.next()) {
                    (Some(Ok(character)), None) => Ok(character),
                    _ => Err(Malformed("Isi permintaan memuat karakter yang tidak utuh")),
                }
            }
            _ => Err(NOT_JSON),
        }
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Result<u16, Malformed> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(NOT_JSON)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NOT_JSON);
        }
        self.at += 4;
        u16::from_str_radix(digits, 16).map_err(|_| NOT_JSON)
    }

    fn number(&mut self) -> Result<Json, Malformed> {
        let begun = self.at;
        self.rest_starts_with("-");
        if !self.rest_starts_with("0") {
            self.digits()?;
        }
        let mut whole = true;
        if self.rest_starts_with(".") {
            self.digits()?;
            whole = false;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
            whole = false;
        }
        let text = self.text.get(begun..self.at).ok_or(NOT_JSON)?;
        match text.parse() {
            Ok(integer) if whole => return Ok(Json::Integer(integer)),
            _ => {}
        }
        // PHP reads what no float holds as infinite, and cannot write that.
        let float: Option<f64> = text.parse().ok().filter(|float: &f64| float.is_finite());
        float.map(Json::Float).ok_or(Malformed("Isi permintaan memuat angka yang terlalu besar"))
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Malformed> {
        let begun = self.at;
        self.skip_while(|byte| byte.is_ascii_digit());
        if self.at == begun { Err(NOT_JSON) } else { Ok(()) }
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
