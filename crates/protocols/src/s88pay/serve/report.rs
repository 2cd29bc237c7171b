//! Where a transaction stands, the balance, and the ways for money (S88pay reference, sections 8, 9 and
//! 12.3). Nothing here changes anything.

use domain::{Currency, Flow, Kind, Order};
use gateway::collect::told;
use http::StatusCode;

use super::deposit::told as kept;
use super::identify::Caller;
use super::{Served, denied, transaction_code};
use crate::exchange::Answer;
use crate::s88pay::lists::currency_name;
use crate::s88pay::wire::answer::{Balance, Denial, Listed, ListedChannel, Transaction, json};
use crate::s88pay::wire::local_time;
use crate::s88pay::wire::money::{self, Number};
use crate::s88pay::wire::standing::Standing;
use crate::s88pay::{NAME, codes, figures};

const FOUND: &str = "Request transaction list successful";
const NOT_FOUND: &str = "Transaction not found";
const CHANNELS: &str = "Request channel list successful";

impl Served {
    pub(super) async fn status(&self, caller: &Caller) -> Result<Answer, Denial> {
        let code = transaction_code(&caller.parameters)?;
        let order = self.named(&caller.merchant, code, Flow::Out).await?;
        let Some(order) = order else {
            let none: [Transaction<'_>; 0] = [];
            let body = Listed { success: false, message: NOT_FOUND, data: Vec::from(none) };
            return Ok(json(StatusCode::OK, &body));
        };
        let data = vec![self.transaction(&order)?];
        Ok(json(StatusCode::OK, &Listed { success: true, message: FOUND, data }))
    }

    fn transaction<'a>(&self, order: &'a Order) -> Result<Transaction<'a>, Denial> {
        let (amount, fee) = figures(order).ok_or(codes::SERVER_ERROR)?;
        let catalogue = self.gateway.catalogue();
        let reference = match order.kind {
            Kind::Collection => kept(order, told::REFERENCE),
            Kind::Payout | Kind::Purchase => order
                .delivery
                .as_ref()
                .map(|delivery| delivery.serial_number.as_str())
                .filter(|serial_number| !serial_number.is_empty()),
        };
        Ok(Transaction {
            transaction_code: order.key.reference.as_str(),
            transaction_no: self.number(order)?,
            kind: if order.kind == Kind::Collection { "deposit" } else { "payout" },
            status: Standing::of(order).name(),
            amount: Number(amount),
            transaction_fee: Number(fee),
            currency_code: amount.currency().code(),
            currency_name: currency_name(amount.currency()),
            datetime: local_time::universal(order.created_at),
            method_name: catalogue
                .product(&order.product)
                .map_or_else(|| order.code.clone(), |product| product.name.clone()),
            note: None,
            transaction_ref: reference,
            transaction_ref2: None,
        })
    }

    pub(super) async fn balance(&self, caller: &Caller) -> Result<Answer, Denial> {
        let currency = caller.merchant.currency;
        let holdings = self.gateway.holdings(&caller.merchant).await;
        let holdings = holdings.map_err(|rejection| denied(rejection, Flow::Out))?;
        let balance = Balance {
            currency_name: currency_name(currency),
            currency_code: currency.code(),
            balance: money::with_three_decimals(holdings.total),
            frozen_balance: money::with_three_decimals(holdings.set_aside),
            available_balance: money::with_three_decimals(holdings.available),
        };
        Ok(json(StatusCode::OK, &balance))
    }

    pub(super) fn channels(&self, caller: &Caller) -> Result<Answer, Denial> {
        let wanted = caller.parameters.optional(&["currency_code"]);
        let currency = caller.merchant.currency;
        if wanted.is_some_and(|code| code != currency.code()) {
            return Err(codes::CURRENCY.into());
        }
        let catalogue = self.gateway.catalogue();
        let now = self.gateway.now();
        let listed = catalogue.codes(NAME).filter_map(|(code, product)| {
            let channel = product.channel.as_ref().filter(|it| is_open(it, currency))?;
            Some(ListedChannel {
                kind: if channel.flow == Flow::In { "deposit" } else { "payout" },
                code,
                name: &product.name,
                is_maintenance: product.on_sale(now, self.gateway.cut_offs()).is_err(),
            })
        });
        let data: Vec<_> = listed.collect();
        Ok(json(StatusCode::OK, &Listed { success: true, message: CHANNELS, data }))
    }
}

/// Whether a channel has all that this currency needs.
fn is_open(channel: &domain::Channel, currency: Currency) -> bool {
    let receives = channel.flow == Flow::Out || channel.account_for(currency).is_some();
    channel.takes(currency) && receives
}
