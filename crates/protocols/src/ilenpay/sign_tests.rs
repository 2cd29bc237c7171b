//! The vectors of sections 3 and 7 of the ilenpay reference, and what is no key and no signature.

use std::collections::BTreeMap;

use domain::{MerchantId, ProtocolName};
use http::HeaderValue;
use proptest::prelude::*;

use super::*;

const USER: &str = "demoUser01";

const SIGNED: [(&str, &str, &str, &str); 3] = [
    ("telkomsel", "10000", "INV-000123", "d4d9a787416daa50baa69bccfeed95bc"),
    ("xl", "45000", "trx2026A7", "38fe1a9fd34a157d8226b195557ad862"),
    ("smartfren", "20000", "ab+c d/9", "848756fd4967dd22e9a3fc29589a79cb"),
];

#[test]
fn new_collections_are_signed_as_the_reference_does() {
    for (operator, nominal, reference, expected) in SIGNED {
        assert_eq!(sign(operator, nominal, reference, USER), expected);
        for given in [expected.to_owned(), expected.to_uppercase()] {
            assert!(is_signed((operator, nominal, reference), USER, &given), "{given}");
        }
        for given in [&expected[1..], &format!("{expected}0"), &format!(" {expected}"), ""] {
            assert!(!is_signed((operator, nominal, reference), USER, given), "{given}");
        }
        assert!(!is_signed((operator, nominal, reference), "another", expected));
    }
}

#[test]
fn callbacks_are_signed_as_the_reference_does() {
    let table = [
        (
            r#"{"data":{"hash":"5d0c1f6b7a8e93f2041b6c7d8e9fa0b1c2d3e4f5","reff_id":"INV-000123","payment":"telkomsel","rate":"0.82","nominal":"10000","total_tf":"13000","sender":"6281298765432","status":"PAID","saldo_ahir":"250000"}}"#,
            219,
            "key=3533c01d877440bcd1af059ae7f9eb3ff913c8b1",
        ),
        (
            "{\n  \"data\": {\n    \"reff_id\": \"INV-000123\",\n    \"status\": \"PAID\"\n  }\n}",
            69,
            "key=8a3c058f3ab09b47e39de3b69bfd18a60590e624",
        ),
        (
            r#"{"data":{"webhook_id":"Qm3xT7kLp0aZ9Vd","webhook_url":"https:\/\/shop.example\/hook","webhook_key":"whsecret-demo","back_url":"https:\/\/shop.example\/back"}}"#,
            158,
            "key=0615114f72ec1b0b72828f774a261477a6d19cca",
        ),
    ];
    for (body, length, expected) in table {
        assert_eq!(body.len(), length);
        assert_eq!(sign_callback("whsecret-demo", body.as_bytes()), expected);
    }
}

fn credential(key: Option<&str>) -> Arc<Credential> {
    Arc::new(Credential {
        merchant: MerchantId(7),
        protocol: ProtocolName::new("ilenpay"),
        identifier: key_name(key.unwrap_or_default()),
        serial: 1,
        secrets: BTreeMap::from_iter(key.map(|key| (API_KEY.to_owned(), Secret::new(key)))),
        expires_at: None,
        revoked_at: None,
    })
}

#[test]
fn a_key_lets_in_its_holder_and_nobody_else() {
    let known = [credential(None), credential(Some("")), credential(Some("right"))];
    assert_eq!(holder(&known, "right"), Some(&known[2]));
    for wrong in ["wrong", "", "Right", "right "] {
        assert_eq!(holder(&known, wrong), None, "{wrong}");
        assert_eq!(holder(&[], wrong), None, "{wrong}");
    }
}

#[test]
fn the_name_of_a_key_is_sixteen_digits() {
    assert_eq!(key_name("ilen-sandbox-key-0001").len(), 16);
    assert_ne!(key_name("a"), key_name("b"));
}

#[test]
fn only_one_whole_header_is_a_key() {
    let table: [(&[&[u8]], Option<&str>); 12] = [
        (&[b"k-1"], Some("k-1")),
        (&[b"  k-1\t"], Some("k-1")),
        (&[b"Bearer k-1"], Some("k-1")),
        (&[b"bearer  k-1 "], Some("k-1")),
        (&[b"Bearer"], Some("Bearer")),
        (&[b"Bearer "], Some("Bearer")),
        (&[b"Basic k-1"], Some("Basic k-1")),
        (&[b"k 1"], Some("k 1")),
        (&[b"k-1", b"k-1"], None),
        (&[b"\xff"], None),
        (&[b""], None),
        (&[], None),
    ];
    for (values, expected) in table {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).expect("a value"));
        }
        assert_eq!(presented(&headers), expected, "{values:?}");
    }
}

proptest! {
    #[test]
    fn every_flipped_bit_is_refused(reference in "\\PC{5,20}", bit in 0_usize..128) {
        let mut claimed = digest("xl", "1", &reference, USER);
        claimed[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!is_signed(("xl", "1", &reference), USER, &hex::encode(claimed)));
    }
}
