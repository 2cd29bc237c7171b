//! Values of every shape that the domain admits.

use domain::{
    Amount, Bill, Currency, Detail, Doubt, Outcome, Period, Quote, Refusal, Timestamp, YearMonth,
};
use proptest::collection::vec;
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

/// The life of an order in test mode, where amounts of any size pass.
#[derive(Debug, Clone)]
pub(super) struct Life {
    pub(super) make: MakeQuote,
    /// None leaves it quoted.
    pub(super) acceptance: Option<(ProcessId, Timestamp)>,
    /// What is then learned, one thing after the other.
    pub(super) outcomes: Vec<(Outcome, Timestamp)>,
}

pub(super) fn life() -> impl Strategy<Value = Life> {
    let request = (
        (any::<u32>(), text(), text(), any::<[u8; 32]>()),
        (text(), text(), text(), text(), instant()),
    );
    let request = request.prop_map(
        |(
            (merchant, protocol, reference, fingerprint),
            (product, code, destination, upstream, at),
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
                at,
            }
        },
    );
    let make = (request, bill(), quote()).prop_map(|(request, bill, quote)| {
        let expires_at = Timestamp::from_milliseconds(i64::MAX);
        MakeQuote { request, bill, quote, expires_at }
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
