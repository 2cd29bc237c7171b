//! Pages for payers in a real browser on a small phone: they can be read and used in every state and
//! both languages, keep themselves up to date, and let nobody else's script run.
//!
//! `LUNAS_SCREENSHOTS=FOLDER` leaves a picture of each.

use md5::{Digest, Md5};
use serde_json::{Value, json};

use crate::browser::{Browser, CHROMIUM};
use crate::evidence::{SECRET, balance, tell, tell_from};
use crate::harness::{Sandbox, is_missing, lunas, request};
use crate::receiver::{Receiver, SOUND};
use crate::s88pay_client::Shop;

/// Credit from this number never comes by itself.
const NEVER: &str = "081200000404";

/// The address of the page of a new ilenpay transaction for Rp10.000.
fn redirect(sandbox: &Sandbox, reference: &str, return_url: &str) -> String {
    redirect_of(sandbox, ("ilen-sandbox-key-0001", "demoUser01"), reference, return_url)
}

/// The same of whoever has this key and this name to sign with.
fn redirect_of(
    sandbox: &Sandbox,
    (key, user): (&str, &str),
    reference: &str,
    return_url: &str,
) -> String {
    let signed = Md5::digest(format!("telkomsel+10000+{reference}+{user}"));
    let members = json!({ "type": "redirect", "operator": "telkomsel", "nominal": 10_000,
        "reff_id": reference, "return_url": return_url, "sign": hex::encode(signed) });
    let headers = [("authorization", key), ("content-type", "application/json")];
    let path = "/v1/transaksi/baru";
    let answer = request(sandbox.url(), "POST", path, &headers, &members.to_string()).json();
    let page = answer["data"]["url_pay"].as_str().unwrap_or_else(|| panic!("{answer}"));
    page.to_owned()
}

/// Waits until a payer reads this.
fn reads(browser: &mut Browser, text: &str) {
    browser.wait_for(&format!("document.body.innerText.includes({text:?})"));
}

/// Waits until the browser is back at the shop.
fn goes_to(browser: &mut Browser, url: &str) {
    browser.wait_for(&format!("location.href === {url:?}"));
}

/// Whatever a browser asked for was on this server or in the end at the shop, and it had nothing to
/// complain about.
fn kept_to(browser: &mut Browser, sandbox: &Sandbox, shop: &Receiver) {
    let shop = shop.url.trim_end_matches("hook");
    let elsewhere =
        |url: &&String| ![sandbox.url(), shop, "data:,"].iter().any(|it| url.starts_with(it));
    let requested = browser.requested();
    assert!(requested.iter().any(|url| url.contains("/pay/assets/page.js")), "{requested:?}");
    assert_eq!(requested.iter().find(elsewhere), None);
    assert_eq!(browser.complaints(), [""; 0]);
}

#[test]
fn a_payer_of_credit_is_led_and_the_page_finds_the_payment_by_itself() {
    if [CHROMIUM, "openssl", "curl"].into_iter().any(is_missing) {
        return;
    }
    let (shop, sandbox) = (Receiver::start(SOUND), Sandbox::start(&[]));
    let before = balance(&sandbox);
    let page = redirect(&sandbox, "INV-000123", &shop.url);
    let mut browser = Browser::start("id-ID,id");
    browser.open(&page);
    let text = browser.text();
    for part in ["Toko Contoh", "Rp13.000", "Telkomsel", "081200000001", "INV-000123", "Cek"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    browser.wait_for("performance.getEntriesByType('resource').length > 0");
    let requested = browser.requested();
    assert_eq!(
        requested.iter().filter(|url| !url.starts_with("data:")).count(),
        2,
        "{requested:?}"
    );
    browser.look("ilenpay-waiting-id");
    browser.types("#sender", "0812-98");
    browser.press("button[value=check]");
    reads(&mut browser, "Nomor pengirim tidak benar");
    browser.look("ilenpay-wrong-sender-id");
    browser.types("#sender", NEVER);
    browser.press("button[value=check]");
    reads(&mut browser, "belum kami terima");
    browser.look("ilenpay-not-yet-id");

    // The SIM sees the credit, and nobody touches the phone.
    let at = jiff::Timestamp::from_second(sandbox.seconds() + 60).unwrap().to_string();
    let seen = json!([{ "id": "seen", "at": at, "amount": 13_000, "sender": NEVER }]);
    let told = tell(&sandbox, SECRET, &seen);
    assert_eq!(told["rows"][0]["state"], "used", "{told}");
    reads(&mut browser, "Pembayaran diterima");
    browser.look("ilenpay-paid-id");
    goes_to(&mut browser, &shop.url);
    assert_eq!(balance(&sandbox), before + 10_000);
    kept_to(&mut browser, &sandbox, &shop);
    sandbox.verify();
}

#[test]
fn the_buttons_of_the_sandbox_pay_and_fail_credit() {
    if is_missing(CHROMIUM) {
        return;
    }
    let (shop, sandbox) = (Receiver::start(SOUND), Sandbox::start(&[]));
    let before = balance(&sandbox);
    let mut browser = Browser::start("en-GB,en");
    browser.open(&redirect(&sandbox, "INV-PAID", &shop.url));
    browser.look("ilenpay-waiting-en");
    browser.press("button[value=pay]");
    reads(&mut browser, "Payment received");
    browser.look("ilenpay-paid-en");
    goes_to(&mut browser, &shop.url);
    assert_eq!(balance(&sandbox), before + 10_000);

    let page = redirect(&sandbox, "INV-FAILED", &shop.url);
    browser.open(&page);
    browser.press("button[value=fail]");
    reads(&mut browser, "Payment was not successful");
    browser.look("ilenpay-failed-en");
    browser.open(&format!("{page}?lang=id"));
    reads(&mut browser, "Pembayaran tidak berhasil");
    browser.look("ilenpay-failed-id");
    assert_eq!(balance(&sandbox), before + 10_000);
    browser.press("a.button");
    goes_to(&mut browser, &shop.url);
    kept_to(&mut browser, &sandbox, &shop);
    sandbox.verify();
}

#[test]
fn a_browser_without_scripts_pays_as_well() {
    if is_missing(CHROMIUM) {
        return;
    }
    let (shop, sandbox) = (Receiver::start(SOUND), Sandbox::start(&[]));
    let mut browser = Browser::start("id-ID,id");
    browser.without_scripts();
    browser.open(&redirect(&sandbox, "INV-PLAIN", &shop.url));
    browser.press("button[value=pay]");
    reads(&mut browser, "Pembayaran diterima");
    let requested = browser.requested();
    assert!(!requested.iter().any(|url| url.contains("/state")), "{requested:?}");
    goes_to(&mut browser, &shop.url);
}

/// Each kind of S88pay channel: currency, amount, what a deposit names besides, and what its page says.
const CHANNELS: [(&str, &str, &str, &[&str]); 5] = [
    ("THB", "250.00", "&bank_code=104", &["฿250.00", "PromptPay", "0011223344", "Operator Contoh"]),
    ("IDR", "1250000", "&bank_code=BCA", &["Rp1.250.000", "0011223344"]),
    ("INR", "250.50", "", &["₹250.50", "contoh@lunas"]),
    ("VND", "200000", "&bank_code=momo", &["200.000 ₫", "Momo", "0011223344", "Transfer note"]),
    ("KRW", "10000", "", &["₩10,000", "0011223344"]),
];

#[test]
fn every_channel_says_where_to_pay_and_nothing_of_the_others() {
    if is_missing(CHROMIUM) || is_missing("openssl") {
        return;
    }
    let sandbox = Sandbox::start(&[]);
    let mut browser = Browser::start("en-GB,en");
    for (currency, amount, more, parts) in CHANNELS {
        let path = Shop::of(currency).deposit(&sandbox, "ORD-1", amount, more);
        browser.open(&format!("{}{path}", sandbox.url()));
        let text = browser.text();
        for part in parts {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(!text.contains(';') && !text.contains("INR="), "{text}");
        browser.look(&format!("s88pay-{}-waiting-en", currency.to_lowercase()));
    }
    let page = browser.address();
    browser.open(&format!("{page}?lang=id"));
    reads(&mut browser, "Menunggu pembayaran");
    browser.look("s88pay-krw-waiting-id");
    browser.press("footer a");
    reads(&mut browser, "Waiting for payment");
    browser.press("button[value=fail]");
    reads(&mut browser, "Payment was not successful");
    browser.look("s88pay-failed-en");
}

/// Opens the page of a new deposit of 250.00 baht.
fn opens(browser: &mut Browser, sandbox: &Sandbox, code: &str, more: &str) -> String {
    let more = format!("&bank_code=104{more}");
    let path = Shop::of("THB").deposit(sandbox, code, "250.00", &more);
    browser.open(&format!("{}{path}", sandbox.url()));
    browser.address()
}

#[test]
fn a_deposit_is_paid_or_fails_on_its_page_and_the_payer_goes_back() {
    if is_missing(CHROMIUM) || is_missing("openssl") {
        return;
    }
    let (shop, sandbox) = (Receiver::start(SOUND), Sandbox::start(&[]));
    let more = format!("&return_url={}", shop.url);
    let mut browser = Browser::start("id-ID,id");
    // Somebody else pays with another phone.
    let page = opens(&mut browser, &sandbox, "ORD-1", &more);
    browser.look("s88pay-thb-waiting-id");
    let path = page.strip_prefix(sandbox.url()).unwrap();
    sandbox.post(path, "application/x-www-form-urlencoded", b"action=pay");
    reads(&mut browser, "Pembayaran diterima");
    browser.look("s88pay-paid-id");
    goes_to(&mut browser, &shop.url);

    opens(&mut browser, &sandbox, "ORD-2", &more);
    browser.press("button[value=fail]");
    reads(&mut browser, "Pembayaran tidak berhasil");
    browser.look("s88pay-failed-id");
    goes_to(&mut browser, &shop.url);
    kept_to(&mut browser, &sandbox, &shop);
    sandbox.verify();
}

#[test]
fn money_that_the_bank_sees_pays_a_deposit_and_its_page_says_so() {
    if [CHROMIUM, "openssl", "curl"].into_iter().any(is_missing) {
        return;
    }
    let sandbox = Sandbox::start(&[]);
    let shop = Shop::of("IDR");
    let mut browser = Browser::start("id-ID,id");
    let path = shop.deposit(&sandbox, "ORD-1", "125000", "&bank_code=BCA");
    browser.open(&format!("{}{path}", sandbox.url()));
    reads(&mut browser, "Menunggu pembayaran");
    let at = jiff::Timestamp::from_second(sandbox.seconds() + 60).unwrap().to_string();
    let seen = json!([{ "id": "seen", "at": at, "amount": 125_000, "sender": "BUDI" }]);
    let told = tell_from(&sandbox, "demo_bank", SECRET, &seen);
    assert_eq!(told["rows"][0]["state"], "used", "{told}");
    reads(&mut browser, "Pembayaran diterima");
    assert_eq!(shop.status(&sandbox, "ORD-1"), "completed");
    sandbox.verify();
}

#[test]
fn a_page_says_by_itself_that_its_time_has_run_out() {
    if is_missing(CHROMIUM) || is_missing("openssl") {
        return;
    }
    let sandbox = Sandbox::start(&[]);
    let mut browser = Browser::start("id-ID,id");
    let page = opens(&mut browser, &sandbox, "ORD-1", "");
    browser.wait_for("/^14:5[0-8]$/.test(document.getElementById('left').textContent)");
    sandbox.control("/sandbox/clock", &json!({ "advance_seconds": 901 }));
    reads(&mut browser, "Waktu pembayaran habis");
    browser.look("s88pay-expired-id");
    browser.open(&format!("{page}?lang=en"));
    reads(&mut browser, "The time to pay has run out");
    browser.look("s88pay-expired-en");

    opens(&mut browser, &sandbox, "ORD-1", "");
    reads(&mut browser, "error code 113");
    browser.look("s88pay-refused");
    browser.open(&format!("{}/pay/nothing", sandbox.url()));
    reads(&mut browser, "Halaman tidak ditemukan");
    browser.look("nowhere-id");
    sandbox.verify();
}

/// Runs where a text is taken for HTML. It leaves its mark in the window, and so is not seen where the
/// policy alone forbids it; that the browser complains about.
const HOSTILE_NAME: &str = "Toko <img src=x onerror=harm=1><script>harm=1</script>\"'><b>";
const HOSTILE_REFERENCE: &str = "<svg onload=harm=1>";

/// Adds a merchant of this name, who calls ilenpay's API with this key and name to sign with.
fn merchant_named(sandbox: &Sandbox, name: &str, (api_key, api_user): (&str, &str)) {
    let server = ["--server", sandbox.url(), "--json"];
    let added = lunas().args(["merchant", "add", name]).args(server).output().unwrap();
    let added: Value = serde_json::from_slice(&added.stdout).unwrap();
    let path = format!("/admin/v1/merchants/{}/credentials", added["merchant"]);
    let secrets = json!({ "api_key": api_key, "api_user": api_user,
        "webhook_id": "Qm3xT7kLp0aZ9Vd-hostile", "webhook_secret": "whsecret-hostile-0001" });
    let credential = json!({ "protocol": "ilenpay", "identifier": "any", "secrets": secrets });
    let headers = [
        ("authorization", "Bearer sandbox-admin"),
        ("content-type", "application/json"),
        ("idempotency-key", "hostile-1"),
    ];
    let answer = request(sandbox.url(), "POST", &path, &headers, &credential.to_string());
    assert!(answer.status < 300, "{answer:?}");
}

/// What is demanded of every page here can be missed.
#[test]
fn a_page_that_is_unfit_for_a_phone_is_noticed() {
    if is_missing(CHROMIUM) {
        return;
    }
    let mut browser = Browser::start("id-ID,id");
    for (content, why) in [
        ("<p style='width:999px'>x", "wide: "),
        ("<p style='font-size:9px'>x", "small: "),
        ("<a href=x>x</a>", "narrow: "),
    ] {
        let head = "<meta name=viewport content='width=device-width'>";
        browser.open(&format!("data:text/html,{head}{content}"));
        let unfit = browser.unfit();
        assert!(unfit[0].as_str().is_some_and(|it| it.starts_with(why)), "{content}: {unfit}");
    }
}

#[test]
fn no_name_and_no_address_makes_a_script_run() {
    if is_missing(CHROMIUM) {
        return;
    }
    let sandbox = Sandbox::start(&[]);
    let mut browser = Browser::start("id-ID,id");
    // The same texts do run on a page that takes them as they are.
    for text in [HOSTILE_NAME, HOSTILE_REFERENCE] {
        browser.open(&format!("data:text/html,{text}"));
        browser.wait_for("window.harm === 1");
    }

    let hostile_key = ("hostile-key-000001", "hostile-user-00001");
    merchant_named(&sandbox, HOSTILE_NAME, hostile_key);
    let address = "https://shop.example/?a='onclick=harm=1//";
    let page = redirect_of(&sandbox, hostile_key, HOSTILE_REFERENCE, address);
    let hostile = "%22%3E%3Cscript%3Eharm=1%3C/script%3E";
    let query = format!("?lang=id{hostile}&notice={hostile}&stay={hostile}&{hostile}");
    for query in ["", "?lang=en", &query] {
        browser.open(&format!("{page}{query}"));
        assert!(browser.text().contains(HOSTILE_REFERENCE), "{}", browser.text());
        assert_eq!(browser.value("document.scripts.length"), Some(json!(1)));
        assert_eq!(
            browser.value("document.querySelectorAll('img, svg, b').length"),
            Some(json!(0))
        );
    }
    browser.look("hostile-waiting-id");
    for path in [format!("/pay/{hostile}"), format!("/payment/{hostile}?lang={hostile}")] {
        browser.open(&format!("{}{path}", sandbox.url()));
        reads(&mut browser, "Halaman tidak ditemukan");
    }
    browser.open(&format!("{}/OPR001/v2/dopayment?key={hostile}", sandbox.url()));
    reads(&mut browser, "error code 118");
    browser.open(&page);
    browser.press("button[value=fail]");
    reads(&mut browser, "Pembayaran tidak berhasil");
    assert!(browser.text().contains(HOSTILE_REFERENCE));
    let link = "[...document.querySelector('a.button').attributes].map(it => it.value)";
    assert_eq!(browser.value(link), Some(json!(["button", address, "noreferrer"])));
    assert_eq!(browser.value("typeof window.harm"), Some(json!("undefined")));
    // Not even the policy had anything to forbid.
    assert_eq!(browser.complaints(), [""; 0]);
}
