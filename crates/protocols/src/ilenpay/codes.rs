//! Why a request was not carried out, as the API says it (ilenpay reference, section 8): a text for
//! people, and an HTTP status that is 200 for everything that is the merchant's business.

use std::borrow::Cow;

use domain::Refusal;
use http::StatusCode;

/// A failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status.
    pub status: StatusCode,
    /// The text, in Indonesian.
    pub pesan: Cow<'static, str>,
}

impl Failure {
    const fn with(status: StatusCode, pesan: &'static str) -> Self {
        Self { status, pesan: Cow::Borrowed(pesan) }
    }

    const fn business(pesan: &'static str) -> Self {
        Self::with(StatusCode::OK, pesan)
    }
}

/// There is no such key.
pub const API_KEY_INVALID: Failure = Failure::with(StatusCode::UNAUTHORIZED, "Api key tidak valid");
/// There is no such path.
pub const PATH_UNKNOWN: Failure = Failure::with(StatusCode::NOT_FOUND, "Endpoint tidak ditemukan");
/// There is such a path, for another method.
pub const METHOD_NOT_ALLOWED: Failure =
    Failure::with(StatusCode::METHOD_NOT_ALLOWED, "Method tidak diizinkan");
/// Something of ours failed.
pub const FAULT: Failure = Failure::with(StatusCode::INTERNAL_SERVER_ERROR, "Sistem gangguan");
/// The body or the query cannot be read. The reference has no row for it.
pub const UNREADABLE: Failure =
    Failure::with(StatusCode::BAD_REQUEST, "Permintaan tidak dapat dibaca");
/// The merchant, or whoever has the name of its webhook, calls too often. The reference has no row.
pub const TOO_OFTEN: Failure =
    Failure::with(StatusCode::TOO_MANY_REQUESTS, "Terlalu banyak permintaan");
/// There is no such type of collection.
pub const TYPE_INVALID: Failure = Failure::business("Type tidak valid");
/// The address to return to is missing or not for browsers.
pub const RETURN_URL_INVALID: Failure = Failure::business("Return url tidak valid");
/// A collection of the other type is confirmed by its page.
pub const ONLY_DIRECT: Failure = Failure::business("Hanya untuk transaksi type direct");
/// The sender is no telephone number, or missing where the merchant wants it to be said.
pub const SENDER_INVALID: Failure = Failure::business("Nomor pengirim tidak valid");
/// Nobody called the webhook's address yet, or its receiver said that it is gone.
pub const WEBHOOK_UNSET: Failure = Failure::business("Url webhook belum diatur");
/// The webhook's receiver could not be reached.
pub const WEBHOOK_UNREACHABLE: Failure =
    Failure::business("Ping gagal, webhook tidak dapat dihubungi");

/// The webhook's receiver answered with something else than success.
pub fn webhook_answered(status: u16) -> Failure {
    let pesan = format!("Ping gagal, webhook menjawab HTTP {status}");
    Failure { status: StatusCode::OK, pesan: Cow::Owned(pesan) }
}

/// How the API says a refusal. Those of other kinds of orders cannot come about here and are told as
/// what they would be: a transaction that was not carried out.
pub const fn of_refusal(refusal: Refusal) -> Failure {
    use Refusal::*;
    match refusal {
        RequestMalformed => UNREADABLE,
        PathUnknown | CommandUnknown => PATH_UNKNOWN,
        SignatureInvalid => Failure::business("Sign tidak valid"),
        AddressNotAllowed => Failure::business("Alamat IP tidak diizinkan"),
        AccountSuspended => Failure::business("Akun dinonaktifkan"),
        ReferenceMalformed => Failure::business("Reff id minimal 5 maksimal 20 karakter"),
        ReferenceUsed => Failure::business("Reff id sudah digunakan"),
        AmountInvalid | AmountFractional => Failure::business("Nominal tidak valid"),
        ChannelUnknown | ChannelUnavailable | CurrencyNotSupported | ProductUnknown
        | ProductUnavailable | ProductNotAllowed | CutOff => {
            Failure::business("Operator tidak tersedia")
        }
        OrderNotFound => Failure::business("Transaksi tidak ditemukan"),
        PaymentNotFound => {
            Failure::business("Pembayaran belum kami terima, silakan coba beberapa saat lagi")
        }
        QuoteExpired | PaymentAbandoned => Failure::business("Transaksi sudah berakhir"),
        InvoicePaid => Failure::business("Pembayaran sudah di selesaikan"),
        DestinationInvalid
        | DestinationUnsupported
        | DestinationOperatorMismatch
        | DestinationBlocked
        | DestinationTooLong => SENDER_INVALID,
        Maintenance | TryAgainLater => Failure::business("Sistem sedang dalam pemeliharaan"),
        DateIntervalTooLong
        | BillUnpaid
        | PaymentFailedBefore
        | BalanceInsufficient
        | CustomerBlocked
        | BillNotAvailable
        | BillPaid
        | CounterOnly
        | BillTooLarge
        | AllPeriodsRequired
        | OtherArrears
        | DueDateExceeded
        | ArrearsPartlyPaid
        | BillerOnly
        | InquiryFailed
        | TransactionFailed
        | PaymentFailed
        | PaymentNotReceived
        | SupplierDatabaseFailed
        | SupplierGeneralError
        | ServiceExpired
        | SupplierTimeout
        | SupplierFailed
        | InquiryUndefined
        | InquiryResponseUnknown
        | InquiryPending
        | BankUnknown
        | TimestampInvalid
        | ParameterMissing
        | BranchCodeInvalid
        | PayerReferenceUsed
        | ProductRepeated
        | DestinationRepeated
        | DestinationLimitReached
        | WalletFull
        | PlayerUnknown
        | InquiryNotNeeded => Failure::business("Transaksi tidak dapat diproses"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of section 8 that a refusal stands for.
    #[test]
    fn refusals_are_told_as_the_reference_does() {
        let table = [
            (Refusal::SignatureInvalid, 200, "Sign tidak valid"),
            (Refusal::ChannelUnknown, 200, "Operator tidak tersedia"),
            (Refusal::ChannelUnavailable, 200, "Operator tidak tersedia"),
            (Refusal::AmountInvalid, 200, "Nominal tidak valid"),
            (Refusal::ReferenceMalformed, 200, "Reff id minimal 5 maksimal 20 karakter"),
            (Refusal::ReferenceUsed, 200, "Reff id sudah digunakan"),
            (Refusal::OrderNotFound, 200, "Transaksi tidak ditemukan"),
            (Refusal::PathUnknown, 404, "Endpoint tidak ditemukan"),
        ];
        for (refusal, status, pesan) in table {
            let failure = of_refusal(refusal);
            assert_eq!((failure.status.as_u16(), &*failure.pesan), (status, pesan), "{refusal:?}");
        }
    }

    #[test]
    fn every_refusal_has_a_text_and_none_is_our_fault() {
        for refusal in Refusal::ALL {
            let failure = of_refusal(*refusal);
            assert!(!failure.pesan.is_empty() && !failure.status.is_server_error(), "{refusal:?}");
        }
    }
}
