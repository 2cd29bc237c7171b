//! A gateway with the demo of the sandbox, and requests to it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use domain::callback::EndpointKey;
use domain::evidence::{Evidence, EvidenceKey, EvidenceState};
use domain::{
    Amount, Command, Credential, Endpoint, MerchantId, Mode, Order, Preferences, ProcessId,
    ProtocolName, Reference, ReferenceKey, Secret, Timestamp, UpstreamName,
};
use gateway::in_memory::InMemory;
use gateway::{Gateway, Parts};
use http::{Method, Request};
use serde_json::Value;

use super::ports::{Network, Payer};
use crate::admission::{
    AddressRule, AnySignature, RateRule, SignatureGuard, any_address, any_rate,
};
use crate::exchange::{Answer, Arrival, BodyFault, Serve};
use crate::hosted::Tokens;
use crate::ilenpay::{NAME, Served, Settings, key_name, sign};
use crate::sandbox::demo;
use crate::standing_clock::StandingClock;

pub(crate) const API_KEY: &str = "ilen-sandbox-key-0001";
pub(crate) const API_USER: &str = "demoUser01";
pub(crate) const WEBHOOK_ID: &str = "Qm3xT7kLp0aZ9Vd";
pub(crate) const WEBHOOK_SECRET: &str = "whsecret-demo";
/// A second merchant, which the demo has for S88pay in rupiah.
pub(crate) const OTHER: MerchantId = MerchantId(3);
pub(crate) const OTHER_KEY: &str = "another-key";
pub(crate) const TOKO_CONTOH: MerchantId = MerchantId(1);
/// Whose balance is in baht.
pub(crate) const BAHT: MerchantId = MerchantId(2);
pub(crate) const BAHT_KEY: &str = "baht-key";
pub(crate) const TOKENS: Tokens = Tokens::new([7; 32]);
/// 28 May 2026, the instant of the reference's samples.
pub(crate) const NOW: i64 = 1_780_000_000_000;
pub(crate) const OPENING: i64 = 100_000_000;

pub(crate) const OPEN: &str = "/v1/transaksi/baru";
pub(crate) const CONFIRM: &str = "/v1/konfirmasi/pembayaran";
pub(crate) const RETURN_URL: &str = "https://shop.example/orders/123?x=1";

pub(crate) struct World {
    pub(crate) served: Served,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) memory: Arc<InMemory>,
    pub(crate) clock: Arc<StandingClock>,
    pub(crate) payer: Arc<Payer>,
    pub(crate) network: Arc<Network>,
}

/// What differs from test to test.
pub(crate) struct Conditions {
    pub(crate) addresses: AddressRule,
    pub(crate) rates: RateRule,
    pub(crate) signatures: Arc<dyn SignatureGuard>,
    pub(crate) lifetime: Option<Duration>,
    pub(crate) fallback_url: Option<String>,
}

impl Default for Conditions {
    fn default() -> Self {
        let (addresses, rates) = (any_address(), any_rate());
        let signatures = Arc::new(AnySignature);
        Self { addresses, rates, signatures, lifetime: None, fallback_url: None }
    }
}

pub(crate) fn credential(merchant: MerchantId, api_key: &str, api_user: &str) -> Credential {
    let secrets = [(sign::API_KEY, api_key), (sign::API_USER, api_user)];
    let secrets = secrets.map(|(name, secret)| (name.to_owned(), Secret::new(secret)));
    Credential {
        merchant,
        protocol: ProtocolName::new(NAME),
        identifier: key_name(api_key),
        serial: 1,
        secrets: BTreeMap::from(secrets),
        expires_at: None,
        revoked_at: None,
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::under(Conditions::default()).await
    }

    pub(crate) async fn under(conditions: Conditions) -> Self {
        let memory = Arc::new(InMemory::default());
        let clock = Arc::new(StandingClock(AtomicI64::new(NOW)));
        let name = UpstreamName::new("payer");
        let payer = Arc::new(Payer { name: name.clone(), is_nobody: AtomicBool::new(false) });
        let gateway = Gateway::open(Parts {
            store: memory.clone(),
            reports: memory.clone(),
            collections: memory.clone(),
            clock: clock.clone(),
            observer: Arc::new(gateway::observer::Nobody),
            upstreams: vec![payer.clone()],
            settings: gateway::Settings {
                test_upstream: UpstreamName::new(crate::sandbox::NAME),
                answer_within: Duration::from_secs(25),
                call_within: Duration::from_secs(60),
                cut_offs: false,
                upstream: name,
            },
            process: ProcessId(1),
        })
        .await
        .expect("memory does not fail");
        let network = Arc::new(Network::default());
        let settings = Settings {
            addresses: conditions.addresses,
            rates: conditions.rates,
            signatures: conditions.signatures,
            tokens: TOKENS,
            public_url: "https://pay.example/".to_owned(),
            lifetime: conditions.lifetime,
            messenger: network.clone(),
            fallback_url: conditions.fallback_url,
        };
        let served = Served::new(Arc::clone(&gateway), settings);
        let world = Self { served, gateway, memory, clock, payer, network };
        world.change(demo::commands(Timestamp::from_milliseconds(NOW))).await;
        world
            .change(vec![
                Command::PutCredential(credential(OTHER, OTHER_KEY, "otherUser")),
                Command::PutCredential(credential(BAHT, BAHT_KEY, "bahtUser")),
            ])
            .await;
        world
    }

    pub(crate) async fn change(&self, commands: Vec<Command>) {
        self.gateway.administer(commands).await.expect("memory does not fail");
    }

    /// From now on nobody pays unless evidence says so, as in production.
    pub(crate) fn without_payer(&self) {
        self.payer.is_nobody.store(true, Ordering::SeqCst);
    }

    pub(crate) fn set_clock(&self, milliseconds: i64) {
        self.clock.0.store(milliseconds, Ordering::SeqCst);
    }

    /// Gives the merchant an address for callbacks.
    pub(crate) async fn put_endpoint(&self, url: &str, stopped: bool) {
        let stopped_at = stopped.then(|| Timestamp::from_milliseconds(NOW));
        let key = endpoint_key();
        let secret = Secret::new("whsec_");
        let endpoint = Endpoint { key, url: url.to_owned(), secret, stopped_at };
        self.change(vec![Command::PutEndpoint(endpoint)]).await;
    }

    pub(crate) async fn prefer(
        &self,
        protocol: &str,
        merchant: MerchantId,
        values: &[(&str, &str)],
    ) {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let preferences = Preferences {
            merchant,
            protocol: ProtocolName::new(protocol),
            values: values.iter().map(owned).collect(),
        };
        self.change(vec![Command::PutPreferences(preferences)]).await;
    }

    /// What the merchant may spend beyond what it began with.
    pub(crate) async fn earned(&self) -> i64 {
        let merchant = self.gateway.catalogue().merchant(TOKO_CONTOH).cloned();
        let balance = self.gateway.balance(&merchant.expect("the demo's merchant")).await;
        balance.expect("memory does not fail").minor() - OPENING
    }

    pub(crate) async fn order(&self, reference: &str) -> Arc<Order> {
        let key = ReferenceKey {
            merchant: TOKO_CONTOH,
            protocol: ProtocolName::new(NAME),
            mode: Mode::Live,
            reference: Reference::new(reference),
        };
        self.gateway.order_by_reference(&key).await.expect("an order")
    }

    pub(crate) async fn hash(&self, reference: &str) -> String {
        TOKENS.of(self.order(reference).await.id)
    }

    /// Credit that a SIM card received.
    pub(crate) async fn received(
        &self,
        id: &str,
        operator: &str,
        amount: u32,
        sender: &str,
    ) -> Evidence {
        let now = self.gateway.now();
        let evidence = Evidence {
            key: EvidenceKey { source: "sim-1".to_owned(), id: id.to_owned() },
            channel: format!("credit-{operator}"),
            amount: Amount::rupiah(amount),
            sender: sender.to_owned(),
            reference: String::new(),
            came_in_at: now,
            seen_at: now,
            state: EvidenceState::Open,
        };
        self.gateway.take_in(evidence).await.expect("memory does not fail").evidence
    }

    pub(crate) async fn send(&self, request: Request<Result<Bytes, BodyFault>>) -> Answer {
        let (head, body) = request.into_parts();
        let (peer, note) = (IpAddr::V4(Ipv4Addr::LOCALHOST), head.extensions.get().cloned());
        self.served.serve(Arrival { head, body, peer, note }).await
    }

    /// Sends, and reads `data` of what comes back, which has nothing else.
    pub(crate) async fn data(&self, request: Request<Result<Bytes, BodyFault>>) -> (u16, Value) {
        let answer = self.send(request).await;
        assert_eq!(answer.headers()["content-type"], "application/json");
        let body: Value = serde_json::from_slice(answer.body()).expect("an answer in JSON");
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(1), "{body}");
        (answer.status().as_u16(), body["data"].clone())
    }

    /// Posts a form as the merchant, and reads `data` of an answer with HTTP 200.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Value {
        let (status, data) = self.data(post(path, API_KEY, fields)).await;
        assert_eq!(status, 200, "{data}");
        data
    }

    /// Posts, and reads why not.
    pub(crate) async fn refused(&self, path: &str, fields: &[(&str, &str)]) -> String {
        said(&self.post(path, fields).await)
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        self.data(request(Method::GET, path, API_KEY, Bytes::new())).await
    }

    /// Opens a collection of this type, amount and reference by Telkomsel.
    pub(crate) async fn opened(&self, kind: &str, nominal: &str, reference: &str) -> Value {
        let data = self.post(OPEN, &new(kind, nominal, reference).pairs()).await;
        assert_eq!(data["respon"], "sukses", "{data}");
        data
    }

    pub(crate) async fn confirmed(&self, reference: &str, sender: &str) -> Value {
        self.post(CONFIRM, &[("reff_id", reference), ("sender", sender)]).await
    }
}

pub(crate) fn endpoint_key() -> EndpointKey {
    EndpointKey { merchant: TOKO_CONTOH, protocol: ProtocolName::new(NAME) }
}

/// The text of a failure, which has nothing else.
pub(crate) fn said(data: &Value) -> String {
    assert_eq!(data["respon"], "gagal", "{data}");
    assert_eq!(data.as_object().map(serde_json::Map::len), Some(2), "{data}");
    data["pesan"].as_str().expect("a text").to_owned()
}

/// The fields of a new collection.
pub(crate) struct New(BTreeMap<&'static str, String>);

impl New {
    /// With another value, and signed anew.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.0.insert(name, value.to_owned());
        if name != "sign" {
            let text = |name| self.0.get(name).map_or("", String::as_str);
            let sign = sign::sign(text("operator"), text("nominal"), text("reff_id"), API_USER);
            self.0.insert("sign", sign);
        }
        self
    }

    /// Without a field, signed as before.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    pub(crate) fn pairs(&self) -> Vec<(&'static str, &str)> {
        self.0.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

pub(crate) fn new(kind: &str, nominal: &str, reference: &str) -> New {
    New(BTreeMap::new())
        .with("type", kind)
        .with("nominal", nominal)
        .with("reff_id", reference)
        .with("operator", "telkomsel")
        .with("return_url", RETURN_URL)
}

/// A form as browsers write it.
pub(crate) fn form(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| -> String {
        let byte = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                char::from(byte).to_string()
            }
            b' ' => "+".to_owned(),
            other => format!("%{other:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    let pairs: Vec<_> = fields
        .iter()
        .map(|(name, value)| format!("{}={}", escaped(name), escaped(value)))
        .collect();
    pairs.join("&")
}

pub(crate) fn post(
    path: &str,
    api_key: &str,
    fields: &[(&str, &str)],
) -> Request<Result<Bytes, BodyFault>> {
    request(Method::POST, path, api_key, form(fields))
}

pub(crate) fn request(
    method: Method,
    path: &str,
    api_key: &str,
    body: impl Into<Bytes>,
) -> Request<Result<Bytes, BodyFault>> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("Authorization", api_key)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(Ok(body.into()))
        .expect("a request")
}
