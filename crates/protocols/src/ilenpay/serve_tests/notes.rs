//! What is noted of requests, and who may try signatures.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::{Doubt, Refusal};
use gateway::exchanges::{Meaning, Note, Signature};
use gateway::ports::StoreFault;
use http::Method;

use super::world::{
    API_KEY, CONFIRM, Conditions, OPEN, TOKO_CONTOH, WEBHOOK_ID, World, new, post, request, said,
};
use crate::admission::SignatureGuard;
use crate::exchange::{BodyFault, NoteSlot};
use crate::ilenpay::{NAME, key_name};

async fn noted(world: &World, mut request: http::Request<Result<bytes::Bytes, BodyFault>>) -> Note {
    let slot = NoteSlot::default();
    request.extensions_mut().insert(slot.clone());
    world.send(request).await;
    slot.take().expect("a note")
}

#[tokio::test]
async fn every_request_leaves_a_note_of_what_it_is_about() {
    use Signature::{Invalid, Unchecked, Unsigned, Valid};
    let world = World::new().await;
    world.opened("direct", "10000", "INV-1").await;
    let opening = |request: super::world::New| post(OPEN, API_KEY, &request.pairs());
    let confirming = |sender| post(CONFIRM, API_KEY, &[("reff_id", "INV-1"), ("sender", sender)]);
    let asking = |path: &str| request(Method::GET, path, API_KEY, "");
    let (open, confirm) = ("transaksi/baru", "konfirmasi/pembayaran");
    let refused = Meaning::Refused;
    let table = [
        (opening(new("direct", "10000", "INV-1")), open, Valid, Meaning::Granted, true),
        (
            opening(new("direct", "10000", "INV-1").with("sign", "x")),
            open,
            Invalid,
            refused(Refusal::SignatureInvalid),
            false,
        ),
        (
            opening(new("direct", "0", "INV-1")),
            open,
            Unchecked,
            refused(Refusal::AmountInvalid),
            false,
        ),
        (confirming("081200000404"), confirm, Unsigned, refused(Refusal::PaymentNotFound), true),
        (confirming("081298765432"), confirm, Unsigned, Meaning::Granted, true),
        (
            asking("/v1/transaksi/status?reff_id=INV-1"),
            "transaksi/status",
            Unsigned,
            Meaning::Granted,
            true,
        ),
    ];
    let order = world.order("INV-1").await.id;
    for (request, command, signature, meaning, is_found) in table {
        let note = noted(&world, request).await;
        assert_eq!((note.protocol, note.command, note.signature), (NAME, command, signature));
        assert_eq!((note.meaning, note.merchant), (Some(meaning), Some(TOKO_CONTOH)), "{command}");
        assert_eq!(note.reference.as_ref().map(domain::Reference::as_str), Some("INV-1"));
        assert_eq!(note.order, is_found.then_some(order), "{command} {meaning:?}");
    }
    let ping = noted(&world, asking(&format!("/v1/webhook/ping/{WEBHOOK_ID}"))).await;
    assert_eq!((ping.command, ping.merchant), ("webhook/ping", Some(TOKO_CONTOH)));
    let nobody = noted(&world, request(Method::GET, "/v1/info/harga", "wrong", "")).await;
    let invalid = Meaning::Refused(Refusal::SignatureInvalid);
    assert_eq!((nobody.merchant, nobody.meaning), (None, Some(invalid)));
    let wrong = noted(&world, request(Method::GET, OPEN, API_KEY, "")).await;
    assert_eq!(wrong.meaning, Some(Meaning::Refused(Refusal::PathUnknown)));
    world.memory.fail_with(StoreFault::Busy);
    let fault = noted(&world, confirming("081298765432")).await;
    assert_eq!(fault.meaning, Some(Meaning::Open(Doubt::UndefinedError)));
}

/// Admits three wrong ones.
#[derive(Default)]
struct ThreeWrong(AtomicU32);

impl SignatureGuard for ThreeWrong {
    fn admits(&self, _: IpAddr, name: &str) -> bool {
        assert_eq!(name, key_name(API_KEY));
        self.0.load(Ordering::SeqCst) < 3
    }

    fn was_wrong(&self, _: IpAddr, _: &str) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn signatures_are_not_tried_without_end() {
    let signatures = Arc::new(ThreeWrong::default());
    let world = World::under(Conditions { signatures, ..Conditions::default() }).await;
    world.opened("direct", "10000", "INV-1").await;
    let guess = new("direct", "10000", "INV-2").with("sign", "x");
    for _ in 0..3 {
        assert_eq!(world.refused(OPEN, &guess.pairs()).await, "Sign tidak valid");
    }
    let (status, data) =
        world.data(post(OPEN, API_KEY, &new("direct", "10000", "INV-2").pairs())).await;
    assert_eq!((status, said(&data).as_str()), (429, "Terlalu banyak permintaan"));
    assert_eq!(world.confirmed("INV-1", "0812").await["status"], "PAID");
}
