//! The embedded engine: one directory, one journal, one SQLite database, one process.
//!
//! It has two stages. The writer thread makes every batch durable as one entry of the `journal` and
//! answers; a second thread settles the entries in the tables, many in one commit (`settling`).
//! What is durable and not yet settled is found in the `overlay`. The journal and the tables
//! together are the data, and neither is without the other.
//!
//! Reads have threads and connections of their own (`readers`). Point reads look at the overlay and
//! then at the tables. List reads see the tables, after a moment for what was acknowledged before
//! them to arrive there.
//!
//! A lock file keeps a second server away from the same directory; SQLite's own locks would let it
//! in. Nothing in this process may open the database file except through SQLite, because closing it
//! anywhere releases the locks that SQLite holds on it.
//!
//! No rule of the business stands here or in the tables.

mod administration;
mod archive;
mod backup;
mod books;
mod callbacks;
mod catalogue;
mod collections;
mod directory;
mod effects;
mod engine;
mod faults;
mod fields;
mod filter;
mod journal;
mod opening;
mod orders;
mod overlay;
mod pace;
mod passing;
mod pending;
mod readers;
mod references;
mod restore;
mod rows;
mod schema;
mod settling;
#[cfg(test)]
mod staging;
mod tables;
mod trees;
mod verify;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::administration::{AuditNumber, AuditRecord, KeptAnswer, RequestKey};
use domain::callback::Delivery;
use domain::command::Answer;
use domain::{
    Account, AccountKey, Amount, Callback, CallbackId, Command, EndpointKey, Evidence, EvidenceKey,
    Order, OrderId, ReferenceKey, Timestamp, Transfer, TransferId,
};
use gateway::Catalogue;
use gateway::ports::{
    Backlog, CallbackFilter, CallbackReports, CollectionReports, OrderFilter, Page, Pending,
    Reports, Sealer, Store, StoreFault,
};
use rusqlite::Connection;

use crate::opened::Shutdown;
use crate::pipeline::Pipeline;
use directory::{connect_to_read, connect_to_write, lock, own};
use faults::Fault;
use opening::refuse_without_journal;
#[cfg(test)]
use opening::{Build, open_as};
use overlay::Overlay;
use readers::Readers;
use references::References;

pub use backup::{BackupFault, Companion, Manifest, Snapshot, backup};
pub use opening::{BeforeMigration, OpenFault, Options, open};
pub use restore::{RestoreFault, Restored, restore};
pub use verify::{VerifyFault, verify, verify_gently};

/// Names SQL statements, and collects them so that the tests can prepare every one.
macro_rules! statements {
    ($($(#[$documentation:meta])* $name:ident = $sql:expr;)+) => {
        $($(#[$documentation])* const $name: &str = $sql;)+

        #[cfg(test)]
        pub(super) const STATEMENTS: &[(&str, &str)] = &[$((stringify!($name), $name)),+];
    };
}
use statements;

/// The database within the data directory.
const DATABASE_FILE: &str = "lunas.db";
/// The folder of the journal within the data directory.
const JOURNAL_FOLDER: &str = "journal";
/// Whoever holds a lock on this owns the directory.
const LOCK_FILE: &str = "lunas.lock";

/// How long to wait for a lock that only somebody outside this program can hold.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// How long a list read waits for the tables to have what was acknowledged before it.
const LAG_MAX: Duration = Duration::from_secs(1);
/// How long a read waits that must not miss anything.
const CATCH_UP_PATIENCE: Duration = Duration::from_secs(10);

/// The opened engine behind the gateway's ports.
struct Sqlite {
    pipeline: Pipeline,
    points: Readers,
    lists: Readers,
    /// What is owed to merchants, which is looked for all the time.
    news: Readers,
    /// What operators browse, which may take its time, apart from what workers need.
    operators: Readers,
    overlay: Arc<Overlay>,
    references: Arc<References>,
    sealer: Arc<dyn Sealer>,
}

impl Sqlite {
    /// Reads a list from the tables, once they have what was acknowledged before. A list may lag,
    /// so where that takes too long they are read as they are.
    async fn list<Found: Send + 'static>(
        &self,
        readers: &Readers,
        read: impl FnOnce(&Connection) -> Result<Found, Fault> + Send + 'static,
    ) -> Result<Found, StoreFault> {
        let (overlay, acknowledged) = (Arc::clone(&self.overlay), self.overlay.published());
        let read = move |connection: &_| {
            overlay.settled_up_to(acknowledged, LAG_MAX);
            read(connection)
        };
        readers.read(read).await
    }

    /// Reads a list that must have everything that was acknowledged before.
    async fn whole_list<Found: Send + 'static>(
        &self,
        readers: &Readers,
        read: impl FnOnce(&Connection) -> Result<Found, Fault> + Send + 'static,
    ) -> Result<Found, StoreFault> {
        let (overlay, acknowledged) = (Arc::clone(&self.overlay), self.overlay.published());
        let read = move |connection: &_| {
            if !overlay.settled_up_to(acknowledged, CATCH_UP_PATIENCE) {
                return Err(Fault::Behind);
            }
            read(connection)
        };
        readers.read(read).await
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn execute(
        &self,
        command: Command,
        deadline: Option<Instant>,
    ) -> Result<Answer, StoreFault> {
        self.pipeline.execute(command, deadline).await
    }

    async fn order(&self, id: OrderId) -> Result<Option<Arc<Order>>, StoreFault> {
        if let Some(order) = self.overlay.order(id) {
            return Ok(Some(order));
        }
        self.points.read(move |connection| orders::by_id(connection, id)).await
    }

    async fn order_by_reference(
        &self,
        key: &ReferenceKey,
    ) -> Result<Option<Arc<Order>>, StoreFault> {
        if let Some(order) = self.overlay.order_by_reference(key) {
            return Ok(Some(order));
        }
        // A new reference is told apart here, without a way to another thread and back. What left
        // the overlay before it was looked at is known to the references by then.
        if self.references.is_free(key) {
            return Ok(None);
        }
        let (key, references) = (key.clone(), Arc::clone(&self.references));
        self.points.read(move |connection| references.find(connection, &key)).await
    }

    async fn account(&self, key: &AccountKey) -> Result<Option<Account>, StoreFault> {
        if let Some(account) = self.overlay.account(key) {
            return Ok(Some(account));
        }
        let key = key.clone();
        self.points.read(move |connection| books::account(connection, &key)).await
    }

    async fn kept_answer(&self, key: &RequestKey) -> Result<Option<KeptAnswer>, StoreFault> {
        if let Some(kept) = self.overlay.kept_answer(key) {
            return Ok(Some(kept));
        }
        let (key, sealer) = (key.clone(), Arc::clone(&self.sealer));
        let read =
            move |connection: &_| administration::kept_answer(connection, &key, sealer.as_ref());
        self.points.read(read).await
    }
}

#[async_trait]
impl Reports for Sqlite {
    async fn catalogue(&self) -> Result<Catalogue, StoreFault> {
        let sealer = Arc::clone(&self.sealer);
        let read = move |connection: &_| catalogue::read(connection, sealer.as_ref());
        self.whole_list(&self.lists, read).await
    }

    async fn questions_due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        self.list(&self.lists, move |connection| orders::questions_due(connection, now, limit))
            .await
    }

    async fn processing(&self, after: OrderId, limit: u32) -> Result<Vec<Arc<Order>>, StoreFault> {
        let read = move |connection: &_| orders::processing(connection, after, limit);
        self.whole_list(&self.lists, read).await
    }

    async fn pending(&self) -> Result<Pending, StoreFault> {
        self.list(&self.lists, orders::pending).await
    }

    async fn orders_named(
        &self,
        reference: &str,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        let (reference, references) = (reference.to_owned(), Arc::clone(&self.references));
        let read = move |connection: &_| references.named(connection, &reference, limit);
        self.whole_list(&self.lists, read).await
    }

    async fn orders(
        &self,
        filter: &OrderFilter,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Page<Arc<Order>, OrderId>, StoreFault> {
        let filter = filter.clone();
        let references = Arc::clone(&self.references);
        let browse =
            move |connection: &_| orders::browse(connection, &references, &filter, before, limit);
        self.list(&self.operators, browse).await
    }

    async fn transfers_of_order(&self, order: &Order) -> Result<Vec<Transfer>, StoreFault> {
        let order = order.clone();
        self.list(&self.operators, move |connection| books::transfers_of_order(connection, &order))
            .await
    }

    async fn transfers_of_account(
        &self,
        key: &AccountKey,
        from: Option<TransferId>,
        limit: u32,
    ) -> Result<Option<Page<Transfer, TransferId>>, StoreFault> {
        let key = key.clone();
        let follow =
            move |connection: &_| books::transfers_of_account(connection, &key, from, limit);
        self.list(&self.operators, follow).await
    }

    async fn audit_records(
        &self,
        before: Option<AuditNumber>,
        limit: u32,
    ) -> Result<Page<AuditRecord, AuditNumber>, StoreFault> {
        let read = move |connection: &_| administration::records_below(connection, before, limit);
        self.list(&self.operators, read).await
    }
}

#[async_trait]
impl CallbackReports for Sqlite {
    async fn callbacks_due(
        &self,
        now: Timestamp,
        after: Option<&EndpointKey>,
        endpoints: u32,
        per_endpoint: u32,
    ) -> Result<Vec<Callback>, StoreFault> {
        let after = after.cloned();
        let read = move |connection: &_| {
            callbacks::due(connection, now, after.as_ref(), endpoints, per_endpoint)
        };
        self.list(&self.news, read).await
    }

    /// Whoever takes over from a process that has ended misses none of what that one was trying.
    async fn callbacks_leased(
        &self,
        after: CallbackId,
        limit: u32,
    ) -> Result<Vec<Callback>, StoreFault> {
        let read = move |connection: &_| callbacks::leased(connection, after, limit);
        self.whole_list(&self.news, read).await
    }

    async fn callback(&self, id: CallbackId) -> Result<Option<Callback>, StoreFault> {
        if let Some(callback) = self.overlay.callback(id) {
            return Ok(Some(callback));
        }
        self.points.read(move |connection| callbacks::by_id(connection, id)).await
    }

    async fn callbacks(
        &self,
        filter: &CallbackFilter,
        before: Option<CallbackId>,
        limit: u32,
    ) -> Result<Page<Callback, CallbackId>, StoreFault> {
        let filter = filter.clone();
        let browse = move |connection: &_| callbacks::browse(connection, &filter, before, limit);
        self.list(&self.operators, browse).await
    }

    async fn deliveries(&self, callback: CallbackId) -> Result<Vec<Delivery>, StoreFault> {
        let read = move |connection: &_| callbacks::deliveries(connection, callback);
        self.list(&self.operators, read).await
    }

    async fn callback_backlog(&self) -> Result<Backlog, StoreFault> {
        self.list(&self.news, callbacks::backlog).await
    }
}

/// Evidence and the collections that wait for it are brought together by whoever comes second, so
/// neither may miss what was acknowledged before: money would stand on suspense for good.
#[async_trait]
impl CollectionReports for Sqlite {
    async fn awaiting(
        &self,
        channel: &str,
        due: Amount,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        let channel = channel.to_owned();
        let read = move |connection: &_| orders::awaiting(connection, &channel, due, limit);
        self.whole_list(&self.lists, read).await
    }

    async fn collections_expired(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault> {
        self.list(&self.lists, move |connection| orders::expired(connection, now, limit)).await
    }

    async fn free_evidence(
        &self,
        channel: &str,
        amount: Amount,
        limit: u32,
    ) -> Result<Vec<Evidence>, StoreFault> {
        let channel = channel.to_owned();
        let read =
            move |connection: &_| collections::free_evidence(connection, &channel, amount, limit);
        self.whole_list(&self.lists, read).await
    }

    async fn open_evidence(
        &self,
        after: Option<&EvidenceKey>,
        limit: u32,
    ) -> Result<Page<Evidence, EvidenceKey>, StoreFault> {
        let after = after.cloned();
        let read = move |connection: &_| {
            let open = Some(domain::EvidenceState::Open.name());
            collections::evidence_after(connection, open, after.as_ref(), limit)
        };
        self.whole_list(&self.lists, read).await
    }

    async fn evidence(&self, key: &EvidenceKey) -> Result<Option<Evidence>, StoreFault> {
        if let Some(evidence) = self.overlay.evidence(key) {
            return Ok(Some(evidence));
        }
        let key = key.clone();
        self.points.read(move |connection| collections::evidence_by_key(connection, &key)).await
    }

    async fn evidence_list(
        &self,
        state: Option<&str>,
        after: Option<&EvidenceKey>,
        limit: u32,
    ) -> Result<Page<Evidence, EvidenceKey>, StoreFault> {
        let (state, after) = (state.map(str::to_owned), after.cloned());
        let read = move |connection: &_| {
            collections::evidence_after(connection, state.as_deref(), after.as_ref(), limit)
        };
        self.list(&self.operators, read).await
    }
}

#[async_trait]
impl Shutdown for Sqlite {
    /// The readers go first, so that the writer finds nobody in its way when it empties the log.
    async fn shutdown(&self) {
        let closing = self.pipeline.stop_accepting();
        self.points.stop().await;
        self.lists.stop().await;
        self.news.stop().await;
        self.operators.stop().await;
        closing.finished().await;
    }
}

#[cfg(test)]
#[path = "news_tests.rs"]
mod news_tests;
#[cfg(test)]
#[path = "power_tests.rs"]
mod power_tests;
