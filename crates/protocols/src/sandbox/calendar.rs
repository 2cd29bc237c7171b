//! Months and instants in Asia/Jakarta, as the sandbox's bills and its book need them.
//!
//! Everything is total: an instant or a month beyond the calendar is moved to its nearest end
//! instead of failing, since no bill depends on it.

use domain::{Timestamp, YearMonth};
use jiff::civil::{self, DateTime};
use jiff::tz::{Offset, TimeZone};

/// Asia/Jakarta has kept this offset without summer time since 1964.
const JAKARTA: Offset = Offset::constant(7);
const MONTHS_PER_YEAR: u32 = 12;

fn instant(at: Timestamp) -> jiff::Timestamp {
    let nearest = if at.milliseconds() < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
    jiff::Timestamp::from_millisecond(at.milliseconds()).unwrap_or(nearest)
}

fn local(at: Timestamp) -> DateTime {
    JAKARTA.to_datetime(instant(at))
}

/// The month in which this instant lies.
pub(super) fn month_of(at: Timestamp) -> YearMonth {
    let local = local(at);
    YearMonth {
        year: u16::try_from(local.year()).unwrap_or(0),
        month: u8::try_from(local.month()).unwrap_or(1),
    }
}

/// Months since January of the year 0.
pub(super) fn ordinal(month: YearMonth) -> u32 {
    u32::from(month.year) * MONTHS_PER_YEAR + u32::from(month.month.saturating_sub(1))
}

fn from_ordinal(ordinal: u32) -> YearMonth {
    YearMonth {
        year: u16::try_from(ordinal / MONTHS_PER_YEAR).unwrap_or(u16::MAX),
        month: u8::try_from(ordinal % MONTHS_PER_YEAR + 1).unwrap_or(1),
    }
}

/// The month so many months earlier.
pub(super) fn earlier(month: YearMonth, months: u32) -> YearMonth {
    from_ordinal(ordinal(month).saturating_sub(months))
}

/// The month so many months later.
pub(super) fn later(month: YearMonth, months: u32) -> YearMonth {
    from_ordinal(ordinal(month).saturating_add(months))
}

/// So many months in a row, oldest first, the last of them being `last`.
pub(super) fn ending_with(last: YearMonth, count: u32) -> Vec<YearMonth> {
    (0..count).rev().map(|back| earlier(last, back)).collect()
}

/// The month as `YYYYMM`.
pub(super) fn digits(month: YearMonth) -> String {
    format!("{:04}{:02}", month.year, month.month)
}

/// The month written as `YYYYMM`; `None` for any other text.
pub(super) fn from_digits(digits: &str) -> Option<YearMonth> {
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, month) = digits.split_at(4);
    let month = month.parse().ok().filter(|month| (1..=12).contains(month))?;
    Some(YearMonth { year: year.parse().ok()?, month })
}

/// The English abbreviation of the month's name.
pub(super) fn english(month: YearMonth) -> &'static str {
    match month.month {
        1 => "Jan",
        2 => "Feb",
        3 => "Mar",
        4 => "Apr",
        5 => "May",
        6 => "Jun",
        7 => "Jul",
        8 => "Aug",
        9 => "Sep",
        10 => "Oct",
        11 => "Nov",
        _ => "Dec",
    }
}

/// The instant as people in Jakarta write it, to the millisecond: `2024-01-31T15:45:00.000+07:00`.
pub(super) fn written(at: Timestamp) -> String {
    let zoned = instant(at).to_zoned(TimeZone::fixed(JAKARTA));
    format!("{:.3}+07:00", zoned.datetime())
}

/// The instant written like that; `None` for any other text.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    let local: civil::DateTime = text.strip_suffix("+07:00")?.parse().ok()?;
    let zoned = local.to_zoned(TimeZone::fixed(JAKARTA)).ok()?;
    Some(Timestamp::from_milliseconds(zoned.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const JANUARY: YearMonth = YearMonth { year: 2024, month: 1 };

    #[test]
    fn the_month_turns_at_midnight_in_jakarta() {
        // 2024-01-31T17:00:00Z is midnight, 1 February, in Jakarta.
        let midnight = 1_706_720_400_000;
        assert_eq!(month_of(Timestamp::from_milliseconds(midnight - 1)), JANUARY);
        let february = YearMonth { year: 2024, month: 2 };
        assert_eq!(month_of(Timestamp::from_milliseconds(midnight)), february);
    }

    #[test]
    fn months_cross_the_year() {
        assert_eq!(earlier(JANUARY, 1), YearMonth { year: 2023, month: 12 });
        assert_eq!(later(JANUARY, 12), YearMonth { year: 2025, month: 1 });
        let row: Vec<_> = ending_with(JANUARY, 3).into_iter().map(digits).collect();
        assert_eq!(from_digits("202401"), Some(JANUARY));
        for text in ["", "20240", "202413", "202400", "2024001", "+02401", "20240١"] {
            assert_eq!(from_digits(text), None, "{text}");
        }
        assert_eq!(row, ["202311", "202312", "202401"]);
    }

    #[test]
    fn instants_are_written_for_people() {
        let at = Timestamp::from_milliseconds(1_706_690_700_007);
        assert_eq!(written(at), "2024-01-31T15:45:00.007+07:00");
        assert_eq!(read("2024-01-31T15:45:00.007+07:00"), Some(at));
        for text in ["", "2024-01-31T15:45:00.007Z", "2024-01-32T00:00:00+07:00", "+07:00"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_instant_and_no_month_is_too_far(milliseconds: i64, year: u16, month: u8, count: u32) {
            let at = Timestamp::from_milliseconds(milliseconds);
            prop_assert!((1..=12).contains(&month_of(at).month));
            let month = YearMonth { year, month };
            prop_assert!((1..=12).contains(&earlier(month, count).month));
            prop_assert!((1..=12).contains(&later(month, count).month));
            let _ = (written(at), english(month));
        }

        #[test]
        fn written_instants_are_read_back(milliseconds in -60_000_000_000_000_i64..200_000_000_000_000) {
            let at = Timestamp::from_milliseconds(milliseconds);
            prop_assert_eq!(read(&written(at)), Some(at));
        }
    }
}
