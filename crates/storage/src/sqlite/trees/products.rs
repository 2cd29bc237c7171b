//! What of a product is a tree or a list: its names, its prices, and what is particular to top-ups
//! and channels.

use std::borrow::Cow;

use domain::product::Fee;
use domain::{Alias, Amount, Channel, Flow, Level, Price, ProtocolName, Terms, TopUp};
use serde::{Deserialize, Serialize};

use super::{StoredAmount, read, write};
use crate::sqlite::fields::{Problem, currency};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredAlias<'a> {
    protocol: Cow<'a, str>,
    code: Cow<'a, str>,
}

pub(in crate::sqlite) fn write_aliases(aliases: &[Alias]) -> Result<String, Problem> {
    let stored = aliases.iter().map(|alias| StoredAlias {
        protocol: Cow::Borrowed(alias.protocol.as_str()),
        code: Cow::Borrowed(&alias.code),
    });
    write(&stored.collect::<Vec<_>>())
}

pub(in crate::sqlite) fn read_aliases(json: &str) -> Result<Vec<Alias>, Problem> {
    let alias = |stored: StoredAlias<'_>| Alias {
        protocol: ProtocolName::new(stored.protocol.as_ref()),
        code: stored.code.into_owned(),
    };
    Ok(read::<Vec<_>>(json)?.into_iter().map(alias).collect())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredTerms<'a> {
    level: Cow<'a, str>,
    protocol: Option<Cow<'a, str>>,
    admin_fee: StoredAmount,
    commission: StoredAmount,
}

pub(in crate::sqlite) fn write_terms(terms: &[Terms]) -> Result<String, Problem> {
    let stored = terms.iter().map(|terms| StoredTerms {
        level: Cow::Borrowed(&terms.level.0),
        protocol: terms.protocol.as_ref().map(|protocol| Cow::Borrowed(protocol.as_str())),
        admin_fee: terms.admin_fee.into(),
        commission: terms.commission.into(),
    });
    write(&stored.collect::<Vec<_>>())
}

pub(in crate::sqlite) fn read_terms(json: &str) -> Result<Vec<Terms>, Problem> {
    let terms = |stored: StoredTerms<'_>| {
        Ok(Terms {
            level: Level(stored.level.into_owned()),
            protocol: stored.protocol.map(|protocol| ProtocolName::new(protocol.as_ref())),
            admin_fee: stored.admin_fee.amount()?,
            commission: stored.commission.amount()?,
        })
    };
    read::<Vec<_>>(json)?.into_iter().map(terms).collect()
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredPrice<'a> {
    level: Cow<'a, str>,
    protocol: Option<Cow<'a, str>>,
    amount: StoredAmount,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredTopUp<'a> {
    operator: Cow<'a, str>,
    denomination: Cow<'a, str>,
    details: Cow<'a, str>,
    active_days: u16,
    cost: Option<StoredAmount>,
    prices: Vec<StoredPrice<'a>>,
}

pub(in crate::sqlite) fn write_top_up(top_up: &TopUp) -> Result<String, Problem> {
    let prices = top_up.prices.iter().map(|price| StoredPrice {
        level: Cow::Borrowed(&price.level.0),
        protocol: price.protocol.as_ref().map(|protocol| Cow::Borrowed(protocol.as_str())),
        amount: price.amount.into(),
    });
    write(&StoredTopUp {
        operator: Cow::Borrowed(&top_up.operator),
        denomination: Cow::Borrowed(&top_up.denomination),
        details: Cow::Borrowed(&top_up.details),
        active_days: top_up.active_days,
        cost: top_up.cost.map(StoredAmount::from),
        prices: prices.collect(),
    })
}

pub(in crate::sqlite) fn read_top_up(json: &str) -> Result<TopUp, Problem> {
    let stored: StoredTopUp<'_> = read(json)?;
    let price = |stored: StoredPrice<'_>| {
        Ok(Price {
            level: Level(stored.level.into_owned()),
            protocol: stored.protocol.map(|protocol| ProtocolName::new(protocol.as_ref())),
            amount: stored.amount.amount()?,
        })
    };
    let cost: Option<Result<Amount, Problem>> = stored.cost.map(|cost| cost.amount());
    Ok(TopUp {
        operator: stored.operator.into_owned(),
        denomination: stored.denomination.into_owned(),
        details: stored.details.into_owned(),
        active_days: stored.active_days,
        cost: cost.transpose()?,
        prices: stored.prices.into_iter().map(price).collect::<Result<_, Problem>>()?,
    })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StoredFlow {
    In,
    Out,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredChannel<'a> {
    flow: StoredFlow,
    currencies: Vec<Cow<'a, str>>,
    fee_per_million: u32,
    fee_fixed: u32,
    rate_hundredths: Option<u8>,
    account: Cow<'a, str>,
    amount_max: Option<u64>,
}

pub(in crate::sqlite) fn write_channel(channel: &Channel) -> Result<String, Problem> {
    write(&StoredChannel {
        flow: match channel.flow {
            Flow::In => StoredFlow::In,
            Flow::Out => StoredFlow::Out,
        },
        currencies: channel.currencies.iter().map(|it| Cow::Borrowed(it.code())).collect(),
        fee_per_million: channel.fee.per_million,
        fee_fixed: channel.fee.fixed,
        rate_hundredths: channel.rate_hundredths,
        account: Cow::Borrowed(&channel.account),
        amount_max: channel.amount_max,
    })
}

pub(in crate::sqlite) fn read_channel(json: &str) -> Result<Channel, Problem> {
    let stored: StoredChannel<'_> = read(json)?;
    let currencies = stored.currencies.iter().map(|code| currency(code));
    Ok(Channel {
        flow: match stored.flow {
            StoredFlow::In => Flow::In,
            StoredFlow::Out => Flow::Out,
        },
        currencies: currencies.collect::<Result<_, _>>()?,
        fee: Fee { per_million: stored.fee_per_million, fixed: stored.fee_fixed },
        rate_hundredths: stored.rate_hundredths,
        account: stored.account.into_owned(),
        amount_max: stored.amount_max,
    })
}
