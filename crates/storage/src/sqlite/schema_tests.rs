use std::collections::BTreeSet;
use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::super::{
    DATABASE_FILE, Options, administration, backup, books, callbacks, catalogue, collections,
    connect_to_read, open, orders, references, restore, tables, verify,
};
use super::*;
use crate::scratch::{Counting, Scratch};

/// The SHA-256 of every released migration. A line is added with each; none is ever changed.
const RELEASED: [&str; 1] = ["e2e6562e4a9535516b36a177e5fdadae3c2bc59f8b00fa430e60d734587a35b2"];

const ALL: [&[(&str, &str)]; 12] = [
    administration::STATEMENTS,
    backup::STATEMENTS,
    books::STATEMENTS,
    callbacks::STATEMENTS,
    catalogue::STATEMENTS,
    collections::STATEMENTS,
    orders::STATEMENTS,
    references::STATEMENTS,
    restore::STATEMENTS,
    STATEMENTS,
    tables::STATEMENTS,
    verify::STATEMENTS,
];

fn fresh() -> (Scratch, Connection) {
    let scratch = Scratch::new();
    drop(open(scratch.path(), Options::default(), &Counting).expect("opened"));
    let connection = connect_to_read(scratch.path()).expect("connected");
    (scratch, connection)
}

#[test]
fn every_statement_prepares() {
    let (_scratch, connection) = fresh();
    for (name, statement) in ALL.into_iter().flatten() {
        if let Err(error) = connection.prepare(statement) {
            panic!("{name}: {error}");
        }
    }
}

/// Statements that show all rows of a table, or walk along an index on purpose.
const WALKS: [&str; 19] = [
    "ALL",
    "ALL_ACCOUNTS",
    "ALL_TRANSFERS",
    "ALL_FUNDINGS",
    "ALL_MERCHANTS",
    "ALL_CREDENTIALS",
    "ALL_PRODUCTS",
    "ALL_CALLBACKS",
    "ALL_DELIVERIES",
    "ALL_ENDPOINTS",
    "ALL_PREFERENCES",
    "ALL_EVIDENCE",
    "ALL_PAYER_REFERENCES",
    "ALL_DAY_CLAIMS",
    "PENDING",
    "BACKLOG",
    "HOLDER",
    "SPACES",
    "TABLES",
];

#[test]
fn nothing_else_reads_a_whole_table() {
    let (_scratch, connection) = fresh();
    for (name, statement) in ALL.into_iter().flatten() {
        let explained = ["explain query plan ", statement].concat();
        let mut explained = connection.prepare(&explained).expect("prepared");
        let mut steps = explained.raw_query();
        while let Some(step) = steps.next().expect("explained") {
            let step: String = step.get(3).expect("a step");
            let tables = [
                "accounts",
                "transfers",
                "fundings",
                "merchants",
                "credentials",
                "products",
                "callbacks",
                "deliveries",
                "endpoints",
                "preferences",
                "evidence",
                "payer_references",
                "day_claims",
            ];
            let scans = step.starts_with("SCAN") && tables.iter().any(|table| step.contains(table));
            let scans = scans || (step.starts_with("SCAN orders") && !step.contains("COVERING"));
            let sorts = step.contains("TEMP B-TREE");
            assert!(WALKS.contains(name) || !scans, "{name}: {step}");
            assert!(!sorts, "{name}: {step}");
        }
    }
}

#[test]
fn released_migrations_never_change() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqlite/migrations");
    let files: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the folder is there")
        .map(|file| file.expect("a file").file_name().into_string().expect("a plain name"))
        .collect();
    assert_eq!(files.len(), MIGRATIONS.len(), "{files:?}");
    assert_eq!(RELEASED.len(), MIGRATIONS.len());
    for (((file, number), text), released) in files.iter().zip(1..).zip(MIGRATIONS).zip(RELEASED) {
        assert!(file.starts_with(&format!("{number:04}_")), "{file}");
        let on_disk = std::fs::read_to_string(format!("{folder}/{file}")).expect("readable");
        assert_eq!(on_disk, text, "{file}");
        assert!(text.starts_with("-- Why: "), "{file}");
        assert!(text.ends_with(&format!("pragma user_version = {number};\n")), "{file}");
        let mut checksum = String::new();
        for byte in Sha256::digest(text) {
            write!(checksum, "{byte:02x}").expect("written");
        }
        assert_eq!(checksum, released, "{file} is released and must not change");
    }
}

#[test]
fn the_file_says_whose_it_is() {
    let (scratch, connection) = fresh();
    assert_eq!(inspect(&connection, known()).expect("ours"), Found::Schema(known()));
    let other = Connection::open(scratch.path().join("other.db")).expect("opened");
    assert_eq!(inspect(&other, known()).expect("empty"), Found::Empty);
    other.execute_batch("create table notes (text text)").expect("made");
    assert!(matches!(inspect(&other, known()), Err(OpenFault::Damaged { .. })), "{DATABASE_FILE}");
}
