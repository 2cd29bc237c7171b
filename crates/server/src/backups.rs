//! `lunas backup` and `lunas restore`, and what goes into a backup besides the database: the book of
//! the built-in supplier, so that both books agree after a restore.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use domain::Timestamp;
use gateway::ports::Clock;
use protocols::sandbox::book::{self, Book};
use storage::sqlite::{Companion, Snapshot};

use crate::background;
use crate::command_line::{BackupOptions, RestoreOptions};
use crate::system::SystemClock;

/// The files that are backed up with the database, where they exist.
pub(crate) fn companions() -> Arc<[Box<dyn Companion>]> {
    Arc::from([Box::new(SandboxBook) as Box<dyn Companion>])
}

/// The book of the built-in supplier. Of each purchase a backup holds what the supplier knew when it
/// was copied, and no purchase that our own books in the backup do not know: after a restore its
/// order number will be given to another order, which the supplier would take for a repetition.
struct SandboxBook;

impl Companion for SandboxBook {
    fn name(&self) -> &str {
        book::FILE_NAME
    }

    fn copy(&self, from: &Path, to: &mut dyn Write, snapshot: &Snapshot<'_>) -> Result<(), String> {
        Book::copy(from, to, |order, attempt| snapshot.has_attempt(order, attempt))
            .map_err(|error| error.to_string())
    }

    fn check(&self, copy: &Path) -> Result<(), String> {
        Book::read(copy).map(drop).map_err(|error| error.to_string())
    }
}

/// Backs up and says what was backed up.
pub(crate) fn back_up(options: &BackupOptions) -> anyhow::Result<String> {
    background::give_way();
    let now = SystemClock::default().now();
    let manifest = storage::sqlite::backup(&options.data, &options.to, now, &companions())?;
    Ok(format!(
        "cadangan selesai · backup is complete: {}, taken at {}, up to order {} and transfer {}",
        options.to.display(),
        written(manifest.taken_at),
        manifest.latest_order,
        manifest.latest_transfer
    ))
}

/// Restores and says what was restored.
pub(crate) fn restore(options: &RestoreOptions) -> anyhow::Result<String> {
    background::give_way();
    let restored = storage::sqlite::restore(&options.from, &options.data, &companions())?;
    let summary = restored.summary;
    Ok(format!(
        "data pulih dan pembukuan cocok · restored and books are clean: {}, taken at {}, \
         {} accounts, {} transfers, {} fundings, {} orders, {} open holds",
        options.data.display(),
        written(restored.manifest.taken_at),
        summary.accounts,
        summary.transfers,
        summary.fundings,
        summary.orders,
        summary.open_holds
    ))
}

/// An instant as people and programs read it, in UTC.
fn written(instant: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(instant.milliseconds())
        .map_or_else(|_| "an unknown time".to_owned(), |instant| instant.to_string())
}
