//! The running program: puts the parts together, opens its doors, and stops in order.
//!
//! The sandbox and the production server differ in what they are given and in who stands behind
//! their doors; everything else is here, once. Order of the stop: no new connections; requests in
//! progress are answered, and callbacks under way handed over; calls under way bring their outcomes;
//! the books are closed. Whatever does
//! not finish in time is taken up by the next start, as after a crash.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use domain::{ProtocolName, RateLimit, Secret, UpstreamName};
use gateway::courier::{self, Courier};
use gateway::exchanges::Nowhere;
use gateway::observer::{
    AttemptEnd, HandoverEnd, InquiryEnd, Observer, Operation, Subject, TransactionEnd,
};
use gateway::ports::{
    CallbackReports, CallbackWriter, Clock, ExchangeLog, Notice, Sealer, Upstream,
};
use gateway::{Gateway, Parts, Settings};
use protocols::admission::{AnySignature, SignatureGuard};
use protocols::exchange::Serve;
use protocols::hosted::{self, Tokens};
use protocols::order_numbers::OrderNumbers;
use protocols::sandbox::{self, Sandbox};
use protocols::{feed, iak, ilenpay, isikuota, s88pay};
use storage::Opened;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::addresses;
use crate::background;
use crate::backups;
use crate::configuration::typed::{Callbacks, Exchanges, Orders};
use crate::dispatch::ServePart;
use crate::edge::{self, Certificate, Limits, Traffic};
use crate::messenger::encryption::Encryption;
use crate::messenger::policy::Policy;
use crate::messenger::resolver::SystemResolver;
use crate::messenger::{self, HttpMessenger};
use crate::metrics::{Metrics, MetricsPage};
use crate::observed::Observed;
use crate::rates::{self, WrongSignatures};
use crate::scheduled_backups::{Folder, Schedule, ScheduledBackups};
use crate::service_manager::{self, News};
use crate::signals::StopSignals;
use crate::system::{EntropyForNames, SystemClock, SystemEntropy, new_process};
use crate::traces::Traces;
use crate::traces::collector::Collector;

/// How long calls under way may take to finish at a stop.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// How long a try that has ended may take to be recorded before somebody else tries.
const RECORD_WITHIN: Duration = Duration::from_secs(60);
/// How many wrong S88pay keys an hour are tried for one merchant.
const WRONG_KEYS_PER_HOUR: u32 = 100;
/// How long an S88pay deposit waits for its payer.
const DEPOSIT_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How many notices of the supplier may wait to be taken in.
const NOTICES_WAITING_MAX: usize = 1024;

/// What the parts are made of.
pub(crate) struct Plan<'a> {
    /// The folder of the books.
    pub(crate) data: &'a Path,
    /// The supplier that is asked for every product.
    pub(crate) upstream: UpstreamName,
    /// How that supplier, the built-in one, behaves.
    pub(crate) stand_in: sandbox::Settings,
    /// Deadlines and rules of orders.
    pub(crate) orders: Orders,
    /// What callers are held to who have no limits of their own.
    pub(crate) callers: Callers,
    /// How merchants are called back.
    pub(crate) callbacks: CallbackPlan,
    /// Where payers are shown pages.
    pub(crate) pages: Pages,
    /// Who may tell that money came in.
    pub(crate) feeds: Vec<feed::Source>,
    /// Keeps stored secrets unreadable.
    pub(crate) sealer: Arc<dyn Sealer>,
    /// Takes traces, if anybody does.
    pub(crate) collector: Option<Collector>,
    /// What is kept of what merchants and we say.
    pub(crate) exchanges: Exchanges,
}

/// What callers are held to; the default is nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Callers {
    /// How often a merchant may call that has no limit of its own.
    pub(crate) rate_limit: Option<RateLimit>,
    /// How many wrong signatures may come per minute from one address in one user name.
    pub(crate) failed_signatures_per_minute: Option<NonZeroU32>,
}

/// Where payers are shown pages, and what they can do there.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pages {
    /// What links to them begin with, without a slash at the end.
    pub(crate) public_url: String,
    /// Where merchants without an address are called back.
    pub(crate) fallback_url: Option<String>,
    /// Whether payers can make believe that they paid.
    pub(crate) sandbox: bool,
}

/// How merchants are called back.
pub(crate) struct CallbackPlan {
    /// What the operator set.
    pub(crate) settings: Callbacks,
    /// Which receivers are believed under TLS.
    pub(crate) encryption: Encryption,
    /// Where merchants without an address are called back, and the secret for it.
    pub(crate) fallback: Option<(String, Secret)>,
}

/// A listener and who answers behind it.
pub(crate) struct Door {
    /// Where callers come in.
    pub(crate) listener: TcpListener,
    /// What they are shown; without it they are served in clear.
    pub(crate) certificate: Option<Arc<Certificate>>,
    /// What they are held to.
    pub(crate) limits: Limits,
    /// Who answers them.
    pub(crate) service: Arc<dyn Serve>,
    /// Counts them.
    pub(crate) traffic: Arc<Traffic>,
}

impl Door {
    async fn serve(self, stop: CancellationToken) {
        let Self { listener, certificate, limits, service, traffic } = self;
        match certificate {
            None => edge::serve_counted(listener, limits, service, traffic, stop).await,
            Some(certificate) => {
                edge::serve_encrypted(listener, certificate, limits, service, traffic, stop).await;
            }
        }
    }
}

/// The parts, put together and not yet serving.
pub(crate) struct Program {
    /// The use cases.
    pub(crate) gateway: Arc<Gateway>,
    /// The time that the gateway goes by.
    pub(crate) clock: Arc<SystemClock>,
    /// The built-in supplier.
    pub(crate) supplier: Arc<Sandbox>,
    /// Hands callbacks over.
    pub(crate) courier: Arc<Courier>,
    /// Who sends them.
    pub(crate) messenger: Arc<HttpMessenger>,
    /// Whether requests are welcome: from the start until the stop begins.
    pub(crate) ready: Arc<AtomicBool>,
    /// What merchants and we say.
    pub(crate) exchanges: Arc<dyn ExchangeLog>,
    metrics: Arc<Metrics>,
    traces: Option<Arc<Traces>>,
    upstream: UpstreamName,
    directory: PathBuf,
    data: Opened,
    callers: Callers,
    pages: Pages,
    feeds: Vec<feed::Source>,
    backups: Option<(Arc<Folder>, Schedule)>,
    notices: mpsc::Receiver<Notice>,
}

impl Program {
    /// Opens the data and the supplier, and puts the gateway between them.
    pub(crate) async fn open(plan: Plan<'_>) -> anyhow::Result<Self> {
        let metrics = Arc::new(Metrics::new());
        let clock = Arc::new(SystemClock::default());
        let before_migration = storage::sqlite::BeforeMigration {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            companions: backups::companions(),
        };
        let mut options = storage::sqlite::Options {
            before_migration: Some(before_migration),
            sealer: plan.sealer,
            ..storage::sqlite::Options::default()
        };
        options.pipeline.observer = Arc::<Metrics>::clone(&metrics);
        let data = storage::sqlite::open(plan.data, options, &SystemEntropy)?;
        let (sender, notices) = mpsc::channel(NOTICES_WAITING_MAX);
        let supplier = Sandbox::open(
            plan.data,
            plan.upstream.clone(),
            plan.stand_in,
            Arc::clone(&clock) as Arc<dyn Clock>,
            sender,
        )?;
        let traces = plan.collector.map(|collector| {
            let clock = Arc::clone(&clock) as Arc<dyn Clock>;
            Arc::new(Traces::new(collector, clock, Arc::new(EntropyForNames)))
        });
        let observer: Arc<dyn Observer> = match &traces {
            None => Arc::<Metrics>::clone(&metrics),
            Some(traces) => Arc::new(Both(Arc::clone(&metrics), Arc::clone(traces))),
        };
        let opened = Gateway::open(Parts {
            store: Arc::clone(&data.store),
            reports: Arc::clone(&data.reports),
            collections: Arc::clone(&data.collections),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            observer,
            upstreams: vec![Arc::clone(&supplier) as Arc<dyn Upstream>],
            settings: Settings {
                answer_within: plan.orders.answer_within,
                call_within: plan.orders.call_within,
                cut_offs: plan.orders.cut_offs,
                upstream: plan.upstream.clone(),
                // The only supplier there is moves no money.
                test_upstream: plan.upstream.clone(),
            },
            process: new_process(),
        })
        .await;
        let gateway = match opened {
            Ok(gateway) => gateway,
            Err(fault) => {
                data.shutdown.shutdown().await;
                return Err(fault).context(
                    "merchants cannot be read: their secrets were sealed under another key than \
                     this one, as those of a sandbox are under none, or the data is damaged",
                );
            }
        };
        let (courier, messenger) = call_back(plan.callbacks, &gateway, &clock, &data);
        let ready = Arc::new(AtomicBool::new(true));
        let exchanges = exchange_log(plan.data, &plan.exchanges, &clock, data.instance_key);
        Ok(Self {
            gateway,
            clock,
            supplier,
            courier,
            messenger,
            ready,
            exchanges,
            metrics,
            traces,
            upstream: plan.upstream,
            directory: plan.data.to_owned(),
            data,
            callers: plan.callers,
            pages: plan.pages,
            feeds: plan.feeds,
            backups: None,
            notices,
        })
    }

    /// Makes backups into this folder as long as it runs.
    pub(crate) fn back_up_into(&mut self, folder: Folder, schedule: Schedule) {
        self.backups = Some((Arc::new(folder), schedule));
    }

    /// The numbers by which merchants know orders, in every protocol.
    pub(crate) fn order_numbers(&self) -> Vec<Box<dyn OrderNumbers>> {
        let key = self.data.instance_key;
        vec![Box::new(iak::order_numbers(key)), Box::new(s88pay::order_numbers(key))]
    }

    /// Every protocol over this gateway, by name. All of them share what callers are held to.
    pub(crate) fn protocols(&self) -> Vec<(&'static str, Box<dyn Serve>)> {
        let signatures: Arc<dyn SignatureGuard> = match self.callers.failed_signatures_per_minute {
            None => Arc::new(AnySignature),
            Some(most) => {
                Arc::new(WrongSignatures::new(most, Arc::clone(&self.clock) as Arc<dyn Clock>))
            }
        };
        let addresses = addresses::by_merchant(Arc::clone(&self.gateway));
        let rates = rates::by_merchant(Arc::clone(&self.gateway), self.callers.rate_limit);
        let iak = iak::Settings {
            tr_id_key: self.data.instance_key,
            addresses: Arc::clone(&addresses),
            rates: Arc::clone(&rates),
            signatures: Arc::clone(&signatures),
        };
        let isikuota = isikuota::Settings {
            timestamp_window: isikuota::Settings::USUAL_TIMESTAMP_WINDOW,
            addresses: Arc::clone(&addresses),
            rates: Arc::clone(&rates),
            signatures: Arc::clone(&signatures),
        };
        let tokens = Tokens::new(self.data.instance_key);
        let ilenpay = ilenpay::Settings {
            addresses: Arc::clone(&addresses),
            rates: Arc::clone(&rates),
            signatures: Arc::clone(&signatures),
            tokens: tokens.clone(),
            public_url: self.pages.public_url.clone(),
            lifetime: None,
            messenger: Arc::clone(&self.messenger) as _,
            fallback_url: self.pages.fallback_url.clone(),
        };
        let s88pay = s88pay::Settings {
            number_key: self.data.instance_key,
            tokens: tokens.clone(),
            public_url: self.pages.public_url.clone(),
            addresses,
            rates,
            signatures: Arc::clone(&signatures),
            wrong_keys_per_hour: Some(WRONG_KEYS_PER_HOUR),
            lifetime: DEPOSIT_LIFETIME,
        };
        let hosted = hosted::Settings { tokens, sandbox: self.pages.sandbox };
        let gateway = || Arc::clone(&self.gateway);
        vec![
            (iak::NAME, Box::new(iak::Served::new(gateway(), iak))),
            (isikuota::NAME, Box::new(isikuota::Served::new(gateway(), isikuota))),
            (ilenpay::NAME, Box::new(ilenpay::Served::new(gateway(), ilenpay))),
            (s88pay::NAME, Box::new(s88pay::Served::new(gateway(), s88pay))),
            (hosted::NAME, Box::new(hosted::Served::new(gateway(), hosted))),
            (feed::NAME, Box::new(feed::Served::new(gateway(), self.feeds.clone(), signatures))),
        ]
    }

    /// The list reads of callbacks.
    pub(crate) fn callbacks(&self) -> Arc<dyn CallbackReports> {
        Arc::clone(&self.data.callbacks)
    }

    /// The page with all that is counted, the traffic of one listener among it.
    pub(crate) fn metrics_page(&self, traffic: &Arc<Traffic>) -> MetricsPage {
        let courier = Arc::clone(&self.courier);
        MetricsPage {
            metrics: Arc::clone(&self.metrics),
            traces: self.traces.clone(),
            traffic: Arc::clone(traffic),
            reports: Arc::clone(&self.data.reports),
            exchanges: Arc::clone(&self.exchanges),
            callbacks: Arc::clone(&self.data.callbacks),
            tries_under_way: Box::new(move || courier.under_way()),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            data: self.directory.clone(),
        }
    }

    /// The same service, its requests counted, logged and kept.
    pub(crate) fn observed(&self, service: Arc<dyn ServePart>) -> Arc<dyn Serve> {
        Arc::new(Observed {
            service,
            metrics: Arc::clone(&self.metrics),
            entropy: Arc::new(EntropyForNames),
            traces: self.traces.clone(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            exchanges: Arc::clone(&self.exchanges),
        })
    }

    /// Serves at these doors until the process is told to stop, and stops in order.
    pub(crate) async fn run(self, doors: Vec<Door>, signals: StopSignals) -> anyhow::Result<()> {
        self.metrics.expect(&self.gateway.catalogue(), self.upstream.as_str());
        let stop = CancellationToken::new();
        tokio::spawn(stop_at_signal(signals, stop.clone(), Arc::clone(&self.ready)));
        let resolver = tokio::spawn(Arc::clone(&self.gateway).run_resolver(stop.clone()));
        tokio::spawn(Arc::clone(&self.gateway).run_collections(stop.clone()));
        let courier = tokio::spawn(self.courier.run(stop.clone()));
        tokio::spawn(take_in_notices(Arc::clone(&self.gateway), self.notices));
        tokio::spawn(recover(Arc::clone(&self.gateway)));
        if let Some((folder, schedule)) = self.backups {
            let backups = ScheduledBackups {
                folder,
                schedule,
                data: self.directory,
                clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
                metrics: Arc::clone(&self.metrics),
            };
            tokio::spawn(backups.run(stop.clone()));
        }
        let mut serving: JoinSet<_> =
            doors.into_iter().map(|door| door.serve(stop.clone())).collect();
        service_manager::tell(News::Ready);
        // Not before: it may run on another thread, and readiness is what is told first.
        tokio::spawn(service_manager::stay_alive());
        while let Some(ended) = serving.join_next().await {
            ended.context("a listener broke off")?;
        }
        resolver.await.context("the resolver broke off")?;
        courier.await.context("the courier broke off")?;
        if timeout(STOP_WITHIN, self.gateway.finish_calls()).await.is_err() {
            warn!("some calls did not finish; the next start asks what became of them");
        }
        close(self.exchanges.as_ref(), &self.data).await;
        if let Some(traces) = self.traces {
            traces.finish();
        }
        info!("stopped");
        Ok(())
    }

    /// Closes the data without having served.
    pub(crate) async fn close(self) {
        close(self.exchanges.as_ref(), &self.data).await;
    }
}

/// Tells both of what happens.
struct Both(Arc<Metrics>, Arc<Traces>);

impl Observer for Both {
    fn inquired(&self, subject: Subject<'_>, end: InquiryEnd) {
        self.0.inquired(subject, end);
    }

    fn accepted(&self, subject: Subject<'_>) {
        self.0.accepted(subject);
    }

    fn finished(&self, subject: Subject<'_>, end: TransactionEnd) {
        self.0.finished(subject, end);
    }

    fn resolved(&self, upstream: &UpstreamName, end: AttemptEnd) {
        self.0.resolved(upstream, end);
    }

    fn contradicted(&self, upstream: &UpstreamName) {
        self.0.contradicted(upstream);
    }

    fn called(&self, upstream: &UpstreamName, operation: Operation, took: Duration) {
        self.0.called(upstream, operation, took);
        self.1.called(upstream, operation, took);
    }

    fn handed_over(&self, protocol: &ProtocolName, end: HandoverEnd, took: Duration) {
        self.0.handed_over(protocol, end, took);
    }

    fn given_up(&self, protocol: &ProtocolName) {
        self.0.given_up(protocol);
    }
}

/// The log of exchanges goes first, because the lock of the directory goes with the books.
async fn close(exchanges: &dyn ExchangeLog, data: &Opened) {
    exchanges.close().await;
    data.shutdown.shutdown().await;
}

/// The log of exchanges. A gateway goes on without one: no order depends on it.
fn exchange_log(
    directory: &Path,
    settings: &Exchanges,
    clock: &Arc<SystemClock>,
    key: [u8; 32],
) -> Arc<dyn ExchangeLog> {
    let Some(per_second) = settings.per_second else { return Arc::new(Nowhere) };
    let options = storage::exchanges::Options {
        per_second: per_second.get(),
        keep_days: settings.keep_days,
        size_max: u64::try_from(settings.file_bytes).unwrap_or(u64::MAX),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
        give_way: background::give_way,
    };
    storage::exchanges::open(directory, options, key).unwrap_or_else(|fault| {
        warn!(%fault, "exchanges are not kept; stop the server and delete the file to begin anew");
        Arc::new(Nowhere)
    })
}

/// Who writes callbacks: a line for each protocol that calls back.
fn callback_writers(data: &Opened) -> Vec<Arc<dyn CallbackWriter>> {
    vec![
        Arc::new(iak::callback::Writer::new(data.instance_key)),
        Arc::new(isikuota::callback::Writer),
        Arc::new(ilenpay::callback::Writer::new(Tokens::new(data.instance_key))),
        Arc::new(s88pay::callback::Writer::new(data.instance_key)),
    ]
}

/// Who hands callbacks over, and who sends them.
fn call_back(
    plan: CallbackPlan,
    gateway: &Arc<Gateway>,
    clock: &Arc<SystemClock>,
    data: &Opened,
) -> (Arc<Courier>, Arc<HttpMessenger>) {
    let CallbackPlan { settings, encryption, fallback } = plan;
    let messenger = Arc::new(HttpMessenger::new(messenger::Parts {
        settings: messenger::Settings {
            connect_within: settings.connect_within,
            try_within: settings.try_within,
            policy: Policy::new(settings.allow_networks),
        },
        encryption,
        resolver: Arc::new(SystemResolver::new()),
        clock: Arc::clone(clock) as Arc<dyn Clock>,
    }));
    let courier = Courier::new(courier::Parts {
        gateway: Arc::clone(gateway),
        reports: Arc::clone(&data.callbacks),
        writers: callback_writers(data),
        messenger: Arc::clone(&messenger) as _,
        entropy: Arc::new(SystemEntropy),
        settings: courier::Settings {
            retries: settings.retries,
            per_endpoint: settings.per_endpoint,
            at_once: settings.at_once,
            lease: settings.try_within.saturating_add(RECORD_WITHIN),
            fallback,
        },
    });
    (courier, messenger)
}

async fn recover(gateway: Arc<Gateway>) {
    match gateway.recover().await {
        Ok(0) => {}
        Ok(abandoned) => info!(abandoned, "asking about attempts that an earlier run left open"),
        Err(fault) => error!(%fault, "attempts of an earlier run could not be taken over"),
    }
}

async fn take_in_notices(gateway: Arc<Gateway>, mut notices: mpsc::Receiver<Notice>) {
    while let Some(notice) = notices.recv().await {
        if let Err(fault) = gateway.notice(notice).await {
            error!(%fault, "a notice of the supplier could not be taken in");
        }
    }
}

/// Waits for the signal to stop. A second signal ends the process at once.
async fn stop_at_signal(mut signals: StopSignals, stop: CancellationToken, ready: Arc<AtomicBool>) {
    signals.next().await;
    info!("stopping");
    service_manager::tell(News::Stopping);
    ready.store(false, Ordering::Release);
    stop.cancel();
    signals.next().await;
    warn!("stopped at once");
    std::process::exit(130);
}
#[cfg(test)]
#[path = "program_tests.rs"]
pub(crate) mod tests;
