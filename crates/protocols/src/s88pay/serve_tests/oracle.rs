//! The attack that the scheme invites: decrypting a captured key byte by byte through whatever a server
//! tells of its padding. It is run in earnest, first against a server that does tell, to show that the
//! attack works, and then against ours.

use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::world::{
    BALANCE, Conditions, DEPOSIT, RESEND, STATUS, THB, UTR, World, cipher, get, post,
};
use crate::exchange::Answer;
use crate::s88pay::sign;

const BLOCK: usize = 16;

/// Everything of an answer that a stranger sees.
type Seen = (u16, Vec<(String, String)>, Vec<u8>);

fn seen(answer: &Answer) -> Seen {
    let headers = answer.headers().iter();
    let headers = headers
        .map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    (answer.status().as_u16(), headers, answer.body().to_vec())
}

/// What the attacker sends: a beginning that is known to be good, a block of the attacker's own, and the
/// block to be decrypted.
fn forged(beginning: &[u8], own: &[u8; BLOCK], target: &[u8]) -> String {
    BASE64_STANDARD.encode([beginning, own, target].concat())
}

/// The attack: from the last byte of the target block to its first, of all values of one byte of the
/// attacker's own block, the one that is answered unlike the others makes the padding right, and so gives
/// the byte away. Gives the bytes that were recovered, which are those at the end of the block.
async fn attack<Told: std::hash::Hash + Eq>(
    beginning: &[u8],
    target: &[u8],
    before: &[u8],
    mut ask: impl AsyncFnMut(String) -> Told,
) -> Vec<u8> {
    let mut inside: Vec<u8> = Vec::new();
    for length in 1..=BLOCK {
        let padding = u8::try_from(length).expect("a block is short");
        let mut found = None;
        // What stands before the padding changes from round to round, so that a right guess of a longer
        // padding is not mistaken for this one.
        for round in 0..2_u8 {
            let mut answers: HashMap<Told, Vec<u8>> = HashMap::new();
            for guess in 0..=u8::MAX {
                let mut own = [round.wrapping_mul(37).wrapping_add(11); BLOCK];
                own[BLOCK - length] = guess;
                for (place, known) in own.iter_mut().rev().zip(&inside) {
                    *place = known ^ padding;
                }
                answers.entry(ask(forged(beginning, &own, target)).await).or_default().push(guess);
            }
            let odd = answers.values().find(|guesses| guesses.len() == 1 && answers.len() > 1);
            found = found.or(odd.and_then(|guesses| guesses.first().copied()));
            if found.is_some() {
                break;
            }
        }
        let Some(guess) = found else { break };
        inside.push(guess ^ padding);
    }
    let mut bytes: Vec<u8> =
        inside.iter().zip(before.iter().rev()).map(|(known, before)| known ^ before).collect();
    bytes.reverse();
    bytes
}

/// Vector A's credentials, and a key that somebody captured.
fn captured() -> Vec<u8> {
    let text =
        "transaction_code=ORD-1001&utr=412345678901&note=abcdefghijklmnopqrstuvwxyz0123456789";
    sign::read(&cipher(THB).encrypt(text)).expect("whole blocks")
}

fn captured_text() -> Vec<u8> {
    cipher(THB).open(&captured()).text
}

#[tokio::test]
async fn the_attack_reads_what_a_telling_server_tells() {
    let (key, text) = (captured(), captured_text());
    for block in 1..text.len() / BLOCK {
        let (before, target) = key[(block - 1) * BLOCK..][..2 * BLOCK].split_at(BLOCK);
        let telling = async |key: String| {
            bool::from(cipher(THB).open(&sign::read(&key).expect("blocks")).padded)
        };
        let recovered = attack(&[], target, before, telling).await;
        assert_eq!(recovered, text[block * BLOCK..][..BLOCK], "block {block}");
    }
}

/// Every face that takes a key, with and without a good beginning, far more than 20,000 questions in all
/// and without a limit on failures: every one is answered the same, so no guess is better than another,
/// and no byte is recovered.
#[tokio::test]
async fn the_attack_learns_nothing_from_ours() {
    let world = unlimited().await;
    let key = captured();
    let paths = [UTR, STATUS, DEPOSIT, RESEND, "/api/v1/payout/{}", "page", BALANCE];
    let mut asked = 0;
    let mut all: HashMap<(&str, Seen), u32> = HashMap::new();
    for path in paths {
        for beginning in [&[][..], &key[..2 * BLOCK]] {
            for block in 1..key.len() / BLOCK {
                let (before, target) = key[(block - 1) * BLOCK..][..2 * BLOCK].split_at(BLOCK);
                let recovered = attack(beginning, target, before, async |key| {
                    asked += 1;
                    let answer = ask(&world, path, &key).await;
                    *all.entry((path, answer.clone())).or_default() += 1;
                    answer
                });
                let recovered = recovered.await;
                assert!(recovered.is_empty(), "{path} block {block}: {recovered:?}");
            }
        }
    }
    assert!(asked >= 20_000, "{asked}");
    assert_eq!(all.len(), paths.len(), "one answer for each path");
    assert!(all.keys().all(|(_, (status, ..))| *status == 401));
}

async fn unlimited() -> World {
    World::under(Conditions { wrong_keys_per_hour: None, ..Conditions::default() }).await
}

async fn ask(world: &World, path: &str, key: &str) -> Seen {
    let encoded = key.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let answer = match path {
        "page" => world.send(get(&format!("/{THB}/v2/dopayment?key={encoded}"))).await,
        BALANCE => world.send(get(&format!("{}?key={encoded}", BALANCE.replace("{}", THB)))).await,
        _ => {
            let body = serde_json::json!({ "key": key }).to_string();
            world.send(post(&path.replace("{}", THB), body)).await
        }
    };
    seen(&answer)
}

/// Whatever is wrong with a key that is well formed: one answer.
#[tokio::test]
async fn every_failure_behind_the_padding_is_one_answer() {
    let world = unlimited().await;
    let ours = cipher(THB);
    let mut broken = sign::read(&ours.encrypt("transaction_code=ORD-1001&utr=1")).expect("blocks");
    let texts = [
        "",
        "0123456789abcdef",
        "{",
        "{\"merchant_code\":1,\"merchant_code\":2}",
        "nobody_knows=1",
        "user_id=\u{0}",
        "merchant_code=OPR002&transaction_code=A",
        "merchant_api_key=wrong&transaction_code=A",
        "merchant_code=opr001&utr=1",
    ];
    let mut keys: Vec<String> = texts.iter().map(|text| ours.encrypt(text)).collect();
    keys.push(cipher("OPRIDR").encrypt("transaction_code=A"));
    if let Some(last) = broken.last_mut() {
        *last ^= 1;
    }
    keys.push(BASE64_STANDARD.encode(&broken));
    keys.push(BASE64_STANDARD.encode([0xA5; 16]));
    for path in [UTR, STATUS, DEPOSIT, RESEND, "page", BALANCE] {
        let first = ask(&world, path, &keys[0]).await;
        for key in &keys {
            assert_eq!(ask(&world, path, key).await, first, "{path} {key}");
        }
    }
}

/// Beyond the budget the same is answered, and a key that was found out to be right is not told so.
#[tokio::test]
async fn beyond_the_budget_nothing_is_tried() {
    let world = World::new().await;
    let wrong = BASE64_STANDARD.encode([0xA5; 16]);
    let right = cipher(THB).encrypt(&format!("merchant_code={THB}"));
    let first = ask(&world, BALANCE, &wrong).await;
    for _ in 1..100 {
        assert_eq!(ask(&world, BALANCE, &wrong).await, first);
    }
    assert_eq!(ask(&world, BALANCE, &right).await, first, "it is not tried");
    assert_eq!(ask(&world, "page", &wrong).await.0, 401, "pages are counted apart");
    let other = cipher("OPRIDR").encrypt("merchant_code=OPRIDR");
    assert_eq!(world.send(get(&format!("/api/v1/balance/OPRIDR?key={other}"))).await.status(), 200);
    world.clock.0.fetch_add(3_600_000, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(ask(&world, BALANCE, &right).await.0, 200, "an hour later it is");
}
