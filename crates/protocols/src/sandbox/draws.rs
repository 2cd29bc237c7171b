//! Figures that look drawn by chance and are a function of the question.
//!
//! Every draw is a digest of the seed, what is asked about, and a label that says what is drawn.
//! Draws don't depend on each other or on their order, so a bill can gain a particular without
//! changing the others.

use domain::YearMonth;
use domain::command::fingerprint;

use super::calendar;

/// The draws about one customer of one product.
#[derive(Debug, Clone, Copy)]
pub(super) struct Draws<'a> {
    /// The sandbox's seed.
    pub(super) seed: u64,
    /// The product.
    pub(super) product: &'a str,
    /// The customer's number.
    pub(super) number: &'a str,
}

impl Draws<'_> {
    fn digest(&self, label: &str) -> [u8; 32] {
        fingerprint([self.seed.to_string().as_str(), self.product, self.number, label])
    }

    /// A number below `bound`; 0 for a bound of 0.
    pub(super) fn below(&self, label: &str, bound: u32) -> u32 {
        let [a, b, c, d, ..] = self.digest(label);
        u32::from_be_bytes([a, b, c, d]).checked_rem(bound).unwrap_or(0)
    }

    /// A multiple of `step` from `from` to `until`, both included.
    pub(super) fn between(&self, label: &str, from: u32, until: u32, step: u32) -> u32 {
        let steps = until.saturating_sub(from).checked_div(step).unwrap_or(0);
        from.saturating_add(self.below(label, steps.saturating_add(1)).saturating_mul(step))
    }

    /// One of these.
    pub(super) fn pick(&self, label: &str, choices: &[&'static str]) -> &'static str {
        let bound = u32::try_from(choices.len()).unwrap_or(u32::MAX);
        let index = usize::try_from(self.below(label, bound)).unwrap_or(0);
        choices.get(index).copied().unwrap_or_default()
    }

    /// A text of so many digits, the first of which is not zero.
    pub(super) fn digits(&self, label: &str, count: usize) -> String {
        let digits = self.digest(label).into_iter().cycle().take(count).enumerate();
        let digit = |(place, byte): (usize, u8)| match place {
            0 => b'1' + byte % 9,
            _ => b'0' + byte % 10,
        };
        digits.map(|pair| char::from(digit(pair))).collect()
    }

    /// The meter reading at the beginning of a month, for about `monthly` units a month. The end of
    /// one month is the beginning of the next.
    pub(super) fn reading(&self, month: YearMonth, monthly: u32) -> i64 {
        let since_2000 = calendar::ordinal(month).saturating_sub(2000 * 12);
        let jitter = self.below(&format!("reading {}", calendar::digits(month)), monthly);
        let base = self.below("first reading", monthly);
        i64::from(since_2000) * i64::from(monthly) + i64::from(base) + i64::from(jitter)
    }
}

/// A proof of purchase as it is written: 32 hexadecimal digits in capitals.
pub(super) fn written(serial_number: [u8; 16]) -> String {
    format!("{:032X}", u128::from_be_bytes(serial_number))
}

/// The proof of purchase that the sandbox hands over for an order: 128 bits.
pub(super) fn serial_number(seed: u64, order: u64) -> [u8; 16] {
    let parts = [seed.to_string(), order.to_string()];
    let [low, high] = [parts[0].as_str(), parts[1].as_str()];
    let digest = fingerprint([low, "serial number", high]);
    let mut serial = [0; 16];
    serial.copy_from_slice(&digest[..16]);
    serial
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn draws(seed: u64, number: &str) -> Draws<'_> {
        Draws { seed, product: "pln-postpaid", number }
    }

    proptest! {
        #[test]
        fn draws_stay_within_their_bounds(seed: u64, number: String, from: u32, span: u32, step: u32) {
            let draws = draws(seed, &number);
            let until = from.saturating_add(span);
            let drawn = draws.between("x", from, until, step);
            prop_assert!((from..=until).contains(&drawn));
            prop_assert_eq!(drawn, draws.between("x", from, until, step));
            prop_assert_eq!(draws.digits("x", 13).len(), 13);
            prop_assert!(["a", "b"].contains(&draws.pick("x", &["a", "b"])));
        }

        #[test]
        fn meters_never_run_backwards(seed: u64, year in 2000_u16..2100, month in 1_u8..=12, monthly in 1_u32..1000) {
            let draws = draws(seed, "530000000000");
            let month = YearMonth { year, month };
            let next = calendar::later(month, 1);
            prop_assert!(draws.reading(month, monthly) <= draws.reading(next, monthly));
        }
    }

    #[test]
    fn serial_numbers_are_written_with_every_zero() {
        let mut serial = [0; 16];
        assert_eq!(written(serial), "0".repeat(32));
        serial[1] = 0xab;
        serial[15] = 0x0f;
        assert_eq!(written(serial), "00AB000000000000000000000000000F");
    }

    #[test]
    fn serial_numbers_differ_by_order_and_by_seed() {
        assert_eq!(serial_number(1, 1), serial_number(1, 1));
        assert_ne!(serial_number(1, 1), serial_number(1, 2));
        assert_ne!(serial_number(1, 1), serial_number(2, 1));
    }
}
