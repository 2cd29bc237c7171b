//! Amounts, instants and durations as people in Indonesia or elsewhere read them.
//!
//! Amounts come and stay as decimal digits; no float touches them. Instants are shown in Western
//! Indonesia Time.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::language::Language;

/// Western Indonesia Time is seven hours ahead of UTC all year.
const WESTERN_INDONESIA: Offset = Offset::constant(7);

const MONTHS: [(&str, &str); 12] = [
    ("Jan", "Jan"),
    ("Feb", "Feb"),
    ("Mar", "Mar"),
    ("Apr", "Apr"),
    ("Mei", "May"),
    ("Jun", "Jun"),
    ("Jul", "Jul"),
    ("Agu", "Aug"),
    ("Sep", "Sep"),
    ("Okt", "Oct"),
    ("Nov", "Nov"),
    ("Des", "Dec"),
];

/// Decimal digits, perhaps behind a minus, as an amount of money: `Rp151.900`, `THB 1,234.50`.
pub(super) fn money(digits: &str, currency: &str, language: Language) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    let (whole, decimals) =
        digits.split_once('.').map_or((digits, None), |(whole, decimals)| (whole, Some(decimals)));
    let (thousands, point) =
        if currency == "IDR" || language == Language::Id { ('.', ',') } else { (',', '.') };
    let mut text = match currency {
        "IDR" => format!("{sign}Rp"),
        _ => format!("{sign}{currency} "),
    };
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.chars().count() - index).is_multiple_of(3) {
            text.push(thousands);
        }
        text.push(digit);
    }
    if let Some(decimals) = decimals {
        text.push(point);
        text.push_str(decimals);
    }
    text
}

/// Whether an amount is nothing.
pub(super) fn is_zero(digits: &str) -> bool {
    digits.bytes().all(|byte| matches!(byte, b'0' | b'.' | b'-'))
}

/// An instant as it was answered, in milliseconds; none if it is none.
pub(super) fn parsed(instant: &str) -> Option<i64> {
    instant.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// An instant on the clocks of western Indonesia: `21 Nov 2026 15.59.51`. A text that is no instant
/// is shown as it is.
pub(super) fn clock(instant: &str, language: Language) -> String {
    let Ok(parsed) = instant.parse::<Timestamp>() else { return instant.to_owned() };
    let there = parsed.to_zoned(TimeZone::fixed(WESTERN_INDONESIA));
    let month = usize::try_from(there.month()).ok().and_then(|it| MONTHS.get(it.checked_sub(1)?));
    let (indonesian, english) = month.copied().unwrap_or_default();
    let point = language.choose(".", ":");
    format!(
        "{} {} {} {:02}{point}{:02}{point}{:02}",
        there.day(),
        language.choose(indonesian, english),
        there.year(),
        there.hour(),
        there.minute(),
        there.second()
    )
}

/// A duration in the largest unit of which there is one.
pub(super) fn duration(microseconds: u64, language: Language) -> String {
    match microseconds {
        0..1_000 => format!("{microseconds} µs"),
        1_000..1_000_000 => format!("{} ms", microseconds / 1_000),
        _ => format!("{} {}", microseconds / 1_000_000, language.choose("detik", "s")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_grouped_by_thousands() {
        let table = [
            ("0", "IDR", "Rp0", "Rp0"),
            ("150", "IDR", "Rp150", "Rp150"),
            ("151900", "IDR", "Rp151.900", "Rp151.900"),
            ("100000000", "IDR", "Rp100.000.000", "Rp100.000.000"),
            ("-5000", "IDR", "-Rp5.000", "-Rp5.000"),
            ("1234.50", "THB", "THB 1.234,50", "THB 1,234.50"),
        ];
        for (digits, currency, indonesian, english) in table {
            assert_eq!(money(digits, currency, Language::Id), indonesian);
            assert_eq!(money(digits, currency, Language::En), english);
        }
        assert!(is_zero("0") && is_zero("0.00") && !is_zero("-5"));
    }

    #[test]
    fn instants_are_shown_in_western_indonesia() {
        let table = [
            ("2026-11-21T08:59:51.786Z", "21 Nov 2026 15.59.51", "21 Nov 2026 15:59:51"),
            ("2026-05-31T17:00:00Z", "1 Jun 2026 00.00.00", "1 Jun 2026 00:00:00"),
            ("2026-05-01T00:00:00Z", "1 Mei 2026 07.00.00", "1 May 2026 07:00:00"),
            ("nonsense", "nonsense", "nonsense"),
        ];
        for (instant, indonesian, english) in table {
            assert_eq!(clock(instant, Language::Id), indonesian);
            assert_eq!(clock(instant, Language::En), english);
        }
    }

    #[test]
    fn durations_have_one_unit() {
        let table = [(999, "999 µs"), (12_345, "12 ms"), (25_000_000, "25 detik")];
        for (microseconds, shown) in table {
            assert_eq!(duration(microseconds, Language::Id), shown);
        }
    }
}
