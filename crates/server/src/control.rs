//! What tests may do to the sandbox: set its clock, script its supplier's faults, and look at the
//! callbacks that it caught.
//!
//! Served only by the sandbox, never by a production server.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::Timestamp;
use gateway::ports::Clock;
use http::{Method, StatusCode};
use protocols::exchange::{Answer, Arrival, Serve};
use protocols::sandbox::{Sandbox, faults};
use serde::{Deserialize, Serialize};

use crate::administration::reading;
use crate::catcher::Catcher;
use crate::problem::{json, problem};
use crate::system::SystemClock;

/// Serves `/sandbox/`.
pub(crate) struct Control {
    clock: Arc<SystemClock>,
    sandbox: Arc<Sandbox>,
    catcher: Catcher,
}

/// Where callbacks are caught and shown.
pub(crate) const CALLBACKS_PATH: &str = "/sandbox/callbacks";

/// `POST /sandbox/clock`: either an instant or a step.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockSetting {
    now: Option<jiff::Timestamp>,
    advance_seconds: Option<i64>,
}

#[derive(Serialize)]
struct ClockView {
    now: String,
}

impl Control {
    /// Controls these.
    pub(crate) const fn new(
        clock: Arc<SystemClock>,
        sandbox: Arc<Sandbox>,
        catcher: Catcher,
    ) -> Self {
        Self { clock, sandbox, catcher }
    }

    async fn show_callbacks(&self, query: Option<&str>) -> Answer {
        match reading::query(query, &["order", "reference"]) {
            Ok(query) => self.catcher.show(&query).await,
            Err(_) => malformed("the parameters are order and reference, each once"),
        }
    }

    fn clock_view(&self) -> Answer {
        let milliseconds = self.clock.now().milliseconds();
        let now = jiff::Timestamp::from_millisecond(milliseconds).unwrap_or(jiff::Timestamp::MAX);
        json(StatusCode::OK, &ClockView { now: now.to_string() })
    }

    fn set_clock(&self, body: &Bytes) -> Answer {
        let instant = match serde_json::from_slice(body) {
            Ok(ClockSetting { now: Some(now), advance_seconds: None }) => {
                Timestamp::from_milliseconds(now.as_millisecond())
            }
            Ok(ClockSetting { now: None, advance_seconds: Some(seconds) }) => {
                let step = seconds.saturating_mul(1000);
                Timestamp::from_milliseconds(self.clock.now().milliseconds().saturating_add(step))
            }
            Ok(_) => return malformed("either `now` or `advance_seconds` is needed"),
            Err(error) => return malformed(&error.to_string()),
        };
        self.clock.set(instant);
        self.clock_view()
    }

    fn script(&self, body: &Bytes) -> Answer {
        match faults::parse(body) {
            Ok(fault) => {
                self.sandbox.script(fault);
                json(StatusCode::OK, &serde_json::Map::new())
            }
            Err(error) => malformed(&error.to_string()),
        }
    }
}

fn malformed(detail: &str) -> Answer {
    problem(StatusCode::BAD_REQUEST, "REQUEST_MALFORMED", detail)
}

#[async_trait]
impl Serve for Control {
    async fn serve(&self, arrival: Arrival) -> Answer {
        let Ok(body) = &arrival.body else { return malformed("the body could not be read") };
        match (&arrival.head.method, arrival.head.uri.path()) {
            (&Method::GET, "/sandbox/clock") => self.clock_view(),
            (&Method::POST, "/sandbox/clock") => self.set_clock(body),
            (&Method::POST, "/sandbox/faults") => self.script(body),
            (&Method::POST, CALLBACKS_PATH) => self.catcher.take(&arrival.head.headers, body),
            (&Method::GET, CALLBACKS_PATH) => self.show_callbacks(arrival.head.uri.query()).await,
            _ => problem(StatusCode::NOT_FOUND, "PATH_UNKNOWN", "there is no such path"),
        }
    }
}
