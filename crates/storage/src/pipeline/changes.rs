//! What commands changed, as values on their way to be stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::administration::{AuditRecord, KeptAnswer};
use domain::callback::Delivery;
use domain::command::{DayClaim, DayClaimKey, Funding, PayerReferenceKey};
use domain::working_set::{Change, LastNumbers};
use domain::{
    Account, AccountId, Callback, CallbackId, Credential, Endpoint, EndpointKey, Evidence,
    EvidenceKey, Merchant, Order, OrderId, Preferences, Product, Transfer,
};

/// Everything that commands changed: of each account, order, callback and piece of evidence only the
/// latest state, so that it is written once however many commands touched it.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// New and changed accounts.
    pub accounts: BTreeMap<AccountId, Account>,
    /// New transfers, in the order of their numbers.
    pub transfers: Vec<Transfer>,
    /// New orders.
    pub new_orders: BTreeMap<OrderId, Arc<Order>>,
    /// Changed orders that were stored before these changes.
    pub orders: BTreeMap<OrderId, Arc<Order>>,
    /// New fundings.
    pub fundings: Vec<Funding>,
    /// New and changed merchants, oldest change first.
    pub merchants: Vec<Merchant>,
    /// New and changed credentials, oldest change first.
    pub credentials: Vec<Credential>,
    /// New and changed products, oldest change first.
    pub products: Vec<Product>,
    /// New audit records, in the order of their numbers.
    pub audit_records: Vec<AuditRecord>,
    /// New answers to be kept.
    pub kept_answers: Vec<KeptAnswer>,
    /// New and changed callbacks.
    pub callbacks: BTreeMap<CallbackId, Callback>,
    /// New deliveries, in the order in which they were recorded.
    pub deliveries: Vec<Delivery>,
    /// New and changed addresses for callbacks.
    pub endpoints: BTreeMap<EndpointKey, Endpoint>,
    /// New and changed counts towards limits, with the latest order of each.
    pub day_claims: BTreeMap<DayClaimKey, OrderId>,
    /// New and changed evidence.
    pub evidence: BTreeMap<EvidenceKey, Evidence>,
    /// What payers named for the first time, with the order for which they did.
    pub payer_references: BTreeMap<PayerReferenceKey, OrderId>,
    /// New and changed preferences, oldest change first.
    pub preferences: Vec<Preferences>,
}

impl Changes {
    /// Whether there is nothing to save.
    pub fn is_empty(&self) -> bool {
        self.records() == 0
    }

    /// Takes over a change. It replaces an earlier one of the same account, order, callback, address,
    /// count or piece of evidence.
    pub fn add(&mut self, change: Change) {
        match change {
            Change::Account(account) => drop(self.accounts.insert(account.id, account)),
            Change::Transfer(transfer) => self.transfers.push(transfer),
            Change::NewOrder(order) => drop(self.new_orders.insert(order.id, order)),
            Change::Order(order) => {
                let orders = if self.new_orders.contains_key(&order.id) {
                    &mut self.new_orders
                } else {
                    &mut self.orders
                };
                orders.insert(order.id, order);
            }
            Change::Funding(funding) => self.fundings.push(funding),
            Change::Merchant(merchant) => self.merchants.push(merchant),
            Change::Credential(credential) => self.credentials.push(credential),
            Change::Product(product) => self.products.push(product),
            Change::AuditRecord(record) => self.audit_records.push(record),
            Change::KeptAnswer(kept) => self.kept_answers.push(kept),
            Change::Callback(callback) => drop(self.callbacks.insert(callback.id, callback)),
            Change::Delivery(delivery) => self.deliveries.push(delivery),
            Change::Endpoint(endpoint) => {
                self.endpoints.insert(endpoint.key.clone(), endpoint);
            }
            Change::DayClaim(DayClaim { key, order }) => drop(self.day_claims.insert(key, order)),
            Change::Evidence(evidence) => {
                self.evidence.insert(evidence.key.clone(), evidence);
            }
            Change::PayerReference(key, order) => {
                self.payer_references.insert(key, order);
            }
            Change::Preferences(preferences) => self.preferences.push(preferences),
        }
    }

    /// Takes over what changed later.
    pub fn append(&mut self, later: Self) {
        if self.is_empty() {
            *self = later;
            return;
        }
        let Self {
            accounts,
            mut transfers,
            new_orders,
            orders,
            mut fundings,
            mut merchants,
            mut credentials,
            mut products,
            mut audit_records,
            mut kept_answers,
            callbacks,
            mut deliveries,
            endpoints,
            day_claims,
            evidence,
            payer_references,
            mut preferences,
        } = later;
        // One by one: to append a tree builds both anew, and what is here may be much the larger.
        self.accounts.extend(accounts);
        self.transfers.append(&mut transfers);
        self.new_orders.extend(new_orders);
        orders.into_values().for_each(|order| self.add(Change::Order(order)));
        self.fundings.append(&mut fundings);
        self.merchants.append(&mut merchants);
        self.credentials.append(&mut credentials);
        self.products.append(&mut products);
        self.audit_records.append(&mut audit_records);
        self.kept_answers.append(&mut kept_answers);
        self.callbacks.extend(callbacks);
        self.deliveries.append(&mut deliveries);
        self.endpoints.extend(endpoints);
        self.day_claims.extend(day_claims);
        self.evidence.extend(evidence);
        self.payer_references.extend(payer_references);
        self.preferences.append(&mut preferences);
    }

    /// How many records changed.
    pub fn records(&self) -> usize {
        self.accounts.len()
            + self.transfers.len()
            + self.new_orders.len()
            + self.orders.len()
            + self.fundings.len()
            + self.merchants.len()
            + self.credentials.len()
            + self.products.len()
            + self.audit_records.len()
            + self.kept_answers.len()
            + self.callbacks.len()
            + self.deliveries.len()
            + self.endpoints.len()
            + self.day_claims.len()
            + self.evidence.len()
            + self.payer_references.len()
            + self.preferences.len()
    }

    /// Whether merchants, credentials or products changed.
    pub fn touch_catalogue(&self) -> bool {
        !(self.merchants.is_empty() && self.credentials.is_empty() && self.products.is_empty())
    }

    /// The highest numbers after these changes, which were made after `last`.
    pub fn last_numbers(&self, last: LastNumbers) -> LastNumbers {
        let account = self.accounts.last_key_value().map_or(0, |(id, _)| id.0);
        let transfer = self.transfers.last().map_or(0, |transfer| transfer.id.0);
        let order = self.new_orders.last_key_value().map_or(0, |(id, _)| id.0);
        let merchant = self.merchants.iter().map(|merchant| merchant.id.0).max().unwrap_or(0);
        let callback = self.callbacks.last_key_value().map_or(0, |(id, _)| id.0);
        let audit = self.audit_records.last().map(|record| (record.number, record.hash));
        LastNumbers {
            account: last.account.max(account),
            transfer: last.transfer.max(transfer),
            order: last.order.max(order),
            merchant: last.merchant.max(merchant),
            callback: last.callback.max(callback),
            audit: audit.or(last.audit),
        }
    }
}
