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
use domain::command::{Answer, Funding, FundingKey, Keys};
use domain::working_set::{LastNumbers, WorkingSet};
use domain::{
    Account, AccountKey, Command, Credential, Merchant, MerchantId, Order, OrderId, OrderState,
    Product, ProductId, ReferenceKey, Timestamp, Transfer, TransferId,
};
use gateway::Catalogue;
use gateway::ports::{OrderFilter, Page, Pending, Reports, Store, StoreFault};

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
}

impl Tables {
    pub(crate) fn audit(&self) -> Result<Summary, Finding> {
        let mut auditor = Auditor::new(self.accounts.values().cloned())?;
        self.transfers.values().try_for_each(|transfer| auditor.transfer(transfer))?;
        self.fundings.values().try_for_each(|funding| auditor.funding(funding))?;
        self.orders.values().try_for_each(|order| auditor.order(order))?;
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

fn first(mut orders: Vec<Arc<Order>>, limit: u32) -> Vec<Arc<Order>> {
    orders.truncate(usize::try_from(limit).expect("32 bits fit"));
    orders
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
        ))
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
