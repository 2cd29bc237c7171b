//! Buying at a fixed price: one commit, then the call.

use std::sync::Arc;
use std::time::Duration;

use domain::command::{Buy, Request, fingerprint};
use domain::{
    Amount, Command, Merchant, MerchantStatus, Mode, Product, ProtocolName, Quote, Reference,
    ReferenceKey, Refusal,
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
            at: now,
        };
        Ok(Command::Buy(Buy {
            request: asked,
            quote,
            repetition: merchant.repetition,
            owner: self.process,
            question_due: now.after(self.settings.call_within),
        }))
    }
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
