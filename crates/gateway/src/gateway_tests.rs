//! The use cases over an in-memory store and an upstream that does as it is told.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use domain::administration::{Act as OperatorAct, Actor, Effect, NamedRequest, Role};
use domain::command::{Fund, FundingKey};
use domain::posting::Direction;
use domain::product::QuoteExpiry;
use domain::{
    Alias, Amount, Bill, Command, Currency, Delivery, Detail, Doubt, Level, Merchant, MerchantId,
    MerchantStatus, Mode, Objection, Order, OrderState, Outcome, Period, ProcessId, Product,
    ProductId, ProductStatus, ProtocolName, Reference, Refusal, Terms, Timestamp, UpstreamName,
};
use tokio::sync::Notify;

use crate::in_memory::InMemory;
use crate::observer::{AttemptEnd, InquiryEnd, Observer, Operation, Subject, TransactionEnd};
use crate::ports::{
    BillAnswer, BillQuestion, Clock, Notice, Parameters, Purchase, SettleFault, StatusBy, Supplied,
    Told, Upstream, Verdict,
};
use crate::{
    ActFault, By, ByHandFault, Done, Gateway, Inquiry, Parts, Rejection, Repeats, Settings,
    random_key,
};

struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.0.load(Ordering::Relaxed))
    }
}

/// What the supplier does when it is called to pay.
enum Act {
    Answer(Supplied),
    /// Answers only once the test lets it.
    Wait,
    /// Never answers.
    Silence,
}

struct TestUpstream {
    name: UpstreamName,
    status_by: StatusBy,
    bill: Mutex<BillAnswer>,
    acts: Mutex<VecDeque<Act>>,
    told: Mutex<VecDeque<Told>>,
    paid: AtomicUsize,
    asked: AtomicUsize,
    go_on: Notify,
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

    async fn ask(&self, _purchase: Purchase) -> Told {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let told = self.told.lock().unwrap().pop_front();
        told.unwrap_or(Told::Supplied(Outcome::Unknown(Doubt::InProcess).into()))
    }

    async fn settle(&self, _purchase: Purchase, _verdict: Verdict) -> Result<(), SettleFault> {
        Err(SettleFault::Unsupported)
    }
}

fn delivered() -> Outcome {
    Outcome::Delivered(Delivery {
        cost: Amount::rupiah(99_000),
        serial_number: "SN".to_owned(),
        details: None,
    })
}

/// Notes what it is told, in words.
#[derive(Default)]
struct Noting(Mutex<Vec<String>>);

impl Noting {
    fn note(&self, words: String) {
        self.0.lock().unwrap().push(words);
    }

    fn take(&self) -> Vec<String> {
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
}

struct Fixture {
    noting: Arc<Noting>,
    store: Arc<InMemory>,
    clock: Arc<TestClock>,
    upstream: Arc<TestUpstream>,
    gateway: Arc<Gateway>,
    merchant: Arc<Merchant>,
}

const CHARGE: i64 = 100_000;
const OPENING: u32 = 1_000_000;

impl Fixture {
    async fn new() -> Self {
        let proof = Some(Duration::from_secs(900));
        Self::with(StatusBy::Asking { absence_proves_after: proof }).await
    }

    async fn with(status_by: StatusBy) -> Self {
        let store = Arc::new(InMemory::default());
        let clock = Arc::new(TestClock(AtomicI64::new(1_700_000_000_000)));
        let upstream = Arc::new(TestUpstream {
            name: UpstreamName::new("supplier"),
            status_by,
            bill: Mutex::new(BillAnswer::Bill(bill())),
            acts: Mutex::default(),
            told: Mutex::default(),
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
            fund,
        ];
        gateway.administer(commands).await.unwrap();
        Self { noting, store, clock, upstream, gateway, merchant: Arc::new(merchant) }
    }

    /// The same data under another run of the program.
    async fn restarted(&self) -> Arc<Gateway> {
        open(&self.store, &self.clock, &self.upstream, &self.noting, 2).await
    }

    fn will(&self, act: Act) {
        self.upstream.acts.lock().unwrap().push_back(act);
    }

    fn will_tell(&self, told: Told) {
        self.upstream.told.lock().unwrap().push_back(told);
    }

    fn advance(&self, duration: Duration) {
        let milliseconds = i64::try_from(duration.as_millis()).unwrap();
        self.clock.0.fetch_add(milliseconds, Ordering::Relaxed);
    }

    fn inquiry(&self, reference: &str) -> Inquiry {
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
        }
    }

    async fn quoted(&self, reference: &str) -> Arc<Order> {
        self.gateway.inquire(self.inquiry(reference)).await.unwrap()
    }

    async fn balance(&self) -> i64 {
        self.gateway.balance(&self.merchant).await.unwrap().minor()
    }

    /// Pays an order whose call brings no outcome, and lets its question fall due.
    async fn open_order(&self, reference: &str) -> Arc<Order> {
        self.will(Act::Answer(Outcome::Unknown(Doubt::InProcess).into()));
        let order = self.quoted(reference).await;
        let payment = self.gateway.pay(&self.merchant, order.id).await.unwrap();
        assert_eq!(payment.order.state, OrderState::Processing);
        payment.order
    }

    /// Asks what is due, once, and waits until that is recorded.
    async fn ask_due(&self) {
        self.advance(Duration::from_secs(3600));
        for order in self.gateway.reports.questions_due(self.gateway.now(), 10).await.unwrap() {
            self.gateway.ask_in_background(order);
        }
        self.gateway.finish_calls().await;
    }

    async fn state(&self, order: &Order) -> OrderState {
        self.gateway.order(&self.merchant, order.id).await.unwrap().state
    }
}

async fn open(
    store: &Arc<InMemory>,
    clock: &Arc<TestClock>,
    upstream: &Arc<TestUpstream>,
    noting: &Arc<Noting>,
    process: u64,
) -> Arc<Gateway> {
    let parts = Parts {
        store: Arc::clone(store) as _,
        reports: Arc::clone(store) as _,
        clock: Arc::clone(clock) as _,
        observer: Arc::clone(noting) as _,
        upstreams: vec![Arc::clone(upstream) as _],
        settings: Settings {
            answer_within: Duration::from_secs(25),
            call_within: Duration::from_secs(120),
            cut_offs: true,
            upstream: upstream.name.clone(),
        },
        process: ProcessId(process),
    };
    Gateway::open(parts).await.unwrap()
}

fn merchant(status: MerchantStatus) -> Merchant {
    Merchant {
        id: MerchantId(1),
        name: "Toko".to_owned(),
        currency: Currency::Idr,
        level: Level("retail".to_owned()),
        status,
        addresses: Vec::new(),
        rate_limit: None,
    }
}

fn product(status: ProductStatus) -> Product {
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
    }
}

fn bill() -> Bill {
    Bill {
        customer_name: "A".to_owned(),
        period: Period::None,
        nominal: Amount::rupiah(98_000),
        count: 1,
        details: Detail::none(),
    }
}

#[tokio::test]
async fn a_delivered_payment_is_charged_once() {
    let fixture = Fixture::new().await;
    let order = fixture.quoted("A").await;
    let payment = fixture.gateway.pay(&fixture.merchant, order.id).await.unwrap();
    assert_eq!(payment.order.state, OrderState::Succeeded);
    assert_eq!(payment.balance.minor(), i64::from(OPENING) - CHARGE);
    let again = fixture.gateway.pay(&fixture.merchant, order.id).await.unwrap();
    assert!(again.repeated);
    assert_eq!(fixture.upstream.paid.load(Ordering::Relaxed), 1);
    assert_eq!(fixture.balance().await, i64::from(OPENING) - CHARGE);
    assert_eq!(fixture.store.audit().unwrap().open_holds, 0);
}

#[tokio::test]
async fn a_merchant_who_hangs_up_stops_nothing() {
    let fixture = Fixture::new().await;
    let order = fixture.quoted("A").await;
    fixture.will(Act::Wait);
    let paying = tokio::spawn({
        let (gateway, merchant) = (Arc::clone(&fixture.gateway), Arc::clone(&fixture.merchant));
        let id = order.id;
        async move { gateway.pay(&merchant, id).await }
    });
    while fixture.upstream.paid.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    paying.abort();
    assert!(paying.await.unwrap_err().is_cancelled());
    fixture.upstream.go_on.notify_one();
    fixture.gateway.finish_calls().await;
    assert_eq!(fixture.state(&order).await, OrderState::Succeeded);
    assert_eq!(fixture.balance().await, i64::from(OPENING) - CHARGE);
}

#[tokio::test(start_paused = true)]
async fn the_answer_deadline_brings_pending_and_the_call_goes_on() {
    let fixture = Fixture::new().await;
    let order = fixture.quoted("A").await;
    fixture.will(Act::Wait);
    let payment = fixture.gateway.pay(&fixture.merchant, order.id).await.unwrap();
    assert_eq!(payment.order.state, OrderState::Processing);
    assert_eq!(payment.balance.minor(), i64::from(OPENING) - CHARGE);
    fixture.upstream.go_on.notify_one();
    fixture.gateway.finish_calls().await;
    assert_eq!(fixture.state(&order).await, OrderState::Succeeded);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_answers_is_unknown_and_asked_about() {
    let fixture = Fixture::new().await;
    let order = fixture.quoted("A").await;
    fixture.will(Act::Silence);
    fixture.gateway.pay(&fixture.merchant, order.id).await.unwrap();
    tokio::time::sleep(Duration::from_secs(120)).await;
    fixture.will_tell(Told::Supplied(delivered().into()));
    fixture.ask_due().await;
    assert_eq!(fixture.state(&order).await, OrderState::Succeeded);
    assert_eq!(fixture.upstream.paid.load(Ordering::Relaxed), 1, "asked, not bought again");
}

#[tokio::test]
async fn unknown_never_becomes_failed_by_age() {
    let fixture = Fixture::new().await;
    let order = fixture.open_order("A").await;
    for _ in 0..300 {
        fixture.ask_due().await;
    }
    assert_eq!(fixture.state(&order).await, OrderState::Processing);
    assert!(fixture.upstream.asked.load(Ordering::Relaxed) < 300, "asking ends after days");
    assert_eq!(fixture.store.audit().unwrap().open_holds, 1);
}

#[tokio::test]
async fn absence_proves_nothing_before_its_time() {
    let fixture = Fixture::new().await;
    let order = fixture.open_order("A").await;
    fixture.will_tell(Told::NotReceived);
    fixture.advance(Duration::from_secs(899));
    fixture.gateway.ask(&order).await.unwrap();
    assert_eq!(fixture.state(&order).await, OrderState::Processing);
    fixture.will_tell(Told::NotReceived);
    fixture.advance(Duration::from_secs(1));
    fixture.gateway.ask(&order).await.unwrap();
    let failed = OrderState::Failed(Refusal::PaymentNotReceived);
    assert_eq!(fixture.state(&order).await, failed);
    assert_eq!(fixture.balance().await, i64::from(OPENING));
}

#[tokio::test]
async fn only_a_declared_upstream_is_called_again() {
    for (status_by, paid, asked) in [
        (StatusBy::Repeating, 2, 0),
        (StatusBy::NoticeOnly, 1, 0),
        (StatusBy::Asking { absence_proves_after: None }, 1, 1),
    ] {
        let fixture = Fixture::with(status_by).await;
        fixture.open_order("A").await;
        fixture.ask_due().await;
        assert_eq!(fixture.upstream.paid.load(Ordering::Relaxed), paid, "{status_by:?}");
        assert_eq!(fixture.upstream.asked.load(Ordering::Relaxed), asked, "{status_by:?}");
    }
}

#[tokio::test]
async fn a_wrong_amount_is_not_believed() {
    let fixture = Fixture::new().await;
    let baht = Outcome::Delivered(Delivery {
        cost: Amount::zero(Currency::Thb),
        serial_number: String::new(),
        details: None,
    });
    let claims = [
        ("A", Supplied { outcome: delivered(), nominal: Some(Amount::rupiah(1)) }),
        ("B", Supplied::from(baht)),
    ];
    for (reference, supplied) in claims {
        let order = fixture.quoted(reference).await;
        fixture.will(Act::Answer(supplied));
        let payment = fixture.gateway.pay(&fixture.merchant, order.id).await.unwrap();
        assert_eq!(payment.order.state, OrderState::Processing, "{reference}");
    }
}

#[tokio::test]
async fn notices_count_once_and_only_from_who_was_called() {
    let fixture = Fixture::new().await;
    let order = fixture.open_order("A").await;
    let notice = |upstream: &str, outcome| Notice {
        order: order.id,
        attempt: 1,
        upstream: UpstreamName::new(upstream),
        supplied: Supplied::from(outcome),
    };
    fixture.gateway.notice(notice("stranger", delivered())).await.unwrap();
    assert_eq!(fixture.state(&order).await, OrderState::Processing);
    for _ in 0..2 {
        fixture.gateway.notice(notice("supplier", delivered())).await.unwrap();
    }
    let refused = Outcome::Refused(Refusal::PaymentFailed);
    fixture.gateway.notice(notice("supplier", refused)).await.unwrap();
    assert_eq!(fixture.state(&order).await, OrderState::Succeeded);
    assert_eq!(fixture.balance().await, i64::from(OPENING) - CHARGE);
    fixture.store.audit().unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_next_run_asks_about_what_the_last_one_left() {
    let fixture = Fixture::new().await;
    let order = fixture.quoted("A").await;
    fixture.will(Act::Silence);
    fixture.gateway.pay(&fixture.merchant, order.id).await.unwrap();
    assert_eq!(fixture.gateway.recover().await.unwrap(), 0, "its own attempts are alive");
    let next = fixture.restarted().await;
    fixture.will_tell(Told::Supplied(delivered().into()));
    assert_eq!(next.recover().await.unwrap(), 1);
    next.finish_calls().await;
    assert_eq!(fixture.state(&order).await, OrderState::Succeeded);
    assert_eq!(fixture.upstream.paid.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_not_repeated_at_a_supplier() {
    let fixture = Fixture::with(StatusBy::Repeating).await;
    let order = fixture.quoted("A").await;
    fixture.will(Act::Silence);
    fixture.gateway.pay(&fixture.merchant, order.id).await.unwrap();
    fixture.advance(Duration::from_secs(100 * 24 * 3600));
    let next = fixture.restarted().await;
    assert_eq!(next.recover().await.unwrap(), 1);
    next.finish_calls().await;
    assert_eq!(fixture.upstream.paid.load(Ordering::Relaxed), 1);
    assert_eq!(fixture.state(&order).await, OrderState::Processing);
}

#[tokio::test]
async fn a_bill_in_another_currency_is_not_sold() {
    let fixture = Fixture::new().await;
    let before = fixture.store.changes();
    let foreign = Bill { nominal: Amount::zero(Currency::Thb), ..bill() };
    *fixture.upstream.bill.lock().unwrap() = BillAnswer::Bill(foreign);
    let refused = fixture.gateway.inquire(fixture.inquiry("A")).await;
    assert_eq!(refused, Err(Rejection::Refused(Refusal::ProductNotAllowed)));
    assert_eq!(fixture.store.changes(), before);
}

fn by(request: &str) -> By {
    By {
        actor: Actor { name: "ana".to_owned(), role: Role::Operator },
        request: Some(NamedRequest { text: request.to_owned(), fingerprint: [7; 32] }),
    }
}

#[tokio::test]
async fn an_act_is_seen_by_the_requests_that_follow() {
    let fixture = Fixture::new().await;
    let merchant = fixture.merchant.id;
    let suspend = OperatorAct::SetMerchantStatus { merchant, status: MerchantStatus::Suspended };
    let done = fixture.gateway.act(by("k1"), suspend.clone()).await.unwrap();
    let stands = fixture.gateway.catalogue().merchant(merchant).unwrap().status;
    assert_eq!(stands, MerchantStatus::Suspended);
    assert_eq!(fixture.gateway.done_before(&by("k2")).await, Ok(None));
    let repeat = fixture.gateway.act(by("k1"), suspend.clone()).await.unwrap();
    assert_eq!(repeat, Done { repeated: true, ..done });
    let mut other = by("k1");
    other.request.as_mut().unwrap().fingerprint = [8; 32];
    let reused = Err(ActFault::Objected(Objection::RequestKeyReused));
    assert_eq!(fixture.gateway.act(other.clone(), suspend).await, reused);
    assert!(fixture.gateway.done_before(&other).await.is_err());
}

#[test]
fn keys_are_made_of_all_that_is_drawn() {
    struct Counting;
    impl crate::ports::Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.iter_mut().zip(240..=255).for_each(|(byte, count)| *byte = count);
        }
    }
    assert_eq!(random_key(&Counting).reveal(), "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
}

#[tokio::test]
async fn a_person_decides_only_what_is_open() {
    for (verdict, state) in [
        (Verdict::Success, OrderState::Succeeded),
        (Verdict::Failed, OrderState::Failed(Refusal::PaymentFailed)),
    ] {
        let fixture = Fixture::new().await;
        let order = fixture.open_order("A").await;
        let by_hand = fixture.gateway.decide_by_hand(order.id, verdict, by("k1")).await.unwrap();
        let Effect::Resolved(standing) = &by_hand.effect else { panic!("{by_hand:?}") };
        assert_eq!(standing.state, state);
        let repeat = fixture.gateway.decide_by_hand(order.id, verdict, by("k1")).await.unwrap();
        assert_eq!(repeat, Done { repeated: true, ..by_hand });
        let again = fixture.gateway.decide_by_hand(order.id, verdict, by("k2")).await;
        assert_eq!(again, Err(ByHandFault::NotPending));
        fixture.store.audit().unwrap();
    }
}

#[tokio::test]
async fn refusals_of_ours_leave_the_reference_free() {
    let fixture = Fixture::new().await;
    let gateway = &fixture.gateway;
    let refused = |result: Result<Arc<Order>, Rejection>| match result {
        Err(Rejection::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let mut unknown = fixture.inquiry("A");
    unknown.code = "NOTHING".to_owned();
    assert_eq!(refused(gateway.inquire(unknown).await), Refusal::ProductUnknown);

    let off = Command::PutProduct(product(ProductStatus::Inactive));
    gateway.administer(vec![off]).await.unwrap();
    let inquiry = fixture.inquiry("A");
    assert_eq!(refused(gateway.inquire(inquiry).await), Refusal::ProductUnavailable);
    let on = Command::PutProduct(product(ProductStatus::Active));
    gateway.administer(vec![on]).await.unwrap();

    *fixture.upstream.bill.lock().unwrap() = BillAnswer::Silent;
    let inquiry = fixture.inquiry("A");
    assert_eq!(refused(gateway.inquire(inquiry).await), Refusal::SupplierTimeout);
    assert_eq!(fixture.store.audit().unwrap().orders, 0);

    *fixture.upstream.bill.lock().unwrap() = BillAnswer::Refused(Refusal::DestinationInvalid);
    let inquiry = fixture.inquiry("A");
    assert_eq!(refused(gateway.inquire(inquiry).await), Refusal::DestinationInvalid);
    *fixture.upstream.bill.lock().unwrap() = BillAnswer::Bill(bill());
    let inquiry = fixture.inquiry("A");
    assert_eq!(refused(gateway.inquire(inquiry).await), Refusal::ReferenceUsed);
}

#[tokio::test]
async fn repeats_are_answered_where_the_protocol_wants_it() {
    let fixture = Fixture::new().await;
    let order = fixture.quoted("A").await;
    let mut repeat = fixture.inquiry("A");
    repeat.repeats = Repeats::Answered;
    assert_eq!(fixture.gateway.inquire(repeat.clone()).await.unwrap().id, order.id);
    repeat.destination = "2".to_owned();
    let other = fixture.gateway.inquire(repeat).await;
    assert_eq!(other, Err(Rejection::Refused(Refusal::ReferenceUsed)));
}

#[tokio::test]
async fn what_is_off_or_suspended_since_the_inquiry_is_not_paid() {
    let fixture = Fixture::new().await;
    let order = fixture.quoted("A").await;
    let off = Command::PutProduct(product(ProductStatus::Inactive));
    fixture.gateway.administer(vec![off]).await.unwrap();
    let paid = fixture.gateway.pay(&fixture.merchant, order.id).await;
    assert_eq!(paid, Err(Rejection::Refused(Refusal::ProductUnavailable)));
    let suspended = Arc::new(merchant(MerchantStatus::Suspended));
    let paid = fixture.gateway.pay(&suspended, order.id).await;
    assert_eq!(paid, Err(Rejection::Refused(Refusal::AccountSuspended)));
    assert_eq!(fixture.balance().await, i64::from(OPENING));
    assert_eq!(fixture.upstream.paid.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn each_event_is_told_once_to_whoever_counts() {
    let fixture = Fixture::new().await;
    let order = fixture.quoted("A").await;
    fixture.will(Act::Answer(Outcome::Unknown(Doubt::InProcess).into()));
    for _ in 0..2 {
        fixture.gateway.pay(&fixture.merchant, order.id).await.unwrap();
    }
    fixture.will_tell(Told::Supplied(delivered().into()));
    fixture.ask_due().await;
    for outcome in [delivered(), Outcome::Refused(Refusal::PaymentFailed)] {
        let supplied = Supplied::from(outcome);
        let upstream = UpstreamName::new("supplier");
        let notice = Notice { order: order.id, attempt: 1, upstream, supplied };
        fixture.gateway.notice(notice).await.unwrap();
    }
    let told = [
        "supplier called Inquire",
        "test/test inquired Quoted",
        "test/test accepted",
        "supplier called Pay",
        "supplier Unknown",
        "supplier called Ask",
        "supplier Delivered",
        "test/test Succeeded",
        "supplier contradicted",
    ];
    assert_eq!(fixture.noting.take(), told);
}

#[test]
fn a_reply_out_of_place_is_named_without_what_it_carries() {
    let balance = Amount::rupiah(123_456);
    let fault = crate::inquire::unexpected(&domain::Reply::Funded { balance });
    assert_eq!(fault.to_string(), "stored data is damaged: unexpected reply: funded");
}
