//! Whatever the supplier does, money moves once and nothing open is called failed.

use serde_json::json;

use crate::harness::{Sandbox, wait_until};
use crate::iak_client::{OPENING_BALANCE, balance, inquired, pay, status};

/// Each fault, and the code that the merchant may get at first.
const FAULTS: [(&str, &str); 3] = [("silent", "39"), ("wrong_amount", "39"), ("twice", "00")];

#[test]
fn a_faulty_answer_never_costs_twice() {
    for (fault, first) in FAULTS {
        let sandbox = Sandbox::start(&["--answer-within", "300ms", "--call-within", "500ms"]);
        let tr_id = inquired(&sandbox, "530000000000", "FAULT-1");
        sandbox.control("/sandbox/faults", &json!({ "fault": fault, "times": 1 }));
        assert_eq!(pay(&sandbox, tr_id).code(), first, "{fault}");
        // The next question is due some seconds after the call broke off.
        sandbox.control("/sandbox/clock", &json!({ "advance_seconds": 30 }));
        wait_until("the outcome is known", || status(&sandbox, "FAULT-1").code() == "00");
        assert_eq!(balance(&sandbox, "FAULT-2"), OPENING_BALANCE - 151_900, "{fault}");
        assert_eq!(sandbox.book().len(), 1, "{fault}");
        sandbox.verify();
    }
}

#[test]
fn a_supplier_that_contradicts_itself_changes_nothing() {
    let sandbox = Sandbox::start(&[]);
    let tr_id = inquired(&sandbox, "530000000000", "FLIP-1");
    sandbox.control("/sandbox/faults", &json!({ "fault": "contradict", "times": 1 }));
    assert_eq!(pay(&sandbox, tr_id).code(), "00");
    assert_eq!(balance(&sandbox, "FLIP-2"), OPENING_BALANCE - 151_900);
    assert_eq!(status(&sandbox, "FLIP-1").code(), "00");
    sandbox.verify();
}
