//! What the sandbox begins with: a merchant with a balance, and products to buy.
//!
//! Names, groups, fees and commissions are the figures of the IAK reference (sections 5.1 and 6);
//! what is sold through isikuota as well has that reference's figures there (sections 5 and 6). One
//! product has one row, whatever it is called in which protocol.
//! The credentials are published, so anything that handles real money has to refuse them
//! ([`is_public_credential`]).

use domain::command::{Fund, FundingKey};
use domain::posting::Direction;
use domain::product::CutOff;
use domain::{
    Alias, Amount, Command, Credential, Currency, Level, Merchant, MerchantId, MerchantStatus,
    Product, ProductId, ProductStatus, ProtocolName, Repetition, Secret, Terms, Timestamp,
};

use crate::ilenpay::key_name;

mod channels;
mod feeds;
mod operators;
mod top_ups;

pub use feeds::feeds;
pub(super) use top_ups::{Goods, goods};

const IAK: &str = "iak";
const ISIKUOTA: &str = "isikuota";
const ILENPAY: &str = "ilenpay";
const S88PAY: &str = "s88pay";
const LEVEL: &str = "retail";
const TOKO_CONTOH: MerchantId = MerchantId(1);
/// In minor units of whatever currency the merchant has.
const OPENING_BALANCE: i64 = 100_000_000;
const OPENING_REFERENCE: &str = "sandbox-opening-balance";
const IAK_USERNAME: &str = "081200001111";
const IAK_API_KEY: &str = "9f1c2ab34de5f678";
const ISIKUOTA_API_ID: &str = "IK-1001";
const ISIKUOTA_API_KEY: &str = "ak_live_7f3c9d2e";
const ISIKUOTA_SECRET_KEY: &str = "sk_live_Zx81mQpT";
const ILENPAY_API_KEY: &str = "ilen-sandbox-key-0001";
const ILENPAY_API_USER: &str = "demoUser01";
const ILENPAY_WEBHOOK_ID: &str = "Qm3xT7kLp0aZ9Vd";
const ILENPAY_WEBHOOK_SECRET: &str = "whsecret-demo";
/// Signs what the demo feeds tell of. It is published, so no other feed may have it.
pub const EVIDENCE_SECRET: &str = "whsec_c2FuZGJveC1ldmlkZW5jZS1zZWNyZXQtMDAwMQ==";

/// Published secrets, with the protocol that they belong to; those of [`operators`] besides.
const PUBLIC_SECRETS: [(&str, &str); 5] = [
    (IAK, IAK_API_KEY),
    (ISIKUOTA, ISIKUOTA_API_KEY),
    (ISIKUOTA, ISIKUOTA_SECRET_KEY),
    (ILENPAY, ILENPAY_API_KEY),
    (ILENPAY, ILENPAY_WEBHOOK_SECRET),
];

/// What isikuota's merchants pay on top of a bill, in rupiah. They keep nothing of it.
const ISIKUOTA_ADMIN_FEE: u32 = 2700;

/// Bills that are sold through isikuota, by our name for them.
const ISIKUOTA_BILLS: [(&str, &str); 6] = [
    ("bpjs-health", "MPBPJS"),
    ("pln-postpaid", "MPPLN"),
    ("gas", "MPGAS"),
    ("water-surabaya", "MPPDAMSBY"),
    ("telkom", "MPTELKOM"),
    ("mobile-telkomsel", "MPHALO"),
];

/// A product of the demo catalogue.
struct Row {
    id: &'static str,
    codes: &'static [&'static str],
    name: &'static str,
    group: &'static str,
    province: Option<&'static str>,
    status: ProductStatus,
    /// Rupiah per bill: the fee, the merchant's commission, and ours from the sandbox.
    terms: (u32, u32, u32),
}

const fn row(
    id: &'static str,
    codes: &'static [&'static str],
    name: &'static str,
    group: &'static str,
    terms: (u32, u32, u32),
) -> Row {
    Row { id, codes, name, group, province: None, status: ProductStatus::Active, terms }
}

const fn water(
    id: &'static str,
    codes: &'static [&'static str],
    name: &'static str,
    province: &'static str,
    terms: (u32, u32, u32),
) -> Row {
    Row { province: Some(province), ..row(id, codes, name, "pdam", terms) }
}

const fn inactive(row: Row) -> Row {
    Row { status: ProductStatus::Inactive, ..row }
}

const PRODUCTS: [Row; 30] = [
    row("pln-postpaid", &["PLNPOSTPAID"], "PLN POSTPAID", "pln", (2500, 600, 750)),
    row("pln-non-taglist", &["PLNNONH", "PLNNONTAG"], "PLN NON TAGLIS", "pln", (1600, 1800, 1950)),
    row("bpjs-health", &["BPJS"], "BPJS Kesehatan", "bpjs", (2500, 1150, 1300)),
    row("bpjs-health-penalty", &["BPJSDENDA"], "BPJS Kesehatan Denda", "bpjs", (2500, 1150, 1300)),
    row(
        "bpjs-employment-self",
        &["BPJSTK"],
        "BPJS Ketenagakerjaan BPU",
        "bpjs",
        (3500, 2500, 2700),
    ),
    row(
        "bpjs-employment-company",
        &["BPJSTKPU"],
        "BPJS Ketenagakerjaan PU",
        "bpjs",
        (2500, 2000, 2200),
    ),
    row("gas", &["PGAS"], "Perusahaan Gas Negara", "gas", (2500, 600, 750)),
    row("finance-mega-auto", &["FNMEGA"], "Mega Auto Finance", "finance", (0, 500, 600)),
    row("finance-mega", &["FNMF"], "Mega Finance", "finance", (0, 500, 600)),
    row(
        "insurance-aia-premium",
        &["AIA.PREMICONVEN"],
        "AIA Premi Konvensional",
        "asuransi",
        (3000, 500, 650),
    ),
    row("insurance-taspen", &["TASPEN.ASURANSI"], "Taspen Asuransi", "asuransi", (3000, 500, 650)),
    row("water-aetra", &["AETRA"], "PDAM AETRA", "pdam", (2500, 700, 850)),
    water(
        "water-surabaya",
        &["PDAMKOTA.SURABAYA"],
        "PDAM KOTA SURABAYA",
        "Jawa Timur",
        (2000, 700, 850),
    ),
    water(
        "water-medan",
        &["PDAMKOTA.MEDAN"],
        "PDAM KOTA MEDAN",
        "Sumatera Utara",
        (2500, 400, 550),
    ),
    water(
        "water-bandung",
        &["PDAMKOTA.BANDUNG"],
        "PDAM KOTA BANDUNG",
        "Jawa Barat",
        (2500, 400, 550),
    ),
    water(
        "water-yogyakarta",
        &["PDAMKOTA.YOGYAKARTA"],
        "PDAM KOTA YOGYAKARTA",
        "DI Yogyakarta",
        (2500, 400, 550),
    ),
    inactive(water(
        "water-bogor-regency",
        &["PDAMKAB.BOGOR"],
        "PDAM KAB. BOGOR",
        "Jawa Barat",
        (2500, 400, 550),
    )),
    row("tv-telkomvision", &["TVTLKMV"], "Telkomvision", "tv", (1950, 1000, 1150)),
    row("tv-big", &["TVBIG"], "BIG TV", "tv", (0, 1100, 1250)),
    row("mobile-three", &["HPTHREE"], "Three Postpaid", "hp", (0, 1000, 1150)),
    row("mobile-telkomsel", &["HPTSEL"], "Telkomsel Halo", "hp", (0, 1000, 1150)),
    row("telkom", &["TELKOMPSTN"], "Telkom PSTN", "internet", (2500, 1200, 1350)),
    row("internet-cbn", &["CBN"], "CBN", "internet", (0, 1000, 1150)),
    row(
        "vehicle-tax-jabar",
        &["ESAMSAT.JABAR"],
        "E-Samsat Jawa Barat",
        "pajak-kendaraan",
        (5000, 2500, 2700),
    ),
    row("property-tax-cimahi", &["PBBKOT.CIMAHI"], "PBB Kota Cimahi", "pbb", (5000, 0, 200)),
    row("shopeepay", &["SHOPEEPAY"], "ShopeePay", "emoney", (800, 450, 550)),
    row(
        "church-shiftsoft-member",
        &["MEMBER.Shiftsoft_MMS-Perpuluhan_2022"],
        "Shiftsoft MMS Perpuluhan 2022",
        "o2o",
        (800, 450, 550),
    ),
    row(
        "church-shiftsoft-guest",
        &["NONMEMBER.Shiftsoft_MMS-Perpuluhan_2022"],
        "Shiftsoft MMS Perpuluhan 2022 Non Member",
        "o2o",
        (800, 450, 550),
    ),
    row(
        "church-iak-member",
        &["MEMBER.IAK_Church-Perpuluhan_2022"],
        "IAK Church Perpuluhan 2022",
        "o2o",
        (800, 450, 550),
    ),
    row(
        "church-iak-guest",
        &["NONMEMBER.IAK_Church-Perpuluhan_2022"],
        "IAK Church Perpuluhan 2022 Non Member",
        "o2o",
        (800, 450, 550),
    ),
];

/// The electricity company is closed from 23:00 to 01:00 (IAK reference, section 2.6).
const ELECTRICITY_CLOSED: CutOff = CutOff { from_minute: 23 * 60, until_minute: 60 };

/// What the sandbox leaves us of the price of each bill, in rupiah, for codes of the demo
/// catalogue, and for all others.
pub(super) fn supplier_commission(code: &str) -> Amount {
    const OTHERS: u32 = 500;
    let row = PRODUCTS.iter().find(|row| row.codes.contains(&code));
    Amount::rupiah(row.map_or(OTHERS, |row| row.terms.2))
}

/// IAK's code for a bill of the demo catalogue, under which the sandbox knows what kind of bill it
/// is; none for other products.
pub(super) fn iak_code(product: &str) -> Option<&'static str> {
    let row = PRODUCTS.iter().find(|row| row.id == product)?;
    row.codes.first().copied()
}

/// The demo catalogue.
pub fn products() -> Vec<Product> {
    PRODUCTS.iter().map(product).chain(top_ups::products()).chain(channels::products()).collect()
}

fn alias(protocol: &str, code: &str) -> Alias {
    Alias { protocol: ProtocolName::new(protocol), code: code.to_owned() }
}

fn terms(protocol: &str, admin_fee: u32, commission: u32) -> Terms {
    Terms {
        level: Level(LEVEL.to_owned()),
        protocol: Some(ProtocolName::new(protocol)),
        admin_fee: Amount::rupiah(admin_fee),
        commission: Amount::rupiah(commission),
    }
}

fn product(row: &Row) -> Product {
    let isikuota = ISIKUOTA_BILLS.iter().find(|(id, _)| *id == row.id).map(|(_, code)| *code);
    let (admin_fee, commission, _) = row.terms;
    Product {
        id: ProductId::new(row.id),
        name: row.name.to_owned(),
        group: row.group.to_owned(),
        province: row.province.map(str::to_owned),
        status: row.status,
        aliases: row
            .codes
            .iter()
            .map(|code| alias(IAK, code))
            .chain(isikuota.map(|code| alias(ISIKUOTA, code)))
            .collect(),
        terms: [terms(IAK, admin_fee, commission)]
            .into_iter()
            .chain(isikuota.map(|_| terms(ISIKUOTA, ISIKUOTA_ADMIN_FEE, 0)))
            .collect(),
        cut_off: (row.group == "pln").then_some(ELECTRICITY_CLOSED),
        top_up: None,
        channel: None,
    }
}

/// The demo merchants.
pub fn merchants() -> Vec<Merchant> {
    let toko_contoh = merchant(TOKO_CONTOH, "Toko Contoh", Currency::Idr);
    [toko_contoh].into_iter().chain(operators::merchants()).collect()
}

fn merchant(id: MerchantId, name: &str, currency: Currency) -> Merchant {
    Merchant {
        id,
        name: name.to_owned(),
        currency,
        level: Level(LEVEL.to_owned()),
        status: MerchantStatus::Active,
        addresses: Vec::new(),
        rate_limit: None,
        repetition: Repetition::Free,
    }
}

/// What the demo merchants present. Published with the program.
pub fn credentials() -> Vec<Credential> {
    let keys = [("api_key", ISIKUOTA_API_KEY), ("secret_key", ISIKUOTA_SECRET_KEY)];
    let ilenpay = [
        ("api_key", ILENPAY_API_KEY),
        ("api_user", ILENPAY_API_USER),
        ("webhook_id", ILENPAY_WEBHOOK_ID),
        ("webhook_secret", ILENPAY_WEBHOOK_SECRET),
    ];
    let toko_contoh = [
        credential(TOKO_CONTOH, IAK, IAK_USERNAME, &[("api_key", IAK_API_KEY)]),
        credential(TOKO_CONTOH, ISIKUOTA, ISIKUOTA_API_ID, &keys),
        credential(TOKO_CONTOH, ILENPAY, &key_name(ILENPAY_API_KEY), &ilenpay),
    ];
    toko_contoh.into_iter().chain(operators::credentials()).collect()
}

fn credential(
    merchant: MerchantId,
    protocol: &str,
    identifier: &str,
    secrets: &[(&str, &str)],
) -> Credential {
    let secret = |(name, secret): &(&str, &str)| ((*name).to_owned(), Secret::new(*secret));
    Credential {
        merchant,
        protocol: ProtocolName::new(protocol),
        identifier: identifier.to_owned(),
        serial: 1,
        secrets: secrets.iter().map(secret).collect(),
        expires_at: None,
        revoked_at: None,
    }
}

/// Whether somebody who has read the documentation could present this: one of its secrets is
/// published. The identifier alone proves nothing and is not looked at.
pub fn is_public_credential(credential: &Credential) -> bool {
    let published = |(protocol, secret): &(&str, &str)| {
        credential.protocol.as_str() == *protocol
            && credential.secrets.values().any(|own| own.reveal() == *secret)
    };
    PUBLIC_SECRETS.iter().any(published) || operators::is_public(credential)
}

/// Everything that makes an empty store a demo. Carried out again it pays no second opening balance,
/// but it overwrites what an operator has changed in the demo merchant and products meanwhile.
pub fn commands(at: Timestamp) -> Vec<Command> {
    let opening = |merchant: &Merchant| {
        let amount = Amount::new(OPENING_BALANCE, merchant.currency);
        Command::Fund(Fund {
            key: FundingKey { merchant: merchant.id, reference: OPENING_REFERENCE.to_owned() },
            direction: Direction::Credit,
            amount: amount.unwrap_or(Amount::zero(merchant.currency)),
            reason: "opening balance of the sandbox".to_owned(),
            at,
        })
    };
    let openings: Vec<_> = merchants().iter().map(opening).collect();
    let merchants = merchants().into_iter().map(Command::PutMerchant);
    let credentials = credentials().into_iter().map(Command::PutCredential);
    let products = products().into_iter().map(Command::PutProduct);
    merchants.chain(credentials).chain(products).chain(openings).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::sandbox::kinds::BillKind;

    fn bills() -> Vec<Product> {
        let is_bill = |it: &Product| it.top_up.is_none() && it.channel.is_none();
        products().into_iter().filter(is_bill).collect()
    }

    /// No two products share a name or a code, and each can be bought in every protocol that knows
    /// it, at no less than it costs.
    #[test]
    fn every_product_is_told_apart_and_has_a_price() {
        let products = products();
        let names: BTreeSet<_> = products.iter().map(|product| product.id.as_str()).collect();
        assert_eq!(names.len(), products.len());
        let aliases: Vec<_> = products.iter().flat_map(|product| &product.aliases).collect();
        assert_eq!(aliases.iter().collect::<BTreeSet<_>>().len(), aliases.len());
        let level = Level(LEVEL.to_owned());
        for product in &products {
            for alias in &product.aliases {
                let sold = match &product.top_up {
                    None if product.channel.is_some() => true,
                    None => product.terms_for(&level, &alias.protocol).is_some(),
                    Some(top_up) => {
                        product.price_for(&level, &alias.protocol).is_some_and(|price| {
                            top_up.cost.is_some_and(|cost| price.minus(cost).is_ok())
                        })
                    }
                };
                assert!(sold, "{alias:?}");
            }
        }
        let health = products.iter().find(|product| product.id.as_str() == "bpjs-health");
        let codes: Vec<_> =
            health.into_iter().flat_map(|it| &it.aliases).map(|it| it.code.as_str()).collect();
        assert_eq!(codes, ["BPJS", "MPBPJS"]);
    }

    #[test]
    fn the_catalogue_has_every_code_of_the_reference() {
        let products = bills();
        let codes: BTreeSet<_> = products
            .iter()
            .flat_map(|product| &product.aliases)
            .filter(|alias| alias.protocol.as_str() == IAK)
            .map(|alias| alias.code.as_str())
            .collect();
        let documented = [
            "PLNPOSTPAID",
            "PLNNONH",
            "PLNNONTAG",
            "BPJS",
            "BPJSDENDA",
            "BPJSTK",
            "BPJSTKPU",
            "PGAS",
            "FNMEGA",
            "FNMF",
            "AIA.PREMICONVEN",
            "TASPEN.ASURANSI",
            "AETRA",
            "PDAMKOTA.SURABAYA",
            "PDAMKOTA.MEDAN",
            "PDAMKAB.BOGOR",
            "TVTLKMV",
            "TVBIG",
            "HPTHREE",
            "HPTSEL",
            "TELKOMPSTN",
            "CBN",
            "ESAMSAT.JABAR",
            "PBBKOT.CIMAHI",
            "SHOPEEPAY",
            "MEMBER.Shiftsoft_MMS-Perpuluhan_2022",
            "NONMEMBER.Shiftsoft_MMS-Perpuluhan_2022",
            "MEMBER.IAK_Church-Perpuluhan_2022",
            "NONMEMBER.IAK_Church-Perpuluhan_2022",
        ];
        for code in documented {
            assert!(codes.contains(code), "{code}");
        }
        assert!(codes.iter().all(|code| BillKind::of(code).is_some()));
        let ids: BTreeSet<_> = products.iter().map(|product| product.id.as_str()).collect();
        assert_eq!(ids.len(), products.len());
        let rows: usize = PRODUCTS.iter().map(|row| row.codes.len()).sum();
        assert_eq!(codes.len(), rows);
    }

    #[test]
    fn groups_are_types_of_the_price_list() {
        let types = [
            "pdam",
            "bpjs",
            "internet",
            "pajak-kendaraan",
            "finance",
            "hp",
            "estate",
            "emoney",
            "kereta",
            "tv",
            "airline",
            "o2o",
            "pbb",
            "gas",
            "pajak-daerah",
            "pln",
            "pasar",
            "retribusi",
            "pendidikan",
            "asuransi",
        ];
        for product in bills() {
            assert!(types.contains(&product.group.as_str()), "{}", product.name);
            assert_eq!(product.cut_off.is_some(), product.group == "pln");
            assert!(product.province.is_none() || product.group == "pdam");
        }
        let inactive = |product: &Product| product.status == ProductStatus::Inactive;
        let inactive: Vec<_> = bills().into_iter().filter(inactive).collect();
        assert_eq!(inactive.len(), 1);
    }

    #[test]
    fn we_always_keep_a_little_more_than_the_merchant() {
        for row in &PRODUCTS {
            let (_, commission, ours) = row.terms;
            assert!(commission < ours && ours <= commission + 200, "{}", row.id);
        }
        assert_eq!(supplier_commission("PLNPOSTPAID"), Amount::rupiah(750));
        assert_eq!(supplier_commission("PDAMKAB.ELSEWHERE"), Amount::rupiah(500));
    }

    #[test]
    fn seeding_funds_every_merchant_once() {
        let commands = commands(Timestamp::from_milliseconds(1));
        let funds: Vec<_> = commands
            .iter()
            .filter_map(|command| match command {
                Command::Fund(fund) => Some(fund),
                _ => None,
            })
            .collect();
        let merchants = merchants();
        assert_eq!(funds.len(), merchants.len());
        for (fund, merchant) in funds.iter().zip(&merchants) {
            assert_eq!(fund.key.reference, "sandbox-opening-balance");
            assert_eq!(fund.amount.minor(), 100_000_000);
            assert_eq!(
                (fund.key.merchant, fund.amount.currency()),
                (merchant.id, merchant.currency)
            );
        }
        let others = 2 * merchants.len() + credentials().len();
        assert_eq!(commands.len(), products().len() + others);
    }

    #[test]
    fn published_secrets_are_recognised() {
        let credentials = credentials();
        assert!(credentials.iter().all(is_public_credential));
        let public = credentials[0].clone();
        let secret = |text: &str| BTreeMap::from([("api_key".to_owned(), Secret::new(text))]);
        let table = [
            (Credential { identifier: "081299999999".to_owned(), ..public.clone() }, true),
            (Credential { secrets: secret("another"), ..public.clone() }, false),
            (Credential { protocol: ProtocolName::new("isikuota"), ..public.clone() }, false),
            (
                Credential {
                    protocol: ProtocolName::new("s88pay"),
                    secrets: secret("unit-test-secret-key-xyz"),
                    ..public.clone()
                },
                true,
            ),
            (Credential { secrets: BTreeMap::new(), ..public }, false),
        ];
        for (credential, expected) in table {
            assert_eq!(is_public_credential(&credential), expected, "{credential:?}");
        }
    }
}
