//! What rows say, and that a name depends on nothing else.

use std::collections::HashSet;
use std::sync::Arc;

use domain::{Currency, ProductId, Secret};
use proptest::prelude::*;

use super::*;
use crate::feed::{csv, json};

/// 1 June 2026, 12:00:00 in Jakarta.
const NOW: i64 = 1_780_290_000_000;

fn source(senders_are_numbers: bool) -> Source {
    Source {
        name: "bank".to_owned(),
        secret: Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        channel: ProductId::new("in"),
        currency: Currency::Idr,
        peers: Arc::new(|_| true),
        senders_are_numbers,
    }
}

fn read(body: &str, senders_are_numbers: bool) -> Result<Vec<Mutation>, Malformed> {
    let rows = if body.starts_with(['{', '[']) { json::rows(body) } else { csv::rows(body) };
    mutations(rows?, &source(senders_are_numbers), Timestamp::from_milliseconds(NOW))
}

fn named(body: &str) -> Vec<String> {
    let mutations = read(body, false).expect("well-formed");
    names(&mutations, "bank").into_iter().map(|key| key.id).collect()
}

#[test]
fn both_forms_say_the_same() {
    let json = r#"[{"id":"7","at":"2026-06-01 10:15:30","amount":10000,"sender":" 0812 ",
        "reference":"DP00001 ","balance":"150000.00"},
        {"at":"2026-06-01T03:15:30Z","amount":"10000.00","sender":null,"id":""}]"#;
    let csv = "at;amount;sender;reference;balance;id\n\
        2026-06-01 10:15:30;10000.00;0812;DP00001;150000;7\n\
        2026-06-01 10:15:30;10000;;;;\n";
    let (json, csv) = (read(json, false).expect("json"), read(csv, false).expect("csv"));
    assert_eq!(json, csv);
    assert_eq!((json[0].sender.as_str(), json[0].reference.as_str()), ("0812", "DP00001"));
    assert_eq!((json[0].id.as_deref(), json[0].balance.as_deref()), (Some("7"), Some("150000")));
    assert_eq!((&json[1].id, &json[1].balance), (&None, &None));
}

#[test]
fn numbers_of_senders_have_one_spelling() {
    for sender in ["0812", "62812", "+62812"] {
        let body = format!("at,amount,sender\n2026-06-01 10:15:30,1,{sender}\n");
        assert_eq!(read(&body, true).expect(sender)[0].sender, "62812");
    }
    let body = "at,amount,sender\n2026-06-01 10:15:30,1,TELKOMSEL\n";
    assert!(read(body, true).is_err());
    assert_eq!(read(body, false).expect("a name")[0].sender, "TELKOMSEL");
}

#[test]
fn a_row_that_is_not_understood_is_pointed_at() {
    let long = "x".repeat(CHARACTERS_MAX + 1);
    let at = r#""at":"2026-06-01 10:15:30""#;
    let table = [
        (r#"{"amount":1}"#.to_owned(), 1),
        (format!("{{{at}}}"), 1),
        (format!(r#"{{{at},"amount":null}}"#), 1),
        (format!(r#"{{{at},"amount":""}}"#), 1),
        (format!(r#"{{{at},"amount":"1e3"}}"#), 38),
        (format!(r#"{{{at},"amount":1,"amount":1}}"#), 40),
        (format!(r#"{{{at},"amount":1,"\u0061t":"2026-06-01 10:15:30"}}"#), 40),
        (format!(r#"{{{at},"amount":1,"nominal":1}}"#), 40),
        (format!(r#"{{{at},"amount":1,"sender":812}}"#), 49),
        (format!(r#"{{{at},"amount":1,"sender":"a\nb"}}"#), 49),
        (format!(r#"{{{at},"amount":1,"sender":"{long}"}}"#), 49),
        (format!(r#"{{{at},"amount":1,"balance":"1.5"}}"#), 50),
        (format!(r#"{{{at},"amount":1,"id":" 7"}}"#), 45),
        (format!(r#"{{{at},"amount":1,"id":"é"}}"#), 45),
        (format!(r#"{{{at},"amount":1,"id":"{long}"}}"#), 45),
        (format!(r#"{{{at},"amount":1,"id":"row:7"}}"#), 45),
        (r#"{"at":20260601,"amount":1}"#.to_owned(), 7),
        (r#"{"at":"2026-06-01","amount":1}"#.to_owned(), 7),
        (r#"{"at":"2026-06-01 12:05:01","amount":1}"#.to_owned(), 7),
        ("at,amount\n2026-06-01 10:15:30,1\n2026-06-01 10:15:30,-1\n".to_owned(), 21),
        ("at,at,amount\n2026-06-01 10:15:30,2026-06-01 10:15:30,1\n".to_owned(), 4),
        ("At,amount\n2026-06-01 10:15:30,1\n".to_owned(), 1),
    ];
    for (body, column) in table {
        let fault = read(&body, false).expect_err(&body);
        assert_eq!(fault.place(&body).1, column, "{body}: {}", fault.reason);
    }
}

#[test]
fn with_a_balance_the_same_is_the_same_and_without_one_it_is_counted() {
    let head = "at,amount,sender,balance\n";
    let row = |time: &str, balance: &str| format!("2026-06-01 {time},10000,0812,{balance}\n");
    let with = named(&format!(
        "{head}{}{}{}",
        row("08:00:00", "20000"),
        row("09:00:00", "20000"),
        row("09:00:00", "30000.00")
    ));
    assert_eq!(with[0], with[1]);
    assert_ne!(with[0], with[2]);
    assert_eq!(named(&format!("{head}{}", row("10:00:00", "30000"))), [with[2].clone()]);

    let first = named(&format!("{head}{}", row("08:00:00", "")));
    let both = named(&format!("{head}{}{}", row("08:00:00", ""), row("09:00:00", "")));
    let newest_first = named(&format!("{head}{}{}", row("09:00:00", ""), row("08:00:00", "")));
    assert_ne!(both[0], both[1]);
    assert_eq!(first[0], both[0]);
    assert_eq!([&both[1], &both[0]], [&newest_first[0], &newest_first[1]]);
    assert!(!with.contains(&both[0]));
}

/// Every part counts, and so does where one ends.
#[test]
fn other_rows_have_other_names() {
    let head = "at,amount,sender,reference,balance\n";
    let rows = [
        "2026-06-01 08:00:00,10000,a,b,",
        "2026-05-31 08:00:00,10000,a,b,",
        "2026-06-01 08:00:00,10001,a,b,",
        "2026-06-01 08:00:00,10000,ab,,",
        "2026-06-01 08:00:00,10000,,ab,",
        "2026-06-01 08:00:00,10000,a,b,0",
        "2026-06-01 08:00:00,10000,a,b,-1",
        "2026-06-01 08:00:00,10000,a,,1",
    ];
    let each: HashSet<_> = rows.iter().map(|row| named(&format!("{head}{row}\n"))).collect();
    assert_eq!(each.len(), rows.len());
    let together: HashSet<_> = named(&format!("{head}{}\n", rows.join("\n"))).into_iter().collect();
    assert_eq!(together, each.into_iter().flatten().collect());
}

/// A mutation of few kinds, so that many are the same.
fn few() -> impl Strategy<Value = Mutation> {
    let amount = (1..3_u32).prop_map(Amount::rupiah);
    let balance = prop::option::of((0..3_u8).prop_map(|it| it.to_string()));
    (0..3_i64, amount, "[ab]", balance).prop_map(|(hour, amount, sender, balance)| Mutation {
        id: None,
        at: Timestamp::from_milliseconds(NOW + hour * 3_600_000),
        amount,
        sender,
        reference: String::new(),
        balance,
    })
}

proptest! {
    /// The same rows in another order have the same names, and so do those that come with more of a
    /// later time.
    #[test]
    fn names_depend_on_rows_alone(mut rows in prop::collection::vec(few(), 0..12)) {
        let paired = |rows: &[Mutation]| {
            let mut pairs: Vec<_> = names(rows, "bank")
                .into_iter()
                .zip(rows)
                .map(|(name, row)| (name.id, row.at, row.amount.minor(), row.sender.clone()))
                .collect();
            pairs.sort();
            pairs
        };
        let all = paired(&rows);
        rows.reverse();
        prop_assert_eq!(&all, &paired(&rows));
        rows.retain(|row| row.at < Timestamp::from_milliseconds(NOW + 7_200_000));
        for pair in paired(&rows) {
            prop_assert!(all.contains(&pair));
        }
    }
}
