//! What the book promises: nothing twice, nothing lost, and damage is named.

use std::sync::{Arc, Mutex};

use domain::Currency;
use proptest::prelude::*;

use super::*;
use crate::sandbox::draws;
use crate::sandbox::scratch::{Directory, NOW};

fn entry(order: u64, state: State) -> Entry {
    let serial_number = match state {
        State::Success => hex::encode_upper(draws::serial_number(0, order)),
        State::Pending(_) | State::Failed(_) => String::new(),
    };
    Entry {
        order: OrderId(order),
        attempt: 1,
        product: ProductId::new("pln-postpaid"),
        code: "PLNPOSTPAID".to_owned(),
        destination: "530000000000".to_owned(),
        nominal: Amount::rupiah(150_000),
        cost: Amount::rupiah(151_750),
        state,
        serial_number,
        at: NOW,
    }
}

const PENDING: State = State::Pending(Doubt::InProcess);
const FAILED: State = State::Failed(Refusal::PaymentFailed);

fn file(directory: &Directory) -> PathBuf {
    directory.path().join(FILE_NAME)
}

fn lines(directory: &Directory) -> Vec<String> {
    let text = std::fs::read_to_string(file(directory)).expect("a book");
    text.lines().map(str::to_owned).collect()
}

async fn state(book: &Book, order: u64) -> Option<State> {
    book.find(OrderId(order), 1).await.expect("an answer").map(|held| held.state)
}

#[tokio::test]
async fn people_can_read_it() {
    let directory = Directory::new();
    let book = Book::open(directory.path()).expect("a book");
    book.record(entry(7, State::Success)).await.expect("recorded");
    book.record(entry(8, FAILED)).await.expect("recorded");
    let serial = &entry(7, State::Success).serial_number;
    assert_eq!(
        lines(&directory),
        [
            format!(
                r#"{{"order":7,"attempt":1,"product":"pln-postpaid","code":"PLNPOSTPAID","destination":"530000000000","currency":"IDR","nominal":150000,"cost":151750,"state":"success","serial_number":"{serial}","at":"2024-01-31T15:45:00.000+07:00"}}"#
            ),
            r#"{"order":8,"attempt":1,"product":"pln-postpaid","code":"PLNPOSTPAID","destination":"530000000000","currency":"IDR","nominal":150000,"cost":151750,"state":"failed","reason":"PaymentFailed","serial_number":"","at":"2024-01-31T15:45:00.000+07:00"}"#.to_owned(),
        ]
    );
}

#[tokio::test]
async fn one_attempt_is_recorded_once() {
    let directory = Directory::new();
    let book = Arc::new(Book::open(directory.path()).expect("a book"));
    let mut calls = tokio::task::JoinSet::new();
    for call in 0..200 {
        let book = Arc::clone(&book);
        let state = if call % 2 == 0 { State::Success } else { FAILED };
        calls.spawn(async move { book.record(entry(1, state)).await });
    }
    let answers = calls.join_all().await;
    let first = answers[0].clone().expect("recorded");
    assert!(answers.iter().all(|answer| *answer == Ok(first)));
    assert_eq!(lines(&directory).len(), 1);
    assert_eq!(Book::read(&file(&directory)).expect("a book")[0].state, first.state);
}

#[tokio::test]
async fn threads_do_not_get_in_each_others_way() {
    let directory = Directory::new();
    let book = Book::open(directory.path()).expect("a book");
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let book = &book;
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build();
                runtime.expect("a runtime").block_on(async {
                    for order in 0..25 {
                        let own = entry(1000 * (thread + 1) + order, PENDING);
                        let shared = entry(order, State::Success);
                        book.record(own).await.expect("recorded");
                        book.record(shared).await.expect("recorded");
                    }
                });
            });
        }
    });
    assert_eq!(lines(&directory).len(), 8 * 25 + 25);
}

#[tokio::test]
async fn a_dropped_call_is_recorded_before_the_next_question() {
    let directory = Directory::new();
    let book = Book::open(directory.path()).expect("a book");
    for order in 1..100 {
        drop(book.record(entry(order, State::Success)));
        assert_eq!(state(&book, order).await, Some(State::Success));
    }
}

#[tokio::test]
async fn pending_purchases_are_settled_once() {
    let directory = Directory::new();
    let book = Book::open(directory.path()).expect("a book");
    assert_eq!(book.settle(entry(1, State::Success)).await, Err(SettleError::Unknown));
    for (order, verdict, other) in [(1, State::Success, FAILED), (2, FAILED, State::Success)] {
        book.record(entry(order, PENDING)).await.expect("recorded");
        let changed = Entry { nominal: Amount::rupiah(1), ..entry(order, verdict) };
        assert_eq!(book.settle(changed).await, Ok(()));
        assert_eq!(book.settle(entry(order, verdict)).await, Ok(()));
        assert_eq!(book.settle(entry(order, other)).await, Err(SettleError::Settled));
        assert_eq!(state(&book, order).await, Some(verdict));
    }
    assert_eq!(lines(&directory).len(), 4);
    let entries = Book::read(&file(&directory)).expect("a book");
    assert_eq!(entries, [entry(1, State::Success), entry(2, FAILED)]);
}

#[tokio::test]
async fn what_was_recorded_is_there_after_opening_again() {
    let directory = Directory::new();
    let book = Book::open(directory.path()).expect("a book");
    assert!(matches!(Book::open(directory.path()), Err(BookError::InUse { .. })));
    for (order, state) in [(1, PENDING), (2, State::Success), (3, FAILED)] {
        book.record(entry(order, state)).await.expect("recorded");
    }
    book.settle(entry(1, State::Success)).await.expect("settled");
    let before = book.find(OrderId(2), 1).await;
    drop(book);
    let book = Book::open(directory.path()).expect("a book");
    assert_eq!(book.find(OrderId(2), 1).await, before);
    assert_eq!(state(&book, 1).await, Some(State::Success));
    assert_eq!(state(&book, 3).await, Some(FAILED));
    assert_eq!(state(&book, 4).await, None);
    let repeated = book.record(entry(3, State::Success)).await.expect("known");
    assert_eq!(repeated.state, FAILED);
    assert_eq!(lines(&directory).len(), 4);
}

#[tokio::test]
async fn a_torn_last_line_is_cut_wherever_it_broke() {
    let directory = Directory::new();
    let book = Book::open(directory.path()).expect("a book");
    book.record(entry(1, PENDING)).await.expect("recorded");
    drop(book);
    let whole = std::fs::read(file(&directory)).expect("a book");
    let mut last = Vec::new();
    line::write(&entry(2, State::Success), &mut last).expect("written");
    for length in 0..last.len() {
        let torn = [whole.as_slice(), &last[..length]].concat();
        std::fs::write(file(&directory), &torn).expect("torn");
        assert_eq!(Book::read(&file(&directory)).expect("a book").len(), 1);
        assert_eq!(std::fs::read(file(&directory)).expect("a book"), torn);
        let book = Book::open(directory.path()).expect("a book");
        assert_eq!(state(&book, 2).await, None, "torn at {length}");
        book.record(entry(3, FAILED)).await.expect("recorded");
        drop(book);
        let numbers: Vec<_> = Book::read(&file(&directory)).expect("a book");
        let numbers: Vec<_> = numbers.iter().map(|entry| entry.order.0).collect();
        assert_eq!(numbers, [1, 3], "torn at {length}");
    }
}

#[tokio::test]
async fn a_copy_has_all_lines_of_the_purchases_that_are_wanted() {
    let directory = Directory::new();
    let book = Book::open(directory.path()).expect("a book");
    for order in [7, 8, 9] {
        book.record(entry(order, PENDING)).await.expect("recorded");
    }
    book.settle(entry(7, State::Success)).await.expect("settled");
    book.settle(entry(9, FAILED)).await.expect("settled");
    drop(book);
    // What is being written is not copied.
    let written = std::fs::read(file(&directory)).expect("a book");
    std::fs::write(file(&directory), [&written, &b"{\"order\":10"[..]].concat()).expect("written");
    let mut copy = Vec::new();
    Book::copy(&file(&directory), &mut copy, |order, attempt| Ok((order.0, attempt) != (8, 1)))
        .expect("copied");
    let copy = String::from_utf8(copy).expect("text");
    let copied: Vec<_> = copy.lines().collect();
    let all = lines(&directory);
    assert_eq!(copied, [&*all[0], &*all[2], &*all[3], &*all[4]]);
    let fault = Book::copy(&file(&directory), &mut Vec::new(), |_, _| Err("no".to_owned()));
    assert!(fault.expect_err("refused").to_string().ends_with("line 1 is damaged: no"));
}

#[test]
fn other_damage_is_named_by_its_line() {
    let text = |entry: &Entry| {
        let mut bytes = Vec::new();
        line::write(entry, &mut bytes).expect("written");
        String::from_utf8(bytes).expect("text")
    };
    let good = text(&entry(1, PENDING));
    let success = text(&entry(1, State::Success));
    let table = [
        (format!("{good}\n{}", text(&entry(2, FAILED))), 2, "EOF"),
        (format!("{good}nonsense\n"), 2, "expected"),
        (format!("{}\n", &good[..40]), 1, "EOF"),
        (good.replace("IDR", "XXX"), 1, "currency"),
        (good.replace("InProcess", "Perhaps"), 1, "reason"),
        (good.replace("\"pending\"", "\"success\""), 1, "reason"),
        (good.replace("150000", "-150000"), 1, "negative"),
        (good.replace("150000", "150000.0"), 1, "invalid type"),
        (good.replace("2024-01-31", "yesterday "), 1, "time"),
        (success.replace("\"serial_number\":\"", "\"serial_number\":\"0"), 1, "serial number"),
        (format!("{good}{good}"), 2, "twice"),
        (format!("{good}{success}{success}"), 3, "settled before"),
        (format!("{success}{good}"), 2, "settled before"),
        (format!("{good}{}", "\u{0}".repeat(10) + "\n"), 2, "expected"),
    ];
    for (content, line, reason) in table {
        let directory = Directory::new();
        std::fs::write(file(&directory), &content).expect("written");
        let errors = [
            Book::open(directory.path()).map(drop).expect_err(reason),
            Book::read(&file(&directory)).map(drop).expect_err(reason),
        ];
        for error in errors {
            let text = error.to_string();
            assert!(text.contains(&format!("line {line} ")) && text.contains(reason), "{text}");
        }
        assert_eq!(std::fs::read_to_string(file(&directory)).expect("a book"), content);
    }
}

/// A disk that fails when told to, and remembers what got through.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<DiskState>>);

#[derive(Default)]
struct DiskState {
    bytes: Vec<u8>,
    full: bool,
    cannot_cut: bool,
    cannot_sync: bool,
    syncs: usize,
}

impl Disk {
    fn with<T>(&self, act: impl FnOnce(&mut DiskState) -> T) -> T {
        act(&mut self.0.lock().expect("nobody panicked"))
    }

    fn book(&self) -> Book {
        Book::start(writer::Writer::new(self.clone(), 0, HashMap::new())).expect("a thread")
    }
}

fn failing(fails: bool) -> io::Result<()> {
    if fails { Err(io::Error::other("ordered by the test")) } else { Ok(()) }
}

impl writer::Medium for Disk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.with(|disk| {
            let through = if disk.full { bytes.len() / 2 } else { bytes.len() };
            disk.bytes.extend(&bytes[..through]);
            failing(disk.full)
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.with(|disk| {
            disk.syncs += 1;
            failing(disk.cannot_sync)
        })
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.with(|disk| {
            failing(disk.cannot_cut)?;
            disk.bytes.truncate(usize::try_from(length).expect("short"));
            Ok(())
        })
    }
}

#[tokio::test]
async fn a_full_disk_is_survived() {
    let disk = Disk::default();
    let book = disk.book();
    book.record(entry(1, State::Success)).await.expect("recorded");
    disk.with(|disk| disk.full = true);
    let failed = book.record(entry(2, State::Success)).await;
    assert!(matches!(failed, Err(BookFault::NotWritten(_))), "{failed:?}");
    assert_eq!(state(&book, 1).await, Some(State::Success));
    assert_eq!(state(&book, 2).await, None);
    disk.with(|disk| disk.full = false);
    book.record(entry(2, FAILED)).await.expect("recorded");
    drop(book);
    let lines = disk.with(|disk| disk.bytes.split_inclusive(|it| *it == b'\n').count());
    assert_eq!(lines, 2);
}

#[tokio::test]
async fn a_book_that_cannot_be_trusted_says_nothing() {
    let orders: [fn(&mut DiskState); 2] =
        [|disk| disk.cannot_sync = true, |disk| (disk.full, disk.cannot_cut) = (true, true)];
    for order in orders {
        let disk = Disk::default();
        let book = disk.book();
        book.record(entry(1, PENDING)).await.expect("recorded");
        disk.with(order);
        let failed = book.record(entry(2, State::Success)).await;
        assert!(matches!(failed, Err(BookFault::Broken(_))), "{failed:?}");
        disk.with(|disk| (disk.full, disk.cannot_cut, disk.cannot_sync) = (false, false, false));
        for order in [1, 2, 3] {
            let found = book.find(OrderId(order), 1).await;
            assert!(matches!(found, Err(BookFault::Broken(_))), "{found:?}");
        }
        let settled = book.settle(entry(1, State::Success)).await;
        assert!(matches!(settled, Err(SettleError::Fault(BookFault::Broken(_)))), "{settled:?}");
    }
}

#[tokio::test]
async fn nothing_is_written_for_questions() {
    let disk = Disk::default();
    let book = disk.book();
    for order in 1..10 {
        assert_eq!(state(&book, order).await, None);
    }
    assert_eq!(disk.with(|disk| disk.syncs), 0);
    book.record(entry(1, State::Success)).await.expect("recorded");
    book.record(entry(1, State::Success)).await.expect("known");
    assert_eq!(disk.with(|disk| disk.syncs), 1);
}

fn any_state() -> impl Strategy<Value = State> {
    prop_oneof![
        Just(State::Success),
        (0..Doubt::ALL.len()).prop_map(|index| State::Pending(Doubt::ALL[index])),
        (0..Refusal::ALL.len()).prop_map(|index| State::Failed(Refusal::ALL[index])),
    ]
}

proptest! {
    #[test]
    fn lines_are_read_back(
        order: u64,
        attempt: u16,
        code: String,
        destination: String,
        nominal in 0..=i64::MAX,
        currency in 0..Currency::ALL.len(),
        state in any_state(),
    ) {
        let amount = Amount::new(nominal, Currency::ALL[currency]).expect("not negative");
        let entry = Entry {
            attempt,
            code,
            destination,
            nominal: amount,
            cost: amount,
            ..entry(order, state)
        };
        let mut bytes = Vec::new();
        line::write(&entry, &mut bytes).expect("written");
        prop_assert_eq!(bytes.pop(), Some(b'\n'));
        prop_assert!(!bytes.contains(&b'\n'));
        prop_assert_eq!(line::read(&bytes), Ok(entry));
    }

    #[test]
    fn no_line_is_too_odd(bytes: Vec<u8>) {
        prop_assert!(line::read(&bytes).is_err());
    }
}
