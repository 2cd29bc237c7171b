//! `GET /metrics`: everything that is counted, and what is looked up only when it is asked for.
//!
//! What is pending and what is owed come from list reads, which share nothing with the commit path;
//! when one fails its figures are missing, which the alerts notice, and the others are there.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use bytes::Bytes;
use domain::Timestamp;
use gateway::exchanges::Counts;
use gateway::ports::{Backlog, CallbackReports, Clock, ExchangeLog, Pending, Reports};
use http::{HeaderValue, Method, StatusCode, header};
use protocols::exchange::{Answer, Arrival, Serve};
use tracing::warn;

use super::Metrics;
use super::exposition::{CONTENT_TYPE, Kind, Page, seconds};
use super::instruments::{Counter, Family, Histogram};
use super::process::{Process, room};
use crate::edge::Traffic;
use crate::problem::problem;
use crate::traces::Traces;

const NANOSECONDS_PER_CENTISECOND: u64 = 10_000_000;
const NANOSECONDS_PER_MILLISECOND: u64 = 1_000_000;

const INQUIRY_OUTCOMES: [&str; 3] = ["quoted", "declined", "silent"];
const TRANSACTION_OUTCOMES: [&str; 2] = ["succeeded", "failed"];
const ATTEMPT_OUTCOMES: [&str; 3] = ["delivered", "refused", "unknown"];
const HANDOVER_RESULTS: [&str; 4] = ["delivered", "refused", "unreachable", "no_address"];
const OPERATIONS: [&str; 4] = ["inquire", "pay", "ask", "settle"];
const STATUS_CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Answers `GET /metrics`, on whichever listener it is put.
pub(crate) struct MetricsPage {
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
    /// Who traces, if anybody does.
    pub(crate) traces: Option<Arc<Traces>>,
    /// What the edge counts.
    pub(crate) traffic: Arc<Traffic>,
    /// Knows what is pending.
    pub(crate) reports: Arc<dyn Reports>,
    /// Knows how many exchanges were kept.
    pub(crate) exchanges: Arc<dyn ExchangeLog>,
    /// Knows what news is owed.
    pub(crate) callbacks: Arc<dyn CallbackReports>,
    /// How many tries to hand it over are under way.
    pub(crate) tries_under_way: Box<dyn Fn() -> usize + Send + Sync>,
    /// Tells how old the oldest pending order is.
    pub(crate) clock: Arc<dyn Clock>,
    /// The folder whose disk must not become full.
    pub(crate) data: PathBuf,
}

impl MetricsPage {
    async fn text(&self) -> String {
        let pending = self.reports.pending().await;
        let pending = pending.inspect_err(|fault| warn!(%fault, "pending orders not counted")).ok();
        let backlog = self.callbacks.callback_backlog().await;
        let backlog = backlog.inspect_err(|fault| warn!(%fault, "callbacks not counted")).ok();
        let mut page = Page::default();
        page.metric("lunas_build_info", Kind::Gauge, "The version that runs.");
        page.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
        self.metrics.write_transactions(&mut page);
        write_pending(&mut page, pending, self.clock.now());
        self.metrics.write_upstreams(&mut page);
        self.metrics.write_handovers(&mut page);
        write_backlog(&mut page, backlog, self.clock.now());
        page.metric("lunas_callback_active_attempts", Kind::Gauge, "Tries that are under way.");
        page.sample(&[], (self.tries_under_way)());
        self.metrics.write_requests(&mut page);
        self.metrics.write_commits(&mut page);
        self.metrics.write_backups(&mut page);
        write_exchanges(&mut page, self.exchanges.counts());
        write_traffic(&mut page, &self.traffic);
        if let Some(traces) = &self.traces {
            write_traces(&mut page, traces.figures());
        }
        write_process(&mut page, &Process::now());
        page.metric("lunas_data_free_bytes", Kind::Gauge, "Room left on the disk of the data.");
        let room = room(&self.data);
        room.iter().for_each(|(free, _)| page.sample(&[], free));
        page.metric("lunas_data_size_bytes", Kind::Gauge, "Size of the disk of the data.");
        room.iter().for_each(|(_, all)| page.sample(&[], all));
        page.into_text()
    }
}

#[async_trait]
impl Serve for MetricsPage {
    async fn serve(&self, arrival: Arrival) -> Answer {
        if !matches!(arrival.head.method, Method::GET | Method::HEAD) {
            return problem(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "use GET");
        }
        let mut answer = Answer::new(Bytes::from(self.text().await));
        let kind = HeaderValue::from_static(CONTENT_TYPE);
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        answer
    }
}

impl Metrics {
    fn write_transactions(&self, page: &mut Page) {
        const NAMES: [&str; 2] = ["protocol", "product_group"];
        page.metric(
            "lunas_inquiries_total",
            Kind::Counter,
            "Inquiries that were put to a supplier, by what came of them.",
        );
        counters(page, NAMES, &self.inquiries, "outcome", INQUIRY_OUTCOMES);
        page.metric(
            "lunas_transactions_accepted_total",
            Kind::Counter,
            "Transactions that were confirmed and whose money was set aside.",
        );
        single(page, NAMES, &self.accepted);
        page.metric(
            "lunas_transactions_total",
            Kind::Counter,
            "Transactions that reached their final outcome, each counted once.",
        );
        counters(page, NAMES, &self.transactions, "outcome", TRANSACTION_OUTCOMES);
    }

    fn write_upstreams(&self, page: &mut Page) {
        const NAMES: [&str; 2] = ["upstream", ""];
        page.metric(
            "lunas_upstream_request_duration_seconds",
            Kind::Histogram,
            "How long calls of upstreams took, or until they were given up.",
        );
        histograms(page, NAMES, &self.calls, "operation", OPERATIONS);
        page.metric(
            "lunas_upstream_outcomes_total",
            Kind::Counter,
            "What attempts brought; one that stays unknown is counted with each question.",
        );
        counters(page, NAMES, &self.outcomes, "outcome", ATTEMPT_OUTCOMES);
        page.metric(
            "lunas_contradictions_total",
            Kind::Counter,
            "Times an upstream contradicted a final outcome or the order itself.",
        );
        single(page, NAMES, &self.contradictions);
    }

    fn write_handovers(&self, page: &mut Page) {
        const NAMES: [&str; 2] = ["protocol", ""];
        page.metric(
            "lunas_callback_attempts_total",
            Kind::Counter,
            "Tries to hand a callback over, by what came of them.",
        );
        counters(page, NAMES, &self.handovers, "result", HANDOVER_RESULTS);
        page.metric(
            "lunas_callback_attempt_duration_seconds",
            Kind::Histogram,
            "How long tries to hand a callback over took.",
        );
        page.histogram(&[], &self.handover_times);
        page.metric(
            "lunas_callbacks_given_up_total",
            Kind::Counter,
            "Callbacks that were not delivered by their last try.",
        );
        single(page, NAMES, &self.given_up);
    }

    fn write_requests(&self, page: &mut Page) {
        page.metric(
            "lunas_http_server_request_duration_seconds",
            Kind::Histogram,
            "How long requests took from the last byte of the request to the answer.",
        );
        for (protocol, classes) in &self.requests {
            for (word, histogram) in STATUS_CLASSES.iter().zip(classes) {
                page.histogram(&[("protocol", protocol), ("status_class", word)], histogram);
            }
        }
        page.metric(
            "lunas_http_server_active_requests",
            Kind::Gauge,
            "Requests that are being worked on.",
        );
        page.sample(&[], self.requests_active.value());
        page.metric(
            "lunas_http_server_abandoned_requests_total",
            Kind::Counter,
            "Requests given up before they were answered.",
        );
        page.sample(&[], self.requests_abandoned.value());
    }

    fn write_commits(&self, page: &mut Page) {
        page.metric("lunas_commit_commands", Kind::Histogram, "Commands that shared a commit.");
        page.histogram(&[], &self.commit_sizes);
        page.metric(
            "lunas_commit_duration_seconds",
            Kind::Histogram,
            "How long commits took to load, decide and make durable.",
        );
        page.histogram(&[], &self.commit_times);
        page.metric("lunas_commit_queue_commands", Kind::Gauge, "Commands that wait for a commit.");
        page.sample(&[], self.commands_waiting.value());
        page.metric(
            "lunas_commit_busy_total",
            Kind::Counter,
            "Commands turned away because too many waited.",
        );
        page.sample(&[], self.commands_turned_away.value());
        page.metric(
            "lunas_commit_failed_commands_total",
            Kind::Counter,
            "Commands whose commit failed.",
        );
        page.sample(&[], self.commands_failed.value());
    }
}

impl Metrics {
    /// Nothing at all where no backups are scheduled.
    fn write_backups(&self, page: &mut Page) {
        let Some(backups) = self.backups.get() else { return };
        page.metric(
            "lunas_backup_interval_seconds",
            Kind::Gauge,
            "How often the server is to make a backup.",
        );
        page.sample(&[], backups.every.as_secs());
        page.metric("lunas_backups_total", Kind::Counter, "Backups that the server made, or not.");
        page.sample(&[("outcome", "succeeded")], backups.succeeded.value());
        page.sample(&[("outcome", "failed")], backups.failed.value());
        page.metric(
            "lunas_backup_last_success_timestamp_seconds",
            Kind::Gauge,
            "When the latest backup was taken, in seconds since 1970; 0 when there is none.",
        );
        page.sample(&[], backups.latest.load(Ordering::Relaxed).div_euclid(1000));
    }
}

fn write_pending(page: &mut Page, pending: Option<Pending>, now: Timestamp) {
    page.metric("lunas_transactions_pending", Kind::Gauge, "Transactions whose outcome is open.");
    pending.iter().for_each(|pending| page.sample(&[], pending.orders));
    page.metric(
        "lunas_pending_oldest_seconds",
        Kind::Gauge,
        "How long the oldest open transaction has been open; 0 when none is.",
    );
    if let Some(pending) = pending {
        page.sample(&[], age(pending.since, now));
    }
}

fn write_exchanges(page: &mut Page, counts: Counts) {
    page.metric(
        "lunas_exchanges_recorded_total",
        Kind::Counter,
        "Requests and answers written to the log of exchanges.",
    );
    page.sample(&[], counts.recorded);
    page.metric(
        "lunas_exchanges_missed_total",
        Kind::Counter,
        "Requests and answers left out of the log of exchanges.",
    );
    page.sample(&[], counts.missed);
}

fn write_backlog(page: &mut Page, backlog: Option<Backlog>, now: Timestamp) {
    page.metric("lunas_callback_queue_depth", Kind::Gauge, "Callbacks that are owed.");
    backlog.iter().for_each(|backlog| page.sample(&[], backlog.open));
    page.metric(
        "lunas_callback_oldest_seconds",
        Kind::Gauge,
        "How long the oldest callback has been owed; 0 when none is.",
    );
    backlog.iter().for_each(|backlog| page.sample(&[], age(backlog.since, now)));
}

/// How long ago something was, in seconds; 0 for nothing.
fn age(since: Option<Timestamp>, now: Timestamp) -> String {
    let since = since.unwrap_or(now).milliseconds();
    let age = u64::try_from(now.milliseconds().saturating_sub(since)).unwrap_or_default();
    seconds(age.saturating_mul(NANOSECONDS_PER_MILLISECOND))
}

fn write_traffic(page: &mut Page, traffic: &Traffic) {
    page.metric("lunas_connections_open", Kind::Gauge, "Connections that are being served.");
    page.sample(&[], traffic.open());
    page.metric("lunas_connections_accepted_total", Kind::Counter, "Connections taken in.");
    page.sample(&[], traffic.accepted());
    page.metric(
        "lunas_connections_evicted_total",
        Kind::Counter,
        "Connections closed to make room for others.",
    );
    page.sample(&[], traffic.evicted());
    page.metric(
        "lunas_connections_overdue_total",
        Kind::Counter,
        "Connections closed by a deadline.",
    );
    page.sample(&[], traffic.overdue());
    page.metric(
        "lunas_connections_refused_total",
        Kind::Counter,
        "Connections refused because there was no room.",
    );
    page.sample(&[], traffic.refused());
}

fn write_traces(page: &mut Page, (sent, dropped): (u64, u64)) {
    page.metric("lunas_spans_total", Kind::Counter, "Spans that the collector got, or not.");
    page.sample(&[("outcome", "sent")], sent);
    page.sample(&[("outcome", "dropped")], dropped);
}

/// Under the names that Prometheus' own client libraries give them.
fn write_process(page: &mut Page, process: &Process) {
    let centiseconds = |value: u64| seconds(value.saturating_mul(NANOSECONDS_PER_CENTISECOND));
    let plain = |value: u64| value.to_string();
    let gauge = Kind::Gauge;
    let table = [
        (
            "process_cpu_seconds_total",
            Kind::Counter,
            "Processor time of all threads.",
            process.processor_centiseconds.map(centiseconds),
        ),
        (
            "process_resident_memory_bytes",
            gauge,
            "Memory that is really there.",
            process.resident_bytes.map(plain),
        ),
        (
            "process_start_time_seconds",
            gauge,
            "When the process started, in seconds since 1970.",
            process.started_centiseconds.map(centiseconds),
        ),
        ("process_open_fds", gauge, "Open files and sockets.", process.open_files.map(plain)),
        ("process_max_fds", gauge, "How many may be open.", process.open_files_max.map(plain)),
        ("process_threads", gauge, "Threads.", process.threads.map(plain)),
    ];
    for (name, kind, help, value) in table {
        page.metric(name, kind, help);
        value.iter().for_each(|value| page.sample(&[], value));
    }
}

/// The labels of a member; a label without a name is left out.
fn labels<'a>(names: [&'a str; 2], values: &'a [Box<str>; 2]) -> Vec<(&'a str, &'a str)> {
    let pairs = names.into_iter().zip(values.iter().map(|value| &**value));
    pairs.filter(|(name, _)| !name.is_empty()).collect()
}

fn single(page: &mut Page, names: [&str; 2], family: &Family<Counter>) {
    for member in family.members().iter() {
        page.sample(&labels(names, &member.labels), member.instrument.value());
    }
}

fn counters<const COUNT: usize>(
    page: &mut Page,
    names: [&str; 2],
    family: &Family<[Counter; COUNT]>,
    name: &str,
    words: [&str; COUNT],
) {
    for member in family.members().iter() {
        for (word, counter) in words.iter().zip(&*member.instrument) {
            let mut labels = labels(names, &member.labels);
            labels.push((name, word));
            page.sample(&labels, counter.value());
        }
    }
}

fn histograms<const COUNT: usize>(
    page: &mut Page,
    names: [&str; 2],
    family: &Family<[Histogram; COUNT]>,
    name: &str,
    words: [&str; COUNT],
) {
    for member in family.members().iter() {
        for (word, histogram) in words.iter().zip(&*member.instrument) {
            let mut labels = labels(names, &member.labels);
            labels.push((name, word));
            page.histogram(&labels, histogram);
        }
    }
}
