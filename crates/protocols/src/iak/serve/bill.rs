//! `inq-pasca`, `pay-pasca` and `checkstatus` (IAK reference, sections 5.2 to 5.4).

use std::sync::Arc;

use domain::product::QuoteExpiry;
use domain::{
    Amount, AttemptState, Currency, Doubt, Kind, Merchant, Mode, Order, OrderState, Reference,
    ReferenceKey, Refusal,
};
use gateway::exchanges::Note;
use gateway::ports::{Parameters, StoreFault};
use gateway::{Catalogue, Gateway, Inquiry, Repeats};

use super::{Denial, NAME, Served, said};
use crate::exchange::Answer;
use crate::iak::codes::{self, Code};
use crate::iak::wire::Format;
use crate::iak::wire::desc::Layout;
use crate::iak::wire::fields::{FieldFault, Fields, Flaw};
use crate::iak::wire::reference::reference;
use crate::iak::wire::transaction::Transaction;

/// No customer number of any biller is longer.
const NUMBER_LENGTH_MAX: usize = 64;

impl Served {
    pub(super) async fn inquire(
        &self,
        merchant: Arc<Merchant>,
        fields: Fields<'_>,
        format: Format,
        note: &mut Note,
    ) -> Result<Answer, Denial> {
        let code = fields.text("code")?;
        let destination = fields.numeral("hp")?;
        let asked = Asked::read(fields, self.layout(code), code)?;
        let key = self.key(&merchant, reference(fields.numeral("ref_id")?)?);
        let amount = match (asked.amount, is_number(destination)) {
            (_, false) => return self.refuse(&key, code, Refusal::DestinationInvalid).await,
            (Some(amount), true) => match payable(amount) {
                Some(amount) => Some(amount),
                None => return self.refuse(&key, code, Refusal::AmountInvalid).await,
            },
            (None, true) => None,
        };
        let inquiry = Inquiry {
            merchant,
            protocol: key.protocol,
            mode: key.mode,
            reference: key.reference,
            code: code.to_owned(),
            destination: destination.to_owned(),
            parameters: Parameters {
                months: asked.months,
                year: asked.year.map(str::to_owned),
                identity_number: asked.identity_number.map(str::to_owned),
                amount,
            },
            expiry: QuoteExpiry::SameDay,
            repeats: Repeats::Refused,
            dialect: String::new(),
            calls_back: false,
        };
        let order = self.gateway.inquire(inquiry).await?;
        note.order = Some(order.id);
        let catalogue = self.gateway.catalogue();
        let group = group(&catalogue, &order);
        let transaction = transaction(self.number(&order)?, &order, group)?;
        Ok(said(transaction.inquired(), format, note))
    }

    /// Refuses an inquiry of which no supplier needs to be asked. What is checked before a number or
    /// an amount is checked here too, so that a refusal does not hide an earlier one. The reference
    /// stays free.
    async fn refuse(
        &self,
        key: &ReferenceKey,
        code: &str,
        refusal: Refusal,
    ) -> Result<Answer, Denial> {
        let gateway: &Gateway = &self.gateway;
        let catalogue = gateway.catalogue();
        let product = catalogue
            .product_by_code(NAME, code)
            .filter(|product| product.top_up.is_none())
            .ok_or(Refusal::ProductUnknown)?;
        product.on_sale(gateway.now(), gateway.cut_offs())?;
        match gateway.order_by_reference(key).await {
            Ok(_) => Err(Refusal::ReferenceUsed.into()),
            Err(gateway::Rejection::Refused(_)) => Err(refusal.into()),
            Err(fault @ gateway::Rejection::Fault(_)) => Err(fault.into()),
        }
    }

    pub(super) async fn pay(
        &self,
        merchant: &Arc<Merchant>,
        fields: Fields<'_>,
        format: Format,
        note: &mut Note,
    ) -> Result<Answer, Denial> {
        let (tr_id, number) =
            self.numbers.read(fields.numeral("tr_id")?).ok_or(Refusal::OrderNotFound)?;
        note.order = Some(number);
        // A merchant's orders of other protocols are none of this API's business.
        let order = self.gateway.order(merchant, number).await?;
        if !self.is_bill(&order) {
            return Err(Refusal::OrderNotFound.into());
        }
        let payment = self.gateway.pay_order(merchant, order).await?;
        let code = match (payment.order.state, payment.repeated) {
            (OrderState::Succeeded, true) => return Err(Refusal::InvoicePaid.into()),
            (OrderState::Failed(_), true) => return Err(Refusal::PaymentFailedBefore.into()),
            (OrderState::Succeeded, false) => codes::PAYMENT_SUCCESS,
            (OrderState::Failed(refusal), false) => failure(refusal),
            (_, false) => codes::of_doubt(doubt(&payment.order)),
            (_, true) => codes::of_doubt(Doubt::InProcess),
        };
        let catalogue = self.gateway.catalogue();
        let group = group(&catalogue, &payment.order);
        let transaction = transaction(tr_id, &payment.order, group)?;
        Ok(said(transaction.paid(code, payment.balance), format, note))
    }

    pub(super) async fn check_status(
        &self,
        merchant: &Merchant,
        fields: Fields<'_>,
        format: Format,
        note: &mut Note,
    ) -> Result<Answer, Denial> {
        let key = self.key(merchant, reference(fields.numeral("ref_id")?)?);
        let order = self.gateway.order_by_reference(&key).await?;
        note.order = Some(order.id);
        if !self.is_bill(&order) {
            return Err(Refusal::OrderNotFound.into());
        }
        let balance = self.gateway.balance(merchant).await?;
        let catalogue = self.gateway.catalogue();
        let group = group(&catalogue, &order);
        let transaction = transaction(self.number(&order)?, &order, group)?;
        let told = match order.state {
            OrderState::Quoted => transaction.open(0, codes::NOT_RECEIVED, balance),
            OrderState::Processing => {
                transaction.open(3, codes::of_doubt(Doubt::InProcess), balance)
            }
            OrderState::Succeeded => transaction.closed(1, codes::PAYMENT_SUCCESS, balance),
            OrderState::Failed(refusal) => transaction.closed(2, failure(refusal), balance),
            OrderState::Declined(_) | OrderState::Awaiting | OrderState::Expired => {
                return Err(Refusal::OrderNotFound.into());
            }
        };
        Ok(said(told, format, note))
    }

    pub(super) fn key(&self, merchant: &Merchant, reference: Reference) -> ReferenceKey {
        let protocol = self.protocol.clone();
        ReferenceKey { merchant: merchant.id, protocol, mode: Mode::Live, reference }
    }

    pub(super) fn is_bill(&self, order: &Order) -> bool {
        self.is_purchase(order) && !order.is_top_up()
    }

    pub(super) fn is_top_up(&self, order: &Order) -> bool {
        self.is_purchase(order) && order.is_top_up()
    }

    fn is_purchase(&self, order: &Order) -> bool {
        order.key.protocol == self.protocol
            && order.key.mode == Mode::Live
            && order.kind == Kind::Purchase
    }

    fn layout(&self, code: &str) -> Option<Layout> {
        let catalogue = self.gateway.catalogue();
        Layout::of(code, || {
            catalogue.product_by_code(NAME, code).map_or("", |product| product.group.as_str())
        })
    }

    /// The number under which the merchant knows an order.
    pub(super) fn number(&self, order: &Order) -> Result<i64, Denial> {
        let beyond = || Denial::Fault(StoreFault::Corrupt("order numbers are used up".to_owned()));
        self.numbers.number(order.id).ok_or_else(beyond)
    }
}

/// The group of an order's product; empty once the product is gone.
fn group<'a>(catalogue: &'a Catalogue, order: &Order) -> &'a str {
    catalogue.product(&order.product).map_or("", |product| product.group.as_str())
}

/// An order that has a bill. One without was declined, and nobody was told its number.
fn transaction<'a>(
    tr_id: i64,
    order: &'a Order,
    group: &'a str,
) -> Result<Transaction<'a>, Refusal> {
    let (Some(bill), Some(quote)) = (&order.bill, &order.quote) else {
        return Err(Refusal::OrderNotFound);
    };
    Ok(Transaction { tr_id, order, bill, quote, group })
}

/// What an inquiry says besides product, number and reference. A field that means nothing for the
/// product is not looked at (section 5.2).
struct Asked<'a> {
    months: Option<u8>,
    year: Option<&'a str>,
    identity_number: Option<&'a str>,
    /// Digits, perhaps behind a minus.
    amount: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn read(fields: Fields<'a>, layout: Option<Layout>, code: &str) -> Result<Self, FieldFault> {
        let counted = matches!(code, "BPJS" | "BPJSTK");
        let chosen = matches!(layout, Some(Layout::FreeAmount | Layout::Church));
        Ok(Self {
            months: counted.then(|| months(fields)).transpose()?,
            year: match layout {
                Some(Layout::PropertyTax) => year(fields)?,
                _ => None,
            },
            identity_number: match layout {
                Some(Layout::VehicleTax) => Some(identity_number(fields)?),
                _ => None,
            },
            amount: chosen.then(|| fields.integer("desc.amount")).transpose()?,
        })
    }
}

/// From 1 to 12.
fn months(fields: Fields<'_>) -> Result<u8, FieldFault> {
    let field = "month";
    let months = fields.integer(field)?.parse().ok().filter(|months| (1..=12).contains(months));
    months.ok_or(FieldFault { field, flaw: Flaw::Value })
}

/// Up to four digits; the reference leaves open whether it is a calendar year or a count.
fn year(fields: Fields<'_>) -> Result<Option<&str>, FieldFault> {
    let field = "year";
    match fields.optional_numeral(field)? {
        Some(_) => match fields.integer(field)? {
            year if year.len() <= 4 && !year.starts_with('-') => Ok(Some(year)),
            _ => Err(FieldFault { field, flaw: Flaw::Value }),
        },
        None => Ok(None),
    }
}

fn identity_number(fields: Fields<'_>) -> Result<&str, FieldFault> {
    let field = "nomor_identitas";
    let number = fields.numeral(field)?;
    if is_number(number) { Ok(number) } else { Err(FieldFault { field, flaw: Flaw::Value }) }
}

/// Whether a customer's number can be one at all: short, and without blanks or characters that no
/// biller prints. Letters occur.
fn is_number(text: &str) -> bool {
    text.len() <= NUMBER_LENGTH_MAX && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// An amount above nothing.
fn payable(digits: &str) -> Option<Amount> {
    Amount::from_decimal(digits, Currency::Idr).ok().filter(|amount| !amount.is_zero())
}

/// Why the outcome of a payment is open. A call that is still under way is in process.
fn doubt(order: &Order) -> Doubt {
    match order.attempt().map(|attempt| attempt.state) {
        Some(AttemptState::Unknown(doubt)) => doubt,
        _ => Doubt::InProcess,
    }
}

/// The code of a payment that failed for good. What inquiries alone can say is read as *pending*,
/// and a failed payment must never look pending.
fn failure(refusal: Refusal) -> Code {
    match refusal {
        Refusal::InquiryUndefined | Refusal::InquiryResponseUnknown | Refusal::InquiryPending => {
            codes::of_refusal(Refusal::PaymentFailed)
        }
        _ => codes::of_refusal(refusal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_payment_never_looks_pending_or_paid() {
        for refusal in Refusal::ALL {
            let code = failure(*refusal).code;
            assert!(!["00", "05", "39", "201"].contains(&code), "{refusal:?} is {code}");
        }
    }

    #[test]
    fn an_amount_is_above_nothing_and_within_64_bits() {
        let table = [
            ("1", Some(1)),
            ("007", Some(7)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("0", None),
            ("000", None),
            ("-1", None),
            ("-0", None),
        ];
        for (digits, expected) in table {
            assert_eq!(payable(digits).map(Amount::minor), expected, "{digits}");
        }
    }
}
