//! Callbacks from the moment they are owed until somebody has them.

use std::time::Duration;

use super::*;
use crate::administration::{Act, Actor, Administer, Role};
use crate::callback::{Event, Received, Rendered};
use crate::command::{Command, Resolve};
use crate::fixtures::{Books, MERCHANT, NOW, at, buy, delivered, request, resolve, rupiah};
use crate::identifier::{MerchantId, Mode, OrderId, ProcessId};
use crate::order::{Delivery as Supplied, Outcome};
use crate::refusal::Refusal;

const OURS: ProcessId = ProcessId(1);
const THEIRS: ProcessId = ProcessId(2);

/// Books in which the first callback is owed, for an order that had this outcome.
fn owing(outcome: Outcome) -> Books {
    let mut books = Books::funded(1000);
    let asked = buy(request("A", "0812", Mode::Live), rupiah(400));
    books.run(&Command::Buy(asked)).expect("bought");
    books.run(&Command::Resolve(resolve(1, outcome))).expect("resolved");
    books
}

fn ended() -> Books {
    owing(delivered(rupiah(390)))
}

fn rendered(text: &str) -> Arc<Rendered> {
    Arc::new(Rendered { headers: Vec::new(), body: text.as_bytes().to_vec() })
}

fn lease(owner: ProcessId, now: i64, text: &str) -> Lease {
    Lease {
        wanted: vec![Wanted { callback: CallbackId(1), rendered: Some(rendered(text)) }],
        owner,
        at: at(now),
        until: at(now + 60_000),
        take_over: false,
    }
}

fn leased(books: &mut Books, lease: Lease) -> Vec<Callback> {
    match books.run(&Command::Lease(lease)) {
        Ok(Reply::Leased(callbacks)) => callbacks,
        other => panic!("{other:?}"),
    }
}

fn answered(status: u16) -> Received {
    Received::Answered { status, excerpt: "ok".to_owned() }
}

fn record(owner: ProcessId, received: Received, retry: Option<i64>) -> Command {
    Command::RecordDelivery(RecordDelivery {
        callback: CallbackId(1),
        owner,
        endpoint: endpoint_key(),
        at: at(NOW),
        took: Duration::from_millis(5),
        received,
        retry: retry.map(at),
    })
}

fn endpoint_key() -> EndpointKey {
    EndpointKey { merchant: MERCHANT, protocol: request("A", "x", Mode::Live).key.protocol }
}

fn endpoint() -> Endpoint {
    Endpoint {
        key: endpoint_key(),
        url: "https://shop.example/callback".to_owned(),
        secret: Secret::new("whsec_c2VjcmV0"),
        stopped_at: None,
    }
}

#[test]
fn each_end_is_owed_once() {
    let failed = Outcome::Refused(Refusal::PaymentFailed);
    let table = [(delivered(rupiah(390)), Event::Succeeded, 600), (failed, Event::Failed, 1000)];
    for (outcome, event, balance) in table {
        let mut books = owing(outcome.clone());
        let callback = &books.callbacks[&CallbackId(1)];
        assert_eq!((callback.event, callback.balance), (event, rupiah(balance)));
        assert_eq!(callback.state, CallbackState::Waiting { due: at(NOW) });
        assert_eq!(books.orders[&OrderId(1)].callbacks, [CallbackId(1)]);
        let again = books.decide(&Command::Resolve(resolve(1, outcome)));
        assert_eq!(again.changes, []);
        books.audit().expect("in order");
        books.callbacks.clear();
        let finding = books.audit().expect_err("it is owed and not there");
        assert_eq!(finding.record, "order 1");
    }
}

#[test]
fn who_wants_no_callback_is_owed_none() {
    let mut books = Books::funded(1000);
    let mut asked = buy(request("A", "0812", Mode::Live), rupiah(400));
    asked.request.calls_back = false;
    books.run(&Command::Buy(asked)).expect("bought");
    books.run(&Command::Resolve(resolve(1, delivered(rupiah(390))))).expect("resolved");
    assert!(books.callbacks.is_empty());
    books.audit().expect("in order");
}

/// A serial number that comes late is told, once.
#[test]
fn a_late_serial_number_is_news() {
    let with = |serial_number: &str| {
        let serial_number = serial_number.to_owned();
        Outcome::Delivered(Supplied { cost: rupiah(390), serial_number, details: None })
    };
    let mut books = owing(with(""));
    let news = Resolve { at: at(NOW + 9), ..resolve(1, with("SN-9")) };
    books.run(&Command::Resolve(news.clone())).expect("resolved");
    let callback = &books.callbacks[&CallbackId(2)];
    assert_eq!((callback.event, callback.at), (Event::SerialNumber, at(NOW + 9)));
    let order = &books.orders[&OrderId(1)];
    assert_eq!(order.delivery.as_ref().map(|it| it.serial_number.as_str()), Some("SN-9"));
    books.audit().expect("in order");
    for repeat in [with("SN-9"), with("SN-10"), with("")] {
        let decision = books.decide(&Command::Resolve(Resolve { outcome: repeat, ..news.clone() }));
        assert_eq!(decision.changes, []);
    }
}

#[test]
fn a_lease_keeps_others_away_until_it_runs_out() {
    let mut books = ended();
    let take_over = Lease { take_over: true, ..lease(THEIRS, NOW + 2, "x") };
    let table = [
        (lease(OURS, NOW - 1, "early"), 0),
        (lease(OURS, NOW, "first"), 1),
        (lease(OURS, NOW + 1, "again"), 0),
        (lease(THEIRS, NOW + 1, "theirs"), 0),
        (take_over.clone(), 1),
        (take_over, 0),
        (lease(OURS, NOW + 60_001, "too early"), 0),
        (lease(OURS, NOW + 60_002, "late"), 1),
    ];
    for (lease, expected) in table {
        let name = format!("{lease:?}");
        let callbacks = leased(&mut books, lease);
        assert_eq!(callbacks.len(), expected, "{name}");
        for callback in callbacks {
            assert_eq!(callback.rendered, Some(rendered("first")), "the first bytes stand");
        }
        books.audit().expect("in order");
    }
}

#[test]
fn nothing_is_leased_without_bytes() {
    let mut books = ended();
    let mut bare = lease(OURS, NOW, "");
    bare.wanted[0].rendered = None;
    assert_eq!(leased(&mut books, bare), []);
    assert_eq!(books.callbacks[&CallbackId(1)].state, CallbackState::Waiting { due: at(NOW) });
}

#[test]
fn what_a_try_comes_to() {
    let due = CallbackState::Waiting { due: at(NOW + 5000) };
    let unreachable = || Received::Unreachable { problem: "refused".to_owned() };
    let table = [
        (answered(200), Some(5000), CallbackState::Delivered, false),
        (answered(204), None, CallbackState::Delivered, false),
        (answered(302), Some(5000), due, false),
        (answered(500), Some(5000), due, false),
        (answered(500), None, CallbackState::GivenUp, false),
        (answered(410), Some(5000), CallbackState::GivenUp, true),
        (unreachable(), Some(5000), due, false),
        (Received::NoAddress, None, CallbackState::GivenUp, false),
    ];
    for (received, retry, state, stopped) in table {
        let mut books = ended();
        books.run(&Command::PutEndpoint(endpoint())).expect("stored");
        leased(&mut books, lease(OURS, NOW, "first"));
        let command = record(OURS, received.clone(), retry.map(|delay| NOW + delay));
        let Ok(Reply::DeliveryRecorded { callback, stopped: told }) = books.run(&command) else {
            panic!("{received:?}")
        };
        assert_eq!((callback.state, told), (state, stopped), "{received:?}");
        assert_eq!(books.endpoints[&endpoint_key()].stopped_at.is_some(), stopped);
        let [tried] = books.tries.as_slice() else { panic!("one try") };
        assert_eq!((tried.number, &tried.received), (1, &received));
        books.audit().expect("in order");
    }
}

/// A process that lost its lease still tells what it did; only a success counts then.
#[test]
fn late_news_of_a_try_moves_nothing_but_a_success() {
    for (received, state) in [(answered(500), "leased"), (answered(200), "delivered")] {
        let mut books = ended();
        leased(&mut books, lease(THEIRS, NOW, "first"));
        leased(&mut books, lease(OURS, NOW + 60_000, "second"));
        books.run(&record(THEIRS, received, None)).expect("recorded");
        assert_eq!(books.callbacks[&CallbackId(1)].state.name(), state);
    }
}

fn act(act: Act, now: i64) -> Command {
    let actor = Actor { name: "ana".to_owned(), role: Role::Operator };
    Command::Administer(Administer { actor, request: None, at: at(now), act })
}

#[test]
fn an_operator_has_it_sent_again_with_the_same_bytes() {
    let mut books = ended();
    let resend = Act::ResendCallback { callback: CallbackId(1) };
    leased(&mut books, lease(OURS, NOW, "first"));
    let busy = books.run(&act(resend.clone(), NOW + 1));
    assert_eq!(busy, Ok(Reply::Objected(Objection::CallbackInFlight)));
    books.run(&record(OURS, answered(200), None)).expect("recorded");
    let done = books.run(&act(resend, NOW + 2));
    assert!(matches!(done, Ok(Reply::Administered { .. })), "{done:?}");
    let [callback] = leased(&mut books, lease(OURS, NOW + 2, "other")).try_into().expect("one");
    assert_eq!(callback.rendered, Some(rendered("first")));
    assert_eq!((callback.tries, callback.tries_in_round), (1, 0));
    let unknown = books.run(&act(Act::ResendCallback { callback: CallbackId(9) }, NOW));
    assert_eq!(unknown, Ok(Reply::Objected(Objection::CallbackUnknown)));
    books.audit().expect("in order");
}

fn redelivery(order: u64, merchant: MerchantId, now: i64) -> Command {
    let callbacks = (1..=9).map(CallbackId).collect();
    Command::Redeliver(Redeliver {
        merchant,
        order: OrderId(order),
        callbacks,
        currency: crate::money::Currency::Idr,
        at: at(now),
    })
}

/// Without an operator: the same bytes in a new round, the latest news only, and only the merchant's
/// own.
#[test]
fn a_merchant_has_its_news_sent_again() {
    let mut books = ended();
    leased(&mut books, lease(OURS, NOW, "first"));
    let before = books.callbacks.clone();
    let sent = |callbacks| Ok(Reply::Redelivered { callbacks });
    assert_eq!(books.run(&redelivery(1, MERCHANT, NOW + 1)), sent(1), "it is being tried");
    assert_eq!(books.callbacks, before);
    books.run(&record(OURS, answered(200), None)).expect("recorded");
    let before = books.callbacks.clone();
    assert_eq!(books.run(&redelivery(2, MERCHANT, NOW + 2)), sent(0), "another order");
    assert_eq!(books.run(&redelivery(1, MerchantId(99), NOW + 2)), sent(0), "another merchant");
    assert_eq!(books.callbacks, before);
    assert_eq!(books.run(&redelivery(1, MERCHANT, NOW + 2)), sent(1));
    assert_eq!(books.decide(&redelivery(1, MERCHANT, NOW + 3)).changes, [], "it is due already");
    let [callback] = leased(&mut books, lease(OURS, NOW + 3, "other")).try_into().expect("one");
    assert_eq!(callback.rendered, Some(rendered("first")));
    assert_eq!((callback.tries, callback.tries_in_round), (1, 0));
    books.audit().expect("in order");
}

#[test]
fn only_the_latest_news_of_each_address_is_sent_again() {
    let mut books = Books::funded(1000);
    let mut asked = buy(request("A", "0812", Mode::Live), rupiah(400));
    asked.request.callback_url = Some("https://shop.example/own".to_owned());
    books.run(&Command::Buy(asked)).expect("bought");
    let with = |serial_number: &str| {
        let serial_number = serial_number.to_owned();
        Outcome::Delivered(Supplied { cost: rupiah(390), serial_number, details: None })
    };
    books.run(&Command::Resolve(resolve(1, with("")))).expect("resolved");
    books.run(&Command::Resolve(resolve(1, with("SN-9")))).expect("resolved");
    assert_eq!(books.callbacks.len(), 4);
    for callback in books.callbacks.values_mut() {
        callback.state = CallbackState::GivenUp;
    }
    let sent = books.run(&redelivery(1, MERCHANT, NOW + 5));
    assert_eq!(sent, Ok(Reply::Redelivered { callbacks: 2 }));
    let due: Vec<u64> = books
        .callbacks
        .values()
        .filter(|it| it.state == CallbackState::Waiting { due: at(NOW + 5) })
        .map(|it| it.id.0)
        .collect();
    assert_eq!(due, [3, 4]);
}

#[test]
fn endpoints_are_set_and_stopped_on_record() {
    let mut books = Books::default();
    let Endpoint { key, url, secret, .. } = endpoint();
    let set = Act::SetEndpoint { key: key.clone(), url, secret };
    let stop = Act::StopEndpoint { key: key.clone() };
    let told = |books: &mut Books, what: &Act| books.run(&act(what.clone(), NOW));
    let objected = |objection| Ok(Reply::Objected(objection));
    assert_eq!(told(&mut books, &set), objected(Objection::MerchantUnknown));
    assert_eq!(told(&mut books, &stop), objected(Objection::EndpointUnknown));
    let new = crate::administration::NewMerchant {
        name: "Toko".to_owned(),
        currency: crate::money::Currency::Idr,
        level: crate::merchant::Level("retail".to_owned()),
    };
    told(&mut books, &Act::AddMerchant(new)).expect("added");
    for (what, stopped) in [(&set, false), (&stop, true), (&stop, true), (&set, false)] {
        assert!(matches!(told(&mut books, what), Ok(Reply::Administered { .. })));
        assert_eq!(books.endpoints[&key].stopped_at.is_some(), stopped);
    }
    let facts: String = books
        .audit_records
        .iter()
        .map(|record| format!("{:?}{:?}", record.before, record.after))
        .collect();
    assert!(!facts.contains("whsec_"), "a secret stands in the audit: {facts}");
    books.audit().expect("in order");
}
