//! The connections being served, and who makes room when there are too many.
//!
//! Invariants: never more connections are served than the limits allow, and a request that a
//! service is working on is never given up for a newcomer. When the crowd is full, the connection
//! with the lowest [rank](super::phase::Stage::rank) is ordered out. When none can be, the newcomer
//! waits, the next answer sent carries `connection: close`, and the newcomer takes its place.
//! Waiting briefly serves a healthy client better than a refusal that it would have to interpret,
//! but a queue that cannot be served in time only turns late: once the crowd has been full for the
//! whole admission time, newcomers are refused at once with a 503 until room appears. Nothing of
//! a refused request has been looked at, so the client may safely send it again.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::connection::Connection;
use super::server::Server;

/// How often a full crowd is looked through again, in case a connection has become idle or has
/// stalled in the meantime, neither of which announces itself.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// How long a refusal may take, including the time for the client to read it.
const REFUSAL_TIME: Duration = Duration::from_millis(500);
/// The most refusals told at once. Beyond these a refused connection is closed without a word, so
/// that refusing never costs more than serving.
const REFUSALS: usize = 64;
const REFUSAL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// The connections being served.
pub(super) struct Crowd {
    server: Arc<Server>,
    tasks: JoinSet<()>,
    members: HashMap<Id, Arc<Connection>>,
    /// Who was ordered out and has not left yet.
    leaving: Option<Arc<Connection>>,
    /// Since when newcomers have found the crowd full.
    full_since: Option<Instant>,
    refusals: JoinSet<()>,
}

impl Crowd {
    /// Nobody yet.
    pub(super) fn new(server: Arc<Server>) -> Crowd {
        Crowd {
            server,
            tasks: JoinSet::new(),
            members: HashMap::new(),
            leaving: None,
            full_since: None,
            refusals: JoinSet::new(),
        }
    }

    /// Begins to serve a connection. The caller has asked for [room](Crowd::room) first.
    pub(super) fn admit<S>(&mut self, stream: S, peer: IpAddr)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let connection = Arc::new(Connection::new(Arc::clone(&self.server), peer));
        self.server.traffic.one_came();
        let task = self.tasks.spawn(Arc::clone(&connection).attend(stream));
        self.members.insert(task.id(), connection);
    }

    /// Waits until one of the connections has ended; for ever if there is none.
    pub(super) async fn departure(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(departed) => self.forget(departed),
            None => std::future::pending().await,
        }
    }

    /// Makes room for one more, waiting if need be. False if the newcomer must be refused.
    pub(super) async fn room(&mut self) -> bool {
        let mut waited = false;
        loop {
            while let Some(departed) = self.tasks.try_join_next_with_id() {
                self.forget(departed);
            }
            if self.tasks.len() < self.most() {
                // Finding room at once ends the crush. Room that had to be waited for does not:
                // if it did, every newcomer could wait the whole time, one after the other.
                if !waited {
                    self.full_since = None;
                }
                self.server.want_slot(false);
                return true;
            }
            let full_for = self.note_full();
            if !self.order_one_out() {
                if full_for >= self.server.limits.admission {
                    self.server.want_slot(false);
                    return false;
                }
                waited = true;
                self.server.want_slot(true);
            }
            self.change().await;
        }
    }

    /// Orders out the connection that is missed least, unless one is already leaving. False if
    /// every one of them has to stay.
    pub(super) fn order_one_out(&mut self) -> bool {
        if self.leaving.as_ref().is_some_and(|connection| connection.is_ordered_out()) {
            return true;
        }
        let now = self.server.now();
        let stalled = self.server.limits.stalled;
        let chosen = self
            .members
            .values()
            .filter_map(|member| {
                let stage = member.stage();
                stage.rank(now, stalled).map(|rank| (rank, stage, member))
            })
            .min_by_key(|(rank, ..)| *rank);
        self.leaving = chosen.map(|(_, stage, member)| {
            member.order_out(stage);
            Arc::clone(member)
        });
        self.leaving.is_some()
    }

    /// Tells a newcomer that there is no room, and closes its connection.
    pub(super) fn refuse<S>(&mut self, mut stream: S)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.server.traffic.one_was_refused();
        while self.refusals.try_join_next().is_some() {}
        if self.refusals.len() >= REFUSALS {
            return;
        }
        self.refusals.spawn(async move {
            // A client that has gone, or does not read, was not going to learn of it anyway.
            let _outcome = tokio::time::timeout(REFUSAL_TIME, tell_refusal(&mut stream)).await;
        });
    }

    /// Closes idle connections at once, lets requests in progress finish for as long as the grace
    /// lasts, and ends whatever is left.
    pub(super) async fn disperse(mut self) {
        for member in self.members.values() {
            member.shut_down();
        }
        let deadline = Instant::now() + self.server.limits.grace;
        while !self.tasks.is_empty() {
            if tokio::time::timeout_at(deadline, self.departure()).await.is_err() {
                tracing::warn!(
                    connections = self.tasks.len(),
                    "requests in progress outlasted the shutdown and were dropped"
                );
                break;
            }
        }
        self.tasks.shutdown().await;
        self.refusals.shutdown().await;
    }

    fn most(&self) -> usize {
        self.server.limits.connections.max(1)
    }

    /// Waits until it is worth looking for room again.
    async fn change(&mut self) {
        let server = Arc::clone(&self.server);
        tokio::select! {
            () = self.departure() => {}
            () = server.order_declined.notified() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }

    /// Notes that the crowd is full, and gives for how long it has been.
    fn note_full(&mut self) -> Duration {
        let most = self.most();
        let since = self.full_since.get_or_insert_with(|| {
            tracing::debug!(connections = most, "newcomers find no room and others must go");
            Instant::now()
        });
        since.elapsed()
    }

    fn forget(&mut self, departed: Result<(Id, ()), JoinError>) {
        let id = match departed {
            Ok((id, ())) => id,
            Err(error) => {
                if error.is_panic() {
                    tracing::error!("a connection ended in a panic");
                }
                error.id()
            }
        };
        self.server.traffic.one_left();
        let member = self.members.remove(&id);
        if let (Some(member), Some(leaving)) = (&member, &self.leaving)
            && Arc::ptr_eq(member, leaving)
        {
            self.leaving = None;
        }
    }
}

async fn tell_refusal<S>(stream: &mut S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(REFUSAL).await?;
    stream.shutdown().await?;
    // What the client has sent must be read, or closing would reset the connection under the
    // refusal it is about to read.
    let mut piece = [0; 1024];
    while stream.read(&mut piece).await? > 0 {}
    Ok(())
}
