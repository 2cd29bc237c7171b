//! Commands: every way in which the books, the orders and the catalogue may change, as values.
//!
//! A command says which records it needs; the commit pipeline loads them for a whole batch at once
//! and [`crate::decide::decide`] then needs nothing else.

mod collections;
mod purchases;

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::account::AccountKey;
use crate::administration::{
    Act, Administer, AuditNumber, CredentialKey, Effect, Objection, RequestKey,
};
use crate::callback::{Callback, Endpoint, EndpointKey, Received, Rendered};
use crate::evidence::{Doubtful, Evidence, EvidenceKey};
use crate::identifier::{
    CallbackId, MerchantId, OrderId, ProcessId, ProductId, ReferenceKey, TransferId, UpstreamName,
};
use crate::merchant::{Credential, Merchant, Preferences};
use crate::money::{Amount, Currency};
use crate::order::{Order, Outcome};
use crate::posting::{self, Direction};
use crate::product::{Alias, Product};
use crate::refusal::Refusal;
use crate::time::Timestamp;

pub use collections::{
    Credit, EndCollection, OpenCollection, PayerReferenceKey, RecordEvidence, Release, Suspend,
    Tell,
};
pub use purchases::{Accept, Buy, DayClaim, DayClaimKey, Decline, MakeQuote};

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
    /// Who answered the inquiry, or will be called.
    pub upstream: UpstreamName,
    /// In which variant of its protocol it was asked; see [`Order::dialect`].
    pub dialect: String,
    /// Whether the merchant is called back when the order ends.
    pub calls_back: bool,
    /// An address of its own to which the merchant wants the news as well.
    pub callback_url: Option<String>,
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

/// A callback that a process wants to try, with what it would send if nobody has tried before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which.
    pub callback: CallbackId,
    /// What would be sent; what was kept at the first try stands.
    pub rendered: Option<Arc<Rendered>>,
}

/// A process takes callbacks that are due, so that nobody else tries them meanwhile. Those that are
/// not due any more are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Which, each once.
    pub wanted: Vec<Wanted>,
    /// The process.
    pub owner: ProcessId,
    /// When.
    pub at: Timestamp,
    /// How long nobody else may try them.
    pub until: Timestamp,
    /// Whether other processes' leases count for nothing, because those processes have ended.
    pub take_over: bool,
}

/// A callback was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordDelivery {
    /// Which callback.
    pub callback: CallbackId,
    /// The process that had leased it.
    pub owner: ProcessId,
    /// Whose address it was sent to. It is stopped if the receiver is gone for good.
    pub endpoint: EndpointKey,
    /// When the try began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub received: Received,
    /// When to try again if it was not delivered; none to give up.
    pub retry: Option<Timestamp>,
}

/// A merchant wants the news of an order sent once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redeliver {
    /// Whose order it is.
    pub merchant: MerchantId,
    /// The order.
    pub order: OrderId,
    /// Its callbacks, as many as are known.
    pub callbacks: Vec<CallbackId>,
    /// The merchant's currency.
    pub currency: Currency,
    /// When.
    pub at: Timestamp,
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
    /// Buys at a fixed price.
    Buy(Buy),
    /// Records what an attempt brought.
    Resolve(Resolve),
    /// Begins to wait for a payer.
    OpenCollection(OpenCollection),
    /// Notes what a payer told.
    Tell(Tell),
    /// Records that money came in.
    RecordEvidence(RecordEvidence),
    /// Pays a collection.
    Credit(Credit),
    /// Puts money on suspense.
    Suspend(Suspend),
    /// Ends a collection that was not paid.
    EndCollection(EndCollection),
    /// Adds or replaces what a merchant wants of a protocol.
    PutPreferences(Preferences),
    /// Takes due callbacks to try them.
    Lease(Lease),
    /// Records what came of trying a callback.
    RecordDelivery(RecordDelivery),
    /// Makes an order's news due once more.
    Redeliver(Redeliver),
    /// Adds or replaces an address for callbacks.
    PutEndpoint(Endpoint),
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
    /// Callbacks by number.
    pub callbacks: Vec<CallbackId>,
    /// Addresses for callbacks.
    pub endpoints: Vec<EndpointKey>,
    /// Counts of a limit; an order that holds one is to be loaded with it.
    pub day_claims: Vec<DayClaimKey>,
    /// Evidence by name.
    pub evidence: Vec<EvidenceKey>,
    /// What payers named; an order that holds one is to be loaded with it.
    pub payer_references: Vec<PayerReferenceKey>,
}

impl Command {
    /// Adds the records that this command touches.
    pub fn add_keys(&self, keys: &mut Keys) {
        match self {
            Self::PutMerchant(_)
            | Self::PutCredential(_)
            | Self::PutProduct(_)
            | Self::PutEndpoint(_)
            | Self::PutPreferences(_) => {}
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
            Self::Buy(buy) => {
                keys.references.push(buy.request.key.clone());
                keys.day_claims.extend(buy.day_claims());
                keys.accounts.extend(posting::order_accounts(
                    buy.request.key.merchant,
                    &buy.request.upstream,
                    buy.quote.charge.currency(),
                ));
            }
            Self::Resolve(resolve) => resolve.add_keys(keys),
            Self::OpenCollection(open) => keys.references.push(open.request.key.clone()),
            Self::Tell(tell) => {
                keys.orders.push(tell.order);
                keys.payer_references.extend(tell.reference.clone());
            }
            Self::RecordEvidence(record) => keys.evidence.push(record.evidence.key.clone()),
            Self::Credit(credit) => credit.add_keys(keys),
            Self::Suspend(suspend) => {
                keys.evidence.push(suspend.evidence.clone());
                let (channel, currency) = &suspend.channel;
                keys.accounts.extend(posting::collection_accounts(channel, *currency));
            }
            Self::EndCollection(end) => end.add_keys(keys),
            Self::Lease(lease) => {
                keys.callbacks.extend(lease.wanted.iter().map(|wanted| wanted.callback));
            }
            Self::RecordDelivery(record) => {
                keys.callbacks.push(record.callback);
                keys.endpoints.push(record.endpoint.clone());
            }
            Self::Redeliver(redeliver) => {
                keys.orders.push(redeliver.order);
                keys.accounts.push(AccountKey::merchant(redeliver.merchant, redeliver.currency));
                keys.callbacks.extend(&redeliver.callbacks);
            }
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
            | Self::SetRateLimit { merchant, .. }
            | Self::SetRepetition { merchant, .. } => keys.merchants.push(*merchant),
            Self::SetEndpoint { key, .. } | Self::StopEndpoint { key } => {
                keys.merchants.push(key.merchant);
                keys.endpoints.push(key.clone());
            }
            Self::ResendCallback { callback } => keys.callbacks.push(*callback),
            Self::SetPreferences(preferences) => keys.merchants.push(preferences.merchant),
            Self::Release(release) => release.add_keys(keys),
            Self::Assign(credit) => credit.add_keys(keys),
            Self::EndCollection(end) => end.add_keys(keys),
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
    /// The collection is waited for, or was asked for before.
    Awaited {
        /// The order as it stands.
        order: Arc<Order>,
        /// Whether a twin had asked before.
        repeated: bool,
    },
    /// The evidence is recorded, now or before.
    EvidenceRecorded {
        /// As it stands.
        evidence: Evidence,
        /// Whether it was recorded before; nothing changed now.
        repeated: bool,
    },
    /// The collection is paid, now or by the same evidence before.
    Credited {
        /// The order.
        order: Arc<Order>,
        /// What is available after it.
        balance: Amount,
        /// Whether it was paid before; nothing changed now.
        repeated: bool,
    },
    /// The evidence does not pay this order. Nothing changed.
    NotCredited {
        /// Why.
        reason: Doubtful,
        /// The order as it stands.
        order: Arc<Order>,
    },
    /// The evidence stands on suspense, or pays something by now.
    Suspended {
        /// The evidence as it stands.
        evidence: Evidence,
        /// Whether somebody had decided on it before; nothing changed now.
        repeated: bool,
    },
    /// The collection has ended, now or before.
    Ended(Arc<Order>),
    /// These callbacks are the asker's to try.
    Leased(Vec<Callback>),
    /// Callbacks are due once more, or are being tried at this moment.
    Redelivered {
        /// How many.
        callbacks: usize,
    },
    /// The try is recorded.
    DeliveryRecorded {
        /// The callback as it stands now.
        callback: Callback,
        /// Whether its address was stopped by it.
        stopped: bool,
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
