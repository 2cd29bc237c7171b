//! `lunas s88pay`: makes and opens the `key` of any message, for whoever holds the credentials.
//!
//! Nothing is sent anywhere and no credential is printed. The exit code of `decrypt` is 0 for a `key`
//! that a server would take, 1 for one that it would not, and 2 where there is none.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use domain::Timestamp;
use gateway::ports::Clock;
use protocols::dissection::{Bilingual, Undissected};
use protocols::s88pay::compose;
use protocols::s88pay::dissect::{Reading, Signer, read};

use crate::explain::language::Language;
use crate::sign::new_reference;
use crate::sign::s88pay::{Keys, body, parameter};
use crate::system::SystemClock;
use crate::verify_sign::{Source, UNDISSECTED, bytes_of, printable};

/// What is done with a `key`.
#[derive(Debug, Subcommand)]
pub(crate) enum S88payCommand {
    /// Enkripsi · encrypt parameters into a key
    Encrypt(EncryptOptions),
    /// Dekripsi · decrypt a key and show what is in it, what was repaired and what is missing
    Decrypt(DecryptOptions),
}

/// What is encrypted.
#[derive(Debug, Args)]
pub(crate) struct EncryptOptions {
    #[command(flatten)]
    keys: Keys,
    /// NAME=VALUE; merchant_code, merchant_api_key, transaction_code and transaction_timestamp are
    /// filled in where they stand alone
    #[arg(value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Sebagai objek JSON · as a JSON object, as payouts are, instead of name=value&…
    #[arg(long)]
    json: bool,
    /// File with a text to be encrypted as it stands; - is standard input
    #[arg(long, conflicts_with_all = ["parameters", "json"], required_unless_present = "parameters")]
    text: Option<PathBuf>,
    /// Sebagai isi permintaan · as the JSON body of a request, instead of the bare key
    #[arg(long)]
    body: bool,
}

/// What is decrypted.
#[derive(Debug, Args)]
pub(crate) struct DecryptOptions {
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    source: Source,
}

/// Carries out the command.
pub(crate) fn run(command: &S88payCommand) -> anyhow::Result<ExitCode> {
    match command {
        S88payCommand::Encrypt(options) => {
            println!("{}", encrypted(options, SystemClock::default().now())?);
            Ok(ExitCode::SUCCESS)
        }
        S88payCommand::Decrypt(options) => Ok(decrypt(options)),
    }
}

fn encrypted(options: &EncryptOptions, now: Timestamp) -> anyhow::Result<String> {
    let text = match &options.text {
        Some(file) => text_of(file)?,
        None => composed(options, now)?,
    };
    let key = options.keys.cipher().encrypt(&text);
    if options.body { body(&key) } else { Ok(key) }
}

fn text_of(file: &Path) -> anyhow::Result<String> {
    let bytes = bytes_of(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let text = String::from_utf8(bytes);
    let text = text.with_context(|| format!("{} is not UTF-8", file.display()))?;
    // Editors end every file with a line break, and no message has one.
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}

fn composed(options: &EncryptOptions, now: Timestamp) -> anyhow::Result<String> {
    let mut parameters: Vec<(String, String)> = Vec::new();
    for text in &options.parameters {
        let (name, value) = match parameter(text) {
            Ok(parameter) => parameter,
            Err(_) => (text.clone(), filled_in(text, &options.keys, now)?),
        };
        if parameters.iter().any(|(known, _)| *known == name) {
            bail!("{name}: dua kali · stands twice");
        }
        parameters.push((name, value));
    }
    let parameters = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    Ok(if options.json { compose::json(parameters) } else { compose::pairs(parameters) })
}

/// What stands under a name that was given alone.
fn filled_in(name: &str, keys: &Keys, now: Timestamp) -> anyhow::Result<String> {
    Ok(match name {
        "merchant_code" => keys.merchant_code.clone(),
        "merchant_api_key" => keys.api_key.clone(),
        "transaction_code" => new_reference(now),
        "transaction_timestamp" => now.milliseconds().div_euclid(1000).to_string(),
        _ => bail!("{name}: tulis NAME=VALUE · write it as NAME=VALUE"),
    })
}

fn decrypt(options: &DecryptOptions) -> ExitCode {
    let DecryptOptions { keys, source } = options;
    let language = source.language();
    let signer = Signer {
        merchant_code: &keys.merchant_code,
        api_key: &keys.api_key,
        secret_key: &keys.secret_key,
        other_keys: &source.other_key,
    };
    match source.body().and_then(|given| read(&given, signer)) {
        Ok(reading) => {
            print!("{}", shown(&reading, language));
            if reading.mistakes.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(Undissected(why)) => {
            eprintln!("lunas: {}", printable(language.of(&why)));
            ExitCode::from(UNDISSECTED)
        }
    }
}

/// What is in a `key`, as lines.
fn shown(reading: &Reading, language: Language) -> String {
    let say = |indonesian, english| language.choose(indonesian, english);
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing into a text cannot fail.
        let _ = writeln!(text, "{:<25} {}", printable(name), printable(value));
    };
    let form = if reading.is_json { "JSON" } else { "name=value&…" };
    if reading.fields.is_empty() {
        line(say("Pesan", "Message"), say("tidak terbuka", "does not open"));
    } else {
        line(say("Pesan", "Message"), &format!("{}, {form}", reading.message));
    }
    for field in &reading.fields {
        line(&format!("  {}", field.name), &field.text);
    }
    for name in &reading.missing {
        line(&format!("  {name}"), say("(tidak ada)", "(missing)"));
    }
    let is_taken = reading.mistakes.is_empty();
    line(
        say("Putusan", "Verdict"),
        if is_taken { say("COCOK", "VALID") } else { say("SALAH", "WRONG") },
    );
    let mut list = |name: &str, texts: &[Bilingual]| {
        for (index, each) in texts.iter().enumerate() {
            line(if index == 0 { name } else { "" }, &format!("- {}", language.of(each)));
        }
    };
    list(say("Sebabnya", "Because"), &reading.mistakes);
    list(say("Diperbaiki", "Repaired"), &reading.repaired);
    list(say("Catatan", "Note"), &reading.remarks);
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(subcommand)]
        command: S88payCommand,
    }

    fn encrypted_by(arguments: &[&str]) -> anyhow::Result<String> {
        match Line::parse_from([&["s88pay", "encrypt"], arguments].concat()).command {
            S88payCommand::Encrypt(options) => {
                encrypted(&options, Timestamp::from_milliseconds(1_700_000_000_999))
            }
            S88payCommand::Decrypt(_) => panic!("not this one"),
        }
    }

    fn read_back(key: &str, language: Language) -> String {
        let signer = Signer {
            merchant_code: "OPR001",
            api_key: "unit-test-api-key",
            secret_key: "unit-test-secret-key",
            other_keys: &[],
        };
        shown(&read(key.as_bytes(), signer).unwrap(), language)
    }

    /// Vectors A, B and H of the S88pay reference, section 3.8, the parameters in its order.
    #[test]
    fn known_parameters_get_the_known_keys() {
        let deposit = [
            "merchant_code",
            "merchant_api_key",
            "transaction_code=ORD-1001",
            "transaction_timestamp",
            "transaction_amount=250.00",
            "payment_code=P001",
            "user_id=u-77",
            "currency_code=THB",
            "bank_code=104",
        ];
        let key = encrypted_by(&deposit).unwrap();
        assert_eq!(
            key,
            "b5ojWL4ABTRpEdi7606%2FopR69TMSw24KDZoxTcfDw9zC0f5nY%2B3P9FDslm3oB2HagtPWiznQbsvEa67ISKXn2%2BMe9s7SfRg8WWIsg%2BCjXIzH1ITBoCstS5cXmxWUj4p3JIu57e8CGq8RBu9lndbVitp%2BaxnciESzuqTxbwzA4Qw%2FtmTNh30oynbdiXLCS00oXM0kWJdt81o1S3NUd3rRYp%2BqdYf%2Bkeu0eiC%2FRN2LZzelp5YydTKIJHw7%2BNboH7fL6xEKWlWqU6sDKXLF4Zyh%2FA%3D%3D"
        );
        let thai = encrypted_by(&["transaction_code=ORD-1002", "depositor_name=สมชาย"]).unwrap();
        assert_eq!(
            thai,
            "VqBRnPVmjFJyCnId9zASXg8Lc%2BceBB5Sj0ZDAyg%2FP%2By6cMMZ8O23SIgdHm7ShmSB1%2Bd4XvOVNSZ4n1lOK9s2%2FQ%3D%3D"
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "merchant_code=OPR001\n").unwrap();
        let body = encrypted_by(&["--body", "--text", file.path().to_str().unwrap()]).unwrap();
        assert_eq!(body, r#"{"key":"b5ojWL4ABTRpEdi7606%2ForVxWBj7r9ORcYV9xRQqtOw%3D"}"#);
        for (wrong, told) in
            [(&["user_id"][..], "NAME=VALUE"), (&["utr=1", "utr=2"][..], "stands twice")]
        {
            assert!(encrypted_by(wrong).unwrap_err().to_string().contains(told), "{wrong:?}");
        }
        assert!(
            Line::try_parse_from(["s88pay", "encrypt"]).is_err(),
            "there is nothing to encrypt"
        );
    }

    #[test]
    fn a_key_is_shown_with_what_was_repaired_and_what_is_missing() {
        let given =
            encrypted_by(&["merchant_code", "merchant_api_key", "payment_code=P001"]).unwrap();
        let given = given.replace("%2B", "+").replace("%2F", "/").replace("%3D", "");
        let expected = "\
Message                   deposit, name=value&…
  merchant_api_key        unit****key
  merchant_code           OPR001
  payment_code            P001
  transaction_code        (missing)
  transaction_timestamp   (missing)
  transaction_amount      (missing)
  user_id                 (missing)
  currency_code           (missing)
Verdict                   VALID
Repaired                  - the key was not percent-encoded: PHP receivers lose a + in JSON and forms
                          - the = at the end of the key were added
";
        assert_eq!(read_back(&given, Language::En), expected);
        let other = protocols::s88pay::sign::Cipher::new("other", "unit-test-secret-key");
        let closed = read_back(&other.encrypt("merchant_code=OPR001"), Language::Id);
        assert!(closed.contains("tidak terbuka") && closed.contains("padding salah"), "{closed}");
        let steering = encrypted_by(&["user_id=\u{1b}[2J", "utr=1"]).unwrap();
        assert!(!read_back(&steering, Language::Id).contains('\u{1b}'));
    }
}
