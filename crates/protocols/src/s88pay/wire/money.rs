//! Amounts as this API writes them: texts with two or three decimals, and bare numbers (S88pay
//! reference, section 4.4). What is sent to us is read from its digits.

use domain::money::AmountTextError;
use domain::{Amount, Currency};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// How many digits may stand behind the point (section 4.4).
const DECIMALS_MAX: usize = 2;

/// Why an amount cannot be dealt in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// It is no positive number, or too large or too fine for its currency.
    NoAmount,
    /// A part of a unit, of a currency that has only whole ones.
    Fraction,
}

/// Reads what a merchant sent as an amount: digits, and behind a point one or two more. What many write
/// for ten thousand, `10.000`, is no ten, and what a program reads as octal is nothing.
pub(crate) fn read(text: &str, currency: Currency) -> Result<Amount, Misfit> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.len() > 1 && whole.starts_with('0') {
        return Err(Misfit::NoAmount);
    }
    let is_whole_only = currency.exponent() == 0;
    match Amount::from_decimal(text, currency) {
        Ok(amount) if amount.is_zero() => Err(Misfit::NoAmount),
        Ok(amount) if fraction.len() <= DECIMALS_MAX => Ok(amount),
        Ok(_) | Err(AmountTextError::TooPrecise) if is_whole_only => Err(Misfit::Fraction),
        Ok(_) | Err(_) => Err(Misfit::NoAmount),
    }
}

/// With this many decimals, at least as many as the currency has.
fn written(amount: Amount, decimals: usize) -> String {
    let text = amount.to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    format!("{whole}.{fraction:0<decimals$}")
}

/// With two decimals, whatever the currency: `510.00`.
pub(crate) fn with_two_decimals(amount: Amount) -> String {
    written(amount, 2)
}

/// With three decimals: `125000.000`.
pub(crate) fn with_three_decimals(amount: Amount) -> String {
    written(amount, 3)
}

/// An amount that is a number in JSON, with no more digits than it needs: `250`, `2.5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) Amount);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.to_string();
        let text = match text.split_once('.') {
            Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            None => text,
        };
        RawValue::from_string(text).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_from_their_digits() {
        use Misfit::{Fraction, NoAmount};
        let table = [
            ("500.00", Currency::Thb, Ok(50_000)),
            ("100.5", Currency::Thb, Ok(10_050)),
            ("1000", Currency::Thb, Ok(100_000)),
            ("1000.00", Currency::Vnd, Ok(1000)),
            ("1000.50", Currency::Vnd, Err(Fraction)),
            ("0.5", Currency::Krw, Err(Fraction)),
            ("1.005", Currency::Thb, Err(NoAmount)),
            ("0", Currency::Thb, Err(NoAmount)),
            ("0.00", Currency::Idr, Err(NoAmount)),
            ("-1", Currency::Idr, Err(NoAmount)),
            ("1e3", Currency::Idr, Err(NoAmount)),
            ("1,000", Currency::Idr, Err(NoAmount)),
            ("", Currency::Idr, Err(NoAmount)),
            ("010", Currency::Thb, Err(NoAmount)),
            ("00.50", Currency::Thb, Err(NoAmount)),
            ("10.000", Currency::Thb, Err(NoAmount)),
            ("10.000", Currency::Idr, Err(Fraction)),
            ("504.9", Currency::Thb, Ok(50_490)),
            ("0.5", Currency::Thb, Ok(50)),
            ("99999999999999999999", Currency::Idr, Err(NoAmount)),
        ];
        for (text, currency, expected) in table {
            assert_eq!(read(text, currency).map(Amount::minor), expected, "{text}");
        }
    }

    #[test]
    fn amounts_are_written_as_each_message_wants_them() {
        let table = [
            (Currency::Thb, 25_000, "250.00", "250.000", "250"),
            (Currency::Thb, 250, "2.50", "2.500", "2.5"),
            (Currency::Thb, 1, "0.01", "0.010", "0.01"),
            (Currency::Thb, 0, "0.00", "0.000", "0"),
            (Currency::Krw, 10_000, "10000.00", "10000.000", "10000"),
            (Currency::Vnd, 0, "0.00", "0.000", "0"),
        ];
        for (currency, minor, two, three, number) in table {
            let amount = Amount::new(minor, currency).expect("not negative");
            assert_eq!(with_two_decimals(amount), two);
            assert_eq!(with_three_decimals(amount), three);
            assert_eq!(serde_json::to_string(&Number(amount)).expect("a number"), number);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(minor in 1..i64::MAX, index in 0..Currency::ALL.len()) {
            let amount = Amount::new(minor, Currency::ALL[index]).expect("not negative");
            let number = serde_json::to_string(&Number(amount)).expect("a number");
            for text in [with_two_decimals(amount), number] {
                prop_assert_eq!(read(&text, amount.currency()), Ok(amount));
            }
        }
    }
}
