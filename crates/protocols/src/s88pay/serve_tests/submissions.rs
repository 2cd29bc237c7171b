//! What payers tell: references, names, and the Korean second step.

use serde_json::json;

use super::world::{DEPOSIT, OPENING, THB, UTR, World, deposit};

const REF_NO: &str = "/api/{}/v3/submit-refno";
const DEPOSITOR: &str = "/api/{}/v3/submit-depositor";
const KRW: &str = "/api/{}/v3/krw-payment";
const INFORMATION: &str = "/api/{}/v3/krw-submit-information";

#[tokio::test]
async fn a_reference_is_noted_once_and_pays_here_at_once() {
    let world = World::new().await;
    for transaction in ["A", "B"] {
        world.deposited("OPRINR", transaction, "250.02").await;
    }
    let ask = async |transaction: &str, utr: &str| {
        let text = format!("transaction_code={transaction}&utr={utr}");
        let (status, body) = world.ask("OPRINR", UTR, &text).await;
        (status, body["message"].as_str().expect("text").to_owned())
    };
    let noted = (200, "Success Submit Utr!".to_owned());
    let incomplete = (400, "[DP] Incomplete parameter, error code 109".to_owned());
    for wrong in ["", "12345678901", "1234567890123", "12345678901a"] {
        assert_eq!(ask("A", wrong).await, incomplete, "{wrong}");
    }
    assert_eq!(ask("A", "412345678901").await, noted);
    let changes = world.memory.changes();
    assert_eq!(ask("A", "412345678901").await, noted, "a repetition");
    let used = (400, "[DP] Invalid Transaction Code ( not unique ), error code 111".to_owned());
    assert_eq!(ask("B", "412345678901").await, used);
    let nowhere = (404, "Transaction not found".to_owned());
    assert_eq!(ask("C", "412345678902").await, nowhere);
    assert_eq!(world.memory.changes(), changes);
    assert_eq!(ask("B", "412345678902").await, noted);
}

#[tokio::test]
async fn the_same_again_is_welcome_when_it_is_over_and_something_else_is_not() {
    let world = World::new().await;
    world.deposited("OPRINR", "A", "250.00").await;
    let text = |utr: &str| format!("{{\"transaction_code\":\"A\",\"utr\":{utr}}}");
    assert_eq!(world.ask("OPRINR", UTR, &text("412345678901")).await.0, 200);
    assert_eq!(world.available("OPRINR").await, OPENING + 25_000 - 250);
    assert_eq!(world.ask("OPRINR", UTR, &text("412345678901")).await.0, 200);
    assert_eq!(world.ask("OPRINR", UTR, &text("412345678902")).await.1["code"], 113);
    assert_eq!(world.status("OPRINR", "A").await["transaction_ref"], "412345678901");
    assert_eq!(world.available("OPRINR").await, OPENING + 25_000 - 250);
}

#[tokio::test]
async fn nobody_submits_for_somebody_elses_deposit_or_for_a_payout() {
    let world = World::new().await;
    world.deposited("OPRINR", "A", "250.02").await;
    world.paid_out("OPRBDT", "P", "250").await;
    let changes = world.memory.changes();
    for (code, path, transaction) in
        [("OPRBDT", UTR, "A"), ("OPRBDT", REF_NO, "P"), (THB, DEPOSITOR, "A")]
    {
        let text = format!("transaction_code={transaction}&utr=1234567&depositor_name=X");
        let (status, body) = world.ask(code, path, &text).await;
        assert_eq!((status, body["code"].is_null()), (404, true), "{body}");
    }
    assert_eq!(world.memory.changes(), changes);
}

#[tokio::test]
async fn references_of_bangladesh_and_names_of_myanmar() {
    let world = World::new().await;
    world.deposited("OPRBDT", "A", "250.02").await;
    world.deposited("OPRMMK", "B", "250").await;
    let table = [
        ("OPRBDT", UTR, "transaction_code=A&utr=1234567", "Success Submit Utr!"),
        ("OPRBDT", REF_NO, "transaction_code=A&ref_no=8N7A6D5EE7", "Success Submit RefNo!"),
        ("OPRBDT", REF_NO, "transaction_code=A&utr=8N7A6D5EE7", "Success Submit RefNo!"),
        (
            "OPRMMK",
            DEPOSITOR,
            "transaction_code=B&depositor_name=Aung",
            "[DP] Success Submitted Depositor Name!.",
        ),
        (
            "OPRMMK",
            DEPOSITOR,
            "transaction_code=B&depositor_name=Aung",
            "[DP] Success Submitted Depositor Name!.",
        ),
    ];
    for (code, path, text, message) in table {
        let (status, body) = world.ask(code, path, text).await;
        assert_eq!(
            (status, body),
            (200, json!({ "status": "success", "message": message })),
            "{text}"
        );
    }
    assert_eq!(world.status("OPRMMK", "B").await["status"], "completed");
    for text in ["transaction_code=A&ref_no=a b", "transaction_code=A", "ref_no=1"] {
        assert_eq!(world.ask("OPRBDT", REF_NO, text).await.1["code"], 109, "{text}");
    }
}

/// Sections 6.4 and 6.5, on both paths.
#[tokio::test]
async fn won_take_two_steps() {
    let world = World::new().await;
    for (path, transaction) in [(KRW, "A"), (DEPOSIT, "B")] {
        let text = deposit(
            "OPRKRW",
            &[("transaction_code", transaction), ("transaction_amount", "10002")],
        );
        let (status, body) = world.ask("OPRKRW", path, &text).await;
        assert_eq!((status, &body["step"], &body["amount"]), (200, &json!(1), &json!(10002)));
        assert!(body.get("transaction_no").is_none());
        assert_eq!(body["bank_lists"].as_array().map(Vec::len), Some(74));
        assert_eq!(body["bank_lists"][0]["bank_code"], "kebhana_kr");
        let text =
            format!("transaction_code={transaction}&bank_code=kbank_kr&account_number=110-123");
        let first = world.ask("OPRKRW", INFORMATION, &text).await;
        assert_eq!(
            (first.0, &first.1["step"], &first.1["amount"]),
            (200, &json!(2), &json!("10002.00"))
        );
        assert_eq!(first.1["account_number"], "0900000000");
        assert_eq!(first.1["account_name"], "Nguyen Van A");
        assert_eq!(world.ask("OPRKRW", INFORMATION, &text).await, first, "while it waits");
    }
    let text = deposit(THB, &[]);
    assert_eq!(world.ask(THB, KRW, &text).await.1["code"], 114);
}

#[tokio::test]
async fn the_second_step_needs_the_first() {
    let world = World::new().await;
    let hosted = deposit("OPRKRW", &[("transaction_code", "A"), ("transaction_amount", "10002")]);
    assert_eq!(world.open_page("OPRKRW", &hosted).await.status(), 302);
    let paid = deposit("OPRKRW", &[("transaction_code", "B"), ("transaction_amount", "10000")]);
    world.ask("OPRKRW", KRW, &paid).await;
    let text = "transaction_code=B&bank_code=kbank_kr&account_number=110";
    assert_eq!(world.ask("OPRKRW", INFORMATION, text).await.0, 200);
    assert_eq!(world.status("OPRKRW", "B").await["status"], "completed");
    let changes = world.memory.changes();
    let table = [
        ("transaction_code=N&bank_code=kbank_kr&account_number=110", json!(null)),
        ("transaction_code=A&bank_code=kbank_kr&account_number=110", json!(null)),
        ("transaction_code=B&bank_code=nobody&account_number=110", json!(110)),
        ("transaction_code=B&bank_code=kbank_kr&account_number=a", json!(109)),
        ("transaction_code=B&bank_code=kbank_kr", json!(109)),
        ("transaction_code=B&bank_code=kbank_kr&account_number=110", json!(113)),
    ];
    for (text, code) in table {
        assert_eq!(world.ask("OPRKRW", INFORMATION, text).await.1["code"], code, "{text}");
    }
    assert_eq!(world.memory.changes(), changes);
}
