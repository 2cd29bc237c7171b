//! The limits one listener holds its clients to.
//!
//! Every way in which a client can take its time or take up room has a number here, so that an
//! operator can see at one glance what a connection can cost. This module only holds the numbers;
//! the modules beside it keep them.

use std::time::Duration;

/// How long and how much a client may take. The defaults suit servers talking to servers.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a head may take. On a new connection the time runs from accepting it, so that a
    /// socket which never speaks is closed by the same deadline; on a connection that is kept
    /// alive it runs from the first byte of the head.
    pub head: Duration,
    /// How long the whole body may take, counted from the end of the head, however steadily it
    /// drips.
    pub body: Duration,
    /// How long the client may take to accept a whole answer.
    pub answer: Duration,
    /// How long a connection may rest between an answer and the first byte of the next request.
    pub idle: Duration,
    /// How long a connection is held open after refusing part of a request, so that the client
    /// can read the answer before its unread bytes turn the close into a reset.
    pub linger: Duration,
    /// How long requests in progress may take to finish once the shutdown has begun.
    pub grace: Duration,
    /// After how long an unfinished head or body, or an answer the client does not take, gives a
    /// connection up to be evicted when room is short.
    pub stalled: Duration,
    /// How long a new connection may wait for room before it is refused with a 503.
    pub admission: Duration,
    /// The longest body accepted, in bytes, after undoing the chunking.
    pub body_bytes: usize,
    /// The longest head accepted, in bytes, from the request line to the empty line.
    pub head_bytes: usize,
    /// The most header fields accepted in one head. Any other value than the default costs a few
    /// per cent of speed, because the parser then allocates its table for each request.
    pub headers: usize,
    /// The most connections held at once; zero is taken as one.
    pub connections: usize,
}

/// The number of header fields the HTTP parser has room for without allocating.
pub(super) const HEADERS_WITHOUT_ALLOCATION: usize = 100;

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head: Duration::from_secs(10),
            body: Duration::from_secs(10),
            answer: Duration::from_secs(30),
            idle: Duration::from_secs(75),
            linger: Duration::from_secs(2),
            grace: Duration::from_secs(30),
            stalled: Duration::from_secs(1),
            admission: Duration::from_secs(2),
            body_bytes: 64 * 1024,
            head_bytes: 16 * 1024,
            headers: HEADERS_WITHOUT_ALLOCATION,
            connections: 1024,
        }
    }
}
