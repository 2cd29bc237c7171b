//! The running program: puts the parts together, opens its doors, and stops in order.
//!
//! The sandbox and the production server differ in what they are given and in who stands behind
//! their doors; everything else is here, once. Order of the stop: no new connections; requests in
//! progress are answered; calls under way bring their outcomes; the books are closed. Whatever does
//! not finish in time is taken up by the next start, as after a crash.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use domain::UpstreamName;
use gateway::ports::{Clock, Notice, Sealer, Upstream};
use gateway::{Gateway, Parts, Settings};
use protocols::exchange::Serve;
use protocols::iak;
use protocols::sandbox::{self, Sandbox};
use storage::Opened;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::addresses;
use crate::backups;
use crate::configuration::typed::Orders;
use crate::edge::{self, Certificate, Limits, Traffic};
use crate::metrics::{Metrics, MetricsPage};
use crate::observed::Observed;
use crate::rates;
use crate::service_manager::{self, News};
use crate::signals::StopSignals;
use crate::system::{SystemClock, SystemEntropy, new_process};

/// How long calls under way may take to finish at a stop.
const STOP_WITHIN: Duration = Duration::from_secs(30);
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
    /// Keeps stored secrets unreadable.
    pub(crate) sealer: Arc<dyn Sealer>,
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
    /// Whether requests are welcome: from the start until the stop begins.
    pub(crate) ready: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
    upstream: UpstreamName,
    directory: PathBuf,
    data: Opened,
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
        let opened = Gateway::open(Parts {
            store: Arc::clone(&data.store),
            reports: Arc::clone(&data.reports),
            collections: Arc::clone(&data.collections),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            observer: Arc::<Metrics>::clone(&metrics),
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
        let ready = Arc::new(AtomicBool::new(true));
        let (upstream, directory) = (plan.upstream, plan.data.to_owned());
        Ok(Self { gateway, clock, supplier, ready, metrics, upstream, directory, data, notices })
    }

    /// The IAK protocol over this gateway.
    pub(crate) fn iak(&self) -> iak::Served {
        let settings = iak::Settings {
            tr_id_key: self.data.instance_key,
            addresses: addresses::by_merchant(Arc::clone(&self.gateway)),
            rates: rates::by_merchant(Arc::clone(&self.gateway)),
        };
        iak::Served::new(Arc::clone(&self.gateway), settings)
    }

    /// The page with all that is counted, the traffic of one listener among it.
    pub(crate) fn metrics_page(&self, traffic: &Arc<Traffic>) -> MetricsPage {
        MetricsPage {
            metrics: Arc::clone(&self.metrics),
            traffic: Arc::clone(traffic),
            reports: Arc::clone(&self.data.reports),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            data: self.directory.clone(),
        }
    }

    /// The same service, its requests counted and logged.
    pub(crate) fn observed(&self, service: Arc<dyn Serve>) -> Arc<dyn Serve> {
        let metrics = Arc::clone(&self.metrics);
        Arc::new(Observed { service, metrics, entropy: Arc::new(SystemEntropy) })
    }

    /// Serves at these doors until the process is told to stop, and stops in order.
    pub(crate) async fn run(self, doors: Vec<Door>, signals: StopSignals) -> anyhow::Result<()> {
        self.metrics.expect(&self.gateway.catalogue(), self.upstream.as_str());
        let stop = CancellationToken::new();
        tokio::spawn(stop_at_signal(signals, stop.clone(), Arc::clone(&self.ready)));
        let resolver = tokio::spawn(Arc::clone(&self.gateway).run_resolver(stop.clone()));
        tokio::spawn(take_in_notices(Arc::clone(&self.gateway), self.notices));
        tokio::spawn(recover(Arc::clone(&self.gateway)));
        tokio::spawn(service_manager::stay_alive());
        let mut serving: JoinSet<_> =
            doors.into_iter().map(|door| door.serve(stop.clone())).collect();
        service_manager::tell(News::Ready);
        while let Some(ended) = serving.join_next().await {
            ended.context("a listener broke off")?;
        }
        resolver.await.context("the resolver broke off")?;
        if timeout(STOP_WITHIN, self.gateway.finish_calls()).await.is_err() {
            warn!("some calls did not finish; the next start asks what became of them");
        }
        self.data.shutdown.shutdown().await;
        info!("stopped");
        Ok(())
    }

    /// Closes the data without having served.
    pub(crate) async fn close(self) {
        self.data.shutdown.shutdown().await;
    }
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
