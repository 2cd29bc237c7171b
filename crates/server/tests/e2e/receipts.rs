//! Receipts of paid bills: for the payer as a PDF, for the merchant's own printer as JSON.

use serde_json::json;

use crate::harness::Sandbox;
use crate::iak_client::{USERNAME, inquired, pay, sign};

#[test]
fn a_paid_bill_has_a_receipt() {
    let sandbox = Sandbox::start(&[]);
    let tr_id = inquired(&sandbox, "530000000000", "STRUK-1");
    let path = format!("/api/v1/download/{tr_id}");

    let unpaid = sandbox.get(&path);
    assert_eq!((unpaid.status, unpaid.content_type.as_str()), (200, "application/xml"));
    assert!(unpaid.body.starts_with("<mp><response_code>02</response_code>"), "{unpaid:?}");

    let payment = pay(&sandbox, tr_id);
    let raw = sandbox.get(&format!("{path}/1")).json();
    assert_eq!(raw["data"]["NO. RESI"], payment.value["noref"], "{raw}");
    assert_eq!(raw["data"]["ID PELANGGAN"], "530000000000");
    assert_eq!(raw["data"]["JUMLAH TAGIHAN"], "Rp 150.000");
    assert_eq!(raw["data"]["ADMIN"], "Rp 2.500");

    let (content_type, pdf) = sandbox.get_bytes(&path);
    assert_eq!(content_type, "application/pdf");
    assert!(pdf.starts_with(b"%PDF-"), "{} bytes", pdf.len());

    let own = json!({ "commands": "receipt-custom", "username": USERNAME,
        "tr_id": tr_id.to_string(), "raw": 1, "sign": sign("bc"),
        "custom": { "header": { "company_name": "TOKO SAYA",
            "company_address": "Jl. Mawar 1<br>Bandung" } } });
    let own = sandbox.post(
        "/api/v1/bill/download/custom",
        "application/json",
        own.to_string().as_bytes(),
    );
    assert_eq!(own.json()["data"]["ID PELANGGAN"], "530000000000", "{own:?}");
}

#[test]
fn numbers_that_nobody_has_bring_no_receipt() {
    let sandbox = Sandbox::start(&[]);
    for number in ["1", "1000000000", "999999999999999999999", "abc"] {
        let answer = sandbox.get(&format!("/api/v1/download/{number}"));
        assert_eq!(answer.status, 200, "{number}: {answer:?}");
        assert!(answer.body.contains("<response_code>06</response_code>"), "{number}: {answer:?}");
    }
}
