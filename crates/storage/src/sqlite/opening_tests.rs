use std::fs::File;

use domain::audit::Summary;

use super::super::{DATABASE_FILE, LOCK_FILE, VerifyFault, verify};
use super::*;
use crate::conformance::Subject;
use crate::scratch::{Counting, Scratch};

/// A directory that is opened again and again.
struct OnDisk(Scratch);

impl Subject for OnDisk {
    fn new() -> Self {
        Self(Scratch::new())
    }

    fn open(&self, options: pipeline::Options) -> Opened {
        let options = Options { pipeline: options, ..Options::default() };
        open(self.0.path(), options, &Counting).expect("opened")
    }

    fn audit(&self) -> Result<Summary, String> {
        verify(self.0.path()).map_err(|fault| fault.to_string())
    }
}

crate::conformance::conformance!(OnDisk);

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}

fn opened(directory: &Path) -> Result<Opened, OpenFault> {
    open(directory, Options::default(), &Counting)
}

fn made() -> Scratch {
    let scratch = Scratch::new();
    block_on(opened(scratch.path()).expect("opened").shutdown.shutdown());
    scratch
}

/// The sentence with which opening is refused.
fn refusal(directory: &Path) -> String {
    match opened(directory) {
        Ok(_) => panic!("opened"),
        Err(fault) => fault.to_string(),
    }
}

#[test]
fn the_instance_key_is_made_once() {
    let scratch = Scratch::new();
    let first = opened(scratch.path()).expect("opened");
    assert!(first.created);
    assert_eq!(first.instance_key[..3], [1, 2, 3]);
    block_on(first.shutdown.shutdown());

    struct Other;
    impl Entropy for Other {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0xff);
        }
    }
    let second = open(scratch.path(), Options::default(), &Other).expect("opened");
    assert!(!second.created);
    assert_eq!(second.instance_key, first.instance_key);
    block_on(second.shutdown.shutdown());
}

#[test]
fn a_second_server_is_refused_until_the_first_ends() {
    let scratch = Scratch::new();
    let first = opened(scratch.path()).expect("opened");
    let said = refusal(scratch.path());
    let expected =
        format!("data directory {} is in use by another Lunas server", scratch.path().display());
    assert_eq!(said, expected);
    block_on(first.shutdown.shutdown());
    let second = opened(scratch.path()).expect("the lock is released");
    block_on(second.shutdown.shutdown());
    // The log is moved and gone.
    assert!(!scratch.path().join("lunas.db-wal").exists());
}

#[test]
fn dropping_every_handle_ends_the_engine_too() {
    let scratch = Scratch::new();
    drop(opened(scratch.path()).expect("opened"));
    // The writer ends on its own thread; the lock tells when.
    let lock = File::open(scratch.path().join(LOCK_FILE)).expect("there");
    lock.lock().expect("released");
    drop(lock);
    block_on(opened(scratch.path()).expect("opened").shutdown.shutdown());
}

#[test]
fn data_of_a_newer_program_is_refused() {
    let scratch = made();
    let newer = connect_to_write(scratch.path()).expect("connected");
    newer.pragma_update(None, "user_version", 7).expect("set");
    drop(newer);
    let expected = "data has schema 7 and this program knows only 1; use a newer Lunas";
    assert_eq!(refusal(scratch.path()), expected);
    let fault = verify(scratch.path()).expect_err("refused");
    assert_eq!(fault.to_string(), expected);
    assert!(matches!(fault, VerifyFault::NotOpened(OpenFault::NewerSchema { found: 7, known: 1 })));
}

#[test]
fn what_is_not_our_database_is_refused_and_left_alone() {
    let garbage: [&[u8]; 3] =
        [b"not a database, but long enough to be looked at", b"xy", &[0xab; 8192]];
    for content in garbage {
        let scratch = Scratch::new();
        std::fs::create_dir(scratch.path()).expect("made");
        let file = scratch.path().join(DATABASE_FILE);
        std::fs::write(&file, content).expect("written");
        let said = refusal(scratch.path());
        assert!(said.starts_with("lunas.db is damaged or not a Lunas database: "), "{said}");
        assert_eq!(std::fs::read(&file).expect("readable"), content);
    }
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path()).expect("made");
    let other = connect_to_write(scratch.path()).expect("connected");
    other.execute_batch("create table notes (text text)").expect("made");
    drop(other);
    let said = refusal(scratch.path());
    assert!(said.ends_with("it is some other database"), "{said}");
}

#[test]
fn a_place_that_cannot_be_used_is_named() {
    let scratch = Scratch::new();
    std::fs::write(scratch.path(), "a file").expect("written");
    for place in [scratch.path().to_owned(), scratch.path().join("below")] {
        let said = refusal(&place);
        let expected = format!("data directory {} cannot be used: ", place.display());
        assert!(said.starts_with(&expected), "{said}");
    }
    std::fs::remove_file(scratch.path()).expect("removed");
}

#[test]
fn an_interrupted_creation_is_completed() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path()).expect("made");
    std::fs::write(scratch.path().join(DATABASE_FILE), "").expect("written");
    let opened = opened(scratch.path()).expect("opened");
    assert!(opened.created);
    block_on(opened.shutdown.shutdown());
    verify(scratch.path()).expect("in order");
}

#[test]
fn the_directory_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = made();
    let mode = std::fs::metadata(scratch.path()).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}
