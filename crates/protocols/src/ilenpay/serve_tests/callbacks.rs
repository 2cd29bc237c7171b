//! What is called back after a payment: facts of the ledger, signed over their bytes.

use std::collections::BTreeMap;

use domain::callback::Rendered;
use domain::{Command, Credential, Refusal, Secret, Timestamp};
use gateway::Catalogue;
use gateway::ports::{CallbackReports, CallbackWriter, News};

use super::world::{NOW, TOKENS, TOKO_CONTOH, WEBHOOK_SECRET, World, credential};
use crate::ilenpay::callback::Writer;
use crate::ilenpay::sign;

async fn rendered_by(world: &World, reference: &str, catalogue: &Catalogue) -> Rendered {
    let order = world.order(reference).await;
    let [id] = order.callbacks.as_slice() else { panic!("one callback: {:?}", order.callbacks) };
    let callback = world.memory.callback(*id).await.expect("memory does not fail");
    let callback = callback.expect("a callback");
    let now = world.gateway.now();
    Writer::new(TOKENS).render(News { callback: &callback, order: &order, catalogue, now })
}

async fn rendered(world: &World, reference: &str) -> Rendered {
    rendered_by(world, reference, &world.gateway.catalogue()).await
}

fn header<'a>(rendered: &'a Rendered, name: &str) -> Option<&'a str> {
    rendered.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
}

#[tokio::test]
async fn a_payment_is_told_in_the_recorded_form() {
    let world = World::new().await;
    world.opened("direct", "10000", "INV/é-1").await;
    world.confirmed("INV/é-1", "081298765432").await;
    let rendered = rendered(&world, "INV/é-1").await;
    let hash = world.hash("INV/é-1").await;
    let expected = format!(
        r#"{{"data":{{"hash":"{hash}","reff_id":"INV\/\u00e9-1","payment":"telkomsel","rate":"0.82","nominal":"10000","total_tf":"13000","sender":"6281298765432","status":"PAID","saldo_ahir":"100010000"}}}}"#
    );
    assert_eq!(std::str::from_utf8(&rendered.body), Ok(expected.as_str()));
    let signature = sign::sign_callback(WEBHOOK_SECRET, &rendered.body);
    assert_eq!(header(&rendered, "X-Ilen-Signature"), Some(signature.as_str()));
    assert_eq!(header(&rendered, "X-Ilen-Event"), Some("create"));
    assert_eq!(header(&rendered, "User-Agent"), Some("Ilenpay-Hookshot"));
    assert_eq!(header(&rendered, "Content-Type"), Some("application/json"));
    assert_eq!(rendered.headers.len(), 5);
}

#[tokio::test]
async fn a_delivery_goes_by_one_name_and_no_other_has_it() {
    let world = World::new().await;
    for reference in ["INV-1", "INV-2"] {
        world.opened("direct", "10000", reference).await;
        world.confirmed(reference, "081298765432").await;
    }
    let first = rendered(&world, "INV-1").await;
    world.set_clock(NOW + 60_000);
    let (again, other) = (rendered(&world, "INV-1").await, rendered(&world, "INV-2").await);
    assert_eq!(again, first);
    let name = header(&first, "X-Ilen-Delivery").expect("a name");
    assert!(name.len() == 30 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    assert_ne!(header(&other, "X-Ilen-Delivery"), Some(name));
}

/// What came in without anybody telling who sent it has no sender.
#[tokio::test]
async fn a_payment_by_amount_alone_has_no_sender() {
    let world = World::new().await;
    world.without_payer();
    world.opened("redirect", "20000", "INV-1").await;
    world.received("1", "telkomsel", 25_000, "6281298765432").await;
    let body = String::from_utf8(rendered(&world, "INV-1").await.body).expect("text");
    assert!(body.contains(r#""sender":"","status":"PAID","saldo_ahir":"100020000""#), "{body}");
}

/// Whatever names the transaction could be taken for a payment.
#[tokio::test]
async fn what_ended_unpaid_is_told_as_a_ping() {
    let world = World::new().await;
    world.put_endpoint("https://shop.example/hook", false).await;
    world.opened("direct", "10000", "INV-1").await;
    let order = world.order("INV-1").await;
    let refusal = Some(Refusal::PaymentAbandoned);
    world.gateway.end_collection(&order, refusal).await.expect("ended");
    let rendered = rendered(&world, "INV-1").await;
    let body = r#"{"data":{"webhook_id":"Qm3xT7kLp0aZ9Vd","webhook_url":"https:\/\/shop.example\/hook","webhook_key":"whsecret-demo","back_url":""}}"#;
    assert_eq!(std::str::from_utf8(&rendered.body), Ok(body));
    assert_eq!(header(&rendered, "X-Ilen-Event"), Some("ping"));
}

fn newer(key: &str, serial: u32, expires_at: Option<i64>, secret: &str) -> Credential {
    let secrets = BTreeMap::from([(sign::WEBHOOK_SECRET.to_owned(), Secret::new(secret))]);
    let expires_at = expires_at.map(Timestamp::from_milliseconds);
    Credential { serial, secrets, expires_at, ..credential(TOKO_CONTOH, key, "") }
}

#[tokio::test]
async fn the_newest_secret_that_is_worth_something_signs() {
    let world = World::new().await;
    world.opened("direct", "10000", "INV-1").await;
    world.confirmed("INV-1", "081298765432").await;
    let table = [
        (newer("b", 2, None, "newer"), "newer"),
        (newer("c", 3, Some(NOW), "expired"), "newer"),
        (newer("d", 4, Some(NOW + 1), "leaving"), "newer"),
        (newer("e", 5, None, ""), "newer"),
        (newer("f", 6, None, "newest"), "newest"),
    ];
    for (credential, secret) in table {
        world.change(vec![Command::PutCredential(credential)]).await;
        let rendered = rendered(&world, "INV-1").await;
        let signature = sign::sign_callback(secret, &rendered.body);
        assert_eq!(header(&rendered, "X-Ilen-Signature"), Some(signature.as_str()));
    }
    let unsigned = rendered_by(&world, "INV-1", &Catalogue::default()).await;
    assert_eq!(header(&unsigned, "X-Ilen-Signature"), None);
    assert!(unsigned.body.starts_with(b"{\"data\":{\"hash\":\""));
}
