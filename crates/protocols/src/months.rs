//! The names of months as Indonesian billers print them, in capitals.

/// The Indonesian abbreviation of a month from 1 to 12.
pub(crate) const fn indonesian(month: u8) -> &'static str {
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
