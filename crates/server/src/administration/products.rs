//! Products between the admin API and the domain: how they are shown, and how what was sent becomes
//! one.
//!
//! What is shown can be sent back as it is.

use domain::product::{CutOff, Fee};
use domain::{
    Alias, Amount, Channel, Currency, Flow, Level, Price, Product, ProductId, ProductStatus,
    ProtocolName, Terms, TopUp,
};

use super::calls::amount;
use super::codes::{Code, Denial};
use super::forms::{
    self, CurrencyCode, FlowWord, MinuteText, ProductName, ProductState, minute_of_day,
};
use super::requests::{AliasShape, ChannelShape, ProductContent, TermsShape, TopUpShape};
use super::shape::shape;

/// What a fee of everything comes to.
const MILLION: u32 = 1_000_000;

shape! {
    /// A product.
    ProductView {
        /// Our own name for it.
        product: String = "pln-postpaid",
        /// The name on price lists and receipts.
        name: String = "PLN POSTPAID",
        /// The group in which price lists show it.
        group: String = "pln",
        /// The province that it serves.
        province: Option<String> = null,
        /// `active` or `inactive`.
        status: String = "active",
        /// Its codes, per protocol.
        aliases: Vec<AliasView> = [{ "protocol": "iak", "code": "PLNPOSTPAID" }],
        /// Its terms, per level and protocol.
        terms: Vec<TermsView> = [{ "level": "retail", "protocol": "iak", "currency": "IDR",
            "admin_fee": "2500", "commission": "600" }],
        /// When it is closed, daily.
        cut_off: Option<CutOffView> = { "from": "23:00", "until": "01:00" },
        /// What is particular to a top-up; null for a product whose bills are asked for.
        top_up: Option<TopUpView> = null,
        /// What is particular to a way for money in or out; null for anything else.
        channel: Option<ChannelView> = null,
    }
}
shape! {
    /// What is particular to a way for money in or out.
    ChannelView {
        /// `in` or `out`.
        flow: String = "in",
        /// The currencies that go through it; none is all.
        currencies: Vec<String> = ["IDR"],
        /// What we take of each million minor units, rounded up.
        fee_per_million: u32 = 10000,
        /// What we take in any case, in minor units.
        fee_fixed: u32 = 0,
        /// For how many hundredths of cash the channel's own money counts, where it is worth less.
        rate_hundredths: Option<u16> = null,
        /// Where payers send their money.
        account: Option<String> = "0011223344 Toko Contoh",
        /// The highest amount of one order, in minor units; null is without a limit.
        amount_max: Option<u64> = 50000000,
    }
}
shape! {
    /// A product's code in a protocol.
    AliasView {
        /// The protocol.
        protocol: String = "iak",
        /// The code that merchants send.
        code: String = "PLNPOSTPAID",
    }
}
shape! {
    /// What is taken for one bill of a product.
    TermsView {
        /// The price level for which this holds.
        level: String = "retail",
        /// The protocol for which this holds; null for all that have no terms of their own.
        protocol: Option<String> = "iak",
        /// The currency of both amounts.
        currency: String = "IDR",
        /// What the end customer pays on top, per bill.
        admin_fee: String = "2500",
        /// What the merchant keeps, per bill.
        commission: String = "600",
    }
}
shape! {
    /// A daily span in which a product is closed, in Asia/Jakarta.
    CutOffView {
        /// First closed minute.
        from: String = "23:00",
        /// First minute that is open again.
        until: String = "01:00",
    }
}
shape! {
    /// What is particular to a product that is bought at a fixed price.
    TopUpView {
        /// The operator or brand.
        operator: String = "xl",
        /// What one gets, as price lists show it.
        denomination: String = "25000",
        /// What else is to be known of it.
        details: Option<String> = null,
        /// For how many days it can be used; 0 where that does not apply.
        active_days: u16 = 30,
        /// The currency of cost and prices.
        currency: String = "IDR",
        /// What the supplier takes, as far as is known.
        cost: Option<String> = "24900",
        /// The prices, per level and protocol.
        prices: Vec<PriceView> = [{ "level": "retail", "protocol": "isikuota", "amount": "25150" }],
    }
}
shape! {
    /// What a merchant pays for one piece.
    PriceView {
        /// The price level for which this holds.
        level: String = "retail",
        /// The protocol for which this holds; null for all that have no price of their own.
        protocol: Option<String> = "isikuota",
        /// What leaves the merchant's balance.
        amount: String = "25150",
    }
}

impl From<&Product> for ProductView {
    fn from(product: &Product) -> Self {
        let status = match product.status {
            ProductStatus::Active => "active",
            ProductStatus::Inactive => "inactive",
        };
        let minute = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        Self {
            product: product.id.to_string(),
            name: product.name.clone(),
            group: product.group.clone(),
            province: product.province.clone(),
            status: status.to_owned(),
            aliases: product.aliases.iter().map(AliasView::from).collect(),
            terms: product.terms.iter().map(TermsView::from).collect(),
            cut_off: product.cut_off.map(|it| CutOffView {
                from: minute(it.from_minute),
                until: minute(it.until_minute),
            }),
            top_up: product.top_up.as_ref().map(TopUpView::from),
            channel: product.channel.as_ref().map(ChannelView::from),
        }
    }
}

impl From<&Channel> for ChannelView {
    fn from(channel: &Channel) -> Self {
        let flow = match channel.flow {
            Flow::In => "in",
            Flow::Out => "out",
        };
        Self {
            flow: flow.to_owned(),
            currencies: channel.currencies.iter().map(|it| it.code().to_owned()).collect(),
            fee_per_million: channel.fee.per_million,
            fee_fixed: channel.fee.fixed,
            rate_hundredths: channel.rate_hundredths.map(u16::from),
            account: Some(channel.account.clone()).filter(|account| !account.is_empty()),
            amount_max: channel.amount_max,
        }
    }
}

impl From<&Alias> for AliasView {
    fn from(alias: &Alias) -> Self {
        Self { protocol: alias.protocol.to_string(), code: alias.code.clone() }
    }
}

impl From<&Terms> for TermsView {
    fn from(terms: &Terms) -> Self {
        Self {
            level: terms.level.0.clone(),
            protocol: terms.protocol.as_ref().map(ToString::to_string),
            currency: terms.admin_fee.currency().code().to_owned(),
            admin_fee: terms.admin_fee.to_string(),
            commission: terms.commission.to_string(),
        }
    }
}

impl From<&TopUp> for TopUpView {
    /// Cost and prices have one currency, because nothing else is taken.
    fn from(top_up: &TopUp) -> Self {
        let price = |price: &Price| PriceView {
            level: price.level.0.clone(),
            protocol: price.protocol.as_ref().map(ToString::to_string),
            amount: price.amount.to_string(),
        };
        let amounts = top_up.prices.iter().map(|price| price.amount).chain(top_up.cost);
        let currency = amounts.map(Amount::currency).next().unwrap_or(Currency::Idr);
        Self {
            operator: top_up.operator.clone(),
            denomination: top_up.denomination.clone(),
            details: Some(top_up.details.clone()).filter(|details| !details.is_empty()),
            active_days: top_up.active_days,
            currency: currency.code().to_owned(),
            cost: top_up.cost.map(|cost| cost.to_string()),
            prices: top_up.prices.iter().map(price).collect(),
        }
    }
}

/// Whether a product is on sale, in the domain's words.
pub(super) const fn product_status(state: ProductState) -> ProductStatus {
    match state {
        ProductState::Active => ProductStatus::Active,
        ProductState::Inactive => ProductStatus::Inactive,
    }
}

/// A product as it was sent, if it does not contradict itself.
pub(super) fn product(id: &ProductName, content: ProductContent) -> Result<Product, Denial> {
    let minute = |text: &MinuteText| minute_of_day(&text.0).unwrap_or_default();
    let cut_off = content
        .cut_off
        .map(|it| CutOff { from_minute: minute(&it.from), until_minute: minute(&it.until) });
    if cut_off.is_some_and(|it| it.from_minute == it.until_minute) {
        return Err(contradictory("the closing hours are empty"));
    }
    if content.top_up.is_some() && !content.terms.is_empty() {
        return Err(contradictory("a top-up has prices and no terms"));
    }
    if content.channel.is_some() && (content.top_up.is_some() || !content.terms.is_empty()) {
        return Err(contradictory("a channel has neither terms nor prices"));
    }
    Ok(Product {
        id: ProductId::new(id.0.as_str()),
        name: content.name.0,
        group: content.group.0,
        province: content.province.map(|it| it.0),
        status: product_status(content.status),
        aliases: aliases(content.aliases)?,
        terms: terms(content.terms)?,
        cut_off,
        top_up: content.top_up.map(top_up).transpose()?,
        channel: content.channel.map(channel).transpose()?,
    })
}

fn channel(sent: ChannelShape) -> Result<Channel, Denial> {
    let mut currencies = Vec::new();
    for currency in sent.currencies.into_iter().map(CurrencyCode::currency) {
        if currencies.contains(&currency) {
            return Err(contradictory("a currency stands twice"));
        }
        currencies.push(currency);
    }
    if sent.fee_per_million > MILLION {
        return Err(contradictory("the fee is more than the amount"));
    }
    let hundredths = |it| u8::try_from(it).ok().filter(|it| (1..=100).contains(it));
    let rate_hundredths = match sent.rate_hundredths {
        None => None,
        Some(rate) => {
            let rate = hundredths(rate);
            Some(rate.ok_or_else(|| contradictory("a rate is 1 to 100 hundredths"))?)
        }
    };
    Ok(Channel {
        flow: match sent.flow {
            FlowWord::In => Flow::In,
            FlowWord::Out => Flow::Out,
        },
        currencies,
        fee: Fee { per_million: sent.fee_per_million, fixed: sent.fee_fixed },
        rate_hundredths,
        account: sent.account.map(|it| it.0).unwrap_or_default(),
        amount_max: sent.amount_max,
    })
}

fn contradictory(what: &str) -> Denial {
    Denial::with(Code::ProductContradictory, what)
}

fn protocol(it: forms::Protocol) -> ProtocolName {
    ProtocolName::new(it.parts().0)
}

fn aliases(sent: Vec<AliasShape>) -> Result<Vec<Alias>, Denial> {
    let mut aliases: Vec<Alias> = Vec::new();
    for alias in sent {
        let alias = Alias { protocol: protocol(alias.protocol), code: alias.code.0 };
        if aliases.contains(&alias) {
            return Err(contradictory("a code stands twice"));
        }
        aliases.push(alias);
    }
    Ok(aliases)
}

fn terms(sent: Vec<TermsShape>) -> Result<Vec<Terms>, Denial> {
    let mut terms: Vec<Terms> = Vec::new();
    for it in sent {
        let currency = it.currency.currency();
        let it = Terms {
            level: Level(it.level.0),
            protocol: it.protocol.map(protocol),
            admin_fee: amount(&it.admin_fee, currency)?,
            commission: amount(&it.commission, currency)?,
        };
        if terms.iter().any(|other| other.level == it.level && other.protocol == it.protocol) {
            return Err(contradictory("terms of a level and protocol stand twice"));
        }
        terms.push(it);
    }
    Ok(terms)
}

fn top_up(sent: TopUpShape) -> Result<TopUp, Denial> {
    let currency = sent.currency.currency();
    let mut prices: Vec<Price> = Vec::new();
    for it in sent.prices {
        let it = Price {
            level: Level(it.level.0),
            protocol: it.protocol.map(protocol),
            amount: amount(&it.amount, currency)?,
        };
        if prices.iter().any(|other| other.level == it.level && other.protocol == it.protocol) {
            return Err(contradictory("prices of a level and protocol stand twice"));
        }
        prices.push(it);
    }
    Ok(TopUp {
        operator: sent.operator.0,
        denomination: sent.denomination.0,
        details: sent.details.map(|it| it.0).unwrap_or_default(),
        active_days: sent.active_days,
        cost: sent.cost.map(|cost| amount(&cost, currency)).transpose()?,
        prices,
    })
}
