//! `inquiry` and `pay-pasca`: the session, what each outcome answers, and that money moves once.

use domain::{Command, ProductStatus};
use serde_json::{Value, json};

use super::world::{
    Conditions, NOW, OTHER_API_ID, SECONDS, World, asked, inquiry, payment, products, signed_as,
    testing,
};

const TOTAL: i64 = 152_700;
/// How long a session lasts.
const LIFE: i64 = 300_000;

fn bill(status: &str, ref_id: &str) -> Value {
    json!({
        "ref_id": ref_id, "status": status, "customer_no": "8888801234567890",
        "customer_name": "Budi Contoh", "code": "MPBPJS", "tagihan": 150_000, "admin": 2700,
        "total": TOTAL, "created_at": "2026-05-29 03:26:40",
        "desc": {
            "jumlah_peserta": "3", "lembar_tagihan": 1, "alamat": "BANDUNG",
            "detail": [{ "periode": "06" }],
        },
    })
}

#[tokio::test]
async fn a_bill_is_asked_for_and_paid() {
    let world = World::new().await;
    let before = world.balance().await;
    let (status, envelope) = world.order(inquiry("INQ-7001")).await;
    assert_eq!((status, &envelope["code"]), (200, &json!("BILL_INQUIRY_SUCCESS")));
    assert_eq!(envelope["data"], bill("success", "INQ-7001"));
    assert_eq!(world.balance().await, before);
    world.set_clock(NOW + 100_000);
    let (status, envelope) = world.order(payment("INQ-7001")).await;
    assert_eq!((status, &envelope["code"]), (200, &json!("BILL_PAYMENT_SUCCESS")));
    let mut paid = bill("success", "INQ-7001");
    paid["sn"] = json!("BPJS99887766");
    paid["created_at"] = json!("2026-05-29 03:28:20");
    assert_eq!(envelope["data"], paid);
    assert_eq!(world.balance().await, before - TOTAL);
    world.memory.audit().expect("clean books");
}

#[tokio::test]
async fn a_payment_answers_what_it_came_to_and_so_does_its_repeat() {
    let table = [
        ("8888801234567890", true, "BILL_PAYMENT_SUCCESS", "success", json!("BPJS99887766"), TOTAL),
        ("8888801234560037", false, "BILL_PAYMENT_FAILED", "failed", Value::Null, 0),
        ("8888801234560039", true, "BILL_PAYMENT_PENDING", "pending", Value::Null, TOTAL),
        ("8888801234560030", true, "BILL_PAYMENT_SUCCESS", "success", Value::Null, TOTAL),
    ];
    for (number, success, code, status, sn, price) in table {
        let world = World::new().await;
        let before = world.balance().await;
        world.order(asked("inquiry", "MPBPJS", number, "R-1")).await;
        let pay = || asked("pay-pasca", "MPBPJS", number, "R-1");
        let first = world.order(pay()).await;
        assert_eq!((first.0, &first.1["success"]), (200, &json!(success)), "{}", first.1);
        assert_eq!(first.1["code"], code);
        assert_eq!((&first.1["data"]["status"], &first.1["data"]["sn"]), (&json!(status), &sn));
        assert_eq!(world.balance().await, before - price);
        // A repeat is answered as it stands, also after the session and when the product is off.
        let mut off = products().swap_remove(2);
        off.status = ProductStatus::Inactive;
        world.put(vec![Command::PutProduct(off)]).await;
        world.set_clock(NOW + 2 * LIFE);
        assert_eq!(world.order(pay()).await, first);
        assert_eq!((world.purchases(), world.balance().await), (1, before - price));
    }
}

#[tokio::test]
async fn a_session_lasts_five_minutes() {
    for (later, code) in [(LIFE - 1, "BILL_PAYMENT_SUCCESS"), (LIFE, "INQUIRY_EXPIRED")] {
        let world = World::new().await;
        world.order(inquiry("R-1")).await;
        world.set_clock(NOW + later);
        let changes = world.memory.changes();
        let (status, envelope) = world.order(payment("R-1")).await;
        assert_eq!(envelope["code"], code);
        if code == "INQUIRY_EXPIRED" {
            assert_eq!((status, world.memory.changes()), (410, changes));
            // Asking again makes it payable again, at what is owed then.
            *world.supplier.owed.lock().unwrap() = 160_000;
            let (_, envelope) = world.order(inquiry("R-1")).await;
            assert_eq!(envelope["data"]["total"], 162_700);
            assert_eq!(envelope["data"]["created_at"], "2026-05-29 03:31:40");
            let (_, envelope) = world.order(payment("R-1")).await;
            assert_eq!(envelope["code"], "BILL_PAYMENT_SUCCESS");
            assert_eq!(envelope["data"]["total"], 162_700);
            assert_eq!(world.balance().await, 1_250_000 - 162_700);
        }
    }
}

#[tokio::test]
async fn a_payment_has_to_match_its_inquiry() {
    let world = World::new().await;
    world.order(inquiry("R-1")).await;
    let changes = world.memory.changes();
    let others = [
        asked("pay-pasca", "MPBPJS", "8888801234567891", "R-1"),
        asked("pay-pasca", "MPPLN", "8888801234567890", "R-1"),
    ];
    for other in &others {
        let (status, envelope) = world.order(other.clone()).await;
        assert_eq!((status, &envelope["code"]), (422, &json!("INQUIRY_MISMATCH")), "{other}");
    }
    assert_eq!(world.code(payment("R-2")).await, "INQUIRY_NOT_FOUND");
    assert_eq!(world.code(testing(payment("R-1"))).await, "INQUIRY_NOT_FOUND");
    let body = signed_as(OTHER_API_ID, "sk_other", &SECONDS.to_string(), payment("R-1"));
    assert_eq!(world.post("/v1/order", &body).await.1["code"], "INQUIRY_NOT_FOUND");
    assert_eq!(world.memory.changes(), changes);
    assert_eq!(world.code(payment("R-1")).await, "BILL_PAYMENT_SUCCESS");
    // Once it is paid the reference means this payment and nothing else.
    for other in others.into_iter().chain([inquiry("R-1")]) {
        assert_eq!(world.code(other.clone()).await, "DUPLICATE_REF_ID", "{other}");
    }
}

#[tokio::test]
async fn an_inquiry_under_a_taken_reference_asks_the_same_or_is_refused() {
    let world = World::new().await;
    assert_eq!(world.code(inquiry("R-1")).await, "BILL_INQUIRY_SUCCESS");
    assert_eq!(world.code(inquiry("R-1")).await, "BILL_INQUIRY_SUCCESS");
    let other = asked("inquiry", "MPPLN", "8888801234567890", "R-1");
    assert_eq!(world.code(other).await, "DUPLICATE_REF_ID");
}

#[tokio::test]
async fn an_inquiry_that_brings_no_bill_leaves_the_reference_free() {
    let world = World::new().await;
    let changes = world.memory.changes();
    let table = [
        ("8888801234560014", 422, "BILL_NOT_FOUND"),
        ("8888801234560034", 422, "BILL_ALREADY_PAID"),
        ("8888801234560103", 503, "PRODUCT_UNAVAILABLE"),
    ];
    for (number, status, code) in table {
        let answer = world.order(asked("inquiry", "MPBPJS", number, "R-1")).await;
        assert_eq!((answer.0, &answer.1["code"]), (status, &json!(code)));
    }
    assert_eq!(world.memory.changes(), changes);
    assert_eq!(world.code(inquiry("R-1")).await, "BILL_INQUIRY_SUCCESS");
}

#[tokio::test]
async fn an_inquiry_without_a_reference_gets_one_to_pay_with() {
    let world = World::new().await;
    let bare = json!({ "cmd": "inquiry", "code": "MPBPJS", "customer_no": "8888801234567890" });
    let (_, first) = world.order(bare.clone()).await;
    let name = first["data"]["ref_id"].as_str().expect("a name").to_owned();
    assert!(name.starts_with("INQ-") && name.len() == 17, "{name}");
    assert_eq!(world.order(bare).await.1["data"]["ref_id"], name);
    assert_eq!(world.code(payment(&name)).await, "BILL_PAYMENT_SUCCESS");
    let mut bare = payment("");
    assert_eq!(world.code(bare.clone()).await, "VALIDATION_ERROR");
    bare.as_object_mut().expect("an object").remove("ref_id");
    assert_eq!(world.code(bare).await, "VALIDATION_ERROR");
}

#[tokio::test]
async fn a_payment_without_cover_can_be_made_later() {
    let balance = u32::try_from(TOTAL - 1).expect("positive");
    let world = World::under(Conditions { balance, ..Conditions::default() }).await;
    world.order(inquiry("R-1")).await;
    let (status, envelope) = world.order(payment("R-1")).await;
    assert_eq!((status, &envelope["code"]), (402, &json!("INSUFFICIENT_BALANCE")));
    world.fund("one more", 1, 1).await;
    assert_eq!(world.code(payment("R-1")).await, "BILL_PAYMENT_SUCCESS");
    assert_eq!(world.balance().await, 0);
}

#[tokio::test]
async fn electricity_has_its_own_particulars() {
    let world = World::new().await;
    let (_, envelope) = world.order(asked("inquiry", "MPPLN", "530000000000", "R-1")).await;
    assert_eq!(
        envelope["data"]["desc"],
        json!({
            "tarif": "R1", "daya": 1300, "lembar_tagihan": 1,
            "detail": [{
                "periode": "202605", "nilai_tagihan": "150000", "admin": "2700", "denda": "0",
            }],
        })
    );
}

#[tokio::test]
async fn test_mode_has_a_session_of_its_own_and_the_documented_figures() {
    let world = World::under(Conditions { balance: 0, ..Conditions::default() }).await;
    world.order(inquiry("R-1")).await;
    assert_eq!(world.code(testing(payment("R-1"))).await, "INQUIRY_NOT_FOUND");
    for (business, code) in
        [(inquiry("R-1"), "BILL_INQUIRY_SUCCESS"), (payment("R-1"), "BILL_PAYMENT_SUCCESS")]
    {
        let (_, envelope) = world.order(testing(business)).await;
        assert_eq!(envelope["code"], code);
        let data = &envelope["data"];
        assert_eq!(data["customer_name"], "Demo Member");
        assert_eq!(
            (&data["tagihan"], &data["admin"], &data["total"]),
            (&json!(22_500), &json!(2700), &json!(25_200))
        );
        let sn = if code == "BILL_PAYMENT_SUCCESS" { json!("S1234554321N") } else { Value::Null };
        assert_eq!(data["sn"], sn);
    }
    assert_eq!(world.code(payment("R-1")).await, "INSUFFICIENT_BALANCE");
    assert_eq!(world.purchases(), 0);
    world.memory.audit().expect("clean books");
}
