//! Answers: every field in its order and with its type (IAK reference, sections 2.2 to 2.5 and 5).
//!
//! An answer is an ordered tree until the very end, because both formats show the same fields in
//! the same order. Amounts are rupiah, whose smallest unit is the whole one.

use bytes::Bytes;
use domain::{Amount, Terms};
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Response, StatusCode};

use super::content::Malformed;
use super::desc::{self, Stage};
use super::fields::FieldFault;
use super::node::{Entries, Node};
use super::period::datetime;
use super::transaction::Transaction;
use super::{Format, json, xml};
use crate::exchange::Answer;
use crate::iak::codes::{self, Code};

/// What stands around the data of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Envelope {
    /// `data` and an empty `meta` in JSON, only the content of `data` in XML (section 2.2).
    Postpaid,
    /// The same, but XML keeps `data` (section 2.3).
    PriceList,
    /// `data` alone.
    Prepaid,
    /// The same, and XML names the entries of the list that `data` is (section 8).
    LegacyPriceList,
}

/// An answer before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    status: StatusCode,
    envelope: Envelope,
    /// What the data says; a price list says nothing.
    code: Option<Code>,
    data: Node<'a>,
}

impl<'a> Message<'a> {
    const fn postpaid(status: StatusCode, code: Code, data: Node<'a>) -> Self {
        Self { status, envelope: Envelope::Postpaid, code: Some(code), data }
    }

    /// The code that it carries.
    pub(crate) const fn said(&self) -> Option<Code> {
        self.code
    }

    /// A code and nothing else (section 2.2).
    pub(crate) fn code(status: StatusCode, code: Code) -> Self {
        Self::postpaid(status, code, Node::Record(said(code).into()))
    }

    /// An answer of the prepaid API, and the code that it carries, if it carries one.
    pub(crate) const fn prepaid(status: StatusCode, code: Option<Code>, data: Node<'a>) -> Self {
        Self { status, envelope: Envelope::Prepaid, code, data }
    }

    /// The price list of the older prepaid API: nothing but entries (section 8).
    pub(crate) const fn legacy_price_list(entries: Vec<Node<'a>>) -> Self {
        Self {
            status: StatusCode::OK,
            envelope: Envelope::LegacyPriceList,
            code: None,
            data: Node::List(entries),
        }
    }

    /// A field is missing or cannot be used (section 2.4).
    pub(crate) fn field_fault(fault: FieldFault) -> Self {
        Self::faulty(fault.field, fault.sentence())
    }

    /// The body says nothing.
    pub(crate) fn malformed(Malformed(why): Malformed) -> Self {
        Self::faulty("body", why.to_owned())
    }

    fn faulty(field: &'static str, sentence: String) -> Self {
        let details = Node::Record(vec![(field, Node::List(vec![Node::text(sentence)]))]);
        let code = codes::of_refusal(domain::Refusal::RequestMalformed);
        let mut data = Vec::from(said(code));
        data.push(("error_details", details));
        Self::postpaid(StatusCode::BAD_REQUEST, code, Node::Record(data))
    }

    /// A price list (section 5.1).
    pub(crate) fn price_list(entries: Vec<Node<'a>>) -> Self {
        let data = Node::Record(vec![("pasca", Node::List(entries))]);
        Self { status: StatusCode::OK, envelope: Envelope::PriceList, code: None, data }
    }

    /// Writes it in the format of the request.
    pub(crate) fn write(self, format: Format) -> Answer {
        let document = match (format, self.envelope) {
            (Format::Json, Envelope::Prepaid | Envelope::LegacyPriceList) => {
                json::write(&Node::Record(vec![("data", self.data)]))
            }
            (Format::Json, Envelope::Postpaid | Envelope::PriceList) => {
                json::write(&Node::Record(vec![
                    ("data", self.data),
                    ("meta", Node::List(Vec::new())),
                ]))
            }
            (Format::Xml, Envelope::LegacyPriceList) => {
                xml::write(&Node::Record(vec![("pulsa", self.data)])).into_bytes()
            }
            (Format::Xml, Envelope::PriceList) => {
                xml::write(&Node::Record(vec![("data", self.data)])).into_bytes()
            }
            (Format::Xml, Envelope::Postpaid | Envelope::Prepaid) => {
                xml::write(&self.data).into_bytes()
            }
        };
        let mut answer = Response::new(Bytes::from(document));
        *answer.status_mut() = self.status;
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static(Method::POST.as_str()));
        }
        answer
    }
}

fn said(code: Code) -> [(&'static str, Node<'static>); 2] {
    [("response_code", Node::text(code.code)), ("message", Node::text(code.message))]
}

/// One product of the price list (section 5.1). The province is shown for water only.
pub(crate) fn price_list_entry<'a>(
    code: &'a str,
    product: &'a domain::Product,
    terms: &Terms,
) -> Node<'a> {
    let status = match product.status {
        domain::ProductStatus::Active => 1,
        domain::ProductStatus::Inactive => 4,
    };
    let mut entry = vec![
        ("code", Node::text(code)),
        ("name", Node::text(&product.name)),
        ("status", Node::Number(status)),
        ("fee", Node::amount(terms.admin_fee)),
        ("komisi", Node::amount(terms.commission)),
        ("type", Node::text(&product.group)),
        ("category", Node::text("postpaid")),
    ];
    if let (desc::WATER, Some(province)) = (product.group.as_str(), &product.province) {
        entry.push(("province", Node::text(province)));
    }
    Node::Record(entry)
}

/// As many fields as an answer about an order has at most.
const FIELDS_MAX: usize = 17;

impl<'a> Transaction<'a> {
    /// The answer to an inquiry (section 5.2).
    pub(crate) fn inquired(&self) -> Message<'a> {
        let mut data = self.identity();
        data.extend(self.customer());
        data.push(self.reference());
        data.extend(said(codes::INQUIRY_SUCCESS));
        data.extend(self.prices());
        data.push(("desc", self.desc(Stage::Inquiry).unwrap_or(Node::List(Vec::new()))));
        Message::postpaid(StatusCode::OK, codes::INQUIRY_SUCCESS, Node::Record(data))
    }

    /// The answer to a payment, whatever came of it (section 5.3). Before success it carries the
    /// same fields with an empty `noref` and the particulars of the inquiry.
    pub(crate) fn paid(&self, code: Code, balance: Amount) -> Message<'a> {
        let mut data = self.identity();
        data.push(("datetime", Node::text(datetime(self.order.updated_at))));
        data.extend(self.customer());
        data.extend(said(code));
        data.extend(self.prices());
        data.push(("balance", Node::amount(balance)));
        data.extend([self.biller_reference(), self.reference()]);
        data.push(("desc", self.desc(self.stage()).unwrap_or(Node::List(Vec::new()))));
        Message::postpaid(StatusCode::OK, code, Node::Record(data))
    }

    /// The status of an order whose outcome is final (section 5.4).
    pub(crate) fn closed(&self, status: i64, code: Code, balance: Amount) -> Message<'a> {
        let mut data = self.identity();
        data.push(("datetime", Node::text(datetime(self.order.updated_at))));
        data.extend(self.customer());
        data.push(("status", Node::Number(status)));
        data.extend(said(code));
        data.extend(self.prices());
        data.push(("balance", Node::amount(balance)));
        data.extend([self.biller_reference(), self.reference()]);
        data.push(("desc", self.desc(self.stage()).unwrap_or(Node::text(""))));
        Message::postpaid(StatusCode::OK, code, Node::Record(data))
    }

    /// The status of an order that is not paid or still in process (section 5.4).
    pub(crate) fn open(&self, status: i64, code: Code, balance: Amount) -> Message<'a> {
        let mut data = self.identity();
        data.extend(self.customer());
        data.push(self.reference());
        data.push(("status", Node::Number(status)));
        data.extend(said(code));
        data.extend(self.prices());
        data.push(("balance", Node::amount(balance)));
        data.push(("desc", self.desc(Stage::Inquiry).unwrap_or(Node::text(""))));
        Message::postpaid(StatusCode::OK, code, Node::Record(data))
    }

    fn identity(&self) -> Entries<'a> {
        let mut data = Entries::with_capacity(FIELDS_MAX);
        data.push(("tr_id", Node::Number(self.tr_id)));
        data.push(("code", Node::text(&self.order.code)));
        data
    }

    fn customer(&self) -> [(&'static str, Node<'a>); 5] {
        [
            ("hp", Node::text(&self.order.destination)),
            ("tr_name", Node::text(&self.bill.customer_name)),
            ("period", Node::text(desc::period(self))),
            ("nominal", Node::amount(self.quote.nominal)),
            ("admin", Node::amount(self.quote.admin)),
        ]
    }

    fn prices(&self) -> [(&'static str, Node<'a>); 2] {
        [
            ("price", Node::amount(self.quote.price)),
            ("selling_price", Node::amount(self.quote.charge)),
        ]
    }

    fn reference(&self) -> (&'static str, Node<'a>) {
        ("ref_id", Node::text(self.order.key.reference.as_str()))
    }

    fn biller_reference(&self) -> (&'static str, Node<'a>) {
        let delivery = self.order.delivery.as_ref();
        ("noref", Node::text(delivery.map_or("", |delivery| delivery.serial_number.as_str())))
    }

    fn stage(&self) -> Stage {
        if self.order.delivery.is_some() { Stage::Payment } else { Stage::Inquiry }
    }

    fn desc(&self, stage: Stage) -> Option<Node<'a>> {
        desc::desc(self, stage)
    }
}
