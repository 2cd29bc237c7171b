//! The rules of Lunas: money, accounts, orders and what may happen to them.
//!
//! Everything here is a pure function of its arguments. There is no input or output, no async, no
//! serialisation, no clock and no randomness: time arrives as a [`Timestamp`] inside a command, and
//! whoever owns a wire or a row owns its format. Rules therefore stand in one place and can be
//! tested as tables and properties.
//!
//! Reading order: [`money`], [`account`], [`transfer`], [`ledger`] and [`posting`] are the books;
//! [`merchant`], [`product`], [`bill`] and [`order`] are what a business deals in; [`command`],
//! [`working_set`] and [`decide`] are how one changes the other; [`callback`] is the news that is
//! owed; [`administration`] is what operators
//! do; [`audit`] proves afterwards that
//! they did so by the rules.

#![deny(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing
)]
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        reason = "a test that overflows or is out of bounds fails, which is what it is for"
    )
)]

pub mod account;
pub mod administration;
pub mod audit;
pub mod bill;
pub mod callback;
pub mod command;
pub mod decide;
pub mod evidence;
#[cfg(test)]
mod fixtures;
pub mod identifier;
pub mod ledger;
pub mod masked;
pub mod merchant;
pub mod money;
pub mod order;
pub mod posting;
pub mod product;
pub mod refusal;
pub mod time;
pub mod transfer;
pub mod working_set;

pub use account::{Account, AccountKey, AccountRole};
pub use administration::{Act, Actor, Administer, AuditNumber, AuditRecord, Objection, Role};
pub use bill::{Bill, Detail, Period, YearMonth};
pub use callback::{Callback, CallbackState, Endpoint, EndpointKey};
pub use command::{Command, Reply};
pub use evidence::{Evidence, EvidenceKey, EvidenceState};
pub use identifier::{
    AccountId, CallbackId, MerchantId, Mode, OrderId, ProcessId, ProductId, ProtocolName,
    Reference, ReferenceKey, TransferId, UpstreamName,
};
pub use masked::Masked;
pub use merchant::{
    Credential, Level, Merchant, MerchantStatus, Preferences, RateLimit, Repetition, Secret,
};
pub use money::{Amount, Currency};
pub use order::{
    Attempt, AttemptState, Collecting, Delivery, Doubt, Hold, Kind, Order, OrderState, Outcome,
    Quote,
};
pub use product::{Alias, Channel, Flow, Price, Product, ProductStatus, Terms, TopUp};
pub use refusal::Refusal;
pub use time::{BusinessDay, Timestamp};
pub use transfer::{Hash, Transfer, TransferKind};
