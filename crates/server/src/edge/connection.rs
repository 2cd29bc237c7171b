//! One connection from accepting it to closing it.
//!
//! Invariants: a connection has one timer, which is moved forward only when a nearer deadline
//! comes up and otherwise left to fire and be set anew, so that a request costs no timer. An order
//! to make room or to shut down is looked at only after the HTTP layer has read what has already
//! arrived, so that a request which is there is never thrown away with an idle connection.
//!
//! One thing is deliberately not known here: when a client sends a whole request and half of the
//! next in one packet, the half is already inside the HTTP layer, and the connection counts as
//! idle until more bytes come. It then gains the idle deadline and nothing more.

use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use http::Request;
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};

use super::phase::{Phase, Stage};
use super::request::answer;
use super::server::Server;
use super::watched::Watched;

/// A word that no stage has, because its time would lie beyond all clocks.
const NO_STAGE: u64 = u64::MAX;

/// What the accept loop, the HTTP layer and the request in progress know of one connection.
pub(super) struct Connection {
    server: Arc<Server>,
    peer: IpAddr,
    stage: AtomicU64,
    /// The stage in which the accept loop found the connection when it ordered it out.
    ordered_out: AtomicU64,
    shutting_down: AtomicBool,
    lingers: AtomicBool,
    task: Mutex<Option<Waker>>,
}

/// Why a connection ended.
enum Ending {
    Finished(hyper::Result<()>),
    MadeRoom,
    Overdue,
}

impl Connection {
    /// A connection that has just been accepted.
    pub(super) fn new(server: Arc<Server>, peer: IpAddr) -> Connection {
        let stage = Stage { phase: Phase::Silent, since: server.now() };
        Connection {
            server,
            peer,
            stage: AtomicU64::new(stage.to_word()),
            ordered_out: AtomicU64::new(NO_STAGE),
            shutting_down: AtomicBool::new(false),
            lingers: AtomicBool::new(false),
            task: Mutex::new(None),
        }
    }

    /// The server this connection belongs to.
    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// Who is on the other end.
    pub(super) fn peer(&self) -> IpAddr {
        self.peer
    }

    /// What the connection is doing.
    pub(super) fn stage(&self) -> Stage {
        Stage::from_word(self.stage.load(Ordering::Relaxed))
    }

    /// Serves the connection until it ends for whatever reason.
    pub(super) async fn attend<S>(self: Arc<Self>, stream: S)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let reason = match self.run(stream).await {
            Ending::Finished(Ok(())) => "finished",
            Ending::Finished(Err(_)) => "failed",
            Ending::MadeRoom => {
                self.server.traffic.one_made_room();
                "made room for another"
            }
            Ending::Overdue => {
                self.server.traffic.one_was_overdue();
                "overdue"
            }
        };
        tracing::debug!(
            peer = %self.peer,
            phase = ?self.stage().phase,
            reason,
            "a connection ended"
        );
    }

    async fn run<S>(self: &Arc<Self>, stream: S) -> Ending
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let service = service_fn(|request: Request<Incoming>| {
            self.head_is_whole(!request.body().is_end_stream());
            answer(Arc::clone(self), request)
        });
        let stream = TokioIo::new(Watched::new(stream, Arc::clone(self)));
        let mut http = pin!(self.server.http.serve_connection(stream, service));
        let mut timer = pin!(tokio::time::sleep(self.server.limits.head));
        let mut reachable_by = None;
        let mut told = false;
        poll_fn(|context| {
            self.be_reachable(&mut reachable_by, context.waker());
            if let Poll::Ready(outcome) = http.as_mut().poll(context) {
                return Poll::Ready(Ending::Finished(outcome));
            }
            if !told && self.shutting_down.load(Ordering::Acquire) {
                told = true;
                http.as_mut().graceful_shutdown();
                if let Poll::Ready(outcome) = http.as_mut().poll(context) {
                    return Poll::Ready(Ending::Finished(outcome));
                }
            }
            if self.makes_room() {
                return Poll::Ready(Ending::MadeRoom);
            }
            self.poll_overdue(timer.as_mut(), context).map(|()| Ending::Overdue)
        })
        .await
    }

    /// Ready once the connection has outstayed the deadline of what it is doing.
    fn poll_overdue(&self, mut timer: Pin<&mut Sleep>, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let due = self.due();
            if let Some(due) = due
                && due < timer.deadline()
            {
                timer.as_mut().reset(due);
            }
            ready!(timer.as_mut().poll(context));
            let now = Instant::now();
            match due {
                Some(due) if due <= now => return Poll::Ready(()),
                Some(due) => timer.as_mut().reset(due),
                None => timer.as_mut().reset(now + self.server.limits.idle),
            }
        }
    }

    /// When the present phase must have ended. A body has a deadline of its own, because the
    /// service is told about it; the service's work has none here.
    fn due(&self) -> Option<Instant> {
        let limits = &self.server.limits;
        let stage = self.stage();
        let length = match stage.phase {
            Phase::Silent | Phase::Head => limits.head,
            Phase::Body | Phase::Working => return None,
            Phase::Answering | Phase::Flushing => limits.answer,
            Phase::Idle => limits.idle,
            Phase::Lingering => limits.linger,
        };
        Some(self.server.instant(stage.since) + length)
    }

    fn enter(&self, phase: Phase) {
        self.set(Stage { phase, since: self.server.now() });
    }

    /// Changes the phase and keeps the time of the one before it.
    fn continue_as(&self, phase: Phase) {
        self.set(Stage { phase, since: self.stage().since });
    }

    fn set(&self, stage: Stage) {
        self.stage.store(stage.to_word(), Ordering::Relaxed);
    }
}

/// What the HTTP layer and the request in progress report.
impl Connection {
    /// Bytes were read. The first head keeps the time of accepting, so that silence and a slow
    /// head share one deadline.
    pub(super) fn bytes_came(&self) {
        match self.stage().phase {
            Phase::Silent => self.continue_as(Phase::Head),
            Phase::Idle => self.enter(Phase::Head),
            _ => {}
        }
    }

    /// A head is complete. Where the head came in one packet with the request before it, no read
    /// has announced it, and its time begins here.
    fn head_is_whole(&self, body_follows: bool) {
        let phase = if body_follows { Phase::Body } else { Phase::Working };
        match self.stage().phase {
            Phase::Head => self.continue_as(phase),
            _ => self.enter(phase),
        }
    }

    /// The body has been received or given up.
    pub(super) fn request_is_whole(&self) {
        self.continue_as(Phase::Working);
    }

    /// The service has answered.
    pub(super) fn answer_begins(&self) {
        self.enter(Phase::Answering);
    }

    /// The HTTP layer has the whole answer.
    pub(super) fn answer_is_taken(&self) {
        self.continue_as(Phase::Flushing);
    }

    /// The HTTP layer has nothing left to write.
    pub(super) fn all_is_written(&self) {
        if self.stage().phase == Phase::Flushing {
            self.enter(Phase::Idle);
        }
    }

    /// Part of a request was refused, and the client may still be sending it.
    pub(super) fn linger_at_the_end(&self) {
        self.lingers.store(true, Ordering::Relaxed);
    }

    /// Whether to linger, now that this side has been closed. A connection that ends inside a
    /// head was refused by the HTTP layer, and its client may still be sending, too.
    pub(super) fn lingers_at_its_end(&self) -> bool {
        let lingers = self.lingers.load(Ordering::Relaxed) || self.stage().phase == Phase::Head;
        if lingers {
            self.enter(Phase::Lingering);
        }
        lingers
    }
}

/// What the accept loop orders.
impl Connection {
    /// Orders the connection out if it is still found in `stage`.
    pub(super) fn order_out(&self, stage: Stage) {
        self.ordered_out.store(stage.to_word(), Ordering::Release);
        self.wake();
    }

    /// Whether an order to leave has been given and not been declined.
    pub(super) fn is_ordered_out(&self) -> bool {
        self.ordered_out.load(Ordering::Acquire) != NO_STAGE
    }

    /// Orders the connection to finish its request, if it has one, and close.
    pub(super) fn shut_down(&self) {
        self.shutting_down.store(true, Ordering::Release);
        self.wake();
    }

    fn wake(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = &*task {
            task.wake_by_ref();
        }
    }

    /// Leaves its waker for the accept loop. A task keeps its waker, so `known` saves the lock on
    /// every poll but the first.
    fn be_reachable(&self, known: &mut Option<Waker>, waker: &Waker) {
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
            *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker.clone());
        }
    }

    /// Whether to leave because the accept loop needs the room. A connection that has moved on
    /// since it was chosen stays, and the accept loop chooses again.
    fn makes_room(&self) -> bool {
        let ordered_out = self.ordered_out.load(Ordering::Acquire);
        if ordered_out == NO_STAGE {
            return false;
        }
        if ordered_out == self.stage.load(Ordering::Relaxed) {
            return true;
        }
        self.ordered_out.store(NO_STAGE, Ordering::Release);
        self.server.order_declined.notify_one();
        false
    }
}
