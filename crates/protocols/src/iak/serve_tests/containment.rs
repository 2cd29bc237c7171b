//! What an attacker gains from signatures that were seen or computed onwards: nothing.

use std::sync::atomic::Ordering;

use md5::{Digest, Md5};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::top_ups::{self, LEGACY, STATUS, TOP_UP, XL, legacy, request, top_up};
use super::world::{USERNAME, World, check_status, inquiry, payment, post, price_list, signature};
use crate::iak::sign::RESERVED;
use crate::iak::wire::number::may_be_looked_up;
use crate::iak::wire::reference::reference;
use crate::iak::wire::tr_id::may_be_given;

const HP: &str = "530000000000";

#[tokio::test]
async fn no_signature_of_one_command_is_good_for_another() {
    let world = World::new().await;
    let tr_id = world.quoted("INV1", HP).await;
    world.quoted("INV2", HP).await;
    let changes = world.memory.changes();
    // What is seen on the wire, or in a receipt or callback of the other API.
    let seen = ["pl", "cs", "bc", "bl", "op", "st", "INV1", "INV2"].map(signature);
    let paying = std::iter::once(signature("1234567890"));
    for sign in seen.into_iter().chain(paying) {
        for mut body in [
            payment(&tr_id),
            inquiry("PLNPOSTPAID", HP, "INV3"),
            inquiry("PLNPOSTPAID", HP, &tr_id),
        ] {
            body["sign"] = json!(sign);
            assert_eq!(world.code(&body).await, "100", "{body}");
        }
    }
    // A signature over a transaction number is one over that number as a reference.
    let mut body = inquiry("PLNPOSTPAID", HP, &tr_id);
    body["sign"] = payment(&tr_id)["sign"].clone();
    assert_eq!(world.code(&body).await, "03");
    for word in RESERVED {
        for spelling in [word.to_owned(), word.to_uppercase()] {
            assert_eq!(world.code(&inquiry("PLNPOSTPAID", HP, &spelling)).await, "03");
        }
    }
    // A signature over a reference pays nothing that is not the order of that very number.
    let mut body = payment("INV1");
    body["sign"] = inquiry("PLNPOSTPAID", HP, "INV1")["sign"].clone();
    assert_eq!(world.code(&body).await, "06");
    assert_eq!(world.memory.changes(), changes);
}

#[tokio::test]
async fn repeating_what_was_seen_moves_nothing_more() {
    let world = World::new().await;
    let tr_id = world.quoted("INV1", HP).await;
    let inquire = inquiry("PLNPOSTPAID", HP, "INV1");
    assert_eq!(world.code(&payment(&tr_id)).await, "00");
    let changes = world.memory.changes();
    for _ in 0..10 {
        assert_eq!(world.code(&inquire).await, "11");
        assert_eq!(world.code(&payment(&tr_id)).await, "01");
        assert_eq!(world.code(&check_status("INV1")).await, "00");
        world.post(&price_list()).await;
    }
    assert_eq!(world.memory.changes(), changes);
}

/// A command with its path, a request to it, and the name of what is signed; none for a fixed word.
type Signed = (&'static str, Value, Option<&'static str>);

const MAIL: &str = "/api/esim/notification/activation";
const BILL: &str = "/api/v1/bill/check";

/// Every command of both APIs, as it is seen on the wire once it was carried out: INV1 is a bill of
/// this number, INV2 an eSIM of that one.
fn commands(bill: &str, esim: &str) -> Vec<Signed> {
    let own_receipt = json!({
        "commands": "receipt-custom", "username": USERNAME, "tr_id": bill, "sign": signature("bc"),
        "custom": { "header": { "company_name": "T", "company_address": "J" } },
    });
    let customer = |number: &str| request(number, json!({ "customer_id": number }));
    let game = || request("142", json!({ "game_code": "142", "customer_id": "x|1" }));
    let older = |command, what: &str, fields| (LEGACY, legacy(command, what, fields));
    let top_up_fields = json!({ "ref_id": "INV2", "hp": XL, "pulsa_code": "esim1" });
    let (topup_path, topup) = older("topup", "INV2", top_up_fields);
    let (legacy_path, asked) = older("inquiry", "INV2", json!({ "ref_id": "INV2" }));
    let (_, meter) = older("inquiry_pln", "12345678901", json!({ "hp": "12345678901" }));
    vec![
        (BILL, price_list(), None),
        (BILL, inquiry("PLNPOSTPAID", HP, "INV1"), Some("ref_id")),
        (BILL, payment(bill), Some("tr_id")),
        (BILL, check_status("INV1"), None),
        ("/api/v1/bill/download/custom", own_receipt, None),
        ("/api/check-balance", request("bl", json!({})), None),
        ("/api/pricelist", request("pl", json!({})), None),
        ("/api/check-operator", request("op", json!({ "customer_id": XL })), None),
        ("/api/inquiry-pln", customer("12345678901"), Some("customer_id")),
        ("/api/inquiry-ovo", customer("082179374708"), Some("customer_id")),
        ("/api/inquiry-game", game(), Some("game_code")),
        ("/api/inquiry-game-server", game(), Some("game_code")),
        ("/api/game/format", game(), Some("game_code")),
        (TOP_UP, top_up("INV2", "esim1", XL), Some("ref_id")),
        (STATUS, top_ups::status("INV2"), Some("ref_id")),
        (MAIL, request(esim, json!({ "tr_id": esim, "email": "a@b.example" })), Some("tr_id")),
        (topup_path, topup, Some("ref_id")),
        (legacy_path, asked, Some("ref_id")),
        (LEGACY, meter, Some("hp")),
    ]
}

/// Over all pairs of commands: whoever has seen one carried out cannot make another do anything with
/// its signature, neither about what that other was about, nor about what was signed.
#[tokio::test]
async fn a_signature_that_was_seen_has_no_effect_with_any_other_command() {
    let world = World::new().await;
    let bill = world.quoted("INV1", HP).await;
    assert_eq!(world.code(&payment(&bill)).await, "00");
    let esim = world.topped_up("INV2", "esim1", XL).await;
    let commands = commands(&bill, &esim);
    let changes = world.memory.changes();
    let attempts =
        || commands.iter().flat_map(|seen| commands.iter().map(move |used| (seen, used)));
    for ((seen_path, seen, signed), (path, used, field)) in attempts() {
        if (seen_path, seen) == (path, used) {
            continue;
        }
        // The same signature under another request, and over what it was computed from.
        let mut stolen = used.clone();
        stolen["sign"] = seen["sign"].clone();
        let mut moved = stolen.clone();
        if let (Some(signed), Some(field)) = (signed, field) {
            moved[*field] = seen[*signed].clone();
        }
        for body in [stolen, moved] {
            world.send(post(path, Some("application/json"), body.to_string())).await;
            world.gateway.finish_calls().await;
            assert_eq!(world.memory.changes(), changes, "{seen_path} {seen} as {path} {body}");
        }
    }
    // The one thing that happens outside the store: a mail goes to whoever may have it.
    let mailed = world.supplier.mails.load(Ordering::SeqCst);
    assert_eq!(mailed, 0, "nobody else's signature mails");
}

/// What is signed for a look-up or as a fixed word may not name an order, so that its signature begins
/// none: in neither API, not even where the reference is free.
#[tokio::test]
async fn what_other_commands_sign_begins_no_order() {
    let world = World::new().await;
    let tr_id = world.quoted("INV1", HP).await;
    let changes = world.memory.changes();
    let looked_up = ["12345678901", "082179374708", "0821793747", "142", "1"];
    for what in looked_up.into_iter().chain(RESERVED).chain([tr_id.as_str()]) {
        assert_eq!(world.code(&inquiry("PLNPOSTPAID", HP, what)).await, "03", "{what}");
        assert_eq!(world.rc(TOP_UP, &top_up(what, "xld25000", XL)).await, "208", "{what}");
        let fields = json!({ "ref_id": what, "hp": XL, "pulsa_code": "xld25000" });
        assert_eq!(world.rc(LEGACY, &legacy("topup", what, fields)).await, "208", "{what}");
    }
    world.gateway.finish_calls().await;
    assert_eq!(world.memory.changes(), changes);
}

proptest! {
    /// The forms of what is signed overlap nowhere with references.
    #[test]
    fn no_text_is_both_a_reference_and_something_to_look_up(
        text in "[0-9]{1,14}|08[0-9]{6,13}|[A-Za-z0-9._-]{1,20}",
    ) {
        let looked_up = may_be_looked_up(&text);
        let numbered = may_be_given(&text);
        prop_assert!(!((looked_up || numbered) && reference(&text).is_ok()), "{}", text);
        prop_assert!(!(looked_up && numbered && !text.starts_with('0')), "{}", text);
    }
}

/// One compression step of MD5, so that a digest can be computed onwards from where it ended.
fn extended(digest: [u8; 16], suffix: &[u8], length_before: usize) -> [u8; 16] {
    let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let mut state: Vec<u32> = digest.chunks_exact(4).map(word).collect();
    let mut tail = suffix.to_vec();
    tail.extend(padding(length_before + suffix.len()));
    for block in tail.chunks_exact(64) {
        compress(&mut state, block);
    }
    let bytes: Vec<u8> = state.into_iter().flat_map(u32::to_le_bytes).collect();
    bytes.try_into().expect("four words")
}

/// The bytes that MD5 puts behind a message of this length.
fn padding(length: usize) -> Vec<u8> {
    let zeros = (55_usize.wrapping_sub(length)) % 64;
    let mut padding = vec![0x80];
    padding.resize(1 + zeros, 0);
    let bits = u64::try_from(length).expect("small") * 8;
    padding.extend(bits.to_le_bytes());
    padding
}

fn compress(state: &mut [u32], block: &[u8]) {
    const SHIFTS: [[u32; 4]; 4] =
        [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let message: Vec<u32> = block
        .chunks_exact(4)
        .map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        .collect();
    let (mut a, mut b, mut c, mut d) = (state[0], state[1], state[2], state[3]);
    for step in 0..64 {
        let (mixed, word) = match step / 16 {
            0 => ((b & c) | (!b & d), step),
            1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
            2 => (b ^ c ^ d, (3 * step + 5) % 16),
            _ => (c ^ (b | !d), (7 * step) % 16),
        };
        let sum = a.wrapping_add(mixed).wrapping_add(SINES[step]).wrapping_add(message[word]);
        (a, d, c) = (d, c, b);
        b = b.wrapping_add(sum.rotate_left(SHIFTS[step / 16][step % 4]));
    }
    for (word, added) in state.iter_mut().zip([a, b, c, d]) {
        *word = word.wrapping_add(added);
    }
}

/// The constants of MD5.
#[rustfmt::skip]
const SINES: [u32; 64] = [
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
];

/// The attack works on the hash: this is what the rules for references have to stop.
#[test]
fn a_digest_can_be_computed_onwards_but_never_over_a_reference() {
    for key_length in 1..=200 {
        let secret = vec![b'k'; USERNAME.len() + key_length];
        let known: [u8; 16] = Md5::new().chain_update(&secret).chain_update("pl").finalize().into();
        let signed = secret.len() + 2;
        let glue = padding(signed);
        let suffix = b"INV1";
        let forged = extended(known, suffix, signed + glue.len());
        let what = [b"pl", glue.as_slice(), suffix].concat();
        let true_digest: [u8; 16] =
            Md5::new().chain_update(&secret).chain_update(&what).finalize().into();
        assert_eq!(forged, true_digest, "the attack itself must be right");
        // The glue is never UTF-8; even mapped to characters one by one it is no reference.
        assert!(std::str::from_utf8(&what).is_err());
        let mapped: String = what.iter().map(|byte| char::from(*byte)).collect();
        assert!(reference(&mapped).is_err());
    }
}

#[tokio::test]
async fn an_extended_signature_is_refused_in_every_encoding() {
    let world = World::new().await;
    let signed = USERNAME.len() + 16 + 2;
    let glue = padding(signed);
    let known: [u8; 16] = hex::decode(signature("pl")).expect("hex").try_into().expect("a digest");
    let sign = hex::encode(extended(known, b"INV1", signed + glue.len()));
    let what = [b"pl", glue.as_slice(), b"INV1"].concat();
    let changes = world.memory.changes();
    let raw_json = [
        br#"{"commands":"inq-pasca","username":""#,
        USERNAME.as_bytes(),
        br#"","code":"PLNPOSTPAID","hp":"530000000000","ref_id":""#,
        &what,
        br#"","sign":""#,
        sign.as_bytes(),
        br#""}"#,
    ]
    .concat();
    let answer = world.send(post("/api/v1/bill/check", Some("application/json"), raw_json)).await;
    assert_eq!(answer.status(), 400);
    let raw_xml = [
        b"<mp><commands>inq-pasca</commands><username>",
        USERNAME.as_bytes(),
        b"</username><code>PLNPOSTPAID</code><hp>530000000000</hp><ref_id>",
        &what,
        b"</ref_id><sign>",
        sign.as_bytes(),
        b"</sign></mp>",
    ]
    .concat();
    for head in ["", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>"] {
        let body = [head.as_bytes(), &raw_xml].concat();
        let answer = world.send(post("/api/v1/bill/check", Some("text/xml"), body)).await;
        assert_eq!(answer.status(), 400);
    }
    let escaped: String = what.iter().map(|byte| char::from(*byte)).collect();
    let mut body = inquiry("PLNPOSTPAID", HP, &escaped);
    body["sign"] = json!(sign);
    assert_eq!(world.code(&body).await, "100");
    assert_eq!(world.memory.changes(), changes);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// A request that would move or store something, and another that only reads.
fn good_requests(tr_id: &str) -> [Value; 4] {
    [payment(tr_id), inquiry("PLNPOSTPAID", HP, "INV9"), check_status("INV1"), price_list()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Flips one bit of the user name, the signature or the reference of a top-up.
    #[test]
    fn an_altered_top_up_is_never_carried_out(
        field in prop::sample::select(vec!["username", "sign", "ref_id"]),
        position: prop::sample::Index,
        bit in 0_u8..7,
    ) {
        runtime().block_on(async {
            let world = World::new().await;
            let changes = world.memory.changes();
            let mut body = top_up("INV9", "xld25000", XL);
            let text = body[field].as_str().expect("a text").to_owned();
            let mut bytes = text.as_bytes().to_vec();
            bytes[position.index(text.len())] ^= 1 << bit;
            let altered = String::from_utf8(bytes).expect("ASCII stays ASCII");
            let same = field == "sign" && altered.eq_ignore_ascii_case(&text);
            body[field] = json!(altered);
            if !same {
                prop_assert_eq!(world.rc(TOP_UP, &body).await, "204");
                world.gateway.finish_calls().await;
                prop_assert_eq!(world.memory.changes(), changes);
            }
            Ok(())
        })?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Flips one bit of the user name, the signature or what is signed.
    #[test]
    fn an_altered_request_is_never_carried_out(
        request in 0_usize..4,
        field in 0_usize..3,
        position: prop::sample::Index,
        bit in 0_u8..7,
    ) {
        runtime().block_on(async {
            let world = World::new().await;
            let tr_id = world.quoted("INV1", HP).await;
            let changes = world.memory.changes();
            let mut body = good_requests(&tr_id)[request].clone();
            let signed = if request == 0 { "tr_id" } else { "ref_id" };
            let field = ["username", "sign", signed][field];
            // The price list and the status sign a fixed word; there a reference is only a name.
            let free = field == "ref_id" && request != 1;
            if let Some(text) = body[field].as_str().filter(|_| !free) {
                let mut bytes = text.as_bytes().to_vec();
                bytes[position.index(text.len())] ^= 1 << bit;
                let altered = String::from_utf8(bytes).expect("ASCII stays ASCII");
                let same = field == "sign" && altered.eq_ignore_ascii_case(text);
                body[field] = json!(altered);
                if !same {
                    let (status, data) = world.post(&body).await;
                    let code = data["response_code"].as_str().unwrap_or_default().to_owned();
                    prop_assert!(status == 200 && code == "100", "{} {}", body, data);
                    prop_assert_eq!(world.memory.changes(), changes);
                }
            }
            Ok(())
        })?;
    }
}
