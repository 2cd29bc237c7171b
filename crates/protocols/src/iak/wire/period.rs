//! Spans and times as the wire writes them (IAK reference, sections 2.5, 6.0 and 6.14).

use domain::{Period, Timestamp, YearMonth};
use jiff::tz;

use crate::months::indonesian;

/// How a product writes the span of its bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Not at all.
    Nothing,
    /// `202401`; several joined by commas.
    YearMonth,
    /// `202311,202401`: the first and the last of several.
    FirstAndLast,
    /// `0124`.
    MonthYear,
    /// `JAN 24`.
    ShortName,
    /// A count of months in two digits, `02`.
    PaddedCount,
    /// A count of months, `2`.
    Count,
}

/// The span of a bill. A product writes months, counts and instalments in its own style; what its
/// style has no form for is written plainly, and a supplier's text stays as it is.
pub(crate) fn period(style: Style, period: &Period) -> String {
    match (style, period) {
        (Style::Nothing, _) | (_, Period::None) => String::new(),
        (Style::PaddedCount, Period::MonthCount(count)) => format!("{count:02}"),
        (_, Period::MonthCount(count)) => count.to_string(),
        (_, Period::Instalment(number)) => format!("{number:03}"),
        (_, Period::Text(text)) => text.clone(),
        (Style::FirstAndLast, Period::Months(months)) => match months.as_slice() {
            [first, .., last] => format!("{},{}", year_month(*first), year_month(*last)),
            months => joined(months, year_month),
        },
        (Style::MonthYear, Period::Months(months)) => joined(months, month_year),
        (Style::ShortName, Period::Months(months)) => {
            joined(months, |month| format!("{} {:02}", indonesian(month.month), month.year % 100))
        }
        (Style::YearMonth | Style::PaddedCount | Style::Count, Period::Months(months)) => {
            joined(months, year_month)
        }
    }
}

fn joined(months: &[YearMonth], write: impl Fn(YearMonth) -> String) -> String {
    months.iter().map(|month| write(*month)).collect::<Vec<_>>().join(",")
}

fn year_month(month: YearMonth) -> String {
    format!("{:04}{:02}", month.year, month.month)
}

fn month_year(month: YearMonth) -> String {
    format!("{:02}{:02}", month.month, month.year % 100)
}

/// The month of a single bill, which details give as `YYYYMM`, as `JAN 2024`. Anything else stays as
/// it is.
pub(crate) fn long_name(text: &str) -> String {
    named(text, |year, month| format!("{} {year:04}", indonesian(month)))
}

/// The month of a single bill, which details give as `YYYYMM`, as `JAN 24`. Anything else stays as
/// it is.
pub(crate) fn short_name(text: &str) -> String {
    named(text, |year, month| format!("{} {:02}", indonesian(month), year % 100))
}

fn named(text: &str, write: impl FnOnce(u16, u8) -> String) -> String {
    let year_month = (text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.split_at_checked(4))
        .flatten()
        .and_then(|(year, month)| Some((year.parse().ok()?, month.parse().ok()?)))
        .filter(|(_, month)| (1..=12).contains(month));
    year_month.map_or_else(|| text.to_owned(), |(year, month)| write(year, month))
}

/// An instant as `YmdHis` in Asia/Jakarta; empty for one that no calendar has. That zone has been
/// seven hours ahead of UTC throughout the API's life, so no zone database is asked.
pub(crate) fn datetime(at: Timestamp) -> String {
    written(at, "%Y%m%d%H%M%S")
}

/// `2024-01-31 15:45:00`, on the clock of Asia/Jakarta (section 7.11).
pub(crate) fn date_and_time(at: Timestamp) -> String {
    written(at, "%Y-%m-%d %H:%M:%S")
}

fn written(at: Timestamp, form: &str) -> String {
    let Ok(at) = jiff::Timestamp::from_millisecond(at.milliseconds()) else {
        return String::new();
    };
    tz::offset(7).to_datetime(at).strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months(months: &[(u16, u8)]) -> Period {
        Period::Months(
            months.iter().map(|(year, month)| YearMonth { year: *year, month: *month }).collect(),
        )
    }

    #[test]
    fn each_style_has_its_form() {
        let one = months(&[(2024, 1)]);
        let three = months(&[(2023, 11), (2023, 12), (2024, 1)]);
        let text = Period::Text("0,1".to_owned());
        let table = [
            (Style::Nothing, &three, ""),
            (Style::Nothing, &text, ""),
            (Style::YearMonth, &Period::None, ""),
            (Style::YearMonth, &one, "202401"),
            (Style::YearMonth, &three, "202311,202312,202401"),
            (Style::YearMonth, &months(&[]), ""),
            (Style::YearMonth, &text, "0,1"),
            (Style::YearMonth, &Period::Instalment(5), "005"),
            (Style::FirstAndLast, &one, "202401"),
            (Style::FirstAndLast, &three, "202311,202401"),
            (Style::FirstAndLast, &months(&[]), ""),
            (Style::MonthYear, &one, "0124"),
            (Style::ShortName, &months(&[(2012, 5)]), "MEI 12"),
            (Style::PaddedCount, &Period::MonthCount(2), "02"),
            (Style::Count, &Period::MonthCount(2), "2"),
        ];
        for (style, span, expected) in table {
            assert_eq!(period(style, span), expected, "{style:?} {span:?}");
        }
    }

    #[test]
    fn single_months_are_named() {
        let table = [
            ("202401", "JAN 2024", "JAN 24"),
            ("201408", "AGU 2014", "AGU 14"),
            ("202413", "202413", "202413"),
            ("MEI2014", "MEI2014", "MEI2014"),
            ("२०२४", "२०२४", "२०२४"),
            ("", "", ""),
        ];
        for (text, long, short) in table {
            assert_eq!((long_name(text).as_str(), short_name(text).as_str()), (long, short));
        }
    }

    #[test]
    fn times_are_those_of_jakarta() {
        let at = |milliseconds| datetime(Timestamp::from_milliseconds(milliseconds));
        assert_eq!(at(1_706_690_700_000), "20240131154500");
        assert_eq!(at(1_706_720_399_999), "20240131235959");
        assert_eq!(at(1_706_720_400_000), "20240201000000");
        assert_eq!(at(i64::MAX), "");
    }
}
