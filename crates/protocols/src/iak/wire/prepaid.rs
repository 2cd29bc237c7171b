//! What the prepaid API answers and calls back (IAK reference, sections 2.2, 2.5 and 7 to 9).
//!
//! Its two versions say the same under other names: what the newer calls `customer_id` and
//! `product_…` the older calls `hp` and `pulsa_…` or `code`. Answers have numbers, callbacks have
//! texts only. Amounts are rupiah, whose smallest unit is the whole one.

use domain::bill::names;
use domain::{Amount, Detail, Order, Product, ProductStatus, Quote, TopUp};
use gateway::look_up::{GameServer, MeterHolder};
use http::StatusCode;

use super::Format;
use super::answer::Message;
use super::content::Malformed;
use super::fields::FieldFault;
use super::node::Node;
use super::period;
use crate::iak::codes::Code;
use crate::iak::codes::prepaid::{self as codes, PROCESS, SUCCESS};
use crate::iak::lists::brands;

/// Named values of an answer.
pub(crate) type Entries = super::node::Entries<'static>;

/// Which of the two versions of the API is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// One path, and `commands` in the body (section 8).
    Legacy,
    /// One path per service (section 7).
    Current,
}

impl Version {
    /// What a customer's number is called.
    pub(crate) const fn customer(self) -> &'static str {
        match self {
            Self::Legacy => "hp",
            Self::Current => "customer_id",
        }
    }

    /// What a product's code is called in answers about an order.
    pub(crate) const fn product(self) -> &'static str {
        match self {
            Self::Legacy => "code",
            Self::Current => "product_code",
        }
    }
}

/// How a top-up was asked for, and therefore how its merchant is called back (section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// Which names.
    pub(crate) version: Version,
    /// Which format.
    pub(crate) format: Format,
}

impl Dialect {
    const ALL: [(Self, &'static str); 4] = [
        (Self { version: Version::Current, format: Format::Json }, "v2"),
        (Self { version: Version::Current, format: Format::Xml }, "v2.xml"),
        (Self { version: Version::Legacy, format: Format::Json }, "v1"),
        (Self { version: Version::Legacy, format: Format::Xml }, "v1.xml"),
    ];

    /// Its name, as orders keep it.
    pub(crate) fn name(self) -> &'static str {
        let named = Self::ALL.iter().find(|(dialect, _)| *dialect == self);
        named.map_or("v2", |(_, name)| name)
    }

    /// The dialect of this name; the usual one for a name that nobody gave.
    pub(crate) fn named(name: &str) -> Self {
        let usual = Self { version: Version::Current, format: Format::Json };
        let named = Self::ALL.iter().find(|(_, known)| *known == name);
        named.map_or(usual, |(dialect, _)| *dialect)
    }
}

/// How a service says whether it succeeded, besides its code (section 11).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StatusForm {
    /// Not at all.
    None,
    /// As a number.
    Number,
    /// As a text.
    Text,
}

impl StatusForm {
    fn of(self, status: i64) -> Option<(&'static str, Node<'static>)> {
        match self {
            Self::None => None,
            Self::Number => Some(("status", Node::Number(status))),
            Self::Text => Some(("status", Node::text(status.to_string()))),
        }
    }
}

fn said(code: Code) -> [(&'static str, Node<'static>); 2] {
    [("message", Node::text(code.message)), ("rc", Node::text(code.code))]
}

/// A code and nothing else, except that what failed has its status (section 2.2).
pub(crate) fn refusal(status: StatusCode, code: Code, form: StatusForm) -> Message<'static> {
    Message::prepaid(status, Some(code), Node::Record(refusal_entries(code, form)))
}

fn refusal_entries(code: Code, form: StatusForm) -> Entries {
    let mut data = vec![("rc", Node::text(code.code)), ("message", Node::text(code.message))];
    data.extend(form.of(2));
    data
}

/// A fault of ours: nothing is said about what became of the request.
pub(crate) fn fault(status: StatusCode) -> Message<'static> {
    refusal(status, codes::FAULT, StatusForm::None)
}

/// A field is missing or cannot be used (section 2.4).
pub(crate) fn field_fault(fault: FieldFault) -> Message<'static> {
    faulty(fault.field, fault.sentence())
}

/// The body says nothing.
pub(crate) fn malformed(Malformed(why): Malformed) -> Message<'static> {
    faulty("body", why.to_owned())
}

fn faulty(field: &'static str, sentence: String) -> Message<'static> {
    let code = codes::of_refusal(domain::Refusal::RequestMalformed);
    let details = Node::Record(vec![(field, Node::List(vec![Node::text(sentence)]))]);
    let mut data = refusal_entries(code, StatusForm::None);
    data.push(("error_details", details));
    Message::prepaid(StatusCode::BAD_REQUEST, Some(code), Node::Record(data))
}

/// A service succeeded: what it found, its status, and the code.
pub(crate) fn success(found: Entries, form: StatusForm) -> Message<'static> {
    let mut data = found;
    data.extend(form.of(1));
    data.extend(said(SUCCESS));
    Message::prepaid(StatusCode::OK, Some(SUCCESS), Node::Record(data))
}

/// The older answer to a question for the balance, which has no code (section 8).
pub(crate) fn legacy_balance(balance: Entries) -> Message<'static> {
    Message::prepaid(StatusCode::OK, None, Node::Record(balance))
}

/// Whose a meter is (section 7.4): the status comes first here.
pub(crate) fn meter(version: Version, asked: &str, holder: &MeterHolder) -> Message<'static> {
    of_customer(
        version,
        asked,
        1,
        vec![
            ("meter_no", Node::own_text(&holder.meter_number)),
            ("subscriber_id", Node::own_text(&holder.subscriber_number)),
            ("name", Node::own_text(&holder.name)),
            ("segment_power", Node::own_text(&holder.segment_and_power)),
        ],
        SUCCESS,
    )
}

/// Whose a wallet is (section 7.5).
pub(crate) fn wallet(version: Version, asked: &str, name: &str) -> Message<'static> {
    of_customer(version, asked, 1, vec![("name", Node::own_text(name))], SUCCESS)
}

/// Nothing is known of a customer's number.
pub(crate) fn unknown_customer(version: Version, asked: &str, code: Code) -> Message<'static> {
    of_customer(version, asked, 2, Vec::new(), code)
}

fn of_customer(
    version: Version,
    asked: &str,
    status: i64,
    found: Entries,
    code: Code,
) -> Message<'static> {
    let mut data: Entries = StatusForm::Text.of(status).into_iter().collect();
    data.push((version.customer(), Node::own_text(asked)));
    data.extend(found);
    data.extend(said(code));
    Message::prepaid(StatusCode::OK, Some(code), Node::Record(data))
}

/// The servers of a game (section 7.7).
pub(crate) fn servers(servers: &[GameServer]) -> Entries {
    let server = |server: &GameServer| {
        Node::Record(vec![
            ("name", Node::own_text(&server.name)),
            ("value", Node::own_text(&server.value)),
        ])
    };
    vec![("servers", Node::List(servers.iter().map(server).collect()))]
}

/// One product of a price list (sections 7.2 and 8). The currency is told to those who ask for one.
pub(crate) fn price_list_entry(
    version: Version,
    code: &str,
    (product, top_up): (&Product, &TopUp),
    price: Amount,
    with_currency: bool,
) -> Node<'static> {
    let names = match version {
        Version::Current => [
            "product_code",
            "product_description",
            "product_nominal",
            "product_details",
            "product_price",
            "product_type",
            "active_period",
            "product_category",
        ],
        Version::Legacy => [
            "pulsa_code",
            "pulsa_op",
            "pulsa_nominal",
            "pulsa_details",
            "pulsa_price",
            "pulsa_type",
            "masaaktif",
            "pulsa_category",
        ],
    };
    let [code_name, brand, nominal, details, price_name, kind, active, category] = names;
    let status = match product.status {
        ProductStatus::Active => "active",
        ProductStatus::Inactive => "non active",
    };
    let known = if top_up.details.is_empty() { "-" } else { &top_up.details };
    let mut entry = vec![
        (code_name, Node::own_text(code)),
        (brand, Node::own_text(brands::description(&product.group, &top_up.operator))),
        (nominal, Node::own_text(&top_up.denomination)),
        (details, Node::own_text(known)),
        (price_name, Node::amount(price)),
        (kind, Node::own_text(&product.group)),
        (active, Node::text(top_up.active_days.to_string())),
        ("status", Node::text(status)),
        ("icon_url", Node::text("-")),
        (category, Node::own_text(brands::category(&product.group))),
    ];
    if with_currency {
        entry.push(("currency", Node::text(price.currency().code())));
    }
    Node::Record(entry)
}

/// The newer price list (section 7.2).
pub(crate) fn price_list(entries: Vec<Node<'static>>) -> Message<'static> {
    let data = vec![
        ("pricelist", Node::List(entries)),
        ("rc", Node::text(SUCCESS.code)),
        ("message", Node::text(SUCCESS.message)),
    ];
    Message::prepaid(StatusCode::OK, Some(SUCCESS), Node::Record(data))
}

/// What is said of a top-up that was refused at once (section 7.9).
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefusedTopUp<'a> {
    /// The merchant's reference.
    pub(crate) ref_id: &'a str,
    /// The code as it was sent.
    pub(crate) code: &'a str,
    /// The number as it was sent.
    pub(crate) destination: &'a str,
    /// The product's price; none if there is none for this merchant.
    pub(crate) price: Option<Amount>,
    /// What may still be spent.
    pub(crate) balance: Amount,
}

impl RefusedTopUp<'_> {
    /// The answer.
    pub(crate) fn refused(&self, version: Version, code: Code) -> Message<'static> {
        Message::prepaid(
            StatusCode::OK,
            Some(code),
            Node::Record(vec![
                ("ref_id", Node::own_text(self.ref_id)),
                ("status", Node::Number(2)),
                (version.product(), Node::own_text(self.code)),
                (version.customer(), Node::own_text(self.destination)),
                ("price", Node::Number(self.price.map_or(0, Amount::minor))),
                ("message", Node::text(code.message)),
                ("balance", Node::amount(self.balance)),
                ("tr_id", Node::Number(0)),
                ("rc", Node::text(code.code)),
            ]),
        )
    }
}

/// A top-up with its price and number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BoughtTopUp<'a> {
    /// The number under which the merchant knows it.
    pub(crate) tr_id: i64,
    /// The order.
    pub(crate) order: &'a Order,
    /// What it costs.
    pub(crate) quote: &'a Quote,
}

impl BoughtTopUp<'_> {
    /// The first answer, always pending (section 7.9).
    pub(crate) fn accepted(&self, version: Version, balance: Amount) -> Message<'static> {
        self.told(version, 0, PROCESS, balance)
    }

    /// Where it stands (section 7.10).
    pub(crate) fn told(
        &self,
        version: Version,
        status: i64,
        code: Code,
        balance: Amount,
    ) -> Message<'static> {
        let mut data = vec![self.reference(), ("status", Node::Number(status))];
        data.extend(self.asked(version));
        data.push(("price", Node::amount(self.quote.charge)));
        data.push(("message", Node::text(code.message)));
        data.extend(self.delivered(status));
        data.push(("balance", Node::amount(balance)));
        data.push(("tr_id", Node::Number(self.tr_id)));
        data.push(("rc", Node::text(code.code)));
        Message::prepaid(StatusCode::OK, Some(code), Node::Record(data))
    }

    /// The news of its end, all texts, in the order in which it was recorded (section 9).
    pub(crate) fn called_back(
        &self,
        version: Version,
        (status, code): (i64, Code),
        balance: Amount,
        sign: String,
    ) -> Message<'static> {
        let text = |amount: Amount| Node::text(amount.minor().to_string());
        let mut data = vec![
            self.reference(),
            ("status", Node::text(status.to_string())),
            ("price", text(self.quote.charge)),
            ("message", Node::text(code.message)),
            ("balance", text(balance)),
            ("tr_id", Node::text(self.tr_id.to_string())),
            ("rc", Node::text(code.code)),
        ];
        data.extend(self.delivered(status));
        data.push(("sign", Node::text(sign)));
        data.extend(self.asked(version));
        Message::prepaid(StatusCode::OK, Some(code), Node::Record(data))
    }

    /// The raw receipt (section 7.11). There is none before it succeeded; then it says how it stands.
    pub(crate) fn receipt(&self, name: &str, status: i64, code: Code) -> Message<'static> {
        let mut data = Vec::new();
        if let (1, Some(delivery)) = (status, &self.order.delivery) {
            data.extend([
                ("tr_id", Node::Number(self.tr_id)),
                ("date", Node::text(period::date_and_time(self.order.updated_at))),
                ("name", Node::own_text(name)),
                ("customer_id", Node::own_text(&self.order.destination)),
                ("product_code", Node::own_text(&self.order.code)),
                ("admin_fee", Node::amount(self.quote.admin)),
                ("price", Node::amount(self.quote.charge)),
                ("sn", Node::own_text(&delivery.serial_number)),
                self.reference(),
            ]);
        }
        data.push(("rc", Node::text(code.code)));
        data.push(("message", Node::text(code.message)));
        data.push(("status", Node::Number(status)));
        Message::prepaid(StatusCode::OK, Some(code), Node::Record(data))
    }

    fn reference(&self) -> (&'static str, Node<'static>) {
        ("ref_id", Node::own_text(self.order.key.reference.as_str()))
    }

    fn asked(&self, version: Version) -> [(&'static str, Node<'static>); 2] {
        [
            (version.product(), Node::own_text(&self.order.code)),
            (version.customer(), Node::own_text(&self.order.destination)),
        ]
    }

    /// What was handed over, once it succeeded (section 13.5).
    fn delivered(&self, status: i64) -> Entries {
        let (1, Some(delivery)) = (status, &self.order.delivery) else { return Vec::new() };
        let mut entries = vec![("sn", Node::own_text(&delivery.serial_number))];
        entries.extend(pin(self.order).map(|pin| ("pin", Node::own_text(pin))));
        let code = activation_code(self.order);
        entries.extend(code.map(|code| ("activation_code", Node::own_text(code))));
        entries
    }
}

/// The secret that came with a voucher, where there is one.
pub(crate) fn pin(order: &Order) -> Option<&str> {
    delivered_text(order, names::PIN)
}

/// What activates an eSIM, where the order delivered one.
pub(crate) fn activation_code(order: &Order) -> Option<&str> {
    delivered_text(order, names::ACTIVATION_CODE)
}

fn delivered_text<'a>(order: &'a Order, name: &str) -> Option<&'a str> {
    match order.delivery.as_ref()?.details.as_ref()?.get(name)? {
        Detail::Text(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
        Detail::Number(_) | Detail::Money(_) | Detail::List(_) | Detail::Record(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_leads_back() {
        for (dialect, name) in Dialect::ALL {
            assert_eq!(dialect.name(), name);
            assert_eq!(Dialect::named(name), dialect);
        }
        assert_eq!(Dialect::named(""), Dialect::named("v2"));
    }
}
