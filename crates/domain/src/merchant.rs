//! Who holds a balance with us, and how they prove who they are.

use std::collections::BTreeMap;
use std::fmt;

use crate::identifier::{MerchantId, ProtocolName};
use crate::money::Currency;
use crate::time::Timestamp;

/// A price level, such as `retail`. Prices are agreed per level, not per merchant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Level(pub String);

/// Whether a merchant may deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MerchantStatus {
    /// May deal.
    Active,
    /// May not start anything new; what is under way is still resolved.
    Suspended,
}

/// A customer of the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    /// The number.
    pub id: MerchantId,
    /// The name on receipts and reports.
    pub name: String,
    /// The currency of the balance.
    pub currency: Currency,
    /// The price level.
    pub level: Level,
    /// Whether it may deal.
    pub status: MerchantStatus,
    /// The networks from which it may call, as texts that the edge parses; none is from everywhere.
    pub addresses: Vec<String>,
    /// How often it may call; none is without a limit.
    pub rate_limit: Option<RateLimit>,
    /// How often it may top up one number.
    pub repetition: Repetition,
}

/// How often a merchant may top up one number between two midnights in Asia/Jakarta. What failed
/// doesn't count. Merchants ask for a limit to guard against their own mistakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Repetition {
    /// As often as it likes.
    #[default]
    Free,
    /// Each product once.
    OncePerProduct,
    /// Once, with whatever product.
    OncePerNumber,
}

impl Repetition {
    /// Every rule, in the order in which they are declared.
    pub const ALL: [Self; 3] = [Self::Free, Self::OncePerProduct, Self::OncePerNumber];

    /// A stable name for storage and wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::OncePerProduct => "once-per-product",
            Self::OncePerNumber => "once-per-number",
        }
    }

    /// The rule with this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

/// What a merchant wants of one protocol, under the protocol's own names: switches for clients that
/// expect something else than the usual, pages to return to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// Whose.
    pub merchant: MerchantId,
    /// Of which protocol.
    pub protocol: ProtocolName,
    /// The values by name. A name that the protocol doesn't know is kept and ignored.
    pub values: BTreeMap<String, String>,
}

/// How often somebody may call: a bucket of `burst` requests that refills steadily.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many requests come back per second, at least one.
    pub requests_per_second: u32,
    /// How many may come at once, at least one.
    pub burst: u32,
}

/// Something that must not be shown: it prints as `***` and has no other way to a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for a computation that needs it and for storing it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// What a merchant presents in one protocol. During a rotation two credentials with the same
/// identifier are live at once, told apart by their serial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Whose credential.
    pub merchant: MerchantId,
    /// In which protocol.
    pub protocol: ProtocolName,
    /// The public part by which it is found: a user name, an API id, a merchant code. Unique within
    /// its protocol, so that two merchants can never be mistaken for each other.
    pub identifier: String,
    /// Distinguishes the credentials of one identifier, from 1.
    pub serial: u32,
    /// The secret parts under the protocol's own names for them, such as `api_key`.
    pub secrets: BTreeMap<String, Secret>,
    /// The first instant at which it is worth nothing; none for never.
    pub expires_at: Option<Timestamp>,
    /// When it was taken out of use. Its secrets are gone since then.
    pub revoked_at: Option<Timestamp>,
}

impl Credential {
    /// Whether it is worth something at this instant.
    pub fn is_live(&self, at: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|expiry| at < expiry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_leads_back() {
        for rule in Repetition::ALL {
            assert_eq!(Repetition::from_name(rule.name()), Some(rule));
        }
        assert_eq!(Repetition::from_name("twice"), None);
    }

    #[test]
    fn a_secret_does_not_print() {
        let secret = Secret::new("canary");
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(secret.reveal(), "canary");
    }
}
