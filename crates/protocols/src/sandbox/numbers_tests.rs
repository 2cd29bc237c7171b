//! Walks every number that section 12.2 of the IAK reference documents, in both schemes.

use domain::Refusal;
use proptest::prelude::*;

use super::*;

/// A course as the two response codes of the reference: of the inquiry and, after one that
/// succeeds, of the payment. A plus sign marks several bills.
fn told(course: Course) -> (String, String) {
    match course {
        Course::Refused(refusal) => (codes::of_refusal(refusal).code.to_owned(), String::new()),
        Course::Billed { several, payment } => {
            let code = match payment {
                State::Success => codes::PAYMENT_SUCCESS,
                State::Failed(refusal) => codes::of_refusal(refusal),
                State::Pending(doubt) => codes::of_doubt(doubt),
            };
            (if several { "00+" } else { "00" }.to_owned(), code.code.to_owned())
        }
    }
}

fn check(scheme: NumberScheme, code: &str, number: &str, expected: (&str, &str)) {
    let (inquiry, payment) = told(course(scheme, code, number));
    assert_eq!((inquiry.as_str(), payment.as_str()), expected, "{scheme:?} {code} {number}");
}

/// What the old scheme's last digits bring about.
const OLD_ENDINGS: [(char, (&str, &str)); 8] = [
    ('1', ("00", "00")),
    ('2', ("00+", "00")),
    ('3', ("103", "")),
    ('4', ("01", "")),
    ('5', ("14", "")),
    ('6', ("00", "37")),
    ('7', ("00", "39")),
    ('8', ("00", "105")),
];

/// The old scheme's numbers by code: those that follow their last digit, then those that succeed.
const OLD: [(&str, &[&str], &[&str]); 25] = [
    (
        "PLNPOSTPAID",
        &[
            "530000000001",
            "530000000002",
            "530000000003",
            "530000000004",
            "530000000005",
            "530000000006",
            "530000000007",
            "530000000008",
        ],
        &[],
    ),
    ("PLNNONH", &[], &["3225030005922", "1811217010329", "3226015008229"]),
    (
        "PLNNONTAG",
        &[
            "3225030005901",
            "3225030005902",
            "3225030005903",
            "3225030005904",
            "3225030005905",
            "3225030005906",
            "3225030005907",
            "3225030005908",
        ],
        &[],
    ),
    (
        "BPJS",
        &[
            "8801234560001",
            "8801234560003",
            "8801234560004",
            "8801234560005",
            "8801234560006",
            "8801234560007",
            "8801234560008",
        ],
        &[],
    ),
    (
        "BPJSDENDA",
        &[
            "099994301101",
            "099994301103",
            "099994301104",
            "099994301105",
            "099994301106",
            "099994301107",
            "099994301108",
        ],
        &[],
    ),
    (
        "BPJSTK",
        &[
            "8102051011270001",
            "8102051011270002",
            "8102051011270003",
            "8102051011270004",
            "8102051011270005",
            "8102051011270006",
            "8102051011270007",
            "8102051011270008",
        ],
        &["1271215712960003"],
    ),
    (
        "BPJSTKPU",
        &[
            "210300016001",
            "210300016002",
            "210300016003",
            "210300016004",
            "210300016005",
            "210300016006",
            "210300016007",
            "210300016008",
        ],
        &["210300016066"],
    ),
    (
        "PGAS",
        &[
            "0110014601",
            "0110014603",
            "0110014604",
            "0110014605",
            "0110014606",
            "0110014607",
            "0110014608",
        ],
        &[],
    ),
    (
        "FNMEGA",
        &[
            "6391601201",
            "6391601203",
            "6391601204",
            "6391601205",
            "6391601206",
            "6391601207",
            "6391601208",
        ],
        &[],
    ),
    ("PDAMKOTA.SURABAYA", &["10202001"], &[]),
    ("PDAMKOTA.MEDAN", &["10202002", "10202006", "10202007", "10202008"], &[]),
    ("AETRA", &["10202001", "10202003", "10202004", "10202005"], &[]),
    (
        "TVTLKMV",
        &[
            "127246500101",
            "127246500103",
            "127246500104",
            "127246500105",
            "127246500106",
            "127246500107",
            "127246500108",
        ],
        &[],
    ),
    (
        "TVBIG",
        &[
            "1072161401",
            "1072161403",
            "1072161404",
            "1072161405",
            "1072161406",
            "1072161407",
            "1072161408",
        ],
        &[],
    ),
    (
        "HPTHREE",
        &[
            "08991234501",
            "08991234503",
            "08991234504",
            "08991234505",
            "08991234506",
            "08991234507",
            "08991234508",
        ],
        &[],
    ),
    (
        "TELKOMPSTN",
        &[
            "6391601201",
            "6391601202",
            "6391601203",
            "6391601204",
            "6391601205",
            "6391601206",
            "6391601207",
            "6391601208",
        ],
        &[],
    ),
    (
        "CBN",
        &["01783002", "01783003", "01783004", "01783005", "01783006", "01783007", "01783008"],
        &["01927101"],
    ),
    (
        "ESAMSAT.JABAR",
        &[
            "9658548523568701",
            "9658548523568703",
            "9658548523568704",
            "9658548523568705",
            "9658548523568706",
            "9658548523568707",
            "9658548523568708",
        ],
        &[],
    ),
    (
        "PBBKOT.CIMAHI",
        &[
            "329801092375999901",
            "329801092375999903",
            "329801092375999904",
            "329801092375999905",
            "329801092375999906",
            "329801092375999907",
            "329801092375999908",
        ],
        &[],
    ),
    (
        "SHOPEEPAY",
        &[
            "082100000001",
            "082100000002",
            "082100000003",
            "082100000004",
            "082100000005",
            "082100000006",
            "082100000007",
            "082100000008",
        ],
        &[],
    ),
    (
        "MEMBER.Shiftsoft_MMS-Perpuluhan_2022",
        &["1001", "1002", "1003", "1004", "1005", "1006", "1007", "1008"],
        &[],
    ),
    ("NONMEMBER.Shiftsoft_MMS-Perpuluhan_2022", &[], &["1921", "1922"]),
    (
        "NONMEMBER.IAK_Church-Perpuluhan_2022",
        &["19201", "19202", "19203", "19204", "19205", "19206", "19207", "19208"],
        &[],
    ),
    ("AIA.PREMICONVEN", &[], &["10202001"]),
    ("PDAMKAB.BOGOR", &[], &["10202005", "123456"]),
];

#[test]
fn every_number_of_the_old_scheme_does_as_documented() {
    for (code, by_digit, successes) in OLD {
        for number in by_digit {
            let (_, expected) = OLD_ENDINGS
                .into_iter()
                .find(|(digit, _)| number.ends_with(*digit))
                .expect("a documented ending");
            check(NumberScheme::Old, code, number, expected);
        }
        for number in successes {
            check(NumberScheme::Old, code, number, ("00", "00"));
        }
    }
}

#[test]
fn other_numbers_are_incorrect_in_the_old_scheme() {
    let table = [
        ("PLNPOSTPAID", "530000000009"),
        ("PLNPOSTPAID", "530000000000"),
        ("PLNPOSTPAID", "5300000000011"),
        ("PLNPOSTPAID", "53000000000"),
        ("BPJS", "8801234560002"),
        ("BPJS", "8801234561039"),
        ("PDAMKOTA.SURABAYA", "10202002"),
        ("PDAMKOTA.MEDAN", "10202001"),
        ("AETRA", "10202007"),
        ("PLNNONH", "3225030005901"),
        ("AIA.PREMICONVEN", "6391600000"),
        ("SHOPEEPAY", "08210000000١"),
    ];
    for (code, number) in table {
        check(NumberScheme::Old, code, number, ("14", ""));
    }
}

/// The new scheme's patterns.
const NEW: [(&str, &str); 23] = [
    ("PLNPOSTPAID", "53000000XXXX"),
    ("PLNNONTAG", "322503000XXXX"),
    ("PLNNONH", "322503000XXXX"),
    ("BPJS", "880123456XXXX"),
    ("BPJSTK", "810205101127XXXX"),
    ("BPJSTKPU", "21030001XXXX"),
    ("PGAS", "011001XXXX"),
    ("FNMEGA", "639160XXXX"),
    ("PDAMKOTA.SURABAYA", "1020XXXX"),
    ("PDAMKOTA.MEDAN", "1020XXXX"),
    ("AETRA", "1020XXXX"),
    ("TVTLKMV", "12724650XXXX"),
    ("TVBIG", "107216XXXX"),
    ("HPTHREE", "0899123XXXX"),
    ("TELKOMPSTN", "639160XXXX"),
    ("CBN", "0192XXXX"),
    ("ESAMSAT.JABAR", "965854852356XXXX"),
    ("PBBKOT.CIMAHI", "32980109237599XXXX"),
    ("SHOPEEPAY", "08210000XXXX"),
    ("MEMBER.IAK_Church-Perpuluhan_2022", "18XXXX"),
    ("NONMEMBER.IAK_Church-Perpuluhan_2022", "19XXXX"),
    ("MEMBER.Shiftsoft_MMS-Perpuluhan_2022", "18XXXX"),
    ("NONMEMBER.Shiftsoft_MMS-Perpuluhan_2022", "19XXXX"),
];

#[test]
fn every_named_ending_of_the_new_scheme_does_as_documented() {
    let endings = [
        ("0000", ("00", "00")),
        ("0001", ("01", "")),
        ("0014", ("14", "")),
        ("0103", ("103", "")),
        ("1037", ("00", "37")),
        ("1039", ("00", "39")),
        ("1105", ("00", "105")),
    ];
    for (code, pattern) in NEW {
        for (ending, expected) in endings {
            check(NumberScheme::New, code, &pattern.replace("XXXX", ending), expected);
        }
        let telkom = code == "TELKOMPSTN";
        let several = if telkom { "1999" } else { "0999" };
        let unknown = if telkom { "0999" } else { "1999" };
        check(NumberScheme::New, code, &pattern.replace("XXXX", several), ("00+", "00"));
        check(NumberScheme::New, code, &pattern.replace("XXXX", unknown), ("14", ""));
    }
    let named = [
        ("PLNPOSTPAID", "530000000999", ("00+", "00")),
        ("PDAMKOTA.SURABAYA", "10200000", ("00", "00")),
        ("PDAMKOTA.MEDAN", "10200999", ("00+", "00")),
        ("PDAMKOTA.MEDAN", "10201037", ("00", "37")),
        ("PDAMKOTA.MEDAN", "10201039", ("00", "39")),
        ("PDAMKOTA.MEDAN", "10201105", ("00", "105")),
        ("AETRA", "10200001", ("01", "")),
        ("AETRA", "10200014", ("14", "")),
        ("AETRA", "10200103", ("103", "")),
        ("TELKOMPSTN", "6391601999", ("00+", "00")),
    ];
    for (code, number, expected) in named {
        check(NumberScheme::New, code, number, expected);
    }
}

#[test]
fn every_phase_and_code_is_honoured() {
    for ending in (0..10_000_u16).filter(|ending| *ending != 999) {
        let number = format!("53000000{ending:04}");
        let (phase, response) = (ending / 1000, ending % 1000);
        let code = format!("{response:02}");
        let expected = match (phase, codes::meaning(response)) {
            (0 | 1, Some(Meaning::Granted)) => ("00", "00"),
            (0, Some(_)) => (code.as_str(), ""),
            (1, Some(_)) => ("00", code.as_str()),
            _ => ("14", ""),
        };
        check(NumberScheme::New, "PLNPOSTPAID", &number, expected);
    }
}

#[test]
fn open_codes_keep_their_doubt() {
    let table = [
        ("39", Refusal::InquiryPending, Doubt::InProcess),
        ("05", Refusal::InquiryUndefined, Doubt::UndefinedError),
        ("201", Refusal::InquiryResponseUnknown, Doubt::UndefinedResponse),
    ];
    for (code, refusal, doubt) in table {
        let number = |phase: u8| format!("53000000{phase}{code:0>3}");
        let course = |number: &str| course(NumberScheme::New, "PLNPOSTPAID", number);
        assert_eq!(course(&number(0)), Course::Refused(refusal));
        assert_eq!(course(&number(1)), billed(State::Pending(doubt)));
    }
}

#[test]
fn numbers_outside_their_pattern_are_incorrect() {
    let table = [
        ("PLNPOSTPAID", "540000000000"),
        ("PLNPOSTPAID", "5300000000000"),
        ("PLNPOSTPAID", "53000000000"),
        ("PLNPOSTPAID", "53000000 000"),
        ("PLNPOSTPAID", "53000000٠٠"),
        ("PLNPOSTPAID", ""),
        ("BPJS", "530000000000"),
        ("MEMBER.IAK_Church-Perpuluhan_2022", "190000"),
    ];
    for (code, number) in table {
        check(NumberScheme::New, code, number, ("14", ""));
    }
}

#[test]
fn products_without_documented_numbers_take_nearly_any() {
    let table = [
        ("123456", ("00", "00")),
        ("12345678901234567890", ("00", "00")),
        ("12340005", ("00", "00")),
        ("12341001", ("00", "00")),
        ("12340000", ("00", "00")),
        ("12340999", ("00+", "00")),
        ("12340001", ("01", "")),
        ("12340014", ("14", "")),
        ("12340103", ("103", "")),
        ("12341037", ("00", "37")),
        ("12341039", ("00", "39")),
        ("12341105", ("00", "105")),
        ("12345", ("14", "")),
        ("123456789012345678901", ("14", "")),
        ("12345a", ("14", "")),
        ("١٢٣٤٥٦", ("14", "")),
    ];
    for (number, expected) in table {
        for scheme in [NumberScheme::New, NumberScheme::Old] {
            check(scheme, "PDAMKAB.BOGOR", number, expected);
        }
        check(NumberScheme::New, "BPJSDENDA", number, expected);
    }
}

proptest! {
    #[test]
    fn any_text_is_a_number_to_judge(code: String, number: String, row in 0..TABLE.len(), ending: String) {
        for scheme in [NumberScheme::New, NumberScheme::Old] {
            let known = &TABLE[row];
            let close = format!("{}{ending}", known.new.unwrap_or_default());
            for (code, number) in [(code.as_str(), &number), (known.code, &number), (known.code, &close)] {
                let _ = course(scheme, code, number);
            }
        }
    }
}
