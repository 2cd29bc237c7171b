//! Electricity, gas and water (IAK reference, sections 6.1, 6.2, 6.7 and 6.10).

use domain::bill::names;

use super::particulars::Particulars;
use super::unified::is_unified;
use super::{Entries, Node, Stage, Transaction};

/// The one water company that shows more than the others.
const SURABAYA: &str = "PDAMKOTA.SURABAYA";

pub(super) fn electricity<'a>(
    transaction: &Transaction<'a>,
    given: Particulars<'a>,
    stage: Stage,
) -> Entries<'a> {
    let fee = transaction.quote.admin_fee;
    let bill = |bill: Particulars<'a>| {
        let mut entry = Entries::new();
        if stage == Stage::Payment {
            entry.push(("meter_awal", bill.padded(names::METER_START, 8)));
            entry.push(("meter_akhir", bill.padded(names::METER_END, 8)));
        }
        entry.extend([
            ("periode", bill.text(names::PERIOD)),
            ("nilai_tagihan", bill.money_text(names::AMOUNT)),
            ("admin", Node::text(fee.to_string())),
            ("denda", bill.money_text(names::PENALTY)),
            ("total", Node::Number(bill.owed().saturating_add(fee.minor()))),
        ]);
        Node::Record(entry)
    };
    let bills = given.bills().map(bill).collect();
    let mut entries = vec![
        ("tarif", given.text(names::TARIFF)),
        ("daya", given.number(names::POWER)),
        ("lembar_tagihan", Node::text(transaction.bill.count.to_string())),
    ];
    if stage == Stage::Payment {
        entries.push(("lembar_tagihan_sisa", given.number(names::REMAINING_BILLS)));
    }
    entries.push(("tagihan", detail(bills)));
    entries
}

pub(super) fn electricity_work<'a>(
    transaction: &Transaction<'a>,
    given: Particulars<'a>,
) -> Entries<'a> {
    let number = &transaction.order.destination;
    vec![
        ("transaksi", given.text(names::ITEM_NAME)),
        ("no_registrasi", given.text_or(names::REGISTRATION_NUMBER, number)),
        ("tanggal_registrasi", given.text(names::REGISTRATION_DATE)),
    ]
}

pub(super) fn gas<'a>(given: Particulars<'a>) -> Entries<'a> {
    vec![
        ("address", given.text_or(names::ADDRESS, "-")),
        ("first_meter", given.padded(names::METER_START, 6)),
        ("last_meter", given.padded(names::METER_END, 6)),
        ("usage", given.number(names::USAGE)),
    ]
}

pub(super) fn water<'a>(transaction: &Transaction<'a>, given: Particulars<'a>) -> Entries<'a> {
    let code = transaction.order.code.as_str();
    let bills = if is_unified(code) {
        unified(given).into_iter().collect()
    } else {
        given.bills().map(|bill| Node::Record(separated(bill, code))).collect()
    };
    let mut entries = vec![
        ("bill_quantity", Node::Number(i64::from(transaction.bill.count))),
        ("address", given.text(names::ADDRESS)),
        ("biller_admin", Node::text("")),
        ("pdam_name", given.text(names::BILLER_NAME)),
        ("stamp_duty", Node::text("")),
    ];
    if code == SURABAYA {
        entries.push(("due_date", given.text(names::DUE_DATE)));
        entries.push(("kode_tarif", given.text(names::TARIFF)));
    }
    entries.push(("bill", detail(bills)));
    entries
}

/// One entry per period.
fn separated<'a>(bill: Particulars<'a>, code: &str) -> Entries<'a> {
    let mut entry = vec![
        ("period", bill.text(names::PERIOD)),
        ("first_meter", bill.number(names::METER_START)),
        ("last_meter", bill.number(names::METER_END)),
        ("penalty", bill.number(names::PENALTY)),
        ("bill_amount", bill.number(names::AMOUNT)),
        ("misc_amount", bill.number(names::MISCELLANEOUS)),
    ];
    if code == SURABAYA {
        entry.push(("stand", Node::text("")));
    }
    entry
}

/// One entry for all periods together; none if there is no bill.
fn unified<'a>(given: Particulars<'a>) -> Option<Node<'a>> {
    let bills = given.bills();
    let first = bills.clone().next()?;
    let last = bills.clone().last()?;
    let periods: Vec<_> = bills.clone().filter_map(|bill| bill.string(names::PERIOD)).collect();
    let sum = |name: &str| {
        let parts = bills.clone().filter_map(|bill| bill.integer(name));
        Node::Number(parts.fold(0, i64::saturating_add))
    };
    Some(Node::Record(vec![
        ("period", Node::text(periods.join(","))),
        ("first_meter", first.number(names::METER_START)),
        ("last_meter", last.number(names::METER_END)),
        ("penalty", sum(names::PENALTY)),
        ("bill_amount", sum(names::AMOUNT)),
        ("misc_amount", sum(names::MISCELLANEOUS)),
    ]))
}

fn detail<'a>(bills: Vec<Node<'a>>) -> Node<'a> {
    Node::Record(vec![("detail", Node::List(bills))])
}
