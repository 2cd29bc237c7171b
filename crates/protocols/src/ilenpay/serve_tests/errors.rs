//! Every row of section 8 of the ilenpay reference, and the order in which they are looked at.

use domain::{Command, MerchantStatus, ProductStatus};
use gateway::ports::StoreFault;
use http::Method;
use serde_json::json;

use super::world::{
    API_KEY, BAHT_KEY, CONFIRM, Conditions, OPEN, TOKO_CONTOH, World, new, post, request, said,
};
use crate::exchange::BodyFault;
use crate::ilenpay::NAME;

const API_KEY_INVALID: &str = "Api key tidak valid";
const SIGN: &str = "Sign tidak valid";
const OPERATOR: &str = "Operator tidak tersedia";
const NOMINAL: &str = "Nominal tidak valid";
const REFERENCE: &str = "Reff id minimal 5 maksimal 20 karakter";
const TYPE: &str = "Type tidak valid";
const RETURN_URL: &str = "Return url tidak valid";
const UNREADABLE: &str = "Permintaan tidak dapat dibaca";

#[tokio::test]
async fn nobodys_key_opens_nothing() {
    let world = World::new().await;
    let changes = world.memory.changes();
    for key in ["", "wrong", "ilen-sandbox-key-000", "ilen-sandbox-key-0001x", "demoUser01"] {
        for path in [OPEN, CONFIRM] {
            let (status, data) =
                world.data(post(path, key, &new("direct", "10000", "INV-1").pairs())).await;
            assert_eq!((status, said(&data).as_str()), (401, API_KEY_INVALID), "{key}");
        }
        for path in ["/v1/info/harga", "/v1/info/server", "/v1/transaksi/status"] {
            let (status, data) = world.data(request(Method::GET, path, key, "")).await;
            assert_eq!((status, said(&data).as_str()), (401, API_KEY_INVALID), "{key}");
        }
    }
    let mut keyless = post(OPEN, API_KEY, &new("direct", "10000", "INV-1").pairs());
    keyless.headers_mut().remove("Authorization");
    assert_eq!(world.data(keyless).await.0, 401);
    assert_eq!(world.memory.changes(), changes);
}

/// One row per field and way to be wrong.
#[tokio::test]
async fn every_wrong_field_is_named() {
    let world = World::new().await;
    let table = [
        ("operator", "", OPERATOR),
        ("operator", "indosat", OPERATOR),
        ("operator", "Telkomsel", OPERATOR),
        ("operator", "telkomsel ", OPERATOR),
        ("nominal", "", NOMINAL),
        ("nominal", "0", NOMINAL),
        ("nominal", "1000001", NOMINAL),
        ("nominal", "9223372036854775808", NOMINAL),
        ("reff_id", "", REFERENCE),
        ("reff_id", "INV1", REFERENCE),
        ("reff_id", "INV-12345678901234567", REFERENCE),
        ("reff_id", "éééé", REFERENCE),
        ("reff_id", "INV-1\n", REFERENCE),
        ("type", "", TYPE),
        ("type", "Direct", TYPE),
        ("type", "other", TYPE),
        ("return_url", "", RETURN_URL),
        ("return_url", "shop.example", RETURN_URL),
        ("return_url", "javascript:alert(1)", RETURN_URL),
        ("return_url", "ftp://shop.example/", RETURN_URL),
        ("sign", "", SIGN),
        ("sign", "d4d9a787416daa50baa69bccfeed95bc", SIGN),
        ("sign", "nonsense", SIGN),
    ];
    let changes = world.memory.changes();
    for (name, value, said) in table {
        let request = new("direct", "10000", "INV-9").with(name, value);
        assert_eq!(world.refused(OPEN, &request.pairs()).await, said, "{name} {value:?}");
    }
    for (name, said) in [
        ("operator", OPERATOR),
        ("nominal", NOMINAL),
        ("reff_id", REFERENCE),
        ("type", TYPE),
        ("return_url", RETURN_URL),
        ("sign", SIGN),
    ] {
        let request = new("direct", "10000", "INV-9").without(name);
        assert_eq!(world.refused(OPEN, &request.pairs()).await, said, "without {name}");
    }
    assert_eq!(world.memory.changes(), changes);
    for reference in ["12345", "12345678901234567890", "éééééééééééééééééééé"] {
        world.opened("direct", "10000", reference).await;
    }
}

/// Presence first, then operator, nominal, reff_id, type, return_url, sign, and repeats last.
#[tokio::test]
async fn the_first_fault_in_the_references_order_is_told() {
    let world = World::new().await;
    world.opened("direct", "10000", "INV-1").await;
    let mut request = new("redirect", "10000", "INV-1")
        .with("operator", "indosat")
        .with("nominal", "-1")
        .with("reff_id", "INV")
        .with("type", "other")
        .with("return_url", "nowhere")
        .with("sign", "nonsense");
    for (name, right, said) in [
        ("operator", "telkomsel", OPERATOR),
        ("nominal", "10000", NOMINAL),
        ("reff_id", "INV-1", REFERENCE),
        ("type", "redirect", TYPE),
        ("return_url", "https://shop.example/", RETURN_URL),
    ] {
        let absent = new("direct", "10000", "INV-1").with("operator", "indosat").without("sign");
        assert_eq!(world.refused(OPEN, &absent.pairs()).await, SIGN);
        assert_eq!(world.refused(OPEN, &request.pairs()).await, said);
        request = request.with(name, right).with("sign", "nonsense");
    }
    assert_eq!(world.refused(OPEN, &request.pairs()).await, SIGN);
    let request = request.with("type", "redirect");
    assert_eq!(world.refused(OPEN, &request.pairs()).await, "Reff id sudah digunakan");
}

#[tokio::test]
async fn a_confirmation_says_what_is_wrong() {
    let world = World::new().await;
    world.opened("direct", "10000", "INV-1").await;
    world.opened("redirect", "10000", "INV-2").await;
    let unknown = "Transaksi tidak ditemukan";
    let sender = "Nomor pengirim tidak valid";
    let table: [(&[(&str, &str)], &str); 11] = [
        (&[], unknown),
        (&[("reff_id", "")], unknown),
        (&[("reff_id", "INV-9"), ("sender", "0812")], unknown),
        (&[("reff_id", "INV")], unknown),
        (&[("reff_id", "inv-1")], unknown),
        (&[("reff_id", "INV-2"), ("sender", "0812")], "Hanya untuk transaksi type direct"),
        (&[("reff_id", "INV-1"), ("sender", "abc")], sender),
        (&[("reff_id", "INV-1"), ("sender", "08-12")], sender),
        (&[("reff_id", "INV-1"), ("sender", "012345678901234567890")], sender),
        (&[("reff_id", "INV-1"), ("sender", "+")], sender),
        (
            &[("reff_id", "INV-1"), ("sender", "081200000404")],
            "Pembayaran belum kami terima, silakan coba beberapa saat lagi",
        ),
    ];
    for (fields, said) in table {
        assert_eq!(world.refused(CONFIRM, fields).await, said, "{fields:?}");
    }
    assert_eq!(world.earned().await, 0);
}

#[tokio::test]
async fn operators_that_are_off_or_of_another_currency_are_not_available() {
    let world = World::new().await;
    let fields = new("direct", "10000", "INV-1");
    let (_, data) = world.data(post(OPEN, BAHT_KEY, &fields.pairs())).await;
    assert_eq!(said(&data), OPERATOR);
    let product = world.gateway.catalogue().product_by_code(NAME, "telkomsel").cloned();
    let product = (*product.expect("an operator")).clone();
    let inactive = domain::Product { status: ProductStatus::Inactive, ..product.clone() };
    let mut worthless = product.clone();
    worthless.channel.as_mut().expect("a channel").rate_hundredths = None;
    let no_channel = domain::Product { channel: None, ..product };
    for product in [inactive, worthless, no_channel] {
        world.change(vec![Command::PutProduct(product)]).await;
        assert_eq!(world.refused(OPEN, &fields.pairs()).await, OPERATOR);
    }
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there() {
    let world = World::new().await;
    let nowhere = "Endpoint tidak ditemukan";
    for path in [
        "/v1/transaksi/",
        "/v1/transaksi/lain",
        "/v1/transaksi/baru/x",
        "/v1/konfirmasi/",
        "/v1/info/saldo",
        "/v1/webhook/ping",
        "/v1/webhook/ping/",
        "/v1/webhook/ping/nobody",
    ] {
        let (status, data) = world.get(path).await;
        assert_eq!((status, said(&data).as_str()), (404, nowhere), "{path}");
    }
    let table = [
        (Method::GET, OPEN, "POST"),
        (Method::PUT, CONFIRM, "POST"),
        (Method::POST, "/v1/info/harga", "GET"),
        (Method::DELETE, "/v1/info/server", "GET"),
        (Method::HEAD, "/v1/transaksi/status", "GET"),
        (Method::HEAD, "/v1/webhook/ping/Qm3xT7kLp0aZ9Vd", "GET, POST"),
    ];
    for (method, path, allowed) in table {
        let answer = world.send(request(method, path, API_KEY, "")).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["allow"]),
            (405, &allowed.parse().expect("a value"))
        );
        let expected = json!({"data": {"respon": "gagal", "pesan": "Method tidak diizinkan"}});
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(answer.body()).expect("JSON"),
            expected
        );
    }
    assert!(world.network.sent().is_empty());
}

#[tokio::test]
async fn what_cannot_be_read_changes_nothing() {
    let world = World::new().await;
    let changes = world.memory.changes();
    let bodies = ["reff_id=INV-1&reff_id=INV-2", "{\"reff_id\":", "reff_id=%ff"];
    for body in bodies {
        let (status, data) = world.data(request(Method::POST, CONFIRM, API_KEY, body)).await;
        assert_eq!((status, said(&data).as_str()), (400, UNREADABLE), "{body}");
    }
    for fault in [BodyFault::TooLarge, BodyFault::TooSlow, BodyFault::Broken] {
        let mut request = request(Method::POST, OPEN, API_KEY, "");
        *request.body_mut() = Err(fault);
        assert_eq!(world.data(request).await.0, 400, "{fault:?}");
    }
    let (status, data) = world.get("/v1/info/harga?operator=xl&operator=tri").await;
    assert_eq!((status, said(&data).as_str()), (400, UNREADABLE));
    assert_eq!(world.memory.changes(), changes);
}

#[tokio::test]
async fn merchants_that_may_not_call_are_told_so() {
    let elsewhere =
        Conditions { addresses: std::sync::Arc::new(|_, _| false), ..Conditions::default() };
    let too_often = Conditions { rates: std::sync::Arc::new(|_| false), ..Conditions::default() };
    let table = [
        (elsewhere, 200, "Alamat IP tidak diizinkan"),
        (too_often, 429, "Terlalu banyak permintaan"),
    ];
    for (conditions, status, text) in table {
        let world = World::under(conditions).await;
        let (found, data) = world.get("/v1/info/server").await;
        assert_eq!((found, said(&data).as_str()), (status, text));
    }
    let world = World::new().await;
    let merchant = world.gateway.catalogue().merchant(TOKO_CONTOH).cloned().expect("the demo's");
    let status = MerchantStatus::Suspended;
    let suspended = domain::Merchant { status, ..(*merchant).clone() };
    world.change(vec![Command::PutMerchant(suspended)]).await;
    let said = world.refused(OPEN, &new("direct", "10000", "INV-1").pairs()).await;
    assert_eq!(said, "Akun dinonaktifkan");
}

#[tokio::test]
async fn a_fault_of_ours_says_nothing_of_itself() {
    let world = World::new().await;
    world.memory.fail_with(StoreFault::Corrupt("canary".to_owned()));
    for (path, fields) in
        [(OPEN, new("direct", "10000", "INV-1").pairs()), (CONFIRM, vec![("reff_id", "INV-1")])]
    {
        let (status, data) = world.data(post(path, API_KEY, &fields)).await;
        assert_eq!((status, said(&data).as_str()), (500, "Sistem gangguan"));
    }
}
