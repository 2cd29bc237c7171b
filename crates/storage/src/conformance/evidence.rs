//! Evidence of money that came in, and what becomes of it.

use domain::administration::{Act, Actor, Administer, Effect, NamedRequest, Objection, Role};
use domain::command::{Release, Suspend};
use domain::evidence::Doubtful;
use domain::{Evidence, EvidenceKey, EvidenceState, Merchant, OrderState, Repetition};

use super::collections::{CHANNEL, credit, open, seen};
use super::*;

pub(crate) fn suspend(evidence: &Evidence, reason: Doubtful) -> Command {
    Command::Suspend(Suspend {
        evidence: evidence.key.clone(),
        channel: (evidence.channel.clone(), evidence.amount.currency()),
        reason,
        at: ASK_AT,
    })
}

impl<S: Subject> World<S> {
    async fn suspended(&self, evidence: &Evidence, reason: Doubtful) -> Evidence {
        match self.reply(suspend(evidence, reason)).await {
            Reply::Suspended { evidence, .. } => evidence,
            other => panic!("{other:?}"),
        }
    }

    async fn free(&self, amount: Amount) -> Vec<Evidence> {
        self.opened.collections.free_evidence(CHANNEL, amount, 10).await.expect("no fault")
    }
}

fn by_ana(request: &str, act: Act) -> Command {
    Command::Administer(Administer {
        actor: Actor { name: "ana".to_owned(), role: Role::Administrator },
        request: Some(NamedRequest { text: request.to_owned(), fingerprint: [1; 32] }),
        at: LATER,
        act,
    })
}

fn release(evidence: &Evidence, merchant: Option<MerchantId>) -> Act {
    Act::Release(Release {
        evidence: evidence.key.clone(),
        channel: (evidence.channel.clone(), evidence.amount.currency()),
        merchant,
        reason: "called us".to_owned(),
        at: LATER,
    })
}

pub(crate) async fn evidence_is_recorded_once<S: Subject>(world: &mut World<S>) {
    let amount = Amount::rupiah(10_000);
    let evidence = world.recorded(seen("e1", CHANNEL, amount)).await;
    for reopened in [false, true] {
        if reopened {
            world.reopen().await;
        }
        // Whatever is said of it later, the first report stands.
        let other =
            Evidence { sender: "somebody".to_owned(), ..seen("e1", "x", Amount::rupiah(1)) };
        assert_eq!(world.recorded(other).await, evidence);
        assert_eq!(world.evidence(&evidence.key).await, evidence);
        assert_eq!(world.free(amount).await.iter().collect::<Vec<_>>(), [&evidence]);
        assert_eq!(world.audit().evidence, 1);
    }
    let same_id = EvidenceKey { source: "sim-2".to_owned(), ..evidence.key.clone() };
    assert_eq!(world.opened.collections.evidence(&same_id).await, Ok(None));
    assert_eq!(world.free(Amount::rupiah(1)).await, []);
    let nothing = world.opened.collections.free_evidence("x", amount, 10).await;
    assert_eq!(nothing, Ok(Vec::new()));
}

pub(crate) async fn evidence_that_fits_nothing_is_released<S: Subject>(world: &mut World<S>) {
    let amount = Amount::rupiah(10_000);
    let merchant = Merchant {
        id: TOKO,
        name: "Toko".to_owned(),
        currency: Currency::Idr,
        level: domain::Level("retail".to_owned()),
        status: domain::MerchantStatus::Active,
        addresses: Vec::new(),
        rate_limit: None,
        repetition: Repetition::Free,
    };
    world.reply(Command::PutMerchant(merchant)).await;
    let mut suspended = Vec::new();
    for (id, reason) in [("e1", Doubtful::NoOrder), ("e2", Doubtful::SeveralOrders)] {
        let evidence = world.recorded(seen(id, CHANNEL, amount)).await;
        let on_suspense = world.suspended(&evidence, reason).await;
        let EvidenceState::Suspended { reason: noted, .. } = on_suspense.state else {
            panic!("{on_suspense:?}");
        };
        assert_eq!(noted, reason);
        world.reopen().await;
        assert_eq!(world.evidence(&evidence.key).await, on_suspense);
        // It is suspended once.
        assert_eq!(world.suspended(&evidence, Doubtful::TooLate).await, on_suspense);
        suspended.push(on_suspense);
    }
    assert_eq!(world.free(amount).await, suspended);
    let suspense = account(AccountRole::Suspense);
    let before = world.account(&suspense).await.expect("there").counters;
    assert_eq!(before.credits_posted, 20_000);
    for (evidence, receiver) in suspended.iter().zip([Some(TOKO), None]) {
        let act = by_ana(&evidence.key.id, release(evidence, receiver));
        let first = world.reply(act.clone()).await;
        let Reply::Administered { audit, effect, repeated: false } = first else {
            panic!("{first:?}");
        };
        let released = Evidence { state: EvidenceState::Released(receiver), ..evidence.clone() };
        assert_eq!(effect, Effect::Released(released.clone()));
        world.reopen().await;
        let again = world.reply(act).await;
        assert_eq!(again, Reply::Administered { audit, effect, repeated: true });
        assert_eq!(world.evidence(&evidence.key).await, released);
        let twice = world.reply(by_ana("twice", release(evidence, receiver))).await;
        assert_eq!(twice, Reply::Objected(Objection::EvidenceNotSuspended));
    }
    assert_eq!(world.free(amount).await, []);
    assert_eq!(world.available(TOKO).await, 10_000);
    let after = world.account(&suspense).await.expect("there").counters;
    assert_eq!(after.debits_posted, 20_000);
    assert_eq!(world.audit().fundings, 1);
}

pub(crate) async fn suspended_evidence_pays_after_all<S: Subject>(world: &mut World<S>) {
    let amount = Amount::rupiah(10_000);
    let order = world.opened(open("r1", CHANNEL, amount)).await;
    let evidence = world.recorded(seen("e1", CHANNEL, amount)).await;
    world.suspended(&evidence, Doubtful::SeveralOrders).await;
    world.reopen().await;
    let reply = world.reply(by_ana("assign", Act::Assign(credit(&order, &evidence)))).await;
    assert!(matches!(reply, Reply::Administered { repeated: false, .. }), "{reply:?}");
    for reopened in [false, true] {
        if reopened {
            world.reopen().await;
        }
        let paid = world.order(order.id).await;
        assert_eq!(paid.state, OrderState::Succeeded);
        let used = world.evidence(&evidence.key).await;
        assert_eq!(used.state, EvidenceState::Used(order.id));
        let moved = world.opened.reports.transfers_of_order(&paid).await.expect("no fault");
        // Back from suspense, to the merchant, and the fee.
        let moved: Vec<_> = moved.iter().map(|it| (it.id.0, it.amount.minor())).collect();
        assert_eq!(moved, [(2, 10_000), (3, 8200), (4, 200)]);
        assert_eq!(world.available(TOKO).await, 8000);
        world.audit();
    }
    let other = world.opened(open("r2", CHANNEL, amount)).await;
    let misfit = world.reply(by_ana("misfit", Act::Assign(credit(&other, &evidence)))).await;
    assert!(matches!(misfit, Reply::Objected(Objection::EvidenceMisfit(_))), "{misfit:?}");
}

/// Two orders wait for the same, and one piece of evidence comes in.
pub(crate) async fn evidence_pays_one_order<S: Subject>(world: &mut World<S>) {
    let amount = Amount::rupiah(10_000);
    let mut orders = Vec::new();
    for number in 0..8 {
        orders.push(world.opened(open(&number.to_string(), CHANNEL, amount)).await);
    }
    let evidence = world.recorded(seen("e1", CHANNEL, amount)).await;
    let credits = orders.iter().map(|order| world.credited(credit(order, &evidence)));
    let paid = all(credits).await;
    assert_eq!(paid.iter().filter(|it| it.is_ok()).count(), 1, "{paid:?}");
    assert_eq!(world.available(TOKO).await, 8000);
    for (second, reason) in [
        (Amount::rupiah(9999), Doubtful::TooLittle),
        (Amount::rupiah(10_001), Doubtful::TooMuch),
        (Amount::new(10_000, Currency::Thb).expect("not negative"), Doubtful::NoOrder),
    ] {
        let evidence = world.recorded(seen(&format!("{second:?}"), CHANNEL, second)).await;
        assert_eq!(world.credited(credit(&orders[7], &evidence)).await, Err(reason));
    }
    assert_eq!(world.audit().evidence, 4);
}

pub(crate) async fn evidence_is_listed_in_parts<S: Subject>(world: &mut World<S>) {
    let amount = Amount::rupiah(10_000);
    let names = [("", ""), ("bank", "1"), ("bank", "10"), ("bank", "2"), ("sim", ""), ("sim", "1")];
    let mut recorded = Vec::new();
    // Not in the order in which they are listed.
    for index in [3, 0, 5, 1, 4, 2] {
        let (source, id) = names[index];
        let key = EvidenceKey { source: source.to_owned(), id: id.to_owned() };
        let evidence = Evidence { key, ..seen("", CHANNEL, amount) };
        recorded.push((index, world.recorded(evidence).await));
    }
    recorded.sort_by_key(|(index, _)| *index);
    let order = world.opened(open("r1", CHANNEL, amount)).await;
    world.credited(credit(&order, &recorded[1].1)).await.expect("it fits");
    for index in [2, 3, 5] {
        world.suspended(&recorded[index].1, Doubtful::NoOrder).await;
    }
    world.reply(by_ana("release", release(&recorded[5].1, None))).await;
    world.reopen().await;
    let table: [(Option<&str>, &[usize]); 6] = [
        (None, &[0, 1, 2, 3, 4, 5]),
        (Some("open"), &[0, 4]),
        (Some("used"), &[1]),
        (Some("suspended"), &[2, 3]),
        (Some("released"), &[5]),
        (Some("lost"), &[]),
    ];
    for (state, expected) in table {
        for limit in [1, 2, 10] {
            let mut found = Vec::new();
            let mut after = None;
            loop {
                let reports = &world.opened.collections;
                let page = reports.evidence_list(state, after.as_ref(), limit).await;
                let page = page.expect("no fault");
                found.extend(page.items.iter().map(|it| it.key.clone()));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            let expected: Vec<_> = expected.iter().map(|it| recorded[*it].1.key.clone()).collect();
            assert_eq!(found, expected, "{state:?} by {limit}");
        }
    }
    // What is open is found as soon as it is recorded.
    let latest = EvidenceKey { source: "sim".to_owned(), id: "2".to_owned() };
    world.recorded(Evidence { key: latest.clone(), ..seen("", CHANNEL, amount) }).await;
    let reports = &world.opened.collections;
    let first = reports.open_evidence(None, 2).await.expect("no fault");
    let keys: Vec<_> = first.items.iter().map(|it| it.key.clone()).collect();
    assert_eq!(keys, [recorded[0].1.key.clone(), recorded[4].1.key.clone()]);
    let rest = reports.open_evidence(first.next.as_ref(), 2).await.expect("no fault");
    let keys: Vec<_> = rest.items.iter().map(|it| it.key.clone()).collect();
    assert_eq!((keys, rest.next), (vec![latest], None));
}
