//! Every refusal as this API's code and text (S88pay reference, section 13.1).
//!
//! One number means something else for deposits and for payouts. The texts are constants of the wire,
//! the vendor's slips included. Every refusal is mapped, so that a new one does not compile until it has
//! been decided how it is said here.

use domain::{Flow, Refusal};
use http::StatusCode;

/// A code with its texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code {
    /// The number.
    pub(crate) number: u16,
    /// What a deposit is told, without prefix and number.
    pub(crate) deposit: &'static str,
    /// What a payout is told, without prefix; the number stands in it.
    pub(crate) payout: &'static str,
    /// The HTTP status, which the vendor does not document.
    pub(crate) status: StatusCode,
}

const fn code(
    number: u16,
    deposit: &'static str,
    payout: &'static str,
    status: StatusCode,
) -> Code {
    Code { number, deposit, payout, status }
}

/// A parameter is missing, empty, or cannot be used.
pub(crate) const INCOMPLETE: Code = code(
    109,
    "Incomplete parameter",
    "Incomplete parameter!, error code 109",
    StatusCode::BAD_REQUEST,
);
/// Of a deposit: the bank or the channel is unknown. Of a payout: the channel is unknown.
pub(crate) const METHOD_UNKNOWN: Code = code(
    110,
    "Invalid Bank ID",
    "Payout Method Not Available, error code 110,",
    StatusCode::BAD_REQUEST,
);
/// The merchant's name for the transaction is taken.
pub(crate) const CODE_USED: Code = code(
    111,
    "Invalid Transaction Code ( not unique )",
    "Invalid Transaction Code ( not unique )!, error code 111",
    StatusCode::BAD_REQUEST,
);
/// The timestamp is too far from our clock.
pub(crate) const TIMESTAMP: Code =
    code(112, "Invalid Timestamp", "Invalid Timestamp!, error code 112", StatusCode::BAD_REQUEST);
/// Of a deposit: it is over. Of a payout: the channel has no rate for the merchant's currency.
pub(crate) const PROCESSED_OR_NO_RATE: Code = code(
    113,
    "Invalid Transaction. The transaction is already processed",
    "Currency rate is not supported for your merchant currency at this moment!, error code 113",
    StatusCode::BAD_REQUEST,
);
/// Of a deposit: nothing receives this currency. Of a payout: it is not the merchant's currency.
pub(crate) const CURRENCY: Code = code(
    114,
    "Active bank account is not found",
    "Currency of payment method is not supported for your merchant!, error code 114",
    StatusCode::BAD_REQUEST,
);
/// Nobody has that merchant code, or the key is not that merchant's; which, is never told.
pub(crate) const KEY_OR_MERCHANT: Code = code(
    115,
    "Invalid Key / Merchant code",
    "Invalid Key / Merchant code!, error code 115",
    StatusCode::UNAUTHORIZED,
);
/// The bank or the channel is closed for now.
pub(crate) const MAINTENANCE: Code = code(
    116,
    "Bank is under maintenance",
    "Payout method is under maintenance!, error code 116",
    StatusCode::SERVICE_UNAVAILABLE,
);
/// We or the supplier failed.
pub(crate) const SERVER_ERROR: Code = code(
    117,
    "Server Error for this payout method !",
    "Server error for this payout method!, error code 117",
    StatusCode::INTERNAL_SERVER_ERROR,
);
/// There is no key, or it is no Base64 of whole blocks.
pub(crate) const KEY_FORMAT: Code = code(
    118,
    "Format Key Paramater Invalid",
    "Format Key parameter invalid!, error code 118",
    StatusCode::BAD_REQUEST,
);
/// The balance does not cover amount and fee.
pub(crate) const BALANCE: Code = code(
    119,
    "Insufficient Balance",
    "Insufficient Balance!, error code 119",
    StatusCode::BAD_REQUEST,
);
/// An Indian bank's branch is not written as one.
pub(crate) const IFSC: Code = code(
    120,
    "Invalid IFSC Code! Please try again",
    "Invalid IFSC Code! Please try again, error code 120",
    StatusCode::BAD_REQUEST,
);
/// The bank to pay out to is unknown.
pub(crate) const BANK_UNKNOWN: Code = code(
    121,
    "Withdraw Bank not found!",
    "Withdraw Bank not found!, error code 121",
    StatusCode::BAD_REQUEST,
);
/// A part of a unit in a currency that has none.
pub(crate) const FRACTION: Code = code(
    122,
    "Amount cannot has decimal number, please try again!",
    "Amount cannot has decimal number, please try again! error code 122",
    StatusCode::BAD_REQUEST,
);
/// The payout could not be stored.
pub(crate) const NOT_STORED: Code = code(
    123,
    "Request Withdrawal Failed! Please Try Again",
    "Request Withdrawal Failed! Please Try Again, error code 123",
    StatusCode::INTERNAL_SERVER_ERROR,
);
/// The caller's address is not on the merchant's list.
pub(crate) const ADDRESS_BLOCKED: Code = code(
    124,
    "Your IP address has been blocked",
    "Your IP address has been blocked, error code 124",
    StatusCode::FORBIDDEN,
);
/// Nothing was done; the same may be sent again.
pub(crate) const UNREACHABLE: Code = code(
    131,
    "There are problem to connect payout account, please try again!",
    "There are problem to connect payout account, please try again!, error code 131",
    StatusCode::SERVICE_UNAVAILABLE,
);

/// The code of a refusal, for money going this way.
pub(crate) fn of_refusal(refusal: Refusal, flow: Flow) -> Code {
    use Refusal as R;
    match refusal {
        R::RequestMalformed
        | R::ReferenceMalformed
        | R::AmountInvalid
        | R::ParameterMissing
        | R::BranchCodeInvalid
        | R::DateIntervalTooLong
        | R::DestinationInvalid
        | R::DestinationUnsupported
        | R::DestinationOperatorMismatch
        | R::DestinationTooLong
        | R::PlayerUnknown => INCOMPLETE,
        R::ChannelUnknown | R::ProductUnknown | R::ProductNotAllowed => METHOD_UNKNOWN,
        R::ReferenceUsed | R::PayerReferenceUsed => CODE_USED,
        R::TimestampInvalid => TIMESTAMP,
        R::InvoicePaid
        | R::BillPaid
        | R::PaymentAbandoned
        | R::PaymentFailedBefore
        | R::QuoteExpired => PROCESSED_OR_NO_RATE,
        R::CurrencyNotSupported => match flow {
            Flow::In => CURRENCY,
            Flow::Out => PROCESSED_OR_NO_RATE,
        },
        R::SignatureInvalid | R::AccountSuspended => KEY_OR_MERCHANT,
        R::AddressNotAllowed => ADDRESS_BLOCKED,
        R::ChannelUnavailable
        | R::ProductUnavailable
        | R::CutOff
        | R::Maintenance
        | R::ServiceExpired => MAINTENANCE,
        R::BalanceInsufficient => BALANCE,
        R::BankUnknown => match flow {
            Flow::In => METHOD_UNKNOWN,
            Flow::Out => BANK_UNKNOWN,
        },
        R::AmountFractional => match flow {
            Flow::In => INCOMPLETE,
            Flow::Out => FRACTION,
        },
        R::TryAgainLater | R::SupplierDatabaseFailed => match flow {
            Flow::In => SERVER_ERROR,
            Flow::Out => UNREACHABLE,
        },
        R::CommandUnknown
        | R::PathUnknown
        | R::OrderNotFound
        | R::BillUnpaid
        | R::DestinationBlocked
        | R::CustomerBlocked
        | R::BillNotAvailable
        | R::CounterOnly
        | R::BillTooLarge
        | R::AllPeriodsRequired
        | R::OtherArrears
        | R::DueDateExceeded
        | R::ArrearsPartlyPaid
        | R::BillerOnly
        | R::InquiryFailed
        | R::TransactionFailed
        | R::PaymentFailed
        | R::PaymentNotReceived
        | R::SupplierGeneralError
        | R::SupplierTimeout
        | R::SupplierFailed
        | R::InquiryUndefined
        | R::InquiryResponseUnknown
        | R::InquiryPending
        | R::PaymentNotFound
        | R::ProductRepeated
        | R::DestinationRepeated
        | R::DestinationLimitReached
        | R::WalletFull
        | R::InquiryNotNeeded => SERVER_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Code; 17] = [
        INCOMPLETE,
        METHOD_UNKNOWN,
        CODE_USED,
        TIMESTAMP,
        PROCESSED_OR_NO_RATE,
        CURRENCY,
        KEY_OR_MERCHANT,
        MAINTENANCE,
        SERVER_ERROR,
        KEY_FORMAT,
        BALANCE,
        IFSC,
        BANK_UNKNOWN,
        FRACTION,
        NOT_STORED,
        ADDRESS_BLOCKED,
        UNREACHABLE,
    ];

    /// Clients find the number by `error code` and three digits (section 13.3).
    #[test]
    fn every_payout_text_has_its_number_once() {
        for code in ALL {
            let wanted = format!("error code {}", code.number);
            assert_eq!(code.payout.matches(&wanted).count(), 1, "{code:?}");
            assert!(!code.deposit.contains("error code"), "{code:?}");
        }
    }

    #[test]
    fn every_number_has_one_row() {
        let numbers: Vec<u16> = ALL.iter().map(|code| code.number).collect();
        let expected: Vec<u16> = (109..=124).chain([131]).collect();
        assert_eq!(numbers, expected);
    }

    #[test]
    fn every_refusal_is_one_of_the_rows() {
        for refusal in Refusal::ALL {
            for flow in [Flow::In, Flow::Out] {
                assert!(ALL.contains(&of_refusal(*refusal, flow)), "{refusal:?}");
            }
        }
    }

    #[test]
    fn one_number_means_something_else_each_way() {
        let currency = |flow| of_refusal(Refusal::CurrencyNotSupported, flow).number;
        assert_eq!((currency(Flow::In), currency(Flow::Out)), (114, 113));
        let bank = |flow| of_refusal(Refusal::BankUnknown, flow).number;
        assert_eq!((bank(Flow::In), bank(Flow::Out)), (110, 121));
    }
}
