//! What of a body of this API may be kept: the list of fields that may be shown, for the exchange log.
//!
//! Whatever is not listed is hidden: signatures, addresses, and everything by which a page is opened.

use domain::Reference;
use gateway::exchanges::Side;
use serde_json::{Map, Value};

use crate::form;
use crate::masking::{self, Policy, Shown};

/// How many digits a text of ours may have: a reference in it may be a customer's number.
const TEXT_DIGITS_MAX: usize = 7;

/// Writes a body without secrets and whole customer numbers; forms are written like JSON.
pub(super) fn mask(side: Side, body: &[u8]) -> String {
    const POLICY: Policy = policy;
    if body.is_empty() {
        return String::new();
    }
    let masked = masking::json(POLICY, side, body)
        .or_else(|| masking::json(POLICY, side, form_as_json(body)?.as_bytes()));
    masked.unwrap_or_else(|| format!("({} bytes that cannot be read)", body.len()))
}

/// A form as an object; none for anything else, such as a body in parts.
fn form_as_json(body: &[u8]) -> Option<String> {
    let pairs = form::pairs(body).filter(|_| !body.starts_with(b"--") && body.contains(&b'='))?;
    let fields = pairs.into_iter().map(|(name, value)| (name, Value::String(value)));
    Some(Value::Object(fields.collect::<Map<_, _>>()).to_string())
}

fn policy(side: Side, names: &[&str]) -> Shown {
    let ours = side == Side::Answer;
    match names.last().copied().unwrap_or_default() {
        "sender" => Shown::Masked,
        "operator" | "payment" | "reff_id" | "type" | "rate" | "status" | "respon" => Shown::Word,
        "nominal" | "total_tf" | "saldo_ahir" => Shown::Amount,
        "waktu" if ours => Shown::Whole,
        "pesan" if ours => Shown::Accepted(has_few_digits),
        _ => Shown::Hidden,
    }
}

fn has_few_digits(text: &str) -> bool {
    text.bytes().filter(u8::is_ascii_digit).count() <= TEXT_DIGITS_MAX
}

/// A reference for a note, if a text could be one.
pub(super) fn noted(text: &str) -> Option<Reference> {
    (text.chars().count() <= 20).then(|| Reference::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_and_its_answer_without_the_payer() {
        let request = b"reff_id=INV-123&sender=081298765432&sign=d4d9a787&nominal=10000&return_url=https%3A%2F%2Fshop.example";
        let json = br#"{"reff_id":"INV-123","sender":81298765432,"sign":"d4d9a787","nominal":10000,"return_url":"https://shop.example"}"#;
        for body in [request.as_slice(), json] {
            let shown = mask(Side::Request, body);
            for part in ["INV-123", "10000"] {
                assert!(shown.contains(part), "{part} is not in {shown}");
            }
            for secret in ["81298765432", "d4d9a787", "shop.example"] {
                assert!(!shown.contains(secret), "{secret} is in {shown}");
            }
        }
        let answer = br#"{"data":{"respon":"sukses","hash":"5d0c1f6b7a8e93f2041b6c7d8e9fa0b1c2d3e4f5","url_pay":"https://pay.example/payment/5d0c1f6b7a8e93f2041b6c7d8e9fa0b1c2d3e4f5","tutor":"Transfer","waktu":1780000000,"pesan":"Pembayaran sudah di selesaikan reff 081298765432"}}"#;
        let shown = mask(Side::Answer, answer);
        assert!(shown.contains("sukses") && shown.contains("1780000000"), "{shown}");
        for secret in ["5d0c1f6b", "Transfer", "081298765432"] {
            assert!(!shown.contains(secret), "{secret} is in {shown}");
        }
        let failure = br#"{"data":{"respon":"gagal","pesan":"Sign tidak valid"}}"#;
        assert!(mask(Side::Answer, failure).contains("Sign tidak valid"));
    }

    #[test]
    fn what_cannot_be_read_is_not_shown() {
        for body in [
            "--X\r\nContent-Disposition: form-data; name=\"sender\"\r\n\r\n0812\r\n--X--",
            "081298765432",
            "{",
        ] {
            let expected = format!("({} bytes that cannot be read)", body.len());
            let shown = mask(Side::Request, body.as_bytes());
            assert!(shown == expected || !shown.contains("0812"), "{shown}");
        }
        assert_eq!(mask(Side::Request, b""), "");
    }
}
