//! The configuration as the program reads it: every value in its own type, nothing left to parse.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use domain::{Currency, ProductId, Role, UpstreamName};
use ipnet::IpNet;

use super::base_url::BaseUrl;
use super::choice::{Choice, IakNumbers, LogFormat, Senders, UpstreamKind};
use super::name::Name;
use super::resolve::Resolution;
use super::secret::Secret;
use super::value::Value;

/// Everything that an operator may set.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    /// Where it listens.
    pub(crate) server: Server,
    /// TLS of the merchant APIs; without it they are served in clear, behind a reverse proxy.
    pub(crate) tls: Option<Tls>,
    /// The folder of the books.
    pub(crate) data_directory: PathBuf,
    /// The file with the key under which credentials are sealed, see [`super::sealing`].
    pub(crate) key_file: PathBuf,
    /// Who may use the admin API, by the name that stands in the audit record.
    pub(crate) admin_tokens: BTreeMap<Name, AdminToken>,
    /// Deadlines and rules of orders.
    pub(crate) orders: Orders,
    /// How merchants are called back.
    pub(crate) callbacks: Callbacks,
    /// Limits for callers.
    pub(crate) limits: Limits,
    /// The log.
    pub(crate) log: Log,
    /// The log of exchanges with merchants.
    pub(crate) exchanges: Exchanges,
    /// The OTLP collector to which traces are sent, if any.
    pub(crate) otlp_endpoint: Option<BaseUrl>,
    /// Backups.
    pub(crate) backup: Backup,
    /// Who may tell that money came in.
    pub(crate) evidence: BTreeMap<Name, EvidenceSource>,
    /// Suppliers.
    pub(crate) upstreams: BTreeMap<UpstreamName, Upstream>,
    /// Which suppliers are asked for which product.
    pub(crate) routes: Routes,
}

/// Where it listens.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// For the merchant APIs.
    pub(crate) listen: SocketAddr,
    /// For the admin API and metrics.
    pub(crate) admin_listen: SocketAddr,
    /// Whether metrics are served on the admin address.
    pub(crate) metrics: bool,
    /// The address that merchants see, for the operator and for links. `None` takes the address on
    /// which it listens, which then is a particular one.
    pub(crate) public_url: Option<BaseUrl>,
    /// Who is believed about the caller's address.
    pub(crate) trusted_proxies: Vec<IpNet>,
    /// The most connections at once.
    pub(crate) connections: usize,
}

/// The files of a certificate.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    /// The certificate and its chain, PEM.
    pub(crate) certificate: PathBuf,
    /// Its private key, PEM.
    pub(crate) key: PathBuf,
}

/// A bearer token of the admin API.
#[derive(Debug, Clone)]
pub(crate) struct AdminToken {
    /// What its holder may do.
    pub(crate) role: Role,
    /// The token.
    pub(crate) token: Secret,
}

/// Deadlines and rules of orders.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    /// How long a merchant waits for an outcome before being told *pending*.
    pub(crate) answer_within: Duration,
    /// How long one call to an upstream may take before its outcome counts as unknown.
    pub(crate) call_within: Duration,
    /// Whether daily closing hours of products are honoured.
    pub(crate) cut_offs: bool,
}

/// How merchants are called back.
#[derive(Debug, Clone)]
pub(crate) struct Callbacks {
    /// How long after one try the next one is due. After the last of them the callback is given up.
    pub(crate) retries: Vec<Duration>,
    /// How many tries one address may have under way.
    pub(crate) per_endpoint: u32,
    /// How many tries may be under way in all.
    pub(crate) at_once: usize,
    /// How long a connection may take to be made.
    pub(crate) connect_within: Duration,
    /// How long a whole try may take.
    pub(crate) try_within: Duration,
    /// Networks that are not public and may be called all the same.
    pub(crate) allow_networks: Vec<IpNet>,
    /// Certificates of issuers that are believed besides the public ones, PEM.
    pub(crate) ca_file: Option<PathBuf>,
}

/// Limits for callers; `None` is no limit.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Requests per second of one merchant in the long run.
    pub(crate) requests_per_second: Option<NonZeroU32>,
    /// Requests of one merchant that may come at once.
    pub(crate) burst: NonZeroU32,
    /// Wrong signatures per minute from one address.
    pub(crate) failed_signatures_per_minute: Option<NonZeroU32>,
    /// The longest body of a request, in bytes.
    pub(crate) body_bytes: usize,
}

/// The log.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    /// What is logged; `EnvFilter` understands it.
    pub(crate) filter: String,
    /// In which form.
    pub(crate) format: LogFormat,
}

/// The log of exchanges with merchants.
#[derive(Debug, Clone)]
pub(crate) struct Exchanges {
    /// How many of one second are kept; none turns the log off.
    pub(crate) per_second: Option<NonZeroU32>,
    /// For how many days.
    pub(crate) keep_days: u32,
    /// The largest that the file may become, in bytes.
    pub(crate) file_bytes: usize,
}

/// Backups.
#[derive(Debug, Clone)]
pub(crate) struct Backup {
    /// How often the server makes one by itself, if it does.
    pub(crate) every: Option<Duration>,
    /// Their folder.
    pub(crate) directory: PathBuf,
    /// How many are kept.
    pub(crate) keep: NonZeroU32,
}

/// A feed that tells of money.
#[derive(Debug, Clone)]
pub(crate) struct EvidenceSource {
    /// Signs what it sends.
    pub(crate) secret: Secret,
    /// The channel of which it speaks.
    pub(crate) channel: ProductId,
    /// The currency in which it does.
    pub(crate) currency: Currency,
    /// From where it may call; none is from everywhere.
    pub(crate) networks: Vec<IpNet>,
    /// How it writes senders.
    pub(crate) senders: Senders,
}

/// A supplier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Upstream {
    /// The one that is built in.
    Sandbox {
        /// From which it makes its bills.
        seed: u64,
        /// Which scheme of IAK test numbers holds.
        iak_numbers: IakNumbers,
    },
}

/// Which suppliers are asked for which product, in order. Every name is that of an upstream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Routes {
    /// For these products.
    pub(crate) by_product: BTreeMap<ProductId, Vec<UpstreamName>>,
    /// For every other product; empty if there is no such route.
    pub(crate) otherwise: Vec<UpstreamName>,
}

impl Configuration {
    /// Takes every value out of a resolution that has no faults.
    pub(super) fn from_resolution(resolution: &Resolution) -> Self {
        let it = resolution;
        let certificate: Option<PathBuf> = it.optional("tls.certificate");
        Self {
            server: Server {
                listen: it.value("server.listen"),
                admin_listen: it.value("server.admin_listen"),
                metrics: it.value("server.metrics"),
                public_url: it.optional("server.public_url"),
                trusted_proxies: it.value("server.trusted_proxies"),
                connections: it.value("server.connections"),
            },
            tls: certificate
                .zip(it.optional("tls.key"))
                .map(|(certificate, key)| Tls { certificate, key }),
            data_directory: it.value("data.directory"),
            key_file: it.value("secrets.key_file"),
            admin_tokens: it.each("admin_token", |key| AdminToken {
                role: it.choice(&key("role")),
                token: it.value(&key("token")),
            }),
            orders: Orders {
                answer_within: it.value("gateway.answer_within"),
                call_within: it.value("gateway.call_within"),
                cut_offs: it.value("gateway.cut_offs"),
            },
            callbacks: Callbacks {
                retries: it.value("callbacks.retries"),
                per_endpoint: it.value("callbacks.per_endpoint"),
                at_once: it.value("callbacks.at_once"),
                connect_within: it.value("callbacks.connect_within"),
                try_within: it.value("callbacks.try_within"),
                allow_networks: it.value("callbacks.allow_networks"),
                ca_file: it.optional("callbacks.ca_file"),
            },
            limits: Limits {
                requests_per_second: NonZeroU32::new(it.value("limits.requests_per_second")),
                burst: it.value("limits.burst"),
                failed_signatures_per_minute: NonZeroU32::new(
                    it.value("limits.failed_signatures_per_minute"),
                ),
                body_bytes: it.value("limits.body_size"),
            },
            log: Log { filter: it.value("log.filter"), format: it.choice("log.format") },
            exchanges: Exchanges {
                per_second: NonZeroU32::new(it.value("exchanges.per_second")),
                keep_days: it.value("exchanges.keep_days"),
                file_bytes: it.value("exchanges.file_size"),
            },
            otlp_endpoint: it.optional("telemetry.otlp_endpoint"),
            backup: Backup {
                every: it.optional("backup.every"),
                directory: it.value("backup.directory"),
                keep: it.value("backup.keep"),
            },
            evidence: it.each("evidence", |key| EvidenceSource {
                secret: it.value(&key("secret")),
                channel: ProductId::new(it.value::<String>(&key("channel"))),
                currency: it.choice(&key("currency")),
                networks: it.value(&key("networks")),
                senders: it.choice(&key("senders")),
            }),
            upstreams: it
                .each("upstream", |key| match it.choice(&key("kind")) {
                    UpstreamKind::Sandbox => Upstream::Sandbox {
                        seed: it.value(&key("seed")),
                        iak_numbers: it.choice(&key("iak_numbers")),
                    },
                })
                .into_iter()
                .map(|(name, upstream)| (UpstreamName::new(name.as_str()), upstream))
                .collect(),
            routes: routes(it),
        }
    }
}

fn routes(resolution: &Resolution) -> Routes {
    let mut routes = Routes::default();
    for name in resolution.names("route") {
        let product: String = resolution.value(&format!("route.{name}.product"));
        let names: Vec<Name> = resolution.value(&format!("route.{name}.upstreams"));
        let upstreams = names.iter().map(|name| UpstreamName::new(name.as_str())).collect();
        if product == "*" {
            routes.otherwise = upstreams;
        } else {
            routes.by_product.insert(ProductId::new(product), upstreams);
        }
    }
    routes
}

impl Resolution {
    /// The value of a key, if it is there and of this type.
    pub(super) fn find<T: Typed>(&self, key: &str) -> Option<T> {
        self.values.get(key).and_then(|resolved| T::from_value(&resolved.value))
    }

    fn value<T: Typed>(&self, key: &str) -> T {
        self.find(key).expect("the list gives every key a value of one kind; tests read them all")
    }

    fn optional<T: Typed>(&self, key: &str) -> Option<T> {
        match self.values.get(key) {
            Some(resolved) if matches!(resolved.value, Value::Nothing) => None,
            _ => Some(self.value(key)),
        }
    }

    fn choice<T: Choice>(&self, key: &str) -> T {
        let word: String = self.value(key);
        T::from_word(&word).expect("its kind accepts only the words of this choice")
    }

    /// Makes something of each table of a name; the closure gets what completes its keys.
    fn each<T>(
        &self,
        table: &str,
        make: impl Fn(&dyn Fn(&str) -> String) -> T,
    ) -> BTreeMap<Name, T> {
        let make = |name: &Name| make(&|key: &str| format!("{table}.{name}.{key}"));
        self.names(table).iter().map(|name| (name.clone(), make(name))).collect()
    }
}

/// What can be taken out of a value.
pub(super) trait Typed: Sized {
    /// The content, if the value is of the right kind.
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! typed {
    ($($type:ty: $pattern:pat => $content:expr;)+) => {
        $(impl Typed for $type {
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    $pattern => $content,
                    _ => None,
                }
            }
        })+
    };
}

/// A count, or a size in bytes.
impl Typed for usize {
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => Self::try_from(*number).ok(),
            Value::Size(bytes) => Self::try_from(*bytes).ok(),
            _ => None,
        }
    }
}

typed! {
    SocketAddr: Value::Address(address) => Some(*address);
    BaseUrl: Value::BaseUrl(url) => Some(url.clone());
    Vec<IpNet>: Value::Networks(networks) => Some(networks.clone());
    u64: Value::Integer(number) => u64::try_from(*number).ok();
    u32: Value::Integer(number) => u32::try_from(*number).ok();
    NonZeroU32: Value::Integer(number) => u32::try_from(*number).ok().and_then(NonZeroU32::new);
    Duration: Value::Duration(duration) => Some(*duration);
    Vec<Duration>: Value::Durations(durations) => Some(durations.clone());
    bool: Value::Boolean(boolean) => Some(*boolean);
    PathBuf: Value::Path(path) => Some(path.clone());
    String: Value::Text(text) => Some(text.clone());
    Vec<Name>: Value::Names(names) => Some(names.clone());
    Secret: Value::Secret(secret) => Some(secret.clone());
}
