//! Every usual mistake is found, alone and with others, and none is seen where there is none.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::iak::sign::sign;

const USERNAME: &str = "081200001111";
const KEY: &str = "9f1c2ab34de5f678";

fn with<'a>(api_key: &'a str, other_keys: &'a [String]) -> Signer<'a> {
    Signer { username: USERNAME, api_key, other_keys }
}

fn taken(body: &Value) -> Dissection {
    dissect(body.to_string().as_bytes(), with(KEY, &[])).expect("a signed request")
}

/// A request under this signature; its fields are all told apart.
fn request(command: &str, sign: &str) -> Value {
    json!({ "commands": command, "username": USERNAME, "sign": sign, "ref_id": "INV-1",
            "tr_id": 1_234_567_890, "hp": "530000000000", "code": "PLNPOSTPAID" })
}

fn english(dissection: &Dissection) -> Vec<&str> {
    dissection.mistakes.iter().map(|mistake| mistake.english.as_str()).collect()
}

#[test]
fn every_command_is_dissected_in_both_formats() {
    let table = [
        ("pricelist-pasca", "pl", "constant"),
        ("inq-pasca", "INV-1", "ref_id"),
        ("pay-pasca", "1234567890", "tr_id"),
        ("checkstatus", "cs", "constant"),
        ("receipt-custom", "bc", "constant"),
    ];
    for (command, what, name) in table {
        let signature = sign(USERNAME, KEY, what);
        let dissection = taken(&request(command, &signature));
        assert!(dissection.is_valid && dissection.mistakes.is_empty(), "{dissection:?}");
        assert_eq!(dissection.parts[2], Part::shown(name, what));
        let xml = format!(
            "<?xml version=\"1.0\"?><mp><commands>{command}</commands><username>{USERNAME}</username>\
             <ref_id>INV-1</ref_id><tr_id>1234567890</tr_id><sign>{signature}</sign></mp>\n"
        );
        let dissection = dissect(xml.as_bytes(), with(KEY, &[])).expect("a signed request");
        assert!(dissection.is_valid, "{dissection:?}");
    }
}

#[test]
fn the_key_is_never_shown() {
    let shown = format!("{:?}", taken(&request("inq-pasca", "x")));
    assert!(!shown.contains(KEY) && shown.contains("9f1c****678"), "{shown}");
}

#[test]
fn usual_mistakes_are_found() {
    let md5 = |text: String| hex::encode(Md5::digest(text));
    let right = format!("{USERNAME}{KEY}INV-1");
    let table = [
        (sign(USERNAME, KEY, "1234567890"), vec!["signed with tr_id where ref_id belongs"]),
        (sign(USERNAME, KEY, "530000000000"), vec!["signed with hp where ref_id belongs"]),
        (sign(USERNAME, KEY, "cs"), vec!["signed with the fixed word \"cs\" where ref_id belongs"]),
        (sign(USERNAME, KEY, "pl"), vec!["signed with the fixed word \"pl\" where ref_id belongs"]),
        (sign(USERNAME, KEY, "bl"), vec!["signed with the fixed word \"bl\" where ref_id belongs"]),
        (sign(USERNAME, KEY, "inv-1"), vec!["signed with other capitals where ref_id belongs"]),
        (sign(USERNAME, KEY, ""), vec!["signed with an empty text where ref_id belongs"]),
        (sign(KEY, USERNAME, "INV-1"), vec!["username and key have changed places"]),
        (sign(USERNAME, "", "INV-1"), vec!["the key was left out of the computation"]),
        (sign("", KEY, "INV-1"), vec!["the username was left out of the computation"]),
        (
            sign("6281200001111", KEY, "INV-1"),
            vec!["computed with the username 6281200001111, another form of that number"],
        ),
        (
            sign(USERNAME, &format!("{KEY}\n"), "INV-1"),
            vec!["the key that was used has a blank or a line break around it"],
        ),
        (sign(USERNAME, &KEY.to_uppercase(), "INV-1"), vec!["the key was written in capitals"]),
        (
            md5(format!("{USERNAME}:{KEY}:INV-1")),
            vec!["the separator \":\" stands between the parts"],
        ),
        (md5(md5(right.clone())), vec!["hashed with MD5 twice"]),
        (
            STANDARD.encode(Md5::digest(&right)),
            vec!["the MD5 is written in base64 instead of hexadecimal digits"],
        ),
        (hex::encode(Sha256::digest(&right)), vec!["hashed with SHA-256 instead of MD5"]),
        (
            format!(" {} ", md5(right)),
            vec!["the signature has blanks, quotes or the prefix 0x around it"],
        ),
        (
            md5(format!("{KEY}|{USERNAME}|cs")),
            vec![
                "signed with the fixed word \"cs\" where ref_id belongs",
                "username and key have changed places",
                "the separator \"|\" stands between the parts",
            ],
        ),
        ("0123456789abcdef0123456789abcdef".to_owned(), vec![]),
        ("rubbish".to_owned(), vec![]),
    ];
    for (signature, expected) in table {
        let dissection = taken(&request("inq-pasca", &signature));
        assert!(!dissection.is_valid);
        assert_eq!(english(&dissection), expected, "{signature}");
    }
}

#[test]
fn a_fixed_word_is_told_from_a_reference() {
    let dissection = taken(&request("checkstatus", &sign(USERNAME, KEY, "INV-1")));
    assert_eq!(english(&dissection), ["signed with ref_id where the fixed word \"cs\" belongs"]);
    let dissection = taken(&request("pay-pasca", &sign(USERNAME, KEY, "INV-1")));
    assert_eq!(english(&dissection), ["signed with ref_id where tr_id belongs"]);
}

#[test]
fn another_environments_key_is_found_when_it_is_given() {
    let others = ["00112233445566aa".to_owned(), "8899aabbccddeeff".to_owned()];
    let body = request("inq-pasca", &sign(USERNAME, &others[1], "INV-1")).to_string();
    let dissection = dissect(body.as_bytes(), with(KEY, &others)).expect("a signed request");
    let expected = "computed with other key number 2 (production, development, or old)";
    assert_eq!(english(&dissection), [expected]);
    assert!(others.iter().all(|key| !format!("{dissection:?}").contains(key.as_str())));
}

#[test]
fn blanks_are_seen_in_key_and_reference() {
    let key = format!(" {KEY}");
    let body = request("inq-pasca", &sign(USERNAME, KEY, "INV-1")).to_string();
    let dissection = dissect(body.as_bytes(), with(&key, &[])).expect("a signed request");
    assert_eq!(english(&dissection), ["computed with the key without the blanks around it"]);
    assert_eq!(dissection.remarks.len(), 1);

    let mut body = request("inq-pasca", &sign(USERNAME, KEY, "INV-1"));
    body["ref_id"] = json!(" INV-1 ");
    let dissection = taken(&body);
    assert_eq!(
        english(&dissection),
        ["signed with ref_id without its blanks where ref_id belongs"]
    );
    assert_eq!(dissection.remarks.len(), 1);
}

#[test]
fn somebody_elses_name_is_a_mistake_even_under_a_right_signature() {
    let mut body = request("inq-pasca", &sign("0812999", KEY, "INV-1"));
    body["username"] = json!("0812999");
    let dissection = taken(&body);
    assert!(!dissection.is_valid);
    assert_eq!(english(&dissection), ["the username in the body is not 081200001111"]);
}

#[test]
fn capitals_are_accepted_and_remarked() {
    let dissection = taken(&request("inq-pasca", &sign(USERNAME, KEY, "INV-1").to_uppercase()));
    assert!(dissection.is_valid);
    assert_eq!(dissection.remarks.len(), 1);
}

#[test]
fn what_is_no_signed_request_is_told() {
    let table = [
        ("", "is not a JSON object"),
        ("hp=5", "is not a JSON object"),
        ("<mp><a></mp>", "not well-formed XML"),
        ("{}", "the field commands is missing"),
        (r#"{"commands":"topup"}"#, "the command \"topup\" is unknown; known are pricelist-pasca"),
        (r#"{"commands":"inq-pasca"}"#, "the field username is missing"),
        (r#"{"commands":"inq-pasca","username":"a"}"#, "the field sign is missing"),
        (r#"{"commands":"inq-pasca","username":"a","sign":"b"}"#, "the field ref_id is missing"),
        (r#"{"commands":"pay-pasca","username":"a","sign":"b","tr_id":1.5}"#, "the field tr_id"),
    ];
    for (body, expected) in table {
        let Undissected(why) = dissect(body.as_bytes(), with(KEY, &[])).expect_err(body);
        assert!(why.english.contains(expected), "{body}: {why:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_bytes_are_dissected_or_told(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = dissect(&body, with(KEY, &[]));
    }

    /// Whatever is called a mistake, a right signature is never among it.
    #[test]
    fn a_right_signature_is_never_explained_away(reference in "[A-Za-z0-9._-]{1,20}") {
        let mut body = request("inq-pasca", &sign(USERNAME, KEY, &reference));
        body["ref_id"] = json!(reference);
        let dissection = taken(&body);
        prop_assert!(dissection.is_valid && dissection.mistakes.is_empty());
    }
}
