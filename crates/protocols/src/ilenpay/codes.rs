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
    /// What it stands for, in words of no protocol.
    pub refusal: Refusal,
}

impl Failure {
    const fn with(status: StatusCode, pesan: &'static str, refusal: Refusal) -> Self {
        Self { status, pesan: Cow::Borrowed(pesan), refusal }
    }

    const fn business(pesan: &'static str, refusal: Refusal) -> Self {
        Self::with(StatusCode::OK, pesan, refusal)
    }
}

/// There is no such key.
pub const API_KEY_INVALID: Failure =
    Failure::with(StatusCode::UNAUTHORIZED, "Api key tidak valid", Refusal::SignatureInvalid);
/// There is no such path.
pub const PATH_UNKNOWN: Failure =
    Failure::with(StatusCode::NOT_FOUND, "Endpoint tidak ditemukan", Refusal::PathUnknown);
/// There is such a path, for another method.
pub const METHOD_NOT_ALLOWED: Failure =
    Failure::with(StatusCode::METHOD_NOT_ALLOWED, "Method tidak diizinkan", Refusal::PathUnknown);
/// Something of ours failed.
pub const FAULT: Failure =
    Failure::with(StatusCode::INTERNAL_SERVER_ERROR, "Sistem gangguan", Refusal::TryAgainLater);
/// The body or the query cannot be read. The reference has no row for it.
pub const UNREADABLE: Failure = Failure::with(
    StatusCode::BAD_REQUEST,
    "Permintaan tidak dapat dibaca",
    Refusal::RequestMalformed,
);
/// The merchant, or whoever has the name of its webhook, calls too often. The reference has no row.
pub const TOO_OFTEN: Failure = Failure::with(
    StatusCode::TOO_MANY_REQUESTS,
    "Terlalu banyak permintaan",
    Refusal::TryAgainLater,
);
/// There is no such type of collection.
pub const TYPE_INVALID: Failure = Failure::business("Type tidak valid", Refusal::RequestMalformed);
/// The address to return to is missing or not for browsers.
pub const RETURN_URL_INVALID: Failure =
    Failure::business("Return url tidak valid", Refusal::RequestMalformed);
/// A collection of the other type is confirmed by its page.
pub const ONLY_DIRECT: Failure =
    Failure::business("Hanya untuk transaksi type direct", Refusal::CommandUnknown);
/// The sender is no telephone number, or missing where the merchant wants it to be said.
pub const SENDER_INVALID: Failure =
    Failure::business("Nomor pengirim tidak valid", Refusal::DestinationInvalid);
/// Nobody called the webhook's address yet, or its receiver said that it is gone.
pub const WEBHOOK_UNSET: Failure =
    Failure::business("Url webhook belum diatur", Refusal::DestinationUnsupported);
/// The webhook's receiver could not be reached.
pub const WEBHOOK_UNREACHABLE: Failure =
    Failure::business("Ping gagal, webhook tidak dapat dihubungi", Refusal::TryAgainLater);

/// The webhook's receiver answered with something else than success.
pub fn webhook_answered(status: u16) -> Failure {
    let pesan = format!("Ping gagal, webhook menjawab HTTP {status}");
    Failure { pesan: Cow::Owned(pesan), ..WEBHOOK_UNREACHABLE }
}

/// How the API says a refusal. Those of other kinds of orders cannot come about here and are told as
/// what they would be: a transaction that was not carried out.
pub const fn of_refusal(refusal: Refusal) -> Failure {
    use Refusal::*;
    let pesan = match refusal {
        RequestMalformed => return UNREADABLE,
        PathUnknown | CommandUnknown => return PATH_UNKNOWN,
        SignatureInvalid => "Sign tidak valid",
        AddressNotAllowed => "Alamat IP tidak diizinkan",
        AccountSuspended => "Akun dinonaktifkan",
        ReferenceMalformed => "Reff id minimal 5 maksimal 20 karakter",
        ReferenceUsed => "Reff id sudah digunakan",
        AmountInvalid | AmountFractional => "Nominal tidak valid",
        ChannelUnknown | ChannelUnavailable | CurrencyNotSupported | ProductUnknown
        | ProductUnavailable | ProductNotAllowed | CutOff => "Operator tidak tersedia",
        OrderNotFound => "Transaksi tidak ditemukan",
        PaymentNotFound => "Pembayaran belum kami terima, silakan coba beberapa saat lagi",
        QuoteExpired | PaymentAbandoned => "Transaksi sudah berakhir",
        InvoicePaid => "Pembayaran sudah di selesaikan",
        DestinationInvalid
        | DestinationUnsupported
        | DestinationOperatorMismatch
        | DestinationBlocked
        | DestinationTooLong => "Nomor pengirim tidak valid",
        Maintenance | TryAgainLater => "Sistem sedang dalam pemeliharaan",
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
        | InquiryNotNeeded => "Transaksi tidak dapat diproses",
    };
    Failure::business(pesan, refusal)
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
            let same = failure.refusal == *refusal || *refusal == Refusal::CommandUnknown;
            assert!(same, "{refusal:?}");
        }
    }
}
