//! Which part answers a request: decided by the path alone, so that one listener serves every
//! protocol at its vendor's own addresses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use http::StatusCode;
use protocols::exchange::{Answer, Arrival, Serve};
use protocols::iak;

use crate::administration::DOCUMENT_PATH;
use crate::problem::{problem, text};

/// Sends each request to the part that owns its path.
pub(crate) struct Dispatch {
    /// Whether the program is ready for orders.
    pub(crate) ready: Arc<AtomicBool>,
    /// The IAK protocol.
    pub(crate) iak: iak::Served,
    /// The admin API.
    pub(crate) administration: Box<dyn Serve>,
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
        if iak::Served::owns(path) {
            return self.iak.serve(arrival).await;
        }
        if path.starts_with("/admin/") || path == DOCUMENT_PATH {
            return self.administration.serve(arrival).await;
        }
        match &self.control {
            Some(control) if path.starts_with("/sandbox/") => control.serve(arrival).await,
            _ => problem(StatusCode::NOT_FOUND, "PATH_UNKNOWN", "there is no such path"),
        }
    }
}
