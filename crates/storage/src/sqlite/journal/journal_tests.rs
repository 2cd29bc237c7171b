//! The journal on the real file system.

use super::memory::Opened;
use super::*;
use crate::scratch::{Counting, Scratch};

/// Segments that a few entries fill.
const SMALL: Options = Options { segment_min: 8 * 4096, segment_max: 16 * 4096 };

/// Opens the journal in a directory and tells what it hands over.
fn open(scratch: &Scratch, applied: u64) -> Opened {
    let mut replayed = Vec::new();
    let journal =
        Journal::open(scratch.path(), SMALL, Position(applied), &Counting, |position, payload| {
            replayed.push((position.0, payload.to_vec()));
            Ok(())
        })?;
    Ok((journal, replayed))
}

/// The payload of an entry: of a length and content of its own.
fn payload(position: u64) -> Vec<u8> {
    let length = usize::try_from(position * 977 % 9000).expect("it is small");
    position.to_le_bytes().into_iter().chain((0..=255).cycle()).take(8 + length).collect()
}

fn entries(positions: impl IntoIterator<Item = u64>) -> Vec<(u64, Vec<u8>)> {
    positions.into_iter().map(|position| (position, payload(position))).collect()
}

fn append(journal: &mut Journal, positions: impl IntoIterator<Item = u64>) {
    for position in positions {
        assert_eq!(journal.append(&payload(position)), Ok(Position(position)));
    }
}

fn files(scratch: &Scratch) -> Vec<String> {
    let entries = std::fs::read_dir(scratch.path()).expect("it is there");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("readable").file_name().into_string().expect("a text"))
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_appended_is_handed_over_until_it_is_applied() {
    let scratch = Scratch::new();
    let (mut journal, replayed) = open(&scratch, 0).expect("opened");
    assert_eq!(replayed, []);
    append(&mut journal, 1..=40);
    drop(journal);
    for applied in [0, 1, 17, 39, 40] {
        let (journal, replayed) = open(&scratch, applied).expect("opened");
        assert_eq!(replayed, entries(applied + 1..=40), "{applied}");
        assert_eq!(journal.last(), Position(40));
    }
}

#[test]
fn positions_go_on_where_tables_and_journal_are() {
    let scratch = Scratch::new();
    let (mut journal, _) = open(&scratch, 7).expect("opened");
    append(&mut journal, 8..=9);
    drop(journal);
    let (mut journal, replayed) = open(&scratch, 20).expect("opened");
    assert_eq!(replayed, []);
    append(&mut journal, 21..=22);
    drop(journal);
    let (_, replayed) = open(&scratch, 21).expect("opened");
    assert_eq!(replayed, entries([22]));
}

#[test]
fn released_segments_are_used_again() {
    let scratch = Scratch::new();
    let (mut journal, _) = open(&scratch, 0).expect("opened");
    let released = journal.release_handle();
    for position in 1..=400 {
        append(&mut journal, [position]);
        released.up_to(Position(position));
    }
    // One is written to, one comes next, and one more may have been made before the first release.
    assert!(files(&scratch).len() <= 3, "{:?}", files(&scratch));
    drop(journal);
    let (_, replayed) = open(&scratch, 400).expect("opened");
    assert_eq!(replayed, []);
    assert!(files(&scratch).len() <= 2, "{:?}", files(&scratch));
}

#[test]
fn what_is_not_released_is_kept_however_much_it_is() {
    let scratch = Scratch::new();
    let (mut journal, _) = open(&scratch, 0).expect("opened");
    append(&mut journal, 1..=200);
    journal.release_handle().up_to(Position(150));
    append(&mut journal, 201..=260);
    drop(journal);
    let (_, replayed) = open(&scratch, 150).expect("opened");
    assert_eq!(replayed, entries(151..=260));
}

#[test]
fn an_entry_larger_than_a_segment_gets_one_of_its_own() {
    let scratch = Scratch::new();
    let (mut journal, _) = open(&scratch, 0).expect("opened");
    let large = vec![7; 300_000];
    append(&mut journal, [1]);
    assert_eq!(journal.append(&large), Ok(Position(2)));
    append(&mut journal, [3]);
    drop(journal);
    for _ in 0..2 {
        let (_, replayed) = open(&scratch, 0).expect("opened");
        let expected = [(1, payload(1)), (2, large.clone()), (3, payload(3))];
        assert!(replayed == expected);
    }
    // As the last entry it is appended once more when it is handed over.
    let (mut journal, _) = open(&scratch, 3).expect("opened");
    assert_eq!(journal.append(&large), Ok(Position(4)));
    drop(journal);
    for _ in 0..2 {
        let (_, replayed) = open(&scratch, 3).expect("opened");
        assert!(replayed == [(4, large.clone())]);
    }
}

#[test]
fn a_closed_journal_takes_nothing() {
    let scratch = Scratch::new();
    let (mut journal, _) = open(&scratch, 0).expect("opened");
    append(&mut journal, [1]);
    journal.close();
    assert!(matches!(journal.append(b"late"), Err(JournalFault::Unavailable(_))));
    drop(journal);
    assert_eq!(open(&scratch, 0).expect("opened").1, entries([1]));
}

#[test]
fn what_replay_refuses_is_damage() {
    let scratch = Scratch::new();
    let (mut journal, _) = open(&scratch, 0).expect("opened");
    append(&mut journal, 1..=3);
    drop(journal);
    let refuse = |position: Position, _: &[u8]| {
        if position == Position(2) { Err("nonsense".to_owned()) } else { Ok(()) }
    };
    let opened = Journal::open(scratch.path(), SMALL, Position(0), &Counting, refuse);
    let fault = opened.err().expect("refused");
    assert!(
        matches!(&fault, JournalFault::Damaged { position: Position(2), problem, .. }
            if problem == "nonsense"),
        "{fault}"
    );
}

#[test]
fn tables_that_are_older_than_the_journal_are_refused() {
    let scratch = Scratch::new();
    let (mut journal, _) = open(&scratch, 0).expect("opened");
    append(&mut journal, 1..=30);
    journal.release_handle().up_to(Position(30));
    drop(journal);
    drop(open(&scratch, 30).expect("opened"));
    let fault = open(&scratch, 20).err().expect("refused");
    assert_eq!(fault, JournalFault::TablesBehind { held: Position(20), released: Position(30) });
}

#[test]
fn crashing_over_and_over_takes_no_more_room() {
    let scratch = Scratch::new();
    let (mut journal, _) = open(&scratch, 0).expect("opened");
    append(&mut journal, 1..=3);
    drop(journal);
    for _ in 0..20 {
        let (_, replayed) = open(&scratch, 0).expect("opened");
        assert_eq!(replayed, entries(1..=3));
    }
    assert!(files(&scratch).len() <= 5, "{:?}", files(&scratch));
}

#[test]
fn a_small_installation_stays_small() {
    let scratch = Scratch::new();
    let options = Options::default();
    let nothing = |_: Position, _: &[u8]| Ok(());
    let length = |number| {
        let file = scratch.path().join(format!("{number}.segment"));
        std::fs::metadata(file).expect("it is there").len()
    };
    let mut journal =
        Journal::open(scratch.path(), options, Position(0), &Counting, nothing).expect("opened");
    assert_eq!(files(&scratch), ["1.segment"]);
    assert_eq!(length(1), 4 * 1024 * 1024);
    // However long it goes on, as long as the tables keep up.
    let released = journal.release_handle();
    for position in 1..=40 {
        assert_eq!(journal.append(&[1; 300_000]), Ok(Position(position)));
        released.up_to(Position(position));
    }
    drop(journal);
    assert_eq!(files(&scratch), ["1.segment", "2.segment"]);
    assert_eq!(length(2), 4 * 1024 * 1024);
}
