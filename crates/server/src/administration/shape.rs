//! Types of the admin API that know their own schema, so that the document cannot say anything else
//! than what is read and written.
//!
//! [`shape!`] declares a structure with its fields, what they mean and an example; [`text!`] a text
//! of a certain form; [`words!`] a closed list. Reading refuses unknown fields and wrong forms.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use serde_json::{Map, Value, json};

/// The named schemas of a document.
pub(crate) type Definitions = Map<String, Value>;

/// Something that has a schema.
pub(crate) trait Shape {
    /// Whether a request may leave it out.
    const OPTIONAL: bool = false;

    /// The schema, or a reference to it among the definitions.
    fn schema(definitions: &mut Definitions) -> Value;
}

impl<T: Shape> Shape for Option<T> {
    const OPTIONAL: bool = true;

    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "anyOf": [T::schema(definitions), { "type": "null" }] })
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "type": "array", "items": T::schema(definitions) })
    }
}

impl<T: Shape> Shape for BTreeMap<String, T> {
    fn schema(definitions: &mut Definitions) -> Value {
        json!({ "type": "object", "additionalProperties": T::schema(definitions) })
    }
}

macro_rules! plain {
    ($($kind:ty => $schema:expr;)+) => {
        $(impl Shape for $kind {
            fn schema(_definitions: &mut Definitions) -> Value {
                $schema
            }
        })+
    };
}

plain! {
    String => json!({ "type": "string" });
    bool => json!({ "type": "boolean" });
    u16 => json!({ "type": "integer", "minimum": 0, "maximum": u16::MAX });
    u32 => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX });
    u64 => json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX });
    NonZeroU32 => json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX });
    Value => json!(true);
}

/// Adds what a field means to its schema.
pub(crate) fn described(schema: Value, about: &str) -> Value {
    match schema {
        Value::Object(mut object) => {
            object.insert("description".to_owned(), json!(about.trim()));
            Value::Object(object)
        }
        other => other,
    }
}

/// A field's name without the mark that lets a word of the language be one.
pub(crate) fn spelled(field: &str) -> &str {
    field.trim_start_matches("r#")
}

/// Puts a schema among the definitions once, and refers to it.
pub(crate) fn defined(
    definitions: &mut Definitions,
    name: &str,
    make: impl FnOnce(&mut Definitions) -> Value,
) -> Value {
    if !definitions.contains_key(name) {
        let schema = make(definitions);
        definitions.insert(name.to_owned(), schema);
    }
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

macro_rules! shape {
    (
        $(#[doc = $about:literal])+
        $name:ident {
            $($(#[doc = $meaning:literal])+ $field:ident: $kind:ty = $example:tt,)*
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[doc = $meaning])+ pub(crate) $field: $kind,)*
        }

        impl $crate::administration::shape::Shape for $name {
            fn schema(
                definitions: &mut $crate::administration::shape::Definitions,
            ) -> serde_json::Value {
                use $crate::administration::shape::{defined, described};
                defined(definitions, stringify!($name), |definitions| {
                    let mut properties = serde_json::Map::new();
                    let mut required: Vec<&str> = Vec::new();
                    $(
                        let schema = <$kind>::schema(definitions);
                        properties.insert(
                            $crate::administration::shape::spelled(stringify!($field)).to_owned(),
                            described(schema, concat!($($meaning),+)),
                        );
                        if !<$kind as $crate::administration::shape::Shape>::OPTIONAL {
                            required.push($crate::administration::shape::spelled(stringify!($field)));
                        }
                    )*
                    serde_json::json!({
                        "type": "object",
                        "description": concat!($($about),+).trim(),
                        "properties": properties,
                        "required": required,
                        "additionalProperties": false,
                        "examples": [{
                            $(($crate::administration::shape::spelled(stringify!($field))): $example),*
                        }],
                    })
                })
            }
        }
    };
}
pub(crate) use shape;

macro_rules! text {
    (
        $(#[doc = $about:literal])+
        $name:ident($pattern:literal, $accepts:expr)
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub(crate) struct $name(pub(crate) String);

        impl TryFrom<String> for $name {
            type Error = &'static str;

            /// The fault does not quote the text, which may be a secret.
            fn try_from(text: String) -> Result<Self, Self::Error> {
                let accepts: fn(&str) -> bool = $accepts;
                if accepts(&text) {
                    Ok(Self(text))
                } else {
                    Err(concat!(stringify!($name), " has to match ", $pattern))
                }
            }
        }

        impl $crate::administration::shape::Shape for $name {
            fn schema(
                definitions: &mut $crate::administration::shape::Definitions,
            ) -> serde_json::Value {
                $crate::administration::shape::defined(definitions, stringify!($name), |_| {
                    serde_json::json!({
                        "type": "string",
                        "pattern": $pattern,
                        "description": concat!($($about),+).trim(),
                    })
                })
            }
        }
    };
}
pub(crate) use text;

macro_rules! words {
    (
        $(#[doc = $about:literal])+
        $name:ident { $($(#[doc = $meaning:literal])+ $variant:ident = $word:literal,)+ }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        pub(crate) enum $name {
            $($(#[doc = $meaning])+ #[serde(rename = $word)] $variant,)+
        }

        impl $crate::administration::shape::Shape for $name {
            fn schema(
                definitions: &mut $crate::administration::shape::Definitions,
            ) -> serde_json::Value {
                $crate::administration::shape::defined(definitions, stringify!($name), |_| {
                    serde_json::json!({
                        "type": "string",
                        "enum": [$($word),+],
                        "description": concat!($($about),+).trim(),
                    })
                })
            }
        }
    };
}
pub(crate) use words;
