//! The commands of the postpaid API and what each of their signatures covers (IAK reference,
//! sections 3 and 5). Serving and dissecting a request both go by this list.

use super::sign;

/// A command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// `pricelist-pasca`
    PriceList,
    /// `inq-pasca`
    Inquire,
    /// `pay-pasca`
    Pay,
    /// `checkstatus`
    CheckStatus,
    /// `receipt-custom`, which has a path of its own.
    Receipt,
}

/// What a signature is computed from besides user name and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    /// The text of this field.
    Field(&'static str),
    /// This word.
    Word(&'static str),
}

impl Command {
    /// Every command.
    pub(crate) const ALL: [Self; 5] =
        [Self::PriceList, Self::Inquire, Self::Pay, Self::CheckStatus, Self::Receipt];

    /// As it stands in the field `commands`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::PriceList => "pricelist-pasca",
            Self::Inquire => "inq-pasca",
            Self::Pay => "pay-pasca",
            Self::CheckStatus => "checkstatus",
            Self::Receipt => "receipt-custom",
        }
    }

    /// The command of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.name() == name)
    }

    /// What its signature is computed from.
    pub(crate) const fn signed(self) -> Signed {
        match self {
            Self::PriceList => Signed::Word(sign::PRICE_LIST),
            Self::Inquire => Signed::Field("ref_id"),
            Self::Pay => Signed::Field("tr_id"),
            Self::CheckStatus => Signed::Word(sign::CHECK_STATUS),
            Self::Receipt => Signed::Word(sign::RECEIPT),
        }
    }
}
