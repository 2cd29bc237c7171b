//! `lunas sign s88pay`: the requests of that API, encrypted for now.

use anyhow::Context;
use clap::{Args, Subcommand};
use domain::Timestamp;
use gateway::ports::Clock;
use protocols::s88pay::compose;
use protocols::s88pay::sign::Cipher;
use serde_json::json;

use super::new_reference;
use crate::system::SystemClock;

/// What S88pay gives a merchant; without it, that of the sandbox's.
#[derive(Debug, Args)]
pub(crate) struct Keys {
    /// Merchant code
    #[arg(long, global = true, default_value = "OPR001")]
    pub(crate) merchant_code: String,
    /// API key, exactly as it was issued
    #[arg(
        long,
        global = true,
        env = "LUNAS_API_KEY",
        default_value = "unit-test-api-key",
        hide_env_values = true
    )]
    pub(crate) api_key: String,
    /// Secret key, exactly as it was issued
    #[arg(
        long,
        global = true,
        env = "LUNAS_SECRET_KEY",
        default_value = "unit-test-secret-key",
        hide_env_values = true
    )]
    pub(crate) secret_key: String,
}

impl Keys {
    /// The cipher that these make.
    pub(crate) fn cipher(&self) -> Cipher {
        Cipher::new(&self.api_key, &self.secret_key)
    }
}

/// Who encrypts an S88pay request, and which.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    keys: Keys,
    /// Detik Unix · seconds since 1970, for servers whose clock was moved; now unless given
    #[arg(long, global = true)]
    timestamp: Option<u64>,
    /// Hanya key, untuk alamat · only the key, for addresses; otherwise it comes as a JSON body
    #[arg(long, global = true)]
    bare: bool,
    /// Parameter lain · another parameter; may be given several times
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = parameter)]
    with: Vec<(String, String)>,
    /// The request
    #[command(subcommand)]
    request: Request,
}

/// The S88pay requests that can be encrypted.
#[derive(Debug, Subcommand)]
enum Request {
    /// Deposit, for /CODE/v2/dopayment?key= (--bare), /api/CODE/v3/dopayment or …/krw-payment
    Deposit {
        #[command(flatten)]
        transaction: Transaction,
        /// Payment code
        #[arg(long, default_value = "P001")]
        payment_code: String,
    },
    /// Payout, for /api/v1/payout/CODE
    Payout {
        #[command(flatten)]
        transaction: Transaction,
        /// Whose account it goes to
        account_name: String,
        /// Payout code
        #[arg(long, default_value = "W001")]
        payout_code: String,
    },
    /// Keadaan · where a deposit or payout stands, for /api/v1/CODE/transactions/status
    Status {
        /// Its transaction code
        transaction_code: String,
    },
    /// Callback lagi · have it sent again, for /api/v1/transaction/resend-callback/CODE
    ResendCallback {
        /// The transaction code
        transaction_code: String,
    },
    /// Saldo · the balance, for /api/v1/balance/CODE?key= (--bare)
    Balance,
    /// Kanal · the channels, for /api/v2/channel/CODE
    Channel {
        /// Your currency
        #[arg(long, default_value = "THB")]
        currency: String,
    },
    /// Teruskan UTR · hand on a UTR, for /api/CODE/v3/submit-utr
    SubmitUtr {
        /// The transaction code
        transaction_code: String,
        /// Twelve digits
        utr: String,
    },
    /// Teruskan nomor referensi · hand on a reference number, for /api/CODE/v3/submit-refno
    SubmitRefno {
        /// The transaction code
        transaction_code: String,
        /// What the payer's wallet calls the payment
        ref_no: String,
    },
    /// Teruskan nama pengirim · hand on who paid, for /api/CODE/v3/submit-depositor
    SubmitDepositor {
        /// The transaction code
        transaction_code: String,
        /// The payer's name
        depositor_name: String,
    },
    /// Langkah kedua won · the second step of won, for /api/CODE/v3/krw-submit-information
    KrwSubmitInformation {
        /// The transaction code
        transaction_code: String,
        /// The payer's bank
        bank_code: String,
        /// The payer's account
        account_number: String,
    },
}

/// What deposits and payouts both have.
#[derive(Debug, Args)]
struct Transaction {
    /// How much, such as 250.00
    amount: String,
    /// Your own name for it; a new one is made when none is given
    #[arg(long)]
    transaction_code: Option<String>,
    /// Your currency
    #[arg(long, default_value = "THB")]
    currency: String,
    /// Your own name for the payer or receiver
    #[arg(long, default_value = "u-1")]
    user_id: String,
}

/// Reads `NAME=VALUE`.
pub(crate) fn parameter(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    if name.is_empty() {
        return Err("the name is missing; write it as NAME=VALUE");
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// A `key` as the body of a request.
pub(crate) fn body(key: &str) -> anyhow::Result<String> {
    serde_json::to_string(&json!({ "key": key })).context("the request could not be written")
}

/// The text that `lunas sign s88pay` prints.
pub(crate) fn signed(options: &Options) -> anyhow::Result<String> {
    signed_at(SystemClock::default().now(), options)
}

fn signed_at(now: Timestamp, options: &Options) -> anyhow::Result<String> {
    let keys = &options.keys;
    let (parameters, is_json) = parameters(options, now);
    let mut parameters = parameters;
    for (name, value) in &options.with {
        parameters.retain(|(known, _)| known != name);
        parameters.push((name.clone(), value.clone()));
    }
    let named = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let text = if is_json { compose::json(named) } else { compose::pairs(named) };
    let key = keys.cipher().encrypt(&text);
    if options.bare { Ok(key) } else { body(&key) }
}

/// What is asked for, and whether as JSON (S88pay reference, section 3.4).
fn parameters(options: &Options, now: Timestamp) -> (Vec<(String, String)>, bool) {
    let keys = &options.keys;
    let mut all = Vec::new();
    let mut add = |name: &str, value: &str| all.push((name.to_owned(), value.to_owned()));
    let mut is_json = false;
    let code = |transaction: &Transaction| {
        transaction.transaction_code.clone().unwrap_or_else(|| new_reference(now))
    };
    let seconds = now.milliseconds().div_euclid(1000).to_string();
    let seconds = options.timestamp.map_or(seconds, |seconds| seconds.to_string());
    let (transaction, channel) = match &options.request {
        Request::Deposit { transaction, payment_code } => {
            add("merchant_code", &keys.merchant_code);
            add("merchant_api_key", &keys.api_key);
            (transaction, ("payment_code", payment_code))
        }
        Request::Payout { transaction, account_name, payout_code } => {
            add("merchant_code", &keys.merchant_code);
            add("account_name", account_name);
            is_json = true;
            (transaction, ("payout_code", payout_code))
        }
        Request::Status { transaction_code } | Request::ResendCallback { transaction_code } => {
            add("merchant_api_key", &keys.api_key);
            add("transaction_code", transaction_code);
            return (all, false);
        }
        Request::Balance => {
            add("merchant_code", &keys.merchant_code);
            return (all, false);
        }
        Request::Channel { currency } => {
            add("merchant_code", &keys.merchant_code);
            add("currency_code", currency);
            return (all, false);
        }
        Request::SubmitUtr { transaction_code, utr } => {
            add("transaction_code", transaction_code);
            add("utr", utr);
            return (all, false);
        }
        Request::SubmitRefno { transaction_code, ref_no } => {
            add("transaction_code", transaction_code);
            add("ref_no", ref_no);
            return (all, false);
        }
        Request::SubmitDepositor { transaction_code, depositor_name } => {
            add("transaction_code", transaction_code);
            add("depositor_name", depositor_name);
            return (all, false);
        }
        Request::KrwSubmitInformation { transaction_code, bank_code, account_number } => {
            add("transaction_code", transaction_code);
            add("bank_code", bank_code);
            add("account_number", account_number);
            return (all, false);
        }
    };
    add("transaction_code", &code(transaction));
    add("transaction_timestamp", &seconds);
    add("transaction_amount", &transaction.amount);
    add(channel.0, channel.1);
    add("user_id", &transaction.user_id);
    add("currency_code", &transaction.currency);
    (all, is_json)
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use protocols::s88pay::dissect::{Reading, Signer, read};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn of(arguments: &[&str]) -> String {
        let line = Line::parse_from([&["sign"], arguments].concat());
        signed_at(Timestamp::from_milliseconds(1_700_000_000_999), &line.options).unwrap()
    }

    fn reading(arguments: &[&str]) -> Reading {
        let signer = Signer {
            merchant_code: "OPR001",
            api_key: "unit-test-api-key",
            secret_key: "unit-test-secret-key",
            other_keys: &[],
        };
        read(of(arguments).as_bytes(), signer).unwrap()
    }

    /// Vectors A, B, C and K of the S88pay reference, section 3.8; A has its parameters in another
    /// order.
    #[test]
    fn known_requests_get_the_known_keys() {
        let table: [(&[&str], &str); 3] = [
            (&["balance"], "b5ojWL4ABTRpEdi7606%2ForVxWBj7r9ORcYV9xRQqtOw%3D"),
            (
                &["status", "ORD-1001"],
                "Twm7AT726JAdDei4K3SudoM8mFkOXYI8Kq0iAskar3bberqvbbaDTGyZmi6AwNkhNSedtu8%2BRlc9MTHKDargVg%3D%3D",
            ),
            (
                &["submit-utr", "ORD-1001", "412345678901"],
                "VqBRnPVmjFJyCnId9zASXn6LyycR40LAA7WvQxiWP9iv55s0bZHKBouRfHoehGmQ",
            ),
        ];
        for (arguments, key) in table {
            assert_eq!(of(&[arguments, &["--bare"]].concat()), key);
            assert_eq!(of(arguments), format!("{{\"key\":\"{key}\"}}"));
        }
        let deposit = ["deposit", "250.00", "--transaction-code", "ORD-1001", "--user-id", "u-77"];
        let found = reading(&[&deposit[..], &["--with", "bank_code=104"]].concat());
        let value = |name: &str| found.fields.iter().find(|it| it.name == name).map(|it| &*it.text);
        assert_eq!(value("transaction_timestamp"), Some("1700000000"));
        assert_eq!((value("bank_code"), value("payment_code")), (Some("104"), Some("P001")));
    }

    #[test]
    fn every_request_is_what_it_is_called_and_lacks_nothing() {
        let table: [(&[&str], &str, bool); 10] = [
            (&["deposit", "250.00"], "deposit", false),
            (&["payout", "1200.00", "Somchai Test"], "payout", true),
            (&["status", "A"], "status", false),
            (&["resend-callback", "A"], "status", false),
            (&["balance"], "balance", false),
            (&["channel"], "channel", false),
            (&["submit-utr", "A", "412345678901"], "submit-utr", false),
            (&["submit-refno", "A", "1"], "submit-refno", false),
            (&["submit-depositor", "A", "50% A+B"], "submit-depositor", false),
            (&["krw-submit-information", "A", "5", "1"], "krw-submit-information", false),
        ];
        for (arguments, message, is_json) in table {
            let found = reading(arguments);
            assert_eq!((found.message, found.is_json), (message, is_json), "{arguments:?}");
            assert_eq!((&found.missing[..], &found.mistakes[..]), (&[][..], &[][..]));
        }
        let other = reading(&["balance", "--with", "merchant_code=OPR002"]);
        assert_eq!(other.mistakes.len(), 1, "what is given besides replaces what was there");
        for wrong in ["x", "=x"] {
            assert!(Line::try_parse_from(["sign", "balance", "--with", wrong]).is_err(), "{wrong}");
        }
    }
}
