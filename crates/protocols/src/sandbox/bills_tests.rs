//! What bills contain, kind by kind, and that they are functions of the question.

use std::collections::BTreeSet;

use domain::bill::names::*;
use domain::product::{bill_total_max, price_bill};
use domain::{Currency, Order};
use proptest::prelude::*;

use super::*;
use crate::sandbox::demo;
use crate::sandbox::scratch::bill_codes;

const JANUARY: YearMonth = YearMonth { year: 2024, month: 1 };

fn subject<'a>(seed: u64, code: &'a str, number: &'a str, several: bool) -> Subject<'a> {
    let kind = BillKind::of(code).expect("a known code");
    let open = if several { kind.several() } else { 1 };
    Subject { kind, code, draws: Draws { seed, product: code, number }, open }
}

fn parameters() -> Parameters {
    Parameters { amount: Some(Amount::rupiah(100_000)), ..Parameters::default() }
}

fn bill_of(subject: &Subject<'_>) -> Bill {
    bill(subject, &parameters(), JANUARY).expect("a bill")
}

/// An order with this bill, as far as paying looks at it.
fn order(code: &str, number: &str, bill: Bill) -> Order {
    crate::sandbox::scratch::order(1, code, number, bill)
}

fn paid(subject: &Subject<'_>, bill: &Bill) -> Option<Detail> {
    paid_details(subject, &order(subject.code, subject.draws.number, bill.clone()))
}

fn name_set(detail: &Detail) -> BTreeSet<&str> {
    match detail {
        Detail::Record(entries) => entries.iter().map(|(name, _)| name.as_str()).collect(),
        _ => BTreeSet::new(),
    }
}

const FINANCE: &[&str] = &[
    MISCELLANEOUS,
    ITEM_NAME,
    CHASSIS_NUMBER,
    PLATE_NUMBER,
    TENOR,
    INSTALMENT,
    PENALTY,
    PAYMENT_MAX,
    LAST_PAID_DUE_DATE,
    LENDER_REFERENCE,
];
const VEHICLE: &[&str] = &[
    IDENTITY_NUMBER,
    CHASSIS_NUMBER,
    ENGINE_NUMBER,
    ADDRESS,
    PLATE_NUMBER,
    OWNERSHIP,
    BRAND,
    MODEL,
    YEAR_BUILT,
    TAX_UNTIL,
    PRINCIPAL,
    PENALTIES,
    REGISTRATION_FEE,
    PLATE_FEE,
    PARKING_FEE,
    PROGRESSIVE_TAX,
    TAX_RECEIPT_NUMBER,
];
const PROPERTY: &[&str] = &[
    STATED_AT,
    OBJECT_NUMBER,
    TAX_YEAR,
    LOCATION,
    VILLAGE,
    DISTRICT,
    CITY_CODE,
    CITY,
    LAND_AREA,
    BUILDING_AREA,
    DUE_DATE,
    AMOUNT,
    PENALTY,
];

/// Code, particulars at inquiry, those of a single bill, and the particulars that payment adds
/// (`+`) or takes away (`-`).
#[expect(clippy::type_complexity, reason = "a table reads best as a table")]
const PARTICULARS: &[(&str, &[&str], &[&str], &[(char, &str)])] = &[
    ("PLNPOSTPAID", &[TARIFF, POWER, BILLS], &[PERIOD, AMOUNT, PENALTY], &[('+', REMAINING_BILLS)]),
    ("PLNNONTAG", &[ITEM_NAME, REGISTRATION_NUMBER, REGISTRATION_DATE], &[], &[]),
    ("BPJS", &[BRANCH_CODE, BRANCH_NAME, RESIDUAL, PARTICIPANTS], &[], &[]),
    (
        "BPJSDENDA",
        &[COMPANY_NAME, BRANCH_CODE, BRANCH_NAME, RESIDUAL, PARTICIPANTS],
        &[],
        &[('-', COMPANY_NAME), ('+', PREMIUM)],
    ),
    (
        "BPJSTK",
        &[
            CONTRIBUTION_CODE,
            PROGRAMMES,
            OLD_AGE,
            ACCIDENT,
            DEATH,
            BRANCH_NAME,
            EFFECTIVE_FROM,
            EFFECTIVE_UNTIL,
        ],
        &[],
        &[],
    ),
    (
        "BPJSTKPU",
        &[
            CONTRIBUTION_CODE,
            OLD_AGE,
            ACCIDENT,
            DEATH,
            HEALTH,
            PENSION,
            COMPANY_NUMBER,
            DIVISION_CODE,
        ],
        &[],
        &[],
    ),
    ("PGAS", &[ADDRESS, METER_START, METER_END, USAGE], &[], &[]),
    ("FNMEGA", FINANCE, &[], &[]),
    ("FNMF", &[INSTALMENT, PENALTY], &[], &[]),
    ("AIA.PREMICONVEN", &[INSURED, POLICY_STATUS, DUE_DATE, FOOTER], &[], &[]),
    ("TASPEN.ASURANSI", FINANCE, &[], &[]),
    (
        "PDAMKOTA.MEDAN",
        &[ADDRESS, BILLER_NAME, TARIFF, BILLS],
        &[PERIOD, METER_START, METER_END, PENALTY, AMOUNT, MISCELLANEOUS],
        &[],
    ),
    (
        "PDAMKOTA.SURABAYA",
        &[ADDRESS, BILLER_NAME, DUE_DATE, TARIFF, BILLS],
        &[PERIOD, METER_START, METER_END, PENALTY, AMOUNT, MISCELLANEOUS],
        &[],
    ),
    ("TVTLKMV", &[BILLS], &[PERIOD, AMOUNT, BILL_NUMBER], &[]),
    ("TVBIG", &[BILLS], &[], &[]),
    ("HPTHREE", &[AREA_CODE, REGIONAL_DIVISION, LOCAL_OFFICE, BILLS], &[PERIOD, AMOUNT], &[]),
    ("TELKOMPSTN", &[AREA_CODE, REGIONAL_DIVISION, LOCAL_OFFICE, BILLS], &[PERIOD, AMOUNT], &[]),
    ("CBN", &[PRODUCT_DESCRIPTION], &[], &[]),
    ("ESAMSAT.JABAR", VEHICLE, &[], &[]),
    ("PBBKOT.CIMAHI", PROPERTY, &[], &[]),
    ("SHOPEEPAY", &[FOOTER], &[], &[]),
    ("MEMBER.IAK_Church-Perpuluhan_2022", &[], &[], &[]),
];

#[test]
fn every_kind_has_the_particulars_of_its_section() {
    for (code, inquiry, single, changes) in PARTICULARS {
        let subject = subject(7, code, "1234567890", true);
        let bill = bill_of(&subject);
        let mut expected: BTreeSet<_> = inquiry.iter().copied().collect();
        assert_eq!(name_set(&bill.details), expected, "{code} at inquiry");
        for item in bill.details.get(BILLS).map_or(&[][..], Detail::items) {
            assert_eq!(name_set(item), single.iter().copied().collect(), "{code}");
        }
        let paid = paid(&subject, &bill);
        for (sign, name) in *changes {
            assert!(if *sign == '+' { expected.insert(name) } else { expected.remove(name) });
        }
        let shown = paid.as_ref().unwrap_or(&bill.details);
        assert_eq!(name_set(shown), expected, "{code} at payment");
    }
}

#[test]
fn paying_changes_what_the_reference_says() {
    let paid_of = |code| {
        let subject = subject(7, code, "1234567890", false);
        let bill = bill_of(&subject);
        (bill.clone(), paid(&subject, &bill))
    };
    let text_of = |detail: &Detail, name: &str| match detail.get(name) {
        Some(Detail::Text(text)) => text.clone(),
        other => panic!("{name}: {other:?}"),
    };
    let (bill, paid) = paid_of("BPJSDENDA");
    assert_eq!(paid.expect("details").get(PREMIUM), Some(&Detail::Money(bill.nominal)));

    let (bill, paid) = paid_of("BPJSTK");
    let paid = paid.expect("details");
    assert_eq!(text_of(&bill.details, CONTRIBUTION_CODE), "");
    assert_eq!(text_of(&paid, CONTRIBUTION_CODE).len(), 12);
    assert_eq!(text_of(&bill.details, EFFECTIVE_FROM), "01-02-2024");
    assert!(text_of(&paid, EFFECTIVE_FROM).starts_with("2024-02-01 "));
    assert!(text_of(&paid, EFFECTIVE_UNTIL).starts_with("2024-03-01 "));

    let (bill, paid) = paid_of("ESAMSAT.JABAR");
    assert_eq!(text_of(&bill.details, TAX_RECEIPT_NUMBER), "");
    assert_eq!(text_of(&paid.expect("details"), TAX_RECEIPT_NUMBER).len(), 16);

    for code in bill_codes() {
        let changed = ["PLNPOSTPAID", "BPJSDENDA", "BPJSTK", "ESAMSAT.JABAR"];
        let subject = subject(7, &code, "1234567890", false);
        let paid = super::paid_details(&subject, &order(&code, "1", bill_of(&subject)));
        assert_eq!(paid.is_some(), changed.contains(&code.as_str()), "{code}");
    }
}

#[test]
fn the_worked_example_is_the_references() {
    for seed in [0, 1, u64::MAX] {
        let subject = subject(seed, "PLNPOSTPAID", "530000000000", false);
        let bill = bill_of(&subject);
        assert_eq!(bill.customer_name, "PELANGGAN SATU");
        assert_eq!(bill.period, Period::Months(vec![JANUARY]));
        assert_eq!((bill.nominal, bill.count), (Amount::rupiah(150_000), 1));
        let single = [text(PERIOD, "202401"), money(AMOUNT, 150_000), money(PENALTY, 0)];
        let details = |head: Vec<Entry>, single: Vec<Entry>| {
            let mut entries = vec![text(TARIFF, "R1"), number(POWER, 1300)];
            entries.extend(head);
            entries.push(list(BILLS, vec![Detail::Record(single)]));
            Detail::Record(entries)
        };
        assert_eq!(bill.details, details(vec![], single.to_vec()));
        let mut with_meters = vec![number(METER_START, 10_200), number(METER_END, 10_315)];
        with_meters.extend(single);
        let expected = details(vec![number(REMAINING_BILLS, 0)], with_meters);
        assert_eq!(paid(&subject, &bill), Some(expected));

        let terms = demo::products().into_iter().find(|it| it.id.as_str() == "pln-postpaid");
        let terms = terms.expect("in the catalogue").terms.remove(0);
        let quote = price_bill(&terms, &bill, bill_total_max()).expect("priced");
        assert_eq!(quote.price, Amount::rupiah(152_500));
        assert_eq!(quote.charge, Amount::rupiah(151_900));
    }
}

#[test]
fn several_bills_are_the_oldest_open_ones() {
    let table = [
        ("PLNPOSTPAID", vec!["202306", "202307", "202308", "202309"]),
        ("PDAMKOTA.MEDAN", vec!["202310", "202311", "202312", "202401"]),
        ("TELKOMPSTN", vec!["202311", "202312", "202401"]),
        ("TVTLKMV", vec!["202401"]),
    ];
    for (code, periods) in table {
        let subject = subject(7, code, "1234567890", true);
        let bill = bill_of(&subject);
        let shown: Vec<_> = bill.details.get(BILLS).expect("bills").items().iter().collect();
        let shown: Vec<_> = shown.iter().filter_map(|single| single.get(PERIOD)).collect();
        let expected: Vec<_> = periods.iter().map(|it| Detail::Text((*it).to_owned())).collect();
        assert_eq!(shown, expected.iter().collect::<Vec<_>>(), "{code}");
        assert_eq!(usize::try_from(bill.count), Ok(periods.len()));
        let months = periods.iter().filter_map(|it| calendar::from_digits(it)).collect();
        assert_eq!(bill.period, Period::Months(months), "{code}");
        if let Some(paid) = paid(&subject, &bill) {
            assert_eq!(paid.get(REMAINING_BILLS), Some(&Detail::Number(4)), "{code}");
        }
    }
}

#[test]
fn months_multiply() {
    for (code, parts) in [("BPJS", &[][..]), ("BPJSTK", &[ACCIDENT, DEATH])] {
        let subject = subject(7, code, "1234567890", false);
        let bill =
            |months| bill(&subject, &Parameters { months, ..Parameters::default() }, JANUARY);
        let one = bill(None).expect("a bill");
        assert_eq!(bill(Some(1)).as_ref(), Ok(&one));
        let three = bill(Some(3)).expect("a bill");
        assert_eq!(one.nominal.times(3), Ok(three.nominal), "{code}");
        assert_eq!(three.period, Period::MonthCount(3));
        assert_eq!((one.count, three.count), (1, 1));
        for part in parts {
            let amount = |bill: &Bill| match bill.details.get(part) {
                Some(Detail::Money(amount)) => *amount,
                other => panic!("{other:?}"),
            };
            assert_eq!(amount(&one).times(3), Ok(amount(&three)));
        }
        assert_eq!(bill(Some(0)), Err(Refusal::AmountInvalid));
        assert!(bill(Some(u8::MAX)).is_ok());
    }
}

#[test]
fn the_payer_chooses_free_amounts() {
    for code in ["SHOPEEPAY", "MEMBER.IAK_Church-Perpuluhan_2022"] {
        let subject = subject(7, code, "1234567890", false);
        let bill =
            |amount| bill(&subject, &Parameters { amount, ..Parameters::default() }, JANUARY);
        let amount = Amount::rupiah(12_345);
        assert_eq!(bill(Some(amount)).map(|bill| bill.nominal), Ok(amount));
        let baht = Amount::new(100, Currency::Thb).expect("not negative");
        for amount in [None, Some(Amount::rupiah(0)), Some(baht)] {
            assert_eq!(bill(amount), Err(Refusal::AmountInvalid), "{amount:?}");
        }
    }
}

#[test]
fn parameters_of_taxes_are_repeated() {
    let given = |code, name, parameters: Parameters| {
        let bill = bill(&subject(7, code, "1234567890", false), &parameters, JANUARY);
        match bill.expect("a bill").details.get(name) {
            Some(Detail::Text(text)) => text.clone(),
            other => panic!("{other:?}"),
        }
    };
    let owner = |identity_number: Option<&str>| Parameters {
        identity_number: identity_number.map(str::to_owned),
        ..Parameters::default()
    };
    let identity = |number| given("ESAMSAT.JABAR", IDENTITY_NUMBER, owner(number));
    assert_eq!(identity(Some("3273000011112222")), "3273000011112222");
    assert_eq!(identity(None).len(), 16);
    let year = |year: Option<&str>| {
        let year = year.map(str::to_owned);
        given("PBBKOT.CIMAHI", TAX_YEAR, Parameters { year, ..Parameters::default() })
    };
    assert_eq!(year(Some("2019")), "2019");
    for other in [None, Some("1"), Some("20190"), Some("٢٠٢٤")] {
        assert_eq!(year(other), "2024");
    }
}

/// All money in a tree under names that add up to the nominal.
fn sum(detail: &Detail) -> i64 {
    const ADDED: [&str; 14] = [
        AMOUNT,
        PENALTY,
        MISCELLANEOUS,
        INSTALMENT,
        OLD_AGE,
        ACCIDENT,
        DEATH,
        HEALTH,
        PENSION,
        TRANSFER_TAX,
        VEHICLE_TAX,
        ACCIDENT_FUND,
        REGISTRATION_FEE,
        PLATE_FEE,
    ];
    match detail {
        Detail::List(items) => items.iter().map(sum).sum(),
        Detail::Record(entries) => entries
            .iter()
            .map(|(name, detail)| match detail {
                Detail::Money(amount) if ADDED.contains(&name.as_str()) => amount.minor(),
                Detail::Money(_) => 0,
                inner => sum(inner),
            })
            .sum(),
        Detail::Text(_) | Detail::Number(_) | Detail::Money(_) => 0,
    }
}

#[test]
fn parts_add_up_to_what_is_owed() {
    let parted = [
        "PLNPOSTPAID",
        "BPJSTK",
        "BPJSTKPU",
        "FNMEGA",
        "FNMF",
        "TASPEN.ASURANSI",
        "PDAMKOTA.MEDAN",
        "PDAMKOTA.SURABAYA",
        "TVTLKMV",
        "HPTHREE",
        "TELKOMPSTN",
        "ESAMSAT.JABAR",
        "PBBKOT.CIMAHI",
    ];
    for code in parted {
        for seed in 0..20 {
            for several in [false, true] {
                let bill = bill_of(&subject(seed, code, "1234567890", several));
                assert_eq!(sum(&bill.details), bill.nominal.minor(), "{code} under seed {seed}");
            }
        }
    }
}

#[test]
fn another_seed_has_other_bills() {
    for code in bill_codes() {
        if matches!(BillKind::of(&code), Some(BillKind::FreeAmount | BillKind::Church)) {
            continue;
        }
        let bill = |seed| bill_of(&subject(seed, &code, "1234567890", false));
        assert!((1..20).any(|seed| bill(seed).nominal != bill(0).nominal), "{code}");
        assert!((1..20).any(|seed| bill(seed).customer_name != bill(0).customer_name), "{code}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bills_are_functions_of_the_question(
        seed: u64,
        number: String,
        several: bool,
        months: Option<u8>,
        year: Option<String>,
        identity_number: Option<String>,
        at in (0_u16.., 1_u8..=12),
    ) {
        let now = YearMonth { year: at.0, month: at.1 };
        let parameters = Parameters {
            months: months.map(|months| months.max(1)),
            year,
            identity_number,
            amount: Some(Amount::rupiah(1)),
        };
        for code in bill_codes() {
            let subject = subject(seed, &code, &number, several);
            let bill = super::bill(&subject, &parameters, now);
            prop_assert_eq!(&bill, &super::bill(&subject, &parameters, now));
            let bill = bill.expect("a bill");
            prop_assert!(!bill.nominal.is_zero() && bill.nominal.minor() < 200_000_000);
            prop_assert!(bill.count >= 1);
            let printable = |byte: u8| byte.is_ascii_uppercase() || byte == b' ';
            prop_assert!(bill.customer_name.bytes().all(printable));
            prop_assert_eq!(paid(&subject, &bill), paid(&subject, &bill));
        }
    }
}
