//! The lives of orders and balances.

use domain::{Doubt, OrderState};

use super::*;

fn balance(reply: &Reply) -> i64 {
    match reply {
        Reply::Funded { balance }
        | Reply::Accepted { balance, .. }
        | Reply::AcceptedBefore { balance, .. }
        | Reply::Resolved { balance, .. }
        | Reply::Credited { balance, .. }
        | Reply::Contradicted { balance, .. } => balance.minor(),
        Reply::Stored
        | Reply::Inquired { .. }
        | Reply::Administered { .. }
        | Reply::Awaited { .. }
        | Reply::EvidenceRecorded { .. }
        | Reply::NotCredited { .. }
        | Reply::Suspended { .. }
        | Reply::Ended(_)
        | Reply::Leased(_)
        | Reply::Redelivered { .. }
        | Reply::DeliveryRecorded { .. }
        | Reply::Objected(_) => panic!("{reply:?} has no balance"),
    }
}

pub(crate) async fn a_purchase_is_quoted_accepted_and_delivered<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 10_000).await;
    let order = world.quoted(TOKO, "r1", 3000).await;
    assert_eq!(order.state, OrderState::Quoted);
    let reply = world.reply(accept(&order)).await;
    assert_eq!(balance(&reply), 7000);
    let held = world.order(order.id).await;
    assert_eq!((held.state, held.holds.len()), (OrderState::Processing, 1));
    assert_eq!(world.audit().open_holds, 1);
    let reply = world.reply(resolve(&order, delivered(2500))).await;
    assert_eq!(balance(&reply), 7000);
    let done = world.order(order.id).await;
    assert_eq!(done.state, OrderState::Succeeded);
    assert!(done.holds.iter().all(|hold| hold.resolved_by.is_some()));
    let table = [
        (AccountRole::Merchant(TOKO), 7000),
        (AccountRole::Clearing, 0),
        (AccountRole::Float(upstream()), 2500),
        (AccountRole::Margin, 500),
        (AccountRole::Bank, -10_000),
    ];
    for (role, expected) in table {
        let account = world.account(&account(role.clone())).await.expect("there");
        let counters = account.counters;
        assert_eq!(counters.credits_posted - counters.debits_posted, expected, "{role:?}");
        assert_eq!((counters.debits_pending, counters.credits_pending), (0, 0), "{role:?}");
    }
}

pub(crate) async fn a_refused_purchase_gives_the_money_back<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 10_000).await;
    let order = world.accepted(TOKO, "r1", 3000).await;
    assert_eq!(world.available(TOKO).await, 7000);
    let refused = Outcome::Refused(Refusal::SupplierTimeout);
    let reply = world.reply(resolve(&order, refused)).await;
    assert_eq!(balance(&reply), 10_000);
    let failed = world.order(order.id).await;
    assert_eq!(failed.state, OrderState::Failed(Refusal::SupplierTimeout));
    assert_eq!(world.available(TOKO).await, 10_000);
}

pub(crate) async fn a_cost_above_the_charge_is_our_loss<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 10_000).await;
    let order = world.accepted(TOKO, "r1", 3000).await;
    world.reply(resolve(&order, delivered(3100))).await;
    let margin = world.account(&account(AccountRole::Margin)).await.expect("there");
    assert_eq!(margin.counters.debits_posted, 100);
}

pub(crate) async fn an_unknown_outcome_leaves_the_order_open<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 10_000).await;
    let order = world.accepted(TOKO, "r1", 3000).await;
    for questions in 1..=3 {
        world.reply(resolve(&order, Outcome::Unknown(Doubt::Silent))).await;
        let open = world.order(order.id).await;
        assert_eq!(open.state, OrderState::Processing);
        assert_eq!(open.attempt().expect("an attempt").questions, questions);
        assert!(open.question_due.is_some_and(|due| due > ASK_AT));
        world.reopen().await;
    }
    world.reply(resolve(&order, delivered(3000))).await;
    let done = world.order(order.id).await;
    assert_eq!((done.state, done.question_due), (OrderState::Succeeded, None));
}

pub(crate) async fn a_declined_inquiry_is_kept<S: Subject>(world: &mut World<S>) {
    let command = decline(key(TOKO, "r1"), Refusal::BillPaid);
    let Reply::Inquired { order, repeated: false } = world.reply(command).await else {
        panic!("not inquired");
    };
    assert_eq!(order.state, OrderState::Declined(Refusal::BillPaid));
    world.reopen().await;
    assert_eq!(world.order(order.id).await, order);
    assert_eq!(world.answer(accept(&order)).await, Err(Refusal::OrderNotFound));
}

pub(crate) async fn balances_are_funded_and_corrected<S: Subject>(world: &mut World<S>) {
    let rupiah = Amount::rupiah;
    let table = [
        (Direction::Credit, 5000, Ok(5000)),
        (Direction::Debit, 2000, Ok(3000)),
        (Direction::Debit, 3001, Err(Refusal::BalanceInsufficient)),
        (Direction::Credit, 0, Err(Refusal::AmountInvalid)),
        (Direction::Debit, 3000, Ok(0)),
    ];
    for (number, (direction, amount, expected)) in table.into_iter().enumerate() {
        let command = fund(TOKO, &number.to_string(), direction, rupiah(amount));
        let answer = world.answer(command).await;
        assert_eq!(answer.map(|reply| balance(&reply)), expected, "row {number}");
    }
    assert_eq!(world.audit().transfers, 3);
}

pub(crate) async fn orders_in_test_mode_move_no_money<S: Subject>(world: &mut World<S>) {
    let key = ReferenceKey { mode: Mode::Test, ..key(TOKO, "r1") };
    let Reply::Inquired { order, .. } = world.reply(quote(key, Amount::rupiah(3000))).await else {
        panic!("not inquired");
    };
    world.reply(accept(&order)).await;
    world.reply(resolve(&order, delivered(2500))).await;
    assert_eq!(world.order(order.id).await.state, OrderState::Succeeded);
    let summary = world.audit();
    assert_eq!((summary.orders, summary.transfers, summary.accounts), (1, 0, 0));
}

pub(crate) async fn a_quote_expires<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 10_000).await;
    let order = world.quoted(TOKO, "r1", 3000).await;
    let Command::Accept(accept) = accept(&order) else { panic!("not accept") };
    let late = Command::Accept(Accept { at: order.expires_at, ..accept });
    assert_eq!(world.answer(late).await, Err(Refusal::QuoteExpired));
    assert_eq!(world.order(order.id).await.state, OrderState::Quoted);
}

pub(crate) async fn final_states_refuse_later_verbs<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 10_000).await;
    let succeeded = world.accepted(TOKO, "r1", 3000).await;
    world.reply(resolve(&succeeded, delivered(3000))).await;
    let failed = world.accepted(TOKO, "r2", 3000).await;
    let refused = Outcome::Refused(Refusal::PaymentFailed);
    world.reply(resolve(&failed, refused.clone())).await;
    for reopened in [false, true] {
        if reopened {
            world.reopen().await;
        }
        let before = world.audit();
        for order in [&succeeded, &failed] {
            let stored = world.order(order.id).await;
            let reply = world.reply(accept(order)).await;
            assert!(matches!(reply, Reply::AcceptedBefore { .. }), "{reply:?}");
            let contrary = if order.id == failed.id { delivered(3000) } else { refused.clone() };
            let reply = world.reply(resolve(order, contrary)).await;
            assert!(matches!(reply, Reply::Contradicted { .. }), "{reply:?}");
            let unknown = Outcome::Unknown(Doubt::Silent);
            let reply = world.reply(resolve(order, unknown)).await;
            assert!(matches!(reply, Reply::Resolved { .. }), "{reply:?}");
            assert_eq!(world.order(order.id).await, stored);
        }
        assert_eq!(world.audit(), before);
    }
}

/// An answer and a notice, both affirming the same, arrive in the same moment.
pub(crate) async fn a_hold_is_resolved_once<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 10_000).await;
    let order = world.accepted(TOKO, "r1", 3000).await;
    let (answer, notice, refusal) = tokio::join!(
        world.reply(resolve(&order, delivered(2500))),
        world.reply(resolve(&order, delivered(2500))),
        world.reply(resolve(&order, Outcome::Refused(Refusal::PaymentFailed))),
    );
    assert!(matches!(answer, Reply::Resolved { .. }), "{answer:?}");
    assert!(matches!(notice, Reply::Resolved { .. }), "{notice:?}");
    assert!(matches!(refusal, Reply::Contradicted { .. }), "{refusal:?}");
    assert_eq!(world.available(TOKO).await, 7000);
    // Funding, hold, post, cost, margin.
    assert_eq!(world.audit().transfers, 5);
}

pub(crate) async fn repeats_change_nothing<S: Subject>(world: &mut World<S>) {
    let funding = fund(TOKO, "f1", Direction::Credit, Amount::rupiah(10_000));
    world.reply(funding.clone()).await;
    let order = world.accepted(TOKO, "r1", 3000).await;
    world.reply(resolve(&order, delivered(2500))).await;
    let declining = decline(key(TOKO, "r2"), Refusal::BillPaid);
    world.reply(declining.clone()).await;
    let repeats = [
        funding,
        quote(key(TOKO, "r1"), Amount::rupiah(3000)),
        accept(&order),
        resolve(&order, delivered(2500)),
        declining,
    ];
    let before = (world.audit(), world.order(order.id).await);
    for _ in 0..2 {
        for command in &repeats {
            let reply = world.reply(command.clone()).await;
            match reply {
                Reply::Inquired { repeated, .. } => assert!(repeated),
                Reply::AcceptedBefore { .. } | Reply::Resolved { .. } | Reply::Funded { .. } => {
                    assert_eq!(balance(&reply), 7000);
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((world.audit(), world.order(order.id).await), before);
        world.reopen().await;
    }
}
