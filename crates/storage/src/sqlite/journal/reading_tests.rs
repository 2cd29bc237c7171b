//! Reading beside a writer that uses its segments again as fast as it can.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Journal, JournalFault, Options, Position, read};
use crate::scratch::{Counting, Scratch};

const SMALL: Options = Options { segment_min: 8 * 4096, segment_max: 16 * 4096 };

/// How many entries are appended.
const ENTRIES: u64 = 3000;
/// How many entries the tables are behind at most.
const LAG: u64 = 20;

fn payload(position: u64) -> Vec<u8> {
    let length = usize::try_from(position * 131 % 6000).expect("small");
    position.to_le_bytes().into_iter().cycle().take(8 + length).collect()
}

fn opened(scratch: &Scratch, applied: u64) -> Journal {
    let nothing = |_: Position, _: &[u8]| Ok(());
    Journal::open(scratch.path(), SMALL, Position(applied), &Counting, nothing).expect("opened")
}

/// What the writer tells the readers.
#[derive(Default)]
struct Told {
    acknowledged: AtomicU64,
    released: AtomicU64,
    ended: AtomicBool,
}

/// What a reader saw.
#[derive(Default)]
struct Seen {
    entries: usize,
    runs: usize,
    recycled: usize,
}

/// Reads over and over until the writer has ended.
fn watch(scratch: &Scratch, told: &Told) -> Seen {
    let mut seen = Seen::default();
    loop {
        let ended = told.ended.load(Ordering::SeqCst);
        let after = told.released.load(Ordering::SeqCst);
        let acknowledged = told.acknowledged.load(Ordering::SeqCst);
        match read(scratch.path(), Position(after)) {
            Ok(entries) => {
                for ((position, found), due) in entries.iter().zip(after + 1..) {
                    assert_eq!(position.0, due);
                    assert!(*found == payload(due), "{due}");
                }
                let last = after + u64::try_from(entries.len()).expect("few");
                assert!(
                    last >= acknowledged,
                    "{acknowledged} was acknowledged, {last} is the last"
                );
                seen.entries += entries.len();
                seen.runs += 1;
            }
            Err(JournalFault::Recycled(position)) => {
                // It has been released since.
                assert!(position.0 <= told.released.load(Ordering::SeqCst), "{position}");
                seen.recycled += 1;
            }
            Err(fault) => panic!("after {after}: {fault}"),
        }
        if ended {
            return seen;
        }
    }
}

#[test]
fn readers_see_what_was_acknowledged_or_that_it_is_gone() {
    let scratch = Scratch::new();
    let mut journal = opened(&scratch, 0);
    let told = Told::default();
    let released = journal.release_handle();
    let seen = std::thread::scope(|scope| {
        let readers = [(); 2].map(|()| scope.spawn(|| watch(&scratch, &told)));
        for position in 1..=ENTRIES {
            assert_eq!(journal.append(&payload(position)), Ok(Position(position)));
            told.acknowledged.store(position, Ordering::SeqCst);
            if position % LAG == 0 {
                // Told first, because a reader compares with it what the journal has given up.
                told.released.store(position, Ordering::SeqCst);
                released.up_to(Position(position));
            }
        }
        told.ended.store(true, Ordering::SeqCst);
        readers.map(|reader| reader.join().expect("no panic"))
    });
    for Seen { entries, runs, recycled } in seen {
        println!("{runs} runs with {entries} entries, {recycled} times too late");
        assert!(runs > 10 && entries > 10);
    }
}

#[test]
fn what_is_read_is_what_was_appended_after_it() {
    let scratch = Scratch::new();
    assert_eq!(read(scratch.path(), Position(0)), Ok(Vec::new()));
    let mut journal = opened(&scratch, 0);
    assert_eq!(read(scratch.path(), Position(0)), Ok(Vec::new()));
    for position in 1..=30 {
        journal.append(&payload(position)).expect("appended");
    }
    for after in 0..=31 {
        let expected: Vec<_> =
            (after + 1..=30).map(|position| (Position(position), payload(position))).collect();
        assert!(read(scratch.path(), Position(after)) == Ok(expected), "{after}");
    }
    // An opening may have appended the last entry a second time.
    drop(journal);
    drop(opened(&scratch, 10));
    let entries = read(scratch.path(), Position(10)).expect("read");
    assert!(entries.iter().map(|(position, _)| position.0).eq(11..=30));
}

#[test]
fn what_was_given_up_is_not_passed_over_in_silence() {
    let scratch = Scratch::new();
    let mut journal = opened(&scratch, 0);
    for position in 1..=30 {
        journal.append(&payload(position)).expect("appended");
    }
    journal.release_handle().up_to(Position(30));
    drop(journal);
    drop(opened(&scratch, 30));
    assert_eq!(read(scratch.path(), Position(30)), Ok(Vec::new()));
    assert!(matches!(read(scratch.path(), Position(0)), Err(JournalFault::Recycled(_))));
}
