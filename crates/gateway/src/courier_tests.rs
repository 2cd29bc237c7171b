//! Callbacks over an in-memory store, to receivers that do as they are told.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::callback::{EndpointKey, Received, Rendered};
use domain::{
    Callback, CallbackId, CallbackState, Command, Endpoint, MerchantId, Mode, ProcessId,
    ProtocolName, Secret,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::courier::{Courier, Parts, Settings};
use crate::fixtures::{Fixture, OPENING, merchant};
use crate::ports::{CallbackReports, CallbackWriter, Entropy, Handed, Messenger, News, Parcel};
use crate::{Gateway, TopUpRequest};

/// What a receiver does with a parcel.
#[derive(Clone)]
enum Does {
    Answer(u16),
    PutOff(Duration),
    Hang,
}

/// The network: every parcel is noted, and answered as the test has said, or with 200.
#[derive(Default)]
struct Network {
    parcels: Mutex<Vec<Parcel>>,
    will: Mutex<VecDeque<Does>>,
    hanging: Mutex<Vec<String>>,
    arrived: Notify,
}

impl Network {
    fn parcels(&self) -> Vec<Parcel> {
        self.parcels.lock().unwrap().clone()
    }
}

#[async_trait]
impl Messenger for Network {
    async fn send(&self, parcel: Parcel) -> Handed {
        let hangs = self.hanging.lock().unwrap().contains(&parcel.url);
        self.parcels.lock().unwrap().push(parcel);
        self.arrived.notify_one();
        let does = if hangs { Some(Does::Hang) } else { self.will.lock().unwrap().pop_front() };
        let (status, retry_after) = match does {
            None => (200, None),
            Some(Does::Answer(status)) => (status, None),
            Some(Does::PutOff(delay)) => (429, Some(delay)),
            Some(Does::Hang) => std::future::pending().await,
        };
        let received = Received::Answered { status, excerpt: String::new() };
        Handed { received, retry_after }
    }
}

/// Writes a different text each time it is asked.
struct Writer(Mutex<u32>);

impl CallbackWriter for Writer {
    fn protocol(&self) -> &'static str {
        "test"
    }

    fn render(&self, news: News<'_>) -> Rendered {
        let mut asked = self.0.lock().unwrap();
        *asked += 1;
        let body = format!("{} {} {asked}", news.order.key.reference, news.callback.event.name());
        Rendered { headers: Vec::new(), body: body.into_bytes() }
    }
}

struct NoJitter;

impl Entropy for NoJitter {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

struct Post {
    fixture: Fixture,
    network: Arc<Network>,
}

const URL: &str = "https://shop.example/callback";

impl Post {
    async fn new() -> Self {
        let fixture = Fixture::new().await;
        fixture.gateway.administer(vec![endpoint(1, URL)]).await.unwrap();
        Self { fixture, network: Arc::default() }
    }

    fn courier(&self, gateway: &Arc<Gateway>) -> Arc<Courier> {
        Courier::new(Parts {
            gateway: Arc::clone(gateway),
            reports: Arc::clone(&self.fixture.store) as _,
            writers: vec![Arc::new(Writer(Mutex::default()))],
            messenger: Arc::clone(&self.network) as _,
            entropy: Arc::new(NoJitter),
            settings: Settings {
                retries: vec![Duration::from_secs(5), Duration::from_secs(300)],
                per_endpoint: 2,
                at_once: 64,
                lease: Duration::from_secs(60),
                fallback: None,
            },
        })
    }

    /// Buys something for which a callback is then owed.
    async fn owe(&self, merchant_id: u32, reference: &str) {
        let inquiry = self.fixture.inquiry(reference);
        let id = MerchantId(merchant_id);
        let merchant = self.fixture.gateway.catalogue().merchant(id).cloned().unwrap();
        let request = TopUpRequest {
            merchant,
            protocol: inquiry.protocol,
            mode: Mode::Test,
            reference: inquiry.reference,
            code: "PULSA".to_owned(),
            destination: "0812".to_owned(),
            dialect: String::new(),
            calls_back: true,
            answer_within: None,
        };
        self.fixture.gateway.buy(request).await.unwrap();
    }

    async fn callback(&self, id: u64) -> Callback {
        self.fixture.store.callback(CallbackId(id)).await.unwrap().unwrap()
    }

    /// Lets a courier work until this is so.
    async fn until(&self, courier: &Arc<Courier>, so: impl AsyncFn() -> bool) {
        let stop = CancellationToken::new();
        let running = tokio::spawn(Arc::clone(courier).run(stop.clone()));
        while !so().await {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stop.cancel();
        running.await.unwrap();
    }

    async fn until_settled(&self, courier: &Arc<Courier>, id: u64) -> Callback {
        self.until(courier, async || self.callback(id).await.state.due().is_none()).await;
        self.callback(id).await
    }
}

fn endpoint(merchant: u32, url: &str) -> Command {
    Command::PutEndpoint(Endpoint {
        key: key(merchant),
        url: url.to_owned(),
        secret: Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        stopped_at: None,
    })
}

fn key(merchant: u32) -> EndpointKey {
    EndpointKey { merchant: MerchantId(merchant), protocol: ProtocolName::new("test") }
}

fn header<'a>(parcel: &'a Parcel, name: &str) -> &'a str {
    parcel.headers.iter().find(|(it, _)| it == name).map_or("", |(_, value)| value)
}

#[tokio::test(start_paused = true)]
async fn every_end_is_told_with_the_same_name_and_bytes_until_it_is_heard() {
    let post = Post::new().await;
    post.network.will.lock().unwrap().extend([Does::Answer(500), Does::Answer(302)]);
    post.owe(1, "A").await;
    let courier = post.courier(&post.fixture.gateway);
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&courier).run(stop.clone()));
    for (tries, delay) in [(1, 5), (2, 300)] {
        while post.callback(1).await.tries < tries {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let due = post.fixture.gateway.now().after(Duration::from_secs(delay));
        assert_eq!(post.callback(1).await.state, CallbackState::Waiting { due });
        post.fixture.advance(Duration::from_secs(delay));
    }
    while post.callback(1).await.state != CallbackState::Delivered {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.cancel();
    running.await.unwrap();

    let parcels = post.network.parcels();
    assert_eq!(parcels.len(), 3);
    for parcel in &parcels {
        assert_eq!(parcel.url, URL);
        assert_eq!(parcel.rendered.body, b"A succeeded 1");
        assert_eq!(header(parcel, "webhook-id"), header(&parcels[0], "webhook-id"));
        assert!(header(parcel, "webhook-signature").starts_with("v1,"));
    }
    let tries = post.fixture.store.deliveries(CallbackId(1)).await.unwrap();
    assert_eq!(tries.iter().map(|it| it.number).collect::<Vec<_>>(), [1, 2, 3]);
    post.fixture.store.audit().unwrap();
}

#[tokio::test(start_paused = true)]
async fn after_the_last_try_it_stays_visible() {
    let post = Post::new().await;
    post.network.will.lock().unwrap().extend(vec![Does::Answer(500); 9]);
    post.owe(1, "A").await;
    let courier = post.courier(&post.fixture.gateway);
    let settled = async || {
        post.fixture.advance(Duration::from_secs(600));
        post.callback(1).await.state.due().is_none()
    };
    post.until(&courier, settled).await;
    let callback = post.callback(1).await;
    assert_eq!((callback.state, callback.tries), (CallbackState::GivenUp, 3));
    let noted = post.fixture.noting.take();
    let told: Vec<_> = noted.iter().filter(|it| it.starts_with("test ")).collect();
    let refused = "test handed over Refused";
    assert_eq!(told, [refused, refused, refused, "test given up"]);
    assert_eq!(courier.under_way(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_gone_is_left_alone() {
    let post = Post::new().await;
    post.network.will.lock().unwrap().push_back(Does::Answer(410));
    post.owe(1, "A").await;
    let courier = post.courier(&post.fixture.gateway);
    assert_eq!(post.until_settled(&courier, 1).await.state, CallbackState::GivenUp);
    post.owe(1, "B").await;
    let courier = post.courier(&post.fixture.gateway);
    assert_eq!(post.until_settled(&courier, 2).await.state, CallbackState::GivenUp);
    assert_eq!(post.network.parcels().len(), 1);
    let tries = post.fixture.store.deliveries(CallbackId(2)).await.unwrap();
    assert!(matches!(tries[..], [ref it] if it.received == Received::NoAddress));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_may_put_off_the_next_try() {
    let post = Post::new().await;
    post.network.will.lock().unwrap().push_back(Does::PutOff(Duration::from_secs(120)));
    post.owe(1, "A").await;
    let courier = post.courier(&post.fixture.gateway);
    post.until(&courier, async || post.callback(1).await.tries == 1).await;
    let due = post.fixture.gateway.now().after(Duration::from_secs(120));
    assert_eq!(post.callback(1).await.state, CallbackState::Waiting { due });
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_delays_only_itself() {
    let post = Post::new().await;
    let other = domain::Merchant { id: MerchantId(2), ..merchant(domain::MerchantStatus::Active) };
    let commands = vec![Command::PutMerchant(other), endpoint(2, "https://slow.example/")];
    post.fixture.gateway.administer(commands).await.unwrap();
    post.network.hanging.lock().unwrap().push("https://slow.example/".to_owned());
    for number in 0..10 {
        post.owe(2, &format!("slow {number}")).await;
    }
    for number in 0..10 {
        post.owe(1, &format!("quick {number}")).await;
    }
    let courier = post.courier(&post.fixture.gateway);
    let quick_done = async || {
        let mut done = true;
        for id in 11..=20 {
            done &= post.callback(id).await.state == CallbackState::Delivered;
        }
        done
    };
    post.until(&courier, quick_done).await;
    let slow = post.network.parcels().into_iter().filter(|it| it.url.contains("slow")).count();
    assert_eq!(slow, 2, "its share of tries and no more");
}

/// As many addresses hang as tries may be under way: half of the room is left for the others.
#[tokio::test(start_paused = true)]
async fn those_that_fail_leave_room_for_the_others() {
    const SLOW: u32 = 64;
    let post = Post::new().await;
    let mut commands = Vec::new();
    for id in 2..2 + SLOW {
        let active = merchant(domain::MerchantStatus::Active);
        commands.push(Command::PutMerchant(domain::Merchant { id: MerchantId(id), ..active }));
        commands.push(endpoint(id, "https://slow.example/"));
    }
    post.fixture.gateway.administer(commands).await.unwrap();
    let answers = usize::try_from(SLOW).unwrap();
    post.network.will.lock().unwrap().extend(vec![Does::Answer(500); answers]);
    for id in 2..2 + SLOW {
        post.owe(id, "slow").await;
    }
    let courier = post.courier(&post.fixture.gateway);
    let all_failed = async || post.network.parcels().len() == answers;
    let stop = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&courier).run(stop.clone()));
    while !all_failed().await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    post.network.hanging.lock().unwrap().push("https://slow.example/".to_owned());
    post.fixture.advance(Duration::from_secs(10));
    while courier.under_way() < answers / 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    post.owe(1, "quick").await;
    while post.callback(u64::from(SLOW) + 1).await.state != CallbackState::Delivered {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(courier.under_way(), answers / 2);
    stop.cancel();
    running.await.unwrap();
}

/// The process dies while a receiver has the parcel: the next run sends the same again.
#[tokio::test(start_paused = true)]
async fn the_next_run_takes_over_what_was_being_tried() {
    let post = Post::new().await;
    post.network.will.lock().unwrap().push_back(Does::Hang);
    post.owe(1, "A").await;
    let first = post.courier(&post.fixture.gateway);
    let dying = tokio::spawn(first.run(CancellationToken::new()));
    post.network.arrived.notified().await;
    dying.abort();
    let state = post.callback(1).await.state;
    assert!(matches!(state, CallbackState::Leased { owner: ProcessId(1), .. }), "{state:?}");

    let restarted = post.fixture.restarted().await;
    let second = post.courier(&restarted);
    assert_eq!(post.until_settled(&second, 1).await.state, CallbackState::Delivered);
    let parcels = post.network.parcels();
    assert_eq!(parcels.len(), 2);
    assert_eq!(parcels[0].rendered, parcels[1].rendered);
    assert_eq!(header(&parcels[0], "webhook-id"), header(&parcels[1], "webhook-id"));
    assert_eq!(post.fixture.balance().await, i64::from(OPENING));
    assert_eq!(post.fixture.upstream.paid.load(Ordering::Relaxed), 1);
}

/// A merchant that lost the news asks for it, and gets the same bytes once more.
#[tokio::test(start_paused = true)]
async fn a_merchant_has_its_news_sent_once_more() {
    let post = Post::new().await;
    post.owe(1, "A").await;
    let courier = post.courier(&post.fixture.gateway);
    assert_eq!(post.until_settled(&courier, 1).await.state, CallbackState::Delivered);
    let order = post.callback(1).await.order;
    let order = post.fixture.gateway.order_of_any_merchant(order).await.unwrap();
    let owner = merchant(domain::MerchantStatus::Active);
    let stranger = domain::Merchant { id: MerchantId(9), ..owner.clone() };
    assert_eq!(post.fixture.gateway.redeliver(&stranger, &order).await, Ok(0));
    assert_eq!(post.callback(1).await.state, CallbackState::Delivered);
    assert_eq!(post.fixture.gateway.redeliver(&owner, &order).await, Ok(1));
    let courier = post.courier(&post.fixture.gateway);
    assert_eq!(post.until_settled(&courier, 1).await.tries, 2);
    let parcels = post.network.parcels();
    assert_eq!(parcels.len(), 2);
    assert_eq!(parcels[0].rendered, parcels[1].rendered);
    assert_eq!(header(&parcels[0], "webhook-id"), header(&parcels[1], "webhook-id"));
}
