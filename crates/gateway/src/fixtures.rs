//! What the tests of the use cases share: an in-memory store, a clock that stands still, and an
//! upstream that does as it is told.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::command::{Fund, FundingKey};
use domain::posting::Direction;
use domain::product::{Fee, QuoteExpiry};
use domain::{
    Alias, Amount, Bill, Channel, Command, Currency, Delivery, Detail, Doubt, Flow, Level,
    Merchant, MerchantId, MerchantStatus, Mode, Order, OrderState, Outcome, Period, Price,
    ProcessId, Product, ProductId, ProductStatus, ProtocolName, Reference, Repetition, Terms,
    Timestamp, TopUp, UpstreamName,
};
use tokio::sync::Notify;

use crate::in_memory::InMemory;
use crate::observer::{
    AttemptEnd, HandoverEnd, InquiryEnd, Observer, Operation, Subject, TransactionEnd,
};
use crate::ports::{
    BillAnswer, BillQuestion, Clock, Moment, Parameters, PayerDoes, Purchase, SettleFault,
    StatusBy, Supplied, Told, Upstream, Verdict,
};
use crate::{CollectionRequest, Gateway, Inquiry, Parts, Repeats, Settings};

pub(crate) struct TestClock(pub(crate) AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.0.load(Ordering::Relaxed))
    }
}

/// What the supplier does when it is called to pay.
pub(crate) enum Act {
    Answer(Supplied),
    /// Answers only once the test lets it.
    Wait,
    /// Never answers.
    Silence,
}

pub(crate) struct TestUpstream {
    pub(crate) name: UpstreamName,
    pub(crate) status_by: StatusBy,
    pub(crate) bill: Mutex<BillAnswer>,
    /// How many milliseconds an inquiry takes.
    pub(crate) inquiry_takes: AtomicI64,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) acts: Mutex<VecDeque<Act>>,
    pub(crate) told: Mutex<VecDeque<Told>>,
    pub(crate) payer: Mutex<VecDeque<PayerDoes>>,
    pub(crate) paid: AtomicUsize,
    pub(crate) asked: AtomicUsize,
    pub(crate) go_on: Notify,
}

#[async_trait]
impl Upstream for TestUpstream {
    fn name(&self) -> &UpstreamName {
        &self.name
    }

    fn status_by(&self) -> StatusBy {
        self.status_by
    }

    async fn inquire(&self, _question: BillQuestion) -> BillAnswer {
        let took = self.inquiry_takes.load(Ordering::Relaxed);
        self.clock.0.fetch_add(took, Ordering::Relaxed);
        self.bill.lock().unwrap().clone()
    }

    async fn pay(&self, _purchase: Purchase) -> Supplied {
        self.paid.fetch_add(1, Ordering::Relaxed);
        let act = self.acts.lock().unwrap().pop_front();
        match act {
            Some(Act::Answer(supplied)) => supplied,
            Some(Act::Wait) => {
                self.go_on.notified().await;
                delivered().into()
            }
            Some(Act::Silence) => std::future::pending().await,
            None => delivered().into(),
        }
    }

    async fn pay_out(&self, purchase: Purchase) -> Supplied {
        self.pay(purchase).await
    }

    async fn play_payer(&self, _order: &Order, _moment: Moment) -> PayerDoes {
        self.payer.lock().unwrap().pop_front().unwrap_or(PayerDoes::Nothing)
    }

    async fn ask(&self, _purchase: Purchase) -> Told {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let told = self.told.lock().unwrap().pop_front();
        told.unwrap_or(Told::Supplied(Outcome::Unknown(Doubt::InProcess).into()))
    }

    async fn settle(&self, _purchase: Purchase, _verdict: Verdict) -> Result<(), SettleFault> {
        Err(SettleFault::Unsupported)
    }
}

pub(crate) fn delivered() -> Outcome {
    Outcome::Delivered(Delivery {
        cost: Amount::rupiah(99_000),
        serial_number: "SN".to_owned(),
        details: None,
    })
}

/// Notes what it is told, in words.
#[derive(Default)]
pub(crate) struct Noting(pub(crate) Mutex<Vec<String>>);

impl Noting {
    fn note(&self, words: String) {
        self.0.lock().unwrap().push(words);
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Noting {
    fn inquired(&self, subject: Subject<'_>, end: InquiryEnd) {
        self.note(format!("{}/{} inquired {end:?}", subject.protocol, subject.group));
    }

    fn accepted(&self, subject: Subject<'_>) {
        self.note(format!("{}/{} accepted", subject.protocol, subject.group));
    }

    fn finished(&self, subject: Subject<'_>, end: TransactionEnd) {
        self.note(format!("{}/{} {end:?}", subject.protocol, subject.group));
    }

    fn resolved(&self, upstream: &UpstreamName, end: AttemptEnd) {
        self.note(format!("{upstream} {end:?}"));
    }

    fn contradicted(&self, upstream: &UpstreamName) {
        self.note(format!("{upstream} contradicted"));
    }

    fn called(&self, upstream: &UpstreamName, operation: Operation, _took: Duration) {
        self.note(format!("{upstream} called {operation:?}"));
    }

    fn handed_over(&self, protocol: &ProtocolName, end: HandoverEnd, _took: Duration) {
        self.note(format!("{protocol} handed over {end:?}"));
    }

    fn given_up(&self, protocol: &ProtocolName) {
        self.note(format!("{protocol} given up"));
    }
}

pub(crate) struct Fixture {
    pub(crate) noting: Arc<Noting>,
    pub(crate) store: Arc<InMemory>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) upstream: Arc<TestUpstream>,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) merchant: Arc<Merchant>,
}

pub(crate) const CHARGE: i64 = 100_000;
pub(crate) const OPENING: u32 = 1_000_000;

impl Fixture {
    pub(crate) async fn new() -> Self {
        let proof = Some(Duration::from_secs(900));
        Self::with(StatusBy::Asking { absence_proves_after: proof }).await
    }

    pub(crate) async fn with(status_by: StatusBy) -> Self {
        let store = Arc::new(InMemory::default());
        let clock = Arc::new(TestClock(AtomicI64::new(1_700_000_000_000)));
        let upstream = Arc::new(TestUpstream {
            name: UpstreamName::new("supplier"),
            status_by,
            bill: Mutex::new(BillAnswer::Bill(bill())),
            inquiry_takes: AtomicI64::new(0),
            clock: Arc::clone(&clock),
            acts: Mutex::default(),
            told: Mutex::default(),
            payer: Mutex::default(),
            paid: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
            go_on: Notify::new(),
        });
        let merchant = merchant(MerchantStatus::Active);
        let noting = Arc::<Noting>::default();
        let gateway = open(&store, &clock, &upstream, &noting, 1).await;
        let fund = Command::Fund(Fund {
            key: FundingKey { merchant: merchant.id, reference: "opening".to_owned() },
            direction: Direction::Credit,
            amount: Amount::rupiah(OPENING),
            reason: "test".to_owned(),
            at: gateway.now(),
        });
        let commands = vec![
            Command::PutMerchant(merchant.clone()),
            Command::PutProduct(product(ProductStatus::Active)),
            Command::PutProduct(top_up()),
            Command::PutProduct(channel("IN", Flow::In)),
            Command::PutProduct(channel("OUT", Flow::Out)),
            fund,
        ];
        gateway.administer(commands).await.unwrap();
        Self { noting, store, clock, upstream, gateway, merchant: Arc::new(merchant) }
    }

    /// The same data under another run of the program.
    pub(crate) async fn restarted(&self) -> Arc<Gateway> {
        open(&self.store, &self.clock, &self.upstream, &self.noting, 2).await
    }

    pub(crate) fn will(&self, act: Act) {
        self.upstream.acts.lock().unwrap().push_back(act);
    }

    pub(crate) fn will_tell(&self, told: Told) {
        self.upstream.told.lock().unwrap().push_back(told);
    }

    pub(crate) fn advance(&self, duration: Duration) {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap();
        self.clock.0.fetch_add(milliseconds, Ordering::Relaxed);
    }

    pub(crate) fn inquiry(&self, reference: &str) -> Inquiry {
        Inquiry {
            merchant: Arc::clone(&self.merchant),
            protocol: ProtocolName::new("test"),
            mode: Mode::Live,
            reference: Reference::new(reference),
            code: "BILL".to_owned(),
            destination: "1".to_owned(),
            parameters: Parameters::default(),
            expiry: QuoteExpiry::SameDay,
            repeats: Repeats::Refused,
            dialect: String::new(),
            calls_back: false,
        }
    }

    pub(crate) async fn quoted(&self, reference: &str) -> Arc<Order> {
        self.gateway.inquire(self.inquiry(reference)).await.unwrap()
    }

    pub(crate) async fn balance(&self) -> i64 {
        self.gateway.balance(&self.merchant).await.unwrap().minor()
    }

    /// Pays an order whose call brings no outcome, and lets its question fall due.
    pub(crate) async fn open_order(&self, reference: &str) -> Arc<Order> {
        self.will(Act::Answer(Outcome::Unknown(Doubt::InProcess).into()));
        let order = self.quoted(reference).await;
        let payment = self.gateway.pay(&self.merchant, order.id).await.unwrap();
        assert_eq!(payment.order.state, OrderState::Processing);
        payment.order
    }

    /// Asks what is due, once, and waits until that is recorded.
    pub(crate) async fn ask_due(&self) {
        self.advance(Duration::from_secs(3600));
        for order in self.gateway.reports.questions_due(self.gateway.now(), 10).await.unwrap() {
            self.gateway.ask_in_background(order);
        }
        self.gateway.finish_calls().await;
    }

    pub(crate) async fn state(&self, order: &Order) -> OrderState {
        self.gateway.order(&self.merchant, order.id).await.unwrap().state
    }
}

pub(crate) async fn open(
    store: &Arc<InMemory>,
    clock: &Arc<TestClock>,
    upstream: &Arc<TestUpstream>,
    noting: &Arc<Noting>,
    process: u64,
) -> Arc<Gateway> {
    let parts = Parts {
        store: Arc::clone(store) as _,
        reports: Arc::clone(store) as _,
        collections: Arc::clone(store) as _,
        clock: Arc::clone(clock) as _,
        observer: Arc::clone(noting) as _,
        upstreams: vec![Arc::clone(upstream) as _],
        settings: Settings {
            answer_within: Duration::from_secs(25),
            call_within: Duration::from_secs(120),
            cut_offs: true,
            upstream: upstream.name.clone(),
            test_upstream: upstream.name.clone(),
        },
        process: ProcessId(process),
    };
    Gateway::open(parts).await.unwrap()
}

pub(crate) fn merchant(status: MerchantStatus) -> Merchant {
    Merchant {
        id: MerchantId(1),
        name: "Toko".to_owned(),
        currency: Currency::Idr,
        level: Level("retail".to_owned()),
        status,
        addresses: Vec::new(),
        rate_limit: None,
        repetition: Repetition::Free,
    }
}

pub(crate) fn product(status: ProductStatus) -> Product {
    Product {
        id: ProductId::new("bill"),
        name: "Bill".to_owned(),
        group: "test".to_owned(),
        province: None,
        status,
        aliases: vec![Alias { protocol: ProtocolName::new("test"), code: "BILL".to_owned() }],
        terms: vec![Terms {
            level: Level("retail".to_owned()),
            protocol: None,
            admin_fee: Amount::rupiah(2500),
            commission: Amount::rupiah(500),
        }],
        cut_off: None,
        top_up: None,
        channel: None,
    }
}

pub(crate) fn bill() -> Bill {
    Bill {
        customer_name: "A".to_owned(),
        period: Period::None,
        nominal: Amount::rupiah(98_000),
        count: 1,
        details: Detail::none(),
    }
}

/// A product of a fixed price, [`CHARGE`], called `PULSA`.
pub(crate) fn top_up() -> Product {
    Product {
        id: ProductId::new("top-up"),
        name: "Top-up".to_owned(),
        group: "pulsa".to_owned(),
        aliases: vec![Alias { protocol: ProtocolName::new("test"), code: "PULSA".to_owned() }],
        terms: Vec::new(),
        top_up: Some(TopUp {
            operator: "telkomsel".to_owned(),
            denomination: "100000".to_owned(),
            details: String::new(),
            active_days: 30,
            cost: None,
            prices: vec![Price {
                level: Level("retail".to_owned()),
                protocol: None,
                amount: Amount::new(CHARGE, Currency::Idr).unwrap(),
            }],
        }),
        ..product(ProductStatus::Active)
    }
}

/// A way for money through which rupiah go, for one in a hundred.
pub(crate) fn channel(code: &str, flow: Flow) -> Product {
    Product {
        id: ProductId::new(code.to_lowercase()),
        group: "channel".to_owned(),
        aliases: vec![Alias { protocol: ProtocolName::new("test"), code: code.to_owned() }],
        terms: Vec::new(),
        channel: Some(Channel {
            flow,
            currencies: vec![Currency::Idr],
            fee: Fee { per_million: 10_000, fixed: 0 },
            rate_hundredths: None,
            account: String::new(),
            amount_max: Some(500_000),
        }),
        ..product(ProductStatus::Active)
    }
}

/// What is due for a [`collection`], in rupiah.
pub(crate) const DUE: u32 = 10_000;

/// Asks to be paid [`DUE`] through the channel `IN` within a minute.
pub(crate) fn collection(fixture: &Fixture, reference: &str) -> CollectionRequest {
    CollectionRequest {
        merchant: Arc::clone(&fixture.merchant),
        protocol: ProtocolName::new("test"),
        reference: Reference::new(reference),
        code: "IN".to_owned(),
        destination: "payer".to_owned(),
        due: Amount::rupiah(DUE),
        gross: Amount::rupiah(DUE),
        particulars: Detail::none(),
        return_url: None,
        dialect: String::new(),
        calls_back: true,
        callback_url: None,
        lifetime: Some(Duration::from_secs(60)),
        fingerprint: [1; 32],
    }
}

/// The order of a [`collection`].
pub(crate) async fn opened(fixture: &Fixture, reference: &str) -> Arc<Order> {
    fixture.gateway.open_collection(collection(fixture, reference)).await.unwrap().order
}
