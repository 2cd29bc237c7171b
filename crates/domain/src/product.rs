//! What can be bought, what it is called in each protocol, and what it costs.

use std::time::Duration;

use crate::bill::Bill;
use crate::identifier::{ProductId, ProtocolName};
use crate::merchant::Level;
use crate::money::{Amount, AmountError, Currency};
use crate::order::Quote;
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// Whether a product is on sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductStatus {
    /// On sale.
    Active,
    /// Switched off, for instance while the biller is down.
    Inactive,
}

/// A product's name in one protocol. A protocol may know one product under several codes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Alias {
    /// The protocol.
    pub protocol: ProtocolName,
    /// The code that merchants send, byte for byte.
    pub code: String,
}

/// What we take for one bill of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The price level for which this holds.
    pub level: Level,
    /// The protocol for which this holds; none is for all that have no terms of their own.
    pub protocol: Option<ProtocolName>,
    /// What the end customer pays on top, per bill.
    pub admin_fee: Amount,
    /// What the merchant keeps of the total, per bill.
    pub commission: Amount,
}

/// What a merchant pays for one piece of a product that has a fixed price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The price level for which this holds.
    pub level: Level,
    /// The protocol for which this holds; none is for all that have no price of their own.
    pub protocol: Option<ProtocolName>,
    /// What leaves the merchant's balance.
    pub amount: Amount,
}

/// What is particular to a product that is bought at a fixed price, without asking for a bill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopUp {
    /// The operator or brand, such as `telkomsel` or `mobile_legend`.
    pub operator: String,
    /// What one gets, as price lists show it: `10000`, `110 Diamonds`.
    pub denomination: String,
    /// What else is to be known of it; empty where there is nothing.
    pub details: String,
    /// For how many days it can be used; zero where that doesn't apply.
    pub active_days: u16,
    /// What the supplier takes for it, as far as is known. It decides nothing; prices are compared
    /// with it, and the supplier's own word counts in the books.
    pub cost: Option<Amount>,
    /// The prices, per level and protocol.
    pub prices: Vec<Price>,
}

/// Which way money goes through a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// From payers to merchants.
    In,
    /// From merchants to bank accounts and wallets.
    Out,
}

/// What we take of what goes through a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fee {
    /// Of each million minor units. What is left of a minor unit is rounded up.
    pub per_million: u32,
    /// In any case, in minor units of the currency.
    pub fixed: u32,
}

impl Fee {
    /// The fee of this amount.
    pub fn of(self, amount: Amount) -> Result<Amount, AmountError> {
        const MILLION: i128 = 1_000_000;
        let overflow = |_| AmountError::Overflow;
        let share = i128::from(amount.minor()).checked_mul(self.per_million.into());
        let share = share.and_then(|share| share.checked_add(MILLION - 1));
        let share = share.ok_or(AmountError::Overflow)?.checked_div(MILLION).unwrap_or_default();
        let share = i64::try_from(share).map_err(overflow)?;
        let fixed = Amount::new(self.fixed.into(), amount.currency())?;
        Amount::new(share, amount.currency())?.plus(fixed)
    }
}

/// What is particular to a way for money in or out, which is a product like any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Which way.
    pub flow: Flow,
    /// The currencies that go through it; none given is all.
    pub currencies: Vec<Currency>,
    /// What we take.
    pub fee: Fee,
    /// For how many hundredths of the amount one whole unit of the channel's own money counts, where
    /// that is worth less than cash, as telephone credit is: 82 means Rp82 for credit of Rp100.
    pub rate_hundredths: Option<u8>,
    /// Where payers send their money; empty where they are told otherwise. A channel for several
    /// currencies may have one account for each; see [`Channel::account_for`].
    pub account: String,
    /// The highest amount of one order, in minor units; none is without a limit.
    pub amount_max: Option<u64>,
}

impl Channel {
    /// Whether this currency goes through it.
    pub fn takes(&self, currency: Currency) -> bool {
        self.currencies.is_empty() || self.currencies.contains(&currency)
    }

    /// Where payers send this currency: the account is written as it stands, or as several between
    /// semicolons, each behind a currency's code and an equals sign, where one without a code is for
    /// all other currencies. None if there is nothing for it.
    pub fn account_for(&self, currency: Currency) -> Option<&str> {
        let entries = || self.account.split(';').map(str::trim);
        let of =
            |entry: &'_ str| entry.split_once('=').and_then(|(code, _)| Currency::from_code(code));
        let own = entries().find(|entry| of(entry) == Some(currency));
        let own = own.and_then(|entry| entry.split_once('=')).map(|(_, account)| account);
        let others = || entries().find(|entry| of(entry).is_none());
        own.or_else(others).map(str::trim).filter(|account| !account.is_empty())
    }
}

/// A daily span in which a product is closed, in minutes since midnight in Asia/Jakarta. A span
/// whose end lies before its start crosses midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutOff {
    /// First closed minute.
    pub from_minute: u16,
    /// First minute that is open again.
    pub until_minute: u16,
}

impl CutOff {
    /// Whether the product is closed at this instant.
    pub fn covers(self, at: Timestamp) -> bool {
        let minute = at.minute_of_day();
        if self.from_minute <= self.until_minute {
            (self.from_minute..self.until_minute).contains(&minute)
        } else {
            minute >= self.from_minute || minute < self.until_minute
        }
    }
}

/// Something that can be bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Our own name for it.
    pub id: ProductId,
    /// The name on price lists and receipts.
    pub name: String,
    /// The group in which price lists show it, such as `pln` or `pdam`.
    pub group: String,
    /// The province that it serves, for billers that serve one.
    pub province: Option<String>,
    /// Whether it is on sale.
    pub status: ProductStatus,
    /// Its names, per protocol.
    pub aliases: Vec<Alias>,
    /// The terms of its bills, per level and protocol; none for a top-up.
    pub terms: Vec<Terms>,
    /// When it is closed, daily.
    pub cut_off: Option<CutOff>,
    /// What is particular to it if it is bought at a fixed price; none if bills are asked for.
    pub top_up: Option<TopUp>,
    /// What is particular to it if it is a way for money in or out; nothing is bought then.
    pub channel: Option<Channel>,
}

impl Product {
    /// What a merchant of this level pays for it in this protocol, if it has a fixed price: the
    /// price made for the protocol, else the one for all of them.
    pub fn price_for(&self, level: &Level, protocol: &ProtocolName) -> Option<Amount> {
        let prices = self.top_up.iter().flat_map(|top_up| &top_up.prices);
        let of_level = || prices.clone().filter(|price| price.level == *level);
        of_level()
            .find(|price| price.protocol.as_ref() == Some(protocol))
            .or_else(|| of_level().find(|price| price.protocol.is_none()))
            .map(|price| price.amount)
    }

    /// The terms for a merchant of this level in this protocol: those made for the protocol, else
    /// those for all of them.
    pub fn terms_for(&self, level: &Level, protocol: &ProtocolName) -> Option<&Terms> {
        let of_level = || self.terms.iter().filter(|terms| terms.level == *level);
        of_level()
            .find(|terms| terms.protocol.as_ref() == Some(protocol))
            .or_else(|| of_level().find(|terms| terms.protocol.is_none()))
    }

    /// Whether it can be bought now. `cut_offs` tells whether closing hours are honoured, which the
    /// sandbox does not do.
    pub fn on_sale(&self, at: Timestamp, cut_offs: bool) -> Result<(), Refusal> {
        if self.status == ProductStatus::Inactive {
            return Err(Refusal::ProductUnavailable);
        }
        match self.cut_off {
            Some(cut_off) if cut_offs && cut_off.covers(at) => Err(Refusal::CutOff),
            _ => Ok(()),
        }
    }
}

/// How long a quote can be paid; the protocol through which it was made decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuoteExpiry {
    /// Until midnight in Asia/Jakarta.
    SameDay,
    /// For this long.
    After(Duration),
}

impl QuoteExpiry {
    /// The first instant at which a quote made now can no longer be paid.
    pub fn instant(self, made: Timestamp) -> Timestamp {
        match self {
            Self::SameDay => made.business_day().end(),
            Self::After(duration) => made.after(duration),
        }
    }
}

/// Prices a bill: fee and commission count once per single bill in it.
///
/// Refuses a bill whose total exceeds `total_max`, and one whose commission leaves nothing to charge.
pub fn price_bill(terms: &Terms, bill: &Bill, total_max: Amount) -> Result<Quote, Refusal> {
    let priced = || {
        let admin = terms.admin_fee.times(bill.count)?;
        let commission = terms.commission.times(bill.count)?;
        let price = bill.nominal.plus(admin)?;
        let charge = price.minus(commission)?;
        Ok::<_, crate::money::AmountError>(Quote {
            nominal: bill.nominal,
            admin_fee: terms.admin_fee,
            admin,
            price,
            charge,
        })
    };
    let quote = priced().map_err(|_| Refusal::AmountInvalid)?;
    if quote.price.minor() > total_max.minor() || quote.price.currency() != total_max.currency() {
        return Err(Refusal::BillTooLarge);
    }
    if quote.charge.is_zero() {
        return Err(Refusal::AmountInvalid);
    }
    Ok(quote)
}

/// The highest total of one bill payment, Rp50.000.000 (IAK reference, section 2.6).
pub fn bill_total_max() -> Amount {
    Amount::new(50_000_000, Currency::Idr).unwrap_or(Amount::zero(Currency::Idr))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bill::{Detail, Period};

    fn terms(level: &str, protocol: Option<&str>, admin_fee: u32, commission: u32) -> Terms {
        Terms {
            level: Level(level.to_owned()),
            protocol: protocol.map(ProtocolName::new),
            admin_fee: Amount::rupiah(admin_fee),
            commission: Amount::rupiah(commission),
        }
    }

    fn bill(nominal: u32, count: u32) -> Bill {
        Bill {
            customer_name: String::new(),
            period: Period::None,
            nominal: Amount::rupiah(nominal),
            count,
            details: Detail::none(),
        }
    }

    #[test]
    fn fees_count_per_bill() {
        // nominal, bills, fee, commission -> admin, price, charge
        let table = [
            (150_000, 1, 2500, 600, 2500, 152_500, 151_900),
            (300_000, 3, 2500, 1200, 7500, 307_500, 303_900),
            (90_000, 1, 0, 1100, 0, 90_000, 88_900),
            (1000, 1, 1600, 1800, 1600, 2600, 800),
        ];
        for (nominal, count, fee, commission, admin, price, charge) in table {
            let quote = price_bill(
                &terms("retail", None, fee, commission),
                &bill(nominal, count),
                bill_total_max(),
            )
            .expect("priced");
            assert_eq!(
                (quote.admin, quote.price, quote.charge),
                (Amount::rupiah(admin), Amount::rupiah(price), Amount::rupiah(charge))
            );
        }
    }

    #[test]
    fn bills_without_a_sane_price_are_refused() {
        let total_max = bill_total_max();
        let free = terms("retail", None, 0, 0);
        assert!(price_bill(&free, &bill(50_000_000, 1), total_max).is_ok());
        assert_eq!(price_bill(&free, &bill(50_000_001, 1), total_max), Err(Refusal::BillTooLarge));
        assert_eq!(price_bill(&free, &bill(0, 1), total_max), Err(Refusal::AmountInvalid));
        let generous = terms("retail", None, 0, 500);
        assert_eq!(price_bill(&generous, &bill(499, 1), total_max), Err(Refusal::AmountInvalid));
    }

    #[test]
    fn terms_of_the_protocol_win() {
        let product = Product {
            id: ProductId::new("pln-postpaid"),
            name: "PLN".to_owned(),
            group: "pln".to_owned(),
            province: None,
            status: ProductStatus::Active,
            aliases: Vec::new(),
            terms: vec![terms("retail", None, 1, 0), terms("retail", Some("iak"), 2, 0)],
            cut_off: None,
            top_up: None,
            channel: None,
        };
        let fee = |level: &str, protocol: &str| {
            product
                .terms_for(&Level(level.to_owned()), &ProtocolName::new(protocol))
                .map(|terms| terms.admin_fee.minor())
        };
        assert_eq!(fee("retail", "iak"), Some(2));
        assert_eq!(fee("retail", "isikuota"), Some(1));
        assert_eq!(fee("wholesale", "iak"), None);
    }

    #[test]
    fn prices_of_the_protocol_win_and_other_levels_do_not_count() {
        let price = |level: &str, protocol: Option<&str>, amount| Price {
            level: Level(level.to_owned()),
            protocol: protocol.map(ProtocolName::new),
            amount: Amount::rupiah(amount),
        };
        let mut product = Product {
            id: ProductId::new("telkomsel-10"),
            name: "Telkomsel 10.000".to_owned(),
            group: "pulsa".to_owned(),
            province: None,
            status: ProductStatus::Active,
            aliases: Vec::new(),
            terms: Vec::new(),
            cut_off: None,
            top_up: Some(TopUp {
                operator: "telkomsel".to_owned(),
                denomination: "10000".to_owned(),
                details: String::new(),
                active_days: 30,
                cost: None,
                prices: vec![
                    price("retail", None, 10_500),
                    price("retail", Some("iak"), 10_400),
                    price("wholesale", Some("isikuota"), 10_200),
                ],
            }),
            channel: None,
        };
        let asked = |product: &Product, level: &str, protocol: &str| {
            product
                .price_for(&Level(level.to_owned()), &ProtocolName::new(protocol))
                .map(Amount::minor)
        };
        assert_eq!(asked(&product, "retail", "iak"), Some(10_400));
        assert_eq!(asked(&product, "retail", "isikuota"), Some(10_500));
        assert_eq!(asked(&product, "wholesale", "isikuota"), Some(10_200));
        assert_eq!(asked(&product, "wholesale", "iak"), None);
        product.top_up = None;
        assert_eq!(asked(&product, "retail", "iak"), None);
    }

    #[test]
    fn fees_are_rounded_up_once() {
        let table = [
            (10_000, 0, 25_000, 250),
            (10_000, 0, 1, 1),
            (10_000, 0, 0, 0),
            (0, 7, 100, 7),
            (25_000, 100, 1000, 125),
            (1_000_000, 0, 33, 33),
        ];
        for (per_million, fixed, minor, expected) in table {
            let amount = Amount::new(minor, Currency::Thb).expect("not negative");
            let fee = Fee { per_million, fixed }.of(amount).map(Amount::minor);
            assert_eq!(fee, Ok(expected), "{per_million} {fixed} of {minor}");
        }
        let most = Amount::new(i64::MAX, Currency::Thb).expect("not negative");
        assert!(Fee { per_million: u32::MAX, fixed: 0 }.of(most).is_err());
        assert_eq!(Fee { per_million: 1_000_000, fixed: 0 }.of(most), Ok(most));
    }

    #[test]
    fn each_currency_may_have_its_own_account() {
        let table = [
            ("", Currency::Idr, None),
            ("081200000001", Currency::Idr, Some("081200000001")),
            ("a=b", Currency::Idr, Some("a=b")),
            ("INR=shop@bank; BDT=0170", Currency::Inr, Some("shop@bank")),
            ("INR=shop@bank; BDT=0170", Currency::Bdt, Some("0170")),
            ("INR=shop@bank; BDT=0170", Currency::Thb, None),
            ("INR=shop@bank;123", Currency::Thb, Some("123")),
            ("123;INR=", Currency::Inr, None),
        ];
        for (account, currency, expected) in table {
            let channel = Channel {
                flow: Flow::In,
                currencies: Vec::new(),
                fee: Fee::default(),
                rate_hundredths: None,
                account: account.to_owned(),
                amount_max: None,
            };
            assert_eq!(channel.account_for(currency), expected, "{account} {currency:?}");
        }
    }

    #[test]
    fn closing_hours_may_cross_midnight() {
        let night = CutOff { from_minute: 23 * 60, until_minute: 60 };
        let noon = CutOff { from_minute: 12 * 60, until_minute: 13 * 60 };
        let at = |minute: i64| Timestamp::from_milliseconds((minute - 7 * 60) * 60_000);
        let table = [
            (night, 23 * 60, true),
            (night, 59, true),
            (night, 60, false),
            (night, 22 * 60 + 59, false),
            (noon, 12 * 60, true),
            (noon, 13 * 60, false),
            (noon, 0, false),
        ];
        for (cut_off, minute, closed) in table {
            assert_eq!(cut_off.covers(at(minute)), closed, "{cut_off:?} at {minute}");
        }
    }
}
