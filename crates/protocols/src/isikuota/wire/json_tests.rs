use proptest::prelude::*;

use super::*;

fn value(text: &str) -> Result<Json, Malformed> {
    let mut object = read(&format!("{{\"x\":{text}}}"))?;
    object.pop().map(|(_, value)| value).ok_or(NOT_JSON)
}

#[test]
fn values_keep_what_signatures_depend_on() {
    let table = [
        ("null", Json::Null),
        (" true ", Json::Bool(true)),
        ("false", Json::Bool(false)),
        ("0", Json::Integer(0)),
        ("-0", Json::Integer(0)),
        ("-12", Json::Integer(-12)),
        ("9223372036854775807", Json::Integer(i64::MAX)),
        ("-9223372036854775808", Json::Integer(i64::MIN)),
        ("9223372036854775808", Json::Float(9_223_372_036_854_775_808.0)),
        ("1.0", Json::Float(1.0)),
        ("1e2", Json::Float(100.0)),
        ("1E-2", Json::Float(0.01)),
        (r#""a\"\\\/\b\f\n\r\t""#, Json::text("a\"\\/\u{8}\u{C}\n\r\t")),
        (r#""\u00e9\u2116\ud83d\ude00\u0000""#, Json::text("é№😀\0")),
        ("\"é\u{2028}\u{7F}\"", Json::text("é\u{2028}\u{7F}")),
        ("[]", Json::List(Vec::new())),
        ("[ 1 , [2] ]", Json::List(vec![Json::Integer(1), Json::List(vec![Json::Integer(2)])])),
        ("{ }", Json::Object(Vec::new())),
        (
            r#"{"b":1,"a":2,"b":3}"#,
            Json::object([("b", Json::Integer(3)), ("a", Json::Integer(2))]),
        ),
    ];
    for (text, expected) in table {
        assert_eq!(value(text), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_not_json_is_refused() {
    let table = [
        "",
        "TRUE",
        "nul",
        "01",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "--1",
        "0x1",
        "NaN",
        "1e999",
        "\"",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12é\"",
        "\"\\u+123\"",
        "'a'",
        r#""\ud800""#,
        r#""\ud800x""#,
        r#""\ud800\u0041""#,
        r#""\udc00""#,
        r#""\udc00\ud800""#,
        "[1",
        "[1,]",
        "[,]",
        "[1 2]",
        "{",
        "{a:1}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        "//",
    ];
    for text in table {
        assert!(value(text).is_err(), "{text}");
    }
    for text in ["", " ", "[]", "1", "null", "\"\"", "{}{}", "{} x", "\u{FEFF}{}"] {
        assert!(read(text).is_err(), "{text:?}");
    }
    assert_eq!(read(" \t\r\n{} "), Ok(Vec::new()));
}

#[test]
fn the_outermost_object_shows_names_that_come_twice() {
    let object = read(r#"{"cmd":1,"cmd":2}"#).expect("well-formed");
    assert_eq!(object.len(), 2);
    assert_eq!(settled(object), [("cmd".to_owned(), Json::Integer(2))]);
}

#[test]
fn depth_and_names_have_limits() {
    let nested = |depth: usize| value(&format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    assert!(nested(DEPTH_MAX - 1).is_ok());
    assert!(nested(DEPTH_MAX).is_err());
    assert!(value(&"[".repeat(100_000)).is_err());
    assert!(value(&"{\"x\":".repeat(100_000)).is_err());
    let named = |count: usize| {
        let entries: Vec<_> = (0..count).map(|name| format!("\"{name}\":0")).collect();
        read(&format!("{{{}}}", entries.join(",")))
    };
    assert!(named(NAMES_MAX).is_ok());
    assert!(named(NAMES_MAX + 1).is_err());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text: String) {
        let _ = read(&text);
    }

    #[test]
    fn anything_made_of_json_is_read_or_refused(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "d800", "0", "-", "1e", ".5",
                "true", "nul", "é", " ", "\"a\"", "{\"a\":",
            ]),
            0..40,
        ),
    ) {
        let _ = read(&parts.concat());
    }

    /// The library's parser, where it has an opinion, has the same.
    #[test]
    fn what_this_reads_the_library_reads_too(text in r#"[\[\]{}:,"\\a0-9.eE+\- ]{0,24}"#) {
        let text = format!("{{\"x\":{text}}}");
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        prop_assert_eq!(read(&text).is_ok(), theirs.is_ok(), "{}", text);
    }
}
