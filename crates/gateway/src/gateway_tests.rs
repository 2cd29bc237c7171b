//! The use cases over an in-memory store and an upstream that does as it is told.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use domain::administration::{Act as OperatorAct, Actor, Effect, NamedRequest, Role};
use domain::product::QuoteExpiry;
use domain::{
    Amount, Bill, Command, Currency, Delivery, Doubt, Merchant, MerchantStatus, Mode, Objection,
    Order, OrderState, Outcome, ProductStatus, Refusal, UpstreamName,
};

use crate::fixtures::{Act, CHARGE, Fixture, OPENING, bill, delivered, merchant, product};
use crate::ports::{BillAnswer, Notice, StatusBy, Supplied, Told, Verdict};
use crate::{
    ActFault, By, ByHandFault, Done, Holdings, Inquiry, Rejection, Repeats, TopUpRequest,
    random_key,
};

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

fn purchase(fixture: &Fixture, reference: &str, destination: &str) -> TopUpRequest {
    let inquiry = fixture.inquiry(reference);
    TopUpRequest {
        merchant: inquiry.merchant,
        protocol: inquiry.protocol,
        mode: Mode::Live,
        reference: inquiry.reference,
        code: "PULSA".to_owned(),
        destination: destination.to_owned(),
        dialect: "v1".to_owned(),
        calls_back: true,
        answer_within: None,
    }
}

#[tokio::test]
async fn a_top_up_is_bought_once_however_often_it_is_asked_for() {
    let fixture = Fixture::new().await;
    let buy = || fixture.gateway.buy(purchase(&fixture, "A", "0812"));
    let (first, second) = tokio::join!(buy(), buy());
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_ne!(first.repeated, second.repeated);
    assert_eq!(first.order.id, second.order.id);
    assert_eq!(first.order.dialect, "v1");
    fixture.gateway.finish_calls().await;
    assert_eq!(fixture.upstream.paid.load(Ordering::Relaxed), 1);
    assert_eq!(fixture.balance().await, i64::from(OPENING) - CHARGE);
    assert_eq!(fixture.store.audit().unwrap().callbacks, 1);
}

#[tokio::test]
async fn a_merchant_who_does_not_wait_is_told_pending() {
    let fixture = Fixture::new().await;
    fixture.will(Act::Wait);
    let hasty =
        TopUpRequest { answer_within: Some(Duration::ZERO), ..purchase(&fixture, "A", "0812") };
    let payment = fixture.gateway.buy(hasty).await.unwrap();
    assert_eq!(payment.order.state, OrderState::Processing);
    fixture.upstream.go_on.notify_one();
    fixture.gateway.finish_calls().await;
    assert_eq!(fixture.state(&payment.order).await, OrderState::Succeeded);
}

#[tokio::test]
async fn what_cannot_be_bought_leaves_the_reference_free() {
    let fixture = Fixture::new().await;
    let asked = || purchase(&fixture, "A", "0812");
    let suspended = Arc::new(Merchant {
        status: MerchantStatus::Suspended,
        ..merchant(MerchantStatus::Active)
    });
    let elsewhere =
        Arc::new(Merchant { currency: Currency::Thb, ..merchant(MerchantStatus::Active) });
    let before = fixture.store.changes();
    for (request, refusal) in [
        (TopUpRequest { merchant: suspended, ..asked() }, Refusal::AccountSuspended),
        (TopUpRequest { merchant: elsewhere, ..asked() }, Refusal::ProductNotAllowed),
        (TopUpRequest { code: "BILL".to_owned(), ..asked() }, Refusal::ProductUnknown),
        (TopUpRequest { code: "NONE".to_owned(), ..asked() }, Refusal::ProductUnknown),
    ] {
        assert_eq!(fixture.gateway.buy(request).await, Err(Rejection::Refused(refusal)));
    }
    let inquiry = Inquiry { code: "PULSA".to_owned(), ..fixture.inquiry("A") };
    let rejection = fixture.gateway.inquire(inquiry).await.unwrap_err();
    assert_eq!(rejection, Rejection::Refused(Refusal::ProductUnknown));
    assert_eq!(fixture.store.changes(), before);
    fixture.gateway.buy(asked()).await.unwrap();
}

#[tokio::test]
async fn an_inquiry_is_renewed_until_it_is_confirmed() {
    let fixture = Fixture::new().await;
    let renewed = || Inquiry { repeats: Repeats::Renewed, ..fixture.inquiry("A") };
    *fixture.upstream.bill.lock().unwrap() = BillAnswer::Refused(Refusal::BillNotAvailable);
    let refused = fixture.gateway.inquire(renewed()).await;
    assert_eq!(refused, Err(Rejection::Refused(Refusal::BillNotAvailable)));
    *fixture.upstream.bill.lock().unwrap() = BillAnswer::Bill(bill());
    let first = fixture.gateway.inquire(renewed()).await.unwrap();
    let dearer = Bill { nominal: Amount::rupiah(99_000), ..bill() };
    *fixture.upstream.bill.lock().unwrap() = BillAnswer::Bill(dearer.clone());
    let second = fixture.gateway.inquire(renewed()).await.unwrap();
    assert_eq!((second.id, second.bill.as_deref()), (first.id, Some(&dearer)));
    let used = Err(Rejection::Refused(Refusal::ReferenceUsed));
    let other = Inquiry { destination: "2".to_owned(), ..renewed() };
    assert_eq!(fixture.gateway.inquire(other).await, used);
    fixture.gateway.pay(&fixture.merchant, second.id).await.unwrap();
    assert_eq!(fixture.gateway.inquire(renewed()).await, used);
}

#[tokio::test]
async fn a_quote_lives_from_the_answer_on() {
    let fixture = Fixture::new().await;
    fixture.upstream.inquiry_takes.store(20_000, Ordering::Relaxed);
    let life = Duration::from_secs(300);
    let inquiry = Inquiry { expiry: QuoteExpiry::After(life), ..fixture.inquiry("A") };
    let asked = fixture.gateway.now();
    let order = fixture.gateway.inquire(inquiry).await.unwrap();
    assert_eq!(order.expires_at, asked.after(Duration::from_secs(20)).after(life));
    fixture.advance(life - Duration::from_millis(1));
    fixture.gateway.pay(&fixture.merchant, order.id).await.unwrap();
}

#[tokio::test]
async fn holdings_tell_what_is_set_aside() {
    let fixture = Fixture::new().await;
    let merchant = merchant(MerchantStatus::Active);
    let opening = Amount::rupiah(OPENING);
    let nothing = Amount::rupiah(0);
    let holdings = fixture.gateway.holdings(&merchant).await.unwrap();
    assert_eq!(holdings, Holdings { total: opening, set_aside: nothing, available: opening });
    let stranger = domain::Merchant { id: domain::MerchantId(99), ..merchant };
    let holdings = fixture.gateway.holdings(&stranger).await.unwrap();
    assert_eq!(holdings, Holdings { total: nothing, set_aside: nothing, available: nothing });
}
