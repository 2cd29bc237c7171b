//! `desc`: the particulars of a bill (isikuota reference, section 6.4).
//!
//! The reference documents the members for health insurance and reports those for electricity; both
//! are always there, with the empty value where a supplier gave nothing. For other bills it leaves
//! the object free: they show the particulars that the supplier gave, under the names that are usual
//! in the field. Numbers are numbers and texts are texts whichever way the supplier gives them.

use domain::bill::names;
use domain::{Bill, Detail, Period, Quote, YearMonth};

use super::json::{Json, Object};

/// How a particular is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Number,
}

/// A particular: our name for it, the wire's, and its form.
type Member = (&'static str, &'static str, Form);

/// What stands before the number of bills.
const FIRST: [Member; 3] = [
    (names::PARTICIPANTS, "jumlah_peserta", Form::Text),
    (names::TARIFF, "tarif", Form::Text),
    (names::POWER, "daya", Form::Number),
];

/// What stands behind it.
const FURTHER: [Member; 33] = [
    (names::ADDRESS, "alamat", Form::Text),
    (names::BILLER_NAME, "nama_pdam", Form::Text),
    (names::DUE_DATE, "jatuh_tempo", Form::Text),
    (names::USAGE, "pemakaian", Form::Number),
    (names::REGISTRATION_NUMBER, "no_registrasi", Form::Text),
    (names::REGISTRATION_DATE, "tgl_registrasi", Form::Text),
    (names::ITEM_NAME, "item_name", Form::Text),
    (names::PRODUCT_DESCRIPTION, "product_desc", Form::Text),
    (names::BRANCH_CODE, "kode_cabang", Form::Text),
    (names::BRANCH_NAME, "nama_cabang", Form::Text),
    (names::COMPANY_NAME, "nama_badan_usaha", Form::Text),
    (names::PROGRAMMES, "kode_program", Form::Text),
    (names::CHASSIS_NUMBER, "no_rangka", Form::Text),
    (names::ENGINE_NUMBER, "no_mesin", Form::Text),
    (names::PLATE_NUMBER, "no_pol", Form::Text),
    (names::TENOR, "tenor", Form::Text),
    (names::INSTALMENT, "angsuran", Form::Number),
    (names::INSURED, "tertanggung", Form::Text),
    (names::POLICY_STATUS, "status_polis", Form::Text),
    (names::BRAND, "merek_kb", Form::Text),
    (names::MODEL, "model_kb", Form::Text),
    (names::YEAR_BUILT, "tahun_buatan", Form::Text),
    (names::TAX_UNTIL, "tgl_akhir_pajak", Form::Text),
    (names::OBJECT_NUMBER, "nop", Form::Text),
    (names::TAX_YEAR, "tahun_pajak", Form::Text),
    (names::LOCATION, "lokasi", Form::Text),
    (names::VILLAGE, "kelurahan", Form::Text),
    (names::DISTRICT, "kecamatan", Form::Text),
    (names::CITY_CODE, "kode_kab_kota", Form::Text),
    (names::CITY, "kab_kota", Form::Text),
    (names::LAND_AREA, "luas_tanah", Form::Text),
    (names::BUILDING_AREA, "luas_gedung", Form::Text),
    (names::PENALTY, "denda", Form::Number),
];

/// What a single bill shows besides its month and what is owed.
const OF_A_BILL: [Member; 3] = [
    (names::METER_START, "meter_awal", Form::Text),
    (names::METER_END, "meter_akhir", Form::Text),
    (names::MISCELLANEOUS, "biaya_lain", Form::Text),
];

/// The group of health insurance.
const HEALTH: &str = "bpjs";
/// The group of electricity.
const ELECTRICITY: &str = "pln";

/// The particulars of a bill of a product in this group.
pub(crate) fn desc(group: &str, bill: &Bill, quote: &Quote, details: Option<&Detail>) -> Json {
    let mut members = Object::new();
    for member in FIRST {
        let always = match member.0 {
            names::PARTICIPANTS => group == HEALTH,
            _ => group == ELECTRICITY,
        };
        add(&mut members, details, member, always);
    }
    members.push(("lembar_tagihan".to_owned(), Json::Integer(i64::from(bill.count))));
    if group == HEALTH {
        // Health insurers know no address of the insured; the branch stands in its place.
        let place = [names::ADDRESS, names::CITY, names::BRANCH_NAME];
        let place = place.into_iter().find_map(|name| text(details?.get(name)?));
        members.push(("alamat".to_owned(), Json::Text(place.unwrap_or_default())));
    } else {
        for member in FURTHER {
            add(&mut members, details, member, false);
        }
    }
    members.push(("detail".to_owned(), Json::List(single_bills(group, bill, quote, details))));
    Json::Object(members)
}

/// One entry per single bill; where the supplier tells none, one per span of the bill.
fn single_bills(group: &str, bill: &Bill, quote: &Quote, details: Option<&Detail>) -> Vec<Json> {
    let bills =
        details.and_then(|details| details.get(names::BILLS)).map_or(&[][..], Detail::items);
    if bills.is_empty() {
        let entry = |period: String| Json::object([("periode", Json::Text(period))]);
        return periods(&bill.period).into_iter().map(entry).collect();
    }
    let entry = |single: &Detail| {
        let mut members = Object::new();
        let owed = |name| Json::Text(single.get(name).and_then(text).unwrap_or("0".to_owned()));
        let period = single.get(names::PERIOD).and_then(text).unwrap_or_default();
        members.push(("periode".to_owned(), Json::Text(period)));
        if group == ELECTRICITY || single.get(names::AMOUNT).is_some() {
            members.push(("nilai_tagihan".to_owned(), owed(names::AMOUNT)));
            members.push(("admin".to_owned(), Json::Text(quote.admin_fee.to_string())));
            members.push(("denda".to_owned(), owed(names::PENALTY)));
        }
        for member in OF_A_BILL {
            add(&mut members, Some(single), member, false);
        }
        Json::Object(members)
    };
    bills.iter().map(entry).collect()
}

fn periods(period: &Period) -> Vec<String> {
    let month = |month: &YearMonth| format!("{:04}{:02}", month.year, month.month);
    match period {
        Period::None => Vec::new(),
        Period::Months(months) => months.iter().map(month).collect(),
        Period::MonthCount(count) => vec![format!("{count:02}")],
        Period::Instalment(number) => vec![format!("{number:03}")],
        Period::Text(text) => vec![text.clone()],
    }
}

/// Adds a particular that is given, or its empty value where it always has to be there.
fn add(members: &mut Object, details: Option<&Detail>, (name, wire, form): Member, always: bool) {
    let given = details.and_then(|details| details.get(name));
    let value = match form {
        Form::Text => given.and_then(text).map(Json::Text),
        Form::Number => given.and_then(number).map(Json::Integer),
    };
    let empty = always.then(|| match form {
        Form::Text => Json::text(""),
        Form::Number => Json::Integer(0),
    });
    if let Some(value) = value.or(empty) {
        members.push((wire.to_owned(), value));
    }
}

fn text(detail: &Detail) -> Option<String> {
    match detail {
        Detail::Text(text) => Some(text.clone()),
        Detail::Number(number) => Some(number.to_string()),
        Detail::Money(amount) => Some(amount.to_string()),
        Detail::List(_) | Detail::Record(_) => None,
    }
}

fn number(detail: &Detail) -> Option<i64> {
    match detail {
        Detail::Number(number) => Some(*number),
        Detail::Money(amount) => Some(amount.minor()),
        Detail::Text(text) => text.parse().ok(),
        Detail::List(_) | Detail::Record(_) => None,
    }
}

#[cfg(test)]
#[path = "desc_tests.rs"]
mod tests;
