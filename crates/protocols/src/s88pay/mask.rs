//! What of this API's bodies may be kept: the list of members that may be shown, for the exchange log.
//!
//! Whatever is not listed is hidden, above all the key: what it is encrypted with never changes, so a
//! kept one could be sent again.

use gateway::exchanges::Side;

use crate::masking::{self, Policy, Shown};

/// Writes a body without keys, whole accounts and names.
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
    match names.last().copied().unwrap_or_default() {
        "transaction_code" => Shown::Word,
        "transaction_no" => Shown::Accepted(is_transaction_number),
        "status" | "code" | "message" | "success" | "step" | "amount" | "transaction_fee"
        | "type" | "currency_code" | "currency_name" | "datetime" | "method_name"
        | "expired_at" | "expired_timezone" | "balance" | "frozen_balance"
        | "available_balance" | "currency" | "is_maintenance"
            if ours =>
        {
            Shown::Whole
        }
        "upi_id" | "wallet_number" | "account_number" | "transaction_ref" => Shown::Masked,
        _ => Shown::Hidden,
    }
}

/// Whether this is a number as we give them to transactions.
fn is_transaction_number(text: &str) -> bool {
    let digits = text.strip_prefix("DP").or_else(|| text.strip_prefix("WD"));
    digits.is_some_and(|digits| {
        digits.len() == 13 && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_and_its_answer_without_key_and_account() {
        let request = br#"{"key":"b5ojWL4ABTRpEdi7606","transaction_code":"ORD-1001","transaction_no":"DP1700000000123","081234567345":1}"#;
        assert_eq!(
            mask(Side::Request, request),
            r#"{"key":"****","transaction_code":"ORD-1001","transaction_no":"DP1700000000123","****":"****"}"#
        );
        let answer = br#"{"status":"success","transaction_no":"DP1700000000123","amount":"510.00","wallet_number":"01700000000","wallet_name":"Budi"}"#;
        assert_eq!(
            mask(Side::Answer, answer),
            r#"{"status":"success","transaction_no":"DP1700000000123","amount":"510.00","wallet_number":"0170****000","wallet_name":"****"}"#
        );
        let foreign = br#"{"message":"4111111111111111","transaction_no":"4111111111111111"}"#;
        assert_eq!(
            mask(Side::Request, foreign),
            r#"{"message":"****","transaction_no":"4111****111"}"#
        );
    }

    #[test]
    fn other_bodies_are_only_measured() {
        assert_eq!(mask(Side::Request, b""), "");
        assert_eq!(mask(Side::Request, b"key=b5ojWL4"), "(11 bytes that cannot be read)");
        assert_eq!(mask(Side::Answer, b"<!doctype html>"), "(15 bytes that cannot be read)");
    }
}
