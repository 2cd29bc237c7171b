//! Collections: who waits for payers, and what ends that.

use domain::administration::{Act, Actor, Administer, Role};
use domain::command::{
    Credit, EndCollection, OpenCollection, PayerReferenceKey, RecordEvidence, Tell,
};
use domain::evidence::Doubtful;
use domain::{Collecting, Evidence, EvidenceKey, EvidenceState, OrderState};

use super::arbitrary::{details, opening, sample, text};
use super::*;

pub(super) const CHANNEL: &str = "pulsa-telkomsel";
const CLOSED: Timestamp = Timestamp::from_milliseconds(LATER.milliseconds() + 1000);

/// Waits for a payer who hands over Rp10.000 of telephone credit, worth Rp8.200, of which Rp200 are
/// ours.
pub(super) fn open(reference: &str, channel: &str, due: Amount) -> OpenCollection {
    let mut request = request(key(TOKO, reference));
    request.calls_back = true;
    OpenCollection {
        request,
        collecting: Collecting {
            channel: channel.to_owned(),
            due,
            gross: Amount::rupiah(8200),
            fee: Amount::rupiah(200),
            return_url: None,
            in_review: false,
            particulars: Detail::none(),
            evidence: None,
        },
        expires_at: Some(LATER),
    }
}

pub(super) fn seen(id: &str, channel: &str, amount: Amount) -> Evidence {
    Evidence {
        key: EvidenceKey { source: "sim-1".to_owned(), id: id.to_owned() },
        channel: channel.to_owned(),
        amount,
        sender: "081200001111".to_owned(),
        reference: String::new(),
        came_in_at: NOW,
        seen_at: ASK_AT,
        state: EvidenceState::Open,
    }
}

pub(super) fn credit(order: &Order, evidence: &Evidence) -> Credit {
    Credit {
        order: order.id,
        merchant: order.key.merchant,
        currency: Currency::Idr,
        channel: (evidence.channel.clone(), evidence.amount.currency()),
        evidence: evidence.key.clone(),
        at: ASK_AT,
    }
}

fn end(order: &Order, refusal: Option<Refusal>, at: Timestamp) -> EndCollection {
    let (merchant, currency) = (order.key.merchant, Currency::Idr);
    EndCollection { order: order.id, merchant, currency, refusal, at }
}

fn tell(order: &Order, named: Option<&str>) -> Tell {
    let channel = order.collecting.as_ref().expect("a collection").channel.clone();
    Tell {
        order: order.id,
        merchant: order.key.merchant,
        particulars: vec![("sender".to_owned(), Detail::Text("0812".to_owned()))],
        reference: named.map(|text| PayerReferenceKey { channel, text: text.to_owned() }),
        in_review: None,
        at: ASK_AT,
    }
}

pub(super) fn ids(orders: &[Arc<Order>]) -> Vec<u64> {
    orders.iter().map(|order| order.id.0).collect()
}

impl<S: Subject> World<S> {
    pub(super) async fn opened(&self, open: OpenCollection) -> Arc<Order> {
        match self.reply(Command::OpenCollection(open)).await {
            Reply::Awaited { order, .. } => order,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn recorded(&self, evidence: Evidence) -> Evidence {
        match self.reply(Command::RecordEvidence(RecordEvidence { evidence })).await {
            Reply::EvidenceRecorded { evidence, .. } => evidence,
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn credited(&self, credit: Credit) -> Result<Arc<Order>, Doubtful> {
        match self.reply(Command::Credit(credit)).await {
            Reply::Credited { order, .. } => Ok(order),
            Reply::NotCredited { reason, .. } => Err(reason),
            other => panic!("{other:?}"),
        }
    }

    pub(super) async fn waiting(&self, channel: &str, due: Amount) -> Vec<u64> {
        let waiting = self.opened.collections.awaiting(channel, due, 10).await;
        ids(&waiting.expect("no fault"))
    }

    pub(super) async fn evidence(&self, key: &EvidenceKey) -> Evidence {
        let found = self.opened.collections.evidence(key).await.expect("no fault");
        found.expect("the evidence is there")
    }

    /// Looks until the list is as expected: lists may lag by a second. Fails after ten.
    async fn expired(&self, now: Timestamp, expected: &[u64]) {
        let started = std::time::Instant::now();
        loop {
            let expired = self.opened.collections.collections_expired(now, 3).await;
            let expired = ids(&expired.expect("no fault"));
            if expired == expected {
                return;
            }
            assert!(started.elapsed().as_secs() < 10, "{expired:?} instead of {expected:?}");
            tokio::task::yield_now().await;
        }
    }
}

pub(crate) async fn a_collection_is_paid_by_evidence<S: Subject>(world: &mut World<S>) {
    let due = Amount::rupiah(10_000);
    let command = open("r1", CHANNEL, due);
    let order = world.opened(command.clone()).await;
    assert_eq!(
        (order.state, world.opened(command).await),
        (OrderState::Awaiting, Arc::clone(&order))
    );
    assert_eq!(world.waiting(CHANNEL, due).await, [1]);
    let evidence = world.recorded(seen("e1", CHANNEL, due)).await;
    world.reopen().await;
    assert_eq!(world.evidence(&evidence.key).await, evidence);
    assert_eq!(world.waiting(CHANNEL, due).await, [1]);
    let paid = world.credited(credit(&order, &evidence)).await.expect("it fits");
    assert_eq!(paid.state, OrderState::Succeeded);
    for reopened in [false, true] {
        if reopened {
            world.reopen().await;
        }
        assert_eq!(world.order(order.id).await, paid);
        let used = world.evidence(&evidence.key).await;
        assert_eq!(used, Evidence { state: EvidenceState::Used(order.id), ..evidence.clone() });
        assert_eq!(world.waiting(CHANNEL, due).await, Vec::<u64>::new());
        let free = world.opened.collections.free_evidence(CHANNEL, due, 10).await;
        assert_eq!(free, Ok(Vec::new()));
        assert_eq!(world.available(TOKO).await, 8000);
        let again = world.credited(credit(&order, &evidence)).await;
        assert_eq!(again.as_ref(), Ok(&paid));
        let moved = world.opened.reports.transfers_of_order(&paid).await.expect("no fault");
        let moved: Vec<_> = moved.iter().map(|it| (it.id.0, it.amount.minor())).collect();
        assert_eq!(moved, [(1, 8200), (2, 200)]);
        let summary = world.audit();
        assert_eq!((summary.transfers, summary.evidence, summary.callbacks), (2, 1, 1));
    }
}

pub(crate) async fn a_collection_ends_unpaid<S: Subject>(world: &mut World<S>) {
    let due = Amount::rupiah(10_000);
    let mut orders = Vec::new();
    for (number, after) in (1..).zip([300, 100, 200, 100, 0]) {
        let at = Timestamp::from_milliseconds(LATER.milliseconds() + after);
        // The last one waits for ever.
        let expires_at = (number != 5).then_some(at);
        let reference = format!("r{number}");
        let opening = OpenCollection { expires_at, ..open(&reference, CHANNEL, due) };
        orders.push(world.opened(opening).await);
    }
    world.expired(LATER, &[]).await;
    world.expired(CLOSED, &[2, 4, 3]).await;
    // Nothing ends before its time, unless something speaks for it.
    for (order, refusal, at, state) in [
        (0, None, LATER, OrderState::Awaiting),
        (0, None, CLOSED, OrderState::Expired),
        (0, Some(Refusal::PaymentAbandoned), CLOSED, OrderState::Expired),
        (1, Some(Refusal::PaymentAbandoned), NOW, OrderState::Failed(Refusal::PaymentAbandoned)),
        (4, None, CLOSED, OrderState::Awaiting),
    ] {
        let command = end(&orders[order], refusal, at);
        let Reply::Ended(ended) = world.reply(Command::EndCollection(command)).await else {
            panic!("not ended");
        };
        assert_eq!(ended.state, state, "order {order} at {at:?}");
        world.reopen().await;
        assert_eq!(world.order(ended.id).await, ended);
    }
    world.expired(CLOSED, &[4, 3]).await;
    assert_eq!(world.waiting(CHANNEL, due).await, [3, 4, 5]);
    let evidence = world.recorded(seen("e1", CHANNEL, due)).await;
    let late = world.credited(credit(&orders[0], &evidence)).await;
    assert_eq!(late, Err(Doubtful::TooLate));
    // By hand, once.
    let act = || {
        Command::Administer(Administer {
            actor: Actor { name: "ana".to_owned(), role: Role::Operator },
            request: None,
            at: CLOSED,
            act: Act::EndCollection(end(&orders[2], Some(Refusal::PaymentFailed), CLOSED)),
        })
    };
    assert!(matches!(world.reply(act()).await, Reply::Administered { .. }));
    assert!(matches!(world.reply(act()).await, Reply::Objected(_)));
    let summary = world.audit();
    assert_eq!((summary.callbacks, summary.transfers, summary.audit_records), (3, 0, 1));
}

pub(crate) async fn what_was_told_is_kept<S: Subject>(world: &mut World<S>) {
    let order = world.opened(open("r1", CHANNEL, Amount::rupiah(10_000))).await;
    let mut stands = order;
    for (number, told) in (1_i64..).zip(sample(&(text(), details()), 24)) {
        let command = Tell {
            particulars: vec![told],
            in_review: Some(number % 2 == 0),
            at: Timestamp::from_milliseconds(NOW.milliseconds() + number),
            ..tell(&stands, None)
        };
        let Reply::Awaited { order, .. } = world.reply(Command::Tell(command)).await else {
            panic!("not awaited");
        };
        stands = order;
        assert_eq!(world.order(stands.id).await, stands);
        if number % 6 == 0 {
            world.reopen().await;
            assert_eq!(world.order(stands.id).await, stands);
        }
    }
    assert!(stands.collecting.as_ref().is_some_and(|it| it.in_review));
}

pub(crate) async fn what_a_payer_named_is_named_once<S: Subject>(world: &mut World<S>) {
    let due = Amount::rupiah(10_000);
    let mut orders = Vec::new();
    for (reference, channel) in [("r1", CHANNEL), ("r2", CHANNEL), ("r3", "bank-bca")] {
        orders.push(world.opened(open(reference, channel, due)).await);
    }
    let named = |order: usize, text| Command::Tell(tell(&orders[order], Some(text)));
    let taken = Err(Refusal::PayerReferenceUsed);
    let claims =
        all([named(0, "TX-1"), named(1, "TX-1"), named(0, "TX-1")]
            .map(|command| world.answer(command)))
        .await;
    assert!(claims[0].is_ok() && claims[1] == taken && claims[2].is_ok(), "{claims:?}");
    for _ in 0..2 {
        assert_eq!(world.answer(named(1, "TX-1")).await, taken);
        world.reply(named(0, "TX-1")).await;
        // Another channel, another name.
        world.reply(named(2, "TX-1")).await;
        world.reply(named(1, "tx-1")).await;
        world.reply(named(1, "")).await;
        assert_eq!(world.answer(named(0, "")).await, taken);
        world.audit();
        world.reopen().await;
    }
}

pub(crate) async fn who_waits_is_found_by_what_is_due<S: Subject>(world: &mut World<S>) {
    let rupiah = Amount::rupiah;
    let baht = Amount::new(10_000, Currency::Thb).expect("not negative");
    let table = [
        (CHANNEL, rupiah(10_000)),
        (CHANNEL, rupiah(10_001)),
        ("bank-bca", rupiah(10_000)),
        (CHANNEL, baht),
        (CHANNEL, rupiah(10_000)),
    ];
    for (number, (channel, due)) in (1..).zip(table) {
        // Whoever asks next finds it, without any delay.
        let reference = format!("r{number}");
        let order = world.opened(open(&reference, channel, due)).await;
        assert_eq!(world.waiting(channel, due).await.last(), Some(&order.id.0));
    }
    assert_eq!(world.waiting(CHANNEL, rupiah(10_000)).await, [1, 5]);
    assert_eq!(world.waiting(CHANNEL, baht).await, [4]);
    assert_eq!(world.waiting("bank-bca", rupiah(10_000)).await, [3]);
    assert_eq!(world.waiting("bank", rupiah(10_000)).await, Vec::<u64>::new());
    let one = world.opened.collections.awaiting(CHANNEL, rupiah(10_000), 1).await;
    assert_eq!(ids(&one.expect("no fault")), [1]);
}

pub(crate) async fn collections_come_back_as_they_were<S: Subject>(world: &mut World<S>) {
    let mut opened = Vec::new();
    for (number, mut opening) in sample(&opening(), 64).into_iter().enumerate() {
        let unique = format!("{}{number}", opening.request.key.reference);
        opening.request.key.reference = Reference::new(unique);
        let order = world.opened(opening).await;
        opened.push(if number % 2 == 0 {
            order
        } else {
            let currency = order.collecting.as_ref().expect("one").gross.currency();
            let command =
                EndCollection { currency, ..end(&order, Some(Refusal::PaymentFailed), NOW) };
            match world.reply(Command::EndCollection(command)).await {
                Reply::Ended(order) => order,
                other => panic!("{other:?}"),
            }
        });
    }
    for reopened in [false, true] {
        if reopened {
            world.reopen().await;
        }
        for order in &opened {
            assert_eq!(&world.order(order.id).await, order);
            let collecting = order.collecting.as_ref().expect("one");
            let waiting =
                world.opened.collections.awaiting(&collecting.channel, collecting.due, 99);
            let waiting = ids(&waiting.await.expect("no fault"));
            assert_eq!(waiting.contains(&order.id.0), order.state == OrderState::Awaiting);
        }
    }
}
