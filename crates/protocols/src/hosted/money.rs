//! Amounts as payers read them, in the writing that is usual for each currency.

use domain::{Amount, Currency};

/// What stands before and behind the digits, and what groups them and opens the decimals.
struct Style {
    before: &'static str,
    behind: &'static str,
    group: char,
    point: char,
}

const fn style(currency: Currency) -> Style {
    let (before, behind, group, point) = match currency {
        Currency::Idr => ("Rp", "", '.', ','),
        Currency::Vnd => ("", " ₫", '.', ','),
        Currency::Krw => ("₩", "", ',', '.'),
        Currency::Jpy => ("¥", "", ',', '.'),
        Currency::Mmk => ("", " Ks", ',', '.'),
        Currency::Thb => ("฿", "", ',', '.'),
        Currency::Inr => ("₹", "", ',', '.'),
        Currency::Bdt => ("৳", "", ',', '.'),
        Currency::Myr => ("RM", "", ',', '.'),
        Currency::Php => ("₱", "", ',', '.'),
        Currency::Cny => ("CN¥", "", ',', '.'),
        Currency::Brl => ("R$ ", "", '.', ','),
        Currency::Try => ("₺", "", '.', ','),
        Currency::Npr => ("NPR ", "", ',', '.'),
        Currency::Pkr => ("PKR ", "", ',', '.'),
        Currency::Usd => ("US$", "", ',', '.'),
    };
    Style { before, behind, group, point }
}

/// An amount for people: `Rp13.000`, `฿250.00`.
pub(crate) fn readable(amount: Amount) -> String {
    let style = style(amount.currency());
    let plain = amount.to_string();
    let (whole, decimals) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut text = style.before.to_owned();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            text.push(style.group);
        }
        text.push(digit);
    }
    if !decimals.is_empty() {
        text.push(style.point);
        text.push_str(decimals);
    }
    text + style.behind
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn amounts_look_as_payers_know_them() {
        let table = [
            (13_000, Currency::Idr, "Rp13.000"),
            (0, Currency::Idr, "Rp0"),
            (999, Currency::Idr, "Rp999"),
            (1_234_567, Currency::Idr, "Rp1.234.567"),
            (25_000, Currency::Thb, "฿250.00"),
            (5, Currency::Thb, "฿0.05"),
            (123_456_789, Currency::Brl, "R$ 1.234.567,89"),
            (200_000, Currency::Vnd, "200.000 ₫"),
            (100_000, Currency::Krw, "₩100,000"),
        ];
        for (minor, currency, text) in table {
            let amount = Amount::new(minor, currency).expect("not negative");
            assert_eq!(readable(amount), text);
        }
    }

    #[test]
    fn no_two_currencies_look_the_same() {
        let texts = Currency::ALL.map(|it| {
            let amount = Amount::new(100, it).expect("not negative");
            readable(amount).replace(|it: char| it.is_ascii_digit() || ".,".contains(it), "")
        });
        assert_eq!(BTreeSet::from(texts).len(), Currency::ALL.len());
    }
}
