//! Whatever bytes a source signs, nothing panics, and what is refused changes nothing.

use bytes::Bytes;
use proptest::prelude::*;

use super::world::{BANK, JSON, World, read};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

fn holds(kind: &str, body: Vec<u8>) -> Result<(), TestCaseError> {
    runtime().block_on(async {
        let world = World::new().await;
        world.open(1, "A", "transfer").await;
        let changes = world.memory.changes();
        let request = world.signed(("bank", BANK), kind, Bytes::from(body));
        let (status, answer) = read(&world.send(request).await);
        prop_assert!(status == 200 || status == 422, "{}", answer);
        if status == 422 {
            prop_assert_eq!(world.memory.changes(), changes);
            prop_assert!(answer["line"].is_u64() && answer["column"].is_u64());
        }
        prop_assert!(world.memory.audit().is_ok());
        Ok(())
    })
}

/// A value of a field, honest or not.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        prop::sample::select(vec![
            "null",
            "true",
            "[]",
            "{}",
            "1e3",
            "10000",
            "\"10000.00\"",
            "\"2026-06-01 12:00:00\"",
            "\"2026-06-01T05:00:00Z\"",
            "\"1\"",
            "\"\"",
        ])
        .prop_map(str::to_owned),
    ]
}

fn row() -> impl Strategy<Value = String> {
    let name =
        prop::sample::select(vec!["id", "at", "amount", "sender", "reference", "balance", "x"]);
    let fields = prop::collection::vec((name, value()), 0..6);
    fields.prop_map(|fields| {
        let fields: Vec<_> =
            fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", fields.join(","))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bytes_are_too_strange(body: Vec<u8>, is_json: bool) {
        holds(if is_json { JSON } else { "text/csv" }, body)?;
    }

    #[test]
    fn no_rows_are_too_strange(rows in prop::collection::vec(row(), 0..4), cut: u16) {
        let mut body = format!("[{}]", rows.join(",")).into_bytes();
        holds(JSON, body.clone())?;
        let cut = usize::from(cut).checked_rem(body.len()).unwrap_or(0);
        body.truncate(cut);
        holds(JSON, body)?;
    }

    #[test]
    fn no_lines_are_too_strange(lines in prop::collection::vec("[0-9 :,;\"\r\né.-]{0,40}", 0..4)) {
        holds("text/csv", format!("at,amount\n{}\n", lines.join("\n")).into_bytes())?;
        holds("text/csv", format!("at;amount;id\n{}", lines.join("\n")).into_bytes())?;
    }
}
