//! What Lunas does for merchants and operators, independent of any protocol, engine or supplier.
//!
//! The use cases stand in [`inquire`], [`look_up`], [`buy`], [`pay`], [`collect`], [`resolve`],
//! [`courier`] and
//! [`administration`]; [`ports`] names what they need from the world. Invariants: nothing leaves before its intent is durable; no upstream is called while
//! a commit is open; an outcome that is not affirmed is *unknown* and never a failure; a purchase is
//! never called twice unless the upstream declares that repeating is safe.
//!
//! This crate does not know HTTP, SQL, or the name of any protocol.

mod administration;
mod buy;
pub mod catalogue;
pub mod collect;
pub mod courier;
pub mod exchanges;
#[cfg(any(test, feature = "in-memory"))]
pub mod in_memory;
mod inquire;
pub mod look_up;
pub mod observer;
mod pay;
pub mod ports;
mod resolve;
pub mod standard_webhooks;
mod undecided;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use domain::command::Answer;
use domain::{
    AccountKey, Amount, Command, Merchant, Mode, Order, OrderId, ProcessId, ReferenceKey, Refusal,
    Reply, Timestamp, UpstreamName,
};
use thiserror::Error;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

pub use administration::{ActFault, By, Done, random_key};
pub use buy::{PayOutRequest, TopUpRequest};
pub use catalogue::Catalogue;
pub use collect::{Collected, CollectionRequest, TakenIn};
pub use inquire::{Inquiry, Repeats};
use observer::Observer;
pub use pay::Payment;
use ports::{Clock, CollectionReports, Reports, Store, StoreFault, Upstream};
pub use resolve::ByHandFault;

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Rejection {
    /// The merchant's business.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Ours. What became of the request is not known to the caller.
    #[error(transparent)]
    Fault(#[from] StoreFault),
}

/// What a merchant has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holdings {
    /// All of it.
    pub total: Amount,
    /// What of it is held for orders under way.
    pub set_aside: Amount,
    /// What of it may still be spent.
    pub available: Amount,
}

/// What the operator may set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a merchant waits for an outcome before being told *pending*.
    pub answer_within: Duration,
    /// How long an upstream may take for one call before its outcome counts as unknown.
    pub call_within: Duration,
    /// Whether daily closing hours of products are honoured.
    pub cut_offs: bool,
    /// Who is called for every product.
    pub upstream: UpstreamName,
    /// Who is called in test mode: the built-in supplier, which moves no money.
    pub test_upstream: UpstreamName,
}

/// The use cases over their ports. Cheap to share; lives as long as the program.
pub struct Gateway {
    store: Arc<dyn Store>,
    reports: Arc<dyn Reports>,
    collections: Arc<dyn CollectionReports>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
    upstreams: BTreeMap<UpstreamName, Arc<dyn Upstream>>,
    settings: Settings,
    process: ProcessId,
    /// Replaced as a whole whenever merchants or products change.
    catalogue: ArcSwap<Catalogue>,
    /// Held while it is read anew, so that a reading never replaces a later one.
    catalogue_reading: tokio::sync::Mutex<()>,
    /// Calls under way. They outlive the requests that began them and are waited for at shutdown.
    calls: TaskTracker,
    /// Orders with calls under way in this process, which nobody else must ask about.
    in_flight: Mutex<HashMap<OrderId, u32>>,
    /// Rung whenever a callback became owed.
    news: Notify,
}

/// What a gateway is made of.
pub struct Parts {
    /// The commit pipeline and its point reads.
    pub store: Arc<dyn Store>,
    /// The list reads.
    pub reports: Arc<dyn Reports>,
    /// The list reads of collections.
    pub collections: Arc<dyn CollectionReports>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who counts what happens; [`observer::Nobody`] where nobody does.
    pub observer: Arc<dyn Observer>,
    /// Every configured upstream.
    pub upstreams: Vec<Arc<dyn Upstream>>,
    /// What the operator set.
    pub settings: Settings,
    /// A number that no other run of the program has.
    pub process: ProcessId,
}

impl Gateway {
    /// Puts the parts together and reads merchants and products.
    pub async fn open(parts: Parts) -> Result<Arc<Self>, StoreFault> {
        let catalogue = parts.reports.catalogue().await?;
        let upstreams = parts.upstreams.into_iter().map(|it| (it.name().clone(), it)).collect();
        Ok(Arc::new(Self {
            store: parts.store,
            reports: parts.reports,
            collections: parts.collections,
            clock: parts.clock,
            observer: parts.observer,
            upstreams,
            settings: parts.settings,
            process: parts.process,
            catalogue: ArcSwap::from_pointee(catalogue),
            catalogue_reading: tokio::sync::Mutex::default(),
            calls: TaskTracker::new(),
            in_flight: Mutex::default(),
            news: Notify::new(),
        }))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Merchants, credentials and products as they stand.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.load_full()
    }

    /// The list reads.
    pub fn reports(&self) -> &Arc<dyn Reports> {
        &self.reports
    }

    /// Whether daily closing hours of products are honoured.
    pub const fn cut_offs(&self) -> bool {
        self.settings.cut_offs
    }

    /// Changes merchants, credentials, products or balances without a record of who did it, as the
    /// sandbox does when it makes its demo, and makes the changes visible to the
    /// requests that follow. The commands share commits and may be carried out in any order; the
    /// first that fails is reported after all have been tried.
    pub async fn administer(&self, commands: Vec<Command>) -> Result<(), Rejection> {
        let mut running = JoinSet::new();
        for command in commands {
            let store = Arc::clone(&self.store);
            running.spawn(async move { reply(store.execute(command, None).await) });
        }
        let mut first_failure = Ok(());
        while let Some(joined) = running.join_next().await {
            let done = joined.unwrap_or(Err(StoreFault::Stopped.into())).map(drop);
            first_failure = first_failure.and(done);
        }
        self.refresh_catalogue().await?;
        first_failure
    }

    /// What a merchant may still spend.
    pub async fn balance(&self, merchant: &Merchant) -> Result<Amount, Rejection> {
        Ok(self.available(merchant).await?)
    }

    async fn available(&self, merchant: &Merchant) -> Result<Amount, StoreFault> {
        let key = AccountKey::merchant(merchant.id, merchant.currency);
        let account = self.store.account(&key).await?;
        let available =
            account.map_or(Some(0), |account| account.counters.available()).unwrap_or(0);
        Ok(Amount::new(available, merchant.currency).unwrap_or(Amount::zero(merchant.currency)))
    }

    /// What a merchant has, and how much of it is set aside.
    pub async fn holdings(&self, merchant: &Merchant) -> Result<Holdings, Rejection> {
        let key = AccountKey::merchant(merchant.id, merchant.currency);
        let counters = self.store.account(&key).await?.map(|it| it.counters).unwrap_or_default();
        let total = counters.credits_posted.checked_sub(counters.debits_posted);
        let amount = |minor: Option<i64>| {
            let amount = minor.and_then(|minor| Amount::new(minor, merchant.currency).ok());
            amount
                .ok_or_else(|| StoreFault::Corrupt(format!("balance of merchant {}", merchant.id)))
        };
        Ok(Holdings {
            total: amount(total)?,
            set_aside: amount(Some(counters.debits_pending))?,
            available: amount(counters.available())?,
        })
    }

    /// A merchant's order by its number. Somebody else's order is not found.
    pub async fn order(&self, merchant: &Merchant, id: OrderId) -> Result<Arc<Order>, Rejection> {
        match self.store.order(id).await? {
            Some(order) if order.key.merchant == merchant.id => Ok(order),
            _ => Err(Refusal::OrderNotFound.into()),
        }
    }

    /// An order by its number, whoever's it is: for requests that prove no merchant, such as the
    /// download of a receipt. The caller decides from the order's merchant what may be shown, and
    /// keeps numbers from being guessed.
    pub async fn order_of_any_merchant(&self, id: OrderId) -> Result<Arc<Order>, Rejection> {
        self.store.order(id).await?.ok_or(Refusal::OrderNotFound.into())
    }

    /// The order that holds this reference.
    pub async fn order_by_reference(&self, key: &ReferenceKey) -> Result<Arc<Order>, Rejection> {
        self.store.order_by_reference(key).await?.ok_or(Refusal::OrderNotFound.into())
    }

    /// Waits until every call under way has brought its outcome and that is durable.
    pub async fn finish_calls(&self) {
        self.calls.close();
        self.calls.wait().await;
    }

    const fn upstream_for(&self, mode: Mode) -> &UpstreamName {
        match mode {
            Mode::Live => &self.settings.upstream,
            Mode::Test => &self.settings.test_upstream,
        }
    }

    fn upstream(&self, name: &UpstreamName) -> Option<&Arc<dyn Upstream>> {
        self.upstreams.get(name)
    }

    /// Marks an order as being called about by this process, until the guard is dropped.
    fn mark_in_flight(self: &Arc<Self>, order: OrderId) -> InFlight {
        let mut marked = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        *marked.entry(order).or_default() += 1;
        InFlight { gateway: Arc::clone(self), order }
    }

    /// Marks an order that nobody in this process is calling about; `None` if somebody is.
    fn mark_alone(self: &Arc<Self>, order: OrderId) -> Option<InFlight> {
        let mut marked = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        match marked.entry(order) {
            Entry::Occupied(_) => None,
            Entry::Vacant(entry) => {
                entry.insert(1);
                Some(InFlight { gateway: Arc::clone(self), order })
            }
        }
    }
}

/// Keeps an order marked as being called about. Several requests may mark one order at once.
struct InFlight {
    gateway: Arc<Gateway>,
    order: OrderId,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let mut marked = self.gateway.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = marked.entry(self.order) {
            if *entry.get() > 1 {
                *entry.get_mut() -= 1;
            } else {
                entry.remove();
            }
        }
    }
}

/// The reply of a command, or why there is none.
fn reply(answer: Result<Answer, StoreFault>) -> Result<Reply, Rejection> {
    Ok(answer??)
}

#[cfg(test)]
mod catalogue_reading_tests;
#[cfg(test)]
mod collect_tests;
#[cfg(test)]
mod courier_tests;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod gateway_tests;
