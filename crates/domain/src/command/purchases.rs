//! Commands about what merchants buy: quotes, purchases, payouts, and the limit on repetitions.

use std::sync::Arc;

use crate::bill::{Bill, Detail};
use crate::identifier::{MerchantId, Mode, OrderId, ProcessId, ProductId, UpstreamName};
use crate::merchant::Repetition;
use crate::money::Currency;
use crate::order::Quote;
use crate::refusal::Refusal;
use crate::time::{BusinessDay, Timestamp};

use super::Request;

/// The supplier answered an inquiry with a bill: claims the reference and stores the quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeQuote {
    /// What was asked.
    pub request: Request,
    /// What the supplier says.
    pub bill: Arc<Bill>,
    /// What it costs.
    pub quote: Quote,
    /// The first instant at which it can no longer be confirmed.
    pub expires_at: Timestamp,
    /// Whether the same question under the same reference makes the quote anew, as long as nobody
    /// has confirmed it.
    pub renews: bool,
}

/// The supplier answered an inquiry with a refusal: claims the reference and stores that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decline {
    /// What was asked.
    pub request: Request,
    /// What the supplier says.
    pub refusal: Refusal,
}

/// A merchant confirms a quote: sets the money aside and records the intent to call the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accept {
    /// The quote.
    pub order: OrderId,
    /// Who confirms. An order of somebody else is not found.
    pub merchant: MerchantId,
    /// The merchant's currency.
    pub currency: Currency,
    /// Whom we will call.
    pub upstream: UpstreamName,
    /// The process that will call.
    pub owner: ProcessId,
    /// When.
    pub at: Timestamp,
    /// When somebody should ask the upstream if the call brings no outcome by then.
    pub question_due: Timestamp,
}

/// A merchant buys something at a fixed price, or has money paid out: claims the reference, sets the
/// money aside and records the intent to call the upstream, all at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buy {
    /// What was asked.
    pub request: Request,
    /// What it costs. Of a payout, the amount and the fee are set aside each by itself.
    pub quote: Quote,
    /// To whom money is paid out; none for what is bought.
    pub recipient: Option<Detail>,
    /// The merchant's own limit.
    pub repetition: Repetition,
    /// The process that will call.
    pub owner: ProcessId,
    /// When somebody should ask the upstream if the call brings no outcome by then.
    pub question_due: Timestamp,
}

/// What a merchant's own limit on repetitions counts: top-ups of one number on one day.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DayClaimKey {
    /// The merchant.
    pub merchant: MerchantId,
    /// The day.
    pub day: BusinessDay,
    /// The customer's number.
    pub destination: String,
    /// The product; none counts all of them.
    pub product: Option<ProductId>,
}

/// The latest order that counts towards a limit. It replaces an earlier one that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayClaim {
    /// What is counted.
    pub key: DayClaimKey,
    /// The order.
    pub order: OrderId,
}

impl Buy {
    /// What it counts towards: none without a limit, and otherwise both counts, so that changing
    /// from one limit to the other forgets nothing.
    pub(crate) fn day_claims(&self) -> Vec<DayClaimKey> {
        let key = |product: Option<ProductId>| DayClaimKey {
            merchant: self.request.key.merchant,
            day: self.request.at.business_day(),
            destination: self.request.destination.clone(),
            product,
        };
        match (self.request.key.mode, self.repetition) {
            (Mode::Test, _) | (_, Repetition::Free) => Vec::new(),
            (Mode::Live, Repetition::OncePerProduct | Repetition::OncePerNumber) => {
                vec![key(Some(self.request.product.clone())), key(None)]
            }
        }
    }
}
