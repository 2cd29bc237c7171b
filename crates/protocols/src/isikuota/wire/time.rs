//! Times as the wire writes them: without a zone in answers, with one in callbacks (isikuota
//! reference, sections 3 and 9.2). Both are those of Asia/Jakarta, which has been seven hours ahead
//! of UTC throughout the API's life, so no zone database is asked.

use domain::Timestamp;
use jiff::tz;

/// `2026-06-01 10:15:12`; empty for an instant that no calendar has.
pub(crate) fn plain(at: Timestamp) -> String {
    written(at, "%Y-%m-%d %H:%M:%S")
}

/// `2026-06-01T10:15:12+07:00`; empty for an instant that no calendar has.
pub(crate) fn with_zone(at: Timestamp) -> String {
    written(at, "%Y-%m-%dT%H:%M:%S+07:00")
}

fn written(at: Timestamp, format: &str) -> String {
    let Ok(at) = jiff::Timestamp::from_millisecond(at.milliseconds()) else {
        return String::new();
    };
    tz::offset(7).to_datetime(at).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_jakarta() {
        let table = [
            (1_780_283_730_000, "2026-06-01 10:15:30", "2026-06-01T10:15:30+07:00"),
            (1_706_720_399_999, "2024-01-31 23:59:59", "2024-01-31T23:59:59+07:00"),
            (1_706_720_400_000, "2024-02-01 00:00:00", "2024-02-01T00:00:00+07:00"),
            (i64::MAX, "", ""),
        ];
        for (milliseconds, without, with) in table {
            let at = Timestamp::from_milliseconds(milliseconds);
            assert_eq!((plain(at).as_str(), with_zone(at).as_str()), (without, with));
        }
    }
}
