//! One merchant calls by two protocols: there is one balance, and one product for the same bill.

use serde_json::{Value, json};

use crate::harness::{Sandbox, lunas, request};
use crate::iak_client::{OPENING_BALANCE, inquiry_body, pay, send, top_up_body};
use crate::isikuota_client::{asked, balance, order};

const NUMBER: &str = "8801234560000";

fn listed(sandbox: &Sandbox) -> Vec<Value> {
    let headers = [("authorization", "Bearer sandbox-operator")];
    let page = request(sandbox.url(), "GET", "/admin/v1/orders", &headers, "");
    page.json()["items"].as_array().unwrap().clone()
}

/// Pays the health insurance of [`NUMBER`] by IAK and gives what was charged for it.
fn pay_by_iak(sandbox: &Sandbox) -> i64 {
    let mut body = inquiry_body("BPJS", NUMBER, "IAK-1");
    body["month"] = json!("1");
    let inquiry = send(sandbox, &body);
    assert_eq!(inquiry.code(), "00", "{inquiry:?}");
    let payment = pay(sandbox, inquiry.number("tr_id"));
    assert_eq!(payment.code(), "00", "{payment:?}");
    payment.number("selling_price")
}

/// The same by isikuota.
fn pay_by_isikuota(sandbox: &Sandbox) -> i64 {
    order(sandbox, asked("inquiry", "MPBPJS", NUMBER, "ISIKUOTA-1"));
    let payment = order(sandbox, asked("pay-pasca", "MPBPJS", NUMBER, "ISIKUOTA-1"));
    assert_eq!(payment.code(), "BILL_PAYMENT_SUCCESS", "{payment:?}");
    payment.data("total").as_i64().unwrap()
}

#[test]
fn both_protocols_draw_on_one_balance_and_pay_for_one_product() {
    let sandbox = Sandbox::start(&[]);
    let by_iak = pay_by_iak(&sandbox);
    assert_eq!(balance(&sandbox), OPENING_BALANCE - by_iak);
    let by_isikuota = pay_by_isikuota(&sandbox);
    assert_eq!(balance(&sandbox), OPENING_BALANCE - by_iak - by_isikuota);

    let orders = listed(&sandbox);
    let shown: Vec<_> = orders.iter().map(|it| json!([it["protocol"], it["code"]])).collect();
    assert_eq!(json!(shown), json!([["isikuota", "MPBPJS"], ["iak", "BPJS"]]));
    for it in &orders {
        assert_eq!((&it["product"], &it["merchant"]), (&json!("bpjs-health"), &json!(1)), "{it}");
    }
    let list = ["order", "list", "--json", "--server", sandbox.url()];
    let printed = lunas().args(list).output().unwrap();
    assert!(printed.status.success(), "{printed:?}");
    assert_eq!(serde_json::from_slice::<Vec<Value>>(&printed.stdout).unwrap(), orders);
    sandbox.verify();
}

/// The same reference in two protocols names two orders.
#[test]
fn a_reference_belongs_to_its_protocol() {
    let sandbox = Sandbox::start(&[]);
    let bought = order(&sandbox, asked("prepaid", "XL25", "081712345678", "SAME-1"));
    assert_eq!(bought.code(), "ORDER_SUCCESS", "{bought:?}");
    let body = top_up_body("xld25000", "081712345678", "SAME-1").to_string();
    let answer = sandbox.post("/api/top-up", "application/json", body.as_bytes());
    assert_eq!(answer.json()["data"]["rc"], "39", "{answer:?}");
    assert_eq!(balance(&sandbox), OPENING_BALANCE - 25_150 - 25_100);
    let orders = listed(&sandbox);
    let products: Vec<_> = orders.iter().map(|it| it["product"].clone()).collect();
    assert_eq!(json!(products), json!(["xl-25000", "xl-25000"]));
    let ambiguous = sandbox.resolve("SAME-1", "success");
    assert!(ambiguous.status.success(), "only one of them is open: {ambiguous:?}");
    sandbox.verify();
}
