use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicU8, Ordering};

use proptest::prelude::*;

use super::*;

/// Bytes that are different each time and the same in every run.
#[derive(Default)]
struct Counting(AtomicU8);

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            *byte = self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn key(byte: u8) -> Key {
    Key([byte; KEY_BYTES])
}

/// A place where a secret is stored.
const PLACE: &str = "credential/iak/081299990000/1";

#[test]
fn what_was_sealed_opens_and_looks_different_each_time() {
    let (key, entropy) = (key(7), Counting::default());
    for secret in ["", "k", "9f1c2ab34de5f678", "é漢"] {
        let first = key.seal(&Secret::new(secret), PLACE, &entropy);
        let second = key.seal(&Secret::new(secret), PLACE, &entropy);
        assert_ne!(first, second);
        assert!(first.starts_with("v1:"));
        for sealed in [first, second] {
            assert_eq!(key.open(&sealed, PLACE).unwrap().expose(), secret);
        }
    }
}

/// The ciphertext and tag of draft-irtf-cfrg-xchacha-03, appendix A.3.1.
#[test]
fn the_cipher_is_the_published_one() {
    let key: [u8; KEY_BYTES] = std::array::from_fn(|index| 0x80 + u8::try_from(index).unwrap());
    let nonce: [u8; NONCE_BYTES] = std::array::from_fn(|index| 0x40 + u8::try_from(index).unwrap());
    let aad = hex::decode("50515253c0c1c2c3c4c5c6c7").unwrap();
    let text = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for \
                 the future, sunscreen would be it.";
    let payload = Payload { msg: text, aad: &aad };
    let sealed = Key(key).cipher().encrypt(&XNonce::from(nonce), payload).unwrap();
    assert_eq!(hex::encode(&sealed[..16]), "bd6d179d3e83d43b9576579493c0e939");
    assert_eq!(hex::encode(&sealed[text.len()..]), "c0875924c1c7987947deafd8780acf49");
}

#[test]
fn a_sealed_secret_opens_nowhere_else() {
    let entropy = Counting::default();
    let sealed = key(7).seal(&Secret::new("secret"), PLACE, &entropy);
    let elsewhere = [
        "credential/iak/081299990000/2",
        "credential/iak/081299990001/1",
        "credential/isikuota/081299990000/1",
        "credential/iak/081299990000/",
        "",
    ]
    .map(|place| key(7).open(&sealed, place).unwrap_err());
    assert_eq!(elsewhere, [OpenFault::Refused; 5]);
    let under_another_key = key(8).open(&sealed, PLACE).unwrap_err();
    assert_eq!(under_another_key, OpenFault::Refused);
}

#[test]
fn no_changed_byte_goes_unnoticed() {
    let entropy = Counting::default();
    let sealed = key(7).seal(&Secret::new("secret"), PLACE, &entropy);
    let bytes = URL_SAFE_NO_PAD.decode(sealed.strip_prefix(VERSION).unwrap()).unwrap();
    for index in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[index] ^= 1;
        let changed = format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(changed));
        assert_eq!(key(7).open(&changed, PLACE).unwrap_err(), OpenFault::Refused, "{index}");
    }
    for length in 0..bytes.len() {
        let cut = format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(&bytes[..length]));
        assert!(key(7).open(&cut, PLACE).is_err(), "{length}");
    }
}

#[test]
fn what_is_no_sealed_text_is_malformed() {
    for text in ["", "v1", "v1:", "v1:AAAA", "v1:$", "v2:AAAA", "V1:AAAA", "9f1c2ab34de5f678"] {
        let fault = key(7).open(text, PLACE).unwrap_err();
        assert_eq!(fault, OpenFault::Malformed, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_survives_and_no_foreign_text_opens(secret: String, foreign: String, name: String) {
        let entropy = Counting::default();
        let sealed = key(7).seal(&Secret::new(&*secret), &name, &entropy);
        let opened = key(7).open(&sealed, &name).unwrap();
        prop_assert_eq!(opened.expose(), secret.as_str());
        prop_assert!(key(7).open(&foreign, &name).is_err());
        let prefixed = format!("{VERSION}{foreign}");
        prop_assert!(key(7).open(&prefixed, &name).is_err());
    }
}

struct KeyFile(tempfile::TempDir);

impl KeyFile {
    fn write(text: &[u8], mode: u32) -> Self {
        let file = Self(tempfile::tempdir().unwrap());
        std::fs::write(file.path(), text).unwrap();
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
        file
    }

    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("lunas.key")
    }
}

#[test]
fn key_files_hold_hex_or_base64() {
    let bytes: [u8; KEY_BYTES] = std::array::from_fn(|index| u8::try_from(index * 7).unwrap());
    let (hexadecimal, base64) = (hex::encode(bytes), STANDARD.encode(bytes));
    let texts = [
        hexadecimal.clone(),
        hexadecimal.to_uppercase(),
        format!("{hexadecimal}\n"),
        base64.clone(),
        format!(" {base64}\r\n"),
    ];
    for text in texts {
        for mode in [0o600, 0o400] {
            let file = KeyFile::write(text.as_bytes(), mode);
            assert_eq!(Key::from_file(&file.path()).unwrap().0, bytes, "{text}");
        }
    }
}

#[test]
fn other_key_files_are_refused() {
    let table: [&[u8]; 7] =
        [b"", b"\n", b"abc", &[b'0'; 62], &[b'0'; 66], &[b'0'; 4096], &[0xff; 32]];
    for text in table {
        let file = KeyFile::write(text, 0o600);
        let fault = Key::from_file(&file.path()).unwrap_err();
        assert!(matches!(fault, KeyFault::Malformed(_)), "{fault}");
    }
}

#[test]
fn key_files_belong_to_their_owner_alone() {
    let text = "0".repeat(64);
    for mode in [0o640, 0o604, 0o620, 0o602, 0o644, 0o610, 0o601, 0o777] {
        let file = KeyFile::write(text.as_bytes(), mode);
        let path = file.path();
        let fault = Key::from_file(&path).unwrap_err().to_string();
        let path = path.display();
        let expected = format!(
            "{path}: has mode {mode:03o}, so that others may open it; run `chmod 600 {path}`"
        );
        assert_eq!(fault, expected);
    }
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let fault = Key::from_file(folder.path()).unwrap_err();
    assert!(matches!(fault, KeyFault::NotAFile(_)), "{fault}");
    let absent = folder.path().join("absent");
    let fault = Key::from_file(&absent).unwrap_err().to_string();
    assert!(fault.contains("openssl rand -hex 32 > ") && fault.contains("absent"), "{fault}");
}

#[test]
fn a_new_key_is_written_once_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lunas.key");
    let entropy = Counting::default();
    let (first, second) = (Key::generate(&entropy), Key::generate(&entropy));
    assert_ne!(first.0, second.0);
    first.write_new_file(&path).unwrap();
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
    let fault = second.write_new_file(&path).unwrap_err();
    assert!(matches!(fault, KeyFault::Unwritable(..)), "{fault}");
    assert_eq!(Key::from_file(&path).unwrap().0, first.0);
}

#[test]
fn neither_keys_nor_secrets_show_themselves() {
    let shown = format!("{:?} {:#?} {:?}", key(0xab), key(0xab), Secret::new("canary"));
    assert!(
        !shown.contains("canary") && !shown.contains("171") && !shown.contains("ab"),
        "{shown}"
    );
}

#[test]
fn the_store_seals_through_the_port() {
    let sealer = KeySealer { key: key(7), entropy: Arc::new(Counting::default()) };
    let sealed = sealer.seal("secret", PLACE);
    assert!(sealed.starts_with("v1:") && !sealed.contains("secret"));
    assert_eq!(sealer.open(&sealed, PLACE).as_deref(), Ok("secret"));
    for (text, place) in [(sealed.as_str(), ""), ("secret", PLACE), ("", PLACE)] {
        assert_eq!(sealer.open(text, place), Err(SealFault));
    }
}
