//! Paying a quote: money aside and intent durable first, then the call, then the outcome.
//!
//! The work runs in tasks of its own, so that a merchant who hangs up stops nothing. The merchant
//! waits for the outcome only until the answer deadline; after that *pending* is the truth.

use std::sync::Arc;

use domain::command::{Accept, Resolve};
use domain::{
    Amount, Command, Doubt, Kind, Masked, Merchant, MerchantStatus, Order, OrderId, OrderState,
    Outcome, Refusal, Reply, UpstreamName,
};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{Instrument, debug, error, warn};

use crate::inquire::unexpected;
use crate::observer::{AttemptEnd, Operation, Subject, TransactionEnd};
use crate::ports::{Purchase, StoreFault, Supplied};
use crate::{Gateway, InFlight, Rejection, reply};

/// A confirmed order and the merchant's balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The order: succeeded, failed, or still processing.
    pub order: Arc<Order>,
    /// What is available after it.
    pub balance: Amount,
    /// Whether the order had been confirmed before; nothing moved now.
    pub repeated: bool,
}

/// What the accepting task leaves to be waited for.
pub(crate) enum Accepted {
    Begun(Payment, JoinHandle<Result<Payment, StoreFault>>),
    Before(Payment),
}

/// Waits for the outcome of what was accepted until this deadline.
pub(crate) async fn awaited(accepted: Accepted, deadline: Instant) -> Payment {
    match accepted {
        Accepted::Before(payment) => payment,
        Accepted::Begun(pending, call) => match timeout_at(deadline, call).await {
            Ok(Ok(Ok(payment))) => payment,
            Ok(Ok(Err(fault))) => {
                error!(order = %pending.order.id, %fault, "outcome could not be stored");
                pending
            }
            Ok(Err(_)) | Err(_) => pending,
        },
    }
}

impl Gateway {
    /// Pays a quote and waits for its outcome until the answer deadline.
    pub async fn pay(
        self: &Arc<Self>,
        merchant: &Arc<Merchant>,
        order: OrderId,
    ) -> Result<Payment, Rejection> {
        let order = self.order(merchant, order).await?;
        self.pay_order(merchant, order).await
    }

    /// The same for who has read the order just now. What has become of it since is seen when it is
    /// accepted.
    pub async fn pay_order(
        self: &Arc<Self>,
        merchant: &Arc<Merchant>,
        order: Arc<Order>,
    ) -> Result<Payment, Rejection> {
        let deadline = Instant::now() + self.settings.answer_within;
        let accepting = {
            let gateway = Arc::clone(self);
            let merchant = Arc::clone(merchant);
            let accept = async move { gateway.accept(&merchant, &order).await };
            self.calls.spawn(accept.in_current_span())
        };
        let accepted = accepting.await.map_err(|_| StoreFault::Stopped)??;
        Ok(awaited(accepted, deadline).await)
    }

    async fn accept(
        self: &Arc<Self>,
        merchant: &Merchant,
        order: &Order,
    ) -> Result<Accepted, Rejection> {
        if order.state == OrderState::Quoted {
            self.check_payable(merchant, order)?;
        }
        let in_flight = self.mark_in_flight(order.id);
        let now = self.now();
        let command = Command::Accept(Accept {
            order: order.id,
            merchant: merchant.id,
            currency: merchant.currency,
            upstream: order.upstream.clone(),
            owner: self.process,
            at: now,
            question_due: now.after(self.settings.call_within),
        });
        self.begin(command, |_| in_flight).await
    }

    /// Carries out a command that sets money aside, and begins the call that it intends.
    /// `mark` marks the order as being called about, if that was not done before.
    pub(crate) async fn begin(
        self: &Arc<Self>,
        command: Command,
        mark: impl FnOnce(&Order) -> InFlight,
    ) -> Result<Accepted, Rejection> {
        match reply(self.store.execute(command, None).await)? {
            Reply::Accepted { order, balance } => {
                let in_flight = mark(&order);
                self.with_subject(&order, |subject| self.observer.accepted(subject));
                let number = Masked(&order.destination);
                debug!(order = %order.id, product = %order.product, %number, "payment accepted");
                let pending = Payment { order: Arc::clone(&order), balance, repeated: false };
                Ok(Accepted::Begun(pending, self.begin_call(order, in_flight)))
            }
            Reply::AcceptedBefore { order, balance } => {
                Ok(Accepted::Before(Payment { order, balance, repeated: true }))
            }
            other => Err(unexpected(&other).into()),
        }
    }

    fn check_payable(&self, merchant: &Merchant, order: &Order) -> Result<(), Refusal> {
        if merchant.status == MerchantStatus::Suspended {
            return Err(Refusal::AccountSuspended);
        }
        let catalogue = self.catalogue();
        let product = catalogue.product(&order.product).ok_or(Refusal::ProductUnavailable)?;
        product.on_sale(self.now(), self.settings.cut_offs)
    }

    fn begin_call(
        self: &Arc<Self>,
        order: Arc<Order>,
        in_flight: InFlight,
    ) -> JoinHandle<Result<Payment, StoreFault>> {
        let gateway = Arc::clone(self);
        let call = async move {
            let result = gateway.call(order).await;
            drop(in_flight);
            result
        };
        self.calls.spawn(call.in_current_span())
    }

    /// Makes the call of an accepted order's attempt and records what it brings.
    async fn call(self: &Arc<Self>, order: Arc<Order>) -> Result<Payment, StoreFault> {
        let attempt = order.attempt().map_or(0, |attempt| attempt.number);
        let purchase = Purchase { order: Arc::clone(&order), attempt };
        let supplied = match self.upstream(&order.upstream) {
            Some(upstream) => {
                let call = match order.kind {
                    Kind::Payout => upstream.pay_out(purchase),
                    Kind::Purchase | Kind::Collection => upstream.pay(purchase),
                };
                let call = timeout(self.settings.call_within, call);
                self.timed(&order.upstream, Operation::Pay, call)
                    .await
                    .unwrap_or_else(|_| Outcome::Unknown(Doubt::Silent).into())
            }
            None => Outcome::Unknown(Doubt::Silent).into(),
        };
        self.record(&order, attempt, supplied).await
    }

    /// Makes an outcome durable. What the supplier says is believed only if it fits the order.
    pub(crate) async fn record(
        &self,
        order: &Order,
        attempt: u16,
        supplied: Supplied,
    ) -> Result<Payment, StoreFault> {
        let command = Command::Resolve(self.resolution(order, attempt, supplied));
        match self.execute_until_done(command).await?? {
            Reply::Resolved { order, balance, repeated } => {
                if !repeated {
                    self.observe_outcome(&order);
                }
                Ok(Payment { order, balance, repeated: false })
            }
            Reply::Contradicted { order, balance } => {
                self.observer.contradicted(&order.upstream);
                error!(
                    order = %order.id,
                    attempt,
                    "supplier contradicts a final outcome, or speaks of an attempt that is not the \
                     order's latest; a person must decide"
                );
                Ok(Payment { order, balance, repeated: true })
            }
            other => Err(unexpected(&other)),
        }
    }

    /// Tells the observer what an attempt brought, and what became of its order if that is final.
    pub(crate) fn observe_outcome(&self, order: &Order) {
        let (attempt, transaction) = match order.state {
            OrderState::Succeeded => (AttemptEnd::Delivered, Some(TransactionEnd::Succeeded)),
            OrderState::Failed(_) => (AttemptEnd::Refused, Some(TransactionEnd::Failed)),
            _ => (AttemptEnd::Unknown, None),
        };
        self.observer.resolved(&order.upstream, attempt);
        if !order.callbacks.is_empty() {
            self.news.notify_one();
        }
        if let Some(end) = transaction {
            self.with_subject(order, |subject| self.observer.finished(subject, end));
        }
        debug!(order = %order.id, outcome = ?attempt, "outcome recorded");
    }

    /// Calls back with what an order is counted under. The group is empty once the product is gone.
    fn with_subject(&self, order: &Order, tell: impl FnOnce(Subject<'_>)) {
        let catalogue = self.catalogue();
        let group = catalogue.product(&order.product).map_or("", |product| product.group.as_str());
        tell(Subject { protocol: &order.key.protocol, group });
    }

    /// Waits for a call of an upstream and tells the observer how long it took.
    pub(crate) async fn timed<Brought>(
        &self,
        upstream: &UpstreamName,
        operation: Operation,
        call: impl Future<Output = Brought>,
    ) -> Brought {
        let begun = Instant::now();
        let brought = call.await;
        self.observer.called(upstream, operation, begun.elapsed());
        brought
    }

    /// A supplier that claims to have paid another amount than was ordered, or to have taken
    /// another currency for it, has not settled anything.
    fn believed(&self, order: &Order, supplied: Supplied) -> Outcome {
        let Some(quote) = order.quote else { return Outcome::Unknown(Doubt::Contradictory) };
        let other_amount = supplied.nominal.is_some_and(|nominal| nominal != quote.nominal);
        let other_currency = match &supplied.outcome {
            Outcome::Delivered(delivery) => delivery.cost.currency() != quote.charge.currency(),
            Outcome::Refused(_) | Outcome::Unknown(_) => false,
        };
        if other_amount || other_currency {
            error!(order = %order.id, "supplier claims another amount or currency than was ordered");
            self.observer.contradicted(&order.upstream);
            return Outcome::Unknown(Doubt::Contradictory);
        }
        supplied.outcome
    }

    /// What a supplier's or a person's word about an attempt comes to.
    pub(crate) fn resolution(&self, order: &Order, attempt: u16, supplied: Supplied) -> Resolve {
        let currency = order.quote.map_or(domain::Currency::Idr, |quote| quote.charge.currency());
        Resolve {
            order: order.id,
            attempt,
            merchant: order.key.merchant,
            currency,
            upstream: order.upstream.clone(),
            outcome: self.believed(order, supplied),
            at: self.now(),
        }
    }

    /// An outcome must not be lost because the store is busy or its disk is full for a while.
    async fn execute_until_done(
        &self,
        command: Command,
    ) -> Result<Result<Reply, StoreFault>, StoreFault> {
        let mut pause = std::time::Duration::from_millis(10);
        loop {
            match self.store.execute(command.clone(), None).await {
                Ok(answer) => {
                    return Ok(answer.map_err(|refusal| StoreFault::Corrupt(refusal.to_string())));
                }
                Err(fault @ (StoreFault::Corrupt(_) | StoreFault::Stopped)) => return Err(fault),
                Err(fault) => warn!(%fault, "outcome waits for the store"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(std::time::Duration::from_secs(1));
        }
    }
}
