use domain::Amount;
use proptest::prelude::*;

use super::super::php::{Style, write};
use super::*;

fn quote() -> Quote {
    let amount = Amount::rupiah(150_000);
    let fee = Amount::rupiah(2700);
    Quote { nominal: amount, admin_fee: fee, admin: fee, price: amount, charge: amount }
}

fn record<const N: usize>(entries: [(&str, Detail); N]) -> Detail {
    Detail::Record(entries.into_iter().map(|(name, it)| (name.to_owned(), it)).collect())
}

fn text(text: &str) -> Detail {
    Detail::Text(text.to_owned())
}

fn money(amount: u32) -> Detail {
    Detail::Money(Amount::rupiah(amount))
}

fn written(group: &str, period: Period, count: u32, details: Detail) -> String {
    let bill = Bill {
        customer_name: "Budi".to_owned(),
        period,
        nominal: Amount::rupiah(150_000),
        count,
        details,
    };
    write(&desc(group, &bill, &quote(), Some(&bill.details)), Style::Answer)
}

#[test]
fn each_kind_of_bill_shows_what_is_known_of_it() {
    let single = |period: &str, entries: &[(&str, Detail)]| {
        let mut all = vec![(names::PERIOD.to_owned(), text(period))];
        all.extend(entries.iter().map(|(name, it)| ((*name).to_owned(), it.clone())));
        Detail::Record(all)
    };
    let table = [
        // The sample of section 6.2.
        (
            "bpjs",
            Period::MonthCount(6),
            1,
            record([
                (names::PARTICIPANTS, Detail::Number(3)),
                (names::BRANCH_NAME, text("BANDUNG")),
            ]),
            r#"{"jumlah_peserta":"3","lembar_tagihan":1,"alamat":"BANDUNG","detail":[{"periode":"06"}]}"#,
        ),
        (
            "bpjs",
            Period::None,
            1,
            record([(names::ADDRESS, text("JL MAWAR")), (names::BRANCH_NAME, text("BANDUNG"))]),
            r#"{"jumlah_peserta":"","lembar_tagihan":1,"alamat":"JL MAWAR","detail":[]}"#,
        ),
        (
            "pln",
            Period::None,
            2,
            record([
                (names::TARIFF, text("R1")),
                (names::POWER, text("1300")),
                (
                    names::BILLS,
                    Detail::List(vec![
                        single(
                            "202604",
                            &[(names::AMOUNT, money(70_000)), (names::PENALTY, money(3000))],
                        ),
                        single(
                            "202605",
                            &[
                                (names::AMOUNT, money(77_000)),
                                (names::METER_START, Detail::Number(12)),
                            ],
                        ),
                    ]),
                ),
            ]),
            r#"{"tarif":"R1","daya":1300,"lembar_tagihan":2,"detail":[{"periode":"202604","nilai_tagihan":"70000","admin":"2700","denda":"3000"},{"periode":"202605","nilai_tagihan":"77000","admin":"2700","denda":"0","meter_awal":"12"}]}"#,
        ),
        (
            "pln",
            Period::None,
            1,
            Detail::none(),
            r#"{"tarif":"","daya":0,"lembar_tagihan":1,"detail":[]}"#,
        ),
        (
            "pdam",
            Period::Months(vec![
                YearMonth { year: 2026, month: 4 },
                YearMonth { year: 2026, month: 5 },
            ]),
            2,
            record([(names::ADDRESS, text("JL KENANGA 7")), (names::TARIFF, text("3A"))]),
            r#"{"tarif":"3A","lembar_tagihan":2,"alamat":"JL KENANGA 7","detail":[{"periode":"202604"},{"periode":"202605"}]}"#,
        ),
        (
            "finance",
            Period::Instalment(5),
            1,
            record([
                (names::ITEM_NAME, text("HONDA BEAT")),
                (names::INSTALMENT, money(1_000_000)),
                ("unheard of", text("x")),
            ]),
            r#"{"lembar_tagihan":1,"item_name":"HONDA BEAT","angsuran":1000000,"detail":[{"periode":"005"}]}"#,
        ),
        (
            "tv",
            Period::Text("MEI".to_owned()),
            1,
            Detail::none(),
            r#"{"lembar_tagihan":1,"detail":[{"periode":"MEI"}]}"#,
        ),
    ];
    for (group, period, count, details, expected) in table {
        assert_eq!(written(group, period, count, details), expected, "{group}");
    }
}

#[test]
fn no_name_is_shown_twice() {
    let all = FIRST.iter().chain(&FURTHER);
    let mut shown: Vec<_> =
        all.map(|(_, wire, _)| *wire).chain(["lembar_tagihan", "detail"]).collect();
    let count = shown.len();
    shown.sort_unstable();
    shown.dedup();
    assert_eq!(shown.len(), count);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A supplier may give any kind of detail under any name.
    #[test]
    fn any_details_are_shown_or_left_out(group in "bpjs|pln|pdam", kind in 0..4, value: String) {
        let detail = match kind {
            0 => text(&value),
            1 => Detail::Number(-1),
            2 => Detail::List(vec![text(&value)]),
            _ => record([("x", text(&value))]),
        };
        let all = FIRST.iter().chain(&FURTHER).map(|(name, _, _)| *name).chain([names::BILLS]);
        let details = Detail::Record(all.map(|name| (name.to_owned(), detail.clone())).collect());
        let json = written(&group, Period::None, 1, details);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{}", json);
    }
}
