//! What is found where the disk lost or altered what was flushed.

use super::files::Directory;
use super::layout::{BLOCK, DATA_OFFSET};
use super::memory::{self, Memory, SECTOR};
use super::reading::read_on;
use super::{Journal, JournalFault, Options, Position};

/// Segments of four blocks of frames, which never grow.
const SMALL: Options = Options { segment_min: 6 * 4096, segment_max: 6 * 4096 };

/// Opens the journal and tells the positions that it hands over.
fn open(memory: &Memory, applied: u64) -> Result<(Journal, Vec<u64>), JournalFault> {
    let (journal, replayed) = memory::open(memory, SMALL, applied)?;
    Ok((journal, replayed.into_iter().map(|(position, _)| position).collect()))
}

/// A journal of entries of a block each, four to a segment.
fn journal_of(count: u64) -> Memory {
    let memory = Memory::default();
    let (mut journal, _) = open(&memory, 0).expect("opened");
    for position in 1..=count {
        journal.append(&position.to_le_bytes()).expect("appended");
    }
    memory
}

/// Alters the first byte of an entry's payload, which is its position.
fn alter(memory: &Memory, position: u64) {
    set(memory, position, 0xff);
}

fn set(memory: &Memory, position: u64, byte: u8) {
    let (number, block) = ((position - 1) / 4 + 1, (position - 1) % 4);
    let file = memory.open(&format!("{number}.segment"), true).expect("there");
    let offset = DATA_OFFSET + block * 4096 + 32;
    file.write_at(&[byte], offset).expect("written");
}

fn place(fault: &JournalFault) -> (&str, u64, u64) {
    match fault {
        JournalFault::Damaged { file, offset, position, .. } => (file, *offset, position.0),
        other => panic!("{other}"),
    }
}

#[test]
fn a_damaged_entry_before_a_later_one_stops_the_start() {
    for damaged in 1..=9 {
        let memory = journal_of(10);
        alter(&memory, damaged);
        let file = format!("{}.segment", (damaged - 1) / 4 + 1);
        let offset = DATA_OFFSET + (damaged - 1) % 4 * 4096;
        let fault = open(&memory, 0).err().expect("refused");
        assert_eq!(place(&fault), (file.as_str(), offset, damaged));
        let told = fault.to_string();
        assert!(told.contains(&file) && told.contains(&offset.to_string()), "{told}");
        // Reading it without opening it says the same.
        let fault = read_on(&memory, Position(0)).expect_err("refused");
        assert_eq!(place(&fault), (file.as_str(), offset, damaged));
        // Those that the tables hold are not missed.
        for applied in damaged..=10 {
            let memory = memory.crash().survived_by_system();
            let (_, replayed) = open(&memory, applied).expect("opened");
            assert!(replayed.into_iter().eq(applied + 1..=10), "{damaged}: {applied}");
        }
    }
}

#[test]
fn a_damaged_last_entry_is_a_torn_tail() {
    let memory = journal_of(10);
    alter(&memory, 10);
    let (mut journal, replayed) = open(&memory, 0).expect("opened");
    assert!(replayed.into_iter().eq(1..=9));
    assert_eq!(journal.append(b"again"), Ok(Position(10)));
}

/// Another entry has its place from then on, even if the disk comes up with it again.
#[test]
fn a_torn_tail_is_cut_for_good() {
    let memory = journal_of(10);
    alter(&memory, 10);
    let (mut journal, _) = open(&memory, 0).expect("opened");
    assert_eq!(journal.append(b"again"), Ok(Position(10)));
    drop(journal);
    set(&memory, 10, 10);
    let (_, replayed) = memory::open(&memory, SMALL, 0).expect("opened");
    assert_eq!(replayed.last(), Some(&(10, b"again".to_vec())));
}

#[test]
fn a_gap_after_what_is_applied_stops_the_start() {
    let memory = journal_of(10);
    memory.remove("1.segment").expect("removed");
    let fault = open(&memory, 0).err().expect("refused");
    assert_eq!(place(&fault), ("2.segment", DATA_OFFSET, 1));
    let (_, replayed) = open(&memory, 4).expect("opened");
    assert!(replayed.into_iter().eq(5..=10));
}

#[test]
fn a_segment_that_vanished_stops_the_start() {
    let memory = journal_of(10);
    memory.remove("2.segment").expect("removed");
    let fault = open(&memory, 0).err().expect("refused");
    assert_eq!(place(&fault), ("3.segment", DATA_OFFSET, 5));
}

#[test]
fn one_copy_of_a_header_is_enough_and_none_is_too_few() {
    let memory = journal_of(10);
    for copy in 0..2 {
        let memory = memory.crash().survived_by_system();
        let file = memory.open("3.segment", true).expect("there");
        file.write_at(&[0xff; SECTOR], copy * 4096).expect("written");
        assert!(open(&memory, 0).is_ok_and(|(_, replayed)| replayed.into_iter().eq(1..=10)));
    }
    let file = memory.open("3.segment", true).expect("there");
    file.write_at(&[0xff; 2 * BLOCK], 0).expect("written");
    let fault = open(&memory, 0).err().expect("refused");
    assert_eq!(fault.to_string(), "journal/3.segment is damaged: its header cannot be read");
}

#[test]
fn a_copied_or_shortened_segment_stops_the_start() {
    let memory = journal_of(10);
    let copy = memory.create("9.segment").expect("made");
    let mut bytes = vec![0; 6 * BLOCK];
    memory.open("2.segment", false).expect("there").read_at(&mut bytes, 0).expect("read");
    copy.write_at(&bytes, 0).expect("written");
    let fault = open(&memory, 0).err().expect("refused");
    assert_eq!(fault.to_string(), "journal/9.segment is damaged: it is a copy of 2.segment");
    let short = memory.create("9.segment").expect("made");
    short.write_at(&bytes[..4 * BLOCK], 0).expect("written");
    let fault = open(&memory, 0).err().expect("refused");
    assert_eq!(fault.to_string(), "journal/9.segment is damaged: the file is cut short");
}
