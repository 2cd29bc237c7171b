//! What stands on a page, and that nothing from outside leaves its place there.

use domain::{Currency, Kind, MerchantId, Mode, ProductId, ProtocolName, Reference, ReferenceKey};
use domain::{OrderId, Refusal, Timestamp, UpstreamName};
use proptest::prelude::*;

use super::*;
use crate::sandbox::demo;

const PATH: &str = "/payment/00112233";

fn collecting(due: Amount, particulars: &[(&str, &str)]) -> Collecting {
    let entry =
        |(name, value): &(&str, &str)| ((*name).to_owned(), Detail::Text((*value).to_owned()));
    Collecting {
        channel: "in".to_owned(),
        due,
        gross: due,
        fee: Amount::zero(due.currency()),
        return_url: None,
        in_review: false,
        particulars: Detail::Record(particulars.iter().map(entry).collect()),
        evidence: None,
    }
}

fn order(state: OrderState, reference: &str) -> Order {
    let at = Timestamp::from_milliseconds(0);
    Order {
        id: OrderId(1),
        key: ReferenceKey {
            merchant: MerchantId(1),
            protocol: ProtocolName::new("ilenpay"),
            mode: Mode::Live,
            reference: Reference::new(reference),
        },
        kind: Kind::Collection,
        state,
        fingerprint: [0; 32],
        product: ProductId::new("in"),
        code: "telkomsel".to_owned(),
        destination: String::new(),
        dialect: "redirect".to_owned(),
        upstream: UpstreamName::new("payer"),
        bill: None,
        quote: None,
        created_at: at,
        updated_at: at,
        expires_at: at,
        holds: Vec::new(),
        attempts: Vec::new(),
        question_due: None,
        delivery: None,
        calls_back: true,
        callback_url: None,
        callbacks: Vec::new(),
        collecting: None,
        recipient: None,
    }
}

fn telkomsel() -> Product {
    let wanted = |product: &Product| product.id.as_str() == "credit-telkomsel";
    demo::products().into_iter().find(wanted).expect("an operator")
}

fn page<'a>(
    order: &'a Order,
    collecting: &'a Collecting,
    product: Option<&'a Product>,
) -> Page<'a> {
    Page {
        language: Language::Indonesian,
        path: PATH,
        own: PATH,
        again: PATH,
        merchant: "Toko Contoh",
        order,
        collecting,
        product,
        by_credit: true,
        left: None,
        notice: None,
        leads_to: None,
        sandbox: false,
    }
}

/// Pages of many kinds, as files that a person can open: where the variable names a folder they are
/// written there.
fn samples() -> Vec<(&'static str, String)> {
    let (waiting, paid) = (OrderState::Awaiting, OrderState::Succeeded);
    let product = telkomsel();
    let credit = collecting(Amount::rupiah(13_000), &[]);
    let baht = Amount::new(125_000_000, Currency::Thb).expect("not negative");
    let transfer = [
        (shown::BANK, "Kasikornbank"),
        (shown::ACCOUNT, "012-3-45678-9"),
        (shown::HOLDER, "Lunas Payments Co., Ltd."),
        (shown::NOTE, "K7Q2"),
    ];
    let transfer = collecting(baht, &transfer);
    let (open, done) = (order(waiting, "INV-000123"), order(paid, "INV-000123"));
    let failed = order(OrderState::Failed(Refusal::PaymentAbandoned), "INV-000123");
    let english = |page| Page { language: Language::English, by_credit: false, ..page };
    let shop = Some(("https://shop.example/orders/123?x=1", true));
    let ilenpay = page(&open, &credit, Some(&product));
    let noticed = Page {
        notice: Some(Notice::NotFoundYet),
        sandbox: true,
        left: Some(Duration::from_secs(872)),
        ..page(&open, &credit, Some(&product))
    };
    let s88pay =
        Page { left: Some(Duration::from_secs(3672)), ..english(page(&open, &transfer, None)) };
    vec![
        ("ilenpay", ilenpay.write()),
        ("ilenpay-sandbox", noticed.write()),
        ("s88pay", s88pay.write()),
        ("paid", Page { leads_to: shop, ..page(&done, &credit, None) }.write()),
        ("failed", english(page(&failed, &transfer, None)).write()),
        ("unknown", unknown(Language::Indonesian)),
        ("fault", fault(Language::English)),
        ("refused", refused("Invalid Timestamp", 112)),
    ]
}

#[test]
fn a_page_says_what_to_pay_where_to_and_how_far_it_is() {
    let samples = samples();
    if let Ok(folder) = std::env::var("LUNAS_PAGE_SAMPLES") {
        for (name, html) in &samples {
            let path = std::path::Path::new(&folder).join(format!("{name}.html"));
            std::fs::write(path, html).expect("a folder that can be written");
        }
    }
    let html = |wanted: &str| {
        let found = samples.iter().find(|(name, _)| *name == wanted);
        found.expect("a sample").1.clone()
    };
    let table: [(&str, &[&str]); 8] = [
        (
            "ilenpay",
            &[
                "<html lang=\"id\">",
                "Toko Contoh",
                "Rp13.000",
                "081200000001",
                "Telkomsel",
                "INV-000123",
                "Menunggu pembayaran",
                "name=\"sender\"",
                "Cek pembayaran",
                "?lang=en",
            ],
        ),
        (
            "ilenpay-sandbox",
            &[
                "belum kami terima",
                "value=\"pay\"",
                "value=\"fail\"",
                "data-seconds=\"872\">14:32<",
            ],
        ),
        (
            "s88pay",
            &[
                "<html lang=\"en\">",
                "฿1,250,000.00",
                "Kasikornbank",
                "012-3-45678-9",
                "Lunas Payments Co., Ltd.",
                "K7Q2",
                ">1:01:12<",
                "?lang=id",
            ],
        ),
        ("paid", &["Pembayaran diterima", "3;url=https://shop.example/orders/123?x=1", "Kembali"]),
        (
            "failed",
            &[
                "Payment was not successful",
                "If you have already, contact the shop.",
                "You may close this page.",
            ],
        ),
        ("unknown", &["Halaman tidak ditemukan"]),
        ("fault", &["Your payment is safe."]),
        ("refused", &["Invalid Timestamp", "error code 112", "Kembali ke toko", "Go back"]),
    ];
    for (name, parts) in table {
        for part in parts {
            assert!(html(name).contains(part), "{name} lacks {part}: {}", html(name));
        }
    }
    for (name, absent) in [
        ("ilenpay", "value=\"pay\""),
        ("ilenpay", "id=\"left\""),
        ("s88pay", "name=\"sender\""),
        ("paid", "<script"),
        ("paid", "data-ask"),
        ("paid", "Jumlah transfer"),
        ("failed", "http-equiv=\"refresh\""),
        ("unknown", "<script"),
    ] {
        assert!(!html(name).contains(absent), "{name} has {absent}");
    }
}

/// The account of such a channel is a list for several currencies.
#[test]
fn a_transfer_never_shows_the_setting_of_its_channel() {
    let wanted = |product: &Product| product.id.as_str() == "transfer-in";
    let product = demo::products().into_iter().find(wanted).expect("a channel");
    let setting = product.channel.as_ref().expect("a channel").account.clone();
    assert!(setting.contains("INR="), "{setting}");
    let (order, collecting) =
        (order(OrderState::Awaiting, "ORD-1"), collecting(Amount::rupiah(1000), &[]));
    let html = Page { by_credit: false, ..page(&order, &collecting, Some(&product)) }.write();
    assert!(!html.contains("INR=") && html.contains("diberitahukan oleh toko"), "{html}");
}

/// Whoever has told of a payment must not be led to pay again.
#[test]
fn nothing_says_where_to_pay_while_a_person_looks() {
    let order = order(OrderState::Awaiting, "ORD-1");
    let asked = collecting(Amount::rupiah(1000), &[(shown::ACCOUNT, "012-3-45678-9")]);
    assert!(page(&order, &asked, None).write().contains("012-3-45678-9"));
    let asked = Collecting { in_review: true, ..asked };
    let html = page(&order, &asked, None).write();
    assert!(html.contains("sedang diperiksa petugas") && html.contains("Rp1.000"), "{html}");
    assert!(!html.contains("012-3-45678-9") && !html.contains("Transfer tepat"), "{html}");
    assert!(html.contains("data-ask=") && !html.contains("name=\"sender\""), "{html}");
}

/// The policy would forbid it, and old browsers have no policy.
#[test]
fn nothing_is_inline_but_the_style_that_the_policy_names() {
    for (name, html) in samples() {
        assert_eq!(html.matches("<style>").count(), 1, "{name}");
        for forbidden in [" style=", " onclick", " onload", "javascript:", "<script>", "<iframe"] {
            assert!(!html.contains(forbidden), "{name} has {forbidden}");
        }
        let scripts = html.matches("<script").count();
        assert_eq!(html.matches("<script src=\"/pay/assets/page.js?v=").count(), scripts);
        for elsewhere in ["src=\"http", "src=\"//", "@import", "url(http"] {
            assert!(!html.contains(elsewhere), "{name} has {elsewhere}");
        }
    }
    let style = samples()[0].1.clone();
    let (_, style) = style.split_once("<style>").expect("a style");
    let (style, _) = style.split_once("</style>").expect("its end");
    let digest = STANDARD.encode(Sha256::digest(style));
    assert!(POLICY.contains(&format!("style-src 'sha256-{digest}'")));
    assert!(!POLICY.contains("unsafe"));
}

#[test]
fn every_stage_and_notice_has_a_word() {
    for language in Language::ALL {
        let words = language.words();
        let stages = [Stage::Awaiting, Stage::Review, Stage::Paid, Stage::Unpaid, Stage::Expired];
        let texts: std::collections::BTreeSet<_> =
            stages.iter().map(|stage| stage.words(words)).collect();
        assert_eq!(texts.len(), stages.len());
    }
    for notice in Notice::ALL {
        assert_eq!(Notice::named(notice.name()), Some(notice));
    }
    assert_eq!(Notice::named("<b>"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a merchant or payer calls things, the page has the same tags.
    #[test]
    fn no_text_adds_a_tag(
        merchant in "([<>&\"'/=a-z ]|\\PC){0,24}",
        reference in "([<>&\"'/=a-z ]|\\PC){0,24}",
        particular in "([<>&\"'/=a-z ]|\\PC){1,24}",
        path in "/[a-z<>\"']{1,8}",
    ) {
        let tags = |html: &str| {
            let mut tags: Vec<String> = Vec::new();
            for part in html.split('<').skip(1) {
                let end = part.find(|it: char| it.is_whitespace() || it == '>').unwrap_or(0);
                tags.push(part[..end].to_owned());
            }
            tags
        };
        let written = |merchant: &str, reference: &str, particular: &str, path: &str| {
            let names =
                [shown::BANK, shown::ACCOUNT, shown::HOLDER, shown::NOTE, told::SENDER];
            let particulars = names.map(|name| (name, particular));
            let collecting = collecting(Amount::rupiah(1), &particulars);
            let order = order(OrderState::Awaiting, reference);
            let page = page(&order, &collecting, None);
            Page { merchant, path, own: path, again: path, sandbox: true, ..page }.write()
        };
        let hostile = written(&merchant, &reference, &particular, &path);
        prop_assert_eq!(tags(&hostile), tags(&written("a", "a", "a", "/a")));
        let quotes = |html: &str| html.matches('"').count();
        prop_assert_eq!(quotes(&hostile), quotes(&written("a", "a", "a", "/a")));
    }
}
