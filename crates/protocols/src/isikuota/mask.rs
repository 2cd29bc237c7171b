//! What of an isikuota body may be kept: the list of members that may be shown, for the exchange log.
//!
//! Whatever is not listed is hidden: signatures, serial numbers, and all particulars of a bill that
//! name a person or a place.

use gateway::exchanges::Side;

use crate::masking::{self, Policy, Shown};

/// Writes a body without secrets, whole customer numbers and names.
pub(super) fn mask(side: Side, body: &[u8]) -> String {
    const POLICY: Policy = policy;
    if body.is_empty() {
        return String::new();
    }
    let masked = masking::json(POLICY, side, body);
    masked.unwrap_or_else(|| format!("({} bytes that cannot be read)", body.len()))
}

fn policy(side: Side, names: &[&str]) -> Shown {
    let ours = side == Side::Answer;
    if ours && names.contains(&"errors") {
        return Shown::Whole;
    }
    match names.last().copied().unwrap_or_default() {
        "customer_no" | "customer_name" | "api_id" => Shown::Masked,
        "cmd" | "code" | "ref_id" | "testing" | "status" | "type" | "category" | "brand" => {
            Shown::Word
        }
        "message" | "success" | "created_at" | "checked_at" | "currency" if ours => Shown::Whole,
        "timestamp" | "price" | "tagihan" | "admin" | "total" | "balance" => Shown::Amount,
        _ => Shown::Hidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_and_its_answer_without_the_customer() {
        let request = br#"{"cmd":"prepaid","code":"TSEL21","customer_no":"081298765432","ref_id":"TRX-1","api_id":"IK-1001-abcdef","timestamp":1780000000,"signature":"5013aa86"}"#;
        let shown = mask(Side::Request, request);
        for part in ["prepaid", "TSEL21", "TRX-1", "0812****432"] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
        for secret in ["081298765432", "5013aa86", "IK-1001-abcdef"] {
            assert!(!shown.contains(secret), "{secret} is in {shown}");
        }
        let answer = br#"{"success":true,"code":"ORDER_SUCCESS","message":"Transaksi berhasil","data":{"customer_no":"081298765432","customer_name":"Budi Contoh Sekali","sn":"0041002233445566","price":21425}}"#;
        let shown = mask(Side::Answer, answer);
        assert!(shown.contains("ORDER_SUCCESS") && shown.contains("21425"), "{shown}");
        for secret in ["081298765432", "Budi Contoh", "0041002233445566"] {
            assert!(!shown.contains(secret), "{secret} is in {shown}");
        }
        assert_eq!(mask(Side::Request, b"not json"), "(8 bytes that cannot be read)");
        assert_eq!(mask(Side::Request, b""), "");
    }
}
