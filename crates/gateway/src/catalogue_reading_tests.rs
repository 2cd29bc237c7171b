//! The catalogue in memory never falls behind what is stored, however slow a reading is.

use std::sync::Mutex;
use std::time::Instant;

use async_trait::async_trait;
use domain::administration::{AuditNumber, AuditRecord, KeptAnswer, RequestKey};
use domain::{Account, Currency, Level, MerchantId, MerchantStatus, Transfer, TransferId};
use tokio::sync::Notify;

use crate::ports::{OrderFilter, Page};

use super::*;
use crate::ports::Pending;

/// A store of merchants whose first reading is slow: it waits until two merchants are stored.
#[derive(Default)]
struct SlowToRead {
    merchants: Mutex<Vec<Merchant>>,
    readings: Mutex<u32>,
    two_stored: Notify,
}

#[async_trait]
impl Store for SlowToRead {
    async fn execute(
        &self,
        command: Command,
        _deadline: Option<Instant>,
    ) -> Result<Answer, StoreFault> {
        let Command::PutMerchant(merchant) = command else { return Err(StoreFault::Stopped) };
        let mut merchants = self.merchants.lock().unwrap();
        merchants.push(merchant);
        if merchants.len() == 2 {
            self.two_stored.notify_one();
        }
        Ok(Ok(Reply::Stored))
    }

    async fn order(&self, _id: OrderId) -> Result<Option<Arc<Order>>, StoreFault> {
        Ok(None)
    }

    async fn order_by_reference(
        &self,
        _key: &ReferenceKey,
    ) -> Result<Option<Arc<Order>>, StoreFault> {
        Ok(None)
    }

    async fn account(&self, _key: &AccountKey) -> Result<Option<Account>, StoreFault> {
        Ok(None)
    }

    async fn kept_answer(&self, _key: &RequestKey) -> Result<Option<KeptAnswer>, StoreFault> {
        Ok(None)
    }
}

#[async_trait]
impl Reports for SlowToRead {
    async fn catalogue(&self) -> Result<Catalogue, StoreFault> {
        let merchants = self.merchants.lock().unwrap().clone();
        if merchants.len() == 1 {
            self.two_stored.notified().await;
        }
        *self.readings.lock().unwrap() += 1;
        Ok(Catalogue::new(merchants, Vec::new(), Vec::new()))
    }

    async fn questions_due(
        &self,
        _now: Timestamp,
        _limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        Ok(Vec::new())
    }

    async fn processing(
        &self,
        _after: OrderId,
        _limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        Ok(Vec::new())
    }

    async fn pending(&self) -> Result<Pending, StoreFault> {
        Ok(Pending::default())
    }

    async fn orders_named(
        &self,
        _reference: &str,
        _limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        Ok(Vec::new())
    }

    async fn orders(
        &self,
        _filter: &OrderFilter,
        _before: Option<OrderId>,
        _limit: u32,
    ) -> Result<Page<Arc<Order>, OrderId>, StoreFault> {
        Err(StoreFault::Stopped)
    }

    async fn transfers_of_order(&self, _order: &Order) -> Result<Vec<Transfer>, StoreFault> {
        Err(StoreFault::Stopped)
    }

    async fn transfers_of_account(
        &self,
        _key: &AccountKey,
        _from: Option<TransferId>,
        _limit: u32,
    ) -> Result<Option<Page<Transfer, TransferId>>, StoreFault> {
        Err(StoreFault::Stopped)
    }

    async fn audit_records(
        &self,
        _before: Option<AuditNumber>,
        _limit: u32,
    ) -> Result<Page<AuditRecord, AuditNumber>, StoreFault> {
        Err(StoreFault::Stopped)
    }
}

struct Epoch;

impl Clock for Epoch {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(0)
    }
}

fn put(id: u32) -> Command {
    Command::PutMerchant(Merchant {
        id: MerchantId(id),
        name: String::new(),
        currency: Currency::Idr,
        level: Level(String::new()),
        status: MerchantStatus::Active,
        addresses: Vec::new(),
        rate_limit: None,
        repetition: domain::Repetition::Free,
    })
}

#[tokio::test]
async fn a_slow_reading_does_not_hide_a_later_change() {
    let store = Arc::new(SlowToRead::default());
    let parts = Parts {
        store: Arc::<SlowToRead>::clone(&store),
        reports: Arc::<SlowToRead>::clone(&store),
        collections: Arc::<crate::in_memory::InMemory>::default(),
        clock: Arc::new(Epoch),
        upstreams: Vec::new(),
        settings: Settings {
            answer_within: Duration::ZERO,
            call_within: Duration::ZERO,
            cut_offs: true,
            upstream: UpstreamName::new("sandbox"),
            test_upstream: UpstreamName::new("sandbox"),
        },
        process: ProcessId(1),
        observer: Arc::new(observer::Nobody),
    };
    let gateway = Gateway::open(parts).await.unwrap();
    let (first, second) =
        tokio::join!(gateway.administer(vec![put(1)]), gateway.administer(vec![put(2)]));
    assert_eq!((first, second), (Ok(()), Ok(())));
    assert_eq!(*store.readings.lock().unwrap(), 3);
    for id in [1, 2] {
        assert!(gateway.catalogue().merchant(MerchantId(id)).is_some(), "{id} is hidden");
    }
}
