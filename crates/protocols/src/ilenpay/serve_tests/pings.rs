//! Pings: who gets one, what it says, and how often.

use domain::callback::Received;
use domain::{Command, Timestamp};
use http::Method;
use serde_json::json;

use super::world::{
    Conditions, NOW, TOKO_CONTOH, WEBHOOK_ID, WEBHOOK_SECRET, World, request, said,
};
use crate::ilenpay::{NAME, preferences, sign};

const HOOK: &str = "https://shop.example/hook";

fn path() -> String {
    format!("/v1/webhook/ping/{WEBHOOK_ID}")
}

/// The vector of section 7.4, byte for byte.
#[tokio::test]
async fn a_ping_is_sent_as_the_reference_has_it() {
    let world = World::new().await;
    world.put_endpoint(HOOK, false).await;
    world.prefer(NAME, TOKO_CONTOH, &[(preferences::BACK_URL, "https://shop.example/back")]).await;
    for method in [Method::GET, Method::POST] {
        let mut request = request(method, &path(), "", "");
        request.headers_mut().remove("Authorization");
        let (status, data) = world.data(request).await;
        assert_eq!((status, data), (200, json!({"respon": "sukses", "pesan": "Ping terkirim"})));
        world.set_clock(NOW + 1);
    }
    let sent = world.network.sent();
    let body = r#"{"data":{"webhook_id":"Qm3xT7kLp0aZ9Vd","webhook_url":"https:\/\/shop.example\/hook","webhook_key":"whsecret-demo","back_url":"https:\/\/shop.example\/back"}}"#;
    assert_eq!(sent.len(), 2);
    for parcel in &sent {
        assert_eq!(parcel.url, HOOK);
        assert_eq!(std::str::from_utf8(&parcel.rendered.body), Ok(body));
        let header = |name: &str| {
            let found = parcel.rendered.headers.iter().find(|(it, _)| it == name);
            found.map(|(_, value)| value.as_str())
        };
        assert_eq!(
            header("X-Ilen-Signature"),
            Some("key=0615114f72ec1b0b72828f774a261477a6d19cca")
        );
        assert_eq!(header("X-Ilen-Event"), Some("ping"));
        assert_eq!(header("User-Agent"), Some("Ilenpay-Hookshot"));
        assert_eq!(header("Content-Type"), Some("application/json"));
        assert_eq!(header("X-Ilen-Delivery").map(str::len), Some(30));
    }
    assert_ne!(sent[0].rendered.headers, sent[1].rendered.headers);
}

#[tokio::test]
async fn a_merchant_may_have_its_secret_hidden() {
    let world = World::new().await;
    world.put_endpoint(HOOK, false).await;
    let masked = [(preferences::MASK_WEBHOOK_KEY, preferences::YES)];
    world.prefer(NAME, TOKO_CONTOH, &masked).await;
    assert_eq!(world.get(&path()).await.0, 200);
    let body = world.network.sent()[0].rendered.body.clone();
    let text = String::from_utf8(body.clone()).expect("text");
    assert!(text.contains(r#""webhook_key":"********""#) && !text.contains(WEBHOOK_SECRET));
    let signature = sign::sign_callback(WEBHOOK_SECRET, &body);
    let headers = &world.network.sent()[0].rendered.headers;
    assert!(headers.contains(&("X-Ilen-Signature".to_owned(), signature)));
}

#[tokio::test]
async fn what_the_receiver_does_is_told() {
    let table = [
        (Received::Answered { status: 204, excerpt: String::new() }, None),
        (
            Received::Answered { status: 503, excerpt: "canary".to_owned() },
            Some("Ping gagal, webhook menjawab HTTP 503"),
        ),
        (
            Received::Unreachable { problem: "canary".to_owned() },
            Some("Ping gagal, webhook tidak dapat dihubungi"),
        ),
        (Received::NoAddress, Some("Url webhook belum diatur")),
    ];
    for (received, text) in table {
        let world = World::new().await;
        world.put_endpoint(HOOK, false).await;
        world.network.answers(received);
        let (status, data) = world.get(&path()).await;
        assert_eq!(status, 200);
        match text {
            None => assert_eq!(data["respon"], "sukses"),
            Some(text) => assert_eq!(said(&data), text),
        }
    }
}

#[tokio::test]
async fn without_an_address_nothing_is_sent() {
    let world = World::new().await;
    let (_, data) = world.get(&path()).await;
    assert_eq!(said(&data), "Url webhook belum diatur");
    world.put_endpoint(HOOK, true).await;
    let (_, data) = world.get(&path()).await;
    assert_eq!(said(&data), "Url webhook belum diatur");
    assert!(world.network.sent().is_empty());
    let fallback_url = Some("http://127.0.0.1:9000/".to_owned());
    let world = World::under(Conditions { fallback_url, ..Conditions::default() }).await;
    assert_eq!(world.get(&path()).await.1["respon"], "sukses");
    assert_eq!(world.network.sent()[0].url, "http://127.0.0.1:9000/");
}

#[tokio::test]
async fn pings_are_few() {
    let world = World::new().await;
    world.put_endpoint(HOOK, false).await;
    let mut answers = Vec::new();
    for second in [0, 1, 2, 3, 4, 5, 6, 59, 60] {
        world.set_clock(NOW + second * 1000);
        answers.push(world.get(&path()).await.0);
    }
    assert_eq!(answers, [200, 200, 200, 200, 200, 200, 429, 429, 200]);
    assert_eq!(world.network.sent().len(), 7);
}

#[tokio::test]
async fn only_the_whole_name_of_a_live_webhook_counts() {
    let world = World::new().await;
    world.put_endpoint(HOOK, false).await;
    for name in ["qm3xt7klp0az9vd", "Qm3xT7kLp0aZ9V", "Qm3xT7kLp0aZ9Vdx", "[Qm3xT7kLp0aZ9Vd]x"] {
        let path = format!("/v1/webhook/ping/{}", name.replace(['[', ']'], "%5B"));
        let (status, data) = world.get(&path).await;
        assert_eq!((status, said(&data).as_str()), (404, "Endpoint tidak ditemukan"), "{name}");
    }
    let key = crate::ilenpay::key_name("ilen-sandbox-key-0001");
    let known = world.gateway.catalogue().credentials(NAME, &key)[0].clone();
    let expires_at = Some(Timestamp::from_milliseconds(NOW));
    let expired = domain::Credential { expires_at, ..(*known).clone() };
    world.change(vec![Command::PutCredential(expired)]).await;
    assert_eq!(world.get(&path()).await.0, 404);
    assert!(world.network.sent().is_empty());
}
