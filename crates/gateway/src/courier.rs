//! Handing callbacks over until their merchants have them.
//!
//! The courier looks for callbacks that are due, has their protocols write those that were never
//! tried, leases them in one commit so that nobody else tries them meanwhile, sends them, and records
//! what came of each try. Invariants: what is sent was durable before, byte for byte, and never
//! changes; a try that was begun is recorded whenever this process lives on; no address has more
//! tries under way than its share, so that one that hangs delays only itself.
//!
//! It knows no protocol and no network, and never gives up silently: after the last try the callback
//! stays visible and can be sent again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::callback::{EndpointKey, Received, Rendered};
use domain::command::{Lease, RecordDelivery, Redeliver, Wanted};
use domain::{
    Callback, CallbackId, CallbackState, Command, Endpoint, Merchant, Order, Reply, Secret,
    Timestamp,
};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, warn};

use crate::inquire::unexpected;
use crate::ports::{
    CallbackReports, CallbackWriter, Entropy, Handed, Messenger, News, Parcel, StoreFault,
};
use crate::standard_webhooks::headers;
pub use crate::standard_webhooks::{is_secret, message_id, random_secret};
use crate::{Gateway, Rejection, reply};

/// How often the courier looks for what is due when nobody rings.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long the courier rests at least between two looks, however often somebody rings; and as long
/// as the look took, so that a store with much to show is left alone half of the time.
const REST: Duration = Duration::from_millis(20);
/// How many addresses are looked at in one reading.
const ENDPOINTS_AT_ONCE: u32 = 256;
/// How long the courier pauses when the store does not answer.
const PAUSE: Duration = Duration::from_secs(1);
/// How far a receiver may put off the next try.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);
/// How long the tries under way may take at a stop.
const STOP_WITHIN: Duration = Duration::from_secs(15);

impl Gateway {
    /// Has the latest news of a merchant's order sent once more to each of its addresses, with the same
    /// bytes, and tells to how many; none as long as there is no news. That a person has to look at an
    /// order is told to whoever asks like this, and by itself to nobody.
    pub async fn redeliver(&self, merchant: &Merchant, order: &Order) -> Result<usize, Rejection> {
        let command = Command::Redeliver(Redeliver {
            merchant: merchant.id,
            order: order.id,
            callbacks: order.callbacks.clone(),
            currency: merchant.currency,
            at: self.now(),
        });
        match reply(self.store.execute(command, None).await)? {
            Reply::Redelivered { callbacks } => {
                self.news.notify_one();
                Ok(callbacks)
            }
            other => Err(unexpected(&other).into()),
        }
    }
}

/// What the operator may set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long after one try the next one is due. After the last of them the callback is given up.
    pub retries: Vec<Duration>,
    /// How many tries one address may have under way. One whose latest try failed has only one.
    pub per_endpoint: u32,
    /// How many tries may be under way in all.
    pub at_once: usize,
    /// How long a lease lasts; longer than any try takes.
    pub lease: Duration,
    /// Where merchants without an address are called back, and the secret for it; none leaves their
    /// callbacks undelivered.
    pub fallback: Option<(String, Secret)>,
}

impl Settings {
    /// The delays that [`Settings::retries`] has unless the operator wants others: the first try is
    /// at once, and these follow, about 75 hours in all.
    pub fn usual_retries() -> Vec<Duration> {
        const MINUTE: u64 = 60;
        const HOUR: u64 = 60 * MINUTE;
        [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]
            .map(Duration::from_secs)
            .to_vec()
    }
}

/// What a courier is made of.
pub struct Parts {
    /// Whose callbacks.
    pub gateway: Arc<Gateway>,
    /// The list reads.
    pub reports: Arc<dyn CallbackReports>,
    /// Who writes them, one for each protocol that calls back.
    pub writers: Vec<Arc<dyn CallbackWriter>>,
    /// Who sends them.
    pub messenger: Arc<dyn Messenger>,
    /// Spreads the tries, so that callbacks that failed together do not come back together.
    pub entropy: Arc<dyn Entropy>,
    /// What the operator set.
    pub settings: Settings,
}

/// An address's tries.
#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    under_way: u32,
    failing: bool,
}

impl Lane {
    fn count(&self) -> usize {
        usize::try_from(self.under_way).unwrap_or(usize::MAX)
    }
}

/// Hands callbacks over.
pub struct Courier {
    gateway: Arc<Gateway>,
    reports: Arc<dyn CallbackReports>,
    writers: BTreeMap<String, Arc<dyn CallbackWriter>>,
    messenger: Arc<dyn Messenger>,
    entropy: Arc<dyn Entropy>,
    settings: Settings,
    lanes: Mutex<HashMap<EndpointKey, Lane>>,
    tries: TaskTracker,
}

impl Courier {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Arc<Self> {
        let writers = parts.writers.into_iter().map(|it| (it.protocol().to_owned(), it)).collect();
        Arc::new(Self {
            gateway: parts.gateway,
            reports: parts.reports,
            writers,
            messenger: parts.messenger,
            entropy: parts.entropy,
            settings: parts.settings,
            lanes: Mutex::default(),
            tries: TaskTracker::new(),
        })
    }

    /// How many tries are under way.
    pub fn under_way(&self) -> usize {
        self.tries.len()
    }

    /// Hands over what is due until told to stop, and then waits a while for the tries under way.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        if let Err(fault) = self.take_over().await {
            error!(%fault, "callbacks of an earlier run wait until their leases run out");
        }
        loop {
            let begun = Instant::now();
            let rest = match self.look().await {
                Ok(()) => begun.elapsed().max(REST),
                Err(fault) => {
                    warn!(%fault, "due callbacks could not be read");
                    PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.wait(rest) => {}
            }
        }
        self.tries.close();
        if timeout(STOP_WITHIN, self.tries.wait()).await.is_err() {
            warn!("some callbacks were being tried at the stop; they are tried again");
        }
    }

    /// Rests, and then waits until somebody rings or it is time to look again. A ring during the
    /// rest counts.
    async fn wait(&self, rest: Duration) {
        sleep(rest).await;
        tokio::select! {
            () = self.gateway.news.notified() => {}
            () = sleep(LOOK_EVERY) => {}
        }
    }

    /// Takes over what processes that have ended had leased, and hands it over.
    async fn take_over(self: &Arc<Self>) -> Result<(), StoreFault> {
        let mut after = CallbackId(0);
        loop {
            let leased = self.reports.callbacks_leased(after, ENDPOINTS_AT_ONCE).await?;
            let Some(last) = leased.last() else { return Ok(()) };
            after = last.id;
            self.lease_and_send(leased, true).await?;
        }
    }

    /// Looks through every address once.
    async fn look(self: &Arc<Self>) -> Result<(), StoreFault> {
        let mut after = None;
        loop {
            let due = self.due_after(after.as_ref()).await?;
            let Some(last) = due.last() else { return Ok(()) };
            after = Some(endpoint_of(last));
            let chosen = self.choose(due);
            if !chosen.is_empty() {
                self.lease_and_send(chosen, false).await?;
            }
        }
    }

    async fn due_after(&self, after: Option<&EndpointKey>) -> Result<Vec<Callback>, StoreFault> {
        let (now, share) = (self.gateway.now(), self.settings.per_endpoint);
        self.reports.callbacks_due(now, after, ENDPOINTS_AT_ONCE, share).await
    }

    /// Those for which their addresses have room. Addresses that fail share half of the room in all,
    /// so that however many of them hang, the other half is there for those that do not.
    fn choose(&self, due: Vec<Callback>) -> Vec<Callback> {
        let lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut room_in_all = self.settings.at_once.saturating_sub(self.tries.len());
        let failing: usize = lanes.values().filter(|it| it.failing).map(Lane::count).sum();
        let mut room_for_failing = (self.settings.at_once / 2).max(1).saturating_sub(failing);
        let mut taken: HashMap<EndpointKey, u32> = HashMap::new();
        let mut chosen = Vec::new();
        for callback in due {
            let key = endpoint_of(&callback);
            let lane = lanes.get(&key).copied().unwrap_or_default();
            let share = if lane.failing { 1 } else { self.settings.per_endpoint.max(1) };
            let taken = taken.entry(key).or_default();
            let room = if lane.failing { room_in_all.min(room_for_failing) } else { room_in_all };
            if room > 0 && lane.under_way.saturating_add(*taken) < share {
                *taken = taken.saturating_add(1);
                if lane.failing {
                    room_for_failing = room_for_failing.saturating_sub(1);
                }
                room_in_all = room_in_all.saturating_sub(1);
                chosen.push(callback);
            }
        }
        chosen
    }

    async fn lease_and_send(
        self: &Arc<Self>,
        callbacks: Vec<Callback>,
        take_over: bool,
    ) -> Result<(), StoreFault> {
        let mut orders = HashMap::new();
        let mut wanted = Vec::with_capacity(callbacks.len());
        for callback in callbacks {
            let order = self.gateway.any_order(callback.order).await?.ok_or_else(|| {
                StoreFault::Corrupt(format!("callback {} has no order", callback.id))
            })?;
            let rendered = match &callback.rendered {
                Some(_) => None,
                None => self.render(&callback, &order),
            };
            orders.insert(callback.id, order);
            wanted.push(Wanted { callback: callback.id, rendered });
        }
        let at = self.gateway.now();
        let lease = Lease {
            wanted,
            owner: self.gateway.process,
            at,
            until: at.after(self.settings.lease),
            take_over,
        };
        let leased = match self.execute(Command::Lease(lease)).await? {
            Reply::Leased(leased) => leased,
            other => return Err(unexpected(&other)),
        };
        for callback in leased {
            self.enter(&endpoint_of(&callback));
            let courier = Arc::clone(self);
            let own = orders.get(&callback.id).and_then(|order| order.callback_url.clone());
            let own = own.filter(|_| callback.to_own_address);
            self.tries.spawn(async move { courier.hand_over(callback, own).await });
        }
        Ok(())
    }

    /// What the protocol has to say. A protocol that calls back has a writer; one that lost it says
    /// nothing, and the callback waits for the program that has it.
    fn render(&self, callback: &Callback, order: &Order) -> Option<Arc<Rendered>> {
        let Some(writer) = self.writers.get(callback.protocol.as_str()) else {
            error!(callback = %callback.id, protocol = %callback.protocol, "nobody writes callbacks");
            return None;
        };
        let catalogue = self.gateway.catalogue();
        let now = self.gateway.now();
        Some(Arc::new(writer.render(News { callback, order, catalogue: &catalogue, now })))
    }

    /// One try, and the record of it.
    async fn hand_over(self: Arc<Self>, callback: Callback, own_address: Option<String>) {
        let key = endpoint_of(&callback);
        let (at, begun) = (self.gateway.now(), Instant::now());
        let handed = self.try_once(&callback, &key, own_address, at).await;
        let retry = self.next_try(&callback, &handed);
        let record = RecordDelivery {
            callback: callback.id,
            owner: self.gateway.process,
            endpoint: key.clone(),
            at,
            took: begun.elapsed(),
            received: handed.received.clone(),
            retry,
        };
        self.leave(&key, handed.received.is_delivered());
        self.record(record).await;
        // Another callback of the same address may wait for the room.
        self.gateway.news.notify_one();
    }

    async fn try_once(
        &self,
        callback: &Callback,
        key: &EndpointKey,
        own_address: Option<String>,
        at: Timestamp,
    ) -> Handed {
        let nowhere = Handed { received: Received::NoAddress, retry_after: None };
        let address = match own_address {
            Some(url) => Some((url, self.secret(key))),
            None => self.address(key),
        };
        let Some((url, secret)) = address else { return nowhere };
        let Some(rendered) = callback.rendered.clone() else { return nowhere };
        let headers = headers(&message_id(callback), at, &secret, &rendered.body);
        self.messenger.send(Parcel { url, headers, rendered }).await
    }

    /// What signs for a merchant, wherever the news go; an empty secret where it has none.
    fn secret(&self, key: &EndpointKey) -> Secret {
        let fallback = || self.settings.fallback.as_ref().map(|(_, secret)| secret.clone());
        let own = self.gateway.catalogue().endpoint(key).map(|endpoint| endpoint.secret.clone());
        own.or_else(fallback).unwrap_or_else(|| Secret::new(String::new()))
    }

    /// Where a merchant is called back at this moment.
    fn address(&self, key: &EndpointKey) -> Option<(String, Secret)> {
        let endpoint = self.endpoint(key).filter(|endpoint| endpoint.stopped_at.is_none())?;
        Some((endpoint.url, endpoint.secret))
    }

    /// The address at which a merchant is called back, stopped or not; none if there is none.
    pub fn endpoint(&self, key: &EndpointKey) -> Option<Endpoint> {
        let catalogue = self.gateway.catalogue();
        let own = catalogue.endpoint(key).map(|endpoint| Endpoint::clone(endpoint));
        let fallback = || {
            let (url, secret) = self.settings.fallback.clone()?;
            Some(Endpoint { key: key.clone(), url, secret, stopped_at: None })
        };
        own.or_else(fallback)
    }

    /// When a callback that was not delivered is tried next; none if this was the last time.
    fn next_try(&self, callback: &Callback, handed: &Handed) -> Option<Timestamp> {
        if matches!(handed.received, Received::NoAddress) {
            return None;
        }
        let tries = usize::try_from(callback.tries_in_round).unwrap_or(usize::MAX);
        let delay = *self.settings.retries.get(tries)?;
        let asked = handed.retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
        Some(self.gateway.now().after(self.jittered(delay).max(asked)))
    }

    /// The delay and up to a tenth more.
    fn jittered(&self, delay: Duration) -> Duration {
        let mut byte = [0];
        self.entropy.fill(&mut byte);
        delay.saturating_add(delay.saturating_mul(u32::from(byte[0])) / 2560)
    }

    async fn record(&self, record: RecordDelivery) {
        let (callback, received, took) = (record.callback, record.received.clone(), record.took);
        loop {
            match self.execute(Command::RecordDelivery(record.clone())).await {
                Ok(Reply::DeliveryRecorded { callback, stopped }) => {
                    let observer = &self.gateway.observer;
                    observer.handed_over(&callback.protocol, (&received).into(), took);
                    if callback.state == CallbackState::GivenUp {
                        observer.given_up(&callback.protocol);
                    }
                    let state = callback.state.name();
                    debug!(callback = %callback.id, order = %callback.order, %received, state, "tried");
                    if stopped && let Err(fault) = self.gateway.refresh_catalogue().await {
                        error!(%fault, "a stopped address is still in use");
                    }
                    return;
                }
                Ok(other) => {
                    error!(%callback, fault = %unexpected(&other), "a try could not be recorded");
                    return;
                }
                // Its lease runs out and it is tried again; the receiver tells repeats by their name.
                Err(fault @ (StoreFault::Corrupt(_) | StoreFault::Stopped)) => {
                    error!(%callback, %fault, "a try could not be recorded");
                    return;
                }
                Err(fault) => warn!(%callback, %fault, "record of a try waits for the store"),
            }
            sleep(PAUSE).await;
        }
    }

    async fn execute(&self, command: Command) -> Result<Reply, StoreFault> {
        reply(self.gateway.store.execute(command, None).await).map_err(
            |rejection| match rejection {
                Rejection::Fault(fault) => fault,
                Rejection::Refused(refusal) => StoreFault::Corrupt(refusal.to_string()),
            },
        )
    }

    fn enter(&self, key: &EndpointKey) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let lane = lanes.entry(key.clone()).or_default();
        lane.under_way = lane.under_way.saturating_add(1);
    }

    /// Lanes without tries that do not fail are forgotten.
    fn leave(&self, key: &EndpointKey, delivered: bool) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lane) = lanes.get_mut(key) else { return };
        lane.under_way = lane.under_way.saturating_sub(1);
        lane.failing = !delivered;
        if lane.under_way == 0 && delivered {
            lanes.remove(key);
        }
    }
}

fn endpoint_of(callback: &Callback) -> EndpointKey {
    EndpointKey { merchant: callback.merchant, protocol: callback.protocol.clone() }
}

/// Where somebody wants to see what would be sent to an address, without any order: the headers and
/// the body of a test message, signed like the real ones.
pub fn test_parcel(endpoint: &Endpoint, at: Timestamp, nonce: u64) -> Parcel {
    let body = br#"{"type":"lunas.test","data":{}}"#.to_vec();
    let id = format!("msg_test_{nonce:016x}");
    let headers = headers(&id, at, &endpoint.secret, &body);
    let content_type = ("content-type".to_owned(), "application/json".to_owned());
    let rendered = Arc::new(Rendered { headers: vec![content_type], body });
    Parcel { url: endpoint.url.clone(), headers, rendered }
}
