//! Paid orders of many products, for tests. Names, places and numbers are invented.

use std::sync::Arc;

use domain::bill::names;
use domain::product::ProductStatus;
use domain::{
    Amount, Bill, Delivery, Detail, Kind, MerchantId, Mode, Order, OrderId, OrderState, Period,
    Product, ProductId, ProtocolName, Quote, Reference, ReferenceKey, Timestamp, UpstreamName,
    YearMonth,
};

use super::receipt::{Letterhead, Receipt};

/// An order with its product.
#[derive(Debug, Clone)]
pub(super) struct Sale {
    pub(super) order: Order,
    pub(super) product: Product,
}

impl Sale {
    pub(super) fn receipt(&self) -> Receipt {
        self.under(Letterhead::Merchant("Toko Contoh"))
    }

    pub(super) fn own(&self) -> Receipt {
        self.under(Letterhead::Own {
            company_name: "TOKO CONTOH JAYA ABADI",
            company_address: "Jl. Mawar 1<br>Bandung",
        })
    }

    pub(super) fn under(&self, letterhead: Letterhead<'_>) -> Receipt {
        Receipt::of(&self.order, Some(&self.product), letterhead).expect("paid")
    }

    pub(super) fn bill(&mut self) -> &mut Bill {
        Arc::make_mut(self.order.bill.as_mut().expect("a paid order has a bill"))
    }
}

/// How a product is called, and what its customer owes.
struct About {
    name: &'static str,
    code: &'static str,
    group: &'static str,
    customer: (&'static str, &'static str),
    period: Period,
    count: u32,
    nominal: u32,
    admin_fee: u32,
}

fn sale(about: About, details: Vec<(&str, Detail)>) -> Sale {
    let About { name, code, group, customer, period, count, nominal, admin_fee } = about;
    let admin = admin_fee * count;
    let details = record(details);
    let quote = Quote {
        nominal: Amount::rupiah(nominal),
        admin_fee: Amount::rupiah(admin_fee),
        admin: Amount::rupiah(admin),
        price: Amount::rupiah(nominal + admin),
        charge: Amount::rupiah(nominal + admin - 600),
    };
    let bill = Bill {
        customer_name: customer.1.to_owned(),
        period,
        nominal: quote.nominal,
        count,
        details: details.clone(),
    };
    // 31 January 2024, 15:45 in Jakarta.
    let paid_at = Timestamp::from_milliseconds(1_706_690_700_000);
    let order = Order {
        id: OrderId(1),
        key: ReferenceKey {
            merchant: MerchantId(1),
            protocol: ProtocolName::new("iak"),
            mode: Mode::Live,
            reference: Reference::new("INV2024000001"),
        },
        kind: Kind::Purchase,
        state: OrderState::Succeeded,
        fingerprint: [0; 32],
        product: ProductId::new("product"),
        code: code.to_owned(),
        destination: customer.0.to_owned(),
        dialect: String::new(),
        calls_back: false,
        callback_url: None,
        callbacks: Vec::new(),
        collecting: None,
        recipient: None,
        upstream: UpstreamName::new("sandbox"),
        bill: Some(Arc::new(bill)),
        quote: Some(quote),
        created_at: Timestamp::from_milliseconds(1_706_690_600_000),
        updated_at: paid_at,
        expires_at: paid_at.business_day().end(),
        holds: Vec::new(),
        attempts: Vec::new(),
        question_due: None,
        delivery: Some(Delivery {
            cost: quote.charge,
            serial_number: "700100200300".to_owned(),
            details: Some(details),
        }),
    };
    Sale { order, product: product(name, group) }
}

fn product(name: &str, group: &str) -> Product {
    Product {
        id: ProductId::new("product"),
        name: name.to_owned(),
        group: group.to_owned(),
        province: None,
        status: ProductStatus::Active,
        aliases: Vec::new(),
        terms: Vec::new(),
        cut_off: None,
        top_up: None,
        channel: None,
    }
}

pub(super) fn text(text: &str) -> Detail {
    Detail::Text(text.to_owned())
}

pub(super) fn rupiah(value: u32) -> Detail {
    Detail::Money(Amount::rupiah(value))
}

pub(super) fn record(entries: Vec<(&str, Detail)>) -> Detail {
    Detail::Record(entries.into_iter().map(|(name, it)| (name.to_owned(), it)).collect())
}

fn months(months: &[(u16, u8)]) -> Period {
    Period::Months(
        months.iter().map(|(year, month)| YearMonth { year: *year, month: *month }).collect(),
    )
}

/// One bill of electricity.
pub(super) fn electricity() -> Sale {
    let bill = record(vec![
        (names::METER_START, Detail::Number(10_200)),
        (names::METER_END, Detail::Number(10_315)),
        (names::PERIOD, text("202401")),
        (names::AMOUNT, rupiah(150_000)),
        (names::PENALTY, rupiah(0)),
    ]);
    let mut sale = sale(
        About {
            name: "PLN Pascabayar",
            code: "PLNPOSTPAID",
            group: "pln",
            customer: ("530000000000", "PELANGGAN SATU"),
            period: months(&[(2024, 1)]),
            count: 1,
            nominal: 150_000,
            admin_fee: 2500,
        },
        vec![
            (names::TARIFF, text("R1")),
            (names::POWER, Detail::Number(1300)),
            (names::REMAINING_BILLS, Detail::Number(0)),
            (names::BILLS, Detail::List(vec![bill])),
        ],
    );
    if let Some(delivery) = &mut sale.order.delivery {
        delivery.serial_number = "00A1B2C3D4E5F60718293A4B5C6D7E8F".to_owned();
    }
    sale
}

/// Four bills of electricity, three of them late, with four more still open.
pub(super) fn electricity_in_arrears() -> Sale {
    let bill = |month: &str, start: i64, amount: u32, penalty: u32| {
        record(vec![
            (names::METER_START, Detail::Number(start)),
            (names::METER_END, Detail::Number(start + 120)),
            (names::PERIOD, text(month)),
            (names::AMOUNT, rupiah(amount)),
            (names::PENALTY, rupiah(penalty)),
        ])
    };
    let bills = vec![
        bill("202310", 10_200, 311_250, 15_000),
        bill("202311", 10_320, 298_400, 10_000),
        bill("202312", 10_440, 305_975, 5000),
        bill("202401", 10_560, 287_110, 0),
    ];
    sale(
        About {
            name: "PLN Pascabayar",
            code: "PLNPOSTPAID",
            group: "pln",
            customer: ("530000000048", "PELANGGAN EMPAT PULUH DELAPAN"),
            period: months(&[(2023, 10), (2023, 11), (2023, 12), (2024, 1)]),
            count: 4,
            nominal: 1_232_735,
            admin_fee: 2500,
        },
        vec![
            (names::TARIFF, text("R1M")),
            (names::POWER, Detail::Number(2200)),
            (names::REMAINING_BILLS, Detail::Number(4)),
            (names::BILLS, Detail::List(bills)),
        ],
    )
}

/// Two months of health insurance for two persons.
pub(super) fn health_insurance() -> Sale {
    sale(
        About {
            name: "BPJS Kesehatan",
            code: "BPJS",
            group: "bpjs",
            customer: ("8801234560000", "PESERTA SATU"),
            period: Period::MonthCount(2),
            count: 1,
            nominal: 80_000,
            admin_fee: 2500,
        },
        vec![
            (names::BRANCH_CODE, text("0901")),
            (names::BRANCH_NAME, text("JAKARTA PUSAT")),
            (names::RESIDUAL, rupiah(0)),
            (names::PARTICIPANTS, Detail::Number(2)),
        ],
    )
}

/// Employment insurance, in the same group as health insurance.
pub(super) fn employment_insurance() -> Sale {
    sale(
        About {
            name: "BPJS Ketenagakerjaan BPU",
            code: "BPJSTK",
            group: "bpjs",
            customer: ("3273000011112222", "PESERTA LIMA"),
            period: Period::MonthCount(1),
            count: 1,
            nominal: 19_200,
            admin_fee: 3500,
        },
        vec![
            (names::CONTRIBUTION_CODE, text("200300400500")),
            (names::PROGRAMMES, text("JKK,JKM")),
            (names::OLD_AGE, rupiah(0)),
            (names::ACCIDENT, rupiah(12_000)),
            (names::DEATH, rupiah(7200)),
            (names::BRANCH_NAME, text("KOTA BANDUNG")),
            (names::EFFECTIVE_FROM, text("2024-02-01 15:45:00")),
            (names::EFFECTIVE_UNTIL, text("2024-03-01 15:45:00")),
        ],
    )
}

/// Two bills of water, one of them late.
pub(super) fn water() -> Sale {
    let bill = |month: &str, start: i64, end: i64, amount: u32, penalty: u32| {
        record(vec![
            (names::PERIOD, text(month)),
            (names::METER_START, Detail::Number(start)),
            (names::METER_END, Detail::Number(end)),
            (names::PENALTY, rupiah(penalty)),
            (names::AMOUNT, rupiah(amount)),
            (names::MISCELLANEOUS, rupiah(0)),
        ])
    };
    let bills = vec![bill("202312", 410, 431, 62_000, 5000), bill("202401", 431, 450, 57_000, 0)];
    sale(
        About {
            name: "PDAM Kota Surabaya",
            code: "PDAMKOTA.SURABAYA",
            group: "pdam",
            customer: ("1013226", "PELANGGAN AIR"),
            period: months(&[(2023, 12), (2024, 1)]),
            count: 2,
            nominal: 124_000,
            admin_fee: 2000,
        },
        vec![
            (names::ADDRESS, text("JL KENANGA 7")),
            (names::BILLER_NAME, text("PDAM KOTA SURABAYA")),
            (names::DUE_DATE, text("1-15 JAN 2024")),
            (names::TARIFF, text("4A")),
            (names::BILLS, Detail::List(bills)),
        ],
    )
}

/// Property tax paid late, of a property in a place with a long name.
pub(super) fn property_tax() -> Sale {
    let location = "JL TERUSAN PANGERAN ANTASARI GG. H. MUHAMMAD SYARIFUDDIN NO 117 BLOK C-14 \
                    PERUMAHAN GRIYA CONTOH ASRI";
    sale(
        About {
            name: "PBB Kota Cimahi",
            code: "PBBKOT.CIMAHI",
            group: "pbb",
            customer: ("329801092375999991", "WAJIB PAJAK BUMI DAN BANGUNAN"),
            period: months(&[(2024, 1)]),
            count: 1,
            nominal: 412_300,
            admin_fee: 5000,
        },
        vec![
            (names::STATED_AT, text("2024-01-01 08:00:00")),
            (names::OBJECT_NUMBER, text("329801092375999991")),
            (names::TAX_YEAR, text("2023")),
            (names::LOCATION, text(location)),
            (names::VILLAGE, text("CONTOH INDAH")),
            (names::DISTRICT, text("CONTOH SELATAN")),
            (names::CITY_CODE, text("3277")),
            (names::CITY, text("KOTA CIMAHI")),
            (names::LAND_AREA, text("113 M2")),
            (names::BUILDING_AREA, text("47 M2")),
            (names::DUE_DATE, text("31/10/2023")),
            (names::AMOUNT, rupiah(402_300)),
            (names::PENALTY, rupiah(10_000)),
        ],
    )
}

/// Vehicle tax paid late, with a long address.
pub(super) fn vehicle_tax() -> Sale {
    let taxes = |vehicle: u32, fund: u32| {
        record(vec![
            (names::TRANSFER_TAX, rupiah(0)),
            (names::VEHICLE_TAX, rupiah(vehicle)),
            (names::ACCIDENT_FUND, rupiah(fund)),
        ])
    };
    sale(
        About {
            name: "E-Samsat Jawa Barat",
            code: "ESAMSAT.JABAR",
            group: "pajak-kendaraan",
            customer: ("3200123456789012", "PEMILIK KENDARAAN"),
            period: Period::Text("20240131-20250131".to_owned()),
            count: 1,
            nominal: 2_105_000,
            admin_fee: 5000,
        },
        vec![
            (names::IDENTITY_NUMBER, text("3273000011112222")),
            (names::CHASSIS_NUMBER, text("MHXXX00000K000001")),
            (names::ENGINE_NUMBER, text("1NR0000001")),
            (names::ADDRESS, text("JL ANGGREK BULAN RAYA NO 3 RT 004 RW 012 KEL. CONTOH BANDUNG")),
            (names::PLATE_NUMBER, text("D 1234 AB")),
            (names::OWNERSHIP, text("001")),
            (names::BRAND, text("TOYOTA")),
            (names::MODEL, text("AVANZA 1.3 M/T")),
            (names::YEAR_BUILT, text("2019")),
            (names::TAX_UNTIL, text("20250131")),
            (names::PRINCIPAL, taxes(1_800_000, 143_000)),
            (names::PENALTIES, taxes(130_000, 32_000)),
            (names::REGISTRATION_FEE, rupiah(0)),
            (names::PLATE_FEE, rupiah(0)),
            (names::PARKING_FEE, rupiah(0)),
            (names::PROGRESSIVE_TAX, rupiah(0)),
            (names::TAX_RECEIPT_NUMBER, text("9876543210123456")),
        ],
    )
}

/// An instalment of a loan.
pub(super) fn instalment() -> Sale {
    sale(
        About {
            name: "Mega Auto Finance",
            code: "FNMEGA",
            group: "finance",
            customer: ("6391601001", "PEMINJAM SATU"),
            period: Period::Instalment(5),
            count: 1,
            nominal: 815_000,
            admin_fee: 0,
        },
        vec![
            (names::MISCELLANEOUS, rupiah(0)),
            (names::ITEM_NAME, text("HONDA BEAT")),
            (names::CHASSIS_NUMBER, text("MHXXX00000000001")),
            (names::PLATE_NUMBER, text("XX 1234 XX")),
            (names::TENOR, text("036")),
            (names::INSTALMENT, rupiah(800_000)),
            (names::PENALTY, rupiah(15_000)),
            (names::PAYMENT_MAX, rupiah(815_000)),
            (names::LAST_PAID_DUE_DATE, text("14 Dec 23")),
            (names::LENDER_REFERENCE, text("100200300400")),
        ],
    )
}

/// An insurer that has something to say.
pub(super) fn insurance() -> Sale {
    sale(
        About {
            name: "Asuransi Contoh",
            code: "AIA.PREMICONVEN",
            group: "asuransi",
            customer: ("26000000017", "TERTANGGUNG SATU"),
            period: Period::None,
            count: 1,
            nominal: 500_000,
            admin_fee: 3000,
        },
        vec![
            (names::INSURED, text("1")),
            (names::POLICY_STATUS, text("AKTIF")),
            (names::DUE_DATE, text("2024-02-10")),
            (names::FOOTER, Detail::List(vec![text("LAYANAN PELANGGAN 1500000")])),
        ],
    )
}

/// A gift of which nothing is said.
pub(super) fn church() -> Sale {
    sale(
        About {
            name: "Persembahan Gereja Contoh",
            code: "NONMEMBER.CONTOH-UMUM_2024",
            group: "gereja",
            customer: ("081200001111", "JEMAAT"),
            period: months(&[(2024, 1)]),
            count: 1,
            nominal: 100_000,
            admin_fee: 800,
        },
        Vec::new(),
    )
}

/// One sale of each kind.
pub(super) fn all() -> [(&'static str, Sale); 10] {
    [
        ("electricity", electricity()),
        ("electricity in arrears", electricity_in_arrears()),
        ("health insurance", health_insurance()),
        ("employment insurance", employment_insurance()),
        ("water", water()),
        ("property tax", property_tax()),
        ("vehicle tax", vehicle_tax()),
        ("instalment", instalment()),
        ("insurance", insurance()),
        ("church", church()),
    ]
}
