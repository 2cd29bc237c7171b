//! One HTTP exchange as a protocol sees it: what arrived, and what is answered.
//!
//! The edge has read the whole request before a protocol sees it. A body that could not be read is
//! handed over as a [`BodyFault`] rather than answered by the edge, because only the protocol knows
//! in which shape its clients expect to be told.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use gateway::exchanges::Note;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// A request whose head was read and whose body was read or given up on.
#[derive(Debug)]
pub struct Arrival {
    /// Method, path and headers.
    pub head: http::request::Parts,
    /// The body as it came over the wire.
    pub body: Result<Bytes, BodyFault>,
    /// Who is on the other end of the connection.
    pub peer: IpAddr,
    /// Where a note of this exchange goes, if anybody keeps exchanges.
    pub note: Option<NoteSlot>,
}

/// Why a body could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFault {
    /// The body is longer than the edge accepts.
    TooLarge,
    /// The body did not arrive within its deadline.
    TooSlow,
    /// The connection or its framing broke off inside the body.
    Broken,
}

/// What is sent back.
pub type Answer = http::Response<Bytes>;

/// Where a protocol leaves its note of what an exchange is about. Whoever keeps exchanges gives one to
/// a request and takes the note when the answer is there, or when there will be none because the
/// connection has ended.
#[derive(Debug, Clone, Default)]
pub struct NoteSlot(Arc<Mutex<Option<Note>>>);

impl NoteSlot {
    /// Takes the note out, if one was left.
    pub fn take(&self) -> Option<Note> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Puts a note in, in place of the one before.
    pub fn leave(&self, note: Note) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(note);
    }
}

/// A note that is being written. It is left in the slot of its request however the request ends.
pub(crate) struct Noting {
    /// What is known so far.
    pub(crate) note: Note,
    slot: Option<NoteSlot>,
}

impl Noting {
    /// Begins with a note that knows nothing; where nobody keeps exchanges it goes nowhere.
    pub(crate) fn of(arrival: &Arrival, note: Note) -> Self {
        Self { note, slot: arrival.note.clone() }
    }
}

impl Drop for Noting {
    fn drop(&mut self) {
        if let Some(slot) = &self.slot {
            slot.leave(self.note.clone());
        }
    }
}

/// Something that answers requests: a protocol's served face, or the program's dispatcher over all
/// of them.
#[async_trait]
pub trait Serve: Send + Sync {
    /// Answers one request. Dropping the returned future must not lose money: whatever has to
    /// survive a client that hangs up runs in a task of its own.
    async fn serve(&self, arrival: Arrival) -> Answer;
}

/// Whether a body came as it is. Compressed bodies are not read: no protocol asks for them.
pub(crate) fn is_plain(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().all(|value| {
        value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity")
            || value.as_bytes().trim_ascii().is_empty()
    })
}
