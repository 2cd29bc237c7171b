//! Transfers: the only thing that moves money, never changed once made.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::identifier::{AccountId, OrderId, TransferId};
use crate::money::Amount;
use crate::time::Timestamp;

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash(pub [u8; 32]);

impl fmt::Debug for Hash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// How a transfer moves money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferKind {
    /// At once.
    Direct,
    /// Sets it aside, to be posted or voided later, exactly once.
    Hold,
    /// Moves what a hold had set aside.
    Post(TransferId),
    /// Gives back what a hold had set aside.
    Void(TransferId),
}

/// The movement of an amount from the debit to the credit account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// The number.
    pub id: TransferId,
    /// The order that caused it; none for funding.
    pub order: Option<OrderId>,
    /// How it moves money.
    pub kind: TransferKind,
    /// The account that gives.
    pub debit: AccountId,
    /// The account that receives.
    pub credit: AccountId,
    /// How much.
    pub amount: Amount,
    /// When.
    pub at: Timestamp,
    /// The transfer before this one on the debit account.
    pub previous_debit: Option<TransferId>,
    /// The transfer before this one on the credit account.
    pub previous_credit: Option<TransferId>,
    /// Digest of all of the above and of the digests on which it builds. Each account carries its
    /// latest digest, so no past transfer can be changed without every later one showing it.
    pub hash: Hash,
}

impl Transfer {
    /// The digest that this transfer must carry, given those on which it builds: of the transfer
    /// before it on each account, or of the account's name where it is the first (see
    /// [`Account::chain_head`](crate::account::Account::chain_head)).
    ///
    /// The layout is fixed for ever: big-endian integers in the order of the fields, zero for an
    /// absent number (numbers start at 1), then both earlier digests, zeros where none is given.
    pub fn expected_hash(&self, debit_before: Option<Hash>, credit_before: Option<Hash>) -> Hash {
        let (kind, hold) = match self.kind {
            TransferKind::Direct => (0_u8, 0),
            TransferKind::Hold => (1, 0),
            TransferKind::Post(hold) => (2, hold.0),
            TransferKind::Void(hold) => (3, hold.0),
        };
        let number = |transfer: Option<TransferId>| transfer.map_or(0, |id| id.0).to_be_bytes();
        let digest = |hash: Option<Hash>| hash.map_or([0; 32], |hash| hash.0);
        let mut hasher = Sha256::new();
        hasher.update(self.id.0.to_be_bytes());
        hasher.update(self.order.map_or(0, |order| order.0).to_be_bytes());
        hasher.update([kind]);
        hasher.update(hold.to_be_bytes());
        hasher.update(self.debit.0.to_be_bytes());
        hasher.update(self.credit.0.to_be_bytes());
        hasher.update(self.amount.minor().to_be_bytes());
        hasher.update(self.amount.currency().code());
        hasher.update(self.at.milliseconds().to_be_bytes());
        hasher.update(number(self.previous_debit));
        hasher.update(number(self.previous_credit));
        hasher.update(digest(debit_before));
        hasher.update(digest(credit_before));
        Hash(hasher.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{AccountKey, AccountRole};
    use crate::identifier::MerchantId;
    use crate::money::Currency;

    /// Computed apart from this program; a change here would break every chain that is stored.
    #[test]
    fn digests_never_change() {
        let first = Transfer {
            id: TransferId(1),
            order: None,
            kind: TransferKind::Direct,
            debit: AccountId(1),
            credit: AccountId(2),
            amount: Amount::rupiah(1500),
            at: Timestamp::from_milliseconds(1_700_000_000_000),
            previous_debit: None,
            previous_credit: None,
            hash: Hash([0; 32]),
        };
        assert_eq!(
            format!("{:?}", first.expected_hash(None, None)),
            "33813f3295176d9819258f6e66ac4abe4def0022a346af638dc5ec8648e4a867"
        );
        let post = Transfer {
            id: TransferId(5),
            order: Some(OrderId(9)),
            kind: TransferKind::Post(TransferId(4)),
            previous_debit: Some(TransferId(3)),
            previous_credit: Some(TransferId(4)),
            ..first
        };
        let bank = AccountKey::new(AccountRole::Bank, Currency::Idr).digest();
        let merchant = AccountKey::merchant(MerchantId(17), Currency::Idr).digest();
        assert_eq!(
            format!("{:?}", post.expected_hash(Some(bank), Some(merchant))),
            "31fb4f2292e6825035cf7ae7bd877b186969eb3e0a4e8689c1dbdcc98c2b3a0f"
        );
    }
}
