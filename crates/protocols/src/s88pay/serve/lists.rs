//! Banks, for whoever asks (S88pay reference, section 12.2).

use http::StatusCode;

use crate::exchange::Answer;
use crate::s88pay::lists;
use crate::s88pay::wire::answer::{Named, SubBank, SubBanks, json};

const DEPOSIT: u8 = 1;
const WITHDRAW: u8 = 2;

pub(super) fn banks() -> Answer {
    let mut all: Vec<SubBanks> = Vec::new();
    for bank in lists::banks() {
        let ways = [(bank.takes, DEPOSIT), (bank.gives, WITHDRAW)];
        let listed = ways.into_iter().filter(|(open, _)| *open).map(|(_, kind)| SubBank {
            kind,
            code: bank.code,
            name: bank.name,
            is_maintenance: bank.in_maintenance,
        });
        match all.iter_mut().find(|it| it.currency == bank.currency) {
            Some(of_currency) => of_currency.subbanks.extend(listed),
            None => all.push(SubBanks { currency: bank.currency, subbanks: listed.collect() }),
        }
    }
    json(StatusCode::OK, &all)
}

pub(super) fn japanese_banks() -> Answer {
    named(lists::japanese_banks())
}

/// A bank that nobody knows has no branches.
pub(super) fn japanese_branches(bank: &str) -> Answer {
    named(lists::japanese_branches(bank))
}

fn named(all: impl Iterator<Item = (&'static str, &'static str)>) -> Answer {
    let all: Vec<Named> = all.map(|(code, name)| Named { code, name }).collect();
    json(StatusCode::OK, &all)
}
