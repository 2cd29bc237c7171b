use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use domain::posting::Direction;
use domain::{Amount, Command, Currency, Detail, Order, OrderState, Reply};
use gateway::ports::StoreFault;

use super::super::journal::Position;
use super::super::overlay::Limits;
use super::super::settling::Destination;
use super::super::tables::Tables;
use super::super::{Build, Options, connect_to_read, connect_to_write, open, open_as, verify};
use super::*;
use crate::Opened;
use crate::conformance::{TOKO, accept, all, delivered, fund, key, quote, resolve};
use crate::scratch::{Counting, Scratch};

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}

fn opened(scratch: &Scratch) -> Opened {
    open(scratch.path(), Options::default(), &Counting).expect("opened")
}

fn credit(reference: &str) -> Command {
    fund(TOKO, reference, Direction::Credit, Amount::rupiah(1000))
}

fn quoted(reference: &str) -> Command {
    quote(key(TOKO, reference), Amount::rupiah(100))
}

/// The tables on a disk with room for so many pages.
struct Limited {
    tables: Tables,
    pages: Arc<AtomicI64>,
}

impl Destination for Limited {
    fn save(&mut self, changes: &Changes, last: Position) -> Result<(), EngineFault> {
        let pages = self.pages.load(Ordering::SeqCst);
        let limit = self.tables.connection().pragma_update(None, "max_page_count", pages);
        limit.expect("the limit is set");
        self.tables.save(changes, last)
    }

    fn maintain(&mut self, idle: bool) -> Result<(), EngineFault> {
        self.tables.maintain(idle)
    }

    fn close(&mut self, complete: bool) -> Result<(), EngineFault> {
        self.tables.close(complete)
    }
}

/// Room for little, so that tests see how it is to have none.
pub(super) const NARROW: Limits = Limits {
    generation: 50,
    records: 400,
    age: Duration::from_millis(20),
    patience: Duration::from_millis(500),
};

/// The journal keeps what the tables cannot take, for as long as the overlay has room.
#[test]
fn a_full_disk_refuses_commits_keeps_reads_and_heals() {
    let scratch = Scratch::new();
    let pages = Arc::new(AtomicI64::new(i64::from(u32::MAX - 1)));
    let room = Arc::clone(&pages);
    let build = Build {
        limits: NARROW,
        destination: Box::new(|tables| Box::new(Limited { tables, pages: room })),
        ..Build::default()
    };
    let running = open_as(scratch.path(), Options::default(), &Counting, build).expect("opened");
    block_on(async {
        let fill = async |prefix: &str| {
            let references: Vec<_> = (0..200).map(|number| format!("{prefix}{number}")).collect();
            let quotes = references.iter().map(|it| running.store.execute(quoted(it), None));
            let answers = all(quotes).await;
            let mut stored = 0;
            for (reference, answer) in references.iter().zip(answers) {
                let found = running.store.order_by_reference(&key(TOKO, reference)).await;
                let found = found.expect("reads keep working");
                match answer {
                    Ok(Ok(Reply::Inquired { order, .. })) => {
                        assert_eq!(found, Some(order));
                        stored += 1;
                    }
                    Err(StoreFault::CommitFailed(why)) => {
                        assert_eq!(why, "the disk is full");
                        assert_eq!(found, None);
                    }
                    other => panic!("{other:?}"),
                }
            }
            verify(scratch.path()).expect("in order");
            stored
        };
        assert_eq!(fill("before ").await, 200);
        // The limit cannot lie below what is there, so this leaves room for nothing more.
        pages.store(1, Ordering::SeqCst);
        let mut full = false;
        for round in 0..50 {
            full |= fill(&format!("full {round} ")).await < 200;
        }
        assert!(full, "the disk never filled up");
        assert_eq!(fill("still full ").await, 0);
        pages.store(i64::from(u32::MAX - 1), Ordering::SeqCst);
        // This waits for the tables to follow.
        running.reports.catalogue().await.expect("read");
        assert_eq!(fill("healed ").await, 200);
        running.shutdown.shutdown().await;
    });
    let summary = verify(scratch.path()).expect("in order");
    let connection = connect_to_read(scratch.path()).expect("connected");
    assert_eq!(orders::last_number(&connection).expect("read"), summary.orders, "not drained");
}

#[test]
fn what_was_acknowledged_survives_a_crash_at_any_moment() {
    let scratch = Scratch::new();
    let running = opened(&scratch);
    block_on(async {
        running.store.execute(credit("f1"), None).await.expect("no fault").expect("funded");
        for number in 0..5 {
            let command = quoted(&number.to_string());
            let reply = running.store.execute(command, None).await.expect("no fault");
            let Ok(Reply::Inquired { order, .. }) = reply else { panic!("{reply:?}") };
            let reply = running.store.execute(accept(&order), None).await.expect("no fault");
            let Ok(Reply::Accepted { order, .. }) = reply else { panic!("{reply:?}") };
            let crashed = scratch.crashed();
            verify(crashed.path()).expect("in order, with the log as the crash left it");
            let again = opened(&crashed);
            assert!(!again.created);
            assert_eq!(again.store.order(order.id).await, Ok(Some(Arc::clone(&order))));
            let reply = again.store.execute(resolve(&order, delivered(90)), None).await;
            assert!(matches!(reply, Ok(Ok(Reply::Resolved { .. }))), "{reply:?}");
            again.shutdown.shutdown().await;
            verify(crashed.path()).expect("in order");
        }
        running.shutdown.shutdown().await;
    });
}

/// Orders that deal in several currencies or carry details nested too deep to be read again.
#[test]
fn what_could_not_be_read_back_is_not_stored() {
    let scratch = Scratch::new();
    let running = opened(&scratch);
    let Command::MakeQuote(good) = quoted("good") else { panic!("not a quote") };
    let mut mixed = good.clone();
    mixed.request.key = key(TOKO, "mixed");
    mixed.quote.admin = Amount::zero(Currency::Usd);
    let mut deep = good.clone();
    deep.request.key = key(TOKO, "deep");
    for _ in 0..200 {
        let bill = Arc::make_mut(&mut deep.bill);
        let inner = std::mem::replace(&mut bill.details, Detail::none());
        bill.details = Detail::List(vec![inner]);
    }
    block_on(async {
        let commands = [deep, good, mixed].map(Command::MakeQuote);
        let answers = all(commands.map(|it| running.store.execute(it, None))).await;
        assert!(matches!(answers[0], Err(StoreFault::Corrupt(_))), "{:?}", answers[0]);
        assert!(matches!(answers[1], Ok(Ok(_))), "{:?}", answers[1]);
        assert!(matches!(answers[2], Err(StoreFault::Corrupt(_))), "{:?}", answers[2]);
        running.shutdown.shutdown().await;
    });
    assert_eq!(verify(scratch.path()).expect("in order").orders, 1);
}

#[test]
fn a_damaged_row_spoils_only_what_needs_it() {
    let scratch = Scratch::new();
    let orders = block_on(async {
        let running = opened(&scratch);
        running.store.execute(credit("f1"), None).await.expect("no fault").expect("funded");
        let mut orders: Vec<Arc<Order>> = Vec::new();
        for reference in ["r1", "r2", "r3"] {
            let reply = running.store.execute(quoted(reference), None).await.expect("no fault");
            let Ok(Reply::Inquired { order, .. }) = reply else { panic!("{reply:?}") };
            orders.push(order);
        }
        running.shutdown.shutdown().await;
        orders
    });
    let vandal = connect_to_write(scratch.path()).expect("connected");
    vandal.execute_batch("update orders set bill = '{' where id = 2").expect("damaged");
    drop(vandal);
    block_on(async {
        let running = opened(&scratch);
        let answers = all(orders.iter().map(|it| running.store.execute(accept(it), None))).await;
        for (order, answer) in orders.iter().zip(answers) {
            let read = running.store.order(order.id).await;
            if order.id.0 == 2 {
                for fault in [answer.expect_err("damaged"), read.expect_err("damaged")] {
                    let StoreFault::Corrupt(what) = fault else { panic!("{fault:?}") };
                    assert!(what.starts_with("order 2: "), "{what}");
                }
            } else {
                assert!(matches!(answer, Ok(Ok(Reply::Accepted { .. }))), "{answer:?}");
                let read = read.expect("no fault").expect("there");
                assert_eq!(read.state, OrderState::Processing);
            }
        }
        running.shutdown.shutdown().await;
    });
}

/// Commands per second of so many callers, each waiting for its reply before sending the next.
fn pace(running: &Opened, callers: u32, commands: u32, round: u32) -> u128 {
    let started = Instant::now();
    block_on(all((0..callers).map(async |caller| {
        for number in 0..commands {
            let reference = format!("{round} {callers} {caller} {number}");
            let answer = running.store.execute(quoted(&reference), None).await;
            answer.expect("no fault").expect("no refusal");
        }
    })));
    u128::from(callers * commands) * 1_000_000 / started.elapsed().as_micros()
}

/// Every one of these commands is flushed to the disk before its reply. The best of several rounds
/// on each side keeps a busy machine from deciding.
#[test]
fn group_commit_pays() {
    let scratch = Scratch::new();
    let running = opened(&scratch);
    let mut serial = 0;
    let mut together = 0;
    for round in 0..5 {
        serial = serial.max(pace(&running, 1, 60, round));
        together = together.max(pace(&running, 64, 12, round));
    }
    println!("one caller: {serial} commands a second; 64 callers: {together}");
    block_on(running.shutdown.shutdown());
    assert!(together >= 3 * serial, "{together} against {serial}");
}
