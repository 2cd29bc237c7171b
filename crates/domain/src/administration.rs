//! What operators do, and the record that is kept of it.
//!
//! Every act comes with who does it, and is recorded in the same commit as the change that it
//! makes. The records form one chain: each carries a digest over itself and over the one before it,
//! so that none can be edited, removed or put in between without every later one showing it. Where
//! the caller named its request, what came of it is kept for ever under that name, so that a repeat
//! is answered and not carried out again.
//!
//! Whether somebody may do something is not decided here: roles are compared where tokens are known.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::callback::{Endpoint, EndpointKey};
use crate::command::{Credit, EndCollection, Fund, Funding, Release, Resolve};
use crate::evidence::{Doubtful, Evidence};
use crate::identifier::{CallbackId, MerchantId, OrderId, ProductId, ProtocolName, ReferenceKey};
use crate::merchant::{
    Credential, Level, Merchant, MerchantStatus, Preferences, RateLimit, Repetition, Secret,
};
use crate::money::{Amount, Currency};
use crate::order::OrderState;
use crate::product::{Alias, Product, ProductStatus};
use crate::time::Timestamp;
use crate::transfer::Hash;

/// The fewest characters of a secret. Shorter ones can be guessed; sixteen hexadecimal digits, as
/// suppliers' panels issue them, are taken over.
pub const SECRET_LENGTH_MIN: usize = 16;

/// How many credentials of one identifier may be live at once: the old and the new one of a
/// rotation.
pub const LIVE_CREDENTIALS_MAX: usize = 2;

/// What somebody may do. Each role may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Looks.
    Viewer,
    /// Suspends and resumes, switches products, decides orders.
    Operator,
    /// Moves money, issues keys, and sets prices and limits.
    Administrator,
}

impl Role {
    /// Every role, the least one first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Administrator];

    /// A stable name for storage and configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }

    /// The role with this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Actor {
    /// The name under which the operator knows the holder of the token.
    pub name: String,
    /// In which role.
    pub role: Role,
}

/// A caller's own name for a request, unique for ever per actor.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestKey {
    /// The actor's name.
    pub actor: String,
    /// The caller's text.
    pub text: String,
}

/// A request that its caller named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRequest {
    /// The caller's text.
    pub text: String,
    /// Digest of what was asked, to tell a repeat from another request under the same name.
    pub fingerprint: [u8; 32],
}

/// Something that an operator does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Administer {
    /// Who does it.
    pub actor: Actor,
    /// The caller's own name for it, if it has one.
    pub request: Option<NamedRequest>,
    /// When.
    pub at: Timestamp,
    /// What.
    pub act: Act,
}

impl Administer {
    /// The name under which its answer is kept.
    pub fn request_key(&self) -> Option<RequestKey> {
        self.request.as_ref().map(|request| RequestKey {
            actor: self.actor.name.clone(),
            text: request.text.clone(),
        })
    }
}

/// A merchant to be. Its number is given out when it is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMerchant {
    /// The name on receipts and reports.
    pub name: String,
    /// The currency of the balance.
    pub currency: Currency,
    /// The price level.
    pub level: Level,
}

/// The identifier that a credential goes by: unique per protocol over all merchants.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialKey {
    /// In which protocol.
    pub protocol: ProtocolName,
    /// The public part by which it is found.
    pub identifier: String,
}

/// A credential to be, for a new identifier or as the next one of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCredential {
    /// Whose.
    pub merchant: MerchantId,
    /// Under which identifier.
    pub key: CredentialKey,
    /// The secret parts under the protocol's own names for them.
    pub secrets: BTreeMap<String, Secret>,
    /// The first instant at which it is worth nothing; none for never.
    pub expires_at: Option<Timestamp>,
    /// The first instant at which the credential that it replaces is worth nothing; none leaves
    /// that one as it is.
    pub previous_expires_at: Option<Timestamp>,
}

/// What an operator does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Adds a merchant.
    AddMerchant(NewMerchant),
    /// Suspends or resumes a merchant.
    SetMerchantStatus {
        /// Which.
        merchant: MerchantId,
        /// Whether it may deal from now on.
        status: MerchantStatus,
    },
    /// Sets from where a merchant may call.
    SetAddresses {
        /// Which merchant.
        merchant: MerchantId,
        /// The networks, as the edge parsed and wrote them. None is from everywhere.
        addresses: Vec<String>,
    },
    /// Sets how often a merchant may call.
    SetRateLimit {
        /// Which merchant.
        merchant: MerchantId,
        /// How often; none is without a limit.
        rate_limit: Option<RateLimit>,
    },
    /// Sets how often a merchant may top up one number.
    SetRepetition {
        /// Which merchant.
        merchant: MerchantId,
        /// How often.
        repetition: Repetition,
    },
    /// Sets where a merchant is called back, and takes a stopped address into use again.
    SetEndpoint {
        /// Whose, and for which protocol.
        key: EndpointKey,
        /// The address, as the edge parsed and wrote it.
        url: String,
        /// Signs the headers of Standard Webhooks.
        secret: Secret,
    },
    /// Sends nothing more to an address.
    StopEndpoint {
        /// Whose, and for which protocol.
        key: EndpointKey,
    },
    /// Sets what a merchant wants of a protocol.
    SetPreferences(Preferences),
    /// Decides whose the money on suspense is.
    Release(Release),
    /// Pays a collection by evidence of the operator's choice.
    Assign(Credit),
    /// Ends a collection that will not be paid.
    EndCollection(EndCollection),
    /// Has a callback tried again, whether or not it was delivered.
    ResendCallback {
        /// Which.
        callback: CallbackId,
    },
    /// Issues a credential.
    AddCredential(NewCredential),
    /// Takes a credential out of use, at once and for ever.
    RevokeCredential {
        /// Whose.
        merchant: MerchantId,
        /// Under which identifier.
        key: CredentialKey,
        /// Which of them.
        serial: u32,
    },
    /// Adds or replaces a product.
    PutProduct(Product),
    /// Switches a product on or off.
    SetProductStatus {
        /// Which.
        product: ProductId,
        /// Whether it is on sale from now on.
        status: ProductStatus,
    },
    /// Funds or corrects a balance.
    Fund(Fund),
    /// Decides an order whose outcome is open.
    Resolve(Resolve),
}

/// The kinds of acts, as they are recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// A merchant was added.
    MerchantAdded,
    /// A merchant was suspended.
    MerchantSuspended,
    /// A merchant was resumed.
    MerchantResumed,
    /// The networks of a merchant were set.
    AddressesSet,
    /// The rate limit of a merchant was set.
    RateLimitSet,
    /// A credential was issued.
    CredentialAdded,
    /// A credential was taken out of use.
    CredentialRevoked,
    /// A product was added or replaced.
    ProductPut,
    /// A product was switched on.
    ProductActivated,
    /// A product was switched off.
    ProductDeactivated,
    /// A balance was credited.
    BalanceCredited,
    /// A balance was debited.
    BalanceDebited,
    /// An order was decided.
    OrderResolved,
    /// The limit on repetitions of a merchant was set.
    RepetitionSet,
    /// An address for callbacks was set.
    EndpointSet,
    /// An address for callbacks was stopped.
    EndpointStopped,
    /// A callback was to be tried again.
    CallbackResent,
    /// What a merchant wants of a protocol was set.
    PreferencesSet,
    /// Money on suspense was given to somebody.
    EvidenceReleased,
    /// A collection was paid by evidence of the operator's choice.
    EvidenceAssigned,
}

impl Action {
    /// Every action, in the order in which they are declared.
    pub const ALL: [Self; 20] = [
        Self::MerchantAdded,
        Self::MerchantSuspended,
        Self::MerchantResumed,
        Self::AddressesSet,
        Self::RateLimitSet,
        Self::CredentialAdded,
        Self::CredentialRevoked,
        Self::ProductPut,
        Self::ProductActivated,
        Self::ProductDeactivated,
        Self::BalanceCredited,
        Self::BalanceDebited,
        Self::OrderResolved,
        Self::RepetitionSet,
        Self::EndpointSet,
        Self::EndpointStopped,
        Self::CallbackResent,
        Self::PreferencesSet,
        Self::EvidenceReleased,
        Self::EvidenceAssigned,
    ];

    /// A stable name for storage and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MerchantAdded => "merchant.added",
            Self::MerchantSuspended => "merchant.suspended",
            Self::MerchantResumed => "merchant.resumed",
            Self::AddressesSet => "merchant.addresses_set",
            Self::RateLimitSet => "merchant.rate_limit_set",
            Self::CredentialAdded => "credential.added",
            Self::CredentialRevoked => "credential.revoked",
            Self::ProductPut => "product.put",
            Self::ProductActivated => "product.activated",
            Self::ProductDeactivated => "product.deactivated",
            Self::BalanceCredited => "balance.credited",
            Self::BalanceDebited => "balance.debited",
            Self::OrderResolved => "order.resolved",
            Self::RepetitionSet => "merchant.repetition_set",
            Self::EndpointSet => "endpoint.set",
            Self::EndpointStopped => "endpoint.stopped",
            Self::CallbackResent => "callback.resent",
            Self::PreferencesSet => "merchant.preferences_set",
            Self::EvidenceReleased => "evidence.released",
            Self::EvidenceAssigned => "evidence.assigned",
        }
    }

    /// The action with this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// The number of an audit record, from 1 without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuditNumber(pub u64);

impl fmt::Display for AuditNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What is worth knowing of a record before or after an act, by name. Never a secret.
pub type Facts = BTreeMap<String, String>;

/// One act, as it is remembered for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// The number.
    pub number: AuditNumber,
    /// When it was done.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What was done.
    pub action: Action,
    /// To what, such as `merchant 7`.
    pub subject: String,
    /// What differs, as it was.
    pub before: Facts,
    /// What differs, as it is now.
    pub after: Facts,
    /// The caller's own name for the request.
    pub request: Option<String>,
    /// Digest of all of the above and of the digest of the record before.
    pub hash: Hash,
}

impl AuditRecord {
    /// The digest that this record must carry, given that of the record before it.
    ///
    /// The layout is fixed for ever: the earlier digest, zeros for the first record; number and
    /// time as big-endian 64-bit integers; then as texts, each preceded by its length as such an
    /// integer, the actor, the role, the action, the subject, one text each for the counts of facts
    /// before and after in decimal digits followed by their names and values in order, and `named`
    /// with the caller's name for the request, or `unnamed`.
    pub fn expected_hash(&self, before: Option<Hash>) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(before.map_or([0; 32], |hash| hash.0));
        hasher.update(self.number.0.to_be_bytes());
        hasher.update(self.at.milliseconds().to_be_bytes());
        let mut text = |text: &str| {
            hasher.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(text);
        };
        text(&self.actor.name);
        text(self.actor.role.name());
        text(self.action.name());
        text(&self.subject);
        for facts in [&self.before, &self.after] {
            text(&facts.len().to_string());
            for (name, value) in facts {
                text(name);
                text(value);
            }
        }
        match &self.request {
            Some(request) => {
                text("named");
                text(request);
            }
            None => text("unnamed"),
        }
        Hash(hasher.finalize().into())
    }
}

/// Where an order stands after it was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The order.
    pub order: OrderId,
    /// Its reference.
    pub key: ReferenceKey,
    /// Its state.
    pub state: OrderState,
}

/// What an act brought about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The merchant stands like this now.
    Merchant(Merchant),
    /// The credential stands like this now, with its secrets where it was issued.
    Credential(Credential),
    /// The product stands like this now.
    Product(Product),
    /// The balance was funded or corrected.
    Funded {
        /// As recorded.
        funding: Funding,
        /// What is available after it.
        balance: Amount,
    },
    /// The order was decided.
    Resolved(Standing),
    /// The address stands like this now, with its secret.
    Endpoint(Endpoint),
    /// The callback waits to be tried again.
    Resent(CallbackId),
    /// The merchant wants this of the protocol now.
    Preferences(Preferences),
    /// The evidence stands like this now.
    Released(Evidence),
}

/// What was answered to a request that its caller named. Kept for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The name.
    pub key: RequestKey,
    /// Digest of what was asked.
    pub fingerprint: [u8; 32],
    /// The audit record of the act.
    pub audit: AuditNumber,
    /// What it brought about.
    pub effect: Effect,
}

/// Why an act was not carried out. Nothing changed and nothing is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Objection {
    /// The same caller named another request so before.
    #[error("request was named for something else before")]
    RequestKeyReused,
    /// There is no such merchant.
    #[error("merchant is unknown")]
    MerchantUnknown,
    /// The identifier belongs to another merchant, be it live or not.
    #[error("identifier is taken by another merchant")]
    IdentifierTaken,
    /// A rotation is under way already.
    #[error("identifier has as many live credentials as it may")]
    CredentialsTooMany,
    /// There is no such live credential.
    #[error("credential is unknown")]
    CredentialUnknown,
    /// A secret could be guessed.
    #[error("secret is shorter than {SECRET_LENGTH_MIN} characters")]
    SecretTooShort,
    /// There is no address for callbacks of this merchant and protocol.
    #[error("callback address is unknown")]
    EndpointUnknown,
    /// There is no such callback.
    #[error("callback is not found")]
    CallbackUnknown,
    /// There is no such evidence.
    #[error("evidence is unknown")]
    EvidenceUnknown,
    /// The evidence does not pay this order.
    #[error("evidence does not pay this order: {}", .0.name())]
    EvidenceMisfit(Doubtful),
    /// The evidence is not on suspense.
    #[error("evidence is not on suspense")]
    EvidenceNotSuspended,
    /// The callback is being tried at this moment.
    #[error("callback is being tried at this moment")]
    CallbackInFlight,
    /// There is no such product.
    #[error("product is unknown")]
    ProductUnknown,
    /// Another product has this code.
    #[error("code {} of {} belongs to product {holder}", alias.code, alias.protocol)]
    AliasTaken {
        /// The code.
        alias: Alias,
        /// Who has it.
        holder: ProductId,
    },
    /// The funding reference is used up.
    #[error("funding reference is already used")]
    FundingReferenceUsed,
    /// The amount is nothing, or more than can be counted.
    #[error("amount is invalid")]
    AmountInvalid,
    /// The merchant's balance is in another currency.
    #[error("amount is not in the merchant's currency")]
    CurrencyMismatch,
    /// The merchant has less than is to be taken.
    #[error("balance is not sufficient")]
    BalanceInsufficient,
    /// There is no such order.
    #[error("order is not found")]
    OrderUnknown,
    /// The order's outcome is not open, or not any more.
    #[error("order is not pending")]
    OrderNotPending,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back() {
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
        for action in Action::ALL {
            assert_eq!(Action::from_name(action.name()), Some(action));
        }
        assert_eq!(Role::from_name("root"), None);
        assert!(Role::Viewer < Role::Operator && Role::Operator < Role::Administrator);
    }

    fn record() -> AuditRecord {
        let fact = |value: &str| Facts::from([("status".to_owned(), value.to_owned())]);
        AuditRecord {
            number: AuditNumber(1),
            at: Timestamp::from_milliseconds(1_700_000_000_000),
            actor: Actor { name: "ana".to_owned(), role: Role::Operator },
            action: Action::MerchantSuspended,
            subject: "merchant 7".to_owned(),
            before: fact("active"),
            after: fact("suspended"),
            request: None,
            hash: Hash([0; 32]),
        }
    }

    /// No part runs into the next one, and none is left out.
    #[test]
    fn every_part_shows_in_the_digest() {
        let edits: [fn(&mut AuditRecord); 10] = [
            |record| record.number = AuditNumber(2),
            |record| record.at = Timestamp::from_milliseconds(1),
            |record| record.actor.name = "budi".to_owned(),
            |record| record.actor.role = Role::Administrator,
            |record| record.action = Action::MerchantResumed,
            |record| record.subject = "merchant 8".to_owned(),
            |record| record.before.clear(),
            |record| record.after.clone_from(&record.before),
            |record| record.request = Some(String::new()),
            |record| record.before.extend(std::mem::take(&mut record.after)),
        ];
        let mut digests = vec![record().expected_hash(None)];
        digests.push(record().expected_hash(Some(Hash([1; 32]))));
        for edit in edits {
            let mut edited = record();
            edit(&mut edited);
            digests.push(edited.expected_hash(None));
        }
        let distinct: std::collections::HashSet<_> = digests.iter().collect();
        assert_eq!(distinct.len(), digests.len());
    }
}
