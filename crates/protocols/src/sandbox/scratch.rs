//! For the sandbox's tests: a directory that exists as long as one test, a clock that stands, and
//! orders.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use domain::product::{bill_total_max, price_bill};
use domain::{
    Alias, Amount, Attempt, AttemptState, Bill, Detail, Kind, Level, MerchantId, Mode, Order,
    OrderId, OrderState, Period, ProcessId, Product, ProtocolName, Quote, Reference, ReferenceKey,
    Timestamp, UpstreamName,
};
use gateway::ports::Clock;

use super::{NAME, demo};

/// A new, empty directory, removed in the end.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lunas-sandbox-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a directory for the test");
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A clock that always shows 2024-01-31 15:45:00 in Jakarta, or what a test sets.
pub(super) struct Standing(pub(super) Timestamp);

pub(super) const NOW: Timestamp = Timestamp::from_milliseconds(1_706_690_700_000);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// IAK's codes of all bills of the demo catalogue.
pub(super) fn bill_codes() -> Vec<String> {
    let is_bill = |product: &Product| product.top_up.is_none() && product.channel.is_none();
    let bills = demo::products().into_iter().filter(is_bill);
    let aliases = bills.flat_map(|product| product.aliases);
    let of_iak = aliases.filter(|alias| alias.protocol.as_str() == crate::iak::NAME);
    of_iak.map(|alias| alias.code).collect()
}

/// A top-up in processing, as far as an upstream looks at it, of a product of the demo catalogue.
pub(super) fn top_up(id: u64, protocol: &str, mode: Mode, code: &str, destination: &str) -> Order {
    let products = demo::products();
    let known = |product: &&Product| {
        let named = |alias: &Alias| alias.protocol.as_str() == protocol && alias.code == code;
        product.aliases.iter().any(named)
    };
    let product = products.iter().find(known).expect("in the demo catalogue");
    let protocol = ProtocolName::new(protocol);
    let price = product.price_for(&Level("retail".to_owned()), &protocol).expect("has a price");
    let bill = Bill {
        customer_name: String::new(),
        period: Period::None,
        nominal: price,
        count: 1,
        details: Detail::none(),
    };
    let some_bill = order(id, "PLNPOSTPAID", destination, bill);
    let nothing = Amount::zero(price.currency());
    let quote = Quote { nominal: price, admin_fee: nothing, admin: nothing, price, charge: price };
    Order {
        key: ReferenceKey { protocol, mode, ..some_bill.key },
        product: product.id.clone(),
        code: code.to_owned(),
        bill: None,
        quote: Some(quote),
        attempts: vec![Attempt {
            number: 1,
            upstream: UpstreamName::new(NAME),
            state: AttemptState::Intent,
            owner: ProcessId(1),
            started_at: NOW,
            questions: 0,
        }],
        ..some_bill
    }
}

/// A purchase in processing, priced by the demo catalogue's terms, as far as an upstream looks at
/// it.
pub(super) fn order(id: u64, code: &str, destination: &str, bill: Bill) -> Order {
    let products = demo::products();
    let aliased = |product: &&Product| product.aliases.iter().any(|alias| alias.code == code);
    let product = products.iter().find(aliased).expect("in the demo catalogue");
    let quote = price_bill(&product.terms[0], &bill, bill_total_max());
    Order {
        id: OrderId(id),
        key: ReferenceKey {
            merchant: MerchantId(1),
            protocol: ProtocolName::new("iak"),
            mode: Mode::Live,
            reference: Reference::new(format!("order-{id}")),
        },
        kind: Kind::Purchase,
        state: OrderState::Processing,
        fingerprint: [0; 32],
        product: product.id.clone(),
        code: code.to_owned(),
        destination: destination.to_owned(),
        dialect: String::new(),
        calls_back: false,
        callback_url: None,
        callbacks: Vec::new(),
        collecting: None,
        recipient: None,
        upstream: UpstreamName::new(NAME),
        bill: Some(Arc::new(bill)),
        quote: quote.ok(),
        created_at: NOW,
        updated_at: NOW,
        expires_at: NOW.business_day().end(),
        holds: Vec::new(),
        attempts: Vec::new(),
        question_due: None,
        delivery: None,
    }
}
