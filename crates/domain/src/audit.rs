//! The proof, after the fact, that history was made by the rules.
//!
//! An [`Auditor`] is given the stored accounts, then every transfer in the order of their numbers,
//! then every order, and names the first record that cannot be. It shares the arithmetic of the
//! ledger and nothing else: it trusts no counter, link or digest, and recomputes them all. The same
//! auditor serves the `verify` command and the tests.

use std::collections::{BTreeMap, HashMap};

use thiserror::Error;

use crate::account::{Account, AccountKey, Counters};
use crate::identifier::{AccountId, OrderId, TransferId};
use crate::ledger::replay;
use crate::money::Currency;
use crate::order::{Order, OrderState};
use crate::transfer::{Hash, Transfer, TransferKind};

/// The first record that cannot be, and why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{record}: {problem}")]
pub struct Finding {
    /// Which record, as people would look it up.
    pub record: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Finding {
    fn new(record: impl std::fmt::Display, problem: impl Into<String>) -> Self {
        Self { record: record.to_string(), problem: problem.into() }
    }
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Accounts compared with their replayed transfers.
    pub accounts: u64,
    /// Transfers replayed.
    pub transfers: u64,
    /// Orders compared with their holds.
    pub orders: u64,
    /// Holds that belong to open orders.
    pub open_holds: u64,
}

#[derive(Debug)]
struct Replayed {
    stored: Account,
    counters: Counters,
    latest: Option<(TransferId, Hash)>,
}

#[derive(Debug)]
struct HoldHistory {
    order: Option<OrderId>,
    debit: AccountId,
    credit: AccountId,
    minor: i64,
    resolution: Option<(TransferId, bool)>,
    claimed: bool,
}

/// Replays history and compares.
#[derive(Debug)]
pub struct Auditor {
    accounts: BTreeMap<AccountId, Replayed>,
    holds: HashMap<TransferId, HoldHistory>,
    last_transfer: Option<TransferId>,
    summary: Summary,
}

impl Auditor {
    /// Starts with the accounts as they are stored.
    pub fn new(accounts: impl IntoIterator<Item = Account>) -> Result<Self, Finding> {
        let mut known: BTreeMap<AccountId, Replayed> = BTreeMap::new();
        let mut names: HashMap<AccountKey, AccountId> = HashMap::new();
        for stored in accounts {
            let (id, key) = (stored.id, stored.key.clone());
            let replayed = Replayed { stored, counters: Counters::default(), latest: None };
            if known.insert(id, replayed).is_some() {
                return Err(Finding::new(format!("account {id}"), "stands twice"));
            }
            if let Some(other) = names.insert(key, id) {
                return Err(Finding::new(
                    format!("account {id}"),
                    format!("is account {other} again"),
                ));
            }
        }
        Ok(Self {
            accounts: known,
            holds: HashMap::new(),
            last_transfer: None,
            summary: Summary::default(),
        })
    }

    /// Replays the next transfer.
    pub fn transfer(&mut self, transfer: &Transfer) -> Result<(), Finding> {
        let problem = |problem: &str| Finding::new(format!("transfer {}", transfer.id), problem);
        if self.last_transfer.is_some_and(|last| last >= transfer.id) {
            return Err(problem("is out of order"));
        }
        self.last_transfer = Some(transfer.id);
        if transfer.amount.is_zero() {
            return Err(problem("moves nothing"));
        }
        if transfer.debit == transfer.credit {
            return Err(problem("goes from an account to itself"));
        }
        let (Some(mut debit), Some(mut credit)) =
            (self.accounts.remove(&transfer.debit), self.accounts.remove(&transfer.credit))
        else {
            return Err(problem("names an account that does not exist"));
        };
        let checked = check_links(transfer, &debit, &credit)
            .and_then(|()| self.check_hold(transfer))
            .and_then(|()| {
                replay(transfer, &mut debit.counters, &mut credit.counters)
                    .ok_or("takes a counter below zero")
            })
            .and_then(|()| check_limit(&debit));
        debit.latest = Some((transfer.id, transfer.hash));
        credit.latest = debit.latest;
        self.accounts.insert(transfer.debit, debit);
        self.accounts.insert(transfer.credit, credit);
        self.summary.transfers = self.summary.transfers.saturating_add(1);
        checked.map_err(problem)
    }

    fn check_hold(&mut self, transfer: &Transfer) -> Result<(), &'static str> {
        let (hold, posted) = match transfer.kind {
            TransferKind::Direct => return Ok(()),
            TransferKind::Hold => {
                self.holds.insert(
                    transfer.id,
                    HoldHistory {
                        order: transfer.order,
                        debit: transfer.debit,
                        credit: transfer.credit,
                        minor: transfer.amount.minor(),
                        resolution: None,
                        claimed: false,
                    },
                );
                return Ok(());
            }
            TransferKind::Post(hold) => (hold, true),
            TransferKind::Void(hold) => (hold, false),
        };
        let history = self.holds.get_mut(&hold).ok_or("resolves a hold that does not exist")?;
        if history.resolution.is_some() {
            return Err("resolves a hold that is resolved already");
        }
        let same = history.order == transfer.order
            && history.debit == transfer.debit
            && history.credit == transfer.credit
            && history.minor == transfer.amount.minor();
        if !same {
            return Err("does not match the hold that it resolves");
        }
        history.resolution = Some((transfer.id, posted));
        Ok(())
    }

    /// Compares an order with the holds that history shows for it.
    pub fn order(&mut self, order: &Order) -> Result<(), Finding> {
        self.summary.orders = self.summary.orders.saturating_add(1);
        for hold in &order.holds {
            let history = self.holds.get_mut(&hold.transfer);
            check_order_hold(order, hold, history)
                .map_err(|problem| Finding::new(format!("order {}", order.id), problem))?;
        }
        Ok(())
    }

    /// Compares the stored accounts with what was replayed, and looks for holds that no order owns.
    pub fn finish(mut self) -> Result<Summary, Finding> {
        let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
        for (id, account) in &self.accounts {
            let problem = |problem: &str| Finding::new(format!("account {id}"), problem);
            if account.stored.counters != account.counters {
                return Err(problem("counters differ from the replayed transfers"));
            }
            if account.stored.latest != account.latest {
                return Err(problem("latest transfer or its hash differs from history"));
            }
            let counters = account.stored.counters;
            let balance =
                i128::from(counters.credits_posted).saturating_sub(counters.debits_posted.into());
            let sum = sums.entry(account.stored.key.currency).or_default();
            *sum = sum.saturating_add(balance);
            self.summary.accounts = self.summary.accounts.saturating_add(1);
        }
        if let Some((currency, sum)) = sums.into_iter().find(|(_, sum)| *sum != 0) {
            let problem = format!("accounts sum to {sum} instead of zero");
            return Err(Finding::new(currency.code(), problem));
        }
        for (id, hold) in &self.holds {
            if !hold.claimed {
                return Err(Finding::new(format!("transfer {id}"), "is a hold that no order owns"));
            }
            if hold.resolution.is_none() {
                self.summary.open_holds = self.summary.open_holds.saturating_add(1);
            }
        }
        Ok(self.summary)
    }
}

fn check_links(
    transfer: &Transfer,
    debit: &Replayed,
    credit: &Replayed,
) -> Result<(), &'static str> {
    let currency = transfer.amount.currency();
    if debit.stored.key.currency != currency || credit.stored.key.currency != currency {
        return Err("is in another currency than its accounts");
    }
    if transfer.previous_debit != debit.latest.map(|(id, _)| id)
        || transfer.previous_credit != credit.latest.map(|(id, _)| id)
    {
        return Err("does not follow the transfer before it");
    }
    let head = |account: &Replayed| match account.latest {
        Some((_, hash)) => Some(hash),
        None => Some(account.stored.key.digest()),
    };
    if transfer.hash != transfer.expected_hash(head(debit), head(credit)) {
        return Err("does not carry the hash of its content, history and accounts");
    }
    Ok(())
}

fn check_limit(account: &Replayed) -> Result<(), &'static str> {
    let available = account.counters.available().ok_or("exhausts a counter")?;
    if account.stored.key.role.is_limited() && available < 0 {
        return Err("takes more than the account had available");
    }
    Ok(())
}

fn check_order_hold(
    order: &Order,
    hold: &crate::order::Hold,
    history: Option<&mut HoldHistory>,
) -> Result<(), String> {
    let id = hold.transfer;
    let history = history.ok_or_else(|| format!("hold {id} is not in the books"))?;
    if history.order != Some(order.id) || history.minor != hold.amount.minor() {
        return Err(format!("hold {id} is in the books for something else"));
    }
    if std::mem::replace(&mut history.claimed, true) {
        return Err(format!("hold {id} is owned twice"));
    }
    if hold.resolved_by != history.resolution.map(|(transfer, _)| transfer) {
        return Err(format!("hold {id} is resolved differently in the books"));
    }
    let expected = match order.state {
        OrderState::Processing => None,
        OrderState::Succeeded => Some(true),
        OrderState::Failed(_) => Some(false),
        OrderState::Declined(_)
        | OrderState::Quoted
        | OrderState::Awaiting
        | OrderState::Expired => {
            return Err(format!("hold {id} belongs to an order that holds nothing"));
        }
    };
    if history.resolution.map(|(_, posted)| posted) != expected {
        return Err(format!("hold {id} does not fit the order's state"));
    }
    Ok(())
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
