//! Every reason for which an order or a request is turned down: one closed list.
//!
//! A refusal is the merchant's business and no fault of ours. Each protocol maps the whole list to
//! its own codes without a wildcard, so that a new refusal does not compile until every protocol
//! has decided how to say it. Unknown outcomes are no refusals; see [`crate::order::Doubt`].

use thiserror::Error;

macro_rules! refusals {
    ($($(#[$documentation:meta])* $name:ident = $text:literal,)*) => {
        /// Why something was turned down.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Error)]
        pub enum Refusal {
            $(
                $(#[$documentation])*
                #[error($text)]
                $name,
            )*
        }

        impl Refusal {
            /// Every refusal, in the order in which they are declared.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// A stable name for storage and logs.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }
        }
    };
}

refusals! {
    // What the caller sent.
    /// The body is not in the protocol's format, or a field is missing or of the wrong type.
    RequestMalformed = "request is malformed",
    /// No such command.
    CommandUnknown = "command is unknown",
    /// No such address.
    PathUnknown = "path is unknown",
    /// The signature is wrong, or nobody has that name; the two are never told apart.
    SignatureInvalid = "signature is invalid",
    /// The caller's network address is not on the merchant's list.
    AddressNotAllowed = "network address is not allowed",
    /// The merchant may not deal.
    AccountSuspended = "account is suspended",
    /// The reference has a forbidden form.
    ReferenceMalformed = "reference has a forbidden form",
    /// The reference is taken.
    ReferenceUsed = "reference is already used",
    /// The amount in the request cannot be dealt in.
    AmountInvalid = "amount is invalid",
    /// A range of days is longer than can be asked for.
    DateIntervalTooLong = "date interval is longer than 31 days",

    // What is bought.
    /// No such product.
    ProductUnknown = "product is unknown",
    /// The product is switched off.
    ProductUnavailable = "product is temporarily unavailable",
    /// This merchant may not buy this product.
    ProductNotAllowed = "product is not allowed for this account",
    /// The product is closed at this time of the day.
    CutOff = "product is closed at this hour",
    /// We are closed.
    Maintenance = "system is under maintenance",

    // The merchant's order and balance.
    /// No such order, or somebody else's.
    OrderNotFound = "order is not found",
    /// The quote can no longer be paid.
    QuoteExpired = "quote has expired",
    /// The order was inquired and never paid.
    BillUnpaid = "bill is not paid",
    /// The order is paid.
    InvoicePaid = "invoice has been paid",
    /// The order's payment failed; a new inquiry is needed.
    PaymentFailedBefore = "payment has failed, a new request is needed",
    /// The balance does not cover the price.
    BalanceInsufficient = "balance is not enough",

    // What the supplier says of the customer's number.
    /// The number is wrong.
    DestinationInvalid = "destination number is incorrect",
    /// The number is right and not for this product.
    DestinationUnsupported = "destination number is not supported",
    /// The number belongs to another operator.
    DestinationOperatorMismatch = "destination number belongs to another operator",
    /// The number is blocked.
    DestinationBlocked = "destination number is blocked",
    /// The customer is blocked for this product.
    CustomerBlocked = "customer is blocked for this product",

    // What the supplier says of the bill.
    /// There is no bill yet.
    BillNotAvailable = "bill is not available",
    /// Somebody has paid the bill.
    BillPaid = "bill has been paid",
    /// The bill can only be paid in person.
    CounterOnly = "bill has to be paid at the counter",
    /// The bill is larger than may be paid.
    BillTooLarge = "bill exceeds the highest total allowed",
    /// Only all periods together can be paid.
    AllPeriodsRequired = "bills of all periods have to be paid",
    /// Another debt has to be paid first.
    OtherArrears = "another arrear is unpaid",
    /// The due date has passed; only the counter takes it.
    DueDateExceeded = "due date has passed",
    /// Some of what was quoted has been paid meanwhile.
    ArrearsPartlyPaid = "one of the arrears has been paid",
    /// Only the biller itself takes this payment.
    BillerOnly = "bill has to be paid to the company",

    // What the supplier says of itself.
    /// The inquiry failed.
    InquiryFailed = "inquiry has failed",
    /// The transaction failed, without a reason.
    TransactionFailed = "transaction has failed",
    /// The payment failed.
    PaymentFailed = "payment has failed",
    /// The payment never reached the supplier.
    PaymentNotReceived = "payment request has not been received",
    /// Not now.
    TryAgainLater = "transaction cannot be processed now",
    /// The supplier's database is down.
    SupplierDatabaseFailed = "supplier's database is not reachable",
    /// Some error at the supplier.
    SupplierGeneralError = "supplier reports a general error",
    /// The service no longer exists.
    ServiceExpired = "service has expired",
    /// The supplier's biller did not answer, and the supplier says that this is final.
    SupplierTimeout = "supplier timed out",
    /// The biller's system failed, and the supplier says that this is final.
    SupplierFailed = "biller's system has failed",
    /// The supplier does not know what went wrong with an inquiry.
    InquiryUndefined = "inquiry brought an undefined error",
    /// The supplier answered an inquiry with a code that nobody knows.
    InquiryResponseUnknown = "inquiry brought an unknown response",
    /// The supplier is still working on an inquiry.
    InquiryPending = "inquiry is still being processed",

    // What concerns money in and out alone.
    /// There is no such way for money in or out.
    ChannelUnknown = "channel is unknown",
    /// The way is closed for now.
    ChannelUnavailable = "channel is under maintenance",
    /// Another currency than the merchant's.
    CurrencyNotSupported = "currency is not supported for this account",
    /// No such bank, or none that this way reaches.
    BankUnknown = "bank is unknown",
    /// A part of a unit where only whole units go.
    AmountFractional = "amount must be a whole number",
    /// The time that the caller gave is too far from ours.
    TimestampInvalid = "timestamp is outside the window",
    /// A field that this way wants is missing.
    ParameterMissing = "a required parameter is missing",
    /// A bank branch code has a wrong form.
    BranchCodeInvalid = "branch code is invalid",
    /// Nobody has seen the money yet.
    PaymentNotFound = "payment has not been received yet",
    /// What the payer named was named for another order.
    PayerReferenceUsed = "payment reference was used for another order",
    /// The payer or the time let the order end without being paid.
    PaymentAbandoned = "payment was not made",

    // What concerns top-ups alone.
    /// The merchant's own limit: this product went to this number today.
    ProductRepeated = "product was bought for this number today",
    /// The merchant's own limit: something went to this number today.
    DestinationRepeated = "number was topped up today",
    /// The biller takes no more top-ups for this number today.
    DestinationLimitReached = "number has reached its limit of top-ups for today",
    /// The wallet behind the number would hold more than it may.
    WalletFull = "balance of the wallet would exceed its limit",
    /// The number is longer than any number of its kind.
    DestinationTooLong = "destination number is too long",
    /// What identifies a player is wrong.
    PlayerUnknown = "player is unknown",
    /// Nothing is to be asked about what is sold as a voucher.
    InquiryNotNeeded = "inquiry is not needed",
}

impl Refusal {
    /// The refusal with this stable name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|refusal| refusal.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back() {
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::from_name(refusal.name()), Some(*refusal));
        }
        assert_eq!(Refusal::from_name("Nonsense"), None);
    }
}
