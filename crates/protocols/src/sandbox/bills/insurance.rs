//! Social and other insurance (IAK reference, sections 6.3 to 6.6 and 6.9).

use domain::bill::names;
use domain::{Bill, Detail, Period, YearMonth};

use super::{Content, Entry, Subject, city, entries, list, money, number, replaced, text};
use crate::sandbox::calendar;

fn branch(code: impl Into<String>, name: &str) -> [Entry; 3] {
    [text(names::BRANCH_CODE, code), text(names::BRANCH_NAME, name), money(names::RESIDUAL, 0)]
}

pub(super) fn health(subject: &Subject<'_>, months: u8) -> Content {
    const PER_PERSON: [u32; 3] = [35_000, 100_000, 150_000];
    let draws = &subject.draws;
    let persons = draws.between("participants", 1, 5, 1);
    let class = usize::try_from(draws.below("class", 3)).unwrap_or(0);
    let nominal = PER_PERSON[class % PER_PERSON.len()] * persons * u32::from(months);
    let mut details = Vec::from(branch(draws.digits("branch", 4), city(subject)));
    details.push(number(names::PARTICIPANTS, i64::from(persons)));
    Content::single(Period::MonthCount(months), nominal, details)
}

/// The penalty is told without a branch, as in the only sample there is.
pub(super) fn health_penalty(subject: &Subject<'_>) -> Content {
    const TRADES: [&str; 4] = ["PERDAGANGAN", "PERCETAKAN", "LOGISTIK", "KULINER"];
    let draws = &subject.draws;
    let company = format!("PT CONTOH {} REKAAN", draws.pick("trade", &TRADES));
    let mut details = vec![text(names::COMPANY_NAME, company)];
    details.extend(branch("", ""));
    let persons = draws.between("participants", 1, 40, 1);
    details.push(number(names::PARTICIPANTS, i64::from(persons)));
    let nominal = draws.between("amount", 50_000, 900_000, 50);
    Content::single(Period::Text("0,1".to_owned()), nominal, details)
}

/// Paying tells the premium in place of the company.
pub(super) fn health_penalty_paid(bill: &Bill) -> Detail {
    let premium = (names::PREMIUM.to_owned(), Detail::Money(bill.nominal));
    let others = entries(bill).into_iter().filter(|(name, _)| name != names::COMPANY_NAME);
    Detail::Record(std::iter::once(premium).chain(others).collect())
}

/// Accident and death per month; the old-age part is not insured by this programme.
pub(super) fn employment_self(subject: &Subject<'_>, months: u8, now: YearMonth) -> Content {
    let draws = &subject.draws;
    let count = u32::from(months);
    let accident = draws.between("accident", 10_000, 50_000, 2_000) * count;
    let death = 6_800 * count;
    let first = calendar::later(now, 1);
    let day = |month: YearMonth| format!("01-{:02}-{:04}", month.month, month.year);
    let details = vec![
        text(names::CONTRIBUTION_CODE, ""),
        text(names::PROGRAMMES, "JKK,JKM"),
        money(names::OLD_AGE, 0),
        money(names::ACCIDENT, accident),
        money(names::DEATH, death),
        text(names::BRANCH_NAME, city(subject)),
        text(names::EFFECTIVE_FROM, day(first)),
        text(names::EFFECTIVE_UNTIL, day(calendar::later(first, count))),
    ];
    Content::single(Period::MonthCount(months), accident + death, details)
}

/// Paying tells the contribution code and writes the same days in another format.
pub(super) fn employment_self_paid(subject: &Subject<'_>, bill: &Bill) -> Detail {
    let draws = &subject.draws;
    let time = format!(
        "{:02}:{:02}:{:02}",
        draws.between("paid hour", 1, 22, 1),
        draws.between("paid minute", 0, 59, 1),
        draws.between("paid second", 0, 59, 1),
    );
    let mut changes = vec![text(names::CONTRIBUTION_CODE, draws.digits("contribution", 12))];
    for name in [names::EFFECTIVE_FROM, names::EFFECTIVE_UNTIL] {
        if let Some(Detail::Text(day)) = bill.details.get(name) {
            let backwards: Vec<_> = day.rsplit('-').collect();
            changes.push(text(name, format!("{} {time}", backwards.join("-"))));
        }
    }
    Detail::Record(replaced(entries(bill), &changes))
}

pub(super) fn employment_company(subject: &Subject<'_>, now: YearMonth) -> Content {
    let draws = &subject.draws;
    let part = |label: &str, from, until| draws.between(label, from, until, 100);
    let parts = [
        (names::OLD_AGE, part("old age", 500_000, 2_500_000)),
        (names::ACCIDENT, part("accident", 20_000, 200_000)),
        (names::DEATH, part("death", 20_000, 150_000)),
        (names::HEALTH, 0),
        (names::PENSION, part("pension", 200_000, 1_200_000)),
    ];
    let nominal = parts.iter().map(|(_, part)| *part).sum();
    let mut details = vec![text(names::CONTRIBUTION_CODE, draws.number)];
    details.extend(parts.map(|(name, part)| money(name, part)));
    details.push(text(names::COMPANY_NUMBER, draws.digits("company", 8)));
    details.push(text(names::DIVISION_CODE, "000"));
    Content::single(Period::Months(vec![now]), nominal, details)
}

pub(super) fn premium(subject: &Subject<'_>, now: YearMonth) -> Content {
    let due = calendar::later(now, 1);
    let footer = Detail::Text("LAYANAN PELANGGAN CONTOH 1500000".to_owned());
    let details = vec![
        text(names::INSURED, subject.draws.between("insured", 1, 4, 1).to_string()),
        text(names::POLICY_STATUS, "AKTIF"),
        text(names::DUE_DATE, format!("{:04}-{:02}-10", due.year, due.month)),
        list(names::FOOTER, vec![footer]),
    ];
    Content::single(Period::None, subject.draws.between("amount", 150_000, 2_000_000, 500), details)
}
