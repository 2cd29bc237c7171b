//! What is durable in the journal and not yet in the tables.
//!
//! Acknowledged changes are held in generations, in the order in which they were made. Within one a
//! record stands once, in its latest state, however often it changed. The newest generation grows
//! until it is large or old enough to be worth a commit; stage two takes them in turn, the oldest
//! first, and gives each up here once the tables have it.
//!
//! Whoever reads looks here first and then at the tables. The order matters: a generation leaves
//! only after its commit, so whoever misses here and then begins to read the tables finds it there.
//! For that a record must be found here by every name by which the tables would find it.
//!
//! The overlay is bounded. [`Overlay::admit`] slows the writer down to the pace of stage two as it
//! fills, and refuses when it is full and stays so. All sections under its lock are short, because
//! stage two is a thread of low priority that may be interrupted anywhere.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use domain::administration::{KeptAnswer, RequestKey};
use domain::command::{DayClaimKey, Funding, FundingKey, PayerReferenceKey};
use domain::working_set::LastNumbers;
use domain::{
    Account, AccountId, AccountKey, Callback, CallbackId, Endpoint, EndpointKey, Evidence,
    EvidenceKey, Order, OrderId, ReferenceKey,
};
use foldhash::HashMap;

use super::journal::Position;
use crate::pipeline::{Changes, EngineFault};

/// How much may wait for stage two, counted in records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How many records make a generation that is worth a commit.
    pub(super) generation: usize,
    /// How many records may wait altogether. A single batch may exceed it.
    pub(super) records: usize,
    /// How old a generation may become before it is settled however small it is.
    pub(super) age: Duration,
    /// How long the writer waits for room before it refuses.
    pub(super) patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            generation: 4096,
            records: 65_536,
            age: Duration::from_millis(100),
            patience: Duration::from_secs(5),
        }
    }
}

/// Changes that are settled in one commit.
#[derive(Debug)]
pub(super) struct Generation {
    changes: Changes,
    accounts: HashMap<AccountKey, AccountId>,
    references: HashMap<ReferenceKey, OrderId>,
    fundings: HashMap<FundingKey, Funding>,
    kept_answers: HashMap<RequestKey, KeptAnswer>,
    /// The latest entry of the journal that is in it.
    last: Position,
    /// How many records were put in.
    records: usize,
    begun: Instant,
}

impl Generation {
    fn new() -> Self {
        Self {
            changes: Changes::default(),
            accounts: HashMap::default(),
            references: HashMap::default(),
            fundings: HashMap::default(),
            kept_answers: HashMap::default(),
            last: Position::default(),
            records: 0,
            begun: Instant::now(),
        }
    }

    /// What is to be written into the tables.
    pub(super) const fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Up to where the tables follow the journal once it is written.
    pub(super) const fn last(&self) -> Position {
        self.last
    }

    fn add(&mut self, position: Position, changes: Changes) {
        if self.records == 0 {
            self.begun = Instant::now();
        }
        self.last = position;
        self.records += changes.records();
        for (id, account) in &changes.accounts {
            if !self.changes.accounts.contains_key(id) {
                self.accounts.insert(account.key.clone(), *id);
            }
        }
        for (id, order) in changes.new_orders.iter().chain(&changes.orders) {
            self.references.insert(order.key.clone(), *id);
        }
        for funding in &changes.fundings {
            self.fundings.insert(funding.key.clone(), funding.clone());
        }
        for kept in &changes.kept_answers {
            self.kept_answers.insert(kept.key.clone(), kept.clone());
        }
        self.changes.append(changes);
    }

    fn order(&self, id: OrderId) -> Option<&Arc<Order>> {
        self.changes.orders.get(&id).or_else(|| self.changes.new_orders.get(&id))
    }

    fn account(&self, key: &AccountKey) -> Option<&Account> {
        self.accounts.get(key).and_then(|id| self.changes.accounts.get(id))
    }
}

/// What stage two does next.
pub(super) enum Work {
    /// Settles this and then calls [`Overlay::retire`].
    Settle(Arc<Generation>),
    /// Nothing waits, and nothing has for a while.
    Rest,
    /// Everything is settled, or nothing more is to be.
    End,
}

/// How stage two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Once everything is settled.
    Drained,
    /// At once; the journal keeps the rest.
    Abandoned,
}

#[derive(Debug)]
struct State {
    /// Complete generations, the oldest first.
    waiting: VecDeque<Arc<Generation>>,
    newest: Generation,
    /// The highest numbers in the tables and here.
    last: LastNumbers,
    /// The latest entry of the journal that was put in.
    published: Position,
    /// Up to where the tables follow.
    settled: Position,
    /// The latest entry that changed merchants, credentials or products.
    catalogue: Position,
    /// Up to where somebody waits for the tables to follow.
    wanted: Position,
    records: usize,
    /// How long stage two takes for a record.
    record_takes: Duration,
    /// Why stage two does not get on.
    trouble: Option<String>,
    /// Why stage two has stopped for good.
    halted: Option<String>,
    ending: Option<Ending>,
}

/// The overlay. One writer publishes, one thread settles, everybody looks.
pub(super) struct Overlay {
    state: Mutex<State>,
    /// Told when there may be work for stage two.
    work: Condvar,
    /// Told when stage two got on, or will not.
    progress: Condvar,
    limits: Limits,
}

impl Overlay {
    /// An empty overlay over tables that follow the journal up to there.
    pub(super) fn new(last: LastNumbers, settled: Position, limits: Limits) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                newest: Generation::new(),
                last,
                published: settled,
                settled,
                catalogue: Position::default(),
                wanted: Position::default(),
                records: 0,
                record_takes: Duration::ZERO,
                trouble: None,
                halted: None,
                ending: None,
            }),
            work: Condvar::new(),
            progress: Condvar::new(),
            limits,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first thing that is found, looking at the latest changes first.
    fn look<Found>(&self, find: impl Fn(&Generation) -> Option<Found>) -> Option<Found> {
        let state = self.lock();
        find(&state.newest).or_else(|| state.waiting.iter().rev().find_map(|it| find(it)))
    }

    pub(super) fn order(&self, id: OrderId) -> Option<Arc<Order>> {
        self.look(|generation| generation.order(id).cloned())
    }

    pub(super) fn order_by_reference(&self, key: &ReferenceKey) -> Option<Arc<Order>> {
        self.look(|generation| {
            let id = generation.references.get(key)?;
            generation.order(*id).cloned()
        })
    }

    pub(super) fn account(&self, key: &AccountKey) -> Option<Account> {
        self.look(|generation| generation.account(key).cloned())
    }

    pub(super) fn funding(&self, key: &FundingKey) -> Option<Funding> {
        self.look(|generation| generation.fundings.get(key).cloned())
    }

    pub(super) fn kept_answer(&self, key: &RequestKey) -> Option<KeptAnswer> {
        self.look(|generation| generation.kept_answers.get(key).cloned())
    }

    pub(super) fn callback(&self, id: CallbackId) -> Option<Callback> {
        self.look(|generation| generation.changes.callbacks.get(&id).cloned())
    }

    pub(super) fn endpoint(&self, key: &EndpointKey) -> Option<Endpoint> {
        self.look(|generation| generation.changes.endpoints.get(key).cloned())
    }

    /// The number of the order; the order itself may be here or in the tables.
    pub(super) fn day_claim(&self, key: &DayClaimKey) -> Option<OrderId> {
        self.look(|generation| generation.changes.day_claims.get(key).copied())
    }

    pub(super) fn evidence(&self, key: &EvidenceKey) -> Option<Evidence> {
        self.look(|generation| generation.changes.evidence.get(key).cloned())
    }

    /// The number of the order; the order itself may be here or in the tables.
    pub(super) fn payer_reference(&self, key: &PayerReferenceKey) -> Option<OrderId> {
        self.look(|generation| generation.changes.payer_references.get(key).copied())
    }

    /// The highest numbers given out.
    pub(super) fn last_numbers(&self) -> LastNumbers {
        self.lock().last
    }

    /// The latest entry that was put in.
    pub(super) fn published(&self) -> Position {
        self.lock().published
    }

    /// The latest entry that changed merchants, credentials or products.
    pub(super) fn catalogue(&self) -> Position {
        self.lock().catalogue
    }

    /// Waits until there is room for so many more records, and as long as it takes besides to keep
    /// the pace of stage two once half of the room is taken.
    pub(super) fn admit(&self, records: usize) -> Result<(), EngineFault> {
        let deadline = Instant::now() + self.limits.patience;
        let mut state = self.lock();
        while state.records > self.limits.records {
            check_halted(&state)?;
            if let Some(why) = &state.trouble {
                return Err(EngineFault::Unavailable(why.clone()));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let why = "the tables lag too far behind the journal";
                return Err(EngineFault::Unavailable(why.to_owned()));
            }
            state = self.wait_for_progress(state, left);
        }
        check_halted(&state)?;
        let half = self.limits.records / 2;
        let beyond = state.records.saturating_sub(half);
        let pause = duration_of(state.record_takes, records, beyond, half);
        drop(state);
        if !pause.is_zero() {
            std::thread::sleep(pause.min(self.limits.age));
        }
        Ok(())
    }

    fn wait_for_progress<'a>(
        &self,
        state: MutexGuard<'a, State>,
        at_most: Duration,
    ) -> MutexGuard<'a, State> {
        self.progress.wait_timeout(state, at_most).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Puts in what the journal holds under this position, the one after the last.
    pub(super) fn publish(&self, position: Position, changes: Changes) {
        let mut state = self.lock();
        let state = &mut *state;
        state.published = position;
        state.last = changes.last_numbers(state.last);
        if changes.touch_catalogue() {
            state.catalogue = position;
        }
        state.records += changes.records();
        let begins = state.newest.records == 0;
        state.newest.add(position, changes);
        if state.newest.records >= self.limits.generation {
            state.complete();
        } else if !begins {
            return;
        }
        self.work.notify_one();
    }

    /// Whether the tables have everything.
    pub(super) fn is_settled(&self) -> bool {
        let state = self.lock();
        state.settled == state.published
    }

    /// Waits until the tables follow up to there, and hurries stage two on. Tells whether they do.
    pub(super) fn settled_up_to(&self, position: Position, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        let mut state = self.lock();
        if state.settled < position && state.wanted < position {
            state.wanted = position;
            self.work.notify_one();
        }
        while state.settled < position {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || state.halted.is_some() {
                return false;
            }
            state = self.wait_for_progress(state, left);
        }
        true
    }

    /// Waits for something to do. It rests after `rest_after` without any, if it has not rested
    /// since the last.
    pub(super) fn next(&self, rest_after: Option<Duration>) -> Work {
        let mut state = self.lock();
        loop {
            if state.ending == Some(Ending::Abandoned) {
                return Work::End;
            }
            if let Some(oldest) = state.waiting.front() {
                return Work::Settle(Arc::clone(oldest));
            }
            let wait = if state.newest.records == 0 {
                if state.ending.is_some() {
                    return Work::End;
                }
                rest_after
            } else {
                let hurry = state.ending.is_some() || state.wanted > state.settled;
                let age = state.newest.begun.elapsed();
                if hurry || age >= self.limits.age {
                    state.complete();
                    continue;
                }
                Some(self.limits.age - age)
            };
            let Some(wait) = wait else {
                state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let waited = self.work.wait_timeout(state, wait);
            let (woken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if timeout.timed_out() && state.newest.records == 0 && state.waiting.is_empty() {
                return Work::Rest;
            }
        }
    }

    /// Gives up the oldest generation, which the tables now have.
    pub(super) fn retire(&self, took: Duration) {
        let mut state = self.lock();
        let Some(settled) = state.waiting.pop_front() else { return };
        state.settled = settled.last;
        state.records = state.records.saturating_sub(settled.records);
        let each = took / u32::try_from(settled.records.max(1)).unwrap_or(u32::MAX);
        // A small commit costs a flush and says little of what a record costs.
        if settled.records >= self.limits.generation {
            state.record_takes = (state.record_takes * 3 + each) / 4;
        }
        state.trouble = None;
        self.progress.notify_all();
        drop(state);
        // Giving up so much memory takes its time.
        drop(settled);
    }

    /// Notes why stage two does not get on, and lets it wait before it tries again. Tells whether
    /// it is to.
    pub(super) fn try_again(&self, why: String, after: Duration) -> bool {
        let until = Instant::now() + after;
        let mut state = self.lock();
        state.trouble = Some(why);
        self.progress.notify_all();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.ending.is_some() {
                return state.ending.is_none();
            }
            let waited = self.work.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Notes why stage two has stopped for good. Nothing more is admitted.
    pub(super) fn halted(&self, why: String) {
        self.lock().halted = Some(why);
        self.progress.notify_all();
    }

    /// Tells stage two to end. An abandoned one does not drain any more.
    pub(super) fn end(&self, ending: Ending) {
        let mut state = self.lock();
        if state.ending != Some(Ending::Abandoned) {
            state.ending = Some(ending);
        }
        self.work.notify_one();
    }
}

impl State {
    /// Lets stage two have the newest generation.
    fn complete(&mut self) {
        let full = std::mem::replace(&mut self.newest, Generation::new());
        self.waiting.push_back(Arc::new(full));
    }
}

fn check_halted(state: &State) -> Result<(), EngineFault> {
    match &state.halted {
        Some(why) => Err(EngineFault::Fatal(why.clone())),
        None => Ok(()),
    }
}

/// `each` times `count`, times `part` of `whole`.
fn duration_of(each: Duration, count: usize, part: usize, whole: usize) -> Duration {
    let [count, part, whole] =
        [count, part, whole.max(1)].map(|it| u128::try_from(it).unwrap_or(u128::MAX));
    let nanoseconds = each.as_nanos().saturating_mul(count).saturating_mul(part) / whole;
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;
