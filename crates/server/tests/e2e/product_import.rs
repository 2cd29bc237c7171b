//! An operator keeps products and prices in a table: what it would change is told first, and a table
//! with a fault changes nothing.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::harness::{Sandbox, lunas};
use crate::iak_client::OPENING_BALANCE;
use crate::isikuota_client::{asked, balance, order};

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations/products.csv");

fn command(sandbox: &Sandbox, arguments: &[&str]) -> Output {
    lunas().args(arguments).args(["--server", sandbox.url()]).output().unwrap()
}

fn printed(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let output = command(sandbox, arguments);
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {problem}");
    String::from_utf8(output.stdout).unwrap()
}

fn catalogue(sandbox: &Sandbox) -> String {
    printed(sandbox, &["product", "list", "--json"])
}

fn written(sandbox: &Sandbox, table: &str) -> String {
    let file = sandbox.data.path().join("products.csv");
    std::fs::write(&file, table).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn the_example_is_told_and_then_put() {
    assert!(Path::new(EXAMPLE).exists());
    let sandbox = Sandbox::start(&[]);
    let before = catalogue(&sandbox);
    let told = printed(&sandbox, &["product", "import", EXAMPLE]);
    for part in [
        "Baru · added: xl-50000\n",
        "Diubah · changed: telkomsel-10000\n  price:grosir: - → 10400\n",
        "Tetap · unchanged: bpjs-health\n",
        "nothing was changed; --apply: 4",
    ] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    assert!(!told.contains("BELOW COST"), "{told}");
    assert_eq!(catalogue(&sandbox), before, "only told");
    let unknown = order(&sandbox, asked("prepaid", "XL50", "081712345678", "CSV-1"));
    assert_eq!(unknown.code(), "PRODUCT_NOT_FOUND");

    let put = printed(&sandbox, &["product", "import", EXAMPLE, "--apply"]);
    assert!(put.contains("Dimuat · put: 4"), "{put}");
    let again = printed(&sandbox, &["product", "import", EXAMPLE, "--json"]);
    let again: Value = serde_json::from_str(&again).unwrap();
    let products = again["products"].as_array().unwrap();
    assert!(products.iter().all(|it| it["what"] == "unchanged"), "{again}");
    let bought = order(&sandbox, asked("prepaid", "XL25", "081712345678", "CSV-2"));
    assert_eq!((bought.code(), balance(&sandbox)), ("ORDER_SUCCESS", OPENING_BALANCE - 25_150));
    let shown = printed(&sandbox, &["product", "show", "xl-50000"]);
    assert!(shown.contains("Harga · price: retail isikuota 49950"), "{shown}");
    sandbox.verify();
}

#[test]
fn a_new_price_holds_from_the_next_order_on_and_selling_below_cost_is_named() {
    let sandbox = Sandbox::start(&[]);
    let table = "product;price:retail:isikuota\nxl-25000;24000\n";
    let put = printed(&sandbox, &["product", "import", &written(&sandbox, table), "--apply"]);
    assert!(put.contains("BELOW COST: xl-25000 retail isikuota: 24000 < 24900"), "{put}");
    order(&sandbox, asked("prepaid", "XL25", "081712345678", "CHEAP-1"));
    assert_eq!(balance(&sandbox), OPENING_BALANCE - 24_000);
    let price = ["product", "price", "xl-25000", "--amount", "25200", "--protocol", "isikuota"];
    assert!(printed(&sandbox, &price).contains("retail isikuota 25200"));
    order(&sandbox, asked("prepaid", "XL25", "081712345678", "DEAR-1"));
    assert_eq!(balance(&sandbox), OPENING_BALANCE - 24_000 - 25_200);
    sandbox.verify();
}

#[test]
fn a_table_with_a_fault_changes_nothing() {
    let sandbox = Sandbox::start(&[]);
    let before = catalogue(&sandbox);
    let table = "product,cost,active_days\nxl-25000,24950,30\nxl-10000,10.700,x\n";
    let file = written(&sandbox, table);
    let output = command(&sandbox, &["product", "import", &file, "--apply"]);
    let problem = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{problem}");
    for place in ["line 3, kolom · column 2: cost: ", "line 3, kolom · column 3: active_days: "] {
        assert!(problem.contains(place), "{place} is not in {problem}");
    }
    assert_eq!(catalogue(&sandbox), before);
}

/// A change of a part keeps what else a product has.
#[test]
fn a_top_up_stays_one_whatever_is_changed() {
    let sandbox = Sandbox::start(&[]);
    printed(&sandbox, &["product", "code", "xl-25000", "isikuota:XL25K"]);
    let bought = order(&sandbox, asked("prepaid", "XL25K", "081712345678", "KEPT-1"));
    assert_eq!((bought.code(), balance(&sandbox)), ("ORDER_SUCCESS", OPENING_BALANCE - 25_150));
    let both = ["product", "price", "xl-25000", "--admin-fee", "1", "--commission", "0"];
    let refused = String::from_utf8(command(&sandbox, &both).stderr).unwrap();
    assert!(refused.contains("PRODUCT_CONTRADICTORY"), "{refused}");
}
