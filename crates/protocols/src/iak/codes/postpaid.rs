//! Postpaid response codes: every refusal and outcome to its code and text (IAK reference,
//! sections 10.1, 11 and 15.4).
//!
//! The texts of codes 42, 39 and 37 are those seen on the wire, in Indonesian; the others are the
//! table's. There is no wildcard arm: a new refusal does not compile before its code is chosen.

use domain::{Doubt, Refusal};

pub use gateway::exchanges::Meaning;

use super::{Code, code};

/// An inquiry brought a bill.
pub const INQUIRY_SUCCESS: Code = code("00", "INQUIRY SUCCESS");
/// A bill is paid.
pub const PAYMENT_SUCCESS: Code = code("00", "PAYMENT SUCCESS");
/// A quote was never paid, as `checkstatus` says it (section 5.4).
pub const NOT_RECEIVED: Code = of_refusal(Refusal::PaymentNotReceived);
/// A fault of ours, whose effect the client has to ask for (section 4.3).
pub const FAULT: Code = of_doubt(Doubt::UndefinedError);

/// The code of an outcome that is open.
pub const fn of_doubt(doubt: Doubt) -> Code {
    Code { meaning: Meaning::Open(doubt), ..doubted(doubt) }
}

const fn doubted(doubt: Doubt) -> Code {
    match doubt {
        Doubt::InProcess | Doubt::Silent | Doubt::Contradictory | Doubt::Abandoned => {
            code("39", "PENDING / TRANSAKSI SEDANG DIPROSES")
        }
        Doubt::UndefinedError => code("05", "UNDEFINED ERROR"),
        Doubt::UndefinedResponse => code("201", "UNDEFINED RESPONSE CODE"),
    }
}

/// The code of a refusal.
pub const fn of_refusal(refusal: Refusal) -> Code {
    Code { meaning: Meaning::Refused(refusal), ..refused(refusal) }
}

const fn refused(refusal: Refusal) -> Code {
    match refusal {
        Refusal::InvoicePaid | Refusal::BillPaid => of_paid(refusal),
        Refusal::BillUnpaid => code("02", "BILL UNPAID"),
        Refusal::ReferenceMalformed => code("03", "INVALID REF ID"),
        Refusal::QuoteExpired => code("04", "BILLING ID EXPIRED"),
        Refusal::InquiryUndefined => doubted(Doubt::UndefinedError),
        Refusal::OrderNotFound => code("06", "INQUIRY ID NOT FOUND"),
        Refusal::TransactionFailed => code("07", "TRANSACTION FAILED"),
        Refusal::CustomerBlocked => code("08", "BILLING ID BLOCKED"),
        Refusal::InquiryFailed => code("09", "INQUIRY FAILED"),
        Refusal::BillNotAvailable => code("10", "BILL IS NOT AVAILABLE"),
        Refusal::ReferenceUsed => code("11", "DUPLICATE REF ID"),
        Refusal::DestinationBlocked => code("13", "CUSTOMER NUMBER BLOCKED"),
        Refusal::DestinationInvalid => code("14", "INCORRECT DESTINATION NUMBER"),
        Refusal::DestinationUnsupported => code("15", "NUMBER THAT YOU ENTERED IS NOT SUPPORTED"),
        Refusal::DestinationOperatorMismatch => code("16", "NUMBER DOESN'T MATCH THE OPERATOR"),
        Refusal::BalanceInsufficient => code("17", "BALANCE NOT ENOUGH"),
        Refusal::ProductUnknown => code("20", "PRODUCT UNREGISTERED"),
        Refusal::CounterOnly => code("30", "PAYMENT HAVE TO BE DONE VIA COUNTER / PDAM"),
        Refusal::BillTooLarge => {
            code("31", "TRANSACTION REJECTED DUE TO EXCEEDING MAXIMAL TOTAL BILL ALLOWED")
        }
        Refusal::AllPeriodsRequired => {
            code("32", "TRANSACTION FAILED, PLEASE PAY BILL OF ALL PERIOD")
        }
        Refusal::TryAgainLater => {
            code("33", "TRANSACTION CAN'T BE PROCESS, PLEASE TRY AGAIN LATER")
        }
        Refusal::OtherArrears => code("35", "TRANSACTION REJECTED DUE TO ANOTHER UNPAID ARREAR"),
        Refusal::DueDateExceeded => {
            code("36", "EXCEEDING DUE DATE, PLEASE PAY IN THE COUNTER / PDAM")
        }
        Refusal::PaymentFailed => code("37", "PEMBAYARAN GAGAL"),
        Refusal::PaymentFailedBefore => code("38", "PAYMENT FAILED, PLEASE DO ANOTHER REQUEST"),
        Refusal::InquiryPending => doubted(Doubt::InProcess),
        Refusal::ArrearsPartlyPaid => {
            code("40", "TRANSACTION REJECTED DUE TO ALL OR ONE OF THE ARREAR/INVOICE HAS BEEN PAID")
        }
        Refusal::BillerOnly => {
            code("41", "CAN'T BE PAID IN COUNTER, PLEASE PAY TO THE CORRESPONDING COMPANY")
        }
        Refusal::PaymentNotReceived => code("42", "REQUEST PEMBAYARAN BELUM DITERIMA"),
        Refusal::DateIntervalTooLong => code("43", "DATE INTERVAL CANNOT MORE THAN 31 DAYS"),
        Refusal::SupplierDatabaseFailed => code("91", "DATABASE CONNECTION ERROR"),
        Refusal::SupplierGeneralError => code("92", "GENERAL ERROR"),
        Refusal::AmountInvalid => code("93", "INVALID AMOUNT"),
        Refusal::ServiceExpired => code("94", "SERVICE HAS EXPIRED"),
        Refusal::SignatureInvalid => code("100", "INVALID SIGNATURE"),
        Refusal::CommandUnknown => code("101", "INVALID COMMAND"),
        Refusal::AddressNotAllowed => code("102", "INVALID IP ADDRESS"),
        Refusal::SupplierTimeout => code("103", "TIMEOUT"),
        Refusal::SupplierFailed => code("105", "MISC ERROR / BILLER SYSTEM ERROR"),
        Refusal::ProductUnavailable => code("106", "PRODUCT IS TEMPORARILY OUT OF SERVICE"),
        Refusal::RequestMalformed => code("107", "XML FORMAT ERROR"),
        Refusal::ProductNotAllowed => {
            code("108", "SORRY, YOUR ID CAN'T BE USED FOR THIS PRODUCT TRANSACTION")
        }
        Refusal::CutOff => code("109", "SYSTEM CUT OFF"),
        Refusal::Maintenance => code("110", "SYSTEM UNDER MAINTENANCE"),
        Refusal::PathUnknown => code("117", "PAGE NOT FOUND"),
        Refusal::AccountSuspended => code("118", "ACCOUNT SUSPENDED"),
        Refusal::InquiryResponseUnknown => doubted(Doubt::UndefinedResponse),
        // Top-ups are refused so, bills never; what follows is the nearest that this table has.
        Refusal::ProductRepeated
        | Refusal::DestinationRepeated
        | Refusal::DestinationLimitReached
        | Refusal::WalletFull => refused(Refusal::TryAgainLater),
        Refusal::DestinationTooLong | Refusal::PlayerUnknown => {
            refused(Refusal::DestinationInvalid)
        }
        Refusal::InquiryNotNeeded => refused(Refusal::CommandUnknown),
        // Nor has this API money in or out.
        Refusal::ChannelUnknown => refused(Refusal::ProductUnknown),
        Refusal::ChannelUnavailable => refused(Refusal::ProductUnavailable),
        Refusal::CurrencyNotSupported => refused(Refusal::ProductNotAllowed),
        Refusal::BankUnknown | Refusal::BranchCodeInvalid => refused(Refusal::DestinationInvalid),
        Refusal::AmountFractional => refused(Refusal::AmountInvalid),
        Refusal::TimestampInvalid | Refusal::ParameterMissing => refused(Refusal::RequestMalformed),
        Refusal::PaymentNotFound => refused(Refusal::OrderNotFound),
        Refusal::PayerReferenceUsed => refused(Refusal::ReferenceUsed),
        Refusal::PaymentAbandoned => refused(Refusal::PaymentFailed),
    }
}

/// The API has two codes for *paid*: 01 for an invoice without anything left to pay, 34 for a bill
/// that somebody else has paid.
const fn of_paid(refusal: Refusal) -> Code {
    if matches!(refusal, Refusal::InvoicePaid) {
        code("01", "INVOICE HAS BEEN PAID")
    } else {
        code("34", "BILL HAS BEEN PAID")
    }
}

/// What this code means for a payment when it is an upstream that says it; `None` for a code that the table does not have. Codes with
/// leading zeros are compared as numbers: `00`, `14`, `103`.
pub fn meaning(number: u16) -> Option<Meaning> {
    if number == 0 {
        return Some(Meaning::Granted);
    }
    let is = |code: Code| code.code.parse() == Ok(number);
    let open = [Doubt::InProcess, Doubt::UndefinedError, Doubt::UndefinedResponse];
    if let Some(doubt) = open.into_iter().find(|doubt| is(of_doubt(*doubt))) {
        return Some(Meaning::Open(doubt));
    }
    let refusal = Refusal::ALL.iter().copied().find(|refusal| is(of_refusal(*refusal)));
    refusal.map(Meaning::Refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 48 codes of section 10.1 besides success.
    const TABLE: [&str; 48] = [
        "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "13", "14", "15", "16",
        "17", "20", "30", "31", "32", "33", "34", "35", "36", "37", "38", "39", "40", "41", "42",
        "43", "91", "92", "93", "94", "100", "101", "102", "103", "105", "106", "107", "108",
        "109", "110", "117", "118", "201",
    ];

    #[test]
    fn every_code_of_the_table_can_be_said_and_understood() {
        for code in TABLE {
            let number = code.parse().expect("a number");
            let said = match meaning(number).expect("in the table") {
                Meaning::Granted => INQUIRY_SUCCESS,
                Meaning::Open(doubt) => of_doubt(doubt),
                Meaning::Refused(refusal) => of_refusal(refusal),
            };
            assert_eq!(said.code, code);
        }
        assert_eq!(meaning(0), Some(Meaning::Granted));
    }

    #[test]
    fn nothing_else_is_a_code() {
        let known = (0..1000).filter(|number| meaning(*number).is_some()).count();
        assert_eq!(known, TABLE.len() + 1);
    }
}
