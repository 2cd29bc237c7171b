//! The languages of the pages, and all that is said in them.

use domain::Currency;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// Indonesian.
    Indonesian,
    /// English.
    English,
}

impl Language {
    /// Both.
    pub(super) const ALL: [Self; 2] = [Self::Indonesian, Self::English];

    /// As HTML and HTTP name it.
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::Indonesian => "id",
            Self::English => "en",
        }
    }

    /// What it calls itself.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Indonesian => "Bahasa Indonesia",
            Self::English => "English",
        }
    }

    /// The one with this tag, whatever region follows. `in` is what old telephones call Indonesian.
    pub(super) fn tagged(tag: &str) -> Option<Self> {
        match tag.split('-').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "id" | "in" => Some(Self::Indonesian),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// The one that a browser prefers; among those that it likes equally the first (RFC 9110, section
    /// 12.5.4). None if it names neither.
    pub(super) fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(u32, Self)> = None;
        for range in header.split(',').take(32) {
            let (tag, parameters) = range.split_once(';').unwrap_or((range, ""));
            let quality = quality(parameters);
            let better = best.is_none_or(|(known, _)| quality > known);
            if let Some(language) = Self::tagged(tag.trim()).filter(|_| better && quality > 0) {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }

    /// What is most likely understood by who pays in this currency.
    pub(super) const fn usual(currency: Currency) -> Self {
        match currency {
            Currency::Idr => Self::Indonesian,
            _ => Self::English,
        }
    }

    /// What is said in it.
    pub(super) const fn words(self) -> &'static Words {
        match self {
            Self::Indonesian => &INDONESIAN,
            Self::English => &ENGLISH,
        }
    }
}

/// The thousandths of `q=0.8`; everything where there is none, nothing where it is no number.
fn quality(parameters: &str) -> u32 {
    let Some(value) = parameters.trim().strip_prefix("q=") else { return 1000 };
    let (whole, decimals) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    let decimals: String = decimals.chars().chain("000".chars()).take(3).collect();
    format!("{whole}{decimals}").parse().unwrap_or(0).min(1000)
}

/// All that the pages say.
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) pay_to: &'static str,
    pub(super) payment_to: &'static str,
    pub(super) order: &'static str,
    pub(super) sum: &'static str,
    pub(super) amount: &'static str,
    pub(super) credit_amount: &'static str,
    pub(super) operator: &'static str,
    pub(super) number: &'static str,
    pub(super) bank: &'static str,
    pub(super) account: &'static str,
    pub(super) holder: &'static str,
    pub(super) note: &'static str,
    pub(super) no_account: &'static str,
    pub(super) exactly: &'static str,
    pub(super) sender: &'static str,
    pub(super) sender_hint: &'static str,
    pub(super) check: &'static str,
    pub(super) time_left: &'static str,
    pub(super) waiting: &'static str,
    pub(super) updates: &'static str,
    pub(super) review: &'static str,
    pub(super) paid: &'static str,
    pub(super) unpaid: &'static str,
    pub(super) expired: &'static str,
    pub(super) no_more: &'static str,
    pub(super) back: &'static str,
    pub(super) close: &'static str,
    pub(super) not_found_yet: &'static str,
    pub(super) sender_wrong: &'static str,
    pub(super) too_often: &'static str,
    pub(super) sandbox: &'static str,
    pub(super) press_pay: &'static str,
    pub(super) press_fail: &'static str,
    pub(super) unknown_title: &'static str,
    pub(super) unknown: &'static str,
    pub(super) refused_title: &'static str,
    pub(super) refused: &'static str,
    pub(super) fault_title: &'static str,
    pub(super) fault: &'static str,
}

static INDONESIAN: Words = Words {
    title: "Pembayaran",
    pay_to: "Bayar kepada",
    payment_to: "Pembayaran kepada",
    order: "Pesanan",
    sum: "Jumlah",
    amount: "Jumlah transfer",
    credit_amount: "Jumlah transfer pulsa",
    operator: "Operator",
    number: "Ke nomor",
    bank: "Bank atau dompet",
    account: "Ke rekening",
    holder: "Atas nama",
    note: "Berita transfer",
    no_account: "Tujuan transfer diberitahukan oleh toko.",
    exactly: "Transfer tepat sebesar jumlah ini. Jumlah lain tidak dapat kami cocokkan.",
    sender: "Nomor HP pengirim pulsa",
    sender_hint: "Isi setelah transfer, lalu tekan tombol di bawah.",
    check: "Cek pembayaran",
    time_left: "Sisa waktu",
    waiting: "Menunggu pembayaran",
    updates: "Halaman ini diperbarui sendiri.",
    review: "Pembayaran sedang diperiksa petugas",
    paid: "Pembayaran diterima",
    unpaid: "Pembayaran tidak berhasil",
    expired: "Waktu pembayaran habis",
    no_more: "Jangan transfer lagi untuk pesanan ini. Bila Anda sudah transfer, hubungi toko.",
    back: "Kembali ke toko",
    close: "Halaman ini boleh ditutup.",
    not_found_yet: "Pembayaran belum kami terima. Silakan coba beberapa saat lagi.",
    sender_wrong: "Nomor pengirim tidak benar. Contoh: 081298765432.",
    too_often: "Terlalu sering diperiksa. Tunggu sebentar.",
    sandbox: "Mode uji: tidak ada uang yang berpindah.",
    press_pay: "Bayar",
    press_fail: "Gagalkan",
    unknown_title: "Halaman tidak ditemukan",
    unknown: "Periksa kembali alamatnya, atau mulai lagi dari toko.",
    refused_title: "Pembayaran tidak dapat dimulai",
    refused: "Kembali ke toko untuk mulai lagi. Bila Anda sudah membayar, jangan bayar lagi.",
    fault_title: "Sistem sedang gangguan",
    fault: "Pembayaran Anda tetap aman. Muat ulang halaman ini beberapa saat lagi.",
};

static ENGLISH: Words = Words {
    title: "Payment",
    pay_to: "Pay to",
    payment_to: "Payment to",
    order: "Order",
    sum: "Amount",
    amount: "Amount to transfer",
    credit_amount: "Phone credit to transfer",
    operator: "Operator",
    number: "To number",
    bank: "Bank or wallet",
    account: "To account",
    holder: "Account holder",
    note: "Transfer note",
    no_account: "The shop tells you where to send the money.",
    exactly: "Transfer exactly this amount. We cannot match any other.",
    sender: "Phone number that sent the credit",
    sender_hint: "Fill it in after the transfer, then press the button below.",
    check: "Check payment",
    time_left: "Time left",
    waiting: "Waiting for payment",
    updates: "This page updates by itself.",
    review: "Your payment is being checked by a person",
    paid: "Payment received",
    unpaid: "Payment was not successful",
    expired: "The time to pay has run out",
    no_more: "Do not transfer for this order any more. If you have already, contact the shop.",
    back: "Back to the shop",
    close: "You may close this page.",
    not_found_yet: "We have not received the payment yet. Please try again in a moment.",
    sender_wrong: "The phone number is not right. Example: 081298765432.",
    too_often: "Checked too often. Please wait a moment.",
    sandbox: "Test mode: no money moves.",
    press_pay: "Pay",
    press_fail: "Fail",
    unknown_title: "Page not found",
    unknown: "Check the address, or start again from the shop.",
    refused_title: "Payment not possible",
    refused: "Go back to the shop to start again. If you have paid already, do not pay again.",
    fault_title: "Something went wrong on our side",
    fault: "Your payment is safe. Reload this page in a moment.",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_the_language_that_they_like_best() {
        use Language::{English, Indonesian};
        let table = [
            ("id", Some(Indonesian)),
            ("id-ID,id;q=0.9,en-US;q=0.8,en;q=0.7", Some(Indonesian)),
            ("en-GB, id;q=0.9", Some(English)),
            ("in-ID", Some(Indonesian)),
            ("en;q=0.5, ID;q=0.75", Some(Indonesian)),
            ("en;q=0.7,id;q=0.7", Some(English)),
            ("de, en;q=0.1", Some(English)),
            ("id;q=0, en;q=0.001", Some(English)),
            ("id;q=0", None),
            ("id;q=x", None),
            ("de,*", None),
            ("idn", None),
            ("", None),
            (";;;,,q=", None),
        ];
        for (header, expected) in table {
            assert_eq!(Language::accepted(header), expected, "{header}");
        }
    }

    #[test]
    fn every_language_leads_back() {
        for language in Language::ALL {
            assert_eq!(Language::tagged(language.tag()), Some(language));
        }
        assert_eq!(Language::usual(Currency::Idr), Language::Indonesian);
        assert_eq!(Language::usual(Currency::Thb), Language::English);
    }
}
