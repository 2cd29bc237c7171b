//! Every usual mistake is found, alone and with others, and none is seen where there is none.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const ID: &str = "IK-1001";
const KEY: &str = "ak_live_7f3c9d2e";
const SECRET: &str = "sk_live_Zx81mQpT";
const TIME: &str = "1780000000";
const CANONICAL: &str = r#"{"cmd":"prepaid","code":"A/B","customer_no":"é","testing":true}"#;

fn signer(other_keys: &[String]) -> Signer<'_> {
    Signer { api_id: ID, api_key: KEY, secret_key: SECRET, other_keys }
}

/// A request whose names are not in order, under this signature.
fn request(signature: &str) -> String {
    format!(
        r#"{{"testing":true,"customer_no":"é","code":"A/B","cmd":"prepaid","api_id":"{ID}","timestamp":{TIME},"signature":"{signature}"}}"#
    )
}

fn taken(signature: &str) -> Dissection {
    dissect(request(signature).as_bytes(), signer(&["other-key".to_owned()])).expect("signed")
}

fn english(dissection: &Dissection) -> Vec<&str> {
    dissection.mistakes.iter().map(|mistake| mistake.english.as_str()).collect()
}

fn hmac(key: &str, text: &str) -> String {
    sign::sign_callback(&Secret::new(key), text.as_bytes())
}

fn text_over(body: &str) -> String {
    format!("{ID}|{KEY}|{TIME}|{}", body_hash(body))
}

#[test]
fn a_right_signature_has_no_mistakes() {
    let signature = hmac(SECRET, &text_over(CANONICAL));
    for written in [signature.clone(), signature.to_ascii_uppercase()] {
        let dissection = taken(&written);
        assert!(dissection.is_valid && dissection.mistakes.is_empty(), "{dissection:?}");
        assert_eq!(dissection.expected, signature);
    }
    let dissection = taken(&signature);
    assert_eq!(dissection.command, "prepaid");
    let remarks: Vec<_> = dissection.remarks.iter().map(|it| it.english.as_str()).collect();
    assert_eq!(remarks.len(), 2, "{remarks:?}");
    assert_eq!(remarks[0], format!("hash is the SHA-256 of: {CANONICAL}"));
    assert!(remarks[1].starts_with("the timestamp is 2026-05-29 03:26:40"), "{remarks:?}");
}

#[test]
fn no_key_is_shown() {
    let shown = format!("{:?}", taken("x"));
    assert!(!shown.contains(KEY) && !shown.contains(SECRET), "{shown}");
}

#[test]
fn usual_mistakes_are_found() {
    let hash = body_hash(CANONICAL);
    let right = text_over(CANONICAL);
    let unsorted = r#"{"testing":true,"customer_no":"é","code":"A/B","cmd":"prepaid"}"#;
    let escaped = r#"{"cmd":"prepaid","code":"A\/B","customer_no":"\u00e9","testing":true}"#;
    let spaced = r#"{"cmd": "prepaid", "code": "A/B", "customer_no": "é", "testing": true}"#;
    let too_much = format!(
        r#"{{"api_id":"{ID}","cmd":"prepaid","code":"A/B","customer_no":"é","testing":true,"timestamp":{TIME}}}"#
    );
    let untested = r#"{"cmd":"prepaid","code":"A/B","customer_no":"é"}"#;
    let table = [
        (hmac(KEY, &right), "the api_key was used in place of the secret_key"),
        (
            hmac(SECRET, &right.replace(KEY, SECRET)),
            "the secret_key was used in place of the api_key",
        ),
        (hmac("other-key", &right), "other key number 1 was used in place of the secret_key"),
        (hmac(&format!("{SECRET}\n"), &right), "the secret_key that was used has a blank"),
        (hmac(SECRET, &text_over(unsorted)), "the names were not sorted"),
        (hmac(SECRET, &text_over(escaped)), "slashes or letters beyond ASCII were escaped"),
        (hmac(SECRET, &text_over(spaced)), "blanks behind colons and commas"),
        (hmac(SECRET, &text_over(&too_much)), "api_id and timestamp were hashed too"),
        (hmac(SECRET, &text_over(untested)), "testing was not hashed"),
        (hmac(SECRET, &format!("{ID}|{KEY}|{TIME}|{CANONICAL}")), "the body itself was used"),
        (hmac(SECRET, &format!("{ID}:{KEY}:{TIME}:{hash}")), "the separator is \":\""),
        (hmac(SECRET, &format!("{KEY}|{ID}|{TIME}|{hash}")), "the order is wrong"),
        (hmac(SECRET, &format!("{ID}|{KEY}|{TIME}000|{hash}")), "signed in milliseconds"),
        (hmac(&right, SECRET), "have changed places"),
        (body_hash(&right), "without a key"),
        (
            STANDARD.encode(hex::decode(hmac(SECRET, &right)).expect("hexadecimal")),
            "in base64 instead of hexadecimal digits",
        ),
        (format!(" {}", hmac(SECRET, &right)), "has blanks, quotes or the prefix 0x around it"),
    ];
    for (signature, mistake) in table {
        let dissection = taken(&signature);
        let [found] = english(&dissection)[..] else {
            panic!("{mistake}: {:?}", dissection.mistakes);
        };
        assert!(found.contains(mistake) && !dissection.is_valid, "{mistake}: {found}");
    }
}

#[test]
fn several_mistakes_are_found_together() {
    let unsorted = r#"{"testing":true,"customer_no":"é","code":"A/B","cmd":"prepaid"}"#;
    let text = format!("{ID}{KEY}{TIME}{}", body_hash(unsorted));
    let dissection = taken(&hmac(KEY, &text));
    assert_eq!(english(&dissection).len(), 3, "{:?}", dissection.mistakes);
    assert_eq!(english(&taken("nonsense")), Vec::<&str>::new());
}

#[test]
fn another_merchants_request_is_told_as_such() {
    let of_others = Signer { api_id: "IK-2002", ..signer(&[]) };
    let body = request(&hmac(SECRET, &text_over(CANONICAL)));
    let dissection = dissect(body.as_bytes(), of_others).expect("signed");
    assert_eq!(english(&dissection), ["the api_id in the body is not IK-2002"]);
    assert!(!dissection.is_valid);
}

#[test]
fn an_empty_body_is_hashed_as_nothing() {
    let body = |signature: &str| {
        json!({ "api_id": ID, "timestamp": TIME, "signature": signature }).to_string()
    };
    for (hashed, mistakes) in [("", 0), ("{}", 1), ("[]", 1)] {
        let body = body(&hmac(SECRET, &text_over(hashed)));
        let dissection = dissect(body.as_bytes(), signer(&[])).expect("signed");
        assert_eq!(dissection.mistakes.len(), mistakes, "{hashed}: {:?}", dissection.mistakes);
        assert_eq!(dissection.is_valid, hashed.is_empty());
    }
}

#[test]
fn what_has_no_signature_is_not_taken_apart() {
    let whole = json!({ "api_id": ID, "timestamp": 1_780_000_000, "signature": "x" });
    let mut table = vec![
        (String::new(), "cannot be read"),
        ("[]".to_owned(), "cannot be read"),
        (
            r#"{"api_id":"a","api_id":"b","timestamp":1,"signature":"x"}"#.to_owned(),
            "cannot be read",
        ),
    ];
    for field in ["api_id", "timestamp", "signature"] {
        let mut without = whole.clone();
        without[field] = Value::Null;
        table.push((without.to_string(), field));
    }
    for (body, part) in table {
        let Err(Undissected(why)) = dissect(body.as_bytes(), signer(&[])) else {
            panic!("{body} was taken apart");
        };
        assert!(why.english.contains(part), "{body}: {}", why.english);
    }
    let milliseconds = request("x").replace(TIME, "1780000000123");
    let dissection = dissect(milliseconds.as_bytes(), signer(&[])).expect("signed");
    assert!(dissection.remarks[1].english.contains("milliseconds"), "{:?}", dissection.remarks);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is taken for right here is what the server takes for right.
    #[test]
    fn what_sign_makes_is_valid(code in "[ -~é№]{0,12}", seconds in 0_u32.., truth: bool) {
        let business = json!({ "cmd": "game", "code": code, "testing": truth }).to_string();
        let keys =
            Keys { api_id: ID, api_key: &Secret::new(KEY), secret_key: &Secret::new(SECRET) };
        let signature = sign::sign(&keys, &seconds.to_string(), &business).expect("an object");
        let mut body: Value = serde_json::from_str(&business).expect("JSON");
        body["api_id"] = json!(ID);
        body["timestamp"] = json!(seconds);
        body["signature"] = json!(signature);
        let dissection = dissect(body.to_string().as_bytes(), signer(&[])).expect("signed");
        prop_assert!(dissection.is_valid);
    }
}
