//! Commands about money that payers bring: collections, the evidence that pays them, and what becomes of
//! evidence that pays none.

use crate::account::AccountKey;
use crate::bill::Detail;
use crate::evidence::{Doubtful, Evidence, EvidenceKey};
use crate::identifier::{MerchantId, OrderId};
use crate::money::Currency;
use crate::order::Collecting;
use crate::posting;
use crate::refusal::Refusal;
use crate::time::Timestamp;

use super::{FundingKey, Keys, Request};

/// A merchant wants to be paid: claims the reference and waits for evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCollection {
    /// What was asked.
    pub request: Request,
    /// What is to be paid, and how.
    pub collecting: Collecting,
    /// The first instant at which nobody waits any more; none is for ever.
    pub expires_at: Option<Timestamp>,
}

/// What a payer names as proof, such as a bank's reference: good for one order per channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PayerReferenceKey {
    /// The channel.
    pub channel: String,
    /// The text.
    pub text: String,
}

/// The payer told something about a collection that is waited for. Nothing is credited by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tell {
    /// The collection.
    pub order: OrderId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// What was told, by name. It replaces what was told under the same name.
    pub particulars: Vec<(String, Detail)>,
    /// What of it nobody else may have named.
    pub reference: Option<PayerReferenceKey>,
    /// Whether a person has to look at it from now on; none leaves that as it is.
    pub in_review: Option<bool>,
    /// When.
    pub at: Timestamp,
}

/// Somebody has seen money come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordEvidence {
    /// What was seen. Its state is open.
    pub evidence: Evidence,
}

/// A collection is paid by a piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credit {
    /// The collection.
    pub order: OrderId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// The currency of the merchant's balance.
    pub currency: Currency,
    /// The channel of the evidence and its currency.
    pub channel: (String, Currency),
    /// The evidence, which is used up.
    pub evidence: EvidenceKey,
    /// When.
    pub at: Timestamp,
}

/// Evidence pays no order for certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspend {
    /// The evidence.
    pub evidence: EvidenceKey,
    /// Its channel and currency.
    pub channel: (String, Currency),
    /// Why.
    pub reason: Doubtful,
    /// When.
    pub at: Timestamp,
}

/// A collection ends without having been paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndCollection {
    /// The collection.
    pub order: OrderId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// The currency of the merchant's balance.
    pub currency: Currency,
    /// Why it failed; none if its time has run out.
    pub refusal: Option<Refusal>,
    /// When.
    pub at: Timestamp,
}

/// A person decides whose the money on suspense is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// The evidence.
    pub evidence: EvidenceKey,
    /// Its channel and currency.
    pub channel: (String, Currency),
    /// Who gets it; none if it goes back to whoever sent it.
    pub merchant: Option<MerchantId>,
    /// Why, in the operator's words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Credit {
    pub(super) fn add_keys(&self, keys: &mut Keys) {
        keys.orders.push(self.order);
        keys.evidence.push(self.evidence.clone());
        let (channel, currency) = &self.channel;
        keys.accounts.extend(posting::collection_accounts(channel, *currency));
        keys.accounts.extend(posting::collection_accounts(channel, self.currency));
        keys.accounts.push(AccountKey::merchant(self.merchant, self.currency));
    }
}

impl EndCollection {
    pub(super) fn add_keys(&self, keys: &mut Keys) {
        keys.orders.push(self.order);
        keys.accounts.push(AccountKey::merchant(self.merchant, self.currency));
    }
}

impl Release {
    pub(super) fn add_keys(&self, keys: &mut Keys) {
        keys.evidence.push(self.evidence.clone());
        keys.merchants.extend(self.merchant);
        let (channel, currency) = &self.channel;
        keys.accounts.extend(posting::collection_accounts(channel, *currency));
        keys.accounts
            .extend(self.merchant.map(|merchant| AccountKey::merchant(merchant, *currency)));
        if let Some(merchant) = self.merchant {
            let reference = self.funding_reference();
            keys.fundings.push(FundingKey { merchant, reference });
        }
    }

    /// The name under which what a merchant gets is funded, which no two pieces of evidence share.
    pub(crate) fn funding_reference(&self) -> String {
        format!("evidence {} {}", self.evidence.source, self.evidence.id)
    }
}
