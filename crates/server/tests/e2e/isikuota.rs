//! A shop buys and pays with an unmodified isikuota client.

use serde_json::{Value, json};

use crate::harness::{Sandbox, lunas, wait_until};
use crate::iak_client::OPENING_BALANCE;
use crate::isikuota_client::{asked, balance, hmac, order, send, status, testing};

const NUMBER: &str = "8801234567890";

/// The callbacks that the sandbox caught of the orders under this reference.
fn caught(sandbox: &Sandbox, ref_id: &str) -> Vec<Value> {
    let answer = sandbox.get(&format!("/sandbox/callbacks?reference={ref_id}"));
    answer.json()["items"].as_array().unwrap().clone()
}

/// The one callback of this order, once it was caught. Its signature covers its bytes.
fn told(sandbox: &Sandbox, ref_id: &str) -> Value {
    wait_until("the callback is caught", || !caught(sandbox, ref_id).is_empty());
    let [callback] = &caught(sandbox, ref_id)[..] else { panic!("more than one of {ref_id}") };
    let body = callback["body"].as_str().unwrap();
    assert_eq!(callback["headers"]["x-signature"], hmac(body.as_bytes()), "{callback}");
    assert_eq!(callback["headers"]["x-type-transaction"], "ppob");
    callback["json"].clone()
}

#[test]
fn a_bill_is_asked_for_and_paid_once() {
    let sandbox = Sandbox::start(&[]);
    let inquiry = order(&sandbox, asked("inquiry", "MPBPJS", NUMBER, "BILL-1"));
    assert_eq!((inquiry.http, inquiry.code()), (200, "BILL_INQUIRY_SUCCESS"), "{inquiry:?}");
    let total = inquiry.data("total").as_i64().unwrap();
    let owed = inquiry.data("tagihan").as_i64().unwrap();
    assert_eq!((inquiry.data("admin"), total), (&json!(2700), owed + 2700));
    assert!(inquiry.data("desc")["jumlah_peserta"].is_string(), "{inquiry:?}");
    assert_eq!(balance(&sandbox), OPENING_BALANCE);

    let payment = order(&sandbox, asked("pay-pasca", "MPBPJS", NUMBER, "BILL-1"));
    assert_eq!((payment.http, payment.code()), (200, "BILL_PAYMENT_SUCCESS"), "{payment:?}");
    assert_eq!(payment.data("status"), "success");
    assert_eq!(payment.data("total"), &json!(total));
    assert_eq!(balance(&sandbox), OPENING_BALANCE - total);
    let again = order(&sandbox, asked("pay-pasca", "MPBPJS", NUMBER, "BILL-1"));
    assert_eq!(again, payment, "a repeat shows what was paid");

    let news = told(&sandbox, "BILL-1");
    assert_eq!(
        (&news["event"], &news["data"]["status"]),
        (&json!("order.success"), &json!("Success"))
    );
    assert_eq!(news["data"]["sn"], *payment.data("sn"));
    assert_eq!(news["data"]["price"], total);
    assert_eq!(sandbox.book().len(), 1);
    sandbox.verify();
}

#[test]
fn credit_and_vouchers_are_bought_once() {
    let sandbox = Sandbox::start(&[]);
    let mut left = OPENING_BALANCE;
    let table = [
        ("prepaid", "TSEL21", "081298765432", 21_425, "Telkomsel 21.000"),
        ("game", "ML86", "12345678/2001", 19_400, "Mobile Legends 86 Diamonds"),
    ];
    for (command, code, number, price, name) in table {
        let first = order(&sandbox, asked(command, code, number, command));
        assert_eq!((first.http, first.code()), (200, "ORDER_SUCCESS"), "{first:?}");
        assert_eq!((first.data("status"), first.data("name")), (&json!("Success"), &json!(name)));
        assert!(!first.data("sn").as_str().unwrap().is_empty());
        left -= price;
        assert_eq!(balance(&sandbox), left);
        assert_eq!(order(&sandbox, asked(command, code, number, command)), first);
        assert_eq!(balance(&sandbox), left, "a repeat costs nothing");

        let news = told(&sandbox, command);
        assert_eq!(news["event"], "order.success");
        assert_eq!(news["data"]["product_code"], code);
        assert_eq!(news["data"]["customer_number"], number);
        assert_eq!(news["data"]["sn"], *first.data("sn"));
    }
    for (command, code) in [("game", "TSEL21"), ("prepaid", "ML86"), ("prepaid", "MPBPJS")] {
        let other = order(&sandbox, asked(command, code, "081298765432", "OTHER"));
        assert_eq!((other.http, other.code()), (404, "PRODUCT_NOT_FOUND"), "{command} {code}");
    }
    let unnamed = json!({ "cmd": "prepaid", "code": "TSEL21", "customer_no": "081298765432" });
    let unnamed = order(&sandbox, unnamed);
    assert!(unnamed.data("ref_id").as_str().unwrap().starts_with("TRX"), "{unnamed:?}");
    assert_eq!(sandbox.book().len(), 3);
    sandbox.verify();
}

#[test]
fn test_mode_moves_no_money_and_has_names_of_its_own() {
    let sandbox = Sandbox::start(&[]);
    let table = [
        (asked("prepaid", "TSEL21", "081298760037", "T-1"), "ORDER_SUCCESS", "1234-5678-9012-3456"),
        (asked("game", "ML86", "1/2", "T-2"), "ORDER_SUCCESS", "1234-5678-9012-3456"),
        (asked("inquiry", "MPBPJS", NUMBER, "T-3"), "BILL_INQUIRY_SUCCESS", ""),
        (asked("pay-pasca", "MPBPJS", NUMBER, "T-3"), "BILL_PAYMENT_SUCCESS", "S1234554321N"),
    ];
    for (request, code, sn) in table {
        let tested = order(&sandbox, testing(request.clone()));
        assert_eq!(tested.code(), code, "{request}");
        assert_eq!(tested.data("sn").as_str().unwrap_or_default(), sn, "{request}");
    }
    assert_eq!(balance(&sandbox), OPENING_BALANCE);
    let live = order(&sandbox, asked("pay-pasca", "MPBPJS", NUMBER, "T-3"));
    assert_eq!((live.http, live.code()), (404, "INQUIRY_NOT_FOUND"));
    assert_eq!(status(&sandbox, "T-1").code(), "TRANSACTION_NOT_FOUND");
    let bought = order(&sandbox, asked("prepaid", "TSEL21", "081298765432", "T-1"));
    assert_eq!((bought.code(), balance(&sandbox)), ("ORDER_SUCCESS", OPENING_BALANCE - 21_425));
    sandbox.verify();
}

#[test]
fn a_session_lasts_five_minutes_by_the_sandboxs_clock() {
    let sandbox = Sandbox::start(&[]);
    for (ref_id, later, http, code) in
        [("IN-TIME", 290, 200, "BILL_PAYMENT_SUCCESS"), ("LATE", 300, 410, "INQUIRY_EXPIRED")]
    {
        order(&sandbox, asked("inquiry", "MPBPJS", NUMBER, ref_id));
        sandbox.control("/sandbox/clock", &json!({ "advance_seconds": later }));
        let before = balance(&sandbox);
        let payment = order(&sandbox, asked("pay-pasca", "MPBPJS", NUMBER, ref_id));
        assert_eq!((payment.http, payment.code()), (http, code), "{payment:?}");
        assert_eq!(balance(&sandbox) == before, http == 410);
    }
    assert_eq!(status(&sandbox, "LATE").code(), "TRANSACTION_NOT_FOUND");
    order(&sandbox, asked("inquiry", "MPBPJS", NUMBER, "LATE"));
    let renewed = order(&sandbox, asked("pay-pasca", "MPBPJS", NUMBER, "LATE"));
    assert_eq!(renewed.code(), "BILL_PAYMENT_SUCCESS", "asked again, it can be paid");
    sandbox.verify();
}

#[test]
fn what_fails_gives_everything_back() {
    let sandbox = Sandbox::start(&[]);
    let failed = order(&sandbox, asked("prepaid", "TSEL21", "081298760037", "FAILS-1"));
    assert_eq!((failed.http, failed.code()), (200, "ORDER_FAILED"));
    assert_eq!(failed.envelope["success"], false);
    assert_eq!((failed.data("status"), failed.data("sn")), (&json!("Failed"), &Value::Null));
    order(&sandbox, asked("inquiry", "MPBPJS", "8801234560037", "FAILS-2"));
    let failed = order(&sandbox, asked("pay-pasca", "MPBPJS", "8801234560037", "FAILS-2"));
    assert_eq!((failed.code(), failed.data("status")), ("BILL_PAYMENT_FAILED", &json!("failed")));
    for ref_id in ["FAILS-1", "FAILS-2"] {
        let news = told(&sandbox, ref_id);
        assert_eq!((&news["event"], &news["data"]["sn"]), (&json!("order.failed"), &json!("")));
    }
    assert_eq!(balance(&sandbox), OPENING_BALANCE);
    sandbox.verify();
}

#[test]
fn what_is_pending_waits_for_a_person() {
    let sandbox = Sandbox::start(&[]);
    let mut left = OPENING_BALANCE;
    for (ref_id, verdict, code, event, price) in [
        ("WAITS-1", "success", "ORDER_SUCCESS", "order.success", 21_425),
        ("WAITS-2", "failed", "ORDER_FAILED", "order.failed", 0),
    ] {
        let request = || asked("prepaid", "TSEL21", "081298760039", ref_id);
        let pending = order(&sandbox, request());
        assert_eq!((pending.code(), pending.data("status")), ("ORDER_PENDING", &json!("Pending")));
        assert_eq!(balance(&sandbox), left - 21_425);
        assert_eq!(caught(&sandbox, ref_id), Vec::<Value>::new(), "nothing is certain yet");
        sandbox.verify();

        let output = sandbox.resolve(ref_id, verdict);
        assert!(output.status.success(), "{output:?}");
        left -= price;
        assert_eq!(balance(&sandbox), left);
        assert_eq!(order(&sandbox, request()).code(), code, "a repeat tells how it stands");
        assert_eq!(
            status(&sandbox, ref_id).data("status"),
            &told(&sandbox, ref_id)["data"]["status"]
        );
        assert_eq!(told(&sandbox, ref_id)["event"], event);
        assert!(!sandbox.resolve(ref_id, verdict).status.success(), "only once");
    }
    sandbox.verify();
}

#[test]
fn products_are_listed_at_the_prices_they_are_sold_for() {
    let sandbox = Sandbox::start(&[]);
    let list = |request| send(&sandbox, "/v1/products", request).envelope["data"].clone();
    for (kind, code, price) in [("prepaid", "TSEL21", 21_425), ("game", "ML86", 19_400)] {
        let listed = list(json!({ "type": kind }));
        let listed = listed.as_array().unwrap();
        assert!(listed.len() > 3 && listed.iter().all(|it| it["type"] == kind), "{kind}");
        let entry = listed.iter().find(|it| it["code"] == code).unwrap();
        assert_eq!((&entry["price"], &entry["status"]), (&json!(price), &json!("active")));
    }
    let bill = list(json!({ "code": "MPBPJS" }));
    assert_eq!((&bill[0]["type"], &bill[0]["admin"]), (&json!("pascabayar"), &json!(2700)));
    assert_eq!(send(&sandbox, "/v1/nonsense", json!({})).code(), "NOT_FOUND");
}

/// What `lunas sign isikuota` prints.
fn signed(arguments: &[&str]) -> String {
    let output = lunas().args(["sign", "isikuota"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_the_command_line_signs_is_accepted_and_taken_apart() {
    let sandbox = Sandbox::start(&[]);
    let table: [(&str, &[&str], &str); 7] = [
        ("/v1/balance", &["balance"], "SUCCESS"),
        ("/v1/order", &["prepaid", "TSEL21", "081298765432"], "ORDER_SUCCESS"),
        ("/v1/order", &["game", "ML86", "1/2", "--testing"], "ORDER_SUCCESS"),
        ("/v1/order", &["inquiry", "MPBPJS", NUMBER, "--ref-id", "S-1"], "BILL_INQUIRY_SUCCESS"),
        ("/v1/order", &["pay-pasca", "MPBPJS", NUMBER, "S-1"], "BILL_PAYMENT_SUCCESS"),
        ("/v1/products", &["products", "--type", "game"], "SUCCESS"),
        ("/v1/status", &["status", "S-1"], "SUCCESS"),
    ];
    for (path, arguments, code) in table {
        let answer = sandbox.post(path, "application/json", signed(arguments).as_bytes());
        assert_eq!(answer.json()["code"], code, "{arguments:?}: {}", answer.body);
    }
    sandbox.control("/sandbox/clock", &json!({ "advance_seconds": 3600 }));
    let stale = sandbox.post("/v1/balance", "application/json", signed(&["balance"]).as_bytes());
    assert_eq!(stale.json()["code"], "TIMESTAMP_EXPIRED");

    for (secret, verdict, code) in
        [("sk_live_Zx81mQpT", "VALID", 0), ("ak_live_7f3c9d2e", "WRONG", 1)]
    {
        let file = sandbox.data.path().join("body.json");
        std::fs::write(&file, signed(&["balance", "--secret-key", secret])).unwrap();
        let output = lunas()
            .args(["verify-sign", "isikuota", "--language", "en"])
            .arg(&file)
            .output()
            .unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{told}");
        assert!(told.contains(verdict), "{told}");
        assert_eq!(told.contains("the api_key was used in place of the secret_key"), code == 1);
    }
}
