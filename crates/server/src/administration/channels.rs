//! Channels between the admin API and the domain: how they are shown, how what was sent becomes one,
//! and which of them could not work in the protocols that have a code for them.
//!
//! Invariants: what is shown can be sent back as it is; amounts are taken only where it is plain in
//! which currency they are; a channel stays one, in its direction, because orders wait for money that
//! comes through it. Which product a code belongs to is decided elsewhere.

use std::collections::BTreeSet;

use domain::product::Fee;
use domain::{Alias, Amount, Channel, Currency, Flow, Product};
use protocols::{ilenpay, s88pay};

use super::calls::amount;
use super::codes::{Code, Denial};
use super::forms::{
    AccountText, ChannelFlow, CurrencyCode, DecimalAmount, PercentText, RateText, hundredths,
    millionths,
};
use super::products::contradictory;
use super::shape::shape;

/// The lowest rate of telephone credit that the surcharge on small amounts leaves worth something
/// (ilenpay reference, section 5).
const RATE_HUNDREDTHS_MIN: u8 = 4;

shape! {
    /// What is particular to a way for money in or out.
    ChannelShape {
        /// Which way; it never changes.
        flow: ChannelFlow = "in",
        /// The currencies that go through it; an empty list is all.
        currencies: Vec<CurrencyCode> = ["THB"],
        /// What we take of each amount, in per cent; a part of the smallest unit is rounded up.
        fee_percent: PercentText = "1",
        /// What we take in any case; takes a channel of one currency.
        fee_fixed: Option<DecimalAmount> = "2.50",
        /// What a rupiah of telephone credit is worth; for ilenpay, and for nothing else.
        rate: Option<RateText> = null,
        /// Where payers send their money: a number, and behind a blank whose it is. For several
        /// currencies several of them between semicolons, each behind its currency and an equals
        /// sign, where one without a currency is for all others. None where money goes out.
        account: Option<AccountText> = "0011223344 Operator Contoh",
        /// The highest amount of one order; takes a channel of one currency.
        amount_max: Option<DecimalAmount> = "50000",
    }
}
shape! {
    /// What is particular to a way for money in or out.
    ChannelView {
        /// Which way: `in` or `out`.
        flow: String = "in",
        /// The currencies that go through it; none is all.
        currencies: Vec<String> = ["THB"],
        /// What we take of each amount, in per cent.
        fee_percent: String = "1",
        /// What we take in any case.
        fee_fixed: Option<String> = "2.50",
        /// What a rupiah of telephone credit is worth.
        rate: Option<String> = null,
        /// Where payers send their money.
        account: Option<String> = "0011223344 Operator Contoh",
        /// The highest amount of one order.
        amount_max: Option<String> = "50000",
    }
}

impl From<&Channel> for ChannelView {
    /// Amounts stand only in channels of one currency, because nothing else is taken.
    fn from(channel: &Channel) -> Self {
        let currency = channel.currencies.first().copied().unwrap_or(Currency::Idr);
        let shown = |minor: u64| {
            let minor = i64::try_from(minor).unwrap_or(i64::MAX);
            Amount::new(minor, currency).map(|amount| amount.to_string()).unwrap_or_default()
        };
        let rate = |rate: u8| format!("{}.{:02}", rate / 100, rate % 100);
        Self {
            flow: word(channel.flow).to_owned(),
            currencies: channel.currencies.iter().map(|it| it.code().to_owned()).collect(),
            fee_percent: percent(channel.fee.per_million),
            fee_fixed: Some(channel.fee.fixed).filter(|it| *it > 0).map(|it| shown(it.into())),
            rate: channel.rate_hundredths.map(rate),
            account: Some(channel.account.clone()).filter(|account| !account.is_empty()),
            amount_max: channel.amount_max.map(shown),
        }
    }
}

const fn word(flow: Flow) -> &'static str {
    match flow {
        Flow::In => "in",
        Flow::Out => "out",
    }
}

/// Millionths as per cent, with no more decimals than they need.
fn percent(per_million: u32) -> String {
    let text = format!("{}.{:04}", per_million / 10_000, per_million % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A channel as it was sent, if it can do what its codes promise.
pub(super) fn channel(sent: ChannelShape, aliases: &[Alias]) -> Result<Channel, Denial> {
    let currencies: Vec<_> = sent.currencies.into_iter().map(CurrencyCode::currency).collect();
    let mut seen = BTreeSet::new();
    if let Some(twice) = currencies.iter().find(|currency| !seen.insert(currency.code())) {
        return Err(contradictory(format!("the currency {} stands twice", twice.code())));
    }
    let minor = |name: &str, text: Option<DecimalAmount>| {
        let Some(text) = text else { return Ok(None) };
        let [currency] = currencies.as_slice() else {
            return Err(contradictory(format!("{name} takes a channel of exactly one currency")));
        };
        let minor = amount(&text, *currency)?.minor();
        u64::try_from(minor).map(Some).map_err(|_| Denial::from(Code::AmountInvalid))
    };
    let fixed = minor("fee_fixed", sent.fee_fixed)?.unwrap_or_default();
    let fixed = u32::try_from(fixed)
        .map_err(|_| Denial::with(Code::AmountInvalid, "fee_fixed is too high"))?;
    let amount_max = minor("amount_max", sent.amount_max)?;
    if amount_max == Some(0) {
        return Err(contradictory("amount_max is zero; switch the product off instead"));
    }
    let channel = Channel {
        flow: match sent.flow {
            ChannelFlow::In => Flow::In,
            ChannelFlow::Out => Flow::Out,
        },
        currencies,
        fee: Fee { per_million: millionths(&sent.fee_percent.0).unwrap_or_default(), fixed },
        rate_hundredths: sent.rate.and_then(|rate| hundredths(&rate.0)),
        account: sent.account.map(|account| account.0).unwrap_or_default(),
        amount_max,
    };
    check_account(&channel)?;
    aliases.iter().try_for_each(|alias| check_code(&channel, alias))?;
    Ok(channel)
}

/// Everybody who pays has to be told where, and a currency that is misspelt would be told the place
/// for the others.
fn check_account(channel: &Channel) -> Result<(), Denial> {
    if channel.flow == Flow::Out {
        let is_none = channel.account.is_empty();
        return is_none
            .then_some(())
            .ok_or_else(|| contradictory("only a channel for money that comes in has an account"));
    }
    let mut seen = BTreeSet::new();
    for entry in channel.account.split(';').map(str::trim).filter(|entry| !entry.is_empty()) {
        let code = entry.split_once('=').map(|(code, _)| code);
        let currency = code.map(|code| {
            let known = Currency::from_code(code).filter(|currency| channel.takes(*currency));
            known.ok_or_else(|| {
                contradictory(format!("account: {code} is no currency of this channel"))
            })
        });
        if !seen.insert(currency.transpose()?.map(Currency::code)) {
            return Err(contradictory("account: two places for the same currency"));
        }
    }
    if seen.is_empty() {
        return Err(contradictory("account: no place to which payers send"));
    }
    let named = |currency: &Currency| seen.contains(&Some(currency.code()));
    // A channel for all currencies need not have a place for each.
    let wanted = Currency::ALL.into_iter();
    for currency in wanted.filter(|it| channel.currencies.contains(it) || named(it)) {
        let Some(account) = channel.account_for(currency) else {
            let code = currency.code();
            return Err(contradictory(format!("account: no place to which payers send {code}")));
        };
        let address = account.split(' ').next().unwrap_or_default();
        if currency == Currency::Inr && !address.contains('@') {
            return Err(contradictory("account: INR is paid to an address such as shop@bank"));
        }
    }
    Ok(())
}

/// What a protocol needs of a channel that it has a code for.
fn check_code(channel: &Channel, alias: &Alias) -> Result<(), Denial> {
    let demands: &[(bool, &str)] = match alias.protocol.as_str() {
        ilenpay::NAME => &[
            (channel.flow == Flow::In, "ilenpay only takes money in"),
            (channel.currencies == [Currency::Idr], "ilenpay knows IDR and nothing else"),
            (
                channel.rate_hundredths >= Some(RATE_HUNDREDTHS_MIN),
                "ilenpay needs a rate of 0.04 to 1.00",
            ),
            (!channel.account.contains([';', '=']), "ilenpay needs one account, a plain number"),
        ],
        s88pay::NAME => {
            &[(channel.rate_hundredths.is_none(), "s88pay takes money, which has no rate")]
        }
        _ => &[(false, "a channel has codes in ilenpay or s88pay only")],
    };
    let missed = demands.iter().find(|(holds, _)| !holds);
    missed.map_or(Ok(()), |(_, what)| Err(contradictory(what)))
}

/// Whether a product that is there may become this. Orders may wait for money that comes through a
/// channel, so it can be switched off and not be taken away.
pub(super) fn check_change(known: &Product, wanted: &Product) -> Result<(), Denial> {
    let flow = |product: &Product| product.channel.as_ref().map(|channel| channel.flow);
    match (flow(known), flow(wanted)) {
        (before, after) if before == after => Ok(()),
        (Some(_), None) => Err(contradictory(
            "it is a channel and stays one; send its channel along, or switch it off",
        )),
        (None, Some(_)) => {
            Err(contradictory("it is something that is bought; a channel needs another name"))
        }
        _ => Err(contradictory("the flow of a channel never changes")),
    }
}

#[cfg(test)]
mod tests {
    use domain::ProtocolName;
    use serde_json::{Value, json};

    use super::*;

    fn taken(protocol: &str, changes: Value) -> Result<Channel, String> {
        let mut sent = match protocol {
            "ilenpay" => json!({ "flow": "in", "currencies": ["IDR"], "fee_percent": "0",
                "rate": "0.82", "account": "081200000001", "amount_max": "1000000" }),
            _ => json!({ "flow": "in", "currencies": ["THB"], "fee_percent": "1.5",
                "fee_fixed": "2.50", "account": "0011 Budi", "amount_max": "50000" }),
        };
        if let Value::Object(changes) = changes {
            for (name, value) in changes {
                sent[name] = value;
            }
        }
        let sent = serde_json::from_value(sent).map_err(|error| error.to_string())?;
        let alias = Alias { protocol: ProtocolName::new(protocol), code: "P001".to_owned() };
        channel(sent, &[alias]).map_err(|denial| denial.particulars.unwrap_or_default())
    }

    /// Fields that a test changes; null takes one away.
    #[test]
    fn a_channel_that_could_not_work_is_refused_with_its_reason() {
        let table = [
            ("ilenpay", json!({ "flow": "out" }), "only a channel for money that comes in"),
            ("ilenpay", json!({ "flow": "out", "account": null }), "only takes money in"),
            ("ilenpay", json!({ "rate": null }), "needs a rate"),
            ("ilenpay", json!({ "rate": "0.03" }), "needs a rate"),
            ("ilenpay", json!({ "rate": "0.8" }), "RateText"),
            ("ilenpay", json!({ "currencies": ["THB"] }), "IDR and nothing else"),
            ("ilenpay", json!({ "account": null }), "no place to which payers send"),
            ("ilenpay", json!({ "account": "IDR=0812" }), "a plain number"),
            ("iak", json!({}), "ilenpay or s88pay only"),
            ("s88pay", json!({ "rate": "0.82" }), "has no rate"),
            ("s88pay", json!({ "currencies": ["THB", "THB"] }), "THB stands twice"),
            ("s88pay", json!({ "currencies": ["XXX"] }), "XXX"),
            ("s88pay", json!({ "currencies": ["THB", "IDR"] }), "fee_fixed takes a channel of"),
            (
                "s88pay",
                json!({ "currencies": [], "fee_fixed": null }),
                "amount_max takes a channel",
            ),
            ("s88pay", json!({ "amount_max": "0" }), "amount_max is zero"),
            ("s88pay", json!({ "amount_max": "-1" }), "DecimalAmount"),
            ("s88pay", json!({ "fee_fixed": "90000000" }), "fee_fixed is too high"),
            ("s88pay", json!({ "fee_percent": "100" }), "PercentText"),
            ("s88pay", json!({ "account": "TBH=0011" }), "TBH is no currency of this channel"),
            ("s88pay", json!({ "account": "INR=a@b;0011" }), "INR is no currency of this channel"),
            ("s88pay", json!({ "account": "THB=1;THB=2" }), "two places for the same currency"),
            ("s88pay", json!({ "account": "1;2" }), "two places for the same currency"),
            ("s88pay", json!({ "account": ";" }), "no place to which payers send"),
            (
                "s88pay",
                json!({ "currencies": ["THB", "INR"], "fee_fixed": null, "amount_max": null,
                    "account": "INR=a@b" }),
                "no place to which payers send THB",
            ),
            (
                "s88pay",
                json!({ "currencies": [], "fee_fixed": null, "amount_max": null,
                "account": "INR=0011" }),
                "INR is paid to an address",
            ),
            ("s88pay", json!({ "currencies": ["INR"] }), "INR is paid to an address"),
            ("s88pay", json!({ "surplus": 1 }), "unknown field"),
        ];
        for (protocol, changes, expected) in table {
            let refused = taken(protocol, changes.clone()).expect_err(expected);
            assert!(refused.contains(expected), "{protocol} {changes}: {refused}");
        }
    }

    #[test]
    fn what_is_shown_can_be_sent_back() {
        let one_of_many = json!({ "currencies": [], "fee_fixed": null, "amount_max": null,
            "account": "INR=toko@lunas Budi; 0011 Budi" });
        let table = [
            ("ilenpay", json!({})),
            ("s88pay", json!({})),
            ("s88pay", one_of_many),
            ("s88pay", json!({ "currencies": [], "fee_fixed": null, "amount_max": null })),
            ("s88pay", json!({ "flow": "out", "account": null, "fee_percent": "0.0001" })),
            ("s88pay", json!({ "currencies": ["INR"], "account": "toko@lunas" })),
        ];
        for (protocol, changes) in table {
            let channel = taken(protocol, changes.clone()).expect("a channel");
            let shown = serde_json::to_value(ChannelView::from(&channel)).expect("JSON");
            assert_eq!(taken(protocol, shown.clone()), Ok(channel), "{shown}");
        }
        let baht = taken("s88pay", json!({})).expect("a channel");
        assert_eq!((baht.fee.per_million, baht.fee.fixed), (15_000, 250));
        assert_eq!(baht.amount_max, Some(5_000_000));
    }

    /// The demo's own channels can be loaded by the commands.
    #[test]
    fn the_demo_has_no_channel_that_would_be_refused() {
        let products = protocols::sandbox::demo::products();
        let channels: Vec<_> = products.iter().filter(|it| it.channel.is_some()).collect();
        assert_eq!(channels.len(), 6);
        for product in channels {
            let shown = product.channel.as_ref().map(ChannelView::from);
            let shown = serde_json::to_value(shown).expect("JSON");
            let sent = serde_json::from_value(shown).expect("what is taken");
            let again = channel(sent, &product.aliases).ok();
            assert_eq!(again, product.channel, "{}", product.id);
        }
    }
}
