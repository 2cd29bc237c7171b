use std::collections::BTreeMap;

use domain::{MerchantId, ProtocolName};
use proptest::prelude::*;

use super::*;

const API_ID: &str = "IK-1001";
const TIMESTAMP: &str = "1780000000";

fn secrets() -> (Secret, Secret) {
    (Secret::new("ak_live_7f3c9d2e"), Secret::new("sk_live_Zx81mQpT"))
}

fn signed(timestamp: &str, body: &str) -> String {
    let (api_key, secret_key) = secrets();
    let keys = Keys { api_id: API_ID, api_key: &api_key, secret_key: &secret_key };
    sign(&keys, timestamp, body).expect("an object")
}

fn credential(serial: u32, secrets: &[(&str, &str)]) -> Arc<Credential> {
    let secrets = secrets.iter().map(|(name, key)| ((*name).to_owned(), Secret::new(*key)));
    Arc::new(Credential {
        merchant: MerchantId(serial),
        protocol: ProtocolName::new("isikuota"),
        identifier: API_ID.to_owned(),
        serial,
        secrets: BTreeMap::from_iter(secrets),
        expires_at: None,
        revoked_at: None,
    })
}

fn live() -> Vec<Arc<Credential>> {
    vec![credential(1, &[(API_KEY, "ak_live_7f3c9d2e"), (SECRET_KEY, "sk_live_Zx81mQpT")])]
}

fn signer_of(credentials: &[Arc<Credential>], body: &str, given: &str) -> Option<u32> {
    let canonical = canonical(body).expect("an object");
    signer(credentials, TIMESTAMP, &canonical, given).map(|(credential, _)| credential.serial)
}

/// What is sent, what is signed of it, its hash and its signature: V1 to V8 of section 2.6.
const VECTORS: [[&str; 4]; 8] = [
    [
        r#"{"api_id":"IK-1001","timestamp":1780000000,"signature":""}"#,
        "",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "a0b42d7174dc547e19fa127556ffbf98c6bb9f104edcef16206f07485381e7ad",
    ],
    [
        r#"{"customer_no":"081298765432","cmd":"prepaid","code":"TSEL21","ref_id":"TRX-20260601-0001","api_id":"IK-1001","timestamp":1780000000,"signature":"5013aa86a1f742c0463170ee895d6724a16681e6f631bc311810a92f0083d534"}"#,
        r#"{"cmd":"prepaid","code":"TSEL21","customer_no":"081298765432","ref_id":"TRX-20260601-0001"}"#,
        "c11f19697765e72f3ce09f481bbe65ed7b730845812c57b383b201c211dec4c5",
        "5013aa86a1f742c0463170ee895d6724a16681e6f631bc311810a92f0083d534",
    ],
    [
        r#"{"testing":true,"cmd":"prepaid","code":"TSEL21","customer_no":"081298765432"}"#,
        r#"{"cmd":"prepaid","code":"TSEL21","customer_no":"081298765432","testing":true}"#,
        "a9137751af62a8994d5d9d38c61700cdd8e46674e06b55c1a662854638c1a719",
        "e1ddf54a070b7454301f7002d343154cbf548c92042c0f72c5a81d64ef9713b9",
    ],
    [
        r#"{"cmd":"prepaid","code":"TSEL21","customer_no":"081298765432","testing":false}"#,
        r#"{"cmd":"prepaid","code":"TSEL21","customer_no":"081298765432","testing":false}"#,
        "233c8f715989a4f335e09d0afeca658c2ffcfd48ac2fa95d2b486989f2375618",
        "361a98afc28103977f3be22f53b5adaca0881bab4fadaeab018e81c1fabbaa38",
    ],
    [
        r#"{"cmd":"game","code":"ML86","customer_no":"12345678\/2001","ref_id":"Pesanan \u00e9\/\u21161"}"#,
        r#"{"cmd":"game","code":"ML86","customer_no":"12345678/2001","ref_id":"Pesanan é/№1"}"#,
        "abaecac9d9be87acb5fb9f1353ffe0a20eff3c6a53093662e29da069695a0b2e",
        "59c9912c7afd59f7ed5146eb6a9887b85d3c1b50f83c059962b9998919acde45",
    ],
    [
        r#"{"cmd":"inquiry","code":"MPBPJS","customer_no":"8888801234567890","ref_id":"INQ-7001"}"#,
        r#"{"cmd":"inquiry","code":"MPBPJS","customer_no":"8888801234567890","ref_id":"INQ-7001"}"#,
        "60c33f59cc4f281031a4b37389c3548188764e7bccfc828888ffd6ccee166537",
        "d7001a0dafdd0350d6b0d630f2c6a9b60d1e9d149554204d8940e15a722265d4",
    ],
    [
        r#"{"cmd":"pay-pasca","code":"MPBPJS","customer_no":"8888801234567890","ref_id":"INQ-7001"}"#,
        r#"{"cmd":"pay-pasca","code":"MPBPJS","customer_no":"8888801234567890","ref_id":"INQ-7001"}"#,
        "bf063550e4c76b55278eb9f581eccc0bdda3536fffc198208cbe03af0b9eb818",
        "bccd1a7b9cd6a17e565e64e8ebbaa8da7afc3c25f0d14c86156f2be5b46145ff",
    ],
    [
        "{\"cmd\":\"game\",\"code\":\"ML86\",\"customer_no\":\"A\u{2028}B\\\"\\\\\\n\\u0001\",\"ref_id\":\"R-1\"}",
        r#"{"cmd":"game","code":"ML86","customer_no":"A\u2028B\"\\\n\u0001","ref_id":"R-1"}"#,
        "4bfae9773b75ada2278b21cbbf034880c0a3de10e14c8e696a9fe537da2cfc38",
        "6bd47de2fbbdd04b975ff1814e981d288b3bfc52dad271acfe98eb5d724a2f20",
    ],
];

#[test]
fn the_references_own_signatures_come_out() {
    for [body, expected, hash, signature] in VECTORS {
        let canonical = canonical(body).expect("an object");
        assert_eq!(canonical, expected);
        assert_eq!(body_hash(&canonical), hash, "{body}");
        assert_eq!(signed(TIMESTAMP, body), signature, "{body}");
        for given in [signature.to_owned(), signature.to_uppercase()] {
            assert_eq!(signer_of(&live(), body, &given), Some(1), "{body}");
        }
    }
}

#[test]
fn only_a_whole_digest_is_a_signature() {
    let [body, _, _, right] = VECTORS[1];
    let table = ["".to_owned(), right[..63].to_owned(), format!("{right}0"), format!(" {right}")];
    for given in table {
        assert_eq!(signer_of(&live(), body, &given), None, "{given:?}");
    }
}

#[test]
fn both_credentials_of_a_rotation_sign() {
    let mut credentials = live();
    credentials.push(credential(2, &[(API_KEY, "ak_new"), (SECRET_KEY, "sk_new")]));
    let (api_key, secret_key) = (Secret::new("ak_new"), Secret::new("sk_new"));
    let keys = Keys { api_id: API_ID, api_key: &api_key, secret_key: &secret_key };
    let [body, _, _, old] = VECTORS[1];
    let new = sign(&keys, TIMESTAMP, body).expect("an object");
    assert_eq!(signer_of(&credentials, body, old), Some(1));
    assert_eq!(signer_of(&credentials, body, &new), Some(2));
    // Keys of different credentials do not go together.
    let (mixed, _) = secrets();
    let keys = Keys { api_key: &mixed, ..keys };
    let mixed = sign(&keys, TIMESTAMP, body).expect("an object");
    assert_eq!(signer_of(&credentials, body, &mixed), None);
}

#[test]
fn nobody_signs_without_both_keys() {
    let empty = Secret::new("");
    let keys = Keys { api_id: API_ID, api_key: &empty, secret_key: &empty };
    let given = sign(&keys, TIMESTAMP, "{}").expect("an object");
    let table: [&[(&str, &str)]; 4] = [
        &[],
        &[(API_KEY, ""), (SECRET_KEY, "")],
        &[(API_KEY, "ak_live_7f3c9d2e")],
        &[(SECRET_KEY, "sk_live_Zx81mQpT")],
    ];
    for secrets in table {
        assert_eq!(signer_of(&[credential(1, secrets)], "{}", &given), None, "{secrets:?}");
    }
}

#[test]
fn a_body_without_an_object_cannot_be_signed() {
    let (api_key, secret_key) = secrets();
    let keys = Keys { api_id: API_ID, api_key: &api_key, secret_key: &secret_key };
    for body in ["", "[]", "null", "{", r#"{"a":"\ud800"}"#] {
        assert!(sign(&keys, TIMESTAMP, body).is_err(), "{body}");
    }
}

/// The vectors of section 9.4: one slash makes another signature.
#[test]
fn callbacks_are_signed_as_the_bytes_that_they_are() {
    let escaped = crate::isikuota::callback::EXAMPLE;
    let (_, key) = secrets();
    assert_eq!(escaped.len(), 392);
    assert_eq!(
        sign_callback(&key, escaped.as_bytes()),
        "0aa10a0ae67757ec7e0ea4cf143e3107d5407b116cdc965ff7515f8edc4bba7c"
    );
    assert_eq!(
        sign_callback(&key, escaped.replace("\\/", "/").as_bytes()),
        "bc42e7a4143cdd8514dc8b6bd7e0587eeee08976220be10f9931f77b65cc62ec"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_flipped_bit_is_refused(value: String, bit in 0_usize..256) {
        let body = serde_json::json!({ "customer_no": value }).to_string();
        let mut digest = hex::decode(signed(TIMESTAMP, &body)).expect("hexadecimal");
        digest[bit / 8] ^= 1 << (bit % 8);
        prop_assert_eq!(signer_of(&live(), &body, &hex::encode(digest)), None);
    }

    #[test]
    fn another_time_is_another_signature(one in 0_i64..10_000, other in 0_i64..10_000) {
        let [one_signed, other_signed] = [one, other].map(|it| signed(&it.to_string(), "{}"));
        prop_assert_eq!(one == other, one_signed == other_signed);
    }

    /// The wire's order, blanks and escapes do not count.
    #[test]
    fn the_way_of_writing_does_not_count(name in "[a-z]{1,8}", value: String) {
        let compact = serde_json::json!({ "cmd": "x", name.clone(): value.clone() }).to_string();
        let value = serde_json::to_string(&value).expect("a text");
        let loose = format!("{{ \"{name}\" :\t{value} ,\n\"cmd\" : \"x\" }}");
        prop_assume!(name != "cmd");
        prop_assert_eq!(signed(TIMESTAMP, &compact), signed(TIMESTAMP, &loose));
    }
}
