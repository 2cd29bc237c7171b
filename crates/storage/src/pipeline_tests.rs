use std::pin::{Pin, pin};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::task::{Context, Poll, Waker};

use domain::posting::Direction;
use domain::{AccountKey, Amount, Currency, Order, OrderId, OrderState, Outcome, Refusal, Reply};

use super::*;
use crate::conformance::{TOKO, accept, all, decline, delivered, fund, key, quote, resolve};
use crate::memory::{Call, Hook, MemoryEngine, Tables, locked};

type Shared = Arc<Mutex<Tables>>;

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}

fn start(tables: &Shared, options: Options, hook: Hook) -> Pipeline {
    Pipeline::start(MemoryEngine::new(tables, hook), options).expect("a thread")
}

fn credit(reference: &str) -> Command {
    fund(TOKO, reference, Direction::Credit, Amount::rupiah(1000))
}

fn quoted(reference: &str) -> Command {
    quote(key(TOKO, reference), Amount::rupiah(100))
}

/// Hands a command over now, to be waited for later.
fn begin<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(polled.is_pending(), "the command was answered at once");
    future
}

/// The answer of a command that is not even queued.
fn at_once<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the command is waiting"),
    }
}

/// Holds the writer up at its first call, until the other end is dropped.
fn gate() -> (Hook, Receiver<()>, Sender<()>) {
    gate_before(Box::new(|_| Ok(())))
}

fn gate_before(mut then: Hook) -> (Hook, Receiver<()>, Sender<()>) {
    let (enter, entered) = channel();
    let (open, opened) = channel();
    let mut passed = false;
    let hook: Hook = Box::new(move |call| {
        if !passed {
            passed = true;
            enter.send(()).expect("the test waits");
            let _ = opened.recv();
        }
        then(call)
    });
    (hook, entered, open)
}

/// Counts the calls of a kind.
fn counting(count: &Arc<AtomicUsize>, counts: impl Fn(&Call<'_>) -> bool + Send + 'static) -> Hook {
    let count = Arc::clone(count);
    Box::new(move |call| {
        if counts(&call) {
            count.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    })
}

#[test]
fn whatever_waits_shares_a_commit_and_an_account_is_written_once() {
    let saved = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&saved);
    let (hook, entered, open) = gate_before(Box::new(move |call| {
        if let Call::Save(changes) = call {
            let rows = (changes.accounts.len(), changes.transfers.len(), changes.orders.len());
            recorded.lock().expect("not poisoned").push(rows);
        }
        Ok(())
    }));
    let tables = Shared::default();
    let pipeline = start(&tables, Options { batch: 64, ..Options::default() }, hook);
    block_on(async {
        let first = begin(pipeline.execute(credit("first"), None));
        entered.recv().expect("the writer is at work");
        let references: Vec<_> = (0..100).map(|number| number.to_string()).collect();
        let waiting = references.iter().map(|it| begin(pipeline.execute(credit(it), None)));
        let waiting: Vec<_> = waiting.collect();
        drop(open);
        assert!(matches!(first.await, Ok(Ok(Reply::Funded { .. }))));
        for answer in all(waiting).await {
            assert!(matches!(answer, Ok(Ok(Reply::Funded { .. }))), "{answer:?}");
        }
        pipeline.shutdown().await;
    });
    assert_eq!(*saved.lock().expect("not poisoned"), [(2, 1, 0), (2, 64, 0), (2, 36, 0)]);
    assert_eq!(locked(&tables).audit().expect("in order").transfers, 101);
}

#[test]
fn an_order_is_written_once_however_often_it_changes() {
    let saved = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&saved);
    let (hook, entered, open) = gate_before(Box::new(move |call| {
        if let Call::Save(changes) = call {
            let rows = (changes.new_orders.len(), changes.orders.len());
            recorded.lock().expect("not poisoned").push(rows);
        }
        Ok(())
    }));
    let tables = Shared::default();
    let pipeline = start(&tables, Options::default(), hook);
    block_on(async {
        let first = begin(pipeline.execute(credit("f1"), None));
        entered.recv().expect("the writer is at work");
        // The number of the order is known before it is given: the first is 1.
        let order = first_order();
        let commands = [
            quoted("r1"),
            accept(&order),
            resolve(&order, delivered(90)),
            resolve(&order, delivered(90)),
        ];
        let waiting: Vec<_> =
            commands.into_iter().map(|it| begin(pipeline.execute(it, None))).collect();
        drop(open);
        first.await.expect("no fault").expect("no refusal");
        for answer in all(waiting).await {
            answer.expect("no fault").expect("no refusal");
        }
        pipeline.shutdown().await;
    });
    assert_eq!(*saved.lock().expect("not poisoned"), [(0, 0), (1, 0)]);
    let tables = locked(&tables);
    assert_eq!(tables.orders[&OrderId(1)].state, OrderState::Succeeded);
    assert_eq!(tables.audit().expect("in order").orders, 1);
}

/// What the first order is when it is [`quoted`] as `r1`.
fn first_order() -> Order {
    let command = quoted("r1");
    let tables = Shared::default();
    let mut working_set = WorkingSet::new(LastNumbers::default());
    let mut keys = Keys::default();
    command.add_keys(&mut keys);
    MemoryEngine::new(&tables, Box::new(|_| Ok(()))).load(&keys, &mut working_set).expect("loaded");
    let decision = decide(&working_set, &command).expect("no fault");
    match decision.answer {
        Ok(Reply::Inquired { order, .. }) => Order::clone(&order),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_changes_nothing_needs_no_commit() {
    let saves = Arc::new(AtomicUsize::new(0));
    let tables = Shared::default();
    let hook = counting(&saves, |call| matches!(call, Call::Save(_)));
    let pipeline = start(&tables, Options::default(), hook);
    block_on(async {
        pipeline.execute(quoted("r1"), None).await.expect("no fault").expect("no refusal");
        assert_eq!(saves.load(Ordering::SeqCst), 1);
        let repeat = pipeline.execute(quoted("r1"), None).await;
        assert!(matches!(repeat, Ok(Ok(Reply::Inquired { repeated: true, .. }))), "{repeat:?}");
        let refused = pipeline.execute(accept(&first_order()), None).await;
        assert_eq!(refused, Ok(Err(Refusal::BalanceInsufficient)));
        assert_eq!(saves.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_full_queue_turns_callers_away() {
    let (hook, entered, open) = gate();
    let tables = Shared::default();
    let pipeline = start(&tables, Options { queue: 3, ..Options::default() }, hook);
    block_on(async {
        let first = begin(pipeline.execute(quoted("first"), None));
        entered.recv().expect("the writer is at work");
        let waiting: Vec<_> =
            ["a", "b", "c"].map(|it| begin(pipeline.execute(quoted(it), None))).into();
        let turned_away = at_once(pipeline.execute(quoted("d"), None));
        assert_eq!(turned_away, Err(StoreFault::Busy));
        drop(open);
        first.await.expect("no fault").expect("no refusal");
        for answer in all(waiting).await {
            answer.expect("no fault").expect("no refusal");
        }
        pipeline.execute(quoted("d"), None).await.expect("no fault").expect("no refusal");
    });
    assert_eq!(locked(&tables).orders.len(), 5);
}

#[test]
fn a_command_whose_deadline_passes_while_it_waits_is_dropped() {
    let (hook, entered, open) = gate();
    let tables = Shared::default();
    let pipeline = start(&tables, Options::default(), hook);
    block_on(async {
        let first = begin(pipeline.execute(quoted("first"), None));
        entered.recv().expect("the writer is at work");
        let deadline = Instant::now() + Duration::from_millis(5);
        let late = begin(pipeline.execute(quoted("late"), Some(deadline)));
        let patient = begin(pipeline.execute(quoted("patient"), None));
        while Instant::now() < deadline {
            std::hint::spin_loop();
        }
        drop(open);
        first.await.expect("no fault").expect("no refusal");
        assert_eq!(late.await, Err(StoreFault::TooLate));
        patient.await.expect("no fault").expect("no refusal");
    });
    assert_eq!(locked(&tables).orders.len(), 2);
}

#[test]
fn a_caller_who_goes_away_does_not_undo_the_command() {
    let (hook, entered, open) = gate();
    let tables = Shared::default();
    let pipeline = start(&tables, Options::default(), hook);
    block_on(async {
        drop(begin(pipeline.execute(quoted("r1"), None)));
        entered.recv().expect("the writer is at work");
        drop(begin(pipeline.execute(quoted("r2"), None)));
        drop(open);
        pipeline.shutdown().await;
    });
    assert_eq!(locked(&tables).orders.len(), 2);
}

#[test]
fn shutting_down_finishes_what_is_queued_and_closes_the_engine() {
    let closed = Arc::new(AtomicUsize::new(0));
    let (hook, entered, open) = gate_before(counting(&closed, |call| matches!(call, Call::Close)));
    let tables = Shared::default();
    let pipeline = start(&tables, Options { batch: 4, ..Options::default() }, hook);
    block_on(async {
        let references: Vec<_> = (0..20).map(|number| number.to_string()).collect();
        let waiting = references.iter().map(|it| begin(pipeline.execute(quoted(it), None)));
        let waiting: Vec<_> = waiting.collect();
        entered.recv().expect("the writer is at work");
        let closing = pipeline.stop_accepting();
        assert_eq!(at_once(pipeline.execute(quoted("x"), None)), Err(StoreFault::Stopped));
        drop(open);
        closing.finished().await;
        assert_eq!(closed.load(Ordering::SeqCst), 1);
        // The engine is dropped, and with it whatever it held.
        assert_eq!(Arc::strong_count(&tables), 1);
        for answer in all(waiting).await {
            answer.expect("no fault").expect("no refusal");
        }
        pipeline.shutdown().await;
    });
    assert_eq!(locked(&tables).orders.len(), 20);
}

#[test]
fn records_in_use_stay_in_memory() {
    let loaded = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&loaded);
    let hook: Hook = Box::new(move |call| {
        if let Call::Load(keys) = call {
            recorded.lock().expect("not poisoned").push(keys.accounts.len() + keys.fundings.len());
        }
        Ok(())
    });
    let tables = Shared::default();
    let pipeline = start(&tables, Options { kept_records: 4, ..Options::default() }, hook);
    block_on(async {
        for reference in ["a", "b", "c", "d", "e"] {
            let reply = pipeline.execute(credit(reference), None).await;
            reply.expect("no fault").expect("no refusal");
        }
    });
    // Two accounts and a funding are more than one generation holds. The accounts are in use and
    // stay in memory for ever, each funding is forgotten in its turn.
    assert_eq!(*loaded.lock().expect("not poisoned"), [3, 1, 1, 1, 1]);
    assert_eq!(locked(&tables).audit().expect("in order").transfers, 5);
}

#[test]
fn the_engine_may_tidy_up_after_each_batch_and_once_when_idle() {
    let (send, calls) = channel();
    let hook: Hook = Box::new(move |call| {
        if let Call::Maintain { idle } = call {
            send.send(idle).expect("the test listens");
        }
        Ok(())
    });
    let tables = Shared::default();
    let idle_after = Duration::from_millis(1);
    let pipeline = start(&tables, Options { idle_after, ..Options::default() }, hook);
    block_on(async {
        for reference in ["a", "b"] {
            pipeline.execute(quoted(reference), None).await.expect("no fault").expect("stored");
            assert_eq!((calls.recv(), calls.recv()), (Ok(false), Ok(true)));
        }
        pipeline.shutdown().await;
        assert!(calls.recv().is_err(), "nothing happened in between");
    });
}

/// Where a fault may strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    LastNumbers,
    Load,
    Save,
}

/// Fails the calls from the n-th to the one `times` further on, and counts all of them.
fn failing(
    place: Place,
    first: usize,
    times: usize,
    fault: EngineFault,
    count: &Arc<AtomicUsize>,
) -> Hook {
    let count = Arc::clone(count);
    Box::new(move |call| {
        let here = match call {
            Call::LastNumbers => place == Place::LastNumbers,
            Call::Load(_) => place == Place::Load,
            Call::Save(_) => place == Place::Save,
            Call::Maintain { .. } | Call::Close => false,
        };
        if !here {
            return Ok(());
        }
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        if (first..first + times).contains(&number) { Err(fault.clone()) } else { Ok(()) }
    })
}

/// Repeats a command until the store is able, as the gateway does.
async fn insist(pipeline: &Pipeline, command: Command) -> Result<Reply, StoreFault> {
    loop {
        match pipeline.execute(command.clone(), None).await {
            Ok(answer) => return Ok(answer.expect("no refusal")),
            Err(StoreFault::CommitFailed(_)) => {}
            Err(fault) => return Err(fault),
        }
    }
}

/// Leads five orders through their lives side by side. Whatever failed before left nothing, so no
/// reply is that of a repeat. Ends at the first fault that is not a failed commit.
async fn lives(pipeline: &Pipeline, acknowledged: &Mutex<Vec<OrderId>>) -> Result<(), StoreFault> {
    insist(pipeline, credit("f1")).await?;
    let lives = (0..5).map(async |number: u32| {
        let reply = insist(pipeline, quoted(&number.to_string())).await?;
        let Reply::Inquired { order, repeated: false } = reply else { panic!("{reply:?}") };
        let reply = insist(pipeline, accept(&order)).await?;
        let Reply::Accepted { order, .. } = reply else { panic!("{reply:?}") };
        acknowledged.lock().expect("not poisoned").push(order.id);
        let outcome = match number {
            0 => Outcome::Refused(Refusal::PaymentFailed),
            _ => delivered(90),
        };
        let reply = insist(pipeline, resolve(&order, outcome)).await?;
        assert!(matches!(reply, Reply::Resolved { .. }), "{reply:?}");
        Ok(())
    });
    all(lives).await.into_iter().collect()
}

#[test]
fn a_fault_at_any_moment_leaves_nothing_half_done_and_heals() {
    let full = EngineFault::Unavailable("the disk is full".to_owned());
    for place in [Place::LastNumbers, Place::Load, Place::Save] {
        for times in [1, 3] {
            for first in 1.. {
                let tables = Shared::default();
                let count = Arc::new(AtomicUsize::new(0));
                let hook = failing(place, first, times, full.clone(), &count);
                let options = Options { batch: 3, kept_records: 16, ..Options::default() };
                let pipeline = start(&tables, options, hook);
                block_on(lives(&pipeline, &Mutex::default())).expect("no other fault");
                let tables = locked(&tables);
                let summary = tables.audit().expect("in order");
                // Funding; per order a hold, and then either a void or a post, cost and margin.
                assert_eq!((summary.orders, summary.transfers), (5, 1 + 5 + 1 + 4 * 3));
                let balance = tables.accounts[&AccountKey::merchant(TOKO, Currency::Idr)].counters;
                assert_eq!(balance.available(), Some(600));
                if count.load(Ordering::SeqCst) < first {
                    // Numbers are asked for at the start and after a fault.
                    let least = if place == Place::LastNumbers { 1 } else { 2 };
                    assert!(first > least, "{place:?} was never reached");
                    break;
                }
            }
        }
    }
}

#[test]
fn a_failed_flush_halts_at_once_and_acknowledges_nobody() {
    let fault = EngineFault::Fatal("disk I/O error".to_owned());
    for first in 1.. {
        let tables = Shared::default();
        let count = Arc::new(AtomicUsize::new(0));
        let hook = failing(Place::Save, first, 1, fault.clone(), &count);
        let (told, why) = channel();
        let halt: Halt = Arc::new(move |reason| told.send(reason.to_owned()).expect("listened to"));
        let pipeline = start(&tables, Options { batch: 3, halt, ..Options::default() }, hook);
        let acknowledged = Mutex::default();
        let ended = block_on(lives(&pipeline, &acknowledged));
        if count.load(Ordering::SeqCst) < first {
            assert_eq!(ended, Ok(()));
            break;
        }
        assert_eq!(ended, Err(StoreFault::Stopped));
        assert_eq!(why.try_iter().collect::<Vec<_>>(), ["disk I/O error"]);
        assert_eq!(count.load(Ordering::SeqCst), first, "the commit was tried again");
        let after = block_on(pipeline.execute(quoted("after"), None));
        assert_eq!(after, Err(StoreFault::Stopped));
        let tables = locked(&tables);
        tables.audit().expect("in order");
        for id in acknowledged.into_inner().expect("not poisoned") {
            assert!(tables.orders.contains_key(&id), "{id} was acknowledged and is lost");
        }
    }
}

#[test]
fn housekeeping_that_fails_to_flush_halts_too() {
    let table = [
        (EngineFault::Fatal("flush".to_owned()), 1),
        (EngineFault::Unavailable("full".to_owned()), 0),
    ];
    for (fault, halts) in table {
        let hook: Hook = Box::new(move |call| match call {
            Call::Maintain { .. } => Err(fault.clone()),
            _ => Ok(()),
        });
        let halted = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&halted);
        let halt: Halt = Arc::new(move |_| {
            counter.fetch_add(1, Ordering::SeqCst);
        });
        let tables = Shared::default();
        let pipeline = start(&tables, Options { halt, ..Options::default() }, hook);
        block_on(async {
            // The commit itself was durable, and its reply went out before.
            pipeline.execute(quoted("r1"), None).await.expect("no fault").expect("stored");
            pipeline.shutdown().await;
        });
        assert_eq!(halted.load(Ordering::SeqCst), halts);
    }
}

#[test]
fn a_damaged_record_spoils_only_the_command_that_needs_it() {
    for at_load in [true, false] {
        let saves = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&saves);
        let damaged = || Err(EngineFault::Damaged("order 7: cannot be read".to_owned()));
        let (hook, entered, open) = gate_before(Box::new(move |call| match call {
            Call::Load(keys) if at_load => {
                let poisoned = keys.references.iter().any(|it| it.reference.as_str() == "33");
                if poisoned { damaged() } else { Ok(()) }
            }
            Call::Save(changes) => {
                counter.fetch_add(1, Ordering::SeqCst);
                let mut orders = changes.new_orders.values();
                let poisoned = orders.any(|it| it.key.reference.as_str() == "33");
                if poisoned { damaged() } else { Ok(()) }
            }
            _ => Ok(()),
        }));
        let tables = Shared::default();
        let pipeline = start(&tables, Options::default(), hook);
        let answers = block_on(async {
            let first = begin(pipeline.execute(credit("first"), None));
            entered.recv().expect("the writer is at work");
            let waiting: Vec<_> = (0..64)
                .map(|number| begin(pipeline.execute(quoted(&number.to_string()), None)))
                .collect();
            drop(open);
            first.await.expect("no fault").expect("no refusal");
            all(waiting).await
        });
        for (number, answer) in answers.into_iter().enumerate() {
            if number == 33 {
                let what = "order 7: cannot be read".to_owned();
                assert_eq!(answer, Err(StoreFault::Corrupt(what)));
            } else {
                assert!(matches!(answer, Ok(Ok(Reply::Inquired { repeated: false, .. }))));
            }
        }
        let tables = locked(&tables);
        assert_eq!(tables.orders.len(), 63);
        assert_eq!(tables.orders.keys().last(), Some(&OrderId(63)), "a number was skipped");
        // The batch is halved six times, not carried out one by one.
        assert!(saves.load(Ordering::SeqCst) < 16, "{saves:?}");
    }
}

#[test]
fn a_command_that_cannot_be_decided_spoils_nobody_elses() {
    let (hook, entered, open) = gate();
    let tables = Shared::default();
    let pipeline = start(&tables, Options::default(), hook);
    block_on(async {
        let first = begin(pipeline.execute(quoted("r1"), None));
        entered.recv().expect("the writer is at work");
        let Command::Accept(mut faulty) = accept(&first_order()) else { panic!("not accept") };
        faulty.currency = Currency::Npr;
        let before = begin(pipeline.execute(quoted("r2"), None));
        let faulty = begin(pipeline.execute(Command::Accept(faulty), None));
        let after = begin(pipeline.execute(decline(key(TOKO, "r3"), Refusal::BillPaid), None));
        drop(open);
        first.await.expect("no fault").expect("no refusal");
        before.await.expect("no fault").expect("no refusal");
        assert!(matches!(faulty.await, Err(StoreFault::Corrupt(_))));
        after.await.expect("no fault").expect("no refusal");
    });
    let tables = locked(&tables);
    assert_eq!(tables.orders.len(), 3);
    assert_eq!(tables.orders[&OrderId(1)].state, OrderState::Quoted);
}

/// Counts commands: queued, taken, turned away, committed, failed.
#[derive(Default)]
struct Counts([AtomicUsize; 5]);

impl Counts {
    fn add(&self, which: usize, commands: usize) {
        self.0[which].fetch_add(commands, Ordering::SeqCst);
    }
}

impl Observer for Counts {
    fn queued(&self) {
        self.add(0, 1);
    }

    fn taken(&self, commands: usize) {
        self.add(1, commands);
    }

    fn turned_away(&self) {
        self.add(2, 1);
    }

    fn committed(&self, commands: usize, _took: Duration) {
        self.add(3, commands);
    }

    fn failed(&self, commands: usize) {
        self.add(4, commands);
    }
}

#[test]
fn every_command_is_counted_on_its_way() {
    let mut saves = 0;
    let (hook, entered, open) = gate_before(Box::new(move |call| {
        if let Call::Save(_) = call {
            saves += 1;
            if saves == 2 {
                return Err(EngineFault::Unavailable("full".to_owned()));
            }
        }
        Ok(())
    }));
    let counts = Arc::<Counts>::default();
    let observer = Arc::<Counts>::clone(&counts);
    let options = Options { queue: 2, observer, ..Options::default() };
    let pipeline = start(&Shared::default(), options, hook);
    block_on(async {
        let first = begin(pipeline.execute(credit("first"), None));
        entered.recv().expect("the writer is at work");
        let waiting: Vec<_> = ["a", "b"].map(|it| begin(pipeline.execute(credit(it), None))).into();
        assert_eq!(at_once(pipeline.execute(credit("c"), None)), Err(StoreFault::Busy));
        drop(open);
        first.await.expect("no fault").expect("no refusal");
        for answer in all(waiting).await {
            assert!(matches!(answer, Err(StoreFault::CommitFailed(_))), "{answer:?}");
        }
        pipeline.execute(credit("first"), None).await.expect("no fault").expect("no refusal");
        pipeline.shutdown().await;
    });
    let counted = counts.0.each_ref().map(|count| count.load(Ordering::SeqCst));
    assert_eq!(counted, [5, 5, 1, 1, 2], "a repeat changes nothing and is no commit");
}
