//! Whatever bytes come, nothing panics, nothing changes, and the answer is one that a client can read.

use bytes::Bytes;
use http::{HeaderValue, Method};
use proptest::prelude::*;
use serde_json::Value;

use super::world::{API_KEY, CONFIRM, OPEN, World, form, new, request};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

const CONTENT_TYPES: [&str; 4] = [
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=X",
    "?",
];

/// Sends bytes with the right key in every format; none may change anything.
fn nothing_happens(method: &Method, path: &str, body: &[u8]) -> Result<(), TestCaseError> {
    runtime().block_on(async {
        let world = World::new().await;
        world.opened("redirect", "10000", "INV-1").await;
        let changes = world.memory.changes();
        for content_type in CONTENT_TYPES {
            let body = Bytes::copy_from_slice(body);
            let mut request = request(method.clone(), path, API_KEY, body);
            let value = HeaderValue::from_static(content_type);
            request.headers_mut().insert("Content-Type", value);
            let answer = world.send(request).await;
            prop_assert!(answer.status().as_u16() < 500);
            let answer: Value = serde_json::from_slice(answer.body()).expect("JSON");
            prop_assert!(answer["data"].is_object() || answer["data"].is_array());
            prop_assert_eq!(world.memory.changes(), changes);
        }
        Ok(())
    })
}

fn fields() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let names = ["operator", "nominal", "reff_id", "sign", "type", "return_url", "sender"];
    let value = prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "telkomsel",
            "10000",
            "INV-1",
            "INV-2",
            "direct",
            "redirect",
            "https://shop.example",
            "081298765432",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec((prop::sample::select(names.to_vec()), value), 0..9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_change_nothing(body: Vec<u8>) {
        for path in [OPEN, CONFIRM] {
            nothing_happens(&Method::POST, path, &body)?;
        }
    }

    #[test]
    fn any_fields_without_a_signature_change_nothing(fields in fields()) {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for path in [OPEN, CONFIRM] {
            nothing_happens(&Method::POST, path, form(&fields).as_bytes())?;
        }
    }

    #[test]
    fn any_path_is_answered(path in "/v1/(transaksi|konfirmasi|info|webhook)/[a-z0-9/._%?=&-]{0,40}") {
        for method in [Method::GET, Method::POST] {
            nothing_happens(&method, &path, b"")?;
        }
    }

    /// Whatever is signed is answered, and whatever is confirmed is credited exactly once.
    #[test]
    fn any_signed_collection_is_answered_and_credited_once(
        reference in "\\PC{3,22}",
        nominal in "[1-9][0-9]{0,6}|\\PC{0,4}",
        return_url in "https://shop.example/\\PC{0,12}|\\PC{0,8}",
        sender in "\\+?[0-9]{0,22}|\\PC{0,4}",
    ) {
        runtime().block_on(async {
            let world = World::new().await;
            let request = new("direct", &nominal, &reference).with("return_url", &return_url);
            let made = world.post(OPEN, &request.pairs()).await;
            let fields = [("reff_id", reference.as_str()), ("sender", &sender)];
            for _ in 0..2 {
                world.post(CONFIRM, &fields).await;
            }
            let earned = world.earned().await;
            let paid = earned > 0;
            prop_assert!(!paid || (made["respon"] == "sukses" && earned.to_string() == nominal));
            world.memory.audit().expect("sound books");
            Ok(())
        })?;
    }
}
