//! Commands: every way in which the books, the orders and the catalogue may change, as values.
//!
//! A command says which records it needs; the commit pipeline loads them for a whole batch at once
//! and [`crate::decide::decide`] then needs nothing else.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::account::AccountKey;
use crate::administration::{
    Act, Administer, AuditNumber, CredentialKey, Effect, Objection, RequestKey,
};
use crate::bill::Bill;
use crate::identifier::{
    MerchantId, OrderId, ProcessId, ProductId, ReferenceKey, TransferId, UpstreamName,
};
use crate::merchant::{Credential, Merchant};
use crate::money::{Amount, Currency};
use crate::order::{Order, Outcome, Quote};
use crate::posting::{self, Direction};
use crate::product::{Alias, Product};
use crate::refusal::Refusal;
use crate::time::Timestamp;

/// A funding reference: unique for ever per merchant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FundingKey {
    /// Whose balance.
    pub merchant: MerchantId,
    /// The operator's own name for the payment.
    pub reference: String,
}

/// The operator's correction of a balance, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funding {
    /// The name under which it is used once.
    pub key: FundingKey,
    /// Which way.
    pub direction: Direction,
    /// How much.
    pub amount: Amount,
    /// Why, in the operator's words.
    pub reason: String,
    /// The transfer that it made.
    pub transfer: TransferId,
    /// When.
    pub at: Timestamp,
}

/// The operator funds or corrects a balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fund {
    /// The name under which it is used once.
    pub key: FundingKey,
    /// Which way.
    pub direction: Direction,
    /// How much.
    pub amount: Amount,
    /// Why, in the operator's words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// What a merchant asked for, before it is an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The merchant's own name for it.
    pub key: ReferenceKey,
    /// Digest of what was asked.
    pub fingerprint: [u8; 32],
    /// The product.
    pub product: ProductId,
    /// The code under which it was asked for.
    pub code: String,
    /// The customer's number.
    pub destination: String,
    /// Who answered the inquiry.
    pub upstream: UpstreamName,
    /// When it was asked.
    pub at: Timestamp,
}

/// Digest of what was asked. Each part is preceded by its length, so that no two lists of parts
/// run together into the same text.
pub fn fingerprint<'a>(parts: impl IntoIterator<Item = &'a str>) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// The supplier answered an inquiry with a bill: claims the reference and stores the quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MakeQuote {
    /// What was asked.
    pub request: Request,
    /// What the supplier says.
    pub bill: Bill,
    /// What it costs.
    pub quote: Quote,
    /// The first instant at which it can no longer be confirmed.
    pub expires_at: Timestamp,
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

/// An attempt brought an outcome, be it by the call itself, by asking, or by a person's decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    /// The order.
    pub order: OrderId,
    /// Which of its attempts.
    pub attempt: u16,
    /// Whose order it is.
    pub merchant: MerchantId,
    /// The order's currency.
    pub currency: Currency,
    /// Whom the attempt called.
    pub upstream: UpstreamName,
    /// What it brought.
    pub outcome: Outcome,
    /// When.
    pub at: Timestamp,
}

/// A change that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Adds or replaces a merchant.
    PutMerchant(Merchant),
    /// Adds or replaces a credential.
    PutCredential(Credential),
    /// Adds or replaces a product.
    PutProduct(Product),
    /// Funds or corrects a balance.
    Fund(Fund),
    /// Stores a quote.
    MakeQuote(MakeQuote),
    /// Stores a declined inquiry.
    Decline(Decline),
    /// Confirms a quote.
    Accept(Accept),
    /// Records what an attempt brought.
    Resolve(Resolve),
    /// Does what an operator wants, and records who wanted it.
    Administer(Administer),
}

/// The records that a batch of commands touches.
#[derive(Debug, Default)]
pub struct Keys {
    /// Accounts by name.
    pub accounts: Vec<AccountKey>,
    /// Orders by number.
    pub orders: Vec<OrderId>,
    /// References; an order that holds one is to be loaded with it.
    pub references: Vec<ReferenceKey>,
    /// Funding references.
    pub fundings: Vec<FundingKey>,
    /// Merchants by number.
    pub merchants: Vec<MerchantId>,
    /// Identifiers; all credentials that ever went by one are to be loaded, live or not.
    pub credentials: Vec<CredentialKey>,
    /// Products by name.
    pub products: Vec<ProductId>,
    /// Codes of products; who has one is to be loaded.
    pub aliases: Vec<Alias>,
    /// Names of requests; what was answered to them is to be loaded.
    pub requests: Vec<RequestKey>,
}

impl Command {
    /// Adds the records that this command touches.
    pub fn add_keys(&self, keys: &mut Keys) {
        match self {
            Self::PutMerchant(_) | Self::PutCredential(_) | Self::PutProduct(_) => {}
            Self::Fund(fund) => fund.add_keys(keys),
            Self::MakeQuote(make) => keys.references.push(make.request.key.clone()),
            Self::Decline(decline) => keys.references.push(decline.request.key.clone()),
            Self::Accept(accept) => {
                keys.orders.push(accept.order);
                keys.accounts.extend(posting::order_accounts(
                    accept.merchant,
                    &accept.upstream,
                    accept.currency,
                ));
            }
            Self::Resolve(resolve) => resolve.add_keys(keys),
            Self::Administer(administer) => {
                keys.requests.extend(administer.request_key());
                administer.act.add_keys(keys);
            }
        }
    }
}

impl Fund {
    fn add_keys(&self, keys: &mut Keys) {
        let currency = self.amount.currency();
        keys.accounts.push(AccountKey::merchant(self.key.merchant, currency));
        keys.accounts.push(AccountKey::new(crate::account::AccountRole::Bank, currency));
        keys.fundings.push(self.key.clone());
    }
}

impl Resolve {
    fn add_keys(&self, keys: &mut Keys) {
        keys.orders.push(self.order);
        let accounts = posting::order_accounts(self.merchant, &self.upstream, self.currency);
        keys.accounts.extend(accounts);
    }
}

impl Act {
    fn add_keys(&self, keys: &mut Keys) {
        match self {
            Self::AddMerchant(_) => {}
            Self::SetMerchantStatus { merchant, .. }
            | Self::SetAddresses { merchant, .. }
            | Self::SetRateLimit { merchant, .. } => keys.merchants.push(*merchant),
            Self::AddCredential(new) => {
                keys.merchants.push(new.merchant);
                keys.credentials.push(new.key.clone());
            }
            Self::RevokeCredential { key, .. } => keys.credentials.push(key.clone()),
            Self::PutProduct(product) => {
                keys.products.push(product.id.clone());
                keys.aliases.extend(product.aliases.iter().cloned());
            }
            Self::SetProductStatus { product, .. } => keys.products.push(product.clone()),
            Self::Fund(fund) => {
                keys.merchants.push(fund.key.merchant);
                fund.add_keys(keys);
            }
            Self::Resolve(resolve) => resolve.add_keys(keys),
        }
    }
}

/// What the sender of a command is told.
pub type Answer = Result<Reply, Refusal>;

/// What a command brought about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The catalogue or the merchants changed.
    Stored,
    /// The balance was funded or corrected, now or by an earlier command with the same reference,
    /// direction and amount. The reason may differ; the first one stands.
    Funded {
        /// What is available after it.
        balance: Amount,
    },
    /// The inquiry is stored, quoted or declined.
    Inquired {
        /// The order.
        order: Arc<Order>,
        /// Whether a twin had stored it before.
        repeated: bool,
    },
    /// The quote is confirmed and the money set aside: the caller must now call the upstream.
    Accepted {
        /// The order.
        order: Arc<Order>,
        /// What is available after it.
        balance: Amount,
    },
    /// The order was confirmed before; nothing changed and nobody is to be called.
    AcceptedBefore {
        /// The order.
        order: Arc<Order>,
        /// What is available.
        balance: Amount,
    },
    /// The outcome is recorded, now or before.
    Resolved {
        /// The order.
        order: Arc<Order>,
        /// What is available after it.
        balance: Amount,
        /// Whether it was recorded before; nothing changed now.
        repeated: bool,
    },
    /// The outcome contradicts one that is final, or it is not of the order's latest attempt.
    /// Nothing changed; a person has to look.
    Contradicted {
        /// The order as it stands.
        order: Arc<Order>,
        /// What is available.
        balance: Amount,
    },
    /// An operator's act is done and recorded, now or by an earlier request of the same name.
    Administered {
        /// The record of it.
        audit: AuditNumber,
        /// What it brought about.
        effect: Effect,
        /// Whether it was done before.
        repeated: bool,
    },
    /// An operator's act was not carried out, and nothing changed.
    Objected(Objection),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_fingerprint_do_not_run_together() {
        let lists: [&[&str]; 6] =
            [&["ab", "c"], &["a", "bc"], &["abc"], &["abc", ""], &["", "abc"], &["c", "ab"]];
        for (index, left) in lists.iter().enumerate() {
            for (other, right) in lists.iter().enumerate() {
                let same = fingerprint(left.iter().copied()) == fingerprint(right.iter().copied());
                assert_eq!(same, index == other, "{left:?} and {right:?}");
            }
        }
    }
}
