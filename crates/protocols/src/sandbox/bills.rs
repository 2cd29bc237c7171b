//! What a customer owes: a pure function of product, number, parameters, seed and current month.
//!
//! The particulars have the neutral names of [`domain::bill::names`], one function per section of
//! the IAK reference (6.1 to 6.19), which lists what each kind of bill shows. People and places are
//! invented and meant to look it. Paying changes nothing: who asks again owes the same again.
//!
//! Lists have one record per single bill, also for the water works whose bills IAK merges into one
//! entry (section 13.7); how a list is laid out is the protocol's affair.

mod finance;
mod insurance;
mod supply;
mod taxes;

use domain::bill::names;
use domain::{Amount, Bill, Detail, Order, Period, Refusal, YearMonth};
use gateway::ports::Parameters;

use super::calendar;
use super::draws::Draws;
use super::kinds::BillKind;

/// Whom and what a bill is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    /// The kind of bill.
    pub(super) kind: BillKind,
    /// The code under which the product was asked for.
    pub(super) code: &'a str,
    /// The draws about this customer of this product.
    pub(super) draws: Draws<'a>,
    /// How many single bills are open, from 1.
    pub(super) open: u32,
}

/// The parts of a bill that differ from kind to kind.
struct Content {
    period: Period,
    nominal: Amount,
    count: u32,
    details: Detail,
}

impl Content {
    /// A single bill over so many rupiah.
    fn single(period: Period, nominal: u32, details: Vec<Entry>) -> Self {
        let nominal = Amount::rupiah(nominal);
        Self { period, nominal, count: 1, details: Detail::Record(details) }
    }
}

/// A named particular.
type Entry = (String, Detail);

fn text(name: &str, value: impl Into<String>) -> Entry {
    (name.to_owned(), Detail::Text(value.into()))
}

fn number(name: &str, value: i64) -> Entry {
    (name.to_owned(), Detail::Number(value))
}

fn money(name: &str, rupiah: u32) -> Entry {
    (name.to_owned(), Detail::Money(Amount::rupiah(rupiah)))
}

fn list(name: &str, items: Vec<Detail>) -> Entry {
    (name.to_owned(), Detail::List(items))
}

/// The bill, or why there is none for these parameters.
pub(super) fn bill(
    subject: &Subject<'_>,
    parameters: &Parameters,
    now: YearMonth,
) -> Result<Bill, Refusal> {
    let content = content(subject, parameters, now)?;
    Ok(Bill {
        customer_name: customer_name(subject),
        period: content.period,
        nominal: content.nominal,
        count: content.count,
        details: content.details,
    })
}

fn content(
    subject: &Subject<'_>,
    parameters: &Parameters,
    now: YearMonth,
) -> Result<Content, Refusal> {
    Ok(match subject.kind {
        BillKind::Electricity => supply::electricity(subject, now),
        BillKind::ElectricityWork => supply::electricity_work(subject, now),
        BillKind::Health => insurance::health(subject, months(parameters)?),
        BillKind::HealthPenalty => insurance::health_penalty(subject),
        BillKind::EmploymentSelf => insurance::employment_self(subject, months(parameters)?, now),
        BillKind::EmploymentCompany => insurance::employment_company(subject, now),
        BillKind::Gas => supply::gas(subject, now),
        BillKind::Finance => finance::instalment(subject, now),
        BillKind::FinanceBrief => finance::instalment_brief(subject),
        BillKind::Insurance => insurance::premium(subject, now),
        BillKind::InsuranceAsFinance => finance::premium(subject, now),
        BillKind::Water | BillKind::WaterWithTariff => supply::water(subject, now),
        BillKind::CableTelevision => supply::cable_television(subject, now),
        BillKind::Television => supply::television(subject),
        BillKind::Mobile => supply::mobile(subject, now),
        BillKind::Telkom => supply::telkom(subject, now),
        BillKind::Internet => supply::internet(subject, now),
        BillKind::VehicleTax => taxes::vehicle(subject, parameters, now),
        BillKind::PropertyTax => taxes::property(subject, parameters, now),
        BillKind::FreeAmount => {
            let details = Detail::Record(vec![list(names::FOOTER, Vec::new())]);
            chosen(parameters, Period::None, details)?
        }
        BillKind::Church => chosen(parameters, Period::Months(vec![now]), Detail::none())?,
    })
}

/// For how many months to pay; one where nothing is said. Paying for none is paying nothing.
fn months(parameters: &Parameters) -> Result<u8, Refusal> {
    match parameters.months {
        Some(0) => Err(Refusal::AmountInvalid),
        months => Ok(months.unwrap_or(1)),
    }
}

/// The payer chooses the amount (IAK reference, sections 6.18 and 6.19).
fn chosen(parameters: &Parameters, period: Period, details: Detail) -> Result<Content, Refusal> {
    let rupiah = |amount: &Amount| amount.currency() == domain::Currency::Idr && !amount.is_zero();
    let nominal = parameters.amount.filter(rupiah).ok_or(Refusal::AmountInvalid)?;
    Ok(Content { period, nominal, count: 1, details })
}

/// What changes in the particulars by paying (IAK reference, sections 6.1, 6.4, 6.5 and 6.16);
/// `None` for kinds whose particulars stay as they were. It starts from what was quoted, so that a
/// payment after the turn of the month still shows the months that were paid.
pub(super) fn paid_details(subject: &Subject<'_>, order: &Order) -> Option<Detail> {
    let bill = order.bill.as_ref()?;
    match subject.kind {
        BillKind::Electricity => Some(supply::electricity_paid(subject, bill)),
        BillKind::HealthPenalty => Some(insurance::health_penalty_paid(bill)),
        BillKind::EmploymentSelf => Some(insurance::employment_self_paid(subject, bill)),
        BillKind::VehicleTax => Some(taxes::vehicle_paid(subject, bill)),
        _ => None,
    }
}

/// The entries of a bill's particulars, for changing some of them.
fn entries(bill: &Bill) -> Vec<Entry> {
    match &bill.details {
        Detail::Record(entries) => entries.clone(),
        _ => Vec::new(),
    }
}

/// The entries with these in place of those of the same name.
fn replaced(entries: Vec<Entry>, changes: &[Entry]) -> Vec<Entry> {
    let change = |entry: Entry| {
        let changed = changes.iter().find(|(name, _)| *name == entry.0);
        changed.cloned().unwrap_or(entry)
    };
    entries.into_iter().map(change).collect()
}

/// The customer of the reference's worked example (IAK reference, sections 5.2 and 5.3): one bill
/// over Rp150.000 under every seed, so that the example can be replayed.
fn is_worked_example(subject: &Subject<'_>) -> bool {
    subject.kind == BillKind::Electricity && subject.draws.number == "530000000000"
}

fn customer_name(subject: &Subject<'_>) -> String {
    if is_worked_example(subject) {
        return "PELANGGAN SATU".to_owned();
    }
    const GIVEN: [&str; 16] = [
        "AGUS", "ANI", "BAMBANG", "BUDI", "DEWI", "EKO", "FITRI", "HENDRA", "INDAH", "JOKO",
        "LESTARI", "NUR", "RINA", "SITI", "TONO", "WATI",
    ];
    const INVENTED: [&str; 8] =
        ["CONTOH", "FIKTIF", "LATIHAN", "PERAGA", "PERCOBAAN", "REKAAN", "SIMULASI", "UJICOBA"];
    let draws = &subject.draws;
    [draws.pick("given name", &GIVEN), " ", draws.pick("family name", &INVENTED)].concat()
}

const STREETS: [&str; 8] =
    ["ANGGREK", "CEMPAKA", "DAHLIA", "FLAMBOYAN", "KENANGA", "MAWAR", "MELATI", "TERATAI"];
const CITIES: [&str; 6] =
    ["KOTA CONTOH", "KOTA FIKTIF", "KOTA LATIHAN", "KOTA PERAGA", "KOTA REKAAN", "KOTA UJICOBA"];

fn street(subject: &Subject<'_>) -> String {
    let number = subject.draws.between("house number", 1, 199, 1);
    format!("JL {} NO {number}", subject.draws.pick("street", &STREETS))
}

fn city(subject: &Subject<'_>) -> &'static str {
    subject.draws.pick("city", &CITIES)
}

/// A draw that belongs to one month, so that a month's bill stays the same in later months.
fn monthly(subject: &Subject<'_>, label: &str, month: YearMonth, range: (u32, u32, u32)) -> u32 {
    let (from, until, step) = range;
    subject.draws.between(&format!("{label} {}", calendar::digits(month)), from, until, step)
}

#[cfg(test)]
#[path = "bills_tests.rs"]
mod tests;
