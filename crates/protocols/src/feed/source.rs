//! Who tells of money: what the operator sets for each feed, and how it writes whom money is from.

use std::net::IpAddr;
use std::sync::Arc;

use domain::{Currency, ProductId, Secret};

/// How many digits a telephone number has at most.
const DIGITS_MAX: usize = 20;

/// Whether a request may come from an address.
pub type PeerRule = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// One feed.
#[derive(Clone)]
pub struct Source {
    /// Its name, which is also the last part of its address. No upstream has the same name, because
    /// what upstreams see goes by theirs.
    pub name: String,
    /// Signs its requests; see [`gateway::courier::is_secret`].
    pub secret: Secret,
    /// The channel through which the money came in that it tells of.
    pub channel: ProductId,
    /// The currency of that money.
    pub currency: Currency,
    /// From where it may call.
    pub peers: PeerRule,
    /// Whether those who send money are telephone numbers, whose spellings are made one.
    pub senders_are_numbers: bool,
}

/// An Indonesian number in the form `6281298765432`: digits, with the country's code for the leading
/// zero and without the plus sign. A number that has neither stays as it is. None if it is no number.
pub(super) fn one_spelling(text: &str) -> Option<String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = (1..=DIGITS_MAX).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return None;
    }
    Some(digits.strip_prefix('0').map_or_else(|| digits.to_owned(), |rest| format!("62{rest}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_spelling() {
        let table = [
            ("081298765432", Some("6281298765432")),
            ("6281298765432", Some("6281298765432")),
            ("+6281298765432", Some("6281298765432")),
            ("858", Some("858")),
            ("012345678901234567890", None),
            ("", None),
            ("+", None),
            ("++62812", None),
            ("0812-9876", None),
            ("0812 9876", None),
            ("08١٢", None),
            ("TELKOMSEL", None),
        ];
        for (text, expected) in table {
            assert_eq!(one_spelling(text).as_deref(), expected, "{text}");
        }
    }
}
