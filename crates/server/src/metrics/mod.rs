//! What the program counts of itself, and how Prometheus reads it.
//!
//! [`Metrics`] is told what happens through the observers of the gateway and of the commit
//! pipeline and by the [`crate::observed`] requests; [`MetricsPage`] writes all of it when it is
//! asked. The text format is written by hand, because counting with our own atomics costs a request
//! less than any registry, and the format is a hundred lines. No label ever holds a merchant, a
//! reference or anything else of which there may be many.

mod exposition;
mod instruments;
mod page;
mod process;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::{ProtocolName, Timestamp, UpstreamName};
use gateway::Catalogue;
use gateway::observer::{
    AttemptEnd, HandoverEnd, InquiryEnd, Observer, Operation, Subject, TransactionEnd,
};
use http::StatusCode;

use crate::dispatch::Part;
use instruments::{Counter, Family, Gauge, Histogram};
pub(crate) use page::MetricsPage;

/// Everything that is counted. The words of an array's labels stand beside it in the page.
pub(crate) struct Metrics {
    /// By protocol and product group: quoted, declined, silent.
    inquiries: Family<[Counter; 3]>,
    /// By protocol and product group.
    accepted: Family<Counter>,
    /// By protocol and product group: succeeded, failed.
    transactions: Family<[Counter; 2]>,
    /// By upstream: delivered, refused, unknown.
    outcomes: Family<[Counter; 3]>,
    /// By upstream.
    contradictions: Family<Counter>,
    /// By upstream: inquire, pay, ask, settle.
    calls: Family<[Histogram; 4]>,
    /// By protocol: delivered, refused, unreachable, without an address.
    handovers: Family<[Counter; 4]>,
    /// By protocol.
    given_up: Family<Counter>,
    handover_times: Histogram,
    /// By part, of which there are few and all known: the classes of status from 1xx to 5xx.
    requests: Vec<(&'static str, [Histogram; 5])>,
    requests_active: Gauge,
    requests_abandoned: Counter,
    commit_sizes: Histogram,
    commit_times: Histogram,
    commands_waiting: Gauge,
    commands_turned_away: Counter,
    commands_failed: Counter,
    /// Nothing where no backups are scheduled.
    backups: OnceLock<Backups>,
}

/// What is counted of the backups that the server makes by itself.
struct Backups {
    every: Duration,
    succeeded: Counter,
    failed: Counter,
    /// When the latest was taken, in milliseconds since 1970; 0 as long as there is none.
    latest: AtomicI64,
}

impl Metrics {
    /// Nothing has happened yet.
    pub(crate) fn new() -> Self {
        Self {
            inquiries: Family::new(Default::default),
            accepted: Family::new(Default::default),
            transactions: Family::new(Default::default),
            outcomes: Family::new(Default::default),
            contradictions: Family::new(Default::default),
            calls: Family::new(|| std::array::from_fn(|_| Histogram::of_times())),
            handovers: Family::new(Default::default),
            given_up: Family::new(Counter::default),
            handover_times: Histogram::of_times(),
            requests: requests(),
            requests_active: Gauge::default(),
            requests_abandoned: Counter::default(),
            commit_sizes: Histogram::of_sizes(),
            commit_times: Histogram::of_times(),
            commands_waiting: Gauge::default(),
            commands_turned_away: Counter::default(),
            commands_failed: Counter::default(),
            backups: OnceLock::new(),
        }
    }

    /// Shows zero for all that is on sale and for this upstream, so that the first event of a kind
    /// is a rise and not a number out of nowhere, which no alert would see.
    pub(crate) fn expect(&self, catalogue: &Catalogue, upstream: &str) {
        for protocol in Part::all().map(Part::name) {
            if catalogue.codes(protocol).next().is_some() {
                self.handovers.with(protocol, "", |_| ());
                self.given_up.with(protocol, "", |_| ());
            }
            for (_, product) in catalogue.codes(protocol) {
                self.inquiries.with(protocol, &product.group, |_| ());
                self.accepted.with(protocol, &product.group, |_| ());
                self.transactions.with(protocol, &product.group, |_| ());
            }
        }
        self.outcomes.with(upstream, "", |_| ());
        self.contradictions.with(upstream, "", |_| ());
        self.calls.with(upstream, "", |_| ());
    }

    /// Backups are going to be made this often; the latest so far was taken then.
    pub(crate) fn expect_backups(&self, every: Duration, latest: Option<Timestamp>) {
        self.backups.get_or_init(|| Backups {
            every,
            succeeded: Counter::default(),
            failed: Counter::default(),
            latest: AtomicI64::new(latest.map_or(0, Timestamp::milliseconds)),
        });
    }

    /// A backup was made of how things were then.
    pub(crate) fn backup_succeeded(&self, at: Timestamp) {
        if let Some(backups) = self.backups.get() {
            backups.succeeded.increment();
            backups.latest.store(at.milliseconds(), Ordering::Relaxed);
        }
    }

    /// A backup could not be made.
    pub(crate) fn backup_failed(&self) {
        if let Some(backups) = self.backups.get() {
            backups.failed.increment();
        }
    }

    /// A request has come. It is counted as active until it is told of again.
    pub(crate) fn request_begins(&self) {
        self.requests_active.increment();
    }

    /// A request was answered after this time.
    pub(crate) fn request_ends(&self, protocol: &str, status: StatusCode, took: Duration) {
        self.requests_active.subtract(1);
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        let classes = self.requests.iter().find(|(name, _)| *name == protocol);
        if let Some(times) = classes.and_then(|(_, classes)| classes.get(class)) {
            times.observe_time(took);
        }
    }

    /// A request was given up before it was answered.
    pub(crate) fn request_is_abandoned(&self) {
        self.requests_active.subtract(1);
        self.requests_abandoned.increment();
    }
}

impl Observer for Metrics {
    fn inquired(&self, subject: Subject<'_>, end: InquiryEnd) {
        self.inquiries.with(
            subject.protocol.as_str(),
            subject.group,
            |[quoted, declined, silent]| match end {
                InquiryEnd::Quoted => quoted.increment(),
                InquiryEnd::Declined => declined.increment(),
                InquiryEnd::Silent => silent.increment(),
            },
        );
    }

    fn accepted(&self, subject: Subject<'_>) {
        self.accepted.with(subject.protocol.as_str(), subject.group, Counter::increment);
    }

    fn finished(&self, subject: Subject<'_>, end: TransactionEnd) {
        self.transactions.with(subject.protocol.as_str(), subject.group, |[succeeded, failed]| {
            match end {
                TransactionEnd::Succeeded => succeeded.increment(),
                TransactionEnd::Failed => failed.increment(),
            }
        });
    }

    fn resolved(&self, upstream: &UpstreamName, end: AttemptEnd) {
        self.outcomes.with(upstream.as_str(), "", |[delivered, refused, unknown]| match end {
            AttemptEnd::Delivered => delivered.increment(),
            AttemptEnd::Refused => refused.increment(),
            AttemptEnd::Unknown => unknown.increment(),
        });
    }

    fn contradicted(&self, upstream: &UpstreamName) {
        self.contradictions.with(upstream.as_str(), "", Counter::increment);
    }

    fn called(&self, upstream: &UpstreamName, operation: Operation, took: Duration) {
        self.calls.with(upstream.as_str(), "", |[inquire, pay, ask, settle]| {
            let times = match operation {
                Operation::Inquire => inquire,
                Operation::Pay => pay,
                Operation::Ask => ask,
                Operation::Settle => settle,
            };
            times.observe_time(took);
        });
    }

    fn handed_over(&self, protocol: &ProtocolName, end: HandoverEnd, took: Duration) {
        let count = |[delivered, refused, unreachable, no_address]: &[Counter; 4]| match end {
            HandoverEnd::Delivered => delivered.increment(),
            HandoverEnd::Refused => refused.increment(),
            HandoverEnd::Unreachable => unreachable.increment(),
            HandoverEnd::NoAddress => no_address.increment(),
        };
        self.handovers.with(protocol.as_str(), "", count);
        if end != HandoverEnd::NoAddress {
            self.handover_times.observe_time(took);
        }
    }

    fn given_up(&self, protocol: &ProtocolName) {
        self.given_up.with(protocol.as_str(), "", Counter::increment);
    }
}

impl storage::pipeline::Observer for Metrics {
    fn queued(&self) {
        self.commands_waiting.increment();
    }

    fn taken(&self, commands: usize) {
        self.commands_waiting.subtract(i64::try_from(commands).unwrap_or(i64::MAX));
    }

    fn turned_away(&self) {
        self.commands_turned_away.increment();
    }

    fn committed(&self, commands: usize, took: Duration) {
        self.commit_sizes.observe(number(commands));
        self.commit_times.observe_time(took);
    }

    fn failed(&self, commands: usize) {
        self.commands_failed.add(number(commands));
    }
}

/// The parts in the order of their names, in which the page shows them.
fn requests() -> Vec<(&'static str, [Histogram; 5])> {
    let classes = || std::array::from_fn(|_| Histogram::of_times());
    let mut parts: Vec<_> = Part::all().map(|part| (part.name(), classes())).collect();
    parts.sort_by_key(|(name, _)| *name);
    parts
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "metrics_tests.rs"]
mod tests;
