//! What the use cases need from the world.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use domain::administration::{AuditNumber, AuditRecord, KeptAnswer, RequestKey};
use domain::callback::{Delivery, Received, Rendered};
use domain::command::Answer;
use domain::{
    Account, AccountKey, Amount, Bill, Callback, CallbackId, Command, EndpointKey, Evidence,
    EvidenceKey, MerchantId, Mode, Order, OrderId, Outcome, ProductId, ProtocolName, ReferenceKey,
    Refusal, Timestamp, Transfer, TransferId, UpstreamName,
};
use thiserror::Error;

use crate::catalogue::Catalogue;
use crate::look_up::{Found, LookUpQuestion};

pub use crate::exchanges::ExchangeLog;

/// Why the store did not answer. None of these says anything about the merchant's request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreFault {
    /// Too much is waiting. Nothing was done; the same command may be sent again.
    #[error("store is busy")]
    Busy,
    /// The command's deadline passed before its turn came. Nothing was done.
    #[error("command waited too long and was not carried out")]
    TooLate,
    /// The commit failed, for instance because the disk is full. Nothing was done.
    #[error("commit failed: {0}")]
    CommitFailed(String),
    /// The stored data cannot be what we wrote, or a rule of ours is broken. Nothing was done.
    #[error("stored data is damaged: {0}")]
    Corrupt(String),
    /// The store has stopped, or the answer was lost on the way. The command may have been done.
    #[error("store has stopped")]
    Stopped,
}

/// The commit pipeline: commands in, durable replies out.
#[async_trait]
pub trait Store: Send + Sync {
    /// Carries out a command. When this returns a reply, everything that the command changed is
    /// durable. A command that is still waiting at `deadline` is dropped before it is decided.
    /// Dropping the future does not undo a command that was handed over.
    async fn execute(
        &self,
        command: Command,
        deadline: Option<Instant>,
    ) -> Result<Answer, StoreFault>;

    /// Point read: sees every acknowledged commit.
    async fn order(&self, id: OrderId) -> Result<Option<Arc<Order>>, StoreFault>;

    /// Point read: sees every acknowledged commit.
    async fn order_by_reference(
        &self,
        key: &ReferenceKey,
    ) -> Result<Option<Arc<Order>>, StoreFault>;

    /// Point read: sees every acknowledged commit.
    async fn account(&self, key: &AccountKey) -> Result<Option<Account>, StoreFault>;

    /// Point read: sees every acknowledged commit.
    async fn kept_answer(&self, key: &RequestKey) -> Result<Option<KeptAnswer>, StoreFault>;
}

/// A part of a list, and where the next part begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<Item, Place> {
    /// In the order of the list.
    pub items: Vec<Item>,
    /// Where to go on; none at the end.
    pub next: Option<Place>,
}

impl<Item, Place> Page<Item, Place> {
    /// The first `limit` of these items, of which there may be one more to tell that the list goes
    /// on. `place` names the place of an item, after which the next part begins.
    pub fn of(mut items: Vec<Item>, limit: u32, place: impl Fn(&Item) -> Place) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let goes_on = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| goes_on).map(place);
        Self { items, next }
    }
}

/// Which orders are wanted: those to which everything that is given applies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderFilter {
    /// Of this merchant.
    pub merchant: Option<MerchantId>,
    /// In the state of this name; see [`domain::OrderState::name`].
    pub state: Option<String>,
    /// Made at this instant or later.
    pub from: Option<Timestamp>,
    /// Made before this instant.
    pub until: Option<Timestamp>,
    /// Under this reference.
    pub reference: Option<String>,
    /// For this customer.
    pub destination: Option<String>,
}

impl OrderFilter {
    /// Whether this order is wanted.
    pub fn admits(&self, order: &Order) -> bool {
        self.merchant.is_none_or(|merchant| order.key.merchant == merchant)
            && self.state.as_ref().is_none_or(|state| order.state.name() == state)
            && self.from.is_none_or(|from| order.created_at >= from)
            && self.until.is_none_or(|until| order.created_at < until)
            && self.reference.as_ref().is_none_or(|it| order.key.reference.as_str() == it)
            && self.destination.as_ref().is_none_or(|it| order.destination == *it)
    }
}

/// How much is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pending {
    /// How many orders are in processing.
    pub orders: u64,
    /// When the first attempt of the one began that has been in processing longest.
    pub since: Option<Timestamp>,
}

/// List reads. They may lag by a second and share nothing with the commit path.
#[async_trait]
pub trait Reports: Send + Sync {
    /// All merchants, credentials and products.
    async fn catalogue(&self) -> Result<Catalogue, StoreFault>;

    /// Orders in processing whose next question is due at `now`, the longest due first.
    async fn questions_due(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault>;

    /// Orders in processing with a number above `after`, in the order of their numbers.
    async fn processing(&self, after: OrderId, limit: u32) -> Result<Vec<Arc<Order>>, StoreFault>;

    /// How many orders are in processing, and since when. Takes time only by what is open, not by
    /// what is stored.
    async fn pending(&self) -> Result<Pending, StoreFault>;

    /// Orders of all merchants and protocols under this reference, newest first. Whoever asks for one
    /// by name must not be told that there is none: sees every acknowledged commit, or fails.
    async fn orders_named(
        &self,
        reference: &str,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault>;

    /// Wanted orders with a number below `before`, newest first. So that no question holds up the
    /// others, a part may have fewer than `limit` orders, or none, and the list may still go on.
    async fn orders(
        &self,
        filter: &OrderFilter,
        before: Option<OrderId>,
        limit: u32,
    ) -> Result<Page<Arc<Order>, OrderId>, StoreFault>;

    /// What was moved for an order, in the order in which it was moved.
    async fn transfers_of_order(&self, order: &Order) -> Result<Vec<Transfer>, StoreFault>;

    /// What was moved on an account, newest first, beginning with the transfer `from` or with the
    /// latest. None if `from` is no transfer of this account.
    async fn transfers_of_account(
        &self,
        key: &AccountKey,
        from: Option<TransferId>,
        limit: u32,
    ) -> Result<Option<Page<Transfer, TransferId>>, StoreFault>;

    /// What operators did, newest first, below the number `before`.
    async fn audit_records(
        &self,
        before: Option<AuditNumber>,
        limit: u32,
    ) -> Result<Page<AuditRecord, AuditNumber>, StoreFault>;
}

/// List reads of collections and of the money that came in for them. They may lag by a second and
/// share nothing with the commit path.
#[async_trait]
pub trait CollectionReports: Send + Sync {
    /// Collections that wait for this amount through this channel, oldest first.
    async fn awaiting(
        &self,
        channel: &str,
        due: Amount,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault>;

    /// Collections that wait although their time has run out, the longest first.
    async fn collections_expired(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Arc<Order>>, StoreFault>;

    /// Evidence of this amount through this channel that pays nothing yet.
    async fn free_evidence(
        &self,
        channel: &str,
        amount: Amount,
        limit: u32,
    ) -> Result<Vec<Evidence>, StoreFault>;

    /// Evidence on which nobody has decided, in the order of its names, from the first above `after`.
    /// Sees everything that was acknowledged before, or fails.
    async fn open_evidence(
        &self,
        after: Option<&EvidenceKey>,
        limit: u32,
    ) -> Result<Page<Evidence, EvidenceKey>, StoreFault>;

    /// The evidence of this name.
    async fn evidence(&self, key: &EvidenceKey) -> Result<Option<Evidence>, StoreFault>;

    /// Evidence in the state of this name, or all, in the order of its names, from the first above
    /// `after`.
    async fn evidence_list(
        &self,
        state: Option<&str>,
        after: Option<&EvidenceKey>,
        limit: u32,
    ) -> Result<Page<Evidence, EvidenceKey>, StoreFault>;
}

/// What happens to a collection that the built-in payer may answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// It was opened.
    Opened,
    /// The payer told something.
    Told,
    /// Somebody pressed the button that pays, on a page of the sandbox.
    PressedPay,
    /// Somebody pressed the button that fails.
    PressedFail,
}

/// What the built-in payer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayerDoes {
    /// Nothing, at least not now.
    Nothing,
    /// Pays what is due.
    Pays,
    /// Gives up.
    GivesUp,
    /// Something that a person has to look at.
    NeedsReview,
}

/// Which callbacks are wanted: those to which everything that is given applies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallbackFilter {
    /// Of this merchant.
    pub merchant: Option<MerchantId>,
    /// Of this order.
    pub order: Option<OrderId>,
    /// In the state of this name; see [`domain::CallbackState::name`].
    pub state: Option<String>,
}

impl CallbackFilter {
    /// Whether this callback is wanted.
    pub fn admits(&self, callback: &Callback) -> bool {
        self.merchant.is_none_or(|merchant| callback.merchant == merchant)
            && self.order.is_none_or(|order| callback.order == order)
            && self.state.as_ref().is_none_or(|state| callback.state.name() == state)
    }
}

/// List reads of callbacks. They may lag by a second and share nothing with the commit path.
#[async_trait]
pub trait CallbackReports: Send + Sync {
    /// Of each address in the order of their keys, from the first above `after`, up to
    /// `per_endpoint` callbacks that wait or are leased and are due at `now`, the longest due first;
    /// of at most `endpoints` addresses. The time that it takes depends on what is open, not on what
    /// is stored.
    async fn callbacks_due(
        &self,
        now: Timestamp,
        after: Option<&EndpointKey>,
        endpoints: u32,
        per_endpoint: u32,
    ) -> Result<Vec<Callback>, StoreFault>;

    /// Leased callbacks with a number above `after`, in the order of their numbers.
    async fn callbacks_leased(
        &self,
        after: CallbackId,
        limit: u32,
    ) -> Result<Vec<Callback>, StoreFault>;

    /// The callback of this number.
    async fn callback(&self, id: CallbackId) -> Result<Option<Callback>, StoreFault>;

    /// Wanted callbacks with a number below `before`, newest first. So that no question holds up the
    /// others, a part may have fewer than `limit`, or none, and the list may still go on.
    async fn callbacks(
        &self,
        filter: &CallbackFilter,
        before: Option<CallbackId>,
        limit: u32,
    ) -> Result<Page<Callback, CallbackId>, StoreFault>;

    /// The tries of a callback, oldest first.
    async fn deliveries(&self, callback: CallbackId) -> Result<Vec<Delivery>, StoreFault>;

    /// How many callbacks wait or are being tried, and how many were given up.
    async fn callback_backlog(&self) -> Result<Backlog, StoreFault>;
}

/// How much news is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Backlog {
    /// Callbacks that wait or are being tried.
    pub open: u64,
    /// When the one that has been open longest became owed.
    pub since: Option<Timestamp>,
}

/// What a callback tells of.
#[derive(Debug, Clone, Copy)]
pub struct News<'a> {
    /// What became true, and when.
    pub callback: &'a Callback,
    /// Of which order.
    pub order: &'a Order,
    /// Whose it is, with what the merchant's keys and products are.
    pub catalogue: &'a Catalogue,
    /// The time now, for keys that expire.
    pub now: Timestamp,
}

/// Writes callbacks as a protocol has them.
pub trait CallbackWriter: Send + Sync {
    /// The protocol.
    fn protocol(&self) -> &str;

    /// What is sent. It is asked once per callback, before the first try.
    fn render(&self, news: News<'_>) -> Rendered;
}

/// Something to be handed over to a merchant.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// To where, as an absolute `http` or `https` URL.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Headers of the protocol's own, and the body.
    pub rendered: Arc<Rendered>,
}

/// What came of handing a parcel over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handed {
    /// What the receiver did.
    pub received: Received,
    /// How long the receiver asks us to wait before the next try.
    pub retry_after: Option<Duration>,
}

/// Sends parcels over the network. Whom it may send to is its own business; it follows no redirects
/// and gives every parcel up after a deadline of its own.
#[async_trait]
pub trait Messenger: Send + Sync {
    /// Makes one try.
    async fn send(&self, parcel: Parcel) -> Handed;
}

/// A sealed text could not be opened: it was edited, belongs elsewhere, or the key is another.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a sealed text cannot be opened with this key")]
pub struct SealFault;

/// Keeps secrets unreadable where they are stored.
pub trait Sealer: Send + Sync {
    /// Seals a text for the place that `context` names; it can be opened there and nowhere else.
    fn seal(&self, plain: &str, context: &str) -> String;

    /// The text that was sealed for this place.
    fn open(&self, sealed: &str, context: &str) -> Result<String, SealFault>;
}

/// Seals nothing: for a sandbox, whose secrets are public.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unsealed;

impl Sealer for Unsealed {
    fn seal(&self, plain: &str, _context: &str) -> String {
        plain.to_owned()
    }

    fn open(&self, sealed: &str, _context: &str) -> Result<String, SealFault> {
        Ok(sealed.to_owned())
    }
}

/// The wall clock.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// Randomness that nobody can guess.
pub trait Entropy: Send + Sync {
    /// Fills the bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// What a merchant adds to an inquiry besides product and number. A product that has no use for a
/// parameter ignores it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters {
    /// For how many months to pay.
    pub months: Option<u8>,
    /// For which year to pay.
    pub year: Option<String>,
    /// The owner's identity number.
    pub identity_number: Option<String>,
    /// The amount to pay, where the payer chooses it.
    pub amount: Option<Amount>,
}

/// Asks an upstream what is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillQuestion {
    /// The protocol in which the merchant asked; the sandbox honours that protocol's test numbers.
    pub protocol: ProtocolName,
    /// The code under which the merchant asked.
    pub code: String,
    /// The product.
    pub product: ProductId,
    /// Live or test.
    pub mode: Mode,
    /// The customer's number.
    pub destination: String,
    /// What else was given.
    pub parameters: Parameters,
}

/// An upstream's answer to an inquiry. No money moves by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BillAnswer {
    /// This is owed.
    Bill(Bill),
    /// The supplier refuses.
    Refused(Refusal),
    /// The supplier did not answer.
    Silent,
}

/// One attempt at one order, as handed to an upstream. Order and attempt number together never
/// occur twice, so adapters make their idempotency key of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    /// The order.
    pub order: Arc<Order>,
    /// Which attempt.
    pub attempt: u16,
}

/// What an upstream says of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supplied {
    /// What it brought.
    pub outcome: Outcome,
    /// What the supplier says it paid to the biller; compared with the order where it is given.
    pub nominal: Option<Amount>,
}

impl From<Outcome> for Supplied {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, nominal: None }
    }
}

/// What an upstream says when it is asked about an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// This became of it.
    Supplied(Supplied),
    /// It has never heard of it.
    NotReceived,
}

/// News of an attempt that an upstream brings by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The order.
    pub order: OrderId,
    /// Which attempt.
    pub attempt: u16,
    /// Who says so.
    pub upstream: UpstreamName,
    /// What is said.
    pub supplied: Supplied,
}

/// How the outcome of an attempt can be learned after its call broke off. The adapter declares it,
/// so that no caller can buy twice by accident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusBy {
    /// By asking. That the supplier has never heard of an attempt proves that it was not bought
    /// once the attempt is older than this; without a duration it never proves anything.
    Asking {
        /// Age from which absence is proof.
        absence_proves_after: Option<Duration>,
    },
    /// By making the same call again, which this supplier recognises.
    Repeating,
    /// Only by the supplier's own signed notice; asking is impossible and repeating buys again.
    NoticeOnly,
}

/// What a person decides about an order whose outcome the supplier leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was delivered.
    Success,
    /// It was not, and will not be.
    Failed,
}

/// The upstream cannot be told an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SettleFault {
    /// This upstream is not ours to tell.
    #[error("upstream decides by itself")]
    Unsupported,
    /// It has never heard of the attempt.
    #[error("upstream has never received this order")]
    NotReceived,
    /// Its own record says something else for good.
    #[error("upstream has settled this order already")]
    Settled,
    /// It could not record the verdict.
    #[error("upstream could not record the verdict: {0}")]
    Failed(String),
}

/// A connection to somebody else's API. What an adapter does not do is refused by the defaults.
#[async_trait]
pub trait Upstream: Send + Sync {
    /// Its name.
    fn name(&self) -> &UpstreamName;

    /// How outcomes are learned after a call broke off.
    fn status_by(&self) -> StatusBy;

    /// Asks what is owed.
    async fn inquire(&self, question: BillQuestion) -> BillAnswer {
        let _ = question;
        BillAnswer::Refused(Refusal::ProductUnavailable)
    }

    /// Asks whose a number is, or what a game offers.
    async fn look_up(&self, question: LookUpQuestion) -> Result<Found, Refusal> {
        let _ = question;
        Err(Refusal::ProductUnavailable)
    }

    /// Mails once more how to activate what this order delivered.
    async fn mail_activation(&self, order: Arc<Order>, address: String) -> Result<(), Refusal> {
        let _ = (order, address);
        Err(Refusal::ProductUnavailable)
    }

    /// Pays a bill. Whatever is not affirmed by the supplier is unknown.
    async fn pay(&self, purchase: Purchase) -> Supplied {
        let _ = purchase;
        Supplied::from(Outcome::Refused(Refusal::ProductUnavailable))
    }

    /// Pays money out. Whatever is not affirmed by the supplier is unknown.
    async fn pay_out(&self, purchase: Purchase) -> Supplied {
        let _ = purchase;
        Supplied::from(Outcome::Refused(Refusal::ChannelUnavailable))
    }

    /// Plays the payer of a collection. Only the sandbox does; elsewhere payers are people.
    async fn play_payer(&self, order: &Order, moment: Moment) -> PayerDoes {
        let _ = (order, moment);
        PayerDoes::Nothing
    }

    /// Asks what became of an attempt. Changes nothing at the supplier.
    async fn ask(&self, purchase: Purchase) -> Told {
        let _ = purchase;
        Told::Supplied(Outcome::Unknown(domain::Doubt::Silent).into())
    }

    /// Tells the upstream what a person decided. Only the sandbox lets itself be told.
    async fn settle(&self, purchase: Purchase, verdict: Verdict) -> Result<(), SettleFault> {
        let _ = (purchase, verdict);
        Err(SettleFault::Unsupported)
    }
}
