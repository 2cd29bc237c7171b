//! Buying at a fixed price, and paying money out: one commit, then the call.

use std::sync::Arc;
use std::time::Duration;

use domain::command::{Buy, Request, fingerprint};
use domain::{
    Amount, Channel, Command, Currency, Detail, Flow, Merchant, MerchantStatus, Mode, Product,
    ProductId, ProtocolName, Quote, Reference, ReferenceKey, Refusal, Repetition,
};
use tokio::time::Instant;
use tracing::Instrument;

use crate::pay::awaited;
use crate::ports::StoreFault;
use crate::{Gateway, Payment, Rejection};

/// A top-up, as a protocol hands it over.
#[derive(Debug, Clone)]
pub struct TopUpRequest {
    /// Who buys.
    pub merchant: Arc<Merchant>,
    /// Through which protocol.
    pub protocol: ProtocolName,
    /// Live or test.
    pub mode: Mode,
    /// Under which reference.
    pub reference: Reference,
    /// Which product, in the protocol's own code.
    pub code: String,
    /// For which customer.
    pub destination: String,
    /// In which variant of the protocol; see [`domain::Order::dialect`].
    pub dialect: String,
    /// Whether the merchant is called back when the order ends.
    pub calls_back: bool,
    /// How long the merchant waits for the outcome before being told *pending*; none is as long as
    /// the operator has set.
    pub answer_within: Option<Duration>,
}

impl Gateway {
    /// Buys, and waits for the outcome until the answer deadline. The same purchase under the same
    /// reference is made once and answered as it stands; another one is refused. Refusals before the
    /// money is set aside store nothing and leave the reference free.
    pub async fn buy(self: &Arc<Self>, request: TopUpRequest) -> Result<Payment, Rejection> {
        let within = request.answer_within.unwrap_or(self.settings.answer_within);
        let deadline = Instant::now() + within;
        let gateway = Arc::clone(self);
        let buying = async move {
            let command = gateway.purchase(&request)?;
            gateway.begin(command, |order| gateway.mark_in_flight(order.id)).await
        };
        let accepting = self.calls.spawn(buying.in_current_span());
        let accepted = accepting.await.map_err(|_| StoreFault::Stopped)??;
        Ok(awaited(accepted, deadline).await)
    }

    fn purchase(&self, request: &TopUpRequest) -> Result<Command, Rejection> {
        let merchant = &request.merchant;
        if merchant.status == MerchantStatus::Suspended {
            return Err(Refusal::AccountSuspended.into());
        }
        let catalogue = self.catalogue();
        let product = catalogue
            .product_by_code(request.protocol.as_str(), &request.code)
            .filter(|product| product.top_up.is_some())
            .ok_or(Refusal::ProductUnknown)?;
        let now = self.now();
        product.on_sale(now, self.settings.cut_offs)?;
        let quote = fixed_quote(product, request)?;
        let key = ReferenceKey {
            merchant: merchant.id,
            protocol: request.protocol.clone(),
            mode: request.mode,
            reference: request.reference.clone(),
        };
        let asked = Request {
            key,
            fingerprint: fingerprint(["top-up", &request.code, &request.destination]),
            product: product.id.clone(),
            code: request.code.clone(),
            destination: request.destination.clone(),
            upstream: self.upstream_for(request.mode).clone(),
            dialect: request.dialect.clone(),
            calls_back: request.calls_back,
            callback_url: None,
            at: now,
        };
        Ok(Command::Buy(Buy {
            request: asked,
            quote,
            recipient: None,
            repetition: merchant.repetition,
            owner: self.process,
            question_due: now.after(self.settings.call_within),
        }))
    }
}

/// A payout, as a protocol hands it over.
#[derive(Debug, Clone)]
pub struct PayOutRequest {
    /// Whose money.
    pub merchant: Arc<Merchant>,
    /// Through which protocol.
    pub protocol: ProtocolName,
    /// Under which reference.
    pub reference: Reference,
    /// Through which channel, in the protocol's own code.
    pub code: String,
    /// To which account or wallet.
    pub destination: String,
    /// Who that is, in names that the protocol knows.
    pub recipient: Detail,
    /// How much the recipient gets.
    pub amount: Amount,
    /// In which variant of the protocol; see [`domain::Order::dialect`].
    pub dialect: String,
    /// Whether the merchant is called back when the order ends.
    pub calls_back: bool,
    /// An address of its own to which the merchant wants the news as well.
    pub callback_url: Option<String>,
    /// Digest of what was asked, to tell a repeat from another order.
    pub fingerprint: [u8; 32],
}

impl Gateway {
    /// Accepts a payout and begins its call, without waiting for the outcome. The same payout under
    /// the same reference is made once; another one is refused. Refusals store nothing.
    pub async fn pay_out(self: &Arc<Self>, request: PayOutRequest) -> Result<Payment, Rejection> {
        let gateway = Arc::clone(self);
        let paying = async move {
            let command = gateway.payout(request)?;
            gateway.begin(command, |order| gateway.mark_in_flight(order.id)).await
        };
        let accepting = self.calls.spawn(paying.in_current_span());
        let accepted = accepting.await.map_err(|_| StoreFault::Stopped)??;
        Ok(awaited(accepted, Instant::now()).await)
    }

    fn payout(&self, request: PayOutRequest) -> Result<Command, Rejection> {
        let merchant = &request.merchant;
        if merchant.status == MerchantStatus::Suspended {
            return Err(Refusal::AccountSuspended.into());
        }
        let protocol = &request.protocol;
        let (product, channel) =
            self.channel(protocol, &request.code, Flow::Out, merchant.currency)?;
        if request.amount.is_zero() || !within(&channel, request.amount) {
            return Err(Refusal::AmountInvalid.into());
        }
        let too_much = |_| Refusal::AmountInvalid;
        let fee = channel.fee.of(request.amount).map_err(too_much)?;
        let price = request.amount.plus(fee).map_err(too_much)?;
        let now = self.now();
        let quote =
            Quote { nominal: request.amount, admin_fee: fee, admin: fee, price, charge: price };
        let key = ReferenceKey {
            merchant: merchant.id,
            protocol: request.protocol,
            mode: Mode::Live,
            reference: request.reference,
        };
        let asked = Request {
            key,
            fingerprint: request.fingerprint,
            product,
            code: request.code,
            destination: request.destination,
            upstream: self.settings.upstream.clone(),
            dialect: request.dialect,
            calls_back: request.calls_back,
            callback_url: request.callback_url,
            at: now,
        };
        Ok(Command::Buy(Buy {
            request: asked,
            quote,
            recipient: Some(request.recipient),
            repetition: Repetition::Free,
            owner: self.process,
            question_due: now.after(self.settings.call_within),
        }))
    }

    /// The channel that a protocol calls by this code, if money can go through it this way now.
    pub fn channel(
        &self,
        protocol: &ProtocolName,
        code: &str,
        flow: Flow,
        currency: Currency,
    ) -> Result<(ProductId, Channel), Refusal> {
        let catalogue = self.catalogue();
        let product =
            catalogue.product_by_code(protocol.as_str(), code).ok_or(Refusal::ChannelUnknown)?;
        let channel = product.channel.clone().filter(|channel| channel.flow == flow);
        let channel = channel.ok_or(Refusal::ChannelUnknown)?;
        if !channel.takes(currency) {
            return Err(Refusal::CurrencyNotSupported);
        }
        match product.on_sale(self.now(), self.settings.cut_offs) {
            Ok(()) => Ok((product.id.clone(), channel)),
            Err(_) => Err(Refusal::ChannelUnavailable),
        }
    }
}

/// Whether a channel takes as much in one order.
pub(crate) fn within(channel: &Channel, amount: Amount) -> bool {
    let minor = u64::try_from(amount.minor()).unwrap_or(u64::MAX);
    channel.amount_max.is_none_or(|max| minor <= max)
}

/// The quote of something that has one price and no fees.
fn fixed_quote(product: &Product, request: &TopUpRequest) -> Result<Quote, Refusal> {
    let merchant = &request.merchant;
    let price = product
        .price_for(&merchant.level, &request.protocol)
        .filter(|price| price.currency() == merchant.currency)
        .ok_or(Refusal::ProductNotAllowed)?;
    let nothing = Amount::zero(price.currency());
    Ok(Quote { nominal: price, admin_fee: nothing, admin: nothing, price, charge: price })
}
