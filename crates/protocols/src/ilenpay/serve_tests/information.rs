//! Rates and operators.

use domain::{Command, ProductStatus};
use serde_json::json;

use super::world::{World, said};
use crate::ilenpay::NAME;

/// The reference's own sample (section 4.3).
#[tokio::test]
async fn a_price_is_what_a_collection_would_cost() {
    let world = World::new().await;
    let changes = world.memory.changes();
    let (_, data) = world.get("/v1/info/harga?operator=telkomsel&nominal=20000").await;
    let expected = json!({
        "respon": "sukses", "operator": "telkomsel", "rate": "0.82", "nominal": "20000",
        "total_tf": "25000",
    });
    assert_eq!(data, expected);
    let (_, data) = world.get("/v1/info/harga/?nominal=15000&operator=xl&more=1").await;
    assert_eq!(data["total_tf"], "20000");
    assert_eq!(world.memory.changes(), changes);
}

#[tokio::test]
async fn a_price_of_no_operator_is_none() {
    let world = World::new().await;
    for query in ["", "?nominal=20000", "?operator=indosat&nominal=1", "?operator=P001&nominal=1"] {
        let (status, data) = world.get(&format!("/v1/info/harga{query}")).await;
        assert_eq!((status, said(&data).as_str()), (200, "Operator tidak tersedia"), "{query}");
    }
    let (_, data) = world.get("/v1/info/harga?operator=xl").await;
    assert_eq!(said(&data), "Nominal tidak valid");
}

#[tokio::test]
async fn operators_are_listed_with_their_rates() {
    let world = World::new().await;
    let product = world.gateway.catalogue().product_by_code(NAME, "tri").cloned();
    let product = (*product.expect("an operator")).clone();
    let product = domain::Product { status: ProductStatus::Inactive, ..product };
    world.change(vec![Command::PutProduct(product)]).await;
    let (_, data) = world.get("/v1/info/server").await;
    let expected = json!([
        {"operator": "smartfren", "rate": "0.78", "status": "online"},
        {"operator": "telkomsel", "rate": "0.82", "status": "online"},
        {"operator": "tri", "rate": "0.80", "status": "offline"},
        {"operator": "xl", "rate": "0.80", "status": "online"},
    ]);
    assert_eq!(data, expected);
    let (_, data) = world.get("/v1/info/server?operator=telkomsel").await;
    assert_eq!(data, expected[1]);
    let (_, data) = world.get("/v1/info/server?operator=indosat").await;
    assert_eq!(said(&data), "Operator tidak tersedia");
}
