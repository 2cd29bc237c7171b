//! Times as feeds write them: RFC 3339 (`2026-11-21T10:15:30+07:00`), or `2026-11-21 10:15:30`, which
//! is meant in WIB, seven hours ahead of UTC.

use domain::Timestamp;
use jiff::civil::DateTime;
use jiff::tz;

const SPELLING: &str = "a time is written as 2026-11-21T10:15:30+07:00 or as 2026-11-21 10:15:30";
/// How many characters a time without fraction and zone has.
const PLAIN: usize = 19;
/// Its form: a zero stands for any digit.
const FORM: &[u8; PLAIN] = b"0000-00-00 00:00:00";
/// What is taken for the fraction where none is given: an order that was made within a second may
/// have been paid within the same one.
const END_OF_SECOND: i64 = 999;

/// Reads a time. One without a fraction stands for its whole second, of which the last millisecond is
/// taken.
pub(super) fn instant(text: &str) -> Result<Timestamp, &'static str> {
    let (plain, rest) = text.split_at_checked(PLAIN).ok_or(SPELLING)?;
    let has_form = plain.bytes().zip(FORM).all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        b' ' => matches!(byte, b' ' | b'T'),
        _ => byte == *form,
    });
    if !has_form {
        return Err(SPELLING);
    }
    let is_local = plain.as_bytes().get(10) == Some(&b' ');
    let (fraction, zone) = split_fraction(rest);
    let is_zone = match zone.as_bytes() {
        [] => is_local && fraction.is_none(),
        [b'Z'] => !is_local,
        [b'+' | b'-', hours @ .., b':', first, second] => {
            let digits = |bytes: &[u8]| bytes.len() == 2 && bytes.iter().all(u8::is_ascii_digit);
            !is_local && digits(hours) && digits(&[*first, *second])
        }
        _ => false,
    };
    if !is_zone || fraction == Some("") {
        return Err(SPELLING);
    }
    let parsed = if is_local {
        let civil = plain.parse::<DateTime>().ok();
        civil.and_then(|civil| tz::offset(7).to_timestamp(civil).ok())
    } else {
        text.parse::<jiff::Timestamp>().ok()
    };
    let milliseconds = parsed.ok_or("there is no such time")?.as_millisecond();
    let end = if fraction.is_none() { END_OF_SECOND } else { 0 };
    Ok(Timestamp::from_milliseconds(milliseconds.saturating_add(end)))
}

/// The digits behind a point, if there is one, and what follows.
fn split_fraction(text: &str) -> (Option<&str>, &str) {
    let Some(rest) = text.strip_prefix('.') else { return (None, text) };
    let end = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, zone) = rest.split_at(end);
    (Some(if digits.len() > 9 { "" } else { digits }), zone)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_spellings_are_read() {
        let table = [
            ("2026-06-01 10:15:30", 1_780_283_730_999),
            ("2026-06-01T10:15:30+07:00", 1_780_283_730_999),
            ("2026-06-01T03:15:30Z", 1_780_283_730_999),
            ("2026-06-01T03:15:30.000Z", 1_780_283_730_000),
            ("2026-06-01T03:15:30.123456789Z", 1_780_283_730_123),
            ("2026-05-31T20:15:30.5-07:00", 1_780_283_730_500),
            ("2026-06-01 00:00:00", 1_780_246_800_999),
        ];
        for (text, milliseconds) in table {
            let expected = Timestamp::from_milliseconds(milliseconds);
            assert_eq!(instant(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let table = [
            "",
            "2026-06-01",
            "01-06-2026 10:15:30",
            "2026/06/01 10:15:30",
            "2026-06-01 10:15",
            "2026-06-01 10:15:30Z",
            "2026-06-01 10:15:30+07:00",
            "2026-06-01 10:15:30.5",
            "2026-06-01T10:15:30",
            "2026-06-01t10:15:30z",
            "2026-06-01T10:15:30+0700",
            "2026-06-01T10:15:30+07",
            "2026-06-01T10:15:30.Z",
            "2026-06-01T10:15:30,5Z",
            "2026-06-01T10:15:30.1234567890Z",
            "2026-06-01T10:15:30+07:00[Asia/Jakarta]",
            "2026-06-01T10:15:30Z ",
            " 2026-06-01T10:15:30Z",
            "2026-02-29 10:15:30",
            "2026-13-01 10:15:30",
            "2026-06-01 24:00:00",
            "2026-06-01 10:60:00",
            "2026-06-01T10:15:30+99:00",
            "+002026-06-01T10:15:30Z",
            "1780283730",
            "２026-06-01 10:15:30",
        ];
        for text in table {
            assert!(instant(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in any::<String>(), close in "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}[.+-:Zé0-9]{0,8}") {
            let _ = (instant(&text), instant(&close));
        }
    }
}
