//! `lunas merchant`: merchants, their keys and their money, on a running server.

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use domain::Repetition;
use serde_json::{Value, json};

use crate::operator_client::{Client, ServerOptions, escaped, field};

/// What an operator does with merchants.
#[derive(Debug, Args)]
pub(crate) struct MerchantOptions {
    #[command(flatten)]
    server: ServerOptions,
    #[command(subcommand)]
    command: MerchantCommand,
}

#[derive(Debug, Subcommand)]
enum MerchantCommand {
    /// Tambah merchant · add a merchant
    Add {
        /// The name on receipts and reports
        name: String,
        /// The currency of the balance
        #[arg(long, default_value = "IDR")]
        currency: String,
        /// The price level
        #[arg(long, default_value = "retail")]
        level: String,
    },
    /// Daftar merchant · list merchants
    List,
    /// Tampilkan merchant, saldo dan kredensialnya · show a merchant, its balance and credentials
    Show {
        /// The merchant's number
        merchant: u32,
    },
    /// Bekukan merchant · suspend a merchant
    Suspend {
        /// The merchant's number
        merchant: u32,
    },
    /// Aktifkan lagi merchant · resume a merchant
    Resume {
        /// The merchant's number
        merchant: u32,
    },
    /// Terbitkan kunci baru; hanya dicetak sekali · issue a new key, which is printed once
    RotateKey {
        /// The merchant's number
        merchant: u32,
        /// The protocol
        #[arg(long, default_value = "iak")]
        protocol: String,
        /// The user name; needed for the first key, else that of the merchant's only credential
        #[arg(long)]
        identifier: Option<String>,
        /// From when on the old key is worth nothing, by RFC 3339 in UTC
        #[arg(long, value_name = "INSTANT")]
        old_until: Option<String>,
    },
    /// Cabut kunci · take a key out of use
    RevokeKey {
        /// The merchant's number
        merchant: u32,
        /// The user name
        identifier: String,
        /// Which of its keys
        serial: u32,
        /// The protocol
        #[arg(long, default_value = "iak")]
        protocol: String,
    },
    /// Tentukan jaringan yang boleh memanggil · set the networks that may call
    AllowIp {
        /// The merchant's number
        merchant: u32,
        /// Networks such as 203.0.113.0/24; they replace the list
        #[arg(required_unless_present = "any")]
        networks: Vec<String>,
        /// Izinkan semua alamat · allow every address
        #[arg(long, conflicts_with = "networks")]
        any: bool,
    },
    /// Batasi jumlah permintaan · set how often a merchant may call
    Limit {
        /// The merchant's number
        merchant: u32,
        /// Requests per second; 0 takes the limit away, so that the one of the configuration holds
        requests_per_second: u32,
        /// Requests that may come at once
        #[arg(default_value_t = 1)]
        burst: u32,
    },
    /// Tentukan alamat callback; rahasia baru hanya dicetak sekali · set where a merchant is called
    /// back; a new secret is printed once
    CallbackUrl {
        /// The merchant's number
        merchant: u32,
        /// The address
        #[arg(required_unless_present = "stop")]
        url: Option<String>,
        /// The protocol
        #[arg(long, default_value = "iak")]
        protocol: String,
        /// The secret to sign with, `whsec_` and Base64; otherwise a new one is made
        #[arg(long)]
        secret: Option<String>,
        /// Pakai terus rahasia lama · go on with the secret that there is
        #[arg(long, conflicts_with = "secret")]
        keep_secret: bool,
        /// Hentikan pengiriman · send nothing more there
        #[arg(long, conflicts_with_all = ["url", "secret", "keep_secret"])]
        stop: bool,
    },
    /// Batasi isi ulang satu nomor per hari · set how often one number may be topped up a day
    Repetition {
        /// The merchant's number
        merchant: u32,
        /// The rule: free, once-per-product or once-per-number
        #[arg(value_parser = PossibleValuesParser::new(Repetition::ALL.map(Repetition::name)))]
        rule: String,
    },
    /// Pilihan merchant untuk satu protokol · show what a merchant has otherwise in a protocol, or
    /// change it
    Prefer {
        /// The merchant's number
        merchant: u32,
        /// The protocol
        #[arg(long)]
        protocol: String,
        /// NAME=VALUE, such as always_200=yes; NAME= takes one away
        #[arg(value_parser = crate::sign::s88pay::parameter)]
        preferences: Vec<(String, String)>,
    },
    /// Tambah saldo · credit a balance
    Credit(FundingOptions),
    /// Kurangi saldo · debit a balance
    Debit(FundingOptions),
}

#[derive(Debug, Args)]
struct FundingOptions {
    /// The merchant's number
    merchant: u32,
    /// How much, in the merchant's currency
    amount: String,
    /// Your own name for the payment; it is used once
    #[arg(long)]
    reference: String,
    /// Why, for the audit record
    #[arg(long)]
    reason: String,
}

/// Carries out the command and returns what to print.
pub(crate) fn run(options: &MerchantOptions) -> anyhow::Result<String> {
    let client = Client::new(&options.server);
    let (answer, lines) = carry_out(&client, &options.command)?;
    Ok(if options.server.json { answer.to_string() } else { lines })
}

fn carry_out(client: &Client, command: &MerchantCommand) -> anyhow::Result<(Value, String)> {
    let path = |merchant: &u32, rest: &str| format!("/admin/v1/merchants/{merchant}{rest}");
    let about = |answer: Value, what: &str| {
        let line = format!("{what}: {}", merchant_line(&answer));
        Ok((answer, line))
    };
    match command {
        MerchantCommand::Add { name, currency, level } => {
            let body = json!({ "name": name, "currency": currency, "level": level });
            about(client.post("/admin/v1/merchants", &body)?, "Ditambahkan · added")
        }
        MerchantCommand::List => {
            let items = client.list("/admin/v1/merchants", usize::MAX)?;
            let lines: Vec<_> = items.iter().map(merchant_line).collect();
            Ok((items.into(), lines.join("\n")))
        }
        MerchantCommand::Show { merchant } => show(client, *merchant),
        MerchantCommand::Suspend { merchant } => {
            let answer = client.post(&path(merchant, "/suspend"), &Value::Null)?;
            about(answer, "Dibekukan · suspended")
        }
        MerchantCommand::Resume { merchant } => {
            let answer = client.post(&path(merchant, "/resume"), &Value::Null)?;
            about(answer, "Diaktifkan · resumed")
        }
        MerchantCommand::RotateKey { merchant, protocol, identifier, old_until } => {
            rotate(client, *merchant, protocol, identifier.as_deref(), old_until.as_deref())
        }
        MerchantCommand::RevokeKey { merchant, identifier, serial, protocol } => {
            let body = json!({ "protocol": protocol, "identifier": identifier, "serial": serial });
            let answer = client.post(&path(merchant, "/credential-revocations"), &body)?;
            let line = format!("Dicabut · revoked: {protocol} {identifier} {serial}");
            Ok((answer, line))
        }
        MerchantCommand::AllowIp { merchant, networks, .. } => {
            let body = json!({ "networks": networks });
            about(client.put(&path(merchant, "/allow-list"), &body)?, "Jaringan · networks")
        }
        MerchantCommand::Limit { merchant, requests_per_second, burst } => {
            let limit = json!({ "requests_per_second": requests_per_second, "burst": burst });
            let limit = if *requests_per_second == 0 { Value::Null } else { limit };
            let body = json!({ "rate_limit": limit });
            about(client.put(&path(merchant, "/limits"), &body)?, "Batas · limit")
        }
        MerchantCommand::Prefer { merchant, protocol, preferences } => {
            let path = path(merchant, &format!("/preferences/{}", escaped(protocol)));
            prefer(client, &path, preferences)
        }
        MerchantCommand::CallbackUrl { merchant, url, protocol, secret, keep_secret, .. } => {
            let path = path(merchant, &format!("/endpoints/{}", escaped(protocol)));
            match url {
                None => stop_callbacks(client, &path),
                Some(url) => {
                    let keep = keep_secret.then_some(true);
                    let body = json!({ "url": url, "secret": secret, "keep_secret": keep });
                    set_callback_url(client, &path, &body)
                }
            }
        }
        MerchantCommand::Repetition { merchant, rule } => {
            let body = json!({ "repetition": rule });
            about(client.put(&path(merchant, "/repetition"), &body)?, "Batas ulang · repetition")
        }
        MerchantCommand::Credit(funding) => fund(client, "credit", funding),
        MerchantCommand::Debit(funding) => fund(client, "debit", funding),
    }
}

fn merchant_line(merchant: &Value) -> String {
    let networks: Vec<_> =
        merchant["networks"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let networks = if networks.is_empty() { "*".to_owned() } else { networks.join(" ") };
    let part = |name| field(merchant, name);
    format!(
        "{} {} ({}, {}) {} ip {networks} {}",
        part("merchant"),
        part("name"),
        part("currency"),
        part("level"),
        part("status"),
        part("repetition")
    )
}

fn show(client: &Client, merchant: u32) -> anyhow::Result<(Value, String)> {
    let detail = client.get(&format!("/admin/v1/merchants/{merchant}"))?;
    let credentials = client.get(&format!("/admin/v1/merchants/{merchant}/credentials"))?;
    let endpoints = client.get(&format!("/admin/v1/merchants/{merchant}/endpoints"))?;
    let mut lines = vec![
        merchant_line(&detail["merchant"]),
        format!("Saldo · balance: {}", field(&detail, "balance")),
    ];
    for it in credentials["items"].as_array().into_iter().flatten() {
        let part = |name| field(it, name);
        lines.push(format!(
            "Kunci · key: {} {} {} s/d · until {}",
            part("protocol"),
            part("identifier"),
            part("serial"),
            part("expires_at")
        ));
    }
    for it in endpoints["items"].as_array().into_iter().flatten() {
        lines.push(format!("Callback: {}", endpoint_line(it)));
    }
    let answer = json!({ "merchant": detail["merchant"], "balance": detail["balance"],
        "credentials": credentials["items"], "endpoints": endpoints["items"] });
    Ok((answer, lines.join("\n")))
}

/// Shows what a merchant has otherwise, with these changes made first.
fn prefer(
    client: &Client,
    path: &str,
    changes: &[(String, String)],
) -> anyhow::Result<(Value, String)> {
    let mut answer = client.get(path)?;
    if !changes.is_empty() {
        let mut values = answer["values"].as_object().cloned().unwrap_or_default();
        for (name, value) in changes {
            if value.is_empty() {
                values.remove(name);
            } else {
                values.insert(name.clone(), json!(value));
            }
        }
        answer = client.put(path, &json!({ "values": values }))?;
    }
    let mut lines = vec![format!("Pilihan · preferences: {}", field(&answer, "protocol"))];
    for (name, value) in answer["values"].as_object().into_iter().flatten() {
        lines.push(format!("{name}: {}", value.as_str().unwrap_or_default()));
    }
    Ok((answer, lines.join("\n")))
}

fn endpoint_line(endpoint: &Value) -> String {
    let part = |name| field(endpoint, name);
    format!("{} {} {}", part("protocol"), part("url"), part("status"))
}

fn stop_callbacks(client: &Client, path: &str) -> anyhow::Result<(Value, String)> {
    let answer = client.post(&format!("{path}/stop"), &Value::Null)?;
    let line = format!("Dihentikan · stopped: {}", endpoint_line(&answer));
    Ok((answer, line))
}

fn set_callback_url(client: &Client, path: &str, body: &Value) -> anyhow::Result<(Value, String)> {
    let answer = client.put(path, body)?;
    let mut lines = vec![format!("Callback: {}", endpoint_line(&answer["endpoint"]))];
    if let Some(secret) = answer["secret"].as_str() {
        lines
            .push(format!("Rahasia, hanya ditampilkan sekali · secret, shown only once: {secret}"));
    }
    Ok((answer, lines.join("\n")))
}

fn rotate(
    client: &Client,
    merchant: u32,
    protocol: &str,
    identifier: Option<&str>,
    old_until: Option<&str>,
) -> anyhow::Result<(Value, String)> {
    let path = format!("/admin/v1/merchants/{merchant}/credentials");
    let identifier = match identifier {
        Some(identifier) => identifier.to_owned(),
        None => only_identifier(&client.get(&path)?, protocol)?,
    };
    let mut body = json!({ "protocol": protocol, "identifier": identifier });
    if let Some(until) = old_until {
        body["previous_expires_at"] = json!(until);
    }
    let answer = client.post(&path, &body)?;
    let mut lines = vec![format!(
        "Kunci baru, hanya ditampilkan sekali · new key, shown only once: {protocol} {identifier} {}",
        field(&answer["credential"], "serial")
    )];
    for (name, secret) in answer["secrets"].as_object().into_iter().flatten() {
        lines.push(format!("{name}: {}", secret.as_str().unwrap_or_default()));
    }
    Ok((answer, lines.join("\n")))
}

fn only_identifier(credentials: &Value, protocol: &str) -> anyhow::Result<String> {
    let items = credentials["items"].as_array().into_iter().flatten();
    let mut identifiers: Vec<_> = items
        .filter(|it| it["protocol"] == protocol)
        .filter_map(|it| it["identifier"].as_str())
        .collect();
    identifiers.dedup();
    match identifiers.as_slice() {
        [identifier] => Ok((*identifier).to_owned()),
        _ => anyhow::bail!(
            "sebutkan --identifier · name one with --identifier (known: {})",
            identifiers.join(", ")
        ),
    }
}

fn fund(
    client: &Client,
    direction: &str,
    funding: &FundingOptions,
) -> anyhow::Result<(Value, String)> {
    let body = json!({ "direction": direction, "amount": funding.amount,
        "reference": funding.reference, "reason": funding.reason });
    let path = format!("/admin/v1/merchants/{}/fundings", funding.merchant);
    let answer = client.post(&path, &body)?;
    let what = if direction == "credit" { "Ditambah · credited" } else { "Dikurangi · debited" };
    let part = |name| field(&answer, name);
    let line = format!(
        "{what}: {} {} ({}); saldo · balance {}",
        part("currency"),
        part("amount"),
        part("reference"),
        part("balance")
    );
    Ok((answer, line))
}
