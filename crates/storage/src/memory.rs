//! An engine in memory, for tests: it passes the same conformance suite as the real ones, and it
//! can be told to fail at any moment.
//!
//! What is saved lives in [`Tables`], which outlive the engine as a disk outlives a process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use domain::administration::{AuditNumber, AuditRecord, KeptAnswer, RequestKey};
use domain::audit::{Auditor, Finding, Summary};
use domain::callback::Delivery;
use domain::command::{Answer, DayClaimKey, Funding, FundingKey, Keys, PayerReferenceKey};
use domain::working_set::{LastNumbers, WorkingSet};
use domain::{
    Account, AccountKey, Amount, Callback, CallbackId, Command, Credential, Endpoint, EndpointKey,
    Evidence, EvidenceKey, Merchant, MerchantId, Order, OrderId, OrderState, Preferences, Product,
    ProductId, ReferenceKey, Timestamp, Transfer, TransferId,
};
use gateway::Catalogue;
use gateway::ports::{
    Backlog, CallbackFilter, CallbackReports, CollectionReports, OrderFilter, Page, Pending,
    Reports, Store, StoreFault,
};

use crate::conformance::Subject;
use crate::pipeline::{Changes, Engine, EngineFault, Options, Pipeline};
use crate::{Opened, Shutdown};

/// What stands in for a disk.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) accounts: HashMap<AccountKey, Account>,
    pub(crate) transfers: BTreeMap<TransferId, Transfer>,
    pub(crate) orders: BTreeMap<OrderId, Arc<Order>>,
    references: HashMap<ReferenceKey, OrderId>,
    pub(crate) fundings: HashMap<FundingKey, Funding>,
    merchants: BTreeMap<MerchantId, Merchant>,
    credentials: BTreeMap<(String, String, u32), Credential>,
    products: BTreeMap<ProductId, Product>,
    audit_records: BTreeMap<AuditNumber, AuditRecord>,
    kept_answers: HashMap<RequestKey, KeptAnswer>,
    pub(crate) callbacks: BTreeMap<CallbackId, Callback>,
    deliveries: Vec<Delivery>,
    endpoints: BTreeMap<EndpointKey, Endpoint>,
    day_claims: HashMap<DayClaimKey, OrderId>,
    evidence: BTreeMap<EvidenceKey, Evidence>,
    payer_references: HashMap<PayerReferenceKey, OrderId>,
    preferences: BTreeMap<EndpointKey, Preferences>,
}

impl Tables {
    pub(crate) fn audit(&self) -> Result<Summary, Finding> {
        let mut auditor = Auditor::new(self.accounts.values().cloned())?;
        self.transfers.values().try_for_each(|transfer| auditor.transfer(transfer))?;
        self.fundings.values().try_for_each(|funding| auditor.funding(funding))?;
        self.orders.values().try_for_each(|order| auditor.order(order))?;
        self.callbacks.values().try_for_each(|callback| auditor.callback(callback))?;
        self.evidence.values().try_for_each(|evidence| auditor.evidence(evidence))?;
        self.audit_records.values().try_for_each(|record| auditor.audit_record(record))?;
        self.kept_answers
            .values()
            .try_for_each(|kept| auditor.kept_answer(&kept.key, kept.audit))?;
        auditor.finish()
    }

    fn order_by_reference(&self, key: &ReferenceKey) -> Option<Arc<Order>> {
        self.references.get(key).and_then(|id| self.orders.get(id)).cloned()
    }

    fn save(&mut self, changes: &Changes) {
        for account in changes.accounts.values() {
            self.accounts.insert(account.key.clone(), account.clone());
        }
        for transfer in &changes.transfers {
            self.transfers.insert(transfer.id, transfer.clone());
        }
        for order in changes.new_orders.values().chain(changes.orders.values()) {
            self.references.insert(order.key.clone(), order.id);
            self.orders.insert(order.id, Arc::clone(order));
        }
        for funding in &changes.fundings {
            self.fundings.insert(funding.key.clone(), funding.clone());
        }
        for merchant in &changes.merchants {
            self.merchants.insert(merchant.id, merchant.clone());
        }
        for credential in &changes.credentials {
            let key =
                (credential.protocol.to_string(), credential.identifier.clone(), credential.serial);
            self.credentials.insert(key, credential.clone());
        }
        for product in &changes.products {
            self.products.insert(product.id.clone(), product.clone());
        }
        for record in &changes.audit_records {
            self.audit_records.insert(record.number, record.clone());
        }
        for kept in &changes.kept_answers {
            self.kept_answers.insert(kept.key.clone(), kept.clone());
        }
        self.callbacks.extend(changes.callbacks.clone());
        self.deliveries.extend(changes.deliveries.clone());
        self.endpoints.extend(changes.endpoints.clone());
        self.day_claims.extend(changes.day_claims.clone());
        self.evidence.extend(changes.evidence.clone());
        self.payer_references.extend(changes.payer_references.clone());
        for preferences in &changes.preferences {
            let Preferences { merchant, protocol, .. } = preferences.clone();
            self.preferences.insert(EndpointKey { merchant, protocol }, preferences.clone());
        }
    }
}

/// What the pipeline is about to have done.
pub(crate) enum Call<'a> {
    LastNumbers,
    Load(&'a Keys),
    Save(&'a Changes),
    Maintain { idle: bool },
    Close,
}

/// Told of each call before it is carried out; it may block the writer, or fail the call.
pub(crate) type Hook = Box<dyn FnMut(Call<'_>) -> Result<(), EngineFault> + Send>;

/// The engine.
pub(crate) struct MemoryEngine {
    tables: Arc<Mutex<Tables>>,
    hook: Hook,
}

impl MemoryEngine {
    pub(crate) fn new(tables: &Arc<Mutex<Tables>>, hook: Hook) -> Self {
        Self { tables: Arc::clone(tables), hook }
    }
}

pub(crate) fn locked(tables: &Mutex<Tables>) -> MutexGuard<'_, Tables> {
    tables.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Engine for MemoryEngine {
    fn last_numbers(&mut self) -> Result<LastNumbers, EngineFault> {
        (self.hook)(Call::LastNumbers)?;
        let tables = locked(&self.tables);
        Ok(LastNumbers {
            account: tables.accounts.values().map(|account| account.id.0).max().unwrap_or(0),
            transfer: tables.transfers.keys().last().map_or(0, |id| id.0),
            order: tables.orders.keys().last().map_or(0, |id| id.0),
            merchant: tables.merchants.keys().last().map_or(0, |id| id.0),
            callback: tables.callbacks.keys().last().map_or(0, |id| id.0),
            audit: tables.audit_records.values().last().map(|it| (it.number, it.hash)),
        })
    }

    fn load(&mut self, keys: &Keys, working_set: &mut WorkingSet) -> Result<(), EngineFault> {
        (self.hook)(Call::Load(keys))?;
        let tables = locked(&self.tables);
        for key in &keys.accounts {
            working_set.put_account(key.clone(), tables.accounts.get(key).cloned());
        }
        for id in &keys.orders {
            working_set.put_order(*id, tables.orders.get(id).cloned());
        }
        for key in &keys.references {
            working_set.put_reference(key.clone(), tables.order_by_reference(key));
        }
        for key in &keys.fundings {
            working_set.put_funding(key.clone(), tables.fundings.get(key).cloned());
        }
        for id in &keys.merchants {
            working_set.put_merchant(*id, tables.merchants.get(id).cloned());
        }
        for key in &keys.credentials {
            let known = tables.credentials.values().filter(|credential| {
                credential.protocol == key.protocol && credential.identifier == key.identifier
            });
            working_set.put_credentials(key.clone(), known.cloned().collect());
        }
        for id in &keys.products {
            working_set.put_product(id.clone(), tables.products.get(id).cloned());
        }
        for alias in &keys.aliases {
            let holder = tables.products.values().find(|it| it.aliases.contains(alias));
            working_set.put_alias(alias.clone(), holder.map(|product| product.id.clone()));
        }
        for key in &keys.requests {
            working_set.put_kept_answer(key.clone(), tables.kept_answers.get(key).cloned());
        }
        for id in &keys.callbacks {
            working_set.put_callback(*id, tables.callbacks.get(id).cloned());
        }
        for key in &keys.endpoints {
            working_set.put_endpoint(key.clone(), tables.endpoints.get(key).cloned());
        }
        for key in &keys.day_claims {
            let order = tables.day_claims.get(key).and_then(|id| tables.orders.get(id));
            working_set.put_day_claim(key.clone(), order.cloned());
        }
        for key in &keys.evidence {
            working_set.put_evidence(key.clone(), tables.evidence.get(key).cloned());
        }
        for key in &keys.payer_references {
            working_set.put_payer_reference(key.clone(), tables.payer_references.get(key).copied());
        }
        Ok(())
    }

    fn save(&mut self, changes: Changes) -> Result<(), EngineFault> {
        (self.hook)(Call::Save(&changes))?;
        locked(&self.tables).save(&changes);
        Ok(())
    }

    fn maintain(&mut self, idle: bool) -> Result<(), EngineFault> {
        (self.hook)(Call::Maintain { idle })
    }

    fn close(&mut self) -> Result<(), EngineFault> {
        (self.hook)(Call::Close)
    }
}

/// The engine behind the gateway's ports.
struct MemoryStore {
    tables: Arc<Mutex<Tables>>,
    pipeline: Pipeline,
}

impl MemoryStore {
    fn orders(&self, wanted: impl Fn(&Order) -> bool) -> Vec<Arc<Order>> {
        let tables = locked(&self.tables);
        tables.orders.values().filter(|order| wanted(order)).cloned().collect()
    }
}

fn first<Record>(mut records: Vec<Record>, limit: u32) -> Vec<Record> {
    records.truncate(usize::try_from(limit).expect("32 bits fit"));
    records
}

#[async_trait]
impl Store for MemoryStore {
    async fn execute(
        &self,
        command: Command,
        deadline: Option<Instant>,
    ) -> Result<Answer, StoreFault> {
        self.pipeline.execute(command, deadline).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<Arc<Order>>, StoreFault> {
        Ok(locked(&self.tables).orders.get(&id).cloned())
    }

    async fn order_by_reference(
        &self,
        key: &ReferenceKey,
    ) -> Result<Option<Arc<Order>>, StoreFault> {
        Ok(locked(&self.tables).order_by_reference(key))
    }

    async fn account(&self, key: &AccountKey) -> Result<Option<Account>, StoreFault> {
        Ok(locked(&self.tables).accounts.get(key).cloned())
    }

    async fn kept_answer(&self, key: &RequestKey) -> Result<Option<KeptAnswer>, StoreFault> {
        Ok(locked(&self.tables).kept_answers.get(key).cloned())
    }
}

#[async_trait]
impl Reports for MemoryStore {
    async fn catalogue(&self) -> Result<Catalogue, StoreFault> {
        let tables = locked(&self.tables);
        Ok(Catalogue::new(
            tables.merchants.values().cloned().collect(),
            tables.credentials.values().cloned().collect(),
            tables.products.values().cloned().collect(),
        )
        .with_endpoints(tables.endpoints.values().cloned().collect())
        .with_preferences(tables.preferences.values().cloned().collect()))
    }

    async fn questions_due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        let mut due = self.orders(|order| {
            order.state == OrderState::Processing && order.question_due.is_some_and(|at| at <= now)
        });
        due.sort_by_key(|order| order.question_due);
        Ok(first(due, limit))
    }

    async fn processing(&self, after: OrderId, limit: u32) -> Result<Vec<Arc<Order>>, StoreFault> {
        let open = self.orders(|it| it.state == OrderState::Processing && it.id > after);
        Ok(first(open, limit))
    }

    async fn pending(&self) -> Result<Pending, StoreFault> {
        let open = self.orders(|order| order.state == OrderState::Processing);
        let begun = open.iter().filter_map(|order| order.attempts.first());
        let since = begun.map(|attempt| attempt.started_at).min();
        Ok(Pending { orders: u64::try_from(open.len()).expect("64 bits fit"), since })
    }

    async fn orders_named(
        &self,
        reference: &str,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        let mut named = self.orders(|order| order.key.reference.as_str() == reference);
        named.reverse();
        Ok(first(named, limit))
    }

    async fn orders(
        &self,
        filter: &OrderFilter,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Page<Arc<Order>, OrderId>, StoreFault> {
        let below = |id: OrderId| before.is_none_or(|before| id < before);
        let mut wanted = self.orders(|order| below(order.id) && filter.admits(order));
        wanted.reverse();
        Ok(Page::of(wanted, limit, |order| order.id))
    }

    async fn transfers_of_order(&self, order: &Order) -> Result<Vec<Transfer>, StoreFault> {
        let tables = locked(&self.tables);
        Ok(tables.transfers.values().filter(|it| it.order == Some(order.id)).cloned().collect())
    }

    async fn transfers_of_account(
        &self,
        key: &AccountKey,
        from: Option<TransferId>,
        limit: u32,
    ) -> Result<Option<Page<Transfer, TransferId>>, StoreFault> {
        let tables = locked(&self.tables);
        let account = tables.accounts.get(key).map(|account| account.id);
        let own = |it: &&Transfer| Some(it.debit) == account || Some(it.credit) == account;
        let own = tables.transfers.values().rev().filter(own);
        let mut items: Vec<_> =
            own.skip_while(|it| from.is_some_and(|from| it.id > from)).collect();
        if from.is_some_and(|from| items.first().is_none_or(|first| first.id != from)) {
            return Ok(None);
        }
        let limit = usize::try_from(limit).expect("32 bits fit");
        let next = items.get(limit).map(|transfer| transfer.id);
        items.truncate(limit);
        Ok(Some(Page { items: items.into_iter().cloned().collect(), next }))
    }

    async fn audit_records(
        &self,
        before: Option<AuditNumber>,
        limit: u32,
    ) -> Result<Page<AuditRecord, AuditNumber>, StoreFault> {
        let tables = locked(&self.tables);
        let below = |it: &&AuditRecord| before.is_none_or(|before| it.number < before);
        let found = tables.audit_records.values().rev().filter(below).cloned().collect();
        Ok(Page::of(found, limit, |record: &AuditRecord| record.number))
    }
}

#[async_trait]
impl CallbackReports for MemoryStore {
    async fn callbacks_due(
        &self,
        now: Timestamp,
        after: Option<&EndpointKey>,
        endpoints: u32,
        per_endpoint: u32,
    ) -> Result<Vec<Callback>, StoreFault> {
        let mut addresses: BTreeMap<EndpointKey, Vec<Callback>> = BTreeMap::new();
        for callback in locked(&self.tables).callbacks.values() {
            let Callback { merchant, protocol, .. } = callback.clone();
            let key = EndpointKey { merchant, protocol };
            let is_due = callback.state.due().is_some_and(|due| due <= now);
            if is_due && after.is_none_or(|after| key > *after) {
                addresses.entry(key).or_default().push(callback.clone());
            }
        }
        let addresses = first(addresses.into_values().collect(), endpoints);
        Ok(addresses
            .into_iter()
            .flat_map(|mut due| {
                due.sort_by_key(|callback| (callback.state.due(), callback.at, callback.id));
                first(due, per_endpoint)
            })
            .collect())
    }

    async fn callbacks_leased(
        &self,
        after: CallbackId,
        limit: u32,
    ) -> Result<Vec<Callback>, StoreFault> {
        let tables = locked(&self.tables);
        let leased = |it: &&Callback| {
            it.id > after && matches!(it.state, domain::CallbackState::Leased { .. })
        };
        Ok(first(tables.callbacks.values().filter(leased).cloned().collect(), limit))
    }

    async fn callback(&self, id: CallbackId) -> Result<Option<Callback>, StoreFault> {
        Ok(locked(&self.tables).callbacks.get(&id).cloned())
    }

    async fn callbacks(
        &self,
        filter: &CallbackFilter,
        before: Option<CallbackId>,
        limit: u32,
    ) -> Result<Page<Callback, CallbackId>, StoreFault> {
        let tables = locked(&self.tables);
        let below = |it: &&Callback| before.is_none_or(|before| it.id < before);
        let wanted = tables.callbacks.values().rev().filter(below);
        let wanted = wanted.filter(|callback| filter.admits(callback)).cloned().collect();
        Ok(Page::of(wanted, limit, |callback: &Callback| callback.id))
    }

    async fn deliveries(&self, callback: CallbackId) -> Result<Vec<Delivery>, StoreFault> {
        let tables = locked(&self.tables);
        Ok(tables.deliveries.iter().filter(|it| it.callback == callback).cloned().collect())
    }

    async fn callback_backlog(&self) -> Result<Backlog, StoreFault> {
        let tables = locked(&self.tables);
        let open = tables.callbacks.values().filter(|it| it.state.due().is_some());
        let open: Vec<Timestamp> = open.map(|callback| callback.at).collect();
        let count = u64::try_from(open.len()).expect("64 bits fit");
        Ok(Backlog { open: count, since: open.into_iter().min() })
    }
}

#[async_trait]
impl CollectionReports for MemoryStore {
    async fn awaiting(
        &self,
        channel: &str,
        due: Amount,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        let waits = |it: &domain::Collecting| it.channel == channel && it.due == due;
        let awaiting = self.orders(|order| {
            order.state == OrderState::Awaiting && order.collecting.as_ref().is_some_and(waits)
        });
        Ok(first(awaiting, limit))
    }

    async fn collections_expired(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        let mut expired =
            self.orders(|order| order.state == OrderState::Awaiting && order.expires_at <= now);
        expired.sort_by_key(|order| order.expires_at);
        Ok(first(expired, limit))
    }

    async fn free_evidence(
        &self,
        channel: &str,
        amount: Amount,
        limit: u32,
    ) -> Result<Vec<Evidence>, StoreFault> {
        let tables = locked(&self.tables);
        let free =
            |it: &&Evidence| it.state.is_free() && it.channel == channel && it.amount == amount;
        Ok(first(tables.evidence.values().filter(free).cloned().collect(), limit))
    }

    async fn open_evidence(
        &self,
        after: Option<&EvidenceKey>,
        limit: u32,
    ) -> Result<Page<Evidence, EvidenceKey>, StoreFault> {
        self.evidence_list(Some(domain::EvidenceState::Open.name()), after, limit).await
    }

    async fn evidence(&self, key: &EvidenceKey) -> Result<Option<Evidence>, StoreFault> {
        Ok(locked(&self.tables).evidence.get(key).cloned())
    }

    async fn evidence_list(
        &self,
        state: Option<&str>,
        after: Option<&EvidenceKey>,
        limit: u32,
    ) -> Result<Page<Evidence, EvidenceKey>, StoreFault> {
        let tables = locked(&self.tables);
        let wanted = |it: &&Evidence| {
            state.is_none_or(|state| it.state.name() == state)
                && after.is_none_or(|after| it.key > *after)
        };
        let wanted = tables.evidence.values().filter(wanted).cloned().collect();
        Ok(Page::of(wanted, limit, |evidence: &Evidence| evidence.key.clone()))
    }
}

#[async_trait]
impl Shutdown for MemoryStore {
    async fn shutdown(&self) {
        self.pipeline.shutdown().await;
    }
}

/// Memory that is opened again and again.
pub(crate) struct InMemory(Arc<Mutex<Tables>>);

impl Subject for InMemory {
    fn new() -> Self {
        Self(Arc::default())
    }

    fn open(&self, options: Options) -> Opened {
        let created = locked(&self.0).accounts.is_empty();
        let engine = MemoryEngine::new(&self.0, Box::new(|_| Ok(())));
        let pipeline = Pipeline::start(engine, options).expect("a thread");
        let store = Arc::new(MemoryStore { tables: Arc::clone(&self.0), pipeline });
        Opened {
            store: Arc::<MemoryStore>::clone(&store),
            reports: Arc::<MemoryStore>::clone(&store),
            callbacks: Arc::<MemoryStore>::clone(&store),
            collections: Arc::<MemoryStore>::clone(&store),
            instance_key: [0; 32],
            created,
            shutdown: store,
        }
    }

    fn audit(&self) -> Result<Summary, String> {
        locked(&self.0).audit().map_err(|finding| finding.to_string())
    }
}

crate::conformance::conformance!(InMemory);
