//! What is read back.

use domain::{Doubt, OrderState};
use gateway::ports::Pending;

use super::arbitrary::{Life, life, sample};
use super::*;

pub(crate) async fn point_reads_see_every_acknowledged_commit<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 1_000_000).await;
    let mut available = 1_000_000;
    for number in 0..50 {
        let order = world.quoted(TOKO, &number.to_string(), 1000).await;
        assert_eq!(world.order(order.id).await, order);
        let Reply::Accepted { order, balance } = world.reply(accept(&order)).await else {
            panic!("not accepted");
        };
        available -= 1000;
        assert_eq!(balance.minor(), available);
        assert_eq!(world.available(TOKO).await, available);
        let found = world.opened.store.order_by_reference(&order.key).await;
        assert_eq!(found, Ok(Some(order)));
    }
}

pub(crate) async fn what_is_not_there_is_not_found<S: Subject>(world: &mut World<S>) {
    let order = world.quoted(TOKO, "r1", 1000).await;
    for number in [0, 2, i64::MAX.unsigned_abs(), i64::MAX.unsigned_abs() + 1, u64::MAX] {
        assert_eq!(world.opened.store.order(OrderId(number)).await, Ok(None), "{number}");
        let Command::Accept(accepting) = accept(&order) else { panic!("not accept") };
        let stray = Command::Accept(Accept { order: OrderId(number), ..accepting });
        assert_eq!(world.answer(stray).await, Err(Refusal::OrderNotFound), "{number}");
        let processing = world.opened.reports.processing(OrderId(number), 10).await;
        assert_eq!(processing, Ok(Vec::new()), "{number}");
    }
    let found = world.opened.store.order_by_reference(&key(WARUNG, "r1")).await;
    assert_eq!(found, Ok(None));
    assert_eq!(world.account(&AccountKey::merchant(TOKO, Currency::Usd)).await, None);
    assert_eq!(world.opened.reports.orders_named("", 10).await, Ok(Vec::new()));
}

/// Asks again until the list is as expected: lists may lag by a second. Fails after ten.
async fn eventually<F: Future<Output = Result<Vec<Arc<Order>>, StoreFault>>>(
    mut list: impl FnMut() -> F,
    expected: &[u64],
) {
    let started = std::time::Instant::now();
    loop {
        let listed = list().await.expect("no fault");
        let listed: Vec<_> = listed.iter().map(|order| order.id.0).collect();
        if listed == expected {
            return;
        }
        assert!(started.elapsed().as_secs() < 10, "{listed:?} instead of {expected:?}");
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn questions_come_longest_due_first<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 10_000).await;
    let at = |due: i64| Timestamp::from_milliseconds(NOW.milliseconds() + due);
    for (number, due) in (1..).zip([500, 300, 400, 300, 9000]) {
        let order = world.quoted(TOKO, &number.to_string(), 1000).await;
        let Command::Accept(accepting) = accept(&order) else { panic!("not accept") };
        world.reply(Command::Accept(Accept { question_due: at(due), ..accepting })).await;
        assert_eq!(order.id, OrderId(number));
    }
    // An open quote has no question, and neither has an order that is final.
    world.quoted(TOKO, "quoted", 1000).await;
    let reports = Arc::clone(&world.opened.reports);
    let due = |now, limit| eventually_due(&reports, at(now), limit);
    eventually(|| due(299, 10), &[]).await;
    eventually(|| due(300, 10), &[2, 4]).await;
    eventually(|| due(1000, 10), &[2, 4, 3, 1]).await;
    eventually(|| due(1000, 3), &[2, 4, 3]).await;
    let second = world.order(OrderId(2)).await;
    world.reply(resolve(&second, delivered(1000))).await;
    let first = world.order(OrderId(1)).await;
    world.reply(resolve(&first, Outcome::Unknown(Doubt::InProcess))).await;
    eventually(|| due(1000, 10), &[4, 3]).await;
}

fn eventually_due(
    reports: &Arc<dyn gateway::ports::Reports>,
    now: Timestamp,
    limit: u32,
) -> impl Future<Output = Result<Vec<Arc<Order>>, StoreFault>> + use<> {
    let reports = Arc::clone(reports);
    async move { reports.questions_due(now, limit).await }
}

pub(crate) async fn open_orders_are_listed_in_pages<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 100_000).await;
    for number in 1..=7 {
        let order = world.accepted(TOKO, &number.to_string(), 1000).await;
        if number % 3 == 0 {
            world.reply(resolve(&order, delivered(1000))).await;
        }
    }
    let reports = &world.opened.reports;
    let page = |after, limit| reports.processing(OrderId(after), limit);
    eventually(|| page(0, 3), &[1, 2, 4]).await;
    eventually(|| page(4, 3), &[5, 7]).await;
    eventually(|| page(7, 3), &[]).await;
}

pub(crate) async fn open_orders_are_counted_with_the_age_of_the_oldest<S: Subject>(
    world: &mut World<S>,
) {
    world.fund(TOKO, "f1", 100_000).await;
    world.quoted(TOKO, "quoted", 1000).await;
    let at = |after: i64| Timestamp::from_milliseconds(NOW.milliseconds() + after);
    let mut orders = Vec::new();
    // The one that was inquired first was not confirmed first.
    for (reference, after) in [("a", 300), ("b", 100), ("c", 200)] {
        let order = world.quoted(TOKO, reference, 1000).await;
        let Command::Accept(accepting) = accept(&order) else { panic!("not accept") };
        world.reply(Command::Accept(Accept { at: at(after), ..accepting })).await;
        orders.push(world.order(order.id).await);
    }
    let left = [(2, Some(at(200))), (1, Some(at(300))), (0, None)];
    eventually_pending(world, 3, Some(at(100))).await;
    for (order, (count, since)) in [1, 2, 0].into_iter().zip(left) {
        world.reply(resolve(&orders[order], Outcome::Unknown(Doubt::InProcess))).await;
        world.reply(resolve(&orders[order], delivered(1000))).await;
        eventually_pending(world, count, since).await;
    }
}

async fn eventually_pending<S: Subject>(world: &World<S>, orders: u64, since: Option<Timestamp>) {
    let started = std::time::Instant::now();
    let expected = Pending { orders, since };
    loop {
        let pending = world.opened.reports.pending().await.expect("no fault");
        if pending == expected {
            return;
        }
        assert!(started.elapsed().as_secs() < 10, "{pending:?} instead of {expected:?}");
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn orders_are_found_by_their_name_alone<S: Subject>(world: &mut World<S>) {
    let mine = key(TOKO, "r1");
    let keys = [
        mine.clone(),
        key(TOKO, "r2"),
        ReferenceKey { mode: Mode::Test, ..mine.clone() },
        ReferenceKey { protocol: ProtocolName::new("isikuota"), ..mine.clone() },
        key(WARUNG, "r1"),
        key(MerchantId(u32::MAX), "r1"),
        key(MerchantId(0), "r3"),
    ];
    for key in keys {
        world.reply(decline(key, Refusal::BillPaid)).await;
    }
    let reports = &world.opened.reports;
    eventually(|| reports.orders_named("r1", 10), &[6, 5, 4, 3, 1]).await;
    eventually(|| reports.orders_named("r1", 2), &[6, 5]).await;
    eventually(|| reports.orders_named("r2", 10), &[2]).await;
    eventually(|| reports.orders_named("r3", 10), &[7]).await;
    eventually(|| reports.orders_named("r4", 10), &[]).await;
}

/// Leads an order through its life and gives back how it stood in the last reply.
async fn live<S: Subject>(world: &World<S>, number: usize, life: Life) -> Arc<Order> {
    let mut make = life.make;
    let unique = format!("{}{number}", make.request.key.reference);
    make.request.key.reference = Reference::new(unique);
    let merchant = make.request.key.merchant;
    let currency = make.quote.charge.currency();
    let upstream = make.request.upstream.clone();
    let mut order = match world.reply(Command::MakeQuote(make)).await {
        Reply::Inquired { order, repeated: false } => order,
        other => panic!("{other:?}"),
    };
    let Some((owner, at)) = life.acceptance else { return order };
    let accept = Accept {
        order: order.id,
        merchant,
        currency,
        upstream: upstream.clone(),
        owner,
        at,
        question_due: at,
    };
    if at < order.expires_at {
        order = match world.reply(Command::Accept(accept)).await {
            Reply::Accepted { order, .. } => order,
            other => panic!("{other:?}"),
        };
        for (outcome, at) in life.outcomes {
            let upstream = upstream.clone();
            let id = order.id;
            let resolve =
                Resolve { order: id, attempt: 1, merchant, currency, upstream, outcome, at };
            order = match world.reply(Command::Resolve(resolve)).await {
                Reply::Resolved { order, .. } | Reply::Contradicted { order, .. } => order,
                other => panic!("{other:?}"),
            };
        }
    }
    order
}

pub(crate) async fn orders_come_back_as_they_were<S: Subject>(world: &mut World<S>) {
    let lives = sample(&life(), 128);
    let lives = lives.into_iter().enumerate().map(|(number, life)| live(world, number, life));
    let mut lived = all(lives).await;
    for (number, refusal) in Refusal::ALL.iter().enumerate() {
        let command = decline(key(TOKO, &format!("declined {number}")), *refusal);
        let Reply::Inquired { order, .. } = world.reply(command).await else {
            panic!("not inquired");
        };
        lived.push(order);
    }
    world.reopen().await;
    for order in &lived {
        assert_eq!(&world.order(order.id).await, order);
        let found = world.opened.store.order_by_reference(&order.key).await;
        assert_eq!(found.as_ref(), Ok(&Some(Arc::clone(order))));
    }
    let open = lived.iter().filter(|order| order.state == OrderState::Processing);
    assert!(open.count() > 0, "no life ended open");
}

pub(crate) async fn accounts_come_back_as_they_were<S: Subject>(world: &mut World<S>) {
    let odd = UpstreamName::new("pemasok \u{1f600}\0");
    let mut keys = Vec::new();
    for (merchant, currency) in (0..).zip(Currency::ALL) {
        let merchant = MerchantId(u32::MAX - merchant);
        let amount = |minor| Amount::new(minor, currency).expect("not negative");
        world.reply(fund(merchant, "f1", Direction::Credit, amount(1 << 40))).await;
        let Command::MakeQuote(mut make) = quote(key(merchant, "r1"), amount(1 << 20)) else {
            panic!("not a quote");
        };
        make.request.upstream = odd.clone();
        let Reply::Inquired { order, .. } = world.reply(Command::MakeQuote(make)).await else {
            panic!("not inquired");
        };
        world.reply(accept(&order)).await;
        let outcome = Outcome::Delivered(Delivery {
            cost: amount(1 << 19),
            serial_number: String::new(),
            details: None,
        });
        world.reply(resolve(&order, outcome)).await;
        keys.push(AccountKey::merchant(merchant, currency));
        let ours = [
            AccountRole::Bank,
            AccountRole::Clearing,
            AccountRole::Margin,
            AccountRole::Float(odd.clone()),
        ];
        keys.extend(ours.map(|role| AccountKey::new(role, currency)));
    }
    let mut before = Vec::new();
    for key in &keys {
        let account = world.account(key).await.expect("there");
        assert_eq!(&account.key, key);
        before.push(account);
    }
    world.reopen().await;
    for account in before {
        assert_eq!(world.account(&account.key).await, Some(account));
    }
}
