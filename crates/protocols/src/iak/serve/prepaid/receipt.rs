//! Receipts of top-ups: `GET /api/download/:tr_id`, raw with `/1` behind it (IAK reference, section
//! 7.11).
//!
//! A download proves no merchant; what holds for those of bills holds here. The document is a PDF,
//! also where a picture is asked for. Refusals have the form of the raw receipt.

use domain::{Merchant, Order, Refusal};
use gateway::exchanges::{Meaning, Note, Signature};
use http::header::{CACHE_CONTROL, HeaderValue};

use super::{Denial, Served, denied, said};
use crate::exchange::{Answer, Arrival};
use crate::iak::codes::prepaid as codes;
use crate::iak::pages::{self, Form};
use crate::iak::wire::Format;
use crate::iak::wire::answer::Message;
use crate::iak::wire::prepaid::StatusForm;

/// What a download is called in the log of exchanges.
const COMMAND: &str = "download";

impl Served {
    /// Answers a download. Its body is not looked at.
    pub(super) async fn prepaid_download(
        &self,
        arrival: &Arrival,
        tr_id: &str,
        form: Form,
        note: &mut Note,
    ) -> Answer {
        note.command = COMMAND;
        note.signature = Signature::Unsigned;
        let format = Format::of(&arrival.head.headers, &[]);
        let issued = match self.downloadable(tr_id, arrival.peer, note).await {
            Ok((order, merchant)) => self.issue(&order, &merchant, form, tr_id),
            Err(denial) => Err(denial),
        };
        let message = match issued {
            Ok(Issued::Paper(answer)) => {
                note.meaning = Some(Meaning::Granted);
                return answer;
            }
            Ok(Issued::Raw(message)) => message,
            Err(denial) => denied(denial, StatusForm::Number),
        };
        let mut answer = said(message, format, note);
        // A receipt tells who bought what, and what is refused now may succeed later.
        let unkept = HeaderValue::from_static("private, no-store");
        answer.headers_mut().insert(CACHE_CONTROL, unkept);
        answer
    }

    fn issue(
        &self,
        order: &Order,
        merchant: &Merchant,
        form: Form,
        tr_id: &str,
    ) -> Result<Issued, Denial> {
        let standing = codes::standing(order).filter(|_| self.is_top_up(order));
        let (status, code) = standing.ok_or(Refusal::OrderNotFound)?;
        let catalogue = self.gateway.catalogue();
        let product = catalogue.product(&order.product).map(AsRef::as_ref);
        let paper = match form {
            Form::Pdf => pages::top_up(order, product, &merchant.name, tr_id),
            Form::Raw => None,
        };
        Ok(match paper {
            Some(answer) => Issued::Paper(answer),
            None => {
                let name = product.map_or(order.code.as_str(), |product| &product.name);
                Issued::Raw(self.bought(order)?.receipt(name, status, code))
            }
        })
    }
}

/// A receipt, or why there is none.
enum Issued {
    Paper(Answer),
    Raw(Message<'static>),
}
