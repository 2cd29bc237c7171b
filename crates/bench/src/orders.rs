//! What the store is given: orders under references in no order, a fifth of which stay open.
//!
//! References are spread by a bijection over all numbers, because merchants' references are in no
//! order either and an engine must not profit from one that is. Of ten orders one is only asked
//! for, one stays with money held, and eight are paid.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use domain::command::{Accept, Fund, FundingKey, MakeQuote, Request, Resolve};
use domain::posting::Direction;
use domain::{
    Amount, Bill, Command, Currency, Delivery, Detail, MerchantId, Mode, Order, Outcome, Period,
    ProcessId, ProductId, ProtocolName, Quote, Reference, ReferenceKey, Reply, Timestamp,
    UpstreamName,
};
use gateway::ports::Store;

/// Who asks for everything.
const MERCHANT: MerchantId = MerchantId(1);
/// More than any measurement can spend, in rupiah.
const FUNDS: i64 = 1_000_000_000_000_000;
/// When everything happens. 14 November 2023.
pub(crate) const NOW: Timestamp = Timestamp::from_milliseconds(1_700_000_000_000);

/// Numbers orders over the whole run of the program.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(0);

/// How far an order is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// It is asked for.
    Quoted,
    /// Money is held for it.
    Accepted,
    /// It is paid.
    Delivered,
}

impl Course {
    /// That of the next order, and its reference.
    pub(crate) fn next() -> (Self, String) {
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        let course = match number % 10 {
            3 => Self::Quoted,
            7 => Self::Accepted,
            _ => Self::Delivered,
        };
        (course, spread(number))
    }
}

/// The reference of the next order, whatever becomes of it.
pub(crate) fn next_reference() -> String {
    Course::next().1
}

/// A text for each number, all different and in no order.
fn spread(number: u64) -> String {
    // The finalizer of SplitMix64, each step of which can be undone.
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    format!("B-{:016x}", mixed ^ (mixed >> 31))
}

/// Takes an order as far as it is to go; `done` is called with each command once it is durable.
pub(crate) async fn take(
    store: &dyn Store,
    course: Course,
    reference: String,
    mut done: impl FnMut(),
) -> anyhow::Result<()> {
    let reply = store.execute(quote(reference), None).await??;
    done();
    let Reply::Inquired { order, .. } = reply else { bail!("an inquiry was not answered") };
    if course == Course::Quoted {
        return Ok(());
    }
    let reply = store.execute(accept(&order), None).await??;
    done();
    let Reply::Accepted { order, .. } = reply else { bail!("an order was not accepted") };
    if course == Course::Accepted {
        return Ok(());
    }
    store.execute(deliver(&order), None).await??;
    done();
    Ok(())
}

/// Enough money to spend.
pub(crate) fn fund() -> anyhow::Result<Command> {
    Ok(Command::Fund(Fund {
        key: FundingKey { merchant: MERCHANT, reference: "bench".to_owned() },
        direction: Direction::Credit,
        amount: Amount::new(FUNDS, Currency::Idr).context("funds are not negative")?,
        reason: "measurement".to_owned(),
        at: NOW,
    }))
}

/// What an inquiry stores.
pub(crate) fn quote(reference: String) -> Command {
    let price = Amount::rupiah(1800);
    Command::MakeQuote(MakeQuote {
        request: Request {
            key: ReferenceKey {
                merchant: MERCHANT,
                protocol: ProtocolName::new("iak"),
                mode: Mode::Live,
                reference: Reference::new(reference),
            },
            fingerprint: [7; 32],
            product: ProductId::new("shopeepay"),
            code: "SHOPEEPAY".to_owned(),
            destination: "082100000000".to_owned(),
            upstream: UpstreamName::new("sandbox"),
            dialect: String::new(),
            calls_back: false,
            callback_url: None,
            at: NOW,
        },
        bill: Arc::new(Bill {
            customer_name: "PELANGGAN UJI COBA".to_owned(),
            period: Period::None,
            nominal: Amount::rupiah(1000),
            count: 1,
            details: Detail::none(),
        }),
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

fn accept(order: &Order) -> Command {
    Command::Accept(Accept {
        order: order.id,
        merchant: MERCHANT,
        currency: Currency::Idr,
        upstream: order.upstream.clone(),
        owner: ProcessId(1),
        at: NOW,
        question_due: NOW.business_day().end(),
    })
}

fn deliver(order: &Order) -> Command {
    Command::Resolve(Resolve {
        order: order.id,
        attempt: order.attempt().map_or(0, |attempt| attempt.number),
        merchant: MERCHANT,
        currency: Currency::Idr,
        upstream: order.upstream.clone(),
        outcome: Outcome::Delivered(Delivery {
            cost: Amount::rupiah(1300),
            serial_number: "0123456789ABCDEF0123456789ABCDEF".to_owned(),
            details: None,
        }),
        at: NOW,
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn references_differ_and_a_fifth_of_the_orders_stays_open() {
        let taken: Vec<_> = std::iter::repeat_with(Course::next).take(1000).collect();
        let references: HashSet<_> = taken.iter().map(|(_, reference)| reference).collect();
        assert_eq!(references.len(), 1000);
        assert!(!taken.is_sorted_by_key(|(_, reference)| reference));
        let delivered = taken.iter().filter(|(course, _)| *course == Course::Delivered).count();
        assert_eq!(delivered, 800);
    }
}
