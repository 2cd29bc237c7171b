//! The fields of a request, with the types that the API gives them (IAK reference, sections 2.4,
//! 2.5 and 5).
//!
//! A field that nobody asks for is never looked at, so unknown fields are ignored whatever they
//! are. An empty text counts as a field that is not there.

use super::content::{Content, Object};

/// A field that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FieldFault {
    /// Which field; one inside another is written with a point between.
    pub(crate) field: &'static str,
    /// What is wrong with it.
    pub(crate) flaw: Flaw,
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is not there.
    Missing,
    /// It is of another type.
    Type,
    /// Its type is right and its value is not one that the field can have.
    Value,
}

impl FieldFault {
    /// A sentence for the developer at the other end.
    pub(crate) fn sentence(self) -> String {
        let field = self.field;
        match self.flaw {
            Flaw::Missing => format!("The {field} field is required."),
            Flaw::Type => format!("The {field} field has the wrong type."),
            Flaw::Value => format!("The {field} field is invalid."),
        }
    }
}

/// The fields of one object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a Object<'a>);

impl<'a> Fields<'a> {
    /// Points lead into objects; where one of those is missing, so is the field.
    fn get(self, field: &str) -> Option<&'a Content<'a>> {
        match field.split_once('.') {
            None => self.member(field),
            Some((outer, inner)) => match self.member(outer)? {
                Content::Object(object) => Fields(object).get(inner),
                Content::Text(_) | Content::Integer(_) | Content::Unusable => None,
            },
        }
    }

    fn member(self, name: &str) -> Option<&'a Content<'a>> {
        self.0.iter().find(|(taken, _)| taken == name).map(|(_, content)| content)
    }

    /// A text, if there is one.
    pub(crate) fn optional_text(self, field: &'static str) -> Result<Option<&'a str>, FieldFault> {
        match self.get(field) {
            None => Ok(None),
            Some(Content::Text(text)) => Ok(Some(text.as_ref()).filter(|text| !text.is_empty())),
            Some(Content::Integer(_) | Content::Object(_) | Content::Unusable) => {
                Err(FieldFault { field, flaw: Flaw::Type })
            }
        }
    }

    /// A text.
    pub(crate) fn text(self, field: &'static str) -> Result<&'a str, FieldFault> {
        self.optional_text(field)?.ok_or(FieldFault { field, flaw: Flaw::Missing })
    }

    /// A text that clients also write as a number, if there is one.
    pub(crate) fn optional_numeral(
        self,
        field: &'static str,
    ) -> Result<Option<&'a str>, FieldFault> {
        match self.get(field) {
            Some(Content::Integer(digits)) => Ok(Some(digits)),
            _ => self.optional_text(field),
        }
    }

    /// A text that clients also write as a number.
    pub(crate) fn numeral(self, field: &'static str) -> Result<&'a str, FieldFault> {
        self.optional_numeral(field)?.ok_or(FieldFault { field, flaw: Flaw::Missing })
    }

    /// The first of these names under which there is something, or the first if there is nothing:
    /// fields that have several names have the one first that their command is documented with.
    pub(crate) fn named(self, names: &[&'static str]) -> &'static str {
        let given = |name: &&&'static str| match self.get(name) {
            None => false,
            Some(Content::Text(text)) => !text.is_empty(),
            Some(Content::Integer(_) | Content::Object(_) | Content::Unusable) => true,
        };
        let name = names.iter().find(given).or(names.first());
        name.copied().unwrap_or_default()
    }

    /// A number without fraction or exponent, written as a number or as a text: its digits, behind
    /// a minus if it is negative.
    pub(crate) fn integer(self, field: &'static str) -> Result<&'a str, FieldFault> {
        let text = self.numeral(field)?;
        let digits = text.strip_prefix('-').unwrap_or(text);
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(text)
        } else {
            Err(FieldFault { field, flaw: Flaw::Type })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iak::wire::{self, Format};

    fn object(json: &str) -> Object<'_> {
        wire::read(Format::Json, json.as_bytes()).expect("well-formed")
    }

    #[test]
    fn only_integer_spellings_are_integers() {
        let table = [
            (r#""12""#, Ok("12")),
            ("12", Ok("12")),
            (r#""012""#, Ok("012")),
            ("-3", Ok("-3")),
            (r#""-3""#, Ok("-3")),
            ("18446744073709551615", Ok("18446744073709551615")),
            ("18446744073709551616", Err(Flaw::Type)),
            ("1.0", Err(Flaw::Type)),
            ("1e3", Err(Flaw::Type)),
            ("true", Err(Flaw::Type)),
            ("null", Err(Flaw::Type)),
            ("[1]", Err(Flaw::Type)),
            (r#"{"n":1}"#, Err(Flaw::Type)),
            (r#""1.0""#, Err(Flaw::Type)),
            (r#""1e3""#, Err(Flaw::Type)),
            (r#""0x10""#, Err(Flaw::Type)),
            (r#""+1""#, Err(Flaw::Type)),
            (r#""-""#, Err(Flaw::Type)),
            (r#"" 1""#, Err(Flaw::Type)),
            (r#""10,00""#, Err(Flaw::Type)),
            (r#""١٠٠""#, Err(Flaw::Type)),
            (r#""""#, Err(Flaw::Missing)),
        ];
        for (value, expected) in table {
            let json = format!(r#"{{"month":{value}}}"#);
            let object = object(&json);
            let read = Fields(&object).integer("month").map_err(|fault| fault.flaw);
            assert_eq!(read, expected, "{value}");
        }
    }

    #[test]
    fn a_point_leads_into_an_object() {
        let table = [
            (r#"{"desc":{"amount":5}}"#, Ok("5")),
            (r#"{"desc":{}}"#, Err(Flaw::Missing)),
            (r#"{"desc":[]}"#, Err(Flaw::Missing)),
            (r#"{"desc":""}"#, Err(Flaw::Missing)),
            (r#"{}"#, Err(Flaw::Missing)),
            (r#"{"desc":{"amount":{}}}"#, Err(Flaw::Type)),
        ];
        for (json, expected) in table {
            let object = object(json);
            let read = Fields(&object).integer("desc.amount").map_err(|fault| fault.flaw);
            assert_eq!(read, expected, "{json}");
        }
    }

    #[test]
    fn every_further_point_leads_deeper() {
        let field = "custom.header.company_name";
        let table = [
            (r#"{"custom":{"header":{"company_name":"T"}}}"#, Ok("T")),
            (r#"{"custom":{"header":{}}}"#, Err(Flaw::Missing)),
            (r#"{"custom":{"header":"T"}}"#, Err(Flaw::Missing)),
            (r#"{"custom":{"company_name":"T"}}"#, Err(Flaw::Missing)),
            (r#"{"company_name":"T"}"#, Err(Flaw::Missing)),
            (r#"{"custom.header.company_name":"T"}"#, Err(Flaw::Missing)),
            (r#"{"custom":{"header":{"company_name":5}}}"#, Err(Flaw::Type)),
        ];
        for (json, expected) in table {
            let object = object(json);
            assert_eq!(Fields(&object).text(field).map_err(|fault| fault.flaw), expected, "{json}");
        }
    }

    #[test]
    fn the_first_name_that_says_something_counts() {
        let table = [
            (r#"{"hp":"1"}"#, "hp"),
            (r#"{"customer_id":"","hp":"1"}"#, "hp"),
            (r#"{"customer_id":"2","hp":"1"}"#, "customer_id"),
            (r#"{"customer_id":null,"hp":"1"}"#, "customer_id"),
            (r#"{}"#, "customer_id"),
        ];
        for (json, name) in table {
            let object = object(json);
            assert_eq!(Fields(&object).named(&["customer_id", "hp"]), name, "{json}");
        }
    }

    #[test]
    fn texts_are_not_numbers() {
        let object = object(r#"{"code":5,"hp":5,"name":"x","none":null}"#);
        let fields = Fields(&object);
        assert_eq!(fields.text("code"), Err(FieldFault { field: "code", flaw: Flaw::Type }));
        assert_eq!(fields.numeral("hp"), Ok("5"));
        assert_eq!(fields.text("name"), Ok("x"));
        assert_eq!(fields.optional_text("absent"), Ok(None));
        assert_eq!(
            fields.optional_text("none"),
            Err(FieldFault { field: "none", flaw: Flaw::Type })
        );
    }
}
