//! Changes of every shape that the domain admits.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::account::Counters;
use domain::administration::{
    Action, Actor, AuditNumber, AuditRecord, Effect, KeptAnswer, RequestKey, Role, Standing,
};
use domain::callback::{self, Event};
use domain::command::{DayClaimKey, Funding, FundingKey, PayerReferenceKey};
use domain::evidence::Doubtful;
use domain::posting::Direction;
use domain::product::CutOff;
use domain::{
    Account, AccountId, AccountKey, AccountRole, Alias, Attempt, AttemptState, BusinessDay,
    Callback, CallbackId, CallbackState, Collecting, Credential, Delivery, Doubt, Endpoint,
    EndpointKey, Evidence, EvidenceKey, EvidenceState, Hash, Hold, Level, Merchant, MerchantId,
    MerchantStatus, Mode, Order, OrderId, OrderState, Preferences, ProcessId, Product, ProductId,
    ProductStatus, ProtocolName, RateLimit, Reference, ReferenceKey, Secret, Terms, Transfer,
    TransferId, TransferKind, UpstreamName,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::conformance::arbitrary::{
    amount, bill, channel, currency, details, instant, minor, preferences, quote, received,
    refusal, rendered, repetition, text, took, top_up,
};
use crate::pipeline::Changes;

fn hash() -> impl Strategy<Value = Hash> {
    any::<[u8; 32]>().prop_map(Hash)
}

fn merchant_id() -> impl Strategy<Value = MerchantId> {
    any::<u32>().prop_map(MerchantId)
}

fn transfer_id() -> impl Strategy<Value = TransferId> {
    any::<u64>().prop_map(TransferId)
}

fn protocol() -> impl Strategy<Value = ProtocolName> {
    text().prop_map(ProtocolName::new)
}

fn upstream() -> impl Strategy<Value = UpstreamName> {
    text().prop_map(UpstreamName::new)
}

fn account() -> impl Strategy<Value = Account> {
    let role = prop_oneof![
        merchant_id().prop_map(AccountRole::Merchant),
        Just(AccountRole::Clearing),
        upstream().prop_map(AccountRole::Float),
        Just(AccountRole::Margin),
        Just(AccountRole::Fees),
        Just(AccountRole::Bank),
        text().prop_map(AccountRole::Inbound),
        Just(AccountRole::Suspense),
        merchant_id().prop_map(AccountRole::Receivable),
    ];
    let counters = [minor(), minor(), minor(), minor()].prop_map(
        |[debits_pending, debits_posted, credits_pending, credits_posted]| Counters {
            debits_pending,
            debits_posted,
            credits_pending,
            credits_posted,
        },
    );
    (any::<u64>(), role, currency(), counters, option::of((transfer_id(), hash()))).prop_map(
        |(id, role, currency, counters, latest)| Account {
            id: AccountId(id),
            key: AccountKey { role, currency },
            counters,
            latest,
        },
    )
}

fn transfer() -> impl Strategy<Value = Transfer> {
    let kind = prop_oneof![
        Just(TransferKind::Direct),
        Just(TransferKind::Hold),
        transfer_id().prop_map(TransferKind::Post),
        transfer_id().prop_map(TransferKind::Void),
    ];
    let accounts = (any::<u64>(), any::<u64>());
    let links = (option::of(transfer_id()), option::of(transfer_id()), hash());
    (transfer_id(), option::of(any::<u64>()), kind, accounts, amount(), instant(), links).prop_map(
        |(
            id,
            order,
            kind,
            (debit, credit),
            amount,
            at,
            (previous_debit, previous_credit, hash),
        )| {
            Transfer {
                id,
                order: order.map(OrderId),
                kind,
                debit: AccountId(debit),
                credit: AccountId(credit),
                amount,
                at,
                previous_debit,
                previous_credit,
                hash,
            }
        },
    )
}

fn key() -> impl Strategy<Value = ReferenceKey> {
    (merchant_id(), protocol(), select(&[Mode::Live, Mode::Test][..]), text()).prop_map(
        |(merchant, protocol, mode, reference)| ReferenceKey {
            merchant,
            protocol,
            mode,
            reference: Reference::new(reference),
        },
    )
}

fn state() -> impl Strategy<Value = OrderState> {
    prop_oneof![
        refusal().prop_map(OrderState::Declined),
        Just(OrderState::Quoted),
        Just(OrderState::Awaiting),
        Just(OrderState::Processing),
        Just(OrderState::Succeeded),
        refusal().prop_map(OrderState::Failed),
        Just(OrderState::Expired),
    ]
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let state = prop_oneof![
        Just(AttemptState::Intent),
        select(&Doubt::ALL[..]).prop_map(AttemptState::Unknown),
        Just(AttemptState::Delivered),
        refusal().prop_map(AttemptState::Refused),
    ];
    (any::<u16>(), upstream(), state, any::<u64>(), instant(), any::<u32>()).prop_map(
        |(number, upstream, state, owner, started_at, questions)| Attempt {
            number,
            upstream,
            state,
            owner: ProcessId(owner),
            started_at,
            questions,
        },
    )
}

fn order() -> impl Strategy<Value = Order> {
    let kind =
        select(&[domain::Kind::Purchase, domain::Kind::Collection, domain::Kind::Payout][..]);
    let hold = (transfer_id(), amount(), option::of(transfer_id()))
        .prop_map(|(transfer, amount, resolved_by)| Hold { transfer, amount, resolved_by });
    let delivery = (amount(), text(), option::of(details()))
        .prop_map(|(cost, serial_number, details)| Delivery { cost, serial_number, details });
    let name = (any::<u64>(), key(), kind, state(), any::<[u8; 32]>());
    let asked = (text(), text(), text(), upstream(), option::of(bill()), option::of(quote()));
    let times = (instant(), instant(), instant(), option::of(instant()));
    let then = (vec(hold, 0..3), vec(attempt(), 0..3), option::of(delivery));
    let ids = vec(any::<u64>().prop_map(CallbackId), 0..3);
    let news = (text(), any::<bool>(), option::of(text()), ids).boxed();
    let kinds = (option::of(collecting()), option::of(details())).boxed();
    let (name, asked) = (name.boxed(), asked.boxed());
    let (times, then) = (times.boxed(), then.boxed());
    (name, asked, times, then, news, kinds).prop_map(|(name, asked, times, then, news, kinds)| {
        let (id, key, kind, state, fingerprint) = name;
        let (product, code, destination, upstream, bill, quote) = asked;
        let (created_at, updated_at, expires_at, question_due) = times;
        let (holds, attempts, delivery) = then;
        let (dialect, calls_back, callback_url, callbacks) = news;
        let (collecting, recipient) = kinds;
        Order {
            id: OrderId(id),
            key,
            kind,
            state,
            fingerprint,
            product: ProductId::new(product),
            code,
            destination,
            upstream,
            bill: bill.map(Arc::new),
            quote,
            created_at,
            updated_at,
            expires_at,
            holds,
            attempts,
            question_due,
            delivery,
            dialect,
            calls_back,
            callback_url,
            callbacks,
            collecting,
            recipient,
        }
    })
}

fn evidence_key() -> impl Strategy<Value = EvidenceKey> {
    (text(), text()).prop_map(|(source, id)| EvidenceKey { source, id })
}

fn collecting() -> impl Strategy<Value = Collecting> {
    let amounts = (amount(), amount(), amount());
    let rest = (option::of(text()), any::<bool>(), details(), option::of(evidence_key()));
    (text(), amounts, rest).prop_map(
        |(channel, (due, gross, fee), (return_url, in_review, particulars, evidence))| Collecting {
            channel,
            due,
            gross,
            fee,
            return_url,
            in_review,
            particulars,
            evidence,
        },
    )
}

fn callback() -> impl Strategy<Value = Callback> {
    let state = prop_oneof![
        instant().prop_map(|due| CallbackState::Waiting { due }),
        (any::<u64>(), instant())
            .prop_map(|(owner, until)| CallbackState::Leased { owner: ProcessId(owner), until }),
        Just(CallbackState::Delivered),
        Just(CallbackState::GivenUp),
    ];
    let name = (any::<u64>(), any::<u64>(), merchant_id(), protocol());
    let news = (select(&Event::ALL[..]), any::<bool>(), instant(), amount());
    let then = (option::of(rendered().prop_map(Arc::new)), state, any::<u32>(), any::<u32>());
    (name, news, then).prop_map(
        |(
            (id, order, merchant, protocol),
            (event, to_own_address, at, balance),
            (rendered, state, tries, tries_in_round),
        )| Callback {
            id: CallbackId(id),
            order: OrderId(order),
            merchant,
            protocol,
            event,
            to_own_address,
            at,
            balance,
            rendered,
            state,
            tries,
            tries_in_round,
        },
    )
}

fn callback_delivery() -> impl Strategy<Value = callback::Delivery> {
    (any::<u64>(), any::<u32>(), instant(), took(), received()).prop_map(
        |(callback, number, at, took, received)| callback::Delivery {
            callback: CallbackId(callback),
            number,
            at,
            took,
            received,
        },
    )
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    let key = (merchant_id(), protocol())
        .prop_map(|(merchant, protocol)| EndpointKey { merchant, protocol });
    (key, text(), text(), option::of(instant())).prop_map(|(key, url, secret, stopped_at)| {
        Endpoint { key, url, secret: Secret::new(secret), stopped_at }
    })
}

fn wanted() -> impl Strategy<Value = Preferences> {
    (merchant_id(), protocol(), preferences())
        .prop_map(|(merchant, protocol, values)| Preferences { merchant, protocol, values })
}

fn day_claim() -> impl Strategy<Value = (DayClaimKey, OrderId)> {
    (merchant_id(), any::<i64>(), text(), option::of(text()), any::<u64>()).prop_map(
        |(merchant, day, destination, product, order)| {
            let (day, product) = (BusinessDay::from_number(day), product.map(ProductId::new));
            (DayClaimKey { merchant, day, destination, product }, OrderId(order))
        },
    )
}

fn evidence() -> impl Strategy<Value = Evidence> {
    let state = prop_oneof![
        Just(EvidenceState::Open),
        any::<u64>().prop_map(|order| EvidenceState::Used(OrderId(order))),
        (select(&Doubtful::ALL[..]), transfer_id())
            .prop_map(|(reason, transfer)| EvidenceState::Suspended { reason, transfer }),
        option::of(merchant_id()).prop_map(EvidenceState::Released),
    ];
    let money = (text(), amount(), text(), text());
    (evidence_key(), money, instant(), instant(), state).prop_map(
        |(key, (channel, amount, sender, reference), came_in_at, seen_at, state)| Evidence {
            key,
            channel,
            amount,
            sender,
            reference,
            came_in_at,
            seen_at,
            state,
        },
    )
}

fn payer_reference() -> impl Strategy<Value = (PayerReferenceKey, OrderId)> {
    (text(), text(), any::<u64>())
        .prop_map(|(channel, text, order)| (PayerReferenceKey { channel, text }, OrderId(order)))
}

fn funding() -> impl Strategy<Value = Funding> {
    let direction = select(&[Direction::Credit, Direction::Debit][..]);
    (merchant_id(), text(), direction, amount(), text(), transfer_id(), instant()).prop_map(
        |(merchant, reference, direction, amount, reason, transfer, at)| Funding {
            key: FundingKey { merchant, reference },
            direction,
            amount,
            reason,
            transfer,
            at,
        },
    )
}

fn merchant() -> impl Strategy<Value = Merchant> {
    let status = select(&[MerchantStatus::Active, MerchantStatus::Suspended][..]);
    let limit = (any::<u32>(), any::<u32>())
        .prop_map(|(requests_per_second, burst)| RateLimit { requests_per_second, burst });
    let limits = (vec(text(), 0..3), option::of(limit), repetition());
    (merchant_id(), text(), currency(), text(), status, limits).prop_map(
        |(id, name, currency, level, status, (addresses, rate_limit, repetition))| Merchant {
            id,
            name,
            currency,
            level: Level(level),
            status,
            addresses,
            rate_limit,
            repetition,
        },
    )
}

fn credential() -> impl Strategy<Value = Credential> {
    let secrets = btree_map(text(), text().prop_map(Secret::new), 0..3);
    let times = (option::of(instant()), option::of(instant()));
    (merchant_id(), protocol(), text(), any::<u32>(), secrets, times).prop_map(
        |(merchant, protocol, identifier, serial, secrets, (expires_at, revoked_at))| Credential {
            merchant,
            protocol,
            identifier,
            serial,
            secrets,
            expires_at,
            revoked_at,
        },
    )
}

fn product() -> impl Strategy<Value = Product> {
    let alias = (protocol(), text()).prop_map(|(protocol, code)| Alias { protocol, code });
    let terms = (text(), option::of(protocol()), amount(), amount()).prop_map(
        |(level, protocol, admin_fee, commission)| Terms {
            level: Level(level),
            protocol,
            admin_fee,
            commission,
        },
    );
    let cut_off = (any::<u16>(), any::<u16>())
        .prop_map(|(from_minute, until_minute)| CutOff { from_minute, until_minute });
    let status = select(&[ProductStatus::Active, ProductStatus::Inactive][..]);
    let names = (text(), text(), text(), option::of(text()));
    let particular = (option::of(cut_off), option::of(top_up()), option::of(channel()));
    (names, status, vec(alias, 0..3), vec(terms, 0..3), particular).prop_map(
        |((id, name, group, province), status, aliases, terms, (cut_off, top_up, channel))| {
            Product {
                id: ProductId::new(id),
                name,
                group,
                province,
                status,
                aliases,
                terms,
                cut_off,
                top_up,
                channel,
            }
        },
    )
}

fn audit_record() -> impl Strategy<Value = AuditRecord> {
    let actor = (text(), select(&Role::ALL[..])).prop_map(|(name, role)| Actor { name, role });
    let facts = || btree_map(text(), text(), 0..3);
    let act = (select(&Action::ALL[..]), text(), facts(), facts());
    (any::<u64>(), instant(), actor, act, option::of(text()), hash()).prop_map(
        |(number, at, actor, (action, subject, before, after), request, hash)| AuditRecord {
            number: AuditNumber(number),
            at,
            actor,
            action,
            subject,
            before,
            after,
            request,
            hash,
        },
    )
}

fn kept_answer() -> impl Strategy<Value = KeptAnswer> {
    let standing = (any::<u64>(), key(), state()).prop_map(|(order, key, state)| Standing {
        order: OrderId(order),
        key,
        state,
    });
    let funded = (funding(), minor()).prop_map(|(funding, balance)| {
        let balance = domain::Amount::new(balance, funding.amount.currency()).expect("positive");
        Effect::Funded { funding, balance }
    });
    let effect = prop_oneof![
        merchant().prop_map(Effect::Merchant).boxed(),
        credential().prop_map(Effect::Credential).boxed(),
        product().prop_map(Effect::Product).boxed(),
        funded.boxed(),
        standing.prop_map(Effect::Resolved).boxed(),
        endpoint().prop_map(Effect::Endpoint).boxed(),
        any::<u64>().prop_map(|callback| Effect::Resent(CallbackId(callback))).boxed(),
        wanted().prop_map(Effect::Preferences).boxed(),
        (evidence(), option::of(merchant_id()))
            .prop_map(|(evidence, merchant)| {
                let state = EvidenceState::Released(merchant);
                Effect::Released(Evidence { state, ..evidence })
            })
            .boxed(),
    ];
    (text(), text(), any::<[u8; 32]>(), any::<u64>(), effect).prop_map(
        |(actor, text, fingerprint, audit, effect)| KeptAnswer {
            key: RequestKey { actor, text },
            fingerprint,
            audit: AuditNumber(audit),
            effect,
        },
    )
}

/// Changes of every kind. Each part is on the heap, because all of them do not fit on a test's stack.
pub(super) fn changes() -> impl Strategy<Value = Changes> {
    let books = (vec(account(), 0..3), vec(transfer(), 0..3), vec(funding(), 0..3)).boxed();
    let orders = (vec(order(), 0..3), vec(order(), 0..3)).boxed();
    let catalogue = (vec(merchant(), 0..3), vec(credential(), 0..3), vec(product(), 0..3)).boxed();
    let administration = (vec(audit_record(), 0..3), vec(kept_answer(), 0..3)).boxed();
    let news = (vec(callback(), 0..2), vec(callback_delivery(), 0..2)).boxed();
    let merchants = (vec(endpoint(), 0..2), vec(wanted(), 0..2)).boxed();
    let claims =
        (vec(day_claim(), 0..2), vec(payer_reference(), 0..2), vec(evidence(), 0..2)).boxed();
    let by_id = |orders: Vec<Order>| {
        orders.into_iter().map(|order| (order.id, Arc::new(order))).collect::<BTreeMap<_, _>>()
    };
    (books, orders, catalogue, administration, news, merchants, claims).prop_map(
        move |(books, orders, catalogue, administration, news, merchants, claims)| Changes {
            accounts: books.0.into_iter().map(|account| (account.id, account)).collect(),
            transfers: books.1,
            new_orders: by_id(orders.0),
            orders: by_id(orders.1),
            fundings: books.2,
            merchants: catalogue.0,
            credentials: catalogue.1,
            products: catalogue.2,
            audit_records: administration.0,
            kept_answers: administration.1,
            callbacks: news.0.into_iter().map(|callback| (callback.id, callback)).collect(),
            deliveries: news.1,
            endpoints: merchants.0.into_iter().map(|it| (it.key.clone(), it)).collect(),
            day_claims: claims.0.into_iter().collect(),
            evidence: claims.2.into_iter().map(|it| (it.key.clone(), it)).collect(),
            payer_references: claims.1.into_iter().collect(),
            preferences: merchants.1,
        },
    )
}
