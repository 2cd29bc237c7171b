//! What the rule tests share: stored records in memory, and commands with sensible content.
//!
//! [`Books`] plays the commit pipeline: it loads for each command exactly the records that the
//! command names, decides, and saves the changes. A command that forgets to name a record that it
//! needs therefore fails every test that uses it.

pub(crate) mod histories;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::account::{Account, AccountKey, AccountRole};
use crate::administration::{AuditRecord, KeptAnswer, RequestKey};
use crate::audit::{Auditor, Finding, Summary};
use crate::bill::{Bill, Detail, Period};
use crate::callback::{Callback, Delivery as Try, Endpoint, EndpointKey};
use crate::command::{
    Accept, Answer, Buy, Command, DayClaimKey, Decline, Fund, Funding, FundingKey, Keys, MakeQuote,
    PayerReferenceKey, Request, Resolve,
};
use crate::decide::{Decision, decide};
use crate::evidence::{Evidence, EvidenceKey};
use crate::identifier::{
    CallbackId, MerchantId, Mode, OrderId, ProcessId, ProductId, ProtocolName, Reference,
    ReferenceKey, UpstreamName,
};
use crate::ledger::{Ledger, LedgerError};
use crate::merchant::{Credential, Merchant, Preferences, Repetition};
use crate::money::{Amount, Currency};
use crate::order::{Delivery, Order, Outcome, Quote};
use crate::posting::Direction;
use crate::product::Product;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::transfer::Transfer;
use crate::working_set::{Change, LastNumbers, WorkingSet};

/// The merchant of every test that needs only one.
pub(crate) const MERCHANT: MerchantId = MerchantId(1);
/// Somebody else.
pub(crate) const STRANGER: MerchantId = MerchantId(2);
/// When everything happens that has no reason to happen at another time, in milliseconds.
pub(crate) const NOW: i64 = 1_700_000_000_000;
/// When quotes expire, in milliseconds.
pub(crate) const EXPIRY: i64 = NOW + 3_600_000;

/// An instant in milliseconds.
pub(crate) const fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_milliseconds(milliseconds)
}

/// Minor units of any currency.
pub(crate) fn amount(minor: i64, currency: Currency) -> Amount {
    Amount::new(minor, currency).expect("amounts in tests are not negative")
}

/// Whole rupiah.
pub(crate) fn rupiah(minor: i64) -> Amount {
    amount(minor, Currency::Idr)
}

/// The upstream that is called unless a test says otherwise.
pub(crate) fn upstream() -> UpstreamName {
    UpstreamName::new("sandbox")
}

/// The account that a table calls by this name: `M` and `N` are two merchants, `receivable` is what
/// the first of them owes. A currency other than the rupiah follows after a colon.
pub(crate) fn account_key(name: &str) -> AccountKey {
    let (role, code) = name.split_once(':').unwrap_or((name, "IDR"));
    let currency = Currency::from_code(code).expect("a currency code follows the colon");
    let role = match role {
        "M" => AccountRole::Merchant(MERCHANT),
        "N" => AccountRole::Merchant(STRANGER),
        "clearing" => AccountRole::Clearing,
        "float" => AccountRole::Float(upstream()),
        "margin" => AccountRole::Margin,
        "fees" => AccountRole::Fees,
        "bank" => AccountRole::Bank,
        "inbound" => AccountRole::Inbound("bank-transfer".to_owned()),
        "suspense" => AccountRole::Suspense,
        "receivable" => AccountRole::Receivable(MERCHANT),
        _ => panic!("no account is called {role}"),
    };
    AccountKey::new(role, currency)
}

/// Everything that is stored.
#[derive(Debug, Clone, Default)]
pub(crate) struct Books {
    pub(crate) accounts: BTreeMap<AccountKey, Account>,
    pub(crate) transfers: Vec<Transfer>,
    pub(crate) orders: BTreeMap<OrderId, Arc<Order>>,
    pub(crate) fundings: BTreeMap<FundingKey, Funding>,
    pub(crate) merchants: BTreeMap<MerchantId, Merchant>,
    pub(crate) credentials: Vec<Credential>,
    pub(crate) products: BTreeMap<ProductId, Product>,
    pub(crate) audit_records: Vec<AuditRecord>,
    pub(crate) kept_answers: BTreeMap<RequestKey, KeptAnswer>,
    pub(crate) callbacks: BTreeMap<CallbackId, Callback>,
    pub(crate) tries: Vec<Try>,
    pub(crate) endpoints: BTreeMap<EndpointKey, Endpoint>,
    pub(crate) day_claims: BTreeMap<DayClaimKey, OrderId>,
    pub(crate) evidence: BTreeMap<EvidenceKey, Evidence>,
    pub(crate) payer_references: BTreeMap<PayerReferenceKey, OrderId>,
    pub(crate) preferences: Vec<Preferences>,
}

impl Books {
    /// Books in which the first merchant has this balance in rupiah.
    pub(crate) fn funded(minor: i64) -> Self {
        let mut books = Self::default();
        if minor > 0 {
            books.run(&fund("start", Direction::Credit, rupiah(minor))).expect("funded");
        }
        books
    }

    /// The records that these commands name and no others.
    pub(crate) fn load(&self, commands: &[Command]) -> WorkingSet {
        let mut keys = Keys::default();
        commands.iter().for_each(|command| command.add_keys(&mut keys));
        let mut working_set = WorkingSet::new(self.last_numbers());
        for key in keys.accounts {
            let account = self.accounts.get(&key).cloned();
            working_set.put_account(key, account);
        }
        for id in keys.orders {
            working_set.put_order(id, self.orders.get(&id).cloned());
        }
        for key in keys.references {
            let order = self.orders.values().find(|order| order.key == key).cloned();
            working_set.put_reference(key, order);
        }
        for key in keys.fundings {
            let funding = self.fundings.get(&key).cloned();
            working_set.put_funding(key, funding);
        }
        for id in keys.merchants {
            working_set.put_merchant(id, self.merchants.get(&id).cloned());
        }
        for key in keys.credentials {
            let known = self.credentials.iter().filter(|credential| {
                credential.protocol == key.protocol && credential.identifier == key.identifier
            });
            let known = known.cloned().collect();
            working_set.put_credentials(key, known);
        }
        for id in keys.products {
            let product = self.products.get(&id).cloned();
            working_set.put_product(id, product);
        }
        for alias in keys.aliases {
            let holder = self.products.values().find(|product| product.aliases.contains(&alias));
            let holder = holder.map(|product| product.id.clone());
            working_set.put_alias(alias, holder);
        }
        for key in keys.requests {
            let kept = self.kept_answers.get(&key).cloned();
            working_set.put_kept_answer(key, kept);
        }
        for id in keys.callbacks {
            working_set.put_callback(id, self.callbacks.get(&id).cloned());
        }
        for key in keys.endpoints {
            let endpoint = self.endpoints.get(&key).cloned();
            working_set.put_endpoint(key, endpoint);
        }
        for key in keys.day_claims {
            let order = self.day_claims.get(&key).and_then(|id| self.orders.get(id)).cloned();
            working_set.put_day_claim(key, order);
        }
        for key in keys.evidence {
            let evidence = self.evidence.get(&key).cloned();
            working_set.put_evidence(key, evidence);
        }
        for key in keys.payer_references {
            let order = self.payer_references.get(&key).copied();
            working_set.put_payer_reference(key, order);
        }
        working_set
    }

    fn last_numbers(&self) -> LastNumbers {
        LastNumbers {
            account: self.accounts.values().map(|account| account.id.0).max().unwrap_or(0),
            transfer: self.transfers.last().map_or(0, |transfer| transfer.id.0),
            order: self.orders.keys().last().map_or(0, |id| id.0),
            merchant: self.merchants.keys().last().map_or(0, |id| id.0),
            callback: self.callbacks.keys().last().map_or(0, |id| id.0),
            audit: self.audit_records.last().map(|record| (record.number, record.hash)),
        }
    }

    /// Decides on a command without saving anything.
    pub(crate) fn decide(&self, command: &Command) -> Decision {
        let working_set = self.load(std::slice::from_ref(command));
        decide(&working_set, command).expect("records are loaded and the books are in order")
    }

    /// Decides on a command and saves what it changes.
    pub(crate) fn run(&mut self, command: &Command) -> Answer {
        let decision = self.decide(command);
        decision.changes.iter().for_each(|change| self.save(change));
        decision.answer
    }

    /// Makes the transfers of one event, outside any command, and saves them.
    pub(crate) fn post(
        &mut self,
        order: Option<OrderId>,
        names: &[&str],
        event: impl FnOnce(&mut Ledger<'_>) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let mut working_set = WorkingSet::new(self.last_numbers());
        for key in names.iter().map(|name| account_key(name)) {
            let account = self.accounts.get(&key).cloned();
            working_set.put_account(key, account);
        }
        let mut ledger = Ledger::new(&working_set, order, at(NOW));
        event(&mut ledger)?;
        let (transfers, accounts) = ledger.into_changes();
        self.transfers.extend(transfers);
        accounts.into_iter().for_each(|account| self.save(&Change::Account(account)));
        Ok(())
    }

    /// Saves one record, whole, as engines do.
    pub(crate) fn save(&mut self, change: &Change) {
        match change {
            Change::Account(account) => {
                self.accounts.insert(account.key.clone(), account.clone());
            }
            Change::Transfer(transfer) => self.transfers.push(transfer.clone()),
            Change::NewOrder(order) => {
                let before = self.orders.insert(order.id, Arc::clone(order));
                assert_eq!(before, None, "a new order takes a number that is taken");
            }
            Change::Order(order) => {
                let before = self.orders.insert(order.id, Arc::clone(order));
                assert!(before.is_some(), "a changed order did not exist");
            }
            Change::Funding(funding) => {
                let before = self.fundings.insert(funding.key.clone(), funding.clone());
                assert_eq!(before, None, "a funding reference is used twice");
            }
            Change::Merchant(merchant) => {
                self.merchants.insert(merchant.id, merchant.clone());
            }
            Change::Credential(credential) => {
                self.credentials.retain(|other| {
                    (&other.protocol, &other.identifier, other.serial)
                        != (&credential.protocol, &credential.identifier, credential.serial)
                });
                self.credentials.push(credential.clone());
            }
            Change::Product(product) => {
                self.products.insert(product.id.clone(), product.clone());
            }
            Change::AuditRecord(record) => self.audit_records.push(record.clone()),
            Change::KeptAnswer(kept) => {
                let before = self.kept_answers.insert(kept.key.clone(), kept.clone());
                assert_eq!(before, None, "a request's name is used twice");
            }
            Change::Callback(callback) => {
                self.callbacks.insert(callback.id, callback.clone());
            }
            Change::Delivery(delivery) => self.tries.push(delivery.clone()),
            Change::Endpoint(endpoint) => {
                self.endpoints.insert(endpoint.key.clone(), endpoint.clone());
            }
            Change::DayClaim(claim) => {
                self.day_claims.insert(claim.key.clone(), claim.order);
            }
            Change::Evidence(evidence) => {
                self.evidence.insert(evidence.key.clone(), evidence.clone());
            }
            Change::PayerReference(key, order) => {
                let before = self.payer_references.insert(key.clone(), *order);
                assert_eq!(before, None, "a payer's reference is used twice");
            }
            Change::Preferences(preferences) => self.preferences.push(preferences.clone()),
        }
    }

    /// What the account of this name has posted: credits less debits.
    pub(crate) fn posted(&self, key: &AccountKey) -> i64 {
        let counters = self.accounts.get(key).map(|account| account.counters).unwrap_or_default();
        counters.credits_posted - counters.debits_posted
    }

    /// What the account of this name may still spend.
    pub(crate) fn available(&self, name: &str) -> i64 {
        let account = self.accounts.get(&account_key(name));
        account.map_or(0, |account| account.counters.available().expect("within 64 bits"))
    }

    /// Shows everything to an auditor.
    pub(crate) fn audit(&self) -> Result<Summary, Finding> {
        let mut auditor = Auditor::new(self.accounts.values().cloned())?;
        self.transfers.iter().try_for_each(|transfer| auditor.transfer(transfer))?;
        self.fundings.values().try_for_each(|funding| auditor.funding(funding))?;
        self.orders.values().try_for_each(|order| auditor.order(order))?;
        self.callbacks.values().try_for_each(|callback| auditor.callback(callback))?;
        self.evidence.values().try_for_each(|evidence| auditor.evidence(evidence))?;
        self.audit_records.iter().try_for_each(|record| auditor.audit_record(record))?;
        self.kept_answers
            .values()
            .try_for_each(|kept| auditor.kept_answer(&kept.key, kept.audit))?;
        auditor.finish()
    }
}

/// A bill of this nominal without particulars.
pub(crate) fn bill(nominal: Amount) -> Bill {
    Bill {
        customer_name: "BUDI".to_owned(),
        period: Period::None,
        nominal,
        count: 1,
        details: Detail::none(),
    }
}

/// A quote of this charge, with a fee and without a commission.
pub(crate) fn quote(charge: Amount) -> Quote {
    let admin = amount((charge.minor() / 100).min(2500), charge.currency());
    let nominal = charge.minus(admin).expect("the fee is part of the charge");
    Quote { nominal, admin_fee: admin, admin, price: charge, charge }
}

/// The first merchant's request under this reference. Its fingerprint is that of `content`.
pub(crate) fn request(reference: &str, content: &str, mode: Mode) -> Request {
    Request {
        key: ReferenceKey {
            merchant: MERCHANT,
            protocol: ProtocolName::new("iak"),
            mode,
            reference: Reference::new(reference),
        },
        fingerprint: crate::command::fingerprint([content]),
        product: ProductId::new("pln-postpaid"),
        code: "PLNPOSTPAID".to_owned(),
        destination: content.to_owned(),
        upstream: upstream(),
        dialect: String::new(),
        calls_back: false,
        callback_url: None,
        at: at(NOW),
    }
}

/// The operator corrects the first merchant's balance.
pub(crate) fn fund(reference: &str, direction: Direction, amount: Amount) -> Command {
    Command::Fund(Fund {
        key: FundingKey { merchant: MERCHANT, reference: reference.to_owned() },
        direction,
        amount,
        reason: "bank transfer".to_owned(),
        at: at(NOW),
    })
}

/// A quote of this charge.
pub(crate) fn make_quote(request: Request, charge: Amount) -> Command {
    let quote = quote(charge);
    let bill = Arc::new(bill(quote.nominal));
    Command::MakeQuote(MakeQuote { request, bill, quote, expires_at: at(EXPIRY), renews: false })
}

/// A declined inquiry.
pub(crate) fn decline(request: Request, refusal: Refusal) -> Command {
    Command::Decline(Decline { request, refusal })
}

/// The merchant of this request buys what it asks for at this price, and wants to be called back.
pub(crate) fn buy(request: Request, price: Amount) -> Buy {
    let zero = Amount::zero(price.currency());
    Buy {
        request: Request { calls_back: true, ..request },
        quote: Quote { nominal: price, admin_fee: zero, admin: zero, price, charge: price },
        recipient: None,
        repetition: Repetition::Free,
        owner: ProcessId(1),
        question_due: at(NOW + 30_000),
    }
}

/// The first merchant confirms its order of this number, in rupiah.
pub(crate) fn accept(order: u64) -> Accept {
    Accept {
        order: OrderId(order),
        merchant: MERCHANT,
        currency: Currency::Idr,
        upstream: upstream(),
        owner: ProcessId(1),
        at: at(NOW),
        question_due: at(NOW + 30_000),
    }
}

/// The first attempt at an order of the first merchant brought this outcome.
pub(crate) fn resolve(order: u64, outcome: Outcome) -> Resolve {
    Resolve {
        order: OrderId(order),
        attempt: 1,
        merchant: MERCHANT,
        currency: Currency::Idr,
        upstream: upstream(),
        outcome,
        at: at(NOW),
    }
}

/// The supplier delivered and took this much from us.
pub(crate) fn delivered(cost: Amount) -> Outcome {
    Outcome::Delivered(Delivery { cost, serial_number: "SN-1".to_owned(), details: None })
}
