//! Receipts: `GET /api/v1/download/:tr_id`, and `receipt-custom` (IAK reference, sections 5.5, 5.6).
//!
//! A download proves nothing but an address, so the address rule of the order's merchant decides
//! whether there is a receipt. A caller whom it refuses is told what is told about a number that
//! nobody has (06 and not 102), as is one who asks for an order of a suspended merchant: otherwise
//! anybody could find out which numbers are in use. A merchant who signs gets its own orders only.

use std::net::IpAddr;
use std::sync::Arc;

use domain::{Merchant, MerchantStatus, Order, OrderState, Refusal};
use gateway::exchanges::{Meaning, Note, Signature};
use http::header::{ALLOW, HeaderValue};
use http::{Method, StatusCode};
use tracing::Span;

use super::{Denial, Served, request, said, signed};
use crate::exchange::{Answer, Arrival};
use crate::iak::codes;
use crate::iak::commands::Command;
use crate::iak::pages::{self, Form, Letterhead, Receipt};
use crate::iak::wire::Format;
use crate::iak::wire::answer::Message;
use crate::iak::wire::fields::{FieldFault, Fields, Flaw};

/// What a download is called in the exchange log. The API has no word for it.
const DOWNLOAD_COMMAND: &str = "download";
/// In characters. Longer ones are no name any more, and fill a receipt with nothing else.
const COMPANY_NAME_MAX: usize = 100;
/// In characters, `<br>` included.
const COMPANY_ADDRESS_MAX: usize = 300;

impl Served {
    /// Answers a download. Its body is not looked at: clients send none, or an empty list.
    pub(super) async fn download(
        &self,
        arrival: &Arrival,
        tr_id: &str,
        form: Form,
        note: &mut Note,
    ) -> Answer {
        let head = &arrival.head;
        note.command = DOWNLOAD_COMMAND;
        note.signature = Signature::Unsigned;
        if head.method != Method::GET {
            let format = Format::of(&head.headers, arrival.body.as_deref().unwrap_or_default());
            let code = codes::of_refusal(Refusal::PathUnknown);
            let message = Message::code(StatusCode::METHOD_NOT_ALLOWED, code);
            let mut answer = said(message, format, note);
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static(Method::GET.as_str()));
            return answer;
        }
        let format = pages::refusal_format(&head.headers);
        match self.downloaded(tr_id, arrival.peer, note).await {
            Ok(receipt) => {
                note.meaning = Some(Meaning::Granted);
                pages::answer(&receipt, form, tr_id)
            }
            Err(Denial::Refused(refusal)) => {
                let code = codes::of_refusal(refusal);
                (note.code, note.meaning) = (Some(code.code), Some(code.meaning));
                pages::refused(code, format)
            }
            Err(denial) => said(denial.into(), format, note),
        }
    }

    async fn downloaded(
        &self,
        tr_id: &str,
        peer: IpAddr,
        note: &mut Note,
    ) -> Result<Receipt, Denial> {
        let (order, merchant) = self.downloadable(tr_id, peer, note).await?;
        self.receipt(&order, Letterhead::Merchant(&merchant.name))
    }

    /// The order of this number and whose it is, if somebody at this address may have its receipt.
    pub(super) async fn downloadable(
        &self,
        tr_id: &str,
        peer: IpAddr,
        note: &mut Note,
    ) -> Result<(Arc<Order>, Arc<Merchant>), Denial> {
        let number = self.numbers.order(tr_id).ok_or(Refusal::OrderNotFound)?;
        note.order = Some(number);
        let order = self.gateway.order_of_any_merchant(number).await?;
        let catalogue = self.gateway.catalogue();
        let merchant = catalogue
            .merchant(order.key.merchant)
            .filter(|merchant| merchant.status != MerchantStatus::Suspended)
            .filter(|merchant| (self.addresses)(merchant.id, peer))
            .ok_or(Refusal::OrderNotFound)?;
        note.merchant = Some(merchant.id);
        Span::current().record("merchant", merchant.id.0);
        Ok((order, Arc::clone(merchant)))
    }

    /// Answers `receipt-custom`. Refusals are in the request's format; `raw` is JSON in any case,
    /// because its labels cannot be names of elements.
    pub(super) async fn own_receipt(
        &self,
        arrival: &Arrival,
        format: Format,
        note: &mut Note,
    ) -> Answer {
        let issued = match request(arrival, format) {
            Ok(object) => self.issued(Fields(&object), arrival.peer, note).await,
            Err(malformed) => Err(malformed.into()),
        };
        match issued {
            Ok(answer) => {
                note.meaning = Some(Meaning::Granted);
                answer
            }
            Err(denial) => said(denial.into(), format, note),
        }
    }

    async fn issued(
        &self,
        fields: Fields<'_>,
        peer: IpAddr,
        note: &mut Note,
    ) -> Result<Answer, Denial> {
        if Command::named(fields.text("commands")?) != Some(Command::Receipt) {
            return Err(Refusal::CommandUnknown.into());
        }
        note.command = Command::Receipt.name();
        let by_word = |fields| signed(Command::Receipt, fields);
        let merchant = self.merchant(fields, peer, note, by_word)?;
        Span::current().record("merchant", merchant.id.0);
        let tr_id = fields.numeral("tr_id")?;
        let letterhead = Letterhead::Own {
            company_name: limited(fields, "custom.header.company_name", COMPANY_NAME_MAX)?,
            company_address: limited(fields, "custom.header.company_address", COMPANY_ADDRESS_MAX)?,
        };
        let form = form(fields)?;
        let number = self.numbers.order(tr_id).ok_or(Refusal::OrderNotFound)?;
        note.order = Some(number);
        let order = self.gateway.order(&merchant, number).await?;
        Ok(pages::answer(&self.receipt(&order, letterhead)?, form, tr_id))
    }

    /// The receipt of a paid bill. Nobody was told the number of what is in none of these states.
    fn receipt(&self, order: &Order, letterhead: Letterhead<'_>) -> Result<Receipt, Denial> {
        if !self.is_bill(order) {
            return Err(Refusal::OrderNotFound.into());
        }
        match order.state {
            OrderState::Succeeded => {
                let catalogue = self.gateway.catalogue();
                let product = catalogue.product(&order.product).map(AsRef::as_ref);
                Receipt::of(order, product, letterhead).ok_or(Refusal::OrderNotFound.into())
            }
            OrderState::Quoted | OrderState::Processing | OrderState::Failed(_) => {
                Err(Refusal::BillUnpaid.into())
            }
            OrderState::Declined(_) | OrderState::Awaiting | OrderState::Expired => {
                Err(Refusal::OrderNotFound.into())
            }
        }
    }
}

/// A text of at most so many characters that shows something.
fn limited<'a>(
    fields: Fields<'a>,
    field: &'static str,
    length_max: usize,
) -> Result<&'a str, FieldFault> {
    let text = fields.text(field)?;
    if text.chars().count() > length_max || text.trim().is_empty() {
        return Err(FieldFault { field, flaw: Flaw::Value });
    }
    Ok(text)
}

/// A PDF unless JSON is asked for.
fn form(fields: Fields<'_>) -> Result<Form, FieldFault> {
    let field = "raw";
    if fields.optional_numeral(field)?.is_none() {
        return Ok(Form::Pdf);
    }
    match fields.integer(field)? {
        "0" => Ok(Form::Pdf),
        "1" => Ok(Form::Raw),
        _ => Err(FieldFault { field, flaw: Flaw::Value }),
    }
}
