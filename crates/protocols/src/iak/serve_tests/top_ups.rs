//! Top-ups to buy, and requests to the prepaid API.

use domain::bill::names;
use domain::product::CutOff;
use domain::{
    Alias, Amount, Delivery, Detail, Level, Order, Price, Product, ProductId, ProductStatus,
    ProtocolName, TopUp,
};
use serde_json::{Value, json};

use super::world::{USERNAME, signature};
use crate::iak::NAME;

/// Code, name, group, operator, face value, price.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str, u32);

const TOP_UPS: [Row; 18] = [
    ("xld25000", "XL 25.000", "pulsa", "xl", "25000", 25_100),
    ("xld10000", "XL 10.000", "pulsa", "xl", "10000", 10_850),
    ("xld10000b", "XL 10.000 lama", "pulsa", "xl", "10000", 10_800),
    ("haxis10000", "AXIS 10.000", "pulsa", "axis", "10000", 10_850),
    ("htelkomsel10000", "Telkomsel 10.000", "pulsa", "telkomsel", "10000", 10_500),
    ("hbyu10000", "by.U 10.000", "pulsa", "by.U", "10000", 10_450),
    ("xldata5", "XL Data 5 GB", "data", "xl_paket_internet", "5 GB", 41_500),
    ("hpln20000", "Token PLN 20.000", "pln", "pln", "20000", 20_250),
    ("hmobilelegend86", "ML 86", "game", "mobile_legend", "86 Diamonds", 19_300),
    ("hsteam12000", "Steam 12.000", "game", "steam_sea", "12000", 14_200),
    ("hgopay20000", "GoPay 20.000", "etoll", "gopay_e-money", "20000", 20_900),
    ("alfamart100", "Voucher Alfamart", "voucher", "alfamart", "100000", 99_000),
    ("esim1", "eSIM 1 GB", "esim", "some_operator", "1 GB", 30_000),
    ("digi5", "Digi 5", "malaysia", "digi", "5", 20_000),
    ("hwholesale", "Hanya Grosir", "voucher", "map", "1", 1_000),
    ("hfree", "Gratis", "voucher", "map", "0", 0),
    ("hthree5000", "Three 5.000", "pulsa", "three", "5000", 5_700),
    ("light1", "LoT 1", "game", "light_of_thel:_glory_of_cepheus", "1", 9_000),
];

const SWITCHED_OFF: [&str; 2] = ["xld10000", "hthree5000"];

pub(super) fn products() -> impl Iterator<Item = Product> {
    TOP_UPS.into_iter().map(|(code, name, group, operator, denomination, price)| Product {
        id: ProductId::new(code),
        name: name.to_owned(),
        group: group.to_owned(),
        province: None,
        status: if SWITCHED_OFF.contains(&code) {
            ProductStatus::Inactive
        } else {
            ProductStatus::Active
        },
        aliases: vec![
            Alias { protocol: ProtocolName::new(NAME), code: code.to_owned() },
            Alias { protocol: ProtocolName::new("isikuota"), code: format!("T{code}") },
        ],
        terms: Vec::new(),
        cut_off: (group == "pln").then_some(CutOff { from_minute: 23 * 60, until_minute: 60 }),
        channel: None,
        top_up: Some(TopUp {
            operator: operator.to_owned(),
            denomination: denomination.to_owned(),
            details: if code == "xldata5" { "30 hari".to_owned() } else { String::new() },
            active_days: if group == "pulsa" { 30 } else { 0 },
            cost: None,
            prices: vec![Price {
                level: Level(if code == "hwholesale" { "wholesale" } else { "retail" }.to_owned()),
                protocol: None,
                amount: Amount::rupiah(price),
            }],
        }),
    })
}

/// What the supplier hands over.
pub(super) fn delivery(order: &Order) -> Delivery {
    let text = |name: &str, text: &str| (name.to_owned(), Detail::Text(text.to_owned()));
    let (serial_number, details) = match order.code.as_str() {
        "hpln20000" => ("1111-2222-3333-4444-5555/PELANGGAN SATU/R1 /000001300/33.1", None),
        "hsteam12000" => ("WXYZ-0011-2233-4455", Some(text(names::PIN, "4711"))),
        "esim1" => {
            ("8800112244", Some(text(names::ACTIVATION_CODE, "LPA:1$smdp.example$K2-1JVUQ0")))
        }
        _ => ("8800112233", None),
    };
    Delivery {
        cost: order.quote.expect("a top-up has a price").charge,
        serial_number: serial_number.to_owned(),
        details: details.map(|detail| Detail::Record(vec![detail])),
    }
}

/// A request to the newer version, signed over `what`.
pub(super) fn request(what: &str, fields: Value) -> Value {
    let mut request = fields;
    request["username"] = json!(USERNAME);
    request["sign"] = json!(signature(what));
    request
}

pub(super) fn top_up(ref_id: &str, code: &str, number: &str) -> Value {
    let fields = json!({ "ref_id": ref_id, "customer_id": number, "product_code": code });
    request(ref_id, fields)
}

pub(super) fn status(ref_id: &str) -> Value {
    request(ref_id, json!({ "ref_id": ref_id }))
}

/// A request to the older version, signed over `what`.
pub(super) fn legacy(command: &str, what: &str, fields: Value) -> Value {
    let mut request = request(what, fields);
    request["commands"] = json!(command);
    request
}

pub(super) const TOP_UP: &str = "/api/top-up";
pub(super) const STATUS: &str = "/api/check-status";
pub(super) const LEGACY: &str = "/v1/legacy/index";
pub(super) const XL: &str = "081712340000";
