//! News and collections between the stages: what is owed, tried, collected and claimed is there
//! whatever the tables have of it.

use std::sync::{Arc, Mutex};

use domain::callback::Endpoint;
use domain::command::{Buy, RecordEvidence};
use domain::evidence::Doubtful;
use domain::posting::Direction;
use domain::{
    Callback, CallbackId, CallbackState, Command, EvidenceState, Order, OrderState, Preferences,
    ProtocolName, Refusal, Repetition, Reply, Secret, Timestamp,
};
use gateway::ports::{SealFault, Sealer};
use rusqlite::Connection;

use super::overlay::Limits;
use super::staging::{Door, Gate, Moment, Watched};
use super::*;
use crate::Opened;
use crate::conformance::callbacks::{OURS, called_back, endpoint_key, lease, tried};
use crate::conformance::collections::{CHANNEL, credit, open as opening, seen, tell};
use crate::conformance::evidence::suspend;
use crate::conformance::{ASK_AT, LATER, TOKO, delivered, fund, resolve};
use crate::scratch::{Counting, Scratch};

const CANARY: &str = "whsec_canary";

/// Turns the text around and binds it to its place.
struct Turned;

impl Sealer for Turned {
    fn seal(&self, plain: &str, context: &str) -> String {
        format!("{context}|{}", plain.chars().rev().collect::<String>())
    }

    fn open(&self, sealed: &str, context: &str) -> Result<String, SealFault> {
        let turned = sealed.strip_prefix(&format!("{context}|")).ok_or(SealFault)?;
        Ok(turned.chars().rev().collect())
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}

fn built(scratch: &Scratch, build: Build<'_>) -> Opened {
    let options = Options { sealer: Arc::new(Turned), ..Options::default() };
    open_as(scratch.path(), options, &Counting, build).expect("opened")
}

async fn reply(opened: &Opened, command: Command) -> Reply {
    opened.store.execute(command, None).await.expect("no fault").expect("no refusal")
}

async fn refusal(opened: &Opened, command: Command) -> Refusal {
    opened.store.execute(command, None).await.expect("no fault").expect_err("not refused")
}

/// Buys what a merchant wants to buy once a day only, and to be told of.
fn bought(reference: &str) -> Buy {
    Buy { repetition: Repetition::OncePerProduct, ..called_back(TOKO, reference) }
}

fn order_in(reply: Reply) -> Arc<Order> {
    match reply {
        Reply::Accepted { order, .. }
        | Reply::Resolved { order, .. }
        | Reply::Awaited { order, .. }
        | Reply::Credited { order, .. } => order,
        other => panic!("{other:?}"),
    }
}

/// How everything stands after the story below.
struct Stood {
    callbacks: Vec<Callback>,
    paid: Arc<Order>,
    evidence: Vec<domain::Evidence>,
}

/// Some of everything: a callback that was delivered at the second try, one that is being tried, one
/// that waits; a collection that was paid, one that waits; evidence on suspense.
async fn tell_a_story(opened: &Opened) -> Stood {
    let endpoint = Endpoint {
        key: endpoint_key(TOKO),
        url: "https://toko.example".to_owned(),
        secret: Secret::new(CANARY),
        stopped_at: None,
    };
    reply(opened, Command::PutEndpoint(endpoint)).await;
    let values = [("lists".to_owned(), "short".to_owned())].into();
    let protocol = ProtocolName::new("iak");
    reply(opened, Command::PutPreferences(Preferences { merchant: TOKO, protocol, values })).await;
    let rupiah = domain::Amount::rupiah;
    reply(opened, fund(TOKO, "f1", Direction::Credit, rupiah(1000))).await;
    for (reference, destination) in [("r1", "0811"), ("r2", "0812")] {
        let mut bought = bought(reference);
        bought.request.destination = destination.to_owned();
        let order = order_in(reply(opened, Command::Buy(bought)).await);
        reply(opened, resolve(&order, delivered(90))).await;
    }
    reply(opened, Command::Lease(lease(&[1, 2], "news", OURS, ASK_AT))).await;
    reply(opened, Command::RecordDelivery(tried(1, ASK_AT, 503, Some(LATER)))).await;
    reply(opened, Command::Lease(lease(&[1], "other", OURS, LATER))).await;
    reply(opened, Command::RecordDelivery(tried(1, LATER, 200, None))).await;

    let mut collections = Vec::new();
    for (reference, due) in [("c1", 10_000), ("c2", 20_000)] {
        let command = Command::OpenCollection(opening(reference, CHANNEL, rupiah(due)));
        let order = order_in(reply(opened, command).await);
        collections
            .push(order_in(reply(opened, Command::Tell(tell(&order, Some(reference)))).await));
    }
    let mut evidence = Vec::new();
    for (id, amount) in [("e1", 10_000), ("e2", 5)] {
        let command = RecordEvidence { evidence: seen(id, CHANNEL, rupiah(amount)) };
        let Reply::EvidenceRecorded { evidence: recorded, .. } =
            reply(opened, Command::RecordEvidence(command)).await
        else {
            panic!("not recorded");
        };
        evidence.push(recorded);
    }
    let paid =
        order_in(reply(opened, Command::Credit(credit(&collections[0], &evidence[0]))).await);
    reply(opened, suspend(&evidence[1], Doubtful::NoOrder)).await;
    let mut stood = Stood { callbacks: Vec::new(), paid, evidence: Vec::new() };
    for id in 1..=3 {
        let callback = opened.callbacks.callback(CallbackId(id)).await.expect("read");
        stood.callbacks.push(callback.expect("it is owed"));
    }
    for evidence in evidence {
        let found = opened.collections.evidence(&evidence.key).await.expect("read");
        stood.evidence.push(found.expect("it came in"));
    }
    assert_eq!(stood.callbacks[0].state, CallbackState::Delivered);
    assert!(matches!(stood.callbacks[1].state, CallbackState::Leased { .. }));
    assert!(matches!(stood.callbacks[2].state, CallbackState::Waiting { .. }));
    assert_eq!(stood.evidence[0].state, EvidenceState::Used(stood.paid.id));
    stood
}

/// What can be known without the tables.
async fn check_points(opened: &Opened, stood: &Stood) {
    for callback in &stood.callbacks {
        let found = opened.callbacks.callback(callback.id).await;
        assert_eq!(found.as_ref(), Ok(&Some(callback.clone())));
    }
    for evidence in &stood.evidence {
        let found = opened.collections.evidence(&evidence.key).await;
        assert_eq!(found.as_ref(), Ok(&Some(evidence.clone())));
    }
    assert_eq!(opened.store.order(stood.paid.id).await, Ok(Some(Arc::clone(&stood.paid))));
    // Whoever decides knows what was claimed.
    let mut again = bought("r9");
    again.request.destination = "0811".to_owned();
    assert_eq!(refusal(opened, Command::Buy(again)).await, Refusal::ProductRepeated);
    let waiting = opened.store.order(domain::OrderId(4)).await.expect("read").expect("there");
    let taken = Command::Tell(tell(&waiting, Some("c1")));
    assert_eq!(refusal(opened, taken).await, Refusal::PayerReferenceUsed);
    let lease = Command::Lease(lease(&[1, 2], "news", OURS, ASK_AT));
    assert_eq!(reply(opened, lease).await, Reply::Leased(Vec::new()));
}

/// What the tables tell once they follow.
async fn check_lists(opened: &Opened, stood: &Stood) {
    let leased = opened.callbacks.callbacks_leased(CallbackId(0), 9).await;
    assert_eq!(leased, Ok(vec![stood.callbacks[1].clone()]));
    let due = opened.callbacks.callbacks_due(LATER, None, 9, 9).await;
    let due: Vec<_> = due.expect("read").iter().map(|callback| callback.id.0).collect();
    assert_eq!(due, [3, 2]);
    let tries = opened.callbacks.deliveries(CallbackId(1)).await.expect("read");
    assert_eq!(tries.iter().map(|it| it.number).collect::<Vec<_>>(), [1, 2]);
    let due = domain::Amount::rupiah(20_000);
    let waiting = opened.collections.awaiting(CHANNEL, due, 9).await.expect("read");
    assert_eq!(waiting.iter().map(|it| it.id.0).collect::<Vec<_>>(), [4]);
    let moved = opened.reports.transfers_of_order(&stood.paid).await.expect("read");
    assert_eq!(moved.len(), 2);
    let catalogue = opened.reports.catalogue().await.expect("opened with the key");
    let endpoint = catalogue.endpoint(&endpoint_key(TOKO)).expect("put");
    assert_eq!(endpoint.secret.reveal(), CANARY);
    assert_eq!(catalogue.preference(&endpoint_key(TOKO), "lists"), Some("short"));
}

fn holds_canary(folder: &std::path::Path) -> bool {
    let entries = std::fs::read_dir(folder).expect("listed").map(|it| it.expect("one").path());
    entries.into_iter().any(|entry| {
        if entry.is_dir() {
            return holds_canary(&entry);
        }
        let bytes = std::fs::read(entry).expect("read");
        bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes())
    })
}

/// The tables have nothing of the story while it is told; then they have all of it.
#[test]
fn everything_is_found_before_and_after_it_is_settled() {
    let (scratch, backups, restored) = (Scratch::new(), Scratch::new(), Scratch::new());
    std::fs::create_dir(backups.path()).expect("made");
    let gate = Gate::new(Door::Shut);
    let running = built(&scratch, gate.build());
    let stood = block_on(async {
        let stood = tell_a_story(&running).await;
        check_points(&running, &stood).await;
        stood
    });
    let summary = verify(scratch.path()).expect("in order");
    assert_eq!((summary.callbacks, summary.evidence, summary.orders), (3, 2, 4));

    // What a backup and a crash take along is all of it, and needs no key to be proved.
    let file = backups.path().join("one.tar");
    let taken_at = Timestamp::from_milliseconds(1_700_000_000_000);
    backup(scratch.path(), &file, taken_at, &[]).expect("backed up");
    assert_eq!(restore(&file, restored.path(), &[]).expect("restored").summary, summary);
    let crashed = scratch.crashed();
    assert_eq!(verify(crashed.path()).expect("in order"), summary);
    let held = Gate::new(Door::Shut);
    let again = built(&crashed, held.build());
    block_on(check_points(&again, &stood));
    held.set(Door::Open);
    gate.set(Door::Open);
    let from_backup = built(&restored, Build::default());
    for (opened, scratch) in [(running, &scratch), (again, &crashed), (from_backup, &restored)] {
        block_on(async {
            check_lists(&opened, &stood).await;
            check_points(&opened, &stood).await;
            opened.shutdown.shutdown().await;
        });
        assert_eq!(verify(scratch.path()).expect("in order"), summary);
        assert!(!holds_canary(scratch.path()), "a secret is there to be read");
    }
    assert!(!holds_canary(backups.path()), "a secret is there to be read");
}

/// Copies the data before and after every step of stage two. Whatever a copy has of an order, it
/// has of its callback too.
#[test]
fn a_crash_at_any_moment_forgets_no_news() {
    let scratch = Scratch::new();
    let copies: Arc<Mutex<Vec<(Moment, Scratch)>>> = Arc::default();
    let (place, kept) = (scratch.path().to_owned(), Arc::clone(&copies));
    let hook = move |moment| {
        let copy = Scratch::copy_of(&place, &["lunas.db", "lunas.db-wal", "journal"]);
        kept.lock().expect("whole").push((moment, copy));
    };
    let build = Build {
        limits: Limits {
            generation: 4,
            records: 40,
            age: Duration::from_millis(10),
            // Copying takes its time.
            patience: Duration::from_secs(60),
        },
        destination: Box::new(move |tables| Box::new(Watched { tables, hook })),
        ..Build::default()
    };
    let running = built(&scratch, build);
    block_on(async {
        tell_a_story(&running).await;
        running.shutdown.shutdown().await;
    });
    let copies = std::mem::take(&mut *copies.lock().expect("whole"));
    assert!(copies.len() >= 9, "only {} moments", copies.len());
    for (moment, copy) in copies {
        let before = verify(copy.path()).unwrap_or_else(|fault| panic!("{moment:?}: {fault}"));
        let opened = built(&copy, Build::default());
        block_on(opened.shutdown.shutdown());
        assert_eq!(verify(copy.path()).expect("in order"), before, "{moment:?}");
    }
}

/// One row per way to tamper, and the record that the audit names.
#[test]
fn every_damage_is_found_and_named() {
    let table = [
        ("delete from callbacks where id = 3", "order 3"),
        ("update callbacks set order_id = 2 where id = 1", "callback 1"),
        ("update callbacks set merchant = 7 where id = 1", "callback 1"),
        ("update callbacks set event = 'failed' where id = 1", "callback 1"),
        ("update callbacks set event = 'dreamt' where id = 1", "callback 1"),
        ("update callbacks set body = null where id = 1", "callback 1"),
        ("update callbacks set headers = null, body = null where id = 1", "callback 1"),
        ("update callbacks set headers = '{' where id = 1", "callback 1"),
        ("update callbacks set state = 'waiting' where id = 1", "callback 1"),
        ("update callbacks set due_at_ms = null where id = 2", "callback 2"),
        ("update callbacks set lease_owner = null where id = 2", "callback 2"),
        ("update callbacks set balance_minor = -1 where id = 2", "callback 2"),
        ("update callbacks set tries = 1 where id = 1", "callback 1"),
        ("delete from deliveries where number = 2", "callback 1"),
        ("delete from deliveries where number = 1", "delivery 2 of callback 1"),
        ("update deliveries set callback = 9 where number = 1", "delivery "),
        ("update deliveries set status = null", "delivery 1 of callback 1"),
        ("update deliveries set received = 'lost'", "delivery 1 of callback 1"),
        ("update deliveries set took_ms = -1", "delivery 1 of callback 1"),
        ("update orders set callbacks = '[2]' where id = 1", "order 2"),
        ("update orders set callbacks = '[]' where id = 1", "order 1"),
        ("update orders set channel = null where id = 4", "order 4"),
        ("update orders set due_minor = -1 where id = 4", "order 4"),
        ("update orders set due_currency = 'XXX' where id = 4", "order 4"),
        ("update orders set gross_minor = null where id = 4", "order 4"),
        ("update orders set particulars = '' where id = 4", "order 4"),
        ("update orders set evidence_id = null where id = 3", "order 3"),
        ("update orders set evidence_id = 'e9' where id = 3", "evidence e1 of sim-1"),
        ("update orders set recipient = '{\"record\":[]}' where id = 1", "order 1"),
        ("delete from evidence where id = 'e1'", "order 3"),
        ("update evidence set state = 'open', order_id = null where id = 'e1'", "evidence e1"),
        ("update evidence set order_id = 4 where id = 'e1'", "evidence e1"),
        ("update evidence set amount_minor = 6 where id = 'e2'", "evidence e2"),
        ("update evidence set transfer = 1 where id = 'e2'", "evidence e2"),
        ("update evidence set reason = 'whim' where id = 'e2'", "evidence e2"),
        ("update evidence set state = 'lost' where id = 'e2'", "evidence e2"),
        ("update day_claims set order_id = 2 where destination = '0811'", "order 2"),
        ("update day_claims set day = 0 where destination = '0811'", "order 1"),
        ("update day_claims set order_id = 99", "order 99"),
        ("update day_claims set product = 'x' where all_products = 1", "day claims"),
        ("update payer_references set order_id = 1 where reference = 'c1'", "order 1"),
        ("update payer_references set order_id = -1 where reference = 'c1'", "payer references"),
        ("update endpoints set merchant = -1", "endpoint"),
        ("update preferences set preferences = '['", "preferences of merchant 1 iak"),
    ];
    let scratch = Scratch::new();
    let opened = built(&scratch, Build::default());
    block_on(async {
        tell_a_story(&opened).await;
        opened.shutdown.shutdown().await;
    });
    verify(scratch.path()).expect("in order");
    for (tampering, record) in table {
        let tampered = scratch.copied();
        let vandal = Connection::open(tampered.path().join(DATABASE_FILE)).expect("connected");
        vandal
            .execute_batch("pragma ignore_check_constraints = on; pragma foreign_keys = off")
            .expect("set");
        assert!(vandal.execute(tampering, []).expect(tampering) > 0, "{tampering}: no change");
        drop(vandal);
        match verify(tampered.path()) {
            Err(VerifyFault::Finding(finding)) => {
                assert!(finding.record.starts_with(record), "{tampering}: {finding}");
            }
            other => panic!("{tampering}: {other:?}"),
        }
    }
}

#[test]
fn a_collection_that_was_paid_tells_so_in_its_own_row() {
    let scratch = Scratch::new();
    let opened = built(&scratch, Build::default());
    block_on(async {
        let stood = tell_a_story(&opened).await;
        assert_eq!(stood.paid.state, OrderState::Succeeded);
        opened.shutdown.shutdown().await;
    });
    let tables = connect_to_read(scratch.path()).expect("connected");
    let mut statement = tables
        .prepare("select id, paid_by_transfer is not null from orders order by id")
        .expect("prepared");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("read");
    let rows: Vec<(i64, bool)> = rows.map(|row| row.expect("a row")).collect();
    assert_eq!(rows, [(1, false), (2, false), (3, true), (4, false)]);
}
