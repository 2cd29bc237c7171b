//! `lunas sandbox`: the program with demo data, one listener for everything, and controls for tests.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

use anyhow::{Context, bail};
use domain::{Amount, Command, Role, Secret, UpstreamName};
use gateway::Gateway;
use gateway::ports::Unsealed;
use ipnet::{IpNet, Ipv4Net};
use protocols::sandbox::{self, demo};

use crate::administration::{self, Administration, Holder};
use crate::catcher::Catcher;
use crate::command_line::SandboxOptions;
use crate::configuration;
use crate::configuration::typed::{Callbacks, Exchanges, Orders};
use crate::control::{self, Control};
use crate::dispatch::Dispatch;
use crate::edge::{self, Limits, Traffic};
use crate::messenger::encryption::Encryption;
use crate::open_files;
use crate::program::{CallbackPlan, Callers, Door, Pages, Plan, Program};
use crate::signals::StopSignals;
use crate::system::SystemEntropy;

/// The public tokens of the sandbox's admin API. Whoever holds one is called after its role.
const TOKENS: [(&str, Role); 3] = [
    ("sandbox-admin", Role::Administrator),
    ("sandbox-operator", Role::Operator),
    ("sandbox-viewer", Role::Viewer),
];

/// How large the log of exchanges may become.
const EXCHANGES_BYTES: usize = 256 << 20;

/// What the demo merchants present, as the references of the protocols name it.
const CREDENTIALS: [&str; 4] = [
    "IAK: username 081200001111, api_key 9f1c2ab34de5f678",
    "isikuota: API id IK-1001, API key ak_live_7f3c9d2e, secret key sk_live_Zx81mQpT",
    "ilenpay: API key ilen-sandbox-key-0001, user demoUser01, webhook secret whsecret-demo",
    "S88pay (THB): OPR001, API key unit-test-api-key, secret key unit-test-secret-key",
];
/// Signs the callbacks of merchants without an address of their own, after the standard that every
/// delivery keeps.
const CALLBACK_SECRET: &str = "whsec_c2FuZGJveC13ZWJob29rLXNlY3JldA==";

/// Runs the sandbox until the process is told to stop.
pub(crate) async fn run(options: SandboxOptions) -> anyhow::Result<()> {
    let signals = StopSignals::listen()?;
    let listener = edge::listen(options.listen)
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    let address = listener.local_addr().context("the listener has no address")?;
    let program = Program::open(Plan {
        data: &options.data,
        upstream: UpstreamName::new(sandbox::NAME),
        stand_in: sandbox::Settings {
            seed: options.seed,
            iak_numbers: options.iak_numbers.into(),
            iak_top_ups_after: options.iak_top_ups_after,
            plays_payers: true,
        },
        orders: Orders {
            answer_within: options.answer_within,
            call_within: options.call_within,
            cut_offs: false,
        },
        callers: Callers::default(),
        callbacks: callback_plan(&options, address)?,
        pages: Pages {
            public_url: format!("http://{}", reachable(address)),
            fallback_url: Some(callback_url(&options, address)),
            sandbox: true,
        },
        feeds: demo::feeds(),
        sealer: Arc::new(Unsealed),
        collector: None,
        exchanges: Exchanges {
            per_second: NonZeroU32::new(500),
            keep_days: 30,
            file_bytes: EXCHANGES_BYTES,
        },
    })
    .await?;
    seed(&program.gateway).await.context("the demo data could not be stored")?;

    let gateway = Arc::clone(&program.gateway);
    let catcher = Catcher::new(Arc::clone(&gateway), program.callbacks());
    let control = Control::new(Arc::clone(&program.clock), Arc::clone(&program.supplier), catcher);
    let traffic = Arc::<Traffic>::default();
    let dispatch = Dispatch {
        ready: Arc::clone(&program.ready),
        protocols: program.protocols(),
        administration: Some(Box::new(administration(&program))),
        control: Some(Box::new(control)),
        metrics: Some(Box::new(program.metrics_page(&traffic))),
    };
    println!("{}", welcome(address, &options, &gateway).await?);
    let limits = Limits { connections: options.connections, ..Limits::default() };
    let service = program.observed(Arc::new(dispatch));
    program.run(vec![Door { listener, certificate: None, limits, service, traffic }], signals).await
}

/// The admin API under its public tokens. In a sandbox the published keys may be taken over too.
fn administration(program: &Program) -> Administration {
    let holder = |(token, role): (&str, Role)| Holder {
        name: format!("sandbox {}", role.name()),
        role,
        token: token.to_owned(),
    };
    Administration::new(administration::Parts {
        gateway: Arc::clone(&program.gateway),
        entropy: Arc::new(SystemEntropy),
        holders: TOKENS.map(holder).into(),
        callbacks: program.callbacks(),
        courier: Arc::clone(&program.courier),
        messenger: Arc::clone(&program.messenger),
        is_public: |_| false,
        exchanges: Arc::clone(&program.exchanges),
        numbers: program.order_numbers(),
    })
}

/// How demo merchants are called back: at the address that was given, or by the catcher behind this
/// program's own listener. Both may be on this machine.
fn callback_plan(options: &SandboxOptions, listener: SocketAddr) -> anyhow::Result<CallbackPlan> {
    let usual = configuration::defaults().callbacks;
    let mut allow_networks = vec![
        IpNet::from(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
        IpNet::from(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        IpNet::from(listener.ip().to_canonical()),
    ];
    allow_networks.extend(&options.callback_allow);
    let at_once = open_files::affordable(usual.at_once, open_files::raise_limit());
    Ok(CallbackPlan {
        settings: Callbacks { allow_networks, at_once, ..usual },
        encryption: Encryption::new(None)?,
        fallback: Some((callback_url(options, listener), Secret::new(CALLBACK_SECRET))),
    })
}

/// Where demo merchants are called back.
fn callback_url(options: &SandboxOptions, listener: SocketAddr) -> String {
    match &options.callback_url {
        Some(url) => url.clone(),
        None => format!("http://{}{}", reachable(listener), control::CALLBACKS_PATH),
    }
}

/// Where a listener can be reached from this machine.
fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
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
    // Nobody may come to hold published credentials beside real ones.
    if catalogue.all_credentials().next().is_some() {
        bail!("the data folder is not that of a sandbox; take another one with --data");
    }
    gateway.administer(rest).await?;
    gateway.administer(credentials).await?;
    Ok(())
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
    let curl = |path: &str| {
        format!("curl -s -H 'Content-Type: application/json' -d @- http://{address}{path}")
    };
    let bill = curl("/api/v1/bill/check");
    let mut text = String::new();
    writeln!(text, "Lunas sandbox siap · is ready: http://{address}  (data: {data})")?;
    let catalogue = gateway.catalogue();
    if let Some(merchant) = demo::merchants().first().and_then(|it| catalogue.merchant(it.id)) {
        let balance = gateway.balance(merchant).await?;
        let (name, balance) = (&merchant.name, rupiah(balance));
        writeln!(text, "{name}, saldo · balance {balance}")?;
    }
    for line in CREDENTIALS {
        writeln!(text, "{line}")?;
    }
    writeln!(text, "Admin API: Authorization: Bearer {}", TOKENS[0].0)?;
    writeln!(text)?;
    writeln!(text, "Cek tagihan · ask what is owed:")?;
    writeln!(text, "  {program} sign iak inq-pasca PLNPOSTPAID 530000000000 | {bill}")?;
    writeln!(text, "Bayar · pay it, with the tr_id of the answer:")?;
    writeln!(text, "  {program} sign iak pay-pasca TR_ID | {bill}")?;
    writeln!(text, "Beli pulsa · buy credit (isikuota):")?;
    let order = curl("/v1/order");
    writeln!(text, "  {program} sign isikuota prepaid TSEL21 081298765432 | {order}")?;
    writeln!(text, "Ceritakan pesanan itu · tell its story:")?;
    writeln!(text, "  {program} explain TR_ID --server http://{address}")?;
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
    use std::collections::BTreeMap;

    use domain::Secret;

    use super::*;
    use crate::program::tests::open;

    /// How many credentials the demo has.
    fn published() -> usize {
        let commands = demo::commands(domain::Timestamp::from_milliseconds(0));
        commands.iter().filter(|it| matches!(it, Command::PutCredential(_))).count()
    }

    #[test]
    fn the_catcher_is_reached_on_this_machine() {
        let table = [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:8080", "[::1]:8080"),
            ("192.0.2.1:8080", "192.0.2.1:8080"),
        ];
        for (listener, url) in table {
            assert_eq!(reachable(listener.parse().unwrap()).to_string(), url);
        }
    }

    #[tokio::test]
    async fn data_with_credentials_of_others_gets_no_published_ones() {
        let folder = tempfile::TempDir::new().unwrap();
        let program = open(folder.path(), Arc::new(Unsealed)).await.unwrap();
        let secrets = BTreeMap::from([("api_key".to_owned(), Secret::new("another"))]);
        let mut commands = demo::commands(program.gateway.now());
        for command in &mut commands {
            if let Command::PutCredential(credential) = command {
                credential.identifier = format!("other-{}", credential.identifier);
                credential.secrets = secrets.clone();
            }
        }
        program.gateway.administer(commands).await.unwrap();
        let fault = seed(&program.gateway).await.unwrap_err().to_string();
        assert!(fault.contains("not that of a sandbox"), "{fault}");
        assert_eq!(program.gateway.catalogue().all_credentials().count(), published());
        program.close().await;
    }

    #[tokio::test]
    async fn a_sandbox_is_seeded_once() {
        let folder = tempfile::TempDir::new().unwrap();
        for _start in 0..2 {
            let program = open(folder.path(), Arc::new(Unsealed)).await.unwrap();
            seed(&program.gateway).await.unwrap();
            assert_eq!(program.gateway.catalogue().all_credentials().count(), published());
            program.close().await;
        }
    }

    #[test]
    fn rupiah_are_grouped_by_thousands() {
        let table = [(0, "Rp0"), (999, "Rp999"), (1000, "Rp1.000"), (100_000_000, "Rp100.000.000")];
        for (value, text) in table {
            assert_eq!(rupiah(Amount::rupiah(value)), text);
        }
    }
}
