//! Most receivers hang, and the others do not notice: the courier over real sockets.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::callback::{Endpoint, EndpointKey, Rendered};
use domain::{
    Amount, Command, Currency, Delivery, Level, Merchant, MerchantId, MerchantStatus, Mode,
    Outcome, Price, ProcessId, Product, ProductId, ProductStatus, ProtocolName, Reference,
    Repetition, Secret, Timestamp, TopUp, UpstreamName,
};
use gateway::courier::{self, Courier};
use gateway::in_memory::InMemory;
use gateway::observer::Nobody;
use gateway::ports::{CallbackWriter, News, Purchase, StatusBy, Supplied, Upstream};
use gateway::{Gateway, TopUpRequest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::resolver::SystemResolver;
use super::*;
use crate::configuration;
use crate::system::SystemEntropy;

const MERCHANTS: u32 = 1000;
/// Every merchant but each tenth has a receiver that hangs.
const SOUND_EACH: u32 = 10;
const ORDERS_EACH: u32 = 3;
/// Both ends of a connection are in this process.
const FILES_NEEDED: u64 = 8192;
/// How long nothing may arrive before the test gives up.
const PATIENCE: Duration = Duration::from_secs(30);
const PROTOCOL: &str = "test";

/// A clock that the test moves by nothing but real time.
struct Running {
    begun: Instant,
    at_begin: AtomicI64,
}

impl Clock for Running {
    fn now(&self) -> Timestamp {
        let begin = Timestamp::from_milliseconds(self.at_begin.load(Ordering::Relaxed));
        begin.after(self.begun.elapsed())
    }
}

/// Delivers at once.
struct Supplier(UpstreamName);

#[async_trait]
impl Upstream for Supplier {
    fn name(&self) -> &UpstreamName {
        &self.0
    }

    fn status_by(&self) -> StatusBy {
        StatusBy::Repeating
    }

    async fn pay(&self, _purchase: Purchase) -> Supplied {
        let (cost, serial_number) = (Amount::rupiah(900_u32), "SN".to_owned());
        Outcome::Delivered(Delivery { cost, serial_number, details: None }).into()
    }
}

/// Writes the reference.
struct Writer;

impl CallbackWriter for Writer {
    fn protocol(&self) -> &'static str {
        PROTOCOL
    }

    fn render(&self, news: News<'_>) -> Rendered {
        let body = news.order.key.reference.as_str().as_bytes().to_vec();
        Rendered { headers: Vec::new(), body }
    }
}

/// A receiver that takes connections and never answers. It keeps them.
async fn hanging() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            kept.push(stream);
        }
    });
    address
}

/// A receiver that answers at once, and tells which reference came when.
async fn sound(arrived: mpsc::UnboundedSender<(String, Instant)>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let arrived = arrived.clone();
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"~") {
                    request.push(stream.read_u8().await.unwrap());
                }
                let text = String::from_utf8(request).unwrap();
                let (_, reference) = text.split_once("\r\n\r\n").unwrap();
                arrived.send((reference.to_owned(), Instant::now())).unwrap();
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
            });
        }
    });
    address
}

fn merchant(id: MerchantId) -> Merchant {
    Merchant {
        id,
        name: format!("Toko {id}"),
        currency: Currency::Idr,
        level: Level("retail".to_owned()),
        status: MerchantStatus::Active,
        addresses: Vec::new(),
        rate_limit: None,
        repetition: Repetition::Free,
    }
}

fn product() -> Product {
    let price = Price {
        level: Level("retail".to_owned()),
        protocol: None,
        amount: Amount::rupiah(1000_u32),
    };
    Product {
        id: ProductId::new("credit"),
        name: "Credit".to_owned(),
        group: "credit".to_owned(),
        province: None,
        status: ProductStatus::Active,
        aliases: vec![domain::Alias {
            protocol: ProtocolName::new(PROTOCOL),
            code: "CREDIT".to_owned(),
        }],
        terms: Vec::new(),
        cut_off: None,
        channel: None,
        top_up: Some(TopUp {
            operator: "operator".to_owned(),
            denomination: "1000".to_owned(),
            details: String::new(),
            active_days: 0,
            cost: None,
            prices: vec![price],
        }),
    }
}

fn endpoint(merchant: MerchantId, address: SocketAddr) -> Command {
    Command::PutEndpoint(Endpoint {
        key: EndpointKey { merchant, protocol: ProtocolName::new(PROTOCOL) },
        url: format!("http://{address}/{merchant}"),
        secret: Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        stopped_at: None,
    })
}

async fn gateway(store: &Arc<InMemory>, clock: &Arc<Running>) -> Arc<Gateway> {
    let upstream = UpstreamName::new("supplier");
    let second = Duration::from_secs(1);
    Gateway::open(gateway::Parts {
        store: Arc::clone(store) as _,
        reports: Arc::clone(store) as _,
        collections: Arc::clone(store) as _,
        clock: Arc::clone(clock) as _,
        observer: Arc::new(Nobody),
        upstreams: vec![Arc::new(Supplier(upstream.clone()))],
        settings: gateway::Settings {
            answer_within: second,
            call_within: second,
            cut_offs: false,
            upstream: upstream.clone(),
            test_upstream: upstream,
        },
        process: ProcessId(1),
    })
    .await
    .unwrap()
}

/// With the settings that the program has by default.
fn courier(gateway: &Arc<Gateway>, store: &Arc<InMemory>, clock: &Arc<Running>) -> Arc<Courier> {
    let settings = configuration::defaults().callbacks;
    let messenger = HttpMessenger::new(Parts {
        settings: Settings {
            connect_within: settings.connect_within,
            try_within: settings.try_within,
            policy: Policy::new(vec!["127.0.0.0/8".parse().unwrap()]),
        },
        encryption: Encryption::new(None).unwrap(),
        resolver: Arc::new(SystemResolver::new()),
        clock: Arc::clone(clock) as _,
    });
    Courier::new(courier::Parts {
        gateway: Arc::clone(gateway),
        reports: Arc::clone(store) as _,
        writers: vec![Arc::new(Writer)],
        messenger: Arc::new(messenger),
        entropy: Arc::new(SystemEntropy),
        settings: courier::Settings {
            retries: settings.retries,
            per_endpoint: settings.per_endpoint,
            at_once: settings.at_once,
            lease: settings.try_within.saturating_add(Duration::from_secs(60)),
            fallback: None,
        },
    })
}

async fn buy(gateway: &Arc<Gateway>, merchant: MerchantId, reference: &str) {
    let merchant = gateway.catalogue().merchant(merchant).cloned().unwrap();
    let request = TopUpRequest {
        merchant,
        protocol: ProtocolName::new(PROTOCOL),
        mode: Mode::Test,
        reference: Reference::new(reference),
        code: "CREDIT".to_owned(),
        destination: "0812".to_owned(),
        dialect: String::new(),
        calls_back: true,
        answer_within: None,
    };
    gateway.buy(request).await.unwrap();
}

/// 900 of 1,000 receivers hang; the first tries of the others arrive as ever.
#[tokio::test]
async fn nine_hundred_of_a_thousand_receivers_hang() {
    if crate::open_files::raise_limit() < FILES_NEEDED {
        eprintln!("SKIPPED: {FILES_NEEDED} open files are needed, so this test did not run");
        assert!(std::env::var_os("LUNAS_SKIPPED_TESTS_FAIL").is_none(), "too few open files");
        return;
    }
    let store = Arc::<InMemory>::default();
    let at_begin = AtomicI64::new(1_700_000_000_000);
    let clock = Arc::new(Running { begun: Instant::now(), at_begin });
    let gateway = gateway(&store, &clock).await;
    let (sender, mut arrivals) = mpsc::unbounded_channel();
    let (hanging, sound) = (hanging().await, sound(sender).await);
    let is_sound = |id: u32| id.is_multiple_of(SOUND_EACH);
    let mut commands = vec![Command::PutProduct(product())];
    for id in 1..=MERCHANTS {
        let address = if is_sound(id) { sound } else { hanging };
        commands.push(Command::PutMerchant(merchant(MerchantId(id))));
        commands.push(endpoint(MerchantId(id), address));
    }
    gateway.administer(commands).await.unwrap();
    let stop = CancellationToken::new();
    let running = tokio::spawn(courier(&gateway, &store, &clock).run(stop.clone()));

    let bought = Mutex::new(BTreeMap::new());
    for round in 0..ORDERS_EACH {
        for id in 1..=MERCHANTS {
            let reference = format!("{id}-{round}~");
            bought.lock().unwrap().insert(reference.clone(), Instant::now());
            buy(&gateway, MerchantId(id), &reference).await;
        }
    }
    let expected = usize::try_from(MERCHANTS / SOUND_EACH * ORDERS_EACH).unwrap();
    let mut waits = Vec::new();
    while waits.len() < expected {
        let arrival = timeout(PATIENCE, arrivals.recv()).await;
        let (reference, at) = arrival.unwrap_or_else(|_| panic!("{} came", waits.len())).unwrap();
        waits.push(at.duration_since(bought.lock().unwrap()[&reference]));
    }
    waits.sort();
    let p99 = waits[expected * 99 / 100];
    println!("first tries: median {:?}, p99 {p99:?}", waits[expected / 2]);
    assert!(p99 < Duration::from_secs(2), "{p99:?}");
    stop.cancel();
    running.abort();
}
