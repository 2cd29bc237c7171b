//! Pages over a whole gateway whose ports are in memory.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::{
    Amount, Currency, Detail, Merchant, MerchantId, Order, OrderState, ProtocolName, Reference,
    Refusal,
};
use gateway::CollectionRequest;
use gateway::ports::{CollectionReports, StoreFault};
use http::{Method, Request};
use proptest::prelude::*;

use super::{Served, Settings, preferences, shown};
use crate::exchange::{Answer, Arrival, BodyFault, Serve};
use crate::ilenpay::serve_tests::world::{BAHT, NOW, RETURN_URL, TOKENS, World};

const SHOP: &str = "https://shop.example/done";

struct Pages {
    world: World,
    served: Served,
}

impl Pages {
    async fn new(sandbox: bool) -> Self {
        let world = World::new().await;
        let settings = Settings { tokens: TOKENS, sandbox };
        let served = Served::new(Arc::clone(&world.gateway), settings);
        Self { world, served }
    }

    async fn send(&self, method: Method, path: &str, body: &str) -> Answer {
        self.send_with(method, path, &[], Ok(Bytes::copy_from_slice(body.as_bytes()))).await
    }

    async fn send_with(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Result<Bytes, BodyFault>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, body) = request.body(body).expect("a request").into_parts();
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        self.served.serve(Arrival { head, body, peer, note: None }).await
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = self.send(Method::GET, path, "").await;
        (answer.status().as_u16(), text(&answer))
    }

    /// Presses a button and tells where that leads.
    async fn pressed(&self, path: &str, body: &str) -> String {
        let answer = self.send(Method::POST, path, body).await;
        assert_eq!(answer.status().as_u16(), 303, "{}", text(&answer));
        leads(&answer)
    }

    /// The page of a new ilenpay collection.
    async fn redirect(&self, reference: &str) -> String {
        self.world.opened("redirect", "10000", reference).await;
        format!("/payment/{}", self.world.hash(reference).await)
    }

    /// The page of a new S88pay deposit.
    async fn deposit(&self, reference: &str, return_url: Option<&str>) -> (Arc<Order>, String) {
        let order = self.deposited(reference, return_url, "v2", None).await;
        let path = format!("/pay/{}", TOKENS.of(order.id));
        (order, path)
    }

    async fn deposited(
        &self,
        reference: &str,
        return_url: Option<&str>,
        dialect: &str,
        lifetime: Option<Duration>,
    ) -> Arc<Order> {
        let amount = Amount::new(25_000, Currency::Thb).expect("not negative");
        let account = (shown::ACCOUNT.to_owned(), Detail::Text("012-3-45678-9".to_owned()));
        let request = CollectionRequest {
            merchant: self.baht(),
            protocol: ProtocolName::new("s88pay"),
            reference: Reference::new(reference),
            code: "P001".to_owned(),
            destination: "u-77".to_owned(),
            due: amount,
            gross: amount,
            particulars: Detail::Record(vec![account]),
            return_url: return_url.map(str::to_owned),
            dialect: dialect.to_owned(),
            calls_back: true,
            callback_url: None,
            lifetime,
            fingerprint: [1; 32],
        };
        self.world.gateway.open_collection(request).await.expect("opened").order
    }

    fn baht(&self) -> Arc<Merchant> {
        self.world.gateway.catalogue().merchant(BAHT).cloned().expect("the demo's merchant")
    }

    async fn state(&self, order: &Order) -> OrderState {
        let order = self.world.gateway.order_of_any_merchant(order.id).await;
        order.expect("memory does not fail").state
    }
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body().to_vec()).expect("text")
}

fn leads(answer: &Answer) -> String {
    answer.headers()["location"].to_str().expect("an address").to_owned()
}

const CHECK: &str = "action=check&sender=0812-9876";

#[tokio::test]
async fn a_payer_says_who_sent_and_goes_back_to_the_shop() {
    let pages = Pages::new(false).await;
    let path = pages.redirect("INV-000123").await;
    let (status, html) = pages.get(&path).await;
    assert_eq!(status, 200);
    assert!(html.contains("Rp13.000") && html.contains("081200000001"), "{html}");
    assert_eq!(pages.get(&format!("{path}/state")).await, (200, "awaiting".to_owned()));
    let wrong = format!("{path}?notice=sender");
    assert_eq!(pages.pressed(&path, CHECK).await, wrong);
    assert_eq!(pages.pressed(&path, "action=check").await, wrong);
    assert!(pages.get(&wrong).await.1.contains("Contoh: 081298765432"));
    let not_yet = format!("{path}?notice=not-yet");
    assert_eq!(pages.pressed(&path, "action=check&sender=081200000404").await, not_yet);
    let (_, html) = pages.get(&not_yet).await;
    assert!(html.contains("belum kami terima") && html.contains("value=\"6281200000404\""));
    let stay = format!("{path}?stay=1");
    assert_eq!(pages.pressed(&path, "action=check&sender=+62+081298765432").await, wrong);
    assert_eq!(pages.pressed(&path, "sender=+081298765432+&action=check").await, stay);
    assert_eq!(pages.get(&format!("{path}/state")).await.1, "paid");
    let (status, html) = pages.get(&stay).await;
    assert_eq!(status, 200);
    assert!(html.contains(&format!("content=\"3;url={RETURN_URL}\"")), "{html}");
    let onward = pages.send(Method::GET, &path, "").await;
    assert_eq!((onward.status().as_u16(), leads(&onward).as_str()), (302, RETURN_URL));
    assert_eq!(pages.world.earned().await, 10_000);
    assert_eq!(pages.pressed(&path, "action=check&sender=081298765432").await, stay);
    assert_eq!(pages.world.earned().await, 10_000);
    pages.world.memory.audit().expect("sound books");
}

/// Without the sandbox's payer a payer's word alone credits nothing.
#[tokio::test]
async fn a_word_without_credit_is_only_a_word() {
    let pages = Pages::new(false).await;
    pages.world.without_payer();
    let path = pages.redirect("INV-000123").await;
    let not_yet = format!("{path}?notice=not-yet");
    assert_eq!(pages.pressed(&path, "action=check&sender=081298765432").await, not_yet);
    assert_eq!(pages.world.earned().await, 0);
    pages.world.received("1", "telkomsel", 13_000, "6281298765432").await;
    assert_eq!(pages.get(&format!("{path}/state")).await.1, "paid");
    assert_eq!(pages.world.earned().await, 10_000);
}

#[tokio::test]
async fn the_sandbox_has_buttons_and_production_has_not() {
    for sandbox in [true, false] {
        let pages = Pages::new(sandbox).await;
        let credit = pages.redirect("INV-000123").await;
        let (order, transfer) = pages.deposit("ORD-1", None).await;
        let (failing, failed) = pages.deposit("ORD-2", None).await;
        for path in [&credit, &transfer] {
            let (_, html) = pages.get(path).await;
            assert_eq!(html.contains("value=\"pay\""), sandbox);
        }
        if sandbox {
            for path in [&credit, &transfer] {
                assert_eq!(pages.pressed(path, "action=pay").await, format!("{path}?stay=1"));
            }
            let lost = pages.redirect("INV-000125").await;
            for path in [&failed, &lost] {
                for action in ["action=fail", "action=pay"] {
                    assert_eq!(pages.pressed(path, action).await, format!("{path}?stay=1"));
                }
            }
            assert_eq!(pages.get(&format!("{lost}/state")).await.1, "unpaid");
            assert_eq!(pages.state(&order).await, OrderState::Succeeded);
            let refusal = Refusal::PaymentAbandoned;
            assert_eq!(pages.state(&failing).await, OrderState::Failed(refusal));
            assert_eq!(pages.world.earned().await, 10_000);
        } else {
            let changes = pages.world.memory.changes();
            for path in [&credit, &transfer] {
                for action in ["action=pay", "action=fail"] {
                    let answer = pages.send(Method::POST, path, action).await;
                    assert_eq!(answer.status().as_u16(), 404);
                }
            }
            assert_eq!(pages.world.memory.changes(), changes);
        }
        pages.world.memory.audit().expect("sound books");
    }
}

/// The order's own address, what the merchant wants, the button, and where that leads.
type Row<'a> = (Option<&'a str>, &'a [(&'a str, &'a str)], &'a str, Option<&'a str>);

/// The order's own address, else what the merchant wants, else a page of ours.
#[tokio::test]
async fn a_finished_deposit_leads_where_the_rules_say() {
    let wants = [
        (preferences::SUCCESS_URL, "https://shop.example/success"),
        (preferences::FAILED_URL, "https://shop.example/failed"),
    ];
    let bad = [(preferences::SUCCESS_URL, "javascript:alert(1)")];
    let table: [Row<'_>; 7] = [
        (Some(SHOP), &wants, "action=pay", Some(SHOP)),
        (Some(SHOP), &wants, "action=fail", Some(SHOP)),
        (None, &wants, "action=pay", Some("https://shop.example/success")),
        (None, &wants, "action=fail", Some("https://shop.example/failed")),
        (None, &[], "action=pay", None),
        (None, &bad, "action=pay", None),
        (Some("javascript:alert(1)"), &[], "action=pay", None),
    ];
    for (return_url, wants, action, target) in table {
        let pages = Pages::new(true).await;
        pages.world.prefer("s88pay", BAHT, wants).await;
        let (_, path) = pages.deposit("ORD-1", return_url).await;
        assert_eq!(pages.send(Method::GET, &path, "").await.status().as_u16(), 200);
        pages.pressed(&path, action).await;
        let answer = pages.send(Method::GET, &path, "").await;
        match target {
            Some(target) => {
                assert_eq!((answer.status().as_u16(), leads(&answer).as_str()), (302, target));
                let (_, html) = pages.get(&format!("{path}?stay=1")).await;
                assert!(html.contains(&format!("3;url={target}")), "{html}");
            }
            None => {
                assert_eq!(answer.status().as_u16(), 200);
                assert!(text(&answer).contains("You may close this page."));
                assert!(!text(&answer).contains("javascript:"));
            }
        }
    }
}

/// Its merchant is told nothing of it, so its payer is not sent back as one who has finished.
#[tokio::test]
async fn an_unpaid_collection_of_ilenpay_only_offers_the_way_back() {
    let pages = Pages::new(false).await;
    let path = pages.redirect("INV-000123").await;
    let order = pages.world.order("INV-000123").await;
    let refusal = Some(Refusal::PaymentAbandoned);
    pages.world.gateway.end_collection(&order, refusal).await.expect("ended");
    let (status, html) = pages.get(&path).await;
    assert_eq!(status, 200);
    assert!(html.contains(&format!("href=\"{RETURN_URL}\"")) && !html.contains("http-equiv"));
    let stay = format!("{path}?stay=1");
    assert_eq!(pages.pressed(&path, "action=check&sender=081298765432").await, stay);
    assert_eq!(pages.world.earned().await, 0);
}

#[tokio::test]
async fn time_and_review_are_shown() {
    let pages = Pages::new(false).await;
    let lifetime = Some(Duration::from_secs(900));
    let order = pages.deposited("ORD-1", None, "v2", lifetime).await;
    let path = format!("/pay/{}", TOKENS.of(order.id));
    pages.world.set_clock(NOW + 28_000);
    let (_, html) = pages.get(&path).await;
    assert!(html.contains("data-seconds=\"872\">14:32<") && html.contains("012-3-45678-9"));
    let command = domain::Command::Tell(domain::command::Tell {
        order: order.id,
        merchant: order.key.merchant,
        particulars: Vec::new(),
        reference: None,
        in_review: Some(true),
        at: pages.world.gateway.now(),
    });
    pages.world.change(vec![command]).await;
    assert_eq!(pages.get(&format!("{path}/state")).await.1, "review");
    pages.world.set_clock(NOW + 900_000);
    let expired = pages.world.memory.collections_expired(pages.world.gateway.now(), 9).await;
    for order in expired.expect("memory does not fail") {
        pages.world.gateway.end_collection(&order, None).await.expect("ended");
    }
    assert_eq!(pages.get(&format!("{path}/state")).await.1, "unpaid");
    assert!(pages.get(&path).await.1.contains("The time to pay has run out"));
}

#[tokio::test]
async fn a_name_that_is_not_one_tells_nothing() {
    let pages = Pages::new(true).await;
    let credit = pages.redirect("INV-000123").await;
    let (order, transfer) = pages.deposit("ORD-1", None).await;
    pages.world.opened("direct", "10000", "INV-000124").await;
    let direct = format!("/payment/{}", pages.world.hash("INV-000124").await);
    let other = pages.deposited("ORD-2", None, "v3", None).await;
    let host_to_host = format!("/pay/{}", TOKENS.of(other.id));
    let absent = TOKENS.of(domain::OrderId(999));
    let paths = [
        credit.replace("/payment/", "/pay/"),
        transfer.replace("/pay/", "/payment/"),
        direct,
        host_to_host,
        format!("/pay/{absent}"),
        format!("/pay/{}", order.id),
        "/pay/".to_owned(),
        "/payment/".to_owned(),
        format!("{credit}/"),
        format!("{credit}/other"),
        "/pay/assets/other.js".to_owned(),
        "/pay/%3Cscript%3E".to_owned(),
    ];
    let changes = pages.world.memory.changes();
    let (_, nowhere) = pages.get("/pay/nowhere").await;
    for path in paths {
        for path in [path.clone(), format!("{path}/state")] {
            assert_eq!(pages.get(&path).await, (404, nowhere.clone()), "{path}");
        }
        let answer = pages.send(Method::POST, &path, "action=pay").await;
        assert_eq!((answer.status().as_u16(), text(&answer)), (404, nowhere.clone()), "{path}");
    }
    assert_eq!(pages.world.memory.changes(), changes);
}

#[tokio::test]
async fn methods_and_buttons_that_are_not_there_change_nothing() {
    let pages = Pages::new(true).await;
    let path = pages.redirect("INV-000123").await;
    let (_, deposit) = pages.deposit("ORD-1", None).await;
    let changes = pages.world.memory.changes();
    let state = format!("{path}/state");
    let table = [
        (Method::PUT, path.as_str(), "GET, HEAD, POST"),
        (Method::DELETE, &path, "GET, HEAD, POST"),
        (Method::POST, &state, "GET, HEAD"),
        (Method::POST, "/pay/assets/page.js", "GET, HEAD"),
    ];
    for (method, path, allowed) in table {
        let answer = pages.send(method, path, "action=pay").await;
        assert_eq!(answer.status().as_u16(), 405);
        assert_eq!(answer.headers()["allow"], allowed);
    }
    for body in ["", "action=", "action=other", "pay", "{\"action\":\"pay\"}", "action=%ff"] {
        assert_eq!(pages.send(Method::POST, &path, body).await.status().as_u16(), 404, "{body}");
    }
    let told = "action=check&sender=081298765432";
    assert_eq!(pages.send(Method::POST, &deposit, told).await.status().as_u16(), 404);
    for fault in [BodyFault::TooLarge, BodyFault::TooSlow, BodyFault::Broken] {
        let answer = pages.send_with(Method::POST, &path, &[], Err(fault)).await;
        assert_eq!(answer.status().as_u16(), 404);
    }
    for path in [&path, &state, &deposit] {
        for _ in 0..3 {
            let got = pages.send(Method::GET, path, "").await;
            let head = pages.send(Method::HEAD, path, "action=pay").await;
            assert_eq!((head.status(), head.headers()), (got.status(), got.headers()));
            assert!(head.body().is_empty() && !got.body().is_empty());
        }
    }
    assert_eq!(pages.world.memory.changes(), changes);
}

#[tokio::test]
async fn every_answer_keeps_to_itself() {
    let pages = Pages::new(true).await;
    let path = pages.redirect("INV-000123").await;
    let state = format!("{path}/state");
    pages.pressed(&pages.redirect("INV-000124").await, "action=pay").await;
    let paid = format!("/payment/{}", pages.world.hash("INV-000124").await);
    for path in [path.as_str(), &state, &paid, "/pay/nowhere", "/pay/assets/page.js"] {
        let answer = pages.send(Method::GET, path, "").await;
        let header = |name: &str| {
            let value = answer.headers().get(name).map(|value| value.to_str().expect("text"));
            value.unwrap_or_default().to_owned()
        };
        let policy = header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"));
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(header("x-frame-options"), "DENY", "{path}");
        let kept = header("cache-control");
        assert_eq!(kept != "no-store", path.ends_with(".js"), "{path}: {kept}");
    }
    let script = pages.send(Method::GET, "/pay/assets/page.js?v=1", "").await;
    assert_eq!(script.headers()["content-type"], "text/javascript; charset=utf-8");
}

#[tokio::test]
async fn a_link_or_the_browser_chooses_the_language() {
    let pages = Pages::new(true).await;
    let path = pages.redirect("INV-000123").await;
    let (_, deposit) = pages.deposit("ORD-1", None).await;
    let (english, indonesian) = ("<html lang=\"en\">", "<html lang=\"id\">");
    let in_english = format!("{path}?lang=en");
    let in_nothing = format!("{path}?lang=de");
    let table = [
        (path.as_str(), "", indonesian),
        (&path, "en-GB,en;q=0.9", english),
        (&path, "de", indonesian),
        (&deposit, "", english),
        (&deposit, "id", indonesian),
        (&in_english, "id", english),
        (&in_nothing, "en", english),
        ("/pay/nowhere", "en", english),
        ("/pay/nowhere", "", indonesian),
    ];
    for (path, header, expected) in table {
        let headers = [("accept-language", header)];
        let answer = pages.send_with(Method::GET, path, &headers, Ok(Bytes::new())).await;
        assert!(text(&answer).contains(expected), "{path} {header}");
        assert_eq!(answer.headers()["vary"], "accept-language");
    }
    let pressed = pages.pressed(&in_english, "action=check&sender=081200000404").await;
    assert_eq!(pressed, format!("{path}?lang=en&notice=not-yet"));
    let (_, html) = pages.get(&in_english).await;
    assert!(html.contains(&format!("action=\"{in_english}\"")), "{html}");
}

#[tokio::test]
async fn buttons_are_not_pressed_without_end() {
    let pages = Pages::new(false).await;
    let path = pages.redirect("INV-000123").await;
    let other = pages.redirect("INV-000124").await;
    let body = "action=check&sender=081200000404";
    for _ in 0..20 {
        assert!(pages.pressed(&path, body).await.ends_with("notice=not-yet"));
    }
    let changes = pages.world.memory.changes();
    assert!(pages.pressed(&path, body).await.ends_with("notice=often"));
    assert_eq!(pages.world.memory.changes(), changes);
    assert!(pages.pressed(&other, body).await.ends_with("notice=not-yet"));
    pages.world.set_clock(NOW + 60_000);
    assert!(pages.pressed(&path, body).await.ends_with("notice=not-yet"));
}

#[tokio::test]
async fn a_fault_of_ours_says_nothing_of_itself() {
    let pages = Pages::new(false).await;
    let path = pages.redirect("INV-000123").await;
    pages.world.memory.fail_with(StoreFault::Corrupt("canary".to_owned()));
    let (status, html) = pages.get(&path).await;
    assert_eq!(status, 503);
    assert!(html.contains("Sistem sedang gangguan") && !html.contains("canary"));
}

#[tokio::test]
async fn a_merchant_that_is_gone_has_no_pages() {
    let pages = Pages::new(false).await;
    let merchant = Arc::new(Merchant { id: MerchantId(99), ..(*pages.baht()).clone() });
    let amount = Amount::new(25_000, Currency::Thb).expect("not negative");
    let request = CollectionRequest {
        merchant,
        protocol: ProtocolName::new("s88pay"),
        reference: Reference::new("ORD-1"),
        code: "P001".to_owned(),
        destination: String::new(),
        due: amount,
        gross: amount,
        particulars: Detail::none(),
        return_url: None,
        dialect: "v2".to_owned(),
        calls_back: false,
        callback_url: None,
        lifetime: None,
        fingerprint: [1; 32],
    };
    let order = pages.world.gateway.open_collection(request).await.expect("opened").order;
    assert_eq!(pages.get(&format!("/pay/{}", TOKENS.of(order.id))).await.0, 404);
}

#[test]
fn addresses_of_pages_are_owned() {
    let owned = ["/payment/x", "/pay/x", "/pay/assets/page.js", "/pay/"];
    let others = ["/pay", "/payment", "/payments/x", "/v1/pay/x", "/api/v1/payout/x", "/"];
    assert!(owned.iter().all(|path| Served::owns(path)));
    assert!(!others.iter().any(|path| Served::owns(path)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is asked, nothing panics, nothing is reflected, and only a button that is there and says
    /// something changes anything.
    #[test]
    fn any_request_is_answered(
        path in "/(pay|payment)/[a-zA-Z0-9/._%?=&<>'-]{0,48}",
        query in "(lang|notice|stay|x)=[a-z0-9%<>&=+-]{0,16}",
        body: Vec<u8>,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("a runtime").block_on(async {
            let pages = Pages::new(false).await;
            let page = pages.redirect("INV-000123").await;
            let changes = pages.world.memory.changes();
            let own = format!("{page}?{query}");
            for path in [path.as_str(), &own] {
                let Ok(uri) = path.parse::<http::Uri>() else { continue };
                for method in [Method::GET, Method::HEAD, Method::POST] {
                    let body = Ok(Bytes::from(body.clone()));
                    let answer = pages.send_with(method, &uri.to_string(), &[], body).await;
                    prop_assert!(answer.status().as_u16() < 500);
                    prop_assert!(!text(&answer).contains("<script>"));
                }
            }
            prop_assert_eq!(pages.world.memory.changes(), changes);
            Ok(())
        })?;
    }
}
