//! A gateway with two merchants, two channels and two feeds, and what feeds send to it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::product::Fee;
use domain::{
    Alias, Channel, Command, Currency, Detail, Flow, Level, Merchant, MerchantId, MerchantStatus,
    Order, OrderId, ProcessId, Product, ProductId, ProductStatus, ProtocolName, Reference,
    Repetition, Secret, Timestamp, UpstreamName,
};
use domain::{Amount, EvidenceState};
use gateway::collect::{Told, told};
use gateway::in_memory::InMemory;
use gateway::ports::Clock;
use gateway::standard_webhooks::{SIGNATURE, headers};
use gateway::{CollectionRequest, Gateway, Parts};
use http::{Method, Request};
use serde_json::Value;

use crate::admission::AnySignature;
use crate::exchange::{Answer, Arrival, BodyFault, Serve};
use crate::feed::{Served, Source};

/// 1 June 2026, 12:00:00 in Jakarta.
pub(super) const NOW: i64 = 1_780_290_000_000;
pub(super) const BANK: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(super) const SIM: &str = "whsec_c2ltLXJlYWRlci1zaW0tcmVhZGVyLXNpbQ==";
/// What collections wait for.
pub(super) const DUE: u32 = 10_000;
const PROTOCOL: &str = "test";
pub(super) const JSON: &str = "application/json";

pub(super) struct StandingClock(AtomicI64);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.0.load(Ordering::SeqCst))
    }
}

pub(super) struct World {
    pub(super) served: Served,
    pub(super) gateway: Arc<Gateway>,
    pub(super) memory: Arc<InMemory>,
    pub(super) clock: Arc<StandingClock>,
}

pub(super) fn merchant(id: u32) -> Merchant {
    Merchant {
        id: MerchantId(id),
        name: "Toko Contoh".to_owned(),
        currency: Currency::Idr,
        level: Level("retail".to_owned()),
        status: MerchantStatus::Active,
        addresses: Vec::new(),
        rate_limit: None,
        repetition: Repetition::Free,
    }
}

fn channel(id: &str, flow: Flow) -> Command {
    Command::PutProduct(Product {
        id: ProductId::new(id),
        name: id.to_owned(),
        group: "channel".to_owned(),
        province: None,
        status: ProductStatus::Active,
        aliases: vec![Alias { protocol: ProtocolName::new(PROTOCOL), code: id.to_owned() }],
        terms: Vec::new(),
        cut_off: None,
        top_up: None,
        channel: Some(Channel {
            flow,
            currencies: vec![Currency::Idr],
            fee: Fee::default(),
            rate_hundredths: None,
            account: String::new(),
            amount_max: None,
        }),
    })
}

pub(super) fn source(name: &str, secret: &str, channel: &str) -> Source {
    Source {
        name: name.to_owned(),
        secret: Secret::new(secret),
        channel: ProductId::new(channel),
        currency: Currency::Idr,
        peers: Arc::new(|peer| peer == Ipv4Addr::LOCALHOST),
        senders_are_numbers: name == "sim",
    }
}

impl World {
    pub(super) async fn new() -> Self {
        let memory = Arc::new(InMemory::default());
        let clock = Arc::new(StandingClock(AtomicI64::new(NOW)));
        let gateway = Gateway::open(Parts {
            store: memory.clone(),
            reports: memory.clone(),
            collections: memory.clone(),
            clock: clock.clone(),
            observer: Arc::new(gateway::observer::Nobody),
            upstreams: Vec::new(),
            settings: gateway::Settings {
                answer_within: Duration::from_secs(25),
                call_within: Duration::from_secs(60),
                cut_offs: true,
                upstream: UpstreamName::new("nobody"),
                test_upstream: UpstreamName::new("nobody"),
            },
            process: ProcessId(1),
        })
        .await
        .expect("memory does not fail");
        let commands = vec![
            Command::PutMerchant(merchant(1)),
            Command::PutMerchant(merchant(2)),
            channel("transfer", Flow::In),
            channel("credit", Flow::In),
            channel("out", Flow::Out),
        ];
        gateway.administer(commands).await.expect("memory does not fail");
        let sources = [
            source("bank", BANK, "transfer"),
            source("sim", SIM, "credit"),
            source("outgoing", BANK, "out"),
            source("nowhere", BANK, "none"),
            Source { currency: Currency::Thb, ..source("baht", BANK, "transfer") },
            Source { peers: Arc::new(|_| false), ..source("locked", BANK, "transfer") },
        ];
        let served = Served::new(Arc::clone(&gateway), sources, Arc::new(AnySignature));
        Self { served, gateway, memory, clock }
    }

    pub(super) fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Begins to wait for [`DUE`] through a channel, for two minutes.
    pub(super) async fn open(&self, owner: u32, reference: &str, channel: &str) -> Arc<Order> {
        let request = CollectionRequest {
            merchant: Arc::new(merchant(owner)),
            protocol: ProtocolName::new(PROTOCOL),
            reference: Reference::new(reference),
            code: channel.to_owned(),
            destination: "payer".to_owned(),
            due: Amount::rupiah(DUE),
            gross: Amount::rupiah(DUE),
            particulars: Detail::none(),
            return_url: None,
            dialect: String::new(),
            calls_back: true,
            callback_url: None,
            lifetime: Some(Duration::from_secs(120)),
            fingerprint: [1; 32],
        };
        self.gateway.open_collection(request).await.expect("opened").order
    }

    /// The payer tells from where the money is.
    pub(super) async fn tell(&self, order: &Order, sender: &str) -> Arc<Order> {
        let particulars = vec![(told::SENDER.to_owned(), Detail::Text(sender.to_owned()))];
        let told = Told { particulars, reference: None };
        let owner = merchant(order.key.merchant.0);
        self.gateway.tell_collection(&owner, order.id, told).await.expect("told").order
    }

    pub(super) async fn state(&self, order: &Order) -> &'static str {
        let owner = merchant(order.key.merchant.0);
        self.gateway.order(&owner, order.id).await.expect("there").state.name()
    }

    pub(super) async fn balance(&self, owner: u32) -> i64 {
        self.gateway.balance(&merchant(owner)).await.expect("memory does not fail").minor()
    }

    pub(super) async fn send(&self, request: Request<Result<Bytes, BodyFault>>) -> Answer {
        let (head, body) = request.into_parts();
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.served.serve(Arrival { head, body, peer, note: None }).await
    }

    /// A body that this source signed just now.
    pub(super) fn signed(
        &self,
        (source, secret): (&str, &str),
        kind: &str,
        body: impl Into<Bytes>,
    ) -> Request<Result<Bytes, BodyFault>> {
        let body = body.into();
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("/lunas/evidence/{source}"))
            .header("Content-Type", kind);
        for (name, value) in headers("msg_1", self.clock.now(), &Secret::new(secret), &body) {
            request = request.header(name, value);
        }
        request.body(Ok(body)).expect("a request")
    }

    /// What the bank's feed is answered.
    pub(super) async fn bank(&self, kind: &str, body: &str) -> (u16, Value) {
        read(&self.send(self.signed(("bank", BANK), kind, body.to_owned())).await)
    }

    /// What the SIM reader is answered.
    pub(super) async fn sim(&self, body: &str) -> (u16, Value) {
        read(&self.send(self.signed(("sim", SIM), JSON, body.to_owned())).await)
    }

    /// What became of the one row that a feed sent.
    pub(super) async fn row(&self, body: &str) -> Value {
        let (status, answer) = self.bank(JSON, body).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["rows"].as_array().map(Vec::len), Some(1));
        answer["rows"][0].clone()
    }

    /// How many pieces of evidence are in this state.
    pub(super) async fn count(&self, state: &str) -> usize {
        let reports = self.gateway.collections();
        let page = reports.evidence_list(Some(state), None, 10_000).await;
        let items = page.expect("memory does not fail").items;
        assert!(items.iter().all(|it| it.state != EvidenceState::Open), "{items:?}");
        items.len()
    }
}

/// A row that came in a second after noon.
pub(super) fn row(id: &str, amount: u32, sender: &str) -> String {
    serde_json::json!({
        "id": id, "at": "2026-06-01 12:00:01", "amount": amount, "sender": sender,
    })
    .to_string()
}

pub(super) fn read(answer: &Answer) -> (u16, Value) {
    let status = answer.status().as_u16();
    let kind = if status == 200 { JSON } else { "application/problem+json" };
    assert_eq!(answer.headers()["Content-Type"], kind);
    assert!(!answer.headers().contains_key(SIGNATURE));
    let body: Value = serde_json::from_slice(answer.body()).expect("an answer in JSON");
    assert_eq!(status == 200, body["rows"].is_array(), "{body}");
    if status != 200 {
        assert_eq!(body["status"], status);
    }
    (status, body)
}

pub(super) fn order_number(order: OrderId) -> Value {
    Value::from(order.to_string())
}
