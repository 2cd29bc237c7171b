//! The store without HTTP: commands per second by callers in this process.
//!
//! The yardstick commits every command by itself, as a program without a pipeline would.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::command::{Fund, FundingKey, MakeQuote, Request};
use domain::posting::Direction;
use domain::{
    Amount, Bill, Command, Currency, Detail, MerchantId, Mode, Period, ProductId, ProtocolName,
    Quote, Reference, ReferenceKey, Timestamp, UpstreamName,
};
use gateway::ports::{Entropy, Store};
use protocols::sandbox::demo;
use storage::pipeline;
use storage::sqlite::{Options, open};
use tokio::task::JoinSet;

use crate::latencies::Latencies;
use crate::report::Cell;

/// More than any measurement can spend, in rupiah.
const FUNDS: i64 = 1_000_000_000_000_000;
const NOW: Timestamp = Timestamp::from_milliseconds(1_700_000_000_000);

/// Numbers references over the whole run of the program.
static NEXT_REFERENCE: AtomicU64 = AtomicU64::new(0);

/// Measurements need keys that are all alike and no secrets.
struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// Stores the demo merchants, and enough money to spend, into new data.
pub(crate) fn prepare(data: &Path) -> anyhow::Result<()> {
    runtime()?.block_on(async {
        let opened = open(data, Options::default(), &NoEntropy)?;
        let fund = Command::Fund(Fund {
            key: FundingKey { merchant: MerchantId(1), reference: "bench".to_owned() },
            direction: Direction::Credit,
            amount: Amount::new(FUNDS, Currency::Idr).context("funds are not negative")?,
            reason: "measurement".to_owned(),
            at: NOW,
        });
        for command in demo::commands(NOW).into_iter().chain([fund]) {
            opened.store.execute(command, None).await??;
        }
        opened.shutdown.shutdown().await;
        Ok(())
    })
}

/// The yardstick and the pipeline at one number of callers, each on new data.
pub(crate) fn measure(callers: usize, duration: Duration) -> anyhow::Result<Vec<Cell>> {
    let alone = pipeline::Options { batch: 1, ..pipeline::Options::default() };
    let naive = Options { pipeline: alone, ..Options::default() };
    Ok(vec![
        cell("store, one commit per command", callers, duration, naive)?,
        cell("store, shared commits", callers, duration, Options::default())?,
    ])
}

fn cell(
    name: &'static str,
    callers: usize,
    duration: Duration,
    options: Options,
) -> anyhow::Result<Cell> {
    let data = tempfile::TempDir::new().context("no folder for the data")?;
    runtime()?.block_on(async {
        let opened = open(data.path(), options, &NoEntropy)?;
        let begun = Instant::now();
        let mut running = JoinSet::new();
        for _ in 0..callers {
            running.spawn(caller(Arc::clone(&opened.store), begun + duration));
        }
        let mut latencies = Latencies::default();
        while let Some(caller) = running.join_next().await {
            latencies.merge(caller.context("a caller broke off")??);
        }
        let elapsed = begun.elapsed();
        opened.shutdown.shutdown().await;
        Ok(Cell::new(name, callers, elapsed, latencies, None, None))
    })
}

async fn caller(store: Arc<dyn Store>, until: Instant) -> anyhow::Result<Latencies> {
    let mut latencies = Latencies::default();
    while Instant::now() < until {
        let command = quote();
        let begun = Instant::now();
        store.execute(command, None).await??;
        latencies.add(begun.elapsed());
    }
    Ok(latencies)
}

/// What an inquiry stores.
fn quote() -> Command {
    let number = NEXT_REFERENCE.fetch_add(1, Ordering::Relaxed);
    let price = Amount::rupiah(1800);
    Command::MakeQuote(MakeQuote {
        request: Request {
            key: ReferenceKey {
                merchant: MerchantId(1),
                protocol: ProtocolName::new("iak"),
                mode: Mode::Live,
                reference: Reference::new(format!("B-{number}")),
            },
            fingerprint: [7; 32],
            product: ProductId::new("shopeepay"),
            code: "SHOPEEPAY".to_owned(),
            destination: "082100000000".to_owned(),
            dialect: String::new(),
            calls_back: false,
            callback_url: None,
            upstream: UpstreamName::new("sandbox"),
            at: NOW,
        },
        bill: Bill {
            customer_name: "PELANGGAN UJI COBA".to_owned(),
            period: Period::None,
            nominal: Amount::rupiah(1000),
            count: 1,
            details: Detail::none(),
        },
        quote: Quote {
            nominal: Amount::rupiah(1000),
            admin_fee: Amount::rupiah(800),
            admin: Amount::rupiah(800),
            price,
            charge: Amount::rupiah(1350),
        },
        expires_at: NOW.business_day().end(),
        renews: false,
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime could not start")
}
