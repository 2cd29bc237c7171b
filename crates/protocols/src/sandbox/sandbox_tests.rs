//! The sandbox as the gateway meets it: through the port.

use domain::{ProductId, ProtocolName};
use gateway::ports::Parameters;
use proptest::prelude::*;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::time::Instant;

use super::scratch::{Directory, NOW, Standing};
use super::*;
use crate::iak::codes;

struct Bench {
    sandbox: Arc<Sandbox>,
    notices: Receiver<Notice>,
    directory: Directory,
}

fn open(directory: &Directory, settings: Settings) -> (Arc<Sandbox>, Receiver<Notice>) {
    let (sender, notices) = channel(8);
    let clock = Arc::new(Standing(NOW));
    let sandbox = Sandbox::open(directory.path(), UpstreamName::new(NAME), settings, clock, sender);
    (sandbox.map_err(|error| error.to_string()).expect("a sandbox"), notices)
}

fn bench_with(iak_numbers: NumberScheme) -> Bench {
    let directory = Directory::new();
    let (sandbox, notices) =
        open(&directory, Settings { seed: 7, iak_numbers, ..Settings::default() });
    Bench { sandbox, notices, directory }
}

fn bench() -> Bench {
    bench_with(NumberScheme::New)
}

fn question(code: &str, destination: &str) -> BillQuestion {
    let products = demo::products();
    let product = products.into_iter().find(|it| it.aliases.iter().any(|it| it.code == code));
    BillQuestion {
        mode: domain::Mode::Live,
        protocol: ProtocolName::new("iak"),
        code: code.to_owned(),
        product: product.map_or(ProductId::new("none"), |product| product.id),
        destination: destination.to_owned(),
        parameters: Parameters { amount: Some(Amount::rupiah(100_000)), ..Parameters::default() },
    }
}

async fn purchase(sandbox: &Sandbox, order: u64, code: &str, destination: &str) -> Purchase {
    match sandbox.inquire(question(code, destination)).await {
        BillAnswer::Bill(bill) => {
            let order = Arc::new(scratch::order(order, code, destination, bill));
            Purchase { order, attempt: 1 }
        }
        other => panic!("{code} {destination}: {other:?}"),
    }
}

impl Bench {
    async fn purchase(&self, order: u64, destination: &str) -> Purchase {
        purchase(&self.sandbox, order, "PLNPOSTPAID", destination).await
    }

    fn book(&self) -> Vec<Entry> {
        Book::read(&self.directory.path().join(book::FILE_NAME)).expect("a book")
    }

    fn order(&self, json: &str) {
        self.sandbox.script(faults::parse(json.as_bytes()).expect("a fault"));
    }

    /// What the sandbox says when it is asked.
    async fn told(&self, purchase: &Purchase) -> Supplied {
        match self.sandbox.ask(purchase.clone()).await {
            Told::Supplied(supplied) => supplied,
            Told::NotReceived => panic!("not received"),
        }
    }
}

fn code_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered(_) => codes::PAYMENT_SUCCESS.code,
        Outcome::Refused(refusal) => codes::of_refusal(*refusal).code,
        Outcome::Unknown(doubt) => codes::of_doubt(*doubt).code,
    }
}

/// One number per row of the reference's tables, through inquiry, payment and question.
#[tokio::test]
async fn test_numbers_are_honoured_from_inquiry_to_question() {
    use NumberScheme::{New, Old};
    let table = [
        (New, "PLNPOSTPAID", "530000000000", "00", "00"),
        (New, "PLNPOSTPAID", "530000000999", "00", "00"),
        (New, "BPJS", "8801234560001", "01", ""),
        (New, "AETRA", "10200014", "14", ""),
        (New, "AETRA", "10200103", "103", ""),
        (New, "PDAMKOTA.MEDAN", "10201037", "00", "37"),
        (New, "PDAMKOTA.MEDAN", "10201039", "00", "39"),
        (New, "PDAMKOTA.MEDAN", "10201105", "00", "105"),
        (New, "SHOPEEPAY", "082100001201", "00", "201"),
        (New, "SHOPEEPAY", "082100000201", "201", ""),
        (New, "PGAS", "0110010039", "39", ""),
        (New, "PLNPOSTPAID", "540000000000", "14", ""),
        (New, "NONSENSE", "540000000000", "20", ""),
        (Old, "BPJS", "8801234560001", "00", "00"),
        (Old, "TELKOMPSTN", "6391601202", "00", "00"),
        (Old, "PLNNONTAG", "3225030005903", "103", ""),
        (Old, "PLNNONTAG", "3225030005904", "01", ""),
        (Old, "PLNNONTAG", "3225030005905", "14", ""),
        (Old, "PLNNONTAG", "3225030005906", "00", "37"),
        (Old, "PLNNONTAG", "3225030005907", "00", "39"),
        (Old, "PLNNONTAG", "3225030005908", "00", "105"),
    ];
    for (order, (scheme, code, number, inquiry, payment)) in (1..).zip(table) {
        let bench = bench_with(scheme);
        match bench.sandbox.inquire(question(code, number)).await {
            BillAnswer::Bill(bill) => {
                assert_eq!(inquiry, "00", "{scheme:?} {code} {number}");
                let order = Arc::new(scratch::order(order, code, number, bill));
                let purchase = Purchase { order, attempt: 1 };
                let supplied = bench.sandbox.pay(purchase.clone()).await;
                assert_eq!(code_of(&supplied.outcome), payment, "{scheme:?} {code} {number}");
                assert_eq!(bench.told(&purchase).await, supplied);
                assert_eq!(bench.book().len(), 1);
            }
            BillAnswer::Refused(refusal) => {
                assert_eq!(codes::of_refusal(refusal).code, inquiry, "{scheme:?} {code} {number}");
            }
            BillAnswer::Silent => panic!("silent"),
        }
    }
}

#[tokio::test]
async fn a_delivery_has_its_cost_and_proof() {
    let bench = bench();
    let purchase = bench.purchase(7, "530000000000").await;
    let supplied = bench.sandbox.pay(purchase.clone()).await;
    assert_eq!(supplied.nominal, Some(Amount::rupiah(150_000)));
    let Outcome::Delivered(delivery) = &supplied.outcome else { panic!("{supplied:?}") };
    assert_eq!(delivery.cost, Amount::rupiah(151_750));
    assert_eq!(delivery.serial_number.len(), 32);
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte);
    assert!(delivery.serial_number.bytes().all(is_digit));
    assert!(delivery.details.is_some());
    let [entry] = <[_; 1]>::try_from(bench.book()).expect("one purchase");
    assert_eq!((entry.order, entry.attempt, entry.at), (purchase.order.id, 1, NOW));
    assert_eq!((entry.nominal, entry.cost), (Amount::rupiah(150_000), delivery.cost));
    assert_eq!(entry.serial_number, delivery.serial_number);
    assert_eq!(entry.state, State::Success);
}

#[tokio::test]
async fn every_product_leaves_a_margin() {
    let bench = bench();
    let codes = scratch::bill_codes();
    let codes = codes.iter();
    let stems = [
        "53000000",
        "322503000",
        "880123456",
        "810205101127",
        "21030001",
        "011001",
        "639160",
        "1020",
        "12724650",
        "107216",
        "0899123",
        "0192",
        "965854852356",
        "32980109237599",
        "08210000",
        "18",
        "19",
    ];
    let numbers: Vec<_> = stems
        .iter()
        .flat_map(|stem| ["0999", "1999", "0000"].map(|ending| format!("{stem}{ending}")))
        .collect();
    for (order, code) in (1..).zip(codes) {
        let mut paid = 0;
        for (place, number) in (0..).zip(&numbers) {
            let answer = bench.sandbox.inquire(question(code, number)).await;
            let BillAnswer::Bill(bill) = answer else { continue };
            let order = Arc::new(scratch::order(order * 100 + place, code, number, bill));
            let quote = order.quote.expect("priced");
            let supplied = bench.sandbox.pay(Purchase { order, attempt: 1 }).await;
            let Outcome::Delivered(delivery) = supplied.outcome else { panic!("{code} {number}") };
            let margin = quote.charge.minus(delivery.cost).expect("no loss");
            assert!((1..=1000).contains(&margin.minor()), "{code} {number}: {margin}");
            paid += 1;
        }
        assert!(paid >= 2, "{code}");
    }
}

#[tokio::test]
async fn two_hundred_calls_buy_once() {
    let bench = bench();
    let purchase = bench.purchase(1, "530000000000").await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let (sandbox, purchase) = (Arc::clone(&bench.sandbox), purchase.clone());
        calls.spawn(async move { sandbox.pay(purchase).await });
    }
    let answers = calls.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let text = std::fs::read_to_string(bench.directory.path().join(book::FILE_NAME));
    assert_eq!(text.expect("a book").lines().count(), 1);
}

#[tokio::test]
async fn another_attempt_is_another_purchase() {
    let bench = bench();
    let first = bench.purchase(1, "530000000000").await;
    let second = Purchase { attempt: 2, ..first.clone() };
    bench.sandbox.pay(first).await;
    assert_eq!(bench.sandbox.ask(second.clone()).await, Told::NotReceived);
    bench.sandbox.pay(second).await;
    assert_eq!(bench.book().len(), 2);
}

#[tokio::test]
async fn the_same_question_has_the_same_answer_after_a_restart() {
    let directory = Directory::new();
    let numbers = ["530000000000", "530000001039", "530000001037"];
    let mut before = Vec::new();
    for restart in 0..2 {
        let (sandbox, _notices) = open(&directory, Settings { seed: 7, ..Settings::default() });
        let mut answers = Vec::new();
        for (order, number) in (1..).zip(numbers) {
            let purchase = purchase(&sandbox, order, "PLNPOSTPAID", number).await;
            answers.push((purchase.clone(), sandbox.pay(purchase).await));
        }
        if restart > 0 {
            assert_eq!(answers, before);
        }
        before = answers;
    }
    // Under another seed the recorded purchases keep their proof.
    let (sandbox, _notices) = open(&directory, Settings { seed: 8, ..Settings::default() });
    for (purchase, supplied) in before {
        assert_eq!(sandbox.pay(purchase).await, supplied);
    }
}

#[tokio::test]
async fn pending_purchases_are_settled_by_hand_exactly_once() {
    let bench = bench();
    let table = [
        (1, "530000001039", Verdict::Success, Verdict::Failed, "00"),
        (2, "530000001005", Verdict::Failed, Verdict::Success, "37"),
        (3, "530000001201", Verdict::Success, Verdict::Failed, "00"),
    ];
    for (order, number, verdict, other, code) in table {
        let purchase = bench.purchase(order, number).await;
        let settle = |verdict| bench.sandbox.settle(purchase.clone(), verdict);
        assert_eq!(settle(verdict).await, Err(SettleFault::NotReceived));
        let pending = bench.sandbox.pay(purchase.clone()).await;
        assert!(matches!(pending.outcome, Outcome::Unknown(_)), "{pending:?}");
        assert_eq!(bench.told(&purchase).await, pending);
        assert_eq!(settle(verdict).await, Ok(()));
        assert_eq!(settle(verdict).await, Ok(()));
        assert_eq!(settle(other).await, Err(SettleFault::Settled));
        let told = bench.told(&purchase).await;
        assert_eq!(code_of(&told.outcome), code);
        assert_eq!(bench.sandbox.pay(purchase.clone()).await, told);
    }
    let paid = bench.purchase(4, "530000000000").await;
    bench.sandbox.pay(paid.clone()).await;
    let settled = bench.sandbox.settle(paid, Verdict::Failed).await;
    assert_eq!(settled, Err(SettleFault::Settled));
}

#[tokio::test]
async fn absence_is_proof_at_once() {
    let bench = bench();
    let proof = StatusBy::Asking { absence_proves_after: Some(Duration::ZERO) };
    assert_eq!(bench.sandbox.status_by(), proof);
    assert_eq!(bench.sandbox.name().as_str(), "sandbox");
    let purchase = bench.purchase(1, "530000000000").await;
    assert_eq!(bench.sandbox.ask(purchase).await, Told::NotReceived);
}

/// Lets a call run as far as it gets at once, and gives up on it if it is not answered by then.
async fn break_off<T>(call: impl Future<Output = T>) {
    tokio::select! {
        biased;
        _ = call => {}
        () = std::future::ready(()) => {}
    }
}

#[tokio::test]
async fn calls_that_break_off_have_bought() {
    for fault in [
        r#"{"fault":"silent"}"#,
        r#"{"fault":"slow","milliseconds":3600000}"#,
        r#"{"fault":"silent_inquiry","destination":"nobody"}"#,
    ] {
        let bench = bench();
        let purchase = bench.purchase(1, "530000000000").await;
        bench.order(fault);
        break_off(bench.sandbox.pay(purchase.clone())).await;
        let told = bench.told(&purchase).await;
        assert_eq!(code_of(&told.outcome), "00");
        assert_eq!(bench.book().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_comes_late_and_is_true() {
    let bench = bench();
    let purchase = bench.purchase(1, "530000000000").await;
    bench.order(r#"{"fault":"slow","milliseconds":5000,"destination":"530000000000"}"#);
    let begun = Instant::now();
    let supplied = bench.sandbox.pay(purchase.clone()).await;
    assert!(begun.elapsed() >= Duration::from_secs(5));
    assert_eq!(bench.told(&purchase).await, supplied);
    let begun = Instant::now();
    assert_eq!(bench.sandbox.pay(purchase).await, supplied);
    assert_eq!(begun.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_silent_call_is_never_answered() {
    let bench = bench();
    let purchase = bench.purchase(1, "530000000000").await;
    bench.order(r#"{"fault":"silent"}"#);
    bench.order(r#"{"fault":"silent_inquiry"}"#);
    let day = Duration::from_secs(86_400);
    let inquiry = bench.sandbox.inquire(question("PLNPOSTPAID", "530000000000"));
    assert!(tokio::time::timeout(day, inquiry).await.is_err());
    assert!(tokio::time::timeout(day, bench.sandbox.pay(purchase.clone())).await.is_err());
    assert_eq!(code_of(&bench.told(&purchase).await.outcome), "00");
    bench.purchase(2, "530000000000").await;
}

#[tokio::test]
async fn a_wrong_amount_is_only_claimed() {
    let bench = bench();
    let purchase = bench.purchase(1, "530000000000").await;
    bench.order(r#"{"fault":"wrong_amount"}"#);
    let supplied = bench.sandbox.pay(purchase.clone()).await;
    assert_eq!(supplied.nominal, Some(Amount::rupiah(151_000)));
    assert_eq!(bench.told(&purchase).await.nominal, Some(Amount::rupiah(150_000)));
    assert_eq!(bench.book()[0].nominal, Amount::rupiah(150_000));
}

#[tokio::test]
async fn an_answer_can_come_three_times() {
    let mut bench = bench();
    let purchase = bench.purchase(1, "530000000000").await;
    bench.order(r#"{"fault":"twice"}"#);
    let supplied = bench.sandbox.pay(purchase.clone()).await;
    let expected = Notice {
        order: purchase.order.id,
        attempt: 1,
        upstream: UpstreamName::new("sandbox"),
        supplied,
    };
    for _ in 0..2 {
        assert_eq!(bench.notices.recv().await.as_ref(), Some(&expected));
    }
    assert_eq!(bench.book().len(), 1);
    assert!(bench.notices.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn an_answer_can_be_contradicted_later() {
    let table = [
        ("530000000000", "00", Some("37")),
        ("530000001037", "37", Some("00")),
        ("530000001039", "39", None),
    ];
    for (number, answered, contradicted) in table {
        let mut bench = bench();
        let purchase = bench.purchase(1, number).await;
        bench.order(r#"{"fault":"contradict","milliseconds":60000}"#);
        let supplied = bench.sandbox.pay(purchase.clone()).await;
        assert_eq!(code_of(&supplied.outcome), answered);
        let answered_at = Instant::now();
        if let Some(code) = contradicted {
            let notice = bench.notices.recv().await.expect("a notice");
            assert!(answered_at.elapsed() >= Duration::from_secs(60));
            assert_eq!(code_of(&notice.supplied.outcome), code);
            assert_eq!(notice.order, purchase.order.id);
        } else {
            tokio::time::advance(Duration::from_secs(61)).await;
            assert!(bench.notices.try_recv().is_err());
        }
        assert_eq!(bench.told(&purchase).await, supplied, "the book has the truth");
    }
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_an_error() {
    let directory = Directory::new();
    let (sender, _notices) = channel(1);
    let missing = directory.path().join("missing");
    let clock = Arc::new(Standing(NOW));
    let opened =
        Sandbox::open(&missing, UpstreamName::new(NAME), Settings::default(), clock, sender);
    assert!(matches!(opened.map(drop), Err(BookError::Unreadable { .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_text_can_be_asked_about(number: String, code: String, digits in "[0-9]{4}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let bench = bench();
            let numbers = [number.clone(), format!("53000000{digits}"), digits.clone()];
            for number in &numbers {
                for code in [code.as_str(), "PLNPOSTPAID", "PDAMKAB.BOGOR", "SHOPEEPAY"] {
                    let ask = || bench.sandbox.inquire(question(code, number));
                    assert_eq!(ask().await, ask().await);
                }
            }
        });
    }
}
