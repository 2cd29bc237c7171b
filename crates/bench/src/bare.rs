//! The ceiling of the store: a loop that appends as many bytes, flushes them once for all callers
//! that wait, and answers.
//!
//! It writes into a file that was written full beforehand, which is the cheapest way to be durable.
//! It knows nothing: no commands, no rules, no records.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::latencies::Latencies;

/// How large the file is; after its end the loop goes on at its beginning.
const FILE_BYTES: usize = 64 << 20;
/// What a file system writes at least.
const BLOCK: usize = 4096;
/// How many may wait, as many as for the store.
const WAITING_MAX: usize = 4096;

type Reply = oneshot::Sender<()>;

/// Lets so many callers each wait for one flush after the other; each call appends so many bytes.
pub(crate) fn measure(
    callers: usize,
    duration: Duration,
    bytes_each: usize,
    folder: &Path,
) -> anyhow::Result<(Latencies, Duration)> {
    let file = File::create_new(folder.join("bare")).context("no file to append to")?;
    let zeros = vec![0; FILE_BYTES];
    file.write_all_at(&zeros, 0).and_then(|()| file.sync_all()).context("no room for the file")?;
    let (queue, calls) = sync_channel(WAITING_MAX);
    let writer = std::thread::spawn(move || append(&file, &calls, bytes_each));
    let measured = crate::in_process::runtime()?.block_on(async move {
        let begun = Instant::now();
        let mut running = JoinSet::new();
        for _ in 0..callers {
            running.spawn(caller(queue.clone(), begun + duration));
        }
        drop(queue);
        let mut latencies = Latencies::default();
        while let Some(caller) = running.join_next().await {
            latencies.merge(&caller.context("a caller broke off")??);
        }
        anyhow::Ok((latencies, begun.elapsed()))
    })?;
    writer.join().map_err(|_| anyhow::anyhow!("the bare loop broke off"))??;
    Ok(measured)
}

async fn caller(queue: SyncSender<Reply>, until: Instant) -> anyhow::Result<Latencies> {
    let mut latencies = Latencies::default();
    while Instant::now() < until {
        let begun = Instant::now();
        let (reply, answer) = oneshot::channel();
        queue.try_send(reply).context("the bare loop is too slow")?;
        answer.await.context("the bare loop broke off")?;
        latencies.add(begun.elapsed());
    }
    Ok(latencies)
}

fn append(file: &File, calls: &Receiver<Reply>, bytes_each: usize) -> anyhow::Result<()> {
    let content = vec![0x5a; FILE_BYTES];
    let mut end = 0;
    while let Ok(first) = calls.recv() {
        let replies: Vec<_> = std::iter::once(first).chain(calls.try_iter()).collect();
        let length = (replies.len() * bytes_each).next_multiple_of(BLOCK).min(FILE_BYTES);
        if end + length > FILE_BYTES {
            end = 0;
        }
        let bytes = content.get(..length).unwrap_or_default();
        file.write_all_at(bytes, u64::try_from(end)?).context("cannot append")?;
        file.sync_data().context("cannot flush")?;
        end += length;
        for reply in replies {
            // A caller that has gone away waits no more.
            let _ = reply.send(());
        }
    }
    Ok(())
}
