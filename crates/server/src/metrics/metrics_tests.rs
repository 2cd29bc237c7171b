//! What the page says after something happened, and that what reads it asks only for what is there.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use domain::{ProtocolName, Timestamp};
use gateway::in_memory::InMemory;
use gateway::ports::{Clock, StoreFault};
use http::Request;
use protocols::exchange::{Answer, Arrival, Serve};

use super::*;

struct Standing;

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(1_700_000_000_000)
    }
}

impl Metrics {
    /// Of a protocol: answered with 4xx; of all: given up, active.
    pub(crate) fn requests_by_end(&self, protocol: &str) -> (u64, u64, i64) {
        let (_, classes) = self.requests.iter().find(|(name, _)| *name == protocol).unwrap();
        let refused = classes[3].counts().sum();
        (refused, self.requests_abandoned.value(), self.requests_active.value())
    }

    /// Of the backups: made, failed.
    pub(crate) fn backups(&self) -> (u64, u64) {
        self.backups.get().map_or((0, 0), |it| (it.succeeded.value(), it.failed.value()))
    }
}

fn page(metrics: &Arc<Metrics>, reports: &Arc<InMemory>) -> MetricsPage {
    MetricsPage {
        metrics: Arc::clone(metrics),
        traces: None,
        traffic: Arc::default(),
        reports: Arc::clone(reports) as _,
        exchanges: Arc::new(gateway::exchanges::Nowhere),
        callbacks: Arc::clone(reports) as _,
        tries_under_way: Box::new(|| 3),
        clock: Arc::new(Standing),
        data: "/".into(),
    }
}

async fn ask(page: &MetricsPage, method: &str) -> (u16, String) {
    let request = Request::builder().method(method).uri("/metrics").body(()).unwrap();
    let (head, ()) = request.into_parts();
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let arrival = Arrival { head, body: Ok(Bytes::new()), peer, note: None };
    let answer: Answer = page.serve(arrival).await;
    (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
}

fn busy() -> Arc<Metrics> {
    let metrics = Arc::new(Metrics::new());
    let protocol = ProtocolName::new("iak");
    let subject = Subject { protocol: &protocol, group: "pln" };
    let upstream = UpstreamName::new("supplier");
    let second = Duration::from_secs(1);
    metrics.expect(&Catalogue::default(), "supplier");
    for end in [InquiryEnd::Quoted, InquiryEnd::Quoted, InquiryEnd::Declined, InquiryEnd::Silent] {
        metrics.inquired(subject, end);
    }
    metrics.accepted(subject);
    metrics.finished(subject, TransactionEnd::Succeeded);
    metrics.finished(subject, TransactionEnd::Failed);
    for end in [AttemptEnd::Delivered, AttemptEnd::Refused, AttemptEnd::Unknown] {
        metrics.resolved(&upstream, end);
    }
    metrics.contradicted(&upstream);
    for operation in [Operation::Inquire, Operation::Pay, Operation::Ask, Operation::Settle] {
        metrics.called(&upstream, operation, second);
    }
    for end in [HandoverEnd::Delivered, HandoverEnd::Unreachable, HandoverEnd::NoAddress] {
        metrics.handed_over(&protocol, end, second);
    }
    metrics.given_up(&protocol);
    metrics.request_begins();
    metrics.request_ends("iak", StatusCode::OK, second);
    let commits: &dyn storage::pipeline::Observer = &*metrics;
    (0..3).for_each(|_| commits.queued());
    commits.turned_away();
    commits.taken(2);
    commits.committed(2, second);
    commits.failed(5);
    metrics.expect_backups(second, None);
    metrics.backup_failed();
    metrics.backup_succeeded(Timestamp::from_milliseconds(1_699_999_999_999));
    metrics
}

#[tokio::test]
async fn what_happened_stands_on_the_page() {
    let (status, text) = ask(&page(&busy(), &Arc::default()), "GET").await;
    assert_eq!(status, 200);
    for line in [
        "lunas_inquiries_total{protocol=\"iak\",product_group=\"pln\",outcome=\"quoted\"} 2",
        "lunas_inquiries_total{protocol=\"iak\",product_group=\"pln\",outcome=\"silent\"} 1",
        "lunas_transactions_accepted_total{protocol=\"iak\",product_group=\"pln\"} 1",
        "lunas_transactions_total{protocol=\"iak\",product_group=\"pln\",outcome=\"failed\"} 1",
        "lunas_upstream_outcomes_total{upstream=\"supplier\",outcome=\"unknown\"} 1",
        "lunas_contradictions_total{upstream=\"supplier\"} 1",
        "lunas_upstream_request_duration_seconds_sum{upstream=\"supplier\",operation=\"ask\"} 1",
        "lunas_http_server_request_duration_seconds_count{protocol=\"iak\",status_class=\"2xx\"} 1",
        "lunas_callback_attempts_total{protocol=\"iak\",result=\"delivered\"} 1",
        "lunas_callback_attempts_total{protocol=\"iak\",result=\"refused\"} 0",
        "lunas_callback_attempts_total{protocol=\"iak\",result=\"no_address\"} 1",
        "lunas_callback_attempt_duration_seconds_sum 2",
        "lunas_callbacks_given_up_total{protocol=\"iak\"} 1",
        "lunas_callback_queue_depth 0",
        "lunas_callback_oldest_seconds 0",
        "lunas_callback_active_attempts 3",
        "lunas_http_server_active_requests 0",
        "lunas_transactions_pending 0",
        "lunas_pending_oldest_seconds 0",
        "lunas_commit_commands_sum 2",
        "lunas_commit_duration_seconds_bucket{le=\"1\"} 1",
        "lunas_commit_queue_commands 1",
        "lunas_commit_busy_total 1",
        "lunas_commit_failed_commands_total 5",
        "lunas_connections_open 0",
        "lunas_backup_interval_seconds 1",
        "lunas_backups_total{outcome=\"succeeded\"} 1",
        "lunas_backups_total{outcome=\"failed\"} 1",
        "lunas_backup_last_success_timestamp_seconds 1699999999",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn a_page_is_there_when_the_store_is_not() {
    let reports = Arc::<InMemory>::default();
    let (_, text) = ask(&page(&Arc::new(Metrics::new()), &reports), "GET").await;
    assert!(!text.contains("backup"), "nobody wants backups: {text}");
    reports.fail_with(StoreFault::Busy);
    let (status, text) = ask(&page(&busy(), &reports), "GET").await;
    assert_eq!(status, 200);
    assert!(!text.contains("\nlunas_transactions_pending "), "{text}");
    assert!(!text.contains("\nlunas_callback_queue_depth "), "{text}");
    assert!(text.contains("\nlunas_commit_busy_total 1\n"), "{text}");
    assert_eq!(ask(&page(&busy(), &reports), "POST").await.0, 405);
}

/// The names of the metrics that a page has samples of.
fn exported(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split(['{', ' ']).next()).map(str::to_owned).collect()
}

/// The names of metrics that a text mentions.
fn mentioned(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    let names = words.filter(|word| word.starts_with("lunas_") || word.starts_with("process_"));
    names.map(str::to_owned).collect()
}

#[tokio::test]
async fn alerts_and_dashboard_ask_for_what_is_exported() {
    let (_, text) = ask(&page(&busy(), &Arc::default()), "GET").await;
    let exported = exported(&text);
    let files = [
        ("alerts", include_str!("../../../../ops/prometheus-alerts.yml")),
        ("dashboard", include_str!("../../../../ops/grafana.json")),
    ];
    for (file, text) in files {
        let mentioned = mentioned(text);
        assert!(mentioned.len() >= 8, "{file} asks for {mentioned:?}");
        let missing: Vec<_> = mentioned.difference(&exported).collect();
        assert!(missing.is_empty(), "{file} asks for {missing:?}");
    }
    let dashboard = include_str!("../../../../ops/grafana.json");
    serde_json::from_str::<serde_json::Value>(dashboard).unwrap();
}

#[tokio::test]
async fn names_and_samples_keep_to_the_rules_of_prometheus() {
    let (_, text) = ask(&page(&busy(), &Arc::default()), "GET").await;
    let mut described = BTreeSet::new();
    let mut current = ("", "");
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(described.insert(name), "{name} is described twice");
            assert!(help.ends_with('.'), "{line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            current = rest.split_once(' ').unwrap();
            assert_eq!(current.1 == "counter", current.0.ends_with("_total"), "{line}");
            assert!(current.0.starts_with("lunas_") || current.0.starts_with("process_"), "{line}");
        } else {
            let name = line.split(['{', ' ']).next().unwrap();
            let stem = ["_bucket", "_sum", "_count"].iter().find_map(|it| name.strip_suffix(it));
            let stem = if current.1 == "histogram" { stem.unwrap() } else { name };
            assert_eq!(stem, current.0, "{line}");
            let value = line.rsplit_once(' ').unwrap().1;
            assert!(value.parse::<f64>().is_ok(), "{line}");
        }
    }
    assert!(described.len() > 25, "{described:?}");
}
