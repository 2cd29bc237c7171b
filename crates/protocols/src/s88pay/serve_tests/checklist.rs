//! The conformance checklist of the reference's section 18, a module for each of its lines and a test for
//! each item. Items about receiving callbacks belong to the client, which this face is not; what is sent
//! to such a receiver is tested here, and that it is tried until it is heard, with the gateway's courier.

use serde_json::{Value, json};

use super::world::{
    BALANCE, DEPOSIT, OPENING, PAYOUT, RESEND, SECONDS, STATUS, THB, UTR, World, cipher, deposit,
    get, payout, post, read,
};

const API_KEY: &str = "unit-test-api-key";

async fn code(world: &World, path: &str, text: &str) -> Value {
    world.ask(THB, path, text).await.1["code"].clone()
}

mod crypto {
    use super::*;

    fn opens(key: &str, text: &str) {
        assert_eq!(cipher(THB).decrypt(key).as_deref(), Some(text), "{key}");
    }

    #[test]
    fn documentation_samples_and_vectors_a_to_l() {
        let vectors = include_str!("../golden/vectors.txt");
        let texts = vectors.lines().filter(|line| line.starts_with("text")).count();
        assert_eq!(texts, 15, "replayed beside the cipher");
    }

    #[test]
    fn six_transport_variants() {
        let variants = [
            "VqBRnPVmjFJyCnId9zASXoy0pFdDmj+8/d7Jdp0RHR4=",
            "VqBRnPVmjFJyCnId9zASXoy0pFdDmj%2B8%2Fd7Jdp0RHR4%3D",
            "VqBRnPVmjFJyCnId9zASXoy0pFdDmj%252B8%252Fd7Jdp0RHR4%253D",
            "VqBRnPVmjFJyCnId9zASXoy0pFdDmj 8/d7Jdp0RHR4=",
            "VqBRnPVmjFJyCnId9zASXoy0pFdDmj+8/d7Jdp0RHR4",
            "VqBRnPVmjFJyCnId9zASXoy0pFdDmj-8_d7Jdp0RHR4=",
        ];
        variants.into_iter().for_each(|variant| opens(variant, "transaction_code=PLUS-0"));
    }

    /// Vector B with another API key, with another secret key, cut to 42 characters, and sent to another
    /// merchant.
    #[tokio::test]
    async fn four_negatives() {
        let world = World::new().await;
        let b = "b5ojWL4ABTRpEdi7606/orVxWBj7r9ORcYV9xRQqtOw=";
        let text = format!("merchant_code={THB}");
        let ask = async |merchant: &str, key: &str| {
            let key = key.replace('+', "%2B").replace('/', "%2F");
            let uri = format!("{}?key={key}", BALANCE.replace("{}", merchant));
            let (status, body) = read(&world.send(get(&uri)).await);
            (status, body["code"].clone())
        };
        assert_eq!(ask(THB, b).await, (200, Value::Null));
        assert_eq!(ask(THB, &b[..43]).await, (200, Value::Null));
        let other_key = crate::s88pay::sign::Cipher::new("other", "unit-test-secret-key");
        assert_eq!(ask(THB, &other_key.encrypt(&text)).await, (401, json!(115)));
        let other_secret = crate::s88pay::sign::Cipher::new(API_KEY, "other-secret");
        assert_eq!(ask(THB, &other_secret.encrypt(&text)).await, (401, json!(115)));
        assert_eq!(ask(THB, &b[..42]).await, (400, json!(118)));
        assert_eq!(ask("OPRIDR", b).await, (401, json!(115)));
    }

    #[test]
    fn utf8_empty_and_sixteen_bytes() {
        let thai = "transaction_code=ORD-1002&depositor_name=สมชาย";
        for (text, blocks) in [(thai, 4), ("", 1), ("0123456789abcdef", 2)] {
            let key = cipher(THB).encrypt(text);
            opens(&key, text);
            let read = crate::s88pay::sign::read(&key).expect("whole blocks");
            assert_eq!(read.len(), 16 * blocks, "{text}");
        }
    }
}

mod pairs {
    use super::*;

    /// The deposit with these parameters is taken, and keeps this.
    async fn kept(
        given: &[(&str, &str)],
        what: impl Fn(&domain::Order) -> Option<String>,
    ) -> Option<String> {
        let world = World::new().await;
        let (status, body) = world.ask(THB, DEPOSIT, &deposit(THB, given)).await;
        assert_eq!(status, 200, "{given:?} {body}");
        what(&*world.order(THB, "ORD-1001").await)
    }

    fn particular(order: &domain::Order, name: &str) -> Option<String> {
        match order.collecting.as_ref()?.particulars.get(name)? {
            domain::Detail::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    #[tokio::test]
    async fn value_containing_an_equals_sign_and_url_with_query() {
        let url = "https://shop.example/cb?a=1";
        let own = kept(&[("callback_url", url)], |order| order.callback_url.clone()).await;
        assert_eq!(own.as_deref(), Some(url));
    }

    #[tokio::test]
    async fn percent_encoded_and_bare_values() {
        for (sent, meant) in [
            ("https%3A%2F%2Fshop.example%2Fcb%3Fa%3D1%26b", "https://shop.example/cb?a=1&b"),
            ("https://shop.example/cb", "https://shop.example/cb"),
        ] {
            let own = kept(&[("callback_url", sent)], |order| order.callback_url.clone()).await;
            assert_eq!(own.as_deref(), Some(meant));
        }
    }

    #[tokio::test]
    async fn percent_signs_in_the_api_key() {
        let world = World::new().await;
        let (api_key, secret) =
            ("FjgHGLxnJO1qjlhHcK4KHg%3D%3D", "vqw330bxVfX9TEGMF1BDUKlVDm4DFejA0STb0WDarkU%3D");
        let credential = super::super::world::credential(THB, 2, api_key, secret);
        let commands = vec![domain::Command::PutCredential(credential)];
        world.gateway.administer(commands).await.expect("memory does not fail");
        let issued = crate::s88pay::sign::Cipher::new(api_key, secret);
        for given in [api_key, "FjgHGLxnJO1qjlhHcK4KHg==", "FjgHGLxnJO1qjlhHcK4KHg%253D%253D"] {
            let text = format!("merchant_api_key={given}&transaction_code=A");
            let body = json!({ "key": issued.encrypt(&text) }).to_string();
            let answer = world.send(post(&STATUS.replace("{}", THB), body)).await;
            assert_eq!(answer.status(), 200, "{given}");
        }
    }

    #[tokio::test]
    async fn plus_signs_stay() {
        let phone = kept(&[("phone", "+5511")], |order| particular(order, "phone")).await;
        assert_eq!(phone.as_deref(), Some("+5511"));
    }

    #[tokio::test]
    async fn of_duplicates_the_last_counts() {
        let world = World::new().await;
        let text = deposit(THB, &[("transaction_amount", "10.02")]);
        let text = format!("transaction_amount=99&{text}&user_id=last");
        assert_eq!(world.ask(THB, DEPOSIT, &text).await.1["amount"], "10.02");
        assert_eq!(world.order(THB, "ORD-1001").await.destination, "last");
    }

    #[tokio::test]
    async fn null_is_absent() {
        let own = kept(&[("callback_url", "null")], |order| order.callback_url.clone()).await;
        assert_eq!(own, None);
        let text = deposit(THB, &[("bank_code", "undefined")]);
        assert_eq!(code(&World::new().await, DEPOSIT, &text).await, 109);
    }
}

/// An hour back and five minutes ahead, both ends included; texts and numbers; no milliseconds.
#[tokio::test]
async fn window() {
    let world = World::new().await;
    let at = |offset: i64| (SECONDS + offset).to_string();
    let cases = [
        (at(-3601), false),
        (at(-3600), true),
        (at(0), true),
        (at(300), true),
        (at(301), false),
        (at(0) + "000", false),
        (at(0) + ".0", false),
        (format!("+{}", at(0)), false),
        (format!("-{}", at(0)), false),
        ("soon".to_owned(), false),
        ("99999999999999999999".to_owned(), false),
    ];
    for (index, (time, accepted)) in cases.into_iter().enumerate() {
        let name = format!("D{index}");
        let text = deposit(THB, &[("transaction_timestamp", &time), ("transaction_code", &name)]);
        let told = code(&world, DEPOSIT, &text).await;
        assert_eq!(told, if accepted { Value::Null } else { json!(112) }, "{time}");
        let name = format!("P{index}");
        let text = payout(THB, &[("transaction_timestamp", &time), ("transaction_code", &name)]);
        assert_eq!(code(&world, PAYOUT, &text).await, told, "{time}");
    }
    for (time, accepted) in [("1700000000", true), ("\"1700000000\"", true), ("1.7e9", false)] {
        let name = format!("J{}", time.len());
        let text = format!(
            r#"{{"merchant_code":"OPR001","transaction_code":"{name}","transaction_timestamp":{time},"payout_code":"W001","transaction_amount":"10","user_id":"u","currency_code":"THB","bank_account_number":"1","bank_code":"7","account_name":"S"}}"#
        );
        assert_eq!(world.ask(THB, PAYOUT, &text).await.0 == 200, accepted, "{time}");
    }
}

mod deposit_v2 {
    use super::*;

    #[tokio::test]
    async fn redirect() {
        let answer = World::new().await.open_page(THB, &deposit(THB, &[])).await;
        assert_eq!(answer.status(), 302);
    }

    #[tokio::test]
    async fn each_of_109_111_112_115_118_as_html_and_json() {
        let world = World::new().await;
        world.deposited(THB, "USED", "10.02").await;
        let key = |given| cipher(THB).encrypt(&deposit(THB, given));
        let cases = [
            (key(&[("user_id", "-")]), 400, 109),
            (key(&[("transaction_code", "USED")]), 400, 111),
            (key(&[("transaction_timestamp", "1")]), 400, 112),
            (key(&[("merchant_api_key", "other")]), 401, 115),
            ("AAAA".to_owned(), 400, 118),
        ];
        for (key, status, code) in cases {
            let uri = format!("/{THB}/v2/dopayment?key={key}");
            let page = world.send(get(&uri)).await;
            assert_eq!(page.status(), status);
            let html = String::from_utf8_lossy(page.body()).into_owned();
            assert!(html.contains(&format!("error code {code}")), "{html}");
            let mut request = get(&uri);
            let json = "text/html;q=0.5, application/json".parse().expect("a value");
            request.headers_mut().insert("Accept", json);
            let (told, body) = read(&world.send(request).await);
            assert_eq!((told, &body["code"]), (status, &json!(code)));
        }
    }

    #[tokio::test]
    async fn duplicate_reload() {
        let world = World::new().await;
        assert_eq!(world.open_page(THB, &deposit(THB, &[])).await.status(), 302);
        assert_eq!(world.open_page(THB, &deposit(THB, &[])).await.status(), 400);
    }
}

mod host_to_host {
    use super::*;

    /// Each currency's own is told and wanted in `deposits`.
    #[tokio::test]
    async fn inr_bdt_vnd_jpy_and_krw_answers() {
        let world = World::new().await;
        let marks = [
            ("OPRINR", "upi_id"),
            ("OPRBDT", "wallet_number_type"),
            ("OPRVND", "match_code"),
            ("OPRJPY", "wallet_name"),
            ("OPRKRW", "bank_lists"),
        ];
        for (operator, mark) in marks {
            let (_, body) = world.ask(operator, DEPOSIT, &deposit(operator, &[])).await;
            assert!(body.get(mark).is_some(), "{operator} {body}");
        }
    }

    #[tokio::test]
    async fn submit_utr_format_repeat_and_foreign_transaction() {
        let world = World::new().await;
        world.deposited("OPRINR", "A", "10.02").await;
        let text = |utr: &str| format!("transaction_code=A&utr={utr}");
        assert_eq!(world.ask("OPRINR", UTR, &text("41234567890")).await.0, 400);
        assert_eq!(world.ask("OPRINR", UTR, &text("412345678901")).await.0, 200);
        assert_eq!(world.ask("OPRINR", UTR, &text("412345678901")).await.0, 200);
        assert_eq!(world.ask(THB, UTR, &text("412345678901")).await.0, 404);
    }
}

mod payouts {
    use super::*;

    #[tokio::test]
    async fn success_text_exact_and_duplicate() {
        let world = World::new().await;
        let (_, body) = world.ask(THB, PAYOUT, &payout(THB, &[])).await;
        assert_eq!(body["message"], "request withdraw successful");
        assert_eq!(code(&world, PAYOUT, &payout(THB, &[])).await, 111);
    }

    #[tokio::test]
    async fn insufficient_balance() {
        let world = World::new().await;
        let all = [("transaction_amount", "1000000")];
        assert_eq!(code(&world, PAYOUT, &payout(THB, &all)).await, 119, "amount and fee");
    }

    #[tokio::test]
    async fn freeze_and_unfreeze() {
        let world = World::new().await;
        world.paid_out(THB, "A", "10.02").await;
        assert_eq!(world.available(THB).await, OPENING - 1013);
        world.paid_out(THB, "B", "10.01").await;
        assert_eq!(world.available(THB).await, OPENING - 1013);
    }

    #[tokio::test]
    async fn inr_without_bank_code_and_no_decimal_currency() {
        let world = World::new().await;
        world.paid_out("OPRINR", "A", "10").await;
        let text = payout("OPRVND", &[("transaction_amount", "10.5")]);
        assert_eq!(world.ask("OPRVND", PAYOUT, &text).await.1["code"], 122);
        world.paid_out("OPRVND", "A", "10.00").await;
    }

    #[tokio::test]
    async fn compatible_error_that_says_success() {
        let world = World::new().await;
        world.wish(THB, &[("payout_errors_succeed", "on")]).await;
        let (status, body) = world.ask(THB, PAYOUT, &payout(THB, &[("user_id", "-")])).await;
        assert_eq!((status, &body["success"]), (200, &json!(true)));
    }
}

mod statuses {
    use super::*;

    #[tokio::test]
    async fn deposit_payout_unknown_and_another_merchants() {
        let world = World::new().await;
        world.deposited(THB, "A", "10").await;
        world.paid_out(THB, "B", "10").await;
        assert_eq!(world.status(THB, "A").await["type"], "deposit");
        assert_eq!(world.status(THB, "B").await["type"], "payout");
        for (operator, key, transaction) in
            [(THB, API_KEY, "C"), ("OPRIDR", "unit-test-api-key-idr", "A")]
        {
            let text = format!("merchant_api_key={key}&transaction_code={transaction}");
            let (_, body) = world.ask(operator, STATUS, &text).await;
            assert_eq!((&body["success"], &body["data"]), (&json!(false), &json!([])));
        }
    }

    #[tokio::test]
    async fn form_and_json_bodies() {
        let world = World::new().await;
        let key = cipher(THB).encrypt(&format!("merchant_api_key={API_KEY}&transaction_code=A"));
        for body in [format!("key={key}"), json!({ "key": key }).to_string()] {
            assert_eq!(world.send(post(&STATUS.replace("{}", THB), body)).await.status(), 200);
        }
    }
}

mod balance {
    use super::*;

    #[tokio::test]
    async fn query_json_body_and_wrong_merchant_in_plaintext() {
        let world = World::new().await;
        let path = BALANCE.replace("{}", THB);
        let key = |merchant| cipher(THB).encrypt(&format!("merchant_code={merchant}"));
        assert_eq!(world.send(get(&format!("{path}?key={}", key(THB)))).await.status(), 200);
        let body = json!({ "key": key(THB) }).to_string();
        let request = http::Request::get(&path).body(Ok(body.into())).expect("a request");
        assert_eq!(world.send(request).await.status(), 200);
        assert_eq!(world.send(get(&format!("{path}?key={}", key("OPRIDR")))).await.status(), 401);
    }
}

mod resend {
    use super::*;

    #[tokio::test]
    async fn final_pending_unknown_and_mismatch() {
        let world = World::new().await;
        world.deposited(THB, "A", "10.00").await;
        world.deposited(THB, "B", "10.02").await;
        let cases = [
            ("A", "A", "Resend callback successful"),
            ("B", "B", "Transaction is still pending"),
            ("C", "C", "Transaction not found"),
            ("A", "B", "Transaction not found"),
        ];
        for (inside, beside, message) in cases {
            let text = format!("merchant_api_key={API_KEY}&transaction_code={inside}");
            let key = cipher(THB).encrypt(&text);
            let body = json!({ "key": key, "transaction_code": beside }).to_string();
            let (status, body) = read(&world.send(post(&RESEND.replace("{}", THB), body)).await);
            assert_eq!((status, &body["message"]), (200, &json!(message)));
        }
    }
}
