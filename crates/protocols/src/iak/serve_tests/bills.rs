//! Products and bills: one of every kind that the reference describes, with values of our own.

use domain::bill::names;
use domain::product::CutOff;
use domain::{
    Alias, Amount, Bill, Detail, Level, Period, Product, ProductId, ProductStatus, ProtocolName,
    Terms, YearMonth,
};
use gateway::ports::BillQuestion;

use crate::iak::NAME;

/// Code, name, group, province, fee and commission per bill.
type Row = (&'static str, &'static str, &'static str, Option<&'static str>, u32, u32);

const PRODUCTS: [Row; 29] = [
    ("PLNPOSTPAID", "PLN Pascabayar", "pln", None, 2500, 600),
    ("PLNNONH", "PLN Non Taglis", "pln", None, 1600, 1800),
    ("BPJS", "BPJS Kesehatan", "bpjs", None, 2500, 1150),
    ("BPJSDENDA", "BPJS Denda", "bpjs", None, 2500, 1150),
    ("BPJSTK", "BPJS Ketenagakerjaan BPU", "bpjs", None, 3500, 2500),
    ("BPJSTKPU", "BPJS Ketenagakerjaan PU", "bpjs", None, 2500, 2000),
    ("PGAS", "Perusahaan Gas Negara", "gas", None, 2500, 600),
    ("FNMEGA", "Mega Auto Finance", "finance", None, 0, 500),
    ("FNMF", "Mega Finance", "finance", None, 0, 500),
    ("AIA.PREMICONVEN", "AIA Premi", "asuransi", None, 3000, 500),
    ("TASPEN.ASURANSI", "Taspen", "asuransi", None, 3000, 500),
    ("AETRA", "Aetra Jakarta", "pdam", None, 2500, 700),
    ("PDAMKOTA.SURABAYA", "PDAM Kota Surabaya", "pdam", Some("Jawa Timur"), 2000, 700),
    ("PDAMKOTA.MEDAN", "PDAM Kota Medan", "pdam", Some("Sumatera Utara"), 2500, 400),
    ("PDAMKAB.KUDUS", "PDAM Kab. Kudus", "pdam", Some("Jawa Tengah"), 2500, 400),
    ("PDAMKAB.BOGOR", "PDAM Kab. Bogor", "pdam", Some("Jawa Barat"), 2500, 400),
    ("TVTLKMV", "Telkomvision", "tv", None, 1950, 1000),
    ("TVBIG", "BIG TV", "tv", None, 0, 1100),
    ("HPTHREE", "Three Postpaid", "hp", None, 0, 1000),
    ("TELKOMPSTN", "Telkom", "internet", None, 2500, 1200),
    ("CBN", "CBN", "internet", None, 0, 1000),
    ("ESAMSAT.JABAR", "e-Samsat Jawa Barat", "pajak-kendaraan", Some("Jawa Barat"), 5000, 2500),
    ("PBBKOT.CIMAHI", "PBB Kota Cimahi", "pbb", None, 5000, 0),
    ("SHOPEEPAY", "ShopeePay", "emoney", None, 800, 450),
    ("MEMBER.Contoh-Perpuluhan_2024", "Gereja Contoh", "donasi", None, 800, 450),
    ("NONMEMBER.Contoh-Perpuluhan_2024", "Gereja Contoh", "donasi", None, 800, 450),
    ("PARKIR.CONTOH", "Parkir Contoh", "retribusi", None, 1000, 500),
    ("WHOLESALE.ONLY", "Hanya Grosir", "tv", None, 0, 0),
    ("NOBODY.KNOWS", "Tanpa Biller", "tv", None, 0, 100),
];

pub(super) const SWITCHED_OFF: &str = "PDAMKAB.BOGOR";

fn terms(level: &str, fee: u32, commission: u32) -> Terms {
    Terms {
        level: Level(level.to_owned()),
        protocol: None,
        admin_fee: Amount::rupiah(fee),
        commission: Amount::rupiah(commission),
    }
}

pub(super) fn products() -> Vec<Product> {
    let product = |(code, name, group, province, fee, commission): Row| Product {
        id: ProductId::new(code.to_lowercase()),
        name: name.to_owned(),
        group: group.to_owned(),
        province: province.map(str::to_owned),
        status: if code == SWITCHED_OFF { ProductStatus::Inactive } else { ProductStatus::Active },
        aliases: vec![
            Alias { protocol: ProtocolName::new(NAME), code: code.to_owned() },
            Alias { protocol: ProtocolName::new("isikuota"), code: format!("M{code}") },
        ],
        terms: match code {
            "WHOLESALE.ONLY" => vec![terms("wholesale", fee, commission)],
            _ => vec![terms("retail", fee, commission), terms("wholesale", 1, 1)],
        },
        cut_off: (group == "pln").then_some(CutOff { from_minute: 23 * 60, until_minute: 60 }),
        top_up: None,
        channel: None,
    };
    PRODUCTS.into_iter().map(product).collect()
}

fn record<const N: usize>(entries: [(&str, Detail); N]) -> Detail {
    Detail::Record(entries.into_iter().map(|(name, detail)| (name.to_owned(), detail)).collect())
}

fn text(text: &str) -> Detail {
    Detail::Text(text.to_owned())
}

const fn number(number: i64) -> Detail {
    Detail::Number(number)
}

fn money(amount: u32) -> Detail {
    Detail::Money(Amount::rupiah(amount))
}

fn months<const N: usize>(months: [(u16, u8); N]) -> Period {
    Period::Months(months.into_iter().map(|(year, month)| YearMonth { year, month }).collect())
}

/// A bill of this many single bills.
struct Owed {
    name: &'static str,
    period: Period,
    nominal: u32,
    count: u32,
    details: Detail,
}

/// The bill of the number asked about; none for a product whose biller nobody knows. Endings 0999
/// and 1999 have several bills where the product has them.
pub(super) fn bill(question: &BillQuestion) -> Option<Bill> {
    let several = question.destination.ends_with("999");
    let chosen = question
        .parameters
        .amount
        .map_or(0, |amount| u32::try_from(amount.minor()).expect("tests choose small amounts"));
    let count = question.parameters.months.unwrap_or(1);
    let owed = match question.product.as_str().to_uppercase().as_str() {
        "PLNPOSTPAID" => electricity(several),
        "PLNNONH" => plain("PELANGGAN DUA", 1_200_000, electricity_work()),
        "BPJS" => Owed {
            name: "PESERTA SATU",
            period: Period::MonthCount(count),
            nominal: 80_000 * u32::from(count),
            count: 1,
            details: health(),
        },
        "BPJSDENDA" => Owed {
            period: Period::Text("0,1".to_owned()),
            ..plain(
                "PESERTA DUA",
                45_000,
                record([
                    (names::COMPANY_NAME, text("PT CONTOH JAYA")),
                    (names::PARTICIPANTS, number(3)),
                ]),
            )
        },
        "BPJSTK" => Owed {
            period: Period::MonthCount(count),
            ..plain("PEKERJA SATU", 19_200, self_paid("", "01-02-2024", "01-03-2024"))
        },
        "BPJSTKPU" => {
            Owed { period: months([(2024, 1)]), ..plain("PT CONTOH MAJU", 550_000, company()) }
        }
        "PGAS" => Owed { period: months([(2024, 1)]), ..plain("PELANGGAN GAS", 64_000, gas()) },
        "FNMEGA" | "TASPEN.ASURANSI" => {
            Owed { period: Period::Instalment(5), ..plain("DEBITUR SATU", 1_025_000, loan()) }
        }
        "FNMF" => Owed {
            period: Period::Instalment(12),
            ..plain(
                "DEBITUR DUA",
                515_000,
                record([(names::INSTALMENT, money(500_000)), (names::PENALTY, money(15_000))]),
            )
        },
        "AIA.PREMICONVEN" => plain("TERTANGGUNG SATU", 350_000, policy()),
        "AETRA" | "PDAMKOTA.SURABAYA" | "PDAMKOTA.MEDAN" | "PDAMKAB.KUDUS" => water(several),
        "TVTLKMV" => {
            Owed { period: months([(2012, 5)]), ..plain("PELANGGAN TIGA", 50_000, television()) }
        }
        "TVBIG" => plain("PELANGGAN LIMA", 90_000, Detail::none()),
        "HPTHREE" if several => plain("PELANGGAN ENAM", 75_000, mobile()),
        "HPTHREE" => plain("PELANGGAN ENAM", 75_000, Detail::none()),
        "TELKOMPSTN" => telkom(several),
        "CBN" => Owed {
            period: months([(2024, 1)]),
            ..plain(
                "PELANGGAN DELAPAN",
                299_000,
                record([(names::PRODUCT_DESCRIPTION, text("FIBER 50 Mbps"))]),
            )
        },
        "ESAMSAT.JABAR" => Owed {
            period: Period::Text("20240131-20250131".to_owned()),
            ..plain(
                "PEMILIK SATU",
                1_943_000,
                vehicle(question.parameters.identity_number.as_deref(), ""),
            )
        },
        "PBBKOT.CIMAHI" => Owed {
            period: months([(2024, 1)]),
            ..plain("WAJIB PAJAK SATU", 120_000, property(question.parameters.year.as_deref()))
        },
        "SHOPEEPAY" => plain("PENGGUNA SATU", chosen, Detail::none()),
        "PARKIR.CONTOH" => plain("PELANGGAN SEMBILAN", 10_000, Detail::none()),
        code if code.contains("MEMBER.") => {
            Owed { period: months([(2024, 1)]), ..plain("JEMAAT SATU", chosen, Detail::none()) }
        }
        _ => return None,
    };
    Some(Bill {
        customer_name: owed.name.to_owned(),
        period: owed.period,
        nominal: Amount::rupiah(owed.nominal),
        count: owed.count,
        details: owed.details,
    })
}

fn plain(name: &'static str, nominal: u32, details: Detail) -> Owed {
    Owed { name, period: Period::None, nominal, count: 1, details }
}

/// Four of eight bills, the oldest with a penalty; or a single one.
fn electricity(several: bool) -> Owed {
    let bill = |period: &str, penalty: u32, meter: i64| {
        record([
            (names::PERIOD, text(period)),
            (names::AMOUNT, money(150_000)),
            (names::PENALTY, money(penalty)),
            (names::METER_START, number(meter)),
            (names::METER_END, number(meter + 115)),
        ])
    };
    let (period, nominal, bills) = if several {
        let bills = vec![
            bill("202310", 6000, 10_000),
            bill("202311", 0, 10_115),
            bill("202312", 0, 10_230),
            bill("202401", 0, 10_345),
        ];
        (months([(2023, 10), (2023, 11), (2023, 12), (2024, 1)]), 606_000, bills)
    } else {
        (months([(2024, 1)]), 150_000, vec![bill("202401", 0, 10_200)])
    };
    let count = u32::try_from(bills.len()).expect("few bills");
    let details = record([
        (names::TARIFF, text("R1")),
        (names::POWER, number(1300)),
        (names::REMAINING_BILLS, number(if several { 4 } else { 0 })),
        (names::BILLS, Detail::List(bills)),
    ]);
    Owed { name: "PELANGGAN SATU", period, nominal, count, details }
}

fn electricity_work() -> Detail {
    record([
        (names::ITEM_NAME, text("PERUBAHAN DAYA")),
        (names::REGISTRATION_NUMBER, text("5390011220000")),
        (names::REGISTRATION_DATE, text("20240105")),
    ])
}

fn health() -> Detail {
    record([
        (names::BRANCH_CODE, text("0901")),
        (names::BRANCH_NAME, text("JAKARTA PUSAT")),
        (names::RESIDUAL, money(0)),
        (names::PARTICIPANTS, number(2)),
    ])
}

fn self_paid(code: &str, from: &str, until: &str) -> Detail {
    record([
        (names::CONTRIBUTION_CODE, text(code)),
        (names::PROGRAMMES, text("JKK,JKM")),
        (names::OLD_AGE, money(0)),
        (names::ACCIDENT, money(12_000)),
        (names::DEATH, money(7200)),
        (names::BRANCH_NAME, text("KOTA BANDUNG")),
        (names::EFFECTIVE_FROM, text(from)),
        (names::EFFECTIVE_UNTIL, text(until)),
    ])
}

fn company() -> Detail {
    record([
        (names::OLD_AGE, money(300_000)),
        (names::ACCIDENT, money(50_000)),
        (names::DEATH, money(40_000)),
        (names::HEALTH, money(60_000)),
        (names::PENSION, money(100_000)),
        (names::COMPANY_NUMBER, text("KK001122")),
        (names::DIVISION_CODE, text("000")),
    ])
}

fn gas() -> Detail {
    record([
        (names::METER_START, number(1234)),
        (names::METER_END, number(1250)),
        (names::USAGE, number(16)),
    ])
}

fn loan() -> Detail {
    record([
        (names::MISCELLANEOUS, money(0)),
        (names::ITEM_NAME, text("HONDA BEAT")),
        (names::CHASSIS_NUMBER, text("MH1XX00000K000002")),
        (names::PLATE_NUMBER, text("D 5678 CD")),
        (names::TENOR, text("036")),
        (names::INSTALMENT, money(1_000_000)),
        (names::PENALTY, money(25_000)),
        (names::PAYMENT_MAX, money(1_025_000)),
        (names::LAST_PAID_DUE_DATE, text("14 Dec 23")),
        (names::LENDER_REFERENCE, text("8800990011")),
    ])
}

fn policy() -> Detail {
    record([
        (names::INSURED, text("1")),
        (names::POLICY_STATUS, text("AKTIF")),
        (names::DUE_DATE, text("2024-02-10")),
        (
            names::FOOTER,
            Detail::List(vec![
                text("LAYANAN PELANGGAN 1500000"),
                text("SIMPAN STRUK <INI> & TERIMA KASIH"),
            ]),
        ),
    ])
}

fn water(several: bool) -> Owed {
    let bill = |period: &str, start: i64, end: i64, penalty: u32, amount: u32| {
        record([
            (names::PERIOD, text(period)),
            (names::METER_START, number(start)),
            (names::METER_END, number(end)),
            (names::PENALTY, money(penalty)),
            (names::AMOUNT, money(amount)),
        ])
    };
    let newest = bill("202401", 431, 450, 0, 57_000);
    let (period, nominal, bills) = if several {
        let oldest = bill("202312", 410, 431, 5000, 62_000);
        (months([(2023, 12), (2024, 1)]), 124_000, vec![oldest, newest])
    } else {
        (months([(2024, 1)]), 57_000, vec![newest])
    };
    let count = u32::try_from(bills.len()).expect("few bills");
    let details = record([
        (names::ADDRESS, text("JL KENANGA 7")),
        (names::BILLER_NAME, text("PDAM CONTOH")),
        (names::DUE_DATE, text("1-15 FEB 2024")),
        (names::TARIFF, text("3A")),
        (names::BILLS, Detail::List(bills)),
    ]);
    Owed { name: "PELANGGAN EMPAT", period, nominal, count, details }
}

fn television() -> Detail {
    let bill = record([
        (names::PERIOD, text("201205")),
        (names::AMOUNT, money(50_000)),
        (names::BILL_NUMBER, text("0011223344")),
    ]);
    record([(names::BILLS, Detail::List(vec![bill]))])
}

fn mobile() -> Detail {
    let bill = record([(names::PERIOD, text("202401")), (names::AMOUNT, money(75_000))]);
    record([(names::BILLS, Detail::List(vec![bill]))])
}

fn telkom(several: bool) -> Owed {
    let bill = |period: &str, amount: u32| {
        record([(names::PERIOD, text(period)), (names::AMOUNT, money(amount))])
    };
    let newest = bill("202401", 118_000);
    let (period, nominal, bills) = if several {
        let bills = vec![bill("202311", 119_000), bill("202312", 120_000), newest];
        (months([(2023, 11), (2023, 12), (2024, 1)]), 357_000, bills)
    } else {
        (months([(2024, 1)]), 118_000, vec![newest])
    };
    let count = u32::try_from(bills.len()).expect("few bills");
    let details = record([
        (names::AREA_CODE, text("0022")),
        (names::REGIONAL_DIVISION, text("03")),
        (names::LOCAL_OFFICE, text("0011")),
        (names::BILLS, Detail::List(bills)),
    ]);
    Owed { name: "PELANGGAN TUJUH", period, nominal, count, details }
}

fn vehicle(identity_number: Option<&str>, receipt: &str) -> Detail {
    let taxes = |transfer: u32, vehicle: u32, accident: u32| {
        record([
            (names::TRANSFER_TAX, money(transfer)),
            (names::VEHICLE_TAX, money(vehicle)),
            (names::ACCIDENT_FUND, money(accident)),
        ])
    };
    record([
        (names::IDENTITY_NUMBER, text(identity_number.unwrap_or("3273000011112222"))),
        (names::CHASSIS_NUMBER, text("MHXXX00000K000001")),
        (names::ENGINE_NUMBER, text("1NR0000001")),
        (names::ADDRESS, text("JL ANGGREK 3 BANDUNG")),
        (names::PLATE_NUMBER, text("D 1234 AB")),
        (names::OWNERSHIP, text("001")),
        (names::BRAND, text("TOYOTA")),
        (names::MODEL, text("AVANZA 1.3 M/T")),
        (names::YEAR_BUILT, text("2019")),
        (names::TAX_UNTIL, text("20250131")),
        (names::PRINCIPAL, taxes(0, 1_800_000, 143_000)),
        (names::PENALTIES, taxes(0, 0, 0)),
        (names::REGISTRATION_FEE, money(0)),
        (names::PLATE_FEE, money(0)),
        (names::PARKING_FEE, money(0)),
        (names::PROGRESSIVE_TAX, money(0)),
        (names::TAX_RECEIPT_NUMBER, text(receipt)),
    ])
}

fn property(year: Option<&str>) -> Detail {
    record([
        (names::STATED_AT, text("2024-01-31 15:45:00")),
        (names::OBJECT_NUMBER, text("329801092375990000")),
        (names::TAX_YEAR, text(year.unwrap_or("2024"))),
        (names::LOCATION, text("KP CONTOH")),
        (names::VILLAGE, text("CIBEUREUM")),
        (names::DISTRICT, text("CIMAHI SELATAN")),
        (names::CITY_CODE, text("3277")),
        (names::CITY, text("KOTA CIMAHI")),
        (names::LAND_AREA, text("113 M2")),
        (names::BUILDING_AREA, text("47 M2")),
        (names::DUE_DATE, text("31/10/2024")),
        (names::AMOUNT, money(115_000)),
        (names::PENALTY, money(5000)),
    ])
}

/// What only the payment brings, for the products that show more after it.
pub(super) fn details_after_payment(code: &str) -> Option<Detail> {
    match code {
        "BPJSDENDA" => {
            Some(record([(names::PREMIUM, money(45_000)), (names::PARTICIPANTS, number(3))]))
        }
        "BPJSTK" => Some(self_paid("180012345678", "2024-02-01 00:00:00", "2024-03-01 00:00:00")),
        "ESAMSAT.JABAR" => Some(vehicle(None, "NTPD0011223344")),
        _ => None,
    }
}

/// The biller's own reference.
pub(super) fn biller_reference(code: &str) -> &'static str {
    match code {
        "AIA.PREMICONVEN" => "AIA 0099 8877",
        "TVTLKMV" => "TV/2024-01/77",
        "SHOPEEPAY" => "",
        _ => "00A1B2C3D4E5F60718293A4B5C6D7E8F",
    }
}
