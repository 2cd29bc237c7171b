//! Taxes on vehicles and property (IAK reference, sections 6.16 and 6.17).

use domain::bill::names;
use domain::{Bill, Detail, Period, YearMonth};
use gateway::ports::Parameters;

use super::{CITIES, Content, Entry, Subject, city, entries, money, replaced, street, text};
use crate::sandbox::calendar;

/// The owner's identity number is repeated; where none is given one is made up.
pub(super) fn vehicle(subject: &Subject<'_>, parameters: &Parameters, now: YearMonth) -> Content {
    let draws = &subject.draws;
    let given = parameters.identity_number.clone();
    let identity = given.unwrap_or_else(|| draws.digits("identity", 16));
    let (brand, model) = vehicle_model(subject);
    let day = draws.between("tax day", 1, 28, 1);
    let from = format!("{}{day:02}", calendar::digits(now));
    let until = format!("{}{day:02}", calendar::digits(calendar::later(now, 12)));
    let age = draws.between("age", 1, 12, 1) * 12;
    let tax = draws.between("vehicle tax", 200_000, 3_000_000, 100);
    let accident_fund = draws.between("accident fund", 35_000, 143_000, 108_000);
    let details = vec![
        text(names::IDENTITY_NUMBER, identity),
        text(names::CHASSIS_NUMBER, format!("MHXXX{}", draws.digits("chassis", 11))),
        text(names::ENGINE_NUMBER, format!("1NR{}", draws.digits("engine", 7))),
        text(names::ADDRESS, format!("{} {}", street(subject), city(subject))),
        text(names::PLATE_NUMBER, format!("XX {} XX", draws.digits("plate", 4))),
        text(names::OWNERSHIP, "001"),
        text(names::BRAND, brand),
        text(names::MODEL, model),
        text(names::YEAR_BUILT, format!("{:04}", calendar::earlier(now, age).year)),
        text(names::TAX_UNTIL, until.clone()),
        taxes(names::PRINCIPAL, tax, accident_fund),
        taxes(names::PENALTIES, 0, 0),
        money(names::REGISTRATION_FEE, 0),
        money(names::PLATE_FEE, 0),
        money(names::PARKING_FEE, 0),
        money(names::PROGRESSIVE_TAX, 0),
        text(names::TAX_RECEIPT_NUMBER, ""),
    ];
    Content::single(Period::Text(format!("{from}-{until}")), tax + accident_fund, details)
}

fn taxes(name: &str, vehicle_tax: u32, accident_fund: u32) -> Entry {
    let record = vec![
        money(names::TRANSFER_TAX, 0),
        money(names::VEHICLE_TAX, vehicle_tax),
        money(names::ACCIDENT_FUND, accident_fund),
    ];
    (name.to_owned(), Detail::Record(record))
}

fn vehicle_model(subject: &Subject<'_>) -> (&'static str, &'static str) {
    match subject.draws.below("model", 4) {
        0 => ("TOYOTA", "AVANZA 1.3 M/T"),
        1 => ("DAIHATSU", "SIGRA 1.2 M/T"),
        2 => ("HONDA", "BRIO 1.2 CVT"),
        _ => ("SUZUKI", "ERTIGA 1.5 A/T"),
    }
}

/// Paying tells the treasury's number of the receipt.
pub(super) fn vehicle_paid(subject: &Subject<'_>, bill: &Bill) -> Detail {
    let receipt = text(names::TAX_RECEIPT_NUMBER, subject.draws.digits("receipt", 16));
    Detail::Record(replaced(entries(bill), &[receipt]))
}

/// The parameter is read as a calendar year. The reference's other reading, a number of years, has
/// no sample; that and a missing year mean the current one.
fn tax_year(parameters: &Parameters, now: YearMonth) -> String {
    let is_year = |year: &&String| year.len() == 4 && year.bytes().all(|it| it.is_ascii_digit());
    let given = parameters.year.as_ref().filter(is_year).cloned();
    given.unwrap_or_else(|| format!("{:04}", now.year))
}

pub(super) fn property(subject: &Subject<'_>, parameters: &Parameters, now: YearMonth) -> Content {
    const VILLAGES: [&str; 4] = ["CONTOH INDAH", "SUKA CONTOH", "UJICOBA JAYA", "REKAAN ASRI"];
    let draws = &subject.draws;
    let year = tax_year(parameters, now);
    let tax = draws.between(&format!("tax {year}"), 60_000, 900_000, 1);
    let penalty = draws.between(&format!("penalty {year}"), 0, 20_000, 5_000);
    let details = vec![
        text(names::STATED_AT, format!("{:04}-{:02}-01 08:00:00", now.year, now.month)),
        text(names::OBJECT_NUMBER, draws.number),
        text(names::TAX_YEAR, year.as_str()),
        text(names::LOCATION, street(subject)),
        text(names::VILLAGE, draws.pick("village", &VILLAGES)),
        text(names::DISTRICT, draws.pick("district", &["CONTOH UTARA", "CONTOH SELATAN"])),
        text(names::CITY_CODE, draws.digits("city code", 4)),
        text(names::CITY, draws.pick("city", &CITIES)),
        text(names::LAND_AREA, format!("{} M2", draws.between("land", 60, 400, 1))),
        text(names::BUILDING_AREA, format!("{} M2", draws.between("building", 30, 300, 1))),
        text(names::DUE_DATE, format!("31/10/{year}")),
        money(names::AMOUNT, tax),
        money(names::PENALTY, penalty),
    ];
    Content::single(Period::Months(vec![now]), tax + penalty, details)
}
