//! Top-ups, and what isikuota and test orders bring about, through the port.

use std::sync::atomic::{AtomicI64, Ordering};

use domain::{Collecting, Currency, Detail, ProductId, Quote, ReferenceKey};
use gateway::collect::told;
use gateway::ports::Parameters;
use tokio::sync::mpsc::{Receiver, channel};

use super::scratch::{Directory, NOW, top_up};
use super::*;

struct Moving(AtomicI64);

impl Clock for Moving {
    fn now(&self) -> domain::Timestamp {
        domain::Timestamp::from_milliseconds(self.0.load(Ordering::Relaxed))
    }
}

struct Bench {
    sandbox: Arc<Sandbox>,
    clock: Arc<Moving>,
    notices: Receiver<Notice>,
    directory: Directory,
}

fn open(directory: Directory, after: Option<u64>) -> Bench {
    let iak_top_ups_after = after.map(Duration::from_secs);
    open_with(directory, Settings { iak_top_ups_after, ..Settings::default() })
}

fn open_with(directory: Directory, settings: Settings) -> Bench {
    let (sender, notices) = channel(8);
    let clock = Arc::new(Moving(AtomicI64::new(NOW.milliseconds())));
    let name = UpstreamName::new(NAME);
    let sandbox = Sandbox::open(directory.path(), name, settings, clock.clone(), sender);
    Bench { sandbox: sandbox.expect("a sandbox"), clock, notices, directory }
}

fn bench() -> Bench {
    open(Directory::new(), None)
}

fn purchase(protocol: &str, mode: Mode, code: &str, destination: &str) -> Purchase {
    Purchase { order: Arc::new(top_up(1, protocol, mode, code, destination)), attempt: 1 }
}

fn proof(supplied: &Supplied) -> &str {
    match &supplied.outcome {
        Outcome::Delivered(delivery) => &delivery.serial_number,
        other => panic!("{other:?}"),
    }
}

/// One row per rule: protocol, code and number, and what a payment brings.
#[tokio::test]
async fn top_ups_end_as_their_protocol_documents() {
    let success = "success";
    let table = [
        ("iak", Mode::Live, "xld25000", "081712340000", "pending"),
        ("isikuota", Mode::Live, "TSEL21", "081298765432", success),
        ("isikuota", Mode::Live, "TSEL21", "081298760037", "failed"),
        ("isikuota", Mode::Live, "TSEL21", "081298760039", "pending"),
        ("isikuota", Mode::Test, "TSEL21", "081298760037", success),
    ];
    for (protocol, mode, code, number, expected) in table {
        let bench = bench();
        let supplied = bench.sandbox.pay(purchase(protocol, mode, code, number)).await;
        let found = match &supplied.outcome {
            Outcome::Delivered(_) => success,
            Outcome::Refused(Refusal::TransactionFailed) => "failed",
            Outcome::Unknown(Doubt::InProcess) => "pending",
            other => panic!("{other:?}"),
        };
        assert_eq!(found, expected, "{protocol} {mode:?} {number}");
        if let Outcome::Delivered(delivery) = &supplied.outcome {
            assert_eq!(delivery.cost, Amount::rupiah(21_250));
            let test = delivery.serial_number == "1234-5678-9012-3456";
            assert_eq!(test, mode == Mode::Test);
        }
    }
}

/// The forms of section 13.5 of the IAK reference.
#[tokio::test]
async fn proofs_look_like_what_was_bought() {
    let shape = |text: &str| -> String {
        text.chars()
            .map(|it| match it {
                '0'..='9' => '9',
                'A'..='Z' => 'A',
                other => other,
            })
            .collect()
    };
    let table = [
        ("TSEL21", "081298765432", "9999999999999999"),
        ("TDATA1", "081298765432", "9999999999999999"),
        ("PLN20", "12345678901", "9999-9999-9999-9999-9999/AAAA AAAAAA/A9 /999999999/99.9"),
        ("GOPAY20", "081298765432", "AAAA AAAAAA 999999999999"),
    ];
    for (code, number, expected) in table {
        let bench = bench();
        let supplied = bench.sandbox.pay(purchase("isikuota", Mode::Live, code, number)).await;
        assert_eq!(shape(proof(&supplied)), expected, "{code}");
    }
    let bench = bench();
    let game = bench.sandbox.pay(purchase("isikuota", Mode::Live, "ML86", "1|2")).await;
    let fours: Vec<_> = proof(&game).split('-').map(str::len).collect();
    assert_eq!(fours, [4, 4, 4, 4]);
}

#[tokio::test(start_paused = true)]
async fn a_pending_top_up_succeeds_after_its_time_and_says_so() {
    let mut bench = open(Directory::new(), Some(30));
    let bought = purchase("iak", Mode::Live, "xld25000", "081712340000");
    let supplied = bench.sandbox.pay(bought.clone()).await;
    assert_eq!(supplied.outcome, Outcome::Unknown(Doubt::InProcess));
    let notice = bench.notices.recv().await.expect("it speaks up");
    assert_eq!(notice.order, bought.order.id);
    assert_eq!(bench.sandbox.ask(bought).await, Told::Supplied(notice.supplied.clone()));
    assert!(!proof(&notice.supplied).is_empty());
}

/// Nobody was there when its time came: the next one who asks learns it.
#[tokio::test]
async fn what_came_due_meanwhile_is_told_when_asked() {
    let first = open(Directory::new(), Some(30));
    let bought = purchase("iak", Mode::Live, "xld25000", "081712340000");
    first.sandbox.pay(bought.clone()).await;
    let Bench { sandbox, directory, .. } = first;
    drop(sandbox);
    let second = open(directory, Some(30));
    let pending = Told::Supplied(Outcome::Unknown(Doubt::InProcess).into());
    let told = |told: Told| match told {
        Told::Supplied(supplied) => Told::Supplied(supplied.outcome.into()),
        other => other,
    };
    assert_eq!(told(second.sandbox.ask(bought.clone()).await), pending);
    second.clock.0.fetch_add(30_000, Ordering::Relaxed);
    match second.sandbox.ask(bought).await {
        Told::Supplied(supplied) => assert!(!proof(&supplied).is_empty()),
        Told::NotReceived => panic!("it was bought"),
    }
}

#[tokio::test]
async fn a_person_decides_a_pending_top_up_once() {
    let bench = bench();
    let bought = purchase("iak", Mode::Live, "xld25000", "081712340000");
    bench.sandbox.pay(bought.clone()).await;
    bench.sandbox.settle(bought.clone(), Verdict::Success).await.expect("it is pending");
    let again = bench.sandbox.settle(bought.clone(), Verdict::Failed).await;
    assert_eq!(again, Err(SettleFault::Settled));
    assert!(
        matches!(bench.sandbox.ask(bought).await, Told::Supplied(supplied) if !proof(&supplied).is_empty())
    );
}

fn question(mode: Mode, code: &str, product: &str, number: &str) -> BillQuestion {
    BillQuestion {
        protocol: ProtocolName::new("isikuota"),
        code: code.to_owned(),
        product: ProductId::new(product),
        mode,
        destination: number.to_owned(),
        parameters: Parameters::default(),
    }
}

#[tokio::test]
async fn a_bill_asked_for_through_isikuota_is_the_same_kind_of_bill() {
    let bench = bench();
    let ask =
        |mode| bench.sandbox.inquire(question(mode, "MPBPJS", "bpjs-health", "8888801234567890"));
    let BillAnswer::Bill(live) = ask(Mode::Live).await else { panic!("any number has a bill") };
    assert!(matches!(live.details.get(domain::bill::names::PARTICIPANTS), Some(Detail::Number(_))));
    let BillAnswer::Bill(test) = ask(Mode::Test).await else { panic!("a test always succeeds") };
    assert_eq!(
        (test.customer_name.as_str(), test.nominal),
        ("Demo Member", Amount::rupiah(22_500))
    );
    let unknown = bench.sandbox.inquire(question(Mode::Live, "NONE", "none", "1")).await;
    assert_eq!(unknown, BillAnswer::Refused(Refusal::ProductUnknown));
}

/// A collection of this amount, in whatever currency, as far as its payer looks at it.
fn collection(protocol: &str, dialect: &str, amount: Amount, sender: &str) -> Order {
    let like = top_up(1, "iak", Mode::Live, "xld25000", "081712340000");
    let told = (told::SENDER.to_owned(), Detail::Text(sender.to_owned()));
    let told = Some(told).filter(|_| !sender.is_empty());
    Order {
        key: ReferenceKey { protocol: ProtocolName::new(protocol), ..like.key },
        kind: Kind::Collection,
        dialect: dialect.to_owned(),
        quote: None,
        collecting: Some(Collecting {
            channel: "in".to_owned(),
            due: amount,
            gross: amount,
            fee: Amount::zero(amount.currency()),
            return_url: None,
            in_review: false,
            particulars: Detail::Record(told.into_iter().collect()),
            evidence: None,
        }),
        ..like
    }
}

/// One row per rule: protocol, variant, amount, what happens, and what the payer does.
#[tokio::test]
async fn payers_do_as_documented() {
    use Moment::{Opened, PressedFail, PressedPay, Told};
    use PayerDoes::{GivesUp, NeedsReview, Nothing, Pays};
    let of = |minor: i64, currency| Amount::new(minor, currency).expect("not negative");
    let (baht, rupee) = (|minor| of(minor, Currency::Thb), |minor| of(minor, Currency::Inr));
    let dong = |minor| of(minor, Currency::Vnd);
    let table = [
        ("ilenpay", "direct", Amount::rupiah(13_000), "081298765432", Opened, Nothing),
        ("ilenpay", "direct", Amount::rupiah(13_000), "6281298765432", Told, Pays),
        ("ilenpay", "direct", Amount::rupiah(13_000), "6281200000404", Told, Nothing),
        ("ilenpay", "direct", Amount::rupiah(13_000), "", Opened, Nothing),
        ("ilenpay", "direct", Amount::rupiah(13_000), "", Told, Pays),
        ("ilenpay", "redirect", Amount::rupiah(13_000), "", PressedPay, Pays),
        ("ilenpay", "redirect", Amount::rupiah(13_000), "", PressedFail, Nothing),
        ("s88pay", "v3", baht(25_000), "", Opened, Pays),
        ("s88pay", "v3", baht(25_001), "", Opened, GivesUp),
        ("s88pay", "v3", baht(25_002), "", Opened, Nothing),
        ("s88pay", "v3", baht(25_004), "", Opened, NeedsReview),
        ("s88pay", "v3", dong(200_001), "", Opened, GivesUp),
        ("s88pay", "v3", rupee(51_000), "", Opened, Nothing),
        ("s88pay", "v3", rupee(51_000), "", Told, Pays),
        ("s88pay", "v3", rupee(51_001), "", Told, GivesUp),
        ("s88pay", "v2", baht(25_000), "", Opened, Nothing),
        ("s88pay", "v2", baht(25_001), "", PressedPay, Pays),
        ("s88pay", "v2", baht(25_000), "", PressedFail, GivesUp),
    ];
    let settings = |plays_payers| Settings { plays_payers, ..Settings::default() };
    let playing = open_with(Directory::new(), settings(true));
    // Where real merchants are served, nobody pays on their mere word.
    let serious = open_with(Directory::new(), settings(false));
    for (protocol, dialect, amount, sender, moment, does) in table {
        let order = collection(protocol, dialect, amount, sender);
        let found = playing.sandbox.play_payer(&order, moment).await;
        assert_eq!(found, does, "{protocol} {dialect} {amount} {sender} {moment:?}");
        assert_eq!(serious.sandbox.play_payer(&order, moment).await, Nothing);
    }
}

#[tokio::test]
async fn payouts_end_by_their_amount() {
    let table = [(120_000, "delivered"), (120_001, "refused"), (120_002, "pending")];
    for (minor, expected) in table {
        let bench = bench();
        let amount = Amount::new(minor, Currency::Thb).expect("not negative");
        let nothing = Amount::zero(Currency::Thb);
        let like = top_up(1, "iak", Mode::Live, "xld25000", "1234567890");
        let quote = Quote {
            nominal: amount,
            admin_fee: nothing,
            admin: nothing,
            price: amount,
            charge: amount,
        };
        let order = Order {
            kind: Kind::Payout,
            quote: Some(quote),
            recipient: Some(Detail::none()),
            ..like
        };
        let paid = bench.sandbox.pay_out(Purchase { order: Arc::new(order), attempt: 1 }).await;
        let found = match &paid.outcome {
            Outcome::Delivered(delivery) => {
                assert_eq!((delivery.cost, delivery.serial_number.len()), (amount, 12));
                "delivered"
            }
            Outcome::Refused(_) => "refused",
            Outcome::Unknown(_) => "pending",
        };
        assert_eq!(found, expected);
    }
}
