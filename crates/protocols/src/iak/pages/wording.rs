//! How money, times and spans are written for people in Indonesia.

use domain::{Amount, Currency, Period, Timestamp, YearMonth};
use jiff::civil::DateTime;
use jiff::tz;

/// `Rp 50.000`: a dot between thousands (IAK reference, section 5.5). Another currency has its code
/// in front and a comma before its decimals.
pub(super) fn money(amount: Amount) -> String {
    let symbol = match amount.currency() {
        Currency::Idr => "Rp",
        other => other.code(),
    };
    let digits = amount.to_string();
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits.as_str(), None),
    };
    let mut text = format!("{symbol} ");
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.extend([",", fraction]);
    }
    text
}

/// An instant on the calendar and clock of Asia/Jakarta, which has been seven hours ahead of UTC
/// throughout the API's life; none for one that no calendar has.
fn local(at: Timestamp) -> Option<DateTime> {
    let at = jiff::Timestamp::from_millisecond(at.milliseconds()).ok()?;
    Some(tz::offset(7).to_datetime(at))
}

/// `2024-01-31 15:45:00` (IAK reference, section 5.5).
pub(super) fn time(at: Timestamp) -> String {
    local(at).map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// `31 JAN 2024`.
pub(super) fn date(at: Timestamp) -> String {
    local(at).map_or_else(String::new, |at| {
        let month = u8::try_from(at.month()).unwrap_or(0);
        format!("{:02} {} {:04}", at.day(), month_name(month), at.year())
    })
}

/// `JAN 2024`.
pub(super) fn month(month: YearMonth) -> String {
    format!("{} {:04}", month_name(month.month), month.year)
}

/// The months that a text of the form `YYYYMM` names, several separated by commas, as `JAN 2024`.
/// Any other text stays as it is.
pub(super) fn month_of_digits(text: &str) -> String {
    let named = |part: &str| {
        let (year, month) = all_digits(part, 6)?.split_at_checked(4)?;
        let read = YearMonth { year: year.parse().ok()?, month: month.parse().ok()? };
        (1..=12).contains(&read.month).then(|| self::month(read))
    };
    let parts: Option<Vec<_>> = text.split(',').map(named).collect();
    parts.map_or_else(|| text.to_owned(), |parts| parts.join(", "))
}

/// The day that a text of the form `YYYYMMDD` names, or the two days of one of the form
/// `YYYYMMDD-YYYYMMDD`, as `31-01-2024`. Any other text stays as it is.
pub(super) fn day_of_digits(text: &str) -> String {
    let named = |part: &str| {
        let (year, rest) = all_digits(part, 8)?.split_at_checked(4)?;
        let (month, day) = rest.split_at_checked(2)?;
        Some(format!("{day}-{month}-{year}"))
    };
    let parts: Option<Vec<_>> = text.split('-').map(named).collect();
    parts.map_or_else(|| text.to_owned(), |parts| parts.join(" s/d "))
}

fn all_digits(text: &str, length: usize) -> Option<&str> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}

/// What a bill covers; empty where nothing is given.
pub(super) fn period(period: &Period) -> String {
    match period {
        Period::None => String::new(),
        Period::Months(months) => months.iter().map(|it| month(*it)).collect::<Vec<_>>().join(", "),
        Period::MonthCount(count) => format!("{count} BULAN"),
        Period::Instalment(number) => format!("ANGSURAN KE-{number}"),
        Period::Text(text) => day_of_digits(text),
    }
}

/// Indonesian abbreviations.
const fn month_name(month: u8) -> &'static str {
    match month {
        1 => "JAN",
        2 => "FEB",
        3 => "MAR",
        4 => "APR",
        5 => "MEI",
        6 => "JUN",
        7 => "JUL",
        8 => "AGU",
        9 => "SEP",
        10 => "OKT",
        11 => "NOV",
        _ => "DES",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_have_dots() {
        let table = [
            (0, Currency::Idr, "Rp 0"),
            (999, Currency::Idr, "Rp 999"),
            (2500, Currency::Idr, "Rp 2.500"),
            (50_000, Currency::Idr, "Rp 50.000"),
            (1_234_567, Currency::Idr, "Rp 1.234.567"),
            (i64::MAX, Currency::Idr, "Rp 9.223.372.036.854.775.807"),
            (123_456, Currency::Thb, "THB 1.234,56"),
        ];
        for (minor, currency, expected) in table {
            let amount = Amount::new(minor, currency).expect("not negative");
            assert_eq!(money(amount), expected);
        }
    }

    #[test]
    fn times_are_those_of_jakarta() {
        let at = Timestamp::from_milliseconds;
        assert_eq!(time(at(1_706_690_700_000)), "2024-01-31 15:45:00");
        assert_eq!(time(at(1_706_720_400_000)), "2024-02-01 00:00:00");
        assert_eq!(date(at(1_706_720_400_000)), "01 FEB 2024");
        assert_eq!((time(at(i64::MAX)), date(at(i64::MIN))), (String::new(), String::new()));
    }

    #[test]
    fn texts_that_are_no_dates_stay_as_they_are() {
        let months = [
            ("202401", "JAN 2024"),
            ("202312,202401", "DES 2023, JAN 2024"),
            ("202413", "202413"),
            ("202400", "202400"),
            ("MEI 12", "MEI 12"),
            ("", ""),
            ("२०", "२०"),
        ];
        for (text, expected) in months {
            assert_eq!(month_of_digits(text), expected);
        }
        let days = [
            ("20250131", "31-01-2025"),
            ("20240131-20250131", "31-01-2024 s/d 31-01-2025"),
            ("01-02-2024", "01-02-2024"),
            ("0,1", "0,1"),
            ("", ""),
        ];
        for (text, expected) in days {
            assert_eq!(day_of_digits(text), expected);
        }
    }

    #[test]
    fn spans_are_named() {
        let months = |months: &[(u16, u8)]| {
            let months =
                months.iter().map(|(year, month)| YearMonth { year: *year, month: *month });
            Period::Months(months.collect())
        };
        let table = [
            (Period::None, ""),
            (months(&[(2023, 12), (2024, 1)]), "DES 2023, JAN 2024"),
            (Period::MonthCount(2), "2 BULAN"),
            (Period::Instalment(5), "ANGSURAN KE-5"),
            (Period::Text("20240131-20250131".to_owned()), "31-01-2024 s/d 31-01-2025"),
        ];
        for (span, expected) in table {
            assert_eq!(period(&span), expected);
        }
    }
}
