//! The engine of the pipeline: it looks records up in the overlay and the tables, and makes changes
//! durable in the journal.
//!
//! A batch is one entry of the journal. Once that is on the disk its changes are put into the
//! overlay, where every reader finds them, and the callers are answered; the tables follow
//! ([`Settling`]). Whatever the tables would refuse is refused before it is written to the
//! journal, because nothing can be refused once it is acknowledged.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use domain::command::Keys;
use domain::working_set::{LastNumbers, WorkingSet};
use domain::{Order, OrderId};
use gateway::ports::Sealer;
use rusqlite::Connection;
use tracing::warn;

use super::faults::Fault;
use super::fields::damaged;
use super::journal::{self, Journal, JournalFault};
use super::overlay::Overlay;
use super::references::References;
use super::settling::Settling;
use super::{administration, books, callbacks, catalogue, collections, orders};
use crate::pipeline::{Changes, Engine, EngineFault};

/// How long a command that needs the catalogue waits until the tables have its latest change.
const CATALOGUE_PATIENCE: Duration = Duration::from_secs(1);

/// The engine. The fields are dropped in this order: the data is closed before it is given up.
pub(super) struct TwoStages {
    /// What the tables hold. None once the engine is closed.
    pub(super) tables: Option<Connection>,
    pub(super) settling: Settling,
    pub(super) journal: Journal,
    pub(super) overlay: Arc<Overlay>,
    /// Who holds which reference.
    pub(super) references: Arc<References>,
    /// Keeps secrets unreadable in the journal.
    pub(super) sealer: Arc<dyn Sealer>,
    /// The entry that is being made.
    pub(super) entry: Vec<u8>,
    /// Held for as long as this process owns the data.
    pub(super) _lock: File,
}

impl From<JournalFault> for EngineFault {
    fn from(fault: JournalFault) -> Self {
        match fault {
            JournalFault::Full | JournalFault::Unavailable(_) | JournalFault::Recycled(_) => {
                Self::Unavailable(fault.to_string())
            }
            JournalFault::TooLarge(_)
            | JournalFault::Damaged { .. }
            | JournalFault::Unreadable { .. }
            | JournalFault::TablesBehind { .. }
            | JournalFault::Newer { .. } => Self::Damaged(fault.to_string()),
            JournalFault::Fatal(_) => Self::Fatal(fault.to_string()),
        }
    }
}

/// Refuses what the tables would refuse, or could not be read back from them.
fn check(changes: &Changes) -> Result<(), Fault> {
    let changed = changes.new_orders.values().chain(changes.orders.values());
    changed.into_iter().try_for_each(|order| orders::check(order))
}

impl TwoStages {
    fn look_up(&self, keys: &Keys, working_set: &mut WorkingSet) -> Result<(), Fault> {
        let Some(tables) = &self.tables else {
            return Err(damaged("engine", "is closed"));
        };
        self.look_up_books(tables, keys, working_set)?;
        self.look_up_news(tables, keys, working_set)?;
        self.look_up_collections(tables, keys, working_set)?;
        self.look_up_catalogue(tables, keys, working_set)
    }

    fn order(&self, tables: &Connection, id: OrderId) -> Result<Option<Arc<Order>>, Fault> {
        match self.overlay.order(id) {
            None => orders::by_id(tables, id),
            found => Ok(found),
        }
    }

    fn look_up_books(
        &self,
        tables: &Connection,
        keys: &Keys,
        working_set: &mut WorkingSet,
    ) -> Result<(), Fault> {
        let overlay = &self.overlay;
        for key in &keys.accounts {
            let account = match overlay.account(key) {
                None => books::account(tables, key)?,
                found => found,
            };
            working_set.put_account(key.clone(), account);
        }
        for id in &keys.orders {
            working_set.put_order(*id, self.order(tables, *id)?);
        }
        for key in &keys.references {
            let order = match overlay.order_by_reference(key) {
                None => self.references.find(tables, key)?,
                found => found,
            };
            working_set.put_reference(key.clone(), order);
        }
        for key in &keys.fundings {
            let funding = match overlay.funding(key) {
                None => books::funding(tables, key)?,
                found => found,
            };
            working_set.put_funding(key.clone(), funding);
        }
        for key in &keys.requests {
            let kept = match overlay.kept_answer(key) {
                None => administration::kept_answer(tables, key, self.sealer.as_ref())?,
                found => found,
            };
            working_set.put_kept_answer(key.clone(), kept);
        }
        Ok(())
    }

    /// Every try looks an address up, so that is not left to the tables alone.
    fn look_up_news(
        &self,
        tables: &Connection,
        keys: &Keys,
        working_set: &mut WorkingSet,
    ) -> Result<(), Fault> {
        for id in &keys.callbacks {
            let callback = match self.overlay.callback(*id) {
                None => callbacks::by_id(tables, *id)?,
                found => found,
            };
            working_set.put_callback(*id, callback);
        }
        for key in &keys.endpoints {
            let endpoint = match self.overlay.endpoint(key) {
                None => catalogue::endpoint_by_key(tables, key, self.sealer.as_ref())?,
                found => found,
            };
            working_set.put_endpoint(key.clone(), endpoint);
        }
        Ok(())
    }

    fn look_up_collections(
        &self,
        tables: &Connection,
        keys: &Keys,
        working_set: &mut WorkingSet,
    ) -> Result<(), Fault> {
        for key in &keys.day_claims {
            let id = match self.overlay.day_claim(key) {
                None => collections::day_claim(tables, key)?,
                found => found,
            };
            let order = match id {
                Some(id) => Some(self.order(tables, id)?.ok_or_else(|| {
                    damaged(format!("order {id}"), "counts towards a limit and is not there")
                })?),
                None => None,
            };
            working_set.put_day_claim(key.clone(), order);
        }
        for key in &keys.evidence {
            let evidence = match self.overlay.evidence(key) {
                None => collections::evidence_by_key(tables, key)?,
                found => found,
            };
            working_set.put_evidence(key.clone(), evidence);
        }
        for key in &keys.payer_references {
            let order = match self.overlay.payer_reference(key) {
                None => collections::payer_reference(tables, key)?,
                found => found,
            };
            working_set.put_payer_reference(key.clone(), order);
        }
        Ok(())
    }

    /// Merchants, credentials and products are looked up in the tables alone, which have had time
    /// to follow: they change when an operator changes them.
    fn look_up_catalogue(
        &self,
        tables: &Connection,
        keys: &Keys,
        working_set: &mut WorkingSet,
    ) -> Result<(), Fault> {
        let Keys { merchants, credentials, products, aliases, .. } = keys;
        let nothing = merchants.is_empty() && credentials.is_empty() && products.is_empty();
        if nothing && aliases.is_empty() {
            return Ok(());
        }
        if !self.overlay.settled_up_to(self.overlay.catalogue(), CATALOGUE_PATIENCE) {
            return Err(Fault::Behind);
        }
        for id in merchants {
            working_set.put_merchant(*id, catalogue::merchant_by_id(tables, *id)?);
        }
        for key in credentials {
            let known = catalogue::credentials_by_identifier(tables, key, self.sealer.as_ref())?;
            working_set.put_credentials(key.clone(), known);
        }
        for id in products {
            working_set.put_product(id.clone(), catalogue::product_by_id(tables, id)?);
        }
        for alias in aliases {
            working_set.put_alias(alias.clone(), catalogue::holder(tables, alias)?);
        }
        Ok(())
    }
}

impl Engine for TwoStages {
    fn last_numbers(&mut self) -> Result<LastNumbers, EngineFault> {
        Ok(self.overlay.last_numbers())
    }

    fn load(&mut self, keys: &Keys, working_set: &mut WorkingSet) -> Result<(), EngineFault> {
        Ok(self.look_up(keys, working_set)?)
    }

    fn save(&mut self, changes: Changes) -> Result<(), EngineFault> {
        check(&changes)?;
        self.overlay.admit(changes.records())?;
        self.entry.clear();
        journal::encode(&changes, self.sealer.as_ref(), &mut self.entry)
            .map_err(EngineFault::Damaged)?;
        let position = self.journal.append(&self.entry)?;
        self.overlay.publish(position, changes);
        Ok(())
    }

    fn close(&mut self) -> Result<(), EngineFault> {
        // Nobody may be reading when the log of the tables is emptied.
        self.tables = None;
        let drained = self.settling.drain();
        self.journal.close();
        if !self.overlay.is_settled() {
            warn!("the tables do not have everything; the journal keeps the rest");
        }
        drained
    }
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
