use std::sync::Mutex;
use std::sync::mpsc::channel;

use domain::posting::Direction;
use domain::{
    AccountKey, Amount, Command, Currency, Order, OrderId, OrderState, Outcome, Refusal, Reply,
};
use gateway::ports::StoreFault;

use super::super::overlay::Limits;
use super::super::staging::{Door, Gate, Moment, Watched};
use super::super::{
    Build, LAG_MAX, OpenFault, Options, connect_to_read, open, open_as, orders, verify,
};
use super::*;
use crate::Opened;
use crate::conformance::{TOKO, accept, all, delivered, fund, key, quote, resolve};
use crate::pipeline;
use crate::scratch::{Counting, Scratch};

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}

fn opened(scratch: &Scratch) -> Opened {
    open(scratch.path(), Options::default(), &Counting).expect("opened")
}

fn built(scratch: &Scratch, build: Build<'_>) -> Opened {
    open_as(scratch.path(), Options::default(), &Counting, build).expect("opened")
}

/// Room for little, so that tests see how it is to have none.
const NARROW: Limits = Limits {
    generation: 8,
    records: 40,
    age: Duration::from_millis(10),
    patience: Duration::from_millis(50),
};

async fn reply(opened: &Opened, command: Command) -> Reply {
    opened.store.execute(command, None).await.expect("no fault").expect("no refusal")
}

fn credit(reference: &str) -> Command {
    fund(TOKO, reference, Direction::Credit, Amount::rupiah(1000))
}

fn quoted(reference: &str) -> Command {
    quote(key(TOKO, reference), Amount::rupiah(10))
}

fn order_in(reply: Reply) -> Arc<Order> {
    match reply {
        Reply::Inquired { order, .. }
        | Reply::Accepted { order, .. }
        | Reply::Resolved { order, .. } => order,
        other => panic!("{other:?}"),
    }
}

/// Leads an order through all its states; each is shown once it is acknowledged.
async fn live(opened: &Opened, number: u64, mut seen: impl FnMut(&Arc<Order>)) -> Arc<Order> {
    let order = order_in(reply(opened, quoted(&format!("r{number}"))).await);
    seen(&order);
    let order = order_in(reply(opened, accept(&order)).await);
    seen(&order);
    let outcome = match number % 3 {
        0 => delivered(9),
        _ => Outcome::Refused(Refusal::PaymentFailed),
    };
    let order = order_in(reply(opened, resolve(&order, outcome)).await);
    seen(&order);
    order
}

const fn rank(state: OrderState) -> u8 {
    match state {
        OrderState::Quoted => 0,
        OrderState::Processing => 1,
        _ => 2,
    }
}

/// Every acknowledged order is there, at least as far as it was acknowledged.
async fn check(opened: &Opened, acknowledged: &[Arc<Order>]) {
    for order in acknowledged {
        let found = opened.store.order(order.id).await.expect("read").expect("it is lost");
        assert!(rank(found.state) >= rank(order.state), "order {} went back", order.id);
        let named = opened.store.order_by_reference(&order.key).await.expect("read");
        assert_eq!(named, Some(found));
    }
}

/// Copies the data before and after every step of stage two, and opens every copy.
#[test]
fn a_crash_between_the_stages_loses_nothing_at_any_moment() {
    let scratch = Scratch::new();
    let acknowledged: Arc<Mutex<Vec<Arc<Order>>>> = Arc::default();
    let copies: Arc<Mutex<Vec<(Moment, Scratch, usize)>>> = Arc::default();
    let (place, known, kept) =
        (scratch.path().to_owned(), Arc::clone(&acknowledged), Arc::clone(&copies));
    let hook = move |moment| {
        let count = known.lock().expect("whole").len();
        let copy = Scratch::copy_of(&place, &["lunas.db", "lunas.db-wal", "journal"]);
        kept.lock().expect("whole").push((moment, copy, count));
    };
    let build = Build {
        // Copying takes its time.
        limits: Limits { patience: Duration::from_secs(60), ..NARROW },
        destination: Box::new(move |tables| Box::new(Watched { tables, hook })),
        ..Build::default()
    };
    let running = built(&scratch, build);
    block_on(async {
        reply(&running, credit("f1")).await;
        for number in 0..8 {
            live(&running, number, |order| {
                acknowledged.lock().expect("whole").push(Arc::clone(order));
            })
            .await;
        }
        running.shutdown.shutdown().await;
    });
    let acknowledged = acknowledged.lock().expect("whole");
    let mut copies = copies.lock().expect("whole");
    assert!(copies.len() >= 9, "only {} moments", copies.len());
    for (moment, copy, count) in copies.drain(..) {
        let before = verify(copy.path()).unwrap_or_else(|fault| panic!("{moment:?}: {fault}"));
        block_on(async {
            let again = opened(&copy);
            check(&again, &acknowledged[..count]).await;
            // Numbers go on behind everything that was there.
            let next = order_in(reply(&again, quoted("next")).await);
            assert_eq!(next.id, OrderId(before.orders + 1), "{moment:?}");
            again.shutdown.shutdown().await;
        });
        let after = verify(copy.path()).expect("in order");
        assert_eq!(after.orders, before.orders + 1);
        assert_eq!(after.transfers, before.transfers);
    }
}

/// Orders that passed through all states before the tables saw them are written once, as they
/// stand, and look the same from the overlay and from the tables.
#[test]
fn what_was_replayed_after_a_crash_settles_as_one_state() {
    let scratch = Scratch::new();
    let gate = Gate::new(Door::Shut);
    let running = built(&scratch, gate.build());
    let mut last = Vec::new();
    block_on(async {
        reply(&running, credit("f1")).await;
        for number in 0..20 {
            last.push(live(&running, number, |_| {}).await);
        }
    });
    let crashed = scratch.crashed();
    let connection = connect_to_read(crashed.path()).expect("connected");
    assert_eq!(orders::last_number(&connection).expect("read"), 0, "the tables have it");
    drop(connection);
    let before = verify(crashed.path()).expect("in order");
    assert_eq!((before.orders, before.open_holds, before.fundings), (20, 0, 1));

    let held = Gate::new(Door::Shut);
    let again = built(&crashed, held.build());
    block_on(async {
        check(&again, &last).await;
        assert_eq!(verify(crashed.path()).expect("in order"), before);
        held.set(Door::Open);
        assert_eq!(again.reports.processing(OrderId(0), 9).await.expect("read"), []);
        for order in &last {
            let moved = again.reports.transfers_of_order(order).await.expect("read");
            assert_eq!(moved.len(), if order.state == OrderState::Succeeded { 4 } else { 2 });
            assert_eq!(again.store.order(order.id).await, Ok(Some(Arc::clone(order))));
        }
        again.shutdown.shutdown().await;
    });
    assert_eq!(verify(crashed.path()).expect("in order"), before);
    gate.set(Door::Open);
    block_on(running.shutdown.shutdown());
    assert_eq!(verify(scratch.path()).expect("in order"), before);
}

/// Whoever looks for an order by its name waits for the tables rather than be told that there is none.
#[test]
fn an_order_that_was_acknowledged_is_found_by_name() {
    let scratch = Scratch::new();
    let gate = Gate::new(Door::Shut);
    let running = built(&scratch, gate.build());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(async {
        let order = order_in(reply(&running, quoted("r1")).await);
        let mut named = running.reports.orders_named("r1", 10);
        let early = tokio::time::timeout(2 * LAG_MAX, &mut named).await;
        assert!(early.is_err(), "answered while the tables lag: {early:?}");
        gate.set(Door::Open);
        assert_eq!(named.await, Ok(vec![order]));
        running.shutdown.shutdown().await;
    });
}

/// An order whose row is older than what was acknowledged is never seen in its old state.
#[test]
fn point_reads_see_the_newest_state_wherever_it_is() {
    let scratch = Scratch::new();
    let gate = Gate::new(Door::Open);
    let running = built(&scratch, gate.build());
    let balance = AccountKey::merchant(TOKO, Currency::Idr);
    block_on(async {
        reply(&running, credit("f1")).await;
        let order = order_in(reply(&running, quoted("r1")).await);
        // This waits for the tables to follow.
        running.reports.catalogue().await.expect("read");
        assert_eq!(running.store.order(order.id).await, Ok(Some(Arc::clone(&order))));
        gate.set(Door::Shut);
        let accepted = order_in(reply(&running, accept(&order)).await);
        for found in [
            running.store.order(order.id).await,
            running.store.order_by_reference(&order.key).await,
        ] {
            assert_eq!(found, Ok(Some(Arc::clone(&accepted))));
        }
        let account = running.store.account(&balance).await.expect("read").expect("there");
        assert_eq!(account.counters.available(), Some(990));
        // A list may lag: it shows what the tables have.
        assert_eq!(running.reports.pending().await.expect("read").orders, 0);
        gate.set(Door::Open);
        assert_eq!(running.reports.pending().await.expect("read").orders, 1);
        let processing = running.reports.processing(OrderId(0), 9).await.expect("read");
        assert_eq!(processing, [accepted]);
        running.shutdown.shutdown().await;
    });
}

#[test]
fn a_full_overlay_slows_and_then_refuses_and_shutting_down_still_drains() {
    let scratch = Scratch::new();
    let gate = Gate::new(Door::Shut);
    let running = built(&scratch, Build { limits: NARROW, ..gate.build() });
    let mut stored = 0;
    block_on(async {
        let refused = loop {
            match running.store.execute(quoted(&format!("r{stored}")), None).await {
                Ok(answer) => drop(answer.expect("no refusal")),
                Err(fault) => break fault,
            }
            stored += 1;
        };
        let why = "the tables lag too far behind the journal".to_owned();
        assert_eq!(refused, StoreFault::CommitFailed(why));
        assert!((40..=42).contains(&stored), "{stored}");
        assert_eq!(verify(scratch.path()).expect("in order").orders, stored);
        gate.set(Door::Open);
        running.reports.catalogue().await.expect("read");
        reply(&running, quoted("there is room again")).await;

        // Callers that wait for room, and the end, while the tables do not move.
        gate.set(Door::Shut);
        let callers = (0..200).map(|number| quoted(&format!("s{number}")));
        let callers = all(callers.map(|command| running.store.execute(command, None)));
        let ending = async {
            let shutdown = running.shutdown.shutdown();
            gate.set(Door::Open);
            shutdown.await;
        };
        let (answers, ()) = tokio::join!(callers, ending);
        stored += 1;
        for answer in answers {
            stored += u64::from(answer.is_ok());
        }
    });
    let connection = connect_to_read(scratch.path()).expect("connected");
    assert_eq!(orders::last_number(&connection).expect("read"), stored, "not drained");
    assert_eq!(verify(scratch.path()).expect("in order").orders, stored);
}

/// What the tables never took stays in the journal, also when the server ends.
#[test]
fn tables_that_cannot_be_written_keep_nobody_from_ending() {
    let scratch = Scratch::new();
    let full = EngineFault::Unavailable("the disk is full".to_owned());
    let gate = Gate::new(Door::Failing(full));
    let running = built(&scratch, gate.build());
    block_on(async {
        reply(&running, credit("f1")).await;
        let order = live(&running, 0, |_| {}).await;
        running.shutdown.shutdown().await;
        let again = opened(&scratch);
        check(&again, &[order]).await;
        again.shutdown.shutdown().await;
    });
    assert_eq!(verify(scratch.path()).expect("in order").orders, 1);
}

#[test]
fn tables_that_contradict_the_journal_end_the_process_and_lose_nothing() {
    let faults = [
        (EngineFault::Damaged("order 7: odd".to_owned()), "what was acknowledged: order 7: odd"),
        (EngineFault::Fatal("disk I/O error".to_owned()), "disk I/O error"),
    ];
    for (fault, expected) in faults {
        let scratch = Scratch::new();
        let (told, why) = channel();
        let options = Options {
            pipeline: pipeline::Options {
                halt: Arc::new(move |why| told.send(why.to_owned()).expect("listened to")),
                ..pipeline::Options::default()
            },
            ..Options::default()
        };
        let gate = Gate::new(Door::Failing(fault));
        let running = open_as(scratch.path(), options, &Counting, gate.build()).expect("opened");
        block_on(async {
            reply(&running, credit("f1")).await;
            let why = why.recv().expect("told");
            assert!(why.ends_with(expected), "{why}");
            // Nobody is answered any more.
            let after = running.store.execute(quoted("after"), None).await;
            assert_eq!(after, Err(StoreFault::Stopped));
            let catalogue = running.reports.catalogue().await.map(drop);
            assert_eq!(catalogue, Err(StoreFault::Busy));
            running.shutdown.shutdown().await;
            let again = opened(&scratch);
            let balance = AccountKey::merchant(TOKO, Currency::Idr);
            let account = again.store.account(&balance).await.expect("read").expect("there");
            assert_eq!(account.counters.available(), Some(1000));
            again.shutdown.shutdown().await;
        });
        verify(scratch.path()).expect("in order");
    }
}

/// The file of the tables alone is not the data while somebody uses it.
#[test]
fn a_copy_of_the_tables_alone_is_refused_unless_they_are_complete() {
    let scratch = Scratch::new();
    let running = opened(&scratch);
    block_on(reply(&running, quoted("r1")));
    let crashed = scratch.crashed();
    std::fs::remove_dir_all(crashed.path().join("journal")).expect("removed");
    let fault = open(crashed.path(), Options::default(), &Counting).err().expect("refused");
    assert!(matches!(fault, OpenFault::WithoutJournal { .. }), "{fault}");
    assert_eq!(verify(crashed.path()).expect_err("refused").to_string(), fault.to_string());
    block_on(running.shutdown.shutdown());
    let copied = scratch.copied();
    assert_eq!(verify(copied.path()).expect("in order").orders, 1);
    block_on(async {
        let again = opened(&copied);
        let order = again.store.order(OrderId(1)).await.expect("read");
        assert!(order.is_some());
        again.shutdown.shutdown().await;
    });
}

/// Tables that were put back beside a journal that went on.
#[test]
fn tables_older_than_their_journal_are_refused() {
    let scratch = Scratch::new();
    block_on(opened(&scratch).shutdown.shutdown());
    let old = scratch.copied();
    let running = opened(&scratch);
    block_on(async {
        for number in 0..3 {
            reply(&running, quoted(&format!("r{number}"))).await;
        }
        running.shutdown.shutdown().await;
        // The journal learns at the next start how far the tables had come.
        opened(&scratch).shutdown.shutdown().await;
    });
    std::fs::copy(old.path().join("lunas.db"), scratch.path().join("lunas.db")).expect("copied");
    let fault = open(scratch.path(), Options::default(), &Counting).err().expect("refused");
    assert!(matches!(fault, OpenFault::DamagedJournal(_)), "{fault}");
    let fault = verify(scratch.path()).expect_err("refused").to_string();
    assert_eq!(fault, "lunas.db: is older than the journal beside it");
}

/// A disk of so many mebibytes, if this system lets one be made.
struct SmallDisk(Scratch);

impl SmallDisk {
    fn new(mebibytes: u32) -> Option<Self> {
        let place = Scratch::new();
        std::fs::create_dir(place.path()).expect("made");
        let options = format!("size={mebibytes}m");
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(place.path())
            .output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        mounted.then_some(Self(place))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).status();
    }
}

/// The journal's segment was made ready before, so it goes on where the tables cannot, until the
/// overlay is full; then everything is refused until there is room again.
#[test]
fn a_disk_that_really_is_full_loses_nothing() {
    let Some(disk) = SmallDisk::new(24) else {
        println!("skipped: this system lets nobody mount a small disk here");
        return;
    };
    let data = disk.0.path().join("data");
    let limits = Limits { records: 600, generation: 100, ..NARROW };
    let open = || {
        let build = Build { limits, ..Build::default() };
        open_as(&data, Options::default(), &Counting, build).expect("opened")
    };
    let running = open();
    let filler = disk.0.path().join("filler");
    let mut stored = 0_u64;
    let mut refused = 0;
    block_on(async {
        let filling = std::process::Command::new("sh")
            .args(["-c", "cat /dev/zero > \"$0\""])
            .arg(&filler)
            .output()
            .expect("sh runs");
        assert!(!filling.status.success(), "the disk is larger than it should be");
        for round in 0..40 {
            let quotes = (0..50).map(|number| quoted(&format!("{round} {number}")));
            for answer in all(quotes.map(|it| running.store.execute(it, None))).await {
                match answer {
                    Ok(answer) => {
                        answer.expect("no refusal");
                        stored += 1;
                    }
                    Err(StoreFault::CommitFailed(_)) => refused += 1,
                    Err(other) => panic!("{other:?}"),
                }
            }
        }
        assert!(stored > 0 && refused > 0, "{stored} stored, {refused} refused");
        std::fs::remove_file(&filler).expect("removed");
        running.reports.catalogue().await.expect("the tables follow again");
        reply(&running, quoted("there is room again")).await;
        running.shutdown.shutdown().await;
    });
    assert_eq!(verify(&data).expect("in order").orders, stored + 1);
}
