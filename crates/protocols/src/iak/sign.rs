//! Signatures: lowercase hexadecimal MD5 of user name, API key and what the command names, joined
//! without separators (IAK reference, section 3).
//!
//! The scheme has no time, no nonce and no field but one under the hash. What contains it stands
//! elsewhere: the forms of references and transaction numbers, and the rule that a quote is paid
//! once. One thing cannot be contained: a top-up and the check of its status sign the same reference,
//! so a check signs for whoever sees it a top-up under a reference that was never used, or whose
//! top-up was refused. Invariants here: digests are compared in constant time, a user name that nobody
//! has costs the same work as a wrong signature, and a credential without a key signs for nobody.

use std::sync::Arc;

use domain::{Credential, MerchantId, Secret};
use md5::{Digest, Md5};
use subtle::ConstantTimeEq;

/// The name under which a credential keeps its key.
pub const API_KEY: &str = "api_key";

/// What is signed for a price list.
pub const PRICE_LIST: &str = "pl";
/// What is signed to check a status.
pub const CHECK_STATUS: &str = "cs";
/// What is signed for a receipt with an own header.
pub const RECEIPT: &str = "bc";
/// What is signed for the balance.
pub const BALANCE: &str = "bl";
/// What is signed for the operator of a number.
pub const OPERATOR: &str = "op";

/// Words that stand in place of a reference under some command's signature. A reference that is
/// one of them would make that signature valid for an inquiry.
pub const RESERVED: [&str; 6] = [PRICE_LIST, CHECK_STATUS, RECEIPT, BALANCE, OPERATOR, "st"];

/// How many keys are tried at least, so that neither a missing user nor a rotation under way shows
/// in the time that a refusal takes.
const KEYS_TRIED: usize = 2;

/// Stands in for the key of a user that nobody is. As long as the keys that are issued.
const NOBODYS_KEY: &str = "0000000000000000";

/// The signature of `what`: a reference, a transaction number in decimal digits, or one of the
/// fixed words.
pub fn sign(username: &str, api_key: &str, what: &str) -> String {
    hex::encode(digest(username, api_key, what))
}

/// Whose signature of `what` the text `given` is, among the live credentials of a user name.
/// Uppercase digits are accepted.
pub fn signer(
    credentials: &[Arc<Credential>],
    username: &str,
    what: &str,
    given: &str,
) -> Option<MerchantId> {
    let mut claimed = [0; 16];
    let readable = hex::decode_to_slice(given, &mut claimed).is_ok();
    let mut signer = None;
    for position in 0..credentials.len().max(KEYS_TRIED) {
        let credential = credentials.get(position);
        let key = credential.and_then(|credential| usable_key(credential));
        let expected = digest(username, key.unwrap_or(NOBODYS_KEY), what);
        let equal = bool::from(expected.ct_eq(&claimed));
        if equal && readable && key.is_some() {
            signer = credential.map(|credential| credential.merchant);
        }
    }
    signer
}

/// The key of a credential that can sign.
pub(crate) fn usable_key(credential: &Credential) -> Option<&str> {
    credential.secrets.get(API_KEY).map(Secret::reveal).filter(|key| !key.is_empty())
}

fn digest(username: &str, api_key: &str, what: &str) -> [u8; 16] {
    Md5::new().chain_update(username).chain_update(api_key).chain_update(what).finalize().into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::ProtocolName;
    use proptest::prelude::*;

    use super::*;

    const USERNAME: &str = "081200001111";
    const KEY: &str = "9f1c2ab34de5f678";

    fn credential(serial: u32, key: Option<&str>) -> Arc<Credential> {
        let secrets = key.map(|key| (API_KEY.to_owned(), Secret::new(key)));
        Arc::new(Credential {
            merchant: MerchantId(7),
            protocol: ProtocolName::new("iak"),
            identifier: USERNAME.to_owned(),
            serial,
            secrets: BTreeMap::from_iter(secrets),
            expires_at: None,
            revoked_at: None,
        })
    }

    /// The vectors of section 3.
    #[test]
    fn the_references_own_signatures_come_out() {
        let table = [
            ("bl", "1f12d9f309531c4a509518295812c760"),
            ("pl", "d73e809ef077098d52aa86665ec9e558"),
            ("op", "90e51d117774809c1fa7d5fcda06be94"),
            ("cs", "f68786152ed8daeacf129fc4a2cc87cd"),
            ("bc", "84463d15c26330cdddcdaa22e6a4144d"),
            ("INV2024000001", "3c2ffe91542e55f38a6ac806bca9e767"),
            ("50120001", "ec8e3654663ff591b665e501b1927b60"),
            ("12345678901", "1cd3b533a8cd0b7dddf8802d5cc5f7ea"),
            ("103", "9bff691a7f224b4d8c1f86c39a84302a"),
        ];
        for (what, expected) in table {
            assert_eq!(sign(USERNAME, KEY, what), expected, "{what}");
            let live = [credential(1, Some(KEY))];
            let upper = expected.to_uppercase();
            assert_eq!(signer(&live, USERNAME, what, expected), Some(MerchantId(7)), "{what}");
            assert_eq!(signer(&live, USERNAME, what, &upper), Some(MerchantId(7)), "{what}");
        }
    }

    #[test]
    fn both_keys_of_a_rotation_sign() {
        let live = [credential(1, Some(KEY)), credential(2, Some("0011223344556677"))];
        for key in [KEY, "0011223344556677"] {
            let given = sign(USERNAME, key, "cs");
            assert_eq!(signer(&live, USERNAME, "cs", &given), Some(MerchantId(7)));
        }
        let retired = sign(USERNAME, "8899aabbccddeeff", "cs");
        assert_eq!(signer(&live, USERNAME, "cs", &retired), None);
    }

    #[test]
    fn nobody_signs_without_a_key_of_their_own() {
        let keyless = [credential(1, None), credential(2, Some(""))];
        for key in ["", NOBODYS_KEY] {
            let given = sign(USERNAME, key, "cs");
            assert_eq!(signer(&[], USERNAME, "cs", &given), None);
            assert_eq!(signer(&keyless, USERNAME, "cs", &given), None);
        }
    }

    #[test]
    fn only_a_whole_digest_is_a_signature() {
        let live = [credential(1, Some(KEY))];
        let right = sign(USERNAME, KEY, "cs");
        let spellings =
            ["".to_owned(), right[..31].to_owned(), format!("{right}0"), format!(" {right}")];
        for given in spellings {
            assert_eq!(signer(&live, USERNAME, "cs", &given), None, "{given:?}");
        }
    }

    proptest! {
        #[test]
        fn every_flipped_bit_is_refused(what in "[A-Za-z0-9._-]{1,64}", bit in 0_usize..128) {
            let live = [credential(1, Some(KEY))];
            let mut digest = digest(USERNAME, KEY, &what);
            digest[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(signer(&live, USERNAME, &what, &hex::encode(digest)), None);
        }
    }
}
