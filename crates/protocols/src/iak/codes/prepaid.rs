//! Prepaid response codes, `rc` on the wire (IAK reference, sections 10.2 and 11).
//!
//! The table is shorter than the postpaid one and knows nothing of bills, so what it cannot say
//! becomes the plain failure 07. Invariant: what has failed for good never has a code that clients
//! read as pending, and what is open never has one that they read as failed, because a client that
//! believes either buys twice or not at all.

use domain::{AttemptState, Doubt, Order, OrderState, Refusal};

use super::{Code, Meaning, code};

/// Done.
pub const SUCCESS: Code = code("00", "SUCCESS");
/// Accepted, and the outcome is open.
pub const PROCESS: Code = of_doubt(Doubt::InProcess);
/// No more mails for this eSIM today (section 7.12).
pub const MAIL_LIMIT: Code = code("301", "EMAIL SEND LIMIT REACHED");
/// A fault of ours, whose effect the client has to ask for (section 4.3). The postpaid code for it,
/// 05, was seen here with failures.
pub const FAULT: Code = of_doubt(Doubt::UndefinedResponse);

const FAILED: Code = code("07", "FAILED");

/// The code of an outcome that is open.
pub const fn of_doubt(doubt: Doubt) -> Code {
    Code { meaning: Meaning::Open(doubt), ..doubted(doubt) }
}

const fn doubted(doubt: Doubt) -> Code {
    match doubt {
        Doubt::InProcess
        | Doubt::UndefinedError
        | Doubt::Silent
        | Doubt::Contradictory
        | Doubt::Abandoned => code("39", "PROCESS"),
        Doubt::UndefinedResponse => code("201", "UNDEFINED RESPONSE CODE"),
    }
}

/// The code of a refusal.
pub const fn of_refusal(refusal: Refusal) -> Code {
    Code { meaning: Meaning::Refused(refusal), ..refused(refusal) }
}

const fn refused(refusal: Refusal) -> Code {
    match refusal {
        Refusal::OrderNotFound => code("06", "TRANSACTION NOT FOUND"),
        Refusal::DestinationLimitReached => {
            code("10", "REACH TOP UP LIMIT USING SAME DESTINATION NUMBER IN 1 DAY")
        }
        Refusal::WalletFull => code("12", "BALANCE MAXIMUM LIMIT EXCEEDED"),
        Refusal::DestinationBlocked => code("13", "CUSTOMER NUMBER BLOCKED"),
        Refusal::DestinationInvalid | Refusal::DestinationUnsupported => {
            code("14", "INCORRECT DESTINATION NUMBER")
        }
        Refusal::DestinationOperatorMismatch => code("16", "NUMBER NOT MATCH WITH OPERATOR"),
        Refusal::BalanceInsufficient => code("17", "INSUFFICIENT DEPOSIT"),
        // What a merchant may not buy is not on its price list either.
        Refusal::ProductUnknown | Refusal::ProductNotAllowed => code("20", "CODE NOT FOUND"),
        Refusal::DateIntervalTooLong => code("43", "DATE INTERVAL CANNOT MORE THAN 31 DAYS"),
        Refusal::AddressNotAllowed => code("102", "INVALID IP ADDRESS"),
        // The table has no code for closing hours.
        Refusal::ProductUnavailable | Refusal::CutOff => {
            code("106", "PRODUCT IS TEMPORARILY OUT OF SERVICE")
        }
        Refusal::RequestMalformed => code("107", "ERROR IN XML FORMAT"),
        Refusal::Maintenance => code("110", "SYSTEM UNDER MAINTENANCE"),
        Refusal::PathUnknown => code("117", "PAGE NOT FOUND"),
        Refusal::AccountSuspended => code("118", "ACCOUNT SUSPENDED"),
        Refusal::PlayerUnknown => code("141", "INVALID USER ID / ZONE ID / SERVER ID / ROLENAME"),
        Refusal::InquiryNotNeeded => code("143", "INQUIRY NOT NEEDED"),
        Refusal::InquiryResponseUnknown => doubted(Doubt::UndefinedResponse),
        Refusal::InquiryPending => doubted(Doubt::InProcess),
        Refusal::ProductRepeated => code("202", "MAXIMUM 1 NUMBER 1 TIME IN 1 DAY"),
        Refusal::DestinationTooLong => code("203", "NUMBER IS TOO LONG"),
        Refusal::SignatureInvalid => code("204", "WRONG AUTHENTICATION"),
        Refusal::CommandUnknown => code("205", "WRONG COMMAND"),
        Refusal::CustomerBlocked => code("206", "THIS DESTINATION NUMBER HAS BEEN BLOCKED"),
        Refusal::DestinationRepeated => {
            code("207", "MAXIMUM 1 NUMBER WITH ANY CODE 1 TIME IN 1 DAY")
        }
        // A top-up under the reference of a bill, among others: there is no code for a duplicate.
        Refusal::ReferenceMalformed | Refusal::ReferenceUsed | Refusal::AmountInvalid => {
            code("208", "INVALID DATA")
        }
        // This API knows nothing of bills.
        Refusal::InquiryUndefined
        | Refusal::QuoteExpired
        | Refusal::BillUnpaid
        | Refusal::InvoicePaid
        | Refusal::PaymentFailedBefore
        | Refusal::BillNotAvailable
        | Refusal::BillPaid
        | Refusal::CounterOnly
        | Refusal::BillTooLarge
        | Refusal::AllPeriodsRequired
        | Refusal::OtherArrears
        | Refusal::DueDateExceeded
        | Refusal::ArrearsPartlyPaid
        | Refusal::BillerOnly
        | Refusal::InquiryFailed
        | Refusal::TransactionFailed
        | Refusal::PaymentFailed
        | Refusal::PaymentNotReceived
        | Refusal::TryAgainLater
        | Refusal::SupplierDatabaseFailed
        | Refusal::SupplierGeneralError
        | Refusal::ServiceExpired
        | Refusal::SupplierTimeout
        | Refusal::SupplierFailed
        // Nor has this API money in or out.
        | Refusal::ChannelUnknown
        | Refusal::ChannelUnavailable
        | Refusal::CurrencyNotSupported
        | Refusal::BankUnknown
        | Refusal::AmountFractional
        | Refusal::TimestampInvalid
        | Refusal::ParameterMissing
        | Refusal::BranchCodeInvalid
        | Refusal::PaymentNotFound
        | Refusal::PayerReferenceUsed
        | Refusal::PaymentAbandoned => FAILED,
    }
}

/// The code of a refusal about something in a game. Where nothing but a user identifies a player, the
/// table has a code of its own.
pub const fn of_game_refusal(refusal: Refusal, user_alone: bool) -> Code {
    match refusal {
        Refusal::PlayerUnknown if user_alone => code("142", "INVALID USER ID"),
        _ => of_refusal(refusal),
    }
}

/// The code of a top-up that failed for good.
pub const fn failure(refusal: Refusal, user_alone: bool) -> Code {
    match refusal {
        Refusal::InquiryResponseUnknown | Refusal::InquiryPending => FAILED,
        _ => of_game_refusal(refusal, user_alone),
    }
}

/// Where a top-up stands: `status` and `rc` (section 11). `None` for states that no top-up is in.
pub fn standing(order: &Order) -> Option<(i64, Code)> {
    match order.state {
        OrderState::Processing => Some((0, of_doubt(doubt(order)))),
        OrderState::Succeeded => Some((1, SUCCESS)),
        OrderState::Failed(refusal) => {
            Some((2, failure(refusal, !order.destination.contains('|'))))
        }
        OrderState::Declined(_)
        | OrderState::Quoted
        | OrderState::Awaiting
        | OrderState::Expired => None,
    }
}

/// Why an outcome is open. A call that is still under way is in process.
fn doubt(order: &Order) -> Doubt {
    match order.attempt().map(|attempt| attempt.state) {
        Some(AttemptState::Unknown(doubt)) => doubt,
        _ => Doubt::InProcess,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The codes of section 10.2 that are said, besides 00 and 301. Those that are not: 05 is in no
    /// table and was seen once; 18, 19, 21, 121, 131 and 132 are a supplier's findings that the
    /// gateway has no word for.
    const SAID: [&str; 28] = [
        "06", "07", "10", "12", "13", "14", "16", "17", "20", "39", "43", "102", "106", "107",
        "110", "117", "118", "141", "142", "143", "201", "202", "203", "204", "205", "206", "207",
        "208",
    ];

    #[test]
    fn these_codes_are_said_and_no_others() {
        let refusals = Refusal::ALL.iter().copied();
        let of_games = refusals.clone().map(|refusal| of_game_refusal(refusal, true));
        let said: BTreeSet<_> = refusals
            .map(of_refusal)
            .chain(of_games)
            .chain(Doubt::ALL.map(of_doubt))
            .map(|code| code.code)
            .collect();
        assert_eq!(said, BTreeSet::from(SAID));
    }

    #[test]
    fn what_failed_never_looks_pending_or_done_and_what_is_open_never_failed() {
        for refusal in Refusal::ALL {
            for user_alone in [false, true] {
                let code = failure(*refusal, user_alone).code;
                assert!(!["00", "39", "201"].contains(&code), "{refusal:?} is {code}");
            }
        }
        for doubt in Doubt::ALL {
            assert!(["39", "201"].contains(&of_doubt(doubt).code), "{doubt:?}");
        }
    }
}
