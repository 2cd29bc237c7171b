//! Both forms, well and badly written.

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Parameters {
    Parameters::read(text).unwrap_or_else(|| panic!("{text:?} is a message"))
}

/// Sections 3.2 and 18: what stands in the text, and what it means.
#[test]
fn pairs_are_read_by_the_rules() {
    let table = [
        ("callback_url=https://x/?a=1", "callback_url", Some("https://x/?a=1")),
        ("callback_url=https%3A%2F%2Fx%2F%3Fa%3D1%26b", "callback_url", Some("https://x/?a=1&b")),
        ("phone=+5511", "phone", Some("+5511")),
        ("phone=a+b%2Bc", "phone", Some("a+b+c")),
        ("user_id=100%", "user_id", Some("100%")),
        ("user_id=%zz%4", "user_id", Some("%zz%4")),
        ("user_id=%ff", "user_id", Some("%ff")),
        ("user_id=a&user_id=b", "user_id", Some("b")),
        ("&&user_id=a&", "user_id", Some("a")),
        ("user_id", "user_id", None),
        ("user_id=", "user_id", None),
        ("user_id=null", "user_id", Some("null")),
        ("User_Id=a&phone=1", "user_id", None),
        ("depositor_name=สมชาย", "depositor_name", Some("สมชาย")),
        ("account_name=A B", "account_name", Some("A B")),
    ];
    for (text, name, expected) in table {
        assert_eq!(read(text).given(name), expected, "{text}");
    }
    assert_eq!(read("merchant_api_key=a%3D").raw("merchant_api_key"), Some("a%3D"));
}

#[test]
fn words_for_nothing_are_nothing_where_nothing_is_allowed() {
    for text in ["bank_code=null", "bank_code=undefined", "bank_code=", "user_id=1"] {
        assert_eq!(read(text).optional(&["bank_code"]), None, "{text}");
    }
    let both = read("deposit_name=null&depositor_name=Kim");
    assert_eq!(both.optional(&["deposit_name", "depositor_name"]), Some("Kim"));
}

#[test]
fn numbers_keep_their_digits() {
    let table = [
        (r#"{"transaction_amount":1200.00}"#, Some("1200.00")),
        (r#"{"transaction_amount":90071992547409931234.10}"#, Some("90071992547409931234.10")),
        (r#"{"transaction_amount":1e3}"#, Some("1e3")),
        (r#"{"transaction_amount":-1}"#, Some("-1")),
        (r#" {"transaction_amount" : "250.00"}  "#, Some("250.00")),
        (r#"{"transaction_amount":null}"#, None),
        (r#"{"transaction_amount":true}"#, None),
        (r#"{"transaction_amount":{"a":1}}"#, None),
        (r#"{"transaction_amount":[1]}"#, None),
        ("{\n\t\"transaction_amount\": \"\\u0031\\/2\"\r\n}", Some("1/2")),
    ];
    for (text, expected) in table {
        assert_eq!(read(text).given("transaction_amount"), expected, "{text}");
    }
}

#[test]
fn what_is_no_message() {
    let broken = [
        "{",
        "{}x",
        r#"{"user_id":1,"user_id":2}"#,
        r#"{"user_id":"\ud800"}"#,
        r#"{"user_id":01}"#,
        r#"{'user_id':1}"#,
        "user_id=a\u{1}",
        "user_id=\u{7f}a",
    ];
    for text in broken {
        assert_eq!(Parameters::read(text), None, "{text:?}");
    }
    for text in ["", "{}", "0123456789abcdef", "[1]", "User_Id=1", "\u{feff}"] {
        assert!(!read(text).is_message(), "{text:?}");
    }
    assert!(read("utr=1").is_message() && read("transaction_status=2").is_message());
}

#[test]
fn names_are_listed_in_order() {
    assert!(KNOWN.is_sorted());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text: String) {
        if let Some(parameters) = Parameters::read(&text) {
            prop_assert!(parameters.entries().count() <= text.len());
        }
    }

    /// What a careful sender writes is read back.
    #[test]
    fn escaped_values_come_back(value in "\\PC{1,40}") {
        let escaped = value.replace('%', "%25").replace('&', "%26").replace('+', "%2B");
        let text = format!("user_id=1&account_name={escaped}x&utr=2");
        let expected = format!("{value}x");
        let read = read(&text);
        prop_assert_eq!(read.given("account_name"), Some(expected.as_str()));
    }
}
