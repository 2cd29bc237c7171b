//! A gateway with two merchants, the products of the reference, and requests to it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::command::{Fund, FundingKey};
use domain::posting::Direction;
use domain::product::CutOff;
use domain::{
    Alias, Amount, Command, Credential, Currency, Level, Merchant, MerchantId, MerchantStatus,
    Price, ProcessId, Product, ProductId, ProductStatus, ProtocolName, Repetition, Secret, Terms,
    Timestamp, TopUp, UpstreamName,
};
use gateway::in_memory::InMemory;
use gateway::{Gateway, Parts};
use http::{Method, Request};
use serde_json::{Value, json};

use super::ports::Supplier;
use crate::admission::{AddressRule, RateRule, any_address, any_rate};
use crate::exchange::{Answer, Arrival, BodyFault, Serve};
use crate::isikuota::sign::{Keys, sign};
use crate::isikuota::{GAME, NAME, Served, Settings};
use crate::standing_clock::StandingClock;

pub(super) const API_ID: &str = "IK-1001";
const API_KEY: &str = "ak_live_7f3c9d2e";
pub(crate) const SECRET_KEY: &str = "sk_live_Zx81mQpT";
pub(super) const OTHER_API_ID: &str = "IK-1002";
/// The time of the reference's vectors: 29 May 2026, 03:26:40 in Jakarta.
pub(super) const NOW: i64 = 1_780_000_000_000;
pub(super) const SECONDS: i64 = NOW / 1000;

pub(super) struct World {
    pub(super) served: Served,
    pub(super) gateway: Arc<Gateway>,
    pub(super) memory: Arc<InMemory>,
    pub(super) clock: Arc<StandingClock>,
    pub(super) supplier: Arc<Supplier>,
    pub(super) sandbox: Arc<Supplier>,
}

/// What differs from test to test.
pub(super) struct Conditions {
    pub(super) balance: u32,
    pub(super) answer_within: Duration,
    pub(super) timestamp_window: Duration,
    pub(super) addresses: AddressRule,
    pub(super) rates: RateRule,
    pub(super) purchases_answered: usize,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            balance: 1_250_000,
            answer_within: Duration::from_secs(25),
            timestamp_window: Settings::USUAL_TIMESTAMP_WINDOW,
            addresses: any_address(),
            rates: any_rate(),
            purchases_answered: 1000,
        }
    }
}

pub(crate) fn merchant(id: u32) -> Merchant {
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

pub(crate) fn credential(merchant: u32, identifier: &str, serial: u32, secret: &str) -> Credential {
    Credential {
        merchant: MerchantId(merchant),
        protocol: ProtocolName::new(NAME),
        identifier: identifier.to_owned(),
        serial,
        secrets: BTreeMap::from([
            ("api_key".to_owned(), Secret::new(API_KEY)),
            ("secret_key".to_owned(), Secret::new(secret)),
        ]),
        expires_at: None,
        revoked_at: None,
    }
}

fn product(code: &str, name: &str, group: &str) -> Product {
    let retail = || Level("retail".to_owned());
    Product {
        id: ProductId::new(code.to_lowercase()),
        name: name.to_owned(),
        group: group.to_owned(),
        province: None,
        status: ProductStatus::Active,
        aliases: vec![Alias { protocol: ProtocolName::new(NAME), code: code.to_owned() }],
        terms: vec![Terms {
            level: retail(),
            protocol: None,
            admin_fee: Amount::rupiah(2700),
            commission: Amount::rupiah(0),
        }],
        cut_off: None,
        top_up: None,
        channel: None,
    }
}

fn top_up(code: &str, name: &str, group: &str, operator: &str, price: u32) -> Product {
    Product {
        terms: Vec::new(),
        top_up: Some(TopUp {
            operator: operator.to_owned(),
            denomination: String::new(),
            details: String::new(),
            active_days: 0,
            cost: None,
            prices: vec![Price {
                level: Level("retail".to_owned()),
                protocol: None,
                amount: Amount::rupiah(price),
            }],
        }),
        ..product(code, name, group)
    }
}

/// `OFF10` is switched off, `NIGHT5` is closed at the time of the vectors, `WHOLE5` has a price for
/// nobody who is asked for here.
pub(crate) fn products() -> Vec<Product> {
    let mut off = top_up("OFF10", "Sedang Mati 10.000", "pulsa", "mati", 10_500);
    off.status = ProductStatus::Inactive;
    let mut night = top_up("NIGHT5", "Tutup Malam 5.000", "pulsa", "malam", 5_500);
    night.cut_off = Some(CutOff { from_minute: 23 * 60, until_minute: 4 * 60 });
    let mut wholesale = top_up("WHOLE5", "Grosir 5.000", "pulsa", "grosir", 5_500);
    for price in wholesale.top_up.iter_mut().flat_map(|top_up| &mut top_up.prices) {
        price.level = Level("wholesale".to_owned());
    }
    vec![
        top_up("TSEL21", "Telkomsel 21.000", "pulsa", "telkomsel", 21_425),
        top_up("ML86", "Mobile Legends 86", GAME, "mobile_legend", 20_150),
        product("MPBPJS", "BPJS Kesehatan", "bpjs"),
        product("MPPLN", "PLN Pascabayar", "pln"),
        off,
        night,
        wholesale,
    ]
}

impl World {
    pub(super) async fn new() -> Self {
        Self::under(Conditions::default()).await
    }

    pub(super) async fn under(conditions: Conditions) -> Self {
        let memory = Arc::new(InMemory::default());
        let clock = Arc::new(StandingClock(AtomicI64::new(NOW)));
        let supplier = Arc::new(Supplier::new("supplier", conditions.purchases_answered));
        let sandbox = Arc::new(Supplier::new(crate::sandbox::NAME, 1000));
        let gateway = Gateway::open(Parts {
            store: memory.clone(),
            reports: memory.clone(),
            collections: memory.clone(),
            clock: clock.clone(),
            observer: Arc::new(gateway::observer::Nobody),
            upstreams: vec![supplier.clone(), sandbox.clone()],
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
            signatures: Arc::new(crate::admission::AnySignature),
            timestamp_window: conditions.timestamp_window,
            addresses: conditions.addresses,
            rates: conditions.rates,
        };
        let served = Served::new(Arc::clone(&gateway), settings);
        let world = Self { served, gateway, memory, clock, supplier, sandbox };
        let mut commands = vec![
            Command::PutMerchant(merchant(1)),
            Command::PutMerchant(merchant(2)),
            Command::PutCredential(credential(1, API_ID, 1, SECRET_KEY)),
            Command::PutCredential(credential(2, OTHER_API_ID, 1, "sk_other")),
        ];
        commands.extend(products().into_iter().map(Command::PutProduct));
        world.put(commands).await;
        world.fund("opening", 1, conditions.balance).await;
        world
    }

    pub(super) async fn put(&self, commands: Vec<Command>) {
        self.gateway.administer(commands).await.expect("memory does not fail");
    }

    pub(super) async fn fund(&self, reference: &str, merchant: u32, amount: u32) {
        if amount == 0 {
            return;
        }
        let fund = Fund {
            key: FundingKey { merchant: MerchantId(merchant), reference: reference.to_owned() },
            direction: Direction::Credit,
            amount: Amount::rupiah(amount),
            reason: "test".to_owned(),
            at: Timestamp::from_milliseconds(NOW),
        };
        self.put(vec![Command::Fund(fund)]).await;
    }

    /// What the first merchant may still spend.
    pub(super) async fn balance(&self) -> i64 {
        self.gateway.balance(&merchant(1)).await.expect("memory does not fail").minor()
    }

    pub(super) fn purchases(&self) -> u64 {
        self.supplier.purchases.load(Ordering::SeqCst)
    }

    pub(super) fn set_clock(&self, milliseconds: i64) {
        self.clock.0.store(milliseconds, Ordering::SeqCst);
    }

    pub(super) async fn send(&self, request: Request<Result<Bytes, BodyFault>>) -> Answer {
        let (head, body) = request.into_parts();
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.served.serve(Arrival { head, body, peer, note: None }).await
    }

    /// Posts a body as it is, and reads the envelope of what comes back.
    pub(super) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        read(&self.send(post(path, body.to_string())).await)
    }

    /// Signs a business body for now and posts it as an order.
    pub(super) async fn order(&self, business: Value) -> (u16, Value) {
        self.post("/v1/order", &self.signed(business)).await
    }

    /// The same, and the code alone.
    pub(super) async fn code(&self, business: Value) -> String {
        let (_, envelope) = self.order(business).await;
        envelope["code"].as_str().expect("a code").to_owned()
    }

    /// A business body with the first merchant's signature of this moment.
    pub(super) fn signed(&self, business: Value) -> Value {
        signed_at(self.clock.0.load(Ordering::SeqCst) / 1000, business)
    }
}

/// Reads an envelope, which has the same members whatever it says.
pub(super) fn read(answer: &Answer) -> (u16, Value) {
    assert_eq!(answer.headers()["Content-Type"], "application/json");
    let envelope: Value = serde_json::from_slice(answer.body()).expect("an answer in JSON");
    let names: Vec<_> = envelope.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(names, ["code", "data", "errors", "message", "meta", "success"], "{envelope}");
    assert_eq!(envelope["meta"], Value::Null);
    let success = envelope["success"].as_bool().expect("a truth value");
    assert!(!success || answer.status() == 200, "{envelope}");
    assert_eq!(envelope["errors"].is_object(), envelope["code"] == "VALIDATION_ERROR");
    (answer.status().as_u16(), envelope)
}

pub(super) fn signed_as(api_id: &str, secret_key: &str, timestamp: &str, business: Value) -> Value {
    let (api_key, secret_key) = (Secret::new(API_KEY), Secret::new(secret_key));
    let keys = Keys { api_id, api_key: &api_key, secret_key: &secret_key };
    let signature = sign(&keys, timestamp, &business.to_string()).expect("an object");
    let mut body = business;
    body["api_id"] = json!(api_id);
    body["timestamp"] = json!(timestamp.parse::<i64>().expect("digits"));
    body["signature"] = json!(signature);
    body
}

pub(super) fn signed_at(seconds: i64, business: Value) -> Value {
    signed_as(API_ID, SECRET_KEY, &seconds.to_string(), business)
}

pub(super) fn post(path: &str, body: impl Into<Bytes>) -> Request<Result<Bytes, BodyFault>> {
    let request = Request::builder().method(Method::POST).uri(path);
    let request = request.header("Content-Type", "application/json");
    request.body(Ok(body.into())).expect("a request")
}

pub(super) fn asked(cmd: &str, code: &str, customer_no: &str, ref_id: &str) -> Value {
    json!({ "cmd": cmd, "code": code, "customer_no": customer_no, "ref_id": ref_id })
}

pub(super) fn prepaid(ref_id: &str) -> Value {
    asked("prepaid", "TSEL21", "081298765432", ref_id)
}

pub(super) fn inquiry(ref_id: &str) -> Value {
    asked("inquiry", "MPBPJS", "8888801234567890", ref_id)
}

pub(super) fn payment(ref_id: &str) -> Value {
    asked("pay-pasca", "MPBPJS", "8888801234567890", ref_id)
}

/// The same in test mode.
pub(super) fn testing(mut business: Value) -> Value {
    business["testing"] = json!(true);
    business
}
