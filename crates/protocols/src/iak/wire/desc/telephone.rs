//! Television and telephone (IAK reference, sections 6.11 to 6.14).

use domain::bill::names;

use super::particulars::Particulars;
use super::period::{long_name, short_name};
use super::{Node, Transaction};

type Entries = Vec<(&'static str, Node)>;

pub(super) fn telkomvision(transaction: &Transaction<'_>, given: Particulars<'_>) -> Entries {
    let bill = |bill: Particulars<'_>| {
        let period = bill.string(names::PERIOD).unwrap_or_default();
        Node::Record(vec![
            ("periode", Node::Text(short_name(&period))),
            ("nilai_tagihan", bill.money_text(names::AMOUNT)),
            ("no_ref", bill.text(names::BILL_NUMBER)),
        ])
    };
    subscription(transaction, given.bills().map(bill).collect())
}

pub(super) fn television(transaction: &Transaction<'_>) -> Entries {
    subscription(transaction, Vec::new())
}

/// Category and tax are there and unused.
fn subscription(transaction: &Transaction<'_>, bills: Vec<Node>) -> Entries {
    vec![
        ("bill_quantity", Node::Text(transaction.bill.count.to_string())),
        ("product_category", Node::text("")),
        ("ppn", Node::Number(0)),
        ("tagihan", Node::Record(vec![("detail", Node::List(bills))])),
    ]
}

pub(super) fn mobile(transaction: &Transaction<'_>, given: Particulars<'_>) -> Entries {
    let fee = transaction.quote.admin_fee;
    let bill = |bill: Particulars<'_>| {
        let total = bill.owed().saturating_add(fee.minor()).to_string();
        let known = |text: String| {
            Node::Text(bill.string(names::AMOUNT).map_or_else(String::new, |_| text))
        };
        Node::Record(vec![
            ("periode", bill.text(names::PERIOD)),
            ("nilai_tagihan", bill.text(names::AMOUNT)),
            ("admin", known(fee.to_string())),
            ("total", known(total)),
        ])
    };
    let mut bills: Vec<_> = given.bills().map(bill).collect();
    if bills.is_empty() {
        // Without particulars of its bills the API shows one with nothing in it.
        let empty = ["periode", "nilai_tagihan", "admin", "total"];
        bills.push(Node::Record(empty.map(|name| (name, Node::text(""))).into()));
    }
    line(transaction, given, bills)
}

pub(super) fn telkom(transaction: &Transaction<'_>, given: Particulars<'_>) -> Entries {
    let fee = transaction.quote.admin_fee;
    let bill = |bill: Particulars<'_>| {
        let period = bill.string(names::PERIOD).unwrap_or_default();
        Node::Record(vec![
            ("periode", Node::Text(long_name(&period))),
            ("nilai_tagihan", bill.money_text(names::AMOUNT)),
            ("admin", Node::Text(fee.to_string())),
            ("total", Node::Number(bill.owed().saturating_add(fee.minor()))),
        ])
    };
    line(transaction, given, given.bills().map(bill).collect())
}

fn line(transaction: &Transaction<'_>, given: Particulars<'_>, bills: Vec<Node>) -> Entries {
    vec![
        ("kode_area", given.text(names::AREA_CODE)),
        ("divre", given.text(names::REGIONAL_DIVISION)),
        ("datel", given.text(names::LOCAL_OFFICE)),
        ("jumlah_tagihan", Node::Number(i64::from(transaction.bill.count))),
        ("tagihan", Node::Record(vec![("detail", Node::List(bills))])),
    ]
}
