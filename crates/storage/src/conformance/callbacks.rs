//! News that is owed, and what comes of handing it over.

use std::time::Duration;

use domain::administration::{Act, Actor, Administer, Effect, Objection, Role};
use domain::callback::{Delivery as Try, Event, Received, Rendered};
use domain::command::{Buy, Lease, RecordDelivery, Wanted};
use domain::{Callback, CallbackId, CallbackState, Endpoint, EndpointKey, OrderState, Secret};
use gateway::ports::{Backlog, CallbackFilter};

use super::arbitrary::{received, rendered, sample, took};
use super::purchases::buy;
use super::*;

const OURS: ProcessId = ProcessId(u64::MAX);
const THEIRS: ProcessId = ProcessId(1);

fn later(seconds: u64) -> Timestamp {
    ASK_AT.after(Duration::from_secs(seconds))
}

fn body(text: &str) -> Arc<Rendered> {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Arc::new(Rendered { headers, body: text.as_bytes().to_vec() })
}

/// Leases callbacks that would say this.
fn lease(ids: &[u64], says: &str, owner: ProcessId, at: Timestamp) -> Lease {
    let wanted =
        ids.iter().map(|id| Wanted { callback: CallbackId(*id), rendered: Some(body(says)) });
    let until = at.after(Duration::from_secs(30));
    Lease { wanted: wanted.collect(), owner, at, until, take_over: false }
}

fn endpoint_key(merchant: MerchantId) -> EndpointKey {
    EndpointKey { merchant, protocol: ProtocolName::new("iak") }
}

fn tried(id: u64, at: Timestamp, status: u16, retry: Option<Timestamp>) -> RecordDelivery {
    RecordDelivery {
        callback: CallbackId(id),
        owner: OURS,
        endpoint: endpoint_key(TOKO),
        at,
        took: Duration::from_millis(40),
        received: Received::Answered { status, excerpt: format!("status {status}") },
        retry,
    }
}

impl<S: Subject> World<S> {
    /// An order that was delivered at [`ASK_AT`], with callbacks to the merchant's address and its
    /// own as wanted.
    async fn ended(&self, buy: Buy) -> Arc<Order> {
        let order = match self.reply(Command::Buy(buy)).await {
            Reply::Accepted { order, .. } => order,
            other => panic!("{other:?}"),
        };
        match self.reply(resolve(&order, delivered(90))).await {
            Reply::Resolved { order, .. } => order,
            other => panic!("{other:?}"),
        }
    }

    async fn leased(&self, lease: Lease) -> Vec<Callback> {
        match self.reply(Command::Lease(lease)).await {
            Reply::Leased(leased) => leased,
            other => panic!("{other:?}"),
        }
    }

    async fn record(&self, record: RecordDelivery) -> (Callback, bool) {
        match self.reply(Command::RecordDelivery(record)).await {
            Reply::DeliveryRecorded { callback, stopped } => (callback, stopped),
            other => panic!("{other:?}"),
        }
    }

    async fn callback(&self, id: u64) -> Callback {
        let found = self.opened.callbacks.callback(CallbackId(id)).await.expect("no fault");
        found.expect("the callback is there")
    }

    async fn tries(&self, id: u64) -> Vec<Try> {
        self.opened.callbacks.deliveries(CallbackId(id)).await.expect("no fault")
    }

    /// Looks until it finds as many as are due: lists may lag by a second. Fails after ten.
    async fn due(&self, now: Timestamp, expected: &[u64]) {
        let started = std::time::Instant::now();
        loop {
            let due = self.opened.callbacks.callbacks_due(now, None, 100, 100).await;
            let due: Vec<_> = due.expect("no fault").iter().map(|it| it.id.0).collect();
            if due == expected {
                return;
            }
            assert!(started.elapsed().as_secs() < 10, "{due:?} instead of {expected:?}");
            tokio::task::yield_now().await;
        }
    }

    async fn backlog(&self, expected: Backlog) {
        let started = std::time::Instant::now();
        loop {
            let backlog = self.opened.callbacks.callback_backlog().await.expect("no fault");
            if backlog == expected {
                return;
            }
            assert!(started.elapsed().as_secs() < 10, "{backlog:?} instead of {expected:?}");
            tokio::task::yield_now().await;
        }
    }
}

/// A purchase whose merchant is called back.
fn called_back(merchant: MerchantId, reference: &str) -> Buy {
    let mut bought = buy(key(merchant, reference), Amount::rupiah(100));
    bought.request.calls_back = true;
    bought
}

pub(crate) async fn an_end_is_owed_in_the_commit_that_makes_it<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 1000).await;
    let mut twice = called_back(TOKO, "r1");
    twice.request.callback_url = Some("https://toko.example/r1".to_owned());
    let done = world.ended(twice).await;
    assert_eq!(done.callbacks, [CallbackId(1), CallbackId(2)]);
    let Reply::Accepted { order: failed, .. } =
        world.reply(Command::Buy(called_back(TOKO, "r2"))).await
    else {
        panic!("not accepted");
    };
    world.due(LATER, &[1, 2]).await;
    world.reply(resolve(&failed, Outcome::Refused(Refusal::PaymentFailed))).await;
    for reopened in [false, true] {
        if reopened {
            world.reopen().await;
        }
        assert_eq!(world.order(done.id).await, done);
        let table = [(1, &done, false, 900), (2, &done, true, 900), (3, &failed, false, 900)];
        for (id, order, to_own_address, balance) in table {
            let callback = world.callback(id).await;
            let event = if order.id == failed.id { Event::Failed } else { Event::Succeeded };
            assert_eq!((callback.order, callback.event), (order.id, event));
            assert_eq!((callback.to_own_address, callback.rendered), (to_own_address, None));
            assert_eq!(callback.balance, Amount::rupiah(balance));
            assert_eq!(callback.state, CallbackState::Waiting { due: ASK_AT });
        }
        world.due(ASK_AT, &[1, 2, 3]).await;
        world.backlog(Backlog { open: 3, since: Some(ASK_AT) }).await;
        assert_eq!(world.audit().callbacks, 3);
    }
    // Nothing is owed where nobody wants to know.
    world.ended(buy(key(TOKO, "r3"), Amount::rupiah(100))).await;
    assert_eq!(world.opened.callbacks.callback(CallbackId(4)).await, Ok(None));
    assert_eq!(world.opened.callbacks.callback(CallbackId(u64::MAX)).await, Ok(None));
    assert_eq!(world.opened.callbacks.deliveries(CallbackId(u64::MAX)).await, Ok(Vec::new()));
}

pub(crate) async fn a_callback_is_leased_and_tried_until_it_is_delivered<S: Subject>(
    world: &mut World<S>,
) {
    world.fund(TOKO, "f1", 1000).await;
    world.ended(called_back(TOKO, "r1")).await;
    let leased = world.leased(lease(&[1], "first", OURS, ASK_AT)).await;
    assert_eq!(leased.len(), 1);
    assert_eq!(leased[0].rendered, Some(body("first")));
    assert_eq!(leased[0].state, CallbackState::Leased { owner: OURS, until: later(30) });
    assert_eq!(world.callback(1).await, leased[0]);
    world.due(later(29), &[]).await;
    world.due(later(30), &[1]).await;
    world.reopen().await;
    assert_eq!(world.callback(1).await, leased[0]);

    let (waiting, stopped) = world.record(tried(1, ASK_AT, 503, Some(later(300)))).await;
    assert_eq!(waiting.state, CallbackState::Waiting { due: later(300) });
    assert_eq!((waiting.tries, stopped), (1, false));
    world.due(later(299), &[]).await;
    world.reopen().await;
    assert_eq!(world.callback(1).await, waiting);

    let again = world.leased(lease(&[1], "second", OURS, later(300))).await;
    assert_eq!(again[0].rendered, Some(body("first")), "what was kept stands");
    let (given, _) = world.record(tried(1, later(301), 204, None)).await;
    assert_eq!((given.state, given.tries), (CallbackState::Delivered, 2));
    for reopened in [false, true] {
        if reopened {
            world.reopen().await;
        }
        assert_eq!(world.callback(1).await, given);
        world.due(LATER, &[]).await;
        world.backlog(Backlog::default()).await;
        let tries = world.tries(1).await;
        let numbers: Vec<_> = tries.iter().map(|it| (it.number, it.at)).collect();
        assert_eq!(numbers, [(1, ASK_AT), (2, later(301))]);
        assert_eq!(tries[0].received, tried(1, ASK_AT, 503, None).received);
        assert_eq!(tries[0].took, Duration::from_millis(40));
        world.audit();
    }
}

pub(crate) async fn a_lease_is_for_one_process<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 10_000).await;
    for number in 1..=5 {
        world.ended(called_back(TOKO, &format!("r{number}"))).await;
    }
    let ids = [1, 2, 3, 4, 5];
    let leases =
        [OURS, THEIRS, OURS, THEIRS].map(|owner| world.leased(lease(&ids, "news", owner, ASK_AT)));
    let taken = all(leases).await;
    assert_eq!(taken.iter().map(Vec::len).collect::<Vec<_>>(), [5, 0, 0, 0]);
    world.record(tried(2, ASK_AT, 200, None)).await;
    world.reopen().await;
    let mut leased = Vec::new();
    let mut after = CallbackId(0);
    loop {
        let page = world.opened.callbacks.callbacks_leased(after, 3).await.expect("no fault");
        let Some(last) = page.last() else { break };
        after = last.id;
        leased.extend(page.iter().map(|callback| callback.id.0));
    }
    assert_eq!(leased, [1, 3, 4, 5]);
    let beyond = world.opened.callbacks.callbacks_leased(CallbackId(u64::MAX), 3).await;
    assert_eq!(beyond, Ok(Vec::new()));
    // A process that knows that the other has ended need not wait for its leases to run out.
    let polite = world.leased(lease(&ids, "news", THEIRS, later(1))).await;
    assert_eq!(polite, []);
    let taking = Lease { take_over: true, ..lease(&ids, "news", THEIRS, later(1)) };
    assert_eq!(world.leased(taking).await.len(), 4);
    // The other may yet tell what came of it. Only a success changes anything.
    let (late, _) = world.record(tried(1, later(2), 500, None)).await;
    assert!(matches!(late.state, CallbackState::Leased { owner: THEIRS, .. }), "{late:?}");
    let (late, _) = world.record(tried(3, later(2), 200, None)).await;
    assert_eq!(late.state, CallbackState::Delivered);
}

fn by_ana(act: Act) -> Command {
    Command::Administer(Administer {
        actor: Actor { name: "ana".to_owned(), role: Role::Administrator },
        request: None,
        at: later(500),
        act,
    })
}

pub(crate) async fn a_receiver_that_is_gone_stops_its_address<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 1000).await;
    let endpoint = Endpoint {
        key: endpoint_key(TOKO),
        url: "https://toko.example".to_owned(),
        secret: Secret::new("whsec_canary"),
        stopped_at: None,
    };
    world.reply(Command::PutEndpoint(endpoint.clone())).await;
    for number in 1..=2 {
        world.ended(called_back(TOKO, &format!("r{number}"))).await;
    }
    world.leased(lease(&[1, 2], "news", OURS, ASK_AT)).await;
    let (gone, stopped) = world.record(tried(1, later(1), 410, Some(later(300)))).await;
    assert_eq!((gone.state, stopped), (CallbackState::GivenUp, true));
    let read = world.opened.reports.catalogue().await.expect("no fault");
    let stopped_at = read.endpoint(&endpoint.key).expect("there").stopped_at;
    assert_eq!(stopped_at, Some(later(1)));
    world.reopen().await;
    // It is stopped once.
    let (_, stopped) = world.record(tried(2, later(2), 410, None)).await;
    assert!(!stopped);
    let read = world.opened.reports.catalogue().await.expect("no fault");
    let read = read.endpoint(&endpoint.key).expect("there");
    assert_eq!(**read, Endpoint { stopped_at, ..endpoint });
}

pub(crate) async fn a_callback_that_was_given_up_is_sent_again<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 1000).await;
    world.ended(called_back(TOKO, "r1")).await;
    world.leased(lease(&[1], "news", OURS, ASK_AT)).await;
    let resend = || by_ana(Act::ResendCallback { callback: CallbackId(1) });
    let in_flight = Reply::Objected(Objection::CallbackInFlight);
    let Command::Administer(mut at_once) = resend() else { panic!("not an act") };
    at_once.at = later(1);
    assert_eq!(world.reply(Command::Administer(at_once)).await, in_flight);
    world.record(tried(1, later(1), 500, None)).await;
    world.due(LATER, &[]).await;
    world.reopen().await;
    let Reply::Administered { effect, .. } = world.reply(resend()).await else {
        panic!("not sent again");
    };
    assert_eq!(effect, Effect::Resent(CallbackId(1)));
    let waiting = world.callback(1).await;
    assert_eq!((waiting.tries, waiting.tries_in_round), (1, 0));
    world.due(later(500), &[1]).await;
    let leased = world.leased(lease(&[1], "other", OURS, later(500))).await;
    assert_eq!(leased[0].rendered, Some(body("news")));
    let unknown = world.reply(by_ana(Act::ResendCallback { callback: CallbackId(2) })).await;
    assert_eq!(unknown, Reply::Objected(Objection::CallbackUnknown));
}

pub(crate) async fn due_callbacks_come_address_by_address<S: Subject>(world: &mut World<S>) {
    // Who, in which protocol, and how much later than the others it is due; numbered from 1.
    let owed = [
        (WARUNG, "iak", 0),
        (TOKO, "iak", 60),
        (TOKO, "iak", 0),
        (TOKO, "isikuota", 0),
        (MerchantId(0), "", 0),
        (TOKO, "iak", 30),
        (WARUNG, "ilenpay", 900),
        (MerchantId(u32::MAX), "iak", 0),
        (WARUNG, "iak", 0),
    ];
    for (number, (merchant, protocol, after)) in (1..).zip(owed) {
        world.fund(merchant, &format!("f{number}"), 100).await;
        let mut bought = called_back(merchant, &format!("r{number}"));
        bought.request.key.protocol = ProtocolName::new(protocol);
        world.ended(bought).await;
        if after > 0 {
            world.leased(lease(&[number], "news", OURS, ASK_AT)).await;
            let mut record = tried(number, ASK_AT, 500, Some(later(after)));
            record.endpoint.merchant = merchant;
            world.record(record).await;
        }
    }
    world.due(later(0), &[5, 3, 4, 1, 9, 8]).await;
    world.due(later(30), &[5, 3, 6, 4, 1, 9, 8]).await;
    world.due(later(1000), &[5, 3, 6, 2, 4, 1, 9, 7, 8]).await;
    let reports = Arc::clone(&world.opened.callbacks);
    let after = |merchant, protocol: &str| {
        Some(EndpointKey { merchant, protocol: ProtocolName::new(protocol) })
    };
    // after, how many addresses, how many of each
    let table: [(Option<EndpointKey>, u32, u32, &[u64]); 9] = [
        (None, 100, 1, &[5, 3, 4, 1, 8]),
        (None, 2, 2, &[5, 3, 6]),
        (None, 0, 2, &[]),
        (after(MerchantId(0), ""), 1, 100, &[3, 6]),
        (after(TOKO, "iak"), 1, 100, &[4]),
        (after(TOKO, "iak2"), 1, 100, &[4]),
        // An address with nothing due is passed over and not counted.
        (after(WARUNG, "iak"), 1, 100, &[8]),
        (after(MerchantId(u32::MAX), "iak"), 100, 100, &[]),
        (after(TOKO, ""), 100, 1, &[3, 4, 1, 8]),
    ];
    for (after, endpoints, each, expected) in table {
        let due = reports.callbacks_due(later(30), after.as_ref(), endpoints, each).await;
        let due: Vec<_> = due.expect("no fault").iter().map(|it| it.id.0).collect();
        assert_eq!(due, expected, "{after:?} {endpoints} {each}");
    }
    world.backlog(Backlog { open: 9, since: Some(ASK_AT) }).await;
}

pub(crate) async fn callbacks_are_browsed_newest_first<S: Subject>(world: &mut World<S>) {
    for number in 1..=3 {
        for merchant in [TOKO, WARUNG] {
            world.fund(merchant, &format!("f{number}"), 100).await;
            world.ended(called_back(merchant, &format!("r{number}"))).await;
        }
    }
    world.leased(lease(&[3], "news", OURS, ASK_AT)).await;
    world.record(tried(3, ASK_AT, 200, None)).await;
    world.reopen().await;
    let any = CallbackFilter::default;
    let state = |name: &str| Some(name.to_owned());
    let table: [(CallbackFilter, &[u64]); 7] = [
        (any(), &[6, 5, 4, 3, 2, 1]),
        (CallbackFilter { merchant: Some(WARUNG), ..any() }, &[6, 4, 2]),
        (CallbackFilter { order: Some(OrderId(4)), ..any() }, &[4]),
        (CallbackFilter { order: Some(OrderId(u64::MAX)), ..any() }, &[]),
        (CallbackFilter { state: state("delivered"), ..any() }, &[3]),
        (CallbackFilter { state: state("waiting"), merchant: Some(TOKO), ..any() }, &[5, 1]),
        (CallbackFilter { state: state("lost"), ..any() }, &[]),
    ];
    for (filter, expected) in table {
        let mut found = Vec::new();
        let mut before = None;
        loop {
            let page = world.opened.callbacks.callbacks(&filter, before, 2).await;
            let page = page.expect("no fault");
            found.extend(page.items.iter().map(|callback| callback.id.0));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{filter:?}");
    }
}

pub(crate) async fn what_is_sent_comes_back_byte_for_byte<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 100_000).await;
    let (rendered, received) = (sample(&rendered(), 48), sample(&(received(), took()), 48));
    let mut stood = Vec::new();
    for (id, (rendered, (received, took))) in (1..).zip(rendered.into_iter().zip(received)) {
        let ended = world.ended(called_back(TOKO, &format!("r{id}"))).await;
        assert_eq!(
            (ended.state, &ended.callbacks[..]),
            (OrderState::Succeeded, &[CallbackId(id)][..])
        );
        let rendered = Some(Arc::new(rendered));
        let mut lease = lease(&[id], "", OURS, ASK_AT);
        lease.wanted[0].rendered.clone_from(&rendered);
        world.leased(lease).await;
        let retry = (id % 2 == 0).then_some(later(id));
        let record = RecordDelivery { received, took, ..tried(id, ASK_AT, 0, retry) };
        let (callback, _) = world.record(record.clone()).await;
        assert_eq!(callback.rendered, rendered);
        stood.push((callback, record));
    }
    for reopened in [false, true] {
        if reopened {
            world.reopen().await;
        }
        for (callback, record) in &stood {
            assert_eq!(&world.callback(callback.id.0).await, callback);
            let tries = world.tries(callback.id.0).await;
            let RecordDelivery { at, took, received, .. } = record.clone();
            let expected = Try { callback: callback.id, number: 1, at, took, received };
            assert_eq!(tries, [expected]);
        }
    }
}
