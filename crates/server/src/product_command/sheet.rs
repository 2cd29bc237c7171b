//! A product as one row of a sheet: texts under the names of columns.
//!
//! `sheet(product)` and `product(sheet)` are inverse for every product whose amounts are in rupiah, so
//! that two products differ exactly in the columns in which their sheets do. An empty cell is one
//! that is not there.

use std::collections::BTreeMap;
use std::fmt;

use domain::{Amount, Currency};
use serde_json::{Value, json};

use crate::administration::forms::{
    DecimalAmount, DisplayName, Label, ProductCode, Protocol, Sentence, minute_of_day,
};

/// For whom an amount holds. Without a protocol it holds for all that have none of their own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Buyers {
    /// The price level.
    pub(super) level: String,
    /// The protocol.
    pub(super) protocol: Option<String>,
}

/// What a column says of products, in the order in which differences are told.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    /// The name on price lists and receipts.
    Name,
    /// The group in which price lists show it.
    Group,
    /// The province that it serves.
    Province,
    /// Whether it is on sale.
    Status,
    /// Daily closing hours.
    Closed,
    /// Codes in a protocol, with blanks between them.
    Code(String),
    /// The operator or brand of a top-up.
    Operator,
    /// What one gets by a top-up.
    Denomination,
    /// What else is to be known of a top-up.
    Details,
    /// For how many days a top-up can be used.
    ActiveDays,
    /// What the supplier takes for a top-up.
    Cost,
    /// What a merchant pays for a top-up.
    Price(Buyers),
    /// What the end customer pays on top of a bill.
    AdminFee(Buyers),
    /// What the merchant keeps of a bill.
    Commission(Buyers),
}

/// What a product says, by column.
pub(super) type Sheet = BTreeMap<Column, String>;

const PLAIN: [(&str, Column); 10] = [
    ("name", Column::Name),
    ("group", Column::Group),
    ("province", Column::Province),
    ("status", Column::Status),
    ("closed", Column::Closed),
    ("operator", Column::Operator),
    ("denomination", Column::Denomination),
    ("details", Column::Details),
    ("active_days", Column::ActiveDays),
    ("cost", Column::Cost),
];

impl Column {
    /// The column of this name: one of the plain ones, `code:PROTOCOL`, or `price`, `admin_fee` or
    /// `commission` with `:LEVEL` or `:LEVEL:PROTOCOL`.
    pub(super) fn named(name: &str) -> Option<Self> {
        if let Some((_, column)) = PLAIN.into_iter().find(|(plain, _)| *plain == name) {
            return Some(column);
        }
        let (kind, rest) = name.split_once(':')?;
        if kind == "code" {
            return is_protocol(rest).then(|| Self::Code(rest.to_owned()));
        }
        let (level, protocol) = match rest.split_once(':') {
            Some((level, protocol)) => (level, Some(protocol)),
            None => (rest, None),
        };
        let is_level = Label::try_from(level.to_owned()).is_ok();
        if !is_level || !protocol.is_none_or(is_protocol) {
            return None;
        }
        let buyers = Buyers { level: level.to_owned(), protocol: protocol.map(str::to_owned) };
        match kind {
            "price" => Some(Self::Price(buyers)),
            "admin_fee" => Some(Self::AdminFee(buyers)),
            "commission" => Some(Self::Commission(buyers)),
            _ => None,
        }
    }

    /// Whether only top-ups have it.
    pub(super) const fn is_of_top_ups(&self) -> bool {
        matches!(
            self,
            Self::Operator
                | Self::Denomination
                | Self::Details
                | Self::ActiveDays
                | Self::Cost
                | Self::Price(_)
        )
    }

    /// Whether only bills have it.
    pub(super) const fn is_of_bills(&self) -> bool {
        matches!(self, Self::AdminFee(_) | Self::Commission(_))
    }

    /// A cell of this column in the one way in which it is written; empty for one that says nothing.
    /// Fails with what the column takes.
    pub(super) fn read(&self, text: &str) -> Result<String, String> {
        let is_needed = matches!(self, Self::Name | Self::Group | Self::Status);
        if text.is_empty() && !is_needed {
            return Ok(String::new());
        }
        match self {
            Self::Name | Self::Province | Self::Operator | Self::Denomination => {
                formed::<DisplayName>(text)
            }
            Self::Group => formed::<Label>(text),
            Self::Details => formed::<Sentence>(text),
            Self::Status => match text {
                "active" | "inactive" => Ok(text.to_owned()),
                _ => Err("tulis active atau inactive · it is active or inactive".to_owned()),
            },
            Self::Closed => hours(text),
            Self::Code(_) => codes(text),
            Self::ActiveDays => match text.parse::<u16>() {
                Ok(0) => Ok(String::new()),
                Ok(days) => Ok(days.to_string()),
                Err(_) => Err("jumlah hari, 0–65535 · a number of days, 0–65535".to_owned()),
            },
            Self::Cost | Self::Price(_) | Self::AdminFee(_) | Self::Commission(_) => rupiah(text),
        }
    }
}

impl fmt::Display for Column {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, buyers) = match self {
            Self::Code(protocol) => return write!(to, "code:{protocol}"),
            Self::Price(buyers) => ("price", buyers),
            Self::AdminFee(buyers) => ("admin_fee", buyers),
            Self::Commission(buyers) => ("commission", buyers),
            plain => {
                let named = PLAIN.iter().find(|(_, column)| column == plain);
                return to.write_str(named.map_or("", |(name, _)| name));
            }
        };
        write!(to, "{kind}:{}", buyers.level)?;
        buyers.protocol.iter().try_for_each(|protocol| write!(to, ":{protocol}"))
    }
}

fn is_protocol(text: &str) -> bool {
    serde_json::from_value::<Protocol>(text.into()).is_ok()
}

fn formed<Form>(text: &str) -> Result<String, String>
where
    Form: TryFrom<String, Error = &'static str>,
{
    match Form::try_from(text.to_owned()) {
        Ok(_) => Ok(text.to_owned()),
        Err(what) => Err(format!("bentuknya salah · the form is wrong: {what}")),
    }
}

fn hours(text: &str) -> Result<String, String> {
    let span = text.split_once('-').filter(|(from, until)| {
        let minutes = minute_of_day(from).zip(minute_of_day(until));
        minutes.is_some_and(|(from, until)| from != until)
    });
    match span {
        Some(_) => Ok(text.to_owned()),
        None => Err("tulis seperti 23:00-01:00 · write it as 23:00-01:00".to_owned()),
    }
}

fn codes(text: &str) -> Result<String, String> {
    let mut codes: Vec<&str> = Vec::new();
    for code in text.split_whitespace() {
        formed::<ProductCode>(code)?;
        if codes.contains(&code) {
            return Err(format!("{code} dua kali · {code} stands twice"));
        }
        codes.push(code);
    }
    Ok(codes.join(" "))
}

fn rupiah(text: &str) -> Result<String, String> {
    formed::<DecimalAmount>(text)?;
    let amount = Amount::from_decimal(text, Currency::Idr);
    amount
        .map(|amount| amount.to_string())
        .map_err(|error| format!("bukan jumlah dalam rupiah · not an amount in rupiah: {error}"))
}

/// What a product says, of one as the API shows it. Fails for one with amounts in another currency
/// than rupiah, and for a channel, which have no columns here.
pub(super) fn sheet(content: &Value) -> Result<Sheet, &'static str> {
    if !content["channel"].is_null() {
        return Err("kanal; pakai channel atau load · a channel; use channel or load");
    }
    let rupiah = |part: &Value| part["currency"] == "IDR";
    let top_up = &content["top_up"];
    if !list(content, "terms").iter().all(rupiah) || !(top_up.is_null() || rupiah(top_up)) {
        return Err("jumlahnya bukan rupiah; pakai load · its amounts are not in rupiah; use load");
    }
    let mut sheet = Sheet::new();
    let mut add = |column: Column, value: &Value| match value {
        Value::Null => {}
        Value::String(text) => {
            sheet.insert(column, text.clone());
        }
        other => {
            sheet.insert(column, other.to_string());
        }
    };
    add(Column::Name, &content["name"]);
    add(Column::Group, &content["group"]);
    add(Column::Province, &content["province"]);
    add(Column::Status, &content["status"]);
    if let Value::Object(closed) = &content["cut_off"] {
        let minute = |name| closed.get(name).and_then(Value::as_str).unwrap_or_default();
        add(Column::Closed, &json!(format!("{}-{}", minute("from"), minute("until"))));
    }
    add(Column::Operator, &top_up["operator"]);
    add(Column::Denomination, &top_up["denomination"]);
    add(Column::Details, &top_up["details"]);
    if top_up["active_days"] != 0 {
        add(Column::ActiveDays, &top_up["active_days"]);
    }
    add(Column::Cost, &top_up["cost"]);
    for price in list(top_up, "prices") {
        add(Column::Price(buyers(price)), &price["amount"]);
    }
    for terms in list(content, "terms") {
        add(Column::AdminFee(buyers(terms)), &terms["admin_fee"]);
        add(Column::Commission(buyers(terms)), &terms["commission"]);
    }
    for alias in list(content, "aliases") {
        let text = |name: &str| alias[name].as_str().unwrap_or_default();
        let codes = sheet.entry(Column::Code(text("protocol").to_owned())).or_default();
        if !codes.is_empty() {
            codes.push(' ');
        }
        codes.push_str(text("code"));
    }
    Ok(sheet)
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn buyers(value: &Value) -> Buyers {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    Buyers { level: text("level").unwrap_or_default(), protocol: text("protocol") }
}

/// The codes of a product: protocol and code.
pub(super) fn aliases(sheet: &Sheet) -> impl Iterator<Item = (&str, &str)> {
    sheet.iter().flat_map(|(column, text)| {
        let protocol = match column {
            Column::Code(protocol) => protocol.as_str(),
            _ => "",
        };
        let codes = if protocol.is_empty() { "" } else { text.as_str() };
        codes.split_whitespace().map(move |code| (protocol, code))
    })
}

/// The product that says this, as the API takes it.
pub(super) fn product(sheet: &Sheet) -> Value {
    let of = |column: Column| sheet.get(&column);
    let aliases: Vec<_> = aliases(sheet)
        .map(|(protocol, code)| json!({ "protocol": protocol, "code": code }))
        .collect();
    let cut_off = of(Column::Closed).and_then(|hours| hours.split_once('-'));
    let mut prices = Vec::new();
    let mut terms = Vec::new();
    for (column, amount) in sheet {
        match column {
            Column::Price(Buyers { level, protocol }) => {
                prices.push(json!({ "level": level, "protocol": protocol, "amount": amount }));
            }
            Column::AdminFee(buyers) => {
                let commission = of(Column::Commission(buyers.clone()));
                let Buyers { level, protocol } = buyers;
                terms.push(json!({
                    "level": level, "protocol": protocol, "currency": "IDR",
                    "admin_fee": amount, "commission": commission,
                }));
            }
            _ => {}
        }
    }
    let days: u16 = of(Column::ActiveDays).and_then(|days| days.parse().ok()).unwrap_or_default();
    let top_up = sheet.keys().any(Column::is_of_top_ups).then(|| {
        json!({
            "operator": of(Column::Operator), "denomination": of(Column::Denomination),
            "details": of(Column::Details), "active_days": days, "currency": "IDR",
            "cost": of(Column::Cost), "prices": prices,
        })
    });
    json!({
        "name": of(Column::Name), "group": of(Column::Group), "province": of(Column::Province),
        "status": of(Column::Status), "aliases": aliases, "terms": terms,
        "cut_off": cut_off.map(|(from, until)| json!({ "from": from, "until": until })),
        "top_up": top_up,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_by_the_names_they_are_told_by() {
        for name in [
            "name",
            "group",
            "province",
            "status",
            "closed",
            "operator",
            "denomination",
            "details",
            "active_days",
            "cost",
            "code:iak",
            "code:isikuota",
            "price:retail",
            "price:retail:isikuota",
            "admin_fee:grosir besar:iak",
            "commission:retail",
        ] {
            assert_eq!(Column::named(name).map(|it| it.to_string()).as_deref(), Some(name));
        }
        for name in [
            "",
            "Name",
            "code",
            "code:nobody",
            "price",
            "price:",
            "price:retail:nobody",
            "cost:retail",
            "price:retail:iak:x",
            "price::iak",
        ] {
            assert_eq!(Column::named(name), None, "{name}");
        }
    }

    #[test]
    fn cells_are_read_in_one_way() {
        let table = [
            ("name", "XL 25.000", Ok("XL 25.000")),
            ("name", "", Err("form is wrong")),
            ("status", "", Err("active or inactive")),
            ("province", "", Ok("")),
            ("closed", "23:00-01:00", Ok("23:00-01:00")),
            ("closed", "23:00", Err("23:00-01:00")),
            ("closed", "23:00-23:00", Err("23:00-01:00")),
            ("active_days", "0", Ok("")),
            ("active_days", "030", Ok("30")),
            ("active_days", "-1", Err("number of days")),
            ("cost", "24900.00", Ok("24900")),
            ("cost", "24.900", Err("form is wrong")),
            ("cost", "24900.5", Err("not an amount in rupiah")),
            ("price:retail", "", Ok("")),
            ("code:iak", " A  B ", Ok("A B")),
            ("code:iak", "A A", Err("twice")),
            ("code:iak", "é", Err("form is wrong")),
        ];
        for (name, text, expected) in table {
            let read = Column::named(name).expect("a column").read(text);
            match (read, expected) {
                (Ok(read), Ok(expected)) => assert_eq!(read, expected, "{name} {text}"),
                (Err(what), Err(part)) => assert!(what.contains(part), "{name} {text}: {what}"),
                (read, _) => panic!("{name} {text}: {read:?}"),
            }
        }
    }

    #[test]
    fn a_product_is_its_sheet() {
        let bill = json!({
            "name": "PLN", "group": "pln", "province": "Jawa Barat", "status": "inactive",
            "aliases": [{ "protocol": "iak", "code": "A" }, { "protocol": "iak", "code": "B" }],
            "terms": [{ "level": "retail", "protocol": null, "currency": "IDR",
                "admin_fee": "2500", "commission": "600" }],
            "cut_off": { "from": "23:00", "until": "01:00" }, "top_up": null,
        });
        let top_up = json!({
            "name": "XL 25.000", "group": "pulsa", "province": null, "status": "active",
            "aliases": [], "terms": [], "cut_off": null,
            "top_up": { "operator": "xl", "denomination": "25000", "details": "30 hari",
                "active_days": 30, "currency": "IDR", "cost": "24900",
                "prices": [{ "level": "retail", "protocol": "isikuota", "amount": "25150" }] },
        });
        for content in [bill, top_up] {
            assert_eq!(product(&sheet(&content).expect("in rupiah")), content);
        }
        for foreign in [
            json!({ "terms": [{ "currency": "THB" }] }),
            json!({ "terms": [], "top_up": { "currency": "THB" } }),
            json!({ "terms": [], "channel": { "flow": "in" } }),
        ] {
            assert!(sheet(&foreign).is_err(), "{foreign}");
        }
    }
}
