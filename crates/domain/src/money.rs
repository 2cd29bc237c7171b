//! Amounts of money, as whole minor units of a known currency.
//!
//! An [`Amount`] is never negative and never changes its currency; every operation that could break
//! either returns an error instead. There is no floating point anywhere, and no conversion between
//! currencies.

use std::fmt;

use thiserror::Error;

/// A currency that a balance can be held in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Currency {
    /// Indonesian rupiah.
    Idr,
    /// Vietnamese dong.
    Vnd,
    /// South Korean won.
    Krw,
    /// Japanese yen.
    Jpy,
    /// Myanmar kyat.
    Mmk,
    /// Thai baht.
    Thb,
    /// Indian rupee.
    Inr,
    /// Bangladeshi taka.
    Bdt,
    /// Malaysian ringgit.
    Myr,
    /// Philippine peso.
    Php,
    /// Chinese yuan.
    Cny,
    /// Brazilian real.
    Brl,
    /// Turkish lira.
    Try,
    /// Nepalese rupee.
    Npr,
    /// Pakistani rupee.
    Pkr,
    /// United States dollar.
    Usd,
}

impl Currency {
    /// Every currency, in the order in which they are declared.
    pub const ALL: [Self; 16] = [
        Self::Idr,
        Self::Vnd,
        Self::Krw,
        Self::Jpy,
        Self::Mmk,
        Self::Thb,
        Self::Inr,
        Self::Bdt,
        Self::Myr,
        Self::Php,
        Self::Cny,
        Self::Brl,
        Self::Try,
        Self::Npr,
        Self::Pkr,
        Self::Usd,
    ];

    /// The three-letter code of ISO 4217.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Idr => "IDR",
            Self::Vnd => "VND",
            Self::Krw => "KRW",
            Self::Jpy => "JPY",
            Self::Mmk => "MMK",
            Self::Thb => "THB",
            Self::Inr => "INR",
            Self::Bdt => "BDT",
            Self::Myr => "MYR",
            Self::Php => "PHP",
            Self::Cny => "CNY",
            Self::Brl => "BRL",
            Self::Try => "TRY",
            Self::Npr => "NPR",
            Self::Pkr => "PKR",
            Self::Usd => "USD",
        }
    }

    /// The currency with this ISO 4217 code, written in upper case.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|currency| currency.code() == code)
    }

    /// How many decimal places the minor unit has in this system. Where it differs from ISO 4217
    /// (the rupiah and the kyat are dealt in whole units) the business practice is followed.
    pub const fn exponent(self) -> u32 {
        match self {
            Self::Idr | Self::Vnd | Self::Krw | Self::Jpy | Self::Mmk => 0,
            Self::Thb
            | Self::Inr
            | Self::Bdt
            | Self::Myr
            | Self::Php
            | Self::Cny
            | Self::Brl
            | Self::Try
            | Self::Npr
            | Self::Pkr
            | Self::Usd => 2,
        }
    }
}

/// Arithmetic that has no answer in money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AmountError {
    /// The result would be below zero.
    #[error("amount would be negative")]
    Negative,
    /// The result does not fit 64 bits.
    #[error("amount is too large")]
    Overflow,
    /// The operands are of different currencies.
    #[error("amounts of {} and {} cannot be combined", left.code(), right.code())]
    CurrencyMismatch {
        /// Currency of the left operand.
        left: Currency,
        /// Currency of the right operand.
        right: Currency,
    },
}

/// A text that is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AmountTextError {
    /// Something other than ASCII digits with at most one point between them.
    #[error("amount is not a plain decimal number")]
    NotDecimal,
    /// A fraction finer than the currency's minor unit.
    #[error("amount is finer than the currency's smallest unit")]
    TooPrecise,
    /// More than 64 bits of minor units.
    #[error("amount is too large")]
    TooLarge,
}

mod encapsulated {
    use super::{AmountError, Currency};

    /// A quantity of money: minor units (zero or more) of one currency.
    ///
    /// The fields hide in a module of their own, so that not even this file can build an amount
    /// that is negative.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub struct Amount {
        minor: i64,
        currency: Currency,
    }

    impl Amount {
        /// An amount of `minor` units. Refuses a negative number.
        pub const fn new(minor: i64, currency: Currency) -> Result<Self, AmountError> {
            if minor < 0 { Err(AmountError::Negative) } else { Ok(Self { minor, currency }) }
        }

        /// Nothing, in this currency.
        pub const fn zero(currency: Currency) -> Self {
            Self { minor: 0, currency }
        }

        /// Minor units: whole rupiah, satang, cents.
        pub const fn minor(self) -> i64 {
            self.minor
        }

        /// The currency.
        pub const fn currency(self) -> Currency {
            self.currency
        }
    }
}

pub use encapsulated::Amount;

impl Amount {
    /// Rupiah, from a number that cannot be negative.
    pub fn rupiah(value: u32) -> Self {
        Self::new(i64::from(value), Currency::Idr).unwrap_or(Self::zero(Currency::Idr))
    }

    /// Whether this is nothing.
    pub const fn is_zero(self) -> bool {
        self.minor() == 0
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Result<Self, AmountError> {
        self.same_currency(other)?;
        let minor = self.minor().checked_add(other.minor()).ok_or(AmountError::Overflow)?;
        Self::new(minor, self.currency())
    }

    /// The difference; refused when `other` is the larger.
    pub fn minus(self, other: Self) -> Result<Self, AmountError> {
        self.same_currency(other)?;
        let minor = self.minor().checked_sub(other.minor()).ok_or(AmountError::Overflow)?;
        Self::new(minor, self.currency())
    }

    /// This amount so many times.
    pub fn times(self, count: u32) -> Result<Self, AmountError> {
        let minor = self.minor().checked_mul(i64::from(count)).ok_or(AmountError::Overflow)?;
        Self::new(minor, self.currency())
    }

    fn same_currency(self, other: Self) -> Result<(), AmountError> {
        if self.currency() == other.currency() {
            Ok(())
        } else {
            Err(AmountError::CurrencyMismatch { left: self.currency(), right: other.currency() })
        }
    }

    /// Reads a decimal text such as `152500`, `3000.00` or `125000.000`.
    ///
    /// Only ASCII digits with at most one point between digits are accepted: no sign, exponent,
    /// blank, separator or other alphabet. Digits beyond the currency's minor unit must be zeros.
    pub fn from_decimal(text: &str, currency: Currency) -> Result<Self, AmountTextError> {
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return Err(AmountTextError::NotDecimal),
            None => (text, ""),
        };
        let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits_only(whole) || !digits_only(fraction) {
            return Err(AmountTextError::NotDecimal);
        }
        let exponent =
            usize::try_from(currency.exponent()).map_err(|_| AmountTextError::TooPrecise)?;
        let (kept, rest) = fraction.split_at(fraction.len().min(exponent));
        if rest.bytes().any(|byte| byte != b'0') {
            return Err(AmountTextError::TooPrecise);
        }
        let mut minor: i64 = 0;
        let padding = std::iter::repeat_n(b'0', exponent.saturating_sub(kept.len()));
        for byte in whole.bytes().chain(kept.bytes()).chain(padding) {
            let digit = i64::from(byte.saturating_sub(b'0'));
            minor = minor
                .checked_mul(10)
                .and_then(|shifted| shifted.checked_add(digit))
                .ok_or(AmountTextError::TooLarge)?;
        }
        Self::new(minor, currency).map_err(|_| AmountTextError::TooLarge)
    }
}

/// Whole units, then as many decimals as the currency has: `152500` rupiah, `250.00` baht.
impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.currency().exponent();
        let unit = 10_i64.checked_pow(exponent).unwrap_or(1);
        let whole = self.minor().checked_div(unit).unwrap_or(0);
        let fraction = self.minor().checked_rem(unit).unwrap_or(0);
        if exponent == 0 {
            write!(formatter, "{whole}")
        } else {
            let width = usize::try_from(exponent).unwrap_or(0);
            write!(formatter, "{whole}.{fraction:0width$}")
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_plain_decimal_spellings_are_read() {
        let table = [
            ("0", Currency::Idr, Ok(0)),
            ("152500", Currency::Idr, Ok(152_500)),
            ("125000.000", Currency::Idr, Ok(125_000)),
            ("007", Currency::Idr, Ok(7)),
            ("3000.00", Currency::Thb, Ok(300_000)),
            ("0.82", Currency::Thb, Ok(82)),
            ("0.8", Currency::Thb, Ok(80)),
            ("9223372036854775807", Currency::Idr, Ok(i64::MAX)),
            ("9223372036854775808", Currency::Idr, Err(AmountTextError::TooLarge)),
            ("92233720368547758.08", Currency::Thb, Err(AmountTextError::TooLarge)),
            ("100.000000001", Currency::Idr, Err(AmountTextError::TooPrecise)),
            ("0.821", Currency::Thb, Err(AmountTextError::TooPrecise)),
        ];
        for (text, currency, expected) in table {
            assert_eq!(Amount::from_decimal(text, currency).map(Amount::minor), expected, "{text}");
        }
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-0",
            "-1",
            "+1",
            "1e3",
            "0x10",
            " 100",
            "100 ",
            "10,00",
            "1.2.3",
            "1_000",
            "١٠٠",
            "１００",
            "NaN",
            "inf",
            "1\u{0}",
        ] {
            assert_eq!(
                Amount::from_decimal(text, Currency::Idr),
                Err(AmountTextError::NotDecimal),
                "{text:?}"
            );
        }
    }

    #[test]
    fn amounts_of_two_currencies_do_not_mix() {
        let rupiah = Amount::rupiah(5);
        let baht = Amount::zero(Currency::Thb);
        assert_eq!(
            rupiah.plus(baht),
            Err(AmountError::CurrencyMismatch { left: Currency::Idr, right: Currency::Thb })
        );
    }

    #[test]
    fn every_code_names_one_currency() {
        for currency in Currency::ALL {
            assert_eq!(Currency::from_code(currency.code()), Some(currency));
        }
        assert_eq!(Currency::from_code("idr"), None);
    }

    proptest! {
        #[test]
        fn written_amounts_are_read_back(minor in 0..=i64::MAX, index in 0..Currency::ALL.len()) {
            let amount = Amount::new(minor, Currency::ALL[index]).expect("not negative");
            prop_assert_eq!(Amount::from_decimal(&amount.to_string(), amount.currency()), Ok(amount));
        }

        #[test]
        fn arithmetic_agrees_with_wider_integers(left in 0..=i64::MAX, right in 0..=i64::MAX, count: u32) {
            let amount = |minor| Amount::new(minor, Currency::Idr).expect("not negative");
            let wide = |result: Result<Amount, AmountError>| result.ok().map(|a| i128::from(a.minor()));
            let fits = |value: i128| (0..=i128::from(i64::MAX)).contains(&value).then_some(value);
            let (a, b) = (i128::from(left), i128::from(right));
            prop_assert_eq!(wide(amount(left).plus(amount(right))), fits(a + b));
            prop_assert_eq!(wide(amount(left).minus(amount(right))), fits(a - b));
            prop_assert_eq!(wide(amount(left).times(count)), fits(a * i128::from(count)));
        }
    }
}
