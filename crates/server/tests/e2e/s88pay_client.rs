//! An S88pay operator's shop, whose keys are made and opened by the `openssl` command and not by us.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Answer, Sandbox, request};
use crate::receiver::Arrived;

/// What an operator presents.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    pub(crate) code: String,
    pub(crate) currency: &'static str,
    api_key: String,
    /// Hexadecimal, as `openssl` takes them.
    key: String,
    iv: String,
}

/// What a shop may spend, in the writing of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Balance {
    pub(crate) total: String,
    pub(crate) frozen: String,
    pub(crate) available: String,
}

fn openssl(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}");
    output.stdout
}

fn digest(text: &str) -> String {
    let digest = openssl(&["dgst", "-sha256", "-r"], text.as_bytes());
    String::from_utf8(digest).unwrap()[..64].to_owned()
}

impl Shop {
    /// The demo operator of a currency.
    pub(crate) fn of(currency: &'static str) -> Self {
        let (code, ending) = match currency {
            "THB" => ("OPR001".to_owned(), String::new()),
            _ => (format!("OPR{currency}"), format!("-{}", currency.to_lowercase())),
        };
        let api_key = format!("unit-test-api-key{ending}");
        let key = digest(&api_key);
        let iv = digest(&format!("unit-test-secret-key{ending}"));
        Self { code, currency, api_key, key, iv: hex::encode(&iv[..16]) }
    }

    fn cipher(&self, direction: &str, input: &str) -> String {
        let options = ["-aes-256-cbc", "-K", &self.key, "-iv", &self.iv, "-base64", "-A"];
        let arguments: Vec<&str> = ["enc", direction].into_iter().chain(options).collect();
        String::from_utf8(openssl(&arguments, input.as_bytes())).unwrap()
    }

    /// A text as a key.
    pub(crate) fn encrypted(&self, text: &str) -> String {
        let base64 = self.cipher("-e", text);
        base64.trim().replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
    }

    /// The text that a key holds.
    pub(crate) fn decrypted(&self, key: &str) -> String {
        self.cipher("-d", &key.replace("%2B", "+").replace("%2F", "/").replace("%3D", "="))
    }

    /// The path of a hosted deposit, with more parameters such as `bank_code=104`.
    pub(crate) fn deposit(
        &self,
        sandbox: &Sandbox,
        code: &str,
        amount: &str,
        more: &str,
    ) -> String {
        let text = format!(
            "merchant_code={}&merchant_api_key={}&transaction_code={code}\
             &transaction_timestamp={}&transaction_amount={amount}&payment_code=P001\
             &user_id=u-77&currency_code={}{more}",
            self.code,
            self.api_key,
            sandbox.seconds(),
            self.currency
        );
        format!("/{}/v2/dopayment?key={}", self.code, self.encrypted(&text))
    }

    /// The text of a request to pay out, with more members.
    pub(crate) fn payout(&self, sandbox: &Sandbox, code: &str, amount: &str, more: Value) -> Value {
        let mut asked = serde_json::json!({
            "merchant_code": self.code,
            "transaction_code": code,
            "transaction_timestamp": sandbox.seconds(),
            "transaction_amount": amount,
            "payout_code": "W001",
            "user_id": "u-77",
            "currency_code": self.currency,
            "account_name": "Somchai Test",
            "bank_account_number": "1234567890",
        });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked
    }

    /// Posts a text as a key.
    pub(crate) fn post(&self, sandbox: &Sandbox, path: &str, text: &str) -> Answer {
        let body = serde_json::json!({ "key": self.encrypted(text) });
        sandbox.post(path, "application/json", body.to_string().as_bytes())
    }

    /// Asks to pay out.
    pub(crate) fn pay_out(&self, sandbox: &Sandbox, asked: &Value) -> Answer {
        self.post(sandbox, &format!("/api/v1/payout/{}", self.code), &asked.to_string())
    }

    /// How far a transaction is, by its status.
    pub(crate) fn status(&self, sandbox: &Sandbox, code: &str) -> String {
        let text = format!("merchant_api_key={}&transaction_code={code}", self.api_key);
        let path = format!("/api/v1/{}/transactions/status", self.code);
        let answer = self.post(sandbox, &path, &text).json();
        answer["data"][0]["status"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Asks to be called back once more.
    pub(crate) fn resend(&self, sandbox: &Sandbox, code: &str) -> Value {
        let text = format!("merchant_api_key={}&transaction_code={code}", self.api_key);
        let path = format!("/api/v1/transaction/resend-callback/{}", self.code);
        self.post(sandbox, &path, &text).json()
    }

    pub(crate) fn balance(&self, sandbox: &Sandbox) -> Balance {
        let key = self.encrypted(&format!("merchant_code={}", self.code));
        let path = format!("/api/v1/balance/{}?key={key}", self.code);
        let answer = request(sandbox.url(), "GET", &path, &[], "").json();
        assert_eq!(answer["currency_code"], self.currency, "{answer}");
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Balance {
            total: text("balance"),
            frozen: text("frozen_balance"),
            available: text("available_balance"),
        }
    }

    /// What a callback says, of which the names beside the key have to be the same as inside it.
    pub(crate) fn told(&self, arrived: &Arrived) -> Value {
        let body: Value = serde_json::from_str(&arrived.body).unwrap();
        let told: Value = serde_json::from_str(&self.decrypted(body["key"].as_str().unwrap()))
            .unwrap_or_else(|error| panic!("{error}: {body}"));
        for name in ["transaction_code", "transaction_no"] {
            assert_eq!(told[name], body[name], "{told}");
        }
        told
    }
}
