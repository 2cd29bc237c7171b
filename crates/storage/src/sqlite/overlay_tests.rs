use domain::{Amount, Command, Currency, MerchantId};

use super::*;
use crate::conformance::{TOKO, key, quote};

const LIMITS: Limits = Limits {
    generation: 4,
    records: 8,
    age: Duration::from_secs(60),
    patience: Duration::from_millis(10),
};

fn overlay() -> Overlay {
    Overlay::new(LastNumbers::default(), Position(0), LIMITS)
}

/// An order of this number and, in its time of change, of this version.
fn order(id: u64, version: i64) -> Arc<Order> {
    let Command::MakeQuote(make) = quote(key(TOKO, &format!("r{id}")), Amount::rupiah(1)) else {
        panic!("not a quote")
    };
    let mut set = domain::working_set::WorkingSet::new(LastNumbers {
        order: id - 1,
        ..LastNumbers::default()
    });
    set.put_reference(make.request.key.clone(), None);
    let decision = domain::decide::decide(&set, &Command::MakeQuote(make)).expect("decided");
    let order = decision.changes.into_iter().find_map(|change| match change {
        domain::working_set::Change::NewOrder(order) => Some(Order::clone(&order)),
        _ => None,
    });
    let at = domain::Timestamp::from_milliseconds(version);
    Arc::new(Order { updated_at: at, ..order.expect("an order") })
}

fn new(order: &Arc<Order>) -> Changes {
    Changes { new_orders: [(order.id, Arc::clone(order))].into(), ..Changes::default() }
}

fn changed(order: &Arc<Order>) -> Changes {
    Changes { orders: [(order.id, Arc::clone(order))].into(), ..Changes::default() }
}

fn next(overlay: &Overlay) -> Option<Arc<Generation>> {
    match overlay.next(Some(Duration::ZERO)) {
        Work::Settle(generation) => Some(generation),
        Work::Rest | Work::End => None,
    }
}

/// Whatever was done to an order, it is one row to write, as new as it was to the tables.
#[test]
fn states_of_one_generation_become_one() {
    let overlay = overlay();
    let (first, second) = (order(1, 1), order(1, 2));
    overlay.publish(Position(1), changed(&order(9, 1)));
    overlay.publish(Position(2), new(&first));
    overlay.publish(Position(3), changed(&second));
    assert!(overlay.lock().waiting.is_empty(), "it is not worth a commit yet");
    overlay.publish(Position(4), changed(&order(9, 2)));
    let generation = next(&overlay).expect("it is full");
    assert_eq!(generation.last(), Position(4));
    let changes = generation.changes();
    assert_eq!(changes.new_orders.values().collect::<Vec<_>>(), [&second]);
    assert_eq!(changes.orders.values().collect::<Vec<_>>(), [&order(9, 2)]);
}

#[test]
fn the_latest_state_is_found_by_every_name_until_it_is_given_up() {
    let overlay = overlay();
    for version in 1..=9 {
        let order = order(1, version);
        let changes = if version == 1 { new(&order) } else { changed(&order) };
        overlay.publish(Position(u64::try_from(version).expect("small")), changes);
        assert_eq!(overlay.order(OrderId(1)), Some(Arc::clone(&order)));
        assert_eq!(overlay.order_by_reference(&order.key), Some(order));
    }
    assert_eq!(overlay.published(), Position(9));
    assert_eq!(overlay.last_numbers().order, 1);
    for last in [4, 8] {
        assert_eq!(next(&overlay).expect("full").last(), Position(last));
        overlay.retire(Duration::ZERO);
        assert_eq!(overlay.order(OrderId(1)), Some(order(1, 9)));
    }
    assert!(overlay.lock().waiting.is_empty());
    assert!(!overlay.settled_up_to(Position(9), Duration::ZERO));
    // Somebody waits for it now, so it does not wait to become larger.
    assert_eq!(next(&overlay).expect("wanted").last(), Position(9));
    overlay.retire(Duration::ZERO);
    assert!(overlay.settled_up_to(Position(9), Duration::ZERO) && overlay.is_settled());
    assert_eq!(overlay.order(OrderId(1)), None);
    assert_eq!(overlay.order_by_reference(&order(1, 1).key), None);
}

#[test]
fn accounts_and_the_catalogue_are_kept_track_of() {
    let overlay = overlay();
    let key = AccountKey::merchant(MerchantId(1), Currency::Idr);
    let account = |debits_posted| Account {
        id: AccountId(3),
        key: key.clone(),
        counters: domain::account::Counters {
            debits_posted,
            ..domain::account::Counters::default()
        },
        latest: None,
    };
    for posted in 1..=2 {
        let accounts = [(AccountId(3), account(posted))].into();
        overlay.publish(
            Position(u64::try_from(posted).expect("small")),
            Changes { accounts, ..Changes::default() },
        );
        assert_eq!(overlay.account(&key), Some(account(posted)));
    }
    assert_eq!(overlay.catalogue(), Position(0));
    let merchant = domain::Merchant {
        id: MerchantId(5),
        name: "Toko".to_owned(),
        currency: Currency::Idr,
        level: domain::Level("retail".to_owned()),
        status: domain::MerchantStatus::Active,
        addresses: Vec::new(),
        rate_limit: None,
        repetition: domain::Repetition::Free,
    };
    overlay.publish(Position(3), Changes { merchants: vec![merchant], ..Changes::default() });
    assert_eq!(overlay.catalogue(), Position(3));
    let last = overlay.last_numbers();
    assert_eq!((last.account, last.merchant), (3, 5));
}

#[test]
fn room_is_waited_for_and_then_refused() {
    let overlay = overlay();
    for id in 1..=9 {
        assert_eq!(overlay.admit(1), Ok(()));
        overlay.publish(Position(id), new(&order(id, 1)));
    }
    let refused = |why: &str| Err(EngineFault::Unavailable(why.to_owned()));
    assert_eq!(overlay.admit(1), refused("the tables lag too far behind the journal"));
    assert!(overlay.try_again("the disk is full".to_owned(), Duration::ZERO));
    assert_eq!(overlay.admit(1), refused("the disk is full"));
    next(&overlay).expect("full");
    overlay.retire(Duration::ZERO);
    assert_eq!(overlay.admit(1), Ok(()));
    overlay.halted("broken".to_owned());
    assert_eq!(overlay.admit(1), Err(EngineFault::Fatal("broken".to_owned())));
}

/// Once half of the room is taken the writer takes as long for a record as stage two, in the
/// measure in which the other half is taken.
#[test]
fn pauses_grow_with_what_waits() {
    let record = Duration::from_micros(10);
    let table = [(0, 0), (1, 25), (2, 50), (4, 100)];
    for (beyond_half, expected) in table {
        assert_eq!(duration_of(record, 10, beyond_half, 4), Duration::from_micros(expected));
    }
}

#[test]
fn the_end_comes_when_everything_is_settled_or_at_once() {
    let overlay = overlay();
    overlay.publish(Position(1), new(&order(1, 1)));
    overlay.end(Ending::Drained);
    assert!(next(&overlay).is_some(), "it is not drained");
    assert!(!overlay.try_again("no use".to_owned(), Duration::from_secs(60)));
    overlay.retire(Duration::ZERO);
    assert!(matches!(overlay.next(None), Work::End));
    overlay.publish(Position(2), new(&order(2, 1)));
    overlay.end(Ending::Abandoned);
    overlay.end(Ending::Drained);
    assert!(matches!(overlay.next(None), Work::End));
    assert!(!overlay.is_settled());
}
