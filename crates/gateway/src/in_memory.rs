//! A store that keeps everything in memory, for tests of whatever stands above the store.
//!
//! It decides by the same rules as every engine and is durable as long as the process lives. It is
//! compiled for tests only.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use domain::administration::{AuditNumber, AuditRecord, KeptAnswer, RequestKey};
use domain::audit::{Auditor, Finding, Summary};
use domain::callback::{Delivery, Endpoint, EndpointKey};
use domain::command::{Answer, DayClaimKey, Funding, FundingKey, Keys, PayerReferenceKey};
use domain::decide::decide;
use domain::working_set::{Change, LastNumbers, WorkingSet};
use domain::{
    Account, AccountKey, Amount, Callback, CallbackId, Command, Credential, Evidence, EvidenceKey,
    Merchant, Order, OrderId, OrderState, Preferences, Product, ProductId, ReferenceKey, Timestamp,
    Transfer, TransferId,
};

use crate::catalogue::Catalogue;
use crate::ports::{
    Backlog, CallbackFilter, CallbackReports, CollectionReports, OrderFilter, Page, Pending,
    Reports, Store, StoreFault,
};

/// Everything that was ever changed.
#[derive(Debug, Default)]
struct Records {
    last: LastNumbers,
    accounts: HashMap<AccountKey, Account>,
    transfers: Vec<Transfer>,
    orders: BTreeMap<OrderId, Arc<Order>>,
    references: HashMap<ReferenceKey, OrderId>,
    fundings: HashMap<FundingKey, Funding>,
    merchants: Vec<Merchant>,
    credentials: Vec<Credential>,
    products: BTreeMap<ProductId, Product>,
    audit_records: BTreeMap<AuditNumber, AuditRecord>,
    kept_answers: HashMap<RequestKey, KeptAnswer>,
    callbacks: BTreeMap<CallbackId, Callback>,
    deliveries: Vec<Delivery>,
    endpoints: BTreeMap<EndpointKey, Endpoint>,
    day_claims: HashMap<DayClaimKey, OrderId>,
    evidence: BTreeMap<EvidenceKey, Evidence>,
    payer_references: HashMap<PayerReferenceKey, OrderId>,
    preferences: Vec<Preferences>,
    /// How many records were ever changed.
    changes: u64,
    /// What is answered instead of anything else.
    fault: Option<StoreFault>,
}

/// The store.
#[derive(Debug, Default)]
pub struct InMemory {
    records: Mutex<Records>,
}

impl InMemory {
    /// Audits everything that the store holds.
    pub fn audit(&self) -> Result<Summary, Finding> {
        let records = self.records();
        let mut auditor = Auditor::new(records.accounts.values().cloned())?;
        records.transfers.iter().try_for_each(|transfer| auditor.transfer(transfer))?;
        records.fundings.values().try_for_each(|funding| auditor.funding(funding))?;
        records.orders.values().try_for_each(|order| auditor.order(order))?;
        records.callbacks.values().try_for_each(|callback| auditor.callback(callback))?;
        records.evidence.values().try_for_each(|evidence| auditor.evidence(evidence))?;
        records.audit_records.values().try_for_each(|record| auditor.audit_record(record))?;
        let mut kept = records.kept_answers.values();
        kept.try_for_each(|kept| auditor.kept_answer(&kept.key, kept.audit))?;
        auditor.finish()
    }

    /// How many records were ever changed: the same count before and after a request shows that it
    /// changed nothing.
    pub fn changes(&self) -> u64 {
        self.records().changes
    }

    /// From now on the store answers nothing but this.
    pub fn fail_with(&self, fault: StoreFault) {
        self.records().fault = Some(fault);
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn working(&self) -> Result<MutexGuard<'_, Records>, StoreFault> {
        let records = self.records();
        match &records.fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(records),
        }
    }
}

impl Records {
    fn load(&self, command: &Command) -> WorkingSet {
        let mut keys = Keys::default();
        command.add_keys(&mut keys);
        let mut working_set = WorkingSet::new(self.last);
        for key in keys.accounts {
            let account = self.accounts.get(&key).cloned();
            working_set.put_account(key, account);
        }
        for id in keys.orders {
            working_set.put_order(id, self.orders.get(&id).cloned());
        }
        for key in keys.references {
            let order = self.references.get(&key).and_then(|id| self.orders.get(id)).cloned();
            working_set.put_reference(key, order);
        }
        for key in keys.fundings {
            let funding = self.fundings.get(&key).cloned();
            working_set.put_funding(key, funding);
        }
        for id in keys.merchants {
            let merchant = self.merchants.iter().find(|merchant| merchant.id == id).cloned();
            working_set.put_merchant(id, merchant);
        }
        for key in keys.credentials {
            let known = self.credentials.iter().filter(|credential| {
                credential.protocol == key.protocol && credential.identifier == key.identifier
            });
            let known = known.cloned().collect();
            working_set.put_credentials(key, known);
        }
        for id in keys.products {
            let product = self.products.get(&id).cloned();
            working_set.put_product(id, product);
        }
        for alias in keys.aliases {
            let holder = self.products.values().find(|product| product.aliases.contains(&alias));
            let holder = holder.map(|product| product.id.clone());
            working_set.put_alias(alias, holder);
        }
        for key in keys.requests {
            let kept = self.kept_answers.get(&key).cloned();
            working_set.put_kept_answer(key, kept);
        }
        for id in keys.callbacks {
            working_set.put_callback(id, self.callbacks.get(&id).cloned());
        }
        for key in keys.endpoints {
            let endpoint = self.endpoints.get(&key).cloned();
            working_set.put_endpoint(key, endpoint);
        }
        for key in keys.day_claims {
            let order = self.day_claims.get(&key).and_then(|id| self.orders.get(id)).cloned();
            working_set.put_day_claim(key, order);
        }
        for key in keys.evidence {
            let evidence = self.evidence.get(&key).cloned();
            working_set.put_evidence(key, evidence);
        }
        for key in keys.payer_references {
            let order = self.payer_references.get(&key).copied();
            working_set.put_payer_reference(key, order);
        }
        working_set
    }

    fn save(&mut self, change: Change) {
        self.changes += 1;
        match change {
            Change::Account(account) => {
                self.accounts.insert(account.key.clone(), account);
            }
            Change::Transfer(transfer) => self.transfers.push(transfer),
            Change::NewOrder(order) => {
                self.references.insert(order.key.clone(), order.id);
                self.orders.insert(order.id, order);
            }
            Change::Order(order) => {
                self.orders.insert(order.id, order);
            }
            Change::Funding(funding) => {
                self.fundings.insert(funding.key.clone(), funding);
            }
            Change::Merchant(merchant) => {
                self.merchants.retain(|other| other.id != merchant.id);
                self.merchants.push(merchant);
            }
            Change::Credential(credential) => {
                self.credentials.retain(|other| {
                    (&other.protocol, &other.identifier, other.serial)
                        != (&credential.protocol, &credential.identifier, credential.serial)
                });
                self.credentials.push(credential);
            }
            Change::Product(product) => {
                self.products.insert(product.id.clone(), product);
            }
            Change::AuditRecord(record) => {
                self.audit_records.insert(record.number, record);
            }
            Change::KeptAnswer(kept) => {
                self.kept_answers.insert(kept.key.clone(), kept);
            }
            Change::Callback(callback) => {
                self.callbacks.insert(callback.id, callback);
            }
            Change::Delivery(delivery) => self.deliveries.push(delivery),
            Change::Endpoint(endpoint) => {
                self.endpoints.insert(endpoint.key.clone(), endpoint);
            }
            Change::DayClaim(claim) => {
                self.day_claims.insert(claim.key, claim.order);
            }
            Change::Evidence(evidence) => {
                self.evidence.insert(evidence.key.clone(), evidence);
            }
            Change::PayerReference(key, order) => {
                self.payer_references.insert(key, order);
            }
            Change::Preferences(preferences) => {
                self.preferences.retain(|other| {
                    (other.merchant, &other.protocol)
                        != (preferences.merchant, &preferences.protocol)
                });
                self.preferences.push(preferences);
            }
        }
    }
}

#[async_trait]
impl Store for InMemory {
    async fn execute(
        &self,
        command: Command,
        _deadline: Option<Instant>,
    ) -> Result<Answer, StoreFault> {
        let mut records = self.working()?;
        let mut working_set = records.load(&command);
        let decision = decide(&working_set, &command)
            .map_err(|fault| StoreFault::Corrupt(fault.to_string()))?;
        for change in decision.changes {
            working_set.apply(&change);
            records.save(change);
        }
        records.last = working_set.last_numbers();
        Ok(decision.answer)
    }

    async fn order(&self, id: OrderId) -> Result<Option<Arc<Order>>, StoreFault> {
        Ok(self.working()?.orders.get(&id).cloned())
    }

    async fn order_by_reference(
        &self,
        key: &ReferenceKey,
    ) -> Result<Option<Arc<Order>>, StoreFault> {
        let records = self.working()?;
        Ok(records.references.get(key).and_then(|id| records.orders.get(id)).cloned())
    }

    async fn account(&self, key: &AccountKey) -> Result<Option<Account>, StoreFault> {
        Ok(self.working()?.accounts.get(key).cloned())
    }

    async fn kept_answer(&self, key: &RequestKey) -> Result<Option<KeptAnswer>, StoreFault> {
        Ok(self.working()?.kept_answers.get(key).cloned())
    }
}

#[async_trait]
impl Reports for InMemory {
    async fn catalogue(&self) -> Result<Catalogue, StoreFault> {
        let records = self.working()?;
        Ok(Catalogue::new(
            records.merchants.clone(),
            records.credentials.clone(),
            records.products.values().cloned().collect(),
        )
        .with_endpoints(records.endpoints.values().cloned().collect())
        .with_preferences(records.preferences.clone()))
    }

    async fn questions_due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        let is_due = |order: &Arc<Order>| order.question_due.is_some_and(|due| due <= now);
        Ok(self.some_orders(limit, is_due))
    }

    async fn processing(&self, after: OrderId, limit: u32) -> Result<Vec<Arc<Order>>, StoreFault> {
        let is_open =
            |order: &Arc<Order>| order.id > after && order.state == OrderState::Processing;
        Ok(self.some_orders(limit, is_open))
    }

    async fn pending(&self) -> Result<Pending, StoreFault> {
        let records = self.working()?;
        let mut pending = Pending::default();
        for order in records.orders.values().filter(|it| it.state == OrderState::Processing) {
            let begun = order.attempts.first().map(|attempt| attempt.started_at);
            pending.orders += 1;
            pending.since = [pending.since, begun].into_iter().flatten().min();
        }
        Ok(pending)
    }

    async fn orders_named(
        &self,
        reference: &str,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        Ok(self.some_orders(limit, |order| order.key.reference.as_str() == reference))
    }

    async fn orders(
        &self,
        filter: &OrderFilter,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Page<Arc<Order>, OrderId>, StoreFault> {
        let records = self.working()?;
        let below = |id: OrderId| before.is_none_or(|before| id < before);
        let wanted = records.orders.values().rev();
        let wanted = wanted.filter(|order| below(order.id) && filter.admits(order));
        let wanted = wanted.take(one_more(limit)).cloned().collect();
        Ok(Page::of(wanted, limit, |order: &Arc<Order>| order.id))
    }

    async fn transfers_of_order(&self, order: &Order) -> Result<Vec<Transfer>, StoreFault> {
        let records = self.working()?;
        let own = records.transfers.iter().filter(|transfer| transfer.order == Some(order.id));
        Ok(own.cloned().collect())
    }

    async fn transfers_of_account(
        &self,
        key: &AccountKey,
        from: Option<TransferId>,
        limit: u32,
    ) -> Result<Option<Page<Transfer, TransferId>>, StoreFault> {
        let records = self.working()?;
        let Some(account) = records.accounts.get(key).map(|account| account.id) else {
            return Ok(from.is_none().then_some(Page { items: Vec::new(), next: None }));
        };
        let own = |transfer: &&Transfer| transfer.debit == account || transfer.credit == account;
        let upto = |transfer: &&Transfer| from.is_none_or(|from| transfer.id <= from);
        let mut found = records.transfers.iter().rev().filter(own).filter(upto).peekable();
        if from.is_some_and(|from| found.peek().is_none_or(|first| first.id != from)) {
            return Ok(None);
        }
        let mut items: Vec<Transfer> = found.take(one_more(limit)).cloned().collect();
        let next = (items.len() == one_more(limit)).then(|| items.pop()).flatten();
        Ok(Some(Page { items, next: next.map(|transfer| transfer.id) }))
    }

    async fn audit_records(
        &self,
        before: Option<AuditNumber>,
        limit: u32,
    ) -> Result<Page<AuditRecord, AuditNumber>, StoreFault> {
        let records = self.working()?;
        let below = |record: &&AuditRecord| before.is_none_or(|before| record.number < before);
        let found = records.audit_records.values().rev().filter(below);
        let found = found.take(one_more(limit)).cloned().collect();
        Ok(Page::of(found, limit, |record: &AuditRecord| record.number))
    }
}

#[async_trait]
impl CollectionReports for InMemory {
    async fn awaiting(
        &self,
        channel: &str,
        due: Amount,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        drop(self.working()?);
        let waits = |order: &Arc<Order>| {
            let for_this = |it: &domain::Collecting| it.channel == channel && it.due == due;
            order.state == OrderState::Awaiting && order.collecting.as_ref().is_some_and(for_this)
        };
        Ok(self.some_orders(limit, waits))
    }

    async fn collections_expired(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        drop(self.working()?);
        let expired =
            |order: &Arc<Order>| order.state == OrderState::Awaiting && order.expires_at <= now;
        Ok(self.some_orders(limit, expired))
    }

    async fn free_evidence(
        &self,
        channel: &str,
        amount: Amount,
        limit: u32,
    ) -> Result<Vec<Evidence>, StoreFault> {
        let records = self.working()?;
        let free =
            |it: &&Evidence| it.state.is_free() && it.channel == channel && it.amount == amount;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(records.evidence.values().filter(free).take(limit).cloned().collect())
    }

    async fn open_evidence(
        &self,
        after: Option<&EvidenceKey>,
        limit: u32,
    ) -> Result<Page<Evidence, EvidenceKey>, StoreFault> {
        self.evidence_list(Some(domain::EvidenceState::Open.name()), after, limit).await
    }

    async fn evidence(&self, key: &EvidenceKey) -> Result<Option<Evidence>, StoreFault> {
        Ok(self.working()?.evidence.get(key).cloned())
    }

    async fn evidence_list(
        &self,
        state: Option<&str>,
        after: Option<&EvidenceKey>,
        limit: u32,
    ) -> Result<Page<Evidence, EvidenceKey>, StoreFault> {
        let records = self.working()?;
        let wanted = |it: &&Evidence| {
            state.is_none_or(|state| it.state.name() == state)
                && after.is_none_or(|after| it.key > *after)
        };
        let found = records.evidence.values().filter(wanted);
        let found = found.take(one_more(limit)).cloned().collect();
        Ok(Page::of(found, limit, |evidence: &Evidence| evidence.key.clone()))
    }
}

#[async_trait]
impl CallbackReports for InMemory {
    async fn callbacks_due(
        &self,
        now: Timestamp,
        after: Option<&EndpointKey>,
        endpoints: u32,
        per_endpoint: u32,
    ) -> Result<Vec<Callback>, StoreFault> {
        let records = self.working()?;
        let mut lanes: BTreeMap<EndpointKey, Vec<Callback>> = BTreeMap::new();
        for callback in records.callbacks.values() {
            let protocol = callback.protocol.clone();
            let key = EndpointKey { merchant: callback.merchant, protocol };
            let due = callback.state.due().is_some_and(|due| due <= now);
            if due && after.is_none_or(|after| key > *after) {
                lanes.entry(key).or_default().push(callback.clone());
            }
        }
        let few = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
        let lanes = lanes.into_values().take(few(endpoints));
        Ok(lanes
            .flat_map(|mut lane| {
                lane.sort_by_key(|callback| callback.state.due());
                lane.truncate(few(per_endpoint));
                lane
            })
            .collect())
    }

    async fn callbacks_leased(
        &self,
        after: CallbackId,
        limit: u32,
    ) -> Result<Vec<Callback>, StoreFault> {
        let records = self.working()?;
        let leased = |it: &&Callback| it.id > after && it.state.name() == "leased";
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(records.callbacks.values().filter(leased).take(limit).cloned().collect())
    }

    async fn callback(&self, id: CallbackId) -> Result<Option<Callback>, StoreFault> {
        Ok(self.working()?.callbacks.get(&id).cloned())
    }

    async fn callbacks(
        &self,
        filter: &CallbackFilter,
        before: Option<CallbackId>,
        limit: u32,
    ) -> Result<Page<Callback, CallbackId>, StoreFault> {
        let records = self.working()?;
        let below = |id: CallbackId| before.is_none_or(|before| id < before);
        let wanted = records.callbacks.values().rev();
        let wanted = wanted.filter(|callback| below(callback.id) && filter.admits(callback));
        let wanted = wanted.take(one_more(limit)).cloned().collect();
        Ok(Page::of(wanted, limit, |callback: &Callback| callback.id))
    }

    async fn deliveries(&self, callback: CallbackId) -> Result<Vec<Delivery>, StoreFault> {
        let records = self.working()?;
        let own = records.deliveries.iter().filter(|delivery| delivery.callback == callback);
        Ok(own.cloned().collect())
    }

    async fn callback_backlog(&self) -> Result<Backlog, StoreFault> {
        let records = self.working()?;
        let open = records.callbacks.values().filter(|it| it.state.due().is_some());
        let times: Vec<Timestamp> = open.map(|callback| callback.at).collect();
        let count = u64::try_from(times.len()).unwrap_or(u64::MAX);
        Ok(Backlog { open: count, since: times.into_iter().min() })
    }
}

fn one_more(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1)
}

impl InMemory {
    fn some_orders(&self, limit: u32, wanted: impl Fn(&Arc<Order>) -> bool) -> Vec<Arc<Order>> {
        let records = self.records();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        records.orders.values().filter(|order| wanted(order)).take(limit).cloned().collect()
    }
}
