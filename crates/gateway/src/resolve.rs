//! Learning the outcome of attempts whose calls brought none.
//!
//! Only asking resolves them, on the schedule of [`domain::decide::next_question`], or a notice that
//! the supplier sends by itself, or a person. Age alone never turns *unknown* into *failed*.

use std::sync::Arc;
use std::time::Duration;

use domain::administration::{Act, Objection};
use domain::command::EndCollection;
use domain::decide::ABANDONED;
use domain::{Attempt, AttemptState, Delivery, Kind, Order, OrderId, OrderState, Outcome, Refusal};
use thiserror::Error;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::observer::Operation;
use crate::ports::{
    Notice, Purchase, SettleFault, StatusBy, StoreFault, Supplied, Told, Upstream, Verdict,
};
use crate::{ActFault, By, Done, Gateway, Payment};

/// How often the resolver looks for due questions.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How many due questions it takes at a time.
const QUESTIONS_AT_ONCE: u32 = 64;

/// Why a person's decision was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ByHandFault {
    /// There is no such order.
    #[error("order is not found")]
    NotFound,
    /// Only an order whose outcome is open can be decided.
    #[error("order is not pending")]
    NotPending,
    /// A collection is paid by evidence, also by hand, and never by a word.
    #[error("order is paid by evidence alone")]
    NeedsEvidence,
    /// A call is under way; its outcome comes first.
    #[error("order is being called about at this moment")]
    InFlight,
    /// The upstream that was paid objects.
    #[error(transparent)]
    Upstream(#[from] SettleFault),
    /// A rule speaks against it.
    #[error(transparent)]
    Objected(#[from] Objection),
    /// Ours.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

impl From<ActFault> for ByHandFault {
    fn from(fault: ActFault) -> Self {
        match fault {
            ActFault::Objected(Objection::OrderUnknown) => Self::NotFound,
            ActFault::Objected(Objection::OrderNotPending) => Self::NotPending,
            ActFault::Objected(objection) => Self::Objected(objection),
            ActFault::Fault(fault) => Self::Store(fault),
        }
    }
}

impl Gateway {
    /// Takes over what an earlier run of the program left behind: every attempt that it owned is
    /// unknown now, and is asked about at once. Runs once, before or beside serving.
    pub async fn recover(self: &Arc<Self>) -> Result<u64, StoreFault> {
        let mut after = OrderId(0);
        let mut abandoned = 0;
        loop {
            let orders = self.reports.processing(after, QUESTIONS_AT_ONCE).await?;
            let Some(last) = orders.last() else { break };
            after = last.id;
            for order in orders {
                if let Some(attempt) = self.abandoned_attempt(&order) {
                    let number = attempt.number;
                    let payment = self.record(&order, number, ABANDONED.into()).await?;
                    // An attempt too old to be asked about must not be asked now either: where
                    // asking means repeating, an old repeat may buy again.
                    if payment.order.question_due.is_some() {
                        self.ask_in_background(payment.order);
                    }
                    abandoned += 1;
                }
            }
        }
        Ok(abandoned)
    }

    fn abandoned_attempt<'a>(&self, order: &'a Order) -> Option<&'a Attempt> {
        order.attempt().filter(|attempt| {
            attempt.state == AttemptState::Intent && attempt.owner != self.process
        })
    }

    /// Asks due questions until told to stop.
    pub async fn run_resolver(self: Arc<Self>, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            match self.reports.questions_due(self.now(), QUESTIONS_AT_ONCE).await {
                Ok(orders) => orders.into_iter().for_each(|order| self.ask_in_background(order)),
                Err(fault) => warn!(%fault, "due questions could not be read"),
            }
        }
    }

    pub(crate) fn ask_in_background(self: &Arc<Self>, order: Arc<Order>) {
        let Some(in_flight) = self.mark_alone(order.id) else { return };
        let gateway = Arc::clone(self);
        self.calls.spawn(async move {
            // The list may be older than the last outcome; asking needs the order as it stands.
            match gateway.store.order(order.id).await {
                Ok(Some(order)) if order.state == OrderState::Processing => {
                    if let Err(fault) = gateway.ask(&order).await {
                        warn!(order = %order.id, %fault, "question brought nothing");
                    }
                }
                Ok(_) => {}
                Err(fault) => warn!(order = %order.id, %fault, "order could not be read"),
            }
            drop(in_flight);
        });
    }

    /// Asks the upstream of an order's latest attempt and records what it says.
    pub(crate) async fn ask(&self, order: &Arc<Order>) -> Result<Payment, StoreFault> {
        let attempt = order
            .attempt()
            .ok_or_else(|| StoreFault::Corrupt(format!("order {} has no attempt", order.id)))?;
        let supplied = self.told(order, attempt).await;
        self.record(order, attempt.number, supplied).await
    }

    /// What the upstream says of an attempt.
    async fn told(&self, order: &Arc<Order>, attempt: &Attempt) -> Supplied {
        let purchase = Purchase { order: Arc::clone(order), attempt: attempt.number };
        match self.upstream(&attempt.upstream) {
            Some(upstream) => {
                let operation = match upstream.status_by() {
                    StatusBy::Repeating => Operation::Pay,
                    StatusBy::Asking { .. } | StatusBy::NoticeOnly => Operation::Ask,
                };
                let told = self.question(upstream.as_ref(), purchase, attempt);
                self.timed(&attempt.upstream, operation, timeout(self.settings.call_within, told))
                    .await
                    .unwrap_or_else(|_| Outcome::Unknown(domain::Doubt::Silent).into())
            }
            None => Outcome::Unknown(domain::Doubt::Silent).into(),
        }
    }

    async fn question(
        &self,
        upstream: &dyn Upstream,
        purchase: Purchase,
        attempt: &Attempt,
    ) -> Supplied {
        let silent = || Supplied::from(Outcome::Unknown(domain::Doubt::Silent));
        match upstream.status_by() {
            StatusBy::Repeating => match purchase.order.kind {
                Kind::Payout => upstream.pay_out(purchase).await,
                Kind::Purchase | Kind::Collection => upstream.pay(purchase).await,
            },
            StatusBy::NoticeOnly => silent(),
            StatusBy::Asking { absence_proves_after } => match upstream.ask(purchase).await {
                Told::Supplied(supplied) => supplied,
                Told::NotReceived => {
                    let age = self.now().since(attempt.started_at);
                    if absence_proves_after.is_some_and(|proof| age >= proof) {
                        Outcome::Refused(Refusal::PaymentNotReceived).into()
                    } else {
                        silent()
                    }
                }
            },
        }
    }

    /// Takes in what an upstream says by itself. Saying it twice, or late, changes nothing more.
    pub async fn notice(&self, notice: Notice) -> Result<(), StoreFault> {
        let Some(order) = self.store.order(notice.order).await? else {
            warn!(order = %notice.order, "notice about an order that does not exist");
            return Ok(());
        };
        if order.upstream != notice.upstream {
            warn!(order = %notice.order, "notice from an upstream that was not called");
            return Ok(());
        }
        self.record(&order, notice.attempt, notice.supplied).await.map(drop)
    }

    /// Carries out a person's decision about an order whose outcome is open. The upstream is told
    /// first where it lets itself be told, so that both books agree; elsewhere the person's word is
    /// the evidence. It is finished whether or not the caller waits for it.
    pub async fn decide_by_hand(
        self: &Arc<Self>,
        order: OrderId,
        verdict: Verdict,
        by: By,
    ) -> Result<Done, ByHandFault> {
        let gateway = Arc::clone(self);
        let running = self.calls.spawn(async move { gateway.decide(order, verdict, &by).await });
        running.await.unwrap_or(Err(StoreFault::Stopped.into()))
    }

    async fn decide(
        self: &Arc<Self>,
        order: OrderId,
        verdict: Verdict,
        by: &By,
    ) -> Result<Done, ByHandFault> {
        let _in_flight = self.mark_alone(order).ok_or(ByHandFault::InFlight)?;
        if let Some(done) = self.done_before(by).await? {
            return Ok(done);
        }
        let order = self.store.order(order).await?.ok_or(ByHandFault::NotFound)?;
        if order.state == OrderState::Awaiting {
            return self.decide_on_collection(&order, verdict, by).await;
        }
        let attempt = match order.attempt() {
            Some(attempt) if order.state == OrderState::Processing => attempt,
            _ => return Err(ByHandFault::NotPending),
        };
        let purchase = Purchase { order: Arc::clone(&order), attempt: attempt.number };
        let settled = match self.upstream(&attempt.upstream) {
            Some(upstream) => {
                let told = upstream.settle(purchase, verdict);
                self.timed(&attempt.upstream, Operation::Settle, told).await
            }
            None => Err(SettleFault::Unsupported),
        };
        let supplied = match settled {
            Ok(()) => self.told(&order, attempt).await,
            Err(SettleFault::Unsupported) => decided(&order, verdict),
            Err(fault) => return Err(fault.into()),
        };
        let resolve = self.resolution(&order, attempt.number, supplied);
        let done = self.administer_as(by, Act::Resolve(resolve)).await?;
        if !done.repeated
            && let Some(resolved) = self.store.order(order.id).await?
        {
            self.observe_outcome(&resolved);
        }
        info!(order = %order.id, ?verdict, actor = by.actor.name, "decided by hand");
        Ok(done)
    }

    /// Nobody pays any more for a collection that a person gives up.
    async fn decide_on_collection(
        &self,
        order: &Order,
        verdict: Verdict,
        by: &By,
    ) -> Result<Done, ByHandFault> {
        let (Verdict::Failed, Some(collecting)) = (verdict, &order.collecting) else {
            return Err(ByHandFault::NeedsEvidence);
        };
        let end = EndCollection {
            order: order.id,
            merchant: order.key.merchant,
            currency: collecting.gross.currency(),
            refusal: Some(Refusal::PaymentFailed),
            at: self.now(),
        };
        let done = self.administer_as(by, Act::EndCollection(end)).await?;
        info!(order = %order.id, actor = by.actor.name, "a collection was ended by hand");
        Ok(done)
    }
}

/// A person's word in place of a supplier's. The cost is taken to be the price until the supplier's
/// statement says otherwise.
fn decided(order: &Order, verdict: Verdict) -> Supplied {
    match (verdict, order.quote) {
        (Verdict::Success, Some(quote)) => Outcome::Delivered(Delivery {
            cost: quote.charge,
            serial_number: String::new(),
            details: None,
        })
        .into(),
        (Verdict::Success, None) | (Verdict::Failed, _) => {
            Outcome::Refused(Refusal::PaymentFailed).into()
        }
    }
}
