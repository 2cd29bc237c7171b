//! Whatever comes, nothing panics, nothing changes that was refused, and the answer can be read.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::{Method, Request};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::world::{
    BALANCE, DEPOSIT, PAYOUT, RESEND, STATUS, THB, UTR, World, cipher, deposit, payout, post,
};
use crate::s88pay::Served;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

const PATHS: [&str; 6] = [DEPOSIT, PAYOUT, STATUS, UTR, RESEND, BALANCE];
const NAMES: [&str; 16] = [
    "merchant_code",
    "merchant_api_key",
    "transaction_code",
    "transaction_no",
    "transaction_timestamp",
    "transaction_amount",
    "transaction_status",
    "payment_code",
    "payout_code",
    "user_id",
    "currency_code",
    "bank_code",
    "callback_url",
    "utr",
    "account_name",
    "bank_account_number",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_change_nothing(body: Vec<u8>, query in "[ -~&&[^#?\"<>\\\\^`{|}]]{0,40}") {
        runtime().block_on(async {
            let world = World::new().await;
            let changes = world.memory.changes();
            for path in PATHS {
                let uri = format!("{}?{}", path.replace("{}", THB), query.replace(' ', "+"));
                for method in [Method::POST, Method::GET] {
                    let request = Request::builder().method(method).uri(&uri);
                    let answer = world.send(request.body(Ok(Bytes::from(body.clone()))).expect("a request")).await;
                    prop_assert!((400..500).contains(&answer.status().as_u16()), "{:?}", answer);
                    prop_assert!(serde_json::from_slice::<Value>(answer.body()).is_ok());
                }
            }
            prop_assert_eq!(world.memory.changes(), changes);
            Ok(())
        })?;
    }

    /// Any text that is rightly encrypted, and says who it is from.
    #[test]
    fn any_message_is_answered(
        fields in prop::collection::vec((prop::sample::select(NAMES.to_vec()), "\\PC{0,12}"), 0..8),
        as_json: bool,
    ) {
        runtime().block_on(async {
            let world = World::new().await;
            let changes = world.memory.changes();
            let who = [("merchant_code", THB), ("merchant_api_key", "unit-test-api-key")];
            let given = fields.iter().map(|(name, value)| (*name, value.as_str())).chain(who);
            let text = if as_json {
                let members: serde_json::Map<String, Value> = given.map(|(name, value)| (name.to_owned(), json!(value))).collect();
                Value::from(members).to_string()
            } else {
                given.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
            };
            for path in PATHS.into_iter().take(5) {
                let (status, body) = world.ask(THB, path, &text).await;
                prop_assert!(status < 500 && body.is_object(), "{} {}", status, body);
            }
            prop_assert_eq!(world.memory.changes(), changes);
            Ok(())
        })?;
    }

    /// Whatever amount is asked for in whatever spelling, twice: what moves is what was accepted, once.
    #[test]
    fn a_payout_moves_what_was_accepted(
        amount in "[0-9]{1,7}(\\.[0-9]{0,3})?|[-+0-9.,eE]{0,8}",
        name in "[A-Za-z0-9._:-]{1,70}|\\PC{0,8}",
    ) {
        runtime().block_on(async {
            let world = World::new().await;
            let before = world.available(THB).await;
            let text = payout(THB, &[("transaction_amount", &amount), ("transaction_code", &name)]);
            let mut accepted = 0;
            for _ in 0..2 {
                accepted += u32::from(world.ask(THB, PAYOUT, &text).await.0 == 200);
                world.gateway.finish_calls().await;
            }
            prop_assert!(accepted <= 1);
            prop_assert_eq!(world.supplier.payouts.load(Ordering::SeqCst), u64::from(accepted));
            let moved = before - world.available(THB).await;
            prop_assert!(accepted == 1 || moved == 0, "{} moved", moved);
            prop_assert!(world.memory.audit().is_ok());
            Ok(())
        })?;
    }

    #[test]
    fn a_deposit_credits_once(amount in 100_u32..9_000_000, presses in 1..4_usize) {
        runtime().block_on(async {
            let world = World::new().await;
            let before = world.available(THB).await;
            let text = deposit(THB, &[("transaction_amount", &format!("{}.{:02}", amount / 100, amount % 100))]);
            prop_assert_eq!(world.open_page(THB, &text).await.status(), 302);
            for _ in 0..presses {
                world.press(THB, "ORD-1001", gateway::ports::Moment::PressedPay).await;
            }
            let fee = i64::from(amount.div_ceil(100));
            prop_assert_eq!(world.available(THB).await - before, i64::from(amount) - fee);
            Ok(())
        })?;
    }

    /// A key that is edited anywhere is refused, or says something that is refused.
    #[test]
    fn an_edited_key_moves_nothing(place: prop::sample::Index, bit in 0..8_u8) {
        runtime().block_on(async {
            let world = World::new().await;
            let text = payout(THB, &[]);
            let mut blocks = crate::s88pay::sign::read(&cipher(THB).encrypt(&text)).expect("blocks");
            let place = place.index(blocks.len());
            blocks[place] ^= 1 << bit;
            let key = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, &blocks);
            let body = json!({ "key": key }).to_string();
            let changes = world.memory.changes();
            let answer = world.send(post(&PAYOUT.replace("{}", THB), body)).await;
            prop_assert!(answer.status() == 401 || answer.status() == 400, "{:?}", answer);
            prop_assert_eq!(world.memory.changes(), changes);
            Ok(())
        })?;
    }

    #[test]
    fn any_path_is_owned_or_not(path in "/?[ -~]{0,60}|/api/[A-Za-z0-9/]{0,40}") {
        prop_assert!(!Served::owns(&path) || path.contains("v") || path.contains("sub-bank"));
    }
}
