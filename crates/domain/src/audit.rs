//! The proof, after the fact, that history was made by the rules.
//!
//! An [`Auditor`] is given the stored accounts, then every transfer in the order of their numbers,
//! then every funding, every order, every callback and every audit record in the order of their
//! numbers, and last what is kept of named requests; it names the first record that cannot be. After a finding it has nothing more to say. It shares the arithmetic of the ledger and
//! nothing else: it trusts no counter, link or digest, and recomputes them all. The same auditor
//! serves the `verify` command and the tests.
//!
//! It does not prove that references are unique, which takes an index, nor what no transfer tells:
//! whom an order was for, and why an attempt was refused.

mod form;

use std::collections::{BTreeMap, HashMap};

use thiserror::Error;

use crate::account::{Account, AccountKey, AccountRole, Counters};
use crate::administration::{AuditNumber, AuditRecord, RequestKey};
use crate::callback::{Callback, Event};
use crate::command::Funding;
use crate::evidence::{Evidence, EvidenceKey, EvidenceState};
use crate::identifier::{
    AccountId, CallbackId, MerchantId, Mode, OrderId, ProtocolName, TransferId,
};
use crate::ledger::replay;
use crate::money::{Amount, Currency};
use crate::order::{Hold, Kind, Order, OrderState};
use crate::posting::Direction;
use crate::time::Timestamp;
use crate::transfer::{Hash, Transfer, TransferKind};
use form::Holding;

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
    /// Fundings compared with their transfers.
    pub fundings: u64,
    /// Orders compared with their transfers.
    pub orders: u64,
    /// Holds that belong to open orders.
    pub open_holds: u64,
    /// Callbacks compared with the orders that they tell of.
    pub callbacks: u64,
    /// Pieces of evidence compared with the orders that they paid.
    pub evidence: u64,
    /// Records of what operators did.
    pub audit_records: u64,
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
    amount: Amount,
    resolution: Option<(TransferId, Holding)>,
    claimed: bool,
}

/// What was moved in the name of one order.
#[derive(Debug)]
struct OrderHistory {
    /// The first transfer, by which a finding tells of an order that does not exist.
    first: TransferId,
    /// The merchant whose accounts were touched.
    merchant: Option<MerchantId>,
    /// What stays on clearing accounts: posted credits less posted debits.
    clearing: i128,
    /// What was passed on to upstreams.
    passed_on: i128,
    compared: bool,
}

/// A callback that an order says is owed.
#[derive(Debug)]
struct Owed {
    order: OrderId,
    merchant: MerchantId,
    protocol: ProtocolName,
    state: OrderState,
    collects: bool,
}

/// A transfer that moved a merchant's money and names no order: a funding must name it.
#[derive(Debug)]
struct Unexplained {
    debit: AccountId,
    credit: AccountId,
    amount: Amount,
    at: Timestamp,
}

/// Replays history and compares.
#[derive(Debug)]
pub struct Auditor {
    accounts: BTreeMap<AccountId, Replayed>,
    holds: HashMap<TransferId, HoldHistory>,
    orders: HashMap<OrderId, OrderHistory>,
    unexplained: BTreeMap<TransferId, Unexplained>,
    last_transfer: Option<TransferId>,
    last_order: Option<OrderId>,
    owed: BTreeMap<CallbackId, Owed>,
    last_callback: Option<CallbackId>,
    paid_by: BTreeMap<EvidenceKey, OrderId>,
    suspensions: BTreeMap<TransferId, Amount>,
    last_audit: Option<(AuditNumber, Hash)>,
    named_requests: BTreeMap<AuditNumber, RequestKey>,
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
            orders: HashMap::new(),
            unexplained: BTreeMap::new(),
            last_transfer: None,
            last_order: None,
            owed: BTreeMap::new(),
            last_callback: None,
            paid_by: BTreeMap::new(),
            suspensions: BTreeMap::new(),
            last_audit: None,
            named_requests: BTreeMap::new(),
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
            .and_then(|()| check_limit(&debit))
            .and_then(|()| self.attribute(transfer, &debit.stored.key, &credit.stored.key));
        debit.latest = Some((transfer.id, transfer.hash));
        credit.latest = debit.latest;
        self.accounts.insert(transfer.debit, debit);
        self.accounts.insert(transfer.credit, credit);
        self.summary.transfers = self.summary.transfers.saturating_add(1);
        checked.map_err(problem)
    }

    fn check_hold(&mut self, transfer: &Transfer) -> Result<(), &'static str> {
        let (hold, resolution) = match transfer.kind {
            TransferKind::Direct => return Ok(()),
            TransferKind::Hold => {
                self.holds.insert(
                    transfer.id,
                    HoldHistory {
                        order: transfer.order,
                        debit: transfer.debit,
                        credit: transfer.credit,
                        amount: transfer.amount,
                        resolution: None,
                        claimed: false,
                    },
                );
                return Ok(());
            }
            TransferKind::Post(hold) => (hold, Holding::Posted),
            TransferKind::Void(hold) => (hold, Holding::Voided),
        };
        let history = self.holds.get_mut(&hold).ok_or("resolves a hold that does not exist")?;
        if history.resolution.is_some() {
            return Err("resolves a hold that is resolved already");
        }
        let same = history.order == transfer.order
            && history.debit == transfer.debit
            && history.credit == transfer.credit
            && history.amount == transfer.amount;
        if !same {
            return Err("does not match the hold that it resolves");
        }
        history.resolution = Some((transfer.id, resolution));
        Ok(())
    }

    /// Notes in whose name a transfer moved what.
    fn attribute(
        &mut self,
        transfer: &Transfer,
        debit: &AccountKey,
        credit: &AccountKey,
    ) -> Result<(), &'static str> {
        let merchants = [debit, credit].map(|key| merchant_of(&key.role));
        let Some(order) = transfer.order else {
            if credit.role == AccountRole::Suspense {
                self.suspensions.insert(transfer.id, transfer.amount);
            }
            if merchants.iter().any(Option::is_some) {
                let (debit, credit) = (transfer.debit, transfer.credit);
                let (amount, at) = (transfer.amount, transfer.at);
                self.unexplained.insert(transfer.id, Unexplained { debit, credit, amount, at });
            }
            return Ok(());
        };
        let history = self.orders.entry(order).or_insert(OrderHistory {
            first: transfer.id,
            merchant: None,
            clearing: 0,
            passed_on: 0,
            compared: false,
        });
        for merchant in merchants.into_iter().flatten() {
            if *history.merchant.get_or_insert(merchant) != merchant {
                return Err("moves another merchant's money than its order did before");
            }
        }
        let minor = match transfer.kind {
            TransferKind::Direct | TransferKind::Post(_) => i128::from(transfer.amount.minor()),
            TransferKind::Hold | TransferKind::Void(_) => 0,
        };
        if debit.role == AccountRole::Clearing {
            history.clearing = history.clearing.saturating_sub(minor);
        }
        match credit.role {
            AccountRole::Clearing => history.clearing = history.clearing.saturating_add(minor),
            AccountRole::Float(_) => history.passed_on = history.passed_on.saturating_add(minor),
            _ => {}
        }
        Ok(())
    }

    /// Compares a funding with the transfer that it names.
    pub fn funding(&mut self, funding: &Funding) -> Result<(), Finding> {
        self.summary.fundings = self.summary.fundings.saturating_add(1);
        let merchant = funding.key.merchant;
        let problem = |problem: &str| {
            let record = format!("funding {} of merchant {merchant}", funding.key.reference);
            Finding::new(record, problem)
        };
        let made = self
            .unexplained
            .remove(&funding.transfer)
            .ok_or_else(|| problem("names a transfer that is no funding, or another's"))?;
        let (bank, owner) = match funding.direction {
            Direction::Credit => (made.debit, made.credit),
            Direction::Debit => (made.credit, made.debit),
        };
        let from_suspense = funding.direction == Direction::Credit
            && self.role_of(bank) == Some(&AccountRole::Suspense);
        let same = (self.role_of(bank) == Some(&AccountRole::Bank) || from_suspense)
            && self.role_of(owner) == Some(&AccountRole::Merchant(merchant))
            && made.amount == funding.amount
            && made.at == funding.at;
        if same { Ok(()) } else { Err(problem("differs from its transfer")) }
    }

    fn role_of(&self, account: AccountId) -> Option<&AccountRole> {
        self.accounts.get(&account).map(|account| &account.stored.key.role)
    }

    /// Compares the next order with what was moved in its name.
    pub fn order(&mut self, order: &Order) -> Result<(), Finding> {
        self.summary.orders = self.summary.orders.saturating_add(1);
        let problem = |problem: String| Finding::new(format!("order {}", order.id), problem);
        if self.last_order.is_some_and(|last| last >= order.id) {
            return Err(problem("is out of order".to_owned()));
        }
        self.last_order = Some(order.id);
        form::check(order).map_err(|it| problem(it.to_owned()))?;
        order
            .holds
            .iter()
            .try_for_each(|hold| self.check_order_hold(order, hold))
            .map_err(problem)?;
        if let Some(key) = order.collecting.as_ref().and_then(|it| it.evidence.as_ref())
            && let Some(other) = self.paid_by.insert(key.clone(), order.id)
        {
            return Err(problem(format!("was paid by the evidence that paid order {other}")));
        }
        for id in &order.callbacks {
            let owed = Owed {
                order: order.id,
                merchant: order.key.merchant,
                protocol: order.key.protocol.clone(),
                state: order.state,
                collects: order.collecting.is_some(),
            };
            if self.owed.insert(*id, owed).is_some() {
                return Err(problem(format!("owes callback {id}, which another order owes")));
            }
        }
        self.check_order_history(order).map_err(|it| problem(it.to_owned()))
    }

    /// Compares the next callback with the order that it tells of.
    pub fn callback(&mut self, callback: &Callback) -> Result<(), Finding> {
        self.summary.callbacks = self.summary.callbacks.saturating_add(1);
        let id = callback.id;
        let problem = |problem: &str| Err(Finding::new(format!("callback {id}"), problem));
        if self.last_callback.is_some_and(|last| last >= id) {
            return problem("is out of order");
        }
        self.last_callback = Some(id);
        let Some(owed) = self.owed.remove(&id) else {
            return problem("is owed by no order");
        };
        let same = owed.order == callback.order
            && owed.merchant == callback.merchant
            && owed.protocol == callback.protocol;
        if !same {
            return problem("tells of another order than the one that owes it");
        }
        let fits = match callback.event {
            Event::Succeeded | Event::SerialNumber => owed.state == OrderState::Succeeded,
            Event::Failed => matches!(owed.state, OrderState::Failed(_) | OrderState::Expired),
            // It may have ended since.
            Event::InReview => owed.collects,
        };
        if !fits {
            return problem("tells something else than became of its order");
        }
        if callback.tries > 0 && callback.rendered.is_none() {
            return problem("was tried and what was sent is not kept");
        }
        Ok(())
    }

    fn check_order_hold(&mut self, order: &Order, hold: &Hold) -> Result<(), String> {
        let id = hold.transfer;
        let history =
            self.holds.get_mut(&id).ok_or_else(|| format!("hold {id} is not in the books"))?;
        let (debit, credit) = (history.debit, history.credit);
        if history.order != Some(order.id) || history.amount != hold.amount {
            return Err(format!("hold {id} is in the books for something else"));
        }
        if std::mem::replace(&mut history.claimed, true) {
            return Err(format!("hold {id} is owned twice"));
        }
        if hold.resolved_by != history.resolution.map(|(transfer, _)| transfer) {
            return Err(format!("hold {id} is resolved differently in the books"));
        }
        let found = history.resolution.map_or(Holding::Open, |(_, resolution)| resolution);
        if found != form::holding(order) {
            return Err(format!("hold {id} does not fit the order's state"));
        }
        if self.role_of(debit) != Some(&AccountRole::Merchant(order.key.merchant))
            || self.role_of(credit) != Some(&AccountRole::Clearing)
        {
            return Err(format!("hold {id} is not from its merchant to clearing"));
        }
        Ok(())
    }

    fn check_order_history(&mut self, order: &Order) -> Result<(), &'static str> {
        let succeeded = order.state == OrderState::Succeeded;
        let collection = order.kind == Kind::Collection;
        let Some(history) = self.orders.get_mut(&order.id) else {
            let paid = collection && succeeded && order.key.mode == Mode::Live;
            return if paid { Err("succeeded and brought no money") } else { Ok(()) };
        };
        history.compared = true;
        let test = order.key.mode == Mode::Test;
        if test || (!collection && form::holding(order) == Holding::Nothing) {
            return Err("moved money, which its mode or state does not allow");
        }
        if history.merchant.is_some_and(|merchant| merchant != order.key.merchant) {
            return Err("moved another merchant's money");
        }
        if history.clearing != 0 {
            return Err("left money on the clearing account");
        }
        if order.state == OrderState::Processing && history.passed_on != 0 {
            return Err("passed money on before its outcome");
        }
        let cost = order.delivery.as_ref().map(|delivery| delivery.cost);
        let same = cost.is_none_or(|cost| {
            let held = order.holds.first().map(|hold| hold.amount.currency());
            i128::from(cost.minor()) == history.passed_on
                && held.is_none_or(|it| it == cost.currency())
        });
        if same { Ok(()) } else { Err("passed on something else than its cost") }
    }

    /// Compares a piece of evidence with the order that it paid, or with the transfer that put it on
    /// suspense; comes after the orders.
    pub fn evidence(&mut self, evidence: &Evidence) -> Result<(), Finding> {
        self.summary.evidence = self.summary.evidence.saturating_add(1);
        let key = &evidence.key;
        let problem = |problem: &str| {
            Err(Finding::new(format!("evidence {} of {}", key.id, key.source), problem))
        };
        let paid = self.paid_by.remove(key);
        match evidence.state {
            EvidenceState::Used(order) if paid == Some(order) => {}
            EvidenceState::Used(_) => return problem("says that it paid another order"),
            _ if paid.is_some() => return problem("paid an order and does not say so"),
            EvidenceState::Suspended { transfer, .. } => {
                if self.suspensions.remove(&transfer) != Some(evidence.amount) {
                    return problem("does not stand on suspense as it says");
                }
            }
            EvidenceState::Open | EvidenceState::Released(_) => {}
        }
        Ok(())
    }

    /// Follows the chain of audit records, which come in the order of their numbers.
    pub fn audit_record(&mut self, record: &AuditRecord) -> Result<(), Finding> {
        self.summary.audit_records = self.summary.audit_records.saturating_add(1);
        let number = record.number;
        let problem = |problem: &str| Err(Finding::new(format!("audit record {number}"), problem));
        let before = self.last_audit;
        if before.map_or(0, |(last, _)| last.0).checked_add(1) != Some(number.0) {
            return problem("does not follow the record before it");
        }
        if record.hash != record.expected_hash(before.map(|(_, hash)| hash)) {
            return problem("does not carry the hash of its content and history");
        }
        self.last_audit = Some((number, record.hash));
        if let Some(text) = &record.request {
            let key = RequestKey { actor: record.actor.name.clone(), text: text.clone() };
            self.named_requests.insert(number, key);
        }
        Ok(())
    }

    /// Compares what is kept of a named request with the audit record of it; comes after those.
    pub fn kept_answer(&mut self, key: &RequestKey, audit: AuditNumber) -> Result<(), Finding> {
        if self.named_requests.remove(&audit).as_ref() == Some(key) {
            return Ok(());
        }
        let record = format!("request {} of {}", key.text, key.actor);
        Err(Finding::new(record, format!("is not the one of audit record {audit}")))
    }

    /// Compares the stored accounts with what was replayed, and looks for transfers that no order or
    /// funding owns.
    pub fn finish(mut self) -> Result<Summary, Finding> {
        self.check_accounts()?;
        let transfer =
            |id: TransferId, problem: String| Err(Finding::new(format!("transfer {id}"), problem));
        let strange = self.orders.iter().filter(|(_, history)| !history.compared);
        if let Some((order, history)) = strange.min_by_key(|(_, history)| history.first) {
            return transfer(history.first, format!("names order {order}, which does not exist"));
        }
        let unowned = self.holds.iter().filter(|(_, hold)| !hold.claimed);
        if let Some(id) = unowned.map(|(id, _)| *id).min() {
            return transfer(id, "is a hold that no order owns".to_owned());
        }
        if let Some(id) = self.unexplained.keys().next() {
            return transfer(*id, "moves a merchant's money for no order or funding".to_owned());
        }
        if let Some((key, order)) = self.paid_by.first_key_value() {
            let problem =
                format!("was paid by evidence {} of {}, which is not there", key.id, key.source);
            return Err(Finding::new(format!("order {order}"), problem));
        }
        if let Some((id, owed)) = self.owed.first_key_value() {
            let problem = format!("owes callback {id}, which does not exist");
            return Err(Finding::new(format!("order {}", owed.order), problem));
        }
        if let Some(number) = self.named_requests.keys().next() {
            let problem = "answered a named request and the answer is not kept";
            return Err(Finding::new(format!("audit record {number}"), problem));
        }
        let open = self.holds.values().filter(|hold| hold.resolution.is_none()).count();
        self.summary.open_holds = u64::try_from(open).unwrap_or(u64::MAX);
        Ok(self.summary)
    }

    fn check_accounts(&mut self) -> Result<(), Finding> {
        let mut sums: BTreeMap<Currency, i128> = BTreeMap::new();
        for (id, account) in &self.accounts {
            let problem = |problem: &str| Finding::new(format!("account {id}"), problem);
            let counters = account.stored.counters;
            if counters != account.counters {
                return Err(problem("counters differ from the replayed transfers"));
            }
            if account.stored.latest != account.latest {
                return Err(problem("latest transfer or its hash differs from history"));
            }
            if account.latest.is_none() {
                return Err(problem("was opened and never used"));
            }
            let balance =
                i128::from(counters.credits_posted).saturating_sub(counters.debits_posted.into());
            if account.stored.key.role == AccountRole::Clearing && balance != 0 {
                return Err(problem("is for clearing and has a posted rest"));
            }
            let sum = sums.entry(account.stored.key.currency).or_default();
            *sum = sum.saturating_add(balance);
            self.summary.accounts = self.summary.accounts.saturating_add(1);
        }
        // Cannot differ when every transfer was replayed; a proof should not rest on that alone.
        match sums.into_iter().find(|(_, sum)| *sum != 0) {
            Some((currency, sum)) => {
                let problem = format!("accounts sum to {sum} instead of zero");
                Err(Finding::new(currency.code(), problem))
            }
            None => Ok(()),
        }
    }
}

const fn merchant_of(role: &AccountRole) -> Option<MerchantId> {
    match role {
        AccountRole::Merchant(merchant) | AccountRole::Receivable(merchant) => Some(*merchant),
        AccountRole::Clearing
        | AccountRole::Float(_)
        | AccountRole::Margin
        | AccountRole::Fees
        | AccountRole::Bank
        | AccountRole::Inbound(_)
        | AccountRole::Suspense => None,
    }
}

fn check_links(
    transfer: &Transfer,
    debit: &Replayed,
    credit: &Replayed,
) -> Result<(), &'static str> {
    // Numbers start at 1: in the digest, zero stands for no order.
    if transfer.order == Some(OrderId(0)) {
        return Err("names order 0, which cannot exist");
    }
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
    if !account.stored.key.role.is_limited() {
        return Ok(());
    }
    match account.counters.available() {
        Some(available) if available >= 0 => Ok(()),
        _ => Err("takes more than the account had available"),
    }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
