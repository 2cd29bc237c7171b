//! A gateway with two merchants and every product of the reference, and requests to it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::command::{Fund, FundingKey};
use domain::posting::Direction;
use domain::{
    Amount, Command, Credential, Currency, Level, Merchant, MerchantId, MerchantStatus, OrderId,
    ProcessId, ProtocolName, Repetition, Secret, Timestamp, UpstreamName,
};
use gateway::in_memory::InMemory;
use gateway::{Gateway, Parts};
use http::header::HeaderName;
use http::{Method, Request};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::ports::Supplier;
use super::{bills, top_ups};
use crate::admission::{
    AddressRule, AnySignature, RateRule, SignatureGuard, any_address, any_rate,
};
use crate::exchange::{Answer, Arrival, BodyFault, Serve};
use crate::iak::wire::tr_id::TransactionNumbers;
use crate::iak::{NAME, Served, Settings, sign::sign};
use crate::standing_clock::StandingClock;

pub(super) const USERNAME: &str = "081200001111";
pub(super) const KEY: &str = "9f1c2ab34de5f678";
pub(super) const OTHER_USERNAME: &str = "081200002222";
pub(super) const OTHER_KEY: &str = "00112233445566aa";
pub(super) const TR_ID_KEY: [u8; 32] = [7; 32];
/// 31 January 2024, 15:45:00 in Jakarta.
pub(super) const NOW: i64 = 1_706_690_700_000;
pub(super) const DAY: i64 = 86_400_000;

pub(super) struct World {
    pub(super) served: Served,
    pub(super) gateway: Arc<Gateway>,
    pub(super) memory: Arc<InMemory>,
    pub(super) clock: Arc<StandingClock>,
    pub(super) supplier: Arc<Supplier>,
}

/// What differs from test to test.
pub(super) struct Conditions {
    pub(super) balance: u32,
    pub(super) answer_within: Duration,
    pub(super) addresses: AddressRule,
    pub(super) rates: RateRule,
    pub(super) signatures: Arc<dyn SignatureGuard>,
    pub(super) payments_answered: usize,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            balance: 100_000_000,
            answer_within: Duration::from_secs(25),
            addresses: any_address(),
            rates: any_rate(),
            signatures: Arc::new(AnySignature),
            payments_answered: 1000,
        }
    }
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

fn credential(merchant: u32, identifier: &str, key: &str) -> Credential {
    Credential {
        merchant: MerchantId(merchant),
        protocol: ProtocolName::new(NAME),
        identifier: identifier.to_owned(),
        serial: 1,
        secrets: BTreeMap::from([("api_key".to_owned(), Secret::new(key))]),
        expires_at: None,
        revoked_at: None,
    }
}

impl World {
    pub(super) async fn new() -> Self {
        Self::under(Conditions::default()).await
    }

    pub(super) async fn under(conditions: Conditions) -> Self {
        let memory = Arc::new(InMemory::default());
        let clock = Arc::new(StandingClock(AtomicI64::new(NOW)));
        let supplier = Arc::new(Supplier {
            name: UpstreamName::new("supplier"),
            permits: Semaphore::new(conditions.payments_answered),
            payments: AtomicU64::new(0),
            mails: AtomicU64::new(0),
        });
        let gateway = Gateway::open(Parts {
            store: memory.clone(),
            reports: memory.clone(),
            collections: memory.clone(),
            clock: clock.clone(),
            observer: Arc::new(gateway::observer::Nobody),
            upstreams: vec![supplier.clone()],
            settings: gateway::Settings {
                test_upstream: UpstreamName::new(crate::sandbox::NAME),
                answer_within: conditions.answer_within,
                call_within: Duration::from_secs(60),
                cut_offs: true,
                upstream: UpstreamName::new("supplier"),
            },
            process: ProcessId(1),
        })
        .await
        .expect("memory does not fail");
        let settings = Settings {
            tr_id_key: TR_ID_KEY,
            addresses: conditions.addresses,
            rates: conditions.rates,
            signatures: conditions.signatures,
        };
        let served = Served::new(Arc::clone(&gateway), settings);
        let world = Self { served, gateway, memory, clock, supplier };
        let mut commands = vec![
            Command::PutMerchant(merchant(1)),
            Command::PutMerchant(merchant(2)),
            Command::PutCredential(credential(1, USERNAME, KEY)),
            Command::PutCredential(credential(2, OTHER_USERNAME, OTHER_KEY)),
        ];
        let products = bills::products().into_iter().chain(top_ups::products());
        commands.extend(products.map(Command::PutProduct));
        world.gateway.administer(commands).await.expect("memory does not fail");
        world.fund("opening", 1, conditions.balance).await;
        world.fund("opening", 2, conditions.balance).await;
        world
    }

    pub(super) async fn fund(&self, reference: &str, merchant: u32, amount: u32) {
        let fund = Fund {
            key: FundingKey { merchant: MerchantId(merchant), reference: reference.to_owned() },
            direction: Direction::Credit,
            amount: Amount::rupiah(amount),
            reason: "test".to_owned(),
            at: Timestamp::from_milliseconds(NOW),
        };
        self.gateway.administer(vec![Command::Fund(fund)]).await.expect("funded");
    }

    /// What the first merchant may still spend.
    pub(super) async fn balance(&self) -> i64 {
        self.gateway.balance(&merchant(1)).await.expect("memory does not fail").minor()
    }

    pub(super) fn set_clock(&self, milliseconds: i64) {
        self.clock.0.store(milliseconds, Ordering::SeqCst);
    }

    pub(super) async fn send(&self, request: Request<Result<Bytes, BodyFault>>) -> Answer {
        let (head, body) = request.into_parts();
        let (peer, note) = (IpAddr::V4(Ipv4Addr::LOCALHOST), head.extensions.get().cloned());
        self.served.serve(Arrival { head, body, peer, note }).await
    }

    /// Posts a JSON body to the one path that has commands, and reads `data` of what comes back.
    pub(super) async fn post(&self, body: &Value) -> (u16, Value) {
        let answer = self.send(json(body.to_string())).await;
        let status = answer.status().as_u16();
        let body: Value = serde_json::from_slice(answer.body()).expect("an answer in JSON");
        assert_eq!(body["meta"], Value::Array(Vec::new()), "{body}");
        (status, body["data"].clone())
    }

    /// Posts, and reads the code of an answer with HTTP 200.
    pub(super) async fn code(&self, body: &Value) -> String {
        let (status, data) = self.post(body).await;
        assert_eq!(status, 200, "{data}");
        data["response_code"].as_str().expect("a code").to_owned()
    }

    /// Posts a JSON body to a path of the prepaid API, and reads `data` of what comes back.
    pub(super) async fn ask(&self, path: &str, body: &Value) -> (u16, Value) {
        let answer = self.send(post(path, Some("application/json"), body.to_string())).await;
        let status = answer.status().as_u16();
        let body: Value = serde_json::from_slice(answer.body()).expect("an answer in JSON");
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
        (status, body["data"].clone())
    }

    /// Asks, and reads the code of an answer with HTTP 200.
    pub(super) async fn rc(&self, path: &str, body: &Value) -> String {
        let (status, data) = self.ask(path, body).await;
        assert_eq!(status, 200, "{data}");
        data["rc"].as_str().expect("a code").to_owned()
    }

    /// Tops up, waits until the supplier has answered, and gives the transaction number.
    pub(super) async fn topped_up(&self, ref_id: &str, code: &str, number: &str) -> String {
        let (_, data) = self.ask(top_ups::TOP_UP, &top_ups::top_up(ref_id, code, number)).await;
        assert_eq!((&data["rc"], &data["status"]), (&"39".into(), &0.into()), "{data}");
        self.gateway.finish_calls().await;
        data["tr_id"].to_string()
    }

    /// Inquires electricity for a number and gives the transaction number.
    pub(super) async fn quoted(&self, ref_id: &str, hp: &str) -> String {
        let (_, data) = self.post(&inquiry("PLNPOSTPAID", hp, ref_id)).await;
        assert_eq!(data["response_code"], "00", "{data}");
        data["tr_id"].to_string()
    }
}

/// The number under which merchants know an order.
pub(super) fn tr_id_of(order: OrderId) -> String {
    let number = TransactionNumbers::new(TR_ID_KEY).number(order);
    number.expect("one of the first orders").to_string()
}

pub(super) fn post(
    path: &str,
    content_type: Option<&str>,
    body: impl Into<Bytes>,
) -> Request<Result<Bytes, BodyFault>> {
    let mut request = Request::builder().method(Method::POST).uri(path);
    if let Some(content_type) = content_type {
        request = request.header("Content-Type", content_type);
    }
    request.body(Ok(body.into())).expect("a request")
}

/// A request without a body.
pub(super) fn get(path: &str, headers: &[(HeaderName, &str)]) -> Request<Result<Bytes, BodyFault>> {
    let mut request = Request::builder().method(Method::GET).uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    request.body(Ok(Bytes::new())).expect("a request")
}

pub(super) fn json(body: impl Into<Bytes>) -> Request<Result<Bytes, BodyFault>> {
    post("/api/v1/bill/check", Some("application/json"), body)
}

pub(super) fn signature(what: &str) -> String {
    sign(USERNAME, KEY, what)
}

pub(super) fn inquiry(code: &str, hp: &str, ref_id: &str) -> Value {
    serde_json::json!({
        "commands": "inq-pasca", "username": USERNAME, "code": code, "hp": hp, "ref_id": ref_id,
        "sign": signature(ref_id),
    })
}

pub(super) fn payment(tr_id: &str) -> Value {
    serde_json::json!({
        "commands": "pay-pasca", "username": USERNAME, "tr_id": tr_id, "sign": signature(tr_id),
    })
}

pub(super) fn check_status(ref_id: &str) -> Value {
    serde_json::json!({
        "commands": "checkstatus", "username": USERNAME, "ref_id": ref_id, "sign": signature("cs"),
    })
}

/// Asks for a receipt under an own header, as JSON.
pub(super) fn own_receipt(tr_id: &str) -> Value {
    serde_json::json!({
        "commands": "receipt-custom", "username": USERNAME, "tr_id": tr_id,
        "custom": { "header": {
            "company_name": "TOKO CONTOH", "company_address": "Jl. Mawar 1<br>Bandung",
        } },
        "raw": 1, "sign": signature("bc"),
    })
}

pub(super) fn price_list() -> Value {
    serde_json::json!({
        "commands": "pricelist-pasca", "username": USERNAME, "sign": signature("pl"),
    })
}
