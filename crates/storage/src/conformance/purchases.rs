//! What is bought at a fixed price, money that is paid out, and merchants' own limits.

use std::time::Duration;

use domain::command::Buy;
use domain::{Kind, OrderState, Repetition};

use super::arbitrary::{purchase, sample};
use super::*;

/// Buys at this price, for which nothing but the supplier's share is taken.
pub(crate) fn buy(key: ReferenceKey, price: Amount) -> Buy {
    let nothing = Amount::zero(price.currency());
    Buy {
        request: request(key),
        quote: Quote { nominal: price, admin_fee: nothing, admin: nothing, price, charge: price },
        recipient: None,
        repetition: Repetition::Free,
        owner: ProcessId(7),
        question_due: ASK_AT,
    }
}

/// Pays this amount out, for this fee.
fn pay_out(key: ReferenceKey, amount: u32, fee: u32) -> Command {
    let [amount, fee] = [amount, fee].map(Amount::rupiah);
    let charge = amount.plus(fee).expect("fits");
    let bought = buy(key, charge);
    Command::Buy(Buy {
        quote: Quote { nominal: amount, admin_fee: fee, admin: fee, ..bought.quote },
        recipient: Some(Detail::Record(vec![(
            "account".to_owned(),
            Detail::Text("0123456789".to_owned()),
        )])),
        ..bought
    })
}

async fn accepted<S: Subject>(world: &World<S>, command: Command) -> Arc<Order> {
    match world.reply(command).await {
        Reply::Accepted { order, .. } => order,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn what_is_bought_needs_no_quote<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 10_000).await;
    let command = Command::Buy(buy(key(TOKO, "r1"), Amount::rupiah(3000)));
    let order = accepted(world, command.clone()).await;
    assert!(order.is_top_up());
    assert_eq!(world.available(TOKO).await, 7000);
    for reopened in [false, true] {
        if reopened {
            world.reopen().await;
        }
        let Reply::AcceptedBefore { order: before, .. } = world.reply(command.clone()).await else {
            panic!("bought twice");
        };
        assert_eq!((before.id, world.available(TOKO).await), (order.id, 7000));
    }
    world.reply(resolve(&order, delivered(2500))).await;
    assert_eq!(world.order(order.id).await.state, OrderState::Succeeded);
    assert_eq!(world.available(TOKO).await, 7000);
}

pub(crate) async fn a_payout_holds_amount_and_fee<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 10_000).await;
    let order = accepted(world, pay_out(key(TOKO, "r1"), 5000, 250)).await;
    assert_eq!((order.kind, order.holds.len()), (Kind::Payout, 2));
    assert_eq!(world.audit().open_holds, 2);
    world.reopen().await;
    assert_eq!(world.order(order.id).await, order);
    world.reply(resolve(&order, delivered(5100))).await;
    let done = world.order(order.id).await;
    assert!(done.holds.iter().all(|hold| hold.resolved_by.is_some()));
    assert_eq!(world.available(TOKO).await, 4750);
    let moved = world.opened.reports.transfers_of_order(&done).await.expect("no fault");
    // Two holds, both posted, the cost and the margin.
    assert_eq!(moved.len(), 6, "{moved:?}");
}

pub(crate) async fn a_refused_payout_gives_both_back<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 5249).await;
    let poor = world.answer(pay_out(key(TOKO, "r1"), 5000, 250)).await;
    assert_eq!(poor, Err(Refusal::BalanceInsufficient));
    world.fund(TOKO, "f2", 1).await;
    let order = accepted(world, pay_out(key(TOKO, "r1"), 5000, 250)).await;
    assert_eq!(world.available(TOKO).await, 0);
    world.reply(resolve(&order, Outcome::Refused(Refusal::PaymentFailed))).await;
    assert_eq!(world.available(TOKO).await, 5250);
    assert_eq!(world.audit().open_holds, 0);
}

/// One of the purchases to which a limit may have something to say.
fn repeated(reference: &str, destination: &str, product: &str, day: u64) -> Buy {
    let mut bought = buy(key(TOKO, reference), Amount::rupiah(100));
    bought.request.destination = destination.to_owned();
    bought.request.product = ProductId::new(product);
    bought.request.at = NOW.after(Duration::from_secs(day * 24 * 3600));
    bought
}

pub(crate) async fn a_limit_counts_what_did_not_fail<S: Subject>(world: &mut World<S>) {
    use Repetition::{Free, OncePerNumber, OncePerProduct};
    world.fund(TOKO, "f1", 100_000).await;
    let by_product = Some(Refusal::ProductRepeated);
    let by_number = Some(Refusal::DestinationRepeated);
    // number, product, day, limit, what the limit says, whether it then fails
    let table = [
        ("0811", "t10", 0, OncePerProduct, None, false),
        ("0811", "t10", 0, OncePerProduct, by_product, false),
        ("0811", "t20", 0, OncePerProduct, None, false),
        ("0812", "t10", 0, OncePerProduct, None, true),
        ("0812", "t10", 0, OncePerProduct, None, false),
        ("0812", "t10", 0, OncePerProduct, by_product, false),
        ("0812", "t10", 1, OncePerProduct, None, false),
        ("0811", "t30", 0, OncePerNumber, by_number, false),
        ("0813", "", 0, OncePerNumber, None, false),
        ("0813", "t30", 0, OncePerNumber, by_number, false),
        ("0813", "", 0, OncePerProduct, by_product, false),
        ("0811", "t10", 0, Free, None, false),
    ];
    for (row, (number, product, day, limit, refusal, fails)) in table.into_iter().enumerate() {
        let mut bought = repeated(&format!("r{row}"), number, product, day);
        bought.repetition = limit;
        let answer = world.answer(Command::Buy(bought)).await;
        assert_eq!(answer.as_ref().err(), refusal.as_ref(), "row {row}");
        if let Ok(Reply::Accepted { order, .. }) = &answer
            && fails
        {
            world.reply(resolve(order, Outcome::Refused(Refusal::PaymentFailed))).await;
        }
        world.audit();
        if row % 2 == 0 {
            world.reopen().await;
        }
    }
}

pub(crate) async fn a_crowd_keeps_to_a_limit<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 100_000).await;
    let bought = (0..32).map(|number| {
        let mut bought = repeated(&format!("r{number}"), "0811", "t10", 0);
        bought.repetition = Repetition::OncePerNumber;
        world.answer(Command::Buy(bought))
    });
    let answers = all(bought).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    assert_eq!(world.available(TOKO).await, 99_900);
}

pub(crate) async fn purchases_come_back_as_they_were<S: Subject>(world: &mut World<S>) {
    let mut bought = Vec::new();
    for (number, mut purchase) in sample(&purchase(), 64).into_iter().enumerate() {
        let unique = format!("{}{number}", purchase.request.key.reference);
        purchase.request.key.reference = Reference::new(unique);
        let order = accepted(world, Command::Buy(purchase)).await;
        bought.push(match world.reply(resolve(&order, outcome_of(&order, number))).await {
            Reply::Resolved { order, .. } => order,
            other => panic!("{other:?}"),
        });
    }
    for reopened in [false, true] {
        if reopened {
            world.reopen().await;
        }
        for order in &bought {
            assert_eq!(&world.order(order.id).await, order);
            let found = world.opened.store.order_by_reference(&order.key).await;
            assert_eq!(found, Ok(Some(Arc::clone(order))));
        }
    }
    assert!(bought.iter().any(|order| order.callbacks.len() == 2), "nobody is called back");
}

fn outcome_of(order: &Order, number: usize) -> Outcome {
    match number % 3 {
        0 => Outcome::Unknown(domain::Doubt::Silent),
        1 => Outcome::Refused(Refusal::PaymentFailed),
        _ => Outcome::Delivered(Delivery {
            cost: order.quote.expect("priced").charge,
            serial_number: "SN".to_owned(),
            details: None,
        }),
    }
}
