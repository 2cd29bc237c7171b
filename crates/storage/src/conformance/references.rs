//! Names that are used once.

use super::*;

pub(crate) async fn twins_become_one_order<S: Subject>(world: &mut World<S>) {
    let charge = Amount::rupiah(3000);
    let twins = all((0..32).map(|_| world.reply(quote(key(TOKO, "r1"), charge)))).await;
    let mut first = 0;
    for reply in &twins {
        let Reply::Inquired { order, repeated } = reply else { panic!("{reply:?}") };
        assert_eq!(order.id, OrderId(1));
        first += u32::from(!repeated);
    }
    assert_eq!(first, 1);
    assert_eq!(world.audit().orders, 1);
}

pub(crate) async fn a_reference_is_taken_for_ever<S: Subject>(world: &mut World<S>) {
    let order = world.quoted(TOKO, "r1", 3000).await;
    for _ in 0..2 {
        let Command::MakeQuote(mut other) = quote(key(TOKO, "r1"), Amount::rupiah(3000)) else {
            panic!("not a quote");
        };
        other.request.fingerprint = fingerprint(["something", "else"]);
        let answer = world.answer(Command::MakeQuote(other.clone())).await;
        assert_eq!(answer, Err(Refusal::ReferenceUsed));
        let declining = Decline { request: other.request, refusal: Refusal::BillPaid };
        let answer = world.answer(Command::Decline(declining)).await;
        assert_eq!(answer, Err(Refusal::ReferenceUsed));
        assert_eq!(world.order(order.id).await, order);
        world.reopen().await;
    }
}

pub(crate) async fn everyone_has_references_of_their_own<S: Subject>(world: &mut World<S>) {
    let mine = key(TOKO, "r1");
    let keys = [
        mine.clone(),
        key(WARUNG, "r1"),
        ReferenceKey { protocol: ProtocolName::new("isikuota"), ..mine.clone() },
        ReferenceKey { mode: Mode::Test, ..mine.clone() },
        key(TOKO, "R1"),
        key(TOKO, "r1 "),
        key(TOKO, ""),
        key(TOKO, "r1\0"),
    ];
    for key in &keys {
        let reply = world.reply(quote(key.clone(), Amount::rupiah(3000))).await;
        assert!(matches!(reply, Reply::Inquired { repeated: false, .. }), "{key:?}");
    }
    world.reopen().await;
    for (number, key) in (1..).zip(&keys) {
        let found = world.opened.store.order_by_reference(key).await.expect("no fault");
        let found = found.expect("the order is there");
        assert_eq!((found.id, &found.key), (OrderId(number), key));
    }
    // Somebody else's order is not found, and so not accepted.
    let Command::Accept(theirs) = accept(&*world.order(OrderId(1)).await) else {
        panic!("not accept");
    };
    let stolen = Command::Accept(Accept { merchant: WARUNG, ..theirs });
    assert_eq!(world.answer(stolen).await, Err(Refusal::OrderNotFound));
}

pub(crate) async fn a_funding_reference_is_used_once<S: Subject>(world: &mut World<S>) {
    let credit = |amount| fund(TOKO, "f1", Direction::Credit, Amount::rupiah(amount));
    let debit = fund(TOKO, "f1", Direction::Debit, Amount::rupiah(1000));
    all((0..16).map(|_| world.reply(credit(1000)))).await;
    for _ in 0..2 {
        assert_eq!(world.answer(credit(1001)).await, Err(Refusal::ReferenceUsed));
        assert_eq!(world.answer(debit.clone()).await, Err(Refusal::ReferenceUsed));
        world.reply(credit(1000)).await;
        assert_eq!(world.available(TOKO).await, 1000);
        world.reopen().await;
    }
    world.fund(WARUNG, "f1", 1).await;
    assert_eq!(world.available(WARUNG).await, 1);
}

pub(crate) async fn numbers_are_never_given_out_again<S: Subject>(world: &mut World<S>) {
    for number in 1..=4 {
        world.fund(TOKO, &number.to_string(), 1000).await;
        let order = world.accepted(TOKO, &number.to_string(), 10).await;
        assert_eq!(order.id, OrderId(number));
        world.reopen().await;
    }
    let summary = world.audit();
    assert_eq!((summary.orders, summary.transfers, summary.accounts), (4, 8, 3));
}
