//! The receipt of a top-up on paper (IAK reference, sections 7.11 and 13.5).
//!
//! What was handed over stands on it in parts where its form is known: a token for electricity has
//! its customer's name, tariff and energy behind it. A text of another form is shown whole.

use domain::bill::names;
use domain::{Order, OrderState, Product};

use super::particulars::{Line, Particulars};
use super::receipt::Sheet;
use super::wording;

/// What stands on paper; none before the top-up has succeeded. A product that is no longer in the
/// catalogue is called by its code.
pub(super) fn sheet(order: &Order, product: Option<&Product>, issuer: &str) -> Option<Sheet> {
    if order.state != OrderState::Succeeded {
        return None;
    }
    let (quote, delivery) = (order.quote.as_ref()?, order.delivery.as_ref()?);
    let name = product.map_or(order.code.as_str(), |product| &product.name);
    let group = product.map_or("", |product| &product.group);
    let given = Particulars(delivery.details.as_ref());
    let time = wording::time(order.updated_at);
    let mut fields = vec![
        Line::new("TANGGAL", format!("{time} WIB")),
        Line::new("NO. TRANSAKSI", order.key.reference.as_str()),
        Line::new("NAMA PRODUK", name),
        Line::new("NO. TUJUAN", order.destination.as_str()),
    ];
    fields.extend(proof(group, &delivery.serial_number));
    fields.extend(given.text(names::PIN).map(|pin| Line::new("PIN", pin)));
    fields.extend(given.text(names::ACTIVATION_CODE).map(|code| Line::new("KODE AKTIVASI", code)));
    fields.retain(|line| !line.value.trim().is_empty());
    Some(Sheet {
        issuer: issuer.to_owned(),
        address: Vec::new(),
        title: format!("STRUK PEMBELIAN {name}"),
        fields,
        bills: Vec::new(),
        amounts: vec![Line::new("HARGA", wording::money(quote.charge))],
        total: wording::money(quote.charge),
        notice: None,
        paid_on: wording::date(order.updated_at),
        footer: Vec::new(),
    })
}

/// What was handed over, in the parts that its form has.
fn proof(group: &str, serial_number: &str) -> Vec<Line> {
    let parts: Vec<_> = serial_number.split('/').map(str::trim).collect();
    match (group, parts.as_slice()) {
        ("pln", [token, name, segment, power, rest @ ..]) if rest.len() < 2 => {
            let energy = rest.first().map(|energy| Line::new("KWH", *energy));
            let tariff = format!("{segment} / {}", power.trim_start_matches('0'));
            [Line::new("TOKEN", *token), Line::new("NAMA", *name), Line::new("TARIF/DAYA", tariff)]
                .into_iter()
                .chain(energy)
                .collect()
        }
        ("voucher", [code, expiry]) => {
            vec![Line::new("KODE VOUCHER", *code), Line::new("BERLAKU S/D", *expiry)]
        }
        _ => vec![Line::new("NO. SERI", serial_number)],
    }
}

#[cfg(test)]
mod tests {
    use domain::{Delivery, Detail};
    use proptest::prelude::*;

    use super::super::{fixtures, pdf};
    use super::*;

    /// A top-up that delivered this.
    fn order(serial_number: &str, details: Option<Detail>) -> Order {
        let mut order = fixtures::electricity().order;
        order.bill = None;
        let cost = order.quote.expect("priced").charge;
        let serial_number = serial_number.to_owned();
        order.delivery = Some(Delivery { cost, serial_number, details });
        order
    }

    #[test]
    fn a_receipt_shows_what_was_handed_over_and_what_it_cost() {
        let product = fixtures::electricity().product;
        let text = |name: &str, text: &str| (name.to_owned(), Detail::Text(text.to_owned()));
        let secrets = vec![text(names::PIN, "4711"), text(names::ACTIVATION_CODE, "LPA:1$x")];
        let order = order("8800112233", Some(Detail::Record(secrets)));
        let sheet = sheet(&order, Some(&product), "Toko Contoh").expect("succeeded");
        let shown = |label: &str| {
            let line = sheet.fields.iter().find(|line| line.label == label);
            line.map(|line| line.value.as_str())
        };
        assert_eq!(sheet.title, format!("STRUK PEMBELIAN {}", product.name));
        assert_eq!(shown("NO. SERI"), Some("8800112233"));
        assert_eq!(shown("NO. TRANSAKSI"), Some("INV2024000001"));
        assert_eq!((shown("PIN"), shown("KODE AKTIVASI")), (Some("4711"), Some("LPA:1$x")));
        assert_eq!(sheet.total, wording::money(order.quote.expect("priced").charge));
    }

    #[test]
    fn there_is_no_receipt_before_success() {
        let mut order = order("8800112233", None);
        order.state = OrderState::Processing;
        assert_eq!(sheet(&order, None, "Toko Contoh"), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_a_supplier_says_fits_on_paper(
            serial_number in "\\PC{0,200}|[0-9-]{0,30}(/[A-Z0-9 ]{0,40}){0,6}",
        ) {
            let product = fixtures::electricity().product;
            let sheet = sheet(&order(&serial_number, None), Some(&product), "T").expect("succeeded");
            prop_assert!(pdf(&sheet).starts_with(b"%PDF-"));
        }
    }

    #[test]
    fn known_forms_are_shown_in_parts_and_others_whole() {
        let table = [
            (
                "pln",
                "1111-2222-3333-4444-5555/PELANGGAN SATU/R1 /000001300/33.1",
                "TOKEN=1111-2222-3333-4444-5555 NAMA=PELANGGAN SATU TARIF/DAYA=R1 / 1300 KWH=33.1",
            ),
            ("pln", "1111/A/R1/000000900", "TOKEN=1111 NAMA=A TARIF/DAYA=R1 / 900"),
            ("pln", "1111", "NO. SERI=1111"),
            ("voucher", "AB12 / 2025-01-31", "KODE VOUCHER=AB12 BERLAKU S/D=2025-01-31"),
            ("voucher", "AB12", "NO. SERI=AB12"),
            ("pulsa", "88/00", "NO. SERI=88/00"),
        ];
        for (group, serial_number, expected) in table {
            let lines = proof(group, serial_number);
            let shown: Vec<_> =
                lines.iter().map(|line| format!("{}={}", line.label, line.value)).collect();
            assert_eq!(shown.join(" "), expected, "{group} {serial_number}");
        }
    }
}
