//! throw-away
use domain::command::{Accept, Fund, FundingKey, MakeQuote, Request, Resolve};
use domain::posting::Direction;
use domain::*;
use gateway::ports::{Entropy, Store};
use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use storage::sqlite::{Options, open};

static NEXT: AtomicU64 = AtomicU64::new(0);
struct E;
impl Entropy for E {
    fn fill(&self, b: &mut [u8]) {
        for (i, x) in b.iter_mut().enumerate() {
            *x = i as u8;
        }
    }
}
const NOW: Timestamp = Timestamp::from_milliseconds(1_700_000_000_000);
fn mix(mut x: u64) -> u64 {
    x ^= x >> 33;
    x = x.wrapping_mul(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x = x.wrapping_mul(0xc4ceb9fe1a85ec53);
    x ^ (x >> 33)
}
fn quote() -> Command {
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let price = Amount::rupiah(1800);
    Command::MakeQuote(MakeQuote {
        request: Request {
            key: ReferenceKey {
                merchant: MerchantId(1 + (n % 100) as u32),
                protocol: ProtocolName::new("iak"),
                mode: Mode::Live,
                reference: Reference::new(format!(
                    "B-{:016x}",
                    mix(n + std::env::var("SALT")
                        .ok()
                        .and_then(|s| s.parse::<u64>().ok())
                        .unwrap_or(0)
                        * 1_000_000_007)
                )),
            },
            fingerprint: [7; 32],
            product: ProductId::new("shopeepay"),
            code: "SHOPEEPAY".into(),
            destination: "082100000000".into(),
            upstream: UpstreamName::new("sandbox"),
            at: NOW,
        },
        bill: Bill {
            customer_name: "PELANGGAN UJI COBA".into(),
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
    })
}
fn rss() -> (u64, u64) {
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    let g = |k: &str| {
        s.lines()
            .find(|l| l.starts_with(k))
            .and_then(|l| l.split_whitespace().nth(1))
            .and_then(|x| x.parse::<u64>().ok())
            .unwrap_or(0)
            / 1024
    };
    (g("VmRSS"), g("VmHWM"))
}
fn threads(n: usize) {
    for t in std::fs::read_dir("/proc/self/task").unwrap() {
        let p = t.unwrap().path();
        let name = std::fs::read_to_string(p.join("comm")).unwrap_or_default();
        let st = std::fs::read_to_string(p.join("stat")).unwrap_or_default();
        let f: Vec<&str> = st.rsplit(") ").next().unwrap().split(' ').collect();
        let (u, k): (u64, u64) = (f[11].parse().unwrap(), f[12].parse().unwrap());
        if u + k > 2 {
            println!(
                "   {:16} user {:.2} us/op  sys {:.2} us/op",
                name.trim(),
                u as f64 * 1e4 / n as f64,
                k as f64 * 1e4 / n as f64
            );
        }
    }
}
fn report(name: &str, mut l: Vec<Duration>, el: Duration) {
    l.sort_unstable();
    let n = l.len();
    let p = |x: usize| l.get((n - 1) * x / 10000).copied().unwrap_or_default();
    println!(
        "{name}: {} /s p50 {:?} p99 {:?} p999 {:?} max {:?} rss {:?}",
        n as u128 * 1_000_000 / el.as_micros(),
        p(5000),
        p(9900),
        p(9990),
        p(10000),
        rss()
    );
}
async fn pay(store: &Arc<dyn Store>) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    use domain::Reply;
    let Reply::Inquired { order, .. } = store.execute(quote(), None).await?? else {
        return Err("?".into());
    };
    if order.id.0 % 5 == 0 {
        return Ok(());
    }
    store
        .execute(
            Command::Accept(Accept {
                order: order.id,
                merchant: order.key.merchant,
                currency: Currency::Idr,
                upstream: order.upstream.clone(),
                owner: ProcessId(1),
                at: NOW,
                question_due: NOW,
            }),
            None,
        )
        .await??;
    store
        .execute(
            Command::Resolve(Resolve {
                order: order.id,
                attempt: 1,
                merchant: order.key.merchant,
                currency: Currency::Idr,
                upstream: order.upstream.clone(),
                at: NOW,
                outcome: Outcome::Delivered(Delivery {
                    cost: Amount::rupiah(1200),
                    serial_number: "SN".into(),
                    details: None,
                }),
            }),
            None,
        )
        .await??;
    Ok(())
}
fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let args: Vec<String> = std::env::args().collect();
    let what = args[1].as_str();
    let callers: usize = args[2].parse()?;
    let secs: u64 = args[3].parse()?;
    let dir = args.get(4).cloned().unwrap_or_else(|| "/work/bench-stages".into());
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let dur = Duration::from_secs(secs);
    match what {
        "bare" => rt.block_on(bare(callers, dur, Path::new(&dir)))?,
        _ => rt.block_on(async {
            let t = Instant::now();
            let o = open(Path::new(&dir), Options::default(), &E)?;
            println!("opened in {:?} rss {:?}", t.elapsed(), rss());
            if what == "pay" && o.created {
                for m in 1..=100 {
                    o.store
                        .execute(
                            Command::Fund(Fund {
                                key: FundingKey { merchant: MerchantId(m), reference: "b".into() },
                                direction: Direction::Credit,
                                amount: Amount::new(1_000_000_000_000, Currency::Idr)?,
                                reason: "m".into(),
                                at: NOW,
                            }),
                            None,
                        )
                        .await??;
                }
            }
            NEXT.store(std::process::id() as u64 * 1_000_000_000, Ordering::Relaxed);
            let begun = Instant::now();
            let mut set = tokio::task::JoinSet::new();
            let is_pay = what == "pay";
            for _ in 0..callers {
                let store = Arc::clone(&o.store);
                set.spawn(async move {
                    let mut l = Vec::new();
                    while begun.elapsed() < dur {
                        let b = Instant::now();
                        if is_pay {
                            pay(&store).await?;
                        } else {
                            store.execute(quote(), None).await??;
                        }
                        l.push(b.elapsed());
                    }
                    Ok::<_, Box<dyn std::error::Error + Send + Sync>>(l)
                });
            }
            let mut all = Vec::new();
            while let Some(x) = set.join_next().await {
                all.extend(x??);
            }
            let n_all = all.len();
            report(what, all, begun.elapsed());
            threads(n_all);
            let t = Instant::now();
            o.shutdown.shutdown().await;
            println!("shutdown {:?} rss {:?}", t.elapsed(), rss());
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        })?,
    }
    Ok(())
}
async fn bare(
    callers: usize,
    dur: Duration,
    dir: &Path,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    std::fs::create_dir_all(dir)?;
    let mut f = OpenOptions::new().create(true).read(true).write(true).open(dir.join("bare"))?;
    let zero = vec![0u8; 1 << 20];
    for _ in 0..64 {
        f.write_all(&zero)?;
    }
    f.sync_all()?;
    f.seek(SeekFrom::Start(0))?;
    let (tx, rx) =
        std::sync::mpsc::sync_channel::<(Vec<u8>, tokio::sync::oneshot::Sender<()>)>(4096);
    std::thread::spawn(move || {
        let mut off = 0u64;
        let mut buf = Vec::new();
        while let Ok(first) = rx.recv() {
            let mut batch = vec![first];
            while batch.len() < 1024 {
                match rx.try_recv() {
                    Ok(x) => batch.push(x),
                    Err(_) => break,
                }
            }
            buf.clear();
            for (p, _) in &batch {
                buf.extend_from_slice(p);
            }
            buf.resize(buf.len().div_ceil(4096) * 4096, 0);
            if off + buf.len() as u64 > 64 << 20 {
                off = 0;
                f.seek(SeekFrom::Start(0)).unwrap();
            }
            f.write_all(&buf).unwrap();
            f.sync_data().unwrap();
            off += buf.len() as u64;
            for (_, r) in batch {
                let _ = r.send(());
            }
        }
    });
    let begun = Instant::now();
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..callers {
        let tx = tx.clone();
        set.spawn(async move {
            let mut l = Vec::new();
            while begun.elapsed() < dur {
                let b = Instant::now();
                let (r, a) = tokio::sync::oneshot::channel();
                tx.send((vec![7; 190], r)).unwrap();
                a.await.unwrap();
                l.push(b.elapsed());
            }
            l
        });
    }
    let mut all = Vec::new();
    while let Some(x) = set.join_next().await {
        all.extend(x?);
    }
    report("bare", all, begun.elapsed());
    Ok(())
}
