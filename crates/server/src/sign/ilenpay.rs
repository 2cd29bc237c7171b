//! `lunas sign ilenpay`: new transactions, signed, and what is sent beside them; and the signature of a
//! callback.

use std::path::PathBuf;

use anyhow::Context;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use domain::Timestamp;
use gateway::ports::Clock;
use protocols::ilenpay::sign::{sign, sign_callback};
use protocols::ilenpay::{DIRECT, REDIRECT};

use super::new_reference;
use crate::operator_client::escaped;
use crate::system::SystemClock;
use crate::verify_sign::bytes_of;

/// What ilenpay gives a merchant; without it, that of the sandbox's.
#[derive(Debug, Args)]
pub(crate) struct Keys {
    /// API key
    #[arg(
        long,
        global = true,
        env = "LUNAS_API_KEY",
        default_value = "ilen-sandbox-key-0001",
        hide_env_values = true
    )]
    pub(crate) api_key: String,
    /// API user, which signs and is never sent
    #[arg(
        long,
        global = true,
        env = "LUNAS_API_USER",
        default_value = "demoUser01",
        hide_env_values = true
    )]
    pub(crate) api_user: String,
    /// Webhook secret
    #[arg(
        long,
        global = true,
        env = "LUNAS_WEBHOOK_SECRET",
        default_value = "whsecret-demo",
        hide_env_values = true
    )]
    pub(crate) webhook_secret: String,
}

/// Who signs an ilenpay request, and which.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    keys: Keys,
    /// The request
    #[command(subcommand)]
    request: Request,
}

/// What is printed.
#[derive(Debug, Subcommand)]
enum Request {
    /// Baris Authorization · the header that lets requests in, for `curl -H @FILE`
    Header,
    /// Transaksi baru · a new transaction, for /v1/transaksi/baru
    TransaksiBaru {
        /// `telkomsel`, `xl`, `tri` or `smartfren`
        operator: String,
        /// What you want to be credited, in rupiah
        nominal: String,
        /// Your own name for it, 5 to 20 characters; a new one is made when none is given
        #[arg(long)]
        reff_id: Option<String>,
        /// On your own page or on a hosted one
        #[arg(long = "type", default_value = DIRECT, value_parser = PossibleValuesParser::new([DIRECT, REDIRECT]))]
        kind: String,
        /// Where the payer's browser goes in the end
        #[arg(long, default_value = "https://shop.example/")]
        return_url: String,
    },
    /// Konfirmasi · ask whether a transaction is paid, for /v1/konfirmasi/pembayaran
    KonfirmasiPembayaran {
        /// The `reff_id` of the transaction
        reff_id: String,
        /// From which number the credit was sent
        #[arg(long)]
        sender: Option<String>,
    },
    /// Tanda tangan webhook · the header X-Ilen-Signature of a callback's body, byte for byte
    Webhook {
        /// File with the body; - is standard input
        #[arg(default_value = "-")]
        file: PathBuf,
    },
}

/// The text that `lunas sign ilenpay` prints.
pub(crate) fn signed(options: &Options) -> anyhow::Result<String> {
    signed_at(SystemClock::default().now(), options)
}

fn signed_at(now: Timestamp, options: &Options) -> anyhow::Result<String> {
    let keys = &options.keys;
    Ok(match &options.request {
        Request::Header => format!("Authorization: {}", keys.api_key),
        Request::TransaksiBaru { operator, nominal, reff_id, kind, return_url } => {
            let reff_id = reff_id.clone().unwrap_or_else(|| new_reference(now));
            let sign = sign(operator, nominal, &reff_id, &keys.api_user);
            form(&[
                ("type", kind),
                ("return_url", return_url),
                ("operator", operator),
                ("nominal", nominal),
                ("reff_id", &reff_id),
                ("sign", &sign),
            ])
        }
        Request::KonfirmasiPembayaran { reff_id, sender } => {
            let mut fields = vec![("reff_id", reff_id.as_str())];
            fields.extend(sender.as_ref().map(|sender| ("sender", sender.as_str())));
            form(&fields)
        }
        Request::Webhook { file } => {
            let body =
                bytes_of(file).with_context(|| format!("{} cannot be read", file.display()))?;
            format!("X-Ilen-Signature: {}", sign_callback(&keys.webhook_secret, &body))
        }
    })
}

/// Fields as the body of a form.
fn form(fields: &[(&str, &str)]) -> String {
    let field = |(name, value): &(&str, &str)| format!("{name}={}", escaped(value));
    fields.iter().map(field).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use protocols::ilenpay::dissect::{Signer, dissect, dissect_callback};

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn of(arguments: &[&str]) -> String {
        let line = Line::parse_from([&["sign"], arguments].concat());
        signed_at(Timestamp::from_milliseconds(1_780_000_000_999), &line.options).unwrap()
    }

    const SIGNER: Signer<'_> = Signer {
        api_key: "ilen-sandbox-key-0001",
        api_user: "demoUser01",
        webhook_secret: "whsecret-demo",
        other_keys: &[],
    };

    /// The example of the reference, section 4.1, and the vectors of its section 3.
    #[test]
    fn known_requests_get_the_known_signatures() {
        let redirect = [
            "transaksi-baru",
            "telkomsel",
            "10000",
            "--reff-id",
            "INV-000123",
            "--type",
            "redirect",
            "--return-url",
            "https://shop.example/orders/123?x=1",
        ];
        assert_eq!(
            of(&redirect),
            "type=redirect&return_url=https%3A%2F%2Fshop.example%2Forders%2F123%3Fx%3D1\
             &operator=telkomsel&nominal=10000&reff_id=INV-000123\
             &sign=d4d9a787416daa50baa69bccfeed95bc"
        );
        let table = [
            ("xl", "45000", "trx2026A7", "38fe1a9fd34a157d8226b195557ad862"),
            ("smartfren", "20000", "ab+c d/9", "848756fd4967dd22e9a3fc29589a79cb"),
        ];
        for (operator, nominal, reff_id, sign) in table {
            let body = of(&["transaksi-baru", operator, nominal, "--reff-id", reff_id]);
            assert!(body.ends_with(&format!("&sign={sign}")), "{body}");
            assert!(dissect(body.as_bytes(), None, SIGNER).unwrap().is_valid, "{body}");
        }
        let made = of(&["transaksi-baru", "xl", "45000", "--api-user", "another"]);
        assert!(made.contains("&reff_id=LUNAS-1780000000999&"), "{made}");
        assert!(!dissect(made.as_bytes(), None, SIGNER).unwrap().is_valid, "{made}");
    }

    #[test]
    fn the_rest_of_what_is_sent_is_printed_too() {
        assert_eq!(of(&["header"]), "Authorization: ilen-sandbox-key-0001");
        let confirm = ["konfirmasi-pembayaran", "INV-000123", "--sender", "+6281298765432"];
        assert_eq!(of(&confirm), "reff_id=INV-000123&sender=%2B6281298765432");
        assert_eq!(of(&confirm[..2]), "reff_id=INV-000123");
    }

    /// The second vector of section 7.3.
    #[test]
    fn a_callback_is_signed_byte_for_byte() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let body =
            "{\n  \"data\": {\n    \"reff_id\": \"INV-000123\",\n    \"status\": \"PAID\"\n  }\n}";
        std::fs::write(file.path(), body).unwrap();
        let header = of(&["webhook", file.path().to_str().unwrap()]);
        let (name, signature) = header.split_once(": ").unwrap();
        assert_eq!(
            (name, signature),
            ("X-Ilen-Signature", "key=8a3c058f3ab09b47e39de3b69bfd18a60590e624")
        );
        assert!(dissect_callback(body.as_bytes(), signature, SIGNER).unwrap().is_valid);
    }
}
