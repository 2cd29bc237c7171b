//! What of an IAK body may be kept: the list of fields that may be shown, for the exchange log.
//!
//! Whatever is not listed is hidden: signatures and keys, and all particulars of a bill that name a
//! person or a place. Field names are those of the IAK reference, sections 5 and 6.

use gateway::exchanges::Side;

use super::wire::content::looks_like_xml;
use super::wire::tr_id;
use crate::masking::{self, Policy, Shown};

/// Writes a body without secrets, whole customer numbers and names.
pub(super) fn mask(side: Side, body: &[u8]) -> String {
    const POLICY: Policy = policy;
    let masked = match body {
        b"" => return String::new(),
        _ if body.starts_with(b"%PDF") => return format!("(PDF, {} bytes)", body.len()),
        _ if looks_like_xml(body) => masking::xml(POLICY, side, body),
        _ => masking::json(POLICY, side, body),
    };
    masked.unwrap_or_else(|| format!("({} bytes that cannot be read)", body.len()))
}

fn policy(side: Side, names: &[&str]) -> Shown {
    let ours = side == Side::Answer;
    // The sentences about fields are our own and name no value.
    if ours && names.contains(&"error_details") {
        return Shown::Whole;
    }
    match names.last().copied().unwrap_or_default() {
        "hp" | "customer_id" | "meter_no" | "subscriber_id" | "username" | "tr_name"
        | "nomor_identitas" | "noref" | "no_ref" => Shown::Masked,
        "commands" | "code" | "product_code" | "pulsa_code" | "game_code" | "ref_id" | "status"
        | "type" | "category" | "province" | "raw" => Shown::Word,
        "response_code" | "rc" => Shown::Word,
        "message" | "tr_id" | "datetime" | "nominal" | "admin" | "price" | "selling_price"
        | "balance" | "fee" | "komisi"
            if ours && !names.contains(&"desc") =>
        {
            Shown::Whole
        }
        // A product's on price lists; elsewhere a customer's.
        "name" if ours && names.contains(&"pasca") => Shown::Whole,
        "tr_id" => Shown::Accepted(is_transaction_number),
        "month" | "year" | "period" | "amount" | "bill_quantity" | "nominal" | "admin"
        | "denda" | "ppn" | "total" | "tarif" | "daya" => Shown::Amount,
        _ => Shown::Hidden,
    }
}

/// Whether this is a number as we give them to transactions, which no customer's number looks like.
fn is_transaction_number(text: &str) -> bool {
    tr_id::may_be_given(text) && !text.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_and_its_answer_without_the_customer() {
        let request = br#"{"commands":"inq-pasca","username":"081200001111","code":"PLNPOSTPAID","hp":"530000000000","ref_id":"INV-1","sign":"3c2ffe91542e55f38a6ac806bca9e767","desc":{"amount":5000}}"#;
        assert_eq!(
            mask(Side::Request, request),
            r#"{"commands":"inq-pasca","username":"0812****111","code":"PLNPOSTPAID","hp":"5300****000","ref_id":"INV-1","sign":"****","desc":{"amount":5000}}"#
        );
        let answer = br#"{"data":{"tr_id":1234567890,"code":"PLNPOSTPAID","hp":"530000000000","tr_name":"BUDI SANTOSO PUTRA","period":"202401","nominal":150000,"balance":100000000,"ref_id":"INV-1","response_code":"00","message":"INQUIRY SUCCESS","desc":{"nama":"BUDI","nominal":1500000000}},"meta":[]}"#;
        assert_eq!(
            mask(Side::Answer, answer),
            r#"{"data":{"tr_id":1234567890,"code":"PLNPOSTPAID","hp":"5300****000","tr_name":"BUDI****TRA","period":"202401","nominal":150000,"balance":100000000,"ref_id":"INV-1","response_code":"00","message":"INQUIRY SUCCESS","desc":{"nama":"****","nominal":"****"}},"meta":[]}"#
        );
    }

    #[test]
    fn a_payment_names_its_transaction() {
        let request = br#"{"commands":"pay-pasca","tr_id":"1234567890"}"#;
        assert_eq!(mask(Side::Request, request).as_bytes(), request);
        let request = br#"{"commands":"pay-pasca","tr_id":1234567890}"#;
        assert_eq!(mask(Side::Request, request).as_bytes(), request);
    }

    #[test]
    fn what_a_caller_writes_is_not_taken_for_ours() {
        let request = br#"{"message":"530000000000","error_details":{"hp":"530000000000"},"tr_id":"530000000000","balance":1,"desc":{"tr_id":"01234567890"}}"#;
        assert_eq!(
            mask(Side::Request, request),
            r#"{"message":"****","error_details":{"hp":"5300****000"},"tr_id":"5300****000","balance":"****","desc":{"tr_id":"0123****890"}}"#
        );
    }

    #[test]
    fn other_bodies_are_only_measured() {
        let table: [(&[u8], &str); 5] = [
            (b"", ""),
            (b"%PDF-1.7 secret", "(PDF, 15 bytes)"),
            (b"hp=530000000000", "(15 bytes that cannot be read)"),
            (b"<mp><hp>530000000000", "(20 bytes that cannot be read)"),
            (b"\xff\xfe", "(2 bytes that cannot be read)"),
        ];
        for (body, shown) in table {
            assert_eq!(mask(Side::Request, body), shown);
        }
    }
}
