//! Whatever a merchant repeats, money moves once.

use std::collections::BTreeMap;
use std::thread;

use crate::harness::Sandbox;
use crate::iak_client::{
    OPENING_BALANCE, balance, inquired, inquiry_body, payment_body, status, try_send,
};

const TOGETHER: usize = 200;

/// Sends the same body from many clients at once and counts the codes that come back.
fn codes_of_many(sandbox: &Sandbox, body: &serde_json::Value) -> BTreeMap<String, usize> {
    let mut codes = BTreeMap::new();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..TOGETHER)
            .map(|_| scope.spawn(|| try_send(sandbox.url(), body).unwrap().code().to_owned()))
            .collect();
        for client in clients {
            *codes.entry(client.join().unwrap()).or_insert(0) += 1;
        }
    });
    codes
}

#[test]
fn two_hundred_identical_payments_are_one() {
    let sandbox = Sandbox::start(&[]);
    let tr_id = inquired(&sandbox, "530000000000", "ONCE-1");
    let codes = codes_of_many(&sandbox, &payment_body(tr_id));
    assert_eq!(codes.values().sum::<usize>(), TOGETHER);
    assert_eq!(codes.get("00"), Some(&1), "{codes:?}");
    assert!(codes.keys().all(|code| ["00", "01", "39"].contains(&code.as_str())), "{codes:?}");
    assert_eq!(sandbox.book().len(), 1);
    assert_eq!(status(&sandbox, "ONCE-1").code(), "00");
    assert_eq!(balance(&sandbox, "ONCE-2"), OPENING_BALANCE - 151_900);
    sandbox.verify();
}

#[test]
fn two_hundred_identical_inquiries_are_one_order() {
    let sandbox = Sandbox::start(&[]);
    let body = inquiry_body("PLNPOSTPAID", "530000000000", "TWINS-1");
    let codes = codes_of_many(&sandbox, &body);
    assert!(codes.keys().all(|code| ["00", "11"].contains(&code.as_str())), "{codes:?}");
    assert!(codes.contains_key("00"));
    let other = inquiry_body("PLNPOSTPAID", "530000000999", "TWINS-1");
    assert_eq!(try_send(sandbox.url(), &other).unwrap().code(), "11");
}
