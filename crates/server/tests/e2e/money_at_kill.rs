//! The process is killed while money comes in and goes out, in several currencies; nothing that a feed
//! was told is recorded is lost, nothing is credited or paid out twice, and the books are in order
//! after each kill.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use protocols::sandbox::book::State;
use serde_json::Value;

use crate::harness::{book, lunas, wait_until};
use crate::instance::{Instance, Running};
use crate::money_clients::{Feed, Mutation, now, written};
use crate::money_instance::{self, OPENING_BAHT, OPENING_RUPIAH, Parts, administer, balances};

/// How often the process is killed.
const KILLS: u32 = 20;
const CLIENTS: usize = 6;
/// Of how many pieces each body of a feed tells once more.
const REPEATED: usize = 3;
/// What takes part; see [`Task`].
const KINDS: u32 = 6;

/// What a client does, from the beginning and as often as it takes until it is done. Every step may
/// have been done before by a process that died before it answered.
#[derive(Debug, Clone)]
struct Task {
    number: u32,
    /// When the money came in, once the order was acknowledged.
    paid_at: Option<String>,
}

/// What the tasks share.
struct Load<'a> {
    parts: &'a Parts,
    url: String,
    stop: AtomicBool,
    next: &'a AtomicU32,
    /// What was broken off, to be taken up first.
    broken_off: &'a Mutex<VecDeque<Task>>,
    done: &'a Mutex<Vec<Task>>,
    /// What each feed told last.
    told: &'a Mutex<BTreeMap<String, VecDeque<Mutation>>>,
}

impl Load<'_> {
    /// Begins new tasks until the server is gone.
    fn run_client(&self) {
        while !self.stop.load(Ordering::Relaxed) {
            let broken_off = self.broken_off.lock().unwrap().pop_front();
            let begin =
                || Task { number: self.next.fetch_add(1, Ordering::Relaxed), paid_at: None };
            if !self.carry_out(broken_off.unwrap_or_else(begin)) {
                return;
            }
        }
    }

    /// Finishes what was broken off.
    fn finish(&self) {
        while let Some(task) = { self.broken_off.lock().unwrap().pop_front() } {
            assert!(self.carry_out(task), "nobody kills the server any more");
        }
    }

    /// Whether it could be done.
    fn carry_out(&self, mut task: Task) -> bool {
        let finished = self.try_out(&mut task).is_some();
        if finished {
            self.done.lock().unwrap().push(task);
        } else {
            self.broken_off.lock().unwrap().push_back(task);
        }
        finished
    }

    /// `None` once the server is gone.
    fn try_out(&self, task: &mut Task) -> Option<()> {
        let Task { number, .. } = *task;
        match number % KINDS {
            0 | 1 => self.by_credit(task),
            2 => self.by_amount(task),
            3 => self.by_reference(task),
            4 => self.pay_out(number),
            _ => self.foreign(task),
        }
    }

    /// The payer of an ilenpay transaction is known by the number from which the credit came.
    fn by_credit(&self, task: &mut Task) -> Option<()> {
        let (toko, reference) = (&self.parts.toko, format!("KILL-{}", task.number));
        let sender = format!("0812{:08}", task.number);
        let opened = toko.open(&self.url, &reference, 10_000)?;
        // One that is paid is not opened again, and was paid only if the money was told of.
        assert!(opened["respon"] == "sukses" || task.paid_at.is_some(), "{opened}");
        toko.confirm(&self.url, &reference, &sender)?;
        let mutation = mutation(task, "13000", &sender, "");
        self.is_used(&self.parts.sim, mutation)?;
        let confirmed = toko.confirm(&self.url, &reference, &sender)?;
        assert_eq!(confirmed["respon"], "sukses", "{reference}: {confirmed}");
        Some(())
    }

    /// Nobody else waits for this amount.
    fn by_amount(&self, task: &mut Task) -> Option<()> {
        let (amount, transaction) = (amount_of(task.number), name(task.number));
        opened_now_or_before(&self.parts.rupiah.deposit(&self.url, &transaction, &amount)?);
        let mutation = mutation(task, &amount, "", "");
        self.is_used(&self.parts.bank_rupiah, mutation)?;
        let status = self.parts.rupiah.status(&self.url, &transaction)?;
        assert_eq!(status, "completed", "{transaction}");
        Some(())
    }

    /// All wait for the same amount; what the bank calls the payment tells which one it is for.
    fn by_reference(&self, task: &mut Task) -> Option<()> {
        let (transaction, reference) = (name(task.number), format!("REF-{}", task.number));
        opened_now_or_before(&self.parts.baht.deposit(&self.url, &transaction, "250.00")?);
        let noted = self.parts.baht.submit_utr(&self.url, &transaction, &reference)?;
        assert_eq!(noted["status"], "success", "{transaction}: {noted}");
        let mutation = mutation(task, "250.00", "", &reference);
        self.is_used(&self.parts.bank_baht, mutation)?;
        let status = self.parts.baht.status(&self.url, &transaction)?;
        assert_eq!(status, "completed", "{transaction}");
        Some(())
    }

    fn pay_out(&self, number: u32) -> Option<()> {
        let (operator, amount) = payout(self.parts, number);
        let accepted = operator.pay_out(&self.url, &name(number), amount)?;
        let before = accepted["code"] == 111;
        assert!(accepted["success"] == true || before, "{accepted}");
        Some(())
    }

    /// Money that nobody waits for.
    fn foreign(&self, task: &mut Task) -> Option<()> {
        let mutation = mutation(task, "777", "", "");
        let (state, reason) = self.tell(&self.parts.bank_rupiah, mutation)?;
        assert_eq!((state.as_str(), reason.as_str()), ("suspended", "no-order"));
        Some(())
    }

    fn is_used(&self, feed: &Feed, mutation: Mutation) -> Option<()> {
        let (state, reason) = self.tell(feed, mutation.clone())?;
        assert_eq!((state.as_str(), reason.as_str()), ("used", ""), "{mutation:?}");
        Some(())
    }

    /// Tells of this money and once more of what the feed told before, and gives what became of this.
    fn tell(&self, feed: &Feed, mutation: Mutation) -> Option<(String, String)> {
        let mut mutations: Vec<Mutation> = {
            let mut told = self.told.lock().unwrap();
            let told = told.entry(feed.source.clone()).or_default();
            let known = told.iter().filter(|it| it.id != mutation.id).cloned().collect();
            told.push_back(mutation.clone());
            if told.len() > REPEATED {
                told.pop_front();
            }
            known
        };
        mutations.push(mutation);
        Feed::states(&feed.tell(&self.url, &mutations)?).pop()
    }
}

fn name(number: u32) -> String {
    format!("KILL-{number}")
}

fn amount_of(number: u32) -> String {
    (100_000 + number).to_string()
}

fn mutation(task: &mut Task, amount: &str, sender: &str, reference: &str) -> Mutation {
    let at = task.paid_at.get_or_insert_with(|| written(now())).clone();
    Mutation {
        id: format!("money-{}", task.number),
        at,
        amount: amount.to_owned(),
        sender: sender.to_owned(),
        reference: reference.to_owned(),
    }
}

/// Who pays out how much under this number. The stand-in refuses amounts that end in 01.
fn payout(parts: &Parts, number: u32) -> (&crate::money_clients::S88pay, &'static str) {
    match number / KINDS % 4 {
        0 => (&parts.rupiah, "12000"),
        1 => (&parts.baht, "12.00"),
        2 => (&parts.rupiah, "12001"),
        _ => (&parts.baht, "12.01"),
    }
}

/// A deposit whose answer got lost is there when it is asked for again, paid or not.
fn opened_now_or_before(answer: &Value) {
    let before = [111, 113].into_iter().any(|code| answer["code"] == code);
    assert!(answer["status"] == "success" || before, "{answer}");
}

/// Between 100 and 400 milliseconds, spread by the golden ratio so that no two kills come alike.
fn pause_before(kill: u32) -> Duration {
    Duration::from_millis(u64::from(100 + (kill.wrapping_mul(2_654_435_769) >> 16) % 300))
}

fn verify(instance: &Instance) {
    let output = lunas().args(["verify", "--data"]).arg(instance.path("lunas-data")).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The names of all evidence in this state.
fn evidence(running: &Running, state: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("evidence?limit=100&state={state}{cursor}");
        let part = administer(running, "GET", &path, &Value::Null);
        let items = part["items"].as_array().unwrap().iter();
        found.extend(items.map(|it| it["id"].as_str().unwrap().to_owned()));
        match part["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

/// The payouts that were made, once all have ended. One that the stand-in never heard of, because the
/// process died before it was called, has failed, and so have those that it refuses.
fn paid_out(running: &Running, parts: &Parts, done: &[Task]) -> BTreeSet<u32> {
    let mut made = BTreeSet::new();
    for Task { number, .. } in done.iter().filter(|task| task.number % KINDS == 4) {
        let (operator, amount) = payout(parts, *number);
        let mut status = Value::Null;
        wait_until("the payout has ended", || {
            status = operator.status(&running.url, &name(*number)).unwrap();
            status != "pending"
        });
        if status == "completed" {
            assert!(!amount.ends_with('1'), "payout {number} is one that the stand-in refuses");
            made.insert(*number);
        } else {
            assert_eq!(status, "failed", "payout {number}");
        }
    }
    made
}

/// How much evidence a server said at its start that an earlier one had left open.
fn decided_at_start(log: &str) -> u64 {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let decided = lines.filter_map(|line| line["decided"].as_u64());
    decided.sum()
}

/// What the three merchants have to have once all of this is done, in minor units.
fn expected(done: &[Task], paid_out: &BTreeSet<u32>) -> [i64; 3] {
    let mut expected = [0, OPENING_RUPIAH, OPENING_BAHT];
    let fee = |amount: i64| (amount + 99) / 100;
    for Task { number, .. } in done {
        match number % KINDS {
            0 | 1 => expected[0] += 10_000,
            2 => {
                let amount = i64::from(100_000 + number);
                expected[1] += amount - fee(amount);
            }
            3 => expected[2] += 25_000 - 250,
            4 if !paid_out.contains(number) => {}
            4 if (number / KINDS).is_multiple_of(2) => expected[1] -= 12_000 + 120,
            4 => expected[2] -= 1200 + 12,
            _ => {}
        }
    }
    expected
}

#[test]
fn no_money_is_lost_or_doubled() {
    let instance = money_instance::new(&[]);
    let (running, parts) = money_instance::begin(&instance);
    let mut running = Some(running);
    let (next, broken_off, done, told) =
        (AtomicU32::new(1), Mutex::default(), Mutex::default(), Mutex::default());
    let (mut interrupted, mut recovered) = (0, 0);
    let load = |running: &Running| Load {
        parts: &parts,
        url: running.url.clone(),
        stop: AtomicBool::new(false),
        next: &next,
        broken_off: &broken_off,
        done: &done,
        told: &told,
    };
    for kill in 0..KILLS {
        let dying = running.take().unwrap();
        let load = load(&dying);
        thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| load.run_client());
            }
            thread::park_timeout(pause_before(kill));
            // The guard kills without any warning.
            drop(dying);
            load.stop.store(true, Ordering::Relaxed);
        });
        verify(&instance);
        interrupted += broken_off.lock().unwrap().len();
        let started = instance.start();
        wait_until("what was left open is decided on", || evidence(&started, "open").is_empty());
        recovered += decided_at_start(&started.log());
        running = Some(started);
    }
    let running = running.unwrap();
    load(&running).finish();
    let done = done.into_inner().unwrap();
    let paid_out = paid_out(&running, &parts, &done);
    let sold = book(&instance.path("lunas-data"));
    let sold = sold.values().filter(|entry| entry.state == State::Success).count();
    assert_eq!(sold, paid_out.len(), "the stand-in's own book");
    assert_eq!(balances(&running), expected(&done, &paid_out));
    let of = |kinds: &[u32]| -> Vec<String> {
        let mut names: Vec<_> = done
            .iter()
            .filter(|task| kinds.contains(&(task.number % KINDS)))
            .map(|task| format!("money-{}", task.number))
            .collect();
        names.sort();
        names
    };
    let sorted = |state: &str| {
        let mut names = evidence(&running, state);
        names.sort();
        names
    };
    assert_eq!(sorted("used"), of(&[0, 1, 2, 3]));
    assert_eq!(sorted("suspended"), of(&[5]));
    assert_eq!(evidence(&running, "open"), [""; 0]);
    verify(&instance);
    println!(
        "{KILLS} kills, {} tasks, {interrupted} broken off, {recovered} pieces left open",
        done.len()
    );
    assert!(interrupted > 0, "no kill hit anything");
    // A busy machine does little between two kills.
    assert!(done.len() > 50, "the load never got through: {}", done.len());
}
