//! A gateway with an operator per currency, and requests to it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use bytes::Bytes;
use domain::command::{Fund, FundingKey};
use domain::posting::Direction;
use domain::product::Fee;
use domain::{
    Alias, Amount, Channel, Command, Credential, Currency, Endpoint, EndpointKey, Flow, Level,
    Merchant, MerchantId, MerchantStatus, Mode, Order, Preferences, ProcessId, Product, ProductId,
    ProductStatus, ProtocolName, Reference, ReferenceKey, Repetition, Secret, Timestamp,
    UpstreamName,
};
use gateway::in_memory::InMemory;
use gateway::ports::Moment;
use gateway::{Gateway, Parts};
use http::{Method, Request};
use serde_json::Value;

use super::ports::{Supplier, supplier};
use crate::admission::{
    AddressRule, AnySignature, RateRule, SignatureGuard, any_address, any_rate,
};
use crate::exchange::{Answer, Arrival, BodyFault, Serve};
use crate::hosted::Tokens;
use crate::s88pay::sign::Cipher;
use crate::s88pay::{NAME, Served, Settings};
use crate::standing_clock::StandingClock;

/// 14 November 2023, 22:13:20 UTC, in seconds and in milliseconds.
pub(super) const SECONDS: i64 = 1_700_000_000;
pub(super) const NOW: i64 = SECONDS * 1000;
pub(super) const NUMBER_KEY: [u8; 32] = [7; 32];
pub(super) const PAGE_KEY: [u8; 32] = [9; 32];
pub(super) const OPENING: i64 = 100_000_000;
/// The operator whose credentials the vectors have, with Thai baht.
pub(super) const THB: &str = "OPR001";

/// The operators: what each is called, and its currency. Credentials are as in the sandbox.
pub(super) const OPERATORS: [(u32, &str, Currency); 13] = [
    (1, THB, Currency::Thb),
    (2, "OPRIDR", Currency::Idr),
    (3, "OPRINR", Currency::Inr),
    (4, "OPRBDT", Currency::Bdt),
    (5, "OPRVND", Currency::Vnd),
    (6, "OPRKRW", Currency::Krw),
    (7, "OPRJPY", Currency::Jpy),
    (8, "OPRMMK", Currency::Mmk),
    (9, "OPRMYR", Currency::Myr),
    (10, "OPRPHP", Currency::Php),
    (11, "OPRCNY", Currency::Cny),
    (12, "OPRBRL", Currency::Brl),
    (13, "OPRTRY", Currency::Try),
];

pub(super) struct World {
    pub(super) served: Served,
    pub(super) gateway: Arc<Gateway>,
    pub(super) memory: Arc<InMemory>,
    pub(super) clock: Arc<StandingClock>,
    pub(super) supplier: Arc<Supplier>,
}

/// What differs from test to test.
pub(super) struct Conditions {
    pub(super) addresses: AddressRule,
    pub(super) rates: RateRule,
    pub(super) signatures: Arc<dyn SignatureGuard>,
    pub(super) wrong_keys_per_hour: Option<u32>,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            addresses: any_address(),
            rates: any_rate(),
            signatures: Arc::new(AnySignature),
            wrong_keys_per_hour: Some(100),
        }
    }
}

pub(super) fn operator(code: &str) -> (u32, Currency) {
    let known = OPERATORS.iter().find(|(_, it, _)| *it == code);
    known.map(|(id, _, currency)| (*id, *currency)).expect("one of the operators")
}

/// The API key and the secret key of an operator.
pub(super) fn keys(code: &str) -> (String, String) {
    let ending = match code {
        THB => String::new(),
        other => format!("-{}", other.trim_start_matches("OPR").to_lowercase()),
    };
    (format!("unit-test-api-key{ending}"), format!("unit-test-secret-key{ending}"))
}

pub(super) fn cipher(code: &str) -> Cipher {
    let (api_key, secret_key) = keys(code);
    Cipher::new(&api_key, &secret_key)
}

pub(super) fn merchant(code: &str) -> Merchant {
    let (id, currency) = operator(code);
    Merchant {
        id: MerchantId(id),
        name: format!("Operator {}", currency.code()),
        currency,
        level: Level("retail".to_owned()),
        status: MerchantStatus::Active,
        addresses: Vec::new(),
        rate_limit: None,
        repetition: Repetition::Free,
    }
}

pub(super) fn credential(code: &str, serial: u32, api_key: &str, secret_key: &str) -> Credential {
    let secret = |name: &str, text: &str| (name.to_owned(), Secret::new(text));
    Credential {
        merchant: MerchantId(operator(code).0),
        protocol: ProtocolName::new(NAME),
        identifier: code.to_owned(),
        serial,
        secrets: BTreeMap::from([secret("api_key", api_key), secret("secret_key", secret_key)]),
        expires_at: None,
        revoked_at: None,
    }
}

/// A channel: its code, its name, which way, its currencies, and whether it is open.
fn channel(
    (code, name): (&str, &str),
    flow: Flow,
    currencies: &[Currency],
    account: &str,
    status: ProductStatus,
) -> Product {
    Product {
        id: ProductId::new(format!("channel-{code}")),
        name: name.to_owned(),
        group: "channel".to_owned(),
        province: None,
        status,
        aliases: vec![Alias { protocol: ProtocolName::new(NAME), code: code.to_owned() }],
        terms: Vec::new(),
        cut_off: None,
        top_up: None,
        channel: Some(Channel {
            flow,
            currencies: currencies.to_vec(),
            fee: Fee { per_million: 10_000, fixed: 0 },
            rate_hundredths: None,
            account: account.to_owned(),
            amount_max: Some(100_000_000),
        }),
    }
}

fn channels() -> Vec<Product> {
    use ProductStatus::{Active, Inactive};
    let accounts = "INR=shop@examplebank Toko Contoh;0900000000 Nguyen Van A";
    vec![
        channel(("P001", "PromptPay"), Flow::In, &[], accounts, Active),
        channel(("P002", "Closed"), Flow::In, &[], accounts, Inactive),
        channel(("P003", "Rupiah"), Flow::In, &[Currency::Idr], accounts, Active),
        channel(("P004", "Nowhere"), Flow::In, &[], "", Active),
        channel(("P005", "No UPI"), Flow::In, &[], "0900000000", Active),
        channel(("W001", "Transfer"), Flow::Out, &[], "", Active),
        channel(("W002", "Closed"), Flow::Out, &[], "", Inactive),
        channel(("W003", "Rupiah"), Flow::Out, &[Currency::Idr], "", Active),
    ]
}

impl World {
    pub(super) async fn new() -> Self {
        Self::under(Conditions::default()).await
    }

    pub(super) async fn under(conditions: Conditions) -> Self {
        let memory = Arc::new(InMemory::default());
        let clock = Arc::new(StandingClock(AtomicI64::new(NOW)));
        let supplier = supplier();
        let gateway = Gateway::open(Parts {
            store: memory.clone(),
            reports: memory.clone(),
            collections: memory.clone(),
            clock: clock.clone(),
            observer: Arc::new(gateway::observer::Nobody),
            upstreams: vec![supplier.clone()],
            settings: gateway::Settings {
                test_upstream: UpstreamName::new("supplier"),
                answer_within: Duration::from_secs(25),
                call_within: Duration::from_secs(60),
                cut_offs: true,
                upstream: UpstreamName::new("supplier"),
            },
            process: ProcessId(1),
        })
        .await
        .expect("memory does not fail");
        let settings = Settings {
            number_key: NUMBER_KEY,
            tokens: Tokens::new(PAGE_KEY),
            public_url: "https://gw.example/".to_owned(),
            addresses: conditions.addresses,
            rates: conditions.rates,
            signatures: conditions.signatures,
            wrong_keys_per_hour: conditions.wrong_keys_per_hour,
            lifetime: Duration::from_secs(900),
        };
        let served = Served::new(Arc::clone(&gateway), settings);
        let world = Self { served, gateway, memory, clock, supplier };
        let mut commands: Vec<Command> = Vec::new();
        for (_, code, currency) in OPERATORS {
            let (api_key, secret_key) = keys(code);
            commands.push(Command::PutMerchant(merchant(code)));
            commands.push(Command::PutCredential(credential(code, 1, &api_key, &secret_key)));
            commands.push(Command::Fund(Fund {
                key: FundingKey { merchant: merchant(code).id, reference: "opening".to_owned() },
                direction: Direction::Credit,
                amount: Amount::new(OPENING, currency).expect("not negative"),
                reason: "test".to_owned(),
                at: Timestamp::from_milliseconds(NOW),
            }));
        }
        commands.extend(channels().into_iter().map(Command::PutProduct));
        world.gateway.administer(commands).await.expect("memory does not fail");
        world
    }

    /// Sets what an operator wants otherwise.
    pub(super) async fn wish(&self, code: &str, wishes: &[(&str, &str)]) {
        let values = wishes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let preferences = Preferences {
            merchant: merchant(code).id,
            protocol: ProtocolName::new(NAME),
            values: values.collect(),
        };
        let commands = vec![Command::PutPreferences(preferences)];
        self.gateway.administer(commands).await.expect("memory does not fail");
    }

    /// Sets where an operator is called back.
    pub(super) async fn call_back_at(&self, code: &str, url: &str) {
        let protocol = ProtocolName::new(NAME);
        let endpoint = Endpoint {
            key: EndpointKey { merchant: merchant(code).id, protocol },
            url: url.to_owned(),
            secret: Secret::new("whsec_c2VjcmV0"),
            stopped_at: None,
        };
        let commands = vec![Command::PutEndpoint(endpoint)];
        self.gateway.administer(commands).await.expect("memory does not fail");
    }

    pub(super) async fn available(&self, code: &str) -> i64 {
        let balance = self.gateway.balance(&merchant(code)).await;
        balance.expect("memory does not fail").minor()
    }

    pub(super) async fn order(&self, code: &str, transaction: &str) -> Arc<Order> {
        let key = ReferenceKey {
            merchant: merchant(code).id,
            protocol: ProtocolName::new(NAME),
            mode: Mode::Live,
            reference: Reference::new(transaction),
        };
        self.gateway.order_by_reference(&key).await.expect("an order")
    }

    /// What somebody does on a deposit's page.
    pub(super) async fn press(&self, code: &str, transaction: &str, moment: Moment) {
        let order = self.order(code, transaction).await;
        self.gateway.let_payer(order, moment).await.expect("memory does not fail");
    }

    pub(super) async fn send(&self, request: Request<Result<Bytes, BodyFault>>) -> Answer {
        let (head, body) = request.into_parts();
        let (peer, note) = (IpAddr::V4(Ipv4Addr::LOCALHOST), head.extensions.get().cloned());
        self.served.serve(Arrival { head, body, peer, note }).await
    }

    /// Encrypts a text for an operator and sends it in a JSON body to a path in which `{}` stands for
    /// the operator's code.
    pub(super) async fn ask(&self, code: &str, path: &str, text: &str) -> (u16, Value) {
        let body = serde_json::json!({ "key": cipher(code).encrypt(text) }).to_string();
        read(&self.send(post(&path.replace("{}", code), body)).await)
    }

    /// Opens the page of a hosted deposit.
    pub(super) async fn open_page(&self, code: &str, text: &str) -> Answer {
        let uri = format!("/{code}/v2/dopayment?key={}", cipher(code).encrypt(text));
        self.send(get(&uri)).await
    }

    /// Makes a deposit whose page the merchant draws, and waits for what the supplier does.
    pub(super) async fn deposited(&self, code: &str, transaction: &str, amount: &str) -> Value {
        let text =
            deposit(code, &[("transaction_code", transaction), ("transaction_amount", amount)]);
        let (status, body) = self.ask(code, DEPOSIT, &text).await;
        assert_eq!((status, &body["status"]), (200, &"success".into()), "{body}");
        body
    }

    /// Makes a payout and waits for what the supplier does.
    pub(super) async fn paid_out(&self, code: &str, transaction: &str, amount: &str) {
        let text =
            payout(code, &[("transaction_code", transaction), ("transaction_amount", amount)]);
        let (status, body) = self.ask(code, PAYOUT, &text).await;
        assert_eq!((status, &body["success"]), (200, &true.into()), "{body}");
        self.gateway.finish_calls().await;
    }

    /// The only element of a status.
    pub(super) async fn status(&self, code: &str, transaction: &str) -> Value {
        let (api_key, _) = keys(code);
        let text = format!("merchant_api_key={api_key}&transaction_code={transaction}");
        let (status, body) = self.ask(code, STATUS, &text).await;
        assert_eq!((status, &body["success"]), (200, &true.into()), "{body}");
        assert_eq!(body["data"].as_array().map(Vec::len), Some(1), "{body}");
        body["data"][0].clone()
    }
}

pub(super) const DEPOSIT: &str = "/api/{}/v3/dopayment";
pub(super) const PAYOUT: &str = "/api/v1/payout/{}";
pub(super) const STATUS: &str = "/api/v1/{}/transactions/status";
pub(super) const BALANCE: &str = "/api/v1/balance/{}";
pub(super) const UTR: &str = "/api/{}/v3/submit-utr";
pub(super) const RESEND: &str = "/api/v1/transaction/resend-callback/{}";

/// Status and body of an answer in JSON.
pub(super) fn read(answer: &Answer) -> (u16, Value) {
    let body = serde_json::from_slice(answer.body());
    let body = body.unwrap_or_else(|_| panic!("an answer in JSON: {:?}", answer.body()));
    (answer.status().as_u16(), body)
}

pub(super) fn post(path: &str, body: impl Into<Bytes>) -> Request<Result<Bytes, BodyFault>> {
    let request = Request::builder().method(Method::POST).uri(path);
    let request = request.header("Content-Type", "application/json");
    request.body(Ok(body.into())).expect("a request")
}

pub(super) fn get(uri: &str) -> Request<Result<Bytes, BodyFault>> {
    Request::builder().uri(uri).body(Ok(Bytes::new())).expect("a request")
}

/// Names and values as a text of the first form, the given ones instead of the usual ones. A value of
/// `-` leaves the name out.
fn pairs(usual: Vec<(&str, String)>, given: &[(&str, &str)]) -> String {
    let mut all = usual;
    for (name, value) in given {
        all.retain(|(known, _)| known != name);
        all.push((*name, (*value).to_owned()));
    }
    let written = all.into_iter().filter(|(_, value)| value != "-");
    written.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// A deposit that an operator may make, with whatever its currency wants.
pub(super) fn deposit(code: &str, given: &[(&str, &str)]) -> String {
    let (_, currency) = operator(code);
    let mut usual = vec![
        ("merchant_code", code.to_owned()),
        ("merchant_api_key", keys(code).0),
        ("transaction_code", "ORD-1001".to_owned()),
        ("transaction_timestamp", SECONDS.to_string()),
        ("transaction_amount", "250".to_owned()),
        ("payment_code", "P001".to_owned()),
        ("user_id", "u-77".to_owned()),
        ("currency_code", currency.code().to_owned()),
    ];
    let more: &[(&str, &str)] = match currency {
        Currency::Thb => &[("bank_code", "104")],
        Currency::Idr => &[("bank_code", "BCA")],
        Currency::Bdt => &[("bank_code", "1001"), ("phone", "01812345678")],
        Currency::Vnd => &[("bank_code", "momo")],
        Currency::Mmk => &[("bank_code", "KBZPAY")],
        Currency::Myr => &[("bank_code", "MBB")],
        Currency::Php => &[("bank_code", "gcash")],
        Currency::Krw => &[("deposit_name", "Kim")],
        Currency::Try => &[("identity_id", "12345678901")],
        _ => &[],
    };
    usual.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    pairs(usual, given)
}

/// A payout that an operator may make, with whatever its currency wants.
pub(super) fn payout(code: &str, given: &[(&str, &str)]) -> String {
    let (_, currency) = operator(code);
    let mut usual = vec![
        ("merchant_code", code.to_owned()),
        ("transaction_code", "WDR-2001".to_owned()),
        ("transaction_timestamp", SECONDS.to_string()),
        ("payout_code", "W001".to_owned()),
        ("transaction_amount", "1200".to_owned()),
        ("user_id", "u-77".to_owned()),
        ("currency_code", currency.code().to_owned()),
        ("account_name", "Somchai Test".to_owned()),
        ("bank_account_number", "12345678901".to_owned()),
    ];
    let more: &[(&str, &str)] = match currency {
        Currency::Thb => &[("bank_code", "7"), ("bank_name", "Siam Commercial Bank")],
        Currency::Idr => &[("bank_code", "BCA")],
        Currency::Inr => &[("ifsc_code", "SBIN0001234")],
        Currency::Bdt => &[("bank_code", "2001"), ("phone_number", "01812345678")],
        Currency::Vnd => &[("bank_code", "970407")],
        Currency::Krw => &[("bank_code", "kbank_kr")],
        Currency::Jpy => &[("bank_code", "0001"), ("branch_code", "001")],
        Currency::Myr => &[("bank_code", "MBB")],
        Currency::Php => &[("bank_code", "gcash")],
        Currency::Cny => &[("bank_code", "ICBC")],
        Currency::Brl => &[("bank_code", "EMAIL"), ("bank_name", "a@example.com")],
        _ => &[],
    };
    usual.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    pairs(usual, given)
}
