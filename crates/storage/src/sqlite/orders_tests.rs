//! A row of an order is written in parts, so every part that a command may change has to be in what
//! is written later. Here each batch is settled by itself, so that nothing of it reaches the tables
//! together with the order's first row, and the row is read back each time.

use std::time::{Duration, Instant};

use domain::audit::Summary;
use domain::posting::Direction;
use domain::{Command, Outcome, Reply};

use super::super::journal::Position;
use super::super::overlay::Limits;
use super::super::settling::Destination;
use super::super::tables::Tables;
use super::super::{Build, OpenFault, Options, connect_to_read, open_as, verify};
use super::*;
use crate::Opened;
use crate::conformance::{Subject, TOKO, accept, fund, key, quote, resolve};
use crate::pipeline::{self, Changes, EngineFault};
use crate::scratch::{Counting, Scratch};

/// Tables that are compared with what they were given.
struct Compared(Tables);

impl Destination for Compared {
    fn save(&mut self, changes: &Changes, last: Position) -> Result<(), EngineFault> {
        self.0.save(changes, last)?;
        for order in changes.new_orders.values().chain(changes.orders.values()) {
            let stored = by_id(self.0.connection(), order.id).expect("readable");
            assert_eq!(stored.as_ref(), Some(order));
        }
        Ok(())
    }

    fn maintain(&mut self, idle: bool) -> Result<(), EngineFault> {
        self.0.maintain(idle)
    }

    fn close(&mut self, complete: bool) -> Result<(), EngineFault> {
        self.0.close(complete)
    }
}

/// A directory whose tables are.
struct Comparing(Scratch);

impl Subject for Comparing {
    fn new() -> Self {
        Self(Scratch::new())
    }

    /// A program that another test starts holds all locks of this process until it runs.
    fn open(&self, options: pipeline::Options) -> Opened {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let options = Options { pipeline: options.clone(), ..Options::default() };
            let build = Build {
                limits: Limits { generation: 1, ..Limits::default() },
                destination: Box::new(|tables| Box::new(Compared(tables))),
                ..Build::default()
            };
            match open_as(self.0.path(), options, &Counting, build) {
                Err(OpenFault::InUse { .. }) if Instant::now() < deadline => {
                    std::thread::yield_now();
                }
                opened => return opened.expect("opened"),
            }
        }
    }

    fn audit(&self) -> Result<Summary, String> {
        verify(self.0.path()).map_err(|fault| fault.to_string())
    }
}

crate::conformance::conformance!(Comparing);

/// What no test of the suite does: a quote is made anew, and a serial number comes late.
#[test]
fn a_quote_is_made_anew_and_a_serial_number_comes_late() {
    let subject = Comparing::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let opened = subject.open(pipeline::Options::default());
    runtime.block_on(async {
        let reply = async |command: Command| {
            let answer = opened.store.execute(command, None).await;
            answer.expect("no fault").expect("no refusal")
        };
        reply(fund(TOKO, "f1", Direction::Credit, Amount::rupiah(1000))).await;
        let Command::MakeQuote(first) = quote(key(TOKO, "r1"), Amount::rupiah(100)) else {
            panic!("another command");
        };
        reply(Command::MakeQuote(first.clone())).await;
        let Command::MakeQuote(mut anew) = quote(key(TOKO, "r1"), Amount::rupiah(200)) else {
            panic!("another command");
        };
        anew.renews = true;
        Arc::make_mut(&mut anew.bill).customer_name = "Wati".to_owned();
        anew.expires_at = Timestamp::from_milliseconds(first.expires_at.milliseconds() + 1);
        let Reply::Inquired { order, .. } = reply(Command::MakeQuote(anew.clone())).await else {
            panic!("not inquired");
        };
        reply(accept(&order)).await;
        for serial_number in ["", "SN-1"] {
            let serial_number = serial_number.to_owned();
            let delivery = Delivery { cost: Amount::rupiah(150), serial_number, details: None };
            reply(resolve(&order, Outcome::Delivered(delivery))).await;
        }
        opened.shutdown.shutdown().await;
        let tables = connect_to_read(subject.0.path()).expect("connected");
        let stored = by_id(&tables, order.id).expect("readable").expect("there");
        assert_eq!(stored.bill, Some(anew.bill));
        assert_eq!(stored.quote, Some(anew.quote));
        assert_eq!(stored.expires_at, anew.expires_at);
        assert_eq!(stored.delivery.as_ref().map(|it| it.serial_number.as_str()), Some("SN-1"));
    });
}
