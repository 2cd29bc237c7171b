//! The records that a batch of commands needs, in memory.
//!
//! An engine loads it, [`crate::decide::decide`] reads it, and the changes of each decision are
//! applied to it before the next one, so that commands of one batch see each other. It remembers
//! of each key whether it was looked for: deciding on a record that nobody looked for is a fault
//! and never mistaken for a record that does not exist.

use std::collections::HashMap;
use std::sync::Arc;

use thiserror::Error;

use crate::account::{Account, AccountKey};
use crate::command::{Funding, FundingKey};
use crate::identifier::{OrderId, ReferenceKey};
use crate::merchant::{Credential, Merchant};
use crate::order::Order;
use crate::product::Product;
use crate::transfer::Transfer;

/// A record that a command needs was not loaded; a mistake of ours.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0} was not loaded")]
pub struct NotLoaded(pub String);

/// One record as it stands after a decision. Engines save it whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new or changed account.
    Account(Account),
    /// A new transfer.
    Transfer(Transfer),
    /// A new order; its reference is claimed with it.
    NewOrder(Arc<Order>),
    /// A changed order.
    Order(Arc<Order>),
    /// A new funding; its reference is claimed with it.
    Funding(Funding),
    /// A new or changed merchant.
    Merchant(Merchant),
    /// A new or changed credential.
    Credential(Credential),
    /// A new or changed product.
    Product(Product),
}

/// The highest numbers given out so far; zero where none was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LastNumbers {
    /// Of an account.
    pub account: u64,
    /// Of a transfer.
    pub transfer: u64,
    /// Of an order.
    pub order: u64,
}

/// The loaded records.
#[derive(Debug, Default)]
pub struct WorkingSet {
    last: LastNumbers,
    accounts: HashMap<AccountKey, Option<Account>>,
    orders: HashMap<OrderId, Option<Arc<Order>>>,
    references: HashMap<ReferenceKey, Option<OrderId>>,
    fundings: HashMap<FundingKey, Option<Funding>>,
}

impl WorkingSet {
    /// An empty set in which the next numbers follow these.
    pub fn new(last: LastNumbers) -> Self {
        Self { last, ..Self::default() }
    }

    /// The highest numbers given out, those of applied changes included.
    pub const fn last_numbers(&self) -> LastNumbers {
        self.last
    }

    pub(crate) const fn last_account(&self) -> u64 {
        self.last.account
    }

    pub(crate) const fn last_transfer(&self) -> u64 {
        self.last.transfer
    }

    /// Puts in what was found under this name.
    pub fn put_account(&mut self, key: AccountKey, account: Option<Account>) {
        self.accounts.insert(key, account);
    }

    /// Puts in what was found under this number.
    pub fn put_order(&mut self, id: OrderId, order: Option<Arc<Order>>) {
        self.orders.insert(id, order);
    }

    /// Puts in the order that was found under this reference.
    pub fn put_reference(&mut self, key: ReferenceKey, order: Option<Arc<Order>>) {
        self.references.insert(key, order.as_ref().map(|order| order.id));
        if let Some(order) = order {
            self.orders.insert(order.id, Some(order));
        }
    }

    /// Puts in what was found under this funding reference.
    pub fn put_funding(&mut self, key: FundingKey, funding: Option<Funding>) {
        self.fundings.insert(key, funding);
    }

    /// Whether this account was looked for.
    pub fn has_account(&self, key: &AccountKey) -> bool {
        self.accounts.contains_key(key)
    }

    /// The account of this name.
    pub fn account(&self, key: &AccountKey) -> Result<Option<&Account>, NotLoaded> {
        found(&self.accounts, key).map(Option::as_ref)
    }

    /// The order of this number.
    pub fn order(&self, id: OrderId) -> Result<Option<&Arc<Order>>, NotLoaded> {
        found(&self.orders, &id).map(Option::as_ref)
    }

    /// The order that holds this reference.
    pub fn order_by_reference(&self, key: &ReferenceKey) -> Result<Option<&Arc<Order>>, NotLoaded> {
        match found(&self.references, key)? {
            Some(id) => self.order(*id),
            None => Ok(None),
        }
    }

    /// The funding that holds this reference.
    pub fn funding(&self, key: &FundingKey) -> Result<Option<&Funding>, NotLoaded> {
        found(&self.fundings, key).map(Option::as_ref)
    }

    /// Takes over a change, so that later commands see it.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Account(account) => {
                self.last.account = self.last.account.max(account.id.0);
                self.accounts.insert(account.key.clone(), Some(account.clone()));
            }
            Change::Transfer(transfer) => {
                self.last.transfer = self.last.transfer.max(transfer.id.0);
            }
            Change::NewOrder(order) => {
                self.last.order = self.last.order.max(order.id.0);
                self.references.insert(order.key.clone(), Some(order.id));
                self.orders.insert(order.id, Some(Arc::clone(order)));
            }
            Change::Order(order) => {
                self.orders.insert(order.id, Some(Arc::clone(order)));
            }
            Change::Funding(funding) => {
                self.fundings.insert(funding.key.clone(), Some(funding.clone()));
            }
            Change::Merchant(_) | Change::Credential(_) | Change::Product(_) => {}
        }
    }
}

fn found<'a, Key, Value>(map: &'a HashMap<Key, Value>, key: &Key) -> Result<&'a Value, NotLoaded>
where
    Key: std::hash::Hash + Eq + std::fmt::Debug,
{
    map.get(key).ok_or_else(|| NotLoaded(format!("{key:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{Books, account_key, make_quote, request, rupiah};
    use crate::identifier::Mode;

    #[test]
    fn what_was_not_looked_for_is_not_what_was_not_found() {
        let key = account_key("M");
        let reference = request("A", "x", Mode::Live).key;
        let mut working_set = WorkingSet::new(LastNumbers::default());
        assert!(!working_set.has_account(&key));
        assert!(working_set.account(&key).is_err_and(|fault| fault.0.contains("Merchant")));
        assert!(working_set.order(OrderId(7)).is_err_and(|fault| fault.0.contains('7')));
        let fault = working_set.order_by_reference(&reference).expect_err("not looked for");
        assert!(fault.0.contains("iak"), "{fault}");

        working_set.put_account(key.clone(), None);
        working_set.put_order(OrderId(7), None);
        working_set.put_reference(reference.clone(), None);
        assert!(working_set.has_account(&key));
        assert_eq!(working_set.account(&key), Ok(None));
        assert_eq!(working_set.order(OrderId(7)), Ok(None));
        assert_eq!(working_set.order_by_reference(&reference), Ok(None));
    }

    /// An order is found by number and reference alike, and both show its latest state.
    #[test]
    fn a_reference_leads_to_the_order_as_it_stands() {
        let mut books = Books::default();
        let asked = request("A", "x", Mode::Live);
        let key = asked.key.clone();
        books.run(&make_quote(asked, rupiah(400))).expect("quoted");
        let quoted = Arc::clone(&books.orders[&OrderId(1)]);
        let mut working_set = WorkingSet::new(LastNumbers::default());
        working_set.put_reference(key.clone(), Some(Arc::clone(&quoted)));
        assert_eq!(working_set.order(OrderId(1)), Ok(Some(&quoted)));
        let later = Order { expires_at: quoted.created_at, ..Order::clone(&quoted) };
        let later = Arc::new(later);
        working_set.apply(&Change::Order(Arc::clone(&later)));
        assert_eq!(working_set.order_by_reference(&key), Ok(Some(&later)));
    }
}
