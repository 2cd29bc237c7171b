//! The demo operators of S88pay, one for each currency: that API gives a merchant exactly one.

use domain::{Credential, Currency, Merchant, MerchantId};

use super::{S88PAY, credential, merchant};

const API_KEY: &str = "unit-test-api-key";
const SECRET_KEY: &str = "unit-test-secret-key";

/// Number, currency, and what the code and the keys end in.
const OPERATORS: [(u32, Currency, &str); 13] = [
    (2, Currency::Thb, ""),
    (3, Currency::Idr, "IDR"),
    (4, Currency::Inr, "INR"),
    (5, Currency::Bdt, "BDT"),
    (6, Currency::Vnd, "VND"),
    (7, Currency::Krw, "KRW"),
    (8, Currency::Jpy, "JPY"),
    (9, Currency::Mmk, "MMK"),
    (10, Currency::Myr, "MYR"),
    (11, Currency::Php, "PHP"),
    (12, Currency::Cny, "CNY"),
    (13, Currency::Brl, "BRL"),
    (14, Currency::Try, "TRY"),
];

fn code(ending: &str) -> String {
    if ending.is_empty() { "OPR001".to_owned() } else { format!("OPR{ending}") }
}

pub(super) fn merchants() -> impl Iterator<Item = Merchant> {
    OPERATORS.iter().map(|(id, currency, _)| {
        let name = format!("Operator Contoh {}", currency.code());
        merchant(MerchantId(*id), &name, *currency)
    })
}

pub(super) fn credentials() -> impl Iterator<Item = Credential> {
    OPERATORS.iter().map(|(id, _, ending)| {
        let suffixed = |key: &str| match *ending {
            "" => key.to_owned(),
            ending => format!("{key}-{}", ending.to_lowercase()),
        };
        let (api_key, secret_key) = (suffixed(API_KEY), suffixed(SECRET_KEY));
        let secrets = [("api_key", api_key.as_str()), ("secret_key", secret_key.as_str())];
        credential(MerchantId(*id), S88PAY, &code(ending), &secrets)
    })
}

/// Whether a credential has a key that is one of these, or looks like one.
pub(super) fn is_public(credential: &Credential) -> bool {
    let looks_so = |key: &str| key.starts_with(API_KEY) || key.starts_with(SECRET_KEY);
    credential.protocol.as_str() == S88PAY
        && credential.secrets.values().any(|secret| looks_so(secret.reveal()))
}
