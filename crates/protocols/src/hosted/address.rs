//! Addresses that browsers may be sent to.

use http::{HeaderValue, Uri};

/// The longest address; browsers and proxies take no longer ones for certain.
const LENGTH_MAX: usize = 2048;

/// Whether a text is an absolute `http` or `https` address without anything that would break a header.
pub(crate) fn is_address(text: &str) -> bool {
    let plain = !text.chars().any(|it| it.is_control() || it.is_whitespace() || it == '\\');
    let scheme = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https"));
    let host = |uri: &Uri| uri.host().is_some_and(|host| !host.is_empty());
    plain
        && text.len() <= LENGTH_MAX
        && text.parse().is_ok_and(|uri: Uri| scheme(&uri) && host(&uri))
}

/// The address as a header has it: as it is, but for characters beyond ASCII, which browsers would
/// otherwise read in whatever way.
pub(super) fn location(address: &str) -> Option<HeaderValue> {
    let mut text = String::with_capacity(address.len());
    for byte in address.bytes() {
        if byte.is_ascii_graphic() {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_absolute_addresses_for_browsers_count() {
        let long = format!("https://shop.example/{}", "x".repeat(LENGTH_MAX));
        let table = [
            ("https://shop.example/orders/123?x=1", true),
            ("http://127.0.0.1:8080", true),
            ("HTTPS://shop.example", true),
            ("https://shop.example/?q=é#done", true),
            ("http://[::1]/", true),
            ("shop.example", false),
            ("//shop.example", false),
            ("/orders", false),
            ("javascript:alert(1)", false),
            ("javascript://shop.example/%0aalert(1)", false),
            ("data:text/html,x", false),
            ("ftp://shop.example", false),
            ("https://", false),
            ("https:///path", false),
            ("https:shop.example", false),
            (" https://shop.example", false),
            ("https://shop.example/\r\nSet-Cookie: a=b", false),
            ("https://shop.example/a b", false),
            ("https:\\\\shop.example", false),
            ("", false),
            (&long, false),
        ];
        for (text, expected) in table {
            assert_eq!(is_address(text), expected, "{text}");
        }
    }

    #[test]
    fn an_address_stays_as_it_is() {
        let table = [
            ("https://shop.example/orders/123?x=1", "https://shop.example/orders/123?x=1"),
            ("https://shop.example/é", "https://shop.example/%C3%A9"),
        ];
        for (address, expected) in table {
            assert_eq!(location(address).expect("a value"), expected);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_an_address_goes_into_a_header(path in "\\PC{0,20}") {
            let address = format!("https://shop.example/{path}");
            if is_address(&address) {
                let value = location(&address).expect("a value");
                prop_assert!(value.to_str().is_ok_and(|it| it.starts_with("https://shop.example/")));
            }
        }
    }
}
