//! Whatever bytes come, nothing panics, nothing changes that nobody signed, and the answer is one
//! that a client can read.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::world::{World, post, read};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

fn nothing_happens(path: &str, body: &[u8]) -> Result<(), TestCaseError> {
    runtime().block_on(async {
        let world = World::new().await;
        let changes = world.memory.changes();
        let (status, envelope) = read(&world.send(post(path, Bytes::copy_from_slice(body))).await);
        prop_assert!((400..500).contains(&status), "{}", envelope);
        prop_assert_eq!(&envelope["success"], &json!(false));
        prop_assert_eq!(world.memory.changes(), changes);
        Ok(())
    })
}

/// A value of a field, honest or not.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!([null])),
        Just(json!({ "0": {} })),
        prop::sample::select(vec![
            "prepaid",
            "game",
            "inquiry",
            "pay-pasca",
            "TSEL21",
            "ML86",
            "MPBPJS",
            "OFF10",
            "081298765432",
            "IK-1001",
            "R-1",
            "pascabayar",
        ])
        .prop_map(Value::from),
    ]
}

fn business() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        prop::sample::select(vec!["cmd", "code", "customer_no", "ref_id", "testing", "type"])
            .prop_map(str::to_owned),
        "[a-z]{1,4}",
    ];
    prop::collection::hash_map(names, value(), 0..8)
        .prop_map(|fields| Value::Object(fields.into_iter().collect()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_change_nothing(body: Vec<u8>) {
        nothing_happens("/v1/order", &body)?;
    }

    #[test]
    fn any_fields_without_a_signature_change_nothing(mut business in business(), signature: String) {
        business["api_id"] = json!("IK-1001");
        business["timestamp"] = json!(1_780_000_000);
        business["signature"] = json!(signature);
        nothing_happens("/v1/order", business.to_string().as_bytes())?;
    }

    #[test]
    fn any_path_is_answered(path in "/v1/[a-z0-9/._%-]{0,40}") {
        nothing_happens(&path, b"{}")?;
    }

    /// Whatever is signed is answered, a refusal changes nothing, and nothing is bought twice.
    #[test]
    fn any_signed_request_is_answered(business in business()) {
        runtime().block_on(async {
            let world = World::new().await;
            for path in ["/v1/order", "/v1/products", "/v1/status", "/v1/balance"] {
                let body = world.signed(business.clone());
                let changes = world.memory.changes();
                let first = world.post(path, &body).await;
                prop_assert!(first.0 < 500 || first.0 == 503, "{:?}", first);
                prop_assert_ne!(&first.1["code"], "INVALID_SIGNATURE");
                if first.0 != 200 {
                    prop_assert_eq!(world.memory.changes(), changes);
                }
                let purchases = world.purchases();
                prop_assert_eq!(world.post(path, &body).await, first);
                prop_assert_eq!(world.purchases(), purchases);
            }
            Ok(())
        })?;
    }
}
