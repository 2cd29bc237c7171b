use std::collections::BTreeSet;

use domain::Timestamp;

use super::super::archive::Writer;
use super::super::backup::tests::{LINES, block_on, companions, filled, folder};
use super::super::{Options, backup, connect_to_write, open, verify};
use super::*;
use crate::scratch::{Counting, Scratch};

/// How many bits are flipped, one at a time, spread over the whole backup.
const FLIPS: usize = 200;

fn backed_up(data: &Scratch, backups: &Scratch) -> PathBuf {
    let file = backups.path().join("one.tar");
    let _ = fs::remove_file(&file);
    let taken_at = Timestamp::from_milliseconds(1_700_000_000_000);
    backup(data.path(), &file, taken_at, &companions()).expect("backed up");
    file
}

fn names(folder: &Path) -> BTreeSet<String> {
    let names = fs::read_dir(folder).expect("a folder");
    names.map(|entry| entry.expect("an entry").file_name().display().to_string()).collect()
}

/// The sentence with which a backup is refused. Nothing may be left but the lock.
fn refusal(file: &Path, directory: &Path) -> String {
    let fault = restore(file, directory, &companions()).expect_err("refused");
    assert_eq!(names(directory), BTreeSet::from([LOCK_FILE.to_owned()]), "{fault}");
    fault.to_string()
}

/// The parts of a backup.
fn parts(file: &Path) -> Vec<(String, Vec<u8>)> {
    let mut reader = Reader::new(File::open(file).expect("there"));
    let mut parts = Vec::new();
    while let Some(part) = reader.next().expect("whole") {
        let mut content = Vec::new();
        reader.copy(&part, &mut content).expect("whole");
        parts.push((part.name, content));
    }
    parts
}

/// Writes a backup of these parts in which all checksums agree.
fn put_together(file: &Path, parts: &[(String, Vec<u8>)]) {
    let mut writer = Writer::new(File::create(file).expect("made"));
    for (name, content) in parts {
        let size = u64::try_from(content.len()).expect("small");
        writer.part(name, size, &mut content.as_slice()).expect("written");
    }
    writer.finish().expect("written");
}

#[test]
fn flipped_bits_anywhere_are_refused_and_a_good_backup_is_taken_after_them() {
    let (data, backups, new) = (filled(), folder(), Scratch::new());
    let file = backed_up(&data, &backups);
    let whole = fs::read(&file).expect("readable");
    let mut place = 0_usize;
    for flip in 0..FLIPS {
        // The golden ratio spreads the places, and no two runs differ.
        place = (place + whole.len() * 618 / 1000) % whole.len();
        let mut damaged = whole.clone();
        damaged[place] ^= 1 << (flip % 8);
        fs::write(&file, damaged).expect("written");
        let said = refusal(&file, new.path());
        assert!(said.starts_with("backup is damaged: "), "byte {place}: {said}");
    }
    fs::write(&file, whole).expect("written");
    restore(&file, new.path(), &companions()).expect("restored");
    verify(new.path()).expect("in order");
}

#[test]
fn a_backup_that_was_cut_off_is_refused() {
    let (data, backups, new) = (filled(), folder(), Scratch::new());
    let file = backed_up(&data, &backups);
    let whole = fs::read(&file).expect("readable");
    for length in (0..whole.len()).step_by(4999).chain(whole.len() - 1025..whole.len()) {
        fs::write(&file, &whole[..length]).expect("written");
        let said = refusal(&file, new.path());
        assert!(said.ends_with("the backup is cut off there"), "{length} bytes: {said}");
    }
    let fault = restore(&backups.path().join("none.tar"), new.path(), &[]).expect_err("refused");
    assert!(matches!(fault, RestoreFault::Unreadable { .. }), "{fault}");
    fs::write(&file, b"not a backup at all").expect("written");
    refusal(&file, new.path());
}

/// A bit that changed on its way is found by the checksum, and the audit says whose it was.
#[test]
fn the_first_bad_record_is_named() {
    let (data, backups, new) = (filled(), folder(), Scratch::new());
    let books = connect_to_write(data.path()).expect("connected");
    books.execute_batch("update transfers set at_ms = at_ms + 1 where id = 3").expect("tampered");
    drop(books);
    // Tampered with before it was backed up: all checksums agree.
    let file = backed_up(&data, &backups);
    let said = refusal(&file, new.path());
    assert!(said.starts_with("backup is damaged: transfer 3: "), "{said}");
    // Tampered with afterwards: they do not.
    let tampered = parts(&file);
    let good = filled();
    let mut parts = parts(&backed_up(&good, &backups));
    let size = parts[0].1.len();
    put_together(&file, &parts);
    let whole = fs::read(&file).expect("readable");
    parts[0].1.clone_from(&tampered[0].1);
    assert_eq!(parts[0].1.len(), size);
    let mut mixed = whole;
    mixed[512..512 + size].copy_from_slice(&tampered[0].1);
    fs::write(&file, mixed).expect("written");
    let said = refusal(&file, new.path());
    let expected = "backup is damaged: lunas.db: content and checksum do not agree; \
                    the first bad record is transfer 3: ";
    assert!(said.starts_with(expected), "{said}");
}

/// Backups in which every checksum agrees and something else is wrong.
#[test]
fn what_is_not_a_backup_is_refused_although_its_checksums_agree() {
    type Change = fn(&mut Vec<(String, Vec<u8>)>);
    fn edit(part: &mut (String, Vec<u8>), from: &str, to: &str) {
        let text = String::from_utf8(part.1.clone()).expect("text");
        assert!(text.contains(from), "{text}");
        part.1 = text.replace(from, to).into_bytes();
    }
    let table: [(Change, &str); 12] = [
        (|parts| parts.truncate(2), "manifest.json: is missing"),
        (|parts| drop(parts.remove(0)), "lines.txt: does not belong there in a backup"),
        (|parts| parts.clear(), "manifest.json: is missing"),
        (|parts| parts.swap(0, 1), "lines.txt: does not belong there in a backup"),
        (|parts| parts.swap(1, 2), "lines.txt: does not belong there in a backup"),
        (|parts| parts[1].0 = "../lines.txt".to_owned(), "../lines.txt: does not belong"),
        (|parts| parts[1].0 = DATABASE_FILE.to_owned(), "lunas.db: does not belong"),
        (|parts| parts[1].1 = b"1 one\n".to_vec(), "lines.txt: \"one\" is not an attempt"),
        (|parts| parts[0].1.truncate(100), "lunas.db: database disk image is malformed"),
        (
            |parts| edit(&mut parts[2], "\"latest_order\": 4", "\"latest_order\": 5"),
            "manifest.json: tells other latest numbers than lunas.db has",
        ),
        (
            |parts| edit(&mut parts[2], "\"format\": 1", "\"format\": 2"),
            "manifest.json: has format 2",
        ),
        (
            |parts| edit(&mut parts[2], "\"schema\": 1", "\"schema\": 0"),
            "manifest.json: tells another",
        ),
    ];
    let (data, backups, new) = (filled(), folder(), Scratch::new());
    let file = backed_up(&data, &backups);
    let good = parts(&file);
    for (change, expected) in table {
        let mut parts = good.clone();
        change(&mut parts);
        put_together(&file, &parts);
        let said = refusal(&file, new.path());
        let said = said.strip_prefix("backup is damaged: ").expect("damage");
        assert!(said.starts_with(expected), "{said}, expected {expected}");
    }
}

#[test]
fn a_backup_of_a_newer_program_is_refused() {
    let (data, backups, new) = (filled(), folder(), Scratch::new());
    let file = backed_up(&data, &backups);
    let mut parts = parts(&file);
    let text = String::from_utf8(parts[2].1.clone()).expect("text");
    parts[2].1 = text.replace("\"schema\": 1", "\"schema\": 9").into_bytes();
    put_together(&file, &parts);
    let expected = "backup has schema 9 and this program knows only 1; use a newer Lunas";
    assert_eq!(refusal(&file, new.path()), expected);
}

#[test]
fn data_is_never_written_over() {
    let (data, backups) = (filled(), folder());
    let file = backed_up(&data, &backups);
    let before = names(data.path());
    let fault = restore(&file, data.path(), &companions()).expect_err("refused");
    let expected = format!(
        "data directory {} is not empty; restore into a new or an empty one",
        data.path().display()
    );
    assert_eq!(fault.to_string(), expected);
    assert_eq!(names(data.path()), before);

    let other = folder();
    fs::write(other.path().join("notes.txt"), "mine").expect("written");
    let fault = restore(&file, other.path(), &companions()).expect_err("refused");
    assert!(matches!(fault, RestoreFault::NotEmpty { .. }), "{fault}");
    assert_eq!(names(other.path()), BTreeSet::from(["notes.txt".to_owned()]));

    let running = open(data.path(), Options::default(), &Counting).expect("opened");
    let fault = restore(&file, data.path(), &companions()).expect_err("refused");
    assert!(fault.to_string().ends_with("is in use by another Lunas server"), "{fault}");
    block_on(running.shutdown.shutdown());
    verify(data.path()).expect("untouched");
}

/// What a crash leaves after each step, as files.
#[test]
fn an_interrupted_restore_is_seen_and_begun_anew() {
    let (data, backups) = (filled(), folder());
    let file = backed_up(&data, &backups);
    let unpacked = format!("{RESTORING}/{DATABASE_FILE}");
    let steps: [&[&str]; 5] = [
        &[],
        &[RESTORING],
        &[RESTORING, &unpacked],
        &[RESTORING, &unpacked, "restoring/lines.txt", "restoring/lunas.db-shm"],
        &[RESTORING, &unpacked, LINES],
    ];
    for step in steps {
        let new = folder();
        fs::write(new.path().join(LOCK_FILE), "").expect("written");
        for name in step {
            let path = new.path().join(name);
            if *name == RESTORING {
                fs::create_dir(path).expect("made");
            } else {
                fs::write(path, "half of it").expect("written");
            }
        }
        if step.contains(&unpacked.as_str()) {
            let fault = open(new.path(), Options::default(), &Counting).err().expect("refused");
            let fault = fault.to_string();
            assert!(fault.ends_with("run `lunas restore` again"), "{fault}");
        }
        restore(&file, new.path(), &companions()).expect("restored");
        let expected = [DATABASE_FILE, LOCK_FILE, LINES].map(str::to_owned);
        assert_eq!(names(new.path()), BTreeSet::from(expected), "{step:?}");
        assert_eq!(fs::read_to_string(new.path().join(LINES)).expect("there").lines().count(), 3);
    }
    // After the last step only the empty folder is left over, and the data is complete.
    let new = Scratch::new();
    restore(&file, new.path(), &companions()).expect("restored");
    fs::create_dir(new.path().join(RESTORING)).expect("made");
    block_on(open(new.path(), Options::default(), &Counting).expect("opened").shutdown.shutdown());
    verify(new.path()).expect("in order");
}

#[test]
fn a_restored_file_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (data, backups, new) = (filled(), folder(), Scratch::new());
    let file = backed_up(&data, &backups);
    restore(&file, new.path(), &companions()).expect("restored");
    for path in [file, new.path().join(DATABASE_FILE), new.path().join(LINES)] {
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", path.display());
    }
}
