//! Which backups are made, when, and which are deleted.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use gateway::ports::Unsealed;
use tempfile::TempDir;

use super::*;
use crate::program::tests::open;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_milliseconds(milliseconds)
}

/// 21 November 2026, 02:15:00 UTC.
const NIGHT: i64 = 1_795_227_300_000;
const HOUR: Duration = Duration::from_secs(3600);
/// In real time, how long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn names_tell_the_second_and_nothing_else_is_one() {
    assert_eq!(name(at(NIGHT)).unwrap(), "lunas-20261121T021500Z.tar");
    assert_eq!(taken_at("lunas-20261121T021500Z.tar"), Some(at(NIGHT)));
    for other in [
        "lunas-2026-11-21.tar",
        "lunas-20261121T021500Z.tar.partial",
        "lunas-20261321T021500Z.tar",
        "lunas-20261121T0215Z.tar",
        "lunas-020261121T021500Z.tar",
        " lunas-20261121T021500Z.tar",
        "Lunas-20261121T021500Z.tar",
        "before-upgrade.backup",
        "",
    ] {
        assert_eq!(taken_at(other), None, "{other}");
    }
}

#[test]
fn the_next_is_due_when_the_latest_is_old_enough() {
    let table = [
        (None, 50, 50),
        (Some(0), 50, 3_600_000),
        (Some(0), 4_000_000, 3_600_000),
        // From before the clock was set back.
        (Some(60), 50, 50),
    ];
    for (latest, now, expected) in table {
        assert_eq!(due(latest.map(at), HOUR, at(now)), at(expected), "{latest:?} {now}");
    }
}

#[test]
fn a_folder_is_one_servers_own() {
    let place = TempDir::new().unwrap();
    let directory = place.path().join("a/b");
    let folder = Folder::open(&directory).unwrap();
    assert!(Folder::open(&directory).unwrap_err().contains("another server"));
    drop(folder);
    assert_eq!(Folder::open(&directory).unwrap().latest(), None);
    fs::write(place.path().join("file"), "").unwrap();
    assert!(Folder::open(&place.path().join("file")).unwrap_err().contains("write another folder"));
}

/// The names in a folder but for the lock's, in order.
fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(&folder.directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|it| it != LOCK_FILE);
    names.sort();
    names
}

/// A folder of books, and one for its backups.
struct Place {
    data: TempDir,
    _backups: TempDir,
    folder: Arc<Folder>,
}

impl Place {
    async fn new() -> Self {
        let (data, backups) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        open(data.path(), Arc::new(Unsealed)).await.unwrap().close().await;
        let folder = Arc::new(Folder::open(backups.path()).unwrap());
        Self { data, _backups: backups, folder }
    }
}

#[tokio::test]
async fn the_oldest_go_and_what_is_not_ours_stays() {
    let place = Place::new().await;
    let (data, folder) = (&place.data, &place.folder);
    let path = |name: &str| folder.directory.join(name);
    for mine in ["lunas-20261101T000000Z.tar", "lunas-20261102T000000Z.tar"] {
        fs::write(path(mine), "").unwrap();
    }
    fs::write(path("lunas-2026-11-21.tar"), "by hand").unwrap();
    // What a crash left behind, and what is being made by hand.
    for partial in [".lunas-20261103T000000Z.tar.partial", ".by-hand.tar.partial"] {
        fs::create_dir(path(partial)).unwrap();
        fs::write(path(partial).join("lunas.db"), "").unwrap();
    }
    let file = folder.back_up(data.path(), at(NIGHT), 2).unwrap();
    let expected = [
        ".by-hand.tar.partial",
        "lunas-2026-11-21.tar",
        "lunas-20261102T000000Z.tar",
        "lunas-20261121T021500Z.tar",
    ];
    assert_eq!(names(folder), expected);
    let restored = TempDir::new().unwrap();
    storage::sqlite::restore(&file, restored.path(), &companions()).unwrap();
}

#[tokio::test]
async fn a_backup_that_fails_deletes_nothing() {
    let place = Place::new().await;
    let (data, folder) = (&place.data, &place.folder);
    fs::write(folder.directory.join("lunas-20261101T000000Z.tar"), "").unwrap();
    fs::remove_file(data.path().join("lunas.db")).unwrap();
    let problem = folder.back_up(data.path(), at(NIGHT), 1).unwrap_err().to_string();
    assert!(problem.contains("holds no data"), "{problem}");
    assert_eq!(names(folder), ["lunas-20261101T000000Z.tar"]);
}

struct Hands(AtomicI64);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        at(self.0.load(Ordering::SeqCst))
    }
}

#[tokio::test(start_paused = true)]
async fn backups_come_at_their_times_and_failures_are_counted() {
    let place = Place::new().await;
    let (data, folder) = (&place.data, &place.folder);
    let clock = Arc::new(Hands(AtomicI64::new(NIGHT)));
    let metrics = Arc::new(Metrics::new());
    let backups = ScheduledBackups {
        folder: Arc::clone(folder),
        schedule: Schedule { every: HOUR, keep: 2 },
        data: data.path().to_owned(),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        metrics: Arc::clone(&metrics),
    };
    let stop = CancellationToken::new();
    let running = tokio::spawn(backups.run(stop.clone()));
    let until = async |what: &str, condition: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !condition() {
            assert!(begun.elapsed() < PATIENCE, "gave up waiting until {what}");
            // Time is what the runtime has; the thread of the backup has a real one.
            tokio::time::sleep(Duration::from_secs(1)).await;
            thread::park_timeout(Duration::from_millis(1));
        }
    };
    until("the first is there", &|| metrics.backups().0 == 1).await;
    clock.0.fetch_add(3_599_000, Ordering::SeqCst);
    tokio::time::sleep(10 * LOOK_EVERY).await;
    assert_eq!(metrics.backups(), (1, 0), "an hour is not over");
    clock.0.fetch_add(1000, Ordering::SeqCst);
    until("the second is there", &|| metrics.backups().0 == 2).await;
    fs::rename(data.path().join("lunas.db"), data.path().join("away")).unwrap();
    clock.0.fetch_add(3_600_000, Ordering::SeqCst);
    until("one has failed", &|| metrics.backups().1 == 1).await;
    fs::rename(data.path().join("away"), data.path().join("lunas.db")).unwrap();
    clock.0.fetch_add(600_000, Ordering::SeqCst);
    until("it was tried again", &|| metrics.backups().0 == 3).await;
    assert_eq!(names(folder), ["lunas-20261121T031500Z.tar", "lunas-20261121T042500Z.tar"]);
    stop.cancel();
    running.await.unwrap();
}
