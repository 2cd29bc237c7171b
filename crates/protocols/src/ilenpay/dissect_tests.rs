//! Signatures as they are and as clients make them by mistake.

use proptest::prelude::*;

use super::*;

const SIGNER: Signer<'_> = Signer {
    api_key: "ilen-sandbox-key-0001",
    api_user: "demoUser01",
    webhook_secret: "whsecret-demo",
    other_keys: &[],
};

fn body(operator: &str, nominal: &str, reference: &str, sign: &str) -> String {
    format!(
        "operator={operator}&nominal={nominal}&reff_id={}&type=direct&return_url=https%3A%2F%2Fa&sign={}",
        encoded(reference),
        encoded(sign)
    )
}

/// The vectors of section 3, as forms and as JSON.
#[test]
fn right_signatures_are_right() {
    let table = [
        ("telkomsel", "10000", "INV-000123", "d4d9a787416daa50baa69bccfeed95bc"),
        ("xl", "45000", "trx2026A7", "38fe1a9fd34a157d8226b195557ad862"),
        ("smartfren", "20000", "ab+c d/9", "848756fd4967dd22e9a3fc29589a79cb"),
    ];
    for (operator, nominal, reference, sign) in table {
        let json = serde_json::json!({ "operator": operator, "nominal": nominal,
            "reff_id": reference, "sign": sign.to_uppercase() });
        for body in [body(operator, nominal, reference, sign), json.to_string()] {
            let found = dissect(body.as_bytes(), None, SIGNER).expect("readable");
            assert!(found.is_valid && found.mistakes.is_empty(), "{body}");
            assert_eq!(found.expected, sign);
            assert!(found.parts.iter().all(|part| part.text != "demoUser01"), "the key is shown");
        }
    }
}

fn told(mistakes: &[Bilingual]) -> String {
    mistakes.iter().map(|it| it.english.as_str()).collect::<Vec<_>>().join("; ")
}

#[test]
fn usual_mistakes_are_found_alone_and_together() {
    let other = ["anotherUser1".to_owned()];
    let signer = Signer { other_keys: &other, ..SIGNER };
    let table = [
        ("telkomsel+10000+INV-000123+ilen-sandbox-key-0001", "the api_key was used in place"),
        ("telkomsel+10000+INV-000123+anotherUser1", "other key number 1"),
        ("telkomsel+10000+INV-000123+demoUser01\n", "a line break around it"),
        ("telkomsel+10000+INV-000123+", "the api_user was left out"),
        ("telkomsel10000INV-000123demoUser01", "the separator is \"\""),
        ("telkomsel|10000|INV-000123|demoUser01", "the separator is \"|\""),
        ("demoUser01+telkomsel+10000+INV-000123", "the order is wrong"),
        ("TELKOMSEL+10000+INV-000123+demoUser01", "operator was signed as \"TELKOMSEL\""),
        ("telkomsel+10.000+INV-000123+demoUser01", "nominal was signed as \"10.000\""),
        ("telkomsel+10000.00+INV-000123+demoUser01", "nominal was signed as \"10000.00\""),
        ("telkomsel+10000+inv-000123+demoUser01", "reff_id was signed as \"inv-000123\""),
        (
            "Telkomsel:Rp10.000:INV-000123:demoUser01",
            "operator was signed as \"Telkomsel\" and sent as \"telkomsel\"; nominal was signed as \
             \"Rp10.000\" and sent as \"10000\"; the separator is \":\"",
        ),
        ("something else", ""),
    ];
    for (text, expected) in table {
        let sent = body("telkomsel", "10000", "INV-000123", &md5(text));
        let found = dissect(sent.as_bytes(), None, signer).expect("readable");
        let told = told(&found.mistakes);
        assert!(
            told.contains(expected) && told.is_empty() == expected.is_empty(),
            "{text}: {told}"
        );
        assert!(!found.is_valid);
    }
    let text = "telkomsel+10000+INV-000123+demoUser01";
    let table = [
        (hex::encode(Sha256::digest(text)), "SHA-256"),
        (STANDARD.encode(Md5::digest(text)), "Base64"),
        (format!("0x{}", md5(text)), "the prefix 0x"),
        (format!(" {} ", md5(text)), "blanks"),
    ];
    for (sign, expected) in table {
        let sent = body("telkomsel", "10000", "INV-000123", &sign);
        let found = dissect(sent.as_bytes(), None, SIGNER).expect("readable");
        assert!(told(&found.mistakes).contains(expected), "{sign}: {:?}", found.mistakes);
    }
    // What reserved characters are hashed as.
    let sent =
        body("smartfren", "20000", "ab+c d/9", &md5("smartfren+20000+ab%2Bc%20d%2F9+demoUser01"));
    let found = dissect(sent.as_bytes(), None, SIGNER).expect("readable");
    assert!(told(&found.mistakes).contains("reff_id was signed as \"ab%2Bc%20d%2F9\""));
}

#[test]
fn a_header_lets_in_or_is_told_why_not() {
    let sent = body("telkomsel", "10000", "INV-000123", "d4d9a787416daa50baa69bccfeed95bc");
    let table = [
        ("ilen-sandbox-key-0001", ""),
        ("Bearer ilen-sandbox-key-0001\n", ""),
        ("Basic ilen-sandbox-key-0001", "a scheme"),
        ("ILEN-sandbox-key-0001", "another case"),
        ("demoUser01", "another credential"),
        ("somebody's", "another key"),
        ("", "empty"),
    ];
    for (header, expected) in table {
        let found = dissect(sent.as_bytes(), Some(header), SIGNER).expect("readable");
        assert_eq!(found.is_valid, expected.is_empty(), "{header}");
        assert!(told(&found.mistakes).contains(expected), "{header}");
    }
}

#[test]
fn what_is_no_new_collection_is_not_taken_apart() {
    for body in ["", "{", "sign=a&sign=b", "reff_id=INV-000123&sender=0812"] {
        assert!(dissect(body.as_bytes(), None, SIGNER).is_err(), "{body}");
    }
    assert!(dissect_callback(b"", "key=", SIGNER).is_err());
}

/// The vectors of section 7, and what receivers compute instead.
#[test]
fn callbacks_are_right_or_explained() {
    let ping = r#"{"data":{"webhook_id":"Qm3xT7kLp0aZ9Vd","webhook_url":"https:\/\/shop.example\/hook","webhook_key":"whsecret-demo","back_url":"https:\/\/shop.example\/back"}}"#;
    let signature = "key=0615114f72ec1b0b72828f774a261477a6d19cca";
    let found = dissect_callback(ping.as_bytes(), signature, SIGNER).expect("a body");
    assert!(found.is_valid && found.command.ends_with("ping"), "{found:?}");
    assert!(!found.parts[0].text.contains("whsecret-demo"), "{found:?}");
    let lines =
        "{\n  \"data\": {\n    \"reff_id\": \"INV-000123\",\n    \"status\": \"PAID\"\n  }\n}";
    let right = "key=8a3c058f3ab09b47e39de3b69bfd18a60590e624";
    assert!(dissect_callback(lines.as_bytes(), right, SIGNER).expect("a body").is_valid);
    let compact = r#"{"data":{"reff_id":"INV-000123","status":"PAID"}}"#;
    let other = |secret: &str, body: &str| sign_callback(secret, body.as_bytes());
    let table = [
        (right[4..].to_owned(), "the prefix is \"\""),
        (right.replace("key=", "sha1="), "the prefix is \"sha1=\""),
        (format!("{right} "), "blanks"),
        (other("demoUser01", lines), "the api_user was used"),
        (other("whsecret-demo", compact), "parsed and written again"),
        (other("whsecret-demo", &format!("{lines}\n")), "a line break at its end"),
        (format!("sha256={}", hmac_sha256("whsecret-demo", lines.as_bytes())), "HMAC-SHA256"),
        ("key=00".to_owned(), ""),
    ];
    for (given, expected) in table {
        let found = dissect_callback(lines.as_bytes(), &given, SIGNER).expect("a body");
        let told = told(&found.mistakes);
        assert!(
            told.contains(expected) && told.is_empty() == expected.is_empty(),
            "{given}: {told}"
        );
        assert!(!found.is_valid, "{given}");
    }
}

proptest! {
    /// Whatever is given, it is taken apart or said why not, and no credential comes out.
    #[test]
    fn anything_is_taken_apart_or_told(
        given: Vec<u8>,
        operator in "[a-z]{1,8}",
        nominal in "[0-9.]{1,8}",
        reference in "\\PC{1,8}",
        claimed in "[ -~]{1,32}",
    ) {
        let sent = body(&operator, &nominal, &reference, &claimed);
        for given in [given, sent.into_bytes()] {
            for found in [dissect(&given, None, SIGNER), dissect_callback(&given, "key=1", SIGNER)] {
                let shown = format!("{found:?}");
                prop_assert!(!shown.contains(SIGNER.api_user), "{}", shown);
                prop_assert!(!shown.contains(SIGNER.webhook_secret), "{}", shown);
            }
        }
    }
}
