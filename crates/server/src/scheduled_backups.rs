//! The backups that the server makes by itself: one after the other into a folder, at regular
//! intervals, the oldest deleted.
//!
//! Each is what `lunas backup` makes, at the same gentle pace, on a thread of its own. One that
//! cannot be made is logged, counted and tried again; it stops nothing and deletes nothing. Only
//! files whose names are of our own making are ever deleted, and only while the folder is locked, so
//! that two servers never delete each other's. When the next is due follows from the names in the
//! folder, so that a server that is started often backs up no more often than one that is not.
//!
//! Not done here: carrying backups off the machine, and proving them, which is the restore's part.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use domain::Timestamp;
use gateway::ports::Clock;
use jiff::tz::TimeZone;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use crate::background;
use crate::backups::companions;
use crate::metrics::Metrics;

/// Names sort as their times do.
const NAME: &str = "lunas-%Y%m%dT%H%M%SZ.tar";
/// What `storage` makes beside a file until it is whole: the name with this around it.
const PARTIAL: (&str, &str) = (".", ".partial");
/// Held as long as the folder is used.
const LOCK_FILE: &str = ".lunas-backups.lock";

/// After a failure the next try comes no later than this.
const RETRY_WITHIN: Duration = Duration::from_secs(600);
/// How often the clock is looked at. A clock that is set moves the next backup with it.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// When backups are made, and how many are kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    /// From one backup to the next.
    pub(crate) every: Duration,
    /// How many are left when a new one was made; at least that one.
    pub(crate) keep: usize,
}

/// The folder of the backups, which no other server uses meanwhile.
#[derive(Debug)]
pub(crate) struct Folder {
    directory: PathBuf,
    /// Unlocked when it is dropped.
    _lock: File,
}

impl Folder {
    /// Makes the folder if it is not there, and takes it. The error says what is wrong and what to
    /// do.
    pub(crate) fn open(directory: &Path) -> Result<Self, String> {
        let unusable = |error: io::Error| format!("cannot be used ({error}); write another folder");
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(unusable)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(directory.join(LOCK_FILE))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { directory: directory.to_owned(), _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => {
                Err("holds the backups of another server that runs; write another folder"
                    .to_owned())
            }
            Err(fs::TryLockError::Error(error)) => Err(unusable(error)),
        }
    }

    /// When the backups here were taken and how they are called, the oldest first.
    fn taken(&self) -> io::Result<Vec<(Timestamp, PathBuf)>> {
        let mut taken = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            if let Some(at) = name.to_str().and_then(taken_at) {
                taken.push((at, self.directory.join(name)));
            }
        }
        taken.sort();
        Ok(taken)
    }

    /// When the latest backup was taken; none if there is none, or if the folder cannot be read,
    /// which the next backup will tell.
    pub(crate) fn latest(&self) -> Option<Timestamp> {
        self.taken().ok()?.last().map(|(at, _)| *at)
    }

    /// Backs up the data and deletes what is then too much. Gives the new file.
    fn back_up(&self, data: &Path, at: Timestamp, keep: usize) -> anyhow::Result<PathBuf> {
        self.clear().context("what an earlier backup left behind cannot be removed")?;
        let file = self.directory.join(name(at)?);
        storage::sqlite::backup(data, &file, at, &companions())?;
        // There is a new one whatever becomes of the old ones.
        if let Err(fault) = self.thin_out(keep) {
            error!(%fault, "old backups cannot be deleted");
        }
        Ok(file)
    }

    /// Deletes all but the latest backups.
    fn thin_out(&self, keep: usize) -> io::Result<()> {
        for (_, old) in self.taken()?.iter().rev().skip(keep) {
            fs::remove_file(old)?;
            info!(backup = %old.display(), "deleted an old backup");
        }
        Ok(())
    }

    /// Removes what was left of backups when a process ended in the midst of one.
    fn clear(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let name = entry.file_name();
            let of_a_backup = name.to_str().and_then(|it| it.strip_prefix(PARTIAL.0));
            let of_a_backup = of_a_backup.and_then(|it| it.strip_suffix(PARTIAL.1));
            if of_a_backup.and_then(taken_at).is_some() {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

/// How a backup is called that was taken at this instant, to the second.
fn name(at: Timestamp) -> anyhow::Result<String> {
    let at = jiff::Timestamp::from_millisecond(at.milliseconds()).context("no such time")?;
    Ok(at.strftime(NAME).to_string())
}

/// When a backup was taken that is called so; none for names that are not of our making.
fn taken_at(file: &str) -> Option<Timestamp> {
    let at = jiff::civil::DateTime::strptime(NAME, file).ok()?.to_zoned(TimeZone::UTC).ok()?;
    let at = Timestamp::from_milliseconds(at.timestamp().as_millisecond());
    (name(at).ok()? == file).then_some(at)
}

/// When the next backup is due. A latest one from the future is from before the clock was set, and
/// tells nothing.
fn due(latest: Option<Timestamp>, every: Duration, now: Timestamp) -> Timestamp {
    match latest {
        Some(latest) if latest <= now => latest.after(every),
        _ => now,
    }
}

/// What makes the backups of a running server.
pub(crate) struct ScheduledBackups {
    /// Where to.
    pub(crate) folder: Arc<Folder>,
    /// When.
    pub(crate) schedule: Schedule,
    /// Of what: the folder of the books.
    pub(crate) data: PathBuf,
    /// Tells the time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Is told of each.
    pub(crate) metrics: Arc<Metrics>,
}

impl ScheduledBackups {
    /// Makes backups until the server stops. One that is being made then is given up, and what there
    /// is of it removed before the next.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let every = self.schedule.every;
        let latest = self.folder.latest();
        self.metrics.expect_backups(every, latest);
        let mut due = due(latest, every, self.clock.now());
        loop {
            if self.wait_until(due, &stop).await.is_none() {
                return;
            }
            let at = self.clock.now();
            let Some(made) = stop.run_until_cancelled(self.made(at)).await else { return };
            let pause = match made {
                Ok(file) => {
                    info!(backup = %file.display(), "backed up");
                    self.metrics.backup_succeeded(at);
                    every
                }
                Err(problem) => {
                    error!(problem = format!("{problem:#}"), "no backup was made");
                    self.metrics.backup_failed();
                    every.min(RETRY_WITHIN)
                }
            };
            due = at.after(pause);
        }
    }

    /// Waits until the clock shows this instant; gives up when the server stops.
    async fn wait_until(&self, due: Timestamp, stop: &CancellationToken) -> Option<()> {
        loop {
            let left = due.since(self.clock.now());
            if left.is_zero() {
                return Some(());
            }
            stop.run_until_cancelled(tokio::time::sleep(left.min(LOOK_EVERY))).await?;
        }
    }

    /// One backup, made on a thread that ends with it, because a thread that has given way never
    /// gets its priority back.
    async fn made(&self, at: Timestamp) -> anyhow::Result<PathBuf> {
        let (sender, receiver) = oneshot::channel();
        let (folder, data) = (Arc::clone(&self.folder), self.data.clone());
        let keep = self.schedule.keep;
        thread::Builder::new().name("backup".to_owned()).spawn(move || {
            background::give_way();
            // Nobody waits any more when the server has stopped meanwhile.
            let _ = sender.send(folder.back_up(&data, at, keep));
        })?;
        receiver.await.context("the thread of the backup broke off")?
    }
}

#[cfg(test)]
#[path = "scheduled_backups_tests.rs"]
mod tests;
