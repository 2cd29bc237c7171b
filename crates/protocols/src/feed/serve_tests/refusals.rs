//! What is refused, and that refusing changes nothing.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use domain::callback::{Endpoint, EndpointKey};
use domain::{Command, Credential, MerchantId, ProtocolName, Secret};
use gateway::ports::StoreFault;
use gateway::standard_webhooks::{ID, SIGNATURE, TIMESTAMP};
use http::{HeaderValue, Method, Request};
use serde_json::json;

use super::world::{BANK, DUE, JSON, SIM, World, read, row};
use crate::admission::SignatureGuard;
use crate::exchange::{BodyFault, Serve};
use crate::feed::Served;
use crate::feed::amount::tests::WRONG;

type Sent = Request<Result<Bytes, BodyFault>>;

async fn is_refused(world: &World, request: Sent, status: u16, code: &str) {
    let changes = world.memory.changes();
    let shown = format!("{request:?}");
    let (got, problem) = read(&world.send(request).await);
    assert_eq!((got, problem["code"].as_str()), (status, Some(code)), "{shown}: {problem}");
    assert_eq!(world.memory.changes(), changes, "{shown}");
}

/// Changes a request that is right.
type Change = Box<dyn Fn(&mut Sent)>;

fn set(name: &'static str, value: &'static str) -> Change {
    Box::new(move |request| {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    })
}

fn without(name: &'static str) -> Change {
    Box::new(move |request| {
        request.headers_mut().remove(name);
    })
}

fn again(name: &'static str) -> Change {
    Box::new(move |request| {
        let value = request.headers()[name].clone();
        request.headers_mut().append(name, value);
    })
}

fn body(body: Result<&'static [u8], BodyFault>) -> Change {
    Box::new(move |request| *request.body_mut() = body.map(Bytes::from_static))
}

#[tokio::test]
async fn only_the_source_itself_is_believed() {
    let world = World::new().await;
    world.open(1, "A", "transfer").await;
    let right = || world.signed(("bank", BANK), JSON, row("1", DUE, ""));
    let unauthorised: Vec<Change> = vec![
        without(ID),
        without(TIMESTAMP),
        without(SIGNATURE),
        again(ID),
        again(TIMESTAMP),
        again(SIGNATURE),
        set(ID, "msg_2"),
        set(ID, ""),
        set(TIMESTAMP, "1780290001"),
        set(TIMESTAMP, "noon"),
        set(SIGNATURE, ""),
        set(SIGNATURE, "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        body(Ok(b"[]")),
        Box::new(|request| *request.uri_mut() = "/lunas/evidence/sim".parse().expect("a path")),
        Box::new(|request| *request.uri_mut() = "/lunas/evidence/".parse().expect("a path")),
        Box::new(|request| *request.uri_mut() = "/lunas/evidence/bank/".parse().expect("a path")),
    ];
    for change in unauthorised {
        let mut request = right();
        change(&mut request);
        is_refused(&world, request, 401, "UNAUTHORIZED").await;
    }
    for (source, secret) in [("bank", SIM), ("nobody", BANK), ("locked", BANK), ("bank", "")] {
        let request = world.signed((source, secret), JSON, row("1", DUE, ""));
        is_refused(&world, request, 401, "UNAUTHORIZED").await;
    }
    let old = right();
    world.advance(301);
    is_refused(&world, old, 401, "UNAUTHORIZED").await;
    let early = right();
    world.advance(-602);
    is_refused(&world, early, 401, "UNAUTHORIZED").await;
    world.advance(301);
    assert_eq!(world.row(&row("1", DUE, "")).await["state"], "used");
}

/// A merchant's own word credits nobody: whatever a merchant holds opens nothing here.
#[tokio::test]
async fn merchants_bring_no_evidence() {
    const KEY: &str = "ilen-sandbox-key-0001";
    const OWN: &str = "whsec_bWVyY2hhbnQtbWVyY2hhbnQtbWVyY2hhbnQ=";
    let world = World::new().await;
    let order = world.open(1, "A", "transfer").await;
    let (merchant, protocol) = (MerchantId(1), ProtocolName::new("test"));
    let key = EndpointKey { merchant, protocol: protocol.clone() };
    let endpoint = Endpoint {
        key,
        url: "https://shop.example/callback".to_owned(),
        secret: Secret::new(OWN),
        stopped_at: None,
    };
    let credential = Credential {
        merchant,
        protocol,
        identifier: "bank".to_owned(),
        serial: 1,
        secrets: BTreeMap::from([("api_key".to_owned(), Secret::new(KEY))]),
        expires_at: None,
        revoked_at: None,
    };
    let commands = vec![Command::PutEndpoint(endpoint), Command::PutCredential(credential)];
    world.gateway.administer(commands).await.expect("memory does not fail");
    for secret in [KEY, OWN] {
        let request = world.signed(("bank", secret), JSON, row("1", DUE, ""));
        is_refused(&world, request, 401, "UNAUTHORIZED").await;
        let mut request = world.signed(("bank", secret), JSON, row("1", DUE, ""));
        let bearer = format!("Bearer {secret}").parse().expect("a header");
        request.headers_mut().insert("Authorization", bearer);
        request.headers_mut().remove(SIGNATURE);
        is_refused(&world, request, 401, "UNAUTHORIZED").await;
    }
    assert_eq!((world.state(&order).await, world.balance(1).await), ("awaiting", 0));
}

#[tokio::test]
async fn what_is_no_body_of_ours_is_refused() {
    let world = World::new().await;
    let table: Vec<(Change, u16, &str)> = vec![
        (Box::new(|it| *it.method_mut() = Method::GET), 405, "METHOD_NOT_ALLOWED"),
        (Box::new(|it| *it.method_mut() = Method::PUT), 405, "METHOD_NOT_ALLOWED"),
        (body(Err(BodyFault::TooLarge)), 413, "BODY_TOO_LARGE"),
        (body(Err(BodyFault::TooSlow)), 408, "BODY_TOO_SLOW"),
        (body(Err(BodyFault::Broken)), 400, "BODY_BROKEN"),
        (without("Content-Type"), 415, "CONTENT_TYPE_UNKNOWN"),
        (set("Content-Type", "text/plain"), 415, "CONTENT_TYPE_UNKNOWN"),
        (set("Content-Type", "text/csv; charset=iso-8859-1"), 415, "CONTENT_TYPE_UNKNOWN"),
        (set("Content-Encoding", "gzip"), 415, "CONTENT_TYPE_UNKNOWN"),
        (set("Content-Type", "text/csv"), 422, "BODY_MALFORMED"),
    ];
    for (change, status, code) in table {
        let mut request = world.signed(("bank", BANK), JSON, row("1", DUE, ""));
        change(&mut request);
        is_refused(&world, request, status, code).await;
    }
    let blanks = |length: usize| format!("[]{}", " ".repeat(length - 2));
    let large = world.signed(("bank", BANK), JSON, blanks(256 * 1024 + 1));
    is_refused(&world, large, 413, "BODY_TOO_LARGE").await;
    assert_eq!(world.bank(JSON, &blanks(256 * 1024)).await.0, 200);
    let latin = world.signed(("bank", BANK), "text/csv", &b"at,amount\n\xe9"[..]);
    is_refused(&world, latin, 422, "BODY_MALFORMED").await;
    for source in ["outgoing", "nowhere", "baht"] {
        let request = world.signed((source, BANK), JSON, row("1", DUE, ""));
        is_refused(&world, request, 503, "CHANNEL_UNKNOWN").await;
    }
}

/// A row that is not understood refuses those that are.
#[tokio::test]
async fn a_body_is_taken_in_whole_or_not_at_all() {
    let world = World::new().await;
    world.open(1, "A", "transfer").await;
    let changes = world.memory.changes();
    let body =
        format!("[{},\n {{\"at\":\"2026-06-01 12:00:01\",\"amount\":-1}}]", row("1", DUE, ""));
    let (status, problem) = world.bank(JSON, &body).await;
    assert_eq!((status, &problem["line"], &problem["column"]), (422, &json!(2), &json!(39)));
    let csv = "\u{feff}at,amount\n2026-06-01 12:00:01,10000\n2026-06-01 12:00:01,\"10.000\"\n";
    let (status, problem) = world.bank("text/csv", csv).await;
    assert_eq!((status, &problem["line"], &problem["column"]), (422, &json!(3), &json!(21)));
    assert_eq!(world.memory.changes(), changes);
}

#[tokio::test]
async fn every_wrong_spelling_of_an_amount_is_refused_in_every_form() {
    let world = World::new().await;
    let changes = world.memory.changes();
    let at = "2026-06-01 12:00:00";
    for text in WRONG {
        let spelt = json!(text).to_string();
        let quoted = text.replace('"', "\"\"");
        for (kind, body) in [
            (JSON, format!(r#"{{"at":"{at}","amount":{spelt}}}"#)),
            (JSON, format!(r#"{{"at":"{at}","amount":{text}}}"#)),
            ("text/csv", format!("at,amount\n{at},\"{quoted}\"\n")),
        ] {
            // Blanks around a number are JSON's own, and what is quoted stands here already.
            let means_hundred = matches!(
                *text,
                "\"100\"" | " 100" | "100 " | "\t100" | "100\t" | "\n100" | "100\n" | "100\r"
            );
            if means_hundred && kind == JSON && !body.contains(&spelt) {
                continue;
            }
            let (status, problem) = world.bank(kind, &body).await;
            assert_eq!((status, &problem["code"]), (422, &json!("BODY_MALFORMED")), "{body:?}");
        }
    }
    assert_eq!(world.memory.changes(), changes);
}

#[tokio::test]
async fn a_fault_of_the_store_asks_for_the_same_again() {
    for fault in [StoreFault::Busy, StoreFault::Stopped, StoreFault::CommitFailed(String::new())] {
        let world = World::new().await;
        world.memory.fail_with(fault);
        let request = world.signed(("bank", BANK), JSON, row("1", DUE, ""));
        is_refused(&world, request, 503, "NOT_TAKEN_IN").await;
    }
}

/// Admits as often as it was told, and counts what was wrong.
struct Guard {
    left: AtomicU32,
    wrong: AtomicU32,
}

impl SignatureGuard for Guard {
    fn admits(&self, _: IpAddr, _: &str) -> bool {
        self.left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
            .is_ok()
    }

    fn was_wrong(&self, _: IpAddr, _: &str) {
        self.wrong.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn guessing_is_counted_and_ends() {
    let world = World::new().await;
    let guard = Arc::new(Guard { left: AtomicU32::new(3), wrong: AtomicU32::new(0) });
    let source = super::world::source("bank", BANK, "transfer");
    let served = Served::new(Arc::clone(&world.gateway), [source], guard.clone());
    let statuses = [("bank", SIM), ("nobody", BANK), ("bank", BANK), ("bank", BANK)];
    let mut got = Vec::new();
    for key in statuses {
        let (head, body) = world.signed(key, JSON, "[]").into_parts();
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        got.push(
            served
                .serve(crate::exchange::Arrival { head, body, peer, note: None })
                .await
                .status()
                .as_u16(),
        );
    }
    assert_eq!(got, [401, 401, 200, 401]);
    assert_eq!(guard.wrong.load(Ordering::SeqCst), 2);
}
