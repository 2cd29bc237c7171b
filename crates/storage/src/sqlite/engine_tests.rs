use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use domain::posting::Direction;
use domain::{AccountKey, Amount, Command, Currency, Detail, MerchantId, Order, OrderState, Reply};
use gateway::ports::StoreFault;

use super::super::{
    Options, Sqlite, connect_to_read, connect_to_write, open, own, readers::Readers, verify,
};
use super::*;
use crate::Opened;
use crate::conformance::{TOKO, accept, all, delivered, fund, key, quote, resolve};
use crate::pipeline::{self, Pipeline};
use crate::scratch::{Counting, Scratch};

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}

fn opened(scratch: &Scratch) -> Opened {
    open(scratch.path(), Options::default(), &Counting).expect("opened")
}

/// Makes the data and ends in order.
fn made() -> Scratch {
    let scratch = Scratch::new();
    block_on(opened(&scratch).shutdown.shutdown());
    scratch
}

fn engine(scratch: &Scratch) -> SqliteEngine {
    let lock = own(scratch.path()).expect("nobody else owns it");
    let connection = connect_to_write(scratch.path()).expect("connected");
    connection.execute_batch(super::super::WRITER_PRAGMAS).expect("set");
    let references = Arc::new(References::open(&connection).expect("readable"));
    SqliteEngine { connection, references, sealer: Arc::new(gateway::ports::Unsealed), _lock: lock }
}

fn credit(reference: &str) -> Command {
    fund(TOKO, reference, Direction::Credit, Amount::rupiah(1000))
}

fn quoted(reference: &str) -> Command {
    quote(key(TOKO, reference), Amount::rupiah(100))
}

#[test]
fn the_writer_flushes_every_commit_and_nothing_is_mapped() {
    let scratch = made();
    let writer = engine(&scratch).connection;
    let reader = connect_to_read(scratch.path()).expect("connected");
    let table = [
        ("pragma synchronous", Some("2"), None),
        ("pragma journal_mode", Some("wal"), Some("wal")),
        ("pragma wal_autocheckpoint", Some("0"), None),
        ("pragma foreign_keys", Some("1"), Some("1")),
        ("pragma trusted_schema", Some("0"), Some("0")),
        ("pragma cell_size_check", Some("1"), Some("1")),
        ("pragma mmap_size", Some("0"), Some("0")),
        ("pragma query_only", Some("0"), Some("1")),
    ];
    for (pragma, of_writer, of_reader) in table {
        for (connection, expected) in [(&writer, of_writer), (&reader, of_reader)] {
            let Some(expected) = expected else { continue };
            let set: rusqlite::types::Value =
                connection.query_row(pragma, [], |row| row.get(0)).expect("readable");
            let set = match set {
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                other => panic!("{pragma}: {other:?}"),
            };
            assert_eq!(set, expected, "{pragma}");
        }
    }
    assert!(reader.execute_batch("delete from orders").is_err());
}

/// The engine on a disk with room for so many pages.
struct Limited {
    engine: SqliteEngine,
    pages: Arc<AtomicI64>,
}

impl Engine for Limited {
    fn last_numbers(&mut self) -> Result<LastNumbers, EngineFault> {
        self.engine.last_numbers()
    }

    fn load(&mut self, keys: &Keys, working_set: &mut WorkingSet) -> Result<(), EngineFault> {
        self.engine.load(keys, working_set)
    }

    fn save(&mut self, changes: Changes) -> Result<(), EngineFault> {
        let pages = self.pages.load(Ordering::SeqCst);
        let limit = self.engine.connection.pragma_update(None, "max_page_count", pages);
        limit.expect("the limit is set");
        self.engine.save(changes)
    }

    fn maintain(&mut self, idle: bool) -> Result<(), EngineFault> {
        self.engine.maintain(idle)
    }
}

#[test]
fn a_full_disk_refuses_commits_keeps_reads_and_heals() {
    let scratch = made();
    let pages = Arc::new(AtomicI64::new(i64::from(u32::MAX - 1)));
    let engine = engine(&scratch);
    let references = Arc::clone(&engine.references);
    let limited = Limited { engine, pages: Arc::clone(&pages) };
    let pipeline = Pipeline::start(limited, pipeline::Options::default()).expect("a thread");
    let reader = || vec![connect_to_read(scratch.path()).expect("connected")];
    let sqlite = Sqlite {
        pipeline,
        points: Readers::start("points", reader()).expect("a thread"),
        lists: Readers::start("lists", reader()).expect("a thread"),
        operators: Readers::start("operators", reader()).expect("a thread"),
        references,
        sealer: Arc::new(gateway::ports::Unsealed),
    };
    block_on(async {
        use crate::Shutdown;
        use gateway::ports::Store;
        let fill = async |prefix: &str| {
            let references: Vec<_> = (0..200).map(|number| format!("{prefix}{number}")).collect();
            let quotes = references.iter().map(|it| sqlite.execute(quoted(it), None));
            let answers = all(quotes).await;
            let mut stored = 0;
            for (reference, answer) in references.iter().zip(answers) {
                let found = sqlite.order_by_reference(&key(TOKO, reference)).await;
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
        assert_eq!(fill("healed ").await, 200);
        sqlite.shutdown().await;
    });
    verify(scratch.path()).expect("in order");
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

/// A reader that holds on to an older state keeps what came after it from being flushed, so nobody
/// may be served yet.
#[test]
fn recovery_waits_for_those_who_read_from_before_the_crash() {
    let scratch = made();
    let mut crashing = engine(&scratch);
    saved(&mut crashing, [quoted("r1")]);
    let reader = connect_to_read(scratch.path()).expect("connected");
    let snapshot = reader.unchecked_transaction().expect("begun");
    assert_eq!(super::super::orders::last_number(&snapshot).expect("read"), 1);
    saved(&mut crashing, [quoted("r2")]);
    drop(crashing);
    let fault = match open(scratch.path(), Options::default(), &Counting) {
        Ok(_) => panic!("opened"),
        Err(fault) => fault.to_string(),
    };
    let expected = "data could not be opened: \
        another program still reads it as it was before the crash";
    assert_eq!(fault, expected);
    drop(snapshot);
    block_on(opened(&scratch).shutdown.shutdown());
}

fn log_of(connection: &Connection) -> (i64, i64) {
    let log = checkpoint(connection, CHECKPOINT_NONE).expect("readable");
    (log.pages, log.moved)
}

/// Decides on the commands and saves what they change in one commit.
fn saved(engine: &mut SqliteEngine, commands: impl IntoIterator<Item = Command>) {
    let mut working_set = WorkingSet::new(engine.last_numbers().expect("numbers"));
    let mut changes = Changes::default();
    for command in commands {
        let mut keys = Keys::default();
        command.add_keys(&mut keys);
        engine.load(&keys, &mut working_set).expect("loaded");
        let decision = domain::decide::decide(&working_set, &command).expect("decided");
        for change in decision.changes {
            working_set.apply(&change);
            changes.add(change);
        }
    }
    engine.save(changes).expect("saved");
}

#[test]
fn the_log_is_moved_when_it_is_long_or_nothing_happens() {
    let scratch = made();
    let mut engine = engine(&scratch);
    saved(&mut engine, [quoted("r1"), quoted("r2")]);
    let (pages, moved) = log_of(&engine.connection);
    assert!(pages > 0 && moved == 0, "{pages}, {moved}");
    engine.maintain(false).expect("done");
    assert_eq!(log_of(&engine.connection), (pages, 0), "a short log is left alone under way");
    engine.maintain(true).expect("done");
    assert_eq!(log_of(&engine.connection), (pages, pages));
    let mut number = 0;
    while log_of(&engine.connection).0 <= LOG_PAGES_MAX {
        number += 1;
        saved(&mut engine, (0..500).map(|it| quoted(&format!("more {number} {it}"))));
    }
    engine.maintain(false).expect("done");
    let (pages, moved) = log_of(&engine.connection);
    assert!(pages > LOG_PAGES_MAX && moved == pages, "{pages}, {moved}");
    // The next commit begins the log anew.
    saved(&mut engine, [quoted("last")]);
    assert!(log_of(&engine.connection).0 < LOG_PAGES_MAX);
    engine.close().expect("closed");
    assert_eq!(log_of(&engine.connection), (0, 0));
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
        let inner = std::mem::replace(&mut deep.bill.details, Detail::none());
        deep.bill.details = Detail::List(vec![inner]);
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

#[test]
fn a_hold_is_resolved_once_as_a_fact_of_the_database() {
    let scratch = made();
    let mut engine = engine(&scratch);
    let mut working_set = WorkingSet::new(LastNumbers::default());
    let mut keys = Keys::default();
    keys.accounts.extend([merchant(), AccountKey::new(clearing(), Currency::Idr)]);
    keys.accounts.push(AccountKey::new(domain::AccountRole::Bank, Currency::Idr));
    engine.load(&keys, &mut working_set).expect("loaded");
    let at = domain::Timestamp::from_milliseconds(0);
    let mut ledger = domain::ledger::Ledger::new(&working_set, None, at);
    let [bank, clearing] =
        [domain::AccountRole::Bank, clearing()].map(|role| AccountKey::new(role, Currency::Idr));
    ledger.direct(&bank, &merchant(), Amount::rupiah(100)).expect("moved");
    let hold = ledger.hold(&merchant(), &clearing, Amount::rupiah(10)).expect("held");
    let mut other = ledger.hold(&merchant(), &clearing, Amount::rupiah(10)).expect("held");
    ledger.post(&mut hold.clone(), &merchant(), &clearing).expect("posted");
    // A second resolution of the same hold, such as no rule of ours would let pass.
    other.transfer = hold.transfer;
    ledger.void(&mut other, &merchant(), &clearing).expect("voided");
    let (transfers, accounts) = ledger.into_changes();
    let mut changes = Changes { transfers, ..Changes::default() };
    changes.accounts.extend(accounts.into_iter().map(|account| (account.id, account)));
    let refused = engine.save(changes.clone());
    assert!(matches!(refused, Err(EngineFault::Damaged(_))), "{refused:?}");
    assert_eq!(engine.last_numbers(), Ok(LastNumbers::default()), "something was kept");
    changes.transfers.pop();
    engine.save(changes).expect("saved");
}

fn merchant() -> AccountKey {
    AccountKey::merchant(MerchantId(1), Currency::Idr)
}

const fn clearing() -> domain::AccountRole {
    domain::AccountRole::Clearing
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
