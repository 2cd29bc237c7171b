//! The two spellings of amounts, and all that are none.

use domain::Currency;
use proptest::prelude::*;

use super::*;

/// Spellings of amounts of rupiah that are refused, whatever they might mean.
pub(crate) const WRONG: &[&str] = &[
    // Nothing, and not quite nothing.
    "",
    "0",
    "0.00",
    "00",
    "000",
    "-0",
    "+0",
    "-0.00",
    "0x0",
    "0e0",
    "null",
    "nil",
    "none",
    "-",
    ".",
    // Signs.
    "-1",
    "+1",
    "-10000",
    "+10000",
    "--1",
    "1-",
    "1+",
    "10000-",
    "(10000)",
    "−10000",
    "﹣1",
    "±1",
    // Exponents and what only floats have.
    "1e3",
    "1E3",
    "1e+3",
    "1e-3",
    "1.0e4",
    "1e400",
    "1e",
    "e3",
    "10000e0",
    "NaN",
    "nan",
    "inf",
    "Infinity",
    "-Infinity",
    "1.7976931348623157e308",
    // Other bases and literals of programs.
    "0x10",
    "0X10",
    "0b1",
    "0o7",
    "010",
    "007",
    "00010000",
    "10000L",
    "10000f",
    "1_000",
    "10'000",
    "\\u0031",
    "&#49;",
    "%31",
    // Separators of thousands and of decimals, of any country.
    "10,00",
    "10,000",
    "10.000",
    "1.000.000",
    "1,000,000",
    "1.000.000,00",
    "1,000,000.00",
    "10 000",
    "10\u{a0}000",
    "10\u{202f}000",
    "1.0",
    "1.000",
    "10000.",
    "10000.0",
    "10000.000",
    ".5",
    ".50",
    "1..00",
    "1.00.00",
    "10000;00",
    "10000:00",
    "10000/1",
    "10000·00",
    "10000،00",
    "10000٫00",
    // Finer than a rupiah.
    "0.01",
    "0.82",
    "100.01",
    "100.99",
    "100.000000001",
    "99.999",
    // Blanks.
    " 100",
    "100 ",
    "\t100",
    "100\t",
    "\n100",
    "100\n",
    "100\r",
    "1 0",
    "\u{a0}100",
    "100\u{3000}",
    "\u{feff}100",
    "100\u{200b}",
    "\u{200f}100",
    "100\u{0}",
    "\u{0}",
    // Digits of other alphabets.
    "١٠٠",
    "۱۰۰",
    "१००",
    "১০০",
    "๑๐๐",
    "１００",
    "一百",
    "Ⅻ",
    "①",
    "²",
    "10０",
    "1٠0",
    // Currencies and words.
    "Rp10000",
    "Rp 10.000",
    "IDR10000",
    "10000 IDR",
    "10000,-",
    "Rp10.000,00",
    "$100",
    "10000Rp",
    "10k",
    "10K",
    "10rb",
    "1jt",
    "1M",
    "sepuluh ribu",
    "100%",
    "true",
    "false",
    "'100'",
    "\"100\"",
    "=100",
    "100CR",
    "100 DB",
    "CR100",
    // Beyond 64 bits.
    "9223372036854775808",
    "18446744073709551616",
    "99999999999999999999",
    "9223372036854775808.00",
    "100000000000000000000000000000000000000000",
];

#[test]
fn nothing_but_the_documented_spellings_is_read() {
    assert!(WRONG.len() >= 100);
    for text in WRONG {
        assert!(amount(text, Currency::Idr).is_err(), "{text:?}");
    }
    let table = [
        ("1", Currency::Idr, 1),
        ("10000", Currency::Idr, 10_000),
        ("10000.00", Currency::Idr, 10_000),
        ("9223372036854775807", Currency::Idr, i64::MAX),
        ("0.82", Currency::Thb, 82),
        ("250", Currency::Thb, 25_000),
        ("250.05", Currency::Thb, 25_005),
    ];
    for (text, currency, minor) in table {
        assert_eq!(amount(text, currency).map(Amount::minor), Ok(minor), "{text}");
    }
    for text in ["92233720368547758.08", "0.820", "0.8", "00.82", "0.00"] {
        assert!(amount(text, Currency::Thb).is_err(), "{text}");
    }
}

#[test]
fn a_balance_has_one_spelling_and_may_be_below_nothing() {
    let table = [
        ("0", Some("0")),
        ("0.00", Some("0")),
        ("150000.00", Some("150000")),
        ("-150000", Some("-150000")),
        ("-150000.00", Some("-150000")),
        ("-0", None),
        ("--1", None),
        ("150.000", None),
        ("", None),
    ];
    for (text, expected) in table {
        let read = balance(text, Currency::Idr).ok();
        assert_eq!(read.as_deref(), expected, "{text}");
    }
}

proptest! {
    /// Whatever is read means the same to everybody: it is a run of digits, or has two more.
    #[test]
    fn what_is_read_can_be_read_in_one_way_only(text in "[-+0-9., e]{0,12}") {
        if let Ok(read) = amount(&text, Currency::Thb) {
            let written = read.to_string();
            prop_assert!(text == written || format!("{text}.00") == written, "{} {}", text, written);
        }
    }

    #[test]
    fn every_amount_is_read_as_it_is_written(minor in 1..=i64::MAX) {
        for currency in [Currency::Idr, Currency::Thb] {
            let written = Amount::new(minor, currency).expect("not negative");
            prop_assert_eq!(amount(&written.to_string(), currency), Ok(written));
        }
    }
}
