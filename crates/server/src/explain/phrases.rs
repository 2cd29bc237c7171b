//! The words of a story that are looked up: commands, states and parties.

use crate::administration::ExchangeView;

use super::figures::duration;
use super::language::Language;
use super::reasons::reason;

/// Turns one of the texts of a language into a line that steers no terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { '?' } else { it }).collect()
}

/// A state in capitals, as the headline of a story.
pub(super) fn headline(state: &str, language: Language) -> String {
    let (indonesian, english) = match state {
        "succeeded" => ("BERHASIL", "SUCCEEDED"),
        "failed" => ("GAGAL, uang kembali", "FAILED, money given back"),
        "processing" => ("PENDING, hasilnya belum diketahui", "PENDING, outcome not known yet"),
        "declined" => ("DITOLAK saat cek tagihan", "DECLINED at the inquiry"),
        "quoted" => ("BELUM DIBAYAR", "NOT PAID"),
        "awaiting" => ("MENUNGGU PEMBAYAR", "WAITING FOR THE PAYER"),
        "expired" => ("KEDALUWARSA", "EXPIRED"),
        other => (other, other),
    };
    language.choose(indonesian, english).to_owned()
}

/// What was asked for, by the protocol's own word for it.
fn asked(command: &str, language: Language) -> String {
    let (indonesian, english) = match command {
        "inq-pasca" => ("cek tagihan", "asked what is owed"),
        "pay-pasca" => ("bayar", "asked to pay"),
        "checkstatus" => ("tanya status", "asked for the status"),
        "pricelist-pasca" => ("minta daftar harga", "asked for the price list"),
        "receipt-custom" | "download" => ("minta struk", "asked for the receipt"),
        "" => {
            return language
                .choose("permintaan yang tidak dimengerti", "sent what was not understood")
                .to_owned();
        }
        other => (other, other),
    };
    format!("{} ({command})", language.choose(indonesian, english))
}

fn signature(verdict: &str, language: Language) -> &str {
    match verdict {
        "valid" => language.choose("Tanda tangan cocok.", "The signature is right."),
        "invalid" => language.choose("Tanda tangan SALAH.", "The signature is WRONG."),
        "unsigned" => language.choose("Tanpa tanda tangan.", "Such requests are not signed."),
        _ => language
            .choose("Tanda tangan belum sempat diperiksa.", "The signature was not looked at."),
    }
}

/// What an answer says, in words.
fn answered(exchange: &ExchangeView, language: Language) -> String {
    let say = |indonesian, english: &'static str| language.choose(indonesian, english).to_owned();
    match (exchange.http_status, exchange.meaning.as_deref(), exchange.reason.as_deref()) {
        (Some(429), _, _) => {
            say("terlalu sering memanggil, tidak dikerjakan", "too many requests, nothing was done")
        }
        (Some(503), _, _) => say(
            "gangguan di pihak kami, merchant diminta menanyakan status",
            "a fault of ours, the merchant is to ask for the status",
        ),
        (_, Some("open"), Some("InProcess")) => say("masih diproses", "still being processed"),
        (_, Some("open"), Some(doubt)) => {
            let doubt = reason(doubt, language);
            format!("{}: {doubt}", language.choose("belum ada hasil", "no outcome yet"))
        }
        (_, Some("refused"), Some(refusal)) => reason(refusal, language),
        (_, Some("granted"), _) => match exchange.command.as_str() {
            "inq-pasca" => say("tagihan ditemukan", "here is the bill"),
            "pay-pasca" | "checkstatus" => say("terbayar", "paid"),
            "receipt-custom" | "download" => say("ini struknya", "here is the receipt"),
            _ => say("berhasil", "done"),
        },
        _ => say("tanpa kode", "without a code"),
    }
}

/// One exchange in a sentence or three. `number` leads to its bodies.
pub(super) fn exchange(
    exchange: &ExchangeView,
    number: usize,
    merchant: Option<u32>,
    language: Language,
) -> String {
    let mut text = match language {
        Language::Id => format!("Dari {}: {}", exchange.peer, asked(&exchange.command, language)),
        Language::En => format!("{} {}", exchange.peer, asked(&exchange.command, language)),
    };
    if let Some(other) = exchange.merchant.filter(|it| merchant.is_some_and(|own| own != *it)) {
        let as_other = language.choose(", sebagai merchant", ", as merchant");
        text.push_str(&format!("{as_other} {other}"));
    }
    let code = exchange.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
    let took = duration(exchange.duration_us, language);
    let answer = answered(exchange, language);
    text.push_str(&format!(" [{number}]. {}", signature(&exchange.signature, language)));
    text.push_str(&match (language, exchange.http_status) {
        (Language::Id, Some(_)) => format!(" Kami jawab{code} dalam {took}: {answer}."),
        (Language::En, Some(_)) => format!(" We answered{code} within {took}: {answer}."),
        (Language::Id, None) => format!(" Tidak terjawab: sambungannya putus setelah {took}."),
        (Language::En, None) => format!(" Not answered: the connection ended after {took}."),
    });
    if exchange.signature == "invalid" {
        text.push_str(language.choose(" Tidak ada yang berubah.", " Nothing was changed."));
    }
    text
}
