//! `lunas sandbox`: puts the parts together, serves until told to stop, and stops in order.
//!
//! Order of the stop: no new connections; requests in progress are answered; calls under way bring
//! their outcomes; the books are closed. Whatever does not finish in time is taken up by the next
//! start, as after a crash.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use domain::{Amount, Command, Role, UpstreamName};
use gateway::ports::{Clock, Notice};
use gateway::{Gateway, Parts, Settings};
use protocols::iak;
use protocols::sandbox::{self, NumberScheme, Sandbox, demo};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::addresses;
use crate::administration::{self, Administration, Holder};
use crate::backups;
use crate::command_line::{IakNumbers, SandboxOptions};
use crate::control::Control;
use crate::dispatch::Dispatch;
use crate::edge::{self, Limits, Traffic};
use crate::metrics::{Metrics, MetricsPage};
use crate::observed::Observed;
use crate::rates;
use crate::system::{SystemClock, SystemEntropy, new_process};

/// The public tokens of the sandbox's admin API. Whoever holds one is called after its role.
const TOKENS: [(&str, Role); 3] = [
    ("sandbox-admin", Role::Administrator),
    ("sandbox-operator", Role::Operator),
    ("sandbox-viewer", Role::Viewer),
];
/// How long calls under way may take to finish at a stop.
const STOP_WITHIN: Duration = Duration::from_secs(30);
/// How many notices of the supplier may wait to be taken in.
const NOTICES_WAITING_MAX: usize = 1024;

/// Runs the sandbox until the process is told to stop.
pub(crate) async fn run(options: SandboxOptions) -> anyhow::Result<()> {
    let metrics = Arc::new(Metrics::new());
    let clock = Arc::new(SystemClock::default());
    let before_migration = storage::sqlite::BeforeMigration {
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        companions: backups::companions(),
    };
    let mut storage_options = storage::sqlite::Options {
        before_migration: Some(before_migration),
        ..storage::sqlite::Options::default()
    };
    storage_options.pipeline.observer = Arc::<Metrics>::clone(&metrics);
    let opened = storage::sqlite::open(&options.data, storage_options, &SystemEntropy)?;
    let (notices, notices_received) = mpsc::channel(NOTICES_WAITING_MAX);
    let settings = sandbox::Settings {
        seed: options.seed,
        iak_numbers: match options.iak_numbers {
            IakNumbers::New => NumberScheme::New,
            IakNumbers::Old => NumberScheme::Old,
        },
    };
    let supplier =
        Sandbox::open(&options.data, settings, Arc::clone(&clock) as Arc<dyn Clock>, notices)?;
    let gateway = Gateway::open(Parts {
        store: Arc::clone(&opened.store),
        reports: Arc::clone(&opened.reports),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        observer: Arc::<Metrics>::clone(&metrics),
        upstreams: vec![Arc::clone(&supplier) as Arc<dyn gateway::ports::Upstream>],
        settings: Settings {
            answer_within: options.answer_within,
            call_within: options.call_within,
            cut_offs: false,
            upstream: UpstreamName::new(sandbox::NAME),
        },
        process: new_process(),
    })
    .await?;
    seed(&gateway).await.context("the demo data could not be stored")?;
    metrics.expect(&gateway.catalogue(), sandbox::NAME);

    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    let address = listener.local_addr().context("the listener has no address")?;
    let ready = Arc::new(AtomicBool::new(true));
    let traffic = Arc::<Traffic>::default();
    let dispatch = Dispatch {
        ready: Arc::clone(&ready),
        iak: iak::Served::new(
            Arc::clone(&gateway),
            iak::Settings {
                tr_id_key: opened.instance_key,
                addresses: addresses::by_merchant(Arc::clone(&gateway)),
                rates: rates::by_merchant(Arc::clone(&gateway)),
            },
        ),
        administration: Box::new(administration(&gateway)),
        control: Some(Box::new(Control::new(Arc::clone(&clock), supplier))),
        metrics: Some(Box::new(MetricsPage {
            metrics: Arc::clone(&metrics),
            traffic: Arc::clone(&traffic),
            reports: Arc::clone(&opened.reports),
            clock,
            data: options.data.clone(),
        })),
    };
    let service =
        Observed { service: Arc::new(dispatch), metrics, entropy: Arc::new(SystemEntropy) };
    println!("{}", welcome(address, &options, &gateway).await?);

    let stop = CancellationToken::new();
    tokio::spawn(stop_at_signal(stop.clone(), ready));
    let resolver = tokio::spawn(Arc::clone(&gateway).run_resolver(stop.clone()));
    tokio::spawn(take_in_notices(Arc::clone(&gateway), notices_received));
    tokio::spawn(recover(Arc::clone(&gateway)));
    let limits = Limits { connections: options.connections, ..Limits::default() };
    edge::serve_counted(listener, limits, Arc::new(service), traffic, stop).await;

    resolver.await.context("the resolver broke off")?;
    if timeout(STOP_WITHIN, gateway.finish_calls()).await.is_err() {
        warn!("some calls did not finish; the next start asks what became of them");
    }
    opened.shutdown.shutdown().await;
    info!("stopped");
    Ok(())
}

/// The admin API under its public tokens. In a sandbox the published keys may be taken over too.
fn administration(gateway: &Arc<Gateway>) -> Administration {
    let holder = |(token, role): (&str, Role)| Holder {
        name: format!("sandbox {}", role.name()),
        role,
        token: token.to_owned(),
    };
    Administration::new(administration::Parts {
        gateway: Arc::clone(gateway),
        entropy: Arc::new(SystemEntropy),
        holders: TOKENS.map(holder).into(),
        is_public: |_| false,
    })
}

/// Stores the demo data once. The credential comes last, so that an interrupted first run is
/// finished by the next.
async fn seed(gateway: &Arc<Gateway>) -> anyhow::Result<()> {
    let now = gateway.now();
    let (credentials, rest): (Vec<_>, Vec<_>) = demo::commands(now)
        .into_iter()
        .partition(|command| matches!(command, Command::PutCredential(_)));
    let catalogue = gateway.catalogue();
    let is_known = |command: &Command| match command {
        Command::PutCredential(credential) => {
            !catalogue.credentials(credential.protocol.as_str(), &credential.identifier).is_empty()
        }
        _ => false,
    };
    if credentials.iter().all(is_known) {
        return Ok(());
    }
    gateway.administer(rest).await?;
    gateway.administer(credentials).await?;
    Ok(())
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
async fn stop_at_signal(stop: CancellationToken, ready: Arc<AtomicBool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        error!("signals cannot be received; stop the process with SIGKILL");
        return;
    };
    let mut received = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    received().await;
    info!("stopping");
    ready.store(false, Ordering::Release);
    stop.cancel();
    received().await;
    warn!("stopped at once");
    std::process::exit(130);
}

/// What the first screen says. The commands work as they are, also an hour later.
async fn welcome(
    address: SocketAddr,
    options: &SandboxOptions,
    gateway: &Arc<Gateway>,
) -> anyhow::Result<String> {
    let program = std::env::current_exe().context("the program does not know where it is")?;
    let program = program.display();
    let data = options.data.display();
    let url = format!("http://{address}/api/v1/bill/check");
    let curl = format!("curl -s -H 'Content-Type: application/json' -d @- {url}");
    let mut text = String::new();
    writeln!(text, "Lunas sandbox siap · is ready: http://{address}  (data: {data})")?;
    let catalogue = gateway.catalogue();
    if let Some(merchant) = demo::merchants().first().and_then(|it| catalogue.merchant(it.id)) {
        let balance = gateway.balance(merchant).await?;
        let (name, balance) = (&merchant.name, rupiah(balance));
        writeln!(text, "{name}, saldo · balance {balance}")?;
    }
    writeln!(text, "IAK: username 081200001111, api_key 9f1c2ab34de5f678")?;
    writeln!(text, "Admin API: Authorization: Bearer {}", TOKENS[0].0)?;
    writeln!(text)?;
    writeln!(text, "Cek tagihan · ask what is owed:")?;
    writeln!(text, "  {program} sign iak inq-pasca PLNPOSTPAID 530000000000 | {curl}")?;
    writeln!(text, "Bayar · pay it, with the tr_id of the answer:")?;
    writeln!(text, "  {program} sign iak pay-pasca TR_ID | {curl}")?;
    writeln!(text, "Periksa pembukuan · audit the books:")?;
    write!(text, "  {program} verify --data {data}")?;
    Ok(text)
}

/// Rupiah as people write them: `Rp100.000.000`.
fn rupiah(amount: Amount) -> String {
    let digits = amount.minor().to_string();
    let mut text = "Rp".to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rupiah_are_grouped_by_thousands() {
        let table = [(0, "Rp0"), (999, "Rp999"), (1000, "Rp1.000"), (100_000_000, "Rp100.000.000")];
        for (value, text) in table {
            assert_eq!(rupiah(Amount::rupiah(value)), text);
        }
    }
}
