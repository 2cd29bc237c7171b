//! Collections: waiting for payers, taking in evidence of their money, and bringing the two together.
//!
//! Evidence is durable before it is matched, and one commit uses it up. What fits exactly one waiting
//! collection pays it; everything else goes to suspense, with an alarm. What the payer or the
//! merchant *tells* narrows down which collection is meant and credits nothing by itself.

use std::sync::Arc;
use std::time::Duration;

use domain::command::{
    Credit, EndCollection, OpenCollection, PayerReferenceKey, RecordEvidence, Request, Suspend,
    Tell,
};
use domain::evidence::{Doubtful, Evidence, EvidenceKey, EvidenceState};
use domain::{
    Amount, Collecting, Command, Detail, Flow, Merchant, MerchantStatus, Mode, Order, OrderId,
    OrderState, ProtocolName, Reference, ReferenceKey, Refusal, Reply, UpstreamName,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::buy::within;
use crate::inquire::unexpected;
use crate::ports::{Moment, PayerDoes, StoreFault};
use crate::{Gateway, Rejection, reply};

/// How often collections whose time has run out are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many are ended at a time.
const AT_ONCE: u32 = 64;
/// How many candidates are looked at. Where there are more, nobody knows for certain which is meant.
const CANDIDATES: u32 = 1000;
/// What the names of the built-in payer's evidence begin with; the order's number follows.
const PAYER_OF: &str = "order-";

/// The names under which protocols note whom the payer says to be, and by what the payment goes.
pub mod told {
    /// The number or account from which the payer sent.
    pub const SENDER: &str = "sender";
    /// What the bank or the network calls the payment.
    pub const REFERENCE: &str = "payment_reference";
}

/// A collection, as a protocol hands it over.
#[derive(Debug, Clone)]
pub struct CollectionRequest {
    /// Who is to be paid.
    pub merchant: Arc<Merchant>,
    /// Through which protocol.
    pub protocol: ProtocolName,
    /// Under which reference.
    pub reference: Reference,
    /// Through which channel, in the protocol's own code.
    pub code: String,
    /// Who pays, as the merchant calls them.
    pub destination: String,
    /// What the payer has to hand over, in the channel's own money.
    pub due: Amount,
    /// What the merchant is credited, before our fee.
    pub gross: Amount,
    /// What was asked besides, in names that the protocol knows.
    pub particulars: Detail,
    /// Where the payer's browser goes in the end.
    pub return_url: Option<String>,
    /// In which variant of the protocol; see [`domain::Order::dialect`].
    pub dialect: String,
    /// Whether the merchant is called back when the order ends.
    pub calls_back: bool,
    /// An address of its own to which the merchant wants the news as well.
    pub callback_url: Option<String>,
    /// How long to wait for the payer; none is for ever.
    pub lifetime: Option<Duration>,
    /// Digest of what was asked, to tell a repeat from another order.
    pub fingerprint: [u8; 32],
}

/// A collection as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// The order.
    pub order: Arc<Order>,
    /// What is available to the merchant.
    pub balance: Amount,
    /// Whether the same was asked before; nothing changed now.
    pub repeated: bool,
}

/// What a payer tells about a collection.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// By name; see [`told`] for the names by which evidence is found.
    pub particulars: Vec<(String, Detail)>,
    /// What nobody may name for another order of the same channel.
    pub reference: Option<String>,
}

/// What became of evidence that was brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenIn {
    /// As it stands now. Of what was brought before, the words of the first time count.
    pub evidence: Evidence,
    /// Whether evidence of this name was brought before.
    pub repeated: bool,
}

impl Gateway {
    /// Begins to wait for a payer. The same request under the same reference is answered by the
    /// collection that is there; another one is refused. Refusals store nothing.
    pub async fn open_collection(
        self: &Arc<Self>,
        request: CollectionRequest,
    ) -> Result<Collected, Rejection> {
        let merchant = Arc::clone(&request.merchant);
        let command = self.opening(request)?;
        let (order, repeated) = match reply(self.store.execute(command, None).await)? {
            Reply::Awaited { order, repeated } => (order, repeated),
            other => return Err(unexpected(&other).into()),
        };
        let order = if repeated { order } else { self.let_payer(order, Moment::Opened).await? };
        let balance = self.balance(&merchant).await?;
        Ok(Collected { order, balance, repeated })
    }

    fn opening(&self, request: CollectionRequest) -> Result<Command, Rejection> {
        let merchant = &request.merchant;
        if merchant.status == MerchantStatus::Suspended {
            return Err(Refusal::AccountSuspended.into());
        }
        let (protocol, code) = (&request.protocol, &request.code);
        let (product, channel) = self.channel(protocol, code, Flow::In, merchant.currency)?;
        if !within(&channel, request.gross) {
            return Err(Refusal::AmountInvalid.into());
        }
        let fee = channel.fee.of(request.gross).map_err(|_| Refusal::AmountInvalid)?;
        let now = self.now();
        let expires_at = request.lifetime.map(|lifetime| now.after(lifetime));
        let key = ReferenceKey {
            merchant: merchant.id,
            protocol: request.protocol,
            mode: Mode::Live,
            reference: request.reference,
        };
        let collecting = Collecting {
            channel: product.as_str().to_owned(),
            due: request.due,
            gross: request.gross,
            fee,
            return_url: request.return_url,
            in_review: false,
            particulars: request.particulars,
            evidence: None,
        };
        let request = Request {
            key,
            fingerprint: request.fingerprint,
            product,
            code: request.code,
            destination: request.destination,
            upstream: self.settings.upstream.clone(),
            dialect: request.dialect,
            calls_back: request.calls_back,
            callback_url: request.callback_url,
            at: now,
        };
        Ok(Command::OpenCollection(OpenCollection { request, collecting, expires_at }))
    }

    /// Notes what the payer or the merchant tells, and looks whether the money has come in.
    pub async fn tell_collection(
        self: &Arc<Self>,
        merchant: &Merchant,
        order: OrderId,
        told: Told,
    ) -> Result<Collected, Rejection> {
        let known = self.order(merchant, order).await?;
        let channel = collecting_of(&known)?.channel.clone();
        let command = Command::Tell(Tell {
            order,
            merchant: merchant.id,
            particulars: told.particulars,
            reference: told.reference.map(|text| PayerReferenceKey { channel, text }),
            in_review: None,
            at: self.now(),
        });
        let order = match reply(self.store.execute(command, None).await)? {
            Reply::Awaited { order, .. } => order,
            other => return Err(unexpected(&other).into()),
        };
        let order = self.let_payer(order, Moment::Told).await?;
        let order = if order.state == OrderState::Awaiting {
            self.find_evidence(order).await?
        } else {
            order
        };
        let balance = self.balance(merchant).await?;
        Ok(Collected { order, balance, repeated: false })
    }

    /// Lets the built-in payer answer, where the order's upstream is one.
    pub async fn let_payer(
        self: &Arc<Self>,
        order: Arc<Order>,
        moment: Moment,
    ) -> Result<Arc<Order>, StoreFault> {
        let Some(upstream) = self.upstream(&order.upstream) else { return Ok(order) };
        match upstream.play_payer(&order, moment).await {
            PayerDoes::Nothing => Ok(order),
            PayerDoes::Pays => self.pay_as_payer(order).await,
            PayerDoes::GivesUp => {
                self.end_collection(&order, Some(Refusal::PaymentAbandoned)).await
            }
            PayerDoes::NeedsReview => self.put_in_review(&order).await,
        }
    }

    async fn pay_as_payer(self: &Arc<Self>, order: Arc<Order>) -> Result<Arc<Order>, StoreFault> {
        let collecting = collecting_of(&order)?;
        let now = self.now();
        let evidence = Evidence {
            key: EvidenceKey {
                source: order.upstream.to_string(),
                id: format!("{PAYER_OF}{}", order.id),
            },
            channel: collecting.channel.clone(),
            amount: collecting.due,
            sender: text_of(collecting, told::SENDER).unwrap_or_default().to_owned(),
            reference: text_of(collecting, told::REFERENCE).unwrap_or_default().to_owned(),
            came_in_at: now,
            seen_at: now,
            state: EvidenceState::Open,
        };
        let evidence = self.record_evidence(evidence).await?.evidence;
        match self.credit(&order, &evidence).await? {
            Ok(order) => Ok(order),
            Err(reason) => {
                self.suspend(&evidence, reason).await?;
                self.reread(&order).await
            }
        }
    }

    async fn put_in_review(&self, order: &Arc<Order>) -> Result<Arc<Order>, StoreFault> {
        let command = Command::Tell(Tell {
            order: order.id,
            merchant: order.key.merchant,
            particulars: Vec::new(),
            reference: None,
            in_review: Some(true),
            at: self.now(),
        });
        match self.store.execute(command, None).await? {
            Ok(Reply::Awaited { order, .. }) => Ok(order),
            Ok(other) => Err(unexpected(&other)),
            Err(_) => self.reread(order).await,
        }
    }

    /// Takes in that money came in, and credits whoever it is for. Bringing the same again changes
    /// nothing, except that evidence on which nobody decided, because something broke off, is decided
    /// on. The answer is the evidence as it stands then.
    pub async fn take_in(self: &Arc<Self>, evidence: Evidence) -> Result<TakenIn, Rejection> {
        let TakenIn { evidence, repeated } = self.record_evidence(evidence).await?;
        let evidence = if evidence.state == EvidenceState::Open {
            self.attribute(evidence).await?
        } else {
            evidence
        };
        Ok(TakenIn { evidence, repeated })
    }

    /// Credits the one collection that evidence is for, or puts it on suspense.
    pub(crate) async fn attribute(
        self: &Arc<Self>,
        recorded: Evidence,
    ) -> Result<Evidence, StoreFault> {
        let reason = match self.order_for(&recorded).await? {
            Ok(order) => match self.credit(&order, &recorded).await? {
                Ok(order) => {
                    let state = EvidenceState::Used(order.id);
                    return Ok(Evidence { state, ..recorded });
                }
                Err(reason) => reason,
            },
            Err(reason) => reason,
        };
        self.suspend(&recorded, reason).await
    }

    /// The one collection that evidence is for.
    async fn order_for(
        &self,
        evidence: &Evidence,
    ) -> Result<Result<Arc<Order>, Doubtful>, StoreFault> {
        if let Some(order) = self.order_of_payer(&evidence.key) {
            let waits = |order: &Arc<Order>| order.collecting.is_some();
            return Ok(self.store.order(order).await?.filter(waits).ok_or(Doubtful::NoOrder));
        }
        let waiting =
            self.collections.awaiting(&evidence.channel, evidence.amount, CANDIDATES).await?;
        if is_too_many(waiting.len()) {
            return Ok(Err(Doubtful::SeveralOrders));
        }
        let mut fitting: Vec<_> =
            waiting.into_iter().filter(|order| may_be_for(evidence, order)).collect();
        if fitting.iter().any(|order| is_named(evidence, order)) {
            fitting.retain(|order| is_named(evidence, order));
        }
        Ok(match (fitting.pop(), fitting.is_empty()) {
            (None, _) => Err(Doubtful::NoOrder),
            (Some(order), true) => Ok(order),
            (Some(_), false) => Err(Doubtful::SeveralOrders),
        })
    }

    /// The order for which the built-in payer paid, which is known without looking at the amount. No
    /// feed has the name of an upstream.
    fn order_of_payer(&self, key: &EvidenceKey) -> Option<OrderId> {
        self.upstream(&UpstreamName::new(key.source.as_str()))?;
        key.id.strip_prefix(PAYER_OF)?.parse().ok().map(OrderId)
    }

    /// Looks for money that came in for a collection since it was opened, be it on suspense because
    /// nothing told then whose it was. Only what is named for it for certain pays it.
    async fn find_evidence(self: &Arc<Self>, order: Arc<Order>) -> Result<Arc<Order>, StoreFault> {
        let collecting = collecting_of(&order)?;
        let (channel, due) = (&collecting.channel, collecting.due);
        let free = self.collections.free_evidence(channel, due, CANDIDATES).await?;
        let too_many = is_too_many(free.len());
        let mut fitting = free.into_iter().filter(|evidence| {
            evidence.came_in_at >= order.created_at && is_named(evidence, &order)
        });
        if let (Some(evidence), None, false) = (fitting.next(), fitting.next(), too_many)
            && let Ok(order) = self.credit(&order, &evidence).await?
        {
            return Ok(order);
        }
        // Whoever tells or brings the same at the same moment may have paid it with what was here.
        self.reread(&order).await
    }

    async fn record_evidence(&self, evidence: Evidence) -> Result<TakenIn, StoreFault> {
        let command = Command::RecordEvidence(RecordEvidence { evidence });
        match self.store.execute(command, None).await? {
            Ok(Reply::EvidenceRecorded { evidence, repeated }) => {
                Ok(TakenIn { evidence, repeated })
            }
            Ok(other) => Err(unexpected(&other)),
            Err(refusal) => Err(StoreFault::Corrupt(refusal.to_string())),
        }
    }

    /// The paid order, or why the evidence does not pay it.
    async fn credit(
        &self,
        order: &Order,
        evidence: &Evidence,
    ) -> Result<Result<Arc<Order>, Doubtful>, StoreFault> {
        let collecting = collecting_of(order)?;
        let command = Command::Credit(Credit {
            order: order.id,
            merchant: order.key.merchant,
            currency: collecting.gross.currency(),
            channel: (evidence.channel.clone(), evidence.amount.currency()),
            evidence: evidence.key.clone(),
            at: self.now(),
        });
        match self.store.execute(command, None).await? {
            Ok(Reply::Credited { order, .. }) => {
                self.news.notify_one();
                Ok(Ok(order))
            }
            Ok(Reply::NotCredited { reason, .. }) => Ok(Err(reason)),
            Ok(other) => Err(unexpected(&other)),
            Err(refusal) => Err(StoreFault::Corrupt(refusal.to_string())),
        }
    }

    async fn suspend(&self, evidence: &Evidence, reason: Doubtful) -> Result<Evidence, StoreFault> {
        let command = Command::Suspend(Suspend {
            evidence: evidence.key.clone(),
            channel: (evidence.channel.clone(), evidence.amount.currency()),
            reason,
            at: self.now(),
        });
        match self.store.execute(command, None).await? {
            Ok(Reply::Suspended { evidence, repeated }) => {
                // Of several that decide on the same, one did, and only that one raises the alarm.
                if !repeated {
                    error!(
                        source = evidence.key.source,
                        evidence = evidence.key.id,
                        channel = evidence.channel,
                        amount = %evidence.amount,
                        reason = reason.name(),
                        "money came in and is on suspense; a person must decide"
                    );
                }
                Ok(evidence)
            }
            Ok(other) => Err(unexpected(&other)),
            Err(refusal) => Err(StoreFault::Corrupt(refusal.to_string())),
        }
    }

    /// Ends a collection that is not paid; without a refusal only if its time has run out.
    pub async fn end_collection(
        &self,
        order: &Order,
        refusal: Option<Refusal>,
    ) -> Result<Arc<Order>, StoreFault> {
        let collecting = collecting_of(order)?;
        let command = Command::EndCollection(EndCollection {
            order: order.id,
            merchant: order.key.merchant,
            currency: collecting.gross.currency(),
            refusal,
            at: self.now(),
        });
        match self.store.execute(command, None).await? {
            Ok(Reply::Ended(order)) => {
                self.news.notify_one();
                Ok(order)
            }
            Ok(other) => Err(unexpected(&other)),
            Err(refusal) => Err(StoreFault::Corrupt(refusal.to_string())),
        }
    }

    /// Decides on evidence that was left open and ends collections whose time has run out, until told
    /// to stop. What an earlier run left open comes first, so that no collection is ended for which
    /// money is there.
    pub async fn run_collections(self: Arc<Self>, stop: CancellationToken) {
        match self.recover_evidence().await {
            Ok(0) => {}
            Ok(decided) => info!(decided, "evidence of an earlier run is decided on"),
            Err(fault) => {
                error!(%fault, "evidence of an earlier run stays open until it is looked for again")
            }
        }
        let mut after = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            after = self.decide_on_left(after).await.unwrap_or_else(|fault| {
                warn!(%fault, "evidence that was left open could not be read");
                None
            });
            if let Err(fault) = self.end_expired().await {
                warn!(%fault, "collections whose time has run out could not be ended");
            }
        }
    }

    async fn end_expired(&self) -> Result<(), StoreFault> {
        for order in self.collections.collections_expired(self.now(), AT_ONCE).await? {
            self.end_collection(&order, None).await?;
        }
        Ok(())
    }

    /// The list reads of collections.
    pub fn collections(&self) -> &Arc<dyn crate::ports::CollectionReports> {
        &self.collections
    }

    async fn reread(&self, order: &Order) -> Result<Arc<Order>, StoreFault> {
        let missing = || StoreFault::Corrupt(format!("order {} is gone", order.id));
        self.store.order(order.id).await?.ok_or_else(missing)
    }
}

fn collecting_of(order: &Order) -> Result<&Collecting, StoreFault> {
    let missing = || StoreFault::Corrupt(format!("order {} collects nothing", order.id));
    order.collecting.as_ref().ok_or_else(missing)
}

/// Whether there may be more candidates than were looked at.
fn is_too_many(found: usize) -> bool {
    u32::try_from(found).map_or(true, |found| found >= CANDIDATES)
}

fn text_of<'a>(collecting: &'a Collecting, name: &str) -> Option<&'a str> {
    match collecting.particulars.get(name) {
        Some(Detail::Text(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// Whether nothing speaks against it: the order is older than the money, and whoever or whatever was
/// named for it is not somebody or something else.
fn may_be_for(evidence: &Evidence, order: &Order) -> bool {
    let Some(collecting) = &order.collecting else { return false };
    let agrees = |name: &str, seen: &str| {
        seen.is_empty() || text_of(collecting, name).is_none_or(|told| told == seen)
    };
    order.created_at <= evidence.came_in_at
        && agrees(told::SENDER, &evidence.sender)
        && agrees(told::REFERENCE, &evidence.reference)
}

/// Whether the payer named, for this order, what the evidence says.
fn is_named(evidence: &Evidence, order: &Order) -> bool {
    let Some(collecting) = &order.collecting else { return false };
    let same = |name: &str, seen: &str| {
        !seen.is_empty() && text_of(collecting, name).is_some_and(|told| told == seen)
    };
    same(told::SENDER, &evidence.sender) || same(told::REFERENCE, &evidence.reference)
}
