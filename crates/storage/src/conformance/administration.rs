//! What operators do and look at.

use std::collections::BTreeMap;

use domain::administration::{
    Act, Actor, Administer, AuditNumber, CredentialKey, Effect, NamedRequest, NewCredential,
    NewMerchant, Objection, RequestKey, Role,
};
use domain::{Alias, Level, MerchantStatus, Product, ProductStatus, RateLimit, Secret, TransferId};
use gateway::ports::OrderFilter;

use super::*;

fn by(name: &str, content: u8, act: Act) -> Command {
    Command::Administer(Administer {
        actor: Actor { name: "ana".to_owned(), role: Role::Administrator },
        request: Some(NamedRequest { text: name.to_owned(), fingerprint: [content; 32] }),
        at: NOW,
        act,
    })
}

fn add_merchant() -> Act {
    Act::AddMerchant(NewMerchant {
        name: "Toko Baru".to_owned(),
        currency: Currency::Idr,
        level: Level("retail".to_owned()),
    })
}

fn add_credential(merchant: MerchantId, identifier: &str) -> Act {
    Act::AddCredential(NewCredential {
        merchant,
        key: CredentialKey {
            protocol: ProtocolName::new("iak"),
            identifier: identifier.to_owned(),
        },
        secrets: BTreeMap::from([("api_key".to_owned(), Secret::new("canary-0123456789"))]),
        expires_at: Some(LATER),
        previous_expires_at: Some(ASK_AT),
    })
}

fn product(id: &str, code: &str) -> Act {
    Act::PutProduct(Product {
        id: ProductId::new(id),
        name: "PLN".to_owned(),
        group: "pln".to_owned(),
        province: None,
        status: ProductStatus::Active,
        aliases: vec![Alias { protocol: ProtocolName::new("iak"), code: code.to_owned() }],
        terms: Vec::new(),
        cut_off: None,
        top_up: None,
        channel: None,
    })
}

fn objection(answer: Reply) -> Objection {
    match answer {
        Reply::Objected(objection) => objection,
        other => panic!("{other:?}"),
    }
}

/// Every act, each after the data was closed and opened, so that nothing rests on memory.
pub(crate) async fn acts_build_on_what_is_stored<S: Subject>(world: &mut World<S>) {
    let acts = [
        add_merchant(),
        add_merchant(),
        Act::SetMerchantStatus { merchant: WARUNG, status: MerchantStatus::Suspended },
        Act::SetAddresses { merchant: WARUNG, addresses: vec!["10.0.0.0/8".to_owned()] },
        Act::SetRateLimit {
            merchant: WARUNG,
            rate_limit: Some(RateLimit { requests_per_second: 2, burst: 4 }),
        },
        add_credential(TOKO, "a"),
        add_credential(TOKO, "a"),
        Act::RevokeCredential {
            merchant: TOKO,
            key: CredentialKey { protocol: ProtocolName::new("iak"), identifier: "a".to_owned() },
            serial: 1,
        },
        product("pln", "PLN"),
        Act::SetProductStatus { product: ProductId::new("pln"), status: ProductStatus::Inactive },
    ];
    for (index, act) in acts.into_iter().enumerate() {
        let name = format!("request {index}");
        let first = world.reply(by(&name, 1, act.clone())).await;
        world.reopen().await;
        let Reply::Administered { audit, effect, repeated: true } =
            world.reply(by(&name, 1, act.clone())).await
        else {
            panic!("{name} is carried out twice");
        };
        assert_eq!(first, Reply::Administered { audit, effect, repeated: false });
        assert_eq!(objection(world.reply(by(&name, 2, act)).await), Objection::RequestKeyReused);
    }
    let taken = world.reply(by("taken", 1, add_credential(WARUNG, "a"))).await;
    assert_eq!(objection(taken), Objection::IdentifierTaken);
    let held = world.reply(by("held", 1, product("other", "PLN"))).await;
    assert!(matches!(objection(held), Objection::AliasTaken { .. }));
    let read = world.opened.reports.catalogue().await.expect("no fault");
    let merchant = read.merchant(WARUNG).expect("added");
    assert_eq!(merchant.status, MerchantStatus::Suspended);
    assert_eq!(merchant.addresses, ["10.0.0.0/8"]);
    assert_eq!(merchant.rate_limit, Some(RateLimit { requests_per_second: 2, burst: 4 }));
    let live = read.credentials("iak", "a");
    assert_eq!(live.iter().map(|it| it.serial).collect::<Vec<_>>(), [2]);
    assert_eq!(live[0].secrets["api_key"].reveal(), "canary-0123456789");
    assert_eq!(live[0].expires_at, Some(LATER));
    let product = read.product(&ProductId::new("pln")).expect("put");
    assert_eq!(product.status, ProductStatus::Inactive);
    assert_eq!(world.audit().audit_records, 10);
}

/// Acts of one batch see each other.
pub(crate) async fn acts_of_a_crowd_keep_the_rules<S: Subject>(world: &mut World<S>) {
    world.reply(by("toko", 1, add_merchant())).await;
    world.reply(by("warung", 1, add_merchant())).await;
    let merchants = [TOKO, WARUNG, TOKO, WARUNG, TOKO, TOKO];
    let issued = merchants.iter().enumerate().map(|(index, merchant)| {
        world.reply(by(&format!("key {index}"), 1, add_credential(*merchant, "a")))
    });
    let issued = all(issued).await;
    let done = issued.iter().filter(|it| matches!(it, Reply::Administered { .. })).count();
    assert_eq!(done, 2, "{issued:?}");
    let same = (0..8).map(|_| world.reply(by("once", 1, add_merchant())));
    let first = all(same).await;
    let fresh = |it: &&Reply| matches!(it, Reply::Administered { repeated: false, .. });
    assert_eq!(first.iter().filter(fresh).count(), 1, "{first:?}");
    assert_eq!(world.audit().audit_records, 5);
}

pub(crate) async fn answers_are_kept_and_found<S: Subject>(world: &mut World<S>) {
    world.reply(by("toko", 9, add_merchant())).await;
    world.reply(by("key", 7, add_credential(TOKO, "a"))).await;
    world.reopen().await;
    let key = |text: &str| RequestKey { actor: "ana".to_owned(), text: text.to_owned() };
    let kept = world.opened.store.kept_answer(&key("key")).await.expect("no fault");
    let kept = kept.expect("kept");
    assert_eq!((kept.fingerprint, kept.audit), ([7; 32], AuditNumber(2)));
    let Effect::Credential(credential) = kept.effect else { panic!("{kept:?}") };
    assert_eq!(credential.secrets["api_key"].reveal(), "canary-0123456789");
    assert_eq!(world.opened.store.kept_answer(&key("other")).await, Ok(None));
    let stranger = RequestKey { actor: "budi".to_owned(), ..key("key") };
    assert_eq!(world.opened.store.kept_answer(&stranger).await, Ok(None));
}

pub(crate) async fn audit_records_are_listed_in_parts<S: Subject>(world: &mut World<S>) {
    for index in 0..5 {
        world.reply(by(&format!("request {index}"), 1, add_merchant())).await;
    }
    world.reopen().await;
    let mut numbers = Vec::new();
    let mut before = None;
    loop {
        let page = world.opened.reports.audit_records(before, 2).await.expect("no fault");
        assert!(page.items.len() <= 2);
        numbers.extend(page.items.iter().map(|record| record.number.0));
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(numbers, [5, 4, 3, 2, 1]);
}

async fn browse<S: Subject>(world: &World<S>, filter: OrderFilter) -> Vec<u64> {
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let page = world.opened.reports.orders(&filter, before, 2).await.expect("no fault");
        found.extend(page.items.iter().map(|order| order.id.0));
        before = page.next;
        if before.is_none() {
            return found;
        }
    }
}

pub(crate) async fn orders_are_browsed_newest_first<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 10_000).await;
    for number in 1..=3 {
        world.quoted(TOKO, &format!("r{number}"), 100).await;
        world.quoted(WARUNG, &format!("r{number}"), 100).await;
    }
    world.accepted(TOKO, "held", 100).await;
    world.reopen().await;
    let any = OrderFilter::default;
    let state = |name: &str| Some(name.to_owned());
    let table: [(OrderFilter, &[u64]); 9] = [
        (any(), &[7, 6, 5, 4, 3, 2, 1]),
        (OrderFilter { merchant: Some(WARUNG), ..any() }, &[6, 4, 2]),
        (OrderFilter { state: state("processing"), ..any() }, &[7]),
        (OrderFilter { reference: Some("r2".to_owned()), ..any() }, &[4, 3]),
        (OrderFilter { reference: Some("r2".to_owned()), merchant: Some(TOKO), ..any() }, &[3]),
        (
            OrderFilter { destination: Some("530000000001".to_owned()), ..any() },
            &[7, 6, 5, 4, 3, 2, 1],
        ),
        (OrderFilter { destination: Some("1".to_owned()), ..any() }, &[]),
        (OrderFilter { from: Some(LATER), ..any() }, &[]),
        (OrderFilter { until: Some(NOW), ..any() }, &[]),
    ];
    for (filter, expected) in table {
        assert_eq!(browse(world, filter.clone()).await, expected, "{filter:?}");
    }
}

pub(crate) async fn transfers_are_followed_along_their_links<S: Subject>(world: &mut World<S>) {
    world.fund(TOKO, "f1", 10_000).await;
    let sold = world.accepted(TOKO, "sold", 300).await;
    let held = world.accepted(TOKO, "held", 200).await;
    let quoted = world.quoted(TOKO, "quoted", 100).await;
    world.reply(resolve(&sold, delivered(250))).await;
    world.fund(WARUNG, "f1", 10_000).await;
    world.reopen().await;
    let reports = &world.opened.reports;
    let table: [(&Order, &[u64]); 3] = [(&sold, &[2, 4, 5, 6]), (&held, &[3]), (&quoted, &[])];
    for (order, expected) in table {
        let order = world.order(order.id).await;
        let transfers = reports.transfers_of_order(&order).await.expect("no fault");
        let numbers: Vec<_> = transfers.iter().map(|transfer| transfer.id.0).collect();
        assert_eq!(numbers, expected, "order {}", order.id);
    }
    let toko = AccountKey::merchant(TOKO, Currency::Idr);
    let mut numbers = Vec::new();
    let mut from = None;
    loop {
        let page = reports.transfers_of_account(&toko, from, 2).await.expect("no fault");
        let page = page.expect("its own");
        numbers.extend(page.items.iter().map(|transfer| transfer.id.0));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(numbers, [4, 3, 2, 1]);
    for stray in [5, 7, 99] {
        let page = reports.transfers_of_account(&toko, Some(TransferId(stray)), 2).await;
        assert_eq!(page, Ok(None), "{stray}");
    }
    let nobody = AccountKey::merchant(MerchantId(9), Currency::Idr);
    let page = reports.transfers_of_account(&nobody, None, 2).await.expect("no fault");
    assert_eq!(page.expect("empty").items, []);
    let page = reports.transfers_of_account(&nobody, Some(TransferId(1)), 2).await;
    assert_eq!(page, Ok(None));
}
