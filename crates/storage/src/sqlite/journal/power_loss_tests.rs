//! What a loss of power leaves of the journal, for every moment and every sector.
//!
//! A script appends, releases and opens anew, and what is in memory and on the disk is remembered
//! whenever something is about to be flushed. From each such moment images are built in which
//! sectors that were not flushed are new, old, zeroed, garbage, or the sector of a whole frame of
//! an earlier incarnation; and each image is opened.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::layout::{self, BLOCK, Header, HeaderBlock};
use super::memory::{self, Crash, CrashedFile, Fate, Memory, Moment, Opened, SECTOR};
use super::{Journal, Options, Position};

/// Segments of four and of ten blocks of frames.
const SMALL: Options = Options { segment_min: 6 * 4096, segment_max: 12 * 4096 };

/// How many entries lie between what is appended and what is in the tables, at most.
const LAG: u64 = 7;

/// The lengths of payloads, in turn: small, around a block, several blocks, larger than a segment.
const LENGTHS: [usize; 9] = [20, 600, 4064, 4065, 1, 9000, 500, 3000, 50_000];

/// The payloads of entries, from the first one on.
static PAYLOADS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| (1..=100).map(made_up).collect());

/// A payload that differs from any other's in every sector.
fn made_up(position: u64) -> Vec<u8> {
    let turn = usize::try_from(position).expect("small") % LENGTHS.len();
    let mut state = position.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_le_bytes()[7]
    };
    std::iter::repeat_with(next).take(LENGTHS[turn]).collect()
}

/// The payload of an entry.
fn payload(position: u64) -> &'static [u8] {
    &PAYLOADS[usize::try_from(position - 1).expect("small")]
}

fn open(memory: &Memory, applied: u64) -> Opened {
    memory::open(memory, SMALL, applied)
}

/// Appends these entries, releases behind them, and remembers what was acknowledged.
fn append(memory: &Memory, journal: &mut Journal, positions: std::ops::RangeInclusive<u64>) {
    let released = journal.release_handle();
    let before = released.position().0;
    for position in positions {
        assert_eq!(journal.append(payload(position)), Ok(Position(position)));
        let applied = before.max(position - position % LAG);
        released.up_to(Position(applied));
        memory.set_moment(Moment { acknowledged: position, applied });
    }
}

/// Everything that a journal does in its life.
fn script(memory: &Memory) {
    let (mut journal, _) = open(memory, 0).expect("opened");
    append(memory, &mut journal, 1..=40);
    drop(journal);
    // The entries after 35 are handed over, and the last of them is appended anew.
    let (mut journal, replayed) = open(memory, 35).expect("opened");
    assert_eq!(replayed.len(), 5);
    append(memory, &mut journal, 41..=75);
    drop(journal);
    // Nothing is left to be handed over.
    memory.set_moment(Moment { acknowledged: 75, applied: 75 });
    let (mut journal, _) = open(memory, 75).expect("opened");
    append(memory, &mut journal, 76..=80);
}

/// Opens what a loss of power left and tells what is wrong with it, if anything is.
fn check(image: &Memory, moment: Moment) -> Result<(), String> {
    let Moment { acknowledged, applied } = moment;
    let (_, replayed) = open(image, applied).map_err(|fault| fault.to_string())?;
    for ((position, found), due) in replayed.iter().zip(applied + 1..) {
        if *position != due {
            return Err(format!("entry {position} is handed over where {due} is due"));
        }
        if *found != payload(due) {
            return Err(format!("entry {due} is not what was appended"));
        }
    }
    let last = applied + u64::try_from(replayed.len()).expect("few");
    if last < acknowledged {
        return Err(format!("{acknowledged} was acknowledged and {last} is the last"));
    }
    if last > acknowledged + 1 {
        return Err(format!("{last} was never appended"));
    }
    Ok(())
}

/// What is appended after the loss of power survives the next one.
fn check_going_on(image: &Memory, moment: Moment) -> Result<(), String> {
    let (mut journal, replayed) = open(image, moment.applied).map_err(|it| it.to_string())?;
    let last = journal.last().0;
    journal.append(payload(last + 1)).map_err(|fault| fault.to_string())?;
    drop(journal);
    let (_, again) =
        open(&image.crash().nothing_more(), moment.applied).map_err(|fault| fault.to_string())?;
    let expected: Vec<_> =
        replayed.into_iter().chain([(last + 1, payload(last + 1).to_vec())]).collect();
    if again == expected {
        Ok(())
    } else {
        Err(format!("{} became {}", expected.len(), again.len()))
    }
}

/// The first sectors of frames that are whole and fit a sector, with the entry that is due, which
/// differ from a true one in nothing but the incarnation or the salt.
fn stale_frames(file: CrashedFile<'_>, due: u64) -> Vec<[u8; SECTOR]> {
    let headers =
        file.cached[..2 * BLOCK].chunks(BLOCK).filter_map(|block| match Header::parse(block) {
            HeaderBlock::Whole(header) => Some(header),
            _ => None,
        });
    let Some(header) = headers.max_by_key(|header| header.incarnation) else { return Vec::new() };
    let stale = [
        Header { incarnation: header.incarnation.wrapping_sub(1), ..header },
        Header { salt: !header.salt, ..header },
    ];
    let frame = |header: Header| {
        let mut frame = Vec::new();
        layout::write_frame(&header, Position(due), b"stale", &mut frame);
        *frame.first_chunk().expect("a frame is at least a block")
    };
    stale.into_iter().map(frame).collect()
}

/// Builds every image of a moment and shows it. Tells how many there were.
fn images(crash: &Crash, subsets: u64, mut show: impl FnMut(&Memory, &str)) -> usize {
    let mut count = 0;
    let mut show = |image: &Memory, what: &str| {
        count += 1;
        show(image, what);
    };
    for new_names in [false, true] {
        show(&crash.image(new_names, |_, _| Fate::Old, None), "nothing more");
        show(&crash.image(new_names, |_, _| Fate::New, None), "everything");
    }
    for file in crash.files() {
        let mut fates = vec![Fate::Old, Fate::Zeros, Fate::Garbage];
        // A file that is being made may have no header yet.
        if file.cached.len() > 2 * BLOCK {
            let due = crash.moment.acknowledged + 1;
            fates.extend(stale_frames(file, due).into_iter().map(Fate::Stale));
        }
        let struck = |file: usize, sector: usize, fate: Fate, others: Fate| {
            move |it: usize, at: usize| if (it, at) == (file, sector) { fate } else { others }
        };
        let Some(first) = file.dirty().next() else { continue };
        let last = file.cached.len() / SECTOR;
        let dirty: Vec<_> = file.dirty().collect();
        // Those that are being written, and those behind them.
        for sector in first..last {
            for fate in &fates {
                let what = format!("{} of {}: {fate:?}", sector, file.name);
                if dirty.binary_search(&sector).is_ok() {
                    let number = file.number;
                    let image = crash.image(true, struck(number, sector, *fate, Fate::New), None);
                    show(&image, &what);
                } else if *fate != Fate::Old && sector % 8 == 0 {
                    let beyond = Some((file.number, sector, *fate));
                    show(&crash.image(true, |_, _| Fate::New, beyond), &what);
                }
            }
        }
    }
    let mut state = crash.moment.acknowledged * 2 + 1;
    for _ in 0..subsets {
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 60
        };
        let new_names = next() < 8;
        let fate = |_: usize, _: usize| match next() {
            0..=6 => Fate::New,
            7..=13 => Fate::Old,
            14 => Fate::Zeros,
            _ => Fate::Garbage,
        };
        show(&crash.image(new_names, fate, None), "some");
    }
    count
}

#[test]
fn no_loss_of_power_takes_what_was_acknowledged() {
    let memory = Memory::default();
    memory.record();
    script(&memory);
    let crashes = memory.recorded();
    let total = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (count, halves) = (&total, crashes.split_at(crashes.len() / 2));
        for half in [halves.0, halves.1] {
            scope.spawn(move || {
                for crash in half {
                    let mut turn = 0_u32;
                    let shown = images(crash, 40, |image, what| {
                        check(image, crash.moment)
                            .unwrap_or_else(|it| panic!("{:?}, {what}: {it}", crash.moment));
                        turn += 1;
                        if turn.is_multiple_of(16) {
                            check_going_on(image, crash.moment)
                                .unwrap_or_else(|it| panic!("{:?}, {what}: {it}", crash.moment));
                        }
                    });
                    count.fetch_add(shown, Ordering::Relaxed);
                }
            });
        }
    });
    let count = total.into_inner();
    println!("{} moments, {count} images", crashes.len());
    assert!(count >= 20_000, "{count}");
}

/// Without flushes the same checks find losses; so they would find them if there were any.
#[test]
fn without_flushes_losses_are_found() {
    let memory = Memory::default();
    drop(open(&memory, 0).expect("opened"));
    memory.record();
    memory.lie();
    script(&memory);
    let (mut lost, mut moments) = (0, 0);
    for crash in memory.recorded().iter().filter(|crash| crash.moment.acknowledged > 0) {
        moments += 1;
        lost += usize::from(check(&crash.nothing_more(), crash.moment).is_err());
    }
    assert!(lost > moments / 2, "{lost} of {moments}");
}

/// A process that is killed leaves behind what the operating system holds, and what it hands over
/// then is safe: no loss of power after it takes that.
#[test]
fn what_is_handed_over_after_a_kill_is_durable() {
    let memory = Memory::default();
    memory.record();
    script(&memory);
    let mut gained = 0;
    for crash in memory.recorded() {
        let system = crash.survived_by_system();
        let (journal, replayed) = open(&system, crash.moment.applied).expect("opened");
        gained += usize::from(journal.last().0 > crash.moment.acknowledged);
        drop(journal);
        let later = system.crash().nothing_more();
        let (_, again) = open(&later, crash.moment.applied).expect("opened");
        assert!(again == replayed, "{:?}", crash.moment);
    }
    // Entries that were written and not yet flushed were handed over, or this shows nothing.
    assert!(gained > 20, "{gained}");
}
