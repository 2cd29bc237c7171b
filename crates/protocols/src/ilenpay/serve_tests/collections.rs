//! New collections, confirmations and how they stand.

use std::time::Duration;

use domain::evidence::EvidenceState;
use domain::{OrderState, Refusal};
use http::Method;
use serde_json::{Value, json};

use super::world::{
    CONFIRM, Conditions, NOW, OPEN, OTHER_KEY, RETURN_URL, TOKO_CONTOH, World, new, post, request,
    said,
};
use crate::ilenpay::{NAME, preferences};

const SENDER: &str = "081298765432";
const NOT_FOUND: &str = "Pembayaran belum kami terima, silakan coba beberapa saat lagi";

/// The reference's own sample (section 4.1), for the first vector of section 3.
#[tokio::test]
async fn a_redirect_is_answered_with_the_address_of_its_page() {
    let world = World::new().await;
    let request = new("redirect", "10000", "INV-000123");
    assert!(request.pairs().contains(&("sign", "d4d9a787416daa50baa69bccfeed95bc")));
    let answer = world.send(post(OPEN, super::world::API_KEY, &request.pairs())).await;
    let hash = world.hash("INV-000123").await;
    assert_eq!(hash.len(), 40);
    let expected = format!(
        r#"{{"data":{{"respon":"sukses","payment":"telkomsel","rate":"0.82","nominal":"10000","reff_id":"INV-000123","total_tf":"13000","waktu":1780000000,"type":"redirect","hash":"{hash}","url_pay":"https://pay.example/payment/{hash}","status":"UNPAID"}}}}"#
    );
    assert_eq!(std::str::from_utf8(answer.body()), Ok(expected.as_str()));
    assert_eq!(world.earned().await, 0);
}

#[tokio::test]
async fn a_direct_one_is_answered_with_what_the_payer_has_to_do() {
    let world = World::new().await;
    let data = world.opened("direct", "10000", "INV-000123").await;
    let hash = world.hash("INV-000123").await;
    let expected = json!({
        "respon": "sukses", "payment": "telkomsel", "rate": "0.82", "nominal": "10000",
        "reff_id": "INV-000123", "total_tf": "13000", "waktu": 1_780_000_000, "type": "direct",
        "hash": hash, "status": "UNPAID",
        "tutor": "Transfer pulsa Rp13.000 ke 081200000001 lalu isi nomor pengirim.",
    });
    assert_eq!(data, expected);
}

/// What is in the reference's table of credit, asked for as collections.
#[tokio::test]
async fn every_operator_has_its_rate() {
    let world = World::new().await;
    let table = [
        ("telkomsel", "10000", "0.82", "13000"),
        ("xl", "15000", "0.80", "20000"),
        ("telkomsel", "19999", "0.82", "26000"),
        ("telkomsel", "20000", "0.82", "25000"),
        ("telkomsel", "41000", "0.82", "50000"),
        ("telkomsel", "45000", "0.82", "55000"),
        ("tri", "1000000", "0.80", "1250000"),
        ("smartfren", "1", "0.78", "1000"),
    ];
    for (row, (operator, nominal, rate, total_tf)) in table.into_iter().enumerate() {
        let reference = format!("INV-{row}");
        let request = new("direct", nominal, &reference).with("operator", operator);
        let data = world.post(OPEN, &request.pairs()).await;
        assert_eq!((&data["rate"], &data["total_tf"]), (&json!(rate), &json!(total_tf)), "{data}");
        assert_eq!((&data["payment"], &data["nominal"]), (&json!(operator), &json!(nominal)));
    }
}

/// Both documented answers (section 4.2).
#[tokio::test]
async fn a_confirmation_credits_once_and_says_so_again() {
    let world = World::new().await;
    world.opened("direct", "10000", "INV-000123").await;
    let data = world.confirmed("INV-000123", SENDER).await;
    let hash = world.hash("INV-000123").await;
    let paid = json!({
        "respon": "sukses", "hash": hash, "reff_id": "INV-000123", "payment": "telkomsel",
        "rate": "0.82", "nominal": "10000", "total_tf": "13000", "return_url": RETURN_URL,
        "sender": "6281298765432", "status": "PAID", "saldo_ahir": 100_010_000,
    });
    assert_eq!(data, paid);
    let before = json!({
        "respon": "sukses", "pesan": "Pembayaran sudah di selesaikan reff INV-000123",
        "return_url": RETURN_URL,
    });
    for sender in [SENDER, "081200000404", "nonsense", ""] {
        let changes = world.memory.changes();
        assert_eq!(world.confirmed("INV-000123", sender).await, before);
        assert_eq!(world.memory.changes(), changes);
    }
    assert_eq!(world.earned().await, 10_000);
    assert_eq!(world.order("INV-000123").await.callbacks.len(), 1);
    world.memory.audit().expect("sound books");
}

#[tokio::test]
async fn senders_are_told_in_any_spelling() {
    let world = World::new().await;
    let table = [
        (SENDER, "6281298765432"),
        ("+6281298765432", "6281298765432"),
        ("6281298765432", "6281298765432"),
        ("858", "858"),
    ];
    for (row, (sender, shown)) in table.into_iter().enumerate() {
        let reference = format!("INV-{row}");
        world.opened("direct", "10000", &reference).await;
        assert_eq!(world.confirmed(&reference, sender).await["sender"], shown);
    }
}

#[tokio::test]
async fn what_nobody_sent_is_not_found_until_somebody_does() {
    let world = World::new().await;
    world.opened("direct", "10000", "INV-1").await;
    assert_eq!(said(&world.confirmed("INV-1", "081200000404").await), NOT_FOUND);
    assert_eq!(world.refused(CONFIRM, &[("reff_id", "INV-1")]).await, NOT_FOUND);
    assert_eq!((world.order("INV-1").await.state, world.earned().await), (OrderState::Awaiting, 0));
    assert_eq!(world.confirmed("INV-1", SENDER).await["status"], "PAID");
}

/// The sender is optional; a merchant may have it otherwise.
#[tokio::test]
async fn a_confirmation_without_a_sender_goes_by_the_amount() {
    let world = World::new().await;
    world.opened("direct", "10000", "INV-1").await;
    let data = world.post(CONFIRM, &[("reff_id", "INV-1")]).await;
    assert_eq!((&data["status"], &data["sender"]), (&json!("PAID"), &json!("")));
    world.prefer(NAME, TOKO_CONTOH, &[(preferences::SENDER_REQUIRED, preferences::YES)]).await;
    world.opened("direct", "10000", "INV-2").await;
    let said = world.refused(CONFIRM, &[("reff_id", "INV-2")]).await;
    assert_eq!(said, "Nomor pengirim tidak valid");
    assert_eq!(world.confirmed("INV-2", SENDER).await["status"], "PAID");
}

/// In production a merchant's word credits nothing, and evidence does, whichever comes first and in
/// whatever spelling.
#[tokio::test]
async fn only_evidence_pays_where_there_is_no_sandbox() {
    let world = World::new().await;
    world.without_payer();
    for reference in ["INV-1", "INV-2"] {
        world.opened("direct", "10000", reference).await;
        assert_eq!(said(&world.confirmed(reference, SENDER).await), NOT_FOUND);
    }
    assert_eq!(said(&world.confirmed("INV-2", "087711112222").await), NOT_FOUND);
    let seen = world.received("1", "telkomsel", 13_000, "6281298765432").await;
    assert_eq!(seen.state, EvidenceState::Used(world.order("INV-1").await.id));
    assert_eq!(world.earned().await, 10_000);
    let before = world.confirmed("INV-1", SENDER).await;
    assert_eq!(before["pesan"], "Pembayaran sudah di selesaikan reff INV-1");
    world.received("2", "telkomsel", 12_000, "6287711112222").await;
    assert_eq!(said(&world.confirmed("INV-2", "087711112222").await), NOT_FOUND);
    world.opened("direct", "10000", "INV-3").await;
    let either = world.received("3", "telkomsel", 13_000, "6285500000000").await;
    assert_eq!(either.state, EvidenceState::Used(world.order("INV-3").await.id));
    assert_eq!(world.earned().await, 20_000);
    world.memory.audit().expect("sound books");
}

/// Two wait for the same amount; the word of one of them finds what was suspended meanwhile.
#[tokio::test]
async fn credit_that_waits_for_a_name_is_found_by_it() {
    let world = World::new().await;
    world.without_payer();
    for reference in ["INV-1", "INV-2"] {
        world.opened("direct", "10000", reference).await;
    }
    let suspended = world.received("1", "telkomsel", 13_000, "6281298765432").await;
    assert!(matches!(suspended.state, EvidenceState::Suspended { .. }));
    let data = world.confirmed("INV-2", SENDER).await;
    assert_eq!((&data["status"], &data["saldo_ahir"]), (&json!("PAID"), &json!(100_010_000)));
    assert_eq!(said(&world.confirmed("INV-1", SENDER).await), NOT_FOUND);
    world.memory.audit().expect("sound books");
}

#[tokio::test]
async fn two_hundred_confirmations_credit_once() {
    let world = World::new().await;
    world.opened("direct", "10000", "INV-1").await;
    let mut paid = 0;
    let pairs = [("reff_id", "INV-1"), ("sender", SENDER)];
    let all = (0..200).map(|_| world.post(CONFIRM, &pairs));
    for data in futures_of(all).await {
        assert_eq!(data["respon"], "sukses", "{data}");
        paid += u32::from(data["status"] == "PAID");
    }
    assert!(paid >= 1);
    assert_eq!(world.earned().await, 10_000);
    assert_eq!(world.order("INV-1").await.callbacks.len(), 1);
    world.memory.audit().expect("sound books");
}

/// Polls all of them in turn until all are done.
async fn futures_of<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<_> = all.map(|it| (Box::pin(it), None)).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, output) in &mut waiting {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *output = Some(value),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    waiting.into_iter().filter_map(|(_, output)| output).collect()
}

/// Section 6: identical operator, nominal and type while unpaid.
#[tokio::test]
async fn a_repeat_is_answered_with_what_is_there() {
    let world = World::new().await;
    let first = world.opened("redirect", "10000", "INV-1").await;
    world.set_clock(NOW + 60_000);
    let changes = world.memory.changes();
    assert_eq!(world.opened("redirect", "10000", "INV-1").await, first);
    let elsewhere = new("redirect", "10000", "INV-1").with("return_url", "https://else.example/");
    assert_eq!(world.post(OPEN, &elsewhere.pairs()).await, first);
    let used = "Reff id sudah digunakan";
    let others = [
        new("direct", "10000", "INV-1"),
        new("redirect", "10001", "INV-1"),
        new("redirect", "10000", "INV-1").with("operator", "xl"),
    ];
    for other in others {
        assert_eq!(world.refused(OPEN, &other.pairs()).await, used);
    }
    assert_eq!(world.memory.changes(), changes);
    world.opened("direct", "10000", "INV-2").await;
    world.confirmed("INV-2", SENDER).await;
    assert_eq!(world.refused(OPEN, &new("direct", "10000", "INV-2").pairs()).await, used);
}

#[tokio::test]
async fn a_rate_is_frozen_with_its_collection() {
    let world = World::new().await;
    let first = world.opened("direct", "10000", "INV-1").await;
    let product = world.gateway.catalogue().product_by_code(NAME, "telkomsel").cloned();
    let mut product = (*product.expect("an operator")).clone();
    product.channel.as_mut().expect("a channel").rate_hundredths = Some(50);
    world.change(vec![domain::Command::PutProduct(product)]).await;
    assert_eq!(world.opened("direct", "10000", "INV-1").await, first);
    let data = world.confirmed("INV-1", SENDER).await;
    assert_eq!((&data["rate"], &data["total_tf"]), (&json!("0.82"), &json!("13000")));
    let later = world.opened("direct", "10000", "INV-2").await;
    assert_eq!((&later["rate"], &later["total_tf"]), (&json!("0.50"), &json!("22000")));
}

#[tokio::test]
async fn references_of_merchants_are_their_own() {
    let world = World::new().await;
    world.opened("direct", "10000", "INV-1").await;
    for (path, fields) in [(CONFIRM, vec![("reff_id", "INV-1"), ("sender", SENDER)])] {
        let (_, data) = world.data(post(path, OTHER_KEY, &fields)).await;
        assert_eq!(said(&data), "Transaksi tidak ditemukan");
    }
    let path = "/v1/transaksi/status?reff_id=INV-1";
    let (_, data) = world.data(request(Method::GET, path, OTHER_KEY, "")).await;
    assert_eq!(said(&data), "Transaksi tidak ditemukan");
    assert_eq!(world.earned().await, 0);
}

#[tokio::test]
async fn a_status_is_marked_as_our_own_and_changes_nothing() {
    let world = World::new().await;
    world.opened("redirect", "10000", "INV-1").await;
    let path = "/v1/transaksi/status?reff_id=INV-1";
    let changes = world.memory.changes();
    let (_, data) = world.get(path).await;
    let hash = world.hash("INV-1").await;
    let unpaid = json!({
        "respon": "sukses", "hash": hash, "reff_id": "INV-1", "payment": "telkomsel",
        "rate": "0.82", "nominal": "10000", "total_tf": "13000", "return_url": RETURN_URL,
        "sender": "", "status": "UNPAID", "saldo_ahir": 100_000_000,
    });
    assert_eq!(data, unpaid);
    let answer = world.send(request(Method::GET, path, super::world::API_KEY, "")).await;
    assert_eq!(answer.headers()["x-lunas-extension"], "transaksi/status");
    assert_eq!(world.memory.changes(), changes);
    world.received("1", "telkomsel", 13_000, "").await;
    let (_, data) = world.get(path).await;
    assert_eq!((&data["status"], &data["saldo_ahir"]), (&json!("PAID"), &json!(100_010_000)));
}

/// Nothing ends unless the operator wants it; then there is no word for it but *unpaid*.
#[tokio::test]
async fn a_collection_waits_for_ever_unless_it_has_a_lifetime() {
    let year = Duration::from_secs(365 * 24 * 3600);
    for (lifetime, ends) in [(None, false), (Some(Duration::from_secs(900)), true)] {
        let world = World::under(Conditions { lifetime, ..Conditions::default() }).await;
        world.opened("direct", "10000", "INV-1").await;
        world.set_clock(NOW + i64::try_from(year.as_millis()).expect("a year"));
        let order = world.order("INV-1").await;
        let order = world.gateway.end_collection(&order, None).await.expect("ended or not");
        assert_eq!(order.state == OrderState::Expired, ends);
        let data = world.confirmed("INV-1", SENDER).await;
        if ends {
            assert_eq!(said(&data), "Transaksi sudah berakhir");
            let (_, data) = world.get("/v1/transaksi/status?reff_id=INV-1").await;
            assert_eq!(data["status"], "UNPAID");
        } else {
            assert_eq!(data["status"], "PAID");
        }
    }
}

#[tokio::test]
async fn what_an_operator_ended_stays_unpaid() {
    let world = World::new().await;
    world.opened("direct", "10000", "INV-1").await;
    let order = world.order("INV-1").await;
    let refusal = Some(Refusal::PaymentAbandoned);
    world.gateway.end_collection(&order, refusal).await.expect("ended");
    assert_eq!(said(&world.confirmed("INV-1", SENDER).await), "Transaksi sudah berakhir");
    assert_eq!(world.earned().await, 0);
}

/// The fee is the channel's, of what is credited.
#[tokio::test]
async fn the_channel_takes_its_fee_of_the_nominal() {
    let world = World::new().await;
    let product = world.gateway.catalogue().product_by_code(NAME, "telkomsel").cloned();
    let mut product = (*product.expect("an operator")).clone();
    let channel = product.channel.as_mut().expect("a channel");
    channel.fee = domain::product::Fee { per_million: 20_000, fixed: 100 };
    world.change(vec![domain::Command::PutProduct(product)]).await;
    world.opened("direct", "10000", "INV-1").await;
    let data = world.confirmed("INV-1", SENDER).await;
    assert_eq!((&data["nominal"], &data["saldo_ahir"]), (&json!("10000"), &json!(100_009_700)));
    assert_eq!(
        world.refused(OPEN, &new("direct", "100", "INV-2").pairs()).await,
        "Nominal tidak valid"
    );
    world.memory.audit().expect("sound books");
}

/// Every format of body brings the same answer.
#[tokio::test]
async fn forms_json_and_multipart_are_the_same() {
    let world = World::new().await;
    let fields = new("redirect", "10000", "ab+c d/9");
    let first = world.post(OPEN, &fields.pairs()).await;
    let json = fields.pairs().into_iter().map(|(name, value)| (name.to_owned(), value.into()));
    let mut json = Value::Object(json.collect());
    json["nominal"] = 10_000.into();
    let part = |(name, value): (&str, &str)| {
        format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let multipart: String = fields.pairs().into_iter().map(part).collect();
    let bodies = [
        ("application/json", json.to_string()),
        ("application/json; charset=utf-8", json.to_string()),
        ("application/x-www-form-urlencoded", json.to_string()),
        ("multipart/form-data; boundary=XX", format!("{multipart}--XX--\r\n")),
    ];
    for (content_type, body) in bodies {
        let mut request = request(Method::POST, OPEN, super::world::API_KEY, body);
        let value = content_type.parse().expect("a type");
        request.headers_mut().insert("Content-Type", value);
        assert_eq!(world.data(request).await, (200, first.clone()), "{content_type}");
    }
}

#[tokio::test]
async fn a_key_is_taken_with_a_scheme_too() {
    let world = World::new().await;
    for key in ["Bearer ilen-sandbox-key-0001", "  ilen-sandbox-key-0001 "] {
        let (status, data) =
            world.data(post(OPEN, key, &new("direct", "1", "INV-1").pairs())).await;
        assert_eq!((status, &data["respon"]), (200, &json!("sukses")), "{key}");
    }
}

#[tokio::test]
async fn a_payer_who_hangs_up_is_credited_all_the_same() {
    let world = World::new().await;
    world.opened("direct", "10000", "INV-1").await;
    let pairs = [("reff_id", "INV-1"), ("sender", SENDER)];
    let mut confirmation = Box::pin(world.post(CONFIRM, &pairs));
    std::future::poll_fn(|context| {
        let _ = confirmation.as_mut().poll(context);
        std::task::Poll::Ready(())
    })
    .await;
    drop(confirmation);
    while world.order("INV-1").await.state == OrderState::Awaiting {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.earned().await, 10_000);
}
