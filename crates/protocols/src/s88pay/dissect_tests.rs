//! The reference's vectors read back, and messages as clients make them by mistake.

use aes::Aes256;
use cbc::cipher::block_padding::ZeroPadding;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use proptest::prelude::*;

use super::*;

const VECTORS: &str = include_str!("golden/vectors.txt");

const SIGNER: Signer<'_> = Signer {
    merchant_code: "OPR001",
    api_key: "unit-test-api-key",
    secret_key: "unit-test-secret-key",
    other_keys: &[],
};
const BALANCE: &str = "b5ojWL4ABTRpEdi7606/orVxWBj7r9ORcYV9xRQqtOw=";

fn told(texts: &[Bilingual]) -> String {
    texts.iter().map(|it| it.english.as_str()).collect::<Vec<_>>().join("; ")
}

/// Every text of section 3.8 that is a message comes back from both its spellings, with its fields.
#[test]
fn the_references_own_vectors_are_read() {
    let (mut credentials, mut text) = (("", ""), "");
    let mut read_back = 0;
    for line in VECTORS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, value) = line.split_once(' ').expect("a name and a value");
        match name {
            "credentials" => credentials = value.split_once(' ').expect("two of them"),
            "text" => text = value,
            "base64" | "key" => {
                let signer = Signer { api_key: credentials.0, secret_key: credentials.1, ..SIGNER };
                let reading = read(value.as_bytes(), signer).expect("whole blocks");
                let Some(expected) = Parameters::read(text).filter(Parameters::is_message) else {
                    assert!(reading.fields.is_empty() && !reading.mistakes.is_empty(), "{text}");
                    continue;
                };
                let names: Vec<_> = reading.fields.iter().map(|it| it.name.as_str()).collect();
                let wanted: Vec<_> = expected.entries().map(|(name, _)| name).collect();
                assert_eq!(names, wanted, "{text}");
                assert_eq!(reading.is_json, text.starts_with('{'));
                assert!(!reading.text.contains(credentials.0), "a key is shown: {}", reading.text);
                if name == "key" {
                    assert_eq!(reading.expected, value);
                    assert_eq!(reading.repaired, Vec::new(), "{value}");
                    read_back += 1;
                }
            }
            _ => {}
        }
    }
    assert_eq!(read_back, 13, "all but the sixteen letters and the empty text");
}

/// What each text of the reference is, and what it lacks.
#[test]
fn messages_are_recognised_and_what_they_lack_is_told() {
    let table: [(&str, &str, &[&str], &str); 12] = [
        ("merchant_code=OPR001", "balance", &[], ""),
        ("merchant_code=OPR001&currency_code=THB", "channel", &[], ""),
        ("merchant_api_key=unit-test-api-key&transaction_code=A", "status", &[], ""),
        ("transaction_code=A", "status", &["merchant_api_key"], "merchant_api_key is missing"),
        ("transaction_code=A&utr=412345678901", "submit-utr", &[], ""),
        ("utr=412345678901", "submit-utr", &["transaction_code"], ""),
        ("transaction_code=A&ref_no=1", "submit-refno", &[], ""),
        ("transaction_code=A&depositor_name=สมชาย", "submit-depositor", &[], ""),
        ("transaction_code=A&account_number=1", "krw-submit-information", &["bank_code"], ""),
        ("merchant_code=OPR002", "balance", &[], "is not OPR001"),
        (
            "merchant_code=OPR001&merchant_api_key=other&transaction_amount=1",
            "deposit",
            &[
                "transaction_code",
                "transaction_timestamp",
                "payment_code",
                "user_id",
                "currency_code",
            ],
            "is not the api_key",
        ),
        (
            r#"{"merchant_code":"OPR001","payout_code":"W001","transaction_timestamp":1700000000000}"#,
            "payout",
            &["transaction_code", "transaction_amount", "user_id", "currency_code", "account_name"],
            "",
        ),
    ];
    let cipher = Cipher::new(SIGNER.api_key, SIGNER.secret_key);
    for (text, message, missing, mistake) in table {
        let reading = read(cipher.encrypt(text).as_bytes(), SIGNER).expect("whole blocks");
        assert_eq!((reading.message, reading.missing.as_slice()), (message, missing), "{text}");
        let mistakes = told(&reading.mistakes);
        let is_told = mistakes.contains(mistake) && mistakes.is_empty() == mistake.is_empty();
        assert!(is_told, "{text}: {mistakes}");
        assert_eq!(told(&reading.remarks).contains("milliseconds"), text.contains("1700000000000"));
    }
}

/// The transport variants of vector L, where a key may stand, and what is said of each.
#[test]
fn what_transports_made_of_a_key_is_undone_and_told() {
    let signer = SIGNER;
    let plain = "VqBRnPVmjFJyCnId9zASXoy0pFdDmj%2B8%2Fd7Jdp0RHR4%3D";
    let table = [
        (plain.to_owned(), ""),
        (format!("{{\"key\":\"{plain}\",\"transaction_code\":\"A\"}}"), ""),
        (format!("key={plain}"), ""),
        (format!("https://s88.example/OPR001/v2/dopayment?key={plain}"), ""),
        (format!("/OPR001/v2/dopayment?x=1&key={plain}"), ""),
        ("VqBRnPVmjFJyCnId9zASXoy0pFdDmj+8/d7Jdp0RHR4=".to_owned(), "not percent-encoded"),
        (plain.replace('%', "%25"), "more than once"),
        ("VqBRnPVmjFJyCnId9zASXoy0pFdDmj 8/d7Jdp0RHR4=".to_owned(), "blanks were read as +"),
        ("VqBRnPVmjFJyCnId9zASXoy0pFdDmj+8/d7Jdp0RHR4".to_owned(), "were added"),
        ("VqBRnPVmjFJyCnId9zASXoy0pFdDmj-8_d7Jdp0RHR4=".to_owned(), "alphabet of addresses"),
        (format!("{plain}\n"), "blanks around"),
        (format!("{plain}%3D"), "needless ="),
        (plain.replacen("Jy", "Jy\r\n", 1), "line breaks"),
    ];
    for (given, expected) in table {
        let reading = read(given.as_bytes(), signer).expect("whole blocks");
        assert_eq!(reading.text, "transaction_code=PLUS-0", "{given}");
        let told = told(&reading.repaired);
        assert!(
            told.contains(expected) && told.is_empty() == expected.is_empty(),
            "{given}: {told}"
        );
    }
    for (given, expected) in [
        ("", "no key"),
        (" \n", "no key"),
        ("{}", "no key"),
        ("key=", "no key"),
        ("/OPR001/v2/dopayment?x=1", "cut short"),
        ("b5ojWL4ABTRpEdi7606/orVxWBj7r9ORcYV9xRQqt*w=", "a character *"),
        (&BALANCE[..42], "31 bytes"),
    ] {
        let why = read(given.as_bytes(), signer).expect_err(expected).0.english;
        assert!(why.contains(expected), "{given}: {why}");
    }
}

#[test]
fn usual_mistakes_are_found() {
    let text = "merchant_code=OPR001&merchant_api_key=aB%2Bc%3D&transaction_code=ORD-1";
    let other = ["third".to_owned()];
    let signer =
        Signer { api_key: "aB%2Bc%3D", secret_key: "s%3D%3D", other_keys: &other, ..SIGNER };
    let with = |api_key: &str, secret_key: &str| Cipher::new(api_key, secret_key).encrypt(text);
    let right = |secret_key: &str| -> [u8; BLOCK] { beginning(&hex::encode(hashed(secret_key))) };
    let bytes = |aes: [u8; 32], vector: [u8; BLOCK]| Cipher::of_bytes(aes, vector).encrypt(text);
    let raw =
        BASE64_STANDARD.encode(blocks(&with(signer.api_key, signer.secret_key)).expect("blocks"));
    let hexadecimal = hex::encode(BASE64_STANDARD.decode(&raw).expect("Base64"));
    let encryptor = cbc::Encryptor::<Aes256>::new(
        &hashed(signer.api_key).into(),
        &right(signer.secret_key).into(),
    );
    let zeros =
        BASE64_STANDARD.encode(encryptor.encrypt_padded_vec::<ZeroPadding>(text.as_bytes()));
    let table = [
        (with("aB+c=", "s%3D%3D"), "the api_key was percent-decoded"),
        (with("aB+c=", "s=="), "the secret_key was percent-decoded"),
        (with("s%3D%3D", "aB%2Bc%3D"), "the api_key was used in place of the secret_key"),
        (with("third", "s%3D%3D"), "other key number 1 was used in place of the api_key"),
        (with("aB%2Bc%3D", "third"), "other key number 1 was used in place of the secret_key"),
        (with("aB%2Bc%3D\n", "s%3D%3D"), "api_key that was used has a blank or a line break"),
        (
            bytes(beginning(&hex::encode(hashed(signer.api_key))), right(signer.secret_key)),
            "32 hexadecimal letters",
        ),
        (bytes(beginning(signer.api_key), right(signer.secret_key)), "itself was used as AES key"),
        (bytes(hashed(signer.api_key), beginning(signer.secret_key)), "itself was used as IV"),
        (bytes(hashed(signer.api_key), [0; BLOCK]), "all zeros"),
        (
            bytes(
                hashed(signer.api_key),
                hashed(signer.secret_key).first_chunk().copied().expect("32 bytes"),
            ),
            "the first 16 bytes of the SHA-256",
        ),
        (hexadecimal, "hexadecimal, not Base64"),
        (BASE64_STANDARD.encode(&raw), "Base64 was applied twice"),
        (zeros, "PKCS#7"),
        (with("unknown", "s%3D%3D"), "the padding is wrong"),
        (with("aB%2Bc%3D", "unknown"), "the secret_key is another one"),
    ];
    for (key, expected) in table {
        let reading = read(key.as_bytes(), signer).expect("whole blocks");
        let told = told(&reading.mistakes);
        assert!(told.contains(expected), "{expected}: {told}");
        if !reading.fields.is_empty() {
            assert_eq!(reading.expected, with(signer.api_key, signer.secret_key), "{expected}");
        }
        let dissection = dissect(key.as_bytes(), signer).expect("whole blocks");
        assert!(!dissection.is_valid && dissection.mistakes == reading.mistakes, "{expected}");
        assert!(dissection.parts.iter().all(|part| !part.text.contains("aB%2Bc%3D")));
    }
    assert!(dissect(with("aB%2Bc%3D", "s%3D%3D").as_bytes(), signer).is_ok_and(|it| it.is_valid));
}

proptest! {
    /// Whatever is given, it is read or said why not, and no credential comes out.
    #[test]
    fn anything_is_read_or_told(given: Vec<u8>, text in "[a-z_=&0-9]{0,40}") {
        let cipher = Cipher::new(SIGNER.api_key, SIGNER.secret_key);
        let text = format!("{text}&merchant_api_key={}", SIGNER.api_key);
        for given in [given, cipher.encrypt(&text).into_bytes()] {
            if let Ok(reading) = read(&given, SIGNER) {
                let shown = format!("{reading:?}");
                prop_assert!(!shown.contains(SIGNER.api_key), "{}", shown);
            }
        }
    }
}
