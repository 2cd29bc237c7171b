//! What the journal does when calls of the operating system fail.
//!
//! The same script runs once for every call of every kind, with that call failing, and once more
//! with all later ones failing too. An entry that was acknowledged is there afterwards, one that was
//! refused is not, whether the process is killed or the power is lost; and a journal that was only
//! full goes on when there is room.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::LazyLock;

use super::memory::{self, Call, Failure, Fate, Memory, Opened};
use super::{JournalFault, Options, Position};

const SMALL: Options = Options { segment_min: 6 * 4096, segment_max: 12 * 4096 };

/// How many entries the script tries to append.
const ATTEMPTS: u8 = 40;

/// What is appended. Every one is different, and some are larger than a segment.
static PAYLOADS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let lengths = [100, 5000, 900, 50_000, 4000, 9000].into_iter().cycle();
    let payload = |(number, length): (u8, _)| vec![number; length];
    (0..ATTEMPTS).zip(lengths).map(payload).collect()
});

fn open(memory: &Memory, applied: u64) -> Opened {
    memory::open(memory, SMALL, applied)
}

/// What became of a run of the script.
#[derive(Default)]
struct Run {
    /// What was acknowledged, by position.
    acknowledged: Vec<(u64, &'static [u8])>,
    /// What is in the tables.
    applied: u64,
    /// How often there was no room.
    full: usize,
    /// The entry during which the process had to end.
    ended_in: Option<&'static [u8]>,
}

/// Appends with this failure, and ends where a process would. The tables are so many entries behind.
fn run(memory: &Memory, failure: Failure, behind: u64) -> Run {
    let mut run = Run::default();
    let (mut journal, _) = open(memory, 0).expect("opened");
    let released = journal.release_handle();
    memory.fail(failure);
    for (attempt, payload) in PAYLOADS.iter().enumerate() {
        if attempt + 1 == PAYLOADS.len() {
            // What failed behind the entry before this one has to show in it.
            memory.heal();
        }
        match journal.append(payload) {
            Ok(position) => {
                run.acknowledged.push((position.0, payload));
                run.applied = position.0.saturating_sub(behind);
                released.up_to(Position(run.applied));
            }
            Err(JournalFault::Full | JournalFault::Unavailable(_)) => run.full += 1,
            Err(JournalFault::Fatal(_)) => {
                let calls = memory.calls();
                assert!(matches!(journal.append(b"again"), Err(JournalFault::Fatal(_))));
                assert_eq!(memory.calls(), calls, "something was tried again");
                run.ended_in = Some(payload);
                break;
            }
            Err(fault) => panic!("{failure:?}: {fault}"),
        }
    }
    run
}

/// Looks at what a run left, as a process that begins anew would.
fn check(memory: &Memory, run: &Run, failure: Failure) {
    let (mut journal, replayed) = open(memory, run.applied)
        .unwrap_or_else(|fault| panic!("{failure:?}: not opened: {fault}"));
    let due = run.acknowledged.iter().filter(|(position, _)| *position > run.applied);
    let due: Vec<_> = due.copied().collect();
    let (known, unknown) = replayed.split_at(due.len().min(replayed.len()));
    assert!(
        known.iter().map(|(at, it)| (*at, it.as_slice())).eq(due),
        "{failure:?}: {} are not what was acknowledged",
        known.len()
    );
    match (unknown, &run.ended_in) {
        ([], _) => {}
        ([(position, payload)], Some(ended_in)) => {
            assert_eq!(*position, run.acknowledged.last().map_or(1, |(last, _)| last + 1));
            assert!(payload == ended_in, "{failure:?}: half an entry appeared");
        }
        _ => panic!("{failure:?}: {} refused entries appeared", unknown.len()),
    }
    // It can be used again.
    let next = journal.last().next();
    assert_eq!(journal.append(b"later"), Ok(next), "{failure:?}");
    drop(journal);
    let (_, again) = open(&memory.crash().nothing_more(), run.applied).expect("opened");
    assert_eq!(again.last(), Some(&(next.0, b"later".to_vec())), "{failure:?}");
}

/// Runs the script with every call of this kind failing in turn, until none is left to fail.
fn every_call(call: Call, error: ErrorKind, for_ever: bool, mut look: impl FnMut(&Run, Failure)) {
    for nth in 1.. {
        let failure = Failure { call, nth, for_ever, error };
        let memory = Memory::default();
        let run = run(&memory, failure, 5);
        let calls = memory.calls();
        memory.heal();
        if calls < nth {
            assert!(run.full == 0 && run.ended_in.is_none());
            assert!(nth > 1, "{call:?} is never called");
            return;
        }
        look(&run, failure);
        check(&memory.crash().survived_by_system(), &run, failure);
        check(&memory.crash().nothing_more(), &run, failure);
        // Everything that was written reached the disk after all.
        check(&memory.crash().image(true, |_, _| Fate::New, None), &run, failure);
    }
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    for error in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
        for call in [Call::Write, Call::Create, Call::Rename] {
            every_call(call, error, false, |run, failure| {
                assert!(run.ended_in.is_none(), "{failure:?}");
                let done = run.acknowledged.len() + run.full;
                assert_eq!(done, PAYLOADS.len());
                assert!(run.full <= 1, "{failure:?}: refused {} times", run.full);
            });
        }
    }
}

#[test]
fn a_disk_that_stays_full_loses_nothing() {
    let mut refused = 0;
    for call in [Call::Create, Call::Rename] {
        every_call(call, ErrorKind::StorageFull, true, |run, failure| {
            assert!(run.ended_in.is_none(), "{failure:?}");
            refused += run.full;
        });
    }
    assert!(refused > 0);
    // Where not even what was begun can be taken back, nothing is certain.
    let (mut refused, mut ended) = (0, 0);
    every_call(Call::Write, ErrorKind::StorageFull, true, |run, _| {
        refused += run.full;
        ended += usize::from(run.ended_in.is_some());
    });
    assert!(refused > 0 && ended > 0, "{refused}, {ended}");
}

#[test]
fn a_failed_flush_is_the_end_and_never_tried_again() {
    for call in [Call::Sync, Call::SyncNames] {
        for error in [ErrorKind::StorageFull, ErrorKind::Other] {
            for for_ever in [false, true] {
                every_call(call, error, for_ever, |run, failure| {
                    assert!(run.ended_in.is_some(), "{failure:?}");
                });
            }
        }
    }
}

#[test]
fn a_failed_write_is_the_end() {
    for for_ever in [false, true] {
        every_call(Call::Write, ErrorKind::Other, for_ever, |run, failure| {
            assert!(run.ended_in.is_some(), "{failure:?}");
        });
    }
}

#[test]
fn a_file_that_cannot_be_opened_now_is_no_end() {
    for call in [Call::Open, Call::Create, Call::Rename] {
        every_call(call, ErrorKind::Other, false, |run, failure| {
            assert!(run.ended_in.is_none(), "{failure:?}");
        });
    }
}

/// Opening what a crash left can fail at any call, and the next opening finds everything.
#[test]
fn opening_fails_without_losing_anything() {
    let calls = [
        (Call::Open, ErrorKind::Other),
        (Call::Create, ErrorKind::StorageFull),
        (Call::Write, ErrorKind::StorageFull),
        (Call::Write, ErrorKind::Other),
        (Call::Sync, ErrorKind::Other),
        (Call::SyncNames, ErrorKind::Other),
        (Call::Rename, ErrorKind::Other),
        (Call::Remove, ErrorKind::Other),
    ];
    let mut failed = BTreeSet::new();
    // Everything is left to be handed over, a part of it, or nothing although much was.
    for (behind, settled) in [(u64::MAX, false), (5, false), (u64::MAX, true)] {
        for (call, error) in calls {
            for (nth, for_ever) in (1..).flat_map(|nth| [(nth, false), (nth, true)]) {
                let failure = Failure { call, nth, for_ever, error };
                let memory = Memory::default();
                let never = Failure { nth: usize::MAX, ..failure };
                let mut run = run(&memory, never, behind);
                if settled {
                    run.applied = u64::from(ATTEMPTS);
                }
                memory.fail(failure);
                let opened = open(&memory, run.applied).err();
                let calls = memory.calls();
                memory.heal();
                if calls < nth {
                    assert_eq!(opened, None);
                    break;
                }
                if opened.is_some() {
                    failed.insert(format!("{call:?}"));
                }
                check(&memory.crash().survived_by_system(), &run, failure);
                check(&memory.crash().nothing_more(), &run, failure);
            }
        }
    }
    let all = ["Create", "Open", "Remove", "Rename", "Sync", "SyncNames", "Write"];
    assert!(failed.iter().eq(all), "{failed:?}");
}
