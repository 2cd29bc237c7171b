//! Asking what is owed: the supplier first, then one commit that claims the reference.

use std::sync::Arc;

use domain::command::{Decline, MakeQuote, Request, fingerprint};
use domain::product::{QuoteExpiry, bill_total_max, price_bill};
use domain::{
    Bill, Command, Masked, Merchant, MerchantStatus, Mode, Order, OrderState, Product,
    ProtocolName, Reference, ReferenceKey, Refusal, Reply,
};
use tokio::time::timeout;
use tracing::debug;

use crate::observer::{InquiryEnd, Operation, Subject};
use crate::ports::{BillAnswer, BillQuestion, Parameters, StoreFault};
use crate::{Gateway, Rejection, reply};

/// What a protocol answers when a reference comes again after its inquiry was answered. Twins that
/// arrive while the first is still under way always get the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// The reference is used up, even for the same question.
    Refused,
    /// The same question gets the same answer; another one is refused.
    Answered,
    /// The same question is asked anew as long as the quote is not confirmed; another one is
    /// refused. A supplier's refusal leaves the reference free.
    Renewed,
}

/// An inquiry, as a protocol hands it over.
#[derive(Debug, Clone)]
pub struct Inquiry {
    /// Who asks.
    pub merchant: Arc<Merchant>,
    /// Through which protocol.
    pub protocol: ProtocolName,
    /// Live or test.
    pub mode: Mode,
    /// Under which reference.
    pub reference: Reference,
    /// For which product, in the protocol's own code.
    pub code: String,
    /// For which customer.
    pub destination: String,
    /// What else was given.
    pub parameters: Parameters,
    /// How long the quote can be paid.
    pub expiry: QuoteExpiry,
    /// What becomes of repeats.
    pub repeats: Repeats,
    /// In which variant of the protocol; see [`Order::dialect`].
    pub dialect: String,
    /// Whether the merchant is called back when the order ends.
    pub calls_back: bool,
}

/// To whom a quote is made, and on which conditions.
struct Sale {
    merchant: Arc<Merchant>,
    expiry: QuoteExpiry,
    repeats: Repeats,
}

impl Gateway {
    /// Asks the supplier what is owed and stores the quote, or the supplier's refusal, under the
    /// merchant's reference. Refusals of ours store nothing and leave the reference free.
    pub async fn inquire(&self, inquiry: Inquiry) -> Result<Arc<Order>, Rejection> {
        if inquiry.merchant.status == MerchantStatus::Suspended {
            return Err(Refusal::AccountSuspended.into());
        }
        let catalogue = self.catalogue();
        let product = catalogue
            .product_by_code(inquiry.protocol.as_str(), &inquiry.code)
            .filter(|product| product.top_up.is_none())
            .ok_or(Refusal::ProductUnknown)?;
        product.on_sale(self.now(), self.settings.cut_offs)?;
        let (request, parameters, sale) = self.taken_apart(inquiry, product);
        if let Some(order) = self.store.order_by_reference(&request.key).await? {
            let same = order.fingerprint == request.fingerprint;
            let renewable = same && order.state == OrderState::Quoted;
            match sale.repeats {
                Repeats::Renewed if renewable => {}
                Repeats::Answered if same => return inquired(order),
                Repeats::Answered | Repeats::Refused | Repeats::Renewed => {
                    return Err(Refusal::ReferenceUsed.into());
                }
            }
        }
        let command = match self.ask_supplier(&request, parameters).await {
            BillAnswer::Bill(bill) => self.quote(&sale, product, request, bill)?,
            BillAnswer::Refused(refusal) if sale.repeats == Repeats::Renewed => {
                let subject = Subject { protocol: &request.key.protocol, group: &product.group };
                self.observer.inquired(subject, InquiryEnd::Declined);
                return Err(refusal.into());
            }
            BillAnswer::Refused(refusal) => Command::Decline(Decline { request, refusal }),
            BillAnswer::Silent => {
                let subject = Subject { protocol: &request.key.protocol, group: &product.group };
                self.observer.inquired(subject, InquiryEnd::Silent);
                return Err(Refusal::SupplierTimeout.into());
            }
        };
        self.store_inquiry(product, command).await
    }

    /// The parts of an inquiry: what is stored, what the supplier is asked besides, and the rest.
    fn taken_apart(&self, inquiry: Inquiry, product: &Product) -> (Request, Parameters, Sale) {
        let fingerprint = asked(&inquiry);
        let request = Request {
            key: ReferenceKey {
                merchant: inquiry.merchant.id,
                protocol: inquiry.protocol,
                mode: inquiry.mode,
                reference: inquiry.reference,
            },
            fingerprint,
            product: product.id.clone(),
            code: inquiry.code,
            destination: inquiry.destination,
            upstream: self.upstream_for(inquiry.mode).clone(),
            dialect: inquiry.dialect,
            calls_back: inquiry.calls_back,
            callback_url: None,
            at: self.now(),
        };
        let Inquiry { merchant, expiry, repeats, parameters, .. } = inquiry;
        (request, parameters, Sale { merchant, expiry, repeats })
    }

    async fn ask_supplier(&self, request: &Request, parameters: Parameters) -> BillAnswer {
        let Some(upstream) = self.upstream(&request.upstream) else {
            return BillAnswer::Refused(Refusal::ProductUnavailable);
        };
        let question = BillQuestion {
            protocol: request.key.protocol.clone(),
            code: request.code.clone(),
            product: request.product.clone(),
            mode: request.key.mode,
            destination: request.destination.clone(),
            parameters,
        };
        let call = timeout(self.settings.answer_within, upstream.inquire(question));
        let answer = self.timed(upstream.name(), Operation::Inquire, call).await;
        answer.unwrap_or(BillAnswer::Silent)
    }

    fn quote(
        &self,
        sale: &Sale,
        product: &Product,
        request: Request,
        bill: Bill,
    ) -> Result<Command, Refusal> {
        let terms = product
            .terms_for(&sale.merchant.level, &request.key.protocol)
            .ok_or(Refusal::ProductNotAllowed)?;
        if bill.nominal.currency() != sale.merchant.currency {
            return Err(Refusal::ProductNotAllowed);
        }
        let quote = price_bill(terms, &bill, bill_total_max())?;
        // Counted from the answer, so that a slow supplier takes nothing of the merchant's time.
        let expires_at = sale.expiry.instant(self.now());
        let renews = sale.repeats == Repeats::Renewed;
        let bill = Arc::new(bill);
        Ok(Command::MakeQuote(MakeQuote { request, bill, quote, expires_at, renews }))
    }

    async fn store_inquiry(
        &self,
        product: &Product,
        command: Command,
    ) -> Result<Arc<Order>, Rejection> {
        let (order, repeated) = match reply(self.store.execute(command, None).await)? {
            Reply::Inquired { order, repeated } => (order, repeated),
            other => return Err(unexpected(&other).into()),
        };
        if !repeated {
            let end = match order.state {
                OrderState::Declined(_) => InquiryEnd::Declined,
                _ => InquiryEnd::Quoted,
            };
            let subject = Subject { protocol: &order.key.protocol, group: &product.group };
            self.observer.inquired(subject, end);
            let number = Masked(&order.destination);
            debug!(order = %order.id, product = %order.product, %number, ?end, "inquiry stored");
        }
        inquired(order)
    }
}

/// Digest of what is asked.
fn asked(inquiry: &Inquiry) -> [u8; 32] {
    let parameters = &inquiry.parameters;
    let months = parameters.months.map(|months| months.to_string()).unwrap_or_default();
    let amount = parameters.amount.map(|amount| amount.to_string()).unwrap_or_default();
    fingerprint([
        inquiry.code.as_str(),
        &inquiry.destination,
        &months,
        parameters.year.as_deref().unwrap_or_default(),
        parameters.identity_number.as_deref().unwrap_or_default(),
        &amount,
    ])
}

fn inquired(order: Arc<Order>) -> Result<Arc<Order>, Rejection> {
    match order.state {
        OrderState::Declined(refusal) => Err(refusal.into()),
        _ => Ok(order),
    }
}

/// A reply that does not belong to the command that was sent. It is named without its content,
/// because faults are logged and an order carries its customer's number and name.
pub(crate) fn unexpected(reply: &Reply) -> StoreFault {
    let name = match reply {
        Reply::Stored => "stored",
        Reply::Funded { .. } => "funded",
        Reply::Inquired { .. } => "inquired",
        Reply::Accepted { .. } => "accepted",
        Reply::AcceptedBefore { .. } => "accepted before",
        Reply::Resolved { .. } => "resolved",
        Reply::Contradicted { .. } => "contradicted",
        Reply::Awaited { .. } => "awaited",
        Reply::EvidenceRecorded { .. } => "evidence recorded",
        Reply::Credited { .. } => "credited",
        Reply::NotCredited { .. } => "not credited",
        Reply::Suspended { .. } => "suspended",
        Reply::Ended(_) => "ended",
        Reply::Leased(_) => "leased",
        Reply::Redelivered { .. } => "redelivered",
        Reply::DeliveryRecorded { .. } => "delivery recorded",
        Reply::Administered { .. } => "administered",
        Reply::Objected(_) => "objected",
    };
    StoreFault::Corrupt(format!("unexpected reply: {name}"))
}
