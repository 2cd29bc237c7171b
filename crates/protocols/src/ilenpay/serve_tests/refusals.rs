//! Nothing changes on refusal: every row of section 8 of the ilenpay reference in one table, with the
//! whole state of the store before and after it.

use domain::audit::Summary;
use domain::{Command, OrderState, ProductStatus};
use gateway::ports::StoreFault;
use http::{Method, Request};
use serde_json::Value;

use super::world::{API_KEY, CONFIRM, New, OPEN, World, new, post, request};
use crate::exchange::BodyFault;
use crate::ilenpay::NAME;

/// All that a request could change.
#[derive(Debug, PartialEq)]
struct State {
    changes: u64,
    books: Summary,
    earned: i64,
    standings: Vec<OrderState>,
    sent: usize,
}

impl State {
    async fn of(world: &World) -> Self {
        let mut standings = Vec::new();
        for reference in ["INV-1", "INV-2", "INV-3"] {
            standings.push(world.order(reference).await.state);
        }
        Self {
            changes: world.memory.changes(),
            books: world.memory.audit().expect("sound books"),
            earned: world.earned().await,
            standings,
            sent: world.network.sent().len(),
        }
    }
}

/// A collection that waits on the merchant's page, one that waits on ours, and one that is paid; and an
/// operator that is switched off.
async fn world() -> World {
    let world = World::new().await;
    world.opened("direct", "10000", "INV-3").await;
    world.confirmed("INV-3", "081298765432").await;
    world.without_payer();
    world.opened("direct", "10000", "INV-1").await;
    world.opened("redirect", "10000", "INV-2").await;
    let product = world.gateway.catalogue().product_by_code(NAME, "xl").cloned();
    let product = (*product.expect("an operator")).clone();
    let inactive = domain::Product { status: ProductStatus::Inactive, ..product };
    world.change(vec![Command::PutProduct(inactive)]).await;
    world
}

type Sent = Request<Result<bytes::Bytes, BodyFault>>;

/// Row, request, HTTP status and text.
type Row = (&'static str, Sent, u16, &'static str);

fn opening(row: &'static str, fields: &New, pesan: &'static str) -> Row {
    (row, post(OPEN, API_KEY, &fields.pairs()), 200, pesan)
}

fn confirming(row: &'static str, fields: &[(&str, &str)], pesan: &'static str) -> Row {
    (row, post(CONFIRM, API_KEY, fields), 200, pesan)
}

fn rows() -> Vec<Row> {
    let fresh = || new("direct", "10000", "INV-9");
    let mut keyless = post(OPEN, API_KEY, &fresh().pairs());
    keyless.headers_mut().remove("Authorization");
    let unknown = "Transaksi tidak ditemukan";
    let (operator, nominal) = ("Operator tidak tersedia", "Nominal tidak valid");
    let (used, address) = ("Reff id sudah digunakan", "Return url tidak valid");
    let length = "Reff id minimal 5 maksimal 20 karakter";
    vec![
        ("missing key", keyless, 401, "Api key tidak valid"),
        ("unknown key", post(OPEN, "x", &fresh().pairs()), 401, "Api key tidak valid"),
        ("unknown key", post(CONFIRM, "x", &[("reff_id", "INV-1")]), 401, "Api key tidak valid"),
        opening("bad sign", &fresh().with("sign", &"0".repeat(32)), "Sign tidak valid"),
        opening("unknown operator", &fresh().with("operator", "axis"), operator),
        opening("disabled operator", &fresh().with("operator", "xl"), operator),
        opening("nominal no positive integer", &fresh().with("nominal", "-1"), nominal),
        opening("nominal no positive integer", &fresh().with("nominal", "1.5"), nominal),
        opening("nominal outside the limits", &fresh().with("nominal", "1000001"), nominal),
        opening("reff_id too short", &fresh().with("reff_id", "INV1"), length),
        opening("reff_id too long", &fresh().with("reff_id", &"x".repeat(21)), length),
        opening("reff_id used, other content", &new("direct", "10001", "INV-1"), used),
        opening("reff_id used, paid", &new("direct", "10000", "INV-3"), used),
        opening("wrong type", &fresh().with("type", "hosted"), "Type tidak valid"),
        opening("return_url missing", &fresh().without("return_url"), address),
        opening("return_url not http", &fresh().with("return_url", "ftp://a/"), address),
        confirming("unknown reff_id", &[("reff_id", "INV-9"), ("sender", "0812")], unknown),
        confirming(
            "type is redirect",
            &[("reff_id", "INV-2"), ("sender", "0812")],
            "Hanya untuk transaksi type direct",
        ),
        confirming(
            "transfer not found",
            &[("reff_id", "INV-1")],
            "Pembayaran belum kami terima, silakan coba beberapa saat lagi",
        ),
        (
            "unknown path",
            post("/v1/transaksi/lama", API_KEY, &fresh().pairs()),
            404,
            "Endpoint tidak ditemukan",
        ),
        ("wrong method", request(Method::PUT, OPEN, API_KEY, ""), 405, "Method tidak diizinkan"),
        (
            "unreadable",
            request(Method::POST, OPEN, API_KEY, "{"),
            400,
            "Permintaan tidak dapat dibaca",
        ),
    ]
}

#[tokio::test]
async fn nothing_changes_on_any_refusal() {
    let world = world().await;
    let before = State::of(&world).await;
    for (row, request, status, pesan) in rows() {
        let answer = world.send(request).await;
        let body: Value = serde_json::from_slice(answer.body()).expect("an answer in JSON");
        let expected = serde_json::json!({ "data": { "respon": "gagal", "pesan": pesan } });
        assert_eq!((answer.status().as_u16(), body), (status, expected), "{row}");
        assert_eq!(State::of(&world).await, before, "{row}");
    }
    // Who says from where the credit comes is remembered, and nothing else is.
    let told = world.confirmed("INV-1", "081298765432").await;
    assert_eq!(told["respon"], "gagal", "{told}");
    let after = State::of(&world).await;
    assert_eq!(State { changes: after.changes, ..before }, after);
    // Our own faults come last, because a store that fails goes on failing.
    world.memory.fail_with(StoreFault::CommitFailed("disk".to_owned()));
    for request in [
        post(OPEN, API_KEY, &new("direct", "10000", "INV-9").pairs()),
        post(CONFIRM, API_KEY, &[("reff_id", "INV-1"), ("sender", "0812")]),
    ] {
        let (status, data) = world.data(request).await;
        assert_eq!((status, &data["pesan"]), (500, &"Sistem gangguan".into()));
        assert_eq!(world.memory.changes(), after.changes);
    }
}
