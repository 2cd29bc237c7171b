use std::sync::atomic::{AtomicU64, Ordering};

use domain::{Amount, MerchantId};

use super::super::schema;
use super::*;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_milliseconds(milliseconds)
}

fn waiting(id: u64, merchant: u32, due: i64) -> Callback {
    Callback {
        id: CallbackId(id),
        order: OrderId(id),
        merchant: MerchantId(merchant),
        protocol: ProtocolName::new("iak"),
        event: Event::Succeeded,
        to_own_address: false,
        at: at(0),
        balance: Amount::rupiah(1),
        rendered: None,
        state: CallbackState::Waiting { due: at(due) },
        tries: 0,
        tries_in_round: 0,
    }
}

/// Tables that know nothing of orders.
fn tables() -> Connection {
    let connection = Connection::open_in_memory().expect("opened");
    schema::MIGRATIONS.iter().for_each(|it| connection.execute_batch(it).expect("migrated"));
    connection.execute_batch("pragma foreign_keys = off").expect("set");
    connection
}

/// How many of SQLite's virtual instructions a look takes, and what it finds.
fn look(connection: &mut Connection, now: i64) -> (u64, Vec<u64>) {
    static STEPS: AtomicU64 = AtomicU64::new(0);
    STEPS.store(0, Ordering::SeqCst);
    let count = || {
        STEPS.fetch_add(1, Ordering::SeqCst);
        false
    };
    connection.progress_handler(1, Some(count)).expect("set");
    let found = due(connection, at(now), None, 100, 2).expect("read");
    connection.progress_handler(1, None::<fn() -> bool>).expect("set");
    (STEPS.load(Ordering::SeqCst), found.iter().map(|callback| callback.id.0).collect())
}

/// What was handed over long ago costs nothing, and neither does what waits behind others at the
/// same address.
#[test]
fn a_look_takes_time_by_addresses_with_something_open() {
    let mut connection = tables();
    let mut next = 1..;
    let mut put = |connection: &Connection, merchant, due: i64, state: Option<CallbackState>| {
        let id = next.next().expect("endless");
        let callback = waiting(id, merchant, due);
        let state = state.unwrap_or(callback.state);
        super::put(connection, [&Callback { state, ..callback }]).expect("put");
    };
    for merchant in 1..=3 {
        put(&connection, merchant, 5, None);
        put(&connection, merchant, 4, None);
    }
    // Open, and not due.
    put(&connection, 4, 900, None);
    // The first look prepares its statements.
    look(&mut connection, 10);
    let (before, found) = look(&mut connection, 10);
    assert_eq!(found, [2, 1, 4, 3, 6, 5]);
    for number in 0..3000 {
        put(&connection, 1 + number % 5, 1, Some(CallbackState::Delivered));
        put(&connection, 1 + number % 3, 6 + i64::from(number), None);
    }
    let (after, same) = look(&mut connection, 10);
    assert_eq!(same, found);
    assert!(after <= before, "{after} steps instead of {before}");
}

#[test]
fn a_callback_stays_the_news_of_its_order() {
    let connection = tables();
    put(&connection, [&waiting(1, 1, 0)]).expect("put");
    let other = Callback { order: OrderId(2), ..waiting(1, 1, 0) };
    assert!(matches!(put(&connection, [&other]), Err(Fault::Damaged(_))));
    assert_eq!(by_id(&connection, CallbackId(1)).expect("read"), Some(waiting(1, 1, 0)));
}
