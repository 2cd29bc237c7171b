//! The demo ways for money in and out: ilenpay's four operators of telephone credit with the rates of
//! its reference (section 5), and S88pay's one channel each way, for one in a hundred.

use domain::product::Fee;
use domain::{Channel, Currency, Flow, Product, ProductId, ProductStatus};

use super::{ILENPAY, S88PAY, alias};

/// Operator, name, hundredths that its credit is worth, and the number to which payers send it.
const CREDIT: [(&str, &str, u8, &str); 4] = [
    ("telkomsel", "Telkomsel", 82, "081200000001"),
    ("xl", "XL/Axis", 80, "081700000001"),
    ("tri", "Tri", 80, "089500000001"),
    ("smartfren", "Smartfren", 78, "088100000001"),
];

/// The highest `nominal` of one collection by telephone credit, in rupiah.
const CREDIT_MAX: u64 = 1_000_000;
/// Where payers of transfers send their money: India pays to an address, all others to a number.
const TRANSFER_ACCOUNTS: &str = "INR=contoh@lunas Operator Contoh;0011223344 Operator Contoh";
const ONE_IN_A_HUNDRED: Fee = Fee { per_million: 10_000, fixed: 0 };

pub(super) fn products() -> impl Iterator<Item = Product> {
    let credit = CREDIT.iter().map(|(operator, name, rate, account)| {
        let channel = Channel {
            flow: Flow::In,
            currencies: vec![Currency::Idr],
            fee: Fee::default(),
            rate_hundredths: Some(*rate),
            account: (*account).to_owned(),
            amount_max: Some(CREDIT_MAX),
        };
        product(&format!("credit-{operator}"), name, (ILENPAY, operator), channel)
    });
    let transfer = |flow| Channel {
        flow,
        currencies: Vec::new(),
        fee: ONE_IN_A_HUNDRED,
        rate_hundredths: None,
        account: if flow == Flow::In { TRANSFER_ACCOUNTS.to_owned() } else { String::new() },
        amount_max: None,
    };
    credit.chain([
        product("transfer-in", "Transfer", (S88PAY, "P001"), transfer(Flow::In)),
        product("transfer-out", "Payout", (S88PAY, "W001"), transfer(Flow::Out)),
    ])
}

fn product(id: &str, name: &str, (protocol, code): (&str, &str), channel: Channel) -> Product {
    Product {
        id: ProductId::new(id),
        name: name.to_owned(),
        group: "channel".to_owned(),
        province: None,
        status: ProductStatus::Active,
        aliases: vec![alias(protocol, code)],
        terms: Vec::new(),
        cut_off: None,
        top_up: None,
        channel: Some(channel),
    }
}
