//! Which part answers a request: decided by the path alone, so that one listener serves every
//! protocol at its vendor's own addresses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use http::StatusCode;
use protocols::exchange::{Answer, Arrival, Serve};
use protocols::iak;

use crate::problem::{problem, text};

/// Sends each request to the part that owns its path. A part that is not served on a listener is
/// `None` there, and its paths are unknown.
pub(crate) struct Dispatch {
    /// Whether the program is ready for orders.
    pub(crate) ready: Arc<AtomicBool>,
    /// The IAK protocol.
    pub(crate) iak: Option<iak::Served>,
    /// The admin API.
    pub(crate) administration: Option<Box<dyn Serve>>,
    /// What tests may do to the sandbox; production has none.
    pub(crate) control: Option<Box<dyn Serve>>,
}

#[async_trait]
impl Serve for Dispatch {
    async fn serve(&self, arrival: Arrival) -> Answer {
        let path = arrival.head.uri.path();
        match path {
            "/livez" => return text(StatusCode::OK, "ok\n"),
            "/readyz" if self.ready.load(Ordering::Acquire) => return text(StatusCode::OK, "ok\n"),
            "/readyz" => return text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
            _ => {}
        }
        let part: Option<&dyn Serve> = if iak::Served::owns(path) {
            self.iak.as_ref().map(|iak| iak as _)
        } else if path.starts_with("/admin/") {
            self.administration.as_deref()
        } else if path.starts_with("/sandbox/") {
            self.control.as_deref()
        } else {
            None
        };
        match part {
            Some(part) => part.serve(arrival).await,
            None => problem(StatusCode::NOT_FOUND, "PATH_UNKNOWN", "there is no such path"),
        }
    }
}
