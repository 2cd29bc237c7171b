//! The admin API: what an operator does, over HTTP with a bearer token.
//!
//! Every route needs a token whose role suffices; a missing and a wrong one are answered alike.
//! Errors are problem documents.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::OrderId;
use domain::administration::{Actor, Effect, Role, Standing};
use gateway::ports::{SettleFault, Verdict};
use gateway::{By, ByHandFault, Done, Gateway};
use http::{Method, StatusCode, header};
use protocols::exchange::{Answer, Arrival, Serve};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::problem::{json, problem};

/// How many orders are named when a reference is not unique.
const CANDIDATES_MAX: u32 = 20;

/// Serves the admin API under `/admin/`.
pub(crate) struct Administration {
    gateway: Arc<Gateway>,
    holders: Vec<Holder>,
}

/// Somebody with a token.
struct Holder {
    actor: Actor,
    token_digest: [u8; 32],
}

/// `POST /admin/v1/order-resolutions`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Resolution {
    reference: String,
    order: Option<u64>,
    verdict: VerdictWord,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum VerdictWord {
    Success,
    Failed,
}

#[derive(Serialize)]
struct OrderView {
    order: u64,
    merchant: u32,
    protocol: String,
    reference: String,
    state: &'static str,
}

impl Administration {
    /// Serves whoever presents one of these tokens, as far as its role goes.
    pub(crate) fn new<'a>(
        gateway: Arc<Gateway>,
        tokens: impl IntoIterator<Item = (Actor, &'a str)>,
    ) -> Self {
        let holder = |(actor, token)| Holder { actor, token_digest: Sha256::digest(token).into() };
        Self { gateway, holders: tokens.into_iter().map(holder).collect() }
    }

    /// Who the caller is, or `None` for who presents no token of ours. Digests are compared,
    /// so that the time taken says nothing about a token.
    fn caller(&self, arrival: &Arrival) -> Option<&Actor> {
        let value = arrival.head.headers.get(header::AUTHORIZATION)?;
        let token = value.to_str().ok()?.strip_prefix("Bearer ")?;
        let digest: [u8; 32] = Sha256::digest(token).into();
        self.holders.iter().find(|holder| holder.token_digest == digest).map(|holder| &holder.actor)
    }

    async fn resolve(&self, body: &Bytes, actor: &Actor) -> Answer {
        let resolution: Resolution = match serde_json::from_slice(body) {
            Ok(resolution) => resolution,
            Err(error) => {
                return problem(StatusCode::BAD_REQUEST, "REQUEST_MALFORMED", &error.to_string());
            }
        };
        let order = match self.find(&resolution).await {
            Ok(order) => order,
            Err(answer) => return answer,
        };
        let verdict = match resolution.verdict {
            VerdictWord::Success => Verdict::Success,
            VerdictWord::Failed => Verdict::Failed,
        };
        match self
            .gateway
            .decide_by_hand(order, verdict, By { actor: actor.clone(), request: None })
            .await
        {
            Ok(Done { effect: Effect::Resolved(standing), .. }) => {
                json(StatusCode::OK, &view(&standing))
            }
            Ok(other) => store_problem(&format!("unexpected answer {other:?}")),
            Err(fault) => by_hand_problem(&fault),
        }
    }

    /// The order that is meant. Among several under one reference the only open one is taken.
    async fn find(&self, resolution: &Resolution) -> Result<OrderId, Answer> {
        let reports = self.gateway.reports();
        let mut orders = reports
            .orders_named(&resolution.reference, CANDIDATES_MAX)
            .await
            .map_err(|fault| store_problem(&fault.to_string()))?;
        if let Some(number) = resolution.order {
            orders.retain(|order| order.id == OrderId(number));
        }
        if orders.len() > 1 {
            orders.retain(|order| !order.state.is_final());
        }
        match orders.as_slice() {
            [order] => Ok(order.id),
            [] => Err(problem(
                StatusCode::NOT_FOUND,
                "ORDER_NOT_FOUND",
                "no order with an open outcome has this reference",
            )),
            several => {
                let numbers: Vec<_> = several.iter().map(|order| order.id.to_string()).collect();
                let detail = format!(
                    "several orders have this reference; name one of {}",
                    numbers.join(", ")
                );
                Err(problem(StatusCode::CONFLICT, "REFERENCE_AMBIGUOUS", &detail))
            }
        }
    }
}

fn view(order: &Standing) -> OrderView {
    OrderView {
        order: order.order.0,
        merchant: order.key.merchant.0,
        protocol: order.key.protocol.to_string(),
        reference: order.key.reference.to_string(),
        state: order.state.name(),
    }
}

fn by_hand_problem(fault: &ByHandFault) -> Answer {
    let (status, code) = match fault {
        ByHandFault::NotFound => (StatusCode::NOT_FOUND, "ORDER_NOT_FOUND"),
        ByHandFault::NotPending => (StatusCode::CONFLICT, "ORDER_NOT_PENDING"),
        ByHandFault::InFlight => (StatusCode::CONFLICT, "ORDER_IN_FLIGHT"),
        ByHandFault::Upstream(SettleFault::Settled) => (StatusCode::CONFLICT, "UPSTREAM_SETTLED"),
        ByHandFault::Upstream(
            SettleFault::Unsupported | SettleFault::NotReceived | SettleFault::Failed(_),
        ) => (StatusCode::BAD_GATEWAY, "UPSTREAM_FAILED"),
        ByHandFault::Objected(_) => (StatusCode::CONFLICT, "CONFLICT"),
        ByHandFault::Store(fault) => return store_problem(&fault.to_string()),
    };
    problem(status, code, &fault.to_string())
}

/// The detail of a fault is for the log; the caller learns only that it was ours.
fn store_problem(fault: &str) -> Answer {
    tracing::error!(fault, "admin request failed");
    problem(StatusCode::SERVICE_UNAVAILABLE, "STORE_UNAVAILABLE", "the store does not answer")
}

#[async_trait]
impl Serve for Administration {
    async fn serve(&self, arrival: Arrival) -> Answer {
        let Some(actor) = self.caller(&arrival) else {
            let mut answer =
                problem(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "a valid bearer token is needed");
            let scheme = http::HeaderValue::from_static("Bearer");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            return answer;
        };
        let Ok(body) = &arrival.body else {
            return problem(
                StatusCode::BAD_REQUEST,
                "REQUEST_MALFORMED",
                "the body could not be read",
            );
        };
        match (&arrival.head.method, arrival.head.uri.path()) {
            (&Method::POST, "/admin/v1/order-resolutions") if actor.role < Role::Operator => {
                problem(
                    StatusCode::FORBIDDEN,
                    "FORBIDDEN",
                    "the role of this token does not suffice",
                )
            }
            (&Method::POST, "/admin/v1/order-resolutions") => self.resolve(body, actor).await,
            (_, "/admin/v1/order-resolutions") => {
                problem(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "use POST")
            }
            _ => problem(StatusCode::NOT_FOUND, "PATH_UNKNOWN", "there is no such path"),
        }
    }
}
