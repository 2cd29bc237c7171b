//! JSON into [`Content`], and answers into JSON.
//!
//! The tree is filled straight from the parser's events, so that duplicate names are seen instead
//! of overwritten and numbers never pass through a float.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::content::{Content, DEPTH_MAX, Malformed, Object, add};
use super::node::Node;

/// Reads a text that is one JSON object and nothing else.
pub(super) fn read(text: &str) -> Result<Object<'_>, Malformed> {
    let malformed = |_: serde_json::Error| {
        Malformed("The body is not a JSON object with unique names and reasonable depth.")
    };
    let mut parser = serde_json::Deserializer::from_str(text);
    let content = Reader { depth: 1 }.deserialize(&mut parser).map_err(malformed)?;
    parser.end().map_err(malformed)?;
    match content {
        Content::Object(object) => Ok(object),
        Content::Text(_) | Content::Integer(_) | Content::Unusable => {
            Err(Malformed("The body is not a JSON object."))
        }
    }
}

/// For how many names there is room in an object before it grows: an inquiry has no more.
const FIELDS_USUAL: usize = 8;

/// The name of a value.
#[derive(Deserialize)]
struct Name<'body>(#[serde(borrow)] Cow<'body, str>);

/// Reads one value; `depth` is what it would have as an object or list.
#[derive(Clone, Copy)]
struct Reader {
    depth: usize,
}

impl Reader {
    fn inside<E: Error>(self) -> Result<Self, E> {
        if self.depth > DEPTH_MAX {
            return Err(E::custom("too deep"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Content<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Content<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Content<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Content<'de>, E> {
        Ok(Content::Text(Cow::Borrowed(text)))
    }

    /// A text with escapes, which does not stand in the body as it is meant.
    fn visit_str<E>(self, text: &str) -> Result<Content<'de>, E> {
        Ok(Content::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Content<'de>, E> {
        Ok(Content::Integer(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Content<'de>, E> {
        Ok(Content::Integer(Cow::Owned(number.to_string())))
    }

    /// Also what the parser makes of integers beyond 64 bits and of a negative zero.
    fn visit_f64<E>(self, _: f64) -> Result<Content<'de>, E> {
        Ok(Content::Unusable)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Content<'de>, E> {
        Ok(Content::Unusable)
    }

    fn visit_unit<E>(self) -> Result<Content<'de>, E> {
        Ok(Content::Unusable)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content<'de>, A::Error> {
        let inside = self.inside()?;
        while list.next_element_seed(inside)?.is_some() {}
        Ok(Content::Unusable)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content<'de>, A::Error> {
        let inside = self.inside()?;
        let mut object = Object::with_capacity(FIELDS_USUAL);
        while let Some(Name(name)) = map.next_key()? {
            let value = map.next_value_seed(inside)?;
            add(&mut object, name, value).map_err(|Malformed(why)| Error::custom(why))?;
        }
        Ok(Content::Object(object))
    }
}

/// For how much text there is room in an answer before it grows: those about one order need no more.
const ANSWER_USUAL: usize = 512;

/// An answer's tree as JSON, names in their order.
pub(super) fn write(node: &Node<'_>) -> Vec<u8> {
    let mut document = Vec::with_capacity(ANSWER_USUAL);
    // Strings, integers, lists and maps with text keys always have a JSON form, and memory takes it.
    let _ = serde_json::to_writer(&mut document, node);
    document
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::List(items) => serializer.collect_seq(items),
            Self::Record(entries) => {
                serializer.collect_map(entries.iter().map(|(name, value)| (name, value)))
            }
        }
    }
}
