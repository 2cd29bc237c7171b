//! Parameters as the texts that go into a `key` (S88pay reference, sections 3.2 to 3.4).
//!
//! Nothing is checked: whoever tries out a server has to be able to send what is wrong.

use serde_json::{Map, Value};

/// The names under which people's own words go, in which a `%` or `+` means itself.
const FREE_TEXTS: [&str; 6] = [
    "account_name",
    "bank_name",
    "branch_name",
    "deposit_name",
    "depositor_bank",
    "depositor_name",
];
/// Is always written as it was issued.
const API_KEY: &str = "merchant_api_key";

/// `name=value&…`, in which only what would end a value or be taken for something else is escaped.
pub fn pairs<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let written = |(name, value): (&str, &str)| format!("{name}={}", escaped(name, value));
    parameters.into_iter().map(written).collect::<Vec<_>>().join("&")
}

fn escaped(name: &str, value: &str) -> String {
    if name == API_KEY {
        return value.to_owned();
    }
    let is_free = FREE_TEXTS.contains(&name);
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '&' => text.push_str("%26"),
            '\r' => text.push_str("%0D"),
            '\n' => text.push_str("%0A"),
            '%' if is_free => text.push_str("%25"),
            '+' if is_free => text.push_str("%2B"),
            other => text.push(other),
        }
    }
    text
}

/// The other form, a JSON object of texts.
pub fn json<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let members = parameters.into_iter();
    let members = members.map(|(name, value)| (name.to_owned(), Value::from(value)));
    Value::Object(members.collect::<Map<_, _>>()).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::s88pay::wire::parameters::Parameters;

    #[test]
    fn only_what_has_to_be_is_escaped() {
        let parameters = [
            ("merchant_api_key", "a%3D&"),
            ("callback_url", "https://x.example/?a=1&b=%20+c"),
            ("depositor_name", "50% A+B\n"),
            ("phone", "+55 11"),
        ];
        assert_eq!(
            pairs(parameters),
            "merchant_api_key=a%3D&&callback_url=https://x.example/?a=1%26b=%20+c\
             &depositor_name=50%25 A%2BB%0A&phone=+55 11"
        );
        assert_eq!(json([("phone", "+55"), ("utr", "\"1\"")]), r#"{"phone":"+55","utr":"\"1\""}"#);
    }

    proptest! {
        /// Names that people give come back from both forms as they were typed.
        #[test]
        fn peoples_own_words_come_back(name in "[ -~é]{1,20}") {
            let parameters = [("depositor_name", name.as_str())];
            for text in [pairs(parameters), json(parameters)] {
                let read = Parameters::read(&text);
                let read = read.as_ref().and_then(|read| read.given("depositor_name"));
                prop_assert_eq!(read.map(str::trim), Some(name.trim()).filter(|it| !it.is_empty()));
            }
        }
    }
}
