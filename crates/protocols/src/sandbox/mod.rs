//! The built-in supplier: it sells everything, delivers at once, and moves no money.
//!
//! What a customer owes and how a payment ends are pure functions of what is asked and of a seed
//! (`bills`, `numbers`); the documented test numbers of the merchants' protocols are honoured.
//! What was bought stands in a durable book of the sandbox's own ([`book`]), written before anything
//! is answered. Tests can order misbehaviour ([`faults`]). [`demo`] is what a first run is seeded
//! with.
//!
//! The sandbox has no hand in the gateway's ledger: it is given an order and answers like any other
//! upstream.

mod bills;
pub mod book;
mod calendar;
pub mod demo;
mod draws;
pub mod faults;
mod kinds;
mod numbers;
#[cfg(test)]
mod scratch;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Amount, Delivery, Doubt, Order, Outcome, Refusal, UpstreamName};
use gateway::ports::{
    BillAnswer, BillQuestion, Clock, Notice, Purchase, SettleFault, StatusBy, Supplied, Told,
    Upstream, Verdict,
};
use tokio::sync::mpsc::Sender;
use tracing::{debug, error};

use bills::Subject;
use book::{Book, BookError, BookFault, Entry, Held, SettleError, State};
use draws::Draws;
use faults::{Behaviour, Call, Fault, Script};
use kinds::BillKind;
use numbers::Course;
pub use numbers::NumberScheme;

/// The name that the sandbox usually has among the upstreams.
pub const NAME: &str = "sandbox";

/// What the operator may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// Decides all customers and their bills.
    pub seed: u64,
    /// Which test numbers IAK's product codes have.
    pub iak_numbers: NumberScheme,
}

/// The built-in upstream.
pub struct Sandbox {
    name: UpstreamName,
    settings: Settings,
    clock: Arc<dyn Clock>,
    notices: Sender<Notice>,
    book: Book,
    script: Script,
}

impl Sandbox {
    /// Opens the sandbox with its book in this directory. The gateway knows it by this name, and
    /// what it says by itself goes to `notices`.
    pub fn open(
        directory: &Path,
        name: UpstreamName,
        settings: Settings,
        clock: Arc<dyn Clock>,
        notices: Sender<Notice>,
    ) -> Result<Arc<Self>, BookError> {
        Ok(Arc::new(Self {
            name,
            settings,
            clock,
            notices,
            book: Book::open(directory)?,
            script: Script::default(),
        }))
    }

    /// Orders a fault.
    pub fn script(&self, fault: Fault) {
        self.script.add(fault);
    }

    /// Whom a question or an order is about and what comes of it; `None` for an unknown product.
    fn subject<'a>(
        &self,
        product: &'a str,
        code: &'a str,
        number: &'a str,
    ) -> Option<(Subject<'a>, Course)> {
        let kind = BillKind::of(code)?;
        let course = numbers::course(self.settings.iak_numbers, code, number);
        let several = matches!(course, Course::Billed { several: true, .. });
        let open = if several { kind.several() } else { 1 };
        let draws = Draws { seed: self.settings.seed, product, number };
        Some((Subject { kind, code, draws, open }, course))
    }

    fn bill(&self, question: &BillQuestion) -> BillAnswer {
        let product = question.product.as_str();
        let subject = self.subject(product, &question.code, &question.destination);
        let bill = match subject {
            None => Err(Refusal::ProductUnknown),
            Some((_, Course::Refused(refusal))) => Err(refusal),
            Some((subject, Course::Billed { .. })) => {
                let now = calendar::month_of(self.clock.now());
                bills::bill(&subject, &question.parameters, now)
            }
        };
        bill.map_or_else(BillAnswer::Refused, BillAnswer::Bill)
    }

    /// How the purchase of this order ends, or where it stays.
    fn course_of(&self, order: &Order) -> State {
        match self.subject(order.product.as_str(), &order.code, &order.destination) {
            None => State::Failed(Refusal::ProductUnknown),
            Some((_, Course::Refused(refusal))) => State::Failed(refusal),
            Some((_, Course::Billed { payment, .. })) => payment,
        }
    }

    /// What the book is to say of this attempt; `None` for an order without a price.
    fn entry(&self, purchase: &Purchase, state: State) -> Option<Entry> {
        let order = &purchase.order;
        let quote = order.quote?;
        let serial_number = match state {
            State::Success => {
                hex::encode_upper(draws::serial_number(self.settings.seed, order.id.0))
            }
            State::Pending(_) | State::Failed(_) => String::new(),
        };
        Some(Entry {
            order: order.id,
            attempt: purchase.attempt,
            product: order.product.clone(),
            code: order.code.clone(),
            destination: order.destination.clone(),
            nominal: quote.nominal,
            cost: cost(order, quote.price),
            state,
            serial_number,
            at: self.clock.now(),
        })
    }

    /// The truth about an attempt, as the book has it.
    fn truth(&self, order: &Order, held: Held) -> Supplied {
        let outcome = match held.state {
            State::Success => Outcome::Delivered(self.delivery(order, held)),
            State::Failed(refusal) => Outcome::Refused(refusal),
            State::Pending(doubt) => Outcome::Unknown(doubt),
        };
        Supplied { outcome, nominal: Some(held.nominal) }
    }

    fn delivery(&self, order: &Order, held: Held) -> Delivery {
        let subject = self.subject(order.product.as_str(), &order.code, &order.destination);
        Delivery {
            cost: held.cost,
            serial_number: held.serial_number(),
            details: subject.and_then(|(subject, _)| bills::paid_details(&subject, order)),
        }
    }

    /// Answers a payment the way the script has it.
    async fn answer(
        &self,
        purchase: &Purchase,
        held: Held,
        behaviour: Option<Behaviour>,
    ) -> Supplied {
        let truth = self.truth(&purchase.order, held);
        match behaviour {
            None | Some(Behaviour::SilentInquiry) => truth,
            Some(Behaviour::Slow(delay)) => {
                tokio::time::sleep(delay).await;
                truth
            }
            Some(Behaviour::Silent) => std::future::pending().await,
            Some(Behaviour::WrongAmount) => {
                let nominal = held.nominal.plus(Amount::rupiah(1000));
                Supplied { nominal: Some(nominal.unwrap_or(Amount::rupiah(0))), ..truth }
            }
            Some(Behaviour::Twice) => {
                self.notify(purchase, vec![truth.clone(), truth.clone()], Duration::ZERO);
                truth
            }
            Some(Behaviour::Contradict(delay)) => {
                let opposite = match &truth.outcome {
                    Outcome::Delivered(_) => Some(Outcome::Refused(Refusal::PaymentFailed)),
                    Outcome::Refused(_) => {
                        Some(Outcome::Delivered(self.delivery(&purchase.order, held)))
                    }
                    Outcome::Unknown(_) => None,
                };
                let said = opposite.map(|outcome| Supplied { outcome, ..truth.clone() });
                self.notify(purchase, said.into_iter().collect(), delay);
                truth
            }
        }
    }

    /// Says something by itself after a while. Nobody waits for it, and if nobody listens any more
    /// it is lost, as with any supplier.
    fn notify(&self, purchase: &Purchase, said: Vec<Supplied>, delay: Duration) {
        let (notices, upstream) = (self.notices.clone(), self.name.clone());
        let (order, attempt) = (purchase.order.id, purchase.attempt);
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            for supplied in said {
                let notice = Notice { order, attempt, upstream: upstream.clone(), supplied };
                if notices.send(notice).await.is_err() {
                    debug!(%order, "nobody listens to notices any more");
                }
            }
        });
    }
}

/// What the sandbox takes: the price less our commission, which counts per bill like all fees.
fn cost(order: &Order, price: Amount) -> Amount {
    let count = order.bill.as_ref().map_or(1, |bill| bill.count);
    let commission = demo::supplier_commission(&order.code).times(count);
    let nothing = Amount::zero(price.currency());
    commission.and_then(|commission| price.minus(commission)).unwrap_or(nothing)
}

/// The book did not answer, so neither does the sandbox: what became of the attempt is open.
fn silence(fault: &BookFault) -> Supplied {
    error!(%fault, "sandbox cannot answer");
    Outcome::Unknown(Doubt::Silent).into()
}

#[async_trait]
impl Upstream for Sandbox {
    fn name(&self) -> &UpstreamName {
        &self.name
    }

    /// Absence is proof at once. A purchase is handed to the book in the first step of the call,
    /// before anything is answered or delayed, and the book answers in the order of arrival; the
    /// book lives in this process and is locked against any other. So when a call has broken off
    /// and the book has never heard of the attempt, nothing of it is on its way.
    fn status_by(&self) -> StatusBy {
        StatusBy::Asking { absence_proves_after: Some(Duration::ZERO) }
    }

    async fn inquire(&self, question: BillQuestion) -> BillAnswer {
        match self.script.take(Call::Inquiry, &question.destination) {
            Some(_) => std::future::pending().await,
            None => self.bill(&question),
        }
    }

    async fn pay(&self, purchase: Purchase) -> Supplied {
        let state = self.course_of(&purchase.order);
        let Some(entry) = self.entry(&purchase, state) else {
            return Outcome::Refused(Refusal::AmountInvalid).into();
        };
        let recorded = self.book.record(entry);
        let behaviour = self.script.take(Call::Payment, &purchase.order.destination);
        match recorded.await {
            Ok(held) => self.answer(&purchase, held, behaviour).await,
            Err(fault) => silence(&fault),
        }
    }

    async fn ask(&self, purchase: Purchase) -> Told {
        match self.book.find(purchase.order.id, purchase.attempt).await {
            Ok(Some(held)) => Told::Supplied(self.truth(&purchase.order, held)),
            Ok(None) => Told::NotReceived,
            Err(fault) => Told::Supplied(silence(&fault)),
        }
    }

    async fn settle(&self, purchase: Purchase, verdict: Verdict) -> Result<(), SettleFault> {
        let state = match verdict {
            Verdict::Success => State::Success,
            Verdict::Failed => State::Failed(Refusal::PaymentFailed),
        };
        let entry = self.entry(&purchase, state).ok_or(SettleFault::NotReceived)?;
        self.book.settle(entry).await.map_err(|error| match error {
            SettleError::Unknown => SettleFault::NotReceived,
            SettleError::Settled => SettleFault::Settled,
            SettleError::Fault(fault) => SettleFault::Failed(fault.to_string()),
        })
    }
}

#[cfg(test)]
#[path = "sandbox_tests.rs"]
mod tests;
