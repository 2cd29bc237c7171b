//! A merchant is answered in time, and told the truth later.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{Sandbox, wait_until};
use crate::iak_client::{OPENING_BALANCE, balance, inquire, inquired, pay, status};

#[test]
fn a_slow_supplier_is_pending_first_and_paid_later() {
    let sandbox = Sandbox::start(&["--answer-within", "300ms"]);
    let tr_id = inquired(&sandbox, "530000000000", "SLOW-1");
    sandbox.control("/sandbox/faults", &json!({ "fault": "slow", "milliseconds": 1500 }));
    let begun = Instant::now();
    let payment = pay(&sandbox, tr_id);
    assert_eq!(payment.code(), "39");
    assert!(begun.elapsed() < Duration::from_millis(1400), "{:?}", begun.elapsed());
    assert_eq!(status(&sandbox, "SLOW-1").number("status"), 3);
    wait_until("the payment is through", || status(&sandbox, "SLOW-1").code() == "00");
    assert_eq!(pay(&sandbox, tr_id).code(), "01");
    assert_eq!(balance(&sandbox, "SLOW-2"), OPENING_BALANCE - 151_900);
    sandbox.verify();
}

#[test]
fn a_silent_inquiry_times_out_and_leaves_the_reference_free() {
    let sandbox = Sandbox::start(&["--answer-within", "300ms"]);
    sandbox.control("/sandbox/faults", &json!({ "fault": "silent_inquiry", "times": 1 }));
    assert_eq!(inquire(&sandbox, "PLNPOSTPAID", "530000000000", "MUTE-1").code(), "103");
    assert_eq!(inquire(&sandbox, "PLNPOSTPAID", "530000000000", "MUTE-1").code(), "00");
}
