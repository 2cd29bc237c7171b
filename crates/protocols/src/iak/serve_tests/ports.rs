//! The gateway's ports in memory: the domain's own rules over one working set, a clock that stands
//! still, and a supplier that obeys the last four digits of a number.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use domain::command::{Answer, Keys};
use domain::decide::decide;
use domain::working_set::{Change, LastNumbers, WorkingSet};
use domain::{
    Account, AccountKey, Command, Credential, Delivery, Doubt, Merchant, Order, OrderId, Outcome,
    Product, ReferenceKey, Refusal, Timestamp, UpstreamName,
};
use gateway::Catalogue;
use gateway::ports::{
    BillAnswer, BillQuestion, Clock, Purchase, Reports, StatusBy, Store, StoreFault, Supplied,
    Upstream,
};
use tokio::sync::Semaphore;

use super::bills;
use crate::iak::codes::{Meaning, meaning};

/// The store and the reports. Counts every change, so that a test can tell that nothing changed.
pub(super) struct Memory {
    records: Mutex<WorkingSet>,
    changes: AtomicU64,
    fault: Mutex<Option<StoreFault>>,
    merchants: Mutex<Vec<Merchant>>,
    credentials: Vec<Credential>,
    products: Mutex<Vec<Product>>,
}

impl Memory {
    pub(super) fn new(
        merchants: Vec<Merchant>,
        credentials: Vec<Credential>,
        products: Vec<Product>,
    ) -> Self {
        Self {
            records: Mutex::new(WorkingSet::new(LastNumbers::default())),
            changes: AtomicU64::new(0),
            fault: Mutex::new(None),
            merchants: Mutex::new(merchants),
            credentials,
            products: Mutex::new(products),
        }
    }

    /// How many records have changed so far.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// From now on the store answers nothing but this.
    pub(super) fn fail_with(&self, fault: StoreFault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
    }

    fn records(&self) -> Result<std::sync::MutexGuard<'_, WorkingSet>, StoreFault> {
        match &*self.fault.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(fault) => Err(fault.clone()),
            None => Ok(self.records.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    fn store(&self, change: &Change) {
        let mut merchants = self.merchants.lock().unwrap_or_else(PoisonError::into_inner);
        let mut products = self.products.lock().unwrap_or_else(PoisonError::into_inner);
        match change {
            Change::Merchant(changed) => {
                merchants.retain(|merchant| merchant.id != changed.id);
                merchants.push(changed.clone());
            }
            Change::Product(changed) => {
                products.retain(|product| product.id != changed.id);
                products.push(changed.clone());
            }
            _ => {}
        }
    }
}

fn corrupt(fault: impl ToString) -> StoreFault {
    StoreFault::Corrupt(fault.to_string())
}

#[async_trait]
impl Store for Memory {
    async fn execute(&self, command: Command, _: Option<Instant>) -> Result<Answer, StoreFault> {
        let mut records = self.records()?;
        let mut keys = Keys::default();
        command.add_keys(&mut keys);
        for key in keys.accounts {
            if !records.has_account(&key) {
                records.put_account(key, None);
            }
        }
        for id in keys.orders {
            if records.order(id).is_err() {
                records.put_order(id, None);
            }
        }
        for key in keys.references {
            if records.order_by_reference(&key).is_err() {
                records.put_reference(key, None);
            }
        }
        for key in keys.fundings {
            if records.funding(&key).is_err() {
                records.put_funding(key, None);
            }
        }
        let decision = decide(&records, &command).map_err(corrupt)?;
        for change in &decision.changes {
            records.apply(change);
            self.store(change);
            self.changes.fetch_add(1, Ordering::SeqCst);
        }
        Ok(decision.answer)
    }

    async fn order(&self, id: OrderId) -> Result<Option<Arc<Order>>, StoreFault> {
        Ok(self.records()?.order(id).ok().flatten().cloned())
    }

    async fn order_by_reference(
        &self,
        key: &ReferenceKey,
    ) -> Result<Option<Arc<Order>>, StoreFault> {
        Ok(self.records()?.order_by_reference(key).ok().flatten().cloned())
    }

    async fn account(&self, key: &AccountKey) -> Result<Option<Account>, StoreFault> {
        Ok(self.records()?.account(key).ok().flatten().cloned())
    }
}

#[async_trait]
impl Reports for Memory {
    async fn catalogue(&self) -> Result<Catalogue, StoreFault> {
        let merchants = self.merchants.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let products = self.products.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Catalogue::new(merchants, self.credentials.clone(), products))
    }

    async fn questions_due(&self, _: Timestamp, _: u32) -> Result<Vec<Arc<Order>>, StoreFault> {
        Ok(Vec::new())
    }

    async fn processing(&self, _: OrderId, _: u32) -> Result<Vec<Arc<Order>>, StoreFault> {
        Ok(Vec::new())
    }

    async fn orders_named(&self, _: &str, _: u32) -> Result<Vec<Arc<Order>>, StoreFault> {
        Ok(Vec::new())
    }
}

/// A clock that stands still until it is set.
pub(super) struct StandingClock(pub(super) AtomicI64);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.0.load(Ordering::SeqCst))
    }
}

/// Answers by the last four digits of the customer's number: the first tells the phase, 0 inquiry
/// and 1 payment, the others the code.
pub(super) struct Supplier {
    pub(super) name: UpstreamName,
    /// Payments wait for a permit each.
    pub(super) permits: Semaphore,
    pub(super) payments: AtomicU64,
}

fn ordered_code(destination: &str, phase: &str) -> Option<Meaning> {
    let ending = destination.get(destination.len().checked_sub(4)?..)?;
    let code = ending.strip_prefix(phase).filter(|code| *code != "999")?;
    meaning(code.parse().ok()?)
}

#[async_trait]
impl Upstream for Supplier {
    fn name(&self) -> &UpstreamName {
        &self.name
    }

    fn status_by(&self) -> StatusBy {
        StatusBy::NoticeOnly
    }

    async fn inquire(&self, question: BillQuestion) -> BillAnswer {
        match ordered_code(&question.destination, "0") {
            Some(Meaning::Refused(refusal)) => BillAnswer::Refused(refusal),
            Some(Meaning::Open(_)) => BillAnswer::Silent,
            Some(Meaning::Success) | None => match bills::bill(&question) {
                Some(bill) => BillAnswer::Bill(bill),
                None => BillAnswer::Refused(Refusal::DestinationUnsupported),
            },
        }
    }

    async fn pay(&self, purchase: Purchase) -> Supplied {
        self.payments.fetch_add(1, Ordering::SeqCst);
        match self.permits.acquire().await {
            Ok(permit) => permit.forget(),
            Err(_) => return Outcome::Unknown(Doubt::Silent).into(),
        }
        let order = &purchase.order;
        match ordered_code(&order.destination, "1") {
            Some(Meaning::Refused(refusal)) => Outcome::Refused(refusal).into(),
            Some(Meaning::Open(doubt)) => Outcome::Unknown(doubt).into(),
            Some(Meaning::Success) | None => Outcome::Delivered(Delivery {
                cost: order.quote.expect("an accepted order has a quote").nominal,
                serial_number: bills::biller_reference(&order.code).to_owned(),
                details: bills::details_after_payment(&order.code),
            })
            .into(),
        }
    }
}
