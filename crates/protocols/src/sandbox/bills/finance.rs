//! Instalments of loans (IAK reference, section 6.8), and premiums that are told like them
//! (section 6.9).

use domain::bill::names;
use domain::{Period, YearMonth};

use super::{Content, Entry, Subject, money, text};
use crate::sandbox::calendar;

/// The parts that add up to what is owed: the instalment and the penalty for paying it late.
fn parts(subject: &Subject<'_>) -> (u32, u32) {
    let instalment = subject.draws.between("instalment", 300_000, 3_500_000, 500);
    (instalment, subject.draws.between("penalty", 0, 30_000, 5_000))
}

fn number_of(subject: &Subject<'_>) -> Period {
    let number = subject.draws.between("instalment number", 1, 11, 1);
    Period::Instalment(u16::try_from(number).unwrap_or(1))
}

fn particulars(subject: &Subject<'_>, now: YearMonth) -> (u32, Vec<Entry>) {
    const ITEMS: [&str; 4] = ["HONDA BEAT", "YAMAHA MIO", "SUZUKI CARRY", "TOYOTA AGYA"];
    let draws = &subject.draws;
    let (instalment, penalty) = parts(subject);
    let paid = calendar::earlier(now, 1);
    let paid = format!("14 {} {:02}", calendar::english(paid), paid.year % 100);
    let details = vec![
        money(names::MISCELLANEOUS, 0),
        text(names::ITEM_NAME, draws.pick("item", &ITEMS)),
        text(names::CHASSIS_NUMBER, format!("MHXXX{}", draws.digits("chassis", 11))),
        text(names::PLATE_NUMBER, format!("XX {} XX", draws.digits("plate", 4))),
        text(names::TENOR, draws.pick("tenor", &["012", "024", "036"])),
        money(names::INSTALMENT, instalment),
        money(names::PENALTY, penalty),
        money(names::PAYMENT_MAX, instalment + penalty),
        text(names::LAST_PAID_DUE_DATE, paid),
        text(names::LENDER_REFERENCE, draws.digits("lender", 12)),
    ];
    (instalment + penalty, details)
}

pub(super) fn instalment(subject: &Subject<'_>, now: YearMonth) -> Content {
    let (nominal, details) = particulars(subject, now);
    Content::single(number_of(subject), nominal, details)
}

pub(super) fn instalment_brief(subject: &Subject<'_>) -> Content {
    let (instalment, penalty) = parts(subject);
    let details = vec![money(names::INSTALMENT, instalment), money(names::PENALTY, penalty)];
    Content::single(number_of(subject), instalment + penalty, details)
}

pub(super) fn premium(subject: &Subject<'_>, now: YearMonth) -> Content {
    let (nominal, details) = particulars(subject, now);
    Content::single(Period::None, nominal, details)
}
