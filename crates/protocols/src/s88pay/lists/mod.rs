//! Currencies, banks and branches as the API lists them (S88pay reference, section 12 and appendix A).
//!
//! The tables are data beside this file: one bank per line, columns between tabs. Codes are
//! case-sensitive; deposit and withdraw codes of one currency are two sets; a code may stand for several
//! banks, and a few banks have none.
//!
//! The vendor's list of Japanese banks is not known: it is told by its API alone (section 12.2). What
//! stands in `japan.tsv` is a selection of our own, well-known banks by the four digits that Japan's
//! clearing gives them, each with a branch or two, so that clients have something to choose from. It says
//! nothing about which others there are, so a code beyond it is taken if it has the form of one.

use domain::{Currency, Flow};

const BANKS: &str = include_str!("banks.tsv");
/// Bank, branch, name; a line without a branch names the bank itself. Ours, and not the vendor's.
const JAPAN: &str = include_str!("japan.tsv");

/// A bank of the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bank {
    /// The currency's code.
    pub(crate) currency: &'static str,
    /// Whether payers pay through it.
    pub(crate) takes: bool,
    /// Whether it can be paid out to.
    pub(crate) gives: bool,
    /// The code.
    pub(crate) code: &'static str,
    /// The name.
    pub(crate) name: &'static str,
    /// Whether it is closed for now.
    pub(crate) in_maintenance: bool,
}

impl Bank {
    const fn is_for(&self, flow: Flow) -> bool {
        match flow {
            Flow::In => self.takes,
            Flow::Out => self.gives,
        }
    }
}

/// All banks but Japan's, in the order of the lists.
pub(crate) fn banks() -> impl Iterator<Item = Bank> {
    BANKS.lines().filter_map(|line| {
        let mut columns = line.split('\t');
        let (currency, flow) = (columns.next()?, columns.next()?);
        Some(Bank {
            currency,
            takes: flow != "out",
            gives: flow != "in",
            code: columns.next()?,
            name: columns.next()?,
            in_maintenance: columns.next().is_some(),
        })
    })
}

/// What a list says of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// There is no list, or none that has them all: the code may be right, and nothing is known of it.
    NoList,
    /// Nobody has this code.
    Nobody,
    /// This bank has it. Where several share it, the first.
    Bank(Bank),
}

/// The bank of this code, for money going this way in this currency.
pub(crate) fn find(currency: Currency, flow: Flow, code: &str) -> Listed {
    if currency == Currency::Jpy && flow == Flow::Out {
        let is_formed = code.len() == 4 && code.bytes().all(|it| it.is_ascii_digit());
        let unnamed = if is_formed { Listed::NoList } else { Listed::Nobody };
        let named = japanese_banks().find(|(known, _)| *known == code);
        return named.map_or(unnamed, |(code, name)| {
            Listed::Bank(Bank {
                currency: "JPY",
                takes: false,
                gives: true,
                code,
                name,
                in_maintenance: false,
            })
        });
    }
    let list = || banks().filter(|it| it.currency == currency.code() && it.is_for(flow));
    if list().next().is_none() {
        return Listed::NoList;
    }
    let coded = list().find(|it| it.code == code && !code.is_empty());
    coded.map_or(Listed::Nobody, Listed::Bank)
}

/// Whether a code that several banks share stands for the one of this name, whatever its case.
pub(crate) fn is_named(currency: Currency, flow: Flow, code: &str, name: &str) -> bool {
    let same = |it: &Bank| it.currency == currency.code() && it.is_for(flow) && it.code == code;
    banks().filter(same).any(|it| it.name.eq_ignore_ascii_case(name.trim()))
}

/// Some of Japan's banks: code and name.
pub(crate) fn japanese_banks() -> impl Iterator<Item = (&'static str, &'static str)> {
    japan().filter(|(_, branch, _)| branch.is_empty()).map(|(bank, _, name)| (bank, name))
}

/// Some branches of a Japanese bank: code and name.
pub(crate) fn japanese_branches(bank: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let own = japan().filter(move |(it, branch, _)| *it == bank && !branch.is_empty());
    own.map(|(_, branch, name)| (branch, name))
}

fn japan() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    JAPAN.lines().filter_map(|line| {
        let mut columns = line.split('\t');
        Some((columns.next()?, columns.next()?, columns.next()?))
    })
}

/// The currency's name, as the status and the balance tell it (sections 8, 9 and 12.1).
pub(crate) const fn currency_name(currency: Currency) -> &'static str {
    match currency {
        Currency::Idr => "Indonesian Rupiah",
        Currency::Vnd => "Vietnamese Dong",
        Currency::Krw => "Korean Won",
        Currency::Jpy => "Japanese Yen",
        Currency::Mmk => "Myanmar Kyat",
        Currency::Thb => "Thai Baht",
        Currency::Inr => "Indian Rupee",
        Currency::Bdt => "Bangladesh Taka",
        Currency::Myr => "Malaysian Ringgit",
        Currency::Php => "Philippine Peso",
        Currency::Cny => "Chinese Yuan",
        Currency::Brl => "Brazilian Real",
        Currency::Try => "Turkish Lira",
        Currency::Npr => "Nepalese Rupee",
        Currency::Pkr => "Pakistani Rupee",
        Currency::Usd => "US Dollar",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// How long each list of appendix A is, so that no line is lost or split.
    #[test]
    fn no_bank_is_missing() {
        let mut counted: BTreeMap<(&str, bool, bool, bool), usize> = BTreeMap::new();
        for bank in banks() {
            assert!(Currency::from_code(bank.currency).is_some() && !bank.name.is_empty());
            let key = (bank.currency, bank.takes, bank.gives, bank.in_maintenance);
            *counted.entry(key).or_default() += 1;
        }
        let (deposit, withdraw, both) = ((true, false), (false, true), (true, true));
        let expected = [
            ("BDT", withdraw, false, 62),
            ("BDT", deposit, false, 6),
            ("BRL", withdraw, false, 6),
            ("CNY", both, false, 20),
            ("IDR", withdraw, false, 154),
            ("IDR", deposit, false, 16),
            ("KRW", withdraw, false, 74),
            ("MMK", both, false, 2),
            ("MYR", withdraw, false, 7),
            ("MYR", deposit, false, 7),
            ("PHP", withdraw, false, 62),
            ("PHP", withdraw, true, 20),
            ("PHP", deposit, false, 1),
            ("THB", withdraw, false, 8),
            ("THB", deposit, false, 4),
            ("THB", deposit, true, 24),
            ("VND", withdraw, false, 52),
            ("VND", deposit, false, 8),
            ("VND", deposit, true, 3),
        ];
        let expected = expected.map(|(currency, (takes, gives), closed, count)| {
            ((currency, takes, gives, closed), count)
        });
        assert_eq!(counted, BTreeMap::from(expected));
    }

    #[test]
    fn codes_are_found_in_their_own_set() {
        let found = |currency, flow, code| match find(currency, flow, code) {
            Listed::Bank(bank) => bank.name,
            Listed::Nobody => "nobody",
            Listed::NoList => "no list",
        };
        let table = [
            (Currency::Thb, Flow::In, "104", "PPTP, PromptPay"),
            (Currency::Thb, Flow::Out, "104", "nobody"),
            (Currency::Thb, Flow::Out, "7", "SCB, Siam Commercial Bank"),
            (Currency::Bdt, Flow::In, "1001", "BKASH"),
            (Currency::Bdt, Flow::Out, "b2b", "Sonali Bank Limited"),
            (Currency::Bdt, Flow::In, "b2b", "Bank Transfer"),
            (Currency::Idr, Flow::Out, "bca", "nobody"),
            (Currency::Idr, Flow::Out, "", "nobody"),
            (Currency::Cny, Flow::In, "ICBC", "ICBC"),
            (Currency::Jpy, Flow::Out, "0001", "みずほ銀行"),
            (Currency::Jpy, Flow::Out, "0150", "no list"),
            (Currency::Jpy, Flow::Out, "150", "nobody"),
            (Currency::Jpy, Flow::Out, "015a", "nobody"),
            (Currency::Jpy, Flow::In, "0001", "no list"),
            (Currency::Inr, Flow::Out, "1003", "no list"),
            (Currency::Try, Flow::Out, "1", "no list"),
        ];
        for (currency, flow, code, name) in table {
            assert_eq!(found(currency, flow, code), name, "{currency:?} {code}");
        }
        let closed = |code| matches!(find(Currency::Thb, Flow::In, code), Listed::Bank(it) if it.in_maintenance);
        assert_eq!((closed("105"), closed("104")), (true, false));
        assert!(is_named(Currency::Bdt, Flow::Out, "b2b", "HABIB bank Limited "));
        assert!(!is_named(Currency::Bdt, Flow::Out, "b2b", "Bank of Nowhere"));
    }

    #[test]
    fn japanese_codes_have_their_form() {
        let digits =
            |text: &str, count| text.len() == count && text.bytes().all(|it| it.is_ascii_digit());
        for (code, name) in japanese_banks() {
            assert!(digits(code, 4) && !name.is_empty(), "{code}");
            assert!(japanese_branches(code).next().is_some(), "{code} has no branch");
            assert!(japanese_branches(code).all(|(branch, _)| digits(branch, 3)));
        }
        assert_eq!(japanese_branches("9999").count(), 0);
    }
}
