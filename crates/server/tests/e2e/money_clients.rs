//! Clients of what takes money from payers and pays it out, ilenpay and S88pay, and a feed that tells
//! of money that came in. Each request may be sent to a server that is dying: there is no answer then.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::{Secret, Timestamp};
use gateway::standard_webhooks::headers;
use md5::{Digest, Md5};
use protocols::s88pay::sign::Cipher;
use serde_json::{Value, json};

use crate::harness::{Answer, try_request};

/// The secret of the sandbox's feeds, which the documentation publishes.
pub(crate) const DEMO_FEEDS: &str = "whsec_c2FuZGJveC1ldmlkZW5jZS1zZWNyZXQtMDAwMQ==";

/// A client's own clock.
#[expect(clippy::disallowed_methods, reason = "whoever calls Lunas has a clock of their own")]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Timestamp::from_milliseconds(i64::try_from(since.as_millis()).unwrap())
}

/// A time in whole seconds, as feeds write it.
pub(crate) fn written(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.milliseconds().div_euclid(1000)).unwrap().to_string()
}

/// A merchant that is paid by telephone credit.
#[derive(Debug, Clone)]
pub(crate) struct Ilenpay {
    pub(crate) key: String,
    pub(crate) user: String,
}

impl Ilenpay {
    /// The sandbox's.
    pub(crate) fn demo() -> Self {
        Self { key: "ilen-sandbox-key-0001".to_owned(), user: "demoUser01".to_owned() }
    }

    fn send(&self, url: &str, method: &str, path: &str, body: &str) -> Option<Answer> {
        let headers = [
            ("authorization", self.key.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        try_request(url, method, path, &headers, body)
    }

    /// Opens a direct transaction by credit of Telkomsel.
    pub(crate) fn open(&self, url: &str, reference: &str, nominal: u32) -> Option<Value> {
        let text = format!("telkomsel+{nominal}+{reference}+{}", self.user);
        let sign = hex::encode(Md5::digest(text));
        let body = format!(
            "type=direct&operator=telkomsel&nominal={nominal}&reff_id={reference}&sign={sign}\
             &return_url=https%3A%2F%2Fshop.example%2F"
        );
        Some(self.send(url, "POST", "/v1/transaksi/baru", &body)?.json()["data"].clone())
    }

    /// Says from which number the payer sent.
    pub(crate) fn confirm(&self, url: &str, reference: &str, sender: &str) -> Option<Value> {
        let body = format!("reff_id={reference}&sender={sender}");
        Some(self.send(url, "POST", "/v1/konfirmasi/pembayaran", &body)?.json()["data"].clone())
    }

    /// How a transaction stands: `PAID` or `UNPAID`.
    pub(crate) fn status(&self, url: &str, reference: &str) -> Option<Value> {
        let path = format!("/v1/transaksi/status?reff_id={reference}");
        Some(self.send(url, "GET", &path, "")?.json()["data"]["status"].clone())
    }
}

/// An operator of S88pay.
#[derive(Clone)]
pub(crate) struct S88pay {
    code: String,
    api_key: String,
    currency: &'static str,
    cipher: Cipher,
}

impl S88pay {
    pub(crate) fn new(code: &str, api_key: &str, secret_key: &str, currency: &'static str) -> Self {
        let cipher = Cipher::new(api_key, secret_key);
        Self { code: code.to_owned(), api_key: api_key.to_owned(), currency, cipher }
    }

    /// The sandbox's operator of a currency other than baht.
    pub(crate) fn demo(currency: &'static str) -> Self {
        let small = currency.to_lowercase();
        let (api_key, secret_key) =
            (format!("unit-test-api-key-{small}"), format!("unit-test-secret-key-{small}"));
        Self::new(&format!("OPR{currency}"), &api_key, &secret_key, currency)
    }

    /// Posts a text as the only content; `path` has a pair of braces for the operator's code.
    fn send(&self, url: &str, path: &str, text: &str) -> Option<Answer> {
        let body = json!({ "key": self.cipher.encrypt(text) }).to_string();
        let path = path.replace("{}", &self.code);
        try_request(url, "POST", &path, &[("content-type", "application/json")], &body)
    }

    fn named(&self, transaction: &str) -> String {
        let (code, api_key) = (&self.code, &self.api_key);
        format!("merchant_code={code}&merchant_api_key={api_key}&transaction_code={transaction}")
    }

    /// Opens a deposit on a page of the operator's own.
    pub(crate) fn deposit(&self, url: &str, transaction: &str, amount: &str) -> Option<Value> {
        let bank = match self.currency {
            "THB" => "&bank_code=104",
            "IDR" => "&bank_code=BCA",
            _ => "",
        };
        let text = format!(
            "{}&transaction_timestamp={}&transaction_amount={amount}&payment_code=P001&user_id=u-77\
             &currency_code={}{bank}",
            self.named(transaction),
            now().milliseconds() / 1000,
            self.currency,
        );
        Some(self.send(url, "/api/{}/v3/dopayment", &text)?.json())
    }

    /// Hands on the bank's reference of the payment.
    pub(crate) fn submit_utr(&self, url: &str, transaction: &str, utr: &str) -> Option<Value> {
        let text = format!("{}&utr={utr}", self.named(transaction));
        Some(self.send(url, "/api/{}/v3/submit-utr", &text)?.json())
    }

    /// Pays out to a bank account.
    pub(crate) fn pay_out(&self, url: &str, transaction: &str, amount: &str) -> Option<Value> {
        let bank = match self.currency {
            "THB" => "&bank_code=7&bank_name=Siam Commercial Bank",
            "IDR" => "&bank_code=BCA",
            _ => "",
        };
        let text = format!(
            "{}&transaction_timestamp={}&transaction_amount={amount}&payout_code=W001&user_id=u-77\
             &currency_code={}&account_name=Contoh&bank_account_number=12345678901{bank}",
            self.named(transaction),
            now().milliseconds() / 1000,
            self.currency,
        );
        Some(self.send(url, "/api/v1/payout/{}", &text)?.json())
    }

    /// Where a transaction stands, by the names of the status endpoint.
    pub(crate) fn status(&self, url: &str, transaction: &str) -> Option<Value> {
        let path = "/api/v1/{}/transactions/status";
        Some(self.send(url, path, &self.named(transaction))?.json()["data"][0]["status"].clone())
    }

    /// Asks for a callback once more.
    pub(crate) fn resend(&self, url: &str, transaction: &str) -> Option<Value> {
        let path = "/api/v1/transaction/resend-callback/{}";
        Some(self.send(url, path, &self.named(transaction))?.json())
    }

    /// What a callback's body says, as the operator reads it.
    pub(crate) fn decrypted(&self, body: &str) -> Value {
        let body: Value = serde_json::from_str(body).unwrap();
        let text = self.cipher.decrypt(body["key"].as_str().unwrap());
        serde_json::from_str(&text.unwrap()).unwrap()
    }
}

/// A row of a feed.
#[derive(Debug, Clone)]
pub(crate) struct Mutation {
    pub(crate) id: String,
    pub(crate) at: String,
    pub(crate) amount: String,
    pub(crate) sender: String,
    pub(crate) reference: String,
}

/// A feed of evidence.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    pub(crate) source: String,
    pub(crate) secret: String,
    /// Whether it writes CSV, and not JSON.
    pub(crate) as_csv: bool,
}

impl Feed {
    /// One of the sandbox's, in JSON.
    pub(crate) fn demo(source: &str) -> Self {
        Self { source: source.to_owned(), secret: DEMO_FEEDS.to_owned(), as_csv: false }
    }

    /// Tells of money. The answer has a row for each.
    pub(crate) fn tell(&self, url: &str, mutations: &[Mutation]) -> Option<Answer> {
        let (body, kind) = if self.as_csv {
            let row = |it: &Mutation| {
                format!("{},{},{},{},{}\n", it.id, it.at, it.amount, it.sender, it.reference)
            };
            let rows: String = mutations.iter().map(row).collect();
            (format!("id,at,amount,sender,reference\n{rows}"), "text/csv")
        } else {
            let row = |it: &Mutation| {
                json!({ "id": it.id, "at": it.at, "amount": it.amount, "sender": it.sender,
                    "reference": it.reference })
            };
            (mutations.iter().map(row).collect::<Value>().to_string(), "application/json")
        };
        let path = format!("/lunas/evidence/{}", self.source);
        let secret = Secret::new(self.secret.as_str());
        let mut signed = headers("msg_feed", now(), &secret, body.as_bytes());
        signed.push(("content-type".to_owned(), kind.to_owned()));
        let named: Vec<_> =
            signed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        try_request(url, "POST", &path, &named, &body)
    }

    /// What became of each row, in their order: its state, and the reason of doubt where there is one.
    pub(crate) fn states(answer: &Answer) -> Vec<(String, String)> {
        assert_eq!(answer.status, 200, "{answer:?}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let answer = answer.json();
        let rows = answer["rows"].as_array().unwrap().iter();
        rows.map(|row| (text(&row["state"]), text(&row["reason"]))).collect()
    }
}
