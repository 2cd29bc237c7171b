//! `lunas verify-sign`: shows what a signature is computed from, and where it went wrong.
//!
//! The exit code is 0 for a right signature, 1 for a wrong one, and 2 where there is nothing to
//! check. Nothing is sent anywhere and no key is printed. Each protocol is one subcommand that makes
//! a [`Dissection`]; showing it is the same for all.

use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use protocols::dissection::{Bilingual, Dissection, Undissected};
use protocols::{iak, ilenpay, isikuota, s88pay};

use crate::explain::language::{Language, LanguageOptions};
use crate::sign;

/// How much of a request is read; no server takes as much.
const BODY_MAX: u64 = 16 << 20;
/// The exit code where there is nothing to check.
pub(crate) const UNDISSECTED: u8 = 2;

/// Protocols whose requests can be taken apart.
#[derive(Debug, Subcommand)]
pub(crate) enum VerifySignCommand {
    /// A request of the IAK API, in JSON or XML
    Iak(IakOptions),
    /// A request of the isikuota API
    Isikuota(IsikuotaOptions),
    /// A new transaction of the ilenpay API, in a form or JSON
    Ilenpay(IlenpayOptions),
    /// A callback of the ilenpay API, byte for byte
    IlenpayWebhook(IlenpayWebhookOptions),
    /// A message of the S88pay API: a body, an address, or a bare key
    S88pay(S88payOptions),
}

/// A signed IAK request, and who should have signed it.
#[derive(Debug, Args)]
pub(crate) struct IakOptions {
    /// User name
    #[arg(long, default_value = "081200001111")]
    username: String,
    /// API key
    #[arg(long, env = "LUNAS_API_KEY", default_value = "9f1c2ab34de5f678", hide_env_values = true)]
    api_key: String,
    #[command(flatten)]
    source: Source,
}

/// A signed isikuota request, and who should have signed it.
#[derive(Debug, Args)]
pub(crate) struct IsikuotaOptions {
    /// API id
    #[arg(long, default_value = "IK-1001")]
    api_id: String,
    /// API key
    #[arg(long, env = "LUNAS_API_KEY", default_value = "ak_live_7f3c9d2e", hide_env_values = true)]
    api_key: String,
    /// Secret key
    #[arg(
        long,
        env = "LUNAS_SECRET_KEY",
        default_value = "sk_live_Zx81mQpT",
        hide_env_values = true
    )]
    secret_key: String,
    #[command(flatten)]
    source: Source,
}

/// A new ilenpay transaction, and who should have signed it.
#[derive(Debug, Args)]
pub(crate) struct IlenpayOptions {
    #[command(flatten)]
    keys: sign::ilenpay::Keys,
    /// The value of the request's header Authorization, to be checked as well
    #[arg(long, env = "LUNAS_AUTHORIZATION", hide_env_values = true)]
    authorization: Option<String>,
    #[command(flatten)]
    source: Source,
}

/// A callback of ilenpay, and who should have signed it.
#[derive(Debug, Args)]
pub(crate) struct IlenpayWebhookOptions {
    #[command(flatten)]
    keys: sign::ilenpay::Keys,
    /// The value of its header X-Ilen-Signature
    #[arg(long)]
    signature: String,
    #[command(flatten)]
    source: Source,
}

/// A message of S88pay, and who should have encrypted it.
#[derive(Debug, Args)]
pub(crate) struct S88payOptions {
    #[command(flatten)]
    keys: sign::s88pay::Keys,
    #[command(flatten)]
    source: Source,
}

/// Where a request comes from, and how what came of it is told.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// Kunci lain yang mungkin terpakai · another key that may have been used by mistake; repeatable
    #[arg(long, value_name = "KEY")]
    pub(crate) other_key: Vec<String>,
    #[command(flatten)]
    language: LanguageOptions,
    /// File with the body of the request; - is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
}

impl Source {
    /// In which language it is told.
    pub(crate) fn language(&self) -> Language {
        self.language.chosen()
    }

    /// What was given.
    pub(crate) fn body(&self) -> Result<Vec<u8>, Undissected> {
        let shown = self.file.display();
        bytes_of(&self.file).map_err(|error| {
            Undissected::new(
                format!("{shown} tidak terbaca: {error}"),
                format!("{shown} cannot be read: {error}"),
            )
        })
    }
}

impl VerifySignCommand {
    const fn source(&self) -> &Source {
        match self {
            Self::Iak(options) => &options.source,
            Self::Isikuota(options) => &options.source,
            Self::Ilenpay(options) => &options.source,
            Self::IlenpayWebhook(options) => &options.source,
            Self::S88pay(options) => &options.source,
        }
    }

    fn dissect(&self, body: &[u8]) -> Result<Dissection, Undissected> {
        let other_keys = &self.source().other_key;
        match self {
            Self::Iak(IakOptions { username, api_key, .. }) => {
                iak::dissect::dissect(body, iak::dissect::Signer { username, api_key, other_keys })
            }
            Self::Isikuota(IsikuotaOptions { api_id, api_key, secret_key, .. }) => {
                let signer = isikuota::dissect::Signer { api_id, api_key, secret_key, other_keys };
                isikuota::dissect::dissect(body, signer)
            }
            Self::Ilenpay(IlenpayOptions { keys, authorization, .. }) => {
                let signer = ilenpay_signer(keys, other_keys);
                ilenpay::dissect::dissect(body, authorization.as_deref(), signer)
            }
            Self::IlenpayWebhook(IlenpayWebhookOptions { keys, signature, .. }) => {
                let signer = ilenpay_signer(keys, other_keys);
                ilenpay::dissect::dissect_callback(body, signature, signer)
            }
            Self::S88pay(S88payOptions { keys, .. }) => {
                let sign::s88pay::Keys { merchant_code, api_key, secret_key } = keys;
                let signer =
                    s88pay::dissect::Signer { merchant_code, api_key, secret_key, other_keys };
                s88pay::dissect::dissect(body, signer)
            }
        }
    }
}

fn ilenpay_signer<'a>(
    keys: &'a sign::ilenpay::Keys,
    other_keys: &'a [String],
) -> ilenpay::dissect::Signer<'a> {
    let sign::ilenpay::Keys { api_key, api_user, webhook_secret } = keys;
    ilenpay::dissect::Signer { api_key, api_user, webhook_secret, other_keys }
}

/// Prints what came of it.
pub(crate) fn run(command: &VerifySignCommand) -> ExitCode {
    let source = command.source();
    let language = source.language();
    match source.body().and_then(|body| command.dissect(&body)) {
        Ok(dissection) => {
            print!("{}", shown(&dissection, language));
            if dissection.is_valid { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(Undissected(why)) => {
            eprintln!("lunas: {}", printable(language.of(&why)));
            ExitCode::from(UNDISSECTED)
        }
    }
}

/// What a file holds, or standard input for `-`; no more than is read of a request.
pub(crate) fn bytes_of(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().lock().take(BODY_MAX).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(file)?.take(BODY_MAX).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// The dissection as lines.
fn shown(dissection: &Dissection, language: Language) -> String {
    let it = dissection;
    let say = |indonesian, english| language.choose(indonesian, english);
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing into a text cannot fail.
        let _ = writeln!(text, "{name:<18} {}", printable(value));
    };
    line(say("Perintah", "Command"), &it.command);
    line(say("Cara", "Method"), language.of(&it.method));
    for part in &it.parts {
        let characters = say("karakter", "characters");
        line(&format!("  {}", part.name), &format!("{} ({} {characters})", part.text, part.length));
    }
    let parts: Vec<_> = it.parts.iter().map(|part| part.text.as_str()).collect();
    line(say("Yang dihitung", "Canonical string"), &parts.join(it.separator));
    line(say("Seharusnya", "Expected"), &it.expected);
    line(say("Diberikan", "Given"), &it.given);
    let verdict = if it.is_valid { say("COCOK", "VALID") } else { say("SALAH", "WRONG") };
    line(say("Putusan", "Verdict"), verdict);
    let mut list = |name: &str, texts: &[Bilingual]| {
        for (index, each) in texts.iter().enumerate() {
            line(if index == 0 { name } else { "" }, &format!("- {}", language.of(each)));
        }
    };
    list(say("Sebabnya", "Because"), &it.mistakes);
    list(say("Catatan", "Note"), &it.remarks);
    if !it.is_valid && it.mistakes.is_empty() {
        line(
            say("Sebabnya", "Because"),
            say(
                "tidak ada kesalahan biasa yang cocok; periksa kuncinya (--other-key mencoba kunci lain)",
                "no usual mistake explains it; check the key (--other-key tries others)",
            ),
        );
    }
    text
}

/// A text that cannot steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|it| if it.is_control() { '?' } else { it }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(sign: &str) -> Dissection {
        let body = format!(
            r#"{{"commands":"checkstatus","username":"081200001111","ref_id":"INV-1","sign":"{sign}"}}"#
        );
        let signer = iak::dissect::Signer {
            username: "081200001111",
            api_key: "9f1c2ab34de5f678",
            other_keys: &[],
        };
        iak::dissect::dissect(body.as_bytes(), signer).unwrap()
    }

    #[test]
    fn a_wrong_signature_is_shown_with_its_cause() {
        let over_the_reference = "809d175291393093f26839d825092411";
        let english = shown(&taken(over_the_reference), Language::En);
        let expected = "\
Command            checkstatus
Method             hexadecimal MD5 of the three, joined without a separator
  username         081200001111 (12 characters)
  api_key          9f1c****678 (16 characters)
  constant         cs (2 characters)
Canonical string   0812000011119f1c****678cs
Expected           f68786152ed8daeacf129fc4a2cc87cd
Given              809d175291393093f26839d825092411
Verdict            WRONG
Because            - signed with ref_id where the fixed word \"cs\" belongs
";
        assert_eq!(english, expected);
    }

    #[test]
    fn a_right_one_and_a_hopeless_one() {
        let right = shown(&taken("f68786152ed8daeacf129fc4a2cc87cd"), Language::Id);
        assert!(right.ends_with("Putusan            COCOK\n"), "{right}");
        let hopeless = shown(&taken("\\u001b[2J"), Language::Id);
        assert!(hopeless.contains("Diberikan          ?[2J\n"), "{hopeless}");
        assert!(hopeless.contains("tidak ada kesalahan biasa yang cocok"), "{hopeless}");
    }
}
