//! A merchant pays bills with an unmodified IAK client.

use serde_json::json;

use crate::harness::{Sandbox, wait_until};
use crate::iak_client::{
    OPENING_BALANCE, PATH, USERNAME, balance, inquire, inquired, pay, send, sign, status,
};

#[test]
fn a_bill_is_inquired_and_paid_once() {
    let sandbox = Sandbox::start(&[]);
    let inquiry = inquire(&sandbox, "PLNPOSTPAID", "530000000000", "INV2024000001");
    let names: Vec<_> = inquiry.value.as_object().unwrap().keys().cloned().collect();
    let tr_id = inquiry.number("tr_id");
    assert!((1_000_000_000..1_600_000_000).contains(&tr_id));
    for (field, expected) in [
        ("code", json!("PLNPOSTPAID")),
        ("hp", json!("530000000000")),
        ("tr_name", json!("PELANGGAN SATU")),
        ("nominal", json!(150_000)),
        ("admin", json!(2500)),
        ("ref_id", json!("INV2024000001")),
        ("response_code", json!("00")),
        ("message", json!("INQUIRY SUCCESS")),
        ("price", json!(152_500)),
        ("selling_price", json!(151_900)),
    ] {
        assert_eq!(inquiry.value[field], expected, "{field}");
    }
    assert_eq!(names.len(), 13, "{names:?}");
    assert_eq!(inquiry.value["desc"]["tarif"], "R1");
    assert_eq!(inquiry.value["desc"]["tagihan"]["detail"][0]["total"], 152_500);

    let payment = pay(&sandbox, tr_id);
    assert_eq!(payment.code(), "00", "{payment:?}");
    assert_eq!(payment.value["message"], "PAYMENT SUCCESS");
    assert_eq!(payment.number("balance"), OPENING_BALANCE - 151_900);
    assert_eq!(payment.value["noref"].as_str().unwrap().len(), 32);
    assert_eq!(payment.value["desc"]["lembar_tagihan_sisa"], 0);
    assert_eq!(payment.value["datetime"].as_str().unwrap().len(), 14);

    let again = pay(&sandbox, tr_id);
    assert_eq!(again.code(), "01");
    let state = status(&sandbox, "INV2024000001");
    assert_eq!((state.code(), state.number("status")), ("00", 1));
    assert_eq!(state.number("balance"), OPENING_BALANCE - 151_900);
    assert_eq!(state.value["noref"], payment.value["noref"]);

    let sold = sandbox.book();
    assert_eq!(sold.len(), 1);
    sandbox.verify();
}

#[test]
fn a_failed_payment_releases_its_hold() {
    let sandbox = Sandbox::start(&[]);
    let tr_id = inquired(&sandbox, "530000001037", "FAILS-1");
    let payment = pay(&sandbox, tr_id);
    assert_eq!(payment.code(), "37");
    assert_eq!(payment.value["message"], "PEMBAYARAN GAGAL");
    assert_eq!(payment.number("balance"), OPENING_BALANCE);
    assert_eq!(status(&sandbox, "FAILS-1").number("status"), 2);
    assert_eq!(pay(&sandbox, tr_id).code(), "38");
    assert_eq!(balance(&sandbox, "FAILS-2"), OPENING_BALANCE);
    sandbox.verify();
}

#[test]
fn a_pending_payment_waits_for_a_person() {
    let sandbox = Sandbox::start(&[]);
    for (ref_id, verdict, code, number, charged) in
        [("WAITS-1", "success", "00", 1, true), ("WAITS-2", "failed", "37", 2, false)]
    {
        let before = balance(&sandbox, &format!("BEFORE-{ref_id}"));
        let tr_id = inquired(&sandbox, "530000001039", ref_id);
        let payment = pay(&sandbox, tr_id);
        assert_eq!(payment.code(), "39", "{payment:?}");
        let charge = payment.number("selling_price");
        assert_eq!(payment.number("balance"), before - charge);
        assert_eq!(pay(&sandbox, tr_id).code(), "39");
        let pending = status(&sandbox, ref_id);
        assert_eq!((pending.code(), pending.number("status")), ("39", 3));
        assert_eq!(pending.value["message"], "PENDING / TRANSAKSI SEDANG DIPROSES");
        assert!(pending.value.get("datetime").is_none());
        sandbox.verify();

        let output = sandbox.resolve(ref_id, verdict);
        assert!(output.status.success(), "{output:?}");
        let resolved = status(&sandbox, ref_id);
        assert_eq!((resolved.code(), resolved.number("status")), (code, number));
        let expected = if charged { before - charge } else { before };
        assert_eq!(resolved.number("balance"), expected);
        assert!(!sandbox.resolve(ref_id, verdict).status.success(), "only once");
    }
    sandbox.verify();
}

#[test]
fn a_quote_is_paid_on_its_own_day_only() {
    let sandbox = Sandbox::start(&[]);
    sandbox.control("/sandbox/clock", &json!({ "now": "2024-01-31T16:59:00Z" }));
    let tr_id = inquired(&sandbox, "530000000000", "DAY-1");
    let late = inquired(&sandbox, "530000000000", "DAY-2");
    assert_eq!(pay(&sandbox, tr_id).code(), "00");
    sandbox.control("/sandbox/clock", &json!({ "now": "2024-01-31T17:00:00Z" }));
    assert_eq!(pay(&sandbox, late).code(), "04");
    assert_eq!(status(&sandbox, "DAY-2").code(), "42");
    sandbox.verify();
}

#[test]
fn both_schemes_of_test_numbers_can_be_chosen() {
    let new = Sandbox::start(&[]);
    let old = Sandbox::start(&["--iak-numbers", "old"]);
    let bpjs = |sandbox: &Sandbox| {
        let body = json!({ "commands": "inq-pasca", "username": USERNAME, "code": "BPJS",
            "hp": "8801234560001", "month": "1", "ref_id": "SCHEME-1", "sign": sign("SCHEME-1") });
        send(sandbox, &body).code().to_owned()
    };
    assert_eq!(bpjs(&new), "01");
    assert_eq!(bpjs(&old), "00");
    let tr_id = inquired(&old, "530000000006", "SCHEME-2");
    assert_eq!(pay(&old, tr_id).code(), "37");
}

#[test]
fn the_price_list_is_served_by_type_and_province() {
    let sandbox = Sandbox::start(&[]);
    let list = |path: &str, province: Option<&str>| {
        let mut body = json!({ "commands": "pricelist-pasca", "username": USERNAME,
            "status": "all", "sign": sign("pl") });
        if let Some(province) = province {
            body["province"] = json!(province);
        }
        let answer = sandbox.post(path, "application/json", body.to_string().as_bytes());
        answer.json()["data"]["pasca"].as_array().unwrap().clone()
    };
    let all = list(PATH, None);
    assert!(all.len() > 20);
    assert!(all.iter().any(|item| item["code"] == "PLNNONTAG"));
    let water = list(&format!("{PATH}/pdam"), None);
    assert!(!water.is_empty() && water.iter().all(|item| item["type"] == "pdam"));
    let west = list(&format!("{PATH}/pdam"), Some("jawa barat"));
    assert!(!west.is_empty() && west.len() < water.len());
    assert!(west.iter().all(|item| item["province"] == "Jawa Barat"));
    assert!(list(&format!("{PATH}/nonsense"), None).is_empty());
}

#[test]
fn xml_is_answered_in_xml() {
    let sandbox = Sandbox::start(&[]);
    let request = format!(
        "<?xml version=\"1.0\" ?><mp><commands>inq-pasca</commands><username>{USERNAME}</username>\
         <code>TVBIG</code><hp>1072160000</hp><ref_id>XML-1</ref_id><sign>{}</sign></mp>",
        sign("XML-1")
    );
    let answer =
        sandbox.post(&format!("{PATH}/"), "application/xml; charset=utf-8", request.as_bytes());
    assert_eq!(answer.status, 200);
    assert!(answer.content_type.starts_with("application/xml"), "{}", answer.content_type);
    for part in ["<mp>", "<code>TVBIG</code>", "<response_code>00</response_code>", "<tagihan/>"] {
        assert!(answer.body.contains(part), "{part} in {}", answer.body);
    }
}

#[test]
fn everything_is_still_there_after_a_restart() {
    let mut sandbox = Sandbox::start(&[]);
    let paid = inquired(&sandbox, "530000000000", "KEPT-1");
    assert_eq!(pay(&sandbox, paid).code(), "00");
    let open = inquired(&sandbox, "530000000000", "KEPT-2");
    assert_eq!(sandbox.stop(), Some(0));
    sandbox.verify();
    sandbox.restart();
    assert_eq!(status(&sandbox, "KEPT-1").code(), "00");
    assert_eq!(pay(&sandbox, paid).code(), "01");
    assert_eq!(pay(&sandbox, open).code(), "00");
    assert_eq!(inquire(&sandbox, "PLNPOSTPAID", "530000000000", "KEPT-1").code(), "11");
    wait_until("the server is ready", || sandbox.get("/readyz").status == 200);
    sandbox.verify();
}
