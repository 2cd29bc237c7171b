//! Many callers at once, and callers who must not disturb each other.

use std::time::Instant;

use domain::OrderState;

use super::*;

pub(crate) async fn a_balance_is_never_overspent<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 5500).await;
    let mut orders = Vec::new();
    for number in 0..64 {
        orders.push(world.quoted(TOKO, &number.to_string(), 1000).await);
    }
    let answers = all(orders.iter().map(|order| world.answer(accept(order)))).await;
    let held = answers.iter().filter(|answer| answer.is_ok()).count();
    assert_eq!(held, 5);
    assert!(
        answers
            .iter()
            .flat_map(|answer| answer.as_ref().err())
            .all(|refusal| { *refusal == Refusal::BalanceInsufficient })
    );
    assert_eq!(world.available(TOKO).await, 500);
    assert_eq!(world.audit().open_holds, 5);
}

/// Merchants work side by side, each through whole lives of orders.
pub(crate) async fn a_crowd_does_what_one_by_one_would<S: Subject>(world: &mut World<S>) {
    let merchants = (1..=16).map(MerchantId);
    let crowd = merchants.clone().map(async |merchant| {
        world.fund(merchant, "f1", 10_000).await;
        for number in 0..6 {
            let order = world.accepted(merchant, &number.to_string(), 1000).await;
            let outcome = if number % 2 == 0 {
                delivered(900)
            } else {
                Outcome::Refused(Refusal::PaymentFailed)
            };
            world.reply(resolve(&order, outcome)).await;
        }
    });
    all(crowd).await;
    for merchant in merchants {
        assert_eq!(world.available(merchant).await, 7000);
    }
    let margin = world.account(&account(AccountRole::Margin)).await.expect("there");
    assert_eq!(margin.counters.credits_posted, 16 * 3 * 100);
    let summary = world.audit();
    assert_eq!((summary.orders, summary.open_holds), (96, 0));
}

/// Commands that no rule foresees stand in the middle of good ones: acceptances in currencies in
/// which nothing was quoted.
pub(crate) async fn a_faulty_command_does_not_spoil_its_batch<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 10_000).await;
    let order = world.quoted(TOKO, "r1", 1000).await;
    let Command::Accept(accepting) = accept(&order) else { panic!("not accept") };
    let faulty = [Currency::Npr, Currency::Pkr]
        .map(|currency| Command::Accept(Accept { currency, ..accepting.clone() }));
    let good =
        |number: u32| fund(TOKO, &format!("good {number}"), Direction::Credit, Amount::rupiah(1));
    let commands = (0..32).map(good).chain(faulty).chain((32..64).map(good));
    let answers = all(commands.map(|command| world.execute(command))).await;
    for (number, answer) in answers.iter().enumerate() {
        if (32..34).contains(&number) {
            assert!(matches!(answer, Err(StoreFault::Corrupt(_))), "{number}: {answer:?}");
        } else {
            assert!(matches!(answer, Ok(Ok(Reply::Funded { .. }))), "{number}: {answer:?}");
        }
    }
    assert_eq!(world.available(TOKO).await, 10_064);
    assert_eq!(world.order(order.id).await, order);
}

pub(crate) async fn a_late_command_does_nothing<S: Subject>(world: &mut World<S>) {
    let command = quote(key(TOKO, "r1"), Amount::rupiah(1000));
    let late = world.opened.store.execute(command.clone(), Some(Instant::now())).await;
    assert_eq!(late, Err(StoreFault::TooLate));
    assert_eq!(world.audit().orders, 0);
    let deadline = Instant::now().checked_add(std::time::Duration::from_secs(600));
    let early = world.opened.store.execute(command, deadline).await;
    assert!(matches!(early, Ok(Ok(Reply::Inquired { repeated: false, .. }))), "{early:?}");
}

/// More callers than the queue has room for: some are turned away, and what they wanted was not
/// done; the others are answered, and what they wanted was.
pub(crate) async fn a_busy_store_turns_away_and_does_nothing<S: Subject>(world: &mut World<S>) {
    world.options.queue = 1;
    world.options.batch = 1;
    world.reopen().await;
    let keys: Vec<_> = (0..2000).map(|number| key(TOKO, &format!("r{number}"))).collect();
    let quotes = keys.iter().map(|key| world.execute(quote(key.clone(), Amount::rupiah(1000))));
    let answers = all(quotes).await;
    let mut turned_away = 0;
    for (key, answer) in keys.iter().zip(answers) {
        let stored = world.opened.store.order_by_reference(key).await.expect("no fault");
        match answer {
            Err(StoreFault::Busy) => {
                assert_eq!(stored, None);
                turned_away += 1;
            }
            Ok(Ok(Reply::Inquired { order, repeated: false })) => assert_eq!(stored, Some(order)),
            other => panic!("{other:?}"),
        }
    }
    assert!((1..2000).contains(&turned_away), "{turned_away}");
}

pub(crate) async fn a_stopped_store_does_nothing<S: Subject>(world: &mut World<S>) {
    let order = world.quoted(TOKO, "r1", 1000).await;
    world.opened.shutdown.shutdown().await;
    world.opened.shutdown.shutdown().await;
    let command = quote(key(TOKO, "r2"), Amount::rupiah(1000));
    assert_eq!(world.execute(command).await, Err(StoreFault::Stopped));
    world.reopen().await;
    assert_eq!(world.order(order.id).await, order);
    assert_eq!(world.audit().orders, 1);
}

pub(crate) async fn amounts_reach_64_bits<S: Subject>(world: &mut World<S>) {
    let most = Amount::new(i64::MAX, Currency::Thb).expect("not negative");
    world.reply(fund(TOKO, "f1", Direction::Credit, most)).await;
    let Reply::Inquired { order, .. } = world.reply(quote(key(TOKO, "r1"), most)).await else {
        panic!("not inquired");
    };
    world.reply(accept(&order)).await;
    let outcome =
        Outcome::Delivered(Delivery { cost: most, serial_number: String::new(), details: None });
    world.reply(resolve(&order, outcome)).await;
    world.reopen().await;
    let done = world.order(order.id).await;
    assert_eq!(done.state, OrderState::Succeeded);
    assert_eq!(done.quote.map(|quote| quote.charge), Some(most));
    let float = AccountKey::new(AccountRole::Float(upstream()), Currency::Thb);
    let float = world.account(&float).await.expect("there");
    assert_eq!(float.counters.credits_posted, i64::MAX);
}
