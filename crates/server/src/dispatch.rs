//! Which part answers a request: decided by the path alone, so that one listener serves every
//! protocol at its vendor's own addresses.
//!
//! It is decided once, by whoever observes the request, and handed on with it.

use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::StatusCode;
use protocols::FACES;
use protocols::exchange::{Answer, Arrival, Serve};

use crate::administration::DOCUMENT_PATH;
use crate::problem::{problem, text};

/// The parts of the program that answer, as logs and metrics name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The protocol of this name.
    Protocol(&'static str),
    /// The admin API.
    Administration,
    /// What tests may do to the sandbox.
    Control,
    /// What watches the program: `/livez`, `/readyz`, `/metrics`.
    Health,
    /// Nobody.
    Unknown,
}

impl Part {
    /// Every part.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let protocols = FACES.iter().map(|face| Self::Protocol(face.name));
        protocols.chain([Self::Administration, Self::Control, Self::Health, Self::Unknown])
    }

    /// Its name: for a protocol that of the protocol.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Protocol(name) => name,
            Self::Administration => "admin",
            Self::Control => "sandbox",
            Self::Health => "health",
            Self::Unknown => "none",
        }
    }
}

/// Which part a path belongs to.
pub(crate) fn part(path: &str) -> Part {
    match path {
        "/livez" | "/readyz" | "/metrics" => Part::Health,
        _ if path.starts_with("/admin/") || path == DOCUMENT_PATH => Part::Administration,
        _ if path.starts_with("/sandbox/") => Part::Control,
        _ => protocols::owner(path).map_or(Part::Unknown, Part::Protocol),
    }
}

/// An answer that is being made.
pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

/// Something that answers requests of which it is known already whose they are.
pub(crate) trait ServePart: Send + Sync {
    /// Answers one request for this part. What [`Serve::serve`] promises holds here, too.
    fn serve_part(&self, part: Part, arrival: Arrival) -> Answering<'_>;
}

/// Sends each request to the part that owns its path. A part that is not served on a listener is
/// `None` there, and its paths are unknown.
pub(crate) struct Dispatch {
    /// Whether the program is ready for orders.
    pub(crate) ready: Arc<AtomicBool>,
    /// The protocols by name; none on a listener for operators.
    pub(crate) protocols: Vec<(&'static str, Box<dyn Serve>)>,
    /// The admin API.
    pub(crate) administration: Option<Box<dyn Serve>>,
    /// What tests may do to the sandbox; production has none.
    pub(crate) control: Option<Box<dyn Serve>>,
    /// The metrics.
    pub(crate) metrics: Option<Box<dyn Serve>>,
}

impl Dispatch {
    async fn health(&self, arrival: Arrival) -> Answer {
        match (arrival.head.uri.path(), &self.metrics) {
            ("/livez", _) => text(StatusCode::OK, "ok\n"),
            ("/readyz", _) if self.ready.load(Ordering::Acquire) => text(StatusCode::OK, "ok\n"),
            ("/readyz", _) => text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
            (_, Some(metrics)) => metrics.serve(arrival).await,
            (_, None) => unknown(),
        }
    }
}

fn unknown() -> Answer {
    problem(StatusCode::NOT_FOUND, "PATH_UNKNOWN", "there is no such path")
}

impl ServePart for Dispatch {
    fn serve_part(&self, part: Part, arrival: Arrival) -> Answering<'_> {
        let part: Option<&dyn Serve> = match part {
            Part::Health => return Box::pin(self.health(arrival)),
            Part::Protocol(name) => {
                let served = self.protocols.iter().find(|(own, _)| *own == name);
                served.map(|(_, protocol)| protocol.as_ref())
            }
            Part::Administration => self.administration.as_deref(),
            Part::Control => self.control.as_deref(),
            Part::Unknown => None,
        };
        match part {
            Some(part) => part.serve(arrival),
            None => Box::pin(ready(unknown())),
        }
    }
}
