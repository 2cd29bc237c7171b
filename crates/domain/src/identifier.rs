//! The names of things, each a type of its own, so that one cannot stand for another.
//!
//! Numbers are given out in order by the commit pipeline and never used again. Texts are compared
//! byte for byte; whoever accepts one from outside has checked its alphabet.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

macro_rules! number {
    ($(#[$documentation:meta])* $name:ident($inner:ty)) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

macro_rules! text {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Names it by this text.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// Lets maps be searched by the bare text.
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

number! {
    /// An order, numbered over all merchants from 1 in the order in which references were claimed.
    OrderId(u64)
}
number! {
    /// A transfer, numbered from 1 in the order in which it was made.
    TransferId(u64)
}
number! {
    /// An account, numbered from 1 in the order of its first use.
    AccountId(u64)
}
number! {
    /// A merchant, numbered by the operator.
    MerchantId(u32)
}
number! {
    /// A callback, numbered over all merchants from 1 in the order in which they became owed.
    CallbackId(u64)
}
number! {
    /// One run of the program. It owns the attempts that it started, and only those.
    ProcessId(u64)
}

text! {
    /// A product, under our own name for it.
    ProductId
}
text! {
    /// A merchant protocol, such as `iak`.
    ProtocolName
}
text! {
    /// A configured upstream, such as `sandbox`.
    UpstreamName
}
text! {
    /// The merchant's own name for an order.
    Reference
}

/// Whether an order moves money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// Moves money.
    Live,
    /// Makes no transfers and reaches only the sandbox.
    Test,
}

/// What makes a reference unique for ever: one namespace per merchant, protocol and mode.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReferenceKey {
    /// Whose reference.
    pub merchant: MerchantId,
    /// In which protocol.
    pub protocol: ProtocolName,
    /// Live or test.
    pub mode: Mode,
    /// The merchant's text.
    pub reference: Reference,
}

/// Maps are asked by it at every step of an order. One merchant hardly ever uses the same text in
/// two protocols, so protocol and mode would take time and tell nothing apart.
impl Hash for ReferenceKey {
    fn hash<Algorithm: Hasher>(&self, state: &mut Algorithm) {
        self.merchant.hash(state);
        self.reference.hash(state);
    }
}
