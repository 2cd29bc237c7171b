//! Accounts: four counters and a link to the latest transfer.

use sha2::{Digest, Sha256};

use crate::identifier::{AccountId, MerchantId, TransferId, UpstreamName};
use crate::money::Currency;
use crate::transfer::Hash;

/// What an account is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccountRole {
    /// A merchant's balance with us.
    Merchant(MerchantId),
    /// Money between a merchant's order and its outcome.
    Clearing,
    /// Our deposit with an upstream.
    Float(UpstreamName),
    /// What we earn on purchases and payouts.
    Margin,
    /// What we earn in fees on collections.
    Fees,
    /// The operator's bank.
    Bank,
    /// Where payers' money comes in, per channel.
    Inbound(String),
    /// Money whose owner a person has to decide on.
    Suspense,
    /// What a merchant owes us after a reversal that the balance could not bear.
    Receivable(MerchantId),
}

impl AccountRole {
    /// Whether the account must never go below zero, counting what is held.
    pub const fn is_limited(&self) -> bool {
        match self {
            Self::Merchant(_) => true,
            Self::Clearing
            | Self::Float(_)
            | Self::Margin
            | Self::Fees
            | Self::Bank
            | Self::Inbound(_)
            | Self::Suspense
            | Self::Receivable(_) => false,
        }
    }

    /// A stable name for the kind of role, and who or what it is for.
    fn stable_name(&self) -> (&'static str, String) {
        match self {
            Self::Merchant(merchant) => ("merchant", merchant.to_string()),
            Self::Clearing => ("clearing", String::new()),
            Self::Float(upstream) => ("float", upstream.to_string()),
            Self::Margin => ("margin", String::new()),
            Self::Fees => ("fees", String::new()),
            Self::Bank => ("bank", String::new()),
            Self::Inbound(channel) => ("inbound", channel.clone()),
            Self::Suspense => ("suspense", String::new()),
            Self::Receivable(merchant) => ("receivable", merchant.to_string()),
        }
    }
}

/// An account's name: one per role and currency.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountKey {
    /// What it is for.
    pub role: AccountRole,
    /// In which currency.
    pub currency: Currency,
}

impl AccountKey {
    /// The account of this role in this currency.
    pub const fn new(role: AccountRole, currency: Currency) -> Self {
        Self { role, currency }
    }

    /// A merchant's balance.
    pub const fn merchant(merchant: MerchantId, currency: Currency) -> Self {
        Self::new(AccountRole::Merchant(merchant), currency)
    }

    /// The digest of the name, on which the account's first transfer builds: transfers name accounts
    /// by number only, and without it two accounts could swap their owners unseen.
    ///
    /// The layout is fixed for ever: the role, its owner or channel (numbers in decimal, empty for
    /// none) and the currency's code, each preceded by its length as a big-endian 64-bit integer.
    pub fn digest(&self) -> Hash {
        let (role, owner) = self.role.stable_name();
        let mut hasher = Sha256::new();
        for part in [role, &owner, self.currency.code()] {
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part);
        }
        Hash(hasher.finalize().into())
    }
}

/// The four counters, in minor units. Each is zero or more and only the two pending ones ever fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Held, to leave this account.
    pub debits_pending: i64,
    /// Left this account.
    pub debits_posted: i64,
    /// Held, to arrive on this account.
    pub credits_pending: i64,
    /// Arrived on this account.
    pub credits_posted: i64,
}

impl Counters {
    /// What may still be spent: arrived, less what has left or is held to leave. Negative only for
    /// accounts without a limit. `None` if the counters are beyond 64 bits.
    pub fn available(self) -> Option<i64> {
        self.credits_posted.checked_sub(self.debits_posted)?.checked_sub(self.debits_pending)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The number.
    pub id: AccountId,
    /// The name.
    pub key: AccountKey,
    /// The counters.
    pub counters: Counters,
    /// The latest transfer that touched it and that transfer's hash; from there each transfer links
    /// to the one before, so that history needs no index.
    pub latest: Option<(TransferId, Hash)>,
}

impl Account {
    /// An account that nothing has touched.
    pub const fn open(id: AccountId, key: AccountKey) -> Self {
        let counters =
            Counters { debits_pending: 0, debits_posted: 0, credits_pending: 0, credits_posted: 0 };
        Self { id, key, counters, latest: None }
    }

    /// The digest on which the next transfer on this account builds: that of the latest one, or of
    /// the account's name where there is none.
    pub fn chain_head(&self) -> Hash {
        self.latest.map_or_else(|| self.key.digest(), |(_, hash)| hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed apart from this program; a change here would break every chain that is stored.
    #[test]
    fn digests_of_names_never_change() {
        let merchant = AccountKey::merchant(MerchantId(17), Currency::Idr);
        let float = AccountRole::Float(UpstreamName::new("sandbox"));
        let table = [
            (merchant, "bd39bbc0668fad46bd13a9da51ce8aaa47462f5debaa0fd81fdd4d40f83a859b"),
            (
                AccountKey::new(float, Currency::Thb),
                "13372c90da3bb602542d3201f1dab3f5ea284ac2c444b7253e07f1a2021efbe1",
            ),
            (
                AccountKey::new(AccountRole::Clearing, Currency::Idr),
                "4fe00e72a6327c3900cf6c910b457dddd8c35dccea3b0e9162c59fcfa3f1e814",
            ),
        ];
        for (key, digest) in table {
            assert_eq!(format!("{:?}", key.digest()), digest, "{key:?}");
        }
    }

    #[test]
    fn no_two_names_share_a_digest() {
        let merchant = MerchantId(1);
        let roles = [
            AccountRole::Merchant(merchant),
            AccountRole::Receivable(merchant),
            AccountRole::Clearing,
            AccountRole::Float(UpstreamName::new("1")),
            AccountRole::Float(UpstreamName::new("")),
            AccountRole::Margin,
            AccountRole::Fees,
            AccountRole::Bank,
            AccountRole::Inbound("1".to_owned()),
            AccountRole::Suspense,
        ];
        let keys = roles.iter().flat_map(|role| {
            Currency::ALL.into_iter().map(|currency| AccountKey::new(role.clone(), currency))
        });
        let digests: Vec<_> = keys.map(|key| key.digest()).collect();
        let distinct: std::collections::HashSet<_> = digests.iter().collect();
        assert_eq!(distinct.len(), digests.len());
    }

    #[test]
    fn available_counts_what_is_held_and_not_what_is_to_come() {
        let counters = Counters {
            debits_pending: 3,
            debits_posted: 20,
            credits_pending: 500,
            credits_posted: 100,
        };
        assert_eq!(counters.available(), Some(77));
        let exhausted = Counters { debits_pending: 2, debits_posted: i64::MAX, ..counters };
        assert_eq!(exhausted.available(), Some(98 - i64::MAX));
        let beyond = Counters { credits_posted: 0, ..exhausted };
        assert_eq!(beyond.available(), None);
    }
}
