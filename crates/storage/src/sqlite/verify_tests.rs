use std::sync::Arc;

use domain::posting::Direction;
use domain::{
    Amount, Command, Credential, Currency, Level, Merchant, MerchantId, MerchantStatus, Order,
    Outcome, Product, ProductId, ProductStatus, ProtocolName, Refusal, Reply,
};

use super::super::{Options, connect_to_write, open};
use super::*;
use crate::Opened;
use crate::conformance::{TOKO, accept, delivered, fund, key, quote, resolve};
use crate::scratch::{Counting, Scratch};

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}

async fn reply(opened: &Opened, command: Command) -> Reply {
    opened.store.execute(command, None).await.expect("no fault").expect("no refusal")
}

/// Some of everything: orders 1 delivered, 2 refused, 3 held, 4 quoted.
async fn fill(opened: &Opened) {
    let merchant = Merchant {
        id: MerchantId(1),
        name: "Toko Contoh".to_owned(),
        currency: Currency::Idr,
        level: Level("retail".to_owned()),
        status: MerchantStatus::Active,
        addresses: Vec::new(),
        rate_limit: None,
        repetition: domain::Repetition::Free,
    };
    reply(opened, Command::PutMerchant(merchant)).await;
    let credential = Credential {
        merchant: MerchantId(1),
        protocol: ProtocolName::new("iak"),
        identifier: "081200001111".to_owned(),
        serial: 1,
        secrets: std::collections::BTreeMap::new(),
        expires_at: None,
        revoked_at: None,
    };
    reply(opened, Command::PutCredential(credential)).await;
    let product = Product {
        id: ProductId::new("pln"),
        name: "PLN".to_owned(),
        group: "pln".to_owned(),
        province: None,
        status: ProductStatus::Active,
        aliases: Vec::new(),
        terms: Vec::new(),
        cut_off: None,
        top_up: None,
        channel: None,
    };
    reply(opened, Command::PutProduct(product)).await;
    reply(opened, fund(TOKO, "f1", Direction::Credit, Amount::rupiah(10_000))).await;
    let outcomes = [Some(delivered(900)), Some(Outcome::Refused(Refusal::PaymentFailed)), None];
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let order = quoted(opened, &format!("r{number}")).await;
        reply(opened, accept(&order)).await;
        if let Some(outcome) = outcome {
            reply(opened, resolve(&order, outcome)).await;
        }
    }
    quoted(opened, "r3").await;
}

async fn quoted(opened: &Opened, reference: &str) -> Arc<Order> {
    match reply(opened, quote(key(TOKO, reference), Amount::rupiah(1000))).await {
        Reply::Inquired { order, .. } => order,
        other => panic!("{other:?}"),
    }
}

fn filled() -> Scratch {
    let scratch = Scratch::new();
    let opened = open(scratch.path(), Options::default(), &Counting).expect("opened");
    block_on(async {
        fill(&opened).await;
        opened.shutdown.shutdown().await;
    });
    scratch
}

/// One row per way to tamper, and the record that the audit names.
#[test]
fn every_damage_is_found_and_named() {
    let table = [
        (
            "update accounts set credits_posted_minor = credits_posted_minor + 1 where id = 2",
            "account 2",
        ),
        ("update accounts set latest_hash = zeroblob(32) where id = 1", "account 1"),
        ("update accounts set latest_hash = zeroblob(31) where id = 1", "account 1"),
        ("update accounts set latest_transfer = null where id = 1", "account 1"),
        ("update accounts set debits_posted_minor = -1 where id = 1", "account 1"),
        ("update accounts set role = 'purse' where id = 1", "account 1"),
        ("update accounts set owner = '01' where role = 'merchant'", "account "),
        ("update accounts set currency = 'XXX' where id = 1", "account 1"),
        ("update transfers set amount_minor = 9999 where id = 1", "transfer 1"),
        ("update transfers set amount_minor = -1 where id = 2", "transfer 2"),
        ("update transfers set at_ms = at_ms + 1 where id = 3", "transfer 3"),
        ("update transfers set kind = 'gift' where id = 1", "transfer 1"),
        ("update transfers set kind = 'void' where kind = 'post'", "transfer "),
        ("update transfers set hold = null where kind = 'post'", "transfer "),
        ("update transfers set order_id = 3 where id = 2", "transfer 2"),
        ("update transfers set hash = zeroblob(32) where id = 2", "transfer 2"),
        ("update transfers set debit = 77 where id = 2", "transfer 2"),
        ("update transfers set currency = 'USD' where id = 2", "transfer 2"),
        ("update transfers set id = -5 where id = 1", "transfer"),
        ("delete from transfers where id = 2", "transfer "),
        ("delete from orders where id = 3", "transfer "),
        ("update orders set state = 'succeeded' where id = 3", "order 3"),
        ("update orders set state = 'dreaming' where id = 3", "order 3"),
        ("update orders set refusal = 'Whim' where id = 2", "order 2"),
        ("update orders set refusal = null where id = 2", "order 2"),
        ("update orders set mode = 'play' where id = 1", "order 1"),
        ("update orders set kind = 'gift' where id = 1", "order 1"),
        ("update orders set merchant = -1 where id = 1", "order 1"),
        ("update orders set fingerprint = x'00' where id = 1", "order 1"),
        ("update orders set charge_minor = -1 where id = 1", "order 1"),
        ("update orders set price_minor = null where id = 1", "order 1"),
        ("update orders set currency = null where id = 1", "order 1"),
        ("update orders set bill = 'nonsense' where id = 1", "order 1"),
        ("update orders set holds = '[' where id = 1", "order 1"),
        ("update orders set holds = '[]' where id = 3", "order 3"),
        ("update orders set holds = replace(holds, '1000', '1001') where id = 3", "order 3"),
        ("update orders set attempts = '{}' where id = 1", "order 1"),
        (
            "update orders set attempts = replace(attempts, 'refused', 'tired') where id = 2",
            "order 2",
        ),
        ("update orders set serial_number = null where id = 1", "order 1"),
        ("update orders set delivery_details = '{}' where id = 1", "order 1"),
        ("update fundings set direction = 'up'", "funding of merchant 1"),
        ("update fundings set amount_minor = -1", "funding of merchant 1"),
        ("update merchants set status = 'asleep'", "merchant 1"),
        ("update credentials set merchant = -1", "credential 081200001111 of iak"),
        ("update products set terms = ''", "product pln"),
        ("update products set cut_off_from_minute = 1", "product pln"),
    ];
    let scratch = filled();
    verify(scratch.path()).expect("in order");
    for (tampering, record) in table {
        let tampered = scratch.copied();
        let vandal = connect_to_write(tampered.path()).expect("connected");
        vandal
            .execute_batch("pragma ignore_check_constraints = on; pragma foreign_keys = off")
            .expect("set");
        assert!(
            vandal.execute(tampering, []).expect(tampering) > 0,
            "{tampering}: nothing changed"
        );
        drop(vandal);
        match verify(tampered.path()) {
            Err(VerifyFault::Finding(finding)) => {
                assert!(finding.record.starts_with(record), "{tampering}: {finding}");
            }
            other => panic!("{tampering}: {other:?}"),
        }
    }
}

/// Overwrites each page of the file in turn. Reading never panics, and pages that hold records are
/// found.
#[test]
fn a_damaged_file_is_a_finding() {
    let scratch = filled();
    let size = std::fs::metadata(scratch.path().join(DATABASE_FILE)).expect("there").len();
    let mut found = 0;
    let pages = usize::try_from(size / 4096).expect("small");
    for page in 0..pages {
        let damaged = scratch.copied();
        let file = damaged.path().join(DATABASE_FILE);
        let mut content = std::fs::read(&file).expect("readable");
        content[page * 4096..][..4096].fill(0xab);
        std::fs::write(&file, content).expect("written");
        match verify(damaged.path()) {
            Ok(_) => {}
            Err(VerifyFault::Finding(_) | VerifyFault::NotOpened(OpenFault::Damaged { .. })) => {
                found += 1;
            }
            Err(other) => panic!("page {page}: {other}"),
        }
    }
    assert_eq!(found, pages);
}

#[test]
fn an_audit_runs_beside_a_server_and_sees_what_was_committed() {
    let scratch = Scratch::new();
    let opened = open(scratch.path(), Options::default(), &Counting).expect("opened");
    block_on(async {
        assert_eq!(verify(scratch.path()).expect("in order"), Summary::default());
        fill(&opened).await;
        let summary = verify(scratch.path()).expect("in order");
        assert_eq!((summary.orders, summary.open_holds), (4, 1));
        for number in 0..20 {
            quoted(&opened, &format!("more {number}")).await;
            assert_eq!(verify(scratch.path()).expect("in order").orders, 5 + number);
        }
        opened.shutdown.shutdown().await;
    });
    assert_eq!(verify(scratch.path()).expect("in order").orders, 24);
}

#[test]
fn an_audit_changes_nothing() {
    let scratch = filled();
    let file = scratch.path().join(DATABASE_FILE);
    let before = std::fs::read(&file).expect("readable");
    verify(scratch.path()).expect("in order");
    assert!(std::fs::read(&file).expect("readable") == before);
    // Nor does it keep a server away.
    let opened = open(scratch.path(), Options::default(), &Counting).expect("opened");
    block_on(opened.shutdown.shutdown());
}

#[test]
fn where_there_is_nothing_nothing_is_made() {
    let scratch = Scratch::new();
    let fault = verify(scratch.path()).expect_err("nothing there");
    assert!(matches!(fault, VerifyFault::NotOpened(OpenFault::Missing { .. })), "{fault}");
    assert!(!scratch.path().exists());
}
