//! What the sandbox makes of a protocol, a mode and a number: how an order ends, and what proof is
//! handed over.
//!
//! * IAK's bills follow its documented test numbers (`numbers`); its top-ups stay pending until
//!   somebody decides them, or for as long as the sandbox was told (IAK reference, section 12.3).
//! * isikuota's orders and bills succeed at once, unless the number ends in `0037`, which fails, or
//!   in `0039`, which stays pending.
//! * Payers of ilenpay's collections have paid as soon as somebody asks, unless they were said to pay from
//!   a number that ends in `81200000404` (ilenpay reference, section 9). Those of S88pay and its payouts go by the last two
//!   digits of the amount: `01` fails, `02` stays pending, `04` needs a person, anything else
//!   succeeds, where a payer has to tell something first as soon as that is told (S88pay reference,
//!   section 15). On a hosted page the buttons decide.
//! * Test orders always succeed, with the figures of the isikuota reference (section 10).

use domain::{Bill, Currency, Detail, Doubt, Kind, Mode, Order, Period, ProtocolName, Refusal};
use gateway::collect::told;
use gateway::ports::{Moment, PayerDoes};

use super::book::State;
use super::demo::{Goods, goods};
use super::draws::{self, Draws};
use super::numbers::{self, Course, NumberScheme};
use crate::iak;

const ILENPAY: &str = "ilenpay";
/// The end of a number from which nothing ever came.
const NEVER_FOUND: &str = "81200000404";
/// How the variants of S88pay begin in which the payer is shown a page of ours.
const HOSTED: &str = "v2";

const TEST_TOP_UP_PROOF: &str = "1234-5678-9012-3456";
const TEST_BILL_PROOF: &str = "S1234554321N";
const TEST_CUSTOMER: &str = "Demo Member";
const TEST_NOMINAL: u32 = 22_500;

/// What becomes of a customer's inquiry and payment of a bill. `code` is IAK's.
pub(super) fn bill_course(
    scheme: NumberScheme,
    protocol: &ProtocolName,
    mode: Mode,
    code: &str,
    number: &str,
) -> Course {
    let billed = |payment| Course::Billed { several: false, payment };
    match mode {
        Mode::Test => billed(State::Success),
        Mode::Live if protocol.as_str() == iak::NAME => numbers::course(scheme, code, number),
        Mode::Live => billed(by_ending(number)),
    }
}

/// How a top-up ends, or where it stays.
pub(super) fn top_up_course(order: &Order) -> State {
    match order.key.mode {
        Mode::Test => State::Success,
        Mode::Live if order.key.protocol.as_str() == iak::NAME => State::Pending(Doubt::InProcess),
        Mode::Live => by_ending(&order.destination),
    }
}

fn by_ending(number: &str) -> State {
    if number.ends_with("0037") {
        State::Failed(Refusal::TransactionFailed)
    } else if number.ends_with("0039") {
        State::Pending(Doubt::InProcess)
    } else {
        State::Success
    }
}

/// How a payout ends, or where it stays.
pub(super) fn payout_course(order: &Order) -> State {
    let amount = order.quote.map_or(0, |quote| quote.nominal.minor());
    match amount.rem_euclid(100) {
        1 => State::Failed(Refusal::TransactionFailed),
        2 | 4 => State::Pending(Doubt::InProcess),
        _ => State::Success,
    }
}

/// What the payer of a collection does.
pub(super) fn payer(order: &Order, moment: Moment) -> PayerDoes {
    let Some(collecting) = &order.collecting else { return PayerDoes::Nothing };
    if order.key.protocol.as_str() == ILENPAY {
        return match (moment, collecting.particulars.get(told::SENDER)) {
            (Moment::PressedPay, _) | (Moment::Told, None) => PayerDoes::Pays,
            (Moment::PressedFail, _) => PayerDoes::GivesUp,
            (Moment::Told, Some(Detail::Text(sender))) if !sender.ends_with(NEVER_FOUND) => {
                PayerDoes::Pays
            }
            _ => PayerDoes::Nothing,
        };
    }
    let hosted = order.dialect.starts_with(HOSTED);
    let currency = collecting.gross.currency();
    let tells_first =
        matches!(currency, Currency::Inr | Currency::Bdt | Currency::Krw | Currency::Mmk);
    match (moment, collecting.gross.minor().rem_euclid(100)) {
        (Moment::PressedPay, _) => PayerDoes::Pays,
        (Moment::PressedFail, _) => PayerDoes::GivesUp,
        (Moment::Opened, _) if hosted => PayerDoes::Nothing,
        (_, 1) => PayerDoes::GivesUp,
        (_, 2) => PayerDoes::Nothing,
        (_, 4) => PayerDoes::NeedsReview,
        (Moment::Opened, _) if tells_first => PayerDoes::Nothing,
        (Moment::Opened | Moment::Told, _) => PayerDoes::Pays,
    }
}

/// The bill of a test inquiry, with the particulars of the kind of bill that was asked for.
pub(super) fn test_bill(bill: Bill) -> Bill {
    Bill {
        customer_name: TEST_CUSTOMER.to_owned(),
        nominal: domain::Amount::rupiah(TEST_NOMINAL),
        count: 1,
        period: Period::None,
        ..bill
    }
}

/// The proof of an order that succeeded, made of what the book has.
pub(super) fn proof(order: &Order, seed: u64, serial: [u8; 16]) -> String {
    if order.kind == Kind::Payout {
        return digits(&serial, 12);
    }
    match (order.key.mode, order.is_top_up()) {
        (Mode::Test, true) => TEST_TOP_UP_PROOF.to_owned(),
        (Mode::Test, false) => TEST_BILL_PROOF.to_owned(),
        (Mode::Live, false) => draws::written(serial),
        (Mode::Live, true) => top_up_proof(order, seed, serial),
    }
}

/// Proofs have the forms of the IAK reference, section 13.5.
fn top_up_proof(order: &Order, seed: u64, serial: [u8; 16]) -> String {
    let number = order.destination.as_str();
    let draws = Draws { seed, product: order.product.as_str(), number };
    let customer = draws.pick("name", &["BUDI CONTOH", "SITI CONTOH", "AGUS CONTOH"]);
    let kind = goods(order.product.as_str()).map_or(Goods::Credit, |(goods, _)| goods);
    match kind {
        Goods::Credit => digits(&serial, 16),
        Goods::Wallet => format!("{customer} {}", digits(&serial, 12)),
        Goods::Game => grouped(&letters(&serial)),
        Goods::Voucher => {
            format!("{} / 2030-12-31", letters(&serial).get(..12).unwrap_or_default())
        }
        Goods::Token => {
            let token = grouped(&digits(&serial, 20));
            let power = draws.pick("power", &["000000900", "000001300", "000002200"]);
            let tenths = draws.between("energy", 120, 690, 1);
            format!("{token}/{customer}/R1 /{power}/{}.{}", tenths / 10, tenths % 10)
        }
    }
}

fn digits(serial: &[u8], count: usize) -> String {
    serial.iter().cycle().take(count).zip(0_u8..).map(digit).collect()
}

fn digit((byte, place): (&u8, u8)) -> char {
    char::from(b'0' + byte.wrapping_add(place) % 10)
}

/// Sixteen letters and digits that nobody confuses.
fn letters(serial: &[u8; 16]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    serial.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}

/// Fours, joined by dashes.
fn grouped(text: &str) -> String {
    let fours: Vec<&str> = (0..text.len())
        .step_by(4)
        .filter_map(|from| text.get(from..text.len().min(from + 4)))
        .collect();
    fours.join("-")
}
