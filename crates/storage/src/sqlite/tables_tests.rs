use domain::command::Keys;
use domain::working_set::WorkingSet;
use domain::{AccountKey, Amount, Command, Currency, MerchantId};

use super::super::{Options, connect_to_read, connect_to_write, open};
use super::*;
use crate::Opened;
use crate::conformance::{TOKO, key, quote};
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

fn tables(scratch: &Scratch) -> Tables {
    let connection = connect_to_write(scratch.path()).expect("connected");
    connection.execute_batch(PRAGMAS).expect("set");
    let references = Arc::new(References::open(&connection).expect("readable"));
    Tables::new(connection, references, Arc::new(gateway::ports::Unsealed))
}

fn quoted(reference: &str) -> Command {
    quote(key(TOKO, reference), Amount::rupiah(100))
}

#[test]
fn the_writer_flushes_every_commit_and_nothing_is_mapped() {
    let scratch = made();
    let tables = tables(&scratch);
    let writer = tables.connection();
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
        for (connection, expected) in [(writer, of_writer), (&reader, of_reader)] {
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

/// A reader that holds on to an older state keeps what came after it from being flushed, so nobody
/// may be served yet.
#[test]
fn recovery_waits_for_those_who_read_from_before_the_crash() {
    let scratch = made();
    let mut crashing = tables(&scratch);
    saved(&mut crashing, 1, [quoted("r1")]);
    let reader = connect_to_read(scratch.path()).expect("connected");
    let snapshot = reader.unchecked_transaction().expect("begun");
    assert_eq!(orders::last_number(&snapshot).expect("read"), 1);
    saved(&mut crashing, 2, [quoted("r2")]);
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

/// Decides on the commands and saves what they change in one commit, as the journal's entry of this
/// position.
fn saved(tables: &mut Tables, position: u64, commands: impl IntoIterator<Item = Command>) {
    let mut working_set = WorkingSet::new(last_numbers(tables.connection()).expect("numbers"));
    let mut changes = Changes::default();
    for command in commands {
        let mut keys = Keys::default();
        command.add_keys(&mut keys);
        for key in keys.references {
            let order = tables.references.find(tables.connection(), &key).expect("read");
            working_set.put_reference(key, order);
        }
        let decision = domain::decide::decide(&working_set, &command).expect("decided");
        for change in decision.changes {
            working_set.apply(&change);
            changes.add(change);
        }
    }
    tables.save(&changes, Position(position)).expect("saved");
}

#[test]
fn the_log_is_moved_when_it_is_long_or_nothing_happens() {
    let scratch = made();
    let mut tables = tables(&scratch);
    saved(&mut tables, 1, [quoted("r1"), quoted("r2")]);
    let Log { pages, moved } = log_of(tables.connection());
    assert!(pages > 0 && moved == 0, "{pages}, {moved}");
    tables.maintain(false).expect("done");
    let log = log_of(tables.connection());
    assert_eq!(log, Log { pages, moved: 0 }, "a short log is left alone under way");
    tables.maintain(true).expect("done");
    assert_eq!(log_of(tables.connection()), Log { pages, moved: pages });
    let mut number = 1;
    while log_of(tables.connection()).pages <= LOG_PAGES_MAX {
        number += 1;
        let more = (0..500).map(|it| quoted(&format!("more {number} {it}")));
        saved(&mut tables, number, more);
    }
    tables.maintain(false).expect("done");
    let Log { pages, moved } = log_of(tables.connection());
    assert!(pages > LOG_PAGES_MAX && moved == pages, "{pages}, {moved}");
    // The next commit begins the log anew.
    saved(&mut tables, number + 1, [quoted("last")]);
    assert!(log_of(tables.connection()).pages < LOG_PAGES_MAX);
    tables.close(true).expect("closed");
    assert_eq!(log_of(tables.connection()), Log { pages: 0, moved: 0 });
}

#[test]
fn a_hold_is_resolved_once_as_a_fact_of_the_database() {
    let scratch = made();
    let mut tables = tables(&scratch);
    let mut working_set = WorkingSet::new(LastNumbers::default());
    for role in [clearing(), domain::AccountRole::Bank] {
        working_set.put_account(AccountKey::new(role, Currency::Idr), None);
    }
    working_set.put_account(merchant(), None);
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
    let refused = tables.save(&changes, Position(1));
    assert!(matches!(refused, Err(EngineFault::Damaged(_))), "{refused:?}");
    let last = last_numbers(tables.connection()).expect("read");
    assert_eq!(last, LastNumbers::default(), "something was kept");
    assert_eq!(applied(tables.connection()).expect("read"), Position(0));
    changes.transfers.pop();
    tables.save(&changes, Position(1)).expect("saved");
}

fn merchant() -> AccountKey {
    AccountKey::merchant(MerchantId(1), Currency::Idr)
}

const fn clearing() -> domain::AccountRole {
    domain::AccountRole::Clearing
}
