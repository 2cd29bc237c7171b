//! Power that is lost while stage two works.
//!
//! While a commit is under way any part of what it wrote into the log of the tables may be on the
//! disk, and while a checkpoint is, any part of what it moved into the tables themselves. The
//! journal holds all of it still. From copies before and after each step images are made in which
//! one sector after the other is missing, empty, or garbage, and in which everything after it is
//! missing; each is opened, and everything that was acknowledged must be there.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::posting::Direction;
use domain::{AccountKey, Amount, Command, Currency, OrderId, OrderState, Reply};

use super::journal;
use super::overlay::Limits;
use super::staging::{Moment, Watched};
use super::{Build, Options, open_as, verify};
use crate::Opened;
use crate::conformance::{TOKO, accept, delivered, fund, key, quote, resolve};
use crate::scratch::{Counting, Scratch};

/// What a disk writes as a whole.
const SECTOR: usize = 512;
/// How many images there are at least.
const IMAGES_MIN: usize = 2500;

/// The journal's smallest segments, which are made quickly.
const SEGMENTS: journal::Options =
    journal::Options { segment_min: 16 * 4096, segment_max: 16 * 4096 };

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}

/// The files that a moment left, and what had been acknowledged.
struct Still {
    moment: Moment,
    files: Scratch,
    known: Known,
}

/// What is known to be durable.
#[derive(Debug, Clone, Default)]
struct Known {
    /// The states of the orders, by their numbers from 1.
    orders: Vec<OrderState>,
    balance: i64,
}

impl Still {
    fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.files.path().join(name)).unwrap_or_default()
    }
}

async fn reply(opened: &Opened, command: Command) -> Reply {
    opened.store.execute(command, None).await.expect("no fault").expect("no refusal")
}

/// Leads orders through their states, and copies everything at every step of stage two.
fn stills() -> Vec<Still> {
    let scratch = Scratch::in_memory();
    let known: Arc<Mutex<Known>> = Arc::default();
    let stills: Arc<Mutex<Vec<Still>>> = Arc::default();
    let (place, at, kept) = (scratch.path().to_owned(), Arc::clone(&known), Arc::clone(&stills));
    let hook = move |moment| {
        let known = at.lock().expect("whole").clone();
        let files = Scratch::copy_of(&place, &["lunas.db", "lunas.db-wal", "journal"]);
        kept.lock().expect("whole").push(Still { moment, files, known });
    };
    let build = Build {
        limits: Limits {
            generation: 9,
            records: 60,
            age: Duration::from_secs(60),
            patience: Duration::from_secs(60),
        },
        journal: SEGMENTS,
        destination: Box::new(move |tables| Box::new(Watched { tables, hook })),
        ..Build::default()
    };
    let running = open_as(scratch.path(), Options::default(), &Counting, build).expect("opened");
    block_on(async {
        let credit = fund(TOKO, "f1", Direction::Credit, Amount::rupiah(1000));
        reply(&running, credit).await;
        known.lock().expect("whole").balance = 1000;
        for number in 0..20_i64 {
            let quote = quote(key(TOKO, &format!("r{number}")), Amount::rupiah(10));
            let Reply::Inquired { order, .. } = reply(&running, quote).await else { panic!() };
            known.lock().expect("whole").orders.push(order.state);
            let Reply::Accepted { order, balance } = reply(&running, accept(&order)).await else {
                panic!()
            };
            let note = |state, balance| {
                let mut known = known.lock().expect("whole");
                *known.orders.last_mut().expect("there") = state;
                known.balance = balance;
            };
            note(order.state, balance.minor());
            if number % 2 == 0 {
                reply(&running, resolve(&order, delivered(9))).await;
                note(OrderState::Succeeded, balance.minor());
            }
        }
        running.shutdown.shutdown().await;
    });
    drop(scratch);
    Arc::into_inner(stills).expect("nobody else").into_inner().expect("whole")
}

/// Opens an image and tells what of it is missing.
fn check(image: &Path, known: &Known) -> Result<(), String> {
    let build = Build { journal: SEGMENTS, ..Build::default() };
    let options = Options { point_readers: 1, ..Options::default() };
    let opened = open_as(image, options, &Counting, build).map_err(|fault| fault.to_string())?;
    let held = block_on(async {
        for (number, state) in (1..).zip(&known.orders) {
            let found = opened.store.order(OrderId(number)).await.map_err(|it| it.to_string())?;
            let found = found.ok_or_else(|| format!("order {number} is lost"))?;
            let went_back = match state {
                OrderState::Quoted => false,
                OrderState::Processing => found.state == OrderState::Quoted,
                _ => found.state != *state,
            };
            if went_back {
                return Err(format!("order {number} was {state:?} and is {:?}", found.state));
            }
        }
        let balance = AccountKey::merchant(TOKO, Currency::Idr);
        let account = opened.store.account(&balance).await.map_err(|it| it.to_string())?;
        let available = account.and_then(|account| account.counters.available()).unwrap_or(0);
        // Later commands may be there too, and only spend.
        if available <= known.balance && (available > 0 || known.balance == 0) {
            Ok(())
        } else {
            Err(format!("the balance was {} and is {available}", known.balance))
        }
    });
    block_on(opened.shutdown.shutdown());
    held
}

/// Everything that may have become of a write when power was lost, one sector after the other.
fn variants(before: &[u8], after: &[u8], mut visit: impl FnMut(&[u8])) {
    let mut whole = before.to_vec();
    whole.resize(before.len().max(after.len()), 0);
    whole[..after.len()].copy_from_slice(after);
    let mut begun = before.to_vec();
    begun.resize(whole.len(), 0);
    let places = (0..whole.len()).step_by(SECTOR);
    for place in places {
        let sector = place..(place + SECTOR).min(whole.len());
        if begun[sector.clone()] == whole[sector.clone()] {
            continue;
        }
        // Nothing from here on was written, and nothing before it is missing.
        visit(&begun);
        let [lost, empty, garbage] =
            [begun[sector.clone()].to_vec(), vec![0; sector.len()], vec![0xa5; sector.len()]];
        for damage in [lost, empty, garbage] {
            let mut image = whole.clone();
            image[sector.clone()].copy_from_slice(&damage);
            visit(&image);
        }
        begun[sector.clone()].copy_from_slice(&whole[sector]);
    }
}

fn put(image: &Path, still: &Still) {
    for entry in fs::read_dir(image).expect("listed") {
        let path = entry.expect("an entry").path();
        let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        removed.expect("removed");
    }
    fs::create_dir(image.join("journal")).expect("made");
    for entry in fs::read_dir(still.files.path().join("journal")).expect("listed") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), image.join("journal").join(entry.file_name())).expect("copied");
    }
    for name in ["lunas.db", "lunas.db-wal"] {
        fs::write(image.join(name), still.read(name)).expect("written");
    }
}

#[test]
fn power_lost_while_the_tables_follow_loses_nothing() {
    let stills = stills();
    let image = Scratch::in_memory();
    fs::create_dir(image.path()).expect("made");
    let mut images = 0;
    // Several commits and checkpoints, of which the first begins an empty log and later ones write
    // over what was there.
    for pair in stills.windows(2) {
        let [before, after] = pair else { continue };
        let changing = match (before.moment, after.moment) {
            (Moment::BeforeCommit, Moment::AfterCommit) => "lunas.db-wal",
            (Moment::AfterCommit, Moment::AfterCheckpoint) => "lunas.db",
            _ => continue,
        };
        variants(&before.read(changing), &after.read(changing), |bytes| {
            images += 1;
            put(image.path(), before);
            fs::write(image.path().join(changing), bytes).expect("written");
            if let Err(problem) = check(image.path(), &before.known) {
                panic!("{:?}, image {images}: {problem}", before.moment);
            }
            if images % 50 == 0 {
                verify(image.path()).expect("in order");
            }
        });
        if images >= IMAGES_MIN {
            break;
        }
    }
    println!("{images} images");
    assert!(images >= IMAGES_MIN, "only {images} images");
}

/// The control: with a journal that gave its entries up too early, the loss is seen.
#[test]
fn a_journal_that_gives_up_too_early_is_noticed() {
    let stills = stills();
    let image = Scratch::in_memory();
    fs::create_dir(image.path()).expect("made");
    let before = stills
        .iter()
        .rfind(|still| still.moment == Moment::BeforeCommit)
        .expect("there is a commit");
    put(image.path(), before);
    assert_eq!(check(image.path(), &before.known), Ok(()));
    put(image.path(), before);
    for entry in fs::read_dir(image.path().join("journal")).expect("listed") {
        fs::remove_file(entry.expect("an entry").path()).expect("removed");
    }
    let problem = check(image.path(), &before.known).expect_err("noticed");
    assert!(problem.starts_with("order ") || problem.starts_with("the balance "), "{problem}");
}
