use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::posting::Direction;
use domain::{Amount, Command, Order, Outcome, Refusal, Reply};
use gateway::ports::Clock;

use super::super::staging::{Door, Gate};
use super::super::{Build, Options, open, open_as, restore, verify};
use super::*;
use crate::Opened;
use crate::conformance::{TOKO, accept, delivered, fund, key, quote, resolve};
use crate::scratch::{Counting, Scratch};

/// When every backup of the tests is taken.
pub(super) const TAKEN_AT: Timestamp = Timestamp::from_milliseconds(1_700_000_000_000);

pub(in super::super) fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}

/// A companion of lines `ORDER ATTEMPT`, of which those belong to a backup that it knows.
pub(in super::super) struct Lines;

pub(in super::super) const LINES: &str = "lines.txt";

fn words(line: &str) -> Result<(OrderId, u16), String> {
    let (order, attempt) = line.split_once(' ').ok_or("has no space")?;
    let order = order.parse().map_err(|_| format!("{order:?} is not an order"))?;
    let attempt = attempt.parse().map_err(|_| format!("{attempt:?} is not an attempt"))?;
    Ok((OrderId(order), attempt))
}

impl Companion for Lines {
    fn name(&self) -> &str {
        LINES
    }

    fn copy(&self, from: &Path, to: &mut dyn Write, snapshot: &Snapshot<'_>) -> Result<(), String> {
        for line in fs::read_to_string(from).map_err(|error| error.to_string())?.lines() {
            let (order, attempt) = words(line)?;
            if snapshot.has_attempt(order, attempt)? {
                writeln!(to, "{line}").map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    fn check(&self, copy: &Path) -> Result<(), String> {
        let text = fs::read_to_string(copy).map_err(|error| error.to_string())?;
        text.lines().try_for_each(|line| words(line).map(drop))
    }
}

pub(in super::super) fn companions() -> Arc<[Box<dyn Companion>]> {
    Arc::from([Box::new(Lines) as Box<dyn Companion>])
}

async fn reply(opened: &Opened, command: Command) -> Reply {
    opened.store.execute(command, None).await.expect("no fault").expect("no refusal")
}

async fn quoted(opened: &Opened, reference: &str) -> Arc<Order> {
    match reply(opened, quote(key(TOKO, reference), Amount::rupiah(1000))).await {
        Reply::Inquired { order, .. } => order,
        other => panic!("{other:?}"),
    }
}

/// Orders 1 delivered, 2 refused, 3 held, 4 quoted, and lines that know more than them.
pub(in super::super) fn filled() -> Scratch {
    let scratch = Scratch::new();
    let opened = open(scratch.path(), Options::default(), &Counting).expect("opened");
    block_on(async {
        reply(&opened, fund(TOKO, "f1", Direction::Credit, Amount::rupiah(10_000))).await;
        let outcomes = [Some(delivered(900)), Some(Outcome::Refused(Refusal::PaymentFailed)), None];
        for (number, outcome) in outcomes.into_iter().enumerate() {
            let order = quoted(&opened, &format!("r{number}")).await;
            reply(&opened, accept(&order)).await;
            if let Some(outcome) = outcome {
                reply(&opened, resolve(&order, outcome)).await;
            }
        }
        quoted(&opened, "r3").await;
        opened.shutdown.shutdown().await;
    });
    fs::write(scratch.path().join(LINES), "1 1\n2 1\n3 1\n4 1\n5 1\n").expect("written");
    scratch
}

/// A folder for backups.
pub(in super::super) fn folder() -> Scratch {
    let folder = Scratch::new();
    fs::create_dir(folder.path()).expect("made");
    folder
}

fn names(folder: &Path) -> BTreeSet<String> {
    let names = fs::read_dir(folder).expect("a folder");
    names.map(|entry| entry.expect("an entry").file_name().display().to_string()).collect()
}

#[test]
fn a_backup_restores_to_the_same_books() {
    let (data, backups, new) = (filled(), folder(), Scratch::new());
    let file = backups.path().join("one.tar");
    let manifest = backup(data.path(), &file, TAKEN_AT, &companions()).expect("backed up");
    assert_eq!((manifest.schema, manifest.taken_at), (schema::known(), TAKEN_AT));
    assert_eq!((manifest.latest_order, manifest.latest_account > 0), (4, true));
    assert_eq!(names(backups.path()), BTreeSet::from(["one.tar".to_owned()]));

    let restored = restore(&file, new.path(), &companions()).expect("restored");
    assert_eq!(restored.manifest, manifest);
    assert_eq!(restored.summary, verify(data.path()).expect("in order"));
    assert_eq!(restored.summary, verify(new.path()).expect("in order"));
    let before = open(data.path(), Options::default(), &Counting).expect("opened");
    let after = open(new.path(), Options::default(), &Counting).expect("opened");
    assert_eq!(after.instance_key, before.instance_key);
    assert!(!after.created);
    block_on(async {
        for number in 1..=4 {
            let order = before.store.order(OrderId(number)).await.expect("read");
            assert!(order.is_some());
            assert_eq!(after.store.order(OrderId(number)).await.expect("read"), order);
        }
        // Numbers go on where the backup ended.
        assert_eq!(quoted(&after, "r9").await.id, OrderId(5));
        before.shutdown.shutdown().await;
        after.shutdown.shutdown().await;
    });
}

/// What only the journal has is in the backup, whether the server runs, waits or is gone.
#[test]
fn a_backup_has_what_the_tables_do_not_have_yet() {
    let (scratch, backups) = (Scratch::new(), folder());
    let gate = Gate::new(Door::Shut);
    let running =
        open_as(scratch.path(), Options::default(), &Counting, gate.build()).expect("opened");
    let order = block_on(async {
        reply(&running, fund(TOKO, "f1", Direction::Credit, Amount::rupiah(10_000))).await;
        let order = quoted(&running, "r1").await;
        reply(&running, accept(&order)).await;
        order
    });
    fs::write(scratch.path().join(LINES), "1 1\n2 1\n").expect("written");
    let crashed = scratch.crashed();
    fs::write(crashed.path().join(LINES), "1 1\n2 1\n").expect("written");
    for data in [&scratch, &crashed] {
        let (file, new) = (backups.path().join("one.tar"), Scratch::new());
        let manifest = backup(data.path(), &file, TAKEN_AT, &companions()).expect("backed up");
        assert_eq!((manifest.latest_order, manifest.latest_transfer), (1, 2));
        let restored = restore(&file, new.path(), &companions()).expect("restored");
        assert_eq!(restored.summary, verify(data.path()).expect("in order"));
        assert_eq!(fs::read_to_string(new.path().join(LINES)).expect("restored"), "1 1\n");
        let again = open(new.path(), Options::default(), &Counting).expect("opened");
        block_on(async {
            reply(&again, resolve(&order, delivered(900))).await;
            assert_eq!(quoted(&again, "r2").await.id, OrderId(2));
            again.shutdown.shutdown().await;
        });
        verify(new.path()).expect("in order");
        fs::remove_file(&file).expect("removed");
    }
    gate.set(Door::Open);
    block_on(running.shutdown.shutdown());
}

#[test]
fn a_companion_keeps_what_the_books_know() {
    let (data, backups, new) = (filled(), folder(), Scratch::new());
    let file = backups.path().join("one.tar");
    backup(data.path(), &file, TAKEN_AT, &companions()).expect("backed up");
    restore(&file, new.path(), &companions()).expect("restored");
    let lines = fs::read_to_string(new.path().join(LINES)).expect("restored");
    assert_eq!(lines, "1 1\n2 1\n3 1\n");
    // The original is as it was.
    let lines = fs::read_to_string(data.path().join(LINES)).expect("there");
    assert_eq!(lines.lines().count(), 5);
}

#[test]
fn a_companion_that_is_not_there_is_left_out_and_a_damaged_one_is_named() {
    let (data, backups, new) = (filled(), folder(), Scratch::new());
    let lines = data.path().join(LINES);
    fs::write(&lines, "one 1\n").expect("written");
    let file = backups.path().join("one.tar");
    let fault = backup(data.path(), &file, TAKEN_AT, &companions()).expect_err("refused");
    assert_eq!(fault.to_string(), "lines.txt could not be backed up: \"one\" is not an order");
    assert!(names(backups.path()).is_empty(), "complete or absent");
    fs::remove_file(&lines).expect("removed");
    backup(data.path(), &file, TAKEN_AT, &companions()).expect("backed up");
    restore(&file, new.path(), &companions()).expect("restored");
    assert!(!new.path().join(LINES).exists());
}

#[test]
fn nothing_is_written_over_and_nothing_that_is_not_data_is_backed_up() {
    let (data, backups) = (filled(), folder());
    let file = backups.path().join("one.tar");
    fs::write(&file, "mine").expect("written");
    let fault = backup(data.path(), &file, TAKEN_AT, &[]).expect_err("refused");
    assert_eq!(fault.to_string(), format!("{} exists already; name a new file", file.display()));
    assert_eq!(fs::read_to_string(&file).expect("there"), "mine");

    let nowhere = backups.path().join("no/such/folder.tar");
    let fault = backup(data.path(), &nowhere, TAKEN_AT, &[]).expect_err("refused");
    assert!(fault.to_string().ends_with("no/such is not a folder"), "{fault}");

    let other = backups.path().join("two.tar");
    let fault = backup(backups.path(), &other, TAKEN_AT, &[]).expect_err("refused");
    assert!(fault.to_string().ends_with("holds no data"), "{fault}");
    assert_eq!(names(backups.path()), BTreeSet::from(["one.tar".to_owned()]));
}

#[test]
fn what_a_crash_left_is_thrown_away_and_what_is_under_way_is_not() {
    let (data, backups, new) = (filled(), folder(), Scratch::new());
    let file = backups.path().join("one.tar");
    let workshop = backups.path().join(".one.tar.partial");
    for leftover in [DATABASE_FILE, LINES, ARCHIVE, "lunas.db-journal"] {
        fs::create_dir(&workshop).expect("made");
        fs::write(workshop.join(leftover), "half of it").expect("written");
        backup(data.path(), &file, TAKEN_AT, &companions()).expect("backed up");
        assert_eq!(names(backups.path()), BTreeSet::from(["one.tar".to_owned()]), "{leftover}");
        restore(&file, new.path(), &companions()).expect("restored");
        fs::remove_dir_all(new.path()).expect("removed");
        fs::remove_file(&file).expect("removed");
    }
    let other = Workshop::open(&file).expect("opened");
    let fault = backup(data.path(), &file, TAKEN_AT, &[]).expect_err("refused");
    let expected = format!("another backup to {} is under way", file.display());
    assert_eq!(fault.to_string(), expected);
    drop(other);
    backup(data.path(), &file, TAKEN_AT, &[]).expect("backed up");
}

/// The copy is larger than one step, and the writer commits between the steps.
#[test]
fn a_backup_beside_a_writer_is_one_snapshot_and_ends() {
    let (data, backups) = (filled(), folder());
    let opened = open(data.path(), Options::default(), &Counting).expect("opened");
    let (ended, begun) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            block_on(async {
                for number in 0_u32.. {
                    if ended.load(Ordering::Relaxed) {
                        break;
                    }
                    let order = quoted(&opened, &format!("w{number}")).await;
                    reply(
                        &opened,
                        fund(TOKO, &format!("w{number}"), Direction::Credit, Amount::rupiah(2000)),
                    )
                    .await;
                    reply(&opened, accept(&order)).await;
                    reply(&opened, resolve(&order, delivered(900))).await;
                    begun.store(true, Ordering::Release);
                }
            });
        });
        let mut latest = 0;
        for number in 0..5 {
            while !begun.swap(false, Ordering::Acquire) {
                std::thread::yield_now();
            }
            let file = backups.path().join(format!("{number}.tar"));
            let manifest = backup(data.path(), &file, TAKEN_AT, &companions()).expect("backed up");
            assert!(manifest.latest_order > latest);
            latest = manifest.latest_order;
            let new = Scratch::new();
            let restored = restore(&file, new.path(), &companions()).expect("restored");
            assert_eq!(restored.summary.orders, latest);
        }
        ended.store(true, Ordering::Relaxed);
    });
    block_on(opened.shutdown.shutdown());
}

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        TAKEN_AT
    }
}

/// A build of these migrations.
fn migrating() -> Build<'static> {
    Build { migrations: &MIGRATIONS, ..Build::default() }
}

/// A program that knows one migration more than the one that made the data.
const MIGRATIONS: [&str; 2] =
    [schema::MIGRATIONS[0], "create table notes (text text) strict; pragma user_version = 2;"];

fn options() -> Options {
    let before = BeforeMigration { clock: Arc::new(Fixed), companions: companions() };
    Options { before_migration: Some(before), ..Options::default() }
}

#[test]
fn older_data_is_backed_up_before_it_is_migrated() {
    let (data, old, new) = (filled(), Scratch::new(), Scratch::new());
    let fault = open_as(data.path(), Options::default(), &Counting, migrating()).err();
    let fault = fault.expect("refused without the means of a backup");
    assert!(matches!(fault, OpenFault::OlderSchema { found: 1, known: 2 }), "{fault}");

    let opened = open_as(data.path(), options(), &Counting, migrating()).expect("migrated");
    block_on(opened.shutdown.shutdown());
    let name = "schema-1-before-2-at-1700000000000.tar";
    assert_eq!(names(&data.path().join(BACKUPS)), BTreeSet::from([name.to_owned()]));
    let file = data.path().join(BACKUPS).join(name);
    // The program before the migration restores it, and so does the one after it.
    restore(&file, old.path(), &companions()).expect("restored");
    block_on(open(old.path(), Options::default(), &Counting).expect("opened").shutdown.shutdown());
    let restored = super::super::restore::restore_as(&file, new.path(), &companions(), &MIGRATIONS);
    assert_eq!(restored.expect("restored").manifest.schema, 1);
    block_on(
        open_as(new.path(), options(), &Counting, migrating())
            .expect("migrated")
            .shutdown
            .shutdown(),
    );

    // The next start has nothing to migrate and makes no backup.
    block_on(
        open_as(data.path(), options(), &Counting, migrating())
            .expect("opened")
            .shutdown
            .shutdown(),
    );
    assert_eq!(names(&data.path().join(BACKUPS)).len(), 1);
    let fault = verify(data.path()).expect_err("newer");
    assert!(fault.to_string().contains("use a newer Lunas"), "{fault}");
}

/// Only the program that wrote a journal settles it in tables of its schema.
#[test]
fn data_that_did_not_end_in_order_is_not_migrated() {
    let (scratch, backups) = (Scratch::new(), folder());
    let gate = Gate::new(Door::Shut);
    let running =
        open_as(scratch.path(), Options::default(), &Counting, gate.build()).expect("opened");
    block_on(quoted(&running, "r1"));
    let crashed = scratch.crashed();
    let fault = open_as(crashed.path(), options(), &Counting, migrating()).err().expect("refused");
    assert!(matches!(fault, OpenFault::Unsettled { found: 1 }), "{fault}");
    let file = backups.path().join("one.tar");
    let fault = backup_as(crashed.path(), &file, TAKEN_AT, &[], 2, Pace::full());
    let fault = fault.expect_err("refused");
    assert!(fault.to_string().contains("did not end in order"), "{fault}");
    assert!(names(backups.path()).is_empty());
    // The program that wrote it opens and ends it; then it is migrated.
    let old = open(crashed.path(), Options::default(), &Counting).expect("opened");
    block_on(old.shutdown.shutdown());
    let new = open_as(crashed.path(), options(), &Counting, migrating()).expect("migrated");
    block_on(async {
        assert!(new.store.order(OrderId(1)).await.expect("read").is_some());
        new.shutdown.shutdown().await;
        gate.set(Door::Open);
        running.shutdown.shutdown().await;
    });
}

#[test]
fn a_migration_waits_for_its_backup() {
    let data = filled();
    let taken = data.path().join(BACKUPS);
    fs::write(&taken, "in the way").expect("written");
    let fault = open_as(data.path(), options(), &Counting, migrating()).err().expect("refused");
    assert!(matches!(fault, OpenFault::Unusable { .. }), "{fault}");
    fs::remove_file(&taken).expect("removed");

    fs::create_dir(&taken).expect("made");
    let name = "schema-1-before-2-at-1700000000000.tar";
    fs::write(taken.join(name), "in the way").expect("written");
    let fault = open_as(data.path(), options(), &Counting, migrating()).err().expect("refused");
    assert!(fault.to_string().starts_with("data is not migrated, because "), "{fault}");
    // It is still what it was.
    block_on(open(data.path(), Options::default(), &Counting).expect("opened").shutdown.shutdown());
}
