//! What the sandbox does with callbacks that nobody else receives: it takes them like a merchant's
//! server, remembers the latest in memory, and shows them.
//!
//! It neither verifies nor understands what it takes. To which order a callback belongs is known by
//! its name, which the courier makes of the callback alone.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use domain::{CallbackId, OrderId, Timestamp};
use gateway::Gateway;
use gateway::courier::message_id;
use gateway::ports::{CallbackFilter, CallbackReports, StoreFault};
use http::{HeaderMap, StatusCode};
use protocols::exchange::Answer;
use serde::Serialize;
use serde_json::Value;

use crate::problem::{json, problem};

/// How many deliveries are remembered.
const REMEMBERED: usize = 1000;
/// What names a callback in the headers of a delivery.
const NAME: &str = "webhook-id";
/// How many orders are looked through for a reference, and callbacks for an order.
const LOOKED_THROUGH: u32 = 100;

/// Takes and shows callbacks.
pub(crate) struct Catcher {
    gateway: Arc<Gateway>,
    callbacks: Arc<dyn CallbackReports>,
    caught: Mutex<Caught>,
}

#[derive(Default)]
struct Caught {
    count: u64,
    latest: VecDeque<Delivery>,
}

struct Delivery {
    number: u64,
    at: Timestamp,
    headers: BTreeMap<String, String>,
    body: Bytes,
}

/// A delivery as it is shown.
#[derive(Serialize)]
struct View<'a> {
    /// Counts what was caught since the start.
    number: u64,
    at: String,
    headers: &'a BTreeMap<String, String>,
    /// Exactly what was sent, as text.
    body: String,
    /// The same, where it is JSON.
    json: Option<Value>,
}

#[derive(Serialize)]
struct List<'a> {
    items: Vec<View<'a>>,
}

impl Catcher {
    /// Nothing is caught yet.
    pub(crate) fn new(gateway: Arc<Gateway>, callbacks: Arc<dyn CallbackReports>) -> Self {
        Self { gateway, callbacks, caught: Mutex::default() }
    }

    /// Takes a delivery.
    pub(crate) fn take(&self, headers: &HeaderMap, body: &Bytes) -> Answer {
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into();
        let headers = headers.iter().map(|(name, value)| (name.to_string(), text(value)));
        let mut caught = self.caught.lock().unwrap_or_else(PoisonError::into_inner);
        caught.count = caught.count.saturating_add(1);
        let (number, at) = (caught.count, self.gateway.now());
        caught.latest.push_front(Delivery {
            number,
            at,
            headers: headers.collect(),
            body: body.clone(),
        });
        caught.latest.truncate(REMEMBERED);
        json(StatusCode::OK, &serde_json::json!({ "caught": number }))
    }

    /// Shows what was caught, the latest first: of one order, of all orders under a reference, or
    /// everything.
    pub(crate) async fn show(&self, query: &BTreeMap<String, String>) -> Answer {
        let wanted = match self.wanted(query).await {
            Ok(wanted) => wanted,
            Err(fault) => {
                tracing::error!(%fault, "callbacks of an order could not be read");
                let detail = "the store does not answer";
                return problem(StatusCode::SERVICE_UNAVAILABLE, "STORE_UNAVAILABLE", detail);
            }
        };
        let caught = self.caught.lock().unwrap_or_else(PoisonError::into_inner);
        let is_wanted = |delivery: &&Delivery| {
            let name = delivery.headers.get(NAME);
            wanted.as_ref().is_none_or(|wanted| name.is_some_and(|name| wanted.contains(name)))
        };
        let items = caught.latest.iter().filter(is_wanted).map(view).collect();
        json(StatusCode::OK, &List { items })
    }

    /// The names of the callbacks that are wanted; none if all are.
    async fn wanted(
        &self,
        query: &BTreeMap<String, String>,
    ) -> Result<Option<BTreeSet<String>>, StoreFault> {
        let mut orders: Option<BTreeSet<OrderId>> = None;
        if let Some(number) = query.get("order") {
            orders = Some(number.parse().ok().map(OrderId).into_iter().collect());
        }
        if let Some(reference) = query.get("reference") {
            let named = self.gateway.reports().orders_named(reference, LOOKED_THROUGH).await?;
            let named: BTreeSet<OrderId> = named.iter().map(|order| order.id).collect();
            orders = Some(orders.map_or(named.clone(), |orders| &orders & &named));
        }
        let Some(orders) = orders else { return Ok(None) };
        let mut names = BTreeSet::new();
        for order in orders {
            self.add_names(order, &mut names).await?;
        }
        Ok(Some(names))
    }

    async fn add_names(
        &self,
        order: OrderId,
        names: &mut BTreeSet<String>,
    ) -> Result<(), StoreFault> {
        let filter = CallbackFilter { order: Some(order), ..CallbackFilter::default() };
        let mut before: Option<CallbackId> = None;
        loop {
            let page = self.callbacks.callbacks(&filter, before, LOOKED_THROUGH).await?;
            names.extend(page.items.iter().map(message_id));
            before = page.next;
            if before.is_none() {
                return Ok(());
            }
        }
    }
}

fn view(delivery: &Delivery) -> View<'_> {
    let at = jiff::Timestamp::from_millisecond(delivery.at.milliseconds());
    View {
        number: delivery.number,
        at: at.unwrap_or(jiff::Timestamp::MAX).to_string(),
        headers: &delivery.headers,
        body: String::from_utf8_lossy(&delivery.body).into_owned(),
        json: serde_json::from_slice(&delivery.body).ok(),
    }
}
