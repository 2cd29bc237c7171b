use domain::{Amount, Reply};

use super::super::{OpenFault, Options, connect_to_read, connect_to_write, open, verify};
use super::*;
use crate::Opened;
use crate::conformance::{TOKO, all, key, quote};
use crate::scratch::{Counting, Scratch};

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}

fn opened(scratch: &Scratch) -> Opened {
    open(scratch.path(), Options::default(), &Counting).expect("opened")
}

fn edit(scratch: &Scratch, sql: &str) {
    let editor = connect_to_write(scratch.path()).expect("connected");
    assert!(editor.execute(sql, []).expect(sql) > 0, "{sql}: nothing changed");
}

/// Quotes orders under these references and tells which were new.
async fn claimed(opened: &Opened, references: impl IntoIterator<Item = String>) -> Vec<bool> {
    let quotes = references.into_iter().map(|it| quote(key(TOKO, &it), Amount::rupiah(100)));
    let answers = all(quotes.map(|it| opened.store.execute(it, None))).await;
    let repeated = |answer| match answer {
        Ok(Ok(Reply::Inquired { repeated, .. })) => !repeated,
        other => panic!("{other:?}"),
    };
    answers.into_iter().map(repeated).collect()
}

/// Data in which 64 orders make a generation, with 300 orders: four generations are sealed.
fn filled() -> Scratch {
    let scratch = Scratch::new();
    block_on(opened(&scratch).shutdown.shutdown());
    edit(&scratch, "update meta set generation_bits = 6");
    let opened = opened(&scratch);
    block_on(async {
        // In several commits, so that generations end within some and between others.
        for part in 0..6 {
            let references = (0..50).map(|number| format!("r{}", part * 50 + number));
            assert!(claimed(&opened, references).await.into_iter().all(|new| new));
        }
        opened.shutdown.shutdown().await;
    });
    scratch
}

/// Every reference is found and none is given out twice.
fn check(scratch: &Scratch) {
    let opened = opened(scratch);
    block_on(async {
        for number in 0..300 {
            let key = key(TOKO, &format!("r{number}"));
            let order = opened.store.order_by_reference(&key).await.expect("read");
            assert_eq!(order.map(|it| it.key.clone()), Some(key));
        }
        let absent = opened.store.order_by_reference(&key(TOKO, "absent")).await.expect("read");
        assert_eq!(absent, None);
        let again = claimed(&opened, (0..300).map(|number| format!("r{number}"))).await;
        assert_eq!(again.iter().filter(|new| **new).count(), 0);
        let named = opened.reports.orders_named("r7", 10).await.expect("read");
        assert_eq!(named.len(), 1);
        opened.shutdown.shutdown().await;
    });
}

#[test]
fn references_of_every_generation_are_found_also_after_opening_again() {
    let scratch = filled();
    assert_eq!(verify(scratch.path()).expect("in order").orders, 300);
    let connection = connect_to_read(scratch.path()).expect("connected");
    let sealed: i64 = connection
        .query_row("select count(*) from reference_filters", [], |row| row.get(0))
        .expect("counted");
    assert_eq!(sealed, 4);
    drop(connection);
    check(&scratch);
}

/// Filters only save work: without them, and with ones that take every key for present, the same
/// references are found.
#[test]
fn filters_that_say_nothing_change_no_answer() {
    let useless = vec![0xff; 64 * 2];
    let digest: String =
        Sha256::digest(&useless).iter().map(|byte| format!("{byte:02x}")).collect();
    let table = [
        "delete from reference_filters where generation = 1".to_owned(),
        "update reference_filters set bits = zeroblob(128)".to_owned(),
        "update reference_filters set digest = zeroblob(32) where generation = 0".to_owned(),
        format!(
            "update reference_filters set bits = x'{}', digest = x'{digest}'",
            "ff".repeat(128)
        ),
    ];
    for edited in table {
        let scratch = filled();
        edit(&scratch, &edited);
        check(&scratch);
        match verify(scratch.path()).expect_err("edited") {
            super::super::VerifyFault::Finding(finding) => {
                assert!(finding.record.starts_with("references of generation "), "{finding}");
            }
            other => panic!("{edited}: {other}"),
        }
    }
}

/// Memory alone says so of almost every new reference, of none that is taken, and of nothing while
/// somebody notes what is new.
#[test]
fn a_new_reference_is_told_apart_in_memory() {
    let scratch = filled();
    let connection = connect_to_read(scratch.path()).expect("connected");
    let references = References::open(&connection).expect("opened");
    for number in 0..300 {
        assert!(!references.is_free(&key(TOKO, &format!("r{number}"))), "{number}");
    }
    let new = (0..1000).map(|number| key(TOKO, &format!("new{number}")));
    assert!(new.filter(|key| references.is_free(key)).count() > 900);
    let _noting = references.known.write().expect("whole");
    assert!(!references.is_free(&key(TOKO, "new1")));
}

/// A claim is a hint: the row of the order decides.
#[test]
fn a_hash_that_two_references_share_is_told_apart_by_the_row() {
    let scratch = filled();
    let connection = connect_to_write(scratch.path()).expect("connected");
    let layout = Layout::of(&connection).expect("there");
    let references = References::open(&connection).expect("opened");
    let other = key(TOKO, "another");
    let hash = layout.hash(&other);
    references.known.write().expect("whole").newest.insert(layout.claim(hash, OrderId(290)));
    assert_eq!(references.find(&connection, &other).expect("read"), None);
    let bucket = layout.bucket(2, hash).expect("fits");
    let mut bytes: Vec<u8> = hash.to_be_bytes().into();
    bytes.extend(5_u32.to_be_bytes());
    let edited =
        "update reference_buckets set claims = cast(claims || ?2 as blob) where bucket = ?1";
    assert_eq!(connection.execute(edited, params![bucket, bytes]).expect("edited"), 1);
    references.known.write().expect("whole").filters[2] = None;
    assert_eq!(layout.claims(&connection, 2, hash).expect("read"), [OrderId(128 + 5)]);
    assert_eq!(references.find(&connection, &other).expect("read"), None);
}

#[test]
fn what_is_wrong_with_references_is_found_and_named() {
    let table = [
        // Within the newest generation, of a sealed one in the newest, and in a sealed one.
        ("update orders set reference = 'r290' where id = 295", "order 295: claims the reference"),
        ("update orders set reference = 'r3' where id = 295", "order 295: claims the reference"),
        ("update orders set reference = 'r3' where id = 100", "order 100: claims the reference"),
        ("update orders set reference = 'new' where id = 100", "order 100: has not the claim"),
        ("delete from reference_buckets where bucket = 1", "order 92: has not the claim"),
        ("update reference_buckets set claims = zeroblob(12)", "order "),
        ("delete from reference_spaces", "order 1: is of a merchant and protocol without"),
        ("delete from orders where id = 150", "order "),
        ("update meta set generation_bits = 3", "meta: "),
    ];
    let scratch = filled();
    for (edited, expected) in table {
        let copy = scratch.copied();
        edit(&copy, edited);
        let fault = verify(copy.path()).expect_err(edited).to_string();
        assert!(fault.starts_with(expected), "{edited}: {fault}");
    }
}

#[test]
fn an_impossible_layout_is_not_opened() {
    let scratch = filled();
    edit(&scratch, "update meta set generation_bits = 60");
    let fault = open(scratch.path(), Options::default(), &Counting).err().expect("refused");
    assert!(matches!(fault, OpenFault::Damaged { .. }), "{fault}");
}
