//! What the log keeps, finds, forgets and leaves out.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use bytes::Bytes;
use domain::{
    Doubt, MerchantId, Mode, OrderId, ProtocolName, Reference, ReferenceKey, Refusal, Timestamp,
};
use gateway::exchanges::{Meaning, Note, Recorded, Side, Signature};

use super::*;
use crate::scratch::Scratch;

const NOW: i64 = 1_700_000_000_000;
const KEY: [u8; 32] = [7; 32];

struct StandingClock(AtomicI64);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.0.load(Ordering::SeqCst))
    }
}

struct Kept {
    scratch: Scratch,
    clock: Arc<StandingClock>,
    options: Options,
}

impl Kept {
    fn new(change: impl FnOnce(&mut Options)) -> Self {
        let scratch = Scratch::new();
        std::fs::create_dir(scratch.path()).expect("directory is made");
        let clock = Arc::new(StandingClock(AtomicI64::new(NOW)));
        let mut options = Options {
            per_second: 1000,
            keep_days: 30,
            size_max: 64 << 20,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            give_way: || {},
        };
        change(&mut options);
        Self { scratch, clock, options }
    }

    fn open(&self) -> Arc<dyn ExchangeLog> {
        open(self.scratch.path(), self.options.clone(), KEY).expect("opens")
    }
}

/// Hides everything but the length.
fn mask(side: Side, body: &[u8]) -> String {
    format!("{side:?} of {}", body.len())
}

fn whole(_side: Side, body: &[u8]) -> String {
    String::from_utf8_lossy(body).into_owned()
}

fn exchange(reference: &str, merchant: Option<u32>, order: Option<u64>) -> Exchange {
    let mut note = Note::new("iak", mask);
    note.command = "inq-pasca";
    note.merchant = merchant.map(MerchantId);
    note.reference = Some(Reference::new(reference));
    note.order = order.map(OrderId);
    note.signature = Signature::Valid;
    note.code = Some("00");
    note.meaning = Some(Meaning::Granted);
    Exchange {
        at: Timestamp::from_milliseconds(NOW),
        took: Duration::from_micros(1500),
        peer: IpAddr::V4(Ipv4Addr::LOCALHOST),
        request_id: "kasir-7".into(),
        note,
        http_status: Some(200),
        request: Bytes::from_static(b"secret request"),
        answer: Bytes::from_static(b"secret answer of more"),
    }
}

fn order(id: u64, merchant: u32, reference: &str) -> Subject {
    Subject::Order {
        id: OrderId(id),
        key: ReferenceKey {
            merchant: MerchantId(merchant),
            protocol: ProtocolName::new("iak"),
            mode: Mode::Live,
            reference: Reference::new(reference),
        },
        from: Timestamp::from_milliseconds(NOW),
        until: Timestamp::from_milliseconds(NOW + 1000),
    }
}

fn orders(found: &Found) -> Vec<Option<u64>> {
    found.exchanges.iter().map(|it| it.order.map(|order| order.0)).collect()
}

#[tokio::test]
async fn an_exchange_is_found_as_it_was_and_masked() {
    let kept = Kept::new(|_| {});
    let log = kept.open();
    log.record(exchange("INV-1", Some(3), Some(17)));
    let expected = Recorded {
        number: 1,
        at: Timestamp::from_milliseconds(NOW),
        took: Duration::from_micros(1500),
        peer: "127.0.0.1".to_owned(),
        request_id: "kasir-7".to_owned(),
        protocol: "iak".to_owned(),
        command: "inq-pasca".to_owned(),
        merchant: Some(MerchantId(3)),
        order: Some(OrderId(17)),
        signature: Signature::Valid,
        code: Some("00".to_owned()),
        meaning: Some(Meaning::Granted),
        http_status: Some(200),
        request: "Request of 14".to_owned(),
        answer: "Answer of 21".to_owned(),
    };
    let found = log.about(order(17, 3, "INV-1")).await.expect("found");
    assert_eq!(found.exchanges, [expected]);
    assert_eq!((found.omitted, found.missed), (0, 0));
    assert_eq!(found.kept_since, Some(Timestamp::from_milliseconds(NOW)));
    assert_eq!(log.counts(), Counts { recorded: 1, missed: 0 });
    log.close().await;
    assert_eq!(log.about(order(17, 3, "INV-1")).await, Err(StoreFault::Stopped));
    let file = std::fs::read(kept.scratch.path().join(DATABASE_FILE)).expect("a file");
    for unmasked in ["secret", "INV-1"] {
        let found = file.windows(unmasked.len()).any(|part| part == unmasked.as_bytes());
        assert!(!found, "{unmasked} stands in the file");
    }
}

#[tokio::test]
async fn a_restart_forgets_nothing_and_another_key_finds_nothing() {
    let kept = Kept::new(|_| {});
    let log = kept.open();
    log.record(exchange("INV-1", Some(3), None));
    log.close().await;
    let log = kept.open();
    let subject = || Subject::Reference("INV-1".to_owned());
    assert_eq!(log.about(subject()).await.expect("found").exchanges.len(), 1);
    log.close().await;
    let other = open(kept.scratch.path(), kept.options.clone(), [8; 32]).expect("opens");
    assert_eq!(other.about(subject()).await.expect("found").exchanges, []);
    other.close().await;
}

/// Whose exchanges belong to order 17 of merchant 3 under INV-1.
#[tokio::test]
async fn exchanges_are_told_apart_by_order_merchant_and_reference() {
    let kept = Kept::new(|_| {});
    let log = kept.open();
    for (reference, merchant, order) in [
        ("INV-1", Some(3), None), // claimed by the merchant before there was an order
        ("INV-1", None, None),    // by nobody known
        ("INV-1", Some(4), None), // another merchant's
        ("INV-1", Some(3), Some(18)), // about another order
        ("INV-2", Some(3), Some(17)), // by the number alone
        ("INV-1", Some(3), Some(17)),
    ] {
        log.record(exchange(reference, merchant, order));
    }
    let mut elsewhere = exchange("INV-1", Some(3), None);
    elsewhere.note.protocol = "isikuota";
    log.record(elsewhere);
    let found = log.about(order(17, 3, "INV-1")).await.expect("found");
    assert_eq!(orders(&found), [None, None, Some(17), Some(17)]);
    let all = log.about(Subject::Reference("INV-1".to_owned())).await.expect("found");
    assert_eq!(all.exchanges.len(), 6);
    log.close().await;
}

#[tokio::test]
async fn every_verdict_and_meaning_comes_back() {
    let kept = Kept::new(|_| {});
    let log = kept.open();
    let meanings = [
        None,
        Some(Meaning::Granted),
        Some(Meaning::Open(Doubt::InProcess)),
        Some(Meaning::Refused(Refusal::BillPaid)),
    ];
    for (signature, meaning) in Signature::ALL.into_iter().zip(meanings) {
        let mut exchange = exchange("INV-1", None, None);
        (exchange.note.signature, exchange.note.meaning) = (signature, meaning);
        log.record(exchange);
    }
    let found = log.about(Subject::Reference("INV-1".to_owned())).await.expect("found");
    let found: Vec<_> = found.exchanges.iter().map(|it| (it.signature, it.meaning)).collect();
    assert_eq!(found, Signature::ALL.into_iter().zip(meanings).collect::<Vec<_>>());
    log.close().await;
}

#[tokio::test]
async fn what_is_too_much_is_counted_and_told() {
    let kept = Kept::new(|options| options.per_second = 5);
    let log = kept.open();
    for _ in 0..1000 {
        if log.admits() {
            log.record(exchange("INV-1", Some(3), Some(17)));
        }
    }
    let found = log.about(order(17, 3, "INV-1")).await.expect("found");
    let counts = log.counts();
    assert_eq!(counts.recorded + counts.missed, 1000);
    // The loop may have taken more than one second on a busy machine.
    assert!(counts.recorded >= 5 && counts.missed > 0, "{counts:?}");
    assert_eq!(found.missed, counts.missed);
    assert_eq!(found.exchanges.len() as u64 + found.omitted, counts.recorded);
    kept.clock.0.store(NOW + 5000, Ordering::SeqCst);
    let Subject::Order { id, key, .. } = order(17, 3, "INV-1") else { unreachable!() };
    let later = Timestamp::from_milliseconds(NOW + 5000);
    let apart = Subject::Order { id, key, from: later, until: later };
    assert_eq!(log.about(apart).await.expect("found").missed, 0, "another time's");
    log.close().await;
}

#[tokio::test]
async fn of_very_many_the_earliest_and_the_latest_are_shown() {
    let kept = Kept::new(|_| {});
    let log = kept.open();
    for _ in 0..250 {
        log.record(exchange("INV-1", None, None));
    }
    let found = log.about(Subject::Reference("INV-1".to_owned())).await.expect("found");
    let numbers: Vec<_> = found.exchanges.iter().map(|it| it.number).collect();
    assert_eq!(numbers, (1..=50).chain(201..=250).collect::<Vec<_>>());
    assert_eq!(found.omitted, 150);
    log.close().await;
}

#[test]
fn the_old_ones_go_and_no_others() {
    let kept = Kept::new(|_| {});
    let file = kept.scratch.path().join(DATABASE_FILE);
    let mut table = Table::open(&file, KEY, 64 << 20).expect("opens");
    let day = 86_400_000;
    let aged: Vec<_> = [40, 31, 29, 35, 0]
        .into_iter()
        .map(|days| {
            let mut exchange = exchange("INV-1", None, None);
            exchange.at = Timestamp::from_milliseconds(NOW - days * day);
            exchange
        })
        .collect();
    let now = Timestamp::from_milliseconds(NOW);
    table.write(&aged, Timestamp::from_milliseconds(NOW - 40 * day), 7).expect("written");
    table.forget_before(oldest_kept(now, 30)).expect("forgotten");
    let found = table.about(&Subject::Reference("INV-1".to_owned())).expect("found");
    let ages: Vec<_> =
        found.exchanges.iter().map(|it| (NOW - it.at.milliseconds()) / day).collect();
    assert_eq!((ages, found.missed), (vec![29, 0], 0));
}

#[test]
fn the_file_stays_below_its_cap() {
    let kept = Kept::new(|_| {});
    let file = kept.scratch.path().join(DATABASE_FILE);
    let cap = 1 << 20;
    let mut table = Table::open(&file, KEY, cap).expect("opens");
    let mut large = exchange("INV-1", None, None);
    large.note.mask = whole;
    large.request = Bytes::from("é".repeat(3000));
    let batch = vec![large; 16];
    for _ in 0..20 {
        table.write(&batch, Timestamp::from_milliseconds(NOW), 0).expect("written");
        table.make_room().expect("room is made");
        assert!(table.used().expect("told") <= cap);
    }
    let length = std::fs::metadata(&file).expect("a file").len();
    assert!(length <= cap, "{length}");
    let found = table.about(&Subject::Reference("INV-1".to_owned())).expect("found");
    let last = found.exchanges.last().expect("the latest are kept");
    assert_eq!(last.number, 20 * 16);
    assert_eq!(last.request, format!("{}…", "é".repeat(2048)), "cut between characters");
}

/// Long bodies are kept or counted, and give back the memory that they were allowed.
#[tokio::test]
async fn long_bodies_leave_room_for_those_after_them() {
    let kept = Kept::new(|_| {});
    let log = kept.open();
    for _ in 0..5 {
        for _ in 0..8 {
            let mut long = exchange("INV-1", None, None);
            long.request = Bytes::from(vec![b'x'; WAITING_BYTES_MAX / 8 - 100]);
            log.record(long);
        }
        let too_long = Bytes::from(vec![b'x'; WAITING_BYTES_MAX + 1]);
        log.record(Exchange { request: too_long, ..exchange("INV-1", None, None) });
        log.about(Subject::Reference("INV-1".to_owned())).await.expect("found");
    }
    assert_eq!(log.counts(), Counts { recorded: 40, missed: 5 });
    log.close().await;
}

/// A batch that finds no room is missed, and the log goes on.
#[tokio::test]
async fn a_batch_that_cannot_be_written_is_counted() {
    let kept = Kept::new(|options| options.size_max = 64 << 10);
    let log = kept.open();
    for _ in 0..100 {
        let mut large = exchange("INV-1", None, None);
        large.note.mask = whole;
        large.request = Bytes::from(vec![b'x'; 4000]);
        log.record(large);
    }
    let found = log.about(Subject::Reference("INV-1".to_owned())).await.expect("found");
    let counts = log.counts();
    assert_eq!(counts.recorded + counts.missed, 100);
    assert!(counts.missed > 0 && found.missed <= counts.missed, "{counts:?}");
    log.close().await;
}

#[test]
fn a_file_of_another_version_is_begun_anew_and_another_file_is_refused() {
    let kept = Kept::new(|_| {});
    let file = kept.scratch.path().join(DATABASE_FILE);
    let connection = Connection::open(&file).expect("opens");
    connection
        .execute_batch("create table exchanges (older text); pragma user_version = 9;")
        .expect("made");
    drop(connection);
    let table = Table::open(&file, KEY, 1 << 20).expect("begun anew");
    let found = table.about(&Subject::Reference("INV-1".to_owned())).expect("found");
    assert_eq!(found, Found::default());
    drop(table);
    std::fs::write(&file, "this is no database, and long enough to be seen as none").expect("put");
    assert!(Table::open(&file, KEY, 1 << 20).is_err());
}
