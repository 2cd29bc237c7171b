//! What an amount is in telephone credit (ilenpay reference, section 5).
//!
//! Credit is worth less than cash: an operator's rate says how many hundredths of it. Everything is in
//! whole rupiah and whole hundredths.

use domain::Amount;

/// Below this many rupiah the surcharge is taken.
const SURCHARGED_BELOW: i64 = 20_000;
/// By how many hundredths the surcharge lowers the rate.
const SURCHARGE: i64 = 3;
/// Credit is transferred in multiples of this many rupiah.
const STEP: i64 = 1000;

/// How much credit pays this amount at a rate of so many hundredths: the amount over the rate, rounded
/// up to the next multiple of 1000. None if the rate is worth nothing, or the credit is beyond all
/// numbers.
pub fn total_tf(nominal: Amount, rate_hundredths: u8) -> Option<Amount> {
    let surcharge = if nominal.minor() < SURCHARGED_BELOW { SURCHARGE } else { 0 };
    let rate = i64::from(rate_hundredths) - surcharge;
    if rate <= 0 {
        return None;
    }
    let per_step = rate * STEP;
    let steps = nominal.minor().checked_mul(100)?.checked_add(per_step - 1)? / per_step;
    Amount::new(steps.checked_mul(STEP)?, nominal.currency()).ok()
}

/// A rate as the API writes it: `0.82`.
pub fn rate(hundredths: u8) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use domain::Currency;
    use proptest::prelude::*;

    use super::*;

    /// The rows of section 5; the first two are the vendor's own samples.
    #[test]
    fn credit_is_what_the_reference_says() {
        let table = [
            (10_000, 82, 13_000),
            (15_000, 80, 20_000),
            (19_999, 82, 26_000),
            (20_000, 82, 25_000),
            (41_000, 82, 50_000),
            (45_000, 82, 55_000),
            (1, 82, 1000),
            (20_000, 100, 20_000),
            (19_400, 100, 20_000),
            (19_401, 100, 21_000),
        ];
        for (nominal, rate, expected) in table {
            let found = total_tf(Amount::rupiah(nominal), rate);
            assert_eq!(found, Some(Amount::rupiah(expected)), "{nominal} at {rate}");
        }
    }

    #[test]
    fn a_worthless_rate_and_endless_credit_are_none() {
        for (nominal, rate) in [(10_000, 3), (10_000, 0), (20_000, 0)] {
            assert_eq!(total_tf(Amount::rupiah(nominal), rate), None, "{nominal} at {rate}");
        }
        for minor in [i64::MAX, i64::MAX / 100] {
            let most = Amount::new(minor, Currency::Idr).expect("not negative");
            assert_eq!(total_tf(most, 1), None, "{minor}");
        }
    }

    #[test]
    fn rates_have_two_decimals() {
        let table = [(82, "0.82"), (80, "0.80"), (5, "0.05"), (0, "0.00"), (100, "1.00")];
        for (hundredths, text) in table {
            assert_eq!(rate(hundredths), text);
        }
    }

    proptest! {
        /// The credit is worth the amount, and a step less would not be.
        #[test]
        fn credit_is_enough_and_no_more(nominal in 1_u32..=100_000_000, hundredths in 4_u8..=100) {
            let credit = total_tf(Amount::rupiah(nominal), hundredths).expect("a rate").minor();
            let effective = i64::from(hundredths) - if nominal < 20_000 { 3 } else { 0 };
            prop_assert_eq!(credit % 1000, 0);
            prop_assert!(credit * effective >= i64::from(nominal) * 100);
            prop_assert!((credit - 1000) * effective < i64::from(nominal) * 100);
        }
    }
}
