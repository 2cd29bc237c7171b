//! The records that a batch of commands needs, in memory.
//!
//! An engine loads it, [`crate::decide::decide`] reads it, and the changes of each decision are
//! applied to it before the next one, so that commands of one batch see each other. It remembers
//! of each key whether it was looked for: deciding on a record that nobody looked for is a fault
//! and never mistaken for a record that does not exist.

use std::borrow::Cow;
use std::sync::Arc;

use foldhash::HashMap;
use thiserror::Error;

use crate::account::{Account, AccountKey};
use crate::administration::{AuditNumber, AuditRecord, CredentialKey, KeptAnswer, RequestKey};
use crate::callback::{Callback, Delivery, Endpoint, EndpointKey};
use crate::command::{DayClaim, DayClaimKey, Funding, FundingKey, PayerReferenceKey};
use crate::evidence::{Evidence, EvidenceKey};
use crate::identifier::{CallbackId, MerchantId, OrderId, ProductId, ReferenceKey};
use crate::merchant::{Credential, Merchant, Preferences};
use crate::order::Order;
use crate::product::{Alias, Product};
use crate::transfer::{Hash, Transfer};

/// A record that a command needs was not loaded; a mistake of ours. It is told by its kind where
/// somebody may only have asked whether it is known, which is asked often.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0} was not loaded")]
pub struct NotLoaded(pub Cow<'static, str>);

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
    /// A new audit record.
    AuditRecord(AuditRecord),
    /// A new answer to be kept; the request's name is claimed with it.
    KeptAnswer(KeptAnswer),
    /// A new or changed callback.
    Callback(Callback),
    /// A new delivery.
    Delivery(Delivery),
    /// A new or changed address for callbacks.
    Endpoint(Endpoint),
    /// An order that counts towards a limit, in place of an earlier one.
    DayClaim(DayClaim),
    /// New or changed evidence.
    Evidence(Evidence),
    /// What a payer named for an order; claimed for ever.
    PayerReference(PayerReferenceKey, OrderId),
    /// What a merchant wants of a protocol.
    Preferences(Preferences),
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
    /// Of a merchant.
    pub merchant: u32,
    /// Of a callback.
    pub callback: u64,
    /// Of an audit record, with the digest on which the next one builds.
    pub audit: Option<(AuditNumber, Hash)>,
}

/// The loaded records. Merchants choose some of their names; the hashes are seeded anew in each process.
#[derive(Debug, Default)]
pub struct WorkingSet {
    last: LastNumbers,
    accounts: HashMap<AccountKey, Option<Account>>,
    orders: HashMap<OrderId, Option<Arc<Order>>>,
    references: HashMap<ReferenceKey, Option<OrderId>>,
    fundings: HashMap<FundingKey, Option<Funding>>,
    merchants: HashMap<MerchantId, Option<Merchant>>,
    credentials: HashMap<CredentialKey, Vec<Credential>>,
    products: HashMap<ProductId, Option<Product>>,
    aliases: HashMap<Alias, Option<ProductId>>,
    kept_answers: HashMap<RequestKey, Option<KeptAnswer>>,
    callbacks: HashMap<CallbackId, Option<Callback>>,
    endpoints: HashMap<EndpointKey, Option<Endpoint>>,
    day_claims: HashMap<DayClaimKey, Option<OrderId>>,
    evidence: HashMap<EvidenceKey, Option<Evidence>>,
    payer_references: HashMap<PayerReferenceKey, Option<OrderId>>,
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

    /// Puts in what was found under this number.
    pub fn put_merchant(&mut self, id: MerchantId, merchant: Option<Merchant>) {
        self.merchants.insert(id, merchant);
    }

    /// Puts in all credentials that ever went by this identifier, in any order.
    pub fn put_credentials(&mut self, key: CredentialKey, credentials: Vec<Credential>) {
        self.credentials.insert(key, credentials);
    }

    /// Puts in what was found under this name.
    pub fn put_product(&mut self, id: ProductId, product: Option<Product>) {
        self.products.insert(id, product);
    }

    /// Puts in the product that has this code.
    pub fn put_alias(&mut self, alias: Alias, holder: Option<ProductId>) {
        self.aliases.insert(alias, holder);
    }

    /// Puts in what was answered to the request of this name.
    pub fn put_kept_answer(&mut self, key: RequestKey, kept: Option<KeptAnswer>) {
        self.kept_answers.insert(key, kept);
    }

    /// Puts in what was found under this number.
    pub fn put_callback(&mut self, id: CallbackId, callback: Option<Callback>) {
        self.callbacks.insert(id, callback);
    }

    /// Puts in the address that was found.
    pub fn put_endpoint(&mut self, key: EndpointKey, endpoint: Option<Endpoint>) {
        self.endpoints.insert(key, endpoint);
    }

    /// Puts in the order that counts towards this limit.
    pub fn put_day_claim(&mut self, key: DayClaimKey, order: Option<Arc<Order>>) {
        self.day_claims.insert(key, order.as_ref().map(|order| order.id));
        if let Some(order) = order {
            self.orders.insert(order.id, Some(order));
        }
    }

    /// Puts in what was found under this name.
    pub fn put_evidence(&mut self, key: EvidenceKey, evidence: Option<Evidence>) {
        self.evidence.insert(key, evidence);
    }

    /// Puts in the order for which a payer named this.
    pub fn put_payer_reference(&mut self, key: PayerReferenceKey, order: Option<OrderId>) {
        self.payer_references.insert(key, order);
    }

    /// Whether this account was looked for.
    pub fn has_account(&self, key: &AccountKey) -> bool {
        self.accounts.contains_key(key)
    }

    /// The account of this name.
    pub fn account(&self, key: &AccountKey) -> Result<Option<&Account>, NotLoaded> {
        found(&self.accounts, key, "an account").map(Option::as_ref)
    }

    /// The order of this number.
    pub fn order(&self, id: OrderId) -> Result<Option<&Arc<Order>>, NotLoaded> {
        found(&self.orders, &id, "an order").map(Option::as_ref)
    }

    /// The order that holds this reference.
    pub fn order_by_reference(&self, key: &ReferenceKey) -> Result<Option<&Arc<Order>>, NotLoaded> {
        match found(&self.references, key, "a reference")? {
            Some(id) => self.order(*id),
            None => Ok(None),
        }
    }

    /// The funding that holds this reference.
    pub fn funding(&self, key: &FundingKey) -> Result<Option<&Funding>, NotLoaded> {
        found(&self.fundings, key, "a funding").map(Option::as_ref)
    }

    /// The merchant of this number.
    pub fn merchant(&self, id: MerchantId) -> Result<Option<&Merchant>, NotLoaded> {
        found(&self.merchants, &id, "a merchant").map(Option::as_ref)
    }

    /// All credentials that ever went by this identifier, live or not.
    pub fn credentials(&self, key: &CredentialKey) -> Result<&[Credential], NotLoaded> {
        found(&self.credentials, key, "a credential").map(Vec::as_slice)
    }

    /// The product of this name.
    pub fn product(&self, id: &ProductId) -> Result<Option<&Product>, NotLoaded> {
        found(&self.products, id, "a product").map(Option::as_ref)
    }

    /// The product that has this code.
    pub fn alias(&self, alias: &Alias) -> Result<Option<&ProductId>, NotLoaded> {
        found(&self.aliases, alias, "a code").map(Option::as_ref)
    }

    /// What was answered to the request of this name.
    pub fn kept_answer(&self, key: &RequestKey) -> Result<Option<&KeptAnswer>, NotLoaded> {
        found(&self.kept_answers, key, "a kept answer").map(Option::as_ref)
    }

    /// The callback of this number.
    pub fn callback(&self, id: CallbackId) -> Result<Option<&Callback>, NotLoaded> {
        found(&self.callbacks, &id, "a callback").map(Option::as_ref)
    }

    /// The address of this merchant for this protocol.
    pub fn endpoint(&self, key: &EndpointKey) -> Result<Option<&Endpoint>, NotLoaded> {
        found(&self.endpoints, key, "an address").map(Option::as_ref)
    }

    /// The order that counts towards this limit.
    pub fn day_claim(&self, key: &DayClaimKey) -> Result<Option<&Arc<Order>>, NotLoaded> {
        match found(&self.day_claims, key, "a count")? {
            Some(id) => self.order(*id),
            None => Ok(None),
        }
    }

    /// The evidence of this name.
    pub fn evidence(&self, key: &EvidenceKey) -> Result<Option<&Evidence>, NotLoaded> {
        found(&self.evidence, key, "evidence").map(Option::as_ref)
    }

    /// The order for which a payer named this.
    pub fn payer_reference(&self, key: &PayerReferenceKey) -> Result<Option<OrderId>, NotLoaded> {
        found(&self.payer_references, key, "a payer's reference").copied()
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
            Change::Merchant(merchant) => {
                self.last.merchant = self.last.merchant.max(merchant.id.0);
                self.merchants.insert(merchant.id, Some(merchant.clone()));
            }
            Change::Credential(credential) => self.apply_credential(credential),
            Change::Product(product) => self.apply_product(product),
            Change::AuditRecord(record) => self.last.audit = Some((record.number, record.hash)),
            Change::KeptAnswer(kept) => {
                self.kept_answers.insert(kept.key.clone(), Some(kept.clone()));
            }
            Change::Callback(callback) => {
                self.last.callback = self.last.callback.max(callback.id.0);
                self.callbacks.insert(callback.id, Some(callback.clone()));
            }
            Change::Delivery(_) => {}
            Change::Endpoint(endpoint) => {
                self.endpoints.insert(endpoint.key.clone(), Some(endpoint.clone()));
            }
            Change::DayClaim(claim) => {
                self.day_claims.insert(claim.key.clone(), Some(claim.order));
            }
            Change::Evidence(evidence) => {
                self.evidence.insert(evidence.key.clone(), Some(evidence.clone()));
            }
            Change::PayerReference(key, order) => {
                self.payer_references.insert(key.clone(), Some(*order));
            }
            Change::Preferences(_) => {}
        }
    }

    /// One credential says nothing of the others under its identifier: where those were not looked
    /// for, they still are not.
    fn apply_credential(&mut self, credential: &Credential) {
        let key = CredentialKey {
            protocol: credential.protocol.clone(),
            identifier: credential.identifier.clone(),
        };
        if let Some(known) = self.credentials.get_mut(&key) {
            known.retain(|other| other.serial != credential.serial);
            known.push(credential.clone());
        }
    }

    fn apply_product(&mut self, product: &Product) {
        for holder in self.aliases.values_mut() {
            if holder.as_ref() == Some(&product.id) {
                *holder = None;
            }
        }
        for alias in &product.aliases {
            self.aliases.insert(alias.clone(), Some(product.id.clone()));
        }
        self.products.insert(product.id.clone(), Some(product.clone()));
    }
}

fn found<'a, Key, Value>(
    map: &'a HashMap<Key, Value>,
    key: &Key,
    kind: &'static str,
) -> Result<&'a Value, NotLoaded>
where
    Key: std::hash::Hash + Eq,
{
    map.get(key).ok_or(NotLoaded(Cow::Borrowed(kind)))
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
        assert_eq!(working_set.account(&key), Err(NotLoaded("an account".into())));
        assert_eq!(working_set.order(OrderId(7)), Err(NotLoaded("an order".into())));
        assert_eq!(
            working_set.order_by_reference(&reference),
            Err(NotLoaded("a reference".into()))
        );

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
