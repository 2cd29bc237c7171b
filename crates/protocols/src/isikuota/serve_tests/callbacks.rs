//! Which callbacks an order makes owed, and what they say.

use domain::{Amount, Delivery, Order, Outcome};
use gateway::ports::{CallbackFilter, CallbackReports, CallbackWriter, News, Notice};
use serde_json::{Value, json};

use super::world::{World, asked, inquiry, payment, prepaid, testing};
use crate::isikuota::callback::Writer;

/// The event and data of every callback owed so far, oldest first.
async fn told(world: &World) -> Vec<(String, Value)> {
    let filter = CallbackFilter::default();
    let page = world.memory.callbacks(&filter, None, 100).await.expect("memory does not fail");
    let mut told = Vec::new();
    for callback in page.items.iter().rev() {
        let order = world.gateway.order_of_any_merchant(callback.order).await.expect("there");
        let catalogue = world.gateway.catalogue();
        let now = world.gateway.now();
        let news = News { callback, order: &order, catalogue: &catalogue, now };
        let body = Writer.render(news).body;
        let document: Value = serde_json::from_slice(&body).expect("JSON");
        told.push((
            document["event"].as_str().expect("an event").to_owned(),
            document["data"].clone(),
        ));
    }
    told
}

async fn deliver(world: &World, order: &Order, serial_number: &str) {
    let delivery = Delivery {
        cost: Amount::rupiah(20_000),
        serial_number: serial_number.to_owned(),
        details: None,
    };
    let notice = Notice {
        order: order.id,
        attempt: 1,
        upstream: world.supplier.name.clone(),
        supplied: Outcome::Delivered(delivery).into(),
    };
    world.gateway.notice(notice).await.expect("recorded");
}

#[tokio::test]
async fn every_order_that_ends_is_told_once() {
    let world = World::new().await;
    let events = async || told(&world).await.into_iter().map(|it| it.0).collect::<Vec<_>>();
    world.order(prepaid("R-1")).await;
    assert_eq!(events().await, ["order.success"]);
    world.order(prepaid("R-1")).await;
    world.order(asked("prepaid", "NONE", "1", "R-2")).await;
    world.order(asked("prepaid", "TSEL21", "081298760039", "R-3")).await;
    world.order(inquiry("R-4")).await;
    assert_eq!(events().await, ["order.success"]);
    world.order(asked("prepaid", "TSEL21", "081298760037", "R-5")).await;
    world.order(payment("R-4")).await;
    assert_eq!(events().await, ["order.success", "order.failed", "order.success"]);
    let told = told(&world).await;
    assert_eq!(told[1].1["message"], "Transaksi gagal");
    assert_eq!(told[2].1["price"], 152_700);
    assert_eq!(told[2].1["status"], "Success");
}

#[tokio::test]
async fn a_serial_number_that_comes_late_is_told_of_its_own() {
    let world = World::new().await;
    world.order(asked("prepaid", "TSEL21", "081298760030", "R-1")).await;
    assert_eq!(told(&world).await[0].1["sn"], "");
    let found = world.gateway.reports().orders_named("R-1", 1).await.expect("found");
    for _ in 0..2 {
        deliver(&world, &found[0], "0041").await;
    }
    let told = told(&world).await;
    assert_eq!(told.len(), 2);
    assert_eq!((told[1].0.as_str(), &told[1].1["sn"]), ("order.sn_received", &json!("0041")));
    let (_, envelope) = world.order(asked("prepaid", "TSEL21", "081298760030", "R-1")).await;
    assert_eq!(envelope["data"]["sn"], "0041");
}

#[tokio::test]
async fn test_mode_is_told_like_any_other() {
    let world = World::new().await;
    world.order(testing(prepaid("R-1"))).await;
    world.order(testing(inquiry("R-2"))).await;
    world.order(testing(payment("R-2"))).await;
    let told = told(&world).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0].1["sn"], "1234-5678-9012-3456");
    assert_eq!((&told[1].1["sn"], &told[1].1["price"]), (&json!("S1234554321N"), &json!(25_200)));
    let names: Vec<_> = told[0].1.as_object().expect("data").keys().collect();
    assert_eq!(names.len(), 11, "nothing marks a test");
}
