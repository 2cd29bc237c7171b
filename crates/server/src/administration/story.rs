//! Puts the story of an order together from the books, the log of exchanges and the audit record.
//!
//! It reads only, and what it reads may be a moment apart: an order may move on while its story is
//! gathered. Whatever is bounded says so in the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::account::AccountRole;
use domain::administration::AuditRecord;
use domain::{
    AccountId, AccountKey, Amount, Currency, Order, OrderId, OrderState, Timestamp, Transfer,
    TransferKind, posting,
};
use gateway::exchanges::{Found, Meaning, Recorded, Subject};

use super::calls::{CANDIDATES_MAX, Call, Outcome, shown};
use super::codes::{Code, Denial};
use super::forms::OrderReference;
use super::story_views::{
    ExchangeView, HoldView, LogView, MovementView, NumberView, OrderStory, QuoteView, StateView,
    Stories,
};
use super::views::{self, AuditView, instant, optional_instant};

/// How many audit records are read at once, and how often, in search of an order's decisions.
const RECORDS_AT_ONCE: u32 = 500;
const READINGS_MAX: usize = 20;
/// How long before an order and after its end exchanges may have been missed that were about it.
const SLACK: Duration = Duration::from_secs(60);

/// An order, and as what the name in hand was found.
struct Candidate {
    order: Arc<Order>,
    found_by: Vec<String>,
}

impl Call {
    pub(super) async fn tell_stories(&self) -> Outcome {
        let name = self.query.get("name").cloned();
        let name = name.ok_or_else(|| Denial::with(Code::QueryInvalid, "name is needed"))?;
        let OrderReference(name) = OrderReference::try_from(name)
            .map_err(|what| Denial::with(Code::QueryInvalid, what))?;
        let mut orders = Vec::new();
        for candidate in self.candidates(&name).await? {
            orders.push(self.story(candidate).await?);
        }
        let found = self.exchanges.about(Subject::Reference(name.clone())).await?;
        let told: BTreeSet<u64> = orders
            .iter()
            .flat_map(|story| story.exchanges.iter().map(|exchange| exchange.exchange))
            .collect();
        let others = found.exchanges.iter().filter(|it| !told.contains(&it.number));
        shown(&Stories {
            name,
            orders,
            others: others.map(ExchangeView::from).collect(),
            log: LogView {
                on: self.exchanges.is_on(),
                kept_since: optional_instant(found.kept_since),
                missed: found.missed,
            },
        })
    }

    /// Every order that is known by this name, the newest first.
    async fn candidates(&self, name: &str) -> Result<Vec<Candidate>, Denial> {
        let mut found = BTreeMap::<OrderId, Candidate>::new();
        let mut add = |order: Arc<Order>, by: &str| {
            let candidate =
                found.entry(order.id).or_insert_with(|| Candidate { order, found_by: Vec::new() });
            candidate.found_by.push(by.to_owned());
        };
        for order in self.gateway.reports().orders_named(name, CANDIDATES_MAX).await? {
            add(order, "reference");
        }
        if name.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(number) = name.parse()
            && let Some(order) = self.gateway.any_order(OrderId(number)).await?
        {
            add(order, "order");
        }
        for numbers in self.numbers.iter() {
            let Some(id) = numbers.order(name) else { continue };
            let order = self.gateway.any_order(id).await?;
            if let Some(order) = order.filter(|it| it.key.protocol.as_str() == numbers.protocol()) {
                add(order, numbers.field());
            }
        }
        Ok(found.into_values().rev().collect())
    }

    async fn story(&self, candidate: Candidate) -> Result<OrderStory, Denial> {
        let Candidate { order, found_by } = candidate;
        let now = self.gateway.now();
        let transfers = self.gateway.reports().transfers_of_order(&order).await?;
        let roles = self.roles(&order, &transfers).await?;
        let (decisions, decisions_complete) = self.decisions(&order).await?;
        let ended = if order.state.is_final() { order.updated_at } else { now };
        let found = self.exchanges.about(subject(&order, ended)).await?;
        let Found { exchanges, omitted, missed, .. } = found;
        let catalogue = self.gateway.catalogue();
        let merchant = catalogue.merchant(order.key.merchant);
        let product = catalogue.product(&order.product);
        let mut numbers =
            self.numbers.iter().filter(|it| it.protocol() == order.key.protocol.as_str());
        Ok(OrderStory {
            found_by,
            order: views::order(&order, self.by.actor.role),
            merchant_name: merchant.map(|it| it.name.clone()).unwrap_or_default(),
            product_name: product.map(|it| it.name.clone()).unwrap_or_default(),
            number: numbers.next().and_then(|it| {
                Some(NumberView { field: it.field().to_owned(), number: it.number(order.id)? })
            }),
            quote: quote(&order),
            states: states(&order),
            holds: holds(&order, &transfers),
            movements: movements(&transfers, &roles),
            attempts: views::attempts(&order),
            question_due: optional_instant(order.question_due),
            exchanges: exchanges.iter().map(ExchangeView::from).collect(),
            exchanges_omitted: omitted,
            exchanges_missed: missed,
            decisions: decisions.iter().map(AuditView::from).collect(),
            decisions_complete,
            callbacks: Vec::new(),
        })
    }

    /// What the accounts are for between which an order's money moved.
    async fn roles(
        &self,
        order: &Order,
        transfers: &[Transfer],
    ) -> Result<BTreeMap<AccountId, &'static str>, Denial> {
        let mut roles = BTreeMap::new();
        let Some(currency) = transfers.first().map(|transfer| transfer.amount.currency()) else {
            return Ok(roles);
        };
        let merchant = order.key.merchant;
        let receivable = AccountKey::new(AccountRole::Receivable(merchant), currency);
        let keys = posting::order_accounts(merchant, &order.upstream, currency);
        for key in keys.into_iter().chain([receivable]) {
            if let Some(account) = self.gateway.account(&key).await? {
                roles.insert(account.id, role_name(&key.role));
            }
        }
        Ok(roles)
    }

    /// What operators decided about an order, oldest first, and whether all of the record since the
    /// order was made was searched. Only what was ever called about can have been decided.
    async fn decisions(&self, order: &Order) -> Result<(Vec<AuditRecord>, bool), Denial> {
        let mut decisions = Vec::new();
        if order.attempts.is_empty() {
            return Ok((decisions, true));
        }
        let subject = format!("order {}", order.id);
        let mut before = None;
        for _ in 0..READINGS_MAX {
            let reports = self.gateway.reports();
            let page = reports.audit_records(before, RECORDS_AT_ONCE).await?;
            let is_searched = page.items.last().is_none_or(|it| it.at < order.created_at);
            decisions.extend(page.items.into_iter().filter(|it| it.subject == subject));
            before = page.next;
            if is_searched || before.is_none() {
                decisions.reverse();
                return Ok((decisions, true));
            }
        }
        decisions.reverse();
        Ok((decisions, false))
    }
}

/// Which exchanges belong to an order that ended at this instant, or has not.
fn subject(order: &Order, ended: Timestamp) -> Subject {
    let slack = i64::try_from(SLACK.as_millis()).unwrap_or_default();
    let from = order.created_at.milliseconds().saturating_sub(slack);
    Subject::Order {
        id: order.id,
        key: order.key.clone(),
        from: Timestamp::from_milliseconds(from),
        until: ended.after(SLACK),
    }
}

const fn role_name(role: &AccountRole) -> &'static str {
    match role {
        AccountRole::Merchant(_) => "merchant",
        AccountRole::Clearing => "clearing",
        AccountRole::Float(_) => "upstream",
        AccountRole::Margin => "margin",
        AccountRole::Receivable(_) => "receivable",
        AccountRole::Fees | AccountRole::Bank | AccountRole::Inbound(_) | AccountRole::Suspense => {
            "other"
        }
    }
}

fn quote(order: &Order) -> Option<QuoteView> {
    order.quote.map(|quote| QuoteView {
        nominal: quote.nominal.to_string(),
        admin: quote.admin.to_string(),
        price: quote.price.to_string(),
        charge: quote.charge.to_string(),
        expires_at: instant(order.expires_at),
    })
}

/// The books keep when an order was made, when it was first paid for and when it last changed.
fn states(order: &Order) -> Vec<StateView> {
    let state = |name: &str, at| StateView { state: name.to_owned(), at: instant(at) };
    let mut states = Vec::new();
    if order.quote.is_some() {
        states.push(state(OrderState::Quoted.name(), order.created_at));
    }
    if let Some(first) = order.attempts.first() {
        states.push(state(OrderState::Processing.name(), first.started_at));
    }
    if order.state.is_final() {
        states.push(state(order.state.name(), order.updated_at));
    }
    states
}

fn holds(order: &Order, transfers: &[Transfer]) -> Vec<HoldView> {
    let resolved = |id| transfers.iter().find(|transfer| transfer.id == id);
    let view = |hold: &domain::Hold| {
        let state = match hold.resolved_by.map(resolved) {
            None => "open",
            Some(Some(Transfer { kind: TransferKind::Void(_), .. })) => "voided",
            Some(_) => "posted",
        };
        HoldView {
            transfer: hold.transfer.0,
            amount: hold.amount.to_string(),
            state: state.to_owned(),
            resolved_by: hold.resolved_by.map(|id| id.0),
        }
    };
    order.holds.iter().map(view).collect()
}

/// What the transfers of an order come to, in minor units.
#[derive(Default)]
struct Totals {
    held: i64,
    charged: i64,
    cost: i64,
    margin: i64,
    owed: i64,
}

impl Totals {
    fn add(&mut self, transfer: &Transfer, from: &str, to: &str) {
        let amount = transfer.amount.minor();
        match transfer.kind {
            TransferKind::Hold => return self.held = self.held.saturating_add(amount),
            TransferKind::Void(_) => return self.held = self.held.saturating_sub(amount),
            TransferKind::Post(_) => self.held = self.held.saturating_sub(amount),
            TransferKind::Direct => {}
        }
        self.give(from, amount);
        self.give(to, amount.saturating_neg());
    }

    /// This party gives so much, or receives it if it is negative.
    fn give(&mut self, party: &str, amount: i64) {
        match party {
            "merchant" => self.charged = self.charged.saturating_add(amount),
            "upstream" => self.cost = self.cost.saturating_sub(amount),
            "margin" => self.margin = self.margin.saturating_sub(amount),
            "receivable" => self.owed = self.owed.saturating_add(amount),
            _ => {}
        }
    }
}

fn movements(
    transfers: &[Transfer],
    roles: &BTreeMap<AccountId, &'static str>,
) -> Vec<MovementView> {
    let mut totals = Totals::default();
    let role = |account: &AccountId| roles.get(account).copied().unwrap_or("other");
    let view = |transfer: &Transfer| {
        let (from, to) = (role(&transfer.debit), role(&transfer.credit));
        totals.add(transfer, from, to);
        let written = |minor| signed(minor, transfer.amount.currency());
        MovementView {
            transfer: views::transfer(transfer, None),
            from: from.to_owned(),
            to: to.to_owned(),
            held: written(totals.held),
            charged: written(totals.charged),
            cost: written(totals.cost),
            margin: written(totals.margin),
            owed: written(totals.owed),
        }
    };
    transfers.iter().map(view).collect()
}

/// An amount that may be below zero, in decimal digits.
fn signed(minor: i64, currency: Currency) -> String {
    let amount = Amount::new(minor.saturating_abs(), currency);
    let digits = amount.unwrap_or(Amount::zero(currency)).to_string();
    if minor < 0 { format!("-{digits}") } else { digits }
}

impl From<&Recorded> for ExchangeView {
    fn from(exchange: &Recorded) -> Self {
        let it = exchange;
        Self {
            exchange: it.number,
            at: instant(it.at),
            duration_us: u64::try_from(it.took.as_micros()).unwrap_or(u64::MAX),
            peer: it.peer.clone(),
            request_id: it.request_id.clone(),
            protocol: it.protocol.clone(),
            command: it.command.clone(),
            merchant: it.merchant.map(|merchant| merchant.0),
            signature: it.signature.name().to_owned(),
            code: it.code.clone(),
            meaning: it.meaning.map(|meaning| meaning.name().to_owned()),
            reason: it.meaning.and_then(Meaning::reason).map(str::to_owned),
            http_status: it.http_status,
            request: it.request.clone(),
            answer: it.answer.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::transfer::Hash;
    use domain::{Amount, TransferId};

    use super::*;

    const ROLES: [&str; 5] = ["merchant", "clearing", "upstream", "margin", "receivable"];

    fn transfer(kind: TransferKind, from: &str, to: &str, amount: u32) -> Transfer {
        let account = |role: &str| {
            let index = ROLES.iter().position(|it| *it == role).expect("a known role");
            AccountId(u64::try_from(index).expect("a small number"))
        };
        Transfer {
            id: TransferId(1),
            order: Some(OrderId(1)),
            kind,
            debit: account(from),
            credit: account(to),
            amount: Amount::rupiah(amount),
            at: Timestamp::from_milliseconds(0),
            previous_debit: None,
            previous_credit: None,
            hash: Hash([0; 32]),
        }
    }

    /// After all of these transfers: held, charged, cost, margin, owed.
    fn come_to(transfers: &[Transfer]) -> [String; 5] {
        let roles = (0..).map(AccountId).zip(ROLES).collect();
        let last = movements(transfers, &roles).pop().expect("some transfer");
        [last.held, last.charged, last.cost, last.margin, last.owed]
    }

    #[test]
    fn totals_follow_every_way_in_which_an_order_can_end() {
        use TransferKind::{Direct, Hold, Post, Void};
        let hold = || transfer(Hold, "merchant", "clearing", 150);
        let post = || transfer(Post(TransferId(1)), "merchant", "clearing", 150);
        let cost = |amount| transfer(Direct, "clearing", "upstream", amount);
        let profit = || transfer(Direct, "clearing", "margin", 10);
        let table: [(&str, Vec<Transfer>, [&str; 5]); 6] = [
            ("held", vec![hold()], ["150", "0", "0", "0", "0"]),
            (
                "given back",
                vec![hold(), transfer(Void(TransferId(1)), "merchant", "clearing", 150)],
                ["0"; 5],
            ),
            (
                "delivered",
                vec![hold(), post(), cost(140), profit()],
                ["0", "150", "140", "10", "0"],
            ),
            (
                "at a loss",
                vec![hold(), post(), transfer(Direct, "margin", "clearing", 5), cost(155)],
                ["0", "150", "155", "-5", "0"],
            ),
            (
                "taken back",
                vec![
                    hold(),
                    post(),
                    cost(140),
                    profit(),
                    transfer(Direct, "upstream", "clearing", 140),
                    transfer(Direct, "margin", "clearing", 10),
                    transfer(Direct, "clearing", "merchant", 150),
                ],
                ["0"; 5],
            ),
            (
                "owed",
                vec![
                    transfer(Direct, "merchant", "clearing", 100),
                    transfer(Direct, "receivable", "clearing", 50),
                    cost(140),
                    profit(),
                ],
                ["0", "100", "140", "10", "50"],
            ),
        ];
        for (what, transfers, expected) in table {
            assert_eq!(come_to(&transfers), expected, "{what}");
        }
    }
}
