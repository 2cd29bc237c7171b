//! Threads that read, each with a connection of its own that cannot write.
//!
//! A read waits for other reads of the same group at most, never for a commit: in SQLite's
//! write-ahead log readers and the writer do not block each other. Each read sees every commit that
//! was durable when it began.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{PoisonError, RwLock};

use gateway::ports::StoreFault;
use rusqlite::Connection;
use tokio::sync::{oneshot, watch};
use tracing::error;

use super::faults::Fault;

/// How many reads may wait for one thread. One more is turned away as busy.
const WAITING_MAX: usize = 1024;

type Task = Box<dyn FnOnce(&Connection) + Send>;

/// A group of reading threads.
pub(super) struct Readers {
    /// One queue per thread; none after the group was stopped.
    queues: RwLock<Vec<SyncSender<Task>>>,
    next: AtomicUsize,
    ended: watch::Receiver<()>,
}

impl Readers {
    /// Starts one thread per connection.
    pub(super) fn start(name: &str, connections: Vec<Connection>) -> std::io::Result<Self> {
        let (running, ended) = watch::channel(());
        let mut queues = Vec::with_capacity(connections.len());
        for connection in connections {
            let (queue, tasks) = sync_channel::<Task>(WAITING_MAX);
            let running = running.clone();
            std::thread::Builder::new().name(name.to_owned()).spawn(move || {
                // Declared first, so that the connection is closed when the end is noticed.
                let _running = running;
                let connection = connection;
                for task in tasks {
                    task(&connection);
                }
            })?;
            queues.push(queue);
        }
        Ok(Self { queues: RwLock::new(queues), next: AtomicUsize::new(0), ended })
    }

    /// Reads on the next thread in turn.
    pub(super) async fn read<Found: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<Found, Fault> + Send + 'static,
    ) -> Result<Found, StoreFault> {
        let (reply, found) = oneshot::channel();
        self.submit(Box::new(move |connection| {
            // A caller that has gone away does not want to know.
            let _ = reply.send(read(connection));
        }))?;
        let found = found.await.map_err(|_| StoreFault::Stopped)?;
        found.map_err(|fault| {
            let fault = StoreFault::from(fault);
            error!(%fault, "a read failed");
            fault
        })
    }

    fn submit(&self, task: Task) -> Result<(), StoreFault> {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let turn = turn.checked_rem(queues.len()).ok_or(StoreFault::Stopped)?;
        let queue = queues.get(turn).ok_or(StoreFault::Stopped)?;
        queue.try_send(task).map_err(|refused| match refused {
            TrySendError::Full(_) => StoreFault::Busy,
            TrySendError::Disconnected(_) => StoreFault::Stopped,
        })
    }

    /// Finishes the reads that wait and closes the connections.
    pub(super) async fn stop(&self) {
        self.queues.write().unwrap_or_else(PoisonError::into_inner).clear();
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
    }
}
