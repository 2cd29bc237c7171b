//! What is kept of a receiver's answer.

use std::time::{Duration, SystemTime};

use domain::Masked;
use http::{HeaderMap, header};

/// How many bytes of the body are shown.
const EXCERPT_BYTES: usize = 256;
/// How many digits in a row could be a customer's number or a key.
const DIGITS_MIN: usize = 8;

/// Whether a character can be shown: it neither steers a terminal nor turns the writing around.
pub(super) fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
}

/// The first bytes of a body as a text that may be kept and shown: one line, without controls, with
/// long runs of digits masked.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let shown = body.get(..EXCERPT_BYTES).unwrap_or(body);
    let mut text = String::with_capacity(shown.len());
    for chunk in shown.utf8_chunks() {
        text.extend(chunk.valid().chars().map(|it| if is_harmless(it) { it } else { ' ' }));
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    masked(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn masked(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find(|it: char| it.is_ascii_digit()) {
        let (before, from) = rest.split_at(begin);
        let end = from.find(|it: char| !it.is_ascii_digit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        result.push_str(before);
        if digits.len() >= DIGITS_MIN {
            result.push_str(&Masked(digits).to_string());
        } else {
            result.push_str(digits);
        }
        rest = after;
    }
    result.push_str(rest);
    result
}

/// How long a receiver asks us to wait (RFC 9110, section 10.2.3). A date is compared with the
/// receiver's own clock where the answer tells it, because that is the clock it was made with.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|it| it.to_str().ok()).map(str::trim);
    let wanted = text(header::RETRY_AFTER)?;
    if wanted.bytes().all(|byte| byte.is_ascii_digit()) {
        return wanted.parse().ok().map(Duration::from_secs);
    }
    let until = httpdate::parse_http_date(wanted).ok()?;
    let told = text(header::DATE).and_then(|date| httpdate::parse_http_date(date).ok());
    until.duration_since(told.unwrap_or(now)).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_excerpt_is_short_and_shows_no_numbers() {
        let table: [(&[u8], &str); 7] = [
            (b"", ""),
            (b"OK\r\n", "OK"),
            (b"a\x1b[31mb\0c", "a [31mb c"),
            (b"{\"hp\":\"081234567345\"}", "{\"hp\":\"0812****345\"}"),
            (b"id 1234567 of 12345678", "id 1234567 of ****"),
            (b"\xff\xfe x", "\u{fffd}\u{fffd} x"),
            ("a\u{202e}b".as_bytes(), "a b"),
        ];
        for (body, shown) in table {
            assert_eq!(excerpt(body), shown, "{body:?}");
        }
        assert_eq!(excerpt(&[b'a'; 5000]).len(), EXCERPT_BYTES);
    }

    proptest! {
        #[test]
        fn an_excerpt_is_harmless(body: Vec<u8>) {
            let text = excerpt(&body);
            prop_assert!(text.chars().all(is_harmless));
            prop_assert!(text.chars().count() <= EXCERPT_BYTES * 2);
        }
    }

    #[test]
    fn receivers_may_put_off_by_seconds_or_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let table = [
            ("120", None, Some(120)),
            ("0", None, Some(0)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", None, Some(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", None, Some(60)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", Some("Sun, 06 Nov 1994 08:50:07 GMT"), Some(30)),
            ("Sun, 06 Nov 1994 08:49:00 GMT", None, None),
            ("-1", None, None),
            ("", None, None),
            ("soon", None, None),
            ("99999999999999999999999", None, None),
        ];
        for (wanted, date, seconds) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static(wanted));
            if let Some(date) = date {
                headers.insert(header::DATE, HeaderValue::from_static(date));
            }
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(retry_after(&headers, now), expected, "{wanted} {date:?}");
        }
    }
}
