//! What all connections of one listener share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use protocols::exchange::Serve;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::limits::{HEADERS_WITHOUT_ALLOCATION, Limits};
use super::traffic::Traffic;

/// The smallest read buffer the HTTP layer accepts, in bytes.
const LEAST_BUFFER: usize = 8 * 1024;

/// What all connections of one listener share.
pub(super) struct Server {
    /// What clients are held to.
    pub(super) limits: Limits,
    /// Who answers.
    pub(super) service: Arc<dyn Serve>,
    /// Who counts the connections.
    pub(super) traffic: Arc<Traffic>,
    /// The HTTP layer, set up once.
    pub(super) http: http1::Builder,
    /// Told when a connection that was ordered out has moved on and stays.
    pub(super) order_declined: Notify,
    slot_wanted: AtomicBool,
    start: Instant,
}

impl Server {
    /// Sets up what the connections will share.
    pub(super) fn new(limits: Limits, service: Arc<dyn Serve>, traffic: Arc<Traffic>) -> Server {
        Server {
            http: http_layer(&limits),
            limits,
            service,
            traffic,
            order_declined: Notify::new(),
            slot_wanted: AtomicBool::new(false),
            start: Instant::now(),
        }
    }

    /// The time in microseconds since the server started.
    pub(super) fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// The instant that [`Server::now`] gave as `micros`.
    pub(super) fn instant(&self, micros: u64) -> Instant {
        self.start + Duration::from_micros(micros)
    }

    /// Says whether someone is waiting for a slot that only an answered connection can give.
    pub(super) fn want_slot(&self, wanted: bool) {
        self.slot_wanted.store(wanted, Ordering::Relaxed);
    }

    /// Whether the connection asking must close after its answer, to give up its slot. Of all
    /// that ask, one is told so for each slot wanted.
    pub(super) fn takes_a_slot(&self) -> bool {
        self.slot_wanted.load(Ordering::Relaxed) && self.slot_wanted.swap(false, Ordering::Relaxed)
    }
}

fn http_layer(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    // The layer's own timer cannot tell waiting for a request from waiting inside one, and would
    // be allocated for every request; the connection keeps both deadlines itself.
    http.header_read_timeout(None);
    // A client that closes its sending side is still owed its answer.
    http.half_close(true);
    http.max_header_size(limits.head_bytes);
    http.max_buf_size(limits.head_bytes.max(LEAST_BUFFER));
    if limits.headers != HEADERS_WITHOUT_ALLOCATION {
        http.max_headers(limits.headers);
    }
    http
}
