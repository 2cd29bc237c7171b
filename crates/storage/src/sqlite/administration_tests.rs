//! What the tables show of secrets, and what they refuse.

use std::sync::Arc;

use domain::administration::{
    Act, Actor, Administer, CredentialKey, NamedRequest, NewCredential, NewMerchant, RequestKey,
    Role,
};
use domain::{
    Command, Credential, Currency, Level, MerchantId, ProtocolName, Reply, Secret, Timestamp,
};
use gateway::ports::{SealFault, Sealer};
use rusqlite::Connection;

use super::super::staging::{Door, Gate};
use super::super::{DATABASE_FILE, Options, backup, open, open_as, restore, verify};
use crate::Opened;
use crate::scratch::{Counting, Scratch};

const CANARY: &str = "canary-0123456789";

/// Turns the text around and binds it to its place: enough to see who seals what.
struct Turned;

impl Sealer for Turned {
    fn seal(&self, plain: &str, context: &str) -> String {
        format!("{context}|{}", plain.chars().rev().collect::<String>())
    }

    fn open(&self, sealed: &str, context: &str) -> Result<String, SealFault> {
        let turned = sealed.strip_prefix(&format!("{context}|")).ok_or(SealFault)?;
        Ok(turned.chars().rev().collect())
    }
}

fn opened(scratch: &Scratch) -> Opened {
    let options = Options { sealer: Arc::new(Turned), ..Options::default() };
    open(scratch.path(), options, &Counting).expect("opened")
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(future)
}

async fn act(opened: &Opened, name: &str, act: Act) {
    let command = Command::Administer(Administer {
        actor: Actor { name: "ana".to_owned(), role: Role::Administrator },
        request: Some(NamedRequest { text: name.to_owned(), fingerprint: [1; 32] }),
        at: Timestamp::from_milliseconds(1_700_000_000_000),
        act,
    });
    let reply = opened.store.execute(command, None).await.expect("no fault").expect("no refusal");
    assert!(matches!(reply, Reply::Administered { .. }), "{reply:?}");
}

fn issue(identifier: &str) -> Act {
    Act::AddCredential(NewCredential {
        merchant: MerchantId(1),
        key: CredentialKey {
            protocol: ProtocolName::new("iak"),
            identifier: identifier.to_owned(),
        },
        secrets: [("api_key".to_owned(), Secret::new(CANARY))].into(),
        expires_at: None,
        previous_expires_at: None,
    })
}

fn made() -> Scratch {
    let scratch = Scratch::new();
    block_on(async {
        let opened = opened(&scratch);
        administer(&opened).await;
        opened.shutdown.shutdown().await;
    });
    scratch
}

/// Adds a merchant with two credentials.
async fn administer(opened: &Opened) {
    let new = NewMerchant {
        name: "Toko".to_owned(),
        currency: Currency::Idr,
        level: Level("retail".to_owned()),
    };
    act(opened, "m", Act::AddMerchant(new)).await;
    act(opened, "a", issue("a")).await;
    act(opened, "b", issue("b")).await;
}

fn edit(scratch: &Scratch, sql: &str) -> rusqlite::Result<()> {
    Connection::open(scratch.path().join(DATABASE_FILE)).expect("opened").execute_batch(sql)
}

#[test]
fn secrets_are_sealed_wherever_they_are_kept() {
    let scratch = made();
    // The journal keeps the bytes of what it gave up.
    for folder in [scratch.path().to_owned(), scratch.path().join("journal")] {
        let files = std::fs::read_dir(folder).expect("listed").map(|it| it.expect("one").path());
        for file in files.filter(|file| file.is_file()) {
            let bytes = std::fs::read(&file).expect("read");
            assert!(!bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()));
        }
    }
    verify(scratch.path()).expect("needs no key");
    let opened = opened(&scratch);
    let catalogue = block_on(opened.reports.catalogue()).expect("opened with the key");
    let live = catalogue.credentials("iak", "a");
    assert_eq!(live[0].secrets["api_key"].reveal(), CANARY);
}

#[test]
fn a_sealed_secret_opens_in_its_own_place_only() {
    let scratch = made();
    let swap = "update credentials set secrets = (select secrets from credentials \
         where identifier = 'b') where identifier = 'a'";
    edit(&scratch, swap).expect("edited");
    let opened = opened(&scratch);
    let problem = block_on(opened.reports.catalogue()).expect_err("swapped").to_string();
    assert!(problem.contains("credential a of iak"), "{problem}");
    assert!(!problem.contains(CANARY), "{problem}");
}

#[test]
fn audit_records_are_neither_edited_nor_deleted() {
    let scratch = made();
    let table = [
        "update audit_records set actor = 'budi' where number = 1",
        "delete from audit_records where number = 3",
    ];
    for sql in table {
        let refused = edit(&scratch, sql).expect_err("refused").to_string();
        assert!(refused.contains("audit records are not"), "{refused}");
    }
    // Whoever takes the guard away is found out by the chain.
    let guards = "drop trigger audit_records_are_not_edited; \
         drop trigger audit_records_are_not_deleted; pragma foreign_keys = off;";
    for sql in table {
        let scratch = made();
        edit(&scratch, &format!("{guards} {sql}")).expect("edited");
        let finding = verify(scratch.path()).expect_err("found").to_string();
        assert!(finding.contains("audit record"), "{finding}");
    }
}

/// What is in the journal alone goes into a backup as it is sealed, without a key.
#[test]
fn secrets_pass_from_the_journal_into_a_backup_sealed() {
    let (scratch, backups, new) = (Scratch::new(), Scratch::new(), Scratch::new());
    std::fs::create_dir(backups.path()).expect("made");
    let file = backups.path().join("one.tar");
    let gate = Gate::new(Door::Shut);
    let options = Options { sealer: Arc::new(Turned), ..Options::default() };
    let running = open_as(scratch.path(), options, &Counting, gate.build()).expect("opened");
    // What builds on the catalogue waits for it, so there is one change of it at most.
    let put = Command::PutCredential(Credential {
        merchant: MerchantId(1),
        protocol: ProtocolName::new("iak"),
        identifier: "a".to_owned(),
        serial: 1,
        secrets: [("api_key".to_owned(), Secret::new(CANARY))].into(),
        expires_at: None,
        revoked_at: None,
    });
    let new_merchant = NewMerchant {
        name: "Toko".to_owned(),
        currency: Currency::Idr,
        level: Level("retail".to_owned()),
    };
    block_on(async {
        running.store.execute(put, None).await.expect("no fault").expect("no refusal");
        act(&running, "m", Act::AddMerchant(new_merchant)).await;
    });
    let taken_at = Timestamp::from_milliseconds(1_700_000_000_000);
    backup(scratch.path(), &file, taken_at, &[]).expect("backed up");
    let bytes = std::fs::read(&file).expect("read");
    assert!(!bytes.windows(CANARY.len()).any(|part| part == CANARY.as_bytes()));
    let restored = restore(&file, new.path(), &[]).expect("restored");
    assert_eq!(restored.summary, verify(scratch.path()).expect("in order"));
    gate.set(Door::Open);
    block_on(async {
        let again = opened(&new);
        for stood in [&running, &again] {
            let catalogue = stood.reports.catalogue().await.expect("opened with the key");
            let live = catalogue.credentials("iak", "a");
            assert_eq!(live[0].secrets["api_key"].reveal(), CANARY);
        }
        let key = RequestKey { actor: "ana".to_owned(), text: "m".to_owned() };
        let kept = running.store.kept_answer(&key).await.expect("read");
        assert!(kept.is_some());
        assert_eq!(again.store.kept_answer(&key).await.expect("read"), kept);
        running.shutdown.shutdown().await;
        again.shutdown.shutdown().await;
    });
}
