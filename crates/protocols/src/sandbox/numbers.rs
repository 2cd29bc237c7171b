//! Which customer number brings what about (IAK reference, section 12.2).
//!
//! Two schemes exist and contradict each other, so which one holds is a setting.
//!
//! * New: a product's numbers follow a pattern that ends in `PRRR`: phase and response code. A
//!   number outside the pattern, another phase or an unknown code is an incorrect number.
//! * Old: a product has listed numbers, whose last digit decides. Any other number is incorrect.
//! * A product for which the scheme in force documents no numbers takes any number of 6 to 20
//!   digits. Only the endings that the reference names one by one (see [`NAMED_ENDINGS`]) then have
//!   their meaning of the new scheme; every other number succeeds.
//!
//! This module says nothing about what a bill contains.

use domain::{Doubt, Refusal};

use super::book::State;
use crate::iak::codes::{self, Meaning};

/// Which of the provider's two schemes of test numbers holds.
///
/// Products for which the scheme documents no numbers take any number of 6 to 20 digits and succeed,
/// except for the endings 0001, 0014, 0103, 1037, 1039 and 1105, which mean what they mean in the new
/// scheme; 0999 has several bills where the product can have them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NumberScheme {
    /// The last four digits are phase and response code.
    #[default]
    New,
    /// The last digit decides.
    Old,
}

/// What becomes of a customer's inquiry and payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    /// The inquiry is refused.
    Refused(Refusal),
    /// There is a bill.
    Billed {
        /// Whether there are several single bills, where the product can have them.
        several: bool,
        /// How a payment ends, or where it stays.
        payment: State,
    },
}

const INCORRECT: Course = Course::Refused(Refusal::DestinationInvalid);
const SUCCESS: Course = billed(State::Success);
const SEVERAL: Course = Course::Billed { several: true, payment: State::Success };

const fn billed(payment: State) -> Course {
    Course::Billed { several: false, payment }
}

/// Numbers that the old scheme lists for a product.
#[derive(Debug, Clone, Copy)]
enum Listed {
    /// The stem followed by one of these digits, which decides.
    Endings(&'static str, &'static str),
    /// This number succeeds, whatever its last digit.
    Succeeds(&'static str),
}

use Listed::{Endings, Succeeds};

/// The test numbers of one product code.
struct Row {
    code: &'static str,
    /// The new scheme's pattern, without the four digits that follow.
    new: Option<&'static str>,
    old: &'static [Listed],
}

const fn row(code: &'static str, new: &'static str, old: &'static [Listed]) -> Row {
    Row { code, new: Some(new), old }
}

const fn only_old(code: &'static str, old: &'static [Listed]) -> Row {
    Row { code, new: None, old }
}

/// Every documented number. Codes of one product, and the church products of one kind, share the new
/// scheme's pattern, which the reference prints for one of them only.
const TABLE: [Row; 25] = [
    row("PLNPOSTPAID", "53000000", &[Endings("53000000000", "12345678")]),
    row(
        "PLNNONH",
        "322503000",
        &[Succeeds("3225030005922"), Succeeds("1811217010329"), Succeeds("3226015008229")],
    ),
    row("PLNNONTAG", "322503000", &[Endings("322503000590", "12345678")]),
    row("BPJS", "880123456", &[Endings("880123456000", "1345678")]),
    only_old("BPJSDENDA", &[Endings("09999430110", "1345678")]),
    row(
        "BPJSTK",
        "810205101127",
        &[Endings("810205101127000", "12345678"), Succeeds("1271215712960003")],
    ),
    row("BPJSTKPU", "21030001", &[Succeeds("210300016066"), Endings("21030001600", "12345678")]),
    row("PGAS", "011001", &[Endings("011001460", "1345678")]),
    row("FNMEGA", "639160", &[Endings("639160120", "1345678")]),
    row("PDAMKOTA.SURABAYA", "1020", &[Endings("1020200", "1")]),
    row("PDAMKOTA.MEDAN", "1020", &[Endings("1020200", "2678")]),
    row("AETRA", "1020", &[Endings("1020200", "1345")]),
    row("TVTLKMV", "12724650", &[Endings("12724650010", "1345678")]),
    row("TVBIG", "107216", &[Endings("107216140", "1345678")]),
    row("HPTHREE", "0899123", &[Endings("0899123450", "1345678")]),
    row("TELKOMPSTN", "639160", &[Endings("639160120", "12345678")]),
    row("CBN", "0192", &[Succeeds("01927101"), Endings("0178300", "2345678")]),
    row("ESAMSAT.JABAR", "965854852356", &[Endings("965854852356870", "1345678")]),
    row("PBBKOT.CIMAHI", "32980109237599", &[Endings("32980109237599990", "1345678")]),
    row("SHOPEEPAY", "08210000", &[Endings("08210000000", "12345678")]),
    row("MEMBER.Shiftsoft_MMS-Perpuluhan_2022", "18", &[Endings("100", "12345678")]),
    row("NONMEMBER.Shiftsoft_MMS-Perpuluhan_2022", "19", &[Succeeds("1921"), Succeeds("1922")]),
    row("MEMBER.IAK_Church-Perpuluhan_2022", "18", &[]),
    row("NONMEMBER.IAK_Church-Perpuluhan_2022", "19", &[Endings("1920", "12345678")]),
    only_old("AIA.PREMICONVEN", &[Succeeds("10202001")]),
];

/// The endings with a row of their own in the reference.
const NAMED_ENDINGS: [&str; 8] = ["0000", "0999", "0001", "0014", "0103", "1037", "1039", "1105"];

/// What this number of this product brings about.
pub(super) fn course(scheme: NumberScheme, code: &str, number: &str) -> Course {
    let row = TABLE.iter().find(|row| row.code == code);
    match (scheme, row) {
        (NumberScheme::New, Some(Row { new: Some(stem), .. })) => by_pattern(code, stem, number),
        (NumberScheme::Old, Some(Row { old, .. })) if !old.is_empty() => by_list(old, number),
        _ => undocumented(number),
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn by_pattern(code: &str, stem: &str, number: &str) -> Course {
    match number.strip_prefix(stem) {
        Some(ending) if ending.len() == 4 && is_digits(ending) => by_ending(code, ending),
        _ => INCORRECT,
    }
}

/// Reads four digits as phase and response code.
fn by_ending(code: &str, ending: &str) -> Course {
    let several = if code == "TELKOMPSTN" { "1999" } else { "0999" };
    if ending == several {
        return SEVERAL;
    }
    let (phase, response) = ending.split_at(1);
    let Some(meaning) = response.parse().ok().and_then(codes::meaning) else { return INCORRECT };
    match (phase, meaning) {
        ("0" | "1", Meaning::Granted) => SUCCESS,
        ("0", Meaning::Refused(refusal)) => Course::Refused(refusal),
        ("0", Meaning::Open(doubt)) => Course::Refused(open_inquiry(doubt)),
        ("1", Meaning::Refused(refusal)) => billed(State::Failed(refusal)),
        ("1", Meaning::Open(doubt)) => billed(State::Pending(doubt)),
        _ => INCORRECT,
    }
}

/// An inquiry moves no money, so one that stays open is over and merely told in these words.
const fn open_inquiry(doubt: Doubt) -> Refusal {
    match doubt {
        Doubt::UndefinedError => Refusal::InquiryUndefined,
        Doubt::UndefinedResponse => Refusal::InquiryResponseUnknown,
        Doubt::InProcess | Doubt::Silent | Doubt::Contradictory | Doubt::Abandoned => {
            Refusal::InquiryPending
        }
    }
}

fn by_list(listed: &[Listed], number: &str) -> Course {
    let course = listed.iter().find_map(|listed| match listed {
        Succeeds(known) => (*known == number).then_some(SUCCESS),
        Endings(stem, digits) => {
            let ending = number.strip_prefix(stem)?;
            let mut rest = ending.chars();
            let digit = rest.next().filter(|_| rest.as_str().is_empty())?;
            digits.contains(digit).then(|| by_last_digit(digit))
        }
    });
    course.unwrap_or(INCORRECT)
}

const fn by_last_digit(digit: char) -> Course {
    match digit {
        '1' => SUCCESS,
        '2' => SEVERAL,
        '3' => Course::Refused(Refusal::SupplierTimeout),
        '4' => Course::Refused(Refusal::InvoicePaid),
        '6' => billed(State::Failed(Refusal::PaymentFailed)),
        '7' => billed(State::Pending(Doubt::InProcess)),
        '8' => billed(State::Failed(Refusal::SupplierFailed)),
        _ => INCORRECT,
    }
}

fn undocumented(number: &str) -> Course {
    if !is_digits(number) || !(6..=20).contains(&number.len()) {
        return INCORRECT;
    }
    let ending = NAMED_ENDINGS.into_iter().find(|ending| number.ends_with(ending));
    ending.map_or(SUCCESS, |ending| by_ending("", ending))
}

#[cfg(test)]
#[path = "numbers_tests.rs"]
mod tests;
