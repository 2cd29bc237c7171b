//! The built-in supplier: it sells everything, delivers at once, and moves no money.
//!
//! What a customer owes and how a payment ends are pure functions of what is asked and of a seed
//! (`bills`, `numbers`, `rules`); the documented test numbers of the merchants' protocols are honoured.
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
mod lookups;
mod numbers;
mod rules;
#[cfg(test)]
mod scratch;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{
    Amount, Delivery, Doubt, Kind, Mode, Order, Outcome, ProtocolName, Refusal, UpstreamName,
};
use gateway::look_up::{Found, LookUpQuestion};
use gateway::ports::{
    BillAnswer, BillQuestion, Clock, Moment, Notice, PayerDoes, Purchase, SettleFault, StatusBy,
    Supplied, Told, Upstream, Verdict,
};
use tokio::sync::mpsc::Sender;
use tracing::{debug, error};

use crate::iak;
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
    /// After which time IAK's top-ups succeed; none leaves them pending until somebody decides.
    pub iak_top_ups_after: Option<Duration>,
    /// Whether payers of collections are played as well, who pay on the mere word of a merchant. True in
    /// the sandbox alone.
    pub plays_payers: bool,
}

/// The built-in upstream.
pub struct Sandbox {
    name: UpstreamName,
    settings: Settings,
    clock: Arc<dyn Clock>,
    notices: Sender<Notice>,
    book: Arc<Book>,
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
            book: Arc::new(Book::open(directory)?),
            script: Script::default(),
        }))
    }

    /// Orders a fault.
    pub fn script(&self, fault: Fault) {
        self.script.add(fault);
    }

    /// Whom a question or an order is about and what comes of it; `None` for an unknown product. What
    /// kind of bill it is, IAK's code tells, in whatever protocol it was asked for.
    fn subject<'a>(&self, asked: Asked<'a>) -> Option<(Subject<'a>, Course)> {
        let Asked { protocol, mode, product, number, .. } = asked;
        let code = match demo::iak_code(product) {
            Some(code) if protocol.as_str() != iak::NAME => code,
            _ => asked.code,
        };
        let kind = BillKind::of(code)?;
        let course = rules::bill_course(self.settings.iak_numbers, protocol, mode, code, number);
        let several = matches!(course, Course::Billed { several: true, .. });
        let open = if several { kind.several() } else { 1 };
        let draws = Draws { seed: self.settings.seed, product, number };
        Some((Subject { kind, code, draws, open }, course))
    }

    fn bill(&self, question: &BillQuestion) -> BillAnswer {
        let bill = match self.subject(Asked::by_question(question)) {
            None => Err(Refusal::ProductUnknown),
            Some((_, Course::Refused(refusal))) => Err(refusal),
            Some((subject, Course::Billed { .. })) => {
                let now = calendar::month_of(self.clock.now());
                let bill = bills::bill(&subject, &question.parameters, now);
                match question.mode {
                    Mode::Live => bill,
                    Mode::Test => bill.map(rules::test_bill),
                }
            }
        };
        bill.map_or_else(BillAnswer::Refused, BillAnswer::Bill)
    }

    /// How the purchase of this order ends, or where it stays.
    fn course_of(&self, order: &Order) -> State {
        if order.kind == Kind::Payout {
            return rules::payout_course(order);
        }
        if order.is_top_up() {
            return rules::top_up_course(order);
        }
        match self.subject(Asked::by_order(order)) {
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
            State::Success => draws::written(self.serial(purchase)),
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
        let subject = self.subject(Asked::by_order(order)).filter(|_| order.bill.is_some());
        Delivery {
            cost: held.cost,
            serial_number: rules::proof(order, self.settings.seed, held.serial_number),
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

    /// How long a purchase stays pending before it succeeds by itself; none for one that does not.
    fn pending_for(&self, purchase: &Purchase) -> Option<Duration> {
        let order = &purchase.order;
        let waits = order.is_top_up() && rules::top_up_course(order) != State::Success;
        let iak = order.key.protocol.as_str() == iak::NAME;
        self.settings.iak_top_ups_after.filter(|_| waits && iak)
    }

    /// Lets a pending top-up succeed after its time, and says so.
    fn settle_later(&self, purchase: &Purchase, held: Held) {
        let Some(delay) = self.pending_for(purchase) else { return };
        let Some(entry) = self.entry(purchase, State::Success) else { return };
        if !matches!(held.state, State::Pending(_)) {
            return;
        }
        let settled = Held { state: State::Success, serial_number: self.serial(purchase), ..held };
        let supplied = self.truth(&purchase.order, settled);
        let (order, attempt) = (purchase.order.id, purchase.attempt);
        let notice = Notice { order, attempt, upstream: self.name.clone(), supplied };
        // The book must close when the sandbox does, whoever still sleeps.
        let (book, notices) = (Arc::downgrade(&self.book), self.notices.clone());
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let Some(book) = book.upgrade() else { return };
            if book.settle(entry).await.is_ok() && notices.send(notice).await.is_err() {
                debug!(%order, "nobody listens to notices any more");
            }
        });
    }

    /// Settles a pending top-up whose time has passed while nobody was there to do it.
    async fn settle_overdue(&self, purchase: &Purchase) {
        let begun = purchase.order.attempts.last().map(|attempt| attempt.started_at);
        let (Some(delay), Some(begun)) = (self.pending_for(purchase), begun) else { return };
        if self.clock.now() < begun.after(delay) {
            return;
        }
        if let Some(entry) = self.entry(purchase, State::Success) {
            // Somebody may have decided it before, or it was never bought; the book knows.
            let _ = self.book.settle(entry).await;
        }
    }

    fn serial(&self, purchase: &Purchase) -> [u8; 16] {
        draws::serial_number(self.settings.seed, purchase.order.id.0)
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

/// What an inquiry or an order was about.
#[derive(Clone, Copy)]
struct Asked<'a> {
    protocol: &'a ProtocolName,
    mode: Mode,
    product: &'a str,
    code: &'a str,
    number: &'a str,
}

impl<'a> Asked<'a> {
    fn by_question(question: &'a BillQuestion) -> Self {
        Self {
            protocol: &question.protocol,
            mode: question.mode,
            product: question.product.as_str(),
            code: &question.code,
            number: &question.destination,
        }
    }

    fn by_order(order: &'a Order) -> Self {
        Self {
            protocol: &order.key.protocol,
            mode: order.key.mode,
            product: order.product.as_str(),
            code: &order.code,
            number: &order.destination,
        }
    }
}

/// What the sandbox takes: for a payout what the recipient gets; for a top-up what the demo catalogue says, or the price where it says
/// nothing; for a bill the price less our commission, which counts per bill like all fees.
fn cost(order: &Order, price: Amount) -> Amount {
    if let (Kind::Payout, Some(quote)) = (order.kind, order.quote) {
        return quote.nominal;
    }
    if order.is_top_up() {
        return demo::goods(order.product.as_str()).map_or(price, |(_, cost)| cost);
    }
    let code = demo::iak_code(order.product.as_str()).unwrap_or(&order.code);
    let count = order.bill.as_ref().map_or(1, |bill| bill.count);
    let commission = demo::supplier_commission(code).times(count);
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

    async fn look_up(&self, question: LookUpQuestion) -> Result<Found, Refusal> {
        lookups::found(&question.sought)
    }

    /// Nothing leaves the machine.
    async fn mail_activation(&self, _: Arc<Order>, _: String) -> Result<(), Refusal> {
        Ok(())
    }

    async fn pay(&self, purchase: Purchase) -> Supplied {
        let state = self.course_of(&purchase.order);
        let Some(entry) = self.entry(&purchase, state) else {
            return Outcome::Refused(Refusal::AmountInvalid).into();
        };
        let recorded = self.book.record(entry);
        let behaviour = self.script.take(Call::Payment, &purchase.order.destination);
        match recorded.await {
            Ok(held) => {
                self.settle_later(&purchase, held);
                self.answer(&purchase, held, behaviour).await
            }
            Err(fault) => silence(&fault),
        }
    }

    async fn pay_out(&self, purchase: Purchase) -> Supplied {
        self.pay(purchase).await
    }

    async fn play_payer(&self, order: &Order, moment: Moment) -> PayerDoes {
        if self.settings.plays_payers { rules::payer(order, moment) } else { PayerDoes::Nothing }
    }

    async fn ask(&self, purchase: Purchase) -> Told {
        self.settle_overdue(&purchase).await;
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
#[path = "rules_tests.rs"]
mod rules_tests;
#[cfg(test)]
#[path = "sandbox_tests.rs"]
mod tests;
