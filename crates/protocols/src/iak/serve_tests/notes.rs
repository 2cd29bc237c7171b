//! What the face notes of each exchange, for the log from which orders are explained.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use domain::{Doubt, MerchantId, OrderId, Refusal};
use gateway::exchanges::{Meaning, Note, Side, Signature};
use http::Request;
use serde_json::{Value, json};
use tokio::task::yield_now;

use super::world::{
    self, Conditions, OTHER_KEY, OTHER_USERNAME, World, check_status, inquiry, payment, price_list,
};
use crate::exchange::{BodyFault, NoteSlot};
use crate::iak::sign::sign;

async fn note_of(world: &World, mut request: Request<Result<Bytes, BodyFault>>) -> Note {
    let slot = NoteSlot::default();
    request.extensions_mut().insert(slot.clone());
    world.send(request).await;
    slot.take().expect("every request leaves a note")
}

async fn note(world: &World, body: &Value) -> Note {
    note_of(world, world::json(body.to_string())).await
}

/// Everything that a note says but how it masks.
type Said = (
    &'static str,
    Option<u32>,
    Option<String>,
    Option<u64>,
    Signature,
    Option<&'static str>,
    Option<Meaning>,
);

fn said(note: &Note) -> Said {
    assert_eq!(note.protocol, "iak");
    (
        note.command,
        note.merchant.map(|MerchantId(merchant)| merchant),
        note.reference.as_ref().map(ToString::to_string),
        note.order.map(|OrderId(order)| order),
        note.signature,
        note.code,
        note.meaning,
    )
}

fn refused(refusal: Refusal) -> Option<Meaning> {
    Some(Meaning::Refused(refusal))
}

const OPEN: Option<Meaning> = Some(Meaning::Open(Doubt::InProcess));
const DONE: Option<Meaning> = Some(Meaning::Granted);

#[tokio::test]
async fn a_note_tells_what_an_exchange_was_about() {
    let world = World::new().await;
    let tr_id = world.quoted("INV-1", "530000000000").await;
    let pending = world.quoted("INV-2", "530000001039").await;
    let inv = |number: u32| Some(format!("INV-{number}"));
    let spoilt = |mut body: Value, field: &str, value: Value| {
        body[field] = value;
        body
    };
    let others = spoilt(
        spoilt(payment(&tr_id), "username", json!(OTHER_USERNAME)),
        "sign",
        json!(sign(OTHER_USERNAME, OTHER_KEY, &tr_id)),
    );
    let (valid, invalid) = (Signature::Valid, Signature::Invalid);
    let good = inquiry("PLNPOSTPAID", "530000000000", "INV-3");
    let wrong = refused(Refusal::SignatureInvalid);
    let table: [(Value, Said); 14] = [
        (good.clone(), ("inq-pasca", Some(1), inv(3), Some(3), valid, Some("00"), DONE)),
        (
            inquiry("PLNPOSTPAID", "530000000014", "INV-4"),
            (
                "inq-pasca",
                Some(1),
                inv(4),
                None,
                valid,
                Some("14"),
                refused(Refusal::DestinationInvalid),
            ),
        ),
        (
            spoilt(good.clone(), "sign", json!("0".repeat(32))),
            ("inq-pasca", Some(1), inv(3), None, invalid, Some("100"), wrong),
        ),
        (
            spoilt(good.clone(), "username", json!("nobody")),
            ("inq-pasca", None, inv(3), None, invalid, Some("100"), wrong),
        ),
        (
            spoilt(good.clone(), "ref_id", json!("a b")),
            ("inq-pasca", Some(1), None, None, invalid, Some("100"), wrong),
        ),
        (
            spoilt(good.clone(), "sign", json!(5)),
            (
                "inq-pasca",
                None,
                inv(3),
                None,
                Signature::Unchecked,
                Some("107"),
                refused(Refusal::RequestMalformed),
            ),
        ),
        (
            spoilt(good, "commands", json!("pay")),
            (
                "",
                None,
                None,
                None,
                Signature::Unchecked,
                Some("101"),
                refused(Refusal::CommandUnknown),
            ),
        ),
        (
            spoilt(payment(&tr_id), "sign", json!(sign("x", "y", "z"))),
            ("pay-pasca", Some(1), None, Some(1), invalid, Some("100"), wrong),
        ),
        (
            others,
            (
                "pay-pasca",
                Some(2),
                None,
                Some(1),
                valid,
                Some("06"),
                refused(Refusal::OrderNotFound),
            ),
        ),
        (payment(&tr_id), ("pay-pasca", Some(1), None, Some(1), valid, Some("00"), DONE)),
        (
            payment(&tr_id),
            ("pay-pasca", Some(1), None, Some(1), valid, Some("01"), refused(Refusal::InvoicePaid)),
        ),
        (payment(&pending), ("pay-pasca", Some(1), None, Some(2), valid, Some("39"), OPEN)),
        (check_status("INV-2"), ("checkstatus", Some(1), inv(2), Some(2), valid, Some("39"), OPEN)),
        (price_list(), ("pricelist-pasca", Some(1), None, None, valid, None, DONE)),
    ];
    for (body, expected) in table {
        assert_eq!(said(&note(&world, &body).await), expected, "{body}");
    }
}

/// A merchant who does not wait for his answer will ask what became of his payment.
#[tokio::test]
async fn a_caller_who_hangs_up_leaves_a_note_too() {
    let world = World::under(Conditions { payments_answered: 0, ..Conditions::default() }).await;
    let tr_id = world.quoted("INV-1", "530000000000").await;
    let slot = NoteSlot::default();
    let mut request = world::json(payment(&tr_id).to_string());
    request.extensions_mut().insert(slot.clone());
    tokio::select! {
        biased;
        _ = world.send(request) => panic!("nothing was to be answered"),
        () = async { while world.supplier.payments.load(Ordering::SeqCst) == 0 { yield_now().await } } => {}
    }
    let note = slot.take().expect("every request leaves a note");
    assert_eq!(said(&note), ("pay-pasca", Some(1), None, Some(1), Signature::Valid, None, None));
}

#[tokio::test]
async fn a_download_has_no_signature() {
    let world = World::new().await;
    let tr_id = world.quoted("INV-1", "530000000000").await;
    let download = |path: String| Request::get(path).body(Ok(Bytes::new())).expect("a request");
    let path = format!("/api/v1/download/{tr_id}");
    let unpaid = note_of(&world, download(path.clone())).await;
    let unsigned = Signature::Unsigned;
    let expected = refused(Refusal::BillUnpaid);
    assert_eq!(said(&unpaid), ("download", Some(1), None, Some(1), unsigned, Some("02"), expected));
    world.post(&payment(&tr_id)).await;
    let paid = note_of(&world, download(path)).await;
    assert_eq!(said(&paid), ("download", Some(1), None, Some(1), unsigned, None, DONE));
}

#[tokio::test]
async fn what_is_no_command_is_noted_too_and_masked() {
    let world = World::new().await;
    let request = world::json(r#"{"hp":"530000000000""#);
    let note = note_of(&world, request).await;
    assert_eq!((note.command, note.code), ("", Some("107")));
    let body = br#"{"hp":"530000000000","sign":"x"}"#;
    assert_eq!((note.mask)(Side::Request, body), r#"{"hp":"5300****000","sign":"****"}"#);
}
