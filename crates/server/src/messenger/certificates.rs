//! What can be read of a certificate for people: its subject, its issuer, and how long it is valid.
//!
//! It decides nothing; whether a certificate is to be trusted is decided by the TLS library. So it
//! reads only as much of X.509 (RFC 5280, section 4.1) as it shows, and gives up on anything else.
//! The bytes come from a stranger: nothing here panics or copies more than what it shows.

use std::fmt::Write as _;

/// How many characters of a name are shown.
const NAME_MAX: usize = 120;

/// What a certificate says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CertificateFacts {
    /// Whom it is for, such as `CN=shop.example, O=Toko`.
    pub(crate) subject: String,
    /// Who issued it.
    pub(crate) issuer: String,
    /// From when on it is valid, by RFC 3339.
    pub(crate) not_before: String,
    /// Until when, by RFC 3339.
    pub(crate) not_after: String,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const BMP_STRING: u8 = 0x1e;
/// The version, which is left out of the oldest certificates.
const VERSION: u8 = 0xa0;

/// The parts of a name that are shown, by the encodings of their identifiers.
const SHOWN: [(&[u8], &str); 3] =
    [(&[0x55, 4, 3], "CN"), (&[0x55, 4, 10], "O"), (&[0x55, 4, 6], "C")];

/// Elements of DER, one after the other.
#[derive(Clone, Copy)]
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The next element: its tag and its content.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            short @ 0..=0x7f => (usize::from(*short), rest),
            // Four bytes of length are more than any certificate has.
            0x81..=0x84 => {
                let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (bytes.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte)), rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((*tag, content))
    }

    /// The content of the next element, which has to have this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }
}

impl CertificateFacts {
    /// Reads a certificate in DER; none if it is not one.
    pub(crate) fn read(der: &[u8]) -> Option<Self> {
        let mut certificate = Elements(Elements(der).take(SEQUENCE)?);
        let mut content = Elements(certificate.take(SEQUENCE)?);
        let mut after_version = content;
        if after_version.take(VERSION).is_some() {
            content = after_version;
        }
        content.take(INTEGER)?;
        content.take(SEQUENCE)?;
        let issuer = name(content.take(SEQUENCE)?)?;
        let mut validity = Elements(content.take(SEQUENCE)?);
        let (not_before, not_after) = (time(validity.next()?)?, time(validity.next()?)?);
        let subject = name(content.take(SEQUENCE)?)?;
        Some(Self { subject, issuer, not_before, not_after })
    }
}

fn name(content: &[u8]) -> Option<String> {
    let mut text = String::new();
    let mut sets = Elements(content);
    while let Some((tag, set)) = sets.next() {
        let mut attributes = Elements(Some(set).filter(|_| tag == SET)?);
        while let Some(attribute) = attributes.take(SEQUENCE) {
            let mut attribute = Elements(attribute);
            let identifier = attribute.take(OBJECT_IDENTIFIER)?;
            let (kind, value) = attribute.next()?;
            let shown = SHOWN.iter().find(|(known, _)| *known == identifier);
            if let Some((_, label)) = shown {
                let separator = if text.is_empty() { "" } else { ", " };
                // Writing into a string cannot fail.
                let _ = write!(text, "{separator}{label}={}", words(kind, value));
            }
        }
    }
    Some(text)
}

fn words(kind: u8, value: &[u8]) -> String {
    let text = if kind == BMP_STRING {
        let units = value.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        char::decode_utf16(units).map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
    } else {
        String::from_utf8_lossy(value).into_owned()
    };
    text.chars().filter(|it| super::answer::is_harmless(*it)).take(NAME_MAX).collect()
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` (RFC 5280, section 4.1.2.5).
fn time((kind, value): (u8, &[u8])) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?.strip_suffix('Z')?;
    let whole = match kind {
        UTC_TIME => {
            let year: u8 = text.get(..2)?.parse().ok()?;
            format!("{}{text}", if year < 50 { "20" } else { "19" })
        }
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    if whole.len() != 14 || !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, until: usize| whole.get(from..until);
    Some(format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?
    ))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    use super::*;

    fn certificate() -> Vec<u8> {
        let mut params = CertificateParams::new(["shop.example".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "shop.example");
        params.distinguished_name.push(DnType::OrganizationName, "Toko Ä");
        params.not_before = date_time_ymd(2024, 2, 29);
        params.not_after = date_time_ymd(2055, 12, 31);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn a_certificate_says_whom_it_is_for_and_until_when() {
        let facts = CertificateFacts::read(&certificate()).unwrap();
        for part in ["CN=shop.example", "O=Toko Ä"] {
            assert!(facts.subject.contains(part), "{facts:?}");
        }
        assert_eq!(facts.issuer, facts.subject);
        let validity = (facts.not_before.as_str(), facts.not_after.as_str());
        assert_eq!(validity, ("2024-02-29T00:00:00Z", "2055-12-31T00:00:00Z"));
    }

    #[test]
    fn a_part_of_a_certificate_is_none() {
        let whole = certificate();
        for length in 0..whole.len() {
            assert_eq!(CertificateFacts::read(&whole[..length]), None, "{length}");
        }
    }

    proptest! {
        #[test]
        fn broken_certificates_break_nothing(at: prop::sample::Index, bits in 1_u8..) {
            let mut bytes = certificate();
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
            let _ = CertificateFacts::read(&bytes);
        }

        #[test]
        fn other_bytes_break_nothing(bytes: Vec<u8>) {
            let _ = CertificateFacts::read(&bytes);
        }
    }
}
