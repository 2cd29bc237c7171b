//! Merchants, credentials and products.

use std::collections::BTreeMap;

use domain::product::CutOff;
use domain::{
    Alias, Credential, Endpoint, EndpointKey, Level, Merchant, MerchantStatus, Preferences,
    Product, ProductStatus, Repetition, Secret, Terms,
};
use gateway::Catalogue;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::arbitrary::{
    amount, channel, currency, instant, preferences, repetition, sample, text, top_up,
};
use super::*;

fn merchants() -> impl Strategy<Value = (String, Currency, String, bool, Repetition)> {
    (text(), currency(), text(), any::<bool>(), repetition())
}

fn secrets() -> impl Strategy<Value = BTreeMap<String, Secret>> {
    btree_map(text(), text().prop_map(Secret::new), 0..4)
}

fn product() -> impl Strategy<Value = Product> {
    let alias = (text(), text())
        .prop_map(|(protocol, code)| Alias { protocol: ProtocolName::new(protocol), code });
    let terms = (text(), option::of(text()), amount(), amount()).prop_map(
        |(level, protocol, admin_fee, commission)| Terms {
            level: Level(level),
            protocol: protocol.map(ProtocolName::new),
            admin_fee,
            commission,
        },
    );
    let cut_off = (any::<u16>(), any::<u16>())
        .prop_map(|(from_minute, until_minute)| CutOff { from_minute, until_minute });
    let names = (text(), text(), option::of(text()));
    let particular = (option::of(cut_off), option::of(top_up()), option::of(channel()));
    (names, any::<bool>(), vec(alias, 0..4), vec(terms, 0..4), particular).prop_map(
        |((name, group, province), active, aliases, terms, (cut_off, top_up, channel))| Product {
            id: ProductId::new(""),
            name,
            group,
            province,
            status: if active { ProductStatus::Active } else { ProductStatus::Inactive },
            aliases,
            terms,
            cut_off,
            top_up,
            channel,
        },
    )
}

/// The catalogue once it holds what `complete` looks for; lists may lag by a second.
async fn catalogue<S>(world: &World<S>, complete: impl Fn(&Catalogue) -> bool) -> Catalogue {
    let started = std::time::Instant::now();
    loop {
        let catalogue = world.opened.reports.catalogue().await.expect("no fault");
        if complete(&catalogue) {
            return catalogue;
        }
        assert!(started.elapsed().as_secs() < 10, "the catalogue is not complete");
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn a_catalogue_comes_back_as_it_was<S: Subject>(world: &mut World<S>) {
    assert!(world.opened.reports.catalogue().await.expect("no fault").is_empty());
    let mut merchants_put = Vec::new();
    for (number, (name, currency, level, active, repetition)) in (1..).zip(sample(&merchants(), 16))
    {
        let status = if active { MerchantStatus::Active } else { MerchantStatus::Suspended };
        let id = MerchantId(number);
        merchants_put.push(Merchant {
            id,
            name,
            currency,
            level: Level(level),
            status,
            addresses: Vec::new(),
            rate_limit: None,
            repetition,
        });
    }
    let mut credentials_put = Vec::new();
    for (number, secrets) in (1..).zip(sample(&secrets(), 16)) {
        credentials_put.push(Credential {
            merchant: MerchantId(number),
            protocol: ProtocolName::new("iak"),
            // Two to an identifier, as during a rotation.
            identifier: format!("identifier {}", number / 2),
            serial: number,
            secrets,
            expires_at: None,
            revoked_at: None,
        });
    }
    let mut products_put = Vec::new();
    for (number, mut product) in sample(&product(), 32).into_iter().enumerate() {
        product.id = ProductId::new(format!("product {number}"));
        product
            .aliases
            .push(Alias { protocol: ProtocolName::new("iak"), code: format!("code {number}") });
        products_put.push(product);
    }
    let commands = merchants_put
        .iter()
        .cloned()
        .map(Command::PutMerchant)
        .chain(credentials_put.iter().cloned().map(Command::PutCredential))
        .chain(products_put.iter().cloned().map(Command::PutProduct));
    for command in commands {
        assert_eq!(world.reply(command).await, Reply::Stored);
    }
    world.reopen().await;
    let last = products_put.last().expect("some").id.clone();
    let read = catalogue(world, |catalogue| catalogue.product(&last).is_some()).await;
    for merchant in &merchants_put {
        assert_eq!(read.merchant(merchant.id).map(Arc::as_ref), Some(merchant));
    }
    for credential in &credentials_put {
        let live = read.credentials("iak", &credential.identifier);
        assert!(live.iter().any(|it| it.as_ref() == credential), "{credential:?}");
    }
    for (number, product) in products_put.iter().enumerate() {
        assert_eq!(read.product(&product.id).map(Arc::as_ref), Some(product));
        let by_code = read.product_by_code("iak", &format!("code {number}"));
        assert_eq!(by_code.map(Arc::as_ref), Some(product));
    }
}

pub(crate) async fn what_is_put_again_is_replaced<S: Subject>(world: &mut World<S>) {
    let merchant = |name: &str, status| Merchant {
        id: TOKO,
        name: name.to_owned(),
        currency: Currency::Idr,
        level: Level("retail".to_owned()),
        status,
        addresses: Vec::new(),
        rate_limit: None,
        repetition: Repetition::Free,
    };
    let credential = |secret: &str| Credential {
        merchant: TOKO,
        protocol: ProtocolName::new("iak"),
        identifier: "081200001111".to_owned(),
        serial: 1,
        secrets: BTreeMap::from([("api_key".to_owned(), Secret::new(secret))]),
        expires_at: None,
        revoked_at: None,
    };
    let product = |aliases: &[&str]| Product {
        id: ProductId::new("pln-postpaid"),
        name: "PLN".to_owned(),
        group: "pln".to_owned(),
        province: None,
        status: ProductStatus::Active,
        aliases: aliases
            .iter()
            .map(|code| Alias { protocol: ProtocolName::new("iak"), code: (*code).to_owned() })
            .collect(),
        terms: Vec::new(),
        cut_off: None,
        top_up: None,
        channel: None,
    };
    world.reply(Command::PutMerchant(merchant("Toko", MerchantStatus::Active))).await;
    world.reply(Command::PutCredential(credential("old"))).await;
    world.reply(Command::PutProduct(product(&["PLN", "PLNPOST"]))).await;
    let renamed = merchant("Toko Contoh", MerchantStatus::Suspended);
    world.reply(Command::PutMerchant(renamed.clone())).await;
    world.reply(Command::PutCredential(credential("new"))).await;
    world.reply(Command::PutProduct(product(&["PLN"]))).await;
    world.reopen().await;
    let read = catalogue(world, |catalogue| {
        catalogue.merchant(TOKO).is_some_and(|it| **it == renamed)
            && catalogue.product_by_code("iak", "PLNPOST").is_none()
    })
    .await;
    let live = read.credentials("iak", "081200001111");
    assert_eq!(live.iter().map(Arc::as_ref).collect::<Vec<_>>(), [&credential("new")]);
    assert!(read.product_by_code("iak", "PLN").is_some());
}

pub(crate) async fn addresses_and_preferences_come_back_as_they_were<S: Subject>(
    world: &mut World<S>,
) {
    let values = (text(), text(), option::of(instant()), preferences());
    let (mut endpoints, mut wanted) = (BTreeMap::new(), BTreeMap::new());
    // The later half is about the same merchants and protocols as the earlier one.
    for (number, (url, secret, stopped_at, values)) in sample(&values, 32).into_iter().enumerate() {
        let number = u32::try_from(number % 16).expect("small");
        let protocol = ProtocolName::new(["iak", "isikuota"][usize::from(number % 2 == 1)]);
        let key = EndpointKey { merchant: MerchantId(number / 2), protocol: protocol.clone() };
        let endpoint = Endpoint { key: key.clone(), url, secret: Secret::new(secret), stopped_at };
        let preferences = Preferences { merchant: key.merchant, protocol, values };
        world.reply(Command::PutEndpoint(endpoint.clone())).await;
        world.reply(Command::PutPreferences(preferences.clone())).await;
        endpoints.insert(key.clone(), endpoint);
        wanted.insert(key, preferences);
        if number == 8 {
            world.reopen().await;
        }
    }
    for reopened in [false, true] {
        if reopened {
            world.reopen().await;
        }
        let read = world.opened.reports.catalogue().await.expect("no fault");
        for (key, endpoint) in &endpoints {
            assert_eq!(read.endpoint(key).map(Arc::as_ref), Some(endpoint));
            let read = read.preferences(key).map(Arc::as_ref);
            assert_eq!(read, wanted.get(key), "{key:?}");
        }
        let mine: Vec<_> = read.endpoints_of(MerchantId(3)).map(|it| it.key.clone()).collect();
        assert_eq!(mine.len(), 2, "{mine:?}");
    }
}
