//! The records that stay in memory from batch to batch, bounded and forgotten bit by bit.
//!
//! There are two generations. Whatever a batch needs is put into the young one: taken over from the
//! old one if it is there, else loaded by the engine. Once the young one is full it becomes the old
//! one, and what nobody needed since the last time is forgotten. So what is used often is never
//! loaded again, nothing is ever emptied at one stroke, and no map grows large.
//!
//! Invariant: what the young generation says of a key is how it stands; what the old one says holds
//! only while the young one says nothing.

use std::sync::Arc;

use domain::Order;
use domain::command::Keys;
use domain::working_set::{LastNumbers, WorkingSet};

/// Records as they are stored, and those of the batch under way as decided.
pub(super) struct Cache {
    young: WorkingSet,
    old: WorkingSet,
    /// How many records the young generation holds at most.
    held: usize,
    /// At how many it is full.
    full: usize,
}

impl Cache {
    /// Knows nothing but numbers, and holds about this many records at most.
    pub(super) fn new(last: LastNumbers, records: usize) -> Self {
        let old = WorkingSet::new(LastNumbers::default());
        Self { young: WorkingSet::new(last), old, held: 0, full: records / 2 }
    }

    /// What commands are decided on.
    pub(super) const fn working_set(&mut self) -> &mut WorkingSet {
        &mut self.young
    }

    /// Makes ready for a batch that needs these records, and leaves those that the engine has to
    /// load into the working set: each once, in order, which is how trees are read best.
    pub(super) fn prepare(&mut self, keys: &mut Keys) {
        let Self { young, old, held, .. } = self;
        keep_unknown(&mut keys.accounts, |key| {
            young.account(key).is_ok()
                || old.account(key).is_ok_and(|found| {
                    young.put_account(key.clone(), found.cloned());
                    *held += 1;
                    true
                })
        });
        keep_unknown(&mut keys.orders, |id| {
            young.order(*id).is_ok()
                || old.order(*id).is_ok_and(|found| {
                    young.put_order(*id, found.cloned());
                    *held += 1;
                    true
                })
        });
        keep_unknown(&mut keys.references, |key| {
            if young.order_by_reference(key).is_ok() {
                return true;
            }
            let Ok(found) = old.order_by_reference(key) else { return false };
            young.put_reference(key.clone(), as_it_stands(young, found));
            *held += 2;
            true
        });
        keep_unknown(&mut keys.day_claims, |key| {
            if young.day_claim(key).is_ok() {
                return true;
            }
            let Ok(found) = old.day_claim(key) else { return false };
            young.put_day_claim(key.clone(), as_it_stands(young, found));
            *held += 2;
            true
        });
        keep_unknown(&mut keys.callbacks, |id| {
            young.callback(*id).is_ok()
                || old.callback(*id).is_ok_and(|found| {
                    young.put_callback(*id, found.cloned());
                    *held += 1;
                    true
                })
        });
        keep_unknown(&mut keys.endpoints, |key| {
            young.endpoint(key).is_ok()
                || old.endpoint(key).is_ok_and(|found| {
                    young.put_endpoint(key.clone(), found.cloned());
                    *held += 1;
                    true
                })
        });
        keep_unknown(&mut keys.evidence, |key| {
            young.evidence(key).is_ok()
                || old.evidence(key).is_ok_and(|found| {
                    young.put_evidence(key.clone(), found.cloned());
                    *held += 1;
                    true
                })
        });
        keep_unknown(&mut keys.payer_references, |key| {
            young.payer_reference(key).is_ok()
                || old.payer_reference(key).is_ok_and(|found| {
                    young.put_payer_reference(key.clone(), found);
                    *held += 1;
                    true
                })
        });
        keep_unknown(&mut keys.fundings, |key| {
            young.funding(key).is_ok()
                || old.funding(key).is_ok_and(|found| {
                    young.put_funding(key.clone(), found.cloned());
                    *held += 1;
                    true
                })
        });
        // The rest is rare, and a change of one may say something of another: a product's codes, an
        // identifier's credentials. The old generation is not asked for it.
        keep_unknown(&mut keys.merchants, |id| young.merchant(*id).is_ok());
        keep_unknown(&mut keys.credentials, |key| young.credentials(key).is_ok());
        keep_unknown(&mut keys.products, |id| young.product(id).is_ok());
        keep_unknown(&mut keys.aliases, |alias| young.alias(alias).is_ok());
        keep_unknown(&mut keys.requests, |key| young.kept_answer(key).is_ok());
        *held += keys.accounts.len()
            + keys.orders.len()
            + 2 * keys.references.len()
            + keys.fundings.len()
            + keys.merchants.len()
            + keys.credentials.len()
            + keys.products.len()
            + keys.aliases.len()
            + keys.requests.len()
            + 2 * keys.day_claims.len()
            + keys.callbacks.len()
            + keys.endpoints.len()
            + keys.evidence.len()
            + keys.payer_references.len();
    }

    /// Ages once the young generation is full. `added` records came into being since the last
    /// time. To be called when nobody waits for an answer.
    pub(super) fn age(&mut self, added: usize) {
        self.held += added;
        if self.held > self.full {
            let next = WorkingSet::new(self.young.last_numbers());
            self.old = std::mem::replace(&mut self.young, next);
            self.held = 0;
        }
    }
}

/// An order that the old generation knew by some name: it may have changed since.
fn as_it_stands(young: &WorkingSet, found: Option<&Arc<Order>>) -> Option<Arc<Order>> {
    let current = found.and_then(|order| young.order(order.id).ok().flatten());
    current.or(found).cloned()
}

/// Leaves each key that is not known once, in order.
fn keep_unknown<Key: Ord>(keys: &mut Vec<Key>, mut known: impl FnMut(&Key) -> bool) {
    keys.retain(|key| !known(key));
    keys.sort_unstable();
    keys.dedup();
}

#[cfg(test)]
mod tests {
    use domain::Amount;
    use domain::working_set::Change;

    use super::*;
    use crate::conformance::{
        TOKO, accept, administration, catalogue, check, crowds, key, lifecycles, quote, references,
    };
    use crate::memory::InMemory;
    use crate::pipeline::Options;

    /// An order that changed in the young generation is not replaced by the old one's idea of it.
    #[test]
    fn what_is_taken_over_by_reference_is_as_it_stands() {
        let mut cache = Cache::new(LastNumbers::default(), 2);
        let asked = quote(key(TOKO, "r"), Amount::rupiah(100));
        let mut keys = Keys::default();
        asked.add_keys(&mut keys);
        cache.prepare(&mut keys);
        let reference = keys.references.pop().expect("not known yet");
        cache.working_set().put_reference(reference.clone(), None);
        let decision = domain::decide::decide(cache.working_set(), &asked).expect("decided");
        decision.changes.iter().for_each(|change| cache.working_set().apply(change));
        let quoted = cache.working_set().order_by_reference(&reference).expect("known").cloned();
        let quoted = quoted.expect("stored");
        cache.age(2);
        assert!(cache.working_set().order(quoted.id).is_err(), "it has not aged");

        let mut keys = Keys::default();
        accept(&quoted).add_keys(&mut keys);
        cache.prepare(&mut keys);
        assert!(keys.orders.is_empty());
        let changed =
            domain::Order { updated_at: quoted.expires_at, ..domain::Order::clone(&quoted) };
        let changed = Arc::new(changed);
        cache.working_set().apply(&Change::Order(Arc::clone(&changed)));
        let mut keys = Keys { references: vec![reference.clone(); 2], ..Keys::default() };
        cache.prepare(&mut keys);
        assert!(keys.references.is_empty());
        assert_eq!(cache.working_set().order_by_reference(&reference), Ok(Some(&changed)));
    }

    #[test]
    fn little_memory_changes_no_answer() {
        for kept_records in [0, 2, 7, 20] {
            let options = Options { kept_records, ..Options::default() };
            check::<InMemory>(options.clone(), administration::acts_build_on_what_is_stored);
            check::<InMemory>(options.clone(), administration::acts_of_a_crowd_keep_the_rules);
            check::<InMemory>(options.clone(), catalogue::what_is_put_again_is_replaced);
            check::<InMemory>(options.clone(), crowds::a_crowd_does_what_one_by_one_would);
            check::<InMemory>(options.clone(), lifecycles::repeats_change_nothing);
            check::<InMemory>(options, references::twins_become_one_order);
        }
    }
}
