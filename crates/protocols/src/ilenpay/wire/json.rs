//! JSON bodies: one object whose values are texts or whole numbers.
//!
//! The fields are filled straight from the parser's events, so that names that come twice are seen
//! instead of overwritten and numbers never pass through a float.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::fields::{Fields, Unreadable};

/// Reads a body.
pub(super) fn read(body: &[u8]) -> Result<Fields, Unreadable> {
    serde_json::from_slice::<Object>(body).map(|object| object.0).map_err(|_| Unreadable)
}

struct Object(Fields);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Object;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut fields = Fields::default();
        while let Some((name, Value(value))) = map.next_entry()? {
            fields.add(name, value).map_err(|_| A::Error::custom("a name comes twice"))?;
        }
        Ok(Object(fields))
    }
}

/// A value; none is one that is no text.
struct Value(Option<String>);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value(Some(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value(Some(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value(Some(number.to_string())))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value(None))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value(None))
    }
}
