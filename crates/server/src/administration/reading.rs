//! Reading what a caller sent, strictly: a name that stands twice, an unknown one, and anything
//! after the end are refused, because two readers could understand them differently.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::codes::{Code, Denial};

/// How deep a body may be nested; the deepest one that is taken has four levels.
const DEPTH_MAX: usize = 16;

/// A JSON value in which no name stands twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, _value: f64) -> Result<Value, E> {
        Err(E::custom("numbers with decimals or exponents are not taken"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Strict(value))) = entries.next_entry::<String, Strict>()? {
            if object.insert(name, value).is_some() {
                return Err(serde::de::Error::custom("a name stands twice"));
            }
        }
        Ok(object.into())
    }
}

/// The JSON value of a body.
pub(crate) fn value(body: &[u8]) -> Result<Value, Denial> {
    if depth(body) > DEPTH_MAX {
        return Err(Denial::with(Code::RequestMalformed, "it is nested too deep"));
    }
    serde_json::from_slice::<Strict>(body)
        .map(|Strict(value)| value)
        .map_err(|error| Denial::with(Code::RequestMalformed, error))
}

/// How deep brackets are nested at most, counting those inside of texts too, which errs on the safe
/// side for bodies that nest four levels.
fn depth(body: &[u8]) -> usize {
    let mut open = 0_usize;
    let mut deepest = 0;
    for byte in body {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

/// What a body says, of the form that it has to have.
pub(crate) fn shaped<T: DeserializeOwned>(value: Value) -> Result<T, Denial> {
    serde_json::from_value(value).map_err(|error| Denial::with(Code::RequestMalformed, error))
}

/// The parameters of a request, each once and of these names only.
pub(crate) fn query(
    text: Option<&str>,
    allowed: &[&str],
) -> Result<BTreeMap<String, String>, Denial> {
    let invalid = |what: &str| Denial::with(Code::QueryInvalid, what);
    let mut parameters = BTreeMap::new();
    for pair in text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = unescaped(name).ok_or_else(|| invalid("a name is not UTF-8"))?;
        let value = unescaped(value).ok_or_else(|| invalid("a value is not UTF-8"))?;
        if !allowed.contains(&name.as_str()) {
            return Err(invalid("a parameter is unknown"));
        }
        if parameters.insert(name, value).is_some() {
            return Err(invalid("a parameter is given twice"));
        }
    }
    Ok(parameters)
}

/// Undoes the escapes of a form or a path segment.
pub(crate) fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let pair = [rest.next()?, rest.next()?];
                let pair = std::str::from_utf8(&pair).ok()?;
                if !pair.bytes().all(|it| it.is_ascii_hexdigit()) {
                    return None;
                }
                bytes.push(u8::from_str_radix(pair, 16).ok()?);
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_readers_could_understand_differently_is_refused() {
        let deep = "[".repeat(17) + &"]".repeat(17);
        let table = [
            "",
            "{",
            "{}{}",
            r#"{"a":1,"a":1}"#,
            r#"{"b":{"a":1,"a":2}}"#,
            "1.5",
            "1e3",
            "NaN",
            "{\"a\":\"\u{1}\"}",
            &deep,
        ];
        for text in table {
            assert!(value(text.as_bytes()).is_err(), "{text}");
        }
        assert!(value(b"{\"a\":\"\xff\"}").is_err());
        assert_eq!(value(br#"{"a":[1,null,"x",true,-2]}"#).unwrap()["a"][4], -2);
    }

    #[test]
    fn parameters_come_once_and_by_known_names() {
        let read = |text| query(Some(text), &["a", "b"]);
        assert_eq!(read("a=1&b=x%20y+z").unwrap()["b"], "x y z");
        for text in ["c=1", "a=1&a=1", "a=%", "a=%zz", "a=%+1", "a=%ff"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(query(None, &[]).unwrap(), BTreeMap::new());
    }
}
