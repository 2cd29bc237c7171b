//! Every format gives the same fields, and no bytes make it stumble.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn fields(content_type: &'static str, body: &[u8]) -> Result<Fields, Unreadable> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    of_body(&headers, body)
}

const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=\"-X\"";

fn part(name: &str, value: &str) -> String {
    format!("---X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

#[test]
fn every_format_says_the_same() {
    let multipart =
        [part("reff_id", "ab+c d/9"), part("nominal", "20000"), part("empty", "")].concat();
    let table = [
        (FORM, "reff_id=ab%2Bc+d%2f9&nominal=20000&empty=".to_owned()),
        ("text/plain", "&reff_id=ab%2Bc%20d/9&&nominal=20000&empty&".to_owned()),
        (FORM, r#" {"reff_id":"ab+c d/9","nominal":20000,"empty":""}"#.to_owned()),
        ("application/json", r#"{"reff_id":"ab+c d\/9","nominal":"20000","empty":""}"#.to_owned()),
        (MULTIPART, format!("{multipart}---X--\r\n")),
        (MULTIPART, format!("preamble\r\n{multipart}---X--")),
    ];
    for (content_type, body) in table {
        let fields = fields(content_type, body.as_bytes()).expect(&body);
        assert_eq!(fields.text("reff_id"), Some("ab+c d/9"), "{body}");
        assert_eq!(fields.text("nominal"), Some("20000"), "{body}");
        assert_eq!((fields.text("empty"), fields.text("absent")), (None, None), "{body}");
    }
}

#[test]
fn what_is_no_text_is_missing() {
    for value in ["1.0", "1e3", "true", "null", "[1]", r#"{"a":{"b":[]}}"#, "18446744073709551616"]
    {
        let body = format!(r#"{{"nominal":{value},"type":"direct"}}"#);
        let fields = fields("application/json", body.as_bytes()).expect(value);
        assert_eq!((fields.text("nominal"), fields.text("type")), (None, Some("direct")));
    }
    let file = b"---X\r\ncontent-disposition: form-data; name=a; filename=b\r\n\r\n\xff\r\n---X--";
    assert_eq!(fields(MULTIPART, file).expect("a file").text("a"), None);
}

#[test]
fn percent_signs_that_mean_nothing_stand_for_themselves() {
    let fields = fields(FORM, b"a=100%&b=%zz%4&c=%%41").expect("a form");
    assert_eq!([fields.text("a"), fields.text("b")], [Some("100%"), Some("%zz%4")]);
    assert_eq!(fields.text("c"), Some("%A"));
}

#[test]
fn what_cannot_be_read_is_refused() {
    let twice = format!("{}{}---X--", part("a", "1"), part("a", "1"));
    let many: String = (0..65).map(|number| format!("f{number}=1&")).collect();
    let nested = format!(r#"{{"a":{}"#, "[".repeat(10_000));
    let table: [(&str, &[u8]); 15] = [
        (FORM, b"a=1&a=1"),
        (FORM, b"a=%ff"),
        (FORM, b"a=\xff"),
        (FORM, many.as_bytes()),
        ("application/json", b""),
        ("application/json", b"[]"),
        ("application/json", b"a=1"),
        ("application/json", br#"{"a":1,"a":1}"#),
        ("application/json", br#"{"a":1}{}"#),
        ("application/json", nested.as_bytes()),
        (MULTIPART, twice.as_bytes()),
        (MULTIPART, b"---X"),
        (MULTIPART, b"---X\r\n\r\n\r\n1\r\n---X--"),
        (MULTIPART, b"---X\r\nContent-Disposition: form-data; name=a\r\n\r\n\xff\r\n---X--"),
        ("multipart/form-data", b"---X--"),
    ];
    for (content_type, body) in table {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_str(content_type).expect("a type"));
        assert_eq!(
            of_body(&headers, body),
            Err(Unreadable),
            "{:?}",
            body.escape_ascii().to_string()
        );
    }
    let mut compressed = HeaderMap::new();
    compressed.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    assert_eq!(of_body(&compressed, b"a=1"), Err(Unreadable));
}

proptest! {
    #[test]
    fn no_bytes_make_it_stumble(body: Vec<u8>, lines in "(---X|\r\n|--|name=\"a\"|[:;= ]|content-disposition){0,24}") {
        for content_type in [FORM, "application/json", MULTIPART] {
            let _ = fields(content_type, &body);
            let _ = fields(content_type, lines.as_bytes());
        }
    }

    #[test]
    fn what_is_written_is_read(value in "\\PC{1,20}") {
        let json = serde_json::json!({ "a": value }).to_string();
        let escaped: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let bodies = [(FORM, format!("a={escaped}")), ("application/json", json),
            (MULTIPART, format!("{}---X--", part("a", &value)))];
        for (content_type, body) in bodies {
            let fields = fields(content_type, body.as_bytes());
            prop_assert_eq!(fields.as_ref().ok().and_then(|it| it.text("a")), Some(value.as_str()));
        }
    }
}
