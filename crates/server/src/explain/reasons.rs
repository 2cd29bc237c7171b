//! Why something was turned down or is open, in sentences that end where others go on. There is no
//! wildcard arm: a new refusal or doubt does not compile before it is put into words.

use domain::{Doubt, Refusal};

use super::language::Language;

/// A reason by its stable name; a name that is none is shown as it is.
pub(super) fn reason(name: &str, language: Language) -> String {
    let words = Refusal::from_name(name).map(of_refusal);
    match words.or_else(|| Doubt::from_name(name).map(of_doubt)) {
        Some((indonesian, english)) => language.choose(indonesian, english).to_owned(),
        None => name.to_owned(),
    }
}

const fn of_doubt(doubt: Doubt) -> (&'static str, &'static str) {
    match doubt {
        Doubt::InProcess => ("masih diproses", "it is still being processed"),
        Doubt::UndefinedError => (
            "ada kesalahan yang tidak menjelaskan hasilnya",
            "an error says nothing of the outcome",
        ),
        Doubt::UndefinedResponse => {
            ("jawaban pemasok tidak dikenal", "the supplier's answer means nothing to us")
        }
        Doubt::Silent => ("pemasok tidak menjawab", "the supplier gave no answer"),
        Doubt::Contradictory => (
            "jawaban pemasok bertentangan dengan pesanan",
            "the supplier's answer contradicts the order",
        ),
        Doubt::Abandoned => {
            ("Lunas berhenti saat pemasok dipanggil", "Lunas stopped while the supplier was called")
        }
    }
}

const fn of_refusal(refusal: Refusal) -> (&'static str, &'static str) {
    match refusal {
        Refusal::RequestMalformed => ("bentuk permintaannya salah", "the request is malformed"),
        Refusal::CommandUnknown => ("perintahnya tidak dikenal", "the command is unknown"),
        Refusal::PathUnknown => ("alamatnya tidak ada", "there is no such path"),
        Refusal::SignatureInvalid => (
            "tanda tangan salah, atau username tidak dikenal",
            "the signature is wrong, or the user name is unknown",
        ),
        Refusal::AddressNotAllowed => (
            "alamat IP pemanggil tidak ada di daftar yang diizinkan",
            "the caller's IP address is not on the allow-list",
        ),
        Refusal::AccountSuspended => ("merchant sedang dibekukan", "the merchant is suspended"),
        Refusal::ReferenceMalformed => {
            ("bentuk referensinya tidak diizinkan", "the reference has a forbidden form")
        }
        Refusal::ReferenceUsed => {
            ("referensinya sudah pernah dipakai", "the reference was used before")
        }
        Refusal::AmountInvalid => ("jumlahnya tidak sah", "the amount is invalid"),
        Refusal::DateIntervalTooLong => {
            ("rentang tanggalnya lebih dari 31 hari", "the date interval exceeds 31 days")
        }
        Refusal::ProductUnknown => ("produknya tidak dikenal", "the product is unknown"),
        Refusal::ProductUnavailable => ("produknya sedang ditutup", "the product is switched off"),
        Refusal::ProductNotAllowed => (
            "merchant ini tidak boleh menjual produk itu",
            "this merchant may not sell that product",
        ),
        Refusal::CutOff => ("produknya tutup pada jam itu", "the product is closed at that hour"),
        Refusal::Maintenance => ("sistem sedang dirawat", "the system is under maintenance"),
        Refusal::OrderNotFound => ("pesanannya tidak ditemukan", "there is no such order"),
        Refusal::QuoteExpired => ("tagihannya sudah kedaluwarsa", "the quote has expired"),
        Refusal::BillUnpaid => ("tagihannya belum dibayar", "the bill is not paid"),
        Refusal::InvoicePaid => ("pesanan ini sudah dibayar", "this order is paid already"),
        Refusal::PaymentFailedBefore => (
            "pembayaran sebelumnya gagal; perlu cek tagihan baru",
            "the payment failed before; a new inquiry is needed",
        ),
        Refusal::BalanceInsufficient => {
            ("saldo merchant tidak cukup", "the merchant's balance is not enough")
        }
        Refusal::DestinationInvalid => {
            ("nomor pelanggannya salah", "the customer's number is wrong")
        }
        Refusal::DestinationUnsupported => {
            ("nomor itu bukan untuk produk ini", "the number is not for this product")
        }
        Refusal::DestinationOperatorMismatch => {
            ("nomor itu milik operator lain", "the number belongs to another operator")
        }
        Refusal::DestinationBlocked => {
            ("nomor pelanggannya diblokir", "the customer's number is blocked")
        }
        Refusal::CustomerBlocked => {
            ("pelanggannya diblokir untuk produk ini", "the customer is blocked for this product")
        }
        Refusal::BillNotAvailable => ("tagihannya belum ada", "there is no bill yet"),
        Refusal::BillPaid => {
            ("tagihannya sudah dibayar di tempat lain", "the bill was paid elsewhere")
        }
        Refusal::CounterOnly => {
            ("hanya bisa dibayar di loket", "it can only be paid at the counter")
        }
        Refusal::BillTooLarge => {
            ("tagihannya melebihi batas", "the bill exceeds the highest total allowed")
        }
        Refusal::AllPeriodsRequired => {
            ("semua periode harus dibayar sekaligus", "all periods have to be paid together")
        }
        Refusal::OtherArrears => {
            ("ada tunggakan lain yang harus dibayar dahulu", "another arrear has to be paid first")
        }
        Refusal::DueDateExceeded => ("sudah lewat jatuh tempo", "the due date has passed"),
        Refusal::ArrearsPartlyPaid => {
            ("sebagian tagihannya sudah dibayar", "part of the bill was paid meanwhile")
        }
        Refusal::BillerOnly => (
            "hanya bisa dibayar langsung ke perusahaannya",
            "only the company itself takes this payment",
        ),
        Refusal::InquiryFailed => ("cek tagihan gagal", "the inquiry failed"),
        Refusal::TransactionFailed => (
            "transaksinya gagal tanpa alasan dari pemasok",
            "the transaction failed, and the supplier gives no reason",
        ),
        Refusal::PaymentFailed => ("pembayarannya gagal", "the payment failed"),
        Refusal::PaymentNotReceived => {
            ("permintaan pembayaran belum diterima", "no payment was requested yet")
        }
        Refusal::TryAgainLater => {
            ("belum dapat diproses; coba lagi nanti", "it cannot be processed now; try again later")
        }
        Refusal::SupplierDatabaseFailed => {
            ("basis data pemasok terganggu", "the supplier's database is not reachable")
        }
        Refusal::SupplierGeneralError => {
            ("pemasok melaporkan gangguan umum", "the supplier reports a general error")
        }
        Refusal::ServiceExpired => ("layanannya sudah berakhir", "the service has expired"),
        Refusal::SupplierTimeout => (
            "pemasok menyatakan gagal karena waktu habis",
            "the supplier says that it timed out for good",
        ),
        Refusal::SupplierFailed => {
            ("sistem penerbit tagihan gagal", "the biller's system has failed")
        }
        Refusal::InquiryUndefined => (
            "cek tagihan menghasilkan kesalahan yang tidak jelas",
            "the inquiry brought an undefined error",
        ),
        Refusal::InquiryResponseUnknown => (
            "cek tagihan dijawab dengan kode yang tidak dikenal",
            "the inquiry brought an unknown code",
        ),
        Refusal::InquiryPending => {
            ("cek tagihan masih diproses pemasok", "the inquiry is still being processed")
        }
        Refusal::ChannelUnknown => ("salurannya tidak dikenal", "there is no such channel"),
        Refusal::ChannelUnavailable => {
            ("salurannya sedang ditutup", "the channel is closed for now")
        }
        Refusal::CurrencyNotSupported => {
            ("mata uangnya bukan mata uang merchant", "it is not in the merchant's currency")
        }
        Refusal::BankUnknown => ("banknya tidak dikenal", "the bank is unknown"),
        Refusal::AmountFractional => {
            ("jumlahnya harus bilangan bulat", "the amount must be a whole number")
        }
        Refusal::TimestampInvalid => {
            ("waktu permintaannya terlalu jauh dari jam kami", "its time is too far from ours")
        }
        Refusal::ParameterMissing => {
            ("ada isian wajib yang kosong", "a required parameter is missing")
        }
        Refusal::BranchCodeInvalid => ("kode cabang banknya salah", "the branch code is invalid"),
        Refusal::PaymentNotFound => ("uangnya belum terlihat masuk", "the money was not seen yet"),
        Refusal::PayerReferenceUsed => (
            "bukti bayarnya sudah dipakai untuk pesanan lain",
            "the payer's reference was used for another order",
        ),
        Refusal::PaymentAbandoned => ("pembayarnya tidak jadi membayar", "the payer did not pay"),
        Refusal::ProductRepeated => (
            "produk ini sudah dibeli untuk nomor itu hari ini",
            "this product was bought for this number today",
        ),
        Refusal::DestinationRepeated => {
            ("nomor itu sudah diisi hari ini", "this number was topped up today")
        }
        Refusal::DestinationLimitReached => (
            "nomor itu sudah mencapai batas pengisian hari ini",
            "this number has reached its limit for today",
        ),
        Refusal::WalletFull => {
            ("saldo dompetnya akan melewati batas", "the wallet would be too full")
        }
        Refusal::DestinationTooLong => ("nomornya terlalu panjang", "the number is too long"),
        Refusal::PlayerUnknown => ("pemainnya tidak dikenal", "the player is unknown"),
        Refusal::InquiryNotNeeded => {
            ("produk voucher tidak perlu dicek", "a voucher needs no inquiry")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_words_of_its_own_in_both_languages() {
        let refusals = Refusal::ALL.iter().copied().map(of_refusal);
        let all: Vec<_> = refusals.chain(Doubt::ALL.map(of_doubt)).collect();
        for words in [0, 1] {
            let texts = all.iter().map(|(id, en)| if words == 0 { *id } else { *en });
            let distinct: std::collections::BTreeSet<_> = texts.collect();
            assert_eq!(distinct.len(), all.len());
        }
        assert!(all.iter().all(|(id, en)| !id.ends_with('.') && !en.ends_with('.')));
        assert_eq!(reason("Nonsense", Language::Id), "Nonsense");
        assert_eq!(reason("BillPaid", Language::En), "the bill was paid elsewhere");
    }
}
