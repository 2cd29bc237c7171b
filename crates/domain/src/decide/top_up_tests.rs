//! Buying at a fixed price, as tables.

use super::*;
use crate::command::{Command, Resolve};
use crate::fixtures::{
    Books, MERCHANT, NOW, at, buy, delivered, make_quote, request, resolve, rupiah,
};
use crate::identifier::{Mode, OrderId, ProductId};
use crate::order::{AttemptState, Outcome};

fn bought(reference: &str, destination: &str, price: i64) -> Buy {
    buy(request(reference, destination, Mode::Live), rupiah(price))
}

#[test]
fn one_commit_claims_holds_and_intends() {
    let mut books = Books::funded(1000);
    let asked = bought("A", "0812", 400);
    let Ok(Reply::Accepted { order, balance }) = books.run(&Command::Buy(asked.clone())) else {
        panic!("it can be paid for")
    };
    assert_eq!(balance, rupiah(600));
    assert_eq!((order.id, order.state), (OrderId(1), OrderState::Processing));
    assert!(order.is_top_up() && order.calls_back && order.callbacks.is_empty());
    assert_eq!(order.attempt().map(|attempt| attempt.state), Some(AttemptState::Intent));
    assert_eq!(order.question_due, Some(asked.question_due));
    assert_eq!(books.available("M"), 600);
    books.audit().expect("in order");

    let again = books.decide(&Command::Buy(asked));
    assert!(matches!(again.answer, Ok(Reply::AcceptedBefore { .. })), "{:?}", again.answer);
    assert_eq!(again.changes, []);
}

#[test]
fn refusals_leave_the_reference_free() {
    let quoted = |books: &mut Books| {
        books.run(&make_quote(request("A", "0812", Mode::Live), rupiah(10))).expect("quoted");
    };
    let nothing = |_: &mut Books| {};
    let table = [
        (&nothing as &dyn Fn(&mut Books), 1001, Refusal::BalanceInsufficient),
        (&nothing, 0, Refusal::AmountInvalid),
        (&quoted, 400, Refusal::ReferenceUsed),
    ];
    for (prepare, price, refusal) in table {
        let mut books = Books::funded(1000);
        prepare(&mut books);
        let mut asked = bought("A", "0812", price);
        asked.request.fingerprint = [7; 32];
        let decision = books.decide(&Command::Buy(asked));
        assert_eq!(decision.answer, Err(refusal));
        assert_eq!(decision.changes, []);
    }
}

#[test]
fn test_mode_moves_nothing() {
    let mut books = Books::default();
    let asked = buy(request("A", "0812", Mode::Test), rupiah(400));
    assert!(matches!(books.run(&Command::Buy(asked)), Ok(Reply::Accepted { .. })));
    books.run(&Command::Resolve(resolve(1, delivered(rupiah(390))))).expect("resolved");
    assert_eq!((books.transfers.len(), books.callbacks.len()), (0, 1));
    books.audit().expect("in order");
}

/// One row per purchase that follows a first one, and what the merchant's limit says to it.
#[test]
fn limits_count_what_did_not_fail() {
    let day = 24 * 3_600_000;
    let table = [
        (Repetition::Free, "0812", "tsel", 0, Ok(())),
        (Repetition::OncePerProduct, "0812", "tsel", 0, Err(Refusal::ProductRepeated)),
        (Repetition::OncePerProduct, "0812", "other", 0, Ok(())),
        (Repetition::OncePerProduct, "0813", "tsel", 0, Ok(())),
        (Repetition::OncePerProduct, "0812", "tsel", day, Ok(())),
        (Repetition::OncePerNumber, "0812", "other", 0, Err(Refusal::DestinationRepeated)),
        (Repetition::OncePerNumber, "0813", "tsel", 0, Ok(())),
        (Repetition::OncePerNumber, "0812", "tsel", day, Ok(())),
    ];
    for (repetition, destination, product, later, expected) in table {
        for failed in [false, true] {
            let mut books = Books::funded(10_000);
            let limited = |reference: &str, destination: &str, product: &str, later: i64| {
                let mut asked = bought(reference, destination, 400);
                asked.repetition = repetition;
                asked.request.product = ProductId::new(product);
                asked.request.at = at(NOW + later);
                Command::Buy(asked)
            };
            books.run(&limited("A", "0812", "tsel", 0)).expect("nothing was bought before");
            if failed {
                let refused = resolve(1, Outcome::Refused(Refusal::PaymentFailed));
                books.run(&Command::Resolve(refused)).expect("resolved");
            }
            let answer = books.run(&limited("B", destination, product, later)).map(drop);
            let expected = if failed { Ok(()) } else { expected };
            assert_eq!(answer, expected, "{repetition:?} {destination} {product} failed {failed}");
            books.audit().expect("in order");
        }
    }
}

#[test]
fn a_stranger_does_not_resolve_it() {
    let mut books = Books::funded(1000);
    books.run(&Command::Buy(bought("A", "0812", 400))).expect("bought");
    let stranger =
        Resolve { merchant: crate::fixtures::STRANGER, ..resolve(1, delivered(rupiah(390))) };
    assert_ne!(stranger.merchant, MERCHANT);
    assert_eq!(books.run(&Command::Resolve(stranger)), Err(Refusal::OrderNotFound));
}
