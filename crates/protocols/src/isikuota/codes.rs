//! Codes of answers: every refusal and outcome to its HTTP status, code and text (isikuota
//! reference, sections 3 and 8, which are recommendations but for the codes of success).
//!
//! There is no wildcard arm: a new refusal does not compile before its code and its text are
//! chosen.

use domain::{OrderState, Refusal};
use http::StatusCode;

/// A code with all that goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The HTTP status.
    pub status: StatusCode,
    /// Whether the request came to what it asked for.
    pub success: bool,
    /// As it stands on the wire.
    pub code: &'static str,
    /// For people.
    pub message: &'static str,
}

const fn done(code: &'static str, message: &'static str) -> Code {
    Code { status: StatusCode::OK, success: true, code, message }
}

const fn denied(status: StatusCode, code: &'static str, message: &'static str) -> Code {
    Code { status, success: false, code, message }
}

/// A balance was told.
pub const BALANCE: Code = done("SUCCESS", "Saldo berhasil didapatkan");
/// Products were told.
pub const PRODUCTS: Code = done("SUCCESS", "Daftar produk berhasil didapatkan");
/// A status was told, whatever it is.
pub const STATUS: Code = done("SUCCESS", "Status transaksi berhasil didapatkan");
/// An inquiry brought a bill.
pub const BILL_INQUIRY_SUCCESS: Code = done("BILL_INQUIRY_SUCCESS", "Tagihan berhasil ditemukan");
/// The body says nothing.
pub const BAD_REQUEST: Code =
    denied(StatusCode::BAD_REQUEST, "BAD_REQUEST", "Permintaan tidak dapat dibaca");
/// Fields are missing or cannot be used.
pub const VALIDATION_ERROR: Code =
    denied(StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR", "Data yang dikirim tidak valid");
/// Nobody who may deal has that `api_id`.
pub const UNAUTHORIZED: Code =
    denied(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "api_id tidak dikenal atau tidak aktif");
/// The time of the request is too far from ours.
pub const TIMESTAMP_EXPIRED: Code =
    denied(StatusCode::UNAUTHORIZED, "TIMESTAMP_EXPIRED", "timestamp di luar batas waktu");
/// No inquiry under that reference.
pub const INQUIRY_NOT_FOUND: Code =
    denied(StatusCode::NOT_FOUND, "INQUIRY_NOT_FOUND", "Inquiry tidak ditemukan");
/// Another product or customer than was inquired.
pub const INQUIRY_MISMATCH: Code = denied(
    StatusCode::UNPROCESSABLE_ENTITY,
    "INQUIRY_MISMATCH",
    "code atau customer_no berbeda dari inquiry",
);
/// Another method than `POST`.
pub const METHOD_NOT_ALLOWED: Code =
    denied(StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", "Gunakan metode POST");
/// Too many requests.
pub const TOO_MANY_REQUESTS: Code = denied(
    StatusCode::TOO_MANY_REQUESTS,
    "TOO_MANY_REQUESTS",
    "Terlalu banyak permintaan, coba lagi nanti",
);
/// A fault of ours, whose effect the client has to ask for.
pub const INTERNAL_ERROR: Code = denied(
    StatusCode::INTERNAL_SERVER_ERROR,
    "INTERNAL_ERROR",
    "Terjadi gangguan pada sistem, periksa status transaksi",
);

/// What became of an order that was bought or paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody knows yet.
    Pending,
    /// Done.
    Success,
    /// Not done, and will not be.
    Failed(Refusal),
}

impl Standing {
    /// Of an order in this state; none if it was neither bought nor paid.
    pub const fn of(state: OrderState) -> Option<Self> {
        match state {
            OrderState::Processing => Some(Self::Pending),
            OrderState::Succeeded => Some(Self::Success),
            OrderState::Failed(refusal) => Some(Self::Failed(refusal)),
            OrderState::Declined(_)
            | OrderState::Quoted
            | OrderState::Awaiting
            | OrderState::Expired => None,
        }
    }

    /// As `prepaid`, `game` and callbacks write it (section 7).
    pub const fn capitalised(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Success => "Success",
            Self::Failed(_) => "Failed",
        }
    }

    /// As `inquiry` and `pay-pasca` write it (section 7).
    pub const fn lowercase(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failed(_) => "failed",
        }
    }

    /// The code of the answer to an order (section 5.2).
    pub const fn of_order(self) -> Code {
        match self {
            Self::Pending => done("ORDER_PENDING", "Transaksi sedang diproses"),
            Self::Success => done("ORDER_SUCCESS", "Transaksi berhasil diproses"),
            Self::Failed(refusal) => denied(StatusCode::OK, "ORDER_FAILED", reason(refusal)),
        }
    }

    /// The code of the answer to the payment of a bill (section 6.4).
    pub const fn of_payment(self) -> Code {
        match self {
            Self::Pending => done("BILL_PAYMENT_PENDING", "Pembayaran tagihan sedang diproses"),
            Self::Success => done("BILL_PAYMENT_SUCCESS", "Pembayaran tagihan berhasil"),
            Self::Failed(refusal) => denied(StatusCode::OK, "BILL_PAYMENT_FAILED", reason(refusal)),
        }
    }
}

/// The code of a refusal before anything was bought or paid.
pub const fn of_refusal(refusal: Refusal) -> Code {
    let (status, code) = match refusal {
        Refusal::RequestMalformed => (StatusCode::BAD_REQUEST, "BAD_REQUEST"),
        Refusal::SignatureInvalid => (StatusCode::UNAUTHORIZED, "INVALID_SIGNATURE"),
        Refusal::AccountSuspended => return UNAUTHORIZED,
        Refusal::TimestampInvalid => return TIMESTAMP_EXPIRED,
        Refusal::AddressNotAllowed => (StatusCode::FORBIDDEN, "IP_NOT_ALLOWED"),
        Refusal::PathUnknown => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        Refusal::CommandUnknown
        | Refusal::ReferenceMalformed
        | Refusal::DateIntervalTooLong
        | Refusal::ProductRepeated
        | Refusal::DestinationRepeated
        | Refusal::AmountFractional
        | Refusal::ParameterMissing
        | Refusal::BankUnknown
        | Refusal::BranchCodeInvalid => (StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_ERROR"),
        Refusal::ReferenceUsed | Refusal::PaymentFailedBefore | Refusal::PayerReferenceUsed => {
            (StatusCode::CONFLICT, "DUPLICATE_REF_ID")
        }
        Refusal::ProductUnknown
        | Refusal::ProductNotAllowed
        | Refusal::InquiryNotNeeded
        | Refusal::ChannelUnknown
        | Refusal::CurrencyNotSupported => (StatusCode::NOT_FOUND, "PRODUCT_NOT_FOUND"),
        Refusal::OrderNotFound | Refusal::BillUnpaid | Refusal::PaymentNotFound => {
            (StatusCode::NOT_FOUND, "TRANSACTION_NOT_FOUND")
        }
        Refusal::QuoteExpired => (StatusCode::GONE, "INQUIRY_EXPIRED"),
        Refusal::BalanceInsufficient => (StatusCode::PAYMENT_REQUIRED, "INSUFFICIENT_BALANCE"),
        Refusal::InvoicePaid | Refusal::BillPaid | Refusal::ArrearsPartlyPaid => {
            (StatusCode::UNPROCESSABLE_ENTITY, "BILL_ALREADY_PAID")
        }
        Refusal::DestinationInvalid
        | Refusal::DestinationUnsupported
        | Refusal::DestinationOperatorMismatch
        | Refusal::DestinationBlocked
        | Refusal::DestinationTooLong
        | Refusal::DestinationLimitReached
        | Refusal::WalletFull
        | Refusal::PlayerUnknown
        | Refusal::CustomerBlocked
        | Refusal::BillNotAvailable
        | Refusal::CounterOnly
        | Refusal::BillTooLarge
        | Refusal::AllPeriodsRequired
        | Refusal::OtherArrears
        | Refusal::DueDateExceeded
        | Refusal::BillerOnly
        | Refusal::InquiryFailed => (StatusCode::UNPROCESSABLE_ENTITY, "BILL_NOT_FOUND"),
        Refusal::ProductUnavailable
        | Refusal::CutOff
        | Refusal::Maintenance
        | Refusal::AmountInvalid
        | Refusal::TransactionFailed
        | Refusal::PaymentFailed
        | Refusal::PaymentNotReceived
        | Refusal::TryAgainLater
        | Refusal::SupplierDatabaseFailed
        | Refusal::SupplierGeneralError
        | Refusal::ServiceExpired
        | Refusal::SupplierTimeout
        | Refusal::SupplierFailed
        | Refusal::InquiryUndefined
        | Refusal::InquiryResponseUnknown
        | Refusal::InquiryPending
        | Refusal::ChannelUnavailable
        | Refusal::PaymentAbandoned => (StatusCode::SERVICE_UNAVAILABLE, "PRODUCT_UNAVAILABLE"),
    };
    denied(status, code, reason(refusal))
}

/// Why, for people.
pub const fn reason(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::RequestMalformed => "Permintaan tidak dapat dibaca",
        Refusal::CommandUnknown => "Perintah tidak dikenal",
        Refusal::PathUnknown => "Alamat tidak ditemukan",
        Refusal::SignatureInvalid => "signature tidak cocok",
        Refusal::AddressNotAllowed => "Alamat IP tidak diizinkan",
        Refusal::AccountSuspended => "Akun tidak aktif",
        Refusal::ReferenceMalformed => "ref_id tidak valid",
        Refusal::ReferenceUsed => "ref_id sudah digunakan",
        Refusal::AmountInvalid => "Nominal tidak dapat diproses",
        Refusal::DateIntervalTooLong => "Rentang tanggal terlalu panjang",
        Refusal::ProductUnknown => "Produk tidak ditemukan",
        Refusal::ProductUnavailable => "Produk sedang tidak tersedia",
        Refusal::ProductNotAllowed => "Produk tidak tersedia untuk akun ini",
        Refusal::CutOff => "Produk sedang tutup pada jam ini",
        Refusal::Maintenance => "Sistem sedang dalam pemeliharaan",
        Refusal::OrderNotFound => "Transaksi tidak ditemukan",
        Refusal::QuoteExpired => "Inquiry sudah kedaluwarsa, ulangi inquiry",
        Refusal::BillUnpaid => "Tagihan belum dibayar",
        Refusal::InvoicePaid | Refusal::BillPaid => "Tagihan sudah dibayar",
        Refusal::PaymentFailedBefore => "Pembayaran sudah gagal, ulangi inquiry",
        Refusal::BalanceInsufficient => "Saldo tidak cukup",
        Refusal::DestinationInvalid => "Nomor pelanggan salah",
        Refusal::DestinationUnsupported => "Nomor pelanggan tidak didukung produk ini",
        Refusal::DestinationOperatorMismatch => "Nomor pelanggan milik operator lain",
        Refusal::DestinationBlocked => "Nomor pelanggan diblokir",
        Refusal::CustomerBlocked => "Pelanggan diblokir untuk produk ini",
        Refusal::BillNotAvailable => "Tagihan belum tersedia",
        Refusal::CounterOnly => "Tagihan hanya dapat dibayar di loket",
        Refusal::BillTooLarge => "Tagihan melebihi batas pembayaran",
        Refusal::AllPeriodsRequired => "Tagihan semua periode harus dibayar",
        Refusal::OtherArrears => "Masih ada tunggakan lain",
        Refusal::DueDateExceeded => "Tagihan melewati jatuh tempo, bayar di loket",
        Refusal::ArrearsPartlyPaid => "Sebagian tagihan sudah dibayar",
        Refusal::BillerOnly => "Tagihan hanya dapat dibayar langsung ke penyedia",
        Refusal::InquiryFailed => "Pengecekan tagihan gagal",
        Refusal::TransactionFailed => "Transaksi gagal",
        Refusal::PaymentFailed => "Pembayaran gagal",
        Refusal::PaymentNotReceived => "Pembayaran tidak diterima penyedia",
        Refusal::TryAgainLater => "Transaksi belum dapat diproses, coba lagi nanti",
        Refusal::SupplierDatabaseFailed
        | Refusal::SupplierGeneralError
        | Refusal::SupplierFailed => "Sistem penyedia sedang gangguan",
        Refusal::ServiceExpired => "Layanan sudah tidak tersedia",
        Refusal::SupplierTimeout => "Penyedia tidak menjawab",
        Refusal::InquiryUndefined | Refusal::InquiryResponseUnknown => {
            "Jawaban penyedia tidak dikenal"
        }
        Refusal::InquiryPending => "Pengecekan tagihan masih diproses",
        Refusal::ProductRepeated => "Produk ini sudah dibeli untuk nomor ini hari ini",
        Refusal::DestinationRepeated => "Nomor ini sudah diisi hari ini",
        Refusal::DestinationLimitReached => "Nomor sudah mencapai batas pengisian hari ini",
        Refusal::WalletFull => "Saldo dompet penerima akan melebihi batas",
        Refusal::DestinationTooLong => "Nomor pelanggan terlalu panjang",
        Refusal::PlayerUnknown => "Akun pemain tidak ditemukan",
        Refusal::InquiryNotNeeded => "Produk ini tidak memerlukan inquiry",
        // Money in and out, which this API does not have.
        Refusal::ChannelUnknown => "Kanal tidak ditemukan",
        Refusal::ChannelUnavailable => "Kanal sedang tidak tersedia",
        Refusal::CurrencyNotSupported => "Mata uang tidak didukung",
        Refusal::BankUnknown => "Bank tidak ditemukan",
        Refusal::AmountFractional => "Nominal harus bilangan bulat",
        Refusal::TimestampInvalid => "timestamp di luar batas waktu",
        Refusal::ParameterMissing => "Data yang dikirim tidak lengkap",
        Refusal::BranchCodeInvalid => "Kode cabang tidak valid",
        Refusal::PaymentNotFound => "Pembayaran belum diterima",
        Refusal::PayerReferenceUsed => "Referensi pembayaran sudah digunakan",
        Refusal::PaymentAbandoned => "Pembayaran tidak dilakukan",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes of section 8 that stand for a refusal, with their statuses.
    const TABLE: [(u16, &str); 15] = [
        (400, "BAD_REQUEST"),
        (401, "INVALID_SIGNATURE"),
        (401, "TIMESTAMP_EXPIRED"),
        (401, "UNAUTHORIZED"),
        (402, "INSUFFICIENT_BALANCE"),
        (403, "IP_NOT_ALLOWED"),
        (404, "NOT_FOUND"),
        (404, "PRODUCT_NOT_FOUND"),
        (404, "TRANSACTION_NOT_FOUND"),
        (409, "DUPLICATE_REF_ID"),
        (410, "INQUIRY_EXPIRED"),
        (422, "BILL_ALREADY_PAID"),
        (422, "BILL_NOT_FOUND"),
        (422, "VALIDATION_ERROR"),
        (503, "PRODUCT_UNAVAILABLE"),
    ];

    #[test]
    fn refusals_have_the_codes_of_the_table_and_no_others() {
        let mut said: Vec<_> = Refusal::ALL
            .iter()
            .map(|refusal| of_refusal(*refusal))
            .map(|code| (code.status.as_u16(), code.code))
            .collect();
        said.sort_unstable();
        said.dedup();
        assert_eq!(said, TABLE);
    }

    #[test]
    fn no_refusal_looks_like_success() {
        for refusal in Refusal::ALL {
            let standing = Standing::Failed(*refusal);
            assert!(!of_refusal(*refusal).success, "{refusal:?}");
            assert!(!standing.of_order().success && !standing.of_payment().success);
            assert!(!reason(*refusal).is_empty());
        }
    }

    #[test]
    fn the_letter_case_of_a_status_is_its_only_difference() {
        for standing in
            [Standing::Pending, Standing::Success, Standing::Failed(Refusal::PaymentFailed)]
        {
            assert_eq!(standing.capitalised().to_lowercase(), standing.lowercase());
        }
    }
}
