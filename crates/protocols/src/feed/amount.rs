//! Amounts as feeds write them. There are two spellings: digits alone, and digits, a point and exactly
//! two digits, which are zeros where the currency has no smaller unit.
//!
//! Everything else is refused, even where it could be guessed: `10.000` is ten thousand to one reader
//! and ten to another, and a wrong guess is a wrong payment.

use domain::money::AmountTextError;
use domain::{Amount, Currency};

/// Reads an amount, which is more than nothing.
pub(super) fn amount(text: &str, currency: Currency) -> Result<Amount, &'static str> {
    let amount = plain(text, currency)?;
    if amount.is_zero() {
        return Err("amount is nothing; only money that came in is told");
    }
    Ok(amount)
}

/// Reads a running balance, which may be nothing and less, and writes it in its one spelling, in
/// minor units.
pub(super) fn balance(text: &str, currency: Currency) -> Result<String, &'static str> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let amount = plain(digits, currency)?;
    if amount.is_zero() && !sign.is_empty() {
        return Err("there is no balance below nothing that is nothing");
    }
    Ok(format!("{sign}{}", amount.minor()))
}

fn plain(text: &str, currency: Currency) -> Result<Amount, &'static str> {
    const SPELLING: &str = "an amount is written as digits, such as 10000, or as digits, a point and \
                            two digits, such as 10000.00";
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) if fraction.len() == 2 => (whole, Some(fraction)),
        Some(_) => return Err(SPELLING),
        None => (text, None),
    };
    if whole.len() > 1 && whole.starts_with('0') {
        return Err("an amount does not begin with zeros");
    }
    Amount::from_decimal(text, currency).map_err(|fault| match fault {
        AmountTextError::TooPrecise if fraction.is_some() => {
            "amount is finer than the currency's smallest unit"
        }
        AmountTextError::TooLarge => "amount is too large",
        _ => SPELLING,
    })
}

#[cfg(test)]
#[path = "amount_tests.rs"]
pub(crate) mod tests;
