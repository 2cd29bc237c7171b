use proptest::prelude::*;
use serde_json::{Value, json};

use super::fixtures::{self, Sale};
use super::*;
use crate::iak::codes;

fn data(receipt: &Receipt) -> Value {
    let mut value: Value = serde_json::from_slice(&raw_json(receipt)).expect("JSON");
    assert_eq!(value.as_object().expect("an object").len(), 1, "no meta");
    value["data"].take()
}

/// The labels of a receipt in their order.
fn labels(receipt: &Receipt) -> Vec<&'static str> {
    receipt.labels().iter().map(|(label, _)| *label).collect()
}

/// A PDF says at its end where its table of objects is, and the table where each object begins.
fn check_structure(pdf: &[u8]) {
    assert!(pdf.starts_with(b"%PDF-1."), "no PDF");
    // One character per byte, so that places stay what they are.
    let text: String =
        pdf.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '?' }).collect();
    let (_, tail) = text.rsplit_once("startxref\n").expect("an end");
    let table: usize = tail.lines().next().expect("a line").parse().expect("a place");
    let mut lines = text.get(table..).expect("inside").lines();
    assert_eq!(lines.next(), Some("xref"));
    let count: usize =
        lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a count");
    for (number, line) in lines.take(count).enumerate().skip(1) {
        let place: usize = line.get(..10).expect("a place").parse().expect("a place");
        let object = text.get(place..).expect("inside");
        assert!(object.starts_with(&format!("{number} 0 obj")), "object {number} is elsewhere");
    }
}

#[test]
fn the_labels_stand_in_the_order_of_the_reference() {
    let health = fixtures::health_insurance().receipt();
    assert_eq!(
        labels(&health),
        [
            "HEADER",
            "NO REFERENSI",
            "TANGGAL",
            "NO. RESI",
            "NAMA PRODUK",
            "JUMLAH PESERTA",
            "SISA SBLMNYA",
            "PERIODE",
            "ID PELANGGAN",
            "NAMA",
            "JUMLAH TAGIHAN",
            "ADMIN"
        ]
    );
    let electricity = fixtures::electricity();
    let shown = data(&electricity.receipt());
    let quote = electricity.order.quote.expect("paid");
    for (label, expected) in [
        ("HEADER", json!(format!("STRUK PEMBAYARAN {}", electricity.product.name))),
        ("TANGGAL", json!("2024-01-31 15:45:00")),
        ("ID PELANGGAN", json!(electricity.order.destination)),
        ("JUMLAH TAGIHAN", json!(wording::money(quote.nominal))),
        ("ADMIN", json!(wording::money(quote.admin))),
    ] {
        assert_eq!(shown[label], expected, "{label}");
    }
}

#[test]
fn an_own_header_brings_the_names_of_the_bill_along() {
    let sale = fixtures::property_tax();
    let plain = labels(&sale.receipt());
    let own = labels(&sale.own());
    assert_eq!(own.get(..plain.len()), Some(plain.as_slice()));
    let added = own.get(plain.len()..).expect("more");
    for name in ["nop", "nama_nop", "tahun_pajak", "kab_kota", "luas_tanah", "jatuh_tempo"] {
        assert!(added.contains(&name), "{name} in {added:?}");
    }
}

#[test]
fn every_receipt_is_a_sound_pdf_and_always_the_same() {
    for (name, sale) in fixtures::all() {
        let once = pdf(&sale.own().sheet);
        check_structure(&once);
        assert_eq!(once, pdf(&sale.own().sheet), "{name}");
        assert_ne!(once, pdf(&sale.receipt().sheet), "{name}: the header is missing");
    }
}

#[test]
fn errors_are_said_with_http_200_as_asked_for() {
    let code = codes::of_refusal(domain::Refusal::BillUnpaid);
    let xml = refused(code, Format::Xml);
    assert_eq!(xml.status(), 200);
    let element =
        "<mp><response_code>02</response_code><message>BILL UNPAID</message></mp>".as_bytes();
    assert_eq!(xml.body().as_ref(), element);
    let answered: Value = serde_json::from_slice(refused(code, Format::Json).body()).expect("JSON");
    let expected = json!({ "response_code": "02", "message": "BILL UNPAID" });
    assert_eq!(answered, json!({ "data": expected, "meta": [] }));
}

#[test]
fn a_download_is_named_by_letters_and_digits_only() {
    let receipt = fixtures::church().receipt();
    let answer = answer(&receipt, Form::Pdf, "12\"\r\n34");
    let named = answer.headers().get(CONTENT_DISPOSITION).expect("named");
    assert_eq!(named, "inline; filename=\"struk-1234.pdf\"");
    assert_eq!(answer.headers()[CONTENT_TYPE], "application/pdf");
}

fn with_texts(name: &str, address: &str, customer: &str) -> Vec<u8> {
    let mut sale: Sale = fixtures::vehicle_tax();
    sale.bill().customer_name = customer.to_owned();
    let letterhead = Letterhead::Own { company_name: name, company_address: address };
    pdf(&sale.under(letterhead).sheet)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_breaks_the_page(name in ".{0,100}", address in ".{0,300}", customer in ".{0,80}") {
        check_structure(&with_texts(&name, &address, &customer));
    }
}

#[test]
fn what_means_something_to_a_pdf_is_only_text_in_it() {
    check_structure(&with_texts(")) Tj (\\", "<br>endstream endobj<br>%%EOF", "startxref\n0"));
}
