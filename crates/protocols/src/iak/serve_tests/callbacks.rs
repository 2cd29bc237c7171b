//! What is called back: facts of the ledger as the merchant's own dialect writes them.

use std::collections::BTreeMap;

use domain::callback::Rendered;
use domain::{
    Command, Credential, MerchantId, Mode, Order, OrderId, ProtocolName, Reference, ReferenceKey,
    Secret, Timestamp,
};
use gateway::ports::{CallbackReports, CallbackWriter, News};
use serde_json::{Value, json};

use super::top_ups::{LEGACY, TOP_UP, XL, legacy};
use super::world::{
    KEY, NOW, TR_ID_KEY, USERNAME, World, inquiry, payment, post, signature, tr_id_of,
};
use crate::iak::NAME;
use crate::iak::callback::Writer;
use crate::iak::sign::sign;

async fn order(world: &World, ref_id: &str) -> std::sync::Arc<Order> {
    let key = ReferenceKey {
        merchant: MerchantId(1),
        protocol: ProtocolName::new(NAME),
        mode: Mode::Live,
        reference: Reference::new(ref_id),
    };
    world.gateway.order_by_reference(&key).await.expect("an order")
}

/// What is sent for the only callback of an order.
async fn rendered(world: &World, ref_id: &str) -> Rendered {
    let order = order(world, ref_id).await;
    let [id] = order.callbacks.as_slice() else { panic!("one callback: {:?}", order.callbacks) };
    let callback = world.memory.callback(*id).await.expect("memory does not fail");
    let news = News {
        callback: &callback.expect("a callback"),
        order: &order,
        catalogue: &world.gateway.catalogue(),
        now: world.gateway.now(),
    };
    Writer::new(TR_ID_KEY).render(news)
}

async fn body(world: &World, ref_id: &str) -> String {
    String::from_utf8(rendered(world, ref_id).await.body).expect("text")
}

#[tokio::test]
async fn a_callback_has_texts_only_in_the_recorded_order() {
    let world = World::new().await;
    let tr_id = world.topped_up("INV1", "xld25000", XL).await;
    let sign = signature("INV1");
    let expected = format!(
        r#"{{"data":{{"ref_id":"INV1","status":"1","price":"25100","message":"SUCCESS","balance":"99974900","tr_id":"{tr_id}","rc":"00","sn":"8800112233","sign":"{sign}","product_code":"xld25000","customer_id":"{XL}"}}}}"#
    );
    assert_eq!(body(&world, "INV1").await, expected);
    let headers = rendered(&world, "INV1").await.headers;
    assert_eq!(headers, [("content-type".to_owned(), "application/json".to_owned())]);
}

#[tokio::test]
async fn a_callback_speaks_as_the_top_up_was_asked_for() {
    let world = World::new().await;
    let older = legacy("topup", "INV1", json!({ "ref_id": "INV1", "hp": XL, "code": "xld25000" }));
    assert_eq!(world.rc(LEGACY, &older).await, "39");
    let fields =
        format!("<username>{USERNAME}</username><hp>{XL}</hp><pulsa_code>xld25000</pulsa_code>");
    for (path, ref_id) in [(TOP_UP, "INV2"), (LEGACY, "INV3")] {
        let sign = signature(ref_id);
        let xml = format!(
            "<mp><commands>topup</commands>{fields}<ref_id>{ref_id}</ref_id><sign>{sign}</sign></mp>"
        );
        let answer = world.send(post(path, Some("application/xml"), xml)).await;
        assert!(answer.body().ends_with(b"<rc>39</rc></mp>"), "{:?}", answer.body());
    }
    world.gateway.finish_calls().await;
    let older: Value = serde_json::from_str(&body(&world, "INV1").await).expect("JSON");
    assert_eq!((&older["data"]["code"], &older["data"]["hp"]), (&json!("xld25000"), &json!(XL)));
    for (ref_id, code, customer) in
        [("INV2", "product_code", "customer_id"), ("INV3", "code", "hp")]
    {
        let tr_id = tr_id_of(order(&world, ref_id).await.id);
        let balance = 100_000_000 - 25_100 * if ref_id == "INV2" { 2 } else { 3 };
        let sign = signature(ref_id);
        let expected = format!(
            "<?xml version=\"1.0\"?>\n<mp><ref_id>{ref_id}</ref_id><status>1</status>\
             <price>25100</price><message>SUCCESS</message><balance>{balance}</balance>\
             <tr_id>{tr_id}</tr_id><rc>00</rc><sn>8800112233</sn><sign>{sign}</sign>\
             <{code}>xld25000</{code}><{customer}>{XL}</{customer}></mp>"
        );
        let rendered = rendered(&world, ref_id).await;
        assert_eq!(rendered.headers[0].1, "application/xml");
        let body = String::from_utf8(rendered.body).expect("text");
        // The balance depends on which call ended first; everything else does not.
        let without = |text: &str| {
            let (before, after) = text.split_once("<balance>").expect("a balance");
            format!("{before}{}", after.split_once("</balance>").expect("closed").1)
        };
        assert_eq!(without(&body), without(&expected));
    }
}

#[tokio::test]
async fn a_failure_says_why_and_gives_the_balance_after_it() {
    let world = World::new().await;
    for (ending, rc, message) in
        [("1007", "07", "FAILED"), ("1014", "14", "INCORRECT DESTINATION NUMBER")]
    {
        let ref_id = format!("INV{ending}");
        world.topped_up(&ref_id, "xld25000", &format!("08171234{ending}")).await;
        let body: Value = serde_json::from_str(&body(&world, &ref_id).await).expect("JSON");
        let data = &body["data"];
        assert_eq!((&data["status"], &data["rc"]), (&json!("2"), &json!(rc)));
        assert_eq!((&data["message"], &data["balance"]), (&json!(message), &json!("100000000")));
        assert!(data.get("sn").is_none());
    }
}

#[tokio::test]
async fn a_pin_and_an_activation_code_come_only_where_there_are_some() {
    let world = World::new().await;
    let table = [
        ("INV1", "hsteam12000", "081700000000", Some("4711"), None),
        ("INV2", "esim1", "081234567890", None, Some("LPA:1$smdp.example$K2-1JVUQ0")),
        ("INV3", "xld25000", XL, None, None),
    ];
    for (ref_id, code, number, pin, activation_code) in table {
        world.topped_up(ref_id, code, number).await;
        let body: Value = serde_json::from_str(&body(&world, ref_id).await).expect("JSON");
        let data = &body["data"];
        assert_eq!(data.get("pin").and_then(Value::as_str), pin, "{code}");
        assert_eq!(data.get("activation_code").and_then(Value::as_str), activation_code, "{code}");
    }
}

#[tokio::test]
async fn what_is_open_and_what_is_a_bill_calls_nobody_back() {
    let world = World::new().await;
    world.topped_up("INV1", "xld25000", "081712341039").await;
    let tr_id = world.quoted("INV2", "530000000000").await;
    assert_eq!(world.code(&payment(&tr_id)).await, "00");
    assert_eq!(world.code(&inquiry("PLNPOSTPAID", "530000000014", "INV3")).await, "14");
    for ref_id in ["INV1", "INV2"] {
        assert!(order(&world, ref_id).await.callbacks.is_empty(), "{ref_id}");
    }
}

fn credential(serial: u32, key: &str, expires_at: Option<i64>) -> Credential {
    Credential {
        merchant: MerchantId(1),
        protocol: ProtocolName::new(NAME),
        identifier: USERNAME.to_owned(),
        serial,
        secrets: BTreeMap::from([("api_key".to_owned(), Secret::new(key))]),
        expires_at: expires_at.map(Timestamp::from_milliseconds),
        revoked_at: None,
    }
}

#[tokio::test]
async fn the_newest_key_that_is_worth_something_signs() {
    let world = World::new().await;
    world.topped_up("INV1", "xld25000", XL).await;
    let table = [
        (credential(2, "newer", None), "newer"),
        (credential(3, "expired", Some(NOW)), "newer"),
        (credential(4, "", None), "newer"),
        (credential(5, "newest", Some(NOW + 1)), "newest"),
    ];
    for (credential, key) in table {
        world.gateway.administer(vec![Command::PutCredential(credential)]).await.expect("put");
        let body: Value = serde_json::from_str(&body(&world, "INV1").await).expect("JSON");
        assert_eq!(body["data"]["sign"], sign(USERNAME, key, "INV1"));
        assert_ne!(body["data"]["sign"], sign(USERNAME, KEY, "INV1"));
    }
}

#[tokio::test]
async fn news_is_told_even_where_nothing_can_sign_it_or_number_it() {
    let world = World::new().await;
    world.topped_up("INV1", "xld25000", XL).await;
    let whole = order(&world, "INV1").await;
    let callback = world.memory.callback(whole.callbacks[0]).await.expect("memory does not fail");
    let callback = callback.expect("a callback");
    let nobody = gateway::Catalogue::default();
    let now = world.gateway.now();
    let unsigned = News { callback: &callback, order: &whole, catalogue: &nobody, now };
    let body = Writer::new(TR_ID_KEY).render(unsigned).body;
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!((&body["data"]["sign"], &body["data"]["rc"]), (&json!(""), &json!("00")));
    let beyond = Order { id: OrderId(u64::MAX), ..(*whole).clone() };
    let body = Writer::new(TR_ID_KEY).render(News { order: &beyond, ..unsigned }).body;
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(body["data"]["rc"], "00");
}
