//! Taxes on vehicles and on property (IAK reference, sections 6.16 and 6.17).

use domain::bill::names;

use super::particulars::Particulars;
use super::{Entries, Node, Stage, Transaction};

pub(super) fn vehicle<'a>(given: Particulars<'a>, stage: Stage) -> Entries<'a> {
    let receipt = match stage {
        Stage::Inquiry => Node::text(""),
        Stage::Payment => given.text(names::TAX_RECEIPT_NUMBER),
    };
    let fees = vec![
        ("stnk", given.money_text(names::REGISTRATION_FEE)),
        ("tnkb", given.money_text(names::PLATE_FEE)),
    ];
    vec![
        ("nomor_identitas", given.text(names::IDENTITY_NUMBER)),
        ("nomor_rangka", given.text(names::CHASSIS_NUMBER)),
        ("nomor_mesin", given.text(names::ENGINE_NUMBER)),
        ("alamat", given.text(names::ADDRESS)),
        ("nomor_polisi", given.text(names::PLATE_NUMBER)),
        ("milik_kenama", given.text(names::OWNERSHIP)),
        ("merek_kb", given.text(names::BRAND)),
        ("model_kb", given.text(names::MODEL)),
        ("tahun_buatan", given.text(names::YEAR_BUILT)),
        ("tgl_akhir_pajak_baru", given.text(names::TAX_UNTIL)),
        ("biaya_pokok", parts(given.record(names::PRINCIPAL))),
        ("biaya_denda", parts(given.record(names::PENALTIES))),
        ("biaya_admin", Node::Record(fees)),
        ("biaya_parkir_pokok", given.money_text(names::PARKING_FEE)),
        ("biaya_pajak_progresif", given.money_text(names::PROGRESSIVE_TAX)),
        ("ntpd", receipt),
    ]
}

fn parts<'a>(given: Particulars<'a>) -> Node<'a> {
    Node::Record(vec![
        ("BBN", given.money_text(names::TRANSFER_TAX)),
        ("PKB", given.money_text(names::VEHICLE_TAX)),
        ("SWD", given.money_text(names::ACCIDENT_FUND)),
    ])
}

/// The amounts add up to what the customer pays: tax, penalty and our fee.
pub(super) fn property<'a>(transaction: &Transaction<'a>, given: Particulars<'a>) -> Entries<'a> {
    let quote = transaction.quote;
    let penalty = given.integer(names::PENALTY).unwrap_or(0);
    let tax = given
        .integer(names::AMOUNT)
        .unwrap_or_else(|| quote.nominal.minor().saturating_sub(penalty).max(0));
    vec![
        ("tanggal", given.text(names::STATED_AT)),
        ("nop", given.text_or(names::OBJECT_NUMBER, &transaction.order.destination)),
        ("tahun_pajak", given.text(names::TAX_YEAR)),
        ("lokasi", given.text(names::LOCATION)),
        ("kelurahan", given.text(names::VILLAGE)),
        ("kecamatan", given.text(names::DISTRICT)),
        ("kode_kab_kota", given.text(names::CITY_CODE)),
        ("kab_kota", given.text(names::CITY)),
        ("luas_tanah", given.text(names::LAND_AREA)),
        ("luas_gedung", given.text(names::BUILDING_AREA)),
        ("jatuh_tempo", given.text(names::DUE_DATE)),
        ("total_tagihan", Node::Number(tax)),
        ("denda", Node::Number(penalty)),
        ("admin", Node::amount(quote.admin)),
        ("total_bayar", Node::amount(quote.price)),
    ]
}
