//! `lunas serve`: the program for production.
//!
//! It seeds nothing. The merchant APIs and the admin API have listeners of their own, and neither
//! answers on the other's; there are no controls for tests. Data that holds credentials which the
//! documentation publishes is refused, because anybody could spend its merchants' money.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, bail};
use domain::{RateLimit, Secret};
use protocols::exchange::Serve;
use protocols::feed;
use protocols::sandbox::demo;
use tokio::net::TcpListener;
use tracing::warn;

use crate::addresses;
use crate::administration::{self, Administration, Holder};
use crate::caller::BehindProxies;
use crate::configuration::Loaded;
use crate::configuration::choice::Senders;
use crate::configuration::fault::Faults;
use crate::configuration::name::Name;
use crate::configuration::typed::{Callbacks, Configuration, EvidenceSource};
use crate::dispatch::Dispatch;
use crate::edge::{self, Certificate, Limits, Traffic};
use crate::open_files;
use crate::preparation::{self, Preparation};
use crate::program::{CallbackPlan, Callers, Door, Pages, Plan, Program};
use crate::scheduled_backups::{Folder, Schedule};
use crate::signals::{ReloadSignals, StopSignals};
use crate::system::{SystemEntropy, new_process};
use crate::traces::collector::Collector;

/// Where a collector takes traces, below its own address (OTLP/HTTP).
const TRACES: &str = "v1/traces";

/// How many connections the admin listener keeps open at once: people and their scripts.
const ADMIN_CONNECTIONS: usize = 64;

/// Runs the production server until the process is told to stop.
pub(crate) async fn run(loaded: Loaded, preparation: Preparation) -> anyhow::Result<()> {
    let configuration = &loaded.configuration;
    let Preparation { certificate, upstream, stand_in, encryption, sealer } = preparation;
    let open_files = open_files::raise_limit();
    warn_of_what_is_unusual(&loaded, &upstream, certificate.is_some());
    let signals = StopSignals::listen()?;
    tokio::spawn(reload_at_signal(ReloadSignals::listen()?, certificate.clone()));
    let (public, public_address) = listen(&loaded, "server.listen", configuration.server.listen)?;
    let (admin, admin_address) =
        listen(&loaded, "server.admin_listen", configuration.server.admin_listen)?;
    let backups = backups(&loaded)?;
    let scheme = if certificate.is_some() { "https" } else { "http" };
    let public_url = match &configuration.server.public_url {
        Some(url) => url.to_string().trim_end_matches('/').to_owned(),
        None => format!("{scheme}://{public_address}"),
    };
    let mut program = Program::open(Plan {
        data: &configuration.data_directory,
        upstream,
        stand_in,
        orders: configuration.orders.clone(),
        callers: callers(configuration),
        callbacks: CallbackPlan {
            settings: Callbacks {
                at_once: open_files::affordable(configuration.callbacks.at_once, open_files),
                ..configuration.callbacks.clone()
            },
            encryption,
            fallback: None,
        },
        pages: Pages { public_url, fallback_url: None, sandbox: false },
        feeds: feeds(configuration),
        sealer,
        collector: collector(configuration)?,
        exchanges: configuration.exchanges.clone(),
    })
    .await?;
    if let Some(identifier) = public_credential(&program) {
        program.close().await;
        let problem = format!(
            "holds the published sandbox credential {identifier}, with which anybody could spend; \
             write a folder that no sandbox has used"
        );
        bail!(Faults(vec![loaded.effective.fault("data.directory", problem)]));
    }
    if let Some((folder, schedule)) = backups {
        program.back_up_into(folder, schedule);
    }
    println!("Lunas siap · is ready: {scheme}://{public_address}");
    println!("Admin API: http://{admin_address}");
    if let Some(url) = &configuration.server.public_url {
        println!("Alamat bagi merchant · address for merchants: {url}");
    }
    let traffic = Arc::<Traffic>::default();
    let doors = vec![
        Door {
            listener: public,
            certificate,
            limits: Limits {
                connections: configuration.server.connections,
                body_bytes: configuration.limits.body_bytes,
                ..Limits::default()
            },
            service: merchant_service(&program, configuration),
            traffic: Arc::clone(&traffic),
        },
        Door {
            listener: admin,
            certificate: None,
            limits: Limits { connections: ADMIN_CONNECTIONS, ..Limits::default() },
            service: admin_service(&program, configuration, &traffic),
            traffic: Arc::default(),
        },
    ];
    program.run(doors, signals).await
}

/// What callers are held to.
fn callers(configuration: &Configuration) -> Callers {
    let limits = &configuration.limits;
    let rate_limit = limits.requests_per_second.map(|requests_per_second| RateLimit {
        requests_per_second: requests_per_second.get(),
        burst: limits.burst.get(),
    });
    Callers { rate_limit, failed_signatures_per_minute: limits.failed_signatures_per_minute }
}

/// Who may tell that money came in.
fn feeds(configuration: &Configuration) -> Vec<feed::Source> {
    let source = |(name, source): (&Name, &EvidenceSource)| {
        let networks = source.networks.clone();
        feed::Source {
            name: name.to_string(),
            secret: Secret::new(source.secret.expose()),
            channel: source.channel.clone(),
            currency: source.currency,
            peers: Arc::new(move |peer| addresses::is_in(&networks, peer)),
            senders_are_numbers: source.senders == Senders::Telephone,
        }
    };
    configuration.evidence.iter().map(source).collect()
}

/// Who takes traces, if anybody is to.
fn collector(configuration: &Configuration) -> anyhow::Result<Option<Collector>> {
    let Some(endpoint) = &configuration.otlp_endpoint else { return Ok(None) };
    let instance = format!("{:016x}", new_process().0);
    let collector = Collector::at(endpoint.join(TRACES), instance);
    collector.map(Some).context("traces cannot be sent")
}

/// The folder of the backups that the server is to make by itself, and when.
fn backups(loaded: &Loaded) -> anyhow::Result<Option<(Folder, Schedule)>> {
    let backup = &loaded.configuration.backup;
    let Some(every) = backup.every else {
        tracing::info!("no backups are made but by `lunas backup`; see backup.every");
        return Ok(None);
    };
    let folder = Folder::open(&backup.directory)
        .map_err(|problem| Faults(vec![loaded.effective.fault("backup.directory", problem)]))?;
    let keep = usize::try_from(backup.keep.get()).context("backup.keep is too large")?;
    Ok(Some((folder, Schedule { every, keep })))
}

/// Who answers merchants.
fn merchant_service(program: &Program, configuration: &Configuration) -> Arc<dyn Serve> {
    let dispatch = Arc::new(Dispatch {
        ready: Arc::clone(&program.ready),
        protocols: program.protocols(),
        administration: None,
        control: None,
        metrics: None,
    });
    let observed = program.observed(dispatch);
    match configuration.server.trusted_proxies.as_slice() {
        [] => observed,
        trusted => Arc::new(BehindProxies::new(trusted.to_vec(), observed)),
    }
}

/// Who answers operators, and Prometheus about the traffic of merchants.
fn admin_service(
    program: &Program,
    configuration: &Configuration,
    traffic: &Arc<Traffic>,
) -> Arc<dyn Serve> {
    let shows_metrics = configuration.server.metrics;
    let metrics = shows_metrics.then(|| Box::new(program.metrics_page(traffic)) as _);
    let holders = configuration.admin_tokens.iter().map(|(name, holder)| Holder {
        name: name.to_string(),
        role: holder.role,
        token: holder.token.expose().to_owned(),
    });
    let administration = Administration::new(administration::Parts {
        gateway: Arc::clone(&program.gateway),
        entropy: Arc::new(SystemEntropy),
        holders: holders.collect(),
        callbacks: program.callbacks(),
        courier: Arc::clone(&program.courier),
        messenger: Arc::clone(&program.messenger),
        is_public: demo::is_public_credential,
        exchanges: Arc::clone(&program.exchanges),
        numbers: program.order_numbers(),
    });
    program.observed(Arc::new(Dispatch {
        ready: Arc::clone(&program.ready),
        protocols: Vec::new(),
        administration: Some(Box::new(administration)),
        control: None,
        metrics,
    }))
}

/// Listens on the address of a setting, and says on which port when it left that open.
fn listen(
    loaded: &Loaded,
    key: &str,
    address: SocketAddr,
) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = edge::listen(address).map_err(|error| {
        let problem =
            format!("cannot be listened on ({error}); write a free address of this machine");
        Faults(vec![loaded.effective.fault(key, problem)])
    })?;
    let address = listener.local_addr().context("the listener has no address")?;
    Ok((listener, address))
}

/// The identifier of a credential in the data that the documentation publishes.
fn public_credential(program: &Program) -> Option<String> {
    let catalogue = program.gateway.catalogue();
    catalogue
        .all_credentials()
        .filter(|credential| demo::is_public_credential(credential))
        .map(|credential| format!("{} {}", credential.protocol, credential.identifier))
        .min()
}

fn warn_of_what_is_unusual(loaded: &Loaded, upstream: &domain::UpstreamName, is_encrypted: bool) {
    warn!(%upstream, "the supplier is the built-in stand-in: nothing that is sold is delivered");
    if !is_encrypted && !loaded.configuration.server.listen.ip().is_loopback() {
        warn!("merchants are served in clear; set tls.certificate and tls.key, or use a proxy");
    }
    if !loaded.configuration.server.admin_listen.ip().is_loopback() {
        warn!("the admin API is served in clear beyond this machine; keep it off the internet");
    }
    for (key, reason) in preparation::without_effect(loaded) {
        warn!(key, reason, "this setting has no effect");
    }
}

/// Reads the certificate again whenever the operator says that it was renewed. A broken file keeps
/// the old certificate.
async fn reload_at_signal(mut signals: ReloadSignals, certificate: Option<Arc<Certificate>>) {
    loop {
        signals.next().await;
        match certificate.as_deref().map(Certificate::reload) {
            None => tracing::info!("there is no certificate to read again"),
            Some(Ok(())) => tracing::info!("the certificate was read again"),
            Some(Err(fault)) => {
                tracing::error!(%fault, "the certificate was not read again; the old one stays");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use gateway::ports::Unsealed;

    use super::*;
    use crate::program::tests::open;

    #[tokio::test]
    async fn published_credentials_are_found() {
        let folder = tempfile::TempDir::new().unwrap();
        let program = open(folder.path(), Arc::new(Unsealed)).await.unwrap();
        assert_eq!(public_credential(&program), None);
        program.gateway.administer(demo::commands(program.gateway.now())).await.unwrap();
        assert_eq!(public_credential(&program).as_deref(), Some("iak 081200001111"));
        program.close().await;
    }
}
