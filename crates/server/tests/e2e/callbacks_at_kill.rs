//! The process is killed while it delivers; every order that has ended is told at least once, always
//! under the same name and with the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Sandbox, try_post, wait_until};
use crate::iak_client::top_up_body;
use crate::receiver::{Arrived, Manner, Receiver};

/// How often the process is killed.
const KILLS: u32 = 20;
const CLIENTS: u32 = 4;
/// Long enough that a kill hits deliveries under way.
const SLOW: Manner = Manner { status: 200, delay: Duration::from_millis(30) };

/// Orders top-ups until the server is gone.
fn order_until_gone(url: &str, next: &AtomicU64) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let body = top_up_body("xld10000", "081712340000", &format!("TOLD-{number}")).to_string();
        if try_post(url, "/api/top-up", "application/json", body.as_bytes()).is_none() {
            return;
        }
    }
}

/// Between 20 and 320 milliseconds, spread by the golden ratio so that no two kills come alike.
fn pause_before(kill: u32) -> Duration {
    Duration::from_millis(u64::from(20 + (kill.wrapping_mul(2_654_435_769) >> 16) % 300))
}

fn reference(arrived: &Arrived) -> String {
    let body: Value = serde_json::from_str(&arrived.body).unwrap();
    body["data"]["ref_id"].as_str().unwrap().to_owned()
}

/// The references of all orders that have ended, as the admin API lists them.
fn ended(sandbox: &Sandbox) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for state in ["succeeded", "failed"] {
        let mut cursor = String::new();
        loop {
            let path = format!("/admin/v1/orders?limit=100&state={state}{cursor}");
            let headers = [("authorization", "Bearer sandbox-viewer")];
            let part = crate::harness::request(sandbox.url(), "GET", &path, &headers, "").json();
            let items = part["items"].as_array().unwrap();
            found.extend(items.iter().map(|it| it["reference"].as_str().unwrap().to_owned()));
            match part["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
    }
    found
}

#[test]
fn every_ended_order_is_told_at_least_once_and_always_alike() {
    let receiver = Receiver::start(SLOW);
    let options = ["--iak-top-ups-after", "10ms", "--callback-url", &receiver.url];
    let mut sandbox = Sandbox::start(&options);
    let next = AtomicU64::new(0);
    for kill in 0..KILLS {
        let url = sandbox.url().to_owned();
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| order_until_gone(&url, &next));
            }
            thread::park_timeout(pause_before(kill));
            sandbox.kill();
        });
        sandbox.restart();
    }
    let nothing_owed = || {
        let page = sandbox.get("/metrics").body;
        page.contains("\nlunas_callback_queue_depth 0\n")
            && page.contains("\nlunas_transactions_pending 0\n")
    };
    wait_until("nothing is owed", nothing_owed);

    let mut told: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    let arrived = receiver.arrived();
    for it in &arrived {
        let alike = (it.headers["webhook-id"].clone(), it.body.clone());
        told.entry(reference(it)).or_default().insert(alike);
    }
    let ended = ended(&sandbox);
    assert!(ended.len() > 100, "only {} orders ended", ended.len());
    for reference in &ended {
        let alike = told.get(reference).map_or(0, BTreeSet::len);
        assert_eq!(alike, 1, "{reference} was told in {alike} ways");
    }
    let repeats = arrived.len() - told.len();
    println!("{KILLS} kills, {} orders ended, {repeats} repeats", ended.len());
    assert!(repeats > 0, "no kill hit a delivery, so that nothing was proved");
    sandbox.verify();
}
