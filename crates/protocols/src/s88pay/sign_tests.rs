//! The vectors of the reference, and everything that is almost one.

use std::collections::BTreeMap;

use domain::{MerchantId, ProtocolName};
use proptest::prelude::*;

use super::*;

const VECTORS: &str = include_str!("golden/vectors.txt");

/// Section 3.8: credentials, keys, and each text with both its spellings.
#[test]
fn the_references_own_vectors_come_out() {
    let mut cipher = Cipher::new("", "");
    let (mut text, mut tried) = ("", 0);
    for line in VECTORS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, value) = line.split_once(' ').expect("a name and a value");
        match name {
            "credentials" => {
                let (api_key, secret_key) = value.split_once(' ').expect("two of them");
                cipher = Cipher::new(api_key, secret_key);
            }
            "AES" => assert_eq!(hex::encode(cipher.key), value),
            "IV" => assert_eq!(std::str::from_utf8(&cipher.vector), Ok(value)),
            "text" => text = value,
            "base64" => {
                assert_eq!(BASE64_STANDARD.encode(cipher.encrypted(text.as_bytes())), value);
                assert_eq!(cipher.decrypt(value).as_deref(), Some(text));
            }
            "key" => {
                assert_eq!(cipher.encrypt(text), value);
                assert_eq!(cipher.decrypt(value).as_deref(), Some(text));
                tried += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(tried, 15);
}

fn ours() -> Cipher {
    Cipher::new("unit-test-api-key", "unit-test-secret-key")
}

/// Vector B: `merchant_code=OPR001`.
const BALANCE: &str = "b5ojWL4ABTRpEdi7606/orVxWBj7r9ORcYV9xRQqtOw=";

#[test]
fn whatever_a_transport_makes_of_a_key_it_opens() {
    let variants = [
        "VqBRnPVmjFJyCnId9zASXoy0pFdDmj+8/d7Jdp0RHR4=",
        "VqBRnPVmjFJyCnId9zASXoy0pFdDmj%2B8%2Fd7Jdp0RHR4%3D",
        "VqBRnPVmjFJyCnId9zASXoy0pFdDmj%252B8%252Fd7Jdp0RHR4%253D",
        "VqBRnPVmjFJyCnId9zASXoy0pFdDmj 8/d7Jdp0RHR4=",
        "VqBRnPVmjFJyCnId9zASXoy0pFdDmj+8/d7Jdp0RHR4",
        "VqBRnPVmjFJyCnId9zASXoy0pFdDmj-8_d7Jdp0RHR4=",
        "VqBRnPVmjFJyCnId9zASXoy0pFdDmj%25252B8%25252Fd7Jdp0RHR4%25253D",
        "VqBRnPVmjFJyCnId9zASXoy0pFdDmj%2b8%2fd7Jdp0RHR4%3d",
        " \r\nVqBRnPVmjFJyCnId9zASXoy0\r\npFdDmj+8/d7Jdp0RHR4==\t",
    ];
    for variant in variants {
        assert_eq!(
            ours().decrypt(variant).as_deref(),
            Some("transaction_code=PLUS-0"),
            "{variant}"
        );
    }
}

#[test]
fn what_is_no_base64_of_whole_blocks_is_seen_without_a_secret() {
    let broken = [
        "",
        "=",
        "%",
        "%3D",
        "A",
        "AAAA",
        "b5ojWL4ABTRpEdi7606/orVxWBj7r9ORcYV9xRQqtOw=A",
        "b5ojWL4ABTRpEdi7606/orVxWBj7r9ORcYV9xRQqt*w",
        "b5ojWL4ABTRpEdi7606/orVxWBj7r9ORcYV9xRQqt\u{e9}w",
        "VqBRnPVmjFJyCnId9zASXoy0pFdDmj%2525252B8%2525252Fd7Jdp0RHR4",
        // Vector B, cut to 31 bytes.
        &BALANCE[..42],
    ];
    for key in broken {
        assert_eq!(read(key), None, "{key}");
    }
    assert_eq!(read(&BALANCE[..43]).map(|it| it.len()), Some(32));
}

#[test]
fn wrong_credentials_open_nothing_or_spoil_the_beginning() {
    let other_key = Cipher::new("other", "unit-test-secret-key");
    assert_eq!(other_key.decrypt(BALANCE), None);
    let other_vector = Cipher::new("unit-test-api-key", "other-secret");
    let Opened { text, padded } = other_vector.open(&read(BALANCE).expect("two blocks"));
    assert!(bool::from(padded));
    assert_eq!(hex::encode(text), "313020603d666a290e67673062671d5452303031");
}

/// Credentials are texts: one that is decoded first is another one (section 2.3).
#[test]
fn credentials_count_as_they_were_issued() {
    let issued = Cipher::new("FjgHGLxnJO1qjlhHcK4KHg%3D%3D", "s%3D");
    let decoded = Cipher::new("FjgHGLxnJO1qjlhHcK4KHg==", "s=");
    assert_eq!(decoded.decrypt(&issued.encrypt("transaction_code=A")), None);
}

#[test]
fn padding_is_right_or_wrong() {
    let key = ours();
    let pad = |ending: &[u8]| {
        let mut block = [b'x'; BLOCK];
        block[BLOCK - ending.len()..].copy_from_slice(ending);
        let encryptor = cbc::Encryptor::<Aes256>::new(&key.key.into(), &key.vector.into());
        key.open(&encryptor.encrypt_padded_vec::<NoPadding>(&block))
    };
    for length in 1..=16_u8 {
        let opened = pad(&vec![length; usize::from(length)]);
        assert!(bool::from(opened.padded), "{length}");
        assert_eq!(opened.text.len(), BLOCK - usize::from(length));
    }
    for ending in [&[0][..], &[17], &[255], &[1, 2], &[3, 3], &[2, 3, 3], &[15, 16, 16, 16]] {
        let opened = pad(ending);
        assert!(!bool::from(opened.padded), "{ending:?}");
        assert_eq!(opened.text.len(), BLOCK - 1, "something is there to be read");
    }
}

fn credential(serial: u32, parts: &[(&str, &str)]) -> Arc<Credential> {
    Arc::new(Credential {
        merchant: MerchantId(7),
        protocol: ProtocolName::new("s88pay"),
        identifier: "OPR001".to_owned(),
        serial,
        secrets: parts
            .iter()
            .map(|(name, part)| ((*name).to_owned(), Secret::new(*part)))
            .collect::<BTreeMap<_, _>>(),
        expires_at: None,
        revoked_at: None,
    })
}

#[test]
fn a_credential_without_a_part_opens_nothing() {
    let table: [(&[(&str, &str)], bool); 4] = [
        (&[(API_KEY, "a"), (SECRET_KEY, "b")], true),
        (&[(API_KEY, "a")], false),
        (&[(SECRET_KEY, "b")], false),
        (&[(API_KEY, ""), (SECRET_KEY, "b")], false),
    ];
    for (parts, usable) in table {
        assert_eq!(Cipher::of(&credential(1, parts)).is_some(), usable, "{parts:?}");
    }
    let newer = credential(2, &[(API_KEY, "c"), (SECRET_KEY, "d")]);
    let live = [newer, credential(1, &[(API_KEY, "a"), (SECRET_KEY, "b")]), credential(3, &[])];
    let newest = newest(&live).expect("two are usable");
    assert_eq!(newest.encrypt("x"), Cipher::new("c", "d").encrypt("x"));
}

#[test]
fn an_api_key_is_known_in_every_spelling() {
    let encoded = credential(1, &[(API_KEY, "aB%2Bc%3D"), (SECRET_KEY, "s")]);
    let plain = credential(1, &[(API_KEY, "aB+c="), (SECRET_KEY, "s")]);
    let table = [
        (&encoded, "aB%2Bc%3D", true),
        (&encoded, "aB+c=", true),
        (&encoded, "aB%252Bc%253D", true),
        (&encoded, "aB c=", false),
        (&encoded, "ab+c=", false),
        (&plain, "aB+c=", true),
        (&plain, "aB%2Bc%3D", true),
        (&plain, "", false),
        (&credential(1, &[]), "", false),
    ];
    for (credential, given, expected) in table {
        assert_eq!(bool::from(is_api_key(credential, given)), expected, "{given}");
    }
}

proptest! {
    #[test]
    fn every_text_comes_back(text: String, api_key: String, secret_key: String) {
        let cipher = Cipher::new(&api_key, &secret_key);
        let key = cipher.encrypt(&text);
        prop_assert!(key.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'%'));
        prop_assert_eq!(cipher.decrypt(&key), Some(text));
    }

    #[test]
    fn any_key_is_read_or_refused(key: String) {
        if let Some(blocks) = read(&key) {
            prop_assert!(blocks.len().is_multiple_of(BLOCK));
            prop_assert!(ours().open(&blocks).text.len() < blocks.len());
        }
    }
}
