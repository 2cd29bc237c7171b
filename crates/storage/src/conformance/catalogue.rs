//! Merchants, credentials and products.

use std::collections::BTreeMap;

use domain::product::CutOff;
use domain::{
    Alias, Credential, Level, Merchant, MerchantStatus, Product, ProductStatus, Secret, Terms,
};
use gateway::Catalogue;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::arbitrary::{amount, currency, sample, text};
use super::*;

fn merchants() -> impl Strategy<Value = (String, Currency, String, bool)> {
    (text(), currency(), text(), any::<bool>())
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
    (names, any::<bool>(), vec(alias, 0..4), vec(terms, 0..4), option::of(cut_off)).prop_map(
        |((name, group, province), active, aliases, terms, cut_off)| Product {
            id: ProductId::new(""),
            name,
            group,
            province,
            status: if active { ProductStatus::Active } else { ProductStatus::Inactive },
            aliases,
            terms,
            cut_off,
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
    for (number, (name, currency, level, active)) in (1..).zip(sample(&merchants(), 16)) {
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
