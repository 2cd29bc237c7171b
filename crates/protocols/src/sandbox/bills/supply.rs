//! Bills for what comes by wire or pipe: electricity, gas, water, television, telephone, internet
//! (IAK reference, sections 6.1, 6.2, 6.7 and 6.10 to 6.15).

use domain::bill::names;
use domain::{Amount, Bill, Detail, Period, YearMonth};

use super::{
    Content, Entry, Subject, entries, is_worked_example, list, money, monthly, number, street, text,
};
use crate::months::indonesian;
use crate::sandbox::calendar;
use crate::sandbox::kinds::BillKind;

/// Tariff groups of the electricity company with the power that goes with them.
const TARIFFS: [(&str, i64); 6] =
    [("R1", 450), ("R1", 900), ("R1", 1300), ("R1", 2200), ("R2", 3500), ("B1", 5500)];
/// Units that the readings of an electricity meter rise by in a month, about.
const ELECTRICITY_MONTHLY: u32 = 180;
const GAS_MONTHLY: u32 = 16;
const WATER_MONTHLY: u32 = 20;

/// The months that are paid: of the open ones, which end with the current month, the oldest.
fn paid_months(subject: &Subject<'_>, now: YearMonth) -> Vec<YearMonth> {
    let count = usize::try_from(subject.kind.paid_at_once(subject.open)).unwrap_or(1);
    calendar::ending_with(now, subject.open).into_iter().take(count).collect()
}

/// Puts single bills together: one for each month, made of its particulars and of what it costs.
fn monthly_bills(
    months: Vec<YearMonth>,
    mut details: Vec<Entry>,
    single: impl Fn(YearMonth) -> (u32, Vec<Entry>),
) -> Content {
    let singles: Vec<_> = months.iter().map(|month| single(*month)).collect();
    let nominal = singles.iter().map(|(cost, _)| *cost).sum();
    let count = u32::try_from(singles.len()).unwrap_or(u32::MAX);
    let records = singles.into_iter().map(|(_, entries)| Detail::Record(entries)).collect();
    details.push(list(names::BILLS, records));
    Content {
        period: Period::Months(months),
        nominal: Amount::rupiah(nominal),
        count,
        details: Detail::Record(details),
    }
}

pub(super) fn electricity(subject: &Subject<'_>, now: YearMonth) -> Content {
    let example = is_worked_example(subject);
    let drawn = usize::try_from(subject.draws.below("tariff", 6)).unwrap_or(0);
    let (tariff, power) = TARIFFS[if example { 2 } else { drawn % TARIFFS.len() }];
    let details = vec![text(names::TARIFF, tariff), number(names::POWER, power)];
    monthly_bills(paid_months(subject, now), details, |month| {
        let drawn = monthly(subject, "amount", month, (45_000, 450_000, 1));
        let amount = if example { 150_000 } else { drawn };
        let penalty = if month < now { 5_000 } else { 0 };
        let entries = vec![
            text(names::PERIOD, calendar::digits(month)),
            money(names::AMOUNT, amount),
            money(names::PENALTY, penalty),
        ];
        (amount + penalty, entries)
    })
}

/// Paying tells the meter readings and how many bills are left.
pub(super) fn electricity_paid(subject: &Subject<'_>, bill: &Bill) -> Detail {
    let paid = |single: &Detail| {
        let (start, end) = electricity_readings(subject, single);
        let mut entries = vec![number(names::METER_START, start), number(names::METER_END, end)];
        if let Detail::Record(quoted) = single {
            entries.extend(quoted.iter().cloned());
        }
        Detail::Record(entries)
    };
    let remaining = subject.open.saturating_sub(bill.count);
    let mut details = Vec::new();
    for (name, detail) in entries(bill) {
        if name == names::BILLS {
            details.push(number(names::REMAINING_BILLS, i64::from(remaining)));
            details.push(list(names::BILLS, detail.items().iter().map(paid).collect()));
        } else {
            details.push((name, detail));
        }
    }
    Detail::Record(details)
}

fn electricity_readings(subject: &Subject<'_>, single: &Detail) -> (i64, i64) {
    if is_worked_example(subject) {
        return (10_200, 10_315);
    }
    let month = match single.get(names::PERIOD) {
        Some(Detail::Text(digits)) => calendar::from_digits(digits),
        _ => None,
    };
    month.map_or((0, 0), |month| readings(subject, month, ELECTRICITY_MONTHLY))
}

/// The readings of a meter at the beginning and the end of a month.
fn readings(subject: &Subject<'_>, month: YearMonth, units: u32) -> (i64, i64) {
    let draws = &subject.draws;
    (draws.reading(month, units), draws.reading(calendar::later(month, 1), units))
}

pub(super) fn electricity_work(subject: &Subject<'_>, now: YearMonth) -> Content {
    const WORK: [&str; 4] =
        ["PENYAMBUNGAN BARU", "PERUBAHAN DAYA", "PENYAMBUNGAN SEMENTARA", "BALIK NAMA"];
    let draws = &subject.draws;
    let registered = calendar::digits(calendar::earlier(now, 1));
    let day = draws.between("registration day", 1, 28, 1);
    let details = vec![
        text(names::ITEM_NAME, draws.pick("work", &WORK)),
        text(names::REGISTRATION_NUMBER, draws.number),
        text(names::REGISTRATION_DATE, format!("{registered}{day:02}")),
    ];
    Content::single(Period::None, draws.between("amount", 250_000, 4_000_000, 500), details)
}

pub(super) fn gas(subject: &Subject<'_>, now: YearMonth) -> Content {
    let (start, end) = readings(subject, now, GAS_MONTHLY);
    let usage = u32::try_from(end - start).unwrap_or(0);
    let details = vec![
        text(names::ADDRESS, street(subject)),
        number(names::METER_START, start),
        number(names::METER_END, end),
        number(names::USAGE, i64::from(usage)),
    ];
    let nominal = 20_000 + usage.saturating_mul(6_500);
    Content::single(Period::Months(vec![now]), nominal, details)
}

pub(super) fn water(subject: &Subject<'_>, now: YearMonth) -> Content {
    let with_tariff = subject.kind == BillKind::WaterWithTariff;
    let mut details = vec![
        text(names::ADDRESS, street(subject)),
        text(names::BILLER_NAME, water_works(subject.code)),
    ];
    if with_tariff {
        let due = indonesian(now.month);
        details.push(text(names::DUE_DATE, format!("1-15 {due} {}", now.year)));
    }
    let tariff =
        if with_tariff { subject.draws.pick("tariff", &["1A", "2B", "3C", "4A"]) } else { "" };
    details.push(text(names::TARIFF, tariff));
    monthly_bills(paid_months(subject, now), details, |month| {
        let (start, end) = readings(subject, month, WATER_MONTHLY);
        let amount = monthly(subject, "amount", month, (25_000, 180_000, 50));
        let penalty = if month < now { 5_000 } else { 0 };
        let miscellaneous = monthly(subject, "miscellaneous", month, (0, 5_000, 2_500));
        let entries = vec![
            text(names::PERIOD, calendar::digits(month)),
            number(names::METER_START, start),
            number(names::METER_END, end),
            money(names::PENALTY, penalty),
            money(names::AMOUNT, amount),
            money(names::MISCELLANEOUS, miscellaneous),
        ];
        (amount + penalty + miscellaneous, entries)
    })
}

/// What a water works calls itself, from its code: `PDAMKAB.BOGOR` is `PDAM KAB. BOGOR`.
fn water_works(code: &str) -> String {
    if let Some(city) = code.strip_prefix("PDAMKOTA.") {
        format!("PDAM KOTA {city}")
    } else if let Some(regency) = code.strip_prefix("PDAMKAB.") {
        format!("PDAM KAB. {regency}")
    } else {
        code.to_owned()
    }
}

pub(super) fn cable_television(subject: &Subject<'_>, now: YearMonth) -> Content {
    monthly_bills(paid_months(subject, now), Vec::new(), |month| {
        let amount = monthly(subject, "amount", month, (75_000, 400_000, 500));
        let bill_number =
            subject.draws.digits(&format!("bill number {}", calendar::digits(month)), 12);
        let entries = vec![
            text(names::PERIOD, calendar::digits(month)),
            money(names::AMOUNT, amount),
            text(names::BILL_NUMBER, bill_number),
        ];
        (amount, entries)
    })
}

pub(super) fn television(subject: &Subject<'_>) -> Content {
    let details = vec![list(names::BILLS, Vec::new())];
    Content::single(Period::None, subject.draws.between("amount", 75_000, 400_000, 500), details)
}

/// A single bill of a telephone.
fn call_charges(
    subject: &Subject<'_>,
    month: YearMonth,
    range: (u32, u32, u32),
) -> (u32, Vec<Entry>) {
    let amount = monthly(subject, "amount", month, range);
    (amount, vec![text(names::PERIOD, calendar::digits(month)), money(names::AMOUNT, amount)])
}

pub(super) fn mobile(subject: &Subject<'_>, now: YearMonth) -> Content {
    let places = [names::AREA_CODE, names::REGIONAL_DIVISION, names::LOCAL_OFFICE];
    let details = places.into_iter().map(|name| text(name, "")).collect();
    let content = monthly_bills(paid_months(subject, now), details, |month| {
        call_charges(subject, month, (30_000, 350_000, 1))
    });
    Content { period: Period::None, ..content }
}

pub(super) fn telkom(subject: &Subject<'_>, now: YearMonth) -> Content {
    let draws = &subject.draws;
    let details = vec![
        text(names::AREA_CODE, draws.pick("area", &["0021", "0022", "0024", "0031", "0061"])),
        text(names::REGIONAL_DIVISION, format!("{:02}", draws.between("division", 1, 7, 1))),
        text(names::LOCAL_OFFICE, format!("{:04}", draws.between("office", 1, 40, 1))),
    ];
    monthly_bills(paid_months(subject, now), details, |month| {
        call_charges(subject, month, (55_000, 600_000, 1))
    })
}

pub(super) fn internet(subject: &Subject<'_>, now: YearMonth) -> Content {
    let plan =
        subject.draws.pick("plan", &["INTERNET 20 MBPS", "INTERNET 50 MBPS", "INTERNET 100 MBPS"]);
    let details = vec![text(names::PRODUCT_DESCRIPTION, plan)];
    let nominal = subject.draws.between("amount", 150_000, 750_000, 500);
    Content::single(Period::Months(vec![now]), nominal, details)
}
