//! Every single change that somebody could make to a stored history: one record edited in one
//! field, removed, doubled, or moved.

use std::sync::Arc;

use super::*;
use crate::fixtures::Books;
use crate::order::AttemptState;
use crate::refusal::Refusal;

/// Everything that is stored, as lists, so that it can be damaged.
#[derive(Debug, Clone)]
pub(super) struct Story {
    pub(super) accounts: Vec<Account>,
    pub(super) transfers: Vec<Transfer>,
    pub(super) fundings: Vec<Funding>,
    pub(super) orders: Vec<Order>,
    pub(super) callbacks: Vec<Callback>,
    pub(super) evidence: Vec<Evidence>,
}

impl From<Books> for Story {
    fn from(books: Books) -> Self {
        Self {
            accounts: books.accounts.into_values().collect(),
            transfers: books.transfers,
            fundings: books.fundings.into_values().collect(),
            orders: books.orders.into_values().map(Arc::unwrap_or_clone).collect(),
            callbacks: books.callbacks.into_values().collect(),
            evidence: books.evidence.into_values().collect(),
        }
    }
}

impl Story {
    pub(super) fn audit(&self) -> Result<Summary, Finding> {
        let mut auditor = Auditor::new(self.accounts.iter().cloned())?;
        self.transfers.iter().try_for_each(|transfer| auditor.transfer(transfer))?;
        self.fundings.iter().try_for_each(|funding| auditor.funding(funding))?;
        self.orders.iter().try_for_each(|order| auditor.order(order))?;
        self.callbacks.iter().try_for_each(|callback| auditor.callback(callback))?;
        self.evidence.iter().try_for_each(|evidence| auditor.evidence(evidence))?;
        auditor.finish()
    }

    /// The first transfer after the one at `index` on an account of it; else its lower account.
    fn next_on(&self, index: usize, accounts: [AccountId; 2]) -> String {
        let on = |it: &&Transfer| accounts.contains(&it.debit) || accounts.contains(&it.credit);
        match self.transfers[index..].iter().find(on) {
            Some(transfer) => transfer_name(transfer),
            None => format!("account {}", accounts[0].min(accounts[1])),
        }
    }
}

fn transfer_name(transfer: &Transfer) -> String {
    format!("transfer {}", transfer.id)
}

fn order_name(order: &Order) -> String {
    format!("order {}", order.id)
}

fn callback_name(callback: &Callback) -> String {
    format!("callback {}", callback.id)
}

fn evidence_name(evidence: &Evidence) -> String {
    format!("evidence {} of {}", evidence.key.id, evidence.key.source)
}

fn funding_name(funding: &Funding) -> String {
    format!("funding {} of merchant {}", funding.key.reference, funding.key.merchant)
}

/// One change, and the records of which the auditor may name any.
#[derive(Debug, Clone)]
pub(super) struct Mutation {
    edit: Edit,
    pub(super) records: Vec<String>,
}

#[derive(Debug, Clone)]
enum Edit {
    Transfer(usize, Transfer),
    RemoveTransfer(usize),
    InsertTransfer(usize, Transfer),
    SwapTransfers(usize),
    Account(usize, Account),
    RemoveAccount(usize),
    InsertAccount(usize, Account),
    Funding(usize, Funding),
    RemoveFunding(usize),
    InsertFunding(usize, Funding),
    Order(usize, Order),
    RemoveOrder(usize),
    InsertOrder(usize, Order),
    SwapOrders(usize),
    Callback(usize, Callback),
    RemoveCallback(usize),
    InsertCallback(usize, Callback),
    Evidence(usize, Evidence),
    RemoveEvidence(usize),
}

impl Mutation {
    pub(super) fn apply(&self, story: &mut Story) {
        match self.edit.clone() {
            Edit::Transfer(index, transfer) => story.transfers[index] = transfer,
            Edit::RemoveTransfer(index) => drop(story.transfers.remove(index)),
            Edit::InsertTransfer(index, transfer) => story.transfers.insert(index, transfer),
            Edit::SwapTransfers(index) => story.transfers.swap(index, index + 1),
            Edit::Account(index, account) => story.accounts[index] = account,
            Edit::RemoveAccount(index) => drop(story.accounts.remove(index)),
            Edit::InsertAccount(index, account) => story.accounts.insert(index, account),
            Edit::Funding(index, funding) => story.fundings[index] = funding,
            Edit::RemoveFunding(index) => drop(story.fundings.remove(index)),
            Edit::InsertFunding(index, funding) => story.fundings.insert(index, funding),
            Edit::Order(index, order) => story.orders[index] = order,
            Edit::RemoveOrder(index) => drop(story.orders.remove(index)),
            Edit::InsertOrder(index, order) => story.orders.insert(index, order),
            Edit::SwapOrders(index) => story.orders.swap(index, index + 1),
            Edit::Callback(index, callback) => story.callbacks[index] = callback,
            Edit::RemoveCallback(index) => drop(story.callbacks.remove(index)),
            Edit::InsertCallback(index, callback) => story.callbacks.insert(index, callback),
            Edit::Evidence(index, evidence) => story.evidence[index] = evidence,
            Edit::RemoveEvidence(index) => drop(story.evidence.remove(index)),
        }
    }
}

/// A change of one record.
type FieldChange<Record> = Box<dyn Fn(&mut Record)>;

/// Copies of a record with one change each.
fn variants<Record: Clone + PartialEq>(
    record: &Record,
    changes: Vec<FieldChange<Record>>,
) -> Vec<Record> {
    let changed = changes.into_iter().map(|change| {
        let mut copy = record.clone();
        change(&mut copy);
        copy
    });
    changed.filter(|copy| copy != record).collect()
}

fn more_and_less(amount: Amount) -> [Amount; 4] {
    let currency = if amount.currency() == Currency::Idr { Currency::Vnd } else { Currency::Idr };
    let minor = |minor: i64| Amount::new(minor.max(0), amount.currency()).expect("not negative");
    [
        minor(amount.minor() + 1),
        minor(amount.minor() - 1),
        Amount::zero(amount.currency()),
        Amount::new(amount.minor(), currency).expect("not negative"),
    ]
}

fn flipped(hash: Hash, bit: u8) -> Hash {
    let mut bytes = hash.0;
    bytes[usize::from(bit / 8)] ^= 1 << (bit % 8);
    Hash(bytes)
}

fn changed_transfers(transfer: &Transfer) -> Vec<Transfer> {
    let mut changes: Vec<FieldChange<Transfer>> = vec![
        Box::new(|it| it.id = TransferId(it.id.0 + 1)),
        Box::new(|it| it.id = TransferId(it.id.0 - 1)),
        Box::new(|it| it.at = Timestamp::from_milliseconds(it.at.milliseconds() + 1)),
        Box::new(|it| it.at = Timestamp::from_milliseconds(-it.at.milliseconds())),
        Box::new(|it| std::mem::swap(&mut it.debit, &mut it.credit)),
        Box::new(|it| std::mem::swap(&mut it.previous_debit, &mut it.previous_credit)),
        Box::new(|it| it.credit = it.debit),
    ];
    for bit in [0, 100, 255] {
        changes.push(Box::new(move |it| it.hash = flipped(it.hash, bit)));
    }
    for order in [None, Some(0), Some(1), Some(2), Some(999)] {
        changes.push(Box::new(move |it| it.order = order.map(OrderId)));
    }
    let number = transfer.id.0;
    for other in [0, 1, 2, number - 1, number] {
        changes.push(Box::new(move |it| it.kind = TransferKind::Post(TransferId(other))));
        changes.push(Box::new(move |it| it.kind = TransferKind::Void(TransferId(other))));
        changes.push(Box::new(move |it| it.previous_debit = Some(TransferId(other))));
        changes.push(Box::new(move |it| it.previous_credit = Some(TransferId(other))));
    }
    changes.push(Box::new(|it| it.kind = TransferKind::Direct));
    changes.push(Box::new(|it| it.kind = TransferKind::Hold));
    changes.push(Box::new(|it| it.previous_debit = None));
    changes.push(Box::new(|it| it.previous_credit = None));
    for account in [1, 2, 3, 999] {
        changes.push(Box::new(move |it| it.debit = AccountId(account)));
        changes.push(Box::new(move |it| it.credit = AccountId(account)));
    }
    for amount in more_and_less(transfer.amount) {
        changes.push(Box::new(move |it| it.amount = amount));
    }
    variants(transfer, changes)
}

fn changed_accounts(account: &Account) -> Vec<Account> {
    let mut changes: Vec<FieldChange<Account>> = vec![
        Box::new(|it| it.latest = None),
        Box::new(|it| it.latest = it.latest.map(|(id, hash)| (id, flipped(hash, 77)))),
        Box::new(|it| it.latest = it.latest.map(|(id, hash)| (TransferId(id.0 - 1), hash))),
    ];
    for by in [1, -1] {
        changes.push(Box::new(move |it| it.counters.debits_pending += by));
        changes.push(Box::new(move |it| it.counters.debits_posted += by));
        changes.push(Box::new(move |it| it.counters.credits_pending += by));
        changes.push(Box::new(move |it| it.counters.credits_posted += by));
    }
    variants(account, changes)
}

/// The same account under another name or number: its transfers no longer build on it.
fn renamed_accounts(account: &Account) -> Vec<Account> {
    let mut changes: Vec<FieldChange<Account>> =
        vec![Box::new(|it| it.id = AccountId(it.id.0 + 500))];
    for currency in [Currency::Idr, Currency::Thb, Currency::Usd] {
        changes.push(Box::new(move |it| it.key.currency = currency));
    }
    for role in [
        AccountRole::Merchant(MerchantId(1)),
        AccountRole::Merchant(MerchantId(77)),
        AccountRole::Clearing,
        AccountRole::Float(crate::fixtures::upstream()),
        AccountRole::Float(crate::identifier::UpstreamName::new("other")),
        AccountRole::Margin,
        AccountRole::Fees,
        AccountRole::Bank,
        AccountRole::Inbound("sms".to_owned()),
        AccountRole::Suspense,
        AccountRole::Receivable(MerchantId(1)),
    ] {
        changes.push(Box::new(move |it| it.key.role = role.clone()));
    }
    variants(account, changes)
}

fn changed_fundings(funding: &Funding) -> Vec<Funding> {
    let mut changes: Vec<FieldChange<Funding>> = vec![
        Box::new(|it| it.key.merchant = MerchantId(it.key.merchant.0 + 1)),
        Box::new(|it| it.direction = Direction::Credit),
        Box::new(|it| it.direction = Direction::Debit),
        Box::new(|it| it.at = Timestamp::from_milliseconds(it.at.milliseconds() + 1)),
        Box::new(|it| it.transfer = TransferId(0)),
        Box::new(|it| it.transfer = TransferId(it.transfer.0 + 1)),
    ];
    for amount in more_and_less(funding.amount) {
        changes.push(Box::new(move |it| it.amount = amount));
    }
    variants(funding, changes)
}

/// What touches an order's holds, state or attempts, and what its holds say of its price.
fn changed_orders(order: &Order) -> Vec<Order> {
    let mut changes: Vec<FieldChange<Order>> = Vec::new();
    for (index, hold) in order.holds.iter().copied().enumerate() {
        for other in [0, hold.transfer.0 - 1, hold.transfer.0 + 1] {
            changes.push(Box::new(move |it| it.holds[index].transfer = TransferId(other)));
            changes.push(Box::new(move |it| it.holds[index].resolved_by = Some(TransferId(other))));
        }
        changes.push(Box::new(move |it| it.holds[index].resolved_by = None));
        for amount in more_and_less(hold.amount) {
            changes.push(Box::new(move |it| it.holds[index].amount = amount));
        }
        changes.push(Box::new(move |it| it.holds.retain(|it| *it != hold)));
        changes.push(Box::new(move |it| it.holds.insert(index, hold)));
    }
    if let (false, Some(quote)) = (order.holds.is_empty(), order.quote) {
        for charge in more_and_less(quote.charge) {
            changes.push(Box::new(move |it| {
                it.quote = it.quote.map(|quote| crate::order::Quote { charge, ..quote });
            }));
        }
        changes.push(Box::new(|it| it.key.merchant = MerchantId(it.key.merchant.0 + 1)));
        changes.push(Box::new(|it| it.key.mode = Mode::Test));
        changes.push(Box::new(|it| it.kind = Kind::Collection));
        if let Some(delivery) = &order.delivery {
            for cost in more_and_less(delivery.cost) {
                changes.push(Box::new(move |it| {
                    it.delivery.as_mut().expect("it is delivered").cost = cost;
                }));
            }
        }
    }
    if order.kind != Kind::Collection {
        changes.push(Box::new(|it| it.attempts.clear()));
        changes.push(Box::new(|it| it.attempts.extend(it.attempts.last().cloned())));
        changes.push(Box::new(|it| it.attempts.iter_mut().for_each(|it| it.number += 1)));
        for state in [
            AttemptState::Intent,
            AttemptState::Delivered,
            AttemptState::Refused(Refusal::BillPaid),
        ] {
            // Which kind of open or refused attempt it is, no transfer tells.
            let alike = order.attempts.last().is_some_and(|attempt| {
                let open = |state| matches!(state, AttemptState::Intent | AttemptState::Unknown(_));
                let refused = |state| matches!(state, AttemptState::Refused(_));
                open(attempt.state) && open(state) || refused(attempt.state) && refused(state)
            });
            if !alike {
                let last = move |it: &mut Order| {
                    it.attempts.iter_mut().for_each(|attempt| attempt.state = state);
                };
                changes.push(Box::new(last));
            }
        }
        changes.push(Box::new(|it| it.delivery = None));
        if matches!(order.state, OrderState::Succeeded | OrderState::Failed(_)) {
            changes.push(Box::new(|it| it.calls_back = !it.calls_back));
        }
        changes.push(Box::new(|it| it.callbacks.push(CallbackId(9000))));
    }
    for state in [
        OrderState::Quoted,
        OrderState::Awaiting,
        OrderState::Processing,
        OrderState::Succeeded,
        OrderState::Expired,
    ] {
        // A collection without transfers may be anything that brings none.
        if order.kind != Kind::Collection {
            changes.push(Box::new(move |it| it.state = state));
        }
    }
    if order.state != OrderState::Processing {
        let due = Some(order.created_at);
        changes.push(Box::new(move |it| it.question_due = due));
    }
    variants(order, changes)
}

fn push(mutations: &mut Vec<Mutation>, edit: Edit, records: impl IntoIterator<Item = String>) {
    mutations.push(Mutation { edit, records: records.into_iter().collect() });
}

fn mutate_transfers(story: &Story, all: &mut Vec<Mutation>) {
    for (index, transfer) in story.transfers.iter().enumerate() {
        for changed in changed_transfers(transfer) {
            let name = transfer_name(&changed);
            push(all, Edit::Transfer(index, changed), [name]);
        }
        // The last on both its accounts is first missed by whoever names it.
        let next = story.next_on(index + 1, [transfer.debit, transfer.credit]);
        let funding = story.fundings.iter().find(|it| it.transfer == transfer.id);
        let order = story.orders.iter().find(|it| Some(it.id) == transfer.order);
        let named = funding.map(funding_name).or(order.map(order_name));
        push(all, Edit::RemoveTransfer(index), named.into_iter().chain([next]));
        for place in [index + 1, story.transfers.len()] {
            let again = Edit::InsertTransfer(place, transfer.clone());
            push(all, again, [transfer_name(transfer)]);
        }
        if let Some(next) = story.transfers.get(index + 1) {
            let either = [transfer, next].map(transfer_name);
            push(all, Edit::SwapTransfers(index), either);
        }
    }
}

fn mutate_accounts(story: &Story, all: &mut Vec<Mutation>) {
    for (index, account) in story.accounts.iter().enumerate() {
        let name = format!("account {}", account.id);
        let first = story.next_on(0, [account.id; 2]);
        for changed in changed_accounts(account) {
            push(all, Edit::Account(index, changed), [name.clone()]);
        }
        for renamed in renamed_accounts(account) {
            // Under a name that is taken, the later of the two is what the auditor finds.
            let twins = story.accounts.iter().filter(|it| it.key == renamed.key);
            let twins = twins.map(|it| format!("account {}", it.id));
            let records: Vec<_> = twins.chain([name.clone(), first.clone()]).collect();
            push(all, Edit::Account(index, renamed), records);
        }
        push(all, Edit::RemoveAccount(index), [first]);
        push(all, Edit::InsertAccount(index, account.clone()), [name]);
        let mut copy = Account::open(AccountId(700), account.key.clone());
        let twins = ["account 700".to_owned(), format!("account {}", account.id)];
        push(all, Edit::InsertAccount(index, copy.clone()), twins);
        copy.key.role = AccountRole::Inbound("new".to_owned());
        push(all, Edit::InsertAccount(index, copy), ["account 700".to_owned()]);
    }
}

fn mutate_fundings(story: &Story, all: &mut Vec<Mutation>) {
    for (index, funding) in story.fundings.iter().enumerate() {
        for changed in changed_fundings(funding) {
            // Where the number of another funding's transfer is taken, that one misses its own.
            let rivals = story
                .fundings
                .iter()
                .filter(|it| it.transfer == changed.transfer)
                .map(funding_name);
            let records: Vec<_> = rivals.chain([funding_name(&changed)]).collect();
            push(all, Edit::Funding(index, changed), records);
        }
        let unowned = format!("transfer {}", funding.transfer);
        push(all, Edit::RemoveFunding(index), [unowned]);
        let again = Edit::InsertFunding(index, funding.clone());
        push(all, again, [funding_name(funding)]);
    }
}

fn mutate_orders(story: &Story, all: &mut Vec<Mutation>) {
    for (index, order) in story.orders.iter().enumerate() {
        for changed in changed_orders(order) {
            // A hold that two orders claim is found at the later one.
            let claims = |it: &&Order| {
                it.holds.iter().any(|hold| {
                    changed.holds.iter().any(|claimed| claimed.transfer == hold.transfer)
                })
            };
            let rivals = story.orders.iter().filter(claims).map(order_name);
            let records: Vec<_> = rivals.chain([order_name(order)]).collect();
            push(all, Edit::Order(index, changed), records);
        }
        push(all, Edit::InsertOrder(index, order.clone()), [order_name(order)]);
        if let Some(next) = story.orders.get(index + 1) {
            push(all, Edit::SwapOrders(index), [order, next].map(order_name));
        }
        let first = story.transfers.iter().find(|transfer| transfer.order == Some(order.id));
        if let Some(first) = first {
            let callbacks = story.callbacks.iter().filter(|it| it.order == order.id);
            let orphans = callbacks.map(callback_name);
            let used = |it: &&Evidence| it.state == EvidenceState::Used(order.id);
            let orphans = orphans.chain(story.evidence.iter().filter(used).map(evidence_name));
            push(all, Edit::RemoveOrder(index), orphans.chain([transfer_name(first)]));
        }
    }
}

fn changed_callbacks(callback: &Callback) -> Vec<Callback> {
    let changes: Vec<FieldChange<Callback>> = vec![
        Box::new(|it| it.id = CallbackId(it.id.0 + 1)),
        Box::new(|it| it.order = OrderId(it.order.0 + 1)),
        Box::new(|it| it.merchant = MerchantId(it.merchant.0 + 1)),
        Box::new(|it| it.protocol = ProtocolName::new("other")),
        Box::new(|it| {
            let succeeded = it.event == Event::Succeeded;
            it.event = if succeeded { Event::Failed } else { Event::Succeeded };
        }),
        Box::new(|it| it.tries += 1),
    ];
    variants(callback, changes)
}

fn mutate_callbacks(story: &Story, all: &mut Vec<Mutation>) {
    for (index, callback) in story.callbacks.iter().enumerate() {
        for changed in changed_callbacks(callback) {
            // One that takes the number of the next is found there, out of order.
            let names = [callback_name(callback), callback_name(&changed)];
            push(all, Edit::Callback(index, changed), names);
        }
        let owing = format!("order {}", callback.order);
        push(all, Edit::RemoveCallback(index), [owing]);
        push(all, Edit::InsertCallback(index, callback.clone()), [callback_name(callback)]);
    }
}

fn mutate_evidence(story: &Story, all: &mut Vec<Mutation>) {
    for (index, evidence) in story.evidence.iter().enumerate() {
        let EvidenceState::Used(order) = evidence.state else { continue };
        let owner = format!("order {order}");
        let name = evidence_name(evidence);
        for state in [EvidenceState::Open, EvidenceState::Used(OrderId(order.0 + 1))] {
            let changed = Evidence { state, ..evidence.clone() };
            push(all, Edit::Evidence(index, changed), [name.clone()]);
        }
        push(all, Edit::RemoveEvidence(index), [owner]);
    }
}

/// All of them. What no transfer tells cannot be found and is left out: an order that moved nothing
/// may vanish, and texts, bills and refusals may change.
pub(super) fn mutations(story: &Story) -> Vec<Mutation> {
    let mut all = Vec::new();
    mutate_transfers(story, &mut all);
    mutate_accounts(story, &mut all);
    mutate_fundings(story, &mut all);
    mutate_orders(story, &mut all);
    mutate_callbacks(story, &mut all);
    mutate_evidence(story, &mut all);
    all
}
