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

/// Tries to find the last byte behind a block: of all values of the own block's last byte, the one that
/// is answered unlike the others makes the padding right. Gives what the byte would be.
async fn last_byte<Told: std::hash::Hash + Eq>(
    beginning: &[u8],
    target: &[u8],
    before: u8,
    round: u8,
    mut ask: impl AsyncFnMut(String) -> Told,
) -> Option<u8> {
    let mut answers: HashMap<Told, Vec<u8>> = HashMap::new();
    for guess in 0..=u8::MAX {
        // The byte before the last changes from round to round, so that a right guess of two bytes is
        // not mistaken for one.
        let mut own = [round.wrapping_mul(37).wrapping_add(11); BLOCK];
        own[BLOCK - 1] = guess;
        answers.entry(ask(forged(beginning, &own, target)).await).or_default().push(guess);
    }
    let odd = answers.values().find(|guesses| guesses.len() == 1 && answers.len() > 1)?;
    Some(odd.first()? ^ 1 ^ before)
}

/// Vector A's credentials, and a key that somebody captured.
fn captured() -> Vec<u8> {
    let text = "transaction_code=ORD-1001&utr=412345678901&note=abcdefghijklmnopqrstuvwxyz01234567890123456789abcdef";
    sign::read(&cipher(THB).encrypt(text)).expect("whole blocks")
}

fn captured_text() -> Vec<u8> {
    cipher(THB).open(&captured()).text
}

#[tokio::test]
async fn the_attack_reads_what_a_telling_server_tells() {
    let (key, text) = (captured(), captured_text());
    for block in 1..text.len() / BLOCK {
        let target = &key[block * BLOCK..][..BLOCK];
        let before = key[block * BLOCK - 1];
        let leaky = async |key: String| {
            bool::from(cipher(THB).open(&sign::read(&key).expect("blocks")).padded)
        };
        let mut found = None;
        for round in 0..4 {
            found = found.or(last_byte(&[], target, before, round, leaky).await);
        }
        assert_eq!(found, Some(text[block * BLOCK + BLOCK - 1]), "block {block}");
    }
}

/// Every face that takes a key, with and without a good beginning, at least 20,000 questions in all and
/// without a limit on failures: every one is answered the same, so no guess is better than another.
#[tokio::test]
async fn the_attack_learns_nothing_from_ours() {
    let world =
        World::under(Conditions { wrong_keys_per_hour: None, ..Conditions::default() }).await;
    let key = captured();
    let blocks = key.len() / BLOCK;
    let paths = [UTR, STATUS, DEPOSIT, RESEND, "/api/v1/payout/{}", "page", BALANCE];
    let mut asked = 0;
    let mut all: HashMap<(&str, Seen), u32> = HashMap::new();
    for path in paths {
        for (position, beginning) in [&[][..], &key[..2 * BLOCK]].into_iter().enumerate() {
            for block in 1..blocks {
                let target = &key[block * BLOCK..][..BLOCK];
                let before = key[block * BLOCK - 1];
                let round = u8::try_from(block + position).expect("few blocks");
                let found = last_byte(beginning, target, before, round, async |key| {
                    asked += 1;
                    let answer = ask(&world, path, &key).await;
                    *all.entry((path, answer.clone())).or_default() += 1;
                    answer
                });
                assert_eq!(found.await, None, "{path} block {block}");
            }
        }
    }
    assert!(asked >= 20_000, "{asked}");
    assert_eq!(all.len(), paths.len(), "one answer for each path");
    assert!(all.keys().all(|(_, (status, ..))| *status == 401));
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
    let world =
        World::under(Conditions { wrong_keys_per_hour: None, ..Conditions::default() }).await;
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
