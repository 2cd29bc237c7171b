//! What becomes of money that feeds tell of: it pays one order or none, whatever is repeated.

use std::sync::Arc;

use domain::command::RecordEvidence;
use domain::{Amount, Command, Evidence, EvidenceKey, EvidenceState, Order};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::world::{DUE, JSON, World, order_number, row};

fn suspended(answer: &Value) -> Option<&str> {
    (answer["state"] == "suspended").then(|| answer["reason"].as_str().expect("a reason"))
}

#[tokio::test]
async fn money_that_fits_pays_and_what_is_repeated_changes_nothing() {
    let world = World::new().await;
    let order = world.open(1, "A", "transfer").await;
    let expected = |result: &str| {
        json!({
            "row": 1, "id": "1", "result": result, "state": "used", "order": order_number(order.id),
        })
    };
    assert_eq!(world.row(&row("1", DUE, "BUDI")).await, expected("recorded"));
    let changes = world.memory.changes();
    assert_eq!(world.row(&row("1", DUE, "BUDI")).await, expected("repeated"));
    assert_eq!(world.memory.changes(), changes);
    assert_eq!((world.balance(1).await, world.balance(2).await), (i64::from(DUE), 0));
    assert_eq!(world.state(&order).await, "succeeded");
    world.memory.audit().expect("clean books");
}

/// Late, short, surplus, doubled and foreign money stands on suspense.
#[tokio::test]
async fn doubtful_money_is_credited_to_nobody() {
    let world = World::new().await;
    let order = world.open(1, "A", "transfer").await;
    for (id, amount) in [("short", DUE - 1), ("surplus", DUE + 1)] {
        assert_eq!(suspended(&world.row(&row(id, amount, "")).await), Some("no-order"), "{id}");
    }
    let (_, foreign) = world.sim(&row("foreign", DUE, "0812")).await;
    assert_eq!(suspended(&foreign["rows"][0]), Some("no-order"), "another channel");
    world.tell(&order, "BUDI").await;
    let other = world.row(&row("other", DUE, "WATI")).await;
    assert_eq!(suspended(&other), Some("no-order"), "another sender");
    let early = json!({"id": "early", "at": "2026-06-01 11:59:59", "amount": DUE}).to_string();
    assert_eq!(suspended(&world.row(&early).await), Some("no-order"), "nobody had asked yet");
    assert_eq!(world.row(&row("right", DUE, "BUDI")).await["state"], "used");
    assert_eq!(suspended(&world.row(&row("doubled", DUE, "BUDI")).await), Some("no-order"));
    let late = world.open(1, "B", "transfer").await;
    world.advance(121);
    world.gateway.end_collection(&late, None).await.expect("ended");
    assert_eq!(suspended(&world.row(&row("late", DUE, "BUDI")).await), Some("no-order"));
    assert_eq!((world.count("suspended").await, world.count("used").await), (7, 1));
    assert_eq!((world.balance(1).await, world.balance(2).await), (i64::from(DUE), 0));
    world.memory.audit().expect("clean books");
}

/// An order that was made within the second that the bank names may have been paid in it.
#[tokio::test]
async fn a_time_without_a_fraction_is_its_whole_second() {
    let world = World::new().await;
    let order = world.open(1, "A", "transfer").await;
    let at = |text: &str| json!({"at": text, "amount": DUE, "balance": text.len()}).to_string();
    let before = world.row(&at("2026-06-01T11:59:59.999+07:00")).await;
    assert_eq!(suspended(&before), Some("no-order"));
    assert_eq!(world.row(&at("2026-06-01 12:00:00")).await["order"], order_number(order.id));
}

#[tokio::test]
async fn of_two_candidates_neither_is_paid_until_somebody_is_named() {
    let world = World::new().await;
    let (first, second) = (world.open(1, "A", "credit").await, world.open(2, "A", "credit").await);
    let (_, answer) = world.sim(&row("1", DUE, "081234")).await;
    assert_eq!(suspended(&answer["rows"][0]), Some("several-orders"));
    assert_eq!(world.tell(&second, "6281234").await.state.name(), "succeeded");
    assert_eq!(world.tell(&first, "6281234").await.state.name(), "awaiting");
    let (_, answer) = world.sim(&row("1", DUE, "081234")).await;
    assert_eq!(answer["rows"][0]["order"], order_number(second.id));
    assert_eq!((world.balance(1).await, world.balance(2).await), (0, i64::from(DUE)));
    world.memory.audit().expect("clean books");
}

async fn claim(world: Arc<World>, order: Arc<Order>) -> bool {
    world.tell(&order, "6281234").await.state.name() == "succeeded"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn money_that_two_orders_claim_pays_one() {
    let world = Arc::new(World::new().await);
    let mut orders = Vec::new();
    for owner in [1, 2] {
        orders.push(world.open(owner, "A", "credit").await);
    }
    world.sim(&row("1", DUE, "+6281234")).await;
    let mut claims = JoinSet::new();
    for order in orders {
        claims.spawn(claim(Arc::clone(&world), order));
    }
    let paid = claims.join_all().await.into_iter().filter(|paid| *paid).count();
    assert_eq!(paid, 1);
    assert_eq!(world.balance(1).await + world.balance(2).await, i64::from(DUE));
    world.memory.audit().expect("clean books");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_deliveries_at_once_credit_once() {
    let world = Arc::new(World::new().await);
    let order = world.open(1, "A", "transfer").await;
    let mut deliveries = JoinSet::new();
    for _ in 0..200 {
        let world = Arc::clone(&world);
        deliveries.spawn(async move { world.row(&row("1", DUE, "BUDI")).await });
    }
    let answers = deliveries.join_all().await;
    assert_eq!(answers.len(), 200);
    let recorded = answers.iter().filter(|answer| answer["result"] == "recorded").count();
    assert_eq!(recorded, 1);
    assert!(answers.iter().all(|answer| answer["order"] == order_number(order.id)));
    assert_eq!(world.balance(1).await, i64::from(DUE));
    assert_eq!(world.memory.audit().expect("clean books").evidence, 1);
}

/// A feed without ids sends the whole list again and again, while it grows.
#[tokio::test]
async fn a_list_that_grows_brings_only_what_is_new() {
    const HEAD: &str = "at;amount;sender;balance\n";
    let world = World::new().await;
    let rows = [
        "2026-05-31 08:00:00;10000;BUDI;110000\n",
        "2026-06-01 08:00:00;10000;BUDI;120000\n",
        "2026-06-01 08:00:00;10000;BUDI;130000\n",
        "2026-06-01 09:00:00;10000;WATI;\n",
        "2026-06-01 10:00:00;10000;WATI;\n",
    ];
    for (count, repeated) in [(1, 0), (2, 1), (4, 2), (5, 4), (5, 5)] {
        let newest_first: String = rows.iter().take(count).rev().copied().collect();
        let (status, answer) = world.bank("text/csv", &format!("{HEAD}{newest_first}")).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!((&answer["repeated"], &answer["source"]), (&json!(repeated), &json!("bank")));
        assert_eq!(answer["recorded"], count - repeated);
        let rows = answer["rows"].as_array().expect("rows");
        assert!(rows.iter().all(|row| row.get("differs").is_none()), "{answer}");
    }
    assert_eq!(world.count("suspended").await, rows.len());
}

/// It may be other money, of which nothing says that it is.
#[tokio::test]
async fn a_repeat_that_is_not_quite_the_same_is_pointed_out() {
    let world = World::new().await;
    let body = |time: &str| format!("at,amount,sender\n2026-06-01 {time},10000,BUDI\n");
    world.bank("text/csv", &body("08:00:00")).await;
    let (_, answer) = world.bank("text/csv; charset=UTF-8", &body("09:00:00")).await;
    assert_eq!(answer["rows"][0]["result"], "repeated");
    assert_eq!(answer["rows"][0]["differs"], json!(["at"]));
    world.row(&row("1", DUE, "BUDI")).await;
    let answer = world.row(&row("1", DUE + 1, "WATI")).await;
    assert_eq!(answer["differs"], json!(["amount", "sender"]));
    assert_eq!(world.count("suspended").await, 2);
}

/// The program ended between recording what was seen and deciding whose it is.
#[tokio::test]
async fn what_was_only_recorded_is_decided_on_when_it_comes_again() {
    let world = World::new().await;
    let order = world.open(1, "A", "transfer").await;
    let now = world.gateway.now();
    let evidence = Evidence {
        key: EvidenceKey { source: "bank".to_owned(), id: "1".to_owned() },
        channel: "transfer".to_owned(),
        amount: Amount::rupiah(DUE),
        sender: String::new(),
        reference: String::new(),
        came_in_at: now,
        seen_at: now,
        state: EvidenceState::Open,
    };
    let record = Command::RecordEvidence(RecordEvidence { evidence });
    world.gateway.administer(vec![record]).await.expect("recorded");
    assert_eq!(world.state(&order).await, "awaiting");
    let answer = world.row(&row("1", DUE, "")).await;
    assert_eq!((&answer["result"], &answer["state"]), (&json!("repeated"), &json!("used")));
    assert_eq!(world.balance(1).await, i64::from(DUE));
}

/// The older money pays the order that waits, wherever it stands in the body.
#[tokio::test]
async fn the_oldest_money_of_a_body_comes_first() {
    let world = World::new().await;
    let order = world.open(1, "A", "transfer").await;
    let at = |id: &str, time: &str| {
        format!(r#"{{"id":"{id}","at":"2026-06-01 {time}","amount":"10000.00"}}"#)
    };
    let body = format!(r#"{{"mutations":[{},{}]}}"#, at("b", "12:00:09"), at("a", "12:00:05"));
    let (_, answer) = world.bank(JSON, &body).await;
    assert_eq!(suspended(&answer["rows"][0]), Some("no-order"));
    assert_eq!(answer["rows"][1]["order"], order_number(order.id));
    assert_eq!((&answer["rows"][0]["row"], &answer["rows"][1]["row"]), (&json!(1), &json!(2)));
}
