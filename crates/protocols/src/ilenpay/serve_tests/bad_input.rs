//! Amounts in every wrong spelling. Whatever is not plain digits is refused, signed or not.

use http::Method;

use super::world::{API_KEY, OPEN, World, new, request, said};
use crate::feed::amount::tests::WRONG;

/// What is read elsewhere and not here: an amount is signed as it was sent, so it has one spelling.
const WRONG_HERE: [&str; 12] = [
    "10000.00",
    "1000.0",
    "010000",
    "1000;",
    "9223372036854775807",
    "1E3",
    "\t1000",
    "1000\n",
    "inf",
    "0x10",
    "1_000",
    "1000001",
];

#[tokio::test]
async fn amounts_are_plain_digits() {
    let world = World::new().await;
    let changes = world.memory.changes();
    for nominal in WRONG_HERE.iter().chain(WRONG) {
        let request = new("direct", nominal, "INV-1");
        assert_eq!(
            world.refused(OPEN, &request.pairs()).await,
            "Nominal tidak valid",
            "{nominal:?}"
        );
    }
    assert_eq!(world.memory.changes(), changes);
}

#[tokio::test]
async fn amounts_in_json_are_whole_numbers_or_plain_digits() {
    let world = World::new().await;
    let changes = world.memory.changes();
    for nominal in ["10000.0", "1e4", "-10000", "true", "null", "[10000]", "{}", "\"1e4\"", "0"] {
        let fields = new("direct", "10000", "INV-1");
        let rest: Vec<_> = fields
            .pairs()
            .into_iter()
            .filter(|(name, _)| *name != "nominal")
            .map(|(name, value)| format!("{}:{}", quoted(name), quoted(value)))
            .collect();
        let body = format!("{{{},\"nominal\":{nominal}}}", rest.join(","));
        let (status, data) = world.data(request(Method::POST, OPEN, API_KEY, body)).await;
        assert_eq!((status, said(&data).as_str()), (200, "Nominal tidak valid"), "{nominal}");
    }
    assert_eq!(world.memory.changes(), changes);
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[tokio::test]
async fn prices_are_as_strict() {
    let world = World::new().await;
    for nominal in ["", "0", "-1", "1.5", "01", "1000001", "%20100"] {
        let path = format!("/v1/info/harga?operator=telkomsel&nominal={nominal}");
        let (status, data) = world.get(&path).await;
        assert_eq!((status, said(&data).as_str()), (200, "Nominal tidak valid"), "{nominal}");
    }
}
