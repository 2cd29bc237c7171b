//! How transfers change accounts: the rules of double entry.
//!
//! A [`Ledger`] collects the transfers of one decision on top of a working set and leaves the
//! working set as it is; the caller takes the collected changes or drops them. Invariants: a
//! transfer debits one account and credits another by the same amount, a limited account never has
//! less than nothing available, and a hold is posted or voided exactly once.
//!
//! Which transfers an event makes is not known here; see [`crate::posting`].

use std::collections::BTreeMap;

use thiserror::Error;

use crate::account::{Account, AccountKey, Counters};
use crate::identifier::{AccountId, OrderId, TransferId};
use crate::money::Amount;
use crate::order::Hold;
use crate::time::Timestamp;
use crate::transfer::{Hash, Transfer, TransferKind};
use crate::working_set::WorkingSet;

/// Why a transfer was not made. Declared in the order in which the rules are checked: a transfer
/// that breaks several is refused for the first. Only `Overflow` shows wherever it is met.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LedgerError {
    /// The hold was posted or voided before.
    #[error("hold {0} is resolved already")]
    HoldResolved(TransferId),
    /// The amount is nothing.
    #[error("transfer moves nothing")]
    NothingToMove,
    /// Debit and credit are one account.
    #[error("transfer from an account to itself")]
    SameAccount,
    /// The accounts or the amount are of different currencies.
    #[error("transfer between currencies")]
    CurrencyMismatch,
    /// The account was not loaded into the working set; a mistake of ours.
    #[error("account {0:?} was not loaded")]
    NotLoaded(AccountKey),
    /// A limited account has less available than the transfer takes.
    #[error("account does not have enough available")]
    InsufficientFunds,
    /// The accounts hold less than the hold says; the books are damaged.
    #[error("hold {0} is not on these accounts")]
    HoldMissing(TransferId),
    /// A counter or a number would leave its 64 bits.
    #[error("a counter is exhausted")]
    Overflow,
}

/// What a transfer does to the counters of its two accounts.
fn move_counters(
    kind: TransferKind,
    amount: i64,
    debit: &mut Counters,
    credit: &mut Counters,
) -> Option<()> {
    let add = |counter: &mut i64| counter.checked_add(amount).map(|sum| *counter = sum);
    let take = |counter: &mut i64| {
        counter.checked_sub(amount).filter(|rest| *rest >= 0).map(|rest| *counter = rest)
    };
    match kind {
        TransferKind::Direct => {
            add(&mut debit.debits_posted)?;
            add(&mut credit.credits_posted)
        }
        TransferKind::Hold => {
            add(&mut debit.debits_pending)?;
            add(&mut credit.credits_pending)
        }
        TransferKind::Post(_) => {
            take(&mut debit.debits_pending)?;
            take(&mut credit.credits_pending)?;
            add(&mut debit.debits_posted)?;
            add(&mut credit.credits_posted)
        }
        TransferKind::Void(_) => {
            take(&mut debit.debits_pending)?;
            take(&mut credit.credits_pending)
        }
    }
}

/// Applies a recorded transfer to the counters of its two accounts, as the audit does when it
/// replays history. `None` if a counter would fall below zero or leave its 64 bits; the counters
/// are then unspecified.
pub fn replay(transfer: &Transfer, debit: &mut Counters, credit: &mut Counters) -> Option<()> {
    move_counters(transfer.kind, transfer.amount.minor(), debit, credit)
}

/// The transfers of one decision, and the accounts as they stand after them.
#[derive(Debug)]
pub struct Ledger<'a> {
    working_set: &'a WorkingSet,
    order: Option<OrderId>,
    at: Timestamp,
    touched: BTreeMap<AccountKey, Account>,
    transfers: Vec<Transfer>,
    last_account: u64,
    last_transfer: u64,
}

impl<'a> Ledger<'a> {
    /// An empty collection of transfers for this order at this time.
    pub fn new(working_set: &'a WorkingSet, order: Option<OrderId>, at: Timestamp) -> Self {
        Self {
            working_set,
            order,
            at,
            touched: BTreeMap::new(),
            transfers: Vec::new(),
            last_account: working_set.last_account(),
            last_transfer: working_set.last_transfer(),
        }
    }

    /// The transfers made, in order, and the accounts that they touched.
    pub fn into_changes(self) -> (Vec<Transfer>, Vec<Account>) {
        (self.transfers, self.touched.into_values().collect())
    }

    /// What this account has available after the transfers made so far.
    pub fn available(&self, key: &AccountKey) -> Result<i64, LedgerError> {
        let counters = match self.touched.get(key) {
            Some(account) => account.counters,
            None => self
                .working_set
                .account(key)
                .map_err(|_| LedgerError::NotLoaded(key.clone()))?
                .map_or(Counters::default(), |account| account.counters),
        };
        counters.available().ok_or(LedgerError::Overflow)
    }

    /// Moves an amount at once.
    pub fn direct(
        &mut self,
        debit: &AccountKey,
        credit: &AccountKey,
        amount: Amount,
    ) -> Result<TransferId, LedgerError> {
        self.record(TransferKind::Direct, debit, credit, amount)
    }

    /// Sets an amount aside.
    pub fn hold(
        &mut self,
        debit: &AccountKey,
        credit: &AccountKey,
        amount: Amount,
    ) -> Result<Hold, LedgerError> {
        let transfer = self.record(TransferKind::Hold, debit, credit, amount)?;
        Ok(Hold { transfer, amount, resolved_by: None })
    }

    /// Moves what the hold had set aside between these accounts.
    pub fn post(
        &mut self,
        hold: &mut Hold,
        debit: &AccountKey,
        credit: &AccountKey,
    ) -> Result<(), LedgerError> {
        self.resolve(TransferKind::Post(hold.transfer), hold, debit, credit)
    }

    /// Gives back what the hold had set aside between these accounts.
    pub fn void(
        &mut self,
        hold: &mut Hold,
        debit: &AccountKey,
        credit: &AccountKey,
    ) -> Result<(), LedgerError> {
        self.resolve(TransferKind::Void(hold.transfer), hold, debit, credit)
    }

    fn resolve(
        &mut self,
        kind: TransferKind,
        hold: &mut Hold,
        debit: &AccountKey,
        credit: &AccountKey,
    ) -> Result<(), LedgerError> {
        if hold.resolved_by.is_some() {
            return Err(LedgerError::HoldResolved(hold.transfer));
        }
        hold.resolved_by = Some(self.record(kind, debit, credit, hold.amount)?);
        Ok(())
    }

    fn record(
        &mut self,
        kind: TransferKind,
        debit_key: &AccountKey,
        credit_key: &AccountKey,
        amount: Amount,
    ) -> Result<TransferId, LedgerError> {
        if amount.is_zero() {
            return Err(LedgerError::NothingToMove);
        }
        if debit_key == credit_key {
            return Err(LedgerError::SameAccount);
        }
        if debit_key.currency != amount.currency() || credit_key.currency != amount.currency() {
            return Err(LedgerError::CurrencyMismatch);
        }
        let mut opened = self.last_account;
        let mut debit = self.account_or_new(debit_key, &mut opened)?;
        let mut credit = self.account_or_new(credit_key, &mut opened)?;
        let transfer = self.checked_transfer(kind, &mut debit, &mut credit, amount)?;
        let id = transfer.id;
        debit.latest = Some((id, transfer.hash));
        credit.latest = debit.latest;
        // Nothing is kept before this line, so that a refused transfer leaves nothing behind.
        self.last_account = opened;
        self.last_transfer = id.0;
        self.transfers.push(transfer);
        self.touched.insert(debit_key.clone(), debit);
        self.touched.insert(credit_key.clone(), credit);
        Ok(id)
    }

    fn checked_transfer(
        &self,
        kind: TransferKind,
        debit: &mut Account,
        credit: &mut Account,
        amount: Amount,
    ) -> Result<Transfer, LedgerError> {
        let minor = amount.minor();
        match kind {
            TransferKind::Direct | TransferKind::Hold => {
                if debit.key.role.is_limited() {
                    let available = debit.counters.available().ok_or(LedgerError::Overflow)?;
                    if available < minor {
                        return Err(LedgerError::InsufficientFunds);
                    }
                }
            }
            TransferKind::Post(hold) | TransferKind::Void(hold) => {
                if debit.counters.debits_pending < minor || credit.counters.credits_pending < minor
                {
                    return Err(LedgerError::HoldMissing(hold));
                }
            }
        }
        move_counters(kind, minor, &mut debit.counters, &mut credit.counters)
            .ok_or(LedgerError::Overflow)?;
        let id = self.last_transfer.checked_add(1).ok_or(LedgerError::Overflow)?;
        let mut transfer = Transfer {
            id: TransferId(id),
            order: self.order,
            kind,
            debit: debit.id,
            credit: credit.id,
            amount,
            at: self.at,
            previous_debit: debit.latest.map(|(id, _)| id),
            previous_credit: credit.latest.map(|(id, _)| id),
            hash: Hash([0; 32]),
        };
        transfer.hash = transfer.expected_hash(Some(debit.chain_head()), Some(credit.chain_head()));
        Ok(transfer)
    }

    /// The account as it stands, or a new one under the number after `last`.
    fn account_or_new(&self, key: &AccountKey, last: &mut u64) -> Result<Account, LedgerError> {
        if let Some(account) = self.touched.get(key) {
            return Ok(account.clone());
        }
        let loaded =
            self.working_set.account(key).map_err(|_| LedgerError::NotLoaded(key.clone()))?;
        if let Some(account) = loaded {
            return Ok(account.clone());
        }
        *last = last.checked_add(1).ok_or(LedgerError::Overflow)?;
        Ok(Account::open(AccountId(*last), key.clone()))
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
