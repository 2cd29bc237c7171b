//! Whatever bytes come, nothing panics, nothing changes, and the answer is one that a client can
//! read.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;

use super::top_ups::{LEGACY, TOP_UP, top_up};
use super::world::{World, check_status, inquiry, payment, post, price_list};
use crate::iak::wire::{self, Format};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// Sends bytes to the commands in every way of naming a format; none may change anything.
fn nothing_happens(path: &str, body: &[u8]) -> Result<(), TestCaseError> {
    runtime().block_on(async {
        let world = World::new().await;
        let changes = world.memory.changes();
        for content_type in [Some("application/json"), Some("text/xml"), Some("?"), None] {
            let request = post(path, content_type, Bytes::copy_from_slice(body));
            let format = Format::of(request.headers(), body);
            let answer = world.send(request).await;
            prop_assert!(answer.status().as_u16() < 500);
            prop_assert!(wire::read(format, answer.body()).is_ok(), "{:?}", answer.body());
            prop_assert_eq!(world.memory.changes(), changes);
        }
        Ok(())
    })
}

const PATHS: [&str; 4] = ["/api/v1/bill/check", TOP_UP, LEGACY, "/api/inquiry-game"];

/// A value of a field, honest or not.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(Value::Array(vec![Value::Null])),
        prop::sample::select(vec!["inq-pasca", "pay-pasca", "checkstatus", "pricelist-pasca"])
            .prop_map(Value::from),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_change_nothing(body: Vec<u8>) {
        for path in PATHS {
            nothing_happens(path, &body)?;
        }
    }

    #[test]
    fn any_fields_without_a_signature_change_nothing(
        fields in prop::collection::hash_map(
            prop::sample::select(vec![
                "commands", "username", "sign", "ref_id", "tr_id", "hp", "code", "desc", "month",
                "customer_id", "product_code", "game_code", "email",
            ]),
            value(),
            0..13,
        ),
    ) {
        let body = Value::Object(fields.into_iter().map(|(k, v)| (k.to_owned(), v)).collect());
        for path in PATHS {
            nothing_happens(path, body.to_string().as_bytes())?;
        }
    }

    #[test]
    fn any_signed_inquiry_is_answered(ref_id: String, hp: String, code: String, amount: i64) {
        runtime().block_on(async {
            let world = World::new().await;
            for code in [code.as_str(), "PLNPOSTPAID", "PDAMKAB.KUDUS"] {
                let mut body = inquiry(code, &hp, &ref_id);
                body["desc"] = serde_json::json!({ "amount": amount });
                for body in [body, payment(&ref_id), check_status(&ref_id), price_list()] {
                    let (status, _) = world.post(&body).await;
                    prop_assert!(status == 200 || status == 400);
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn any_signed_top_up_is_answered_and_counted_once(
        ref_id in "[A-Za-z0-9._-]{1,70}|[0-9]{1,16}|\\PC{0,8}",
        number in "08[0-9]{6,14}|[0-9|]{0,13}|\\PC{0,8}",
        code in prop::sample::select(vec![
            "xld25000", "hpln20000", "hmobilelegend86", "hgopay20000", "pulsa10000", "nothing",
        ]),
    ) {
        runtime().block_on(async {
            let world = World::new().await;
            let before = world.balance().await;
            let body = top_up(&ref_id, code, &number);
            for _ in 0..2 {
                let (status, data) = world.ask(TOP_UP, &body).await;
                prop_assert!(status == 200 || status == 400, "{}", data);
                world.gateway.finish_calls().await;
            }
            let bought = world.supplier.payments.load(Ordering::SeqCst);
            prop_assert!(bought <= 1);
            let spent = before - world.balance().await;
            prop_assert!(spent == 0 || bought == 1, "{} spent", spent);
            Ok(())
        })?;
    }

    #[test]
    fn any_path_is_answered(path in "/(api|v1/legacy)/[a-z0-9/._%-]{0,40}") {
        nothing_happens(&path, b"{}")?;
    }
}
