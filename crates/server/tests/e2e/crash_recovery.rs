//! The process is killed at random moments under load; nothing acknowledged is lost, nothing is
//! debited or bought twice, and both books agree.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use protocols::sandbox::book::State;
use serde_json::json;

use crate::harness::{Sandbox, wait_until};
use crate::iak_client::{inquiry_body, payment_body, status, try_send};

/// How often the process is killed. The soak command sets `LUNAS_KILLS`.
const KILLS: u32 = 20;
const CLIENTS: usize = 8;
const FAILS: &str = "082100001037";
const STAYS_PENDING: &str = "082100001039";

/// What a client was told of one order before the process died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Quoted,
    /// A payment was sent; whether it arrived is not known.
    Sent,
    Paid,
    Pending,
    Failed,
}

struct Load {
    url: String,
    stop: AtomicBool,
    next: AtomicU64,
    told: Mutex<BTreeMap<String, Told>>,
}

impl Load {
    fn run_client(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let ref_id = format!("KILL-{number}");
            let hp = match number % 10 {
                0 => FAILS,
                1 => STAYS_PENDING,
                _ => "082100000000",
            };
            if self.one_order(&ref_id, hp).is_none() {
                return;
            }
        }
    }

    /// `None` once the server is gone.
    fn one_order(&self, ref_id: &str, hp: &str) -> Option<()> {
        let mut body = inquiry_body("SHOPEEPAY", hp, ref_id);
        // Little enough for the demo balance to bear the longest soak.
        body["desc"] = json!({ "amount": 10 });
        let inquiry = try_send(&self.url, &body)?;
        assert_eq!(inquiry.code(), "00", "{inquiry:?}");
        self.remember(ref_id, Told::Quoted);
        let payment = payment_body(inquiry.number("tr_id"));
        self.remember(ref_id, Told::Sent);
        let told = match try_send(&self.url, &payment)?.code() {
            "00" => Told::Paid,
            "37" => Told::Failed,
            "39" => Told::Pending,
            other => panic!("{ref_id} was answered {other}"),
        };
        self.remember(ref_id, told);
        Some(())
    }

    fn remember(&self, ref_id: &str, told: Told) {
        self.told.lock().unwrap().insert(ref_id.to_owned(), told);
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_done_twice() {
    let kills = std::env::var("LUNAS_KILLS").map_or(KILLS, |text| text.parse().unwrap());
    let mut sandbox = Sandbox::start(&[]);
    let mut told = BTreeMap::new();
    let mut slowest = Duration::ZERO;
    for kill in 0..kills {
        let load = Load {
            url: sandbox.url().to_owned(),
            stop: AtomicBool::new(false),
            next: AtomicU64::new(u64::from(kill) * 1_000_000),
            told: Mutex::new(BTreeMap::new()),
        };
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| load.run_client());
            }
            thread::park_timeout(pause_before(kill));
            sandbox.kill();
            load.stop.store(true, Ordering::Relaxed);
        });
        let begun = Instant::now();
        sandbox.restart();
        slowest = slowest.max(begun.elapsed());
        let since: BTreeMap<_, _> = load.told.into_inner().unwrap();
        for (ref_id, told) in &since {
            check(&sandbox, ref_id, *told);
        }
        told.extend(since);
        sandbox.verify();
    }
    let paid = told.values().filter(|told| **told == Told::Paid).count();
    println!("{kills} kills, {} orders, {paid} paid, slowest start {slowest:?}", told.len());
    assert!(paid > 0, "the load never got through");
    assert!(slowest < Duration::from_secs(1), "slowest start {slowest:?}");
    compare_books(&sandbox, told.keys());
}

/// Between 2 and 300 milliseconds, spread by the golden ratio so that no two kills come alike.
fn pause_before(kill: u32) -> Duration {
    Duration::from_millis(u64::from(2 + (kill.wrapping_mul(2_654_435_769) >> 16) % 300))
}

/// What an order may be after a restart, given what was told before.
fn check(sandbox: &Sandbox, ref_id: &str, told: Told) {
    let allowed: &[&str] = match told {
        Told::Quoted => &["42"],
        Told::Sent => &["00", "37", "39", "42"],
        Told::Paid => &["00"],
        Told::Failed => &["37"],
        Told::Pending => &["39"],
    };
    let now = status(sandbox, ref_id);
    assert!(allowed.contains(&now.code()), "{ref_id}: told {told:?}, is {now:?}");
}

/// Our orders and the supplier's own book say the same of every order, once all questions are
/// answered.
fn compare_books<'a>(sandbox: &Sandbox, references: impl Iterator<Item = &'a String>) {
    let mut charged = 0;
    let mut states = BTreeMap::new();
    for ref_id in references {
        let mut code = String::new();
        wait_until("every outcome is known", || {
            let now = status(sandbox, ref_id);
            code = now.code().to_owned();
            let pays_later = now.value["hp"] == STAYS_PENDING;
            let is_final = code != "39" || pays_later;
            if is_final && ["00", "39"].contains(&code.as_str()) {
                charged += now.number("selling_price");
            }
            is_final
        });
        *states.entry(code).or_insert(0_usize) += 1;
    }
    let book = sandbox.book();
    let sold =
        |wanted: fn(State) -> bool| book.values().filter(|entry| wanted(entry.state)).count();
    let ours = |code: &str| states.get(code).copied().unwrap_or_default();
    assert_eq!(ours("00"), sold(|state| state == State::Success), "{states:?}");
    assert_eq!(ours("39"), sold(|state| matches!(state, State::Pending(_))), "{states:?}");
    let balance = crate::iak_client::balance(sandbox, "AFTER-THE-KILLS");
    assert_eq!(balance, crate::iak_client::OPENING_BALANCE - charged);
    sandbox.verify();
}
