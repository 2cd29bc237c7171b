//! Television and telephone (IAK reference, sections 6.11 to 6.14).

use domain::bill::names;

use super::particulars::Particulars;
use super::period::{long_name, short_name};
use super::{Entries, Node, Transaction};

pub(super) fn telkomvision<'a>(
    transaction: &Transaction<'a>,
    given: Particulars<'a>,
) -> Entries<'a> {
    let bill = |bill: Particulars<'a>| {
        let period = bill.string(names::PERIOD).unwrap_or_default();
        Node::Record(vec![
            ("periode", Node::text(short_name(&period))),
            ("nilai_tagihan", bill.money_text(names::AMOUNT)),
            ("no_ref", bill.text(names::BILL_NUMBER)),
        ])
    };
    subscription(transaction, given.bills().map(bill).collect())
}

pub(super) fn television<'a>(transaction: &Transaction<'a>) -> Entries<'a> {
    subscription(transaction, Vec::new())
}

/// Category and tax are there and unused.
fn subscription<'a>(transaction: &Transaction<'a>, bills: Vec<Node<'a>>) -> Entries<'a> {
    vec![
        ("bill_quantity", Node::text(transaction.bill.count.to_string())),
        ("product_category", Node::text("")),
        ("ppn", Node::Number(0)),
        ("tagihan", Node::Record(vec![("detail", Node::List(bills))])),
    ]
}

pub(super) fn mobile<'a>(transaction: &Transaction<'a>, given: Particulars<'a>) -> Entries<'a> {
    let fee = transaction.quote.admin_fee;
    let bill = |bill: Particulars<'a>| {
        let total = bill.owed().saturating_add(fee.minor()).to_string();
        let known = |text: String| {
            Node::text(bill.string(names::AMOUNT).map_or_else(String::new, |_| text))
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

pub(super) fn telkom<'a>(transaction: &Transaction<'a>, given: Particulars<'a>) -> Entries<'a> {
    let fee = transaction.quote.admin_fee;
    let bill = |bill: Particulars<'a>| {
        let period = bill.string(names::PERIOD).unwrap_or_default();
        Node::Record(vec![
            ("periode", Node::text(long_name(&period))),
            ("nilai_tagihan", bill.money_text(names::AMOUNT)),
            ("admin", Node::text(fee.to_string())),
            ("total", Node::Number(bill.owed().saturating_add(fee.minor()))),
        ])
    };
    line(transaction, given, given.bills().map(bill).collect())
}

fn line<'a>(
    transaction: &Transaction<'a>,
    given: Particulars<'a>,
    bills: Vec<Node<'a>>,
) -> Entries<'a> {
    vec![
        ("kode_area", given.text(names::AREA_CODE)),
        ("divre", given.text(names::REGIONAL_DIVISION)),
        ("datel", given.text(names::LOCAL_OFFICE)),
        ("jumlah_tagihan", Node::Number(i64::from(transaction.bill.count))),
        ("tagihan", Node::Record(vec![("detail", Node::List(bills))])),
    ]
}
