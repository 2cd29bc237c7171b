//! The fields of a request, with the types that the API gives them (isikuota reference, sections
//! 2.4, 4, 5.1 and 6.1).
//!
//! A field that nobody asks for is never looked at, so unknown fields are ignored whatever they are.
//! Everything that is wrong with the fields that are asked for is found before any of it is told. An
//! optional field that is empty or `null` counts as one that is not there.

use super::json::{Json, Malformed, Object};

/// How long a code, a customer's number or a reference may be, in characters (section 7).
pub(crate) const LENGTH_MAX: usize = 64;

/// The members that have a meaning. One of them that comes twice means two things.
const DOCUMENTED: [&str; 9] =
    ["api_id", "timestamp", "signature", "cmd", "code", "customer_no", "ref_id", "testing", "type"];

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// It is not there, or empty.
    Missing,
    /// It is no text.
    NotText,
    /// It is no truth value.
    NotTruth,
    /// It is no Unix time in seconds.
    NotTime,
    /// It is too long, blank, or has control characters.
    Form,
    /// It is none of the words that it may be.
    Word,
    /// The merchant's own limit on repetitions is reached.
    Repeated,
}

impl Flaw {
    /// A sentence for the developer at the other end.
    fn sentence(self, field: &str) -> String {
        match self {
            Self::Missing => format!("{field} wajib diisi"),
            Self::NotText => format!("{field} harus berupa teks"),
            Self::NotTruth => format!("{field} harus berupa true atau false"),
            Self::NotTime => format!("{field} harus berupa waktu Unix dalam detik"),
            Self::Form => {
                format!("{field} harus 1 sampai {LENGTH_MAX} karakter tanpa karakter kontrol")
            }
            Self::Word => format!("{field} tidak dikenal"),
            Self::Repeated => format!("{field} sudah diisi hari ini"),
        }
    }
}

/// Fields that cannot be used, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Faults(Vec<(&'static str, Flaw)>);

impl Faults {
    /// One fault.
    pub(crate) fn of(field: &'static str, flaw: Flaw) -> Self {
        Self(vec![(field, flaw)])
    }

    /// The `errors` of an answer: a list of sentences for each field.
    pub(crate) fn errors(&self) -> Json {
        let sentences = |(field, flaw): &(&'static str, Flaw)| {
            let sentence = Json::Text(flaw.sentence(field));
            ((*field).to_owned(), Json::List(vec![sentence]))
        };
        Json::Object(self.0.iter().map(sentences).collect())
    }
}

/// Refuses a request in which a member with a meaning comes twice. The signature would cover the
/// last of them only (section 2.2), and whoever reads the request elsewhere may take the first.
pub(crate) fn once_each(object: &Object) -> Result<(), Malformed> {
    let count = |name: &str| object.iter().filter(|(taken, _)| taken == name).count();
    match DOCUMENTED.into_iter().any(|name| count(name) > 1) {
        true => Err(Malformed("Isi permintaan memuat kolom yang sama dua kali")),
        false => Ok(()),
    }
}

/// The fields of one request, and what is wrong with those that were asked for.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    object: &'a Object,
    faults: Vec<(&'static str, Flaw)>,
}

impl<'a> Fields<'a> {
    /// The fields of this object.
    pub(crate) const fn of(object: &'a Object) -> Self {
        Self { object, faults: Vec::new() }
    }

    fn get(&self, field: &str) -> Option<&'a Json> {
        self.object.iter().find(|(name, _)| name == field).map(|(_, value)| value)
    }

    fn fault<T>(&mut self, field: &'static str, flaw: Flaw) -> Option<T> {
        self.faults.push((field, flaw));
        None
    }

    /// A text that is not empty, of any length.
    pub(crate) fn any_text(&mut self, field: &'static str) -> Option<&'a str> {
        match self.get(field) {
            Some(Json::Text(text)) if !text.is_empty() => Some(text),
            None | Some(Json::Text(_) | Json::Null) => self.fault(field, Flaw::Missing),
            Some(_) => self.fault(field, Flaw::NotText),
        }
    }

    /// A text of 1 to [`LENGTH_MAX`] characters, none of them a control character and not all of
    /// them blank.
    pub(crate) fn text(&mut self, field: &'static str) -> Option<&'a str> {
        let text = self.any_text(field)?;
        if is_formed(text) { Some(text) } else { self.fault(field, Flaw::Form) }
    }

    /// The same, if it is there.
    pub(crate) fn optional_text(&mut self, field: &'static str) -> Option<&'a str> {
        match self.get(field) {
            None | Some(Json::Null) => None,
            Some(Json::Text(text)) if text.is_empty() => None,
            Some(_) => self.text(field),
        }
    }

    /// One of these words.
    pub(crate) fn word<Meaning>(
        &mut self,
        field: &'static str,
        meaning: impl FnOnce(&str) -> Option<Meaning>,
    ) -> Option<Meaning> {
        let word = self.any_text(field)?;
        meaning(word).or_else(|| self.fault(field, Flaw::Word))
    }

    /// One of these words, if it is there.
    pub(crate) fn optional_word<Meaning>(
        &mut self,
        field: &'static str,
        meaning: impl FnOnce(&str) -> Option<Meaning>,
    ) -> Option<Meaning> {
        match self.get(field) {
            None | Some(Json::Null) => None,
            Some(Json::Text(text)) if text.is_empty() => None,
            Some(_) => self.word(field, meaning),
        }
    }

    /// A truth value; false if it is not there.
    pub(crate) fn truth(&mut self, field: &'static str) -> bool {
        match self.get(field) {
            None | Some(Json::Null) => false,
            Some(Json::Bool(truth)) => *truth,
            Some(_) => self.fault(field, Flaw::NotTruth).unwrap_or(false),
        }
    }

    /// A time in whole seconds since the Unix epoch, written as an integer or as a text of digits:
    /// the digits as they came and what they mean (section 2.4).
    pub(crate) fn time(&mut self, field: &'static str) -> Option<(String, i64)> {
        let digits = match self.get(field) {
            None | Some(Json::Null) => return self.fault(field, Flaw::Missing),
            Some(Json::Integer(integer)) => integer.to_string(),
            Some(Json::Text(text)) if text.is_empty() => return self.fault(field, Flaw::Missing),
            Some(Json::Text(text)) => text.clone(),
            Some(_) => return self.fault(field, Flaw::NotTime),
        };
        let seconds = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse());
        match seconds {
            Some(Ok(seconds)) => Some((digits, seconds)),
            Some(Err(_)) | None => self.fault(field, Flaw::NotTime),
        }
    }

    /// What is wrong with the fields that were asked for, if anything.
    pub(crate) fn checked<Read>(self, read: Option<Read>) -> Result<Read, Faults> {
        match read {
            Some(read) if self.faults.is_empty() => Ok(read),
            _ => Err(Faults(self.faults)),
        }
    }
}

fn is_formed(text: &str) -> bool {
    text.chars().count() <= LENGTH_MAX
        && !text.chars().any(char::is_control)
        && !text.chars().all(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::*;

    fn read<Read>(
        text: &str,
        ask: impl Fn(&mut Fields<'_>) -> Option<Read>,
    ) -> Result<Read, Option<Flaw>> {
        let object = json::read(text).expect("well-formed");
        let mut fields = Fields::of(&object);
        let read = ask(&mut fields);
        fields.checked(read).map_err(|faults| faults.0.first().map(|(_, flaw)| *flaw))
    }

    #[test]
    fn texts_have_a_form() {
        let longest = "№".repeat(64);
        let long = "x".repeat(65);
        let table = [
            (r#""x""#, Ok("x")),
            (r#""Pesanan é/№1""#, Ok("Pesanan é/№1")),
            (r#""12345678/2001""#, Ok("12345678/2001")),
            (&format!("\"{longest}\""), Ok(longest.as_str())),
            (&format!("\"{long}\""), Err(Some(Flaw::Form))),
            (r#""a\nb""#, Err(Some(Flaw::Form))),
            (r#""\u0000""#, Err(Some(Flaw::Form))),
            (r#""a\u0085""#, Err(Some(Flaw::Form))),
            (r#""  ""#, Err(Some(Flaw::Form))),
            (r#""""#, Err(Some(Flaw::Missing))),
            ("null", Err(Some(Flaw::Missing))),
            ("812", Err(Some(Flaw::NotText))),
            ("8.12", Err(Some(Flaw::NotText))),
            ("true", Err(Some(Flaw::NotText))),
            ("[]", Err(Some(Flaw::NotText))),
            ("{}", Err(Some(Flaw::NotText))),
        ];
        for (value, expected) in table {
            let text = format!(r#"{{"ref_id":{value}}}"#);
            let got = read(&text, |fields| fields.text("ref_id").map(str::to_owned));
            assert_eq!(got.as_deref().map_err(|flaw| *flaw), expected, "{value}");
        }
    }

    #[test]
    fn times_are_digits() {
        let table = [
            ("1780000000", Ok(("1780000000", 1_780_000_000))),
            (r#""1780000000""#, Ok(("1780000000", 1_780_000_000))),
            (r#""01780000000""#, Ok(("01780000000", 1_780_000_000))),
            ("0", Ok(("0", 0))),
            ("-1", Err(Some(Flaw::NotTime))),
            (r#""-1""#, Err(Some(Flaw::NotTime))),
            (r#""+1""#, Err(Some(Flaw::NotTime))),
            ("1.78e9", Err(Some(Flaw::NotTime))),
            ("1780000000.0", Err(Some(Flaw::NotTime))),
            ("9223372036854775808", Err(Some(Flaw::NotTime))),
            (r#""9223372036854775808""#, Err(Some(Flaw::NotTime))),
            (r#"" 1""#, Err(Some(Flaw::NotTime))),
            (r#""١""#, Err(Some(Flaw::NotTime))),
            ("true", Err(Some(Flaw::NotTime))),
            (r#""""#, Err(Some(Flaw::Missing))),
            ("null", Err(Some(Flaw::Missing))),
        ];
        for (value, expected) in table {
            let text = format!(r#"{{"timestamp":{value}}}"#);
            let got = read(&text, |fields| fields.time("timestamp"));
            let expected = expected.map(|(digits, seconds)| (digits.to_owned(), seconds));
            assert_eq!(got, expected, "{value}");
        }
    }

    #[test]
    fn a_missing_optional_field_is_no_fault() {
        for text in [r#"{}"#, r#"{"ref_id":"","testing":null}"#, r#"{"ref_id":null}"#] {
            let got = read(text, |fields| {
                Some((fields.optional_text("ref_id").is_none(), fields.truth("testing")))
            });
            assert_eq!(got, Ok((true, false)), "{text}");
        }
        for value in ["1", r#""true""#, "0", "[]"] {
            let text = format!(r#"{{"testing":{value}}}"#);
            let got = read(&text, |fields| Some(fields.truth("testing")));
            assert_eq!(got, Err(Some(Flaw::NotTruth)), "{value}");
        }
    }

    #[test]
    fn only_members_with_a_meaning_must_be_unique() {
        for name in DOCUMENTED {
            let object = json::read(&format!(r#"{{"{name}":1,"x":2,"{name}":1}}"#)).expect("JSON");
            assert!(once_each(&object).is_err(), "{name}");
        }
        let object = json::read(r#"{"x":1,"x":2,"y":{"cmd":1,"cmd":2}}"#).expect("JSON");
        assert!(once_each(&object).is_ok());
    }
}
