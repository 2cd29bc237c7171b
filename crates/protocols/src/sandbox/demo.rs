//! What the sandbox begins with: a merchant with a balance, and products to buy.
//!
//! Names, groups, fees and commissions are the figures of the IAK reference (sections 5.1 and 6).
//! The credentials are published, so anything that handles real money has to refuse them
//! ([`is_public_credential`]).

use std::collections::BTreeMap;

use domain::command::{Fund, FundingKey};
use domain::posting::Direction;
use domain::product::CutOff;
use domain::{
    Alias, Amount, Command, Credential, Currency, Level, Merchant, MerchantId, MerchantStatus,
    Product, ProductId, ProductStatus, ProtocolName, Repetition, Secret, Terms, Timestamp,
};

const IAK: &str = "iak";
const LEVEL: &str = "retail";
const TOKO_CONTOH: MerchantId = MerchantId(1);
const OPENING_BALANCE: u32 = 100_000_000;
const OPENING_REFERENCE: &str = "sandbox-opening-balance";
const IAK_USERNAME: &str = "081200001111";
const IAK_API_KEY: &str = "9f1c2ab34de5f678";

/// Every published secret, with the protocol that it belongs to.
const PUBLIC_SECRETS: [(&str, &str); 1] = [(IAK, IAK_API_KEY)];

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

/// The demo catalogue.
pub fn products() -> Vec<Product> {
    PRODUCTS.iter().map(product).collect()
}

fn product(row: &Row) -> Product {
    let protocol = ProtocolName::new(IAK);
    let alias = |code: &&str| Alias { protocol: protocol.clone(), code: (*code).to_owned() };
    let (admin_fee, commission, _) = row.terms;
    Product {
        id: ProductId::new(row.id),
        name: row.name.to_owned(),
        group: row.group.to_owned(),
        province: row.province.map(str::to_owned),
        status: row.status,
        aliases: row.codes.iter().map(alias).collect(),
        terms: vec![Terms {
            level: Level(LEVEL.to_owned()),
            protocol: Some(protocol.clone()),
            admin_fee: Amount::rupiah(admin_fee),
            commission: Amount::rupiah(commission),
        }],
        cut_off: (row.group == "pln").then_some(ELECTRICITY_CLOSED),
        top_up: None,
    }
}

/// The demo merchants.
pub fn merchants() -> Vec<Merchant> {
    vec![Merchant {
        id: TOKO_CONTOH,
        name: "Toko Contoh".to_owned(),
        currency: Currency::Idr,
        level: Level(LEVEL.to_owned()),
        status: MerchantStatus::Active,
        addresses: Vec::new(),
        rate_limit: None,
        repetition: Repetition::Free,
    }]
}

/// What the demo merchants present. Published with the program.
pub fn credentials() -> Vec<Credential> {
    vec![Credential {
        merchant: TOKO_CONTOH,
        protocol: ProtocolName::new(IAK),
        identifier: IAK_USERNAME.to_owned(),
        serial: 1,
        secrets: BTreeMap::from([("api_key".to_owned(), Secret::new(IAK_API_KEY))]),
        expires_at: None,
        revoked_at: None,
    }]
}

/// Whether somebody who has read the documentation could present this: one of its secrets is
/// published. The identifier alone proves nothing and is not looked at.
pub fn is_public_credential(credential: &Credential) -> bool {
    PUBLIC_SECRETS.iter().any(|(protocol, secret)| {
        credential.protocol.as_str() == *protocol
            && credential.secrets.values().any(|own| own.reveal() == *secret)
    })
}

/// Everything that makes an empty store a demo. Carried out again it pays no second opening balance,
/// but it overwrites what an operator has changed in the demo merchant and products meanwhile.
pub fn commands(at: Timestamp) -> Vec<Command> {
    let opening = Fund {
        key: FundingKey { merchant: TOKO_CONTOH, reference: OPENING_REFERENCE.to_owned() },
        direction: Direction::Credit,
        amount: Amount::rupiah(OPENING_BALANCE),
        reason: "opening balance of the sandbox".to_owned(),
        at,
    };
    let merchants = merchants().into_iter().map(Command::PutMerchant);
    let credentials = credentials().into_iter().map(Command::PutCredential);
    let products = products().into_iter().map(Command::PutProduct);
    merchants.chain(credentials).chain(products).chain([Command::Fund(opening)]).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::sandbox::kinds::BillKind;

    #[test]
    fn the_catalogue_has_every_code_of_the_reference() {
        let products = products();
        let codes: BTreeSet<_> = products
            .iter()
            .flat_map(|product| product.aliases.iter().map(|alias| alias.code.as_str()))
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
        let aliases: usize = products.iter().map(|product| product.aliases.len()).sum();
        assert_eq!(codes.len(), aliases);
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
        for product in products() {
            assert!(types.contains(&product.group.as_str()), "{}", product.name);
            assert_eq!(product.cut_off.is_some(), product.group == "pln");
            assert!(product.province.is_none() || product.group == "pdam");
        }
        let inactive = |product: &Product| product.status == ProductStatus::Inactive;
        let inactive: Vec<_> = products().into_iter().filter(inactive).collect();
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
    fn seeding_funds_the_merchant_once() {
        let commands = commands(Timestamp::from_milliseconds(1));
        let funds: Vec<_> = commands
            .iter()
            .filter_map(|command| match command {
                Command::Fund(fund) => Some(fund),
                _ => None,
            })
            .collect();
        let [fund] = funds.as_slice() else { panic!("one opening balance") };
        assert_eq!(fund.key.reference, "sandbox-opening-balance");
        assert_eq!(fund.amount, Amount::rupiah(100_000_000));
        assert_eq!(commands.len(), products().len() + 3);
    }

    #[test]
    fn published_secrets_are_recognised() {
        let [public] = <[_; 1]>::try_from(credentials()).expect("one credential");
        assert!(is_public_credential(&public));
        let secret = |text: &str| BTreeMap::from([("api_key".to_owned(), Secret::new(text))]);
        let table = [
            (Credential { identifier: "081299999999".to_owned(), ..public.clone() }, true),
            (Credential { secrets: secret("another"), ..public.clone() }, false),
            (Credential { protocol: ProtocolName::new("isikuota"), ..public.clone() }, false),
            (Credential { secrets: BTreeMap::new(), ..public }, false),
        ];
        for (credential, expected) in table {
            assert_eq!(is_public_credential(&credential), expected, "{credential:?}");
        }
    }
}
