//! Times as this API writes them: local ones with their offset beside them, and UTC (S88pay reference,
//! sections 6.1 and 8).

use domain::{Currency, Timestamp};
use jiff::tz::Offset;

/// Minutes east of Greenwich where a currency is at home.
const fn minutes(currency: Currency) -> i32 {
    match currency {
        Currency::Brl => -180,
        Currency::Usd => 0,
        Currency::Try => 180,
        Currency::Pkr => 300,
        Currency::Inr => 330,
        Currency::Npr => 345,
        Currency::Bdt => 360,
        Currency::Mmk => 390,
        Currency::Idr | Currency::Thb | Currency::Vnd => 420,
        Currency::Cny | Currency::Myr | Currency::Php => 480,
        Currency::Jpy | Currency::Krw => 540,
    }
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.milliseconds()).unwrap_or(jiff::Timestamp::MAX)
}

/// An instant where the currency is at home: `2023-11-15 04:28:20`.
pub(crate) fn local(at: Timestamp, currency: Currency) -> String {
    let offset = Offset::from_seconds(minutes(currency) * 60).unwrap_or(Offset::UTC);
    offset.to_datetime(instant(at)).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The offset there: `GMT+05:30`.
pub(crate) fn zone(currency: Currency) -> String {
    let minutes = minutes(currency);
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("GMT{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

/// An instant in UTC: `2023-11-07T05:31:56Z`.
pub(crate) fn universal(at: Timestamp) -> String {
    instant(at).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_where_the_currency_is() {
        let at = Timestamp::from_milliseconds(1_700_000_000_000);
        let table = [
            (Currency::Inr, "2023-11-15 03:43:20", "GMT+05:30"),
            (Currency::Bdt, "2023-11-15 04:13:20", "GMT+06:00"),
            (Currency::Vnd, "2023-11-15 05:13:20", "GMT+07:00"),
            (Currency::Krw, "2023-11-15 07:13:20", "GMT+09:00"),
            (Currency::Brl, "2023-11-14 19:13:20", "GMT-03:00"),
            (Currency::Usd, "2023-11-14 22:13:20", "GMT+00:00"),
        ];
        for (currency, time, offset) in table {
            assert_eq!((local(at, currency), zone(currency)), (time.to_owned(), offset.to_owned()));
        }
        assert_eq!(universal(at), "2023-11-14T22:13:20Z");
    }

    #[test]
    fn no_instant_is_beyond_writing() {
        for milliseconds in [i64::MIN, -1, 0, i64::MAX] {
            for currency in Currency::ALL {
                assert!(!local(Timestamp::from_milliseconds(milliseconds), currency).is_empty());
            }
        }
    }
}
