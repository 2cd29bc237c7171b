//! Values of every shape that the domain admits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::callback::{Received, Rendered};
use domain::command::{Buy, OpenCollection};
use domain::product::Fee;
use domain::{
    Amount, Bill, Channel, Collecting, Currency, Detail, Doubt, Flow, Level, Outcome, Period,
    Price, Quote, Refusal, Repetition, Timestamp, TopUp, YearMonth,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::{Delivery, MakeQuote, Mode, ProcessId, ProductId, Request, UpstreamName};

/// So many values of a strategy.
pub(super) fn sample<T: std::fmt::Debug>(
    strategy: &impl Strategy<Value = T>,
    count: u32,
) -> Vec<T> {
    let mut runner = TestRunner::default();
    let mut next = || strategy.new_tree(&mut runner).expect("nothing is filtered").current();
    (0..count).map(|_| next()).collect()
}

/// Any text, control characters and all.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "(?s).{0,12}", 1 => Just(String::new()), 1 => Just("\0\u{1f}\"\\".to_owned())]
}

pub(crate) fn minor() -> impl Strategy<Value = i64> {
    prop_oneof![0..=i64::MAX, Just(0), Just(i64::MAX), 0..1_000_000_i64]
}

pub(crate) fn currency() -> impl Strategy<Value = Currency> {
    select(&Currency::ALL[..])
}

fn amount_of(minor: i64, currency: Currency) -> Amount {
    Amount::new(minor, currency).expect("not negative")
}

pub(crate) fn amount() -> impl Strategy<Value = Amount> {
    (minor(), currency()).prop_map(|(minor, currency)| amount_of(minor, currency))
}

pub(crate) fn instant() -> impl Strategy<Value = Timestamp> {
    prop_oneof![any::<i64>(), 0..2_000_000_000_000_i64].prop_map(Timestamp::from_milliseconds)
}

pub(crate) fn details() -> impl Strategy<Value = Detail> {
    let leaf = prop_oneof![
        text().prop_map(Detail::Text),
        any::<i64>().prop_map(Detail::Number),
        amount().prop_map(Detail::Money),
    ];
    leaf.prop_recursive(6, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Detail::List),
            vec((text(), inner), 0..4).prop_map(Detail::Record),
        ]
    })
}

fn period() -> impl Strategy<Value = Period> {
    let month = (any::<u16>(), any::<u8>()).prop_map(|(year, month)| YearMonth { year, month });
    prop_oneof![
        Just(Period::None),
        vec(month, 0..4).prop_map(Period::Months),
        any::<u8>().prop_map(Period::MonthCount),
        any::<u16>().prop_map(Period::Instalment),
        text().prop_map(Period::Text),
    ]
}

pub(crate) fn bill() -> impl Strategy<Value = Bill> {
    (text(), period(), amount(), any::<u32>(), details()).prop_map(
        |(customer_name, period, nominal, count, details)| Bill {
            customer_name,
            period,
            nominal,
            count,
            details,
        },
    )
}

pub(crate) fn quote() -> impl Strategy<Value = Quote> {
    (currency(), [minor(), minor(), minor(), minor(), minor()]).prop_map(|(currency, minors)| {
        let [nominal, admin_fee, admin, price, charge] =
            minors.map(|minor| amount_of(minor, currency));
        Quote { nominal, admin_fee, admin, price, charge }
    })
}

pub(crate) fn refusal() -> impl Strategy<Value = Refusal> {
    select(Refusal::ALL)
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let delivery =
        (minor(), text(), option::of(details())).prop_map(|(minor, serial_number, details)| {
            Delivery {
                // The currency is the order's, which is not known here.
                cost: amount_of(minor, Currency::Idr),
                serial_number,
                details,
            }
        });
    prop_oneof![
        delivery.prop_map(Outcome::Delivered),
        refusal().prop_map(Outcome::Refused),
        select(&Doubt::ALL[..]).prop_map(Outcome::Unknown),
    ]
}

pub(crate) fn repetition() -> impl Strategy<Value = Repetition> {
    select(&Repetition::ALL[..])
}

pub(crate) fn top_up() -> impl Strategy<Value = TopUp> {
    let price = (text(), option::of(text()), amount()).prop_map(|(level, protocol, amount)| {
        Price { level: Level(level), protocol: protocol.map(super::ProtocolName::new), amount }
    });
    let texts = (text(), text(), text());
    (texts, any::<u16>(), option::of(amount()), vec(price, 0..4)).prop_map(
        |((operator, denomination, details), active_days, cost, prices)| TopUp {
            operator,
            denomination,
            details,
            active_days,
            cost,
            prices,
        },
    )
}

pub(crate) fn channel() -> impl Strategy<Value = Channel> {
    let fee =
        (any::<u32>(), any::<u32>()).prop_map(|(per_million, fixed)| Fee { per_million, fixed });
    let limits = (option::of(any::<u8>()), option::of(any::<u64>()));
    (select(&[Flow::In, Flow::Out][..]), vec(currency(), 0..3), fee, text(), limits).prop_map(
        |(flow, currencies, fee, account, (rate_hundredths, amount_max))| Channel {
            flow,
            currencies,
            fee,
            rate_hundredths,
            account,
            amount_max,
        },
    )
}

/// What a merchant wants of a protocol.
pub(crate) fn preferences() -> impl Strategy<Value = BTreeMap<String, String>> {
    btree_map(text(), text(), 0..4)
}

pub(crate) fn rendered() -> impl Strategy<Value = Rendered> {
    (vec((text(), text()), 0..4), vec(any::<u8>(), 0..64))
        .prop_map(|(headers, body)| Rendered { headers, body })
}

pub(crate) fn received() -> impl Strategy<Value = Received> {
    prop_oneof![
        (any::<u16>(), text()).prop_map(|(status, excerpt)| Received::Answered { status, excerpt }),
        text().prop_map(|problem| Received::Unreachable { problem }),
        Just(Received::NoAddress),
    ]
}

/// How long a try took, in whole milliseconds.
pub(crate) fn took() -> impl Strategy<Value = Duration> {
    any::<u32>().prop_map(|milliseconds| Duration::from_millis(milliseconds.into()))
}

/// What is bought in test mode, where amounts of any size pass; or paid out.
pub(super) fn purchase() -> impl Strategy<Value = Buy> {
    let recipient = option::of(details());
    let owner = any::<u64>().prop_map(ProcessId);
    (request(), quote(), recipient, repetition(), owner, instant()).prop_map(
        |(request, mut quote, recipient, repetition, owner, question_due)| {
            let currency = quote.charge.currency();
            if quote.charge.is_zero() {
                quote.charge = amount_of(1, currency);
            }
            if quote.admin.minus(quote.charge).is_ok() {
                quote.admin = Amount::zero(currency);
            }
            Buy { request, quote, recipient, repetition, owner, question_due }
        },
    )
}

/// What is to be collected, whatever its size.
pub(super) fn opening() -> impl Strategy<Value = OpenCollection> {
    let amounts = (amount(), currency(), minor(), minor());
    let amounts = amounts.prop_map(|(due, currency, one, other)| {
        let due = if due.is_zero() { amount_of(1, due.currency()) } else { due };
        (due, amount_of(one.max(other), currency), amount_of(one.min(other), currency))
    });
    let collecting = (text(), amounts, option::of(text()), any::<bool>(), details()).prop_map(
        |(channel, (due, gross, fee), return_url, in_review, particulars)| Collecting {
            channel,
            due,
            gross,
            fee,
            return_url,
            in_review,
            particulars,
            evidence: None,
        },
    );
    (request(), collecting, option::of(instant())).prop_map(
        |(mut request, collecting, expires_at)| {
            request.key.mode = Mode::Live;
            OpenCollection { request, collecting, expires_at }
        },
    )
}

/// The life of an order in test mode, where amounts of any size pass.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) make: MakeQuote,
    /// None leaves it quoted.
    pub(super) acceptance: Option<(ProcessId, Timestamp)>,
    /// What is then learned, one thing after the other.
    pub(super) outcomes: Vec<(Outcome, Timestamp)>,
}

/// What was asked, in test mode.
fn request() -> impl Strategy<Value = Request> {
    let request = (
        (any::<u32>(), text(), text(), any::<[u8; 32]>()),
        (text(), text(), text(), text(), instant()),
        (text(), any::<bool>(), option::of(text())),
    );
    request.prop_map(
        |(
            (merchant, protocol, reference, fingerprint),
            (product, code, destination, upstream, at),
            (dialect, calls_back, callback_url),
        )| {
            Request {
                key: super::ReferenceKey {
                    merchant: super::MerchantId(merchant),
                    protocol: super::ProtocolName::new(protocol),
                    mode: Mode::Test,
                    reference: super::Reference::new(reference),
                },
                fingerprint,
                product: ProductId::new(product),
                code,
                destination,
                upstream: UpstreamName::new(upstream),
                dialect,
                calls_back,
                callback_url,
                at,
            }
        },
    )
}

pub(super) fn life() -> impl Strategy<Value = Life> {
    let made = (request(), bill(), quote(), any::<bool>());
    let make = made.prop_map(|(request, bill, quote, renews)| {
        let expires_at = Timestamp::from_milliseconds(i64::MAX);
        MakeQuote { request, bill: Arc::new(bill), quote, expires_at, renews }
    });
    let acceptance = option::weighted(0.8, (any::<u64>().prop_map(ProcessId), instant()));
    (make, acceptance, vec((outcome(), instant()), 0..3)).prop_map(
        |(make, acceptance, mut outcomes)| {
            for (outcome, _) in &mut outcomes {
                if let Outcome::Delivered(delivery) = outcome {
                    let currency = make.quote.charge.currency();
                    delivery.cost = amount_of(delivery.cost.minor(), currency);
                }
            }
            Life { make, acceptance, outcomes }
        },
    )
}
